//! One principal on a page: what it uses, and the rest in groups that a person can read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Share;
use super::percent;
use super::shares;
use crate::analysis::moment;
use crate::policy::Activity;
use crate::policy::Keep;
use crate::policy::PrincipalDiff;
use crate::policy::Row;
use crate::policy::Verdict;
use crate::report::counted::counted_resources;
use crate::report::counted::format_count;
use crate::report::escape::shown;

/// Actions of a group that are named, where there are few groups.
const NAMED: usize = 24;

/// The same, where there are many.
const NAMED_OF_MANY: usize = 4;

/// More groups than these are many.
const MANY_GROUPS: usize = 25;

/// Reasons that are told with their details.
const NAMED_REASONS: usize = 12;

#[derive(Debug, Serialize)]
pub(super) struct PrincipalView {
    anchor: String,
    arn: String,
    name: String,
    account: String,
    activity: String,
    granted: String,
    used: String,
    unknown: String,
    removable: String,
    harmful: String,
    shares: Vec<Share>,
    basis: Vec<String>,
    unused_policies: Vec<String>,
    used_actions: Vec<UsedView>,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct UsedView {
    action: String,
    uses: String,
    resources: String,
    last_used: String,
}

/// Actions of one verdict.
#[derive(Debug, Serialize)]
struct Part {
    title: &'static str,
    by: &'static str,
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    count: String,
    harmful: Vec<String>,
    actions: Vec<String>,
    more: Option<String>,
}

impl PrincipalView {
    pub(super) fn of(diff: &PrincipalDiff<'_>, number: usize) -> Self {
        let (summary, arn) = (&diff.summary, diff.subject.key.arn.as_str());
        let policies = summary.unused_policies.iter();
        Self {
            anchor: format!("p{number}"),
            arn: shown(arn),
            name: shown(arn.rsplit(':').next().unwrap_or(arn)),
            account: shown(diff.subject.key.account_id().unwrap_or_default()),
            activity: summary.activity.name().to_owned(),
            granted: format_count(summary.granted),
            used: format_count(summary.used),
            unknown: format_count(summary.unknown),
            removable: format_count(summary.removable),
            harmful: format_count(summary.high_risk_removable),
            shares: shares(
                [summary.used, summary.denied, summary.unknown],
                summary.unused,
                summary.removable,
            ),
            basis: basis(diff),
            unused_policies: policies.map(|id| shown(id)).collect(),
            used_actions: used_actions(diff),
            parts: parts(diff),
        }
    }
}

/// What the verdicts on the principal rest on.
fn basis(diff: &PrincipalDiff<'_>) -> Vec<String> {
    let (key, deeds) = (&diff.subject.key, &diff.subject.deeds);
    let mut lines = Vec::new();
    lines.extend(key.unique_id.as_deref().map(|id| format!("id {}", shown(id))));
    lines.push(match deeds.last_seen {
        Some(time) => format!("last call {}", moment(time)),
        None => "no call in the window".to_owned(),
    });
    if let Activity::Unknown(reason) = &diff.summary.activity {
        lines.push(shown(&reason.to_string()));
    }
    lines.push(match diff.subject.member {
        Some(member) => format!("IAM snapshot of {}", moment(member.taken_at)),
        None => "in no IAM snapshot".to_owned(),
    });
    lines.push(match diff.coverage {
        Some(coverage) => format!("logs for {} of the hours", percent(coverage.share())),
        None => "no logs of the account".to_owned(),
    });
    if diff.summary.blocked > 0 {
        let blocked = format_count(diff.summary.blocked);
        let actions = if diff.summary.blocked == 1 {
            "action is"
        } else {
            "actions are"
        };
        lines.push(format!("{blocked} more {actions} denied or outside of its boundaries"));
    }
    lines.extend(
        diff.kept
            .map(|keep| format!("kept as a whole: {}", shown(&keep.note()))),
    );
    lines
}

fn used_actions(diff: &PrincipalDiff<'_>) -> Vec<UsedView> {
    let granted = diff.granted();
    let used = granted.iter().filter(|(_, row)| row.verdict == Verdict::Used);
    let views = used.filter_map(|(action, row)| {
        let evidence = row.evidence?;
        Some(UsedView {
            action: shown(action),
            uses: evidence.used.to_string(),
            resources: counted_resources(evidence.resource_count),
            last_used: evidence.last_used.map_or_else(String::new, moment),
        })
    });
    views.collect()
}

fn parts(diff: &PrincipalDiff<'_>) -> Vec<Part> {
    let granted: Vec<&Row<'_>> = diff.granted().into_values().collect();
    let of_granted = |is_meant: &dyn Fn(&Row<'_>) -> bool| -> Vec<&Row<'_>> {
        granted.iter().copied().filter(|row| is_meant(row)).collect()
    };
    let not_granted = |is_meant: &dyn Fn(&Verdict) -> bool| -> Vec<&Row<'_>> {
        let others = diff.rows.iter().filter(|row| row.policy.is_none());
        others.filter(|row| is_meant(&row.verdict)).collect()
    };
    let is_unused = |row: &Row<'_>| row.verdict == Verdict::Unused;
    let is_unknown = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(_));
    let unused = of_granted(&|row| is_unused(row) && row.kept.is_none());
    let kept = of_granted(&|row| is_unused(row) && row.kept.is_some());
    let denied = of_granted(&|row| row.verdict == Verdict::DeniedAttempt);
    let unknown = of_granted(&|row| is_unknown(&row.verdict));
    let used_elsewhere = not_granted(&|verdict| matches!(verdict, Verdict::UsedNotGranted(_)));
    let denied_elsewhere = not_granted(&|verdict| *verdict == Verdict::DeniedAttempt);
    let unknown_elsewhere = not_granted(&is_unknown);
    let parts = [
        ("Unused", "service", grouped(&unused, service)),
        (
            "Unused, kept on purpose",
            "reason",
            grouped(&kept, |row| row.kept.map_or_else(String::new, Keep::note)),
        ),
        ("Granted, tried and denied", "service", grouped(&denied, service)),
        (
            "Used, and not granted",
            "reason",
            grouped(&used_elsewhere, |row| row.verdict.reason().unwrap_or_default()),
        ),
        (
            "Tried and denied, and not granted",
            "service",
            grouped(&denied_elsewhere, service),
        ),
        ("Unknown", "reason", by_reason(&unknown)),
        (
            "Used, and unknown whether granted",
            "reason",
            by_reason(&unknown_elsewhere),
        ),
    ];
    let parts = parts.into_iter().filter(|(.., groups)| !groups.is_empty());
    parts.map(|(title, by, groups)| Part { title, by, groups }).collect()
}

