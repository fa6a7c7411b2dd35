//! Which managed policies users, groups and roles have, and which a proposal gives them and takes from them.

use std::collections::BTreeSet;

use super::Change;
use super::Place;
use super::ProposedPolicy;
use crate::policy::diff::Subject;
use crate::policy::snapshot::Policy;
use crate::policy::snapshot::PolicyKind;

/// The users, groups and roles that have a managed policy attached.
pub(super) fn targets(holders: &[&Subject<'_>], policy_id: &str) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for holder in holders {
        for used in holder.member.iter().flat_map(|member| member.policies()) {
            if used.policy.id == policy_id {
                targets.insert(used.group.unwrap_or(&holder.key.arn).to_owned());
            }
        }
    }
    targets
}

/// How many managed policies are to be attached to a user, group or role for others that were looked at before, and how many
/// go for them.
pub(super) fn added(policies: &[ProposedPolicy<'_>], target: &str) -> (usize, usize) {
    let is_there = |it: &&ProposedPolicy<'_>| matches!(&it.place, Place::NewManaged(targets) if targets.iter().any(|it| it == target));
    let own = || policies.iter().filter(is_there);
    let more = own().filter(|it| it.change == Change::Create).count();
    let gone = own()
        .flat_map(|it| &it.present)
        .filter(|it| it.kind == PolicyKind::AwsManaged);
    let gone: BTreeSet<&str> = gone.map(|policy| policy.id.as_str()).collect();
    (more, gone.len())
}

/// How many managed policies a user, group or role has.
pub(super) fn attached(holders: &[&Subject<'_>], target: &str) -> usize {
    let is_managed = |policy: &Policy| matches!(policy.kind, PolicyKind::Managed | PolicyKind::AwsManaged);
    let counts = holders.iter().map(|holder| {
        let policies = holder.member.iter().flat_map(|member| member.policies());
        let own = policies.filter(|used| used.group.unwrap_or(&holder.key.arn) == target && is_managed(used.policy));
        own.count()
    });
    counts.max().unwrap_or_default()
}
