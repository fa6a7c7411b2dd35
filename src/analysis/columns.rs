//! The columns of one batch by name, as plain values.

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::datatypes::Int64Type;
use arrow::datatypes::TimeUnit;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

/// A column that is missing or of another type.
pub(super) type Unreadable = ArrowError;

/// One batch of rows.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    batch: &'a RecordBatch,
}

/// The values of one column.
#[derive(Debug)]
pub(super) struct Column {
    array: ArrayRef,
}

impl<'a> Columns<'a> {
    pub(super) fn new(batch: &'a RecordBatch) -> Self {
        Self { batch }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Column, Unreadable> {
        self.cast(name, &DataType::Utf8)
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Column, Unreadable> {
        self.cast(name, &DataType::Binary)
    }

    pub(super) fn integers(&self, name: &str) -> Result<Column, Unreadable> {
        self.cast(name, &DataType::Int64)
    }

    pub(super) fn booleans(&self, name: &str) -> Result<Column, Unreadable> {
        self.cast(name, &DataType::Boolean)
    }

    pub(super) fn times(&self, name: &str) -> Result<Column, Unreadable> {
        self.cast(name, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))
    }

    /// A column of lists of texts.
    pub(super) fn text_lists(&self, name: &str) -> Result<Column, Unreadable> {
        self.lists(name, DataType::Utf8)
    }

    /// A column of lists of integers.
    pub(super) fn integer_lists(&self, name: &str) -> Result<Column, Unreadable> {
        self.lists(name, DataType::Int64)
    }

    fn lists(&self, name: &str, element: DataType) -> Result<Column, Unreadable> {
        match self.array(name)?.data_type() {
            DataType::List(_) => self.cast(name, &DataType::new_list(element, true)),
            other => Err(ArrowError::SchemaError(format!("`{name}` is {other}, not a list"))),
        }
    }

    fn array(&self, name: &str) -> Result<&ArrayRef, Unreadable> {
        let missing = || ArrowError::SchemaError(format!("there is no column `{name}`"));
        self.batch.column_by_name(name).ok_or_else(missing)
    }

    fn cast(&self, name: &str, data_type: &DataType) -> Result<Column, Unreadable> {
        Ok(Column {
            array: cast(self.array(name)?, data_type)?,
        })
    }
}

impl Column {
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        let texts = self.array.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row))
    }

    pub(super) fn bytes_at(&self, row: usize) -> Option<&[u8]> {
        let bytes = self.array.as_binary_opt::<i32>()?;
        bytes.is_valid(row).then(|| bytes.value(row))
    }

    pub(super) fn integer(&self, row: usize) -> Option<i64> {
        let integers = self.array.as_primitive_opt::<Int64Type>()?;
        integers.is_valid(row).then(|| integers.value(row))
    }

    /// A count: a number that is never negative.
    pub(super) fn count(&self, row: usize) -> u64 {
        let integer = self.integer(row).unwrap_or_default();
        u64::try_from(integer).unwrap_or_default()
    }

    pub(super) fn boolean(&self, row: usize) -> Option<bool> {
        let booleans = self.array.as_boolean_opt()?;
        booleans.is_valid(row).then(|| booleans.value(row))
    }

    pub(super) fn time(&self, row: usize) -> Option<i64> {
        let times = self.array.as_primitive_opt::<TimestampMicrosecondType>()?;
        times.is_valid(row).then(|| times.value(row))
    }

    /// The elements of a list of texts.
    pub(super) fn texts_at(&self, row: usize) -> Vec<String> {
        let elements = self.elements(row);
        let texts = elements.as_ref().and_then(|elements| elements.as_string_opt::<i32>());
        texts.map_or_else(Vec::new, |texts| texts.iter().flatten().map(str::to_owned).collect())
    }

    /// The elements of a list of integers.
    pub(super) fn integers_at(&self, row: usize) -> Vec<i64> {
        let elements = self.elements(row);
        let integers = elements
            .as_ref()
            .and_then(|elements| elements.as_primitive_opt::<Int64Type>());
        integers.map_or_else(Vec::new, |integers| integers.iter().flatten().collect())
    }

    fn elements(&self, row: usize) -> Option<ArrayRef> {
        let lists = self.array.as_list_opt::<i32>()?;
        lists.is_valid(row).then(|| lists.value(row))
    }
}
