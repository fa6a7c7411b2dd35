//! Access that should be looked at: denied attempts, roles passed to services, outsiders, a young role.

use super::super::SampleError;
use super::super::call::Call;
use super::super::caller::Caller;
use super::super::estate::PROD;
use super::super::moment::Moment;
use super::super::stage::Place;
use super::super::stage::Stage;
use super::super::workload::Entry as Way;
use super::super::workload::JAVA;
use super::super::workload::Rhythm;
use super::super::workload::Workload;
use super::super::workload::compute::CHECKOUT_API;
use super::super::workload::compute::FRAUD_SCORING_ROLE;
use super::super::workload::delivery::GITHUB_DEPLOY;
use super::super::workload::delivery::REGISTER_TASK_DEFINITION;
use super::super::workload::delivery::TERRAFORM_APPLY;
use super::super::workload::outsiders::PARTNER_EXPORT;
use super::super::workload::outsiders::PARTNER_READ;
use super::super::workload::people::DEVELOPER_DEV;
use super::super::workload::people::DEVELOPER_PROD;
use super::super::workload::s3_object;
use super::Entry;

pub(super) const SCENES: [Entry; 9] = [
    (1, 9, 30, terraform_launches_an_instance),
    (1, 11, 0, terraform_edits),
    (2, 13, 20, pipeline_passes_roles),
    (6, 14, 0, checkout_reaches_for_the_ledger),
    (9, 15, 5, developer_passes_a_payments_role),
    (10, 11, 45, developer_tries_break_glass),
    (10, 12, 30, partner_without_external_id),
    (12, 9, 0, young_role_starts),
    (12, 12, 30, hostile_text),
];

