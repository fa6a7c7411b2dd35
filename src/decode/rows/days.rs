//! Rows in the order in which files hold them, day by day.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::NO_ENTRY;
use super::RowBuffer;
use super::arrays::Arrays;
use crate::decode::columns::DictionaryColumn;
use crate::decode::fields::Field;

/// Bits that hold a time of day in microseconds; 27 are left for the principals of a buffer.
const TIME_OF_DAY_BITS: u32 = 37;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Rows of one partition day, sorted by account, principal and time, nulls first.
#[derive(Debug, Clone)]
pub struct DayRows {
    /// Days since 1970-01-01, UTC; `None` for records without a readable `eventTime`.
    pub event_date: Option<i32>,
    /// Columns of [`crate::schema::events_file`].
    pub batch: RecordBatch,
}

impl RowBuffer {
    /// Position of every row's record in its object.
    pub fn record_indexes(&self) -> &[i64] {
        &self.record_indexes
    }

    /// Sorts the rows that `keep` names into partition days and hands them out in order of the days, one at a time, so that
    /// only one stands beside the buffer.
    ///
    /// `keep` has one entry per row.
    pub fn for_each_day<E: From<ArrowError>>(
        &self,
        keep: &[bool],
        mut take: impl FnMut(DayRows) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = self.sorted_rows(keep);
        for rows in rows.chunk_by(|&left, &right| self.event_date(left) == self.event_date(right)) {
            let event_date = rows.first().and_then(|&row| self.event_date(row));
            take(DayRows {
                event_date,
                batch: Arrays::new(self, rows).batch()?,
            })?;
        }
        Ok(())
    }

    /// All rows in the order in which they came, as columns of [`crate::schema::events_file`].
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let rows: Vec<usize> = (0..self.rows()).collect();
        Arrays::new(self, &rows).batch()
    }

    fn event_date(&self, row: usize) -> Option<i32> {
        let time = (*self.times.get(row)?)?;
        i32::try_from(time.div_euclid(MICROSECONDS_PER_DAY)).ok()
    }

    fn sorted_rows(&self, keep: &[bool]) -> Vec<usize> {
        let [principals, ..] = self.identities.principals();
        let account = self.dictionaries.get(Field::RecipientAccountId as usize);
        let account_ranks = account.map(DictionaryColumn::ranks).unwrap_or_default();
        let principal_ranks = principals.ranks();
        // Ranks begin with 1, so that nulls come first.
        let rank = |ranks: &[u32], code: i32| {
            let rank = usize::try_from(code).ok().and_then(|code| ranks.get(code));
            u64::from(rank.copied().unwrap_or_default())
        };
        let mut keys: Vec<(u64, u64, usize)> = Vec::with_capacity(keep.len());
        for (row, _) in keep.iter().enumerate().filter(|(_, keep)| **keep) {
            let day = self
                .event_date(row)
                .map_or(0, |day| u64::from(day.abs_diff(i32::MIN)) + 1);
            let time = self.times.get(row).copied().flatten().unwrap_or_default();
            let time_of_day = time.rem_euclid(MICROSECONDS_PER_DAY).unsigned_abs();
            let account = account.map_or(0, |column| rank(&account_ranks, column.code_at(row)));
            let identity = self.identity_rows.get(row).copied().unwrap_or(NO_ENTRY);
            let principal = rank(&principal_ranks, principals.code_at(identity));
            keys.push((day << 31 | account, principal << TIME_OF_DAY_BITS | time_of_day, row));
        }
        keys.sort_unstable();
        keys.into_iter().map(|(_, _, row)| row).collect()
    }
}
