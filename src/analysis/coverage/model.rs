//! One hour, or the hours of a day together.

use jiff::Timestamp;

use crate::policy::Window;

pub(super) const HOUR: i64 = 3_600_000_000;
const HOURS_PER_DAY: i64 = 24;

/// How long the time is that one row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

/// What can be said of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoverageState {
    /// Every expected digest is there, and every log that one names is in the store as it was delivered.
    Complete,
    /// Something is there; no digest says whether it is all.
    Recorded,
    /// Nothing is there, and no digest says whether there was something.
    Silent,
    /// Something is missing, or cannot be read.
    Incomplete,
}

/// Why a time is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// A digest that is to be expected is not in the store.
    DigestMissing,
    /// A digest is there and not valid.
    DigestInvalid,
    /// A log that a digest names is not in the store.
    LogMissing,
    /// A log has another hash than a digest states.
    LogChanged,
    /// An object has events, and no digest names it though one should.
    LogNotNamed,
    /// An object could not be read.
    ObjectRejected,
    /// A record could not be stored.
    RecordRejected,
    /// Somebody stopped the trail.
    LoggingStopped,
    /// Somebody deleted the trail.
    TrailDeleted,
    /// Somebody switched log file validation off.
    ValidationOff,
    /// A chain of digests begins afterwards: validation or logging was off before.
    StartingDigest,
    /// The account was not yet part of the organization.
    AccountJoined,
    /// The account had left the organization, or was closed.
    AccountLeft,
    /// The store knows nothing of this account in this region, at any time.
    RegionNeverActive,
    /// Only runs that were told to read other regions read this day.
    RegionLeftOut,
    /// The events have expired; what the ledger says of their logs stays.
    EventsExpired,
    /// Before the first log of the account.
    BeforeFirstLog,
    /// After the last log of the account.
    AfterLastLog,
    /// An object has events, and no digest is about the time of its delivery.
    LogNotCovered,
    /// The last logs are delivered in the hour behind the window, and no digest is about that.
    DeliveryOpen,
    /// Nothing says why.
    Unknown,
}

/// Why a time is not complete, and what shows it. May hold text from logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// What shows it.
    pub detail: String,
}

/// Counts of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CoverageCounts {
    /// Digests that are to be expected: one per trail and hour since the first one.
    pub digests_expected: u64,
    /// Of these, digests that the store has and that can be read.
    pub digests_found: u64,
    /// Of these, valid ones; 0 when no keys were given.
    pub digests_valid: u64,
    /// Logs that these digests name.
    pub logs_named: u64,
    /// Of these, logs that the store does not have.
    pub logs_missing: u64,
    /// Of these, logs that have another hash.
    pub logs_changed: u64,
    /// Logs that were delivered, as far as the store knows.
    pub logs_present: u64,
    /// Of these, logs whose records are in the store.
    pub logs_ingested: u64,
    /// Of these, logs that could not be read.
    pub logs_rejected: u64,
    /// Records that could not be stored.
    pub records_rejected: u64,
    /// Events.
    pub events: u64,
}

/// What is said of one hour or day of an account in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    /// First moment, microseconds since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// What can be said.
    pub state: CoverageState,
    /// Why it is not complete.
    pub gaps: Vec<Gap>,
    /// Hours.
    pub hours: u64,
    /// Hours that are complete.
    pub hours_complete: u64,
    /// Hours in which something is missing or cannot be read.
    pub hours_incomplete: u64,
    /// Hours of which nothing is there and nothing says whether there was something.
    pub hours_silent: u64,
    /// Counts.
    pub counts: CoverageCounts,
    /// First event.
    pub first_event: Option<i64>,
    /// Last event.
    pub last_event: Option<i64>,
}

/// What is said of an account in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionCoverage {
    /// The account.
    pub account_id: String,
    /// The region whose trail recorded the events.
    pub region: String,
    /// Hours or days of the window, in order, without holes.
    pub rows: Vec<CoverageRow>,
}

impl CoverageState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Complete, Self::Recorded, Self::Silent, Self::Incomplete];

    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Recorded => "recorded",
            Self::Silent => "silent",
            Self::Incomplete => "incomplete",
        }
    }
}

