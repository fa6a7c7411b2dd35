//! Who is behind a record: the role, user, root or service, with the session taken apart.
//!
//! Source of the shapes: CloudTrail `userIdentity` element,
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.

use std::borrow::Cow;

/// What stands in the place of a name that someone typed who is no user.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The fields of `userIdentity` that decide who the principal is; all as recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserIdentity<'a> {
    /// `type`.
    pub kind: Option<&'a str>,
    /// `principalId`.
    pub principal_id: Option<&'a str>,
    /// `arn`, with the session name for an assumed role.
    pub arn: Option<&'a str>,
    /// `accountId`.
    pub account_id: Option<&'a str>,
    /// `userName`.
    pub user_name: Option<&'a str>,
    /// `accessKeyId`.
    pub access_key_id: Option<&'a str>,
    /// `invokedBy`.
    pub invoked_by: Option<&'a str>,
    /// `sessionContext.sessionIssuer.arn`.
    pub session_issuer_arn: Option<&'a str>,
    /// `onBehalfOf.userId`.
    pub on_behalf_of_user_id: Option<&'a str>,
    /// Partition of the region in which the call was recorded, where it is known.
    pub partition: Option<&'a str>,
}

/// What kind of principal made a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// An IAM role, through a session.
    Role,
    /// An IAM user.
    User,
    /// The root user of an account.
    Root,
    /// An AWS service by itself.
    Service,
    /// Another account, without further detail.
    Account,
    /// A web identity or SAML user that has no AWS credentials yet.
    Federated,
    /// An IAM Identity Center user calling without a role.
    IdentityCenterUser,
    /// The record does not say.
    Unknown,
}

impl PrincipalKind {
    /// Value of the column `principal_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Root => "root",
            Self::Service => "service",
            Self::Account => "account",
            Self::Federated => "federated",
            Self::IdentityCenterUser => "identity-center-user",
            Self::Unknown => "unknown",
        }
    }
}

/// The principal of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal<'a> {
    /// ARN of the role (with its path where the record has it), user or root; the service name of a service; the
    /// principal id of a federated user.
    pub arn: Option<Cow<'a, str>>,
    /// What `arn` names.
    pub kind: PrincipalKind,
    /// Role session name.
    pub session_name: Option<&'a str>,
    /// Service that made the call on this principal's behalf (a forward access session).
    pub via_service: Option<&'a str>,
}

/// What kind of credentials signed a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// An access key of an IAM user or root (`AKIA…`).
    LongTerm,
    /// Session credentials (`ASIA…`).
    Temporary,
    /// A console session.
    Console,
    /// An AWS service's own credentials.
    Service,
    /// A token of an identity provider, before a role is assumed.
    Federated,
    /// Unsigned, or not recorded.
    None,
}

impl CredentialKind {
    /// Value of the column `credential_kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LongTerm => "long-term",
            Self::Temporary => "temporary",
            Self::Console => "console",
            Self::Service => "service",
            Self::Federated => "federated",
            Self::None => "none",
        }
    }
}

/// Finds the principal behind a `userIdentity`.
///
/// A role is named by `sessionIssuer.arn`, which keeps the role's path; without it the ARN is rebuilt from the
/// assumed-role ARN, which has lost the path. A user without an ARN is named by account and name, without the path.
pub fn principal<'a>(identity: &UserIdentity<'a>) -> Principal<'a> {
    let kind = principal_kind(identity);
    let via_service = identity.invoked_by.filter(|_| kind != PrincipalKind::Service);
    let arn = match kind {
        PrincipalKind::Role => role_arn(identity),
        PrincipalKind::User => session_issuer(identity)
            .or(identity.arn)
            .map(Cow::Borrowed)
            .or_else(|| named_user_arn(identity)),
        PrincipalKind::Root => identity.arn.map(Cow::Borrowed).or_else(|| account_root_arn(identity)),
        PrincipalKind::Service => identity.invoked_by.or(identity.principal_id).map(Cow::Borrowed),
        PrincipalKind::Account => account_root_arn(identity).or(identity.principal_id.map(Cow::Borrowed)),
        PrincipalKind::Federated => identity.principal_id.map(Cow::Borrowed),
        PrincipalKind::IdentityCenterUser => identity
            .arn
            .or(identity.on_behalf_of_user_id)
            .or(identity.principal_id)
            .map(Cow::Borrowed),
        PrincipalKind::Unknown => identity.arn.or(identity.principal_id).map(Cow::Borrowed),
    };
    Principal {
        arn: arn.filter(|arn| !arn.is_empty()),
        kind,
        session_name: session_name(identity, kind),
        via_service,
    }
}

