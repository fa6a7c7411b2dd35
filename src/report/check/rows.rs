//! Findings of checks as rows.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::array::UInt64Array;
use serde_json::Map;
use serde_json::Value;

use super::Check;
use super::account_id;
use super::principal_arn;
use super::region;
use super::what;
use crate::analysis::CheckFinding;
use crate::report::ReportError;

/// One row per finding, in the order of the checks.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn check_rows(checks: &[Check<'_>]) -> Result<RecordBatch, ReportError> {
    let all = || {
        checks
            .iter()
            .flat_map(|check| check.findings.iter().map(move |found| (check, found)))
    };
    let texts = |text: &dyn Fn(&Check<'_>, &CheckFinding) -> Option<String>| -> ArrayRef {
        Arc::new(
            all()
                .map(|(check, (finding, _))| text(check, finding))
                .collect::<StringArray>(),
        )
    };
    let accepted: StringArray = all().map(|(_, (_, accepted))| accepted.clone()).collect();
    let counts: UInt64Array = all().map(|(_, (finding, _))| Some(finding.rows)).collect();
    let times: TimestampMicrosecondArray = all().map(|(_, (finding, _))| finding.last_seen).collect();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("severity", texts(&|check, _| Some(check.severity.to_string())), false),
        ("check", texts(&|check, _| Some(check.question.id.clone())), false),
        ("finding", texts(&|_, finding| Some(what(finding))), false),
        ("rows", Arc::new(counts), false),
        ("last_seen", Arc::new(times.with_timezone("UTC")), true),
        ("accepted", Arc::new(accepted), true),
        ("account_id", texts(&|_, finding| owned(account_id(finding))), true),
        (
            "principal_arn",
            texts(&|_, finding| owned(principal_arn(finding))),
            true,
        ),
        ("region", texts(&|_, finding| owned(region(finding))), true),
        ("identity", texts(&|_, finding| Some(identity(finding))), false),
        (
            "fingerprint",
            texts(&|check, finding| Some(check.fingerprint(finding))),
            false,
        ),
    ])?)
}

/// What tells a finding apart, as a JSON object.
fn identity(finding: &CheckFinding) -> String {
    let members = finding.identity.iter();
    let members: Map<String, Value> = members
        .map(|(name, value)| (name.clone(), value.clone().map_or(Value::Null, Value::String)))
        .collect();
    Value::Object(members).to_string()
}
