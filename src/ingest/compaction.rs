//! Rewriting small data files into few, group by group, each in a commit of its own.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use super::error::IngestError;
use super::options::Options;
use crate::schema::Table;
use crate::store::CompactionGroup;
use crate::store::CompactionRule;
use crate::store::Store;
use crate::store::StoreError;

/// New files that are made at most without being asked: the rest is left to the next run.
const MOST_GATHERED: usize = 32;

/// A compaction that is ready to start.
#[derive(Debug)]
pub struct Compaction<'a> {
    /// The store.
    pub store: &'a Store,
    /// Runtime for the store's async calls; the caller must not be one of its threads.
    pub runtime: &'a Handle,
    /// Memory that it may take, in bytes, roughly.
    pub memory_bytes: usize,
    /// Name of the run in the log.
    pub run_id: &'a str,
    /// Moment of the run, microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Set to make it end after the group at hand.
    pub stop: &'a AtomicBool,
}

/// What became of the files of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Their table.
    pub table: Table,
    /// Their day of `events`: days since 1970-01-01.
    pub event_date: Option<i32>,
    /// How many there were.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the one file in their place; `None` when they were left as they are: it was only tried, another process
    /// took one of them away, they take more memory than there is, or one cannot be read.
    pub written_bytes: Option<u64>,
}

/// What a compaction did.
#[derive(Debug, Default)]
pub struct Compactions {
    /// Group by group.
    pub groups: Vec<Compacted>,
    /// What kept others from being rewritten.
    pub errors: Vec<IngestError>,
}

impl<'a> Compaction<'a> {
    /// What comes at the end of a run.
    pub(super) fn of_run(
        (store, runtime): (&'a Store, &'a Handle),
        options: &'a Options,
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            store,
            runtime,
            // What the run had in memory is not all given back, and rows that are sorted and written are there twice.
            memory_bytes: options.memory_bytes / 4,
            run_id: &options.run_id,
            now: options.now,
            stop,
        }
    }

    /// What there is to do.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn plan(&self) -> Result<Vec<Compacted>, IngestError> {
        let groups = self.groups(&CompactionRule::of_all(self.memory_bytes))?;
        Ok(groups.iter().map(|group| Compacted::of(group, None)).collect())
    }

    /// Rewrites all small files.
    ///
    /// # Errors
    ///
    /// The log of the store cannot be read. What keeps files from being rewritten stands beside what was done.
    pub fn run(&self) -> Result<Compactions, IngestError> {
        let groups = self.groups(&CompactionRule::of_all(self.memory_bytes))?;
        Ok(self.rewrite(groups, None))
    }

    /// Rewrites small files where many have gathered, a bounded number of them.
    ///
    /// What cannot be done is no failure of a run, whose events are stored: it is told, and the next one tries again.
    pub(super) fn run_if_gathered(&self) -> Option<String> {
        let groups = self.groups(&CompactionRule::of_gathered(self.memory_bytes));
        let compactions = match groups {
            Ok(groups) => self.rewrite(groups, Some(MOST_GATHERED)),
            Err(error) => return Some(error.to_string()),
        };
        if !compactions.groups.is_empty() {
            tracing::info!(groups = compactions.groups.len(), "compacted");
        }
        let more = match compactions.errors.len().saturating_sub(1) {
            0 => String::new(),
            more => format!("; and {more} more, which `trimtrail store compact` names"),
        };
        let first = compactions.errors.first();
        first.map(|error| format!("{error}{more}"))
    }

    fn groups(&self, rule: &CompactionRule) -> Result<Vec<CompactionGroup>, IngestError> {
        Ok(self.runtime.block_on(self.store.compaction_groups(rule))?)
    }

    /// Rewrites groups until so many new files are made, if there is a limit. One that cannot be read does not keep the others
    /// from it.
    fn rewrite(&self, groups: Vec<CompactionGroup>, most: Option<usize>) -> Compactions {
        let mut compactions = Compactions::default();
        let mut waiting = VecDeque::from(groups);
        let mut made = 0;
        while let Some(mut group) = waiting.pop_front().filter(|_| most.is_none_or(|most| made < most)) {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let rewritten = self.rewrite_one(&mut group);
            let written = rewritten.as_ref().ok().copied().flatten();
            made += usize::from(written.is_some());
            let compacted = Compacted::of(&group, written);
            tracing::debug!(?compacted, "compacted");
            compactions.groups.push(compacted);
            let rest = group.take_rest();
            // Files that do not fit beside one another are like the next ones: to try them all is for those who ask for it.
            if most.is_none() || !matches!(rewritten, Ok(None)) {
                waiting.extend(rest);
            }
            if let Err(error) = rewritten {
                let goes_on = error.is_of_data_file();
                compactions.errors.push(error.into());
                if !goes_on {
                    break;
                }
            }
        }
        if made > 0
            && let Err(error) = self.runtime.block_on(self.store.repair(self.now))
        {
            compactions.errors.push(error.into());
        }
        compactions
    }

    /// Size of the new file; `None` when the old ones stay.
    fn rewrite_one(&self, group: &mut CompactionGroup) -> Result<Option<u64>, StoreError> {
        let Some(staged) = self.store.rewrite(group, self.memory_bytes)? else {
            return Ok(None);
        };
        let written = staged.bytes();
        let commit = self.store.commit_compaction(group, staged, (self.run_id, self.now));
        Ok(self.runtime.block_on(commit)?.then_some(written))
    }
}

impl Compacted {
    fn of(group: &CompactionGroup, written_bytes: Option<u64>) -> Self {
        Self {
            table: group.table,
            event_date: group.event_date,
            files: group.files.len() as u64,
            rows: group.rows(),
            bytes: group.bytes(),
            written_bytes,
        }
    }
}
