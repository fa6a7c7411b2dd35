//! Expiry: events of old days go, what is summed of them and the ledger stay.
//!
//! One log entry takes the files of whole days out and notes in the properties of the table which days have expired. It is
//! made directly above a version of which the rollup has all events, so that nothing goes that is not summed. Afterwards no
//! row of such a day comes again: nobody could tell it from one that was there (see `ingest`).
//!
//! A rollup that is made anew takes over the rows of expired days as they are, whatever facts they were told by.

use arrow::array::AsArray;
use arrow::array::BooleanArray;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Date32Type;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use deltalake::kernel::Action;
use deltalake::kernel::Metadata;
use deltalake::kernel::MetadataExt;
use deltalake::table::config::TablePropertiesExt;
use deltalake::table::state::DeltaTableState;
use uuid::Uuid;

use super::DataFile;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::UsageRollup;
use super::actions;
use super::actions::ATTEMPTS;
use super::commit::Landing;
use super::error::Access;
use super::log;
use super::log::BatchRecord;
use super::parquet_file::rows_error;
use super::staged::laid_out;
use super::statistics::StatisticValue;
use super::statistics::day_text;
use super::statistics::parse_day;
use super::usage::FILE_ROWS;
use crate::failpoint::Point;
use crate::schema;
use crate::schema::Table;

/// Property of `events`: the first day that has not expired.
const HORIZON_PROPERTY: &str = "trimtrail.eventsExpiredBefore";
const SECONDS_PER_DAY: u64 = 86_400;

/// What expiry took out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The days, in order.
    pub days: Vec<ExpiredDay>,
    /// The last version of the store that shows their events, as long as the log remembers it.
    pub last_version: u64,
    /// How long that is: days from the moment on.
    pub kept_days: u64,
}

/// The events of one day that expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiredDay {
    /// Days since 1970-01-01.
    pub event_date: i32,
    /// Data files.
    pub files: u64,
    /// Events.
    pub rows: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

impl TableSnapshot {
    /// Of `events`: the first day, since 1970-01-01, that has not expired; `None` when none has.
    pub fn expired_before(&self) -> Option<i32> {
        expired_before(&self.state)
    }
}

impl Store {
    /// The days before another one, since 1970-01-01, of which there are events; in order.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub async fn days_before(&self, before: i32) -> Result<Vec<ExpiredDay>, StoreError> {
        Ok(days(&self.snapshot(Table::Events).await?, before))
    }

    /// Takes the events of all days before another one, since 1970-01-01, out of the store; what was taken.
    ///
    /// # Errors
    ///
    /// The rollup lacks events of the newest version, or was told by other facts than these; the log cannot be read or
    /// written.
    pub async fn expire(
        &self,
        before: i32,
        facts: &str,
        (run_id, committed_at): (&str, i64),
    ) -> Result<Expiry, StoreError> {
        let record = BatchRecord {
            run_id: run_id.to_owned(),
            batch: Uuid::new_v4().to_string(),
            ..BatchRecord::default()
        };
        let metadata = Some(self.record_value(&record)?);
        for _ in 0..ATTEMPTS {
            let basis = self.snapshot(Table::Events).await?;
            let retention = basis.state.table_config().log_retention_duration();
            let expired = Expiry {
                days: days(&basis, before),
                last_version: basis.version,
                kept_days: retention.as_secs() / SECONDS_PER_DAY,
            };
            if expired.days.is_empty() && basis.expired_before() >= Some(before) {
                return Ok(expired);
            }
            if let UsageRollup::Behind(_) = self.usage_rollup(basis.version, facts).await? {
                return Err(StoreError::RollupBehind {
                    path: self.location().display().to_string(),
                });
            }
            let info = log::commit_info("EXPIRE", committed_at, Some(basis.version), metadata.clone());
            let noted = self.with_horizon(&basis.state, before)?;
            let mut entry = vec![info, Action::Metadata(noted)];
            entry.extend(basis.files.iter().filter(|file| is_before(file, before)).map(|file| {
                let removed = actions::removal(Table::Events, file, committed_at);
                Action::Remove(removed)
            }));
            let points = [Point::ExpiryPut, Point::ExpiryLanded, Point::ExpiryUnseen];
            match self.append_entry(&basis.state, &record, entry, points).await? {
                Landing::Stored(_) => {
                    drop(self.repair(committed_at).await);
                    return Ok(expired);
                }
                Landing::Beaten => {}
                Landing::Failed(error) => return Err(error),
            }
        }
        Err(StoreError::Busy {
            path: self.location().display().to_string(),
            attempts: ATTEMPTS,
        })
    }

    /// The table's description with the days that have expired; never fewer than before.
    fn with_horizon(&self, state: &DeltaTableState, before: i32) -> Result<Metadata, StoreError> {
        let before = expired_before(state).map_or(before, |known| known.max(before));
        let failed = |error| StoreError::from_log(&self.table_folder(Table::Events), Access::Write, error);
        let day = day_text(before).unwrap_or_default();
        let metadata = state.metadata().clone();
        metadata
            .add_config_key(HORIZON_PROPERTY.to_owned(), day)
            .map_err(|error| failed(error.into()))
    }

    /// The first day that has not expired at a version of the store.
    pub(super) async fn expired_before_at(&self, version: u64) -> Result<Option<i32>, StoreError> {
        let events = self.newest(Table::Events).await?;
        if expired_before(&events).is_none() || events.version() <= version {
            return Ok(expired_before(&events));
        }
        Ok(self.snapshot_at(Table::Events, version).await?.expired_before())
    }

    /// Writes the rows of a rollup that are of expired days as files that no table contains yet, each of so many bytes in
    /// memory at most, or little more; blocks.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written; nothing stays then.
    pub fn stage_expired_usage(
        &self,
        usage: &TableSnapshot,
        before: i32,
        most_bytes: usize,
    ) -> Result<Vec<StagedFile>, StoreError> {
        let mut rows = ExpiredRows {
            store: self,
            before,
            most_bytes,
            waiting: Vec::new(),
            bytes: 0,
            rows: 0,
            staged: Vec::new(),
        };
        let mut files = usage.files.iter().filter(|file| may_reach_before(file, before));
        let staged = files.try_for_each(|file| rows.take(file)).and_then(|()| rows.write());
        match staged {
            Ok(()) => Ok(rows.staged),
            Err(error) => {
                self.discard(rows.staged);
                Err(error)
            }
        }
    }
}

