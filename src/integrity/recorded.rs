//! What a store knows of an object, in place of its bytes.

use std::collections::BTreeMap;

use super::HashedLog;
use super::Metadata;
use super::Stored;
use super::StreamEnd;

const NO_TEXT: &str = "the store does not hold its content; run `verify` on the digests themselves";

/// One object of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Its URI.
    pub uri: String,
    /// Whether its content was that of a digest.
    pub is_digest: bool,
    /// Whether it is not compressed, as nothing is that CloudTrail writes.
    pub is_plain: bool,
    /// Whether its content was management and data events, whatever its name says.
    pub holds_events: bool,
    /// First and last event in it, also of those that the store had already.
    pub event_times: Option<(i64, i64)>,
    /// SHA-256 of the inflated object; `None` when it could not be read to its end.
    pub sha256: Option<String>,
    /// What was wrong with it.
    pub error: Option<String>,
    /// User metadata as a JSON object.
    pub metadata: Option<String>,
    /// Content of a digest.
    pub digest_text: Option<String>,
}

impl Recorded {
    /// A digest's bytes.
    pub fn stored(&self) -> Stored<'_> {
        match (&self.digest_text, &self.error) {
            (Some(text), _) if self.is_plain => Stored::Gzip(text.as_bytes()),
            (Some(text), _) => Stored::Inflated(text.as_bytes()),
            // Its bytes were read, and are those of no digest.
            (None, error) if self.is_plain || error.is_some() => Stored::Gzip(b""),
            (None, _) => Stored::Unreadable(NO_TEXT.to_owned()),
        }
    }

    /// A digest's metadata; a bucket always has some, a copy may not.
    pub fn known_metadata(&self) -> Metadata {
        let written = self
            .metadata
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        match written {
            Some(metadata) => Metadata::Known(metadata),
            None if self.uri.starts_with("s3://") => Metadata::Known(BTreeMap::new()),
            None => Metadata::Unknown,
        }
    }

    /// A log's hash.
    pub fn hashed(&self) -> HashedLog {
        let error = || {
            self.error
                .clone()
                .unwrap_or_else(|| "it has no hash in the store".to_owned())
        };
        HashedLog {
            sha256: self.sha256.clone().unwrap_or_default(),
            end: match self.sha256 {
                Some(_) if self.is_plain => StreamEnd::Damaged,
                Some(_) => StreamEnd::Complete,
                None => StreamEnd::Unreadable(error()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_that_is_not_compressed_or_no_digest_is_judged_as_its_file_would_be() {
        let digest = |text: Option<&str>, is_plain: bool, error: Option<&str>| Recorded {
            is_plain,
            digest_text: text.map(str::to_owned),
            error: error.map(str::to_owned),
            sha256: Some("aa".to_owned()),
            ..Recorded::default()
        };
        assert!(matches!(
            digest(Some("{}"), false, None).stored(),
            Stored::Inflated(b"{}")
        ));
        assert!(matches!(digest(Some("{}"), true, None).stored(), Stored::Gzip(b"{}")));
        assert!(matches!(digest(None, false, Some("cut")).stored(), Stored::Gzip(b"")));
        assert!(matches!(digest(None, true, None).stored(), Stored::Gzip(b"")));
        assert!(matches!(digest(None, false, None).stored(), Stored::Unreadable(_)));
        assert_eq!(digest(None, true, None).hashed().end, StreamEnd::Damaged);
        assert_eq!(digest(None, false, None).hashed().end, StreamEnd::Complete);
    }
}
