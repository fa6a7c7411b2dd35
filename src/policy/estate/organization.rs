//! Who belongs to the organization, and the policies that it has for them.

use std::collections::BTreeSet;
use std::iter::successors;

use super::Estate;
use super::member::attached;
use super::member::targets;
use crate::iam::arn::is_service_linked;
use crate::policy::snapshot::AttachmentKind;
use crate::policy::snapshot::NodeKind;
use crate::policy::snapshot::OrganizationNode;
use crate::policy::snapshot::Policy;
use crate::policy::snapshot::Principal;

/// Units may be nested five deep; more is a circle.
const MAX_DEPTH: usize = 10;

impl<'a> Estate<'a> {
    /// Accounts that a snapshot lists, or that the organization has.
    pub fn own_accounts(&self) -> BTreeSet<&'a str> {
        let members = self.members.iter();
        let listed = members.filter_map(|member| member.principal.account_id.as_deref());
        let nodes = self.organization.iter().flat_map(|it| it.nodes.values());
        let accounts = nodes.filter(|node| node.kind == NodeKind::Account);
        listed.chain(accounts.map(|node| node.id.as_str())).collect()
    }

    /// The accounts of the organization; `None` without a snapshot of it that lists any.
    pub fn organization_accounts(&self) -> Option<BTreeSet<&'a str>> {
        let nodes = self.organization.as_ref()?.nodes.values();
        let accounts = nodes.filter(|node| node.kind == NodeKind::Account);
        let accounts: BTreeSet<&str> = accounts.map(|node| node.id.as_str()).collect();
        (!accounts.is_empty()).then_some(accounts)
    }

    /// Id of the organization that an account belongs to, if a snapshot of the organization says so.
    pub fn organization_of(&self, account_id: &str) -> Option<&'a str> {
        let node = self.organization.as_ref()?.nodes.get(account_id)?;
        node.organization_id
            .as_deref()
            .filter(|_| node.kind == NodeKind::Account)
    }

    /// The account that no control policy binds; `None` without a snapshot of the organization.
    pub fn management_account(&self) -> Option<&'a str> {
        let mut nodes = self.organization.as_ref()?.nodes.values();
        nodes.find(|node| node.is_management).map(|node| node.id.as_str())
    }

    /// The accounts below a root or unit, or the account itself; `None` if the organization has no such node.
    pub fn accounts_below(&self, id: &str) -> Option<BTreeSet<&'a str>> {
        let nodes = &self.organization.as_ref()?.nodes;
        nodes.get(id)?;
        let is_below = |node: &&&OrganizationNode| {
            let parents = successors(Some(**node), |node| nodes.get(node.parent_id.as_deref()?).copied());
            parents.take(MAX_DEPTH).any(|node| node.id == id)
        };
        let below = nodes.values().filter(is_below);
        let accounts = below.filter(|node| node.kind == NodeKind::Account);
        Some(accounts.map(|node| node.id.as_str()).collect())
    }

    /// The service control policies of an account: for the account itself and each node above it those of which one must
    /// allow a call.
    ///
    /// `None` when none bind the principal, or it is not known which do.
    pub fn control_policies(&self, principal: &Principal) -> Option<Vec<Vec<&'a Policy>>> {
        let organization = self.organization.as_ref()?;
        let account = principal.account_id.as_deref()?;
        let node = organization.nodes.get(account)?;
        if node.is_management || is_service_linked(&principal.arn) {
            return None;
        }
        let mut levels = Vec::new();
        let mut next = Some(account);
        while let Some(id) = next {
            let policies = attached(organization.snapshot, id, AttachmentKind::ServiceControl);
            let attached_count = targets(organization.snapshot, id, AttachmentKind::ServiceControl).count();
            // Where control policies are in use, every node has one; none means that they are not, or not in the snapshot.
            let are_known = !policies.is_empty() && policies.len() == attached_count;
            if !are_known || levels.len() == MAX_DEPTH {
                return None;
            }
            levels.push(policies);
            next = organization.nodes.get(id)?.parent_id.as_deref();
        }
        Some(levels)
    }
}
