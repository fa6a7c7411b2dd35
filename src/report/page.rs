//! Granted against used as one page: readable without scripts, on paper, and without the store.
//!
//! Names in it are chosen by attackers: hidden characters are shown, everything is escaped by the template engine, and the
//! page forbids itself to load or run anything.

mod principal;

use std::collections::BTreeMap;

use serde::Serialize;

use super::ReportError;
use super::counted::format_count;
use super::diff::DiffFrame;
use super::escape::shown;
use super::template::rendered;
use crate::analysis::moment;
use crate::policy::KeepList;
use crate::policy::PrincipalDiff;
use crate::policy::Thresholds;
use crate::policy::Totals;
use principal::PrincipalView;

/// The name decides that values are escaped.
const NAME: &str = "page.html";
const TEMPLATE: &str = concat!(include_str!("page/shared.html"), include_str!("page/page.html"));

/// What a page says of all principals.
#[derive(Debug, Clone, Copy)]
pub struct PageFrame<'a> {
    /// Window and facts.
    pub frame: DiffFrame<'a>,
    /// What it takes to say "unused".
    pub thresholds: Thresholds,
    /// The allow-list.
    pub keeps: &'a KeepList,
    /// The moment at which its entries count or have expired.
    pub now: i64,
}

/// A page in the making.
#[derive(Debug)]
pub struct Page<'a> {
    frame: PageFrame<'a>,
    principals: Vec<PrincipalView>,
    accounts: BTreeMap<String, AccountView>,
}

#[derive(Serialize)]
struct Whole<'p> {
    since: String,
    until: String,
    days: i64,
    is_too_short: bool,
    min_window: i64,
    min_coverage: String,
    facts_date: String,
    totals: TotalsView,
    legend: [Legend; 5],
    principals: &'p [PrincipalView],
    accounts: Vec<&'p AccountView>,
    keeps: Vec<KeepView>,
}

#[derive(Serialize)]
struct TotalsView {
    principals: String,
    never_used: String,
    granted: String,
    used: String,
    unknown: String,
    removable: String,
    reduction: String,
    harmful: String,
    kept: String,
    shares: Vec<Share>,
}

/// A part of a bar, in thousandths of its width.
#[derive(Debug, Serialize)]
pub(super) struct Share {
    class: &'static str,
    count: String,
    start: usize,
    width: usize,
}

#[derive(Serialize)]
pub(super) struct Legend {
    class: &'static str,
    meaning: &'static str,
}

#[derive(Debug, Serialize)]
struct AccountView {
    id: String,
    principals: usize,
    coverage: String,
    /// Too little for "unused".
    is_thin: bool,
    snapshot_time: String,
}

#[derive(Serialize)]
struct KeepView {
    principals: String,
    actions: String,
    reason: String,
    owner: String,
    expires: String,
    remark: &'static str,
}

impl<'a> Page<'a> {
    /// A page without principals.
    pub fn new(frame: PageFrame<'a>) -> Self {
        Self {
            frame,
            principals: Vec::new(),
            accounts: BTreeMap::new(),
        }
    }

    /// Adds a principal.
    pub fn add(&mut self, diff: &PrincipalDiff<'_>) {
        let view = PrincipalView::of(diff, self.principals.len() + 1);
        let account = diff.subject.key.account_id().unwrap_or_default();
        let counted = self.accounts.entry(account.to_owned()).or_insert_with(|| AccountView {
            id: shown(account),
            principals: 0,
            coverage: diff
                .coverage
                .map_or("none".to_owned(), |coverage| percent(coverage.share())),
            is_thin: diff
                .coverage
                .is_none_or(|coverage| coverage.share() < self.frame.thresholds.min_coverage),
            snapshot_time: "none".to_owned(),
        });
        counted.principals += 1;
        if let Some(member) = diff.subject.member {
            counted.snapshot_time = moment(member.taken_at);
        }
        self.principals.push(view);
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// When the template cannot be filled in.
    pub fn render(self, totals: &Totals) -> Result<String, ReportError> {
        let PageFrame { frame, thresholds, .. } = self.frame;
        let whole = Whole {
            since: moment(frame.window.since),
            until: moment(frame.window.until),
            days: frame.window.days(),
            is_too_short: frame.window.days() < thresholds.min_window_days,
            min_window: thresholds.min_window_days,
            min_coverage: percent(thresholds.min_coverage),
            facts_date: shown(frame.facts_date),
            totals: TotalsView::of(totals),
            legend: LEGEND,
            principals: &self.principals,
            accounts: self.accounts.values().collect(),
            keeps: self.keeps(),
        };
        rendered(NAME, TEMPLATE, &whole)
    }

    fn keeps(&self) -> Vec<KeepView> {
        let entries = self.frame.keeps.entries().iter();
        let views = entries.map(|entry| KeepView {
            principals: shown(&entry.principals.join(", ")),
            actions: shown(&entry.actions.join(", ")),
            reason: shown(&entry.pardon.reason),
            owner: shown(entry.pardon.owner.as_deref().unwrap_or_default()),
            expires: shown(&entry.pardon.expires),
            remark: match entry.pardon.is_expired(self.frame.now) {
                true => "expired: does not count",
                false => "",
            },
        });
        views.collect()
    }
}

/// The parts of a bar and what they mean.
pub(super) const LEGEND: [Legend; 5] = [
    Legend {
        class: "used",
        meaning: "used",
    },
    Legend {
        class: "denied",
        meaning: "tried and denied",
    },
    Legend {
        class: "unknown",
        meaning: "unknown, with the reason: counts as kept",
    },
    Legend {
        class: "kept",
        meaning: "unused, and kept: on purpose, or because the role belongs to a service",
    },
    Legend {
        class: "unused",
        meaning: "unused, removable",
    },
];

impl TotalsView {
    fn of(totals: &Totals) -> Self {
        Self {
            principals: format_count(totals.principals),
            never_used: format_count(totals.never_used),
            granted: format_count(totals.granted),
            used: format_count(totals.used),
            unknown: format_count(totals.unknown),
            removable: format_count(totals.removable),
            reduction: percent(totals.reduction().unwrap_or_default()),
            harmful: format_count(totals.high_risk_removable),
            kept: format_count(totals.kept),
            shares: shares(
                [totals.used, totals.denied, totals.unknown],
                totals.unused,
                totals.removable,
            ),
        }
    }
}

/// The parts of a bar: used, denied and unknown ones, then unused ones that stay, and removable ones.
pub(super) fn shares([used, denied, unknown]: [usize; 3], unused: usize, removable: usize) -> Vec<Share> {
    let parts = [
        ("used", used),
        ("denied", denied),
        ("unknown", unknown),
        ("kept", unused.saturating_sub(removable)),
        ("unused", removable),
    ];
    let whole: usize = parts.iter().map(|(_, number)| number).sum();
    let thousandths = |number: usize| number.saturating_mul(1000).checked_div(whole).unwrap_or_default();
    let mut before = 0;
    let shares = parts.map(|(class, number)| {
        let start = thousandths(before);
        before += number;
        Share {
            class,
            count: format_count(number),
            start,
            width: thousandths(before) - start,
        }
    });
    shares.into()
}

/// With a space that does not break.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0}\u{a0}%", share * 100.0)
}

#[cfg(test)]
mod tests;
