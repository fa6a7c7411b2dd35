//! Runs of `ingest` that end early, by a signal or because another writer is always first: what they leave, and that the
//! next run goes on from there.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::ingest::record;
use crate::ingest::write_object;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;
use crate::support::process::trimtrail;

/// Enough for many times the smallest buffer, so that most of it is left when the first buffer is written.
const OBJECTS: usize = 40;
const RECORDS: usize = 1_500;
/// Each object repeats the end of the one before it.
const OVERLAP: usize = 100;

/// The logs of all tests here that are to be stopped at work.
fn place_with_much_to_do() -> Place {
    let place = Place::new();
    for index in 0..OBJECTS {
        let start = index * (RECORDS - OVERLAP);
        write_object(&place.logs(), &format!("{index:02}.json.gz"), start..start + RECORDS);
    }
    place
}

/// Number and digest of all records, whatever their order.
pub(crate) fn fingerprint(place: &Place) -> Value {
    let rows = place.sql(
        "select count(*) as number, count(distinct event_id) as ids, \
         encode(sha256(string_agg(record, '\n' order by record)), 'hex') as digest from event_records",
    );
    rows[0].clone()
}

/// The store and its ledger agree, and every file in the store's folder belongs to a version.
pub(crate) fn assert_clean(place: &Place) {
    let total = place.rows(&["query", "ingest-balance"]).pop().unwrap();
    assert_eq!(number(&total, "unaccounted"), 0, "{total}");
    assert_eq!(number(&total, "stored"), number(&total, "event_rows"), "{total}");
    let known: i64 = place
        .rows(&["store", "info"])
        .iter()
        .map(|table| number(table, "files"))
        .sum();
    let found = walkdir::WalkDir::new(place.store()).into_iter().map(Result::unwrap);
    let found: Vec<String> = found
        .filter(|entry| entry.file_type().is_file() && !entry.path().to_string_lossy().contains("_delta_log"))
        .map(|entry| entry.path().display().to_string())
        .collect();
    let replaced = replaced_files(&place.store());
    assert_eq!(found.len(), usize::try_from(known).unwrap() + replaced, "{found:?}");
}

/// Files that later versions of the tables do without.
fn replaced_files(store: &Path) -> usize {
    let entries = walkdir::WalkDir::new(store).into_iter().map(Result::unwrap);
    let entries = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json"));
    let logs = entries.filter(|entry| entry.path().to_string_lossy().contains("_delta_log"));
    let texts = logs.map(|entry| std::fs::read_to_string(entry.path()).unwrap());
    texts.map(|text| text.matches("{\"remove\":").count()).sum()
}

/// The numbers of the printed line about objects: listed, ingested, known, rejected and, if any, left over.
fn objects_line(ended: &Ended) -> Vec<u64> {
    let line = ended.stdout.lines().next().unwrap_or_default();
    let words = line.split_whitespace().map(|word| word.replace(',', ""));
    words.filter_map(|word| word.parse().ok()).collect()
}

/// Waits until the first rows lie in the store's folder, not yet committed.
fn wait_for_the_first_rows(store: &Path, child: &mut Child) {
    while staged_files(store).is_empty() {
        assert_eq!(child.try_wait().unwrap(), None, "ended before its first rows");
        std::thread::yield_now();
    }
}

/// Files in the folders of the days.
fn staged_files(store: &Path) -> BTreeSet<PathBuf> {
    let days = std::fs::read_dir(store.join("events")).into_iter().flatten();
    let days = days
        .map(|day| day.unwrap().path())
        .filter(|day| !day.ends_with("_delta_log"));
    days.flat_map(|day| files_of(&day)).collect()
}

fn files_of(folder: &Path) -> BTreeSet<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files.map(|file| file.unwrap().path()).collect()
}

