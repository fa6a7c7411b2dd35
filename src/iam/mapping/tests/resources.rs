//! Resources that calls name, as ARNs.

use super::*;

#[test]
fn recorded_resources_go_to_the_types_that_they_have() {
    let arns_of_record = ["arn:aws:s3:::logs/2026/a.gz", "arn:aws:s3:::logs"];
    let event = Call {
        resource_arns: &arns_of_record,
        ..call(
            "s3.amazonaws.com",
            "GetObject",
            r#"{"bucketName":"logs","key":"2026/a.gz"}"#,
        )
    };
    let outcome = facts().actions_of(&event);
    assert_eq!(arns(&outcome, "s3:GetObject"), ["arn:aws:s3:::logs/2026/a.gz"]);
    assert_eq!(outcome.actions[0].resources[0].origin, ResourceOrigin::Record);
    let list = Call {
        event_name: "ListObjects",
        ..event
    };
    assert_eq!(arns(&facts().actions_of(&list), "s3:ListBucket"), ["arn:aws:s3:::logs"]);
}

#[test]
fn resources_are_made_of_parameters_however_they_are_spelled() {
    for (source, name, parameters, action, wanted) in [
        (
            "ec2.amazonaws.com",
            "TerminateInstances",
            r#"{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#,
            "ec2:TerminateInstances",
            vec![
                "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
                "arn:aws:ec2:eu-west-1:111122223333:instance/i-2",
            ],
        ),
        (
            "ec2.amazonaws.com",
            "DeleteNatGateway",
            r#"{"DeleteNatGatewayRequest":{"NatGatewayId":"nat-1"}}"#,
            "ec2:DeleteNatGateway",
            vec!["arn:aws:ec2:eu-west-1:111122223333:natgateway/nat-1"],
        ),
        (
            "lambda.amazonaws.com",
            "UpdateFunctionCode20150331v2",
            r#"{"functionName":"111122223333:pay"}"#,
            "lambda:UpdateFunctionCode",
            vec!["arn:aws:lambda:eu-west-1:111122223333:function:pay"],
        ),
        (
            "lambda.amazonaws.com",
            "GetFunction20150331v2",
            r#"{"functionName":"pay:live"}"#,
            "lambda:GetFunction",
            vec!["arn:aws:lambda:eu-west-1:111122223333:function:pay:live"],
        ),
        (
            "dynamodb.amazonaws.com",
            "GetItem",
            r#"{"tableName":"orders","key":{"id":"1"}}"#,
            "dynamodb:GetItem",
            vec!["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"],
        ),
    ] {
        let outcome = outcome(source, name, parameters);
        assert_eq!(arns(&outcome, action), wanted, "{name}");
    }
}

#[test]
fn resources_are_made_of_parts_of_parameters() {
    for (source, name, parameters, action, wanted) in [
        (
            "sqs.amazonaws.com",
            "DeleteQueue",
            r#"{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"}"#,
            "sqs:DeleteQueue",
            vec!["arn:aws:sqs:eu-west-1:111122223333:jobs"],
        ),
        (
            "iam.amazonaws.com",
            "CreateRole",
            r#"{"path":"/ci/","roleName":"deploy"}"#,
            "iam:CreateRole",
            vec!["arn:aws:iam::111122223333:role/ci/deploy"],
        ),
        (
            "ecs.amazonaws.com",
            "UpdateService",
            r#"{"cluster":"arn:aws:ecs:eu-west-1:111122223333:cluster/prod","service":"pay","policy":"{}"}"#,
            "ecs:UpdateService",
            vec!["arn:aws:ecs:eu-west-1:111122223333:service/prod/pay"],
        ),
        (
            "rds.amazonaws.com",
            "DeleteDBInstance",
            r#"{"dBInstanceIdentifier":"main"}"#,
            "rds:DeleteDBInstance",
            vec!["arn:aws:rds:eu-west-1:111122223333:db:main"],
        ),
    ] {
        let outcome = outcome(source, name, parameters);
        assert_eq!(arns(&outcome, action), wanted, "{name}");
    }
}

#[test]
fn account_that_a_request_says_is_in_the_arns_made_of_it() {
    for (source, name, parameters, action, wanted) in [
        (
            "ecr.amazonaws.com",
            "BatchGetImage",
            r#"{"registryId":"444455556666","repositoryName":"base"}"#,
            "ecr:BatchGetImage",
            "arn:aws:ecr:eu-west-1:444455556666:repository/base",
        ),
        (
            "lambda.amazonaws.com",
            "GetFunction20150331v2",
            r#"{"functionName":"444455556666:function:pay"}"#,
            "lambda:GetFunction",
            "arn:aws:lambda:eu-west-1:444455556666:function:pay",
        ),
        (
            "sqs.amazonaws.com",
            "GetQueueAttributes",
            r#"{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/444455556666/jobs"}"#,
            "sqs:GetQueueAttributes",
            "arn:aws:sqs:eu-west-1:444455556666:jobs",
        ),
    ] {
        let outcome = outcome(source, name, parameters);
        assert_eq!(arns(&outcome, action), [wanted], "{name}");
        let origin = outcome.actions[0].resources[0].origin;
        assert!(!origin.is_proof(), "{name}: {origin:?}");
    }
}

