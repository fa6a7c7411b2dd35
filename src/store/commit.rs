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
//! 5. `objects` and `rejects` follow later (see `repair`), at most once per version of `events`.

use std::path::Path;

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
    pub(super) events: Vec<StagedFile>,
    pub(super) objects: Option<StagedFile>,
    pub(super) rejects: Option<StagedFile>,
}

impl Store {
    /// Stores a batch that was deduplicated against `basis`, or nothing of it.
    ///
    /// Once the batch is stored, a failure to bring `objects` and `rejects` up to date is no failure of the commit:
    /// readers see their rows anyway, and [`Store::repair`] tries again and reports.
    ///
    /// # Errors
    ///
    /// Nothing is stored, and the staged files are removed, unless the log itself cannot be read.
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
            committed_at,
        } = batch;
        let (objects, rejects) = match self.stage_ledger(objects, rejects).await {
            Ok(staged) => staged,
            Err(error) => {
                self.discard(events);
                return Err(error);
            }
        };
        let staged = StagedBatch {
            events,
            objects,
            rejects,
        };
        match self.commit_events(basis, &run_id, &staged, committed_at).await? {
            Landing::Stored(state) => {
                let added = staged.events.iter().map(|file| file.data_file(committed_at));
                let snapshot = self.extend(basis, state, added);
                drop(self.repair(committed_at).await);
                Ok(CommitOutcome::Committed(snapshot))
            }
            Landing::Beaten => {
                self.discard(staged.objects.into_iter().chain(staged.rejects).collect());
                Ok(CommitOutcome::Conflict(staged.events))
            }
            Landing::Failed(error) => {
                self.discard(
                    staged
                        .objects
                        .into_iter()
                        .chain(staged.rejects)
                        .chain(staged.events)
                        .collect(),
                );
                Err(error)
            }
        }
    }

    /// Writes the ledger's files; an empty batch makes no file.
    pub(super) async fn stage_ledger(
        &self,
        objects: RecordBatch,
        rejects: RecordBatch,
    ) -> Result<(Option<StagedFile>, Option<StagedFile>), StoreError> {
        let objects_folder = self.table_folder(Table::Objects);
        let rejects_folder = self.table_folder(Table::Rejects);
        let work = move || {
            let objects = stage_rows(&objects_folder, Table::Objects, &objects)?;
            match stage_rows(&rejects_folder, Table::Rejects, &rejects) {
                Ok(rejects) => Ok((objects, rejects)),
                Err(error) => {
                    objects.into_iter().for_each(StagedFile::discard);
                    Err(error)
                }
            }
        };
        let cancelled = |_| StoreError::Cancelled {
            path: self.table_folder(Table::Objects).display().to_string(),
        };
        tokio::task::spawn_blocking(work).await.map_err(cancelled)?
    }

    /// The commit proper: one new entry in the log of `events`, or none.
    pub(super) async fn commit_events(
        &self,
        basis: &TableSnapshot,
        run_id: &str,
        staged: &StagedBatch,
        committed_at: i64,
    ) -> Result<Landing, StoreError> {
        let version = basis.version + 1;
        let record = BatchRecord {
            run_id: run_id.to_owned(),
            batch: Uuid::new_v4().to_string(),
            objects: staged
                .objects
                .as_ref()
                .map(|file| file.add(committed_at, Some(version))),
            rejects: staged
                .rejects
                .as_ref()
                .map(|file| file.add(committed_at, Some(version))),
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
            "WRITE",
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
        match self.append(Table::Events, &basis.state, actions, transaction).await {
            Ok(state) => Ok(Landing::Stored(state)),
            Err(error) => self.landing(version, &record.batch, error).await,
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
    async fn landing(&self, version: u64, batch: &str, error: DeltaTableError) -> Result<Landing, StoreError> {
        let Some(head) = self.commit_head(Table::Events, version).await? else {
            return Ok(Landing::Failed(StoreError::from_log(
                &self.table_folder(Table::Events),
                Access::Write,
                error,
            )));
        };
        if head.batch.is_none_or(|record| record.batch != batch) {
            return Ok(Landing::Beaten);
        }
        // The entry is ours: the error came after it, for example from the checkpoint.
        let state = self.load_version(Table::Events, version).await;
        state
            .map(Landing::Stored)
            .map_err(|error| StoreError::from_log(&self.table_folder(Table::Events), Access::Read, error))
    }
}

/// What became of the log entry.
#[derive(Debug)]
pub(super) enum Landing {
    Stored(DeltaTableState),
    Beaten,
    Failed(StoreError),
}

impl StagedBatch {
    fn counts(&self) -> CommitCounts {
        let rows = |file: &Option<StagedFile>| file.as_ref().map_or(0, |file| file.rows);
        CommitCounts {
            files: self.events.iter().map(|_| 1).sum(),
            events: self.events.iter().map(|file| file.rows).sum(),
            objects: rows(&self.objects),
            rejects: rows(&self.rejects),
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
            Table::Objects | Table::Rejects => [].into(),
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

fn stage_rows(folder: &Path, table: Table, rows: &RecordBatch) -> Result<Option<StagedFile>, StoreError> {
    if rows.num_rows() == 0 {
        Ok(None)
    } else {
        parquet_file::stage(folder, table, None, rows).map(Some)
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
        let ours = test
            .store
            .commit_head(Table::Events, 1)
            .await
            .unwrap()
            .unwrap()
            .batch
            .unwrap()
            .batch;
        let error = || DeltaTableError::Generic("connection lost".to_owned());
        assert!(matches!(
            test.store.landing(1, &ours, error()).await.unwrap(),
            Landing::Stored(_)
        ));
        assert!(matches!(
            test.store.landing(1, "other", error()).await.unwrap(),
            Landing::Beaten
        ));
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
}
