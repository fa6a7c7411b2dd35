//! What was verified: keys, chains, and every file that is not simply valid.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::escape;
use super::layout::display_width;
use crate::event::format_canonical;
use crate::integrity::ChainReport;
use crate::integrity::FileKind;
use crate::integrity::FileReport;
use crate::integrity::Finding;
use crate::integrity::GroupReport;
use crate::integrity::Level;
use crate::integrity::PublicKey;
use crate::integrity::PublicKeys;
use crate::integrity::Verdict;

/// Gathers the reports of accounts and regions.
#[derive(Debug, Default)]
pub struct IntegrityReport {
    /// Whether valid files are shown too.
    shows_all: bool,
    chains: Vec<ChainReport>,
    files: Vec<FileReport>,
    findings: Vec<Finding>,
    keys: BTreeMap<String, u64>,
    tallies: [Tally; 3],
    uncovered_logs: u64,
    level: Option<Level>,
}

/// Up to when digests cover the chains: what is deleted behind that leaves no trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredTo {
    /// The end of the chain that ends first.
    pub all: i64,
    /// The end of the chain that ends last.
    pub any: i64,
}

/// How many files of a kind there are.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    total: u64,
    valid: u64,
    invalid: u64,
}

/// What verifying digests and logs comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrityResult {
    /// Something is proven to be wrong.
    Invalid,
    /// Something is missing that could prove it.
    Incomplete,
    /// There are no valid digests.
    NothingVerified,
    /// All digests, and all logs, are what CloudTrail delivered.
    Valid,
}

impl IntegrityResult {
    /// It in a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Incomplete => "incomplete",
            Self::NothingVerified => "nothing verified",
            Self::Valid => "valid",
        }
    }
}

impl IntegrityReport {
    /// An empty report.
    pub fn new(shows_all: bool) -> Self {
        Self {
            shows_all,
            ..Self::default()
        }
    }

    /// Adds an account and region.
    pub fn add(&mut self, group: GroupReport) {
        for (fingerprint, count) in group.keys {
            *self.keys.entry(fingerprint).or_default() += count;
        }
        for file in group.files {
            let level = file.level();
            self.level = self.level.max(level);
            let [digests, backfill, logs] = &mut self.tallies;
            let tally = match file.kind {
                FileKind::Digest => digests,
                FileKind::BackfillDigest => backfill,
                FileKind::Log => logs,
            };
            tally.total += 1;
            tally.valid += u64::from(file.verdict == Verdict::Valid);
            tally.invalid += u64::from(file.verdict.level() == Some(Level::Invalid));
            // There may be as many as there are logs, and all for the same reason.
            let is_uncovered = file.verdict == Verdict::NotCovered;
            self.uncovered_logs += u64::from(is_uncovered);
            if self.shows_all || level.is_some() && !is_uncovered {
                self.files.push(file);
            }
        }
        let findings = group.chains.iter().flat_map(|chain| &chain.findings);
        let worst = findings
            .chain(&group.findings)
            .map(|finding| finding.rule.level())
            .max();
        self.level = self.level.max(worst);
        self.chains.extend(group.chains);
        self.findings.extend(group.findings);
    }

    /// The worst that was found.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// Up to when valid digests cover the chains; `None` where there is none.
    pub fn covered_to(&self) -> Option<CoveredTo> {
        let ends = self.chains.iter().filter_map(|chain| chain.covered);
        ends.fold(None, |known: Option<CoveredTo>, (_, end)| {
            let known = known.unwrap_or(CoveredTo { all: end, any: end });
            Some(CoveredTo {
                all: known.all.min(end),
                any: known.any.max(end),
            })
        })
    }

    /// How many digests were proven to be CloudTrail's.
    pub fn valid_digests(&self) -> u64 {
        let [digests, backfill, _] = &self.tallies;
        digests.valid + backfill.valid
    }

