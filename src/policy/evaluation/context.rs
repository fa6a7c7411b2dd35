//! The condition keys of a request, as far as its CloudTrail record shows them.
//!
//! A key is set only where the record proves its value or its absence; of all others nothing is known. User guide, "AWS
//! global condition context keys", says when each is there. `docs/condition-keys.md` is the table of what is set here.

mod parameters;

use std::net::IpAddr;
use std::rc::Rc;

use super::keys::ContextKeys;
use super::keys::KeyState;
use crate::event;
use crate::event::PrincipalKind;
use crate::iam::arn::is_of_permission_set;
use crate::iam::arn::is_service_linked;
use crate::iam::json::Json;

pub use crate::event::CredentialKind;
pub use crate::event::UserIdentity;
pub use parameters::kind_of_arn;
pub use parameters::tagged_kinds;

/// The fields of a record that condition keys come from; all as recorded.
#[derive(Debug, Clone, Copy)]
pub struct RecordFields<'a> {
    /// `eventTime`: microseconds since 1970-01-01T00:00:00Z.
    pub event_time: i64,
    /// `eventSource`.
    pub event_source: &'a str,
    /// `eventName`.
    pub event_name: &'a str,
    /// `awsRegion`.
    pub aws_region: Option<&'a str>,
    /// `userIdentity`.
    pub identity: UserIdentity<'a>,
    /// `userIdentity.userName`.
    pub user_name: Option<&'a str>,
    /// What signed the call.
    pub credential_kind: CredentialKind,
    /// `sessionContext.attributes.creationDate`: microseconds since 1970-01-01T00:00:00Z.
    pub session_created_at: Option<i64>,
    /// `sessionContext.attributes.mfaAuthenticated`.
    pub mfa_authenticated: Option<bool>,
    /// `sessionContext.sourceIdentity`.
    pub source_identity: Option<&'a str>,
    /// `sourceIPAddress`: an address, or the name of a service.
    pub source_ip_address: Option<&'a str>,
    /// `userAgent`.
    pub user_agent: Option<&'a str>,
    /// `vpcEndpointId`.
    pub vpc_endpoint_id: Option<&'a str>,
    /// `tlsDetails.tlsVersion`.
    pub tls_version: Option<&'a str>,
    /// `requestParameters`; `None` when there are none, or they were left out.
    pub request_parameters: Option<&'a Json>,
    /// ARN of the resource of this request: tags of a call that makes several things are those of their kinds.
    pub resource_arn: Option<&'a str>,
}

/// The action of a request; a call may need several, each with a request of its own.
#[derive(Debug, Clone, Copy)]
pub struct RequestedAction<'a> {
    /// Full name.
    pub name: &'a str,
    /// Whether the tags of the call are tags of this request, too; `None` if that is not known.
    pub takes_tags: Option<bool>,
}

/// CloudTrail cuts user agents that are longer.
const MAX_USER_AGENT: usize = 1_000;

/// The condition keys of the request behind a record.
pub fn context_of(record: &RecordFields<'_>) -> ContextKeys {
    context_in(ContextKeys::partial(), record, None)
}

/// The same for one of the actions of the call, without keys that nobody asks for. The names of `asked` are in lower case.
pub fn context_of_asked(record: &RecordFields<'_>, action: RequestedAction<'_>, asked: &Rc<[String]>) -> ContextKeys {
    context_in(ContextKeys::partial_of(asked), record, Some(action))
}

fn context_in(mut keys: ContextKeys, record: &RecordFields<'_>, action: Option<RequestedAction<'_>>) -> ContextKeys {
    set_time_and_region(record, &mut keys);
    set_principal(record, &mut keys);
    set_session(record, &mut keys);
    set_services(record, &mut keys);
    set_network(record, &mut keys);
    parameters::set(record, action, &mut keys);
    keys
}

fn set_time_and_region(record: &RecordFields<'_>, keys: &mut ContextKeys) {
    let is_asked = keys.keeps("aws:CurrentTime") || keys.keeps("aws:EpochTime");
    let time = is_asked.then(|| event::format_canonical(record.event_time));
    if let Some(time) = time.flatten() {
        keys.set_value("aws:CurrentTime", time);
        keys.set_value("aws:EpochTime", record.event_time.div_euclid(1_000_000).to_string());
    }
    // STS answers for its global endpoint in other regions than the one that is recorded.
    let is_sts = record.event_source == "sts.amazonaws.com";
    if let Some(region) = record.aws_region.filter(|_| !is_sts) {
        keys.set_value("aws:RequestedRegion", region);
    }
}

