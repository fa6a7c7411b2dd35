//! Taking actions out of a policy document and nothing else.
//!
//! Statements keep their effect, resources, conditions, `Sid`s and order; statements that deny stay as they are. A pattern
//! of which nothing goes stays as it is, too. One of which something goes is replaced by the names of what stays, or, where
//! the document would become too long, by narrower patterns.
//!
//! # Why the result never grants more
//!
//! 1. An `Action` pattern is left, dropped, or replaced by names that it matched, or by patterns below its own fixed head,
//!    each of which matches only known actions that stay. So every action, known or not, that the new patterns match was
//!    matched before.
//! 2. To `NotAction` patterns are only added. Where the statement is turned into one with `Action`, each new pattern is
//!    disjoint from every old `NotAction` pattern, or a name that none of them matched.

use std::collections::BTreeMap;
use std::collections::HashSet;

use super::grant::Expander;
use crate::iam::ActionSet;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Entry;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;

/// A document without what was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trimmed {
    /// The document; without statements when nothing is left of it.
    pub document: Document,
    /// The statements that changed, by their positions in the old document, from 1.
    pub changes: Vec<TrimmedStatement>,
}

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrimmedStatement {
    /// Position in the old document, from 1.
    pub number: usize,
    /// What went.
    pub removed: ActionSet,
    /// Whether nothing was left.
    pub is_gone: bool,
}

/// How what stays of a pattern is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// By the names of the actions.
    Names,
    /// By patterns that end between words where they mean the same as the names: `sqs:Send*`.
    Words,
    /// By the shortest patterns that mean the same, which may end inside of a word: `sqs:S*`.
    Letters,
}

/// Takes actions out of the statements that allow; `removable` has them by the statement's position, from 1.
///
/// The wording decides how long the document gets and nothing else. Running again changes nothing.
pub fn trim(
    document: &Document,
    removable: &BTreeMap<usize, ActionSet>,
    wording: Wording,
    expander: &mut Expander<'_>,
) -> Trimmed {
    let mut changes = Vec::new();
    let mut entries = Vec::new();
    for (number, entry) in (1..).zip(document.statements.as_slice()) {
        let statement = match (entry, removable.get(&number)) {
            (Entry::Readable(statement), Some(removable)) if statement.effect == Effect::Allow => {
                let mut removed = expander.scope(&statement.actions);
                removed.retain(removable);
                (!removed.is_empty()).then_some((statement, removed))
            }
            _ => None,
        };
        let Some((statement, removed)) = statement else {
            entries.push(entry.clone());
            continue;
        };
        let left = without(statement, &removed, wording, expander);
        changes.push(TrimmedStatement {
            number,
            removed,
            is_gone: left.is_none(),
        });
        entries.extend(left.map(Entry::Readable));
    }
    let mut trimmed = document.clone();
    let was_one = matches!(document.statements, OneOrMany::One(_));
    trimmed.statements = one_or_many(entries, was_one);
    Trimmed {
        document: trimmed,
        changes,
    }
}

/// Characters of a document as IAM counts them: without white space.
pub fn policy_characters(document: &Document) -> usize {
    let text = document.to_value().to_string();
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// The statement without some of its actions; `None` when none are left.
fn without(
    statement: &Statement,
    removed: &ActionSet,
    wording: Wording,
    expander: &mut Expander<'_>,
) -> Option<Statement> {
    let actions = match &statement.actions {
        Scope::Only(patterns) => {
            let left = fewer(patterns, removed, wording, expander);
            let was_one = matches!(patterns, OneOrMany::One(_));
            Scope::Only(one_or_many(Some(left).filter(|left| !left.is_empty())?, was_one))
        }
        Scope::AllBut(patterns) => {
            let mut kept = expander.scope(&statement.actions);
            kept.subtract(removed);
            if kept.is_empty() {
                return None;
            }
            let excepted = more_excepted(patterns, removed, wording, expander);
            let named = named_instead(patterns, &kept, wording, expander);
            match length(&named) < length(&excepted) {
                true => Scope::Only(one_or_many(named, false)),
                false => Scope::AllBut(one_or_many(excepted, false)),
            }
        }
    };
    let mut left = statement.clone();
    left.actions = actions;
    Some(left)
}

/// `Action` patterns without some actions.
fn fewer(
    patterns: &OneOrMany<String>,
    removed: &ActionSet,
    wording: Wording,
    expander: &mut Expander<'_>,
) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for pattern in patterns.texts() {
        let mut kept = expander.pattern(pattern).clone();
        let matched = kept.len();
        kept.subtract(removed);
        let replacement = match kept.len() {
            // A pattern that matches nothing known may match something that is not.
            count if count == matched => vec![pattern.to_owned()],
            _ => {
                let head = fixed_head(pattern);
                let is_within = |candidate: &str| head.is_some_and(|head| starts_with(candidate, head));
                written(&kept, &kept, wording, is_within, expander)
            }
        };
        for text in replacement {
            if seen.insert(text.clone()) {
                left.push(text);
            }
        }
    }
    left
}

