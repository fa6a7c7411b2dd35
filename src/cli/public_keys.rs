//! Files of public keys that the user names.

use super::error::CliError;
use crate::integrity::PublicKeys;

/// Reads files, each `FILE` or `REGION=FILE`.
pub(super) fn read(files: &[String]) -> Result<PublicKeys, CliError> {
    let mut keys = PublicKeys::default();
    for file in files {
        let (region, path) = split(file);
        let text = std::fs::read(path).map_err(|cause| CliError::Read {
            path: path.into(),
            cause,
        })?;
        keys.add(&text, path, region)?;
    }
    Ok(keys)
}

/// Region and path of `FILE` or `REGION=FILE`.
pub(super) fn split(file: &str) -> (Option<&str>, &str) {
    let is_region = |text: &str| {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !text.is_empty() && text.bytes().all(is_part)
    };
    match file.split_once('=') {
        Some((region, path)) if is_region(region) => (Some(region), path),
        _ => (None, file),
    }
}
