//! One user or role as the page shows it.

use serde::Serialize;

use super::callers_by_kind;
use super::chart::Columns;
use crate::analysis::moment;
use crate::policy::Activity;
use crate::policy::CallerKind;
use crate::policy::Decision;
use crate::policy::Deed;
use crate::policy::ReviewCounts;
use crate::policy::ReviewEntry;
use crate::policy::ServiceTally;
use crate::report::counted::format_count;
use crate::report::escape::shown;
use crate::report::page::Share;
use crate::report::page::percent;
use crate::report::page::shares;

/// Services, actions and the like that are named one by one.
const NAMED: usize = 10;

/// Actions that can do harm that are named of one verdict.
const NAMED_HARMFUL: usize = 16;

/// A user or role.
#[derive(Debug, Serialize)]
pub(super) struct EntryView {
    anchor: String,
    arn: String,
    name: String,
    account: String,
    kind: &'static str,
    owner: String,
    owner_tag: String,
    proposal: &'static str,
    permissions: String,
    has_permissions: bool,
    reasons: Vec<String>,
    decision: Option<DecisionView>,
    granted: String,
    shares: Vec<Share>,
    weeks: Columns,
    last_seen: String,
    basis: Vec<String>,
    services: Vec<ServiceView>,
    high_risk: Vec<HighRiskView>,
    deeds: Vec<DeedView>,
    more_deeds: String,
    regions: Vec<String>,
    secrets: Vec<Line>,
    callers: Vec<CallersView>,
    sessions: Vec<String>,
    more_sessions: String,
}

/// What was decided before.
#[derive(Debug, Serialize)]
struct DecisionView {
    kind: &'static str,
    text: String,
    state: String,
    is_open: bool,
}

#[derive(Debug, Serialize)]
struct ServiceView {
    name: String,
    is_rest: bool,
    granted: String,
    shares: Vec<Share>,
}

#[derive(Debug, Serialize)]
struct HighRiskView {
    verdict: &'static str,
    class: &'static str,
    count: String,
    actions: Vec<String>,
    more: String,
}

#[derive(Debug, Serialize)]
struct DeedView {
    action: String,
    uses: String,
    denied: String,
    last_seen: String,
    remark: &'static str,
}

#[derive(Debug, Serialize)]
struct CallersView {
    kind: &'static str,
    callers: Vec<Line>,
    more: String,
}

/// A name with what there is to say of it.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    note: String,
}

impl EntryView {
    pub(super) fn of(entry: &ReviewEntry, number: usize) -> Self {
        let arn = entry.key.arn.as_str();
        let (owner, owner_tag) = entry.owner.clone().unwrap_or_default();
        let named_sessions = u64::try_from(entry.sessions.newest.len().min(NAMED)).unwrap_or(u64::MAX);
        Self {
            anchor: format!("p{number}"),
            arn: shown(arn),
            name: shown(arn.rsplit(['/', ':']).next().unwrap_or(arn)),
            account: shown(entry.key.account_id().unwrap_or_default()),
            kind: entry.kind,
            owner: shown(&owner),
            owner_tag: shown(&owner_tag),
            proposal: entry.change.name(),
            permissions: format_count(entry.permissions),
            has_permissions: entry.permissions > 0,
            reasons: entry.reasons.iter().map(|reason| shown(reason)).collect(),
            decision: entry
                .decision
                .as_ref()
                .map(|decision| DecisionView::of(decision, entry)),
            granted: format_count(entry.counts.granted),
            shares: bar(&entry.counts),
            weeks: Columns::of(&entry.weeks),
            last_seen: entry.seen.map_or("never".to_owned(), |(_, last)| date(last)),
            basis: basis(entry),
            services: services(&entry.services),
            high_risk: high_risk(entry),
            deeds: entry.deeds.iter().take(NAMED).map(DeedView::of).collect(),
            more_deeds: more(entry.deeds.len(), NAMED),
            regions: entry.regions.iter().map(|region| shown(region)).collect(),
            secrets: secrets(entry),
            callers: callers(entry),
            sessions: entry
                .sessions
                .newest
                .iter()
                .take(NAMED)
                .map(|it| shown(&it.name))
                .collect(),
            more_sessions: match entry.sessions.count.saturating_sub(named_sessions) {
                0 => String::new(),
                more => format!("and {} more", format_count(more)),
            },
        }
    }
}

impl DecisionView {
    fn of(decision: &Decision, entry: &ReviewEntry) -> Self {
        let is_open = entry.is_open();
        Self {
            kind: decision.kind.name(),
            text: shown(&decision.note()),
            state: match (entry.is_decision_expired, is_open) {
                (true, _) => format!("expired on {}: decide anew", decision.expires),
                (false, true) => "still to be done".to_owned(),
                (false, false) => format!("counts until {}", decision.expires),
            },
            is_open: is_open || entry.is_decision_expired,
        }
    }
}

impl DeedView {
    fn of(deed: &Deed) -> Self {
        Self {
            action: shown(&deed.action),
            uses: format_count(deed.uses),
            denied: match deed.denied {
                0 => String::new(),
                denied => format!("{} denied", format_count(denied)),
            },
            last_seen: deed.last_seen.map_or_else(String::new, date),
            remark: if deed.is_granted {
                ""
            } else {
                "not by a policy of its own"
            },
        }
    }
}

