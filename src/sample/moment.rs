//! Points in time of the estate, in whole UTC seconds as CloudTrail writes them, and the text forms AWS gives them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Weekday;
use jiff::tz::Offset;

/// Seconds of a minute, an hour and a day.
pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3600;
pub(super) const DAY: i64 = 86_400;

/// A UTC second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

impl Moment {
    /// Midnight at the start of `date`.
    pub(super) fn start_of(date: Date) -> Self {
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        // Only dates within a day of jiff's limits have no time stamp; the epoch is as good as any there.
        Self(Offset::UTC.to_timestamp(midnight).map_or(0, Timestamp::as_second))
    }

    /// A time stamp, its fraction cut off.
    pub(super) fn at(timestamp: Timestamp) -> Self {
        Self(timestamp.as_second())
    }

    /// The moment `seconds` later.
    pub(super) const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Rounded up to a multiple of five minutes, the rhythm of CloudTrail's deliveries.
    pub(super) const fn next_delivery(self) -> Self {
        let step = 5 * MINUTE;
        Self(self.0.saturating_add(step - 1).div_euclid(step) * step)
    }

    /// Whole seconds since `earlier`, negative when `earlier` is later.
    pub(super) const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The UTC day.
    pub(super) fn date(self) -> Date {
        self.civil().date()
    }

    /// The hour of the day, 0–23.
    pub(super) const fn hour(self) -> i64 {
        self.0.rem_euclid(DAY) / HOUR
    }

    /// Whether the day is a Saturday or Sunday.
    pub(super) fn is_weekend(self) -> bool {
        matches!(self.date().weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// `2026-09-01T08:30:00Z`, the form of `eventTime`.
    pub(super) fn iso(self) -> String {
        let time = self.civil();
        format!(
            "{}T{:02}:{:02}:{:02}Z",
            time.date(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }

    /// `2026-09-01T08:30:00+00:00`, the form of IAM's answers.
    pub(super) fn iso_offset(self) -> String {
        self.iso().replace('Z', "+00:00")
    }

    /// `20260901T0830Z`, the form of log file names.
    pub(super) fn minute_stamp(self) -> String {
        let time = self.civil();
        format!("{}T{:02}{:02}Z", self.path_day("", ""), time.hour(), time.minute())
    }

    /// `20260901T083000Z`, the form of digest file names.
    pub(super) fn second_stamp(self) -> String {
        let time = self.civil();
        format!(
            "{}T{:02}{:02}{:02}Z",
            self.path_day("", ""),
            time.hour(),
            time.minute(),
            time.second()
        )
    }

    /// `2026/09/01`, the day folders of object keys.
    pub(super) fn day_folders(self) -> String {
        self.path_day("/", "/")
    }

    /// `Sep 1, 2026, 8:30:00 AM` with the narrow no-break space that newer Java locales put before `AM`.
    pub(super) fn locale_text(self) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let time = self.civil();
        let month = usize::try_from(time.month())
            .ok()
            .and_then(|month| MONTHS.get(month - 1))
            .unwrap_or(&"Jan");
        let (hour, half) = match time.hour() {
            0 => (12, "AM"),
            hour @ 1..=11 => (hour, "AM"),
            12 => (12, "PM"),
            hour => (hour - 12, "PM"),
        };
        let (day, year, minute, second) = (time.day(), time.year(), time.minute(), time.second());
        format!("{month} {day}, {year}, {hour}:{minute:02}:{second:02}\u{202f}{half}")
    }

    fn path_day(self, first: &str, second: &str) -> String {
        let date = self.date();
        format!("{:04}{first}{:02}{second}{:02}", date.year(), date.month(), date.day())
    }

    fn civil(self) -> DateTime {
        Offset::UTC.to_datetime(Timestamp::from_second(self.0).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::DAY;
    use super::HOUR;
    use super::Moment;

    #[test]
    fn text_forms_are_those_of_aws() {
        let moment = Moment::start_of(date(2026, 9, 1)).plus(13 * HOUR + 62);
        assert_eq!(moment.iso(), "2026-09-01T13:01:02Z");
        assert_eq!(moment.iso_offset(), "2026-09-01T13:01:02+00:00");
        assert_eq!(moment.minute_stamp(), "20260901T1301Z");
        assert_eq!(moment.second_stamp(), "20260901T130102Z");
        assert_eq!(moment.day_folders(), "2026/09/01");
        assert_eq!(moment.locale_text(), "Sep 1, 2026, 1:01:02\u{202f}PM");
    }

    #[test]
    fn delivery_is_the_next_multiple_of_five_minutes() {
        let midnight = Moment::start_of(date(2026, 9, 5));
        assert_eq!(midnight.next_delivery(), midnight);
        assert_eq!(midnight.plus(1).next_delivery(), midnight.plus(300));
        assert!(midnight.is_weekend());
        assert!(!midnight.plus(2 * DAY).is_weekend());
    }
}
