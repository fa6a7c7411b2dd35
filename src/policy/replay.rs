//! What would have become of past calls if other policies had been in force.
//!
//! A call that succeeded was allowed by everything that then had a say. So only the policies that change are looked at: the
//! call would have failed if the proposed ones refuse it. The present ones serve to explain what the log cannot say: where
//! the proposed policies depend on something unknown, and hold the very statements of which one must have allowed the call,
//! they allow it too. Where the present policies of an identity do not grant a call that succeeded, something else did,
//! such as the policy of the resource or grants that have changed since.

mod asked;
mod call;
mod finding;
mod ownership;
mod plan;
mod profile;
mod requests;
mod totals;
mod trial;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

pub use asked::AskedParts;
pub use call::CallNeed;
pub use call::NeedKind;
pub use call::ReplayedCall;
pub use finding::ReplayFinding;
pub use ownership::Ownership;
pub use plan::Plan;
pub use plan::by_logged_arn;
pub use plan::owners_of;
pub use totals::CallTotals;
pub use trial::Consequence;
pub use trial::Trial;
pub use trial::full_access;
pub use trial::full_access_to_resources;

use asked::Asked;
use finding::Place;
use finding::shown;
use hashbrown::HashMap;
use totals::Fate;

use super::evaluation::Layer;
use super::evaluation::NamedPolicy;
use super::evaluation::RecordFields;
use super::evaluation::Request;
use super::remembered::Remembered;
use super::usage::PrincipalKey;
use crate::iam::Facts;
use crate::iam::json::Json;

/// Whose calls are replayed, and with what.
#[derive(Debug, Clone)]
pub struct Actor<'a> {
    /// What is tried on it.
    pub trial: Trial<'a>,
    /// Its present identity policies; `None` when they are not known in full.
    pub grants: Option<Vec<NamedPolicy<'a>>>,
    /// Unique id of the user or role in the snapshot: calls of a namesake are not its own.
    pub unique_id: Option<String>,
}

/// Replays calls.
#[derive(Debug)]
pub struct Replay<'a> {
    facts: &'a Facts,
    actors: &'a BTreeMap<String, Actor<'a>>,
    /// ARNs of the actors by unique id.
    arns: BTreeMap<&'a str, &'a str>,
    everybody: Option<Actor<'a>>,
    ownership: Ownership,
    asked: Asked,
    /// What comes out for calls that are alike, by what they have in common.
    remembered: Remembered<Judged>,
    key: Vec<u8>,
    places: HashMap<Place, usize>,
    findings: Vec<ReplayFinding>,
    totals: CallTotals,
}

/// What becomes of one request of a call.
struct Outcome<'c> {
    need: &'c CallNeed<'c>,
    resource: Option<&'c str>,
    consequence: Consequence,
}

/// What comes out for a kind of calls.
#[derive(Debug, Clone, Default)]
struct Judged {
    fate: Fate,
    /// Positions of the findings.
    findings: Vec<usize>,
}

impl<'a> Replay<'a> {
    /// A replay of the calls of these principals, by the ARN in the logs.
    pub fn new(facts: &'a Facts, actors: &'a BTreeMap<String, Actor<'a>>) -> Self {
        Self {
            facts,
            actors,
            arns: actors
                .iter()
                .filter_map(|(arn, actor)| Some((actor.unique_id.as_deref()?, arn.as_str())))
                .collect(),
            everybody: None,
            ownership: Ownership::default(),
            asked: Asked::by(actors.values()),
            remembered: Remembered::default(),
            key: Vec::new(),
            places: HashMap::new(),
            findings: Vec::new(),
            totals: CallTotals::default(),
        }
    }

    /// Replays the calls of all others, too, strangers among them, with this.
    pub fn and_everybody(mut self, everybody: Actor<'a>) -> Self {
        self.asked = Asked::by(self.actors.values().chain([&everybody]));
        self.everybody = Some(everybody);
        self
    }

    /// Knows of accounts and of those in them.
    pub fn knowing(mut self, ownership: Ownership) -> Self {
        self.ownership = ownership;
        self
    }

    /// Those whose calls are replayed, beside everybody else: by ARN and unique id.
    pub fn principals(&self) -> BTreeSet<PrincipalKey> {
        let keys = self.actors.iter().map(|(arn, actor)| PrincipalKey {
            arn: arn.clone(),
            unique_id: actor.unique_id.clone(),
        });
        keys.collect()
    }

    /// Whether a principal of the logs is one of them.
    pub fn has(&self, principal_arn: &str) -> bool {
        self.actors.contains_key(principal_arn)
    }

    /// What the policies ask for of the context of calls.
    pub fn parts(&self) -> AskedParts {
        self.asked.parts
    }

    /// Replays a call.
    pub fn add(&mut self, call: &ReplayedCall<'_>) {
        self.asked.parts.write_key(call, &mut self.key);
        if self.remembered.get(&self.key).is_none() && !self.learn(call) {
            return;
        }
        let Some(judged) = self.remembered.get(&self.key) else {
            return;
        };
        self.totals.add(judged.fate);
        for position in &judged.findings {
            if let Some(finding) = self.findings.get_mut(*position) {
                finding.add(call);
            }
        }
    }

