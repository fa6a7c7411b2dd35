//! Bytes of one object in; rows and rejects out.
//!
//! No I/O, threads, async or clock. Bad input is data here: whatever an object holds, every record of it becomes a row or a
//! [`Reject`], and the numbers balance. Which objects there are is left to `source`, duplicates and writing to `ingest` and
//! `store`.

mod columns;
mod document;
mod fields;
pub mod gzip;
mod identities;
mod object;
mod outcome;
mod parameters;
pub mod render;
mod resources;
mod rows;
mod run;
mod scan;
mod separate;
mod tape;
mod tls;

pub use object::Decoder;
pub use object::Limits;
pub use outcome::ObjectKind;
pub use outcome::Outcome;
pub use outcome::Reject;
pub use rows::DayRows;
pub use rows::EventKeys;
pub use rows::RowBuffer;

#[cfg(test)]
mod tests;
