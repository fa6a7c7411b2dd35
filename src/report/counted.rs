//! Counts as people read them.

use crate::policy::COUNTED_RESOURCES;

/// The number of resources, or that there are more than are counted.
pub(super) fn counted_resources(resources: u64) -> String {
    match resources > COUNTED_RESOURCES {
        true => format!("more than {COUNTED_RESOURCES}"),
        false => resources.to_string(),
    }
}

/// A count with its noun: `1 row`, `1,200 rows`.
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {noun}"),
        count => format!("{} {noun}s", format_count(count)),
    }
}

/// A count with its digits in groups of three.
pub fn format_count(count: impl TryInto<u64>) -> String {
    let digits = count.try_into().unwrap_or(u64::MAX).to_string();
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
    fn digits_are_grouped() {
        assert_eq!(format_count(1_u64), "1");
        assert_eq!(format_count(1_234_usize), "1,234");
        assert_eq!(format_count(1_234_567_i64), "1,234,567");
    }
}
