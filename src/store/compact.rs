//! Compaction: few well-sized files in place of many small ones, with the same rows.
//!
//! # Why no row is lost, doubled or seen twice
//!
//! 1. One log entry takes the old files out and puts the new one in; a version of the table has these or that. The old ones
//!    stay on disk, for readers that began before and for versions before.
//! 2. The new file is complete and durable before, and its rows were counted, and the keys of its events compared, as they
//!    were read from it.
//! 3. The entry is made only while all old files are part of the table, directly above the version in which they were seen.
//!    When another writer is first, it is looked again; when the old files are not all there any more, nothing happens.
//! 4. Of `events` it is an entry like that of a batch, so that a batch that was compared with the old files is put on top of
//!    it and compared with the new one.
//! 5. A file of a derived table tells by a tag which version of `events` its rows belong to. Rows of several versions in one
//!    file cannot be told apart any more, so the entry notes the last of them, and who asks for an earlier one reads the
//!    table as it was before (see `snapshot`).

use std::collections::HashSet;
use std::sync::Arc;

use deltalake::DeltaTableError;
use deltalake::kernel::Action;
use deltalake::kernel::Transaction;
use deltalake::table::state::DeltaTableState;
use uuid::Uuid;

use super::CommitCounts;
use super::DataFile;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::actions;
use super::actions::ATTEMPTS;
use super::commit::Landing;
use super::error::Access;
use super::log;
use super::log::BatchRecord;
use super::snapshot::KnownFile;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema::Table;

/// The word for it in the log.
pub(super) const OPERATION: &str = "COMPACT";
/// Memory that a byte of a data file takes as rows, roughly, twice: as they are read and as they are written.
const EXPANSION: u64 = 32;
const SMALLEST_FILE_BYTES: u64 = 1 << 20;
const LARGEST_FILE_BYTES: u64 = 64 << 20;
/// Files up to this size are worth rewriting without being asked.
const SMALL_BYTES: u64 = 2 << 20;
/// So many small files of one day, or of a derived table, are left alone unless somebody asks.
const SPARED_OF_DAY: u64 = 3;
const SPARED_OF_TABLE: u64 = 16;

/// Which files are to be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionRule {
    /// Size of new files, roughly.
    target_bytes: u64,
    /// Files up to this size are rewritten.
    small_bytes: u64,
    /// More small files than this must be there: of one day of `events`, and of another table.
    spared: (u64, u64),
    /// One more file is spared for so many bytes of small files, as they are worth less the larger they are.
    spared_bytes: u64,
}

/// Files that are to become one.
#[derive(Debug, Clone)]
pub struct CompactionGroup {
    /// Their table.
    pub table: Table,
    /// Their partition of `events`: days since 1970-01-01.
    pub event_date: Option<i32>,
    /// The files.
    pub files: Vec<Arc<DataFile>>,
    /// The last version of `events` that rows of each file of a derived table belong to.
    versions: Vec<u64>,
    /// Files that were left out for want of memory, with theirs.
    rest: Vec<(Arc<DataFile>, u64)>,
}

/// What became of a new file.
#[derive(Debug)]
enum Swap {
    /// It is part of the table.
    Done,
    /// It is not: another process took one of the old files away, or all attempts to write.
    Left,
    /// It is not, and the log shows that.
    Failed(StoreError),
}

impl CompactionRule {
    /// All files that are less than half as large as a file may be that is made within some memory.
    pub fn of_all(memory_bytes: usize) -> Self {
        let memory_bytes = u64::try_from(memory_bytes).unwrap_or(u64::MAX);
        let target_bytes = (memory_bytes / EXPANSION).clamp(SMALLEST_FILE_BYTES, LARGEST_FILE_BYTES);
        Self {
            target_bytes,
            small_bytes: target_bytes / 2,
            spared: (1, 1),
            spared_bytes: u64::MAX,
        }
    }

    /// Only where small files have gathered.
    pub fn of_gathered(memory_bytes: usize) -> Self {
        let all = Self::of_all(memory_bytes);
        let small_bytes = all.small_bytes.min(SMALL_BYTES);
        Self {
            small_bytes,
            spared: (SPARED_OF_DAY, SPARED_OF_TABLE),
            spared_bytes: small_bytes,
            ..all
        }
    }

    fn asks_for(&self, table: Table, small: &[KnownFile]) -> bool {
        let (of_day, of_table) = self.spared;
        let spared = if table == Table::Events { of_day } else { of_table };
        let bytes: u64 = small.iter().map(|(file, _)| file.size).sum();
        small.len() as u64 > spared + bytes / self.spared_bytes
    }
}

