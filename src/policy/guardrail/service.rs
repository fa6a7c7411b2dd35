//! Service control policies that deny the services which nobody uses.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::CONTROL_POLICIES;
use super::CONTROL_POLICY_CHARACTERS;
use super::CallSum;
use super::fits;
use crate::iam::Facts;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::diff::Differ;

/// What every session needs, whether a call of it is on record or not, and what one needs when something is wrong.
const ALWAYS: [&str; 4] = ["health", "signin", "sts", "support"];

/// The services that were called.
#[derive(Debug, Clone)]
pub struct ServiceUses<'f> {
    facts: &'f Facts,
    used: BTreeSet<String>,
    /// An event source that the facts do not know: it may be any service.
    unknown_source: Option<String>,
}

/// What the silence of services proves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnusedServices {
    /// Prefixes of services that nobody called, and a call would have been seen.
    pub unused: BTreeSet<&'static str>,
    /// Those that nobody was seen to call, with the reason why that proves nothing.
    pub unknown: BTreeMap<&'static str, String>,
    /// Those that were called, and those that are never denied.
    pub used: BTreeSet<&'static str>,
}

impl<'f> ServiceUses<'f> {
    /// No calls yet.
    pub fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            used: BTreeSet::new(),
            unknown_source: None,
        }
    }

    /// Adds calls.
    pub fn add(&mut self, sum: &CallSum<'_>) {
        if let Some((service, _)) = sum.action.and_then(|action| action.split_once(':')) {
            self.used.insert(service.to_owned());
        }
        if sum.is_taking {
            return;
        }
        let of_source = self.facts.services_of(sum.event_source);
        if of_source.is_empty() && sum.action.is_none() {
            self.unknown_source = Some(sum.event_source.to_owned());
        }
        self.used.extend(of_source.into_iter().map(str::to_owned));
    }

    /// What the silence of each service proves in all of these accounts.
    pub fn unused(&self, accounts: &BTreeSet<String>, differ: &mut Differ<'_>) -> UnusedServices {
        let mut found = UnusedServices::default();
        let is_used = |service: &&'static str| self.used.contains(*service) || ALWAYS.contains(service);
        let (used, silent): (Vec<_>, Vec<_>) = self.facts.services().into_iter().partition(is_used);
        found.used.extend(used);
        match &self.unknown_source {
            Some(source) => {
                let reason = || format!("calls of `{source}` may be of any service");
                found
                    .unknown
                    .extend(silent.into_iter().map(|service| (service, reason())));
            }
            None => {
                found.unknown = differ.silence_doubts(accounts, &silent);
                let certain = silent
                    .into_iter()
                    .filter(|service| !found.unknown.contains_key(service));
                found.unused = certain.collect();
            }
        }
        found
    }
}

/// The policies that deny these services, each as long as it may be; `None` if a node cannot have so many.
pub fn service_policies(services: &BTreeSet<&str>) -> Option<Vec<Document>> {
    let mut policies: Vec<Document> = Vec::new();
    let mut patterns: Vec<String> = Vec::new();
    for service in services {
        patterns.push(format!("{service}:*"));
        if !fits(&deny(patterns.clone()), CONTROL_POLICY_CHARACTERS) {
            let last = patterns.pop();
            policies.push(deny(std::mem::take(&mut patterns)));
            patterns.extend(last);
        }
    }
    if !patterns.is_empty() {
        policies.push(deny(patterns));
    }
    (policies.len() <= CONTROL_POLICIES).then_some(policies)
}

fn deny(patterns: Vec<String>) -> Document {
    let mut statement = Statement::new(Effect::Deny, Scope::Only(OneOrMany::Many(patterns)));
    statement.sid = Some("DenyUnusedServices".to_owned());
    statement.resources = Some(Scope::Only(OneOrMany::One("*".to_owned())));
    Document::of(vec![statement])
}
