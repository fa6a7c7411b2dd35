//! Pipelines that reach the accounts through GitHub's OIDC provider.

use super::super::call::Call;
use super::super::estate::DEV;
use super::super::estate::ManagedPolicy;
use super::super::estate::PROD;
use super::super::estate::Role;
use super::CLI;
use super::Entry;
use super::Rhythm;
use super::TERRAFORM;
use super::Workload;
use super::s3_bucket;

pub(in crate::sample) static WORKLOADS: [&Workload; 3] = [&GITHUB_DEPLOY, &TERRAFORM_APPLY, &CI_SANDBOX];
pub(in crate::sample) static ROLES: [&Role; 3] = [&GITHUB_DEPLOY_ROLE, &TERRAFORM_APPLY_ROLE, &CI_SANDBOX_ROLE];
pub(in crate::sample) static POLICIES: [&ManagedPolicy; 2] = [&DEPLOY_PIPELINE, &CI_BOUNDARY];

static DEPLOY_PIPELINE: ManagedPolicy = ManagedPolicy {
    account: &PROD,
    name: "deploy-pipeline",
    versions: &[r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Images","Effect":"Allow","Action":"ecr:*","Resource":"*"},
            {"Sid":"Services","Effect":"Allow","Action":["ecs:*","lambda:*","cloudformation:*"],"Resource":"*"},
            {"Sid":"TooWide","Effect":"Allow","Action":["ec2:*","elasticloadbalancing:*","autoscaling:*"],"Resource":"*"},
            {"Sid":"Pass","Effect":"Allow","Action":"iam:PassRole","Resource":["arn:aws:iam::111122223333:role/ecs/*","arn:aws:iam::111122223333:role/service-role/*","arn:aws:iam::111122223333:role/workloads/*"]},
            {"Sid":"Edge","Effect":"Allow","Action":["cloudfront:CreateInvalidation","cloudfront:GetInvalidation","cloudfront:UpdateDistribution"],"Resource":"*"}]}"#],
};

static CI_BOUNDARY: ManagedPolicy = ManagedPolicy {
    account: &PROD,
    name: "ci-boundary",
    versions: &[r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Everything","Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"NoPeople","Effect":"Deny","Action":["iam:CreateUser","iam:CreateAccessKey","iam:CreateLoginProfile","organizations:*","account:*"],"Resource":"*"}]}"#],
};

