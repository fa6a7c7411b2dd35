//! Snapshots of before: of a principal that is no more, of another time than the logs, and names without their paths.

use super::*;

const NEW: &str = "AROAEXAMPLENEW";

fn two() -> Vec<Value> {
    vec![allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"]))]
}

fn all(case: &Case) -> Vec<Vec<String>> {
    let rows = std::cell::RefCell::new(Vec::new());
    case.check(|diffs| {
        rows.borrow_mut()
            .extend(diffs.iter().map(|diff| diff.rows.iter().map(shown).collect()));
    });
    rows.into_inner()
}

#[test]
fn role_that_was_made_again_after_the_snapshot_leaves_nothing_unused() {
    let case = Case::new(&two()).by(Some(NEW), "sqs:CreateQueue", used(5));
    assert_eq!(
        all(&case),
        [
            vec!["sqs:CreateQueue unknown replaced-after-snapshot"],
            vec![
                "sqs:CreateQueue unknown replaced-after-snapshot",
                "sqs:DeleteQueue unknown replaced-after-snapshot"
            ],
        ]
    );
    case.check(|diffs| {
        let member = diffs.iter().find(|diff| diff.subject.member.is_some()).unwrap();
        assert_eq!(
            member.summary.activity,
            Activity::Unknown(Reason::ReplacedAfterSnapshot)
        );
        assert_eq!(member.findings(), []);
    });
}

#[test]
fn calls_of_the_role_before_are_served_until_its_sessions_end() {
    let mut case = Case::new(&two()).by(Some("AROAEXAMPLEOLD"), "sqs:CreateQueue", used(5));
    let old = case.usage.principals.values_mut().next().unwrap();
    old.last_call = Some(FIRST_DAY * DAY + DAY / 3);
    // Someone took a role of the name later, and the record does not say which.
    old.last_seen = Some((FIRST_DAY + 30) * DAY);
    case.role()["CreateDate"] = json!("2026-09-01T00:00:00Z");
    assert_eq!(
        all(&case),
        [
            vec!["sqs:CreateQueue used-not-granted OtherPrincipal"],
            vec!["sqs:CreateQueue unused", "sqs:DeleteQueue unused"],
        ]
    );
}

#[test]
fn role_that_a_record_names_without_its_path_is_the_one_of_that_name() {
    let mut case = Case::new(&two()).by(None, "sqs:CreateQueue", used(5));
    case.role()["Arn"] = json!("arn:aws:iam::111122223333:role/ci/R");
    case.role()["RoleName"] = json!("R");
    case.role()["Path"] = json!("/ci/");
    let used_one = vec!["sqs:CreateQueue used", "sqs:DeleteQueue unused"];
    assert_eq!(all(&case), [used_one]);
    let mut again = Case::new(&two()).by(Some(NEW), "sqs:CreateQueue", used(5));
    again.role()["Arn"] = json!("arn:aws:iam::111122223333:role/ci/r");
    again.role()["Path"] = json!("/ci/");
    assert_eq!(
        all(&again)[0],
        [
            "sqs:CreateQueue unknown replaced-after-snapshot",
            "sqs:DeleteQueue unknown replaced-after-snapshot"
        ]
    );
}

#[test]
fn snapshot_that_is_much_younger_than_the_logs_leaves_nothing_unused() {
    let mut case = Case::new(&two()).with("sqs:CreateQueue", used(5));
    let at = |days: i64| (FIRST_DAY + DAYS + days) * DAY;
    case.taken_at = at(7);
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unused");
    case.taken_at = at(8);
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unknown snapshot-after-logs");
    case.check(|diffs| {
        let reason = diffs[0].rows[1].verdict.reason().unwrap();
        assert_eq!(
            reason,
            "the IAM snapshot is 8 days younger than the account's logs: nothing shows that time"
        );
    });
    // The user asked for an earlier window of logs that go on.
    case.usage.logs_until = at(2);
    assert_eq!(case.verdicts()[1], "sqs:DeleteQueue unused");
}

#[test]
fn role_that_iam_saw_after_the_logs_only_is_not_unused() {
    let mut case = Case::new(&two());
    case.role()["RoleLastUsed"] = json!({"LastUsedDate": "2026-10-12T00:00:00Z", "Region": "us-west-2"});
    assert_eq!(case.verdicts()[0], "sqs:CreateQueue unknown used-beyond-the-logs");
    let active = case.with("sqs:CreateQueue", used(5));
    assert_eq!(active.verdicts()[1], "sqs:DeleteQueue unused");
}

#[test]
fn statement_that_its_conditions_allow_too_briefly_is_unknown() {
    let verdict = |from: &str, to: &str| {
        let mut statement = allow(&json!("sqs:CreateQueue"));
        statement["Condition"] = json!({"DateGreaterThan": {"aws:CurrentTime": from},
            "DateLessThan": {"aws:CurrentTime": to}});
        Case::new(&[statement]).verdicts().remove(0)
    };
    let unknown = "sqs:CreateQueue unknown date-condition";
    assert_eq!(verdict("2026-10-09T00:00:00Z", "2027-01-01T00:00:00Z"), unknown);
    assert_eq!(verdict("2026-12-09T00:00:00Z", "2027-01-01T00:00:00Z"), unknown);
    assert_eq!(verdict("2026-01-01T00:00:00Z", "2026-09-10T00:00:00Z"), unknown);
    assert_eq!(
        verdict("2026-09-05T00:00:00Z", "2027-01-01T00:00:00Z"),
        "sqs:CreateQueue unused"
    );
    assert_eq!(
        verdict("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        "sqs:CreateQueue unused"
    );
}
