//! Calls in regions where nobody is expected, and calls that only look so.

use super::super::SampleError;
use super::super::call::Call;
use super::super::caller::Caller;
use super::super::estate::UNEXPECTED_REGION;
use super::super::moment::Moment;
use super::super::stage::Place;
use super::super::stage::Stage;
use super::super::workload::delivery::GITHUB_DEPLOY;
use super::super::workload::legacy::JENKINS;
use super::super::workload::people::DEVELOPER_DEV;
use super::Entry;

pub(super) const SCENES: [Entry; 4] = [
    (5, 2, 40, key_used_far_away),
    (5, 10, 15, pipeline_in_the_wrong_region),
    (8, 9, 35, global_endpoint_served_far_away),
    (9, 14, 20, workload_region_of_nobody),
];

/// The old Jenkins key from an unknown address: it looks around, and a service control policy stops the rest.
fn key_used_far_away(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let key = JENKINS.keys.first().map_or("", |key| key.id);
    let caller = Caller::user(&JENKINS, key).from("198.51.100.77", "aws-cli/2.17.9 md/prompt#off");
    let calls = [
        Call::read("sts", "GetCallerIdentity"),
        Call::read("ec2", "DescribeRegions").request(r#"{"regionSet":{}}"#),
        Call::read("ec2", "DescribeInstances").request(r#"{"instancesSet":{},"filterSet":{}}"#),
        Call::read("ec2", "DescribeKeyPairs").request(r#"{"keySet":{},"filterSet":{}}"#),
        Call::read("ec2", "DescribeInstanceTypes").request(r#"{"DescribeInstanceTypesRequest":{"MaxResults":100}}"#),
        Call::read("ec2", "DescribeSubnets").request(r#"{"subnetSet":{},"filterSet":{}}"#),
        RUN_INSTANCES,
        RUN_INSTANCES,
    ];
    for (seconds, call) in (0..).step_by(25).zip(&calls) {
        stage.labelled(
            Some("key_used_far_away"),
            &caller,
            call,
            Place::new(UNEXPECTED_REGION, time.plus(seconds)),
        )?;
    }
    Ok(())
}

const RUN_INSTANCES: Call = Call::write("ec2", "RunInstances")
    .request(r#"{"instancesSet":{"items":[{"imageId":"ami-0fedcba9876543210","minCount":10,"maxCount":10}]},"instanceType":"g5.12xlarge","blockDeviceMapping":{},"monitoring":{"enabled":false},"disableApiTermination":false,"clientToken":"<uuid>"}"#)
    .fails("Client.UnauthorizedOperation", "You are not authorized to perform this operation. User: <caller> is not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:<region>:<account>:instance/* with an explicit deny in a service control policy. Encoded authorization failure message: <hex64><hex64.2><hex64.3>");

fn pipeline_in_the_wrong_region(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&GITHUB_DEPLOY, None, time)?;
    let call = Call::read("ecr", "DescribeRepositories").request(r#"{"repositoryNames":["payments"]}"#);
    stage.call(&session.caller, &call, Place::new(UNEXPECTED_REGION, time.plus(20)))
}

/// Logged in us-east-1, but served where nobody is expected: only `awsServingRegion` tells.
fn global_endpoint_served_far_away(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let key = JENKINS.keys.first().map_or("", |key| key.id);
    let caller = Caller::user(&JENKINS, key).from("198.51.100.77", "aws-cli/2.17.9 md/prompt#off");
    let call = Call::read("sts", "GetCallerIdentity").host("sts.amazonaws.com");
    stage.labelled(
        Some("global_endpoint_served_far_away"),
        &caller,
        &call,
        Place::new(UNEXPECTED_REGION, time),
    )
}

/// us-east-1 holds global events, so that real calls there are easy to overlook.
fn workload_region_of_nobody(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&DEVELOPER_DEV, None, time)?;
    let call = Call::read("ec2", "DescribeInstances").request(r#"{"maxResults":100,"instancesSet":{},"filterSet":{}}"#);
    for seconds in [30, 60] {
        stage.call(&session.caller, &call, Place::new("us-east-1", time.plus(seconds)))?;
    }
    Ok(())
}
