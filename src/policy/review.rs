//! Access review: for each user and role what it may do, what it did, who came, and what is proposed.
//!
//! A proposal to take something away rests on what is certainly unused. What is unknown stays, with the reason.

mod proposal;
mod service;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

pub use proposal::ProposedChange;
pub use service::ServiceTally;

use super::decision::Decision;
use super::diff::Activity;
use super::diff::PrincipalDiff;
use super::diff::Summary;
use super::diff::Verdict;
use super::keep::KeepList;
use super::snapshot::PrincipalKind;
use super::trust::Caller;
use super::trust::CallerUse;
use super::trust::RoleTrust;
use super::usage::PrincipalKey;
use super::window::MICROS_PER_DAY;
use super::window::Window;
use proposal::propose;
use service::services;

/// Tags that name an owner where nobody says otherwise, the first that is there counts.
pub const OWNER_TAGS: [&str; 6] = ["Owner", "owner", "Team", "team", "Contact", "contact"];

/// Days of a week.
const WEEK: i64 = 7;

/// What the logs show of users and roles beside the use of their permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewLog {
    /// Calls by day since 1970-01-01.
    pub days: BTreeMap<PrincipalKey, BTreeMap<i64, u64>>,
    /// Names of the sessions in which they were made.
    pub sessions: BTreeMap<PrincipalKey, SessionNames>,
    /// Secrets and encrypted parameters by the ARN of who read them or tried to.
    pub secrets: BTreeMap<String, BTreeMap<String, SecretUse>>,
}

/// Names of the sessions of one role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionNames {
    /// The newest of them, the newest first.
    pub newest: Vec<SessionName>,
    /// How many there are.
    pub count: u64,
}

/// One name of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionName {
    /// The name, which whoever takes the role may choose; under Identity Center a person's.
    pub name: String,
    /// Calls.
    pub calls: u64,
    /// The last of them.
    pub last_seen: Option<i64>,
}

/// What one principal did with one secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretUse {
    /// Times that it was read.
    pub reads: u64,
    /// Times that a read was denied or failed.
    pub refused: u64,
}

/// What all entries of a review rest on.
#[derive(Debug, Clone, Copy)]
pub struct ReviewFrame<'a> {
    /// The window.
    pub window: Window,
    /// Tags that name an owner, the first that is there counts.
    pub owner_tags: &'a [String],
    /// What is kept on purpose, and what was decided before.
    pub keeps: &'a KeepList,
    /// The moment at which decisions count or have expired.
    pub now: i64,
}

/// One user or role.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewEntry {
    /// Who.
    pub key: PrincipalKey,
    /// `role` or `user`.
    pub kind: &'static str,
    /// Value of the tag that names an owner, and the tag.
    pub owner: Option<(String, String)>,
    /// When it was made.
    pub created_at: Option<i64>,
    /// Time of the IAM snapshot that it is in.
    pub snapshot_time: Option<i64>,
    /// Share of the window's hours that the logs of its account cover.
    pub coverage: Option<f64>,
    /// First and last call, or the last time that someone took the role.
    pub seen: Option<(i64, i64)>,
    /// Whether it did anything.
    pub activity: Activity,
    /// How many actions it is granted, by what the logs say of them.
    pub counts: ReviewCounts,
    /// The same by service, the most granted first.
    pub services: Vec<ServiceTally>,
    /// Granted actions that can do harm.
    pub high_risk: Vec<HighRisk>,
    /// What it did, the most frequent first.
    pub deeds: Vec<Deed>,
    /// Regions that served its calls.
    pub regions: BTreeSet<String>,
    /// Secrets and encrypted parameters that it read or tried to.
    pub secrets: BTreeMap<String, SecretUse>,
    /// Calls by week: its first day since 1970-01-01, a Monday, and the number.
    pub weeks: Vec<(i64, u64)>,
    /// Who took the role or tried to.
    pub callers: BTreeMap<Caller, CallerUse>,
    /// In which sessions.
    pub sessions: SessionNames,
    /// What is proposed.
    pub change: ProposedChange,
    /// Permissions that would be taken away.
    pub permissions: usize,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The newest decision on it.
    pub decision: Option<Decision>,
    /// Whether that no longer counts.
    pub is_decision_expired: bool,
}

