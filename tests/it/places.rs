//! Results that cannot be written where the user wants them: nothing is done, and the store stays as it is.

use std::fs;
use std::path::Path;

use crate::ingest::write_object;
use crate::support::process;
use crate::support::process::Place;

const COUNT: &str = "select (select count(*) from events) as events, (select max(events) from usage) as most";

fn filled() -> Place {
    let place = Place::new();
    write_object(&place.logs(), "a.json.gz", 1..4);
    place.ingest(&[]);
    place
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

#[test]
fn nothing_expires_or_is_rewritten_when_the_rows_cannot_be_written() {
    let place = filled();
    let before = place.sql(COUNT);
    let version = || process::run(&place.store(), &["store", "info", "--output", "csv"]).stdout;
    let as_it_was = version();
    let commands: [&[&str]; 3] = [
        &["store", "expire", "--events-older-than", "2026-10-01"],
        &["store", "compact"],
        &["store", "vacuum"],
    ];
    for command in commands {
        for (target, code) in [(path(&place.store(), "x.csv"), 2), ("/nonexistent/x.csv".to_owned(), 1)] {
            let ended = process::run(&place.store(), &[command, &["-o", &target]].concat());
            assert_eq!(ended.code, code, "{command:?} {ended:?}");
            assert!(ended.stderr.contains(&target), "{ended:?}");
        }
    }
    assert_eq!(version(), as_it_was);
    assert_eq!(place.sql(COUNT), before);
}

#[test]
fn nothing_expires_while_the_rollup_lacks_a_file() {
    let place = filled();
    for entry in fs::read_dir(place.store().join("usage")).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            fs::remove_file(file).unwrap();
        }
    }
    let ended = process::run(
        &place.store(),
        &["store", "expire", "--events-older-than", "2026-10-01"],
    );
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("is missing"), "{ended:?}");
    let count = place.sql("select count(*) as count from events");
    assert_eq!(count[0]["count"], 3);
}

#[test]
fn prepared_batches_and_reports_are_kept_out_of_the_store_and_of_files_that_are_there() {
    let place = filled();
    let logs = place.logs();
    let other = place.logs().join("other.adds.jsonl");
    fs::write(&other, "{}\n").unwrap();
    let entry = path(&place.store(), "events/_delta_log/00000000000000000001.json");
    let entry_before = fs::read(&entry).unwrap();
    let new_store = place.logs().join("new");
    let report = path(&new_store, "run.json");
    let cases = [
        (place.store(), vec!["--no-commit", "--adds-out", &entry], 2),
        (
            place.store(),
            vec!["--no-commit", "--adds-out", other.to_str().unwrap()],
            1,
        ),
        (new_store.clone(), vec!["--report", &report], 2),
    ];
    for (store, options, code) in cases {
        let ended = process::run(
            &store,
            &[vec!["ingest", logs.to_str().unwrap()], options.clone()].concat(),
        );
        assert_eq!(ended.code, code, "{options:?} {ended:?}");
    }
    assert_eq!(fs::read(&entry).unwrap(), entry_before);
    assert_eq!(fs::read_to_string(&other).unwrap(), "{}\n");
    assert!(!new_store.exists());
}
