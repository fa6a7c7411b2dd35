//! What nobody would have seen: holes of the logs, regions of others, and what only IAM knows.

use super::*;

fn groups<'s>(diffs: &[PrincipalDiff<'s>], by: Grouping) -> Groups<'s> {
    let mut groups = Groups::new(by);
    diffs.iter().for_each(|diff| groups.add(diff));
    groups.finish();
    groups
}

#[test]
fn service_that_fell_silent_in_a_hole_of_the_logs_may_have_been_used() {
    let mut case = Case::new(&[]);
    let whole = |case: &Case| {
        let estate = Estate::newest(&[]);
        let mut differ = Differ::new(Facts::embedded(), &case.usage, &estate, case.thresholds);
        differ.silence_doubts(&BTreeSet::from([text(ACCOUNT)]), &["sqs"])
    };
    case.log().data = [((text("eu-west-1"), text("AWS::SQS::Queue")), both())].into();
    let doubts = whole(&case);
    assert!(!doubts.contains_key("sqs"), "{doubts:?}");
    case.log().days.retain(|day| !(10..30).contains(&(day - FIRST_DAY)));
    let doubts = whole(&case);
    assert!(doubts["sqs"].contains("480"), "{doubts:?}");
}

#[test]
fn role_that_nobody_could_have_been_seen_to_take_is_not_never_used() {
    let activity = |case: &Case| {
        let activity = std::cell::RefCell::new(Activity::Active);
        case.check(|diffs| *activity.borrow_mut() = diffs[0].summary.activity.clone());
        activity.into_inner()
    };
    // `sts:AssumeRole` is recorded as reading, which a trail of writes leaves out; its data events are there.
    let mut case = Case::new(&[allow(&json!("s3:PutObject"))]);
    assert_eq!(activity(&case), Activity::NeverUsed);
    case.log().management.reads = false;
    let missing = Reason::ManagementEventsNotRecorded { is_read: true };
    assert_eq!(activity(&case), Activity::Unknown(missing));
    assert_eq!(case.verdicts(), ["s3:PutObject unused"]);
    case.check(|diffs| assert!(!diffs[0].is_removable_role()));
}

#[test]
fn role_that_an_identity_pool_gives_out_needs_the_data_events_of_that() {
    let unused = |trust: &str| {
        let mut case = Case::new(&[allow(&json!("s3:PutObject"))]);
        case.role()["AssumeRolePolicyDocument"] = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": trust}}]});
        let activity = std::cell::RefCell::new(false);
        case.check(|diffs| *activity.borrow_mut() = diffs[0].summary.activity == Activity::NeverUsed);
        activity.into_inner()
    };
    assert!(unused("accounts.google.com"));
    assert!(!unused("cognito-identity.amazonaws.com"));
}

#[test]
fn role_whose_policies_are_not_there_is_not_never_used() {
    let reason = |case: &Case| {
        let reason = std::cell::RefCell::new(String::new());
        case.check(|diffs| {
            if let Activity::Unknown(why) = &diffs[0].summary.activity {
                *reason.borrow_mut() = text(why.name());
            }
        });
        reason.into_inner()
    };
    let mut case = Case::new(&[]);
    assert_eq!(reason(&case), "nothing-granted");
    let policy = "arn:aws:iam::111122223333:policy/gone";
    case.role()["AttachedManagedPolicies"] = json!([{"PolicyName": "gone", "PolicyArn": policy}]);
    assert_eq!(reason(&case), "snapshot-gaps");
    // The same of a role with another policy that is there.
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    assert_eq!(reason(&case), "");
    case.role()["AttachedManagedPolicies"] = json!([{"PolicyName": "gone", "PolicyArn": policy}]);
    assert_eq!(reason(&case), "snapshot-gaps");
}

#[test]
fn resources_that_name_a_region_limit_the_data_events_to_it() {
    let invoke = |arn: &str| json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn});
    let verdicts = |arn: &str| {
        let mut case = Case::new(&[invoke(arn)]).with("sns:ListTopics", used(1));
        case.log().regions.insert(text("eu-central-1"));
        case.verdicts()[0].clone()
    };
    let unknown = "lambda:InvokeFunction unknown data-events-not-recorded";
    let arn = |region: &str| format!("arn:aws:lambda:{region}:111122223333:function:f");
    assert_eq!(verdicts(&arn("eu-west-1")), "lambda:InvokeFunction unused");
    assert_eq!(verdicts(&arn("eu-central-1")), unknown);
    // Where they name none, the regions count in which the principal was active.
    assert_eq!(verdicts("*"), "lambda:InvokeFunction unused");
}

