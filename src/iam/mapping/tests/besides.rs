//! What calls need of their caller beside, or in the place of, the action of their own name.

use super::*;

#[test]
fn calls_that_launch_or_invoke_with_the_rights_of_the_caller_may_need_these() {
    for (source, name, action) in [
        (
            "autoscaling.amazonaws.com",
            "CreateAutoScalingGroup",
            "ec2:RunInstances",
        ),
        ("autoscaling.amazonaws.com", "UpdateAutoScalingGroup", "ec2:CreateTags"),
        (
            "application-autoscaling.amazonaws.com",
            "RegisterScalableTarget",
            "ecs:UpdateService",
        ),
        (
            "application-autoscaling.amazonaws.com",
            "PutScalingPolicy",
            "cloudwatch:PutMetricAlarm",
        ),
        ("autoscaling.amazonaws.com", "StartInstanceRefresh", "ec2:RunInstances"),
        ("ec2.amazonaws.com", "CreateFleet", "ec2:RunInstances"),
        ("ec2.amazonaws.com", "RequestSpotFleet", "ec2:RunInstances"),
        ("ec2.amazonaws.com", "ModifySpotFleetRequest", "ec2:RunInstances"),
        ("secretsmanager.amazonaws.com", "RotateSecret", "lambda:InvokeFunction"),
        ("lambda.amazonaws.com", "InvokeFunctionUrl", "lambda:InvokeFunction"),
        (
            "autoscaling.amazonaws.com",
            "UpdateAutoScalingGroup",
            "ssm:GetParameters",
        ),
        ("bedrock.amazonaws.com", "Rerank", "bedrock:InvokeModel"),
        ("bedrock.amazonaws.com", "InvokeInlineAgent", "bedrock:InvokeModel"),
        ("dynamodb.amazonaws.com", "ExportTableToPointInTime", "s3:PutObject"),
        ("dynamodb.amazonaws.com", "ImportTable", "s3:ListBucket"),
        ("transcribe.amazonaws.com", "StartTranscriptionJob", "s3:PutObject"),
    ] {
        let made = outcome(source, name, "{}");
        assert_eq!(proof(&made, action), Proof::Possible, "{name}");
        let own = format!("{}:{name}", source.split('.').next().unwrap());
        assert_eq!(proof(&made, &own), Proof::Call, "{name}");
    }
}

#[test]
fn tags_of_what_a_call_makes_are_not_put_on_what_it_names() {
    let tagged =
        r#"{"volumeId":"vol-1","tagSpecificationSet":{"items":[{"resourceType":"snapshot","tags":[{"key":"a"}]}]}}"#;
    let outcome = outcome("ec2.amazonaws.com", "CreateSnapshot", tagged);
    let tags = outcome.actions.iter().find(|action| action.name == "ec2:CreateTags");
    let tags = tags.unwrap();
    assert!(matches!(tags.proof, Proof::Parameter(_)), "{:?}", tags.proof);
    assert!(tags.resources.is_empty(), "{:?}", tags.resources);
}

#[test]
fn calls_that_have_logs_delivered_may_need_what_deliveries_need() {
    for (source, name) in [
        ("apigateway.amazonaws.com", "UpdateStage"),
        ("aps.amazonaws.com", "CreateLoggingConfiguration"),
        ("cognito-idp.amazonaws.com", "SetLogDeliveryConfiguration"),
        ("ec2.amazonaws.com", "CreateFlowLogs"),
        ("ec2.amazonaws.com", "ModifyVerifiedAccessInstanceLoggingConfiguration"),
        ("elasticache.amazonaws.com", "ModifyReplicationGroup"),
        ("fis.amazonaws.com", "CreateExperimentTemplate"),
        ("kafka.amazonaws.com", "UpdateMonitoring"),
        ("logs.amazonaws.com", "CreateDelivery"),
        ("pipes.amazonaws.com", "CreatePipe"),
    ] {
        let made = outcome(source, name, "null");
        for action in [
            "logs:PutResourcePolicy",
            "s3:PutBucketPolicy",
            "firehose:TagDeliveryStream",
        ] {
            assert_eq!(proof(&made, action), Proof::Possible, "{name}");
        }
        assert_ne!(made.actions[0].proof, Proof::Possible, "{name}");
    }
}

