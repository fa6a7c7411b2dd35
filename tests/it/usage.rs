//! The rollup `usage` says what the events say, whatever happened to the store.

use std::cell::Cell;
use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use proptest::collection::vec;
use proptest::prelude::Just;
use proptest::prelude::ProptestConfig;
use proptest::prelude::Strategy;
use proptest::prop_oneof;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use trimtrail::decode::gzip;
use trimtrail::ingest::Ingest;
use trimtrail::ingest::Options;
use trimtrail::ingest::Rebuild;
use trimtrail::query::QuerySession;
use trimtrail::query::UsageSource;
use trimtrail::schema::Table;
use trimtrail::store::Store;
use trimtrail::store::UsageLack;

use crate::support::ingest;
use crate::support::ingest::IngestStore;
use crate::support::ingest::NOW;
use crate::support::process;
use crate::support::session;

const KEYS: &str = "day, recipient_account_id, principal_arn, principal_id, principal_type, event_source, event_name, \
    event_type, event_category, serving_region, credential_kind, via_service, access_key_id, outcome, action, class, \
    is_proven, proof, access_level, verdict, reason, confidence, provenance, facts";
const LISTS: [&str; 3] = ["resources", "session_names", "source_addresses"];

/// All that `usage` says, summed.
fn sums(store: &IngestStore) -> Vec<Value> {
    sums_where(store, "true")
}

/// All that `usage` says of some days, summed.
fn sums_where(store: &IngestStore, days: &str) -> Vec<Value> {
    let mut rows = store.sql(&format!(
        "select {KEYS}, sum(calls) as calls, sum(events) as events, sum(unnamed) as unnamed, min(first_seen) as first_seen, \
         max(last_seen) as last_seen from usage where {days} group by {KEYS} order by {KEYS}"
    ));
    for list in LISTS {
        rows.extend(store.sql(&format!(
            "with texts as (select {KEYS}, more_{list} as more, unnest({list}) as text from usage where {days}) \
             select {KEYS}, array_to_string(array_slice(array_sort(array_agg(distinct text)), 1, 50), ' ') as texts, \
             bool_or(more) or count(distinct text) > 50 as more from texts group by {KEYS} order by {KEYS}"
        )));
    }
    rows
}

/// What a store says while it has no rollup.
fn without_rollup<T>(store: &IngestStore, ask: impl FnOnce(&IngestStore) -> T) -> T {
    let rollup = store.folder.path().join("store/usage");
    let aside = store.folder.path().join("usage-aside");
    let had_one = fs::rename(&rollup, &aside).is_ok();
    let answer = ask(store);
    if had_one {
        fs::rename(&aside, &rollup).unwrap();
    }
    answer
}

fn source_at(store: &IngestStore, version: Option<u64>) -> UsageSource {
    store.runtime.block_on(async {
        let opened = Store::open(&store.location()).await.unwrap();
        let session = QuerySession::new(Some(&opened), &session::options(NOW), version).unwrap();
        drop(session.sql("select day from usage", &[]).await.unwrap());
        session.usage_source().unwrap()
    })
}

fn source(store: &IngestStore) -> UsageSource {
    source_at(store, None)
}

fn run(store: &IngestStore, arguments: &[&str], failpoint: Option<&str>) -> bool {
    let mut command = process::trimtrail(&store.folder.path().join("store"), arguments);
    command.envs(failpoint.map(|point| ("TRIMTRAIL_FAILPOINT", point)));
    let output = command.output().unwrap();
    // Records of expired days are rejected.
    let is_told = output.status.code() == Some(4) && String::from_utf8_lossy(&output.stderr).contains(" expired");
    assert!(
        failpoint.is_some() || output.status.success() || is_told,
        "{arguments:?}: {output:?}"
    );
    output.status.success()
}

fn sample() -> (IngestStore, IngestStore) {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs");
    let whole = IngestStore::new();
    whole.ingest(&[&logs.join("AWSLogs")]);
    whole.import(&[&logs.join("iam")]);
    let parts = IngestStore::new();
    for account in fs::read_dir(logs.join("AWSLogs")).unwrap() {
        parts.ingest(&[&account.unwrap().path()]);
    }
    (whole, parts)
}

