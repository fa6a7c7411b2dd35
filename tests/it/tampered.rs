//! Lines of prepared batches that somebody has changed: refused by name, and no file of the store is lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::ingest::record;
use crate::stopped::assert_clean;
use crate::stopped::fingerprint;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;
use crate::workers::overlapping_logs;
use crate::workers::run;

/// Changes the only line of a folder's only file, and says what `commit` made of it.
fn commit_altered(place: &Place, alter: impl Fn(&mut Value)) -> Ended {
    let adds = place.folder().join("adds");
    let file = std::fs::read_dir(&adds).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(file).unwrap();
    let mut line: Value = serde_json::from_str(&text).unwrap();
    alter(&mut line);
    commit_text(place, &line.to_string())
}

fn commit_text(place: &Place, text: &str) -> Ended {
    let file = place.folder().join("altered.jsonl");
    std::fs::write(&file, text).unwrap();
    process::run(&place.store(), &["commit", "--adds-from", file.to_str().unwrap()])
}

fn assert_refused(ended: &Ended, reason: &str) {
    assert_eq!(ended.code, 4, "{reason}: {ended:?}");
    assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
}

/// Reason of the refusal, place in the line, and what is put there.
const ALTERATIONS: [(&str, &str, &str); 11] = [
    (
        "is no name",
        "/events/0/path",
        r#""../part-00000000-0000-4000-8000-000000000000.zstd.parquet""#,
    ),
    (
        "is no name",
        "/objects/path",
        r#""../part-00000000-0000-4000-8000-000000000000.zstd.parquet""#,
    ),
    (
        "is no name",
        "/events/0/path",
        r#""/part-00000000-0000-4000-8000-000000000000.zstd.parquet""#,
    ),
    (
        "is no name",
        "/events/0/path",
        r#""event_date=2026-02-30/part-00000000-0000-4000-8000-000000000000.zstd.parquet""#,
    ),
    (
        "is missing",
        "/events/0/path",
        r#""event_date=2026-09-30/part-00000000-0000-4000-8000-000000000000.zstd.parquet""#,
    ),
    ("bytes, not", "/events/0/size", "7"),
    ("do not fit", "/events/0/rows", "7000"),
    ("do not balance", "/events", "[]"),
    ("another store", "/store", r#""00000000-0000-4000-8000-000000000000""#),
    ("another store", "/basis", "7"),
    ("the format is", "/format", r#""trimtrail-adds/2""#),
];

#[test]
fn line_that_was_tampered_with_is_refused_and_touches_nothing_outside_of_the_store() {
    let (place, wanted) = overlapping_logs(3);
    let adds = format!("{}/", place.folder().join("adds").display());
    let logs = place.logs();
    run(
        &place,
        &["ingest", logs.to_str().unwrap(), "--no-commit", "--adds-out", &adds],
        0,
    );
    let outside = place
        .store()
        .join("part-00000000-0000-4000-8000-000000000000.zstd.parquet");
    std::fs::write(&outside, "precious").unwrap();
    for (reason, pointer, value) in ALTERATIONS {
        let ended = commit_altered(&place, |line| {
            *line.pointer_mut(pointer).unwrap() = serde_json::from_str(value).unwrap();
        });
        assert_refused(&ended, reason);
    }
    let twice = commit_altered(&place, |line| {
        let files = line["events"].as_array_mut().unwrap();
        files.push(files[0].clone());
    });
    assert_refused(&twice, "named twice");
    assert_refused(&commit_altered(&place, |line| line["more"] = 1.into()), "unknown field");
    let wrong_bounds = commit_altered(&place, |line| {
        let stats = line["events"][0]["stats"]
            .as_str()
            .unwrap()
            .replace("2026-09-", "2025-09-");
        line["events"][0]["stats"] = stats.into();
    });
    assert_refused(&wrong_bounds, "does not hold the rows");
    for damage in ["", "{", "\u{1b}[2J", "[]"] {
        assert_refused(&commit_text(&place, damage), "cannot be used");
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "precious");
    std::fs::remove_file(&outside).unwrap();
    run(&place, &["commit", "--adds-from", &adds], 0);
    assert_eq!(fingerprint(&place), wanted);
    assert_clean(&place);
}

/// Files of tables below the store.
fn files(place: &Place) -> BTreeSet<PathBuf> {
    let entries = walkdir::WalkDir::new(place.store()).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "parquet"));
    files.map(walkdir::DirEntry::into_path).collect()
}

/// What a line would have to say of a file that a table's log has.
fn stored_file(place: &Place, table: &str) -> Value {
    let log = place.store().join(table).join("_delta_log");
    let mut entries: Vec<PathBuf> = std::fs::read_dir(log)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    let texts = entries
        .iter()
        .filter(|entry| entry.extension().is_some_and(|end| end == "json"))
        .map(|entry| std::fs::read_to_string(entry).unwrap());
    let text = texts.collect::<Vec<_>>().join("\n");
    let actions = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let add = actions
        .map(|mut action| action["add"].take())
        .find(|add| !add.is_null());
    let add = add.unwrap_or_else(|| panic!("no file in {table}"));
    let stats: Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
    json!({
        "path": add["path"], "size": add["size"], "rows": stats["numRecords"],
        "sorted": add["tags"]["trimtrail.sorted"] == "true", "stats": add["stats"],
    })
}

/// An object with one record that can be stored and one that cannot.
fn write_spoilt(folder: &Path, name: &str, id: usize) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, format!("{{\"Records\":[{},7]}}", record(id))).unwrap();
    path
}

