//! Grants that came into force inside the window, and statements that cannot be judged.

use super::*;
use crate::policy::changes::GrantChange;
use crate::policy::changes::GrantChanges;

fn put(policy: &str, day: i64) -> GrantChange {
    GrantChange {
        account_id: text(ACCOUNT),
        call: text("PutRolePolicy"),
        role: Some(text("r")),
        policy_name: Some(text(policy)),
        at: (FIRST_DAY + day) * DAY,
        ..GrantChange::default()
    }
}

fn case() -> Case {
    Case::new(&[allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"]))]).with("sqs:CreateQueue", used(1))
}

#[test]
fn grant_without_a_window_of_its_own_is_unknown_and_one_with_it_has_that() {
    let mut late = case();
    late.usage.changes.note(&put("p", 11));
    assert_eq!(
        late.verdicts(),
        ["sqs:CreateQueue used", "sqs:DeleteQueue unknown granted-recently"]
    );
    late.check(|diffs| {
        let reason = diffs[0].rows[1].verdict.reason().unwrap();
        assert_eq!(reason, "granted 29 days before the end of the window, 30 are needed");
    });
    let mut early = case();
    early.usage.changes.note(&put("p", 10));
    early.usage.changes.note(&put("other", 20));
    assert_eq!(early.verdicts(), ["sqs:CreateQueue used", "sqs:DeleteQueue unused"]);
    early.check(|diffs| {
        let since: Vec<Option<i64>> = diffs[0].rows.iter().map(|row| row.since).collect();
        assert_eq!(since, [Some((FIRST_DAY + 10) * DAY); 2]);
    });
    let mut before = case();
    before.usage.changes.note(&put("p", 0));
    before.check(|diffs| assert!(diffs[0].rows.iter().all(|row| row.since.is_none())));
}

#[test]
fn grant_of_after_the_window_is_unknown() {
    let mut case = case();
    case.usage.changes.note(&put("p", DAYS + 1));
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unknown granted-recently");
    case.check(|diffs| {
        let row = &diffs[0].rows[1];
        assert_eq!(row.verdict.reason().unwrap(), "granted after the end of the window");
        assert_eq!(row.since, None);
    });
}

#[test]
fn what_is_left_of_the_window_must_be_covered() {
    let mut case = case();
    case.thresholds.min_window_days = 20;
    case.usage.changes.note(&put("p", 20));
    case.log().days.remove(&(FIRST_DAY + 30));
    case.log().days.remove(&(FIRST_DAY + 31));
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unknown coverage-too-low");
    case.usage.changes = GrantChanges::default();
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unused");
}

#[test]
fn version_of_a_managed_policy_that_is_younger_than_the_window_is_unknown() {
    let mut case = Case::new(&[]).with("sqs:CreateQueue", used(1));
    let arn = "arn:aws:iam::111122223333:policy/m";
    case.role()["AttachedManagedPolicies"] = json!([{"PolicyName": "m", "PolicyArn": arn}]);
    case.snapshots[0]["Policies"] = json!([{"PolicyName": "m", "Arn": arn, "DefaultVersionId": "v1", "CreateDate": "2020-01-01T00:00:00Z",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2026-10-05T00:00:00Z",
            "Document": {"Statement": [allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"]))]}}]}]);
    assert_eq!(
        case.verdicts(),
        ["sqs:CreateQueue used", "sqs:DeleteQueue unknown granted-recently"]
    );
}

#[test]
fn condition_that_cannot_be_read_neither_widens_nor_narrows() {
    let mut odd = allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:PurgeQueue"]));
    odd["Condition"] = json!({"StringMatches": {"aws:RequestedRegion": "eu-*"}});
    let case = Case::new(&[odd.clone(), allow(&json!("sqs:CreateQueue"))])
        .with("sqs:CreateQueue", used_on(&["arn:aws:sqs:eu-west-1:111122223333:q"]))
        .with("sqs:PurgeQueue", used(1));
    let unknown = "unknown condition-operator";
    assert_eq!(
        case.verdicts(),
        [
            format!("sqs:CreateQueue {unknown}"),
            format!("sqs:DeleteQueue {unknown}"),
            text("sqs:PurgeQueue used"),
            text("sqs:CreateQueue used"),
        ]
    );
    let mut deny = odd;
    deny["Effect"] = json!("Deny");
    deny["Action"] = json!("sqs:*");
    let case = Case::new(&[allow(&json!("sqs:CreateQueue")), deny]).with("sqs:CreateQueue", denied(1));
    assert_eq!(case.verdicts(), ["sqs:CreateQueue denied-attempt"]);
}

#[test]
fn regions_that_were_left_out_prove_nothing() {
    let mut case = case();
    case.log().partial_days = BTreeSet::from([FIRST_DAY, FIRST_DAY + 1]);
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unused");
    case.log().partial_days.insert(FIRST_DAY + 2);
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unknown regions-not-ingested");
}

#[test]
fn region_that_only_iam_saw_proves_that_its_logs_are_missing() {
    let mut case = case();
    case.log().recorded_in = BTreeSet::from([text("eu-west-1"), text("us-east-1")]);
    let mut other = case.role().clone();
    other["Arn"] = json!("arn:aws:iam::111122223333:role/other");
    other["RoleName"] = json!("other");
    let is_unknown = |case: &Case| {
        let found = std::cell::Cell::new(false);
        case.check(|diffs| found.set(shown(&diffs[1].rows[1]) == "sqs:DeleteQueue unknown regions-not-ingested"));
        found.get()
    };
    for (day, region, expected) in [
        ("2026-09-20", "ap-south-1", true),
        ("2026-08-20", "ap-south-1", false),
        ("2026-09-20", "us-east-1", false),
    ] {
        other["RoleLastUsed"] = json!({"LastUsedDate": format!("{day}T00:00:00Z"), "Region": region});
        let first = case.role().clone();
        case.snapshots[0]["RoleDetailList"] = json!([first, other]);
        assert_eq!(is_unknown(&case), expected, "{day} {region}");
    }
}

#[test]
fn action_that_is_recorded_under_several_types_needs_all_of_them() {
    let mut case = Case::new(&[allow(&json!([
        "s3:GetObject",
        "s3express:CreateSession",
        "s3-object-lambda:WriteGetObjectResponse"
    ]))]);
    let unknown = "data-events-not-recorded";
    assert_eq!(
        case.verdicts(),
        [
            format!("s3-object-lambda:WriteGetObjectResponse unknown {unknown}"),
            text("s3:GetObject unused"),
            format!("s3express:CreateSession unknown {unknown}"),
        ]
    );
    for name in ["AWS::S3Express::Object", "AWS::S3ObjectLambda::AccessPoint"] {
        case.log().data.insert((text("eu-west-1"), text(name)), both());
    }
    assert!(
        case.verdicts().iter().all(|verdict| verdict.ends_with("unused")),
        "{:?}",
        case.verdicts()
    );
    let selected = |types: &[&str]| {
        let of_type = |name: &&str| json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [name]}]});
        let of_grants = json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]});
        let fields: Vec<Value> = types.iter().map(of_type).chain([of_grants]).collect();
        let text = json!({"TrailARN": format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t"), "AdvancedEventSelectors": fields});
        Trails::read([text.to_string().as_str()]).unwrap()
    };
    case.usage.trails = selected(&["AWS::S3::Object"]);
    assert_eq!(
        case.verdicts(),
        [
            "s3-object-lambda:WriteGetObjectResponse unknown not-selected",
            "s3:GetObject unused",
            "s3express:CreateSession unknown not-selected",
        ]
    );
    case.usage.trails = selected(&["AWS::S3::Object", "AWS::S3Express::Object"]);
    assert_eq!(case.verdicts()[2], "s3express:CreateSession unused");
}

#[test]
fn policy_that_was_changed_after_the_snapshot_is_unknown() {
    let mut case = case();
    case.usage.changes.note(&put("p", 2 * DAYS + 1));
    assert_eq!(
        case.verdicts(),
        ["sqs:CreateQueue used", "sqs:DeleteQueue unknown changed-after-snapshot"]
    );
}

#[test]
fn time_that_conditions_on_the_date_leave_must_be_covered() {
    let mut statement = allow(&json!("sqs:DeleteQueue"));
    statement["Condition"] = json!({"DateLessThan": {"aws:CurrentTime": "2026-10-03T00:00:00Z"}});
    let mut case = Case::new(&[statement]).with("sns:ListTopics", used(1));
    case.thresholds.min_coverage = 0.9;
    assert_eq!(case.verdicts()[0], "sqs:DeleteQueue unused");
    // Four days of forty are few, and of thirty-two too many.
    case.log().days.retain(|day| !(10..14).contains(&(day - FIRST_DAY)));
    assert_eq!(case.verdicts()[0], "sqs:DeleteQueue unknown coverage-too-low");
}

#[test]
fn grant_whose_call_would_not_be_recorded_is_unknown() {
    let mut elsewhere = case();
    elsewhere.log().recorded_in = ["eu-central-1", "eu-west-1"].map(text).into();
    assert_eq!(
        elsewhere.verdicts()[1],
        "sqs:DeleteQueue unknown global-services-not-recorded"
    );
    elsewhere.log().recorded_in.insert(text("us-east-1"));
    assert_eq!(elsewhere.verdicts()[1], "sqs:DeleteQueue unused");

    let mut reading =
        Case::new(&[allow(&json!(["ec2:DescribeVpcs", "ec2:RunInstances"]))]).with("sqs:SendMessage", used(1));
    reading.log().management.writes = false;
    let unknown = "unknown management-events-not-recorded";
    let expected = [
        format!("ec2:DescribeVpcs {unknown}"),
        format!("ec2:RunInstances {unknown}"),
    ];
    assert_eq!(reading.verdicts()[..2], expected);
    reading.check(|diffs| {
        let reason = diffs[0].rows[0].verdict.reason().unwrap();
        let expected =
            "calls to IAM would not show when it was granted: no write management events are recorded in the account";
        assert_eq!(reason, expected);
    });
}

#[test]
fn calls_of_iam_need_no_reading_events() {
    let mut case = Case::new(&[allow(&json!("s3:GetObject"))]).with("sqs:CreateQueue", used(1));
    case.log().management.reads = false;
    assert_eq!(case.verdicts()[0], "s3:GetObject unused");
}

/// What was granted on the days of a window on which snapshots were taken, and then the statements of the newest.
fn with_earlier(mut case: Case, earlier: &[(i64, Value)]) -> Case {
    for (day, value) in earlier {
        let taken = TakenSnapshot {
            taken_at: (FIRST_DAY + day) * DAY,
            source_id: format!("day {day}"),
            snapshot: snapshot::read(value.to_string().as_bytes()).unwrap(),
        };
        case.usage.changes.note_snapshots(&[taken]);
    }
    case
}

#[test]
fn what_an_earlier_snapshot_lacks_counts_from_the_next_one_on() {
    let (old, new) = (allow(&json!("sqs:CreateQueue")), allow(&json!("sqs:DeleteQueue")));
    let case = || Case::new(&[old.clone(), new.clone()]).with("sqs:GetQueueUrl", used(1));
    let without = || role(std::slice::from_ref(&old));
    let with = || role(&[old.clone(), new.clone()]);
    let verdicts = |case: &Case| case.verdicts()[..2].to_vec();

    let late = with_earlier(case(), &[(3, without())]);
    assert_eq!(
        verdicts(&late),
        ["sqs:CreateQueue unused", "sqs:DeleteQueue unknown granted-recently"]
    );
    let early = with_earlier(case(), &[(3, without()), (5, with()), (20, with())]);
    assert_eq!(verdicts(&early), ["sqs:CreateQueue unused", "sqs:DeleteQueue unused"]);
    early.check(|diffs| {
        let since: Vec<Option<i64>> = diffs[0].rows.iter().take(2).map(|row| row.since).collect();
        assert_eq!(since, [None, Some((FIRST_DAY + 5) * DAY)]);
    });
    let mut told = with_earlier(case(), &[(3, without())]);
    told.usage.changes.note(&put("p", 4));
    assert_eq!(verdicts(&told), ["sqs:CreateQueue unused", "sqs:DeleteQueue unused"]);
}

#[test]
fn deny_that_an_earlier_snapshot_has_was_lifted_since() {
    let granted = allow(&json!("sqs:DeleteQueue"));
    let deny = json!({"Effect": "Deny", "Action": "sqs:*", "Resource": "*"});
    let case = Case::new(std::slice::from_ref(&granted)).with("sqs:GetQueueUrl", used(1));
    let mut case = with_earlier(case, &[(3, role(&[granted, deny]))]);
    assert_eq!(case.verdicts()[0], "sqs:DeleteQueue unknown granted-recently");
    // Something else of the role was changed meanwhile.
    let trusted = GrantChange {
        call: text("UpdateAssumeRolePolicy"),
        policy_name: None,
        ..put("p", 4)
    };
    case.usage.changes.note(&trusted);
    assert_eq!(case.verdicts()[0], "sqs:DeleteQueue unknown granted-recently");
}
