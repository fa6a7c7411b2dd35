//! The questions about grants: what is planted in the IAM snapshots, and that SQL and `diff` say the same.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use super::sample;
use crate::support::json::number;
use crate::support::json::text;
use crate::support::json::texts;
use crate::support::process;

const WINDOW: &[(&str, &str)] = &[("min_window_days", "14")];

/// The rows of a JSON list, sorted.
fn sorted(list: &str) -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_str(list).unwrap_or_else(|error| panic!("{error}: {list}"));
    let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

#[test]
fn functions_give_the_rows_of_the_command() {
    let sample = sample();
    let store = sample.store.folder.path().join("store");
    let options = ["diff", "--min-window", "14d", "--output", "json"];
    let (account, detail) = (["--account", "777788889999"], ["--detail"]);
    let printed = |arguments: &[&str]| sorted(&process::run(&store, arguments).stdout);
    let selected = |statement: &str| printed(&["sql", statement, "--output", "json"]);
    assert_eq!(
        printed(&options),
        selected("select * from principal_summary(null, null, 14)")
    );
    let permissions = selected("select * from granted_and_used(null, null, 14) where account_id = '777788889999'");
    assert!(permissions.len() > 1000, "{}", permissions.len());
    assert_eq!(printed(&[&options[..], &account, &detail].concat()), permissions);
}

#[test]
fn roles_without_use_are_those_that_were_planted() {
    let sample = sample();
    let iam = &sample.expected["iam"];
    let listed = |name: &str| -> Vec<&str> { iam[name].as_array().unwrap().iter().filter_map(Value::as_str).collect() };
    let mut planted = listed("roles_never_used");
    planted.extend(listed("roles_used_before_the_window_only"));
    planted.sort_unstable();
    let answer = Value::from(sample.store.ask("unused-roles", WINDOW));
    assert_eq!(texts(&answer, "principal_arn"), planted);
    assert_eq!(
        BTreeSet::from_iter(texts(&answer, "verdict")),
        ["unused".to_owned()].into()
    );
    let short = Value::from(sample.store.ask("unused-roles", &[]));
    assert_eq!(
        BTreeSet::from_iter(texts(&short, "verdict")),
        ["unknown".to_owned()].into()
    );
}

#[test]
fn denied_attempts_are_all_that_were_planted_and_counted() {
    let sample = sample();
    let mut expected: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (principal, operations) in sample.expected["principals"].as_object().unwrap() {
        let denied = operations
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| number(row, "denied") > 0);
        // The root user of another account is no user and no role.
        for row in denied.filter(|_| !principal.ends_with(":root")) {
            expected.insert((principal.clone(), text(row, "event_name")), number(row, "denied"));
        }
    }
    let answer = sample.store.ask("denied-attempts", WINDOW);
    let found: BTreeMap<(String, String), i64> = answer
        .iter()
        .map(|row| {
            (
                (text(row, "principal_arn"), text(row, "event_name")),
                number(row, "attempts"),
            )
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(answer.len(), expected.len());
    for row in &answer {
        let is_logging = ["StopLogging", "StopConfigurationRecorder"].contains(&text(row, "event_name").as_str());
        // The organization's policy protects the trail, whatever the administrator is granted.
        let is_foreign = text(row, "event_name") == "AssumeRole";
        assert_eq!(row["is_granted"], !is_logging && !is_foreign, "{row}");
    }
}

#[test]
fn passed_roles_are_all_that_were_planted() {
    let sample = sample();
    let key = |row: &Value, principal: &str, operation: String| {
        (
            text(row, principal),
            operation,
            text(row, "passed_role"),
            [number(row, "succeeded"), number(row, "denied"), number(row, "failed")],
        )
    };
    let planted = sample.expected["passed_roles"].as_array().unwrap();
    let planted: BTreeSet<_> = planted
        .iter()
        .map(|row| key(row, "principal", text(row, "operation")))
        .collect();
    let answer = sample.store.ask("passrole-use", WINDOW);
    let passes = answer.iter().filter(|row| !row["passed_role"].is_null());
    let found: BTreeSet<_> = passes
        .map(|row| {
            let operation = format!("{}:{}", text(row, "event_source"), text(row, "event_name"));
            key(row, "principal_arn", operation)
        })
        .collect();
    assert_eq!(found, planted);
    let idle = answer.iter().filter(|row| row["passed_role"].is_null());
    assert!(idle.clone().count() > 0 && idle.into_iter().all(|row| row["verdict"] == "unknown"));
}

#[test]
fn nothing_that_was_used_is_unused_in_any_question() {
    let sample = sample();
    let used: BTreeSet<(String, String)> = sample
        .store
        .sql("select distinct principal_arn, action from used_actions where is_used and principal_type in ('role', 'user')")
        .iter()
        .map(|row| (text(row, "principal_arn"), text(row, "action")))
        .collect();
    let services: BTreeSet<(String, String)> = used
        .iter()
        .map(|(principal, action)| (principal.clone(), action.split(':').next().unwrap().to_owned()))
        .collect();
    let answer = sample.store.ask("service-last-used", WINDOW);
    assert!(answer.len() > 1000);
    for row in answer.iter().filter(|row| row["verdict"] == "unused") {
        let service = (text(row, "principal_arn"), text(row, "service"));
        assert!(!services.contains(&service), "{row}");
        assert_eq!(number(row, "granted"), number(row, "unused"), "{row}");
    }
    let actions: BTreeSet<&str> = used.iter().map(|(_, action)| action.as_str()).collect();
    for row in sample.store.ask("permission-inventory", WINDOW) {
        let kinds = ["used", "denied", "unknown", "unused"].map(|name| number(&row, name));
        assert_eq!(number(&row, "granted"), kinds.iter().sum::<i64>(), "{row}");
        let is_used = actions.contains(text(&row, "action").as_str());
        assert!(
            !is_used || ["used", "not-granted"].contains(&text(&row, "verdict").as_str()),
            "{row}"
        );
    }
    for row in sample.store.ask("unused-access", WINDOW) {
        let kinds = ["used", "denied", "unknown", "unused"].map(|name| number(&row, name));
        assert_eq!(number(&row, "granted"), kinds.iter().sum::<i64>(), "{row}");
        for action in row["unused_actions"].as_str().unwrap_or_default().split(',') {
            assert!(
                !used.contains(&(text(&row, "principal_arn"), action.to_owned())),
                "{row}"
            );
        }
    }
    assert!(sample.store.ask("used-not-granted", WINDOW).is_empty());
}

#[test]
fn password_that_nobody_used_is_the_only_unused_credential() {
    let answer = sample().store.ask("unused-keys", WINDOW);
    let told: Vec<String> = answer
        .iter()
        .map(|row| {
            format!(
                "{} {} {}",
                text(row, "principal_arn"),
                text(row, "credential"),
                text(row, "verdict")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "arn:aws:iam::111122223333:root password unknown",
            "arn:aws:iam::123456789012:user/break-glass-2 password unused",
        ]
    );
}