/// Finds what signed a call; `from_console` is `sessionCredentialFromConsole` or a console event type.
pub fn credential_kind(identity: &UserIdentity<'_>, from_console: bool) -> CredentialKind {
    let access_key_id = identity.access_key_id.unwrap_or_default();
    match identity.kind {
        _ if from_console => CredentialKind::Console,
        Some("AWSService") => CredentialKind::Service,
        _ if access_key_id.starts_with("AKIA") => CredentialKind::LongTerm,
        _ if access_key_id.starts_with("ASIA") => CredentialKind::Temporary,
        Some("AssumedRole" | "FederatedUser") => CredentialKind::Temporary,
        Some("WebIdentityUser" | "SAMLUser") => CredentialKind::Federated,
        None if identity.invoked_by.is_some() => CredentialKind::Service,
        _ => CredentialKind::None,
    }
}

fn principal_kind(identity: &UserIdentity<'_>) -> PrincipalKind {
    match identity.kind {
        Some("AssumedRole" | "Role") => PrincipalKind::Role,
        Some("IAMUser" | "FederatedUser") => PrincipalKind::User,
        Some("Root") => PrincipalKind::Root,
        Some("AWSService") => PrincipalKind::Service,
        Some("AWSAccount") => PrincipalKind::Account,
        Some("WebIdentityUser" | "SAMLUser") => PrincipalKind::Federated,
        Some("IdentityCenterUser") => PrincipalKind::IdentityCenterUser,
        _ if identity.arn.is_some_and(|arn| assumed_role(arn).is_some()) => PrincipalKind::Role,
        None if identity.invoked_by.is_some() && identity.arn.is_none() => PrincipalKind::Service,
        _ => PrincipalKind::Unknown,
    }
}

fn session_issuer<'a>(identity: &UserIdentity<'a>) -> Option<&'a str> {
    identity.session_issuer_arn.filter(|arn| !arn.is_empty())
}

fn role_arn<'a>(identity: &UserIdentity<'a>) -> Option<Cow<'a, str>> {
    if let Some(issuer) = session_issuer(identity) {
        return Some(Cow::Borrowed(issuer));
    }
    let arn = identity.arn?;
    let Some(assumed) = assumed_role(arn) else {
        return Some(Cow::Borrowed(arn));
    };
    Some(Cow::Owned(format!(
        "arn:{}:iam::{}:role/{}",
        assumed.partition, assumed.account_id, assumed.role_name
    )))
}

/// The ARN of a user of whom the record has no more than the name and the account. A sign-in that failed has an empty key,
/// and nobody has proven to be whom it names.
fn named_user_arn<'a>(identity: &UserIdentity<'a>) -> Option<Cow<'a, str>> {
    let is_user = identity.kind == Some("IAMUser") && identity.access_key_id != Some("");
    let account_id = identity.account_id.filter(|account_id| !account_id.is_empty())?;
    let name = identity.user_name.filter(|name| is_user && is_user_name(name))?;
    let partition = identity.partition.unwrap_or("aws");
    Some(Cow::Owned(format!("arn:{partition}:iam::{account_id}:user/{name}")))
}

/// IAM user guide, "IAM and AWS STS quotas": letters, digits and `+=,.@_-`.
fn is_user_name(name: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character);
    !name.is_empty() && name != HIDDEN && name.chars().all(is_allowed)
}

fn account_root_arn<'a>(identity: &UserIdentity<'a>) -> Option<Cow<'a, str>> {
    let account_id = identity.account_id.filter(|account_id| !account_id.is_empty())?;
    let of_arn = |arn: &'a str| {
        let (partition, _) = arn.strip_prefix("arn:")?.split_once(':')?;
        Some(partition).filter(|partition| !partition.is_empty())
    };
    let arns = [identity.arn, identity.session_issuer_arn];
    let partition = arns.into_iter().flatten().find_map(of_arn);
    let partition = partition.or(identity.partition).unwrap_or("aws");
    Some(Cow::Owned(format!("arn:{partition}:iam::{account_id}:root")))
}

fn session_name<'a>(identity: &UserIdentity<'a>, kind: PrincipalKind) -> Option<&'a str> {
    if kind != PrincipalKind::Role {
        return None;
    }
    let from_arn = identity.arn.and_then(assumed_role).map(|assumed| assumed.session_name);
    from_arn.or_else(|| {
        identity
            .principal_id?
            .split_once(':')
            .map(|(_, session_name)| session_name)
    })
}

struct AssumedRole<'a> {
    partition: &'a str,
    account_id: &'a str,
    role_name: &'a str,
    session_name: &'a str,
}

