//! What the columns cannot give back of a record, as one JSON object.

use std::collections::BTreeSet;

/// Names that are compared one by one.
const FEW: usize = 16;

/// Members of a JSON object that grows.
#[derive(Debug, Default, Clone)]
pub(crate) struct ExtraMembers {
    text: String,
    /// The first names.
    keys: Vec<String>,
    /// Those behind: there may be as many as a record has room for.
    more_keys: BTreeSet<String>,
}

impl ExtraMembers {
    /// Adds a member with the exact text of its value; returns false when the name is there already.
    pub(crate) fn add(&mut self, key: &str, raw: &str) -> bool {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&quote(key));
        self.text.push(':');
        self.text.push_str(raw);
        self.note(key)
    }

    /// Removes all members.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.keys.clear();
        self.more_keys.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The object's text; `None` when it has no members.
    pub(crate) fn object(&self) -> Option<String> {
        (!self.text.is_empty()).then(|| format!("{}}}", self.text))
    }

    fn note(&mut self, key: &str) -> bool {
        if self.keys.iter().any(|known| known == key) {
            return false;
        }
        if self.keys.len() < FEW {
            self.keys.push(key.to_owned());
            return true;
        }
        self.more_keys.insert(key.to_owned())
    }
}

/// Text as a JSON string with its quotes.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_that_stands_twice_is_found_among_few_and_among_many() {
        let mut members = ExtraMembers::default();
        let names: Vec<String> = (0..3 * FEW).map(|number| format!("n{number}")).collect();
        assert!(names.iter().all(|name| members.add(name, "1")));
        assert!(!names.iter().any(|name| members.add(name, "2")));
        members.clear();
        assert!(members.add("n0", "1") && members.add("n47", "1"));
        assert_eq!(members.object().as_deref(), Some(r#"{"n0":1,"n47":1}"#));
    }
}
