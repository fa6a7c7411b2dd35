//! `coverage` as a process: what is planted in the sample, and what was taken away from a copy of it, hour by hour.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::support::json::number;
use crate::support::json::text;
use crate::support::process;
use crate::support::process::Ended;

const PROD: &str = "111122223333";

/// A copy of the sample that can be spoilt before it is read.
struct Copied {
    folder: TempDir,
}

impl Copied {
    fn new() -> Self {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs");
        let folder = tempfile::tempdir().unwrap();
        for entry in walkdir::WalkDir::new(sample.join("AWSLogs")) {
            let entry = entry.unwrap();
            let target = folder.path().join(entry.path().strip_prefix(&sample).unwrap());
            match entry.file_type().is_dir() {
                true => std::fs::create_dir_all(target).unwrap(),
                false => std::fs::copy(entry.path(), target).map(|_| ()).unwrap(),
            }
        }
        std::fs::copy(sample.join("public-keys.json"), folder.path().join("keys.json")).unwrap();
        Self { folder }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        process::run(&self.path("store"), arguments)
    }

    fn ingest(&self) {
        let logs = self.path("AWSLogs").display().to_string();
        let ended = self.run(&["ingest", &logs, "--quiet"]);
        assert!(matches!(ended.code, 0 | 4), "{ended:?}");
    }

    fn rows(&self, arguments: &[&str]) -> (i32, Vec<Value>) {
        let ended = self.run(&[&["coverage", "--output", "json"], arguments].concat());
        (
            ended.code,
            serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}")),
        )
    }

    /// Files of the last day's digests, in the order of their hours.
    fn digests(&self) -> Vec<PathBuf> {
        let files = walkdir::WalkDir::new(self.path("AWSLogs"))
            .sort_by_file_name()
            .into_iter();
        let files = files.map(|entry| entry.unwrap().into_path());
        files
            .filter(|path| path.to_string_lossy().contains("_CloudTrail-Digest_"))
            .filter(|path| path.to_string_lossy().ends_with(".json.gz"))
            .collect()
    }
}

/// `account region hour: reason` of every row in one of these states.
fn said(rows: &[Value], states: &[&str]) -> BTreeSet<String> {
    let rows = rows
        .iter()
        .filter(|row| states.contains(&row["state"].as_str().unwrap()));
    let line = |row: &Value| {
        let parts = ["account_id", "region", "hour", "reason"].map(|field| text(row, field));
        parts.join(" ")
    };
    rows.map(line).collect()
}

fn hours(range: std::ops::Range<u32>, reason: &str) -> Vec<String> {
    let hours = range.map(|hour| format!("{PROD} eu-west-1 2026-09-14T{hour:02}:00:00Z {reason}"));
    hours.collect()
}

fn set(lines: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    lines.into_iter().collect()
}

#[test]
fn coverage_of_the_sample_is_what_is_planted_hour_by_hour() {
    let copied = Copied::new();
    copied.ingest();
    let (code, rows) = copied.rows(&["--by", "hour"]);
    assert_eq!(code, 4, "an object and a record are lost");
    // Five accounts, five regions, fourteen days.
    assert_eq!(rows.len(), 5 * 5 * 14 * 24);
    let expected = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-logs/expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let planted = |list: &str, reason: &str| {
        let key = text(&expected[list][0], "key");
        let name = key.rsplit('/').next().unwrap().to_owned();
        let parts: Vec<&str> = name.split('_').collect();
        let (date, hour) = (parts[3].get(..8).unwrap(), parts[3].get(9..11).unwrap());
        let day = format!(
            "{}-{}-{}",
            date.get(..4).unwrap(),
            date.get(4..6).unwrap(),
            date.get(6..).unwrap()
        );
        format!("{} {} {day}T{hour}:00:00Z {reason}", parts[0], parts[2])
    };
    let lost = [
        planted("corrupt_objects", "object-rejected"),
        planted("rejects", "record-rejected, starting-digest"),
    ];
    assert_eq!(said(&rows, &["incomplete"]), set(lost));
    // No digest is there of the hour behind the last one.
    assert_eq!(said(&rows, &["complete"]), set(hours(0..23, "")));
    assert!(said(&rows, &["recorded"]).is_superset(&set(hours(23..24, "log-not-covered, delivery-open"))));
    let events: i64 = rows.iter().map(|row| number(row, "events")).sum();
    assert_eq!(events, number(&expected["records"], "events"));
    let sum = |field: &str| rows.iter().map(|row| number(row, field)).sum::<i64>();
    assert_eq!((sum("digests_expected"), sum("digests_found")), (24, 24));
    assert_eq!(sum("logs_named"), number(&expected, "digest_log_files"));
    assert_eq!(sum("logs_rejected"), number(&expected["objects"], "corrupt"));
    assert!(rows.iter().all(|row| row["digests_valid"].is_null()));
}

