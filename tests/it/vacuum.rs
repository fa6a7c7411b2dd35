//! `store vacuum`: what killed runs left goes, and nothing else, whoever works on the store meanwhile.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;

use crate::ingest::write_object;
use crate::s3_store;
use crate::stopped::assert_clean;
use crate::stopped::fingerprint;
use crate::support::bucket::FakeBucket;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;
use crate::workers::overlapping_logs;
use crate::workers::run;

/// Makes all files of a folder look as if they had been written so many days ago.
fn age(folder: &Path, days: i64) {
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            let file = File::options().write(true).open(entry.path()).unwrap();
            file.set_modified((Timestamp::now() - SignedDuration::from_hours(24 * days)).into())
                .unwrap();
        }
    }
}

fn files(place: &Place) -> BTreeSet<PathBuf> {
    let entries = walkdir::WalkDir::new(place.store()).into_iter().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// Runs a command that dies at a point.
fn killed(mut command: Command, point: &str) {
    let output = command
        .env("TRIMTRAIL_FAILPOINT", format!("{point}=abort"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), None, "{output:?}");
}

fn kill_ingest(place: &Place, point: &str) {
    let logs = place.logs();
    killed(
        process::trimtrail(&place.store(), &["ingest", logs.to_str().unwrap()]),
        point,
    );
}

fn paths(ended: &Ended) -> Vec<String> {
    assert_eq!(ended.code, 0, "{ended:?}");
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    rows.iter()
        .map(|row| row["path"].as_str().unwrap().to_owned())
        .collect()
}

fn vacuum(place: &Place, options: &[&str]) -> Ended {
    let arguments = ["store", "vacuum", "--output", "json"];
    process::run(&place.store(), &[&arguments, options].concat())
}

#[test]
fn files_of_killed_runs_are_listed_by_a_dry_run_and_removed_once_they_are_old() {
    let (place, wanted) = overlapping_logs(4);
    let logs = place.logs();
    run(&place, &["ingest", &format!("{}/000.json.gz", logs.display())], 0);
    kill_ingest(&place, "CommitPut");
    kill_ingest(&place, "EntryWritten");
    let left = files(&place);
    assert_eq!(paths(&vacuum(&place, &[])), Vec::<String>::new());
    age(&place.store(), 8);
    let dry = vacuum(&place, &["--dry-run"]);
    let found = paths(&dry);
    assert!(
        dry.stderr.contains(&format!("would be removed: {} files", found.len())),
        "{dry:?}"
    );
    assert!(
        found.iter().any(|path| path.starts_with("events/event_date=")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|path| path.starts_with("events/_delta_log/") && path.contains('#')),
        "{found:?}"
    );
    assert!(found.iter().any(|path| path.starts_with("objects/part-")), "{found:?}");
    assert_eq!(files(&place), left);
    assert_eq!(paths(&vacuum(&place, &["--older-than", "9d"])), Vec::<String>::new());
    let done = vacuum(&place, &[]);
    assert_eq!(paths(&done), found);
    assert!(
        done.stderr.contains(&format!("removed: {} files, ", found.len())),
        "{done:?}"
    );
    let gone: BTreeSet<PathBuf> = found.iter().map(|path| place.store().join(path)).collect();
    assert_eq!(files(&place), left.difference(&gone).cloned().collect());
    assert_clean(&place);
    run(&place, &["ingest", logs.to_str().unwrap()], 0);
    assert_eq!(fingerprint(&place), wanted);
    assert_clean(&place);
}

#[test]
fn age_of_less_than_a_day_is_wrong_usage_and_a_place_without_a_store_an_error() {
    let place = Place::new();
    for age in ["1h", "23h", "0d", "soon"] {
        let ended = run(&place, &["store", "vacuum", "--older-than", age], 2);
        assert!(ended.stderr.contains("--older-than"), "{ended:?}");
    }
    run(&place, &["store", "vacuum"], 1);
    assert!(!place.store().exists());
}

#[test]
fn batches_that_wait_in_the_store_or_for_a_shorter_time_elsewhere_are_committed_after_a_vacuum() {
    let (place, wanted) = overlapping_logs(6);
    let logs = place.logs();
    let logs = logs.to_str().unwrap();
    let adds = format!("{}/", place.folder().join("adds").display());
    run(&place, &["ingest", logs, "--shard", "0/2", "--no-commit"], 0);
    age(&place.store(), 30);
    assert_eq!(paths(&vacuum(&place, &[])), Vec::<String>::new());
    run(
        &place,
        &["ingest", logs, "--shard", "1/2", "--no-commit", "--adds-out", &adds],
        0,
    );
    age(&place.store(), 6);
    assert_eq!(paths(&vacuum(&place, &[])), Vec::<String>::new());
    run(&place, &["commit"], 0);
    run(&place, &["commit", "--adds-from", &adds], 0);
    assert_eq!(fingerprint(&place), wanted);
    assert_clean(&place);
}

#[test]
fn batch_whose_files_are_gone_is_refused_and_its_objects_are_read_again() {
    let (place, wanted) = overlapping_logs(3);
    let logs = place.logs();
    let adds = format!("{}/", place.folder().join("adds").display());
    run(
        &place,
        &["ingest", logs.to_str().unwrap(), "--no-commit", "--adds-out", &adds],
        0,
    );
    age(&place.store(), 8);
    assert!(!paths(&vacuum(&place, &[])).is_empty());
    let ended = run(&place, &["commit", "--adds-from", &adds], 4);
    assert!(
        ended.stderr.contains("is missing") && ended.stderr.contains("the next `trimtrail ingest`"),
        "{ended:?}"
    );
    run(&place, &["ingest", logs.to_str().unwrap()], 0);
    assert_eq!(fingerprint(&place), wanted);
    assert_clean(&place);
}

fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = process::trimtrail(&place.store(), arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn succeeded(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn writers_readers_and_committers_are_undisturbed_by_vacuums_at_the_same_time() {
    let (place, wanted) = overlapping_logs(24);
    let logs = place.logs();
    let logs = logs.to_str().unwrap();
    kill_ingest(&place, "CommitPut");
    run(&place, &["ingest", logs, "--shard", "3/4", "--no-commit"], 0);
    // So old that the committer must not rely on the files, and only the line that waits keeps the vacuum from them.
    age(&place.store(), 8);
    let mut children: Vec<Child> = ["0/4", "1/4", "2/4"]
        .iter()
        .map(|shard| start(&place, &["ingest", logs, "--shard", shard]))
        .collect();
    let committer = start(&place, &["commit"]);
    for _ in 0..3 {
        children.push(start(&place, &["store", "vacuum"]));
        let read = process::run(
            &place.store(),
            &[
                "sql",
                "select count(*) - count(distinct event_id) as twice, sum(record_index) as i from events",
            ],
        );
        assert_eq!(read.code, 0, "{read:?}");
    }
    children.into_iter().for_each(succeeded);
    succeeded(committer);
    run(&place, &["ingest", logs], 0);
    assert_eq!(fingerprint(&place), wanted);
    run(&place, &["store", "vacuum"], 0);
    assert_clean(&place);
}

#[test]
fn vacuum_of_a_store_in_a_bucket_removes_the_same_and_asks_for_nothing_else() {
    let place = Place::new();
    write_object(&place.logs(), "0.json.gz", 0..10);
    let store = FakeBucket::writable();
    let ingest = ["ingest", place.logs().to_str().unwrap()].map(str::to_owned);
    let ingest: Vec<&str> = ingest.iter().map(String::as_str).collect();
    assert_eq!(s3_store::run(&store, &ingest).code, 0);
    write_object(&place.logs(), "1.json.gz", 8..20);
    killed(s3_store::command(&store, &ingest), "CommitPut");
    let left = store.keys();
    let vacuum = ["store", "vacuum", "--output", "json"];
    assert_eq!(paths(&s3_store::run(&store, &vacuum)), Vec::<String>::new());
    store.age(SignedDuration::from_hours(8 * 24));
    let found = paths(&s3_store::run(
        &store,
        &["store", "vacuum", "--output", "json", "--dry-run"],
    ));
    assert!(
        found.iter().any(|path| path.starts_with("events/event_date=")),
        "{found:?}"
    );
    assert_eq!(store.keys(), left);
    store.asked();
    assert_eq!(paths(&s3_store::run(&store, &vacuum)), found);
    let verbs: BTreeSet<String> = store.asked().into_iter().map(|asked| asked.verb).collect();
    assert!(
        !verbs.contains("PUT") && !verbs.contains("CREATE") && verbs.contains("DELETE"),
        "{verbs:?}"
    );
    assert_eq!(store.keys().len(), left.len() - found.len());
    s3_store::assert_no_garbage(&store);
    assert_eq!(s3_store::run(&store, &ingest).code, 0);
    s3_store::assert_balanced(&store, 20);
}
