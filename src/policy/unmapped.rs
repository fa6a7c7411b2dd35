//! Calls of a principal that map to no action.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Event sources that are kept of a principal, and names of operations that are kept of each: logs choose both.
const KEPT: usize = 100;

/// Names of operations by event source: of too many, the first in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnmappedCalls {
    names: BTreeMap<String, BTreeSet<String>>,
}

impl UnmappedCalls {
    /// Adds a call.
    pub fn add(&mut self, event_source: &str, event_name: &str) {
        let names = self.names.entry(event_source.to_owned()).or_default();
        names.insert(event_name.to_owned());
        if names.len() > KEPT {
            names.pop_last();
        }
        if self.names.len() > KEPT {
            self.names.pop_last();
        }
    }

    /// Adds the calls that other logs show.
    pub fn extend(&mut self, other: &Self) {
        for (source, names) in other.by_source() {
            names.iter().for_each(|name| self.add(source, name));
        }
    }

    /// Event sources with the names of their operations, both in order.
    pub fn by_source(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.names.iter().map(|(source, names)| (source.as_str(), names))
    }

    /// The first call, as `mpa.amazonaws.com:CreateApprovalTeam`; `None` if there is none.
    pub fn first(&self) -> Option<String> {
        let (source, names) = self.names.first_key_value()?;
        Some(format!("{source}:{}", names.first()?))
    }

    /// Whether there may have been others than those that are kept.
    pub fn may_lack_some(&self) -> bool {
        self.names.len() >= KEPT || self.names.values().any(|names| names.len() >= KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_calls_that_are_kept_is_bounded_and_does_not_depend_on_their_order() {
        let names: Vec<String> = (0..1_000).map(|number| format!("Call{number:04}")).collect();
        let kept = |names: &mut dyn Iterator<Item = &String>| {
            let mut calls = UnmappedCalls::default();
            for name in names {
                calls.add("one.amazonaws.com", name);
                calls.add(name, "Call");
            }
            calls
        };
        let calls = kept(&mut names.iter());
        assert_eq!(calls, kept(&mut names.iter().rev()));
        assert!(calls.may_lack_some());
        assert_eq!(calls.by_source().count(), KEPT);
        let few = kept(&mut names.iter().take(3));
        assert!(!few.may_lack_some());
        assert_eq!(few.first().as_deref(), Some("Call0000:Call"));
    }
}
