//! Evidence bundles: what goes into one, and making it in a folder.

mod basis;
mod build;
mod exhibit;
mod folder;
mod period;
mod record;

use std::collections::BTreeMap;

use super::error::CliError;
use super::public_keys;
use crate::integrity::PublicKeys;
use crate::integrity::SealingKey;
use crate::policy::Window;
use crate::query::Library;
use crate::report::evidence::ControlMap;
use crate::report::evidence::Redaction;

pub(super) use build::Maker;
pub(super) use folder::BundleFolder;
pub(super) use period::parse_period;
pub(super) use period::period_text;

/// Everything that decides the bytes of a bundle, but for the store.
#[derive(Debug)]
pub(super) struct Plan {
    /// As the user wrote it.
    pub(super) period: String,
    pub(super) window: Window,
    /// Short names, each once, in order of the user.
    pub(super) frameworks: Vec<String>,
    pub(super) map: ControlMap,
    /// The user's file of controls.
    pub(super) own_controls: Option<String>,
    pub(super) library: Library,
    /// Parameters for all questions that have them.
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) redaction: Redaction,
    pub(super) prepared_by: Option<String>,
    pub(super) prepared_at: Option<String>,
    pub(super) keys: Vec<KeyFile>,
    /// Signs the bundle.
    pub(super) sealing_key: Option<SealingKey>,
    /// The public key of whoever signs or signed it.
    pub(super) signed_by: Option<String>,
}

/// A file of public keys.
#[derive(Debug)]
pub(super) struct KeyFile {
    /// Its name in the bundle.
    pub(super) name: String,
    /// Where it was asked for.
    pub(super) region: Option<String>,
    pub(super) content: Vec<u8>,
}

impl KeyFile {
    /// Reads files as the user names them, each `FILE` or `REGION=FILE`.
    pub(super) fn read(files: &[String]) -> Result<Vec<Self>, CliError> {
        let files = (1..).zip(files).map(|(number, file)| {
            let (region, path) = public_keys::split(file);
            let content = std::fs::read(path).map_err(|cause| CliError::Read {
                path: path.into(),
                cause,
            })?;
            Ok(Self {
                name: format!("public-keys-{number}.json"),
                region: region.map(str::to_owned),
                content,
            })
        });
        files.collect()
    }
}

impl Plan {
    /// The keys of all files; `None` if there are no files.
    fn public_keys(&self) -> Result<Option<PublicKeys>, CliError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let mut keys = PublicKeys::default();
        for file in &self.keys {
            keys.add(&file.content, &file.name, file.region.as_deref())?;
        }
        Ok(Some(keys))
    }
}
