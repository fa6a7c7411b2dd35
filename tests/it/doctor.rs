//! `doctor`: what it says about good and bad surroundings, and that its policy is enough and nothing in it superfluous.

use std::path::Path;

use serde_json::Value;

use crate::ingest::record;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::STORE;
use crate::support::bucket::Trouble;
use crate::support::json::text;
use crate::support::permissions::Permissions;
use crate::support::permissions::many;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";

fn object(bucket: &FakeBucket, prefix: &str, day: usize) -> String {
    let key = format!(
        "{prefix}AWSLogs/o-abc123/111122223333/CloudTrail/eu-west-1/2026/09/{day:02}/111122223333_CloudTrail_eu-west-1_202609{day:02}T0105Z_a.json"
    );
    bucket.put(&key, format!("{{\"Records\":[{}]}}", record(day)), &[]);
    key
}

fn run(bucket: &FakeBucket, place: &Place, arguments: &[&str]) -> Ended {
    process::ended(bucket.command(&place.store(), arguments).output().unwrap())
}

/// Checks by name, and the exit code.
fn doctor(bucket: &FakeBucket, place: &Place, source: &str) -> (Vec<Value>, i32) {
    let ended = run(bucket, place, &["doctor", source, "--output", "json", "--quiet"]);
    (serde_json::from_str(&ended.stdout).expect(&ended.stderr), ended.code)
}

/// As [`doctor`], of a store in a bucket and nothing else.
fn doctor_of_store(store: &FakeBucket) -> (Vec<Value>, i32) {
    let arguments = ["doctor", "--output", "json", "--quiet"];
    let mut command = process::trimtrail(Path::new(STORE), &arguments);
    let ended = process::ended(store.keep_store(&mut command).output().unwrap());
    (serde_json::from_str(&ended.stdout).expect(&ended.stderr), ended.code)
}