fn service(row: &Row<'_>) -> String {
    row.action.split(':').next().unwrap_or(row.action).to_owned()
}

/// Reasons in their own words; by their names where there are too many to read.
fn by_reason(rows: &[&Row<'_>]) -> Vec<Group> {
    let in_words = grouped(rows, |row| row.verdict.reason().unwrap_or_default());
    match in_words.len() <= NAMED_REASONS {
        true => in_words,
        false => grouped(rows, |row| match &row.verdict {
            Verdict::Unknown(reason) => reason.name().to_owned(),
            verdict => verdict.name().to_owned(),
        }),
    }
}

fn grouped(rows: &[&Row<'_>], name: impl Fn(&Row<'_>) -> String) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        groups.entry(name(row)).or_default().push(row);
    }
    let named = if groups.len() > MANY_GROUPS {
        NAMED_OF_MANY
    } else {
        NAMED
    };
    groups
        .into_iter()
        .map(|(name, rows)| group(&name, &rows, named))
        .collect()
}

/// Only what is unused can be taken away, so only there it matters what could do harm.
fn group(name: &str, rows: &[&Row<'_>], named: usize) -> Group {
    let is_harmful = |row: &&&Row<'_>| !row.harms.is_empty() && row.verdict == Verdict::Unused;
    let harmful = rows.iter().filter(is_harmful).take(named);
    let harmful: Vec<String> = harmful.map(|row| shown(row.action)).collect();
    let others = rows.iter().filter(|row| !is_harmful(row));
    let others = others.take(named - harmful.len());
    let actions: Vec<String> = others.map(|row| shown(row.action)).collect();
    let unnamed = rows.len() - harmful.len() - actions.len();
    Group {
        name: shown(name),
        count: format_count(rows.len()),
        harmful,
        actions,
        more: (unnamed > 0).then(|| format_count(unnamed)),
    }
}