    /// For people.
    pub fn text(&self, keys: &PublicKeys) -> String {
        let mut text = String::new();
        let mut rows = vec![
            ["key", "SHA-256 of its DER", "region", "valid", "digests"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(keys.iter().map(|key| self.key_row(key)));
        push_table(&mut text, &rows);
        text.push('\n');
        let head = ["account", "region", "trail", "home", "digests", "covered", "remarks"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.chains.iter().map(chain_row));
        push_table(&mut text, &rows);
        self.push_findings(&mut text);
        self.push_files(&mut text);
        self.push_summary(&mut text);
        text
    }

    /// For programs: one JSON document.
    pub fn json(&self, keys: &PublicKeys) -> String {
        let [digests, backfill, logs] = self
            .tallies
            .map(|tally| json!({"total": tally.total, "valid": tally.valid, "invalid": tally.invalid}));
        let document = json!({
            "summary": {
                "result": self.result().name(),
                "digests": digests,
                "backfill_digests": backfill,
                "logs": logs,
                "logs_without_digests": self.uncovered_logs,
                "all_chains_covered_to": self.covered_to().map(|covered| time(covered.all)),
                "any_chain_covered_to": self.covered_to().map(|covered| time(covered.any)),
            },
            "keys": keys.iter().map(|key| self.key_json(key)).collect::<Vec<Value>>(),
            "chains": self.chains.iter().map(chain_json).collect::<Vec<Value>>(),
            "findings": self.findings.iter().map(finding_json).collect::<Vec<Value>>(),
            "files": self.files.iter().map(file_json).collect::<Vec<Value>>(),
        });
        let pretty = serde_json::to_string_pretty(&document).unwrap_or_default();
        format!("{}\n", escape::json(&pretty))
    }

    /// What all of it comes to.
    pub fn result(&self) -> IntegrityResult {
        match self.level {
            Some(Level::Invalid) => IntegrityResult::Invalid,
            Some(Level::Unproven) => IntegrityResult::Incomplete,
            _ if self.valid_digests() == 0 => IntegrityResult::NothingVerified,
            _ => IntegrityResult::Valid,
        }
    }

    fn key_row(&self, key: &PublicKey) -> Vec<String> {
        let validity = match key.validity {
            Some((from, to)) => format!("{} to {}", time(from), time(to)),
            None => "unknown".to_owned(),
        };
        vec![
            key.fingerprint.clone(),
            key.sha256.clone(),
            key.region.clone().unwrap_or_else(|| "not said".to_owned()),
            validity,
            self.uses(key).to_string(),
        ]
    }

    fn uses(&self, key: &PublicKey) -> u64 {
        self.keys.get(&key.fingerprint).copied().unwrap_or_default()
    }

    fn key_json(&self, key: &PublicKey) -> Value {
        json!({
            "fingerprint": key.fingerprint,
            "fingerprint_is_true": key.is_fingerprint_true,
            "sha256": key.sha256,
            "region": key.region,
            "valid_from": key.validity.map(|(from, _)| time(from)),
            "valid_to": key.validity.map(|(_, to)| time(to)),
            "source": key.source,
            "digests": self.uses(key),
        })
    }

    fn push_findings(&self, text: &mut String) {
        let chains = self.chains.iter().flat_map(|chain| {
            let name = &chain.name;
            let prefix = format!("{} {} {}", name.account_id, name.region, name.trail);
            let findings = chain.findings.iter();
            findings.map(move |finding| (prefix.clone(), finding))
        });
        let all = chains.chain(self.findings.iter().map(|finding| (String::new(), finding)));
        let all: Vec<_> = all.collect();
        if !all.is_empty() {
            text.push('\n');
        }
        for (prefix, finding) in all {
            let separator = if prefix.is_empty() { "" } else { ": " };
            push_line(text, &format!("{prefix}{separator}{}", finding.text));
        }
    }

    fn push_files(&self, text: &mut String) {
        if !self.files.is_empty() {
            text.push('\n');
        }
        for file in &self.files {
            push_line(
                text,
                &format!("{}  {}  {}", kind_name(file.kind), file.place, file.verdict),
            );
            for finding in &file.findings {
                push_line(text, &format!("    {}: {}", finding.rule.name(), finding.text));
            }
        }
    }

    fn push_summary(&self, text: &mut String) {
        text.push('\n');
        for (tally, name) in self.tallies.iter().zip(["digest", "backfill digest", "log"]) {
            if tally.total > 0 {
                let mut line = format!("{}/{} {name} files valid", tally.valid, tally.total);
                if tally.invalid > 0 {
                    line.push_str(&format!(", {}/{} {name} files INVALID", tally.invalid, tally.total));
                }
                push_line(text, &line);
            }
        }
        if self.uncovered_logs > 0 {
            push_line(
                text,
                &format!("{} log files that no digest covers", self.uncovered_logs),
            );
        }
        if let Some(CoveredTo { all, any }) = self.covered_to() {
            let longest = match all == any {
                true => String::new(),
                false => format!(", the longest chain up to {}", time(any)),
            };
            push_line(
                text,
                &format!("covered up to {}{longest}; nothing is proven after it", time(all)),
            );
        }
        push_line(text, &format!("result: {}", self.result().name()));
    }
}

fn chain_row(chain: &ChainReport) -> Vec<String> {
    let name = &chain.name;
    let mut digests = format!("{}/{} valid", chain.valid_digests, chain.digests);
    if chain.backfill_digests > 0 {
        let backfill = format!(", {}/{} backfill", chain.valid_backfill_digests, chain.backfill_digests);
        digests.push_str(&backfill);
    }
    let covered = chain
        .covered
        .map(|(from, to)| format!("{} to {}", time(from), time(to)));
    vec![
        name.account_id.clone(),
        name.region.clone(),
        name.trail.clone(),
        name.home_region.clone(),
        digests,
        covered.unwrap_or_else(|| "nothing".to_owned()),
        chain.findings.len().to_string(),
    ]
}

fn chain_json(chain: &ChainReport) -> Value {
    let name = &chain.name;
    json!({
        "account_id": name.account_id,
        "region": name.region,
        "trail": name.trail,
        "home_region": name.home_region,
        "covered_from": chain.covered.map(|(from, _)| time(from)),
        "covered_to": chain.covered.map(|(_, to)| time(to)),
        "digests": chain.digests,
        "valid_digests": chain.valid_digests,
        "backfill_digests": chain.backfill_digests,
        "valid_backfill_digests": chain.valid_backfill_digests,
        "findings": chain.findings.iter().map(finding_json).collect::<Vec<Value>>(),
    })
}

fn file_json(file: &FileReport) -> Value {
    json!({
        "kind": kind_name(file.kind),
        "bucket": file.place.bucket.as_ref(),
        "key": file.place.key.as_ref(),
        "verdict": file.verdict.to_string(),
        "findings": file.findings.iter().map(finding_json).collect::<Vec<Value>>(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    json!({"rule": finding.rule.name(), "level": level_name(finding.rule.level()), "text": finding.text})
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Notice => "notice",
        Level::Unproven => "unproven",
        Level::Invalid => "invalid",
    }
}

fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Digest => "digest",
        FileKind::BackfillDigest => "backfill digest",
        FileKind::Log => "log",
    }
}

fn time(moment: i64) -> String {
    format_canonical(moment).unwrap_or_default()
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(&escape::visible(line));
    text.push('\n');
}

/// Columns of equal width, two spaces apart.
fn push_table(text: &mut String, rows: &[Vec<String>]) {
    let rows: Vec<Vec<_>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| escape::visible(cell)).collect())
        .collect();
    let columns = rows.first().map(Vec::len).unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| display_width(cell)).max().unwrap_or_default()
        })
        .collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let padding = width.saturating_sub(display_width(cell)) + 2;
            let written = write!(line, "{cell}{:padding$}", "");
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::integrity::Place;
    use crate::integrity::Rule;

    fn report() -> IntegrityReport {
        let mut report = IntegrityReport::new(false);
        let file = |verdict, key: &str| FileReport {
            kind: FileKind::Log,
            place: Place::new("logs", key),
            verdict,
            findings: Vec::new(),
        };
        report.add(GroupReport {
            files: vec![
                file(Verdict::NotFound, "../../etc/\u{1b}[2Jpasswd\nresult: valid"),
                file(Verdict::Valid, "a"),
                file(Verdict::NotCovered, "b"),
            ],
            findings: vec![Finding {
                rule: Rule::NoDigests,
                text: "\u{202e}x".to_owned(),
            }],
            ..GroupReport::default()
        });
        report
    }

    #[test]
    fn hostile_names_are_shown_and_cannot_forge_a_line() {
        let text = report().text(&PublicKeys::default());
        let line = r"log  s3://logs/../../etc/\u{1b}[2Jpasswd\u{a}result: valid  INVALID: not found";
        assert!(text.lines().any(|shown| shown == line), "{text}");
        assert!(text.lines().any(|shown| shown == r"\u{202e}x"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("result:")).count(), 1);
    }

    #[test]
    fn logs_that_no_digest_covers_are_counted_and_not_named() {
        let json: Value = serde_json::from_str(&report().json(&PublicKeys::default())).unwrap();
        assert_eq!(json["files"].as_array().unwrap().len(), 1);
        assert_eq!(json["summary"]["logs_without_digests"], 1);
        assert_eq!(
            json["summary"]["logs"],
            serde_json::json!({"total": 3, "valid": 1, "invalid": 1})
        );
        assert_eq!(json["summary"]["result"], "invalid");
    }
}
