//! Of whom nothing can be proven for what the logs of the account lack.

use super::PrincipalDiff;
use super::Verdict;
use super::reason::Reason;
use crate::iam::arn::is_service_linked;
use crate::policy::account_log::Stream;

impl PrincipalDiff<'_> {
    /// Why nothing of it can be proven unused, if that is for what the logs of its account lack. One of whom some permission
    /// is proven unused is not meant, nor a role that belongs to a service, nor what the allow-list keeps.
    pub fn lack_of_logs(&self) -> Option<&Reason> {
        let granted = || self.rows.iter().filter(|row| row.policy.is_some());
        if is_service_linked(&self.subject.key.arn) || granted().any(|row| row.verdict == Verdict::Unused) {
            return None;
        }
        let mut open = granted().filter(|row| row.kept.is_none());
        open.find_map(|row| match &row.verdict {
            Verdict::Unknown(reason) => Some(reason).filter(|reason| is_of_logs(reason)),
            _ => None,
        })
    }
}

/// Whether the logs of the account lack what would show uses of whatever: management events, or those of a region. Data events
/// and single sources are often left out on purpose, and concern few permissions.
fn is_of_logs(reason: &Reason) -> bool {
    match reason {
        Reason::GrantsUnseen(_)
        | Reason::CopiesOfExcerpts
        | Reason::GlobalServicesNotRecorded(_)
        | Reason::ManagementEventsNotRecorded { .. }
        | Reason::RegionCoverage { .. } => true,
        Reason::NotSelected { resource_types, .. } => resource_types.is_empty(),
        Reason::RecordedRecently { stream, .. } | Reason::RecordingEnded { stream, .. } => {
            matches!(stream, Stream::Management { .. })
        }
        _ => false,
    }
}
