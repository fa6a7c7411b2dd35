//! A call that succeeded, and what it needed.

use std::borrow::Cow;

use crate::iam::arn::account_of_arn;
use crate::policy::evaluation::Principal;
use crate::policy::evaluation::PrincipalKind;
use crate::policy::evaluation::RecordFields;
use crate::policy::evaluation::UserIdentity;

/// A call that succeeded.
#[derive(Debug, Clone)]
pub struct ReplayedCall<'c> {
    /// Fields of the record; without parameters and resource.
    pub fields: RecordFields<'c>,
    /// `requestParameters` as text, if a policy asks for them.
    pub parameters: Option<&'c str>,
    /// The user, role or root user; where the record names it by its id alone, its account or nothing.
    pub principal_arn: &'c str,
    /// Its unique id.
    pub principal_id: Option<&'c str>,
    /// Region that served the call.
    pub serving_region: Option<&'c str>,
    /// `modelId` of a call of Bedrock: a model, or an inference profile.
    pub model_id: Option<&'c str>,
    /// Region that answered a call of Bedrock through an inference profile, if the record tells it.
    pub inference_region: Option<&'c str>,
    /// `eventID`.
    pub event_id: &'c str,
    /// What the call needed.
    pub needs: &'c [CallNeed<'c>],
    /// ARNs of resources with the accounts that own them, if a policy asks for them.
    pub owners: Vec<(&'c str, &'c str)>,
}

/// An action that a call needed or may have needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallNeed<'c> {
    /// Whether it is an action.
    pub kind: NeedKind,
    /// Full name of the action; empty if there is none.
    pub action: &'c str,
    /// The resources that the record names: the ARN, and whether it stands there as it is.
    pub resources: Vec<(&'c str, bool)>,
}

/// What is known of a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NeedKind {
    /// The call needed the action.
    Certain,
    /// The call may have needed the action.
    Possible,
    /// The call needed no permission.
    Nothing,
    /// It is not known what the call needed.
    Unmapped,
}

impl ReplayedCall<'_> {
    /// The account that owns a resource: the one in its ARN, or the one that the record tells.
    pub(super) fn owner_of(&self, arn: &str) -> Option<String> {
        let is_of = |known: &str| {
            let rest = arn.strip_prefix(known);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let told = || self.owners.iter().find(|(known, _)| is_of(known));
        let account = account_of_arn(arn).or_else(|| told().map(|(_, account)| *account));
        account.map(str::to_owned)
    }

    /// Whether the record, which is another account's, names the caller by its unique id alone.
    pub(super) fn names_an_id_alone(&self) -> bool {
        self.principal_arn.is_empty() || self.fields.identity.kind == Some("AWSAccount")
    }

    /// The same call of this user or role.
    pub(super) fn of<'d>(&'d self, arn: &'d str) -> ReplayedCall<'d> {
        let is_user = arn.contains(":user/");
        let identity = UserIdentity {
            kind: Some(if is_user { "IAMUser" } else { "AssumedRole" }),
            arn: is_user.then_some(arn),
            session_issuer_arn: (!is_user).then_some(arn),
            ..self.fields.identity
        };
        ReplayedCall {
            fields: RecordFields {
                identity,
                ..self.fields
            },
            principal_arn: arn,
            ..self.clone()
        }
    }

    /// Who made it, for reports: of someone whose name is not known the account and the unique id.
    pub(super) fn shown_principal(&self) -> Cow<'_, str> {
        match (
            self.names_an_id_alone(),
            self.principal_id.filter(|id| is_of_identity(id)),
        ) {
            (true, Some(id)) => Cow::Owned(format!("{}/{id}", self.account_id())),
            _ => Cow::Borrowed(self.principal_arn),
        }
    }

    fn account_id(&self) -> &str {
        let stated = self.fields.identity.account_id;
        stated.or(account_of_arn(self.principal_arn)).unwrap_or_default()
    }

    /// A user or role of which the unique id alone is known, by an ARN that IAM does not allow, so that no policy has it.
    fn nameless(&self) -> Option<Principal> {
        let id = self
            .principal_id
            .filter(|id| self.names_an_id_alone() && is_of_identity(id))?;
        let arn = |kind: &str| format!("arn:aws:iam::{}:{kind}/-:-", self.account_id());
        let kind = match id.starts_with("AIDA") {
            true => PrincipalKind::User { arn: arn("user") },
            false => PrincipalKind::RoleSession {
                role_arn: arn("role"),
                session_arn: String::new(),
            },
        };
        Some(Principal {
            unique_id: Some(id.to_owned()),
            ..Principal::new(kind)
        })
    }

    /// Who made it.
    pub(super) fn principal(&self) -> Principal {
        if let Some(nameless) = self.nameless() {
            return nameless;
        }
        let arn = self.principal_arn.to_owned();
        let session = || self.fields.identity.arn.unwrap_or_default().to_owned();
        Principal::new(match self.fields.identity.kind {
            Some("Root") => PrincipalKind::Root {
                account_id: account_of(&arn),
            },
            Some("FederatedUser") => PrincipalKind::FederatedUser {
                arn: session(),
                user_arn: arn,
            },
            _ if arn.contains(":user/") => PrincipalKind::User { arn },
            _ if arn.ends_with(":root") => PrincipalKind::Root {
                account_id: account_of(&arn),
            },
            _ => PrincipalKind::RoleSession {
                role_arn: arn,
                session_arn: session(),
            },
        })
    }
}

impl NeedKind {
    /// A byte that no other kind has.
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Certain => 0,
            Self::Possible => 1,
            Self::Nothing => 2,
            Self::Unmapped => 3,
        }
    }
}

/// Whether a unique id is that of a user or role.
fn is_of_identity(id: &str) -> bool {
    id.starts_with("AIDA") || id.starts_with("AROA")
}

fn account_of(arn: &str) -> String {
    arn.split(':').nth(4).unwrap_or_default().to_owned()
}
