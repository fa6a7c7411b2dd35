use serde_json::Value;

use super::*;
use crate::query::Library;

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";

fn finding(arn: &str, region: Option<&str>) -> CheckFinding {
    let cell = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
    CheckFinding {
        identity: vec![
            cell("recipient_account_id", Some("111122223333")),
            cell("serving_region", region),
            cell("principal_arn", Some(arn)),
            cell("event_source", Some("ec2.amazonaws.com")),
        ],
        rows: 3,
        last_seen: Some(1_790_000_000_000_000),
    }
}

const FRAME: CheckFrame = CheckFrame {
    since: 1_780_000_000_000_000,
    until: 1_790_000_000_000_001,
};

/// A check with these findings, of which the second is accepted.
fn with_checks<T>(arns: [&str; 2], render: impl Fn(&[Check<'_>]) -> T) -> T {
    let library = Library::embedded().unwrap();
    let check = |id: &str, findings| Check {
        question: library.get(id).unwrap(),
        severity: Severity::Medium,
        findings,
        unknown_rows: 2,
    };
    let [open, known] = arns.map(|arn| finding(arn, Some("ap-south-1")));
    let accepted = Some("a test & more (until 2027-03-31)".to_owned());
    let first = check("unexpected-regions", vec![(open, None), (known, accepted)]);
    let second = Check {
        unknown_rows: 0,
        ..check("root-use", Vec::new())
    };
    render(&[first, second])
}

#[test]
fn finding_has_the_same_fingerprint_whatever_else_it_holds() {
    with_checks([ROLE, "arn:aws:iam::111122223333:root"], |checks| {
        let [check, _] = checks else {
            panic!("{} checks", checks.len())
        };
        let own = check.fingerprint(&finding(ROLE, Some("ap-south-1")));
        let later = CheckFinding {
            rows: 9,
            last_seen: None,
            ..finding(ROLE, Some("ap-south-1"))
        };
        assert_eq!(check.fingerprint(&later), own);
        assert_ne!(check.fingerprint(&finding(ROLE, Some(""))), own);
        assert_ne!(
            check.fingerprint(&finding(ROLE, Some(""))),
            check.fingerprint(&finding(ROLE, None))
        );
    });
}

#[test]
fn rows_say_what_was_found_and_why_it_is_accepted() {
    let batch = with_checks([ROLE, ROLE], |checks| check_rows(checks).unwrap());
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap();
        arrow::util::display::array_value_to_string(column, row).unwrap()
    };
    assert_eq!(batch.num_rows(), 2);
    assert_eq!(
        text("finding", 0),
        "111122223333, ap-south-1, 111122223333/deploy, ec2.amazonaws.com"
    );
    assert_eq!(
        (text("rows", 0).as_str(), text("region", 0).as_str()),
        ("3", "ap-south-1")
    );
    assert_eq!(text("accepted", 1), "a test & more (until 2027-03-31)");
}

#[test]
fn junit_counts_findings_as_failures_and_checks_without_as_passed() {
    let hostile = "arn:aws:iam::111122223333:role/<x>&\"\u{1b}[2J";
    let text = with_checks([hostile, ROLE], |checks| junit(checks).unwrap());
    assert!(
        text.contains(r#"<testsuite name="unexpected-regions" tests="3" failures="1" errors="0" skipped="2">"#),
        "{text}"
    );
    assert!(
        text.contains(r#"<testsuite name="root-use" tests="1" failures="0" errors="0" skipped="0">"#),
        "{text}"
    );
    assert!(
        text.contains("&lt;x&gt;&amp;&quot;\\u{1b}[2J") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn sarif_has_a_rule_per_check_and_suppresses_what_is_accepted() {
    let document: Value =
        serde_json::from_str(&with_checks([ROLE, ROLE], |checks| check_sarif(checks, FRAME))).unwrap();
    let run = &document["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 2);
    assert_eq!(run["results"][0]["level"], "warning");
    assert!(run["results"][0].get("suppressions").is_none());
    assert_eq!(run["results"][1]["suppressions"][0]["status"], "accepted");
}

#[test]
fn events_for_security_lakes_name_class_account_and_resource() {
    let text = with_checks([ROLE, ROLE], |checks| ocsf(checks, FRAME));
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [open, accepted] = events.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(
        (open["class_uid"].as_u64(), open["type_uid"].as_u64()),
        (Some(2004), Some(200_401))
    );
    assert_eq!(
        (open["time"].as_i64(), open["severity_id"].as_u64()),
        (Some(1_790_000_000_000), Some(3))
    );
    assert_eq!(open["cloud"]["account"]["uid"], "111122223333");
    assert_eq!(open["resources"][0]["type"], "AWS::IAM::Role");
    assert_eq!(accepted["status"], "Suppressed");
}

#[test]
fn findings_for_security_hub_stand_in_the_region_of_the_call() {
    let (text, left_out) = with_checks([ROLE, ROLE], |checks| asff(checks, FRAME, "eu-west-1"));
    let findings: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(left_out, 0);
    assert_eq!(
        findings[0]["ProductArn"],
        "arn:aws:securityhub:ap-south-1:111122223333:product/111122223333/default"
    );
    assert_eq!(findings[0]["Severity"]["Label"], "MEDIUM");
    assert_eq!(findings[1]["Workflow"]["Status"], "SUPPRESSED");
}
