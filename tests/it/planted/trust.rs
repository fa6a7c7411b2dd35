//! Who may take the roles of the sample organization, and who did.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use super::Sample;
use super::sample;
use crate::support::json::text;
use crate::support::process::Ended;

const MANAGEMENT: &str = "arn:aws:iam::123456789012";
const PROD: &str = "arn:aws:iam::111122223333";

fn trust(sample: &Sample, arguments: &[&str]) -> (Vec<Value>, Ended) {
    let ended = sample.run_for_two_weeks("trust", &[&["--output", "json"], arguments].concat());
    let rows = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.stderr));
    (rows, ended)
}

/// The rows of one role.
fn role(sample: &Sample, name: &str) -> Vec<Value> {
    trust(sample, &["--role", name]).0
}

fn strings(row: &Value, column: &str) -> Vec<String> {
    let values = row[column].as_array().unwrap().iter();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_session_of_the_sample_is_explained() {
    let sample = sample();
    let (rows, ended) = trust(&sample, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(rows.iter().all(|row| row["verdict"] != "unexplained"), "{rows:?}");
    assert!(rows.iter().all(|row| row["verdict"] != "unknown"), "{rows:?}");
    let sessions: i64 = rows.iter().map(|row| row["sessions"].as_i64().unwrap()).sum();
    let counted = sample.store.sql(
        "select count(distinct coalesce(shared_event_id, event_id)) as number from events \
         where event_source = 'sts.amazonaws.com' and coalesce(error_code, '') = '' \
         and event_name in ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')",
    );
    assert_eq!(sessions, counted[0]["number"].as_i64().unwrap());
}

#[test]
fn third_party_without_external_id_is_the_planted_one() {
    let sample = sample();
    let (rows, _) = trust(&sample, &[]);
    let found: Vec<&Value> = rows
        .iter()
        .filter(|row| strings(row, "findings").contains(&"no-external-id".to_owned()))
        .collect();
    let [partner] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(text(partner, "role_arn"), format!("{PROD}:role/vendor/partner-export"));
    let planted = sample.planted("assumed_from_outside_without_external_id");
    assert_eq!(strings(partner, "event_ids"), planted);
    let vendor = &role(&sample, "monitoring-readonly")[0];
    assert_eq!(strings(vendor, "findings"), ["whole-account"]);
    assert_eq!(vendor["with_external_id"], vendor["sessions"]);
}

#[test]
fn callers_are_known_in_full_although_the_role_saw_their_account_only() {
    let sample = sample();
    let (rows, _) = trust(&sample, &["--callers"]);
    let kinds: BTreeMap<String, (String, String)> = rows
        .iter()
        .map(|row| {
            let name = text(row, "role_arn").rsplit('/').next().unwrap().to_owned();
            (name, (text(row, "kind"), text(row, "caller")))
        })
        .collect();
    let of = |name: &str| {
        let (kind, caller) = &kinds[name];
        (kind.as_str(), caller.clone())
    };
    assert_eq!(
        of("security-audit"),
        (
            "role",
            "arn:aws:iam::444455556666:role/service-role/posture-scanner".to_owned()
        )
    );
    assert_eq!(
        of("inventory"),
        ("kubernetes-token", "system:serviceaccount:shop:inventory".to_owned())
    );
    assert_eq!(of("search-indexer"), ("pod-identity", "prod/search/indexer".to_owned()));
    assert_eq!(
        of("terraform-apply"),
        (
            "github-actions",
            "repo:example-org/infrastructure:environment:production".to_owned()
        )
    );
    assert_eq!(of("checkout-api"), ("service", "ec2.amazonaws.com".to_owned()));
    let people = rows.iter().filter(|row| row["kind"] == "identity-center");
    assert!(people.clone().count() > 5 && people.clone().all(|row| text(row, "caller").contains('@')));
    let outsiders = rows.iter().filter(|row| row["account"] == "third-party");
    assert_eq!(outsiders.count(), 2);
}

#[test]
fn attempt_on_the_break_glass_role_is_a_refused_caller() {
    let sample = sample();
    let (rows, _) = trust(&sample, &["--callers", "--role", "break-glass-admin"]);
    let counts: Vec<(String, i64, i64)> = rows
        .iter()
        .map(|row| {
            let number = |column: &str| row[column].as_i64().unwrap();
            (text(row, "caller"), number("sessions"), number("refused"))
        })
        .collect();
    let developer = "arn:aws:iam::777788889999:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_DeveloperAccess_4123456789abcdef";
    assert_eq!(
        counts,
        [
            (developer.to_owned(), 0, 1),
            (format!("{MANAGEMENT}:user/break-glass-1"), 1, 0)
        ]
    );
}

#[test]
fn subjects_of_github_are_named_where_a_pattern_trusts_more() {
    let sample = sample();
    let deploy = &role(&sample, "github-deploy")[0];
    assert_eq!(strings(deploy, "findings"), ["broad-subject"]);
    assert!(strings(deploy, "remarks")[0].contains("`repo:example-org/shop:ref:refs/heads/main` ("));
    let sandbox = &role(&sample, "ci-sandbox")[0];
    assert_eq!(strings(sandbox, "findings"), ["no-audience-condition", "broad-subject"]);
    assert_eq!(
        strings(&role(&sample, "terraform-apply")[0], "findings"),
        Vec::<String>::new()
    );
}

#[test]
fn second_key_of_the_break_glass_role_is_all_that_can_go() {
    let sample = sample();
    let ended = sample.run_for_two_weeks("trust", &["--policies"]);
    let policies: Value = serde_json::from_str(&ended.stdout).unwrap();
    let second = format!("{MANAGEMENT}:user/break-glass-2");
    let first = format!("{MANAGEMENT}:user/break-glass-1");
    assert_eq!(
        policies,
        json!([{
            "role_arn": format!("{PROD}:role/break-glass/break-glass-admin"),
            "removed": [{"statement": 1, "kind": "user", "trusted": second}],
            "document": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": [first]}, "Action": "sts:AssumeRole",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            }]},
        }])
    );
    assert!(
        ended
            .stderr
            .contains("1 role can have a shorter trust policy: 0 of 1 call in the window would have been denied"),
        "{}",
        ended.stderr
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    sample.run_for_two_weeks("trust", &["--policies", "--write", path.to_str().unwrap()]);
    let written = std::fs::read_to_string(path.join("111122223333-break-glass-admin.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written, policies[0]["document"]);
}

#[test]
fn nothing_is_unused_in_a_window_that_is_too_short() {
    let sample = sample();
    let ended = sample.run(&["trust", "--output", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let silent: Vec<&Value> = rows.iter().filter(|row| row["sessions"] == 0).collect();
    assert!(silent.len() > 3, "{rows:?}");
    let is_short = |row: &&Value| row["verdict"] == "unknown" && text(row, "reason").contains("14 days");
    assert!(silent.iter().all(is_short), "{silent:?}");
}

#[test]
fn way_over_another_role_is_shown_by_its_hops() {
    let sample = sample();
    let (rows, _) = trust(&sample, &["--chains", "--account", "111122223333"]);
    let [chain] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(text(chain, "role_arn"), format!("{PROD}:role/security/security-audit"));
    assert_eq!(
        (text(chain, "origin"), chain["hops"].as_i64()),
        ("lambda.amazonaws.com".to_owned(), Some(2))
    );
    assert_eq!(
        strings(chain, "through"),
        ["arn:aws:iam::444455556666:role/service-role/posture-scanner"]
    );
    let direct = role(&sample, "arn:aws:iam::111122223333:role/security/security-audit");
    assert_eq!(chain["sessions"], direct[0]["sessions"]);
}

#[test]
fn wrong_usage_of_trust_is_refused() {
    sample().assert_wrong_usage(
        "trust",
        &[
            (
                &["--role", "no-such-role"],
                "no role of the snapshots and logs matches `no-such-role`",
            ),
            (&["--write", "out"], "--policies"),
            (&["--callers", "--chains"], "cannot be used with"),
        ],
    );
}
