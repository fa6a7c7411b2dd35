//! `ingest` from a bucket: the same rows as from a folder, few requests, and no object lost whatever the service does.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::ArrayRef;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use parquet::arrow::ArrowWriter;
use serde_json::Value;
use serde_json::json;

use crate::ingest::record;
use crate::support::bucket::Asked;
use crate::support::bucket::BUCKET;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Trouble;
use crate::support::json::text;
use crate::support::permissions::Permissions;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

pub(crate) const SOURCE: &str = "s3://central-logs/";

fn sample() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/AWSLogs")
}

/// A key as CloudTrail writes them.
pub(crate) fn key(account: &str, region: &str, day: u8, name: &str) -> String {
    format!(
        "AWSLogs/{account}/CloudTrail/{region}/2026/09/{day:02}/{account}_CloudTrail_{region}_202609{day:02}T0105Z_{name}.json.gz"
    )
}

pub(crate) fn log(ids: impl Iterator<Item = usize>) -> String {
    let records: Vec<String> = ids.map(record).collect();
    format!("{{\"Records\":[{}]}}", records.join(","))
}

/// One object a day of one account and region, with one record each.
pub(crate) fn days(bucket: &FakeBucket, days: std::ops::RangeInclusive<u8>) {
    for day in days {
        bucket.put(
            &key("111122223333", "eu-west-1", day, "a"),
            log(std::iter::once(usize::from(day))),
            &[],
        );
    }
}

fn fingerprint(place: &Place) -> Value {
    let rows = place.sql(
        "select count(*) as number, encode(sha256(string_agg(record, '\n' order by record)), 'hex') as digest \
         from event_records",
    );
    rows[0].clone()
}

pub(crate) fn count(place: &Place) -> usize {
    usize::try_from(place.sql("select count(*) as n from events")[0]["n"].as_i64().unwrap()).unwrap()
}

pub(crate) fn of<'a>(asked: &'a [Asked], verb: &str) -> Vec<&'a Asked> {
    asked.iter().filter(|asked| asked.verb == verb).collect()
}

/// Nothing but what the least policy allows.
fn assert_only_reads(asked: &[Asked]) {
    let others: Vec<_> = asked
        .iter()
        .filter(|asked| !["LIST", "GET", "HEAD"].contains(&asked.verb.as_str()))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// State and reason of every object that was not ingested.
pub(crate) fn problems(place: &Place) -> Vec<(String, String)> {
    let rows = place.sql("select state, error from objects where state <> 'ingested' order by object_key, ingested_at");
    rows.iter()
        .map(|row| (text(row, "state"), text(row, "error")))
        .collect()
}

pub(crate) fn assert_ended(ended: &Ended, code: i32, first_line: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.stdout.starts_with(first_line), "{ended:?}");
}

#[test]
fn bucket_gives_the_same_rows_as_the_folder_and_the_second_run_lists_only_the_last_days() {
    let folder = Place::new();
    let from_folder = process::run(&folder.store(), &["ingest", sample().to_str().unwrap()]);
    let bucket = FakeBucket::new();
    bucket.put_folder(&sample(), "AWSLogs/");
    // A page for every few keys, so that every list has several.
    bucket.script(|script| script.page_size = 7);
    let place = Place::new();
    let first = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_eq!(fingerprint(&place), fingerprint(&folder));
    let account = |ended: &Ended| ended.stdout.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(account(&first), account(&from_folder));
    assert_eq!(first.code, from_folder.code, "{first:?}");
    let asked = bucket.asked();
    assert_only_reads(&asked);
    let read: BTreeSet<&str> = of(&asked, "GET").iter().map(|asked| asked.key.as_str()).collect();
    assert_eq!(read.len(), of(&asked, "GET").len(), "an object was read twice");

    bucket.script(|script| script.page_size = 1_000);
    let second = bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
    assert!(second.stdout.contains("\nrecords  0 read"), "{second:?}");
    let asked = bucket.asked();
    assert_eq!((of(&asked, "GET").len(), of(&asked, "HEAD").len()), (0, 0));
    let last_days = place.sql(
        "select regexp_replace(object_key, '^s3://[^/]+/(.*)/[0-9]{4}/[0-9]{2}/[0-9]{2}/[^/]*$', '$1/') as folder, \
         cast(max(delivery_date) as varchar) as day from objects group by 1 order by 1",
    );
    let wanted: BTreeSet<(String, Option<String>)> = last_days
        .iter()
        .map(|row| {
            let folder = text(row, "folder");
            let after = format!("{folder}{}", text(row, "day").replace('-', "/"));
            (folder, Some(after))
        })
        .collect();
    let listed: BTreeSet<(String, Option<String>)> = of(&asked, "LIST")
        .iter()
        .filter(|asked| asked.start_after.is_some())
        .map(|asked| (asked.key.clone(), asked.start_after.clone()))
        .collect();
    assert_eq!(listed, wanted);
    assert_eq!(fingerprint(&place), fingerprint(&folder));
}

