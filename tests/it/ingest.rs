//! Ingest end to end: every record once, whatever the order, the overlap and the interruptions.

use std::path::Path;
use std::path::PathBuf;

use trimtrail::decode::gzip;
use trimtrail::ingest::ObjectState;

use crate::support::ingest::IngestStore;
use crate::support::ingest::options;

/// One record; `id` makes it unique.
pub(crate) fn record(id: usize) -> String {
    let day = 1 + id % 3;
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/role-{role}/session","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE{role}","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/role-{role}"}},"attributes":{{"creationDate":"2026-09-01T00:00:00Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2026-09-0{day}T10:{minute:02}:{second:02}Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli","requestParameters":{{"bucketName":"bucket","key":"key-{id}"}},"responseElements":null,"requestID":"R{id}","eventID":"00000000-0000-0000-0000-{id:012}","readOnly":true,"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"}}"#,
        role = id % 5,
        minute = id / 60 % 60,
        second = id % 60,
    )
}

pub(crate) fn write_object(folder: &Path, name: &str, ids: impl Iterator<Item = usize>) -> PathBuf {
    let records: Vec<String> = ids.map(record).collect();
    let path = folder.join(name);
    std::fs::write(
        &path,
        gzip::compress(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes()),
    )
    .unwrap();
    path
}

/// All rows without provenance, in one order.
pub(crate) fn rows(store: &IngestStore) -> Vec<String> {
    let rows = store.sql("select record from event_records");
    let mut rows: Vec<String> = rows
        .iter()
        .map(|row| row["record"].as_str().unwrap().to_owned())
        .collect();
    rows.sort();
    rows
}

#[test]
fn second_run_over_the_same_input_stores_nothing() {
    let input = tempfile::tempdir().unwrap();
    write_object(input.path(), "a.json.gz", 0..100);
    write_object(input.path(), "b.json.gz", 100..200);
    let store = IngestStore::new();
    let first = store.ingest(&[input.path()]);
    assert_eq!((first.stored, first.duplicates, first.known), (200, 0, 0));
    let second = store.ingest(&[input.path()]);
    assert_eq!((second.stored, second.records, second.known), (0, 0, 2));
    assert_eq!(store.count("select count(*) from events"), 200);
    assert_eq!(store.count("select sum(stored) from objects"), 200);
}

#[test]
fn events_delivered_twice_are_stored_once_within_and_across_runs() {
    let input = tempfile::tempdir().unwrap();
    write_object(input.path(), "a.json.gz", 0..60);
    write_object(input.path(), "b.json.gz", 30..90);
    let store = IngestStore::new();
    let balance = store.ingest(&[input.path()]);
    assert_eq!((balance.stored, balance.duplicates), (90, 30));
    write_object(input.path(), "c.json.gz", 80..120);
    let balance = store.ingest(&[input.path()]);
    assert_eq!((balance.stored, balance.duplicates, balance.known), (30, 10, 2));
    assert_eq!(store.count("select count(distinct event_id) from events"), 120);
    assert_eq!(
        store.count("select sum(records - stored - duplicates - rejected) from objects"),
        0
    );
}

#[test]
fn changed_object_is_read_again_and_only_its_new_events_are_stored() {
    let input = tempfile::tempdir().unwrap();
    write_object(input.path(), "growing.json.gz", 0..10);
    let store = IngestStore::new();
    store.ingest(&[input.path()]);
    write_object(input.path(), "growing.json.gz", 0..25);
    let balance = store.ingest(&[input.path()]);
    assert_eq!((balance.stored, balance.duplicates, balance.known), (15, 10, 0));
}

#[test]
fn shuffled_and_overlapping_sources_give_the_rows_of_one_clean_run() {
    let input = tempfile::tempdir().unwrap();
    let objects: Vec<PathBuf> = (0..8)
        .map(|index| write_object(input.path(), &format!("{index}.json.gz"), index * 20..index * 20 + 35))
        .collect();
    let clean = IngestStore::new();
    clean.ingest(&[input.path()]);
    let mixed = IngestStore::new();
    for order in [[5, 2, 7], [0, 5, 1], [6, 4, 3], [7, 0, 2]] {
        mixed.ingest(&order.map(|index: usize| objects[index].as_path()));
    }
    assert_eq!(rows(&mixed), rows(&clean));
}

