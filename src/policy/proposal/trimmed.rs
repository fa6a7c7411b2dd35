//! Trim: the present policies of a principal without what is certainly unused.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Change;
use super::Place;
use super::Proposal;
use super::ProposedPolicy;
use super::Proposer;
use super::Refusal;
use super::attached::added;
use super::attached::attached;
use super::attached::targets;
use super::fit;
use super::fit::Piece;
use super::reasons::ReasonBook;
use super::reasons::StatementReasons;
use crate::iam::ActionSet;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Entry;
use crate::policy::diff::Subject;
use crate::policy::estate::Member;
use crate::policy::estate::PolicyUse;
use crate::policy::snapshot::Origin;
use crate::policy::snapshot::Policy;
use crate::policy::snapshot::PolicyKind;
use crate::policy::trim::Trimmed;
use crate::policy::trim::Wording;
use crate::policy::trim::policy_characters;
use crate::policy::trim::trim;

const REMEDY: &str = "Generate a policy instead (`--mode generate`), or take away whole services by hand";

/// One document of a principal, before its size is looked at.
struct Work<'s> {
    used: PolicyUse<'s>,
    document: &'s Document,
    holders: Vec<&'s Subject<'s>>,
    removable: BTreeMap<usize, ActionSet>,
    book: ReasonBook,
    trimmed: Trimmed,
}

impl<'s> Proposer<'s> {
    pub(super) fn trim(&mut self, member: &Member<'s>, proposal: &mut Proposal<'s>) {
        let subject = proposal.subject;
        let mut inline: BTreeMap<&'s str, Vec<Work<'s>>> = BTreeMap::new();
        for used in member.policies() {
            let Some(work) = self.work(used, subject, proposal) else {
                continue;
            };
            let target = used.group.unwrap_or(&subject.key.arn);
            match used.policy.kind {
                PolicyKind::Inline => inline.entry(target).or_default().push(work),
                _ => self.managed(work, target, proposal),
            }
        }
        for (target, works) in inline {
            self.inline(target, works, proposal);
        }
    }

