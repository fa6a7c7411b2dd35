//! `ingest` from a bucket: no object is passed over, whatever lies in the bucket, whoever lists, and however a run is told what to
//! read.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::ingest::record;
use crate::s3::SOURCE;
use crate::s3::assert_ended;
use crate::s3::count;
use crate::s3::days;
use crate::s3::inventory_csv;
use crate::s3::key;
use crate::s3::log;
use crate::s3::problems;
use crate::support::bucket::BUCKET;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Trouble;
use crate::support::permissions::Permissions;
use crate::support::process::Ended;
use crate::support::process::Place;
use crate::support::process::ended;

const REGION: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1";

/// A key right in the folder of a day.
fn on(day: Date, name: &str) -> String {
    format!("{REGION}/{:04}/{:02}/{:02}/{name}", day.year(), day.month(), day.day())
}

/// Runs `ingest` over a list of keys or notifications.
fn named(bucket: &FakeBucket, place: &Place, text: &str) -> Ended {
    named_with(bucket, place, text, &[])
}

/// The same with further arguments.
fn named_with(bucket: &FakeBucket, place: &Place, text: &str, more: &[&str]) -> Ended {
    let list = place.folder().join("keys");
    std::fs::write(&list, text).unwrap();
    let arguments = [&["ingest", "--keys-from", list.to_str().unwrap()], more].concat();
    bucket.run(&place.store(), &arguments)
}

#[test]
fn bucket_beside_a_list_of_keys_that_is_not_of_it_is_refused() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=2);
    let place = Place::new();
    let first = key("111122223333", "eu-west-1", 1, "a");
    let run = |text: &str, more: &[&str]| named_with(&bucket, &place, text, more);
    let uri = format!("s3://{BUCKET}/{first}\n");
    for (text, source) in [
        (&uri, "s3://other"),
        (&uri, "s3://other/AWSLogs"),
        (&first, "s3://other/AWSLogs"),
    ] {
        let ended = run(text, &[source]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            ended.stderr.contains(source) && ended.stderr.contains("a run of its own"),
            "{ended:?}"
        );
    }
    let ended = bucket.run(&place.store(), &["ingest", "--inventory", "manifest.json", SOURCE]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(!place.store().exists());
    let whole = format!("s3://{BUCKET}");
    assert_ended(&run(&first, &[&whole]), 0, "objects  1 listed = 1 ingested");
    assert_ended(&run(&uri, &[&whole]), 0, "objects  1 listed = 0 ingested + 1 known");
}

#[test]
fn line_that_names_a_folder_is_told_unless_an_empty_object_shows_it() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=2);
    let shown = format!("{REGION}/2026/09/01/");
    bucket.put(&shown, "", &[]);
    let place = Place::new();
    let first = key("111122223333", "eu-west-1", 1, "a");
    let lines = format!("s3://{BUCKET}/{first}\ns3://{BUCKET}/{shown}\n");
    assert_ended(&named(&bucket, &place, &lines), 0, "objects  1 listed = 1 ingested");
    let ended = named(&bucket, &place, &format!("{lines}s3://{BUCKET}/{REGION}/\n"));
    assert_ended(&ended, 4, "objects  1 listed = 0 ingested + 1 known");
    assert!(ended.stderr.contains("line 3 of "), "{ended:?}");
    assert!(ended.stderr.contains(&format!("{REGION}/`")), "{ended:?}");
}

#[test]
fn keys_that_a_run_does_not_take_are_not_looked_up() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=9);
    let place = Place::new();
    let uris = (1..=9).map(|day| format!("s3://{BUCKET}/{}\n", key("111122223333", "eu-west-1", day, "a")));
    let uris: String = uris.collect();
    let run = |more: &[&str]| {
        let before = bucket.asked().len();
        let ended = named_with(&bucket, &place, &format!("{uris}{uris}"), more);
        let heads = bucket
            .asked()
            .split_off(before)
            .iter()
            .filter(|asked| asked.verb == "HEAD")
            .count();
        (ended, heads)
    };
    let (ended, heads) = run(&["--from", "2026-09-08"]);
    assert_ended(&ended, 0, "objects  3 listed = 3 ingested");
    assert!(ended.stdout.contains("left out 6 objects"), "{ended:?}");
    assert_eq!(heads, 3);
    let shards = ["0/2", "1/2"].map(|shard| run(&["--shard", shard]));
    assert_eq!(shards[0].1 + shards[1].1, 9);
    for (ended, heads) in &shards {
        let others = format!("; {} of other shards", 9 - heads);
        assert!(ended.code == 0 && ended.stdout.contains(&others), "{ended:?}");
    }
    assert_eq!(count(&place), 9);
}

