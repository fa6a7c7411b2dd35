//! The library's answers on the sample logs against the answers that their generator wrote down.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use trimtrail::query::Library;
use trimtrail::query::ParamText;
use trimtrail::query::QuerySession;
use trimtrail::query::SessionOptions;

use crate::support::ingest::IngestStore;
use crate::support::ingest::NOW;
use crate::support::text;

struct Sample {
    ingested: IngestStore,
    expected: Value,
}

impl Sample {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs");
        let ingested = IngestStore::new();
        ingested.ingest(&[&folder.join("AWSLogs")]);
        let expected = serde_json::from_str(&fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
        Self { ingested, expected }
    }

    /// Rows of a question, by column name.
    fn answer(&self, id: &str, params: &[(&str, &str)]) -> Vec<BTreeMap<String, String>> {
        let store = self.ingested.store();
        let session = QuerySession::new(Some(&store), &SessionOptions::new(2, NOW), None).unwrap();
        let library = Library::embedded().unwrap();
        let question = library.get(id).unwrap();
        let values: Vec<(String, ParamText)> = params
            .iter()
            .map(|(name, text)| ((*name).to_owned(), ParamText::from(*text)))
            .collect();
        let rows = self.ingested.runtime.block_on(async {
            let result = session.ask(question, &values).await.unwrap();
            text::cells(result).await.unwrap()
        });
        let names = || question.columns.iter().map(|column| column.name.clone());
        rows.into_iter().map(|row| names().zip(row).collect()).collect()
    }

    fn planted(&self, what: &str) -> BTreeSet<String> {
        let events = self.expected["planted"][what].as_array().unwrap();
        events
            .iter()
            .map(|event| event["event_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn event_ids(rows: &[BTreeMap<String, String>]) -> BTreeSet<String> {
    rows.iter().map(|row| row["event_id"].clone()).collect()
}

fn sum(rows: &[BTreeMap<String, String>], column: &str) -> i64 {
    rows.iter().map(|row| row[column].parse::<i64>().unwrap()).sum()
}

#[test]
fn used_actions_are_those_of_every_principal() {
    let sample = Sample::new();
    let mut expected = BTreeSet::new();
    for (principal, actions) in sample.expected["principals"].as_object().unwrap() {
        // Services call by themselves, and people without a role only appear in events that a service made.
        if !principal.starts_with("arn:") {
            continue;
        }
        for action in actions.as_array().unwrap() {
            let texts = ["event_source", "event_name", "first", "last"].map(|key| action[key].as_str().unwrap());
            let counts = ["succeeded", "denied", "failed"].map(|key| action[key].as_i64().unwrap());
            expected.insert(format!("{principal} {texts:?} {counts:?}"));
        }
    }
    let rows = sample.answer("used-actions", &[]);
    let own = rows
        .iter()
        .filter(|row| row["proof"] != "passed role" && !row["proof"].starts_with("parameter"));
    let found: BTreeSet<String> = own
        .map(|row| {
            let texts = ["event_source", "event_name", "first_seen", "last_seen"].map(|key| row[key].as_str());
            let counts = ["succeeded", "denied", "failed"].map(|key| row[key].parse::<i64>().unwrap());
            format!("{} {texts:?} {counts:?}", row["principal_arn"])
        })
        .collect();
    assert_eq!(found.difference(&expected).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(expected.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn unexpected_regions_are_the_planted_calls() {
    let sample = Sample::new();
    let listed = sample.expected["unexpected_region"]["expected_regions"]
        .as_array()
        .unwrap();
    let allowed: Vec<&str> = listed.iter().map(|region| region.as_str().unwrap()).collect();
    let rows = sample.answer("unexpected-regions", &[("allowed", &allowed.join(","))]);
    let calls = sample.expected["unexpected_region"]["calls"].as_array().unwrap();
    assert_eq!(sum(&rows, "calls"), i64::try_from(calls.len()).unwrap());
    let learned = sample.answer("unexpected-regions", &[("since", "2026-09-05")]);
    let (unknown, unexpected): (Vec<_>, Vec<_>) = learned.into_iter().partition(|row| row["reason"] == "no baseline");
    let regions: BTreeSet<&str> = unexpected.iter().map(|row| row["serving_region"].as_str()).collect();
    assert_eq!(
        regions,
        BTreeSet::from(["ap-southeast-1", "us-east-1"]),
        "{unexpected:#?}"
    );
    // The management account calls no regional service before its break-glass user does.
    let accounts: BTreeSet<&str> = unknown.iter().map(|row| row["recipient_account_id"].as_str()).collect();
    assert_eq!(accounts, BTreeSet::from(["123456789012"]), "{unknown:#?}");
}

#[test]
fn root_use_is_exactly_the_planted_use() {
    let sample = Sample::new();
    let found = event_ids(&sample.answer("root-use", &[]));
    assert_eq!(found, sample.planted("root_use"));
}

#[test]
fn console_logins_find_the_planted_ones() {
    let sample = Sample::new();
    let rows = sample.answer("console-logins", &[]);
    let (failed, granted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row["outcome"] == "Failure");
    assert_eq!(event_ids(&failed), sample.planted("failed_console_login"));
    let without_mfa: Vec<_> = granted
        .into_iter()
        .filter(|row| row["mfa_expected"] == "true" && row["mfa_used"] == "false")
        .collect();
    assert_eq!(event_ids(&without_mfa), sample.planted("console_login_without_mfa"));
}

#[test]
fn secret_reads_balance_with_the_expected_ones() {
    let sample = Sample::new();
    let rows = sample.answer("secret-reads", &[]);
    let outcomes = |outcome: &str| rows.iter().filter(|row| row["outcome"] == outcome).count();
    let expected = sample.expected["secret_reads"].as_array().unwrap();
    let denied: i64 = expected.iter().map(|read| read["denied"].as_i64().unwrap()).sum();
    assert_eq!(i64::try_from(outcomes("denied")).unwrap(), denied);
    assert_eq!(outcomes("failed"), 0);
    for row in rows.iter().filter(|row| row["outcome"] == "denied") {
        assert_eq!(row["secret"], "prod/payments/stripe-key");
    }
    let by_people: BTreeSet<String> = rows
        .iter()
        .filter(|row| row["outcome"] == "read" && row["session_name"].contains('@'))
        .map(|row| row["event_id"].clone())
        .collect();
    let break_glass = sample.planted("break_glass");
    for read in sample.planted("secret_read_by_person") {
        assert!(by_people.contains(&read) || break_glass.contains(&read), "{read}");
    }
}

#[test]
fn the_store_balances_and_keys_are_old() {
    let sample = Sample::new();
    let balance = sample.answer("ingest-balance", &[]);
    assert!(balance.iter().all(|row| row["unaccounted"] == "0"), "{balance:?}");
    let total = balance.last().unwrap();
    assert_eq!(total["stored"], total["event_rows"]);
    let keys: BTreeSet<String> = sample
        .answer("key-age", &[])
        .iter()
        .map(|row| row["access_key_id"].clone())
        .collect();
    for used in ["AKIAEXAMPLEBACKUP001", "AKIAEXAMPLEJENKINS01"] {
        assert!(keys.contains(used), "{keys:?}");
    }
}
