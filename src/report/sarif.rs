//! Findings as SARIF 2.1.0, for code scanning and other dashboards.
//!
//! A principal is no file, but some readers show only what has one: every result has a logical location with the ARN, and a
//! made-up path below `aws-iam/`. Fingerprints name kind, principal and scope, so that a finding is the same tomorrow.

use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use super::diff::DiffFrame;
use super::escape;
use crate::analysis::moment;
use crate::policy::Finding;
use crate::policy::FindingKind;
use crate::query::UsageSource;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run with these findings, as a JSON document.
pub fn sarif(findings: &[Finding], frame: DiffFrame<'_>) -> String {
    let rules: Vec<Value> = FindingKind::ALL.into_iter().map(rule).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, frame)).collect();
    let properties = json!({
        "since": moment(frame.window.since),
        "until": moment(frame.window.until),
        "source": frame.source.map(UsageSource::name),
        "factsDate": frame.facts_date,
    });
    log("trimtrail/diff/", &rules, &results, &properties)
}

/// A log of one run, as a JSON document.
pub(super) fn log(id: &str, rules: &[Value], results: &[Value], properties: &Value) -> String {
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "trimtrail",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "automationDetails": {"id": id},
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": properties,
        }],
    });
    let mut text = escape::json(&format!("{document:#}")).into_owned();
    text.push('\n');
    text
}

/// Where a finding about a principal is.
pub(super) fn location(arn: &str) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": path(arn)},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{
            "name": arn.rsplit('/').next().unwrap_or(arn),
            "fullyQualifiedName": arn,
            "kind": "resource",
        }],
    })
}

fn rule(kind: FindingKind) -> Value {
    let severity = match kind {
        FindingKind::UnusedHighRisk => "8.0",
        FindingKind::NeverUsedRole | FindingKind::UnusedAccessKey | FindingKind::UnusedPassword => "6.0",
        FindingKind::UnusedPolicy | FindingKind::UnusedService => "4.0",
        FindingKind::UnusedPermission => "2.0",
    };
    json!({
        "id": kind.name(),
        "shortDescription": {"text": kind.meaning()},
        "fullDescription": {"text": format!(
            "{}. The logs cover the window, and they would show a use.", kind.meaning()
        )},
        "defaultConfiguration": {"level": level(kind)},
        "properties": {"security-severity": severity, "tags": ["security", "iam", "least-privilege"]},
    })
}

fn level(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::UnusedHighRisk => "error",
        FindingKind::UnusedPermission => "note",
        _ => "warning",
    }
}

fn result(finding: &Finding, frame: DiffFrame<'_>) -> Value {
    let arn = finding.principal_arn.as_str();
    let window = format!("{} to {}", moment(frame.window.since), moment(frame.window.until));
    let name = escape::visible(arn);
    let message = format!("{name}: {}, from {window}", escape::visible(&finding.message));
    let index = FindingKind::ALL.iter().position(|kind| *kind == finding.kind);
    let mut result = json!({
        "ruleId": finding.kind.name(),
        "ruleIndex": index,
        "level": level(finding.kind),
        "message": {"text": message},
        "locations": [location(arn)],
        "partialFingerprints": {"trimtrailFinding/v1": fingerprint(finding)},
        "properties": {
            "scope": finding.scope,
            "actionCount": finding.action_count,
            "actions": finding.actions,
            "harms": finding.harms,
            "lastUsed": finding.last_used.map(moment),
        },
    });
    if let (Some(kept), Value::Object(members)) = (&finding.kept, &mut result) {
        let suppression = json!([{"kind": "external", "status": "accepted", "justification": kept}]);
        members.insert("suppressions".to_owned(), suppression);
    }
    result
}

/// The same for the same finding, whatever the actions and whenever it is made.
fn fingerprint(finding: &Finding) -> String {
    let mut hash = Sha256::new();
    let kept = if finding.kept.is_some() { "kept" } else { "" };
    for part in [finding.kind.name(), &finding.principal_arn, &finding.scope, kept] {
        hash.update(part.as_bytes());
        // No part can end where another begins.
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A relative URI for a principal: account and path of the ARN, every other character percent-encoded.
fn path(arn: &str) -> String {
    let mut parts = arn.splitn(6, ':').skip(4);
    let (account, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or(arn));
    let mut path = "aws-iam/".to_owned();
    for part in [account]
        .into_iter()
        .chain(name.split('/'))
        .filter(|part| !part.is_empty())
    {
        if !path.ends_with('/') {
            path.push('/');
        }
        // A part of dots only would climb.
        let is_dots = part.bytes().all(|byte| byte == b'.');
        for byte in part.bytes() {
            let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte == b'.' && !is_dots;
            match is_plain {
                true => path.push(char::from(byte)),
                false => path.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;

    use crate::policy::Window;

    fn finding() -> Finding {
        Finding {
            principal_arn: "arn:aws:iam::111122223333:role/ci/deploy".to_owned(),
            kind: FindingKind::UnusedHighRisk,
            scope: "iam".to_owned(),
            actions: vec!["iam:CreateUser".to_owned()],
            action_count: 1,
            harms: BTreeSet::from(["PrivEsc"]),
            last_used: None,
            message: "1 action of `iam`".to_owned(),
            kept: None,
        }
    }

    fn written(findings: &[Finding]) -> Value {
        let frame = DiffFrame {
            window: Window {
                since: 0,
                until: 86_400_000_000,
            },
            facts_date: "2026-09-01",
            source: None,
        };
        serde_json::from_str(&sarif(findings, frame)).unwrap()
    }

    #[test]
    fn result_names_rule_principal_and_path() {
        let document = written(&[finding()]);
        let (run, result) = (&document["runs"][0], &document["runs"][0]["results"][0]);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        let place = &result["locations"][0];
        assert_eq!(
            place["logicalLocations"][0]["fullyQualifiedName"],
            finding().principal_arn
        );
        assert_eq!(
            place["physicalLocation"]["artifactLocation"]["uri"],
            "aws-iam/111122223333/role/ci/deploy"
        );
        assert_eq!(
            (&result["level"], &result["suppressions"]),
            (&json!("error"), &Value::Null)
        );
        assert_eq!(run["properties"]["until"], "1970-01-02T00:00:00Z");
    }

    #[test]
    fn fingerprint_outlives_the_actions_and_tells_scopes_apart() {
        let print = |finding: &Finding| fingerprint(finding);
        let more = Finding {
            actions: Vec::new(),
            message: String::new(),
            ..finding()
        };
        let other = Finding {
            scope: "ia".to_owned(),
            ..finding()
        };
        assert_eq!(print(&finding()), print(&more));
        assert_ne!(print(&finding()), print(&other));
        assert_eq!(print(&finding()).len(), 64);
    }

    #[test]
    fn what_is_kept_is_suppressed_with_its_reason() {
        let kept = Finding {
            kept: Some("break-glass (until 2027-03-31)".to_owned()),
            ..finding()
        };
        let document = written(&[kept]);
        let suppression = &document["runs"][0]["results"][0]["suppressions"][0];
        assert_eq!(suppression["justification"], "break-glass (until 2027-03-31)");
    }

    #[test]
    fn hostile_name_stays_one_relative_path() {
        for (arn, expected) in [
            ("arn:aws:iam::1:role/../../x y", "aws-iam/1/role/%2E%2E/%2E%2E/x%20y"),
            ("https://example.com", "aws-iam/https%3A/example.com"),
            ("", "aws-iam/"),
        ] {
            assert_eq!(path(arn), expected);
        }
    }
}
