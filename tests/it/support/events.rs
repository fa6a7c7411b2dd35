//! Rows of `events` from short JSON: only the columns that matter to a test are written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::UInt32Array;
use arrow::compute;
use arrow::compute::SortColumn;
use arrow::compute::SortOptions;
use arrow::datatypes::Field;
use arrow::datatypes::Schema;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::json::ReaderBuilder;
use trimtrail::schema;

const MICROS_PER_DAY: i64 = 86_400_000_000;
const SORT_COLUMNS: [&str; 3] = ["recipient_account_id", "principal_arn", "event_time"];

/// One batch per UTC day of `event_time`, sorted as a data file is; columns that a line leaves out are null.
pub(crate) fn by_day(json_lines: &str) -> Vec<(Option<i32>, RecordBatch)> {
    let plain_fields: Vec<Field> = schema::EVENT_COLUMNS
        .iter()
        .map(|column| Field::new(column.name, column.storage.logical_type(), true))
        .collect();
    let mut decoder = ReaderBuilder::new(Arc::new(Schema::new(plain_fields)))
        .with_strict_mode(true)
        .build_decoder()
        .unwrap();
    let consumed = decoder.decode(json_lines.as_bytes()).unwrap();
    assert_eq!(consumed, json_lines.len(), "more rows than one batch holds");
    let plain = decoder.flush().unwrap().unwrap();
    let times = plain
        .column_by_name("event_time")
        .unwrap()
        .as_primitive::<TimestampMicrosecondType>();
    let mut rows_of_day: BTreeMap<Option<i32>, Vec<u32>> = BTreeMap::new();
    for row in 0..plain.num_rows() {
        let day = times
            .is_valid(row)
            .then(|| i32::try_from(times.value(row).div_euclid(MICROS_PER_DAY)).unwrap());
        rows_of_day.entry(day).or_default().push(u32::try_from(row).unwrap());
    }
    rows_of_day
        .into_iter()
        .map(|(day, rows)| (day, as_file(&plain, rows)))
        .collect()
}

fn as_file(plain: &RecordBatch, rows: Vec<u32>) -> RecordBatch {
    let day = compute::take_record_batch(plain, &UInt32Array::from(rows)).unwrap();
    let options = Some(SortOptions {
        descending: false,
        nulls_first: true,
    });
    let sort_columns: Vec<SortColumn> = SORT_COLUMNS
        .iter()
        .map(|name| SortColumn {
            values: Arc::clone(day.column_by_name(name).unwrap()),
            options,
        })
        .collect();
    let order = compute::lexsort_to_indices(&sort_columns, None).unwrap();
    let sorted = compute::take_record_batch(&day, &order).unwrap();
    let file_schema = schema::events_file();
    let columns: Vec<ArrayRef> = file_schema
        .fields()
        .iter()
        .zip(sorted.columns())
        .map(|(field, column)| compute::cast(column, field.data_type()).unwrap())
        .collect();
    RecordBatch::try_new(file_schema, columns).unwrap()
}
