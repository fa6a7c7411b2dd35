//! One batch: objects decoded in parallel, deduplicated, and staged as files, up to the commit.

mod flush;

use std::hash::BuildHasherDefault;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use crate::decode::Decoded;
use crate::decode::Decoder;
use crate::decode::EventKeySet;
use crate::decode::EventKeys;
use crate::decode::Hashed;
use crate::decode::PairedHashes;
use crate::decode::RowBuffer;
use crate::failpoint;
use crate::failpoint::Point;
use crate::source::Content;
use crate::source::Fault;
use crate::source::ObjectRef;
use crate::store::StagedFile;
use crate::store::Store;
use crate::store::TableSnapshot;

use flush::Dropped;
use flush::flush;

use super::error::IngestError;
use super::fetch::Delivery;
use super::fetch::Supply;
use super::fetch::supply;
use super::ledger::Entry;
use super::options::Options;
use super::options::Progress;
use super::refusals::Refusals;
use super::rollup::Rollup;

/// Rows after which a batch takes no further objects.
const BATCH_ROWS: u64 = 1_000_000;
/// Objects after which a batch takes no further ones.
const BATCH_OBJECTS: usize = 50_000;
/// Bytes of rejects and digests after which a batch takes no further objects.
const BATCH_LEDGER_BYTES: usize = 64 << 20;
/// Bytes after which those that were fetched already are left to the next batch.
const MOST_LEDGER_BYTES: usize = 256 << 20;
/// Compressed bytes of an event, roughly.
const BYTES_PER_EVENT: u64 = 192;

/// A batch that is decoded and staged but not committed.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    /// One entry per object, in the order of the plan.
    pub(super) entries: Vec<Entry<'a>>,
    /// Position of every entry's object in the plan.
    pub(super) positions: Vec<usize>,
    /// Positions of objects that were not asked for, as those of their folders are refused.
    pub(super) passed_over: Vec<usize>,
    pub(super) staged: Vec<StagedFile>,
    /// The rollup of the staged rows; none when it is made by others, or too large.
    pub(super) usage: Option<Rollup>,
    /// Why the objects behind these are not asked for.
    pub(super) outage: Option<Fault>,
}

