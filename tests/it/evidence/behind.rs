//! What lies behind a period, in other folders, or is not there at all: nothing of it makes an hour proven that is not.

use jiff::ToSpan;

use super::standing::Proven;
use super::standing::assert_doubted;
use super::standing::first;
use super::standing::log_of;
use super::standing::told;
use super::*;
use crate::support::digests;
use crate::support::digests::Call;

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// Removes the files with one of these parts in their paths.
fn remove(proven: &Proven, parts: &[&str]) {
    for entry in walkdir::WalkDir::new(proven.path("AWSLogs")) {
        let path = entry.unwrap().into_path();
        let name = path.to_string_lossy();
        if path.is_file() && parts.iter().all(|part| name.contains(part)) {
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn lost_digest_behind_a_period_leaves_everything_in_doubt() {
    // Of the hour behind, of the one after it, and of one behind these.
    for (stamp, open) in [("050000", 2), ("060000", 1), ("080000", 0)] {
        let proven = Proven::of(&REGIONS);
        digests::write_hours(proven.folder.path(), &REGIONS, &[Call::Read, Call::Write], first(), 9);
        remove(
            &proven,
            &["_CloudTrail-Digest_us-east-1_", &format!("_20240302T{stamp}Z")],
        );
        proven.ingest();
        assert_doubted(&proven, |standing| standing == "unknown");
        let [(coverage, rows), (verified, report)] = told(&proven);
        assert_eq!((coverage, verified), (0, 4), "{rows} {report}");
        assert_eq!(rows.matches("delivery-open").count(), open, "{stamp}: {rows}");
        assert!(report.contains("is not there as the next digest states"), "{report}");
    }
}

#[test]
fn log_that_is_delivered_long_after_its_call_is_missed_in_the_hour_of_the_call() {
    let proven = Proven::of(&REGIONS);
    proven.ingest();
    let arguments = |until: &str| {
        let window = ["--since", "2024-03-02T00:00:00Z", "--until", until];
        [&["coverage", "--by", "hour", "--output", "csv"][..], &window]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let lost = Proven::of(&REGIONS);
    fs::remove_file(lost.path(&log_of("20240302T0205Z", "0202"))).unwrap();
    lost.ingest();
    for until in ["2024-03-02T02:00:00Z", "2024-03-02T04:00:00Z"] {
        let arguments = arguments(until);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(proven.run(&arguments).code, 0);
        let ended = lost.run(&arguments);
        let of_the_call = ended
            .stdout
            .lines()
            .find(|line| line.contains("us-east-1,2024-03-02T01:00:00Z"));
        let is_told = of_the_call.is_some_and(|line| line.contains("incomplete,log-missing"));
        assert!(ended.code == 4 && is_told, "{until}: {ended:?}");
    }
}

#[test]
fn region_of_which_nothing_is_left_in_a_window_is_not_covered() {
    let proven = Proven::of(&REGIONS);
    // The first hour lies before the window.
    for hour in 1..=5 {
        remove(&proven, &["eu-west-1", &format!("_20240302T0{hour}")]);
    }
    remove(&proven, &["eu-west-1", "_20240302T0005Z_"]);
    proven.ingest();
    let [_, (verified, report)] = told(&proven);
    assert_eq!(verified, 4, "{report}");
    assert!(report.contains("no valid digest covers the time between"), "{report}");
    let keys = format!("us-east-1={}", proven.path("keys.json"));
    let window = ["--from", "2024-03-02T00:00:00Z", "--to", "2024-03-02T04:00:00Z"];
    let folder = proven.run(&[&["verify", &proven.path("AWSLogs"), "--keys", &keys][..], &window].concat());
    assert_eq!(folder.code, 4, "{folder:?}");
}

#[test]
fn store_that_was_fed_from_two_folders_knows_of_which_bucket_each_is_a_copy() {
    let proven = Proven::of(&REGIONS);
    let begin = first() - 12.hours();
    digests::write_hours(proven.folder.path(), &REGIONS, &[Call::Read, Call::Write], begin, 16);
    let mut folders = BTreeSet::new();
    for entry in walkdir::WalkDir::new(proven.path("AWSLogs")) {
        let path = entry.unwrap().into_path();
        if !path.is_file() {
            continue;
        }
        let name = path.to_string_lossy().into_owned();
        let is_early = name.contains("_20240301T") || name.contains("_20240302T000000Z");
        let copy = if is_early { "copy-1" } else { "copy-2" };
        let target = name.replacen("/AWSLogs/", &format!("/{copy}/AWSLogs/"), 1);
        fs::create_dir_all(Path::new(&target).parent().unwrap()).unwrap();
        fs::rename(&path, &target).unwrap();
        folders.insert(copy);
    }
    for copy in folders {
        let ended = proven.run(&["ingest", &proven.path(copy), "--quiet"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let [(coverage, rows), (verified, report)] = told(&proven);
    assert_eq!((coverage, verified), (0, 0), "{rows} {report}");
}

#[test]
fn object_in_the_folder_of_another_account_proves_no_hour_of_this_one() {
    let proven = Proven::of(&REGIONS);
    let log = log_of("20240302T0205Z", "0202");
    let decoy = proven.folder.path().join(log.replace(digests::ACCOUNT, "000000000001"));
    fs::create_dir_all(decoy.parent().unwrap()).unwrap();
    fs::copy(proven.path(&log), &decoy).unwrap();
    let ended = proven.run(&["ingest", &decoy.display().to_string(), "--quiet"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    proven.ingest();
    let arguments = [
        "coverage",
        "--account",
        digests::ACCOUNT,
        "--since",
        "2024-03-02T00:00:00Z",
        "--until",
        "2024-03-02T04:00:00Z",
        "--by",
        "hour",
        "--output",
        "csv",
    ];
    let ended = proven.run(&arguments);
    assert_eq!(ended.code, 4, "{ended:?}");
    let told = ended
        .stdout
        .lines()
        .filter(|line| line.contains("log-not-named"))
        .count();
    assert_eq!(told, 1, "{ended:?}");
}
