//! Resources and regions that records do not name as policies do: a candidate that would break such calls is not passed.

use super::*;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:f";

/// A data event of the role `r` on the n-th day in eu-west-1.
fn data_event(day: i64, (source, name): (&str, &str), parameters: &Value, more: &Value) -> Value {
    let mut made = event(9_000 + day, day, "eu-west-1", ("r", source, name), parameters);
    for (field, value) in more.as_object().unwrap() {
        made[field] = value.clone();
    }
    made
}

/// A role `r` with a grant, and calls of it on ten days beside those of `base`.
fn estate(grant: &Value, call: impl Fn(i64) -> Value) -> Estate {
    let events: Vec<Value> = everyday().into_iter().chain((0..10).map(call)).collect();
    let estate = Estate::new(&events);
    let roles = [
        role("r", &json!([grant])),
        role("base", &json!([allow(&json!("ec2:*"))])),
    ];
    estate.file("a.json", &page(&roles, None));
    assert_eq!(estate.import_all().code, 0);
    estate
}

/// What a candidate with one grant on a resource makes of the calls of `r`.
fn tried(estate: &Estate, action: &str, resource: &str) -> Ended {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    let candidate = estate.place.folder().join("candidate.json");
    std::fs::write(&candidate, document.to_string()).unwrap();
    estate.run(&["replay", "--policy", candidate.to_str().unwrap(), "--principal", "r"])
}

fn invocations_of_an_alias() -> Estate {
    let grant = json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": format!("{FUNCTION}:prod")});
    let resources = json!({"managementEvent": false, "eventCategory": "Data", "readOnly": false,
        "resources": [{"type": "AWS::Lambda::Function", "ARN": FUNCTION, "accountId": ACCOUNT}]});
    let parameters = json!({"functionName": "f", "qualifier": "prod"});
    estate(&grant, |day| {
        data_event(day, ("lambda.amazonaws.com", "Invoke"), &parameters, &resources)
    })
}

#[test]
fn call_of_an_alias_is_explained_by_the_grant_on_it_and_lost_without_it() {
    let estate = invocations_of_an_alias();
    let tried = |resource: &str| tried(&estate, "lambda:InvokeFunction", resource);
    for right in [format!("{FUNCTION}:prod"), format!("{FUNCTION}:*")] {
        let ended = tried(&right);
        assert_eq!(ended.code, 0, "{right}: {ended:?}");
        assert!(ended.stderr.contains("0 of 10 calls"), "{ended:?}");
    }
    for wrong in [FUNCTION, "arn:aws:s3:::x"] {
        let ended = tried(wrong);
        assert_eq!(ended.code, 3, "{wrong}: {ended:?}");
        assert!(ended.stderr.contains("10 of 10 calls"), "{ended:?}");
    }
}

#[test]
fn call_of_an_alias_is_a_use_of_the_statement_on_it_and_not_of_that_on_the_function() {
    let estate = invocations_of_an_alias();
    let on = |resource: String| json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource});
    let statements = json!([on(format!("{FUNCTION}:prod")), on(FUNCTION.to_owned())]);
    let roles = [role("r", &statements), role("base", &json!([allow(&json!("ec2:*"))]))];
    estate.file("a.json", &page(&roles, None));
    let again = estate.import(&estate.place.folder().join("iam"), "2026-09-16");
    assert_eq!(again.code, 0, "{again:?}");
    let (verdicts, _) = estate.verdicts();
    let unclear = "it was used, and the logs do not tell for certain through which statement";
    assert_eq!(
        verdicts,
        [
            "r lambda:InvokeFunction used".to_owned(),
            format!("r lambda:InvokeFunction unknown {unclear}")
        ]
    );
    let generated = estate.run(&["policy", "--principal", "r", "--mode", "generate"]);
    assert!(
        generated.stdout.contains(&format!("\"{FUNCTION}:prod\"")),
        "{generated:?}"
    );
}

