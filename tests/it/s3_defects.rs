//! Services that give less than there is and say that all is well: a run over a source or a store says so, and neither leaves out
//! rows nor stores them twice.

use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use crate::s3::SOURCE;
use crate::s3::assert_ended;
use crate::s3::count;
use crate::s3::days;
use crate::s3::key;
use crate::s3::log;
use crate::s3_store::assert_balanced;
use crate::s3_store::rows;
use crate::s3_store::run;
use crate::s3_store::start;
use crate::s3_store::write_objects;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Trouble;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Place;

const COUNT: &str = "select count(*) as n from events";

/// A store with a version for each object, and how many events it holds.
fn store_of(place: &Place, objects: usize) -> (FakeBucket, usize) {
    let store = FakeBucket::writable();
    let mut events = 0;
    for object in 0..objects {
        events = write_objects(place, object..object + 1);
        assert_eq!(run(&store, &["ingest", place.logs().to_str().unwrap()]).code, 0);
    }
    (store, events)
}

fn entry(store: &FakeBucket, version: usize) -> String {
    let end = format!("events/_delta_log/{version:020}.json");
    store.keys().into_iter().find(|key| key.ends_with(&end)).unwrap()
}

fn set(store: &FakeBucket, key: &str, trouble: Option<(Trouble, usize)>) {
    store.script(|script| {
        script.faults.clear();
        script.faults.extend(trouble.map(|trouble| (key.to_owned(), trouble)));
    });
}

#[test]
fn log_entry_that_comes_without_all_its_lines_is_asked_for_again_and_then_named() {
    let place = Place::new();
    let (store, events) = store_of(&place, 3);
    let all_events = write_objects(&place, 3..4);
    let logs = place.logs();
    let entry = entry(&store, 2);
    for trouble in [Trouble::NoContent, Trouble::Empty, Trouble::FirstLine, Trouble::Short] {
        set(&store, &entry, Some((trouble, 2)));
        assert_eq!(
            number(&rows(&store, &["sql", COUNT])[0], "n"),
            i64::try_from(events).unwrap()
        );
        let before = store.objects();
        set(&store, &entry, Some((trouble, usize::MAX)));
        for arguments in [
            &["sql", COUNT][..],
            &["store", "vacuum"],
            &["store", "info"],
            &["ingest", logs.to_str().unwrap()],
        ] {
            let ended = run(&store, arguments);
            assert_eq!(ended.code, 1, "{trouble:?}: {ended:?}");
            assert!(ended.stderr.contains(&entry), "{trouble:?}: {ended:?}");
            assert!(ended.stderr.contains("run again"), "{trouble:?}: {ended:?}");
            assert!(!ended.stderr.contains("move this file"), "{trouble:?}: {ended:?}");
        }
        assert_eq!(store.objects(), before, "{trouble:?}");
    }
    set(&store, &entry, None);
    assert_eq!(run(&store, &["ingest", logs.to_str().unwrap()]).code, 0);
    assert_balanced(&store, all_events);
}

#[test]
fn log_of_which_a_list_names_less_than_there_is_is_not_read() {
    let place = Place::new();
    let (store, _) = store_of(&place, 3);
    let edits: [fn(&str) -> String; 3] = [
        |text| text.replace("<Size>", "<Bytes>").replace("</Size>", "</Bytes>"),
        |text| text.replace("<Key>", "<Name>").replace("</Key>", "</Name>"),
        |text| {
            text.replacen("<Contents>", "<Other>", 1)
                .replacen("</Contents>", "</Other>", 1)
        },
    ];
    for edit in edits {
        store.script(|script| script.list_edit = Some(edit));
        let ended = run(&store, &["sql", COUNT]);
        assert!(
            ended.code == 1 && ended.stderr.contains("so that the listing cannot be trusted"),
            "{ended:?}"
        );
    }
}