#[test]
fn sample_estate_gives_the_same_from_the_rollup_and_from_the_events() {
    let (whole, parts) = sample();
    assert_eq!(source(&whole), UsageSource::Rollup);
    let of_events = without_rollup(&whole, |store| {
        assert_eq!(source(store), UsageSource::Events(UsageLack::Missing));
        sums(store)
    });
    assert!(sums(&whole) == of_events);
    assert!(sums(&parts) == of_events);
    assert_eq!(
        whole.count("select sum(events) from usage"),
        whole.count("select count(*) from events")
    );
    let user = "arn:aws:iam::111122223333:user/svc-jenkins";
    let windows: [&[(&str, &str)]; 6] = [
        &[],
        &[("since", "2026-09-03"), ("until", "2026-09-10")],
        &[("since", "2026-09-03T07:30:00Z"), ("until", "2026-09-10T12:00:00Z")],
        &[("since", "2026-09-03T07:30:00Z"), ("until", "2026-09-03T12:00:00Z")],
        &[("since", "2026-09-03T07:30:00Z"), ("principal", user)],
        &[("until", "2026-09-03T12:00:00Z")],
    ];
    for window in windows {
        let answer = whole.ask("used-actions", window);
        assert!(answer.len() > 5, "{window:?}");
        assert_eq!(
            answer,
            without_rollup(&whole, |store| store.ask("used-actions", window)),
            "{window:?}"
        );
        let window: Vec<_> = window
            .iter()
            .copied()
            .filter(|(name, _)| *name != "principal")
            .collect();
        let keys = whole.ask("key-age", &window);
        assert!(!keys.is_empty(), "{window:?}");
        let of_events = without_rollup(&whole, |store| store.ask("key-age", &window));
        assert_eq!(keys, of_events, "{window:?}");
    }
}

#[test]
fn questions_about_grants_give_the_same_from_the_rollup_and_from_the_events() {
    let (whole, _) = sample();
    let window = [("since", "2026-09-02T05:00:00Z"), ("min_window_days", "3")];
    for id in ["service-last-used", "unused-access", "unused-roles", "used-not-granted"] {
        let answer = whole.ask(id, &window);
        assert_eq!(answer, without_rollup(&whole, |store| store.ask(id, &window)), "{id}");
    }
}

/// What may happen to a store.
#[derive(Debug, Clone)]
enum Event {
    /// New objects come, some of whose records are stored already.
    Ingest,
    /// The same, and the process dies on the way.
    Die(&'static str),
    /// The same, by two processes.
    Prepare,
    Rebuild,
    DieRebuilding(&'static str),
    /// The store is one of a program that knew no rollup.
    Forget,
    Compact,
    DieCompacting(&'static str),
    /// Events from before this day of the month go.
    Expire(u8),
    DieExpiring(&'static str, u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Ingest),
        3 => prop_oneof![
            Just("LedgerStaged=abort"),
            Just("CommitPut=abort"),
            Just("CommitLanded=abort"),
            Just("FollowPut=abort@2"),
            Just("FollowPut=abort@3"),
            Just("FollowLanded=abort@2"),
            Just("FollowLanded=abort@3"),
        ]
        .prop_map(Event::Die),
        2 => Just(Event::Prepare),
        1 => Just(Event::Rebuild),
        1 => prop_oneof![Just("UsagePut=abort"), Just("UsageLanded=abort")].prop_map(Event::DieRebuilding),
        1 => Just(Event::Forget),
        3 => Just(Event::Compact),
        2 => prop_oneof![
            Just("Rewritten=abort"),
            Just("CompactionPut=abort@2"),
            Just("CompactionPut=abort@5"),
            Just("CompactionLanded=abort"),
            Just("CompactionLanded=abort@5"),
        ]
        .prop_map(Event::DieCompacting),
        2 => (2..4_u8).prop_map(Event::Expire),
        1 => (prop_oneof![Just("ExpiryPut=abort"), Just("ExpiryLanded=abort")], 2..4_u8)
            .prop_map(|(point, day)| Event::DieExpiring(point, day)),
    ]
}

/// A record; records of one number are the same.
fn record(number: usize) -> String {
    let (day, hour) = (1 + number % 4, number % 24);
    let identity = match number % 3 {
        0 => r#"{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"ann"}"#.to_owned(),
        _ => format!(
            r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE:session-{session}","arn":"arn:aws:sts::111122223333:assumed-role/app/session-{session}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE{session}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"}},"attributes":{{"creationDate":"2026-09-01T00:00:00Z","mfaAuthenticated":"false"}}}}}}"#,
            session = number % 70,
        ),
    };
    let call = match number % 5 {
        0 => format!(
            r#""eventSource":"dynamodb.amazonaws.com","eventName":"GetItem","requestParameters":{{"tableName":"table-{}"}},"errorCode":"AccessDenied","errorMessage":"not authorized to perform: dynamodb:GetItem""#,
            number % 7
        ),
        1 => r#""eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","requestParameters":null"#.to_owned(),
        2 => format!(
            r#""eventSource":"ec2.amazonaws.com","eventName":"TerminateInstances","requestParameters":{{"instancesSet":{{"items":[{{"instanceId":"i-{number}"}}]}}}}"#
        ),
        _ => format!(
            r#""eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{{"bucketName":"b","key":"k{number}"}},"resources":[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k{number}"}}],"eventCategory":"Data""#
        ),
    };
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{identity},"eventTime":"2024-09-0{day}T{hour:02}:{minute:02}:00Z",{call},"awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.{address}","userAgent":"aws-cli","responseElements":null,"eventID":"00000000-0000-0000-0000-{number:012}","readOnly":true,"eventType":"AwsApiCall","recipientAccountId":"111122223333"}}"#,
        minute = number % 60,
        address = number % 90,
    )
}

