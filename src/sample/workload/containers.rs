//! The prod account's workloads on ECS and EKS.

use super::super::call::Call;
use super::super::estate::PROD;
use super::super::estate::Role;
use super::BOTO;
use super::Entry;
use super::GO;
use super::JAVA;
use super::Rhythm;
use super::TRUST_EC2;
use super::TRUST_ECS;
use super::TRUST_PODS;
use super::Workload;
use super::parameter_read;
use super::s3_list;
use super::s3_object;
use super::secret_read;

pub(in crate::sample) static WORKLOADS: [&Workload; 5] = [
    &PAYMENTS_TASK,
    &PAYMENTS_EXECUTION,
    &INVENTORY,
    &SEARCH_INDEXER,
    &EKS_NODE,
];
pub(in crate::sample) static ROLES: [&Role; 5] = [
    &PAYMENTS_TASK_ROLE,
    &PAYMENTS_EXECUTION_ROLE,
    &INVENTORY_ROLE,
    &SEARCH_INDEXER_ROLE,
    &EKS_NODE_ROLE,
];

/// The OIDC provider of the prod EKS cluster, without scheme.
pub(in crate::sample) const CLUSTER_ISSUER: &str =
    "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789EXAMPLE";

pub(in crate::sample) static PAYMENTS_TASK_ROLE: Role =
    Role::new(&PROD, "/ecs/", "payments-task").trust(TRUST_ECS).inline(&[(
        "payments-task",
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Secrets","Effect":"Allow","Action":"secretsmanager:*","Resource":"arn:aws:secretsmanager:*:111122223333:secret:prod/payments/*"},
            {"Sid":"Keys","Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"arn:aws:kms:*:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"},
            {"Sid":"Ledger","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:ListBucket"],"Resource":["arn:aws:s3:::prod-payments-ledger","arn:aws:s3:::prod-payments-ledger/*"]},
            {"Sid":"Database","Effect":"Allow","Action":"rds-db:connect","Resource":"arn:aws:rds-db:*:111122223333:dbuser:*/payments"},
            {"Sid":"Queues","Effect":"Allow","Action":["sqs:SendMessage","sqs:ReceiveMessage","sqs:DeleteMessage","sqs:CreateQueue"],"Resource":"*"}]}"#,
    )]);

pub(in crate::sample) static PAYMENTS_TASK: Workload = Workload {
    entry: Entry::Task(&PAYMENTS_TASK_ROLE),
    agent: JAVA,
    regions: &["eu-west-1", "eu-central-1"],
    rhythm: Rhythm::Steady,
    weight: 45,
    sessions: 4,
    session_hours: 12,
    calls: &[
        (
            20,
            s3_object!(
                write,
                "PutObject",
                "prod-payments-ledger",
                "ledger/<day>/<hex16>.parquet"
            ),
        ),
        (
            12,
            s3_object!(
                read,
                "GetObject",
                "prod-payments-ledger",
                "ledger/<day>/<hex16>.parquet"
            ),
        ),
        (
            5,
            secret_read!(
                "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/stripe-key-Ef3Gh4",
                "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/stripe-key-Ef3Gh4"
            ),
        ),
    ],
};

