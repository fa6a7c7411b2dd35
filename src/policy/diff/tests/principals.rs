//! Whose uses are set against whose grants, and what snapshots that lack something leave unknown.

use super::*;

#[test]
fn role_made_again_under_its_name_is_another_principal() {
    let mut case =
        Case::new(&[allow(&json!("sqs:CreateQueue"))]).by(Some("AROAEXAMPLEOLD"), "sqs:CreateQueue", used(5));
    case.role()["CreateDate"] = json!("2026-09-04T00:00:00Z");
    case.check(|diffs| {
        let shown: Vec<(Option<&str>, Vec<String>)> = diffs
            .iter()
            .map(|diff| {
                (
                    diff.subject.key.unique_id.as_deref(),
                    diff.rows.iter().map(shown).collect(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    Some("AROAEXAMPLEOLD"),
                    vec![text("sqs:CreateQueue used-not-granted OtherPrincipal")]
                ),
                (Some(ID), vec![text("sqs:CreateQueue unknown younger-than-window")]),
            ]
        );
    });
    let without_id = Case::new(&[allow(&json!("sqs:CreateQueue"))]).by(None, "sqs:CreateQueue", used(5));
    assert_eq!(without_id.verdicts(), ["sqs:CreateQueue used"]);
}

#[test]
fn logs_without_a_snapshot_are_reported_as_such_and_other_peoples_accounts_left_out() {
    let mut case = Case::new(&[]).with("sqs:CreateQueue", used(1));
    case.snapshots.clear();
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown no-snapshot"]);
    case.usage.accounts.clear();
    case.check(|diffs| assert!(diffs.is_empty()));
}

#[test]
fn principal_that_the_snapshot_does_not_know_is_told() {
    let mut case = Case::new(&[]).with("sqs:CreateQueue", used(1));
    let other = "arn:aws:iam::111122223333:role/other";
    case.role()["Arn"] = json!(other);
    case.role()["RoleId"] = json!("AROAOTHER");
    case.check(|diffs| {
        assert_eq!(diffs[1].subject.absence, Some(Absence::NotInSnapshot));
        assert_eq!(
            shown(&diffs[1].rows[0]),
            "sqs:CreateQueue used-not-granted NotInSnapshot"
        );
    });
}

#[test]
fn principal_that_was_renamed_is_known_by_its_id() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]).with("sqs:CreateQueue", used(1));
    case.role()["Arn"] = json!("arn:aws:iam::111122223333:role/team/r");
    assert_eq!(case.verdicts(), ["sqs:CreateQueue used"]);
}

#[test]
fn calls_that_both_accounts_recorded_count_once() {
    let mut case = Case::new(&[allow(&json!("s3:GetObject"))]).with("s3:GetObject", used(5));
    for (id, calls) in [(ID, 8), ("AROASTRANGER", 9)] {
        let key = PrincipalKey {
            arn: String::new(),
            unique_id: Some(text(id)),
        };
        let deeds = case.usage.principals.entry(key).or_default();
        deeds.actions.insert(text("s3:GetObject"), used(calls));
    }
    case.check(|diffs| {
        let [only] = diffs else {
            panic!("{} principals", diffs.len())
        };
        let uses: Vec<u64> = only.rows.iter().filter_map(|row| Some(row.evidence?.used)).collect();
        assert_eq!(uses, [8]);
    });
}

#[test]
fn principal_that_the_snapshot_has_keeps_its_uses_though_another_has_its_id() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]).with("sqs:CreateQueue", used(1));
    let mut namesake = case.role().clone();
    namesake["Arn"] = json!("arn:aws:iam::111122223333:role/s");
    namesake["RoleName"] = json!("s");
    let first = case.role().clone();
    case.snapshots[0]["RoleDetailList"] = json!([first, namesake]);
    case.check(|diffs| {
        let verdicts: Vec<String> = diffs.iter().flat_map(|diff| diff.rows.iter().map(shown)).collect();
        assert_eq!(verdicts, ["sqs:CreateQueue used", "sqs:CreateQueue unused"]);
    });
}

#[test]
fn gap_in_the_snapshot_makes_everything_unknown_that_is_not_used() {
    let statements = [
        allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"])),
        json!({"Effect": "Allow", "Action": 7}),
    ];
    let case = Case::new(&statements)
        .with("sqs:CreateQueue", used(1))
        .with("ec2:RunInstances", used(1));
    assert_eq!(
        case.verdicts(),
        [
            "sqs:CreateQueue used",
            "sqs:DeleteQueue unknown snapshot-gaps",
            "ec2:RunInstances unknown snapshot-gaps"
        ]
    );
}

#[test]
fn page_whose_earlier_page_was_imported_apart_makes_everything_unknown() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]).by(None, "sqs:CreateQueue", used(1));
    let mut first = case.snapshots[0].clone();
    first["IsTruncated"] = json!(true);
    first["RoleDetailList"][0]["Arn"] = json!("arn:aws:iam::111122223333:role/a");
    first["RoleDetailList"][0]["RoleName"] = json!("a");
    first["RoleDetailList"][0]["RoleId"] = json!("AROAOTHER");
    let key = PrincipalKey {
        arn: text("arn:aws:iam::111122223333:role/a"),
        unique_id: None,
    };
    let deeds = case.usage.principals.values().next().unwrap().clone();
    case.usage.principals.insert(key, deeds);
    case.snapshots.insert(0, first.clone());
    case.check(|diffs| {
        let shown: Vec<String> = diffs.iter().flat_map(|diff| diff.rows.iter().map(shown)).collect();
        assert_eq!(shown, ["sqs:CreateQueue unknown snapshot-gaps", "sqs:CreateQueue used"]);
        let gaps = diffs[1].subject.member.unwrap().gaps();
        assert_eq!(gaps, [crate::policy::estate::PART_OF_A_SNAPSHOT]);
    });
    // Whoever lists the principals of that page again is a snapshot of its own.
    let role = case.snapshots[1]["RoleDetailList"][0].clone();
    case.snapshots[1]["RoleDetailList"] = json!([role, first["RoleDetailList"][0]]);
    case.check(|diffs| assert!(diffs.iter().all(|diff| diff.subject.member.unwrap().gaps().is_empty())));
}
