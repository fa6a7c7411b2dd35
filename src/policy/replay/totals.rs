//! What became of calls, counted.

use super::trial::Consequence;

/// How many calls there were, and what became of them; each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallTotals {
    /// Calls that were looked at.
    pub evaluated: u64,
    /// Those that would have been denied.
    pub denied: u64,
    /// Those of which it cannot be known.
    pub unknown: u64,
    /// Those that the present policies do not grant, so that nothing changes for them.
    pub unexplained: u64,
    /// Calls that need no permission; they are not among those that were looked at.
    pub permissionless: u64,
    /// Calls of principals that the policies do not bind; they are not among those that were looked at.
    pub unbound: u64,
}

/// What becomes of a call: the worst of what becomes of its requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    #[default]
    Permissionless,
    Unbound,
    Stays,
    Unexplained,
    Unknown,
    Denied,
}

impl CallTotals {
    /// Counts a call.
    pub(super) fn add(&mut self, fate: Fate) {
        let count = match fate {
            Fate::Permissionless => &mut self.permissionless,
            Fate::Unbound => &mut self.unbound,
            Fate::Stays => return self.evaluated += 1,
            Fate::Unexplained => &mut self.unexplained,
            Fate::Unknown => &mut self.unknown,
            Fate::Denied => &mut self.denied,
        };
        *count += 1;
        if fate > Fate::Stays {
            self.evaluated += 1;
        }
    }
}

impl Fate {
    pub(super) fn of(consequence: &Consequence) -> Self {
        match consequence {
            Consequence::Denied(_) => Self::Denied,
            Consequence::Unknown(_) => Self::Unknown,
            Consequence::Unexplained => Self::Unexplained,
            Consequence::Stays => Self::Stays,
        }
    }
}
