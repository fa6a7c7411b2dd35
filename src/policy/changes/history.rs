//! What users and roles held when earlier snapshots of their accounts were taken.
//!
//! A statement that such a snapshot lacks came after it, also if the logs do not show the call that put it there. So does whatever a
//! `Deny` or boundary kept from working that is gone since. A principal that the snapshot does not list, or not without gaps, was
//! perhaps left out.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;

use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Statement;
use crate::policy::estate::Estate;
use crate::policy::estate::Member;
use crate::policy::estate::TakenSnapshot;

/// By ARN of a user or role, what it held, in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    principals: BTreeMap<String, Vec<Past>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Past {
    taken_at: i64,
    unique_id: Option<String>,
    held: Held,
}

/// The marks of what counts for a principal: texts of many snapshots would not fit into memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Held {
    /// Statements that allow.
    allowing: BTreeSet<u64>,
    /// Statements that deny, and boundaries.
    limiting: BTreeSet<u64>,
    /// Statements of the trust policy that allow.
    trusting: BTreeSet<u64>,
    /// Statements of the trust policy that deny.
    distrusting: BTreeSet<u64>,
}

impl History {
    /// Adds the snapshots of one moment.
    pub(super) fn note(&mut self, snapshots: &[TakenSnapshot]) {
        let estate = Estate::newest(snapshots);
        for member in estate.callers().filter(|member| member.gaps().is_empty()) {
            let own = self.principals.entry(member.principal.arn.clone()).or_default();
            let position = own.partition_point(|past| past.taken_at <= member.taken_at);
            let past = Past {
                taken_at: member.taken_at,
                unique_id: member.principal.unique_id.clone(),
                held: Held::of(&member),
            };
            own.insert(position, past);
        }
    }

    /// When a statement was first there, if an earlier snapshot lacks it. `put` is the last call that is known to have put it there.
    pub(super) fn grant_came(&self, member: &Member<'_>, statement: &Statement, put: Option<i64>) -> Option<i64> {
        let own = self.principals.get(&member.principal.arn)?;
        let mark = mark(statement);
        came(own, member, put, |held| !held.allowing.contains(&mark))
    }

    /// The same for a statement of the trust policy, which one call puts there as a whole.
    pub(super) fn trust_came(&self, member: &Member<'_>, statement: &Statement, put: Option<i64>) -> Option<i64> {
        let own = self.principals.get(&member.principal.arn)?;
        let (mark, distrusting) = (mark(statement), Held::of(member).distrusting);
        came(own, member, put, |held| {
            !held.trusting.contains(&mark) || !held.distrusting.is_subset(&distrusting)
        })
    }

    /// When a boundary or `Deny` was first gone, if an earlier snapshot has one that is not there any more. Calls that changed
    /// something of the principal meanwhile may have left that one as it was.
    pub(super) fn limit_went(&self, member: &Member<'_>) -> Option<i64> {
        let own = self.principals.get(&member.principal.arn)?;
        let limiting = Held::of(member).limiting;
        came(own, member, None, |held| !held.limiting.is_subset(&limiting))
    }
}

impl Held {
    fn of(member: &Member<'_>) -> Self {
        let mut held = Self::default();
        for used in member.policies() {
            for (_, statement) in used.policy.document.iter().flat_map(Document::readable) {
                let marks = match statement.effect {
                    Effect::Allow => &mut held.allowing,
                    Effect::Deny => &mut held.limiting,
                };
                marks.insert(mark(statement));
            }
        }
        let boundaries = member.boundaries();
        held.limiting
            .extend(boundaries.iter().map(|policy| mark_of(&policy.text)));
        let trust = member.trust();
        let documents = trust.iter().flat_map(|policy| policy.document.iter());
        for (_, statement) in documents.flat_map(Document::readable) {
            let marks = match statement.effect {
                Effect::Allow => &mut held.trusting,
                Effect::Deny => &mut held.distrusting,
            };
            marks.insert(mark(statement));
        }
        held
    }
}

/// The moment of the first snapshot after the last one in which a principal lacked something. The last call that put it there
/// says better when it came, if it was made after that one.
fn came(own: &[Past], member: &Member<'_>, put: Option<i64>, lacks: impl Fn(&Held) -> bool) -> Option<i64> {
    let unique_id = &member.principal.unique_id;
    let is_same = |past: &&Past| {
        let is_other = matches!((&past.unique_id, unique_id), (Some(past), Some(now)) if past != now);
        past.taken_at < member.taken_at && !is_other
    };
    let mut first_there = member.taken_at;
    for past in own.iter().rev().filter(is_same) {
        if lacks(&past.held) {
            let is_explained = put.is_some_and(|at| at >= past.taken_at);
            return (!is_explained).then_some(first_there);
        }
        first_there = past.taken_at;
    }
    None
}

/// What tells a statement from others.
fn mark(statement: &Statement) -> u64 {
    mark_of(&statement.to_value().to_string())
}

fn mark_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
