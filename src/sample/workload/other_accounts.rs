//! Workloads of the dev, security and log archive accounts. Their S3 data events are not recorded.

use super::super::call::Call;
use super::super::estate::DEV;
use super::super::estate::LOG_ARCHIVE;
use super::super::estate::PROD;
use super::super::estate::Role;
use super::super::estate::SECURITY;
use super::BOTO;
use super::Entry;
use super::GO;
use super::Rhythm;
use super::TRUST_EC2;
use super::TRUST_LAMBDA;
use super::Workload;
use super::compute::UPDATE_INSTANCE_INFORMATION;
use super::s3_bucket;

pub(in crate::sample) static WORKLOADS: [&Workload; 6] = [
    &SANDBOX_APP,
    &POSTURE_SCANNER,
    &TRIAGE,
    &LOG_RETENTION,
    &AUDIT_PROD,
    &AUDIT_DEV,
];
pub(in crate::sample) static ROLES: [&Role; 6] = [
    &SANDBOX_APP_ROLE,
    &POSTURE_SCANNER_ROLE,
    &TRIAGE_ROLE,
    &LOG_RETENTION_ROLE,
    &SECURITY_AUDIT_PROD_ROLE,
    &SECURITY_AUDIT_DEV_ROLE,
];

/// Its S3 grants cannot be judged: dev's trail records no data events.
pub(in crate::sample) static SANDBOX_APP_ROLE: Role = Role::new(&DEV, "/workloads/", "sandbox-app")
    .trust(TRUST_EC2)
    .instance_profile()
    .managed(&["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"])
    .inline(&[(
        "sandbox",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListAllMyBuckets","sqs:*","ec2:DescribeInstances"],"Resource":"*"}]}"#,
    )]);