fn set_principal(record: &RecordFields<'_>, keys: &mut ContextKeys) {
    let identity = &record.identity;
    let kind = match identity.kind {
        Some("AssumedRole") => "AssumedRole",
        Some("IAMUser") => "User",
        Some("FederatedUser") => "FederatedUser",
        Some("Root") => "Account",
        Some("AWSService") => {
            keys.set_value("aws:PrincipalIsAWSService", "true");
            keys.set("aws:username", KeyState::Absent);
            return;
        }
        _ => return,
    };
    keys.set_value("aws:PrincipalType", kind);
    keys.set_value("aws:PrincipalIsAWSService", "false");
    keys.set("aws:PrincipalServiceName", KeyState::Absent);
    keys.set("aws:PrincipalServiceNamesList", KeyState::Absent);
    if let Some(account) = identity.account_id {
        keys.set_value("aws:PrincipalAccount", account);
    }
    if let Some(principal_id) = identity.principal_id {
        keys.set_value("aws:userid", principal_id);
    }
    let arn = match kind {
        // Without the issuer the path of the role is lost.
        "AssumedRole" => identity.session_issuer_arn,
        _ => identity.arn,
    };
    let state = arn.map_or(KeyState::ValueUnknown, |arn| KeyState::Present(vec![arn.to_owned()]));
    keys.set("aws:PrincipalArn", state);
    match (kind, record.user_name) {
        ("User", Some(name)) => keys.set_value("aws:username", name),
        ("User", None) => keys.set("aws:username", KeyState::ValueUnknown),
        _ => keys.set("aws:username", KeyState::Absent),
    }
}

/// "This key is present in the request context only when the principal uses temporary credentials to make the request."
fn set_session(record: &RecordFields<'_>, keys: &mut ContextKeys) {
    if let Some(source_identity) = record.source_identity {
        keys.set_value("aws:SourceIdentity", source_identity);
    }
    if record.credential_kind == CredentialKind::LongTerm {
        for key in [
            "aws:TokenIssueTime",
            "aws:MultiFactorAuthPresent",
            "aws:MultiFactorAuthAge",
            "aws:SourceIdentity",
        ] {
            keys.set(key, KeyState::Absent);
        }
        return;
    }
    if record.credential_kind != CredentialKind::Temporary {
        return;
    }
    if let Some(time) = record.session_created_at.and_then(event::format_canonical) {
        keys.set_value("aws:TokenIssueTime", time);
    }
    if let Some(is_authenticated) = record.mfa_authenticated {
        keys.set_value("aws:MultiFactorAuthPresent", is_authenticated.to_string());
        let age = if is_authenticated {
            KeyState::ValueUnknown
        } else {
            KeyState::Absent
        };
        keys.set("aws:MultiFactorAuthAge", age);
    }
}

/// Services that call on behalf of a principal.
fn set_services(record: &RecordFields<'_>, keys: &mut ContextKeys) {
    let by_service = event::principal(&record.identity).via_service;
    match by_service {
        Some(service) if service.ends_with(".amazonaws.com") => keys.set("aws:ViaAWSService", forwarded(record)),
        Some(_) => {}
        None => {
            keys.set_value("aws:ViaAWSService", "false");
            for key in [
                "aws:CalledVia",
                "aws:CalledViaFirst",
                "aws:CalledViaLast",
                "kms:ViaService",
            ] {
                keys.set(key, KeyState::Absent);
            }
        }
    }
}

/// Whether a service called with the session of its user, which it forwards. "The context key returns `false` if the service
/// uses a service role or service-linked role to make a call on the principal's behalf" (user guide, "AWS global condition
/// context keys"), and records have `invokedBy` of such calls, too (CloudTrail user guide, "userIdentity element").
///
/// The trust policy of a role proves nothing: a service goes on from its role to others, as CodePipeline and StackSets do.
fn forwarded(record: &RecordFields<'_>) -> KeyState {
    let known = |is_forwarded: bool| KeyState::Present(vec![is_forwarded.to_string()]);
    let role = record.identity.session_issuer_arn.unwrap_or_default();
    // No service has a device, and only Identity Center lets people take its roles.
    let is_of_a_person = record.mfa_authenticated == Some(true) || is_of_permission_set(role);
    match record.identity.kind {
        // Services take roles, and act as no one else.
        Some("IAMUser" | "FederatedUser" | "Root") => known(true),
        Some("AssumedRole") if is_service_linked(role) => known(false),
        Some("AssumedRole") if is_of_a_person => known(true),
        _ => KeyState::ValueUnknown,
    }
}

/// What a service sends on someone's behalf shows the service's network, and not all of that.
fn set_network(record: &RecordFields<'_>, keys: &mut ContextKeys) {
    let principal = event::principal(&record.identity);
    if principal.via_service.is_some() || principal.kind == PrincipalKind::Service {
        return;
    }
    let is_whole =
        |agent: &&str| agent.len() < MAX_USER_AGENT && !agent.starts_with('[') && !agent.ends_with(".amazonaws.com");
    if let Some(agent) = record.user_agent.filter(is_whole) {
        keys.set_value("aws:UserAgent", agent);
    }
    if record.tls_version.is_some() {
        keys.set_value("aws:SecureTransport", "true");
    }
    let address: Option<IpAddr> = record.source_ip_address.and_then(|text| text.parse().ok());
    match (record.vpc_endpoint_id, address) {
        (Some(endpoint), address) => {
            keys.set_value("aws:SourceVpce", endpoint);
            keys.set("aws:SourceVpc", KeyState::ValueUnknown);
            keys.set("aws:SourceIp", KeyState::Absent);
            let address = address.map_or(KeyState::ValueUnknown, |it| KeyState::Present(vec![it.to_string()]));
            keys.set("aws:VpcSourceIp", address);
        }
        // A private address came through an endpoint that the record does not name.
        (None, Some(address)) if !is_private(address) => {
            keys.set_value("aws:SourceIp", address.to_string());
            for key in ["aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp"] {
                keys.set(key, KeyState::Absent);
            }
        }
        (None, _) => {}
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
