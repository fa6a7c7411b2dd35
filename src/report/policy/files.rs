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

/// Everything as one text.
///
/// # Errors
/// When the format cannot hold a text of a policy.
pub fn policy_text(
    proposals: &[Proposal<'_>],
    frame: PolicyFrame<'_>,
    format: PolicyFormat,
) -> Result<String, ReportError> {
    let mut names = Names::default();
    let mut parts = Vec::new();
    match format {
        PolicyFormat::Json => {
            let all: Value = proposals.iter().map(|it| json::proposal(it, frame)).collect();
            return Ok(json::pretty(&all));
        }
        PolicyFormat::CloudFormation => {
            let all: Vec<&Proposal<'_>> = proposals.iter().collect();
            return Ok(json::pretty(&cloudformation::template(&all, frame)?));
        }
        PolicyFormat::Terraform => parts.extend(proposals.iter().map(|it| terraform::file(it, frame, &mut names))),
        PolicyFormat::Diff => parts.extend(proposals.iter().map(|it| unified::file(it, frame))),
        PolicyFormat::Cdk => {
            parts.push(cdk::IMPORTS.to_owned());
            for proposal in proposals {
                parts.push(cdk::stack(proposal, frame, &mut names)?);
            }
        }
    }
    Ok(parts.join("\n"))
}

/// A file per principal; for JSON two per policy, the document and its reasons.
///
/// # Errors
/// When the format cannot hold a text of a policy.
pub fn policy_files(
    proposals: &[Proposal<'_>],
    frame: PolicyFrame<'_>,
    format: PolicyFormat,
) -> Result<Vec<PolicyFile>, ReportError> {
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
                let template = cloudformation::template(&[proposal], frame)?;
                ("template.json", json::pretty(&template))
            }
            PolicyFormat::Cdk => {
                let stack = cdk::stack(proposal, frame, &mut names)?;
                ("ts", format!("{}\n{stack}", cdk::IMPORTS))
            }
        };
        let name = format!("{}.{ending}", stems.unique(&stem, "-"));
        files.push(PolicyFile { name, text });
    }
    Ok(files)
}

fn documents(proposal: &Proposal<'_>, frame: PolicyFrame<'_>, stems: &mut Names, files: &mut Vec<PolicyFile>) {
    let basis = rationale::basis_json(proposal, frame);
    let is_written = |change: Change| matches!(change, Change::Edit | Change::Create);
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
