//! Silence that proves nothing.

use super::*;
use crate::iam::ImportedFile;
use crate::iam::import_facts;

#[test]
fn logs_that_hold_nothing_of_the_account_prove_nothing() {
    let mut case = Case::new(&[allow(&json!(["sqs:CreateQueue", "s3:GetObject"]))]);
    case.usage.accounts.clear();
    assert_eq!(
        case.verdicts(),
        [
            "s3:GetObject unknown account-not-covered",
            "sqs:CreateQueue unknown account-not-covered"
        ]
    );
    case.check(|diffs| {
        let summary = &diffs[0].summary;
        assert_eq!(
            (summary.unknown, summary.removable, summary.reduction()),
            (2, 0, Some(0.0))
        );
        assert_eq!(summary.activity, Activity::Unknown(Reason::AccountNotCovered));
        assert_eq!(diffs[0].coverage, None);
    });
}

#[test]
fn data_events_that_nobody_recorded_prove_nothing() {
    let statements = [allow(&json!(["s3:GetObject", "s3:PutObject", "s3:PutBucketPolicy"]))];
    let mut case = Case::new(&statements).with("s3:PutObject", used(1));
    assert_eq!(
        case.verdicts(),
        ["s3:GetObject unused", "s3:PutBucketPolicy unused", "s3:PutObject used"]
    );
    let key = (text("eu-west-1"), text("AWS::S3::Object"));
    case.log().data.insert(
        key.clone(),
        Recorded {
            reads: false,
            writes: true,
        },
    );
    let unknown = "s3:GetObject unknown data-events-not-recorded";
    assert_eq!(case.verdicts()[0], unknown);
    case.log().data.insert(key.clone(), both());
    let key_of_role = case.usage.principals.keys().next().unwrap().clone();
    case.usage
        .principals
        .get_mut(&key_of_role)
        .unwrap()
        .regions
        .insert(text("us-west-2"));
    assert_eq!(case.verdicts()[0], unknown);
    case.log().data.clear();
    assert_eq!(
        case.verdicts(),
        [unknown, "s3:PutBucketPolicy unused", "s3:PutObject used"]
    );
}

#[test]
fn actions_without_events_are_unknown() {
    let actions = json!([
        "iam:PassRole",
        "logs:PutLogEvents",
        "storagegateway:BypassGovernanceRetention",
        "sts:GetCallerIdentity",
        "sts:TagSession"
    ]);
    let case = Case::new(&[allow(&actions)]);
    assert_eq!(
        case.verdicts(),
        [
            "iam:PassRole unknown dependent-only",
            "logs:PutLogEvents unknown never-logged",
            "storagegateway:BypassGovernanceRetention unknown conditional-only",
            "sts:GetCallerIdentity unknown permissionless",
            "sts:TagSession unknown dependent-only",
        ]
    );
    let with_role = Case::new(&[allow(&json!("iam:PassRole"))]).with("iam:PassRole", used(1));
    assert_eq!(with_role.verdicts(), ["iam:PassRole used"]);
}

#[test]
fn operations_of_imported_facts_may_leave_no_management_event() {
    let reference = json!({
        "Name": "sqs",
        "Actions": [{"Name": "DeleteQueue"}, {"Name": "PeekMessage"}, {"Name": "CreateQueue"}],
        "Operations": [
            {"Name": "PeekMessage", "AuthorizedActions": [
                {"Name": "PeekMessage", "Service": "sqs"}, {"Name": "DescribeKey", "Service": "kms"}
            ]},
            {"Name": "DeleteQueues", "AuthorizedActions": [{"Name": "DeleteQueue", "Service": "sqs"}]},
        ],
    });
    let file = ImportedFile {
        name: text("sqs.json"),
        bytes: reference.to_string().into_bytes(),
    };
    let imported = import_facts(Facts::embedded_pack(), &[file], "2026-10-01").unwrap();
    let facts = Facts::from_pack(&imported.pack).unwrap();
    let actions = json!(["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:PeekMessage"]);
    let case = Case::new(&[allow(&actions)]);
    case.check_with(&facts, |diffs| {
        let verdicts: Vec<String> = diffs[0].rows.iter().map(shown).collect();
        assert_eq!(
            verdicts,
            [
                "sqs:CreateQueue unused",
                "sqs:DeleteQueue unknown recording-unknown",
                "sqs:PeekMessage unknown recording-unknown",
            ]
        );
    });
    // A call of which nobody knows whether it is seen may need another action besides, where it may be made.
    let verdicts = |actions: &Value| {
        let verdicts = std::cell::RefCell::new(Vec::new());
        Case::new(&[allow(actions)]).check_with(&facts, |diffs| {
            verdicts.replace(diffs[0].rows.iter().map(shown).collect());
        });
        verdicts.into_inner()
    };
    assert_eq!(
        verdicts(&json!(["kms:DescribeKey", "sqs:PeekMessage"])),
        [
            "kms:DescribeKey unknown recording-unknown",
            "sqs:PeekMessage unknown recording-unknown"
        ]
    );
    assert_eq!(verdicts(&json!("kms:DescribeKey")), ["kms:DescribeKey unused"]);
    let used = case.with("sqs:PeekMessage", used(1));
    used.check_with(&facts, |diffs| {
        assert_eq!(shown(&diffs[0].rows[2]), "sqs:PeekMessage used")
    });
}

