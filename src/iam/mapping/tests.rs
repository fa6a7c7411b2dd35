use std::collections::BTreeMap;
use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::iam::Class;

const EVENT_MAP: &[u8] = include_bytes!("../../../tests/data/iam/event_map.tsv.gz");
const OBSERVED: &str = include_str!("../../../tests/data/iam/observed_events.tsv");

/// Operations of which the table knows nothing, and which the catalogue has under another prefix of the source.
const BEYOND_THE_TABLE: [&str; 5] = [
    "CreateSession",
    "DeleteAccessPointScope",
    "GetAccessPointScope",
    "ListAccessPointsForDirectoryBuckets",
    "PutAccessPointScope",
];

fn facts() -> &'static Facts {
    Facts::embedded()
}

fn call<'a>(event_source: &'a str, event_name: &'a str, request_parameters: &'a str) -> Call<'a> {
    Call {
        event_source,
        event_name,
        event_type: Some("AwsApiCall"),
        request_parameters: Some(request_parameters),
        account_id: Some("111122223333"),
        region: Some("eu-west-1"),
        ..Call::default()
    }
}

fn outcome<'a>(event_source: &'a str, event_name: &'a str, request_parameters: &'a str) -> Outcome<'a> {
    facts().actions_of(&call(event_source, event_name, request_parameters))
}

fn names<'a>(outcome: &'a Outcome<'_>, class: Class) -> Vec<&'a str> {
    let actions = outcome.actions.iter().filter(|action| action.class == class);
    actions.map(|action| &*action.name).collect()
}

fn primary(event_source: &str, event_name: &str) -> Vec<String> {
    let outcome = outcome(event_source, event_name, "{}");
    names(&outcome, Class::Primary).into_iter().map(str::to_owned).collect()
}

fn arns<'a>(outcome: &'a Outcome<'_>, action: &str) -> Vec<&'a str> {
    let used = outcome.actions.iter().find(|used| used.name == action).unwrap();
    used.resources.iter().map(|resource| &*resource.arn).collect()
}

fn proof(outcome: &Outcome<'_>, action: &str) -> Proof {
    let used = outcome.actions.iter().find(|used| used.name == action).unwrap();
    used.proof
}

/// Actions whose calls may need more than the table says: see `FURTHER_ACTIONS` of `facts/build.py`.
const FURTHER_ACTIONS: [(&str, &[&str]); 8] = [
    (
        "autoscaling:CreateAutoScalingGroup",
        &["ec2:CreateTags", "ec2:RunInstances"],
    ),
    ("ec2:CreateFleet", &["ec2:RunInstances", "iam:PassRole"]),
    (
        "dynamodb:ExportTableToPointInTime",
        &["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
    ),
    ("ec2:ModifySpotFleetRequest", &["ec2:RunInstances"]),
    ("ec2:RequestSpotFleet", &["ec2:RunInstances"]),
    ("secretsmanager:RotateSecret", &["lambda:InvokeFunction"]),
    (
        "autoscaling:StartInstanceRefresh",
        &["ec2:CreateTags", "ec2:RunInstances", "iam:PassRole"],
    ),
    (
        "autoscaling:UpdateAutoScalingGroup",
        &["ec2:CreateTags", "ec2:RunInstances"],
    ),
];

/// Rows of the event map by source and operation; several where prefixes share a source.
fn event_map() -> BTreeMap<(String, String), Vec<Vec<String>>> {
    let mut text = String::new();
    flate2::bufread::GzDecoder::new(EVENT_MAP)
        .read_to_string(&mut text)
        .unwrap();
    let mut rows: BTreeMap<(String, String), Vec<Vec<String>>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        rows.entry((cells[0].clone(), cells[1].clone()))
            .or_default()
            .push(cells);
    }
    rows
}