/// Rows of expired days on their way into new files.
struct ExpiredRows<'a> {
    store: &'a Store,
    before: i32,
    most_bytes: usize,
    waiting: Vec<RecordBatch>,
    /// Memory and number of the rows that wait.
    bytes: usize,
    rows: usize,
    staged: Vec<StagedFile>,
}

impl ExpiredRows<'_> {
    fn take(&mut self, file: &DataFile) -> Result<(), StoreError> {
        let layout = schema::usage();
        let names: Vec<&str> = layout.fields().iter().map(|field| field.name().as_str()).collect();
        let (path, batches) = self.store.read_columns(Table::Usage, file, &names)?;
        for batch in batches {
            let picked = batch.and_then(|batch| rows_before(&batch, &layout, self.before));
            let picked = picked.map_err(|source| rows_error(&path, source))?;
            self.bytes += picked.get_array_memory_size();
            self.rows += picked.num_rows();
            self.waiting.push(picked);
            if self.rows >= FILE_ROWS || self.bytes >= self.most_bytes {
                self.write()?;
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let rows = concat_batches(&schema::usage(), self.waiting.iter());
        let rows = rows.map_err(|source| rows_error(&self.store.table_folder(Table::Usage), source))?;
        self.waiting.clear();
        (self.bytes, self.rows) = (0, 0);
        if rows.num_rows() > 0 {
            self.staged.push(self.store.stage_usage(&rows)?);
        }
        Ok(())
    }
}

/// Rows of the rollup that are of days before another one.
fn rows_before(batch: &RecordBatch, layout: &SchemaRef, before: i32) -> Result<RecordBatch, ArrowError> {
    let rows = laid_out(batch, layout)?;
    let days = rows.column(layout.index_of("day")?).as_primitive_opt::<Date32Type>();
    let is_before: BooleanArray = match days {
        Some(days) => days
            .iter()
            .map(|day| Some(day.is_some_and(|day| day < before)))
            .collect(),
        None => vec![false; rows.num_rows()].into(),
    };
    filter_record_batch(&rows, &is_before)
}

/// Whether all rows of a file of the rollup are of days before another one.
pub(super) fn is_of_days_before(file: &DataFile, before: i32) -> bool {
    file.stats.column("day").is_some_and(|days| {
        let is_before = matches!(days.max, Some(StatisticValue::Date(last)) if last < before);
        is_before && days.null_count == Some(0)
    })
}

fn may_reach_before(file: &DataFile, before: i32) -> bool {
    let first = file.stats.column("day").and_then(|days| days.min.as_ref());
    !matches!(first, Some(StatisticValue::Date(first)) if *first >= before)
}

fn expired_before(state: &DeltaTableState) -> Option<i32> {
    parse_day(state.metadata().configuration().get(HORIZON_PROPERTY)?)
}

fn is_before(file: &DataFile, before: i32) -> bool {
    file.event_date.is_some_and(|day| day < before)
}

/// Files lie in order of their days.
fn days(events: &TableSnapshot, before: i32) -> Vec<ExpiredDay> {
    let mut days: Vec<ExpiredDay> = Vec::new();
    for file in events.files.iter().filter(|file| is_before(file, before)) {
        let event_date = file.event_date.unwrap_or_default();
        if days.last().is_none_or(|day| day.event_date != event_date) {
            days.push(ExpiredDay {
                event_date,
                files: 0,
                rows: 0,
                bytes: 0,
            });
        }
        if let Some(day) = days.last_mut() {
            day.files += 1;
            day.rows += file.rows;
            day.bytes += file.size;
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::super::testing::CLOCK;
    use super::super::testing::DAY;
    use super::super::testing::TestStore;
    use super::*;

    #[tokio::test]
    async fn events_that_no_rollup_has_do_not_expire() {
        let test = TestStore::create().await;
        let before = test.commit("s3://logs/1", &["a"]).await;
        let error = test.store.expire(DAY + 1, "facts", ("run-e", CLOCK)).await.unwrap_err();
        assert!(matches!(error, StoreError::RollupBehind { .. }), "{error:?}");
        let after = test.reopen().await.snapshot(Table::Events).await.unwrap();
        assert_eq!(
            (after.version, after.rows(), after.expired_before()),
            (before.version, 1, None)
        );
        assert_eq!(test.store.days_before(DAY + 1).await.unwrap().len(), 1);
        assert_eq!(test.store.days_before(DAY).await.unwrap(), []);
    }

    #[tokio::test]
    async fn horizon_goes_forward_only() {
        let test = TestStore::create().await;
        for (before, horizon) in [(DAY, DAY), (DAY + 3, DAY + 3), (DAY - 5, DAY + 3)] {
            test.store.expire(before, "facts", ("run-e", CLOCK)).await.unwrap();
            let events = test.reopen().await.snapshot(Table::Events).await.unwrap();
            assert_eq!(events.expired_before(), Some(horizon));
        }
        let first = test.store.snapshot_at(Table::Events, 1).await.unwrap();
        assert_eq!(first.expired_before(), Some(DAY));
    }
}
