//! `read_cloudtrail('path')`: the events of raw log files, as the columns of `events`, without a store.
//!
//! Nothing is remembered between queries: duplicate deliveries count twice, and an object that cannot be read or holds a bad
//! record ends the query, because there is no ledger that would tell of it.

mod function;
mod pruning;
mod stream;
mod table;

pub(super) use function::ReadCloudtrail;
