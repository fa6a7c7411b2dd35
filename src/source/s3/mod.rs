//! Buckets: clients, requests with retries, listings and objects.
//!
//! The only place that knows the AWS SDK. Every request goes through [`Bucket::call`], which paces, counts and repeats it.

mod bucket;
mod connect;
mod decode_keys;
mod discover;
mod examine;
mod fault;
mod fetch;
mod hindered;
mod inventory;
mod layout;
mod limiter;
mod list;
mod location;
mod page;
mod patience;
mod region;
mod retried;
mod retry;
mod store_bucket;
mod unsorted;
mod upload;

pub use bucket::RequestCounts;
pub use connect::S3Options;
pub use examine::BucketExam;
pub use examine::CredentialSummary;
pub use examine::Reached;
pub use examine::ReadObject;
pub use fault::Fault;
pub use fault::FaultKind;
pub use location::BucketPrefix;
pub use store_bucket::ByteRange;
pub use store_bucket::StoreBucket;
pub use store_bucket::StoredBytes;
pub use store_bucket::StoredObject;
pub use store_bucket::StoredPage;

pub(super) use bucket::Bucket;
pub(super) use connect::Connection;
pub(super) use decode_keys::decode_key;
pub(super) use discover::Layout;
pub(super) use discover::discover;
pub(super) use inventory::Inventory;
pub(super) use inventory::Manifest;
pub(super) use inventory::ManifestPlace;
pub(super) use layout::enclosing_region;
pub(super) use layout::region_folder;
pub(super) use list::BucketLister;
pub(super) use retried::gone_below;
pub(super) use retried::retried_below;
pub(super) use retried::returned;
