//! Bytes of one object.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;

use super::Fault;
use super::ObjectRef;
use super::local;
use super::object::Place;

/// Larger files are read piece by piece.
const LARGEST_WHOLE_BYTES: u64 = 8 << 20;
const PIECE_BYTES: usize = 256 << 10;
/// Size of the largest object that is ever held whole: no log is as large.
pub const LARGEST_FETCHED_BYTES: u64 = 1 << 30;

/// The bytes of one object.
pub enum Content {
    /// All of them.
    Whole(Vec<u8>),
    /// A large file's, as they come.
    Stream(Box<dyn BufRead + Send>),
}

/// An object with its bytes.
#[derive(Debug)]
pub struct Fetched<'o> {
    /// The object as it was read, which may be a newer version than the one listed.
    pub object: Cow<'o, ObjectRef>,
    /// Its bytes.
    pub content: Content,
    /// User metadata, names in lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a file whole; blocks.
///
/// # Errors
/// The file cannot be read, or the object lies in a bucket.
pub fn read(object: &ObjectRef) -> io::Result<Vec<u8>> {
    match object.place {
        Place::File => std::fs::read(local::path_of(&object.uri)),
        Place::Bucket(_) => Err(not_a_file()),
    }
}

/// Reads a file whole if it is small, else opens it; blocks.
///
/// # Errors
/// The file cannot be read, or the object lies in a bucket.
pub fn open(object: &ObjectRef) -> io::Result<Content> {
    if object.size <= LARGEST_WHOLE_BYTES {
        return read(object).map(Content::Whole);
    }
    if object.is_remote() {
        return Err(not_a_file());
    }
    let mut stream = BufReader::with_capacity(PIECE_BYTES, File::open(local::path_of(&object.uri))?);
    stream.fill_buf()?;
    Ok(Content::Stream(Box::new(stream)))
}

/// Opens a file as [`open`] does, with the metadata that lies beside it if it is a digest; blocks.
///
/// # Errors
/// Why its bytes cannot be had.
pub fn fetch_file(object: &ObjectRef) -> Result<Fetched<'_>, Fault> {
    Ok(Fetched {
        object: Cow::Borrowed(object),
        content: open(object).map_err(|cause| Fault::of_file(&cause))?,
        metadata: local::metadata_beside(&local::path_of(&object.uri)),
    })
}

/// Fetches an object of a bucket whole, with retries, if it has at most so many bytes.
///
/// # Errors
/// Why its bytes cannot be had.
pub async fn fetch(object: &ObjectRef, max_bytes: u64) -> Result<Fetched<'_>, Fault> {
    match &object.place {
        Place::Bucket(bucket) => bucket.fetch(object, max_bytes).await,
        Place::File => fetch_file(object),
    }
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "objects of a bucket are fetched, not read")
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Stream(_) => "Stream",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_is_read_whatever_its_path_holds_and_a_large_one_as_a_stream() {
        let folder = tempfile::tempdir().unwrap();
        let name = "a b%20ü#?.json";
        std::fs::write(folder.path().join(name), "small").unwrap();
        let large = vec![b'x'; usize::try_from(LARGEST_WHOLE_BYTES).unwrap() + 1];
        std::fs::write(folder.path().join("large.json"), &large).unwrap();
        let listing = local::list(&[folder.path().display().to_string()]).unwrap();
        let contents: Vec<Content> = listing.objects.iter().map(|object| open(object).unwrap()).collect();
        let [Content::Whole(small), Content::Stream(_)] = contents.as_slice() else {
            panic!("{contents:?}");
        };
        assert_eq!(small, b"small");
    }
}