#[test]
fn late_delivery_within_the_look_back_is_found_and_new_days_are_listed_without_the_old_ones() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=20);
    let place = Place::new();
    assert_ended(
        &bucket.ingest(&place.store(), SOURCE, &[]),
        0,
        "objects  20 listed = 20 ingested",
    );
    days(&bucket, 21..=22);
    bucket.put(&key("111122223333", "eu-west-1", 15, "late"), log(100..101), &[]);
    bucket.put(&key("111122223333", "eu-west-1", 2, "later"), log(101..102), &[]);
    let second = bucket.ingest(&place.store(), SOURCE, &["--look-back", "5"]);
    // From day 15 to 22, with one more on day 15.
    assert_ended(&second, 0, "objects  9 listed = 3 ingested + 6 known");
    let third = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&third, 0, "objects  24 listed = 1 ingested + 23 known");
    assert_eq!(count(&place), 24);
}

#[test]
fn window_lists_only_its_days_and_a_later_run_without_it_misses_nothing() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=20);
    bucket.put(&key("444455556666", "eu-west-1", 9, "b"), log(200..201), &[]);
    bucket.put(
        "AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/09/09/x.log.gz",
        "x",
        &[],
    );
    let place = Place::new();
    let window = [
        "--from",
        "2026-09-08",
        "--to",
        "2026-09-10",
        "--account",
        "111122223333",
    ];
    let ended = bucket.ingest(&place.store(), SOURCE, &window);
    assert_ended(&ended, 0, "objects  4 listed = 4 ingested");
    assert!(
        ended.stderr.contains("passed over") && ended.stderr.contains("vpcflowlogs"),
        "{ended:?}"
    );
    let asked = bucket.asked();
    assert!(
        !asked.iter().any(|asked| asked.key.contains("444455556666")),
        "{asked:?}"
    );
    let all = bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
    assert_ended(&all, 0, "objects  21 listed = 17 ingested + 4 known");
}

#[test]
fn prefixes_of_every_level_and_other_layouts_are_listed() {
    let bucket = FakeBucket::new();
    let deep = "trails/main/AWSLogs/o-abc123/111122223333/CloudTrail/eu-west-1/2026/09/01/111122223333_CloudTrail_eu-west-1_20260901T0105Z_a.json";
    bucket.put(deep, log(0..1), &[]);
    bucket.put("flat/copy.json", log(1..2), &[]);
    let level = |end: &str| {
        deep.find(end)
            .map(|at| format!("{SOURCE}{}", deep.get(..at + end.len()).unwrap()))
            .unwrap()
    };
    for source in [
        SOURCE.to_owned(),
        level("trails/"),
        level("AWSLogs/").trim_end_matches('/').to_owned(),
        level("o-abc123/"),
        level("111122223333/"),
        level("CloudTrail/"),
        level("eu-west-1/"),
        level("2026/"),
        level("01/"),
        level("_a.json"),
        format!("{SOURCE}flat"),
    ] {
        let place = Place::new();
        assert_ended(
            &bucket.ingest(&place.store(), &source, &[]),
            0,
            "objects  1 listed = 1 ingested",
        );
    }
    let place = Place::new();
    let nothing = bucket.ingest(&place.store(), &format!("{SOURCE}nothing/"), &[]);
    assert_ended(&nothing, 4, "objects  0 listed");
    assert!(nothing.stderr.contains("there are no objects below it"), "{nothing:?}");
}

#[test]
fn folder_behind_a_thousand_others_is_searched_for_logs_too() {
    let bucket = FakeBucket::new();
    for number in 1..=1_001 {
        bucket.put(&format!("acct-{number:04}/notes.txt"), "x", &[]);
    }
    for account in ["acct-0001", "acct-1001"] {
        bucket.put(
            &format!("{account}/{}", key("111122223333", "eu-west-1", 1, account)),
            log(0..1),
            &[],
        );
    }
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 0, "objects  2 listed = 2 ingested");
}