/// What is known of a principal beside its permissions, in a few words each.
fn basis(entry: &ReviewEntry) -> Vec<String> {
    let mut lines = vec![match entry.coverage {
        Some(share) => format!("logs for {} of the hours", percent(share)),
        None => "no logs of the account".to_owned(),
    }];
    lines.push(match entry.snapshot_time {
        Some(time) => format!("IAM snapshot of {}", date(time)),
        None => "in no IAM snapshot".to_owned(),
    });
    lines.extend(entry.created_at.map(|time| format!("made {}", date(time))));
    lines.extend(entry.seen.map(|(_, last)| format!("last seen {}", moment(last))));
    if let Activity::Unknown(reason) = &entry.activity {
        lines.push(shown(&format!("whether it was used is unknown: {reason}")));
    }
    lines.extend(entry.key.unique_id.as_deref().map(|id| format!("id {}", shown(id))));
    lines
}

pub(super) fn bar(counts: &ReviewCounts) -> Vec<Share> {
    let unused = counts.kept + counts.removable;
    shares([counts.used, counts.denied, counts.unknown], unused, counts.removable)
}

/// The first services one by one, and all others together.
fn services(services: &[ServiceTally]) -> Vec<ServiceView> {
    let view = |tally: &ServiceTally, name: String, is_rest: bool| ServiceView {
        name,
        is_rest,
        granted: format_count(tally.granted()),
        shares: shares(
            [tally.used, tally.denied, tally.unknown],
            tally.kept + tally.removable,
            tally.removable,
        ),
    };
    let named = services.iter().take(NAMED);
    let mut views: Vec<ServiceView> = named.map(|tally| view(tally, shown(&tally.service), false)).collect();
    let mut rest = ServiceTally::default();
    for tally in services.iter().skip(NAMED) {
        rest.used += tally.used;
        rest.denied += tally.denied;
        rest.unknown += tally.unknown;
        rest.kept += tally.kept;
        rest.removable += tally.removable;
    }
    if rest.granted() > 0 {
        let count = services.len() - NAMED;
        let noun = if count == 1 { "service" } else { "services" };
        views.push(view(&rest, format!("{} more {noun}", format_count(count)), true));
    }
    views
}

/// Actions that can do harm, the unused ones first.
fn high_risk(entry: &ReviewEntry) -> Vec<HighRiskView> {
    let verdicts = [
        ("unused", "unused"),
        ("unknown", "unknown"),
        ("denied-attempt", "denied"),
        ("used", "used"),
    ];
    let views = verdicts.map(|(verdict, class)| {
        let own = entry.high_risk.iter().filter(|risk| risk.verdict == verdict);
        let actions: Vec<String> = own.map(|risk| shown(&risk.action)).collect();
        HighRiskView {
            verdict,
            class,
            count: format_count(actions.len()),
            more: more(actions.len(), NAMED_HARMFUL),
            actions: actions.into_iter().take(NAMED_HARMFUL).collect(),
        }
    });
    views.into_iter().filter(|view| !view.actions.is_empty()).collect()
}

fn secrets(entry: &ReviewEntry) -> Vec<Line> {
    let named = entry.secrets.iter().take(NAMED).map(|(name, it)| Line {
        name: shown(name),
        note: times(it.reads, it.refused),
    });
    let mut lines: Vec<Line> = named.collect();
    if entry.secrets.len() > NAMED {
        lines.push(Line {
            name: String::new(),
            note: more(entry.secrets.len(), NAMED),
        });
    }
    lines
}

fn callers(entry: &ReviewEntry) -> Vec<CallersView> {
    let kinds = callers_by_kind(entry).into_iter();
    let views = kinds.map(|(kind, callers)| CallersView {
        kind: kind_in_words(kind),
        more: more(callers.len(), NAMED),
        callers: callers
            .into_iter()
            .take(NAMED)
            .map(|(caller, sessions, refused)| Line {
                name: shown(&caller.name),
                note: times(sessions, refused),
            })
            .collect(),
    });
    views.collect()
}

fn kind_in_words(kind: CallerKind) -> &'static str {
    match kind {
        CallerKind::Role => "roles",
        CallerKind::User => "users",
        CallerKind::Root => "root users",
        CallerKind::Account => "principals of other accounts",
        CallerKind::Service => "AWS services",
        CallerKind::PodIdentity => "pods",
        CallerKind::KubernetesToken => "Kubernetes service accounts",
        CallerKind::GithubActions => "GitHub workflows",
        CallerKind::Oidc => "holders of tokens",
        CallerKind::IdentityCenter => "people",
        CallerKind::Saml => "people of a SAML provider",
        CallerKind::Unknown => "unknown",
    }
}

fn times(successes: u64, refused: u64) -> String {
    let counted = |times: u64| match times {
        1 => "once".to_owned(),
        times => format!("{} times", format_count(times)),
    };
    match (successes, refused) {
        (times, 0) => counted(times),
        (0, refused) => format!("refused {}", counted(refused)),
        (times, refused) => format!("{}, refused {}", counted(times), counted(refused)),
    }
}

fn more(count: usize, named: usize) -> String {
    match count.saturating_sub(named) {
        0 => String::new(),
        more => format!("and {} more", format_count(more)),
    }
}

/// The day of a moment.
pub(super) fn date(time: i64) -> String {
    let text = moment(time);
    text.split('T').next().unwrap_or_default().to_owned()
}
