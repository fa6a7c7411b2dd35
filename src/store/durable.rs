//! Files and folders that survive a power cut: synced before they become visible, private to their owner.
//!
//! What others made visible may not be synced yet, because they were killed, or are about to do it. So a folder is synced
//! into the one above even if it was there, and a folder before a name is added that builds on the names in it.

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use uuid::Uuid;

use crate::failpoint;
use crate::failpoint::Point;

/// Folders of a store lie in each other so deep: table, log or day.
const DEEPEST_FOLDER: usize = 2;
/// Staging names end in a number that is drawn from 128 bits; it has hardly ever fewer digits than this.
const MOST_DIGITS_OF_OTHERS: usize = 30;

/// What to do when the target of a write exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// Fail with [`ErrorKind::AlreadyExists`].
    Keep,
    /// Put the new file in its place.
    Replace,
}

/// What was done to the disk, for the tests of a power cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    Folder(PathBuf),
    File(PathBuf),
    /// The file has all of its content, but none of it need be on the disk.
    Content(PathBuf),
    SyncFile(PathBuf),
    SyncFolder(PathBuf),
    Link(PathBuf, PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// Makes a folder and its missing parents with mode 0700, each synced into the folder that holds it.
pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if !path.is_dir() {
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            create_folders(parent)?;
        }
        match private_folder().create(path) {
            Ok(()) => trace(|| Operation::Folder(path.to_owned())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(error) => return Err(error),
        }
        failpoint::pass(Point::FolderMade)?;
    }
    parent.map_or(Ok(()), sync_folder)
}

/// Makes a new file with mode 0600; fails when the name is taken.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private_file(&mut options);
    let file = options.open(path)?;
    trace(|| Operation::File(path.to_owned()));
    Ok(file)
}

/// Makes the content of a file durable, but not its name.
pub(super) fn sync_file(path: &Path, file: &File) -> io::Result<()> {
    trace(|| Operation::Content(path.to_owned()));
    file.sync_all()?;
    trace(|| Operation::SyncFile(path.to_owned()));
    Ok(())
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    trace(|| Operation::SyncFolder(path.to_owned()));
    Ok(())
}

/// Removes a file, sooner or later also from the disk.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    trace(|| Operation::Remove(path.to_owned()));
    Ok(())
}

/// Writes a whole file so that it is either there, complete and durable, or not there at all.
///
/// What the folder holds is durable before a file is added that was not there.
pub(super) fn write_file<'a>(path: &Path, parts: impl Iterator<Item = &'a [u8]>, existing: Existing) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
    let staging = staging_path(path);
    let mut file = match create_file(&staging) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create_folders(folder)?;
            create_file(&staging)?
        }
        created => created?,
    };
    let written = write_parts(&mut file, parts)
        .and_then(|()| sync_file(&staging, &file))
        .and_then(|()| give_name(&staging, path, folder, existing));
    let replaced = written.is_ok() && existing == Existing::Replace;
    if !replaced {
        // A staging file that stays behind is never listed, so failing to remove it changes nothing.
        drop(remove_file(&staging));
    }
    written?;
    failpoint::pass(Point::EntryNamed)?;
    sync_folder(folder)
}

fn give_name(staging: &Path, path: &Path, folder: &Path, existing: Existing) -> io::Result<()> {
    failpoint::pass(Point::EntryWritten)?;
    match existing {
        Existing::Keep => {
            sync_folder(folder)?;
            fs::hard_link(staging, path)?;
            trace(|| Operation::Link(staging.to_owned(), path.to_owned()));
        }
        Existing::Replace => {
            fs::rename(staging, path)?;
            trace(|| Operation::Rename(staging.to_owned(), path.to_owned()));
        }
    }
    Ok(())
}

/// Proves that files can be made in a folder, by making one and removing it.
pub(super) fn probe_writable(folder: &Path) -> io::Result<()> {
    let probe = staging_path(&folder.join("probe"));
    create_file(&probe)?;
    remove_file(&probe)
}

/// Files below a store's folder that were being written under a staging name: path below it, bytes, and time of the last
/// change in microseconds since 1970-01-01T00:00:00Z.
pub(super) fn unfinished_files(root: &Path) -> io::Result<Vec<(String, u64, i64)>> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), root.to_owned())];
    while let Some((below, folder)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{below}{name}");
            let file_type = entry.file_type()?;
            if file_type.is_dir() && below.matches('/').count() < DEEPEST_FOLDER {
                folders.push((format!("{path}/"), entry.path()));
            } else if file_type.is_file() && is_staging_name(&name) {
                match entry.metadata() {
                    Ok(metadata) => found.push((path, metadata.len(), microseconds(metadata.modified()?))),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(found)
}

/// Before 1970 is 0, the very distant future the largest number.
fn microseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Whether [`staging_path`] makes such names.
fn is_staging_name(name: &str) -> bool {
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number
        .is_some_and(|number| number.len() > MOST_DIGITS_OF_OTHERS && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A name beside the target that listings skip: `#` and digits at the end mark an unfinished upload.
fn staging_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(format!("#{}", Uuid::new_v4().as_u128()));
    PathBuf::from(name)
}

fn write_parts<'a>(file: &mut File, parts: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
    for part in parts {
        file.write_all(part)?;
    }
    Ok(())
}

/// Tells the tests what was done, in order.
#[cfg(test)]
fn trace(operation: impl FnOnce() -> Operation) {
    testing::record(&operation());
}

#[cfg(not(test))]
fn trace(_operation: impl FnOnce() -> Operation) {}

#[cfg(unix)]
fn private_folder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;

    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private_folder() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(unix)]
fn private_file(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600);
}

#[cfg(not(unix))]
fn private_file(_options: &mut OpenOptions) {}
