//! The policy that `doctor --print-iam` prints for a store in a bucket: enough, nothing in it superfluous, and the one of the
//! documentation.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::Value;

use crate::doctor::smaller;
use crate::s3::key;
use crate::s3::log;
use crate::support::bucket::FakeBucket;
use crate::support::permissions::Permissions;
use crate::support::permissions::many;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

const LOG_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/logs";
const STORE_KEY: &str = "arn:aws:kms:eu-west-1:444455556666:key/store";
const ABORT: &str = "s3:AbortMultipartUpload";

fn source() -> FakeBucket {
    let source = FakeBucket::new();
    for day in 1..=4 {
        source.put(
            &key("111122223333", "eu-west-1", day, "a"),
            log(usize::from(day)..usize::from(day) + 2),
            &[],
        );
    }
    source.script(|script| script.kms_key = Some(LOG_KEY.to_owned()));
    source
}

fn empty_store() -> FakeBucket {
    let store = FakeBucket::writable();
    store.script(|script| script.kms_key = Some(STORE_KEY.to_owned()));
    store
}

/// Runs a command with logs in one bucket and the store in another.
fn run(source: &FakeBucket, store: &FakeBucket, arguments: &[&str]) -> Ended {
    let mut command = match arguments.iter().any(|argument| argument.starts_with("s3://")) {
        true => source.command(Path::new(""), arguments),
        false => process::trimtrail(Path::new(""), arguments),
    };
    process::ended(store.keep_store(&mut command).output().unwrap())
}

fn restrict(bucket: &FakeBucket, policy: &Value) {
    bucket.script(|script| script.permissions = Some(Permissions::parse(policy)));
}

fn printed() -> Value {
    let arguments = [
        "doctor",
        "s3://central-logs",
        "--print-iam",
        "--kms-key",
        LOG_KEY,
        "--store-kms-key",
        STORE_KEY,
    ];
    let ended = run(&FakeBucket::new(), &FakeBucket::writable(), &arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A worker, a committer, a run that commits by itself, and a reader; the first one that fails.
fn whole_night(source: &FakeBucket, policy: &Value) -> Result<(), Ended> {
    let store = empty_store();
    restrict(source, policy);
    restrict(&store, policy);
    for arguments in [
        &["ingest", "s3://central-logs", "--shard", "0/2", "--no-commit"][..],
        &["commit"],
        &["ingest", "s3://central-logs"],
        &["query", "used-actions"],
    ] {
        let ended = run(source, &store, arguments);
        if ended.code != 0 {
            return Err(ended);
        }
    }
    let rows = run(
        source,
        &store,
        &["sql", "select count(*) as n from events", "--output", "csv", "--quiet"],
    );
    assert_eq!(rows.stdout.lines().last(), Some("5"), "{rows:?}");
    Ok(())
}

/// Whether the actions on the store's objects are all there but this one.
fn lacks_only(policy: &Value, action: &str) -> bool {
    let statements = policy["Statement"].as_array().unwrap();
    let on_store = statements.iter().find(|statement| statement["Sid"] == "WriteStore");
    on_store.is_some_and(|statement| {
        let actions = many(&statement["Action"]);
        actions.len() == 3 && !actions.contains(&action.to_owned())
    })
}

#[test]
fn printed_policy_is_enough_for_workers_committers_and_readers_and_nothing_in_it_is_superfluous() {
    let source = source();
    let policy = printed();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 6, "{policy:#}");
    whole_night(&source, &policy).unwrap();
    let mut smaller = smaller(&policy);
    assert_eq!(smaller.len(), 6 + 4 + 2);
    // A prefix as the condition of lists hides that entries of the log are not there yet.
    let mut conditional = policy.clone();
    conditional["Statement"][3]["Condition"] = serde_json::json!({ "StringLike": { "s3:prefix": "*" } });
    assert_eq!(conditional["Statement"][3]["Sid"], "ListStore");
    smaller.push(conditional);
    for less in smaller {
        match whole_night(&source, &less) {
            Ok(()) => assert!(lacks_only(&less, ABORT), "{less:#} is enough as well"),
            Err(ended) => assert!(ended.stderr.contains("; allow `"), "{less:#}: {ended:?}"),
        }
    }
}

#[test]
fn upload_that_fails_leaves_no_parts_behind_where_it_may_be_aborted() {
    let place = Place::new();
    // Text that does not shrink: more than one part of a single day.
    let mut state = 0x5eed_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    };
    let records = (0..4_000).map(|id| {
        let filler: String = (0..400).map(|_| noise()).collect();
        crate::ingest::record(id * 3).replace("\"key\":\"", &format!("\"key\":\"{filler}"))
    });
    let records: Vec<String> = records.collect();
    place.write(
        "large.json",
        format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes(),
    );
    let policy = printed();
    let without = smaller(&policy)
        .into_iter()
        .find(|less| lacks_only(less, ABORT))
        .unwrap();
    for (policy, left) in [(&policy, 0), (&without, 1)] {
        let store = empty_store();
        restrict(&store, policy);
        store.script(|script| script.writes.are_parts_denied = true);
        let ended = run(&store, &store, &["ingest", place.logs().to_str().unwrap()]);
        assert!(
            ended.code == 1 && ended.stderr.contains("allow `s3:PutObject`"),
            "{ended:?}"
        );
        assert_eq!(store.open_uploads(), left, "{ended:?}");
        assert!(
            !store.keys().iter().any(|key| key.contains("/part-")),
            "{:?}",
            store.keys()
        );
    }
}