fn send(signal: &str, child: &Child) {
    let kill = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

#[test]
fn ingest_stopped_by_a_signal_says_what_is_left_and_the_next_run_completes_it() {
    let place = place_with_much_to_do();
    let logs = place.logs();
    // The smallest buffers, so that rows are written long before the end.
    let arguments = ["ingest", logs.to_str().unwrap(), "--memory", "1MiB"];
    assert_eq!(process::run(&place.store(), &arguments).code, 0);
    let wanted = fingerprint(&place);
    let records = OBJECTS * (RECORDS - OVERLAP) + OVERLAP;
    assert_eq!(number(&wanted, "number"), i64::try_from(records).unwrap());
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        std::fs::remove_dir_all(place.store()).unwrap();
        let mut child = trimtrail(&place.store(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_the_first_rows(&place.store(), &mut child);
        send(signal, &child);
        let stopped = process::ended(child.wait_with_output().unwrap());
        assert_eq!(stopped.code, code, "{stopped:?}");
        let [listed, ingested, known, rejected, left_over] = objects_line(&stopped)[..] else {
            panic!("nothing is left over: {stopped:?}");
        };
        assert_eq!(
            listed,
            ingested + known + rejected + left_over,
            "{signal}: {}",
            stopped.stdout
        );
        assert!(ingested > 0 && left_over > 0, "{signal}: {}", stopped.stdout);
        let warning = format!("warning: {left_over} objects are left; run the same command again to go on");
        assert!(stopped.stderr.contains(&warning), "{signal}: {}", stopped.stderr);
        assert_clean(&place);
        let next = process::run(&place.store(), &arguments);
        assert_eq!(next.code, 0, "{next:?}");
        assert_eq!(objects_line(&next), [listed, left_over, ingested, 0], "{signal}");
        assert_eq!(fingerprint(&place), wanted, "{signal}");
        assert_clean(&place);
    }
}

/// Adds log entries to `events` whenever the program writes ledger rows for a commit, and more often than it can look at the
/// store and commit, late as it is, so that the number of its entry is taken every time; ends with the program, or when that
/// was faster.
fn try_to_be_first(place: &Place, child: &mut Child) {
    let entry = place.folder().join("entry.json");
    std::fs::write(&entry, "{\"commitInfo\":{\"timestamp\":0,\"operation\":\"WRITE\"}}\n").unwrap();
    let log = place.store().join("events/_delta_log");
    wait_for_the_first_rows(&place.store(), child);
    let mut seen = BTreeSet::new();
    let mut last = Instant::now();
    let mut version = 1;
    while child.try_wait().unwrap().is_none() {
        let ledger = files_of(&place.store().join("objects"));
        if !ledger.is_subset(&seen) || last.elapsed() > Duration::from_millis(50) {
            if std::fs::hard_link(&entry, log.join(format!("{version:020}.json"))).is_err() {
                return;
            }
            version += 1;
            last = Instant::now();
        }
        seen.extend(ledger);
        std::thread::yield_now();
    }
}

/// A run that was beaten every time, and its place; `None` when it was faster once.
fn beaten_run(records: &[String]) -> Option<(Place, Ended)> {
    let place = Place::new();
    place.write("a.json", format!("[{}]", records.join(",")).as_bytes());
    let logs = place.logs();
    let mut child = trimtrail(&place.store(), &["ingest", logs.to_str().unwrap()])
        .env("TRIMTRAIL_FAILPOINT", "CommitPut=late")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    try_to_be_first(&place, &mut child);
    let ended = process::ended(child.wait_with_output().unwrap());
    (ended.code == 5).then_some((place, ended))
}

#[test]
fn ingest_that_another_writer_beats_every_time_ends_with_5_and_may_be_repeated() {
    /// On a busy machine the program may get in between.
    const MOST_ROUNDS: usize = 5;
    let records: Vec<String> = (0..400).map(|id| record_of_day(id, 1 + id % 10)).collect();
    let (place, beaten) = (0..MOST_ROUNDS)
        .find_map(|_| beaten_run(&records))
        .expect("the program was never beaten every time");
    assert_eq!(beaten.stdout, "", "{beaten:?}");
    let message = "error: other writers committed to the store first, ";
    assert!(
        beaten.stderr.starts_with(message) && beaten.stderr.contains("running again is safe"),
        "{}",
        beaten.stderr
    );
    assert_clean(&place);
    assert_eq!(number(&fingerprint(&place), "number"), 0);
    let again = place.ingest(&[]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(objects_line(&again), [1, 1, 0, 0]);
    assert_eq!(number(&fingerprint(&place), "ids"), 400);
    assert_clean(&place);
}

/// A record whose event took place on that day of September.
fn record_of_day(id: usize, day: usize) -> String {
    let record = record(id);
    let (start, rest) = record.split_once(r#""eventTime":"2026-09-"#).unwrap();
    let (_, time_and_rest) = rest.split_once('T').unwrap();
    format!(r#"{start}"eventTime":"2026-09-{day:02}T{time_and_rest}"#)
}