impl GapKind {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::DigestMissing => "digest-missing",
            Self::DigestInvalid => "digest-invalid",
            Self::LogMissing => "log-missing",
            Self::LogChanged => "log-changed",
            Self::LogNotNamed => "log-not-named",
            Self::ObjectRejected => "object-rejected",
            Self::RecordRejected => "record-rejected",
            Self::LoggingStopped => "logging-stopped",
            Self::TrailDeleted => "trail-deleted",
            Self::ValidationOff => "validation-off",
            Self::StartingDigest => "starting-digest",
            Self::AccountJoined => "account-joined",
            Self::AccountLeft => "account-left",
            Self::RegionNeverActive => "region-never-active",
            Self::RegionLeftOut => "region-left-out",
            Self::EventsExpired => "events-expired",
            Self::BeforeFirstLog => "before-first-log",
            Self::AfterLastLog => "after-last-log",
            Self::LogNotCovered => "log-not-covered",
            Self::DeliveryOpen => "delivery-open",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it shows that records are missing, rather than that nobody knows.
    pub fn is_loss(self) -> bool {
        matches!(
            self,
            Self::DigestMissing
                | Self::DigestInvalid
                | Self::LogMissing
                | Self::LogChanged
                | Self::LogNotNamed
                | Self::ObjectRejected
                | Self::RecordRejected
                | Self::LoggingStopped
                | Self::TrailDeleted
        )
    }
}

impl CoverageCounts {
    fn add(&mut self, other: &Self) {
        self.digests_expected += other.digests_expected;
        self.digests_found += other.digests_found;
        self.digests_valid += other.digests_valid;
        self.logs_named += other.logs_named;
        self.logs_missing += other.logs_missing;
        self.logs_changed += other.logs_changed;
        self.logs_present += other.logs_present;
        self.logs_ingested += other.logs_ingested;
        self.logs_rejected += other.logs_rejected;
        self.records_rejected += other.records_rejected;
        self.events += other.events;
    }
}

impl CoverageRow {
    /// Whether something is known to be missing.
    pub fn has_loss(&self) -> bool {
        self.gaps.iter().any(|gap| gap.kind.is_loss())
    }

    /// An hour.
    pub(super) fn of_hour(hour: i64, state: CoverageState, gaps: Vec<Gap>) -> Self {
        Self {
            start: hour.saturating_mul(HOUR),
            state,
            gaps,
            hours: 1,
            hours_complete: u64::from(state == CoverageState::Complete),
            hours_incomplete: u64::from(state == CoverageState::Incomplete),
            hours_silent: u64::from(state == CoverageState::Silent),
            counts: CoverageCounts::default(),
            first_event: None,
            last_event: None,
        }
    }

    /// Takes a later hour of the same day in: the first gap of each kind is kept.
    pub(super) fn absorb(&mut self, later: Self) {
        self.state = match (self.state, later.state) {
            (CoverageState::Incomplete, _) | (_, CoverageState::Incomplete) => CoverageState::Incomplete,
            (left, right) if left == right => left,
            _ => CoverageState::Recorded,
        };
        for gap in later.gaps {
            if !self.gaps.iter().any(|known| known.kind == gap.kind) {
                self.gaps.push(gap);
            }
        }
        self.gaps.sort_by_key(|gap| gap.kind);
        if self.state == CoverageState::Recorded {
            // That some hours of a day are quiet needs no reason.
            self.gaps.retain(|gap| gap.kind != GapKind::Unknown);
        }
        self.hours += later.hours;
        self.hours_complete += later.hours_complete;
        self.hours_incomplete += later.hours_incomplete;
        self.hours_silent += later.hours_silent;
        self.counts.add(&later.counts);
        self.first_event = [self.first_event, later.first_event].into_iter().flatten().min();
        self.last_event = self.last_event.max(later.last_event);
    }
}

impl Step {
    /// Whether two hours belong to the same row.
    pub(super) fn joins(self, left: i64, right: i64) -> bool {
        match self {
            Self::Hour => left == right,
            Self::Day => left.div_euclid(HOURS_PER_DAY) == right.div_euclid(HOURS_PER_DAY),
        }
    }
}

/// The hours of a window, by number since 1970-01-01T00:00:00Z: one that it cuts counts.
pub(super) fn hours_of(window: Window) -> std::ops::Range<i64> {
    let last = window.until.saturating_add(HOUR - 1).div_euclid(HOUR);
    window.since.div_euclid(HOUR)..last
}

/// RFC 3339 in UTC, from microseconds since 1970-01-01T00:00:00Z.
pub fn moment(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}
