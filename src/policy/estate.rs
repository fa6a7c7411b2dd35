//! Several snapshots as one estate: for each account the newest that speaks of it, and what counts for each principal.

mod member;
mod organization;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

pub use member::Member;
pub use member::PolicyUse;

use super::account_log::AccountLog;
use super::snapshot::Credential;
use super::snapshot::Format;
use super::snapshot::OrganizationNode;
use super::snapshot::Policy;
use super::snapshot::Principal;
use super::snapshot::PrincipalKind;
use super::snapshot::Snapshot;
use super::window::Window;

/// The gap of everyone in a snapshot that may be the last page of an answer.
pub(super) const PART_OF_A_SNAPSHOT: &str =
    "the snapshot may be the rest of one whose earlier page says that more pages follow";

/// The gap of someone of whom two snapshots of one moment say different things.
pub(super) const CONTRADICTED: &str =
    "another snapshot of the same moment gives it other policies: take a newer one, and import it with its time";

/// A snapshot with its time.
#[derive(Debug, Clone)]
pub struct TakenSnapshot {
    /// When it was taken: microseconds since 1970-01-01T00:00:00Z.
    pub taken_at: i64,
    /// Id of its source, which decides between snapshots of one moment.
    pub source_id: String,
    /// What it says.
    pub snapshot: Snapshot,
}

/// What the newest snapshots say together.
#[derive(Debug)]
pub struct Estate<'a> {
    members: Vec<Member<'a>>,
    credentials: Vec<&'a Credential>,
    credential_times: Vec<i64>,
    organization: Option<Organization<'a>>,
    partial_accounts: BTreeSet<&'a str>,
}

/// What IAM itself says of who was active in a window or after it: it knows the last use only.
#[derive(Debug, Default)]
pub(super) struct SeenByIam<'a> {
    /// ARNs of roles and users: a role by its last use, a user by that of its password and keys.
    pub(super) principals: BTreeSet<&'a str>,
    /// By account, the regions in which roles and keys of it were last used.
    regions: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

#[derive(Debug)]
struct Organization<'a> {
    nodes: BTreeMap<&'a str, &'a OrganizationNode>,
    snapshot: &'a Snapshot,
}

impl TakenSnapshot {
    /// Which of several counts: the newest, and of one moment a whole one, then the one that says most.
    fn precedence(&self) -> (i64, bool, usize, &str) {
        let snapshot = &self.snapshot;
        (
            self.taken_at,
            !snapshot.lacks_pages,
            snapshot.principals.len(),
            &self.source_id,
        )
    }

    /// Memory that it takes, about.
    pub fn approximate_bytes(&self) -> usize {
        // A document is kept as text and as what it says.
        let policies = self
            .snapshot
            .policies
            .iter()
            .map(|policy| size_of::<Policy>() + 4 * policy.text.len());
        policies.sum::<usize>() + self.snapshot.principals.len() * 2 * size_of::<Principal>()
    }
}

impl<'a> Estate<'a> {
    /// Takes for each account the newest snapshot that lists its principals, and the newest of the organization.
    pub fn newest(snapshots: &'a [TakenSnapshot]) -> Self {
        let mut order: Vec<&TakenSnapshot> = snapshots.iter().collect();
        order.sort_by_key(|taken| Reverse(taken.precedence()));
        let mut estate = Self {
            members: Vec::new(),
            credentials: Vec::new(),
            credential_times: Vec::new(),
            organization: None,
            partial_accounts: partial_accounts(&order),
        };
        // By account, the moment of the snapshot that counts; and the members of others of that moment.
        let (mut moments, mut others) = (BTreeMap::new(), Vec::new());
        let mut with_credentials = BTreeSet::new();
        for taken in order {
            let snapshot = &taken.snapshot;
            let members = snapshot.principals.iter().map(|principal| Member {
                principal,
                taken_at: taken.taken_at,
                source_id: &taken.source_id,
                reported_at: None,
                is_part: false,
                is_contradicted: false,
                snapshot,
            });
            for member in members {
                match moments.get(&member.principal.account_id.as_deref()) {
                    None => estate.members.push(member),
                    Some(moment) if *moment == taken.taken_at => others.push(member),
                    Some(_) => {}
                }
            }
            let credentials = snapshot.credentials.iter();
            let newer = credentials.filter(|it| !with_credentials.contains(&it.account_id.as_deref()));
            estate.credentials.extend(newer);
            estate.credential_times.resize(estate.credentials.len(), taken.taken_at);
            with_credentials.extend(snapshot.credentials.iter().map(|it| it.account_id.as_deref()));
            let accounts = snapshot.principals.iter().map(|it| it.account_id.as_deref());
            // An account whose last principal is gone is still listed, by what is left of its policies.
            let emptied = snapshot.accounts().into_iter().map(Some);
            match snapshot.format {
                Format::AuthorizationDetails | Format::Collected => accounts.chain(emptied).for_each(|account| {
                    moments.entry(account).or_insert(taken.taken_at);
                }),
                Format::CredentialReport | Format::OrganizationPolicies => {}
            }
            let organization = || (!snapshot.nodes.is_empty()).then(|| Organization::of(snapshot));
            estate.organization = estate.organization.take().or_else(organization);
        }
        let reported: BTreeMap<&str, i64> = estate
            .dated_credentials()
            .map(|(credential, taken_at)| (credential.principal_arn.as_str(), taken_at))
            .collect();
        let contradicted = contradicted(&estate.members, &others);
        for member in &mut estate.members {
            member.is_contradicted = contradicted.contains(member.principal.arn.as_str());
            member.reported_at = reported.get(member.principal.arn.as_str()).copied();
            let account = member.principal.account_id.as_deref();
            member.is_part = account.is_some_and(|account| estate.partial_accounts.contains(account));
        }
        estate
            .members
            .sort_by(|left, right| (&left.principal.arn, left.source_id).cmp(&(&right.principal.arn, right.source_id)));
        estate
    }

