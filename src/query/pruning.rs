//! What the Delta log knows of each data file, in the engine's terms: to skip files before they are opened, and to give
//! the optimizer row counts and bounds.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::BooleanArray;
use arrow::array::RecordBatch;
use arrow::array::UInt64Array;
use arrow::array::new_null_array;
use arrow::datatypes::DataType;
use arrow::datatypes::SchemaRef;
use datafusion::common::Column;
use datafusion::common::ColumnStatistics;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::common::Statistics;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use crate::schema::EVENT_DATE;
use crate::store::DataFile;
use crate::store::StatisticValue;

/// The files for whose partition value `predicate` is true; it must name no column but the partition column.
///
/// Exact for every expression, such as `to_char(event_date, '%m') = '10'`, from which no bounds can be derived.
pub(super) fn files_of_days<'a>(
    files: Vec<&'a Arc<DataFile>>,
    schema: &SchemaRef,
    predicate: &Arc<dyn PhysicalExpr>,
) -> Result<Vec<&'a Arc<DataFile>>> {
    if files.is_empty() {
        return Ok(files);
    }
    let columns = schema.fields().iter().map(|field| {
        if field.name() == EVENT_DATE {
            return ScalarValue::iter_to_array(files.iter().map(|file| event_date(file)));
        }
        Ok(new_null_array(field.data_type(), files.len()))
    });
    let days = RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<Vec<_>>>()?)?;
    let kept = predicate.evaluate(&days)?.into_array(files.len())?;
    let is_kept = |row: usize| {
        kept.as_boolean_opt()
            .is_none_or(|kept| kept.is_valid(row) && kept.value(row))
    };
    Ok(files
        .into_iter()
        .enumerate()
        .filter(|(row, _)| is_kept(*row))
        .map(|(_, file)| file)
        .collect())
}

/// The files that may hold rows for which `predicate` is true, in their order.
///
/// Keeps a file whenever its statistics do not prove the contrary.
pub(super) fn surviving_files<'a>(
    files: Vec<&'a Arc<DataFile>>,
    schema: &SchemaRef,
    predicate: &Arc<dyn PhysicalExpr>,
    max_in_list_size: usize,
) -> Result<Vec<&'a Arc<DataFile>>> {
    let builder = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .with_max_in_list_size(max_in_list_size);
    let pruning_predicate = builder.try_build(Arc::clone(predicate))?;
    if pruning_predicate.always_true() {
        return Ok(files);
    }
    let kept = pruning_predicate.prune(&FileBounds { files: &files, schema })?;
    Ok(files
        .into_iter()
        .zip(kept)
        .filter(|(_, keep)| *keep)
        .map(|(file, _)| file)
        .collect())
}

/// Statistics of one file for the columns that are stored in it.
///
/// Bounds are inexact: the log truncates long text and rounds times to milliseconds.
pub(super) fn file_statistics(file: &DataFile, file_schema: &SchemaRef) -> Statistics {
    let column_statistics = file_schema.fields().iter().map(|field| {
        let mut column_statistics = ColumnStatistics::new_unknown();
        if let Some(known) = file.stats.column(field.name()) {
            let bound = |value: &Option<StatisticValue>| {
                let scalar = value.as_ref().and_then(|value| scalar(value, field.data_type()));
                scalar.map_or(Precision::Absent, Precision::Inexact)
            };
            column_statistics.min_value = bound(&known.min);
            column_statistics.max_value = bound(&known.max);
            column_statistics.null_count = known
                .null_count
                .and_then(|nulls| usize::try_from(nulls).ok())
                .map_or(Precision::Absent, Precision::Exact);
        }
        column_statistics
    });
    Statistics {
        num_rows: usize::try_from(file.rows).map_or(Precision::Absent, Precision::Exact),
        total_byte_size: Precision::Absent,
        column_statistics: column_statistics.collect(),
    }
}

/// The value of the partition column for one file.
pub(super) fn event_date(file: &DataFile) -> ScalarValue {
    ScalarValue::Date32(file.event_date)
}

struct FileBounds<'a> {
    files: &'a [&'a Arc<DataFile>],
    schema: &'a SchemaRef,
}

impl FileBounds<'_> {
    fn bounds(&self, column: &Column, bound: impl Fn(&DataFile) -> Option<&StatisticValue>) -> Option<ArrayRef> {
        if column.name == EVENT_DATE {
            return ScalarValue::iter_to_array(self.files.iter().map(|file| event_date(file))).ok();
        }
        let data_type = self.schema.field_with_name(&column.name).ok()?.data_type();
        let unknown = ScalarValue::try_from(data_type).ok()?;
        let values = self.files.iter().map(|file| {
            bound(file)
                .and_then(|value| scalar(value, data_type))
                .unwrap_or_else(|| unknown.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| file.stats.column(&column.name)?.min.as_ref())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| file.stats.column(&column.name)?.max.as_ref())
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let nulls = |file: &&Arc<DataFile>| {
            if column.name == EVENT_DATE {
                return Some(if file.event_date.is_none() { file.rows } else { 0 });
            }
            file.stats.column(&column.name)?.null_count
        };
        Some(Arc::new(self.files.iter().map(nulls).collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(
            self.files.iter().map(|file| Some(file.rows)).collect::<UInt64Array>(),
        ))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

fn scalar(value: &StatisticValue, data_type: &DataType) -> Option<ScalarValue> {
    let scalar = match value {
        StatisticValue::Text(text) => ScalarValue::Utf8(Some(text.clone())),
        StatisticValue::Integer(integer) => ScalarValue::Int64(Some(*integer)),
        StatisticValue::Timestamp(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), Some("UTC".into())),
        StatisticValue::Date(days) => ScalarValue::Date32(Some(*days)),
    };
    if scalar.data_type() == *data_type {
        Some(scalar)
    } else {
        scalar.cast_to(data_type).ok()
    }
}
