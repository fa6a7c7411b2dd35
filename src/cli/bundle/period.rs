//! `2026Q3` and the like.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::error::CliError;
use crate::cli::log_coverage;
use crate::cli::time::parse_time_option;
use crate::event::format_canonical;
use crate::policy::Window;

/// Reads a year, a quarter, a month, or `FROM..TO`.
///
/// # Errors
/// Wrong usage, which says how a period is written.
pub(in crate::cli) fn parse_period(text: &str, now: Timestamp) -> Result<Window, CliError> {
    let bounds = match text.split_once("..") {
        Some((from, to)) => {
            let time = |text: &str| parse_time_option("--period", text, now);
            Some((time(from)?, time(to)?))
        }
        None => calendar(text.trim()),
    };
    let Some((since, until)) = bounds else {
        return Err(CliError::Usage {
            message: format!("`--period` cannot be `{text}`"),
            hint: Some("a period is `2026Q3`, `2026-07`, `2026` or `2026-07-01..2026-10-01`".to_owned()),
        });
    };
    let window = Window {
        since: since.as_microsecond(),
        until: until.as_microsecond(),
    };
    log_coverage::check(window)?;
    Ok(window)
}

/// How a period is called: as it was written, but for bounds that stand for another time each day.
pub(in crate::cli) fn period_text(text: &str, window: Window) -> String {
    let Some((from, to)) = text.split_once("..") else {
        return text.trim().to_owned();
    };
    let bound = |text: &str, moment: i64| match text.trim() {
        date if date.get(4..5) == Some("-") => date.to_owned(),
        _ => format_canonical(moment).unwrap_or_default(),
    };
    format!("{}..{}", bound(from, window.since), bound(to, window.until))
}

/// A year, a quarter or a month.
fn calendar(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (year, rest) = text.split_at_checked(4)?;
    let year: i16 = year.parse().ok().filter(|year| *year > 0)?;
    let (month, months) = match rest.strip_prefix(['Q', 'q']) {
        Some(quarter) => {
            let quarter: i8 = quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
            (quarter * 3 - 2, 3)
        }
        None if rest.is_empty() => (1, 12),
        None => {
            let month = rest.strip_prefix('-').filter(|month| month.len() == 2)?;
            (month.parse().ok()?, 1)
        }
    };
    let first = Date::new(year, month, 1).ok()?;
    let end = first.checked_add(months.months()).ok()?;
    let start_of = |date: Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp());
    Some((start_of(first)?, start_of(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Window, CliError> {
        parse_period(text, Timestamp::UNIX_EPOCH)
    }

    fn shown(window: Window) -> String {
        let time = |micros| Timestamp::from_microsecond(micros).unwrap();
        format!("{} {}", time(window.since), time(window.until))
    }

    #[test]
    fn periods_are_read_in_every_form() {
        for (text, wanted) in [
            ("2026Q3", "2026-07-01T00:00:00Z 2026-10-01T00:00:00Z"),
            ("2026q4", "2026-10-01T00:00:00Z 2027-01-01T00:00:00Z"),
            ("2026-12", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z"),
            ("2026", "2026-01-01T00:00:00Z 2027-01-01T00:00:00Z"),
            (
                "2026-09-01..2026-09-15T12:00:00Z",
                "2026-09-01T00:00:00Z 2026-09-15T12:00:00Z",
            ),
        ] {
            assert_eq!(shown(read(text).unwrap()), wanted, "{text}");
        }
    }

    #[test]
    fn period_is_called_by_times_that_stay() {
        for (text, wanted) in [
            (" 2026Q3 ", "2026Q3"),
            ("2026-09-01..2026-09-15", "2026-09-01..2026-09-15"),
            ("T-30d..T-1d", "1969-12-02T00:00:00Z..1969-12-31T00:00:00Z"),
            ("1969-12-01..now", "1969-12-01..1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(period_text(text, read(text).unwrap()), wanted, "{text}");
        }
    }

    #[test]
    fn other_text_is_wrong_usage() {
        for text in [
            "",
            "Q3",
            "2026Q5",
            "2026Q0",
            "2026-13",
            "2026-1",
            "20261",
            "2026-09-02..2026-09-01",
            "x..y",
        ] {
            assert_eq!(
                read(text).unwrap_err().exit_status(),
                crate::cli::ExitStatus::Usage,
                "{text}"
            );
        }
    }
}
