//! Proposals as policies to try.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Actor;
use super::Trial;
use crate::iam::document::Document;
use crate::policy::estate::Estate;
use crate::policy::estate::Member;
use crate::policy::evaluation::Layer;
use crate::policy::evaluation::NamedPolicy;
use crate::policy::proposal::Change;
use crate::policy::proposal::Proposal;
use crate::policy::proposal::ProposedPolicy;
use crate::policy::snapshot::Policy;
use crate::policy::usage::PrincipalKey;

/// What is proposed, by the users and roles that it is for.
#[derive(Debug, Default)]
pub struct Plan<'s> {
    policies: Vec<Planned<'s>>,
    /// Positions of the policies.
    by_holder: BTreeMap<String, Vec<usize>>,
}

/// A proposed policy, without the reasons for it.
#[derive(Debug)]
struct Planned<'s> {
    name: String,
    is_removed: bool,
    present: Vec<&'s Policy>,
    /// `None` if it is the present one.
    document: Option<Document>,
}

impl<'s> Plan<'s> {
    /// Adds all that a proposal contains.
    pub fn add(&mut self, proposal: Proposal<'s>) {
        for policy in proposal.policies {
            for holder in &policy.holders {
                let positions = self.by_holder.entry(holder.clone()).or_default();
                positions.push(self.policies.len());
            }
            self.policies.push(Planned::of(policy));
        }
    }

    /// Adds all that another plan contains.
    pub fn append(&mut self, other: Self) {
        let first = self.policies.len();
        for (holder, positions) in other.by_holder {
            let own = self.by_holder.entry(holder).or_default();
            own.extend(positions.into_iter().map(|position| first + position));
        }
        self.policies.extend(other.policies);
    }

    /// The principals that get other policies, with what they would have. ARNs are those of the snapshots.
    pub fn actors<'p>(&'p self, estate: &Estate<'p>) -> BTreeMap<String, Actor<'p>> {
        let members = estate.callers();
        let changed = members.filter_map(|member| {
            let positions = self.by_holder.get(member.principal.arn.as_str())?;
            let proposed: Vec<&Planned<'_>> = positions.iter().filter_map(|it| self.policies.get(*it)).collect();
            let present = present(&member);
            let is_replaced = |policy: &Policy| {
                let mut replaced = proposed.iter().flat_map(|it| &it.present);
                replaced.any(|other| other.id == policy.id)
            };
            let uses = member.policies().into_iter();
            let kept = uses
                .filter(|used| !is_replaced(used.policy))
                .map(|used| named(used.policy));
            let new = proposed.iter().filter(|it| !it.is_removed).map(|it| it.named());
            let trial = Trial {
                layer: Layer::Identity,
                proposed: kept.chain(new).collect(),
                present,
            };
            Some((member.principal.arn.clone(), Actor::of_member(&member, trial)))
        });
        changed.collect()
    }
}

impl<'s> Planned<'s> {
    fn of(policy: ProposedPolicy<'s>) -> Self {
        let is_present = match policy.present.as_slice() {
            [only] => only.document.as_ref().is_ok_and(|present| *present == policy.document),
            _ => false,
        };
        Self {
            name: policy.name,
            is_removed: policy.change == Change::Remove,
            present: policy.present,
            document: (!is_present).then_some(policy.document),
        }
    }

    fn named(&self) -> NamedPolicy<'_> {
        let present = || self.present.first()?.document.as_ref().ok();
        NamedPolicy {
            name: &self.name,
            document: self.document.as_ref().or_else(present),
        }
    }
}

/// The same principals, also by the ARNs that the logs have: records may leave out a path, and principals are renamed.
pub fn by_logged_arn<'a>(
    actors: &BTreeMap<String, Actor<'a>>,
    callers: &BTreeSet<PrincipalKey>,
) -> BTreeMap<String, Actor<'a>> {
    let logged = in_logs(actors, callers).map(|(logged, (_, actor))| (logged.to_owned(), actor.clone()));
    // Of some, the logs may know the unique id alone.
    let others = actors.iter().map(|(arn, actor)| (arn.clone(), actor.clone()));
    others.chain(logged).collect()
}

/// The ARNs in the snapshots of the principals that the logs have by these.
pub fn owners_of(
    logged: &BTreeSet<&str>,
    actors: &BTreeMap<String, Actor<'_>>,
    callers: &BTreeSet<PrincipalKey>,
) -> BTreeSet<String> {
    let in_logs = in_logs(actors, callers).map(|(logged, (arn, _))| (logged, arn));
    let others = actors.keys().map(|arn| (arn.as_str(), arn.as_str()));
    let meant = others.chain(in_logs).filter(|(found, _)| logged.contains(found));
    meant.map(|(_, arn)| arn.to_owned()).collect()
}

/// Each ARN of the logs with the principal that it stands for.
fn in_logs<'m, 'a>(
    actors: &'m BTreeMap<String, Actor<'a>>,
    callers: &'m BTreeSet<PrincipalKey>,
) -> impl Iterator<Item = (&'m str, (&'m str, &'m Actor<'a>))> {
    let ids = actors
        .iter()
        .filter_map(|(arn, actor)| Some((actor.unique_id.as_deref()?, (arn.as_str(), actor))));
    let by_id: BTreeMap<&str, (&str, &Actor<'a>)> = ids.collect();
    callers.iter().filter_map(move |caller| {
        let renamed = || by_id.get(caller.unique_id.as_deref()?).copied();
        let named = actors.get_key_value(&caller.arn);
        let named = named.map(|(arn, actor)| (arn.as_str(), actor));
        Some((caller.arn.as_str(), named.or_else(renamed)?))
    })
}

impl<'a> Actor<'a> {
    /// A user or role of a snapshot.
    pub fn of_member(member: &Member<'a>, trial: Trial<'a>) -> Self {
        Self {
            trial,
            grants: member.gaps().is_empty().then(|| present(member)),
            unique_id: member.principal.unique_id.clone(),
        }
    }

    /// A principal of which no snapshot says what it may do.
    pub fn unknown(trial: Trial<'a>) -> Self {
        Self {
            trial,
            grants: None,
            unique_id: None,
        }
    }
}

impl<'a> Trial<'a> {
    /// Policies in the place of those of a user or role; `None` stands for a principal that no snapshot has.
    pub fn in_place_of(layer: Layer, member: Option<&Member<'a>>, proposed: &[NamedPolicy<'a>]) -> Self {
        let present = match (layer, member) {
            (Layer::Identity, Some(member)) => present(member),
            (Layer::Boundary, Some(member)) => member.boundaries().into_iter().map(named).collect(),
            _ => Vec::new(),
        };
        Self {
            layer,
            proposed: proposed.to_vec(),
            present,
        }
    }
}

fn present<'a>(member: &Member<'a>) -> Vec<NamedPolicy<'a>> {
    member.policies().into_iter().map(|used| named(used.policy)).collect()
}

fn named(policy: &Policy) -> NamedPolicy<'_> {
    NamedPolicy {
        name: &policy.name,
        document: policy.document.as_ref().ok(),
    }
}
