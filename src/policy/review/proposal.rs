//! What is proposed for a user or role, and why, in words.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::event::format_canonical;
use crate::iam::arn::is_of_permission_set;
use crate::iam::arn::is_service_linked;
use crate::policy::decision::DecisionKind;
use crate::policy::diff::Absence;
use crate::policy::diff::Activity;
use crate::policy::diff::PrincipalDiff;
use crate::policy::diff::Row;
use crate::policy::diff::Verdict;

/// Things of a kind that a sentence names.
const NAMED: usize = 6;

/// Reasons that are told one by one.
const NAMED_REASONS: usize = 3;

/// What is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProposedChange {
    /// It goes: nobody used it.
    Remove,
    /// What is not used goes.
    Trim,
    /// It stays as it is.
    Keep,
}

/// What is proposed for one principal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proposed {
    pub(super) change: ProposedChange,
    /// Permissions that would be taken away.
    pub(super) permissions: usize,
    pub(super) reasons: Vec<String>,
}

impl ProposedChange {
    /// All of them, the widest first.
    pub const ALL: [Self; 3] = [Self::Remove, Self::Trim, Self::Keep];

    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Trim => "trim",
            Self::Keep => "keep",
        }
    }

    /// What the use of permissions allows to propose: only what is certainly unused goes.
    pub fn of(diff: &PrincipalDiff<'_>) -> Self {
        let is_ours = diff.subject.member.is_some() && !is_service_linked(&diff.subject.key.arn);
        let is_idle = diff.summary.activity == Activity::NeverUsed && !lacks_report(diff);
        let goes = is_idle && is_ours && diff.kept.is_none();
        match (goes, diff.summary.removable) {
            (true, _) => Self::Remove,
            (false, 0) => Self::Keep,
            (false, _) => Self::Trim,
        }
    }

    /// Whether something is still to be done for a principal that is still there, after a decision.
    pub fn is_left_after(self, decision: DecisionKind) -> bool {
        match decision {
            DecisionKind::Keep => false,
            DecisionKind::Trim => self != Self::Keep,
            DecisionKind::Remove => true,
        }
    }
}

/// What the evidence allows to propose: only what is certainly unused goes. `untaken` are parts of its trust policy by which
/// nobody came.
pub(super) fn propose(diff: &PrincipalDiff<'_>, untaken: &[&str]) -> Proposed {
    let (summary, arn) = (&diff.summary, diff.subject.key.arn.as_str());
    let mut reasons = Vec::new();
    let (change, permissions) = match ProposedChange::of(diff) {
        ProposedChange::Remove => {
            reasons.extend(unused(diff));
            (ProposedChange::Remove, summary.granted)
        }
        ProposedChange::Keep if untaken.is_empty() || diff.kept.is_some() => {
            reasons.push(stays(diff));
            (ProposedChange::Keep, 0)
        }
        ProposedChange::Keep | ProposedChange::Trim => {
            reasons.extend(trimmed(diff));
            (ProposedChange::Trim, summary.removable)
        }
    };
    if change == ProposedChange::Trim && !untaken.is_empty() {
        let those = listed(untaken, NAMED);
        reasons.push(format!("Trusted to take the role, and never came: {those}."));
    }
    if change == ProposedChange::Trim && summary.activity == Activity::NeverUsed && lacks_report(diff) {
        reasons.push(
            "It made no call. Import a credential report, to know whether its keys and password can go as well."
                .to_owned(),
        );
    }
    if change != ProposedChange::Remove {
        reasons.extend(unknown(diff));
        reasons.extend(denied(summary.denied));
    }
    if change != ProposedChange::Keep && is_of_permission_set(arn) {
        reasons.push(
            "The role is made of a permission set of IAM Identity Center: change that or its assignment.".to_owned(),
        );
    }
    Proposed {
        change,
        permissions,
        reasons,
    }
}

/// Whether nobody knows of the keys and the password of a user if they were used for what leaves no event.
fn lacks_report(diff: &PrincipalDiff<'_>) -> bool {
    !diff.subject.key.arn.contains(":role/") && !diff.is_reported
}

/// Why all of it can go.
fn unused(diff: &PrincipalDiff<'_>) -> Vec<String> {
    let is_role = diff.subject.key.arn.contains(":role/");
    let nobody = match is_role {
        true => "Nobody took the role, and it made no call",
        false => "It made no call",
    };
    let last = diff.subject.member.and_then(|member| member.principal.last_used_at);
    let earlier = match last.and_then(format_canonical) {
        Some(last) => {
            format!("IAM says that it was last used at {last}: ask whether it is needed once in a long while.")
        }
        None => "IAM does not know of any use either.".to_owned(),
    };
    let proof = match is_role {
        true => "the logs would show it",
        false => "the credential report shows no use of its keys and password",
    };
    vec![format!("{nobody} in the window, and {proof}."), earlier]
}

