//! The expected answers: counted while records are written, from the records' own fields and never from the files, so
//! that they can convict a reader of these files.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value;
use serde_json::json;

use super::EstateConfig;
use super::estate::GLOBAL_REGION;
use super::estate::WORKLOAD_REGIONS;
use super::event::Event;
use super::moment::Moment;
use super::objects::FinishedObject;

mod answers;

/// What an estate contains, counted while it was written.
#[derive(Debug, Clone)]
pub struct Tally {
    config: EstateConfig,
    /// Events, each counted once however often it was delivered.
    pub events: u64,
    /// Further copies of events that a second trail delivered.
    pub duplicates: u64,
    /// Records in readable objects that are not valid JSON.
    pub rejected_records: u64,
    /// Objects by kind: `events`, `digest`, `insight`, `aggregated`, `network-activity`, `corrupt`.
    pub objects: BTreeMap<&'static str, u64>,
    /// Compressed bytes of readable event objects.
    pub gzip_bytes: u64,
    by_account: BTreeMap<String, u64>,
    by_day: BTreeMap<Date, u64>,
    by_region: BTreeMap<String, u64>,
    by_category: BTreeMap<&'static str, u64>,
    principals: BTreeMap<String, BTreeMap<String, BTreeMap<String, CallCount>>>,
    secret_reads: BTreeMap<(String, String, String), CallCount>,
    passed_roles: BTreeMap<(String, String, String), CallCount>,
    unexpected_region: Vec<Value>,
    global_calls: u64,
    cross_account_twins: u64,
    planted: BTreeMap<&'static str, Vec<Value>>,
    rejects: Vec<Value>,
    digest_log_files: u64,
    /// Records of objects that are not event objects, by kind.
    other_records: BTreeMap<&'static str, u64>,
    late_objects: Vec<Value>,
    late_records: usize,
    foreign_day_records: u64,
    corrupt_objects: Vec<Value>,
    foreign_region_records: Vec<Value>,
}

/// How often something was called, and when.
#[derive(Debug, Clone)]
struct CallCount {
    succeeded: u64,
    denied: u64,
    failed: u64,
    regions: BTreeSet<String>,
    first: Moment,
    last: Moment,
    last_region: String,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Succeeded,
    Denied,
    Failed,
}

impl Tally {
    /// An empty tally.
    pub(super) fn new(config: &EstateConfig) -> Self {
        Self {
            config: *config,
            events: 0,
            duplicates: 0,
            rejected_records: 0,
            objects: BTreeMap::new(),
            gzip_bytes: 0,
            by_account: BTreeMap::new(),
            by_day: BTreeMap::new(),
            by_region: BTreeMap::new(),
            by_category: BTreeMap::new(),
            principals: BTreeMap::new(),
            secret_reads: BTreeMap::new(),
            passed_roles: BTreeMap::new(),
            unexpected_region: Vec::new(),
            global_calls: 0,
            cross_account_twins: 0,
            planted: BTreeMap::new(),
            rejects: Vec::new(),
            digest_log_files: 0,
            other_records: BTreeMap::new(),
            late_objects: Vec::new(),
            late_records: 0,
            foreign_day_records: 0,
            corrupt_objects: Vec::new(),
            foreign_region_records: Vec::new(),
        }
    }

