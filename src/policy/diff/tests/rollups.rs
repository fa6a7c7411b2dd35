//! What verdicts come to: what is kept on purpose, findings, totals, groups and credentials.

use super::*;

/// An entry of an allow-list that counts until a day.
fn keep(principal: &str, action: &str, expires: &str) -> String {
    format!("[[keep]]\nprincipal = '{principal}'\naction = '{action}'\nreason = 'seasonal'\nexpires = {expires}\n")
}

#[test]
fn what_is_kept_on_purpose_stays_unused_and_is_not_removable() {
    let mut case = Case::new(&[allow(&json!([
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "iam:AttachRolePolicy"
    ]))]);
    let text = keep("r", "sqs:Create*", "2026-12-31") + &keep("*", "iam:*", "2026-09-30");
    case.keeps = KeepList::read(&text).unwrap();
    case.check(|diffs| {
        let summary = &diffs[0].summary;
        assert_eq!((summary.unused, summary.removable, summary.kept), (3, 2, 1));
        // The entry about IAM has expired.
        assert_eq!((summary.high_risk_removable, summary.unused_policies.len()), (1, 0));
        let kept: Vec<(&str, &str)> = diffs[0]
            .rows
            .iter()
            .filter_map(|row| Some((row.action, row.kept?.pardon.expires.as_str())))
            .collect();
        assert_eq!(kept, [("sqs:CreateQueue", "2026-12-31")]);
        assert_eq!(diffs[0].kept, None);
    });
    assert_eq!(case.verdicts()[1], "sqs:CreateQueue unused");
}

#[test]
fn entry_for_everything_keeps_a_role_that_nobody_used() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    case.check(|diffs| assert!(diffs[0].is_removable_role()));
    case.keeps = KeepList::read(&keep("arn:aws:iam::*:role/r", "*", "2027-01-31")).unwrap();
    case.check(|diffs| {
        assert!(!diffs[0].is_removable_role());
        let findings = diffs[0].findings();
        let shown: Vec<_> = findings
            .iter()
            .map(|finding| (finding.kind, finding.kept.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [(FindingKind::NeverUsedRole, Some("seasonal (until 2027-01-31)"))]
        );
    });
}

#[test]
fn entries_that_are_about_nothing_granted_are_told() {
    let list = keep("r", "sqs:CreateQueue", "2027-01-31")
        + &keep("r", "sqs:*", "2027-01-31")
        + &keep("r", "sns:*", "2027-01-31")
        + &keep("other", "*", "2027-01-31")
        + &keep("other", "*", "2026-01-31");
    let keeps = KeepList::read(&list).unwrap();
    let case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    let taken = [TakenSnapshot {
        taken_at: 1,
        source_id: text("source"),
        snapshot: snapshot::read(case.snapshots[0].to_string().as_bytes()).unwrap(),
    }];
    let estate = Estate::newest(&taken);
    let subjects = subjects(&case.usage, &estate);
    let differ = Differ::new(Facts::embedded(), &case.usage, &estate, case.thresholds);
    let mut differ = differ.keeping(&keeps, (FIRST_DAY + DAYS) * DAY);
    differ.diff(&subjects[0]);
    let idle: Vec<usize> = differ.idle_keeps().iter().map(|entry| entry.number).collect();
    assert_eq!(idle, [3, 4]);
}

#[test]
fn findings_roll_up_by_service_and_policy_with_harm_apart() {
    let statements = [allow(&json!([
        "s3:GetObject",
        "s3:DeleteObject",
        "s3:PutBucketPolicy",
        "sqs:DeleteQueue",
        "sqs:PurgeQueue"
    ]))];
    let mut case = Case::new(&statements).with("s3:GetObject", used(3));
    let inline = json!({"PolicyName": "q", "PolicyDocument": {"Statement": [allow(&json!("sqs:DeleteQueue"))]}});
    case.role()["RolePolicyList"].as_array_mut().unwrap().push(inline);
    case.check(|diffs| {
        let findings = diffs[0].findings();
        let shown: Vec<(&str, &str, String)> = findings
            .iter()
            .map(|finding| (finding.kind.name(), finding.scope.as_str(), finding.actions.join(" ")))
            .collect();
        assert_eq!(
            shown,
            [
                ("unused-high-risk", "s3", text("s3:PutBucketPolicy")),
                ("unused-policy", "arn:aws:iam::111122223333:role/r#q", text("")),
                ("unused-service", "", text("sqs:DeleteQueue sqs:PurgeQueue")),
                ("unused-permission", "s3", text("s3:DeleteObject")),
            ]
        );
        assert_eq!(findings[0].last_used, Some((FIRST_DAY + 3) * DAY));
        assert_eq!(
            (findings[2].last_used, findings[0].harms.contains("ResourceExposure")),
            (None, true)
        );
    });
}

