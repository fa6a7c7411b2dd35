//! The bundle as OSCAL assessment results, for tools of assessors: what was looked at, what was observed, and what speaks
//! against a control.
//!
//! Source of the form: <https://pages.nist.gov/OSCAL-Reference/models/v1.1.3/assessment-results/json-definitions/>. Only
//! what both 1.1 and 1.2 have is written. Lists are left out where they would be empty, as the form wants it.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use super::BundleRecord;
use super::ControlRecord;
use super::ExhibitRecord;
use super::RECORD_FILE;
use super::identity::Identities;
use super::standing::Standing;
use crate::report::escape;

/// Its name in a bundle.
pub const OSCAL_FILE: &str = "oscal-assessment-results.json";

/// The version that tools of FedRAMP know.
const VERSION: &str = "1.1.3";
/// Of properties that are ours.
const PROPERTY_NAMESPACE: &str = "https://github.com/trimtrail/trimtrail/ns/oscal";
/// Frameworks whose controls have the ids of NIST's catalog.
const CATALOG: &str = "nist-800-53";
const CATALOG_BASELINES: &str = "fedramp-";

/// What is said of every finding.
const SCOPE: &str = "This is what the logs of the period say, and nothing more: whether the control as a whole is satisfied is for \
                     the assessor to say.";

/// The document over a bundle with these files, by name and SHA-256.
pub fn assessment_results(record: &BundleRecord, files: &BTreeMap<String, String>) -> String {
    let sha256 = files.get(RECORD_FILE).map_or("", String::as_str);
    let document = Document {
        record,
        files,
        identities: Identities::of_bundle(sha256),
    };
    let text = serde_json::to_string_pretty(&document.whole()).unwrap_or_default();
    format!("{}\n", escape::json(&text))
}

struct Document<'a> {
    record: &'a BundleRecord,
    files: &'a BTreeMap<String, String>,
    identities: Identities,
}

impl Document<'_> {
    fn whole(&self) -> Value {
        let record = self.record;
        let title = format!("Evidence of AWS CloudTrail logs, {}", record.period.text);
        json!({"assessment-results": {
            "uuid": self.identities.name("document", ""),
            "metadata": {
                "title": line(&title),
                "last-modified": record.made_at(),
                "version": record.store.version.to_string(),
                "oscal-version": VERSION,
                "remarks": "Made by trimtrail from one version of a store of logs, which is the version of this document.",
            },
            // What was to be looked at: questions, parameters and window.
            "import-ap": {"href": format!("#{}", self.file(RECORD_FILE))},
            "results": [self.result(&title)],
            "back-matter": {"resources": self.resources()},
        }})
    }

    fn result(&self, title: &str) -> Value {
        let record = self.record;
        let coverage = &record.coverage;
        let description = format!(
            "What the logs of {} accounts in {} regions show: {} events. Of {} hours, {} are complete, {} incomplete and {} silent. {SCOPE}",
            coverage.accounts,
            coverage.regions,
            coverage.events,
            coverage.hours,
            coverage.hours_complete,
            coverage.hours_incomplete,
            coverage.hours_silent,
        );
        let observations: Vec<Value> = record
            .exhibits
            .iter()
            .map(|exhibit| self.observation(exhibit))
            .collect();
        let findings: Vec<Value> = record
            .controls
            .iter()
            .filter_map(|control| self.finding(control))
            .collect();
        let mut result = json!({
            "uuid": self.identities.name("result", ""),
            "title": line(title),
            "description": description,
            "start": record.period.since,
            "end": record.period.until,
            "local-definitions": {"assessment-assets": self.tool()},
            "reviewed-controls": {"control-selections": self.selections()},
            "observations": observations,
        });
        if let Some(members) = result.as_object_mut().filter(|_| !findings.is_empty()) {
            members.insert("findings".to_owned(), Value::Array(findings));
        }
        result
    }

    /// The program, which all observations are from.
    fn tool(&self) -> Value {
        let component = self.identities.name("tool", "");
        json!({
            "components": [{
                "uuid": component,
                "type": "software",
                "title": "trimtrail",
                "description": "Reads AWS CloudTrail logs and answers questions about them.",
                "props": [{"name": "version", "value": self.record.trimtrail_version}],
                "status": {"state": "operational"},
            }],
            "assessment-platforms": [{
                "uuid": self.identities.name("platform", ""),
                "title": "trimtrail",
                "uses-components": [{"component-uuid": component}],
            }],
        })
    }

    fn selections(&self) -> Vec<Value> {
        let selections = self.record.frameworks.iter().filter_map(|framework| {
            let controls = self.record.controls.iter();
            let controls = controls.filter(|control| control.framework == framework.id);
            let ids: Vec<Value> = controls.map(|control| json!({"control-id": token(control)})).collect();
            (!ids.is_empty()).then(|| json!({"description": line(&framework.title), "include-controls": ids}))
        });
        let selections: Vec<Value> = selections.collect();
        match selections.is_empty() {
            true => vec![json!({"description": "No control was chosen.", "include-all": {}})],
            false => selections,
        }
    }

    fn observation(&self, exhibit: &ExhibitRecord) -> Value {
        let description = format!(
            "{} {} rows. What they say: {} ({}).",
            exhibit.shows,
            exhibit.rows,
            exhibit.judgement.standing.name(),
            exhibit.judgement.reason
        );
        let files = exhibit.files.iter().chain(&exhibit.sql);
        let evidence = files.map(|name| {
            let sha256 = self.files.get(name).map_or("unknown", String::as_str);
            json!({
                "href": name,
                "description": format!("`{name}` of the bundle"),
                "props": [{"name": "sha256", "ns": PROPERTY_NAMESPACE, "value": sha256}],
                "links": [{"href": format!("#{}", self.file(name)), "rel": "reference"}],
            })
        });
        json!({
            "uuid": self.identities.name("exhibit", &exhibit.id),
            "title": line(&exhibit.title),
            "description": line(&description),
            "methods": ["EXAMINE"],
            "types": ["control-objective"],
            "origins": [{"actors": [{"type": "tool", "actor-uuid": self.identities.name("tool", "")}]}],
            "relevant-evidence": evidence.collect::<Vec<_>>(),
            "collected": self.record.made_at(),
        })
    }

    /// What is said of a control; nothing where its tables only describe.
    fn finding(&self, control: &ControlRecord) -> Option<Value> {
        let (state, reason) = match control.judgement.standing {
            Standing::Described => return None,
            Standing::Clear => ("satisfied", "pass"),
            Standing::Unknown | Standing::Review => ("not-satisfied", "other"),
            Standing::Findings => ("not-satisfied", "fail"),
        };
        let related = control.evidence.iter().map(|evidence| {
            let uuid = self.identities.name("exhibit", &evidence.exhibit);
            json!({"observation-uuid": uuid})
        });
        let name = format!("{} {}", control.framework, control.id);
        let judgement = &control.judgement;
        Some(json!({
            "uuid": self.identities.name("control", &name),
            "title": line(&format!("{name}: {}", control.title)),
            "description": line(&format!("{}: {}. {SCOPE}", judgement.standing.name(), judgement.reason)),
            "target": {
                "type": "objective-id",
                "target-id": format!("{}_obj", token(control)),
                "status": {"state": state, "reason": reason, "remarks": line(&judgement.reason)},
            },
            "related-observations": related.collect::<Vec<_>>(),
        }))
    }

    fn resources(&self) -> Vec<Value> {
        let resources = self.files.iter().map(|(name, sha256)| {
            json!({
                "uuid": self.file(name),
                "title": name,
                "rlinks": [{"href": name, "hashes": [{"algorithm": "SHA-256", "value": sha256}]}],
            })
        });
        resources.collect()
    }

    fn file(&self, name: &str) -> String {
        self.identities.name("file", name)
    }
}

