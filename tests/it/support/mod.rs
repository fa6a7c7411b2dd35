//! What several topics need: event rows written as short JSON, stores made of them, and results as text.

pub(crate) mod bucket;
pub(crate) mod digests;
pub(crate) mod events;
pub(crate) mod ingest;
pub(crate) mod json;
pub(crate) mod page;
pub(crate) mod permissions;
pub(crate) mod process;
pub(crate) mod schema;
pub(crate) mod session;
pub(crate) mod store;
pub(crate) mod text;
