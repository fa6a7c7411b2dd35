//! Evidence of use: what the logs show of every principal's actions, and what they could have shown.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::changes::GrantChanges;
use super::trails::Trails;
use crate::iam::arn::account_of_arn;

const MICROS_PER_HOUR: i64 = 3_600_000_000;
const HOURS_PER_DAY: i64 = 24;
const MICROS_PER_DAY: i64 = HOURS_PER_DAY * MICROS_PER_HOUR;

/// Days of a window that nobody asked for: what AWS's own tools look back, and what most reviews ask for.
const DEFAULT_DAYS: i64 = 90;

/// Days with events from which on the silence of a region says something: others are silent for many reasons.
const BUSY_DAYS: usize = 7;

/// Days of silence of such a region that may be a gap of the logs.
const SILENT_DAYS: usize = 3;

/// Up to this number, the distinct resources of an action are counted.
pub const COUNTED_RESOURCES: u64 = 50;

/// What an entry of a set takes besides its text, about.
const ENTRY_BYTES: usize = 48;

/// Microseconds since 1970-01-01T00:00:00Z, from `since` on and before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First moment.
    pub since: i64,
    /// First moment after it.
    pub until: i64,
}

/// What the logs show in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The window.
    pub window: Window,
    /// Users and roles that made calls.
    pub principals: BTreeMap<PrincipalKey, PrincipalUse>,
    /// Accounts whose trail the logs hold.
    pub accounts: BTreeMap<String, AccountLog>,
    /// What the user told of the trails behind them; else it is inferred from what is there.
    pub trails: Trails,
    /// What changed since the window began in what principals may do.
    pub changes: GrantChanges,
}

/// Who: a role that was deleted and made again under the same name is another principal, and has another id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrincipalKey {
    /// ARN without session name, with the path; empty where records name the principal by its id alone, as those in the
    /// logs of another account do.
    pub arn: String,
    /// Id that is never used again, as `AROA…`; `None` where a record or snapshot does not say.
    pub unique_id: Option<String>,
}

/// What one principal did in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrincipalUse {
    /// First call of any kind.
    pub first_seen: Option<i64>,
    /// Last call of any kind.
    pub last_seen: Option<i64>,
    /// Regions that served its calls; not `aws-global`.
    pub regions: BTreeSet<String>,
    /// By full name of the action.
    pub actions: BTreeMap<String, ActionUse>,
    /// Event sources with a call that maps to no action, and one such call.
    pub unmapped: BTreeMap<String, String>,
    /// Subjects of the tokens with which Kubernetes service accounts took the role.
    pub service_accounts: BTreeSet<String>,
}

/// What one principal did with one action in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionUse {
    /// Calls that succeeded and needed it.
    pub used: u64,
    /// Of these, calls whose record names no resource.
    pub unnamed: u64,
    /// Calls that succeeded and may have needed it.
    pub uncertain: u64,
    /// Calls that were denied: attempts, no uses.
    pub denied: u64,
    /// Calls that failed for another reason than a lack of permission.
    pub failed: u64,
    /// First use.
    pub first_used: Option<i64>,
    /// Last use.
    pub last_used: Option<i64>,
    /// Last denied attempt.
    pub last_denied: Option<i64>,
    /// Regions that served the calls.
    pub regions: BTreeSet<String>,
    /// Distinct resources of the uses, counted up to [`COUNTED_RESOURCES`]; a larger number only says that there are more.
    pub resource_count: u64,
    /// ARNs of these resources, not necessarily of all.
    pub resources: BTreeSet<String>,
}

