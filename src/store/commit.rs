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
use deltalake::kernel::Transaction;
use deltalake::kernel::transaction::CommitBuilder;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::protocol::DeltaOperation;
use deltalake::protocol::SaveMode;
use deltalake::table::state::DeltaTableState;
use serde_json::Value;
use uuid::Uuid;

use super::CommitCounts;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::error::Access;
use super::log;
use super::log::BatchRecord;
use super::stage;
use crate::failpoint;
use crate::failpoint::Point;
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
        self.land(basis, ("WRITE", &run_id), (staged, unused), committed_at)
            .await
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
        self.land(basis, ("IMPORT", &batch.run_id), (staged, unused), batch.committed_at)
            .await
    }

    /// Commits staged files and sees to what becomes of them; `unused` takes those of `events` that no attempt can use.
    pub(super) async fn land(
        &self,
        basis: &TableSnapshot,
        (operation, run_id): (&str, &str),
        (staged, unused): (StagedBatch, impl FnOnce(Vec<StagedFile>)),
        committed_at: i64,
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
                match stage::stage(&files, table, None, &rows) {
                    Ok(file) => staged.push(file),
                    Err(error) => {
                        stage::discard(&files, &staged);
                        return Err(error);
                    }
                }
            }
            failpoint::pass(Point::LedgerStaged).map_err(|error| {
                stage::discard(&files, &staged);
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
        let metadata = self.record_value(&record)?;
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

    /// What the log says of a batch.
    pub(super) fn record_value(&self, record: &BatchRecord) -> Result<(String, Value), StoreError> {
        record.to_value().map_err(|source| {
            StoreError::from_log(
                &self.table_folder(Table::Events),
                Access::Write,
                DeltaTableError::GenericError {
                    source: Box::new(source),
                },
            )
        })
    }

    /// What really happened when the commit reported an error.
    pub(super) async fn landing(
        &self,
        version: u64,
        ours: &BatchRecord,
        error: DeltaTableError,
    ) -> Result<Landing, StoreError> {
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

#[cfg(test)]
mod tests;
