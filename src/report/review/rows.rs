//! A review as rows: one per user or role, with columns to be filled in.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::array::RecordBatch;

use super::ReviewReport;
use super::callers_by_kind;
use super::first_of;
use crate::policy::Activity;
use crate::policy::Decision;
use crate::policy::Deed;
use crate::policy::ReviewEntry;
use crate::policy::ServiceTally;
use crate::report::ReportError;
use crate::report::diff::Named;
use crate::report::diff::batch;
use crate::report::diff::counts;
use crate::report::diff::owned_texts;
use crate::report::diff::texts;
use crate::report::diff::times;

/// What one cell names: spreadsheets take 32,767 characters, and people less.
const NAMED: usize = 25;

/// A row for each user and role, with empty columns for decisions.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn review_rows(report: ReviewReport<'_>) -> Result<RecordBatch, ReportError> {
    let mut columns = who(report.entries);
    columns.extend(proposed(report.entries));
    columns.extend(decided(report.entries));
    columns.extend(granted(report.entries));
    columns.extend(done(report.entries));
    columns.extend(basis(report));
    batch(columns)
}

fn who(entries: &[ReviewEntry]) -> Vec<Named> {
    let text = |text: fn(&ReviewEntry) -> Option<&str>| texts(entries.iter().map(text));
    vec![
        ("principal_arn", text(|it| Some(&it.key.arn))),
        ("principal_id", text(|it| it.key.unique_id.as_deref())),
        ("kind", text(|it| Some(it.kind))),
        ("account_id", text(|it| it.key.account_id())),
        ("owner", text(|it| it.owner.as_ref().map(|(owner, _)| owner.as_str()))),
        ("owner_tag", text(|it| it.owner.as_ref().map(|(_, tag)| tag.as_str()))),
    ]
}

fn proposed(entries: &[ReviewEntry]) -> Vec<Named> {
    vec![
        ("proposal", texts(entries.iter().map(|it| Some(it.change.name())))),
        ("permissions_to_remove", counts(entries.iter().map(|it| it.permissions))),
        ("why", owned_texts(entries.iter().map(|it| Some(it.reasons.join(" "))))),
    ]
}

/// The columns to be filled in, and what was decided before.
fn decided(entries: &[ReviewEntry]) -> Vec<Named> {
    let empty = || texts(entries.iter().map(|_| None));
    let earlier = |entry: &ReviewEntry| {
        let decision = entry.decision.as_ref()?;
        let state = match (entry.is_decision_expired, entry.is_open()) {
            (true, _) => format!("expired on {}", decision.expires),
            (false, true) => format!("still to be done, until {}", decision.expires),
            (false, false) => format!("until {}", decision.expires),
        };
        Some(format!("{} ({state})", Decision::note(decision)))
    };
    vec![
        ("decision", empty()),
        ("reviewer", empty()),
        ("date", empty()),
        ("reason", empty()),
        ("expires", empty()),
        ("earlier_decision", owned_texts(entries.iter().map(earlier))),
    ]
}

fn granted(entries: &[ReviewEntry]) -> Vec<Named> {
    let number = |number: fn(&ReviewEntry) -> usize| counts(entries.iter().map(number));
    let of_entry = |text: fn(&ReviewEntry) -> String| owned_texts(entries.iter().map(|it| Some(text(it))));
    vec![
        ("granted", number(|it| it.counts.granted)),
        ("used", number(|it| it.counts.used)),
        ("denied_attempt", number(|it| it.counts.denied)),
        ("unknown", number(|it| it.counts.unknown)),
        ("removable", number(|it| it.counts.removable)),
        ("unused_kept", number(|it| it.counts.kept)),
        ("high_risk_granted", number(|it| it.high_risk.len())),
        ("high_risk_removable", number(|it| it.counts.removable_high_risk)),
        ("services", of_entry(|it| services(&it.services))),
        (
            "high_risk_actions",
            of_entry(|it| {
                let named = it
                    .high_risk
                    .iter()
                    .map(|risk| format!("{} ({})", risk.action, risk.verdict));
                first_of(named.collect(), NAMED, "; ")
            }),
        ),
    ]
}

