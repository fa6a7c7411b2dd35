//! One principal of a snapshot, and what its attachments say.

use std::collections::BTreeMap;

use super::CONTRADICTED;
use super::PART_OF_A_SNAPSHOT;
use crate::iam::document::Document;
use crate::policy::snapshot::Attachment;
use crate::policy::snapshot::AttachmentKind;
use crate::policy::snapshot::Policy;
use crate::policy::snapshot::PolicyKind;
use crate::policy::snapshot::Principal;
use crate::policy::snapshot::Snapshot;

/// A principal and the snapshot that it is from.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The principal.
    pub principal: &'a Principal,
    /// When its snapshot was taken.
    pub taken_at: i64,
    /// The source of its snapshot.
    pub source_id: &'a str,
    /// When the credential report was made that speaks of its keys and password; `None` if none does.
    pub(in crate::policy) reported_at: Option<i64>,
    /// Whether an earlier page of the same answer may be missing.
    pub(super) is_part: bool,
    /// Whether another snapshot of the same moment says something else.
    pub(super) is_contradicted: bool,
    pub(super) snapshot: &'a Snapshot,
}

/// A policy that counts for a principal.
#[derive(Debug, Clone, Copy)]
pub struct PolicyUse<'a> {
    /// The version in force.
    pub policy: &'a Policy,
    /// ARN of the group through which it counts; `None` when it is the principal's own.
    pub group: Option<&'a str>,
}

impl<'a> Member<'a> {
    /// The identity policies that count for the principal, its own first, then those of its groups.
    pub fn policies(&self) -> Vec<PolicyUse<'a>> {
        let arn = self.principal.arn.as_str();
        let own = |target: &str| {
            let inline = attached(self.snapshot, target, AttachmentKind::Inline);
            let managed = attached(self.snapshot, target, AttachmentKind::Managed);
            inline.into_iter().chain(managed)
        };
        let mut uses: Vec<PolicyUse<'a>> = own(arn).map(|policy| PolicyUse { policy, group: None }).collect();
        for group in targets(self.snapshot, arn, AttachmentKind::Group) {
            uses.extend(own(group).map(|policy| PolicyUse {
                policy,
                group: Some(group),
            }));
        }
        uses
    }

    /// The policies that bound its permissions: one, or none.
    pub fn boundaries(&self) -> Vec<&'a Policy> {
        attached(self.snapshot, &self.principal.arn, AttachmentKind::Boundary)
    }

    /// Who may assume it, if it is a role.
    pub fn trust(&self) -> Option<&'a Policy> {
        attached(self.snapshot, &self.principal.arn, AttachmentKind::Trust)
            .first()
            .copied()
    }

    /// The groups that it is in, as far as the snapshot has them.
    pub(in crate::policy) fn groups(&self) -> Vec<&'a Principal> {
        let principals = &self.snapshot.principals;
        let groups = targets(self.snapshot, &self.principal.arn, AttachmentKind::Group).filter_map(|arn| {
            // INVARIANT: principals are in the order of their ARNs.
            let position = principals.partition_point(|principal| principal.arn.as_str() < arn);
            principals.get(position).filter(|principal| principal.arn == arn)
        });
        groups.collect()
    }

    /// A managed policy of the snapshot, whoever has it.
    pub(in crate::policy) fn managed_policy(&self, arn: &str) -> Option<&'a Policy> {
        policy(self.snapshot, arn)
    }

    /// Whether more users, groups and roles have a managed policy, or are bounded by it, than the snapshot lists with it:
    /// `AttachmentCount` and `PermissionsBoundaryUsageCount` of
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ManagedPolicyDetail.html>.
    pub(in crate::policy) fn is_held_by_others(&self, policy: &Policy) -> bool {
        let snapshot = self.snapshot;
        let is_listed_less = |(kind, counts): (AttachmentKind, &BTreeMap<String, usize>)| {
            let listed = snapshot.attachments.iter();
            let listed = listed.filter(|it| it.kind == kind && it.attached == policy.id);
            counts.get(&policy.id).is_some_and(|told| *told > listed.count())
        };
        let told = [
            (AttachmentKind::Managed, &snapshot.attachment_counts),
            (AttachmentKind::Boundary, &snapshot.boundary_counts),
        ];
        policy.kind == PolicyKind::Managed && told.into_iter().any(is_listed_less)
    }

    /// The statements of its policies and boundary with condition operators that IAM does not have, as sentences.
    pub fn unknown_conditions(&self) -> Vec<String> {
        let own = self.policies().into_iter().map(|used| used.policy);
        let policies = own.chain(self.boundaries());
        let sentences = policies.flat_map(|policy| {
            let statements = policy.document.iter().flat_map(Document::readable);
            statements.filter_map(|(position, statement)| {
                let operators: Vec<&str> = statement.unknown_operators().collect();
                let sid = statement
                    .sid
                    .as_ref()
                    .map_or_else(String::new, |sid| format!(" `{sid}`"));
                (!operators.is_empty()).then(|| {
                    format!(
                        "`{}`: policy `{}`, statement {}{sid}: condition operator `{}` is unknown",
                        self.principal.arn,
                        policy.name,
                        position + 1,
                        operators.join("`, `")
                    )
                })
            })
        });
        sentences.collect()
    }

    /// Why its permissions cannot be known: pages that the snapshot lacks, its own gaps, and those of its groups.
    pub fn gaps(&self) -> Vec<String> {
        let groups = self.groups();
        let of_groups = groups
            .iter()
            .flat_map(|group| group.gaps.iter().map(|gap| format!("group `{}`: {gap}", group.arn)));
        let own = self.principal.gaps.iter().cloned();
        let missing = self.is_part.then(|| PART_OF_A_SNAPSHOT.to_owned());
        let contradicted = self.is_contradicted.then(|| CONTRADICTED.to_owned());
        missing
            .into_iter()
            .chain(contradicted)
            .chain(own)
            .chain(of_groups)
            .collect()
    }

    /// Whether another snapshot gives the same principal other policies.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        let held = |member: &Self| -> BTreeMap<(&'a str, Option<&'a str>), Option<&'a Document>> {
            let bounding = member.boundaries().into_iter().map(|policy| PolicyUse {
                policy,
                group: Some(""),
            });
            let uses = member.policies().into_iter().chain(bounding);
            uses.map(|used| {
                (
                    (used.policy.id.as_str(), used.group),
                    used.policy.document.as_ref().ok(),
                )
            })
            .collect()
        };
        held(self) != held(other)
    }
}

