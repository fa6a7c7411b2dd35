//! The facts that the user named, or those of the program.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use super::args::FactsFolderArgs;
use super::error::CliError;
use crate::iam::Facts;

/// The file of a folder of facts.
const FILE: &str = "facts.gz";

/// Path of the pack in a folder.
pub(super) fn pack_path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Bytes of the pack in a folder, or `None` if there is no such file.
pub(super) fn read_pack(folder: &Path) -> Result<Option<Vec<u8>>, CliError> {
    let path = pack_path(folder);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(CliError::Read { path, cause }),
    }
}

/// The facts of a folder; `None` stands for the built-in ones, which are read when something first needs them.
///
/// They are kept for the life of the process, as queries refer to them.
pub(super) fn named(args: &FactsFolderArgs) -> Result<Option<&'static Facts>, CliError> {
    let Some(folder) = &args.facts else {
        return Ok(None);
    };
    let Some(pack) = read_pack(folder)? else {
        return Err(CliError::Usage {
            message: format!("`{}` holds no facts: there is no `{FILE}`", folder.display()),
            hint: Some("write them with `trimtrail facts import SERVICE_REFERENCE --facts DIR`".to_owned()),
        });
    };
    let facts = Facts::from_pack(&pack).map_err(|cause| CliError::Facts {
        path: pack_path(folder),
        cause,
    })?;
    if facts.is_outdated() {
        tracing::warn!(
            "the facts in `{}` were imported by another version of trimtrail, and lack what this one knows: import the files again",
            folder.display()
        );
    }
    Ok(Some(Box::leak(Box::new(facts))))
}
