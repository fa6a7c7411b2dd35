//! The rollup `usage`: how far it stands, and making it anew.
//!
//! It follows `events` as the ledger does. A commit that brings no rollup of its events, as programs made that knew none,
//! is a gap that it cannot pass: then it is behind, until it is made of all events at once.

use std::sync::Arc;

use arrow::array::RecordBatch;
use deltalake::DeltaTableError;
use deltalake::kernel::Action;
use deltalake::kernel::Transaction;
use deltalake::table::state::DeltaTableState;

use super::DataFile;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::actions;
use super::actions::ATTEMPTS;
use super::error::Access;
use super::expire;
use super::log;
use super::repair::Pending;
use super::stage;
use super::statistics::StatisticValue;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema::Table;

/// The word in the log for making it anew.
pub(super) const OPERATION: &str = "REBUILD";
/// Rows of one file of the rollup that is made anew, roughly.
pub const FILE_ROWS: usize = 500_000;

/// The rollup at a version of the store.
#[derive(Debug, Clone)]
pub enum UsageRollup {
    /// Its rows are those of all events.
    Complete(TableSnapshot),
    /// It cannot be used.
    Behind(UsageLack),
}

/// Why a rollup cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageLack {
    /// The store has none.
    Missing,
    /// It knows the events up to this version of the store only.
    Reaches(u64),
    /// It was made of all events of this version at once, and the log has forgotten what it was before.
    Begins(u64),
    /// The actions were told by other facts, or by another version of this program.
    OtherFacts,
}

/// What became of a rollup that was made anew.
#[derive(Debug)]
enum Replacement {
    /// It has taken the place of the old one.
    Done,
    /// Another process made one of as many events.
    Overtaken,
    /// The old one has rows of later versions that cannot be told apart.
    Outdated,
    /// It has not, and the log shows that.
    Failed(StoreError),
}

impl Store {
    /// The rollup at a version of the store, when its actions are told by these facts.
    ///
    /// # Errors
    ///
    /// The log of the rollup, or of `events`, cannot be read.
    pub async fn usage_rollup(&self, version: u64, facts: &str) -> Result<UsageRollup, StoreError> {
        let (state, pending) = match self.judged_usage(version).await? {
            Ok(judged) => judged,
            Err(lack) => return Ok(UsageRollup::Behind(lack)),
        };
        let snapshot = self.derived_files(Table::Usage, version, (state, pending))?;
        if snapshot.files.iter().all(|file| is_told_by(file, facts)) {
            return Ok(UsageRollup::Complete(snapshot));
        }
        // The events of expired days are not there to be told anew.
        let expired = self.expired_before_at(version).await?;
        let is_right = |file: &Arc<DataFile>| {
            is_told_by(file, facts) || expired.is_some_and(|before| expire::is_of_days_before(file, before))
        };
        match snapshot.files.iter().all(is_right) {
            true => Ok(UsageRollup::Complete(snapshot)),
            false => Ok(UsageRollup::Behind(UsageLack::OtherFacts)),
        }
    }

    /// What keeps the rollup from having all events of a version.
    async fn usage_lack(&self, version: u64) -> Result<Option<UsageLack>, StoreError> {
        Ok(self.judged_usage(version).await?.err())
    }

    /// A state of the rollup that has all events of a version, with what is still to be added to it, or what keeps the
    /// newest from having them. Files must come from the state that was judged: another process may replace them meanwhile.
    async fn judged_usage(&self, version: u64) -> Result<Result<(DeltaTableState, Pending), UsageLack>, StoreError> {
        if !self.is_made(Table::Usage).await? {
            return Ok(Err(UsageLack::Missing));
        }
        let Some(state) = self.derived_state(Table::Usage, version).await? else {
            let newest = self.newest(Table::Usage).await?;
            let base = self.usage_base(&newest).await?.unwrap_or_default();
            let begins = base.max(self.compacted(Table::Usage, &newest).await?);
            return Ok(Err(UsageLack::Begins(begins)));
        };
        if self.usage_base(&state).await?.is_none() {
            // Made by a later version of this program than the events, and anew since, or not yet.
            let made = self.usage_base(&self.newest(Table::Usage).await?).await?;
            return Ok(Err(made.map_or(UsageLack::Missing, UsageLack::Begins)));
        }
        let pending = self.pending(Table::Usage, &state, version).await?;
        Ok(match pending.last < version {
            true => Err(UsageLack::Reaches(pending.last)),
            false => Ok((state, pending)),
        })
    }

