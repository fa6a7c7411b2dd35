//! Who holds a policy, and what each of them uses of it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::reasons::ReasonBook;
use crate::iam::ActionId;
use crate::iam::ActionSet;
use crate::iam::Facts;
use crate::policy::diff::Differ;
use crate::policy::diff::NotGranted;
use crate::policy::diff::PrincipalDiff;
use crate::policy::diff::Subject;
use crate::policy::diff::Verdict;
use crate::policy::diff::permission_set;
use crate::policy::estate::PolicyUse;
use crate::policy::keep::Keep;
use crate::policy::keep::KeepList;
use crate::policy::snapshot::PolicyKind;
use crate::policy::trace::Traces;
use crate::policy::usage::PrincipalKey;

/// Rows of diffs that are kept for the other policies of the principals, so that memory has a bound.
const KEPT_ROWS: usize = 200_000;

/// The users and roles that each policy counts for.
#[derive(Debug, Default)]
pub struct Holders<'s> {
    by_policy: BTreeMap<String, Vec<&'s Subject<'s>>>,
    /// Roles of each permission set of Identity Center, in whatever account.
    permission_sets: BTreeMap<&'s str, Vec<&'s Subject<'s>>>,
    boundaries: BTreeMap<String, String>,
}

impl<'s> Holders<'s> {
    /// Looks through all principals.
    pub fn of(subjects: &'s [Subject<'s>]) -> Self {
        let mut holders = Self::default();
        for subject in subjects {
            if let Some(set) = permission_set(&subject.key.arn) {
                holders.permission_sets.entry(set).or_default().push(subject);
            }
            let Some(member) = &subject.member else { continue };
            let keys: BTreeSet<String> = member.policies().iter().map(|used| key(used, subject)).collect();
            for key in keys {
                holders.by_policy.entry(key).or_default().push(subject);
            }
            for boundary in member.boundaries() {
                let arn = || subject.key.arn.clone();
                holders.boundaries.entry(boundary.id.clone()).or_insert_with(arn);
            }
        }
        holders
    }

    /// Those who hold a policy that counts for a principal, the principal itself included.
    pub(super) fn holding(&self, used: &PolicyUse<'_>, subject: &Subject<'_>) -> Vec<&'s Subject<'s>> {
        self.by_policy.get(&key(used, subject)).cloned().unwrap_or_default()
    }

    /// The roles of a role's permission set, itself included, with the name of the set: what is changed for one is changed for all.
    pub(super) fn in_set_of(&self, subject: &Subject<'_>) -> Option<(&'s str, &[&'s Subject<'s>])> {
        let roles = self.permission_sets.get_key_value(permission_set(&subject.key.arn)?);
        roles.map(|(set, roles)| (*set, roles.as_slice()))
    }

    /// A principal whose permissions the policy bounds.
    pub(super) fn bounded_by(&self, policy_id: &str) -> Option<&str> {
        self.boundaries.get(policy_id).map(String::as_str)
    }

    /// The principals whose use decides about the policies of these ones.
    pub fn concerned(&self, chosen: &[&Subject<'_>]) -> BTreeSet<PrincipalKey> {
        let mut concerned = BTreeSet::new();
        for subject in chosen {
            concerned.insert(subject.key.clone());
            let roles = self.in_set_of(subject).into_iter().flat_map(|(_, roles)| roles);
            concerned.extend(roles.map(|role| role.key.clone()));
            for used in subject.member.iter().flat_map(|member| member.policies()) {
                let holders = self.holding(&used, subject);
                concerned.extend(holders.iter().map(|holder| holder.key.clone()));
            }
        }
        concerned
    }
}

/// What is edited: a policy of AWS is not, so that each who has it attached gets a copy.
fn key(used: &PolicyUse<'_>, subject: &Subject<'_>) -> String {
    match used.policy.kind {
        PolicyKind::AwsManaged => format!("{}\n{}", used.policy.id, used.group.unwrap_or(&subject.key.arn)),
        _ => used.policy.id.clone(),
    }
}

/// What principals use of their policies.
#[derive(Debug)]
pub(super) struct Uses<'s> {
    facts: &'s Facts,
    differ: Differ<'s>,
    traces: &'s Traces,
    /// Those that were made last: principals that share policies stand near each other.
    diffs: BTreeMap<&'s PrincipalKey, Rc<PrincipalDiff<'s>>>,
    kept_rows: usize,
    /// By permission set, once somebody of it was looked at.
    sets: BTreeMap<&'s str, SetNeeds<'s>>,
}

impl<'s> Uses<'s> {
    pub(super) fn new(facts: &'s Facts, differ: Differ<'s>, traces: &'s Traces) -> Self {
        Self {
            facts,
            differ,
            traces,
            diffs: BTreeMap::new(),
            kept_rows: 0,
            sets: BTreeMap::new(),
        }
    }

    /// With an allow-list, of which nothing is removable.
    pub(super) fn keeping(mut self, list: &'s KeepList, now: i64) -> Self {
        self.differ = self.differ.keeping(list, now);
        self
    }

