//! Whether a store can be at a place: nothing else lies there, and it can be written as a store must be.

use std::fs;
use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use uuid::Uuid;

use super::Location;
use super::StoreError;
use super::durable;
use super::error::Access;
use super::files::RemoteFiles;
use crate::schema::Table;
use crate::source::Fault;

/// Start of the names of objects that prove that creation is conditional; they are removed at once.
pub(super) const PROBE: &str = "trimtrail-probe-";
/// How long a proof may take.
const LONGEST_PROOF: Duration = Duration::from_secs(60 * 60);

/// Makes the store's folder, or proves that it is one and can be written.
///
/// A store in a bucket has none.
pub(super) fn prepare_folder(location: &Location) -> Result<(), StoreError> {
    let Some(folder) = location.folder() else {
        return Ok(());
    };
    let path = || location.display().to_string();
    let write_error = |error| StoreError::from_io(folder, Access::Write, error);
    match fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => return Err(StoreError::PathIsFile { path: path() }),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => durable::create_folders(folder).map_err(write_error)?,
        Err(error) => return Err(StoreError::from_io(folder, Access::Read, error)),
    }
    if let Some(occupied) = occupied_folder(location, folder)? {
        return Err(occupied);
    }
    durable::probe_writable(folder).map_err(write_error)
}

/// Why a folder that is no store cannot become one.
pub(super) fn occupied_folder(location: &Location, folder: &Path) -> Result<Option<StoreError>, StoreError> {
    let entry = foreign_entry(folder).map_err(|error| StoreError::from_io(folder, Access::Read, error))?;
    Ok(entry.map(|entry| {
        let has_log = folder.join(&entry).join("_delta_log").is_dir();
        occupied(location, entry, has_log)
    }))
}

/// As [`occupied_folder`], for a prefix.
pub(super) async fn occupied_prefix(
    remote: &RemoteFiles,
    location: &Location,
) -> Result<Option<StoreError>, StoreError> {
    let failed = |error| StoreError::from_object(&location.root(), Access::Read, error);
    let Some(entry) = foreign_object(remote).await.map_err(failed)? else {
        return Ok(None);
    };
    let log = ObjectPath::from(format!("{entry}/_delta_log"));
    let first = remote.files.list(Some(&log)).next().await;
    let has_log = first.transpose().map_err(failed)?.is_some();
    Ok(Some(occupied(location, entry, has_log)))
}

fn occupied(location: &Location, entry: String, has_log: bool) -> StoreError {
    let is_table = Table::ALL.iter().any(|table| table.name() == entry);
    if is_table && has_log {
        return StoreError::MissingTable {
            path: location.table_folder(Table::Events).display().to_string(),
        };
    }
    StoreError::NotEmpty {
        path: location.display().to_string(),
        entry,
    }
}

/// First entry, by name, that shows that the folder is used for something else; a store may hold extra files.
fn foreign_entry(folder: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_table = Table::ALL.iter().any(|table| table.name() == name);
        // What a crash leaves of a store that was being made.
        let is_left_over = name.contains('#') || is_table && holds_no_rows(&entry.path());
        if !is_left_over {
            names.push(name);
        }
    }
    // Asked last, because another process may be making the same store.
    let is_store = folder.join(Table::Events.name()).join("_delta_log").is_dir();
    Ok(names.into_iter().min().filter(|_| !is_store))
}

/// Whether a folder is empty or the folder of a table without data files.
fn holds_no_rows(path: &Path) -> bool {
    fs::read_dir(path)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "_delta_log")))
}

/// Proves that a prefix holds a store or nothing, and that its bucket never writes over an object by creation. The answer is as for
/// [`prove_conditional_creation`].
pub(super) async fn prepare_prefix(remote: &RemoteFiles, location: &Location) -> Result<Option<Fault>, StoreError> {
    if remote.files.bucket().is_directory() {
        return Err(unordered(location));
    }
    if let Some(occupied) = occupied_prefix(remote, location).await? {
        return Err(occupied);
    }
    prove_conditional_creation(remote, location).await
}

