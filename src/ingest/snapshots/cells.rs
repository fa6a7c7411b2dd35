//! From rows of cells to columns, for tables whose rows are few and whose columns are many.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BinaryBuilder;
use arrow::array::BooleanBuilder;
use arrow::array::Int64Builder;
use arrow::array::ListBuilder;
use arrow::array::RecordBatch;
use arrow::array::StringBuilder;
use arrow::array::TimestampMicrosecondBuilder;
use arrow::datatypes::DataType;
use arrow::datatypes::FieldRef;
use arrow::error::ArrowError;

use crate::schema::Table;

/// One value; the type of its column says what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Texts(Vec<String>),
    /// A number, or a moment in microseconds.
    Number(i64),
    Truth(bool),
    Bytes(Vec<u8>),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn optional_text(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    pub(super) fn optional_number(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    pub(super) fn optional_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, Self::Truth)
    }

    pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Texts(texts.into_iter().map(str::to_owned).collect())
    }
}

/// The rows as columns of a table, in the order of its schema.
pub(super) fn batch(table: Table, rows: &[Vec<Cell>]) -> Result<RecordBatch, ArrowError> {
    let schema = table.schema();
    let fields = schema.fields().iter().enumerate();
    let columns = fields.map(|(position, field)| {
        let cells: Vec<&Cell> = rows
            .iter()
            .map(|row| row.get(position).unwrap_or(&Cell::Null))
            .collect();
        column(field, &cells)
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    RecordBatch::try_new(schema, columns)
}

fn column(field: &FieldRef, cells: &[&Cell]) -> Result<ArrayRef, ArrowError> {
    macro_rules! fill {
        ($builder:expr, $kind:ident) => {{
            let mut builder = $builder;
            for cell in cells {
                match cell {
                    Cell::$kind(value) => builder.append_value(value.clone()),
                    Cell::Null => builder.append_null(),
                    other => return Err(wrong_cell(field, other)),
                }
            }
            Arc::new(builder.finish())
        }};
    }
    Ok(match field.data_type() {
        DataType::Utf8 => fill!(StringBuilder::new(), Text),
        DataType::Int64 => fill!(Int64Builder::new(), Number),
        DataType::Boolean => fill!(BooleanBuilder::new(), Truth),
        DataType::Binary => fill!(BinaryBuilder::new(), Bytes),
        DataType::Timestamp(..) => {
            fill!(
                TimestampMicrosecondBuilder::new().with_data_type(field.data_type().clone()),
                Number
            )
        }
        DataType::List(element) => {
            let mut builder = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(element));
            for cell in cells {
                match cell {
                    Cell::Texts(texts) => builder.append_value(texts.iter().map(Some)),
                    Cell::Null => builder.append_null(),
                    other => return Err(wrong_cell(field, other)),
                }
            }
            Arc::new(builder.finish())
        }
        other => return Err(ArrowError::NotYetImplemented(format!("a column of type {other}"))),
    })
}

fn wrong_cell(field: &FieldRef, cell: &Cell) -> ArrowError {
    ArrowError::InvalidArgumentError(format!("column `{}` takes no {cell:?}", field.name()))
}
