//! The columns of a batch of events that the rollup looks at.

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::ListArray;
use arrow::array::PrimitiveArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::datatypes::Int32Type;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

use crate::schema;

/// The columns of `events` that the rollup looks at.
pub(super) const EVENT_COLUMNS: [&str; 22] = [
    "event_time",
    "recipient_account_id",
    "aws_region",
    "serving_region",
    "event_source",
    "event_name",
    "event_type",
    "event_category",
    "error_code",
    "principal_arn",
    "principal_type",
    "session_name",
    "credential_kind",
    "via_service",
    "user_identity_type",
    "user_identity_principal_id",
    "user_identity_access_key_id",
    "session_issuer_principal_id",
    "source_ip_address",
    "error_message",
    "passed_role_arns",
    "resources",
];
/// Further columns, with text that is mostly distinct.
pub(super) const TEXT_COLUMNS: [&str; 2] = ["request_parameters", "additional_event_data"];

/// Code of a null.
pub(super) const ABSENT: i32 = -1;

/// A column of numbered texts.
pub(super) struct Coded {
    codes: PrimitiveArray<Int32Type>,
    texts: StringArray,
}

/// A list column with the texts of its elements.
pub(super) struct Lists {
    lists: ListArray,
    texts: StringArray,
}

impl Coded {
    pub(super) fn new(batch: &RecordBatch, name: &str) -> Result<Self, ArrowError> {
        let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let column = column(batch, name, &kind)?;
        let wrong = || ArrowError::SchemaError(format!("`{name}` is no column of texts"));
        let dictionary = column.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)?;
        let texts = dictionary.values().as_string_opt::<i32>().ok_or_else(wrong)?;
        Ok(Self {
            codes: dictionary.keys().clone(),
            texts: texts.clone(),
        })
    }

    pub(super) fn code(&self, row: usize) -> i32 {
        match self.codes.is_valid(row) {
            true => self.codes.values().get(row).copied().unwrap_or(ABSENT),
            false => ABSENT,
        }
    }

    pub(super) fn text_of(&self, code: i32) -> Option<&str> {
        let code = usize::try_from(code).ok().filter(|code| *code < self.texts.len())?;
        self.texts.is_valid(code).then(|| self.texts.value(code))
    }

    pub(super) fn text(&self, row: usize) -> Option<&str> {
        self.text_of(self.code(row))
    }

    /// All texts that rows may have, by code.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(Option::unwrap_or_default)
    }
}

impl Lists {
    /// A list of texts, or of structs whose member `arn` is text.
    pub(super) fn new(batch: &RecordBatch, name: &str) -> Result<Self, ArrowError> {
        let wrong = || ArrowError::SchemaError(format!("`{name}` is no column of lists"));
        let kind = schema::events_file().field_with_name(name)?.data_type().clone();
        let column = column(batch, name, &kind)?;
        let lists = column.as_list_opt::<i32>().ok_or_else(wrong)?;
        let elements = match lists.values().as_struct_opt() {
            Some(structs) => structs.column_by_name("arn").ok_or_else(wrong)?,
            None => lists.values(),
        };
        Ok(Self {
            texts: elements.as_string_opt::<i32>().ok_or_else(wrong)?.clone(),
            lists: lists.clone(),
        })
    }

    /// The texts of every row.
    pub(super) fn rows(&self) -> ListRows<'_> {
        let offsets = self.lists.value_offsets().windows(2).enumerate();
        let mut rows = ListRows::default();
        for (row, bounds) in offsets {
            let bounds = bounds.iter().filter_map(|bound| usize::try_from(*bound).ok());
            let mut bounds = bounds.filter(|_| self.lists.is_valid(row));
            let elements = bounds.next().unwrap_or_default()..bounds.next().unwrap_or_default();
            let elements = elements.filter(|element| self.texts.is_valid(*element));
            rows.texts.extend(elements.map(|element| self.texts.value(element)));
            rows.ends.push(rows.texts.len());
        }
        rows
    }
}

/// The texts of a list column, row by row.
#[derive(Debug, Default)]
pub(super) struct ListRows<'b> {
    texts: Vec<&'b str>,
    /// Where the texts of each row end.
    ends: Vec<usize>,
}

impl<'b> ListRows<'b> {
    /// The texts of a row.
    pub(super) fn get(&self, row: usize) -> &[&'b str] {
        let end_of = |row: usize| self.ends.get(row).copied().unwrap_or_default();
        let start = row.checked_sub(1).map_or(0, end_of);
        self.texts.get(start..end_of(row)).unwrap_or_default()
    }
}

pub(super) fn plain_texts(batch: &RecordBatch, name: &str) -> Result<StringArray, ArrowError> {
    Ok(column(batch, name, &DataType::Utf8)?.as_string::<i32>().clone())
}

pub(super) fn times(batch: &RecordBatch, name: &str) -> Result<TimestampMicrosecondArray, ArrowError> {
    let column = batch.column(batch.schema_ref().index_of(name)?);
    let times = column.as_primitive_opt::<TimestampMicrosecondType>();
    times
        .cloned()
        .ok_or_else(|| ArrowError::SchemaError(format!("`{name}` is no column of moments")))
}

fn column(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<ArrayRef, ArrowError> {
    let column = batch.column(batch.schema_ref().index_of(name)?);
    match column.data_type() == kind {
        true => Ok(ArrayRef::clone(column)),
        false => cast(column, kind),
    }
}
