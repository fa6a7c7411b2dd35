//! Whether a use of an action would have been seen.

use std::collections::BTreeSet;
use std::collections::HashMap;

use super::reason::Reason;
use crate::iam::ActionId;
use crate::iam::Facts;
use crate::iam::Level;
use crate::iam::Observability;
use crate::policy::usage::AccountLog;
use crate::policy::usage::Recorded;

/// What the facts say about the traces of actions, each looked up once.
#[derive(Debug)]
pub(super) struct Visibility<'f> {
    facts: &'f Facts,
    traces: HashMap<ActionId, Trace>,
}

/// Which events show a use of an action.
#[derive(Debug)]
pub(super) struct Trace {
    /// Why no log can show it.
    pub(super) never: Option<Reason>,
    /// Service prefix.
    pub(super) service: &'static str,
    /// Resource types of its data events; empty if management events show it.
    resource_types: Vec<&'static str>,
    excludable_source: Option<&'static str>,
    is_read: bool,
}

impl<'f> Visibility<'f> {
    pub(super) fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            traces: HashMap::new(),
        }
    }

    pub(super) fn of(&mut self, action: ActionId) -> &Trace {
        let facts = self.facts;
        self.traces.entry(action).or_insert_with(|| Trace::of(facts, action))
    }
}

impl Trace {
    fn of(facts: &Facts, id: ActionId) -> Self {
        let action = facts.action(id);
        Self {
            never: never(facts, id),
            service: action.and_then(|action| action.service()).unwrap_or_default(),
            resource_types: facts.data_event_types(id),
            excludable_source: facts.excludable_source(id),
            is_read: action.is_some_and(|action| matches!(action.level, Level::Read | Level::List)),
        }
    }

    /// Why the logs of an account would not show a use in these regions; `None` if they would.
    pub(super) fn hidden(&self, log: &AccountLog, regions: &BTreeSet<String>) -> Option<Reason> {
        if !self.resource_types.is_empty() {
            return self.hidden_data(log, regions);
        }
        if let Some(source) = self.excludable_source.filter(|source| !log.sources.contains(*source)) {
            return Some(Reason::SourceNotRecorded(source));
        }
        // Some calls of a writing level, such as `sts:AssumeRole` and `kms:Decrypt`, are recorded as reading, so those need
        // both kinds.
        if !log.management.reads {
            return Some(Reason::ManagementEventsNotRecorded { is_read: true });
        }
        let needs_writes = !self.is_read && !log.management.writes;
        needs_writes.then_some(Reason::ManagementEventsNotRecorded { is_read: false })
    }

    fn hidden_data(&self, log: &AccountLog, regions: &BTreeSet<String>) -> Option<Reason> {
        let is_recorded = |region: Option<&str>| {
            let recorded = log.data.iter().filter(|((place, resource_type), _)| {
                region.is_none_or(|region| place == region) && self.resource_types.contains(&resource_type.as_str())
            });
            let mut recorded = recorded.map(|(_, recorded)| recorded);
            recorded.any(|recorded: &Recorded| if self.is_read { recorded.reads } else { recorded.writes })
        };
        let missing = regions.iter().filter(|region| !is_recorded(Some(region)));
        let missing: Vec<String> = missing.cloned().collect();
        let is_nowhere = !is_recorded(None);
        (is_nowhere || !missing.is_empty()).then(|| Reason::DataEventsNotRecorded {
            resource_types: self.resource_types.clone(),
            regions: if is_nowhere { Vec::new() } else { missing },
            is_read: self.is_read,
        })
    }
}

/// Why no log can show a use of an action.
fn never(facts: &Facts, id: ActionId) -> Option<Reason> {
    if let Some(why) = facts.permissionless_reason(id) {
        return Some(Reason::Permissionless(why));
    }
    if let Some(why) = facts.never_logged_reason(id) {
        return Some(Reason::NeverLogged(why));
    }
    if let Some(why) = facts.never_own_event_reason(id) {
        return Some(Reason::DependentOnly(why));
    }
    match facts.action(id)?.observability {
        Observability::Management | Observability::Data | Observability::ManagementAndData => None,
        Observability::Conditional => Some(Reason::ConditionalOnly),
        Observability::Dependent => Some(Reason::DependentOnly("")),
        Observability::NeverLogged => Some(Reason::NeverLogged("")),
        Observability::NoOperation => Some(Reason::NoOperation),
    }
}
