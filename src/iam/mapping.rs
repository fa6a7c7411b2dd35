//! From a record to the IAM actions that its call needed.
//!
//! The order of the decisions: the event type, the error message, the source and name of the operation, and last the
//! parameters. See docs/facts.md for the reasons.

mod answers;
mod besides;

use std::borrow::Cow;
use std::sync::Arc;

use super::catalogue::ActionId;
use super::denial;
use super::denial::Denial;
use super::facts::Facts;
use super::likeness::Reading;
use super::object_version;
use super::outcome::Attempt;
use super::outcome::Call;
use super::outcome::Class;
use super::outcome::Outcome;
use super::outcome::Proof;
use super::outcome::ResourceOrigin;
use super::outcome::UsedAction;
use super::outcome::UsedResource;
use super::outcome::Verdict;
use super::plan::ActionPlan;
use super::plan::CandidatePlan;
use super::plan::KnownOperation;
use super::rule::Confidence;
use super::rule::Provenance;
use super::used_resources;
use super::used_resources::Request;

/// Suffix of the names of directory buckets, whose objects belong to `s3express`
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html>).
const DIRECTORY_BUCKET: &str = "--x-s3";

/// Kinds of `userIdentity` that are no principal with permissions of its own.
const STRANGERS: [&str; 4] = ["Unknown", "Anonymous", "SAMLUser", "WebIdentityUser"];

impl Facts {
    /// What is known of the operation of an event.
    pub fn operation(&self, event_source: &str, event_name: &str) -> Arc<KnownOperation> {
        let ask = || KnownOperation::new(self, event_source, event_name);
        self.operations.get(event_source, event_name, ask)
    }

    /// The actions that a call needed.
    pub fn actions_of<'a>(&self, call: &Call<'a>) -> Outcome<'a> {
        self.actions_of_operation(&self.operation(call.event_source, call.event_name), call)
    }

    /// The actions that a call needed, where its operation is known already.
    pub fn actions_of_operation<'a>(&self, operation: &KnownOperation, call: &Call<'a>) -> Outcome<'a> {
        self.read_call(operation, call).0
    }

    /// The actions that a call needed, and what of its request was read for that.
    pub fn read_call<'a>(&self, operation: &KnownOperation, call: &Call<'a>) -> (Outcome<'a>, Reading) {
        let attempt = Attempt::of(call.error_code, call.error_message);
        let event_type = call.event_type.unwrap_or_default();
        if let Some(reason) = self.event_map.event_type_note(event_type) {
            let outcome = Outcome::without_actions(attempt, Verdict::NotIam { reason });
            return (outcome, Reading::default());
        }
        let mapping = Mapping {
            facts: self,
            operation,
            call,
            attempt,
            request: Request::new(call.request_parameters),
            additional: Request::new(call.additional_event_data),
        };
        let outcome = mapping.outcome();
        let reading = Reading {
            request: mapping.request.read(),
            additional: mapping.additional.read(),
        };
        (outcome, reading)
    }
}

struct Mapping<'m, 'a> {
    facts: &'m Facts,
    operation: &'m KnownOperation,
    call: &'m Call<'a>,
    attempt: Attempt,
    request: Request<'a>,
    /// `additionalEventData`.
    additional: Request<'a>,
}

