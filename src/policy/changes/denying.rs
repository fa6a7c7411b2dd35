//! Whether documents deny something, so that their end may be the begin of a permission.

use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::managed_policy;
use crate::policy::estate::Member;

/// Whether a policy that someone no longer has may have denied something.
pub(super) fn may_deny(member: &Member<'_>, arn: &str) -> bool {
    if let Some(policy) = member.managed_policy(arn) {
        return !allows_only(policy.document.as_ref().ok());
    }
    let document = managed_policy(arn).and_then(|policy| Document::parse(policy.document).ok());
    !allows_only(document.as_ref())
}

/// Whether a document is known as a whole and denies nothing.
pub(super) fn allows_only(document: Option<&Document>) -> bool {
    document.is_some_and(|document| {
        let mut statements = document.readable();
        document.is_complete() && statements.all(|(_, statement)| statement.effect == Effect::Allow)
    })
}
