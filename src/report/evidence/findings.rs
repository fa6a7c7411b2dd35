//! The bundle as OCSF 1.8.0 findings, one JSON object a line: what checks found (class 2004), what users and roles may do and
//! did not (2008), and how each control stands (2003).
//!
//! Source of the form: <https://schema.ocsf.io/1.8.0/categories/findings>, with the profile `cloud`.

use serde_json::Value;
use serde_json::json;

use super::BundleRecord;
use super::ControlRecord;
use super::access::AccessAnalysis;
use super::standing::Standing;
use crate::query::Severity;
use crate::report::Check;
use crate::report::CheckFrame;
use crate::report::check::OcsfClass;
use crate::report::check::ocsf_head;
use crate::report::check::ocsf_merged;
use crate::report::escape;
use crate::report::ocsf;

/// Its name in a bundle.
pub const FINDINGS_FILE: &str = "findings.ocsf.ndjson";

/// All findings of a bundle.
pub fn bundle_findings(
    record: &BundleRecord,
    checks: &[Check<'_>],
    access: Option<&AccessAnalysis>,
    frame: CheckFrame,
) -> String {
    let mut text = ocsf(checks, frame);
    let milliseconds = frame.until.div_euclid(1_000);
    let unused = access.into_iter().flat_map(|access| access.events(milliseconds));
    let controls = record.controls.iter();
    let controls = controls.map(|control| of_control(record, control, checks, milliseconds));
    for event in unused.chain(controls) {
        text.push_str(&escape::json(&event.to_string()));
        text.push('\n');
    }
    text
}

fn of_control(record: &BundleRecord, control: &ControlRecord, checks: &[Check<'_>], milliseconds: i64) -> Value {
    let judgement = &control.judgement;
    let (status_id, status) = match judgement.standing {
        Standing::Described => (99, "Described"),
        Standing::Clear => (1, "Pass"),
        Standing::Unknown => (0, "Unknown"),
        Standing::Review => (2, "Warning"),
        Standing::Findings => (3, "Fail"),
    };
    let serves = |check: &&Check<'_>| {
        let mut evidence = control.evidence.iter();
        let is_open = check.open_findings().next().is_some();
        is_open && evidence.any(|evidence| evidence.exhibit == check.question.id)
    };
    let severity = checks.iter().filter(serves).map(|check| check.severity).max();
    let framework = record.frameworks.iter().find(|known| known.id == control.framework);
    let standard = framework.map_or(control.framework.as_str(), |framework| framework.title.as_str());
    let evidence: Vec<&str> = control
        .evidence
        .iter()
        .map(|evidence| evidence.exhibit.as_str())
        .collect();
    ocsf_merged(
        ocsf_head(OcsfClass::Compliance, severity.unwrap_or(Severity::Info), milliseconds),
        json!({
            "status_id": 1,
            "status": "New",
            "message": format!("{} {}: {} ({})", control.framework, control.id, judgement.standing.name(), judgement.reason),
            "cloud": {"provider": "AWS"},
            "compliance": {
                "standards": [standard],
                "control": control.id,
                "requirements": [control.title],
                "status_id": status_id,
                "status": status,
                "status_details": [judgement.reason],
            },
            "finding_info": {
                "uid": format!("{}:{}:{}:{}", control.framework, control.id, record.period.since, record.period.until),
                "title": format!("{} {}", control.framework, control.id),
                "desc": control.title,
                "types": ["control"],
                "data_sources": evidence,
            },
        }),
    )
}
