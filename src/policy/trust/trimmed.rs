//! Trust policies without what nobody used.
//!
//! # Why the result never lets more in
//!
//! From statements that allow, principals are taken out, or values of a condition of which any one suffices; or the whole
//! statement goes. Each of these lets fewer calls through. Statements that deny stay as they are.

use std::collections::BTreeSet;

use super::part::PartKind;
use super::part::PartPlace;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Entry;
use crate::iam::document::OneOrMany;
use crate::iam::document::PrincipalSet;
use crate::iam::document::Scope;
use crate::iam::document::Statement;

/// A trust policy without what nobody used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrimmedTrust {
    /// The document.
    pub document: Document,
    /// What went, in the order of the document.
    pub removed: Vec<RemovedPart>,
    /// Where it stood.
    pub(super) places: BTreeSet<(usize, PartPlace)>,
}

/// Something that nobody used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedPart {
    /// Position of the statement in the present document, from 1.
    pub statement_number: usize,
    /// What it is.
    pub kind: PartKind,
    /// The principal, or operator, key and value.
    pub text: String,
}

/// Takes parts out of a document, each by the position of its statement, from 1, and its place; `None` if nothing goes, or
/// nobody would be left.
pub(super) fn trimmed(document: &Document, unused: &BTreeSet<(usize, PartPlace)>) -> Option<Document> {
    if !document.is_complete() || unused.is_empty() {
        return None;
    }
    let mut entries = Vec::new();
    for (position, entry) in document.statements.as_slice().iter().enumerate() {
        match entry {
            Entry::Readable(statement) if statement.effect == Effect::Allow => {
                let own: BTreeSet<PartPlace> = unused
                    .iter()
                    .filter(|(number, _)| *number == position + 1)
                    .map(|(_, place)| *place)
                    .collect();
                entries.extend(without(statement, &own).map(Entry::Readable));
            }
            other => entries.push(other.clone()),
        }
    }
    let is_allowing = |entry: &Entry| matches!(entry, Entry::Readable(it) if it.effect == Effect::Allow);
    if !entries.iter().any(is_allowing) {
        return None;
    }
    let mut left = document.clone();
    left.statements = match document.statements {
        OneOrMany::One(_) if entries.len() == 1 => entries.pop().map(OneOrMany::One)?,
        _ => OneOrMany::Many(entries),
    };
    (left != *document).then_some(left)
}

/// A statement without some of its parts; `None` when it is about nobody any more.
fn without(statement: &Statement, unused: &BTreeSet<PartPlace>) -> Option<Statement> {
    if unused.contains(&PartPlace::Principals) {
        return None;
    }
    let mut left = statement.clone();
    if let Some(Scope::Only(PrincipalSet::Named(named))) = &mut left.principals {
        for (position, (_, texts)) in named.iter_mut().enumerate() {
            *texts = fewer(texts, |index| !unused.contains(&PartPlace::Principal(position, index)));
        }
        named.retain(|(_, texts)| !texts.as_slice().is_empty());
        if named.is_empty() {
            return None;
        }
    }
    for (block_index, block) in left.conditions.iter_mut().enumerate() {
        for (key_index, (_, values)) in block.keys.iter_mut().enumerate() {
            let is_kept = |index: usize| !unused.contains(&PartPlace::Value(block_index, key_index, index));
            let kept = fewer(values, is_kept);
            // A condition without values is not what one with them was.
            if !kept.as_slice().is_empty() {
                *values = kept;
            }
        }
    }
    Some(left)
}

/// The values at the positions that are kept, as a list if there was one.
fn fewer<T: Clone>(values: &OneOrMany<T>, is_kept: impl Fn(usize) -> bool) -> OneOrMany<T> {
    let indexed = values.as_slice().iter().enumerate();
    let kept: Vec<T> = indexed
        .filter(|(index, _)| is_kept(*index))
        .map(|(_, value)| value.clone())
        .collect();
    match (values, kept.as_slice()) {
        (OneOrMany::One(_), [only]) => OneOrMany::One(only.clone()),
        _ => OneOrMany::Many(kept),
    }
}
