//! Findings of checks as SARIF 2.1.0: a rule per check.

use serde_json::Value;
use serde_json::json;

use super::Check;
use super::CheckFrame;
use super::message;
use super::principal_arn;
use crate::analysis::CheckFinding;
use crate::analysis::moment;
use crate::query::Severity;
use crate::report::escape;
use crate::report::sarif::location;
use crate::report::sarif::log;

/// One run with these findings, as a JSON document.
pub fn check_sarif(checks: &[Check<'_>], frame: CheckFrame) -> String {
    let rules: Vec<Value> = checks.iter().map(rule).collect();
    let results = checks.iter().enumerate().flat_map(|(index, check)| {
        let findings = check.findings.iter();
        findings.map(move |(finding, accepted)| result((index, check), finding, accepted.as_deref()))
    });
    let results: Vec<Value> = results.collect();
    let properties = json!({"since": moment(frame.since), "until": moment(frame.until)});
    log("trimtrail/check/", &rules, &results, &properties)
}

fn rule(check: &Check<'_>) -> Value {
    let security_severity = match check.severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low | Severity::Info => "2.0",
    };
    json!({
        "id": check.question.id,
        "shortDescription": {"text": check.question.title},
        "fullDescription": {"text": check.question.question},
        "help": {"text": help(check)},
        "defaultConfiguration": {"level": level(check.severity)},
        "properties": {"security-severity": security_severity, "tags": ["security"], "controls": check.question.controls},
    })
}

fn help(check: &Check<'_>) -> String {
    let mut help = format!("`trimtrail query {}` shows the rows.", check.question.id);
    for caveat in &check.question.caveats {
        help.push(' ');
        help.push_str(caveat);
    }
    help
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn result((index, check): (usize, &Check<'_>), finding: &CheckFinding, accepted: Option<&str>) -> Value {
    let fallback = format!("check:::::{}", check.question.id);
    let mut result = json!({
        "ruleId": check.question.id,
        "ruleIndex": index,
        "level": level(check.severity),
        "message": {"text": message(check, finding)},
        "locations": [location(principal_arn(finding).unwrap_or(&fallback))],
        "partialFingerprints": {"trimtrailCheck/v1": check.fingerprint(finding)},
        "properties": {"rows": finding.rows, "lastSeen": finding.last_seen.map(moment)},
    });
    if let (Some(accepted), Value::Object(members)) = (accepted, &mut result) {
        let suppression =
            json!([{"kind": "external", "status": "accepted", "justification": escape::visible(accepted)}]);
        members.insert("suppressions".to_owned(), suppression);
    }
    result
}
