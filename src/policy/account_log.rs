//! What the logs of an account hold: what they could have shown.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::window::MICROS_PER_DAY;
use super::window::Window;

/// Days with events from which on the silence of a region says something: others are silent for many reasons.
const BUSY_DAYS: usize = 7;

/// Days of silence of such a region that may be a gap of the logs.
const SILENT_DAYS: usize = 3;
/// What the logs of one account hold in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountLog {
    /// Whether there are events of it that EventBridge passed on or LookupEvents found. Both leave out events, so that they
    /// prove uses and nothing else: the rest of this is about all others.
    pub has_excerpts: bool,
    /// Days with events, since 1970-01-01.
    pub days: BTreeSet<i64>,
    /// Objects of a day that could not be read whole, were gone when they were to be read, or are named by a digest and not there.
    pub lost_objects: BTreeMap<i64, i64>,
    /// Objects that could not be read whole and of whose day nothing is known: each may be of any.
    pub undated_lost_objects: i64,
    /// Events from before this moment have expired: silence before it says nothing.
    pub expired_before: Option<i64>,
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
    /// Names, in lower case, of roles whose credentials others than STS gave out.
    pub taken_otherwise: BTreeSet<String>,
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
/// An hour is lost if its whole day has no event; every object that is lost loses one hour more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Hours of the window.
    pub hours: i64,
    /// Hours of these that are lost.
    pub lost_hours: i64,
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
        coverage.lost_hours = match self.has_expired(window) {
            true => coverage.hours,
            false => coverage.hours.min(coverage.lost_hours + self.undated_lost_objects),
        };
        coverage
    }

    /// Whether a window begins before what has not expired.
    pub(super) fn has_expired(&self, window: Window) -> bool {
        self.expired_before.is_some_and(|before| window.since < before)
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
            undated_lost_objects: self.undated_lost_objects,
            expired_before: self.expired_before,
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

    /// The end of what the logs show: of those of everybody, if these reach beyond the window. A quiet account has digests.
    pub(super) fn end(&self, (window, logs_until): (Window, i64)) -> i64 {
        let recorded = self.recorded_days.values().filter_map(BTreeSet::last);
        let last_day = recorded.chain(self.days.last()).max();
        let last_day = last_day.map(|day| (day + 1).saturating_mul(MICROS_PER_DAY));
        match logs_until > window.until {
            true => logs_until,
            false => last_day.map_or(window.until, |end| end.min(window.until)),
        }
    }

    /// Notes that others than STS gave out credentials of a role. Not all of their records name it with its path.
    pub fn note_taken_otherwise(&mut self, role_arn: &str) {
        let name = role_arn.rsplit('/').next().unwrap_or(role_arn);
        self.taken_otherwise.insert(name.to_lowercase());
    }

    /// Trusts the objects of trails where their events may be copies of what came first in another way: these days and regions
    /// were recorded.
    pub fn trust_objects(&mut self) {
        if self.has_excerpts {
            self.days.extend(self.recorded_days.values().flatten());
            self.regions.extend(self.recorded_in.iter().cloned());
        }
    }

    /// Whether others than STS gave out credentials of a role.
    pub fn is_taken_otherwise(&self, role_arn: &str) -> bool {
        let name = role_arn.rsplit('/').next().unwrap_or(role_arn);
        self.taken_otherwise.contains(&name.to_lowercase())
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

#[cfg(test)]
mod tests {
    use super::super::window::days;
    use super::*;

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
        account.undated_lost_objects = 3;
        assert_eq!(account.coverage(days(10, 12)).lost_hours, 28);
        account.undated_lost_objects = 100;
        assert_eq!(account.coverage(days(10, 12)).lost_hours, 48);
    }

    #[test]
    fn window_that_begins_before_what_has_not_expired_is_not_covered_at_all() {
        let mut account = log(10..20);
        account.expired_before = Some(12 * MICROS_PER_DAY);
        assert_eq!(account.coverage(days(12, 20)).lost_hours, 0);
        let coverage = account.coverage(days(11, 20));
        assert_eq!(coverage.lost_hours, coverage.hours);
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
    fn days_without_events_whose_digests_are_there_belong_to_what_the_logs_show() {
        let mut account = log(0..31);
        let window = days(0, 40);
        let end_of = |account: &AccountLog| account.end((window, window.until)) / MICROS_PER_DAY;
        assert_eq!(end_of(&account), 31);
        account.recorded_days = BTreeMap::from([("r".to_owned(), (0..39).collect())]);
        assert_eq!(end_of(&account), 39);
    }

    #[test]
    fn objects_of_trails_cover_days_whose_events_came_first_in_another_way() {
        let mut account = log([]);
        account.recorded_in.insert("r".to_owned());
        account.recorded_days = BTreeMap::from([("r".to_owned(), (10..14).collect())]);
        account.trust_objects();
        assert!(account.days.is_empty());
        account.has_excerpts = true;
        account.trust_objects();
        assert_eq!(account.coverage(days(10, 14)).lost_hours, 0);
        assert_eq!(account.regions, account.recorded_in);
    }

    #[test]
    fn empty_window_is_not_covered() {
        assert!(log([10]).coverage(days(10, 10)).share().abs() < 1e-9);
    }
}
