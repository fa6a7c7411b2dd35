//! Objects that cannot hold wanted events, told from the day of delivery in their keys.
//!
//! Account and region of a key are not used: copies and single-region trails hold events of others.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanArray;
use arrow::datatypes::SchemaRef;
use datafusion::common::Column;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::common::pruning::PruningStatistics;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::schema::EVENT_DATE;
use crate::source::ObjectRef;

/// CloudTrail tries for 30 days to deliver to a bucket that it cannot reach; one more for the hour of the day.
const LATEST_DELIVERY_DAYS: i32 = 31;
/// CloudTrail began in 2013.
const FIRST_DAY: Date = jiff::civil::date(2013, 1, 1);
const LAST_DAY: Date = jiff::civil::date(2099, 12, 31);
const EVENT_TIME: &str = "event_time";

/// First and last day of delivery, inclusive; `None` is without bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct DeliveryDays {
    pub(super) first: Option<Date>,
    pub(super) last: Option<Date>,
}

/// The objects that may hold events for which `predicate` is true.
///
/// An event is delivered on its day (give or take the clocks) or up to a month later. An object whose key follows no
/// grammar is always kept.
pub(super) fn objects_for(
    objects: Vec<ObjectRef>,
    schema: &SchemaRef,
    predicate: &Arc<dyn PhysicalExpr>,
) -> Result<Vec<ObjectRef>> {
    let days = objects.iter().map(|object| object.key.as_ref().map(|key| key.day));
    let Some(kept) = kept(days.collect(), schema, predicate)? else {
        return Ok(objects);
    };
    Ok(objects
        .into_iter()
        .zip(kept)
        .filter(|(_, keep)| *keep)
        .map(|(object, _)| object)
        .collect())
}

/// The days on which objects may have been delivered that hold events for which `predicate` is true, so that a bucket need
/// not be listed as a whole.
pub(super) fn days_for(schema: &SchemaRef, predicate: &Arc<dyn PhysicalExpr>) -> Result<DeliveryDays> {
    let days: Vec<Date> = FIRST_DAY.series(1.day()).take_while(|day| *day <= LAST_DAY).collect();
    let Some(kept) = kept(days.iter().copied().map(Some).collect(), schema, predicate)? else {
        return Ok(DeliveryDays::default());
    };
    let mut wanted = days.iter().zip(kept).filter(|(_, keep)| *keep).map(|(day, _)| *day);
    let Some(first) = wanted.next() else {
        // No day at all: one that nobody delivered on.
        return Ok(DeliveryDays {
            first: Some(FIRST_DAY),
            last: Some(FIRST_DAY),
        });
    };
    let last = wanted.next_back().unwrap_or(first);
    Ok(DeliveryDays {
        first: (first > FIRST_DAY).then_some(first),
        last: (last < LAST_DAY).then_some(last),
    })
}

/// Which of the days of delivery are kept; `None` when all are.
fn kept(days: Vec<Option<Date>>, schema: &SchemaRef, predicate: &Arc<dyn PhysicalExpr>) -> Result<Option<Vec<bool>>> {
    let pruning_predicate = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .try_build(Arc::clone(predicate))?;
    if pruning_predicate.always_true() {
        return Ok(None);
    }
    pruning_predicate.prune(&ByDay { days }).map(Some)
}

/// Containers of events by the day of their delivery, where it is known.
struct ByDay {
    days: Vec<Option<Date>>,
}

impl ByDay {
    /// Bound of a time column: the first moment of the delivery day moved by `days`.
    fn bound(&self, column: &Column, days: i32) -> Option<ArrayRef> {
        let is_date = column.name == EVENT_DATE;
        if !is_date && column.name != EVENT_TIME {
            return None;
        }
        let values = self.days.iter().map(|day| {
            let micros = day.and_then(|day| first_moment(day, days));
            if is_date {
                let day = micros.and_then(|micros| i32::try_from(micros.div_euclid(86_400_000_000)).ok());
                ScalarValue::Date32(day)
            } else {
                ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
            }
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for ByDay {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, -LATEST_DELIVERY_DAYS)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, 2)
    }

    fn num_containers(&self) -> usize {
        self.days.len()
    }

    fn null_counts(&self, _column: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

fn first_moment(day: Date, days: i32) -> Option<i64> {
    let moved = day.checked_add(days.days()).ok()?;
    let start = TimeZone::UTC.to_timestamp(moved.at(0, 0, 0, 0)).ok()?;
    Some(start.as_microsecond())
}
