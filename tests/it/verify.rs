//! `verify` as a process: over a copy, over a bucket, over a store; and what each kind of tampering ends with.

mod agreement;

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::bucket::FakeBucket;
use crate::support::bucket::SAMPLE_BUCKET;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

/// The hours of which the sample has digests, and its account and region with them.
const WATCHED: [&str; 8] = [
    "--account",
    "111122223333",
    "--region",
    "eu-west-1",
    "--from",
    "2026-09-14",
    "--to",
    "2026-09-15",
];

/// The same up to where digests of the hours behind are there, too.
const BUT_FOR_THE_LAST_HOUR: [&str; 8] = {
    let mut watched = WATCHED;
    watched[7] = "2026-09-14T23:00:00Z";
    watched
};

/// A copy of the sample's watched account, with its keys.
struct Copied {
    folder: TempDir,
}

impl Copied {
    fn new() -> Self {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs");
        let folder = tempfile::tempdir().unwrap();
        for entry in walkdir::WalkDir::new(sample.join("AWSLogs")) {
            let entry = entry.unwrap();
            let relative = entry.path().strip_prefix(&sample).unwrap();
            let target = folder.path().join(relative);
            if entry.file_type().is_dir() {
                std::fs::create_dir_all(target).unwrap();
            } else if entry.path().to_string_lossy().contains("111122223333") {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
        std::fs::copy(sample.join("public-keys.json"), folder.path().join("keys.json")).unwrap();
        Self { folder }
    }

    fn logs(&self) -> String {
        self.folder.path().join("AWSLogs").display().to_string()
    }

    fn keys(&self) -> String {
        self.folder.path().join("keys.json").display().to_string()
    }

    fn verify(&self, more: &[&str]) -> Ended {
        let (logs, keys) = (self.logs(), self.keys());
        let arguments = ["verify", &logs, "--keys", &keys];
        process::run(&self.folder.path().join("store"), &[&arguments, more].concat())
    }

    fn json(&self, more: &[&str]) -> (i32, Value) {
        let ended = self.verify(&[more, &["--output", "json"]].concat());
        (ended.code, serde_json::from_str(&ended.stdout).unwrap())
    }

    /// Files of the digests, in the order of time; `suffix` chooses them or their metadata.
    fn digests(&self, suffix: &str) -> Vec<PathBuf> {
        let files = walkdir::WalkDir::new(self.folder.path())
            .sort_by_file_name()
            .into_iter();
        let files = files.map(|entry| entry.unwrap().into_path());
        files
            .filter(|path| path.to_string_lossy().contains("_CloudTrail-Digest_"))
            .filter(|path| path.to_string_lossy().ends_with(suffix))
            .collect()
    }

    /// The first log that a digest names.
    fn named_log(&self) -> PathBuf {
        let (_, report) = self.json(&["--all"]);
        let files = report["files"].as_array().unwrap();
        let log = files
            .iter()
            .find(|file| file["kind"] == "log" && file["verdict"] == "valid");
        self.folder.path().join(log.unwrap()["key"].as_str().unwrap())
    }
}

/// Verdicts other than `valid`, and findings of files.
fn faults(report: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for file in report["files"].as_array().unwrap() {
        let verdict = file["verdict"].as_str().unwrap();
        if verdict != "valid" {
            faults.push(verdict.to_owned());
        }
        for finding in file["findings"].as_array().unwrap() {
            faults.push(finding["rule"].as_str().unwrap().to_owned());
        }
    }
    faults
}

#[test]
fn chain_of_the_sample_is_valid_and_logs_of_other_days_are_not_covered() {
    let copied = Copied::new();
    let (code, report) = copied.json(&WATCHED);
    assert_eq!((code, faults(&report)), (0, Vec::new()), "{report:#}");
    let summary = &report["summary"];
    assert_eq!(
        (&summary["result"], &summary["digests"]["valid"]),
        (&"valid".into(), &24.into())
    );
    assert_eq!(report["keys"][0]["digests"], 24);
    assert_eq!(report["keys"][0]["sha256"].as_str().unwrap().len(), 64);
    let all = copied.verify(&[]);
    assert_eq!(all.code, 4, "{}{}", all.stdout, all.stderr);
    assert!(all.stdout.contains("24/24 digest files valid\n"), "{}", all.stdout);
    assert!(
        all.stdout.contains("log files that no digest covers\n"),
        "{}",
        all.stdout
    );
}

#[test]
fn changed_deleted_and_added_files_end_with_exit_code_3_and_are_named() {
    let copied = Copied::new();
    let log = copied.named_log();
    let bytes = std::fs::read(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    let (code, report) = copied.json(&WATCHED);
    assert_eq!((code, faults(&report)), (3, vec!["INVALID: not found".to_owned()]));
    std::fs::write(&log, [bytes.as_slice(), &bytes].concat()).unwrap();
    let (code, report) = copied.json(&WATCHED);
    let trailing = "INVALID: unexpected data after end of compressed stream";
    assert_eq!((code, faults(&report)), (3, vec![trailing.to_owned()]));
    std::fs::write(&log, &bytes).unwrap();
    let digest = &copied.digests(".json.gz")[7];
    let name = digest.file_name().unwrap().to_str().unwrap().replace("T08", "T07");
    std::fs::copy(digest, digest.with_file_name(name)).unwrap();
    let (code, report) = copied.json(&WATCHED);
    assert_eq!(code, 3);
    let moved = "INVALID: has been moved from its original location".to_owned();
    assert!(faults(&report).contains(&moved), "{report:#}");
    let text = copied.verify(&WATCHED).stdout;
    assert!(
        text.contains("_20260914T070000Z.json.gz  INVALID: has been moved"),
        "{text}"
    );
}

#[test]
fn copy_without_metadata_leaves_the_last_digest_unsigned() {
    let copied = Copied::new();
    for path in copied.digests(".meta.json") {
        std::fs::remove_file(path).unwrap();
    }
    let (code, report) = copied.json(&WATCHED);
    assert_eq!(code, 4);
    assert_eq!(report["summary"]["digests"]["valid"], 23);
    assert!(faults(&report)[0].starts_with("UNPROVEN: unsigned tail"), "{report:#}");
}

#[test]
fn missing_digest_and_the_hour_that_it_leaves_open_are_told() {
    let copied = Copied::new();
    for suffix in [".json.gz", ".meta.json"] {
        std::fs::remove_file(&copied.digests(suffix)[23]).unwrap();
    }
    let (code, report) = copied.json(&WATCHED);
    // Nobody names the newest digest: only the end of the window shows that it is missing.
    assert_eq!(code, 4);
    let text = &report["chains"][0]["findings"][0]["text"];
    let wanted = "no valid digest covers the time between 2026-09-14T23:00:00Z and 2026-09-15T00:00:00Z";
    assert_eq!(text, wanted);
    let without_end = copied.verify(&WATCHED[..6]);
    let covered = "covered up to 2026-09-14T23:00:00Z; nothing is proven after it\n";
    assert!(without_end.stdout.contains(covered), "{}", without_end.stdout);
}

#[test]
fn nothing_verified_is_never_success_and_wrong_keys_are_refused() {
    let copied = Copied::new();
    let elsewhere = copied.verify(&["--account", "999999999999"]);
    assert_eq!(elsewhere.code, 4);
    assert!(
        elsewhere.stderr.contains("nothing was verified"),
        "{}",
        elsewhere.stderr
    );
    std::fs::write(copied.keys(), "{\"PublicKeyList\":[]}").unwrap();
    let empty = copied.verify(&[]);
    assert_eq!(empty.code, 1);
    assert!(empty.stderr.contains("holds no key"), "{}", empty.stderr);
    std::fs::write(copied.keys(), "[]").unwrap();
    let other = copied.verify(&[]);
    assert!(
        other.stderr.contains("list-public-keys --output json"),
        "{}",
        other.stderr
    );
}

#[test]
fn store_gives_the_same_report_as_the_files_that_it_was_made_of() {
    let copied = Copied::new();
    let store = copied.folder.path().join("store");
    let ingested = process::run(&store, &["ingest", &copied.logs()]);
    assert!([0, 4].contains(&ingested.code), "{}", ingested.stderr);
    let keys = copied.keys();
    let stored = |more: &[&str]| {
        let arguments = ["verify", "--keys", &keys, "--output", "json"];
        process::run(&store, &[&arguments, more].concat())
    };
    for more in [&BUT_FOR_THE_LAST_HOUR[..], &["--all"]] {
        let from_store = stored(more);
        let from_files = copied.verify(&[more, &["--output", "json"]].concat());
        assert_eq!(
            (from_store.code, from_store.stdout),
            (from_files.code, from_files.stdout)
        );
    }
    // The store knows that a log behind the window, which no digest names, holds events of its last minutes.
    assert_eq!((stored(&WATCHED).code, copied.verify(&WATCHED).code), (4, 0));
}

/// A log that CloudTrail never wrote.
const FORGED: &str = r#"{"Records":[{"eventVersion":"1.11","userIdentity":{"type":"Root","accountId":"111122223333"},"eventTime":"2026-09-14T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"eu-west-1","eventID":"f0f0f0f0-0000-4000-8000-000000000001","eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management"}]}"#;
const DAY_FOLDER: &str = "AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-west-1/2026/09/14";

impl Copied {
    /// Puts a forged log into the copy.
    fn forge(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, FORGED).unwrap();
        path
    }

    fn ingest(&self, sources: &[&str]) {
        let ended = process::run(&self.folder.path().join("store"), &[&["ingest"], sources].concat());
        assert!([0, 4].contains(&ended.code), "{}", ended.stderr);
    }

    /// What the store says.
    fn stored(&self, more: &[&str]) -> (i32, Value) {
        let keys = self.keys();
        let arguments = ["verify", "--keys", &keys, "--output", "json"];
        let ended = process::run(&self.folder.path().join("store"), &[&arguments, more].concat());
        (ended.code, serde_json::from_str(&ended.stdout).unwrap())
    }
}

#[test]
fn log_outside_of_the_folders_of_cloudtrail_is_never_part_of_a_valid_result() {
    let copied = Copied::new();
    let forged = copied.forge("extra/111122223333_CloudTrail_eu-west-1_20260914T1005Z_aaaaaaaaaaaaaaaa.json.gz");
    let (extra, logs) = (forged.parent().unwrap().display().to_string(), copied.logs());
    copied.ingest(&[&logs, &extra]);
    for (code, report) in [
        copied.json(&[&BUT_FOR_THE_LAST_HOUR[..], &[&extra]].concat()),
        copied.stored(&BUT_FOR_THE_LAST_HOUR),
    ] {
        assert_eq!(
            (code, &report["summary"]["result"]),
            (4, &"incomplete".into()),
            "{report:#}"
        );
        assert_eq!(report["summary"]["logs_without_digests"], 1, "{report:#}");
    }
}

#[test]
fn events_of_an_object_that_names_no_account_are_told_as_unplaced() {
    let copied = Copied::new();
    copied.forge(&format!("{DAY_FOLDER}/../stray.json.gz"));
    let notes = copied
        .forge("notes/events.json")
        .parent()
        .unwrap()
        .display()
        .to_string();
    let logs = copied.logs();
    copied.ingest(&[&logs, &notes]);
    let rules = |report: &Value| report["findings"][0]["rule"].clone();
    let (code, report) = copied.stored(&[]);
    assert_eq!((code, rules(&report)), (4, "unplaced".into()), "{report:#}");
    let (code, report) = copied.json(&[]);
    assert_eq!((code, rules(&report)), (4, "unplaced".into()), "{report:#}");
    // A name that tells nothing hides nothing either.
    let (code, report) = copied.json(&[&notes]);
    let text = report["findings"][0]["text"].as_str().unwrap();
    assert!(code == 4 && text.starts_with("2 logs lie outside"), "{report:#}");
}

#[test]
fn forged_log_under_another_name_is_told() {
    for (name, verdict) in [
        ("forged.json.gz", None),
        (
            "111122223333_CloudTrail-Insight_eu-west-1_20260914T1005Z_aaaaaaaaaaaaaaaa.json.gz",
            Some("INVALID: no digest of its hour names it"),
        ),
    ] {
        let copied = Copied::new();
        copied.forge(&format!("{DAY_FOLDER}/{name}"));
        copied.ingest(&[&copied.logs()]);
        for (code, report) in [copied.json(&WATCHED), copied.stored(&WATCHED)] {
            let wanted: Vec<String> = verdict.into_iter().map(str::to_owned).collect();
            let wanted_code = if verdict.is_some() { 3 } else { 4 };
            assert_eq!((code, faults(&report)), (wanted_code, wanted), "{name} {report:#}");
        }
    }
}

#[test]
fn of_several_copies_of_a_log_the_worst_counts() {
    let copied = Copied::new();
    let log = copied.named_log();
    let relative = log
        .strip_prefix(copied.folder.path().join("AWSLogs"))
        .unwrap()
        .to_owned();
    let other = copied.folder.path().join("other/AWSLogs");
    for entry in walkdir::WalkDir::new(copied.logs()) {
        let entry = entry.unwrap();
        let target = other.join(entry.path().strip_prefix(copied.logs()).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(target).unwrap(),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
    let both = other.display().to_string();
    let genuine = std::fs::read(&log).unwrap();
    for tampered in [log, other.join(relative)] {
        std::fs::write(&tampered, FORGED).unwrap();
        let (code, report) = copied.json(&[&WATCHED[..], &[&both]].concat());
        assert_eq!(code, 3, "{report:#}");
        assert!(faults(&report).contains(&"different-copies".to_owned()), "{report:#}");
        std::fs::write(&tampered, &genuine).unwrap();
    }
}

#[test]
fn log_that_was_put_back_after_its_forgery_was_stored_does_not_hide_it() {
    let copied = Copied::new();
    let log = copied.named_log();
    let genuine = std::fs::read(&log).unwrap();
    std::fs::write(&log, FORGED).unwrap();
    copied.ingest(&[&copied.logs()]);
    std::fs::write(&log, &genuine).unwrap();
    copied.ingest(&[&copied.logs()]);
    let (code, report) = copied.stored(&WATCHED);
    // It was not even compressed.
    let wanted = ["INVALID: invalid format", "different-copies"];
    assert_eq!((code, faults(&report)), (3, wanted.map(str::to_owned).to_vec()));
}

#[test]
fn bucket_gives_its_metadata_and_a_digest_without_a_signature_is_invalid() {
    let copied = Copied::new();
    let bucket = FakeBucket::new();
    bucket.put_folder(&copied.folder.path().join("AWSLogs"), "AWSLogs/");
    let (source, keys) = (format!("s3://{SAMPLE_BUCKET}"), copied.keys());
    let place = Place::new();
    let verify = || {
        let arguments = ["verify", &source, "--keys", &keys, "--output", "json"];
        let ended = bucket.run(&place.store(), &[&arguments, &WATCHED[..]].concat());
        let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
        (ended.code, report)
    };
    let (code, report) = verify();
    assert_eq!((code, faults(&report)), (0, Vec::new()), "{report:#}");
    assert_eq!(report["summary"]["digests"]["valid"], 24);
    let endless = bucket.run(
        &place.store(),
        &[&["verify", &source, "--keys", &keys], &WATCHED[..6]].concat(),
    );
    assert!(
        endless.stderr.contains("digests end at 2026-09-15T00:00:00Z"),
        "{}",
        endless.stderr
    );
    let digest = &copied.digests(".json.gz")[9];
    let key = digest.strip_prefix(copied.folder.path()).unwrap().to_str().unwrap();
    bucket.put(key, std::fs::read(digest).unwrap(), &[]);
    let (code, report) = verify();
    assert_eq!(code, 3);
    assert_eq!(faults(&report)[0], "INVALID: signature verification failed");
}
