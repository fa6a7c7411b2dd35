//! Past calls of the sample organization under other policies: what is denied is exactly what has to be.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use super::Sample;
use super::sample;
use crate::support::json::text;
use crate::support::json::texts;
use crate::support::process::Ended;

fn write(folder: &Path, name: &str, document: &Value) -> String {
    let path = folder.join(name);
    std::fs::write(&path, document.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn replay(sample: &Sample, arguments: &[&str]) -> (Vec<Value>, Ended) {
    let ended = sample.run(&[&["replay", "--output", "json"], arguments].concat());
    let rows = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.stderr));
    (rows, ended)
}

/// Ids of the events that the rows name.
fn events(rows: &[Value]) -> BTreeSet<String> {
    let ids = rows.iter().flat_map(|row| row["event_ids"].as_array().unwrap());
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn trimmed_policies_deny_nothing() {
    let sample = sample();
    let (rows, ended) = replay(&sample, &["--plan", "--min-window", "14d"]);
    assert_eq!(rows, Vec::<Value>::new(), "{}", ended.stderr);
    let sentence = ended
        .stderr
        .lines()
        .find(|line| line.contains("would have been denied"));
    let sentence = sentence.unwrap();
    assert!(sentence.starts_with("0 of 6,"), "{sentence}");
    let policy = sample.run_for_two_weeks("policy", &["--principal", "*"]);
    assert!(policy.stderr.contains(sentence), "{}", policy.stderr);
}

#[test]
fn generated_policies_deny_nothing_for_certain() {
    let sample = sample();
    let arguments = [
        "--principal",
        "*",
        "--mode",
        "generate",
        "--conditions",
        "region,vpce,via-service",
    ];
    let policy = sample.run_for_two_weeks("policy", &arguments);
    assert!(policy.stderr.contains("warning: 0 of 6,"), "{}", policy.stderr);
}

/// The documents that `policy` proposes for a principal.
fn trimmed(sample: &Sample, principal: &str) -> Vec<Value> {
    let ended = sample.run_for_two_weeks("policy", &["--principal", principal, "--mode", "trim"]);
    let proposed: Value = serde_json::from_str(&ended.stdout).unwrap();
    let policies = proposed[0]["policies"].as_array().unwrap();
    policies.iter().map(|policy| policy["document"].clone()).collect()
}

/// The document without an action, and whether the action stood in it by name.
fn without(document: &Value, action: &str) -> (Value, bool) {
    let mut left = document.clone();
    let mut was_there = false;
    for statement in left["Statement"].as_array_mut().unwrap() {
        if let Some(actions) = statement["Action"].as_array_mut() {
            let before = actions.len();
            actions.retain(|name| name != action);
            was_there |= actions.len() < before;
        }
    }
    (left, was_there)
}

#[test]
fn policy_without_a_used_action_denies_exactly_the_calls_of_that_action() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let mut removed = 0;
    for principal in ["payments-task", "github-deploy"] {
        let documents = trimmed(&sample, principal);
        let used = sample.counts(&format!(
            "select action as name, count(distinct event_id) as number from used_actions \
             where principal_arn like '%/{principal}' and is_used and confidence not in ('conflict', 'ambiguous', 'unresolved') \
             and {} group by 1",
            super::API_CALLS
        ));
        for (action, calls) in used {
            let edited: Vec<(Value, bool)> = documents.iter().map(|it| without(it, &action)).collect();
            if !edited.iter().any(|(_, was_there)| *was_there) {
                continue;
            }
            let files = edited.iter().enumerate().map(|(index, (left, _))| {
                let name = format!("{principal}-{index}.json");
                ["--policy".to_owned(), write(folder.path(), &name, left)]
            });
            let files: Vec<String> = files.flatten().collect();
            let mut arguments = vec!["--principal", principal];
            arguments.extend(files.iter().map(String::as_str));
            let (rows, ended) = replay(&sample, &arguments);
            let denied: Vec<&Value> = rows.iter().filter(|row| row["outcome"] == "denied").collect();
            let names: BTreeSet<String> = denied.iter().map(|row| text(row, "action")).collect();
            assert_eq!(names, BTreeSet::from([action.clone()]), "{principal}: {}", ended.stderr);
            let sentence = format!("{calls} of ");
            let said = ended.stderr.replace(',', "");
            assert!(
                said.contains(&sentence) && ended.code == 3,
                "{principal} {action} {calls}: {said}"
            );
            removed += 1;
        }
    }
    assert!(removed >= 3, "{removed}");
}

