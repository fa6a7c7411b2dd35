//! The way back: from the columns of `events` to the JSON of the record.
//!
//! The text has the fields in the order of the documentation; every value, number text included, is that of the source.

use std::collections::HashMap;

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::BooleanArray;
use arrow::array::Int64Array;
use arrow::array::ListArray;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::datatypes::Int64Type;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

use crate::event;
use crate::schema::EVENT_COLUMNS;
use crate::schema::Storage;

use super::extra::quote;
use super::fields::FIELDS;
use super::fields::Field;
use super::fields::FieldSpec;
use super::fields::Form;
use super::leaves::Container;
use super::leaves::LEAVES;
use super::leaves::LeafForm;
use super::leaves::NESTED_CONTAINERS;
use super::resources::RESOURCE_MEMBERS;
use super::rows::CONTAINER_SHIFT;
use super::rows::TLS_SHIFT;
use super::scan::Scanner;
use super::scan::ValueKind;
use super::tls::TLS_MEMBERS;

/// Writes JSON equal to the original of every event; members stand in the order of the columns.
///
/// `columns` are those of [`EVENT_COLUMNS`] in their order, all of one length; text may be plain, a view or a dictionary.
/// Fails when a column is missing or of another type.
pub fn records(columns: &[ArrayRef]) -> Result<StringArray, ArrowError> {
    let table = Columns::new(columns)?;
    Ok((0..table.rows).map(|row| Some(table.record(row))).collect())
}

#[derive(Debug)]
enum Column {
    Text(StringArray),
    Moment(TimestampMicrosecondArray),
    Truth(BooleanArray),
    Integer(Int64Array),
    Resources(Box<(ListArray, [StringArray; 4])>),
    Unused,
}

struct Columns {
    columns: Vec<Column>,
    rows: usize,
}

impl Columns {
    fn new(arrays: &[ArrayRef]) -> Result<Self, ArrowError> {
        if arrays.len() != EVENT_COLUMNS.len() {
            let problem = format!("an event has {} columns, got {}", EVENT_COLUMNS.len(), arrays.len());
            return Err(ArrowError::SchemaError(problem));
        }
        let columns = EVENT_COLUMNS
            .iter()
            .zip(arrays)
            .map(|(column, array)| Column::new(column.storage, array));
        let rows = arrays.first().map_or(0, Array::len);
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            rows,
        })
    }

    fn record(&self, row: usize) -> String {
        if let Some(raw) = self.text("raw_record", row) {
            return raw.to_owned();
        }
        let shape = match self.column("field_shape") {
            Some(Column::Integer(array)) if array.is_valid(row) => array.value(row),
            _ => 0,
        };
        let extra = self.text("extra", row);
        let mut kept_in_extra = Vec::new();
        if let Some(extra) = extra {
            // INVARIANT: `extra` is an object that this crate has written.
            let _read = Scanner::new(extra).members(|key, _, _| kept_in_extra.push(key));
        }
        let mut members = Members::default();
        for (index, spec) in FIELDS.iter().enumerate() {
            if spec.form == Form::Json && kept_in_extra.iter().any(|key| key == spec.json_name) {
                continue;
            }
            if shape & (1 << index) != 0 {
                members.push(spec.json_name, "null");
            } else if let Some(raw) = self.field(spec, row, shape) {
                members.push(spec.json_name, &raw);
            }
        }
        match extra {
            Some(extra) => merged(&members.into_object(), extra),
            None => members.into_object(),
        }
    }

    fn field(&self, spec: &FieldSpec, row: usize, shape: i64) -> Option<String> {
        match (spec.form, spec.field) {
            (Form::Dictionary | Form::Text, _) => self.text(spec.column, row).map(quote),
            (Form::Json, _) => self.text(spec.column, row).map(str::to_owned),
            (Form::Boolean, _) => self.truth(spec.column, row).map(|value| value.to_string()),
            (Form::BooleanText, _) => self.truth(spec.column, row).map(|value| format!("\"{value}\"")),
            (Form::Special, Field::UserIdentity) => self.container(Container::UserIdentity, row, shape),
            (Form::Special, Field::EventTime) => self.moment(spec.column, row),
            (Form::Special, Field::Resources) => self.resources(row),
            (Form::Special, _) => self.tls(row, shape),
        }
    }

    fn container(&self, container: Container, row: usize, shape: i64) -> Option<String> {
        let mut members = Members::default();
        for leaf in LEAVES.iter().filter(|leaf| leaf.container == container) {
            let raw = match leaf.form {
                LeafForm::Text => self.text(leaf.column, row).map(quote),
                LeafForm::Json => self.text(leaf.column, row).map(str::to_owned),
                LeafForm::Time => self.moment(leaf.column, row),
                LeafForm::BooleanText => self.truth(leaf.column, row).map(|value| format!("\"{value}\"")),
            };
            if let Some(raw) = raw {
                members.push(leaf.json_name, &raw);
            }
        }
        for (child, name, parent) in NESTED_CONTAINERS {
            if parent == container
                && let Some(object) = self.container(child, row, shape)
            {
                members.push(name, &object);
            }
        }
        if container == Container::UserIdentity
            && let Some(in_scope_of) = self.text("in_scope_of", row)
        {
            members.push("inScopeOf", in_scope_of);
        }
        let is_empty_object = shape & (1 << (CONTAINER_SHIFT + container as u32)) != 0;
        (is_empty_object || !members.is_empty()).then(|| members.into_object())
    }

    fn tls(&self, row: usize, shape: i64) -> Option<String> {
        let mut members = Members::default();
        for (name, column) in TLS_MEMBERS {
            if let Some(text) = self.text(column, row) {
                members.push(name, &quote(text));
            }
        }
        (shape & (1 << TLS_SHIFT) != 0 || !members.is_empty()).then(|| members.into_object())
    }

    fn resources(&self, row: usize) -> Option<String> {
        let Some(Column::Resources(resources)) = self.column("resources") else {
            return None;
        };
        let (lists, columns) = resources.as_ref();
        if lists.is_null(row) {
            return None;
        }
        let offsets = lists.value_offsets();
        let bound = |index: usize| {
            offsets
                .get(index)
                .and_then(|&offset| usize::try_from(offset).ok())
                .unwrap_or_default()
        };
        let elements = (bound(row)..bound(row + 1)).map(|element| {
            let mut members = Members::default();
            for (name, column) in RESOURCE_MEMBERS.iter().zip(columns) {
                if column.is_valid(element) {
                    members.push(name, &quote(column.value(element)));
                }
            }
            members.into_object()
        });
        Some(format!("[{}]", elements.collect::<Vec<_>>().join(",")))
    }

    fn column(&self, name: &str) -> Option<&Column> {
        let index = EVENT_COLUMNS.iter().position(|column| column.name == name)?;
        self.columns.get(index)
    }

    fn text(&self, name: &str, row: usize) -> Option<&str> {
        match self.column(name)? {
            Column::Text(array) => array.is_valid(row).then(|| array.value(row)),
            _ => None,
        }
    }

    fn truth(&self, name: &str, row: usize) -> Option<bool> {
        match self.column(name)? {
            Column::Truth(array) => array.is_valid(row).then(|| array.value(row)),
            _ => None,
        }
    }

    fn moment(&self, name: &str, row: usize) -> Option<String> {
        match self.column(name)? {
            Column::Moment(array) if array.is_valid(row) => {
                event::format_canonical(array.value(row)).map(|text| quote(&text))
            }
            _ => None,
        }
    }
}

