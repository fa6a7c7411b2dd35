//! `aws iam get-account-authorization-details`: users, groups, roles and managed policies of an account.

use super::members::Members;
use super::model::Attachment;
use super::model::AttachmentKind;
use super::model::Origin;
use super::model::Policy;
use super::model::PolicyKind;
use super::model::Principal;
use super::model::PrincipalKind;
use super::model::Severity;
use super::model::Snapshot;
use crate::iam::arn::account_of_arn;
use crate::iam::document::Document;
use crate::iam::document::DocumentError;
use crate::iam::json::Json;

const PAGE: &[&str] = &[
    "UserDetailList",
    "GroupDetailList",
    "RoleDetailList",
    "Policies",
    "IsTruncated",
    "Marker",
    "NextToken",
    "ResponseMetadata",
];

const POLICY: &[&str] = &[
    "PolicyName",
    "PolicyId",
    "Arn",
    "Path",
    "DefaultVersionId",
    "AttachmentCount",
    "PermissionsBoundaryUsageCount",
    "IsAttachable",
    "Description",
    "CreateDate",
    "UpdateDate",
    "PolicyVersionList",
    "Tags",
];

const POLICY_VERSION: &[&str] = &["Document", "VersionId", "IsDefaultVersion", "CreateDate"];

/// How one kind of principal is written.
struct Shape {
    kind: PrincipalKind,
    list: &'static str,
    name: &'static str,
    id: &'static str,
    inline: &'static str,
    members: &'static [&'static str],
}

const SHAPES: [Shape; 3] = [
    Shape {
        kind: PrincipalKind::User,
        list: "UserDetailList",
        name: "UserName",
        id: "UserId",
        inline: "UserPolicyList",
        members: &[
            "Path",
            "UserName",
            "UserId",
            "Arn",
            "CreateDate",
            "PasswordLastUsed",
            "UserPolicyList",
            "GroupList",
            "AttachedManagedPolicies",
            "PermissionsBoundary",
            "Tags",
        ],
    },
    Shape {
        kind: PrincipalKind::Group,
        list: "GroupDetailList",
        name: "GroupName",
        id: "GroupId",
        inline: "GroupPolicyList",
        members: &[
            "Path",
            "GroupName",
            "GroupId",
            "Arn",
            "CreateDate",
            "GroupPolicyList",
            "AttachedManagedPolicies",
        ],
    },
    Shape {
        kind: PrincipalKind::Role,
        list: "RoleDetailList",
        name: "RoleName",
        id: "RoleId",
        inline: "RolePolicyList",
        members: &[
            "Path",
            "RoleName",
            "RoleId",
            "Arn",
            "CreateDate",
            "AssumeRolePolicyDocument",
            "Description",
            "InstanceProfileList",
            "MaxSessionDuration",
            "RolePolicyList",
            "AttachedManagedPolicies",
            "PermissionsBoundary",
            "RoleLastUsed",
            "Tags",
        ],
    },
];

/// Whether a value looks like a page of the answer.
pub(super) fn is_page(json: &Json) -> bool {
    SHAPES.iter().any(|shape| json.member(shape.list).is_some())
}

/// Reads one page of the answer; pages of one account follow one another.
pub(super) fn read_page(json: &Json, snapshot: &mut Snapshot) {
    let mut page = Members::new("page", json, PAGE);
    for shape in &SHAPES {
        for (position, json) in page.list(shape.list).iter().enumerate() {
            principal(shape, position, json, snapshot);
        }
    }
    for (position, json) in page.list("Policies").iter().enumerate() {
        managed_policy(position, json, snapshot);
    }
    snapshot.problems.extend(page.into_problems());
}

/// Whether a page says that another one follows.
pub(super) fn is_truncated(json: &Json) -> bool {
    let is_set = |name: &str| json.member(name).is_some_and(|value| !matches!(value, Json::Null));
    json.member("IsTruncated") == Some(&Json::Bool(true)) || is_set("NextToken")
}