    pub(super) fn idle_keeps(&self) -> Vec<&'s Keep> {
        self.differ.idle_keeps()
    }

    /// One principal, granted against used.
    pub(super) fn diff(&mut self, subject: &'s Subject<'s>) -> Rc<PrincipalDiff<'s>> {
        if let Some(diff) = self.diffs.get(&subject.key) {
            return Rc::clone(diff);
        }
        let diff = Rc::new(self.differ.diff(subject));
        if self.kept_rows + diff.rows.len() > KEPT_ROWS {
            self.diffs.clear();
            self.kept_rows = 0;
        }
        self.kept_rows += diff.rows.len();
        self.diffs.insert(&subject.key, Rc::clone(&diff));
        diff
    }

    /// The first of these principals who used an action that no statement of theirs allows, with the action.
    pub(super) fn used_without_statement(&mut self, holders: &[&'s Subject<'s>]) -> Option<(&'s str, &'s str)> {
        holders.iter().find_map(|holder| {
            let diff = self.diff(holder);
            let mut rows = diff.rows.iter();
            let row = rows.find(|row| row.verdict == Verdict::UsedNotGranted(NotGranted::NoStatement))?;
            Some((holder.key.arn.as_str(), row.action))
        })
    }

    /// What all holders leave unused of a policy's statements, by position from 1, and why the rest stays.
    pub(super) fn of_policy(
        &mut self,
        policy_id: &str,
        holders: &[&'s Subject<'s>],
    ) -> (BTreeMap<usize, ActionSet>, ReasonBook) {
        let mut removable: Option<BTreeMap<usize, ActionSet>> = None;
        let mut book = ReasonBook::default();
        for subject in holders {
            let diff = self.diff(subject);
            book.note(policy_id, &diff, &self.traces.of(&subject.key));
            for unused in unused_of(policy_id, subject, &diff, self.facts) {
                removable = Some(match removable {
                    None => unused,
                    Some(all) => in_both(all, &unused),
                });
            }
        }
        (removable.unwrap_or_default(), book)
    }

    /// Takes out of what is removable what other roles of a permission set may need.
    pub(super) fn spare(
        &mut self,
        subject: &Subject<'_>,
        (set, roles): (&'s str, &[&'s Subject<'s>]),
        removable: &mut BTreeMap<usize, ActionSet>,
        book: &mut ReasonBook,
    ) {
        if !self.sets.contains_key(set) {
            let needs = self.needs_of(roles);
            self.sets.insert(set, needs);
        }
        let Some(needs) = self.sets.get(set) else { return };
        for (number, actions) in removable.iter_mut() {
            for id in actions.iter().collect::<Vec<ActionId>>() {
                if let Some(role) = needs.other_than(&subject.key.arn, id) {
                    book.keep_for(*number, role, self.facts.name(id));
                    actions.remove(id);
                }
            }
        }
        removable.retain(|_, actions| !actions.is_empty());
    }

    fn needs_of(&mut self, roles: &[&'s Subject<'s>]) -> SetNeeds<'s> {
        let mut needs = SetNeeds::default();
        for role in roles {
            let arn = role.key.arn.as_str();
            if role.absence.is_some() && needs.unknown.len() < ENOUGH {
                needs.unknown.push(arn);
            }
            let diff = self.diff(role);
            for (action, row) in diff.by_action() {
                let is_needed = row.verdict != Verdict::Unused || row.kept.is_some();
                if let Some(id) = self.facts.find(action).filter(|_| is_needed) {
                    let of_action = needs.by_action.entry(id).or_default();
                    if of_action.len() < ENOUGH {
                        of_action.push(arn);
                    }
                }
            }
        }
        needs
    }
}

/// Roles that are remembered of all that need something: one of them is another than whoever is looked at.
const ENOUGH: usize = 2;

/// What the roles of a permission set may need, with some of them.
#[derive(Debug, Default)]
struct SetNeeds<'s> {
    by_action: BTreeMap<ActionId, Vec<&'s str>>,
    /// Those of which it is not known what they may do.
    unknown: Vec<&'s str>,
}

impl<'s> SetNeeds<'s> {
    /// Another role that may need an action.
    fn other_than(&self, arn: &str, action: ActionId) -> Option<&'s str> {
        let of_action = self.by_action.get(&action).into_iter().flatten();
        let mut roles = of_action.chain(&self.unknown).copied();
        roles.find(|role| *role != arn)
    }
}

/// What a principal leaves unused of a policy, for each way in which it has the policy.
fn unused_of(
    policy_id: &str,
    subject: &Subject<'_>,
    diff: &PrincipalDiff<'_>,
    facts: &Facts,
) -> Vec<BTreeMap<usize, ActionSet>> {
    let policies = subject.member.iter().flat_map(|member| member.policies());
    let ways: BTreeSet<Option<&str>> = policies
        .filter(|used| used.policy.id == policy_id)
        .map(|used| used.group)
        .collect();
    let of_way = |way: &Option<&str>| {
        let mut unused: BTreeMap<usize, ActionSet> = BTreeMap::new();
        for row in &diff.rows {
            let is_meant = row.policy.is_some_and(|policy| policy.id == policy_id) && row.group == *way;
            if row.verdict != Verdict::Unused || row.kept.is_some() || !is_meant {
                continue;
            }
            if let Some((number, id)) = row.statement_number.zip(facts.find(row.action)) {
                unused.entry(number).or_insert_with(|| facts.no_actions()).insert(id);
            }
        }
        unused
    };
    ways.iter().map(of_way).collect()
}

fn in_both(mut one: BTreeMap<usize, ActionSet>, other: &BTreeMap<usize, ActionSet>) -> BTreeMap<usize, ActionSet> {
    one.retain(|number, _| other.contains_key(number));
    for (number, actions) in &mut one {
        if let Some(theirs) = other.get(number) {
            actions.retain(theirs);
        }
    }
    one
}
