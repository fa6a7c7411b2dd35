//! Errors of the generator.

use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Why an estate could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// A file or folder could not be written.
    #[error("cannot write `{path}`: {source}", path = path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder is there already and holds files; the estate would mix with them.
    #[error("`{path}` is not empty; choose a new folder", path = path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The text names no object size.
    #[error("`{text}` is no object size; use `real-life` or a number of bytes such as `2k` or `50m`")]
    ObjectSize {
        /// What was given.
        text: String,
    },
    /// The key for digests is damaged, which is a defect of trimtrail.
    #[error("cannot sign the digests; please report this")]
    Signature,
}

impl SampleError {
    /// A failed write of `path`.
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}
