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
    /// When the first and the last of its events were.
    pub(super) event_times: Option<(i64, i64)>,
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
        let times = [self.event_times, log.event_times].into_iter().flatten();
        self.event_times = times.reduce(|(first, last), other| (first.min(other.0), last.max(other.1)));
    }

    /// Whether all digests state this hash.
    pub(super) fn has_hash(&self, sha256: &str) -> bool {
        self.hashes.iter().all(|stated| stated.as_deref() == Some(sha256))
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
            event_times: Some((5, 6)),
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
