//! A store that lives for years: nightly runs, compaction, expiry, and what may come between.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use jiff::Span;
use jiff::civil::Date;
use jiff::civil::date;
use serde_json::Value;
use trimtrail::decode::gzip;
use trimtrail::query::QuerySession;
use trimtrail::query::UsageSource;
use trimtrail::store::Store;

use crate::failpoints::FINGERPRINT;
use crate::ingest::write_object;
use crate::support::ingest::IngestStore;
use crate::support::ingest::NOW;
use crate::support::ingest::options;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Place;
use crate::support::session;

const FIRST_NIGHT: Date = date(2024, 1, 1);
const NIGHTS: usize = 365;
const EVENTS_OF_A_NIGHT: usize = 48;

/// An event of a small estate, half an hour after the one before; a run finds those from two in the morning to the next.
fn event(night: usize, number: usize) -> String {
    let hours = i64::try_from(night * 24 + 2 + number / 2).unwrap();
    let time = FIRST_NIGHT
        .at(0, 30, 0, 0)
        .checked_add(Span::new().hours(hours))
        .unwrap();
    let role = ["app", "build", "audit"][number % 3];
    let name = ["DescribeInstances", "DescribeVpcs"][number % 2];
    let region = ["eu-west-1", "eu-west-1", "us-east-1"][number % 3];
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","principalId":"AROA{role}:s","arn":"arn:aws:sts::111122223333:assumed-role/{role}/s","accountId":"111122223333","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{role}","arn":"arn:aws:iam::111122223333:role/{role}","accountId":"111122223333","userName":"{role}"}}}}}},"eventTime":"{time}Z","eventSource":"ec2.amazonaws.com","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"198.51.100.7","userAgent":"x","requestParameters":null,"responseElements":null,"eventID":"{night:08}-0000-0000-0000-{number:012}","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#
    )
}

/// Writes what is delivered in one night.
fn deliver(folder: &Path, night: usize) -> PathBuf {
    let day = FIRST_NIGHT
        .checked_add(Span::new().days(i64::try_from(night).unwrap()))
        .unwrap();
    let events: Vec<String> = (0..EVENTS_OF_A_NIGHT).map(|number| event(night, number)).collect();
    let stamp = day.strftime("%Y%m%d");
    let path = folder.join(format!(
        "111122223333_CloudTrail_eu-west-1_{stamp}T2355Z_{night:016}.json.gz"
    ));
    let text = format!("{{\"Records\":[{}]}}", events.join(","));
    fs::write(&path, gzip::compress(text.as_bytes())).unwrap();
    path
}