/// What is wrong with the mapping of one row; `alone` if no other row has the same source and operation.
fn difference(row: &[String], alone: bool) -> Option<String> {
    let outcome = facts().actions_of(&Call {
        event_source: &row[0],
        event_name: &row[1],
        ..Call::default()
    });
    let list = |cell: usize| row[cell].split(',').filter(|name| !name.is_empty()).collect::<Vec<_>>();
    let (wanted, conditional) = (list(2), list(3));
    if row[0] == "s3.amazonaws.com" && BEYOND_THE_TABLE.contains(&row[1].as_str()) {
        let is_found = names(&outcome, Class::Primary) == [format!("s3express:{}", row[1])];
        return (!is_found || row[7] != "none").then(|| "differs".to_owned());
    }
    let is_data = !facts().operation(&row[0], &row[1]).data_event_types().is_empty();
    if is_data != (row[8] == "data") {
        return Some(format!("is {} event", if is_data { "a data" } else { "a management" }));
    }
    if let Verdict::Permissionless { .. } = outcome.verdict {
        let is_fine = wanted.iter().all(|name| {
            facts()
                .find(name)
                .is_some_and(|id| facts().permissionless_reason(id).is_some())
        });
        return (!is_fine).then(|| "is permissionless".to_owned());
    }
    if !alone {
        let known: Vec<&str> = outcome.actions.iter().map(|action| &*action.name).collect();
        let missing: Vec<&&str> = wanted.iter().filter(|name| !known.contains(name)).collect();
        return (!missing.is_empty()).then(|| format!("lacks {missing:?}"));
    }
    let dependent: Vec<&str> = list(4).into_iter().chain(list(5)).collect();
    let found = (
        names(&outcome, Class::Primary),
        names(&outcome, Class::Conditional),
        names(&outcome, Class::Dependent),
    );
    let is_dependent_found = dependent
        .iter()
        .all(|name| found.2.contains(name) || found.0.contains(name) || found.1.contains(name));
    let is_same = found.0 == wanted && found.1 == conditional && is_dependent_found;
    let beyond = FURTHER_ACTIONS.iter().find(|(action, _)| *action == row[2]);
    let beyond = beyond.map_or(&[][..], |(_, actions)| *actions);
    let has_further = found.2.iter().any(|name| {
        !dependent.contains(name) && !beyond.contains(name) && !matches!(proof(&outcome, name), Proof::ForwardAccess(_))
    });
    let lacks_further = beyond.iter().any(|name| !found.2.contains(name));
    // An action of the operation's own name needs no row of its own, wherever the map has it from.
    let is_confidence = wanted.is_empty()
        || !beyond.is_empty() && outcome.confidence == Confidence::Curated
        || outcome.provenance == Provenance::Catalogue
        || outcome.confidence.name() == row[7].replace("ids", "data-set");
    let is_explained = outcome.verdict == Verdict::Actions || !outcome.verdict.reason().is_empty();
    let is_fine = is_same && !has_further && !lacks_further && is_confidence && is_explained;
    (!is_fine).then(|| format!("{found:?} {:?} {:?}", outcome.confidence, outcome.verdict))
}

#[test]
fn every_row_of_the_event_map_maps_as_it_says() {
    let rows = event_map();
    let mut wrong = Vec::new();
    for rows in rows.values() {
        for row in rows {
            wrong.extend(difference(row, rows.len() == 1).map(|difference| format!("{row:?}: {difference}")));
        }
    }
    assert!(rows.len() > 23_000);
    assert!(
        wrong.is_empty(),
        "{} rows: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
}

#[test]
fn every_observed_event_maps_or_has_a_reason() {
    for line in OBSERVED.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let outcome = facts().actions_of(&Call {
            event_type: Some(cells[2]),
            ..call(cells[0], cells[1], "{}")
        });
        assert_eq!(outcome.verdict.name(), cells[3], "{line}");
        assert_eq!(names(&outcome, Class::Primary).join(","), cells[4], "{line}");
    }
}

