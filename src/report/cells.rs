//! Cells as text: one value of a column, the same way in every format that is made of text.
//!
//! Times are RFC 3339, nested values are JSON, binary values are hexadecimal. Escaping is left to the formats.

use std::sync::Arc;

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringBuilder;
use arrow::array::UnionArray;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::FieldRef;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::json::writer::EncoderOptions;
use arrow::json::writer::NullableEncoder;
use arrow::json::writer::make_encoder;
use arrow::util::display::ArrayFormatter;
use arrow::util::display::FormatOptions;

use super::ReportError;

/// Times without a zone are UTC here, as every time in a store is.
pub(super) const TIMESTAMP_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_timestamp_format(Some(TIMESTAMP_FORMAT));

/// Options of nested values, which must outlive the encoders.
pub(super) struct CellOptions(EncoderOptions);

impl CellOptions {
    pub(super) fn new() -> Self {
        Self(
            EncoderOptions::default()
                .with_explicit_nulls(true)
                .with_timestamp_format(TIMESTAMP_FORMAT.to_owned()),
        )
    }
}

/// The cells of one batch.
pub(super) struct Cells<'a> {
    columns: Vec<Column<'a>>,
}

enum Column<'a> {
    Scalar {
        array: &'a dyn Array,
        formatter: ArrayFormatter<'a>,
    },
    Nested {
        encoder: NullableEncoder<'a>,
        buffer: Vec<u8>,
    },
}

impl<'a> Cells<'a> {
    /// Prepares a batch of [`renderable`] columns. `fields` are those of the batch.
    pub(super) fn new(
        fields: &'a [FieldRef],
        batch: &'a RecordBatch,
        options: &'a CellOptions,
    ) -> Result<Self, ReportError> {
        let column = |(field, array): (&'a FieldRef, &'a ArrayRef)| {
            column(field, array.as_ref(), options).map_err(|cause| ReportError::Column {
                column: field.name().clone(),
                cause,
            })
        };
        let columns = fields
            .iter()
            .zip(batch.columns())
            .map(column)
            .collect::<Result<_, _>>()?;
        Ok(Self { columns })
    }

    /// Hands the cells of one row to `take`, from left to right; `None` is SQL's null.
    pub(super) fn row(
        &mut self,
        row: usize,
        mut take: impl FnMut(usize, Option<&str>) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        let mut text = String::new();
        for (index, column) in self.columns.iter_mut().enumerate() {
            text.clear();
            match column {
                Column::Scalar { array, formatter } => {
                    if array.is_null(row) {
                        take(index, None)?;
                        continue;
                    }
                    formatter.value(row).write(&mut text)?;
                }
                Column::Nested { encoder, buffer } => {
                    if encoder.is_null(row) {
                        take(index, None)?;
                        continue;
                    }
                    buffer.clear();
                    encoder.encode(row, buffer);
                    text.push_str(&String::from_utf8_lossy(buffer));
                }
            }
            take(index, Some(&text))?;
        }
        Ok(())
    }
}

/// True when the cells of a column can hold text that someone else chose.
pub(super) fn holds_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => holds_text(value),
        other => other.is_string() || other.is_nested() || matches!(other, DataType::Union(_, _)),
    }
}

/// True when the cells of a column are numbers, which tables align to the right.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// The schema in which the formats see a result: unions, which the JSON operators of SQL yield and which no file format
/// holds, are text.
pub(super) fn renderable_schema(schema: &SchemaRef) -> SchemaRef {
    if !schema.fields().iter().any(is_union) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().map(|field| {
        if is_union(field) {
            Arc::new(Field::new(field.name(), DataType::Utf8, true))
        } else {
            Arc::clone(field)
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The batch with the columns of [`renderable_schema`].
pub(super) fn renderable(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, ReportError> {
    let columns = batch
        .columns()
        .iter()
        .map(|column| match column.as_any().downcast_ref::<UnionArray>() {
            Some(union) => union_as_text(union),
            None => Ok(Arc::clone(column)),
        });
    Ok(RecordBatch::try_new(
        Arc::clone(schema),
        columns.collect::<Result<_, ReportError>>()?,
    )?)
}

fn is_union(field: &FieldRef) -> bool {
    matches!(field.data_type(), DataType::Union(_, _))
}

fn union_as_text(union: &UnionArray) -> Result<ArrayRef, ReportError> {
    let mut texts = StringBuilder::new();
    for row in 0..union.len() {
        let value = union.value(row);
        if value.is_null(0) || value.data_type() == &DataType::Null {
            texts.append_null();
        } else {
            texts.append_value(ArrayFormatter::try_new(&value, &FORMAT)?.value(0).try_to_string()?);
        }
    }
    Ok(Arc::new(texts.finish()))
}

fn column<'a>(field: &'a FieldRef, array: &'a dyn Array, options: &'a CellOptions) -> Result<Column<'a>, ArrowError> {
    if array.data_type().is_nested() {
        return Ok(Column::Nested {
            encoder: make_encoder(field, array, &options.0)?,
            buffer: Vec::new(),
        });
    }
    Ok(Column::Scalar {
        array,
        formatter: ArrayFormatter::try_new(array, &FORMAT)?,
    })
}
