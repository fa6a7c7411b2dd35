//! The commit of one batch.
//!
//! # Why a batch is stored exactly once
//!
//! 1. Every file of the batch is complete and synced before the commit; until then no table contains it.
//! 2. The commit is one log entry of `events`, numbered one above the snapshot that the batch was deduplicated against,
//!    and made with create-if-absent. It holds the rows' files and, in its commit information, the ledger's files. So
//!    rows and ledger appear together, and only if nobody else wrote to `events` since that snapshot.
//! 3. There is no retry on top of another writer's entry: whoever loses reads the store again and deduplicates again.
//! 4. After any error the entry itself is read: if it carries this batch's id, the batch is stored, whatever the error
//!    said; if it carries another's, the batch lost; if there is none, nothing happened.
//!    A bucket may carry out a request that was given up, but only while its number is free, and then it is this batch as
//!    a whole: its files stay.
//! 5. The other tables follow later (see `repair`), at most once per version of `events`.
//!
//! An import of IAM snapshots is such a commit, too: without rows of `events`, but with files of other tables.

use arrow::array::RecordBatch;
use deltalake::DeltaTableError;
use deltalake::kernel::Action;
use deltalake::kernel::Add;
use deltalake::kernel::Transaction;
use deltalake::kernel::transaction::CommitBuilder;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::protocol::DeltaOperation;
use deltalake::protocol::SaveMode;
use deltalake::table::state::DeltaTableState;
use uuid::Uuid;

use super::CommitCounts;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::error::Access;
use super::log;
use super::log::BatchRecord;
use super::parquet_file;
use super::statistics::day_text;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema;
use crate::schema::Table;

/// What one commit stores.
#[derive(Debug)]
pub struct CommitBatch {
    /// The run that read the objects.
    pub run_id: String,
    /// Rows of `events`; may be empty.
    pub events: Vec<StagedFile>,
    /// Ledger rows with the columns of [`schema::objects`].
    pub objects: RecordBatch,
    /// Rejected records with the columns of [`schema::rejects`].
    pub rejects: RecordBatch,
    /// The rollup of the events, with the columns of [`schema::usage`]; without it the table `usage` falls behind.
    pub usage: Option<RecordBatch>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub committed_at: i64,
}

/// What one import of IAM snapshots stores.
#[derive(Debug, Clone)]
pub struct ImportBatch {
    /// The run that read the sources.
    pub run_id: String,
    /// Rows of the tables of [`Table::SNAPSHOTS`], each table once.
    pub rows: Vec<(Table, RecordBatch)>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub committed_at: i64,
}

/// What became of a batch.
#[derive(Debug)]
pub enum CommitOutcome {
    /// The batch is stored; the new snapshot of `events`.
    Committed(TableSnapshot),
    /// Another writer committed first and nothing of the batch is stored; the staged files of `events`, to be discarded
    /// or, if none of their events were stored meanwhile, committed again.
    Conflict(Vec<StagedFile>),
}

/// The files of one batch, synced.
#[derive(Debug)]
pub(super) struct StagedBatch {
    /// Name of the batch, which tells its log entry from those of others.
    pub(super) id: String,
    pub(super) events: Vec<StagedFile>,
    /// Files of other tables, at most one for each.
    pub(super) derived: Vec<StagedFile>,
}

impl Store {
    /// Stores a batch that was deduplicated against `basis`, or nothing of it.
    ///
    /// Once the batch is stored, a failure to bring `objects` and `rejects` up to date is no failure of the commit:
    /// readers see their rows anyway, and [`Store::repair`] tries again and reports.
    ///
    /// # Errors
    ///
    /// Nothing is stored, and the staged files are removed, unless the log itself cannot be read. In a bucket they stay:
    /// a request that got no answer may still be carried out.
    pub async fn commit(&self, basis: &TableSnapshot, batch: CommitBatch) -> Result<CommitOutcome, StoreError> {
        if basis.table != Table::Events {
            self.discard(batch.events);
            return Err(StoreError::WrongBasis {
                table: basis.table.name(),
            });
        }
        let CommitBatch {
            run_id,
            events,
            objects,
            rejects,
            usage,
            committed_at,
        } = batch;
        let rows = derived_rows(objects, rejects, usage);
        let derived = match self.stage_derived(rows).await {
            Ok(staged) => staged,
            Err(error) => {
                self.discard(events);
                return Err(error);
            }
        };
        let staged = StagedBatch {
            id: Uuid::new_v4().to_string(),
            events,
            derived,
        };
        let unused = |events| self.discard(events);
        self.land(basis, ("WRITE", &run_id), staged, committed_at, unused).await
    }

