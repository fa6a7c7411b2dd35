//! Rows in the order in which they are written, as Arrow arrays.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::datatypes::DataType;
use arrow::datatypes::Field as ArrowField;
use arrow::error::ArrowError;

use crate::event::CredentialKind;
use crate::schema;
use crate::schema::EventColumn;

use super::CREDENTIAL_KINDS;
use super::NO_ENTRY;
use super::RowBuffer;
use crate::decode::columns::ABSENT;
use crate::decode::columns::DictionaryColumn;
use crate::decode::columns::boolean_array;
use crate::decode::columns::dictionary_array;
use crate::decode::columns::integer_array;
use crate::decode::columns::timestamp_array;
use crate::decode::fields::FIELDS;
use crate::decode::fields::Form;
use crate::decode::identities::PRINCIPAL_COLUMNS;
use crate::decode::leaves::LEAVES;
use crate::decode::leaves::LeafForm;
use crate::decode::tls::TLS_MEMBERS;

/// The rows that become arrays, in their order.
pub(super) struct Arrays<'b> {
    buffer: &'b RowBuffer,
    rows: &'b [usize],
    /// Entry in the table of identities of every row in `rows`.
    identities: Vec<usize>,
    /// Entry in the table of `tlsDetails` of every row in `rows`.
    tls: Vec<usize>,
}

impl<'b> Arrays<'b> {
    pub(super) fn new(buffer: &'b RowBuffer, rows: &'b [usize]) -> Self {
        let entries = |source: &[usize]| -> Vec<usize> {
            rows.iter()
                .map(|&row| source.get(row).copied().unwrap_or(NO_ENTRY))
                .collect()
        };
        Self {
            buffer,
            rows,
            identities: entries(&buffer.identity_rows),
            tls: entries(&buffer.tls_rows),
        }
    }

    /// All columns of [`schema::events_file`].
    pub(super) fn batch(&self) -> Result<RecordBatch, ArrowError> {
        let mut arrays = Vec::with_capacity(schema::EVENT_COLUMNS.len());
        for column in schema::EVENT_COLUMNS {
            arrays.push(self.array(column)?);
        }
        RecordBatch::try_new(schema::events_file(), arrays)
    }

    fn rows(&self) -> impl ExactSizeIterator<Item = usize> + Clone {
        self.rows.iter().copied()
    }

    fn array(&self, column: &EventColumn) -> Result<ArrayRef, ArrowError> {
        let absent = || ArrowError::SchemaError(format!("column `{}` has no source", column.name));
        if let Some(index) = FIELDS
            .iter()
            .position(|spec| spec.column == column.name && spec.form != Form::Special)
        {
            return self.field(index).ok_or_else(absent)?;
        }
        if let Some(index) = LEAVES.iter().position(|leaf| leaf.column == column.name) {
            return self.leaf(index).ok_or_else(absent)?;
        }
        let shared = |columns: &[DictionaryColumn; 4], names: &[&str; 4], entries: &[usize]| {
            let index = names.iter().position(|name| *name == column.name)?;
            Some(columns.get(index)?.array(entries))
        };
        let buffer = self.buffer;
        if let Some(array) = shared(buffer.identities.principals(), &PRINCIPAL_COLUMNS, &self.identities) {
            return array;
        }
        if let Some(array) = shared(buffer.tls.columns(), &TLS_MEMBERS.map(|(_, name)| name), &self.tls) {
            return array;
        }
        let rows = self.rows();
        match column.name {
            "event_time" => Ok(timestamp_array(
                rows.map(|row| buffer.times.get(row).copied().flatten()),
            )),
            "serving_region" => buffer.serving_regions.array(self.rows),
            "credential_kind" => self.credential_kinds(),
            "in_scope_of" => buffer.identities.in_scope_of().array(&self.identities),
            "resources" => buffer.resources.array(self.rows),
            "passed_role_arns" => self.passed_roles(),
            "extra" => Ok(Arc::new(buffer.extra.array(rows)?)),
            "raw_record" => Ok(Arc::new(buffer.raw_records.array(rows)?)),
            "field_shape" => Ok(integer_array(rows.map(|row| buffer.shapes.get(row).copied()))),
            "record_index" => Ok(integer_array(rows.map(|row| buffer.record_indexes.get(row).copied()))),
            "object_key" => self.object_keys(),
            _ => Err(absent()),
        }
    }

    fn field(&self, index: usize) -> Option<Result<ArrayRef, ArrowError>> {
        let buffer = self.buffer;
        Some(match FIELDS.get(index)?.form {
            Form::Dictionary => buffer.dictionaries.get(index)?.array(self.rows),
            Form::Text | Form::Json => buffer
                .texts
                .get(index)?
                .array(self.rows())
                .map(|array| Arc::new(array) as ArrayRef),
            Form::Boolean | Form::BooleanText => {
                let values = buffer.booleans.get(index)?;
                if values.is_empty() {
                    return Some(Ok(Arc::new(BooleanArray::new_null(self.rows.len()))));
                }
                Ok(boolean_array(self.rows().map(|row| values.get(row).copied().flatten())))
            }
            Form::Special => return None,
        })
    }

    fn leaf(&self, leaf: usize) -> Option<Result<ArrayRef, ArrowError>> {
        let table = &self.buffer.identities;
        let identities = self.identities.iter().copied();
        Some(match LEAVES.get(leaf)?.form {
            LeafForm::Text | LeafForm::Json => table.leaf(leaf)?.array(&self.identities),
            LeafForm::Time => Ok(timestamp_array(identities.map(|row| table.moment(leaf, row)))),
            LeafForm::BooleanText => Ok(boolean_array(identities.map(|row| table.truth(leaf, row)))),
        })
    }

    fn credential_kinds(&self) -> Result<ArrayRef, ArrowError> {
        let values = StringArray::from_iter_values(CREDENTIAL_KINDS.iter().copied().map(CredentialKind::as_str));
        let kinds = &self.buffer.credential_kinds;
        let codes = self.rows().map(|row| kinds.get(row).copied().unwrap_or(ABSENT));
        dictionary_array(codes.collect(), Arc::new(values))
    }

    fn object_keys(&self) -> Result<ArrayRef, ArrowError> {
        let objects = &self.buffer.object_rows;
        let codes = self.rows().map(|row| {
            let object = objects.get(row).and_then(|&object| i32::try_from(object).ok());
            object.unwrap_or(ABSENT)
        });
        let values = StringArray::from_iter_values(&self.buffer.objects);
        dictionary_array(codes.collect(), Arc::new(values))
    }

    fn passed_roles(&self) -> Result<ArrayRef, ArrowError> {
        let lists = &self.buffer.passed_roles;
        let elements = lists.elements_at(self.rows);
        let arns = self.buffer.passed_role_arns.array(elements.iter().copied())?;
        lists.array(
            self.rows,
            Arc::new(ArrowField::new("element", DataType::Utf8, true)),
            Arc::new(arns),
        )
    }
}
