//! What would have become of past calls if other policies had been in force.
//!
//! A call that succeeded was allowed by everything that then had a say. So only the policies that change are looked at: the
//! call would have failed if the proposed ones refuse it. The present ones serve to explain what the log cannot say: where
//! the proposed policies depend on something unknown, and hold the very statements of which one must have allowed the call,
//! they allow it too. Where the present policies of an identity do not grant a call that succeeded, something else did,
//! such as the policy of the resource or grants that have changed since.

mod asked;
mod call;
mod ownership;
mod plan;
mod totals;
mod trial;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

pub use asked::AskedParts;
pub use call::CallNeed;
pub use call::NeedKind;
pub use call::ReplayedCall;
pub use ownership::Ownership;
pub use plan::Plan;
pub use plan::by_logged_arn;
pub use totals::CallTotals;
pub use trial::Consequence;
pub use trial::Trial;
pub use trial::full_access;
pub use trial::full_access_to_resources;

use totals::Fate;

use super::evaluation::Layer;
use super::evaluation::NamedPolicy;
use super::evaluation::RecordFields;
use super::evaluation::Request;
use super::evaluation::Resource;
use super::evaluation::ResourceName;
use super::evaluation::context_of;
use crate::iam::Facts;
use crate::iam::json::Json;

/// Events that are named for each finding.
const SAMPLES: usize = 3;

/// Kinds of calls that are remembered, so that memory has a bound.
const REMEMBERED: usize = 200_000;

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

/// What came out for one principal, action, resource and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayFinding {
    /// What would have become of the calls.
    pub consequence: Consequence,
    /// ARN of the principal.
    pub principal_arn: String,
    /// The action; the name of the call where none is known.
    pub action: String,
    /// The resource, of objects in folders the first folder; `None` if the record names none.
    pub resource: Option<String>,
    /// Region that served the calls.
    pub region: Option<String>,
    /// How many.
    pub calls: u64,
    /// The first: microseconds since 1970-01-01T00:00:00Z.
    pub first_seen: i64,
    /// The last.
    pub last_seen: i64,
    /// Ids of the newest events, the newest first.
    samples: Vec<(i64, String)>,
}

/// Replays calls.
#[derive(Debug)]
pub struct Replay<'a> {
    facts: &'a Facts,
    actors: &'a BTreeMap<String, Actor<'a>>,
    everybody: Option<Actor<'a>>,
    ownership: Ownership,
    parts: AskedParts,
    remembered: HashMap<Vec<u8>, Judged>,
    places: BTreeMap<Place, usize>,
    findings: Vec<ReplayFinding>,
    totals: CallTotals,
}

