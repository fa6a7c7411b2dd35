//! What a store holds and how it came to be.

use super::CommitCounts;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::error::Access;
use super::load::schema_version;
use super::statistics::StatisticValue;
use crate::schema::Table;

/// One entry of a table's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Version of the table that the entry made.
    pub version: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub committed_at_ms: Option<i64>,
    /// `CREATE TABLE`, `WRITE`, or the word of another tool.
    pub operation: Option<String>,
    /// The run that wrote it, for entries of `events`.
    pub run_id: Option<String>,
    /// Rows that it stored, for entries of `events`.
    pub counts: Option<CommitCounts>,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// The store's folder.
    pub location: String,
    /// The tables that the store has, in the order of [`Table::ALL`].
    pub tables: Vec<TableInfo>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Which table.
    pub table: Table,
    /// Version of the table's own log.
    pub version: u64,
    /// Version of `events` whose rows it has; of `usage`, up to which it has all, `None` when it must be made anew.
    pub events_version: Option<u64>,
    /// Number of data files.
    pub files: u64,
    /// Number of rows.
    pub rows: u64,
    /// Bytes of the data files.
    pub bytes: u64,
    /// Time of the first event in microseconds since 1970-01-01T00:00:00Z, for `events`; may be early by less than a
    /// millisecond.
    pub first_event_time: Option<i64>,
    /// Time of the last event, for `events`; may be late by less than a millisecond.
    pub last_event_time: Option<i64>,
    /// Version of the table layouts.
    pub schema_version: Option<u32>,
    /// Delta reader version that the table asks for.
    pub reader_version: i32,
    /// Delta writer version that the table asks for.
    pub writer_version: i32,
}

impl Store {
    /// The entries of a table's log that still exist, newest first, `limit` of them at most.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub async fn history(&self, table: Table, limit: Option<usize>) -> Result<Vec<Commit>, StoreError> {
        let newest = self.newest(table).await?.version();
        let mut commits = Vec::new();
        for version in (0..=newest).rev().take(limit.unwrap_or(usize::MAX)) {
            let Some(head) = self.commit_head(table, version).await? else {
                break;
            };
            commits.push(Commit {
                version,
                committed_at_ms: head.timestamp,
                operation: head.operation,
                counts: head.batch.as_ref().map(|record| record.counts),
                run_id: head.batch.map(|record| record.run_id),
            });
        }
        Ok(commits)
    }

    /// The entry of the log that made a version of `events`, as it lies there; `None` when the log no longer has it.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub async fn log_entry(&self, version: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let entry = self.log_store(Table::Events).read_commit_entry(version).await;
        let entry =
            entry.map_err(|source| StoreError::from_log(&self.table_folder(Table::Events), Access::Read, source))?;
        Ok(entry.map(|bytes| bytes.to_vec()))
    }

    /// When a version of `events` was written, milliseconds since 1970-01-01T00:00:00Z; `None` when the log no longer says.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub async fn committed_at_ms(&self, version: u64) -> Result<Option<i64>, StoreError> {
        Ok(self
            .commit_head(Table::Events, version)
            .await?
            .and_then(|head| head.timestamp))
    }

    /// Newest version of `events`, which is that of the whole store.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub async fn version(&self) -> Result<u64, StoreError> {
        Ok(self.newest(Table::Events).await?.version())
    }

    /// What the store holds.
    ///
    /// # Errors
    ///
    /// A log cannot be read.
    pub async fn info(&self) -> Result<StoreInfo, StoreError> {
        let mut tables = Vec::new();
        for table in self.tables().await? {
            let mut info = table_info(&self.snapshot(table).await?);
            if table == Table::Usage {
                info.events_version = self.usage_version().await?;
            }
            tables.push(info);
        }
        Ok(StoreInfo {
            location: self.location().display().to_string(),
            tables,
        })
    }
}

fn table_info(snapshot: &TableSnapshot) -> TableInfo {
    let times = || snapshot.files.iter().filter_map(|file| file.stats.column("event_time"));
    let protocol = snapshot.state.protocol();
    TableInfo {
        table: snapshot.table,
        version: snapshot.state.version(),
        events_version: Some(snapshot.version),
        files: snapshot.files.iter().map(|_| 1).sum(),
        rows: snapshot.rows(),
        bytes: snapshot.bytes(),
        first_event_time: times().filter_map(|column| microseconds(column.min.as_ref())).min(),
        last_event_time: times().filter_map(|column| microseconds(column.max.as_ref())).max(),
        schema_version: schema_version(&snapshot.state),
        reader_version: protocol.min_reader_version(),
        writer_version: protocol.min_writer_version(),
    }
}

fn microseconds(bound: Option<&StatisticValue>) -> Option<i64> {
    match bound {
        Some(StatisticValue::Timestamp(microseconds)) => Some(*microseconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::CLOCK;
    use super::super::testing::TestStore;
    use super::super::testing::batch;
    use super::*;
    use crate::schema;

    #[tokio::test]
    async fn history_tells_run_and_rows_of_each_commit_newest_first() {
        let test = TestStore::create().await;
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let staged = vec![test.stage(&["a", "b"]), test.stage(&["c"])];
        test.store
            .commit(&basis, batch(staged, &[("s3://logs/1", "partial")], 4))
            .await
            .unwrap();
        let commits = test.reopen().await.history(Table::Events, None).await.unwrap();
        assert_eq!(commits.len(), 2);
        assert_eq!(
            commits[0],
            Commit {
                version: 1,
                committed_at_ms: Some(CLOCK / 1000),
                operation: Some("WRITE".to_owned()),
                run_id: Some("run-1".to_owned()),
                counts: Some(CommitCounts {
                    files: 2,
                    events: 3,
                    objects: 1,
                    rejects: 4
                }),
            }
        );
        assert_eq!(
            (commits[1].version, commits[1].operation.as_deref()),
            (0, Some("CREATE TABLE"))
        );
        assert_eq!(test.store.history(Table::Events, Some(1)).await.unwrap(), commits[..1]);
    }

    #[tokio::test]
    async fn info_counts_files_rows_and_names_the_period() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a", "b"]).await;
        test.commit("s3://logs/2", &["c"]).await;
        let info = test.reopen().await.info().await.unwrap();
        let events = &info.tables[0];
        assert_eq!(
            (events.table, events.version, events.files, events.rows),
            (Table::Events, 2, 2, 3)
        );
        assert_eq!(
            (events.first_event_time, events.last_event_time),
            (Some(CLOCK), Some(CLOCK + 1_000_000))
        );
        assert_eq!(
            (events.schema_version, events.reader_version, events.writer_version),
            (Some(schema::SCHEMA_VERSION), 1, 2)
        );
        assert!(events.bytes > 0);
        assert_eq!((info.tables[1].rows, info.tables[2].rows), (2, 0));
        assert_eq!(info.tables[1].first_event_time, None);
    }
}
