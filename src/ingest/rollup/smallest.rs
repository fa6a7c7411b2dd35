//! The first few of many texts: a set of bounded size that gives the same, however its texts are split and joined.

use std::collections::BTreeSet;

use crate::schema::MOST_TEXTS;

/// The first texts in order of the alphabet, and whether there are more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Smallest {
    texts: BTreeSet<String>,
    /// Texts were left out, each of which is behind all that are here.
    pub(super) has_more: bool,
}

impl Smallest {
    pub(super) fn insert(&mut self, text: &str) {
        let is_full = self.texts.len() >= MOST_TEXTS;
        if is_full && self.texts.last().is_some_and(|last| last.as_str() < text) {
            self.has_more = true;
            return;
        }
        if self.texts.contains(text) {
            return;
        }
        self.texts.insert(text.to_owned());
        if is_full {
            self.texts.pop_last();
            self.has_more = true;
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.has_more |= other.has_more;
        if self.texts.is_empty() {
            self.texts = other.texts;
            return;
        }
        other.texts.iter().for_each(|text| self.insert(text));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::proptest;

    use super::*;

    fn of(numbers: &[u8]) -> Smallest {
        let mut smallest = Smallest::default();
        numbers
            .iter()
            .for_each(|number| smallest.insert(&format!("{number:03}")));
        smallest
    }

    #[test]
    fn set_of_as_many_texts_as_fit_has_no_more() {
        let fitting: Vec<u8> = (0..50).chain(0..50).collect();
        assert!(!of(&fitting).has_more);
        let one_more: Vec<u8> = (0..51).rev().collect();
        let one_more = of(&one_more);
        assert!(one_more.has_more);
        assert_eq!((one_more.texts().count(), one_more.texts().last()), (50, Some("049")));
    }

    proptest! {
        #[test]
        fn parts_together_give_the_same_as_the_whole(numbers: Vec<u8>, split in any::<usize>()) {
            let (left, right) = numbers.split_at(split % (numbers.len() + 1));
            let mut joined = of(right);
            joined.merge(of(left));
            assert_eq!(joined, of(&numbers));
        }
    }
}
