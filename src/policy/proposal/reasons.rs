//! Why a statement is as it is.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::policy::diff::PrincipalDiff;
use crate::policy::diff::Row;
use crate::policy::diff::Verdict;
use crate::policy::keep::Keep;
use crate::policy::trace::ActionTraces;

/// Resources that are named as examples.
const EXAMPLES: usize = 5;
/// Events that are named.
const EVENTS: usize = 3;

/// What stands behind one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementReasons {
    /// Its position in the present document, from 1.
    pub present_number: Option<usize>,
    /// The present policy that it is from, where it is not the one of the same name.
    pub present_policy: Option<String>,
    /// `Sid` of the present statement.
    pub sid: Option<String>,
    /// What was used of it, by action and principal.
    pub used: Vec<UsedReason>,
    /// What stays without a proven use, by the reason.
    pub kept: Vec<Kept>,
    /// What was taken out.
    pub removed: Vec<&'static str>,
    /// What else there is to say.
    pub remarks: Vec<String>,
}

/// Use of one action by one principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedReason {
    /// Full name of the action.
    pub action: String,
    /// ARN of who used it.
    pub principal: String,
    /// Number of calls.
    pub uses: u64,
    /// First use.
    pub first_used: Option<i64>,
    /// Last use.
    pub last_used: Option<i64>,
    /// Number of distinct resources.
    pub resource_count: u64,
    /// Some of the resources.
    pub resources: Vec<String>,
    /// Calls that needed it.
    pub calls: Vec<String>,
    /// Ids of the last events.
    pub event_ids: Vec<String>,
}

/// Actions that stay for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Short name of the reason.
    pub reason: String,
    /// The reason.
    pub text: String,
    /// The actions and unknown names, in order.
    pub actions: Vec<String>,
}

impl UsedReason {
    /// What a row shows, with the traces of the principal.
    pub(super) fn of(row: &Row<'_>, principal: &str, traces: &ActionTraces) -> Self {
        let trace = traces.get(row.action);
        let evidence = row.evidence;
        let listed = evidence.into_iter().flat_map(|evidence| &evidence.resources);
        Self {
            action: row.action.to_owned(),
            principal: principal.to_owned(),
            uses: evidence.map_or(0, |evidence| evidence.used),
            first_used: evidence.and_then(|evidence| evidence.first_used),
            last_used: evidence.and_then(|evidence| evidence.last_used),
            resource_count: evidence.map_or(0, |evidence| evidence.resource_count),
            resources: listed.take(EXAMPLES).cloned().collect(),
            calls: trace.map_or_else(Vec::new, |trace| trace.calls.iter().cloned().collect()),
            event_ids: trace.map_or_else(Vec::new, |trace| trace.event_ids.iter().take(EVENTS).cloned().collect()),
        }
    }
}

/// Collects the reasons of the statements of one policy.
#[derive(Debug, Default)]
pub(super) struct ReasonBook {
    statements: BTreeMap<usize, StatementReasons>,
    kept: BTreeMap<usize, BTreeMap<(String, String), BTreeSet<String>>>,
}

impl ReasonBook {
    /// Notes what one principal does with the statements of a policy.
    pub(super) fn note(&mut self, policy_id: &str, diff: &PrincipalDiff<'_>, traces: &ActionTraces) {
        let principal = diff.subject.key.arn.as_str();
        for row in &diff.rows {
            let is_meant = row.policy.is_some_and(|policy| policy.id == policy_id);
            let Some(number) = row.statement_number.filter(|_| is_meant) else {
                continue;
            };
            let (name, text) = match &row.verdict {
                Verdict::Used | Verdict::UsedNotGranted(_) => {
                    let reasons = self.statements.entry(number).or_default();
                    let used = UsedReason::of(row, principal, traces);
                    if !reasons.used.contains(&used) {
                        reasons.used.push(used);
                    }
                    continue;
                }
                Verdict::Unused => match row.kept {
                    Some(keep) => on_purpose(keep),
                    None => continue,
                },
                Verdict::Unknown(reason) => (reason.name().to_owned(), reason.to_string()),
                Verdict::DeniedAttempt => ("denied-attempt".to_owned(), "it was tried and denied".to_owned()),
            };
            let by_reason = self.kept.entry(number).or_default();
            let actions = by_reason.entry((name, text)).or_default();
            if !actions.contains(row.action) {
                actions.insert(row.action.to_owned());
            }
        }
    }

    /// Notes that an action stays for another role of the permission set.
    pub(super) fn keep_for(&mut self, number: usize, role: &str, action: &str) {
        let text = format!("`{role}` of the same permission set uses it, or may");
        let by_reason = self.kept.entry(number).or_default();
        let actions = by_reason.entry(("permission-set".to_owned(), text)).or_default();
        actions.insert(action.to_owned());
    }

    /// The reasons of one statement.
    pub(super) fn of(&self, number: usize, sid: Option<&str>) -> StatementReasons {
        let mut reasons = self.statements.get(&number).cloned().unwrap_or_default();
        reasons.present_number = Some(number);
        reasons.sid = sid.map(str::to_owned);
        reasons.used.sort();
        let kept = self.kept.get(&number).into_iter().flatten();
        reasons.kept = kept
            .map(|((reason, text), actions)| kept_for(reason, text, actions.iter().cloned()))
            .collect();
        reasons
    }
}

/// Short name and text of the reason that an entry of the allow-list gives.
pub(super) fn on_purpose(keep: &Keep) -> (String, String) {
    ("kept-on-purpose".to_owned(), keep.note())
}

/// Actions that stay for a reason.
pub(super) fn kept_for(reason: &str, text: &str, actions: impl IntoIterator<Item = String>) -> Kept {
    let mut actions: Vec<String> = actions.into_iter().collect();
    actions.sort();
    Kept {
        reason: reason.to_owned(),
        text: text.to_owned(),
        actions,
    }
}
