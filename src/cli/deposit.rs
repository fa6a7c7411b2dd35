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
    /// run are in it.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let is_folder = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if is_folder {
            std::fs::create_dir_all(path)?;
        } else if path.is_file() {
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
        let (path, text) = if self.is_folder {
            (self.path.join(format!("{}{ENDING}", batch.id())), format!("{line}\n"))
        } else {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push_str(&format!("{line}\n"));
            (self.path.clone(), lines.clone())
        };
        write_whole(&path, &text).map_err(|error| format!("`{}`: {error}", path.display()))
    }
}

/// The file has its name only once it is complete.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    failpoint::pass(Point::AddsWritten)?;
    file.persist(path)?;
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