pub(in crate::sample) static GITHUB_DEPLOY_ROLE: Role = Role::new(&PROD, "/ci/", "github-deploy")
    .trust(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example-org/*"}}}]}"#,
    )
    .managed(&["arn:aws:iam::111122223333:policy/deploy-pipeline"])
    .boundary("arn:aws:iam::111122223333:policy/ci-boundary");

pub(in crate::sample) static GITHUB_DEPLOY: Workload = Workload {
    entry: Entry::Repository {
        role: &GITHUB_DEPLOY_ROLE,
        subject: "repo:example-org/shop:ref:refs/heads/main",
    },
    agent: CLI,
    regions: &["eu-west-1", "us-west-2"],
    rhythm: Rhythm::Office,
    weight: 25,
    sessions: 1,
    session_hours: 1,
    calls: &[
        (3, Call::read("sts", "GetCallerIdentity").host("sts.amazonaws.com")),
        (4, Call::read("ecr", "GetAuthorizationToken")),
        (6, PUSH_LAYER),
        (3, PUT_IMAGE),
        (3, REGISTER_TASK_DEFINITION),
        (3, UPDATE_SERVICE),
        (8, DESCRIBE_SERVICES),
        (3, UPDATE_FUNCTION_CODE),
        (1, CREATE_INVALIDATION),
    ],
};

const PUSH_LAYER: Call = Call::write("ecr", "UploadLayerPart")
    .request(r#"{"registryId":"<account>","repositoryName":"payments","uploadId":"<uuid>","partFirstByte":0,"partLastByte":20971519}"#)
    .response(r#"{"registryId":"<account>","repositoryName":"payments","uploadId":"<uuid>","lastByteReceived":20971519}"#)
    .resources(r#"{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/payments"}"#);
const PUT_IMAGE: Call = Call::write("ecr", "PutImage")
    .request(r#"{"registryId":"<account>","repositoryName":"payments","imageTag":"release-<number>","imageManifestMediaType":"application/vnd.oci.image.manifest.v1+json"}"#)
    .response(r#"{"image":{"registryId":"<account>","repositoryName":"payments","imageId":{"imageDigest":"sha256:<hex64>","imageTag":"release-<number>"}}}"#)
    .resources(r#"{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/payments"}"#);
pub(in crate::sample) const REGISTER_TASK_DEFINITION: Call = Call::write("ecs", "RegisterTaskDefinition")
    .request(r#"{"family":"payments","taskRoleArn":"arn:aws:iam::111122223333:role/ecs/payments-task","executionRoleArn":"arn:aws:iam::111122223333:role/ecs/payments-execution","networkMode":"awsvpc","containerDefinitions":[{"name":"payments","image":"111122223333.dkr.ecr.<region>.amazonaws.com/payments:release-<number>","essential":true}],"requiresCompatibilities":["FARGATE"],"cpu":"512","memory":"1024"}"#)
    .response(r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:<region>:<account>:task-definition/payments:<number>","family":"payments","status":"ACTIVE"}}"#)
    .passes(&["arn:aws:iam::111122223333:role/ecs/payments-task", "arn:aws:iam::111122223333:role/ecs/payments-execution"]);
const UPDATE_SERVICE: Call = Call::write("ecs", "UpdateService")
    .request(r#"{"cluster":"prod","service":"payments","taskDefinition":"payments:<number>","forceNewDeployment":false}"#)
    .response(r#"{"service":{"serviceName":"payments","clusterArn":"arn:aws:ecs:<region>:<account>:cluster/prod","status":"ACTIVE"}}"#);
const DESCRIBE_SERVICES: Call =
    Call::read("ecs", "DescribeServices").request(r#"{"cluster":"prod","services":["payments"]}"#);
const UPDATE_FUNCTION_CODE: Call = Call::write("lambda", "UpdateFunctionCode20150331v2")
    .request(r#"{"functionName":"order-processor","s3Bucket":"prod-artifacts","s3Key":"order-processor/<hex16>.zip","publish":true,"dryRun":false}"#)
    .response(r#"{"functionName":"order-processor","functionArn":"arn:aws:lambda:<region>:<account>:function:order-processor","runtime":"python3.13","role":"arn:aws:iam::111122223333:role/service-role/order-processor-role-x1y2z3","codeSha256":"<hex32>","version":"<number>","packageType":"Zip"}"#);
const CREATE_INVALIDATION: Call = Call::write("cloudfront", "CreateInvalidation2020_05_31")
    .request(r#"{"distributionId":"E1EXAMPLE2ABCD","invalidationBatch":{"paths":{"quantity":1,"items":["/*"]},"callerReference":"<uuid>"}}"#)
    .response(r#"{"invalidation":{"id":"I<hex16>","status":"InProgress"}}"#)
    .host("cloudfront.amazonaws.com");

pub(in crate::sample) static TERRAFORM_APPLY_ROLE: Role = Role::new(&PROD, "/ci/", "terraform-apply")
    .trust(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:example-org/infrastructure:environment:production"}}}]}"#,
    )
    .managed(&["arn:aws:iam::aws:policy/AdministratorAccess"])
    .boundary("arn:aws:iam::111122223333:policy/ci-boundary");

pub(in crate::sample) static TERRAFORM_APPLY: Workload = Workload {
    entry: Entry::Repository {
        role: &TERRAFORM_APPLY_ROLE,
        subject: "repo:example-org/infrastructure:environment:production",
    },
    agent: TERRAFORM,
    regions: &["eu-west-1", "eu-central-1", "us-west-2"],
    rhythm: Rhythm::Office,
    weight: 45,
    sessions: 1,
    session_hours: 1,
    calls: &[
        (1, Call::read("sts", "GetCallerIdentity").host("sts.amazonaws.com")),
        (9, Call::read("ec2", "DescribeSecurityGroups").request(r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-0a1b2c3d4e5f60718"}]},"filterSet":{}}"#)),
        (6, Call::read("ec2", "DescribeVpcs").request(r#"{"vpcSet":{"items":[{"vpcId":"vpc-0fedcba9876543210"}]},"filterSet":{}}"#)),
        (5, Call::read("ec2", "DescribeSubnets").request(r#"{"subnetSet":{},"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"vpc-0fedcba9876543210"}]}}]}}"#)),
        (8, Call::read("iam", "GetRole").request(r#"{"roleName":"order-processor-role-x1y2z3"}"#)),
        (8, Call::read("iam", "ListRolePolicies").request(r#"{"roleName":"order-processor-role-x1y2z3"}"#)),
        (4, Call::read("iam", "GetRolePolicy").request(r#"{"roleName":"order-processor-role-x1y2z3","policyName":"order-processor"}"#)),
        (6, s3_bucket!(read, "GetBucketPolicy", "prod-checkout-receipts", r#"policy":"""#)),
        (5, s3_bucket!(read, "GetBucketTagging", "prod-checkout-receipts", r#"tagging":"""#)),
        (2, s3_bucket!(write, "PutBucketTagging", "prod-checkout-receipts", r#"tagging":"","Tagging":{"xmlns":"http://s3.amazonaws.com/doc/2006-03-01/","TagSet":{"Tag":[{"Key":"managed-by","Value":"terraform"},{"Key":"revision","Value":"<hex8>"}]}}"#)),
        (2, Call::write("ec2", "CreateTags").request(r#"{"resourcesSet":{"items":[{"resourceId":"sg-0a1b2c3d4e5f60718"}]},"tagSet":{"items":[{"key":"managed-by","value":"terraform"},{"key":"revision","value":"<hex8>"}]}}"#).response(r#"{"requestId":"<uuid>","_return":true}"#)),
        (1, Call::read("route53", "ListHostedZones").host("route53.amazonaws.com")),
    ],
};

pub(in crate::sample) static CI_SANDBOX_ROLE: Role = Role::new(&DEV, "/ci/", "ci-sandbox")
    .trust(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::777788889999:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example-org/*"}}}]}"#,
    )
    .inline(&[(
        "ci-sandbox",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:*","ecr:*","s3:*","logs:*"],"Resource":"*"}]}"#,
    )]);

pub(in crate::sample) static CI_SANDBOX: Workload = Workload {
    entry: Entry::Repository { role: &CI_SANDBOX_ROLE, subject: "repo:example-org/sandbox:pull_request" },
    agent: CLI,
    regions: &["eu-west-1", "eu-central-1"],
    rhythm: Rhythm::Office,
    weight: 14,
    sessions: 1,
    session_hours: 1,
    calls: &[
        (2, Call::read("sts", "GetCallerIdentity").host("sts.amazonaws.com")),
        (3, Call::read("lambda", "GetFunction20150331v2").request(r#"{"functionName":"sandbox-<red|green|blue>"}"#)),
        (2, Call::write("lambda", "UpdateFunctionCode20150331v2").request(r#"{"functionName":"sandbox-<red|green|blue>","s3Bucket":"dev-artifacts","s3Key":"sandbox/<hex16>.zip","publish":false,"dryRun":false}"#)),
        (2, s3_bucket!(read, "GetBucketLocation", "dev-artifacts", r#"location":"""#)),
        (1, Call::read("lambda", "GetFunction20150331v2")
            .request(r#"{"functionName":"sandbox-missing"}"#)
            .fails("ResourceNotFoundException", "Function not found: arn:aws:lambda:<region>:<account>:function:sandbox-missing")),
    ],
};