/// What the logs of one account hold in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountLog {
    /// Days with events, since 1970-01-01.
    pub days: BTreeSet<i64>,
    /// Objects of a day that could not be read whole.
    pub lost_objects: BTreeMap<i64, i64>,
    /// First event.
    pub first_event: Option<i64>,
    /// Last event.
    pub last_event: Option<i64>,
    /// Management events that are there.
    pub management: Recorded,
    /// Event sources with management events.
    pub sources: BTreeSet<String>,
    /// Data events that are there, by region and resource type.
    pub data: BTreeMap<(String, String), Recorded>,
    /// Regions that served calls; not `aws-global`.
    pub regions: BTreeSet<String>,
    /// Days of which runs that were told to leave out regions read all that is there, since 1970-01-01.
    pub partial_days: BTreeSet<i64>,
    /// Regions whose trail the logs are of: those that recorded the calls, and those that delivered objects.
    pub recorded_in: BTreeSet<String>,
    /// Days since 1970-01-01 of which each of them recorded calls or delivered objects.
    pub recorded_days: BTreeMap<String, BTreeSet<i64>>,
    /// When events were there that a trail may leave out.
    pub extents: BTreeMap<Stream, Extent>,
}

/// Events that a trail records only if it is told to, or unless it is told not to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Data events of a resource type in a region.
    Data {
        /// Region that served the calls.
        region: String,
        /// Resource type.
        resource_type: String,
        /// Whether they only read.
        is_read: bool,
    },
    /// Management events.
    Management {
        /// Whether they only read.
        is_read: bool,
    },
    /// Management events of an event source.
    Source(String),
}

/// The first and the last of some events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Time of the first.
    pub first: i64,
    /// Time of the last.
    pub last: i64,
}

/// Which of two kinds of events are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Events that only read.
    pub reads: bool,
    /// The others.
    pub writes: bool,
}

/// How much of a window the logs of an account cover.
///
/// An hour is lost if its whole day has no event; every object that cannot be read whole loses one hour more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Hours of the window.
    pub hours: i64,
    /// Hours of these that are lost.
    pub lost_hours: i64,
}

impl Window {
    /// From `since` to `until`; where they are not given, what the logs cover, at most the last 90 days of it.
    pub fn within(logs: Self, since: Option<i64>, until: Option<i64>) -> Self {
        let until = until.unwrap_or(logs.until);
        let earliest = until.saturating_sub(DEFAULT_DAYS * MICROS_PER_DAY);
        Self {
            since: since.unwrap_or(logs.since.max(earliest)),
            until,
        }
    }

    /// Whether no moment lies in it.
    pub fn is_empty(self) -> bool {
        self.since >= self.until
    }

    /// Length in days, rounded up.
    pub fn days(self) -> i64 {
        ceiling(self.until - self.since, MICROS_PER_DAY)
    }

    /// Days that have passed in it; negative if it ends before it begins.
    pub(super) fn whole_days(self) -> i64 {
        (self.until - self.since).div_euclid(MICROS_PER_DAY)
    }

    /// The days that it touches, each with the hours of it.
    fn hours_by_day(self) -> impl Iterator<Item = (i64, i64)> {
        let first = self.since.div_euclid(MICROS_PER_DAY);
        let end = ceiling(self.until, MICROS_PER_DAY);
        (first..end).map(move |day| {
            let start = self.since.max(day * MICROS_PER_DAY);
            let stop = self.until.min((day + 1) * MICROS_PER_DAY);
            (day, ceiling(stop - start, MICROS_PER_HOUR))
        })
    }
}

impl Usage {
    /// Memory that it takes, about.
    pub fn approximate_bytes(&self) -> usize {
        let texts = |texts: &BTreeSet<String>| -> usize { texts.iter().map(|text| ENTRY_BYTES + text.len()).sum() };
        let actions = |deeds: &PrincipalUse| -> usize {
            let uses = deeds.actions.iter();
            uses.map(|(action, it)| size_of::<ActionUse>() + action.len() + texts(&it.regions) + texts(&it.resources))
                .sum()
        };
        let principals = self.principals.iter();
        principals
            .map(|(key, deeds)| ENTRY_BYTES + size_of::<PrincipalUse>() + key.arn.len() + actions(deeds))
            .sum()
    }
}

impl PrincipalKey {
    /// Whether records name the principal by its id alone.
    pub fn is_id_alone(&self) -> bool {
        self.arn.is_empty()
    }

