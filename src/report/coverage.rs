//! How much of a window the logs of an account cover, as a row.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Float64Array;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;

use super::ReportError;
use crate::policy::AccountLog;
use crate::policy::Reason;
use crate::policy::Window;

/// One row: how much of a window the logs of an account cover, and why regions may be lacking in them.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn coverage_row(
    (account_id, log): (&str, &AccountLog),
    region_doubt: Option<&Reason>,
    window: Window,
) -> Result<RecordBatch, ReportError> {
    let coverage = log.coverage(window);
    let time = |micros: Option<i64>| -> ArrayRef {
        let times = TimestampMicrosecondArray::from(vec![micros]);
        Arc::new(times.with_timezone("UTC"))
    };
    let number = |number: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![number])) };
    let region_doubt = region_doubt.map(ToString::to_string);
    let columns: [(&str, ArrayRef); 10] = [
        ("account_id", Arc::new(StringArray::from(vec![account_id]))),
        ("since", time(Some(window.since))),
        ("until", time(Some(window.until))),
        ("days", number(window.days())),
        ("hours", number(coverage.hours)),
        ("lost_hours", number(coverage.lost_hours)),
        ("coverage", Arc::new(Float64Array::from(vec![coverage.share()]))),
        ("first_event", time(log.first_event)),
        ("last_event", time(log.last_event)),
        ("region_doubt", Arc::new(StringArray::from(vec![region_doubt]))),
    ];
    let nullable = columns.into_iter().map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}
