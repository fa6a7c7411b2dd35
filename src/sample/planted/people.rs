//! What people did by hand: root, break-glass, console edits of Terraform's resources, sign-ins without a second factor.

use super::super::SampleError;
use super::super::assume::Assumption;
use super::super::call::Call;
use super::super::caller::BROWSER;
use super::super::caller::Caller;
use super::super::estate::DEV;
use super::super::estate::GLOBAL_REGION;
use super::super::estate::MANAGEMENT;
use super::super::estate::PROD;
use super::super::moment::Moment;
use super::super::stage::Place;
use super::super::stage::Stage;
use super::super::workload::legacy::ALICE_OLD;
use super::super::workload::legacy::BREAK_GLASS_1;
use super::super::workload::outsiders::BREAK_GLASS_ROLE;
use super::super::workload::people::ADMINISTRATOR_PROD;
use super::super::workload::s3_bucket;
use super::super::workload::secret_read;
use super::Entry;

pub(super) const SCENES: [Entry; 9] = [
    (2, 9, 14, root_in_the_console),
    (3, 4, 30, root_through_auto_scaling),
    (3, 8, 20, sign_in_without_mfa),
    (7, 22, 5, break_glass),
    (8, 13, 0, console_edits),
    (8, 15, 40, omitted_parameters),
    (9, 10, 10, permission_changes),
    (11, 16, 25, service_linked_role_deleted),
    (12, 3, 3, logging_attacked),
];

const ROOT_ADDRESS: &str = "203.0.113.10";

fn root_in_the_console(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let place = Place::new(GLOBAL_REGION, time);
    let visitor = Caller::root(&MANAGEMENT, "", None).from(ROOT_ADDRESS, BROWSER);
    let failure = stage.sign_in_event(&visitor, "Failure", "No", place);
    stage.recorder.tally.plant("failed_console_login", &failure);
    stage.recorder.record(&failure)?;
    let success = stage.sign_in_event(&visitor, "Success", "Yes", place.plus(45));
    stage.recorder.tally.plant("root_use", &success);
    stage.recorder.record(&success)?;
    let key = stage.temporary_key();
    let root = Caller::root(&MANAGEMENT, &key, Some((time.plus(45), true))).from(ROOT_ADDRESS, BROWSER);
    let root = Caller {
        from_console: true,
        ..root
    };
    for (seconds, call) in [(70, GET_ACCOUNT_SUMMARY), (95, LIST_MFA_DEVICES), (160, CHANGE_CONTACT)] {
        stage.labelled(Some("root_use"), &root, &call, place.plus(seconds))?;
    }
    Ok(())
}

