//! What trails began or ceased to record inside the window, and what they may not record at all.

use super::super::super::account_log::Extent;
use super::super::super::account_log::Stream;
use super::*;

fn days(first: i64, last: i64) -> Extent {
    Extent {
        first: (FIRST_DAY + first) * DAY,
        last: (FIRST_DAY + last) * DAY,
    }
}

fn object_reads() -> Stream {
    Stream::Data {
        region: text("eu-west-1"),
        resource_type: text("AWS::S3::Object"),
        is_read: true,
    }
}

#[test]
fn data_events_that_were_switched_on_late_prove_nothing_about_the_time_before() {
    let mut case = Case::new(&[allow(&json!(["s3:GetObject", "s3:PutObject"]))]);
    case.log().note(object_reads(), days(39, 39));
    assert_eq!(
        case.verdicts(),
        ["s3:GetObject unknown recorded-recently", "s3:PutObject unused"]
    );
    case.log().note(object_reads(), days(5, 5));
    assert_eq!(case.verdicts()[0], "s3:GetObject unused");
    case.check(|diffs| {
        let since: Vec<Option<i64>> = diffs[0].rows.iter().map(|row| row.since).collect();
        assert_eq!(since, [Some((FIRST_DAY + 5) * DAY), None]);
    });
}

#[test]
fn data_events_of_one_region_prove_nothing_about_what_a_statement_may_do_in_another() {
    let table = |region: &str| format!("arn:aws:dynamodb:{region}:111122223333:table/t");
    let unknown = "dynamodb:GetItem unknown data-events-not-recorded";
    let verdict = |statement: Value| {
        let mut case = Case::new(&[statement]).with("ec2:DescribeVpcs", used(1));
        case.log().regions.insert(text("us-east-1"));
        case.log().data = [((text("eu-west-1"), text("AWS::DynamoDB::Table")), both())].into();
        case.verdicts()[0].clone()
    };
    let on = |resource: Value| json!({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": resource});
    assert_eq!(verdict(on(json!("*"))), "dynamodb:GetItem unused");
    assert_eq!(verdict(on(json!(table("eu-west-1")))), "dynamodb:GetItem unused");
    for resource in [
        json!(table("us-east-1")),
        json!([table("us-east-1"), "arn:aws:s3:::b/*"]),
        json!([table("us-east-1"), table("*")]),
        json!(table("us-*")),
    ] {
        assert_eq!(verdict(on(resource.clone())), unknown, "{resource}");
    }
    let mut bound = on(json!("*"));
    for condition in [
        json!({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),
        json!({"StringNotEquals": {"aws:requestedRegion": ["eu-west-1"]}}),
    ] {
        bound["Condition"] = condition.clone();
        assert_eq!(verdict(bound.clone()), unknown, "{condition}");
    }
    let mut sends = json!({"Effect": "Allow", "Action": "sqs:CreateQueue", "Resource": "arn:aws:sqs:ap-*:1:q"});
    assert_eq!(verdict(sends.clone()), "sqs:CreateQueue unknown regions-not-ingested");
    sends["Resource"] = json!("arn:aws:sqs:*:1:q");
    assert_eq!(verdict(sends), "sqs:CreateQueue unused");
}

#[test]
fn data_events_that_were_switched_off_prove_nothing_about_the_time_after() {
    let mut case = Case::new(&[allow(&json!("s3:GetObject"))]);
    case.log().note(object_reads(), days(0, 20));
    assert_eq!(case.verdicts(), ["s3:GetObject unknown recording-ended"]);
    case.log().note(object_reads(), days(35, 35));
    assert_eq!(case.verdicts(), ["s3:GetObject unused"]);
}

#[test]
fn key_events_and_management_events_that_were_switched_on_late_prove_nothing_about_the_time_before() {
    let mut case = Case::new(&[allow(&json!(["kms:Decrypt", "sqs:CreateQueue"]))]);
    case.log().note(Stream::Source(text("kms.amazonaws.com")), days(39, 39));
    assert_eq!(
        case.verdicts(),
        ["kms:Decrypt unknown recorded-recently", "sqs:CreateQueue unused"]
    );
    case.log().note(Stream::Management { is_read: false }, days(20, 39));
    assert_eq!(case.verdicts()[1], "sqs:CreateQueue unknown recorded-recently");
}

#[test]
fn home_of_global_services_needs_coverage_of_its_own() {
    let mut case = Case::new(&[allow(&json!(["iam:GetRole", "sqs:CreateQueue"]))]);
    let all: BTreeSet<i64> = (FIRST_DAY..FIRST_DAY + DAYS).collect();
    let regions = ["eu-west-1", "us-east-1"].map(text);
    case.log().recorded_in = BTreeSet::from(regions.clone());
    case.log().recorded_days = regions.map(|region| (region, all.clone())).into();
    assert_eq!(case.verdicts(), ["iam:GetRole unused", "sqs:CreateQueue unused"]);
    let first = BTreeSet::from([FIRST_DAY]);
    case.log().recorded_days.insert(text("us-east-1"), first);
    assert_eq!(
        case.verdicts(),
        ["iam:GetRole unknown region-coverage", "sqs:CreateQueue unused"]
    );
}

#[test]
fn home_that_falls_silent_would_show_no_late_grant() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    let all: BTreeSet<i64> = (FIRST_DAY..FIRST_DAY + DAYS).collect();
    let regions = ["eu-west-1", "us-east-1"].map(text);
    case.log().recorded_in = BTreeSet::from(regions);
    let begin = (FIRST_DAY..FIRST_DAY + 25).collect();
    case.log().recorded_days = [(text("eu-west-1"), all), (text("us-east-1"), begin)].into();
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown region-coverage"]);
    case.check(|diffs| {
        let reason = diffs[0].rows[0].verdict.reason().unwrap();
        assert!(
            reason.starts_with("calls to IAM would not show when it was granted: "),
            "{reason}"
        );
    });
}

#[test]
fn busy_region_whose_logs_end_early_proves_nothing_about_regional_services() {
    let mut case = Case::new(&[allow(&json!(["iam:GetRole", "sqs:CreateQueue"]))]);
    let all: BTreeSet<i64> = (FIRST_DAY..FIRST_DAY + DAYS).collect();
    let regions = ["eu-west-1", "us-east-1"].map(text);
    case.log().recorded_in = BTreeSet::from(regions);
    let begin = (FIRST_DAY..FIRST_DAY + 20).collect();
    case.log().recorded_days = [(text("eu-west-1"), begin), (text("us-east-1"), all)].into();
    assert_eq!(
        case.verdicts(),
        ["iam:GetRole unused", "sqs:CreateQueue unknown region-coverage"]
    );
}

#[test]
fn action_that_may_be_a_data_event_is_unknown_until_such_events_are_recorded() {
    let mut case = Case::new(&[allow(&json!(["swf:PollForDecisionTask", "sqs:CreateQueue"]))]);
    assert_eq!(
        case.verdicts(),
        [
            "sqs:CreateQueue unused",
            "swf:PollForDecisionTask unknown may-be-data-event"
        ]
    );
    let domains = (text("eu-west-1"), text("AWS::SWF::Domain"));
    case.log().data.insert(domains, both());
    assert_eq!(case.verdicts()[1], "swf:PollForDecisionTask unused");
}

#[test]
fn silence_of_a_principal_that_may_do_nothing_that_would_be_seen_proves_nothing() {
    let unseen = Case::new(&[allow(&json!(["dynamodb:GetItem", "logs:PutLogEvents"]))]);
    unseen.check(|diffs| assert!(matches!(diffs[0].summary.activity, Activity::Unknown(_))));
    let seen = Case::new(&[allow(&json!(["dynamodb:GetItem", "sqs:CreateQueue"]))]);
    seen.check(|diffs| assert_eq!(diffs[0].summary.activity, Activity::NeverUsed));
}

#[test]
fn principal_of_whom_nothing_can_be_proven_for_what_the_logs_lack_is_told_from_others() {
    let lack = |case: &Case| {
        let lack = std::cell::Cell::new("");
        case.check(|diffs| lack.set(diffs[0].lack_of_logs().map_or("", Reason::name)));
        lack.get()
    };
    let of = |actions: Value| Case::new(&[allow(&actions)]);
    assert_eq!(lack(&of(json!("sqs:CreateQueue"))), "");
    let mut unrecorded = of(json!(["s3:GetObject", "sqs:CreateQueue", "sqs:ListQueues"]));
    unrecorded.log().management.writes = false;
    assert_eq!(lack(&unrecorded), "management-events-not-recorded");
    let mut used = unrecorded.with("sqs:ListQueues", used(1));
    assert_eq!(lack(&used), "management-events-not-recorded");
    used.keeps =
        KeepList::read("[[keep]]\nprincipal = 'r'\naction = '*'\nreason = 'x'\nexpires = 9999-12-30\n").unwrap();
    assert_eq!(lack(&used), "");
    let mut late = of(json!("sqs:CreateQueue"));
    late.log().note(Stream::Management { is_read: false }, days(20, 39));
    assert_eq!(lack(&late), "recorded-recently");
    let mut homeless = of(json!("sqs:CreateQueue"));
    homeless.log().recorded_in = BTreeSet::from(["eu-west-1", "eu-central-1"].map(text));
    assert_eq!(lack(&homeless), "global-services-not-recorded");
    // Of a part of the permissions only, or because of the principal, or for data events alone.
    let mut by_parts = of(json!(["sqs:CreateQueue", "iam:GetRole"]));
    let regions = ["eu-west-1", "us-east-1"].map(text);
    by_parts.log().recorded_in = BTreeSet::from(regions.clone());
    by_parts.log().recorded_days = BTreeMap::from([(text("us-east-1"), BTreeSet::from([FIRST_DAY]))]);
    assert_eq!(lack(&by_parts), "");
    let mut young = of(json!("sqs:CreateQueue"));
    young.log().management.writes = false;
    young.role()["CreateDate"] = json!("2026-09-20T00:00:00Z");
    assert_eq!(lack(&young), "");
    let mut data = of(json!("s3:GetObject"));
    data.log().data.clear();
    assert_eq!(lack(&data), "");
}
