//! The integration tests: one binary, one module per topic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cli;
mod compat;
mod ingest;
mod planted;
mod query;
mod questions;
mod slt;
mod support;
