//! What is said of a file, and of a chain of digests.

use std::fmt;

use super::DigestKey;
use super::Place;

/// How much something weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// Not proven, because something is missing that could prove it.
    Unproven,
    /// Proven to be wrong.
    Invalid,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// An hourly digest.
    Digest,
    /// A digest that was delivered afterwards.
    BackfillDigest,
    /// A log file.
    Log,
}

/// What is said of one file. The words of `aws cloudtrail validate-logs` where it has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is what CloudTrail delivered.
    Valid,
    /// A valid digest names it, and it is not there.
    NotFound,
    /// It cannot be read as what it should be.
    InvalidFormat,
    /// No signature fits, or there is none.
    SignatureFailed,
    /// It lies elsewhere than it says.
    Moved,
    /// No file of keys holds the key that it names.
    KeyNotFound {
        /// The region to ask for the key.
        home_region: String,
        /// The key.
        fingerprint: String,
    },
    /// The key that it names is none.
    KeyUnreadable {
        /// The key.
        fingerprint: String,
    },
    /// Its content is not what the digest says.
    HashMismatch,
    /// Behind its end there is more.
    TrailingData,
    /// Its bytes could not be had, and why.
    Unread(String),
    /// The last digest of a chain in a copy without metadata: the signature of each is in the next.
    UnsignedTail,
    /// A log that is named only by digests that are not valid.
    NamedByInvalid,
    /// A log of an hour that digests cover, and none names it.
    NotNamed,
    /// A log of an hour that no digest covers.
    NotCovered,
}

impl Verdict {
    /// `None` for a valid file.
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Valid => None,
            Self::Unread(_) | Self::UnsignedTail | Self::NamedByInvalid | Self::NotCovered => Some(Level::Unproven),
            _ => Some(Level::Invalid),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Valid => "valid",
            Self::NotFound => "INVALID: not found",
            Self::InvalidFormat => "INVALID: invalid format",
            Self::SignatureFailed => "INVALID: signature verification failed",
            Self::Moved => "INVALID: has been moved from its original location",
            Self::KeyNotFound {
                home_region,
                fingerprint,
            } => {
                return write!(
                    formatter,
                    "INVALID: public key not found in region {home_region} for fingerprint {fingerprint}"
                );
            }
            Self::KeyUnreadable { fingerprint } => {
                return write!(
                    formatter,
                    "INVALID: Unable to load PKCS #1 key with fingerprint {fingerprint}"
                );
            }
            Self::HashMismatch => "INVALID: hash value doesn't match",
            Self::TrailingData => "INVALID: unexpected data after end of compressed stream",
            Self::Unread(reason) => return write!(formatter, "UNPROVEN: cannot be read: {reason}"),
            Self::UnsignedTail => {
                "UNPROVEN: unsigned tail: the last digest of its chain, whose signature is only in its metadata"
            }
            Self::NamedByInvalid => "UNPROVEN: named only by digests that are not valid",
            Self::NotNamed => "INVALID: no digest of its hour names it",
            Self::NotCovered => "UNPROVEN: no digest covers its hour",
        };
        formatter.write_str(text)
    }
}

/// What `validate-logs` does not look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The next digest states another hash of this one.
    PreviousHash,
    /// The next digest states another signature of this one.
    PreviousSignature,
    /// Two digests name the same one as their previous.
    ForkedChain,
    /// The next digest is linked to an earlier one, past this one.
    NotLinked,
    /// Something other than SHA-256 with RSA is named.
    WrongAlgorithm,
    /// The key was not valid at the time.
    ExpiredKey,
    /// The fingerprint in the file of keys is not that of the key.
    KeyFingerprint,
    /// Behind the end of a digest there is more.
    TrailingDigestData,
    /// The end of a log's gzip stream is missing, its content is not.
    CutStream,
    /// Several copies of the same object differ.
    DifferentCopies,
    /// No log was delivered before the start of a new chain.
    Gap,
    /// Hours that no valid digest covers.
    Uncovered,
    /// Digests whose hours overlap.
    Overlap,
    /// Logs without any digest.
    NoDigests,
    /// Logs in places where no digest can name them.
    Unplaced,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::PreviousHash,
        Self::PreviousSignature,
        Self::ForkedChain,
        Self::NotLinked,
        Self::WrongAlgorithm,
        Self::ExpiredKey,
        Self::KeyFingerprint,
        Self::TrailingDigestData,
        Self::CutStream,
        Self::DifferentCopies,
        Self::Gap,
        Self::Uncovered,
        Self::Overlap,
        Self::NoDigests,
        Self::Unplaced,
    ];

    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreviousHash => "previous-hash",
            Self::PreviousSignature => "previous-signature",
            Self::ForkedChain => "forked-chain",
            Self::NotLinked => "not-linked",
            Self::WrongAlgorithm => "wrong-algorithm",
            Self::ExpiredKey => "expired-key",
            Self::KeyFingerprint => "key-fingerprint",
            Self::TrailingDigestData => "trailing-digest-data",
            Self::CutStream => "cut-stream",
            Self::DifferentCopies => "different-copies",
            Self::Gap => "gap",
            Self::Uncovered => "uncovered",
            Self::Overlap => "overlap",
            Self::NoDigests => "no-digests",
            Self::Unplaced => "unplaced",
        }
    }

    /// How much it weighs.
    pub fn level(self) -> Level {
        match self {
            Self::Gap | Self::Uncovered | Self::NoDigests | Self::NotLinked | Self::Unplaced => Level::Unproven,
            Self::Overlap | Self::CutStream => Level::Notice,
            _ => Level::Invalid,
        }
    }
}

/// One thing found beside the verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What was found.
    pub rule: Rule,
    /// In words. May hold text from logs.
    pub text: String,
}

impl Finding {
    pub(super) fn new(rule: Rule, text: impl Into<String>) -> Self {
        Self {
            rule,
            text: text.into(),
        }
    }
}

/// One file and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// What it is.
    pub kind: FileKind,
    /// Where CloudTrail delivered it to.
    pub place: Place,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found beside it.
    pub findings: Vec<Finding>,
}

impl FileReport {
    /// The worst of verdict and findings; `None` for a valid file without any.
    pub fn level(&self) -> Option<Level> {
        let findings = self.findings.iter().map(|finding| finding.rule.level());
        findings.chain(self.verdict.level()).max()
    }
}

/// Which chain: one per trail, account and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ChainName {
    /// Account whose log files the digests name.
    pub account_id: String,
    /// Region that these were delivered from.
    pub region: String,
    /// Name of the trail.
    pub trail: String,
    /// Region of the trail.
    pub home_region: String,
}

impl ChainName {
    /// The chain of a digest of this name.
    pub(super) fn of(key: &DigestKey<'_>) -> Self {
        Self {
            account_id: key.account_id.to_owned(),
            region: key.region.to_owned(),
            trail: key.trail.to_owned(),
            home_region: key.home_region.to_owned(),
        }
    }
}

/// What is said of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// Which chain.
    pub name: ChainName,
    /// First and last moment that valid digests cover.
    pub covered: Option<(i64, i64)>,
    /// Digests that were expected or found.
    pub digests: u64,
    /// Those of them that are valid.
    pub valid_digests: u64,
    /// Backfill digests that were expected or found.
    pub backfill_digests: u64,
    /// Those of them that are valid.
    pub valid_backfill_digests: u64,
    /// What was found between digests.
    pub findings: Vec<Finding>,
}
