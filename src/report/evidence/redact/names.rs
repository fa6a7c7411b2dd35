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
    "samlassertion",
    "environmentvariables",
    "authparameters",
    "sharedkey",
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

/// Whether the value of a member or parameter of this name is secret.
pub(super) fn is_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    if WHOLE.contains(&plain.as_str()) {
        return true;
    }
    if NAMING.iter().any(|ending| plain.ends_with(ending)) {
        return false;
    }
    PARTS.iter().any(|part| plain.contains(part)) || plain.ends_with("secret")
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