static SANDBOX_APP: Workload = Workload {
    entry: Entry::Instance(&SANDBOX_APP_ROLE),
    agent: GO,
    regions: &["eu-west-1", "eu-central-1", "us-west-2"],
    rhythm: Rhythm::Steady,
    weight: 22,
    sessions: 3,
    session_hours: 12,
    calls: &[
        (8, UPDATE_INSTANCE_INFORMATION),
        (
            4,
            Call::read("ec2", "DescribeInstances").request(r#"{"instancesSet":{},"filterSet":{}}"#),
        ),
        (
            2,
            Call::read("s3", "ListBuckets")
                .request(r#"{"Host":"s3.<region>.amazonaws.com"}"#)
                .host("s3.<region>.amazonaws.com"),
        ),
        (
            1,
            Call::write("sqs", "CreateQueue")
                .request(r#"{"queueName":"sandbox-<hex8>","attributes":{}}"#)
                .response(r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/sandbox-<hex8>"}"#),
        ),
    ],
};

pub(in crate::sample) static POSTURE_SCANNER_ROLE: Role = Role::new(&SECURITY, "/service-role/", "posture-scanner")
    .trust(TRUST_LAMBDA)
    .managed(&["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"])
    .inline(&[(
        "assume-audit-roles",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/security/security-audit"},{"Effect":"Allow","Action":["securityhub:*","guardduty:*"],"Resource":"*"}]}"#,
    )]);

static POSTURE_SCANNER: Workload = Workload {
    entry: Entry::Function {
        role: &POSTURE_SCANNER_ROLE,
        function: "posture-scanner",
    },
    agent: BOTO,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 10,
    sessions: 1,
    session_hours: 12,
    calls: &[
        (
            3,
            Call::write("securityhub", "BatchImportFindings")
                .request(r#"{"findings":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#)
                .response(r#"{"failedCount":0,"successCount":25,"failedFindings":[]}"#),
        ),
        (
            1,
            Call::write("logs", "CreateLogStream")
                .request(r#"{"logGroupName":"/aws/lambda/posture-scanner","logStreamName":"<day>/[$LATEST]<hex32>"}"#),
        ),
    ],
};

pub(in crate::sample) static TRIAGE_ROLE: Role = Role::new(&SECURITY, "/service-role/", "guardduty-triage")
    .trust(TRUST_LAMBDA)
    .managed(&["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"])
    .inline(&[(
        "triage",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["guardduty:GetFindings","guardduty:ListFindings","guardduty:ArchiveFindings","sns:Publish","ssm:StartAutomationExecution"],"Resource":"*"}]}"#,
    )]);

static TRIAGE: Workload = Workload {
    entry: Entry::Function { role: &TRIAGE_ROLE, function: "guardduty-triage" },
    agent: BOTO,
    regions: &["eu-west-1", "eu-central-1", "us-west-2"],
    rhythm: Rhythm::Steady,
    weight: 10,
    sessions: 3,
    session_hours: 12,
    calls: &[
        (3, Call::read("guardduty", "ListFindings").request(r#"{"detectorId":"12abc34d567e8fa901bc2d34e56789f0","findingCriteria":{"criterion":{"severity":{"gte":4}}}}"#)),
        (2, Call::read("guardduty", "GetFindings").request(r#"{"detectorId":"12abc34d567e8fa901bc2d34e56789f0","findingIds":["<hex32>"]}"#)),
    ],
};

pub(in crate::sample) static LOG_RETENTION_ROLE: Role =
    Role::new(&LOG_ARCHIVE, "/service-role/", "log-retention").trust(TRUST_LAMBDA).inline(&[(
        "log-retention",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetBucket*","s3:GetLifecycleConfiguration","s3:PutLifecycleConfiguration","s3:ListAllMyBuckets","s3:DeleteObject","logs:*"],"Resource":"*"}]}"#,
    )]);

static LOG_RETENTION: Workload = Workload {
    entry: Entry::Function {
        role: &LOG_RETENTION_ROLE,
        function: "log-retention",
    },
    agent: BOTO,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 6,
    sessions: 1,
    session_hours: 12,
    calls: &[
        (
            2,
            s3_bucket!(
                read,
                "GetBucketVersioning",
                "example-org-cloudtrail-logs",
                r#"versioning":"""#
            ),
        ),
        (
            2,
            s3_bucket!(
                read,
                "GetBucketLifecycle",
                "example-org-cloudtrail-logs",
                r#"lifecycle":"""#
            ),
        ),
    ],
};

const TRUST_SECURITY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/service-role/posture-scanner"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}]}"#;

pub(in crate::sample) static SECURITY_AUDIT_PROD_ROLE: Role = Role::new(&PROD, "/security/", "security-audit")
    .trust(TRUST_SECURITY)
    .managed(&["arn:aws:iam::aws:policy/SecurityAudit"]);
pub(in crate::sample) static SECURITY_AUDIT_DEV_ROLE: Role = Role::new(&DEV, "/security/", "security-audit")
    .trust(TRUST_SECURITY)
    .managed(&["arn:aws:iam::aws:policy/SecurityAudit"]);

const AUDIT_CALLS: &[(u64, Call)] = &[
    (
        2,
        Call::read("iam", "GetAccountAuthorizationDetails").request(r#"{"filter":["Role"],"maxItems":100}"#),
    ),
    (2, Call::read("iam", "ListUsers").request(r#"{"maxItems":100}"#)),
    (
        2,
        Call::read("ec2", "DescribeSecurityGroups")
            .request(r#"{"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}"#),
    ),
    (
        1,
        Call::read("s3", "ListBuckets")
            .request(r#"{"Host":"s3.<region>.amazonaws.com"}"#)
            .host("s3.<region>.amazonaws.com"),
    ),
    (1, Call::read("kms", "ListKeys").request(r#"{"limit":100}"#)),
];

static AUDIT_PROD: Workload = Workload {
    entry: Entry::CrossAccount {
        role: &SECURITY_AUDIT_PROD_ROLE,
        from: &POSTURE_SCANNER,
        session_name: "posture-scanner",
    },
    agent: BOTO,
    regions: &["eu-west-1", "eu-central-1", "us-west-2"],
    rhythm: Rhythm::Nightly,
    weight: 40,
    sessions: 1,
    session_hours: 1,
    calls: AUDIT_CALLS,
};

static AUDIT_DEV: Workload = Workload {
    entry: Entry::CrossAccount {
        role: &SECURITY_AUDIT_DEV_ROLE,
        from: &POSTURE_SCANNER,
        session_name: "posture-scanner",
    },
    agent: BOTO,
    regions: &["eu-west-1", "eu-central-1", "us-west-2"],
    rhythm: Rhythm::Nightly,
    weight: 40,
    sessions: 1,
    session_hours: 1,
    calls: AUDIT_CALLS,
};
