//! Policies of an organization with their targets: the answers of AWS Organizations, gathered in one file.
//!
//! The file holds what `describe-organization`, `describe-policy` and `list-targets-for-policy` answer, policy by policy,
//! and the tree of roots, units and accounts. `describe-policy` alone is read too, and is then a policy without targets.

use super::account::attach;
use super::account::document_of;
use super::members::Members;
use super::model::AttachmentKind;
use super::model::NodeKind;
use super::model::OrganizationNode;
use super::model::Origin;
use super::model::Policy;
use super::model::PolicyKind;
use super::model::Severity;
use super::model::Snapshot;
use crate::iam::arn::account_of_arn;
use crate::iam::json::Json;

const POLICY: &[&str] = &["PolicySummary", "Content", "Targets"];
const SUMMARY: &[&str] = &["Id", "Arn", "Name", "Description", "Type", "AwsManaged"];
const TARGET: &[&str] = &["TargetId", "Arn", "Name", "Type"];
const NODE: &[&str] = &["Id", "Arn", "Name", "Type", "ParentId"];
const ORGANIZATION: &[&str] = &[
    "Id",
    "Arn",
    "FeatureSet",
    "MasterAccountArn",
    "MasterAccountId",
    "MasterAccountEmail",
    "AvailablePolicyTypes",
];

/// Whether a value looks like policies of an organization.
pub(super) fn is_dump(json: &Json) -> bool {
    let has_summary = |policy: &Json| policy.member("PolicySummary").is_some();
    let is_list = match json.member("Policies") {
        Some(Json::List(policies)) => policies.first().is_some_and(has_summary),
        _ => false,
    };
    is_list || json.member("Policy").is_some_and(has_summary) || json.member("Nodes").is_some()
}

/// Reads the file.
pub(super) fn read_dump(json: &Json, snapshot: &mut Snapshot) {
    let known = ["Organization", "Nodes", "Policies", "Policy", "ResponseMetadata"];
    let mut dump = Members::new("file", json, &known);
    let (mut organization_id, mut management_id) = (None, None);
    if let Some(mut organization) = dump.object("Organization", ORGANIZATION) {
        organization_id = organization.text("Id");
        management_id = organization.text("MasterAccountId");
        dump.absorb(organization);
    }
    for (position, json) in dump.list("Nodes").iter().enumerate() {
        let mut node = dump.element("Nodes", position, json, NODE);
        if let Some(node) = read_node(&mut node, organization_id.as_deref(), management_id.as_deref()) {
            snapshot.nodes.push(node);
        }
        dump.absorb(node);
    }
    for (position, json) in dump.list("Policies").iter().enumerate() {
        let mut policy = dump.element("Policies", position, json, POLICY);
        read_policy(&mut policy, snapshot);
        dump.absorb(policy);
    }
    if let Some(mut policy) = dump.object("Policy", POLICY) {
        read_policy(&mut policy, snapshot);
        dump.absorb(policy);
    }
    snapshot.problems.extend(dump.into_problems());
}

/// Kind of policy by the name that AWS Organizations gives it.
pub(super) fn kind_of(name: &str) -> (PolicyKind, AttachmentKind) {
    match name {
        "SERVICE_CONTROL_POLICY" => (PolicyKind::ServiceControl, AttachmentKind::ServiceControl),
        "RESOURCE_CONTROL_POLICY" => (PolicyKind::ResourceControl, AttachmentKind::ResourceControl),
        _ => (PolicyKind::OtherOrganization, AttachmentKind::OtherOrganization),
    }
}

/// A policy of an organization.
pub(super) fn organization_policy(arn: String, name: String, kind: PolicyKind, json: Option<&Json>) -> Policy {
    let (text, document) = document_of(json);
    Policy {
        account_id: account_of_arn(&arn).map(str::to_owned),
        id: arn,
        kind,
        name,
        version_id: None,
        is_default: true,
        created_at: None,
        origin: Origin::Snapshot,
        text,
        document,
    }
}

fn read_node(
    node: &mut Members<'_>,
    organization_id: Option<&str>,
    management_id: Option<&str>,
) -> Option<OrganizationNode> {
    let id = node.needed_text("Id")?;
    let kind = match node.needed_text("Type")?.as_str() {
        "ROOT" => NodeKind::Root,
        "ORGANIZATIONAL_UNIT" => NodeKind::Unit,
        "ACCOUNT" => NodeKind::Account,
        other => {
            node.problem(Severity::Gap, format!("member `Type` has the unknown value `{other}`"));
            return None;
        }
    };
    Some(OrganizationNode {
        organization_id: organization_id.map(str::to_owned),
        kind,
        name: node.text("Name"),
        parent_id: node.text("ParentId"),
        is_management: management_id == Some(&id),
        id,
    })
}

fn read_policy(policy: &mut Members<'_>, snapshot: &mut Snapshot) {
    let Some(mut summary) = policy.object("PolicySummary", SUMMARY) else {
        return policy.problem(Severity::Gap, "member `PolicySummary` is missing");
    };
    let identity = (summary.needed_text("Arn"), summary.needed_text("Type"));
    let name = summary.text("Name").unwrap_or_default();
    policy.absorb(summary);
    let (Some(arn), Some(type_name)) = identity else { return };
    let (kind, attachment_kind) = kind_of(&type_name);
    for (position, json) in policy.list("Targets").iter().enumerate() {
        let mut target = policy.element("Targets", position, json, TARGET);
        if let Some(id) = target.needed_text("TargetId") {
            attach(snapshot, &id, attachment_kind, &arn);
        }
        policy.absorb(target);
    }
    if policy.get("Targets").is_none() {
        policy.problem(
            Severity::Gap,
            "member `Targets` is missing: it is not known for whom the policy counts",
        );
    }
    snapshot
        .policies
        .push(organization_policy(arn, name, kind, policy.get("Content")));
}
