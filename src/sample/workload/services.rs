//! AWS services: service-linked roles, and services that act for themselves.

use super::super::call::Call;
use super::super::estate::Account;
use super::super::estate::DEV;
use super::super::estate::LOG_ARCHIVE;
use super::super::estate::MANAGEMENT;
use super::super::estate::PROD;
use super::super::estate::Role;
use super::Entry;
use super::Rhythm;
use super::Workload;

pub(in crate::sample) static WORKLOADS: [&Workload; 6] = [
    &CONFIG_PROD,
    &CONFIG_DEV,
    &AUTO_SCALING,
    &GUARDDUTY,
    &TRAIL_DELIVERY,
    &ORGANIZATION_SYNC,
];
pub(in crate::sample) static ROLES: [&Role; 5] = [
    &CONFIG_PROD_ROLE,
    &CONFIG_DEV_ROLE,
    &AUTO_SCALING_ROLE,
    &GUARDDUTY_ROLE,
    &ORGANIZATION_SYNC_ROLE,
];

const CONFIG_CALLS: &[(u64, Call)] = &[
    (
        4,
        Call::read("ec2", "DescribeSecurityGroups")
            .request(r#"{"maxResults":1000,"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}"#),
    ),
    (
        3,
        Call::read("ec2", "DescribeVolumes").request(r#"{"maxResults":500,"volumeSet":{},"filterSet":{}}"#),
    ),
    (3, Call::read("iam", "ListRoles").request(r#"{"maxItems":100}"#)),
    (
        3,
        Call::read("rds", "DescribeDBInstances").request(r#"{"maxRecords":100}"#),
    ),
    (2, Call::read("lambda", "ListFunctions20150331")),
];

const fn linked(role: &'static Role, service: &'static str, weight: u64, calls: &'static [(u64, Call)]) -> Workload {
    Workload {
        entry: Entry::ServiceLinked { role, service },
        agent: service,
        regions: &["eu-west-1", "eu-central-1", "us-west-2"],
        rhythm: Rhythm::Steady,
        weight,
        sessions: 3,
        session_hours: 12,
        calls,
    }
}

const fn config_role(account: &'static Account) -> Role {
    Role::new(account, "/aws-service-role/config.amazonaws.com/", "AWSServiceRoleForConfig")
        .trust(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#)
        .managed(&["arn:aws:iam::aws:policy/aws-service-role/AWSConfigServiceRolePolicy"])
}

pub(in crate::sample) static CONFIG_PROD_ROLE: Role = config_role(&PROD);
static CONFIG_PROD: Workload = linked(&CONFIG_PROD_ROLE, "config.amazonaws.com", 30, CONFIG_CALLS);
pub(in crate::sample) static CONFIG_DEV_ROLE: Role = config_role(&DEV);
static CONFIG_DEV: Workload = linked(&CONFIG_DEV_ROLE, "config.amazonaws.com", 15, CONFIG_CALLS);

pub(in crate::sample) static AUTO_SCALING_ROLE: Role =
    Role::new(&PROD, "/aws-service-role/autoscaling.amazonaws.com/", "AWSServiceRoleForAutoScaling")
        .trust(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"autoscaling.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#)
        .managed(&["arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"]);
static AUTO_SCALING: Workload = linked(
    &AUTO_SCALING_ROLE,
    "autoscaling.amazonaws.com",
    12,
    &[
        (5, Call::read("ec2", "DescribeInstanceStatus").request(r#"{"instancesSet":{"items":[{"instanceId":"i-0<hex16>"}]},"filterSet":{},"includeAllInstances":true}"#)),
        (2, Call::read("elasticloadbalancing", "DescribeTargetHealth").request(r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/checkout/73e2d6bc24d8a067"}"#)),
    ],
);

pub(in crate::sample) static GUARDDUTY_ROLE: Role =
    Role::new(&PROD, "/aws-service-role/guardduty.amazonaws.com/", "AWSServiceRoleForAmazonGuardDuty")
        .trust(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"guardduty.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#)
        .managed(&["arn:aws:iam::aws:policy/aws-service-role/AmazonGuardDutyServiceRolePolicy"]);
static GUARDDUTY: Workload = linked(
    &GUARDDUTY_ROLE,
    "guardduty.amazonaws.com",
    10,
    &[
        (
            3,
            Call::read("ec2", "DescribeInstances").request(r#"{"maxResults":1000,"instancesSet":{},"filterSet":{}}"#),
        ),
        (1, Call::read("eks", "ListClusters").request(r#"{"maxResults":100}"#)),
    ],
);

static TRAIL_DELIVERY: Workload = Workload {
    entry: Entry::Service { service: "cloudtrail.amazonaws.com", account: &LOG_ARCHIVE },
    agent: "cloudtrail.amazonaws.com",
    regions: &["eu-west-1", "eu-central-1", "us-west-2"],
    rhythm: Rhythm::Steady,
    weight: 14,
    sessions: 1,
    session_hours: 24,
    calls: &[
        (3, Call::read("s3", "GetBucketAcl")
            .request(r#"{"bucketName":"example-org-cloudtrail-logs","Host":"example-org-cloudtrail-logs.s3.<region>.amazonaws.com","acl":""}"#)
            .resources(r#"{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::example-org-cloudtrail-logs"}"#)),
        (2, Call::read("kms", "GenerateDataKey")
            .request(r#"{"keySpec":"AES_256","keyId":"arn:aws:kms:<region>:<account>:key/mrk-99998888777766665555444433332222","encryptionContext":{"aws:cloudtrail:arn":"arn:aws:cloudtrail:<region>:123456789012:trail/example-org-trail","aws:s3:arn":"arn:aws:s3:::example-org-cloudtrail-logs/AWSLogs/o-exampleorgid/<hex16>"}}"#)
            .resources(r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/mrk-99998888777766665555444433332222"}"#)),
    ],
};

pub(in crate::sample) static ORGANIZATION_SYNC_ROLE: Role =
    Role::new(&MANAGEMENT, "/aws-service-role/sso.amazonaws.com/", "AWSServiceRoleForSSO")
        .trust(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sso.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#)
        .managed(&["arn:aws:iam::aws:policy/aws-service-role/AWSSSOServiceRolePolicy"]);
static ORGANIZATION_SYNC: Workload = linked(
    &ORGANIZATION_SYNC_ROLE,
    "sso.amazonaws.com",
    6,
    &[
        (2, Call::read("organizations", "DescribeOrganization")),
        (
            2,
            Call::read("organizations", "ListAccounts").request(r#"{"maxResults":20}"#),
        ),
    ],
);
