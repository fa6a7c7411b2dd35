//! What a call means in IAM terms. Pure; unknown is an answer, never an error.

mod passed_roles;

pub use passed_roles::PassedRolePath;
pub use passed_roles::PathStep;
pub use passed_roles::passed_role_arn;
pub use passed_roles::passed_role_paths;
pub use passed_roles::without_version_suffix;
