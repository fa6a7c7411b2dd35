//! Paths that cannot be read, and names that are meant to harm.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use super::GOOD_RECORDS;
use super::assert_printable;
use super::assert_run;
use super::document;
use super::place_with_a_good_object;
use super::zipped;
use crate::ingest::record;
use crate::support::json::text;
use crate::support::process;
use crate::support::process::Place;

#[test]
fn missing_path_is_named_and_no_store_is_made() {
    let place = Place::new();
    let ended = process::run(&place.store(), &["ingest", "/no/such/folder"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("`/no/such/folder`: no such file or folder; check the path"),
        "{}",
        ended.stderr
    );
    assert!(!place.store().exists());
}

#[test]
fn empty_folder_is_named_and_the_run_is_incomplete() {
    let place = Place::new();
    std::fs::create_dir(place.logs().join("AWSLogs")).unwrap();
    let ended = place.ingest(&[]);
    let name = place.logs().display().to_string();
    assert_run(&place, &ended, 4, &[&name, "holds no files; check the path"], 0);
    assert!(ended.stdout.contains("objects  0 listed"), "{}", ended.stdout);
}

#[test]
fn selection_that_leaves_nothing_is_complete() {
    let place = place_with_a_good_object();
    let ended = place.ingest(&["--from", "2030-01-01"]);
    // The good object's key says nothing about its day, so it is read.
    assert_run(&place, &ended, 0, &[], GOOD_RECORDS);
}

#[test]
fn links_and_pipes_in_a_folder_are_named_and_not_followed() {
    let place = place_with_a_good_object();
    std::os::unix::fs::symlink("/nonexistent", place.logs().join("dangling.json.gz")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(place.logs().join("pipe.json.gz"))
            .status()
            .unwrap()
            .success()
    );
    let ended = place.ingest(&[]);
    let message = [
        "dangling.json.gz`: symbolic links are not followed; name the target itself",
        "pipe.json.gz`: not a regular file",
    ];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS);
}

#[test]
fn pipe_that_is_named_is_refused_instead_of_waited_for() {
    let place = Place::new();
    let pipe = place.logs().join("pipe.json.gz");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ended = process::run(&place.store(), &["ingest", pipe.to_str().unwrap()]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.contains("pipe.json.gz`: neither a file nor a folder"),
        "{}",
        ended.stderr
    );
}

#[test]
fn paths_that_lead_nowhere_are_named() {
    let place = place_with_a_good_object();
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, place.folder().join(name)).unwrap();
        place.folder().join(name)
    };
    let missing = "no such file or folder; check the path";
    let cases = [
        (link("nowhere", "dangling"), missing),
        (link("loop", "loop"), "symbolic links"),
        (place.logs().join("good.json.gz/x"), "Not a directory"),
    ];
    for (path, reason) in cases {
        let path = path.display().to_string();
        // The other source is good, but a path that is wrong may be the one that matters: nothing is done.
        let ended = process::run(&place.store(), &["ingest", place.logs().to_str().unwrap(), &path]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
        for part in [&format!("cannot read `{path}`: "), reason, "check the path"] {
            assert!(ended.stderr.contains(part), "`{part}` is not in {}", ended.stderr);
        }
        assert!(!place.store().exists());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn file_that_cannot_be_read_is_named_and_tried_again_by_the_next_run() {
    let place = place_with_a_good_object();
    let logs = place.logs();
    // Nobody can read the start of a process's memory, not even root.
    let arguments = ["ingest", logs.to_str().unwrap(), "/proc/self/mem"];
    let ended = process::run(&place.store(), &arguments);
    let message = ["/mem` is unreadable: Input/output error", "run again"];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS);
    let again = process::run(&place.store(), &arguments);
    assert_eq!(again.code, 4, "{again:?}");
    assert!(
        again.stdout.contains("2 listed = 0 ingested + 1 known + 1 rejected"),
        "{}",
        again.stdout
    );
}

#[test]
fn folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let place = place_with_a_good_object();
    let locked = place.logs().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    let is_root = std::fs::read_dir(&locked).is_ok();
    let ended = place.ingest(&[]);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o700)).unwrap();
    if is_root {
        // Permissions do not bind root: the folder is simply empty.
        assert_run(&place, &ended, 0, &[], GOOD_RECORDS);
    } else {
        assert_run(&place, &ended, 4, &["locked`: Permission denied"], GOOD_RECORDS);
    }
}

#[test]
fn names_with_control_characters_are_shown_harmless() {
    let place = place_with_a_good_object();
    let red = zipped(document(&[record(100)]));
    place.write("\u{1b}[31mred\u{7}\n2.json.gz", &red);
    place.write("\u{1b}]0;title\u{7}\u{202e}cut.json.gz", &red[..red.len() / 4]);
    std::os::unix::fs::symlink("/nonexistent", place.logs().join("\u{1b}[2Jlink\r.json.gz")).unwrap();
    let not_utf8 = place.logs().join(OsStr::from_bytes(b"\xff\xfe.json.gz"));
    std::fs::write(not_utf8, zipped(document(&[record(101)]))).unwrap();
    let ended = place.ingest(&[]);
    assert_run(
        &place,
        &ended,
        4,
        &["cut.json.gz` is corrupt", "link"],
        GOOD_RECORDS + 2,
    );
    assert!(!ended.stderr.contains('\u{202e}'), "{:?}", ended.stderr);
    for format in ["table", "json", "ndjson", "csv", "markdown"] {
        let statement = "select object_key, state, error from objects order by object_key";
        let printed = process::run(&place.store(), &["sql", statement, "--output", format]);
        assert_eq!(printed.code, 0, "{printed:?}");
        assert_printable(&printed);
    }
    let keys = place.sql("select object_key from objects where object_key like '%.json.gz' order by object_key");
    assert!(
        keys.iter()
            .any(|row| text(row, "object_key").ends_with("/%FF%FE.json.gz")),
        "{keys:?}"
    );
}

#[test]
fn other_schemes_are_refused_with_what_to_do() {
    let place = Place::new();
    let ended = process::run(&place.store(), &["ingest", "gs://bucket/AWSLogs"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.contains("`gs://bucket/AWSLogs`") && ended.stderr.contains("copy the objects"),
        "{ended:?}"
    );
}
