//! Which files there are, and everything as one text.

use serde_json::Value;

use super::cdk;
use super::cloudformation;
use super::json;
use super::names::Names;
use super::names::file_part;
use super::rationale;
use super::terraform;
use super::unified;
use crate::policy::Change;
use crate::policy::Proposal;
use crate::policy::Thresholds;
use crate::policy::Window;
use crate::report::ReportError;

/// How policies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyFormat {
    /// Documents and reasons as JSON.
    Json,
    /// Terraform resources.
    Terraform,
    /// A CloudFormation template as JSON.
    CloudFormation,
    /// AWS CDK in TypeScript.
    Cdk,
    /// Unified differences from the present documents.
    Diff,
}

/// What all proposals of one report rest on.
#[derive(Debug, Clone, Copy)]
pub struct PolicyFrame<'a> {
    /// `trim` or `generate`.
    pub mode: &'a str,
    /// The window.
    pub window: Window,
    /// What it takes to say "unused".
    pub thresholds: Thresholds,
    /// Day of the facts.
    pub facts_date: &'a str,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, without any folder.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What could be written, and why the rest could not.
#[derive(Debug)]
pub struct Written<T> {
    /// The policies of all principals but those that are refused.
    pub content: T,
    /// One for each principal that is left out.
    pub refused: Vec<ReportError>,
}

/// Everything as one text.
pub fn policy_text(proposals: &[Proposal<'_>], frame: PolicyFrame<'_>, format: PolicyFormat) -> Written<String> {
    let (proposals, refused) = writable(proposals, format);
    let mut names = Names::default();
    let all = proposals.iter();
    let content = match format {
        PolicyFormat::Json => json::pretty(&all.map(|it| json::proposal(it, frame)).collect()),
        PolicyFormat::CloudFormation => json::pretty(&cloudformation::template(&proposals, frame)),
        PolicyFormat::Terraform => joined(all.map(|it| terraform::file(it, frame, &mut names))),
        PolicyFormat::Diff => joined(all.map(|it| unified::file(it, frame))),
        PolicyFormat::Cdk => {
            let stacks = all.map(|it| cdk::stack(it, frame, &mut names));
            joined([cdk::IMPORTS.to_owned()].into_iter().chain(stacks))
        }
    };
    Written { content, refused }
}

/// A file per principal; for JSON two per policy, the document and its reasons.
pub fn policy_files(
    proposals: &[Proposal<'_>],
    frame: PolicyFrame<'_>,
    format: PolicyFormat,
) -> Written<Vec<PolicyFile>> {
    let (proposals, refused) = writable(proposals, format);
    let (mut stems, mut names) = (Names::default(), Names::default());
    let mut files = Vec::new();
    for proposal in proposals {
        let stem = stem(proposal);
        let (ending, text) = match format {
            PolicyFormat::Json => {
                documents(proposal, frame, &mut stems, &mut files);
                continue;
            }
            PolicyFormat::Terraform => ("tf", terraform::file(proposal, frame, &mut names)),
            PolicyFormat::Diff => ("diff", unified::file(proposal, frame)),
            PolicyFormat::CloudFormation => {
                let template = cloudformation::template(&[proposal], frame);
                ("template.json", json::pretty(&template))
            }
            PolicyFormat::Cdk => {
                let stack = cdk::stack(proposal, frame, &mut names);
                ("ts", format!("{}\n{stack}", cdk::IMPORTS))
            }
        };
        let name = format!("{}.{ending}", stems.unique(&stem, "-"));
        files.push(PolicyFile { name, text });
    }
    Written {
        content: files,
        refused,
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("\n")
}

/// The proposals that a format can hold, and why it cannot hold the others.
fn writable<'p, 's>(proposals: &'p [Proposal<'s>], format: PolicyFormat) -> (Vec<&'p Proposal<'s>>, Vec<ReportError>) {
    let (name, dynamic) = match format {
        PolicyFormat::CloudFormation => ("CloudFormation", cloudformation::DYNAMIC),
        PolicyFormat::Cdk => ("CDK", cdk::DYNAMIC),
        PolicyFormat::Json | PolicyFormat::Terraform | PolicyFormat::Diff => {
            return (proposals.iter().collect(), Vec::new());
        }
    };
    let (mut writable, mut refused) = (Vec::new(), Vec::new());
    for proposal in proposals {
        let mut written = proposal.policies.iter().filter(|policy| is_written(policy.change));
        let found = written.find_map(|policy| Some((policy, cloudformation::dynamic_text(policy, dynamic)?)));
        match found {
            None => writable.push(proposal),
            Some((policy, text)) => refused.push(ReportError::DynamicText {
                principal: proposal.subject.key.arn.clone(),
                policy: policy.name.clone(),
                format: name,
                text,
            }),
        }
    }
    (writable, refused)
}

fn is_written(change: Change) -> bool {
    matches!(change, Change::Edit | Change::Create)
}

fn documents(proposal: &Proposal<'_>, frame: PolicyFrame<'_>, stems: &mut Names, files: &mut Vec<PolicyFile>) {
    let basis = rationale::basis_json(proposal, frame);
    for policy in proposal.policies.iter().filter(|policy| is_written(policy.change)) {
        let stem = format!("{}.{}", stem(proposal), file_part(&policy.name));
        let stem = stems.unique(&stem, "-");
        let mut reasons = basis.clone();
        if let Value::Object(members) = &mut reasons {
            members.insert("policy".to_owned(), policy.name.as_str().into());
            members.insert("rationale".to_owned(), rationale::policy_json(policy));
        }
        files.push(PolicyFile {
            name: format!("{stem}.json"),
            text: json::pretty(&policy.document.to_value()),
        });
        files.push(PolicyFile {
            name: format!("{stem}.rationale.json"),
            text: json::pretty(&reasons),
        });
    }
}

/// Account and name of a principal.
fn stem(proposal: &Proposal<'_>) -> String {
    let key = &proposal.subject.key;
    let (kind, name) = terraform::kind_and_name(&key.arn);
    let account = file_part(key.account_id().unwrap_or_default());
    format!("{account}.{kind}.{}", file_part(name))
}
