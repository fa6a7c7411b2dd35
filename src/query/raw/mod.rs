//! `read_cloudtrail('path')`: the events of raw log files, as the columns of `events`, without a store.
//!
//! Nothing is remembered between queries, so duplicate deliveries count twice. What cannot be read is left out and noted in
//! [`Skipped`], because there is no ledger that would tell of it.

mod fetch;
mod function;
mod pruning;
mod skipped;
mod stream;
mod table;

pub use function::RAW_FUNCTION;
pub(super) use function::ReadCloudtrail;
pub(super) use function::RefusedRawFiles;
pub use skipped::Skipped;
pub(super) use skipped::SkippedNotes;
