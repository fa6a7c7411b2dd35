//! The bundle as one page: readable without scripts and on paper, and loading nothing from anywhere.
//!
//! Every value is escaped by the template engine, hidden characters are shown. The one script, which sorts and filters
//! tables, is named by its hash, so that nothing else can run.

use serde::Serialize;

use sha2::Digest;
use sha2::Sha256;

use super::BundleRecord;
use super::ExhibitRecord;
use super::Finished;
use super::KeyRecord;
use crate::report::ReportError;
use crate::report::counted::format_count;
use crate::report::escape::shown;
use crate::report::template::rendered;

/// The name decides that values are escaped.
const NAME: &str = "evidence.html";
const TEMPLATE: &str = concat!(include_str!("../page/shared.html"), include_str!("page/evidence.html"));
const SCRIPT: &str = include_str!("page/tables.js");
/// Width of the longest bar.
const BAR_ROOM: u64 = 1000;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct EvidencePage<'a> {
    /// What the bundle says of itself.
    pub record: &'a BundleRecord,
    /// The exhibits, in the order of the record, each with the columns that the page shows.
    pub exhibits: &'a [(Finished, Vec<String>)],
    /// The coverage as SVG, which is put in as it is.
    pub picture: &'a str,
    /// One line on the digests.
    pub integrity: &'a str,
}

#[derive(Serialize)]
struct Whole<'a> {
    record: View<'a>,
    picture: &'a str,
    integrity: String,
    script: &'static str,
    script_hash: String,
    frameworks: Vec<FrameworkView>,
    exhibits: Vec<ExhibitView>,
    keys: Vec<String>,
    facts: Vec<String>,
    parameters: Vec<String>,
    rules: &'a [String],
}

#[derive(Serialize)]
struct View<'a> {
    period: String,
    since: &'a str,
    until: &'a str,
    version: u64,
    committed_at: &'a str,
    log_entry: &'a str,
    trimtrail_version: &'a str,
    redaction: &'a str,
    prepared: String,
    /// Empty if nobody signed.
    signed_by: String,
    accounts: String,
    events: String,
    hours: String,
    hours_complete: String,
    hours_incomplete: String,
    hours_silent: String,
    has_losses: bool,
}

#[derive(Serialize)]
struct FrameworkView {
    title: String,
    controls: Vec<ControlView>,
}

#[derive(Serialize)]
struct ControlView {
    id: String,
    title: String,
    standing: &'static str,
    reason: String,
    evidence: Vec<EvidenceView>,
}

#[derive(Serialize)]
struct EvidenceView {
    exhibit: String,
    title: String,
    reason: String,
    rows: String,
}

#[derive(Serialize)]
struct ExhibitView {
    id: String,
    title: String,
    standing: &'static str,
    reason: String,
    shows: String,
    question: String,
    sql: String,
    sql_sha256: String,
    parameters: Vec<String>,
    caveats: Vec<String>,
    files: Vec<String>,
    rows: String,
    is_cut: bool,
    columns: Vec<Column>,
    shown: Vec<Vec<String>>,
    bars: Vec<Bar>,
    serves: String,
}

#[derive(Serialize)]
struct Column {
    name: String,
    class: &'static str,
}

#[derive(Serialize)]
struct Bar {
    name: String,
    count: String,
    width: u64,
}

