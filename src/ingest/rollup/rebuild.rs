//! Making the rollup of events that are stored already.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use tokio::runtime::Handle;

use super::Rollup;
use super::columns::EVENT_COLUMNS;
use super::columns::TEXT_COLUMNS;
use crate::ingest::error::IngestError;
use crate::ingest::pool::thread_pool;
use crate::schema::Table;
use crate::store::DataFile;
use crate::store::FILE_ROWS;
use crate::store::StagedFile;
use crate::store::Store;
use crate::store::TableSnapshot;

/// Each failed attempt means that the rollup was compacted meanwhile.
const ATTEMPTS: u32 = 5;
/// Part of the memory that sums take before they are written: their columns take about as much again, encoding them, the
/// sums of the threads and the rows that they read come on top.
const MEMORY_SHARE: usize = 6;
const SMALLEST_BYTES: usize = 8 << 20;
/// Memory that the rollup of one batch may take that somebody else has staged.
const MOST_BATCH_BYTES: usize = 256 << 20;

/// Makes the rollup of a store anew.
#[derive(Debug)]
pub struct Rebuild<'a> {
    /// The store.
    pub store: &'a Store,
    /// Runtime for the store's async calls; the caller must not be one of its threads.
    pub runtime: &'a Handle,
    /// Threads that sum.
    pub threads: usize,
    /// Memory that it may take, in bytes, roughly.
    pub memory_bytes: usize,
    /// Moment of the run, microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Set to make the run end, and leave the rollup as it is.
    pub stop: Option<&'a AtomicBool>,
}

/// What a rebuilt rollup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildBalance {
    /// Version of the store that it was made of.
    pub version: u64,
    /// Events that were summed.
    pub events: u64,
    /// Rows of the rollup that these made.
    pub rows: u64,
    /// Its other rows: those of expired days, which stay as they are.
    pub expired_rows: u64,
}

/// What became of one attempt.
enum Attempt {
    Stopped,
    Done(RebuildBalance),
    /// Rows were compacted meanwhile: it must be made of a newer version.
    Outdated,
}

