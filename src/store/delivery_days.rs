//! Days of delivery that a look at the ledger is about.

use super::DataFile;
use super::statistics::StatisticValue;

/// Days of delivery of the objects that the ledger is asked for: its files of other days are not read, so that what a look
/// costs does not grow with the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryDays {
    /// First and last, days since 1970-01-01.
    span: Option<(i32, i32)>,
    /// There are objects whose names tell no day.
    has_unknown: bool,
}

impl DeliveryDays {
    /// Any day, and none.
    pub const ALL: Self = Self {
        span: Some((i32::MIN, i32::MAX)),
        has_unknown: true,
    };

    /// Whether a file of the ledger may have a row of one of them.
    pub(super) fn may_be_in(&self, file: &DataFile) -> bool {
        let Some(column) = file.stats.column("delivery_date") else {
            return true;
        };
        let has_unknown = self.has_unknown && column.null_count != Some(0);
        let has_day = self.span.is_some_and(|(first, last)| match (&column.min, &column.max) {
            (Some(StatisticValue::Date(min)), Some(StatisticValue::Date(max))) => first <= *max && *min <= last,
            // Without bounds there are no days, if that is known.
            _ => column.null_count.is_none() || column.null_count != file.stats.rows,
        });
        has_unknown || has_day
    }
}

impl FromIterator<Option<i32>> for DeliveryDays {
    fn from_iter<T: IntoIterator<Item = Option<i32>>>(days: T) -> Self {
        let none = Self {
            span: None,
            has_unknown: false,
        };
        days.into_iter().fold(none, |all, day| match (day, all.span) {
            (None, span) => Self {
                span,
                has_unknown: true,
            },
            (Some(day), span) => {
                let (first, last) = span.unwrap_or((day, day));
                Self {
                    span: Some((first.min(day), last.max(day))),
                    ..all
                }
            }
        })
    }
}