#[test]
fn region_that_may_not_be_listed_is_told_and_the_others_are_read() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    bucket.put(&key("111122223333", "us-east-1", 1, "a"), log(10..11), &[]);
    let account = "AWSLogs/111122223333/";
    let prefixes = [
        "",
        "AWSLogs/",
        account,
        &format!("{account}CloudTrail/"),
        &format!("{account}CloudTrail/us-east-1/*"),
    ];
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}"),
            "Condition": {"StringLike": {"s3:prefix": prefixes}},
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*")},
    ]});
    bucket.script(|script| script.permissions = Some(Permissions::parse(&policy)));
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 4, "objects  1 listed = 1 ingested");
    assert!(
        ended.stderr.contains("eu-west-1/`") && ended.stderr.contains("s3:ListBucket"),
        "{ended:?}"
    );
}

#[test]
fn storm_of_503_loses_nothing() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=28);
    bucket.script(|script| {
        script.busy_percent = 30;
        script.page_size = 5;
    });
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 0, "objects  28 listed = 28 ingested");
    assert_eq!(count(&place), 28);
    assert!(!ended.stdout.contains("; 0 of them repeated"), "{ended:?}");
}

#[test]
fn object_that_cannot_be_had_is_named_with_its_reason_and_tried_again() {
    for (trouble, reason) in [
        (Trouble::Denied, "allow `s3:GetObject`"),
        (Trouble::KeyDenied, "allow `kms:Decrypt`"),
        (Trouble::Archived, "restore-object"),
        (Trouble::Short, "bytes, and"),
        (Trouble::Cut, "breaks off"),
    ] {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=3);
        let bad = key("111122223333", "eu-west-1", 1, "a");
        bucket.script(|script| {
            script.faults.insert(bad.clone(), (trouble, usize::MAX));
        });
        let place = Place::new();
        let ended = bucket.ingest(&place.store(), SOURCE, &[]);
        assert_ended(&ended, 4, "objects  3 listed = 2 ingested + 0 known + 1 rejected");
        assert!(ended.stderr.contains(reason), "{trouble:?}: {ended:?}");
        assert!(problems(&place)[0].0 == "unreadable" && problems(&place)[0].1.contains(reason));
        // Its day is not listed any more, and yet it is read.
        bucket.script(|script| script.faults.clear());
        let second = bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
        assert_ended(&second, 0, "objects  2 listed = 1 ingested + 1 known");
        assert_eq!(count(&place), 3);
        let third = bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
        assert_ended(&third, 0, "objects  1 listed = 0 ingested + 1 known");
    }
}

#[test]
fn folder_that_a_console_made_hides_no_region() {
    for folder in ["", "2026/", "2026/09/", "2026/09/01/"] {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=3);
        bucket.put(&format!("AWSLogs/111122223333/CloudTrail/eu-west-1/{folder}"), "", &[]);
        let place = Place::new();
        let ended = bucket.ingest(&place.store(), SOURCE, &[]);
        assert_ended(&ended, 0, "objects  3 listed = 3 ingested");
        let doctor = process::ended(bucket.command(&place.store(), &["doctor", SOURCE]).output().unwrap());
        assert!(
            doctor.stdout.contains("2026-09-01 to 2026-09-03"),
            "{folder}: {doctor:?}"
        );
    }
}

#[test]
fn objects_that_nobody_can_read_hide_none_behind_them() {
    for trouble in [Trouble::Archived, Trouble::Denied, Trouble::Missing] {
        let bucket = FakeBucket::new();
        let name = |number: usize| key("111122223333", "eu-west-1", 1, &format!("{number:03}"));
        for number in 0..150_usize {
            bucket.put(&name(number), log(number..number + 1), &[]);
            bucket.script(|script| {
                script.faults.insert(name(number), (trouble, usize::MAX));
            });
        }
        bucket.put(&key("111122223333", "eu-west-1", 2, "a"), log(200..201), &[]);
        let place = Place::new();
        let ended = bucket.ingest(&place.store(), SOURCE, &[]);
        assert_ended(&ended, 4, "objects  151 listed = 1 ingested + 0 known + 150 rejected");
        assert!(!ended.stderr.contains("stopped early"), "{trouble:?}: {ended:?}");
        bucket.put(&key("111122223333", "eu-west-1", 3, "a"), log(201..202), &[]);
        bucket.ingest(&place.store(), SOURCE, &[]);
        assert_eq!(count(&place), 2, "{trouble:?}");
    }
}

