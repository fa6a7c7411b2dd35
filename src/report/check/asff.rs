//! Findings of checks in the AWS Security Finding Format, for `BatchImportFindings` of Security Hub.
//!
//! Source of the form: <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>.

use serde_json::Value;
use serde_json::json;

use super::Check;
use super::CheckFrame;
use super::account_id;
use super::message;
use super::principal_arn;
use super::region;
use crate::analysis::CheckFinding;
use crate::analysis::moment;
use crate::query::Severity;
use crate::report::escape;

/// Version of the format.
const VERSION: &str = "2018-10-08";
/// Characters that the format takes for a title, and for a description.
const MOST_TITLE: usize = 256;
const MOST_DESCRIPTION: usize = 1_024;

/// The findings that name an account, as a JSON array, and how many name none and are left out. Findings of a principal of all
/// regions are those of `home`.
pub fn asff(checks: &[Check<'_>], frame: CheckFrame, home: &str) -> (String, usize) {
    let mut left_out = 0;
    let mut findings = Vec::new();
    for check in checks {
        for (finding, accepted) in &check.findings {
            match account_id(finding) {
                Some(account) => {
                    findings.push(asff_finding((check, finding), accepted.is_some(), account, frame, home))
                }
                None => left_out += 1,
            }
        }
    }
    let mut text = escape::json(&format!("{:#}", Value::Array(findings))).into_owned();
    text.push('\n');
    (text, left_out)
}

fn asff_finding(
    (check, finding): (&Check<'_>, &CheckFinding),
    is_accepted: bool,
    account: &str,
    frame: CheckFrame,
    home: &str,
) -> Value {
    let arn = principal_arn(finding);
    let partition = arn.and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
    let region = region(finding).filter(|region| *region != "aws-global").unwrap_or(home);
    let at = moment(finding.last_seen.unwrap_or(frame.until));
    let label = match check.severity {
        Severity::Info => "INFORMATIONAL",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    };
    let (kind, id) = match arn {
        Some(arn) if arn.contains(":role/") => ("AwsIamRole", arn.to_owned()),
        Some(arn) if arn.contains(":user/") => ("AwsIamUser", arn.to_owned()),
        _ => ("AwsAccount", format!("AWS::::Account:{account}")),
    };
    json!({
        "SchemaVersion": VERSION,
        "Id": format!("trimtrail/{}/{}", check.question.id, check.fingerprint(finding)),
        "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
        "GeneratorId": format!("trimtrail/{}", check.question.id),
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": at,
        "UpdatedAt": at,
        "Severity": {"Label": label},
        "Title": cut(&check.question.title, MOST_TITLE),
        "Description": cut(&message(check, finding), MOST_DESCRIPTION),
        "Resources": [{"Type": kind, "Id": id, "Partition": partition, "Region": region}],
        "Workflow": {"Status": if is_accepted { "SUPPRESSED" } else { "NEW" }},
        "RecordState": "ACTIVE",
    })
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
