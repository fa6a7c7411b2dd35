//! Which objects there are, and their bytes.
//!
//! Knows the key grammar of CloudTrail's deliveries and where to list; never looks inside an object.

mod error;
mod key;
mod local;
mod selection;

pub use error::SourceError;
pub use key::LogKey;
pub use local::Content;
pub use local::Listing;
pub use local::ObjectRef;
pub use local::fetch;
pub use local::list;
pub use local::read;
pub use selection::Selection;
