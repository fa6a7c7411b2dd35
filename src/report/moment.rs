//! Moments in documents that are not made of columns.

use jiff::Timestamp;

/// RFC 3339 in UTC, from microseconds since 1970-01-01T00:00:00Z.
pub(super) fn moment(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}