    /// Writes rows of the rollup as a file that no table contains yet.
    ///
    /// # Errors
    ///
    /// As for [`Store::stage_events`].
    pub fn stage_usage(&self, rows: &RecordBatch) -> Result<StagedFile, StoreError> {
        stage::stage(self.storage(), Table::Usage, None, rows)
    }

    /// Puts a rollup of all events of `basis` in place of what the rollup has of them; rows of later versions stay.
    ///
    /// False, and nothing is replaced, when a compaction put rows of later versions among those of earlier ones: then the
    /// rollup is to be made of a newer version.
    ///
    /// # Errors
    ///
    /// The rollup cannot be read or written; the staged files are removed where the log shows that nothing names them. In a
    /// bucket a request that got no answer may still be carried out.
    pub async fn replace_usage(
        &self,
        basis: &TableSnapshot,
        staged: Vec<StagedFile>,
        committed_at: i64,
    ) -> Result<bool, StoreError> {
        // After any other error the files may be those of the rollup: they stay, if need be for a vacuum.
        let replaced = match self.try_replace_usage(basis, &staged, committed_at).await? {
            Replacement::Done => return Ok(true),
            Replacement::Failed(error) if self.storage().remote().is_some() => return Err(error),
            Replacement::Failed(error) => Err(error),
            Replacement::Overtaken => Ok(true),
            Replacement::Outdated => Ok(false),
        };
        self.discard(staged);
        replaced
    }

    async fn try_replace_usage(
        &self,
        basis: &TableSnapshot,
        staged: &[StagedFile],
        committed_at: i64,
    ) -> Result<Replacement, StoreError> {
        self.create_if_missing(Table::Usage, committed_at, basis.version)
            .await?;
        let mut failures = 0;
        let mut failure = None;
        let mut first_base = None;
        loop {
            let state = self.newest(Table::Usage).await?;
            let files = self.files(Table::Usage, &state)?;
            if staged
                .iter()
                .any(|own| files.iter().any(|(file, _)| file.path == own.path))
            {
                return Ok(Replacement::Done);
            }
            if let Some(error) = failure.take().filter(|_| failures == ATTEMPTS) {
                let error = StoreError::from_log(&self.table_folder(Table::Usage), Access::Write, error);
                return Ok(Replacement::Failed(error));
            }
            let base = self.usage_base(&state).await?;
            let first_base = *first_base.get_or_insert(base);
            // A base that was there at the first look is the one to be replaced, not that of another process.
            let is_overtaken = |found| found > basis.version || (found == basis.version && base != first_base);
            if base.is_some_and(is_overtaken) {
                return Ok(Replacement::Overtaken);
            }
            if self.compacted(Table::Usage, &state).await? > basis.version {
                return Ok(Replacement::Outdated);
            }
            let reached = self.reached(Table::Usage, &state).await?;
            let is_replaced = |version: &Option<u64>| version.is_none_or(|version| version <= basis.version);
            let replaced = files.into_iter().filter(|(_, version)| is_replaced(version));
            let base = i64::try_from(basis.version).unwrap_or(i64::MAX);
            let mut actions = vec![log::commit_info(OPERATION, committed_at, Some(state.version()), None)];
            actions
                .extend(replaced.map(|(file, _)| Action::Remove(actions::removal(Table::Usage, &file, committed_at))));
            let added = staged.iter().map(|file| file.add(committed_at, Some(basis.version)));
            actions.extend(added.map(Action::Add));
            actions.push(Action::Txn(Transaction::new(log::USAGE_APP_ID, base)));
            let transaction = (log::FOLLOW_APP_ID, reached.max(basis.version));
            let replacing = async {
                failpoint::pass(Point::UsagePut)?;
                self.append(Table::Usage, &state, actions, transaction).await?;
                failpoint::pass(Point::UsageLanded)?;
                failpoint::pass(Point::UsageUnseen)?;
                Ok::<_, DeltaTableError>(())
            };
            let Err(error) = replacing.await else {
                return Ok(Replacement::Done);
            };
            // Someone wrote first, or the entry landed in spite of the error: both show in the next look.
            failures += 1;
            failure = Some(error);
            failpoint::pass(Point::UsageUnseen).map_err(|error| self.unwritable(error))?;
        }
    }