impl CompactionGroup {
    /// Rows of the files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of the files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The files that were left out for want of memory, as a group of their own if they are several.
    pub fn take_rest(&mut self) -> Option<Self> {
        let rest = std::mem::take(&mut self.rest);
        let (files, versions): (Vec<_>, Vec<_>) = rest.into_iter().unzip();
        (files.len() > 1).then(|| Self {
            table: self.table,
            event_date: self.event_date,
            files,
            versions,
            rest: Vec::new(),
        })
    }

    /// Leaves out all but the first files.
    pub(super) fn limit(&mut self, count: usize) {
        let rest = self.files.split_off(count.min(self.files.len()));
        let versions = self.versions.split_off(count.min(self.versions.len()));
        self.rest = rest.into_iter().zip(versions).collect();
    }

    /// The last version of `events` that rows of a derived table belong to.
    fn events_version(&self) -> u64 {
        self.versions.iter().copied().max().unwrap_or_default()
    }
}

impl Store {
    /// The files that a rule asks to be rewritten: `events` day by day, then the tables that follow it.
    ///
    /// # Errors
    ///
    /// A log cannot be read.
    pub async fn compaction_groups(&self, rule: &CompactionRule) -> Result<Vec<CompactionGroup>, StoreError> {
        let mut groups = Vec::new();
        for table in self.tables().await? {
            let state = self.newest(table).await?;
            let mut files = self.files(table, &state)?;
            files.retain(|(file, _)| file.size <= rule.small_bytes);
            // Files of one day, and of one kind, side by side; of derived tables in the order in which they came.
            files.sort_unstable_by(|(one, one_version), (other, other_version)| {
                let key = |file: &DataFile| (file.event_date, told_by(table, file));
                let own = (key(one), one_version, one.size, &one.path);
                own.cmp(&(key(other), other_version, other.size, &other.path))
            });
            for kind in files.chunk_by(|(one, _), (other, _)| {
                one.event_date == other.event_date && told_by(table, one) == told_by(table, other)
            }) {
                if rule.asks_for(table, kind) {
                    groups.extend(packed(table, kind, rule.target_bytes));
                }
            }
        }
        Ok(groups)
    }

    /// Puts a new file in the place of those of a group; false when another process took one of them away.
    ///
    /// # Errors
    ///
    /// The log cannot be read or written. The new file is removed where the log shows that nothing names it.
    pub async fn commit_compaction(
        &self,
        group: &CompactionGroup,
        staged: StagedFile,
        (run_id, committed_at): (&str, i64),
    ) -> Result<bool, StoreError> {
        let swap = match group.table {
            Table::Events => self.swap_events(group, &staged, (run_id, committed_at)).await,
            _ => self.swap_derived(group, &staged, committed_at).await,
        };
        // After any other error the table may name the new file: it stays, if need be for a vacuum.
        match swap? {
            Swap::Done => Ok(true),
            // A request to a bucket may take effect after it was given up.
            Swap::Failed(error) if self.storage().remote().is_some() => Err(error),
            Swap::Failed(error) => {
                self.discard(vec![staged]);
                Err(error)
            }
            Swap::Left => {
                self.discard(vec![staged]);
                Ok(false)
            }
        }
    }

    async fn swap_events(
        &self,
        group: &CompactionGroup,
        staged: &StagedFile,
        (run_id, committed_at): (&str, i64),
    ) -> Result<Swap, StoreError> {
        let record = BatchRecord {
            run_id: run_id.to_owned(),
            batch: Uuid::new_v4().to_string(),
            counts: CommitCounts {
                files: 1,
                ..CommitCounts::default()
            },
            ..BatchRecord::default()
        };
        let metadata = Some(self.record_value(&record)?);
        for _ in 0..ATTEMPTS {
            let state = self.newest(Table::Events).await?;
            if !self.has_all(&state, group)? {
                return Ok(Swap::Left);
            }
            let info = log::commit_info(OPERATION, committed_at, Some(state.version()), metadata.clone());
            let actions = swap(info, group, staged, committed_at);
            let points = [Point::CompactionPut, Point::CompactionLanded, Point::CompactionUnseen];
            match self.append_entry(&state, &record, actions, points).await? {
                Landing::Stored(_) => return Ok(Swap::Done),
                Landing::Beaten => {}
                Landing::Failed(error) => return Ok(Swap::Failed(error)),
            }
        }
        // Others write all the time: the files are small next time, too.
        Ok(Swap::Left)
    }