/// How many actions are granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewCounts {
    /// All.
    pub granted: usize,
    /// Used.
    pub used: usize,
    /// Tried and denied, and never used.
    pub denied: usize,
    /// Of which nothing can be said.
    pub unknown: usize,
    /// Unused, and they stay: on purpose, or as the role belongs to a service.
    pub kept: usize,
    /// Unused, and they can be taken away.
    pub removable: usize,
    /// Of these, those that can do harm.
    pub removable_high_risk: usize,
}

/// A granted action that can do harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HighRisk {
    /// Full name.
    pub action: String,
    /// Kinds of harm.
    pub harms: Vec<&'static str>,
    /// What the logs say.
    pub verdict: &'static str,
}

/// What was done with one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Full name.
    pub action: String,
    /// Calls that succeeded.
    pub uses: u64,
    /// Calls that were denied.
    pub denied: u64,
    /// Last call of either kind.
    pub last_seen: Option<i64>,
    /// Regions that served them.
    pub regions: BTreeSet<String>,
    /// Whether a policy of the principal grants it.
    pub is_granted: bool,
}

impl ReviewEntry {
    /// What there is to say of a user or role; of a role with who took it.
    pub fn of(
        diff: &PrincipalDiff<'_>,
        trust: Option<&RoleTrust<'_>>,
        log: &ReviewLog,
        frame: ReviewFrame<'_>,
    ) -> Self {
        let (key, deeds, member) = (&diff.subject.key, &diff.subject.deeds, diff.subject.member);
        let decision = frame.keeps.decision_on(key).cloned();
        let trimmed = trust.and_then(|trust| trust.trimmed.as_ref());
        let untaken = trimmed.into_iter().flat_map(|trimmed| &trimmed.removed);
        let untaken: Vec<&str> = untaken.map(|part| part.text.as_str()).collect();
        let proposal = propose(diff, &untaken);
        Self {
            kind: kind(diff),
            owner: member.and_then(|member| owner(&member.principal.tags, frame.owner_tags)),
            created_at: member.and_then(|member| member.principal.created_at),
            snapshot_time: member.map(|member| member.taken_at),
            coverage: diff.coverage.map(|coverage| coverage.share()),
            seen: deeds.first_seen.zip(deeds.last_seen),
            activity: diff.summary.activity.clone(),
            counts: ReviewCounts::of(&diff.summary),
            services: services(diff),
            high_risk: high_risk(diff),
            deeds: deeds_of(diff),
            regions: deeds.regions.clone(),
            secrets: log.secrets.get(&key.arn).cloned().unwrap_or_default(),
            weeks: weeks(frame.window, own(&log.days, key)),
            callers: trust.map(|trust| trust.callers.clone()).unwrap_or_default(),
            sessions: sessions(own(&log.sessions, key)),
            change: proposal.change,
            permissions: proposal.permissions,
            reasons: proposal.reasons,
            is_decision_expired: decision.as_ref().is_some_and(|it| it.is_expired(frame.now)),
            decision,
            key: key.clone(),
        }
    }

    /// Whether something was decided that still counts and is still to be done.
    pub fn is_open(&self) -> bool {
        let is_there = self.snapshot_time.is_some();
        let decided = self.decision.as_ref().filter(|_| is_there && !self.is_decision_expired);
        decided.is_some_and(|decision| self.change.is_left_after(decision.kind))
    }
}

impl ReviewCounts {
    fn of(summary: &Summary<'_>) -> Self {
        Self {
            granted: summary.granted,
            used: summary.used,
            denied: summary.denied,
            unknown: summary.unknown,
            kept: summary.unused.saturating_sub(summary.removable),
            removable: summary.removable,
            removable_high_risk: summary.high_risk_removable,
        }
    }
}

