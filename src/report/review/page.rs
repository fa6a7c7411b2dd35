//! A review as a page: readable without scripts, to be printed and signed, and without the store.

use serde::Serialize;

use super::ReviewReport;
use super::chart::Columns;
use super::view::EntryView;
use super::view::bar;
use crate::analysis::moment;
use crate::policy::ProposedChange;
use crate::policy::ReviewCounts;
use crate::policy::ReviewEntry;
use crate::report::ReportError;
use crate::report::counted::format_count;
use crate::report::escape::shown;
use crate::report::page::LEGEND;
use crate::report::page::Legend;
use crate::report::page::Share;
use crate::report::page::percent;
use crate::report::template::rendered;

/// The name decides that values are escaped.
const NAME: &str = "review.html";
const TEMPLATE: &str = concat!(include_str!("../page/shared.html"), include_str!("page.html"));

#[derive(Serialize)]
struct Whole {
    since: String,
    until: String,
    days: i64,
    is_too_short: bool,
    /// Empty if all events of the window are there.
    expired_before: String,
    min_window: i64,
    min_coverage: String,
    facts_date: String,
    owner_tags: String,
    principals: String,
    proposals: Vec<Tile>,
    harmful: String,
    open: String,
    weeks: Columns,
    shares: Vec<Share>,
    legend: [Legend; 5],
    sections: Vec<Section>,
}

/// What is proposed, and for how many.
#[derive(Serialize)]
struct Tile {
    proposal: &'static str,
    principals: String,
    permissions: String,
    meaning: &'static str,
}

/// Users and roles of one owner.
#[derive(Serialize)]
struct Section {
    title: String,
    is_titled: bool,
    entries: Vec<EntryView>,
}

/// The page as HTML.
///
/// # Errors
/// When the template cannot be filled in.
pub fn review_page(report: ReviewReport<'_>) -> Result<String, ReportError> {
    let (window, entries) = (report.frame.window, report.entries);
    let sum = sums(entries);
    let whole = Whole {
        since: moment(window.since),
        until: moment(window.until),
        days: window.days(),
        is_too_short: window.days() < report.thresholds.min_window_days,
        expired_before: report.expired_before.map_or_else(String::new, moment),
        min_window: report.thresholds.min_window_days,
        min_coverage: percent(report.thresholds.min_coverage),
        facts_date: shown(report.frame.facts_date),
        owner_tags: shown(&report.owner_tags.join(", ")),
        principals: format_count(entries.len()),
        proposals: ProposedChange::ALL.map(|change| tile(change, entries)).into(),
        harmful: format_count(sum.removable_high_risk),
        open: format_count(entries.iter().filter(|entry| entry.is_open()).count()),
        weeks: Columns::of(&weeks(entries)),
        shares: bar(&sum),
        legend: LEGEND,
        sections: sections(entries),
    };
    rendered(NAME, TEMPLATE, &whole)
}

fn tile(change: ProposedChange, entries: &[ReviewEntry]) -> Tile {
    let own = || entries.iter().filter(|entry| entry.change == change);
    Tile {
        proposal: change.name(),
        principals: format_count(own().count()),
        permissions: format_count(own().map(|entry| entry.permissions).sum::<usize>()),
        meaning: match change {
            ProposedChange::Remove => "nobody used it, and the logs would show it",
            ProposedChange::Trim => "some of it is certainly unused",
            ProposedChange::Keep => "nothing of it is certainly unused",
        },
    }
}

fn sums(entries: &[ReviewEntry]) -> ReviewCounts {
    let mut sum = ReviewCounts::default();
    for counts in entries.iter().map(|entry| entry.counts) {
        sum.granted += counts.granted;
        sum.used += counts.used;
        sum.denied += counts.denied;
        sum.unknown += counts.unknown;
        sum.kept += counts.kept;
        sum.removable += counts.removable;
        sum.removable_high_risk += counts.removable_high_risk;
    }
    sum
}

/// Calls of all together; every entry has the same weeks.
fn weeks(entries: &[ReviewEntry]) -> Vec<(i64, u64)> {
    let mut weeks: Vec<(i64, u64)> = Vec::new();
    for entry in entries {
        if weeks.is_empty() {
            weeks.clone_from(&entry.weeks);
            continue;
        }
        for (sum, (_, calls)) in weeks.iter_mut().zip(&entry.weeks) {
            sum.1 += calls;
        }
    }
    weeks
}

/// Users and roles by owner; those without one come last. Within an owner, what changes most comes first.
fn sections(entries: &[ReviewEntry]) -> Vec<Section> {
    let owner = |entry: &ReviewEntry| entry.owner.as_ref().map(|(owner, _)| owner.clone());
    let mut ordered: Vec<&ReviewEntry> = entries.iter().collect();
    ordered.sort_by_cached_key(|entry| (owner(entry).is_none(), owner(entry), entry.change, entry.key.clone()));
    let is_titled = entries.iter().any(|entry| entry.owner.is_some());
    let mut number = 0;
    let chunks = ordered.chunk_by(|left, right| owner(left) == owner(right));
    let sections = chunks.map(|chunk| Section {
        title: chunk
            .first()
            .and_then(|entry| owner(entry))
            .map_or_else(|| "No owner".to_owned(), |owner| shown(&owner)),
        is_titled,
        entries: chunk
            .iter()
            .map(|entry| {
                number += 1;
                EntryView::of(entry, number)
            })
            .collect(),
    });
    sections.collect()
}

#[cfg(test)]
mod tests;
