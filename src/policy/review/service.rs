//! What a principal is granted, service by service.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::iam::arn::is_service_linked;
use crate::policy::diff::PrincipalDiff;
use crate::policy::diff::Verdict;

/// Granted actions of one service, each counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceTally {
    /// Prefix of the actions; hostile text if no such service is known.
    pub service: String,
    /// Used.
    pub used: usize,
    /// Tried and denied, and never used.
    pub denied: usize,
    /// Of which nothing can be said.
    pub unknown: usize,
    /// Unused, and they stay.
    pub kept: usize,
    /// Unused, and they can be taken away.
    pub removable: usize,
}

impl ServiceTally {
    /// All granted actions.
    pub fn granted(&self) -> usize {
        self.used + self.denied + self.unknown + self.kept + self.removable
    }
}

/// Services of which something is used first, then those of which most is granted.
pub(super) fn services(diff: &PrincipalDiff<'_>) -> Vec<ServiceTally> {
    let is_editable = !is_service_linked(&diff.subject.key.arn);
    let mut services: BTreeMap<&str, ServiceTally> = BTreeMap::new();
    for (action, row) in diff.granted() {
        let service = action.split(':').next().unwrap_or(action);
        let tally = services.entry(service).or_insert_with(|| ServiceTally {
            service: service.to_owned(),
            ..ServiceTally::default()
        });
        match (&row.verdict, row.kept) {
            (Verdict::Used | Verdict::UsedNotGranted(_), _) => tally.used += 1,
            (Verdict::DeniedAttempt, _) => tally.denied += 1,
            (Verdict::Unknown(_), _) => tally.unknown += 1,
            (Verdict::Unused, None) if is_editable => tally.removable += 1,
            (Verdict::Unused, _) => tally.kept += 1,
        }
    }
    let mut services: Vec<ServiceTally> = services.into_values().collect();
    services.sort_by_key(|tally| (tally.used == 0, Reverse(tally.granted())));
    services
}
