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
        ordered(&self.order, DOCUMENT_ELEMENTS, |element| {
            let value = match element {
                "Version" => self.version?.name().into(),
                "Id" => self.id.clone().map(Value::String)?,
                "Statement" => one_or_many(&self.statements, |entry| match entry {
                    Entry::Readable(statement) => statement.to_value(),
                    Entry::Unreadable { json, .. } => json.to_value(),
                }),
                _ => return None,
            };
            Some((element.to_owned(), value))
        })
    }
}

impl Statement {
    /// The statement as JSON.
    pub fn to_value(&self) -> Value {
        let was_read = |element: &str| self.order.contains(&element);
        ordered(&self.order, STATEMENT_ELEMENTS, |element| {
            let value = match element {
                "Sid" => self.sid.clone().map(Value::String)?,
                "Effect" => self.effect.name().into(),
                "Action" | "NotAction" => return scope("Action", &self.actions, texts),
                "Resource" | "NotResource" => return scope("Resource", self.resources.as_ref()?, texts),
                "Principal" | "NotPrincipal" => return scope("Principal", self.principals.as_ref()?, principals),
                "Condition" if self.conditions.is_empty() && !was_read("Condition") => return None,
                "Condition" => conditions(&self.conditions),
                _ => return None,
            };
            Some((element.to_owned(), value))
        })
    }
}

/// The elements that have a value: first those that were read, in that order, then the others.
fn ordered(order: &[&'static str], all: &[&'static str], member_of: impl Fn(&str) -> Option<(String, Value)>) -> Value {
    let new = all.iter().filter(|element| !order.contains(element));
    let members = order.iter().chain(new);
    // Both forms of an element stand for the one that it has; the first place counts.
    let members = members.filter_map(|element| member_of(element));
    Value::Object(members.collect::<Map<_, _>>())
}

/// The member of an element that exists in a plain and in a `Not` form.
fn scope<T>(plain: &str, scope: &Scope<T>, print: impl Fn(&T) -> Value) -> Option<(String, Value)> {
    let name = match scope {
        Scope::Only(_) => plain.to_owned(),
        Scope::AllBut(_) => format!("Not{plain}"),
    };
    Some((name, print(scope.named())))
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