/// Takes `arn:partition:sts::account:assumed-role/name/session` apart.
fn assumed_role(arn: &str) -> Option<AssumedRole<'_>> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, account_id, resource) = (parts.next()?, parts.next()?, parts.next()?);
    if scheme != "arn" || service != "sts" {
        return None;
    }
    let (role_name, session_name) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some(AssumedRole {
        partition,
        account_id,
        role_name,
        session_name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assumed(arn: &'static str, issuer: Option<&'static str>) -> UserIdentity<'static> {
        UserIdentity {
            kind: Some("AssumedRole"),
            arn: Some(arn),
            session_issuer_arn: issuer,
            ..UserIdentity::default()
        }
    }

    #[test]
    fn assumed_role_is_named_by_its_issuer_with_the_path() {
        let identity = assumed(
            "arn:aws:sts::111122223333:assumed-role/deployer/i-0abc",
            Some("arn:aws:iam::111122223333:role/ci/deployer"),
        );
        let principal = principal(&identity);
        assert_eq!(
            principal.arn.as_deref(),
            Some("arn:aws:iam::111122223333:role/ci/deployer")
        );
        assert_eq!(
            (principal.kind, principal.session_name),
            (PrincipalKind::Role, Some("i-0abc"))
        );
    }

    #[test]
    fn assumed_role_without_issuer_is_rebuilt_in_its_partition() {
        let identity = assumed(
            "arn:aws-us-gov:sts::111122223333:assumed-role/deployer/a.b@example.com",
            None,
        );
        let principal = principal(&identity);
        assert_eq!(
            principal.arn.as_deref(),
            Some("arn:aws-us-gov:iam::111122223333:role/deployer")
        );
        assert_eq!(principal.session_name, Some("a.b@example.com"));
    }

    #[test]
    fn service_event_without_type_belongs_to_the_service() {
        let identity = UserIdentity {
            account_id: Some("111122223333"),
            invoked_by: Some("secretsmanager.amazonaws.com"),
            ..UserIdentity::default()
        };
        let principal = principal(&identity);
        assert_eq!(principal.arn.as_deref(), Some("secretsmanager.amazonaws.com"));
        assert_eq!((principal.kind, principal.via_service), (PrincipalKind::Service, None));
    }

    #[test]
    fn account_is_named_in_its_partition() {
        let account = UserIdentity {
            kind: Some("AWSAccount"),
            account_id: Some("111122223333"),
            ..UserIdentity::default()
        };
        for (partition, arn, wanted) in [
            (None, None, "arn:aws:iam::111122223333:root"),
            (Some("aws-us-gov"), None, "arn:aws-us-gov:iam::111122223333:root"),
            (
                Some("aws"),
                Some("arn:aws-cn:sts::111122223333:assumed-role/a/b"),
                "arn:aws-cn:iam::111122223333:root",
            ),
        ] {
            let account = UserIdentity {
                partition,
                arn,
                ..account
            };
            assert_eq!(principal(&account).arn.as_deref(), Some(wanted));
        }
    }

    #[test]
    fn user_without_an_arn_is_named_by_account_and_name() {
        let user = UserIdentity {
            kind: Some("IAMUser"),
            account_id: Some("111122223333"),
            user_name: Some("ada"),
            ..UserIdentity::default()
        };
        let arn = |user: UserIdentity<'_>| principal(&user).arn.map(Cow::into_owned);
        assert_eq!(arn(user).as_deref(), Some("arn:aws:iam::111122223333:user/ada"));
        let failed_sign_in = UserIdentity {
            access_key_id: Some(""),
            ..user
        };
        assert_eq!(arn(failed_sign_in), None);
        for name in [Some(HIDDEN), Some("a/b"), Some("a:b"), Some(""), None] {
            assert_eq!(
                arn(UserIdentity {
                    user_name: name,
                    ..user
                }),
                None,
                "{name:?}"
            );
        }
        let no_account = UserIdentity {
            account_id: None,
            ..user
        };
        assert_eq!(arn(no_account), None);
    }

    #[test]
    fn empty_issuer_does_not_hide_the_user() {
        let user = UserIdentity {
            kind: Some("IAMUser"),
            arn: Some("arn:aws:iam::111122223333:user/ada"),
            session_issuer_arn: Some(""),
            ..UserIdentity::default()
        };
        assert_eq!(
            principal(&user).arn.as_deref(),
            Some("arn:aws:iam::111122223333:user/ada")
        );
    }

    #[test]
    fn root_invoked_by_a_service_keeps_the_service_apart() {
        let identity = UserIdentity {
            kind: Some("Root"),
            arn: Some("arn:aws:iam::111122223333:root"),
            invoked_by: Some("autoscaling.amazonaws.com"),
            ..UserIdentity::default()
        };
        assert_eq!(principal(&identity).via_service, Some("autoscaling.amazonaws.com"));
    }

    #[test]
    fn credential_kind_follows_key_prefix_type_and_console() {
        let user = |key| UserIdentity {
            kind: Some("IAMUser"),
            access_key_id: Some(key),
            ..UserIdentity::default()
        };
        assert_eq!(credential_kind(&user("AKIAEXAMPLE"), false), CredentialKind::LongTerm);
        assert_eq!(credential_kind(&user("ASIAEXAMPLE"), false), CredentialKind::Temporary);
        assert_eq!(credential_kind(&user("ASIAEXAMPLE"), true), CredentialKind::Console);
        assert_eq!(credential_kind(&user(""), false), CredentialKind::None);
    }
}
