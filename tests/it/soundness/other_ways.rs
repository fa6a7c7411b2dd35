//! Ways to use a permission that leave no ordinary event in the logs, or that nobody had for long.

use super::*;

/// The verdicts on a role with `vpcs()`, with further events, and what is said of its activity.
fn verdicts_with(further: Vec<Value>, statements: &Value) -> (Vec<String>, String) {
    let estate = Estate::new(&[everyday(), further].concat());
    estate.file("a.json", &page(&[role("r", statements), role("base", &vpcs())], None));
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, _) = estate.verdicts();
    let ended = estate.run(&["diff", "--principal", "r", "--output", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    (verdicts, rows[0]["activity"].as_str().unwrap_or_default().to_owned())
}

fn both(verdict: &str) -> [String; 2] {
    ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|action| format!("r {action} {verdict}"))
}

/// An event of another kind, with some members replaced.
fn odd(day: i64, (role, source, name): (&str, &str, &str), members: &Value) -> Value {
    let mut odd = event(900_000 + day, day, "us-east-1", (role, source, name), &json!({}));
    for (name, value) in members.as_object().unwrap() {
        odd[name] = value.clone();
    }
    odd
}

fn named(role: &str) -> Value {
    json!(format!("arn:aws:iam::{ACCOUNT}:role/{role}"))
}

