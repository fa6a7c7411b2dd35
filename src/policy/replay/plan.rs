//! Proposals as policies to try.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Actor;
use super::Trial;
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
#[derive(Debug)]
pub struct Plan<'p> {
    by_holder: BTreeMap<&'p str, Vec<&'p ProposedPolicy<'p>>>,
}

impl<'p> Plan<'p> {
    /// All that the proposals contain.
    pub fn of(proposals: &'p [Proposal<'p>]) -> Self {
        let mut by_holder: BTreeMap<&str, Vec<&ProposedPolicy<'_>>> = BTreeMap::new();
        for policy in proposals.iter().flat_map(|proposal| &proposal.policies) {
            for holder in &policy.holders {
                by_holder.entry(holder).or_default().push(policy);
            }
        }
        Self { by_holder }
    }

    /// The principals that get other policies, with what they would have. ARNs are those of the snapshots.
    pub fn actors(&self, estate: &Estate<'p>) -> BTreeMap<String, Actor<'p>> {
        let members = estate.callers();
        let changed = members.filter_map(|member| {
            let proposed = self.by_holder.get(member.principal.arn.as_str())?;
            let present = present(&member);
            let is_replaced = |policy: &Policy| {
                let mut replaced = proposed.iter().flat_map(|it| &it.present);
                replaced.any(|other| other.id == policy.id)
            };
            let uses = member.policies().into_iter();
            let kept = uses
                .filter(|used| !is_replaced(used.policy))
                .map(|used| named(used.policy));
            let new = proposed.iter().filter(|it| it.change != Change::Remove);
            let new = new.map(|it| NamedPolicy::new(&it.name, &it.document));
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

/// The same principals by the ARNs that the logs have: records may leave out a path, and principals are renamed.
pub fn by_logged_arn<'a>(
    actors: &BTreeMap<String, Actor<'a>>,
    callers: &BTreeSet<PrincipalKey>,
) -> BTreeMap<String, Actor<'a>> {
    let ids = actors
        .values()
        .filter_map(|actor| Some((actor.unique_id.as_deref()?, actor)));
    let by_id: BTreeMap<&str, &Actor<'a>> = ids.collect();
    let logged = callers.iter().filter_map(|caller| {
        let renamed = || by_id.get(caller.unique_id.as_deref()?).copied();
        let actor = actors.get(&caller.arn).or_else(renamed)?;
        Some((caller.arn.clone(), actor.clone()))
    });
    logged.collect()
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
