//! Objects, records and what could not be stored.

use std::collections::BTreeMap;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use flate2::bufread::GzDecoder;
use serde_json::Value;
use walkdir::WalkDir;

use super::numbers;
use super::sample;
use crate::support::json::number;
use crate::support::json::text;
use crate::support::json::texts;

#[test]
fn the_account_of_the_run_and_the_ledger_balance() {
    let sample = sample();
    let records = &sample.expected["records"];
    let others = &sample.expected["other_records"];
    let insights_and_network = number(others, "insight") + number(others, "network-activity");
    let cut_records = 1;
    let balance = &sample.balance;
    let counted = |count: u64| i64::try_from(count).unwrap();
    assert_eq!(
        counted(balance.stored),
        number(records, "events") + insights_and_network
    );
    assert_eq!(counted(balance.duplicates), number(records, "duplicates"));
    assert_eq!(
        counted(balance.rejected_records),
        number(records, "rejected") + cut_records
    );
    assert_eq!(
        counted(balance.records),
        number(records, "in_event_objects") + insights_and_network + cut_records
    );
    assert!(!balance.is_complete());
    let rows = sample.store.ask("ingest-balance", &[]);
    let total = rows.last().unwrap();
    assert_eq!(number(total, "unaccounted"), 0);
    assert_eq!(number(total, "stored"), number(total, "event_rows"));
    for (name, count) in [
        ("objects", balance.listed),
        ("records", balance.records),
        ("stored", balance.stored),
        ("duplicates", balance.duplicates),
        ("rejected", balance.rejected_records),
    ] {
        assert_eq!(number(total, name), counted(count), "{name}");
    }
}

#[test]
fn objects_are_told_apart_by_what_they_hold() {
    let sample = sample();
    let objects = "select case state when 'corrupt' then state else kind end as name, count(*) as number from objects \
                   group by 1";
    assert_eq!(sample.counts(objects), numbers(&sample.expected["objects"]));
    let states = "select kind || ' ' || state as name, count(*) as number from objects group by 1";
    let wanted = [
        ("aggregated not-events", 1),
        ("digest not-events", 24),
        ("events ingested", 334),
        ("events partial", 1),
        ("insight ingested", 1),
        ("network-activity ingested", 2),
        ("unknown corrupt", 1),
    ];
    assert_eq!(
        sample.counts(states),
        wanted.map(|(name, count)| (name.to_owned(), count)).into()
    );
    let others = "select event_category as name, count(*) as number from events \
                  where event_category not in ('Management', 'Data') group by 1";
    let expected = &sample.expected["other_records"];
    assert_eq!(
        sample.counts(others),
        BTreeMap::from([
            ("Insight".to_owned(), number(expected, "insight")),
            ("NetworkActivity".to_owned(), number(expected, "network-activity")),
        ])
    );
}

#[test]
fn the_bad_record_is_kept_with_its_place_and_its_neighbours_are_stored() {
    let sample = sample();
    let planted = &sample.expected["rejects"][0];
    let rows = sample.store.sql(
        "select object_key, record_index, byte_offset, byte_length, reason, encode(raw, 'hex') as raw from rejects \
         where reason not like '%ends inside%'",
    );
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(text(&rows[0], "object_key").ends_with(&text(planted, "key")));
    assert_eq!(rows[0]["record_index"], planted["record_index"]);
    assert!(text(&rows[0], "reason").contains("control character"), "{}", rows[0]);
    let content = inflated(&log_folder().join(text(planted, "key"))).unwrap();
    let start = usize::try_from(number(&rows[0], "byte_offset")).unwrap();
    let end = start + usize::try_from(number(&rows[0], "byte_length")).unwrap();
    let raw: String = content[start..end].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text(&rows[0], "raw"), raw);
    assert!(content[start..end].starts_with(b"{") && content[start..end].ends_with(b"}"));
    assert!(content[start..end].contains(&1));
}

#[test]
fn the_cut_object_is_corrupt_and_says_why() {
    let sample = sample();
    let planted = &sample.expected["corrupt_objects"][0];
    let rows = sample
        .store
        .sql("select object_key, stored, error from objects where state = 'corrupt'");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(text(&rows[0], "object_key").ends_with(&text(planted, "key")));
    assert_eq!(rows[0]["stored"], planted["whole_records_left"]);
    assert!(text(&rows[0], "error").contains("gzip stream ends"), "{}", rows[0]);
}

#[test]
fn late_events_and_those_in_foreign_folders_keep_their_own_day_and_region() {
    let sample = sample();
    let foreign = |condition: &str| {
        format!(
            "select e.event_id from events e inner join objects o on e.object_key = o.object_key \
             where e.event_category in ('Management', 'Data') and {condition} order by 1"
        )
    };
    let other_day = sample.store.sql(&foreign("e.event_date <> o.delivery_date"));
    assert_eq!(
        other_day.len() as i64,
        number(&sample.expected, "events_in_another_days_folder")
    );
    let mut wanted = texts(&sample.expected["events_in_another_regions_folder"], "event_id");
    wanted.sort();
    let other_region = sample
        .store
        .sql(&foreign("e.aws_region <> o.region and o.region = 'eu-west-1'"));
    assert_eq!(texts(&Value::from(other_region), "event_id"), wanted);
    let late = &sample.expected["late_objects"][0];
    let rows = sample
        .store
        .sql(&foreign("o.delivery_date >= e.event_date + interval '5 days'"));
    assert_eq!(rows.len() as i64, number(late, "records"));
    let objects = sample.store.sql(
        "select object_key, stored from objects where delivery_date >= cast(last_event_time as date) + interval '5 days'",
    );
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert!(text(&objects[0], "object_key").ends_with(&text(late, "key")));
}

/// The records of every log file that holds events, network activity or insights and is valid.
pub(super) fn records_of_log_files() -> Vec<Value> {
    let mut records = Vec::new();
    for entry in WalkDir::new(log_folder()).sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path().to_str().unwrap();
        let holds_records = ["/CloudTrail/", "/CloudTrail-Insight/", "/CloudTrail-NetworkActivity/"]
            .iter()
            .any(|kind| path.contains(kind));
        if !(entry.file_type().is_file() && holds_records) {
            continue;
        }
        let Ok(content) = inflated(entry.path()) else {
            continue;
        };
        let Ok(document) = serde_json::from_slice::<Value>(&content) else {
            continue;
        };
        records.extend(document["Records"].as_array().unwrap().iter().cloned());
    }
    records
}

fn log_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-logs")
}

fn inflated(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    let mut content = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut content)?;
    Ok(content)
}
