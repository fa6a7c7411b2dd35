//! The reasons behind statements, as lines for comments and as JSON for files.

use serde_json::Value;
use serde_json::json;

use super::files::PolicyFrame;
use crate::analysis::moment;
use crate::policy::Kept;
use crate::policy::Proposal;
use crate::policy::ProposedPolicy;
use crate::policy::StatementReasons;
use crate::policy::UsedReason;
use crate::report::counted::counted_resources;
use crate::report::escape;

/// Names in one comment.
const NAMED: usize = 8;
/// Uses in the comments of one statement.
const USES: usize = 30;

/// What a proposal rests on, one line each, without characters that could end a comment.
pub(super) fn basis_lines(proposal: &Proposal<'_>, frame: PolicyFrame<'_>) -> Vec<String> {
    let window = frame.window;
    let mut lines = vec![format!(
        "{}: {} from {} to {} ({} days), facts of {}",
        proposal.subject.key.arn,
        frame.mode,
        moment(window.since),
        moment(window.until),
        window.days(),
        frame.facts_date,
    )];
    if let Some(coverage) = proposal.coverage {
        lines.push(format!(
            "The logs of its account cover {:.1} % of the window; \"unused\" needs {:.1} % and {} days.",
            coverage.share() * 100.0,
            frame.thresholds.min_coverage * 100.0,
            frame.thresholds.min_window_days,
        ));
    }
    if let Some(member) = &proposal.subject.member {
        lines.push(format!("IAM snapshot of {}.", moment(member.taken_at)));
    }
    lines.extend(proposal.notes.iter().map(|note| format!("Note: {note}.")));
    lines.extend(proposal.refusals.iter().map(|refusal| format!("Not done: {refusal}.")));
    shown(&lines)
}

/// What there is to say about a whole policy.
pub(super) fn policy_lines(policy: &ProposedPolicy<'_>) -> Vec<String> {
    let mut lines = vec![format!("{} `{}`", policy.change.name(), policy.name)];
    for present in &policy.present {
        if present.name != policy.name {
            lines.push(format!("in place of `{}`", present.id));
        }
    }
    if policy.holders.len() > 1 {
        lines.push(format!("shared by {}", some(&policy.holders)));
    }
    lines.extend(policy.notes.iter().cloned());
    for gone in &policy.gone {
        lines.push(format!("gone: statement {}", place(gone)));
        lines.push(removed(gone));
    }
    shown(&lines)
}

/// Why a statement is as it is.
pub(super) fn statement_lines(reasons: &StatementReasons) -> Vec<String> {
    let mut lines = vec![format!("from statement {}", place(reasons))];
    lines.extend(reasons.remarks.iter().cloned());
    lines.extend(reasons.used.iter().take(USES).map(used_line));
    if reasons.used.len() > USES {
        lines.push(format!("and {} more uses", reasons.used.len() - USES));
    }
    lines.extend(reasons.kept.iter().map(kept_line));
    if !reasons.removed.is_empty() {
        lines.push(removed(reasons));
    }
    shown(&lines)
}

fn place(reasons: &StatementReasons) -> String {
    let number = reasons
        .present_number
        .map_or_else(String::new, |number| number.to_string());
    let sid = reasons
        .sid
        .as_ref()
        .map_or_else(String::new, |sid| format!(" (`{sid}`)"));
    let policy = reasons.present_policy.as_ref();
    let policy = policy.map_or_else(String::new, |policy| format!(" of `{policy}`"));
    format!("{number}{sid}{policy}")
}

fn used_line(used: &UsedReason) -> String {
    let last = used
        .last_used
        .map_or_else(String::new, |last| format!(", last {}", moment(last)));
    let calls = listed(" by ", &used.calls);
    let events = listed("; events ", &used.event_ids);
    format!(
        "used: {} {} on {}{last}{calls} as {}{events}",
        used.action,
        plural(&used.uses.to_string(), "time"),
        plural(&counted_resources(used.resource_count), "resource"),
        used.principal
    )
}

/// A number with its noun.
fn plural(count: &str, noun: &str) -> String {
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

fn kept_line(kept: &Kept) -> String {
    format!("kept ({}): {}: {}", kept.reason, kept.text, some(&kept.actions))
}

fn removed(reasons: &StatementReasons) -> String {
    let names: Vec<String> = reasons.removed.iter().map(|name| (*name).to_owned()).collect();
    format!("removed as unused: {}", some(&names))
}

fn listed(before: &str, names: &[String]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("{before}{}", names.join(", ")),
    }
}

fn some(names: &[String]) -> String {
    let some = names.get(..NAMED.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => some,
        more => format!("{some} and {more} more"),
    }
}

/// Printable ASCII, so that a line stays one line in every language.
pub(super) fn shown(lines: &[String]) -> Vec<String> {
    let ascii = |line: &String| -> String {
        let visible = escape::visible(line);
        let characters = visible.chars().map(|character| match character.is_ascii() {
            true => character.to_string(),
            false => character.escape_unicode().to_string(),
        });
        characters.collect()
    };
    lines.iter().map(ascii).collect()
}

/// What a proposal rests on.
pub(super) fn basis_json(proposal: &Proposal<'_>, frame: PolicyFrame<'_>) -> Value {
    let refusals = proposal.refusals.iter().map(ToString::to_string);
    json!({
        "principal": proposal.subject.key.arn,
        "mode": frame.mode,
        "since": moment(frame.window.since),
        "until": moment(frame.window.until),
        "days": frame.window.days(),
        "coverage": proposal.coverage.map(|coverage| (coverage.share() * 10_000.0).round() / 10_000.0),
        "min_coverage": frame.thresholds.min_coverage,
        "min_window_days": frame.thresholds.min_window_days,
        "facts_date": frame.facts_date,
        "snapshot_time": proposal.subject.member.as_ref().map(|member| moment(member.taken_at)),
        "notes": proposal.notes,
        "refusals": refusals.collect::<Vec<_>>(),
    })
}

/// The reasons of a policy, in full.
pub(super) fn policy_json(policy: &ProposedPolicy<'_>) -> Value {
    let present = policy.present.iter().map(|present| &present.id);
    json!({
        "holders": policy.holders,
        "in_place_of": present.collect::<Vec<_>>(),
        "notes": policy.notes,
        "statements": policy.reasons.iter().map(reasons_json).collect::<Vec<_>>(),
        "gone": policy.gone.iter().map(reasons_json).collect::<Vec<_>>(),
    })
}

fn reasons_json(reasons: &StatementReasons) -> Value {
    let used = reasons.used.iter().map(|used| {
        json!({
            "action": used.action,
            "principal": used.principal,
            "uses": used.uses,
            "first_used": used.first_used.map(moment),
            "last_used": used.last_used.map(moment),
            "resource_count": used.resource_count,
            "resources": used.resources,
            "calls": used.calls,
            "event_ids": used.event_ids,
        })
    });
    let kept = reasons
        .kept
        .iter()
        .map(|kept| json!({ "reason": kept.reason, "text": kept.text, "actions": kept.actions }));
    json!({
        "statement": reasons.present_number,
        "policy": reasons.present_policy,
        "sid": reasons.sid,
        "used": used.collect::<Vec<_>>(),
        "kept": kept.collect::<Vec<_>>(),
        "removed": reasons.removed,
        "remarks": reasons.remarks,
    })
}