    /// Version of `events` up to which the rollup was made of all events at once; `None` when it never was.
    pub(super) async fn usage_base(&self, state: &DeltaTableState) -> Result<Option<u64>, StoreError> {
        let base = state
            .transaction_version(self.log_store(Table::Usage).as_ref(), log::USAGE_APP_ID)
            .await
            .map_err(|error| StoreError::from_log(&self.table_folder(Table::Usage), Access::Read, error))?;
        Ok(base.and_then(|base| u64::try_from(base).ok()))
    }

    /// Version of `events` up to which the rollup knows all events; `None` when there is no rollup.
    ///
    /// # Errors
    ///
    /// The log of the rollup, or of `events`, cannot be read.
    pub async fn usage_version(&self) -> Result<Option<u64>, StoreError> {
        let version = self.version().await?;
        Ok(match self.usage_lack(version).await? {
            None => Some(version),
            Some(UsageLack::Reaches(last)) => Some(last),
            Some(_) => None,
        })
    }

    /// Whether the rollup lacks events of the newest version, and cannot follow to it by itself.
    ///
    /// # Errors
    ///
    /// The log of the rollup, or of `events`, cannot be read.
    pub async fn is_usage_behind(&self) -> Result<bool, StoreError> {
        // One version for both questions: other writers go on, and what they commit meanwhile is no lack.
        let version = self.version().await?;
        Ok(self.usage_lack(version).await?.is_some())
    }
}

