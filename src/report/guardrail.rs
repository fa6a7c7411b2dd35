//! Guardrails as JSON.

use serde_json::Value;

use super::escape;
use super::policy::pretty;
use crate::iam::document::Document;

/// One policy as it is, several as a list. Where white space counts, a policy that would be too long with it has none.
pub fn guardrail_text(documents: &[Document], max_characters: Option<usize>) -> String {
    if let [document] = documents {
        let value = document.to_value();
        let text = pretty(&value);
        return match max_characters.is_some_and(|max| text.chars().count() > max) {
            true => format!("{}\n", escape::json(&value.to_string())),
            false => text,
        };
    }
    pretty(&Value::Array(documents.iter().map(Document::to_value).collect()))
}