fn check<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    let found = checks.iter().find(|check| check["check"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {checks:?}"))
}

#[test]
fn good_bucket_is_described_and_nothing_is_made() {
    let bucket = FakeBucket::new();
    (1..=9).for_each(|day| drop(object(&bucket, "", day)));
    bucket.script(|script| script.kms_key = Some(KEY.to_owned()));
    let place = Place::new();
    let (checks, code) = doctor(&bucket, &place, "s3://central-logs");
    for (name, found) in [
        ("credentials", "long-lived access key"),
        ("identity", "arn:aws:sts::111122223333:assumed-role/batch/i"),
        ("clock", "0 s between"),
        ("bucket", "answers and can be listed"),
        (
            "layout",
            "organization o-abc123, account 111122223333, region eu-west-1, delivered from 2026-09-01 to 2026-09-09",
        ),
        ("read", KEY),
        ("store", "none yet"),
        ("store writable", "yes"),
    ] {
        let check = check(&checks, name);
        assert_eq!(check["status"], "ok", "{check}");
        assert!(text(check, "found").contains(found), "{check}");
    }
    let is_fine = checks.iter().all(|check| check["status"] == "ok");
    assert_eq!(code, if is_fine { 0 } else { 4 }, "{checks:?}");
    assert!(!place.store().exists());
    let asked = bucket.asked();
    assert!(asked.len() < 20, "{asked:?}");
}

#[test]
fn last_day_is_told_however_short_the_pages_of_a_service_are() {
    let bucket = FakeBucket::new();
    (1..=5).for_each(|day| drop(object(&bucket, "", day)));
    bucket.script(|script| script.page_size = 1);
    let (checks, _) = doctor(&bucket, &Place::new(), "s3://central-logs");
    let found = text(check(&checks, "layout"), "found");
    assert!(found.contains("delivered from 2026-09-01 to 2026-09-05"), "{found}");
}

#[test]
fn what_keeps_a_run_from_working_is_a_failure_with_its_remedy() {
    for (trouble, is_list, name, remedy) in [
        (Trouble::Denied, true, "list", "allow `s3:ListBucket`"),
        (Trouble::ExpiredToken, true, "bucket", "log in again"),
        (Trouble::Denied, false, "read", "allow `s3:GetObject`"),
        (Trouble::KeyDenied, false, "read", "allow `kms:Decrypt`"),
        (Trouble::Archived, false, "read", "restore"),
    ] {
        let bucket = FakeBucket::new();
        let key = object(&bucket, "", 1);
        bucket.script(|script| {
            if is_list {
                script.list_trouble = Some(trouble);
            } else {
                script.faults.insert(key, (trouble, usize::MAX));
            }
        });
        let (checks, code) = doctor(&bucket, &Place::new(), "s3://central-logs/");
        let check = check(&checks, name);
        assert_eq!((&check["status"], code), (&"failure".into(), 1), "{checks:?}");
        assert!(text(check, "remedy").contains(remedy), "{check}");
    }
    let bucket = FakeBucket::new();
    let (checks, code) = doctor(&bucket, &Place::new(), "s3://central-logs/nothing");
    assert_eq!((&check(&checks, "layout")["status"], code), (&"failure".into(), 1));
    let (checks, code) = doctor(&bucket, &Place::new(), "s3://other");
    assert_eq!((&check(&checks, "bucket")["status"], code), (&"failure".into(), 1));
    let mut command = bucket.command(
        &Place::new().store(),
        &["doctor", "s3://central-logs", "--output", "json"],
    );
    let ended = process::ended(command.env_remove("AWS_ACCESS_KEY_ID").output().unwrap());
    assert!(
        ended.code == 1 && ended.stderr.contains("warning: credentials: ") && ended.stderr.contains("aws sso login"),
        "{ended:?}"
    );
}

#[test]
fn one_object_is_a_good_source_under_the_policy_for_it() {
    let bucket = FakeBucket::new();
    let key = object(&bucket, "", 1);
    object(&bucket, "", 2);
    let place = Place::new();
    let source = format!("s3://central-logs/{key}");
    let printed = run(&bucket, &place, &["doctor", &source, "--print-iam"]);
    let policy: Value = serde_json::from_str(&printed.stdout).unwrap();
    let actions = |policy: &Value| many(&policy["Statement"][0]["Action"]);
    assert_eq!(actions(&policy), ["s3:GetObject"], "{policy:#}");
    bucket.script(|script| script.permissions = Some(Permissions::parse(&policy)));
    let (checks, _) = doctor(&bucket, &place, &source);
    for (name, found) in [
        ("bucket", "answers"),
        (
            "layout",
            "account 111122223333, region eu-west-1, delivered from 2026-09-01 to 2026-09-01",
        ),
        ("read", "can be read"),
    ] {
        let check = check(&checks, name);
        assert_eq!(check["status"], "ok", "{checks:?}");
        assert!(text(check, "found").contains(found), "{check}");
    }
    assert!(bucket.asked().iter().all(|asked| asked.verb != "LIST"));
    let other = source.replace("T0105Z_a", "T0105Z_b");
    let (checks, code) = doctor(&bucket, &place, &other);
    let check = check(&checks, "bucket");
    assert_eq!((&check["status"], code), (&"failure".into(), 1), "{checks:?}");
    assert!(text(check, "remedy").contains("allow `s3:GetObject`"), "{check}");
}

#[test]
fn folder_and_store_are_described_offline() {
    let place = Place::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/AWSLogs");
    let rows = |arguments: &[&str]| -> (Vec<Value>, i32) {
        let ended = process::run(&place.store(), &[arguments, &["--output", "json", "--quiet"]].concat());
        (serde_json::from_str(&ended.stdout).unwrap(), ended.code)
    };
    let (checks, _) = rows(&["doctor", sample.to_str().unwrap()]);
    let layout = check(&checks, "layout");
    assert!(
        layout["status"] == "ok" && text(layout, "found").contains("5 accounts, 5 regions"),
        "{layout}"
    );
    place.write("a.json", format!("{{\"Records\":[{}]}}", record(1)).as_bytes());
    place.ingest(&[]);
    let (checks, _) = rows(&["doctor"]);
    assert!(text(check(&checks, "store"), "found").starts_with("version 1, schema version"));
    assert_eq!(check(&checks, "store files")["status"], "ok");
    let day = place.store().join("events/event_date=2026-09-01");
    std::fs::create_dir_all(&day).unwrap();
    std::fs::write(day.join("part-left.parquet"), "x").unwrap();
    let (checks, code) = rows(&["doctor"]);
    assert_eq!((&check(&checks, "store files")["status"], code), (&"warning".into(), 4));
    let (checks, code) = rows(&["doctor", "/no/such/folder"]);
    assert_eq!((&check(&checks, "list")["status"], code), (&"failure".into(), 1));
    let file = place.logs().join("a.json");
    let ended = process::run(&file, &["doctor", "--output", "json", "--quiet"]);
    let checks: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&check(&checks, "store")["status"], ended.code), (&"failure".into(), 1));
    assert!(
        !checks.iter().any(|check| check["check"] == "store writable"),
        "{checks:?}"
    );
}

