//! Records of days that have expired: nobody can tell whether their events were in the store, so none of them is stored.
//!
//! One row of `rejects` tells of all those of an object, however many they are: old logs that are read once more would
//! otherwise bring a row for every record.

use jiff::Span;
use jiff::civil::Date;
use jiff::civil::date;

use crate::decode::Reject;

const EPOCH: Date = date(1970, 1, 1);
const ONE: &str = " record of a day before ";
const MANY: &str = " records of days before ";

/// Records of one object whose days have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExpiredRecords {
    /// How many.
    pub(super) count: u64,
    /// Position of the first among the records of the object, from 0.
    pub(super) first: i64,
}

impl ExpiredRecords {
    pub(super) fn one(record_index: i64) -> Self {
        Self {
            count: 1,
            first: record_index,
        }
    }

    /// Adds others of the same object.
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
    }

    /// The row for all of them; days since 1970-01-01 before this one have expired.
    pub(super) fn reject(self, before: i32) -> Reject {
        let day = EPOCH.saturating_add(Span::new().days(before));
        let (records, have) = match self.count {
            1 => (ONE, "has"),
            _ => (MANY, "have"),
        };
        Reject {
            record_index: self.first,
            byte_offset: 0,
            byte_length: 0,
            reason: format!("{}{records}{day}, which {have} expired", self.count),
            raw: Vec::new(),
        }
    }
}

/// How many records a row tells of by its reason; `None` for a row about something else.
pub(super) fn count_of(reason: &str) -> Option<u64> {
    let (count, _) = reason.split_once(MANY).or_else(|| reason.split_once(ONE))?;
    count.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_says_how_many_records_it_stands_for() {
        let mut records = ExpiredRecords::one(7);
        let reject = records.reject(19_725);
        assert_eq!(reject.reason, "1 record of a day before 2024-01-03, which has expired");
        assert_eq!(count_of(&reject.reason), Some(1));
        records.add(ExpiredRecords { count: 41, first: 3 });
        let reject = records.reject(19_725);
        assert_eq!(
            (reject.record_index, reject.reason.as_str()),
            (3, "42 records of days before 2024-01-03, which have expired")
        );
        assert_eq!(count_of(&reject.reason), Some(42));
        assert_eq!(count_of("is larger than 1 MiB, and 3 more records"), None);
    }
}