#[test]
fn control_policy_against_the_planted_region_denies_exactly_the_planted_calls() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Sid": "NotThere", "Effect": "Deny", "Action": "*",
        "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "ap-southeast-1"}}}]});
    let file = write(folder.path(), "region.json", &deny);
    let denied = |arguments: &[&str]| {
        let (rows, ended) = replay(&sample, &[&["--scp", &file], arguments].concat());
        let (denied, others): (Vec<Value>, Vec<Value>) = rows.into_iter().partition(|row| row["outcome"] == "denied");
        // Of calls to STS, the record does not prove the region.
        let is_sts = |row: &Value| row["outcome"] == "unknown" && text(row, "action").starts_with("sts:");
        assert!(others.iter().all(is_sts), "{others:?}");
        (denied, ended)
    };
    let (rows, ended) = denied(&[]);
    assert!(rows.iter().all(|row| row["calls"] == 1), "{rows:?}");
    assert_eq!(ended.code, 3);
    let planted = sample.expected["unexpected_region"]["calls"].as_array().unwrap();
    let meant = planted.iter().filter(|call| {
        // No policy can forbid `GetCallerIdentity`, and refused calls are refused already.
        call["aws_region"] == "ap-southeast-1"
            && call["outcome"] == "succeeded"
            && call["event_name"] != "GetCallerIdentity"
    });
    let meant: Vec<Value> = meant.cloned().collect();
    let wanted: BTreeSet<String> = texts(&Value::Array(meant), "event_id").into_iter().collect();
    assert!(wanted.len() >= 6, "{wanted:?}");
    assert_eq!(events(&rows), wanted);
    let reason = text(&rows[0], "reason");
    assert_eq!(
        reason,
        "denied by service control policies of level 1: `region.json` statement 1 (`NotThere`)"
    );
    // Nobody of another unit is hit.
    assert_eq!(denied(&["--ou", "ou-exam-security"]).0.len(), 0);
    assert_eq!(denied(&["--ou", "ou-exam-workloads"]).0.len(), rows.len());
}

#[test]
fn resource_policy_against_strangers_denies_exactly_the_partners_session() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let deny = |condition: &Value| {
        json!({"Version": "2012-10-17", "Statement": [{"Sid": "Own", "Effect": "Deny", "Principal": "*",
            "Action": ["s3:*", "sts:AssumeRole"], "Resource": "*", "Condition": condition}]})
    };
    // Everybody of the organization is let in, and of other accounts it is not known to which organization they belong.
    let organization = json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
    let file = write(folder.path(), "organization.json", &deny(&organization));
    let (rows, ended) = replay(&sample, &["--rcp", &file]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let strangers = |row: &Value| {
        let reason = text(row, "reason");
        row["outcome"] == "unknown"
            && (reason.contains("aws:PrincipalOrgID") || reason.contains("account of the resource"))
    };
    assert!(!rows.is_empty() && rows.iter().all(strangers), "{rows:?}");
    // By account it is known.
    let accounts = [
        "123456789012",
        "111122223333",
        "444455556666",
        "777788889999",
        "210987654321",
        "888877776666",
    ];
    let account = json!({"StringNotEqualsIfExists": {"aws:PrincipalAccount": accounts},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
    let file = write(folder.path(), "account.json", &deny(&account));
    let (rows, ended) = replay(&sample, &["--rcp", &file]);
    let denied: Vec<&Value> = rows.iter().filter(|row| row["outcome"] == "denied").collect();
    let planted: BTreeSet<String> = sample
        .planted("assumed_from_outside_without_external_id")
        .into_iter()
        .collect();
    assert_eq!(
        events(&denied.iter().map(|row| (*row).clone()).collect::<Vec<_>>()),
        planted,
        "{}",
        ended.stderr
    );
    assert_eq!(
        (text(denied[0], "action"), ended.code),
        ("sts:AssumeRole".to_owned(), 3)
    );
    // Resources of other accounts are not guarded.
    let (rows, _) = replay(&sample, &["--rcp", &file, "--account", "777788889999"]);
    assert!(rows.iter().all(|row| row["outcome"] != "denied"), "{rows:?}");
}

#[test]
fn allow_list_of_a_control_policy_or_boundary_denies_the_rest() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "NotAction": "secretsmanager:*", "Resource": "*"}});
    let file = write(folder.path(), "allow.json", &allow);
    for option in ["--scp", "--boundary"] {
        let (rows, ended) = replay(&sample, &[option, &file, "--principal", "payments-task"]);
        let names: BTreeMap<String, String> = rows
            .iter()
            .map(|row| (text(row, "action"), text(row, "outcome")))
            .collect();
        let wanted = [("secretsmanager:GetSecretValue".to_owned(), "denied".to_owned())];
        assert_eq!((names, ended.code), (BTreeMap::from(wanted), 3), "{option}");
    }
}

#[test]
fn replay_of_no_call_proves_nothing() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    let file = write(folder.path(), "deny.json", &deny);
    // No control policy binds the management account.
    let (rows, ended) = replay(&sample, &["--scp", &file, "--account", "123456789012"]);
    assert_eq!((rows.len(), ended.code), (0, 4), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing was tried"), "{}", ended.stderr);
    assert_eq!(replay(&sample, &["--scp", &file]).1.code, 3);
}

#[test]
fn replay_that_cannot_be_is_refused() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "p.json",
        &json!({"Version": "2012-10-17", "Statement": []}),
    );
    let broken = write(
        folder.path(),
        "broken.json",
        &json!({"Statement": [{"Effect": "Allow"}]}),
    );
    sample.assert_wrong_usage(
        "replay",
        &[
            (&[], "required"),
            (&["--policy", &file], "--principal"),
            (&["--plan", "--scp", &file], "cannot be used with"),
            (
                &["--policy", &file, "--principal", "nobody-at-all"],
                "matches `nobody-at-all`",
            ),
            (&["--scp", &file, "--ou", "ou-none"], "the unit `ou-none`"),
            (
                &["--scp", &file, "--account", "11112222333"],
                "of account `11112222333`",
            ),
            (
                &["--rcp", &file, "--account", "11112222333"],
                "of account `11112222333`",
            ),
            (
                &["--boundary", &file, "--account", "11112222333"],
                "of account `11112222333`",
            ),
            (&["--scp", &file, "--min-window", "14d"], "cannot be used with"),
            (&["--scp", &broken], "element `Action` is missing"),
        ],
    );
}