#[test]
fn file_of_an_older_version_is_not_left_over() {
    let place = Place::new();
    place.write("a.json", format!("{{\"Records\":[{}]}}", record(1)).as_bytes());
    place.ingest(&[]);
    for _ in 0..2 {
        assert_eq!(process::run(&place.store(), &["store", "rebuild", "usage"]).code, 0);
    }
    let ended = process::run(&place.store(), &["doctor", "--output", "json", "--quiet"]);
    let checks: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(check(&checks, "store files")["status"], "ok", "{checks:?}");
}

#[test]
fn store_in_a_bucket_is_described_and_nothing_stays_in_it() {
    let store = FakeBucket::writable();
    let (checks, _) = doctor_of_store(&store);
    for (name, found) in [
        ("store credentials", "long-lived access key"),
        ("store identity", "arn:aws:sts::111122223333:assumed-role/batch/i"),
        ("store clock", "0 s between"),
        ("store bucket", "answers and can be listed"),
        ("store", "none yet"),
        ("store writable", "yes"),
    ] {
        let check = check(&checks, name);
        assert_eq!(
            (&check["status"], text(check, "subject")),
            (&"ok".into(), STORE.to_owned()),
            "{check}"
        );
        assert!(text(check, "found").contains(found), "{check}");
    }
    assert_eq!(store.keys(), Vec::<String>::new());
    let place = Place::new();
    place.write("a.json", format!("{{\"Records\":[{}]}}", record(1)).as_bytes());
    let logs = place.logs();
    let mut command = process::trimtrail(Path::new(STORE), &["ingest", logs.to_str().unwrap()]);
    assert_eq!(process::ended(store.keep_store(&mut command).output().unwrap()).code, 0);
    let keys = store.keys();
    let (checks, _) = doctor_of_store(&store);
    assert!(text(check(&checks, "store"), "found").starts_with("version 1, schema version"));
    assert_eq!(check(&checks, "store files")["status"], "ok");
    assert_eq!(store.keys(), keys);
    store.put(
        "our trail/50% (ü)/events/event_date=2026-09-01/part-left.parquet",
        "x",
        &[],
    );
    let (checks, code) = doctor_of_store(&store);
    let files = check(&checks, "store files");
    assert_eq!((&files["status"], code), (&"warning".into(), 4));
    assert!(
        text(files, "found").starts_with("1 data file of no table, 1 B"),
        "{files}"
    );
}

#[test]
fn bucket_that_no_store_can_be_in_is_a_failure_with_its_remedy() {
    let store = FakeBucket::writable();
    let failure = |name: &str, remedy: &str| {
        let (checks, code) = doctor_of_store(&store);
        let check = check(&checks, name);
        assert_eq!((&check["status"], code), (&"failure".into(), 1), "{checks:?}");
        assert!(text(check, "remedy").contains(remedy), "{check}");
    };
    store.script(|script| script.writes.is_careless = true);
    failure(
        "store writable",
        "use Amazon S3 or another service with conditional writes",
    );
    store.script(|script| {
        script.writes.is_careless = false;
        script.writes.is_denied = true;
    });
    failure("store writable", "allow `s3:PutObject`");
    store.script(|script| script.list_trouble = Some(Trouble::Denied));
    failure("store list", "allow `s3:ListBucket`");
    store.script(|script| script.list_trouble = Some(Trouble::ExpiredToken));
    failure("store bucket", "log in again");
    assert_eq!(store.keys(), Vec::<String>::new());
    let mut command = process::trimtrail(Path::new(STORE), &["doctor", "--output", "json"]);
    let without = store.keep_store(&mut command).env_remove("AWS_ACCESS_KEY_ID");
    let ended = process::ended(without.output().unwrap());
    assert!(
        ended.code == 1 && ended.stderr.contains("store credentials") && ended.stderr.contains("`--store-profile`"),
        "{ended:?}"
    );
}

