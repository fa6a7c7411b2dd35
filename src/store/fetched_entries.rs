//! Log entries that were fetched from a bucket: one that is there never changes, and the log library reads each of them
//! twice.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::source::StoredBytes;

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
}
