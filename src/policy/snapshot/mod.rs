//! IAM snapshots: who and what was there at a moment, read from the files that people have.
//!
//! Nothing is guessed and nothing dropped. A member that is not known is noted. What cannot be read is a gap, and the
//! principals that it may concern carry it: their permissions are unknown, never smaller. Where the bytes come from and
//! where the rows go is left to others.

mod account;
mod collected;
mod credentials;
mod link;
mod members;
mod model;
mod organization;
mod read;

pub use collected::CollectedFile;
pub use collected::collected_place;
pub use collected::is_collected_iam;
pub use collected::read_collected;
pub use collected::read_collected_content;
pub use model::Attachment;
pub use model::AttachmentKind;
pub use model::Credential;
pub use model::CredentialKind;
pub use model::Format;
pub use model::NodeKind;
pub use model::OrganizationNode;
pub use model::Origin;
pub use model::Policy;
pub use model::PolicyKind;
pub use model::Principal;
pub use model::PrincipalKind;
pub use model::Problem;
pub use model::Severity;
pub use model::Snapshot;
pub use read::SnapshotError;
pub use read::joined_pages;
pub use read::read;
