//! Columns of `objects` and `rejects`: what became of every listed object and of every record that could not be stored.

use std::sync::Arc;

use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::datatypes::TimeUnit;

/// `objects`: one row per object and run that read it.
///
/// An object is identified by (`object_key`, `etag`, `size`). `records = stored + duplicates + rejected` in every row.
pub fn objects() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("object_key", DataType::Utf8, false),
        Field::new("etag", DataType::Utf8, false),
        Field::new("size", DataType::Int64, false),
        Field::new("last_modified", utc_microseconds(), true),
        Field::new("kind", DataType::Utf8, false),
        Field::new("state", DataType::Utf8, false),
        Field::new("delivery_date", DataType::Date32, true),
        Field::new("ingested_at", utc_microseconds(), false),
        Field::new("account_id", DataType::Utf8, true),
        Field::new("region", DataType::Utf8, true),
        Field::new("records", DataType::Int64, false),
        Field::new("stored", DataType::Int64, false),
        Field::new("duplicates", DataType::Int64, false),
        Field::new("rejected", DataType::Int64, false),
        Field::new("inflated_bytes", DataType::Int64, false),
        Field::new("sha256", DataType::Utf8, true),
        Field::new("first_event_time", utc_microseconds(), true),
        Field::new("last_event_time", utc_microseconds(), true),
        Field::new("error", DataType::Utf8, true),
        Field::new("run_id", DataType::Utf8, false),
    ]))
}

/// `rejects`: one row per record that could not be stored, with as much of its bytes as the record limit allows.
pub fn rejects() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("object_key", DataType::Utf8, false),
        Field::new("record_index", DataType::Int64, false),
        Field::new("byte_offset", DataType::Int64, false),
        Field::new("byte_length", DataType::Int64, false),
        Field::new("reason", DataType::Utf8, false),
        Field::new("raw", DataType::Binary, false),
        Field::new("run_id", DataType::Utf8, false),
    ]))
}

fn utc_microseconds() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}
