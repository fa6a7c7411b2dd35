//! Roles for principals outside the organization, and for emergencies.

use super::super::call::Call;
use super::super::estate::PARTNER_ACCOUNT;
use super::super::estate::PROD;
use super::super::estate::Role;
use super::super::estate::VENDOR_ACCOUNT;
use super::super::estate::VENDOR_EXTERNAL_ID;
use super::Entry;
use super::GO;
use super::JAVA;
use super::Rhythm;
use super::Workload;
use super::s3_object;

pub(in crate::sample) static WORKLOADS: [&Workload; 1] = [&VENDOR_MONITORING];
pub(in crate::sample) static ROLES: [&Role; 3] = [&VENDOR_MONITORING_ROLE, &PARTNER_EXPORT_ROLE, &BREAK_GLASS_ROLE];

pub(in crate::sample) static VENDOR_MONITORING_ROLE: Role = Role::new(&PROD, "/vendor/", "monitoring-readonly")
    .trust(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::888877776666:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"vendor-7f3c9a"}}}]}"#,
    )
    .inline(&[(
        "monitoring",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudwatch:Describe*","cloudwatch:Get*","cloudwatch:List*","ec2:Describe*","tag:GetResources","logs:*","s3:ListAllMyBuckets"],"Resource":"*"}]}"#,
    )]);

static VENDOR_MONITORING: Workload = Workload {
    entry: Entry::Outsider {
        role: &VENDOR_MONITORING_ROLE,
        account_id: VENDOR_ACCOUNT,
        external_id: Some(VENDOR_EXTERNAL_ID),
        ip: "198.51.100.200",
    },
    agent: GO,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 14,
    sessions: 1,
    session_hours: 4,
    calls: &[
        (
            4,
            Call::read("monitoring", "DescribeAlarms").request(r#"{"maxRecords":100,"stateValue":"ALARM"}"#),
        ),
        (
            4,
            Call::read("ec2", "DescribeInstances").request(r#"{"maxResults":1000,"instancesSet":{},"filterSet":{}}"#),
        ),
        (
            2,
            Call::read("tagging", "GetResources")
                .request(r#"{"resourcesPerPage":100,"tagFilters":[{"key":"team","values":[]}]}"#),
        ),
    ],
};

/// Trusted without an external id; used in one planted session.
pub(in crate::sample) static PARTNER_EXPORT_ROLE: Role = Role::new(&PROD, "/vendor/", "partner-export")
    .trust(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555566667777:root"},"Action":"sts:AssumeRole"}]}"#,
    )
    .inline(&[(
        "export",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::prod-order-archive","arn:aws:s3:::prod-order-archive/*"]}]}"#,
    )]);

/// The partner's session; not part of the background.
pub(in crate::sample) static PARTNER_EXPORT: Workload = Workload {
    entry: Entry::Outsider {
        role: &PARTNER_EXPORT_ROLE,
        account_id: PARTNER_ACCOUNT,
        external_id: None,
        ip: "198.51.100.210",
    },
    agent: JAVA,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 0,
    sessions: 1,
    session_hours: 1,
    calls: &[(1, PARTNER_READ)],
};

pub(in crate::sample) const PARTNER_READ: Call =
    s3_object!(read, "GetObject", "prod-order-archive", "orders/<day>/<hex16>.json.gz");

pub(in crate::sample) static BREAK_GLASS_ROLE: Role = Role::new(&PROD, "/break-glass/", "break-glass-admin")
    .trust(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:user/break-glass-1","arn:aws:iam::123456789012:user/break-glass-2"]},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#,
    )
    .managed(&["arn:aws:iam::aws:policy/AdministratorAccess"])
    .used_before("2026-03-19T22:40:02+00:00", "eu-west-1");
