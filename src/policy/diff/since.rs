//! Since when the statements of one principal count.

use crate::policy::dates::usable_window;
use crate::policy::estate::Member;
use crate::policy::estate::PolicyUse;
use crate::policy::grant::Grant;
use crate::policy::usage::Usage;

/// The changes that bear on one principal.
#[derive(Debug)]
pub(super) struct Since<'u, 'a> {
    usage: &'u Usage,
    member: &'u Member<'a>,
    /// The last change of something that bears on all that it may do.
    whole: Option<i64>,
}

impl<'u, 'a> Since<'u, 'a> {
    pub(super) fn new(usage: &'u Usage, member: &'u Member<'a>, first_seen: Option<i64>) -> Self {
        Self {
            usage,
            member,
            whole: usage.changes.of_principal(member, first_seen),
        }
    }

    /// When a statement came into force, if that was inside or after the window.
    pub(super) fn of(&self, grant: &Grant<'_>) -> Option<i64> {
        let since = self.usage.changes.of_grant(self.member, grant).max(self.whole);
        let since = since.max(Some(usable_window(grant.statement).since));
        since.filter(|since| *since > self.usage.window.since)
    }

    /// When its policy was changed after the snapshot, which shows the one of before.
    pub(super) fn outdating(&self, grant: &Grant<'a>) -> Option<i64> {
        let used = PolicyUse {
            policy: grant.policy,
            group: grant.group,
        };
        self.usage.changes.outdating(self.member, &used)
    }
}
