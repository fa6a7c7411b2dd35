//! Folders and files.

use std::collections::BTreeMap;
use std::fs::File;
use std::fs::Metadata;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use url::Url;
use walkdir::DirEntry;
use walkdir::WalkDir;

use super::Listing;
use super::LogKey;
use super::ObjectRef;
use super::SourceError;
use super::key::METADATA_SUFFIX;
use super::object::Place;

/// More than what is said of an object with metadata can be.
const MOST_METADATA_BYTES: u64 = 64 << 10;

/// Lists files and folders, each object once however often it is named.
///
/// Symbolic links inside a folder are not followed, because they may lead out of it; they are reported as unlisted. Delta
/// tables are passed over: a store may lie among its logs.
pub fn list(sources: &[String]) -> Result<Listing, SourceError> {
    let mut listing = Listing::default();
    for source in sources {
        let has_scheme = source.split_once("://").is_some_and(|(scheme, _)| scheme != "file");
        if has_scheme {
            return Err(SourceError::NotLocal { text: source.clone() });
        }
        let path = Path::new(source.strip_prefix("file://").unwrap_or(source));
        list_path(path, &mut listing)?;
    }
    listing.put_in_order();
    Ok(listing)
}

/// The path of a file with this URI, as it is on disk; other URIs stay as they are.
pub fn path_of_uri(uri: &str) -> String {
    match uri.starts_with("file://") {
        true => path_of(uri).to_string_lossy().into_owned(),
        false => uri.to_owned(),
    }
}

/// The path that [`uri_of`] made the URI of.
pub(super) fn path_of(uri: &str) -> PathBuf {
    let path = Url::parse(uri).ok().and_then(|url| url.to_file_path().ok());
    path.unwrap_or_else(|| PathBuf::from(uri))
}

/// A path that is not absolute has no URI and stands for itself.
fn uri_of(path: &Path) -> String {
    Url::from_file_path(path).map_or_else(|()| path.display().to_string(), String::from)
}

fn list_path(path: &Path, listing: &mut Listing) -> Result<(), SourceError> {
    let root = path.canonicalize().map_err(|cause| match cause.kind() {
        // What a link such as `/dev/stdin` leads to may have no path.
        std::io::ErrorKind::NotFound if path.exists() => SourceError::NeitherFileNorFolder { path: path.to_owned() },
        std::io::ErrorKind::NotFound => SourceError::Missing { path: path.to_owned() },
        _ => SourceError::Unreadable {
            path: path.to_owned(),
            cause,
        },
    })?;
    let unreadable = |cause| SourceError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let metadata = root.metadata().map_err(unreadable)?;
    if metadata.is_file() {
        listing.extend([object(&root, &metadata, true)]);
        return Ok(());
    }
    if !metadata.is_dir() {
        // Reading a pipe could wait for ever, and its content could not be read a second time.
        return Err(SourceError::NeitherFileNorFolder { path: path.to_owned() });
    }
    std::fs::read_dir(&root).map_err(unreadable)?;
    let found_before = listing.objects.len() + listing.unlisted.len();
    let entries = WalkDir::new(&root).follow_links(false).sort_by_file_name().into_iter();
    let mut tables = Vec::new();
    let is_listed = |entry: &DirEntry| {
        let is_table = entry.file_type().is_dir() && is_table(entry.path());
        if is_table {
            tables.push(entry.path().display().to_string());
        }
        !is_table
    };
    for entry in entries.filter_entry(is_listed) {
        match entry {
            Ok(entry) => list_entry(&entry, listing),
            Err(error) => {
                let place = error.path().map(Path::to_owned).unwrap_or_else(|| root.clone());
                let cause = error
                    .io_error()
                    .map(ToString::to_string)
                    .unwrap_or_else(|| error.to_string());
                listing.unlisted.push((place.display().to_string(), cause));
            }
        }
    }
    if listing.objects.len() + listing.unlisted.len() == found_before {
        let reason = if is_table(&root) {
            "the folder is a table, not logs; name the logs that it was made of"
        } else {
            "the folder holds no files; check the path"
        };
        listing.unlisted.push((path.display().to_string(), reason.to_owned()));
    } else {
        listing.passed_over.extend(tables);
    }
    Ok(())
}

