//! Granted against used in the sample organization: nothing used is called unused, nothing unseen either.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use trimtrail::analysis;
use trimtrail::iam::Facts;
use trimtrail::policy::Activity;
use trimtrail::policy::Differ;
use trimtrail::policy::Estate;
use trimtrail::policy::PrincipalDiff;
use trimtrail::policy::Reason;
use trimtrail::policy::Row;
use trimtrail::policy::Thresholds;
use trimtrail::policy::Verdict;
use trimtrail::policy::subjects;

use super::Sample;
use super::sample;
use crate::support::json::number;
use crate::support::json::text;
use crate::support::json::texts;

const PROD: &str = "111122223333";

/// Runs a check on the diffs of all principals.
fn check(sample: &Sample, min_window_days: i64, check: impl Fn(&[PrincipalDiff<'_>])) {
    let (usage, snapshots) = sample.store.runtime.block_on(async {
        let session = sample.store.session().await;
        let window = analysis::extent(&session).await.unwrap().unwrap();
        let usage = analysis::usage(&session, window).await.unwrap();
        (usage, analysis::snapshots(&session).await.unwrap())
    });
    let estate = Estate::newest(&snapshots);
    let subjects = subjects(&usage, &estate);
    let thresholds = Thresholds {
        min_coverage: 0.95,
        min_window_days,
    };
    let mut differ = Differ::new(Facts::embedded(), &usage, &estate, thresholds);
    let diffs: Vec<PrincipalDiff<'_>> = subjects.iter().map(|subject| differ.diff(subject)).collect();
    check(&diffs);
}

/// The principal whose ARN ends like this.
fn of<'d, 's>(diffs: &'d [PrincipalDiff<'s>], end: &str) -> &'d PrincipalDiff<'s> {
    let mut found = diffs.iter().filter(|diff| diff.subject.key.arn.ends_with(end));
    let diff = found.next().unwrap_or_else(|| panic!("no {end}"));
    assert!(found.next().is_none(), "several {end}");
    diff
}

/// Actions by verdict.
fn actions<'d>(diff: &'d PrincipalDiff<'_>, verdict: &str) -> BTreeSet<&'d str> {
    let rows = diff.rows.iter().filter(|row| row.verdict.name() == verdict);
    rows.map(|row| row.action).collect()
}

/// The action with the operation's name, if there is one.
fn own_action(row: &Value) -> Option<&'static str> {
    let service = text(row, "event_source").replace(".amazonaws.com", "");
    let facts = Facts::embedded();
    let id = facts.find(&format!("{service}:{}", text(row, "event_name")))?;
    Some(facts.name(id))
}

#[test]
fn every_planted_use_is_found_with_its_count_and_nothing_used_is_unused() {
    let sample = sample();
    check(&sample, 14, |diffs| {
        let (mut compared, mut by_other_calls) = (0, BTreeSet::new());
        for diff in diffs {
            let arn = diff.subject.key.arn.as_str();
            let operations = sample.expected["principals"][arn].as_array();
            for operation in operations.into_iter().flatten() {
                let (Some(action), 1..) = (own_action(operation), number(operation, "succeeded")) else {
                    continue;
                };
                if Facts::embedded()
                    .permissionless_reason(Facts::embedded().find(action).unwrap())
                    .is_some()
                {
                    continue;
                }
                let evidence = &diff.subject.deeds.actions[action];
                let used = i64::try_from(evidence.used).unwrap();
                assert!(used >= number(operation, "succeeded"), "{arn} {action}: {used}");
                if used > number(operation, "succeeded") {
                    by_other_calls.insert(action);
                }
                let best = diff
                    .rows
                    .iter()
                    .find(|row| row.action == action && row.verdict == Verdict::Used);
                assert!(best.is_some(), "{arn}: {action} is used");
                compared += 1;
            }
        }
        assert!(compared > 100, "{compared}");
        // `RunInstances` with tags and `BatchGetSecretValue` need them, too.
        let both = ["ec2:CreateTags", "secretsmanager:GetSecretValue"];
        assert_eq!(by_other_calls, BTreeSet::from(both));
    });
}

