//! People, who reach the accounts through Identity Center permission sets.

use super::super::call::Call;
use super::super::caller::BROWSER;
use super::super::estate::AISHA;
use super::super::estate::Account;
use super::super::estate::DEV;
use super::super::estate::JONAS;
use super::super::estate::LI;
use super::super::estate::MARIA;
use super::super::estate::PROD;
use super::super::estate::Person;
use super::super::estate::Role;
use super::super::estate::SECURITY;
use super::super::estate::TOM;
use super::Entry;
use super::Rhythm;
use super::Workload;

pub(in crate::sample) static WORKLOADS: [&Workload; 5] = [
    &ADMINISTRATOR_PROD,
    &DEVELOPER_PROD,
    &READ_ONLY_PROD,
    &DEVELOPER_DEV,
    &ADMINISTRATOR_SECURITY,
];
pub(in crate::sample) static ROLES: [&Role; 6] = [
    &ADMINISTRATOR_PROD_ROLE,
    &DEVELOPER_PROD_ROLE,
    &READ_ONLY_PROD_ROLE,
    &BILLING_PROD_ROLE,
    &DEVELOPER_DEV_ROLE,
    &ADMINISTRATOR_SECURITY_ROLE,
];

const TRUST_IDENTITY_CENTER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::<account>:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"},"Action":["sts:AssumeRoleWithSAML","sts:TagSession"],"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}]}"#;
const DEVELOPER_POLICY: &[(&str, &str)] = &[(
    "AwsSSOInlinePolicy",
    r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Build","Effect":"Allow","Action":["ec2:*","s3:*","lambda:*","logs:*","cloudwatch:*","ecs:*"],"Resource":"*"},
            {"Sid":"Settings","Effect":"Allow","Action":["ssm:GetParameter*","ssm:DescribeParameters","kms:Decrypt","secretsmanager:ListSecrets","secretsmanager:GetSecretValue"],"Resource":"*"},
            {"Sid":"Look","Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"},
            {"Sid":"Pass","Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/service-role/*"},
            {"Sid":"NoPaymentSecrets","Effect":"Deny","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:*:secret:prod/payments/*"}]}"#,
)];

const CONSOLE_CALLS: &[(u64, Call)] = &[
    (
        8,
        Call::read("ec2", "DescribeInstances").request(r#"{"maxResults":100,"instancesSet":{},"filterSet":{}}"#),
    ),
    (
        5,
        Call::read("ec2", "DescribeSecurityGroups")
            .request(r#"{"maxResults":1000,"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}"#),
    ),
    (
        5,
        Call::read("s3", "ListBuckets")
            .request(r#"{"Host":"s3.<region>.amazonaws.com"}"#)
            .host("s3.<region>.amazonaws.com"),
    ),
    (
        6,
        Call::read("monitoring", "DescribeAlarms").request(r#"{"maxRecords":100}"#),
    ),
    (6, Call::read("logs", "DescribeLogGroups").request(r#"{"limit":50}"#)),
    (
        4,
        Call::read("lambda", "ListFunctions20150331").request(r#"{"maxItems":50}"#),
    ),
    (3, Call::read("iam", "ListRoles").request(r#"{"maxItems":100}"#)),
    (2, Call::read("ec2", "DescribeRegions").request(r#"{"regionSet":{}}"#)),
];

const fn permission_set(account: &'static Account, name: &'static str) -> Role {
    Role::new(account, "/aws-reserved/sso.amazonaws.com/eu-west-1/", name).trust(TRUST_IDENTITY_CENTER)
}

const fn console(role: &'static Role, people: &'static [&'static Person], weight: u64) -> Workload {
    Workload {
        entry: Entry::PermissionSet { role, people },
        agent: BROWSER,
        regions: &["eu-west-1", "eu-west-1", "eu-central-1", "us-west-2"],
        rhythm: Rhythm::Office,
        weight,
        sessions: 2,
        session_hours: 8,
        calls: CONSOLE_CALLS,
    }
}

pub(in crate::sample) static ADMINISTRATOR_PROD_ROLE: Role =
    permission_set(&PROD, "AWSReservedSSO_AdministratorAccess_0123456789abcdef")
        .managed(&["arn:aws:iam::aws:policy/AdministratorAccess"]);
pub(in crate::sample) static ADMINISTRATOR_PROD: Workload = console(&ADMINISTRATOR_PROD_ROLE, &[&MARIA, &JONAS], 10);

pub(in crate::sample) static DEVELOPER_PROD_ROLE: Role =
    permission_set(&PROD, "AWSReservedSSO_DeveloperAccess_1123456789abcdef").inline(DEVELOPER_POLICY);
pub(in crate::sample) static DEVELOPER_PROD: Workload = console(&DEVELOPER_PROD_ROLE, &[&AISHA, &TOM], 20);

/// Attached, but its document is not in the snapshot: a snapshot filtered to local policies looks like this.
pub(in crate::sample) static READ_ONLY_PROD_ROLE: Role =
    permission_set(&PROD, "AWSReservedSSO_ReadOnlyAccess_2123456789abcdef")
        .managed(&["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
static READ_ONLY_PROD: Workload = console(&READ_ONLY_PROD_ROLE, &[&LI, &TOM], 14);

/// A permission set that nobody used.
pub(in crate::sample) static BILLING_PROD_ROLE: Role = permission_set(
    &PROD,
    "AWSReservedSSO_BillingAccess_3123456789abcdef",
)
.inline(&[(
    "AwsSSOInlinePolicy",
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ce:*","cur:*","budgets:*"],"Resource":"*"}]}"#,
)]);

pub(in crate::sample) static DEVELOPER_DEV_ROLE: Role =
    permission_set(&DEV, "AWSReservedSSO_DeveloperAccess_4123456789abcdef").inline(DEVELOPER_POLICY);
pub(in crate::sample) static DEVELOPER_DEV: Workload = console(&DEVELOPER_DEV_ROLE, &[&AISHA, &TOM, &LI], 18);

pub(in crate::sample) static ADMINISTRATOR_SECURITY_ROLE: Role =
    permission_set(&SECURITY, "AWSReservedSSO_AdministratorAccess_5123456789abcdef")
        .managed(&["arn:aws:iam::aws:policy/AdministratorAccess"]);
static ADMINISTRATOR_SECURITY: Workload = console(&ADMINISTRATOR_SECURITY_ROLE, &[&MARIA], 8);
