//! Whether trimmed trust policies let through the calls that took the roles.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::call::AssumeCall;
use super::caller::Neighbourhood;
use super::log::AskedOfCalls;
use super::part::Part;
use super::part::PartKind;
use super::part::parts_of;
use super::report::RoleTrust;
use crate::iam::document::Document;
use crate::policy::evaluation::Truth;
use crate::policy::remembered::Remembered;

/// Decides the calls that took roles once more, with the trimmed trust policies.
#[derive(Debug)]
pub struct TrustProof<'a> {
    neighbours: &'a Neighbourhood<'a>,
    asked: AskedOfCalls,
    roles: BTreeMap<&'a str, Policies>,
    remembered: Remembered<Outcome>,
    totals: TrustTotals,
    denying: BTreeSet<String>,
}

/// How many calls there were, and what would have become of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrustTotals {
    /// Calls that were given a role whose trust policy would change.
    pub evaluated: u64,
    /// Those that would have been denied.
    pub denied: u64,
    /// Those of which it cannot be known.
    pub unknown: u64,
    /// Those that the present policy does not explain: it has changed.
    pub unexplained: u64,
}

/// The principals of two policies, each alone, and the parts by which they differ.
#[derive(Debug)]
struct Policies {
    present: Vec<Part>,
    trimmed: Vec<Part>,
    gone: Vec<Part>,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Stays,
    Unexplained,
    Unknown,
    Denied,
}

impl<'a> TrustProof<'a> {
    /// A proof for the roles of which something is trimmed.
    pub fn new(neighbours: &'a Neighbourhood<'a>, asked: AskedOfCalls, roles: &'a [RoleTrust<'a>]) -> Self {
        let policies = roles.iter().filter_map(|role| {
            let trimmed = role.trimmed.as_ref()?;
            let present = role.trust?.document.as_ref().ok()?;
            let parts = parts_of(present).into_iter();
            let policies = Policies {
                present: principals_of(present),
                trimmed: principals_of(&trimmed.document),
                gone: parts
                    .filter(|part| trimmed.places.contains(&(part.number, part.place)))
                    .collect(),
            };
            Some((role.role_arn.as_str(), policies))
        });
        Self {
            neighbours,
            asked,
            roles: policies.collect(),
            remembered: Remembered::default(),
            totals: TrustTotals::default(),
            denying: BTreeSet::new(),
        }
    }

    /// Decides a call.
    pub fn add(&mut self, call: &AssumeCall<'_>) {
        let call = &self.neighbours.as_known(call);
        let Some(policies) = self.roles.get(call.role_arn).filter(|_| call.is_granted) else {
            return;
        };
        let key = self.asked.key(call);
        let outcome = match self.remembered.get(&key) {
            Some(outcome) => *outcome,
            None => {
                let outcome = policies.outcome(call, self.neighbours);
                self.remembered.keep(key, outcome, 0);
                outcome
            }
        };
        self.totals.evaluated += 1;
        match outcome {
            Outcome::Stays => {}
            Outcome::Unexplained => self.totals.unexplained += 1,
            Outcome::Unknown => self.totals.unknown += 1,
            Outcome::Denied => self.totals.denied += 1,
        }
        if matches!(outcome, Outcome::Denied) {
            self.denying.insert(call.role_arn.to_owned());
        }
    }

    /// The sums, and the roles whose trimmed policy would have denied a call.
    pub fn finish(self) -> (TrustTotals, BTreeSet<String>) {
        (self.totals, self.denying)
    }
}

impl Policies {
    /// A call that succeeded was let through by some part: by one that stays, if none that goes may have.
    fn outcome(&self, call: &AssumeCall<'_>, neighbours: &Neighbourhood<'_>) -> Outcome {
        let fits = |parts: &[Part]| Truth::any(parts.iter().map(|part| part.fits(call, neighbours)));
        match (fits(&self.trimmed), fits(&self.present)) {
            (Truth::True, _) => Outcome::Stays,
            (_, Truth::False) => Outcome::Unexplained,
            (Truth::Unknown, Truth::Unknown) if fits(&self.gone) == Truth::False => Outcome::Stays,
            (Truth::Unknown, _) => Outcome::Unknown,
            (Truth::False, _) => Outcome::Denied,
        }
    }
}

fn principals_of(document: &Document) -> Vec<Part> {
    let parts = parts_of(document).into_iter();
    parts.filter(|part| part.kind != PartKind::Value).collect()
}
