//! A table at one version: its data files, what is known of them, and where they lie.

use std::sync::Arc;

use deltalake::kernel::Add;
use deltalake::table::state::DeltaTableState;
use url::Url;

use super::StagedFile;
use super::Store;
use super::StoreError;
use super::compact;
use super::error::Access;
use super::log;
use super::repair::Pending;
use super::statistics::FileStatistics;
use super::statistics::StatisticsColumns;
use super::statistics::parse_day;
use super::usage;
use crate::schema;
use crate::schema::Table;

/// Operations that put rows of several versions of `events` in the place of others.
const REPLACING: [&str; 2] = [compact::OPERATION, usage::OPERATION];

/// One data file of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Path below [`TableSnapshot::root`], `/` between its parts, not percent-encoded.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Number of rows.
    pub rows: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub modified_at_ms: i64,
    /// Partition of `events`: days since 1970-01-01, `None` for events without a readable time.
    pub event_date: Option<i32>,
    /// Bounds and null counts of the table's statistics columns.
    pub stats: FileStatistics,
    /// The whole file is sorted by account, principal and time, ascending, nulls first.
    pub sorted: bool,
}

/// A file with the version of `events` that its tag states.
pub(super) type KnownFile = (Arc<DataFile>, Option<u64>);

/// A table at one version.
#[derive(Debug, Clone)]
pub struct TableSnapshot {
    /// Version of `events` whose rows the snapshot shows. It is the version of the whole store: the rows of `objects`
    /// and `rejects` belong to a version of `events`, too.
    pub version: u64,
    /// Which table.
    pub table: Table,
    /// URL of the table's folder, ends in a slash.
    pub root: Url,
    /// All data files, by day and path.
    pub files: Vec<Arc<DataFile>>,
    /// State of the Delta log, for commits to `events`; that of `events` while the table is not made.
    pub(super) state: DeltaTableState,
}

impl TableSnapshot {
    /// Number of rows of the table.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all data files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

impl Store {
    /// The table at the store's newest version.
    ///
    /// `objects` and `rejects` include the rows of batches that a crash kept from reaching their own logs.
    ///
    /// # Errors
    ///
    /// The log cannot be read, or was written by a newer version of this program.
    pub async fn snapshot(&self, table: Table) -> Result<TableSnapshot, StoreError> {
        let events = self.newest(Table::Events).await?;
        match table {
            Table::Events => self.events_snapshot(events),
            _ => self.derived_snapshot(table, events.version(), events).await,
        }
    }

    /// The table at an older version of the store, that is of `events`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchVersion`] when the version does not exist, or not any more.
    pub async fn snapshot_at(&self, table: Table, version: u64) -> Result<TableSnapshot, StoreError> {
        let events = self.newest(Table::Events).await?;
        let newest = events.version();
        let no_such_version = || StoreError::NoSuchVersion {
            path: self.location().display().to_string(),
            requested: version,
            newest,
        };
        if version > newest {
            return Err(no_such_version());
        }
        match table {
            Table::Events if version == newest => self.events_snapshot(events),
            Table::Events => match self.load_version(table, version).await {
                Ok(state) => self.events_snapshot(state),
                Err(_) if self.commit_head(table, version).await?.is_none() => Err(no_such_version()),
                Err(error) => Err(StoreError::from_log(&self.table_folder(table), Access::Read, error)),
            },
            _ => self.derived_snapshot(table, version, events).await,
        }
    }

    /// The snapshot after a commit to `events`: the files before it and those it added.
    pub(super) fn extend(
        &self,
        basis: &TableSnapshot,
        state: DeltaTableState,
        added: impl Iterator<Item = DataFile>,
    ) -> TableSnapshot {
        let mut files = basis.files.clone();
        files.extend(added.map(Arc::new));
        TableSnapshot {
            version: state.version(),
            table: basis.table,
            root: basis.root.clone(),
            files: ordered(files),
            state,
        }
    }

