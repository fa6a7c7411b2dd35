//! Public keys, as `aws cloudtrail list-public-keys --output json` prints them.

use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use md5::Digest as _;
use md5::Md5;
use serde::Deserialize;
use serde_json::Value;

use super::signature::hex;
use super::signature::sha256_hex;
use crate::event::decode_base64;
use crate::event::parse_event_time;

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It is not what `list-public-keys` prints.
    #[error(
        "`{name}` holds no list of public keys; write it with `aws cloudtrail list-public-keys --output json`: {cause}"
    )]
    Format {
        /// The file.
        name: String,
        /// What is wrong.
        cause: String,
    },
    /// The list is empty.
    #[error("`{name}` holds no key; ask `list-public-keys` with the `--start-time` and `--end-time` of the digests")]
    Empty {
        /// The file.
        name: String,
    },
}

/// All keys of a run.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys {
    keys: Vec<PublicKey>,
}

/// One key, with what its file says of it.
#[derive(Clone)]
pub struct PublicKey {
    /// The fingerprint that the file states; digests name a key by it.
    pub fingerprint: String,
    /// SHA-256 of the key's DER, lower-case hexadecimal, to compare with what AWS gives; empty when it is no Base64.
    pub sha256: String,
    /// Whether the stated fingerprint is that of the key: the MD5 of its DER.
    pub is_fingerprint_true: bool,
    /// First and last moment of its validity, microseconds since 1970-01-01T00:00:00Z.
    pub validity: Option<(i64, i64)>,
    /// The region that it was asked from, as far as the user says so.
    pub region: Option<String>,
    /// The file.
    pub source: String,
    /// `None` when the value is no RSA key.
    key: Option<ParsedPublicKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenList {
    public_key_list: Vec<WrittenKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenKey {
    value: String,
    #[serde(default)]
    validity_start_time: Value,
    #[serde(default)]
    validity_end_time: Value,
    fingerprint: String,
}

impl PublicKeys {
    /// Adds the keys of a file.
    ///
    /// # Errors
    /// It is not a list of keys, or an empty one.
    pub fn add(&mut self, text: &[u8], source: &str, region: Option<&str>) -> Result<(), KeysError> {
        let name = || source.to_owned();
        let list: WrittenList = serde_json::from_slice(text).map_err(|error| KeysError::Format {
            name: name(),
            cause: error.to_string(),
        })?;
        if list.public_key_list.is_empty() {
            return Err(KeysError::Empty { name: name() });
        }
        for written in list.public_key_list {
            if let Some(cause) = written.lacking_validity() {
                return Err(KeysError::Format { name: name(), cause });
            }
            let key = PublicKey::read(written, source, region);
            let is_known = |known: &&mut PublicKey| known.fingerprint == key.fingerprint && known.sha256 == key.sha256;
            match self.keys.iter_mut().find(is_known) {
                // The same key from another file or region.
                Some(known) => known.region = known.region.take().or(key.region),
                None => self.keys.push(key),
            }
        }
        Ok(())
    }

    /// All keys, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter()
    }

    /// The keys with a fingerprint: more than one when files contradict each other.
    pub(super) fn named<'k>(&'k self, fingerprint: &str) -> impl Iterator<Item = &'k PublicKey> {
        self.keys.iter().filter(move |key| key.fingerprint == fingerprint)
    }
}

impl WrittenKey {
    /// Why nothing says when it is valid: a key that proves digests of any time proves less than it seems to.
    fn lacking_validity(&self) -> Option<String> {
        let members = [
            ("ValidityStartTime", &self.validity_start_time),
            ("ValidityEndTime", &self.validity_end_time),
        ];
        let (member, _) = members.into_iter().find(|(_, value)| time(value).is_none())?;
        Some(format!("`{member}` of the key {} is no time", self.fingerprint))
    }
}

impl PublicKey {
    fn read(written: WrittenKey, source: &str, region: Option<&str>) -> Self {
        let der = decode_base64(&written.value).unwrap_or_default();
        Self {
            sha256: if der.is_empty() {
                String::new()
            } else {
                sha256_hex(&der)
            },
            is_fingerprint_true: hex(&Md5::digest(&der)) == written.fingerprint,
            validity: time(&written.validity_start_time).zip(time(&written.validity_end_time)),
            region: region.map(str::to_owned),
            source: source.to_owned(),
            // PKCS#1 and SubjectPublicKeyInfo: CloudTrail's own examples hold both.
            key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).ok(),
            fingerprint: written.fingerprint,
        }
    }

    /// Whether it is a key at all.
    pub fn is_readable(&self) -> bool {
        self.key.is_some()
    }

    pub(super) fn verifies(&self, message: &str, signature: &[u8]) -> bool {
        let key = self.key.as_ref();
        key.is_some_and(|key| key.verify_sig(message.as_bytes(), signature).is_ok())
    }

    pub(super) fn is_valid_at(&self, moment: i64) -> bool {
        self.validity
            .is_none_or(|(first, last)| (first..=last).contains(&moment))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PublicKey")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Seconds since 1970 as a number or as text, or a date as text: versions of aws-cli differ.
fn time(value: &Value) -> Option<i64> {
    let seconds = |number: f64| {
        let micros = jiff::SignedDuration::try_from_secs_f64(number).ok()?.as_micros();
        i64::try_from(micros).ok()
    };
    match value {
        Value::Number(number) => seconds(number.as_f64()?),
        Value::String(text) => match text.trim().parse() {
            Ok(number) => seconds(number),
            Err(_) => parse_event_time(text).map(|time| time.microseconds),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_is_read_in_the_form_of_every_aws_cli() {
        for (start, end) in [
            ("1788220800", "1788220801.5"),
            ("\"1788220800\"", "\"1788220801.5\""),
            ("\"2026-09-01T00:00:00+00:00\"", "\"2026-09-01T00:00:01.500000+00:00\""),
        ] {
            let list = format!(
                r#"{{"PublicKeyList":[{{"Value":"","ValidityStartTime":{start},"ValidityEndTime":{end},"Fingerprint":"f"}}]}}"#
            );
            let mut keys = PublicKeys::default();
            keys.add(list.as_bytes(), "keys.json", None).unwrap();
            let validity = keys.iter().next().unwrap().validity;
            assert_eq!(
                validity,
                Some((1_788_220_800_000_000, 1_788_220_801_500_000)),
                "{start}"
            );
        }
    }

    #[test]
    fn key_without_a_readable_validity_is_refused_and_its_member_named() {
        for (members, wanted) in [
            ("", "ValidityStartTime"),
            (r#""ValidityStartTime":1788220800,"#, "ValidityEndTime"),
            (
                r#""ValidityStartTime":"soon","ValidityEndTime":1788220800,"#,
                "ValidityStartTime",
            ),
        ] {
            let list = format!(r#"{{"PublicKeyList":[{{"Value":"",{members}"Fingerprint":"f1"}}]}}"#);
            let mut keys = PublicKeys::default();
            let error = keys.add(list.as_bytes(), "keys.json", None).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{wanted}` of the key f1 is no time")),
                "{error}"
            );
        }
    }

    #[test]
    fn other_json_and_an_empty_list_are_refused_with_what_to_do() {
        let mut keys = PublicKeys::default();
        let other = keys.add(b"[]", "keys.json", None).unwrap_err().to_string();
        assert!(other.contains("list-public-keys --output json"), "{other}");
        let empty = keys.add(br#"{"PublicKeyList":[]}"#, "keys.json", None).unwrap_err();
        assert!(matches!(empty, KeysError::Empty { .. }));
    }
}
