//! Proposed policies as JSON, Terraform, CloudFormation, CDK, and as differences from the present ones.
//!
//! Names in policies come from logs and snapshots, where attackers choose some of them. In every format they are data: no
//! interpolation, no dynamic reference, no token, no comment that ends early, no path.

mod cdk;
mod cloudformation;
mod files;
mod json;
mod literal;
mod names;
mod rationale;
mod terraform;
mod unified;

pub use files::PolicyFile;
pub use files::PolicyFiles;
pub use files::PolicyFormat;
pub use files::PolicyFrame;
pub use files::PolicyText;
pub use files::Written;
pub use files::policy_text;

pub(super) use json::pretty;
pub(super) use names::Names;
pub(super) use names::file_part;