    pub(super) fn events_snapshot(&self, state: DeltaTableState) -> Result<TableSnapshot, StoreError> {
        let files = self
            .files(Table::Events, &state)?
            .into_iter()
            .map(|(file, _)| file)
            .collect();
        let root = self.location().table_url(Table::Events);
        Ok(TableSnapshot {
            version: state.version(),
            table: Table::Events,
            root,
            files: ordered(files),
            state,
        })
    }

    async fn derived_snapshot(
        &self,
        table: Table,
        version: u64,
        events: DeltaTableState,
    ) -> Result<TableSnapshot, StoreError> {
        if !self.is_made(table).await? {
            return Ok(TableSnapshot {
                version,
                table,
                root: self.location().table_url(table),
                files: Vec::new(),
                state: events,
            });
        }
        let Some(state) = self.derived_state(table, version).await? else {
            return Err(StoreError::NoSuchVersion {
                path: self.location().display().to_string(),
                requested: version,
                newest: events.version(),
            });
        };
        let pending = self.pending(table, &state, version).await?;
        self.derived_files(table, version, (state, pending))
    }

    /// A state of a derived table that can tell the rows of a version of `events` from those of later ones: the newest, or
    /// the one before later rows were compacted or made anew. `None` when the log has that no longer.
    pub(super) async fn derived_state(
        &self,
        table: Table,
        version: u64,
    ) -> Result<Option<DeltaTableState>, StoreError> {
        let state = self.newest(table).await?;
        if self.tells_apart(table, &state, version).await? {
            return Ok(Some(state));
        }
        for entry in (1..=state.version()).rev() {
            let Some(head) = self.commit_head(table, entry).await? else {
                return Ok(None);
            };
            if !head.operation.is_some_and(|operation| REPLACING.contains(&&*operation)) {
                continue;
            }
            let before = match self.load_version(table, entry - 1).await {
                Ok(before) => before,
                Err(_) if self.commit_head(table, entry - 1).await?.is_none() => return Ok(None),
                Err(error) => return Err(StoreError::from_log(&self.table_folder(table), Access::Read, error)),
            };
            if self.tells_apart(table, &before, version).await? {
                return Ok(Some(before));
            }
        }
        Ok(None)
    }

    async fn tells_apart(&self, table: Table, state: &DeltaTableState, version: u64) -> Result<bool, StoreError> {
        if self.compacted(table, state).await? > version {
            return Ok(false);
        }
        Ok(match table {
            Table::Usage => self.usage_base(state).await?.is_none_or(|base| base <= version),
            _ => true,
        })
    }

    /// The table at a version of `events`, by one state of its log and what that lacks.
    pub(super) fn derived_files(
        &self,
        table: Table,
        version: u64,
        (state, pending): (DeltaTableState, Pending),
    ) -> Result<TableSnapshot, StoreError> {
        let mut files: Vec<Arc<DataFile>> = self
            .files(table, &state)?
            .into_iter()
            .filter(|(_, events_version)| events_version.is_none_or(|events_version| events_version <= version))
            .map(|(file, _)| file)
            .collect();
        let columns = StatisticsColumns::of(table);
        for add in pending.files {
            files.push(Arc::new(self.data_file(table, &columns, &add)?));
        }
        let root = self.location().table_url(table);
        Ok(TableSnapshot {
            version,
            table,
            root,
            files: ordered(files),
            state,
        })
    }

    /// Active files with the version of `events` that their tag states.
    ///
    /// What the log says of a file never changes: of those that the last look at the table saw, it is not read again.
    pub(super) fn files(&self, table: Table, state: &DeltaTableState) -> Result<Vec<KnownFile>, StoreError> {
        let columns = StatisticsColumns::of(table);
        let seen = self.take_seen_files(table);
        let log_data = state
            .snapshot()
            .try_log_data()
            .map_err(|error| StoreError::from_log(&self.table_folder(table), Access::Read, error))?;
        let files = log_data.iter().map(|view| {
            if let Some(known) = seen.get(&*view.path()) {
                return Ok(known.clone());
            }
            #[expect(deprecated, reason = "the view has no other access to the tags of a file")]
            let add = view.add_action();
            let events_version = tag(&add, log::EVENTS_VERSION_TAG).and_then(|version| version.parse().ok());
            Ok((Arc::new(self.data_file(table, &columns, &add)?), events_version))
        });
        let files: Vec<KnownFile> = files.collect::<Result<_, StoreError>>()?;
        self.keep_seen_files(table, &files);
        Ok(files)
    }

