//! Why an action that was used is not granted.

use std::fmt;

/// Why an action that was used is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotGranted {
    /// No statement allows it: a resource policy may, or the policies have changed.
    NoStatement,
    /// A statement denies it altogether.
    Denied,
    /// The boundary does not let it through.
    OutsideBoundary,
    /// The control policies of the organization do not let it through.
    OutsideOrganization,
    /// The snapshot does not know the principal.
    NotInSnapshot,
    /// The principal of this name in the snapshot is another one.
    OtherPrincipal,
}

impl fmt::Display for NotGranted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoStatement => "no policy of the principal allows it: a resource policy may, or it was taken away",
            Self::Denied => "a statement denies it altogether",
            Self::OutsideBoundary => "the permissions boundary does not allow it",
            Self::OutsideOrganization => "the control policies of the organization do not allow it",
            Self::NotInSnapshot => "the IAM snapshot does not know the principal",
            Self::OtherPrincipal => "the IAM snapshot has another principal of this name",
        })
    }
}
