//! Making the rollup of events that are stored already.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;
use tokio::runtime::Handle;

use super::Rollup;
use super::columns::EVENT_COLUMNS;
use super::columns::TEXT_COLUMNS;
use crate::ingest::error::IngestError;
use crate::ingest::pool::thread_pool;
use crate::schema::Table;
use crate::store::StagedFile;
use crate::store::Store;
use crate::store::TableSnapshot;

/// Each failed attempt means that the rollup was compacted meanwhile.
const ATTEMPTS: u32 = 5;
/// Events whose sums are made at a time.
const EVENTS_TOGETHER: u64 = 4_000_000;
/// Rows of one file of the rollup, roughly.
const FILE_ROWS: usize = 500_000;

/// Makes the rollup of a store anew.
#[derive(Debug)]
pub struct Rebuild<'a> {
    /// The store.
    pub store: &'a Store,
    /// Runtime for the store's async calls; the caller must not be one of its threads.
    pub runtime: &'a Handle,
    /// Threads that sum.
    pub threads: usize,
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
    /// Rows of the rollup.
    pub rows: u64,
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
        let mut staged = self.expired(&basis)?;
        let mut rollup = Rollup::default();
        let mut files = basis.files.as_slice();
        while !files.is_empty() {
            if self.is_stopped() {
                self.store.discard(staged);
                return Ok(Attempt::Stopped);
            }
            let mut events = 0;
            let together = files.iter().take_while(|file| {
                let fits = events == 0 || events + file.rows <= EVENTS_TOGETHER;
                events += file.rows;
                fits
            });
            let (chunk, rest) = files.split_at(together.count());
            files = rest;
            let sums = pool.install(|| {
                let sums = chunk.par_iter().map(|file| {
                    let mut sum = Rollup::default();
                    let add = |batch: &_| sum.add(file.event_date, batch);
                    self.store.visit_events(file, &columns(), add).map(|()| sum)
                });
                sums.try_reduce(Rollup::default, |mut one, other| {
                    one.merge(other);
                    Ok(one)
                })
            });
            let written = sums.map_err(IngestError::from).and_then(|sums| {
                rollup.merge(sums);
                match rollup.len() >= FILE_ROWS || files.is_empty() {
                    true => self.write(&mut rollup, &mut staged),
                    false => Ok(()),
                }
            });
            if let Err(error) = written {
                self.store.discard(staged);
                return Err(error);
            }
        }
        let rows = staged.iter().map(StagedFile::rows).sum();
        let replaced = self.store.replace_usage(&basis, staged, self.now);
        Ok(match self.runtime.block_on(replaced)? {
            true => Attempt::Done(RebuildBalance {
                version: basis.version,
                events: basis.rows(),
                rows,
            }),
            false => Attempt::Outdated,
        })
    }

    /// The rows of expired days as they are: their events are gone.
    fn expired(&self, basis: &TableSnapshot) -> Result<Vec<StagedFile>, IngestError> {
        let Some(before) = basis.expired_before() else {
            return Ok(Vec::new());
        };
        let usage = self.store.snapshot_at(Table::Usage, basis.version);
        let usage = self.runtime.block_on(usage)?;
        Ok(self.store.stage_expired_usage(&usage, before)?)
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

    fn write(&self, rollup: &mut Rollup, staged: &mut Vec<StagedFile>) -> Result<(), IngestError> {
        let full = std::mem::take(rollup);
        staged.push(self.store.stage_usage(&full.batch()?)?);
        Ok(())
    }
}

/// The rollup of staged files.
pub(in crate::ingest) fn of_staged(store: &Store, files: &[StagedFile]) -> Result<Rollup, IngestError> {
    let mut rollup = Rollup::default();
    for file in files {
        store.visit_staged(file, &columns(), |batch| rollup.add(file.event_date(), batch))?;
    }
    Ok(rollup)
}

fn columns() -> Vec<&'static str> {
    EVENT_COLUMNS.into_iter().chain(TEXT_COLUMNS).collect()
}
