//! Values out of JSON rows.

use serde_json::Value;

/// The text of a field; null and absent are the empty text.
pub(crate) fn text(object: &Value, field: &str) -> String {
    match &object[field] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => panic!("`{field}` is no text: {other}"),
    }
}

/// The number of a field.
pub(crate) fn number(object: &Value, field: &str) -> i64 {
    object[field]
        .as_i64()
        .unwrap_or_else(|| panic!("`{field}` is no number: {object}"))
}

/// The text of one field of every element, in order.
pub(crate) fn texts(array: &Value, field: &str) -> Vec<String> {
    array
        .as_array()
        .unwrap()
        .iter()
        .map(|element| text(element, field))
        .collect()
}
