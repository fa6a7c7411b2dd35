//! Granted against used: for every principal, policy, statement and action what the logs prove, and what they cannot.
//!
//! "Unused" is only said where the logs would show a use: long enough, covered, and by a trail that records such calls.
//! Everything else is unknown, with the reason. An attempt that was denied is no use.

mod credential;
mod doubt;
mod finding;
mod group;
mod judge;
mod kept;
mod lack;
mod not_granted;
mod reason;
mod regions;
mod service_role;
mod silence;
mod since;
mod span;
mod subject;
mod summary;
mod taking;
mod totals;
mod unmapped;
mod visibility;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

pub use credential::credential_findings;
pub use doubt::RegionDoubts;
pub use finding::Finding;
pub use finding::FindingKind;
pub use group::Group;
pub use group::GroupedAction;
pub use group::Grouping;
pub use group::Groups;
pub(in crate::policy) use group::permission_set;
pub use not_granted::NotGranted;
pub use reason::Reason;
pub use subject::Absence;
pub use subject::Subject;
pub use subject::subjects;
pub use summary::Activity;
pub use summary::Summary;
pub use totals::Totals;

use super::account_log::Coverage;
use super::estate::Estate;
use super::estate::SeenByIam;
use super::grant::Expander;
use super::grant::Permissions;
use super::grant::Standing;
use super::keep::Keep;
use super::keep::KeepList;
use super::snapshot::Policy;
use super::usage::ActionUse;
use super::usage::Usage;
use crate::iam::Action;
use crate::iam::Facts;
use doubt::Doubts;
use doubt::is_reported;
use judge::Held;
use judge::Judge;
use kept::Kept;
use kept::KeptOfPrincipal;
use since::Since;
use summary::rank;
use unmapped::Unmapped;
use visibility::Visibility;

/// What it takes to say "unused".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Share of the hours of the window that the logs of the account must cover.
    pub min_coverage: f64,
    /// Days that the window must have.
    pub min_window_days: i64,
}

impl Thresholds {
    /// Where nobody says otherwise.
    pub const DEFAULT: Self = Self {
        min_coverage: 0.95,
        min_window_days: 30,
    };
}

/// Compares principals one by one.
#[derive(Debug)]
pub struct Differ<'a> {
    usage: &'a Usage,
    estate: &'a Estate<'a>,
    thresholds: Thresholds,
    expander: Expander<'a>,
    visibility: Visibility<'a>,
    kept: Kept<'a>,
    seen_by_iam: SeenByIam<'a>,
}

/// One principal, granted against used.
#[derive(Debug)]
pub struct PrincipalDiff<'s> {
    /// Who.
    pub subject: &'s Subject<'s>,
    /// How much of the window the logs of its account cover; `None` if they hold nothing of it.
    pub coverage: Option<Coverage>,
    /// In the order of policies, statements and actions; what no policy grants comes last.
    pub rows: Vec<Row<'s>>,
    /// What the rows come to.
    pub summary: Summary<'s>,
    /// The entry of the allow-list that keeps the principal as a whole.
    pub kept: Option<&'s Keep>,
    /// Whether a credential report tells of the use of its keys and password, up to about the end of the window.
    pub is_reported: bool,
}

/// One action of one statement, or one that no statement grants.
#[derive(Debug)]
pub struct Row<'s> {
    /// The policy that grants it.
    pub policy: Option<&'s Policy>,
    /// ARN of the group through which the policy counts.
    pub group: Option<&'s str>,
    /// Position of the statement in the document, from 1.
    pub statement_number: Option<usize>,
    /// `Sid` of the statement.
    pub sid: Option<&'s str>,
    /// Full name of the action; hostile text if `known` is `None`.
    pub action: &'s str,
    /// What the facts say of it.
    pub known: Option<&'s Action>,
    /// Kinds of harm that it can do.
    pub harms: Vec<&'static str>,
    /// What the logs prove.
    pub verdict: Verdict,
    /// What they show.
    pub evidence: Option<&'s ActionUse>,
    /// The entry of the allow-list that keeps it, whatever the verdict.
    pub kept: Option<&'s Keep>,
    /// When the grant came into force, if that was inside the window: its verdict is about what is left of it.
    pub since: Option<i64>,
}