#[test]
fn service_may_use_a_role_that_it_takes_without_an_event() {
    let actions = json!([
        "ec2:CreateNetworkInterface",
        "ec2:DescribeSubnets",
        "logs:PutResourcePolicy",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:ReplicateObject",
        "sqs:CreateQueue"
    ]);
    let unseen = |principal: &Value| {
        let mut case = Case::new(&[allow(&actions)]);
        case.role()["AssumeRolePolicyDocument"] = trust(principal);
        let verdicts = case.verdicts().into_iter();
        let unseen = verdicts.filter_map(|it| it.strip_suffix(" unknown used-by-service").map(str::to_owned));
        unseen.collect::<Vec<String>>()
    };
    let network = ["ec2:CreateNetworkInterface", "ec2:DescribeSubnets"];
    let replication = ["s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ReplicateObject"];
    let service = |name: &str| json!({"Service": ["ecs-tasks.amazonaws.com", name]});
    assert_eq!(unseen(&service("lambda.amazonaws.com")), network);
    assert_eq!(unseen(&service("s3.amazonaws.com")), replication);
    assert_eq!(
        unseen(&service("states.eu-west-1.amazonaws.com")),
        ["logs:PutResourcePolicy"]
    );
    assert!(unseen(&service("ec2.amazonaws.com")).is_empty());
    assert!(unseen(&json!({"AWS": "arn:aws:iam::111122223333:root"})).is_empty());
    assert_eq!(unseen(&json!("*")).len(), 6);
    assert_eq!(
        unseen(&json!({"AWS": ["arn:aws:iam::111122223333:root", "*"]})).len(),
        6
    );
    // Who may take the role cannot be told.
    assert_eq!(unseen(&json!({"Service": {"name": "ec2.amazonaws.com"}})).len(), 6);
    assert_eq!(unseen(&service("lambda.amazonaws.com.cn")), network);
}

#[test]
fn messages_to_phone_numbers_are_seen_by_nobody() {
    let topic = "arn:aws:sns:eu-west-1:111122223333:t";
    let verdict = |resources: &Value| {
        let mut statement = allow(&json!("sns:Publish"));
        let elements = statement.as_object_mut().unwrap();
        elements.remove("Resource");
        elements.extend(resources.as_object().unwrap().clone());
        let mut case = Case::new(&[statement]);
        for resource_type in ["AWS::SNS::Topic", "AWS::SNS::PlatformEndpoint"] {
            case.log().data.insert((text("eu-west-1"), text(resource_type)), both());
        }
        case.verdicts().concat()
    };
    assert_eq!(verdict(&json!({"Resource": topic})), "sns:Publish unused");
    for open in [
        json!({"Resource": "*"}),
        json!({"Resource": [topic, "*"]}),
        json!({"NotResource": "arn:aws:sns:*:*:*"}),
    ] {
        assert_eq!(verdict(&open), "sns:Publish unknown never-logged", "{open}");
    }
}

#[test]
fn reading_that_a_write_may_need_is_not_unused_where_no_writes_are_recorded() {
    let (get, put) = ("s3:GetObject", "s3:PutObject");
    let why = "unknown data-events-not-recorded";
    let mut case = Case::new(&[allow(&json!([get, put]))]);
    assert_eq!(case.verdicts(), [format!("{get} unused"), format!("{put} unused")]);
    let objects = (text("eu-west-1"), text("AWS::S3::Object"));
    case.log().data.insert(
        objects.clone(),
        Recorded {
            reads: true,
            writes: false,
        },
    );
    assert_eq!(case.verdicts(), [format!("{get} {why}"), format!("{put} {why}")]);
    let mut alone = Case::new(&[allow(&json!(get))]);
    alone.log().data = case.log().data.clone();
    assert_eq!(alone.verdicts(), [format!("{get} unused")]);
}

#[test]
fn permission_that_calls_may_need_which_no_trail_records_is_not_unused() {
    let profile = "bedrock:GetInferenceProfile";
    let alone = Case::new(&[allow(&json!([profile]))]);
    assert_eq!(alone.verdicts(), [format!("{profile} unused")]);
    let mut case = Case::new(&[allow(&json!([profile, "bedrock:InvokeInlineAgent"]))]);
    let why = "unknown data-events-not-recorded";
    assert_eq!(
        case.verdicts(),
        [format!("{profile} {why}"), format!("bedrock:InvokeInlineAgent {why}")]
    );
    let agents = (text("eu-west-1"), text("AWS::Bedrock::InlineAgent"));
    case.log().data.insert(agents, both());
    assert_eq!(
        case.verdicts(),
        [format!("{profile} unused"), text("bedrock:InvokeInlineAgent unused")]
    );
}

