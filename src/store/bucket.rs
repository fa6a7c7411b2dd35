//! A prefix of a bucket as the Delta log and the query engine see it.
//!
//! Requests, their pace, their repeats and what is said when they fail are those of `source`. A `put` that creates is sent
//! with `If-None-Match: *`, which is what puts the writers of a log in order.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::DateTime;
use futures::FutureExt;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use futures::stream::BoxStream;
use object_store::Attributes;
use object_store::CopyMode;
use object_store::CopyOptions;
use object_store::Error;
use object_store::GetOptions;
use object_store::GetRange;
use object_store::GetResult;
use object_store::GetResultPayload;
use object_store::ListResult;
use object_store::MultipartUpload;
use object_store::ObjectMeta;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::PutMode;
use object_store::PutMultipartOptions;
use object_store::PutOptions;
use object_store::PutPayload;
use object_store::PutResult;
use object_store::Result;
use object_store::UploadPart;
use object_store::path::Path;

use super::error::UNORDERED;
use super::fetched_entries::FetchedEntries;
use super::local::pass_checkpoint;
use crate::source::ByteRange;
use crate::source::Fault;
use crate::source::FaultKind;
use crate::source::StoreBucket;
use crate::source::StoredBytes;
use crate::source::StoredObject;

const NAME: &str = "bucket";

/// Files above this size are written in parts of this size.
const PART_BYTES: usize = 8 << 20;
const PARTS_AT_A_TIME: usize = 4;
const REMOVED_AT_A_TIME: usize = 8;

/// The objects below a prefix, named without it.
#[derive(Debug, Clone)]
pub(super) struct BucketFiles {
    bucket: StoreBucket,
    /// Empty, or ends in a slash.
    prefix: Arc<str>,
    entries: Arc<FetchedEntries>,
}

impl BucketFiles {
    /// The prefix is empty or ends in a slash.
    pub(super) fn new(bucket: StoreBucket, prefix: &str) -> Self {
        Self {
            bucket,
            prefix: prefix.into(),
            entries: Arc::default(),
        }
    }

    /// All of the bucket.
    pub(super) fn whole(&self) -> Self {
        Self::new(self.bucket.clone(), "")
    }

    pub(super) fn bucket(&self) -> &StoreBucket {
        &self.bucket
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Writes a file of any size; it is there when this returns, and whole.
    pub(super) async fn write(&self, path: &Path, bytes: Bytes) -> Result<()> {
        if bytes.len() <= PART_BYTES {
            self.put(path, bytes.into()).await?;
            return Ok(());
        }
        let mut upload = self.put_multipart(path).await?;
        let starts = (0..bytes.len()).step_by(PART_BYTES);
        let parts = starts.map(|start| bytes.slice(start..bytes.len().min(start + PART_BYTES)));
        let parts: Vec<UploadPart> = parts.map(|part| upload.put_part(part.into())).collect();
        let written: Result<()> = stream::iter(parts)
            .buffered(PARTS_AT_A_TIME)
            .try_for_each(|()| std::future::ready(Ok(())))
            .await;
        match written {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => {
                // The error is what counts; parts that stay behind are never seen.
                drop(upload.abort().await);
                Err(error)
            }
        }
    }

    fn key(&self, path: &Path) -> String {
        format!("{}{path}", self.prefix)
    }

    async fn fetch(&self, key: &str, range: Option<&ByteRange>) -> Result<StoredBytes, Fault> {
        if range.is_some() || !FetchedEntries::may_keep(key) {
            return self.bucket.get(key, range).await;
        }
        if let Some(entry) = self.entries.get(key) {
            return Ok(entry);
        }
        let stored = self.bucket.get_whole(key, |entry| self.entries.check(entry)).await?;
        self.entries.keep(&stored);
        Ok(stored)
    }

    /// `None` for keys that no store has, such as `a//b`.
    fn meta(&self, object: &StoredObject) -> Option<ObjectMeta> {
        Some(ObjectMeta {
            location: Path::parse(object.key.strip_prefix(&*self.prefix)?).ok()?,
            last_modified: DateTime::from_timestamp_micros(object.last_modified).unwrap_or_default(),
            size: object.size,
            e_tag: object.etag.clone(),
            version: None,
        })
    }

    /// Prefix of a listing: a folder's name with a slash.
    fn folder(&self, prefix: Option<&Path>) -> String {
        match prefix {
            Some(prefix) if !prefix.as_ref().is_empty() => format!("{}{prefix}/", self.prefix),
            _ => self.prefix.to_string(),
        }
    }

    fn listing(&self, prefix: Option<&Path>, start_after: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let files = self.clone();
        let folder = self.folder(prefix);
        let start_after = start_after.map(|path| self.key(path));
        let pages = stream::try_unfold((Some(None::<String>), None::<String>), move |(token, last)| {
            let (files, folder, start_after) = (files.clone(), folder.clone(), start_after.clone());
            async move {
                let Some(token) = token else { return Ok(None) };
                let listed = files
                    .bucket
                    .list(&folder, (start_after.as_deref(), false), token.as_deref());
                let page = listed.await.map_err(|fault| error_of(&folder, fault))?;
                files.entries.note(&page.objects);
                let keys = || page.objects.iter().map(|object| &object.key);
                let is_ordered = last.iter().chain(keys()).is_sorted_by(|one, other| one < other);
                if !is_ordered && folder.ends_with("_delta_log/") {
                    return Err(error_of(&folder, Fault::told(UNORDERED)));
                }
                let last = keys().next_back().cloned().or(last);
                let metas: Vec<_> = page.objects.iter().filter_map(|object| files.meta(object)).collect();
                let next = (page.next.map(Some), last);
                Ok::<_, Error>(Some((stream::iter(metas.into_iter().map(Ok)), next)))
            }
        });
        pages.try_flatten().boxed()
    }
}

impl fmt::Display for BucketFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BucketFiles({})", self.prefix)
    }
}