fn principal(shape: &Shape, position: usize, json: &Json, snapshot: &mut Snapshot) {
    let mut members = Members::new(place_of(shape.list, position, json), json, shape.members);
    let Some(arn) = members.needed_text("Arn") else {
        members.problem(Severity::Gap, "the principal was left out, as it cannot be named");
        snapshot.problems.extend(members.into_problems());
        return;
    };
    let name = members.needed_text(shape.name);
    let mut principal = Principal {
        kind: shape.kind,
        account_id: account_of_arn(&arn).map(str::to_owned),
        name: name.unwrap_or_else(|| arn.rsplit('/').next().unwrap_or_default().to_owned()),
        path: members.text("Path").unwrap_or_else(|| "/".to_owned()),
        unique_id: members.text(shape.id),
        created_at: members.moment("CreateDate"),
        last_used_at: None,
        last_used_region: None,
        boundary_arn: boundary(&mut members),
        instance_profiles: instance_profiles(&mut members),
        tags: tags(&mut members),
        gaps: Vec::new(),
        arn,
    };
    if let Some(mut last_used) = members.object("RoleLastUsed", &["LastUsedDate", "Region"]) {
        principal.last_used_at = last_used.moment("LastUsedDate");
        principal.last_used_region = last_used.text("Region");
        members.absorb(last_used);
    }
    if shape.kind == PrincipalKind::User {
        principal.last_used_at = members.moment("PasswordLastUsed");
    }
    if principal.account_id.is_none() {
        members.problem(Severity::Note, "its ARN names no account");
    }
    policies_of(shape, &principal, &mut members, snapshot);
    let groups = match shape.kind {
        PrincipalKind::User => members.needed_list("GroupList"),
        _ => &[],
    };
    for group in groups {
        match group.text() {
            // Only the name is known here; `link` finds the ARN.
            Some(name) => attach(snapshot, &principal.arn, AttachmentKind::Group, name),
            None => members.problem(Severity::Gap, "member `GroupList` names a group without text"),
        }
    }
    let problems = members.into_problems();
    let gaps = problems.iter().filter(|problem| problem.severity == Severity::Gap);
    principal.gaps.extend(gaps.map(|problem| problem.message.clone()));
    snapshot.problems.extend(problems);
    snapshot.principals.push(principal);
}

/// Position and, if it has one, ARN.
fn place_of(list: &str, position: usize, json: &Json) -> String {
    match json.member("Arn").and_then(Json::text) {
        Some(arn) => format!("{list}[{position}] `{arn}`"),
        None => format!("{list}[{position}]"),
    }
}

/// The trust policy, inline policies, attached policies and boundary of a principal.
fn policies_of(shape: &Shape, principal: &Principal, members: &mut Members<'_>, snapshot: &mut Snapshot) {
    let arn = &principal.arn;
    if let Some(json) = members.get("AssumeRolePolicyDocument") {
        let policy = own_policy(principal, PolicyKind::Trust, "trust", Some(json));
        attach(snapshot, arn, AttachmentKind::Trust, &policy.id);
        snapshot.policies.push(policy);
    }
    let inline = match shape.kind {
        // AWS leaves it out of users that have none.
        PrincipalKind::User => members.list(shape.inline),
        _ => members.needed_list(shape.inline),
    };
    for (position, json) in inline.iter().enumerate() {
        let mut inline = members.element(shape.inline, position, json, &["PolicyName", "PolicyDocument"]);
        if let Some(name) = inline.needed_text("PolicyName") {
            let policy = own_policy(principal, PolicyKind::Inline, &name, inline.get("PolicyDocument"));
            attach(snapshot, arn, AttachmentKind::Inline, &policy.id);
            snapshot.policies.push(policy);
        }
        members.absorb(inline);
    }
    let list = "AttachedManagedPolicies";
    for (position, json) in members.needed_list(list).iter().enumerate() {
        let mut attached = members.element(list, position, json, &["PolicyName", "PolicyArn"]);
        if let Some(policy_arn) = attached.needed_text("PolicyArn") {
            attach(snapshot, arn, AttachmentKind::Managed, &policy_arn);
        }
        members.absorb(attached);
    }
    if let Some(boundary_arn) = &principal.boundary_arn {
        attach(snapshot, arn, AttachmentKind::Boundary, boundary_arn);
    }
}

/// A policy that is part of a principal.
pub(super) fn own_policy(principal: &Principal, kind: PolicyKind, name: &str, json: Option<&Json>) -> Policy {
    let (text, document) = document_of(json);
    Policy {
        id: format!("{}#{name}", principal.arn),
        kind,
        name: name.to_owned(),
        account_id: principal.account_id.clone(),
        version_id: None,
        is_default: true,
        created_at: None,
        origin: Origin::Snapshot,
        text,
        document,
    }
}