#[test]
fn account_that_nothing_in_the_bucket_is_of_is_named_beside_others_that_there_are() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=2);
    let place = Place::new();
    let chosen = ["--account", "111122223333", "--region", "eu-west-1"];
    let ingest = |more: &[&str]| bucket.ingest(&place.store(), SOURCE, &[&chosen, more].concat());
    assert_ended(&ingest(&[]), 0, "objects  2 listed = 2 ingested");
    // Nothing is listed, and yet the folders are there.
    assert_ended(&ingest(&["--from", "2026-10-01"]), 0, "objects  0 listed");
    let ended = ingest(&["--account", "444455556666", "--region", "us-east-1"]);
    assert_ended(&ended, 4, "objects  2 listed = 0 ingested + 2 known");
    for told in [
        "`--account 444455556666`: matches no object",
        "`--region us-east-1`: matches",
    ] {
        assert!(ended.stderr.contains(told), "{ended:?}");
    }
}

#[test]
fn trail_whose_prefix_begins_as_the_folder_of_all_logs_is_read() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=1);
    for (event, prefix) in (50..).zip(["AWSLogs", "AWSLogs/main", "AWSLogs/of/unit", "AWSLogs/AWSLogs/AWSLogs"]) {
        let own = key("444455556666", "eu-west-1", 1, "a");
        bucket.put(&format!("{prefix}/{own}"), log(event..event + 1), &[]);
    }
    bucket.put("AWSLogs/notes/2026/todo.txt", "x", &[]);
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 0, "objects  5 listed = 5 ingested");
    assert!(ended.stderr.contains("AWSLogs/notes/`"), "{ended:?}");
}

#[test]
fn bucket_of_the_same_name_at_another_endpoint_is_listed_from_its_own_beginning() {
    let (trial, real) = (FakeBucket::new(), FakeBucket::new());
    days(&trial, 4..=5);
    days(&real, 1..=5);
    let place = Place::new();
    assert_ended(
        &trial.ingest(&place.store(), SOURCE, &[]),
        0,
        "objects  2 listed = 2 ingested",
    );
    let other = real.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
    assert_ended(&other, 0, "objects  5 listed = 3 ingested + 2 known");
    let later = real.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
    // What the other service had proves nothing here; an object of a later day proves all before it.
    assert_ended(&later, 0, "objects  3 listed = 0 ingested + 3 known");
    days(&real, 6..=6);
    for listed in [
        "objects  4 listed = 1 ingested + 3 known",
        "objects  1 listed = 0 ingested + 1 known",
    ] {
        assert_ended(&real.ingest(&place.store(), SOURCE, &["--look-back", "0"]), 0, listed);
    }
    // The same service, however it is named.
    let arguments = ["ingest", SOURCE, "--look-back", "0"];
    let named = real
        .command_by_environment(&place.store(), &arguments)
        .output()
        .unwrap();
    assert_ended(&ended(named), 0, "objects  1 listed = 0 ingested + 1 known");
    let named = trial
        .command_by_environment(&place.store(), &arguments)
        .output()
        .unwrap();
    assert_ended(&ended(named), 0, "objects  1 listed = 0 ingested + 1 known");
}

#[test]
fn listing_that_breaks_off_unnoticed_is_asked_for_again_and_is_never_taken_for_whole() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=5);
    let place = Place::new();
    bucket.script(|script| {
        script.page_size = 2;
        script.short_lists = Arc::new(AtomicUsize::new(2));
    });
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 0, "objects  5 listed = 5 ingested");
    let broken = Place::new();
    bucket.script(|script| script.short_lists = Arc::new(AtomicUsize::new(usize::MAX)));
    let ended = bucket.ingest(&broken.store(), SOURCE, &[]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended.stderr.contains("the listing has no end") && ended.stderr.contains(REGION),
        "{ended:?}"
    );
    bucket.script(|script| script.short_lists = Arc::default());
    let ended = bucket.ingest(&broken.store(), SOURCE, &[]);
    assert_ended(&ended, 0, "objects  5 listed = 5 ingested");
}

#[test]
fn key_of_a_day_to_come_hides_no_later_delivery() {
    for stray in ["2099/01/01/x.json", "2099/01/01/readme.txt"] {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=2);
        bucket.put(&format!("{REGION}/{stray}"), log(50..51), &[]);
        let place = Place::new();
        let first = bucket.ingest(&place.store(), SOURCE, &[]);
        assert_ended(&first, 0, "objects  3 listed = 3 ingested");
        assert!(
            first.stderr.contains("1 object of days that are still to come") && first.stderr.contains(stray),
            "{first:?}"
        );
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        for day in [today, today.checked_add(1.day()).unwrap()] {
            bucket.put(&on(day, "a.json"), log(60..61), &[]);
            let later = bucket.ingest(&place.store(), SOURCE, &["--look-back", "1"]);
            assert!(later.code == 0 && later.stdout.contains("= 1 ingested"), "{later:?}");
        }
    }
}

