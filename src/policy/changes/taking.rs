//! Whether the use of a role begins late in a window.

use std::collections::BTreeSet;

use crate::policy::window::MICROS_PER_DAY;
use crate::policy::window::Window;

/// Days of silence at the begin of a window from which on someone may just have set up the way to a role.
const SILENT_DAYS: i64 = 3;

/// Whether a role was silent for long before it was taken, measured by its longest silence afterwards; days are since
/// 1970-01-01.
///
/// A job that runs once a week is silent for six days before and between its runs; one that was set up late is silent
/// before them alone.
pub(super) fn begins_late(days: &BTreeSet<i64>, window: Window) -> bool {
    let Some(first) = days.first() else {
        return false;
    };
    let before = first - window.since.div_euclid(MICROS_PER_DAY);
    let end = (window.until - 1).div_euclid(MICROS_PER_DAY) + 1;
    let next = days.iter().skip(1).chain([&end]);
    let longest = days.iter().zip(next).map(|(day, next)| next - day - 1).max();
    before >= SILENT_DAYS && before > 2 * longest.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::window::days;

    #[test]
    fn role_begins_late_if_it_was_never_silent_for_so_long_afterwards() {
        let late = |taken: &[i64]| begins_late(&taken.iter().copied().collect(), days(100, 141));
        assert!(late(&[140]));
        assert!(late(
            &[103, 104, 105, 106, 107]
                .into_iter()
                .chain(108..141)
                .collect::<Vec<_>>()
        ));
        assert!(late(&[120, 127, 134]));
        assert!(!late(&[106, 113, 120, 127, 134]));
        assert!(!late(&[102]));
        assert!(!late(&[112]));
        assert!(!late(&[]));
    }
}