/// What the logs prove of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Granted and used.
    Used,
    /// Granted, and a use would have been seen.
    Unused,
    /// Granted, and nothing can be said about its use.
    Unknown(Reason),
    /// Used, and not granted by the snapshot.
    UsedNotGranted(NotGranted),
    /// Tried and denied, and never used.
    DeniedAttempt,
}

impl Verdict {
    /// Name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Unknown(_) => "unknown",
            Self::UsedNotGranted(_) => "used-not-granted",
            Self::DeniedAttempt => "denied-attempt",
        }
    }

    /// Why, where the verdict does not say so itself.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Unknown(reason) => Some(reason.to_string()),
            Self::UsedNotGranted(reason) => Some(reason.to_string()),
            Self::Used | Self::Unused | Self::DeniedAttempt => None,
        }
    }
}

impl<'a> Differ<'a> {
    /// Compares the principals of an estate with what the logs show.
    pub fn new(facts: &'a Facts, usage: &'a Usage, estate: &'a Estate<'a>, thresholds: Thresholds) -> Self {
        Self {
            usage,
            estate,
            thresholds,
            expander: Expander::new(facts),
            visibility: Visibility::new(facts),
            kept: Kept::default(),
            seen_by_iam: estate.seen_in(usage.window),
        }
    }

    /// Keeps what the entries of an allow-list say that have not expired: verdicts stay, but nothing of it is removable.
    pub fn keeping(mut self, list: &'a KeepList, now: i64) -> Self {
        self.kept = Kept::new(self.expander.facts(), list, now);
        self
    }

    /// Entries of the allow-list that were about no permission of the principals compared so far.
    pub fn idle_keeps(&self) -> Vec<&'a Keep> {
        self.kept.idle()
    }

    /// One principal.
    pub fn diff<'s>(&mut self, subject: &'s Subject<'a>) -> PrincipalDiff<'s>
    where
        'a: 's,
    {
        let permissions = subject
            .member
            .as_ref()
            .map(|member| self.expander.permissions(self.estate, member));
        let judge = Judge {
            gap: permissions
                .as_ref()
                .and_then(|permissions| permissions.gaps.first().cloned()),
            ..self.judge(subject)
        };
        let judge = Judge {
            unmapped: Unmapped::of(self.expander.facts(), subject, judge.log),
            ..judge
        };
        let changes = subject
            .member
            .as_ref()
            .map(|member| Since::new(self.usage, member, subject.deeds.first_seen));
        let mut rows = Vec::new();
        let mut blocked = 0;
        let mut kept_whole = None;
        if let Some((permissions, since)) = permissions.as_ref().zip(changes) {
            let mut kept = self.kept.of(&subject.key);
            kept_whole = kept.whole();
            let mut tools = (&self.expander, &mut self.visibility, &mut kept);
            blocked = granted_rows(&mut tools, (&judge, &since), permissions, &mut rows);
        }
        self.other_rows(&judge, permissions.as_ref(), &mut rows);
        let activity = judge.activity(&rows, || self.taking_doubt(&judge));
        let summary = Summary::of(subject, activity, &rows, blocked);
        PrincipalDiff {
            subject,
            coverage: judge.coverage,
            rows,
            summary,
            kept: kept_whole,
            is_reported: subject
                .member
                .is_some_and(|member| is_reported(&member, self.usage.window)),
        }
    }

    /// What the verdicts on a principal rest on, but for its permissions and its calls that map to no action.
    fn judge<'s>(&self, subject: &'s Subject<'s>) -> Judge<'s>
    where
        'a: 's,
    {
        let account = subject.key.account_id();
        let log = account.and_then(|account| self.usage.accounts.get(account));
        Judge {
            subject,
            account_id: account.unwrap_or_default(),
            log,
            coverage: log.map(|log| log.coverage(self.usage.window)),
            usage: self.usage,
            window: self.usage.window,
            thresholds: self.thresholds,
            gap: None,
            unmapped: Unmapped::default(),
            unseen_regions: log.map_or_else(Vec::new, |log| self.seen_by_iam.unseen_regions(account, log)),
            is_seen_by_iam: self.seen_by_iam.principals.contains(subject.key.arn.as_str()),
            doubts: Doubts::default(),
        }
    }

    /// Adds what was used or tried without a grant.
    fn other_rows<'s>(&self, judge: &Judge<'s>, permissions: Option<&Permissions<'s>>, rows: &mut Vec<Row<'s>>)
    where
        'a: 's,
    {
        let facts = self.expander.facts();
        let granted: BTreeSet<&str> = rows.iter().map(|row| row.action).collect();
        let mut others = Vec::new();
        for (name, evidence) in &judge.subject.deeds.actions {
            let id = facts.find(name);
            if granted.contains(name.as_str()) {
                continue;
            }
            let standing = match (permissions, id) {
                (Some(permissions), Some(id)) => permissions.standing(id),
                _ => Standing::NotGranted,
            };
            let Some(verdict) = judge.not_granted(evidence, &standing) else {
                continue;
            };
            others.push(Row {
                policy: None,
                group: None,
                statement_number: None,
                sid: None,
                action: name,
                known: id.and_then(|id| facts.action(id)),
                harms: id.map_or_else(Vec::new, |id| facts.sensitivity(id)),
                verdict,
                evidence: Some(evidence),
                kept: None,
                since: None,
            });
        }
        rows.append(&mut others);
    }
}

