//! Bounds of the columns of one file: computed from a batch, kept as text in the Delta log, read back from it.
//!
//! Format: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics>.

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::compute;
use arrow::datatypes::DataType;
use arrow::datatypes::Date32Type;
use arrow::datatypes::Int32Type;
use arrow::datatypes::Int64Type;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::DateTime;
use chrono::Datelike;
use chrono::NaiveDate;
use chrono::NaiveDateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use serde_json::Map;
use serde_json::Value;

use crate::schema::Table;

/// Longest text kept as a bound; longer ones are cut, the upper bound rounded up.
const MAX_TEXT_BYTES: usize = 256;

const MICROSECONDS_PER_MILLISECOND: i64 = 1000;

/// One bound of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatisticValue {
    /// UTF-8 text, ordered by bytes.
    Text(String),
    /// 64-bit integer.
    Integer(i64),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Days since 1970-01-01.
    Date(i32),
}

/// What is known of the values of one column of one file.
///
/// `min` and `max` are bounds, not always values of the file: long texts are cut, and times are widened to whole
/// milliseconds. Booleans have no bounds, as in every Delta table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnStatistics {
    /// One of the table's `statistics_columns`.
    pub column: &'static str,
    /// No value is less than this.
    pub min: Option<StatisticValue>,
    /// No value is greater than this.
    pub max: Option<StatisticValue>,
    /// Exact number of nulls; `None` when it is not known.
    pub null_count: Option<u64>,
}

/// What is known of the values of one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileStatistics {
    /// Exact number of rows; `None` when the writer did not say.
    pub rows: Option<u64>,
    /// One entry per column that is known, in the order of `statistics_columns`.
    pub columns: Vec<ColumnStatistics>,
}