#[test]
fn tables_have_the_rows_of_the_command() {
    let copied = Copied::new();
    copied.ingest();
    let selected = |statement: &str| -> Vec<Value> {
        let ended = copied.run(&["sql", statement, "--output", "json"]);
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
    };
    assert_eq!(selected("select * from coverage"), copied.rows(&[]).1);
    let window = ["--since", "2026-09-03", "--until", "2026-09-05"];
    assert_eq!(
        selected("select * from coverage_by_hour('2026-09-03', '2026-09-05')"),
        copied.rows(&[&["--by", "hour"][..], &window].concat()).1
    );
    for (arguments, code, message) in [
        ("'2026-09-05', '2026-09-03'", 2, "the window is empty"),
        ("'0001-01-01'", 1, "more than 4000 days"),
        ("'2026-09-05', '2026-09-06', 3", 1, "write `coverage(since, until)`"),
    ] {
        let ended = copied.run(&["sql", &format!("select * from coverage({arguments})")]);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stderr.contains(message), "{ended:?}");
    }
}

#[test]
fn what_was_taken_away_is_told_with_its_hour_and_reason() {
    let copied = Copied::new();
    let digests = copied.digests();
    // An hour in the middle, and the newest, which no other digest names.
    std::fs::remove_file(&digests[3]).unwrap();
    std::fs::remove_file(&digests[23]).unwrap();
    let logs: Vec<PathBuf> = named_logs(&copied);
    std::fs::remove_file(&logs[0]).unwrap();
    std::fs::copy(&logs[2], &logs[1]).unwrap();
    copied.ingest();
    let window = [
        "--by",
        "hour",
        "--account",
        PROD,
        "--region",
        "eu-west-1",
        "--since",
        "2026-09-14",
        "--until",
        "2026-09-15",
    ];
    let (code, rows) = copied.rows(&window);
    assert_eq!((code, rows.len()), (4, 24));
    let hour_of = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let stamp = name.split('_').nth(3).unwrap().to_owned();
        format!("2026-09-14T{}:00:00Z", stamp.get(9..11).unwrap())
    };
    // In the hours of their delivery, in those of their events as the digests state them, and of the events that there are. And in
    // the two hours before a lost digest, which may have named logs of them.
    assert_eq!(
        [&logs[0], &logs[1]].map(|log| hour_of(log)),
        ["2026-09-14T05:00:00Z", "2026-09-14T11:00:00Z"]
    );
    let mut wanted = set(hours(0..1, "log-missing"));
    wanted.extend(hours(1..3, "log-missing, delivery-open"));
    wanted.extend(hours(3..4, "digest-missing, log-missing"));
    wanted.extend(hours(4..5, "log-missing"));
    wanted.extend(hours(5..6, "log-missing, log-changed"));
    wanted.extend(hours(6..17, "log-changed"));
    wanted.extend(hours(23..24, "digest-missing"));
    wanted.extend(hours(17..18, "log-changed, log-not-covered"));
    assert_eq!(said(&rows, &["incomplete"]), wanted);
    // No digest names a log of the last hour any more, which holds events of six hours before.
    let mut open = set(hours(18..22, "log-not-covered"));
    open.extend(hours(22..23, "log-not-covered, delivery-open"));
    assert_eq!(said(&rows, &["recorded"]), open);
    assert_eq!(said(&rows, &["complete"]).len(), 24 - wanted.len() - 5);
}