    /// The account in the ARN; none of a principal of AWS itself.
    pub fn account_id(&self) -> Option<&str> {
        account_of_arn(&self.arn)
    }

    /// Whether two keys of one ARN may mean one principal: an id that is not known contradicts none.
    pub fn may_be(&self, other: &Self) -> bool {
        match (&self.unique_id, &other.unique_id) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => true,
        }
    }
}

impl PrincipalUse {
    /// Adds what another part of the logs shows of the same principal.
    pub fn add(&mut self, other: &Self) {
        self.merge(other, |own, theirs| own + theirs);
    }

    /// Adds what the logs of other accounts show of the same principal: calls that its own account may have recorded, too, so
    /// that the larger number counts.
    pub fn add_copies(&mut self, other: &Self) {
        self.merge(other, u64::max);
    }

    fn merge(&mut self, other: &Self, joined: fn(u64, u64) -> u64) {
        self.first_seen = earlier(self.first_seen, other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.regions.extend(other.regions.iter().cloned());
        self.service_accounts.extend(other.service_accounts.iter().cloned());
        for (source, name) in &other.unmapped {
            self.unmapped.entry(source.clone()).or_insert_with(|| name.clone());
        }
        for (action, action_use) in &other.actions {
            let own = self.actions.entry(action.clone()).or_default();
            own.merge(action_use, joined);
        }
    }
}

impl ActionUse {
    fn merge(&mut self, other: &Self, joined: fn(u64, u64) -> u64) {
        for (own, theirs) in [
            (&mut self.used, other.used),
            (&mut self.unnamed, other.unnamed),
            (&mut self.uncertain, other.uncertain),
            (&mut self.denied, other.denied),
            (&mut self.failed, other.failed),
        ] {
            *own = joined(*own, theirs);
        }
        self.first_used = earlier(self.first_used, other.first_used);
        self.last_used = self.last_used.max(other.last_used);
        self.last_denied = self.last_denied.max(other.last_denied);
        self.regions.extend(other.regions.iter().cloned());
        // Resources of both parts are counted twice; the count then only says that the list is not complete.
        self.resource_count += other.resource_count;
        self.resources.extend(other.resources.iter().cloned());
    }
}

impl AccountLog {
    /// How much of a window the logs cover.
    pub fn coverage(&self, window: Window) -> Coverage {
        let mut coverage = Coverage {
            hours: 0,
            lost_hours: 0,
        };
        for (day, hours) in window.hours_by_day() {
            let lost_objects = self.lost_objects.get(&day).copied().unwrap_or_default();
            coverage.hours += hours;
            coverage.lost_hours += match self.days.contains(&day) {
                true => lost_objects.min(hours),
                false => hours,
            };
        }
        coverage
    }

    /// The same, where days count as lost too of which regions may have been left out.
    pub(super) fn coverage_of_all_regions(&self, window: Window) -> Coverage {
        let mut coverage = self.coverage(window);
        let partial = window.hours_by_day().filter(|(day, _)| self.partial_days.contains(day));
        let hours: i64 = partial.map(|(_, hours)| hours).sum();
        coverage.lost_hours = coverage.hours.min(coverage.lost_hours + hours);
        coverage
    }

    /// The same for what one region recorded; `None` if it is not told on which days.
    pub(super) fn coverage_of_region(&self, region: &str, window: Window) -> Option<Coverage> {
        let days = self.recorded_days.get(region)?.clone();
        let of_region = Self {
            days,
            lost_objects: self.lost_objects.clone(),
            ..Self::default()
        };
        Some(of_region.coverage(window))
    }

    /// Days for which a busy region is silent at the begin or the end of the account's days, if that is more than its habit.
    pub(super) fn cut_off_days(&self, region: &str) -> Option<usize> {
        let recorded = self.recorded_days.get(region)?;
        if recorded.len() < BUSY_DAYS {
            return None;
        }
        let mut silences = vec![0];
        for day in &self.days {
            match silences.last_mut() {
                Some(silence) if !recorded.contains(day) => *silence += 1,
                _ => silences.push(0),
            }
        }
        let [first, inner @ .., last] = silences.as_slice() else {
            return None;
        };
        let (edge, usual) = (*first.max(last), inner.iter().max().copied().unwrap_or_default());
        (edge >= SILENT_DAYS && edge > 2 * usual).then_some(edge)
    }

