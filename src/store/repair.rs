//! Derived tables follow the log of `events`.
//!
//! Each remembers, as a transaction in its own log, the version of `events` that it has reached. Catching up reads the
//! ledger files that later entries of `events` name and adds them, together with the new transaction, in one entry. A
//! concurrent repairer's entry makes that commit fail, and the next look finds the work done: nothing is added twice.

use std::io;

use deltalake::DeltaTableError;
use deltalake::kernel::Action;
use deltalake::kernel::Add;
use deltalake::protocol::checkpoints::cleanup_expired_logs_for;
use deltalake::table::config::TablePropertiesExt;
use deltalake::table::state::DeltaTableState;

use super::Store;
use super::StoreError;
use super::actions::ATTEMPTS;
use super::durable;
use super::error::Access;
use super::log;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema::Table;

/// A table without new files lets this many versions pass before it notes how far it has come, so that a run without
/// rejects does not write a log entry per batch.
const UNNOTED_VERSIONS: u64 = 10;

/// Before it, a log needs all of its entries.
const FIRST_CHECKPOINT: u64 = 9;

/// What a derived table has not taken over yet.
#[derive(Debug)]
pub(super) struct Pending {
    /// Version of `events` that the table has reached.
    reached: u64,
    /// Files of later versions, in order.
    pub(super) files: Vec<Add>,
    /// The last version that can be taken over: behind it a commit leaves the table out.
    pub(super) last: u64,
}

impl Store {
    /// Brings all other tables up to date with `events`; does nothing when they are.
    ///
    /// `clock` is the time, in microseconds since 1970-01-01T00:00:00Z, that new log entries state.
    ///
    /// # Errors
    ///
    /// A log cannot be read or written, an entry of `events` that is still needed is gone, or a table has taken over a version
    /// of `events` that there is not.
    pub async fn repair(&self, clock: i64) -> Result<(), StoreError> {
        let version = self.newest(Table::Events).await?.version();
        let tables = self.tables().await?;
        self.settle(&tables)?;
        for table in tables {
            if table != Table::Events {
                self.catch_up(table, version, clock).await?;
            }
        }
        Ok(())
    }

    /// Removes log entries that are older than their table keeps them, without those of `events` that another table has not
    /// taken over yet.
    ///
    /// What cannot be removed is only wasted space, and is tried again.
    pub(super) async fn forget_old_entries(&self, clock: i64) -> Result<(), StoreError> {
        let newest = self.newest(Table::Events).await?.version();
        if newest < FIRST_CHECKPOINT {
            return Ok(());
        }
        let mut needed = newest;
        let tables = self.tables().await?;
        for table in tables.iter().copied().filter(|table| *table != Table::Events) {
            let state = self.newest(table).await?;
            needed = needed.min(self.reached(table, &state).await?);
        }
        for table in tables {
            let state = self.newest(table).await?;
            let kept_from = match table {
                Table::Events => needed,
                _ => state.version(),
            };
            if kept_from < FIRST_CHECKPOINT {
                continue;
            }
            let retention = state.table_config().log_retention_duration();
            let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
            let before = clock.div_euclid(1000).saturating_sub(retention);
            let log_store = self.log_store(table);
            let forgotten = cleanup_expired_logs_for(kept_from, log_store.as_ref(), before, None);
            if let Err(error) = forgotten.await {
                tracing::debug!(table = table.name(), %error, "old log entries cannot be removed");
            }
        }
        Ok(())
    }

    /// What keeps files from being written here, with the remedy.
    pub(crate) fn unwritable(&self, source: io::Error) -> StoreError {
        StoreError::from_io(&self.location().root(), Access::Write, source)
    }

    /// Makes durable what is visible, before anything is built on it.
    ///
    /// Another process may have named an entry, a table or a folder and not synced it: it was killed, or is not yet done.
    pub(super) fn settle(&self, tables: &[Table]) -> Result<(), StoreError> {
        let Some(root) = self.location().folder() else {
            return Ok(());
        };
        // The folder above may be one that this user cannot open; then nothing can be done, and not much be lost.
        drop(root.parent().map(durable::sync_folder));
        let of_tables = tables.iter().flat_map(|table| {
            let folder = self.table_folder(*table);
            [folder.join("_delta_log"), folder]
        });
        for folder in of_tables.chain([root.to_owned()]) {
            durable::sync_folder(&folder).map_err(|error| StoreError::from_io(&folder, Access::Write, error))?;
        }
        Ok(())
    }

    /// Reads what `table` lacks up to a version of `events`.
    pub(super) async fn pending(
        &self,
        table: Table,
        state: &DeltaTableState,
        version: u64,
    ) -> Result<Pending, StoreError> {
        let reached = self.reached(table, state).await?;
        let mut files = Vec::new();
        for later in reached.saturating_add(1)..=version {
            let head = self.commit_head(Table::Events, later).await?;
            let head = head.ok_or_else(|| StoreError::MissingCommit {
                path: self.entry_path(Table::Events, later),
            })?;
            if head.batch.as_ref().is_some_and(|record| record.leaves_out(table)) {
                let last = later - 1;
                return Ok(Pending { reached, files, last });
            }
            files.extend(head.batch.as_ref().and_then(|record| record.file_of(table)).cloned());
        }
        let last = version.max(reached);
        Ok(Pending { reached, files, last })
    }

