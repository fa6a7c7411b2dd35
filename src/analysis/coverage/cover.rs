//! Which times the digests of an account and region are about, of whatever trail.

use super::model::HOUR;
use crate::policy::Window;

/// What CloudTrail's own digests may leave between them: they follow each other to the second.
pub(super) const TOLERANCE: i64 = 60_000_000;

/// Times that digests cover within a window.
#[derive(Debug)]
pub(super) struct Cover {
    /// In order, apart from each other.
    spans: Vec<(i64, i64)>,
    window: Window,
}

/// How far digests are about an hour, or about what the window has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HourCover {
    /// All of it.
    Whole,
    /// Not in this time, the longest of those left out.
    Part(i64, i64),
    /// Nothing of it.
    Nothing,
}

impl Cover {
    /// The times of digests, start and end, in any order.
    pub(super) fn new(mut times: Vec<(i64, i64)>, window: Window) -> Self {
        times.retain(|(start, end)| start < end);
        times.sort_unstable();
        let mut spans: Vec<(i64, i64)> = Vec::new();
        for (start, end) in times {
            match spans.last_mut() {
                Some((_, last)) if start <= *last => *last = end.max(*last),
                _ => spans.push((start, end)),
            }
        }
        Self { spans, window }
    }

    /// Whether a digest is about this moment.
    pub(super) fn covers(&self, moment: i64) -> bool {
        let behind = self.spans.partition_point(|(start, _)| *start <= moment);
        let span = behind.checked_sub(1).and_then(|position| self.spans.get(position));
        span.is_some_and(|(_, end)| moment < *end)
    }

    /// The hour of a number since 1970-01-01T00:00:00Z.
    pub(super) fn hour(&self, hour: i64) -> HourCover {
        let start = hour.saturating_mul(HOUR).max(self.window.since);
        let end = hour.saturating_add(1).saturating_mul(HOUR).min(self.window.until);
        self.between(start, end)
    }

    /// A time, also one outside of the window.
    pub(super) fn between(&self, start: i64, end: i64) -> HourCover {
        let mut rests: Vec<(i64, i64)> = Vec::new();
        let mut position = start;
        let first = self.spans.partition_point(|(_, behind)| *behind <= start);
        let spans = self.spans.iter().skip(first).take_while(|(begin, _)| *begin < end);
        for (begin, behind) in spans {
            rests.push((position, *begin));
            position = *behind;
        }
        rests.push((position, end));
        let length = |(start, end): &(i64, i64)| end.saturating_sub(*start).max(0);
        let uncovered: i64 = rests.iter().map(length).sum();
        match rests.into_iter().max_by_key(length) {
            _ if uncovered >= end.saturating_sub(start) => HourCover::Nothing,
            Some((start, end)) if uncovered > TOLERANCE => HourCover::Part(start, end),
            _ => HourCover::Whole,
        }
    }
}

/// The numbers of the hours that a time touches for more than digests may leave between them.
pub(super) fn touched(start: i64, end: i64) -> impl Iterator<Item = i64> {
    let hours = start.div_euclid(HOUR)..=end.saturating_sub(1).div_euclid(HOUR);
    hours.filter(move |hour| {
        let begin = hour.saturating_mul(HOUR).max(start);
        let behind = hour.saturating_add(1).saturating_mul(HOUR).min(end);
        behind.saturating_sub(begin) > TOLERANCE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn hour(times: &[(i64, i64)], window: (i64, i64)) -> HourCover {
        let micros = |(start, end): &(i64, i64)| (start * MINUTE, end * MINUTE);
        let (since, until) = micros(&window);
        Cover::new(times.iter().map(micros).collect(), Window { since, until }).hour(1)
    }

    fn part(start: i64, end: i64) -> HourCover {
        HourCover::Part(start * MINUTE, end * MINUTE)
    }

    #[test]
    fn hour_is_covered_whole_in_part_or_not() {
        let day = (0, 1_440);
        for (times, window, wanted) in [
            (vec![(0, 61), (61, 121)], day, HourCover::Whole),
            (vec![(90, 150), (30, 90)], day, HourCover::Whole),
            (vec![(0, 80), (81, 120)], day, HourCover::Whole),
            (vec![(0, 80), (82, 120)], day, part(80, 82)),
            (vec![(20, 80), (105, 165)], day, part(80, 105)),
            (vec![(90, 150)], day, part(60, 90)),
            (vec![(0, 60), (120, 180)], day, HourCover::Nothing),
            (vec![(70, 70)], day, HourCover::Nothing),
            // What lies outside of the window is not asked for.
            (vec![(90, 150)], (90, 1_440), HourCover::Whole),
            (vec![(0, 100)], (0, 100), HourCover::Whole),
            (vec![], (60, 61), HourCover::Nothing),
        ] {
            assert_eq!(hour(&times, window), wanted, "{times:?}");
        }
    }

    #[test]
    fn hours_that_a_time_touches_are_those_of_more_than_a_minute() {
        let touched = |start: i64, end: i64| touched(start * MINUTE, end * MINUTE).collect::<Vec<_>>();
        assert_eq!(touched(150, 210), [2, 3]);
        assert_eq!(touched(119, 181), [2]);
        assert_eq!(touched(120, 180), [2]);
        assert_eq!(touched(120, 120), [0_i64; 0]);
    }
}