#[test]
fn fault_that_passes_is_not_seen() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    bucket.script(|script| {
        for (day, trouble) in [(1, Trouble::Cut), (2, Trouble::Failing), (3, Trouble::Short)] {
            script
                .faults
                .insert(key("111122223333", "eu-west-1", day, "a"), (trouble, 2));
        }
    });
    let place = Place::new();
    assert_ended(
        &bucket.ingest(&place.store(), SOURCE, &[]),
        0,
        "objects  3 listed = 3 ingested",
    );
    assert_eq!(count(&place), 3);
}

#[test]
fn object_that_vanished_is_told_once_and_one_that_was_replaced_is_read_as_it_is() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    let (gone, replaced) = (
        key("111122223333", "eu-west-1", 1, "a"),
        key("111122223333", "eu-west-1", 2, "a"),
    );
    bucket.script(|script| {
        script.faults.insert(gone.clone(), (Trouble::Missing, 1));
        script.faults.insert(replaced, (Trouble::Replaced, 1));
    });
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 4, "objects  3 listed = 2 ingested + 0 known + 1 rejected");
    assert_eq!(problems(&place)[0].0, "vanished");
    bucket.remove(&gone);
    let second = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&second, 0, "objects  2 listed = 0 ingested + 2 known");
    assert_eq!(count(&place), 2);
}

#[test]
fn object_that_vanished_and_is_there_again_is_read_however_far_the_listing_has_got() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=9);
    let gone = key("111122223333", "eu-west-1", 1, "a");
    bucket.script(|script| {
        script.faults.insert(gone.clone(), (Trouble::Missing, 2));
    });
    let place = Place::new();
    let arguments = ["--look-back", "0"];
    let ended = bucket.ingest(&place.store(), SOURCE, &arguments);
    assert_ended(&ended, 4, "objects  9 listed = 8 ingested + 0 known + 1 rejected");
    // It is still away: nobody is told again, and nothing is listed but the last day.
    let second = bucket.ingest(&place.store(), SOURCE, &arguments);
    assert_ended(&second, 0, "objects  1 listed = 0 ingested + 1 known");
    let third = bucket.ingest(&place.store(), SOURCE, &arguments);
    assert_ended(&third, 0, "objects  2 listed = 1 ingested + 1 known");
    assert_eq!(count(&place), 9);
    let fourth = bucket.ingest(&place.store(), SOURCE, &arguments);
    assert_ended(&fourth, 0, "objects  1 listed = 0 ingested + 1 known");
}

#[test]
fn object_that_vanished_and_cannot_be_read_since_is_told_and_keeps_nothing_from_being_read() {
    for (trouble, times) in [(Trouble::Denied, 100), (Trouble::Failing, 100)] {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=3);
        let gone = key("111122223333", "eu-west-1", 1, "a");
        bucket.script(|script| {
            script.faults.insert(gone.clone(), (Trouble::Missing, 2));
        });
        let place = Place::new();
        let arguments = ["--look-back", "0"];
        assert_eq!(bucket.ingest(&place.store(), SOURCE, &arguments).code, 4);
        days(&bucket, 4..=4);
        bucket.script(|script| {
            script.faults.insert(gone.clone(), (trouble, times));
        });
        let hindered = bucket.ingest(&place.store(), SOURCE, &arguments);
        assert_eq!(hindered.code, 4, "{}", hindered.stderr);
        assert!(hindered.stderr.contains(&gone), "{}", hindered.stderr);
        assert_eq!(count(&place), 3, "{trouble:?}: {}", hindered.stderr);
        bucket.script(|script| script.faults.clear());
        assert_eq!(bucket.ingest(&place.store(), SOURCE, &arguments).code, 0);
        assert_eq!(count(&place), 4);
    }
}

#[test]
fn object_that_vanished_is_an_hour_that_the_logs_do_not_cover() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    let gone = key("111122223333", "eu-west-1", 2, "b");
    bucket.put(&gone, log(std::iter::once(20)), &[]);
    bucket.script(|script| {
        script.faults.insert(gone, (Trouble::Missing, 1));
    });
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 4, "objects  4 listed = 3 ingested + 0 known + 1 rejected");
    let lost = place.sql("select lost_hours from log_coverage('2026-09-02', '2026-09-03')");
    assert_eq!(lost, [json!({"lost_hours": 1})]);
}

