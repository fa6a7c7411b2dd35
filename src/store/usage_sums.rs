//! Rows of the rollup that are alike, summed into one as whoever reads them would.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::BooleanArray;
use arrow::array::Int64Array;
use arrow::array::ListBuilder;
use arrow::array::PrimitiveArray;
use arrow::array::RecordBatch;
use arrow::array::StringBuilder;
use arrow::array::TimestampMicrosecondArray;
use arrow::array::UInt64Array;
use arrow::compute::partition;
use arrow::compute::take;
use arrow::datatypes::ArrowPrimitiveType;
use arrow::datatypes::DataType;
use arrow::datatypes::Int64Type;
use arrow::datatypes::Schema;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

use crate::schema::MOST_TEXTS;

/// The columns that are summed.
pub(super) const COUNTS: [&str; 3] = ["calls", "events", "unnamed"];
const MORE: &str = "more_";

/// The columns in which rows are alike that can be summed.
pub(super) fn key_columns(layout: &Schema) -> Vec<&str> {
    let names = layout.fields().iter().map(|field| field.name().as_str());
    let up_to_provenance = names.take_while(|name| *name != "calls");
    up_to_provenance.chain(["facts"]).collect()
}

/// Sums of the columns [`COUNTS`].
pub(super) fn totals(rows: &RecordBatch) -> Result<[i64; 3], ArrowError> {
    let mut totals = [0; 3];
    for (total, name) in totals.iter_mut().zip(COUNTS) {
        let counts = primitive::<Int64Type>(column(rows, name)?)?;
        *total = counts.iter().flatten().sum();
    }
    Ok(totals)
}

/// One row for all that are alike; the rows are sorted by [`key_columns`].
pub(super) fn summed(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let layout = rows.schema();
    let keys = key_columns(&layout).into_iter().map(|name| column(rows, name).cloned());
    let alike = partition(&keys.collect::<Result<Vec<_>, ArrowError>>()?)?.ranges();
    if alike.len() == rows.num_rows() {
        return Ok(rows.clone());
    }
    let firsts = UInt64Array::from_iter_values(alike.iter().map(|range| range.start as u64));
    let columns = layout.fields().iter().map(|field| {
        let own = column(rows, field.name())?;
        match (field.name().as_str(), field.data_type()) {
            (name, _) if COUNTS.contains(&name) => sums(own, &alike),
            ("first_seen", _) => times(own, &alike, i64::min),
            ("last_seen", _) => times(own, &alike, i64::max),
            (name, DataType::List(_)) => lists(own, &alike, name).map(|(texts, _)| texts),
            (name, _) => match name.strip_prefix(MORE) {
                Some(list) => more(column(rows, list)?, own, &alike, list),
                None => take(own, &firsts, None),
            },
        }
    });
    RecordBatch::try_new(Arc::clone(&layout), columns.collect::<Result<_, _>>()?)
}

fn sums(counts: &ArrayRef, alike: &[Range<usize>]) -> Result<ArrayRef, ArrowError> {
    let counts = primitive::<Int64Type>(counts)?;
    let sums = alike
        .iter()
        .map(|range| range.clone().map(|row| counts.value(row)).sum());
    Ok(Arc::new(Int64Array::from_iter_values(sums)))
}

fn times(times: &ArrayRef, alike: &[Range<usize>], choose: fn(i64, i64) -> i64) -> Result<ArrayRef, ArrowError> {
    let times = primitive::<TimestampMicrosecondType>(times)?;
    let chosen = alike.iter().map(|range| {
        let known = range
            .clone()
            .filter(|row| times.is_valid(*row))
            .map(|row| times.value(row));
        known.reduce(choose)
    });
    let chosen: TimestampMicrosecondArray = chosen.collect();
    Ok(Arc::new(chosen.with_timezone_opt(times.timezone())))
}

/// The first texts in order of the alphabet, and of which rows there are more.
fn lists(lists: &ArrayRef, alike: &[Range<usize>], name: &str) -> Result<(ArrayRef, Vec<bool>), ArrowError> {
    let wrong = || ArrowError::SchemaError(format!("`{name}` is no column of lists of texts"));
    let lists = lists.as_list_opt::<i32>().ok_or_else(wrong)?;
    let DataType::List(element) = lists.data_type() else {
        return Err(wrong());
    };
    let mut together = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(element));
    let mut has_more = Vec::with_capacity(alike.len());
    for range in alike {
        let valid = range.clone().filter(|row| lists.is_valid(*row));
        let texts: Vec<ArrayRef> = valid.map(|row| lists.value(row)).collect();
        let mut all = BTreeSet::new();
        for texts in &texts {
            all.extend(texts.as_string_opt::<i32>().ok_or_else(wrong)?.iter().flatten());
        }
        for text in all.iter().take(MOST_TEXTS) {
            together.values().append_value(text);
        }
        together.append(!all.is_empty());
        has_more.push(all.len() > MOST_TEXTS);
    }
    Ok((Arc::new(together.finish()), has_more))
}

fn more(texts: &ArrayRef, more: &ArrayRef, alike: &[Range<usize>], name: &str) -> Result<ArrayRef, ArrowError> {
    let wrong = || ArrowError::SchemaError(format!("`{MORE}{name}` is no column of booleans"));
    let known = more.as_boolean_opt().ok_or_else(wrong)?;
    let (_, has_more) = lists(texts, alike, name)?;
    let is_known = |range: &Range<usize>| range.clone().any(|row| known.is_valid(row) && known.value(row));
    let more = alike
        .iter()
        .zip(has_more)
        .map(|(range, more)| Some(more || is_known(range)));
    Ok(Arc::new(more.collect::<BooleanArray>()))
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    Ok(rows.column(rows.schema_ref().index_of(name)?))
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef) -> Result<&PrimitiveArray<T>, ArrowError> {
    let wrong = || ArrowError::SchemaError("a column of the rollup has another type".to_owned());
    column.as_primitive_opt::<T>().ok_or_else(wrong)
}
