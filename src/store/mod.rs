//! The store: a folder, or a prefix of a bucket, with Delta Lake tables, written exactly once and durably.
//!
//! `events` is the single source of truth. One commit to it carries a batch's rows, the ledger entries of the objects
//! they came from and a transaction id, or nothing at all; `objects` and `rejects` follow its log and repair themselves.
//! Only this module knows of Delta, of Parquet and of where bytes lie. What to store is left to `ingest`, how to ask
//! questions to `query`.

mod actions;
mod bucket;
mod causes;
mod columns;
mod commit;
mod compact;
mod create;
mod damage;
mod delivery_days;
mod dictionary_column;
mod durable;
mod error;
mod examine;
mod expire;
mod fetched_entries;
mod files;
mod history;
mod ledger;
mod limits;
mod load;
mod local;
mod location;
mod log;
mod parquet_file;
mod prepare;
mod prepared;
mod repair;
mod rewrite;
mod run_length;
mod snapshot;
mod stage;
mod staged;
mod statistics;
mod tables;
#[cfg(test)]
mod testing;
mod usage;
mod usage_sums;
mod vacuum;
mod waiting;
mod whole_entry;

pub use commit::CommitBatch;
pub use commit::CommitOutcome;
pub use commit::ImportBatch;
pub use compact::CompactionGroup;
pub use compact::CompactionRule;
pub use delivery_days::DeliveryDays;
pub use error::StoreError;
pub use examine::UnnamedFiles;
pub use expire::ExpiredDay;
pub use expire::Expiry;
pub use history::Commit;
pub use history::StoreInfo;
pub use history::TableInfo;
pub use ledger::EventKey;
pub use ledger::KnownObjects;
pub use ledger::LedgerRow;
pub use ledger::RETRIED_STATE;
pub use ledger::VANISHED_STATE;
pub use limits::LimitsReached;
pub use limits::RunLimits;
pub use location::Location;
pub use log::CommitCounts;
pub use prepared::PreparedBatch;
pub use snapshot::DataFile;
pub use snapshot::TableSnapshot;
pub use stage::StagedFile;
pub use statistics::ColumnStatistics;
pub use statistics::FileStatistics;
pub use statistics::StatisticValue;
pub use tables::Store;
pub use usage::FILE_ROWS;
pub use usage::UsageLack;
pub use usage::UsageRollup;
pub use vacuum::LEAST_AGE;
pub use vacuum::Leftover;
