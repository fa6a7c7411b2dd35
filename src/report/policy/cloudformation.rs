//! CloudFormation templates as JSON, with the reasons in `Metadata`.
//!
//! A text with `{{resolve:` is replaced by CloudFormation wherever it stands, as is an object whose one member has the name of a
//! function, and there is no way to escape either: the policies of a principal with one are refused.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::files::PolicyFrame;
use super::names::Names;
use super::names::camel_case;
use super::rationale;
use super::terraform::kind_and_name;
use super::terraform::path_of;
use crate::policy::Change;
use crate::policy::Place;
use crate::policy::Proposal;
use crate::policy::ProposedPolicy;

/// What CloudFormation replaces.
pub(super) const DYNAMIC: &[&str] = &["{{resolve:"];

/// A template while it is made.
#[derive(Debug, Default)]
pub(super) struct Template {
    resources: Map<String, Value>,
    basis: Vec<Value>,
    names: Names,
}

impl Template {
    /// Adds the policies of a principal.
    pub(super) fn add(&mut self, proposal: &Proposal<'_>, frame: PolicyFrame<'_>) {
        let mut lines = rationale::basis_lines(proposal, frame);
        for policy in &proposal.policies {
            if !matches!(policy.change, Change::Edit | Change::Create) {
                lines.extend(rationale::policy_lines(policy));
                continue;
            }
            let (_, name) = kind_and_name(&proposal.subject.key.arn);
            let id = self.names.unique(&camel_case(&[name, &policy.name]), "");
            self.resources.insert(id, resource(policy));
        }
        self.basis.push(comments(&lines));
    }

    /// The whole template.
    pub(super) fn finish(self) -> Value {
        json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "Policies of least privilege, for review",
            "Metadata": { "Basis": self.basis },
            "Resources": self.resources,
        })
    }
}

/// Type and properties of the resource of a policy, without its document.
pub(super) fn kind_and_properties(policy: &ProposedPolicy<'_>) -> (&'static str, Map<String, Value>) {
    let mut properties = Map::new();
    let kind = match &policy.place {
        Place::Inline(target) => {
            let (kind, name) = kind_and_name(target);
            let (kind, key) = match kind {
                "user" => ("UserPolicy", "UserName"),
                "group" => ("GroupPolicy", "GroupName"),
                _ => ("RolePolicy", "RoleName"),
            };
            properties.insert("PolicyName".to_owned(), policy.name.as_str().into());
            properties.insert(key.to_owned(), name.into());
            kind
        }
        Place::Managed(arn) => {
            properties.insert("ManagedPolicyName".to_owned(), policy.name.as_str().into());
            properties.insert("Path".to_owned(), path_of(arn).into());
            // Who has it attached is left as it is: only what a template names is its business.
            "ManagedPolicy"
        }
        Place::NewManaged(targets) => {
            properties.insert("ManagedPolicyName".to_owned(), policy.name.as_str().into());
            attach(targets, &mut properties);
            "ManagedPolicy"
        }
    };
    (kind, properties)
}

fn attach(targets: &[String], properties: &mut Map<String, Value>) {
    for target in targets {
        let (kind, name) = kind_and_name(target);
        let key = match kind {
            "user" => "Users",
            "group" => "Groups",
            _ => "Roles",
        };
        let named = properties.entry(key).or_insert_with(|| json!([]));
        if let Value::Array(named) = named {
            named.push(name.into());
        }
    }
}

fn resource(policy: &ProposedPolicy<'_>) -> Value {
    let (kind, mut properties) = kind_and_properties(policy);
    properties.insert("PolicyDocument".to_owned(), policy.document.to_value());
    let statements: Vec<Value> = policy
        .reasons
        .iter()
        .map(|reasons| comments(&rationale::statement_lines(reasons)))
        .collect();
    json!({
        "Type": format!("AWS::IAM::{kind}"),
        "Metadata": { "Policy": comments(&rationale::policy_lines(policy)), "Statements": statements },
        "Properties": properties,
    })
}

/// Lines that CloudFormation leaves as they are.
fn comments(lines: &[String]) -> Value {
    lines.iter().map(|line| line.replace("{{", "{ {")).collect()
}

/// The first of these texts that a policy to be written holds, or the name of a function.
pub(super) fn dynamic_text(policy: &ProposedPolicy<'_>, dynamic: &[&'static str]) -> Option<&'static str> {
    let (_, properties) = kind_and_properties(policy);
    let texts = [Value::Object(properties), policy.document.to_value()];
    let mut dynamic = dynamic.iter().copied();
    let text = dynamic.find(|dynamic| texts.iter().any(|text| holds(text, dynamic)));
    text.or_else(|| texts.iter().find_map(function))
}

/// A function that CloudFormation would call: user guide, "Intrinsic function reference" and "Condition functions". Names of
/// others than these may come, all with the same beginning.
fn function(value: &Value) -> Option<&'static str> {
    match value {
        Value::Array(elements) => elements.iter().find_map(function),
        Value::Object(members) => {
            let only = members.keys().next().filter(|_| members.len() == 1);
            let called = only.and_then(|name| match name.as_str() {
                "Ref" => Some("\"Ref\":"),
                "Condition" => Some("\"Condition\":"),
                name if name.starts_with("Fn::") => Some("\"Fn::"),
                _ => None,
            });
            called.or_else(|| members.values().find_map(function))
        }
        _ => None,
    }
}

fn holds(value: &Value, dynamic: &str) -> bool {
    match value {
        Value::String(text) => text.contains(dynamic),
        Value::Array(elements) => elements.iter().any(|element| holds(element, dynamic)),
        Value::Object(members) => members
            .iter()
            .any(|(key, member)| key.contains(dynamic) || holds(member, dynamic)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_that_is_a_function_is_found_and_a_condition_of_a_statement_is_none() {
        let with =
            |condition: Value| json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Condition": condition}]});
        for called in [
            json!({"StringEquals": {"Ref": "AWS::AccountId"}}),
            json!({"StringEquals": {"Fn::ImportValue": "secret"}}),
            json!({"StringEquals": {"Condition": "x"}}),
            json!({"Fn::Transform": {"Name": "AWS::Include"}}),
        ] {
            assert!(function(&with(called.clone())).is_some(), "{called}");
        }
        for plain in [
            json!({"StringEquals": {"aws:PrincipalTag/Ref": "Ref", "aws:username": "Fn::Sub"}}),
            json!({"StringEquals": {"fn::sub": "x"}}),
            json!({}),
        ] {
            assert_eq!(function(&with(plain.clone())), None, "{plain}");
        }
    }
}