#[test]
fn writes_and_deletions_of_objects_may_ask_for_their_entity_tag() {
    for name in ["PutObject", "CompleteMultipartUpload", "DeleteObject", "DeleteObjects"] {
        let made = outcome("s3.amazonaws.com", name, r#"{"bucketName":"b","key":"k"}"#);
        assert_eq!(proof(&made, "s3:GetObject"), Proof::Possible, "{name}");
        assert_eq!(made.actions[0].proof, Proof::Call, "{name}");
    }
}

#[test]
fn domain_names_of_api_gateway_may_update_a_distribution() {
    for (name, own) in [
        ("CreateDomainName", "apigateway:POST"),
        ("UpdateDomainName", "apigateway:PATCH"),
    ] {
        let made = outcome("apigateway.amazonaws.com", name, "{}");
        assert_eq!(proof(&made, "cloudfront:UpdateDistribution"), Proof::Possible, "{name}");
        assert_ne!(proof(&made, own), Proof::Possible, "{name}");
    }
}

#[test]
fn raw_message_is_authorised_by_the_action_for_raw_messages() {
    let send = |request| outcome("ses.amazonaws.com", "SendEmail", request);
    let raw =
        send(r#"{"fromEmailAddress":"a@example.com","content":{"raw":{"data":"HIDDEN_DUE_TO_SECURITY_REASONS"}}}"#);
    assert_eq!(proof(&raw, "ses:SendRawEmail"), Proof::Parameter("raw"));
    assert_eq!(proof(&raw, "ses:SendEmail"), Proof::Possible);
    let simple = send(r#"{"fromEmailAddress":"a@example.com","content":{"simple":{}}}"#);
    assert_eq!(proof(&simple, "ses:SendEmail"), Proof::Call);
    assert_eq!(proof(&simple, "ses:SendRawEmail"), Proof::Possible);
}

#[test]
fn tagging_api_may_need_the_tagging_actions_of_the_services_whose_resources_it_names() {
    let request = r#"{"resourceARNList":["arn:aws:ec2:eu-west-1:111122223333:instance/i-1"],"tags":{"a":"b"}}"#;
    let outcome = outcome("tagging.amazonaws.com", "TagResources", request);
    assert_eq!(proof(&outcome, "tag:TagResources"), Proof::Call);
    assert_eq!(proof(&outcome, "ec2:CreateTags"), Proof::Possible);
    assert_eq!(outcome.actions.len(), 3, "{outcome:?}");
}

/// Source, name and request of a call, and whether it may begin, change or end a delivery of logs.
const REQUESTS_OF_LOGS: &[(&str, &str, &str, bool)] = &[
    (
        "apigateway.amazonaws.com",
        "UpdateStage",
        r#"{"patchOperations":[{"op":"replace","path":"/description"}]}"#,
        false,
    ),
    (
        "apigateway.amazonaws.com",
        "UpdateStage",
        r#"{"patchOperations":[{"op":"add","path":"/accessLogSettings/destinationArn"}]}"#,
        true,
    ),
    (
        "apigateway.amazonaws.com",
        "UpdateStage",
        r#"{"restApiId":"a","updateStageInput":{"patchOperations":[{"op":"remove","path":"/accessLogSettings"}]}}"#,
        true,
    ),
    (
        "transfer.amazonaws.com",
        "UpdateServer",
        r#"{"serverId":"s-1","structuredLogDestinations":[]}"#,
        true,
    ),
    ("transfer.amazonaws.com", "UpdateServer", r#"{"serverId":"s-1"}"#, false),
    (
        "apigateway.amazonaws.com",
        "CreateStage",
        r#"{"accessLogSettings":{"destinationArn":"arn:aws:logs:eu-west-1:111122223333:log-group:g"}}"#,
        true,
    ),
    (
        "apigateway.amazonaws.com",
        "DeleteStage",
        r#"{"stageName":"prod"}"#,
        true,
    ),
    (
        "states.amazonaws.com",
        "UpdateStateMachine",
        r#"{"definition":"d"}"#,
        false,
    ),
    (
        "states.amazonaws.com",
        "CreateStateMachine",
        r#"{"loggingConfiguration":{"level":"ALL"}}"#,
        true,
    ),
    ("states.amazonaws.com", "CreateStateMachine", "null", true),
    ("ec2.amazonaws.com", "CreateFlowLogs", r#"{"trafficType":"ALL"}"#, true),
];

#[test]
fn logs_are_only_delivered_where_a_request_may_ask_for_it() {
    let delivers = |source, name, request| {
        let outcome = outcome(source, name, request);
        let has = |wanted: &str| outcome.actions.iter().any(|action| action.name == wanted);
        // The service's reference names it for flow logs.
        assert!(
            !has("iam:CreateServiceLinkedRole") || name == "CreateFlowLogs",
            "{outcome:?}"
        );
        assert_eq!(has("s3:PutBucketPolicy"), has("logs:PutResourcePolicy"));
        has("logs:PutResourcePolicy")
    };
    for (source, name, request, wanted) in REQUESTS_OF_LOGS {
        assert_eq!(delivers(source, name, request), *wanted, "{name} {request}");
    }
}

#[test]
fn function_without_image_network_or_file_system_needs_none_of_their_permissions() {
    let besides = |name, request| {
        let outcome = outcome("lambda.amazonaws.com", name, request);
        let actions = outcome.actions.iter().map(|action| action.name.to_string());
        let has = |action: &str| actions.clone().any(|name| name == action);
        [
            has("ecr:BatchGetImage"),
            has("ec2:DescribeSubnets"),
            has("elasticfilesystem:DescribeMountTargets"),
            has("s3:GetObject"),
        ]
    };
    for (request, wanted) in [
        (r#"{"functionName":"f","code":{}}"#, [false, false, false, true]),
        (
            r#"{"functionName":"f","packageType":"Zip","vpcConfig":{"subnetIds":["subnet-1"]}}"#,
            [false, true, false, true],
        ),
        (
            r#"{"functionName":"f","packageType":"Image","code":{}}"#,
            [true, false, false, true],
        ),
        (
            r#"{"functionName":"f","fileSystemConfigs":[{"localMountPath":"/mnt/a"}]}"#,
            [false, false, true, true],
        ),
        ("null", [true, true, true, true]),
    ] {
        assert_eq!(besides("CreateFunction20150331", request), wanted, "{request}");
    }
    let update = r#"{"functionName":"f","imageUri":"111122223333.dkr.ecr.eu-west-1.amazonaws.com/r:t"}"#;
    assert_eq!(
        besides("UpdateFunctionCode20150331v2", update),
        [true, false, false, true]
    );
}
