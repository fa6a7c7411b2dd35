//! Control policies, and what an endpoint lets through.

use super::*;

#[test]
fn control_policies_bind_neither_the_management_account_nor_service_linked_roles() {
    let (all, nothing, denied) = (allow(""), policy(""), deny(r#","Principal":"*""#));
    let linked = Principal::new(PrincipalKind::RoleSession {
        role_arn: "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/X".to_owned(),
        session_arn: "arn:aws:sts::111122223333:assumed-role/X/y".to_owned(),
    });
    let bound = PolicySet {
        identity: many(&all),
        service_control: levels(&[&all, &nothing]),
        ..PolicySet::none()
    };
    let managing = PolicySet {
        management_account_id: Some("111122223333"),
        ..bound.clone()
    };
    let asked =
        |principal: Principal, policies: &PolicySet<'_>| text(&request(principal, "s3:GetObject", OBJECT), policies);
    assert_eq!(
        asked(session(), &bound),
        "not allowed by service control policies of level 2"
    );
    assert_eq!(
        asked(root("111122223333"), &bound),
        "not allowed by service control policies of level 2"
    );
    assert!(asked(session(), &managing).starts_with("allowed"));
    assert!(asked(linked.clone(), &bound).starts_with("allowed"));
    let limited = PolicySet {
        identity: many(&all),
        resource_control: levels(&[&denied]),
        ..PolicySet::none()
    };
    assert!(asked(session(), &limited).starts_with("denied by resource control policies of level 1"));
    assert!(asked(linked, &limited).starts_with("allowed"));
    let managing = PolicySet {
        management_account_id: Some("111122223333"),
        ..limited.clone()
    };
    assert!(asked(session(), &managing).starts_with("allowed"));
    let elsewhere = request(
        session(),
        "ec2:StopInstances",
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
    );
    assert_eq!(
        text(&elsewhere, &limited),
        "not known: whether resource control policies bind the service"
    );
}

#[test]
fn an_endpoint_must_let_through_what_others_allow() {
    let all = allow("");
    let through = |principal: &str| {
        let endpoint = grant(principal);
        let policies = PolicySet {
            identity: many(&all),
            endpoint: one(&endpoint),
            ..PolicySet::none()
        };
        text(&request(session(), "s3:GetObject", OBJECT), &policies)
    };
    assert!(through(r#""*""#).starts_with("allowed"));
    assert_eq!(
        through(r#"{"AWS":"444455556666"}"#),
        "not allowed by VPC endpoint policy"
    );
    let account = through(r#"{"AWS":"111122223333"}"#);
    assert_eq!(
        account,
        "not known: VPC endpoint policy: `p` statement 1: whether it names the principal"
    );
}

/// The shapes of AWS's own examples of service and resource control policies.
#[test]
fn usual_guardrails_come_to_what_they_are_for() {
    let all = allow("");
    let region = policy(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},
           {"Sid":"Region","Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*",
            "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]},
                         "ArnNotLike":{"aws:PrincipalARN":"arn:aws:iam::*:role/admin"}}},
           {"Sid":"Root","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:root"}}},
           {"Sid":"Leave","Effect":"Deny","Action":"organizations:LeaveOrganization","Resource":"*"},
           {"Sid":"Tag","Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"Null":{"aws:RequestTag/owner":"true"}}}"#,
    );
    let perimeter = policy(
        r#"{"Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*"],"Resource":"*",
            "Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}"#,
    );
    let policies = PolicySet {
        identity: many(&all),
        service_control: levels(&[&region]),
        resource_control: levels(&[&perimeter]),
        ..PolicySet::none()
    };
    let asked = |action: &str, resource: &str, keys: &[(&str, &str)]| {
        let mut asked = request(session(), action, resource);
        for (key, value) in keys {
            asked.context.set_value(key, *value);
        }
        match evaluate(&asked, &policies) {
            Decision::ExplicitlyDenied { by } => by.sid.unwrap_or("perimeter").to_owned(),
            other => other.to_string(),
        }
    };
    let here = [
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalOrgID", "o-1"),
    ];
    let away = [
        ("aws:RequestedRegion", "us-east-1"),
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalOrgID", "o-1"),
    ];
    let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    let stranger = [
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:PrincipalOrgID", "o-2"),
        ("aws:PrincipalIsAWSService", "false"),
    ];
    assert!(asked("s3:GetObject", OBJECT, &here).starts_with("allowed"));
    assert_eq!(asked("s3:GetObject", OBJECT, &away), "Region");
    assert!(asked("iam:GetRole", ROLE, &away).starts_with("allowed"));
    assert_eq!(asked("organizations:LeaveOrganization", "*", &here), "Leave");
    assert_eq!(asked("ec2:RunInstances", instance, &here), "Tag");
    assert_eq!(asked("s3:GetObject", OBJECT, &stranger), "perimeter");
}
