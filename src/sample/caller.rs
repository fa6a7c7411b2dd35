//! Who makes a call: every shape of `userIdentity` that the estate contains.

use super::estate::Account;
use super::estate::Person;
use super::estate::Role;
use super::estate::User;
use super::event::ObjectText;
use super::moment::Moment;

/// A caller: the identity JSON of its records, and what else of a record depends on it.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The members of `userIdentity`, before `invokedBy` and `inScopeOf`.
    pub(super) members: Vec<(&'static str, String)>,
    pub(super) in_scope_of: Option<String>,
    /// The service on whose behalf every call is made, when the caller is a service or acts through one.
    pub(super) invoked_by: Option<&'static str>,
    /// Who acts, session name removed.
    pub(super) principal: String,
    /// What error messages call the caller.
    pub(super) arn: String,
    pub(super) session_name: String,
    /// The account that records the caller's calls.
    pub(super) account: &'static Account,
    pub(super) ip: String,
    pub(super) agent: String,
    pub(super) from_console: bool,
    pub(super) vpc_endpoint_id: Option<&'static str>,
}

/// What a role session adds to the role.
#[derive(Debug)]
pub(super) struct SessionFacts<'a> {
    pub(super) name: &'a str,
    /// Empty for sessions of service-linked roles, whose records carry no key.
    pub(super) access_key_id: &'a str,
    pub(super) created: Moment,
    pub(super) mfa: bool,
    /// JSON of `webIdFederationData`.
    pub(super) federation_json: Option<String>,
    pub(super) from_instance_metadata: bool,
    /// JSON of `onBehalfOf`.
    pub(super) on_behalf_of_json: Option<String>,
    pub(super) in_scope_of_json: Option<String>,
}

impl Caller {
    /// A session of a role.
    pub(super) fn session(role: &Role, facts: &SessionFacts<'_>) -> Self {
        let arn = role.session_arn(facts.name);
        let mut members = vec![
            ("type", quoted("AssumedRole")),
            ("principalId", quoted(&format!("{}:{}", role.id(), facts.name))),
            ("arn", quoted(&arn)),
            ("accountId", quoted(role.account.id)),
        ];
        if !facts.access_key_id.is_empty() {
            members.push(("accessKeyId", quoted(facts.access_key_id)));
        }
        members.push(("sessionContext", session_context(role, facts)));
        if let Some(json) = &facts.on_behalf_of_json {
            members.push(("onBehalfOf", json.clone()));
        }
        Self {
            in_scope_of: facts.in_scope_of_json.clone(),
            session_name: facts.name.to_owned(),
            ..Self::plain(members, role.arn(), arn, role.account)
        }
    }

    /// An IAM user with a long-term key.
    pub(super) fn user(user: &User, access_key_id: &str) -> Self {
        let mut members = user_members(user);
        members.insert(4, ("accessKeyId", quoted(access_key_id)));
        Self {
            ip: user.ip.to_owned(),
            ..Self::plain(members, user.arn(), user.arn(), user.account)
        }
    }

    /// An IAM user at the sign-in page, where there is no key yet.
    pub(super) fn user_signing_in(user: &User) -> Self {
        Self {
            ip: user.ip.to_owned(),
            ..Self::plain(user_members(user), user.arn(), user.arn(), user.account)
        }
    }

    /// Someone at the sign-in page who gave a user name that does not exist; the record names nobody.
    pub(super) fn unknown_user(account: &'static Account) -> Self {
        let members = vec![
            ("type", quoted("IAMUser")),
            ("accountId", quoted(account.id)),
            ("accessKeyId", quoted("")),
            ("userName", quoted("HIDDEN_DUE_TO_SECURITY_REASONS")),
        ];
        Self::plain(members, String::new(), account.id.to_owned(), account)
    }