/// The columns of a table that have statistics, with their types: looked up once for many files.
#[derive(Debug, Clone)]
pub(super) struct StatisticsColumns(Vec<(&'static str, DataType)>);

impl FileStatistics {
    /// Statistics of one column, if known.
    pub fn column(&self, name: &str) -> Option<&ColumnStatistics> {
        self.columns.iter().find(|column| column.column == name)
    }

    /// Bounds of `event_time`, microseconds since 1970-01-01T00:00:00Z; `None` when the file has no readable time.
    pub fn event_times(&self) -> Option<(i64, i64)> {
        let column = self.column("event_time")?;
        match (&column.min, &column.max) {
            (Some(StatisticValue::Timestamp(min)), Some(StatisticValue::Timestamp(max))) => Some((*min, *max)),
            _ => None,
        }
    }

    /// Computes the statistics of a batch that becomes one file of the table.
    pub(super) fn of_batch(table: Table, batch: &RecordBatch) -> Self {
        let columns = table.statistics_columns().iter().filter_map(|name| {
            let array = batch.column_by_name(name)?;
            let (min, max) = bounds(array);
            Some(ColumnStatistics {
                column: name,
                min,
                max,
                null_count: u64::try_from(array.logical_null_count()).ok(),
            })
        });
        Self {
            rows: u64::try_from(batch.num_rows()).ok(),
            columns: columns.collect(),
        }
    }

    /// The text kept in the Delta log.
    pub(super) fn to_json(&self) -> String {
        let mut min_values = Map::new();
        let mut max_values = Map::new();
        let mut null_counts = Map::new();
        for column in &self.columns {
            let name = column.column.to_owned();
            if let Some(min) = column.min.as_ref().and_then(lower_bound) {
                min_values.insert(name.clone(), min);
            }
            if let Some(max) = column.max.as_ref().and_then(upper_bound) {
                max_values.insert(name.clone(), max);
            }
            if let Some(null_count) = column.null_count {
                null_counts.insert(name, Value::from(null_count));
            }
        }
        let mut statistics = Map::new();
        statistics.insert("numRecords".to_owned(), self.rows.map_or(Value::Null, Value::from));
        statistics.insert("minValues".to_owned(), Value::Object(min_values));
        statistics.insert("maxValues".to_owned(), Value::Object(max_values));
        statistics.insert("nullCount".to_owned(), Value::Object(null_counts));
        Value::Object(statistics).to_string()
    }
}

impl StatisticsColumns {
    pub(super) fn of(table: Table) -> Self {
        let schema = table.schema();
        let columns = table.statistics_columns().iter();
        Self(
            columns
                .filter_map(|name| Some((*name, schema.field_with_name(name).ok()?.data_type().clone())))
                .collect(),
        )
    }

    /// Reads the text of the Delta log; what another writer left out or spelled differently is unknown.
    pub(super) fn parse(&self, text: &str) -> FileStatistics {
        let Ok(statistics) = serde_json::from_str::<Value>(text) else {
            return FileStatistics::default();
        };
        let of_column = |group: &str, name: &str| statistics.get(group).and_then(|values| values.get(name)).cloned();
        let columns = self.0.iter().map(|(name, data_type)| ColumnStatistics {
            column: name,
            min: of_column("minValues", name).and_then(|value| parse_value(&value, data_type)),
            max: of_column("maxValues", name).and_then(|value| parse_value(&value, data_type)),
            null_count: of_column("nullCount", name).as_ref().and_then(Value::as_u64),
        });
        FileStatistics {
            rows: statistics.get("numRecords").and_then(Value::as_u64),
            columns: columns
                .filter(|column| column.min.is_some() || column.null_count.is_some())
                .collect(),
        }
    }
}

/// The name of a day as partition value; `None` outside the years 1 to 9999, which other readers cannot parse.
pub(super) fn day_text(days: i32) -> Option<String> {
    let day = NaiveDate::default().checked_add_signed(chrono::TimeDelta::try_days(i64::from(days))?)?;
    (1..=9999)
        .contains(&day.year())
        .then(|| day.format("%Y-%m-%d").to_string())
}

/// Days since 1970-01-01 of a partition value.
pub(super) fn parse_day(text: &str) -> Option<i32> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

fn bounds(array: &ArrayRef) -> (Option<StatisticValue>, Option<StatisticValue>) {
    match array.data_type() {
        DataType::Utf8 => text_bounds(array.as_string::<i32>()),
        DataType::Dictionary(..) => used_values(array).map_or((None, None), |values| text_bounds(&values)),
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>();
            (
                compute::min(values).map(StatisticValue::Integer),
                compute::max(values).map(StatisticValue::Integer),
            )
        }
        DataType::Timestamp(..) => {
            let Some(values) = array.as_primitive_opt::<TimestampMicrosecondType>() else {
                return (None, None);
            };
            (
                compute::min(values).map(StatisticValue::Timestamp),
                compute::max(values).map(StatisticValue::Timestamp),
            )
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            (
                compute::min(values).map(StatisticValue::Date),
                compute::max(values).map(StatisticValue::Date),
            )
        }
        _ => (None, None),
    }
}

fn text_bounds(values: &StringArray) -> (Option<StatisticValue>, Option<StatisticValue>) {
    let text = |bound: Option<&str>| bound.map(|bound| StatisticValue::Text(bound.to_owned()));
    (text(compute::min_string(values)), text(compute::max_string(values)))
}

/// The dictionary values that rows refer to: a dictionary may be shared with other batches.
fn used_values(array: &ArrayRef) -> Option<StringArray> {
    let dictionary = array.as_dictionary_opt::<Int32Type>()?;
    let values = dictionary.values().as_string_opt::<i32>()?;
    let mut used = vec![false; values.len()];
    for key in dictionary.keys().iter().flatten() {
        if let Some(slot) = usize::try_from(key).ok().and_then(|key| used.get_mut(key)) {
            *slot = true;
        }
    }
    Some(
        values
            .iter()
            .zip(used)
            .map(|(value, used)| value.filter(|_| used))
            .collect(),
    )
}

fn lower_bound(value: &StatisticValue) -> Option<Value> {
    match value {
        StatisticValue::Text(text) => Some(Value::from(lower_text(text))),
        StatisticValue::Timestamp(micros) => time_text(micros.div_euclid(MICROSECONDS_PER_MILLISECOND)),
        other => plain_bound(other),
    }
}

fn upper_bound(value: &StatisticValue) -> Option<Value> {
    match value {
        StatisticValue::Text(text) => upper_text(text).map(Value::from),
        StatisticValue::Timestamp(micros) => {
            let whole = micros.div_euclid(MICROSECONDS_PER_MILLISECOND);
            let rest = micros.rem_euclid(MICROSECONDS_PER_MILLISECOND);
            time_text(if rest == 0 { whole } else { whole.checked_add(1)? })
        }
        other => plain_bound(other),
    }
}

fn plain_bound(value: &StatisticValue) -> Option<Value> {
    match value {
        StatisticValue::Integer(number) => Some(Value::from(*number)),
        StatisticValue::Date(days) => day_text(*days).map(Value::from),
        StatisticValue::Text(_) | StatisticValue::Timestamp(_) => None,
    }
}

fn time_text(milliseconds: i64) -> Option<Value> {
    let time = DateTime::<Utc>::from_timestamp_millis(milliseconds)?;
    (1..=9999)
        .contains(&time.year())
        .then(|| Value::from(time.to_rfc3339_opts(SecondsFormat::Millis, true)))
}

/// A lower bound that is short enough: the longest prefix that ends between two characters.
pub(super) fn lower_text(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(text)
}

/// A short upper bound: not less than `text`, nor than any text that starts with the kept prefix.
pub(super) fn upper_text(text: &str) -> Option<String> {
    let mut kept = lower_text(text).to_owned();
    if kept.len() == text.len() {
        return Some(kept);
    }
    let last = kept.pop()?;
    let next = match last {
        '\u{d7ff}' => '\u{e000}',
        other => char::from_u32(u32::from(other).checked_add(1)?)?,
    };
    kept.push(next);
    Some(kept)
}

fn parse_value(value: &Value, data_type: &DataType) -> Option<StatisticValue> {
    match data_type {
        DataType::Utf8 => value.as_str().map(|text| StatisticValue::Text(text.to_owned())),
        DataType::Int64 => value.as_i64().map(StatisticValue::Integer),
        DataType::Timestamp(..) => parse_time(value.as_str()?).map(StatisticValue::Timestamp),
        DataType::Date32 => parse_day(value.as_str()?).map(StatisticValue::Date),
        _ => None,
    }
}

fn parse_time(text: &str) -> Option<i64> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Some(time.timestamp_micros()),
        Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .map(|time| time.and_utc().timestamp_micros()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::DictionaryArray;
    use arrow::array::Int32Array;
    use arrow::datatypes::Field;
    use arrow::datatypes::Schema;
    use proptest::prelude::*;

    use super::*;

    fn of_column(table: Table, name: &str, array: ArrayRef) -> FileStatistics {
        let field = Field::new(name, array.data_type().clone(), true);
        FileStatistics::of_batch(
            table,
            &RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap(),
        )
    }

    fn through_the_log(table: Table, statistics: &FileStatistics) -> FileStatistics {
        StatisticsColumns::of(table).parse(&statistics.to_json())
    }

    fn text_column(values: &[Option<&str>]) -> FileStatistics {
        of_column(
            Table::Objects,
            "object_key",
            Arc::new(StringArray::from(values.to_vec())),
        )
    }

    fn text(value: &str) -> Option<StatisticValue> {
        Some(StatisticValue::Text(value.to_owned()))
    }

    #[test]
    fn short_and_non_ascii_text_survives_the_log() {
        let statistics = text_column(&[Some("ß/ü"), None, Some("a"), Some("\u{1f980}")]);
        let read = through_the_log(Table::Objects, &statistics);
        assert_eq!(read, statistics);
        let column = read.column("object_key").unwrap();
        assert_eq!(
            (&column.min, &column.max, column.null_count),
            (&text("a"), &text("\u{1f980}"), Some(1))
        );
    }

    #[test]
    fn long_text_is_cut_below_and_rounded_up_above() {
        let long = "k".repeat(1000);
        let read = through_the_log(Table::Objects, &text_column(&[Some(&long)]));
        let column = read.column("object_key").unwrap();
        assert_eq!(column.min, text(&"k".repeat(256)));
        assert_eq!(column.max, text(&format!("{}l", "k".repeat(255))));
    }

    #[test]
    fn long_text_without_a_next_character_has_no_upper_bound() {
        let long = "\u{10ffff}".repeat(100);
        let read = through_the_log(Table::Objects, &text_column(&[Some(&long)]));
        let column = read.column("object_key").unwrap();
        assert_eq!((column.max.as_ref(), column.null_count), (None, Some(0)));
        assert_eq!(column.min, text(&"\u{10ffff}".repeat(64)));
    }

    #[test]
    fn column_of_nulls_has_a_null_count_and_no_bounds() {
        let read = through_the_log(Table::Objects, &text_column(&[None, None]));
        let column = read.column("object_key").unwrap();
        assert_eq!(
            (column.min.as_ref(), column.max.as_ref(), column.null_count),
            (None, None, Some(2))
        );
        assert_eq!(read.rows, Some(2));
    }

    #[test]
    fn empty_batch_has_no_rows_and_no_bounds() {
        let read = through_the_log(
            Table::Events,
            &FileStatistics::of_batch(Table::Events, &RecordBatch::new_empty(crate::schema::events_file())),
        );
        assert_eq!(read.rows, Some(0));
        assert!(
            read.columns
                .iter()
                .all(|column| column.min.is_none() && column.null_count == Some(0))
        );
    }

    #[test]
    fn dictionary_values_that_no_row_uses_do_not_widen_the_bounds() {
        let keys = Int32Array::from(vec![Some(1), None, Some(2)]);
        let values = Arc::new(StringArray::from(vec!["a", "m", "n", "z"]));
        let array: ArrayRef = Arc::new(DictionaryArray::new(keys, values));
        let statistics = of_column(Table::Events, "event_name", array);
        let column = statistics.column("event_name").unwrap();
        assert_eq!(
            (&column.min, &column.max, column.null_count),
            (&text("m"), &text("n"), Some(1))
        );
    }

    #[test]
    fn times_are_widened_to_whole_milliseconds() {
        let micros = 1_788_220_800_000_001;
        let array = arrow::array::TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC");
        let statistics = of_column(Table::Events, "event_time", Arc::new(array));
        assert!(
            statistics.to_json().contains("2026-09-01T00:00:00.001Z"),
            "{}",
            statistics.to_json()
        );
        let read = through_the_log(Table::Events, &statistics);
        let column = read.column("event_time").unwrap();
        assert_eq!(column.min, Some(StatisticValue::Timestamp(micros - 1)));
        assert_eq!(column.max, Some(StatisticValue::Timestamp(micros + 999)));
    }

    #[test]
    fn time_outside_the_calendar_of_other_readers_has_no_bounds() {
        let array = arrow::array::TimestampMicrosecondArray::from(vec![i64::MAX]).with_timezone("UTC");
        let read = through_the_log(Table::Events, &of_column(Table::Events, "event_time", Arc::new(array)));
        let column = read.column("event_time").unwrap();
        assert_eq!(
            (column.min.as_ref(), column.max.as_ref(), column.null_count),
            (None, None, Some(0))
        );
    }

    #[test]
    fn unreadable_statistics_of_another_writer_are_unknown() {
        assert_eq!(
            StatisticsColumns::of(Table::Events).parse("{"),
            FileStatistics::default()
        );
    }

    #[test]
    fn day_and_its_name_are_each_other() {
        assert_eq!(day_text(20_697).as_deref(), Some("2026-09-01"));
        assert_eq!(parse_day("2026-09-01"), Some(20_697));
        assert_eq!(day_text(i32::MAX), None);
    }

    proptest! {
        #[test]
        fn bounds_of_any_text_enclose_it(value in "\\PC{0,400}") {
            let read = through_the_log(Table::Objects, &text_column(&[Some(&value)]));
            let column = read.column("object_key").unwrap();
            if let Some(StatisticValue::Text(min)) = &column.min {
                prop_assert!(min.as_str() <= value.as_str());
            }
            if let Some(StatisticValue::Text(max)) = &column.max {
                prop_assert!(max.as_str() >= value.as_str());
            }
        }
    }
}
