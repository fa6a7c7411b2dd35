//! Files and folders that survive a power cut: synced before they become visible, private to their owner.

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

use uuid::Uuid;

/// What to do when the target of a write exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// Fail with [`ErrorKind::AlreadyExists`].
    Keep,
    /// Put the new file in its place.
    Replace,
}

/// Makes a folder and its missing parents with mode 0700, each synced into the folder that holds it.
pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_folders(parent)?;
    }
    match private_folder().create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        Err(error) => return Err(error),
    }
    parent.map_or(Ok(()), sync_folder)
}

/// Makes a new file with mode 0600; fails when the name is taken.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private_file(&mut options);
    options.open(path)
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

/// Writes a whole file so that it is either there, complete and durable, or not there at all.
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
    let written = write_parts(&mut file, parts).and_then(|()| match existing {
        Existing::Keep => fs::hard_link(&staging, path),
        Existing::Replace => fs::rename(&staging, path),
    });
    let replaced = written.is_ok() && existing == Existing::Replace;
    if !replaced {
        // A staging file that stays behind is never listed, so failing to remove it changes nothing.
        drop(fs::remove_file(&staging));
    }
    written?;
    sync_folder(folder)
}

/// Proves that files can be made in a folder, by making one and removing it.
pub(super) fn probe_writable(folder: &Path) -> io::Result<()> {
    let probe = staging_path(&folder.join("probe"));
    create_file(&probe)?;
    fs::remove_file(&probe)
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
    file.sync_all()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_over_a_kept_file_fails_and_leaves_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/entry.json");
        write_file(&path, [b"first".as_slice()].into_iter(), Existing::Keep).unwrap();
        let error = write_file(&path, [b"second".as_slice()].into_iter(), Existing::Keep).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let names: Vec<_> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["entry.json"], "no staging file may stay behind");
    }

    #[test]
    fn writing_over_a_replaced_file_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hint");
        write_file(&path, [b"one".as_slice()].into_iter(), Existing::Replace).unwrap();
        write_file(
            &path,
            [b"tw".as_slice(), b"o".as_slice()].into_iter(),
            Existing::Replace,
        )
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_private_to_their_owner() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store/entry");
        write_file(&path, [b"x".as_slice()].into_iter(), Existing::Keep).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn write_to_a_full_device_is_no_space() {
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = write_parts(&mut full, [b"x".as_slice()].into_iter()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}
