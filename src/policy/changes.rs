//! When grants came into force inside the window, as IAM's own calls in the logs and the dates of a snapshot tell.
//!
//! Only what is on record counts: a change that neither the logs nor snapshots show is not known. A document that was put
//! again with the same text counts as changed. Whatever may have lifted a `Deny` or a boundary concerns all that the
//! principal may do.

mod denying;
mod history;
mod providers;
mod tags;
mod taking;
mod target;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::account_log::Extent;
use super::estate::Member;
use super::estate::PolicyUse;
use super::estate::TakenSnapshot;
use super::grant::Grant;
use super::snapshot::Origin;
use super::snapshot::Policy;
use super::snapshot::PolicyKind;
use super::snapshot::Principal;
use super::snapshot::PrincipalKind;
use super::window::Window;
use crate::iam::arn::account_of_arn;
use crate::iam::document::Statement;
use denying::allows_only;
use denying::may_deny;
use history::History;
use tags::asks_for_mfa;
use tags::asks_for_tags;
use taking::begins_late;
use target::Holder;
use target::Target;
use target::target;

/// A call that changed what someone may do, as the log has it; `None` where the record does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantChange {
    /// Account whose log it is.
    pub account_id: String,
    /// Name of the event, as `PutRolePolicy`.
    pub call: String,
    /// Role whose permissions it changed, or which it handed over; the instance profile of `PassInstanceProfile`.
    pub role: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Group.
    pub group: Option<String>,
    /// Name of the inline policy.
    pub policy_name: Option<String>,
    /// ARN of the managed policy; of an identity provider the part of it behind the account.
    pub policy_arn: Option<String>,
    /// When; the last time of several.
    pub at: i64,
    /// When first.
    pub first_at: i64,
}

/// The first and the last change of everything that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantChanges {
    accounts: BTreeMap<String, BTreeMap<Target, Extent>>,
    history: History,
}

impl GrantChanges {
    /// Adds a call that succeeded; others than those that change permissions count for nothing.
    pub fn note(&mut self, change: &GrantChange) {
        let Some(target) = target(change) else { return };
        let account = self.accounts.entry(change.account_id.clone()).or_default();
        let own = Extent {
            first: change.first_at,
            last: change.at,
        };
        let known = account.entry(target).or_insert(own);
        known.first = known.first.min(own.first);
        known.last = known.last.max(own.last);
    }

    /// Adds snapshots of one moment that are older than those of the principals that are asked for.
    pub fn note_snapshots(&mut self, snapshots: &[TakenSnapshot]) {
        self.history.note(snapshots);
    }

    /// Adds the days of a window on which services, tokens and certificates took a role, with the first such moment: after a
    /// long silence someone may just have set up the way to it.
    pub fn note_takings(&mut self, role_arn: &str, (first, days): (i64, &BTreeSet<i64>), window: Window) {
        let (Some(account), Some(name)) = (account_of_arn(role_arn), role_arn.rsplit('/').next()) else {
            return;
        };
        if begins_late(days, window) {
            let target = Target::Taken((PrincipalKind::Role, name.to_lowercase()));
            self.accounts
                .entry(account.to_owned())
                .or_default()
                .insert(target, Extent { first, last: first });
        }
    }

    /// The last moment at which something changed that may bear on all permissions of a principal. One that was seen before
    /// it got a key, a password, an instance or a pod could act before.
    pub(super) fn of_principal(&self, member: &Member<'_>, first_seen: Option<i64>) -> Option<i64> {
        let own = holder(member.principal);
        let groups = member.groups();
        let holders = || std::iter::once(own.clone()).chain(groups.iter().map(|group| holder(group)));
        let whole = holders().map(|holder| self.last(member, &Target::Holder(holder)));
        let detached = holders().map(|holder| self.detached(member, &holder));
        let boundaries = member.boundaries();
        let boundaries = boundaries
            .iter()
            .map(|boundary| self.of_document(member, boundary, &own));
        // A document that denies may have denied more before.
        let uses = member.policies();
        let denying = uses
            .iter()
            .filter(|used| !allows_only(used.policy.document.as_ref().ok()));
        let denying = denying.map(|used| {
            let group = used.group.and_then(|arn| groups.iter().find(|group| group.arn == arn));
            self.of_document(
                member,
                used.policy,
                &group.map_or_else(|| own.clone(), |group| holder(group)),
            )
        });
        let reach = self.last(member, &Target::Reach(own.clone()));
        let first_reach = self.first_reach(member, &own, first_seen);
        let denies_by = |asks: fn(&Policy) -> bool| {
            let mut policies = uses.iter().map(|used| used.policy);
            policies.any(|policy| asks(policy) && !allows_only(policy.document.as_ref().ok()))
        };
        let tags = self
            .last(member, &Target::Tags(own.clone()))
            .filter(|_| denies_by(asks_for_tags));
        let mfa = self
            .last(member, &Target::Mfa(own.clone()))
            .filter(|_| denies_by(asks_for_mfa));
        let anything = [self.last(member, &Target::Anything), reach, first_reach, tags, mfa];
        let lifted = whole.chain(detached).chain(boundaries).chain(denying);
        let changed = anything.into_iter().chain(lifted).flatten().max();
        changed.max(self.history.limit_went(member))
    }

