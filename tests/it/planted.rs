//! Every planted fact of `sample-logs/` is found again, by SQL and by the questions of the library.
//!
//! `sample-logs/expected.json` holds the answers. Its generator counted them while it wrote the records, so they do not
//! depend on anything that reads logs.

mod diff;
mod gate;
mod granted;
mod guardrail;
mod iam_actions;
mod ledger;
mod people;
mod policy;
mod replay;
mod review;
mod trust;
mod use_of_roles;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;

use serde_json::Value;
use trimtrail::ingest::Balance;

use crate::support::ingest::IngestStore;
use crate::support::json::text;
use crate::support::json::texts;
use crate::support::process;
use crate::support::process::Ended;

/// What is API use: Insight and network activity records are none.
const API_CALLS: &str = "(event_category is null or event_category in ('Management', 'Data'))";

/// `sample-logs/` in a store, with the account of the run that stored it and the expected answers.
struct Sample {
    store: IngestStore,
    balance: Balance,
    expected: Value,
}

/// The store is shared between the tests that run at the same time and deleted with the last of them.
fn sample() -> Arc<Sample> {
    static SHARED: Mutex<Weak<Sample>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sample) = shared.upgrade() {
        return sample;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-logs");
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let store = IngestStore::new();
    store.import(&[&folder.join("iam")]);
    let sample = Arc::new(Sample {
        balance: store.ingest(&[&folder.join("AWSLogs")]),
        store,
        expected: serde_json::from_slice(&expected).unwrap(),
    });
    *shared = Arc::downgrade(&sample);
    sample
}

impl Sample {
    /// The ids of a planted fact, sorted.
    fn planted(&self, fact: &str) -> Vec<String> {
        let mut ids = texts(&self.expected["planted"][fact], "event_id");
        assert!(!ids.is_empty(), "`{fact}` is not planted");
        ids.sort();
        ids
    }

    /// The ids of the events of API use for which a condition holds, sorted.
    fn events_where(&self, condition: &str) -> Vec<String> {
        let statement = format!("select event_id from events where {API_CALLS} and ({condition}) order by event_id");
        self.store
            .sql(&statement)
            .iter()
            .map(|row| text(row, "event_id"))
            .collect()
    }

    /// Runs the program on the store.
    fn run(&self, arguments: &[&str]) -> Ended {
        process::run(&self.store.folder.path().join("store"), arguments)
    }

    /// Runs a command for a window as short as that of the logs.
    fn run_for_two_weeks(&self, command: &str, arguments: &[&str]) -> Ended {
        self.run(&[&[command, "--min-window", "14d"], arguments].concat())
    }

    /// Runs a command in wrong ways, and looks for what is said about each.
    fn assert_wrong_usage(&self, command: &str, cases: &[(&[&str], &str)]) {
        for (arguments, message) in cases {
            let ended = self.run(&[&[command], *arguments].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{}", ended.stderr);
            assert!(ended.stderr.contains(message), "{}", ended.stderr);
        }
    }

    /// The rows of `diff --detail`.
    fn permissions(&self, arguments: &[&str]) -> Vec<Value> {
        let ended = self.run_for_two_weeks("diff", &[&["--detail", "--output", "ndjson"], arguments].concat());
        let lines = ended.stdout.lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Numbers by name: the two columns of a statement.
    fn counts(&self, statement: &str) -> BTreeMap<String, i64> {
        let rows = self.store.sql(statement);
        rows.iter()
            .map(|row| (text(row, "name"), row["number"].as_i64().unwrap()))
            .collect()
    }
}

fn numbers(object: &Value) -> BTreeMap<String, i64> {
    let object = object.as_object().unwrap();
    object
        .iter()
        .map(|(name, number)| (name.clone(), number.as_i64().unwrap()))
        .collect()
}

#[test]
fn every_planted_event_is_stored_as_it_was_made() {
    let sample = sample();
    let rows = sample
        .store
        .sql("select event_id, event_time, recipient_account_id, principal_arn, event_source, event_name from events");
    let stored: BTreeMap<String, &Value> = rows.iter().map(|row| (text(row, "event_id"), row)).collect();
    assert_eq!(stored.len(), rows.len(), "an event is stored twice");
    for (fact, events) in sample.expected["planted"].as_object().unwrap() {
        for event in events.as_array().unwrap() {
            let row = stored[&text(event, "event_id")];
            let names = ["event_time", "event_source", "event_name"];
            for (column, field) in names
                .map(|name| (name, name))
                .into_iter()
                .chain([("recipient_account_id", "account_id"), ("principal_arn", "principal")])
            {
                assert_eq!(text(row, column), text(event, field), "{fact}: {column} of {event}");
            }
        }
    }
}

#[test]
fn totals_by_account_day_region_and_category_are_right() {
    let sample = sample();
    let by = |column: &str| {
        let statement = format!(
            "select cast({column} as varchar) as name, count(*) as number from events where {API_CALLS} group by 1"
        );
        sample.counts(&statement)
    };
    let accounts: BTreeMap<String, i64> = sample.expected["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| (text(account, "account_id"), account["events"].as_i64().unwrap()))
        .collect();
    assert_eq!(by("recipient_account_id"), accounts);
    assert_eq!(by("event_date"), numbers(&sample.expected["days"]));
    assert_eq!(by("aws_region"), numbers(&sample.expected["regions"]));
    assert_eq!(by("event_category"), numbers(&sample.expected["categories"]));
    let data_events = "select recipient_account_id as name, count(*) as number from events \
                       where event_source = 's3.amazonaws.com' and event_category = 'Data' group by 1";
    assert_eq!(
        sample.counts(data_events).keys().collect::<Vec<_>>(),
        sample.expected["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|account| account["s3_data_events_recorded"] == true)
            .map(|account| account["account_id"].as_str().unwrap())
            .collect::<Vec<_>>()
    );
}

#[test]
fn calls_that_two_accounts_recorded_are_kept_twice() {
    let twins = format!(
        "select count(*) from (select shared_event_id from events where {API_CALLS} and shared_event_id is not null \
         group by shared_event_id having count(distinct recipient_account_id) = 2 and count(distinct event_id) = 2)"
    );
    let sample = sample();
    assert_eq!(
        sample.store.count(&twins),
        sample.expected["cross_account_twins"].as_i64().unwrap()
    );
}

#[test]
fn every_event_renders_back_to_its_record() {
    let sample = sample();
    let rows = sample.store.sql("select event_id, record from event_records");
    let rendered: BTreeMap<String, Value> = rows
        .iter()
        .map(|row| {
            (
                text(row, "event_id"),
                serde_json::from_str(row["record"].as_str().unwrap()).unwrap(),
            )
        })
        .collect();
    let mut compared = 0_i64;
    for record in ledger::records_of_log_files() {
        assert_eq!(rendered[&text(&record, "eventID")], record);
        compared += 1;
    }
    let in_damaged_objects = sample
        .store
        .count("select sum(records) from objects where state in ('partial', 'corrupt')");
    assert_eq!(
        compared + in_damaged_objects,
        i64::try_from(sample.balance.records).unwrap()
    );
}
