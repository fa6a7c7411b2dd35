//! From a document to JSON: elements in the order in which they were read, in the form in which they were read.

use serde_json::Map;
use serde_json::Value;

use super::ConditionBlock;
use super::ConditionValue;
use super::Document;
use super::Entry;
use super::OneOrMany;
use super::PrincipalSet;
use super::Scope;
use super::Statement;

/// The elements of a document, in the order of a new one.
pub(super) const DOCUMENT_ELEMENTS: &[&str] = &["Version", "Id", "Statement"];

/// The elements of a statement, in the order of a new one.
pub(super) const STATEMENT_ELEMENTS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl Document {
    /// The document as JSON; unreadable statements as they stand.
    pub fn to_value(&self) -> Value {
        ordered(&self.order, DOCUMENT_ELEMENTS, |element| match element {
            "Version" => self.version.map(|version| version.name().into()),
            "Id" => self.id.clone().map(Value::String),
            "Statement" => Some(one_or_many(&self.statements, |entry| match entry {
                Entry::Readable(statement) => statement.to_value(),
                Entry::Unreadable { json, .. } => json.to_value(),
            })),
            _ => None,
        })
    }
}

impl Statement {
    /// The statement as JSON.
    pub fn to_value(&self) -> Value {
        let was_read = |element: &str| self.order.contains(&element);
        ordered(&self.order, STATEMENT_ELEMENTS, |element| match element {
            "Sid" => self.sid.clone().map(Value::String),
            "Effect" => Some(self.effect.name().into()),
            "Action" => only(Some(&self.actions)).map(texts),
            "NotAction" => all_but(Some(&self.actions)).map(texts),
            "Resource" => only(self.resources.as_ref()).map(texts),
            "NotResource" => all_but(self.resources.as_ref()).map(texts),
            "Principal" => only(self.principals.as_ref()).map(principals),
            "NotPrincipal" => all_but(self.principals.as_ref()).map(principals),
            "Condition" if self.conditions.is_empty() && !was_read("Condition") => None,
            "Condition" => Some(conditions(&self.conditions)),
            _ => None,
        })
    }
}

/// The elements that have a value: first those that were read, in that order, then the others.
fn ordered(order: &[&'static str], all: &[&'static str], value_of: impl Fn(&str) -> Option<Value>) -> Value {
    let new = all.iter().filter(|element| !order.contains(element));
    let members = order.iter().chain(new);
    let members = members.filter_map(|element| Some(((*element).to_owned(), value_of(element)?)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn only<T>(scope: Option<&Scope<T>>) -> Option<&T> {
    match scope? {
        Scope::Only(named) => Some(named),
        Scope::AllBut(_) => None,
    }
}

fn all_but<T>(scope: Option<&Scope<T>>) -> Option<&T> {
    match scope? {
        Scope::AllBut(named) => Some(named),
        Scope::Only(_) => None,
    }
}

fn texts(values: &OneOrMany<String>) -> Value {
    one_or_many(values, |text| Value::String(text.clone()))
}

fn one_or_many<T>(values: &OneOrMany<T>, print: impl Fn(&T) -> Value) -> Value {
    match values {
        OneOrMany::One(value) => print(value),
        OneOrMany::Many(values) => Value::Array(values.iter().map(print).collect()),
    }
}

fn principals(set: &PrincipalSet) -> Value {
    match set {
        PrincipalSet::Everyone => "*".into(),
        PrincipalSet::Named(named) => {
            let members = named
                .iter()
                .map(|(kind, values)| (kind.name().to_owned(), texts(values)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

fn conditions(blocks: &[ConditionBlock]) -> Value {
    let members = blocks.iter().map(|block| {
        let keys = block.keys.iter();
        let keys = keys.map(|(key, values)| (key.clone(), one_or_many(values, condition_value)));
        (block.operator.clone(), Value::Object(keys.collect::<Map<_, _>>()))
    });
    Value::Object(members.collect::<Map<_, _>>())
}

fn condition_value(value: &ConditionValue) -> Value {
    match value {
        ConditionValue::Text(text) => Value::String(text.clone()),
        ConditionValue::Number(number) => Value::Number(number.clone()),
        ConditionValue::Bool(truth) => Value::Bool(*truth),
    }
}