#[test]
fn run_stops_when_the_credentials_expire_and_the_next_one_goes_on() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=9);
    bucket.script(|script| {
        let last = key("111122223333", "eu-west-1", 9, "a");
        script.faults.insert(last, (Trouble::ExpiredToken, usize::MAX));
    });
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended.stderr.contains("stopped early: the credentials have expired"),
        "{ended:?}"
    );
    bucket.script(|script| script.faults.clear());
    assert_eq!(bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]).code, 0);
    assert_eq!(count(&place), 9);
}

#[test]
fn bucket_that_cannot_be_listed_is_told_with_the_missing_permission_and_makes_no_store() {
    let bucket = FakeBucket::new();
    let place = Place::new();
    for (trouble, words) in [
        (Trouble::Denied, "allow `s3:ListBucket`"),
        (Trouble::ExpiredToken, "log in again"),
    ] {
        bucket.script(|script| script.list_trouble = Some(trouble));
        let ended = bucket.ingest(&place.store(), SOURCE, &[]);
        assert!(ended.code == 1 && ended.stderr.contains(words), "{ended:?}");
        assert!(ended.stderr.contains("`s3://central-logs/`"), "{ended:?}");
    }
    bucket.script(|script| script.list_trouble = None);
    let missing = bucket.ingest(&place.store(), "s3://other/", &[]);
    assert!(
        missing.code == 1 && missing.stderr.contains("no such bucket"),
        "{missing:?}"
    );
    let without = bucket
        .command(&place.store(), &["ingest", SOURCE])
        .env_remove("AWS_ACCESS_KEY_ID")
        .output()
        .unwrap();
    let stderr = String::from_utf8(without.stderr).unwrap();
    assert!(
        without.status.code() == Some(1) && stderr.contains("no usable AWS credentials"),
        "{stderr}"
    );
    assert!(!place.store().exists());
}

#[test]
fn dry_run_fetches_nothing() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=5);
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &["--dry-run"]);
    assert_ended(&ended, 0, "5 objects would be read, ");
    assert_eq!(of(&bucket.asked(), "GET").len(), 0);
    assert!(!place.store().exists());
}

#[test]
fn hostile_keys_are_read_printed_visibly_and_never_become_paths() {
    let bucket = FakeBucket::new();
    let long = format!("{}.json", "k".repeat(1_019));
    let keys = [
        "../../escaped.json",
        "/etc/escaped.json",
        "a b+c&d<e>\u{1b}[2J.json",
        "ümläut/%2e%2e/x.json",
        "./.././x.json",
        &long,
    ];
    for (number, key) in keys.iter().enumerate() {
        bucket.put(key, log(number..number + 1), &[]);
    }
    bucket.put("\u{1b}[31mred.json", "{\"Records\":[{\"eventVersion\":", &[]);
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 4, "objects  7 listed = 6 ingested + 0 known + 1 rejected");
    assert!(
        !ended.stderr.contains('\u{1b}') && ended.stderr.contains("\\u{1b}[31mred.json"),
        "{ended:?}"
    );
    assert_eq!(count(&place), keys.len());
    let listed = place.sql("select object_key from objects where state = 'ingested'");
    let listed: BTreeSet<String> = listed.iter().map(|row| text(row, "object_key")).collect();
    let wanted: BTreeSet<String> = keys.iter().map(|key| format!("s3://{BUCKET}/{key}")).collect();
    assert_eq!(listed, wanted);
    let made = walkdir::WalkDir::new(place.folder()).into_iter().map(Result::unwrap);
    let strange: Vec<_> = made
        .filter(|entry| entry.path().to_string_lossy().contains("escaped"))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn server_that_does_not_sort_is_listed_whole() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=25);
    bucket.script(|script| {
        script.is_unsorted = true;
        script.page_size = 4;
    });
    let place = Place::new();
    assert_ended(
        &bucket.ingest(&place.store(), SOURCE, &[]),
        0,
        "objects  25 listed = 25 ingested",
    );
    assert_eq!(count(&place), 25);
}

