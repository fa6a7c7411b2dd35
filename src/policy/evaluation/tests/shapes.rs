//! The shapes of control policies that organizations use, each with requests that it must deny, leave alone, or cannot be
//! decided on. The texts are our own; the shapes are those of AWS's examples.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::iam::json::Json;

/// A control policy of one statement that denies, and what it makes of requests.
struct Shape {
    name: &'static str,
    is_of_resources: bool,
    statement: Value,
    asks: Vec<Ask>,
}

/// A request: action, resource, condition keys (`?` for a value that is not known), and what must come out.
type Ask = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const DENIED: &str = "denied";
const ALLOWED: &str = "allowed";
const UNKNOWN: &str = "unknown";
const BUCKET: &str = "arn:aws:s3:::ledger/a";
const INSTANCE: &str = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
const IMAGE: &str = "arn:aws:ec2:eu-west-1::image/ami-1";
const VOLUME: &str = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:f";
const PROTECTED: &str = "arn:aws:iam::111122223333:role/security/auditor";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:q";

/// A service control policy that denies actions on everything under a condition.
fn service(name: &'static str, action: &Value, condition: &Value, asks: &[Ask]) -> Shape {
    on(name, action, &json!("*"), condition, asks)
}

fn on(name: &'static str, action: &Value, resource: &Value, condition: &Value, asks: &[Ask]) -> Shape {
    Shape {
        name,
        is_of_resources: false,
        statement: json!({"Sid": "S", "Effect": "Deny", "Action": action, "Resource": resource, "Condition": condition}),
        asks: asks.to_vec(),
    }
}

