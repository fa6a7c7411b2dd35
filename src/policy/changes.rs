//! When grants came into force inside the window, as IAM's own calls in the logs and the dates of a snapshot tell.
//!
//! Only what is on record counts: a change that neither the logs nor the snapshot show is not known. A document that was put
//! again with the same text counts as changed. Whatever may have lifted a `Deny` or a boundary concerns all that the
//! principal may do.

mod denying;
mod providers;
mod tags;
mod taking;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::estate::Member;
use super::estate::PolicyUse;
use super::grant::Grant;
use super::snapshot::Origin;
use super::snapshot::Policy;
use super::snapshot::PolicyKind;
use super::snapshot::Principal;
use super::snapshot::PrincipalKind;
use super::window::Window;
use crate::iam::arn::account_of_arn;
use denying::allows_only;
use denying::may_deny;
use tags::asks_for_mfa;
use tags::asks_for_tags;
use taking::begins_late;

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
    /// When.
    pub at: i64,
}

/// The last change of everything that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantChanges {
    accounts: BTreeMap<String, BTreeMap<Target, i64>>,
}

/// What a call changed. Names are in lower case, as IAM takes no two that differ only in that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// The record does not say what.
    Anything,
    /// The record does not say which managed policy.
    AnyManagedPolicy,
    /// All that a user, group or role may do.
    Holder(Holder),
    /// Who can act as a user or role: it may be the first who can.
    Reach(Holder),
    /// A new way to act as a user or role that nobody may have been able to act as before.
    FirstReach(Holder),
    /// The same of the roles of an instance profile.
    FirstReachOfProfile(String),
    /// The same of the roles that trust an identity provider, by the end of its ARN.
    FirstReachOfProvider(String),
    /// A user got an MFA device, which conditions may ask for.
    Mfa(Holder),
    /// A service, token or certificate took a role that none had taken for long.
    Taken(Holder),
    /// The tags of a user or role, which conditions may ask for.
    Tags(Holder),
    /// An inline policy.
    Inline(Holder, String),
    /// A managed policy was attached.
    Attached(Holder, String),
    /// A managed policy was taken away.
    Detached(Holder, String),
    /// A user came into a group: user and group.
    Membership(String, String),
    /// The document of a managed policy.
    Document(String),
}

/// Kind and name of a user, group or role.
type Holder = (PrincipalKind, String);