#[test]
fn event_type_decides_before_the_name() {
    for (source, name) in [
        ("acm.amazonaws.com", "RenewCertificate"),
        ("controltower.amazonaws.com", "UpdateLandingZone"),
    ] {
        assert_eq!(outcome(source, name, "{}").verdict, Verdict::Actions, "{name}");
        let event = Call {
            event_type: Some("AwsServiceEvent"),
            ..call(source, name, "{}")
        };
        assert_eq!(facts().actions_of(&event).verdict.name(), "not-iam", "{name}");
    }
}

#[test]
fn s3_operations_map_to_the_actions_of_their_documentation() {
    for (operation, action) in [
        ("PutBucketReplication", "s3:PutReplicationConfiguration"),
        ("DeleteBucketReplication", "s3:PutReplicationConfiguration"),
        ("GetBucketReplication", "s3:GetReplicationConfiguration"),
        ("HeadBucket", "s3:ListBucket"),
        ("ListObjectsV2", "s3:ListBucket"),
        ("ListObjectVersions", "s3:ListBucketVersions"),
        ("GetBucketVersions", "s3:ListBucketVersions"),
        ("ListBuckets", "s3:ListAllMyBuckets"),
        ("HeadObject", "s3:GetObject"),
        ("CreateMultipartUpload", "s3:PutObject"),
        ("UploadPart", "s3:PutObject"),
        ("CompleteMultipartUpload", "s3:PutObject"),
        ("DeleteObjects", "s3:DeleteObject"),
        ("ListParts", "s3:ListMultipartUploadParts"),
        ("GetBucketLifecycle", "s3:GetLifecycleConfiguration"),
        ("PutBucketEncryption", "s3:PutEncryptionConfiguration"),
        ("DeleteBucketTagging", "s3:PutBucketTagging"),
        ("DeleteBucketCors", "s3:PutBucketCORS"),
        ("GetBucketCors", "s3:GetBucketCORS"),
        ("PutBucketNotification", "s3:PutBucketNotification"),
    ] {
        assert_eq!(primary("s3.amazonaws.com", operation), [action], "{operation}");
    }
    assert_eq!(
        primary("s3.amazonaws.com", "CopyObject"),
        ["s3:GetObject", "s3:PutObject"]
    );
}

#[test]
fn event_source_is_not_always_the_prefix() {
    for (source, name, action) in [
        (
            "monitoring.amazonaws.com",
            "PutMetricAlarm",
            "cloudwatch:PutMetricAlarm",
        ),
        ("email.amazonaws.com", "SendEmail", "ses:SendEmail"),
        ("tagging.amazonaws.com", "GetResources", "tag:GetResources"),
        ("streams.dynamodb.amazonaws.com", "GetRecords", "dynamodb:GetRecords"),
        ("amazonmq.amazonaws.com", "CreateBroker", "mq:CreateBroker"),
        ("opensearchservice.amazonaws.com", "CreateDomain", "es:CreateDomain"),
    ] {
        assert_eq!(primary(source, name), [action], "{source}");
    }
}

#[test]
fn version_suffix_of_an_event_name_does_not_matter() {
    for (source, name, action) in [
        (
            "lambda.amazonaws.com",
            "CreateFunction20150331",
            "lambda:CreateFunction",
        ),
        (
            "lambda.amazonaws.com",
            "UpdateFunctionCode20150331v2",
            "lambda:UpdateFunctionCode",
        ),
        (
            "cloudfront.amazonaws.com",
            "GetDistribution2020_05_31",
            "cloudfront:GetDistribution",
        ),
    ] {
        assert_eq!(primary(source, name), [action], "{name}");
    }
}

#[test]
fn kms_re_encryption_needs_both_of_its_actions() {
    assert_eq!(
        primary("kms.amazonaws.com", "ReEncrypt"),
        ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
    );
}

