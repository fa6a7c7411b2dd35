//! What `read_cloudtrail` could not read, for whoever shows the rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Most objects that are kept one by one.
const MAX_NAMED: usize = 100;

/// Objects that `read_cloudtrail` did not read, or not whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// URI or path, and what is wrong with it; those that come first in alphabetical order.
    pub named: BTreeMap<String, String>,
    /// How many there are besides.
    pub more: u64,
}

impl Skipped {
    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

/// Where the scans of a session note what they skip; clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::query) struct SkippedNotes {
    notes: Arc<Mutex<Skipped>>,
}

impl SkippedNotes {
    /// Notes an object and what is wrong with it.
    pub(super) fn add(&self, place: &str, reason: String) {
        let mut skipped = self.lock();
        let is_new = skipped.named.insert(place.to_owned(), reason).is_none();
        if is_new && skipped.named.len() > MAX_NAMED {
            skipped.named.pop_last();
            skipped.more += 1;
        }
    }

    /// Everything noted since the last call.
    pub(in crate::query) fn take(&self) -> Skipped {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Skipped> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_counted_and_the_first_are_named_whatever_their_order() {
        let notes = SkippedNotes::default();
        for number in (0..150).rev() {
            notes.add(&format!("{number:03}"), "cut".to_owned());
        }
        notes.add("000", "cut".to_owned());
        let skipped = notes.take();
        assert_eq!((skipped.named.len(), skipped.more), (100, 50));
        assert!(skipped.named.contains_key("099"));
        assert!(notes.take().is_empty());
    }
}