/// A store and the logs that come.
struct Life {
    store: IngestStore,
    logs: PathBuf,
    objects: Cell<usize>,
    /// First day of September 2024 that has not expired, and the sums of those before as they were then.
    expired: RefCell<(u8, Vec<Value>)>,
}

impl Life {
    fn new() -> Self {
        let store = IngestStore::new();
        let logs = store.folder.path().join("logs");
        fs::create_dir(&logs).unwrap();
        Self {
            store,
            logs,
            objects: Cell::new(0),
            expired: RefCell::default(),
        }
    }

    fn deliver(&self) {
        for _ in 0..2 {
            let object = self.objects.get();
            self.objects.set(object + 1);
            let records: Vec<String> = (object * 60..object * 60 + 90).map(record).collect();
            let text = format!("{{\"Records\":[{}]}}", records.join(","));
            let path = self.logs.join(format!("{object:03}.json.gz"));
            fs::write(path, gzip::compress(text.as_bytes())).unwrap();
        }
    }

    fn live(&self, event: &Event) {
        let ingest = ["ingest", self.logs.to_str().unwrap(), "--no-compact"];
        let adds = format!("{}/", self.store.folder.path().join("adds").display());
        match event {
            Event::Ingest => {
                self.deliver();
                run(&self.store, &ingest, None);
            }
            Event::Die(point) => {
                self.deliver();
                run(&self.store, &ingest, Some(point));
            }
            Event::Prepare => {
                self.deliver();
                run(
                    &self.store,
                    &[&ingest[..], &["--no-commit", "--adds-out", &adds]].concat(),
                    None,
                );
                // One of its objects is stored by another process meanwhile.
                let last = self.logs.join(format!("{:03}.json.gz", self.objects.get() - 1));
                run(&self.store, &["ingest", last.to_str().unwrap(), "--no-compact"], None);
                run(&self.store, &["commit", "--adds-from", &adds], None);
                fs::remove_dir_all(&adds).unwrap();
            }
            Event::Rebuild => drop(run(&self.store, &["store", "rebuild", "usage"], None)),
            Event::DieRebuilding(point) => drop(run(&self.store, &["store", "rebuild", "usage"], Some(point))),
            // What has expired stands nowhere else.
            Event::Forget if self.expired.borrow().0 > 0 => {}
            Event::Forget => fs::remove_dir_all(self.store.folder.path().join("store/usage")).unwrap_or_default(),
            Event::Compact => drop(run(&self.store, &["store", "compact"], None)),
            Event::DieCompacting(point) => drop(run(&self.store, &["store", "compact"], Some(point))),
            Event::Expire(day) => self.expire(*day, None),
            Event::DieExpiring(point, day) => self.expire(*day, Some(point)),
        }
    }

    fn expire(&self, day: u8, point: Option<&str>) {
        let sums = sums_where(&self.store, &days_before(day));
        let before = format!("2024-09-0{day}");
        let ended = run(&self.store, &["store", "expire", "--events-older-than", &before], point);
        let is_done = ended || point == Some("ExpiryLanded=abort");
        let mut expired = self.expired.borrow_mut();
        if is_done && day > expired.0 {
            *expired = (day, sums);
        }
    }
}