    /// What came out, in the order of consequence, principal, action, resource and region.
    pub fn finish(mut self) -> (Vec<ReplayFinding>, CallTotals) {
        self.findings.sort_by(|left, right| left.place().cmp(&right.place()));
        (self.findings, self.totals)
    }

    /// Finds out what comes out for a call and remembers it; false if it is nobody's who is looked at.
    fn learn(&mut self, call: &ReplayedCall<'_>) -> bool {
        let id = call.principal_id.filter(|_| call.names_an_id_alone());
        let named = |id: &str| {
            let of_actor = self.arns.get(id).copied();
            of_actor.or_else(|| self.ownership.names.get(id).map(String::as_str))
        };
        let known = id.and_then(named).map(str::to_owned);
        let renamed = known.as_deref().map(|arn| call.of(arn));
        let call = renamed.as_ref().unwrap_or(call);
        let named = self
            .actors
            .get(call.principal_arn)
            .filter(|_| !call.names_an_id_alone());
        let Some(actor) = named.or(self.everybody.as_ref()) else {
            return false;
        };
        let mut judged = Judged::default();
        match self.judge(actor, call) {
            None => judged.fate = Fate::Unbound,
            Some(outcomes) => {
                for outcome in outcomes {
                    judged.fate = judged.fate.max(Fate::of(&outcome.consequence));
                    if outcome.consequence != Consequence::Stays {
                        judged.findings.push(self.position(call, outcome));
                    }
                }
            }
        }
        judged.findings.sort_unstable();
        judged.findings.dedup();
        let bytes = size_of_val(judged.findings.as_slice());
        self.remembered.keep(self.key.clone(), judged, bytes);
        true
    }

    /// What becomes of each request of a call; `None` if the policies have no say in it.
    fn judge<'c>(&self, actor: &Actor<'_>, call: &ReplayedCall<'c>) -> Option<Vec<Outcome<'c>>> {
        if !actor.trial.binds(call) || (actor.is_other(call) && actor.trial.is_of_identity()) {
            return None;
        }
        let grants = actor.grants.as_deref().filter(|_| !actor.is_other(call));
        let parameters = call.parameters.and_then(|text| Json::parse(text).ok());
        let fields = RecordFields {
            request_parameters: parameters.as_ref(),
            ..call.fields
        };
        let mut outcomes = Vec::new();
        for need in call.needs {
            match need.kind {
                NeedKind::Nothing => {}
                NeedKind::Unmapped => {
                    let missing = BTreeSet::from(["IAM action of the call".to_owned()]);
                    outcomes.push(Outcome {
                        need,
                        resource: None,
                        consequence: Consequence::Unknown(missing),
                    });
                }
                NeedKind::Certain | NeedKind::Possible => {
                    let mut judge = |resource: Option<&'c str>, request: &Request| {
                        let consequence = self.consequence(actor, request, grants).for_need(need);
                        outcomes.push(Outcome {
                            need,
                            resource,
                            consequence,
                        });
                    };
                    self.each_request(call, need, &fields, &mut judge);
                }
            }
        }
        Some(outcomes)
    }

    fn consequence(&self, actor: &Actor<'_>, request: &Request, grants: Option<&[NamedPolicy<'_>]>) -> Consequence {
        let consequence = actor.trial.judge(request, grants);
        match actor.trial.layer {
            Layer::ResourceControl(_) => self.ownership.limited(request, consequence),
            _ => consequence,
        }
    }

    /// Position of the finding of an outcome, which is made if there is none yet.
    fn position(&mut self, call: &ReplayedCall<'_>, outcome: Outcome<'_>) -> usize {
        let action = match outcome.need.kind {
            NeedKind::Unmapped | NeedKind::Nothing => {
                format!("{}:{}", call.fields.event_source, call.fields.event_name)
            }
            NeedKind::Certain | NeedKind::Possible => outcome.need.action.to_owned(),
        };
        let place = Place {
            consequence: outcome.consequence,
            principal_arn: call.shown_principal().into_owned(),
            action,
            resource: outcome.resource.map(shown),
            region: call.serving_region.map(str::to_owned),
        };
        if let Some(position) = self.places.get(&place) {
            return *position;
        }
        let position = self.findings.len();
        self.findings.push(ReplayFinding::at(place.clone()));
        self.places.insert(place, position);
        position
    }
}

impl Actor<'_> {
    /// Whether a call is one of another principal that had the same name.
    fn is_other(&self, call: &ReplayedCall<'_>) -> bool {
        let ids = self
            .unique_id
            .as_deref()
            .zip(call.principal_id.filter(|id| !id.is_empty()));
        ids.is_some_and(|(own, theirs)| own != theirs)
    }
}

#[cfg(test)]
mod tests;
