//! Who calls from where: names behind unique ids and the organizations of accounts; and whose resources a resource control policy guards.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::trial::Consequence;
use crate::policy::estate::Estate;
use crate::policy::evaluation::Request;
use crate::policy::evaluation::Truth;
use crate::policy::evaluation::is_resource_controlled;

/// What is known of accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Accounts whose resources the policies that are tried guard.
    pub guarded: BTreeSet<String>,
    /// Ids of organizations by account.
    pub organizations: BTreeMap<String, String>,
    /// ARNs of users and roles by unique id, by which alone the logs of another account name a caller.
    pub names: BTreeMap<String, String>,
}

impl Ownership {
    /// What the snapshots say; nothing is guarded.
    pub fn of(estate: &Estate<'_>) -> Self {
        let accounts = estate.own_accounts().into_iter();
        let organizations =
            accounts.filter_map(|account| Some((account.to_owned(), estate.organization_of(account)?.to_owned())));
        let principals = estate.callers().map(|member| member.principal);
        let names = principals.filter_map(|it| Some((it.unique_id.clone()?, it.arn.clone())));
        Self {
            guarded: BTreeSet::new(),
            organizations: organizations.collect(),
            names: names.collect(),
        }
    }

    /// Sets the condition keys that follow from the accounts of both sides.
    pub(super) fn add_keys(&self, request: &mut Request) {
        let principal = request.principal.account_id().map(str::to_owned);
        let owner = request.resource.account_id.clone();
        let keys = &mut request.context;
        if let Some(account) = &principal {
            keys.set_value("aws:PrincipalAccount", account.clone());
            keys.set_value("aws:PrincipalIsAWSService", "false");
            if let Some(organization) = self.organizations.get(account) {
                keys.set_value("aws:PrincipalOrgID", organization.clone());
            }
        }
        if let Some(account) = &owner {
            keys.set_value("aws:ResourceAccount", account.clone());
            if let Some(organization) = self.organizations.get(account) {
                keys.set_value("aws:ResourceOrgID", organization.clone());
            }
        }
    }

    /// What becomes of a request, if policies on resources would deny it or may.
    pub(super) fn limited(&self, request: &Request, consequence: Consequence) -> Consequence {
        let owner = request.resource.account_id.as_ref();
        let is_guarded = owner.map(|owner| self.guarded.contains(owner));
        let is_bound = is_resource_controlled(&request.action);
        let is_about_nothing = request.resource.name.is_nothing();
        if is_about_nothing || is_guarded == Some(false) || is_bound == Truth::False {
            return Consequence::Stays;
        }
        let missing = match (is_guarded, is_bound) {
            (None, _) => "account of the resource",
            (_, Truth::Unknown) => "whether resource control policies bind the service",
            _ => return consequence,
        };
        match consequence {
            Consequence::Denied(_) => Consequence::Unknown(BTreeSet::from([missing.to_owned()])),
            other => other,
        }
    }
}
