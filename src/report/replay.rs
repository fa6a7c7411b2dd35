//! What came out of a replay as rows.

use arrow::array::RecordBatch;

use super::Format;
use super::ReportError;
use super::diff::DiffFrame;
use super::diff::batch;
use super::diff::integers;
use super::diff::lists;
use super::diff::owned_texts;
use super::diff::texts;
use super::diff::times;
use crate::policy::ReplayFinding;

/// Columns of a table, which are the first ones: there is no room for ids, nor for what is the same in all rows.
const TABLE_COLUMNS: usize = 9;

/// A row for each finding, in their order; tables have fewer columns than other formats.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn replay_rows(
    findings: &[ReplayFinding],
    frame: DiffFrame<'_>,
    format: Format,
) -> Result<RecordBatch, ReportError> {
    let whole = columns(findings, frame)?;
    match format {
        Format::Table => Ok(whole.project(&(0..TABLE_COLUMNS).collect::<Vec<_>>())?),
        _ => Ok(whole),
    }
}

fn columns(findings: &[ReplayFinding], frame: DiffFrame<'_>) -> Result<RecordBatch, ReportError> {
    let optional = |text: fn(&ReplayFinding) -> Option<&str>| texts(findings.iter().map(text));
    let moment = |time: i64| times(std::iter::repeat_n(Some(time), findings.len()));
    let calls = |finding: &ReplayFinding| i64::try_from(finding.calls).unwrap_or(i64::MAX);
    batch(vec![
        ("outcome", optional(|it| Some(it.consequence.name()))),
        ("principal_arn", optional(|it| Some(&it.principal_arn))),
        ("action", optional(|it| Some(&it.action))),
        ("resource", optional(|it| it.resource.as_deref())),
        ("region", optional(|it| it.region.as_deref())),
        ("calls", integers(findings.iter().map(calls))),
        ("first_seen", times(findings.iter().map(|it| Some(it.first_seen)))),
        ("last_seen", times(findings.iter().map(|it| Some(it.last_seen)))),
        (
            "reason",
            owned_texts(findings.iter().map(|it| Some(it.consequence.reason()))),
        ),
        (
            "event_ids",
            lists(findings.iter().map(|it| it.event_ids().map(str::to_owned).collect())),
        ),
        ("since", moment(frame.window.since)),
        ("until", moment(frame.window.until)),
        (
            "facts_date",
            texts(std::iter::repeat_n(Some(frame.facts_date), findings.len())),
        ),
    ])
}
