//! Policies out of what was used.

use super::*;

#[test]
fn what_was_used_is_generated_within_the_present_statements() {
    let object = "arn:aws:s3:::logs/2026/a";
    let condition = json!({"Effect": "Allow", "Action": "s3:*Object", "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}}});
    let narrowed =
        r#"{"Sid":"Used1","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::logs/2026/*"]"#;
    let got = Case::one(&json!([condition])).used("r", "s3:GetObject", &[object]);
    let wanted = format!(r#"{narrowed},"Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}}}"#);
    assert_eq!(got.statements(generate()), [wanted]);
    // One without a condition explains the use alone.
    let got = Case::one(&json!([condition, allow(&json!("s3:Get*"), "arn:aws:s3:::logs/*")]));
    let got = got.used("r", "s3:GetObject", &[object]);
    assert_eq!(got.statements(generate()), [format!("{narrowed}}}")]);
    // The rule may not reach beyond the statement.
    let got =
        Case::one(&json!([allow(&json!("s3:Get*"), "arn:aws:s3:::logs/*/a")])).used("r", "s3:GetObject", &[object]);
    assert!(got.statements(generate())[0].contains(r#""Resource":["arn:aws:s3:::logs/*/a"]"#));
    // Nothing names the resources.
    let got = Case::one(&json!([allow(&json!("s3:Get*"), "arn:aws:s3:::logs/*")])).used("r", "s3:GetObject", &[]);
    assert!(got.statements(generate())[0].contains(r#""Resource":"arn:aws:s3:::logs/*""#));
}

#[test]
fn resource_of_which_only_the_name_is_known_is_covered_or_the_present_resources_stay() {
    let generated = |present: &str, action: &str, arn: &str| {
        let case = Case::one(&json!([allow(&json!(action), present)])).used("r", action, &[arn]);
        let mut statements = case.hinted(action).statements(generate());
        statements.remove(0)
    };
    let role = "arn:aws:iam::111122223333:role/deploy";
    let narrowed = generated("arn:aws:iam::111122223333:role/*", "iam:GetRole", role);
    let wanted = r#""Resource":["arn:aws:iam::111122223333:role/*/deploy","arn:aws:iam::111122223333:role/deploy"]"#;
    assert!(narrowed.contains(wanted), "{narrowed}");
    // The path of the role is not known, so that it may be any of the statement.
    let bound = "arn:aws:iam::111122223333:role/ci/*";
    let kept = generated(bound, "iam:GetRole", role);
    assert!(kept.contains(&format!(r#""Resource":"{bound}""#)), "{kept}");
    let database = "arn:aws:rds:eu-west-1:111122223333:db:Orders";
    let kept = generated("arn:aws:rds:*:*:db:*", "rds:DeleteDBInstance", database);
    assert!(kept.contains(r#""Resource":"arn:aws:rds:*:*:db:*""#), "{kept}");
    let case =
        Case::one(&json!([allow(&json!("rds:DeleteDBInstance"), "*")])).used("r", "rds:DeleteDBInstance", &[database]);
    case.hinted("rds:DeleteDBInstance").check(generate(), |proposals| {
        let remarks = &proposals[0].policies[0].reasons[0].remarks;
        assert!(remarks[0].contains("only a name"), "{remarks:?}");
    });
}

#[test]
fn instances_that_a_request_names_in_ways_that_are_not_read_stay_granted() {
    let document = "arn:aws:ssm:eu-west-1:111122223333:document/run";
    for action in ["ssm:StartSession", "ssm:SendCommand"] {
        let case = Case::one(&json!([allow(&json!(action), "*")])).used("r", action, &[document]);
        let statements = case.statements(generate());
        assert!(statements[0].contains(r#""Resource":"*""#), "{statements:?}");
    }
}

#[test]
fn passed_role_without_its_path_is_the_one_of_the_snapshot() {
    let mut build = role("build", &json!([]));
    let full = format!("arn:aws:iam::{ACCOUNT}:role/yard/build");
    build["Arn"] = json!(full);
    build["Path"] = json!("/yard/");
    build["AssumeRolePolicyDocument"] = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "codebuild.amazonaws.com"}}});
    let passer = role("r", &json!([allow(&json!("iam:PassRole"), "*")]));
    let case = Case::new(&[passer.clone(), build]).used("r", "iam:PassRole", &[&arn("build")]);
    let statements = case.hinted("iam:PassRole").statements(generate());
    assert!(
        statements[0].contains(&format!(r#""Resource":["{full}"]"#)),
        "{statements:?}"
    );
    let case = Case::new(&[passer]).used("r", "iam:PassRole", &[&arn("build")]);
    let statements = case.hinted("iam:PassRole").statements(generate());
    assert!(statements[0].contains(r#""Resource":"*""#), "{statements:?}");
}

#[test]
fn not_resource_and_denying_statements_are_kept_as_they_are() {
    let but = json!({"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::secret/*"});
    let deny = json!({"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/private/*"});
    let case = Case::one(&json!([but, deny])).used("r", "s3:GetObject", &["arn:aws:s3:::logs/2026/a"]);
    assert_eq!(
        case.statements(generate()),
        [
            r#"{"Sid":"Used1","Effect":"Allow","Action":["s3:GetObject"],"NotResource":"arn:aws:s3:::secret/*"}"#,
            r#"{"Sid":"Deny1","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::logs/private/*"}"#,
        ]
    );
}

#[test]
fn passed_roles_are_named_with_the_service_that_they_trust() {
    let mut task = role("task", &json!([]));
    task["AssumeRolePolicyDocument"] = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]}}});
    let passer = role("r", &json!([allow(&json!("iam:PassRole"), "*")]));
    let mut case = Case::new(&[passer, task]).used("r", "iam:PassRole", &[&arn("task")]);
    let passed = ("ecs.amazonaws.com".to_owned(), arn("task"));
    case.trace("iam:PassRole").passed_roles.insert(passed);
    let wanted = format!(
        r#"{{"Sid":"Used1","Effect":"Allow","Action":["iam:PassRole"],"Resource":["{}"],"Condition":{{"StringEquals":{{"iam:PassedToService":["ecs-tasks.amazonaws.com"]}}}}}}"#,
        arn("task")
    );
    assert_eq!(case.statements(generate()), [wanted]);
    let elsewhere = "arn:aws:iam::444455556666:role/x";
    let statements = Case::one(&json!([allow(&json!("iam:PassRole"), "*")]))
        .used("r", "iam:PassRole", &[elsewhere])
        .statements(generate());
    assert!(
        statements[0].ends_with(&format!(r#""Resource":["{elsewhere}"]}}"#)),
        "{statements:?}"
    );
}

#[test]
fn conditions_are_added_where_every_use_agrees() {
    let mut case = Case::one(&json!([allow(&json!("sqs:*"), "*")])).used("r", "sqs:CreateQueue", &[]);
    case.trace("sqs:CreateQueue").regions.insert("eu-west-1".to_owned());
    let mode = Mode::Generate(GenerateOptions {
        keep_unknown: false,
        conditions: EvidenceConditions {
            region: true,
            ..EvidenceConditions::default()
        },
    });
    let statements = case.statements(mode);
    let wanted = r#""Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1"]}}"#;
    assert!(statements[0].contains(wanted), "{statements:?}");
}

#[test]
fn variables_of_a_document_of_2008_do_not_come_alive() {
    let mut case = Case::one(&json!([allow(
        &json!("s3:GetObject"),
        "arn:aws:s3:::a/${aws:username}/*"
    )]));
    let document = &mut case.snapshot["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"];
    document["Version"] = json!("2008-10-17");
    let statements = case.used("r", "s3:GetObject", &[]).statements(generate());
    assert!(statements[0].contains("a/${$}{aws:username}/*"), "{statements:?}");
}

#[test]
fn nothing_is_generated_from_grants_that_are_not_wholly_known() {
    let case = Case::one(&json!([allow(&json!("s3:*"), "*"), {"Effect": "Allow", "Odd": 1}]));
    case.used("r", "s3:GetObject", &[]).check(generate(), |proposals| {
        assert!(matches!(proposals[0].refusals[0], Refusal::Gaps { .. }));
    });
}
