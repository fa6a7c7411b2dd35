//! Committing what others have prepared: each batch once, and nothing twice, whatever is in the store meanwhile.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::datatypes::Int64Type;
use tokio::runtime::Handle;

use super::error::IngestError;
use super::expired;
use super::overlap;
use super::overlap::Overlap;
use super::overlap::integers;
use super::overlap::texts;
use super::rollup;
use crate::decode;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema::Table;
use crate::store::CommitBatch;
use crate::store::CommitOutcome;
use crate::store::DeliveryDays;
use crate::store::PreparedBatch;
use crate::store::RunLimits;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TableSnapshot;

/// How often a batch is put on top of what other writers committed first.
const MAX_ATTEMPTS: u32 = 50;

/// The account of a commit: `batches = committed + known_batches + problems`, `objects = added + known_objects`, and
/// `records = stored + duplicates + rejected` of the objects that were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddsBalance {
    /// Batches that were given and looked at.
    pub batches: u64,
    /// Batches that were committed.
    pub committed: u64,
    /// Batches that the store had already.
    pub known_batches: u64,
    /// Objects of the committed batches.
    pub objects: u64,
    /// Objects of them that others have stored meanwhile; their rows were left out.
    pub known_objects: u64,
    /// Records of the others.
    pub records: u64,
    /// Those that became rows.
    pub stored: u64,
    /// Those that the store, or their run, had already.
    pub duplicates: u64,
    /// Those that could not be stored.
    pub rejected: u64,
    /// Those of them whose days expired while the batch waited.
    pub expired: u64,
    /// Batches, or files of them, that could not be used, and why.
    pub problems: Vec<(String, String)>,
}

/// A commit that is ready to start.
#[derive(Debug)]
pub struct AddsCommit<'a> {
    /// Where the batches go.
    pub store: &'a Store,
    /// Runtime for the store's async calls; the caller must not be one of its threads.
    pub runtime: &'a Handle,
    /// Moment of the commit, microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Set to make the commit end between two batches.
    pub stop: &'a AtomicBool,
    /// Names of batches that the log has, and the versions in which they were looked for.
    committed: BTreeSet<String>,
    looked_for: Option<(u64, u64)>,
}

impl<'a> AddsCommit<'a> {
    /// A commit into a store.
    pub fn new(store: &'a Store, runtime: &'a Handle, now: i64, stop: &'a AtomicBool) -> Self {
        Self {
            store,
            runtime,
            now,
            stop,
            committed: BTreeSet::new(),
            looked_for: None,
        }
    }

    /// Commits the batches of a file, by its name, one by one; false when one of them could not be used, which the account
    /// says, or is left because the commit was asked to stop.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written, or others committed first every time.
    pub fn commit(
        &mut self,
        (name, batches): (&str, &[PreparedBatch]),
        balance: &mut AddsBalance,
    ) -> Result<bool, IngestError> {
        let before = balance.problems.len();
        for batch in batches {
            if self.is_stopped() {
                return Ok(false);
            }
            match self.commit_one(batch, balance) {
                Ok(()) => {}
                Err(IngestError::Store(error @ (StoreError::Prepared { .. } | StoreError::DamagedFile { .. }))) => {
                    // Whoever commits the same batch at the same time removes files that are not needed any more.
                    if self.is_committed(batch)? {
                        balance.known_batches += 1;
                    } else {
                        let line = format!("{name}, line {}", batch.line());
                        balance.problems.push((line, error.to_string()));
                    }
                }
                Err(error) => return Err(error),
            }
            balance.batches += 1;
        }
        Ok(balance.problems.len() == before)
    }

