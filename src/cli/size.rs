//! Sizes and counts as people write and read them.

pub(super) use crate::report::counted;
pub(super) use crate::report::format_count;

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

/// Writes a size with the unit that leaves at least one and less than 1024 of it.
pub(super) fn format_size(bytes: u64) -> String {
    const NAMES: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1 << 10 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut names = NAMES.into_iter();
    let mut name = names.next().unwrap_or_default();
    for larger in names {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        name = larger;
    }
    format!("{}.{} {name}", tenths / 10, tenths % 10)
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
    fn sizes_are_shown_in_the_fitting_unit() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (5 << 40, "5.0 TiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(format_size(bytes), text);
        }
    }

    #[test]
    fn one_of_something_has_no_plural() {
        assert_eq!(counted(1_usize, "row"), "1 row");
        assert_eq!(counted(0_u64, "row"), "0 rows");
        assert_eq!(counted(1_200_i64, "row"), "1,200 rows");
    }
}