#[test]
fn large_object_is_fetched_in_parts() {
    let filler = " ".repeat(20 << 20);
    let large = key("111122223333", "eu-west-1", 1, "a");
    for trouble in [Trouble::Cut, Trouble::OtherRange, Trouble::NamelessRange] {
        let bucket = FakeBucket::new();
        bucket.put(&large, format!("{filler}{}", log(0..3)), &[]);
        bucket.script(|script| {
            script.faults.insert(large.clone(), (trouble, 2));
        });
        let place = Place::new();
        assert_ended(
            &bucket.ingest(&place.store(), SOURCE, &[]),
            0,
            "objects  1 listed = 1 ingested",
        );
        // The first part is the right one for a range that begins where it does.
        let repeated = if trouble == Trouble::Cut { 2 } else { 1 };
        assert!(of(&bucket.asked(), "GET").len() >= 6 + repeated, "{trouble:?}");
        assert_eq!(count(&place), 3, "{trouble:?}");
    }
}

#[test]
fn object_that_memory_cannot_hold_is_told_once_and_fetched_with_more() {
    let bucket = FakeBucket::new();
    let dump = key("111122223333", "eu-west-1", 1, "dump");
    bucket.put(&dump, format!("{}{}", log(5..7), " ".repeat(65 << 20)), &[]);
    bucket.put(&key("111122223333", "eu-west-1", 2, "a"), log(0..3), &[]);
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &["--memory", "128MiB"]);
    assert_ended(&ended, 4, "objects  2 listed = 1 ingested");
    assert!(
        ended.stderr.contains("is limited: the object has 6815")
            && ended.stderr.contains("run again with `--memory` of at least 1363"),
        "{ended:?}"
    );
    assert!(
        ended
            .stdout
            .lines()
            .any(|line| line.starts_with("bytes ") && line.contains("KiB read")),
        "{ended:?}"
    );
    assert_eq!(of(&bucket.asked(), "GET").len(), 1);
    let again = bucket.ingest(&place.store(), SOURCE, &["--memory", "128MiB"]);
    assert_ended(&again, 0, "objects  2 listed = 0 ingested + 2 known");
    assert_eq!(of(&bucket.asked(), "GET").len(), 0);
    assert_eq!(count(&place), 3);
    let more = bucket.ingest(&place.store(), SOURCE, &["--memory", "256MiB"]);
    assert_ended(&more, 0, "objects  2 listed = 1 ingested + 1 known");
    assert_eq!(count(&place), 5);
}

#[test]
fn object_that_was_replaced_by_one_that_memory_cannot_hold_is_told_once_and_by_its_own_size() {
    let bucket = FakeBucket::new();
    let dump = key("111122223333", "eu-west-1", 1, "dump");
    bucket.put(&dump, format!("{}{}", log(5..7), " ".repeat(65 << 20)), &[]);
    let place = Place::new();
    let message = place.folder().join("message.json");
    let of_old_version = json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": {
        "bucket": {"name": BUCKET}, "object": {"key": dump, "eTag": "old", "size": 1_000_000},
    }}]});
    std::fs::write(&message, of_old_version.to_string()).unwrap();
    let run = |arguments: &[&str]| {
        let arguments = [&["ingest", "--memory", "128MiB"], arguments].concat();
        process::ended(bucket.command(&place.store(), &arguments).output().unwrap())
    };
    let named = ["--keys-from", message.to_str().unwrap()];
    let ended = run(&named);
    assert_ended(&ended, 4, "objects  1 listed = 0 ingested + 0 known + 1 rejected");
    assert!(
        ended.stderr.contains("run again with `--memory` of at least 1363"),
        "{ended:?}"
    );
    // Whoever lists it: the version that is there is known.
    assert_ended(&run(&[SOURCE]), 0, "objects  1 listed = 0 ingested + 1 known");
    assert_ended(&run(&named), 0, "objects  1 listed = 0 ingested + 1 known");
    assert_eq!(problems(&place).len(), 1);
}

#[test]
fn signature_of_a_digest_is_kept() {
    let bucket = FakeBucket::new();
    let digests = walkdir::WalkDir::new(sample()).into_iter().map(Result::unwrap);
    let digest = digests
        .filter(|entry| entry.path().to_string_lossy().ends_with(".json.gz"))
        .find(|entry| entry.path().to_string_lossy().contains("CloudTrail-Digest"))
        .unwrap();
    let path = digest.path().strip_prefix(sample()).unwrap().to_str().unwrap();
    let signed = [("signature", "0a0b"), ("signature-algorithm", "SHA256withRSA")];
    bucket.put(
        &format!("AWSLogs/{path}"),
        std::fs::read(digest.path()).unwrap(),
        &signed,
    );
    let place = Place::new();
    assert_eq!(bucket.ingest(&place.store(), SOURCE, &[]).code, 0);
    let rows = place.sql("select metadata from objects");
    assert_eq!(
        text(&rows[0], "metadata"),
        r#"{"signature":"0a0b","signature-algorithm":"SHA256withRSA"}"#
    );
}