/// User metadata of a digest, from the file beside it: what `aws s3api head-object` prints, or its member `Metadata`.
///
/// Empty when there is no such file, or it holds something else.
pub(super) fn metadata_beside(path: &Path) -> BTreeMap<String, String> {
    let Some(beside) = metadata_path(path) else {
        return BTreeMap::new();
    };
    let text = read_small(&beside).unwrap_or_default();
    let written: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let members = written.get("Metadata").unwrap_or(&written).as_object();
    let texts = members.into_iter().flatten().filter_map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("x-amz-meta-").unwrap_or(&name).to_owned();
        Some((name, value.as_str()?.to_owned()))
    });
    texts.collect()
}

/// Reads a file as far as it can hold metadata, of which S3 allows 2 KB; a pipe could keep the reader waiting.
fn read_small(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.is_file() {
        File::open(path)?.take(MOST_METADATA_BYTES).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn metadata_path(digest: &Path) -> Option<PathBuf> {
    let name = digest.file_name()?.to_str()?;
    let is_digest = name.contains("_CloudTrail-Digest_") && name.ends_with(".json.gz");
    is_digest.then(|| digest.with_file_name(format!("{name}{METADATA_SUFFIX}")))
}

/// Whether it holds the metadata of a digest that lies beside it, and so belongs to that one.
fn is_metadata(path: &Path) -> bool {
    let digest = path
        .to_str()
        .and_then(|path| path.strip_suffix(METADATA_SUFFIX))
        .map(Path::new);
    digest.is_some_and(|digest| metadata_path(digest).is_some() && digest.is_file())
}

/// Whether a folder is that of a Delta table: it has a log of commits, not only a folder with the name of one.
fn is_table(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder.join("_delta_log")) else {
        return false;
    };
    let mut names = entries.flatten().map(|entry| entry.file_name());
    names.any(|name| {
        Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "json")
    })
}

fn list_entry(entry: &DirEntry, listing: &mut Listing) {
    let file_type = entry.file_type();
    if file_type.is_dir() || file_type.is_file() && is_metadata(entry.path()) {
        return;
    }
    let place = || entry.path().display().to_string();
    if file_type.is_symlink() {
        listing.unlisted.push((
            place(),
            "symbolic links are not followed; name the target itself".to_owned(),
        ));
    } else if !file_type.is_file() {
        listing.unlisted.push((place(), "not a regular file".to_owned()));
    } else {
        match entry.metadata() {
            Ok(metadata) => listing.extend([object(entry.path(), &metadata, false)]),
            Err(error) => listing.unlisted.push((place(), error.to_string())),
        }
    }
}