fn done(entries: &[ReviewEntry]) -> Vec<Named> {
    let of_entry = |text: fn(&ReviewEntry) -> String| owned_texts(entries.iter().map(|it| Some(text(it))));
    let doubt = |entry: &ReviewEntry| match &entry.activity {
        Activity::Unknown(reason) => Some(reason.to_string()),
        Activity::Active | Activity::NeverUsed => None,
    };
    vec![
        ("activity", texts(entries.iter().map(|it| Some(it.activity.name())))),
        ("activity_reason", owned_texts(entries.iter().map(doubt))),
        ("last_seen", times(entries.iter().map(|it| Some(it.seen?.1)))),
        (
            "calls",
            counts(entries.iter().map(|it| {
                let calls: u64 = it.weeks.iter().map(|(_, calls)| calls).sum();
                usize::try_from(calls).unwrap_or(usize::MAX)
            })),
        ),
        ("actions", of_entry(|it| actions(&it.deeds))),
        (
            "regions",
            of_entry(|it| it.regions.iter().cloned().collect::<Vec<_>>().join("; ")),
        ),
        ("secrets_read", of_entry(secrets)),
        ("who_came", of_entry(callers)),
        ("session_names", of_entry(sessions)),
    ]
}

fn basis(report: ReviewReport<'_>) -> Vec<Named> {
    let entries = report.entries;
    let [since, until, source, facts_date] = report.frame.columns(entries.len());
    vec![
        ("created_at", times(entries.iter().map(|it| it.created_at))),
        ("snapshot_time", times(entries.iter().map(|it| it.snapshot_time))),
        (
            "coverage",
            Arc::new(entries.iter().map(|it| it.coverage).collect::<Float64Array>()),
        ),
        since,
        until,
        source,
        facts_date,
    ]
}

fn services(services: &[ServiceTally]) -> String {
    let named = services.iter().map(|it| {
        let parts = [
            (it.used, "used"),
            (it.denied, "denied"),
            (it.unknown, "unknown"),
            (it.removable, "removable"),
            (it.kept, "kept"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, name)| format!("{count} {name}")).collect();
        format!("{}: {}", it.service, parts.join(", "))
    });
    first_of(named.collect(), NAMED, "; ")
}

fn actions(deeds: &[Deed]) -> String {
    let named = deeds.iter().map(|deed| {
        let denied = match deed.denied {
            0 => String::new(),
            denied => format!(", {denied} denied"),
        };
        format!("{}: {} times{denied}", deed.action, deed.uses)
    });
    first_of(named.collect(), NAMED, "; ")
}

fn secrets(entry: &ReviewEntry) -> String {
    let named = entry.secrets.iter().map(|(name, it)| match it.refused {
        0 => format!("{name}: {} times", it.reads),
        refused => format!("{name}: {} times, {refused} refused", it.reads),
    });
    first_of(named.collect(), NAMED, "; ")
}

fn callers(entry: &ReviewEntry) -> String {
    let kinds = callers_by_kind(entry);
    let named = kinds.iter().flat_map(|(kind, callers)| {
        callers.iter().map(move |(caller, sessions, refused)| {
            let refused = match refused {
                0 => String::new(),
                refused => format!(", {refused} refused"),
            };
            format!("{} {}: {sessions} times{refused}", kind.name(), caller.name)
        })
    });
    first_of(named.collect(), NAMED, "; ")
}

fn sessions(entry: &ReviewEntry) -> String {
    let sessions = &entry.sessions;
    let named = sessions.newest.iter().map(|session| session.name.clone());
    let named: Vec<String> = named.take(NAMED).collect();
    let shown = u64::try_from(named.len()).unwrap_or(u64::MAX);
    let more = match sessions.count.saturating_sub(shown) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", named.join("; "))
}
