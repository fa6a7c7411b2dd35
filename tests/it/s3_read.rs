//! `read_cloudtrail` and `iam import` over a bucket: what they give over a folder, and few requests.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::s3::key;
use crate::s3::log;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Trouble;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

fn sample(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("sample-logs")
        .join(folder)
}

fn sql(bucket: &FakeBucket, statement: &str) -> Ended {
    let place = Place::new();
    bucket.run(&place.store(), &["sql", statement, "--output", "json"])
}

fn answer(ended: &Ended) -> Value {
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// One record on each of the days, which are also its number.
fn days(days: std::ops::RangeInclusive<u8>) -> FakeBucket {
    let bucket = FakeBucket::new();
    for day in days {
        let record = log(std::iter::once(usize::from(day)))
            .replace(&format!("2026-09-0{}T", 1 + day % 3), &format!("2026-09-{day:02}T"));
        bucket.put(&key("111122223333", "eu-west-1", day, "a"), record, &[]);
    }
    bucket
}

const FINGERPRINT: &str = "select count(*) as number, encode(sha256(string_agg(event_id, ',' order by event_id)), 'hex') \
    as digest";

#[test]
fn rows_of_a_bucket_are_those_of_the_folder() {
    let bucket = FakeBucket::new();
    bucket.put_folder(&sample("AWSLogs"), "trails/AWSLogs/");
    bucket.script(|script| script.page_size = 7);
    let folder = sample("AWSLogs");
    let place = Place::new();
    let of_folder = format!("{FINGERPRINT} from read_cloudtrail('{}')", folder.display());
    let from_folder = process::run(&place.store(), &["sql", &of_folder, "--output", "json"]);
    let from_bucket = sql(
        &bucket,
        &format!("{FINGERPRINT} from read_cloudtrail('s3://central-logs/trails')"),
    );
    assert_eq!(from_bucket.stdout, from_folder.stdout, "{from_bucket:?}");
    assert_eq!(from_bucket.code, from_folder.code, "{from_bucket:?}");
    let verbs: BTreeSet<String> = bucket.asked().into_iter().map(|asked| asked.verb).collect();
    assert_eq!(verbs, BTreeSet::from(["GET".to_owned(), "LIST".to_owned()]));
}

#[test]
fn only_the_wanted_days_are_listed_and_only_objects_that_may_hold_wanted_events_are_fetched() {
    let bucket = days(1..=30);
    let rows = sql(
        &bucket,
        "select event_id from read_cloudtrail('s3://central-logs') where event_date >= '2026-09-20' order by 1",
    );
    assert_eq!(answer(&rows).as_array().unwrap().len(), 11);
    let asked = bucket.asked();
    let folder = "AWSLogs/111122223333/CloudTrail/eu-west-1/";
    let starts: Vec<&str> = asked.iter().filter_map(|asked| asked.start_after.as_deref()).collect();
    let first = starts.iter().min().unwrap();
    assert!(
        **first >= *format!("{folder}2026/09/17") && **first < *format!("{folder}2026/09/20"),
        "{starts:?}"
    );
    let fetched = asked.iter().filter(|asked| asked.verb == "GET").count();
    assert!((11..=13).contains(&fetched), "{asked:?}");
}

#[test]
fn many_objects_are_asked_for_at_a_time_and_an_object_that_is_named_is_read_alone() {
    let bucket = days(1..=30);
    bucket.script(|script| script.latency = Duration::from_millis(200));
    let all = sql(
        &bucket,
        "select count(*) as n from read_cloudtrail('s3://central-logs/')",
    );
    assert_eq!(answer(&all)[0]["n"], 30);
    let most = bucket.most_waiting();
    assert!(most >= 8, "{most}");
    bucket.asked();
    let name = key("111122223333", "eu-west-1", 7, "a");
    let one = sql(
        &bucket,
        &format!("select count(*) as n from read_cloudtrail('s3://central-logs/{name}')"),
    );
    assert_eq!(answer(&one)[0]["n"], 1);
    assert_eq!(bucket.asked().iter().filter(|asked| asked.verb == "GET").count(), 1);
}

#[test]
fn object_that_cannot_be_read_is_named_and_a_bucket_that_cannot_be_listed_is_an_error() {
    let bucket = days(1..=5);
    let name = key("111122223333", "eu-west-1", 3, "a");
    bucket.script(|script| {
        script.faults.insert(name.clone(), (Trouble::Denied, 9));
    });
    let part = sql(
        &bucket,
        "select count(*) as n from read_cloudtrail('s3://central-logs')",
    );
    assert_eq!(part.code, 4, "{part:?}");
    assert!(
        part.stdout.contains("\"n\":4") && part.stderr.contains(&name),
        "{part:?}"
    );
    let elsewhere = sql(
        &bucket,
        "select count(*) as n from read_cloudtrail('s3://no-such-bucket/x')",
    );
    assert_eq!(elsewhere.code, 1, "{elsewhere:?}");
    assert!(elsewhere.stderr.contains("`s3://no-such-bucket/x"), "{elsewhere:?}");
    bucket.script(|script| script.list_trouble = Some(Trouble::ExpiredToken));
    let expired = sql(
        &bucket,
        "select count(*) as n from read_cloudtrail('s3://central-logs')",
    );
    assert_eq!(expired.code, 1, "{expired:?}");
    let empty = FakeBucket::new();
    let none = sql(
        &empty,
        "select count(*) as n from read_cloudtrail('s3://central-logs/logs')",
    );
    assert_eq!(none.code, 4, "{none:?}");
    assert!(none.stderr.contains("check the prefix"), "{none:?}");
}

#[test]
fn snapshots_in_a_bucket_are_imported_as_those_of_a_folder_wherever_they_lie() {
    let folder = Place::new();
    let from_folder = process::run(&folder.store(), &["iam", "import", sample("iam").to_str().unwrap()]);
    let bucket = FakeBucket::new();
    bucket.put_folder(&sample("iam"), "iam/");
    // Logs beside them, which a search for logs would take for all there is.
    bucket.put(&key("111122223333", "eu-west-1", 1, "a"), log(0..1), &[]);
    let place = Place::new();
    for (source, first) in [("s3://central-logs", true), ("s3://central-logs/iam", false)] {
        let ended = bucket.run(&place.store(), &["iam", "import", source]);
        assert_eq!(ended.code, from_folder.code, "{ended:?}");
        if first {
            let account = |ended: &Ended| ended.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(account(&ended), account(&from_folder));
        } else {
            assert!(ended.stdout.contains(" = 0 imported + "), "{ended:?}");
        }
    }
    let grants = "select (select count(*) from iam_principals) as principals, (select count(*) from iam_statements) as statements";
    assert_eq!(place.sql(grants), folder.sql(grants));
    let missing = bucket.run(&place.store(), &["iam", "import", "s3://no-such-bucket/iam"]);
    assert_eq!(missing.code, 1, "{missing:?}");
}