fn terraform_launches_an_instance(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&TERRAFORM_APPLY, None, time)?;
    let call = Call::write("ec2", "RunInstances")
        .request(r#"{"instancesSet":{"items":[{"imageId":"ami-0abcdef1234567890","minCount":1,"maxCount":1}]},"instanceType":"m7g.large","blockDeviceMapping":{},"monitoring":{"enabled":true},"disableApiTermination":false,"clientToken":"<uuid>","subnetId":"subnet-0123456789abcdef0","iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/checkout-api"},"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"managed-by","value":"terraform"}]}]}}"#)
        .response(r#"{"requestId":"<uuid>","reservationId":"r-<hex17>","ownerId":"<account>","groupSet":{},"instancesSet":{"items":[{"instanceId":"i-<hex17>","imageId":"ami-0abcdef1234567890","instanceState":{"code":0,"name":"pending"},"iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/checkout-api","id":"AIPAEXAMPLECHECKOUTAP"}}]}}"#)
        .passes(&["arn:aws:iam::111122223333:role/workloads/checkout-api"]);
    stage.labelled(
        Some("pass_role"),
        &session.caller,
        &call,
        Place::new("eu-west-1", time.plus(60)),
    )
}

/// What makes the resources Terraform's: it writes them from its pipeline.
fn terraform_edits(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&TERRAFORM_APPLY, None, time)?;
    let ingress = Call::write("ec2", "AuthorizeSecurityGroupIngress")
        .request(r#"{"groupId":"sg-0a1b2c3d4e5f60718","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"198.51.100.0/24"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#)
        .response(r#"{"requestId":"<uuid>","_return":true}"#);
    let role_policy = Call::write("iam", "PutRolePolicy").request(
        r#"{"roleName":"order-processor-role-x1y2z3","policyName":"order-processor","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"states:StartExecution\",\"Resource\":\"*\"}]}"}"#,
    );
    for (seconds, call) in [(30, ingress), (40, role_policy)] {
        let place = Place::new("eu-west-1", time.plus(seconds));
        stage.labelled(Some("terraform_edit"), &session.caller, &call, place)?;
    }
    Ok(())
}

fn pipeline_passes_roles(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&GITHUB_DEPLOY, None, time)?;
    let create = Call::write("lambda", "CreateFunction20150331")
        .request(r#"{"functionName":"order-events","runtime":"python3.13","role":"arn:aws:iam::111122223333:role/service-role/order-processor-role-x1y2z3","handler":"app.handler","code":{"s3Bucket":"prod-artifacts","s3Key":"order-events/<hex16>.zip"},"timeout":30,"memorySize":256,"publish":true,"packageType":"Zip","environment":{}}"#)
        .response(r#"{"functionName":"order-events","functionArn":"arn:aws:lambda:<region>:<account>:function:order-events","runtime":"python3.13","role":"arn:aws:iam::111122223333:role/service-role/order-processor-role-x1y2z3","state":"Pending","packageType":"Zip"}"#)
        .passes(&["arn:aws:iam::111122223333:role/service-role/order-processor-role-x1y2z3"]);
    stage.labelled(
        Some("pass_role"),
        &session.caller,
        &create,
        Place::new("eu-west-1", time.plus(30)),
    )?;
    stage.labelled(
        Some("pass_role"),
        &session.caller,
        &REGISTER_TASK_DEFINITION,
        Place::new("eu-west-1", time.plus(50)),
    )
}

fn checkout_reaches_for_the_ledger(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&CHECKOUT_API, None, time)?;
    let call = s3_object!(read, "GetObject", "prod-payments-ledger", "ledger/<day>/<hex16>.parquet").fails(
        "AccessDenied",
        "User: <caller> is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::prod-payments-ledger/ledger/<day>/<hex16>.parquet\" because no identity-based policy allows the s3:GetObject action",
    );
    for attempt in 0..3 {
        let place = Place::new(session.region, time.plus(attempt * 20));
        stage.labelled(Some("denied_attempt"), &session.caller, &call, place)?;
    }
    Ok(())
}

fn developer_passes_a_payments_role(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&DEVELOPER_PROD, None, time)?;
    let call = Call::write("lambda", "CreateFunction20150331")
        .request(r#"{"functionName":"quick-fix","runtime":"python3.13","role":"arn:aws:iam::111122223333:role/ecs/payments-task","handler":"app.handler","code":{},"timeout":3,"memorySize":128,"packageType":"Zip"}"#)
        .passes(&["arn:aws:iam::111122223333:role/ecs/payments-task"])
        .fails("AccessDeniedException", "User: <caller> is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/ecs/payments-task because no identity-based policy allows the iam:PassRole action");
    stage.labelled(
        Some("denied_attempt"),
        &session.caller,
        &call,
        Place::new("eu-west-1", time.plus(120)),
    )
}

/// A denied `AssumeRole` across accounts is recorded in the caller's account only.
fn developer_tries_break_glass(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&DEVELOPER_DEV, None, time)?;
    let call = Call::read("sts", "AssumeRole").fails(
        "AccessDenied",
        "User: <caller> is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/break-glass/break-glass-admin",
    );
    stage.labelled(
        Some("denied_attempt"),
        &session.caller,
        &call,
        Place::new("eu-west-1", time.plus(90)),
    )
}

fn partner_without_external_id(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&PARTNER_EXPORT, None, time)?;
    for read in 1..5 {
        stage.call(
            &session.caller,
            &PARTNER_READ,
            Place::new("eu-west-1", time.plus(read * 5)),
        )?;
    }
    Ok(())
}

static FRAUD_SCORING: Workload = Workload {
    entry: Way::Function {
        role: &FRAUD_SCORING_ROLE,
        function: "fraud-scoring",
    },
    agent: JAVA,
    regions: &["eu-west-1"],
    rhythm: Rhythm::Steady,
    weight: 0,
    sessions: 1,
    session_hours: 12,
    calls: &[],
};

fn young_role_starts(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&FRAUD_SCORING, None, time)?;
    let call = Call::read("sagemaker", "ListEndpoints").request(r#"{"maxResults":10}"#);
    for minutes in 0..3 {
        let place = Place::new("eu-west-1", time.plus(60 + minutes * 60));
        stage.labelled(Some("use_of_young_role"), &session.caller, &call, place)?;
    }
    Ok(())
}

/// Text that an attacker chooses: formulas, markup and terminal escapes in a user agent and an object key.
fn hostile_text(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let caller = Caller::outsider("555566667777", "AIDAEXAMPLEOUTSIDER01", &PROD).from(
        "198.51.100.211",
        "<script>alert(1)</script>\u{1b}[31m=HYPERLINK(\"http://example.com\")",
    );
    let call = s3_object!(
        read,
        "GetObject",
        "prod-order-archive",
        "=cmd|' /C calc'!A0/../../etc/passwd"
    )
    .fails("AccessDenied", "Access Denied");
    stage.labelled(Some("hostile_text"), &caller, &call, Place::new("eu-west-1", time))?;
    stage.labelled(
        Some("hostile_text"),
        &caller,
        &call,
        Place::new("eu-west-1", time.plus(1)),
    )
}