#[test]
fn reader_needs_to_list_to_get_and_to_decrypt_only() {
    let (source, store) = (source(), empty_store());
    assert_eq!(run(&source, &store, &["ingest", "s3://central-logs"]).code, 0);
    let mut policy = printed();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let mut actions = many(&statement["Action"]);
        actions.retain(|action| ["s3:ListBucket", "s3:GetObject", "kms:Decrypt"].contains(&action.as_str()));
        statement["Action"] = actions.into();
    }
    restrict(&store, &policy);
    for arguments in [
        &["query", "used-actions"][..],
        &["sql", "select * from events"],
        &["store", "info"],
        &["store", "history"],
    ] {
        let ended = run(&source, &store, arguments);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let ended = run(&source, &store, &["ingest", "s3://central-logs"]);
    assert!(
        ended.code == 1 && ended.stderr.contains("allow `s3:PutObject`"),
        "{ended:?}"
    );
}

/// Statements without their names, in one order.
fn statements(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap().iter().map(|statement| {
        let part = |name: &str| statement.get(name).map(Value::to_string).unwrap_or_default();
        ["Effect", "Action", "Resource", "Condition"].map(part).join(" ")
    });
    let mut statements: Vec<String> = statements.collect();
    statements.sort();
    statements
}

/// The policies in the fenced blocks of a page.
fn documented(page: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let blocks = text
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    blocks
        .map(|block| statements(&serde_json::from_str(block).unwrap()))
        .collect()
}

#[test]
fn policies_of_the_documentation_are_those_that_are_printed() {
    let printed = |arguments: &[&str]| {
        let ended = process::run(Path::new("store"), &[&["doctor", "--print-iam"], arguments].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        statements(&serde_json::from_str(&ended.stdout).unwrap())
    };
    let wanted = [
        printed(&["s3://central-logs"]),
        printed(&["--store", "s3://security-data/trail"]),
    ];
    assert_eq!(documented("docs/s3.md"), wanted);
    let of_recipes = printed(&[
        "s3://central-logs",
        "--kms-key",
        "<LogKeyArn>",
        "--store",
        "s3://trail-store/trimtrail",
        "--store-kms-key",
        "<StoreKeyArn>",
    ]);
    assert_eq!(documented("deploy/README.md"), [of_recipes]);
}

#[test]
fn policy_of_a_folder_or_with_a_key_of_nothing_is_wrong_usage() {
    for (arguments, message) in [
        (&["./logs"][..], "folders need no IAM policy"),
        (&[], "folders need no IAM policy"),
        (
            &["s3://central-logs", "--store-kms-key", "x"],
            "`--store-kms-key` is for a store",
        ),
        (&["--store", "s3://a/b", "--kms-key", "x"], "`--kms-key` is for logs"),
    ] {
        let ended = process::run(Path::new("store"), &[&["doctor", "--print-iam"], arguments].concat());
        assert!(ended.code == 2 && ended.stderr.contains(message), "{ended:?}");
    }
}

#[test]
fn without_the_right_to_delete_one_probe_stays_however_many_runs_there_are_and_doctor_says_so() {
    let (source, store) = (source(), empty_store());
    let mut policy = printed();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        if let Some(actions) = statement["Action"].as_array_mut() {
            actions.retain(|action| action != "s3:DeleteObject");
        }
    }
    restrict(&source, &policy);
    restrict(&store, &policy);
    for _ in 0..3 {
        let ended = run(&source, &store, &["ingest", "s3://central-logs", "--no-compact"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let probes = || {
        store
            .keys()
            .iter()
            .filter(|key| key.contains("trimtrail-probe-"))
            .count()
    };
    let check = || {
        let ended = run(&source, &store, &["doctor", "--output", "json", "--quiet"]);
        let checks: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        let check = checks.iter().find(|check| check["check"] == "store writable");
        check.unwrap().clone()
    };
    // One of the last hour may be at work, an older one is removed.
    for hours in [0, 2] {
        store.age(SignedDuration::from_hours(hours));
        assert_eq!(probes(), 1);
        let check = check();
        assert_eq!(check["status"], "warning", "{check}");
        assert!(check["remedy"].as_str().unwrap().contains("s3:DeleteObject"), "{check}");
    }
    store.script(|script| script.permissions = None);
    assert_eq!(check()["status"], "ok");
    assert_eq!(probes(), 0);
}