    fn data_file(&self, table: Table, columns: &StatisticsColumns, add: &Add) -> Result<DataFile, StoreError> {
        let stats = add.stats.as_deref().map(|text| columns.parse(text)).unwrap_or_default();
        let rows = match stats.rows {
            Some(rows) => rows,
            None => self.count_rows(table, (&add.path, u64::try_from(add.size).unwrap_or_default()))?,
        };
        let event_date = add
            .partition_values
            .get(schema::EVENT_DATE)
            .and_then(Option::as_deref)
            .and_then(parse_day);
        Ok(DataFile {
            path: add.path.clone(),
            size: u64::try_from(add.size).unwrap_or_default(),
            rows,
            modified_at_ms: add.modification_time,
            event_date,
            stats,
            sorted: tag(add, log::SORTED_TAG) == Some("true"),
        })
    }
}

impl StagedFile {
    /// The file as it will be seen once it is committed.
    pub(super) fn data_file(&self, committed_at: i64) -> DataFile {
        let columns = StatisticsColumns::of(self.table);
        DataFile {
            path: self.path.clone(),
            size: self.size,
            rows: self.rows,
            modified_at_ms: committed_at.div_euclid(1000),
            event_date: self.event_date,
            // As the log will give them back, so that a snapshot does not depend on who made it.
            stats: columns.parse(&self.statistics.to_json()),
            sorted: self.sorted,
        }
    }
}

fn tag<'a>(add: &'a Add, name: &str) -> Option<&'a str> {
    add.tags.as_ref()?.get(name)?.as_deref()
}

fn ordered(mut files: Vec<Arc<DataFile>>) -> Vec<Arc<DataFile>> {
    files.sort_unstable_by(|one, other| (one.event_date, &one.path).cmp(&(other.event_date, &other.path)));
    files
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestStore;
    use super::super::testing::ids;
    use super::*;

    #[tokio::test]
    async fn older_version_shows_the_rows_it_had() {
        let test = TestStore::create().await;
        for number in 1..=3 {
            test.commit(&format!("s3://logs/{number}"), &[&number.to_string()])
                .await;
        }
        let store = test.reopen().await;
        for version in 0..=3_u64 {
            let events = store.snapshot_at(Table::Events, version).await.unwrap();
            let objects = store.snapshot_at(Table::Objects, version).await.unwrap();
            assert_eq!((events.rows(), objects.rows()), (version, version));
            assert_eq!((events.version, objects.version), (version, version));
        }
        let second = store.snapshot_at(Table::Events, 2).await.unwrap();
        assert_eq!(ids(&store, &second), ["1", "2"]);
    }

    #[tokio::test]
    async fn version_beyond_the_newest_is_refused_with_the_newest() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a"]).await;
        for table in Table::CORE {
            let error = test.store.snapshot_at(table, 7).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    StoreError::NoSuchVersion {
                        requested: 7,
                        newest: 1,
                        ..
                    }
                ),
                "{error:?}"
            );
        }
    }

    #[tokio::test]
    async fn long_lived_reader_sees_later_commits() {
        let test = TestStore::create().await;
        let reader = test.reopen().await;
        assert_eq!(reader.snapshot(Table::Events).await.unwrap().rows(), 0);
        test.commit("s3://logs/1", &["a"]).await;
        assert_eq!(reader.snapshot(Table::Events).await.unwrap().rows(), 1);
        assert_eq!(reader.snapshot(Table::Objects).await.unwrap().rows(), 1);
    }

    #[test]
    fn multi_threaded_runtime_works_as_well() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let test = TestStore::create().await;
            for number in 0..11 {
                test.commit(&format!("s3://logs/{number}"), &["a"]).await;
            }
            assert_eq!(test.reopen().await.snapshot(Table::Events).await.unwrap().rows(), 11);
        });
    }
}
