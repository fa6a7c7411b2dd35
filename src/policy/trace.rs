//! What stands behind the uses of chosen principals: the calls, their events, and what else they tell.

mod log;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

pub use log::TraceLog;
pub use log::TracedUse;

use super::usage::PrincipalKey;

/// What one principal did, by full name of the action.
pub type ActionTraces = BTreeMap<String, ActionTrace>;

/// What the calls behind the uses of one action show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionTrace {
    /// Ids of the last uses, the newest first.
    pub event_ids: Vec<String>,
    /// Calls that used it, as `lambda.amazonaws.com:CreateFunction20150331`; not necessarily all.
    pub calls: BTreeSet<String>,
    /// Uses whose record names no resource.
    pub unnamed: u64,
    /// Distinct resources of the uses; where they are more than `resources` has, it only says so.
    pub resource_count: u64,
    /// ARNs of these resources, not necessarily of all.
    pub resources: BTreeSet<String>,
    /// Those of `resources` whose ARN the records do not name, so that it is made of names: a path, an account or a version
    /// may be missing in it.
    pub hints: BTreeSet<String>,
    /// Regions that served the uses.
    pub regions: BTreeSet<String>,
    /// VPC endpoints through which the uses came.
    pub endpoints: BTreeSet<String>,
    /// Uses that came through none.
    pub without_endpoint: u64,
    /// Services that made the uses on the principal's behalf.
    pub services: BTreeSet<String>,
    /// Uses that the principal made itself.
    pub without_service: u64,
    /// Roles that were handed over, with the event source of the call.
    pub passed_roles: BTreeSet<(String, String)>,
    /// Calls that succeeded and may have needed it, where none certainly did.
    pub uncertain_calls: BTreeSet<String>,
}

/// What the principals of the logs did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// By principal.
    pub principals: BTreeMap<PrincipalKey, ActionTraces>,
}

impl Traces {
    /// The traces of one principal: those under its id, and those that carry none.
    pub fn of(&self, wanted: &PrincipalKey) -> ActionTraces {
        let mut merged = ActionTraces::new();
        // The key without an id comes before those of the same ARN with one.
        let first = PrincipalKey {
            arn: wanted.arn.clone(),
            unique_id: None,
        };
        let same_arn = self
            .principals
            .range(first..)
            .take_while(|(key, _)| key.arn == wanted.arn);
        for (_, traces) in same_arn.filter(|(key, _)| key.may_be(wanted)) {
            for (action, trace) in traces {
                merged.entry(action.clone()).or_default().add(trace);
            }
        }
        merged
    }
}

impl ActionTrace {
    /// Whether `resources` holds every resource of every use.
    pub fn names_all_resources(&self) -> bool {
        self.unnamed == 0 && u64::try_from(self.resources.len()) == Ok(self.resource_count)
    }

    /// Adds what another part of the logs shows.
    pub fn add(&mut self, other: &Self) {
        self.event_ids.extend(other.event_ids.iter().cloned());
        self.unnamed += other.unnamed;
        self.resource_count += other.resource_count;
        self.without_endpoint += other.without_endpoint;
        self.without_service += other.without_service;
        for (own, theirs) in [
            (&mut self.calls, &other.calls),
            (&mut self.resources, &other.resources),
            (&mut self.hints, &other.hints),
            (&mut self.regions, &other.regions),
            (&mut self.endpoints, &other.endpoints),
            (&mut self.services, &other.services),
            (&mut self.uncertain_calls, &other.uncertain_calls),
        ] {
            own.extend(theirs.iter().cloned());
        }
        self.passed_roles.extend(other.passed_roles.iter().cloned());
    }
}
