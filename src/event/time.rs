//! `eventTime`: one canonical form in real files, several in exports and test data.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// 0001-01-01T00:00:00Z in microseconds since 1970-01-01T00:00:00Z.
const FIRST_MOMENT: i64 = -62_135_596_800_000_000;

/// A moment read from a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTime {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub microseconds: i64,
    /// Whether [`format_canonical`] gives the original text back.
    pub canonical: bool,
}

/// Reads `eventTime` or `creationDate`.
///
/// Real files hold `YYYY-MM-DDTHH:MM:SSZ`; a space for the `T`, fractions, a lower-case `z`, offsets and stray spaces
/// are understood too. Returns `None` for anything else, and for moments outside the years 1 to 9999: other programs
/// cannot name their days. The very last ones of 9999 are left out too, because a time zone could move them on.
pub fn parse_event_time(text: &str) -> Option<EventTime> {
    read(text).filter(|time| (FIRST_MOMENT..=Timestamp::MAX.as_microsecond()).contains(&time.microseconds))
}

fn read(text: &str) -> Option<EventTime> {
    if let Some(microseconds) = parse_canonical(text.as_bytes()) {
        return Some(EventTime {
            microseconds,
            canonical: true,
        });
    }
    let compact: String = text.trim().replace(": ", ":");
    let timestamp = compact.to_ascii_uppercase().parse::<Timestamp>().ok().or_else(|| {
        compact
            .parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })?;
    Some(EventTime {
        microseconds: timestamp.as_microsecond(),
        canonical: false,
    })
}

/// Writes `YYYY-MM-DDTHH:MM:SSZ`, the form of `eventTime` in CloudTrail files; fractions are cut.
///
/// Returns `None` for a moment outside the years that a calendar can name.
pub fn format_canonical(microseconds: i64) -> Option<String> {
    let timestamp = Timestamp::from_microsecond(microseconds).ok()?;
    Some(timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn parse_canonical(text: &[u8]) -> Option<i64> {
    let &[
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
        b'Z',
    ] = text
    else {
        return None;
    };
    let year = two_digits(y0, y1)? * 100 + two_digits(y2, y3)?;
    let month = two_digits(m0, m1)?;
    let day = two_digits(d0, d1)?;
    let (hour, minute, second) = (two_digits(h0, h1)?, two_digits(n0, n1)?, two_digits(s0, s1)?);
    let real_date = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    if !real_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000_000)
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let valid = tens.is_ascii_digit() && ones.is_ascii_digit();
    valid.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the civil calendar, after Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_that_other_programs_cannot_name_are_no_times() {
        for text in [
            "0000-06-01T00:00:00Z",
            "0001-01-01T00:00:00+05:00",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(parse_event_time(text), None, "{text}");
        }
        for text in ["0001-01-01T00:00:00Z", "9999-12-30T21:00:00Z"] {
            let time = parse_event_time(text).unwrap();
            assert_eq!(format_canonical(time.microseconds).as_deref(), Some(text));
        }
    }

    #[test]
    fn canonical_time_round_trips() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2023-07-10T09:08:07Z",
            "2024-02-29T23:59:59Z",
            "1969-12-31T23:59:59Z",
        ] {
            let time = parse_event_time(text).unwrap();
            assert!(time.canonical, "{text}");
            assert_eq!(format_canonical(time.microseconds).unwrap(), text);
            assert_eq!(text.parse::<Timestamp>().unwrap().as_microsecond(), time.microseconds);
        }
    }

    #[test]
    fn other_spellings_are_read_but_not_canonical() {
        let wanted = parse_event_time("2021-05-04T21:22:54Z").unwrap().microseconds;
        for text in [
            "2021-05-04 21:22:54",
            "2021-05-04T21:22:54.000Z",
            "2021-05-04T21:22:54z",
            "2021-05-04T21: 22: 54Z",
            " 2021-05-04T21:22:54Z",
            "2021-05-04T23:22:54+02:00",
        ] {
            let time = parse_event_time(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((time.microseconds, time.canonical), (wanted, false), "{text}");
        }
    }

    #[test]
    fn impossible_times_are_refused() {
        for text in [
            "",
            "yesterday",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "1688560107",
        ] {
            assert_eq!(parse_event_time(text), None, "{text}");
        }
    }
}
