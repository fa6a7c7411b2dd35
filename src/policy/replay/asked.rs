//! What policies ask for of the context of calls: what none asks for need not be read, and does not tell calls apart.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Actor;
use super::ReplayedCall;
use crate::iam::document::ConditionValue;
use crate::iam::document::Document;
use crate::iam::document::Statement;
use crate::policy::evaluation::Layer;

/// What some policy asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) parts: AskedParts,
    /// Condition keys, in lower case.
    pub(super) keys: Rc<[String]>,
    /// Whether tags of the request are among them.
    pub(super) has_request_tags: bool,
}

/// Parts of the context that some policy asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AskedParts {
    time: bool,
    session: bool,
    network: bool,
    parameters: bool,
    resources: bool,
    strangers: bool,
}

const TIME: &[&str] = &["aws:currenttime", "aws:epochtime"];
const SESSION: &[&str] = &[
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:sourceidentity",
    "aws:tokenissuetime",
    "aws:userid",
    // A session with MFA is of a person, not of a service.
    "aws:viaawsservice",
];
const NETWORK: &[&str] = &[
    "aws:securetransport",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:useragent",
    "aws:vpcsourceip",
];
/// Beginnings of the keys that come out of parameters.
const PARAMETERS: &[&str] = &[
    "aws:requesttag/",
    "aws:tagkeys",
    "kms:",
    "s3:",
    "secretsmanager:",
    "sts:",
];

/// Beginnings of the keys that come out of tags in a request.
const REQUEST_TAGS: &[&str] = &["aws:requesttag/", "aws:tagkeys"];
const RESOURCES: &[&str] = &["aws:resourceaccount", "aws:resourceorgid"];

impl Asked {
    /// What the policies of these principals ask for.
    pub(super) fn by<'a>(actors: impl Iterator<Item = &'a Actor<'a>>) -> Self {
        let mut seen = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let (mut is_of_resources, mut names_functions) = (false, false);
        for actor in actors {
            is_of_resources |= matches!(actor.trial.layer, Layer::ResourceControl(_));
            let trial = &actor.trial;
            let policies = trial.proposed.iter().chain(&trial.present);
            for policy in policies.chain(actor.grants.iter().flatten()) {
                let Some(document) = policy.document else { continue };
                // Many principals have one document.
                if seen.insert(std::ptr::from_ref(document)) {
                    add_keys(document, &mut keys);
                    names_functions |= names_a_function(document);
                }
            }
        }
        let has = |names: &[&str]| names.iter().any(|name| keys.contains(*name));
        let begin = |beginnings: &[&str]| {
            let begins = |key: &String| beginnings.iter().any(|prefix| key.starts_with(prefix));
            keys.iter().any(begins)
        };
        let parts = AskedParts {
            time: has(TIME),
            session: has(SESSION),
            network: has(NETWORK),
            parameters: begin(PARAMETERS) || names_functions,
            resources: is_of_resources || has(RESOURCES),
            strangers: is_of_resources,
        };
        Self {
            parts,
            has_request_tags: begin(REQUEST_TAGS),
            keys: keys.into_iter().collect(),
        }
    }
}

impl AskedParts {
    /// Whether it matters who owns resources.
    pub(super) fn has_owners(self) -> bool {
        self.resources
    }

    /// Their names.
    pub fn names(self) -> Vec<&'static str> {
        let named = [
            (self.session, "session"),
            (self.network, "network"),
            (self.parameters, "parameters"),
            (self.resources, "resources"),
            (self.strangers, "strangers"),
        ];
        let asked = named.into_iter().filter(|(is_asked, _)| *is_asked);
        asked.map(|(_, name)| name).collect()
    }

    /// Writes what is the same for calls that are alike for all policies.
    pub(super) fn write_key(self, call: &ReplayedCall<'_>, key: &mut Vec<u8>) {
        let fields = &call.fields;
        let identity = &fields.identity;
        key.clear();
        for text in [
            Some(call.principal_arn),
            call.principal_id,
            call.serving_region,
            call.model_id,
            call.inference_region,
            call.parameters,
            Some(fields.event_source),
            Some(fields.event_name),
            fields.aws_region,
            fields.user_name,
            fields.source_identity,
            fields.source_ip_address,
            fields.user_agent,
            fields.vpc_endpoint_id,
            fields.tls_version,
            Some(fields.credential_kind.as_str()),
            identity.kind,
            identity.principal_id,
            identity.arn,
            identity.account_id,
            identity.invoked_by,
            identity.session_issuer_arn,
        ] {
            push(key, text);
        }
        let time = self.time.then_some(fields.event_time);
        for number in [time, fields.session_created_at, fields.mfa_authenticated.map(i64::from)] {
            let bytes = number.map(i64::to_le_bytes);
            key.push(u8::from(bytes.is_some()));
            key.extend(bytes.unwrap_or_default());
        }
        for need in call.needs {
            push(key, Some(need.action));
            key.push(need.kind.byte());
            for (arn, is_proof) in &need.resources {
                push(key, Some(arn));
                key.push(u8::from(*is_proof));
            }
            key.push(u8::MAX);
        }
        for (arn, account) in &call.owners {
            push(key, Some(arn));
            push(key, Some(account));
        }
    }
}

/// A text with its length before it, so that texts do not run together.
fn push(key: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else {
        return key.push(0);
    };
    key.push(1);
    key.extend(text.len().to_le_bytes());
    key.extend(text.as_bytes());
}

/// Whether a function of Lambda is named: which version or alias of one was asked for stands in the parameters.
fn names_a_function(document: &Document) -> bool {
    let resources = document
        .readable()
        .filter_map(|(_, statement)| statement.resources.as_ref());
    let mut patterns = resources.flat_map(|resources| resources.named().texts());
    patterns.any(|pattern| pattern.contains(":function:"))
}

fn add_keys(document: &Document, keys: &mut BTreeSet<String>) {
    for (_, statement) in document.readable() {
        let named = statement.conditions.iter().flat_map(|block| &block.keys);
        keys.extend(named.map(|(key, _)| key.to_ascii_lowercase()));
        for text in texts(statement) {
            let variables = text.split("${").skip(1);
            let names = variables.filter_map(|rest| rest.split(['}', ',']).next());
            keys.extend(names.map(|name| name.trim().to_ascii_lowercase()));
        }
    }
}

/// The texts that may hold variables.
fn texts(statement: &Statement) -> impl Iterator<Item = &str> {
    let resources = statement.resources.iter().flat_map(|scope| scope.named().texts());
    let values = statement.conditions.iter().flat_map(|block| &block.keys);
    let values = values.flat_map(|(_, values)| values.as_slice());
    resources.chain(values.filter_map(|value| match value {
        ConditionValue::Text(text) => Some(text.as_str()),
        ConditionValue::Number(_) | ConditionValue::Bool(_) => None,
    }))
}