#[test]
fn events_that_event_bridge_passed_on_do_not_show_what_was_not_done() {
    let place = Place::new();
    let lines: Vec<String> = everyday()
        .iter()
        .filter(|event| event["eventName"] == "CreateTags")
        .map(|event| json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": event}).to_string())
        .collect();
    place.write("a.json", lines.join("\n").as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    std::fs::create_dir(place.folder().join("iam")).unwrap();
    let estate = Estate { place };
    let actions = json!([allow(&json!(["ec2:CreateTags", "ec2:DescribeVpcs", "ec2:CreateVpc"]))]);
    estate.file("a.json", &page(&[role("r", &actions)], None));
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, _) = estate.verdicts();
    assert_eq!(verdicts.len(), 3);
    assert!(
        verdicts
            .iter()
            .all(|row| row.contains("unknown all events of the account are from EventBridge")),
        "{verdicts:?}"
    );
    // The logs of a trail beside them count as without them, with what nobody passed on.
    let mut events: Vec<Value> = everyday();
    let writing = |day| odd(day, ("base", "ec2.amazonaws.com", "CreateTags"), &json!({}));
    events.extend((0..DAYS).map(writing));
    estate
        .place
        .write("b.json", json!({"Records": events}).to_string().as_bytes());
    assert_eq!(estate.place.ingest(&[]).code, 0);
    let (verdicts, _) = estate.verdicts();
    assert!(
        verdicts.contains(&"r ec2:DescribeVpcs unused".to_owned()),
        "{verdicts:?}"
    );
}

#[test]
fn call_that_only_an_endpoint_or_the_console_recorded_may_have_needed_its_action() {
    for members in [
        json!({"eventType": "AwsVpceEvent", "eventCategory": "NetworkActivity", "vpcEndpointId": "vpce-1"}),
        json!({"eventType": "AwsConsoleAction"}),
    ] {
        let seen = odd(5, ("r", "ec2.amazonaws.com", "DescribeVpcs"), &members);
        let (verdicts, activity) = verdicts_with(vec![seen], &vpcs());
        let uncertain = "r ec2:DescribeVpcs unknown successful calls that may have needed it: 1";
        assert_eq!(verdicts, ["r ec2:DescribeSubnets unused", uncertain]);
        assert_eq!(activity, "active");
    }
}

#[test]
fn switch_of_roles_in_the_console_may_have_needed_the_permission_to_take_them() {
    let statements = json!([allow(&json!("sts:AssumeRole"))]);
    let members = json!({"eventType": "AwsConsoleSignIn", "responseElements": {"SwitchRole": "Success"}});
    let own = odd(5, ("r", "signin.amazonaws.com", "SwitchRole"), &members);
    let mut of_target = odd(5, ("base", "signin.amazonaws.com", "SwitchRole"), &members);
    of_target["additionalEventData"] = json!({"SwitchFrom": format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/s")});
    for switch in [own, of_target] {
        let (verdicts, _) = verdicts_with(vec![switch], &statements);
        assert_eq!(
            verdicts,
            ["r sts:AssumeRole unknown successful calls that may have needed it: 1"]
        );
    }
}

#[test]
fn role_whose_credentials_others_than_sts_gave_is_used() {
    let service = json!({"type": "AWSService", "invokedBy": "eks.amazonaws.com"});
    let assumed = format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/s");
    for (source, name, members) in [
        (
            "eks-auth.amazonaws.com",
            "AssumeRoleForPodIdentity",
            json!({"userIdentity": service, "responseElements": {"assumedRoleUser": {"arn": assumed}}}),
        ),
        (
            "rolesanywhere.amazonaws.com",
            "CreateSession",
            json!({"userIdentity": {"type": "Unknown"}, "requestParameters": {"roleArn": named("r")}}),
        ),
        (
            "cognito-identity.amazonaws.com",
            "GetCredentialsForIdentity",
            json!({"userIdentity": {"type": "Unknown"}, "requestParameters": {"customRoleArn": named("r")}}),
        ),
    ] {
        let (_, activity) = verdicts_with(vec![odd(0, ("base", source, name), &members)], &vpcs());
        assert_eq!(activity, "active", "{name}");
    }
}

#[test]
fn role_that_was_wired_up_late_proves_nothing_about_the_time_before() {
    let late = "unknown granted 1 day before the end of the window, 30 are needed";
    let service = json!({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"});
    for (source, name, members) in [
        (
            "lambda.amazonaws.com",
            "UpdateFunctionConfiguration20150331v2",
            json!({"requestParameters": {"role": named("r")}}),
        ),
        (
            "rolesanywhere.amazonaws.com",
            "CreateProfile",
            json!({"requestParameters": {"roleArns": [named("other"), named("r")]}}),
        ),
        (
            "cognito-identity.amazonaws.com",
            "SetIdentityPoolRoles",
            json!({"requestParameters": {"roles": {"authenticated": named("r")}}}),
        ),
        (
            "sts.amazonaws.com",
            "AssumeRole",
            json!({"userIdentity": service, "requestParameters": {"roleArn": named("r")}, "readOnly": true}),
        ),
    ] {
        let wired = odd(DAYS - 2, ("base", source, name), &members);
        assert_eq!(verdicts_with(vec![wired], &vpcs()).0, both(late), "{name}");
    }
}

#[test]
fn key_of_a_record_without_an_answer_belongs_to_the_user_that_was_asked_for() {
    let members = json!({"requestParameters": {"userName": "u"}, "responseElements": null});
    let created = odd(DAYS - 2, ("base", "iam.amazonaws.com", "CreateAccessKey"), &members);
    let estate = Estate::new(&[everyday(), vec![created]].concat());
    let user = json!({"UserName": "u", "UserId": "AIDAu", "Arn": format!("arn:aws:iam::{ACCOUNT}:user/u"), "Path": "/",
        "CreateDate": "2024-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": vpcs()}}]});
    let mut all = page(&[role("base", &vpcs())], None);
    all["UserDetailList"] = json!([user]);
    estate.file("a.json", &all);
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, _) = estate.verdicts();
    assert!(
        verdicts
            .iter()
            .all(|row| row.ends_with("unknown granted 1 day before the end of the window, 30 are needed")),
        "{verdicts:?}"
    );
}

#[test]
fn keys_passwords_and_certificates_of_the_root_user_change_nothing_for_others() {
    let unused = both("unused");
    let root = json!({"type": "Root", "principalId": ACCOUNT, "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accountId": ACCOUNT});
    for (name, parameters) in [
        ("CreateAccessKey", json!(null)),
        (
            "UpdateAccessKey",
            json!({"accessKeyId": "AKIAEXAMPLE", "status": "Active"}),
        ),
        ("UploadSigningCertificate", json!({"certificateBody": "x"})),
        ("UpdateLoginProfile", json!(null)),
    ] {
        let members = json!({"userIdentity": root, "requestParameters": parameters, "responseElements": null});
        let own = odd(DAYS - 2, ("base", "iam.amazonaws.com", name), &members);
        assert_eq!(verdicts_with(vec![own], &vpcs()).0, unused, "{name}");
    }
}

#[test]
fn part_of_a_trust_policy_of_a_role_that_was_also_taken_by_other_means_may_have_let_them_in() {
    let user = |name: &str| format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    let service = json!({"type": "AWSService", "invokedBy": "eks.amazonaws.com"});
    let assumed = json!({"assumedRoleUser": {"arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/s")}});
    let taken = json!({"userIdentity": {"type": "IAMUser", "principalId": "AIDAann", "accountId": ACCOUNT,
        "arn": user("ann"), "userName": "ann"}, "requestParameters": {"roleArn": named("r")}, "readOnly": true});
    let switched = json!({"eventType": "AwsConsoleSignIn", "responseElements": {"SwitchRole": "Success"},
        "additionalEventData": {"SwitchFrom": user("bob")}});
    let of_pod = json!({"userIdentity": service, "responseElements": assumed});
    for (others, expected) in [
        (None, "unused"),
        (
            Some(odd(6, ("r", "signin.amazonaws.com", "SwitchRole"), &switched)),
            "unknown",
        ),
        (
            Some(odd(
                6,
                ("base", "eks-auth.amazonaws.com", "AssumeRoleForPodIdentity"),
                &of_pod,
            )),
            "unknown",
        ),
    ] {
        let by_ann = odd(5, ("base", "sts.amazonaws.com", "AssumeRole"), &taken);
        let further: Vec<Value> = others.into_iter().chain([by_ann]).collect();
        let estate = Estate::new(&[everyday(), further].concat());
        let mut trusting = role("r", &vpcs());
        trusting["AssumeRolePolicyDocument"] = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": [user("ann"), user("bob")]}, "Action": "sts:AssumeRole"}]});
        estate.file("a.json", &page(&[trusting, role("base", &vpcs())], None));
        assert_eq!(estate.import_all().code, 0);
        let ended = estate.run(&["trust", "--output", "json"]);
        let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
        let of_bob = rows.iter().find(|row| row.to_string().contains("user/bob"));
        let verdict = of_bob.and_then(|row| row["verdict"].as_str());
        assert_eq!(verdict, Some(expected), "{}", ended.stdout);
    }
}

