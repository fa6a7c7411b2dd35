//! Bytes of one object in; rows and rejects out.
//!
//! No I/O, threads, async or clock. Bad input is data here: whatever an object holds, every record of it becomes a row or a
//! [`Reject`], and the numbers balance. Which objects there are is left to `source`, duplicates and writing to `ingest` and
//! `store`.

mod columns;
mod cuts;
mod document;
mod effort;
mod event_keys;
mod extra;
mod fields;
mod groups;
pub mod gzip;
mod identities;
mod input;
mod known;
mod leaves;
mod lines;
mod nested;
mod object;
mod outcome;
mod parameters;
mod parser;
pub mod render;
mod resources;
mod rows;
mod run;
mod scan;
mod separate;
mod sha256;
mod skipper;
mod tape;
mod tls;
mod whole;
mod window;

pub(crate) use columns::Interner;
pub use event_keys::EventKeyHasher;
pub use event_keys::EventKeyMap;
pub use event_keys::EventKeySet;
pub use event_keys::EventKeys;
pub use object::Decoded;
pub use object::Decoder;
pub use object::Limits;
pub use outcome::ObjectKind;
pub use outcome::Outcome;
pub use outcome::Reject;
pub use outcome::kept_rejects;
pub use rows::DayRows;
pub use rows::RowBuffer;
pub use sha256::Hashed;
pub use sha256::PairedHashes;

#[cfg(test)]
mod tests;