/// The logs that digests name, in the order of time.
fn named_logs(copied: &Copied) -> Vec<PathBuf> {
    let (logs, keys) = (copied.path("AWSLogs"), copied.path("keys.json"));
    let arguments = [
        "verify",
        logs.to_str().unwrap(),
        "--keys",
        keys.to_str().unwrap(),
        "--all",
        "--output",
        "json",
    ];
    let ended = copied.run(&arguments);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let files = report["files"].as_array().unwrap().iter();
    let named = files.filter(|file| file["kind"] == "log" && file["verdict"] == "valid");
    named.map(|file| copied.path(&text(file, "key"))).collect()
}

#[test]
fn signatures_are_checked_with_keys() {
    let copied = Copied::new();
    // The signature of this one no longer fits.
    let digest = &copied.digests()[3];
    let metadata = PathBuf::from(format!("{}.meta.json", digest.display()));
    let spoilt = std::fs::read_to_string(&metadata)
        .unwrap()
        .replacen(": \"", ": \"00", 1);
    let spoilt = spoilt.replacen(":\"", ":\"00", 2);
    std::fs::write(&metadata, spoilt).unwrap();
    copied.ingest();
    let keys = copied.path("keys.json");
    let (code, rows) = copied.rows(&["--by", "hour", "--keys", keys.to_str().unwrap(), "--account", PROD]);
    assert_eq!(code, 4);
    let invalid: Vec<String> = said(&rows, &["incomplete"])
        .into_iter()
        .filter(|line| line.contains("digest-invalid"))
        .collect();
    assert_eq!(invalid, hours(3..4, "digest-invalid"));
    let valid: i64 = rows.iter().map(|row| number(row, "digests_valid")).sum();
    assert_eq!(valid, 23);
}

/// A trail that is stopped and started, and an account that is made.
fn trail_records() -> Value {
    let record = |name: &str, time: &str, more: Value| {
        let mut record = json!({
            "eventVersion": "1.11", "eventTime": time, "eventName": name, "awsRegion": "us-east-1",
            "eventSource": "cloudtrail.amazonaws.com", "eventID": format!("{name}-{time}"), "readOnly": false,
            "eventType": "AwsApiCall", "eventCategory": "Management", "recipientAccountId": PROD,
            "userIdentity": {"type": "Root", "arn": format!("arn:aws:iam::{PROD}:root"), "accountId": PROD},
        });
        record
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        record
    };
    let trail = json!({"requestParameters": {"name": format!("arn:aws:cloudtrail:us-east-1:{PROD}:trail/own")}});
    let joined = json!({
        "eventSource": "organizations.amazonaws.com", "eventType": "AwsServiceEvent",
        "serviceEventDetails": {"createAccountStatus": {"accountId": "777788889999", "state": "SUCCEEDED"}},
    });
    json!({"Records": [
        record("DescribeTrails", "2026-09-01T10:00:00Z", json!({})),
        record("StopLogging", "2026-09-03T06:30:00Z", trail.clone()),
        record("StartLogging", "2026-09-05T08:00:00Z", trail),
        record("CreateAccountResult", "2026-09-06T09:00:00Z", joined),
        record("DescribeTrails", "2026-09-07T10:00:00Z", json!({"recipientAccountId": "777788889999"})),
    ]})
}

