//! What an estate is made from.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::civil::date;

use super::SampleError;

/// The settings of an estate. The same settings give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstateConfig {
    /// Decides every id, time and choice.
    pub seed: u64,
    /// About how many background events to write; planted ones come on top.
    pub events: u64,
    /// The first day of the window, UTC.
    pub first_day: Date,
    /// The length of the window. Planted scenes lie within 14 days; a shorter window has fewer of them.
    pub days: u32,
    /// How records are cut into objects.
    pub object_size: ObjectSize,
    /// Whether session tokens are as long as real ones: they hardly compress, so a small sample goes without.
    pub full_tokens: bool,
}

impl Default for EstateConfig {
    /// The settings of the committed `sample-logs/`.
    fn default() -> Self {
        Self {
            seed: 1,
            events: 10_000,
            first_day: date(2026, 9, 1),
            days: 14,
            object_size: ObjectSize::RealLife,
            full_tokens: false,
        }
    }
}

/// How large log objects are. An object also ends with the UTC day, because its key carries the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectSize {
    /// Skewed as in real buckets: many small and few large ones, median about 20 KB and mean about 60 KB compressed.
    RealLife,
    /// All about equally large.
    Fixed {
        /// Compressed bytes of one object.
        gzip_bytes: u64,
    },
}

impl FromStr for ObjectSize {
    type Err = SampleError;

    /// Reads `real-life`, or a number of compressed bytes such as `2k` or `50m`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "real-life" {
            return Ok(Self::RealLife);
        }
        let (digits, unit) = match text.strip_suffix('k') {
            Some(digits) => (digits, 1_000),
            None => text.strip_suffix('m').map_or((text, 1), |digits| (digits, 1_000_000)),
        };
        let bytes = digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit))
            .filter(|bytes| *bytes > 0);
        let gzip_bytes = bytes.ok_or_else(|| SampleError::ObjectSize { text: text.to_owned() })?;
        Ok(Self::Fixed { gzip_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectSize;

    #[test]
    fn object_sizes_are_read_with_and_without_unit() {
        assert_eq!("real-life".parse::<ObjectSize>().unwrap(), ObjectSize::RealLife);
        for (text, gzip_bytes) in [("2k", 2_000), ("50m", 50_000_000), ("123", 123)] {
            assert_eq!(text.parse::<ObjectSize>().unwrap(), ObjectSize::Fixed { gzip_bytes });
        }
    }

    #[test]
    fn an_object_size_that_is_none_is_refused() {
        for text in ["", "0", "k", "2g", "-1", "99999999999999999999", "99999999999999999m"] {
            assert!(text.parse::<ObjectSize>().is_err(), "{text}");
        }
    }
}
