//! A call that assumed a role, and what it asked of the trust policy.

use super::caller::Neighbourhood;
use crate::iam::arn::account_of_arn;
use crate::iam::json::Json;
use crate::policy::evaluation::ContextKeys;
use crate::policy::evaluation::KeyState;
use crate::policy::evaluation::Principal;
use crate::policy::evaluation::PrincipalKind;
use crate::policy::evaluation::RecordFields;
use crate::policy::evaluation::Request;
use crate::policy::evaluation::Resource;
use crate::policy::evaluation::context_of;

/// A call that assumed a role, or tried to.
#[derive(Debug, Clone, Copy)]
pub struct AssumeCall<'c> {
    /// Fields of the record; without parameters. `user_name` is the subject of a token or assertion.
    pub fields: RecordFields<'c>,
    /// What stands in the parameters; `None` when the record leaves them out.
    pub parameters: Option<AssumeParameters<'c>>,
    /// The role.
    pub role_arn: &'c str,
    /// Who called, as the logs name it.
    pub caller_arn: Option<&'c str>,
    /// The provider of the token or assertion.
    pub provider: Option<&'c str>,
    /// For whom the token or assertion is meant.
    pub audience: Option<&'c str>,
    /// Who wrote the assertion.
    pub issuer: Option<&'c str>,
    /// Whether the role was given.
    pub is_granted: bool,
    /// `eventID`.
    pub event_id: &'c str,
    /// Key with which the call was signed, if it came out of another such call.
    pub caller_key: Option<&'c str>,
    /// Key that was given, if another such call was signed with it.
    pub issued_key: Option<&'c str>,
}

/// Parameters of a call that assumed a role.
#[derive(Debug, Clone, Copy, Default)]
pub struct AssumeParameters<'c> {
    /// `roleSessionName`, if a policy asks for it.
    pub session_name: Option<&'c str>,
    /// `externalId`.
    pub external_id: Option<&'c str>,
    /// `sourceIdentity`.
    pub source_identity: Option<&'c str>,
    /// `serialNumber`: the MFA device.
    pub serial_number: Option<&'c str>,
    /// `tags`, as JSON text.
    pub tags: Option<&'c str>,
}

/// Whether a call needs an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Certain,
    Possible,
}

/// Who asks, in the eyes of one principal of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asker {
    /// It is this one.
    Known(Principal),
    /// It may be this one.
    Perhaps(Principal),
}

impl<'c> AssumeCall<'c> {
    /// Whether the caller proved that it holds an MFA device.
    pub fn has_mfa(&self) -> bool {
        let by_device = self.parameters.is_some_and(|it| it.serial_number.is_some());
        by_device || self.fields.mfa_authenticated == Some(true)
    }

