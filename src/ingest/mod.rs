//! From listed objects to stored rows: parallel, bounded, exactly once.
//!
//! The only bridge between the CPU pool and the store's async calls. Every listed object ends in one state, and
//! `listed = ingested + known + rejected` holds for every run. Listing is left to `source`, understanding bytes to
//! `decode`, atomicity to `store`.

mod adds;
mod balance;
mod batch;
mod compaction;
mod error;
mod expired;
mod fetch;
mod history;
mod ledger;
mod options;
mod overlap;
mod parts;
mod pool;
mod refusals;
mod rollup;
mod run;
mod run_state;
mod shard;
mod snapshots;
mod undealt;
mod verify;

pub use adds::AddsBalance;
pub use adds::AddsCommit;
pub use balance::Balance;
pub use balance::ObjectState;
pub use balance::Problem;
pub use compaction::Compacted;
pub use compaction::Compaction;
pub use compaction::Compactions;
pub use error::IngestError;
pub use history::history;
pub use ledger::delivery_days;
pub use options::Deposit;
pub use options::Options;
pub use options::Progress;
pub use rollup::Rebuild;
pub use rollup::RebuildBalance;
pub use run::Ingest;
pub use shard::Shard;
pub use snapshots::Import;
pub use snapshots::ImportBalance;
pub use snapshots::SourceProblem;
pub use verify::Unverified;
pub use verify::Verify;
