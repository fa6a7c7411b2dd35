//! Log files against the digests that name them.

use super::FileKind;
use super::FileReport;
use super::Finding;
use super::HashedLog;
use super::Place;
use super::Rule;
use super::StreamEnd;
use super::Verdict;
use super::Window;
use super::digest_key::time_of_stamp;

/// A log file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentLog {
    /// Where it was delivered to.
    pub place: Place,
    /// Its time of delivery, to the minute, microseconds since 1970-01-01T00:00:00Z; `None` when its name has none.
    pub delivered_at: Option<i64>,
    /// First and last event in it, whatever its name says; `None` when that is not known.
    pub event_times: Option<(i64, i64)>,
}

/// What is known of the content of a log: of each copy of it, as several folders may be copies of the same bucket.
pub type LogContent = Vec<HashedLog>;

impl PresentLog {
    /// A log with the time in its name.
    pub fn new(place: Place) -> Self {
        Self {
            delivered_at: delivered_at(&place),
            place,
            event_times: None,
        }
    }

    /// Whether it was delivered in a window by its name, or holds events of it.
    pub fn is_of(&self, window: Window) -> bool {
        window.includes(self.delivered_at) || window.includes_events(self.event_times)
    }
}

/// The time of delivery in the name of a log.
pub(super) fn delivered_at(place: &Place) -> Option<i64> {
    let name = place.key.rsplit('/').next().unwrap_or_default();
    // Old names lack the `_` behind the time.
    let stamp = name.split('_').nth(3).and_then(|stamp| stamp.get(..14));
    stamp.and_then(time_of_stamp)
}

/// What is said of a log that a valid digest names: the worst that is to be said of a copy of it.
pub(super) fn judge(place: &Place, wanted: Option<&str>, copies: &[HashedLog]) -> FileReport {
    let judged = copies.iter().map(|copy| judge_copy(place, wanted, Some(copy)));
    let worst = judged.reduce(|worst, other| match worst.level() < other.level() {
        true => other,
        false => worst,
    });
    let mut report = worst.unwrap_or_else(|| judge_copy(place, wanted, None));
    let mut hashes = copies
        .iter()
        .map(|copy| copy.sha256.as_str())
        .filter(|hash| !hash.is_empty());
    if let Some(first) = hashes.next()
        && hashes.any(|other| other != first)
    {
        let text = "there is another copy with other content";
        report.findings.push(Finding::new(Rule::DifferentCopies, text));
    }
    report
}

fn judge_copy(place: &Place, wanted: Option<&str>, content: Option<&HashedLog>) -> FileReport {
    let mut findings = Vec::new();
    let verdict = match (content, wanted) {
        (None, _) => Verdict::NotFound,
        (Some(content), wanted) => {
            let is_same = wanted == Some(content.sha256.as_str());
            match &content.end {
                StreamEnd::Unreadable(reason) => Verdict::Unread(reason.clone()),
                StreamEnd::TooLarge => Verdict::Unread("it inflates to more than the limit".to_owned()),
                StreamEnd::Trailing => Verdict::TrailingData,
                StreamEnd::Damaged => Verdict::InvalidFormat,
                StreamEnd::Cut | StreamEnd::Complete if wanted.is_none() => Verdict::InvalidFormat,
                StreamEnd::Cut if is_same => {
                    let text = "the end of its gzip stream is missing; its content is complete";
                    findings.push(Finding::new(Rule::CutStream, text));
                    Verdict::Valid
                }
                StreamEnd::Complete if is_same => Verdict::Valid,
                StreamEnd::Cut | StreamEnd::Complete => Verdict::HashMismatch,
            }
        }
    };
    FileReport {
        kind: FileKind::Log,
        place: place.clone(),
        verdict,
        findings,
    }
}
