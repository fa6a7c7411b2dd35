//! One object, wherever it lies, and lists of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use jiff::civil::Date;

use super::Fault;
use super::LogKey;
use super::local;
use super::s3::Bucket;
use super::s3::enclosing_region;
use super::s3::region_folder;

/// One object that can be read. There may be millions, so that it holds each text once.
#[derive(Debug, Clone)]
pub struct ObjectRef {
    /// URI, the object's identity together with `etag` and `size`.
    pub uri: Box<str>,
    /// Version of the content; for files the time of the last change.
    pub etag: Box<str>,
    /// Size in bytes, as stored.
    pub size: u64,
    /// Time of the last change, microseconds since 1970-01-01T00:00:00Z.
    pub last_modified: Option<i64>,
    /// What the key says.
    pub key: Option<LogKey>,
    /// Whether the object was named itself, not found in a folder.
    pub is_named: bool,
    /// Whether no listing of this run has it: somebody named it, or an earlier run could not read it.
    pub(super) may_be_gone: bool,
    /// First day of delivery from which on the listing holds every object of the same account, kind and region.
    pub listed_from: Option<Date>,
    pub(super) place: Place,
}

/// Where the bytes lie; the URI says the rest.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File,
    Bucket(Arc<Bucket>),
}

/// Objects of a source: all of them, or the next part.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Objects in the order in which they are best read: by delivery time, account, region and URI.
    pub objects: Vec<ObjectRef>,
    /// What could not be listed: URI or path, and why.
    pub unlisted: Vec<(String, String)>,
    /// Folders beside the logs that belong to other services, and were not listed.
    pub passed_over: Vec<String>,
    /// Whether these are objects that earlier runs could not read, wanted whatever the days are that a run is to read.
    pub is_retried: bool,
    /// Objects that somebody else named and that the selection leaves out, beside those here.
    pub outside_selection: u64,
    /// The same of objects that are other workers' share.
    pub other_shards: u64,
}

impl ObjectRef {
    /// Whether the bytes come over a network, so that many objects must be asked for at once.
    pub fn is_remote(&self) -> bool {
        matches!(self.place, Place::Bucket(_))
    }

    /// URI of the folder of the object's account, kind and region, and the day in the key, where it follows the grammar.
    pub fn region_folder(&self) -> Option<(&str, Date)> {
        region_folder(&self.uri)
    }

    /// URI of the folder of an account, kind and region that the object lies in, wherever below it.
    pub fn enclosing_region(&self) -> Option<&str> {
        enclosing_region(&self.uri)
    }

    /// Whether etag and size are not known: the object was named, and could not be looked up.
    pub(super) fn has_no_version(&self) -> bool {
        self.is_remote() && self.etag.is_empty() && self.size == 0
    }

    /// Path of a file as it is on disk, or the URI of an object in a bucket.
    pub fn path(&self) -> Cow<'_, str> {
        match self.place {
            Place::File => Cow::Owned(local::path_of(&self.uri).to_string_lossy().into_owned()),
            Place::Bucket(_) => Cow::Borrowed(&self.uri),
        }
    }

    /// The service that was asked for the bucket, as [`super::LedgerObject`] has it; `None` for files.
    pub fn endpoint(&self) -> Option<&str> {
        match &self.place {
            Place::File => None,
            Place::Bucket(bucket) => Some(bucket.endpoint()),
        }
    }

    /// Key of an object in a bucket.
    pub(super) fn bucket_key<'a>(&'a self, bucket: &Bucket) -> Option<&'a str> {
        self.uri
            .strip_prefix("s3://")?
            .strip_prefix(bucket.name())?
            .strip_prefix('/')
    }
}

impl Listing {
    /// What cannot be listed, and why.
    pub(super) fn of_unlisted(hindered: impl IntoIterator<Item = (String, Fault)>) -> Self {
        let told = hindered.into_iter().map(|(uri, fault)| (uri, fault.to_string()));
        Self {
            unlisted: told.collect(),
            ..Self::default()
        }
    }

    /// Adds objects, which share the texts of their keys with the one before.
    pub(super) fn extend(&mut self, objects: impl IntoIterator<Item = ObjectRef>) {
        for mut object in objects {
            let neighbour = self.objects.last().and_then(|neighbour| neighbour.key.as_ref());
            if let (Some(key), Some(neighbour)) = (&mut object.key, neighbour) {
                key.share_with(neighbour);
            }
            self.objects.push(object);
        }
    }

    /// Sorts the objects for reading and drops those that are named twice.
    pub(super) fn put_in_order(&mut self) {
        // In place: a sort that keeps the order of equals would need half of the list again.
        self.objects.sort_unstable_by(in_reading_order);
        self.objects.dedup_by(|left, right| left.uri == right.uri);
    }
}

/// Neighbours in time share partition days, so files come out large and few stored files overlap a batch.
fn in_reading_order(left: &ObjectRef, right: &ObjectRef) -> Ordering {
    fn rank(object: &ObjectRef) -> Option<(Date, Option<u16>, &str, &str)> {
        let key = object.key.as_ref()?;
        Some((key.day, key.time, &*key.account_id, &*key.region))
    }
    rank(left).cmp(&rank(right)).then_with(|| left.uri.cmp(&right.uri))
}
