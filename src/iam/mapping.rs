//! From a record to the IAM actions that its call needed.
//!
//! The order of the decisions: the event type, the error message, the source and name of the operation, and last the
//! parameters. See docs/facts.md for the reasons.

use std::cell::OnceCell;

use serde_json::Value;

use super::catalogue::ActionId;
use super::denial;
use super::denial::Denial;
use super::facts::Facts;
use super::outcome::Attempt;
use super::outcome::Call;
use super::outcome::Class;
use super::outcome::Outcome;
use super::outcome::Proof;
use super::outcome::ResourceOrigin;
use super::outcome::UsedAction;
use super::outcome::UsedResource;
use super::outcome::Verdict;
use super::parameters;
use super::rule::Candidate;
use super::rule::Confidence;
use super::rule::Provenance;
use super::rule::Rule;
use super::used_resources;

/// Suffix of the names of directory buckets, whose objects belong to `s3express`
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html>).
const DIRECTORY_BUCKET: &str = "--x-s3";

/// Kinds of `userIdentity` that are no principal with permissions of its own.
const STRANGERS: [&str; 4] = ["Unknown", "Anonymous", "SAMLUser", "WebIdentityUser"];

/// What the facts know of an operation; kept by callers that see the same operation many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownOperation(Rule);

impl Facts {
    /// What is known of the operation of an event.
    pub fn operation(&self, event_source: &str, event_name: &str) -> KnownOperation {
        KnownOperation(Rule::new(&self.event_map, &self.catalogue, event_source, event_name))
    }

    /// The actions that a call needed.
    pub fn actions_of(&self, call: &Call<'_>) -> Outcome {
        self.actions_of_operation(&self.operation(call.event_source, call.event_name), call)
    }

    /// The actions that a call needed, where its operation is known already.
    pub fn actions_of_operation(&self, operation: &KnownOperation, call: &Call<'_>) -> Outcome {
        let mapping = Mapping {
            facts: self,
            rule: &operation.0,
            call,
            attempt: Attempt::of(call.error_code, call.error_message),
            request: OnceCell::new(),
            additional: OnceCell::new(),
        };
        mapping.outcome()
    }
}

struct Mapping<'a> {
    facts: &'a Facts,
    rule: &'a Rule,
    call: &'a Call<'a>,
    attempt: Attempt,
    request: OnceCell<Value>,
    additional: OnceCell<Value>,
}

/// An action before its resources are known.
struct Need {
    id: ActionId,
    class: Class,
    proof: Proof,
}

impl Need {
    fn new(id: ActionId, class: Class, proof: Proof) -> Self {
        Self { id, class, proof }
    }
}