fn assert_sums(life: &Life, after: &Event) {
    let is_store = life
        .store
        .folder
        .path()
        .join("store/events/_delta_log/00000000000000000000.json")
        .is_file();
    if is_store {
        let (day, expired) = &*life.expired.borrow();
        let of_events = without_rollup(&life.store, sums);
        assert!(
            sums_where(&life.store, &format!("not coalesce({}, false)", days_before(*day))) == of_events,
            "{after:?}"
        );
        let left = life.store.count(&format!(
            "select count(*) from events where {}",
            days_before(*day).replace("day", "event_date")
        ));
        assert_eq!(left, 0, "{after:?}");
        if *day > 0 {
            assert!(sums_where(&life.store, &days_before(*day)) == *expired, "{after:?}");
        }
    }
}

/// A condition on `day`.
fn days_before(day: u8) -> String {
    match day {
        0 => "day < date '1970-01-01'".to_owned(),
        day => format!("day < date '2024-09-0{day}'"),
    }
}

#[test]
fn rollup_is_that_of_the_events_whatever_happens_to_the_store() {
    let config = ProptestConfig {
        cases: 4,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let lives = vec(event(), 3..7);
    let outcome = TestRunner::new(config).run(&lives, |events| {
        let life = Life::new();
        life.live(&Event::Ingest);
        for event in &events {
            life.live(event);
            assert_sums(&life, event);
        }
        life.live(&Event::Ingest);
        assert_sums(&life, &Event::Ingest);
        assert_eq!(source(&life.store), UsageSource::Rollup);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A call of a role that makes no other.
fn call_of_its_own_role(number: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","principalId":"AROA{number}:session-{number}","arn":"arn:aws:sts::111122223333:assumed-role/role-{number}/session-{number}","accountId":"111122223333","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{number}","arn":"arn:aws:iam::111122223333:role/role-{number}","accountId":"111122223333","userName":"role-{number}"}}}}}},"eventTime":"2026-09-03T10:00:00Z","eventSource":"sqs.amazonaws.com","eventName":"CreateQueue","awsRegion":"eu-west-1","requestParameters":{{"queueName":"queue-{number}"}},"eventID":"{number}","eventType":"AwsApiCall","eventCategory":"Management","recipientAccountId":"111122223333"}}"#
    )
}

#[test]
fn rollup_in_which_nothing_can_be_summed_is_committed_in_parts_of_bounded_memory() {
    const OBJECTS: usize = 24;
    const RECORDS: usize = 2_000;
    let store = IngestStore::new();
    let logs = store.folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    for object in 0..OBJECTS {
        let numbers = object * RECORDS..(object + 1) * RECORDS;
        let records: Vec<String> = numbers.map(call_of_its_own_role).collect();
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        fs::write(logs.join(format!("{object:02}.json")), text).unwrap();
    }
    let options = Options {
        memory_bytes: 64 << 20,
        ..ingest::options()
    };
    let balance = store.ingest_with(&[&logs], &options).unwrap();
    assert_eq!(balance.stored, (OBJECTS * RECORDS) as u64);
    let opened = store.store();
    let history = store.runtime.block_on(opened.history(Table::Events, None)).unwrap();
    // One commit makes the table.
    assert!(history.len() > 2, "{history:?}");
    for sum in [
        "sum(events)",
        "count(distinct principal_arn)",
        "count(distinct resources)",
    ] {
        let sum = store.count(&format!("select {sum} from usage"));
        assert_eq!(sum, (OBJECTS * RECORDS) as i64);
    }
}

/// Events, principals and lists of resources that the rollup knows, one after the other: all at once take much memory.
fn counts(store: &IngestStore) -> [i64; 3] {
    let sums = [
        "sum(events)",
        "count(distinct principal_arn)",
        "count(distinct resources)",
    ];
    sums.map(|sum| store.count(&format!("select {sum} from usage")))
}

#[test]
fn rollup_of_one_large_object_is_made_of_the_stored_events_in_parts_of_bounded_memory() {
    const RECORDS: usize = 40_000;
    let store = IngestStore::new();
    let records: Vec<String> = (0..RECORDS).map(call_of_its_own_role).collect();
    let log = store.folder.path().join("large.json");
    fs::write(&log, format!(r#"{{"Records":[{}]}}"#, records.join(","))).unwrap();
    let options = Options {
        memory_bytes: 64 << 20,
        ..ingest::options()
    };
    assert_eq!(store.ingest_with(&[&log], &options).unwrap().stored, RECORDS as u64);
    let opened = store.store();
    let operations = || {
        let history = store.runtime.block_on(opened.history(Table::Usage, None)).unwrap();
        history
            .into_iter()
            .filter_map(|commit| commit.operation)
            .collect::<Vec<_>>()
    };
    assert_eq!(operations()[0], "REBUILD");
    let wanted = [RECORDS as i64; 3];
    assert_eq!((counts(&store), source(&store)), (wanted, UsageSource::Rollup));
    let files = || {
        store
            .runtime
            .block_on(opened.snapshot(Table::Usage))
            .unwrap()
            .files
            .len()
    };
    assert!(files() > 1, "{} files", files());
    // What has expired is taken over in parts as well.
    store.runtime.block_on(async {
        let facts = trimtrail::iam::Facts::embedded().version();
        let expired = opened.expire(20_700, &facts, ("test", NOW)).await.unwrap();
        assert_eq!(expired.days.len(), 1);
    });
    let rebuild = Rebuild {
        store: &opened,
        runtime: store.runtime.handle(),
        threads: 2,
        memory_bytes: 0,
        now: NOW,
        stop: None,
    };
    assert!(rebuild.run().unwrap().is_some());
    assert_eq!((counts(&store), source(&store)), (wanted, UsageSource::Rollup));
    assert!(files() > 1, "{} files", files());
}

#[test]
fn run_that_is_told_to_stop_leaves_the_rollup_to_the_next_one() {
    let life = Life::new();
    life.live(&Event::Ingest);
    life.live(&Event::Forget);
    let store = life.store.store();
    let (stop, options) = (AtomicBool::new(true), ingest::options());
    let run = Ingest {
        store: &store,
        runtime: life.store.runtime.handle(),
        options: &options,
        stop: &stop,
        deposit: None,
    };
    let listing = trimtrail::source::list(&[life.logs.display().to_string()]).unwrap();
    run.run(listing, &ingest::Silent).unwrap();
    assert_eq!(source(&life.store), UsageSource::Events(UsageLack::Missing));
    life.live(&Event::Ingest);
    assert_eq!(source(&life.store), UsageSource::Rollup);
}

#[test]
fn rollup_shows_older_versions_also_after_it_was_made_anew() {
    let life = Life::new();
    (0..3).for_each(|_| life.live(&Event::Ingest));
    let events_at = |version: u64| {
        assert_eq!(source_at(&life.store, Some(version)), UsageSource::Rollup);
        life.store.runtime.block_on(async {
            let opened = Store::open(&life.store.location()).await.unwrap();
            let session = QuerySession::new(Some(&opened), &session::options(NOW), Some(version)).unwrap();
            let statement = "select sum(events) = (select count(*) from events) from usage";
            let answer = session.sql(statement, &[]).await.unwrap();
            crate::support::text::of_stream(answer).await.unwrap()
        })
    };
    assert_eq!(
        (events_at(1), events_at(3)),
        (vec!["true".to_owned()], vec!["true".to_owned()])
    );
    life.live(&Event::Rebuild);
    life.live(&Event::Ingest);
    assert_eq!(
        (events_at(4), events_at(2)),
        (vec!["true".to_owned()], vec!["true".to_owned()])
    );
}

#[test]
fn answer_says_where_it_comes_from() {
    let life = Life::new();
    life.live(&Event::Ingest);
    let place = life.store.folder.path().join("store");
    let told_by = |arguments: &[&str]| process::run(&place, arguments).stderr;
    let told = || told_by(&["query", "used-actions"]);
    for arguments in [
        &["query", "used-actions"][..],
        &["diff"],
        &["policy", "--principal", "*"],
        &["replay", "--plan"],
        &["trust"],
    ] {
        let told = told_by(arguments);
        assert!(told.contains("source: usage\n"), "{arguments:?}: {told}");
    }
    life.live(&Event::Forget);
    assert!(told().contains("source: events; the store has no rollup"), "{}", told());
    let rebuilt = process::run(&life.store.folder.path().join("store"), &["store", "rebuild", "usage"]);
    assert!(rebuilt.stdout.starts_with("usage    150 events = "), "{rebuilt:?}");
    assert!(told().contains("source: usage\n"), "{}", told());
    let info = process::run(
        &life.store.folder.path().join("store"),
        &["store", "info", "--output", "json"],
    );
    let rows: Vec<Value> = serde_json::from_str(&info.stdout).unwrap();
    let usage = rows.iter().find(|row| row["table"] == "usage").unwrap();
    assert_eq!(usage["events_version"], rows[0]["version"], "{usage}");
}