    /// Accounts whose newest snapshot lacks pages, or may.
    pub fn partial_accounts(&self) -> &BTreeSet<&'a str> {
        &self.partial_accounts
    }

    /// Who was active in a window, and where, as IAM says.
    pub(super) fn seen_in(&self, window: Window) -> SeenByIam<'a> {
        let mut seen = SeenByIam::default();
        for (arn, account, last_used_at, region) in self.last_uses(window.since) {
            seen.principals.insert(arn);
            let is_inside = last_used_at < window.until;
            if let (true, Some(account), Some(region)) = (is_inside, account, region) {
                seen.regions.entry(account).or_default().insert(region);
            }
        }
        seen
    }

    /// Regions in which roles and keys were last used, as IAM says, if that was since a moment: ARN, region and time.
    pub fn last_used_regions(&self, since: i64) -> impl Iterator<Item = (&'a str, &'a str, i64)> {
        self.last_uses(since)
            .filter_map(|(arn, _, at, region)| Some((arn, region?, at)))
    }

    /// The last uses of principals and credentials since a moment: ARN, account, time and region.
    fn last_uses(&self, since: i64) -> impl Iterator<Item = (&'a str, Option<&'a str>, i64, Option<&'a str>)> {
        let principals = self.members.iter().map(|member| member.principal);
        let principals = principals.map(|it| (&it.arn, &it.account_id, it.last_used_at, &it.last_used_region));
        let credentials = self.credentials.iter();
        let keys = credentials.map(|it| (&it.principal_arn, &it.account_id, it.last_used_at, &it.last_used_region));
        let dated = principals.chain(keys);
        dated.filter_map(move |(arn, account, at, region)| {
            let at = at.filter(|at| *at >= since)?;
            Some((arn.as_str(), account.as_deref(), at, region.as_deref()))
        })
    }

    /// Users and roles by ARN: those who make calls.
    pub fn callers(&self) -> impl Iterator<Item = Member<'a>> {
        let members = self.members.iter().copied();
        members.filter(|member| member.principal.kind != PrincipalKind::Group)
    }

    /// Passwords, keys and certificates.
    pub fn credentials(&self) -> &[&'a Credential] {
        &self.credentials
    }

    /// The same, each with the moment of its report.
    pub fn dated_credentials(&self) -> impl Iterator<Item = (&'a Credential, i64)> {
        let times = self.credential_times.iter().copied();
        self.credentials.iter().copied().zip(times)
    }
}

impl SeenByIam<'_> {
    /// Regions in which IAM saw someone of an account, and of which its logs hold nothing.
    pub(super) fn unseen_regions(&self, account: Option<&str>, log: &AccountLog) -> Vec<String> {
        let seen = account.and_then(|account| self.regions.get(account));
        let unseen = seen.into_iter().flatten();
        let unseen = unseen.filter(|region| !log.recorded_in.is_empty() && !log.recorded_in.contains(**region));
        unseen.map(|region| (*region).to_owned()).collect()
    }
}

impl<'a> Organization<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            nodes: snapshot.nodes.iter().map(|node| (node.id.as_str(), node)).collect(),
            snapshot,
        }
    }
}

/// ARNs of those to whom another snapshot of the same moment gives other policies.
fn contradicted<'a>(members: &[Member<'a>], others: &[Member<'a>]) -> BTreeSet<&'a str> {
    let mut by_arn: BTreeMap<&str, Vec<&Member<'a>>> = BTreeMap::new();
    for other in others {
        by_arn.entry(other.principal.arn.as_str()).or_default().push(other);
    }
    let is_contradicted = |member: &&Member<'a>| {
        let others = by_arn.get(member.principal.arn.as_str()).into_iter().flatten();
        let mut whole = others.filter(|other| !other.snapshot.lacks_pages);
        whole.any(|other| member.contradicts(other))
    };
    members
        .iter()
        .filter(is_contradicted)
        .map(|member| member.principal.arn.as_str())
        .collect()
}

/// Accounts whose newest snapshot is an answer cut off behind a page, or what may be the rest of one. The snapshots come
/// in the order in which they count.
///
/// An answer lists nobody twice. So a page that says that more follow, and of whose principals the newest snapshot lists
/// none, may belong to that; a later snapshot of the whole account would list them again.
fn partial_accounts<'a>(order: &[&'a TakenSnapshot]) -> BTreeSet<&'a str> {
    let mut newest: BTreeMap<&str, &TakenSnapshot> = BTreeMap::new();
    let mut partial = BTreeSet::new();
    let answers = order
        .iter()
        .filter(|taken| taken.snapshot.format == Format::AuthorizationDetails);
    for taken in answers {
        let snapshot = &taken.snapshot;
        for account in snapshot.accounts() {
            let counting = newest.entry(account).or_insert(taken);
            let is_counting = std::ptr::eq(*counting, *taken);
            if snapshot.lacks_pages && (is_counting || !share_principals(snapshot, &counting.snapshot, account)) {
                partial.insert(account);
            }
        }
    }
    partial
}

fn share_principals(one: &Snapshot, other: &Snapshot, account: &str) -> bool {
    let names = |snapshot: &Snapshot| -> BTreeSet<String> {
        let own = snapshot
            .principals
            .iter()
            .filter(|it| it.account_id.as_deref() == Some(account));
        own.map(|principal| principal.arn.clone()).collect()
    };
    !names(one).is_disjoint(&names(other))
}
