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
        self.levels(account).ok()
    }

    /// The account of a principal and the node above it, or itself, of which the snapshot does not show what one of its control
    /// policies must allow, though it shows others on the way: all of them are set aside for what the account may do.
    pub fn unclear_controls(&self, principal: &Principal) -> Option<(&'a str, &'a str)> {
        let organization = self.organization.as_ref()?;
        let node = organization.nodes.get(principal.account_id.as_deref()?)?;
        let unclear = self.levels(&node.id).err().filter(|_| !node.is_management)?;
        let is_bound = |id| {
            targets(organization.snapshot, id, AttachmentKind::ServiceControl)
                .next()
                .is_some()
        };
        let path = successors(Some(*node), |node| {
            organization.nodes.get(node.parent_id.as_deref()?).copied()
        });
        let mut path = path.take(MAX_DEPTH);
        path.any(|node| is_bound(&node.id))
            .then_some((node.id.as_str(), unclear))
    }

    /// The control policies of a node and of each above it; else the first of which they are not known.
    fn levels(&self, account: &str) -> Result<Vec<Vec<&'a Policy>>, &'a str> {
        let mut levels = Vec::new();
        let Some(organization) = &self.organization else {
            return Ok(levels);
        };
        let mut next = organization.nodes.get(account).copied();
        while let Some(node) = next {
            let policies = attached(organization.snapshot, &node.id, AttachmentKind::ServiceControl);
            let attached_count = targets(organization.snapshot, &node.id, AttachmentKind::ServiceControl).count();
            // Where control policies are in use, every node has one; none means that they are not, or not in the snapshot.
            let are_known = !policies.is_empty() && policies.len() == attached_count;
            let parent = node.parent_id.as_deref();
            let is_parent_known = parent.is_none_or(|parent| organization.nodes.contains_key(parent));
            if !are_known || !is_parent_known || levels.len() == MAX_DEPTH {
                return Err(&node.id);
            }
            levels.push(policies);
            next = parent.and_then(|parent| organization.nodes.get(parent).copied());
        }
        Ok(levels)
    }
}