#[test]
fn calls_of_unknown_event_sources_keep_what_they_may_have_needed_with_and_without_the_rollup() {
    let calls = [
        ("lex", "models-v2-lex", "CreateBot"),
        ("keys", "edgekeyvaluestore", "UpdateKeys"),
        ("team", "multi-party-approval", "CreateApprovalTeam"),
        ("sales", "partnercentral-selling", "ListOpportunities"),
    ];
    let mut events = everyday();
    for (id, (role, source, name)) in (900..).zip(calls) {
        let source = format!("{source}.amazonaws.com");
        events.push(event(id, 20, "us-east-1", (role, &source, name), &json!({})));
    }
    let estate = Estate::new(&events);
    let granted = [
        ("keys", json!("cloudfront-keyvaluestore:UpdateKeys")),
        ("lex", json!(["ec2:CreateVpc", "lex:CreateBot"])),
        ("sales", json!("partnercentral:ListOpportunities")),
        ("team", json!(["mpa:CreateApprovalTeam", "mpa:GetApprovalTeam"])),
    ];
    let mut roles: Vec<Value> = granted
        .map(|(name, actions)| role(name, &json!([allow(&actions)])))
        .into();
    roles.push(role("base", &vpcs()));
    estate.file("a.json", &page(&roles, None));
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, _) = estate.verdicts();
    let call = "the principal called `models-v2-lex.amazonaws.com:CreateBot`, whose actions are not known";
    let expected = [
        "keys cloudfront-keyvaluestore:UpdateKeys used".to_owned(),
        "lex ec2:CreateVpc unused".to_owned(),
        format!("lex lex:CreateBot unknown {call}"),
        "sales partnercentral:ListOpportunities used".to_owned(),
        "team mpa:CreateApprovalTeam used".to_owned(),
        "team mpa:GetApprovalTeam unused".to_owned(),
    ];
    assert_eq!(verdicts, expected);
    let generated = estate.run(&[
        "policy",
        "--principal",
        "lex",
        "--mode",
        "generate",
        "--keep-unknown=false",
    ]);
    assert_eq!(generated.code, 4, "{}", generated.stderr);
    assert!(
        generated
            .stderr
            .replace("\n  ", " ")
            .contains("`models-v2-lex.amazonaws.com:CreateBot`"),
        "{}",
        generated.stderr
    );
    let trimmed = estate.run(&["policy", "--principal", "lex", "--format", "json"]);
    assert!(trimmed.stdout.contains("lex:CreateBot"), "{}", trimmed.stdout);
    std::fs::remove_dir_all(estate.place.store().join("usage")).unwrap();
    assert_eq!(estate.verdicts().0, verdicts);
}

#[test]
fn tags_of_what_a_call_makes_may_have_needed_the_action_that_tags() {
    let tags = json!({"bucketName": "b", "CreateBucketConfiguration": {"Tags": {"Tag": [{"Key": "a", "Value": "b"}]}}});
    let create = |id, name: &str, parameters: &Value| {
        event(
            id,
            20,
            "us-east-1",
            (name, "s3.amazonaws.com", "CreateBucket"),
            parameters,
        )
    };
    let mut events = everyday();
    events.extend([
        create(900, "tagged", &tags),
        create(901, "plain", &json!({"bucketName": "b"})),
    ]);
    let estate = Estate::new(&events);
    let actions = json!([allow(&json!(["s3:CreateBucket", "s3:TagResource"]))]);
    let mut roles = ["plain", "tagged"].map(|name| role(name, &actions)).to_vec();
    roles.push(role("base", &vpcs()));
    estate.file("a.json", &page(&roles, None));
    assert_eq!(estate.import_all().code, 0);
    let expected = [
        "plain s3:CreateBucket used",
        "plain s3:TagResource unused",
        "tagged s3:CreateBucket used",
        "tagged s3:TagResource unknown successful calls that may have needed it: 1",
    ];
    assert_eq!(estate.verdicts().0, expected);
    for mode in ["trim", "generate"] {
        let ended = estate.run(&["policy", "--principal", "tagged", "--mode", mode, "--format", "json"]);
        assert!(ended.stdout.contains("s3:TagResource"), "{mode}: {}", ended.stdout);
    }
}

