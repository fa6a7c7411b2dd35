//! The folder that `iam-collect` writes: one small file per thing that a principal, policy or organization has.
//!
//! A folder `aws/<partition>` is one snapshot. Files about other services in it are not read.

use std::collections::BTreeMap;

use super::account::attach;
use super::account::document_of;
use super::account::managed_kind;
use super::account::own_policy;
use super::link;
use super::members::Members;
use super::model::AttachmentKind;
use super::model::Format;
use super::model::NodeKind;
use super::model::OrganizationNode;
use super::model::Origin;
use super::model::Policy;
use super::model::PolicyKind;
use super::model::Principal;
use super::model::PrincipalKind;
use super::model::Severity;
use super::model::Snapshot;
use super::organization::kind_of;
use super::organization::organization_policy;
use super::read::SnapshotError;
use crate::iam::arn::account_of_arn;
use crate::iam::json::Json;

/// A file of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectedFile<'a> {
    /// Path below `aws/<partition>/`, with `/`.
    pub path: &'a str,
    /// Bytes.
    pub bytes: &'a [u8],
}

const PRINCIPAL: &[&str] = &["arn", "name", "id", "path", "created", "permissionBoundary"];
const POLICY: &[&str] = &[
    "arn",
    "name",
    "id",
    "description",
    "defaultVersionId",
    "path",
    "permissionsBoundaryUsageCount",
    "isAttachable",
    "createDate",
    "updateDate",
];

/// The folder of a principal, policy or organization: JSON by file name, and the names of files that are no JSON.
#[derive(Default)]
struct Folder {
    files: BTreeMap<String, Json>,
    broken: Vec<String>,
}

/// Splits a path into the snapshot's folder and the path below it; `None` for a path that is not of such a folder.
pub fn collected_place(path: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(found) = path.get(from..)?.find("aws/") {
        let start = from + found;
        from = start + 1;
        let is_whole_name = start == 0 || path.get(..start)?.ends_with('/');
        let (partition, below) = path.get(start + 4..)?.split_once('/')?;
        let is_below = below.starts_with("accounts/") || below.starts_with("organizations/");
        if is_whole_name && is_below && partition.starts_with("aws") {
            return Some((path.get(..start + 4 + partition.len())?, below));
        }
    }
    None
}

/// Whether a path below such a folder is of a file that is read.
pub fn is_collected_iam(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folder, _)| is_read(folder))
}

/// Reads the files of one such folder; files about other services are passed over.
pub fn read_collected(files: &[CollectedFile<'_>]) -> Snapshot {
    let mut snapshot = Snapshot::new(Format::Collected);
    let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
    for file in files {
        let Some((folder, name)) = file.path.rsplit_once('/') else {
            continue;
        };
        if !is_read(folder) {
            continue;
        }
        let parsed = std::str::from_utf8(file.bytes).map_err(|error| error.to_string());
        match parsed.and_then(|text| Json::parse(text).map_err(|error| error.to_string())) {
            Ok(json) => {
                folders.entry(folder).or_default().files.insert(name.to_owned(), json);
            }
            Err(error) => {
                folders.entry(folder).or_default().broken.push(name.to_owned());
                snapshot.problem(Severity::Gap, file.path, error);
            }
        }
    }
    for (path, folder) in &folders {
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["accounts", _, "iam", "user", _] => principal(PrincipalKind::User, path, folder, &mut snapshot),
            ["accounts", _, "iam", "group", _] => principal(PrincipalKind::Group, path, folder, &mut snapshot),
            ["accounts", _, "iam", "role", _] => principal(PrincipalKind::Role, path, folder, &mut snapshot),
            ["accounts", _, "iam", "policy", _] => managed_policy(path, folder, &mut snapshot),
            ["organizations", id] => organization(id, folder, &mut snapshot),
            ["organizations", _, kind, _] => control_policy(kind, path, folder, &mut snapshot),
            _ => {}
        }
    }
    link::finish(&mut snapshot);
    snapshot
}

