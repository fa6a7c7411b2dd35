//! JSON as it was written: members in their order, and all of them, also when a name stands twice.
//!
//! The usual maps keep one of two members of a name without a word. In a policy or an IAM snapshot that would hide a
//! permission.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Number;
use serde_json::Value;

/// One JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object; names may stand more than once.
    Object(Vec<(String, Self)>),
}

/// Some editors and shells write it before the first character of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Json {
    /// Reads one value; a byte order mark before it counts for nothing.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
    }

    /// Reads values that follow one another, as pages of answers written to one file do.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, serde_json::Error> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        serde_json::Deserializer::from_str(text).into_iter().collect()
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first member of a name.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| value)
    }

    /// The value as text, every member included.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::List(elements) => write_group(text, ['[', ']'], elements, |text, element| element.write(text)),
            Self::Object(members) => write_group(text, ['{', '}'], members, |text, (name, value)| {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                value.write(text);
            }),
            plain => text.push_str(&plain.to_value().to_string()),
        }
    }

    /// The value in the form of `serde_json`, where the last member of a name wins.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(elements) => Value::Array(elements.iter().map(Self::to_value).collect()),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), value.to_value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

fn write_group<T>(text: &mut String, [open, close]: [char; 2], items: &[T], write: impl Fn(&mut String, &T)) {
    text.push(open);
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(close);
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EveryMember)
    }
}

struct EveryMember;

impl<'de> Visitor<'de> for EveryMember {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(Json::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_repetitions() {
        let json = Json::parse(r#"{"b":[1,-2,0.5,true,null],"a":"x","b":{}}"#).unwrap();
        let Json::Object(members) = &json else {
            panic!("{json:?}")
        };
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a", "b"]);
        assert_eq!(json.member("b").map(Json::kind), Some("a list"));
        assert_eq!(json.to_value().to_string(), r#"{"b":{},"a":"x"}"#);
        assert_eq!(json.to_text(), r#"{"b":[1,-2,0.5,true,null],"a":"x","b":{}}"#);
    }

    #[test]
    fn values_one_after_the_other_are_all_read() {
        assert_eq!(Json::parse_all("{}\n[] 1").unwrap().len(), 3);
        assert!(Json::parse_all("").unwrap().is_empty());
        assert!(Json::parse_all("{} {").is_err());
        assert!(Json::parse("{} {}").is_err());
    }

    #[test]
    fn byte_order_mark_before_a_file_counts_for_nothing() {
        assert_eq!(Json::parse("\u{feff}{}").unwrap(), Json::Object(Vec::new()));
        assert_eq!(Json::parse_all("\u{feff}{} 1").unwrap().len(), 2);
        assert!(Json::parse("{}\u{feff}").is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let text = "[".repeat(100_000);
        assert!(Json::parse(&text).unwrap_err().to_string().contains("recursion limit"));
    }
}