#[test]
fn role_without_use_is_one_finding_and_services_own_roles_none() {
    let mut case = Case::new(&[allow(&json!(["sqs:CreateQueue", "iam:AttachRolePolicy"]))]);
    case.check(|diffs| {
        let kinds: Vec<FindingKind> = diffs[0].findings().iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [FindingKind::NeverUsedRole]);
    });
    case.role()["Arn"] = json!("arn:aws:iam::111122223333:role/aws-service-role/sqs.amazonaws.com/r");
    case.check(|diffs| assert!(diffs[0].findings().is_empty() && !diffs[0].is_removable_role()));
}

#[test]
fn totals_are_the_sums_of_the_summaries() {
    let case = Case::new(&[allow(&json!(["sns:ListTopics", "iam:AttachRolePolicy", "sns:Publish"]))]);
    case.check(|diffs| {
        let mut totals = Totals::default();
        diffs.iter().for_each(|diff| totals.add(diff));
        assert_eq!(
            (totals.principals, totals.never_used, totals.removable_roles),
            (1, 1, 1)
        );
        assert_eq!(
            totals.granted,
            totals.used + totals.denied + totals.unknown + totals.unused
        );
        assert_eq!((totals.unused, totals.removable, totals.high_risk_removable), (2, 2, 1));
    });
}

/// Two roles of one permission set, of which the first used an action.
pub(super) fn permission_set() -> Case {
    let mut case = Case::new(&[allow(&json!(["sqs:PurgeQueue", "sqs:DeleteQueue", "sns:Publish"]))]);
    let names = [
        "AWSReservedSSO_Ops_0123456789abcdef",
        "AWSReservedSSO_Ops_1123456789abcdef",
    ];
    let mut second = case.role().clone();
    second["Arn"] = json!(ROLE.replace("role/r", &format!("role/{}", names[1])));
    second["RoleId"] = json!("AROAEXAMPLESECOND");
    case.role()["Arn"] = json!(ROLE.replace("role/r", &format!("role/{}", names[0])));
    case.snapshots[0]["RoleDetailList"].as_array_mut().unwrap().push(second);
    let key = PrincipalKey {
        arn: ROLE.replace("role/r", &format!("role/{}", names[0])),
        unique_id: Some(text(ID)),
    };
    let deeds = case.usage.principals.entry(key).or_default();
    deeds.first_seen = Some(FIRST_DAY * DAY);
    deeds.last_seen = deeds.first_seen;
    deeds.last_call = deeds.first_seen;
    deeds.regions.insert(text("eu-west-1"));
    deeds.actions.insert(text("sqs:PurgeQueue"), used(2));
    case
}

#[test]
fn permission_set_needs_what_one_of_its_roles_uses() {
    permission_set().check(|diffs| {
        let mut groups = Groups::new(Grouping::PermissionSet);
        diffs.iter().for_each(|diff| groups.add(diff));
        groups.finish();
        let group = &groups.all()["Ops"];
        let verdicts: Vec<(&str, &str, usize)> = group
            .actions
            .iter()
            .map(|(action, grouped)| (*action, grouped.verdict.name(), grouped.granted_to))
            .collect();
        assert_eq!(
            verdicts,
            [
                ("sns:Publish", "unknown", 2),
                ("sqs:DeleteQueue", "unused", 2),
                ("sqs:PurgeQueue", "used", 2)
            ]
        );
        let totals = &group.totals;
        assert_eq!(
            (totals.principals, totals.active, totals.granted, totals.removable),
            (2, 1, 3, 1)
        );
        assert_eq!((group.activity(), groups.ungrouped()), ("active", 0));
    });
}

#[test]
fn account_without_snapshot_makes_its_permission_set_unknown() {
    let mut case = permission_set();
    let other = "arn:aws:iam::444455556666:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_2123456789abcdef";
    let deeds = case.usage.principals.values().next().unwrap().clone();
    let key = PrincipalKey {
        arn: text(other),
        unique_id: None,
    };
    case.usage.principals.insert(key, deeds);
    let log = case.usage.accounts[ACCOUNT].clone();
    case.usage.accounts.insert(text("444455556666"), log);
    case.check(|diffs| {
        let mut groups = Groups::new(Grouping::PermissionSet);
        diffs.iter().for_each(|diff| groups.add(diff));
        groups.finish();
        let group = &groups.all()["Ops"];
        assert_eq!(
            group.actions["sqs:DeleteQueue"].verdict,
            Verdict::Unknown(Reason::NoSnapshot)
        );
        assert_eq!((group.accounts.len(), group.totals.removable), (2, 0));
    });
}

