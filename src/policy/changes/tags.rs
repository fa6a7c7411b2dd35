//! Whether what a policy grants depends on tags of the caller.

use crate::policy::snapshot::Policy;

/// How the keys of such tags begin, in lower case.
const PRINCIPAL_TAG: &str = "aws:principaltag/";

/// Whether conditions or resources of a policy ask for tags of the caller.
pub(super) fn asks_for_tags(policy: &Policy) -> bool {
    policy.text.to_ascii_lowercase().contains(PRINCIPAL_TAG)
}