#[test]
fn api_gateway_call_is_a_verb_on_a_path() {
    let outcome = outcome("apigateway.amazonaws.com", "GetRestApi", r#"{"restApiId":"a1b2"}"#);
    assert_eq!(names(&outcome, Class::Primary), ["apigateway:GET"]);
    assert_eq!(
        arns(&outcome, "apigateway:GET"),
        ["arn:aws:apigateway:eu-west-1::/restapis/a1b2"]
    );
}

#[test]
fn unknown_operation_is_reported_and_never_guessed() {
    for (source, name) in [
        ("ec2.amazonaws.com", "FlyToTheMoon"),
        ("madeup.amazonaws.com", "GetObject"),
        ("", ""),
        ("s3.amazonaws.com", "*"),
    ] {
        let outcome = outcome(source, name, "{}");
        assert_eq!(
            (outcome.verdict.name(), outcome.actions.len()),
            ("unmapped", 0),
            "{source} {name}"
        );
        assert!(!outcome.verdict.reason().is_empty() && !outcome.confidence.is_certain());
    }
}

#[test]
fn call_that_needs_no_permission_is_no_use() {
    let outcome = outcome("sts.amazonaws.com", "GetCallerIdentity", "{}");
    assert_eq!(
        (outcome.verdict.name(), outcome.proven().count()),
        ("permissionless", 0)
    );
}

#[test]
fn caller_without_credentials_uses_no_permission() {
    for (source, name, identity_type) in [
        ("sts.amazonaws.com", "AssumeRoleWithWebIdentity", "WebIdentityUser"),
        ("sts.amazonaws.com", "AssumeRoleWithSAML", "SAMLUser"),
        ("cognito-idp.amazonaws.com", "InitiateAuth", "Anonymous"),
    ] {
        let event = Call {
            identity_type: Some(identity_type),
            ..call(source, name, "{}")
        };
        assert_eq!(facts().actions_of(&event).verdict, Verdict::Unauthenticated, "{name}");
    }
}

#[test]
fn refused_call_proves_no_use_and_its_message_names_the_action() {
    let message = "User: arn:aws:sts::111122223333:assumed-role/app/s is not authorized to perform: iam:PassRole on \
        resource: arn:aws:iam::111122223333:role/admin because no identity-based policy allows the iam:PassRole action";
    let event = Call {
        error_code: Some("AccessDenied"),
        error_message: Some(message),
        ..call(
            "lambda.amazonaws.com",
            "CreateFunction20150331",
            r#"{"functionName":"f"}"#,
        )
    };
    let outcome = facts().actions_of(&event);
    assert_eq!((outcome.attempt, outcome.proven().count()), (Attempt::Denied, 0));
    assert_eq!(outcome.actions[0].name, "iam:PassRole");
    assert_eq!(arns(&outcome, "iam:PassRole"), ["arn:aws:iam::111122223333:role/admin"]);
    assert_eq!(
        (outcome.confidence, outcome.provenance),
        (Confidence::Stated, Provenance::ErrorMessage)
    );
    assert_eq!(proof(&outcome, "lambda:CreateFunction"), Proof::Possible);
}

#[test]
fn refused_call_without_a_message_is_still_an_attempt() {
    for code in [
        "AccessDenied",
        "Client.UnauthorizedOperation",
        "AccessDeniedException",
        "Forbidden",
        "AuthorizationErrorException",
    ] {
        let event = Call {
            error_code: Some(code),
            ..call("ec2.amazonaws.com", "RunInstances", "{}")
        };
        let outcome = facts().actions_of(&event);
        assert_eq!(
            (outcome.attempt, outcome.proven().count()),
            (Attempt::Denied, 0),
            "{code}"
        );
        assert_eq!(names(&outcome, Class::Primary), ["ec2:RunInstances"]);
    }
    assert_eq!(Attempt::of(Some("NoSuchBucket"), None), Attempt::Failed);
}

#[test]
fn message_may_name_an_action_that_no_catalogue_has() {
    let event = Call {
        error_code: Some("AccessDenied"),
        error_message: Some("User: x is not authorized to perform: newservice:DoIt"),
        ..call("newservice.amazonaws.com", "DoIt", "{}")
    };
    let outcome = facts().actions_of(&event);
    assert_eq!(
        (&*outcome.actions[0].name, outcome.actions[0].id),
        ("newservice:DoIt", None)
    );
}

#[test]
fn conditional_action_is_proven_by_its_parameter_alone() {
    let read = |parameters| outcome("s3.amazonaws.com", "GetObject", parameters);
    let plain = read(r#"{"bucketName":"b","key":"k"}"#);
    assert_eq!(proof(&plain, "s3:GetObjectVersion"), Proof::Possible);
    assert_eq!(
        plain.proven().map(|action| &*action.name).collect::<Vec<_>>(),
        ["s3:GetObject"]
    );
    let versioned = read(r#"{"bucketName":"b","key":"k","versionId":"3"}"#);
    assert_eq!(proof(&versioned, "s3:GetObjectVersion"), Proof::Parameter("versionId"));
    let tagged = r#"{"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"a","value":"b"}]}]}}"#;
    let run = outcome("ec2.amazonaws.com", "RunInstances", tagged);
    assert!(matches!(proof(&run, "ec2:CreateTags"), Proof::Parameter(_)));
    let untagged = outcome("ec2.amazonaws.com", "RunInstances", r#"{"tagSpecificationSet":{}}"#);
    assert_eq!(proof(&untagged, "ec2:CreateTags"), Proof::Possible);
    let session = outcome(
        "sts.amazonaws.com",
        "AssumeRole",
        r#"{"sourceIdentity":"ana","roleArn":"arn:aws:iam::1:role/r"}"#,
    );
    assert_eq!(
        proof(&session, "sts:SetSourceIdentity"),
        Proof::Parameter("sourceIdentity")
    );
    assert_eq!(proof(&session, "sts:TagSession"), Proof::Possible);
}

#[test]
fn calls_that_launch_or_invoke_with_the_rights_of_the_caller_may_need_these() {
    for (source, name, action) in [
        (
            "autoscaling.amazonaws.com",
            "CreateAutoScalingGroup",
            "ec2:RunInstances",
        ),
        ("autoscaling.amazonaws.com", "UpdateAutoScalingGroup", "ec2:CreateTags"),
        ("autoscaling.amazonaws.com", "StartInstanceRefresh", "ec2:RunInstances"),
        ("ec2.amazonaws.com", "CreateFleet", "ec2:RunInstances"),
        ("ec2.amazonaws.com", "RequestSpotFleet", "ec2:RunInstances"),
        ("ec2.amazonaws.com", "ModifySpotFleetRequest", "ec2:RunInstances"),
        ("secretsmanager.amazonaws.com", "RotateSecret", "lambda:InvokeFunction"),
        ("dynamodb.amazonaws.com", "ExportTableToPointInTime", "s3:PutObject"),
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
fn passed_role_proves_pass_role_and_its_absence_does_not() {
    let roles = ["arn:aws:iam::111122223333:role/task"];
    let event = Call {
        passed_role_arns: &roles,
        ..call("ecs.amazonaws.com", "RegisterTaskDefinition", "{}")
    };
    let passed = facts().actions_of(&event);
    assert_eq!(proof(&passed, "iam:PassRole"), Proof::PassedRole);
    assert_eq!(arns(&passed, "iam:PassRole"), roles);
    let without = outcome("ecs.amazonaws.com", "RegisterTaskDefinition", "{}");
    assert_eq!(names(&without, Class::Dependent), ["iam:PassRole"]);
    assert!(without.proven().all(|action| action.name != "iam:PassRole"));
}

#[test]
fn key_use_on_behalf_of_a_caller_is_possible_unless_the_object_is_not_encrypted_with_kms() {
    let read = |additional| {
        facts().actions_of(&Call {
            additional_event_data: additional,
            ..call("s3.amazonaws.com", "GetObject", r#"{"bucketName":"b","key":"k"}"#)
        })
    };
    let forwarded = Proof::ForwardAccess("s3");
    assert_eq!(
        proof(&read(Some(r#"{"SSEApplied":"SSE_KMS"}"#)), "kms:Decrypt"),
        forwarded
    );
    assert_eq!(proof(&read(None), "kms:Decrypt"), forwarded);
    let plain = read(Some(r#"{"SSEApplied":"Default_SSE_S3"}"#));
    assert!(plain.actions.iter().all(|action| action.name != "kms:Decrypt"));
    let direct = outcome("kms.amazonaws.com", "Decrypt", "{}");
    assert_eq!(names(&direct, Class::Primary), ["kms:Decrypt"]);
}

#[test]
fn source_of_several_services_is_divided_by_what_the_request_holds() {
    let scaling = |parameters| outcome("autoscaling.amazonaws.com", "DeleteScheduledAction", parameters);
    let application = scaling(r#"{"serviceNamespace":"ecs"}"#);
    assert_eq!(
        names(&application, Class::Primary),
        ["application-autoscaling:DeleteScheduledAction"]
    );
    assert!(application.confidence.is_certain());
    assert_eq!(
        names(&scaling(r#"{"autoScalingGroupName":"g"}"#), Class::Primary),
        ["autoscaling:DeleteScheduledAction"]
    );
    let object = |bucket| outcome("s3.amazonaws.com", "GetObject", bucket);
    assert_eq!(
        names(&object(r#"{"bucketName":"b--euw1-az1--x-s3"}"#), Class::Primary),
        ["s3express:CreateSession"]
    );
    assert_eq!(
        names(&object(r#"{"bucketName":"b"}"#), Class::Primary),
        ["s3:GetObject"]
    );
}

#[test]
fn source_of_several_services_without_a_hint_is_ambiguous() {
    let outcome = facts().actions_of(&Call {
        event_source: "autoscaling.amazonaws.com",
        event_name: "DeleteScheduledAction",
        ..Call::default()
    });
    assert_eq!(outcome.confidence, Confidence::Ambiguous);
    assert_eq!(
        proof(&outcome, "application-autoscaling:DeleteScheduledAction"),
        Proof::Possible
    );
}

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
            r#"{"functionName":"pay:live"}"#,
            "lambda:UpdateFunctionCode",
            vec!["arn:aws:lambda:eu-west-1:111122223333:function:pay"],
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
    let parameters = r#"{"bucketName":"out","key":"b","x-amz-copy-source":"/in/a%20b?versionId=1"}"#;
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

proptest! {
    #[test]
    fn any_record_is_survived_and_no_action_is_invented(
        source in "[a-z0-9.-]{0,16}|s3.amazonaws.com|ec2.amazonaws.com|autoscaling.amazonaws.com|lambda.amazonaws.com",
        name in "[A-Za-z0-9_ ]{0,20}|RunInstances|GetObject|DeleteScheduledAction|CreateFunction20150331|.{0,6}",
        parameters in r#".{0,40}|\{"(bucketName|tags|instanceId|functionName)":"[ -~]{0,20}"\}|\{"functionName":("|\[)*"#,
        message in ".{0,30}|is not authorized to perform: [a-z0-9]{1,6}:[A-Za-z*]{1,8}",
        arn in "arn:.{0,30}",
    ) {
        let resource_arns = [arn.as_str()];
        let event = Call {
            error_code: (!message.is_empty()).then_some("AccessDenied"),
            error_message: (!message.is_empty()).then_some(message.as_str()),
            resource_arns: &resource_arns,
            passed_role_arns: &resource_arns,
            ..call(&source, &name, &parameters)
        };
        let outcome = facts().actions_of(&event);
        for action in &outcome.actions {
            let known = action.id.map(|id| facts().name(id));
            prop_assert!(known == Some(&*action.name) || (known.is_none() && action.proof == Proof::Message));
        }
        prop_assert!(outcome.verdict == Verdict::Actions || outcome.actions.is_empty());
    }
}
