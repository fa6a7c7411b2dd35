//! Condition keys out of `requestParameters`.

use std::collections::BTreeSet;

use super::RecordFields;
use super::RequestedAction;
use crate::iam::json::Json;
use crate::policy::evaluation::keys::ContextKeys;
use crate::policy::evaluation::keys::KeyState;

/// What CloudTrail writes in the place of a value that it hides.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Parameters that are condition keys: source, beginning of the operation, parameter, key. A call that may have the
/// parameter and has it not has no such key either.
const PLAIN: &[(&str, &str, &str, &str)] = &[
    ("s3.amazonaws.com", "ListObject", "prefix", "s3:prefix"),
    ("s3.amazonaws.com", "ListObject", "delimiter", "s3:delimiter"),
    ("s3.amazonaws.com", "ListObject", "max-keys", "s3:max-keys"),
    ("s3.amazonaws.com", "GetObject", "versionId", "s3:versionid"),
    ("s3.amazonaws.com", "DeleteObject", "versionId", "s3:versionid"),
    (
        "sts.amazonaws.com",
        "AssumeRole",
        "roleSessionName",
        "sts:RoleSessionName",
    ),
    ("sts.amazonaws.com", "AssumeRole", "externalId", "sts:ExternalId"),
    (
        "sts.amazonaws.com",
        "AssumeRole",
        "sourceIdentity",
        "sts:SourceIdentity",
    ),
    (
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        "versionId",
        "secretsmanager:VersionId",
    ),
    (
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        "versionStage",
        "secretsmanager:VersionStage",
    ),
];

/// Parameter of EC2 with the tags of what a call makes, by kind.
const TAGS_BY_KIND: &str = "tagSpecificationSet";

/// Operations of KMS that take an encryption context.
const WITH_ENCRYPTION_CONTEXT: [&str; 6] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
];

/// Actions of a call that has two encryption contexts, each with its own.
const OWN_ENCRYPTION_CONTEXT: [(&str, &str); 2] = [
    ("kms:ReEncryptFrom", "sourceEncryptionContext"),
    ("kms:ReEncryptTo", "destinationEncryptionContext"),
];

/// The kinds of things that a call of EC2 makes and puts tags on, as ARNs have them.
pub fn tagged_kinds(parameters: &Json) -> BTreeSet<&str> {
    let sets = parameters.member(TAGS_BY_KIND).and_then(|sets| sets.member("items"));
    let items = match sets {
        Some(Json::List(items)) => items.as_slice(),
        _ => &[],
    };
    let kinds = items.iter().filter_map(|item| item.member("resourceType")?.text());
    kinds.collect()
}

/// The kind of thing that an ARN names, as `instance`.
pub fn kind_of_arn(arn: &str) -> Option<&str> {
    arn.splitn(6, ':').nth(5)?.split('/').next()
}

/// Sets the keys that the parameters show of a request for an action, or of the call where that is not told.
pub(super) fn set(record: &RecordFields<'_>, action: Option<RequestedAction<'_>>, keys: &mut ContextKeys) {
    let takes_tags = action.map_or(Some(true), |action| action.takes_tags);
    if takes_tags == Some(false) {
        keys.complete_under("aws:RequestTag/");
        keys.set("aws:TagKeys", KeyState::Absent);
    }
    let Some(parameters @ Json::Object(_)) = record.request_parameters else {
        return;
    };
    for (source, operation, parameter, key) in PLAIN {
        if record.event_source == *source
            && record.event_name.starts_with(operation)
            && !is_in_the_body(record, parameter)
        {
            keys.set(key, parameters.member(parameter).map_or(KeyState::Absent, state_of));
        }
    }
    if record.event_source == "kms.amazonaws.com" && WITH_ENCRYPTION_CONTEXT.contains(&record.event_name) {
        set_encryption_context(parameters.member("encryptionContext"), keys);
    }
    let own = OWN_ENCRYPTION_CONTEXT
        .iter()
        .find(|(name, _)| action.is_some_and(|action| action.name == *name));
    // Whether a record without one shows that the call had none is nowhere said.
    if let Some(context) = own.and_then(|(_, parameter)| parameters.member(parameter)) {
        set_encryption_context(Some(context), keys);
    }
    if takes_tags != Some(true) {
        return;
    }
    let tags = match parameters.member(TAGS_BY_KIND) {
        Some(sets) => record.resource_arn.and_then(|arn| tags_of_kind(sets, arn)),
        None => parameters.member("tags").and_then(tags),
    };
    if let Some(tags) = tags {
        set_tags(&tags, keys);
    }
}

/// What a call that deletes many objects says of each stands in its body, which no record has.
fn is_in_the_body(record: &RecordFields<'_>, parameter: &str) -> bool {
    record.event_name == "DeleteObjects" && parameter == "versionId"
}

fn set_encryption_context(context: Option<&Json>, keys: &mut ContextKeys) {
    let members = match context {
        Some(Json::Object(members)) => members.as_slice(),
        Some(_) => return,
        None => &[],
    };
    for (name, value) in members {
        keys.set(&format!("kms:EncryptionContext:{name}"), state_of(value));
    }
    keys.complete_under("kms:EncryptionContext:");
    let names = members.iter().map(|(name, _)| name.clone()).collect();
    keys.set("kms:EncryptionContextKeys", KeyState::Present(names));
}

fn set_tags(tags: &[(&str, KeyState)], keys: &mut ContextKeys) {
    for (name, value) in tags {
        keys.set(&format!("aws:RequestTag/{name}"), value.clone());
    }
    keys.complete_under("aws:RequestTag/");
    let names = tags.iter().map(|(name, _)| (*name).to_owned()).collect();
    keys.set("aws:TagKeys", KeyState::Present(names));
}

/// The tags that `tagSpecificationSet` has for things of the kind that an ARN names.
fn tags_of_kind<'a>(sets: &'a Json, arn: &str) -> Option<Vec<(&'a str, KeyState)>> {
    let kind = kind_of_arn(arn)?;
    let Some(Json::List(items)) = sets.member("items") else {
        return None;
    };
    let mut found = Vec::new();
    for item in items {
        if item.member("resourceType").and_then(Json::text)? == kind {
            found.extend(tags(item.member("tags")?)?);
        }
    }
    Some(found)
}

/// Tags as a list of names and values, or as an object; `None` for anything else.
fn tags(json: &Json) -> Option<Vec<(&str, KeyState)>> {
    match json {
        Json::Object(members) => {
            let tags = members.iter().map(|(name, value)| (name.as_str(), state_of(value)));
            Some(tags.collect())
        }
        Json::List(items) => {
            let tags = items.iter().map(|item| {
                let member = |lower: &str, upper: &str| item.member(lower).or_else(|| item.member(upper));
                let name = member("key", "Key")?.text()?;
                let value = member("value", "Value");
                let empty = KeyState::Present(vec![String::new()]);
                Some((name, value.map_or(empty, state_of)))
            });
            tags.collect()
        }
        _ => None,
    }
}

fn state_of(json: &Json) -> KeyState {
    match json {
        Json::Text(text) if text != HIDDEN => KeyState::Present(vec![text.clone()]),
        Json::Number(number) => KeyState::Present(vec![number.to_string()]),
        Json::Bool(truth) => KeyState::Present(vec![truth.to_string()]),
        // Services write a parameter with one value as a list too.
        Json::List(items) => match items.as_slice() {
            [Json::Text(text)] if text != HIDDEN => KeyState::Present(vec![text.clone()]),
            _ => KeyState::ValueUnknown,
        },
        _ => KeyState::ValueUnknown,
    }
}
