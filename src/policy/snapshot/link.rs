//! Finishing a snapshot: groups by their ARN, AWS's policies from the facts, gaps at the principals they concern, and one
//! order, whatever the order of the input.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::model::AttachmentKind;
use super::model::Origin;
use super::model::Policy;
use super::model::PolicyKind;
use super::model::PrincipalKind;
use super::model::Severity;
use super::model::Snapshot;
use crate::iam::arn::account_of_arn;
use crate::iam::document::Document;
use crate::iam::managed_policy;

/// Completes what pages and files say of each other.
pub(super) fn finish(snapshot: &mut Snapshot) {
    put_in_order(snapshot);
    name_groups(snapshot);
    add_policies_of_aws(snapshot);
    find_gaps(snapshot);
    put_in_order(snapshot);
}

/// Equal things that two pages repeat become one.
fn put_in_order(snapshot: &mut Snapshot) {
    let principals = &mut snapshot.principals;
    principals.sort_by(|left, right| (&left.arn, &left.unique_id).cmp(&(&right.arn, &right.unique_id)));
    principals.dedup();
    let key = |policy: &Policy| (policy.id.clone(), policy.version_id.clone(), policy.text.clone());
    snapshot.policies.sort_by_cached_key(key);
    snapshot.policies.dedup();
    snapshot.attachments.sort();
    snapshot.attachments.dedup();
    snapshot
        .credentials
        .sort_by(|left, right| (&left.principal_arn, left.kind).cmp(&(&right.principal_arn, right.kind)));
    snapshot.credentials.dedup();
    snapshot.nodes.sort();
    snapshot.nodes.dedup();
    snapshot.problems.sort();
    snapshot.problems.dedup();
}

/// A user names its groups by name; the paths, which are part of the ARNs, stand with the groups.
fn name_groups(snapshot: &mut Snapshot) {
    let groups = snapshot
        .principals
        .iter()
        .filter(|principal| principal.kind == PrincipalKind::Group);
    let arns: BTreeMap<(Option<String>, String), String> = groups
        .map(|group| ((group.account_id.clone(), group.name.clone()), group.arn.clone()))
        .collect();
    for attachment in &mut snapshot.attachments {
        let is_name = attachment.kind == AttachmentKind::Group && !attachment.attached.starts_with("arn:");
        let account = account_of_arn(&attachment.target).map(str::to_owned);
        if is_name && let Some(arn) = arns.get(&(account, attachment.attached.clone())) {
            attachment.attached.clone_from(arn);
        }
    }
}

/// Policies that AWS manages are known without the snapshot, which often leaves them out.
fn add_policies_of_aws(snapshot: &mut Snapshot) {
    let known: BTreeSet<&str> = snapshot.policies.iter().map(|policy| policy.id.as_str()).collect();
    let attached: BTreeSet<&str> = snapshot.attachments.iter().map(|it| it.attached.as_str()).collect();
    let missing = attached.difference(&known);
    let found: Vec<Policy> = missing.filter_map(|arn| policy_of_aws(arn)).collect();
    for policy in found {
        let version = policy.version_id.as_deref().unwrap_or_default();
        let message = format!("has no document here; version {version} of the facts was taken");
        let place = format!("policy `{}`", policy.id);
        snapshot.problem(Severity::Note, place, message);
        snapshot.policies.push(policy);
    }
}

fn policy_of_aws(arn: &str) -> Option<Policy> {
    let known = managed_policy(arn)?;
    Some(Policy {
        id: arn.to_owned(),
        kind: PolicyKind::AwsManaged,
        name: arn.rsplit('/').next().unwrap_or_default().to_owned(),
        account_id: None,
        version_id: Some(known.version.to_owned()),
        is_default: true,
        created_at: None,
        origin: Origin::Facts,
        text: known.document.to_owned(),
        document: Document::parse(known.document),
    })
}

/// What is missing or unreadable is told, and noted at every principal that it concerns.
fn find_gaps(snapshot: &mut Snapshot) {
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    let mut in_force: BTreeMap<&str, &str> = BTreeMap::new();
    let mut problems: Vec<(Severity, String, String)> = Vec::new();
    for policy in &snapshot.policies {
        let place = || match &policy.version_id {
            Some(version) => format!("policy `{}` {version}", policy.id),
            None => format!("policy `{}`", policy.id),
        };
        let mut faults: Vec<String> = match &policy.document {
            Ok(document) => document.unreadable().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        if policy.is_default {
            let other = in_force.insert(&policy.id, &policy.text);
            if other.is_some_and(|text| text != policy.text) {
                faults.push("two different documents are in force".to_owned());
            }
            if let Some(fault) = faults.first() {
                reasons.insert(policy.id.clone(), format!("policy `{}`: {fault}", policy.id));
            }
        }
        problems.extend(faults.into_iter().map(|fault| (Severity::Gap, place(), fault)));
        let operators = unknown_operators(policy);
        problems.extend(operators.into_iter().map(|message| (Severity::Note, place(), message)));
    }
    for attachment in &snapshot.attachments {
        let (attached, target) = (&attachment.attached, &attachment.target);
        let reason = match attachment.kind {
            AttachmentKind::Group if attached.starts_with("arn:") => continue,
            AttachmentKind::Group => format!("group `{attached}` is not in the snapshot"),
            _ if in_force.contains_key(attached.as_str()) => continue,
            _ => format!("policy `{attached}` is not in the snapshot"),
        };
        problems.push((Severity::Gap, format!("`{target}`"), reason.clone()));
        reasons.entry(attached.clone()).or_insert(reason);
    }
    for (severity, place, message) in problems {
        snapshot.problem(severity, place, message);
    }
    mark_principals(snapshot, &reasons);
}

/// Trust policies say who may become the principal, not what it may do.
fn mark_principals(snapshot: &mut Snapshot, reasons: &BTreeMap<String, String>) {
    let counting = snapshot
        .attachments
        .iter()
        .filter(|attachment| attachment.kind != AttachmentKind::Trust);
    let mut gaps: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for attachment in counting {
        if let Some(reason) = reasons.get(&attachment.attached) {
            gaps.entry(&attachment.target).or_default().push(reason);
        }
    }
    for principal in &mut snapshot.principals {
        let found = gaps.get(principal.arn.as_str()).into_iter().flatten();
        principal.gaps.extend(found.map(|reason| (*reason).clone()));
        principal.gaps.sort();
        principal.gaps.dedup();
    }
}

fn unknown_operators(policy: &Policy) -> Vec<String> {
    let document = policy.document.iter();
    let statements = document.flat_map(Document::readable);
    let unknown = statements.flat_map(|(position, statement)| {
        let sid = statement
            .sid
            .as_ref()
            .map_or_else(String::new, |sid| format!(" `{sid}`"));
        let operators = statement.unknown_operators();
        operators.map(move |operator| {
            format!(
                "statement {}{sid}: condition operator `{operator}` is unknown",
                position + 1
            )
        })
    });
    unknown.collect()
}
