//! The statements that gather evidence for the diff (what was used, what the logs hold, who was granted what), for the
//! verification of digests and for the coverage of the logs.
//!
//! They are no questions of the library: their rows are for `analysis`, which makes findings of them.

/// One such statement; those with a window take `$since` and `$until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceQuery {
    /// First and last moment of the logs.
    Extent,
    /// Uses by principal and action, in a window.
    Uses,
    /// What stands behind the uses of the principals that `$principals` lists line by line, in a window; null is all.
    Traces,
    /// Who made calls, in a window.
    Callers,
    /// Calls that succeeded, in a window, of the principals that `$principals` lists line by line; null is all. `$parts`
    /// lists what is wanted of their context.
    Calls,
    /// Calls that were not denied, by principal, action and region, in a window.
    CallSums,
    /// What the logs of every account hold, in a window. `$has_excerpts` says whether EventBridge passed on some of it, or
    /// LookupEvents found it.
    Coverage,
    /// Accounts of which there are such events, in a window.
    Excerpts,
    /// Whether the ledger has objects with such events.
    ExcerptObjects,
    /// Regions from which objects of the logs were delivered, in a window.
    RecordedRegions,
    /// Objects of the logs that could not be read whole, or were gone.
    LostObjects,
    /// Accounts of which there are digests, around a window.
    DigestAccounts,
    /// Digests and logs of `$account`, around a window.
    DigestsAndLogs,
    /// Roles that were taken, and the Kubernetes service accounts that took them, in a window.
    Assumptions,
    /// Calls that assumed roles or tried to, in a window. `$parts` lists what is wanted of their context.
    AssumeCalls,
    /// Sources of the newest IAM snapshots.
    Snapshots,
    /// Sources of IAM snapshots since a moment that are not the newest.
    EarlierSnapshots,
    /// Calls that changed what principals may do, since a moment.
    Changes,
    /// Days of which regions may have been left out, in a window.
    PartialDays,
    /// Accounts and regions of which there are digests or logs.
    IntegrityGroups,
    /// Some digests of every account and region that were read from folders.
    IntegrityOrigins,
    /// Digests and logs of `$account` in `$region`.
    IntegrityObjects,
    /// How many objects without account or region gave events.
    IntegrityUnplaced,
    /// Events by account, region and hour, in a window.
    CoverageEvents,
    /// Logs and digests, without their content.
    CoverageObjects,
    /// Accounts that IAM snapshots or the organization list.
    CoverageAccounts,
    /// Calls that changed what trails record, before `$until`.
    CoverageChanges,
    /// Calls of users and roles by day, in a window.
    Activity,
    /// The newest names of sessions of roles, in a window.
    SessionNames,
}

impl EvidenceQuery {
    /// The text of the statement.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Extent => include_str!("../../queries/evidence/extent.sql"),
            Self::Uses => include_str!("../../queries/evidence/uses.sql"),
            Self::Traces => include_str!("../../queries/evidence/traces.sql"),
            Self::Callers => include_str!("../../queries/evidence/callers.sql"),
            Self::Calls => include_str!("../../queries/evidence/calls.sql"),
            Self::CallSums => include_str!("../../queries/evidence/call_sums.sql"),
            Self::Coverage => include_str!("../../queries/evidence/coverage.sql"),
            Self::Excerpts => include_str!("../../queries/evidence/excerpts.sql"),
            Self::ExcerptObjects => include_str!("../../queries/evidence/excerpt_objects.sql"),
            Self::RecordedRegions => include_str!("../../queries/evidence/recorded_regions.sql"),
            Self::LostObjects => include_str!("../../queries/evidence/lost_objects.sql"),
            Self::DigestAccounts => include_str!("../../queries/evidence/digest_accounts.sql"),
            Self::DigestsAndLogs => include_str!("../../queries/evidence/digests_and_logs.sql"),
            Self::Assumptions => include_str!("../../queries/evidence/assumptions.sql"),
            Self::AssumeCalls => include_str!("../../queries/evidence/assume_calls.sql"),
            Self::Changes => include_str!("../../queries/evidence/changes.sql"),
            Self::PartialDays => include_str!("../../queries/evidence/partial_days.sql"),
            Self::Snapshots => include_str!("../../queries/evidence/snapshots.sql"),
            Self::EarlierSnapshots => include_str!("../../queries/evidence/earlier_snapshots.sql"),
            Self::IntegrityGroups => include_str!("../../queries/evidence/integrity_groups.sql"),
            Self::IntegrityOrigins => include_str!("../../queries/evidence/integrity_origins.sql"),
            Self::IntegrityObjects => include_str!("../../queries/evidence/integrity_objects.sql"),
            Self::IntegrityUnplaced => include_str!("../../queries/evidence/integrity_unplaced.sql"),
            Self::CoverageEvents => include_str!("../../queries/evidence/coverage_events.sql"),
            Self::CoverageObjects => include_str!("../../queries/evidence/coverage_objects.sql"),
            Self::CoverageAccounts => include_str!("../../queries/evidence/coverage_accounts.sql"),
            Self::CoverageChanges => include_str!("../../queries/evidence/coverage_changes.sql"),
            Self::Activity => include_str!("../../queries/evidence/activity.sql"),
            Self::SessionNames => include_str!("../../queries/evidence/session_names.sql"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Confidence;

    #[test]
    fn uses_are_those_whose_mapping_leaves_no_doubt() {
        let names = ["conflict", "ambiguous", "unresolved"];
        assert!(names.iter().all(|name| !Confidence::named(name).unwrap().is_certain()));
        let others = [
            "stated",
            "exact",
            "single",
            "curated",
            "http-verb",
            "foreign",
            "data-set",
            "imported",
        ];
        assert!(others.iter().all(|name| Confidence::named(name).unwrap().is_certain()));
        let rule = "confidence not in ('conflict', 'ambiguous', 'unresolved')";
        for query in [EvidenceQuery::Uses, EvidenceQuery::Traces] {
            assert!(query.sql().contains(rule), "{query:?}");
        }
    }
}