    /// Whether the commit was asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn commit_one(&mut self, prepared: &PreparedBatch, balance: &mut AddsBalance) -> Result<(), IngestError> {
        let mut basis = self.runtime.block_on(self.store.snapshot(Table::Events))?;
        // Asked later than the basis is read: whoever commits it in between changes what the batch is put upon.
        if self.is_committed(prepared)? {
            balance.known_batches += 1;
            return Ok(());
        }
        let opened = self.store.open_prepared(&basis, prepared, self.now);
        let mut batch = self.runtime.block_on(opened)?;
        if let Err(error) = self.check_ledger(prepared, &batch) {
            self.store.discard_made(prepared, batch.events);
            return Err(error);
        }
        let objects = batch.objects.num_rows() as u64;
        let mut compared: Option<TableSnapshot> = None;
        let (mut replaced, mut expired) = (Vec::new(), 0);
        for _ in 0..=MAX_ATTEMPTS {
            let overlap = match self.take_out(&mut batch, &basis, compared.as_ref()) {
                Ok(overlap) => overlap,
                Err(error) => {
                    self.store.discard_made(prepared, batch.events);
                    return Err(error);
                }
            };
            expired += overlap.expired_records();
            replaced.extend(overlap.replaced);
            let attempt = CommitBatch {
                run_id: batch.run_id.clone(),
                events: std::mem::take(&mut batch.events),
                objects: batch.objects.clone(),
                rejects: batch.rejects.clone(),
                usage: batch.usage.clone(),
                committed_at: self.now,
            };
            let landing = self.store.commit_prepared(&basis, prepared, attempt);
            match self.runtime.block_on(landing)? {
                CommitOutcome::Committed(committed) => {
                    failpoint::pass(Point::AddsCommitted).map_err(|error| self.store.unwritable(error))?;
                    self.store.discard(replaced);
                    self.store.discard_rest(prepared, &committed);
                    self.committed.insert(prepared.id().to_owned());
                    book(&batch, objects, balance);
                    balance.expired += expired;
                    return Ok(());
                }
                CommitOutcome::Conflict(staged) => batch.events = staged,
            }
            let newest = self.runtime.block_on(self.store.snapshot(Table::Events))?;
            compared = Some(std::mem::replace(&mut basis, newest));
            if self.is_committed(prepared)? {
                self.store.discard_made(prepared, batch.events);
                balance.known_batches += 1;
                return Ok(());
            }
        }
        self.store.discard_made(prepared, batch.events);
        Err(IngestError::Contention { attempts: MAX_ATTEMPTS })
    }

    /// Takes out what others have stored, and sums up the rest: of a rollup that somebody else made nothing proves that it
    /// is one of these events.
    fn take_out(
        &self,
        batch: &mut CommitBatch,
        basis: &TableSnapshot,
        compared: Option<&TableSnapshot>,
    ) -> Result<Overlap, IngestError> {
        let ledger = self.store.snapshot_at(Table::Objects, basis.version);
        // Somebody else's ledger may have any days, and nobody says which limits that run had.
        let known = self
            .store
            .known_objects(&self.runtime.block_on(ledger)?, DeliveryDays::ALL, &RunLimits::NONE)?;
        let overlap = overlap::take_out(batch, self.store, basis, compared, &known)?;
        if batch.usage.is_none() {
            batch.usage = rollup::of_staged(self.store, &batch.events)?;
        }
        Ok(overlap)
    }

    /// Whether the log has a batch; only entries behind the version that the batch was made upon can.
    fn is_committed(&mut self, batch: &PreparedBatch) -> Result<bool, IngestError> {
        let newest = self.runtime.block_on(self.store.snapshot(Table::Events))?.version;
        // The line may say anything, also a version that the store does not have.
        let basis = batch.basis().min(newest);
        let spans = match self.looked_for {
            None => vec![(basis, newest)],
            Some((first, last)) => vec![(basis.min(first), first), (last, newest)],
        };
        for (after, last) in spans {
            let names = self.store.committed_batches(after, last);
            self.committed.extend(self.runtime.block_on(names)?);
        }
        let first = self.looked_for.map_or(basis, |(first, _)| first.min(basis));
        self.looked_for = Some((first, newest));
        Ok(self.committed.contains(batch.id()))
    }

    /// What the ledger's rows say of the files must be so, object by object: a batch with a file of another one would not
    /// be stored as it was read.
    fn check_ledger(&self, prepared: &PreparedBatch, batch: &CommitBatch) -> Result<(), IngestError> {
        let wrong = |reason: &str| {
            Err(StoreError::Prepared {
                batch: prepared.id().to_owned(),
                reason: reason.to_owned(),
            }
            .into())
        };
        let mut events: BTreeMap<String, u64> = BTreeMap::new();
        for file in &batch.events {
            for (object, rows) in self.store.staged_objects(file)? {
                *events.entry(object).or_default() += rows;
            }
        }
        let mut rejects = kept_rejects(&batch.rejects)?;
        let is_of_run = |runs: Vec<String>| runs.iter().all(|run| *run == batch.run_id);
        if !is_of_run(texts(&batch.objects, "run_id")?) || !is_of_run(texts(&batch.rejects, "run_id")?) {
            return wrong("its ledger is of another run");
        }
        let objects = texts(&batch.objects, "object_key")?;
        let counts = ["stored", "rejected", "duplicates", "records"];
        let counts = counts.map(|name| integers(&batch.objects, name));
        let [stored, rejected, duplicates, records] = counts;
        let (stored, rejected) = (stored?.values(), rejected?.values());
        let others = duplicates?.values().iter().zip(records?.values());
        for ((object, (stored, rejected)), (duplicates, records)) in
            objects.iter().zip(stored.iter().zip(rejected)).zip(others)
        {
            let (rows, expired) = rejects.remove(object).unwrap_or_default();
            let told = u64::try_from(*rejected)
                .ok()
                .and_then(|rejected| rejected.checked_sub(expired));
            let is_sound = u64::try_from(*stored)
                .is_ok_and(|stored| events.remove(object).unwrap_or_default() == stored)
                && told.is_some_and(|told| decode::kept_rejects(told) == rows)
                && stored
                    .checked_add(*rejected)
                    .and_then(|sum| sum.checked_add(*duplicates))
                    == Some(*records);
            if !is_sound {
                return wrong("its files do not balance with its ledger");
            }
        }
        let is_each_once = objects.iter().collect::<BTreeSet<_>>().len() == objects.len();
        if !events.is_empty() || !rejects.is_empty() || !is_each_once {
            return wrong("its files do not balance with its ledger");
        }
        Ok(())
    }
}

/// By object: rows for records one by one, and records that one row tells of together.
fn kept_rejects(rejects: &RecordBatch) -> Result<BTreeMap<String, (u64, u64)>, IngestError> {
    let mut kept: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (object, reason) in texts(rejects, "object_key")?.into_iter().zip(texts(rejects, "reason")?) {
        let (rows, expired) = kept.entry(object).or_default();
        match expired::count_of(&reason) {
            Some(count) => *expired = expired.saturating_add(count),
            None => *rows += 1,
        }
    }
    Ok(kept)
}

fn book(batch: &CommitBatch, objects: u64, balance: &mut AddsBalance) {
    balance.committed += 1;
    balance.objects += objects;
    balance.known_objects += objects - batch.objects.num_rows() as u64;
    balance.records += sum(&batch.objects, "records");
    balance.stored += sum(&batch.objects, "stored");
    balance.duplicates += sum(&batch.objects, "duplicates");
    balance.rejected += sum(&batch.objects, "rejected");
}

fn sum(objects: &RecordBatch, name: &str) -> u64 {
    let counts = objects
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Int64Type>());
    counts.map_or(0, |counts| {
        counts
            .values()
            .iter()
            .map(|count| u64::try_from(*count).unwrap_or_default())
            .sum()
    })
}