/// A resource control policy that denies actions to everybody under a condition.
fn resource(name: &'static str, action: &Value, condition: &Value, asks: &[Ask]) -> Shape {
    Shape {
        name,
        is_of_resources: true,
        statement: json!({"Sid": "S", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", "Condition": condition}),
        asks: asks.to_vec(),
    }
}

fn come_to(shape: &Shape, (action, resource, keys, _): &Ask) -> &'static str {
    let document = |statement: &Value| {
        let value = json!({"Version": "2012-10-17", "Statement": [statement]});
        let document = Document::from_json(&Json::parse(&value.to_string()).unwrap()).unwrap();
        assert!(document.is_complete(), "{}", shape.name);
        document
    };
    let (full, own) = (allow(""), document(&shape.statement));
    let everybody = grant(r#""*""#);
    let level = |policies: &[(&'static str, &'static Document)]| {
        Stated::Known(vec![Level {
            node: "ou",
            policies: policies
                .iter()
                .map(|(name, document)| NamedPolicy::new(name, document))
                .collect(),
        }])
    };
    // Documents outlive the policies that name them.
    let (full, own, everybody): (&'static Document, &'static Document, &'static Document) = (
        Box::leak(Box::new(full)),
        Box::leak(Box::new(own)),
        Box::leak(Box::new(everybody)),
    );
    let control = level(&[("FullAWSAccess", full), ("shape", own)]);
    let mut policies = PolicySet {
        identity: many(full),
        resource: one(everybody),
        ..PolicySet::none()
    };
    match shape.is_of_resources {
        true => policies.resource_control = level(&[("shape", own)]),
        false => policies.service_control = control,
    }
    let mut asked = request(session(), action, resource);
    for (key, value) in *keys {
        match *value {
            "?" => asked.context.set(key, KeyState::Unknown),
            _ => asked
                .context
                .set(key, KeyState::Present(value.split('|').map(str::to_owned).collect())),
        }
    }
    match evaluate(&asked, &policies) {
        Decision::Allowed { .. } => ALLOWED,
        Decision::ExplicitlyDenied { by } if by.policy == "shape" => DENIED,
        Decision::Unknown { .. } => UNKNOWN,
        other => panic!("{}: {other}", shape.name),
    }
}

fn check(shapes: &[Shape]) {
    for shape in shapes {
        for ask in &shape.asks {
            assert_eq!(
                come_to(shape, ask),
                ask.3,
                "{}: {} {} {:?}",
                shape.name,
                ask.0,
                ask.1,
                ask.2
            );
        }
    }
}

#[test]
fn shapes_that_protect_the_organization_and_its_recorders() {
    let nothing = json!({});
    let not_by = |role: &str| json!({"ArnNotLike": {"aws:PrincipalArn": role}});
    let shapes = [
        service(
            "leave-organization",
            &json!("organizations:LeaveOrganization"),
            &nothing,
            &[
                ("organizations:LeaveOrganization", "*", &[], DENIED),
                ("organizations:DescribeOrganization", "*", &[], ALLOWED),
            ],
        ),
        service(
            "root-user",
            &json!("*"),
            &json!({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}),
            &[
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:PrincipalArn", "arn:aws:iam::111122223333:root")],
                    DENIED,
                ),
                ("s3:GetObject", BUCKET, &[("aws:PrincipalArn", ROLE)], ALLOWED),
                ("s3:GetObject", BUCKET, &[("aws:PrincipalArn", "?")], UNKNOWN),
            ],
        ),
        service(
            "stop-trail",
            &json!([
                "cloudtrail:StopLogging",
                "cloudtrail:DeleteTrail",
                "cloudtrail:UpdateTrail"
            ]),
            &nothing,
            &[
                ("cloudtrail:StopLogging", "*", &[], DENIED),
                ("cloudtrail:LookupEvents", "*", &[], ALLOWED),
            ],
        ),
        service(
            "stop-recorder",
            &json!(["config:Delete*", "config:StopConfigurationRecorder"]),
            &nothing,
            &[
                ("config:DeleteConfigRule", "*", &[], DENIED),
                ("config:PutConfigRule", "*", &[], ALLOWED),
            ],
        ),
        service(
            "stop-detector",
            &json!(["guardduty:Disassociate*", "guardduty:DeleteDetector"]),
            &not_by("arn:aws:iam::*:role/security/*"),
            &[
                ("guardduty:DeleteDetector", "*", &[("aws:PrincipalArn", ROLE)], DENIED),
                (
                    "guardduty:DeleteDetector",
                    "*",
                    &[("aws:PrincipalArn", PROTECTED)],
                    ALLOWED,
                ),
                ("guardduty:DeleteDetector", "*", &[("aws:PrincipalArn", "?")], UNKNOWN),
            ],
        ),
        service(
            "stop-hub",
            &json!("securityhub:Disable*"),
            &nothing,
            &[
                ("securityhub:DisableSecurityHub", "*", &[], DENIED),
                ("securityhub:EnableSecurityHub", "*", &[], ALLOWED),
            ],
        ),
        service(
            "delete-flow-logs",
            &json!(["ec2:DeleteFlowLogs", "logs:DeleteLog*"]),
            &nothing,
            &[
                ("logs:DeleteLogGroup", "*", &[], DENIED),
                ("logs:DescribeLogGroups", "*", &[], ALLOWED),
            ],
        ),
        on(
            "protected-role",
            &json!("iam:*"),
            &json!("arn:aws:iam::*:role/security/*"),
            &not_by("arn:aws:iam::*:role/admin"),
            &[
                ("iam:DeleteRole", PROTECTED, &[("aws:PrincipalArn", ROLE)], DENIED),
                (
                    "iam:DeleteRole",
                    "arn:aws:iam::111122223333:role/app",
                    &[("aws:PrincipalArn", ROLE)],
                    ALLOWED,
                ),
                (
                    "iam:DeleteRole",
                    PROTECTED,
                    &[("aws:PrincipalArn", "arn:aws:iam::111122223333:role/admin")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "long-lived-keys",
            &json!(["iam:CreateAccessKey", "iam:CreateUser", "iam:CreateLoginProfile"]),
            &nothing,
            &[
                ("iam:CreateUser", "arn:aws:iam::111122223333:user/x", &[], DENIED),
                ("iam:CreateRole", PROTECTED, &[], ALLOWED),
            ],
        ),
        service(
            "open-regions",
            &json!(["account:EnableRegion", "account:DisableRegion"]),
            &nothing,
            &[
                ("account:EnableRegion", "*", &[], DENIED),
                ("account:ListRegions", "*", &[], ALLOWED),
            ],
        ),
        service(
            "buy",
            &json!(["ec2:Purchase*", "savingsplans:Create*", "aws-marketplace:Subscribe"]),
            &nothing,
            &[
                ("ec2:PurchaseReservedInstancesOffering", "*", &[], DENIED),
                ("ec2:DescribeInstances", "*", &[], ALLOWED),
            ],
        ),
        service(
            "until-a-day",
            &json!("*"),
            &json!({"DateGreaterThan": {"aws:CurrentTime": "2026-10-01T00:00:00Z"}}),
            &[
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:CurrentTime", "2026-10-02T00:00:00Z")],
                    DENIED,
                ),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:CurrentTime", "2026-09-02T00:00:00Z")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "session-age",
            &json!("*"),
            &json!({"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}),
            &[
                ("s3:GetObject", BUCKET, &[("aws:MultiFactorAuthAge", "4000")], DENIED),
                ("s3:GetObject", BUCKET, &[("aws:MultiFactorAuthAge", "60")], ALLOWED),
            ],
        ),
    ];
    check(&shapes);
}

#[test]
fn shapes_that_hold_to_regions_tags_and_kinds_of_machines() {
    let region = Shape {
        name: "region",
        is_of_resources: false,
        statement: json!({"Effect": "Deny", "NotAction": ["iam:*", "sts:*", "s3:ListAllMyBuckets"], "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]},
                "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/break-glass/*"]}}}),
        asks: vec![
            (
                "ec2:RunInstances",
                INSTANCE,
                &[("aws:RequestedRegion", "us-east-1"), ("aws:PrincipalArn", ROLE)],
                DENIED,
            ),
            (
                "ec2:RunInstances",
                INSTANCE,
                &[("aws:RequestedRegion", "eu-west-1"), ("aws:PrincipalArn", ROLE)],
                ALLOWED,
            ),
            (
                "iam:GetRole",
                PROTECTED,
                &[("aws:RequestedRegion", "us-east-1"), ("aws:PrincipalArn", ROLE)],
                ALLOWED,
            ),
            (
                "ec2:RunInstances",
                INSTANCE,
                &[
                    ("aws:RequestedRegion", "us-east-1"),
                    ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/break-glass/x"),
                ],
                ALLOWED,
            ),
            (
                "ec2:RunInstances",
                INSTANCE,
                &[("aws:RequestedRegion", "?"), ("aws:PrincipalArn", ROLE)],
                UNKNOWN,
            ),
        ],
    };
    let run = json!("ec2:RunInstances");
    let instances = json!("arn:aws:ec2:*:*:instance/*");
    let shapes = [
        region,
        on(
            "tag-on-create",
            &run,
            &json!(["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*"]),
            &json!({"Null": {"aws:RequestTag/cost-center": "true"}}),
            &[
                ("ec2:RunInstances", INSTANCE, &[], DENIED),
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("aws:RequestTag/cost-center", "7")],
                    ALLOWED,
                ),
                ("ec2:RunInstances", IMAGE, &[], ALLOWED),
                (
                    "ec2:RunInstances",
                    VOLUME,
                    &[("aws:RequestTag/cost-center", "?")],
                    UNKNOWN,
                ),
            ],
        ),
        on(
            "tag-values",
            &run,
            &instances,
            &json!({"StringNotEquals": {"aws:RequestTag/stage": ["prod", "test"]}}),
            &[
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("aws:RequestTag/stage", "wild")],
                    DENIED,
                ),
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("aws:RequestTag/stage", "prod")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "tag-keys",
            &json!("ec2:CreateTags"),
            &json!({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["stage", "owner"]}}),
            &[
                ("ec2:CreateTags", INSTANCE, &[("aws:TagKeys", "stage|secret")], DENIED),
                ("ec2:CreateTags", INSTANCE, &[("aws:TagKeys", "stage|owner")], ALLOWED),
            ],
        ),
        service(
            "tag-of-the-principal",
            &json!(["ec2:CreateTags", "ec2:DeleteTags"]),
            &json!({"StringNotEquals": {"ec2:ResourceTag/project": "${aws:PrincipalTag/project}"}}),
            &[
                (
                    "ec2:DeleteTags",
                    INSTANCE,
                    &[("ec2:ResourceTag/project", "a"), ("aws:PrincipalTag/project", "b")],
                    DENIED,
                ),
                (
                    "ec2:DeleteTags",
                    INSTANCE,
                    &[("ec2:ResourceTag/project", "a"), ("aws:PrincipalTag/project", "a")],
                    ALLOWED,
                ),
                (
                    "ec2:DeleteTags",
                    INSTANCE,
                    &[("ec2:ResourceTag/project", "a"), ("aws:PrincipalTag/project", "?")],
                    UNKNOWN,
                ),
            ],
        ),
        on(
            "instance-types",
            &run,
            &instances,
            &json!({"StringNotLike": {"ec2:InstanceType": ["t3.*", "m7g.large"]}}),
            &[
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("ec2:InstanceType", "p5.48xlarge")],
                    DENIED,
                ),
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("ec2:InstanceType", "t3.micro")],
                    ALLOWED,
                ),
            ],
        ),
        on(
            "metadata-tokens",
            &run,
            &instances,
            &json!({"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}}),
            &[
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("ec2:MetadataHttpTokens", "optional")],
                    DENIED,
                ),
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("ec2:MetadataHttpTokens", "required")],
                    ALLOWED,
                ),
            ],
        ),
        on(
            "metadata-hops",
            &run,
            &instances,
            &json!({"NumericGreaterThan": {"ec2:MetadataHttpPutResponseHopLimit": "2"}}),
            &[
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("ec2:MetadataHttpPutResponseHopLimit", "3")],
                    DENIED,
                ),
                (
                    "ec2:RunInstances",
                    INSTANCE,
                    &[("ec2:MetadataHttpPutResponseHopLimit", "2")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "role-delivery",
            &json!("*"),
            &json!({"NumericLessThan": {"ec2:RoleDelivery": "2.0"}}),
            &[
                ("s3:GetObject", BUCKET, &[("ec2:RoleDelivery", "1.0")], DENIED),
                ("s3:GetObject", BUCKET, &[("ec2:RoleDelivery", "2.0")], ALLOWED),
                ("s3:GetObject", BUCKET, &[], ALLOWED),
            ],
        ),
        on(
            "unencrypted-volume",
            &run,
            &json!("arn:aws:ec2:*:*:volume/*"),
            &json!({"Bool": {"ec2:Encrypted": "false"}}),
            &[
                ("ec2:RunInstances", VOLUME, &[("ec2:Encrypted", "false")], DENIED),
                ("ec2:RunInstances", VOLUME, &[("ec2:Encrypted", "true")], ALLOWED),
            ],
        ),
        on(
            "image-owner",
            &run,
            &json!("arn:aws:ec2:*::image/*"),
            &json!({"StringNotEquals": {"ec2:Owner": ["amazon", "444455556666"]}}),
            &[
                ("ec2:RunInstances", IMAGE, &[("ec2:Owner", "999999999999")], DENIED),
                ("ec2:RunInstances", IMAGE, &[("ec2:Owner", "amazon")], ALLOWED),
                ("ec2:RunInstances", INSTANCE, &[], ALLOWED),
            ],
        ),
    ];
    check(&shapes);
}

