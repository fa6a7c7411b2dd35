//! Where a result goes: stdout, or a file that appears only when it is complete.

use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;

use super::error::CliError;
use super::output::Output;
use super::size::counted;
use crate::schema::Table;

/// A place that takes the bytes of one result.
#[derive(Debug)]
pub(super) enum Target {
    /// Standard output.
    Stdout,
    /// A new file, under another name until [`Target::complete`].
    File {
        file: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
    /// Something that exists and is no file, such as `/dev/null` or a named pipe.
    Device { device: BufWriter<File>, path: PathBuf },
}

impl Target {
    /// Opens the place; `None` and `-` are stdout. A file is readable for its owner only.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout);
        };
        keep_out_of_stores(path)?;
        let path = path.to_owned();
        let opened = match fs::metadata(&path) {
            Ok(existing) if existing.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Ok(existing) if !existing.is_file() => File::options().write(true).open(&path).map(|device| Self::Device {
                device: BufWriter::new(device),
                path: path.clone(),
            }),
            _ => new_file_in(folder_of(&path)).map(|file| Self::File {
                file: BufWriter::new(file),
                path: path.clone(),
            }),
        };
        opened.map_err(|cause| CliError::Write { path, cause })
    }

    /// The place as a writer.
    pub(super) fn writer<'a>(&'a mut self, output: &'a mut Output) -> Box<dyn Write + Send + 'a> {
        match self {
            Self::Stdout => Box::new(output.data()),
            Self::File { file, .. } => Box::new(file),
            Self::Device { device, .. } => Box::new(device),
        }
    }

    /// Ends the result: a file gets its name, and takes the place of a file that had it.
    pub(super) fn complete(self, output: &mut Output) -> Result<(), CliError> {
        match self {
            Self::Stdout => output.data().flush().map_err(CliError::Stdout),
            Self::File { file, path } => persist(file, &path).map_err(|cause| CliError::Write { path, cause }),
            Self::Device { mut device, path } => device.flush().map_err(|cause| CliError::Write { path, cause }),
        }
    }
}

/// Writes a whole text to where the user wants it.
pub(super) fn write_text(text: &str, path: Option<&Path>, output: &mut Output) -> Result<(), CliError> {
    let mut target = Target::open(path)?;
    let written = target.writer(output).write_all(text.as_bytes());
    written.map_err(|cause| match path {
        Some(path) if path != Path::new("-") => CliError::Write {
            path: path.to_owned(),
            cause,
        },
        _ => CliError::Stdout(cause),
    })?;
    target.complete(output)
}

/// A folder that files are written into.
#[derive(Debug)]
pub(super) struct FileFolder<'a> {
    path: &'a Path,
    written: usize,
}

impl<'a> FileFolder<'a> {
    /// Makes the folder if need be.
    pub(super) fn open(path: &'a Path) -> Result<Self, CliError> {
        keep_out_of_stores(path)?;
        fs::create_dir_all(path).map_err(failed(path))?;
        Ok(Self { path, written: 0 })
    }

    /// Writes a file, which appears when it is complete.
    pub(super) fn write(&mut self, name: &str, text: &str) -> Result<(), CliError> {
        let path = self.path.join(name);
        let mut written = new_file_in(self.path).map_err(failed(&path))?;
        written.write_all(text.as_bytes()).map_err(failed(&path))?;
        written.persist(&path).map_err(|error| failed(&path)(error.error))?;
        self.written += 1;
        Ok(())
    }

    /// Says how many files were written.
    pub(super) fn close(self, output: &mut Output) {
        let written = counted(self.written, "file");
        output.note(&format!("{written} written to `{}`", self.path.display()));
    }
}