/// Proves, before a store is made, that its bucket lists keys in the order of their bytes, as Amazon S3 does but for directory
/// buckets (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
///
/// Two objects are written and removed, so that it is for those who may remove objects.
pub(super) async fn prove_order(remote: &RemoteFiles, location: &Location) -> Result<(), StoreError> {
    let bucket = remote.files.bucket();
    let failed = |fault| StoreError::of_bucket(&location.root(), Access::Write, fault);
    let start = format!("{}{PROBE}order-", remote.prefix());
    let keys = ["1", "2"].map(|number| format!("{start}{number}"));
    for key in &keys {
        bucket.create(key, Bytes::from_static(b"order")).await.map_err(failed)?;
    }
    let listed = bucket.list(&start, (None, false), None).await.map_err(failed)?;
    for key in &keys {
        // What stays is removed by `store vacuum`.
        drop(bucket.remove(key).await);
    }
    match listed.objects.is_sorted_by(|one, other| one.key < other.key) {
        true => Ok(()),
        false => Err(unordered(location)),
    }
}

fn unordered(location: &Location) -> StoreError {
    StoreError::UnorderedListing {
        path: location.display().to_string(),
    }
}

/// As [`foreign_entry`], for a prefix.
async fn foreign_object(remote: &RemoteFiles) -> object_store::Result<Option<String>> {
    let log = ObjectPath::from(format!("{}/_delta_log", Table::Events.name()));
    let is_store = || async { remote.files.list(Some(&log)).next().await.transpose() };
    if is_store().await?.is_some() {
        return Ok(None);
    }
    let listed = remote.files.list_with_delimiter(None).await?;
    let names = listed.objects.iter().map(|object| &object.location);
    let mut names: Vec<String> = names
        .filter_map(|path| Some(path.filename()?.to_owned()))
        .filter(|name| !name.starts_with(PROBE))
        .collect();
    for folder in listed.common_prefixes {
        let name = folder.filename().unwrap_or_default();
        let is_table = Table::ALL.iter().any(|table| table.name() == name);
        let log = folder.clone().join("_delta_log");
        let mut objects = remote.files.list(Some(&folder));
        // What a crash leaves of a store that was being made.
        let is_left_over = is_table
            && match objects.next().await.transpose()? {
                Some(first) => first.location.prefix_matches(&log),
                None => true,
            };
        if !is_left_over {
            names.push(name.to_owned());
        }
    }
    // Asked again, because another process may be making the same store.
    let first = names.into_iter().min();
    if first.is_some() && is_store().await?.is_some() {
        return Ok(None);
    }
    Ok(first)
}

/// Whether no proof can be at work any more with an object of a moment, in microseconds since 1970-01-01T00:00:00Z; 0 is no moment.
fn is_old(last_modified: i64) -> bool {
    let made_at = u64::try_from(last_modified).ok().filter(|moment| *moment > 0);
    let made_at = made_at.map(|moment| UNIX_EPOCH + Duration::from_micros(moment));
    made_at.is_some_and(|moment| moment.elapsed().is_ok_and(|age| age > LONGEST_PROOF))
}

/// Creates an object that is there: that must be refused. The answer is why the object stays behind, if it does.
///
/// One that an earlier run could not remove is taken rather than a new one, so that runs without the permission leave one object
/// and not one each. It is removed when no other run can be at work with it any more.
pub(super) async fn prove_conditional_creation(
    remote: &RemoteFiles,
    location: &Location,
) -> Result<Option<Fault>, StoreError> {
    let bucket = remote.files.bucket();
    let failed = |fault| StoreError::of_bucket(&location.root(), Access::Write, fault);
    let content = || Bytes::from_static(b"conditional writes");
    let start = format!("{}{PROBE}", remote.prefix());
    let left = bucket.list(&start, (None, false), None).await.map_err(failed)?;
    if let Some(left) = left.objects.first() {
        if !bucket.create(&left.key, content()).await.map_err(failed)? {
            if is_old(left.last_modified) {
                return Ok(bucket.remove(&left.key).await.err());
            }
            return Ok(Some(Fault::told(
                "a probe of a run within the last hour is left, or one is at work; look again in an hour; if every run leaves one, allow \
                 `s3:DeleteObject` on the objects below the prefix",
            )));
        }
        // Another process was at work with it and has removed it meanwhile.
        drop(bucket.remove(&left.key).await);
    }
    let key = format!("{start}{}", Uuid::new_v4());
    // A first request that is repeated meets itself, which proves as much.
    let is_conditional = match bucket.create(&key, content()).await.map_err(failed)? {
        true => !bucket.create(&key, content()).await.map_err(failed)?,
        false => true,
    };
    let removed = bucket.remove(&key).await;
    match is_conditional {
        true => Ok(removed.err()),
        false => Err(StoreError::UnconditionalWrites {
            path: location.display().to_string(),
        }),
    }
}
