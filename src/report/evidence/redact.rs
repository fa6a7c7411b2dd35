//! What a bundle does not show: secrets that records may hold.
//!
//! A bundle leaves the house. Access key ids keep their kind and last four characters; session tokens, secret keys, passwords,
//! user data and environment values go. Values are found by the names of JSON members, by the words before a `=` or a
//! colon, and by their own shape.

mod commands;
mod names;
mod shapes;

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use serde_json::Map;
use serde_json::Value;

use self::commands::CommandLine;
use self::names::PairPart;
use crate::report::ReportError;
use crate::report::cells;
use crate::report::cells::CellOptions;
use crate::report::cells::Cells;

/// A quote as JSON may write it.
const QUOTE: &str = r"\u0022";

/// What stands in the place of a value.
pub(super) const MARK: &str = "[redacted]";

/// Whether secrets are taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redaction {
    /// They are.
    Standard,
    /// The rows are as the store has them.
    Off,
}

impl Redaction {
    /// Its name in the record of a bundle; a change of the rules changes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard-3",
            Self::Off => "none",
        }
    }

    /// The profile of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Standard, Self::Off]
            .into_iter()
            .find(|known| known.name() == name)
    }

    /// What it does, in sentences.
    pub fn rules(self) -> &'static [&'static str] {
        match self {
            Self::Standard => &[
                "Access key ids keep their first four and last four characters.",
                "Session tokens, web tokens, secret access keys, private keys and tokens of well-known services are replaced.",
                "In JSON, members whose names mean passwords, secrets, tokens, credentials, user data or environment values are replaced, and values that stand beside such a name, as in lists of parameters and tags.",
                "In other text, what follows such a name and an equals sign or a colon is replaced, JSON within the text and XML elements included, and passwords in URLs.",
                "In command lines and lists of arguments, what follows an option with such a name is replaced, and the passwords of curl, mysql, redis-cli and sshpass.",
                "Names of secrets, users, roles and resources, addresses and user agents stay.",
            ],
            Self::Off => &["Nothing is replaced."],
        }
    }

    /// The schema after [`Self::batch`].
    pub(super) fn schema(schema: &SchemaRef) -> SchemaRef {
        let fields = cells::renderable_schema(schema)
            .fields()
            .iter()
            .map(|field| {
                let data_type = match is_plain(field.data_type()) {
                    true => field.data_type().clone(),
                    false => DataType::Utf8,
                };
                Field::new(field.name(), data_type, true)
            })
            .collect::<Vec<_>>();
        Arc::new(Schema::new(fields))
    }

    /// The rows as they leave the house; columns of text and of nested values become plain text.
    pub(super) fn batch(self, batch: &RecordBatch) -> Result<RecordBatch, ReportError> {
        let whole = cells::renderable_schema(&batch.schema());
        let batch = cells::renderable(&whole, batch)?;
        let schema = Self::schema(&whole);
        let options = CellOptions::new();
        let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); schema.fields().len()];
        let mut rendered = Cells::new(whole.fields(), &batch, &options)?;
        for row in 0..batch.num_rows() {
            rendered.row(row, |column, text| {
                let is_text = schema
                    .fields()
                    .get(column)
                    .is_some_and(|field| *field.data_type() == DataType::Utf8);
                if let Some(values) = texts.get_mut(column).filter(|_| is_text) {
                    values.push(text.map(|text| self.text(text).into_owned()));
                }
                Ok(())
            })?;
        }
        let columns = schema.fields().iter().zip(batch.columns()).zip(texts);
        let columns = columns.map(|((field, column), texts)| -> ArrayRef {
            match field.data_type() {
                DataType::Utf8 => Arc::new(StringArray::from(texts)),
                _ => Arc::clone(column),
            }
        });
        let columns = columns.collect();
        Ok(RecordBatch::try_new(schema, columns)?)
    }

    /// One text as it leaves the house.
    pub(super) fn text(self, text: &str) -> Cow<'_, str> {
        if self == Self::Off {
            return Cow::Borrowed(text);
        }
        if text.trim_start().starts_with(['{', '['])
            && let Ok(mut value) = serde_json::from_str::<Value>(text)
        {
            return match redact_json(&mut value) {
                true => Cow::Owned(value.to_string()),
                false => Cow::Borrowed(text),
            };
        }
        let once = shapes::redacted(text);
        if !once.contains(QUOTE) {
            return once;
        }
        // JSON in JSON may write its quotes as numbers; those of a value that was to be seen as it stands are gone by now.
        let plain = once.replace(QUOTE, "\"");
        let safe = shapes::redacted(&plain);
        match safe == plain {
            true => once,
            false => Cow::Owned(safe.into_owned()),
        }
    }
}

/// Columns that hold numbers, times and truths stay as they are.
fn is_plain(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_temporal() || *data_type == DataType::Boolean
}

/// Whether something was replaced.
fn redact_json(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => redact_members(members),
        Value::Array(elements) => {
            let mut has_changed = redact_arguments(elements);
            for element in elements {
                has_changed |= redact_json(element);
            }
            has_changed
        }
        Value::String(text) => match Redaction::Standard.text(text) {
            Cow::Owned(redacted) => {
                *text = redacted;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A list of texts may be a command line, an argument each.
fn redact_arguments(elements: &mut [Value]) -> bool {
    let mut has_changed = false;
    let mut command = CommandLine::default();
    let mut option: Option<String> = None;
    for element in elements {
        let Value::String(word) = element else {
            option = None;
            continue;
        };
        let hidden = option.and_then(|option| command.argument(&option, word));
        let hidden = hidden.or_else(|| command.glued_argument(word));
        command.note(word);
        option = Some(word.clone());
        if let Some(hidden) = hidden {
            has_changed |= *word != hidden;
            *word = hidden;
        }
    }
    has_changed
}

fn redact_members(members: &mut Map<String, Value>) -> bool {
    // A parameter whose value is secret says so beside it.
    let is_secure = members.get("type").and_then(Value::as_str) == Some("SecureString");
    let is_secure = is_secure || members.iter().any(|(name, value)| is_label_of_secret(name, value));
    let mut has_changed = false;
    for (name, value) in members.iter_mut() {
        let is_secret = names::is_secret(name) || is_secure && names::pair_part(name) == Some(PairPart::Value);
        let is_empty = value.is_null() || value.as_str() == Some("");
        has_changed |= match is_secret && !is_empty {
            true => {
                *value = Value::String(MARK.to_owned());
                true
            }
            false => redact_json(value),
        };
    }
    has_changed
}

/// Whether a member names what another one holds, and that is secret: `{"key": "password", "value": …}`.
fn is_label_of_secret(name: &str, value: &Value) -> bool {
    let is_label = names::pair_part(name) == Some(PairPart::Label);
    is_label && value.as_str().is_some_and(names::is_secret_label)
}

#[cfg(test)]
mod tests;
