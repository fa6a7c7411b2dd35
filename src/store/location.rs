//! Where a store lies, parsed once.

use std::fmt;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;
use url::Url;

use super::StoreError;
use super::bucket::BucketFiles;
use super::prepare::PROBE;
use super::waiting;
use crate::schema::Table;
use crate::source::BucketPrefix;
use crate::source::OwnKeys;
use crate::source::S3Options;
use crate::source::StoreBucket;

/// The place of a store: a local folder that may not exist yet, or a prefix of a bucket.
#[derive(Debug, Clone)]
pub struct Location {
    place: Place,
    url: Url,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    Bucket(BucketPlace),
}

/// A prefix of a bucket.
#[derive(Debug, Clone)]
pub(super) struct BucketPlace {
    bucket: String,
    /// Empty, or ends in a slash.
    prefix: String,
    options: S3Options,
    /// Made once for all clones of a location.
    connection: Arc<OnceCell<BucketFiles>>,
}

impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for Location {}

impl Location {
    /// Parses a local path, a `file://` URL or `s3://bucket/prefix`; relative paths start at the working directory.
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
            Some(("s3" | "s3a", _)) => return in_bucket(text),
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
        Ok(Self {
            place: Place::Folder(folder),
            url,
        })
    }

    /// The same place, reached with these options where it lies in a bucket.
    #[must_use]
    pub fn with_s3(self, options: S3Options) -> Self {
        let place = match self.place {
            Place::Bucket(place) => Place::Bucket(BucketPlace {
                options,
                connection: Arc::default(),
                ..place
            }),
            folder @ Place::Folder(_) => folder,
        };
        Self { place, ..self }
    }

    /// The absolute path or the URI, for people.
    pub fn display(&self) -> impl fmt::Display + '_ {
        self.root().display().to_string()
    }

    /// The store's root as a URL that ends in a slash.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The store's root folder; `None` in a bucket.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Bucket(_) => None,
        }
    }

    /// What a store here has in a bucket that is listed with these options: nothing in a folder, or behind another endpoint,
    /// where the same name is another bucket's.
    pub fn own_keys(&self, listing: &S3Options) -> OwnKeys {
        let place = self
            .bucket()
            .filter(|place| place.options.endpoint_url == listing.endpoint_url);
        place.map_or_else(OwnKeys::default, |place| {
            let folders = Table::ALL.iter().map(|table| table.name()).chain([waiting::FOLDER]);
            let names = folders.map(|folder| format!("{folder}/")).chain([PROBE.to_owned()]);
            let place = BucketPrefix {
                bucket: place.bucket.clone(),
                prefix: place.prefix.clone(),
            };
            OwnKeys::new(place, names)
        })
    }

    /// The place in a bucket; `None` for a folder.
    pub(super) fn bucket(&self) -> Option<&BucketPlace> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Bucket(place) => Some(place),
        }
    }

    /// Root of the store: a path, or for messages the URI written as one.
    pub(super) fn root(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.clone(),
            Place::Bucket(place) => PathBuf::from(place.uri()),
        }
    }

    /// Folder of one table, as [`Self::root`].
    pub(super) fn table_folder(&self, table: Table) -> PathBuf {
        self.root().join(table.name())
    }

    /// Folder of one table as a URL that ends in a slash.
    pub(super) fn table_url(&self, table: Table) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{}/", self.url.path(), table.name()));
        url
    }
}

impl BucketPlace {
    /// The objects below the prefix; the bucket is connected to once.
    pub(super) async fn connect(&self) -> BucketFiles {
        let connect = || async {
            let bucket = StoreBucket::connect(&self.bucket, &self.options).await;
            BucketFiles::new(bucket, &self.prefix)
        };
        self.connection.get_or_init(connect).await.clone()
    }

    /// The bucket as a URL.
    pub(super) fn bucket_url(&self) -> Option<Url> {
        Url::parse(&format!("s3://{}", self.bucket)).ok()
    }

    fn uri(&self) -> String {
        let prefix = self.prefix.trim_end_matches('/');
        match prefix {
            "" => format!("s3://{}", self.bucket),
            prefix => format!("s3://{}/{prefix}", self.bucket),
        }
    }
}

fn in_bucket(text: &str) -> Result<Location, StoreError> {
    let bad = |reason: &str| StoreError::BadLocation {
        location: text.to_owned(),
        reason: reason.to_owned(),
    };
    let place = BucketPrefix::parse(text).ok_or_else(|| bad("write it as `s3://bucket/prefix`"))?;
    if place.bucket.starts_with("arn:") {
        return Err(bad(
            "name the bucket, or the alias of an access point, instead of an ARN",
        ));
    }
    let BucketPrefix { bucket, prefix } = place.into_folder();
    let is_odd = |name: &str| matches!(name, "" | "." | "..") || name.chars().any(char::is_control);
    if !prefix.is_empty() && prefix.trim_end_matches('/').split('/').any(is_odd) {
        return Err(bad(
            "a name between the slashes is empty, `.`, `..` or holds a control character",
        ));
    }
    let mut url = Url::parse(&format!("s3://{bucket}/")).map_err(|error| bad(&error.to_string()))?;
    url.set_path(&format!("/{}", prefix.replace('%', "%25")));
    Ok(Location {
        place: Place::Bucket(BucketPlace {
            bucket,
            prefix,
            options: S3Options::default(),
            connection: Arc::default(),
        }),
        url,
    })
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
    fn prefix_of_a_bucket_is_a_store_with_or_without_a_slash_at_the_end() {
        for (text, uri, url) in [
            ("s3://logs", "s3://logs", "s3://logs/"),
            ("s3://logs/a/b/", "s3://logs/a/b", "s3://logs/a/b/"),
            ("s3a://logs/a b%41", "s3://logs/a b%41", "s3://logs/a%20b%2541/"),
        ] {
            let location = Location::parse(text).unwrap();
            assert_eq!(
                (location.display().to_string().as_str(), location.url().as_str()),
                (uri, url)
            );
            assert_eq!(location.folder(), None);
            let table = location.table_url(Table::Events);
            assert_eq!(table.as_str(), format!("{url}events/"));
        }
    }

    #[test]
    fn places_that_are_no_folder_are_refused_with_the_reason() {
        for (text, words) in [
            ("gs://logs/store", "`gs://` is not supported"),
            ("s3://", "write it as `s3://bucket/prefix`"),
            ("s3://logs/a//b", "is empty"),
            ("s3://logs/a/../b", "is empty, `.`, `..`"),
        ] {
            let error = Location::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn empty_text_names_no_folder() {
        assert!(matches!(Location::parse(""), Err(StoreError::BadLocation { .. })));
    }

    #[test]
    fn relative_path_becomes_absolute() {
        let location = Location::parse("some-store").unwrap();
        assert!(location.folder().unwrap().is_absolute());
        assert!(location.url().path().ends_with("/some-store/"), "{}", location.url());
    }

    #[test]
    fn parent_steps_and_missing_folders_are_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let text = format!("{}/missing/../store", root.display());
        assert_eq!(
            Location::parse(&text).unwrap().folder(),
            Some(root.join("store").as_path())
        );
    }

    #[test]
    fn file_url_and_path_with_odd_characters_mean_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("my störe %41");
        let by_path = Location::parse(path.to_str().unwrap()).unwrap();
        let by_url = Location::parse(by_path.url().as_str()).unwrap();
        assert_eq!(by_path, by_url);
        assert_eq!(by_url.folder(), Some(path.as_path()));
    }
}