    /// Version of `events` that a table has taken over.
    pub(super) async fn reached(&self, table: Table, state: &DeltaTableState) -> Result<u64, StoreError> {
        let reached = state
            .transaction_version(self.log_store(table).as_ref(), log::FOLLOW_APP_ID)
            .await
            .map_err(|error| StoreError::from_log(&self.table_folder(table), Access::Read, error))?;
        Ok(reached
            .and_then(|reached| u64::try_from(reached).ok())
            .unwrap_or_default())
    }

    /// A table that has taken over a version of `events` that there is not shows that entries of `events` are lost: the next
    /// ones would get their numbers, and the table would be thought to have them.
    async fn check_is_not_ahead(&self, table: Table, reached: u64, version: u64) -> Result<(), StoreError> {
        if reached <= version {
            return Ok(());
        }
        // What others have committed since the last look is no loss.
        let version = self.newest(Table::Events).await?.version();
        if reached <= version {
            return Ok(());
        }
        Err(StoreError::EventsBehind {
            path: self.table_folder(Table::Events).display().to_string(),
            table: table.name(),
            reached,
            version,
        })
    }

    async fn catch_up(&self, table: Table, version: u64, clock: i64) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            let state = self.newest(table).await?;
            let Pending { reached, files, last } = self.pending(table, &state, version).await?;
            self.check_is_not_ahead(table, reached, version).await?;
            let may_wait = files.is_empty() && last.saturating_sub(reached) < UNNOTED_VERSIONS;
            if may_wait {
                return Ok(());
            }
            let mut actions = vec![log::commit_info("WRITE", clock, Some(state.version()), None)];
            actions.extend(files.into_iter().map(Action::Add));
            let following = async {
                failpoint::pass(Point::FollowPut)?;
                self.append(table, &state, actions, (log::FOLLOW_APP_ID, last)).await?;
                failpoint::pass(Point::FollowLanded)?;
                Ok::<_, DeltaTableError>(())
            };
            match following.await {
                Ok(()) => return Ok(()),
                // Someone wrote first, or the entry landed in spite of the error: both show in the next look.
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(StoreError::from_log(&self.table_folder(table), Access::Write, error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;
    use std::time::UNIX_EPOCH;

    use super::super::commit::Landing;
    use super::super::commit::StagedBatch;
    use super::super::testing::CLOCK;
    use super::super::testing::TestStore;
    use super::super::testing::batch;
    use super::super::testing::objects;
    use super::super::testing::rejects;
    use super::*;

    /// Commits to `events` and stops there, as a crash would.
    async fn commit_and_crash(test: &TestStore, object: &str) {
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let rows = vec![
            (Table::Objects, objects(&[(object, "partial")])),
            (Table::Rejects, rejects(3)),
        ];
        let staged = StagedBatch {
            id: object.to_owned(),
            events: vec![test.stage(&[object])],
            derived: test.store.stage_derived(rows).await.unwrap(),
        };
        let landing = test
            .store
            .commit_events(&basis, ("WRITE", "run-1"), &staged, CLOCK)
            .await
            .unwrap();
        assert!(matches!(landing, Landing::Stored(_)));
    }

    async fn rows(store: &Store) -> (u64, u64, u64) {
        (
            store.snapshot(Table::Events).await.unwrap().rows(),
            store.snapshot(Table::Objects).await.unwrap().rows(),
            store.snapshot(Table::Rejects).await.unwrap().rows(),
        )
    }

    fn entries(test: &TestStore, table: Table) -> usize {
        let entries = fs::read_dir(test.folder().join(table.name()).join("_delta_log")).unwrap();
        entries
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|it| it == "json")
            })
            .count()
    }