/// What all workers of a batch share.
pub(super) struct Work<'o, 'a> {
    pub(super) store: &'a Store,
    /// The rows that are stored already.
    pub(super) basis: &'a TableSnapshot,
    pub(super) objects: &'o [ObjectRef],
    pub(super) options: &'a Options,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: &'a AtomicBool,
    pub(super) refusals: &'a Mutex<Refusals>,
    /// Positions of objects that are not asked for.
    passed_over: Mutex<Vec<usize>>,
    /// Whether the batch brings the rollup of its rows; not any more once that takes too much memory.
    is_summed_up: AtomicBool,
    keys: EventKeys,
    next: AtomicUsize,
    rows: AtomicU64,
    ledger_bytes: AtomicUsize,
    usage_bytes: AtomicUsize,
    seen: Mutex<EventKeySet>,
    entries: Mutex<Vec<(usize, Entry<'o>)>>,
    staged: Mutex<Vec<StagedFile>>,
    usage: Mutex<Rollup>,
    failure: Mutex<Option<IngestError>>,
    /// What is fetched ahead, when the objects come over a network.
    supply: Option<Supply<'o>>,
}

impl<'o, 'a> Work<'o, 'a> {
    pub(super) fn new(
        store: &'a Store,
        basis: &'a TableSnapshot,
        objects: &'o [ObjectRef],
        options: &'a Options,
        (progress, stop, refusals): (&'a dyn Progress, &'a AtomicBool, &'a Mutex<Refusals>),
    ) -> Self {
        let bytes: u64 = objects.iter().take(BATCH_OBJECTS).map(|object| object.size).sum();
        let events = usize::try_from((bytes / BYTES_PER_EVENT).min(BATCH_ROWS)).unwrap_or_default();
        // Room at once: a set that grows is built again and again, and for a while takes half as much more.
        let seen = EventKeySet::with_capacity_and_hasher(events, BuildHasherDefault::default());
        Self {
            store,
            basis,
            objects,
            options,
            progress,
            stop,
            refusals,
            passed_over: Mutex::default(),
            is_summed_up: AtomicBool::new(true),
            keys: EventKeys::default(),
            next: AtomicUsize::new(0),
            rows: AtomicU64::new(0),
            ledger_bytes: AtomicUsize::new(0),
            usage_bytes: AtomicUsize::new(0),
            seen: Mutex::new(seen),
            entries: Mutex::default(),
            staged: Mutex::default(),
            usage: Mutex::default(),
            failure: Mutex::default(),
            supply: None,
        }
    }

    /// Leaves the rollup to whoever commits the batch.
    pub(super) fn without_rollup(self) -> Self {
        self.is_summed_up.store(false, Ordering::Relaxed);
        self
    }

    /// Adds the rollup of rows that are staged. One of a single object can be as large as that: rather than take all memory,
    /// the batch brings none, and it is made of the stored events afterwards.
    fn add_usage(&self, usage: Rollup) {
        let mut whole = lock(&self.usage);
        if !self.is_summed_up.load(Ordering::Relaxed) {
            return;
        }
        whole.merge(usage);
        if whole.bytes() > self.options.most_usage_bytes() {
            tracing::info!("the rollup of the batch is too large; it is made of the stored events");
            self.is_summed_up.store(false, Ordering::Relaxed);
            *whole = Rollup::default();
        }
        self.usage_bytes.store(whole.bytes(), Ordering::Relaxed);
    }

    /// Decodes a prefix of the objects with every thread of the pool.
    ///
    /// On an error nothing is left staged.
    pub(super) fn run(mut self, pool: &rayon::ThreadPool, runtime: &Handle) -> Result<Batch<'o>, IngestError> {
        let outage = if self.objects.first().is_some_and(ObjectRef::is_remote) {
            let (supply, fetcher) = supply(self.options.fetched_bytes());
            self.supply = Some(supply);
            std::thread::scope(|scope| {
                // A thread of its own: neither do fetches wait for decoding, nor does decoding hold up the runtime.
                let fetching = scope.spawn(|| runtime.block_on(fetcher.run(&self)));
                self.decode_all(pool);
                fetching.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        } else {
            self.decode_all(pool);
            None
        };
        let staged = self.staged.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            self.store.discard(staged);
            return Err(error);
        }
        let usage = self.usage.into_inner().unwrap_or_else(PoisonError::into_inner);
        // What the workers shared is given back before the commit needs room.
        drop(self.seen);
        let mut entries = self.entries.into_inner().unwrap_or_else(PoisonError::into_inner);
        entries.sort_by_key(|(position, _)| *position);
        // Behind a gap the ledger no longer proves that everything before has been dealt with.
        let mut passed_over = self.passed_over.into_inner().unwrap_or_else(PoisonError::into_inner);
        passed_over.sort_unstable();
        let refusals = lock(self.refusals);
        for (count, (position, entry)) in entries.iter_mut().enumerate() {
            // What is passed over is a gap in its own folder alone.
            let expected = count + passed_over.partition_point(|passed| passed < position);
            let is_proof = expected == *position && !refusals.has_passed_over(&entry.object);
            entry.listed_from = entry.listed_from.filter(|_| is_proof);
        }
        drop(refusals);
        let (positions, entries) = entries.into_iter().unzip();
        Ok(Batch {
            entries,
            positions,
            passed_over,
            staged,
            usage: self.is_summed_up.into_inner().then_some(usage),
            outage,
        })
    }

    /// Whether an object is not to be asked for; it counts as dealt with.
    pub(super) fn passes_over(&self, position: usize, object: &ObjectRef) -> bool {
        let is_passed_over = lock(self.refusals).passes_over(object);
        if is_passed_over {
            lock(&self.passed_over).push(position);
            self.progress.object_done(object.size, 0);
        }
        is_passed_over
    }

    fn decode_all(&self, pool: &rayon::ThreadPool) {
        pool.broadcast(|_| {
            if let Err(error) = Worker::new(self).run() {
                lock(&self.failure).get_or_insert(error);
                if let Some(supply) = &self.supply {
                    supply.close();
                }
            }
        });
    }

    /// The next object to decode, with its bytes.
    fn next(&self) -> Option<Delivery<'o>> {
        match &self.supply {
            Some(supply) => supply.next(),
            None => self.take().map(|(position, object)| Delivery::read(position, object)),
        }
    }

    /// The next object of the plan; `None` when the batch is to take no more.
    pub(super) fn take(&self) -> Option<(usize, &'o ObjectRef)> {
        let is_full = self.rows.load(Ordering::Relaxed) >= BATCH_ROWS
            || self.ledger_bytes.load(Ordering::Relaxed) >= BATCH_LEDGER_BYTES
            || self.usage_bytes.load(Ordering::Relaxed) >= self.options.usage_bytes();
        if is_full || self.stop.load(Ordering::Relaxed) || lock(&self.failure).is_some() {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let limit = self.objects.len().min(BATCH_OBJECTS);
        self.objects
            .get(index)
            .filter(|_| index < limit)
            .map(|object| (index, object))
    }
}

/// One thread's part of a batch.
struct Worker<'w, 'o, 'a> {
    work: &'w Work<'o, 'a>,
    rows: RowBuffer,
    /// Position in the plan of every object in `rows`.
    plan: Vec<usize>,
    /// Entries of finished objects, some of whose rows may still wait in `rows`.
    finished: Vec<(usize, Entry<'o>)>,
    /// Hashes texts, which are handed in with the place of their entry in `finished`.
    hashes: PairedHashes,
    /// Rows that were not written so far.
    dropped: Dropped,
}

impl<'w, 'o, 'a> Worker<'w, 'o, 'a> {
    fn new(work: &'w Work<'o, 'a>) -> Self {
        let rows = RowBuffer::new(work.keys.clone());
        Self {
            work,
            rows,
            plan: Vec::new(),
            finished: Vec::new(),
            hashes: PairedHashes::default(),
            dropped: Dropped::default(),
        }
    }

