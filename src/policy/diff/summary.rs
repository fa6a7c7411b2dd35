//! What the rows of a principal come to.

use std::collections::BTreeMap;

use super::Row;
use super::Verdict;
use super::reason::Reason;
use super::subject::Subject;
use crate::iam::arn::is_service_linked;
use crate::iam::document::Effect;
use crate::policy::snapshot::Policy;

/// The actions of one principal, each counted once: by what keeps it most, if several statements grant it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary<'s> {
    /// Actions that some call may succeed with, and names that the facts do not know.
    pub granted: usize,
    /// Granted and used.
    pub used: usize,
    /// Granted, tried and denied, and never used.
    pub denied: usize,
    /// Granted, and nothing can be said.
    pub unknown: usize,
    /// Granted and unused.
    pub unused: usize,
    /// Unused ones that can be taken away: all that are not kept on purpose, or none of a role that belongs to a service.
    pub removable: usize,
    /// Unused ones that the allow-list keeps.
    pub kept: usize,
    /// Removable ones by the harm that they can do.
    pub removable_harms: BTreeMap<&'static str, usize>,
    /// Removable ones that can do some harm.
    pub high_risk_removable: usize,
    /// Named by a statement, and denied altogether or outside of the boundary.
    pub blocked: usize,
    /// Used and not granted.
    pub used_not_granted: usize,
    /// Tried and denied, and not granted.
    pub denied_not_granted: usize,
    /// Policies that deny nothing, and of which every action is unused and none is kept on purpose, by id.
    pub unused_policies: Vec<&'s str>,
    /// Whether the principal did anything.
    pub activity: Activity,
    /// Why actions are unknown, with the number of them.
    pub unknown_reasons: BTreeMap<&'static str, usize>,
}

/// Whether a principal did anything in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Activity {
    /// There are calls.
    #[default]
    Active,
    /// There are none, and there would be.
    NeverUsed,
    /// There are none, and nothing can be said.
    Unknown(Reason),
}

impl<'s> Summary<'s> {
    pub(super) fn of(subject: &Subject<'_>, activity: Activity, rows: &[Row<'s>], blocked: usize) -> Self {
        let mut summary = Self {
            blocked,
            activity,
            ..Self::default()
        };
        let mut granted: BTreeMap<&str, &Row<'s>> = BTreeMap::new();
        let mut policies: BTreeMap<&'s str, bool> = BTreeMap::new();
        for row in rows {
            let Some(policy) = row.policy else {
                summary.count_other(row);
                continue;
            };
            let is_unused = policies.entry(&policy.id).or_insert_with(|| !denies(policy));
            *is_unused &= row.verdict == Verdict::Unused && row.kept.is_none();
            let kept = granted.entry(row.action).or_insert(row);
            if rank(&row.verdict) < rank(&kept.verdict) {
                *kept = row;
            }
        }
        let is_editable = !is_service_linked(&subject.key.arn);
        granted.into_values().for_each(|row| summary.count(row, is_editable));
        let unused = policies.into_iter().filter(|(_, is_unused)| *is_unused);
        summary.unused_policies = unused.map(|(id, _)| id).collect();
        summary
    }

    /// Share of the granted actions that can be taken away, unknown ones kept; `None` if nothing is granted.
    pub fn reduction(&self) -> Option<f64> {
        share(self.removable, self.granted)
    }

    fn count(&mut self, row: &Row<'_>, is_editable: bool) {
        self.granted += 1;
        match &row.verdict {
            Verdict::Used => self.used += 1,
            Verdict::DeniedAttempt => self.denied += 1,
            Verdict::Unknown(reason) => {
                self.unknown += 1;
                *self.unknown_reasons.entry(reason.name()).or_default() += 1;
            }
            Verdict::Unused => {
                self.unused += 1;
                match row.kept {
                    Some(_) => self.kept += 1,
                    None if is_editable => self.count_removable(row),
                    None => {}
                }
            }
            Verdict::UsedNotGranted(_) => {}
        }
    }

    fn count_removable(&mut self, row: &Row<'_>) {
        self.removable += 1;
        self.high_risk_removable += usize::from(!row.harms.is_empty());
        for harm in &row.harms {
            *self.removable_harms.entry(harm).or_default() += 1;
        }
    }

    fn count_other(&mut self, row: &Row<'_>) {
        match &row.verdict {
            Verdict::UsedNotGranted(_) => self.used_not_granted += 1,
            Verdict::DeniedAttempt => self.denied_not_granted += 1,
            Verdict::Unknown(reason) => *self.unknown_reasons.entry(reason.name()).or_default() += 1,
            Verdict::Used | Verdict::Unused => {}
        }
    }
}

impl Activity {
    /// Name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeverUsed => "never-used",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Whether a policy denies something, which it would no longer do once it is taken away, or may.
fn denies(policy: &Policy) -> bool {
    let Ok(document) = &policy.document else { return true };
    let mut readable = document.readable();
    document.unreadable().next().is_some() || readable.any(|(_, statement)| statement.effect == Effect::Deny)
}

/// Share of granted actions that can be taken away; `None` if nothing is granted.
pub(super) fn share(removable: usize, granted: usize) -> Option<f64> {
    let number = |count: usize| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
    (granted > 0).then(|| number(removable) / number(granted))
}

/// What keeps an action comes first.
pub(super) fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Used | Verdict::UsedNotGranted(_) => 0,
        Verdict::Unknown(_) => 1,
        Verdict::DeniedAttempt => 2,
        Verdict::Unused => 3,
    }
}