    /// Stores imported snapshots all together, or nothing of them.
    ///
    /// What the store already has is judged by `basis`, a snapshot of `events`.
    ///
    /// # Errors
    ///
    /// As for [`Store::commit`].
    pub async fn import(&self, basis: &TableSnapshot, batch: ImportBatch) -> Result<CommitOutcome, StoreError> {
        if basis.table != Table::Events {
            return Err(StoreError::WrongBasis {
                table: basis.table.name(),
            });
        }
        self.create_snapshot_tables(batch.committed_at).await?;
        let staged = StagedBatch {
            id: Uuid::new_v4().to_string(),
            events: Vec::new(),
            derived: self.stage_derived(batch.rows).await?,
        };
        let unused = |events| self.discard(events);
        self.land(basis, ("IMPORT", &batch.run_id), staged, batch.committed_at, unused)
            .await
    }

    /// Commits staged files and sees to what becomes of them; `unused` takes those of `events` that no attempt can use.
    pub(super) async fn land(
        &self,
        basis: &TableSnapshot,
        (operation, run_id): (&str, &str),
        staged: StagedBatch,
        committed_at: i64,
        unused: impl FnOnce(Vec<StagedFile>),
    ) -> Result<CommitOutcome, StoreError> {
        let landing = self.commit_events(basis, (operation, run_id), &staged, committed_at);
        match landing.await? {
            Landing::Stored(state) => {
                let added = staged.events.iter().map(|file| file.data_file(committed_at));
                let snapshot = self.extend(basis, state, added);
                drop(self.repair(committed_at).await);
                Ok(CommitOutcome::Committed(snapshot))
            }
            Landing::Beaten => {
                self.discard(staged.derived);
                Ok(CommitOutcome::Conflict(staged.events))
            }
            Landing::Failed(error) => {
                // A request to a bucket may take effect after it was given up: the files of an entry must be there then.
                if self.storage().remote().is_some() {
                    return Err(error);
                }
                self.discard(staged.derived);
                unused(staged.events);
                Err(error)
            }
        }
    }

    /// Writes the files of other tables; an empty batch makes no file.
    pub(super) async fn stage_derived(&self, rows: Vec<(Table, RecordBatch)>) -> Result<Vec<StagedFile>, StoreError> {
        let batches = rows.into_iter().filter(|(_, rows)| rows.num_rows() > 0);
        let batches: Vec<_> = batches.collect();
        let files = self.storage().clone();
        let folder = self.table_folder(Table::Objects);
        let work = move || {
            let mut staged: Vec<StagedFile> = Vec::new();
            for (table, rows) in batches {
                match parquet_file::stage(&files, table, None, &rows) {
                    Ok(file) => staged.push(file),
                    Err(error) => {
                        parquet_file::discard(&files, &staged);
                        return Err(error);
                    }
                }
            }
            failpoint::pass(Point::LedgerStaged).map_err(|error| {
                parquet_file::discard(&files, &staged);
                StoreError::from_io(&folder, Access::Write, error)
            })?;
            Ok(staged)
        };
        let cancelled = |_| StoreError::Cancelled {
            path: self.location().display().to_string(),
        };
        tokio::task::spawn_blocking(work).await.map_err(cancelled)?
    }

