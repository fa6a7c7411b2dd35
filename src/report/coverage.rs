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
use crate::policy::Window;

/// One row: how much of a window the logs of an account cover.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn coverage_row(account_id: &str, log: &AccountLog, window: Window) -> Result<RecordBatch, ReportError> {
    let coverage = log.coverage(window);
    let time = |micros: Option<i64>| -> ArrayRef {
        let times = TimestampMicrosecondArray::from(vec![micros]);
        Arc::new(times.with_timezone("UTC"))
    };
    let number = |number: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![number])) };
    let columns: [(&str, ArrayRef); 9] = [
        ("account_id", Arc::new(StringArray::from(vec![account_id]))),
        ("since", time(Some(window.since))),
        ("until", time(Some(window.until))),
        ("days", number(window.days())),
        ("hours", number(coverage.hours)),
        ("lost_hours", number(coverage.lost_hours)),
        ("coverage", Arc::new(Float64Array::from(vec![coverage.share()]))),
        ("first_event", time(log.first_event)),
        ("last_event", time(log.last_event)),
    ];
    let nullable = columns.into_iter().map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}
