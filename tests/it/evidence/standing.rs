//! How tables and controls of a bundle stand: clear only over logs of which everything is proven.

use jiff::Timestamp;
use jiff::ToSpan;

use super::*;
use crate::support::digests;
use crate::support::digests::Call;

/// An account with four hours of proven logs, and a control that only rests on them.
pub(super) struct Proven {
    pub(super) folder: TempDir,
}

impl Proven {
    pub(super) fn of(regions: &[&str]) -> Self {
        Self::with(regions, &[Call::Read, Call::Write])
    }

    fn with(regions: &[&str], calls: &[Call]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        digests::write_hours(folder.path(), regions, calls, first(), 4);
        let control = "[[framework]]\nid = 'own'\ntitle = 'Own'\n[[control]]\nframework = 'own'\nid = '1'\ntitle = 'root'\n\
                       evidence = [{ exhibit = 'root-use', decides = true, reason = 'r' }, { exhibit = 'integrity', reason = 'r' }]\n\
                       [[control]]\nframework = 'own'\nid = '2'\ntitle = 'grants'\n\
                       evidence = [{ exhibit = 'unused-keys', reason = 'r' }, { exhibit = 'unused-roles', reason = 'r' }]\n";
        fs::write(folder.path().join("own.toml"), control).unwrap();
        Self { folder }
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ended {
        process::run(&self.folder.path().join("store"), arguments)
    }

    pub(super) fn ingest(&self) {
        let ended = self.run(&["ingest", &self.path("AWSLogs"), "--quiet"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    /// The exit code, and how exhibits and controls stand, each with the reason.
    fn export(&self, keys: &[&str]) -> (Ended, BTreeMap<String, (String, String)>) {
        let out = tempfile::tempdir().unwrap();
        let bundle = out.path().join("bundle");
        let (own, place) = (self.path("own.toml"), bundle.display().to_string());
        let arguments = [
            "evidence",
            "export",
            "--period",
            "2024-03-02T00:00:00Z..2024-03-02T04:00:00Z",
            "--framework",
            "own",
        ];
        let ended = self.run(&[&arguments, &["--controls", &own, "--out", &place][..], keys].concat());
        let read = |name: &str| -> Value {
            let text = fs::read(bundle.join(name)).unwrap_or_else(|_| panic!("{ended:?}"));
            serde_json::from_slice(&text).unwrap()
        };
        let (record, oscal) = (read("bundle.json"), read("oscal-assessment-results.json"));
        let both = ["exhibits", "controls"].map(|list| record[list].as_array().unwrap().clone());
        let mut standings: BTreeMap<String, (String, String)> = both
            .concat()
            .iter()
            .map(|it| {
                let judgement = &it["judgement"];
                (text(it, "id"), (text(judgement, "standing"), text(judgement, "reason")))
            })
            .collect();
        let finding = &oscal["assessment-results"]["results"][0]["findings"][0];
        let state = text(&finding["target"]["status"], "state");
        standings.insert("oscal".to_owned(), (state, String::new()));
        (ended, standings)
    }

    pub(super) fn export_with_keys(&self) -> (Ended, BTreeMap<String, (String, String)>) {
        self.export(&["--keys", &format!("us-east-1={}", self.path("keys.json"))])
    }
}

pub(super) fn first() -> Timestamp {
    "2024-03-02T00:00:00Z".parse().unwrap()
}

pub(super) fn standing<'s>(standings: &'s BTreeMap<String, (String, String)>, id: &str) -> &'s str {
    &standings[id].0
}

#[test]
fn nothing_found_in_proven_logs_is_clear_and_without_keys_it_is_not() {
    let proven = Proven::of(&["us-east-1", "eu-west-1"]);
    proven.ingest();
    let (ended, standings) = proven.export_with_keys();
    assert_eq!(ended.code, 0, "{ended:?}");
    for id in ["root-use", "integrity", "coverage", "1"] {
        assert_eq!(standing(&standings, id), "clear", "{id}: {standings:?}");
    }
    assert_eq!(standing(&standings, "oscal"), "satisfied");
    // Nothing is known of grants.
    assert_eq!(standing(&standings, "2"), "unknown", "{standings:?}");
    let (ended, standings) = proven.export(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for id in ["root-use", "integrity", "coverage", "1"] {
        assert_eq!(standing(&standings, id), "unknown", "{id}: {standings:?}");
        assert!(
            standings[id].1.contains("the digests were not verified"),
            "{standings:?}"
        );
    }
    assert_eq!(standing(&standings, "oscal"), "not-satisfied");
}

#[test]
fn log_that_no_digest_names_and_digest_that_is_not_valid_are_findings() {
    let planted = Proven::of(&["us-east-1", "eu-west-1"]);
    digests::write_log(planted.folder.path(), "us-east-1", first() + 70.minutes(), "planted");
    let forged = Proven::of(&["us-east-1", "eu-west-1"]);
    let name = format!(
        "{0}_CloudTrail-Digest_us-east-1_trail_us-east-1_20240302T020000Z",
        digests::ACCOUNT
    );
    let folder = format!("AWSLogs/{}/CloudTrail-Digest/us-east-1/2024/03/02", digests::ACCOUNT);
    let other = name.replace("T02", "T03");
    let meta = |name: &str| forged.folder.path().join(format!("{folder}/{name}.json.gz.meta.json"));
    fs::copy(meta(&other), meta(&name)).unwrap();
    for proven in [planted, forged] {
        proven.ingest();
        let (ended, standings) = proven.export_with_keys();
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(
            ended
                .stderr
                .contains("what the digests prove of the period is: invalid"),
            "{ended:?}"
        );
        assert_eq!(standing(&standings, "integrity"), "findings", "{standings:?}");
        assert_eq!(standing(&standings, "root-use"), "unknown", "{standings:?}");
        assert_eq!(standing(&standings, "oscal"), "not-satisfied");
    }
}

#[test]
fn logs_of_a_trail_that_leaves_out_a_kind_of_management_events_prove_nothing() {
    for (call, missing) in [(Call::Read, "write"), (Call::Write, "read")] {
        let half = Proven::with(&["us-east-1", "eu-west-1"], &[call]);
        half.ingest();
        let (ended, standings) = half.export_with_keys();
        assert_eq!(ended.code, 0, "{ended:?}");
        for id in ["root-use", "coverage", "integrity", "1"] {
            let (standing, reason) = &standings[id];
            assert_eq!(standing, "unknown", "{id}: {standings:?}");
            let wanted = format!("no {missing} management events are recorded in the account");
            assert!(reason.contains(&wanted), "{id}: {reason}");
        }
    }
}

#[test]
fn logs_of_one_region_and_expired_events_prove_nothing() {
    let lonely = Proven::of(&["us-east-1"]);
    lonely.ingest();
    let (ended, standings) = lonely.export_with_keys();
    assert_eq!(ended.code, 0, "{ended:?}");
    for id in ["root-use", "coverage", "integrity"] {
        assert_eq!(standing(&standings, id), "unknown", "{standings:?}");
        assert!(standings[id].1.contains("may lack regions"), "{standings:?}");
    }
    let expired = Proven::of(&["us-east-1", "eu-west-1"]);
    // Of what comes later, something stays.
    digests::write_log(expired.folder.path(), "us-east-1", first() + 60.hours(), "later");
    expired.ingest();
    let ended = expired.run(&["store", "expire", "--events-older-than", "2024-03-03"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let (ended, standings) = expired.export_with_keys();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("events from before 2024-03-03T00:00:00Z have expired"),
        "{ended:?}"
    );
    for id in ["root-use", "coverage", "integrity"] {
        assert_eq!(standing(&standings, id), "unknown", "{standings:?}");
        assert!(standings[id].1.contains("have expired"), "{standings:?}");
    }
}

/// A bundle with keys ends with 4, and all that rests on the logs stands as it must.
pub(super) fn assert_doubted(proven: &Proven, is_right: impl Fn(&str) -> bool) {
    let (ended, standings) = proven.export_with_keys();
    assert_eq!(ended.code, 4, "{ended:?}");
    for id in ["root-use", "integrity", "coverage", "1"] {
        assert!(is_right(standing(&standings, id)), "{id}: {standings:?}");
    }
}

/// What `coverage` and `verify` say of the period: exit code, and reasons or verdicts.
pub(super) fn told(proven: &Proven) -> [(i32, String); 2] {
    let (since, until) = ("2024-03-02T00:00:00Z", "2024-03-02T04:00:00Z");
    let arguments = [
        "coverage", "--since", since, "--until", until, "--by", "hour", "--output", "csv",
    ];
    let coverage = proven.run(&arguments);
    let keys = format!("us-east-1={}", proven.path("keys.json"));
    let verified = proven.run(&["verify", "--keys", &keys, "--from", since, "--to", until, "--all"]);
    [(coverage.code, coverage.stdout), (verified.code, verified.stdout)]
}

pub(super) fn log_of(stamp: &str, id: &str) -> String {
    let part = |range: std::ops::Range<usize>| stamp.get(range).unwrap();
    let day = format!("{}/{}/{}", part(0..4), part(4..6), part(6..8));
    let account = digests::ACCOUNT;
    format!("AWSLogs/{account}/CloudTrail/us-east-1/{day}/{account}_CloudTrail_us-east-1_{stamp}_{id:0>16}.json.gz")
}

#[test]
fn object_of_another_time_that_keeps_an_event_out_leaves_everything_in_doubt() {
    let proven = Proven::of(&["us-east-1", "eu-west-1"]);
    // Read before the log that a digest names, with the id of its call.
    let decoy = proven.folder.path().join(log_of("20200101T0000Z", "a"));
    fs::create_dir_all(decoy.parent().unwrap()).unwrap();
    fs::copy(proven.path(&log_of("20240302T0205Z", "0202")), decoy).unwrap();
    proven.ingest();
    assert_doubted(&proven, |standing| standing != "clear");
    let [(coverage, rows), (verified, report)] = told(&proven);
    assert_eq!((coverage, verified), (4, 4), "{rows} {report}");
    assert!(rows.contains("log-not-named"), "{rows}");
    assert!(report.contains("20200101T0000Z"), "{report}");
}

#[test]
fn last_minutes_of_a_period_are_proven_by_the_hour_behind_it() {
    let missing = Proven::of(&["us-east-1", "eu-west-1"]);
    fs::remove_file(missing.path(&log_of("20240302T0405Z", "0204"))).unwrap();
    missing.ingest();
    let (ended, standings) = missing.export_with_keys();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(standing(&standings, "integrity"), "findings", "{standings:?}");
    assert_ne!(standing(&standings, "root-use"), "clear", "{standings:?}");
    let [(coverage, rows), (verified, report)] = told(&missing);
    assert_eq!((coverage, verified), (4, 3), "{rows} {report}");
    assert!(rows.contains("log-missing"), "{rows}");
    // Nothing is there of the hour behind.
    let open = Proven::of(&["us-east-1", "eu-west-1"]);
    for entry in walkdir::WalkDir::new(open.path("AWSLogs")) {
        let path = entry.unwrap().into_path();
        let name = path.to_string_lossy();
        if name.contains("_20240302T0405Z_") || name.contains("_20240302T050000Z") {
            fs::remove_file(&path).unwrap();
        }
    }
    open.ingest();
    let (ended, standings) = open.export_with_keys();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(standing(&standings, "root-use"), "unknown", "{standings:?}");
    assert!(
        standings["root-use"].1.contains("the logs of 2 of 8 hours"),
        "{standings:?}"
    );
    let [(coverage, rows), _] = told(&open);
    assert_eq!((coverage, rows.matches("delivery-open").count()), (0, 2), "{rows}");
}

#[test]
fn account_of_which_only_a_snapshot_is_known_leaves_everything_in_doubt() {
    let proven = Proven::of(&["us-east-1", "eu-west-1"]);
    proven.ingest();
    let snapshot = r#"{"UserDetailList":[{"Path":"/","UserName":"u","UserId":"AIDAOTHER","Arn":"arn:aws:iam::444455556666:user/u",
        "CreateDate":"2023-01-01T00:00:00+00:00","GroupList":[],"AttachedManagedPolicies":[]}],"GroupDetailList":[],"RoleDetailList":[],
        "Policies":[],"IsTruncated":false}"#;
    let file = proven.path("other.json");
    fs::write(&file, snapshot).unwrap();
    let ended = proven.run(&["iam", "import", &file, "--taken-at", "2024-03-02"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let (_, standings) = proven.export_with_keys();
    for id in ["root-use", "coverage", "1"] {
        assert_eq!(standing(&standings, id), "unknown", "{id}: {standings:?}");
    }
    assert!(
        standings["root-use"].1.contains("the logs of 8 of 16 hours"),
        "{standings:?}"
    );
}