/// A document as it was found, and what it says.
pub(super) fn document_of(json: Option<&Json>) -> (String, Result<Document, DocumentError>) {
    let Some(json) = json else {
        return (String::new(), Err(DocumentError::Missing));
    };
    let document = Document::from_json(json);
    let text = match (json, &document) {
        (Json::Text(_), Ok(document)) => document.to_value().to_string(),
        (Json::Text(text), Err(_)) => text.clone(),
        (other, _) => other.to_text(),
    };
    (text, document)
}

pub(super) fn attach(snapshot: &mut Snapshot, target: &str, kind: AttachmentKind, attached: &str) {
    snapshot.attachments.push(Attachment {
        target: target.to_owned(),
        kind,
        attached: attached.to_owned(),
    });
}

/// Whose a managed policy is.
pub(super) fn managed_kind(arn: &str) -> PolicyKind {
    let owner = arn.split(':').nth(4);
    match owner {
        Some("aws") if arn.contains(":policy/") => PolicyKind::AwsManaged,
        _ => PolicyKind::Managed,
    }
}

fn managed_policy(position: usize, json: &Json, snapshot: &mut Snapshot) {
    let mut members = Members::new(place_of("Policies", position, json), json, POLICY);
    let Some(arn) = members.needed_text("Arn") else {
        snapshot.problems.extend(members.into_problems());
        return;
    };
    let name = members.text("PolicyName");
    let name = name.unwrap_or_else(|| arn.rsplit('/').next().unwrap_or_default().to_owned());
    if let Some(count) = members.count("AttachmentCount") {
        snapshot.attachment_counts.insert(arn.clone(), count);
    }
    if let Some(count) = members.count("PermissionsBoundaryUsageCount") {
        snapshot.boundary_counts.insert(arn.clone(), count);
    }
    let default_version = members.text("DefaultVersionId");
    let list = "PolicyVersionList";
    for (position, json) in members.list(list).iter().enumerate() {
        let mut version = members.element(list, position, json, POLICY_VERSION);
        let version_id = version.text("VersionId");
        let is_marked = version.truth("IsDefaultVersion");
        let is_stated = default_version
            .as_ref()
            .map(|stated| version_id.as_ref() == Some(stated));
        if is_marked
            .zip(is_stated)
            .is_some_and(|(marked, stated)| marked != stated)
        {
            version.problem(
                Severity::Gap,
                "`IsDefaultVersion` and `DefaultVersionId` contradict each other",
            );
        }
        let is_default = is_stated.or(is_marked) == Some(true);
        let (text, document) = document_of(version.get("Document"));
        snapshot.policies.push(Policy {
            id: arn.clone(),
            kind: managed_kind(&arn),
            name: name.clone(),
            account_id: account_of_arn(&arn).map(str::to_owned),
            version_id,
            is_default,
            created_at: version.moment("CreateDate"),
            origin: Origin::Snapshot,
            text,
            document,
        });
        members.absorb(version);
    }
    snapshot.problems.extend(members.into_problems());
}

fn boundary(members: &mut Members<'_>) -> Option<String> {
    let known = ["PermissionsBoundaryType", "PermissionsBoundaryArn"];
    let mut boundary = members.object("PermissionsBoundary", &known)?;
    let arn = boundary.needed_text("PermissionsBoundaryArn");
    members.absorb(boundary);
    arn
}

fn instance_profiles(members: &mut Members<'_>) -> Vec<String> {
    const KNOWN: &[&str] = &[
        "Path",
        "InstanceProfileName",
        "InstanceProfileId",
        "Arn",
        "CreateDate",
        "Roles",
        "Tags",
    ];
    let list = "InstanceProfileList";
    let mut arns = Vec::new();
    for (position, json) in members.list(list).iter().enumerate() {
        let mut profile = members.element(list, position, json, KNOWN);
        arns.extend(profile.text("Arn"));
        members.absorb(profile);
    }
    arns
}

fn tags(members: &mut Members<'_>) -> Vec<(String, String)> {
    let mut tags = Vec::new();
    for (position, json) in members.list("Tags").iter().enumerate() {
        let mut tag = members.element("Tags", position, json, &["Key", "Value"]);
        let pair = (tag.needed_text("Key"), tag.text("Value"));
        if let (Some(key), value) = pair {
            tags.push((key, value.unwrap_or_default()));
        }
        members.absorb(tag);
    }
    tags
}
