//! Who takes roles, by the names that people know.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::call::AssumeCall;
use crate::iam::arn::account_of_arn;
use crate::iam::arn::is_of_permission_set;
use crate::policy::estate::Estate;

/// The service that gives roles to pods of EKS.
const POD_IDENTITY: &str = "pods.eks.amazonaws.com";

/// Someone who took a role, or tried to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller {
    /// What it is.
    pub kind: CallerKind,
    /// ARN, name of a service, subject of a token or name of a person; of another account's principal the account and its
    /// unique id, `111122223333/AROA…`.
    pub name: String,
    /// The provider of tokens and assertions.
    pub provider: Option<String>,
    /// Its account, if it has one.
    pub account_id: Option<String>,
}

/// Kinds of those who take roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallerKind {
    /// A session of a role.
    Role,
    /// An IAM user.
    User,
    /// The root user of an account.
    Root,
    /// A principal of another account, of which the record names only that.
    Account,
    /// An AWS service.
    Service,
    /// A service account of Kubernetes, through EKS Pod Identity.
    PodIdentity,
    /// A service account of Kubernetes, through a token of the cluster (IRSA).
    KubernetesToken,
    /// A workflow of GitHub Actions.
    GithubActions,
    /// Another holder of a token of an OIDC provider.
    Oidc,
    /// A person of IAM Identity Center.
    IdentityCenter,
    /// Another holder of a SAML assertion.
    Saml,
    /// The record does not say.
    Unknown,
}

/// Who is who: accounts that are one's own, and principals by their unique ids.
#[derive(Debug)]
pub struct Neighbourhood<'a> {
    accounts: BTreeSet<&'a str>,
    organizations: BTreeMap<&'a str, &'a str>,
    by_id: BTreeMap<&'a str, &'a str>,
    /// ARNs of the roles of the snapshots, by the same in lower case.
    roles: BTreeMap<String, &'a str>,
}

impl CallerKind {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Root => "root",
            Self::Account => "account",
            Self::Service => "service",
            Self::PodIdentity => "pod-identity",
            Self::KubernetesToken => "kubernetes-token",
            Self::GithubActions => "github-actions",
            Self::Oidc => "oidc",
            Self::IdentityCenter => "identity-center",
            Self::Saml => "saml",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of those who come with a token of a provider.
    pub(super) fn of_provider(provider: &str) -> Self {
        match provider {
            _ if provider.contains("token.actions.githubusercontent.com") => Self::GithubActions,
            _ if provider.contains("oidc.eks.") => Self::KubernetesToken,
            _ => Self::Oidc,
        }
    }
}

impl<'a> Neighbourhood<'a> {
    /// The accounts of the snapshots and of the logs are one's own.
    pub fn new(estate: &Estate<'a>, logged: impl Iterator<Item = &'a str>) -> Self {
        let mut accounts = estate.own_accounts();
        accounts.extend(logged);
        let organizations = accounts
            .iter()
            .filter_map(|account| Some((*account, estate.organization_of(account)?)));
        let ids = estate
            .callers()
            .filter_map(|member| Some((member.principal.unique_id.as_deref()?, member.principal.arn.as_str())));
        let arns = estate.callers().map(|member| member.principal.arn.as_str());
        let roles = arns.filter(|arn| arn.contains(":role/"));
        Self {
            organizations: organizations.collect(),
            by_id: ids.collect(),
            roles: roles.map(|arn| (arn.to_lowercase(), arn)).collect(),
            accounts,
        }
    }

    /// Whether an account is none of one's own.
    pub fn is_third_party(&self, account_id: &str) -> bool {
        !self.accounts.contains(account_id)
    }

    /// The organization of an account, if that is known.
    pub(super) fn organization_of(&self, account_id: &str) -> Option<&'a str> {
        self.organizations.get(account_id).copied()
    }

    /// A call with the ARN of its role as the snapshots write it: a request may name a role in any case of letters.
    pub(super) fn as_known<'c>(&'c self, call: &AssumeCall<'c>) -> AssumeCall<'c> {
        let known = self.roles.get(&call.role_arn.to_lowercase());
        AssumeCall {
            role_arn: known.copied().unwrap_or(call.role_arn),
            ..*call
        }
    }

    /// ARN of the user or role with a unique id.
    pub(super) fn arn_of(&self, unique_id: &str) -> Option<&'a str> {
        self.by_id.get(unique_id).copied()
    }
}

impl Caller {
    /// Who made a call.
    pub(super) fn of(call: &AssumeCall<'_>, neighbours: &Neighbourhood<'_>) -> Self {
        let identity = &call.fields.identity;
        let plain = |kind: CallerKind, name: &str| Self {
            kind,
            name: name.to_owned(),
            provider: None,
            account_id: account_of_arn(name).or(identity.account_id).map(str::to_owned),
        };
        match identity.kind {
            Some("WebIdentityUser" | "SAMLUser") => return Self::with_token(call),
            Some("AWSService") | None => return Self::of_service(call),
            Some("Root") => return plain(CallerKind::Root, call.caller_arn.unwrap_or_default()),
            _ => {}
        }
        let id = call.unique_id();
        let named = call.named_arn();
        match named.or_else(|| neighbours.arn_of(id?)) {
            Some(arn) if arn.contains(":user/") => plain(CallerKind::User, arn),
            Some(arn) if arn.contains(":role/") => plain(CallerKind::Role, arn),
            Some(arn) => plain(CallerKind::Unknown, arn),
            None => match identity.account_id {
                Some(account) => plain(CallerKind::Account, &format!("{account}/{}", id.unwrap_or("unknown"))),
                None => plain(CallerKind::Unknown, call.caller_arn.unwrap_or("unknown")),
            },
        }
    }

    fn with_token(call: &AssumeCall<'_>) -> Self {
        let provider = call.provider.unwrap_or_default();
        let is_assertion = call.fields.identity.kind == Some("SAMLUser");
        let kind = match is_assertion {
            true if is_of_permission_set(call.role_arn) => CallerKind::IdentityCenter,
            true => CallerKind::Saml,
            false => CallerKind::of_provider(provider),
        };
        let name = call.fields.user_name.or(call.caller_arn).unwrap_or("unknown");
        Self {
            kind,
            name: name.to_owned(),
            provider: call.provider.map(str::to_owned),
            account_id: None,
        }
    }

    fn of_service(call: &AssumeCall<'_>) -> Self {
        let service = call.service().unwrap_or("unknown");
        let pod = (service == POD_IDENTITY).then(|| call.service_account()).flatten();
        Self {
            kind: match (&pod, call.service()) {
                (Some(_), _) => CallerKind::PodIdentity,
                (None, Some(_)) => CallerKind::Service,
                (None, None) => CallerKind::Unknown,
            },
            provider: pod.is_some().then(|| service.to_owned()),
            name: pod.unwrap_or_else(|| service.to_owned()),
            account_id: None,
        }
    }
}