/// Whether all rows of a file of the rollup are told by some facts.
fn is_told_by(file: &Arc<DataFile>, facts: &str) -> bool {
    let is_it = |bound: &Option<StatisticValue>| *bound == Some(StatisticValue::Text(facts.to_owned()));
    let column = file.stats.column("facts");
    column.is_some_and(|column| is_it(&column.min) && is_it(&column.max))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow::array::ArrayRef;
    use arrow::array::AsArray;
    use arrow::array::BooleanArray;
    use arrow::array::Int64Array;
    use arrow::array::StringArray;
    use arrow::array::new_null_array;
    use arrow::datatypes::DataType;
    use arrow::datatypes::Int64Type;

    use super::super::CommitBatch;
    use super::super::CompactionRule;
    use super::super::testing::CLOCK;
    use super::super::testing::TestStore;
    use super::super::testing::batch;
    use super::super::testing::committed;
    use super::*;
    use crate::schema;

    /// One row for as many events.
    fn rollup(events: i64, facts: &str) -> RecordBatch {
        let schema = schema::usage();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match (field.name().as_str(), field.data_type()) {
                ("facts", _) => Arc::new(StringArray::from(vec![facts])),
                (_, kind) if field.is_nullable() => new_null_array(kind, 1),
                (_, DataType::Int64) => Arc::new(Int64Array::from(vec![events])),
                (_, DataType::Boolean) => Arc::new(BooleanArray::from(vec![false])),
                _ => Arc::new(StringArray::from(vec!["x"])),
            }
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
    }

    async fn commit(test: &TestStore, id: &str, facts: &str) -> TableSnapshot {
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let batch = CommitBatch {
            usage: Some(rollup(1, facts)),
            ..batch(vec![test.stage(&[id])], &[(id, "ingested")], 0)
        };
        committed(test.store.commit(&basis, batch).await.unwrap())
    }

    async fn rows_at(store: &Store, version: u64) -> Result<u64, UsageLack> {
        match store.usage_rollup(version, "facts").await.unwrap() {
            UsageRollup::Complete(snapshot) => Ok(snapshot.rows()),
            UsageRollup::Behind(lack) => Err(lack),
        }
    }

    #[tokio::test]
    async fn rollup_follows_the_commits_and_shows_older_versions() {
        let test = TestStore::create().await;
        commit(&test, "a", "facts").await;
        commit(&test, "b", "facts").await;
        let store = test.reopen().await;
        for version in 0..=2 {
            assert_eq!(rows_at(&store, version).await, Ok(version));
        }
        assert_eq!(store.usage_version().await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn rows_that_are_alike_become_one_when_small_files_do() {
        let test = TestStore::create().await;
        for (id, facts) in [
            ("a", "facts"),
            ("b", "facts"),
            ("c", "other facts"),
            ("d", "facts"),
            ("e", "other facts"),
        ] {
            commit(&test, id, facts).await;
        }
        let memory_bytes = 64 << 20;
        let groups = test
            .store
            .compaction_groups(&CompactionRule::of_all(memory_bytes))
            .await;
        let groups = groups.unwrap().into_iter().filter(|group| group.table == Table::Usage);
        for mut group in groups {
            let staged = test.store.rewrite(&mut group, memory_bytes).unwrap().unwrap();
            assert_eq!(staged.rows(), 1);
            let commit = test.store.commit_compaction(&group, staged, ("run-c", CLOCK));
            assert!(commit.await.unwrap());
        }
        let usage = test.reopen().await.snapshot(Table::Usage).await.unwrap();
        assert_eq!((usage.files.len(), usage.rows()), (2, 2));
        let mut calls = Vec::new();
        for file in &usage.files {
            let (_, batches) = test.store.read_columns(Table::Usage, file, &["calls"]).unwrap();
            let counts = batches.map(|batch| batch.unwrap().column(0).as_primitive::<Int64Type>().value(0));
            calls.extend(counts);
        }
        calls.sort_unstable();
        assert_eq!(calls, [2, 3]);
        assert_eq!(rows_at(&test.store, 2).await, Ok(2), "versions before are as they were");
    }

    #[tokio::test]
    async fn rows_told_by_other_facts_are_not_used() {
        let test = TestStore::create().await;
        commit(&test, "a", "facts").await;
        commit(&test, "b", "other facts").await;
        assert_eq!(rows_at(&test.store, 1).await, Ok(1));
        assert_eq!(rows_at(&test.store, 2).await, Err(UsageLack::OtherFacts));
    }

    #[tokio::test]
    async fn commit_without_a_rollup_holds_it_up_until_it_is_made_anew() {
        let test = TestStore::create().await;
        commit(&test, "a", "facts").await;
        test.commit("s3://logs/2", &["b"]).await;
        let basis = commit(&test, "c", "facts").await;
        assert_eq!(rows_at(&test.store, 3).await, Err(UsageLack::Reaches(1)));
        assert_eq!(test.store.usage_version().await.unwrap(), Some(1));
        let staged = vec![test.store.stage_usage(&rollup(3, "facts")).unwrap()];
        test.store.replace_usage(&basis, staged, CLOCK).await.unwrap();
        assert_eq!(rows_at(&test.store, 3).await, Ok(1));
        assert_eq!(rows_at(&test.store, 2).await, Err(UsageLack::Reaches(1)));
        assert_eq!(rows_at(&test.store, 1).await, Ok(1));
        commit(&test, "d", "facts").await;
        assert_eq!(rows_at(&test.reopen().await, 4).await, Ok(2));
    }

    #[tokio::test]
    async fn older_versions_show_the_rollup_from_before_it_was_made_anew_as_long_as_the_log_has_it() {
        let test = TestStore::create().await;
        for id in ["a", "b", "c", "d", "e", "f"] {
            let basis = commit(&test, id, "facts").await;
            let staged = vec![test.store.stage_usage(&rollup(9, "facts")).unwrap()];
            test.store.replace_usage(&basis, staged, CLOCK).await.unwrap();
        }
        commit(&test, "g", "facts").await;
        for store in [&test.store, &test.reopen().await] {
            for (version, rows) in [(0, 0), (1, 1), (2, 1), (5, 1), (6, 1), (7, 2)] {
                assert_eq!(rows_at(store, version).await, Ok(rows), "version {version}");
                let usage = store.snapshot_at(Table::Usage, version).await.unwrap();
                assert_eq!(usage.rows(), rows, "version {version}");
            }
        }
        // The tenth entry made it anew of the fifth version, and a checkpoint holds what it was before.
        for entry in 0..10 {
            fs::remove_file(test.folder().join(format!("usage/_delta_log/{entry:020}.json"))).unwrap();
        }
        let store = test.reopen().await;
        assert_eq!(rows_at(&store, 4).await, Ok(1));
        assert_eq!(rows_at(&store, 3).await, Err(UsageLack::Begins(6)));
        let error = store.snapshot_at(Table::Usage, 3).await.unwrap_err();
        assert!(
            matches!(error, StoreError::NoSuchVersion { requested: 3, .. }),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn rollup_that_was_judged_is_read_whatever_others_put_in_its_place_meanwhile() {
        let test = TestStore::create().await;
        commit(&test, "a", "facts").await;
        let reader = test.reopen().await;
        let judged = reader.judged_usage(1).await.unwrap().unwrap();
        let newer = commit(&test, "b", "facts").await;
        let staged = vec![test.store.stage_usage(&rollup(2, "facts")).unwrap()];
        test.store.replace_usage(&newer, staged, CLOCK).await.unwrap();
        let snapshot = reader.derived_files(Table::Usage, 1, judged).unwrap();
        assert_eq!((snapshot.version, snapshot.rows()), (1, 1));
        assert_eq!(rows_at(&reader, 1).await, Ok(1));
    }

    #[tokio::test]
    async fn rebuild_that_another_writer_was_before_replaces_the_old_rollup_of_the_same_version() {
        let test = TestStore::create().await;
        let basis = commit(&test, "a", "old facts").await;
        let rebuild = |facts: &str| vec![test.store.stage_usage(&rollup(1, facts)).unwrap()];
        test.store
            .replace_usage(&basis, rebuild("old facts"), CLOCK)
            .await
            .unwrap();
        let late = test.reopen().await;
        // Its first look gives what is read now.
        assert!(late.is_made(Table::Usage).await.unwrap());
        commit(&test, "b", "facts").await;
        late.replace_usage(&basis, rebuild("facts"), CLOCK).await.unwrap();
        assert_eq!(rows_at(&test.reopen().await, 2).await, Ok(2));
    }

    #[tokio::test]
    async fn rollup_of_an_older_version_does_not_replace_that_of_a_newer_one() {
        let test = TestStore::create().await;
        let older = commit(&test, "a", "facts").await;
        let newer = commit(&test, "b", "facts").await;
        for basis in [&newer, &older] {
            let staged = vec![test.store.stage_usage(&rollup(2, "facts")).unwrap()];
            test.store.replace_usage(basis, staged, CLOCK).await.unwrap();
        }
        assert_eq!(rows_at(&test.store, 2).await, Ok(1));
        assert_eq!(rows_at(&test.store, 1).await, Ok(1));
    }

    #[tokio::test]
    async fn store_without_the_table_gets_it_when_it_is_made_anew() {
        let test = TestStore::create().await;
        commit(&test, "a", "facts").await;
        fs::remove_dir_all(test.folder().join("usage")).unwrap();
        let location = test.store.location();
        let store = Store::create_or_open(location, CLOCK).await.unwrap();
        assert_eq!(rows_at(&store, 1).await, Err(UsageLack::Missing));
        assert_eq!(store.usage_version().await.unwrap(), None);
        let basis = store.snapshot(Table::Events).await.unwrap();
        let staged = vec![store.stage_usage(&rollup(1, "facts")).unwrap()];
        store.replace_usage(&basis, staged, CLOCK).await.unwrap();
        assert_eq!(rows_at(&test.reopen().await, 1).await, Ok(1));
    }
}
