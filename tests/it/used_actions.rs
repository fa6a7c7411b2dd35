//! `iam_actions` and the view `used_actions`.

use trimtrail::query::QuerySession;
use trimtrail::query::SessionOptions;

use crate::support::store;
use crate::support::text;

const EVENTS: &str = concat!(
    r#"{"event_time":"2026-10-01T08:00:00Z","event_id":"versioned","event_source":"s3.amazonaws.com","#,
    r#""event_name":"GetObject","event_type":"AwsApiCall","principal_arn":"arn:aws:iam::111111111111:role/app","#,
    r#""principal_type":"role","recipient_account_id":"111111111111","aws_region":"eu-west-1","#,
    r#""request_parameters":"{\"bucketName\":\"b\",\"key\":\"k\",\"versionId\":\"3\"}","#,
    r#""resources":[{"arn":"arn:aws:s3:::b/k","type":"AWS::S3::Object"}]}"#,
    "\n",
    r#"{"event_time":"2026-10-01T08:01:00Z","event_id":"passed","event_source":"lambda.amazonaws.com","#,
    r#""event_name":"CreateFunction20150331","event_type":"AwsApiCall","#,
    r#""principal_arn":"arn:aws:iam::111111111111:role/app","principal_type":"role","#,
    r#""recipient_account_id":"111111111111","aws_region":"eu-west-1","#,
    r#""request_parameters":"{\"functionName\":\"f\"}","#,
    r#""passed_role_arns":["arn:aws:iam::111111111111:role/f"]}"#,
    "\n",
    r#"{"event_time":"2026-10-01T08:02:00Z","event_id":"refused","event_source":"ec2.amazonaws.com","#,
    r#""event_name":"RunInstances","event_type":"AwsApiCall","principal_arn":"arn:aws:iam::111111111111:role/app","#,
    r#""principal_type":"role","recipient_account_id":"111111111111","error_code":"Client.UnauthorizedOperation"}"#,
    "\n",
    r#"{"event_time":"2026-10-01T08:03:00Z","event_id":"unmapped","event_source":"ec2.amazonaws.com","#,
    r#""event_name":"FlyToTheMoon","event_type":"AwsApiCall","principal_arn":"arn:aws:iam::111111111111:role/app","#,
    r#""principal_type":"role","recipient_account_id":"111111111111"}"#,
    "\n",
    r#"{"event_time":"2026-10-01T08:04:00Z","event_id":"service","event_source":"acm.amazonaws.com","#,
    r#""event_name":"RenewCertificate","event_type":"AwsServiceEvent","recipient_account_id":"111111111111"}"#,
    "\n",
);

async fn rows(statement: &str) -> Vec<String> {
    let test_store = store::with_events(EVENTS).await;
    let session = QuerySession::new(Some(&test_store.store), &SessionOptions::new(2, 0), None).unwrap();
    text::of_stream(session.sql(statement, &[]).await.unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn every_event_stands_in_the_view_with_its_proven_actions_or_the_reason_for_none() {
    let statement = "select event_id, coalesce(action, verdict), is_used, outcome, array_to_string(resources, ' ') \
                     from used_actions where action is null or is_proven order by event_time, action";
    assert_eq!(
        rows(statement).await,
        [
            "versioned|s3:GetObjectVersion|true|succeeded|arn:aws:s3:::b/k",
            "passed|iam:PassRole|true|succeeded|arn:aws:iam::111111111111:role/f",
            "passed|lambda:CreateFunction|true|succeeded|arn:aws:lambda:eu-west-1:111111111111:function:f",
            "refused|ec2:RunInstances|false|denied|-",
            "unmapped|unmapped|-|succeeded|-",
            "service|not-iam|-|succeeded|-",
        ]
    );
}

#[tokio::test]
async fn possible_actions_are_marked_as_such() {
    let statement = "select class, proof, is_proven from used_actions \
                     where event_id = 'versioned' and action = 'kms:Decrypt'";
    assert_eq!(
        rows(statement).await,
        ["dependent|none; s3.amazonaws.com may use it for the caller|false"]
    );
}

#[tokio::test]
async fn function_needs_source_and_name_alone() {
    let statement = "select need['action'] || ' ' || need['class'] from \
                     (select unnest(iam_actions('kms.amazonaws.com', 'ReEncrypt')) as need) order by 1";
    assert_eq!(
        rows(statement).await,
        ["kms:ReEncryptFrom primary", "kms:ReEncryptTo primary"]
    );
    assert_eq!(rows("select iam_actions(null, null)[1]['verdict']").await, ["unmapped"]);
}

#[tokio::test]
async fn filter_on_the_day_of_the_view_reaches_the_scan() {
    let plan = rows("explain select action from used_actions where event_date = date '2026-10-09'").await;
    let plan = plan.join("\n");
    assert!(plan.contains("EmptyExec") || plan.contains("files=0"), "{plan}");
}
