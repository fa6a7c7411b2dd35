//! Groups of principals as rows: one per group, or one per permission of a group.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::array::RecordBatch;

use super::ReportError;
use super::diff::DiffFrame;
use super::diff::Named;
use super::diff::batch;
use super::diff::counts;
use super::diff::integers;
use super::diff::lists;
use super::diff::owned_texts;
use super::diff::texts;
use super::diff::times;
use crate::policy::Group;
use crate::policy::GroupedAction;
use crate::policy::Keep;
use crate::policy::Totals;

/// A row for each group.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn group_rows(groups: &BTreeMap<String, Group<'_>>, frame: DiffFrame<'_>) -> Result<RecordBatch, ReportError> {
    let sums = |number: fn(&Totals) -> usize| counts(groups.values().map(|group| number(&group.totals)));
    let reductions = groups.values().map(|group| group.totals.reduction());
    let mut columns: Vec<Named> = vec![
        ("group", texts(groups.keys().map(|name| Some(name.as_str())))),
        ("activity", texts(groups.values().map(|group| Some(group.activity())))),
        (
            "account_count",
            counts(groups.values().map(|group| group.accounts.len())),
        ),
        ("principal_count", sums(|totals| totals.principals)),
        ("never_used", sums(|totals| totals.never_used)),
        ("granted", sums(|totals| totals.granted)),
        ("used", sums(|totals| totals.used)),
        ("denied_attempt", sums(|totals| totals.denied)),
        ("unknown", sums(|totals| totals.unknown)),
        ("unused", sums(|totals| totals.unused)),
        ("removable", sums(|totals| totals.removable)),
        ("kept", sums(|totals| totals.kept)),
        ("high_risk_removable", sums(|totals| totals.high_risk_removable)),
        ("reduction", Arc::new(reductions.collect::<Float64Array>())),
        (
            "principals",
            lists(groups.values().map(|group| group.principals.iter().cloned().collect())),
        ),
    ];
    columns.extend(frame.columns(groups.len()));
    batch(columns)
}

/// A row for each action of each group that `is_wanted`.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn group_permission_rows(
    groups: &BTreeMap<String, Group<'_>>,
    frame: DiffFrame<'_>,
    is_wanted: impl Fn(&GroupedAction<'_>) -> bool,
) -> Result<RecordBatch, ReportError> {
    let rows = groups.iter().flat_map(|(name, group)| {
        let actions = group.actions.iter();
        actions.map(move |(action, grouped)| (name.as_str(), *action, grouped))
    });
    let rows: Vec<(&str, &str, &GroupedAction<'_>)> = rows.filter(|(.., action)| is_wanted(action)).collect();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let actions = || rows.iter().map(|(.., action)| *action);
    let mut columns: Vec<Named> = vec![
        ("group", texts(rows.iter().map(|(group, ..)| Some(*group)))),
        ("action", texts(rows.iter().map(|(_, action, _)| Some(*action)))),
        ("verdict", texts(actions().map(|action| Some(action.verdict.name())))),
        ("reason", owned_texts(actions().map(|action| action.verdict.reason()))),
        ("uses", integers(actions().map(|action| number(action.uses)))),
        ("last_used", times(actions().map(|action| action.last_used))),
        ("granted_to", counts(actions().map(|action| action.granted_to))),
        ("used_by", counts(actions().map(|action| action.used_by))),
        (
            "harms",
            lists(actions().map(|action| action.harms.iter().map(|harm| (*harm).to_owned()).collect())),
        ),
        (
            "kept_because",
            owned_texts(actions().map(|action| action.kept.map(Keep::note))),
        ),
    ];
    columns.extend(frame.columns(rows.len()));
    batch(columns)
}