impl GrantChanges {
    /// Adds a call that succeeded; others than those that change permissions count for nothing.
    pub fn note(&mut self, change: &GrantChange) {
        let Some(target) = target(change) else { return };
        let account = self.accounts.entry(change.account_id.clone()).or_default();
        let last = account.entry(target).or_insert(change.at);
        *last = change.at.max(*last);
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
                .insert(target, first);
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
        anything
            .into_iter()
            .chain(whole)
            .chain(detached)
            .chain(boundaries)
            .chain(denying)
            .flatten()
            .max()
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
        self.of_document(member, grant.policy, &holder)
            .max(self.last(member, &attached))
            .max(joined)
            .max(tags)
            .max(mfa.filter(|_| asks_for_mfa(grant.policy)))
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

    /// The last moment at which it changed who may assume a role.
    pub(super) fn of_trust(&self, member: &Member<'_>) -> Option<i64> {
        let own = holder(member.principal);
        let targets = [Target::Anything, Target::Holder(own.clone()), Target::Reach(own)];
        targets.iter().filter_map(|target| self.last(member, target)).max()
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
        let later = self.account(member)?.iter().filter(|(_, at)| **at > member.taken_at);
        later
            .filter(|(target, at)| is_meant(target, **at))
            .map(|(_, at)| *at)
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
        lifting.map(|(_, at)| *at).max()
    }

    /// The last moment at which someone may have been the first who could act as a principal.
    fn first_reach(&self, member: &Member<'_>, own: &Holder, first_seen: Option<i64>) -> Option<i64> {
        let profiles = member.principal.instance_profiles.iter();
        let profiles = profiles.filter_map(|arn| Some(arn.rsplit('/').next()?.to_lowercase()));
        let of_profiles = profiles.filter_map(|name| self.last(member, &Target::FirstReachOfProfile(name)));
        let given = of_profiles
            .max()
            .max(self.first_reach_of_providers(member))
            .max(self.last(member, &Target::FirstReach(own.clone())));
        let given = given.filter(|at| first_seen.is_none_or(|seen| seen > *at));
        // Whoever takes a role is seen by that.
        let taken = self.last(member, &Target::Taken(own.clone()));
        given.max(taken.filter(|at| first_seen.is_none_or(|seen| seen >= *at)))
    }

    fn last(&self, member: &Member<'_>, target: &Target) -> Option<i64> {
        self.account(member)?.get(target).copied()
    }

    fn account(&self, member: &Member<'_>) -> Option<&BTreeMap<Target, i64>> {
        self.accounts.get(member.principal.account_id.as_deref()?)
    }
}

/// A new way to act as someone that a call made, or a device to do so with; `None` if it made none.
fn first_reach(change: &GrantChange) -> Option<Target> {
    let reached = |kind, name: &Option<String>| {
        let reached = name
            .as_ref()
            .map(|name| Target::FirstReach((kind, name.to_lowercase())));
        Some(reached.unwrap_or(Target::Anything))
    };
    match change.call.as_str() {
        "CreateAccessKey"
        | "UpdateAccessKey"
        | "CreateLoginProfile"
        | "UpdateLoginProfile"
        | "CreateServiceSpecificCredential"
        | "ResetServiceSpecificCredential"
        | "UpdateServiceSpecificCredential"
        | "UploadSigningCertificate"
        | "UpdateSigningCertificate"
        | "UploadSSHPublicKey"
        | "UpdateSSHPublicKey" => reached(PrincipalKind::User, &change.user),
        "AddRoleToInstanceProfile" | "CreatePodIdentityAssociation" | "UpdatePodIdentityAssociation" | "PassRole" => {
            reached(PrincipalKind::Role, &change.role)
        }
        "EnableMFADevice" => Some(Target::Mfa((PrincipalKind::User, change.user.as_ref()?.to_lowercase()))),
        "CreateOpenIDConnectProvider"
        | "AddClientIDToOpenIDConnectProvider"
        | "CreateSAMLProvider"
        | "UpdateSAMLProvider" => Some(Target::FirstReachOfProvider(change.policy_arn.as_ref()?.to_lowercase())),
        "PassInstanceProfile" => Some(Target::FirstReachOfProfile(change.role.as_ref()?.to_lowercase())),
        _ => None,
    }
}

/// What a call changed; `None` if it changed no permissions.
fn target(change: &GrantChange) -> Option<Target> {
    if let Some(reach) = first_reach(change) {
        return Some(reach);
    }
    let kinds = [
        ("Role", PrincipalKind::Role, &change.role),
        ("User", PrincipalKind::User, &change.user),
        ("Group", PrincipalKind::Group, &change.group),
    ];
    let split = |(word, kind, name): (&str, PrincipalKind, &Option<String>)| {
        let (verb, object) = change.call.split_once(word)?;
        Some((
            verb.to_owned(),
            object.to_owned(),
            name.as_ref().map(|name| (kind, name.to_lowercase())),
        ))
    };
    let Some((verb, object, holder)) = kinds.into_iter().find_map(split) else {
        let is_document =
            ["CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion"].contains(&change.call.as_str());
        let named = change
            .policy_arn
            .clone()
            .map_or(Target::AnyManagedPolicy, Target::Document);
        return is_document.then_some(named);
    };
    let arn = change.policy_arn.clone();
    let name = change.policy_name.as_ref().map(|name| name.to_lowercase());
    let group = change.group.as_ref().map(|group| group.to_lowercase());
    let target = match (verb.as_str(), object.as_str()) {
        ("Put", "Policy") => holder.zip(name).map(|(holder, name)| Target::Inline(holder, name)),
        ("Attach", "Policy") => holder.zip(arn).map(|(holder, arn)| Target::Attached(holder, arn)),
        ("Detach", "Policy") => holder.zip(arn).map(|(holder, arn)| Target::Detached(holder, arn)),
        ("Add", "ToGroup") => holder
            .zip(group)
            .map(|((_, user), group)| Target::Membership(user, group)),
        ("UpdateAssume", "Policy") => holder.map(Target::Reach),
        ("Tag" | "Untag", "") => holder.map(Target::Tags),
        ("Put" | "Delete", "PermissionsBoundary")
        | ("Delete", "Policy")
        | ("Remove", "FromGroup")
        | ("Create" | "Update", "") => holder.map(Target::Holder),
        _ => return None,
    };
    // A new group, or a new description of a role, grants nothing to anyone. What was done to a group under its old name is
    // not found under the new one, so that a new name counts.
    let grants_nothing = ["CreateGroup", "UpdateRole"].contains(&change.call.as_str());
    (!grants_nothing).then(|| target.unwrap_or(Target::Anything))
}

fn holder(principal: &Principal) -> Holder {
    (principal.kind, principal.name.to_lowercase())
}

#[cfg(test)]
mod tests;
