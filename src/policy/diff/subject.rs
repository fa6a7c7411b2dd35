//! Whose permissions and uses belong together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::doubt::UNLOGGED_DAYS;
use super::doubt::unlogged_days;
use crate::iam::arn::account_of_arn;
use crate::policy::estate::Estate;
use crate::policy::estate::Member;
use crate::policy::usage::PrincipalKey;
use crate::policy::usage::PrincipalUse;
use crate::policy::usage::Usage;
use crate::policy::window::Window;

/// A principal of the snapshots, of the logs, or of both.
#[derive(Debug)]
pub struct Subject<'a> {
    /// Who.
    pub key: PrincipalKey,
    /// The principal in the snapshot.
    pub member: Option<Member<'a>>,
    /// Why there is none.
    pub absence: Option<Absence>,
    /// Whether the logs show that another came after it under its name, so that the snapshot has one that is no more.
    pub is_replaced: bool,
    /// What it did.
    pub deeds: Cow<'a, PrincipalUse>,
}

impl Subject<'_> {
    /// Days by which its snapshot is younger than the logs, if these are too many.
    pub fn unlogged_days(&self, usage: &Usage) -> Option<i64> {
        unlogged_days(self.member.as_ref()?, usage)
    }

    /// When its snapshot was taken, if that was too long before a window: what changed in between stands neither in it nor
    /// in the logs of the window.
    pub fn outdated_snapshot(&self, window: Window) -> Option<i64> {
        let taken_at = self.member.as_ref()?.taken_at;
        let between = Window {
            since: taken_at,
            until: window.since,
        };
        (between.whole_days() > UNLOGGED_DAYS).then_some(taken_at)
    }
}

/// Why a principal of the logs is in no snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The account has no snapshot.
    NoSnapshot,
    /// The snapshot of the account does not have it.
    NotInSnapshot,
    /// The snapshot of the account lacks pages, and what is there does not have it.
    LacksPages,
    /// The snapshot has another principal of the same name.
    OtherPrincipal,
    /// The snapshot has an earlier principal of the same name.
    EarlierPrincipal,
}

/// Users and roles in the order of ARN and id.
///
/// Principals of accounts that have neither logs nor a snapshot are other people's and left out, and so are those that
/// records name by an id which no snapshot has.
pub fn subjects<'a>(usage: &'a Usage, estate: &Estate<'a>) -> Vec<Subject<'a>> {
    let mut deeds: BTreeMap<&str, Vec<(&'a PrincipalKey, &'a PrincipalUse)>> = BTreeMap::new();
    // A principal that was renamed, or whose record leaves out its path or names it by its id alone, is known by its id.
    let members: Vec<Member<'a>> = estate.callers().collect();
    let by_id: BTreeMap<&str, &str> = members
        .iter()
        .filter_map(|member| Some((member.principal.unique_id.as_deref()?, member.principal.arn.as_str())))
        .collect();
    let present: BTreeSet<(&str, Option<&str>)> = members
        .iter()
        .map(|member| (member.principal.arn.as_str(), member.principal.unique_id.as_deref()))
        .collect();
    let by_name = Names::of(&members);
    for (key, deed) in &usage.principals {
        let own = (key.arn.as_str(), key.unique_id.as_deref());
        let other = key.unique_id.as_deref().and_then(|id| by_id.get(id).copied());
        let arn = other
            .filter(|_| !present.contains(&own))
            .or_else(|| by_name.arn_of(key));
        deeds.entry(arn.unwrap_or(&key.arn)).or_default().push((key, deed));
    }
    let (mut subjects, mut accounts) = (Vec::new(), BTreeSet::new());
    for member in members {
        let key = PrincipalKey {
            arn: member.principal.arn.clone(),
            unique_id: member.principal.unique_id.clone(),
        };
        accounts.extend(key.account_id().map(str::to_owned));
        let namesakes = deeds.remove(key.arn.as_str()).unwrap_or_default();
        let (own, others): (Vec<_>, Vec<_>) = namesakes.into_iter().partition(|(found, _)| found.may_be(&key));
        let is_later = |(_, deeds): &(&PrincipalKey, &PrincipalUse)| deeds.outlives(member.principal.created_at);
        let is_replaced = others.iter().any(is_later);
        subjects.push(Subject {
            key,
            member: Some(member),
            absence: None,
            is_replaced,
            deeds: merged(&own),
        });
        subjects.extend(others.into_iter().map(|found| match is_later(&found) {
            true => absent(found, Absence::EarlierPrincipal),
            false => absent(found, Absence::OtherPrincipal),
        }));
    }
    for found in deeds.into_values().flatten().filter(|(key, _)| !key.is_id_alone()) {
        let account = found.0.account_id().unwrap_or_default();
        match (accounts.contains(account), usage.accounts.contains_key(account)) {
            (true, _) if estate.partial_accounts().contains(account) => {
                subjects.push(absent(found, Absence::LacksPages));
            }
            (true, _) => subjects.push(absent(found, Absence::NotInSnapshot)),
            (false, true) => subjects.push(absent(found, Absence::NoSnapshot)),
            (false, false) => {}
        }
    }
    subjects.sort_by(|left, right| left.key.cmp(&right.key));
    subjects
}

/// Users and roles by account, kind and name, which no two of an account share, whatever their paths.
struct Names<'a> {
    arns: BTreeMap<(&'a str, &'a str, String), &'a str>,
    known: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    fn of(members: &[Member<'a>]) -> Self {
        let arns = members.iter().map(|member| member.principal.arn.as_str());
        Self {
            arns: arns.clone().filter_map(|arn| Some((name_of(arn)?.0, arn))).collect(),
            known: arns.collect(),
        }
    }

    /// The ARN of a principal that records name without its path, or of one of the same name with another id.
    fn arn_of(&self, key: &PrincipalKey) -> Option<&'a str> {
        let (name, has_path) = name_of(&key.arn).filter(|_| !self.known.contains(key.arn.as_str()))?;
        let is_meant = !has_path || key.unique_id.is_some();
        let (account, kind, name) = name;
        is_meant
            .then(|| self.arns.get(&(account, kind, name)).copied())
            .flatten()
    }
}

/// Account, kind and name of a user or role, and whether its ARN has a path.
fn name_of(arn: &str) -> Option<((&str, &str, String), bool)> {
    let (kind, name) = arn.split(':').nth(5)?.split_once('/')?;
    let bare = name.rsplit('/').next().unwrap_or(name);
    Some(((account_of_arn(arn)?, kind, bare.to_lowercase()), bare != name))
}

/// What the records of one principal show together; those without its id are its own, too.
fn merged<'a>(own: &[(&'a PrincipalKey, &'a PrincipalUse)]) -> Cow<'a, PrincipalUse> {
    if let [(_, deeds)] = own {
        return Cow::Borrowed(deeds);
    }
    let (alone, named): (Vec<_>, Vec<_>) = own.iter().partition(|(key, _)| key.is_id_alone());
    let mut merged = PrincipalUse::default();
    named.iter().for_each(|(_, deeds)| merged.add(deeds));
    alone.iter().for_each(|(_, deeds)| merged.add_copies(deeds));
    Cow::Owned(merged)
}

fn absent<'a>((key, deeds): (&'a PrincipalKey, &'a PrincipalUse), absence: Absence) -> Subject<'a> {
    Subject {
        key: key.clone(),
        member: None,
        absence: Some(absence),
        is_replaced: false,
        deeds: Cow::Borrowed(deeds),
    }
}
