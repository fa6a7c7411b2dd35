//! A permissions boundary around what some principals need.
//!
//! A boundary grants nothing, so it may be wider than their use: names become patterns until it is as short as it must be.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::MANAGED_POLICY_CHARACTERS;
use super::fits;
use crate::iam::ActionSet;
use crate::iam::Facts;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::diff::PrincipalDiff;
use crate::policy::diff::Verdict;

/// Actions of one verb from which on a pattern for the verb is shorter.
const VERB_ACTIONS: usize = 2;

/// A boundary, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// The document.
    pub document: Document,
    /// Actions that the principals use.
    pub used: usize,
    /// Actions that they may use for all that is known.
    pub unknown: usize,
    /// Services of which it lets more through than was found, in order.
    pub widened: Vec<String>,
}

/// What principals need, gathered one by one.
#[derive(Debug, Clone)]
struct Needs {
    actions: ActionSet,
    used: ActionSet,
    /// Patterns that no known action matches, as the policies have them.
    patterns: BTreeSet<String>,
}

/// How what a service needs is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Names,
    Verbs,
    Whole,
}

/// The boundary around what these principals use, and what they may use for all that is known. `None` if it would be too
/// long.
pub fn boundary(facts: &Facts, diffs: &[PrincipalDiff<'_>]) -> Option<Boundary> {
    let needs = Needs::of(facts, diffs);
    let mut by_service: BTreeMap<&str, (Vec<&str>, Form)> = BTreeMap::new();
    for id in needs.actions.iter() {
        let Some((service, name)) = facts.name(id).split_once(':') else {
            continue;
        };
        let entry = by_service.entry(service).or_insert((Vec::new(), Form::Names));
        entry.0.push(name);
    }
    let mut widened = BTreeSet::new();
    for (service, (names, form)) in &mut by_service {
        // A service that is allowed as a whole needs no names.
        if names.len() == facts.expand(&format!("{service}:*")).len() {
            *form = Form::Whole;
        }
    }
    loop {
        let document = document(&by_service, &needs.patterns);
        if fits(&document, MANAGED_POLICY_CHARACTERS) {
            return Some(Boundary {
                document,
                used: needs.used.len(),
                unknown: needs.actions.len() - needs.used.len(),
                widened: widened.into_iter().collect(),
            });
        }
        // Whatever saves most comes first; of equals the first in the alphabet.
        let savings = by_service.iter().filter_map(|(service, (names, form))| {
            let next = match form {
                Form::Names => Form::Verbs,
                Form::Verbs => Form::Whole,
                Form::Whole => return None,
            };
            let length = |form| {
                written(service, names, form)
                    .iter()
                    .map(|text| text.len() + 3)
                    .sum::<usize>()
            };
            Some((
                length(*form).saturating_sub(length(next)),
                std::cmp::Reverse(*service),
                next,
            ))
        });
        let (_, std::cmp::Reverse(service), next) = savings.max_by_key(|(saved, service, _)| (*saved, *service))?;
        if let Some((_, form)) = by_service.get_mut(service) {
            *form = next;
            widened.insert(service.to_owned());
        }
    }
}

impl Needs {
    fn of(facts: &Facts, diffs: &[PrincipalDiff<'_>]) -> Self {
        let mut needs = Self {
            actions: facts.no_actions(),
            used: facts.no_actions(),
            patterns: BTreeSet::new(),
        };
        for (action, action_use) in diffs.iter().flat_map(|diff| &diff.subject.deeds.actions) {
            // What may have been used stands in no row if no statement grants it.
            let may_be_used = action_use.used + action_use.uncertain + action_use.failed > 0;
            if let Some(id) = facts.find(action).filter(|_| may_be_used) {
                needs.actions.insert(id);
            }
        }
        for row in diffs.iter().flat_map(|diff| &diff.rows) {
            let is_used = matches!(row.verdict, Verdict::Used | Verdict::UsedNotGranted(_));
            let is_needed = is_used || matches!(row.verdict, Verdict::Unknown(_));
            match facts.find(row.action) {
                Some(id) if is_needed => {
                    needs.actions.insert(id);
                    if is_used {
                        needs.used.insert(id);
                    }
                }
                None if is_needed && row.policy.is_some() => {
                    needs.patterns.insert(row.action.to_owned());
                }
                _ => {}
            }
        }
        needs
    }
}

fn document(by_service: &BTreeMap<&str, (Vec<&str>, Form)>, patterns: &BTreeSet<String>) -> Document {
    let mut actions: BTreeSet<String> = patterns.clone();
    for (service, (names, form)) in by_service {
        actions.extend(written(service, names, *form));
    }
    let mut statement = Statement::new(
        Effect::Allow,
        Scope::Only(OneOrMany::Many(actions.into_iter().collect())),
    );
    statement.sid = Some("UsedOrPerhapsUsed".to_owned());
    statement.resources = Some(Scope::Only(OneOrMany::One("*".to_owned())));
    Document::of(vec![statement])
}

fn written(service: &str, names: &[&str], form: Form) -> Vec<String> {
    match form {
        Form::Whole => vec![format!("{service}:*")],
        Form::Names => names.iter().map(|name| format!("{service}:{name}")).collect(),
        Form::Verbs => {
            let mut by_verb: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for name in names {
                by_verb.entry(verb(name)).or_default().push(name);
            }
            let patterns = by_verb.into_iter().flat_map(|(verb, names)| match names.len() {
                VERB_ACTIONS.. => vec![format!("{service}:{verb}*")],
                _ => names.iter().map(|name| format!("{service}:{name}")).collect(),
            });
            patterns.collect()
        }
    }
}

/// The first word of a name: `Describe` of `DescribeInstances`.
fn verb(name: &str) -> &str {
    let next = name
        .char_indices()
        .skip(1)
        .find(|(_, character)| character.is_ascii_uppercase());
    next.and_then(|(index, _)| name.get(..index)).unwrap_or(name)
}