impl Mapping<'_> {
    fn outcome(&self) -> Outcome {
        let event_type = self.call.event_type.unwrap_or_default();
        if let Some(reason) = self.facts.event_map.event_type_note(event_type) {
            return self.without_actions(Verdict::NotIam { reason });
        }
        let is_stranger = self.call.identity_type.is_some_and(|kind| STRANGERS.contains(&kind));
        if self.rule.is_no_call || (self.rule.is_listed_as_no_call && is_stranger) {
            let reason = "the event tells of something that happened, not of a call";
            return self.without_actions(Verdict::NotIam { reason });
        }
        if self.rule.is_unauthenticated && (is_stranger || self.rule.candidates.is_empty()) {
            return self.without_actions(Verdict::Unauthenticated);
        }
        let refused = self.attempt == Attempt::Denied;
        let denial = self.call.error_message.filter(|_| refused).and_then(denial::read);
        let Some((candidate, is_sure)) = self.choose() else {
            return self.unmapped(denial);
        };
        let permissionless = candidate
            .primary
            .first()
            .and_then(|id| self.facts.permissionless_reason(*id));
        if let Some(reason) = permissionless.filter(|_| denial.is_none()) {
            return self.without_actions(Verdict::Permissionless { reason });
        }
        let mut actions = self.actions_of_candidate(candidate);
        if !is_sure {
            self.add_alternatives(candidate, &mut actions);
        }
        if actions.is_empty() && denial.is_none() {
            let reason = "the operation needs no IAM action";
            return self.without_actions(Verdict::NotIam { reason });
        }
        let mut outcome = Outcome {
            actions,
            confidence: match is_sure {
                true => candidate.confidence,
                false => Confidence::Ambiguous,
            },
            provenance: candidate.provenance,
            ..self.without_actions(Verdict::Actions)
        };
        self.apply_denial(denial, &mut outcome);
        outcome
    }

    fn without_actions(&self, verdict: Verdict) -> Outcome {
        Outcome {
            verdict,
            attempt: self.attempt,
            confidence: match verdict {
                Verdict::Unmapped { .. } => Confidence::Unresolved,
                _ => Confidence::Curated,
            },
            provenance: match verdict {
                Verdict::Unmapped { .. } => Provenance::Nothing,
                _ => Provenance::Curated,
            },
            actions: Vec::new(),
            data_event_types: self.rule.data_event_types.clone(),
            denial: None,
        }
    }

    fn unmapped(&self, denial: Option<Denial>) -> Outcome {
        let reason = match self.rule.is_known_source {
            true => "no action is known for this operation",
            false => "no service is known for this event source",
        };
        let mut outcome = self.without_actions(Verdict::Unmapped { reason });
        if denial.is_some() {
            outcome.verdict = Verdict::Actions;
            self.apply_denial(denial, &mut outcome);
        }
        outcome
    }

    /// The service prefix that was called, and whether the record tells so.
    fn choose(&self) -> Option<(&Candidate, bool)> {
        let (first, others) = self.rule.candidates.split_first()?;
        if others.is_empty() {
            return Some((first, true));
        }
        let of_prefix = |prefix: &str| self.rule.candidates.iter().find(|candidate| candidate.prefix == prefix);
        let request = self.request();
        let choices: Vec<_> = self.facts.event_map.prefix_choices(self.call.event_source).collect();
        let chosen = choices
            .iter()
            .find(|(parameter, _)| parameters::has_top_member(request, parameter));
        if let Some(candidate) = chosen.and_then(|(_, prefix)| of_prefix(prefix)) {
            return Some((candidate, true));
        }
        let bucket = parameters::strings_at(request, "bucketName").into_iter().next();
        if let Some(bucket) = bucket {
            let prefix = match bucket.ends_with(DIRECTORY_BUCKET) {
                true => "s3express",
                false => first.prefix,
            };
            return Some((of_prefix(prefix).unwrap_or(first), true));
        }
        let recorded = self.call.resource_arns.iter().copied();
        let services = recorded.chain(parameters::arns(request)).filter_map(service_of);
        if let Some(candidate) = services.into_iter().find_map(of_prefix) {
            return Some((candidate, true));
        }
        let is_told_by_absence = !choices.is_empty() && !request.is_null();
        let is_same = others.iter().all(|other| other.primary == first.primary);
        Some((first, is_told_by_absence || is_same))
    }

    fn actions_of_candidate(&self, candidate: &Candidate) -> Vec<UsedAction> {
        let mut actions = Vec::new();
        for id in &candidate.primary {
            self.add(Need::new(*id, Class::Primary, Proof::Call), candidate, &mut actions);
        }
        for id in &candidate.conditional {
            self.add(
                Need::new(*id, Class::Conditional, self.proof_of(*id)),
                candidate,
                &mut actions,
            );
        }
        self.add_passed_roles(candidate, &mut actions);
        for id in &candidate.dependent {
            self.add(
                Need::new(*id, Class::Dependent, Proof::Possible),
                candidate,
                &mut actions,
            );
        }
        self.add_forward_access(candidate, &mut actions);
        actions
    }

    fn add(&self, need: Need, candidate: &Candidate, actions: &mut Vec<UsedAction>) {
        let Need { id, class, proof } = need;
        if actions.iter().any(|action| action.id == Some(id)) {
            return;
        }
        // A dependent action works on resources that the request does not name.
        let resolved = match class {
            Class::Dependent => used_resources::Resolved::default(),
            Class::Primary | Class::Conditional => {
                used_resources::resolve(self.facts, id, candidate, self.call, self.request())
            }
        };
        actions.push(UsedAction {
            id: Some(id),
            name: self.facts.name(id).to_owned(),
            class,
            proof,
            resources: resolved.resources,
            missing_types: resolved.missing_types,
        });
    }

    /// A role that the request hands over proves `iam:PassRole`, of which CloudTrail has no event.
    fn add_passed_roles(&self, candidate: &Candidate, actions: &mut Vec<UsedAction>) {
        let Some(id) = self
            .facts
            .find("iam:PassRole")
            .filter(|_| !self.call.passed_role_arns.is_empty())
        else {
            return;
        };
        let resources = self.call.passed_role_arns.iter().map(|arn| UsedResource {
            arn: (*arn).to_owned(),
            resource_type: "role",
            origin: ResourceOrigin::PassedRole,
        });
        let resources = resources.collect();
        self.add(Need::new(id, Class::Conditional, Proof::PassedRole), candidate, actions);
        if let Some(action) = actions.iter_mut().find(|action| action.id == Some(id)) {
            action.resources = resources;
            action.missing_types.clear();
        }
    }

    /// Actions that the service may use with the caller's rights, unless the record shows that it had no reason to.
    fn add_forward_access(&self, candidate: &Candidate, actions: &mut Vec<UsedAction>) {
        let names = self
            .facts
            .event_map
            .forward_access(candidate.prefix, candidate.operation);
        if names.is_empty() {
            return;
        }
        let encryption = parameters::strings_at(self.additional(), "SSEApplied")
            .into_iter()
            .next();
        if encryption.is_some_and(|kind| !kind.contains("KMS")) {
            return;
        }
        let service = format!("{}.amazonaws.com", candidate.prefix);
        for id in names.iter().filter_map(|name| self.facts.find(name)) {
            self.add(
                Need::new(id, Class::Dependent, Proof::ForwardAccess(service.clone())),
                candidate,
                actions,
            );
        }
    }

    /// Other services behind the same event source may have been called instead.
    fn add_alternatives(&self, chosen: &Candidate, actions: &mut Vec<UsedAction>) {
        let others = self
            .rule
            .candidates
            .iter()
            .filter(|other| other.prefix != chosen.prefix);
        for other in others {
            for id in other.primary.iter().chain(&other.conditional) {
                self.add(Need::new(*id, Class::Conditional, Proof::Possible), other, actions);
            }
        }
    }

    fn proof_of(&self, id: ActionId) -> Proof {
        let name = self.facts.name(id);
        if name.starts_with("s3-object-lambda:") {
            let mut arns = self.call.resource_arns.iter();
            let is_lambda = arns.any(|arn| service_of(arn) == Some("s3-object-lambda"));
            return match is_lambda {
                true => Proof::Parameter("resources"),
                false => Proof::Possible,
            };
        }
        let is_said = |parameter: &&'static str| {
            parameters::has_member(self.request(), parameter) || parameters::has_member(self.additional(), parameter)
        };
        let said = self.facts.event_map.evidence(name).find(is_said);
        said.map_or(Proof::Possible, Proof::Parameter)
    }

    /// The action that the message names was refused; of all others it is not known whether they were asked for.
    fn apply_denial(&self, denial: Option<Denial>, outcome: &mut Outcome) {
        let Some(denial) = denial else {
            return;
        };
        let id = self.facts.find(&denial.action);
        let name = id.map_or(denial.action.as_str(), |id| self.facts.name(id)).to_owned();
        let mut stated = UsedAction {
            id,
            class: Class::Primary,
            proof: Proof::Message,
            resources: Vec::new(),
            missing_types: Vec::new(),
            name,
        };
        outcome.actions.retain_mut(|action| {
            let is_stated = action.name == stated.name;
            if is_stated {
                stated.resources = std::mem::take(&mut action.resources);
                stated.missing_types = std::mem::take(&mut action.missing_types);
            }
            action.proof = Proof::Possible;
            !is_stated
        });
        if let Some(arn) = &denial.resource {
            stated.missing_types.clear();
            stated.resources = vec![UsedResource {
                arn: arn.clone(),
                resource_type: "",
                origin: ResourceOrigin::Message,
            }];
        }
        outcome.actions.insert(0, stated);
        outcome.confidence = Confidence::Stated;
        outcome.provenance = Provenance::ErrorMessage;
        outcome.denial = Some(denial);
    }

    fn request(&self) -> &Value {
        self.request
            .get_or_init(|| parameters::parse(self.call.request_parameters))
    }

    fn additional(&self) -> &Value {
        self.additional
            .get_or_init(|| parameters::parse(self.call.additional_event_data))
    }
}

/// Service of an ARN.
fn service_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(2)
}

#[cfg(test)]
mod tests;
