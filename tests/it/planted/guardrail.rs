//! Guardrails out of what the sample organization uses: nothing that was done is denied, and the planted facts come out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Sample;
use super::sample;
use crate::support::json::texts;
use crate::support::process::Ended;

const WORKLOADS: [&str; 2] = ["--ou", "ou-exam-workloads"];

fn guardrail(sample: &Sample, arguments: &[&str]) -> Ended {
    sample.run(&[&["guardrail"], arguments].concat())
}

fn policy(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.stderr))
}

fn values(value: &Value) -> BTreeSet<String> {
    let values = value.as_array().unwrap().iter();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn region_policy_allows_the_regions_in_use_and_denies_nothing() {
    let sample = sample();
    let ended = guardrail(
        &sample,
        &[&["region-scp", "--min-window", "14d"][..], &WORKLOADS].concat(),
    );
    let statement = &policy(&ended)["Statement"][0];
    let regions = values(&statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"]);
    let wanted = ["ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];
    assert_eq!(regions, wanted.map(str::to_owned).into(), "{}", ended.stderr);
    assert!(values(&statement["NotAction"]).contains("iam:*"));
    assert!(ended.stderr.contains("0 of "), "{}", ended.stderr);
    // One of the accounts records no data events.
    assert!(
        ended.stderr.contains("777788889999: a region in which only data"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    // The odd one is told with who it was.
    let odd = ended.stderr.lines().find(|line| line.starts_with("ap-southeast-1: "));
    assert!(
        odd.unwrap().contains("arn:aws:iam::111122223333:user/svc-jenkins"),
        "{}",
        ended.stderr
    );
}

#[test]
fn region_policy_that_would_have_denied_the_planted_calls_is_not_printed() {
    let sample = sample();
    let without = [
        "region-scp",
        "--min-window",
        "14d",
        "--without-region",
        "ap-southeast-1",
    ];
    let ended = guardrail(&sample, &[&without[..], &WORKLOADS].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{}", ended.stderr);
    let planted = sample.expected["unexpected_region"]["calls"].as_array().unwrap();
    // Calls that any region answers for all are left alone.
    let is_exempt = |call: &Value| call["event_name"] == "GetCallerIdentity" || call["event_name"] == "DescribeRegions";
    let meant = planted
        .iter()
        .filter(|call| call["aws_region"] == "ap-southeast-1" && call["outcome"] == "succeeded" && !is_exempt(call));
    let meant: Vec<Value> = meant.cloned().collect();
    let ids = texts(&Value::Array(meant), "event_id");
    assert!(ids.len() >= 5, "{ids:?}");
    let denied = ended
        .stderr
        .lines()
        .filter(|line| line.contains("would have been denied: "));
    assert_eq!(denied.count(), ids.len(), "{}", ended.stderr);
    assert!(ids.iter().all(|id| ended.stderr.contains(id)), "{}", ended.stderr);
    // The same calls stay where their caller is left alone.
    let by_name = [
        &without[..],
        &WORKLOADS,
        &[
            "--exempt-role",
            "arn:aws:iam::*:user/svc-*",
            "--exempt-role",
            "arn:aws:iam::*:role/ci/*",
        ],
    ]
    .concat();
    let ended = guardrail(&sample, &by_name);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stdout.contains("ArnNotLike"), "{}", ended.stdout);
}

#[test]
fn boundary_lets_through_what_its_principals_did_and_not_what_is_unused() {
    let sample = sample();
    let ended = guardrail(
        &sample,
        &["boundary", "--principal", "github-deploy", "--min-window", "14d"],
    );
    let boundary = policy(&ended);
    let statement = &boundary["Statement"][0];
    assert_eq!(
        (&statement["Effect"], &statement["Resource"]),
        (&"Allow".into(), &"*".into())
    );
    assert!(ended.stderr.contains("0 of "), "{}", ended.stderr);
    assert!(ended.stdout.len() < 10_000, "{}", ended.stdout.len());
    let actions = values(&statement["Action"]);
    let unused = sample
        .permissions(&["--principal", "github-deploy"])
        .into_iter()
        .filter(|row| row["verdict"] == "unused")
        .map(|row| row["action"].as_str().unwrap().to_owned());
    let unused: BTreeSet<String> = unused.collect();
    assert!(!unused.is_empty());
    assert_eq!(unused.intersection(&actions).count(), 0, "{actions:?}");
}

#[test]
fn unused_services_are_denied_only_where_their_use_would_be_seen() {
    let sample = sample();
    let arguments = [&["service-deny", "--min-window", "14d"][..], &WORKLOADS].concat();
    let ended = guardrail(&sample, &arguments);
    let proposed = policy(&ended);
    let policies = match proposed {
        Value::Array(policies) => policies,
        one => vec![one],
    };
    let mut denied = BTreeSet::new();
    for policy in &policies {
        assert!(policy.to_string().len() <= 5_120);
        denied.extend(values(&policy["Statement"][0]["Action"]));
    }
    assert!(denied.len() > 20 && denied.contains("gamelift:*"), "{denied:?}");
    // `q` has permissions that no public operation needs.
    for used in ["ec2:*", "s3:*", "sts:*", "lambda:*", "q:*"] {
        assert!(!denied.contains(used), "{used}");
    }
    assert!(ended.stderr.contains("0 of "), "{}", ended.stderr);
    // Two weeks are no month.
    let short = guardrail(&sample, &[&["service-deny"][..], &WORKLOADS].concat());
    assert_eq!((short.code, short.stdout.as_str()), (4, ""), "{}", short.stderr);
}

#[test]
fn wrong_usage_of_guardrail_is_refused() {
    sample().assert_wrong_usage(
        "guardrail",
        &[
            (&["boundary"], "no principal is named"),
            (&["region-scp", "--ou", "ou-none"], "the unit `ou-none`"),
            (&["region-scp", "--account", "123456789012"], "the logs show no calls"),
            (&["region-scp", "--account", "11112222333"], "of account `11112222333`"),
            (
                &["service-deny", "--account", "11112222333"],
                "of account `11112222333`",
            ),
            (
                &["region-scp", "--region", "eu-west-1", "--without-region", "eu-west-1"],
                "cannot be used with",
            ),
        ],
    );
}