/// The printed policy.
fn printed(bucket: &FakeBucket, sources: &[&str]) -> Value {
    bucket.asked();
    let arguments = [&["doctor"], sources, &["--print-iam", "--kms-key", KEY]].concat();
    let ended = run(bucket, &Place::new(), &arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(bucket.asked().is_empty());
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The policy without each statement, action and resource in turn.
pub(crate) fn smaller(policy: &Value) -> Vec<Value> {
    let mut policies = Vec::new();
    for (number, statement) in policy["Statement"].as_array().unwrap().iter().enumerate() {
        let mut without = policy.clone();
        without["Statement"].as_array_mut().unwrap().remove(number);
        policies.push(without);
        for member in ["Action", "Resource"] {
            let values = many(&statement[member]);
            for left_out in values.iter().filter(|_| values.len() > 1) {
                let rest: Vec<&String> = values.iter().filter(|value| *value != left_out).collect();
                let mut without = policy.clone();
                without["Statement"][number][member] = serde_json::to_value(rest).unwrap();
                policies.push(without);
            }
        }
    }
    policies
}

#[test]
fn printed_policy_is_enough_for_a_whole_run_and_nothing_in_it_is_superfluous() {
    let bucket = FakeBucket::new();
    for (prefix, day) in [("", 1), ("trails/a/", 2), ("trails/b*/", 3), ("trails/c/", 4)] {
        object(&bucket, prefix, day);
    }
    let named = object(&bucket, "trails/d/", 5);
    bucket.script(|script| script.kms_key = Some(KEY.to_owned()));
    let single = format!("s3://central-logs/{named}");
    for (sources, objects) in [
        (vec!["s3://central-logs"], 5),
        (vec!["s3://central-logs/trails/a", "s3://central-logs/trails/b*/"], 2),
        (vec![single.as_str()], 1),
    ] {
        bucket.script(|script| script.permissions = None);
        let policy = printed(&bucket, &sources);
        let ingest = |permissions: &Value, place: &Place| {
            bucket.script(|script| script.permissions = Some(Permissions::parse(permissions)));
            run(&bucket, place, &[&["ingest"], sources.as_slice()].concat())
        };
        let place = Place::new();
        let ended = ingest(&policy, &place);
        let wanted = format!("objects  {objects} listed = {objects} ingested");
        assert!(ended.code == 0 && ended.stdout.starts_with(&wanted), "{ended:?}");
        assert_eq!(ingest(&policy, &place).code, 0);
        assert_eq!(
            run(
                &bucket,
                &place,
                &[&["ingest", "--dry-run"], sources.as_slice()].concat()
            )
            .code,
            0
        );
        for less in smaller(&policy) {
            let ended = ingest(&less, &Place::new());
            assert_ne!(ended.code, 0, "{less:#} is enough as well");
        }
    }
}

#[test]
fn neighbouring_prefix_lies_outside_of_the_printed_policy() {
    let bucket = FakeBucket::new();
    object(&bucket, "trails/a/", 1);
    object(&bucket, "trails/ab/", 2);
    let policy = printed(&bucket, &["s3://central-logs/trails/a"]);
    bucket.script(|script| script.permissions = Some(Permissions::parse(&policy)));
    let ended = bucket.ingest(&Place::new().store(), "s3://central-logs/trails/ab", &[]);
    assert!(
        ended.code == 1 && ended.stderr.contains("allow `s3:ListBucket`"),
        "{ended:?}"
    );
    let ended = process::run(&Place::new().store(), &["doctor", "./logs", "--print-iam"]);
    assert_eq!(ended.code, 2, "{ended:?}");
}
