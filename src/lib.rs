//! trimtrail: what does each AWS role really use, and what can be taken away?

pub mod analysis;
pub mod cli;
pub mod decode;
pub mod event;
mod failpoint;
pub mod iam;
pub mod ingest;
pub mod integrity;
pub mod policy;
pub mod query;
pub mod report;
pub mod sample;
pub mod schema;
pub mod source;
pub mod store;