/// Reads a folder that was kept as a JSON object of its files' texts by path.
pub fn read_collected_content(content: &[u8]) -> Result<Snapshot, SnapshotError> {
    let text = std::str::from_utf8(content).map_err(|_| SnapshotError::NotText)?;
    let json = Json::parse(text).map_err(|error| SnapshotError::NotJson {
        reason: error.to_string(),
    })?;
    let Json::Object(members) = &json else {
        return Err(SnapshotError::Unknown);
    };
    let files = members.iter().map(|(path, text)| CollectedFile {
        path,
        bytes: text.text().unwrap_or_default().as_bytes(),
    });
    Ok(read_collected(&files.collect::<Vec<_>>()))
}

fn is_read(folder: &str) -> bool {
    match folder.split('/').collect::<Vec<_>>().as_slice() {
        ["accounts", _, "iam", kind, _] => ["user", "group", "role", "policy"].contains(kind),
        ["organizations", _] | ["organizations", _, "scps" | "rcps", _] => true,
        _ => false,
    }
}

fn principal(kind: PrincipalKind, path: &str, folder: &Folder, snapshot: &mut Snapshot) {
    let Some(mut metadata) = metadata(path, folder, PRINCIPAL, snapshot) else {
        return;
    };
    let Some(arn) = metadata.needed_text("arn") else {
        return snapshot.problems.extend(metadata.into_problems());
    };
    let mut principal = Principal {
        kind,
        account_id: account_of_arn(&arn).map(str::to_owned),
        name: metadata.needed_text("name").unwrap_or_default(),
        path: metadata.text("path").unwrap_or_else(|| "/".to_owned()),
        unique_id: metadata.text("id"),
        created_at: metadata.moment("created"),
        last_used_at: None,
        last_used_region: None,
        boundary_arn: metadata.text("permissionBoundary"),
        instance_profiles: Vec::new(),
        tags: tags(folder),
        gaps: Vec::new(),
        arn,
    };
    if let Some(boundary) = &principal.boundary_arn {
        attach(snapshot, &principal.arn, AttachmentKind::Boundary, boundary);
    }
    if let Some(json) = folder.files.get("trust-policy.json") {
        let policy = own_policy(&principal, PolicyKind::Trust, "trust", Some(json));
        attach(snapshot, &principal.arn, AttachmentKind::Trust, &policy.id);
        snapshot.policies.push(policy);
    }
    principal.instance_profiles = texts("instance-profiles.json", folder, &mut metadata);
    for policy in texts("managed-policies.json", folder, &mut metadata) {
        attach(snapshot, &principal.arn, AttachmentKind::Managed, &policy);
    }
    for group in texts("groups.json", folder, &mut metadata) {
        attach(snapshot, &principal.arn, AttachmentKind::Group, &group);
    }
    inline_policies(&principal, folder, &mut metadata, snapshot);
    let broken = folder.broken.iter().map(|name| format!("`{name}` is no JSON"));
    principal.gaps.extend(broken);
    let problems = metadata.into_problems();
    let gaps = problems.iter().filter(|problem| problem.severity == Severity::Gap);
    principal.gaps.extend(gaps.map(|problem| problem.message.clone()));
    snapshot.problems.extend(problems);
    snapshot.principals.push(principal);
}

fn inline_policies(principal: &Principal, folder: &Folder, metadata: &mut Members<'_>, snapshot: &mut Snapshot) {
    let name = "inline-policies.json";
    let policies = match folder.files.get(name) {
        None | Some(Json::Null) => return,
        Some(Json::List(policies)) => policies,
        Some(other) => return metadata.problem(Severity::Gap, format!("`{name}` is {}, not a list", other.kind())),
    };
    for (position, json) in policies.iter().enumerate() {
        let mut inline = metadata.element(name, position, json, &["PolicyName", "PolicyDocument"]);
        if let Some(name) = inline.needed_text("PolicyName") {
            let policy = own_policy(principal, PolicyKind::Inline, &name, inline.get("PolicyDocument"));
            attach(snapshot, &principal.arn, AttachmentKind::Inline, &policy.id);
            snapshot.policies.push(policy);
        }
        metadata.absorb(inline);
    }
}

