//! Whether what a policy grants depends on tags of the caller, or on an MFA device.

use crate::policy::snapshot::Policy;

/// How the keys of such tags begin, in lower case.
const PRINCIPAL_TAG: &str = "aws:principaltag/";

/// How the keys about MFA begin, in lower case.
const MFA: &str = "aws:multifactorauth";

/// Whether conditions or resources of a policy ask for tags of the caller.
pub(super) fn asks_for_tags(policy: &Policy) -> bool {
    policy.text.to_ascii_lowercase().contains(PRINCIPAL_TAG)
}

/// Whether conditions of a policy ask for an MFA device.
pub(super) fn asks_for_mfa(policy: &Policy) -> bool {
    policy.text.to_ascii_lowercase().contains(MFA)
}