/// What a target has attached in one way.
pub(super) fn targets<'a>(snapshot: &'a Snapshot, target: &str, kind: AttachmentKind) -> impl Iterator<Item = &'a str> {
    // INVARIANT: attachments are in the order of target and kind.
    let key = |attachment: &Attachment| attachment.target.as_str() < target;
    let start = snapshot.attachments.partition_point(key);
    let from = snapshot.attachments.get(start..).unwrap_or_default();
    let end = from.partition_point(|attachment| attachment.target == target);
    let own = from.get(..end).unwrap_or_default().iter();
    own.filter(move |attachment| attachment.kind == kind)
        .map(|attachment| attachment.attached.as_str())
}

/// The versions in force of the policies that a target has attached in one way.
pub(super) fn attached<'a>(snapshot: &'a Snapshot, target: &str, kind: AttachmentKind) -> Vec<&'a Policy> {
    let policies = targets(snapshot, target, kind).filter_map(|id| policy(snapshot, id));
    policies.collect()
}

fn policy<'a>(snapshot: &'a Snapshot, id: &str) -> Option<&'a Policy> {
    // INVARIANT: policies are in the order of their ids.
    let start = snapshot.policies.partition_point(|policy| policy.id.as_str() < id);
    let mut versions = snapshot
        .policies
        .get(start..)?
        .iter()
        .take_while(|policy| policy.id == id);
    versions.find(|policy| policy.is_default)
}