#[test]
fn list_that_ends_before_its_end_or_lacks_a_folder_is_told_and_not_taken_for_whole() {
    let edits: [fn(&str) -> String; 3] = [
        |text| text.replace("<IsTruncated>true</IsTruncated>", ""),
        |text| text.replace("<IsTruncated>true<", "<IsTruncated>false<"),
        |text| match text.split_once("<CommonPrefixes>") {
            Some((start, _)) => format!("{start}<CommonPrefixes></CommonPrefixes></ListBucketResult>"),
            None => text.to_owned(),
        },
    ];
    for edit in edits {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=9);
        bucket.put(&key("444455556666", "eu-west-1", 1, "a"), log(20..22), &[]);
        bucket.script(|script| {
            script.page_size = 4;
            script.list_edit = Some(edit);
        });
        let place = Place::new();
        let ended = bucket.ingest(&place.store(), SOURCE, &[]);
        assert!(matches!(ended.code, 1 | 4), "{ended:?}");
        assert!(
            ended.stderr.contains("so that the listing cannot be trusted"),
            "{ended:?}"
        );
    }
}

#[test]
fn object_of_which_a_wrong_size_is_told_is_read_as_it_is() {
    let larger = |text: &str| text.replace("</Size>", "9</Size>");
    let smaller = |text: &str| {
        let mut parts = text.split("<Size>");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| format!("{text}<Size>{}", part.get(1..).unwrap()))
    };
    let edits: [fn(&str) -> String; 2] = [larger, smaller];
    for edit in edits {
        let bucket = FakeBucket::new();
        days(&bucket, 1..=3);
        bucket.script(|script| script.list_edit = Some(edit));
        let place = Place::new();
        let ended = bucket.ingest(&place.store(), SOURCE, &[]);
        assert_ended(&ended, 0, "objects  3 listed = 3 ingested + 0 known + 0 rejected");
        bucket.script(|script| script.list_edit = None);
        let again = bucket.ingest(&place.store(), SOURCE, &[]);
        assert_ended(&again, 0, "objects  3 listed = 0 ingested + 3 known + 0 rejected");
        assert_eq!(count(&place), 3);
    }
}

#[test]
fn list_without_etags_is_refused() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    bucket.script(|script| script.list_edit = Some(|text| text.replace("ETag>", "Tag>")));
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), SOURCE, &[]);
    assert!(matches!(ended.code, 1 | 4), "{ended:?}");
    assert!(ended.stderr.contains("without an etag"), "{ended:?}");
}

#[test]
fn service_that_does_not_sort_gets_no_store() {
    let place = Place::new();
    write_objects(&place, 0..1);
    let logs = place.logs();
    let store = FakeBucket::writable();
    store.script(|script| script.is_unsorted = true);
    let ended = run(&store, &["ingest", logs.to_str().unwrap()]);
    assert!(
        ended.code == 1 && ended.stderr.contains("does not list keys in order"),
        "{ended:?}"
    );
    assert!(store.keys().is_empty(), "{:?}", store.keys());
    let (store, _) = store_of(&Place::new(), 3);
    store.script(|script| script.is_unsorted = true);
    for arguments in [&["sql", COUNT][..], &["ingest", logs.to_str().unwrap()]] {
        let ended = run(&store, arguments);
        assert!(
            ended.code == 1 && ended.stderr.contains("does not list keys in order"),
            "{ended:?}"
        );
    }
}

