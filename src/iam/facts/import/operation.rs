//! What a reference says of an operation, and what the program knows of it.

use std::collections::BTreeSet;

use super::reference::ServiceReference;
use super::tables::cell;
use crate::iam::Facts;
use crate::iam::Observability;

/// Cells of a row of the section `operations`.
const CLASSES: std::ops::Range<usize> = 2..5;
const FURTHER: usize = 5;
const PROVENANCE: usize = 6;
const CONFIDENCE: usize = 7;

/// The actions that a reference lists for an operation, in classes.
#[derive(Debug)]
pub(super) struct Divided<'r> {
    pub(super) primary: Vec<&'r String>,
    pub(super) conditional: Vec<&'r String>,
    pub(super) dependent: Vec<&'r String>,
    pub(super) confidence: &'static str,
}

impl<'r> Divided<'r> {
    pub(super) fn new(prefix: &str, name: &str, actions: &'r [String]) -> Self {
        let own = format!("{prefix}:{name}");
        let is_of_service = |action: &&String| action.split_once(':').is_some_and(|(service, _)| service == prefix);
        let (mut same, mut dependent): (Vec<&String>, Vec<&String>) = actions.iter().partition(is_of_service);
        if same.is_empty() {
            std::mem::swap(&mut same, &mut dependent);
        }
        let (primary, conditional): (Vec<&String>, Vec<&String>) =
            same.iter().partition(|action| action.eq_ignore_ascii_case(&own));
        let (primary, conditional, confidence) = match (primary.is_empty(), conditional.len()) {
            (false, _) => (primary, conditional, "imported"),
            (true, 1) => (conditional, Vec::new(), "imported"),
            // Nothing tells which of them every call needs.
            (true, _) => (conditional, Vec::new(), "conflict"),
        };
        Self {
            primary,
            conditional,
            dependent,
            confidence,
        }
    }
}

/// How a use shows of an action that the program does not know, or knows as one without an operation.
pub(super) fn observability(reference: &ServiceReference, name: &str) -> char {
    let known = Facts::embedded();
    if known.event_map.never_logged_reason(name).is_some() {
        return 'n';
    }
    let own_name = name.split_once(':').map_or(name, |(_, own)| own);
    let named = |actions: &[String]| actions.iter().any(|action| action.eq_ignore_ascii_case(name));
    let operations = reference.operations.iter().filter(|(_, actions)| named(actions));
    let operations: Vec<&(String, Vec<String>)> = operations.collect();
    let is_own =
        |(operation, actions): &&&(String, Vec<String>)| operation.eq_ignore_ascii_case(own_name) || actions.len() == 1;
    let own: Vec<&str> = operations
        .iter()
        .filter(is_own)
        .map(|(name, _)| name.as_str())
        .collect();
    let prefix = reference.prefix.as_str();
    match own.as_slice() {
        [] if operations.is_empty() => 'p',
        [] => 'c',
        own if own.iter().any(|operation| !is_known(prefix, operation)) => 'u',
        own if own
            .iter()
            .any(|operation| known.event_map.has_data_event(prefix, operation)) =>
        {
            'd'
        }
        _ => 'm',
    }
}

/// Whether the program, whatever was imported before, knows which events an operation leaves.
pub(super) fn is_known(prefix: &str, operation: &str) -> bool {
    let known = Facts::embedded();
    let own = known.find(&format!("{prefix}:{operation}"));
    let seen = own.and_then(|id| known.action(id)).map(|action| action.observability);
    seen.is_some_and(|seen| seen != Observability::NoOperation)
        || known.event_map.operation(prefix, operation).is_some()
        || known.event_map.has_data_event(prefix, operation)
}

/// A row that says more than the reference, as it was curated or divides the same actions into classes, with what the
/// reference lists beyond it as actions that may be needed besides; `None` if the reference says more.
pub(super) fn kept(row: &[String], actions: &[String]) -> Option<Vec<String>> {
    let listed = |cells: std::ops::Range<usize>| {
        let names = cells
            .flat_map(|index| cell(row, index).split(','))
            .filter(|name| !name.is_empty());
        names.map(str::to_ascii_lowercase).collect::<BTreeSet<String>>()
    };
    let all: BTreeSet<String> = actions.iter().map(|action| action.to_ascii_lowercase()).collect();
    let is_curated = cell(row, PROVENANCE).starts_with("cur") || cell(row, CONFIDENCE) == "http-verb";
    if !is_curated && listed(CLASSES) != all {
        return None;
    }
    let known = listed(CLASSES.start..FURTHER + 1);
    let new = actions
        .iter()
        .filter(|action| !known.contains(&action.to_ascii_lowercase()));
    let further = cell(row, FURTHER).split(',').filter(|name| !name.is_empty());
    let further: BTreeSet<&str> = further.chain(new.map(String::as_str)).collect();
    let mut row = row.to_vec();
    if let Some(cell) = row.get_mut(FURTHER) {
        *cell = further.into_iter().collect::<Vec<_>>().join(",");
    }
    Some(row)
}