/// What distinguishes findings.
type Place = (Consequence, String, String, Option<String>, Option<String>);

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
            everybody: None,
            ownership: Ownership::default(),
            parts: AskedParts::of(actors.values()),
            remembered: HashMap::new(),
            places: BTreeMap::new(),
            findings: Vec::new(),
            totals: CallTotals::default(),
        }
    }

    /// Replays the calls of all others, too, strangers among them, with this.
    pub fn and_everybody(mut self, everybody: Actor<'a>) -> Self {
        self.parts = AskedParts::of(self.actors.values().chain([&everybody]));
        self.everybody = Some(everybody);
        self
    }

    /// Knows of accounts.
    pub fn knowing(mut self, ownership: Ownership) -> Self {
        self.ownership = ownership;
        self
    }

    /// What the policies ask for of the context of calls.
    pub fn parts(&self) -> AskedParts {
        self.parts
    }

    /// Replays a call.
    pub fn add(&mut self, call: &ReplayedCall<'_>) {
        let Some(actor) = self.actors.get(call.principal_arn).or(self.everybody.as_ref()) else {
            return;
        };
        let key = self.parts.key(call);
        let judged = match self.remembered.get(&key) {
            Some(judged) => judged.clone(),
            None => {
                let judged = self.judge(&actor.clone(), call);
                if self.remembered.len() == REMEMBERED {
                    self.remembered.clear();
                }
                self.remembered.insert(key, judged.clone());
                judged
            }
        };
        self.totals.add(judged.fate);
        for position in judged.findings {
            if let Some(finding) = self.findings.get_mut(position) {
                finding.add(call);
            }
        }
    }

    /// What came out, in the order of consequence, principal, action, resource and region.
    pub fn finish(self) -> (Vec<ReplayFinding>, CallTotals) {
        let mut findings: Vec<Option<ReplayFinding>> = self.findings.into_iter().map(Some).collect();
        let positions = self.places.into_values();
        let ordered = positions.filter_map(|position| findings.get_mut(position)?.take());
        (ordered.collect(), self.totals)
    }

    fn judge(&mut self, actor: &Actor<'_>, call: &ReplayedCall<'_>) -> Judged {
        if !actor.trial.binds(call) || (actor.is_other(call) && actor.trial.is_of_identity()) {
            return Judged {
                fate: Fate::Unbound,
                findings: Vec::new(),
            };
        }
        let grants = actor.grants.as_deref().filter(|_| !actor.is_other(call));
        let parameters = call.parameters.and_then(|text| Json::parse(text).ok());
        let mut judged = Judged::default();
        for need in call.needs {
            let consequences = match need.kind {
                NeedKind::Nothing => continue,
                NeedKind::Unmapped => {
                    let missing = BTreeSet::from(["IAM action of the call".to_owned()]);
                    vec![(None, Consequence::Unknown(missing))]
                }
                NeedKind::Certain | NeedKind::Possible => self
                    .requests(call, need, parameters.as_ref())
                    .into_iter()
                    .map(|(arn, request)| (arn, self.consequence(actor, &request, grants).for_need(need)))
                    .collect(),
            };
            for (arn, consequence) in consequences {
                judged.fate = judged.fate.max(Fate::of(&consequence));
                if consequence != Consequence::Stays {
                    judged.findings.push(self.place(call, need, arn, consequence));
                }
            }
        }
        judged.findings.sort_unstable();
        judged.findings.dedup();
        judged
    }

    fn consequence(&self, actor: &Actor<'_>, request: &Request, grants: Option<&[NamedPolicy<'_>]>) -> Consequence {
        let consequence = actor.trial.judge(request, grants);
        match actor.trial.layer {
            Layer::ResourceControl(_) => self.ownership.limited(request, consequence),
            _ => consequence,
        }
    }

    /// One request for each resource that the record names.
    fn requests<'c>(
        &self,
        call: &ReplayedCall<'c>,
        need: &CallNeed<'c>,
        parameters: Option<&Json>,
    ) -> Vec<(Option<&'c str>, Request)> {
        let request = |arn: Option<&'c str>, name: ResourceName| {
            let fields = RecordFields {
                request_parameters: parameters,
                resource_arn: arn,
                ..call.fields
            };
            let account_id = arn
                .filter(|_| self.parts.has_owners())
                .and_then(|arn| call.owner_of(arn));
            let mut request = Request {
                principal: call.principal(),
                action: need.action.to_owned(),
                resource: Resource { name, account_id },
                context: context_of(&fields),
            };
            self.ownership.add_keys(&mut request);
            (arn, request)
        };
        if need.resources.is_empty() {
            let id = self.facts.find(need.action);
            let takes_none = id.is_some_and(|id| self.facts.resource_uses(id).is_empty());
            let name = if takes_none {
                ResourceName::Nothing
            } else {
                ResourceName::Unknown
            };
            return vec![request(None, name)];
        }
        let named = need.resources.iter().map(|(arn, is_proof)| {
            // An ARN that is made of names may lack a path, an account or a version; an instance profile is not the role
            // in it, which is what is passed.
            let is_other = need.action == "iam:PassRole" && !arn.contains(":role/");
            let name = if *is_proof && !is_other {
                ResourceName::Arn((*arn).to_owned())
            } else {
                ResourceName::Unknown
            };
            request(Some(arn), name)
        });
        named.collect()
    }

    /// Position of the finding of a need, which is made if there is none yet.
    fn place(
        &mut self,
        call: &ReplayedCall<'_>,
        need: &CallNeed<'_>,
        arn: Option<&str>,
        consequence: Consequence,
    ) -> usize {
        let action = match need.kind {
            NeedKind::Unmapped | NeedKind::Nothing => {
                format!("{}:{}", call.fields.event_source, call.fields.event_name)
            }
            NeedKind::Certain | NeedKind::Possible => need.action.to_owned(),
        };
        let finding = ReplayFinding {
            consequence,
            principal_arn: call.principal_arn.to_owned(),
            action,
            resource: arn.map(shown),
            region: call.serving_region.map(str::to_owned),
            calls: 0,
            first_seen: i64::MAX,
            last_seen: i64::MIN,
            samples: Vec::new(),
        };
        let place = (
            finding.consequence.clone(),
            finding.principal_arn.clone(),
            finding.action.clone(),
            finding.resource.clone(),
            finding.region.clone(),
        );
        let next = self.findings.len();
        let position = *self.places.entry(place).or_insert(next);
        if position == next {
            self.findings.push(finding);
        }
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

impl ReplayFinding {
    /// Ids of the newest events, the newest first.
    pub fn event_ids(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(|(_, id)| id.as_str())
    }

    fn add(&mut self, call: &ReplayedCall<'_>) {
        let time = call.fields.event_time;
        self.calls += 1;
        self.first_seen = self.first_seen.min(time);
        self.last_seen = self.last_seen.max(time);
        // Of equal moments the first id counts, whatever the order in which calls come.
        let is_before = |(at, id): &(i64, String)| *at > time || (*at == time && id.as_str() < call.event_id);
        let position = self.samples.partition_point(is_before);
        if position < SAMPLES {
            self.samples.insert(position, (time, call.event_id.to_owned()));
            self.samples.truncate(SAMPLES);
        }
    }
}

/// Objects of a bucket by their first folder: there may be millions.
fn shown(arn: &str) -> String {
    let is_object = arn.split(':').nth(2) == Some("s3");
    let mut parts = arn.splitn(3, '/').filter(|_| is_object);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(bucket), Some(folder), Some(_)) => format!("{bucket}/{folder}/*"),
        _ => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests;
