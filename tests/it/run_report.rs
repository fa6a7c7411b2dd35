//! What a batch job learns of a run: the report, and the log of its steps.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::ingest::record;
use crate::support::bucket::FakeBucket;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;
use crate::support::schema::violations;

const SCHEMA: &str = include_str!("../../docs/run-report.schema.json");
const SOURCE: &str = "s3://central-logs/";

fn days(bucket: &FakeBucket, days: std::ops::RangeInclusive<usize>) {
    for day in days {
        let key = format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/{day:02}/a.json");
        bucket.put(&key, format!("{{\"Records\":[{}]}}", record(day)), &[]);
    }
}

/// The report, which follows the schema and balances.
fn report(path: &Path) -> Value {
    let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let found = violations(&serde_json::from_str(SCHEMA).unwrap(), &report);
    assert!(found.is_empty(), "{found:#?}");
    let (objects, records) = (&report["objects"], &report["records"]);
    let parts: i64 = ["ingested", "known", "rejected", "left_over"]
        .iter()
        .map(|part| number(objects, part))
        .sum();
    assert_eq!(number(objects, "listed"), parts, "{objects}");
    let states: i64 = objects["by_state"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_i64().unwrap())
        .sum();
    assert_eq!(
        states,
        number(objects, "ingested") + number(objects, "rejected"),
        "{objects}"
    );
    let parts: i64 = ["stored", "duplicates", "rejected"]
        .iter()
        .map(|part| number(records, part))
        .sum();
    assert_eq!(number(records, "read"), parts, "{records}");
    report
}

fn reported(place: &Place, arguments: &[&str]) -> (Ended, Value) {
    let path = place.folder().join("run.json");
    let ended = process::run(
        &place.store(),
        &[arguments, &["--report", path.to_str().unwrap()]].concat(),
    );
    let report = report(&path);
    assert_eq!(number(&report["exit"], "code"), i64::from(ended.code), "{ended:?}");
    (ended, report)
}

#[test]
fn report_counts_what_the_summary_counts_and_names_what_went_wrong() {
    let place = Place::new();
    place.write(
        "a.json",
        format!("{{\"Records\":[{},{}]}}", record(1), record(1)).as_bytes(),
    );
    place.write("\u{1b}[2Jcut.json", b"{\"Records\":[{\"eventVersion\":");
    let logs = place.logs();
    let arguments = [
        "ingest",
        logs.to_str().unwrap(),
        "--from",
        "2026-01-01",
        "--memory",
        "64MiB",
    ];
    let (ended, report) = reported(&place, &arguments);
    assert_eq!((ended.code, &report["is_complete"]), (4, &false.into()));
    assert_eq!(
        report["records"],
        json!({"read": 3, "stored": 1, "duplicates": 1, "rejected": 1, "without_time": 0})
    );
    assert_eq!(
        (
            &report["objects"]["by_state"]["ingested"],
            &report["objects"]["by_state"]["corrupt"]
        ),
        (&1.into(), &1.into())
    );
    assert_eq!(report["arguments"]["first_day"], "2026-01-01");
    assert_eq!(report["arguments"]["memory_bytes"], 64 << 20);
    assert_eq!(
        (&report["store"]["version_before"], &report["store"]["version_after"]),
        (&0.into(), &1.into())
    );
    assert_eq!(
        report["commits"],
        json!({"made": 1, "conflicts": 0, "files_written": 1})
    );
    let bytes: i64 = place
        .rows(&["store", "info"])
        .iter()
        .filter(|row| row["table"] == "events")
        .map(|row| number(row, "bytes"))
        .sum();
    assert_eq!(number(&report["bytes"], "written"), bytes);
    assert_eq!(
        (&report["errors"]["count"], &report["requests"]),
        (&1.into(), &Value::Null)
    );
    let runs = place.sql("select distinct run_id from objects");
    assert_eq!(report["run_id"], runs[0]["run_id"]);
    let raw = std::fs::read_to_string(place.folder().join("run.json")).unwrap();
    assert!(!raw.contains('\u{1b}'), "{raw}");
}

#[test]
fn report_is_written_when_the_run_fails_is_refused_or_only_looks() {
    let place = Place::new();
    let (ended, report) = reported(&place, &["ingest", "/no/such/folder"]);
    assert_eq!((ended.code, &report["errors"]["first"][0]["kind"]), (1, &"run".into()));
    let (ended, report) = reported(&place, &["ingest", "logs", "--from", "soon"]);
    assert_eq!((ended.code, &report["store"]["location"]), (2, &Value::Null));
    place.write("a.json", format!("{{\"Records\":[{}]}}", record(1)).as_bytes());
    let logs = place.logs();
    let (ended, report) = reported(&place, &["ingest", logs.to_str().unwrap(), "--dry-run"]);
    assert_eq!((ended.code, number(&report["objects"], "left_over")), (0, 1));
    for (path, code) in [("-", 2), ("/no/such/folder/run.json", 1)] {
        let ended = process::run(&place.store(), &["ingest", logs.to_str().unwrap(), "--report", path]);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(!place.store().exists(), "the report comes first");
    }
}