#[test]
fn rows_that_do_not_fit_the_buffer_are_spilled_and_counted_once() {
    let input = tempfile::tempdir().unwrap();
    write_object(input.path(), "large.json.gz", 0..30_000);
    write_object(input.path(), "overlap.json.gz", 29_000..31_000);
    let store = IngestStore::new();
    let small = trimtrail::ingest::Options {
        memory_bytes: 1 << 20,
        ..options()
    };
    let balance = store.ingest_with(&[input.path()], &small).unwrap();
    assert_eq!((balance.stored, balance.duplicates), (31_000, 1_000));
    assert_eq!(store.count("select count(*) from events"), 31_000);
    assert_eq!(store.count("select sum(duplicates) from objects"), 1_000);
}

#[test]
fn one_bad_object_and_one_bad_record_lose_nothing_else() {
    let input = tempfile::tempdir().unwrap();
    write_object(input.path(), "good.json.gz", 0..10);
    let bad_record = record(11).replace("aws-cli", "aws\u{1}cli");
    std::fs::write(
        input.path().join("bad-record.json"),
        format!("[{},{bad_record}]", record(10)),
    )
    .unwrap();
    let whole = std::fs::read(write_object(input.path(), "cut.json.gz", 20..400)).unwrap();
    std::fs::write(input.path().join("cut.json.gz"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(input.path().join("corrupt.json.gz"), b"\x1f\x8b\x08nonsense").unwrap();
    std::fs::write(input.path().join("notes.txt"), "nothing of ours").unwrap();
    let store = IngestStore::new();
    let balance = store.ingest(&[input.path()]);
    assert_eq!(
        (balance.listed, balance.ingested(), balance.rejected, balance.foreign),
        (5, 3, 2, 1)
    );
    assert_eq!((balance.partial, balance.rejected_records), (2, 2));
    assert!(!balance.is_complete());
    let states = store.sql("select regexp_replace(object_key, '.*/', '') as name, state from objects order by 1");
    let states: Vec<String> = states
        .iter()
        .map(|row| format!("{}:{}", row["name"], row["state"]).replace('"', ""))
        .collect();
    let wanted = [
        "bad-record.json:partial",
        "corrupt.json.gz:corrupt",
        "cut.json.gz:partial",
        "good.json.gz:ingested",
        "notes.txt:unknown",
    ];
    assert_eq!(states, wanted);
    assert_eq!(
        store.count("select count(*) from rejects where reason like '%control character%'"),
        1
    );
    assert!(
        balance
            .problems
            .iter()
            .any(|problem| problem.state == ObjectState::Corrupt && problem.object_key.ends_with("corrupt.json.gz"))
    );
}

#[test]
fn writers_at_once_store_every_event_once() {
    let input = tempfile::tempdir().unwrap();
    for index in 0..12 {
        write_object(input.path(), &format!("{index}.json.gz"), index * 50..index * 50 + 70);
    }
    let store = IngestStore::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| store.ingest(&[input.path()]));
        }
    });
    assert_eq!(store.count("select count(*) from events"), 620);
    assert_eq!(store.count("select count(distinct event_id) from events"), 620);
    assert_eq!(store.count("select sum(stored) from objects"), 620);
    assert_eq!(store.count("select count(*) from objects"), 12);
}

#[test]
fn every_event_renders_back_to_its_source() {
    let input = tempfile::tempdir().unwrap();
    write_object(input.path(), "a.json.gz", 0..50);
    let store = IngestStore::new();
    store.ingest(&[input.path()]);
    let mut wanted: Vec<serde_json::Value> = (0..50).map(|id| serde_json::from_str(&record(id)).unwrap()).collect();
    let mut found: Vec<serde_json::Value> = rows(&store)
        .iter()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    wanted.sort_by_key(|record| record["eventID"].to_string());
    found.sort_by_key(|record| record["eventID"].to_string());
    assert_eq!(found, wanted);
}