#[test]
fn use_that_is_seen_is_one_whoever_takes_the_role() {
    let mut case = Case::new(&[allow(&json!("ec2:CreateNetworkInterface"))]);
    case.role().as_object_mut().unwrap().remove("AssumeRolePolicyDocument");
    assert_eq!(case.verdicts(), ["ec2:CreateNetworkInterface unknown used-by-service"]);
    case = case.with("ec2:CreateNetworkInterface", used(1));
    assert_eq!(case.verdicts(), ["ec2:CreateNetworkInterface used"]);
}

#[test]
fn names_that_the_facts_do_not_know_are_kept_as_unknown() {
    let case = Case::new(&[allow(&json!(["s3:GetObjct", "moon:*"]))]);
    assert_eq!(
        case.verdicts(),
        ["s3:GetObjct unknown unknown-action", "moon:* unknown unknown-action"]
    );
}

#[test]
fn excluded_sources_and_missing_kinds_of_events_prove_nothing() {
    let mut case = Case::new(&[allow(&json!(["kms:Decrypt", "sns:CreateTopic", "sns:ListTopics"]))]);
    case.log().sources.clear();
    assert_eq!(case.verdicts()[0], "kms:Decrypt unknown source-not-recorded");
    case.log().management = Recorded {
        reads: false,
        writes: true,
    };
    assert_eq!(
        case.verdicts()[2],
        "sns:ListTopics unknown management-events-not-recorded"
    );
    case.log().management = Recorded {
        reads: true,
        writes: false,
    };
    assert_eq!(
        case.verdicts()[1..],
        [
            "sns:CreateTopic unknown management-events-not-recorded",
            "sns:ListTopics unknown management-events-not-recorded"
        ]
    );
}

#[test]
fn short_window_young_principal_and_low_coverage_prove_nothing() {
    let case = || Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    assert_eq!(case().verdicts(), ["sqs:CreateQueue unused"]);
    let mut short = case();
    short.thresholds.min_window_days = DAYS + 1;
    assert_eq!(short.verdicts(), ["sqs:CreateQueue unknown window-too-short"]);
    let mut young = case();
    young.role()["CreateDate"] = json!("2026-09-02T00:00:00Z");
    assert_eq!(young.verdicts(), ["sqs:CreateQueue unknown younger-than-window"]);
    let mut ageless = case();
    ageless.role().as_object_mut().unwrap().remove("CreateDate");
    assert_eq!(ageless.verdicts(), ["sqs:CreateQueue unknown age-unknown"]);
    let mut sparse = case();
    sparse.log().days.retain(|day| *day >= FIRST_DAY + 3);
    assert_eq!(sparse.verdicts(), ["sqs:CreateQueue unknown coverage-too-low"]);
    sparse.thresholds.min_coverage = 0.9;
    assert_eq!(sparse.verdicts(), ["sqs:CreateQueue unused"]);
}

#[test]
fn logs_of_one_region_prove_nothing_unless_a_trail_of_all_regions_is_told() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    case.log().recorded_in = BTreeSet::from([text("eu-west-1")]);
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown one-region"]);
    case.check(|diffs| assert_eq!(diffs[0].summary.activity.name(), "unknown"));
    case.log().recorded_in.insert(text("us-east-1"));
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
    case.log().recorded_in.remove("us-east-1");
    let mut trail = json!({
        "TrailARN": format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/all"),
        "HomeRegion": "eu-west-1",
        "IsMultiRegionTrail": true,
        "IsOrganizationTrail": false,
    });
    let selectors = json!({
        "TrailARN": trail["TrailARN"],
        "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}],
    });
    let told = |trail: &Value| {
        let texts = [json!({"trailList": [trail]}), selectors.clone()].map(|text| text.to_string());
        Trails::read(texts.iter().map(String::as_str)).unwrap()
    };
    case.usage.trails = told(&trail);
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
    trail["IsMultiRegionTrail"] = json!(false);
    case.usage.trails = told(&trail);
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown one-region"]);
}

#[test]
fn logs_without_the_home_of_global_services_prove_nothing_about_them_and_about_grants() {
    let mut case = Case::new(&[allow(&json!(["iam:CreateUser", "sqs:CreateQueue"]))]);
    case.log().recorded_in = BTreeSet::from([text("eu-west-1"), text("eu-central-1")]);
    let verdicts = [
        "iam:CreateUser unknown global-services-not-recorded",
        "sqs:CreateQueue unknown global-services-not-recorded",
    ];
    assert_eq!(case.verdicts(), verdicts);
    case.log().recorded_in.insert(text("us-east-1"));
    assert_eq!(case.verdicts(), ["iam:CreateUser unused", "sqs:CreateQueue unused"]);
}
