//! The JSON of a digest file, read strictly.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde::Deserializer;

use super::Place;
use crate::event::parse_event_time;

/// What a digest file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest {
    /// Where it was delivered to.
    pub(super) place: Place,
    /// `digestEndTime` as written, which is signed.
    pub(super) end_text: String,
    /// Start and end of its hour, microseconds since 1970-01-01T00:00:00Z; `None` when they cannot be read.
    pub(super) times: Option<(i64, i64)>,
    pub(super) fingerprint: String,
    /// `digestSignatureAlgorithm`.
    pub(super) algorithm: Option<String>,
    /// `None` in a starting digest.
    pub(super) previous: Option<Previous>,
    pub(super) previous_signature: Option<String>,
    /// `None` when an entry of the list has no bucket or key, or there is no list.
    pub(super) logs: Option<Vec<NamedLog>>,
}

/// The digest before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Previous {
    pub(super) place: Place,
    pub(super) hash: Option<String>,
    pub(super) hash_algorithm: Option<String>,
}

/// One log file that a digest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedLog {
    pub(super) place: Place,
    pub(super) hash: Option<String>,
    pub(super) hash_algorithm: Option<String>,
    /// First and last event in it, as stated.
    pub(super) event_times: Option<(i64, i64)>,
}

/// The members that `validate-logs` asks for must be there; those with a null may hold one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'j> {
    #[serde(borrow)]
    digest_start_time: Cow<'j, str>,
    #[serde(borrow)]
    digest_end_time: Cow<'j, str>,
    #[serde(borrow, rename = "digestS3Bucket")]
    digest_s3_bucket: Cow<'j, str>,
    #[serde(borrow, rename = "digestS3Object")]
    digest_s3_object: Cow<'j, str>,
    #[serde(borrow)]
    digest_public_key_fingerprint: Cow<'j, str>,
    digest_signature_algorithm: Option<String>,
    #[serde(rename = "previousDigestS3Bucket")]
    previous_digest_s3_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    previous_digest_s3_object: Option<String>,
    previous_digest_hash_value: Option<String>,
    previous_digest_hash_algorithm: Option<String>,
    #[serde(deserialize_with = "present")]
    previous_digest_signature: Option<String>,
    log_files: Option<Vec<WrittenLog<'j>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLog<'j> {
    #[serde(borrow, rename = "s3Bucket")]
    bucket: Option<Cow<'j, str>>,
    #[serde(borrow, rename = "s3Object")]
    key: Option<Cow<'j, str>>,
    hash_value: Option<String>,
    hash_algorithm: Option<String>,
    #[serde(borrow)]
    oldest_event_time: Option<Cow<'j, str>>,
    #[serde(borrow)]
    newest_event_time: Option<Cow<'j, str>>,
}

/// A member that may be null but not absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

impl Digest {
    /// Reads the inflated bytes of a digest file; `None` for anything else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let written: Written<'_> = serde_json::from_slice(bytes).ok()?;
        let previous = written
            .previous_digest_s3_bucket
            .zip(written.previous_digest_s3_object)
            .map(|(bucket, key)| Previous {
                place: Place::new(&bucket, &key),
                hash: written.previous_digest_hash_value,
                hash_algorithm: written.previous_digest_hash_algorithm,
            });
        let place = Place::new(&written.digest_s3_bucket, &written.digest_s3_object);
        let logs = written.log_files.and_then(|logs| {
            let logs = logs.into_iter().map(|log| NamedLog::read(log, &place));
            logs.collect()
        });
        Some(Self {
            place,
            times: time(&written.digest_start_time).zip(time(&written.digest_end_time)),
            end_text: written.digest_end_time.into_owned(),
            fingerprint: written.digest_public_key_fingerprint.into_owned(),
            algorithm: written.digest_signature_algorithm,
            previous,
            previous_signature: written.previous_digest_signature,
            logs,
        })
    }
}

impl NamedLog {
    /// Nearly all logs lie in the bucket of the digest, and share its name.
    fn read(written: WrittenLog<'_>, digest: &Place) -> Option<Self> {
        let bucket = written.bucket?;
        let bucket = match *bucket == *digest.bucket {
            true => Arc::clone(&digest.bucket),
            false => Arc::from(&*bucket),
        };
        let key = Box::from(&*written.key?);
        let oldest = written.oldest_event_time.as_deref().and_then(time);
        let newest = written.newest_event_time.as_deref().and_then(time);
        Some(Self {
            place: Place { bucket, key },
            hash: written.hash_value,
            hash_algorithm: written.hash_algorithm,
            event_times: oldest.zip(newest),
        })
    }
}

fn time(text: &str) -> Option<i64> {
    parse_event_time(text).map(|time| time.microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTING: &str = r#"{"awsAccountId":"111122223333","digestStartTime":"2026-09-01T00:00:00Z",
        "digestEndTime":"2026-09-01T01:00:00Z","digestS3Bucket":"b","digestS3Object":"k","newestEventTime":null,
        "digestPublicKeyFingerprint":"f","previousDigestS3Bucket":null,"previousDigestS3Object":null,
        "previousDigestSignature":null,"logFiles":[]}"#;

    #[test]
    fn starting_digest_has_no_previous_one() {
        let digest = Digest::read(STARTING.as_bytes()).unwrap();
        assert_eq!((digest.previous, digest.previous_signature), (None, None));
        assert_eq!(digest.times, Some((1_788_220_800_000_000, 1_788_224_400_000_000)));
    }

    #[test]
    fn digest_without_a_member_that_is_signed_or_asked_for_is_none() {
        for member in [
            "digestStartTime",
            "digestEndTime",
            "digestS3Bucket",
            "digestS3Object",
            "digestPublicKeyFingerprint",
            "previousDigestSignature",
        ] {
            let text = STARTING.replace(&format!("\"{member}\""), "\"x\"");
            assert_eq!(Digest::read(text.as_bytes()), None, "{member}");
        }
    }

    #[test]
    fn log_without_a_name_makes_the_list_unreadable() {
        let text = STARTING.replace(
            "\"logFiles\":[]",
            "\"logFiles\":[{\"s3Bucket\":\"b\",\"hashValue\":\"x\"}]",
        );
        assert_eq!(Digest::read(text.as_bytes()).unwrap().logs, None);
    }
}
