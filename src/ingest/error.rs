//! What ends a run. Bad objects do not: they are counted in the balance.

use crate::source::SourceError;
use crate::store::StoreError;

/// A run that could not go on; what was committed before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The objects cannot be listed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Rows could not be put into columns, which is a defect of trimtrail.
    #[error("cannot lay out decoded rows: {0}; please report this")]
    Layout(#[from] arrow::error::ArrowError),
    /// The threads for decoding could not be started.
    #[error("cannot start {threads} threads: {cause}; try fewer with `--threads`")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// What the system says.
        cause: String,
    },
    /// A batch that is not to be committed cannot be kept.
    #[error("cannot keep a prepared batch: {0}; correct this and run the same command again, nothing is counted twice")]
    Deposit(String),
    /// Other writers committed first every time.
    #[error("other writers committed to the store first, {attempts} times in a row; running again is safe")]
    Contention {
        /// How often this run tried.
        attempts: u32,
    },
}
