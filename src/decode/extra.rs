//! What the columns cannot give back of a record, as one JSON object.

/// Members of a JSON object that grows.
#[derive(Debug, Default, Clone)]
pub(crate) struct ExtraMembers {
    text: String,
    keys: Vec<String>,
}

impl ExtraMembers {
    /// Adds a member with the exact text of its value; returns false when the name is there already.
    pub(crate) fn add(&mut self, key: &str, raw: &str) -> bool {
        let is_new = !self.keys.iter().any(|known| known == key);
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&quote(key));
        self.text.push(':');
        self.text.push_str(raw);
        self.keys.push(key.to_owned());
        is_new
    }

    /// Removes all members.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.keys.clear();
    }

    /// The object's text; `None` when it has no members.
    pub(crate) fn object(&self) -> Option<String> {
        (!self.text.is_empty()).then(|| format!("{}}}", self.text))
    }
}

/// Text as a JSON string with its quotes.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
