//! The time that a comparison is about.

/// Microseconds of an hour.
pub(super) const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// Microseconds of a day.
pub(super) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// Days of a window that nobody asked for: what AWS's own tools look back, and what most reviews ask for.
const DEFAULT_DAYS: i64 = 90;
/// Microseconds since 1970-01-01T00:00:00Z, from `since` on and before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First moment.
    pub since: i64,
    /// First moment after it.
    pub until: i64,
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
    pub(super) fn hours_by_day(self) -> impl Iterator<Item = (i64, i64)> {
        let first = self.since.div_euclid(MICROS_PER_DAY);
        let end = ceiling(self.until, MICROS_PER_DAY);
        (first..end).map(move |day| {
            let start = self.since.max(day * MICROS_PER_DAY);
            let stop = self.until.min((day + 1) * MICROS_PER_DAY);
            (day, ceiling(stop - start, MICROS_PER_HOUR))
        })
    }
}

fn ceiling(number: i64, unit: i64) -> i64 {
    number.div_euclid(unit) + i64::from(number.rem_euclid(unit) > 0)
}

/// From the begin of a day since 1970-01-01 to that of another.
#[cfg(test)]
pub(super) fn days(first: i64, end: i64) -> Window {
    Window {
        since: first * MICROS_PER_DAY,
        until: end * MICROS_PER_DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_are_not_given_are_those_of_the_logs_but_at_most_the_last_90_days() {
        let logs = days(0, 100);
        assert_eq!(Window::within(logs, None, None), days(10, 100));
        assert_eq!(Window::within(logs, None, Some(50 * MICROS_PER_DAY)), days(0, 50));
        assert_eq!(Window::within(logs, Some(0), None), logs);
        assert!(Window::within(logs, Some(100 * MICROS_PER_DAY), None).is_empty());
    }

    #[test]
    fn window_inside_of_days_counts_the_hours_that_it_touches() {
        let window = Window {
            since: 10 * MICROS_PER_DAY + MICROS_PER_HOUR / 2,
            until: 12 * MICROS_PER_DAY - 1,
        };
        let hours: Vec<(i64, i64)> = window.hours_by_day().collect();
        assert_eq!((window.days(), hours), (2, vec![(10, 24), (11, 24)]));
    }
}