/// Refuses a place inside the folder of a store, whichever store it is: a result there could take the place of its files. A URL is
/// refused as well: as a path it would be one of a folder such as `s3:` in the current one, where nobody looks for it.
pub(super) fn keep_out_of_stores(path: &Path) -> Result<(), CliError> {
    if let Some(message) = no_path(path) {
        let hint = "name a place on this machine, and copy it from there, for example with `aws s3 cp`".to_owned();
        return Err(CliError::Usage {
            message,
            hint: Some(hint),
        });
    }
    // What cannot be resolved cannot be written either, and is reported as such.
    let Ok(absolute) = std::path::absolute(path) else {
        return Ok(());
    };
    let existing = absolute.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    // The names alone are common ones; a store has all of these.
    let is_store = |folder: &&Path| {
        Table::CORE
            .iter()
            .all(|table| folder.join(table.name()).join("_delta_log").is_dir())
    };
    match existing
        .as_deref()
        .and_then(|existing| existing.ancestors().find(is_store))
    {
        Some(store) => Err(CliError::Usage {
            message: format!(
                "`{}` lies in the folder of the store `{}`, where only the store's own files belong",
                path.display(),
                store.display()
            ),
            hint: Some("name a place outside of the store".to_owned()),
        }),
        None => Ok(()),
    }
}

/// What is wrong with a path that is a URL.
pub(super) fn no_path(path: &Path) -> Option<String> {
    let (scheme, _) = path.to_str()?.split_once("://")?;
    let is_url = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_url.then(|| format!("`{}` is no path on this machine", path.display()))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    let path = path.to_owned();
    move |cause| CliError::Write { path, cause }
}

fn persist(file: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// A temporary file; an error does not tell its name, which nobody knows.
fn new_file_in(folder: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder).map_err(|error| match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::from(error.kind()),
    })
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;

    #[test]
    fn file_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let (mut output, _, _) = captured(Verbosity::Normal);
        let mut target = Target::open(Some(&path)).unwrap();
        target.writer(&mut output).write_all(b"a\n").unwrap();
        assert!(!path.exists());
        target.complete(&mut output).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a\n");
    }

    #[test]
    fn abandoned_file_leaves_nothing_and_keeps_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        fs::write(&path, "old").unwrap();
        let (mut output, _, _) = captured(Verbosity::Normal);
        let mut target = Target::open(Some(&path)).unwrap();
        target.writer(&mut output).write_all(b"half").unwrap();
        drop(target);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[cfg(unix)]
    #[test]
    fn file_is_readable_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let (mut output, _, _) = captured(Verbosity::Normal);
        Target::open(Some(&path)).unwrap().complete(&mut output).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn place_in_a_store_is_refused_by_whatever_way_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let log = store.join("events/_delta_log");
        fs::create_dir_all(&log).unwrap();
        fs::create_dir_all(store.join("objects/_delta_log")).unwrap();
        let entry = log.join("00000000000000000001.json");
        fs::write(&entry, "entry").unwrap();
        assert!(Target::open(Some(&store.join("rows.csv"))).is_ok(), "some other lake");
        fs::create_dir_all(store.join("rejects/_delta_log")).unwrap();
        let mut places = vec![
            entry.clone(),
            store.join("rows.csv"),
            store.join("events/../rows.csv"),
            folder.path().join("store/./objects/x.parquet"),
        ];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&log, folder.path().join("link")).unwrap();
            places.push(folder.path().join("link/00000000000000000001.json"));
        }
        for place in &places {
            let error = Target::open(Some(place)).unwrap_err();
            assert!(matches!(error, CliError::Usage { .. }), "{error}");
            assert!(error.to_string().contains("folder of the store"), "{error}");
            assert!(FileFolder::open(place).is_err());
        }
        assert_eq!(fs::read(&entry).unwrap(), b"entry");
        assert!(Target::open(Some(&folder.path().join("rows.csv"))).is_ok());
    }

    #[test]
    fn missing_folder_is_named() {
        let error = Target::open(Some(Path::new("/nonexistent-folder/x.csv"))).unwrap_err();
        assert!(error.to_string().contains("`/nonexistent-folder/x.csv`"), "{error}");
        assert!(!error.to_string().contains(".tmp"), "{error}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn device_is_written_in_place() {
        let (mut output, _, _) = captured(Verbosity::Normal);
        let mut target = Target::open(Some(Path::new("/dev/null"))).unwrap();
        assert!(matches!(target, Target::Device { .. }));
        target.writer(&mut output).write_all(b"x").unwrap();
        target.complete(&mut output).unwrap();
    }
}