#[test]
fn signal_ends_a_run_over_a_slow_bucket_soon_and_the_next_one_completes_it() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=28);
    bucket.script(|script| script.latency = Duration::from_millis(700));
    let place = Place::new();
    let mut child = bucket.command(&place.store(), &["ingest", SOURCE]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let kill = std::process::Command::new("kill")
        .args(["-s", "TERM", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    bucket.script(|script| script.latency = Duration::ZERO);
    assert_eq!(bucket.ingest(&place.store(), SOURCE, &[]).code, 0);
    assert_eq!(count(&place), 28);
    assert!(bucket.keys().len() == 28);
}

/// An inventory of the bucket as a gzipped CSV file.
pub(crate) fn inventory_csv(bucket: &FakeBucket) -> Vec<u8> {
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for (key, etag, size) in bucket.objects() {
        let key = key.replace('=', "%3D");
        writeln!(
            zipped,
            "\"{BUCKET}\",\"{key}\",\"{size}\",\"2026-09-30T00:00:00.000Z\",\"{etag}\""
        )
        .unwrap();
    }
    zipped.finish().unwrap()
}

/// The same as a Parquet file.
fn inventory_parquet(bucket: &FakeBucket) -> Vec<u8> {
    let objects = bucket.objects();
    let text = |value: &dyn Fn(&(String, String, usize)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(objects.iter().map(value)))
    };
    let sizes = objects.iter().map(|(_, _, size)| i64::try_from(*size).unwrap());
    let batch = RecordBatch::try_from_iter([
        ("bucket", text(&|_| BUCKET.to_owned())),
        ("key", text(&|(key, _, _)| key.clone())),
        ("size", Arc::new(Int64Array::from_iter_values(sizes)) as ArrayRef),
        ("e_tag", text(&|(_, etag, _)| etag.clone())),
    ])
    .unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn inventory_with_a_row_that_says_no_size_is_refused_and_not_taken_for_an_empty_one() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=2);
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for (key, etag, _) in bucket.objects() {
        writeln!(zipped, "\"{BUCKET}\",\"{key}\",\"\",\"{etag}\"").unwrap();
    }
    bucket.put("inventory/data/1", zipped.finish().unwrap(), &[]);
    let manifest = format!(
        r#"{{"sourceBucket":"{BUCKET}","fileFormat":"CSV","fileSchema":"Bucket, Key, Size, ETag","files":[{{"key":"inventory/data/1"}}]}}"#
    );
    bucket.put("inventory/manifest.json", manifest, &[]);
    let place = Place::new();
    let manifest = format!("{SOURCE}inventory/manifest.json");
    let ended = bucket.run(&place.store(), &["ingest", "--inventory", &manifest]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("row 1 has no `Size`"), "{ended:?}");
}

#[test]
fn inventory_takes_the_place_of_listing() {
    for format in ["CSV", "Parquet"] {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=3);
        let list = match format {
            "CSV" => inventory_csv(&bucket),
            _ => inventory_parquet(&bucket),
        };
        bucket.put("inventory/data/1", list, &[]);
        let manifest = format!(
            r#"{{"sourceBucket":"{BUCKET}","destinationBucket":"arn:aws:s3:::{BUCKET}","fileFormat":"{format}","fileSchema":"Bucket, Key, Size, LastModifiedDate, ETag","files":[{{"key":"inventory/data/1"}}]}}"#
        );
        bucket.put("inventory/manifest.json", manifest, &[]);
        let place = Place::new();
        let manifest = format!("{SOURCE}inventory/manifest.json");
        let arguments = ["ingest", "--inventory", &manifest, "--from", "2026-09-03"];
        let ended = process::ended(bucket.command(&place.store(), &arguments).output().unwrap());
        assert_ended(&ended, 0, "objects  2 listed = 2 ingested");
        assert_eq!(of(&bucket.asked(), "LIST").len(), 0);
    }
}