    /// Notes that events of a stream were there.
    pub fn note(&mut self, stream: Stream, seen: Extent) {
        let extent = self.extents.entry(stream).or_insert(seen);
        extent.first = extent.first.min(seen.first);
        extent.last = extent.last.max(seen.last);
    }
}

impl Recorded {
    /// Notes an event.
    pub fn note(&mut self, is_read: bool) {
        match is_read {
            true => self.reads = true,
            false => self.writes = true,
        }
    }
}

impl Coverage {
    /// Share of the hours that are covered; 0 for an empty window.
    pub fn share(self) -> f64 {
        let number = |hours: i64| u32::try_from(hours).map_or(f64::from(u32::MAX), f64::from);
        match self.hours {
            0 => 0.0,
            hours => number(hours - self.lost_hours) / number(hours),
        }
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn ceiling(number: i64, unit: i64) -> i64 {
    number.div_euclid(unit) + i64::from(number.rem_euclid(unit) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(first: i64, end: i64) -> Window {
        Window {
            since: first * MICROS_PER_DAY,
            until: end * MICROS_PER_DAY,
        }
    }

    fn log(days: impl IntoIterator<Item = i64>) -> AccountLog {
        AccountLog {
            days: days.into_iter().collect(),
            ..AccountLog::default()
        }
    }

    #[test]
    fn silent_day_loses_its_hours() {
        let coverage = log([10, 11, 13]).coverage(days(10, 14));
        assert_eq!((coverage.hours, coverage.lost_hours), (96, 24));
        assert!((coverage.share() - 0.75).abs() < 1e-9);
    }

    #[test]
    fn object_that_cannot_be_read_loses_an_hour() {
        let mut account = log([10, 11]);
        account.lost_objects = BTreeMap::from([(10, 1), (11, 30), (12, 5)]);
        assert_eq!(account.coverage(days(10, 12)).lost_hours, 25);
    }

    #[test]
    fn window_inside_of_days_counts_the_hours_that_it_touches() {
        let window = Window {
            since: 10 * MICROS_PER_DAY + MICROS_PER_HOUR / 2,
            until: 12 * MICROS_PER_DAY - 1,
        };
        assert_eq!((window.days(), log([10, 11]).coverage(window).hours), (2, 48));
    }

    #[test]
    fn bounds_that_are_not_given_are_those_of_the_logs_but_at_most_the_last_90_days() {
        let logs = days(0, 100);
        assert_eq!(Window::within(logs, None, None), days(10, 100));
        assert_eq!(Window::within(logs, None, Some(50 * MICROS_PER_DAY)), days(0, 50));
        assert_eq!(Window::within(logs, Some(0), None), logs);
        assert!(Window::within(logs, Some(100 * MICROS_PER_DAY), None).is_empty());
    }

    #[test]
    fn busy_region_that_falls_silent_is_cut_off_and_sparse_one_is_not() {
        let mut account = log(0..40);
        let mut cut_off = |days: Vec<i64>| {
            account.recorded_days = BTreeMap::from([("r".to_owned(), days.into_iter().collect())]);
            account.cut_off_days("r")
        };
        assert_eq!(cut_off((0..20).collect()), Some(20));
        assert_eq!(cut_off((5..40).collect()), Some(5));
        assert_eq!(cut_off((0..38).collect()), None);
        assert_eq!(cut_off((0..40).step_by(4).collect()), None);
        assert_eq!(cut_off(vec![0, 1, 2, 20]), None);
    }

    #[test]
    fn empty_window_is_not_covered() {
        assert!(log([10]).coverage(days(10, 10)).share().abs() < 1e-9);
    }
}