#[test]
fn arn_of_another_account_is_kept_as_the_request_says_it() {
    let secret = "arn:aws:secretsmanager:us-east-1:444455556666:secret:db-AbCdEf";
    let parameters = format!(r#"{{"secretId":"{secret}"}}"#);
    let outcome = outcome("secretsmanager.amazonaws.com", "GetSecretValue", &parameters);
    assert_eq!(arns(&outcome, "secretsmanager:GetSecretValue"), [secret]);
    assert!(outcome.actions[0].resources[0].origin.is_proof());
}

#[test]
fn copy_reads_its_source_and_writes_its_destination() {
    let parameters = r#"{"bucketName":"out","key":"b","x-amz-copy-source":"/in/a%20b"}"#;
    let versioned = r#"{"bucketName":"out","key":"b","x-amz-copy-source":"/in/a%20b?versionId=1"}"#;
    let version = outcome("s3.amazonaws.com", "CopyObject", versioned);
    assert_eq!(arns(&version, "s3:GetObjectVersion"), ["arn:aws:s3:::in/a b"]);
    let recorded = ["arn:aws:s3:::out/b", "arn:aws:s3:::out", "arn:aws:s3:::in/a b"];
    for (resource_arns, origin) in [
        (&recorded[..2], ResourceOrigin::Template),
        (&recorded[..], ResourceOrigin::Record),
    ] {
        let event = Call {
            resource_arns,
            ..call("s3.amazonaws.com", "CopyObject", parameters)
        };
        let outcome = facts().actions_of(&event);
        assert_eq!(arns(&outcome, "s3:GetObject"), ["arn:aws:s3:::in/a b"]);
        assert_eq!(arns(&outcome, "s3:PutObject"), ["arn:aws:s3:::out/b"]);
        let read = outcome
            .actions
            .iter()
            .find(|action| action.name == "s3:GetObject")
            .unwrap();
        assert_eq!(read.resources[0].origin, origin);
    }
    let unnamed = outcome(
        "s3.amazonaws.com",
        "UploadPartCopy",
        r#"{"bucketName":"out","key":"b"}"#,
    );
    assert!(arns(&unnamed, "s3:GetObject").is_empty());
    assert_eq!(arns(&unnamed, "s3:PutObject"), ["arn:aws:s3:::out/b"]);
}

#[test]
fn new_encryption_reads_with_one_key_and_writes_with_the_other() {
    let keys = [
        "arn:aws:kms:eu-west-1:111122223333:key/1",
        "arn:aws:kms:eu-west-1:111122223333:key/2",
    ];
    let ends = |resource_arns: &[&str], parameters: &str| {
        let event = Call {
            resource_arns,
            ..call("kms.amazonaws.com", "ReEncrypt", parameters)
        };
        let outcome = facts().actions_of(&event);
        let of = |action: &str| arns(&outcome, action).join(" ");
        (of("kms:ReEncryptFrom"), of("kms:ReEncryptTo"))
    };
    let wanted = (keys[0].to_owned(), keys[1].to_owned());
    let named = format!(r#"{{"sourceKeyId":"{}","destinationKeyId":"2"}}"#, keys[0]);
    assert_eq!(ends(&keys, &named), wanted);
    assert_eq!(ends(&[], &named), wanted);
    let aliases = r#"{"sourceKeyId":"alias/a","destinationKeyId":"alias/b"}"#;
    assert_eq!(ends(&keys, aliases), (String::new(), String::new()));
}

#[test]
fn read_of_an_index_is_about_the_index_and_not_about_the_table() {
    let table = "arn:aws:dynamodb:eu-west-1:444455556666:table/orders";
    let index = format!("{table}/index/by-day");
    for (name, parameters, resource_arns, wanted) in [
        (
            "Query",
            r#"{"tableName":"orders","indexName":"by-day"}"#,
            vec![table],
            index.as_str(),
        ),
        (
            "Scan",
            r#"{"tableName":"orders","indexName":"by-day"}"#,
            vec![table, &index],
            &index,
        ),
        (
            "Query",
            r#"{"tableName":"arn:aws:dynamodb:eu-west-1:444455556666:table/orders","indexName":"by-day"}"#,
            vec![],
            &index,
        ),
        ("Query", r#"{"tableName":"orders"}"#, vec![table], table),
        (
            "GetItem",
            r#"{"tableName":"orders","indexName":"by-day"}"#,
            vec![table],
            table,
        ),
    ] {
        let event = Call {
            resource_arns: &resource_arns,
            ..call("dynamodb.amazonaws.com", name, parameters)
        };
        let outcome = facts().actions_of(&event);
        assert_eq!(
            arns(&outcome, &format!("dynamodb:{name}")),
            [wanted],
            "{name} {parameters}"
        );
        let is_recorded = resource_arns.contains(&wanted);
        assert_eq!(outcome.actions[0].resources[0].origin.is_proof(), is_recorded);
    }
}

#[test]
fn passed_role_is_a_hint_where_the_request_names_it_without_its_path() {
    let role = "arn:aws:iam::111122223333:role/ci/build";
    for (parameters, passed, is_proof) in [
        (format!(r#"{{"serviceRole":"{role}"}}"#), role, true),
        (
            r#"{"serviceRole":"build"}"#.to_owned(),
            "arn:aws:iam::111122223333:role/build",
            false,
        ),
    ] {
        let roles = [passed];
        let event = Call {
            passed_role_arns: &roles,
            ..call("codebuild.amazonaws.com", "CreateProject", &parameters)
        };
        let outcome = facts().actions_of(&event);
        let used = outcome
            .actions
            .iter()
            .find(|action| action.name == "iam:PassRole")
            .unwrap();
        assert_eq!(used.resources[0].origin.is_proof(), is_proof, "{parameters}");
    }
}

#[test]
fn key_that_is_named_by_its_alias_is_not_named() {
    for alias in ["alias/pay", "arn:aws:kms:eu-west-1:111122223333:alias/pay"] {
        let parameters = format!(r#"{{"keyId":"{alias}"}}"#);
        let described = outcome("kms.amazonaws.com", "DescribeKey", &parameters);
        assert!(arns(&described, "kms:DescribeKey").is_empty(), "{alias}");
    }
}

#[test]
fn key_arn_of_the_record_is_preferred_to_the_alias_of_the_request() {
    let key = ["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"];
    let event = Call {
        resource_arns: &key,
        ..call("kms.amazonaws.com", "Decrypt", r#"{"keyId":"alias/payments"}"#)
    };
    assert_eq!(arns(&facts().actions_of(&event), "kms:Decrypt"), key);
}

#[test]
fn resources_of_other_partitions_have_their_own_arns() {
    let event = Call {
        region: Some("us-gov-west-1"),
        ..call("dynamodb.amazonaws.com", "GetItem", r#"{"tableName":"t"}"#)
    };
    assert_eq!(
        arns(&facts().actions_of(&event), "dynamodb:GetItem"),
        ["arn:aws-us-gov:dynamodb:us-gov-west-1:111122223333:table/t"]
    );
}

#[test]
fn object_that_is_said_to_be_missing_needed_the_right_to_list_its_bucket() {
    let missing = |error_code: &'static str| Call {
        error_code: Some(error_code),
        resource_arns: &["arn:aws:s3:::b/locks/x"],
        ..call("s3.amazonaws.com", "GetObject", r#"{"bucketName":"b","key":"locks/x"}"#)
    };
    let outcome = facts().actions_of(&missing("NoSuchKey"));
    assert_eq!(arns(&outcome, "s3:ListBucket"), ["arn:aws:s3:::b"]);
    assert_eq!(proof(&outcome, "s3:ListBucket"), Proof::Answer);
    for event_name in [
        "GetObjectTagging",
        "GetObjectAcl",
        "GetObjectAttributes",
        "UploadPartCopy",
    ] {
        let outcome = facts().actions_of(&Call {
            event_name,
            ..missing("NoSuchKey")
        });
        assert_eq!(arns(&outcome, "s3:ListBucket"), ["arn:aws:s3:::b"], "{event_name}");
    }
    let slow = facts().actions_of(&missing("SlowDown"));
    assert!(slow.actions.iter().all(|action| action.name != "s3:ListBucket"));
}

#[test]
fn required_type_without_a_resource_is_named() {
    let outcome = outcome("dynamodb.amazonaws.com", "DeleteTable", "null");
    let action = &outcome.actions[0];
    assert!(action.resources.is_empty());
    assert_eq!(action.missing_types, ["table"]);
}

#[test]
fn arn_that_was_part_of_a_path_is_recorded_percent_encoded_and_meant_as_it_is() {
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    for encoded in [arn.replace(':', "%3A"), arn.replace(':', "%3a"), arn.to_owned()] {
        let request = format!(r#"{{"functionName":"{encoded}"}}"#);
        let outcome = outcome("lambda.amazonaws.com", "GetFunctionConfiguration20150331v2", &request);
        assert_eq!(arns(&outcome, "lambda:GetFunctionConfiguration"), [arn]);
    }
    let request = r#"{"clusterArn":"arn%3Aaws%3Akafka%3Aeu-west-1%3A111122223333%3Acluster%2Fc%2F1-2"}"#;
    let outcome = outcome("kafka.amazonaws.com", "DescribeCluster", request);
    assert_eq!(
        arns(&outcome, "kafka:DescribeCluster"),
        ["arn:aws:kafka:eu-west-1:111122223333:cluster/c/1-2"]
    );
    let broken = r#"{"functionName":"arn%3Aaws%3"}"#;
    let broken = super::outcome("lambda.amazonaws.com", "GetFunctionConfiguration20150331v2", broken);
    assert_eq!(broken.verdict, Verdict::Actions);
}
