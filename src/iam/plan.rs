//! What is known of an operation, made ready for many records of it.

use super::arn_format::ArnFormat;
use super::authorized;
use super::catalogue::ActionId;
use super::catalogue::Level;
use super::catalogue::ResourceUse;
use super::copy_source::CopyEnd;
use super::created_tags::CreatedTags;
use super::facts::Facts;
use super::key_end::KeyEnd;
use super::likeness::ArnWords;
use super::mark::marks;
use super::object_version;
use super::owner;
use super::rule::Candidate;
use super::rule::Rule;
use super::table_index;
use super::tagged::Tagged;
use super::template::Target;

/// What the facts know of an operation; kept by callers that see the same operation many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownOperation {
    pub(super) rule: Rule,
    /// One per candidate of the rule.
    pub(super) plans: Vec<CandidatePlan>,
    /// Request parameters whose presence tells the service prefix, if there are several.
    pub(super) prefix_choices: Vec<(&'static str, &'static str)>,
    pub(super) arn_words: ArnWords,
}

/// How to look at records under one service prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CandidatePlan {
    pub(super) candidate: Candidate,
    /// Primary actions.
    pub(super) primary: Vec<ActionPlan>,
    /// Conditional actions.
    pub(super) conditional: Vec<ActionPlan>,
    /// Actions that the service may use with the caller's rights.
    pub(super) forwarded: Vec<ActionId>,
    /// Actions that it may need for tags of what it makes.
    pub(super) created_tags: CreatedTags,
    /// Actions that it may need for tags of resources of other services.
    pub(super) tagged: Tagged,
}

/// How to look at records for one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ActionPlan {
    pub(super) id: ActionId,
    pub(super) name: &'static str,
    pub(super) uses: Vec<(ResourceUse, ArnFormat)>,
    pub(super) templates: Vec<(Target, &'static str)>,
    /// Whether names of parameters may be taken for names of variables.
    pub(super) may_guess: bool,
    /// Parameters whose presence proves the use.
    pub(super) evidence: Vec<&'static str>,
    /// Marks of their names.
    pub(super) evidence_marks: u64,
    /// Whether it puts tags on what the operation makes, so that the resources of the call are not its own.
    pub(super) is_tag_on_create: bool,
    /// Which of the two objects it is about, where the operation copies one.
    pub(super) copy_end: Option<CopyEnd>,
    /// Which of two keys it is about.
    pub(super) key_end: Option<KeyEnd>,
    /// Whether it reads a table or an index of it.
    pub(super) may_read_index: bool,
    /// The action that takes its place where the request is about one version of an object.
    pub(super) on_version: Option<ActionId>,
    /// Parameters that may say whose the resources are.
    pub(super) account_parameters: Vec<&'static str>,
}

impl KnownOperation {
    pub(super) fn new(facts: &Facts, event_source: &str, event_name: &str) -> Self {
        let rule = Rule::new(&facts.event_map, &facts.catalogue, event_source, event_name);
        let plans = rule
            .candidates
            .iter()
            .map(|candidate| CandidatePlan::new(facts, candidate));
        let plans: Vec<CandidatePlan> = plans.collect();
        Self {
            arn_words: ArnWords::of(&plans),
            plans,
            prefix_choices: facts.event_map.prefix_choices(event_source).collect(),
            rule,
        }
    }

    /// Whether the action is the one of the operation itself, under whatever service prefix.
    pub fn is_primary(&self, id: ActionId) -> bool {
        let primary = self.plans.iter().flat_map(|plan| &plan.primary);
        primary.into_iter().any(|action| action.id == id)
    }

    /// Resource types of the data events of this operation; empty if its events are management events.
    pub fn data_event_types(&self) -> &[&'static str] {
        &self.rule.data_event_types
    }
}

impl CandidatePlan {
    fn new(facts: &Facts, candidate: &Candidate) -> Self {
        let plans = |ids: &[ActionId]| ids.iter().map(|id| ActionPlan::new(facts, candidate, *id)).collect();
        let mut primary: Vec<ActionPlan> = plans(&candidate.primary);
        let conditional: Vec<ActionPlan> = plans(&candidate.conditional);
        let others: Vec<(ActionId, &str)> = conditional.iter().map(|action| (action.id, action.name)).collect();
        for action in &mut primary {
            action.on_version = object_version::action_on_version(action.name, &others);
        }
        let forwarded = facts.event_map.forward_access(candidate.prefix, candidate.operation);
        Self {
            primary,
            conditional,
            forwarded: forwarded.iter().filter_map(|name| facts.find(name)).collect(),
            created_tags: CreatedTags::of(facts, candidate),
            tagged: Tagged::of(facts, candidate),
            candidate: candidate.clone(),
        }
    }
}

impl ActionPlan {
    /// Whether the names within recorded ARNs tell which of them count, or are in ARNs that are made of them.
    pub(super) fn reads_recorded_names(&self) -> bool {
        self.copy_end.is_some() || self.key_end.is_some() || self.may_read_index || authorized::reads_names(self.name)
    }

    fn new(facts: &Facts, candidate: &Candidate, id: ActionId) -> Self {
        let name = facts.name(id);
        let uses = facts.resource_uses(id).into_iter();
        let templates: Vec<_> = facts.templates.of(candidate.prefix, candidate.operation, id).collect();
        let evidence: Vec<_> = facts.event_map.evidence(name).collect();
        // At API Gateway the same identifiers stand in the paths of many types, of which a call concerns one.
        let is_by_path = candidate.prefix == "apigateway";
        Self {
            uses: uses.map(|used| (used, ArnFormat::parse(used.arn_format))).collect(),
            may_guess: !is_by_path && !templates.iter().any(|(target, _)| *target == Target::Arn),
            templates,
            evidence_marks: marks(&evidence),
            evidence,
            // Tags of a new object of S3 are put on the object that the request names.
            is_tag_on_create: candidate.prefix != "s3"
                && !candidate.primary.contains(&id)
                && facts.action(id).is_some_and(|action| action.level == Level::Tagging),
            copy_end: CopyEnd::of(candidate.operation, name),
            key_end: KeyEnd::of(name),
            may_read_index: table_index::may_read_index(name),
            on_version: None,
            account_parameters: owner::account_parameters(name),
            id,
            name,
        }
    }
}
