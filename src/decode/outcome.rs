//! What decoding one object gave.

/// What an object holds, told from its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ObjectKind {
    /// Management and data events.
    Events,
    /// The same, inside of events of EventBridge or of what LookupEvents answers: not all that a trail would record.
    Excerpt,
    /// A digest of log file integrity validation.
    Digest,
    /// CloudTrail Insights events.
    Insight,
    /// Five-minute summaries of data events; no events of their own.
    Aggregated,
    /// Network activity events of VPC endpoints.
    NetworkActivity,
    /// Nothing that CloudTrail writes.
    #[default]
    Unknown,
}

impl ObjectKind {
    /// Value of the column `objects.kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Excerpt => "excerpt",
            Self::Digest => "digest",
            Self::Insight => "insight",
            Self::Aggregated => "aggregated",
            Self::NetworkActivity => "network-activity",
            Self::Unknown => "unknown",
        }
    }
}

/// Records of one object that are rejected one by one; one more entry stands for all behind them.
pub(crate) const MOST_REJECTS: usize = 10_000;
/// What an entry takes besides its texts.
const REJECT_BYTES: usize = 128;

/// A record that could not be stored, or all that come behind many others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Position among the records of the object, from 0.
    pub record_index: i64,
    /// Where the record starts in the inflated object.
    pub byte_offset: u64,
    /// Length of the record in the inflated object.
    pub byte_length: u64,
    /// Why it could not be stored.
    pub reason: String,
    /// The record's bytes, at most as many as the limits allow.
    pub raw: Vec<u8>,
}

/// What decoding one object gave; `records` = `rows` + `rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the object holds.
    pub kind: ObjectKind,
    /// Records found, good or bad.
    pub records: u64,
    /// Rows pushed to the buffer.
    pub rows: u64,
    /// Records that could not be stored.
    pub rejected: u64,
    /// What is known of them: an entry for each, see [`kept_rejects`].
    pub rejects: Vec<Reject>,
    /// Rows without a readable `eventTime`.
    pub without_time: u64,
    /// Rows without an `eventID`, which cannot be told from copies of them.
    pub without_id: u64,
    /// Earliest and latest `eventTime` of the rows, microseconds since 1970-01-01T00:00:00Z.
    pub event_times: Option<(i64, i64)>,
    /// Size of the inflated object as far as it could be read.
    pub inflated_bytes: u64,
    /// SHA-256 of the inflated object, lower-case hex; absent when it could not be read to its end.
    pub sha256: Option<String>,
    /// Content of a digest, as it is; absent for others, and for one that is no text or larger than a window.
    pub digest_text: Option<String>,
    /// Whether its bytes stopped coming, so that another attempt may find more.
    pub is_unread: bool,
    /// The cap that the object inflates to more than: what lies behind it was not looked at.
    pub inflates_beyond: Option<u64>,
    /// The limit that some of its records are larger than: they are rejected.
    pub records_beyond: Option<u64>,
    /// What is wrong with the object as a whole.
    pub fault: Option<String>,
}

/// Entries in [`Outcome::rejects`] for as many rejected records.
pub fn kept_rejects(rejected: u64) -> u64 {
    rejected.min(MOST_REJECTS as u64 + 1)
}

impl Outcome {
    /// Memory that waits for the ledger, in bytes, roughly: rejects, for an object with this URI, and a digest.
    pub fn ledger_bytes(&self, uri: &str) -> usize {
        let rejects = self.rejects.iter();
        let rejects = rejects.map(|reject| reject.raw.len() + reject.reason.len() + uri.len() + REJECT_BYTES);
        rejects.sum::<usize>() + self.digest_text.as_ref().map_or(0, String::len)
    }
}