/// Prepares one object, and returns the line of its batch.
fn prepared(place: &Place, object: &Path) -> Value {
    let file = place.folder().join("one.adds.jsonl");
    let arguments = [
        "ingest",
        object.to_str().unwrap(),
        "--no-commit",
        "--adds-out",
        file.to_str().unwrap(),
    ];
    run(place, &arguments, 4);
    let line = std::fs::read_to_string(&file).unwrap();
    // The next batch asks for a new file.
    std::fs::remove_file(file).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn line_that_names_files_of_the_store_or_of_another_batch_is_refused_and_nothing_is_removed() {
    let place = Place::new();
    let logs = place.logs();
    run(
        &place,
        &["ingest", write_spoilt(&logs, "stored.json", 1).to_str().unwrap()],
        4,
    );
    let ours = prepared(&place, &write_spoilt(&logs, "ours.json", 2));
    let other = prepared(&place, &write_spoilt(&logs, "other.json", 3));
    let before = files(&place);
    let rows = fingerprint(&place);
    for table in ["events", "objects", "rejects"] {
        let pointer = if table == "events" {
            "/events/0"
        } else {
            &format!("/{table}")
        };
        for (file, reason) in [
            (stored_file(&place, table), "is part of the store already"),
            (other.pointer(pointer).unwrap().clone(), "its "),
        ] {
            let mut line = ours.clone();
            *line.pointer_mut(pointer).unwrap() = file;
            let ended = commit_text(&place, &format!("\n{line}"));
            assert_refused(&ended, reason);
            assert!(ended.stderr.contains("altered.jsonl, line 2`: "), "{ended:?}");
            assert_eq!(files(&place), before, "{table}: {ended:?}");
        }
    }
    // All of the files of the other, under the name of ours.
    let mut line = ours.clone();
    for member in ["events", "objects", "rejects"] {
        line[member] = other[member].clone();
    }
    assert_refused(&commit_text(&place, &line.to_string()), "of another run");
    assert_eq!((files(&place), fingerprint(&place)), (before, rows));
    for line in [ours, other] {
        let ended = commit_text(&place, &line.to_string());
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    run(&place, &["ingest", logs.to_str().unwrap()], 0);
    let counts = place.sql("select (select count(*) from events) as events, (select count(*) from rejects) as rejects");
    assert_eq!(counts, [json!({"events": 3, "rejects": 3})]);
    assert_clean(&place);
}

#[test]
fn line_that_names_files_of_earlier_versions_is_refused_and_they_stay() {
    let place = Place::new();
    let logs = place.logs();
    let objects = [(1, "first.json"), (2, "second.json")].map(|(id, name)| write_spoilt(&logs, name, id));
    let mut line = prepared(&place, &objects[0]);
    // Copies of the files that a commit removes.
    let ledger: Vec<(PathBuf, Vec<u8>)> = ["objects", "rejects"]
        .into_iter()
        .map(|table| place.store().join(table).join(line[table]["path"].as_str().unwrap()))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    assert_eq!(commit_text(&place, &line.to_string()).code, 0);
    run(&place, &["ingest", objects[1].to_str().unwrap()], 4);
    run(&place, &["store", "compact"], 0);
    for (path, bytes) in &ledger {
        std::fs::write(path, bytes).unwrap();
    }
    let before = files(&place);
    line["batch"] = json!("00000000-0000-4000-8000-000000000000");
    let ended = commit_text(&place, &line.to_string());
    assert_refused(&ended, "is part of the store already");
    assert_eq!(files(&place), before);
    let earlier = place.rows(&["sql", "select count(*) as n from events", "--at-version", "1"]);
    assert_eq!(earlier, [json!({"n": 1})]);
}

#[test]
fn rollup_bounds_and_order_of_a_prepared_batch_are_those_of_its_events_whatever_its_line_says() {
    let place = Place::new();
    let logs = place.logs();
    let objects = [(1, "ours.json"), (2, "other.json")].map(|(id, name)| write_spoilt(&logs, name, id));
    let [ours, other] = objects.map(|object| prepared(&place, &object));
    let before = files(&place);
    let mut with_rollup = ours.clone();
    with_rollup["usage"] = other["objects"].clone();
    assert_refused(&commit_text(&place, &with_rollup.to_string()), "unknown field `usage`");
    let bounds_of = |line: &Value| line["events"][0]["stats"].clone();
    assert_ne!(bounds_of(&ours), bounds_of(&other));
    for (member, value) in [
        ("stats", bounds_of(&other)),
        ("sorted", json!(ours["events"][0]["sorted"] != json!(true))),
    ] {
        let mut line = ours.clone();
        line["events"][0][member] = value;
        assert_refused(&commit_text(&place, &line.to_string()), "does not hold the rows");
    }
    assert_eq!(files(&place), before);
    for line in [ours, other] {
        let ended = commit_text(&place, &line.to_string());
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let of_events = place.sql("select principal_arn, count(*) as n from events group by 1 order by 1");
    let of_rollup = place.sql("select principal_arn, sum(events) as n from usage group by 1 order by 1");
    assert_eq!(of_events.len(), 2, "{of_events:?}");
    assert_eq!(of_rollup, of_events);
    assert_clean(&place);
}

#[test]
fn line_made_upon_a_version_that_no_store_has_is_refused_at_once_and_the_next_is_committed() {
    let place = Place::new();
    let logs = place.logs();
    let objects = [(1, "ours.json"), (2, "other.json")].map(|(id, name)| write_spoilt(&logs, name, id));
    let [mut ours, other] = objects.map(|object| prepared(&place, &object));
    ours["basis"] = json!(u64::MAX);
    let ended = commit_text(&place, &format!("{ours}\n{other}"));
    assert_refused(&ended, "another store");
    assert_eq!(place.sql("select count(*) as n from events"), [json!({"n": 1})]);
}
