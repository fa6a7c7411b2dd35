//! Who may take roles, and who did: trust policies against the calls that assumed roles.
//!
//! A trust policy is looked at in parts: each principal of a statement that allows, and each of several values of a
//! condition. The calls that succeeded are decided with each part alone. A part that no call may have needed can go, if
//! the logs would have shown such a call; without it, the policy means less than before and lets all past calls through.
//! Statements that deny did not hit a call that succeeded; they are never looked at and always stay.

mod call;
mod caller;
mod chain;
mod log;
mod part;
mod proof;
mod remark;
mod report;
mod trimmed;

pub use call::AssumeCall;
pub use call::AssumeParameters;
pub use caller::Caller;
pub use caller::CallerKind;
pub use caller::Neighbourhood;
pub use chain::Chain;
pub use log::AskedOfCalls;
pub use log::CallerUse;
pub use log::TrustLog;
pub use part::PartKind;
pub use proof::TrustProof;
pub use proof::TrustTotals;
pub use remark::Remark;
pub use remark::RemarkKind;
pub use report::PartReport;
pub use report::PartVerdict;
pub use report::RoleTrust;
pub use report::TrustReport;
pub use trimmed::RemovedPart;
pub use trimmed::TrimmedTrust;

#[cfg(test)]
mod tests;
