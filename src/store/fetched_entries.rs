//! Log entries that were fetched from a bucket: one that is there never changes, and the log library reads each of them
//! twice. How large they are is known from the listing that named them, so that one that comes shorter is not believed.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use super::whole_entry;
use crate::source::StoredBytes;
use crate::source::StoredObject;

/// Entries that are kept, together.
const KEPT_BYTES: usize = 16 << 20;

/// Log entries by their keys.
#[derive(Debug, Default)]
pub(super) struct FetchedEntries {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<String, StoredBytes>,
    bytes: usize,
    /// Sizes of entries that a listing named.
    listed: HashMap<String, u64>,
}

impl FetchedEntries {
    /// Whether a key is that of a log entry: `_delta_log/<20 digits>.json`.
    pub(super) fn may_keep(key: &str) -> bool {
        let mut names = key.rsplit('/');
        let version = names.next().and_then(|name| name.strip_suffix(".json"));
        version.is_some_and(|version| version.len() == 20 && version.bytes().all(|byte| byte.is_ascii_digit()))
            && names.next() == Some("_delta_log")
    }

    pub(super) fn get(&self, key: &str) -> Option<StoredBytes> {
        self.lock().by_key.get(key).cloned()
    }

    /// Keeps an entry, unless there are many.
    pub(super) fn keep(&self, entry: &StoredBytes) {
        let mut kept = self.lock();
        if kept.bytes + entry.bytes.len() <= KEPT_BYTES {
            kept.bytes += entry.bytes.len();
            kept.by_key.insert(entry.object.key.clone(), entry.clone());
        }
    }

    /// Takes the sizes of entries from a listing.
    pub(super) fn note(&self, listed: &[StoredObject]) {
        let entries = listed.iter().filter(|object| Self::may_keep(&object.key));
        let sizes = entries.map(|object| (object.key.clone(), object.size));
        self.lock().listed.extend(sizes);
    }

    /// Refuses an entry that is not all of what was listed, or of which lines are missing.
    pub(super) fn check(&self, entry: &StoredBytes) -> Result<(), String> {
        let listed = self.lock().listed.get(&entry.object.key).copied();
        let came = entry.bytes.len() as u64;
        match listed.filter(|listed| *listed != came) {
            Some(listed) => Err(format!("{came} bytes came instead of the {listed} that are listed")),
            None => whole_entry::check(&entry.bytes),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_a_log_are_kept() {
        for (key, is_entry) in [
            ("trail/events/_delta_log/00000000000000000012.json", true),
            ("_delta_log/00000000000000000012.json", true),
            ("events/_delta_log/00000000000000000010.checkpoint.parquet", false),
            ("events/_delta_log/_last_checkpoint", false),
            ("events/00000000000000000012.json", false),
        ] {
            assert_eq!(FetchedEntries::may_keep(key), is_entry, "{key}");
        }
    }

    #[test]
    fn entry_of_another_size_than_was_listed_is_refused() {
        let entries = FetchedEntries::default();
        let bytes = br#"{"txn":{}}"#;
        let object = |size: usize| StoredObject {
            key: "events/_delta_log/00000000000000000012.json".to_owned(),
            size: size as u64,
            etag: None,
            last_modified: 0,
        };
        let entry = StoredBytes {
            object: object(bytes.len()),
            range: 0..bytes.len() as u64,
            bytes: bytes::Bytes::from_static(br#"{"add":{}}"#),
        };
        assert_eq!(entries.check(&entry), Ok(()));
        entries.note(&[object(bytes.len() + 1)]);
        assert_eq!(
            entries.check(&entry).unwrap_err(),
            "10 bytes came instead of the 11 that are listed"
        );
        entries.note(&[object(bytes.len())]);
        assert_eq!(entries.check(&entry), Ok(()));
    }
}
