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
        let (mut with_principals, mut with_credentials) = (BTreeSet::new(), BTreeSet::new());
        for taken in order {
            let snapshot = &taken.snapshot;
            let principals = snapshot.principals.iter();
            let newer = principals.filter(|it| !with_principals.contains(&it.account_id.as_deref()));
            estate.members.extend(newer.map(|principal| Member {
                principal,
                taken_at: taken.taken_at,
                source_id: &taken.source_id,
                reported_at: None,
                is_part: false,
                snapshot,
            }));
            let credentials = snapshot.credentials.iter();
            let newer = credentials.filter(|it| !with_credentials.contains(&it.account_id.as_deref()));
            estate.credentials.extend(newer);
            estate.credential_times.resize(estate.credentials.len(), taken.taken_at);
            with_credentials.extend(snapshot.credentials.iter().map(|it| it.account_id.as_deref()));
            let accounts = snapshot.principals.iter().map(|it| it.account_id.as_deref());
            // An account whose last principal is gone is still listed, by what is left of its policies.
            let emptied = snapshot.accounts().into_iter().map(Some);
            match snapshot.format {
                Format::AuthorizationDetails | Format::Collected => with_principals.extend(accounts.chain(emptied)),
                Format::CredentialReport | Format::OrganizationPolicies => {}
            }
            if estate.organization.is_none() && !snapshot.nodes.is_empty() {
                estate.organization = Some(Organization::of(snapshot));
            }
        }
        let reported: BTreeMap<&str, i64> = estate
            .dated_credentials()
            .map(|(credential, taken_at)| (credential.principal_arn.as_str(), taken_at))
            .collect();
        for member in &mut estate.members {
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
        let principals = self.members.iter().map(|member| member.principal);
        let principals = principals.map(|it| (&it.arn, &it.account_id, it.last_used_at, &it.last_used_region));
        let credentials = self.credentials.iter();
        let keys = credentials.map(|it| (&it.principal_arn, &it.account_id, it.last_used_at, &it.last_used_region));
        let mut seen = SeenByIam::default();
        for (arn, account, last_used_at, region) in principals.chain(keys) {
            let Some(last_used_at) = last_used_at.filter(|at| *at >= window.since) else {
                continue;
            };
            seen.principals.insert(arn);
            let is_inside = last_used_at < window.until;
            if let (true, Some(account), Some(region)) = (is_inside, account, region) {
                seen.regions.entry(account).or_default().insert(region);
            }
        }
        seen
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
