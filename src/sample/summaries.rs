//! The records of log objects that hold no events: Insights, five-minute aggregates, and calls through VPC endpoints.

use serde_json::Value;
use serde_json::json;

use super::estate::PROD;
use super::moment::HOUR;
use super::moment::MINUTE;
use super::moment::Moment;
use super::random::Random;
use super::recorder::WATCHED_REGION;
use super::workload::compute::CHECKOUT_API_ROLE;
use super::workload::containers::PAYMENTS_TASK_ROLE;

/// Start and end of one Insight: more write calls than usual.
pub(super) fn insight_pair(random: &mut Random, time: Moment) -> Vec<Value> {
    let shared_event_id = random.uuid();
    let moments = [("Start", time), ("End", time.plus(20 * MINUTE))];
    moments
        .iter()
        .map(|(state, moment)| {
            json!({
                "eventVersion": "1.07",
                "eventTime": moment.iso(),
                "awsRegion": WATCHED_REGION,
                "eventID": random.uuid(),
                "eventType": "AwsCloudTrailInsight",
                "recipientAccountId": PROD.id,
                "sharedEventID": shared_event_id,
                "insightDetails": insight_details(state),
                "eventCategory": "Insight",
            })
        })
        .collect()
}

/// The three templates of aggregated events, for S3 data events of five minutes. The fields are not those of events.
pub(super) fn aggregated(random: &mut Random, time: Moment) -> Vec<Value> {
    let receipts = "arn:aws:s3:::prod-checkout-receipts";
    let session = CHECKOUT_API_ROLE.arn();
    let templates = [
        ("eventName", "PutObject", "resourceARN", receipts),
        ("resourceARN", receipts, "eventName", "PutObject"),
        ("userIdentity", session.as_str(), "eventName", "PutObject"),
    ];
    templates
        .iter()
        .map(|(primary, primary_name, detail, detail_name)| {
            let count = random.between(200, 900);
            json!({
                "eventVersion": "1.0",
                "accountId": PROD.id,
                "eventId": random.uuid(),
                "eventCategory": "Aggregated",
                "eventType": "AwsAggregatedEvent",
                "awsRegion": WATCHED_REGION,
                "eventSource": "s3.amazonaws.com",
                "timeWindow": {
                    "windowStart": time.plus(-10 * MINUTE).iso(),
                    "windowEnd": time.plus(-5 * MINUTE).iso(),
                    "windowSize": "PT5M",
                },
                "summary": {
                    "primaryDimension": dimension(primary, primary_name, count),
                    "details": [dimension(detail, detail_name, count)],
                },
            })
        })
        .collect()
}

/// Calls through a VPC endpoint as its owner sees them: one let through, one stopped by the endpoint's policy.
pub(super) fn network_activity(random: &mut Random, time: Moment) -> Vec<Value> {
    let session_name = random.hex(32);
    let inside = json!({
        "type": "AssumedRole",
        "principalId": format!("{}:{session_name}", PAYMENTS_TASK_ROLE.id()),
        "arn": PAYMENTS_TASK_ROLE.session_arn(&session_name),
        "accountId": PROD.id,
        "accessKeyId": format!("ASIAEXAMPLE{}", random.base32(9)),
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": PAYMENTS_TASK_ROLE.id(),
                "arn": PAYMENTS_TASK_ROLE.arn(),
                "accountId": PROD.id,
                "userName": PAYMENTS_TASK_ROLE.name,
            },
            "attributes": { "creationDate": time.plus(-HOUR).iso(), "mfaAuthenticated": "false" },
        },
    });
    let outside = json!({
        "type": "AWSAccount",
        "principalId": "AROAEXAMPLESTRANGER01:worker",
        "accountId": "555566667777",
    });
    vec![
        network_record(random, &inside, time.plus(-8 * MINUTE), None),
        network_record(random, &outside, time.plus(-7 * MINUTE), Some("VpceAccessDenied")),
    ]
}

fn network_record(random: &mut Random, identity: &Value, time: Moment, error_code: Option<&str>) -> Value {
    let mut record = json!({
        "eventVersion": "1.09",
        "userIdentity": identity,
        "eventTime": time.iso(),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "awsRegion": WATCHED_REGION,
        "sourceIPAddress": "10.20.7.12",
    });
    if let (Value::Object(members), Some(code)) = (&mut record, error_code) {
        members.insert("errorCode".to_owned(), code.into());
        members.insert(
            "errorMessage".to_owned(),
            "The request was denied due to a VPC endpoint policy".into(),
        );
    }
    if let Value::Object(members) = &mut record {
        members.insert("requestID".to_owned(), random.uuid().into());
        members.insert("eventID".to_owned(), random.uuid().into());
        members.insert("eventType".to_owned(), "AwsVpceEvent".into());
        members.insert("recipientAccountId".to_owned(), PROD.id.into());
        members.insert("sharedEventID".to_owned(), random.uuid().into());
        members.insert("vpcEndpointId".to_owned(), "vpce-0b2c3d4e5f6789012".into());
        members.insert("vpcEndpointAccountId".to_owned(), PROD.id.into());
        members.insert("eventCategory".to_owned(), "NetworkActivity".into());
    }
    record
}

fn insight_details(state: &str) -> Value {
    let mut statistics = json!({ "baseline": { "average": 0.002_976_190_5 }, "insight": { "average": 3 } });
    if let (Value::Object(members), "End") = (&mut statistics, state) {
        members.insert("insightDuration".to_owned(), 20.into());
        members.insert("baselineDuration".to_owned(), 10_080.into());
    }
    json!({
        "state": state,
        "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress",
        "insightType": "ApiCallRateInsight",
        "insightContext": {
            "statistics": statistics,
            "attributions": [{
                "attribute": "userIdentityArn",
                "insight": [{ "value": CHECKOUT_API_ROLE.session_arn("i-0123456789abcdef0"), "average": 3 }],
                "baseline": [],
            }],
        },
    })
}

fn dimension(name: &str, value: &str, count: u64) -> Value {
    json!({
        "dimension": name,
        "statistics": [{ "name": value, "value": count }],
        "aggregationType": "Count",
    })
}