#[test]
fn shapes_that_guard_what_may_be_handed_out() {
    let outside = json!({"Bool": {"ram:RequestedAllowsExternalPrincipals": "true"}});
    let no_device = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
    let shapes = [
        service(
            "without-device",
            &json!(["ec2:StopInstances", "ec2:TerminateInstances"]),
            &no_device,
            &[
                (
                    "ec2:StopInstances",
                    INSTANCE,
                    &[("aws:MultiFactorAuthPresent", "false")],
                    DENIED,
                ),
                ("ec2:StopInstances", INSTANCE, &[], DENIED),
                (
                    "ec2:StopInstances",
                    INSTANCE,
                    &[("aws:MultiFactorAuthPresent", "true")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "share-outside",
            &json!("ram:CreateResourceShare"),
            &outside,
            &[
                (
                    "ram:CreateResourceShare",
                    "*",
                    &[("ram:RequestedAllowsExternalPrincipals", "true")],
                    DENIED,
                ),
                (
                    "ram:CreateResourceShare",
                    "*",
                    &[("ram:RequestedAllowsExternalPrincipals", "false")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "publish-image",
            &json!("ec2:ModifyImageAttribute"),
            &json!({"StringEquals": {"ec2:Add/group": "all"}}),
            &[
                ("ec2:ModifyImageAttribute", IMAGE, &[("ec2:Add/group", "all")], DENIED),
                ("ec2:ModifyImageAttribute", IMAGE, &[], ALLOWED),
            ],
        ),
        service(
            "public-acl",
            &json!(["s3:PutObject", "s3:PutObjectAcl"]),
            &json!({"StringEquals": {"s3:x-amz-acl": ["public-read", "public-read-write"]}}),
            &[
                ("s3:PutObject", BUCKET, &[("s3:x-amz-acl", "public-read")], DENIED),
                ("s3:PutObject", BUCKET, &[("s3:x-amz-acl", "private")], ALLOWED),
            ],
        ),
        service(
            "unencrypted-object",
            &json!("s3:PutObject"),
            &json!({"Null": {"s3:x-amz-server-side-encryption": "true"}}),
            &[
                ("s3:PutObject", BUCKET, &[], DENIED),
                (
                    "s3:PutObject",
                    BUCKET,
                    &[("s3:x-amz-server-side-encryption", "aws:kms")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "plain-transport",
            &json!("s3:*"),
            &json!({"Bool": {"aws:SecureTransport": "false"}}),
            &[
                ("s3:GetObject", BUCKET, &[("aws:SecureTransport", "false")], DENIED),
                ("s3:GetObject", BUCKET, &[("aws:SecureTransport", "true")], ALLOWED),
            ],
        ),
        service(
            "open-function",
            &json!(["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"]),
            &json!({"StringNotEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}),
            &[
                (
                    "lambda:CreateFunctionUrlConfig",
                    FUNCTION,
                    &[("lambda:FunctionUrlAuthType", "NONE")],
                    DENIED,
                ),
                (
                    "lambda:CreateFunctionUrlConfig",
                    FUNCTION,
                    &[("lambda:FunctionUrlAuthType", "AWS_IAM")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "function-without-network",
            &json!("lambda:CreateFunction"),
            &json!({"Null": {"lambda:VpcIds": "true"}}),
            &[
                ("lambda:CreateFunction", FUNCTION, &[], DENIED),
                (
                    "lambda:CreateFunction",
                    FUNCTION,
                    &[("lambda:VpcIds", "vpc-1")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "pass-role",
            &json!("iam:PassRole"),
            &json!({"StringNotEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}}),
            &[
                (
                    "iam:PassRole",
                    PROTECTED,
                    &[("iam:PassedToService", "glue.amazonaws.com")],
                    DENIED,
                ),
                (
                    "iam:PassRole",
                    PROTECTED,
                    &[("iam:PassedToService", "ec2.amazonaws.com")],
                    ALLOWED,
                ),
            ],
        ),
        service(
            "open-network",
            &json!([
                "ec2:CreateInternetGateway",
                "ec2:AttachInternetGateway",
                "ec2:CreateVpcPeeringConnection"
            ]),
            &json!({}),
            &[
                ("ec2:AttachInternetGateway", "*", &[], DENIED),
                ("ec2:CreateVpc", "*", &[], ALLOWED),
            ],
        ),
        service(
            "delete-key-soon",
            &json!("kms:ScheduleKeyDeletion"),
            &json!({"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}),
            &[
                (
                    "kms:ScheduleKeyDeletion",
                    KEY,
                    &[("kms:ScheduleKeyDeletionPendingWindowInDays", "7")],
                    DENIED,
                ),
                (
                    "kms:ScheduleKeyDeletion",
                    KEY,
                    &[("kms:ScheduleKeyDeletionPendingWindowInDays", "30")],
                    ALLOWED,
                ),
            ],
        ),
        on(
            "keep-backups",
            &json!(["s3:DeleteObject*", "s3:PutLifecycleConfiguration"]),
            &json!(["arn:aws:s3:::backup-*", "arn:aws:s3:::backup-*/*"]),
            &json!({}),
            &[
                ("s3:DeleteObjectVersion", "arn:aws:s3:::backup-eu/a", &[], DENIED),
                ("s3:DeleteObject", BUCKET, &[], ALLOWED),
            ],
        ),
        service(
            "foreign-resources",
            &json!(["s3:PutObject", "sqs:SendMessage"]),
            &json!({"StringNotEqualsIfExists": {"aws:ResourceOrgID": "o-1"}, "ForAllValues:StringNotEquals": {"aws:CalledVia": "dataexchange.amazonaws.com"}}),
            &[
                ("s3:PutObject", BUCKET, &[("aws:ResourceOrgID", "o-2")], DENIED),
                ("s3:PutObject", BUCKET, &[("aws:ResourceOrgID", "o-1")], ALLOWED),
                (
                    "s3:PutObject",
                    BUCKET,
                    &[
                        ("aws:ResourceOrgID", "o-2"),
                        ("aws:CalledVia", "dataexchange.amazonaws.com"),
                    ],
                    ALLOWED,
                ),
                ("s3:PutObject", BUCKET, &[("aws:ResourceOrgID", "?")], UNKNOWN),
            ],
        ),
        service(
            "foreign-network",
            &json!("*"),
            &json!({"NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24"]}, "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}),
            &[
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:SourceIp", "198.51.100.7"), ("aws:ViaAWSService", "false")],
                    DENIED,
                ),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:SourceIp", "203.0.113.9"), ("aws:ViaAWSService", "false")],
                    ALLOWED,
                ),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:SourceVpc", "vpc-1"), ("aws:ViaAWSService", "false")],
                    ALLOWED,
                ),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:SourceIp", "198.51.100.7"), ("aws:ViaAWSService", "true")],
                    ALLOWED,
                ),
            ],
        ),
    ];
    check(&shapes);
}

#[test]
fn shapes_of_policies_on_resources() {
    let perimeter = json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
    let deputy = json!({"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1"}, "Null": {"aws:SourceAccount": "false"}, "Bool": {"aws:PrincipalIsAWSService": "true"}});
    let network = json!({"NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}, "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1", "aws:PrincipalTag/dp:exclude": "true"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}});
    let github = json!({"StringNotLikeIfExists": {"token.actions.githubusercontent.com:sub": "repo:example-org/*"}, "Null": {"token.actions.githubusercontent.com:aud": "false"}});
    let shapes = [
        resource(
            "only-own-principals",
            &json!(["s3:*", "sqs:*", "kms:*"]),
            &perimeter,
            &[
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:PrincipalOrgID", "o-2"), ("aws:PrincipalIsAWSService", "false")],
                    DENIED,
                ),
                ("s3:GetObject", BUCKET, &[], DENIED),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:PrincipalOrgID", "o-1"), ("aws:PrincipalIsAWSService", "false")],
                    ALLOWED,
                ),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:PrincipalIsAWSService", "true")],
                    ALLOWED,
                ),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:PrincipalOrgID", "?"), ("aws:PrincipalIsAWSService", "false")],
                    UNKNOWN,
                ),
            ],
        ),
        resource(
            "confused-deputy",
            &json!(["s3:*", "sqs:*"]),
            &deputy,
            &[
                (
                    "sqs:SendMessage",
                    QUEUE,
                    &[
                        ("aws:SourceAccount", "9"),
                        ("aws:SourceOrgID", "o-2"),
                        ("aws:PrincipalIsAWSService", "true"),
                    ],
                    DENIED,
                ),
                (
                    "sqs:SendMessage",
                    QUEUE,
                    &[
                        ("aws:SourceAccount", "1"),
                        ("aws:SourceOrgID", "o-1"),
                        ("aws:PrincipalIsAWSService", "true"),
                    ],
                    ALLOWED,
                ),
                (
                    "sqs:SendMessage",
                    QUEUE,
                    &[("aws:PrincipalIsAWSService", "false")],
                    ALLOWED,
                ),
            ],
        ),
        resource(
            "only-own-network",
            &json!("s3:*"),
            &network,
            &[
                ("s3:GetObject", BUCKET, &[("aws:SourceIp", "198.51.100.7")], DENIED),
                ("s3:GetObject", BUCKET, &[("aws:SourceIp", "203.0.113.9")], ALLOWED),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[
                        ("aws:SourceIp", "198.51.100.7"),
                        ("aws:PrincipalTag/dp:exclude", "true"),
                    ],
                    ALLOWED,
                ),
                (
                    "s3:GetObject",
                    BUCKET,
                    &[("aws:SourceIp", "198.51.100.7"), ("aws:SourceVpc", "?")],
                    UNKNOWN,
                ),
            ],
        ),
        resource(
            "encrypted-transport",
            &json!(["s3:*", "secretsmanager:*"]),
            &json!({"BoolIfExists": {"aws:SecureTransport": "false"}}),
            &[
                ("s3:GetObject", BUCKET, &[("aws:SecureTransport", "false")], DENIED),
                ("s3:GetObject", BUCKET, &[("aws:SecureTransport", "true")], ALLOWED),
            ],
        ),
        resource(
            "transport-version",
            &json!("s3:*"),
            &json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
            &[
                ("s3:GetObject", BUCKET, &[("s3:TlsVersion", "1.1")], DENIED),
                ("s3:GetObject", BUCKET, &[("s3:TlsVersion", "1.3")], ALLOWED),
            ],
        ),
        resource(
            "key-grants",
            &json!("kms:CreateGrant"),
            &json!({"Bool": {"kms:GrantIsForAWSResource": "false"}}),
            &[
                (
                    "kms:CreateGrant",
                    KEY,
                    &[("kms:GrantIsForAWSResource", "false")],
                    DENIED,
                ),
                (
                    "kms:CreateGrant",
                    KEY,
                    &[("kms:GrantIsForAWSResource", "true")],
                    ALLOWED,
                ),
            ],
        ),
        resource(
            "token-subjects",
            &json!("sts:AssumeRoleWithWebIdentity"),
            &github,
            &[
                (
                    "sts:AssumeRoleWithWebIdentity",
                    PROTECTED,
                    &[
                        ("token.actions.githubusercontent.com:aud", "sts"),
                        ("token.actions.githubusercontent.com:sub", "repo:evil/x:y"),
                    ],
                    DENIED,
                ),
                (
                    "sts:AssumeRoleWithWebIdentity",
                    PROTECTED,
                    &[
                        ("token.actions.githubusercontent.com:aud", "sts"),
                        ("token.actions.githubusercontent.com:sub", "repo:example-org/x:y"),
                    ],
                    ALLOWED,
                ),
                ("sts:AssumeRoleWithWebIdentity", PROTECTED, &[], ALLOWED),
            ],
        ),
        resource(
            "excluded-by-tag",
            &json!("secretsmanager:*"),
            &json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1", "aws:ResourceTag/dp:exclude": "true"}}),
            &[
                (
                    "secretsmanager:GetSecretValue",
                    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s",
                    &[("aws:PrincipalOrgID", "o-2")],
                    DENIED,
                ),
                (
                    "secretsmanager:GetSecretValue",
                    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s",
                    &[("aws:PrincipalOrgID", "o-2"), ("aws:ResourceTag/dp:exclude", "true")],
                    ALLOWED,
                ),
            ],
        ),
    ];
    check(&shapes);
}

/// Not every service is bound by policies on resources, and of those that AWS adds it is not known.
#[test]
fn policy_on_resources_of_a_service_that_may_not_be_bound_is_unknown() {
    let shape = resource(
        "tables",
        &json!("glue:*"),
        &json!({"BoolIfExists": {"aws:SecureTransport": "false"}}),
        &[],
    );
    let ask: Ask = (
        "glue:GetTable",
        "arn:aws:glue:eu-west-1:111122223333:table/d/t",
        &[("aws:SecureTransport", "false")],
        UNKNOWN,
    );
    assert_eq!(come_to(&shape, &ask), UNKNOWN);
}
