//! The time that is verified, and which files may say something of it.

const HOUR: i64 = 3_600_000_000;
/// How long after a log the digest that names it may end.
const NAMING_DELAY: i64 = 2 * HOUR;
/// How long CloudTrail goes on trying to deliver a log
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>).
const REDELIVERY: i64 = 30 * 24 * HOUR;

/// Which time is to be covered, microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// From this moment on.
    pub from: Option<i64>,
    /// Before this moment.
    pub to: Option<i64>,
}

impl Window {
    fn overlaps(self, start: i64, end: i64) -> bool {
        self.from.is_none_or(|from| end > from) && self.to.is_none_or(|to| start < to)
    }

    /// Whether a file with this time in its name belongs to it; one without a time does.
    pub fn includes(self, moment: Option<i64>) -> bool {
        moment.is_none_or(|moment| self.overlaps(moment, moment.saturating_add(1)))
    }

    /// Whether events from the first to the last of these moments may be of it.
    pub fn includes_events(self, times: Option<(i64, i64)>) -> bool {
        times.is_some_and(|(first, last)| self.overlaps(first, last.saturating_add(1)))
    }

    /// When logs were delivered that a digest may name whose hour ends at this moment.
    pub fn named_until(ends_at: i64) -> std::ops::Range<i64> {
        ends_at.saturating_sub(HOUR + NAMING_DELAY)..ends_at
    }

    /// Whether a digest whose hour ends at this moment may name logs of it, also one of the hours just behind it.
    pub fn wants_digest(self, ends_at: Option<i64>) -> bool {
        let longer = Self {
            to: self.last_digest(),
            ..self
        };
        longer.includes_digest(ends_at)
    }

    /// Before which moment the last hour begins whose digest may name logs of it, or says that the one before was made.
    pub fn last_digest(self) -> Option<i64> {
        self.to.map(|to| to.saturating_add(NAMING_DELAY + HOUR))
    }

    /// Whether a digest of an hour that begins at this moment says of one behind the window that it was made, and that one may
    /// still name logs of it.
    pub fn is_proven_by(self, begins_at: i64) -> bool {
        let is_behind = |to: i64| begins_at >= to && begins_at <= to.saturating_add(REDELIVERY);
        self.to.is_some_and(is_behind)
    }

    /// Whether a digest whose hour ends at this moment belongs to it.
    pub fn includes_digest(self, ends_at: Option<i64>) -> bool {
        ends_at.is_none_or(|end| self.overlaps(end.saturating_sub(HOUR), end))
    }
}