fn managed_policy(path: &str, folder: &Folder, snapshot: &mut Snapshot) {
    let Some(mut metadata) = metadata(path, folder, POLICY, snapshot) else {
        return;
    };
    if let Some(arn) = metadata.needed_text("arn") {
        let (text, document) = document_of(folder.files.get("current-policy.json"));
        snapshot.policies.push(Policy {
            kind: managed_kind(&arn),
            name: metadata.text("name").unwrap_or_default(),
            account_id: account_of_arn(&arn).map(str::to_owned),
            version_id: metadata.text("defaultVersionId"),
            is_default: true,
            created_at: metadata.moment("updateDate"),
            origin: Origin::Snapshot,
            text,
            document,
            id: arn,
        });
    }
    snapshot.problems.extend(metadata.into_problems());
}

fn control_policy(kind: &str, path: &str, folder: &Folder, snapshot: &mut Snapshot) {
    let known = ["arn", "name", "description", "awsManaged"];
    let Some(mut metadata) = metadata(path, folder, &known, snapshot) else {
        return;
    };
    let kind = match kind {
        "scps" => PolicyKind::ServiceControl,
        _ => PolicyKind::ResourceControl,
    };
    if let Some(arn) = metadata.needed_text("arn") {
        let name = metadata.text("name").unwrap_or_default();
        let policy = organization_policy(arn, name, kind, folder.files.get("policy.json"));
        snapshot.policies.push(policy);
    }
    snapshot.problems.extend(metadata.into_problems());
}

/// The tree and, by account and unit, the policies that count there.
fn organization(id: &str, folder: &Folder, snapshot: &mut Snapshot) {
    let place = format!("organizations/{id}");
    let metadata = folder.files.get("metadata.json");
    let named = |name: &str| metadata.and_then(|json| json.member(name)).and_then(Json::text);
    let (root, management) = (named("rootOu"), named("rootAccountId"));
    for (file, parent_member) in [("ous.json", "parent"), ("accounts.json", "ou")] {
        let Some(json) = folder.files.get(file) else {
            snapshot.problem(Severity::Gap, &place, format!("`{file}` is missing"));
            continue;
        };
        let known = [parent_member, "scps", "rcps", "s3Policies", "tags"];
        for (node_id, json) in Members::new(format!("{place}/{file}"), json, &[]).all() {
            let mut node = Members::new(format!("{place}/{file} `{node_id}`"), json, &known);
            let kind = match file {
                "accounts.json" => NodeKind::Account,
                _ if root == Some(node_id) => NodeKind::Root,
                _ => NodeKind::Unit,
            };
            snapshot.nodes.push(OrganizationNode {
                organization_id: Some(id.to_owned()),
                id: node_id.to_owned(),
                kind,
                name: None,
                parent_id: node.text(parent_member),
                is_management: management == Some(node_id),
            });
            for (member, type_name) in [("scps", "SERVICE_CONTROL_POLICY"), ("rcps", "RESOURCE_CONTROL_POLICY")] {
                let arns = node.list(member).iter().filter_map(Json::text);
                arns.for_each(|arn| attach(snapshot, node_id, kind_of(type_name).1, arn));
            }
            snapshot.problems.extend(node.into_problems());
        }
    }
}

fn metadata<'a>(path: &str, folder: &'a Folder, known: &[&str], snapshot: &mut Snapshot) -> Option<Members<'a>> {
    let json = folder.files.get("metadata.json");
    if json.is_none() {
        snapshot.problem(
            Severity::Gap,
            path,
            "`metadata.json` is missing or no JSON: it cannot be named",
        );
    }
    Some(Members::new(path, json?, known))
}

fn tags(folder: &Folder) -> Vec<(String, String)> {
    let Some(Json::Object(tags)) = folder.files.get("tags.json") else {
        return Vec::new();
    };
    let pairs = tags
        .iter()
        .map(|(key, value)| (key.clone(), value.text().unwrap_or_default().to_owned()));
    pairs.collect()
}

/// A file that is a list of texts.
fn texts(name: &str, folder: &Folder, metadata: &mut Members<'_>) -> Vec<String> {
    let elements = match folder.files.get(name) {
        None | Some(Json::Null) => return Vec::new(),
        Some(Json::List(elements)) => elements,
        Some(other) => {
            metadata.problem(Severity::Gap, format!("`{name}` is {}, not a list", other.kind()));
            return Vec::new();
        }
    };
    if elements.iter().any(|element| element.text().is_none()) {
        metadata.problem(Severity::Gap, format!("`{name}` holds something other than texts"));
    }
    elements.iter().filter_map(Json::text).map(str::to_owned).collect()
}