/// The id of a control: as NIST's catalog has it, or made of framework and number.
fn token(control: &ControlRecord) -> String {
    let plain = |text: &str| -> String {
        let plain = text.replace(")(", ".").replace('(', ".").replace(')', "");
        let is_plain = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
        plain
            .chars()
            .map(|character| if is_plain(&character) { character } else { '_' })
            .collect()
    };
    let is_of_catalog = control.framework == CATALOG || control.framework.starts_with(CATALOG_BASELINES);
    match is_of_catalog && control.id.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => plain(&control.id).to_ascii_lowercase(),
        // A name must not begin with a digit.
        false => format!("control_{}_{}", plain(&control.framework), plain(&control.id)),
    }
}

/// Text in one line, without blanks around it, and never none.
fn line(text: &str) -> String {
    let shown = escape::visible(text.trim());
    match shown.trim() {
        "" => "(none)".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::evidence::Judgement;

    #[test]
    fn ids_are_those_of_the_catalog_or_made_of_framework_and_number() {
        for (framework, id, wanted) in [
            ("nist-800-53", "AC-2(3)", "ac-2.3"),
            ("nist-800-53", "AU-9", "au-9"),
            ("fedramp-high", "IA-2(1)", "ia-2.1"),
            ("soc2", "CC6.1", "control_soc2_CC6.1"),
            ("pci-dss-4", "10.2.1.1", "control_pci-dss-4_10.2.1.1"),
            ("hipaa", "164.308(a)(1)(ii)(D)", "control_hipaa_164.308.a.1.ii.D"),
            ("1 own", "é 7", "control_1_own___7"),
        ] {
            let control = ControlRecord {
                framework: framework.to_owned(),
                id: id.to_owned(),
                title: String::new(),
                judgement: Judgement::described(),
                evidence: Vec::new(),
            };
            assert_eq!(token(&control), wanted);
        }
    }

    #[test]
    fn text_has_no_blanks_around_it_and_is_never_empty() {
        assert_eq!(line("  a\nb "), "a\\u{a}b");
        assert_eq!(line(" \n"), "(none)");
    }
}
