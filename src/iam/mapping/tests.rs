use proptest::prelude::*;

use super::*;
use crate::iam::Class;

mod besides;
mod resources;
mod tables;

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
    let used = outcome.actions.iter().find(|used| used.name == action);
    used.unwrap_or_else(|| panic!("{action} in {outcome:?}")).proof
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
    assert!(plain.actions.iter().all(|action| action.name != "s3:GetObjectVersion"));
    assert_eq!(
        plain.proven().map(|action| &*action.name).collect::<Vec<_>>(),
        ["s3:GetObject"]
    );
    // Without its parameters nothing says that it was about no version.
    for unknown in ["{}", r#"{"bucketName":"b"}"#] {
        assert_eq!(proof(&read(unknown), "s3:GetObjectVersion"), Proof::Possible);
    }
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
fn call_on_a_version_of_an_object_needs_the_action_on_versions_alone() {
    let proven = |name: &str, parameters: &str| {
        let outcome = outcome("s3.amazonaws.com", name, parameters);
        let proven = outcome.proven().map(|action| action.name.clone().into_owned());
        proven.collect::<Vec<String>>().join(" ")
    };
    let versioned = r#"{"bucketName":"b","key":"k","versionId":"null"}"#;
    for (name, wanted) in [
        ("GetObject", "s3:GetObjectVersion"),
        ("HeadObject", "s3:GetObjectVersion"),
        (
            "GetObjectAttributes",
            "s3:GetObjectVersion s3:GetObjectVersionAttributes",
        ),
        ("GetObjectAcl", "s3:GetObjectVersionAcl"),
        ("PutObjectAcl", "s3:PutObjectVersionAcl"),
        ("GetObjectTagging", "s3:GetObjectVersionTagging"),
        ("PutObjectTagging", "s3:PutObjectVersionTagging"),
        ("DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
        ("DeleteObject", "s3:DeleteObjectVersion"),
        ("PutObject", "s3:PutObject"),
    ] {
        assert_eq!(proven(name, versioned), wanted, "{name}");
    }
    let unversioned = r#"{"bucketName":"b","key":"k","versionId":null}"#;
    assert_eq!(proven("DeleteObject", unversioned), "s3:DeleteObject");
    let copy = r#"{"bucketName":"b","key":"k","x-amz-copy-source":"in/k?versionId=3"}"#;
    for name in ["CopyObject", "UploadPartCopy"] {
        assert_eq!(proven(name, copy), "s3:PutObject s3:GetObjectVersion", "{name}");
    }
    let plain = outcome(
        "s3.amazonaws.com",
        "CopyObject",
        r#"{"bucketName":"b","key":"k","x-amz-copy-source":"in/k"}"#,
    );
    assert!(plain.actions.iter().all(|action| action.name != "s3:GetObjectVersion"));
    // Versions of some of the objects only.
    let several = r#"{"bucketName":"b","delete":{"object":[{"key":"k","versionId":"3"},{"key":"l"}]}}"#;
    assert_eq!(
        proven("DeleteObjects", several),
        "s3:DeleteObject s3:DeleteObjectVersion"
    );
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
