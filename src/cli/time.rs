//! Times as options say them.

use jiff::Timestamp;

use super::error::CliError;
use crate::query::parse_time;

/// Reads what a time option says: a day, an RFC 3339 time, or a span back from `now` such as `T-90d`, `90d` or `12h`.
///
/// # Errors
/// Wrong usage, which names the option.
pub(super) fn parse_time_option(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let now_micros = now.as_microsecond();
    let parsed = parse_time(text, now_micros).or_else(|forms| {
        // `90d` alone means the last ninety days; only a number begins a span.
        let is_span = text.trim().starts_with(|character: char| character.is_ascii_digit());
        let back = is_span
            .then(|| parse_time(&format!("T-{}", text.trim()), now_micros).ok())
            .flatten();
        back.ok_or(forms)
    });
    let microseconds = parsed.map_err(|forms| CliError::Usage {
        message: format!("`{option}` cannot be `{text}`"),
        hint: Some(forms),
    })?;
    Timestamp::from_microsecond(microseconds).map_err(|_| {
        CliError::usage(format!(
            "`{option}` cannot be `{text}`: it lies outside of the calendar"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, CliError> {
        // 2026-09-15T10:00:00Z
        let now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(497_074);
        parse_time_option("--from", text, now).map(|time| time.to_string())
    }

    #[test]
    fn times_are_read_in_every_form() {
        let cases = [
            ("2026-09-01", "2026-09-01T00:00:00Z"),
            ("2026-09-01T12:30:00Z", "2026-09-01T12:30:00Z"),
            ("2026-09-01T12:30:00+02:00", "2026-09-01T10:30:00Z"),
            ("T-90d", "2026-06-17T10:00:00Z"),
            ("90d", "2026-06-17T10:00:00Z"),
            ("12h", "2026-09-14T22:00:00Z"),
            ("now", "2026-09-15T10:00:00Z"),
        ];
        for (text, time) in cases {
            assert_eq!(read(text).unwrap(), time, "{text}");
        }
    }

    #[test]
    fn other_text_is_wrong_usage_that_names_option_and_forms() {
        for text in ["", "yesterday", "2026-13-01", "-90d", "90", "d"] {
            let error = read(text).unwrap_err();
            assert_eq!(error.exit_status(), crate::cli::ExitStatus::Usage, "{text}");
            assert!(
                error.to_string().contains("`--from`") && error.hint().is_some(),
                "{text}: {error}"
            );
        }
    }
}