/// `NotAction` patterns with more actions.
fn more_excepted(
    patterns: &OneOrMany<String>,
    removed: &ActionSet,
    wording: Wording,
    expander: &mut Expander<'_>,
) -> Vec<String> {
    let mut excepted = removed.clone();
    patterns
        .texts()
        .for_each(|pattern| excepted.extend(expander.pattern(pattern)));
    let added = written(removed, &excepted, wording, |_| true, expander);
    patterns.texts().map(str::to_owned).chain(added).collect()
}

/// `Action` patterns in place of `NotAction` ones.
fn named_instead(
    patterns: &OneOrMany<String>,
    kept: &ActionSet,
    wording: Wording,
    expander: &mut Expander<'_>,
) -> Vec<String> {
    let heads: Vec<&str> = patterns
        .texts()
        .map(|pattern| pattern.split(['*', '?']).next().unwrap_or_default())
        .collect();
    let is_disjoint = |candidate: &str| {
        let mut heads = heads.iter();
        !heads.any(|head| starts_with(candidate, head) || starts_with(head, candidate))
    };
    written(kept, kept, wording, is_disjoint, expander)
}

/// Texts that match exactly `actions` and perhaps others of `allowed`.
fn written(
    actions: &ActionSet,
    allowed: &ActionSet,
    wording: Wording,
    may_be_pattern: impl Fn(&str) -> bool,
    expander: &mut Expander<'_>,
) -> Vec<String> {
    let facts = expander.facts();
    let names: Vec<&'static str> = actions.iter().map(|action| facts.name(action)).collect();
    let mut texts = Vec::new();
    if wording == Wording::Names {
        texts.extend(names.into_iter().map(str::to_owned));
    } else {
        let mut compaction = Compaction {
            allowed,
            may_be_pattern: &may_be_pattern,
            ends_in_words: wording == Wording::Letters,
            expander,
            texts: &mut texts,
        };
        compaction.add("", &names);
    }
    texts
}

/// Writing names as patterns, from the widest that fits down.
struct Compaction<'c, 'f> {
    allowed: &'c ActionSet,
    may_be_pattern: &'c dyn Fn(&str) -> bool,
    /// Whether patterns may end inside of a word.
    ends_in_words: bool,
    expander: &'c Expander<'f>,
    texts: &'c mut Vec<String>,
}

impl Compaction<'_, '_> {
    /// `names` are in order and begin with `prefix`.
    fn add(&mut self, prefix: &str, names: &[&'static str]) {
        let [first, rest @ ..] = names else { return };
        // A pattern of one name is worth it only if it is shorter.
        let is_short_enough = first.len() > prefix.len() + 1;
        if rest.is_empty() && !(self.ends_in_words && is_short_enough) {
            self.texts.push((*first).to_owned());
            return;
        }
        if !prefix.is_empty() && self.may_stand_for_all(prefix) {
            self.texts.push(format!("{prefix}*"));
            return;
        }
        let mut groups: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        for name in names {
            let head = self.next_head(name, prefix.len());
            match groups.last_mut().filter(|(last, _)| *last == head) {
                Some((_, group)) => group.push(name),
                None => groups.push((head, vec![name])),
            }
        }
        for (head, group) in groups {
            if head.len() == prefix.len() {
                self.texts.extend(group.into_iter().map(str::to_owned));
            } else {
                self.add(head, &group);
            }
        }
    }

    /// Whether only allowed actions begin with a prefix.
    fn may_stand_for_all(&self, prefix: &str) -> bool {
        let mut begun = self.expander.beginning_with(prefix).iter();
        begun.all(|action| self.allowed.contains(*action)) && (self.may_be_pattern)(prefix)
    }

    /// The part of a name up to the end of the word or letter after `from`: the service with its colon, then words by their
    /// capitals.
    fn next_head(&self, name: &'static str, from: usize) -> &'static str {
        if from == 0
            && let Some((service, _)) = name.split_once(':')
        {
            return name.get(..=service.len()).unwrap_or(name);
        }
        let mut rest = name.char_indices().skip_while(|(position, _)| *position <= from);
        let end = rest.find(|(_, character)| self.ends_in_words || character.is_ascii_uppercase());
        end.and_then(|(end, _)| name.get(..end)).unwrap_or(name)
    }
}

/// What stands before the star of a pattern that has wildcards nowhere else.
fn fixed_head(pattern: &str) -> Option<&str> {
    pattern.strip_suffix('*').filter(|head| !head.contains(['*', '?']))
}

/// Whether a text begins with a head; case does not matter in actions.
fn starts_with(text: &str, head: &str) -> bool {
    let start = text.get(..head.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(head))
}

fn length(texts: &[String]) -> usize {
    texts.iter().map(|text| text.len() + 3).sum()
}

fn one_or_many<T>(mut values: Vec<T>, was_one: bool) -> OneOrMany<T> {
    match values.pop() {
        Some(only) if was_one && values.is_empty() => OneOrMany::One(only),
        last => OneOrMany::Many(values.into_iter().chain(last).collect()),
    }
}

#[cfg(test)]
mod tests;
