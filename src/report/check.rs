//! Checks and their findings: as rows, and in the formats of dashboards.
//!
//! A finding keeps its fingerprint for as long as what tells it apart stays the same, so that a dashboard knows it again.

mod asff;
mod junit;
mod ocsf;
mod rows;
mod sarif;

use sha2::Digest;
use sha2::Sha256;

pub use asff::asff;
pub use junit::junit;
pub(in crate::report) use ocsf::OcsfClass;
pub(in crate::report) use ocsf::head as ocsf_head;
pub(in crate::report) use ocsf::merged as ocsf_merged;
pub use ocsf::ocsf;
pub(in crate::report) use ocsf::resource_type as ocsf_resource_type;
pub use rows::check_rows;
pub use sarif::check_sarif;

use super::escape;
use super::layout::short_name;
use crate::analysis::CheckFinding;
use crate::analysis::moment;
use crate::iam::arn::account_of_arn;
use crate::query::Question;
use crate::query::Severity;

/// A question that was asked as a check.
#[derive(Debug)]
pub struct Check<'a> {
    /// The question.
    pub question: &'a Question,
    /// How bad its findings are.
    pub severity: Severity,
    /// What it found, each with why it is accepted, if it is.
    pub findings: Vec<(CheckFinding, Option<String>)>,
    /// Rows of which it is not known whether they are findings.
    pub unknown_rows: u64,
}

/// What all findings of one run have in common.
#[derive(Debug, Clone, Copy)]
pub struct CheckFrame {
    /// First event of the store.
    pub since: i64,
    /// Moment after the last event of the store; findings without a time of their own are of this moment.
    pub until: i64,
}

impl Check<'_> {
    /// Findings that are not accepted.
    pub fn open_findings(&self) -> impl Iterator<Item = &CheckFinding> {
        let open = self.findings.iter().filter(|(_, accepted)| accepted.is_none());
        open.map(|(finding, _)| finding)
    }

    /// The same for the same finding, whenever it is made.
    fn fingerprint(&self, finding: &CheckFinding) -> String {
        let mut hash = Sha256::new();
        hash.update(self.question.id.as_bytes());
        for (name, value) in &finding.identity {
            // No part can end where another begins, and no value is not an empty one.
            hash.update([0]);
            hash.update(name.as_bytes());
            hash.update([u8::from(value.is_some())]);
            hash.update(value.as_deref().unwrap_or_default().as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What tells a finding apart, for people.
fn what(finding: &CheckFinding) -> String {
    let values = finding.identity.iter().filter_map(|(name, value)| {
        let value = value.as_deref().filter(|value| !value.is_empty())?;
        // Of a principal the unique id says nothing to people.
        (name != "principal_id").then(|| short_name(value))
    });
    let values: Vec<String> = values.map(|value| escape::visible(&value).into_owned()).collect();
    values.join(", ")
}

/// The value of the first of these columns that the finding has.
fn first_of<'f>(finding: &'f CheckFinding, names: &[&str]) -> Option<&'f str> {
    names.iter().find_map(|name| {
        let found = finding.identity.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.as_deref())
    })
}

fn principal_arn(finding: &CheckFinding) -> Option<&str> {
    first_of(finding, &["principal_arn"])
}

fn account_id(finding: &CheckFinding) -> Option<&str> {
    let told = first_of(finding, &["recipient_account_id", "account_id"]);
    told.or_else(|| account_of_arn(principal_arn(finding)?))
}

fn region(finding: &CheckFinding) -> Option<&str> {
    first_of(finding, &["serving_region", "aws_region"])
}

/// The question, what was found, and how often.
fn message(check: &Check<'_>, finding: &CheckFinding) -> String {
    let last = finding
        .last_seen
        .map_or(String::new(), |at| format!(", last {}", moment(at)));
    let rows = if finding.rows == 1 { "row" } else { "rows" };
    format!(
        "{}: {} ({} {rows}{last})",
        check.question.title,
        what(finding),
        finding.rows
    )
}

#[cfg(test)]
mod tests;
