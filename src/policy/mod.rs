//! What principals may do and what they use: IAM snapshots, what their policies grant, and the difference to the logs.
//! Pure: the same inputs give the same bytes.

mod diff;
mod estate;
mod grant;
pub mod snapshot;
mod trim;
mod usage;

pub use diff::Absence;
pub use diff::Activity;
pub use diff::Differ;
pub use diff::NotGranted;
pub use diff::PrincipalDiff;
pub use diff::Reason;
pub use diff::Row;
pub use diff::Subject;
pub use diff::Summary;
pub use diff::Thresholds;
pub use diff::Verdict;
pub use diff::subjects;
pub use estate::Estate;
pub use estate::Member;
pub use estate::PolicyUse;
pub use estate::TakenSnapshot;
pub use grant::Expander;
pub use grant::Grant;
pub use grant::Permissions;
pub use grant::Prohibition;
pub use grant::Standing;
pub use trim::Trimmed;
pub use trim::TrimmedStatement;
pub use trim::policy_characters;
pub use trim::trim;
pub use usage::AccountLog;
pub use usage::ActionUse;
pub use usage::Coverage;
pub use usage::PrincipalKey;
pub use usage::PrincipalUse;
pub use usage::Recorded;
pub use usage::Usage;
pub use usage::Window;
