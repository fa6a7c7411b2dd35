//! Values of conditions by their types: decimal numbers, moments, networks.

use std::cmp::Ordering;
use std::net::IpAddr;

/// A decimal number of any size, compared exactly.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decimal<'a> {
    is_negative: bool,
    /// Digits before the point, without leading zeros.
    whole: &'a str,
    /// Digits behind the point, without trailing zeros.
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads an integer or a decimal fraction; `None` for anything else, exponents included.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || unsigned.ends_with('.') {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self {
            is_negative: text.starts_with('-') && !is_zero,
            whole,
            fraction,
        })
    }

    /// Which is greater.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let size = |left: &Self, right: &Self| {
            let whole = left.whole.len().cmp(&right.whole.len());
            let whole = whole.then_with(|| left.whole.cmp(right.whole));
            whole.then_with(|| left.fraction.cmp(right.fraction))
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// Reads a moment as nanoseconds since 1970: a date of ISO 8601 in one of the forms of the W3C, or seconds since 1970.
///
/// A lone number of four digits could be a year or seconds and is not read.
pub(in crate::policy) fn moment(text: &str) -> Option<i128> {
    const NANOSECONDS: i128 = 1_000_000_000;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let is_year = digits.len() == 4;
        return if is_year {
            None
        } else {
            text.parse().ok().map(|seconds: i128| seconds * NANOSECONDS)
        };
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let days = days_since_1970(date)?;
    let nanoseconds = time.map_or(Some(0), time_of_day)?;
    Some(i128::from(days) * 86_400 * NANOSECONDS + nanoseconds)
}

/// Whether an address lies in a network, or is the address that stands in its place; `None` where one cannot be read.
pub(super) fn is_in_network(address: &str, network: &str) -> Option<bool> {
    let address: IpAddr = address.parse().ok()?;
    let (start, prefix) = match network.split_once('/') {
        Some((start, prefix)) => (start, Some(prefix)),
        None => (network, None),
    };
    let start: IpAddr = start.parse().ok()?;
    let prefix: Option<u32> = match prefix {
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => Some(prefix.parse().ok()?),
        Some(_) => return None,
        None => None,
    };
    match (address, start) {
        (IpAddr::V4(address), IpAddr::V4(start)) => {
            let host_bits = 32_u32.checked_sub(prefix.unwrap_or(32))?;
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            Some(address.to_bits() & mask == start.to_bits() & mask)
        }
        (IpAddr::V6(address), IpAddr::V6(start)) => {
            let is_within = |prefix: u32| {
                let mask = u128::MAX.checked_shl(128_u32.checked_sub(prefix)?).unwrap_or(0);
                Some(address.to_bits() & mask == start.to_bits() & mask)
            };
            match prefix {
                Some(prefix) => is_within(prefix),
                // "If you specify an IP address without the associated routing prefix, IAM uses the default prefix value of
                // /32": whether that is so for addresses of 128 bits too is not said.
                None => is_within(32).filter(|is_near| Some(*is_near) == is_within(128)),
            }
        }
        (_, IpAddr::V4(_)) => (prefix.unwrap_or(0) <= 32).then_some(false),
        (_, IpAddr::V6(_)) => (prefix.unwrap_or(0) <= 128).then_some(false),
    }
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn days_since_1970(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |month| number(month, 2))?;
    let day = parts.next().map_or(Some(1), |day| number(day, 2))?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=days_of_month).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.s`, each with `Z` or `±hh:mm`: nanoseconds since midnight, UTC.
fn time_of_day(text: &str) -> Option<i128> {
    let (time, offset_minutes) = match text.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let (time, offset) = text.split_at_checked(text.rfind(['+', '-'])?)?;
            let (hours, minutes) = offset.get(1..)?.split_once(':')?;
            let minutes = number(hours, 2)? * 60 + number(minutes, 2)?;
            (time, if offset.starts_with('-') { -minutes } else { minutes })
        }
    };
    let mut parts = time.split(':');
    let (hours, minutes) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let (seconds, fraction) = match parts.next() {
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            (number(whole, 2)?, number(&format!("{fraction:0<9}"), 9)?)
        }
        None => (0, 0),
    };
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let seconds = (hours * 60 + minutes - offset_minutes) * 60 + seconds;
    Some(i128::from(seconds) * 1_000_000_000 + i128::from(fraction))
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_not_by_text() {
        let order = |left: &str, right: &str| Decimal::parse(left).unwrap().compare(&Decimal::parse(right).unwrap());
        for (left, right, wanted) in [
            ("9", "10", Ordering::Less),
            ("007", "7.0", Ordering::Equal),
            ("-3", "2", Ordering::Less),
            ("-3", "-2.5", Ordering::Less),
            ("-0", "0.0", Ordering::Equal),
            ("1.05", "1.5", Ordering::Less),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
        ] {
            assert_eq!(order(left, right), wanted, "{left} {right}");
        }
        for text in ["", "-", "x", "1e3", "1.", ".5", "1.2.3", "0x1", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_read_in_every_form() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2020-02-29T12:00:00Z", 1_582_977_600),
            ("2020-02-29", 1_582_934_400),
            ("2020-03", 1_583_020_800),
            ("2020-03-01T01:30+01:30", 1_583_020_800),
            ("2020-02-29T22:30:00-01:30", 1_583_020_800),
            ("1583020800", 1_583_020_800),
            ("-86400", -86_400),
            ("1969-12-31", -86_400),
        ] {
            assert_eq!(moment(text), Some(seconds * 1_000_000_000), "{text}");
        }
        assert_eq!(moment("1970-01-01T00:00:00.25Z"), Some(250_000_000));
        for text in [
            "",
            "2020",
            "2020-13",
            "2021-02-29",
            "2020-01-01T00:00:00",
            "2020-01-01T24:00Z",
            "soon",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        for (address, network, wanted) in [
            ("203.0.113.7", "203.0.113.0/24", Some(true)),
            ("203.0.114.7", "203.0.113.9/24", Some(false)),
            ("203.0.113.7", "203.0.113.7", Some(true)),
            ("203.0.113.7", "0.0.0.0/0", Some(true)),
            ("203.0.113.7", "::/0", Some(false)),
            ("2001:db8::1", "2001:DB8:0::/32", Some(true)),
            ("2001:db8::1", "2001:db8:0:0:0:0:0:1", Some(true)),
            ("2001:db8::1", "2001:db9::1", Some(false)),
            ("2001:db8::1", "2001:db8::2", None),
            ("2001:db8::1", "2001:db8::/129", None),
            ("2001:db8::1", "10.0.0.0/8", Some(false)),
            ("203.0.113.7", "203.0.113.0/33", None),
            ("203.0.113.7", "203.0.113.0/+8", None),
            ("AWS Internal", "10.0.0.0/8", None),
        ] {
            assert_eq!(is_in_network(address, network), wanted, "{address} {network}");
        }
    }
}