#[test]
fn what_a_call_needs_of_its_caller_beside_its_own_action_is_not_unused() {
    let mut calls = Vec::new();
    for (number, (source, name, request)) in [
        (
            "tagging.amazonaws.com",
            "TagResources",
            json!({"resourceARNList": [format!("arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-1")], "tags": {"a": "b"}}),
        ),
        (
            "elasticfilesystem.amazonaws.com",
            "CreateMountTarget",
            json!({"fileSystemId": "fs-1"}),
        ),
        (
            "cloudformation.amazonaws.com",
            "CreateStack",
            json!({"stackName": "s", "stackPolicyBody": "{}"}),
        ),
        (
            "pipes.amazonaws.com",
            "CreatePipe",
            json!({"name": "p", "logConfiguration": {"level": "ERROR"}}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let day = i64::try_from(number).unwrap() + 1;
        calls.push(event(800_000 + day, day, "us-east-1", ("r", source, name), &request));
    }
    let actions = [
        "ec2:CreateNetworkInterface",
        "ec2:CreateTags",
        "cloudformation:SetStackPolicy",
        "logs:PutResourcePolicy",
        "ec2:CreateVpc",
    ];
    let (verdicts, _) = verdicts_with(calls, &json!([allow(&json!(actions))]));
    let of = |action: &str| verdicts.iter().find(|row| row.contains(action)).unwrap();
    for action in &actions[..4] {
        assert!(of(action).contains("unknown"), "{verdicts:?}");
    }
    assert!(of("ec2:CreateVpc").contains("unused"), "{verdicts:?}");
}

#[test]
fn what_a_service_may_do_with_a_role_unseen_is_not_unused_for_those_that_it_takes() {
    let estate = Estate::new(&everyday());
    let statements = json!([allow(&json!(["ec2:CreateNetworkInterface", "ec2:CreateVpc"]))]);
    let mut of_function = role("function", &statements);
    of_function["AssumeRolePolicyDocument"] = trust(&json!({"Service": "lambda.amazonaws.com"}));
    estate.file("a.json", &page(&[of_function, role("other", &statements)], None));
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, _) = estate.verdicts();
    for start in [
        "function ec2:CreateNetworkInterface unknown Lambda makes",
        "function ec2:CreateVpc unused",
        "other ec2:CreateNetworkInterface unused",
        "other ec2:CreateVpc unused",
    ] {
        assert!(
            verdicts.iter().any(|row| row.starts_with(start)),
            "{start}: {verdicts:?}"
        );
    }
}

#[test]
fn call_that_was_refused_or_failed_leaves_nothing_that_it_needs_unused() {
    let refused =
        "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: iam:PassRole on resource: x";
    let launched = json!({"instancesSet": {"items": [{"imageId": "ami-1"}]}, "tagSpecificationSet": {"items": [{"resourceType": "instance"}]}});
    let mut calls = Vec::new();
    for (day, source, name, request, code, message) in [
        (
            1,
            "lambda.amazonaws.com",
            "CreateFunction20150331",
            json!({"functionName": "f"}),
            "AccessDenied",
            refused,
        ),
        (
            2,
            "ec2.amazonaws.com",
            "RunInstances",
            launched,
            "Server.InsufficientInstanceCapacity",
            "none",
        ),
    ] {
        let mut call = event(900_000 + day, day, "us-east-1", ("r", source, name), &request);
        call["errorCode"] = json!(code);
        call["errorMessage"] = json!(message);
        calls.push(call);
    }
    let actions = ["lambda:CreateFunction", "ec2:CreateTags", "ec2:CreateVpc"];
    let (verdicts, _) = verdicts_with(calls, &json!([allow(&json!(actions))]));
    let of = |action: &str| verdicts.iter().find(|row| row.contains(action)).unwrap();
    for action in &actions[..2] {
        assert!(of(action).contains("unknown"), "{verdicts:?}");
    }
    assert!(of("ec2:CreateVpc").contains("unused"), "{verdicts:?}");
}