    #[tokio::test]
    async fn log_of_events_that_lost_an_entry_is_not_written_on() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a"]).await;
        test.commit("s3://logs/2", &["b"]).await;
        test.store.repair(CLOCK).await.unwrap();
        fs::remove_file(test.folder().join("events/_delta_log/00000000000000000002.json")).unwrap();
        let error = Store::create_or_open(test.store.location(), CLOCK).await.unwrap_err();
        assert!(
            matches!(
                &error,
                StoreError::EventsBehind {
                    table: "objects",
                    reached: 2,
                    version: 1,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains("copy it again"), "{error}");
    }

    #[tokio::test]
    async fn rows_of_a_crashed_batch_are_visible_before_the_repair_and_once_after_it() {
        let test = TestStore::create().await;
        commit_and_crash(&test, "s3://logs/1").await;
        commit_and_crash(&test, "s3://logs/2").await;
        assert_eq!(entries(&test, Table::Objects), 1);
        assert_eq!(rows(&test.reopen().await).await, (2, 2, 6));
        for _ in 0..2 {
            let store = Store::create_or_open(test.store.location(), CLOCK).await.unwrap();
            assert_eq!(rows(&store).await, (2, 2, 6));
            assert_eq!((entries(&test, Table::Objects), entries(&test, Table::Rejects)), (2, 2));
        }
    }

    #[tokio::test]
    async fn next_commit_takes_over_the_rows_of_a_crashed_batch() {
        let test = TestStore::create().await;
        commit_and_crash(&test, "s3://logs/1").await;
        test.commit("s3://logs/2", &["b"]).await;
        assert_eq!(rows(&test.reopen().await).await, (2, 2, 3));
    }

    #[tokio::test]
    async fn repairers_at_the_same_time_add_nothing_twice() {
        let test = TestStore::create().await;
        for number in 0..3 {
            commit_and_crash(&test, &format!("s3://logs/{number}")).await;
        }
        let (one, two, three) = (test.reopen().await, test.reopen().await, test.reopen().await);
        let (one, two, three) = tokio::join!(one.repair(CLOCK), two.repair(CLOCK), three.repair(CLOCK));
        one.unwrap();
        two.unwrap();
        three.unwrap();
        assert_eq!(rows(&test.reopen().await).await, (3, 3, 9));
        assert_eq!(entries(&test, Table::Objects), 2);
    }

    #[tokio::test]
    async fn lost_entry_that_the_repair_needs_is_named() {
        let test = TestStore::create().await;
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let derived = test.store.newest(Table::Objects).await.unwrap();
        test.store
            .commit(&basis, batch(vec![], &[("s3://logs/1", "ingested")], 0))
            .await
            .unwrap();
        let entry = test.folder().join("events/_delta_log/00000000000000000001.json");
        fs::remove_file(&entry).unwrap();
        let error = test.store.pending(Table::Objects, &derived, 1).await.unwrap_err();
        assert!(error.to_string().contains(entry.to_str().unwrap()), "{error}");
    }

    /// Makes the log entries of all tables older than they are kept, and gives those of `events`.
    fn age_entries(test: &TestStore) -> Vec<String> {
        let long_ago = UNIX_EPOCH + Duration::from_secs(u64::try_from(CLOCK / 1_000_000).unwrap() - 800 * 86_400);
        let mut of_events = Vec::new();
        for entry in walkdir::WalkDir::new(test.folder()) {
            let entry = entry.unwrap();
            let name = entry.file_name().to_str().unwrap().to_owned();
            let in_log = entry.path().components().any(|part| part.as_os_str() == "_delta_log");
            if in_log && entry.file_type().is_file() {
                let file = fs::OpenOptions::new().write(true).open(entry.path()).unwrap();
                file.set_modified(long_ago).unwrap();
                if entry.path().starts_with(test.folder().join("events")) && name.ends_with(".json") {
                    of_events.push(name);
                }
            }
        }
        of_events
    }

    async fn commit_without_rejects(test: &TestStore, number: usize) {
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let object = format!("s3://logs/{number}");
        let batch = batch(vec![], &[(&object, "ingested")], 0);
        test.store.commit(&basis, batch).await.unwrap();
    }

    #[tokio::test]
    async fn old_entries_stay_as_long_as_a_table_that_lags_needs_them() {
        let test = TestStore::create().await;
        for number in 0..8 {
            commit_without_rejects(&test, number).await;
        }
        age_entries(&test);
        // The ninth makes a checkpoint, behind which the entries before it would not be needed otherwise.
        commit_without_rejects(&test, 8).await;
        assert_eq!(rows(&test.reopen().await).await, (0, 9, 0));
        let location = test.store.location().clone();
        assert!(
            age_entries(&test)
                .iter()
                .any(|name| name.starts_with("00000000000000000001."))
        );
        Store::create_or_open(&location, CLOCK).await.unwrap();
        assert_eq!(rows(&test.reopen().await).await, (0, 9, 0));
        for number in 9..20 {
            commit_without_rejects(&test, number).await;
        }
        age_entries(&test);
        let store = Store::create_or_open(&location, CLOCK).await.unwrap();
        assert_eq!(rows(&store).await, (0, 20, 0));
        assert_eq!(rows(&test.reopen().await).await, (0, 20, 0));
        let left = age_entries(&test);
        assert!(
            !left.iter().any(|name| name.starts_with("00000000000000000001.")),
            "{left:?}"
        );
        assert!(
            left.iter().any(|name| name.starts_with("00000000000000000020.")),
            "{left:?}"
        );
    }

    #[tokio::test]
    async fn table_without_new_rows_notes_its_progress_now_and_then() {
        let test = TestStore::create().await;
        for number in 0..21 {
            test.commit(&format!("s3://logs/{number}"), &["a"]).await;
        }
        assert_eq!(entries(&test, Table::Rejects), 3);
        let state = test.store.newest(Table::Rejects).await.unwrap();
        assert_eq!(
            test.store.pending(Table::Rejects, &state, 21).await.unwrap().reached,
            20
        );
    }
}