#[test]
fn source_that_cannot_be_listed_is_named_and_the_others_are_read() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    let place = Place::new();
    write_objects(&place, 5..6);
    let logs = place.logs();
    for sources in [
        &["s3://nowhere", SOURCE][..],
        &[
            SOURCE,
            "s3://nowhere/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/",
            "s3://nowhere/flat/",
        ],
    ] {
        let store = Place::new();
        let ended = bucket.run(&store.store(), &[&["ingest"], sources].concat());
        assert_ended(&ended, 4, "objects  3 listed = 3 ingested");
        assert!(ended.stderr.contains("`s3://nowhere"), "{ended:?}");
        assert!(ended.stderr.contains("no such bucket"), "{ended:?}");
        assert_eq!(count(&store), 3);
    }
    let ended = bucket.run(&place.store(), &["ingest", "s3://nowhere", logs.to_str().unwrap()]);
    assert_ended(&ended, 4, "objects  1 listed = 1 ingested");
    let store = Place::new();
    let ended = bucket.run(&store.store(), &["ingest", "s3://nowhere", "s3://nowhere/flat"]);
    assert!(ended.code == 1 && ended.stderr.contains("no such bucket"), "{ended:?}");
    assert!(!store.store().exists());
}

fn send(signal: &str, child: &Child) {
    let kill = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

#[test]
fn work_on_a_store_ends_when_asked_to_although_the_store_gives_no_answer() {
    let place = Place::new();
    let (store, _) = store_of(&place, 4);
    store.script(|script| script.latency = Duration::from_secs(600));
    for (arguments, signal, code) in [
        (&["store", "compact"][..], "TERM", 143),
        (&["commit"], "TERM", 143),
        (&["store", "expire", "--events-older-than", "1d"], "TERM", 143),
        (&["store", "vacuum"], "INT", 130),
        (&["store", "rebuild", "usage"], "TERM", 143),
    ] {
        let mut child = start(&store, arguments);
        std::thread::sleep(Duration::from_secs(1));
        let asked = Instant::now();
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{arguments:?}");
        assert!(asked.elapsed() < Duration::from_secs(10), "{arguments:?}");
    }
}

#[test]
fn commit_ends_between_two_batches_when_asked_to_and_the_next_one_goes_on() {
    const BATCHES: usize = 6;
    let place = Place::new();
    let (store, _) = store_of(&place, 1);
    let mut events = 0;
    for object in 1..=BATCHES {
        events = write_objects(&place, object..object + 1);
        // Each batch is of another run; what waits is not known to the store.
        let log = place.logs().join(format!("{object:03}.json.gz"));
        let ended = run(&store, &["ingest", log.to_str().unwrap(), "--no-commit"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let entries = |store: &FakeBucket| {
        let keys = store.keys();
        let of_events = keys.iter().filter(|key| key.contains("events/_delta_log/"));
        of_events.count()
    };
    let before = entries(&store);
    store.script(|script| script.latency = Duration::from_millis(50));
    let mut child = start(&store, &["commit"]);
    while entries(&store) == before {
        assert_eq!(child.try_wait().unwrap(), None, "ended before its first batch");
        std::thread::yield_now();
    }
    send("TERM", &child);
    let ended = process::ended(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 143, "{ended:?}");
    let committed = entries(&store) - before;
    assert!(committed < BATCHES, "{ended:?}");
    let line = format!("batches  {committed} found = {committed} committed + 0 known\n");
    assert!(ended.stdout.starts_with(&line), "{ended:?}");
    store.script(|script| script.latency = Duration::ZERO);
    let ended = run(&store, &["commit"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_balanced(&store, events);
}

#[test]
fn places_in_a_bucket_are_refused_for_what_is_written_as_files() {
    let place = Place::new();
    write_objects(&place, 0..1);
    let logs = place.logs();
    let bucket = FakeBucket::new();
    for (option, hint) in [("--adds-out", "wait in the store"), ("--report", "aws s3 cp")] {
        let mut arguments = vec!["ingest", logs.to_str().unwrap(), option, "s3://b/runs/1"];
        if option == "--adds-out" {
            arguments.push("--no-commit");
        }
        let mut command = bucket.command(&place.store(), &arguments);
        let output = command.current_dir(place.folder()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("`s3://b/runs/1`") && stderr.contains(hint), "{stderr}");
        assert!(!place.folder().join("s3:").exists() && !place.store().exists());
    }
    assert!(!Path::new("s3:").exists());
}
