//! Snapshots that do not fit the logs, and gates that could not see all.

use super::*;

/// The calls of `base`, and on every day one of role `again`, that has another id than the snapshot's.
fn with_a_later_role() -> Vec<Value> {
    let calls = (0..DAYS).map(|day| {
        let call = ("again", "ec2.amazonaws.com", "DescribeVpcs");
        let mut event = event(2_000 + day, day, "eu-west-1", call, &json!({}));
        event["userIdentity"]["principalId"] = json!("AROAlater:s");
        event["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] = json!("AROAlater");
        event
    });
    everyday().into_iter().chain(calls).collect()
}

/// Two roles that share a policy.
fn sharing() -> Value {
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
    let holder = |name: &str| {
        let mut role = role(name, &json!([]));
        role["RolePolicyList"] = json!([]);
        role["AttachedManagedPolicies"] = json!([{"PolicyName": "shared", "PolicyArn": arn}]);
        role
    };
    let mut page = page(&[holder("again"), holder("other"), role("base", &vpcs())], None);
    page["Policies"] = json!([{"PolicyName": "shared", "Arn": arn, "DefaultVersionId": "v1", "AttachmentCount": 2,
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2024-01-01T00:00:00Z",
            "Document": {"Statement": vpcs()}}]}]);
    page
}

#[test]
fn role_that_was_made_again_after_the_snapshot_is_unknown_and_its_policies_stay() {
    let estate = Estate::new(&with_a_later_role());
    estate.file("a.json", &sharing());
    estate.import(&estate.place.folder().join("iam"), "2026-07-01");
    let ended = estate.run(&["diff", "--fail-on", "never-used-role", "--principal", "again"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("role/again` was made again"), "{}", ended.stderr);
    let (verdicts, _) = estate.verdicts();
    let of_again: Vec<&String> = verdicts.iter().filter(|row| row.starts_with("again ")).collect();
    assert!(
        of_again.len() == 3 && of_again.iter().all(|row| row.contains(" unknown ")),
        "{verdicts:?}"
    );
    for principal in ["again", "other"] {
        let ended = estate.run(&["policy", "--principal", principal, "--format", "diff"]);
        assert_eq!(ended.code, 4, "{}", ended.stderr);
        assert!(!ended.stdout.contains("\n-"), "{}", ended.stdout);
        assert!(ended.stderr.contains("nothing is proposed for"), "{}", ended.stderr);
    }
}

#[test]
fn snapshot_of_long_after_the_logs_leaves_its_account_unknown_and_says_so() {
    let mut job = role("job", &vpcs());
    job["RoleLastUsed"] = json!({"LastUsedDate": "2026-11-19T00:00:00Z", "Region": "eu-west-1"});
    let estate = Estate::new(&everyday());
    let snapshot = estate.file("a.json", &page(&[job, role("r", &vpcs()), role("base", &vpcs())], None));
    estate.import(&snapshot, "2026-09-11");
    let (verdicts, ended) = estate.verdicts();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let row = |name: &str, verdict: &str| {
        ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|action| format!("{name} {action} {verdict}"))
    };
    let seen = "unknown IAM says that it was active in the window or after it, but the logs show no call";
    assert_eq!(verdicts, [row("job", seen), row("r", "unused")].concat());
    let roles = [role("r", &vpcs()), role("base", &vpcs())];
    let later = estate.file("b.json", &page(&roles, None));
    estate.import(&later, "2026-11-20");
    let (verdicts, ended) = estate.verdicts();
    assert!(verdicts.iter().all(|row| row.contains(" unknown ")), "{verdicts:?}");
    let warning = format!("the IAM snapshot is much younger than the logs of {ACCOUNT} (71 days)");
    assert!(ended.code == 4 && ended.stderr.contains(&warning), "{}", ended.stderr);
}

#[test]
fn gate_over_logs_with_gaps_does_not_pass_and_names_the_account() {
    let is_there = |event: &Value| {
        let time = event["eventTime"].as_str().unwrap();
        !("2026-08-10".."2026-08-20").contains(&time)
    };
    let events: Vec<Value> = everyday().into_iter().filter(is_there).collect();
    let estate = Estate::new(&events);
    estate.file("a.json", &page(&[role("r", &vpcs()), role("base", &vpcs())], None));
    estate.import_all();
    let ended = estate.run(&["diff", "--principal", "r"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let gated = estate.run(&["diff", "--principal", "r", "--fail-on", "unused"]);
    assert_eq!(gated.code, 4, "{}", gated.stderr);
    let warning = format!("{ACCOUNT} (7");
    assert!(gated.stderr.contains(&warning), "{}", gated.stderr);
    let short = estate.run(&["diff", "--min-window", "90", "--fail-on", "unused"]);
    assert_eq!(short.code, 4, "{}", short.stderr);
    let low = estate.run(&["diff", "--min-coverage", "0.5", "--fail-on", "never-used-role"]);
    assert_eq!(low.code, 3, "{}", low.stderr);
}

#[test]
fn snapshots_of_one_moment_that_say_different_things_are_named_and_decide_nothing() {
    let estate = Estate::new(&everyday());
    let granted = |actions: Value| page(&[role("r", &json!([allow(&actions)])), role("base", &vpcs())], None);
    let first = estate.file("a.json", &granted(json!("sqs:CreateQueue")));
    let second = estate.file("b.json", &granted(json!(["sqs:CreateQueue", "s3:ListBucket"])));
    assert_eq!(estate.import(&first, "2026-09-15").code, 0);
    assert_eq!(estate.verdicts().0, ["r sqs:CreateQueue unused"]);
    assert_eq!(estate.import(&second, "2026-09-15").code, 0);
    let (verdicts, _) = estate.verdicts();
    assert!(!verdicts.is_empty());
    for verdict in verdicts {
        assert!(verdict.contains("another snapshot of the same moment"), "{verdict}");
    }
    let newer = estate.file("c.json", &granted(json!("sqs:DeleteQueue")));
    assert_eq!(estate.import(&newer, "2026-09-16").code, 0);
    assert_eq!(estate.verdicts().0, ["r sqs:DeleteQueue unused"]);
}
