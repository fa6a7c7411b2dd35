//! Which permissions calls that map to no action may have been about.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::reason::Reason;
use super::subject::Subject;
use super::visibility::Trace;
use crate::iam::Facts;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::account_log::AccountLog;

/// The calls of one principal that map to no action.
#[derive(Debug, Default)]
pub(super) struct Unmapped {
    /// Calls of event sources that the facts know, with the services of these, and of others that are named like services.
    of_known_sources: Vec<(Vec<&'static str>, String)>,
    /// The first call of another event source: its service is not known, nor whether it has a prefix of its own.
    of_other_source: Option<String>,
    /// Actions that operations of such calls need under whatever prefix, with the call.
    named: BTreeMap<&'static str, String>,
    /// Services that such calls may belong to: nothing tells of an event source of theirs.
    homeless: BTreeSet<&'static str>,
    /// A call, where there are more than are kept.
    of_many: Option<String>,
}

impl Unmapped {
    pub(super) fn of(facts: &Facts, subject: &Subject<'_>, log: Option<&AccountLog>) -> Self {
        let calls = &subject.deeds.unmapped;
        let mut unmapped = Self {
            of_many: calls.first().filter(|_| calls.may_lack_some()),
            ..Self::default()
        };
        let all_services: BTreeSet<&str> = facts.services().into_iter().collect();
        for (source, names) in calls.by_source() {
            let services = facts.services_of(source);
            let alike = services_in(source, &all_services);
            if let Some(name) = names.first().filter(|_| services.is_empty() && !alike.is_empty()) {
                unmapped.of_known_sources.push((alike, format!("{source}:{name}")));
            }
            for name in names {
                let call = format!("{source}:{name}");
                if !services.is_empty() {
                    unmapped.of_known_sources.push((services, call));
                    break;
                }
                unmapped.add_of_other_source(facts, name, call);
            }
        }
        if unmapped.of_other_source.is_some() {
            let homes = homes(facts, subject, log);
            unmapped.homeless = all_services;
            unmapped.homeless.retain(|service| !homes.contains(service));
        }
        unmapped
    }

    fn add_of_other_source(&mut self, facts: &Facts, name: &str, call: String) {
        for id in facts.actions_named(name) {
            let named = self.named.entry(facts.name(id));
            named.or_insert_with(|| call.clone());
        }
        self.of_other_source.get_or_insert(call);
    }

    /// Why silence proves nothing about an action of a statement. A call of an unknown event source may have gone through any
    /// statement that names no service.
    pub(super) fn doubt(&self, trace: &Trace, statement: &Statement) -> Option<Reason> {
        let mut of_known = self.of_known_sources.iter();
        let of_service = of_known.find(|(services, _)| services.contains(&trace.service));
        let other = || {
            let other = self.of_other_source.as_ref()?;
            let is_meant = self.homeless.contains(trace.service) || names_no_service(statement);
            self.named.get(trace.action).or_else(|| is_meant.then_some(other))
        };
        let call = of_service.map(|(_, call)| call).or_else(other);
        call.or(self.of_many.as_ref()).cloned().map(Reason::UnmappedCall)
    }
}

/// Services whose prefixes are words of an event source, as `lex` of `models-v2-lex.amazonaws.com`.
fn services_in(event_source: &str, all: &BTreeSet<&'static str>) -> Vec<&'static str> {
    let words = event_source.split(['.', '-']);
    words.filter_map(|word| all.get(word).copied()).collect()
}

/// Services that have an event source for all that is known: the facts list it, or calls show it, of the principal or of
/// others of its account.
fn homes<'f>(facts: &'f Facts, subject: &Subject<'_>, log: Option<&AccountLog>) -> BTreeSet<&'f str> {
    let sources = log.into_iter().flat_map(|log| &log.sources);
    let of_account = sources.flat_map(|source| facts.services_of(source));
    let uses = subject.deeds.actions.keys().filter_map(|action| facts.find(action));
    let own = uses.filter_map(|id| facts.action(id)?.service());
    let listed = facts.services_of_listed_sources().into_iter();
    listed.chain(of_account).chain(own).collect()
}

fn names_no_service(statement: &Statement) -> bool {
    match &statement.actions {
        Scope::AllBut(_) => true,
        Scope::Only(patterns) => patterns.texts().any(|pattern| {
            let service = pattern.split(':').next().unwrap_or_default();
            service.contains(['*', '?'])
        }),
    }
}