    /// What goes of a document; `None` if the document is not to be touched.
    fn work(&mut self, used: PolicyUse<'s>, subject: &'s Subject<'s>, proposal: &mut Proposal<'s>) -> Option<Work<'s>> {
        let id = &used.policy.id;
        let notes = &mut proposal.notes;
        if let Some(bounded) = self.holders.bounded_by(id) {
            notes.push(format!(
                "`{id}` stays: it is the permissions boundary of `{bounded}`, too"
            ));
            return None;
        }
        let document = match &used.policy.document {
            Ok(document) => document,
            Err(error) => {
                notes.push(format!("`{id}` stays: {error}"));
                return None;
            }
        };
        let holders = self.holders.holding(&used, subject);
        if let Some(refusal) = self.refusal(used, subject, &holders) {
            proposal.refusals.push(refusal);
            return None;
        }
        let key = match used.policy.kind {
            PolicyKind::AwsManaged => format!("{id} {}", used.group.unwrap_or(&subject.key.arn)),
            _ => id.clone(),
        };
        if !self.done.insert(key) {
            notes.push(format!("`{id}` is shared: it stands with another principal above"));
            return None;
        }
        let (mut removable, mut book) = self.uses.of_policy(id, &holders);
        if let Some(set) = self.holders.in_set_of(subject) {
            self.uses.spare(subject, set, &mut removable, &mut book);
        }
        let trimmed = trim(document, &removable, Wording::Names, &mut self.expander);
        if !trimmed.changes.is_empty()
            && let Some(refusal) = self.perhaps_older(used.policy, &holders)
        {
            proposal.refusals.push(refusal);
            return None;
        }
        Some(Work {
            used,
            document,
            holders,
            removable,
            book,
            trimmed,
        })
    }

    /// Why the document of the snapshot, or who has it, cannot be relied upon.
    fn refusal(&self, used: PolicyUse<'s>, subject: &Subject<'_>, holders: &[&'s Subject<'s>]) -> Option<Refusal> {
        let policy = used.policy;
        let principal = &subject.key.arn;
        let changes = &self.evidence.usage.changes;
        let members = holders.iter().filter_map(|holder| holder.member.as_ref());
        let outdating = members.flat_map(|member| {
            let policies = member
                .policies()
                .into_iter()
                .filter(|other| other.policy.id == policy.id);
            policies.filter_map(|other| changes.outdating(member, &other))
        });
        if let Some(at) = outdating.max() {
            return Some(Refusal::outdated(principal, &format!("`{}`", policy.id), at));
        }
        if let Some(holder) = holders.iter().find(|holder| holder.is_replaced) {
            let policy = format!("`{}`", policy.id);
            return Some(Refusal::replaced(principal, &holder.key.arn, &policy));
        }
        let is_held_by_others = subject.member.is_some_and(|member| member.is_held_by_others(policy));
        is_held_by_others.then(|| Refusal::HeldByOthers {
            principal: principal.clone(),
            policy: policy.id.clone(),
        })
    }

    /// Why a document of the facts may lack what AWS has added to the policy in force, which a copy would take away.
    fn perhaps_older(&mut self, policy: &Policy, holders: &[&'s Subject<'s>]) -> Option<Refusal> {
        if policy.origin != Origin::Facts {
            return None;
        }
        let (holder, action) = self.uses.used_without_statement(holders)?;
        Some(Refusal::PerhapsOlder {
            policy: policy.id.clone(),
            version: policy.version_id.clone().unwrap_or_default(),
            action: action.to_owned(),
            holder: holder.to_owned(),
        })
    }

    /// All inline policies of one user, group or role, which share one limit.
    fn inline(&mut self, target: &str, mut works: Vec<Work<'s>>, proposal: &mut Proposal<'s>) {
        let limit = fit::inline_limit(target);
        let sum =
            |works: &[Work<'s>]| -> usize { works.iter().map(|work| policy_characters(&work.trimmed.document)).sum() };
        let is_too_long = |works: &[Work<'s>]| sum(works) > limit;
        if is_too_long(&works) {
            for work in &mut works {
                work.trimmed = trim(work.document, &work.removable, Wording::Words, &mut self.expander);
            }
        }
        let mut managed = Vec::new();
        while is_too_long(&works) {
            // The longest goes, so that as few as possible go.
            let longest = (0..works.len()).rev().max_by_key(|position| {
                works
                    .get(*position)
                    .map_or(0, |work| policy_characters(&work.trimmed.document))
            });
            managed.extend(longest.map(|position| works.remove(position)));
        }
        for work in works {
            let pieces = pieces(&work.trimmed);
            let change = change(&work.trimmed, &pieces);
            let name = work.used.policy.name.clone();
            let place = Place::Inline(target.to_owned());
            proposal
                .policies
                .push(self.finished(&work, (name, place, change), &pieces));
        }
        for work in managed {
            let note = format!("its inline policies would have more than the {limit} characters that IAM takes");
            self.replaced(work, target, &note, proposal);
        }
    }

    fn managed(&mut self, mut work: Work<'s>, target: &str, proposal: &mut Proposal<'s>) {
        if policy_characters(&work.trimmed.document) > fit::MANAGED {
            work.trimmed = trim(work.document, &work.removable, Wording::Words, &mut self.expander);
        }
        let policy = work.used.policy;
        let is_unchanged = work.trimmed.changes.is_empty();
        if policy.kind == PolicyKind::AwsManaged && !is_unchanged {
            let note = "a policy of AWS cannot be edited: attach this copy in its place";
            self.replaced(work, target, note, proposal);
            return;
        }
        let place = Place::Managed(policy.id.clone());
        if is_unchanged || policy_characters(&work.trimmed.document) <= fit::MANAGED {
            let pieces = pieces(&work.trimmed);
            let change = change(&work.trimmed, &pieces);
            let finished = self.finished(&work, (policy.name.clone(), place, change), &pieces);
            proposal.policies.push(finished);
            return;
        }
        let targets = targets(&work.holders, &policy.id);
        let Some(parts) = self.parts(&mut work, (&targets, 1), proposal) else {
            return;
        };
        for (number, part) in (1..).zip(&parts) {
            let (place, change) = match number {
                1 => (place.clone(), Change::Edit),
                _ => (Place::NewManaged(targets.iter().cloned().collect()), Change::Create),
            };
            let name = fit::policy_name(&[&policy.name], number);
            proposal
                .policies
                .push(self.finished(&work, (name, place, change), part));
        }
    }

    /// New managed policies of the account in place of a policy.
    fn replaced(&mut self, mut work: Work<'s>, target: &str, note: &str, proposal: &mut Proposal<'s>) {
        let targets = BTreeSet::from([target.to_owned()]);
        let policy = work.used.policy;
        let is_detached = usize::from(policy.kind == PolicyKind::AwsManaged);
        if pieces(&work.trimmed).is_empty() {
            let place = Place::NewManaged(vec![target.to_owned()]);
            let finished = self.finished(&work, (policy.name.clone(), place, Change::Remove), &[]);
            proposal.policies.push(finished);
            return;
        }
        let Some(parts) = self.parts(&mut work, (&targets, is_detached), proposal) else {
            return;
        };
        let target_name = target.rsplit('/').next().unwrap_or_default();
        for (number, part) in (1..).zip(&parts) {
            let name = fit::policy_name(&[&policy.name, "trimmed", target_name], number);
            let place = Place::NewManaged(vec![target.to_owned()]);
            let mut finished = self.finished(&work, (name, place, Change::Create), part);
            finished.notes.insert(0, note.to_owned());
            proposal.policies.push(finished);
        }
    }

    /// The statements in parts that fit into managed policies; a refusal if there are too many of these.
    fn parts(
        &mut self,
        work: &mut Work<'s>,
        room: (&BTreeSet<String>, usize),
        proposal: &mut Proposal<'s>,
    ) -> Option<Vec<Vec<Piece>>> {
        let added = |target: &str| added(&proposal.policies, target);
        if let Ok(parts) = fitting(work, room, added) {
            return Some(parts);
        }
        work.trimmed = trim(work.document, &work.removable, Wording::Letters, &mut self.expander);
        match fitting(work, room, added) {
            Ok(parts) => Some(parts),
            Err(refusal) => {
                proposal.refusals.push(refusal);
                None
            }
        }
    }

    fn finished(
        &self,
        work: &Work<'s>,
        (name, place, change): (String, Place, Change),
        pieces: &[Piece],
    ) -> ProposedPolicy<'s> {
        let facts = self.expander.facts();
        let reasons_of = |number: usize| -> StatementReasons {
            let entry = number
                .checked_sub(1)
                .and_then(|position| work.document.statements.as_slice().get(position));
            let sid = entry.and_then(|entry| match entry {
                Entry::Readable(statement) => statement.sid.as_deref(),
                Entry::Unreadable { error, .. } => error.sid.as_deref(),
            });
            let mut reasons = work.book.of(number, sid);
            reasons.remarks.extend(entry.and_then(remark));
            let changed = work.trimmed.changes.iter().find(|change| change.number == number);
            let removed = changed.into_iter().flat_map(|change| change.removed.iter());
            reasons.removed = removed.map(|action| facts.name(action)).collect();
            reasons
        };
        let gone = work.trimmed.changes.iter().filter(|change| change.is_gone);
        let holders: BTreeSet<String> = work.holders.iter().map(|holder| holder.key.arn.clone()).collect();
        let mut notes = Vec::new();
        if let Some(group) = work.used.group {
            notes.push(format!("it counts through the group `{group}`"));
        }
        ProposedPolicy {
            name,
            place,
            change,
            present: vec![work.used.policy],
            present_document: Some(work.document.clone()),
            document: fit::with_statements(work.document, pieces),
            reasons: pieces.iter().map(|piece| reasons_of(piece.origin)).collect(),
            gone: gone.map(|change| reasons_of(change.number)).collect(),
            holders: holders.into_iter().collect(),
            notes,
        }
    }
}

