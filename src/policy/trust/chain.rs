//! Over which roles others are reached: calls that are signed with the key which another such call gave.

use std::collections::BTreeMap;

use super::call::AssumeCall;
use super::caller::Caller;
use super::caller::CallerKind;
use super::log::CallerUse;

/// Longer chains are cut at their begin.
const MAX_HOPS: usize = 8;

/// A way to a role over others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// The role at its end.
    pub role_arn: String,
    /// Who took the first role; `None` when the logs do not show it.
    pub origin: Option<Caller>,
    /// The roles between, in the order in which they were taken; not empty.
    pub through: Vec<String>,
}

/// The calls that may be links of chains.
#[derive(Debug, Default)]
pub(super) struct ChainLog {
    /// By the key that the call gave, if another was signed with it.
    links: BTreeMap<String, Link>,
    /// Calls of sessions of roles: the role taken, the role of the session, and its key if another call gave that.
    ends: BTreeMap<(String, String, Option<String>), CallerUse>,
}

#[derive(Debug)]
struct Link {
    caller: Caller,
    caller_key: Option<String>,
}

impl ChainLog {
    pub(super) fn add(&mut self, call: &AssumeCall<'_>, caller: &Caller) {
        let caller_key = call.caller_key.map(str::to_owned);
        if let Some(key) = call.issued_key {
            let link = Link {
                caller: caller.clone(),
                caller_key: caller_key.clone(),
            };
            self.links.insert(key.to_owned(), link);
        }
        if caller.kind == CallerKind::Role {
            let place = (call.role_arn.to_owned(), caller.name.clone(), caller_key);
            self.ends.entry(place).or_default().merge(&CallerUse::of(call));
        }
    }

    /// All ways, with the calls that went them.
    pub(super) fn chains(&self) -> BTreeMap<Chain, CallerUse> {
        let mut chains: BTreeMap<Chain, CallerUse> = BTreeMap::new();
        for ((role_arn, from, key), calls) in &self.ends {
            let (through, origin) = self.way_to(from, key.as_deref());
            let chain = Chain {
                role_arn: role_arn.clone(),
                origin,
                through,
            };
            chains.entry(chain).or_default().merge(calls);
        }
        chains
    }

    /// The roles up to a session of a role, and who took the first of them.
    fn way_to(&self, role: &str, key: Option<&str>) -> (Vec<String>, Option<Caller>) {
        let mut through = vec![role.to_owned()];
        let mut key = key;
        while let Some(link) = key.and_then(|key| self.links.get(key)) {
            if link.caller.kind != CallerKind::Role || through.len() == MAX_HOPS {
                through.reverse();
                return (through, Some(link.caller.clone()));
            }
            through.push(link.caller.name.clone());
            key = link.caller_key.as_deref();
        }
        through.reverse();
        (through, None)
    }
}
