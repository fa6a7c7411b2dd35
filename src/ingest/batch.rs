//! One batch: objects decoded in parallel, deduplicated, and staged as files, up to the commit.

mod flush;

use std::borrow::Cow;
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

use flush::flush;

use super::error::IngestError;
use super::fetch::Delivery;
use super::fetch::Supply;
use super::fetch::supply;
use super::ledger::Entry;
use super::options::Options;
use super::options::Progress;
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
    pub(super) staged: Vec<StagedFile>,
    /// The rollup of the staged rows.
    pub(super) usage: Rollup,
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
    /// Whether the batch brings the rollup of its rows.
    pub(super) is_summed_up: bool,
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
        (progress, stop): (&'a dyn Progress, &'a AtomicBool),
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
            is_summed_up: true,
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
        // What the workers shared is given back before the commit needs room.
        drop(self.seen);
        let mut entries = self.entries.into_inner().unwrap_or_else(PoisonError::into_inner);
        entries.sort_by_key(|(position, _)| *position);
        // Behind a gap the ledger no longer proves that everything before has been dealt with.
        for (count, (position, entry)) in entries.iter_mut().enumerate() {
            entry.listed_from = entry.listed_from.filter(|_| count == *position);
        }
        let (positions, entries) = entries.into_iter().unzip();
        Ok(Batch {
            entries,
            positions,
            staged,
            usage: self.usage.into_inner().unwrap_or_else(PoisonError::into_inner),
            outage,
        })
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
    /// Duplicates found so far, by position in the plan.
    duplicates: Vec<(usize, u64)>,
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
            duplicates: Vec::new(),
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
                Err(fault) => Entry::unreadable(Cow::Borrowed(delivery.listed), &fault),
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
        let duplicates = flush(self.work, &self.rows, &self.plan)?;
        self.duplicates.extend(duplicates);
        for (index, entry) in &mut self.finished {
            let counted = self.duplicates.iter().filter(|(duplicate, _)| duplicate == index);
            entry.duplicates = counted.map(|(_, count)| count).sum();
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
        let buffer_bytes = work.options.buffer_bytes(work.objects.len());
        let (plan, duplicates) = (&mut self.plan, &mut self.duplicates);
        plan.push(index);
        let mut spill = |rows: &mut RowBuffer| -> Result<(), IngestError> {
            if rows.bytes() < buffer_bytes {
                return Ok(());
            }
            duplicates.extend(flush(work, rows, plan)?);
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