#[test]
fn accounts_are_the_sums_of_their_principals() {
    permission_set().check(|diffs| {
        let mut groups = Groups::new(Grouping::Account);
        diffs.iter().for_each(|diff| groups.add(diff));
        groups.finish();
        let group = &groups.all()[ACCOUNT];
        assert_eq!(
            (group.totals.granted, group.totals.unused, group.actions.len()),
            (6, 3, 0)
        );
    });
}

/// Findings about the keys of a user with these cells in the credential report, who was last seen at a day.
fn key_findings(cells: &str, last_seen: Option<i64>) -> Vec<(FindingKind, String)> {
    let mut case = Case::new(&[]);
    reported_findings(&mut case, cells, last_seen, DAYS)
        .into_iter()
        .map(|finding| (finding.kind, finding.scope))
        .collect()
}

/// The same of a case, with a report of some day.
fn reported_findings(case: &mut Case, cells: &str, last_seen: Option<i64>, report_day: i64) -> Vec<Finding> {
    let user = "arn:aws:iam::111122223333:user/u";
    if let Some(day) = last_seen {
        let key = PrincipalKey {
            arn: text(user),
            unique_id: None,
        };
        case.usage.principals.entry(key).or_default().last_seen = Some((FIRST_DAY + day) * DAY);
    }
    let report = format!(
        "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,access_key_1_active,\
         access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,\
         access_key_2_last_used_date\nu,{user},2025-01-01T00:00:00+00:00,{cells}\n"
    );
    let taken = [TakenSnapshot {
        taken_at: (FIRST_DAY + report_day) * DAY,
        source_id: text("report"),
        snapshot: snapshot::read(report.as_bytes()).unwrap(),
    }];
    credential_findings(&Estate::newest(&taken), &case.usage, case.thresholds)
}

/// Cells of a user without a password, and with a key that was used before the window.
const OLD_KEY: &str = "false,N/A,N/A,false,true,2025-01-02T00:00:00+00:00,2026-08-01T00:00:00+00:00,false,N/A,N/A";

#[test]
fn report_says_nothing_of_the_time_after_it() {
    let messages = |report_day: i64| -> Vec<String> {
        let findings = reported_findings(&mut Case::new(&[]), OLD_KEY, None, report_day);
        findings.into_iter().map(|finding| finding.message).collect()
    };
    let of_key = |until: &str| text("the first access key is active and was not used") + until + " (used before)";
    assert_eq!(messages(-1), [""; 0]);
    assert_eq!(messages(29), [""; 0]);
    assert_eq!(messages(30), [of_key(" until the report of 2026-10-01T00:00:00Z")]);
    assert_eq!(messages(DAYS), [of_key("")]);
}

#[test]
fn key_of_an_account_whose_regions_may_be_lacking_is_no_finding() {
    let count = |case: &mut Case| reported_findings(case, OLD_KEY, None, DAYS).len();
    let mut case = Case::new(&[]);
    assert_eq!(count(&mut case), 1);
    case.log().recorded_in.insert(text("eu-west-1"));
    assert_eq!(count(&mut case), 0);
    case.log().recorded_in.insert(text("us-east-1"));
    assert_eq!(count(&mut case), 1);
    case.log().partial_days.extend(FIRST_DAY..FIRST_DAY + DAYS);
    assert_eq!(count(&mut case), 0);
}

#[test]
fn keys_and_passwords_without_use_are_findings_if_the_report_explains_the_logs() {
    let (old, before, inside) = (
        "2025-01-02T00:00:00+00:00",
        "2026-08-01T00:00:00+00:00",
        "2026-09-05T00:00:00+00:00",
    );
    let password = (FindingKind::UnusedPassword, text("password"));
    let key = |number| (FindingKind::UnusedAccessKey, format!("access-key-{number}"));
    let cells = |password_used: &str, first_used: &str, second: &str| {
        format!("true,{password_used},{old},false,true,{old},{first_used},{second}")
    };
    let none = "false,N/A,N/A";
    assert_eq!(
        key_findings(&cells(before, "N/A", none), None),
        [key(1), password.clone()]
    );
    assert_eq!(key_findings(&cells(inside, before, none), Some(3)), [key(1)]);
    let second = format!("true,{old},{inside}");
    assert_eq!(
        key_findings(&cells("no_information", before, &second), Some(3)),
        [key(1), password]
    );
    // A call that no credential of the report explains, a key that is young, and one that is off.
    assert_eq!(key_findings(&cells(before, before, none), Some(3)), []);
    let young = format!("false,N/A,N/A,false,true,{inside},N/A,{none}");
    assert_eq!(key_findings(&young, None), []);
    let off = format!("false,N/A,N/A,false,false,{old},{before},{none}");
    assert_eq!(key_findings(&off, None), []);
}