fn kind(diff: &PrincipalDiff<'_>) -> &'static str {
    let of_arn = match diff.subject.key.arn.contains(":user/") {
        true => PrincipalKind::User,
        false => PrincipalKind::Role,
    };
    diff.subject
        .member
        .map_or(of_arn, |member| member.principal.kind)
        .name()
}

/// The value of the first of the wanted tags that has one, with the tag.
fn owner(tags: &[(String, String)], wanted: &[String]) -> Option<(String, String)> {
    let mut found = wanted.iter().filter_map(|key| {
        let mut own = tags
            .iter()
            .filter(|(name, value)| name == key && !value.trim().is_empty());
        own.next().map(|(name, value)| (value.trim().to_owned(), name.clone()))
    });
    found.next()
}

fn high_risk(diff: &PrincipalDiff<'_>) -> Vec<HighRisk> {
    let granted = diff.granted();
    let harmful = granted.into_iter().filter(|(_, row)| !row.harms.is_empty());
    let named = harmful.map(|(action, row)| HighRisk {
        action: action.to_owned(),
        harms: row.harms.clone(),
        verdict: row.verdict.name(),
    });
    named.collect()
}

fn deeds_of(diff: &PrincipalDiff<'_>) -> Vec<Deed> {
    let actions = diff.by_action().into_iter();
    let mut deeds: Vec<Deed> = actions
        .filter_map(|(action, row)| {
            let evidence = row.evidence.filter(|it| it.used > 0 || it.denied > 0)?;
            Some(Deed {
                action: action.to_owned(),
                uses: evidence.used,
                denied: evidence.denied,
                last_seen: evidence.last_used.max(evidence.last_denied),
                regions: evidence.regions.clone(),
                is_granted: row.policy.is_some() && !matches!(row.verdict, Verdict::UsedNotGranted(_)),
            })
        })
        .collect();
    deeds.sort_by(|left, right| (right.uses, &left.action).cmp(&(left.uses, &right.action)));
    deeds
}

/// What the logs have of a principal, under its ARN or, where it was renamed, under its id.
fn own<'l, T>(logged: &'l BTreeMap<PrincipalKey, T>, key: &PrincipalKey) -> Vec<&'l T> {
    let first = PrincipalKey {
        arn: key.arn.clone(),
        unique_id: None,
    };
    let namesakes = logged.range(first..).take_while(|(other, _)| other.arn == key.arn);
    let own = namesakes.filter(|(other, _)| other.may_be(key));
    own.map(|(_, value)| value).collect()
}

/// Calls of every week that a window touches.
fn weeks(window: Window, logged: Vec<&BTreeMap<i64, u64>>) -> Vec<(i64, u64)> {
    let first = monday(window.since.div_euclid(MICROS_PER_DAY));
    let last = monday((window.until - 1).div_euclid(MICROS_PER_DAY));
    let starts = (0..).map(|week| first + week * WEEK).take_while(|start| *start <= last);
    let mut weeks: BTreeMap<i64, u64> = starts.map(|start| (start, 0)).collect();
    for (day, calls) in logged.into_iter().flatten() {
        if let Some(sum) = weeks.get_mut(&monday(*day)) {
            *sum += calls;
        }
    }
    weeks.into_iter().collect()
}

/// The Monday of the week of a day; 1970-01-01 was a Thursday.
fn monday(day: i64) -> i64 {
    day - (day + 3).rem_euclid(WEEK)
}

fn sessions(logged: Vec<&SessionNames>) -> SessionNames {
    let mut sessions = SessionNames::default();
    for other in logged {
        sessions.count += other.count;
        sessions.newest.extend(other.newest.iter().cloned());
    }
    sessions
        .newest
        .sort_by(|left, right| (right.last_seen, &left.name).cmp(&(left.last_seen, &right.name)));
    sessions
}

#[cfg(test)]
mod tests;
