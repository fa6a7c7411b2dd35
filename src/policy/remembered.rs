//! Answers that are remembered for calls that are alike, within a bound of memory.

use hashbrown::HashMap;

/// Bytes of keys and answers from which on all are forgotten: who writes forged records chooses how long and how many keys are.
const MOST_BYTES: usize = 64 << 20;

/// What an entry takes besides its key and its answer, about.
const ENTRY_BYTES: usize = 64;

/// Answers by what calls have in common.
#[derive(Debug)]
pub(super) struct Remembered<T> {
    answers: HashMap<Vec<u8>, T>,
    bytes: usize,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self {
            answers: HashMap::new(),
            bytes: 0,
        }
    }
}

impl<T> Remembered<T> {
    /// The answer for a key, if it is still known.
    pub(super) fn get(&self, key: &[u8]) -> Option<&T> {
        self.answers.get(key)
    }

    /// Remembers an answer that points to further bytes; forgets all others first if there is no room for it.
    pub(super) fn keep(&mut self, key: Vec<u8>, answer: T, further_bytes: usize) {
        let bytes = key.len() + size_of::<T>() + further_bytes + ENTRY_BYTES;
        if self.bytes + bytes > MOST_BYTES {
            self.answers.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.answers.insert(key, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_length_stay_within_the_bound() {
        let mut remembered = Remembered::default();
        for number in 0..80_u8 {
            let mut key = vec![0; 1 << 20];
            key[0] = number;
            remembered.keep(key.clone(), number, 0);
            assert_eq!(remembered.get(&key), Some(&number));
            let bytes: usize = remembered.answers.keys().map(Vec::len).sum();
            assert!(bytes <= MOST_BYTES);
        }
        assert!(remembered.answers.len() < 40, "{}", remembered.answers.len());
    }

    #[test]
    fn what_answers_point_to_counts() {
        let mut remembered = Remembered::default();
        for number in 0..40_u8 {
            remembered.keep(vec![number], vec![0_u8; 2 << 20], 2 << 20);
        }
        assert!(remembered.answers.len() < 32, "{}", remembered.answers.len());
    }
}
