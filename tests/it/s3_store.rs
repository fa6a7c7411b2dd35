//! A store in a bucket: the rows of a store in a folder, each once, whatever the service does and whoever writes beside.

use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::ingest::write_object;
use crate::support::bucket::Asked;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Lost;
use crate::support::bucket::STORE;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

/// Each object repeats the end of the one before it.
const RECORDS: usize = 12;
const STEP: usize = 9;

fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-logs")
}

/// The program with its store in a bucket.
pub(crate) fn command(store: &FakeBucket, arguments: &[&str]) -> Command {
    let mut command = process::trimtrail(&PathBuf::from(STORE), arguments);
    store.keep_store(&mut command);
    if arguments.first() == Some(&"ingest") {
        // So that every file belongs to the newest version.
        command.arg("--no-compact");
    }
    command
}

pub(crate) fn run(store: &FakeBucket, arguments: &[&str]) -> Ended {
    process::ended(command(store, arguments).output().unwrap())
}

/// The rows of a command, as JSON objects.
pub(crate) fn rows(store: &FakeBucket, arguments: &[&str]) -> Vec<Value> {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--quiet", "--output", "json"]);
    let ended = run(store, &arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

pub(crate) const FINGERPRINT: &str = "select count(*) as number, count(distinct event_id) as ids, \
    encode(sha256(string_agg(record, '\n' order by record)), 'hex') as digest from event_records";

pub(crate) fn fingerprint(store: &FakeBucket) -> Value {
    rows(store, &["sql", FINGERPRINT])[0].clone()
}

/// Rows and ledger agree, and nothing is accounted for twice.
pub(crate) fn assert_balanced(store: &FakeBucket, events: usize) {
    let row = rows(
        store,
        &[
            "sql",
            "select (select count(*) from events) as events, (select count(distinct event_id) from events) as ids, \
             (select coalesce(sum(stored), 0) from objects) as stored, \
             (select count(*) - count(distinct object_key) from objects) as twice, \
             (select coalesce(sum(records - stored - duplicates - rejected), 0) from objects) as lost",
        ],
    )[0]
    .clone();
    let wanted = i64::try_from(events).unwrap();
    let found = ["events", "ids", "stored", "twice", "lost"].map(|name| number(&row, name));
    assert_eq!(found, [wanted, wanted, wanted, 0, 0], "{row}");
}

/// Writes objects that overlap, and returns how many events they hold together.
pub(crate) fn write_objects(place: &Place, numbers: std::ops::Range<usize>) -> usize {
    for index in numbers.clone() {
        write_object(
            &place.logs(),
            &format!("{index:03}.json.gz"),
            index * STEP..index * STEP + RECORDS,
        );
    }
    (numbers.end - 1) * STEP + RECORDS
}

fn ingest(store: &FakeBucket, place: &Place) -> Ended {
    run(store, &["ingest", place.logs().to_str().unwrap()])
}

pub(crate) fn start(store: &FakeBucket, arguments: &[&str]) -> Child {
    let mut command = command(store, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn data_files(store: &FakeBucket) -> Vec<String> {
    let mut keys = store.keys();
    keys.retain(|key| key.contains("/part-"));
    keys
}

fn of<'a>(asked: &'a [Asked], verb: &str) -> Vec<&'a Asked> {
    asked.iter().filter(|asked| asked.verb == verb).collect()
}

/// Every data file of the bucket belongs to the newest version.
pub(crate) fn assert_no_garbage(store: &FakeBucket) {
    let known: i64 = rows(store, &["store", "info"])
        .iter()
        .map(|table| number(table, "files"))
        .sum();
    let found = data_files(store);
    assert_eq!(i64::try_from(found.len()).unwrap(), known, "{found:?}");
}

#[test]
fn bucket_holds_what_a_folder_would_and_every_command_reads_it() {
    let (logs, iam) = (sample().join("AWSLogs"), sample().join("iam"));
    let (logs, iam) = (logs.to_str().unwrap(), iam.to_str().unwrap());
    let place = Place::new();
    let store = FakeBucket::writable();
    let source = FakeBucket::new();
    source.put_folder(&sample().join("AWSLogs"), "AWSLogs/");
    let ingest = |options: &[&str]| {
        let arguments = [&["ingest", "s3://central-logs/"], options].concat();
        let mut command = source.command(&place.store(), &arguments);
        process::ended(store.keep_store(&mut command).output().unwrap())
    };
    // Files that a compaction replaced would stay.
    let first = ingest(&["--no-compact"]);
    let local = process::run(&place.store(), &["ingest", logs]);
    let counts = |ended: &Ended| ended.stdout.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((first.code, counts(&first)), (local.code, counts(&local)), "{first:?}");
    assert!(first.stdout.contains("\nstore    "), "{first:?}");
    let of_folder = place.sql(FINGERPRINT)[0].clone();
    assert_eq!(fingerprint(&store), of_folder);

    let second = ingest(&["--no-compact"]);
    assert!(second.stdout.contains("\nrecords  0 read"), "{second:?}");
    assert!(ingest(&["--dry-run"]).stdout.starts_with("0 objects would be read, "));
    let reads = ["LIST", "GET", "HEAD"];
    let other: Vec<Asked> = source
        .asked()
        .into_iter()
        .filter(|asked| !reads.contains(&asked.verb.as_str()))
        .collect();
    assert!(other.is_empty(), "{other:?}");

    let taken = ["iam", "import", iam, "--taken-at", "2026-09-15"];
    assert_eq!(run(&store, &taken).stdout, process::run(&place.store(), &taken).stdout);
    for arguments in [
        &["diff", "--output", "json"][..],
        &["policy", "--mode", "trim", "--output", "json"],
        &["query", "used-actions", "--output", "json"],
        &["sql", "--at-version", "0", "select count(*) as n from events"],
        &["query", "unused-roles", "--output", "json"],
    ] {
        let (of_bucket, of_folder) = (run(&store, arguments), process::run(&place.store(), arguments));
        assert_eq!(of_bucket.code, of_folder.code, "{arguments:?}: {of_bucket:?}");
        assert_eq!(of_bucket.stdout, of_folder.stdout, "{arguments:?}");
    }
    assert_integrity_is_told(&store, &place);
    let history = rows(&store, &["store", "history"]);
    assert_eq!(
        history.iter().map(|commit| number(commit, "version")).max(),
        Some(i64::try_from(history.len()).unwrap() - 1)
    );
    assert!(!place.folder().join("trimtrail-store").exists());
    assert_no_garbage(&store);
}

/// Digests are checked, and a bundle is made and checked, as over a folder.
fn assert_integrity_is_told(store: &FakeBucket, place: &Place) {
    let keys = format!("us-east-1={}", sample().join("public-keys.json").display());
    let verify = ["verify", "--keys", &keys, "--output", "json"];
    let (of_bucket, of_folder) = (run(store, &verify), process::run(&place.store(), &verify));
    // The objects of this bucket lack the metadata in which CloudTrail keeps signatures: none of the same digests is valid.
    let total = |ended: &Ended| {
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        report["summary"]["digests"]["total"].clone()
    };
    assert_eq!(
        (of_bucket.code, total(&of_bucket)),
        (3, total(&of_folder)),
        "{of_bucket:?}"
    );
    let out = place.folder().join("bundle").display().to_string();
    let export = "evidence export --period 2026-09 --framework soc2 --out".split(' ');
    let export: Vec<&str> = export.chain([out.as_str()]).collect();
    let ended = run(store, &export);
    assert!(matches!(ended.code, 0 | 4), "{ended:?}");
    let ended = run(store, &["evidence", "verify", &out, "--store", STORE]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn commit_whose_answer_gets_lost_is_stored_once() {
    for lost in [Lost::Failure, Lost::Silence] {
        let store = FakeBucket::writable();
        store.script(|script| script.writes.lost = Some(lost));
        let place = Place::new();
        // Each run makes a commit and lets the other tables follow, and every one of these answers is lost.
        for round in 1..=6 {
            let events = write_objects(&place, (round - 1) * 2..round * 2);
            let ended = ingest(&store, &place);
            assert_eq!(ended.code, 0, "{lost:?} {round}: {ended:?}");
            assert_balanced(&store, events);
        }
        assert_no_garbage(&store);
        let created = of(&store.asked(), "CREATE").len();
        assert!(created > 6 * 4, "{created}");
    }
}

#[test]
fn storm_of_conflicts_and_throttling_changes_nothing() {
    let store = FakeBucket::writable();
    store.script(|script| {
        script.busy_percent = 30;
        script.writes.conflict_percent = 40;
        script.page_size = 3;
    });
    let place = Place::new();
    for round in 1..=4 {
        let events = write_objects(&place, (round - 1) * 3..round * 3);
        let ended = ingest(&store, &place);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_balanced(&store, events);
    }
    assert_no_garbage(&store);
}

#[test]
fn eight_writers_of_overlapping_logs_store_every_event_once() {
    let store = FakeBucket::writable();
    store.script(|script| {
        script.writes.conflict_percent = 10;
        script.latency = Duration::from_millis(3);
    });
    let place = Place::new();
    let events = write_objects(&place, 0..24);
    let sources: Vec<String> = (0..24)
        .map(|index| place.logs().join(format!("{index:03}.json.gz")).display().to_string())
        .collect();
    let writers = (0..8).map(|writer| {
        // Everyone shares two thirds of its objects with its neighbours.
        let mut arguments = vec!["ingest"];
        arguments.extend((0..9).map(|index| sources[(writer * 3 + index) % 24].as_str()));
        start(&store, &arguments)
    });
    for writer in writers.collect::<Vec<_>>() {
        let ended = process::ended(writer.wait_with_output().unwrap());
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_balanced(&store, events);
    let local = Place::new();
    write_objects(&local, 0..24);
    assert_eq!(local.ingest(&[]).code, 0);
    assert_eq!(fingerprint(&store), local.sql(FINGERPRINT)[0]);
    // Losers take their files away.
    assert_no_garbage(&store);
}

#[test]
fn service_that_ignores_conditions_is_refused_before_anything_is_written() {
    let store = FakeBucket::writable();
    store.script(|script| script.writes.is_careless = true);
    let place = Place::new();
    write_objects(&place, 0..1);
    for arguments in [
        vec!["ingest", place.logs().to_str().unwrap()],
        vec!["iam", "import", place.logs().to_str().unwrap()],
    ] {
        let ended = run(&store, &arguments);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(
            ended.stderr.contains("ignores `If-None-Match: *`") && ended.stderr.contains(STORE),
            "{ended:?}"
        );
    }
    assert_eq!(store.keys(), Vec::<String>::new());
}

#[test]
fn readers_do_not_write_and_a_day_is_asked_for_alone() {
    let store = FakeBucket::writable();
    let place = Place::new();
    for round in 1..=3 {
        write_objects(&place, (round - 1) * 3..round * 3);
        assert_eq!(ingest(&store, &place).code, 0);
    }
    let all = data_files(&store)
        .iter()
        .filter(|key| key.contains("/event_date="))
        .count();
    drop(store.asked());
    let found = rows(
        &store,
        &[
            "sql",
            "select count(*) as n, max(request_parameters) as p from events where event_date = date '2026-09-02'",
        ],
    );
    assert!(number(&found[0], "n") > 0);
    let asked = store.asked();
    let writes: Vec<_> = asked
        .iter()
        .filter(|asked| !["LIST", "GET", "HEAD"].contains(&asked.verb.as_str()))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
    let read = of(&asked, "GET")
        .into_iter()
        .filter(|asked| asked.key.contains("/event_date="));
    let read: Vec<&str> = read.map(|asked| asked.key.as_str()).collect();
    assert!(
        !read.is_empty() && read.iter().all(|key| key.contains("/event_date=2026-09-02/")),
        "{read:?}"
    );
    let files: std::collections::BTreeSet<&&str> = read.iter().collect();
    assert!(files.len() < all, "{files:?} of {all}");
    // The footer comes with the rest of these small files, or with one request before it.
    assert!(read.len() <= files.len() * 3, "{read:?}");
}

#[test]
fn store_that_cannot_be_used_is_told_with_the_remedy() {
    let store = FakeBucket::writable();
    let place = Place::new();
    write_objects(&place, 0..1);
    let told = |ended: &Ended, words: &[&str]| {
        assert_eq!(ended.code, 1, "{ended:?}");
        for word in words {
            assert!(ended.stderr.contains(word), "{word}: {ended:?}");
        }
    };
    told(
        &run(&store, &["store", "info"]),
        &["no store at `s3://trail-store/", "trimtrail ingest"],
    );
    store.script(|script| script.writes.is_denied = true);
    told(
        &ingest(&store, &place),
        &["cannot write `s3://trail-store/", "allow `s3:PutObject` on the objects"],
    );
    store.script(|script| script.writes.is_denied = false);
    store.put("our trail/50% (ü)/thesis.tex", "x", &[]);
    told(&ingest(&store, &place), &["already holds `thesis.tex`"]);
    store.remove("our trail/50% (ü)/thesis.tex");
    assert_eq!(ingest(&store, &place).code, 0);
    let without = command(&store, &["store", "info"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .output()
        .unwrap();
    told(
        &process::ended(without),
        &["no usable AWS credentials", "`--store-profile`"],
    );
    let elsewhere = command(&store, &["store", "info"])
        .env("TRIMTRAIL_STORE", "s3://other/x")
        .output()
        .unwrap();
    told(&process::ended(elsewhere), &["no such bucket"]);
    for key in data_files(&store) {
        store.remove(&key);
    }
    told(
        &run(&store, &["sql", "select max(event_name) from events"]),
        &["data file `s3://trail-store/", "is missing"],
    );
}

#[test]
fn large_file_is_written_in_parts_and_only_its_columns_are_read() {
    let store = FakeBucket::writable();
    let place = Place::new();
    // Text that does not shrink: more than one part of a single day.
    let mut state = 0x5eed_u64;
    let mut noise = || {
        (0..700)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(
                    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-"
                        [usize::try_from(state % 64).unwrap()],
                )
            })
            .collect::<String>()
    };
    let mut object = |ids: std::ops::Range<usize>| {
        let records =
            ids.map(|id| crate::ingest::record(id * 3).replace("\"key\":\"", &format!("\"key\":\"{}", noise())));
        format!("{{\"Records\":[{}]}}", records.collect::<Vec<_>>().join(","))
    };
    place.write("large.json", object(0..20_000).as_bytes());
    assert_eq!(ingest(&store, &place).code, 0);
    let asked = store.asked();
    let verbs = ["BEGIN", "PART", "COMPLETE"].map(|verb| of(&asked, verb).len());
    assert!(
        verbs[0] >= 1 && verbs[1] > verbs[0] && verbs[2] == verbs[0],
        "{verbs:?}"
    );
    // The next object repeats some of its events, which are looked up in the large file.
    place.write("next.json", object(19_990..20_010).as_bytes());
    let ended = ingest(&store, &place);
    assert!(
        ended.stdout.contains("20 read = 10 stored + 10 duplicates"),
        "{ended:?}"
    );
    assert_balanced(&store, 20_010);
}

#[test]
fn signal_ends_a_run_and_the_next_one_completes_it() {
    let store = FakeBucket::writable();
    let place = Place::new();
    let events = write_objects(&place, 0..12);
    store.script(|script| script.latency = Duration::from_millis(120));
    let mut child = start(&store, &["ingest", place.logs().to_str().unwrap()]);
    std::thread::sleep(Duration::from_millis(1_500));
    let kill = Command::new("kill")
        .args(["-s", "TERM", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    store.script(|script| script.latency = Duration::ZERO);
    assert_eq!(ingest(&store, &place).code, 0);
    assert_balanced(&store, events);
    assert_no_garbage(&store);
}

#[test]
fn kills_at_any_moment_lose_and_double_nothing() {
    let store = FakeBucket::writable();
    let place = Place::new();
    store.script(|script| script.latency = Duration::from_millis(2));
    let mut events = 0;
    let mut killed = 0;
    for round in 0..16 {
        events = write_objects(&place, round..round + 1);
        let mut children: Vec<Child> = (0..1 + round % 2)
            .map(|_| start(&store, &["ingest", place.logs().to_str().unwrap()]))
            .collect();
        for (number, child) in children.iter_mut().enumerate() {
            let moment = 20 + (round * 7_919 + number * 104_729) % 400;
            std::thread::sleep(Duration::from_millis(u64::try_from(moment).unwrap()));
            child.kill().unwrap();
            killed += usize::from(child.wait().unwrap().code().is_none());
        }
    }
    assert!(killed > 6, "{killed}");
    assert_eq!(ingest(&store, &place).code, 0);
    assert_balanced(&store, events);
}