    /// The last moment at which a statement may have come into force for a principal.
    pub(super) fn of_grant(&self, member: &Member<'_>, grant: &Grant<'_>) -> Option<i64> {
        let groups = member.groups();
        let group = grant
            .group
            .and_then(|arn| groups.iter().find(|group| group.arn == arn).copied());
        let holder = holder(group.unwrap_or(member.principal));
        let attached = Target::Attached(holder.clone(), grant.policy.id.clone());
        let tags = Target::Tags(self::holder(member.principal));
        let tags = self.last(member, &tags).filter(|_| asks_for_tags(grant.policy));
        let mfa = self.last(member, &Target::Mfa(self::holder(member.principal)));
        let joined = group.and_then(|group| {
            let user = member.principal.name.to_lowercase();
            let joined = self.last(member, &Target::Membership(user, group.name.to_lowercase()));
            joined.max(group.created_at)
        });
        let brought = self
            .of_document(member, grant.policy, &holder)
            .max(self.last(member, &attached))
            .max(joined);
        brought
            .max(tags)
            .max(mfa.filter(|_| asks_for_mfa(grant.policy)))
            .max(self.history.grant_came(member, grant.statement, brought))
    }

    /// The last moment after the snapshot at which a policy was changed that counts for a principal, or who has it.
    pub(super) fn outdating(&self, member: &Member<'_>, used: &PolicyUse<'_>) -> Option<i64> {
        let policy = used.policy;
        let groups = member.groups();
        let group = used.group.and_then(|arn| groups.iter().find(|group| group.arn == arn));
        let holder = holder(group.copied().unwrap_or(member.principal));
        let name = policy.name.to_lowercase();
        let is_managed = policy.kind == PolicyKind::Managed;
        self.last_after(member, |target, at| match target {
            Target::Anything => true,
            Target::AnyManagedPolicy => is_managed,
            Target::Holder(changed) => *changed == holder,
            Target::Inline(changed, put) => policy.kind == PolicyKind::Inline && *changed == holder && *put == name,
            Target::Attached(_, arn) => is_managed && *arn == policy.id,
            Target::Detached(from, arn) => *from == holder && *arn == policy.id,
            Target::Membership(_, joined) => group.is_some() && *joined == holder.1,
            // The version in force may be younger than the time that the user told.
            Target::Document(arn) => *arn == policy.id && policy.created_at.is_none_or(|made| at > made),
            _ => false,
        })
    }

    /// The last moment after the snapshot at which something changed in what a principal may do.
    pub(super) fn outdating_all(&self, member: &Member<'_>) -> Option<i64> {
        let own = holder(member.principal);
        let groups = member.groups();
        let is_holder = |changed: &Holder| *changed == own || groups.iter().any(|group| *changed == holder(group));
        let of_policies = member
            .policies()
            .iter()
            .filter_map(|used| self.outdating(member, used))
            .max();
        let others = self.last_after(member, |target, _| match target {
            Target::Inline(changed, _) | Target::Attached(changed, _) | Target::Holder(changed) => is_holder(changed),
            Target::Membership(user, _) => own == (PrincipalKind::User, user.clone()),
            _ => false,
        });
        of_policies.max(others)
    }

