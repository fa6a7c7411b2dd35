//! The first few of many texts: a set of bounded size that gives the same, however its texts are split and joined.

use crate::decode::Interner;
use crate::schema::MOST_TEXTS;

/// The first texts in order of the alphabet, by their numbers, and whether there are more.
#[derive(Debug, Clone, Default)]
pub(super) struct Smallest {
    /// In the order of the texts.
    numbers: Vec<i32>,
    /// Length of all texts together.
    bytes: usize,
    /// Texts were left out, each of which is behind all that are here.
    pub(super) has_more: bool,
}

impl Smallest {
    /// Adds a text, which gets a number unless it is left out at once.
    pub(super) fn insert(&mut self, text: &str, texts: &mut Interner) {
        if !self.leaves_out(text.as_bytes(), texts) {
            let (number, _) = texts.intern(text.as_bytes());
            self.insert_number(number, texts);
        }
    }

    /// Adds a text that has a number.
    pub(super) fn insert_number(&mut self, number: i32, texts: &Interner) {
        let text = texts.get(number);
        if self.numbers.contains(&number) || self.leaves_out(text, texts) {
            return;
        }
        let place = self.numbers.partition_point(|known| texts.get(*known) < text);
        self.numbers.insert(place, number);
        self.bytes += text.len();
        if self.numbers.len() > MOST_TEXTS {
            let last = self.numbers.pop().map_or(0, |last| texts.get(last).len());
            self.bytes = self.bytes.saturating_sub(last);
            self.has_more = true;
        }
    }

    /// Adds the texts of another set, whose numbers are those of the same texts.
    pub(super) fn merge(&mut self, other: Self, texts: &Interner) {
        self.has_more |= other.has_more;
        if self.numbers.is_empty() {
            (self.numbers, self.bytes) = (other.numbers, other.bytes);
            return;
        }
        for number in other.numbers {
            self.insert_number(number, texts);
        }
    }

    /// The same set by other numbers of its texts.
    pub(super) fn renumbered(mut self, mut renumber: impl FnMut(i32) -> i32) -> Self {
        for number in &mut self.numbers {
            *number = renumber(*number);
        }
        self
    }

    pub(super) fn numbers(&self) -> &[i32] {
        &self.numbers
    }

    /// Length of all texts together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Notes a text that is behind all of a full set.
    fn leaves_out(&mut self, text: &[u8], texts: &Interner) -> bool {
        let last = self.numbers.last().filter(|_| self.numbers.len() >= MOST_TEXTS);
        let is_behind = last.is_some_and(|last| texts.get(*last) < text);
        self.has_more |= is_behind;
        is_behind
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::proptest;

    use super::*;

    fn of(numbers: &[u8], texts: &mut Interner) -> Smallest {
        let mut smallest = Smallest::default();
        for number in numbers {
            smallest.insert(&format!("{number:03}"), texts);
        }
        smallest
    }

    fn texts(smallest: &Smallest, texts: &Interner) -> Vec<Vec<u8>> {
        let numbers = smallest.numbers().iter();
        numbers.map(|number| texts.get(*number).to_vec()).collect()
    }

    #[test]
    fn set_of_as_many_texts_as_fit_has_no_more() {
        let mut pool = Interner::default();
        let fitting: Vec<u8> = (0..50).chain(0..50).collect();
        assert!(!of(&fitting, &mut pool).has_more);
        let one_more: Vec<u8> = (0..51).rev().collect();
        let one_more = of(&one_more, &mut pool);
        assert!(one_more.has_more);
        let texts = texts(&one_more, &pool);
        assert_eq!((texts.len(), texts.last().unwrap().as_slice()), (50, &b"049"[..]));
    }

    proptest! {
        #[test]
        fn parts_together_give_the_same_as_the_whole(numbers: Vec<u8>, split in any::<usize>()) {
            let (left, right) = numbers.split_at(split % (numbers.len() + 1));
            let (mut pool, mut other) = (Interner::default(), Interner::default());
            let mut joined = of(right, &mut pool);
            let left = of(left, &mut other).renumbered(|number| pool.intern(other.get(number)).0);
            joined.merge(left, &pool);
            let whole = of(&numbers, &mut pool);
            assert_eq!(texts(&joined, &pool), texts(&whole, &pool));
            assert_eq!((joined.has_more, joined.bytes()), (whole.has_more, whole.bytes()));
            assert_eq!(joined.bytes(), texts(&joined, &pool).concat().len());
        }
    }
}
