//! Numbers for the identities of events, so that duplicates are found by comparing numbers.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::BuildHasherDefault;
use std::hash::Hash;
use std::hash::Hasher;
use std::hash::RandomState;

use siphasher::sip128::Hasher128;
use siphasher::sip128::SipHasher13;

/// Turns an event's identity (recipient account, region, event id, time, and whether it is one of Insights or network activity)
/// into a number.
///
/// The copies of an event have one time, so a record with another time is another record, whoever chose its id. So is one of
/// Insights or of network activity: digests prove neither, and none of them may stand in the place of a call.
///
/// The hash is keyed at random, so that a log cannot be made to collide; numbers are comparable among clones only.
#[derive(Debug, Clone)]
pub struct EventKeys {
    hasher: SipHasher13,
}

/// A set of numbers from [`EventKeys`].
pub type EventKeySet = HashSet<u128, BuildHasherDefault<EventKeyHasher>>;
/// A map from numbers of [`EventKeys`].
pub type EventKeyMap<V> = HashMap<u128, V, BuildHasherDefault<EventKeyHasher>>;

/// Takes half of a number from [`EventKeys`] as its hash: it is one already.
#[derive(Debug, Default)]
pub struct EventKeyHasher {
    hash: u64,
}

impl Default for EventKeys {
    fn default() -> Self {
        let (first, second) = (RandomState::new().hash_one(0), RandomState::new().hash_one(1));
        Self {
            hasher: SipHasher13::new_with_keys(first, second),
        }
    }
}

impl EventKeys {
    /// Number of an event; absent texts count as empty. `time` is in microseconds since 1970-01-01T00:00:00Z.
    /// `category` is the record's `eventCategory`.
    pub fn key(&self, (account_id, region): (&str, &str), event_id: &str, time: Option<i64>, category: &str) -> u128 {
        let mut hasher = self.hasher;
        (account_id, region, event_id, time).hash(&mut hasher);
        if is_no_call(category) {
            category.hash(&mut hasher);
        }
        hasher.finish128().as_u128()
    }
}

/// Whether records of this category are none of calls, and lie in folders of their own.
pub(crate) fn is_no_call(category: &str) -> bool {
    matches!(category, "Insight" | "NetworkActivity")
}

impl Hasher for EventKeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        let half = bytes.first_chunk().copied().unwrap_or_default();
        self.hash = u64::from_ne_bytes(half);
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart_and_clones_agree() {
        let keys = EventKeys::default();
        let key = keys.key(("1", "us-east-1"), "a", None, "");
        assert_eq!(keys.clone().key(("1", "us-east-1"), "a", None, ""), key);
        assert_eq!(keys.key(("1", "us-east-1"), "a", None, "Management"), key);
        assert_ne!(keys.key(("1", "us-east-1"), "a", None, "Insight"), key);
        for (account_id, region, event_id) in [("1u", "s-east-1", "a"), ("", "us-east-1", "a"), ("1", "us-east-1", "b")]
        {
            assert_ne!(keys.key((account_id, region), event_id, None, ""), key);
        }
        assert_ne!(keys.key(("1", "us-east-1"), "a", Some(0), ""), key);
        assert_ne!(EventKeys::default().key(("1", "us-east-1"), "a", None, ""), key);
    }

    #[test]
    fn set_holds_every_number_once() {
        let keys = EventKeys::default();
        let mut set = EventKeySet::default();
        for number in 0..2000_u32 {
            set.insert(keys.key(("1", "us-east-1"), &(number % 1000).to_string(), Some(1), ""));
        }
        assert_eq!(set.len(), 1000);
    }
}
