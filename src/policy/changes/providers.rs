//! When identity providers were set up that a role trusts.

use super::GrantChanges;
use super::Target;
use crate::policy::estate::Member;

impl GrantChanges {
    /// The identity providers that were set up and that a role trusts.
    pub(super) fn trusted_providers(&self, member: &Member<'_>) -> Vec<Target> {
        let (Some(trust), Some(account)) = (member.trust(), self.account(member)) else {
            return Vec::new();
        };
        let trust = trust.text.to_lowercase();
        let trusted = account.keys().filter(|target| match target {
            Target::FirstReachOfProvider(provider) => trust.contains(&format!(":{provider}\"")),
            _ => false,
        });
        trusted.cloned().collect()
    }
}
