//! Where the batches of `ingest --no-commit` are left for `commit`.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use tempfile::NamedTempFile;
use tokio::runtime::Handle;

use crate::cli::target::folder_of;
use crate::failpoint;
use crate::failpoint::Point;
use crate::ingest::Deposit;
use crate::store::PreparedBatch;
use crate::store::Store;

/// Names of files with prepared batches end so.
pub(super) const ENDING: &str = ".adds.jsonl";

/// Batches in the store itself, one file each.
#[derive(Debug)]
pub(super) struct StoreDeposit<'a> {
    pub(super) store: &'a Store,
    pub(super) runtime: &'a Handle,
}

/// Batches in a folder, one file each, or all of a run in one file.
#[derive(Debug)]
pub(super) struct FileDeposit {
    path: PathBuf,
    is_folder: bool,
    lines: Mutex<String>,
}

impl FileDeposit {
    /// A path that ends in a slash, or at which there is a folder, is a folder. A file must be a new one: the batches of another
    /// run are in it, or it is a device or a pipe, which a file would take the place of.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let is_folder = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if is_folder {
            std::fs::create_dir_all(path)?;
        } else if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Self {
            path: path.to_owned(),
            is_folder,
            lines: Mutex::default(),
        })
    }
}

impl Deposit for StoreDeposit<'_> {
    fn keep(&self, batch: &PreparedBatch) -> Result<(), String> {
        let line = batch.to_line().map_err(|error| error.to_string())?;
        let name = format!("{}{ENDING}", batch.id());
        let left = self
            .runtime
            .block_on(self.store.leave_waiting(&name, format!("{line}\n")));
        left.map_err(|error| error.to_string())
    }
}

impl Deposit for FileDeposit {
    fn keep(&self, batch: &PreparedBatch) -> Result<(), String> {
        let line = batch.to_line().map_err(|error| error.to_string())?;
        if self.is_folder {
            let path = self.path.join(format!("{}{ENDING}", batch.id()));
            return write_whole(&path, &format!("{line}\n"), true).map_err(|error| failed(&path, &error));
        }
        self.add(&line).map_err(|error| failed(&self.path, &error))
    }
}

impl FileDeposit {
    /// Adds a line to the file. It must not be there before the first one: another worker may have made it since the start.
    fn add(&self, line: &str) -> io::Result<()> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let text = format!("{lines}{line}\n");
        write_whole(&self.path, &text, lines.is_empty())?;
        *lines = text;
        Ok(())
    }
}

fn failed(path: &Path, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AlreadyExists => "; give every worker a file of its own, or all of them a folder",
        _ => "",
    };
    format!("`{}`: {error}{remedy}", path.display())
}

/// The file has its name only once it is complete; a new one takes no other's place.
fn write_whole(path: &Path, text: &str, is_new: bool) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    failpoint::pass(Point::AddsWritten)?;
    match is_new {
        true => file.persist_noclobber(path)?,
        false => file.persist(path)?,
    };
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_another_worker_made_meanwhile_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("adds");
        let (first, second) = (FileDeposit::new(&path).unwrap(), FileDeposit::new(&path).unwrap());
        first.add("1").unwrap();
        let refused = second.add("2").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert!(failed(&path, &refused).contains("a file of its own"));
        first.add("3").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n3\n");
        assert!(FileDeposit::new(&path).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn device_and_link_to_nothing_are_no_new_files() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/nonexistent/adds", &link).unwrap();
        for path in [Path::new("/dev/null"), &link] {
            let refused = FileDeposit::new(path).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        }
        assert!(FileDeposit::new(folder.path()).is_ok());
    }
}