/// The statements in parts, if these fit beside what the targets have when some is taken from them.
fn fitting(
    work: &Work<'_>,
    (targets, freed): (&BTreeSet<String>, usize),
    added: impl Fn(&str) -> (usize, usize),
) -> Result<Vec<Vec<Piece>>, Refusal> {
    let policy = work.used.policy;
    let too_long = |characters: usize| Refusal::TooLong {
        policy: policy.id.clone(),
        what: "one statement of it",
        characters,
        limit: fit::MANAGED,
        remedy: REMEDY,
    };
    let parts = fit::split(work.document, pieces(&work.trimmed), fit::MANAGED).map_err(too_long)?;
    for target in targets {
        let (more, fewer) = added(target);
        let count = (attached(&work.holders, target) + parts.len() + more).saturating_sub(freed + fewer);
        if count > fit::ATTACHED {
            return Err(Refusal::TooMany {
                policy: policy.id.clone(),
                target: target.clone(),
                count,
                limit: fit::ATTACHED,
                remedy: REMEDY,
            });
        }
    }
    Ok(parts)
}

/// What stays of a document, each statement with its position in the present one.
fn pieces(trimmed: &Trimmed) -> Vec<Piece> {
    let gone: BTreeSet<usize> = trimmed
        .changes
        .iter()
        .filter(|change| change.is_gone)
        .map(|change| change.number)
        .collect();
    let origins = (1..).filter(|number| !gone.contains(number));
    let entries = trimmed.document.statements.as_slice().iter().cloned();
    let pieces = origins.zip(entries).map(|(origin, entry)| Piece { entry, origin });
    pieces.collect()
}

fn change(trimmed: &Trimmed, pieces: &[Piece]) -> Change {
    match (trimmed.changes.is_empty(), pieces.is_empty()) {
        (true, _) => Change::Keep,
        (false, true) => Change::Remove,
        (false, false) => Change::Edit,
    }
}

fn remark(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Unreadable { error, .. } => Some(format!("it stays as it stands, as it cannot be read: {error}")),
        Entry::Readable(statement) if statement.effect == Effect::Deny => {
            Some("it denies, and stays as it stands".to_owned())
        }
        Entry::Readable(_) => None,
    }
}
