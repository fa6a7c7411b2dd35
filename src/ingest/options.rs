//! How a run is done, and who is told of it.

use std::fmt;

use super::shard::Shard;
use crate::decode::Limits;
use crate::source;
use crate::source::Selection;
use crate::store::PreparedBatch;
use crate::store::RunLimits;

/// Memory that one listed object takes, roughly.
const LISTED_BYTES: usize = 400;
/// Memory that the facts take, which the rollup asks.
const FACTS_BYTES: usize = 16 << 20;
const SMALLEST_BUFFER_BYTES: usize = 4 << 20;
const SMALLEST_FETCHED_BYTES: usize = 8 << 20;
const SMALLEST_USAGE_BYTES: usize = 8 << 20;
const LARGEST_BUFFER_BYTES: usize = 128 << 20;
const LARGEST_FETCHED_BYTES: usize = 1 << 30;
const LARGEST_USAGE_BYTES: usize = 256 << 20;
/// Objects of a bucket up to this size are fetched however little memory there is.
const ALWAYS_FETCHED_BYTES: u64 = 64 << 20;

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
    /// Those of them that this run deals with.
    pub shard: Shard,
    /// Whether small files are rewritten at the end, where many have gathered.
    pub compacts: bool,
}

impl Options {
    /// Rows that one thread gathers before it writes them, while `objects` are listed, and fetched ahead or not; sorting and
    /// encoding take about as much again each, and what does not grow with the rows (the object, its parse, keys already seen)
    /// needs room too.
    pub(super) fn buffer_bytes(&self, objects: usize, fetches_ahead: bool) -> usize {
        let taken = objects.saturating_mul(LISTED_BYTES).saturating_add(FACTS_BYTES);
        let memory_bytes = match fetches_ahead {
            // The parts of a large object are there, the object that is made of them, and those that are decoded in the meantime.
            true => self.fetching_memory().saturating_sub(3 * self.fetched_bytes()),
            false => self.memory_bytes,
        };
        let memory_bytes = memory_bytes.saturating_sub(taken);
        (memory_bytes / self.threads.max(1) / 6).clamp(SMALLEST_BUFFER_BYTES, LARGEST_BUFFER_BYTES)
    }

    /// Memory of a batch's rollup, after which it takes no further objects; its columns take about as much again.
    pub(super) fn usage_bytes(&self) -> usize {
        (self.memory_bytes / 8).clamp(SMALLEST_USAGE_BYTES, LARGEST_USAGE_BYTES)
    }

    /// Memory of a batch's rollup, above which the batch goes without it.
    pub(super) fn most_usage_bytes(&self) -> usize {
        self.usage_bytes() * 3
    }

    /// Objects that are fetched ahead; what is not decoded yet of a large one comes on top of the rows.
    pub(super) fn fetched_bytes(&self) -> usize {
        (self.fetching_memory() / 8).clamp(SMALLEST_FETCHED_BYTES, LARGEST_FETCHED_BYTES)
    }

    /// Memory that a run has to give which fetches: of large objects that come and go the allocator keeps about a quarter back.
    fn fetching_memory(&self) -> usize {
        self.memory_bytes / 4 * 3
    }

    /// Size of the largest object of a bucket that is fetched: half of the memory, as it is held whole.
    pub(super) fn largest_fetched_bytes(&self) -> u64 {
        let half = u64::try_from(self.memory_bytes / 2).unwrap_or(u64::MAX);
        half.clamp(ALWAYS_FETCHED_BYTES, source::LARGEST_FETCHED_BYTES)
    }

    /// What the run takes of one object at most, as the ledger remembers it.
    pub fn run_limits(&self) -> RunLimits {
        let bytes = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        RunLimits {
            inflated_bytes: self.limits.max_inflated_bytes,
            record_bytes: bytes(self.limits.max_record_bytes),
            memory_bytes: bytes(self.memory_bytes),
        }
    }
}

/// Memory with which a run fetches an object of a bucket that has so many bytes; `None` where none is enough.
pub(super) fn memory_to_fetch(bytes: u64) -> Option<u64> {
    (bytes <= source::LARGEST_FETCHED_BYTES).then(|| bytes.saturating_mul(2))
}

/// Is told how far a run is.
pub trait Progress: Sync {
    /// The run will read this much more.
    fn planned(&self, objects: u64, bytes: u64);
    /// One object was decoded. Objects may be decoded again when another writer commits first.
    fn object_done(&self, bytes: u64, rows: u64);
}

/// Takes the batches of a run that does not commit them.
pub trait Deposit: fmt::Debug {
    /// Keeps one batch, durably.
    ///
    /// # Errors
    ///
    /// It cannot be kept, for people.
    fn keep(&self, batch: &PreparedBatch) -> Result<(), String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_an_object_is_said_to_need_is_enough_and_no_less_is() {
        let largest = |memory: u64| {
            let options = Options {
                limits: Limits::default(),
                threads: 1,
                memory_bytes: usize::try_from(memory).unwrap(),
                run_id: String::new(),
                now: 0,
                selection: Selection::default(),
                shard: Shard::default(),
                compacts: false,
            };
            options.largest_fetched_bytes()
        };
        for bytes in [ALWAYS_FETCHED_BYTES + 1, 65 << 20, source::LARGEST_FETCHED_BYTES] {
            let memory = memory_to_fetch(bytes).unwrap();
            assert!(largest(memory - 1) < bytes && bytes <= largest(memory), "{bytes}");
        }
        assert_eq!(memory_to_fetch(source::LARGEST_FETCHED_BYTES + 1), None);
    }
}
