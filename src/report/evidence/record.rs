//! What a bundle says of itself: enough to make it again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::Judgement;
use crate::report::IntegrityResult;

/// Version of this record and of the layout of a bundle.
pub const FORMAT: u32 = 3;

/// `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleRecord {
    /// Layout of the bundle.
    pub format: u32,
    /// Version of the program that made it.
    pub trimtrail_version: String,
    /// What it is about.
    pub period: PeriodRecord,
    /// The store it was made from.
    pub store: StoreRecord,
    /// What the program knew about AWS: name and date of each source.
    pub facts: BTreeMap<String, String>,
    /// Frameworks, in the order they were asked for.
    pub frameworks: Vec<FrameworkRecord>,
    /// Parameters that were given for all questions that have them.
    pub parameters: BTreeMap<String, String>,
    /// Name of the rules by which secrets were taken out.
    pub redaction: String,
    /// These rules.
    pub redaction_rules: Vec<String>,
    /// Who made it, as they said.
    pub prepared_by: Option<String>,
    /// When, as they said (`SOURCE_DATE_EPOCH`).
    pub prepared_at: Option<String>,
    /// Whether further controls were given: `controls.toml`.
    pub has_own_controls: bool,
    /// Public keys by which the digests were verified.
    pub public_keys: Vec<KeyRecord>,
    /// The public key that signed `SHA256SUMS`, as OpenSSH writes it.
    pub signed_by: Option<String>,
    /// What verifying the digests of the period came to; null without public keys.
    pub integrity: Option<IntegrityResult>,
    /// What all of it rests on.
    pub coverage: CoverageRecord,
    /// The tables.
    pub exhibits: Vec<ExhibitRecord>,
    /// Which table serves which control.
    pub controls: Vec<ControlRecord>,
}

impl BundleRecord {
    /// The moment that documents of the bundle say they are of: when it was made, as the user said, or when the version of the
    /// store was written, or the end of the period.
    pub fn made_at(&self) -> String {
        let told = self.prepared_at.as_ref().or(self.store.committed_at.as_ref());
        told.unwrap_or(&self.period.until).clone()
    }

    /// The same in seconds since 1970.
    pub(super) fn made_at_second(&self) -> i64 {
        let time = self.made_at().parse::<Timestamp>();
        time.map(Timestamp::as_second).unwrap_or_default()
    }

    /// Whether the logs are known to lack something, or their digests not to prove what they should.
    pub fn has_losses(&self) -> bool {
        let coverage = &self.coverage;
        let all = coverage.hours_complete == coverage.hours;
        let is_proven = self
            .integrity
            .is_none_or(|result| result == IntegrityResult::Valid && all);
        coverage.hours_incomplete > 0 || coverage.expired_before.is_some() || !is_proven
    }
}

/// A window of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodRecord {
    /// As it was asked for.
    pub text: String,
    /// First moment, RFC 3339 in UTC.
    pub since: String,
    /// First moment behind it.
    pub until: String,
}

/// Which state of which store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreRecord {
    /// Version of its table `events`, which is that of the store.
    pub version: u64,
    /// When that version was written.
    pub committed_at: Option<String>,
    /// SHA-256 of the entry of the Delta log that made it; null when the log no longer has it.
    pub log_entry_sha256: Option<String>,
    /// Version of the table layouts.
    pub schema_version: u32,
}

/// A framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameworkRecord {
    /// Short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
}

/// A file of public keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// Its name in the bundle.
    pub file: String,
    /// The region that it was asked for in, as the user said.
    pub region: Option<String>,
}

/// Hours of accounts in regions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageRecord {
    /// Accounts of the store.
    pub accounts: u64,
    /// Regions of the store.
    pub regions: u64,
    /// Hours of all accounts in all regions.
    pub hours: u64,
    /// Of these, complete ones.
    pub hours_complete: u64,
    /// Of these, those in which something is missing.
    pub hours_incomplete: u64,
    /// Of these, those of which nothing is there and nothing says whether there was something.
    pub hours_silent: u64,
    /// Events of the period.
    pub events: u64,
    /// Events from before this moment have expired, if the period begins before it.
    pub expired_before: Option<String>,
}

/// A table of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExhibitRecord {
    /// Short name.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What it shows.
    pub shows: String,
    /// The question of the library that it answers.
    pub question: Option<String>,
    /// Its text in the bundle.
    pub sql: Option<String>,
    /// SHA-256 of that text.
    pub sql_sha256: Option<String>,
    /// Values of its parameters; those that are not here were null.
    pub parameters: BTreeMap<String, String>,
    /// What the answer does not show.
    pub caveats: Vec<String>,
    /// Rows of every file.
    pub rows: u64,
    /// What they say.
    pub judgement: Judgement,
    /// Columns in order.
    pub columns: Vec<ColumnRecord>,
    /// Its files.
    pub files: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnRecord {
    /// Its name.
    pub name: String,
    /// Its type in the Parquet file.
    pub data_type: String,
}

/// A control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlRecord {
    /// Short name of its framework.
    pub framework: String,
    /// Its number.
    pub id: String,
    /// What it asks for, in a few words.
    pub title: String,
    /// What all that serves it says together.
    pub judgement: Judgement,
    /// What serves it.
    pub evidence: Vec<EvidenceRecord>,
}

/// Why an exhibit serves a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRecord {
    /// The exhibit.
    pub exhibit: String,
    /// Why.
    pub reason: String,
    /// Rows of the exhibit.
    pub rows: u64,
}
