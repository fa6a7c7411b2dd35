//! Keys that are named with `--keys-from`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use crate::s3::SOURCE;
use crate::s3::assert_ended;
use crate::s3::count;
use crate::s3::days;
use crate::s3::key;
use crate::s3::of;
use crate::support::bucket::BUCKET;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Trouble;
use crate::support::process;
use crate::support::process::Place;

#[test]
fn keys_come_from_lines_and_from_notifications() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    let place = Place::new();
    let named = |day: u8| key("111122223333", "eu-west-1", day, "a");
    let lines = place.folder().join("keys.txt");
    std::fs::write(&lines, format!("s3://{BUCKET}/{}\n", named(1))).unwrap();
    let run = |file: &Path| {
        let arguments = ["ingest", "--keys-from", file.to_str().unwrap()];
        process::ended(bucket.command(&place.store(), &arguments).output().unwrap())
    };
    assert_ended(&run(&lines), 0, "objects  1 listed = 1 ingested");
    let message = format!(
        r#"{{"Records":[{{"eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"{BUCKET}"}},"object":{{"key":"{}"}}}}}}]}}"#,
        named(2)
    );
    let notification = place.folder().join("message.json");
    std::fs::write(&notification, message).unwrap();
    assert_ended(&run(&notification), 0, "objects  1 listed = 1 ingested");
    assert_eq!(of(&bucket.asked(), "LIST").len(), 0);
    // A notification of a version that is not there any more: what is there instead is read once.
    let of_old_version = std::fs::read_to_string(&notification).unwrap();
    let of_old_version = of_old_version.replace(r#""}}}]}"#, r#"","eTag":"old","size":3}}}]}"#);
    std::fs::write(&notification, of_old_version).unwrap();
    for _ in 0..2 {
        assert_ended(&run(&notification), 0, "objects  1 listed = 0 ingested + 1 known");
    }
    assert_eq!(place.sql("select count(*) as n from objects"), [json!({"n": 2})]);
    // What was named proves nothing about its neighbours.
    let all = bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
    assert_ended(&all, 0, "objects  3 listed = 1 ingested + 2 known");
}

#[test]
fn named_key_that_is_not_there_or_whose_version_is_not_known_is_told_and_stored_as_nothing() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=1);
    let place = Place::new();
    let named = key("111122223333", "eu-west-1", 1, "a");
    let lines = place.folder().join("keys.txt");
    let run = |text: &str| {
        std::fs::write(&lines, text).unwrap();
        let arguments = ["ingest", "--keys-from", lines.to_str().unwrap()];
        process::ended(bucket.command(&place.store(), &arguments).output().unwrap())
    };
    bucket.script(|script| {
        script.faults.insert(named.clone(), (Trouble::NoEtag, 100));
    });
    let without_etag = run(&format!("s3://{BUCKET}/{named}\n"));
    assert_ended(
        &without_etag,
        4,
        "objects  1 listed = 0 ingested + 0 known + 1 rejected",
    );
    assert!(without_etag.stderr.contains("names no etag"), "{}", without_etag.stderr);
    bucket.script(|script| script.faults.clear());
    // The first two lines are what other programs print.
    let mistyped = format!(
        "2026-09-01 10:00:00  1234 {named}\nhttps://{BUCKET}/{named}\ns3://{BUCKET}/{named}%20\ns3://{BUCKET}/{named}"
    );
    let ended = run(&mistyped);
    assert_ended(&ended, 4, "objects  2 listed = 1 ingested + 0 known + 1 rejected");
    assert!(ended.stderr.contains("line 1 of ") && ended.stderr.contains("line 2 of "));
    let told = "it was deleted, or its key is wrong";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(count(&place), 1);
}

#[test]
fn signal_ends_a_run_that_waits_for_its_keys() {
    let bucket = FakeBucket::new();
    let place = Place::new();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut command = bucket.command(&place.store(), &["ingest", "--keys-from", "-"]);
        let command = command.stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // It stays open, and empty.
        let input = child.stdin.take().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let id = child.id().to_string();
        let kill = std::process::Command::new("kill").args(["-s", signal, &id]).status();
        assert!(kill.unwrap().success());
        let since = Instant::now();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(since.elapsed() < Duration::from_secs(30));
        drop(input);
    }
}
