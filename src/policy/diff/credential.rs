//! Access keys and passwords that nobody used, as credential reports say and the logs do not contradict.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Thresholds;
use super::doubt::RegionDoubts;
use super::finding::Finding;
use super::finding::FindingKind;
use crate::event::format_canonical;
use crate::policy::estate::Estate;
use crate::policy::snapshot::Credential;
use crate::policy::snapshot::CredentialKind;
use crate::policy::usage::Usage;
use crate::policy::window::Window;

/// Findings in the order of principals and kinds.
///
/// A key is one if it is active, older than the window, and unused in the window by the report; and if the report explains
/// what the logs show of the user. It is judged up to the report, which says nothing of the time after, and the logs must
/// cover the window, as for permissions.
pub fn credential_findings(estate: &Estate<'_>, usage: &Usage, thresholds: Thresholds) -> Vec<Finding> {
    let reported: Vec<(&Credential, i64)> = estate.dated_credentials().collect();
    let last_seen = last_seen(estate, usage);
    let region_doubts = RegionDoubts::new(estate, usage, thresholds);
    let is_unused = |(credential, taken_at): &(&Credential, i64)| {
        let judged = judged(usage.window, *taken_at);
        judged.days() >= thresholds.min_window_days
            && is_old_and_unused(credential, usage)
            && is_covered(credential, &region_doubts, (usage, thresholds))
            && is_explained((credential, *taken_at), &reported, (&last_seen, usage.window))
    };
    let mut findings: Vec<Finding> = reported
        .iter()
        .filter(|it| is_unused(it))
        .filter_map(|(it, taken_at)| finding(it, judged(usage.window, *taken_at), usage.window))
        .collect();
    findings.sort();
    findings
}

/// What a report of some moment says something about.
fn judged(window: Window, taken_at: i64) -> Window {
    Window {
        until: window.until.min(taken_at).max(window.since),
        ..window
    }
}

fn is_old_and_unused(credential: &Credential, usage: &Usage) -> bool {
    let since = usage.window.since;
    // A password that was changed may be that of a user who came later, and a user may be older than its password.
    let made_at = match credential.kind {
        CredentialKind::Password => credential
            .user_created_at
            .map(|created_at| created_at.max(credential.changed_at.unwrap_or(created_at))),
        _ => credential.changed_at,
    };
    let is_old = made_at.is_some_and(|made_at| made_at <= since);
    let is_unused = credential.last_used_at.is_none_or(|last_used_at| last_used_at < since);
    credential.is_active == Some(true) && is_old && is_unused
}

/// Whether the logs of its account would show calls, of all regions.
fn is_covered(
    credential: &Credential,
    region_doubts: &RegionDoubts<'_>,
    (usage, thresholds): (&Usage, Thresholds),
) -> bool {
    let account = credential.account_id.as_deref();
    account.is_some_and(|account| {
        let log = usage.accounts.get(account);
        log.is_some_and(|log| log.coverage(usage.window).share() >= thresholds.min_coverage)
            && region_doubts.of(account).is_none()
    })
}

/// The last call of every principal, by the ARN in the logs and in the snapshots.
fn last_seen<'a>(estate: &Estate<'a>, usage: &'a Usage) -> BTreeMap<&'a str, i64> {
    let ids = estate.callers().filter_map(|member| {
        let principal = member.principal;
        Some((principal.unique_id.as_deref()?, principal.arn.as_str()))
    });
    let arns: BTreeMap<&str, &str> = ids.collect();
    let mut last_seen = BTreeMap::new();
    for (key, deeds) in &usage.principals {
        let by_id = key.unique_id.as_deref().and_then(|id| arns.get(id).copied());
        for arn in [Some(key.arn.as_str()), by_id].into_iter().flatten() {
            let known = last_seen.entry(arn).or_insert(i64::MIN);
            *known = deeds.last_seen.map_or(*known, |last| last.max(*known));
        }
    }
    last_seen
}

/// Calls of the user need a credential that the report knows as used, and none may be later than the report.
fn is_explained(
    (credential, taken_at): (&Credential, i64),
    reported: &[(&Credential, i64)],
    (last_seen, window): (&BTreeMap<&str, i64>, Window),
) -> bool {
    let arn = credential.principal_arn.as_str();
    let Some(last_seen) = last_seen.get(arn) else {
        // Calls of the root user are not gathered, so the report alone must reach to the end.
        return !arn.ends_with(":root") || taken_at >= window.until;
    };
    let own = reported.iter().filter(|(other, _)| other.principal_arn == arn);
    let used = own.filter_map(|(other, _)| other.last_used_at).max();
    *last_seen <= taken_at && used.is_some_and(|used| used >= window.since)
}

fn finding(credential: &Credential, judged: Window, window: Window) -> Option<Finding> {
    let (kind, what) = match credential.kind {
        CredentialKind::Password => (FindingKind::UnusedPassword, "the password"),
        CredentialKind::AccessKey1 => (FindingKind::UnusedAccessKey, "the first access key"),
        CredentialKind::AccessKey2 => (FindingKind::UnusedAccessKey, "the second access key"),
        // IAM does not say when a certificate was used.
        CredentialKind::Certificate1 | CredentialKind::Certificate2 => return None,
    };
    let before = match credential.last_used_at {
        Some(_) => "used before",
        None => "never used",
    };
    let until = match judged.until < window.until {
        true => format!(" until the report of {}", format_canonical(judged.until)?),
        false => String::new(),
    };
    Some(Finding {
        principal_arn: credential.principal_arn.clone(),
        kind,
        scope: credential.kind.name().to_owned(),
        actions: Vec::new(),
        action_count: 0,
        harms: BTreeSet::new(),
        last_used: credential.last_used_at,
        message: format!("{what} is active and was not used{until} ({before})"),
        kept: None,
    })
}
