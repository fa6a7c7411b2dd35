//! Roles of one permission set: what is changed for one is changed for all.

use super::*;

const OTHER: &str = "444455556666";
const PATH: &str = "/aws-reserved/sso.amazonaws.com/";
const ROLE: &str = "AWSReservedSSO_Dev_0123456789abcdef";

/// With the path that Identity Center gives to its roles.
fn with_path(value: &Value) -> Value {
    let text = value
        .to_string()
        .replace(&format!("role/{ROLE}"), &format!("role{PATH}{ROLE}"));
    serde_json::from_str(&text).unwrap()
}

fn in_other_account(value: &Value) -> Value {
    let text = value
        .to_string()
        .replace(ACCOUNT, OTHER)
        .replace("AROA", "AROAX")
        .replace("00000000-0000-0000-0000-", "00000000-0000-0000-0001-");
    serde_json::from_str(&text).unwrap()
}

/// A permission set with roles in two accounts, of which the first makes queues and the second does not.
fn estate(imported: &[&str]) -> Estate {
    let call = |day, name| {
        event(
            5_000 + day,
            day,
            "eu-west-1",
            (ROLE, "sqs.amazonaws.com", name),
            &json!({"queueName": "q"}),
        )
    };
    let mut events = everyday();
    events.extend((0..DAYS).map(|day| call(day, "CreateQueue")));
    let of_other = everyday().into_iter().chain((0..DAYS).map(|day| {
        event(
            5_000 + day,
            day,
            "eu-west-1",
            (ROLE, "ec2.amazonaws.com", "DescribeVpcs"),
            &json!({}),
        )
    }));
    events.extend(of_other.map(|event| in_other_account(&event)));
    let events: Vec<Value> = events.iter().map(with_path).collect();
    let estate = Estate::new(&events);
    let statements = json!([allow(&json!([
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "ec2:DescribeVpcs"
    ]))]);
    let roles = page(
        &[role(ROLE, &statements), role("base", &json!([allow(&json!("ec2:*"))]))],
        None,
    );
    let mut roles = with_path(&roles);
    roles["RoleDetailList"][0]["Path"] = json!(PATH);
    estate.file("a.json", &roles);
    estate.file("b.json", &in_other_account(&roles));
    for name in imported {
        let path = estate.place.folder().join("iam").join(name);
        assert_eq!(estate.import(&path, "2026-09-15").code, 0);
    }
    estate
}

fn principal() -> String {
    format!("arn:aws:iam::{OTHER}:role{PATH}{ROLE}")
}

fn trimmed(estate: &Estate) -> Ended {
    estate.run(&["policy", "--principal", &principal(), "--format", "diff"])
}

fn goes(trimmed: &Ended, action: &str) -> bool {
    let mut lines = trimmed.stdout.lines();
    lines.any(|line| line.starts_with('-') && line.contains(action))
}

#[test]
fn what_one_role_of_a_permission_set_uses_is_taken_from_none() {
    let estate = estate(&["a.json", "b.json"]);
    let trimmed = trimmed(&estate);
    assert_eq!(trimmed.code, 0, "{trimmed:?}");
    assert!(
        goes(&trimmed, "sqs:DeleteQueue") && !goes(&trimmed, "sqs:CreateQueue"),
        "{trimmed:?}"
    );
    let generated = estate.run(&["policy", "--principal", &principal(), "--mode", "generate"]);
    assert!(
        generated.stderr.contains("none for the permission set"),
        "{generated:?}"
    );
}

#[test]
fn nothing_is_taken_from_a_permission_set_of_which_a_role_is_not_known() {
    let estate = estate(&["b.json"]);
    let trimmed = trimmed(&estate);
    assert_eq!(trimmed.code, 0, "{trimmed:?}");
    assert!(!goes(&trimmed, "sqs:"), "{trimmed:?}");
}