    /// Records in readable event objects: each event once, its copies, and the records that are not valid JSON.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.events + self.duplicates + self.rejected_records
    }

    /// All objects, whatever their kind.
    #[must_use]
    pub fn all_objects(&self) -> u64 {
        self.objects.values().sum()
    }

    /// The settings that the estate was made with.
    pub(super) const fn config(&self) -> EstateConfig {
        self.config
    }

    /// Counts an event.
    pub(super) fn count(&mut self, event: &Event) {
        self.events += 1;
        bump(&mut self.by_account, &event.account);
        bump(&mut self.by_region, &event.region);
        *self.by_day.entry(event.time.date()).or_default() += 1;
        *self
            .by_category
            .entry(if event.data { "Data" } else { "Management" })
            .or_default() += 1;
        let outcome = outcome_of(event);
        self.principal_count(event).add(event, outcome);
        self.count_secrets(event, outcome);
        self.count_region(event, outcome);
    }

    /// Counts a further copy of an event.
    pub(super) const fn count_duplicate(&mut self) {
        self.duplicates += 1;
    }

    /// Counts a pair of records that two accounts hold of one call.
    pub(super) const fn count_twin(&mut self) {
        self.cross_account_twins += 1;
    }

    /// Counts a finished event object.
    pub(super) fn count_object(&mut self, object: &FinishedObject) {
        *self.objects.entry("events").or_default() += 1;
        self.gzip_bytes += object.gzip_bytes;
        for index in &object.bad_records {
            self.rejected_records += 1;
            self.rejects.push(json!({
                "key": object.key,
                "record_index": index,
                "why": "raw control character U+0001 in `userAgent`",
            }));
        }
    }

    /// Counts a digest and the log files that it names.
    pub(super) fn count_digest(&mut self, log_files: usize) {
        *self.objects.entry("digest").or_default() += 1;
        self.digest_log_files += u64::try_from(log_files).unwrap_or(0);
    }

    /// Counts an object that holds no events.
    pub(super) fn count_other(&mut self, kind: &'static str, records: u64) {
        *self.objects.entry(kind).or_default() += 1;
        *self.other_records.entry(kind).or_default() += records;
    }

    /// Counts an object that is delivered days after its events.
    pub(super) fn count_late(&mut self, key: &str, records: usize, gzip_bytes: u64) {
        *self.objects.entry("events").or_default() += 1;
        self.gzip_bytes += gzip_bytes;
        self.late_records += records;
        self.late_objects.push(json!({ "key": key, "records": records }));
    }

    /// Counts an object that ends in the middle of its gzip stream, before the first whole record.
    pub(super) fn count_corrupt(&mut self, key: &str, records: usize) {
        *self.objects.entry("corrupt").or_default() += 1;
        self.corrupt_objects
            .push(json!({ "key": key, "records_before_it_was_cut": records, "whole_records_left": 0 }));
    }

    /// Notes that the record just counted is delivered on another day than its own.
    pub(super) const fn note_foreign_day(&mut self) {
        self.foreign_day_records += 1;
    }

    /// Notes a record that lies in the folder of another region.
    pub(super) fn note_foreign_region(&mut self, event: &Event, path_region: &str) {
        let mut note = reference(event);
        if let Value::Object(members) = &mut note {
            members.insert("path_region".to_owned(), path_region.into());
        }
        self.foreign_region_records.push(note);
    }

    /// Lists an event under a planted fact.
    pub(super) fn plant(&mut self, label: &'static str, event: &Event) {
        self.planted.entry(label).or_default().push(reference(event));
    }

    fn principal_count(&mut self, event: &Event) -> &mut CallCount {
        let sources = self.principals.entry(event.principal.clone()).or_default();
        let names = sources.entry(event.source.clone()).or_default();
        names
            .entry(event.name.clone())
            .or_insert_with(|| CallCount::starting(event.time))
    }

    fn count_secrets(&mut self, event: &Event, outcome: Outcome) {
        let operation = || format!("{}:{}", event.source, event.name);
        for secret in &event.secrets {
            let key = (event.principal.clone(), operation(), secret.clone());
            self.secret_reads
                .entry(key)
                .or_insert_with(|| CallCount::starting(event.time))
                .add(event, outcome);
        }
        for role in &event.passed_roles {
            let key = (event.principal.clone(), operation(), role.clone());
            self.passed_roles
                .entry(key)
                .or_insert_with(|| CallCount::starting(event.time))
                .add(event, outcome);
        }
    }

    /// The region that matters is the one that served the call; global services have none.
    fn count_region(&mut self, event: &Event, outcome: Outcome) {
        let logged_globally = event.global && event.region == GLOBAL_REGION;
        if logged_globally {
            self.global_calls += 1;
        }
        let served_in = match &event.serving_region {
            Some(region) => region,
            None if logged_globally => return,
            None => &event.region,
        };
        if WORKLOAD_REGIONS.contains(&served_in.as_str()) {
            return;
        }
        let mut call = reference(event);
        if let Value::Object(members) = &mut call {
            members.insert("aws_region".to_owned(), event.region.clone().into());
            members.insert("served_in".to_owned(), served_in.clone().into());
            members.insert("outcome".to_owned(), outcome.name().into());
        }
        self.unexpected_region.push(call);
    }
}

impl CallCount {
    const fn starting(time: Moment) -> Self {
        Self {
            succeeded: 0,
            denied: 0,
            failed: 0,
            regions: BTreeSet::new(),
            first: time,
            last: time,
            last_region: String::new(),
        }
    }

    fn add(&mut self, event: &Event, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Denied => self.denied += 1,
            Outcome::Failed => self.failed += 1,
        }
        if !self.regions.contains(&event.region) {
            self.regions.insert(event.region.clone());
        }
        self.first = self.first.min(event.time);
        if event.time >= self.last {
            self.last = event.time;
            self.last_region.clone_from(&event.region);
        }
    }
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

fn outcome_of(event: &Event) -> Outcome {
    match event.error.as_ref().map(|(code, _)| code.as_str()) {
        None => Outcome::Succeeded,
        Some("AccessDenied" | "AccessDeniedException" | "Client.UnauthorizedOperation") => Outcome::Denied,
        Some(_) => Outcome::Failed,
    }
}

fn reference(event: &Event) -> Value {
    json!({
        "event_id": event.event_id,
        "event_time": event.time.iso(),
        "account_id": event.account,
        "principal": event.principal,
        "event_source": event.source,
        "event_name": event.name,
    })
}

fn bump(counts: &mut BTreeMap<String, u64>, key: &str) {
    *counts.entry(key.to_owned()).or_default() += 1;
}