impl<'s> PrincipalDiff<'s> {
    /// Granted actions in order, each with the row that keeps it most if several statements grant it.
    pub fn granted(&self) -> BTreeMap<&'s str, &Row<'s>> {
        let mut actions: BTreeMap<&'s str, &Row<'s>> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.policy.is_some()) {
            let kept = actions.entry(row.action).or_insert(row);
            if rank(&row.verdict) < rank(&kept.verdict) {
                *kept = row;
            }
        }
        actions
    }

    /// Every action once: granted ones by the row that keeps them most, and those that no policy grants.
    pub fn by_action(&self) -> BTreeMap<&'s str, &Row<'s>> {
        let mut actions = self.granted();
        for row in &self.rows {
            actions.entry(row.action).or_insert(row);
        }
        actions
    }
}

/// What rows of granted actions are made with.
type Tools<'t, 'k, 'a> = (
    &'t Expander<'a>,
    &'t mut Visibility<'a>,
    &'t mut KeptOfPrincipal<'k, 'a>,
);

/// Adds a row for every action of every statement; returns how many granted actions are blocked altogether.
fn granted_rows<'s, 'a: 's>(
    (expander, visibility, kept): &mut Tools<'_, '_, 'a>,
    (judge, since): (&Judge<'s>, &Since<'_, 'a>),
    permissions: &Permissions<'s>,
    rows: &mut Vec<Row<'s>>,
) -> usize {
    let facts = expander.facts();
    let mut blocked = facts.no_actions();
    for grant in &permissions.grants {
        let held = Held {
            grant,
            since: since.of(grant),
            is_outdated: since.outdating(grant).is_some(),
        };
        let row = |action: &'s str, known: Option<&'s Action>, verdict: Verdict| Row {
            policy: Some(grant.policy),
            group: grant.group,
            statement_number: Some(grant.statement_number),
            sid: grant.statement.sid.as_deref(),
            action,
            known,
            harms: Vec::new(),
            verdict,
            evidence: judge.evidence(action),
            kept: None,
            since: held.since.filter(|since| *since < judge.window.until),
        };
        for id in grant.actions.iter() {
            if !permissions.effective.contains(id) {
                blocked.insert(id);
                continue;
            }
            let Some(action) = facts.action(id) else { continue };
            let (verdict, seen_since) = judge.granted(visibility.of(id), (id, action.name), held, permissions);
            rows.push(Row {
                since: held.since.max(seen_since).filter(|since| *since < judge.window.until),
                harms: facts.sensitivity(id),
                kept: kept.action(id),
                ..row(action.name, Some(action), verdict)
            });
        }
        for pattern in &grant.unknown_patterns {
            rows.push(Row {
                kept: kept.unknown(pattern),
                ..row(pattern, None, Verdict::Unknown(Reason::UnknownAction))
            });
        }
    }
    blocked.len()
}

#[cfg(test)]
mod tests;
