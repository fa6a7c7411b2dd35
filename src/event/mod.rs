//! The CloudTrail record: who made a call, with which credentials, where it was served, and when.
//!
//! Pure functions over the text of record fields. How the fields are found in JSON is left to `decode`; what a call means
//! in IAM is left to `iam`.

mod base64;
mod identity;
mod region;
mod time;

pub use base64::decode as decode_base64;
pub use identity::CredentialKind;
pub use identity::Principal;
pub use identity::PrincipalKind;
pub use identity::UserIdentity;
pub use identity::credential_kind;
pub use identity::principal;
pub use region::GLOBAL_REGION;
pub use region::is_global_service;
pub use region::only_home;
pub use region::second_home;
pub use time::EventTime;
pub use time::format_canonical;
pub use time::parse_event_time;