    /// The last moment at which it changed who may assume a role, as far as that concerns a statement of its trust policy.
    pub(super) fn of_trust(&self, member: &Member<'_>, statement: &Statement) -> Option<i64> {
        let own = holder(member.principal);
        let whole = self.last(member, &Target::Holder(own.clone()));
        let put = self
            .last(member, &Target::Reach(own))
            .max(self.last(member, &Target::Anything));
        whole.max(put).max(self.history.trust_came(member, statement, put))
    }

    /// The last moment after the snapshot at which it changed who may assume a role.
    pub(super) fn outdating_trust(&self, member: &Member<'_>) -> Option<i64> {
        let own = holder(member.principal);
        self.last_after(member, |target, _| match target {
            Target::Anything => true,
            Target::Holder(changed) | Target::Reach(changed) => *changed == own,
            _ => false,
        })
    }

    fn last_after(&self, member: &Member<'_>, is_meant: impl Fn(&Target, i64) -> bool) -> Option<i64> {
        let changes = self
            .account(member)?
            .iter()
            .map(|(target, extent)| (target, extent.last));
        let later = changes.filter(|(_, at)| *at > member.taken_at);
        later
            .filter(|(target, at)| is_meant(target, *at))
            .map(|(_, at)| at)
            .max()
    }

    /// The last moment at which the text of a policy that someone holds may have changed.
    fn of_document(&self, member: &Member<'_>, policy: &Policy, holder: &Holder) -> Option<i64> {
        let inline = Target::Inline(holder.clone(), policy.name.to_lowercase());
        match policy.kind {
            PolicyKind::Inline => self.last(member, &inline),
            _ => {
                let named = self.last(member, &Target::Document(policy.id.clone()));
                // The snapshot dates the version in force, so a record that names no policy is only about those without date.
                let is_undated = policy.created_at.is_none() && policy.origin == Origin::Snapshot;
                let unnamed = is_undated
                    .then(|| self.last(member, &Target::AnyManagedPolicy))
                    .flatten();
                policy.created_at.max(named).max(unnamed)
            }
        }
    }

    /// The last moment at which a policy was taken away that may have denied something.
    fn detached(&self, member: &Member<'_>, holder: &Holder) -> Option<i64> {
        let account = self.account(member)?;
        let first = Target::Detached(holder.clone(), String::new());
        let gone = account.range(first..).take_while(|(target, _)| match target {
            Target::Detached(from, _) => from == holder,
            _ => false,
        });
        let lifting = gone.filter(|(target, _)| match target {
            Target::Detached(_, arn) => may_deny(member, arn),
            _ => false,
        });
        lifting.map(|(_, extent)| extent.last).max()
    }

    /// The last moment at which someone may have been the first who could act as a principal. One that was seen between two
    /// such moments could act since the first of them; the second gave it another key.
    fn first_reach(&self, member: &Member<'_>, own: &Holder, first_seen: Option<i64>) -> Option<i64> {
        let profiles = member.principal.instance_profiles.iter();
        let profiles = profiles.filter_map(|arn| Some(arn.rsplit('/').next()?.to_lowercase()));
        let of_profiles = profiles.map(Target::FirstReachOfProfile);
        let targets = of_profiles.chain(self.trusted_providers(member));
        let targets = targets.chain([Target::FirstReach(own.clone())]);
        let given = targets.filter_map(|target| {
            let given = self.account(member)?.get(&target)?;
            match first_seen {
                Some(seen) if seen > given.last => Some(given.last),
                Some(seen) => (seen > given.first).then_some(given.first),
                None => Some(given.last),
            }
        });
        let given = given.max();
        // Whoever takes a role is seen by that.
        let taken = self.last(member, &Target::Taken(own.clone()));
        given.max(taken.filter(|at| first_seen.is_none_or(|seen| seen >= *at)))
    }

    fn last(&self, member: &Member<'_>, target: &Target) -> Option<i64> {
        Some(self.account(member)?.get(target)?.last)
    }

    fn account(&self, member: &Member<'_>) -> Option<&BTreeMap<Target, Extent>> {
        self.accounts.get(member.principal.account_id.as_deref()?)
    }
}

fn holder(principal: &Principal) -> Holder {
    (principal.kind, principal.name.to_lowercase())
}

#[cfg(test)]
mod tests;
