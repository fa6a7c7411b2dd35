//! One digest by itself: what it says, and whether CloudTrail signed it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::ChainName;
use super::DigestKey;
use super::Finding;
use super::Place;
use super::PublicKeys;
use super::Rule;
use super::StreamEnd;
use super::Verdict;
use super::content;
use super::digest::Digest;
use super::signature::HASH_ALGORITHM;
use super::signature::SIGNATURE_ALGORITHM;
use super::signature::from_hex;
use super::signature::sha256_hex;
use super::signature::string_to_sign;
use crate::event::parse_event_time;

/// Most bytes that a digest may inflate to: a hundred thousand log files.
const MAX_DIGEST_BYTES: u64 = 64 << 20;

/// A digest as it was found.
#[derive(Debug)]
pub struct FoundDigest<'a> {
    /// Where it was found.
    pub place: Place,
    /// Its bytes.
    pub stored: Stored<'a>,
    /// Its user metadata.
    pub metadata: &'a Metadata,
}

/// The bytes of a digest.
#[derive(Debug)]
pub enum Stored<'a> {
    /// As delivered.
    Gzip(&'a [u8]),
    /// Already inflated, whole.
    Inflated(&'a [u8]),
    /// They could not be had, and why.
    Unreadable(String),
}

impl Stored<'_> {
    /// Where a digest says that it was delivered to; `None` for anything else.
    pub fn claimed_place(&self) -> Option<Place> {
        let mut inflated = Vec::new();
        let bytes = match self {
            Self::Gzip(stored) => {
                content::inflate(*stored, MAX_DIGEST_BYTES, |piece| inflated.extend_from_slice(piece));
                inflated.as_slice()
            }
            Self::Inflated(bytes) => bytes,
            Self::Unreadable(_) => return None,
        };
        Digest::read(bytes).map(|digest| digest.place)
    }
}

/// User metadata of an object, where its signature is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metadata {
    /// The copy does not have it.
    Unknown,
    /// All of it, names in lower case without `x-amz-meta-`.
    Known(BTreeMap<String, String>),
}

/// A digest that was looked at by itself.
#[derive(Debug, Clone)]
pub struct CheckedDigest {
    pub(super) place: Place,
    pub(super) chain: ChainName,
    pub(super) is_backfill: bool,
    /// End of its hour by its name, else by its content.
    pub(super) ends_at: Option<i64>,
    pub(super) digest: Option<Digest>,
    /// SHA-256 of the inflated file.
    pub(super) sha256: String,
    pub(super) verdict: Verdict,
    pub(super) findings: Vec<Finding>,
    /// The signature in its metadata.
    pub(super) signature: Option<String>,
    /// Whether only the next digest can say how it is signed.
    pub(super) is_undecided: bool,
    /// Moment at which its key must be valid.
    signed_at: Option<i64>,
    /// Whether a key was found to verify it with.
    pub(super) is_verified_with: Option<String>,
}

impl CheckedDigest {
    /// Looks at a digest.
    pub fn new(found: FoundDigest<'_>, keys: &PublicKeys) -> Self {
        let mut inflated = Vec::new();
        let (bytes, end) = match &found.stored {
            Stored::Gzip(stored) => {
                let end = content::inflate(*stored, MAX_DIGEST_BYTES, |piece| inflated.extend_from_slice(piece));
                (inflated.as_slice(), end)
            }
            Stored::Inflated(bytes) => (*bytes, StreamEnd::Complete),
            Stored::Unreadable(reason) => (inflated.as_slice(), StreamEnd::Unreadable(reason.clone())),
        };
        let is_whole = matches!(end, StreamEnd::Complete | StreamEnd::Trailing);
        let digest = Digest::read(bytes).filter(|_| is_whole);
        let key = DigestKey::parse(&found.place.key);
        let key = key.or_else(|| DigestKey::parse(&digest.as_ref()?.place.key));
        let mut checked = Self {
            is_backfill: key.as_ref().is_some_and(|key| key.is_backfill),
            ends_at: key
                .as_ref()
                .map(|key| key.ends_at)
                .or_else(|| digest.as_ref()?.times.map(|(_, end)| end)),
            chain: key.as_ref().map(ChainName::of).unwrap_or_default(),
            place: found.place,
            sha256: sha256_hex(bytes),
            verdict: Verdict::Valid,
            findings: Vec::new(),
            signature: None,
            is_undecided: false,
            signed_at: digest.as_ref().and_then(|digest| digest.times).map(|(_, end)| end),
            digest,
            is_verified_with: None,
        };
        checked.verdict = checked.judge(bytes, end, found.metadata, keys);
        checked
    }

    /// Whether it is valid.
    pub(super) fn is_valid(&self) -> bool {
        self.verdict == Verdict::Valid
    }

