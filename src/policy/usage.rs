//! Evidence of use: what the logs show of every principal's actions.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::account_log::AccountLog;
use super::changes::GrantChanges;
use super::trails::Trails;
use super::unmapped::UnmappedCalls;
use super::window::MICROS_PER_HOUR;
use super::window::Window;
use crate::iam::arn::account_of_arn;

/// Up to this number, the distinct resources of an action are counted.
pub const COUNTED_RESOURCES: u64 = 50;

/// How long a session of a role may go on.
const LONGEST_SESSION: i64 = 12 * MICROS_PER_HOUR;

/// What an entry of a set takes besides its text, about.
const ENTRY_BYTES: usize = 48;
/// What the logs show in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The window.
    pub window: Window,
    /// The end of the logs, which may reach beyond the window.
    pub logs_until: i64,
    /// Users and roles that made calls.
    pub principals: BTreeMap<PrincipalKey, PrincipalUse>,
    /// Accounts whose trail the logs hold.
    pub accounts: BTreeMap<String, AccountLog>,
    /// What the user told of the trails behind them; else it is inferred from what is there.
    pub trails: Trails,
    /// What changed since the window began in what principals may do.
    pub changes: GrantChanges,
}

/// Who: a role that was deleted and made again under the same name is another principal, and has another id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrincipalKey {
    /// ARN without session name, with the path; empty where records name the principal by its id alone, as those in the
    /// logs of another account do.
    pub arn: String,
    /// Id that is never used again, as `AROA…`; `None` where a record or snapshot does not say.
    pub unique_id: Option<String>,
}

/// What one principal did in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrincipalUse {
    /// First call of any kind.
    pub first_seen: Option<i64>,
    /// Last call of any kind, or the last time that someone took the role.
    pub last_seen: Option<i64>,
    /// Last call whose record names it, with its id if that is known.
    pub last_call: Option<i64>,
    /// Regions that served its calls; not `aws-global`.
    pub regions: BTreeSet<String>,
    /// By full name of the action.
    pub actions: BTreeMap<String, ActionUse>,
    /// Calls that map to no action.
    pub unmapped: UnmappedCalls,
    /// Subjects of the tokens with which Kubernetes service accounts took the role.
    pub service_accounts: BTreeSet<String>,
}

/// What one principal did with one action in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionUse {
    /// Calls that succeeded and needed it.
    pub used: u64,
    /// Of these, calls whose record names no resource.
    pub unnamed: u64,
    /// Calls that succeeded and may have needed it.
    pub uncertain: u64,
    /// Calls that were denied: attempts, no uses.
    pub denied: u64,
    /// Calls that failed for another reason than a lack of permission.
    pub failed: u64,
    /// First use.
    pub first_used: Option<i64>,
    /// Last use.
    pub last_used: Option<i64>,
    /// Last denied attempt.
    pub last_denied: Option<i64>,
    /// Regions that served the calls.
    pub regions: BTreeSet<String>,
    /// Distinct resources of the uses, counted up to [`COUNTED_RESOURCES`]; a larger number only says that there are more.
    pub resource_count: u64,
    /// ARNs of these resources, not necessarily of all.
    pub resources: BTreeSet<String>,
}

impl Usage {
    /// What the logs of a window hold of each account, without what anybody did.
    pub fn without_uses(window: Window, accounts: BTreeMap<String, AccountLog>) -> Self {
        Self {
            logs_until: window.until,
            window,
            principals: BTreeMap::new(),
            accounts,
            trails: Trails::default(),
            changes: GrantChanges::default(),
        }
    }

    /// All principals of an ARN: one after the other, each has had its own id.
    pub(super) fn of_arn(&self, arn: &str) -> impl Iterator<Item = (&PrincipalKey, &PrincipalUse)> {
        let first = PrincipalKey {
            arn: arn.to_owned(),
            unique_id: None,
        };
        let rest = self.principals.range(first..);
        rest.take_while(move |(other, _)| other.arn == arn)
    }

    /// Memory that it takes, about.
    pub fn approximate_bytes(&self) -> usize {
        let texts = |texts: &BTreeSet<String>| -> usize { texts.iter().map(|text| ENTRY_BYTES + text.len()).sum() };
        let actions = |deeds: &PrincipalUse| -> usize {
            let uses = deeds.actions.iter();
            uses.map(|(action, it)| size_of::<ActionUse>() + action.len() + texts(&it.regions) + texts(&it.resources))
                .sum()
        };
        let principals = self.principals.iter();
        principals
            .map(|(key, deeds)| ENTRY_BYTES + size_of::<PrincipalUse>() + key.arn.len() + actions(deeds))
            .sum()
    }
}

impl PrincipalKey {
    /// Whether records name the principal by its id alone.
    pub fn is_id_alone(&self) -> bool {
        self.arn.is_empty()
    }

    /// The account in the ARN; none of a principal of AWS itself.
    pub fn account_id(&self) -> Option<&str> {
        account_of_arn(&self.arn)
    }

    /// Whether two keys of one ARN may mean one principal: an id that is not known contradicts none.
    pub fn may_be(&self, other: &Self) -> bool {
        match (&self.unique_id, &other.unique_id) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => true,
        }
    }
}

impl PrincipalUse {
    /// Whether there are calls after a principal of the same name was made, so that this one came later still: of one name,
    /// only one is there at a time. Sessions of what was deleted may go on until they end.
    pub(super) fn outlives(&self, made_at: Option<i64>) -> bool {
        let outlived = made_at.map(|made_at| made_at.saturating_add(LONGEST_SESSION));
        self.last_call
            .is_some_and(|seen| outlived.is_none_or(|made_at| seen > made_at))
    }

    /// Adds what another part of the logs shows of the same principal.
    pub fn add(&mut self, other: &Self) {
        self.merge(other, |own, theirs| own + theirs);
    }

    /// Adds what the logs of other accounts show of the same principal: calls that its own account may have recorded, too, so
    /// that the larger number counts.
    pub fn add_copies(&mut self, other: &Self) {
        self.merge(other, u64::max);
    }

    fn merge(&mut self, other: &Self, joined: fn(u64, u64) -> u64) {
        self.first_seen = earlier(self.first_seen, other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.last_call = self.last_call.max(other.last_call);
        self.regions.extend(other.regions.iter().cloned());
        self.service_accounts.extend(other.service_accounts.iter().cloned());
        self.unmapped.extend(&other.unmapped);
        for (action, action_use) in &other.actions {
            let own = self.actions.entry(action.clone()).or_default();
            own.merge(action_use, joined);
        }
    }
}

impl ActionUse {
    fn merge(&mut self, other: &Self, joined: fn(u64, u64) -> u64) {
        for (own, theirs) in [
            (&mut self.used, other.used),
            (&mut self.unnamed, other.unnamed),
            (&mut self.uncertain, other.uncertain),
            (&mut self.denied, other.denied),
            (&mut self.failed, other.failed),
        ] {
            *own = joined(*own, theirs);
        }
        self.first_used = earlier(self.first_used, other.first_used);
        self.last_used = self.last_used.max(other.last_used);
        self.last_denied = self.last_denied.max(other.last_denied);
        self.regions.extend(other.regions.iter().cloned());
        // Resources of both parts are counted twice; the count then only says that the list is not complete.
        self.resource_count += other.resource_count;
        self.resources.extend(other.resources.iter().cloned());
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
