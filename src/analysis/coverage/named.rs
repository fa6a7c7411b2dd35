//! Logs that digests name, and what these state of them.

use std::collections::BTreeSet;

use crate::integrity::OutlinedLog;

/// What digests state of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NamedLog {
    /// More than one where digests contradict each other.
    hashes: BTreeSet<Option<String>>,
    /// Whether a digest names it that nothing speaks against.
    pub(super) is_proven: bool,
    /// When the first of its events was.
    first_event: Option<i64>,
}

impl NamedLog {
    /// Notes what a digest states. One that something speaks against counts only where there is no other.
    pub(super) fn note(&mut self, log: OutlinedLog, is_sound: bool) {
        if self.is_proven && !is_sound {
            return;
        }
        if is_sound && !self.is_proven {
            *self = Self::default();
        }
        self.is_proven = is_sound;
        self.hashes.insert(log.sha256);
        self.first_event = [self.first_event, log.first_event].into_iter().flatten().min();
    }

    /// Whether all digests state this hash.
    pub(super) fn has_hash(&self, sha256: &str) -> bool {
        self.hashes.iter().all(|stated| stated.as_deref() == Some(sha256))
    }

    /// Whether it has events of before this moment.
    pub(super) fn begins_before(&self, moment: i64) -> bool {
        self.first_event.is_some_and(|first| first < moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(sha256: &str) -> OutlinedLog {
        OutlinedLog {
            name: "a".to_owned(),
            sha256: Some(sha256.to_owned()),
            delivered_at: None,
            first_event: Some(5),
        }
    }

    #[test]
    fn hash_of_a_sound_digest_counts_in_whatever_order_and_two_of_them_fit_nothing() {
        for order in [[true, false], [false, true]] {
            let mut named = NamedLog::default();
            for is_sound in order {
                named.note(log(if is_sound { "aa" } else { "bb" }), is_sound);
            }
            assert_eq!((named.has_hash("aa"), named.has_hash("bb")), (true, false));
            named.note(log("cc"), true);
            assert!(!named.has_hash("aa") && !named.has_hash("cc"));
        }
    }
}