    /// The commit proper: one new entry in the log of `events`, or none.
    pub(super) async fn commit_events(
        &self,
        basis: &TableSnapshot,
        (operation, run_id): (&str, &str),
        staged: &StagedBatch,
        committed_at: i64,
    ) -> Result<Landing, StoreError> {
        let version = basis.version + 1;
        let add_of = |table: Table| Some(staged.file_of(table)?.add(committed_at, Some(version)));
        let snapshots = Table::SNAPSHOTS
            .into_iter()
            .filter_map(|table| Some((table.name().to_owned(), add_of(table)?)));
        let record = BatchRecord {
            run_id: run_id.to_owned(),
            batch: staged.id.clone(),
            objects: add_of(Table::Objects),
            rejects: add_of(Table::Rejects),
            usage: add_of(Table::Usage),
            snapshots: snapshots.collect(),
            counts: staged.counts(),
        };
        let metadata = record.to_value().map_err(|source| {
            StoreError::from_log(
                &self.table_folder(Table::Events),
                Access::Write,
                DeltaTableError::GenericError {
                    source: Box::new(source),
                },
            )
        })?;
        let mut actions = vec![log::commit_info(
            operation,
            committed_at,
            Some(basis.version),
            Some(metadata),
        )];
        actions.extend(
            staged
                .events
                .iter()
                .map(|file| Action::Add(file.add(committed_at, None))),
        );
        let transaction = (log::BATCH_APP_ID, version);
        let landing = async {
            failpoint::pass(Point::CommitPut)?;
            let state = self.append(Table::Events, &basis.state, actions, transaction).await?;
            failpoint::pass(Point::CommitLanded)?;
            Ok::<_, DeltaTableError>(state)
        };
        match landing.await {
            Ok(state) => Ok(Landing::Stored(state)),
            Err(error) => self.landing(version, &record, error).await,
        }
    }

    /// Adds one log entry directly above `state`, or fails; never above another writer's entry.
    pub(super) async fn append(
        &self,
        table: Table,
        state: &DeltaTableState,
        actions: Vec<Action>,
        (app_id, app_version): (&str, u64),
    ) -> Result<DeltaTableState, DeltaTableError> {
        let app_version = i64::try_from(app_version).unwrap_or(i64::MAX);
        let properties = CommitProperties::default()
            .with_max_retries(0)
            // Tables that follow may need old entries still; see `Store::forget_old_entries`.
            .with_cleanup_expired_logs(Some(false))
            .with_application_transaction(Transaction::new(app_id, app_version));
        let partition_by = table
            .partition_columns()
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(partition_by),
            predicate: None,
        };
        let commit =
            CommitBuilder::from(properties)
                .with_actions(actions)
                .build(Some(state), self.log_store(table), operation);
        let state = Box::pin(commit.into_future()).await?.snapshot();
        self.remember(table, state.clone(), false);
        Ok(state)
    }

    /// What really happened when the commit reported an error.
    async fn landing(&self, version: u64, ours: &BatchRecord, error: DeltaTableError) -> Result<Landing, StoreError> {
        tracing::debug!(version, %error, "the commit reports an error; whose entry it is decides");
        let Some(head) = self.commit_head(Table::Events, version).await? else {
            return Ok(Landing::Failed(StoreError::from_log(
                &self.table_folder(Table::Events),
                Access::Write,
                error,
            )));
        };
        if !head.batch.is_some_and(|record| record.is_same_commit(ours)) {
            return Ok(Landing::Beaten);
        }
        // The entry is ours: the error came after it, for example from the checkpoint.
        let state = self.load_version(Table::Events, version).await;
        state
            .map(Landing::Stored)
            .map_err(|error| StoreError::from_log(&self.table_folder(Table::Events), Access::Read, error))
    }
}

/// The rows of a batch that other tables than `events` take.
pub(super) fn derived_rows(
    objects: RecordBatch,
    rejects: RecordBatch,
    usage: Option<RecordBatch>,
) -> Vec<(Table, RecordBatch)> {
    let usage = usage.map(|usage| (Table::Usage, usage));
    let ledger = [(Table::Objects, objects), (Table::Rejects, rejects)];
    ledger.into_iter().chain(usage).collect()
}

/// What became of the log entry.
#[derive(Debug)]
pub(super) enum Landing {
    Stored(DeltaTableState),
    Beaten,
    Failed(StoreError),
}

impl StagedBatch {
    fn file_of(&self, table: Table) -> Option<&StagedFile> {
        self.derived.iter().find(|file| file.table == table)
    }

    fn counts(&self) -> CommitCounts {
        let rows = |table: Table| self.file_of(table).map_or(0, |file| file.rows);
        CommitCounts {
            files: self.events.iter().map(|_| 1).sum(),
            events: self.events.iter().map(|file| file.rows).sum(),
            objects: rows(Table::Objects),
            rejects: rows(Table::Rejects),
        }
    }
}

