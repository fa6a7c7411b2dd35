//! Removing what killed runs left: files that belong to no version of the store.
//!
//! # Why nothing is removed that anybody needs
//!
//! 1. A file goes only if it is listed first and, read after that, neither the newest version names it, nor a version that
//!    is kept for looking back (other programs may have replaced its rows), nor a batch that waits in the store.
//! 2. A batch may wait elsewhere, and a run may be about to commit: so files go only when they are older than asked for,
//!    which is [`LEAST_AGE`] at least. A line is written soon after the files that it names.
//! 3. A commit names only files that are much younger than that (see `prepared`): what is old when it is listed is in no
//!    entry that comes later.
//!
//! Files are removed one by one, and none of them is needed: whatever moment it is cut off at, the next vacuum goes on.

use std::collections::HashSet;
use std::io;

use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use object_store::ObjectMeta;
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;

use super::Store;
use super::StoreError;
use super::durable;
use super::error::Access;
use super::files::Files;
use super::prepare::PROBE;
use super::prepared::day_of_file;
use crate::schema::Table;

/// Files younger than this, in microseconds, are never removed: a run may still be about to commit them.
pub const LEAST_AGE: i64 = 24 * 60 * 60 * 1_000_000;

/// How much older than its line, in microseconds, a file of a prepared batch may be.
const BEFORE_LINE: i64 = 60 * 60 * 1_000_000;

/// A file that belongs to no version of the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// Below the store, `/` between its parts.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// When it was last written, microseconds since 1970-01-01T00:00:00Z.
    pub modified_at: i64,
}

impl Store {
    /// Files that no version names, that no batch waits for, and that were written before a moment, in microseconds since
    /// 1970-01-01T00:00:00Z; by path.
    ///
    /// Files that other programs put into the store are not among them. The moment should lie [`LEAST_AGE`] ago.
    ///
    /// # Errors
    ///
    /// The store cannot be listed or read.
    pub async fn leftovers(&self, before: i64) -> Result<Vec<Leftover>, StoreError> {
        let mut leftovers = Vec::new();
        for table in self.tables().await? {
            let found = self.files_of(table).await?;
            // Read after the listing: whatever is named meanwhile is kept.
            let mut named = self.named_files(table).await?;
            if let Table::Events | Table::Objects | Table::Rejects | Table::Usage = table {
                named.extend(self.waiting_files().await?);
            }
            let unnamed = found.into_iter().filter(|file| {
                let path = file.location.as_ref();
                day_of_file(table, path).is_some() && !named.contains(path)
            });
            leftovers.extend(unnamed.map(|file| leftover(format!("{}/{}", table.name(), file.location), &file)));
        }
        leftovers.extend(self.unfinished_files().await?);
        leftovers.retain(|file| file.modified_at < before.saturating_sub(BEFORE_LINE));
        leftovers.sort_unstable();
        Ok(leftovers)
    }

    /// Removes leftovers; one that is gone already is no error.
    ///
    /// # Errors
    ///
    /// A file cannot be removed; those after it stay.
    pub async fn remove_leftovers(&self, leftovers: &[Leftover]) -> Result<(), StoreError> {
        match self.storage() {
            Files::Folder(folder) => {
                for leftover in leftovers {
                    // Whoever runs this can be asked to stop between two files.
                    tokio::task::yield_now().await;
                    let path = folder.join(&leftover.path);
                    match durable::remove_file(&path) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            return Err(StoreError::from_io(&path, Access::Write, error));
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Files::Bucket(remote) => {
                let paths: Vec<_> = leftovers.iter().map(|file| ObjectPath::parse(&file.path)).collect();
                let paths = stream::iter(paths).map(|path| path.map_err(object_store::Error::from));
                let mut removed = remote.files.delete_stream(paths.boxed());
                while let Some(removed) = removed.next().await {
                    removed.map_err(|error| StoreError::from_object(&self.location().root(), Access::Write, error))?;
                }
                Ok(())
            }
        }
    }

    /// Files in the folder of a table, its log among them.
    pub(super) async fn files_of(&self, table: Table) -> Result<Vec<ObjectMeta>, StoreError> {
        let files = self.log_store(table).object_store(None);
        let listed = files.list(None).try_collect().await;
        listed.map_err(|error: object_store::Error| {
            StoreError::from_log(&self.table_folder(table), Access::Read, error.into())
        })
    }

    /// Paths that a version of a table names, as far as its log tells: those of the newest, and those that it replaced.
    pub(super) async fn named_files(&self, table: Table) -> Result<HashSet<String>, StoreError> {
        // The first look after opening the store may give what was read then.
        self.newest(Table::Events).await?;
        self.newest(table).await?;
        let snapshot = self.snapshot(table).await?;
        let mut named: HashSet<String> = snapshot.files.iter().map(|file| file.path.clone()).collect();
        let state = self.newest(table).await?;
        let log_store = self.log_store(table);
        let mut replaced = state.all_tombstones(log_store.as_ref());
        while let Some(tombstone) = replaced.next().await {
            let tombstone =
                tombstone.map_err(|error| StoreError::from_log(&self.table_folder(table), Access::Read, error))?;
            named.insert(tombstone.path().into_owned());
        }
        Ok(named)
    }

    /// Paths that stand in the lines of batches that wait in the store, of any version of this program.
    async fn waiting_files(&self) -> Result<HashSet<String>, StoreError> {
        let mut paths = HashSet::new();
        for name in self.waiting().await? {
            let text = self.read_waiting(&name).await?.unwrap_or_default();
            let texts = text.split(['"', '\\']).filter(|text| text.ends_with(".parquet"));
            paths.extend(texts.map(str::to_owned));
        }
        Ok(paths)
    }

    /// What was being written when a process was killed: files without their final name, and probes of a bucket.
    async fn unfinished_files(&self) -> Result<Vec<Leftover>, StoreError> {
        let root = self.location().root();
        match self.storage() {
            Files::Folder(folder) => {
                let found = durable::unfinished_files(folder);
                let found = found.map_err(|error| StoreError::from_io(folder, Access::Read, error))?;
                Ok(found
                    .into_iter()
                    .map(|(path, bytes, modified_at)| Leftover {
                        path,
                        bytes,
                        modified_at,
                    })
                    .collect())
            }
            Files::Bucket(remote) => {
                let listed = remote.files.list_with_delimiter(None).await;
                let listed = listed.map_err(|error| StoreError::from_object(&root, Access::Read, error))?;
                let probes = listed.objects.iter().filter(|object| {
                    let name = object.location.as_ref();
                    name.starts_with(PROBE)
                });
                Ok(probes
                    .map(|object| leftover(object.location.to_string(), object))
                    .collect())
            }
        }
    }
}

fn leftover(path: String, file: &ObjectMeta) -> Leftover {
    Leftover {
        path,
        bytes: file.size,
        modified_at: file.last_modified.timestamp_micros(),
    }
}

#[cfg(test)]
mod tests;