#[test]
fn report_of_a_stopped_run_says_so() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=28);
    bucket.script(|script| script.latency = Duration::from_millis(700));
    let place = Place::new();
    let path = place.folder().join("run.json");
    let arguments = ["ingest", SOURCE, "--report", path.to_str().unwrap()];
    let mut child = bucket.command(&place.store(), &arguments).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(!path.exists());
    let kill = std::process::Command::new("kill")
        .args(["-s", "TERM", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let report = report(&path);
    assert_eq!(
        (&report["exit"]["code"], &report["is_complete"]),
        (&143.into(), &false.into())
    );
}

#[test]
fn requests_and_throttling_are_counted_as_the_bucket_counts_them() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=28);
    bucket.script(|script| script.busy_percent = 30);
    let place = Place::new();
    let path = place.folder().join("run.json");
    let ended = bucket.ingest(&place.store(), SOURCE, &["--report", path.to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let requests = report(&path)["requests"].clone();
    let asked = bucket.asked();
    let count = |verb: &str| i64::try_from(asked.iter().filter(|asked| asked.verb == verb).count()).unwrap();
    assert_eq!(
        (
            number(&requests, "get"),
            number(&requests, "list"),
            number(&requests, "head")
        ),
        (count("GET"), count("LIST"), 0)
    );
    let throttled = number(&requests, "throttled");
    assert!(
        throttled > 0 && throttled == number(&requests, "repeated"),
        "{requests}"
    );
}

#[test]
fn requests_to_the_bucket_of_the_store_are_counted_as_it_counts_them() {
    let store = FakeBucket::writable();
    store.script(|script| script.busy_percent = 20);
    let place = Place::new();
    place.write("a.json", format!("{{\"Records\":[{}]}}", record(1)).as_bytes());
    let (logs, path) = (place.logs(), place.folder().join("run.json"));
    let arguments = ["ingest", logs.to_str().unwrap(), "--report", path.to_str().unwrap()];
    let mut command = process::trimtrail(Path::new(""), &arguments);
    let ended = process::ended(store.keep_store(&mut command).output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = report(&path);
    assert_eq!(report["requests"], Value::Null);
    let requests = &report["store_requests"];
    let asked = store.asked();
    let count = |verbs: &[&str]| {
        let asked = asked.iter().filter(|asked| verbs.contains(&asked.verb.as_str()));
        i64::try_from(asked.count()).unwrap()
    };
    let told = ["list", "get", "head", "put", "delete"].map(|verb| number(requests, verb));
    let wanted = [&["LIST"][..], &["GET"], &["HEAD"], &["PUT", "CREATE"], &["DELETE"]].map(count);
    assert_eq!(told, wanted, "{asked:?}");
    assert!(
        number(requests, "put") > 4 && number(requests, "throttled") > 0,
        "{requests}"
    );
}

#[test]
fn log_in_json_tells_every_step_and_no_secret() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=28);
    bucket.put(
        "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/28/\u{1b}[2J.json",
        "{",
        &[],
    );
    bucket.script(|script| script.busy_percent = 30);
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &["--log", "json", "--log-level", "trace"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    for span in ["listing", "list", "fetch", "decode", "stage", "commit"] {
        let is_told = |line: &&Value| line["spans"] == json!([span]) && line["seconds"].is_number();
        assert!(lines.iter().any(|line| is_told(&line)), "no end of {span}");
    }
    let repeated = lines
        .iter()
        .find(|line| line["message"] == "request is repeated")
        .unwrap();
    assert!(
        repeated["reason"].as_str().unwrap().contains("503 SlowDown"),
        "{repeated}"
    );
    let committed = lines.iter().filter(|line| line["message"] == "committed");
    assert_eq!(committed.map(|line| number(line, "objects")).sum::<i64>(), 29);
    let bad = lines
        .iter()
        .find(|line| line["message"] == "object is not read whole")
        .unwrap();
    assert!(
        bad["level"] == "warn" && bad["uri"].as_str().unwrap().ends_with("/\u{1b}[2J.json"),
        "{bad}"
    );
    for secret in ["AKIDEXAMPLE", "Signature", "uthorization", "X-Amz", "\u{1b}"] {
        assert!(!ended.stderr.contains(secret), "{secret}");
    }
    assert!(ended.stdout.starts_with("objects  29 listed"), "{ended:?}");
}

#[test]
fn log_is_off_unless_asked_for_and_info_tells_the_large_steps_only() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=1);
    let silent = bucket.ingest(&Place::new().store(), SOURCE, &["--quiet"]);
    assert_eq!((silent.code, silent.stderr.as_str()), (0, ""));
    let mut command = bucket.command(&Place::new().store(), &["ingest", SOURCE, "--quiet"]);
    let told = process::ended(command.env("TRIMTRAIL_LOG", "text").output().unwrap());
    let messages: Vec<&str> = told
        .stderr
        .lines()
        .filter_map(|line| line.split_once(" INFO "))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(messages.len(), told.stderr.lines().count(), "{told:?}");
    assert_eq!(messages.len(), 2, "{told:?}");
    assert!(
        messages[0].starts_with("listed new=1 known=0") && messages[1].contains("committed version=1 objects=1"),
        "{told:?}"
    );
}
