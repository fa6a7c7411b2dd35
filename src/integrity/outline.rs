//! What a digest claims, without proof: the hour it is about and the logs it names.

use super::Place;
use super::Recorded;
use super::digest::Digest;
use super::group::root_of;
use super::logs::PresentLog;

/// What a digest claims. Whether CloudTrail signed it is left to [`super::CheckedDigest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestOutline {
    /// Start of its hour, microseconds since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// End of its hour.
    pub end: i64,
    /// Whether a chain begins with it: CloudTrail made none before, or did not look.
    pub is_starting: bool,
    /// File name that it says it has.
    pub name: String,
    /// Bucket and folder of the account that it says it was delivered to: digests of other ones are of other trails.
    pub root: String,
    /// The same of the digest before.
    pub previous_root: Option<String>,
    /// File name of the digest before, and its hash, as stated.
    pub previous: Option<(String, String)>,
    /// The logs that it names.
    pub logs: Vec<OutlinedLog>,
}

/// A log that a digest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinedLog {
    /// File name, which holds account, region, time and a random part.
    pub name: String,
    /// SHA-256 of the inflated log, as stated.
    pub sha256: Option<String>,
    /// Time of delivery in its name; `None` when it has none.
    pub delivered_at: Option<i64>,
    /// Times of its first and last event, as stated.
    pub event_times: Option<(i64, i64)>,
}

impl DigestOutline {
    /// Reads a digest of the ledger; `None` when its text is not there or is none of a digest.
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let digest = Digest::read(recorded.digest_text.as_ref()?.as_bytes())?;
        let (start, end) = digest.times?;
        let is_starting = digest.previous.is_none();
        let (name, root) = (file_name(&digest.place.key).to_owned(), root_text(&digest.place));
        let previous_root = digest.previous.as_ref().map(|previous| root_text(&previous.place));
        let previous = digest.previous.and_then(|previous| {
            let name = file_name(&previous.place.key).to_owned();
            Some((name, previous.hash?))
        });
        let logs = digest.logs.into_iter().flatten().map(|log| OutlinedLog {
            name: file_name(&log.place.key).to_owned(),
            sha256: log.hash,
            event_times: log.event_times,
            delivered_at: PresentLog::new(log.place).delivered_at,
        });
        Some(Self {
            start,
            end,
            is_starting,
            name,
            root,
            previous_root,
            previous,
            logs: logs.collect(),
        })
    }
}

fn root_text(place: &Place) -> String {
    let (bucket, folder) = root_of(place);
    format!("{bucket}/{folder}")
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_the_ledger_says_its_hour_and_its_logs() {
        let name = "111122223333_CloudTrail_eu-west-1_20260901T0105Z_abcdefghijklmnop.json.gz";
        let text = format!(
            r#"{{"digestStartTime":"2026-09-01T00:00:00Z","digestEndTime":"2026-09-01T01:00:00Z","digestS3Bucket":"b",
            "digestS3Object":"k","digestPublicKeyFingerprint":"f","previousDigestSignature":null,
            "logFiles":[{{"s3Bucket":"b","s3Object":"AWSLogs/{name}","hashValue":"aa",
            "oldestEventTime":"2026-09-01T01:00:00Z","newestEventTime":"2026-09-01T01:04:00Z"}}]}}"#
        );
        let recorded = |text: &str| Recorded {
            digest_text: Some(text.to_owned()),
            ..Recorded::default()
        };
        let outline = DigestOutline::of(&recorded(&text)).unwrap();
        assert_eq!(
            (outline.end - outline.start, outline.is_starting),
            (3_600_000_000, true)
        );
        let wanted = OutlinedLog {
            name: name.to_owned(),
            sha256: Some("aa".to_owned()),
            delivered_at: Some(outline.start + 3_900_000_000),
            event_times: Some((outline.start + 3_600_000_000, outline.start + 3_840_000_000)),
        };
        assert_eq!(outline.logs, [wanted]);
        assert_eq!(DigestOutline::of(&recorded("{}")), None);
        assert_eq!(DigestOutline::of(&Recorded::default()), None);
    }
}
