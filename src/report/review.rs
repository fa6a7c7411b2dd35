//! An access review on paper: as a page, as a sheet to be filled in, and as a workbook.

mod chart;
mod page;
mod rows;
mod view;
mod workbook;

use std::collections::BTreeMap;

use super::diff::DiffFrame;
use crate::policy::Caller;
use crate::policy::CallerKind;
use crate::policy::ReviewEntry;
use crate::policy::Thresholds;

pub use page::review_page;
pub use rows::review_rows;
pub use workbook::review_workbook;

/// What a review says of all users and roles.
#[derive(Debug, Clone, Copy)]
pub struct ReviewReport<'a> {
    /// Users and roles in the order of their ARNs.
    pub entries: &'a [ReviewEntry],
    /// Window and facts.
    pub frame: DiffFrame<'a>,
    /// What it takes to say "unused".
    pub thresholds: Thresholds,
    /// Tags that name an owner.
    pub owner_tags: &'a [String],
    /// Events from before this moment have expired, if the window begins before it.
    pub expired_before: Option<i64>,
}

/// The first texts, and how many there are beside them.
fn first_of(texts: Vec<String>, named: usize, separator: &str) -> String {
    let more = texts.len().saturating_sub(named);
    let mut told = texts.into_iter().take(named).collect::<Vec<_>>();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join(separator)
}

/// Those who took a role by what they are, in the order of kinds.
fn callers_by_kind(entry: &ReviewEntry) -> BTreeMap<CallerKind, Vec<(&Caller, u64, u64)>> {
    let mut kinds: BTreeMap<CallerKind, Vec<(&Caller, u64, u64)>> = BTreeMap::new();
    for (caller, uses) in &entry.callers {
        let own = kinds.entry(caller.kind).or_default();
        own.push((caller, uses.sessions, uses.refused));
    }
    kinds
}
