//! A review as a workbook: the sheet to be filled in, and what stands behind its rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::array::RecordBatch;

use super::ReviewReport;
use super::rows::review_rows;
use crate::policy::ReviewEntry;
use crate::report::ReportError;
use crate::report::diff::Named;
use crate::report::diff::batch;
use crate::report::diff::counts;
use crate::report::diff::integers;
use crate::report::diff::owned_texts;
use crate::report::diff::texts;
use crate::report::diff::times;
use crate::report::workbook::Sheet;
use crate::report::workbook::Workbook;

const TITLE: &str = "Access review";
const MICROS_PER_SECOND: i64 = 1_000_000;

/// The workbook; it says that it was made at the end of the window.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn review_workbook(report: ReviewReport<'_>) -> Result<Workbook, ReportError> {
    let entries = report.entries;
    let created_at = report.frame.window.until.div_euclid(MICROS_PER_SECOND);
    let mut workbook = Workbook::new(TITLE, created_at);
    for (name, rows) in [
        ("Review", review_rows(report)?),
        ("Services", services(entries)?),
        ("Can do harm", high_risk(entries)?),
        ("Actions", actions(entries)?),
        ("Who came", callers(entries)?),
        ("Secrets read", secrets(entries)?),
    ] {
        let mut sheet = Sheet::of_schema(name, &rows.schema())?;
        sheet.write(&rows)?;
        workbook.add(sheet);
    }
    Ok(workbook)
}

/// What entries have of one kind, each beside its principal.
fn each<'e, T: 'e>(entries: &'e [ReviewEntry], parts: impl Fn(&'e ReviewEntry) -> Vec<T>) -> Vec<(&'e ReviewEntry, T)> {
    let all = entries.iter().flat_map(|entry| {
        let own = parts(entry).into_iter();
        own.map(move |part| (entry, part)).collect::<Vec<_>>()
    });
    all.collect()
}

fn principals<T>(rows: &[(&ReviewEntry, T)]) -> Vec<Named> {
    vec![
        (
            "principal_arn",
            texts(rows.iter().map(|(entry, _)| Some(entry.key.arn.as_str()))),
        ),
        (
            "owner",
            texts(
                rows.iter()
                    .map(|(entry, _)| entry.owner.as_ref().map(|(owner, _)| owner.as_str())),
            ),
        ),
    ]
}

fn services(entries: &[ReviewEntry]) -> Result<RecordBatch, ReportError> {
    let rows = each(entries, |entry| entry.services.iter().collect());
    let mut columns = principals(&rows);
    columns.extend([
        ("service", texts(rows.iter().map(|(_, it)| Some(it.service.as_str())))),
        ("granted", counts(rows.iter().map(|(_, it)| it.granted()))),
        ("used", counts(rows.iter().map(|(_, it)| it.used))),
        ("denied_attempt", counts(rows.iter().map(|(_, it)| it.denied))),
        ("unknown", counts(rows.iter().map(|(_, it)| it.unknown))),
        ("removable", counts(rows.iter().map(|(_, it)| it.removable))),
        ("unused_kept", counts(rows.iter().map(|(_, it)| it.kept))),
    ]);
    batch(columns)
}

fn high_risk(entries: &[ReviewEntry]) -> Result<RecordBatch, ReportError> {
    let rows = each(entries, |entry| entry.high_risk.iter().collect());
    let mut columns = principals(&rows);
    columns.extend([
        ("action", texts(rows.iter().map(|(_, it)| Some(it.action.as_str())))),
        ("verdict", texts(rows.iter().map(|(_, it)| Some(it.verdict)))),
        (
            "harms",
            owned_texts(rows.iter().map(|(_, it)| Some(it.harms.join(", ")))),
        ),
    ]);
    batch(columns)
}

fn actions(entries: &[ReviewEntry]) -> Result<RecordBatch, ReportError> {
    let rows = each(entries, |entry| entry.deeds.iter().collect());
    let regions = |regions: &BTreeSet<String>| {
        let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
        regions.join(", ")
    };
    let mut columns = principals(&rows);
    columns.extend([
        ("action", texts(rows.iter().map(|(_, it)| Some(it.action.as_str())))),
        ("uses", integers(rows.iter().map(|(_, it)| number(it.uses)))),
        ("denied", integers(rows.iter().map(|(_, it)| number(it.denied)))),
        ("last_seen", times(rows.iter().map(|(_, it)| it.last_seen))),
        (
            "regions",
            owned_texts(rows.iter().map(|(_, it)| Some(regions(&it.regions)))),
        ),
        (
            "granted_by_own_policy",
            Arc::new(rows.iter().map(|(_, it)| Some(it.is_granted)).collect::<BooleanArray>()),
        ),
    ]);
    batch(columns)
}

fn callers(entries: &[ReviewEntry]) -> Result<RecordBatch, ReportError> {
    let rows = each(entries, |entry| entry.callers.iter().collect());
    let mut columns = principals(&rows);
    columns.extend([
        (
            "kind",
            texts(rows.iter().map(|(_, (caller, _))| Some(caller.kind.name()))),
        ),
        (
            "caller",
            texts(rows.iter().map(|(_, (caller, _))| Some(caller.name.as_str()))),
        ),
        (
            "caller_account_id",
            texts(rows.iter().map(|(_, (caller, _))| caller.account_id.as_deref())),
        ),
        (
            "sessions",
            integers(rows.iter().map(|(_, (_, it))| number(it.sessions))),
        ),
        ("refused", integers(rows.iter().map(|(_, (_, it))| number(it.refused)))),
        ("first_seen", times(rows.iter().map(|(_, (_, it))| it.first_seen))),
        ("last_seen", times(rows.iter().map(|(_, (_, it))| it.last_seen))),
    ]);
    batch(columns)
}

fn secrets(entries: &[ReviewEntry]) -> Result<RecordBatch, ReportError> {
    let rows = each(entries, |entry| entry.secrets.iter().collect());
    let mut columns = principals(&rows);
    columns.extend([
        ("secret", texts(rows.iter().map(|(_, (name, _))| Some(name.as_str())))),
        ("reads", integers(rows.iter().map(|(_, (_, it))| number(it.reads)))),
        ("refused", integers(rows.iter().map(|(_, (_, it))| number(it.refused)))),
    ]);
    batch(columns)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
