//! Granted against used as rows: one per principal, or one per permission.
//!
//! Every row says on what its verdict rests: the window, how much of it the logs cover, and the dates of facts and snapshot.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Float64Array;
use arrow::array::Int64Array;
use arrow::array::ListBuilder;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::StringBuilder;
use arrow::array::TimestampMicrosecondArray;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;

use super::ReportError;
use crate::policy::ActionUse;
use crate::policy::Activity;
use crate::policy::Finding;
use crate::policy::Keep;
use crate::policy::PrincipalDiff;
use crate::policy::Row;
use crate::policy::Window;
use crate::query::UsageSource;

/// What all verdicts of one report rest on.
#[derive(Debug, Clone, Copy)]
pub struct DiffFrame<'a> {
    /// The window.
    pub window: Window,
    /// Day of the facts.
    pub facts_date: &'a str,
    /// Where use was read, if it was.
    pub source: Option<UsageSource>,
}

impl DiffFrame<'_> {
    /// The columns about it that every row has.
    pub(super) fn columns(self, rows: usize) -> [Named; 4] {
        let moment = |time: i64| times(std::iter::repeat_n(Some(time), rows));
        let same = |text: Option<&'static str>| texts(std::iter::repeat_n(text, rows));
        [
            ("since", moment(self.window.since)),
            ("until", moment(self.window.until)),
            ("source", same(self.source.map(UsageSource::name))),
            ("facts_date", texts(std::iter::repeat_n(Some(self.facts_date), rows))),
        ]
    }
}

/// Name and values of a column.
pub(super) type Named = (&'static str, ArrayRef);

/// One row: what the permissions of a principal come to.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn principal_row(diff: &PrincipalDiff<'_>, frame: DiffFrame<'_>) -> Result<RecordBatch, ReportError> {
    let (summary, deeds) = (&diff.summary, &diff.subject.deeds);
    let activity_reason = match &summary.activity {
        Activity::Unknown(reason) => Some(reason.to_string()),
        Activity::Active | Activity::NeverUsed => None,
    };
    let counted = |(name, count): (&&str, &usize)| format!("{name}: {count}");
    let mut columns = vec![
        ("principal_arn", text(Some(&diff.subject.key.arn))),
        ("activity", text(Some(summary.activity.name()))),
        ("last_seen", times([deeds.last_seen])),
        ("granted", counts([summary.granted])),
        ("used", counts([summary.used])),
        ("denied_attempt", counts([summary.denied])),
        ("unknown", counts([summary.unknown])),
        ("unused", counts([summary.unused])),
        ("removable", counts([summary.removable])),
        ("kept", counts([summary.kept])),
        ("high_risk_removable", counts([summary.high_risk_removable])),
        ("reduction", Arc::new(Float64Array::from(vec![summary.reduction()]))),
        ("used_not_granted", counts([summary.used_not_granted])),
        ("denied_not_granted", counts([summary.denied_not_granted])),
        ("blocked", counts([summary.blocked])),
        (
            "removable_harms",
            lists([summary.removable_harms.iter().map(counted).collect()]),
        ),
        (
            "unused_policies",
            lists([summary.unused_policies.iter().map(|id| (*id).to_owned()).collect()]),
        ),
        (
            "unknown_reasons",
            lists([summary.unknown_reasons.iter().map(counted).collect()]),
        ),
        ("activity_reason", text(activity_reason.as_deref())),
    ];
    columns.extend(basis(diff, frame, 1));
    batch(columns)
}

/// A row for each of the permissions of a principal that `is_wanted`.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn permission_rows(
    diff: &PrincipalDiff<'_>,
    frame: DiffFrame<'_>,
    is_wanted: impl Fn(&Row<'_>) -> bool,
) -> Result<RecordBatch, ReportError> {
    let rows: Vec<&Row<'_>> = diff.rows.iter().filter(|row| is_wanted(row)).collect();
    let mut columns: Vec<Named> = vec![
        (
            "principal_arn",
            texts(rows.iter().map(|_| Some(diff.subject.key.arn.as_str()))),
        ),
        (
            "policy",
            texts(rows.iter().map(|row| row.policy.map(|policy| policy.id.as_str()))),
        ),
        (
            "statement",
            optional_counts(rows.iter().map(|row| row.statement_number)),
        ),
        ("sid", texts(rows.iter().map(|row| row.sid))),
        ("action", texts(rows.iter().map(|row| Some(row.action)))),
        ("verdict", texts(rows.iter().map(|row| Some(row.verdict.name())))),
        ("reason", owned_texts(rows.iter().map(|row| row.verdict.reason()))),
    ];
    columns.extend(evidence(&rows));
    columns.extend([
        (
            "access_level",
            texts(rows.iter().map(|row| row.known.map(|action| action.level.name()))),
        ),
        (
            "harms",
            lists(
                rows.iter()
                    .map(|row| row.harms.iter().map(|harm| (*harm).to_owned()).collect()),
            ),
        ),
        ("through_group", texts(rows.iter().map(|row| row.group))),
        (
            "kept_because",
            owned_texts(rows.iter().map(|row| row.kept.map(Keep::note))),
        ),
    ]);
    columns.extend(basis(diff, frame, rows.len()));
    let since = times(rows.iter().map(|row| Some(row.since.unwrap_or(frame.window.since))));
    columns
        .iter_mut()
        .filter(|(name, _)| *name == "since")
        .for_each(|(_, values)| *values = Arc::clone(&since));
    batch(columns)
}