    /// Unique id of the user or role that called.
    pub(super) fn unique_id(&self) -> Option<&'c str> {
        let id = self.fields.identity.principal_id?.split(':').next()?;
        Some(id).filter(|id| id.starts_with("AROA") || id.starts_with("AIDA"))
    }

    /// ARN of the user or role that called, if the record has it with its path.
    pub(super) fn named_arn(&self) -> Option<&'c str> {
        match self.fields.identity.kind {
            Some("AssumedRole") => self.fields.identity.session_issuer_arn,
            Some("IAMUser" | "FederatedUser" | "Role") => self.caller_arn,
            _ => None,
        }
        .filter(|arn| arn.contains(":role/") || arn.contains(":user/"))
    }

    /// The service that called by itself.
    pub(super) fn service(&self) -> Option<&'c str> {
        let name = self.fields.identity.invoked_by.or(self.caller_arn);
        name.filter(|name| name.contains(".amazonaws.com"))
    }

    /// Cluster, namespace and service account of a pod: the tags that EKS Pod Identity sets.
    pub(super) fn service_account(&self) -> Option<String> {
        let tags = Json::parse(self.parameters?.tags?).ok()?;
        let Json::List(tags) = tags else { return None };
        let tag = |wanted: &str| {
            let tag = tags
                .iter()
                .find(|tag| tag.member("key").and_then(Json::text) == Some(wanted))?;
            tag.member("value").and_then(Json::text)
        };
        let (namespace, account) = (tag("kubernetes-namespace")?, tag("kubernetes-service-account")?);
        Some(format!("{}/{namespace}/{account}", tag("eks-cluster-name")?))
    }

    /// What the call asked of the trust policy: an action, and whether it needed that one.
    pub(super) fn needs(&self) -> Vec<(&'static str, Need)> {
        let action = match self.fields.event_name {
            "AssumeRoleWithSAML" => "sts:AssumeRoleWithSAML",
            "AssumeRoleWithWebIdentity" => "sts:AssumeRoleWithWebIdentity",
            _ => "sts:AssumeRole",
        };
        let mut needs = vec![(action, Need::Certain)];
        let parameters = self.parameters.unwrap_or_default();
        // Tags and a source identity of a token or assertion stand in it alone.
        let is_federated = action != "sts:AssumeRole" || self.parameters.is_none();
        for (action, is_asked) in [
            ("sts:TagSession", parameters.tags.is_some()),
            ("sts:SetSourceIdentity", parameters.source_identity.is_some()),
        ] {
            match (is_asked, is_federated) {
                (true, _) => needs.push((action, Need::Certain)),
                (false, true) => needs.push((action, Need::Possible)),
                (false, false) => {}
            }
        }
        needs
    }

    /// The request for one of these actions.
    pub(super) fn request(&self, principal: Principal, action: &str, neighbours: &Neighbourhood<'_>) -> Request {
        let account = account_of_arn(self.role_arn).unwrap_or_default();
        Request {
            context: self.context(&principal, neighbours),
            principal,
            action: action.to_owned(),
            resource: Resource::owned(self.role_arn, account),
        }
    }

    /// Who asks, in the eyes of a principal of a policy; `None` where nothing tells them apart from anybody.
    pub(super) fn asker(&self, text: &str, neighbours: &Neighbourhood<'_>) -> Option<Asker> {
        let identity = &self.fields.identity;
        let session_arn = identity.arn.unwrap_or_default();
        let known = |kind: PrincipalKind| {
            let mut principal = Principal::new(kind);
            principal.unique_id = self.unique_id().map(str::to_owned);
            Some(Asker::Known(principal))
        };
        match identity.kind {
            Some("WebIdentityUser" | "SAMLUser") => {
                return match self.provider {
                    Some(provider) => known(PrincipalKind::Federated {
                        provider: provider.to_owned(),
                    }),
                    None => Some(Asker::Perhaps(Principal::new(PrincipalKind::Federated {
                        provider: text.to_owned(),
                    }))),
                };
            }
            Some("AWSService") | None => {
                let service = |name: &str| {
                    Principal::new(PrincipalKind::Service {
                        names: vec![name.to_owned()],
                    })
                };
                return Some(match self.service() {
                    Some(name) => Asker::Known(service(name)),
                    None => Asker::Perhaps(service(text)),
                });
            }
            Some("Root") => {
                let account_id = identity.account_id?.to_owned();
                return known(PrincipalKind::Root { account_id });
            }
            _ => {}
        }
        let arn = self.named_arn().or_else(|| neighbours.arn_of(self.unique_id()?));
        match arn {
            Some(arn) if identity.kind == Some("FederatedUser") => known(PrincipalKind::FederatedUser {
                arn: session_arn.to_owned(),
                user_arn: arn.to_owned(),
            }),
            Some(arn) if arn.contains(":user/") => known(PrincipalKind::User { arn: arn.to_owned() }),
            Some(arn) => known(session(arn, session_arn)),
            None => self.nameless(text),
        }
    }

    /// A user or role of an account, of which at most the unique id is known.
    fn nameless(&self, text: &str) -> Option<Asker> {
        let account = self.fields.identity.account_id?;
        let id = self.unique_id();
        let with_id = |kind: PrincipalKind| {
            let mut principal = Principal::new(kind);
            principal.unique_id = id.map(str::to_owned);
            principal
        };
        let is_of_account = account_of_arn(text) == Some(account) && !text.ends_with(":root");
        let is_user = id.is_some_and(|id| id.starts_with("AIDA"));
        let is_role = id.is_some_and(|id| id.starts_with("AROA"));
        if is_of_account && text.contains(":role/") && !is_user {
            return Some(Asker::Perhaps(with_id(session(text, ""))));
        }
        if is_of_account && text.contains(":assumed-role/") && !is_user {
            let role = format!("arn:aws:iam::{account}:role/-");
            return Some(Asker::Perhaps(with_id(session(&role, text))));
        }
        if is_of_account && text.contains(":user/") && !is_role {
            return Some(Asker::Perhaps(with_id(PrincipalKind::User { arn: text.to_owned() })));
        }
        // A name that IAM does not allow, so that no policy has it.
        Some(Asker::Known(with_id(match is_user {
            true => PrincipalKind::User {
                arn: format!("arn:aws:iam::{account}:user/-:-"),
            },
            false => session(&format!("arn:aws:iam::{account}:role/-:-"), ""),
        })))
    }

    fn context(&self, principal: &Principal, neighbours: &Neighbourhood<'_>) -> ContextKeys {
        let parameters = self.parameters.map(|parameters| parameters.json());
        let fields = RecordFields {
            request_parameters: parameters.as_ref(),
            ..self.fields
        };
        let mut keys = context_of(&fields);
        if self.has_mfa() && self.is_granted {
            // The device was checked with this very call, or at the sign-in before it.
            keys.set_value("aws:MultiFactorAuthPresent", "true");
            keys.set("aws:MultiFactorAuthAge", KeyState::ValueUnknown);
        }
        if let PrincipalKind::Federated { provider } = &principal.kind {
            self.set_token(provider, &mut keys);
        } else if let Some(account) = principal.account_id() {
            keys.set_value("aws:PrincipalAccount", account);
            keys.set_value("aws:PrincipalIsAWSService", "false");
            if let Some(organization) = neighbours.organization_of(account) {
                keys.set_value("aws:PrincipalOrgID", organization);
            }
            if let (Some("AWSAccount"), Some(arn)) = (self.fields.identity.kind, self.resolved(neighbours)) {
                keys.set_value("aws:PrincipalArn", arn);
            }
        }
        keys
    }

    fn resolved<'a>(&self, neighbours: &Neighbourhood<'a>) -> Option<&'a str> {
        neighbours.arn_of(self.unique_id()?)
    }

    /// The keys of tokens and assertions: IAM user guide, "IAM and AWS STS condition context keys".
    fn set_token(&self, provider: &str, keys: &mut ContextKeys) {
        keys.set_value("aws:FederatedProvider", provider);
        let mut set = |key: String, value: Option<&str>| {
            if let Some(value) = value {
                keys.set_value(&key, value);
            }
        };
        if let Some((_, url)) = provider.split_once(":oidc-provider/") {
            set(format!("{url}:sub"), self.fields.user_name);
            set(format!("{url}:aud"), self.audience);
        } else if provider.contains(":saml-provider/") {
            set("saml:aud".to_owned(), self.audience);
            set("saml:iss".to_owned(), self.issuer);
            set("saml:sub".to_owned(), self.fields.user_name);
        }
    }
}

impl AssumeParameters<'_> {
    /// The members from which condition keys come.
    fn json(&self) -> Json {
        let plain = [
            ("roleSessionName", self.session_name),
            ("externalId", self.external_id),
            ("sourceIdentity", self.source_identity),
        ];
        let plain = plain.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut members: Vec<(String, Json)> = plain
            .map(|(name, value)| (name.to_owned(), Json::Text(value.to_owned())))
            .collect();
        if let Some(tags) = self.tags.and_then(|text| Json::parse(text).ok()) {
            members.push(("tags".to_owned(), tags));
        }
        Json::Object(members)
    }
}

fn session(role_arn: &str, session_arn: &str) -> PrincipalKind {
    PrincipalKind::RoleSession {
        role_arn: role_arn.to_owned(),
        session_arn: session_arn.to_owned(),
    }
}
