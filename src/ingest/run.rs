//! A run: batch after batch until every object has a state.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::decode::Limits;
use crate::schema::Table;
use crate::source::Lister;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::source::Selection;
use crate::source::SourceError;
use crate::store::CommitBatch;
use crate::store::CommitOutcome;
use crate::store::KnownObjects;
use crate::store::Store;

use super::balance::Balance;
use super::batch::Batch;
use super::batch::Work;
use super::error::IngestError;
use super::ledger;

/// How often a batch is made again because another writer committed first.
const MAX_ATTEMPTS: u32 = 50;
/// How often the signal to stop is looked for during a listing.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Memory that one listed object takes, roughly.
const LISTED_BYTES: usize = 400;
const SMALLEST_BUFFER_BYTES: usize = 8 << 20;
const LARGEST_BUFFER_BYTES: usize = 128 << 20;
const LARGEST_FETCHED_BYTES: usize = 1 << 30;

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bounds on one object.
    pub limits: Limits,
    /// Threads that decode.
    pub threads: usize,
    /// Memory that the run may take, in bytes, roughly.
    pub memory_bytes: usize,
    /// Name of the run in the ledger.
    pub run_id: String,
    /// Moment of the run, microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Objects that are wanted.
    pub selection: Selection,
}

impl Options {
    /// Rows that one thread gathers before it writes them, while `objects` are listed; sorting and encoding take about as
    /// much again each, and what does not grow with the rows (the object, its parse, keys already seen) needs room too.
    pub(super) fn buffer_bytes(&self, objects: usize) -> usize {
        let memory_bytes = self.memory_bytes.saturating_sub(objects.saturating_mul(LISTED_BYTES));
        (memory_bytes / self.threads.max(1) / 6).clamp(SMALLEST_BUFFER_BYTES, LARGEST_BUFFER_BYTES)
    }

    /// Objects that are fetched ahead.
    pub(super) fn fetched_bytes(&self) -> usize {
        (self.memory_bytes / 4).clamp(SMALLEST_BUFFER_BYTES, LARGEST_FETCHED_BYTES)
    }
}

/// Is told how far a run is.
pub trait Progress: Sync {
    /// The run will read this much more.
    fn planned(&self, objects: u64, bytes: u64);
    /// One object was decoded. Objects may be decoded again when another writer commits first.
    fn object_done(&self, bytes: u64, rows: u64);
}

/// A run that is ready to start.
#[derive(Debug)]
pub struct Ingest<'a> {
    /// Where the rows go.
    pub store: &'a Store,
    /// Runtime for the store's async calls; the caller must not be one of its threads.
    pub runtime: &'a Handle,
    /// How to do it.
    pub options: &'a Options,
    /// Set to make the run commit what is decoded and end.
    pub stop: &'a AtomicBool,
}