#[test]
fn server_that_shuffles_its_pages_hides_nothing() {
    for page_size in [5, 1_000] {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=28);
        bucket.script(|script| {
            script.is_shuffled = true;
            script.page_size = page_size;
        });
        let place = Place::new();
        for _ in 0..2 {
            let ended = bucket.ingest(&place.store(), SOURCE, &["--to", "2026-09-26"]);
            assert_eq!(ended.code, 0, "{ended:?}");
            assert_eq!(count(&place), 26);
        }
    }
}

#[test]
fn object_that_could_not_be_read_is_tried_again_by_a_run_over_other_days_and_not_over_other_accounts() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    bucket.script(|script| {
        let bad = key("111122223333", "eu-west-1", 1, "a");
        script.faults.insert(bad, (Trouble::Denied, usize::MAX));
    });
    let place = Place::new();
    let first = bucket.ingest(&place.store(), SOURCE, &["--from", "2026-09-01"]);
    assert_ended(&first, 4, "objects  3 listed = 2 ingested + 0 known + 1 rejected");
    for window in [["--from", "2026-09-20"], ["--to", "2026-08-01"]] {
        let denied = bucket.ingest(&place.store(), SOURCE, &window);
        assert_ended(&denied, 4, "objects  1 listed = 0 ingested + 0 known + 1 rejected");
    }
    bucket.script(|script| script.faults.clear());
    bucket.put(&key("444455556666", "eu-west-1", 1, "a"), log(90..91), &[]);
    let other = bucket.ingest(&place.store(), SOURCE, &["--account", "444455556666"]);
    assert_ended(&other, 0, "objects  1 listed = 1 ingested");
    let later = bucket.ingest(&place.store(), SOURCE, &["--from", "2026-09-20"]);
    assert_ended(&later, 0, "objects  1 listed = 1 ingested");
    assert_eq!(count(&place), 4);
}

#[test]
fn named_object_that_cannot_be_looked_up_has_a_state_and_is_tried_again() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    let uri = |day: u8| format!("s3://{BUCKET}/{}\n", key("111122223333", "eu-west-1", day, "a"));
    bucket.script(|script| {
        let bad = key("111122223333", "eu-west-1", 1, "a");
        script.faults.insert(bad, (Trouble::Denied, usize::MAX));
    });
    let place = Place::new();
    let denied = named(&bucket, &place, &(uri(1) + "s3://no-such-bucket/x.json\n"));
    assert_ended(&denied, 4, "objects  2 listed = 0 ingested + 0 known + 2 rejected");
    let told = problems(&place);
    assert!(
        told.iter().all(|(state, _)| state == "unreadable")
            && told[0].1.contains("allow `s3:GetObject`")
            && told[1].1.contains("there is no such bucket"),
        "{told:?}"
    );
    let still = named(&bucket, &place, &uri(2));
    assert_ended(&still, 4, "objects  2 listed = 1 ingested + 0 known + 1 rejected");
    bucket.script(|script| script.faults.clear());
    let again = named(&bucket, &place, &(uri(1) + &uri(3)));
    assert_ended(&again, 0, "objects  2 listed = 2 ingested");
    let known = named(&bucket, &place, &uri(3));
    assert_ended(&known, 0, "objects  1 listed = 0 ingested + 1 known");
    assert_eq!(count(&place), 3);
}

#[test]
fn inventory_and_other_keys_try_again_what_could_not_be_read() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=2);
    let inventory = inventory_csv(&bucket);
    days(&bucket, 3..=3);
    bucket.script(|script| {
        for day in [1, 3] {
            let bad = key("111122223333", "eu-west-1", day, "a");
            script.faults.insert(bad, (Trouble::Denied, usize::MAX));
        }
    });
    let place = Place::new();
    let first = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&first, 4, "objects  3 listed = 1 ingested + 0 known + 2 rejected");
    bucket.script(|script| script.faults.clear());
    bucket.put("inventory/data/1", inventory, &[]);
    let manifest = format!(
        r#"{{"sourceBucket":"{BUCKET}","fileFormat":"CSV","fileSchema":"Bucket, Key, Size, LastModifiedDate, ETag","files":[{{"key":"inventory/data/1"}}]}}"#
    );
    bucket.put("inventory/manifest.json", manifest, &[]);
    let manifest = format!("{SOURCE}inventory/manifest.json");
    let ended = bucket.run(&place.store(), &["ingest", "--inventory", &manifest]);
    assert_ended(&ended, 0, "objects  3 listed = 2 ingested + 1 known");
    assert_eq!(count(&place), 3);
}