    async fn swap_derived(
        &self,
        group: &CompactionGroup,
        staged: &StagedFile,
        committed_at: i64,
    ) -> Result<Swap, StoreError> {
        let table = group.table;
        let mut failures = 0;
        let mut failure = None;
        loop {
            let state = self.newest(table).await?;
            let files = self.files(table, &state)?;
            if files.iter().any(|(file, _)| file.path == staged.path) {
                return Ok(Swap::Done);
            }
            if let Some(error) = failure.take().filter(|_| failures == ATTEMPTS) {
                let error = StoreError::from_log(&self.table_folder(table), Access::Write, error);
                return Ok(Swap::Failed(error));
            }
            if !self.has_all(&state, group)? {
                return Ok(Swap::Left);
            }
            let compacted = self.compacted(table, &state).await?.max(group.events_version());
            let info = log::commit_info(OPERATION, committed_at, Some(state.version()), None);
            let mut actions = swap(info, group, staged, committed_at);
            let noted = i64::try_from(compacted).unwrap_or(i64::MAX);
            actions.push(Action::Txn(Transaction::new(log::COMPACT_APP_ID, noted)));
            let reached = self.reached(table, &state).await?;
            let swapping = async {
                failpoint::pass(Point::CompactionPut)?;
                self.append(table, &state, actions, (log::FOLLOW_APP_ID, reached))
                    .await?;
                failpoint::pass(Point::CompactionLanded)?;
                failpoint::pass(Point::CompactionUnseen)?;
                Ok::<_, DeltaTableError>(())
            };
            let Err(error) = swapping.await else {
                return Ok(Swap::Done);
            };
            // Someone wrote first, or the entry landed in spite of the error: both show in the next look.
            failures += 1;
            failure = Some(error);
            failpoint::pass(Point::CompactionUnseen).map_err(|error| self.unwritable(error))?;
        }
    }

    /// The last version of `events` of those whose rows a derived table cannot tell apart.
    pub(super) async fn compacted(&self, table: Table, state: &DeltaTableState) -> Result<u64, StoreError> {
        let noted = state
            .transaction_version(self.log_store(table).as_ref(), log::COMPACT_APP_ID)
            .await
            .map_err(|error| StoreError::from_log(&self.table_folder(table), Access::Read, error))?;
        Ok(noted.and_then(|noted| u64::try_from(noted).ok()).unwrap_or_default())
    }

    fn has_all(&self, state: &DeltaTableState, group: &CompactionGroup) -> Result<bool, StoreError> {
        let files = self.files(group.table, state)?;
        let paths: HashSet<&str> = files.iter().map(|(file, _)| file.path.as_str()).collect();
        Ok(group.files.iter().all(|file| paths.contains(file.path.as_str())))
    }
}

/// One file after the other into groups of about the size that is wanted; a file that is left alone stays as it is.
fn packed(table: Table, files: &[KnownFile], target_bytes: u64) -> Vec<CompactionGroup> {
    let mut groups: Vec<CompactionGroup> = Vec::new();
    let mut bytes = 0;
    for (file, version) in files {
        let version = version.unwrap_or_default();
        bytes += file.size;
        match groups.last_mut().filter(|_| bytes <= target_bytes) {
            Some(group) => {
                group.versions.push(version);
                group.files.push(Arc::clone(file));
            }
            None => {
                bytes = file.size;
                groups.push(CompactionGroup {
                    table,
                    event_date: file.event_date,
                    files: vec![Arc::clone(file)],
                    versions: vec![version],
                    rest: Vec::new(),
                });
            }
        }
    }
    groups.retain(|group| group.files.len() > 1);
    groups
}

/// The facts that told a file of the rollup: rows of different ones are not mixed.
fn told_by(table: Table, file: &DataFile) -> Option<String> {
    let facts = (table == Table::Usage).then(|| file.stats.column("facts")).flatten()?;
    Some(format!("{:?} {:?}", facts.min, facts.max))
}

fn swap(info: Action, group: &CompactionGroup, staged: &StagedFile, committed_at: i64) -> Vec<Action> {
    let events_version = (group.table != Table::Events).then_some(group.events_version());
    let mut added = staged.add(committed_at, events_version);
    added.data_change = false;
    let mut actions = vec![info];
    actions.extend(group.files.iter().map(|file| {
        let mut removed = actions::removal(group.table, file, committed_at);
        removed.data_change = false;
        Action::Remove(removed)
    }));
    actions.push(Action::Add(added));
    actions
}

#[cfg(test)]
mod tests;
