//! Which permissions of a principal are kept on purpose.

use std::collections::BTreeSet;

use crate::iam::ActionId;
use crate::iam::ActionSet;
use crate::iam::Facts;
use crate::policy::keep::Keep;
use crate::policy::keep::KeepList;
use crate::policy::usage::PrincipalKey;

/// The entries of an allow-list that still count.
#[derive(Debug, Default)]
pub(super) struct Kept<'a> {
    entries: Vec<(&'a Keep, ActionSet)>,
    matched: BTreeSet<usize>,
}

/// The entries about one principal.
#[derive(Debug)]
pub(super) struct KeptOfPrincipal<'k, 'a> {
    entries: Vec<&'k (&'a Keep, ActionSet)>,
    matched: &'k mut BTreeSet<usize>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(facts: &Facts, list: &'a KeepList, now: i64) -> Self {
        let counting = list.entries().iter().filter(|entry| !entry.pardon.is_expired(now));
        let expanded = counting.map(|entry| {
            let mut actions = facts.no_actions();
            entry
                .actions
                .iter()
                .for_each(|pattern| actions.extend(&facts.expand(pattern)));
            (entry, actions)
        });
        Self {
            entries: expanded.collect(),
            matched: BTreeSet::new(),
        }
    }

    pub(super) fn of(&mut self, key: &PrincipalKey) -> KeptOfPrincipal<'_, 'a> {
        KeptOfPrincipal {
            entries: self.entries.iter().filter(|(entry, _)| entry.concerns(key)).collect(),
            matched: &mut self.matched,
        }
    }

    /// Entries that were about nothing that any principal so far is granted.
    pub(super) fn idle(&self) -> Vec<&'a Keep> {
        let entries = self.entries.iter().map(|(entry, _)| *entry);
        entries.filter(|entry| !self.matched.contains(&entry.number)).collect()
    }
}

impl<'a> KeptOfPrincipal<'_, 'a> {
    /// The first entry about an action.
    pub(super) fn action(&mut self, id: ActionId) -> Option<&'a Keep> {
        self.first(|(_, actions)| actions.contains(id))
    }

    /// The first entry about a pattern that the facts do not know.
    pub(super) fn unknown(&mut self, pattern: &str) -> Option<&'a Keep> {
        self.first(|(entry, _)| entry.keeps(pattern))
    }

    /// The first entry that keeps the principal as a whole.
    pub(super) fn whole(&mut self) -> Option<&'a Keep> {
        self.first(|(entry, _)| entry.keeps_everything())
    }

    fn first(&mut self, is_about: impl Fn(&(&'a Keep, ActionSet)) -> bool) -> Option<&'a Keep> {
        let mut first = None;
        for entry in self.entries.iter().filter(|entry| is_about(entry)) {
            self.matched.insert(entry.0.number);
            first = first.or(Some(entry.0));
        }
        first
    }
}
