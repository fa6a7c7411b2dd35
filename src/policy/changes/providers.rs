//! When identity providers were set up that a role trusts.

use super::GrantChanges;
use super::Target;
use crate::policy::estate::Member;

impl GrantChanges {
    /// The last moment at which an identity provider was set up that a role trusts.
    pub(super) fn first_reach_of_providers(&self, member: &Member<'_>) -> Option<i64> {
        let trust = member.trust()?.text.to_lowercase();
        let account = self.account(member)?.iter();
        let trusted = account.filter(|(target, _)| match target {
            Target::FirstReachOfProvider(provider) => trust.contains(&format!(":{provider}\"")),
            _ => false,
        });
        trusted.map(|(_, at)| *at).max()
    }
}