/// Writes calls that write: where there is none, a grant of yesterday would not be in the logs.
fn deliver_writing(folder: &Path, nights: [usize; 2]) {
    for night in nights {
        let writing = event(night, 3)
            .replace("DescribeVpcs", "CreateTags")
            .replace(&format!("{night:08}-0000"), &format!("{night:08}-0001"))
            .replace(r#""readOnly":true"#, r#""readOnly":false"#);
        let log = folder.join(format!("writing-{night}.json"));
        fs::write(log, format!("{{\"Records\":[{writing}]}}")).unwrap();
    }
}

/// Data files of each table, by the newest version.
fn files(store: &Path) -> Vec<(String, i64, i64)> {
    let ended = process::run(store, &["store", "info", "--output", "json", "--quiet"]);
    let tables: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let of_table = |row: &Value| {
        (
            row["table"].as_str().unwrap().to_owned(),
            number(row, "files"),
            number(row, "rows"),
        )
    };
    tables.iter().map(of_table).collect()
}

fn files_of(store: &Path, table: &str) -> (i64, i64) {
    let found = files(store).into_iter().find(|(name, ..)| name == table).unwrap();
    (found.1, found.2)
}

fn usage_source(store: &IngestStore) -> UsageSource {
    store.runtime.block_on(async {
        let opened = Store::open(&store.location()).await.unwrap();
        let session = QuerySession::new(Some(&opened), &session::options(NOW), None).unwrap();
        drop(session.sql("select day from usage", &[]).await.unwrap());
        session.usage_source().unwrap()
    })
}

/// What a store says while it has no rollup.
fn of_events(store: &IngestStore, id: &str, window: &[(&str, &str)]) -> Vec<Value> {
    let (rollup, aside) = (
        store.folder.path().join("store/usage"),
        store.folder.path().join("usage-aside"),
    );
    fs::rename(&rollup, &aside).unwrap();
    let answer = store.ask(id, window);
    fs::rename(&aside, &rollup).unwrap();
    answer
}

#[test]
fn year_of_nights_leaves_few_files_and_answers_from_far_fewer_rows() {
    let logs = tempfile::tempdir().unwrap();
    let store = IngestStore::new();
    let mut options = options();
    options.compacts = true;
    // Opening it anew each night would take most of the time.
    let opened = store.store();
    for night in 0..NIGHTS {
        let log = deliver(logs.path(), night);
        let balance = store.ingest_into(&opened, &[&log], &options).unwrap();
        assert_eq!(balance.stored, EVENTS_OF_A_NIGHT as u64, "night {night}");
    }
    let place = store.folder.path().join("store");
    let all = i64::try_from(NIGHTS * EVENTS_OF_A_NIGHT).unwrap();
    let (event_files, events) = files_of(&place, "events");
    assert_eq!(events, all);
    let of_day = store.runtime.block_on(async {
        let events = Store::open(&store.location()).await.unwrap();
        let events = events.snapshot(trimtrail::schema::Table::Events).await.unwrap();
        let days: Vec<Option<i32>> = events.files.iter().map(|file| file.event_date).collect();
        days.chunk_by(|one, other| one == other).map(<[_]>::len).max().unwrap()
    });
    assert!(of_day <= 3, "{of_day} files of one day");
    let (ledger_files, objects) = files_of(&place, "objects");
    assert!(ledger_files <= 17 && objects == i64::try_from(NIGHTS).unwrap());
    let (usage_files, usage_rows) = files_of(&place, "usage");
    assert!(usage_files <= 17, "{usage_files} files of the rollup");
    assert!(
        event_files >= 20 * usage_files && events >= 3 * usage_rows,
        "{event_files} files and {events} rows of events, {usage_files} and {usage_rows} of the rollup"
    );
    let year = [("since", "2024-01-01"), ("until", "2025-01-01")];
    let answer = store.ask("used-actions", &year);
    assert_eq!(usage_source(&store), UsageSource::Rollup);
    let calls: i64 = answer.iter().map(|row| number(row, "succeeded")).sum();
    // A leap year has one night more.
    assert_eq!((answer.len(), calls), (6, all));
    assert_eq!(answer, of_events(&store, "used-actions", &year));
    let again = store.ingest_with(&[logs.path()], &options).unwrap();
    assert_eq!((again.known, again.stored), (NIGHTS as u64, 0));
}

#[test]
fn damaged_file_does_not_keep_others_from_being_compacted_and_is_told() {
    let place = Place::new();
    for index in 0..5 {
        let log = write_object(&place.logs(), &format!("{index}.json.gz"), index * 20..index * 20 + 20);
        done(&place, &["ingest", log.to_str().unwrap(), "--no-compact"]);
    }
    assert_eq!(files_of(&place.store(), "events").0, 15);
    let day = place.store().join("events/event_date=2026-09-01");
    let damaged = fs::read_dir(day)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    let bytes = fs::metadata(&damaged).unwrap().len();
    fs::write(&damaged, vec![0; usize::try_from(bytes).unwrap()]).unwrap();
    let ended = place.ingest(&[]);
    assert_eq!((ended.code, files_of(&place.store(), "events").0), (0, 7), "{ended:?}");
    let name = damaged.to_str().unwrap();
    assert!(
        ended
            .stderr
            .contains("warning: small files stay as they are: data file")
            && ended.stderr.contains(name),
        "{}",
        ended.stderr
    );
    let ended = process::run(&place.store(), &["store", "compact", "--output", "json"]);
    let groups: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let left: Vec<&Value> = groups.iter().filter(|group| group["new_bytes"].is_null()).collect();
    assert!(left.len() == 1 && left[0]["event_date"] == "2026-09-01", "{groups:?}");
    assert_eq!((ended.code, files_of(&place.store(), "usage").0), (1, 1), "{ended:?}");
    assert!(
        ended.stderr.contains("error: ") && ended.stderr.contains(name),
        "{}",
        ended.stderr
    );
}

/// A store with one commit for each of some nights.
fn nights(count: usize) -> (Place, IngestStore) {
    let place = Place::new();
    let clean = IngestStore::new();
    for night in 0..count {
        let log = deliver(&place.logs(), night);
        let ended = process::run(&place.store(), &["ingest", log.to_str().unwrap(), "--no-compact"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    clean.ingest(&[&place.logs()]);
    (place, clean)
}

fn done(place: &Place, arguments: &[&str]) -> process::Ended {
    let ended = process::run(&place.store(), arguments);
    assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
    ended
}

#[test]
fn compaction_is_tried_done_and_then_has_nothing_to_do() {
    let (place, clean) = nights(6);
    let (before, _) = files_of(&place.store(), "events");
    let tried = place.rows(&["store", "compact", "--dry-run"]);
    let listed: i64 = tried.iter().map(|group| number(group, "files")).sum();
    assert!(tried.iter().all(|group| group["new_bytes"].is_null()), "{tried:?}");
    assert_eq!(files_of(&place.store(), "events").0, before);
    let compacted = place.rows(&["store", "compact"]);
    let rewritten: i64 = compacted.iter().map(|group| number(group, "files")).sum();
    assert_eq!((compacted.len(), rewritten), (tried.len(), listed));
    assert_eq!(files_of(&place.store(), "events"), (7, 6 * 48));
    assert_eq!(
        (
            files_of(&place.store(), "objects").0,
            files_of(&place.store(), "usage").0
        ),
        (1, 1)
    );
    assert_eq!(place.sql(FINGERPRINT), clean.sql(FINGERPRINT));
    assert!(place.rows(&["store", "compact"]).is_empty());
    let history = place.rows(&["store", "history", "--limit", "1"]);
    assert_eq!(
        (&history[0]["operation"], &history[0]["events"]),
        (&"COMPACT".into(), &0.into())
    );
    for version in ["1", "3", "6"] {
        let counts = "select (select count(*) from events) as events, (select sum(stored) from objects) as stored, \
                      (select sum(events) from usage) as summed";
        let row = &place.rows(&["sql", counts, "--at-version", version])[0];
        assert_eq!(
            (&row["events"], &row["events"]),
            (&row["stored"], &row["summed"]),
            "{version}: {row}"
        );
    }
    let again = place.ingest(&[]);
    assert!(again.stdout.contains("\nrecords  0 read"), "{again:?}");
}

#[test]
fn events_of_other_objects_are_found_in_compacted_files() {
    let place = Place::new();
    for index in 0..4 {
        let log = write_object(&place.logs(), &format!("{index}.json.gz"), index * 10..index * 10 + 15);
        done(&place, &["ingest", log.to_str().unwrap(), "--no-compact"]);
    }
    done(&place, &["store", "compact"]);
    let copies = write_object(&place.logs(), "copies.json.gz", 5..50);
    let ended = done(&place, &["ingest", copies.to_str().unwrap()]);
    assert!(ended.stdout.contains("45 read = 5 stored + 40 duplicates"), "{ended:?}");
}

#[test]
fn compactions_and_ingests_at_the_same_time_lose_and_double_nothing() {
    let place = Place::new();
    for round in 0..5 {
        let logs: Vec<PathBuf> = (0..2)
            .map(|part| {
                let index = round * 2 + part;
                write_object(
                    &place.logs(),
                    &format!("{index:02}.json.gz"),
                    index * 10..index * 10 + 15,
                )
            })
            .collect();
        // Of one round, the runs compact as well.
        let options: &[&str] = if round == 2 { &[] } else { &["--no-compact"] };
        let ingests = logs
            .iter()
            .map(|log| [&["ingest", log.to_str().unwrap()], options].concat());
        let compactions = (0..if round == 0 { 0 } else { 2 }).map(|_| vec!["store", "compact", "--quiet"]);
        let children: Vec<_> = ingests
            .chain(compactions)
            .map(|arguments| {
                let mut command = process::trimtrail(&place.store(), &arguments);
                command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
    }
    done(&place, &["store", "compact"]);
    let clean = IngestStore::new();
    clean.ingest(&[&place.logs()]);
    assert_eq!(place.sql(FINGERPRINT), clean.sql(FINGERPRINT));
    assert_eq!(files_of(&place.store(), "events").0, 3);
    assert_sound(&place);
}

fn assert_sound(place: &Place) {
    let row = &place.sql(
        "select (select count(*) from events) as events, (select count(distinct event_id) from events) as ids, \
         (select sum(stored) from objects) as stored, (select sum(events) from usage) as summed",
    )[0];
    assert_eq!(row["events"], row["ids"], "{row}");
    assert_eq!(
        (&row["events"], &row["events"]),
        (&row["stored"], &row["summed"]),
        "{row}"
    );
}

#[test]
fn compaction_that_is_killed_again_and_again_leaves_all_rows() {
    let (place, clean) = nights(8);
    let wanted = clean.sql(FINGERPRINT);
    for round in 0..12_u64 {
        let mut child = process::trimtrail(&place.store(), &["store", "compact"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(40 + 25 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(place.sql(FINGERPRINT), wanted, "round {round}");
        assert_sound(&place);
    }
    done(&place, &["store", "compact"]);
    assert_eq!(files_of(&place.store(), "events").0, 9);
    assert_eq!(place.sql(FINGERPRINT), wanted);
}

const SUMS: &str = "select principal_arn, action, sum(calls) as calls, sum(events) as events, min(first_seen) as first, \
    max(last_seen) as last from usage group by 1, 2 order by 1, 2";

#[test]
fn expired_days_leave_their_sums_and_their_objects_do_not_come_back() {
    let (place, _) = nights(10);
    let sums = place.sql(SUMS);
    let expire = ["store", "expire", "--events-older-than", "2024-01-05T12:00:00Z"];
    let tried = place.rows(&[&expire[..], &["--dry-run"]].concat());
    assert_eq!((tried.len(), &tried[0]["event_date"]), (4, &"2024-01-01".into()));
    assert_eq!(place.sql("select count(*) as count from events")[0]["count"], 480);
    let ended = done(&place, &[&expire[..], &["--output", "json"]].concat());
    assert_eq!(serde_json::from_str::<Vec<Value>>(&ended.stdout).unwrap(), tried);
    assert!(
        ended
            .stderr
            .contains("still on disk, and readable with `--at-version` up to 10, until 20"),
        "{}",
        ended.stderr
    );
    assert!(place.rows(&expire).is_empty());
    let first = "select cast(min(event_date) as text) as day, count(*) as count from events";
    let left = place.sql(first);
    assert_eq!(left[0]["day"], "2024-01-05");
    assert_eq!(place.sql(SUMS), sums);
    let again = place.ingest(&[]);
    assert!(
        (again.code, again.stdout.contains("\nrecords  0 read")) == (0, true),
        "{again:?}"
    );
    done(&place, &["store", "rebuild", "usage"]);
    done(&place, &["store", "compact"]);
    done(&place, &["store", "rebuild", "usage"]);
    assert_eq!(place.sql(SUMS), sums);
    assert_eq!(place.sql(first), left);
    let told = done(&place, &["query", "used-actions", "--param", "since=2024-01-01"]);
    assert!(
        told.stderr
            .contains("events from before 2024-01-05T00:00:00Z have expired"),
        "{}",
        told.stderr
    );
    let info = done(&place, &["store", "info"]);
    assert!(
        info.stderr.contains("2024-01-05T00:00:00Z have expired"),
        "{}",
        info.stderr
    );
    let before = place.rows(&["sql", "select count(*) as count from events", "--at-version", "10"]);
    assert_eq!(before[0]["count"], 480);
}

#[test]
fn versions_from_before_a_rollup_made_anew_still_count_the_calls_of_expired_days() {
    let (place, _) = nights(4);
    done(&place, &["store", "expire", "--events-older-than", "2024-01-03"]);
    let history = place.rows(&["store", "history", "--limit", "1"]);
    let expiry = number(&history[0], "version").to_string();
    let at_expiry = [&["sql", SUMS, "--at-version"][..], &[&expiry]].concat();
    let sums = place.rows(&at_expiry);
    let log = deliver(&place.logs(), 4);
    done(&place, &["ingest", log.to_str().unwrap()]);
    done(&place, &["store", "rebuild", "usage"]);
    assert_eq!(place.rows(&at_expiry), sums);
    assert_eq!(
        place.sql("select sum(events) as events from usage")[0]["events"],
        5 * 48
    );
}

#[test]
fn records_of_expired_days_in_new_objects_are_rejected_with_the_reason() {
    let (place, _) = nights(6);
    done(&place, &["store", "expire", "--events-older-than", "2024-01-03"]);
    let sums = place.sql(SUMS);
    // The same events once more, in an object that nobody has seen.
    let known = fs::read_dir(place.logs()).unwrap().map(|entry| entry.unwrap().path());
    let known = known.min().unwrap();
    let copy = place.logs().join("copy.json.gz");
    fs::copy(&known, &copy).unwrap();
    let ended = process::run(&place.store(), &["ingest", copy.to_str().unwrap()]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended.stdout.contains("48 read = 0 stored + 0 duplicates + 48 rejected"),
        "{ended:?}"
    );
    let reason = "48 records of days before 2024-01-03, which have expired";
    assert!(ended.stderr.contains(reason), "{}", ended.stderr);
    let rejects = place.sql("select record_index, length(raw) as bytes, reason from rejects");
    assert_eq!(
        rejects,
        [serde_json::json!({"record_index": 0, "bytes": 0, "reason": reason})]
    );
    assert_eq!(place.sql(SUMS), sums);
    // One that reaches over the horizon: its later half are copies.
    let over = place.logs().join("over.json.gz");
    let events: Vec<String> = (0..EVENTS_OF_A_NIGHT).map(|number| event(1, number)).collect();
    fs::write(&over, format!("{{\"Records\":[{}]}}\n", events.join(","))).unwrap();
    let ended = process::run(&place.store(), &["ingest", over.to_str().unwrap()]);
    assert!(
        ended.stdout.contains("48 read = 0 stored + 4 duplicates + 44 rejected"),
        "{ended:?}"
    );
    assert_eq!(place.sql(SUMS), sums);
}

#[test]
fn nothing_is_called_unused_by_a_window_that_reaches_into_expired_days() {
    let place = Place::new();
    (0..45).for_each(|night| drop(deliver(&place.logs(), night)));
    deliver_writing(&place.logs(), [2, 43]);
    assert_eq!(place.ingest(&[]).code, 0);
    let snapshot = place.folder().join("iam.json");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances","ec2:DescribeVpcs","ec2:DescribeSubnets"],"Resource":"*"}]}"#;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = serde_json::json!({
        "Path": "/", "RoleName": "app", "RoleId": "AROAapp", "Arn": "arn:aws:iam::111122223333:role/app",
        "CreateDate": "2020-01-01T00:00:00Z", "AssumeRolePolicyDocument": trust, "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}], "AttachedManagedPolicies": [],
    });
    let details = serde_json::json!({
        "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": [], "IsTruncated": false,
    });
    fs::write(&snapshot, details.to_string()).unwrap();
    let taken = ["--taken-at", "2024-02-15"];
    done(
        &place,
        &[&["iam", "import", snapshot.to_str().unwrap()][..], &taken].concat(),
    );
    let verdicts = |since: &str| {
        let select = format!(
            "select distinct action, verdict, reason from granted_actions('{since}', '2024-02-15', 30, 0.9) \
             where principal_arn like '%role/app' order by 1, 2"
        );
        let rows = place.rows(&["sql", &select]);
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let verdicts = rows
            .iter()
            .filter(|row| row["action"] == "ec2:DescribeSubnets")
            .map(|row| {
                (
                    text(row, "verdict"),
                    text(row, "reason").split(':').next().unwrap_or_default().to_owned(),
                )
            });
        verdicts.collect::<Vec<_>>()
    };
    let unused = vec![("unused".to_owned(), String::new())];
    assert_eq!(verdicts("2024-01-02"), unused);
    done(&place, &["store", "expire", "--events-older-than", "2024-01-03"]);
    let expired = vec![("unknown".to_owned(), "events from before 2024-01-03T00".to_owned())];
    assert_eq!(verdicts("2024-01-02"), expired);
    assert_eq!(verdicts("2024-01-03"), unused);
    let days = [
        "coverage",
        "--region",
        "eu-west-1",
        "--since",
        "2024-01-01",
        "--until",
        "2024-01-05",
    ];
    let coverage = place.rows(&days);
    let is_told: Vec<bool> = coverage
        .iter()
        .map(|row| row.to_string().contains("events-expired"))
        .collect();
    assert_eq!(is_told, [true, true, false, false], "{coverage:?}");
}

#[test]
fn with_other_facts_what_has_expired_counts_as_it_was_told_then() {
    let (place, _) = nights(6);
    let summed = "select sum(events) as events, count(distinct facts) as facts from usage";
    let whole = place.sql(summed);
    done(&place, &["store", "expire", "--events-older-than", "2024-01-03"]);
    let (source, facts) = (place.folder().join("moon.json"), place.folder().join("facts"));
    fs::write(&source, r#"{"Name":"moon","Version":"v1","Actions":[{"Name":"LaunchRocket","Resources":[]}],"Operations":[],"Resources":[]}"#).unwrap();
    let facts = facts.to_str().unwrap();
    done(&place, &["facts", "import", source.to_str().unwrap(), "--facts", facts]);
    let other = place.rows(&["sql", summed, "--facts", facts]);
    assert_eq!(
        (&other[0]["events"], &other[0]["facts"]),
        (&whole[0]["events"], &2.into())
    );
}

#[test]
fn batch_that_waited_while_its_days_expired_brings_nothing_of_them() {
    let (place, _) = nights(3);
    let log = deliver(&place.logs(), 3);
    let adds = format!("{}/", place.folder().join("adds").display());
    done(
        &place,
        &["ingest", log.to_str().unwrap(), "--no-commit", "--adds-out", &adds],
    );
    done(&place, &["store", "expire", "--events-older-than", "2024-01-05"]);
    let sums = place.sql(SUMS);
    let ended = process::run(&place.store(), &["commit", "--adds-from", &adds]);
    assert!(
        ended.code == 4
            && ended.stdout.contains("48 read = 4 stored + 0 duplicates + 44 rejected")
            && ended.stderr.contains("the days of 44 records expired"),
        "{ended:?}"
    );
    let objects = "select state, stored, duplicates, rejected from objects where rejected > 0";
    assert_eq!(
        place.sql(objects),
        [serde_json::json!({"state": "partial", "stored": 4, "duplicates": 0, "rejected": 44})]
    );
    assert_eq!(
        place.sql("select reason from rejects"),
        [serde_json::json!({"reason": "44 records of days before 2024-01-05, which have expired"})]
    );
    assert_eq!(
        place.sql("select cast(min(event_date) as text) as day, count(*) as count from events"),
        [serde_json::json!({"day": "2024-01-05", "count": 4})]
    );
    let later = "select sum(events) as events from usage where day >= date '2024-01-05'";
    assert_eq!(place.sql(later)[0]["events"], 4);
    let before = "select sum(events) as events from usage where day < date '2024-01-05'";
    assert_eq!(place.sql(before)[0]["events"], 3 * 48);
    assert!(!sums.is_empty());
}

#[test]
fn rows_survive_compaction_in_all_their_columns() {
    let place = Place::new();
    for index in 0..5 {
        let log = write_object(&place.logs(), &format!("{index}.json.gz"), index * 20..index * 20 + 20);
        done(&place, &["ingest", log.to_str().unwrap(), "--no-compact"]);
    }
    let all = "select * from events order by event_id";
    let before = place.sql(all);
    assert_eq!(before.len(), 100);
    done(&place, &["store", "compact"]);
    assert_eq!(place.sql(all), before);
}
