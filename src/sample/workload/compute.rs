//! The prod account's workloads on EC2 and Lambda.

use super::super::call::Call;
use super::super::estate::ManagedPolicy;
use super::super::estate::PROD;
use super::super::estate::Role;
use super::BOTO;
use super::Entry;
use super::JAVA;
use super::Rhythm;
use super::TRUST_EC2;
use super::TRUST_LAMBDA;
use super::Workload;
use super::decrypt_parameter;
use super::s3_list;
use super::s3_object;
use super::secret_read;

pub(in crate::sample) static WORKLOADS: [&Workload; 2] = [&CHECKOUT_API, &ORDER_PROCESSOR];
pub(in crate::sample) static ROLES: [&Role; 3] = [&CHECKOUT_API_ROLE, &ORDER_PROCESSOR_ROLE, &FRAUD_SCORING_ROLE];
pub(in crate::sample) static POLICIES: [&ManagedPolicy; 1] = [&CHECKOUT_API_ACCESS];

/// The policy grants whole services where the shop uses a handful of calls.
static CHECKOUT_API_ACCESS: ManagedPolicy = ManagedPolicy {
    account: &PROD,
    name: "checkout-api-access",
    versions: &[
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","secretsmanager:*"],"Resource":"*"}]}"#,
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Receipts","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:PutObjectAcl","s3:ListBucket"],"Resource":["arn:aws:s3:::prod-checkout-receipts","arn:aws:s3:::prod-checkout-receipts/*"]},
            {"Sid":"Queues","Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:111122223333:checkout-*"},
            {"Sid":"Secrets","Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret","secretsmanager:PutSecretValue","secretsmanager:UpdateSecret"],"Resource":"arn:aws:secretsmanager:*:111122223333:secret:prod/checkout/*"},
            {"Sid":"Keys","Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey","kms:Encrypt","kms:ReEncrypt*"],"Resource":"arn:aws:kms:*:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"},
            {"Sid":"Orders","Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:111122223333:table/orders"},
            {"Sid":"Discovery","Effect":"Allow","Action":["ec2:DescribeInstances","ec2:DescribeTags","elasticloadbalancing:Describe*"],"Resource":"*"},
            {"Sid":"Mail","Effect":"Allow","Action":["ses:SendEmail","ses:SendRawEmail","ses:CreateTemplate"],"Resource":"*"}]}"#,
    ],
};

pub(in crate::sample) static CHECKOUT_API_ROLE: Role = Role::new(&PROD, "/workloads/", "checkout-api")
    .trust(TRUST_EC2)
    .instance_profile()
    .managed(&[
        "arn:aws:iam::111122223333:policy/checkout-api-access",
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
    ]);

pub(in crate::sample) static CHECKOUT_API: Workload = Workload {
    entry: Entry::Instance(&CHECKOUT_API_ROLE),
    agent: JAVA,
    regions: &["eu-west-1", "eu-west-1", "us-west-2"],
    rhythm: Rhythm::Steady,
    weight: 90,
    sessions: 6,
    session_hours: 12,
    calls: &[
        (
            40,
            s3_object!(
                read,
                "GetObject",
                "prod-checkout-receipts",
                "receipts/<day>/<hex16>.json"
            ),
        ),
        (
            30,
            s3_object!(
                write,
                "PutObject",
                "prod-checkout-receipts",
                "receipts/<day>/<hex16>.json"
            ),
        ),
        (6, s3_list!("prod-checkout-receipts", "receipts/<day>/")),
        (
            4,
            secret_read!(
                "prod/checkout/db",
                "arn:aws:secretsmanager:<region>:<account>:secret:prod/checkout/db-Ab1Cd2"
            ),
        ),
        (2, DESCRIBE_INSTANCES),
        (1, DESCRIBE_TAGS),
        (12, UPDATE_INSTANCE_INFORMATION),
        (8, GENERATE_DATA_KEY),
        (1, NO_SUCH_KEY),
    ],
};

const DESCRIBE_INSTANCES: Call = Call::read("ec2", "DescribeInstances").request(
    r#"{"instancesSet":{},"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"checkout-api"}]}}]}}"#,
);
const DESCRIBE_TAGS: Call = Call::read("ec2", "DescribeTags").request(
    r#"{"maxResults":100,"filterSet":{"items":[{"name":"resource-id","valueSet":{"items":[{"value":"<session>"}]}}]}}"#,
);
pub(in crate::sample) const UPDATE_INSTANCE_INFORMATION: Call = Call::write("ssm", "UpdateInstanceInformation").request(
    r#"{"instanceId":"<session>","agentVersion":"3.3.2746.0","platformType":"Linux","agentName":"amazon-ssm-agent","availabilityZone":"<region>a"}"#,
);
const GENERATE_DATA_KEY: Call = Call::read("kms", "GenerateDataKey")
    .request(r#"{"keyId":"arn:aws:kms:<region>:<account>:key/mrk-1234abcd12ab34cd56ef1234567890ab","keySpec":"AES_256","encryptionContext":{"application":"checkout","receipt":"<uuid>"}}"#)
    .resources(r#"{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/mrk-1234abcd12ab34cd56ef1234567890ab"}"#);
const NO_SUCH_KEY: Call = s3_object!(
    read,
    "GetObject",
    "prod-checkout-receipts",
    "receipts/missing/<hex16>.json"
)
.fails("NoSuchKey", "The specified key does not exist.");

pub(in crate::sample) static ORDER_PROCESSOR_ROLE: Role =
    Role::new(&PROD, "/service-role/", "order-processor-role-x1y2z3")
        .trust(TRUST_LAMBDA)
        .managed(&["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"])
        .inline(&[(
            "order-processor",
            r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Table","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:DeleteItem","dynamodb:Query","dynamodb:Scan"],"Resource":"arn:aws:dynamodb:*:111122223333:table/orders"},
            {"Sid":"Settings","Effect":"Allow","Action":["ssm:GetParameter","ssm:GetParameters","ssm:GetParametersByPath"],"Resource":"arn:aws:ssm:*:111122223333:parameter/prod/orders/*"},
            {"Sid":"Keys","Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt"],"Resource":"*"},
            {"Sid":"Archive","Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::prod-order-archive","arn:aws:s3:::prod-order-archive/*"]},
            {"Sid":"Fulfilment","Effect":"Allow","Action":["states:StartExecution","states:StopExecution","states:DescribeExecution"],"Resource":"*"},
            {"Sid":"Messages","Effect":"Allow","Action":["sns:Publish","events:PutEvents"],"Resource":"*"}]}"#,
        )]);

pub(in crate::sample) static ORDER_PROCESSOR: Workload = Workload {
    entry: Entry::Function {
        role: &ORDER_PROCESSOR_ROLE,
        function: "order-processor",
    },
    agent: BOTO,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 45,
    sessions: 3,
    session_hours: 12,
    calls: &[
        (
            30,
            s3_object!(write, "PutObject", "prod-order-archive", "orders/<day>/<hex16>.json.gz"),
        ),
        (20, START_EXECUTION),
        (6, CREATE_LOG_STREAM),
        (5, GET_PARAMETERS),
        (1, THROTTLED_EXECUTION),
    ],
};

const START_EXECUTION: Call = Call::write("states", "StartExecution")
    .request(r#"{"stateMachineArn":"arn:aws:states:<region>:<account>:stateMachine:fulfilment","name":"order-<uuid>","input":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#)
    .response(r#"{"executionArn":"arn:aws:states:<region>:<account>:execution:fulfilment:order-<uuid>","startDate":"<time>"}"#)
    .resources(r#"{"accountId":"<account>","type":"AWS::StepFunctions::StateMachine","ARN":"arn:aws:states:<region>:<account>:stateMachine:fulfilment"}"#);
const THROTTLED_EXECUTION: Call = Call::write("states", "StartExecution")
    .request(r#"{"stateMachineArn":"arn:aws:states:<region>:<account>:stateMachine:fulfilment","name":"order-<uuid>","input":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#)
    .fails("ThrottlingException", "Rate exceeded");
const CREATE_LOG_STREAM: Call = Call::write("logs", "CreateLogStream")
    .request(r#"{"logGroupName":"/aws/lambda/order-processor","logStreamName":"<day>/[$LATEST]<hex32>"}"#);
const GET_PARAMETERS: Call = Call::read("ssm", "GetParameters")
    .request(r#"{"names":["/prod/orders/api-token","/prod/orders/webhook-secret"],"withDecryption":true}"#)
    .resources(r#"{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter/prod/orders/api-token"},{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter/prod/orders/webhook-secret"}"#)
    .secret("/prod/orders/api-token,/prod/orders/webhook-secret")
    .then(const { &decrypt_parameter!("/prod/orders/api-token") });

/// Created inside the window: too young for "unused" to mean anything. It appears only in planted calls.
pub(in crate::sample) static FRAUD_SCORING_ROLE: Role =
    Role::new(&PROD, "/workloads/", "fraud-scoring").trust(TRUST_LAMBDA).young(10).inline(&[(
        "fraud-scoring",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sagemaker:InvokeEndpoint","sagemaker:ListEndpoints","s3:GetObject","s3:ListBucket"],"Resource":"*"}]}"#,
    )]);
