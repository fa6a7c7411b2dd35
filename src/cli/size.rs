//! Sizes in bytes as people write and read them.

/// Units with their factors; the decimal ones are those of disk vendors.
const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads `1048576`, `512MiB`, `2GiB`, `64k` or `10 MB`.
///
/// # Errors
/// When the text is no whole number with one of the units, or too large.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let digits = trimmed.trim_end_matches(|character: char| !character.is_ascii_digit());
    let unit = trimmed
        .strip_prefix(digits)
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let bytes = digits
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor));
    bytes.ok_or_else(|| "a size is written `512MiB`, `2GiB` or as a number of bytes".to_owned())
}

/// Writes a count with its digits in groups of three.
pub(super) fn format_count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_common_spelling() {
        let cases = [
            ("1048576", 1 << 20),
            ("512MiB", 512 << 20),
            ("2 GiB", 2 << 30),
            ("64k", 64 << 10),
            ("10mb", 10_000_000),
            ("0", 0),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_size_is_refused() {
        for text in ["", "MiB", "-1", "1.5GiB", "10 parsecs", "99999999999GiB", "1MiB2"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(format_count(1), "1");
        assert_eq!(format_count(1_234), "1,234");
        assert_eq!(format_count(1_234_567), "1,234,567");
    }
}
