//! Columns of `objects` and `rejects`: what became of every listed object and of every record that could not be stored.

use std::sync::Arc;

use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::datatypes::TimeUnit;

/// One column of a table other than `events`.
pub(super) struct LedgerColumn {
    pub(super) name: &'static str,
    form: Form,
    is_optional: bool,
    pub(super) meaning: &'static str,
}

pub(super) enum Form {
    Text,
    TextList,
    Boolean,
    Integer,
    Timestamp,
    Date,
    Bytes,
}

/// `records = stored + duplicates + rejected` in every row.
pub(super) const OBJECT_COLUMNS: &[LedgerColumn] = &[
    always("object_key", Form::Text, "URI of the object"),
    always(
        "etag",
        Form::Text,
        "tells one content of the object from the next; identifies it together with `object_key` and `size`",
    ),
    always("size", Form::Integer, "bytes as stored, compressed"),
    optional(
        "last_modified",
        Form::Timestamp,
        "when the object was written, as its storage says",
    ),
    always("kind", Form::Text, "what the object holds, told from its content"),
    always("state", Form::Text, "what became of the object"),
    optional("delivery_date", Form::Date, "day in the object's name or folder"),
    always("ingested_at", Form::Timestamp, "start of the run that read it"),
    optional("account_id", Form::Text, "account in the object's name or folder"),
    optional("region", Form::Text, "region in the object's name or folder"),
    always(
        "records",
        Form::Integer,
        "records found, good or bad: `stored + duplicates + rejected`",
    ),
    always("stored", Form::Integer, "records that became rows of `events`"),
    always(
        "duplicates",
        Form::Integer,
        "records whose event the store, or this run, had already",
    ),
    always("rejected", Form::Integer, "records that became rows of `rejects`"),
    always(
        "inflated_bytes",
        Form::Integer,
        "bytes after inflating, as far as they could be read",
    ),
    optional(
        "sha256",
        Form::Text,
        "SHA-256 of the inflated object, lower-case hex; null when it could not be read to its end",
    ),
    optional(
        "first_event_time",
        Form::Timestamp,
        "earliest `eventTime` in the object",
    ),
    optional("last_event_time", Form::Timestamp, "latest `eventTime` in the object"),
    optional("error", Form::Text, "what is wrong with the object as a whole"),
    always(
        "run_id",
        Form::Text,
        "the run that read it; the same in `store history`",
    ),
    optional(
        "metadata",
        Form::Text,
        "user metadata of a digest in a bucket, as a JSON object: its signature stands nowhere else",
    ),
    optional(
        "listed_from",
        Form::Date,
        "first day from which on every object of the same bucket, account, kind and region has been dealt with, up to \
         `delivery_date`; the next run lists from there",
    ),
    optional(
        "selected_regions",
        Form::Text,
        "the only regions that the run was told to read (`ingest --region`), separated by commas; null when it read all",
    ),
    optional(
        "digest_text",
        Form::Text,
        "content of a digest as it is, which its signature is made of; null when it is no text or larger than 8 MiB",
    ),
    optional(
        "endpoint",
        Form::Text,
        "service that was asked for the bucket: `aws`, or the URL of another one; null for files, and in rows of schema \
         versions before 5",
    ),
];

pub(super) const REJECT_COLUMNS: &[LedgerColumn] = &[
    always("object_key", Form::Text, "URI of the object"),
    always(
        "record_index",
        Form::Integer,
        "position of the record in its object, from 0",
    ),
    always(
        "byte_offset",
        Form::Integer,
        "where the record starts in the inflated object",
    ),
    always("byte_length", Form::Integer, "length of the record"),
    always("reason", Form::Text, "why it could not be stored"),
    always(
        "raw",
        Form::Bytes,
        "the record as it was found, cut at the largest size of a record",
    ),
    always("run_id", Form::Text, "the run that read it"),
];

/// `objects`: one row per object and run that read it.
pub fn objects() -> SchemaRef {
    schema_of(OBJECT_COLUMNS)
}

/// `rejects`: one row per record that could not be stored, with as much of its bytes as the record limit allows.
pub fn rejects() -> SchemaRef {
    schema_of(REJECT_COLUMNS)
}

pub(super) const fn always(name: &'static str, form: Form, meaning: &'static str) -> LedgerColumn {
    LedgerColumn {
        name,
        form,
        is_optional: false,
        meaning,
    }
}

pub(super) const fn optional(name: &'static str, form: Form, meaning: &'static str) -> LedgerColumn {
    LedgerColumn {
        name,
        form,
        is_optional: true,
        meaning,
    }
}

pub(super) fn schema_of(columns: &[LedgerColumn]) -> SchemaRef {
    let fields = columns
        .iter()
        .map(|column| Field::new(column.name, column.form.data_type(), column.is_optional));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

impl Form {
    fn data_type(&self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::TextList => DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))),
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
            Self::Bytes => DataType::Binary,
        }
    }
}