/// What the logs show of each permission.
fn evidence(rows: &[&Row<'_>]) -> Vec<Named> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    vec![
        (
            "uses",
            integers(
                rows.iter()
                    .map(|row| number(used(row).map_or(0, |evidence| evidence.used))),
            ),
        ),
        (
            "last_used",
            times(rows.iter().map(|row| used(row).and_then(|evidence| evidence.last_used))),
        ),
        (
            "resource_count",
            integers(
                rows.iter()
                    .map(|row| number(used(row).map_or(0, |evidence| evidence.resource_count))),
            ),
        ),
        (
            "denied_attempts",
            integers(
                rows.iter()
                    .map(|row| number(row.evidence.map_or(0, |evidence| evidence.denied))),
            ),
        ),
    ]
}

/// A row for each finding.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn finding_rows(findings: &[Finding], frame: DiffFrame<'_>) -> Result<RecordBatch, ReportError> {
    let mut columns: Vec<Named> = vec![
        (
            "finding",
            texts(findings.iter().map(|finding| Some(finding.kind.name()))),
        ),
        (
            "principal_arn",
            texts(findings.iter().map(|finding| Some(finding.principal_arn.as_str()))),
        ),
        (
            "scope",
            texts(findings.iter().map(|finding| Some(finding.scope.as_str()))),
        ),
        (
            "message",
            texts(findings.iter().map(|finding| Some(finding.message.as_str()))),
        ),
        (
            "action_count",
            counts(findings.iter().map(|finding| finding.action_count)),
        ),
        ("actions", lists(findings.iter().map(|finding| finding.actions.clone()))),
        (
            "harms",
            lists(
                findings
                    .iter()
                    .map(|finding| finding.harms.iter().map(|harm| (*harm).to_owned()).collect()),
            ),
        ),
        ("last_used", times(findings.iter().map(|finding| finding.last_used))),
        (
            "kept_because",
            texts(findings.iter().map(|finding| finding.kept.as_deref())),
        ),
    ];
    columns.extend(frame.columns(findings.len()));
    batch(columns)
}

/// What the verdicts of a principal rest on, in every row.
fn basis(diff: &PrincipalDiff<'_>, frame: DiffFrame<'_>, rows: usize) -> Vec<Named> {
    let key = &diff.subject.key;
    let taken_at = diff.subject.member.map(|member| member.taken_at);
    let share = diff.coverage.map(|coverage| coverage.share());
    let same = |text: Option<&str>| texts(std::iter::repeat_n(text, rows));
    let [since, until, source, facts_date] = frame.columns(rows);
    vec![
        ("principal_id", same(key.unique_id.as_deref())),
        ("account_id", same(key.account_id())),
        since,
        until,
        source,
        (
            "coverage",
            Arc::new(Float64Array::from_iter(std::iter::repeat_n(share, rows))),
        ),
        facts_date,
        ("snapshot_time", times(std::iter::repeat_n(taken_at, rows))),
    ]
}

/// What shows the use of a permission.
fn used<'s>(row: &Row<'s>) -> Option<&'s ActionUse> {
    row.evidence.filter(|evidence| evidence.used > 0)
}

pub(super) fn batch(columns: Vec<Named>) -> Result<RecordBatch, ReportError> {
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn text(value: Option<&str>) -> ArrayRef {
    texts([value])
}

pub(super) fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

pub(super) fn owned_texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(super) fn integers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

pub(super) fn counts(values: impl IntoIterator<Item = usize>) -> ArrayRef {
    optional_counts(values.into_iter().map(Some))
}

pub(super) fn optional_counts(values: impl IntoIterator<Item = Option<usize>>) -> ArrayRef {
    let values = values.into_iter();
    let numbers = values.map(|value| value.map(|count| i64::try_from(count).unwrap_or(i64::MAX)));
    Arc::new(numbers.collect::<Int64Array>())
}

pub(super) fn times(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    let times: TimestampMicrosecondArray = values.into_iter().collect();
    Arc::new(times.with_timezone("UTC"))
}

pub(super) fn lists(values: impl IntoIterator<Item = Vec<String>>) -> ArrayRef {
    let element = Arc::new(Field::new("element", DataType::Utf8, true));
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(element);
    for texts in values {
        texts.iter().for_each(|text| builder.values().append_value(text));
        builder.append(true);
    }
    Arc::new(builder.finish())
}
