//! What principals may do: IAM snapshots, and what their policies grant. Pure: the same inputs give the same bytes.

mod estate;
mod grant;
pub mod snapshot;
mod trim;

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