#[test]
fn stopped_trail_and_new_account_explain_what_is_missing() {
    let place = process::Place::new();
    place.write("events.json", trail_records().to_string().as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let ended = process::run(&place.store(), &["coverage", "--output", "json"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let said: Vec<String> = rows
        .iter()
        .map(|row| {
            ["account_id", "day", "state", "reason"]
                .map(|field| text(row, field))
                .join(" ")
        })
        .collect();
    assert_eq!(
        said,
        [
            "111122223333 2026-09-01 recorded ",
            "111122223333 2026-09-02 silent unknown",
            "111122223333 2026-09-03 recorded logging-stopped",
            "111122223333 2026-09-04 silent logging-stopped",
            "111122223333 2026-09-05 recorded logging-stopped",
            "111122223333 2026-09-06 recorded after-last-log",
            "111122223333 2026-09-07 silent after-last-log",
            "777788889999 2026-09-01 silent account-joined",
            "777788889999 2026-09-02 silent account-joined",
            "777788889999 2026-09-03 silent account-joined",
            "777788889999 2026-09-04 silent account-joined",
            "777788889999 2026-09-05 silent account-joined",
            "777788889999 2026-09-06 silent account-joined, before-first-log",
            "777788889999 2026-09-07 recorded before-first-log",
        ]
    );
    let calendar = process::run(&place.store(), &["coverage"]);
    assert!(
        calendar.stdout.contains("111122223333  us-east-1  +.xxx+."),
        "{}",
        calendar.stdout
    );
    assert!(
        calendar
            .stdout
            .contains("2026-09-03 to 2026-09-05  111122223333  us-east-1  logging-stopped: `StopLogging` of `own`"),
        "{}",
        calendar.stdout
    );
}

#[test]
fn region_that_runs_left_out_is_told() {
    let copied = Copied::new();
    let logs = copied.path("AWSLogs").display().to_string();
    let ended = copied.run(&["ingest", &logs, "--quiet", "--region", "eu-west-1"]);
    assert!(matches!(ended.code, 0 | 4), "{ended:?}");
    let more = std::fs::read_dir(
        copied
            .path("AWSLogs/o-exampleorgid")
            .join(PROD)
            .join("CloudTrail/us-west-2/2026/09/02"),
    );
    let more = more.unwrap().next().unwrap().unwrap().path().display().to_string();
    copied.run(&["ingest", &more, "--quiet"]);
    let (_, rows) = copied.rows(&["--account", PROD, "--region", "us-west-2", "--until", "2026-09-04"]);
    let reasons: Vec<String> = rows.iter().map(|row| text(row, "reason")).collect();
    assert!(
        reasons[0].contains("region-left-out") && reasons[2].contains("region-left-out"),
        "{reasons:?}"
    );
    assert!(!reasons[1].contains("region-left-out"), "{reasons:?}");
}

#[test]
fn calendar_picture_and_settings_show_the_sample() {
    let copied = Copied::new();
    copied.ingest();
    let svg = copied.path("coverage.svg");
    let ended = copied.run(&["coverage", "--svg", svg.to_str().unwrap()]);
    let text_of = &ended.stdout;
    assert!(
        text_of.contains("111122223333  eu-west-1       ++++++!+++++++\n"),
        "{text_of}"
    );
    assert!(
        text_of.contains("777788889999  eu-central-1    +++++!++++++++\n"),
        "{text_of}"
    );
    assert!(
        text_of.contains("210987654321  ap-southeast-1  --------------\n"),
        "{text_of}"
    );
    let picture = std::fs::read_to_string(svg).unwrap();
    assert!(picture.starts_with("<svg ") && picture.contains("class=\"incomplete\""));
    let (_, settings) = copied.rows(&["--settings"]);
    let s3: BTreeSet<String> = settings
        .iter()
        .filter(|row| row["resource_type"] == "AWS::S3::Object" && row["reads"] == true)
        .map(|row| text(row, "account_id"))
        .collect();
    assert_eq!(s3, BTreeSet::from([PROD.to_owned()]));
    assert_eq!(settings.iter().filter(|row| row["category"] == "management").count(), 5);
}

#[test]
fn calendar_and_picture_are_of_days() {
    let copied = Copied::new();
    for (arguments, message) in [
        (&["--by", "hour", "--output", "calendar"][..], "`--by hour` is for rows"),
        (
            &["--by", "hour", "--output", "csv", "--svg", "x.svg"],
            "`--by hour` is for rows",
        ),
        (&["--settings", "--output", "calendar"], "`--settings` gives rows"),
    ] {
        let ended = copied.run(&[&["coverage"], arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(message), "{ended:?}");
    }
}

#[test]
fn window_without_end_or_sense_is_refused() {
    let copied = Copied::new();
    copied.ingest();
    let empty = copied.run(&["coverage", "--since", "2026-09-10", "--until", "2026-09-10"]);
    assert_eq!(empty.code, 2, "{empty:?}");
    let long = copied.run(&["coverage", "--since", "0001-01-01", "--until", "2026-09-10"]);
    assert!(long.code == 2 && long.stderr.contains("4000 days"), "{long:?}");
}
