//! What runs in the estate: who calls what, from where, in which rhythm. Each workload stands beside the role that it
//! uses, so that what is granted and what is called can be read together.

use super::call::Call;
use super::estate::Account;
use super::estate::Person;
use super::estate::Role;
use super::estate::User;
use super::moment::Moment;

pub(super) mod compute;
pub(super) mod containers;
pub(super) mod delivery;
pub(super) mod legacy;
pub(super) mod other_accounts;
pub(super) mod outsiders;
pub(super) mod people;
pub(super) mod services;

/// A steady source of calls.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) entry: Entry,
    pub(super) agent: &'static str,
    /// The regions its sessions live in; an endpoint with more sessions is named more than once.
    pub(super) regions: &'static [&'static str],
    pub(super) rhythm: Rhythm,
    /// Its share of all calls while its rhythm is at full strength.
    pub(super) weight: u64,
    /// How many sessions run side by side.
    pub(super) sessions: usize,
    /// How long a session lasts.
    pub(super) session_hours: i64,
    /// The calls with their weights.
    pub(super) calls: &'static [(u64, Call)],
}

/// How the workload gets its credentials.
#[derive(Debug)]
pub(super) enum Entry {
    /// EC2 instance profile.
    Instance(&'static Role),
    /// Lambda function.
    Function {
        role: &'static Role,
        function: &'static str,
    },
    /// ECS task.
    Task(&'static Role),
    /// EKS service account through IRSA.
    ServiceAccount { role: &'static Role, subject: &'static str },
    /// EKS pod identity; the agent on the node asks for the credentials.
    Pod {
        role: &'static Role,
        namespace: &'static str,
        service_account: &'static str,
        node: &'static Role,
    },
    /// GitHub Actions through OIDC.
    Repository { role: &'static Role, subject: &'static str },
    /// Identity Center permission set.
    PermissionSet {
        role: &'static Role,
        people: &'static [&'static Person],
    },
    /// A session of one workload that assumes a role of another account.
    CrossAccount {
        role: &'static Role,
        from: &'static Workload,
        session_name: &'static str,
    },
    /// A principal outside the organization that assumes a role.
    Outsider {
        role: &'static Role,
        account_id: &'static str,
        external_id: Option<&'static str>,
        ip: &'static str,
    },
    /// A service-linked role; the service assumes it.
    ServiceLinked { role: &'static Role, service: &'static str },
    /// The first access key of an IAM user.
    LongTermKey(&'static User),
    /// An AWS service acting for itself.
    Service {
        service: &'static str,
        account: &'static Account,
    },
}

/// When a workload is busy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rhythm {
    /// All day, somewhat more in daytime.
    Steady,
    /// Working hours of working days.
    Office,
    /// Two hours each night.
    Nightly,
}

impl Rhythm {
    /// The strength at an hour, 0–10.
    pub(super) fn strength(self, moment: Moment) -> u64 {
        match self {
            Self::Steady if (6..22).contains(&moment.hour()) => 10,
            Self::Steady => 6,
            Self::Office if moment.is_weekend() => 0,
            Self::Office if (7..17).contains(&moment.hour()) => 10,
            Self::Office => 0,
            Self::Nightly if (1..3).contains(&moment.hour()) => 10,
            Self::Nightly => 0,
        }
    }
}

/// All workloads of the estate's background.
pub(super) fn all() -> Vec<&'static Workload> {
    let groups: [&[&'static Workload]; 8] = [
        &compute::WORKLOADS,
        &containers::WORKLOADS,
        &delivery::WORKLOADS,
        &legacy::WORKLOADS,
        &other_accounts::WORKLOADS,
        &outsiders::WORKLOADS,
        &people::WORKLOADS,
        &services::WORKLOADS,
    ];
    groups.concat()
}

/// User agents.
pub(super) const BOTO: &str = "Boto3/1.40.35 md/Botocore#1.40.35 ua/2.1 os/linux#6.1.150-174.273.amzn2023.x86_64 \
     md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython m/Z,b,D cfg/retry-mode#standard Botocore/1.40.35";
pub(super) const JAVA: &str = "aws-sdk-java/2.33.9 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.150 lang/java#21.0.8 \
     md/OpenJDK_64-Bit_Server_VM#21.0.8_9-LTS md/vendor#Amazon.com_Inc. md/en_US m/D,N";
pub(super) const GO: &str = "aws-sdk-go-v2/1.39.0 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux md/GOARCH#arm64 m/E,g";
pub(super) const CLI: &str = "aws-cli/2.30.1 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0-1035 md/arch#x86_64 \
     lang/python#3.13.7 md/pyimpl#CPython m/Z,b,E,C cfg/retry-mode#standard md/installer#exe md/prompt#off";
pub(super) const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.13.2 (+https://www.terraform.io) \
     terraform-provider-aws/6.13.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.0 \
     ua/2.1 os/linux lang/go#1.24.6 md/GOOS#linux md/GOARCH#amd64";

/// Trust policies for the usual services.
pub(super) const TRUST_EC2: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(super) const TRUST_LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(super) const TRUST_ECS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(super) const TRUST_PODS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}"#;

/// An S3 data event on one object.
macro_rules! s3_object {
    ($access:ident, $name:literal, $bucket:literal, $key:literal) => {
        $crate::sample::call::Call::$access("s3", $name)
            .data()
            .request(concat!(
                r#"{"bucketName":""#,
                $bucket,
                r#"","Host":""#,
                $bucket,
                r#".s3.<region>.amazonaws.com","key":""#,
                $key,
                r#""}"#
            ))
            .resources(concat!(
                r#"{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::"#,
                $bucket,
                "/",
                $key,
                r#""},{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::"#,
                $bucket,
                r#""}"#
            ))
            .host(concat!($bucket, ".s3.<region>.amazonaws.com"))
    };
}

/// An S3 data event that lists one bucket.
macro_rules! s3_list {
    ($bucket:literal, $prefix:literal) => {
        $crate::sample::call::Call::read("s3", "ListObjects")
            .data()
            .request(concat!(
                r#"{"list-type":"2","bucketName":""#,
                $bucket,
                r#"","prefix":""#,
                $prefix,
                r#"","Host":""#,
                $bucket,
                r#".s3.<region>.amazonaws.com"}"#
            ))
            .resources(concat!(
                r#"{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::"#,
                $bucket,
                r#""},{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::"#,
                $bucket,
                r#"/"}"#
            ))
            .host(concat!($bucket, ".s3.<region>.amazonaws.com"))
    };
}

/// An S3 management event on one bucket.
macro_rules! s3_bucket {
    ($access:ident, $name:literal, $bucket:literal, $parameters:literal) => {
        $crate::sample::call::Call::$access("s3", $name)
            .request(concat!(
                r#"{"bucketName":""#,
                $bucket,
                r#"","Host":""#,
                $bucket,
                r#".s3.<region>.amazonaws.com",""#,
                $parameters,
                "}"
            ))
            .resources(concat!(
                r#"{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::"#,
                $bucket,
                r#""}"#
            ))
            .host(concat!($bucket, ".s3.<region>.amazonaws.com"))
    };
}

/// The KMS call that Secrets Manager makes with the reader's rights.
macro_rules! decrypt_secret {
    ($arn:expr) => {
        $crate::sample::call::Call::read("kms", "Decrypt")
            .request(concat!(
                r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"SecretARN":""#,
                $arn,
                r#"","SecretVersionId":"b2617553-d7ad-4e0a-b780-1fee2de64093"}}"#
            ))
            .resources(concat!(
                r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/"#,
                "mrk-1234abcd12ab34cd56ef1234567890ab",
                r#""}"#
            ))
            .via("secretsmanager.amazonaws.com")
    };
}

/// The KMS call that Systems Manager makes with the reader's rights; the record names it "AWS Internal".
macro_rules! decrypt_parameter {
    ($name:expr) => {
        $crate::sample::call::Call::read("kms", "Decrypt")
            .request(concat!(
                r#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"PARAMETER_ARN":"#,
                r#""arn:aws:ssm:<region>:<account>:parameter"#,
                $name,
                r#""}}"#
            ))
            .resources(concat!(
                r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/"#,
                "mrk-1234abcd12ab34cd56ef1234567890ab",
                r#""}"#
            ))
            .via("AWS Internal")
    };
}

/// A read of a secret by the name or ARN given, with the decryption that follows.
macro_rules! secret_read {
    ($secret_id:expr, $arn:expr) => {
        $crate::sample::call::Call::read("secretsmanager", "GetSecretValue")
            .request(concat!(r#"{"secretId":""#, $secret_id, r#""}"#))
            .secret($secret_id)
            .then(const { &$crate::sample::workload::decrypt_secret!($arn) })
    };
}

/// A read of one SecureString parameter, with the decryption that follows.
macro_rules! parameter_read {
    ($name:literal) => {
        $crate::sample::call::Call::read("ssm", "GetParameter")
            .request(concat!(r#"{"name":""#, $name, r#"","withDecryption":true}"#))
            .resources(concat!(
                r#"{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter"#,
                $name,
                r#""}"#
            ))
            .secret($name)
            .then(const { &$crate::sample::workload::decrypt_parameter!($name) })
    };
}

pub(super) use decrypt_parameter;
pub(super) use decrypt_secret;
pub(super) use parameter_read;
pub(super) use s3_bucket;
pub(super) use s3_list;
pub(super) use s3_object;
pub(super) use secret_read;
