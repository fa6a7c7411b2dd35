//! Findings of checks as OCSF 1.8.0 events of the class Detection Finding (2004), one JSON object a line.
//!
//! Source of the form: <https://schema.ocsf.io/1.8.0/classes/detection_finding>, with the profile `cloud`.

use serde_json::Value;
use serde_json::json;

use super::Check;
use super::CheckFrame;
use super::account_id;
use super::message;
use super::principal_arn;
use super::region;
use crate::analysis::CheckFinding;
use crate::query::Severity;
use crate::report::escape;

const VERSION: &str = "1.8.0";
const CATEGORY: u32 = 2;
/// Activity `Create`.
const CREATE: u32 = 1;

/// A class of the category Findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum OcsfClass {
    Compliance,
    Detection,
    IamAnalysis,
}

/// One line per finding.
pub fn ocsf(checks: &[Check<'_>], frame: CheckFrame) -> String {
    let mut text = String::new();
    for check in checks {
        for (finding, accepted) in &check.findings {
            let event = event(check, finding, accepted.as_deref(), frame);
            text.push_str(&escape::json(&event.to_string()));
            text.push('\n');
        }
    }
    text
}

fn event(check: &Check<'_>, finding: &CheckFinding, accepted: Option<&str>, frame: CheckFrame) -> Value {
    let question = check.question;
    let milliseconds = finding.last_seen.unwrap_or(frame.until).div_euclid(1_000);
    let (status_id, status) = match accepted {
        None => (1, "New"),
        Some(_) => (3, "Suppressed"),
    };
    let head = head(OcsfClass::Detection, check.severity, milliseconds);
    let body = json!({
        "status_id": status_id,
        "status": status,
        "count": finding.rows,
        "message": message(check, finding),
        "cloud": cloud(finding),
        "finding_info": {
            "uid": check.fingerprint(finding),
            "title": question.title,
            "desc": question.question,
            "types": [question.id],
            "last_seen_time": milliseconds,
        },
    });
    let mut event = merged(head, body);
    if let Some(members) = event.as_object_mut() {
        if let Some(arn) = principal_arn(finding) {
            let resource = json!([{"uid": arn, "type": resource_type(arn)}]);
            members.insert("resources".to_owned(), resource);
        }
        if let Some(accepted) = accepted {
            members.insert("comment".to_owned(), json!(accepted));
        }
    }
    event
}

/// What every finding begins with.
pub(in crate::report) fn head(class: OcsfClass, severity: Severity, milliseconds: i64) -> Value {
    let (uid, name) = match class {
        OcsfClass::Compliance => (2003, "Compliance Finding"),
        OcsfClass::Detection => (2004, "Detection Finding"),
        OcsfClass::IamAnalysis => (2008, "IAM Analysis Finding"),
    };
    json!({
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": uid,
        "class_name": name,
        "type_uid": uid * 100 + CREATE,
        "type_name": format!("{name}: Create"),
        "time": milliseconds,
        "severity_id": severity_id(severity),
        "severity": severity_name(severity),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {
                "name": "trimtrail",
                "vendor_name": "trimtrail",
                "version": env!("CARGO_PKG_VERSION"),
            },
        },
    })
}

/// Both objects in one.
pub(in crate::report) fn merged(mut head: Value, body: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (head.as_object_mut(), body) {
        members.extend(more);
    }
    head
}

fn cloud(finding: &CheckFinding) -> Value {
    let mut cloud = json!({"provider": "AWS"});
    if let Some(members) = cloud.as_object_mut() {
        if let Some(account_id) = account_id(finding) {
            members.insert(
                "account".to_owned(),
                json!({"uid": account_id, "type": "AWS Account", "type_id": 10}),
            );
        }
        if let Some(region) = region(finding) {
            members.insert("region".to_owned(), json!(region));
        }
    }
    cloud
}

fn severity_id(severity: Severity) -> u32 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

pub(in crate::report) fn resource_type(arn: &str) -> &'static str {
    match arn {
        _ if arn.contains(":role/") => "AWS::IAM::Role",
        _ if arn.contains(":user/") => "AWS::IAM::User",
        _ if arn.ends_with(":root") => "AWS Account",
        _ => "Other",
    }
}