    fn run(mut self) -> Result<(), IngestError> {
        let mut decoder = Decoder::new(self.work.options.limits);
        while let Some(delivery) = self.work.next() {
            if self.work.ledger_bytes.load(Ordering::Relaxed) >= MOST_LEDGER_BYTES {
                continue;
            }
            let index = delivery.position;
            let mut text = None;
            let passed = failpoint::pass(Point::Fetched).map_err(|error| Fault::of_file(&error));
            let entry = match delivery.fetched.and_then(|fetched| passed.map(|()| fetched)) {
                Ok(fetched) => {
                    let Decoded { outcome, unhashed } =
                        self.decode(&mut decoder, index, &fetched.object, fetched.content)?;
                    text = unhashed;
                    Entry::decoded(fetched.object, outcome).with_metadata(&fetched.metadata)
                }
                Err(fault) => Entry::unreadable(fault.object(delivery.listed), &fault),
            };
            // Room for the next bytes, now that these are gone.
            drop(delivery.room);
            self.work.rows.fetch_add(entry.outcome.rows, Ordering::Relaxed);
            let ledger_bytes = entry.outcome.ledger_bytes(&entry.object.uri);
            self.work.ledger_bytes.fetch_add(ledger_bytes, Ordering::Relaxed);
            self.work.progress.object_done(entry.object.size, entry.outcome.rows);
            let hashed = text.and_then(|text| self.hashes.push(self.finished.len(), text));
            self.finished.push((index, entry));
            self.note_hash(hashed, &mut decoder);
        }
        let last = self.hashes.finish();
        self.note_hash(last, &mut decoder);
        self.dropped.extend(flush(self.work, &self.rows, &self.plan)?);
        let before = self.work.basis.expired_before();
        for (index, entry) in &mut self.finished {
            let counted = self
                .dropped
                .duplicates
                .iter()
                .filter(|(duplicate, _)| duplicate == index);
            entry.duplicates = counted.map(|(_, count)| count).sum();
            if let (Some(before), Some(records)) = (before, self.dropped.expired.get(index)) {
                entry.reject_expired(before, *records);
            }
        }
        lock(&self.work.entries).append(&mut self.finished);
        Ok(())
    }

    fn decode(
        &mut self,
        decoder: &mut Decoder,
        index: usize,
        object: &ObjectRef,
        content: Content,
    ) -> Result<Decoded, IngestError> {
        let _span = tracing::trace_span!("decode", uri = &*object.uri).entered();
        let work = self.work;
        let buffer_bytes = work.options.buffer_bytes(work.objects.len(), work.supply.is_some());
        let (plan, dropped) = (&mut self.plan, &mut self.dropped);
        plan.push(index);
        let mut spill = |rows: &mut RowBuffer| -> Result<(), IngestError> {
            if rows.bytes() < buffer_bytes {
                return Ok(());
            }
            dropped.extend(flush(work, rows, plan)?);
            rows.clear();
            plan.clear();
            plan.push(index);
            Ok(())
        };
        let decoded = match content {
            Content::Whole(bytes) => decoder.decode_unhashed(&object.uri, &bytes, &mut self.rows, &mut spill)?,
            Content::Stream(stream) => {
                Decoded::from(decoder.decode_stream(&object.uri, stream, &mut self.rows, &mut spill)?)
            }
        };
        failpoint::pass(Point::Decoded).map_err(|error| work.store.unwritable(error))?;
        spill(&mut self.rows)?;
        if self.rows.rows() == 0 {
            self.rows.clear();
            self.plan.clear();
        }
        Ok(decoded)
    }

    fn note_hash(&mut self, hashed: Option<Hashed>, decoder: &mut Decoder) {
        let Some(hashed) = hashed else { return };
        if let Some((_, entry)) = self.finished.get_mut(hashed.ticket) {
            entry.outcome.sha256 = Some(hashed.sha256);
        }
        decoder.reuse(hashed.text);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
