//! What nobody dares to remove: IAM users with old keys, and roles that are no longer used.

use super::super::call::Call;
use super::super::estate::AccessKey;
use super::super::estate::MANAGEMENT;
use super::super::estate::PROD;
use super::super::estate::Role;
use super::super::estate::User;
use super::CLI;
use super::Entry;
use super::Rhythm;
use super::TRUST_EC2;
use super::TRUST_LAMBDA;
use super::Workload;
use super::s3_list;
use super::s3_object;

pub(in crate::sample) static WORKLOADS: [&Workload; 3] = [&LEGACY_BACKUP_JOB, &JENKINS_JOBS, &DEPLOY_BOT_JOBS];
pub(in crate::sample) static ROLES: [&Role; 2] = [&REPORT_EXPORT_ROLE, &NIGHTLY_ETL_ROLE];
pub(in crate::sample) static USERS: [&User; 6] = [
    &LEGACY_BACKUP,
    &JENKINS,
    &DEPLOY_BOT,
    &ALICE_OLD,
    &BREAK_GLASS_1,
    &BREAK_GLASS_2,
];

/// Never used since it was made.
pub(in crate::sample) static REPORT_EXPORT_ROLE: Role = Role::new(&PROD, "/legacy/", "report-export")
    .trust(TRUST_EC2)
    .instance_profile()
    .managed(&["arn:aws:iam::aws:policy/AmazonS3FullAccess"]);

/// Used before the window, not in it.
pub(in crate::sample) static NIGHTLY_ETL_ROLE: Role = Role::new(&PROD, "/batch/", "nightly-etl")
    .trust(TRUST_LAMBDA)
    .used_before("2026-06-30T02:11:09+00:00", "eu-west-1")
    .inline(&[(
        "nightly-etl",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:*","athena:*","s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":"*"}]}"#,
    )]);

pub(in crate::sample) static LEGACY_BACKUP: User = User {
    account: &PROD,
    name: "svc-legacy-backup",
    created: "2021-03-04T10:20:11+00:00",
    groups: &["legacy-automation"],
    managed: &["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
    inline: &[],
    password_set: None,
    mfa: false,
    keys: &[AccessKey {
        id: "AKIAEXAMPLEBACKUP001",
        rotated: "2021-03-04T10:20:31+00:00",
        active: true,
    }],
    ip: "192.0.2.40",
};

pub(in crate::sample) static LEGACY_BACKUP_JOB: Workload = Workload {
    entry: Entry::LongTermKey(&LEGACY_BACKUP),
    agent: "aws-cli/1.18.69 Python/3.8.10 Linux/5.4.0-216-generic botocore/1.16.19",
    regions: &["eu-west-1"],
    rhythm: Rhythm::Nightly,
    weight: 120,
    sessions: 1,
    session_hours: 24,
    calls: &[
        (4, s3_list!("prod-order-archive", "orders/")),
        (
            8,
            s3_object!(read, "GetObject", "prod-order-archive", "orders/<day>/<hex16>.json.gz"),
        ),
    ],
};

pub(in crate::sample) static JENKINS: User = User {
    account: &PROD,
    name: "svc-jenkins",
    created: "2022-01-17T08:02:44+00:00",
    groups: &["legacy-automation"],
    managed: &[],
    inline: &[(
        "jenkins",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","ec2:RunInstances","ec2:TerminateInstances","ec2:CreateTags","s3:*","sts:AssumeRole"],"Resource":"*"}]}"#,
    )],
    password_set: None,
    mfa: false,
    keys: &[
        AccessKey {
            id: "AKIAEXAMPLEJENKINS01",
            rotated: "2022-01-17T08:03:12+00:00",
            active: true,
        },
        AccessKey {
            id: "AKIAEXAMPLEJENKINS02",
            rotated: "2024-05-28T13:41:00+00:00",
            active: false,
        },
    ],
    ip: "192.0.2.41",
};

pub(in crate::sample) static JENKINS_JOBS: Workload = Workload {
    entry: Entry::LongTermKey(&JENKINS),
    agent: "aws-sdk-java/1.12.261 Linux/5.15.0-153-generic OpenJDK_64-Bit_Server_VM/11.0.24+8 java/11.0.24",
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 8,
    sessions: 1,
    session_hours: 24,
    calls: &[
        (6, Call::read("ec2", "DescribeInstances").request(r#"{"instancesSet":{},"filterSet":{"items":[{"name":"tag:jenkins","valueSet":{"items":[{"value":"agent"}]}}]}}"#)),
        (1, Call::read("sts", "GetCallerIdentity").host("sts.amazonaws.com")),
        (1, Call::read("ec2", "DescribeSpotInstanceRequests").request(r#"{"spotInstanceRequestIdSet":{},"filterSet":{}}"#)),
    ],
};

/// The one user whose key is younger than 90 days.
pub(in crate::sample) static DEPLOY_BOT: User = User {
    account: &PROD,
    name: "deploy-bot",
    created: "2025-11-03T15:30:00+00:00",
    groups: &[],
    managed: &[],
    inline: &[(
        "deploy-bot",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:DescribeRepositories","ecr:DescribeImages"],"Resource":"*"}]}"#,
    )],
    password_set: None,
    mfa: false,
    keys: &[AccessKey {
        id: "AKIAEXAMPLEDEPLOY001",
        rotated: "2026-08-20T07:55:18+00:00",
        active: true,
    }],
    ip: "192.0.2.42",
};

pub(in crate::sample) static DEPLOY_BOT_JOBS: Workload = Workload {
    entry: Entry::LongTermKey(&DEPLOY_BOT),
    agent: CLI,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Office,
    weight: 6,
    sessions: 1,
    session_hours: 24,
    calls: &[
        (
            2,
            Call::read("ecr", "DescribeImages").request(r#"{"repositoryName":"payments","maxResults":50}"#),
        ),
        (1, Call::read("ecr", "DescribeRepositories")),
    ],
};

/// A person with a console password, no second factor and no key.
pub(in crate::sample) static ALICE_OLD: User = User {
    account: &PROD,
    name: "alice.old",
    created: "2020-06-22T12:00:00+00:00",
    groups: &[],
    managed: &["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
    inline: &[],
    password_set: Some("2020-06-22T12:04:10+00:00"),
    mfa: false,
    keys: &[],
    ip: "203.0.113.77",
};

/// The break-glass user that is used once in the window.
pub(in crate::sample) static BREAK_GLASS_1: User = User {
    account: &MANAGEMENT,
    name: "break-glass-1",
    created: "2024-10-01T09:00:00+00:00",
    groups: &[],
    managed: &[],
    inline: &[(
        "assume-break-glass",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/break-glass/break-glass-admin"}]}"#,
    )],
    password_set: Some("2026-07-01T09:00:00+00:00"),
    mfa: true,
    keys: &[],
    ip: "203.0.113.99",
};

/// The second break-glass user, never used.
pub(in crate::sample) static BREAK_GLASS_2: User = User {
    account: &MANAGEMENT,
    name: "break-glass-2",
    created: "2024-10-01T09:05:00+00:00",
    groups: &[],
    managed: &[],
    inline: &[(
        "assume-break-glass",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/break-glass/break-glass-admin"}]}"#,
    )],
    password_set: Some("2026-07-01T09:10:00+00:00"),
    mfa: true,
    keys: &[],
    ip: "203.0.113.98",
};