impl<'a> Mapping<'_, 'a> {
    fn outcome(&self) -> Outcome<'a> {
        let rule = &self.operation.rule;
        let is_stranger = self.call.identity_type.is_some_and(|kind| STRANGERS.contains(&kind));
        if rule.is_no_call || (rule.is_listed_as_no_call && is_stranger) {
            let reason = "the event tells of something that happened, not of a call";
            return self.without_actions(Verdict::NotIam { reason });
        }
        if rule.is_unauthenticated && (is_stranger || rule.candidates.is_empty()) {
            return self.without_actions(Verdict::Unauthenticated);
        }
        let refused = self.attempt == Attempt::Denied;
        let denial = self.call.error_message.filter(|_| refused).and_then(denial::read);
        let Some((plan, is_sure)) = self.choose() else {
            return self.unmapped(denial);
        };
        let first = plan.primary.first();
        let permissionless = first.and_then(|action| self.facts.permissionless_reason(action.id));
        if let Some(reason) = permissionless.filter(|_| denial.is_none()) {
            return self.without_actions(Verdict::Permissionless { reason });
        }
        let actions = self.actions(plan, is_sure);
        if actions.is_empty() && denial.is_none() {
            let reason = "the operation needs no IAM action";
            return self.without_actions(Verdict::NotIam { reason });
        }
        let mut outcome = Outcome {
            actions,
            confidence: match is_sure {
                true => plan.candidate.confidence,
                false => Confidence::Ambiguous,
            },
            provenance: plan.candidate.provenance,
            ..self.without_actions(Verdict::Actions)
        };
        self.apply_denial(denial, &mut outcome);
        outcome
    }

    fn without_actions(&self, verdict: Verdict) -> Outcome<'a> {
        Outcome::without_actions(self.attempt, verdict)
    }

    fn unmapped(&self, denial: Option<Denial>) -> Outcome<'a> {
        let reason = match self.operation.rule.is_known_source {
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
    fn choose(&self) -> Option<(&CandidatePlan, bool)> {
        let (first, others) = self.operation.plans.split_first()?;
        if others.is_empty() {
            return Some((first, true));
        }
        let of_prefix = |prefix: &str| self.operation.plans.iter().find(|plan| plan.candidate.prefix == prefix);
        let request = self.request.parameters();
        let choices = &self.operation.prefix_choices;
        let mut chosen = choices
            .iter()
            .filter(|(parameter, _)| request.has_top_member(parameter));
        if let Some(plan) = chosen.find_map(|(_, prefix)| of_prefix(prefix)) {
            return Some((plan, true));
        }
        if let Some(bucket) = request.strings_at("bucketName").first() {
            let is_directory = bucket.ends_with(DIRECTORY_BUCKET);
            let plan = of_prefix("s3express").filter(|_| is_directory);
            return Some((plan.unwrap_or(first), true));
        }
        let mut recorded = self.call.resource_arns.iter();
        let mut given = self.request.arns().iter();
        let of_arn = |arn: &str| service_of(arn).and_then(of_prefix);
        let plan = recorded.find_map(|arn| of_arn(arn));
        if let Some(plan) = plan.or_else(|| given.find_map(|arn| of_arn(arn))) {
            return Some((plan, true));
        }
        let is_told_by_absence = !choices.is_empty() && !request.is_null();
        let is_same = others
            .iter()
            .all(|other| other.candidate.primary == first.candidate.primary);
        Some((first, is_told_by_absence || is_same))
    }

    /// All actions of the chosen service, and as possible ones those of the others if the choice is not sure.
    fn actions(&self, plan: &CandidatePlan, is_sure: bool) -> Vec<UsedAction<'a>> {
        let mut actions = Vec::new();
        // Of two actions, the one on a version counts where a version is named.
        let is_on_version =
            |action: &ActionPlan| action.on_version.is_some() && self.version_parameter(action).is_some();
        for action in plan.primary.iter().filter(|action| !is_on_version(action)) {
            add(&mut actions, action.id, || {
                self.used(action, Class::Primary, self.proof_of_primary(action))
            });
        }
        for action in &plan.conditional {
            let replaced = plan.primary.iter().find(|other| other.on_version == Some(action.id));
            let version = replaced.and_then(|replaced| self.version_parameter(replaced));
            if replaced.is_some_and(|replaced| object_version::is_of_none(replaced.copy_end, self.request.parameters()))
            {
                continue;
            }
            add(&mut actions, action.id, || {
                let proof = version.map_or_else(|| self.proof_of(action), Proof::Parameter);
                self.used(action, Class::Conditional, proof)
            });
        }
        if !self.call.passed_role_arns.is_empty() {
            let pass_role = self.facts.find("iam:PassRole");
            pass_role
                .into_iter()
                .for_each(|id| self.add_passed_roles(&mut actions, id));
        }
        let for_tags = plan.created_tags.of_request(self.request.parameters()).iter();
        let of_tagged = match plan.tagged.is_empty() {
            true => Vec::new(),
            false => plan.tagged.of_resources(self.request.arns()),
        };
        let dependent = plan.candidate.dependent.iter();
        let dependent = dependent.filter(|id| self.may_need_besides(&plan.candidate, self.facts.name(**id)));
        for id in dependent.chain(for_tags).chain(&of_tagged) {
            add(&mut actions, *id, || {
                self.unused(*id, Class::Dependent, Proof::Possible)
            });
        }
        if !plan.forwarded.is_empty() && self.may_use_keys() {
            let proof = Proof::ForwardAccess(plan.candidate.prefix);
            for id in &plan.forwarded {
                add(&mut actions, *id, || self.unused(*id, Class::Dependent, proof));
            }
        }
        self.add_listing(&mut actions, plan);
        if !is_sure {
            let others = self
                .operation
                .plans
                .iter()
                .filter(|other| other.candidate.prefix != plan.candidate.prefix);
            for action in others.flat_map(|other| other.primary.iter().chain(&other.conditional)) {
                add(&mut actions, action.id, || {
                    self.unused(action.id, Class::Conditional, Proof::Possible)
                });
            }
        }
        actions
    }

    /// An action with the resources that the record names; none for an action that is not proven, or that works on what the
    /// call makes.
    fn used(&self, action: &ActionPlan, class: Class, proof: Proof) -> UsedAction<'a> {
        let resolved = match proof {
            _ if action.is_tag_on_create => used_resources::Resolved::default(),
            Proof::Possible => used_resources::Resolved::default(),
            _ => used_resources::resolve(action, self.call, &self.request),
        };
        UsedAction {
            id: Some(action.id),
            name: Cow::Borrowed(action.name),
            class,
            proof,
            resources: resolved.resources,
            missing_types: resolved.missing_types,
        }
    }

    /// An action that works on resources which the request does not name.
    fn unused(&self, id: ActionId, class: Class, proof: Proof) -> UsedAction<'a> {
        UsedAction {
            id: Some(id),
            name: Cow::Borrowed(self.facts.name(id)),
            class,
            proof,
            resources: Vec::new(),
            missing_types: Vec::new(),
        }
    }

    /// A role that the request hands over proves `iam:PassRole`, of which CloudTrail has no event.
    fn add_passed_roles(&self, actions: &mut Vec<UsedAction<'a>>, id: ActionId) {
        actions.retain(|action| action.id != Some(id));
        let arns = self.call.passed_role_arns.iter();
        // The request may name the role without its path.
        let origin = |arn: &str| match self.request.parameters().holds(arn) {
            true => ResourceOrigin::PassedRole,
            false => ResourceOrigin::Names,
        };
        actions.push(UsedAction {
            resources: arns
                .map(|arn| UsedResource {
                    arn: Cow::Borrowed(arn),
                    resource_type: "role",
                    origin: origin(arn),
                })
                .collect(),
            ..self.unused(id, Class::Conditional, Proof::PassedRole)
        });
    }

    /// Whether the service may have used a key with the caller's rights: not if the object is encrypted without KMS.
    fn may_use_keys(&self) -> bool {
        let encryption = self.additional.parameters().strings_at("SSEApplied");
        encryption.iter().all(|kind| kind.contains("KMS"))
    }

    /// The parameter by which the request says that it is about a version of the object of an action.
    fn version_parameter(&self, action: &ActionPlan) -> Option<&'static str> {
        object_version::parameter(action.copy_end, self.request.parameters())
    }

    fn proof_of(&self, action: &ActionPlan) -> Proof {
        if action.name.starts_with("s3-object-lambda:") {
            let mut arns = self.call.resource_arns.iter();
            let is_lambda = arns.any(|arn| service_of(arn) == Some("s3-object-lambda"));
            return match is_lambda {
                true => Proof::Parameter("resources"),
                false => Proof::Possible,
            };
        }
        let places = || [self.request.parameters(), self.additional.parameters()].into_iter();
        if !places().any(|place| place.may_have(action.evidence_marks)) {
            return Proof::Possible;
        }
        let is_said = |name: &&&'static str| places().any(|place| place.has(name));
        let said = action.evidence.iter().find(is_said);
        said.map_or(Proof::Possible, |name| Proof::Parameter(name))
    }

    /// The action that the message names was refused; of all others it is not known whether they were asked for.
    fn apply_denial(&self, denial: Option<Denial>, outcome: &mut Outcome<'a>) {
        let Some(denial) = denial else {
            return;
        };
        let id = self.facts.find(&denial.action);
        let name = id.map_or_else(
            || Cow::Owned(denial.action.clone()),
            |id| Cow::Borrowed(self.facts.name(id)),
        );
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
                arn: Cow::Owned(arn.clone()),
                resource_type: "",
                origin: ResourceOrigin::Message,
            }];
        }
        outcome.actions.insert(0, stated);
        outcome.confidence = Confidence::Stated;
        outcome.provenance = Provenance::ErrorMessage;
        outcome.denial = Some(denial);
    }
}

/// Adds an action that is not there yet.
fn add<'a>(actions: &mut Vec<UsedAction<'a>>, id: ActionId, action: impl FnOnce() -> UsedAction<'a>) {
    if !actions.iter().any(|known| known.id == Some(id)) {
        actions.push(action());
    }
}

/// Service of an ARN.
pub(super) fn service_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(2)
}

#[cfg(test)]
mod tests;
