//! What is asked: who, which action, on which resource.

use super::keys::ContextKeys;
use crate::iam::arn::account_of_arn;
use crate::iam::arn::is_service_linked;

/// One question to the policies: a principal, an action, a resource.
///
/// A call that needs several actions or touches several resources is several requests, of which each must be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// Full name of the action, as `s3:GetObject`.
    pub action: String,
    /// What it is about.
    pub resource: Resource,
    /// The condition keys.
    pub context: ContextKeys,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Kind and names.
    pub kind: PrincipalKind,
    /// The id that stands in policies for a user or role that was deleted, `AIDA…` or `AROA…`; `None` if not known.
    pub unique_id: Option<String>,
    /// The name of its account in S3; `None` if not known.
    pub canonical_user: Option<String>,
}

/// Kinds of principals with the names by which policies know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The root user of an account.
    Root {
        /// Id of the account.
        account_id: String,
    },
    /// An IAM user.
    User {
        /// ARN with the path.
        arn: String,
    },
    /// A session of a role.
    RoleSession {
        /// ARN of the role with its path; a role below `/aws-service-role/` is linked to a service.
        role_arn: String,
        /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
        session_arn: String,
    },
    /// A session that `GetFederationToken` gave.
    FederatedUser {
        /// `arn:aws:sts::ACCOUNT:federated-user/NAME`.
        arn: String,
        /// ARN of the IAM user who asked for it.
        user_arn: String,
    },
    /// Someone with the token of an identity provider, before a role is assumed.
    Federated {
        /// The provider: an ARN, or a name as `cognito-identity.amazonaws.com`.
        provider: String,
    },
    /// An AWS service on its own behalf.
    Service {
        /// Its names, as `cloudtrail.amazonaws.com`; a regional service has several.
        names: Vec<String>,
    },
    /// Nobody that AWS knows: a request without signature.
    Anonymous,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name.
    pub name: ResourceName,
    /// The account that owns it; `None` if not known.
    pub account_id: Option<String>,
}

/// Name of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceName {
    /// The action is about no resource: only `*` names it.
    Nothing,
    /// The action is about no resource that its documentation names, and IAM compares a name of its own with policies, as
    /// `arn:aws:s3:::*` for `s3:ListAllMyBuckets` or `arn:aws:iam::111122223333:role/` for `iam:ListRoles`: `*` matches it,
    /// and a pattern for all resources of a kind may.
    Unnamed,
    /// An ARN.
    Arn(String),
    /// One of the ARNs that a pattern matches, in the form of `Resource`: the record names the resource, and not all of the name
    /// that IAM compares.
    Like(String),
    /// Not known.
    Unknown,
}

impl ResourceName {
    /// Whether the action is about no resource that somebody owns.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing | Self::Unnamed)
    }
}

impl Principal {
    /// A principal of which neither its unique id nor its account's S3 name are known.
    pub fn new(kind: PrincipalKind) -> Self {
        Self {
            kind,
            unique_id: None,
            canonical_user: None,
        }
    }

    /// The account that it belongs to; services, identity providers and the unknown belong to none.
    pub fn account_id(&self) -> Option<&str> {
        match &self.kind {
            PrincipalKind::Root { account_id } => Some(account_id),
            PrincipalKind::User { arn } | PrincipalKind::FederatedUser { arn, .. } => account_of_arn(arn),
            PrincipalKind::RoleSession { role_arn, .. } => account_of_arn(role_arn),
            PrincipalKind::Federated { .. } | PrincipalKind::Service { .. } | PrincipalKind::Anonymous => None,
        }
    }

    /// Whether it is the root user of an account.
    pub fn is_root(&self) -> bool {
        matches!(self.kind, PrincipalKind::Root { .. })
    }

    /// Whether it is a session of a role that is linked to a service.
    pub fn is_service_linked(&self) -> bool {
        match &self.kind {
            PrincipalKind::RoleSession { role_arn, .. } => is_service_linked(role_arn),
            _ => false,
        }
    }
}

impl Resource {
    /// A resource of an account.
    pub fn owned(arn: impl Into<String>, account_id: impl Into<String>) -> Self {
        Self {
            name: ResourceName::Arn(arn.into()),
            account_id: Some(account_id.into()),
        }
    }

    /// No resource.
    pub fn nothing() -> Self {
        Self {
            name: ResourceName::Nothing,
            account_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_linkage_follow_from_the_names() {
        let session = |role: &str| {
            Principal::new(PrincipalKind::RoleSession {
                role_arn: format!("arn:aws:iam::111122223333:role/{role}"),
                session_arn: "arn:aws:sts::111122223333:assumed-role/x/y".to_owned(),
            })
        };
        assert_eq!(session("x").account_id(), Some("111122223333"));
        assert!(session("aws-service-role/ecs.amazonaws.com/x").is_service_linked());
        assert!(!session("team/aws-service-role/x").is_service_linked());
        let service = PrincipalKind::Service { names: Vec::new() };
        assert_eq!(Principal::new(service).account_id(), None);
    }
}
