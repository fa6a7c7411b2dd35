//! Which files there are, and everything as one text.

use serde_json::Value;

use super::cdk;
use super::cloudformation;
use super::cloudformation::Template;
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

/// Writes the policies of one principal after the other as one text.
#[derive(Debug)]
pub struct PolicyText<'a> {
    frame: PolicyFrame<'a>,
    format: PolicyFormat,
    names: Names,
    /// A template is one value with all policies.
    template: Template,
    has_begun: bool,
}

/// Writes the policies of one principal after the other as files.
#[derive(Debug)]
pub struct PolicyFiles<'a> {
    frame: PolicyFrame<'a>,
    format: PolicyFormat,
    stems: Names,
    names: Names,
}

/// Everything as one text.
pub fn policy_text(proposals: &[Proposal<'_>], frame: PolicyFrame<'_>, format: PolicyFormat) -> Written<String> {
    let mut writer = PolicyText::new(frame, format);
    let mut written = Written {
        content: String::new(),
        refused: Vec::new(),
    };
    for proposal in proposals {
        match writer.add(proposal) {
            Ok(text) => written.content.push_str(&text),
            Err(error) => written.refused.push(error),
        }
    }
    written.content.push_str(&writer.finish());
    written
}

impl<'a> PolicyText<'a> {
    /// A text without policies.
    pub fn new(frame: PolicyFrame<'a>, format: PolicyFormat) -> Self {
        Self {
            frame,
            format,
            names: Names::default(),
            template: Template::default(),
            has_begun: false,
        }
    }

    /// The next part of the text, with the policies of one more principal.
    ///
    /// # Errors
    /// When the format cannot hold them.
    pub fn add(&mut self, proposal: &Proposal<'_>) -> Result<String, ReportError> {
        check(proposal, self.format)?;
        let (frame, is_first) = (self.frame, !self.has_begun);
        self.has_begun = true;
        let (before_first, before_next, text) = match self.format {
            PolicyFormat::Json => ("[\n", ",\n", json::element(&json::proposal(proposal, frame))),
            PolicyFormat::CloudFormation => {
                self.template.add(proposal, frame);
                ("", "", String::new())
            }
            PolicyFormat::Terraform => ("", "\n", terraform::file(proposal, frame, &mut self.names)),
            PolicyFormat::Diff => ("", "\n", unified::file(proposal, frame)),
            PolicyFormat::Cdk => {
                let stack = cdk::stack(proposal, frame, &mut self.names);
                let imports = if is_first { cdk::IMPORTS } else { "" };
                ("", "", format!("{imports}\n{stack}"))
            }
        };
        let before = if is_first { before_first } else { before_next };
        Ok(format!("{before}{text}"))
    }

    /// The last part of the text.
    pub fn finish(self) -> String {
        match (self.format, self.has_begun) {
            (PolicyFormat::CloudFormation, _) => json::pretty(&self.template.finish()),
            (PolicyFormat::Json, true) => "\n]\n".to_owned(),
            (PolicyFormat::Json, false) => "[]\n".to_owned(),
            (PolicyFormat::Cdk, false) => cdk::IMPORTS.to_owned(),
            (PolicyFormat::Terraform | PolicyFormat::Diff | PolicyFormat::Cdk, _) => String::new(),
        }
    }
}

impl<'a> PolicyFiles<'a> {
    /// No files.
    pub fn new(frame: PolicyFrame<'a>, format: PolicyFormat) -> Self {
        Self {
            frame,
            format,
            stems: Names::default(),
            names: Names::default(),
        }
    }

    /// The file of one more principal; for JSON two per policy, the document and its reasons.
    ///
    /// # Errors
    /// When the format cannot hold its policies.
    pub fn add(&mut self, proposal: &Proposal<'_>) -> Result<Vec<PolicyFile>, ReportError> {
        check(proposal, self.format)?;
        let (frame, names) = (self.frame, &mut self.names);
        let (ending, text) = match self.format {
            PolicyFormat::Json => return Ok(documents(proposal, frame, &mut self.stems)),
            PolicyFormat::Terraform => ("tf", terraform::file(proposal, frame, names)),
            PolicyFormat::Diff => ("diff", unified::file(proposal, frame)),
            PolicyFormat::CloudFormation => {
                let mut template = Template::default();
                template.add(proposal, frame);
                ("template.json", json::pretty(&template.finish()))
            }
            PolicyFormat::Cdk => {
                let stack = cdk::stack(proposal, frame, names);
                ("ts", format!("{}\n{stack}", cdk::IMPORTS))
            }
        };
        let name = format!("{}.{ending}", self.stems.unique(&stem(proposal), "-"));
        Ok(vec![PolicyFile { name, text }])
    }
}

/// Whether a format can hold the policies of a principal.
fn check(proposal: &Proposal<'_>, format: PolicyFormat) -> Result<(), ReportError> {
    let (name, dynamic) = match format {
        PolicyFormat::CloudFormation => ("CloudFormation", cloudformation::DYNAMIC),
        PolicyFormat::Cdk => ("CDK", cdk::DYNAMIC),
        PolicyFormat::Json | PolicyFormat::Terraform | PolicyFormat::Diff => return Ok(()),
    };
    let mut written = proposal.policies.iter().filter(|policy| is_written(policy.change));
    let found = written.find_map(|policy| Some((policy, cloudformation::dynamic_text(policy, dynamic)?)));
    match found {
        None => Ok(()),
        Some((policy, text)) => Err(ReportError::DynamicText {
            principal: proposal.subject.key.arn.clone(),
            policy: policy.name.clone(),
            format: name,
            text,
        }),
    }
}

fn is_written(change: Change) -> bool {
    matches!(change, Change::Edit | Change::Create)
}

fn documents(proposal: &Proposal<'_>, frame: PolicyFrame<'_>, stems: &mut Names) -> Vec<PolicyFile> {
    let mut files = Vec::new();
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
    files
}

/// Account and name of a principal.
fn stem(proposal: &Proposal<'_>) -> String {
    let key = &proposal.subject.key;
    let (kind, name) = terraform::kind_and_name(&key.arn);
    let account = file_part(key.account_id().unwrap_or_default());
    format!("{account}.{kind}.{}", file_part(name))
}