    /// The steps of `validate-logs`, in its order.
    fn judge(&mut self, bytes: &[u8], end: StreamEnd, metadata: &Metadata, keys: &PublicKeys) -> Verdict {
        match end {
            StreamEnd::Unreadable(reason) => return Verdict::Unread(reason),
            StreamEnd::Complete => {}
            StreamEnd::Trailing => {
                let text = "bytes follow the end of its gzip stream; they are not part of what is signed";
                self.findings.push(Finding::new(Rule::TrailingDigestData, text));
            }
            StreamEnd::Cut | StreamEnd::Damaged | StreamEnd::TooLarge => return Verdict::InvalidFormat,
        }
        if self.digest.is_none() && serde_json::from_slice::<IgnoredAny>(bytes).is_err() {
            return Verdict::InvalidFormat;
        }
        if let Metadata::Known(metadata) = metadata
            && let Some(verdict) = self.read_metadata(metadata)
        {
            return verdict;
        }
        let Some(digest) = &self.digest else {
            return Verdict::InvalidFormat;
        };
        if digest.place != self.place {
            return Verdict::Moved;
        }
        let algorithms = algorithms_of(digest);
        self.findings.extend(algorithms);
        match &self.signature {
            Some(signature) => {
                let signature = from_hex(signature).unwrap_or_default();
                self.verify(&[signature], keys)
            }
            None => {
                self.is_undecided = true;
                Verdict::UnsignedTail
            }
        }
    }

    /// Takes the signature; gives a verdict when what must be there is not.
    fn read_metadata(&mut self, metadata: &BTreeMap<String, String>) -> Option<Verdict> {
        let (Some(signature), Some(algorithm)) = (metadata.get("signature"), metadata.get("signature-algorithm"))
        else {
            return Some(Verdict::SignatureFailed);
        };
        self.signature = Some(signature.clone());
        if algorithm != SIGNATURE_ALGORITHM {
            let text = format!("its metadata names the signature algorithm {algorithm}");
            self.findings.push(Finding::new(Rule::WrongAlgorithm, text));
        }
        if self.is_backfill {
            let Some(generated) = metadata.get("backfill-generation-timestamp") else {
                return Some(Verdict::InvalidFormat);
            };
            self.signed_at = parse_event_time(generated).map(|time| time.microseconds);
        }
        None
    }

    /// Decides by the signatures that later digests state.
    pub(super) fn settle(&mut self, signatures: &[Vec<u8>], keys: &PublicKeys) {
        self.is_undecided = false;
        self.verdict = self.verify(signatures, keys);
    }

    fn verify(&mut self, signatures: &[Vec<u8>], keys: &PublicKeys) -> Verdict {
        let Some(digest) = &self.digest else {
            return Verdict::InvalidFormat;
        };
        let named: Vec<_> = keys.named(&digest.fingerprint).collect();
        let fingerprint = digest.fingerprint.clone();
        if named.is_empty() {
            return Verdict::KeyNotFound {
                home_region: self.chain.home_region.clone(),
                fingerprint,
            };
        }
        if named.iter().any(|key| !key.is_fingerprint_true) {
            let text = format!("the file of keys gives the fingerprint {fingerprint} to another key");
            self.findings.push(Finding::new(Rule::KeyFingerprint, text));
        }
        if !named.iter().any(|key| key.is_readable()) {
            return Verdict::KeyUnreadable { fingerprint };
        }
        let message = string_to_sign(digest, &self.sha256);
        let fits = |key: &&&super::PublicKey| signatures.iter().any(|signature| key.verifies(&message, signature));
        let Some(key) = named.iter().find(fits) else {
            return Verdict::SignatureFailed;
        };
        if self.signed_at.is_some_and(|moment| !key.is_valid_at(moment)) {
            let text = format!("the key {fingerprint} was not valid at the time");
            self.findings.push(Finding::new(Rule::ExpiredKey, text));
        }
        self.is_verified_with = Some(fingerprint);
        match digest.times.is_some() && digest.logs.is_some() {
            true => Verdict::Valid,
            false => Verdict::InvalidFormat,
        }
    }
}

/// Algorithms other than those that are checked; `validate-logs` does not read the names.
fn algorithms_of(digest: &Digest) -> Option<Finding> {
    let other = |name: &Option<String>, wanted: &str| name.clone().filter(|name| name != wanted);
    let previous = digest.previous.as_ref();
    let logs = digest.logs.iter().flatten();
    let found = other(&digest.algorithm, SIGNATURE_ALGORITHM)
        .or_else(|| other(&previous?.hash_algorithm, HASH_ALGORITHM))
        .or_else(|| {
            let mut logs = logs.filter_map(|log| other(&log.hash_algorithm, HASH_ALGORITHM));
            logs.next()
        })?;
    Some(Finding::new(
        Rule::WrongAlgorithm,
        format!("it names the algorithm {found}"),
    ))
}