    /// An IAM user in the console, with a temporary key.
    pub(super) fn user_in_console(user: &User, access_key_id: &str, created: Moment, mfa: bool) -> Self {
        let mut members = user_members(user);
        members.insert(4, ("accessKeyId", quoted(access_key_id)));
        members.push(("sessionContext", bare_session_context(created, mfa)));
        let caller = Self::plain(members, user.arn(), user.arn(), user.account);
        Self {
            ip: user.ip.to_owned(),
            from_console: true,
            ..caller
        }
    }

    /// The root user of `account`; the key is empty at the sign-in page.
    pub(super) fn root(account: &'static Account, access_key_id: &str, session: Option<(Moment, bool)>) -> Self {
        let arn = format!("arn:aws:iam::{}:root", account.id);
        let mut members = vec![
            ("type", quoted("Root")),
            ("principalId", quoted(account.id)),
            ("arn", quoted(&arn)),
            ("accountId", quoted(account.id)),
            ("accessKeyId", quoted(access_key_id)),
        ];
        if let Some((created, mfa)) = session {
            members.push(("sessionContext", bare_session_context(created, mfa)));
        }
        Self::plain(members, arn.clone(), arn, account)
    }

    /// The root user of `account` as a service names it when it acts on the account's behalf.
    pub(super) fn root_through(account: &'static Account, service: &'static str, created: Moment) -> Self {
        let arn = format!("arn:aws:iam::{}:root", account.id);
        let members = vec![
            ("type", quoted("Root")),
            ("principalId", quoted(account.id)),
            ("arn", quoted(&arn)),
            ("accountId", quoted(account.id)),
            ("sessionContext", bare_session_context(created, false)),
        ];
        Self::plain(members, arn.clone(), arn, account).through(service)
    }

    /// An AWS service that acts for itself.
    pub(super) fn service(service: &'static str, account: &'static Account) -> Self {
        let members = vec![("type", quoted("AWSService"))];
        Self::plain(members, service.to_owned(), service.to_owned(), account).through(service)
    }

    /// The identity without `type` that service events carry.
    pub(super) fn service_event(service: &'static str, account: &'static Account) -> Self {
        let members = vec![("accountId", quoted(account.id))];
        let caller = Self::plain(members, service.to_owned(), service.to_owned(), account);
        caller.through(service)
    }

    /// A principal of an account outside the organization, seen from `account`.
    pub(super) fn outsider(account_id: &str, principal_id: &str, account: &'static Account) -> Self {
        let members = vec![
            ("type", quoted("AWSAccount")),
            ("principalId", quoted(principal_id)),
            ("accountId", quoted(account_id)),
        ];
        let account_arn = format!("arn:aws:iam::{account_id}:root");
        Self::plain(members, account_arn, principal_id.to_owned(), account)
    }

    /// A holder of an OIDC token.
    pub(super) fn web_identity(provider_arn: &str, subject: &str, account: &'static Account) -> Self {
        let principal_id = format!("{provider_arn}:sts.amazonaws.com:{subject}");
        let members = vec![
            ("type", quoted("WebIdentityUser")),
            ("principalId", quoted(&principal_id)),
            ("userName", quoted(subject)),
            ("identityProvider", quoted(provider_arn)),
        ];
        Self::plain(members, principal_id, subject.to_owned(), account)
    }

    /// A person with a SAML assertion of Identity Center.
    pub(super) fn saml(person: &Person, account: &'static Account) -> Self {
        let provider = format!(
            "arn:aws:iam::{}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE",
            account.id
        );
        let principal_id = format!("{provider}:{}", person.email);
        let members = vec![
            ("type", quoted("SAMLUser")),
            ("principalId", quoted(&principal_id)),
            ("userName", quoted(person.email)),
            ("identityProvider", quoted(&provider)),
        ];
        let caller = Self::plain(members, principal_id, person.email.to_owned(), account);
        Self {
            ip: person.ip.to_owned(),
            agent: BROWSER.to_owned(),
            ..caller
        }
    }

