//! AWS CDK in TypeScript: a stack for each principal, with the reasons as comments.

use serde_json::Value;

use super::cloudformation::kind_and_properties;
use super::files::PolicyFrame;
use super::literal::Literal;
use super::literal::Syntax;
use super::literal::quoted;
use super::names::Names;
use super::names::camel_case;
use super::rationale;
use super::terraform::kind_and_name;
use crate::policy::Change;
use crate::policy::Proposal;

/// What the first lines of a file import.
pub(super) const IMPORTS: &str = "import * as cdk from 'aws-cdk-lib';\n\
     import * as iam from 'aws-cdk-lib/aws-iam';\n\
     import { Construct } from 'constructs';\n";

const SYNTAX: Syntax = Syntax {
    comment: "// ",
    assign: ": ",
    member_end: ",",
    is_aligned: false,
    quote: quoted,
};

/// What CloudFormation replaces, and the marks in which CDK looks for its own values.
pub(super) const DYNAMIC: &[&str] = &["{{resolve:", "${Token[", "#{Token["];

/// The stack of one principal.
pub(super) fn stack(proposal: &Proposal<'_>, frame: PolicyFrame<'_>, classes: &mut Names) -> String {
    let (_, name) = kind_and_name(&proposal.subject.key.arn);
    let class = classes.unique(&format!("{}Policies", camel_case(&[name])), "");
    let mut text = comment(&rationale::basis_lines(proposal, frame), "");
    text.push_str(&format!(
        "export class {class} extends cdk.Stack {{\n  constructor(scope: Construct, id: string, props?: cdk.StackProps) {{\n    \
         super(scope, id, props);\n"
    ));
    let mut ids = Names::default();
    for policy in &proposal.policies {
        text.push('\n');
        text.push_str(&comment(&rationale::policy_lines(policy), "    "));
        if !matches!(policy.change, Change::Edit | Change::Create) {
            continue;
        }
        let id = ids.unique(&camel_case(&[&policy.name]), "");
        let (kind, properties) = kind_and_properties(policy);
        text.push_str(&format!("    new iam.Cfn{kind}(this, {}, {{\n", quoted(&id)));
        for (key, value) in &properties {
            text.push_str(&format!("      {}: {},\n", lower_first(key), inline(value)));
        }
        let document = Literal::document(&SYNTAX, policy, 3);
        text.push_str(&format!("      policyDocument: {document},\n    }});\n"));
    }
    text.push_str("  }\n}\n");
    text
}

fn comment(lines: &[String], indent: &str) -> String {
    lines.iter().map(|line| format!("{indent}// {line}\n")).collect()
}

fn lower_first(key: &str) -> String {
    let mut characters = key.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(inline).collect();
            format!("[{}]", elements.join(", "))
        }
        other => other.to_string(),
    }
}
