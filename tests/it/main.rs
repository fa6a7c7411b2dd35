//! The integration tests: one binary, one module per topic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_in_result,
    reason = "tests"
)]

mod check;
mod cli;
mod compat;
mod coverage;
#[cfg(unix)]
mod crash;
mod doctor;
mod evidence;
#[cfg(unix)]
mod failpoints;
#[cfg(unix)]
mod hostile;
mod ingest;
#[cfg(unix)]
mod kills;
#[cfg(unix)]
mod nights;
mod oddities;
mod page;
mod places;
mod planted;
mod policy_text;
mod query;
mod questions;
mod raw;
mod read_only;
mod readme;
mod review_page;
mod row_sources;
mod run_report;
mod s3;
#[cfg(unix)]
mod s3_defects;
mod s3_keys;
mod s3_read;
mod s3_refused;
#[cfg(unix)]
mod s3_store;
mod s3_whole;
#[cfg(unix)]
mod s3_workers;
mod slt;
mod soundness;
#[cfg(unix)]
mod stopped;
mod store_permissions;
mod support;
#[cfg(unix)]
mod tampered;
mod tidy;
#[cfg(unix)]
mod usage;
mod used_actions;
#[cfg(unix)]
mod vacuum;
mod verify;
#[cfg(unix)]
mod workers;
