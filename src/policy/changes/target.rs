//! What a call changed in what someone may do.

use super::GrantChange;
use crate::policy::snapshot::PrincipalKind;

/// What a call changed. Names are in lower case, as IAM takes no two that differ only in that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
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
pub(super) type Holder = (PrincipalKind, String);

/// What a call changed; `None` if it changed no permissions.
pub(super) fn target(change: &GrantChange) -> Option<Target> {
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

/// A new way to act as someone that a call made; `None` if it made none.
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
        | "UpdateSigningCertificate" => reached(PrincipalKind::User, &change.user),
        "AddRoleToInstanceProfile" | "CreatePodIdentityAssociation" | "UpdatePodIdentityAssociation" | "PassRole" => {
            reached(PrincipalKind::Role, &change.role)
        }
        "PassInstanceProfile" => Some(Target::FirstReachOfProfile(change.role.as_ref()?.to_lowercase())),
        _ => None,
    }
}
