//! Sets of actions of one catalogue, small and fast enough to hold what every principal of an organization may do.

use super::catalogue::ActionId;

const BITS: usize = 64;

/// A set of actions of one catalogue; sets of different facts must not be mixed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActionSet {
    words: Vec<u64>,
    capacity: usize,
}

impl ActionSet {
    pub(super) fn empty(capacity: usize) -> Self {
        Self {
            words: vec![0; capacity.div_ceil(BITS)],
            capacity,
        }
    }

    /// Adds an action.
    pub fn insert(&mut self, action: ActionId) {
        self.insert_index(action.index());
    }

    /// Takes an action out.
    pub fn remove(&mut self, action: ActionId) {
        let index = action.index();
        if let Some(word) = self.words.get_mut(index / BITS) {
            *word &= !(1 << (index % BITS));
        }
    }

    /// Whether an action is in the set.
    pub fn contains(&self, action: ActionId) -> bool {
        let index = action.index();
        self.words
            .get(index / BITS)
            .is_some_and(|word| word & (1 << (index % BITS)) != 0)
    }

    /// Number of actions.
    pub fn len(&self) -> usize {
        let ones = self.words.iter().map(|word| word.count_ones());
        ones.filter_map(|count| usize::try_from(count).ok()).sum()
    }

    /// Whether there is no action.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Adds every action of another set.
    pub fn extend(&mut self, other: &Self) {
        self.combine(other, |own, theirs| own | theirs);
    }

    /// Keeps the actions that another set has too.
    pub fn retain(&mut self, other: &Self) {
        self.combine(other, |own, theirs| own & theirs);
    }

    /// Takes out every action of another set.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, |own, theirs| own & !theirs);
    }

    /// Whether every action is in another set.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.words
            .iter()
            .zip(&other.words)
            .all(|(own, theirs)| own & !theirs == 0)
    }

    /// The actions of the catalogue that are not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut rest = Self {
            words: self.words.iter().map(|word| !word).collect(),
            capacity: self.capacity,
        };
        let used = self.capacity % BITS;
        if let Some(last) = rest.words.last_mut().filter(|_| used != 0) {
            *last &= (1 << used) - 1;
        }
        rest
    }

    /// The actions in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = ActionId> {
        let words = (0..).step_by(BITS).zip(&self.words);
        words.flat_map(|(first, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let lowest = rest.trailing_zeros();
                rest &= rest.checked_sub(1)?;
                Some(ActionId(first + lowest))
            })
        })
    }

    pub(super) fn insert_index(&mut self, index: usize) {
        if let Some(word) = self.words.get_mut(index / BITS).filter(|_| index < self.capacity) {
            *word |= 1 << (index % BITS);
        }
    }

    fn combine(&mut self, other: &Self, operation: impl Fn(u64, u64) -> u64) {
        for (own, theirs) in self.words.iter_mut().zip(&other.words) {
            *own = operation(*own, *theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(actions: &[u32]) -> ActionSet {
        let mut set = ActionSet::empty(130);
        actions.iter().for_each(|&action| set.insert(ActionId(action)));
        set
    }

    #[test]
    fn operations_are_those_of_sets() {
        let mut union = set(&[0, 63]);
        union.extend(&set(&[64, 129]));
        assert_eq!(union, set(&[0, 63, 64, 129]));
        union.retain(&set(&[63, 64, 100]));
        assert_eq!(union, set(&[63, 64]));
        union.subtract(&set(&[63]));
        assert_eq!(union.iter().collect::<Vec<_>>(), [ActionId(64)]);
        assert!(union.is_subset(&set(&[64, 65])) && !union.is_subset(&set(&[65])));
        union.remove(ActionId(64));
        assert!(union.is_empty());
    }

    #[test]
    fn complement_stays_within_the_catalogue() {
        let rest = set(&[0, 129]).complement();
        assert_eq!(rest.len(), 128);
        assert!(!rest.contains(ActionId(129)) && rest.contains(ActionId(128)) && !rest.contains(ActionId(130)));
        assert_eq!(rest.complement(), set(&[0, 129]));
    }

    #[test]
    fn action_of_a_larger_catalogue_is_not_taken() {
        let mut small = set(&[]);
        small.insert(ActionId(4000));
        assert!(small.is_empty() && !small.contains(ActionId(4000)));
    }
}
