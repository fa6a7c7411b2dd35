//! The files of a bundle while it is made or checked.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufReader;
use std::io::BufWriter;
use std::io::Read;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::cli::error::CliError;
use crate::cli::target::keep_out_of_stores;
use crate::report::evidence::ArchiveError;
use crate::report::evidence::ArchiveWriter;
use crate::report::evidence::Hashed;
use crate::report::evidence::is_file_name;
use crate::report::evidence::read_archive;

/// Folders that every bundle has; others without files are no part of one.
const FOLDERS: [&str; 2] = ["queries", "tables"];

/// How files begin that are compressed: gzip, ZIP, bzip2, xz, Zstandard.
const COMPRESSED: [&[u8]; 5] = [b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zX", b"\x28\xb5\x2f\xfd"];

/// A file that is being written.
pub(super) type NewFile = Hashed<BufWriter<File>>;

/// A folder with files, by name and SHA-256.
#[derive(Debug)]
pub(in crate::cli) struct BundleFolder {
    root: PathBuf,
    files: BTreeMap<String, String>,
    /// Keeps the folder until the end, if it is a temporary one.
    _temporary: Option<TempDir>,
}

impl BundleFolder {
    /// A temporary folder without files, beside the place that the bundle goes to.
    pub(in crate::cli) fn beside(path: &Path) -> Result<Self, CliError> {
        keep_out_of_stores(path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let made = TempDir::with_prefix_in(".evidence-", parent);
        Self::temporary(made.map_err(|cause| write_error(path, cause))?)
    }

    /// A temporary folder without files, in this one or the system's.
    pub(in crate::cli) fn apart(parent: Option<&Path>) -> Result<Self, CliError> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let made = TempDir::with_prefix_in("trimtrail-evidence-", &parent);
        Self::temporary(made.map_err(|cause| write_error(&parent, cause))?)
    }

    fn temporary(folder: TempDir) -> Result<Self, CliError> {
        let root = folder.path().to_owned();
        for name in FOLDERS {
            let path = root.join(name);
            fs::create_dir(&path).map_err(|cause| write_error(&path, cause))?;
        }
        Ok(Self {
            root,
            files: BTreeMap::new(),
            _temporary: Some(folder),
        })
    }

    /// The bundle that lies at a path, a folder or an archive. Links, and names that no bundle has, count as files without a hash.
    ///
    /// An archive is unpacked in the given folder, or the system's.
    pub(in crate::cli) fn open(path: &Path, parent: Option<&Path>) -> Result<Self, CliError> {
        let found = fs::metadata(path).map_err(|cause| read_error(path, cause))?;
        let mut folder = match found.is_dir() {
            true => Self {
                root: path.to_owned(),
                files: BTreeMap::new(),
                _temporary: None,
            },
            false => Self::unpacked(path, parent)?,
        };
        folder.hash_all().map_err(|cause| read_error(path, cause))?;
        Ok(folder)
    }

    fn unpacked(path: &Path, parent: Option<&Path>) -> Result<Self, CliError> {
        let folder = Self::apart(parent)?;
        let mut archive = File::open(path).map_err(|cause| read_error(path, cause))?;
        let mut begin = [0; 4];
        let length = archive.read(&mut begin).map_err(|cause| read_error(path, cause))?;
        if COMPRESSED
            .iter()
            .any(|magic| begin.get(..length).is_some_and(|begin| begin.starts_with(magic)))
        {
            return Err(CliError::Usage {
                message: format!("`{}` is compressed", path.display()),
                hint: Some("unpack it: a bundle is a folder or a plain `.tar`".to_owned()),
            });
        }
        archive.rewind().map_err(|cause| read_error(path, cause))?;
        let unpacked = read_archive(BufReader::new(archive), |name| {
            let target = folder.root.join(name);
            fs::create_dir_all(target.parent().unwrap_or(&folder.root))?;
            File::create_new(target).map(BufWriter::new)
        });
        match unpacked {
            Ok(_) => Ok(folder),
            Err(ArchiveError::Read(cause)) => Err(read_error(path, cause)),
            Err(error @ ArchiveError::Foreign { .. }) => Err(CliError::Bundle {
                path: path.to_owned(),
                cause: error.to_string(),
            }),
        }
    }

    /// Names and hashes of all files.
    pub(in crate::cli) fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The bytes of a file; none if it is not there, or no plain file.
    pub(in crate::cli) fn read(&self, name: &str) -> Result<Vec<u8>, CliError> {
        if self.files.get(name).is_none_or(String::is_empty) {
            return Ok(Vec::new());
        }
        let path = self.root.join(name);
        fs::read(&path).map_err(|cause| read_error(&path, cause))
    }

    /// Begins a file.
    pub(super) fn create(&self, name: &str) -> Result<NewFile, CliError> {
        let path = self.root.join(name);
        let file = File::create_new(&path).map_err(|cause| write_error(&path, cause))?;
        Ok(Hashed::new(BufWriter::new(file)))
    }

    /// Takes note of a file that is complete.
    pub(super) fn complete(&mut self, name: &str, target: NewFile) -> Result<(), CliError> {
        let (hash, mut file) = target.finish();
        file.flush()
            .map_err(|cause| write_error(&self.root.join(name), cause))?;
        self.files.insert(name.to_owned(), hash);
        Ok(())
    }

    /// Writes a file.
    pub(super) fn put(&mut self, name: &str, content: &[u8]) -> Result<(), CliError> {
        let mut target = self.create(name)?;
        let written = target.write_all(content);
        written.map_err(|cause| write_error(&self.root.join(name), cause))?;
        self.complete(name, target)
    }

    /// Gives the bundle its place: a folder that is not there yet, or an archive.
    pub(in crate::cli) fn settle(self, out: &Path, is_archive: bool) -> Result<(), CliError> {
        let failed = |cause| write_error(out, cause);
        if is_archive {
            let parent = self.root.parent().unwrap_or(Path::new("."));
            let mut archive = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
            self.pack(&mut archive).map_err(failed)?;
            archive.as_file().sync_all().map_err(failed)?;
            archive.persist(out).map_err(|error| failed(error.error))?;
            return Ok(());
        }
        // An empty folder may be there already; anything else is not replaced.
        fs::rename(&self.root, out).map_err(failed)
    }

    fn pack(&self, out: &mut tempfile::NamedTempFile) -> io::Result<()> {
        let mut archive = ArchiveWriter::new(BufWriter::new(out));
        for name in self.files.keys() {
            let mut file = File::open(self.root.join(name))?;
            let size = file.metadata()?.len();
            archive.add(name, size, &mut file)?;
        }
        archive.finish().map(|_| ())
    }

    fn hash_all(&mut self) -> io::Result<()> {
        let mut folders = vec![(self.root.clone(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let is_own = prefix.is_empty() || FOLDERS.iter().any(|own| prefix.strip_suffix('/') == Some(own));
            if !is_own && fs::read_dir(&folder)?.next().is_none() {
                self.files.insert(prefix, String::new());
                continue;
            }
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                let kind = entry.file_type()?;
                if kind.is_dir() && prefix.is_empty() && is_file_name(&name) {
                    folders.push((entry.path(), format!("{name}/")));
                    continue;
                }
                let hash = match kind.is_file() && is_file_name(&name) {
                    true => hash_of(&entry.path())?,
                    false => String::new(),
                };
                self.files.insert(name, hash);
            }
        }
        Ok(())
    }
}

fn hash_of(path: &Path) -> io::Result<String> {
    let mut hash = Hashed::new(io::sink());
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash.finish().0)
}

fn read_error(path: &Path, cause: io::Error) -> CliError {
    CliError::Read {
        path: path.to_owned(),
        cause,
    }
}

fn write_error(path: &Path, cause: io::Error) -> CliError {
    CliError::Write {
        path: path.to_owned(),
        cause,
    }
}