#[test]
fn planted_task_role_is_told_apart_action_by_action() {
    check(&sample(), 14, |diffs| {
        let diff = of(diffs, ":role/ecs/payments-task");
        let used = [
            "kms:Decrypt",
            "s3:GetObject",
            "s3:PutObject",
            "secretsmanager:GetSecretValue",
        ];
        assert_eq!(actions(diff, "used"), BTreeSet::from(used));
        let unknown = [
            "rds-db:connect",
            "sqs:DeleteMessage",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ];
        assert_eq!(actions(diff, "unknown"), BTreeSet::from(unknown));
        let unused = actions(diff, "unused");
        for action in [
            "s3:DeleteObject",
            "sqs:CreateQueue",
            "secretsmanager:DeleteSecret",
            "kms:GenerateDataKey",
        ] {
            assert!(unused.contains(action), "{action}");
        }
        assert!(actions(diff, "used-not-granted").is_empty() && actions(diff, "denied-attempt").is_empty());
    });
}

#[test]
fn roles_without_use_are_found_and_the_young_one_is_not_judged() {
    let sample = sample();
    check(&sample, 14, |diffs| {
        let iam = &sample.expected["iam"];
        let listed =
            |name: &str| -> Vec<&str> { iam[name].as_array().unwrap().iter().filter_map(Value::as_str).collect() };
        let mut unused = listed("roles_never_used");
        unused.extend(listed("roles_used_before_the_window_only"));
        unused.sort_unstable();
        let roles = diffs.iter().filter(|diff| diff.subject.key.arn.contains(":role/"));
        let found = roles.filter(|diff| diff.summary.activity == Activity::NeverUsed);
        assert_eq!(
            found.map(|diff| diff.subject.key.arn.as_str()).collect::<Vec<_>>(),
            unused
        );
        for arn in listed("roles_created_in_the_window") {
            let diff = of(diffs, arn);
            assert!(
                actions(diff, "unused").is_empty() && !actions(diff, "unknown").is_empty(),
                "{arn}"
            );
        }
    });
}

#[test]
fn role_whose_policy_was_put_in_the_window_has_the_window_since_then() {
    let sample = sample();
    let is_late = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(Reason::GrantedRecently { .. }));
    let role = ":role/service-role/order-processor-role-x1y2z3";
    check(&sample, 14, |diffs| {
        let late: BTreeSet<&str> = diffs
            .iter()
            .filter(|diff| diff.rows.iter().any(|row| is_late(&row.verdict)))
            .map(|diff| diff.subject.key.arn.as_str())
            .collect();
        // A policy that another role had for an hour is gone, and concerns nothing that it has.
        assert_eq!(late.len(), 1, "{late:?}");
        assert!(own(of(diffs, role)).all(|row| row.verdict != Verdict::Unused));
    });
    check(&sample, 5, |diffs| {
        let diff = of(diffs, role);
        assert!(own(diff).any(|row| row.verdict == Verdict::Unused));
        assert!(own(diff).all(|row| row.since.is_some()));
    });
}

/// What the policy of the planted function's role grants that was put in the window.
fn own<'d, 's>(diff: &'d PrincipalDiff<'s>) -> impl Iterator<Item = &'d Row<'s>> {
    let is_own = |row: &&Row<'_>| row.policy.is_some_and(|policy| policy.name == "order-processor");
    diff.rows.iter().filter(is_own)
}

#[test]
fn what_no_trail_records_is_never_unused() {
    check(&sample(), 14, |diffs| {
        let nowhere = [
            "dynamodb:GetItem",
            "es:ESHttpGet",
            "lambda:InvokeFunction",
            "logs:PutLogEvents",
            "rds-db:connect",
            "sns:Publish",
            "sqs:SendMessage",
        ];
        let mut unknown = BTreeMap::new();
        for diff in diffs {
            let is_prod = diff.subject.key.account_id() == Some(PROD);
            for row in &diff.rows {
                let is_object_call = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"].contains(&row.action);
                if nowhere.contains(&row.action) || is_object_call && !is_prod {
                    assert_ne!(row.verdict, Verdict::Unused, "{} {}", diff.subject.key.arn, row.action);
                    *unknown.entry(row.action).or_insert(0) += 1;
                }
            }
        }
        assert_eq!(unknown.len(), nowhere.len() + 3, "{unknown:?}");
    });
}

