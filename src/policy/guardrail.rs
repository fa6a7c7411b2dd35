//! Guardrails out of evidence: a control policy that holds an organization to the regions in use, one that denies services
//! which nobody uses, and a permissions boundary around what some principals need.
//!
//! What is not certainly unused stays allowed. A replay of all past calls is the proof; it is left to the caller.

mod boundary;
mod region;
mod service;

pub use boundary::Boundary;
pub use boundary::boundary;
pub use region::RegionUse;
pub use region::RegionUses;
pub use region::region_policy;
pub use service::ServiceUses;
pub use service::UnusedServices;
pub use service::service_policies;

use super::trim::policy_characters;
use crate::iam::arn::is_service_linked;
use crate::iam::document::Document;

/// Characters of a service control policy: Organizations user guide, "Quotas". White space counts, unless the console
/// takes it out.
pub const CONTROL_POLICY_CHARACTERS: usize = 5_120;

/// Control policies of one node.
const CONTROL_POLICIES: usize = 5;

/// Characters of a managed policy, which a boundary is, without white space: IAM user guide, "IAM and AWS STS quotas".
pub const MANAGED_POLICY_CHARACTERS: usize = 6_144;

/// A call that was made in the window, with others like it.
#[derive(Debug, Clone, Copy)]
pub struct CallSum<'c> {
    /// Who made the calls.
    pub principal_arn: &'c str,
    /// `eventSource`.
    pub event_source: &'c str,
    /// What they needed; `None` if that is not known.
    pub action: Option<&'c str>,
    /// `awsRegion`.
    pub region: Option<&'c str>,
    /// Whether they succeeded; else they failed for another reason than a lack of permission, or may not have been
    /// authorised calls.
    pub is_success: bool,
    /// Whether a service took the principal, which is a role.
    pub is_taking: bool,
    /// Whether these are calls that invoked models of Bedrock through inference profiles, which other rows count, too.
    pub is_routed: bool,
    /// How many.
    pub calls: u64,
    /// The last: microseconds since 1970-01-01T00:00:00Z.
    pub last_seen: i64,
}

/// Whether control policies have a say in what a principal does: not in what roles of AWS services do.
fn is_bound(principal_arn: &str) -> bool {
    !is_service_linked(principal_arn)
}

/// Whether a document is as short as it must be, without white space.
fn fits(document: &Document, limit: usize) -> bool {
    policy_characters(document) <= limit
}

#[cfg(test)]
mod tests;
