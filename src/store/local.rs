//! The local file system as the Delta log sees it, with durable writes.
//!
//! `object_store` never syncs and creates files that everyone may read; both matter for a log whose newest entry decides
//! what is in the store. Other than with its `LocalFileSystem`, a log entry that is not whole is not read;
//! other reads, listings and deletions are passed on.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use futures::stream::BoxStream;
use object_store::CopyOptions;
use object_store::Error;
use object_store::GetOptions;
use object_store::GetResult;
use object_store::GetResultPayload;
use object_store::ListResult;
use object_store::MultipartUpload;
use object_store::ObjectMeta;
use object_store::ObjectStore;
use object_store::PutMode;
use object_store::PutMultipartOptions;
use object_store::PutOptions;
use object_store::PutPayload;
use object_store::PutResult;
use object_store::RenameOptions;
use object_store::Result;
use object_store::UploadPart;
use object_store::local::LocalFileSystem;
use object_store::path::Path;

use super::durable;
use super::durable::Existing;
use super::fetched_entries::FetchedEntries;
use super::whole_entry;
use super::whole_entry::TornEntry;
use crate::failpoint;
use crate::failpoint::Point;

const NAME: &str = "local file system";

/// One folder with durable and private writes and sorted listings.
#[derive(Debug, Clone)]
pub(super) struct DurableFileSystem {
    inner: LocalFileSystem,
}

impl DurableFileSystem {
    /// The folder must exist; names are relative to it.
    pub(super) fn new(folder: &std::path::Path) -> Result<Self> {
        LocalFileSystem::new_with_prefix(folder).map(|inner| Self { inner })
    }
}

impl fmt::Display for DurableFileSystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DurableFileSystem")
    }
}

#[async_trait]
impl ObjectStore for DurableFileSystem {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let existing = match opts.mode {
            PutMode::Create => Existing::Keep,
            PutMode::Overwrite => Existing::Replace,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "conditional update".into(),
                    implementer: NAME.into(),
                });
            }
        };
        let path = self.inner.path_to_filesystem(location)?;
        pass_checkpoint(location).map_err(|error| put_error(path.display().to_string(), error))?;
        write(path, payload, existing).await
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let path = self.inner.path_to_filesystem(location)?;
        Ok(Box::new(BufferedUpload {
            path,
            parts: Vec::new(),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let is_entry = !options.head && options.range.is_none() && FetchedEntries::may_keep(location.as_ref());
        let result = self.inner.get_opts(location, options).await?;
        match is_entry {
            true => whole(&self.inner.path_to_filesystem(location)?, result).await,
            false => Ok(result),
        }
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.inner.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// A log entry, of which nothing is missing.
async fn whole(path: &std::path::Path, result: GetResult) -> Result<GetResult> {
    let (meta, range, attributes) = (result.meta.clone(), result.range.clone(), result.attributes.clone());
    let bytes = result.bytes().await?;
    whole_entry::check(&bytes).map_err(|reason| Error::Generic {
        store: NAME,
        source: Box::new(TornEntry {
            path: path.display().to_string(),
            reason,
        }),
    })?;
    Ok(GetResult {
        payload: GetResultPayload::Stream(stream::once(async move { Ok(bytes) }).boxed()),
        meta,
        range,
        attributes,
    })
}

/// Collects the parts of a file in memory: only checkpoints come this way, and they must appear whole.
#[derive(Debug)]
struct BufferedUpload {
    path: PathBuf,
    parts: Vec<Bytes>,
}

#[async_trait]
impl MultipartUpload for BufferedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.extend(data);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let payload = PutPayload::from_iter(std::mem::take(&mut self.parts));
        write(self.path.clone(), payload, Existing::Replace).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}

/// The log is read in listing order, which folders do not have.
fn sorted(listing: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
    let listing = async move {
        let mut entries: Vec<ObjectMeta> = listing.try_collect().await?;
        entries.sort_unstable_by(|one, other| one.location.cmp(&other.location));
        Ok::<_, Error>(stream::iter(entries.into_iter().map(Ok)))
    };
    stream::once(listing).try_flatten().boxed()
}

async fn write(path: PathBuf, payload: PutPayload, existing: Existing) -> Result<PutResult> {
    let name = path.display().to_string();
    let work = move || durable::write_file(&path, payload.iter().map(Bytes::as_ref), existing);
    let written = match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await?,
        Err(_) => work(),
    };
    match written {
        Ok(()) => Ok(PutResult {
            e_tag: None,
            version: None,
        }),
        Err(source) => Err(put_error(name, source)),
    }
}

/// The points of a checkpoint, when a file is a part of one.
pub(super) fn pass_checkpoint(location: &Path) -> io::Result<()> {
    match location.filename() {
        Some("_last_checkpoint") => failpoint::pass(Point::CheckpointNamed),
        Some(name) if name.ends_with(".checkpoint.parquet") => failpoint::pass(Point::CheckpointPut),
        _ => Ok(()),
    }
}

fn put_error(path: String, source: io::Error) -> Error {
    let kind = source.kind();
    let source: Box<dyn StdError + Send + Sync> = Box::new(source);
    match kind {
        ErrorKind::AlreadyExists => Error::AlreadyExists { path, source },
        ErrorKind::PermissionDenied => Error::PermissionDenied { path, source },
        _ => Error::Generic { store: NAME, source },
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    #[tokio::test]
    async fn second_create_of_the_same_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = DurableFileSystem::new(folder.path()).unwrap();
        let entry = Path::from("log/0.json");
        store
            .put_opts(&entry, "first".into(), PutMode::Create.into())
            .await
            .unwrap();
        let error = store
            .put_opts(&entry, "second".into(), PutMode::Create.into())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
        assert_eq!(store.get(&entry).await.unwrap().bytes().await.unwrap(), "first");
    }

    #[tokio::test]
    async fn upload_in_parts_appears_only_when_complete() {
        let folder = tempfile::tempdir().unwrap();
        let store = DurableFileSystem::new(folder.path()).unwrap();
        let target = Path::from("log/checkpoint.parquet");
        let mut upload = store.put_multipart(&target).await.unwrap();
        upload.put_part("one ".into()).await.unwrap();
        upload.put_part("two".into()).await.unwrap();
        assert!(store.head(&target).await.is_err());
        upload.complete().await.unwrap();
        assert_eq!(store.get(&target).await.unwrap().bytes().await.unwrap(), "one two");
        let listed: Vec<_> = store.list(Some(&Path::from("log"))).try_collect().await.unwrap();
        assert_eq!(listed.len(), 1);
    }

    #[tokio::test]
    async fn listing_is_sorted_and_skips_unfinished_uploads() {
        let folder = tempfile::tempdir().unwrap();
        let store = DurableFileSystem::new(folder.path()).unwrap();
        for name in ["log/3", "log/1", "log/2", "log/10"] {
            store.put(&Path::from(name), "x".into()).await.unwrap();
        }
        std::fs::write(folder.path().join("log/4#123"), "x").unwrap();
        let names = |listed: Vec<ObjectMeta>| listed.into_iter().map(|it| it.location.to_string()).collect::<Vec<_>>();
        let all: Vec<_> = store.list(Some(&Path::from("log"))).try_collect().await.unwrap();
        assert_eq!(names(all), ["log/1", "log/10", "log/2", "log/3"]);
        let later = store.list_with_offset(Some(&Path::from("log")), &Path::from("log/10"));
        assert_eq!(names(later.try_collect().await.unwrap()), ["log/2", "log/3"]);
    }
}