impl StagedFile {
    /// The log's description of the file.
    pub(super) fn add(&self, committed_at: i64, events_version: Option<u64>) -> Add {
        let sorted = self
            .sorted
            .then(|| (log::SORTED_TAG.to_owned(), Some("true".to_owned())));
        let version = events_version.map(|version| (log::EVENTS_VERSION_TAG.to_owned(), Some(version.to_string())));
        let partition_values = match self.table {
            Table::Events => [(schema::EVENT_DATE.to_owned(), self.event_date.and_then(day_text))].into(),
            _ => [].into(),
        };
        Add {
            path: self.path.clone(),
            partition_values,
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            modification_time: committed_at.div_euclid(1000),
            data_change: true,
            stats: Some(self.statistics.to_json()),
            tags: Some(sorted.into_iter().chain(version).collect()),
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Location;
    use super::super::testing::CLOCK;
    use super::super::testing::DAY;
    use super::super::testing::TestStore;
    use super::super::testing::batch;
    use super::super::testing::committed;
    use super::super::testing::events;
    use super::super::testing::ids;
    use super::super::testing::sources;
    use super::*;

    #[tokio::test]
    async fn committed_rows_are_there_after_reopening() {
        let test = TestStore::create().await;
        let snapshot = test.commit("s3://logs/1", &["a", "b"]).await;
        let store = test.reopen().await;
        let reopened = store.snapshot(Table::Events).await.unwrap();
        assert_eq!(ids(&store, &reopened), ["a", "b"]);
        assert_eq!((reopened.version, reopened.rows()), (1, 2));
        assert_eq!(
            reopened.files, snapshot.files,
            "a writer and a reader see the same files"
        );
        let file = &reopened.files[0];
        assert!(file.path.starts_with("event_date=2026-09-01/part-"), "{}", file.path);
        assert_eq!(
            (file.event_date, file.rows, file.sorted, file.modified_at_ms),
            (Some(DAY), 2, true, CLOCK / 1000)
        );
        let objects = store.snapshot(Table::Objects).await.unwrap();
        assert_eq!((objects.rows(), objects.version), (1, 1));
        assert_eq!(store.snapshot(Table::Rejects).await.unwrap().rows(), 0);
    }

    #[tokio::test]
    async fn commit_on_a_stale_snapshot_conflicts_and_leaves_nothing() {
        let test = TestStore::create().await;
        let stale = test.store.snapshot(Table::Events).await.unwrap();
        test.commit("s3://logs/1", &["a"]).await;
        let outcome = test
            .store
            .commit(
                &stale,
                batch(vec![test.stage(&["a"])], &[("s3://logs/1", "ingested")], 1),
            )
            .await;
        let CommitOutcome::Conflict(staged) = outcome.unwrap() else {
            panic!("expected a conflict")
        };
        let store = test.reopen().await;
        assert_eq!(store.snapshot(Table::Events).await.unwrap().rows(), 1);
        assert_eq!(store.snapshot(Table::Objects).await.unwrap().rows(), 1);
        assert_eq!(store.snapshot(Table::Rejects).await.unwrap().rows(), 0);
        let path = staged[0].absolute.clone();
        assert!(path.exists());
        test.store.discard(staged);
        assert!(!path.exists());
        assert_eq!(
            fs::read_dir(test.folder().join("rejects")).unwrap().count(),
            1,
            "only the log is left"
        );
    }

    #[tokio::test]
    async fn staged_files_may_be_committed_again_after_a_conflict() {
        let test = TestStore::create().await;
        let stale = test.store.snapshot(Table::Events).await.unwrap();
        let newer = test.commit("s3://logs/1", &["a"]).await;
        let outcome = test
            .store
            .commit(&stale, batch(vec![test.stage(&["b"])], &[], 0))
            .await
            .unwrap();
        let CommitOutcome::Conflict(staged) = outcome else {
            panic!("expected a conflict")
        };
        let snapshot = committed(test.store.commit(&newer, batch(staged, &[], 0)).await.unwrap());
        assert_eq!(ids(&test.store, &snapshot), ["a", "b"]);
    }

    #[tokio::test]
    async fn of_two_writers_at_once_exactly_one_wins() {
        let test = TestStore::create().await;
        let other = test.reopen().await;
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let other_basis = other.snapshot(Table::Events).await.unwrap();
        let one = test.store.commit(
            &basis,
            batch(vec![test.stage(&["one"])], &[("s3://logs/1", "ingested")], 0),
        );
        let two = other.commit(
            &other_basis,
            batch(vec![test.stage(&["two"])], &[("s3://logs/2", "ingested")], 0),
        );
        let (one, two) = tokio::join!(one, two);
        let wins = [one.unwrap(), two.unwrap()]
            .iter()
            .filter(|it| matches!(it, CommitOutcome::Committed(_)))
            .count();
        assert_eq!(wins, 1);
        let store = test.reopen().await;
        assert_eq!(store.snapshot(Table::Events).await.unwrap().rows(), 1);
        assert_eq!(store.snapshot(Table::Objects).await.unwrap().rows(), 1);
    }

    /// Commits until each id is stored, deduplicating again after each conflict, as a run does.
    async fn ingest(location: &Location, ids: &[String]) {
        let store = Store::create_or_open(location, CLOCK).await.unwrap();
        for id in ids {
            loop {
                let basis = store.snapshot(Table::Events).await.unwrap();
                let known = store
                    .known_objects(&store.snapshot(Table::Objects).await.unwrap())
                    .unwrap();
                if known.contains(id, "7", 7) {
                    break;
                }
                let staged = vec![store.stage_events(Some(DAY), &events(&[id.as_str()])).unwrap()];
                match store
                    .commit(&basis, batch(staged, &[(id, "ingested")], 1))
                    .await
                    .unwrap()
                {
                    CommitOutcome::Committed(_) => break,
                    CommitOutcome::Conflict(staged) => store.discard(staged),
                }
            }
        }
    }

    #[test]
    fn writers_with_the_same_objects_store_each_event_once() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().join("store").to_str().unwrap()).unwrap();
        let objects: Vec<String> = (0..8).map(|number| format!("s3://logs/{number}")).collect();
        let run = |ids: &[String]| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(ingest(&location, ids));
        };
        let reversed: Vec<String> = objects.iter().rev().cloned().collect();
        std::thread::scope(|scope| {
            scope.spawn(|| run(&objects));
            scope.spawn(|| run(&reversed));
            scope.spawn(|| run(&objects));
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = Store::open(&location).await.unwrap();
            let snapshot = store.snapshot(Table::Events).await.unwrap();
            assert_eq!(ids(&store, &snapshot), objects);
            assert_eq!(snapshot.version, 8);
            assert_eq!(store.snapshot(Table::Objects).await.unwrap().rows(), 8);
            assert_eq!(store.snapshot(Table::Rejects).await.unwrap().rows(), 8);
        });
    }

    #[tokio::test]
    async fn snapshot_of_a_derived_table_is_no_basis() {
        let test = TestStore::create().await;
        let basis = test.store.snapshot(Table::Objects).await.unwrap();
        let error = test
            .store
            .commit(&basis, batch(vec![test.stage(&["a"])], &[], 0))
            .await
            .unwrap_err();
        assert!(
            matches!(error, StoreError::WrongBasis { table: "objects" }),
            "{error:?}"
        );
        assert_eq!(test.store.snapshot(Table::Events).await.unwrap().version, 0);
    }

    #[tokio::test]
    async fn batch_of_ledger_rows_only_is_one_commit() {
        let test = TestStore::create().await;
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let outcome = test
            .store
            .commit(&basis, batch(vec![], &[("s3://logs/1", "corrupt")], 2))
            .await
            .unwrap();
        let snapshot = committed(outcome);
        assert_eq!((snapshot.version, snapshot.rows()), (1, 0));
        assert_eq!(test.store.snapshot(Table::Objects).await.unwrap().rows(), 1);
        assert_eq!(test.store.snapshot(Table::Rejects).await.unwrap().rows(), 2);
    }

    #[tokio::test]
    async fn error_after_our_own_entry_is_a_success_and_after_another_a_defeat() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a"]).await;
        let head = test.store.commit_head(Table::Events, 1).await.unwrap();
        let ours = head.unwrap().batch.unwrap();
        let other = BatchRecord {
            batch: "other".to_owned(),
            ..ours.clone()
        };
        // Two processes that commit the same prepared batch write its ledger rows anew, each for itself.
        let mut same_batch = ours.clone();
        "part-other.parquet".clone_into(&mut same_batch.objects.as_mut().unwrap().path);
        let error = || DeltaTableError::Generic("connection lost".to_owned());
        assert!(matches!(
            test.store.landing(1, &ours, error()).await.unwrap(),
            Landing::Stored(_)
        ));
        for other in [other, same_batch] {
            assert!(matches!(
                test.store.landing(1, &other, error()).await.unwrap(),
                Landing::Beaten
            ));
        }
        assert!(matches!(
            test.store.landing(2, &ours, error()).await.unwrap(),
            Landing::Failed(_)
        ));
    }

    #[tokio::test]
    async fn staged_file_that_is_not_committed_is_invisible() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a"]).await;
        let orphan = test.stage(&["orphan"]);
        assert_eq!((orphan.rows(), orphan.event_date()), (1, Some(DAY)));
        assert_eq!(orphan.bytes(), fs::metadata(&orphan.absolute).unwrap().len());
        let store = test.reopen().await;
        assert_eq!(ids(&store, &store.snapshot(Table::Events).await.unwrap()), ["a"]);
    }

    #[tokio::test]
    async fn events_without_a_day_go_to_the_null_partition() {
        let test = TestStore::create().await;
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let staged = test.store.stage_events(None, &events(&["a"])).unwrap();
        committed(test.store.commit(&basis, batch(vec![staged], &[], 0)).await.unwrap());
        let store = test.reopen().await;
        let snapshot = store.snapshot(Table::Events).await.unwrap();
        assert!(
            snapshot.files[0]
                .path
                .starts_with("event_date=__HIVE_DEFAULT_PARTITION__/")
        );
        assert_eq!(snapshot.files[0].event_date, None);
        assert_eq!(ids(&store, &snapshot), ["a"]);
    }

    #[tokio::test]
    async fn checkpoints_appear_and_keep_statistics_tags_days_and_properties() {
        let test = TestStore::create().await;
        let mut last = test.store.snapshot(Table::Events).await.unwrap();
        for number in 0..12 {
            last = test
                .commit(&format!("s3://logs/{number}"), &[&format!("id-{number}")])
                .await;
        }
        for table in ["events", "objects"] {
            let checkpoint = test
                .folder()
                .join(table)
                .join("_delta_log/00000000000000000009.checkpoint.parquet");
            assert!(checkpoint.is_file(), "{}", checkpoint.display());
        }
        let first = test.folder().join("events/_delta_log/00000000000000000003.json");
        fs::remove_file(first).unwrap();
        let store = test.reopen().await;
        let reopened = store.snapshot(Table::Events).await.unwrap();
        assert_eq!(reopened.files, last.files, "the checkpoint holds what the entries held");
        assert_eq!(ids(&store, &reopened).len(), 12);
        let objects = store.snapshot(Table::Objects).await.unwrap();
        assert_eq!(objects.rows(), 12);
        let state = store.newest(Table::Events).await.unwrap();
        let interval = state.metadata().configuration().get("delta.checkpointInterval");
        assert_eq!(interval.map(String::as_str), Some("10"));
        assert_eq!(state.protocol().min_reader_version(), 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn everything_in_a_store_is_private_to_its_owner() {
        use std::os::unix::fs::PermissionsExt;

        let test = TestStore::create().await;
        for number in 0..10 {
            test.commit(&format!("s3://logs/{number}"), &["a"]).await;
        }
        let mut files = 0;
        for entry in walkdir::WalkDir::new(test.folder()) {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            let expected = if entry.file_type().is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, expected, "{}", entry.path().display());
            files += usize::from(entry.file_type().is_file());
        }
        assert!(files > 40, "{files} files");
    }

    #[test]
    fn several_threads_stage_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let test = runtime.block_on(TestStore::create());
        let staged: Vec<StagedFile> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| test.stage(&["a", "b", "c"]))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let snapshot = runtime.block_on(async {
            let basis = test.store.snapshot(Table::Events).await.unwrap();
            committed(test.store.commit(&basis, batch(staged, &[], 0)).await.unwrap())
        });
        assert_eq!((snapshot.files.len(), snapshot.rows()), (4, 12));
    }

    fn import(ids: &[&str]) -> ImportBatch {
        ImportBatch {
            run_id: "run-2".to_owned(),
            rows: vec![(Table::IamSources, sources(ids))],
            committed_at: CLOCK,
        }
    }

    async fn import_on_newest(store: &Store, ids: &[&str]) -> CommitOutcome {
        let basis = store.snapshot(Table::Events).await.unwrap();
        store.import(&basis, import(ids)).await.unwrap()
    }

    #[tokio::test]
    async fn import_is_a_version_of_the_store_and_later_ingests_go_on_above_it() {
        let test = TestStore::create().await;
        for number in 0..3 {
            test.commit(&format!("s3://logs/{number}"), &["a"]).await;
        }
        assert_eq!(test.store.snapshot(Table::IamSources).await.unwrap().rows(), 0);
        let snapshot = committed(import_on_newest(&test.store, &["one"]).await);
        assert_eq!((snapshot.version, snapshot.rows()), (4, 3));
        test.commit("s3://logs/3", &["b"]).await;
        committed(import_on_newest(&test.store, &["two"]).await);
        let store = test.reopen().await;
        for (version, wanted) in [(3, 0), (4, 1), (5, 1), (6, 2)] {
            let sources = store.snapshot_at(Table::IamSources, version).await.unwrap();
            assert_eq!((sources.version, sources.rows()), (version, wanted));
            assert_eq!(store.snapshot_at(Table::IamPolicies, version).await.unwrap().rows(), 0);
        }
        let known = store.known_sources(&store.snapshot(Table::IamSources).await.unwrap());
        assert_eq!(known.unwrap().into_iter().collect::<Vec<_>>(), ["one", "two"]);
        let operations = store.history(Table::Events, Some(1)).await.unwrap();
        assert_eq!(operations[0].operation.as_deref(), Some("IMPORT"));
    }

    #[tokio::test]
    async fn store_lists_the_tables_of_snapshots_after_the_first_import() {
        let test = TestStore::create().await;
        let always = [Table::Events, Table::Objects, Table::Rejects, Table::Usage];
        assert_eq!(test.store.tables().await.unwrap(), always);
        assert_eq!(test.store.info().await.unwrap().tables.len(), 4);
        import_on_newest(&test.store, &["one"]).await;
        assert_eq!(test.reopen().await.tables().await.unwrap(), Table::ALL);
        let reader = test.reopen().await;
        assert_eq!(reader.info().await.unwrap().tables.len(), 11);
    }

    #[tokio::test]
    async fn import_on_a_stale_snapshot_conflicts_and_leaves_nothing() {
        let test = TestStore::create().await;
        let stale = test.store.snapshot(Table::Events).await.unwrap();
        test.commit("s3://logs/1", &["a"]).await;
        let outcome = test.store.import(&stale, import(&["one"])).await.unwrap();
        assert!(matches!(outcome, CommitOutcome::Conflict(_)));
        let store = test.reopen().await;
        assert_eq!(store.snapshot(Table::IamSources).await.unwrap().rows(), 0);
        let folder = test.folder().join("iam_sources");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "only the log is left");
    }

    #[tokio::test]
    async fn import_that_was_cut_off_before_its_tables_followed_is_visible_and_repaired() {
        let test = TestStore::create().await;
        test.store.create_snapshot_tables(CLOCK).await.unwrap();
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let staged = StagedBatch {
            id: "ours".to_owned(),
            events: vec![],
            derived: test.store.stage_derived(import(&["one"]).rows).await.unwrap(),
        };
        let landing = test.store.commit_events(&basis, ("IMPORT", "run-2"), &staged, CLOCK);
        assert!(matches!(landing.await.unwrap(), Landing::Stored(_)));
        assert_eq!(test.reopen().await.snapshot(Table::IamSources).await.unwrap().rows(), 1);
        let store = Store::create_or_open(test.store.location(), CLOCK).await.unwrap();
        assert_eq!(store.snapshot(Table::IamSources).await.unwrap().rows(), 1);
        assert_eq!(store.newest(Table::IamSources).await.unwrap().version(), 1);
    }
}
