//! Small pictures of a review: calls per week as columns.

use jiff::Timestamp;
use serde::Serialize;

use crate::report::counted::format_count;

/// Room of one week, in units of the picture.
const STEP: usize = 10;
/// Weeks that a picture has room for at least: few are no reason for wide columns.
const LEAST_WEEKS: usize = 13;
/// Height of the picture.
const HEIGHT: u64 = 100;
/// Height of the lowest column that there is.
const LEAST: u64 = 6;

const SECONDS_PER_DAY: i64 = 86_400;

/// Calls per week as columns, the highest as high as the picture.
#[derive(Debug, Serialize)]
pub(super) struct Columns {
    width: usize,
    height: u64,
    columns: Vec<Column>,
    /// What it shows, for those who cannot see it.
    label: String,
}

#[derive(Debug, Serialize)]
struct Column {
    x: usize,
    y: u64,
    height: u64,
    title: String,
}

impl Columns {
    /// A picture of weeks, each by its first day since 1970-01-01 and its calls.
    pub(super) fn of(weeks: &[(i64, u64)]) -> Self {
        let most = weeks.iter().map(|(_, calls)| *calls).max().unwrap_or_default();
        let columns = weeks.iter().enumerate().map(|(position, (start, calls))| {
            let scaled = calls.saturating_mul(HEIGHT).checked_div(most).unwrap_or_default();
            let height = if *calls == 0 { 0 } else { scaled.max(LEAST) };
            Column {
                x: position * STEP + 1,
                y: HEIGHT - height,
                height,
                title: format!("week of {}: {} calls", day(*start), format_count(*calls)),
            }
        });
        let calls: u64 = weeks.iter().map(|(_, calls)| calls).sum();
        let label = match weeks {
            [] => "no weeks".to_owned(),
            [first, ..] => format!(
                "calls per week, {} to {}: {} in all, {} in the busiest",
                day(first.0),
                day(weeks.last().unwrap_or(first).0),
                format_count(calls),
                format_count(most)
            ),
        };
        Self {
            width: weeks.len().max(LEAST_WEEKS) * STEP,
            height: HEIGHT,
            columns: columns.collect(),
            label,
        }
    }
}

/// A day since 1970-01-01 as a date.
fn day(day: i64) -> String {
    let time = Timestamp::from_second(day.saturating_mul(SECONDS_PER_DAY)).unwrap_or_default();
    time.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busiest_week_fills_the_height_and_few_calls_are_still_seen() {
        let columns = Columns::of(&[(20_696, 0), (20_703, 1), (20_710, 4_000)]);
        let heights: Vec<(u64, u64)> = columns.columns.iter().map(|it| (it.y, it.height)).collect();
        assert_eq!(heights, [(100, 0), (94, 6), (0, 100)]);
        assert_eq!(columns.width, 130);
        assert_eq!(columns.columns[2].title, "week of 2026-09-14: 4,000 calls");
        assert_eq!(
            columns.label,
            "calls per week, 2026-08-31 to 2026-09-14: 4,001 in all, 4,000 in the busiest"
        );
        assert_eq!(Columns::of(&[(20_696, 0)]).columns[0].height, 0);
        assert_eq!(Columns::of(&[]).label, "no weeks");
    }
}
