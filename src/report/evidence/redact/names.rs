//! Names of members and parameters whose values are secret.

/// Any name with one of these in it, in lower case without punctuation.
const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "token",
    "privatekey",
    "keymaterial",
    "plaintext",
    "ciphertext",
    "userdata",
    "credentials",
    "authorization",
    "apikey",
    "secretkey",
    "connectionstring",
    "authenticationcode",
    "authcode",
    "samlassertion",
    "environmentvariables",
    "authparameters",
    "sharedkey",
    "accountkey",
    "sharedaccesskey",
    "cookie",
    "signature",
];

/// Names that are one of these.
const WHOLE: &[&str] = &[
    "environment",
    "variables",
    "env",
    "envvars",
    "pwd",
    "secretstring",
    "secretbinary",
    "secretvalue",
    "clientsecret",
    "secret",
    "auth",
    "pin",
    "accesskey",
    "tokencode",
    "psk",
];

/// What a name with `token` or `secret` in it ends with when it only names something.
const NAMING: &[&str] = &[
    "id",
    "ids",
    "arn",
    "arns",
    "name",
    "names",
    "type",
    "ttl",
    "count",
    "version",
    "expiration",
];

/// Members that hold the name of what another member holds the value of.
const LABELS: &[&str] = &[
    "name",
    "key",
    "tagkey",
    "parametername",
    "parameterkey",
    "optionname",
    "attributename",
    "settingname",
    "variablename",
];

/// Members that hold such a value.
const VALUES: &[&str] = &[
    "value",
    "values",
    "tagvalue",
    "stringvalue",
    "parametervalue",
    "optionvalue",
    "optionsettingvalue",
    "attributevalue",
    "settingvalue",
    "variablevalue",
];

/// Names of members that are secret as a whole, and everyday labels of tags and parameters.
const EVERYDAY: &[&str] = &["environment", "variables", "env", "envvars", "auth"];

/// What a pair of members holds of a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PairPart {
    /// The name.
    Label,
    /// The value.
    Value,
}

/// Which part of a pair a member of this name holds.
pub(super) fn pair_part(name: &str) -> Option<PairPart> {
    let plain = plain(name);
    if LABELS.contains(&plain.as_str()) {
        return Some(PairPart::Label);
    }
    VALUES.contains(&plain.as_str()).then_some(PairPart::Value)
}

/// Whether the value is secret that stands beside this label.
pub(super) fn is_secret_label(label: &str) -> bool {
    !EVERYDAY.contains(&plain(label).as_str()) && is_secret(label)
}

/// Whether the value of a member or parameter of this name is secret.
pub(super) fn is_secret(name: &str) -> bool {
    let plain = plain(name);
    if WHOLE.contains(&plain.as_str()) {
        return true;
    }
    if NAMING.iter().any(|ending| plain.ends_with(ending)) {
        return false;
    }
    PARTS.iter().any(|part| plain.contains(part)) || plain.ends_with("secret")
}

/// In lower case, without punctuation.
fn plain(name: &str) -> String {
    let characters = name.chars().filter(char::is_ascii_alphanumeric);
    characters.map(|character| character.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_and_names_of_things_are_not() {
        for name in [
            "masterUserPassword",
            "secretString",
            "SessionToken",
            "userData",
            "environment",
            "Authorization",
            "X-Amz-Security-Token",
            "private_key",
            "client_secret",
            "authenticationCode1",
            "webIdentityToken",
            "X-Amz-Signature",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "secretId",
            "secretArn",
            "accessKeyId",
            "environmentName",
            "roleName",
            "keyId",
            "bucketName",
            "nextTokenType",
            "",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