impl Column {
    fn new(storage: Storage, array: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(match storage {
            Storage::Dictionary | Storage::Text | Storage::Json => Self::Text(text(array)?),
            Storage::Timestamp => Self::Moment(
                cast(array, &storage.logical_type())?
                    .as_primitive::<TimestampMicrosecondType>()
                    .clone(),
            ),
            Storage::Boolean => Self::Truth(cast(array, &DataType::Boolean)?.as_boolean().clone()),
            Storage::Integer => Self::Integer(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            Storage::Resources => Self::resources(array)?,
            Storage::TextList => Self::Unused,
        })
    }

    fn resources(array: &ArrayRef) -> Result<Self, ArrowError> {
        let wrong_type = || ArrowError::SchemaError("column `resources` is no list of structs".to_owned());
        let lists = array.as_list_opt::<i32>().ok_or_else(wrong_type)?.clone();
        let elements = lists.values().as_struct_opt().ok_or_else(wrong_type)?;
        let [arn, account_id, kind, arn_prefix] = elements.columns() else {
            return Err(wrong_type());
        };
        let columns = [text(arn)?, text(account_id)?, text(kind)?, text(arn_prefix)?];
        Ok(Self::Resources(Box::new((lists, columns))))
    }
}

fn text(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// A JSON object that is being written.
#[derive(Debug, Default)]
struct Members {
    text: String,
}

impl Members {
    fn push(&mut self, name: &str, raw: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(&quote(name));
        self.text.push(':');
        self.text.push_str(raw);
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn into_object(self) -> String {
        format!("{{{}}}", self.text)
    }
}

/// Puts the members of one object over another's: objects are merged, anything else is replaced.
fn merged(base: &str, over: &str) -> String {
    let mut members: Vec<(String, ValueKind, String)> = Vec::new();
    let base_is_object =
        Scanner::new(base).members(|key, kind, raw| members.push((key.into_owned(), kind, raw.to_owned())));
    if base_is_object.is_err() {
        return over.to_owned();
    }
    // Looked up by name, as `over` may have as many members as a record has room for.
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, (name, ..)) in members.iter().enumerate() {
        places.entry(name.clone()).or_insert(place);
    }
    let read = Scanner::new(over).members(|key, kind, raw| {
        let same_name = places.get(key.as_ref()).and_then(|place| members.get_mut(*place));
        match same_name {
            Some((_, ValueKind::Object, value)) if kind == ValueKind::Object => *value = merged(value, raw),
            Some(member) => *member = (key.into_owned(), kind, raw.to_owned()),
            None => {
                places.insert(key.clone().into_owned(), members.len());
                members.push((key.into_owned(), kind, raw.to_owned()));
            }
        }
    });
    if read.is_err() {
        return base.to_owned();
    }
    let mut object = Members::default();
    for (name, _, raw) in &members {
        object.push(name, raw);
    }
    object.into_object()
}