#[test]
fn user_whose_key_or_password_iam_saw_in_the_window_is_not_unused() {
    let user = "arn:aws:iam::111122223333:user/u";
    let mut case = Case::new(&[]);
    case.snapshots = vec![
        json!({"UserDetailList": [{"UserName": "u", "UserId": "AIDAU", "CreateDate": "2025-01-01T00:00:00Z", "Arn": user,
            "GroupList": [], "AttachedManagedPolicies": [], "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [allow(&json!("sqs:CreateQueue"))]}}]}]}),
    ];
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
    let mut with_password = Case::new(&[]);
    with_password.snapshots.clone_from(&case.snapshots);
    with_password.snapshots[0]["UserDetailList"][0]["PasswordLastUsed"] = json!("2026-09-05T00:00:00Z");
    assert_eq!(
        with_password.verdicts(),
        ["sqs:CreateQueue unknown used-beyond-the-logs"]
    );
    let report = |last_used: &str| {
        json!({"ReportFormat": "text/csv", "GeneratedTime": "2026-11-01T00:00:00Z", "Content": format!(
            "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\n\
             u,{user},2025-01-01T00:00:00+00:00,true,2025-01-01T00:00:00+00:00,{last_used}\n")})
    };
    case.snapshots.push(report("2026-09-05T00:00:00+00:00"));
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown used-beyond-the-logs"]);
    case.snapshots[1] = report("2026-08-05T00:00:00+00:00");
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
}

#[test]
fn user_some_of_whose_calls_would_leave_no_event_is_not_never_used() {
    let mut case = Case::new(&[]);
    let activity = |case: &Case| {
        let activity = std::cell::RefCell::new(Activity::Active);
        case.check(|diffs| *activity.borrow_mut() = diffs[0].summary.activity.clone());
        activity.into_inner()
    };
    let user = "arn:aws:iam::111122223333:user/u";
    let report = json!({"ReportFormat": "text/csv", "GeneratedTime": "2026-10-11T00:00:00Z", "Content": format!(
        "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\n\
         u,{user},2025-01-01T00:00:00+00:00,true,2025-01-01T00:00:00+00:00,N/A\n")});
    let mut of_user = |actions: Value, report: Option<Value>| {
        case.snapshots = vec![
            json!({"UserDetailList": [{"UserName": "u", "UserId": "AIDAU", "Arn": user, "CreateDate": "2025-01-01T00:00:00Z",
            "GroupList": [], "AttachedManagedPolicies": [], "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [allow(&actions)]}}]}]}),
        ];
        case.snapshots.extend(report);
        activity(&case)
    };
    let hidden = json!(["sqs:CreateQueue", "dynamodb:GetItem"]);
    assert_eq!(of_user(json!(["sqs:CreateQueue"]), None), Activity::NeverUsed);
    assert_eq!(of_user(hidden.clone(), Some(report)), Activity::NeverUsed);
    let unknown = of_user(hidden, None);
    assert!(
        matches!(unknown, Activity::Unknown(Reason::DataEventsNotRecorded { .. })),
        "{unknown:?}"
    );
}

#[test]
fn permissions_on_a_region_that_the_logs_do_not_hold_are_not_unused() {
    let delete = |arn: &str| json!({"Effect": "Allow", "Action": "sqs:DeleteQueue", "Resource": arn});
    let queue = |region: &str| format!("arn:aws:sqs:{region}:111122223333:q");
    let verdict = |arn: &str, recorded: &[&str], is_told: bool| {
        let mut case = Case::new(&[delete(arn)]).with("sns:ListTopics", used(1));
        case.log().recorded_in = recorded.iter().map(|region| text(region)).collect();
        if is_told {
            case.usage.trails = selectors::trail_of_all_regions();
        }
        case.verdicts()[0].clone()
    };
    let two = ["eu-west-1", "us-east-1"];
    assert_eq!(verdict(&queue("eu-west-1"), &two, false), "sqs:DeleteQueue unused");
    assert_eq!(
        verdict(&queue("eu-central-1"), &two, false),
        "sqs:DeleteQueue unknown regions-not-ingested"
    );
    assert_eq!(verdict(&queue("eu-central-1"), &two, true), "sqs:DeleteQueue unused");
    assert_eq!(verdict(&queue("*"), &two, false), "sqs:DeleteQueue unused");
}

#[test]
fn permission_set_needs_what_one_of_its_roles_used_without_a_grant_of_its_own() {
    let case = rollups::permission_set();
    let second = ROLE.replace("role/r", "role/AWSReservedSSO_Ops_1123456789abcdef");
    let uses = |id: Option<&str>| {
        let key = PrincipalKey {
            arn: second.clone(),
            unique_id: id.map(text),
        };
        let mut deeds = case.usage.principals.values().next().unwrap().clone();
        deeds.actions = BTreeMap::from([(text("sqs:DeleteQueue"), used(1)), (text("sns:CreateTopic"), used(1))]);
        (key, deeds)
    };
    let verdict = |snapshots: &[Value], (key, deeds): (PrincipalKey, PrincipalUse)| {
        let mut case = rollups::permission_set();
        case.snapshots = snapshots.to_vec();
        case.usage.principals.insert(key, deeds);
        let verdict = std::cell::RefCell::new(Vec::new());
        case.check(|diffs| {
            let groups = groups(diffs, Grouping::PermissionSet);
            let actions = groups.all()["Ops"].actions.iter();
            let shown = actions.map(|(action, it)| format!("{action} {} {}", it.verdict.name(), it.used_by));
            verdict.borrow_mut().extend(shown);
        });
        verdict.into_inner()
    };
    // The second role is granted nothing: a policy of the queue lets it in.
    let mut without = case.snapshots.clone();
    without[0]["RoleDetailList"][1]["RolePolicyList"] = json!([]);
    assert_eq!(
        verdict(&without, uses(Some("AROAEXAMPLESECOND"))),
        [
            "sns:Publish unknown 0",
            "sqs:DeleteQueue used-not-granted 1",
            "sqs:PurgeQueue used 1"
        ]
    );
    // It is not in the snapshot, is another of the same name there, or may be on a page that is lacking.
    let mut absent = case.snapshots.clone();
    absent[0]["RoleDetailList"].as_array_mut().unwrap().pop();
    let mut cut_off = absent.clone();
    cut_off[0]["IsTruncated"] = json!(true);
    for (snapshots, id) in [(&absent, None), (&case.snapshots, Some("AROAOTHER")), (&cut_off, None)] {
        let verdicts = verdict(snapshots, uses(id));
        assert!(!verdicts[1].contains(" unused "), "{verdicts:?}");
        let (key, mut deeds) = uses(id);
        deeds.actions.remove("sqs:DeleteQueue");
        let verdicts = verdict(snapshots, (key, deeds));
        assert_eq!(verdicts[1], "sqs:DeleteQueue unknown 0");
    }
}

#[test]
fn unused_policy_that_also_denies_is_not_one_to_take_away() {
    let deny =
        json!({"Effect": "Deny", "Action": "sqs:PurgeQueue", "Resource": "arn:aws:sqs:eu-west-1:111122223333:q"});
    let mut case = Case::new(&[allow(&json!("sns:ListTopics"))]).with("sns:ListTopics", used(1));
    let add = |case: &mut Case, name: &str, statements: Value| {
        let policies = case.role()["RolePolicyList"].as_array_mut().unwrap();
        policies.push(json!({"PolicyName": name, "PolicyDocument": {"Statement": statements}}));
    };
    add(&mut case, "q", json!([allow(&json!("sqs:CreateQueue"))]));
    add(&mut case, "d", json!([allow(&json!("sqs:DeleteQueue")), deny]));
    case.check(|diffs| {
        let summary = &diffs[0].summary;
        assert_eq!(summary.unused_policies, ["arn:aws:iam::111122223333:role/r#q"]);
        assert_eq!(summary.unused, 2);
    });
}

#[test]
fn calls_that_another_region_records_need_its_logs() {
    let mut case = Case::new(&[allow(&json!([
        "sts:AssumeRole",
        "tax:ListTaxRegistrations",
        "globalaccelerator:ListAccelerators",
        "ec2:DescribeVpcs",
    ]))]);
    let mut unknown = |regions: &[&str]| -> Vec<String> {
        case.log().recorded_in = regions.iter().map(|region| text(region)).collect();
        let verdicts = case.verdicts();
        let unknown = verdicts
            .iter()
            .filter(|row| row.ends_with("global-services-not-recorded"));
        unknown
            .map(|row| row.split(':').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        unknown(&["eu-west-1", "eu-central-1"]),
        ["ec2", "globalaccelerator", "sts", "tax"]
    );
    assert_eq!(unknown(&["eu-west-1", "us-east-1"]), ["globalaccelerator"]);
    assert!(unknown(&["eu-west-1", "us-east-1", "us-west-2"]).is_empty());
}

#[test]
fn events_that_were_passed_on_prove_uses_and_nothing_else() {
    let actions = json!(["sqs:CreateQueue", "sqs:DeleteQueue"]);
    let mut case = Case::new(&[allow(&actions)]).with("sqs:CreateQueue", used(1));
    *case.log() = AccountLog {
        has_excerpts: true,
        ..AccountLog::default()
    };
    assert_eq!(
        case.verdicts(),
        ["sqs:CreateQueue used", "sqs:DeleteQueue unknown only-excerpts"]
    );
    // The trail's logs came later, and hold copies of them only.
    case.log().recorded_in = BTreeSet::from([text("eu-west-1"), text("us-east-1")]);
    case.log().days = (FIRST_DAY..FIRST_DAY + DAYS).collect();
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unknown copies-of-excerpts");
    case.usage.trails = selectors::trail_of_all_regions();
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unused");
    // Beside whole logs they take nothing away.
    let mut case = Case::new(&[allow(&actions)]);
    case.log().has_excerpts = true;
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused", "sqs:DeleteQueue unused"]);
}