#[test]
fn message_that_says_nothing_does_not_keep_the_others_from_being_read() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=1);
    let key = key("111122223333", "eu-west-1", 1, "a");
    let good = json!({"s3Bucket": BUCKET, "s3ObjectKey": [key]}).to_string();
    let queue = json!({"Messages": [{"MessageId": "7c9a", "Body": "{\"foo\":1}"}, {"Body": good}]});
    let place = Place::new();
    let ended = named(&bucket, &place, &queue.to_string());
    assert_ended(&ended, 4, "objects  1 listed = 1 ingested");
    assert!(
        ended.stderr.contains("message 1 (7c9a) of ") && ended.stderr.contains("no notification"),
        "{ended:?}"
    );
}

#[test]
fn account_that_may_not_be_listed_is_told_and_the_others_are_read() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    bucket.put(&key("444455556666", "eu-west-1", 1, "a"), log(10..11), &[]);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}"),
            "Condition": {"StringLike": {"s3:prefix": ["", "AWSLogs/", "AWSLogs/111122223333/*"]}},
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*")},
    ]});
    bucket.script(|script| script.permissions = Some(Permissions::parse(&policy)));
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert_ended(&ended, 4, "objects  3 listed = 3 ingested");
    let told = "`s3://central-logs/AWSLogs/444455556666/`: access denied";
    assert!(
        ended.stderr.contains(told) && ended.stderr.contains("s3:ListBucket"),
        "{ended:?}"
    );
}

#[test]
fn logs_below_many_folders_are_found_and_those_beside_the_folders_are_told() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=1);
    bucket.put(
        &format!("a/b/c/d/e/f/{}", key("444455556666", "eu-west-1", 1, "a")),
        log(10..11),
        &[],
    );
    let place = Place::new();
    let report = place.folder().join("report.json");
    bucket.put("a/b/notes.txt", "x", &[]);
    let options = ["--report", report.to_str().unwrap()];
    let all = bucket.ingest(&place.store(), SOURCE, &options);
    assert_ended(&all, 0, "objects  2 listed = 2 ingested");
    let account: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(
        account["passed_over"],
        json!({"count": 1, "first": [format!("{SOURCE}a/b/*")]})
    );
    for flat in ["", "copies/"] {
        let name = "111122223333_CloudTrail_eu-west-1_20260901T0105Z_b.json.gz";
        bucket.put(&format!("{flat}{name}"), log(20..21), &[]);
        let ended = bucket.ingest(&place.store(), SOURCE, &[]);
        assert_ended(&ended, 4, "objects  2 listed = 0 ingested + 2 known");
        let told = format!("`{SOURCE}{flat}*`: there are log files outside of the folders");
        assert!(ended.stderr.contains(&told), "{told}: {ended:?}");
    }
}

#[test]
fn store_in_the_bucket_of_the_logs_is_not_taken_for_logs() {
    for (prefix, listed) in [("", 1), ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/", 1)] {
        let bucket = FakeBucket::writable();
        bucket.put(
            &format!("{prefix}a.json"),
            format!("{{\"Records\":[{}]}}", record(1)),
            &[],
        );
        let run = |source: &str| {
            let mut command = bucket.command(std::path::Path::new("unused"), &["ingest", source]);
            ended(bucket.keep_store(&mut command).output().unwrap())
        };
        assert_ended(
            &run("s3://trail-store"),
            0,
            &format!("objects  {listed} listed = {listed} ingested"),
        );
        for _ in 0..2 {
            let again = run("s3://trail-store");
            assert_ended(
                &again,
                0,
                &format!("objects  {listed} listed = 0 ingested + {listed} known"),
            );
            assert!(!again.stderr.contains("_delta_log"), "{again:?}");
        }
        let itself = run("s3://trail-store/our trail");
        assert_ended(&itself, 4, "objects  0 listed");
        assert!(itself.stderr.contains("it holds nothing but the store"), "{itself:?}");
        let arguments = ["doctor", "s3://trail-store", "--output", "json"];
        let mut command = bucket.command(std::path::Path::new("unused"), &arguments);
        let doctor = ended(bucket.keep_store(&mut command).output().unwrap());
        assert!(doctor.stdout.contains("\"layout\""), "{doctor:?}");
        assert!(!doctor.stdout.contains("folders of others"), "{doctor:?}");
    }
}
