//! A run: batch after batch until every object has a state.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;
use tracing::Instrument;

use crate::failpoint;
use crate::failpoint::Point;
use crate::schema::Table;
use crate::source::Lister;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::source::Selection;
use crate::store::CommitBatch;
use crate::store::CommitOutcome;
use crate::store::DeliveryDays;
use crate::store::KnownObjects;
use crate::store::StagedFile;
use crate::store::Store;
use crate::store::TableSnapshot;

use super::balance::Balance;
use super::batch::Batch;
use super::batch::Work;
use super::compaction::Compaction;
use super::error::IngestError;
use super::ledger;
use super::ledger::Entry;
use super::options::Deposit;
use super::options::Options;
use super::options::Progress;
use super::overlap;
use super::overlap::Overlap;
use super::parts::next_part;
use super::pool::thread_pool;
use super::rollup::Rebuild;
use super::run_state::RunState;

/// How often a batch is put on top of what other writers committed first.
const MAX_ATTEMPTS: u32 = 50;

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
    /// Takes the batches, when another process is to commit them.
    pub deposit: Option<&'a dyn Deposit>,
}

impl Ingest<'_> {
    /// Selects from a listing, without reading an object.
    ///
    /// What earlier runs could not read is wanted on any day: a window that goes on with the days would never meet it again.
    pub fn select(listing: Listing, selection: &Selection) -> (Vec<ObjectRef>, Balance) {
        let all = listing.objects.len();
        let of_any_day = listing.is_retried.then(|| selection.of_any_day());
        let selection = of_any_day.as_ref().unwrap_or(selection);
        let mut objects = listing.objects;
        objects.retain(|object| selection.includes(object.key.as_ref()));
        let balance = Balance {
            listed: objects.len() as u64,
            outside_selection: (all - objects.len()) as u64 + listing.outside_selection,
            other_shards: listing.other_shards,
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
        let mut state = RunState::new(&mut balance);
        self.run_part(listing, &mut state, &self.pool()?, progress)?;
        state.tell_of_refusals();
        self.finish(&mut balance)?;
        Ok(balance)
    }

    /// Ingests all that a lister finds, part by part, and keeps account of it, also when it ends with an error.
    ///
    /// A listing that breaks off later than at its beginning is no error: the account says so, and what was listed before
    /// is ingested.
    ///
    /// # Errors
    ///
    /// The first part cannot be listed, the store cannot be read or written, or others committed first every time.
    pub fn run_all(
        &self,
        lister: &mut Lister,
        balance: &mut Balance,
        progress: &dyn Progress,
    ) -> Result<(), IngestError> {
        let mut state = RunState::new(balance);
        let pool = self.pool()?;
        while state.balance.outage.is_none() && !self.stop.load(Ordering::Relaxed) {
            let part = next_part(lister, self.stop).instrument(tracing::debug_span!("listing"));
            match self.runtime.block_on(part) {
                Ok(Some(part)) => {
                    self.run_part(part, &mut state, &pool, progress)?;
                    state.end_hopeless(lister);
                }
                Ok(None) => break,
                Err(error) if state.balance.listed + state.balance.other_shards == 0 => return Err(error.into()),
                Err(error) => state.balance.outage = Some(error.to_string()),
            }
        }
        if state.balance.outage.is_some() {
            let unlisted = lister.unlisted().into_iter();
            let told = unlisted.map(|uri| (uri, "not listed to its end, as the run stopped early".to_owned()));
            state.balance.unlisted.extend(told);
        }
        state.tell_of_refusals();
        self.finish(state.balance)
    }

    fn finish(&self, balance: &mut Balance) -> Result<(), IngestError> {
        if self.deposit.is_none() {
            self.runtime.block_on(self.store.repair(self.options.now))?;
            let rebuild = Rebuild {
                store: self.store,
                runtime: self.runtime,
                threads: self.options.threads,
                memory_bytes: self.options.memory_bytes,
                now: self.options.now,
                stop: Some(self.stop),
            };
            if let Some(rebuilt) = rebuild.run_if_behind()? {
                tracing::info!(
                    version = rebuilt.version,
                    events = rebuilt.events,
                    "made the rollup of all events"
                );
            }
            if self.options.compacts && !self.stop.load(Ordering::Relaxed) {
                let compaction = Compaction::of_run((self.store, self.runtime), self.options, self.stop);
                balance.uncompacted = compaction.run_if_gathered();
            }
        }
        Ok(())
    }

    fn pool(&self) -> Result<rayon::ThreadPool, IngestError> {
        thread_pool(self.options.threads)
    }

    fn run_part(
        &self,
        listing: Listing,
        state: &mut RunState<'_>,
        pool: &rayon::ThreadPool,
        progress: &dyn Progress,
    ) -> Result<(), IngestError> {
        let (mut objects, part) = Self::select(listing, &self.options.selection);
        state.balance.add_listing(part);
        state.balance.note_days_to_come(&objects, self.options.now);
        failpoint::pass(Point::Listed).map_err(|error| self.store.unwritable(error))?;
        let mut basis = self.runtime.block_on(self.store.snapshot(Table::Events))?;
        let known = self.known(&basis, ledger::delivery_days(&objects))?;
        self.leave_to_others(&mut objects, &known, state);
        drop_known(&mut objects, &known, state.balance);
        drop(known);
        let (new, balance) = (objects.len(), &state.balance);
        tracing::info!(new, known = balance.known, unlisted = balance.unlisted.len(), "listed");
        progress.planned(objects.len() as u64, objects.iter().map(|object| object.size).sum());
        let mut version = basis.version;
        while !objects.is_empty() && !self.stop.load(Ordering::Relaxed) && state.balance.outage.is_none() {
            if basis.version != version {
                // Others have committed meanwhile, perhaps some of the same objects.
                let known = self.known(&basis, ledger::delivery_days(&objects))?;
                drop_known(&mut objects, &known, state.balance);
            }
            if state.has_deposited {
                // Nobody knows yet whether the batches before will ever be committed.
                objects.iter_mut().for_each(|object| object.listed_from = None);
            }
            let work = Work::new(
                self.store,
                &basis,
                &objects,
                self.options,
                (progress, self.stop, &state.refusals),
            );
            // Whoever commits a prepared batch sums it up.
            let work = match self.deposit {
                Some(_) => work.without_rollup(),
                None => work,
            };
            let mut batch = work.run(pool, self.runtime)?;
            version = self.deliver(&basis, &mut batch, state)?;
            state.balance.left_over += batch.passed_over.len() as u64;
            let mut positions = batch.positions;
            positions.extend(batch.passed_over);
            positions.sort_unstable();
            remove(&mut objects, &positions);
            basis = self.runtime.block_on(self.store.snapshot(Table::Events))?;
        }
        state.balance.left_over += objects.len() as u64;
        Ok(())
    }

    /// Takes out the objects of other shards, and with them what the listing does not prove without them.
    fn leave_to_others(&self, objects: &mut Vec<ObjectRef>, known: &KnownObjects, state: &mut RunState<'_>) {
        let shard = self.options.shard;
        if shard.is_whole() {
            return;
        }
        let listed = objects.len();
        objects.retain(|object| {
            let is_own = shard.includes(&object.uri);
            if !is_own && !known.is_dealt_with(&object.uri, &object.etag, object.size) {
                state.undealt.add(object);
            }
            is_own
        });
        objects.iter_mut().for_each(|object| state.undealt.limit(object));
        let others = (listed - objects.len()) as u64;
        state.balance.listed -= others;
        state.balance.other_shards += others;
    }

    /// Commits or deposits a batch and books it; the version of the store whose ledger the run knows now.
    fn deliver(
        &self,
        basis: &TableSnapshot,
        batch: &mut Batch<'_>,
        state: &mut RunState<'_>,
    ) -> Result<u64, IngestError> {
        let mut version = basis.version;
        let mut known = BTreeSet::new();
        if !batch.entries.is_empty() {
            let mut commit = CommitBatch {
                run_id: self.options.run_id.clone(),
                events: std::mem::take(&mut batch.staged),
                objects: ledger::objects(&batch.entries, self.options)?,
                rejects: ledger::rejects(&batch.entries, &self.options.run_id)?,
                usage: batch.usage.take().map(|usage| usage.batch()).transpose()?,
                committed_at: self.options.now,
            };
            if batch.entries.iter().any(Entry::is_of_other_version) {
                known = self.without_known(basis, &mut commit, &mut batch.entries)?;
            }
            match self.deposit {
                _ if commit.objects.num_rows() == 0 => {}
                Some(deposit) => {
                    let prepared = self.runtime.block_on(self.store.prepare(basis, commit))?;
                    if let Err(reason) = deposit.keep(&prepared) {
                        self.store.abandon(&prepared);
                        return Err(IngestError::Deposit(reason));
                    }
                    failpoint::pass(Point::AddsKept).map_err(|error| self.store.unwritable(error))?;
                    state.has_deposited = true;
                }
                None => {
                    let (newest, first) = self.commit(basis.clone(), commit, &mut batch.entries, state.balance)?;
                    version = newest;
                    known.extend(first);
                }
            }
        }
        for entry in &batch.entries {
            if known.contains(&*entry.object.uri) {
                state.balance.known += 1;
            } else {
                entry.book(state.balance);
            }
        }
        state.balance.outage = batch.outage.take().map(|fault| fault.to_string());
        Ok(version)
    }

    /// Takes out of a batch the objects of which another version was read than the one listed, if the ledger has that one.
    fn without_known(
        &self,
        basis: &TableSnapshot,
        commit: &mut CommitBatch,
        entries: &mut [Entry<'_>],
    ) -> Result<BTreeSet<String>, IngestError> {
        // With the rows of the store the batch was compared before.
        let known = self.known(basis, ledger::days_of_rows(&commit.objects));
        let overlap = known.and_then(|known| overlap::take_out(commit, self.store, basis, Some(basis), &known));
        let overlap = match overlap {
            Ok(overlap) => overlap,
            Err(error) => {
                self.store.discard(std::mem::take(&mut commit.events));
                return Err(error);
            }
        };
        overlap.add_to(entries);
        self.store.discard(overlap.replaced);
        Ok(overlap.known)
    }

    /// Commits a batch, on top of what others commit meanwhile; the new version, and the objects that they were first with.
    fn commit(
        &self,
        mut basis: TableSnapshot,
        mut batch: CommitBatch,
        entries: &mut [Entry<'_>],
        balance: &mut Balance,
    ) -> Result<(u64, BTreeSet<String>), IngestError> {
        let mut known = BTreeSet::new();
        for _ in 0..=MAX_ATTEMPTS {
            let (files, bytes) = size_of(&batch.events);
            let objects = batch.objects.num_rows();
            let attempt = CommitBatch {
                run_id: batch.run_id.clone(),
                events: std::mem::take(&mut batch.events),
                objects: batch.objects.clone(),
                rejects: batch.rejects.clone(),
                usage: batch.usage.clone(),
                committed_at: batch.committed_at,
            };
            let commit = self
                .store
                .commit(&basis, attempt)
                .instrument(tracing::debug_span!("commit"));
            batch.events = match self.runtime.block_on(commit)? {
                CommitOutcome::Committed(snapshot) => {
                    balance.add_commit(files, bytes);
                    tracing::info!(version = snapshot.version, objects, files, bytes, "committed");
                    return Ok((snapshot.version, known));
                }
                CommitOutcome::Conflict(staged) => staged,
            };
            balance.conflicts += 1;
            tracing::warn!("another writer committed first; the batch is put on top of it");
            let overlap = match self.rebase(&mut basis, &mut batch) {
                Ok(overlap) => overlap,
                Err(error) => {
                    self.store.discard(batch.events);
                    return Err(error);
                }
            };
            overlap.add_to(entries);
            self.store.discard(overlap.replaced);
            known.extend(overlap.known);
            if batch.objects.num_rows() == 0 {
                return Ok((basis.version, known));
            }
        }
        self.store.discard(batch.events);
        Err(IngestError::Contention { attempts: MAX_ATTEMPTS })
    }

    /// Takes out of a batch what others have committed since `basis`, which becomes the newest.
    fn rebase(&self, basis: &mut TableSnapshot, batch: &mut CommitBatch) -> Result<Overlap, IngestError> {
        let newest = self.runtime.block_on(self.store.snapshot(Table::Events))?;
        let known = self.known(&newest, ledger::days_of_rows(&batch.objects))?;
        let overlap = overlap::take_out(batch, self.store, &newest, Some(basis), &known)?;
        *basis = newest;
        Ok(overlap)
    }

    /// What the ledger knows of some days at a version of the store.
    fn known(&self, basis: &TableSnapshot, days: DeliveryDays) -> Result<KnownObjects, IngestError> {
        let ledger = self.store.snapshot_at(Table::Objects, basis.version);
        let ledger = self.runtime.block_on(ledger)?;
        Ok(self.store.known_objects(&ledger, days, &self.options.run_limits())?)
    }
}

/// Number of files, and their bytes.
fn size_of(files: &[StagedFile]) -> (u64, u64) {
    (files.len() as u64, files.iter().map(StagedFile::bytes).sum())
}

fn drop_known(objects: &mut Vec<ObjectRef>, known: &KnownObjects, balance: &mut Balance) {
    let before = objects.len();
    objects.retain(|object| !known.contains(&object.uri, &object.etag, object.size));
    balance.known += (before - objects.len()) as u64;
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
