//! The condition keys of a request.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The condition keys of a request with what is known of each. Names are compared without regard to case, as IAM does
/// ("Context key names are not case-sensitive", user guide, "Condition").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextKeys {
    states: BTreeMap<String, KeyState>,
    /// The keys that are kept, in lower case; `None` for all.
    kept: Option<Rc<[String]>>,
    /// Beginnings of names: of these keys all are set that the request has.
    complete_prefixes: Vec<String>,
    unlisted: KeyState,
}

/// What is known of one condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// The request has it not.
    Absent,
    /// The request has it with these values; none is the same as absent.
    Present(Vec<String>),
    /// The request has it, and its value is not known.
    ValueUnknown,
    /// Nothing is known.
    Unknown,
}

impl ContextKeys {
    /// No keys, and every key that is not set later is absent.
    pub fn complete() -> Self {
        Self {
            states: BTreeMap::new(),
            kept: None,
            complete_prefixes: Vec::new(),
            unlisted: KeyState::Absent,
        }
    }

    /// No keys, and nothing is known of a key that is not set later.
    pub fn partial() -> Self {
        Self {
            states: BTreeMap::new(),
            kept: None,
            complete_prefixes: Vec::new(),
            unlisted: KeyState::Unknown,
        }
    }

    /// The same, where nobody asks for other keys than these: others are not kept. Their names are in lower case.
    pub fn partial_of(kept: &Rc<[String]>) -> Self {
        Self {
            kept: Some(Rc::clone(kept)),
            ..Self::partial()
        }
    }

    /// Whether a key is kept.
    pub fn keeps(&self, key: &str) -> bool {
        let kept = self.kept.as_deref();
        kept.is_none_or(|kept| kept.iter().any(|it| it.eq_ignore_ascii_case(key)))
    }

    /// Says what is known of a key.
    pub fn set(&mut self, key: &str, state: KeyState) {
        if !self.keeps(key) {
            return;
        }
        self.states.insert(key.to_ascii_lowercase(), state);
    }

    /// Gives a key one value.
    pub fn set_value(&mut self, key: &str, value: impl Into<String>) {
        if !self.keeps(key) {
            return;
        }
        let state = KeyState::Present(vec![value.into()]);
        self.states.insert(key.to_ascii_lowercase(), state);
    }

    /// Says that keys whose names begin so are absent unless they are set, as `aws:RequestTag/`.
    pub fn complete_under(&mut self, prefix: &str) {
        self.complete_prefixes.push(prefix.to_ascii_lowercase());
    }

    /// What is known of a key.
    pub fn state(&self, key: &str) -> &KeyState {
        let key = key.to_ascii_lowercase();
        let is_complete = || self.complete_prefixes.iter().any(|prefix| key.starts_with(prefix));
        match self.states.get(&key) {
            Some(state) => state,
            None if is_complete() => &KeyState::Absent,
            None => &self.unlisted,
        }
    }

    /// The keys that were set, in lower case, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &KeyState)> {
        self.states.iter().map(|(key, state)| (key.as_str(), state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_have_no_case() {
        let mut keys = ContextKeys::partial();
        keys.set_value("aws:PrincipalTag/Team", "Red");
        let wanted = KeyState::Present(vec!["Red".to_owned()]);
        assert_eq!(keys.state("AWS:principaltag/TEAM"), &wanted);
        assert_eq!(keys.state("aws:SourceIp"), &KeyState::Unknown);
        assert_eq!(ContextKeys::complete().state("aws:SourceIp"), &KeyState::Absent);
        assert_eq!(keys.iter().collect::<Vec<_>>(), [("aws:principaltag/team", &wanted)]);
        keys.complete_under("aws:PrincipalTag/");
        assert_eq!(keys.state("aws:PrincipalTag/other"), &KeyState::Absent);
        assert_eq!(keys.state("aws:PrincipalTag/team"), &wanted);
    }
}