fn object(path: &Path, metadata: &Metadata, is_named: bool) -> ObjectRef {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    ObjectRef {
        uri: uri_of(path).into_boxed_str(),
        etag: modified.map_or_else(Box::default, |modified| {
            format!("mtime-{}", modified.as_nanos()).into_boxed_str()
        }),
        size: metadata.len(),
        last_modified: modified.and_then(|modified| i64::try_from(modified.as_micros()).ok()),
        key: path.to_str().and_then(LogKey::parse),
        is_named,
        may_be_gone: false,
        listed_from: None,
        place: Place::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_listed_by_delivery_time_and_each_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let late = "111122223333_CloudTrail_eu-west-1_20260902T0000Z_a.json.gz";
        let early = "999922223333_CloudTrail_eu-west-1_20260901T0000Z_a.json.gz";
        for name in [late, early, "notes.txt"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let path = folder.path().display().to_string();
        let listing = list(&[path.clone(), format!("{path}/{late}")]).unwrap();
        let names: Vec<&str> = listing
            .objects
            .iter()
            .map(|object| object.uri.rsplit('/').next().unwrap())
            .collect();
        assert_eq!(names, ["notes.txt", early, late]);
    }

    #[test]
    fn missing_path_and_other_schemes_are_refused() {
        let missing = list(&["/no/such/folder".to_owned()]).unwrap_err().to_string();
        assert!(
            missing.contains("`/no/such/folder`") && missing.contains("no such file"),
            "{missing}"
        );
        assert!(
            list(&["gs://bucket/x".to_owned()])
                .unwrap_err()
                .to_string()
                .contains("gs://bucket/x")
        );
    }

    #[test]
    fn store_among_the_logs_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("trimtrail-store").join("events");
        std::fs::create_dir_all(table.join("_delta_log")).unwrap();
        std::fs::write(table.join("_delta_log").join("0.json"), "{}").unwrap();
        std::fs::write(table.join("part.parquet"), "x").unwrap();
        std::fs::write(folder.path().join("log.json"), "x").unwrap();
        let listing = list(&[folder.path().display().to_string()]).unwrap();
        assert_eq!((listing.objects.len(), listing.unlisted.len()), (1, 0));
        assert_eq!(listing.passed_over.len(), 1, "{:?}", listing.passed_over);
        let listing = list(&[table.display().to_string()]).unwrap();
        assert_eq!((listing.objects.len(), listing.unlisted.len()), (0, 1));
    }

    #[test]
    fn folder_with_the_name_of_a_log_of_commits_hides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("AWSLogs/_delta_log")).unwrap();
        std::fs::write(folder.path().join("AWSLogs/log.json"), "x").unwrap();
        let listing = list(&[folder.path().display().to_string()]).unwrap();
        assert_eq!((listing.objects.len(), listing.passed_over.len()), (1, 0));
    }

    #[test]
    fn file_beside_a_digest_that_is_too_large_for_metadata_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let digest = folder
            .path()
            .join("111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_20260901T010000Z.json.gz");
        let text = format!("{{\"signature\":\"ab\"}}{}", " ".repeat(1 << 20));
        std::fs::write(metadata_path(&digest).unwrap(), text).unwrap();
        assert_eq!(read_small(&metadata_path(&digest).unwrap()).unwrap().len(), 64 << 10);
        assert_eq!(metadata_beside(&digest).len(), 1);
    }

    #[test]
    fn metadata_beside_a_digest_is_read_with_it_and_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        let digest = "111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_20260901T010000Z.json.gz";
        let log = "111122223333_CloudTrail_eu-west-1_20260902T0000Z_a.json.gz";
        let alone = digest.replace("T01", "T02");
        for name in [digest, log] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let head = r#"{"ContentLength":1,"Metadata":{"signature":"ab","Signature-Algorithm":"x"}}"#;
        for name in [digest, log, &alone] {
            std::fs::write(folder.path().join(format!("{name}{METADATA_SUFFIX}")), head).unwrap();
        }
        let listing = list(&[folder.path().display().to_string()]).unwrap();
        assert_eq!(listing.objects.len(), 4);
        let metadata = metadata_beside(&folder.path().join(digest));
        let wanted = [("signature", "ab"), ("signature-algorithm", "x")];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(metadata, BTreeMap::from(wanted));
        assert_eq!(metadata_beside(&folder.path().join(log)), BTreeMap::new());
    }

    #[test]
    fn neighbours_share_the_texts_of_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        for letter in ["a", "b"] {
            let name = format!("111122223333_CloudTrail_eu-west-1_20260901T0000Z_{letter}.json.gz");
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let listing = list(&[folder.path().display().to_string()]).unwrap();
        let keys: Vec<&LogKey> = listing
            .objects
            .iter()
            .filter_map(|object| object.key.as_ref())
            .collect();
        assert!(std::sync::Arc::ptr_eq(&keys[0].region, &keys[1].region));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_reported_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link.json")).unwrap();
        let listing = list(&[folder.path().display().to_string()]).unwrap();
        assert!(listing.objects.is_empty());
        assert_eq!(listing.unlisted.len(), 1);
    }
}
