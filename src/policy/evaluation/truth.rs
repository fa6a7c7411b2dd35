//! Three-valued logic after Kleene: what follows where some facts are not known.

/// Whether something holds.
///
/// A result is definite only where it is the same for every value of what is not known, as far as each part is looked at
/// by itself: two parts that depend on one unknown fact are taken to vary freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It cannot be known.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// One of both, or both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite; of what is not known, nothing is known.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }

    /// This if it is the same as the other, else unknown.
    #[must_use]
    pub fn agreed(self, other: Self) -> Self {
        if self == other { self } else { Self::Unknown }
    }

    /// Whether at least one holds.
    pub fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Self::False;
        for truth in truths {
            any = any.or(truth);
            if any == Self::True {
                break;
            }
        }
        any
    }

    /// Whether all hold.
    pub fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::True;
        for truth in truths {
            all = all.and(truth);
            if all == Self::False {
                break;
            }
        }
        all
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Truth; 3] = [Truth::False, Truth::Unknown, Truth::True];

    /// The plain truths that a truth may stand for.
    fn meanings(truth: Truth) -> Vec<bool> {
        match truth {
            Truth::False => vec![false],
            Truth::Unknown => vec![false, true],
            Truth::True => vec![true],
        }
    }

    fn of_outcomes(outcomes: &[bool]) -> Truth {
        match (outcomes.contains(&false), outcomes.contains(&true)) {
            (true, true) => Truth::Unknown,
            (false, _) => Truth::True,
            (true, false) => Truth::False,
        }
    }

    #[test]
    fn results_hold_for_every_meaning_of_the_parts() {
        for left in ALL {
            let negations: Vec<bool> = meanings(left).into_iter().map(|it| !it).collect();
            assert_eq!(left.negated(), of_outcomes(&negations));
            for right in ALL {
                let combine = |operation: fn(bool, bool) -> bool| {
                    let pairs = meanings(left).into_iter().flat_map(|left| {
                        let rights = meanings(right).into_iter();
                        rights.map(move |right| operation(left, right))
                    });
                    of_outcomes(&pairs.collect::<Vec<_>>())
                };
                assert_eq!(left.and(right), combine(|left, right| left && right));
                assert_eq!(left.or(right), combine(|left, right| left || right));
                assert_eq!(Truth::any([left, right]), left.or(right));
                assert_eq!(Truth::all([left, right]), left.and(right));
            }
        }
        assert_eq!(Truth::any([]), Truth::False);
        assert_eq!(Truth::all([]), Truth::True);
        assert_eq!(Truth::True.agreed(Truth::False), Truth::Unknown);
        assert_eq!(Truth::False.agreed(Truth::False), Truth::False);
    }
}