impl Ingest<'_> {
    /// Selects from a listing, without reading an object.
    pub fn select(listing: Listing, selection: &Selection) -> (Vec<ObjectRef>, Balance) {
        let all = listing.objects.len();
        let mut objects = listing.objects;
        objects.retain(|object| selection.includes(object.key.as_ref()));
        let balance = Balance {
            listed: objects.len() as u64,
            outside_selection: (all - objects.len()) as u64,
            unlisted: listing.unlisted,
            passed_over: listing.passed_over,
            ..Balance::default()
        };
        (objects, balance)
    }

    /// Ingests one listing and returns the account of it.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written, or others committed first every time.
    pub fn run(&self, listing: Listing, progress: &dyn Progress) -> Result<Balance, IngestError> {
        let mut balance = Balance::default();
        self.run_part(listing, &mut balance, &self.pool()?, progress)?;
        self.runtime.block_on(self.store.repair(self.options.now))?;
        Ok(balance)
    }

    /// Ingests all that a lister finds, part by part, and returns the account of it.
    ///
    /// A listing that breaks off later than at its beginning is no error: the account says so, and what was listed before
    /// is ingested.
    ///
    /// # Errors
    ///
    /// The first part cannot be listed, the store cannot be read or written, or others committed first every time.
    pub fn run_all(&self, lister: &mut Lister, progress: &dyn Progress) -> Result<Balance, IngestError> {
        let mut balance = Balance::default();
        let pool = self.pool()?;
        while balance.outage.is_none() && !self.stop.load(Ordering::Relaxed) {
            match self.runtime.block_on(next_part(lister, self.stop)) {
                Ok(Some(part)) => self.run_part(part, &mut balance, &pool, progress)?,
                Ok(None) => break,
                Err(error) if balance.listed == 0 => return Err(error.into()),
                Err(error) => balance.outage = Some(error.to_string()),
            }
        }
        self.runtime.block_on(self.store.repair(self.options.now))?;
        Ok(balance)
    }

    fn pool(&self) -> Result<rayon::ThreadPool, IngestError> {
        thread_pool(self.options.threads)
    }

    fn run_part(
        &self,
        listing: Listing,
        balance: &mut Balance,
        pool: &rayon::ThreadPool,
        progress: &dyn Progress,
    ) -> Result<(), IngestError> {
        let (mut objects, part) = Self::select(listing, &self.options.selection);
        balance.add_listing(part);
        self.drop_known(&mut objects, balance)?;
        progress.planned(objects.len() as u64, objects.iter().map(|object| object.size).sum());
        let mut attempts = 0;
        while !objects.is_empty() && !self.stop.load(Ordering::Relaxed) && balance.outage.is_none() {
            match self.batch(&objects, pool, progress)? {
                Some(Batch {
                    entries,
                    positions,
                    outage,
                    ..
                }) => {
                    attempts = 0;
                    entries.iter().for_each(|entry| entry.book(balance));
                    balance.outage = outage.map(|fault| fault.to_string());
                    remove(&mut objects, &positions);
                }
                None if attempts < MAX_ATTEMPTS => {
                    attempts += 1;
                    self.drop_known(&mut objects, balance)?;
                }
                None => return Err(IngestError::Contention { attempts }),
            }
        }
        balance.left_over += objects.len() as u64;
        Ok(())
    }

    /// Decodes and commits one batch; `None` when another writer committed first.
    fn batch<'o>(
        &self,
        objects: &'o [ObjectRef],
        pool: &rayon::ThreadPool,
        progress: &dyn Progress,
    ) -> Result<Option<Batch<'o>>, IngestError> {
        let basis = self.runtime.block_on(self.store.snapshot(Table::Events))?;
        let mut batch =
            Work::new(self.store, &basis, objects, self.options, (progress, self.stop)).run(pool, self.runtime)?;
        if batch.entries.is_empty() {
            return Ok(Some(batch));
        }
        let commit = CommitBatch {
            run_id: self.options.run_id.clone(),
            events: std::mem::take(&mut batch.staged),
            objects: ledger::objects(&batch.entries, &self.options.run_id, self.options.now)?,
            rejects: ledger::rejects(&batch.entries, &self.options.run_id)?,
            committed_at: self.options.now,
        };
        match self.runtime.block_on(self.store.commit(&basis, commit))? {
            CommitOutcome::Committed(_) => Ok(Some(batch)),
            CommitOutcome::Conflict(staged) => {
                self.store.discard(staged);
                Ok(None)
            }
        }
    }

    fn drop_known(&self, objects: &mut Vec<ObjectRef>, balance: &mut Balance) -> Result<(), IngestError> {
        let ledger = self.runtime.block_on(self.store.snapshot(Table::Objects))?;
        let known: KnownObjects = self.store.known_objects(&ledger)?;
        let before = objects.len();
        objects.retain(|object| !known.contains(&object.uri, &object.etag, object.size));
        balance.known += (before - objects.len()) as u64;
        Ok(())
    }
}

/// The threads that decode and verify.
pub(super) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, IngestError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("decode-{index}"))
        .build()
        .map_err(|error| IngestError::Threads {
            threads,
            cause: error.to_string(),
        })
}

/// Takes out what a batch dealt with; positions are in order.
fn remove(objects: &mut Vec<ObjectRef>, positions: &[usize]) {
    let mut done = positions.iter().copied().peekable();
    let mut position = 0;
    objects.retain(|_| {
        let is_done = done.next_if_eq(&position).is_some();
        position += 1;
        !is_done
    });
}

/// The next part; `None` at the end, or when the run is to stop.
pub(super) async fn next_part(lister: &mut Lister, stop: &AtomicBool) -> Result<Option<Listing>, SourceError> {
    let stopped = async {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::select! {
        part = lister.next() => part,
        () = stopped => Ok(None),
    }
}
