//! The program as a process: exit codes, streams, signals.

use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;

/// Until a query is at work on its rows, about.
const HEAD_START: Duration = Duration::from_millis(300);

/// The program in an environment that says nothing, without a store.
fn trimtrail(arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin("trimtrail"));
    command
        .args(arguments)
        .env_clear()
        .env("TRIMTRAIL_STORE", "/nonexistent/store")
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    text_of(trimtrail(arguments).output().unwrap())
}

fn text_of(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn spawn(arguments: &[&str]) -> Child {
    trimtrail(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn version_goes_to_stdout() {
    let expected = format!("trimtrail {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"]), (0, expected, String::new()));
}

#[test]
fn help_goes_to_stdout_when_asked_for_and_to_stderr_when_not() {
    let (code, stdout, stderr) = run(&["--help"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("Exit codes:"), "{stdout}");
    let (code, stdout, stderr) = run(&[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("Ask questions:"), "{stderr}");
}

#[test]
fn exit_codes_of_wrong_and_failed_commands() {
    let cases: &[(&[&str], i32, &str)] = &[
        (&["quary"], 2, "query"),
        (&["sql", "select 1", "--limit", "many"], 2, "--limit"),
        (&["sql", "select $day"], 2, "`$day`"),
        (&["sql", "select 1", "--param", "day=1"], 2, "`$day`"),
        (&["sql", "selct 1"], 1, "error: "),
        (&["sql", "select nope"], 1, "`nope`"),
        (&["sql", "drop table events"], 1, "only reads"),
        (&["sql", "select * from events"], 1, "`/nonexistent/store`"),
        (&["sql", "-f", "/nonexistent.sql"], 1, "`/nonexistent.sql`"),
        (
            &["sql", "select 1", "-o", "/nonexistent/rows.csv"],
            1,
            "`/nonexistent/rows.csv`",
        ),
        (&["ingest", "/nonexistent/logs"], 1, "`/nonexistent/logs`"),
        (&["ingest", "gs://bucket/AWSLogs"], 1, "`gs://bucket/AWSLogs`"),
        (&["ingest", "/tmp", "--from", "yesterday"], 2, "`--from`"),
        (&["store", "info"], 1, "`/nonexistent/store`"),
        (
            &["store", "history", "--store", env!("CARGO_BIN_EXE_trimtrail")],
            1,
            "name a folder",
        ),
        (&["man", "/dev/null/man"], 1, "`/dev/null/man`"),
    ];
    for (arguments, expected, named) in cases {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (*expected, ""), "{arguments:?}: {stderr}");
        assert!(
            stderr.contains(named) && stderr.starts_with("error: "),
            "{arguments:?}: {stderr}"
        );
    }
}

#[test]
fn statement_needs_no_store_when_it_names_none_of_its_tables() {
    assert_eq!(
        run(&["sql", "select 1 as one", "--output", "csv"]),
        (0, "one\n1\n".to_owned(), String::new())
    );
}

#[test]
fn statement_is_read_from_a_pipe() {
    let mut child = trimtrail(&["sql", "--output", "ndjson", "--param", "n=2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"select $n + 1 as n\n").unwrap();
    assert_eq!(
        text_of(child.wait_with_output().unwrap()),
        (0, "{\"n\":3}\n".to_owned(), String::new())
    );
}

#[test]
fn quiet_leaves_the_rows_alone() {
    assert_eq!(
        run(&["sql", "select 1 as n", "-q"]),
        (0, "n\n─\n1\n".to_owned(), String::new())
    );
}

#[test]
fn parquet_goes_through_a_pipe() {
    let output = trimtrail(&["sql", "select 1 as n", "--output", "parquet"])
        .output()
        .unwrap();
    assert!(output.stdout.starts_with(b"PAR1") && output.stdout.ends_with(b"PAR1"));
}

#[test]
fn colour_is_for_those_who_ask() {
    let escapes = |arguments: &[&str], variable: &str| {
        let output = trimtrail(arguments).env(variable, "1").output().unwrap();
        text_of(output).2.contains('\u{1b}')
    };
    assert!(!escapes(&["sql", "selct"], "UNUSED"));
    assert!(escapes(&["sql", "selct", "--color", "always"], "UNUSED"));
    assert!(escapes(&["sql", "selct"], "CLICOLOR_FORCE"));
    assert!(!escapes(&["sql", "selct", "--color", "never"], "CLICOLOR_FORCE"));
    assert!(!escapes(&["sql", "selct"], "NO_COLOR"));
}

#[test]
fn import_of_facts_replaces_an_earlier_one_and_says_what_is_not_in_it_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("facts");
    let import = |service: &str| {
        let path = folder.path().join(format!("{service}.json"));
        let reference =
            format!(r#"{{"Name":"{service}","Version":"v1","Actions":[{{"Name":"Launch"}}],"Resources":[]}}"#);
        std::fs::write(&path, reference).unwrap();
        run(&[
            "facts",
            "import",
            path.to_str().unwrap(),
            "--facts",
            facts.to_str().unwrap(),
        ])
    };
    let (code, _, told) = import("moon");
    assert!(code == 0 && !told.contains("built-in facts hold again"), "{told}");
    let (code, _, told) = import("mars");
    assert!(code == 0 && told.contains("no file names now: moon"), "{told}");
    // Facts that cannot be read are written anew, too.
    std::fs::write(facts.join("facts.gz"), "damaged").unwrap();
    assert_eq!(import("mars").0, 0);
    let info = run(&["facts", "info", "--facts", facts.to_str().unwrap()]);
    assert!(
        info.1.contains("imported mars") && !info.1.contains("imported moon"),
        "{info:?}"
    );
    assert!(!info.2.contains("import the files again"), "{info:?}");
}

#[test]
fn demo_answers_from_made_up_logs_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = text_of(
        trimtrail(&["demo", "-q"])
            .env("TMPDIR", folder.path())
            .output()
            .unwrap(),
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
    for expected in [
        "stored + 43 duplicates + 2 rejected",
        "svc-jenkins",
        "prod/checkout/db",
        "What can be taken away?",
        "terraform-apply",
        "Try next:",
    ] {
        assert!(stdout.contains(expected), "{expected}: {stdout}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn demo_outside_of_the_repository_keeps_the_logs_that_the_rows_name_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let demo = |arguments: &[&str]| {
        let mut command = trimtrail(arguments);
        text_of(
            command
                .current_dir(folder.path())
                .env("TMPDIR", folder.path())
                .output()
                .unwrap(),
        )
    };
    let names = || {
        let names = std::fs::read_dir(folder.path()).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    let (code, _, stderr) = demo(&["demo", "-q"]);
    assert_eq!((code, stderr.as_str(), names()), (0, "", Vec::new()));
    let (code, stdout, stderr) = demo(&["demo", "--store", "kept"]);
    assert_eq!((code, names()), (0, vec!["kept".to_owned()]), "{stderr}");
    assert!(stdout.contains("stored + 43 duplicates + 2 rejected"), "{stdout}");
    assert!(stderr.contains("kept/sample-logs`"), "{stderr}");
    let statement = "select distinct object_key from events";
    let (code, keys, stderr) = demo(&["sql", statement, "--store", "kept", "--output", "csv", "-q"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let files: Vec<&str> = keys.lines().skip(1).collect();
    assert!(files.len() > 300, "{}", files.len());
    for file in files {
        assert!(Path::new(file.strip_prefix("file://").unwrap()).is_file(), "{file}");
    }
    let (code, stdout, stderr) = demo(&["demo", "--store", "kept"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("= 0 ingested + 364 known + 0 rejected"), "{stdout}");
}

#[test]
fn demo_leaves_a_store_with_other_logs_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    std::fs::create_dir(&logs).unwrap();
    std::fs::write(logs.join("a.json"), r#"{"Records":[{"eventID":"e","eventName":"n"}]}"#).unwrap();
    let store = store.to_str().unwrap();
    let (_, _, stderr) = run(&["ingest", logs.to_str().unwrap(), "--store", store]);
    let count = || {
        run(&[
            "sql",
            "select count(*) from objects",
            "--store",
            store,
            "--output",
            "csv",
            "-q",
        ])
        .1
    };
    let before = count();
    assert!(before.ends_with("\n1\n"), "{before} {stderr}");
    let (code, stdout, stderr) = run(&["demo", "--store", store]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("logs/a.json"), "{stderr}");
    assert_eq!(count(), before);
}

#[test]
fn sample_logs_are_ingested_once_and_what_is_broken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let logs = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-logs");
    let arguments = ["ingest", logs, "--store", store.to_str().unwrap()];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, 4, "{stderr}");
    assert!(
        stdout.contains("objects  375 listed = 363 ingested + 0 known + 12 rejected (11 not CloudTrail's)\n"),
        "{stdout}"
    );
    assert_eq!(stderr.matches("warning: ").count(), 2, "{stderr}");
    let (code, stdout, _) = run(&arguments);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("375 listed = 0 ingested + 375 known + 0 rejected\n"),
        "{stdout}"
    );
}

#[test]
fn hostile_names_in_errors_are_shown_not_obeyed() {
    let (_, _, stderr) = run(&["sql", "select \"\u{1b}[2J\u{202e}\u{9b}1m\""]);
    let is_clean =
        !stderr.contains(|character: char| (character.is_control() && character != '\n') || character == '\u{202e}');
    assert!(is_clean && stderr.contains("\\u{1b}[2J\\u{202e}"), "{stderr:?}");
}

#[test]
fn reader_that_leaves_early_is_no_error() {
    let mut child = spawn(&["sql", "select * from generate_series(1, 10000000)", "--output", "csv"]);
    let mut first = [0_u8; 6];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    assert_eq!(&first, b"value\n");
    assert_eq!(
        text_of(child.wait_with_output().unwrap()),
        (0, String::new(), String::new())
    );
}

#[cfg(target_os = "linux")]
#[test]
fn signals_stop_a_query_with_their_exit_code() {
    let series = "generate_series(1, 1000000)";
    let statements = [
        "select count(*) from generate_series(1, 1000000000000) where value < 0".to_owned(),
        format!("select count(*) from {series} a cross join {series} b"),
        // One batch is a work of hours.
        format!("select count(*) from {series} a join {series} b on a.value * b.value < 0"),
        format!("select count(*) from {series} a join {series} b on a.value % 2 = b.value % 2"),
    ];
    for statement in &statements {
        for (signal, bit, code) in [("INT", 1_u64 << 1, 130), ("TERM", 1 << 14, 143)] {
            let child = spawn(&["sql", statement]);
            wait_until_caught(child.id(), bit);
            std::thread::sleep(HEAD_START);
            assert!(
                Command::new("kill")
                    .args(["-s", signal, &child.id().to_string()])
                    .status()
                    .unwrap()
                    .success()
            );
            assert_eq!(
                text_of(child.wait_with_output().unwrap()),
                (code, String::new(), String::new()),
                "{signal} {statement}"
            );
        }
    }
}

/// Waits until the process catches the signal of this bit.
#[cfg(target_os = "linux")]
fn wait_until_caught(process: u32, bit: u64) {
    loop {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        if u64::from_str_radix(caught.trim(), 16).unwrap() & bit != 0 {
            return;
        }
        std::thread::yield_now();
    }
}
