//! Whether the logs would show that someone used a service.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Differ;
use super::doubt::unlogged_days;
use super::judge::Held;
use super::judge::Judge;
use super::reason::Reason;
use super::subject::Subject;
use crate::iam::ActionSet;
use crate::iam::Facts;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::grant::Grant;
use crate::policy::snapshot::Origin;
use crate::policy::snapshot::Policy;
use crate::policy::snapshot::PolicyKind;
use crate::policy::usage::PrincipalKey;
use crate::policy::usage::PrincipalUse;

impl Differ<'_> {
    /// Why it proves nothing that nobody of these accounts was seen to use a service, by service; one of which every use
    /// would have been seen is not there.
    pub(in crate::policy) fn silence_doubts(
        &mut self,
        accounts: &BTreeSet<String>,
        services: &[&'static str],
    ) -> BTreeMap<&'static str, String> {
        let facts = self.expander.facts();
        let policy = everything();
        let grants = grants_of(&policy, facts);
        let actions: Vec<(&'static str, ActionSet)> = services
            .iter()
            .map(|service| (*service, facts.expand(&format!("{service}:*"))))
            .collect();
        let mut doubts = BTreeMap::new();
        for account in accounts {
            let subject = anybody(account);
            let judge = self.judge(&subject);
            let unlogged = self.unlogged(account).map(|reason| reason.to_string());
            for (service, actions) in &actions {
                let mut grants = grants.iter();
                let silence = || grants.find_map(|grant| self.silence_doubt(&judge, grant, actions));
                let doubt = unlogged.clone().or_else(silence);
                if let Some(doubt) = doubt {
                    doubts.entry(*service).or_insert(doubt);
                }
            }
        }
        doubts
    }

    /// Why it proves nothing that nobody of these accounts was seen in a region, by account; one of which calls from all regions
    /// would have been seen is not there.
    pub fn region_doubts<'d>(&self, accounts: &'d BTreeSet<String>) -> BTreeMap<&'d str, Reason> {
        let doubts = accounts.iter().filter_map(|account| {
            let subject = anybody(account);
            let doubt = self.judge(&subject).doubt_of_regions();
            Some((account.as_str(), doubt.or_else(|| self.unlogged(account))?))
        });
        doubts.collect()
    }

    /// Why calls that leave data events alone would not be seen in whatever region, by account. Objects of S3 stand for all of
    /// them: what is recorded at all is recorded of these.
    pub fn data_doubts<'d>(&mut self, accounts: &'d BTreeSet<String>) -> BTreeMap<&'d str, Reason> {
        let facts = self.expander.facts();
        let policy = everything();
        let grants = grants_of(&policy, facts);
        let (Some(grant), Some(read)) = (grants.first(), facts.find("s3:GetObject")) else {
            return BTreeMap::new();
        };
        let doubts = accounts.iter().filter_map(|account| {
            let subject = anybody(account);
            // Whatever else may be in doubt.
            match self
                .judge(&subject)
                .unrecorded(self.visibility.of(read), grant.statement)
            {
                Some(Reason::DataEventsNotRecorded { regions, .. }) if !regions.is_empty() => None,
                Some(reason @ (Reason::DataEventsNotRecorded { .. } | Reason::NotSelected { .. })) => {
                    Some((account.as_str(), reason))
                }
                _ => None,
            }
        });
        doubts.collect()
    }

    /// Whether the snapshot of an account shows a time that its logs do not reach.
    fn unlogged(&self, account: &str) -> Option<Reason> {
        let mut own = self
            .estate
            .callers()
            .filter(|member| member.principal.account_id.as_deref() == Some(account));
        let days = own.find_map(|member| unlogged_days(&member, self.usage))?;
        Some(Reason::SnapshotAfterLogs(days))
    }

    /// Why the silence of some actions proves nothing.
    fn silence_doubt(&mut self, judge: &Judge<'_>, grant: &Grant<'_>, actions: &ActionSet) -> Option<String> {
        let held = Held {
            grant,
            since: None,
            is_outdated: false,
        };
        let facts = self.expander.facts();
        let mut is_seen = false;
        for id in actions.iter() {
            match judge.seen_since(self.visibility.of(id), held) {
                Ok(_) => is_seen = true,
                // No call needs these.
                Err(Reason::Permissionless(_)) => {}
                Err(reason) => return Some(format!("{}: {reason}", facts.name(id))),
            }
        }
        (!is_seen).then(|| "none of its calls would be seen".to_owned())
    }
}

/// The statements of a policy, as grants of whatever.
fn grants_of<'p>(policy: &'p Policy, facts: &Facts) -> Vec<Grant<'p>> {
    let readable = policy.document.iter().flat_map(Document::readable);
    let grants = readable.map(|(position, statement)| Grant {
        policy,
        group: None,
        statement_number: position + 1,
        statement,
        actions: facts.no_actions(),
        unknown_patterns: Vec::new(),
    });
    grants.collect()
}

/// All principals of an account together, of which nothing is known.
fn anybody(account: &str) -> Subject<'static> {
    Subject {
        key: PrincipalKey {
            arn: format!("arn:aws:iam::{account}:root"),
            unique_id: None,
        },
        member: None,
        absence: None,
        is_replaced: false,
        deeds: Cow::Owned(PrincipalUse::default()),
    }
}

/// A statement that allows everything.
pub(super) fn statement_on_everything() -> Statement {
    let all = || Scope::Only(OneOrMany::One("*".to_owned()));
    let mut statement = Statement::new(Effect::Allow, all());
    statement.resources = Some(all());
    statement
}

/// A policy that allows everything.
pub(super) fn everything() -> Policy {
    Policy {
        id: String::new(),
        kind: PolicyKind::ServiceControl,
        name: String::new(),
        account_id: None,
        version_id: None,
        is_default: true,
        created_at: None,
        origin: Origin::Facts,
        text: String::new(),
        document: Ok(Document::of(vec![statement_on_everything()])),
    }
}
