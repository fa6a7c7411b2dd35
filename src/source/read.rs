//! Bytes of one object.

use std::collections::BTreeMap;
use std::io;

use super::Fault;
use super::ObjectRef;
use super::object::Place;

/// An object with its bytes.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The object as it was read, which may be a newer version than the one listed.
    pub object: ObjectRef,
    /// Its bytes, whole.
    pub bytes: Vec<u8>,
    /// User metadata, names in lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a file whole; blocks.
///
/// # Errors
/// The file cannot be read, or the object lies in a bucket.
pub fn read(object: &ObjectRef) -> io::Result<Vec<u8>> {
    match &object.place {
        Place::File(path) => std::fs::read(path),
        Place::Bucket(_) => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "objects of a bucket are fetched, not read",
        )),
    }
}

/// Reads a file whole; blocks.
///
/// # Errors
/// Why its bytes cannot be had.
pub fn read_file(object: &ObjectRef) -> Result<Fetched, Fault> {
    let bytes = read(object).map_err(|cause| Fault::unreadable(&format!("{cause}; make it readable and run again")))?;
    Ok(Fetched {
        object: object.clone(),
        bytes,
        metadata: BTreeMap::new(),
    })
}

/// Fetches an object of a bucket whole, with retries.
///
/// # Errors
/// Why its bytes cannot be had.
pub async fn fetch(object: &ObjectRef) -> Result<Fetched, Fault> {
    match &object.place {
        Place::Bucket(bucket) => bucket.fetch(object).await,
        Place::File(_) => read_file(object),
    }
}
