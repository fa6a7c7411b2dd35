//! `check` over the sample estate: its findings are the planted facts, its gate and its baseline hold.

use serde_json::Value;

use crate::support::process::Place;
use crate::support::process::run;

fn sample() -> Place {
    let place = Place::new();
    let logs = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-logs/AWSLogs");
    let iam = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-logs/iam");
    run(&place.store(), &["ingest", logs]);
    run(&place.store(), &["iam", "import", iam, "--taken-at", "2026-09-15"]);
    place
}

fn findings(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let ended = run(&place.store(), &[&["check", "--output", "json"], arguments].concat());
    serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr))
}

#[test]
fn findings_are_the_planted_facts_and_the_baseline_accepts_some() {
    let place = sample();
    let expected: Value = {
        let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-logs/expected.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let root = findings(&place, &["root-use"]);
    let rows: u64 = root.iter().map(|finding| finding["rows"].as_u64().unwrap()).sum();
    let planted = place.rows(&["query", "root-use"]).len();
    assert!(planted > 0 && expected.is_object());
    assert_eq!(rows, u64::try_from(planted).unwrap());

    let open = run(&place.store(), &["check", "root-use", "--fail-on", "high"]);
    assert_eq!(open.code, 3, "{}", open.stderr);
    assert!(open.stderr.contains("the gate is closed"), "{}", open.stderr);
    let less = run(&place.store(), &["check", "root-use", "--fail-on", "critical"]);
    assert_eq!(less.code, 0, "{}", less.stderr);

    let baseline = place.folder().join("accepted.toml");
    let entry = |expires: &str| format!("[[accept]]\ncheck = 'root-*'\nreason = 'known'\nexpires = {expires}\n");
    std::fs::write(&baseline, entry("2999-12-31")).unwrap();
    let arguments = [
        "check",
        "root-use",
        "--fail-on",
        "high",
        "--baseline",
        baseline.to_str().unwrap(),
    ];
    let accepted = run(&place.store(), &arguments);
    assert_eq!(accepted.code, 0, "{}", accepted.stderr);
    std::fs::write(&baseline, entry("2020-12-31")).unwrap();
    let expired = run(&place.store(), &arguments);
    assert_eq!(expired.code, 3, "{}", expired.stderr);
    assert!(
        expired.stderr.contains("entry 1 of the baseline expired on 2020-12-31"),
        "{}",
        expired.stderr
    );
}

#[test]
fn unused_and_unknown_are_told_apart() {
    let place = sample();
    let short = findings(&place, &["unused-roles"]);
    assert_eq!(short, Vec::<Value>::new(), "fourteen days prove nothing");
    let ended = run(&place.store(), &["check", "unused-roles"]);
    assert!(ended.stderr.contains("nothing can be said of"), "{}", ended.stderr);
    let unused = findings(&place, &["unused-roles", "--param", "min_window_days=1"]);
    let rows = place.rows(&["query", "unused-roles", "--param", "min_window_days=1"]);
    let mut wanted: Vec<&str> = rows
        .iter()
        .filter(|row| row["verdict"] == "unused")
        .map(|row| row["principal_arn"].as_str().unwrap())
        .collect();
    wanted.sort_unstable();
    let found: Vec<&str> = unused
        .iter()
        .map(|row| row["principal_arn"].as_str().unwrap())
        .collect();
    assert!(!wanted.is_empty());
    assert_eq!(found, wanted);
}

#[test]
fn what_could_not_be_checked_is_no_all_clear() {
    let place = Place::new();
    place.write(
        "a.json",
        br#"{"Records":[{"eventTime":"2026-09-01T00:00:00Z","eventID":"a","eventName":"X","eventSource":"y.amazonaws.com"}]}"#,
    );
    assert_eq!(place.ingest(&[]).code, 0);
    let ended = run(&place.store(), &["check", "unused-roles"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("no IAM snapshot was imported"),
        "{}",
        ended.stderr
    );
    let of_logs = run(&place.store(), &["check", "root-use"]);
    assert_eq!(of_logs.code, 0, "{}", of_logs.stderr);
}

#[test]
fn account_without_a_snapshot_and_expired_events_are_no_all_clear() {
    let place = Place::new();
    let record = |id: &str, account: &str, day: u32| {
        serde_json::json!({"Records": [{
            "eventTime": format!("2026-09-{day:02}T00:00:00Z"), "eventID": id, "eventName": "X", "eventSource": "y.amazonaws.com",
            "eventCategory": "Management", "recipientAccountId": account, "awsRegion": "eu-west-1",
        }]})
        .to_string()
    };
    place.write("a.json", record("a", "111122223333", 1).as_bytes());
    place.write("b.json", record("b", "222233334444", 3).as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let iam = place.folder().join("iam.json");
    let details = r#"{"UserDetailList":[],"GroupDetailList":[],"Policies":[],"IsTruncated":false,"RoleDetailList":[{
        "Path":"/","RoleName":"r","RoleId":"AROAEXAMPLE","Arn":"arn:aws:iam::111122223333:role/r","CreateDate":"2020-01-01T00:00:00Z",
        "AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[]},"RolePolicyList":[],"AttachedManagedPolicies":[],"Tags":[]}]}"#;
    std::fs::write(&iam, details).unwrap();
    let import = ["iam", "import", iam.to_str().unwrap(), "--taken-at", "2026-09-04"];
    assert_eq!(run(&place.store(), &import).code, 0);
    for (check, doubt) in [
        ("unused-access", "no IAM snapshot of 1 of 2 accounts"),
        ("unused-keys", "no credential report was imported"),
    ] {
        let ended = run(&place.store(), &["check", check]);
        assert_eq!(ended.code, 4, "{}", ended.stderr);
        assert!(ended.stderr.contains(doubt), "{}", ended.stderr);
    }
    let whole = run(&place.store(), &["check", "root-use", "--since", "2026-09-01"]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let expire = ["store", "expire", "--events-older-than", "2026-09-02"];
    assert_eq!(run(&place.store(), &expire).code, 0);
    for (since, code) in [("2026-09-01", 4), ("2026-09-02", 0)] {
        let ended = run(&place.store(), &["check", "root-use", "--since", since]);
        assert_eq!(ended.code, code, "{since}: {}", ended.stderr);
        assert_eq!(ended.stderr.contains("have expired"), code == 4, "{}", ended.stderr);
    }
}

#[test]
fn wrong_arguments_are_refused() {
    let place = Place::new();
    for (arguments, message) in [
        (vec!["check", "root-usage"], "there is no question `root-usage`"),
        (vec!["check", "secret-reads"], "`secret-reads` is no check"),
        (vec!["check", "--pack", "nope"], "there is no such check"),
        (
            vec!["check", "root-use", "--param", "allowed=x"],
            "none of these checks has a parameter `allowed`",
        ),
        (vec!["check", "--baseline", "/nonexistent.toml"], "`/nonexistent.toml`"),
    ] {
        let ended = run(&place.store(), &arguments);
        assert_ne!(ended.code, 0, "{arguments:?}");
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    }
}