#[async_trait]
impl ObjectStore for BucketFiles {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let key = self.key(location);
        let bytes = Bytes::from(payload);
        let failed = |fault| error_of(&key, fault);
        match options.mode {
            PutMode::Overwrite => {
                pass_checkpoint(location).map_err(generic)?;
                self.bucket.put(&key, bytes).await.map_err(failed)?;
            }
            PutMode::Create => {
                if !self.bucket.create(&key, bytes).await.map_err(failed)? {
                    return Err(Error::AlreadyExists {
                        path: key,
                        source: "another writer was first".into(),
                    });
                }
            }
            PutMode::Update(_) => return Err(not_implemented("conditional update")),
        }
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let key = self.key(location);
        let begun = self.bucket.begin_upload(&key).await;
        let id = begun.map_err(|fault| error_of(&key, fault))?;
        Ok(Box::new(Upload {
            bucket: self.bucket.clone(),
            target: Arc::new((key, id)),
            begun_parts: 0,
            parts: Arc::default(),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let is_conditional = options.if_match.is_some()
            || options.if_none_match.is_some()
            || options.if_modified_since.is_some()
            || options.if_unmodified_since.is_some()
            || options.version.is_some();
        if is_conditional {
            return Err(not_implemented("conditional get"));
        }
        let key = self.key(location);
        let failed = |fault| error_of(&key, fault);
        let (object, range, bytes) = if options.head {
            let object = self.bucket.head(&key).await.map_err(failed)?;
            let range = 0..object.size;
            (object, range, Bytes::new())
        } else {
            let range = options.range.map(|range| match range {
                GetRange::Bounded(range) => ByteRange::Between(range),
                GetRange::Offset(start) => ByteRange::From(start),
                GetRange::Suffix(count) => ByteRange::Last(count),
            });
            let stored = self.fetch(&key, range.as_ref()).await.map_err(failed)?;
            (stored.object, stored.range, stored.bytes)
        };
        let meta = ObjectMeta {
            location: location.clone(),
            ..self.meta(&object).ok_or_else(|| not_implemented("this key"))?
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::once(async move { Ok(bytes) }).boxed()),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let files = self.clone();
        let removed = locations.map(move |location| {
            let files = files.clone();
            async move {
                let location = location?;
                let key = files.key(&location);
                let removed = files.bucket.remove(&key).await;
                removed.map_err(|fault| error_of(&key, fault))?;
                Ok(location)
            }
        });
        removed.buffered(REMOVED_AT_A_TIME).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let folder = self.folder(prefix);
        let mut result = ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
        };
        let mut token: Option<String> = None;
        loop {
            let listed = self.bucket.list(&folder, (None, true), token.as_deref()).await;
            let page = listed.map_err(|fault| error_of(&folder, fault))?;
            let folders = page.folders.iter().filter_map(|folder| {
                let name = folder.strip_prefix(&*self.prefix)?;
                Path::parse(name.trim_end_matches('/')).ok()
            });
            result.common_prefixes.extend(folders);
            result
                .objects
                .extend(page.objects.iter().filter_map(|object| self.meta(object)));
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(result),
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let bytes = self.get(from).await?.bytes().await?;
        let mode = match options.mode {
            CopyMode::Overwrite => PutMode::Overwrite,
            CopyMode::Create => PutMode::Create,
        };
        self.put_opts(to, bytes.into(), mode.into()).await?;
        Ok(())
    }
}

/// A file that is written in parts.
#[derive(Debug)]
struct Upload {
    bucket: StoreBucket,
    /// Key and id of the upload.
    target: Arc<(String, String)>,
    begun_parts: i32,
    /// Number and etag of the parts that are written.
    parts: Arc<Mutex<Vec<(i32, String)>>>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.begun_parts += 1;
        let (bucket, target, parts) = (self.bucket.clone(), Arc::clone(&self.target), Arc::clone(&self.parts));
        let number = self.begun_parts;
        async move {
            let (key, id) = &*target;
            let written = bucket.upload_part((key, id), number, data.into()).await;
            let etag = written.map_err(|fault| error_of(key, fault))?;
            parts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, etag));
            Ok(())
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (key, id) = &*self.target;
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        parts.sort_unstable_by_key(|(number, _)| *number);
        let completed = self.bucket.complete_upload((key, id), &parts).await;
        completed.map_err(|fault| error_of(key, fault))?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn abort(&mut self) -> Result<()> {
        let (key, id) = &*self.target;
        let aborted = self.bucket.abort_upload((key, id)).await;
        aborted.map_err(|fault| error_of(key, fault))
    }
}

fn error_of(key: &str, fault: Fault) -> Error {
    let path = key.to_owned();
    match fault.kind {
        FaultKind::Vanished => Error::NotFound {
            path,
            source: Box::new(fault),
        },
        FaultKind::Denied => Error::PermissionDenied {
            path,
            source: Box::new(fault),
        },
        FaultKind::Credentials => Error::Unauthenticated {
            path,
            source: Box::new(fault),
        },
        _ => Error::Generic {
            store: NAME,
            source: Box::new(fault),
        },
    }
}

fn generic(error: std::io::Error) -> Error {
    Error::Generic {
        store: NAME,
        source: Box::new(error),
    }
}

fn not_implemented(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: NAME.to_owned(),
    }
}
