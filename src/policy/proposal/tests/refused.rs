//! What is refused, so that the present policy stays.

use super::*;

#[test]
fn what_fits_nowhere_is_refused_and_the_present_policy_stays() {
    let case = Case::one(&json!([])).managed("admin", &json!([allow(&json!("*"), "*")]), &[0]);
    case.used("r", "sqs:CreateQueue", &[]).check(Mode::Trim, |proposals| {
        let proposal = &proposals[0];
        match &proposal.refusals[..] {
            [] => {
                for policy in &proposal.policies {
                    assert!(policy_characters(&policy.document) <= 6144);
                }
                assert!(proposal.policies.len() <= 11);
            }
            [refusal] => {
                assert!(refusal.to_string().contains("IAM attaches 10"), "{refusal}");
                assert!(proposal.policies.iter().all(|policy| policy.name != "admin"));
            }
            more => panic!("{more:?}"),
        }
    });
}

fn changed(call: &str, at: i64) -> crate::policy::GrantChange {
    crate::policy::GrantChange {
        account_id: ACCOUNT.to_owned(),
        call: call.to_owned(),
        role: Some("r".to_owned()),
        policy_name: Some("p".to_owned()),
        at,
        ..crate::policy::GrantChange::default()
    }
}

#[test]
fn document_that_was_replaced_after_the_snapshot_is_refused() {
    let generate = Mode::Generate(GenerateOptions {
        keep_unknown: true,
        conditions: EvidenceConditions::default(),
    });
    let statements = json!([{"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": "*"}]);
    let taken_at = (FIRST_DAY + DAYS) * DAY;
    for (at, is_refused) in [(taken_at, false), (taken_at + 1, true)] {
        let mut case = Case::new(&[role("r", &statements)]);
        case.usage.changes.note(&changed("PutRolePolicy", at));
        for mode in [Mode::Trim, generate] {
            case.check(mode, |proposals| {
                let refusals: Vec<String> = proposals[0].refusals.iter().map(ToString::to_string).collect();
                assert_eq!(
                    refusals
                        .iter()
                        .any(|it| it.contains("after the IAM snapshot was taken")),
                    is_refused
                );
                assert!(!is_refused || proposals[0].policies.is_empty());
            });
        }
    }
}

#[test]
fn policy_of_a_role_that_was_made_again_after_the_snapshot_is_refused_to_all_who_hold_it() {
    let generate = Mode::Generate(GenerateOptions {
        keep_unknown: true,
        conditions: EvidenceConditions::default(),
    });
    let statements = json!([{"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": "*"}]);
    let mut roles = [role("r", &json!([])), role("again", &json!([]))];
    roles.iter_mut().for_each(|role| role["RolePolicyList"] = json!([]));
    let mut case = Case::new(&roles).managed("shared", &statements, &[0, 1]);
    let later = PrincipalKey {
        arn: arn("again"),
        unique_id: Some("AROAlater".to_owned()),
    };
    case.usage.principals.entry(later).or_default().last_call = Some((FIRST_DAY + 1) * DAY);
    for mode in [Mode::Trim, generate] {
        case.check(mode, |proposals| {
            for proposal in proposals.iter().filter(|it| it.subject.member.is_some()) {
                let refused = proposal
                    .refusals
                    .iter()
                    .any(|it| matches!(it, Refusal::Replaced { .. }));
                let is_own = proposal.subject.key.arn == arn("again");
                assert_eq!(refused, is_own || mode == Mode::Trim, "{proposal:?}");
                assert!(!refused || proposal.policies.is_empty());
            }
        });
    }
}

#[test]
fn policy_that_has_or_bounds_principals_whom_the_snapshot_does_not_have_is_refused() {
    let shared = "arn:aws:iam::111122223333:policy/shared";
    for (count, bounded, is_refused) in [(1, 0, false), (2, 0, true), (1, 1, true)] {
        let mut holder = role("r", &json!([]));
        holder["RolePolicyList"] = json!([]);
        holder["AttachedManagedPolicies"] = json!([{"PolicyName": "shared", "PolicyArn": shared}]);
        let mut case = Case::new(&[holder]);
        case.snapshot["Policies"] = json!([{"PolicyName": "shared", "Arn": shared, "DefaultVersionId": "v1",
            "AttachmentCount": count, "PermissionsBoundaryUsageCount": bounded, "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true,
            "CreateDate": "2025-01-01T00:00:00Z", "Document": {"Statement": [
                {"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": "*"}]}}]}]);
        case.check(Mode::Trim, |proposals| {
            assert_eq!(proposals[0].policies.is_empty(), is_refused);
            assert_eq!(!proposals[0].refusals.is_empty(), is_refused);
        });
    }
}