    /// A person at the Identity Center portal.
    pub(super) fn identity_center(person: &Person, account: &'static Account) -> Self {
        let members = vec![
            ("type", quoted("IdentityCenterUser")),
            ("accountId", quoted(account.id)),
            ("onBehalfOf", on_behalf_of(person)),
        ];
        let caller = Self::plain(members, person.user_id.to_owned(), person.user_id.to_owned(), account);
        Self {
            ip: person.ip.to_owned(),
            agent: BROWSER.to_owned(),
            ..caller
        }
    }

    /// The same caller from an address, with a user agent.
    pub(super) fn from(self, ip: &str, agent: &str) -> Self {
        Self {
            ip: ip.to_owned(),
            agent: agent.to_owned(),
            ..self
        }
    }

    /// The same caller acting through an AWS service.
    pub(super) fn through(self, service: &'static str) -> Self {
        Self {
            invoked_by: Some(service),
            ..self.from(service, service)
        }
    }

    /// The JSON of `userIdentity`, for a call made through `via` if a service makes it.
    pub(super) fn identity_json(&self, via: Option<&str>) -> String {
        let mut object = ObjectText::new(768);
        for (key, json) in &self.members {
            object.raw(key, json);
        }
        object.optional_text("invokedBy", via.or(self.invoked_by));
        object.optional_raw("inScopeOf", self.in_scope_of.as_deref());
        object.finish()
    }

    fn plain(members: Vec<(&'static str, String)>, principal: String, arn: String, account: &'static Account) -> Self {
        Self {
            members,
            in_scope_of: None,
            invoked_by: None,
            principal,
            arn,
            session_name: String::new(),
            account,
            ip: String::new(),
            agent: String::new(),
            from_console: false,
            vpc_endpoint_id: None,
        }
    }
}

/// The user agent of people at a web page.
pub(super) const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// The JSON of `onBehalfOf` for a person of Identity Center.
pub(super) fn on_behalf_of(person: &Person) -> String {
    let mut object = ObjectText::new(160);
    object.text("userId", person.user_id);
    object.text(
        "identityStoreArn",
        "arn:aws:identitystore::123456789012:identitystore/d-9967000000",
    );
    object.finish()
}

fn user_members(user: &User) -> Vec<(&'static str, String)> {
    vec![
        ("type", quoted("IAMUser")),
        ("principalId", quoted(&user.id())),
        ("arn", quoted(&user.arn())),
        ("accountId", quoted(user.account.id)),
        ("userName", quoted(user.name)),
    ]
}

fn session_context(role: &Role, facts: &SessionFacts<'_>) -> String {
    let mut issuer = ObjectText::new(256);
    issuer.text("type", "Role");
    issuer.text("principalId", &role.id());
    issuer.text("arn", &role.arn());
    issuer.text("accountId", role.account.id);
    issuer.text("userName", role.name);
    let mut context = ObjectText::new(512);
    context.raw("sessionIssuer", &issuer.finish());
    context.raw("webIdFederationData", facts.federation_json.as_deref().unwrap_or("{}"));
    context.raw("attributes", &session_attributes(facts.created, facts.mfa));
    if facts.from_instance_metadata {
        context.text("ec2RoleDelivery", "2.0");
    }
    context.finish()
}

fn bare_session_context(created: Moment, mfa: bool) -> String {
    let mut context = ObjectText::new(160);
    context.raw("sessionIssuer", "{}");
    context.raw("webIdFederationData", "{}");
    context.raw("attributes", &session_attributes(created, mfa));
    context.finish()
}

fn session_attributes(created: Moment, mfa: bool) -> String {
    let mut attributes = ObjectText::new(96);
    attributes.text("creationDate", &created.iso());
    attributes.text("mfaAuthenticated", if mfa { "true" } else { "false" });
    attributes.finish()
}

/// The identity values are ids, names and ARNs of the estate, none of which needs escaping.
fn quoted(value: &str) -> String {
    format!("\"{value}\"")
}
