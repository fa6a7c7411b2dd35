//! Where a store lies, parsed once.

use std::fmt;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use url::Url;

use super::StoreError;
use crate::schema::Table;

/// The place of a store: a local folder that may not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    folder: PathBuf,
    url: Url,
}

impl Location {
    /// Parses a local path or a `file://` URL; relative paths start at the working directory.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnsupportedLocation`] for other URLs, [`StoreError::BadLocation`] for text that names no folder.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let bad = |reason: &str| StoreError::BadLocation {
            location: text.to_owned(),
            reason: reason.to_owned(),
        };
        let path = match text.split_once("://") {
            None => PathBuf::from(text),
            Some(("file", _)) => Url::parse(text)
                .ok()
                .and_then(|url| url.to_file_path().ok())
                .ok_or_else(|| bad("the `file://` URL names no local path"))?,
            Some((scheme, _)) => {
                return Err(StoreError::UnsupportedLocation {
                    location: text.to_owned(),
                    scheme: scheme.to_owned(),
                });
            }
        };
        if path.as_os_str().is_empty() {
            return Err(bad("the path is empty"));
        }
        let folder = resolve(&path).map_err(|error| bad(&error.to_string()))?;
        let url = Url::from_directory_path(&folder).map_err(|()| bad("the path has no URL"))?;
        Ok(Self { folder, url })
    }

    /// The absolute path, for people.
    pub fn display(&self) -> impl fmt::Display + '_ {
        self.folder.display()
    }

    /// The store's root as a URL that ends in a slash.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The store's root folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Folder of one table.
    pub(super) fn table_folder(&self, table: Table) -> PathBuf {
        self.folder.join(table.name())
    }

    /// Folder of one table as a URL that ends in a slash.
    pub(super) fn table_url(&self, table: Table) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{}/", self.url.path(), table.name()));
        url
    }
}

/// Makes a path absolute, with the links of its existing part followed and without `..`.
fn resolve(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let existing = absolute
        .ancestors()
        .find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    let Some((ancestor, mut resolved)) = existing else {
        return Ok(absolute);
    };
    let rest = absolute.strip_prefix(ancestor).unwrap_or(Path::new(""));
    for component in rest.components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Normal(name) => resolved.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_is_not_supported_by_this_build() {
        let error = Location::parse("s3://logs/store").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot use `s3://logs/store` as a store: `s3://` is not supported by this build; name a local folder"
        );
    }

    #[test]
    fn empty_text_names_no_folder() {
        assert!(matches!(Location::parse(""), Err(StoreError::BadLocation { .. })));
    }

    #[test]
    fn relative_path_becomes_absolute() {
        let location = Location::parse("some-store").unwrap();
        assert!(location.folder().is_absolute());
        assert!(location.url().path().ends_with("/some-store/"), "{}", location.url());
    }

    #[test]
    fn parent_steps_and_missing_folders_are_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let text = format!("{}/missing/../store", root.display());
        assert_eq!(Location::parse(&text).unwrap().folder(), root.join("store"));
    }

    #[test]
    fn file_url_and_path_with_odd_characters_mean_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("my störe %41");
        let by_path = Location::parse(path.to_str().unwrap()).unwrap();
        let by_url = Location::parse(by_path.url().as_str()).unwrap();
        assert_eq!(by_path, by_url);
        assert_eq!(by_url.folder(), path);
    }
}
