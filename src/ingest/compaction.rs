//! Rewriting small data files into few, group by group, each in a commit of its own.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use super::error::IngestError;
use super::options::Options;
use crate::schema::Table;
use crate::store::CompactionGroup;
use crate::store::CompactionRule;
use crate::store::Store;

/// Groups that are rewritten at most without being asked: the rest is left to the next run.
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
    /// took one of them away, or they take more memory than there is.
    pub written_bytes: Option<u64>,
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
            // What the run had in memory is not all given back.
            memory_bytes: options.memory_bytes / 2,
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
    /// The store cannot be read or written; what was compacted before stays.
    pub fn run(&self) -> Result<Vec<Compacted>, IngestError> {
        self.rewrite(self.groups(&CompactionRule::of_all(self.memory_bytes))?)
    }

    /// Rewrites small files where many have gathered, a bounded number of them.
    ///
    /// What cannot be done is no failure of a run, whose events are stored: the next one tries again.
    pub(super) fn run_if_gathered(&self) {
        let groups = self.groups(&CompactionRule::of_gathered(self.memory_bytes));
        let compacted = groups.and_then(|mut groups| {
            groups.truncate(MOST_GATHERED);
            self.rewrite(groups)
        });
        match compacted {
            Ok(groups) if groups.is_empty() => {}
            Ok(groups) => tracing::info!(groups = groups.len(), "compacted"),
            Err(error) => tracing::warn!(%error, "small files stay as they are"),
        }
    }

    fn groups(&self, rule: &CompactionRule) -> Result<Vec<CompactionGroup>, IngestError> {
        Ok(self.runtime.block_on(self.store.compaction_groups(rule))?)
    }

    fn rewrite(&self, groups: Vec<CompactionGroup>) -> Result<Vec<Compacted>, IngestError> {
        let mut all = Vec::new();
        for mut group in groups {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let Some(staged) = self.store.rewrite(&mut group, self.memory_bytes)? else {
                all.push(Compacted::of(&group, None));
                continue;
            };
            let written = staged.bytes();
            let commit = self.store.commit_compaction(&group, staged, (self.run_id, self.now));
            let is_done = self.runtime.block_on(commit)?;
            let compacted = Compacted::of(&group, is_done.then_some(written));
            tracing::debug!(?compacted, "compacted");
            all.push(compacted);
        }
        if all.iter().any(|compacted| compacted.written_bytes.is_some()) {
            self.runtime.block_on(self.store.repair(self.now))?;
        }
        Ok(all)
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