impl EvidencePage<'_> {
    /// The page as HTML.
    ///
    /// # Errors
    /// When the template cannot be filled in.
    pub fn render(&self) -> Result<String, ReportError> {
        let record = self.record;
        let named = |(name, value): (&String, &String)| shown(&format!("{name}: {value}"));
        let exhibits = record.exhibits.iter().zip(self.exhibits);
        let whole = Whole {
            record: self.view(),
            picture: self.picture,
            integrity: shown(self.integrity),
            script: SCRIPT,
            script_hash: base64(&Sha256::digest(SCRIPT.as_bytes())),
            frameworks: self.frameworks(),
            exhibits: exhibits.map(|(record, shown)| self.exhibit(record, shown)).collect(),
            keys: record.public_keys.iter().map(key).collect(),
            facts: record.facts.iter().map(named).collect(),
            parameters: record.parameters.iter().map(named).collect(),
            rules: &record.redaction_rules,
        };
        rendered(NAME, TEMPLATE, &whole)
    }

    fn view(&self) -> View<'_> {
        let record = self.record;
        let coverage = &record.coverage;
        let prepared = [&record.prepared_by, &record.prepared_at];
        let prepared: Vec<&str> = prepared.into_iter().flatten().map(String::as_str).collect();
        View {
            period: shown(&record.period.text),
            since: &record.period.since,
            until: &record.period.until,
            version: record.store.version,
            committed_at: record.store.committed_at.as_deref().unwrap_or("unknown"),
            log_entry: record
                .store
                .log_entry_sha256
                .as_deref()
                .unwrap_or("no longer in the log"),
            trimtrail_version: &record.trimtrail_version,
            redaction: &record.redaction,
            prepared: shown(&prepared.join(", ")),
            signed_by: shown(record.signed_by.as_deref().unwrap_or_default()),
            accounts: format!("{} accounts, {} regions", coverage.accounts, coverage.regions),
            events: format_count(coverage.events),
            hours: format_count(coverage.hours),
            hours_complete: format_count(coverage.hours_complete),
            hours_incomplete: format_count(coverage.hours_incomplete),
            hours_silent: format_count(coverage.hours_silent),
            has_losses: coverage.hours_incomplete > 0,
        }
    }

    fn frameworks(&self) -> Vec<FrameworkView> {
        let title = |exhibit: &str| {
            let mut exhibits = self.record.exhibits.iter();
            exhibits
                .find(|known| known.id == exhibit)
                .map_or_else(String::new, |known| shown(&known.title))
        };
        let frameworks = self.record.frameworks.iter().map(|framework| {
            let controls = self
                .record
                .controls
                .iter()
                .filter(|control| control.framework == framework.id);
            let controls = controls.map(|control| {
                let evidence = control.evidence.iter().map(|evidence| EvidenceView {
                    exhibit: evidence.exhibit.clone(),
                    title: title(&evidence.exhibit),
                    reason: shown(&evidence.reason),
                    rows: format_count(evidence.rows),
                });
                ControlView {
                    id: shown(&control.id),
                    title: shown(&control.title),
                    standing: control.judgement.standing.name(),
                    reason: shown(&control.judgement.reason),
                    evidence: evidence.collect(),
                }
            });
            FrameworkView {
                title: shown(&framework.title),
                controls: controls.collect(),
            }
        });
        frameworks.collect()
    }

    fn exhibit(&self, record: &ExhibitRecord, (finished, wanted): &(Finished, Vec<String>)) -> ExhibitView {
        let positions: Vec<usize> = match wanted.as_slice() {
            [] => (0..record.columns.len()).collect(),
            wanted => {
                let position = |name: &String| record.columns.iter().position(|column| column.name == *name);
                wanted.iter().filter_map(position).collect()
            }
        };
        let columns = positions.iter().filter_map(|position| record.columns.get(*position));
        let cell = |row: &Vec<Option<String>>, position: &usize| {
            let value = row.get(*position).cloned().flatten();
            value.map_or_else(String::new, |value| shown(&value))
        };
        let rows = finished.shown.iter();
        let most = finished.bars.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
        let serves = self.record.controls.iter().filter(|control| {
            let mut evidence = control.evidence.iter();
            evidence.any(|evidence| evidence.exhibit == record.id)
        });
        let serves: Vec<String> = serves
            .map(|control| format!("{} {}", control.framework, control.id))
            .collect();
        ExhibitView {
            id: record.id.clone(),
            title: shown(&record.title),
            standing: record.judgement.standing.name(),
            reason: shown(&record.judgement.reason),
            shows: shown(&record.shows),
            question: record.question.clone().unwrap_or_default(),
            sql: record.sql.clone().unwrap_or_default(),
            sql_sha256: record.sql_sha256.clone().unwrap_or_default(),
            parameters: record
                .parameters
                .iter()
                .map(|(name, value)| shown(&format!("{name} = {value}")))
                .collect(),
            caveats: record.caveats.iter().map(|caveat| shown(caveat)).collect(),
            files: record.files.clone(),
            rows: format_count(record.rows),
            is_cut: record.rows > u64::try_from(finished.shown.len()).unwrap_or(u64::MAX),
            columns: columns
                .map(|column| Column {
                    name: shown(&column.name),
                    class: class_of(&column.data_type),
                })
                .collect(),
            shown: rows
                .map(|row| positions.iter().map(|position| cell(row, position)).collect())
                .collect(),
            bars: finished
                .bars
                .iter()
                .map(|(name, number)| Bar {
                    name: shown(name),
                    count: format_count(*number),
                    width: number.saturating_mul(BAR_ROOM) / most,
                })
                .collect(),
            serves: shown(&serves.join(", ")),
        }
    }
}

/// How cells of a column look: numbers to the right, times in one piece.
fn class_of(data_type: &str) -> &'static str {
    match data_type {
        "Int64" | "Float64" | "UInt64" => "n",
        time if time.starts_with("Timestamp") => "t",
        _ => "",
    }
}

/// A file of public keys, and the region that it was asked for in.
fn key(record: &KeyRecord) -> String {
    let region = record.region.as_deref().map(|region| format!(" of {region}"));
    shown(&format!("{}{}", record.file, region.unwrap_or_default()))
}

/// As a content security policy writes hashes.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_usize;
        for index in 0..3 {
            bits = bits << 8 | usize::from(group.get(index).copied().unwrap_or_default());
        }
        for index in 0..4 {
            let digit = BASE64.get(bits >> (18 - 6 * index) & 63).copied().unwrap_or(b'=');
            text.push(if index <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_browsers_read_them() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn script_has_nothing_that_ends_it_or_reaches_out() {
        for part in [
            "</",
            "<!--",
            "fetch",
            "http",
            "import",
            "innerHTML",
            "eval",
            "document.write",
        ] {
            assert!(!SCRIPT.contains(part), "{part}");
        }
    }
}