const GET_ACCOUNT_SUMMARY: Call = Call::read("iam", "GetAccountSummary");
const LIST_MFA_DEVICES: Call = Call::read("iam", "ListMFADevices").request(r#"{"userName":"root"}"#);
const CHANGE_CONTACT: Call = Call::write("account", "PutAlternateContact")
    .request(r#"{"alternateContactType":"SECURITY","emailAddress":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#)
    .host("account.us-east-1.amazonaws.com");

/// Services that act for an account appear as root with `invokedBy`; nobody used the root user.
fn root_through_auto_scaling(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let caller = Caller::root_through(&DEV, "autoscaling.amazonaws.com", time);
    let call = Call::read("ec2", "DescribeInstances").request(r#"{"instancesSet":{},"filterSet":{}}"#);
    for minutes in 0..2 {
        let place = Place::new("eu-west-1", time.plus(minutes * 60));
        stage.labelled(Some("root_through_a_service_is_no_root_use"), &caller, &call, place)?;
    }
    Ok(())
}

fn sign_in_without_mfa(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let place = Place::new(GLOBAL_REGION, time);
    let mistyped = Caller::unknown_user(&PROD).from(ALICE_OLD.ip, BROWSER);
    let failure = stage.sign_in_event(&mistyped, "Failure", "No", place);
    stage.recorder.tally.plant("failed_console_login", &failure);
    stage.recorder.record(&failure)?;
    let visitor = Caller::user_signing_in(&ALICE_OLD).from(ALICE_OLD.ip, BROWSER);
    let success = stage.sign_in_event(&visitor, "Success", "No", place.plus(30));
    stage.recorder.tally.plant("console_login_without_mfa", &success);
    stage.recorder.record(&success)?;
    let key = stage.temporary_key();
    let alice = Caller::user_in_console(&ALICE_OLD, &key, time.plus(30), false).from(ALICE_OLD.ip, BROWSER);
    let list = Call::read("s3", "ListBuckets")
        .request(r#"{"Host":"s3.eu-west-1.amazonaws.com"}"#)
        .host("s3.eu-west-1.amazonaws.com");
    stage.call(&alice, &list, Place::new("eu-west-1", time.plus(75)))
}

fn break_glass(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let visitor = Caller::user_signing_in(&BREAK_GLASS_1).from(BREAK_GLASS_1.ip, BROWSER);
    let sign_in = stage.sign_in_event(&visitor, "Success", "Yes", Place::new(GLOBAL_REGION, time));
    stage.recorder.tally.plant("break_glass", &sign_in);
    stage.recorder.record(&sign_in)?;
    let key = stage.temporary_key();
    let user = Caller::user_in_console(&BREAK_GLASS_1, &key, time, true).from(BREAK_GLASS_1.ip, BROWSER);
    let place = Place::new("eu-west-1", time.plus(60));
    let assumption = Assumption {
        role: &BREAK_GLASS_ROLE,
        session_name: "break-glass-1",
        place,
    };
    let caller = stage.assume_across(&user, &assumption)?;
    for (seconds, call) in [(120, MODIFY_DATABASE), (200, REVOKE_INGRESS), (260, READ_STRIPE_KEY)] {
        stage.labelled(
            Some("break_glass"),
            &caller,
            &call,
            Place::new("eu-west-1", time.plus(seconds)),
        )?;
    }
    Ok(())
}

const MODIFY_DATABASE: Call = Call::write("rds", "ModifyDBInstance")
    .request(r#"{"dBInstanceIdentifier":"prod-orders","masterUserPassword":"****","applyImmediately":true}"#)
    .response(r#"{"dBInstanceIdentifier":"prod-orders","dBInstanceArn":"arn:aws:rds:<region>:<account>:db:prod-orders","dBInstanceStatus":"available"}"#);
const REVOKE_INGRESS: Call = Call::write("ec2", "RevokeSecurityGroupIngress")
    .request(r#"{"groupId":"sg-0a1b2c3d4e5f60718","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"198.51.100.0/24"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#)
    .response(r#"{"requestId":"<uuid>","_return":true}"#);
const READ_STRIPE_KEY: Call = secret_read!(
    "prod/payments/stripe-key",
    "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/stripe-key-Ef3Gh4"
);

/// Edits in the console of what Terraform manages.
fn console_edits(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    for (seconds, call) in [
        (60, OPEN_PORT),
        (180, PUT_BUCKET_POLICY),
        (300, PUT_ROLE_POLICY),
        (420, CHANGE_FUNCTION),
    ] {
        let place = Place::new("eu-west-1", time.plus(seconds));
        stage.labelled(Some("console_edit_of_managed_resource"), &session.caller, &call, place)?;
    }
    Ok(())
}

const OPEN_PORT: Call = Call::write("ec2", "AuthorizeSecurityGroupIngress")
    .request(r#"{"groupId":"sg-0a1b2c3d4e5f60718","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0","description":"temporary"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#)
    .response(r#"{"requestId":"<uuid>","_return":true}"#);
const PUT_BUCKET_POLICY: Call = s3_bucket!(
    write,
    "PutBucketPolicy",
    "prod-checkout-receipts",
    r#"policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555566667777:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-checkout-receipts/*"}]}"#
);
const PUT_ROLE_POLICY: Call = Call::write("iam", "PutRolePolicy").request(
    r#"{"roleName":"order-processor-role-x1y2z3","policyName":"order-processor","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}"}"#,
);
const CHANGE_FUNCTION: Call = Call::write("lambda", "UpdateFunctionConfiguration20150331v2")
    .request(r#"{"functionName":"order-processor","timeout":120,"memorySize":1024}"#)
    .response(r#"{"functionName":"order-processor","functionArn":"arn:aws:lambda:<region>:<account>:function:order-processor","timeout":120,"memorySize":1024,"role":"arn:aws:iam::111122223333:role/service-role/order-processor-role-x1y2z3"}"#);

/// A policy so long that CloudTrail leaves it out, which is a known way to hide one.
fn omitted_parameters(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    let call = Call::write("iam", "CreatePolicyVersion")
        .request(r#"{"reason":"requestParameters too large","omitted":"true","originalSize":"149893"}"#);
    let place = Place::new(GLOBAL_REGION, time.plus(90));
    stage.labelled(Some("omitted_parameters"), &session.caller, &call, place)
}

/// A permission lent for an hour and a key switched off: nothing of it is left in the snapshot but the inactive key.
fn permission_changes(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    for (seconds, call) in [(60, ATTACH), (3600, DETACH), (3700, SWITCH_KEY_OFF)] {
        let place = Place::new(GLOBAL_REGION, time.plus(seconds));
        stage.labelled(Some("permission_change"), &session.caller, &call, place)?;
    }
    Ok(())
}

const ATTACH: Call = Call::write("iam", "AttachRolePolicy")
    .request(r#"{"roleName":"nightly-etl","policyArn":"arn:aws:iam::aws:policy/AmazonS3FullAccess"}"#);
const DETACH: Call = Call::write("iam", "DetachRolePolicy")
    .request(r#"{"roleName":"nightly-etl","policyArn":"arn:aws:iam::aws:policy/AmazonS3FullAccess"}"#);
const SWITCH_KEY_OFF: Call = Call::write("iam", "UpdateAccessKey")
    .request(r#"{"userName":"svc-jenkins","accessKeyId":"AKIAEXAMPLEJENKINS02","status":"Inactive"}"#);

fn service_linked_role_deleted(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    let call = Call::write("iam", "DeleteServiceLinkedRole")
        .request(r#"{"roleName":"AWSServiceRoleForElasticBeanstalk"}"#)
        .response(r#"{"deletionTaskId":"task/aws-service-role/elasticbeanstalk.amazonaws.com/AWSServiceRoleForElasticBeanstalk/<uuid>"}"#);
    let place = Place::new(GLOBAL_REGION, time.plus(60));
    stage.labelled(Some("service_linked_role_edit"), &session.caller, &call, place)
}

/// Attempts on the trail and the recorder, both stopped by a service control policy.
fn logging_attacked(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    for (seconds, call) in [(60, STOP_LOGGING), (80, STOP_RECORDER)] {
        let place = Place::new("eu-west-1", time.plus(seconds));
        stage.labelled(Some("logging_tampering_denied"), &session.caller, &call, place)?;
    }
    Ok(())
}

const STOP_LOGGING: Call = Call::write("cloudtrail", "StopLogging")
    .request(r#"{"name":"arn:aws:cloudtrail:us-east-1:123456789012:trail/example-org-trail"}"#)
    .fails("AccessDenied", "User: <caller> is not authorized to perform: cloudtrail:StopLogging on resource: arn:aws:cloudtrail:us-east-1:123456789012:trail/example-org-trail with an explicit deny in a service control policy");
const STOP_RECORDER: Call = Call::write("config", "StopConfigurationRecorder")
    .request(r#"{"configurationRecorderName":"default"}"#)
    .fails("AccessDeniedException", "User: <caller> is not authorized to perform: config:StopConfigurationRecorder with an explicit deny in a service control policy");