#[test]
fn planted_denied_attempts_are_attempts_and_passed_roles_are_uses() {
    let sample = sample();
    check(&sample, 14, |diffs| {
        let denied = sample.planted("denied_attempt").join("', '");
        let statement = format!(
            "select distinct principal_arn, action from used_actions where event_id in ('{denied}') \
             and is_proven and principal_type in ('role', 'user')"
        );
        let rows = sample.store.sql(&statement);
        assert!(!rows.is_empty());
        for row in &rows {
            let (diff, action) = (of(diffs, &text(row, "principal_arn")), text(row, "action"));
            let evidence = &diff.subject.deeds.actions[&action];
            assert!(evidence.denied > 0, "{row}");
            let verdict = if evidence.used > 0 { "used" } else { "denied-attempt" };
            assert!(actions(diff, verdict).contains(action.as_str()), "{row}");
            assert!(
                evidence.used > 0 || !actions(diff, "used").contains(action.as_str()),
                "{row}"
            );
        }
        let passed = sample.expected["passed_roles"].as_array().unwrap();
        for row in passed {
            let verdict = if number(row, "succeeded") > 0 {
                "used"
            } else {
                "denied-attempt"
            };
            let diff = of(diffs, &text(row, "principal"));
            assert!(actions(diff, verdict).contains("iam:PassRole"), "{row}");
        }
        assert_eq!(passed.len(), texts(&sample.expected["passed_roles"], "principal").len());
    });
}

#[test]
fn nothing_is_unused_in_a_window_shorter_than_wanted() {
    check(&sample(), 30, |diffs| {
        for diff in diffs {
            let unused = diff.rows.iter().filter(|row| row.verdict == Verdict::Unused);
            assert_eq!(
                (unused.count(), diff.summary.removable),
                (0, 0),
                "{}",
                diff.subject.key.arn
            );
        }
    });
}

#[test]
fn counts_of_every_summary_balance() {
    check(&sample(), 14, |diffs| {
        for diff in diffs {
            let summary = &diff.summary;
            let sum = summary.used + summary.denied + summary.unknown + summary.unused;
            assert_eq!(summary.granted, sum, "{}", diff.subject.key.arn);
            assert_eq!(summary.used_not_granted, 0, "{}", diff.subject.key.arn);
        }
    });
}

#[test]
fn command_prints_the_rows_that_were_asked_for_and_what_they_rest_on() {
    let sample = sample();
    let arguments = [
        "--principal",
        "payments-task",
        "--detail",
        "--verdict",
        "used",
        "--output",
        "json",
    ];
    let ended = sample.run_for_two_weeks("diff", &arguments);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let rows: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        texts(&rows, "action"),
        [
            "secretsmanager:GetSecretValue",
            "kms:Decrypt",
            "s3:GetObject",
            "s3:PutObject"
        ]
    );
    for column in ["since", "until", "coverage", "facts_date", "snapshot_time"] {
        assert!(!rows[0][column].is_null(), "{column}");
    }
    assert_eq!(rows[0]["source"], "usage");
    assert!(ended.stderr.contains("(14 days)"), "{}", ended.stderr);
    let short = sample.run(&["diff", "--principal", "payments-task", "--output", "csv"]);
    assert!(short.stderr.contains("nothing is called unused"), "{}", short.stderr);
}

#[test]
fn wrong_windows_and_names_are_wrong_usage() {
    let sample = sample();
    sample.assert_wrong_usage(
        "diff",
        &[
            (&["--principal", "nobody"], "matches `nobody`"),
            (&["--since", "2026-10-01"], "the window is empty"),
            (&["--min-coverage", "95"], "from 0 to 1"),
        ],
    );
}