/// Why some of it can go.
fn trimmed(diff: &PrincipalDiff<'_>) -> Vec<String> {
    let summary = &diff.summary;
    if summary.removable == 0 {
        return Vec::new();
    }
    let mut reasons = vec![format!(
        "{} of {} were not used, and the logs would show a use.",
        summary.removable,
        counted(summary.granted, "permission")
    )];
    let granted = diff.granted();
    let is_gone = |row: &&&Row<'_>| row.verdict == Verdict::Unused && row.kept.is_none();
    let harmful = granted.values().filter(is_gone).filter(|row| !row.harms.is_empty());
    let harmful: Vec<&str> = harmful.map(|row| row.action).collect();
    if !harmful.is_empty() {
        let can = format!("{} of these can do harm", harmful.len());
        reasons.push(format!("{can}: {}.", listed(&harmful, NAMED)));
    }
    if !summary.unused_policies.is_empty() {
        let names = summary.unused_policies.iter().map(|id| policy_name(id));
        let names: Vec<&str> = names.collect();
        reasons.push(format!("Nothing was used of the policies {}.", listed(&names, NAMED)));
    }
    reasons
}

/// Why all of it stays.
fn stays(diff: &PrincipalDiff<'_>) -> String {
    let summary = &diff.summary;
    if let Some(keep) = diff.kept {
        return format!("Kept on purpose: {}.", keep.note());
    }
    if is_service_linked(&diff.subject.key.arn) {
        return "The role belongs to an AWS service, and nobody else can change it.".to_owned();
    }
    match (diff.subject.absence, summary.granted) {
        (Some(Absence::NoSnapshot), _) => {
            "There is no IAM snapshot of its account, so that nobody knows what it may do.".to_owned()
        }
        (Some(Absence::LacksPages), _) => {
            "The IAM snapshot of its account lacks pages, so that nobody knows what it may do.".to_owned()
        }
        (Some(Absence::NotInSnapshot | Absence::OtherPrincipal), _) => {
            "It is gone: the IAM snapshot does not have it any more.".to_owned()
        }
        (Some(Absence::EarlierPrincipal), _) => {
            "It was made again after the IAM snapshot, so that nobody knows what it may do.".to_owned()
        }
        (None, 0) => "No policy grants it anything.".to_owned(),
        (None, granted) => format!(
            "Of {} {} used, and none is known to be unused.",
            counted(granted, "permission"),
            match summary.used {
                1 => "1 was".to_owned(),
                used => format!("{used} were"),
            }
        ),
    }
}

/// What nothing can be said of, and why.
fn unknown(diff: &PrincipalDiff<'_>) -> Option<String> {
    let mut by_name: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for row in diff.granted().into_values() {
        if let Verdict::Unknown(reason) = &row.verdict {
            let words = reason.to_string();
            let (count, told) = by_name.entry(reason.name()).or_insert_with(|| (0, words.clone()));
            *count += 1;
            // What is said of one action may not hold for the next: then only what both have in common is told.
            if *told != words {
                *told = reason.name().replace('-', " ");
            }
        }
    }
    let total: usize = by_name.values().map(|(count, _)| count).sum();
    let mut reasons: Vec<(usize, String)> = by_name.into_values().collect();
    reasons.sort_by_key(|(count, _)| Reverse(*count));
    reasons.truncate(NAMED_REASONS);
    let told_count: usize = reasons.iter().map(|(count, _)| count).sum();
    let told = reasons.into_iter();
    let mut told: Vec<String> = told.map(|(count, words)| format!("{words} ({count})")).collect();
    if told_count < total {
        told.push(format!("and {} for other reasons", total - told_count));
    }
    let whether = "stays, as nobody knows whether it is used";
    let whether_all = "stay, as nobody knows whether they are used";
    let verb = if total == 1 { whether } else { whether_all };
    (total > 0).then(|| format!("{} {verb}: {}.", counted(total, "permission"), told.join("; ")))
}

fn denied(count: usize) -> Option<String> {
    let what = match count {
        1 => "1 permission was tried and denied, and stays: someone wants to do it.".to_owned(),
        _ => format!("{count} permissions were tried and denied, and stay: someone wants to do it."),
    };
    (count > 0).then_some(what)
}

/// The name in the ARN of a managed policy, or after the principal's ARN of an inline one.
fn policy_name(id: &str) -> &str {
    id.rsplit(['/', '#']).next().unwrap_or(id)
}

fn listed(texts: &[&str], named: usize) -> String {
    let told: Vec<&str> = texts.iter().copied().take(named).collect();
    let more = match texts.len().saturating_sub(named) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", told.join(", "))
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
