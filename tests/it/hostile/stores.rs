//! Stores that cannot be used.

use std::path::Path;
use std::process::Command;

use super::GOOD_RECORDS;
use super::assert_run;
use super::document;
use super::place_with_a_good_object;
use super::zipped;
use crate::ingest::record;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

fn assert_fails(ended: &Ended, message: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    for part in message {
        assert!(ended.stderr.contains(part), "`{part}` is not in {}", ended.stderr);
    }
}

/// A place whose store holds the good object.
fn place_with_a_store() -> Place {
    let place = place_with_a_good_object();
    assert_run(&place, &place.ingest(&[]), 0, &[], GOOD_RECORDS);
    place
}

fn count(place: &Place, table: &str) -> Ended {
    process::run(&place.store(), &["sql", &format!("select count(*) from {table}")])
}

/// Neither writing nor reading works, and both say why and leave the store alone.
fn assert_refused(place: &Place, message: &[&str]) {
    let before = files(&place.store());
    assert_fails(&place.ingest(&[]), message);
    assert_fails(&count(place, "events"), message);
    assert_eq!(files(&place.store()), before);
}

#[test]
fn store_path_that_is_a_file_is_refused() {
    let place = place_with_a_good_object();
    std::fs::write(place.store(), b"mine").unwrap();
    let message = ["it is a file; name a folder"];
    assert_refused(&place, &message);
    assert_fails(&process::run(&place.store(), &["store", "info"]), &message);
    assert_eq!(std::fs::read(place.store()).unwrap(), b"mine");
}

#[test]
fn folder_with_other_files_is_no_store() {
    let place = place_with_a_good_object();
    let logs = place.logs();
    let ended = process::run(&logs, &["ingest", logs.to_str().unwrap()]);
    assert_fails(&ended, &["already holds `good.json.gz`; name a new or empty folder"]);
    assert_eq!(std::fs::read_dir(&logs).unwrap().count(), 1);
}

#[test]
fn missing_store_is_named_with_how_to_make_one() {
    let place = place_with_a_good_object();
    let message = ["no store at `", "make a store there with `trimtrail ingest`"];
    assert_fails(&count(&place, "events"), &message);
    assert_fails(&process::run(&place.store(), &["query", "root-use"]), &message);
    assert!(!place.store().exists());
}

#[test]
fn store_of_a_newer_version_is_refused_and_left_alone() {
    let place = place_with_a_store();
    let first_log_entry = place.store().join("events/_delta_log/00000000000000000000.json");
    let entry = std::fs::read_to_string(&first_log_entry).unwrap();
    let newer = entry.replace(r#""trimtrail.schemaVersion":"5""#, r#""trimtrail.schemaVersion":"999""#);
    assert_ne!(newer, entry);
    std::fs::write(&first_log_entry, newer).unwrap();
    assert_refused(&place, &["has schema version 999", "use a newer trimtrail"]);
}

#[test]
fn table_of_a_newer_delta_protocol_is_refused_and_left_alone() {
    let place = place_with_a_store();
    let next_entry = place.store().join("events/_delta_log/00000000000000000002.json");
    std::fs::write(
        &next_entry,
        r#"{"protocol":{"minReaderVersion":9,"minWriterVersion":9}}"#,
    )
    .unwrap();
    assert_refused(&place, &["Delta reader version 9", "ingest into a new store"]);
}

#[test]
fn data_file_that_is_not_what_it_was_is_named_with_what_to_do() {
    let place = place_with_a_store();
    let (path, content) = files(&place.store().join("events"))
        .into_iter()
        .find(|(path, _)| path.ends_with(".parquet"))
        .unwrap();
    let sql = "select distinct event_name, request_parameters from events";
    let damages = [
        (Some(Vec::new()), "is empty"),
        (Some(content[..content.len() / 2].to_vec()), "bytes instead of"),
        (Some(vec![7; content.len()]), "is damaged"),
        (None, "is missing"),
    ];
    for (damaged, reason) in damages {
        match damaged {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let ended = process::run(&place.store(), &["sql", sql]);
        assert_eq!(ended.code, 1, "{ended:?}");
        let message = [&format!("data file `{path}`"), reason, "restore it", "--at-version"];
        assert!(
            message.iter().all(|part| ended.stderr.contains(part)),
            "{reason}: {}",
            ended.stderr
        );
    }
}

#[test]
fn missing_folder_of_a_table_is_named_with_what_to_do() {
    let place = place_with_a_store();
    std::fs::remove_dir_all(place.store().join("objects")).unwrap();
    let message = ["/store/objects` is missing from its store", "restore it from a copy"];
    assert_fails(&count(&place, "objects"), &message);
    assert_eq!(count(&place, "events").code, 0);
}

#[test]
fn full_disk_stores_nothing_and_the_next_run_goes_on() {
    let place = place_with_a_good_object();
    let records: Vec<String> = (100..3_000).map(record).collect();
    place.write("many.json.gz", &zipped(document(&records)));
    // The limit is in blocks of 512 bytes. It lets the empty tables through, but not the rows.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 40; exec '{}' \"$@\"",
        env!("CARGO_BIN_EXE_trimtrail")
    );
    let output = Command::new("sh")
        .args(["-c", &limited, "sh", "ingest"])
        .arg(place.logs())
        .env_clear()
        .env("TRIMTRAIL_STORE", place.store())
        .output()
        .unwrap();
    let ended = process::ended(output);
    assert_fails(
        &ended,
        &["cannot write `", ".parquet`", "ulimit -f", "run the same command again"],
    );
    let rows = place.sql("select count(*) as number from events");
    assert_eq!(rows[0]["number"], 0);
    let left: Vec<String> = files(&place.store()).into_iter().map(|(name, _)| name).collect();
    assert!(
        left.iter().all(|name| name.contains("_delta_log")),
        "half-written files stay behind: {left:?}"
    );
    assert_run(&place, &place.ingest(&[]), 0, &[], GOOD_RECORDS + 2_900);
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_under_a_result_is_named_with_what_to_do() {
    let place = place_with_a_good_object();
    for format in ["table", "json", "csv", "parquet"] {
        let arguments = ["sql", "select 1 as one", "-o", "/dev/full", "--output", format];
        let ended = process::run(&place.store(), &arguments);
        let message = [
            "cannot write `/dev/full`: No space left on device",
            "hint: free some space",
        ];
        assert_fails(&ended, &message);
    }
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| (entry.path().display().to_string(), std::fs::read(entry.path()).unwrap()))
        .collect()
}