pub(in crate::sample) static PAYMENTS_EXECUTION_ROLE: Role = Role::new(&PROD, "/ecs/", "payments-execution")
    .trust(TRUST_ECS)
    .managed(&["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"])
    .inline(&[(
        "task-secrets",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","ssm:GetParameters","kms:Decrypt"],"Resource":["arn:aws:secretsmanager:*:111122223333:secret:prod/payments/*","arn:aws:ssm:*:111122223333:parameter/prod/payments/*","arn:aws:kms:*:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"]}]}"#,
    )]);

pub(in crate::sample) static PAYMENTS_EXECUTION: Workload = Workload {
    entry: Entry::Task(&PAYMENTS_EXECUTION_ROLE),
    agent: "Amazon ECS Agent - 1.98.0",
    regions: &["eu-west-1", "eu-central-1"],
    rhythm: Rhythm::Steady,
    weight: 8,
    sessions: 2,
    session_hours: 12,
    calls: &[
        (2, Call::read("ecr", "GetAuthorizationToken")),
        (4, PULL_IMAGE),
        (4, PULL_LAYER),
        (
            2,
            Call::write("logs", "CreateLogStream")
                .request(r#"{"logGroupName":"/ecs/payments","logStreamName":"payments/payments/<session>"}"#),
        ),
        (
            2,
            secret_read!(
                "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/db-Ij5Kl6",
                "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/db-Ij5Kl6"
            ),
        ),
    ],
};

const PULL_IMAGE: Call = Call::read("ecr", "BatchGetImage")
    .request(r#"{"registryId":"<account>","repositoryName":"payments","imageIds":[{"imageTag":"release-412"}],"acceptedMediaTypes":["application/vnd.oci.image.manifest.v1+json"]}"#)
    .resources(r#"{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/payments"}"#);
const PULL_LAYER: Call = Call::read("ecr", "GetDownloadUrlForLayer")
    .request(r#"{"registryId":"<account>","repositoryName":"payments","layerDigest":"sha256:<hex64>"}"#)
    .resources(r#"{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/payments"}"#);

pub(in crate::sample) static INVENTORY_ROLE: Role = Role::new(&PROD, "/eks/", "inventory")
    .trust(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789EXAMPLE"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789EXAMPLE:sub":"system:serviceaccount:shop:inventory","oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789EXAMPLE:aud":"sts.amazonaws.com"}}}]}"#,
    )
    .inline(&[(
        "inventory",
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Settings","Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm:*:111122223333:parameter/prod/inventory/*"},
            {"Sid":"Keys","Effect":"Allow","Action":"kms:Decrypt","Resource":"*"},
            {"Sid":"Feed","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket","s3:PutObject"],"Resource":["arn:aws:s3:::prod-inventory-feed","arn:aws:s3:::prod-inventory-feed/*"]},
            {"Sid":"Stock","Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:Query"],"Resource":"arn:aws:dynamodb:*:111122223333:table/stock"}]}"#,
    )]);

pub(in crate::sample) static INVENTORY: Workload = Workload {
    entry: Entry::ServiceAccount {
        role: &INVENTORY_ROLE,
        subject: "system:serviceaccount:shop:inventory",
    },
    agent: BOTO,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 25,
    sessions: 2,
    session_hours: 12,
    calls: &[
        (
            14,
            s3_object!(read, "GetObject", "prod-inventory-feed", "feed/<day>/part-<number>.csv"),
        ),
        (5, s3_list!("prod-inventory-feed", "feed/<day>/")),
        (3, parameter_read!("/prod/inventory/supplier-token")),
    ],
};

pub(in crate::sample) static SEARCH_INDEXER_ROLE: Role =
    Role::new(&PROD, "/eks/", "search-indexer").trust(TRUST_PODS).inline(&[(
        "search-indexer",
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Index","Effect":"Allow","Action":"es:ESHttp*","Resource":"arn:aws:es:eu-central-1:111122223333:domain/search/*"},
            {"Sid":"Source","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket","s3:DeleteObject"],"Resource":["arn:aws:s3:::prod-search-source","arn:aws:s3:::prod-search-source/*"]},
            {"Sid":"Secret","Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:111122223333:secret:prod/search/*"},
            {"Sid":"Keys","Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"secretsmanager.*.amazonaws.com"}}}]}"#,
    )]);

pub(in crate::sample) static SEARCH_INDEXER: Workload = Workload {
    entry: Entry::Pod {
        role: &SEARCH_INDEXER_ROLE,
        namespace: "search",
        service_account: "indexer",
        node: &EKS_NODE_ROLE,
    },
    agent: GO,
    regions: &["eu-central-1"],
    rhythm: Rhythm::Steady,
    weight: 20,
    sessions: 2,
    session_hours: 12,
    calls: &[
        (
            12,
            s3_object!(read, "GetObject", "prod-search-source", "documents/<hex16>.json"),
        ),
        (4, s3_list!("prod-search-source", "documents/")),
        (
            2,
            secret_read!(
                "prod/search/cluster",
                "arn:aws:secretsmanager:<region>:<account>:secret:prod/search/cluster-Mn7Op8"
            ),
        ),
    ],
};

pub(in crate::sample) static EKS_NODE_ROLE: Role = Role::new(&PROD, "/eks/", "prod-eks-node")
    .trust(TRUST_EC2)
    .instance_profile()
    .managed(&[
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    ]);

pub(in crate::sample) static EKS_NODE: Workload = Workload {
    entry: Entry::Instance(&EKS_NODE_ROLE),
    agent: GO,
    regions: &["eu-west-1", "eu-central-1"],
    rhythm: Rhythm::Steady,
    weight: 12,
    sessions: 2,
    session_hours: 12,
    calls: &[
        (2, Call::read("ecr", "GetAuthorizationToken")),
        (
            3,
            Call::read("ec2", "DescribeInstances")
                .request(r#"{"instancesSet":{"items":[{"instanceId":"<session>"}]},"filterSet":{}}"#),
        ),
        (1, Call::read("eks", "DescribeCluster").request(r#"{"name":"prod"}"#)),
    ],
};
