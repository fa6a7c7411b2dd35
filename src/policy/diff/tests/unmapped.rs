//! Calls of which it is not known what they needed.

use super::*;

const OTHER: &str = "quantumfoo.amazonaws.com";

fn with_calls(mut case: Case, calls: &[(&str, &str)]) -> Case {
    let deeds: &mut PrincipalUse = case.usage.principals.values_mut().next().unwrap();
    calls.iter().for_each(|(source, name)| deeds.unmapped.add(source, name));
    case
}

/// Where other principals of the account were seen to call these services.
fn seen(mut case: Case, sources: &[&str]) -> Case {
    case.log().sources.extend(sources.iter().map(|source| text(source)));
    case
}

#[test]
fn unmapped_call_of_an_unknown_service_keeps_statements_that_name_none() {
    let not_iam = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    let case = Case::new(&[allow(&json!("sqs:CreateQueue")), not_iam]).with("sns:ListTopics", used(1));
    let case = seen(with_calls(case, &[(OTHER, "CreateThingy")]), &["sqs.amazonaws.com"]);
    let verdicts = case.verdicts();
    assert_eq!(verdicts[0], "sqs:CreateQueue unused");
    assert!(verdicts.contains(&text("sqs:CreateQueue unknown unmapped-call")));
    assert!(!verdicts[1..].contains(&text("sqs:CreateQueue unused")));
}

#[test]
fn unmapped_call_of_an_unknown_service_keeps_actions_of_its_name_and_services_that_nobody_called() {
    let actions = [
        "lex:CreateBot",
        "mpa:GetApprovalTeam",
        "sns:CreateTopic",
        "sqs:CreateQueue",
    ];
    let case = || {
        let case = Case::new(&[allow(&json!(actions))]).with("sns:ListTopics", used(1));
        seen(case, &["lex.amazonaws.com", "sqs.amazonaws.com"])
    };
    let all_but = |unknown: &[usize]| {
        let rows = (0..)
            .zip(actions)
            .map(|(number, action)| match unknown.contains(&number) {
                true => format!("{action} unknown unmapped-call"),
                false => format!("{action} unused"),
            });
        rows.collect::<Vec<_>>()
    };
    let verdicts = |calls: &[(&str, &str)]| with_calls(case(), calls).verdicts()[..4].to_vec();
    assert_eq!(verdicts(&[]), all_but(&[]));
    // The facts list event sources of `lex` and `mpa`, the logs have that of `sqs`, and the principal used `sns`.
    assert_eq!(verdicts(&[(OTHER, "Thing")]), all_but(&[]));
    assert_eq!(verdicts(&[(OTHER, "CreateBot")]), all_but(&[0]));
    assert_eq!(
        verdicts(&[(OTHER, "Thing"), (OTHER, "GetApprovalTeam20300101")]),
        all_but(&[1])
    );
    assert_eq!(verdicts(&[("models-v9-lex.amazonaws.com", "Thing")]), all_but(&[0]));
    let unseen = with_calls(
        Case::new(&[allow(&json!(actions))]).with("sns:ListTopics", used(1)),
        &[(OTHER, "Thing")],
    );
    assert_eq!(unseen.verdicts()[..4], all_but(&[3]));
}

#[test]
fn more_unmapped_calls_than_are_kept_leave_everything_in_doubt() {
    let names: Vec<String> = (0..500).map(|number| format!("Call{number}")).collect();
    let calls: Vec<(&str, &str)> = names.iter().map(|name| (OTHER, name.as_str())).collect();
    let case = Case::new(&[allow(&json!("sns:CreateTopic"))]).with("sns:ListTopics", used(1));
    assert_eq!(
        with_calls(case, &calls).verdicts()[0],
        "sns:CreateTopic unknown unmapped-call"
    );
}

#[test]
fn unmapped_call_of_a_renamed_service_keeps_its_actions_unknown() {
    let case =
        Case::new(&[allow(&json!(["cloudwatch:PutMetricAlarm", "sns:CreateTopic"]))]).with("sns:ListTopics", used(1));
    let case = with_calls(case, &[("monitoring.amazonaws.com", "NewCall")]);
    assert_eq!(
        case.verdicts()[..2],
        [
            "cloudwatch:PutMetricAlarm unknown unmapped-call",
            "sns:CreateTopic unused"
        ]
    );
}
