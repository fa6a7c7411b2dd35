//! Which objects there are, and their bytes.
//!
//! Knows the key grammar of CloudTrail's deliveries and where to list: folders, and buckets of S3, of which it only asks
//! List, Get and Head. Never looks inside an object. Buckets that hold a store are reached here, too: [`StoreBucket`].

mod error;
mod history;
mod key;
mod key_list;
mod lister;
mod local;
mod named;
mod object;
mod open;
mod own_keys;
mod read;
mod s3;
mod selection;
mod summary;
mod unmet;

pub use error::SourceError;
pub use history::History;
pub use history::LedgerObject;
pub use key::LogKey;
pub use lister::Lister;
pub use lister::Request;
pub use local::list;
pub use local::path_of_uri;
pub use named::Share;
pub use object::Listing;
pub use object::ObjectRef;
pub use own_keys::OwnKeys;
pub use read::Content;
pub use read::Fetched;
pub use read::LARGEST_FETCHED_BYTES;
pub use read::fetch;
pub use read::fetch_file;
pub use read::open;
pub use read::read;
pub use s3::BucketExam;
pub use s3::BucketPrefix;
pub use s3::ByteRange;
pub use s3::CredentialSummary;
pub use s3::Fault;
pub use s3::FaultKind;
pub use s3::Reached;
pub use s3::ReadObject;
pub use s3::RequestCounts;
pub use s3::S3Options;
pub use s3::StoreBucket;
pub use s3::StoredBytes;
pub use s3::StoredObject;
pub use s3::StoredPage;
pub use selection::Selection;
pub use summary::SourceSummary;
