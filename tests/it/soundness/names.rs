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
    let tried = |resource: &str| {
        let statement = json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        let candidate = estate.place.folder().join("candidate.json");
        std::fs::write(&candidate, document.to_string()).unwrap();
        estate.run(&["replay", "--policy", candidate.to_str().unwrap(), "--principal", "r"])
    };
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