impl Rebuild<'_> {
    /// Sums all events of the newest version; `None` when it was stopped.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written; the old rollup stays as it is then.
    pub fn run(&self) -> Result<Option<RebuildBalance>, IngestError> {
        for _ in 0..ATTEMPTS {
            match self.attempt()? {
                Attempt::Stopped => return Ok(None),
                Attempt::Done(balance) => return Ok(Some(balance)),
                Attempt::Outdated => {}
            }
        }
        Err(IngestError::Contention { attempts: ATTEMPTS })
    }

    fn attempt(&self) -> Result<Attempt, IngestError> {
        let basis = self.runtime.block_on(self.store.snapshot(Table::Events))?;
        let pool = thread_pool(self.threads)?;
        let count = |files: &[StagedFile]| files.iter().map(StagedFile::rows).sum::<u64>();
        let most_bytes = (self.memory_bytes / MEMORY_SHARE).max(SMALLEST_BYTES);
        let expired = self.expired(&basis, most_bytes)?;
        let expired_rows = count(&expired);
        let work = Work {
            store: self.store,
            files: &basis.files,
            next: AtomicUsize::new(0),
            most_bytes: (most_bytes / self.threads.max(1), most_bytes),
            whole: Mutex::default(),
            staged: Mutex::new(expired),
        };
        let summed = pool.broadcast(|_| work.sum(|| self.is_stopped()));
        let summed: Result<(), IngestError> = summed.into_iter().collect();
        let written = summed.and_then(|()| match self.is_stopped() {
            true => Ok(()),
            false => work.hand_in(Rollup::default(), true),
        });
        let staged = work.staged.into_inner().unwrap_or_else(PoisonError::into_inner);
        match written {
            Ok(()) if !self.is_stopped() => {}
            ended => {
                self.store.discard(staged);
                return ended.map(|()| Attempt::Stopped);
            }
        }
        let rows = count(&staged).saturating_sub(expired_rows);
        let replaced = self.store.replace_usage(&basis, staged, self.now);
        Ok(match self.runtime.block_on(replaced)? {
            true => Attempt::Done(RebuildBalance {
                version: basis.version,
                events: basis.rows(),
                rows,
                expired_rows,
            }),
            false => Attempt::Outdated,
        })
    }

    /// The rows of expired days as they are: their events are gone.
    fn expired(&self, basis: &TableSnapshot, most_bytes: usize) -> Result<Vec<StagedFile>, IngestError> {
        let Some(before) = basis.expired_before() else {
            return Ok(Vec::new());
        };
        let usage = self.store.snapshot_at(Table::Usage, basis.version);
        let usage = self.runtime.block_on(usage)?;
        Ok(self.store.stage_expired_usage(&usage, before, most_bytes)?)
    }

    /// Makes the rollup if the store has none that can follow its events, as one of an earlier version.
    ///
    /// # Errors
    ///
    /// As for [`Rebuild::run`].
    pub fn run_if_behind(&self) -> Result<Option<RebuildBalance>, IngestError> {
        match !self.is_stopped() && self.runtime.block_on(self.store.is_usage_behind())? {
            true => self.run(),
            false => Ok(None),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// What the threads of one attempt share.
struct Work<'w> {
    store: &'w Store,
    files: &'w [Arc<DataFile>],
    next: AtomicUsize,
    /// Memory of the sums of one thread, and of those that threads have handed in.
    most_bytes: (usize, usize),
    whole: Mutex<Rollup>,
    staged: Mutex<Vec<StagedFile>>,
}

impl Work<'_> {
    /// One thread's part: file after file, in the order of their days.
    fn sum(&self, is_stopped: impl Fn() -> bool) -> Result<(), IngestError> {
        while let Some(file) = self.files.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if is_stopped() {
                break;
            }
            if let Err(error) = self.sum_file(file) {
                // The others need not go on.
                self.next.store(self.files.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    }

    fn sum_file(&self, file: &DataFile) -> Result<(), IngestError> {
        let mut own = Rollup::default();
        let mut failure = None;
        let visited = self.store.visit_events(file, &columns(), |batch| {
            own.add(file.event_date, batch)?;
            if own.bytes() < self.most_bytes.0 {
                return Ok(());
            }
            self.hand_in(std::mem::take(&mut own), false).map_err(|error| {
                failure = Some(error);
                ArrowError::ComputeError("sums could not be written".to_owned())
            })
        });
        if let Some(error) = failure {
            return Err(error);
        }
        visited?;
        self.hand_in(own, false)
    }

    /// Adds sums to those of all threads, which are written once they are large, or if these are the last.
    fn hand_in(&self, sums: Rollup, is_last: bool) -> Result<(), IngestError> {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        whole.merge(sums);
        let is_full = whole.len() >= FILE_ROWS || whole.bytes() >= self.most_bytes.1;
        if is_full || is_last && whole.len() > 0 {
            let full = std::mem::take(&mut *whole);
            let written = self.store.stage_usage(&full.batch()?)?;
            self.staged.lock().unwrap_or_else(PoisonError::into_inner).push(written);
        }
        Ok(())
    }
}

/// The rollup of staged files; `None` when it would be too large for one batch: then it is made of the stored events.
pub(in crate::ingest) fn of_staged(store: &Store, files: &[StagedFile]) -> Result<Option<RecordBatch>, IngestError> {
    let mut rollup = Rollup::default();
    for file in files {
        store.visit_staged(file, &columns(), |batch| match rollup.bytes() > MOST_BATCH_BYTES {
            true => Ok(()),
            false => rollup.add(file.event_date(), batch),
        })?;
        if rollup.bytes() > MOST_BATCH_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(rollup.batch()?))
}

fn columns() -> Vec<&'static str> {
    EVENT_COLUMNS.into_iter().chain(TEXT_COLUMNS).collect()
}
