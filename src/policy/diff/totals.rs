//! What the summaries of many principals come to.

use std::collections::BTreeMap;

use super::PrincipalDiff;
use super::summary::Activity;
use super::summary::share;

/// Sums over principals. An action counts once for each principal that is granted it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Users and roles.
    pub principals: usize,
    /// Of these, those with calls in the window.
    pub active: usize,
    /// Of these, those without, where there would be some.
    pub never_used: usize,
    /// Roles that were never used and can be taken away.
    pub removable_roles: usize,
    /// Granted actions.
    pub granted: usize,
    /// Granted and used.
    pub used: usize,
    /// Granted, tried and denied.
    pub denied: usize,
    /// Granted, and nothing can be said.
    pub unknown: usize,
    /// Granted and unused.
    pub unused: usize,
    /// Unused ones that can be taken away.
    pub removable: usize,
    /// Unused ones that the allow-list keeps.
    pub kept: usize,
    /// Removable ones that can do harm.
    pub high_risk_removable: usize,
    /// Removable ones by the harm that they can do.
    pub removable_harms: BTreeMap<&'static str, usize>,
    /// Used and not granted.
    pub used_not_granted: usize,
    /// Policies that deny nothing, and of which every action is unused.
    pub unused_policies: usize,
}

impl Totals {
    /// Adds a principal.
    pub fn add(&mut self, diff: &PrincipalDiff<'_>) {
        let summary = &diff.summary;
        self.principals += 1;
        match summary.activity {
            Activity::Active => self.active += 1,
            Activity::NeverUsed => self.never_used += 1,
            Activity::Unknown(_) => {}
        }
        self.removable_roles += usize::from(diff.is_removable_role());
        self.granted += summary.granted;
        self.used += summary.used;
        self.denied += summary.denied;
        self.unknown += summary.unknown;
        self.unused += summary.unused;
        self.removable += summary.removable;
        self.kept += summary.kept;
        self.high_risk_removable += summary.high_risk_removable;
        for (harm, count) in &summary.removable_harms {
            *self.removable_harms.entry(harm).or_default() += count;
        }
        self.used_not_granted += summary.used_not_granted;
        self.unused_policies += summary.unused_policies.len();
    }

    /// Share of the granted actions that can be taken away, unknown ones kept; `None` if nothing is granted.
    pub fn reduction(&self) -> Option<f64> {
        share(self.removable, self.granted)
    }
}