#[test]
fn version_of_a_state_machine_is_asked_for_as_the_state_machine_itself() {
    let machine = "arn:aws:states:eu-west-1:111122223333:stateMachine:sm";
    let grant = json!({"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine});
    let parameters = json!({"stateMachineArn": format!("{machine}:prod")});
    let estate = estate(&grant, |day| {
        data_event(day, ("states.amazonaws.com", "StartExecution"), &parameters, &json!({}))
    });
    let tried = |resource: &str| tried(&estate, "states:StartExecution", resource);
    assert_eq!(tried(machine).code, 0);
    for wrong in [
        format!("{machine}:prod"),
        format!("{machine}:*"),
        "arn:aws:s3:::x".to_owned(),
    ] {
        let ended = tried(&wrong);
        assert_eq!(ended.code, 3, "{wrong}: {ended:?}");
    }
    let ended = estate.run(&["policy", "--principal", "r", "--mode", "generate"]);
    assert!(ended.stdout.contains(&format!("\"{machine}\"")), "{ended:?}");
}

#[test]
fn object_behind_an_access_point_is_no_proof_for_a_grant_on_its_bucket() {
    let point = "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap";
    let grant = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{point}/object/*")});
    let recorded = json!({"managementEvent": false, "eventCategory": "Data", "readOnly": true, "resources": [
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"},
        {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b", "accountId": ACCOUNT},
        {"type": "AWS::S3::AccessPoint", "ARN": point, "accountId": ACCOUNT}]});
    let parameters = json!({"bucketName": point, "key": "k"});
    let estate = estate(&grant, |day| {
        data_event(day, ("s3.amazonaws.com", "GetObject"), &parameters, &recorded)
    });
    for resource in ["arn:aws:s3:::b/*", "arn:aws:s3:::x/*"] {
        let ended = tried(&estate, "s3:GetObject", resource);
        assert_eq!(ended.code, 4, "{resource}: {ended:?}");
    }
    assert_eq!(tried(&estate, "s3:GetObject", "*").code, 0);
}

/// Calls of a model through a profile of the European Union that are answered from another region.
fn routed_invocations() -> Estate {
    let parameters = json!({"modelId": "eu.anthropic.claude"});
    let answered = json!({"additionalEventData": {"inferenceRegion": "eu-central-1"}});
    estate(&allow(&json!("bedrock:InvokeModel*")), |day| {
        data_event(day, ("bedrock.amazonaws.com", "Converse"), &parameters, &answered)
    })
}

#[test]
fn models_behind_an_inference_profile_are_asked_for_in_its_regions() {
    let estate = routed_invocations();
    let elsewhere = json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}});
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": elsewhere}]});
    let candidate = estate.place.folder().join("candidate.json");
    std::fs::write(&candidate, deny.to_string()).unwrap();
    let ended = estate.run(&["replay", "--scp", candidate.to_str().unwrap()]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("10 of "), "{ended:?}");
    let ended = estate.region_policy(&["--region", "eu-west-1", "--region", "us-east-1"]);
    let policy: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    let statements = policy["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 2, "{policy:#}");
    let exempt = statements[0]["NotAction"].as_array().unwrap();
    assert!(exempt.iter().any(|pattern| pattern == "bedrock:InvokeModel*"));
    assert!(ended.stderr.contains("0 of "), "{ended:?}");
    assert!(!ended.stderr.contains("could not be evaluated"), "{ended:?}");
    let ended = estate.run(&[
        "policy",
        "--principal",
        "r",
        "--mode",
        "generate",
        "--conditions",
        "region",
    ]);
    assert!(!ended.stdout.contains("aws:RequestedRegion"), "{ended:?}");
}

#[test]
fn generated_policy_keeps_the_statement_on_the_name_that_iam_compares() {
    let secret = format!("arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:db");
    let parameters = json!({"secretId": secret});
    let read = ("secretsmanager.amazonaws.com", "GetSecretValue");
    let estate = estate(&allow(&json!("secretsmanager:*")), |day| {
        data_event(day, read, &parameters, &json!({}))
    });
    let on =
        |resource: &str| json!({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": resource});
    let whole = format!("{secret}-??????");
    let statements = json!([on(&whole), on(&secret)]);
    let roles = [role("r", &statements), role("base", &json!([allow(&json!("ec2:*"))]))];
    estate.file("a.json", &page(&roles, None));
    assert_eq!(estate.import(&estate.place.folder().join("iam"), "2026-09-16").code, 0);
    let generated = estate.run(&["policy", "--principal", "r", "--mode", "generate"]);
    assert_eq!(generated.code, 0, "{generated:?}");
    assert!(generated.stdout.contains(&format!("\"{whole}\"")), "{generated:?}");
}
