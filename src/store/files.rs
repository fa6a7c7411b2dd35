//! Where the files of a store lie: in a folder, or below a prefix of a bucket.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use deltalake::DeltaTableError;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use tokio::runtime::Handle;
use url::Url;

use super::Location;
use super::Store;
use super::StoreError;
use super::bucket::BucketFiles;
use super::error::Access;
use super::local::DurableFileSystem;
use crate::schema::Table;
use crate::source::RequestCounts;

/// The files of a store.
#[derive(Debug, Clone)]
pub(super) enum Files {
    Folder(PathBuf),
    Bucket(RemoteFiles),
}

/// Files below a prefix of a bucket. Its methods that are not `async` wait for the bucket's answer, on any thread.
#[derive(Debug, Clone)]
pub(super) struct RemoteFiles {
    /// Named as they are below the store's root.
    pub(super) files: BucketFiles,
    /// All of the bucket, under the URL that plans of queries name it by.
    pub(super) whole: (Url, BucketFiles),
    runtime: Handle,
    /// URI of the store, for messages.
    root: PathBuf,
}

impl Files {
    /// Looks nowhere yet.
    pub(super) async fn at(location: &Location) -> Result<Self, StoreError> {
        if let Some(folder) = location.folder() {
            return Ok(Self::Folder(folder.to_owned()));
        }
        let unsupported = || StoreError::BadLocation {
            location: location.display().to_string(),
            reason: "it is neither a folder nor a prefix of a bucket".to_owned(),
        };
        let place = location.bucket().ok_or_else(unsupported)?;
        let url = place.bucket_url().ok_or_else(unsupported)?;
        let files = place.connect().await;
        Ok(Self::Bucket(RemoteFiles {
            whole: (url, files.whole()),
            files,
            runtime: Handle::current(),
            root: location.root(),
        }))
    }

    /// As the Delta log wants them.
    pub(super) fn object_store(&self) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        Ok(match self {
            Self::Folder(folder) => Arc::new(DurableFileSystem::new(folder)?),
            Self::Bucket(remote) => Arc::new(remote.files.clone()),
        })
    }

    pub(super) fn remote(&self) -> Option<&RemoteFiles> {
        match self {
            Self::Folder(_) => None,
            Self::Bucket(remote) => Some(remote),
        }
    }
}

/// The name by which the log library knows a table, below the store's folder.
///
/// The library decodes `%` in `file://` URLs twice and would miss a store whose path contains one, so that it is given
/// a name without the store's path, in a scheme that it passes on to the given object store as it is.
pub(super) fn log_url(table: Table) -> Result<Url, DeltaTableError> {
    let text = format!("memory:///{}/", table.name());
    Url::parse(&text).map_err(|_| DeltaTableError::InvalidTableLocation(text))
}

impl Store {
    /// The bucket of a store that lies in one, with the URL by which [`TableSnapshot::root`] names it.
    ///
    /// [`TableSnapshot::root`]: super::TableSnapshot::root
    pub fn bucket(&self) -> Option<(&Url, Arc<dyn ObjectStore>)> {
        let (url, files) = &self.storage().remote()?.whole;
        Some((url, Arc::new(files.clone())))
    }

    /// Requests to the bucket of a store that lies in one.
    pub fn requests(&self) -> Option<RequestCounts> {
        Some(self.storage().remote()?.files.bucket().requests())
    }

    /// Makes requests to the bucket of the store end soon that get no answer once a run is asked to stop, which the flag says.
    pub fn end_requests_after(&self, stop: Arc<AtomicBool>) {
        if let Some(remote) = self.storage().remote() {
            remote.files.bucket().end_after(stop);
        }
    }

    /// Whether requests were ended for that reason, so that nobody knows whether a last batch was committed.
    pub fn has_given_up(&self) -> bool {
        let remote = self.storage().remote();
        remote.is_some_and(|remote| remote.files.bucket().has_given_up())
    }
}

impl RemoteFiles {
    /// Waits for a request on a thread that may block.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        match Handle::try_current() {
            Ok(_) => tokio::task::block_in_place(|| self.runtime.block_on(future)),
            Err(_) => self.runtime.block_on(future),
        }
    }

    /// Writes a data file; it is there when this returns, and whole.
    pub(super) fn write(&self, table: Table, path: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let target = self.object_path(table, path)?;
        let written = self.wait(self.files.write(&target, Bytes::from(bytes)));
        written.map_err(|error| StoreError::from_object(&self.uri(table, path), Access::Write, error))
    }

    /// Removes data files; what cannot be removed belongs to no table and is only wasted space.
    pub(super) fn remove<'a>(&self, paths: impl Iterator<Item = (Table, &'a str)>) {
        let paths: Vec<_> = paths
            .filter_map(|(table, path)| Some(Ok(self.object_path(table, path).ok()?)))
            .collect();
        let removed = self.files.delete_stream(stream::iter(paths).boxed());
        self.wait(removed.for_each(|_| std::future::ready(())));
    }

    /// Size of every file of a table, by its path below the table's folder.
    pub(super) fn sizes(&self, table: Table) -> Result<Vec<(String, u64)>, StoreError> {
        let folder = ObjectPath::from(table.name());
        let listed = self.wait(self.files.list(Some(&folder)).try_collect::<Vec<_>>());
        let listed = listed.map_err(|error| StoreError::from_object(&self.uri(table, ""), Access::Read, error))?;
        let below = format!("{}/", table.name());
        let sizes = listed.into_iter().filter_map(|meta| {
            let path = meta.location.as_ref().strip_prefix(&below)?;
            Some((path.to_owned(), meta.size))
        });
        Ok(sizes.collect())
    }

    /// Path below the root, as the object store wants it.
    pub(super) fn object_path(&self, table: Table, path: &str) -> Result<ObjectPath, StoreError> {
        ObjectPath::parse(format!("{}/{path}", table.name())).map_err(|error| StoreError::DamagedFile {
            path: self.uri(table, path).display().to_string(),
            reason: format!("has a name that no data file has ({error})"),
        })
    }

    /// Start of all keys: empty, or ends in a slash.
    pub(super) fn prefix(&self) -> &str {
        self.files.prefix()
    }

    /// For messages.
    pub(super) fn uri(&self, table: Table, path: &str) -> PathBuf {
        self.root.join(table.name()).join(path)
    }
}
