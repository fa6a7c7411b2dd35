//! The tables of a session and their columns, as rows.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::UInt64Array;
use arrow::error::ArrowError;

use crate::query::TableColumns;
use crate::query::sql_type;
use crate::report::Arrangement;

/// Of a structure, all members are shown.
pub(super) const COLUMNS: Arrangement = Arrangement {
    order: &["column", "type", "nullable"],
    wrapped: &[("type", 20)],
    heading: None,
};

/// One row per table: its name, and how many columns it has.
pub(super) fn table_rows(tables: &[TableColumns]) -> Result<RecordBatch, ArrowError> {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(tables.iter().map(|table| &table.name)));
    let counts = tables
        .iter()
        .map(|table| u64::try_from(table.schema.fields().len()).unwrap_or(u64::MAX));
    let counts: ArrayRef = Arc::new(UInt64Array::from_iter_values(counts));
    RecordBatch::try_from_iter([("table", names), ("columns", counts)])
}

/// One row per column of a table: its name, its type as SQL names it, and whether it may be null.
pub(super) fn column_rows(table: &TableColumns) -> Result<RecordBatch, ArrowError> {
    let fields = || table.schema.fields().iter();
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(fields().map(|field| field.name())));
    let types: ArrayRef = Arc::new(StringArray::from_iter_values(
        fields().map(|field| sql_type(field.data_type())),
    ));
    let nullable: ArrayRef = Arc::new(StringArray::from_iter_values(
        fields().map(|field| if field.is_nullable() { "yes" } else { "no" }),
    ));
    RecordBatch::try_from_iter([("column", names), ("type", types), ("nullable", nullable)])
}
