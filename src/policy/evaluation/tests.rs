//! Tests of the whole evaluation.

mod naive;
mod oracle;
mod shapes;
mod worlds;

use super::*;
use crate::iam::document::Document;

const ROLE: &str = "arn:aws:iam::111122223333:role/team/reader";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/ann";
const USER: &str = "arn:aws:iam::111122223333:user/ann";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
const OBJECT: &str = "arn:aws:s3:::data/x";

fn policy(statements: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
}

fn allow(extra: &str) -> Document {
    policy(&format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*"{extra}}}"#))
}

fn deny(extra: &str) -> Document {
    policy(&format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*"{extra}}}"#))
}

fn grant(principal: &str) -> Document {
    allow(&format!(r#","Principal":{principal}"#))
}

fn session() -> Principal {
    Principal::new(PrincipalKind::RoleSession {
        role_arn: ROLE.to_owned(),
        session_arn: SESSION.to_owned(),
    })
}

fn user() -> Principal {
    Principal::new(PrincipalKind::User { arn: USER.to_owned() })
}

fn root(account_id: &str) -> Principal {
    Principal::new(PrincipalKind::Root {
        account_id: account_id.to_owned(),
    })
}

fn request(principal: Principal, action: &str, resource: &str) -> Request {
    Request {
        principal,
        action: action.to_owned(),
        resource: Resource::owned(resource, "111122223333"),
        context: ContextKeys::complete(),
    }
}

fn one(document: &Document) -> Stated<Option<NamedPolicy<'_>>> {
    Stated::Known(Some(NamedPolicy::new("p", document)))
}

fn many(document: &Document) -> Stated<Vec<NamedPolicy<'_>>> {
    Stated::Known(vec![NamedPolicy::new("p", document)])
}

fn levels<'a>(documents: &[&'a Document]) -> Stated<Vec<Level<'a>>> {
    let levels = documents.iter().map(|document| Level {
        node: "ou",
        policies: vec![NamedPolicy::new("p", document)],
    });
    Stated::Known(levels.collect())
}

/// The decision as people read it.
fn text(request: &Request, policies: &PolicySet<'_>) -> String {
    evaluate(request, policies).to_string()
}

#[test]
fn nothing_is_allowed_without_a_statement_but_to_the_root_user() {
    let none = PolicySet::none();
    let asked = |principal: Principal| text(&request(principal, "s3:GetObject", OBJECT), &none);
    assert_eq!(asked(session()), "not allowed by identity policies");
    assert_eq!(asked(root("111122223333")), "allowed to the root user");
    assert_eq!(asked(root("444455556666")), "not allowed by resource policy");
    let service = PrincipalKind::Service {
        names: vec!["logs.amazonaws.com".to_owned()],
    };
    assert_eq!(asked(Principal::new(service)), "not allowed by resource policy");
}

#[test]
fn a_deny_anywhere_wins_and_is_named() {
    let (allowing, denying) = (allow(""), deny(r#","Sid":"No""#));
    let request = request(session(), "s3:GetObject", OBJECT);
    let allowed = PolicySet {
        identity: many(&allowing),
        ..PolicySet::none()
    };
    assert_eq!(
        text(&request, &allowed),
        "allowed by identity policies: `p` statement 1"
    );
    let denied = PolicySet {
        boundary: one(&denying),
        ..allowed.clone()
    };
    assert_eq!(
        text(&request, &denied),
        "denied by permissions boundary: `p` statement 1 (`No`)"
    );
    let denied = PolicySet {
        session: Stated::Known(Some(vec![NamedPolicy::new("s", &denying)])),
        ..allowed.clone()
    };
    assert_eq!(
        text(&request, &denied),
        "denied by session policies: `s` statement 1 (`No`)"
    );
    let denied = PolicySet {
        service_control: levels(&[&allowing, &denying]),
        ..allowed
    };
    assert_eq!(
        text(&request, &denied),
        "denied by service control policies of level 2: `p` statement 1 (`No`)"
    );
}

#[test]
fn what_a_resource_policy_grants_depends_on_how_it_names_the_principal() {
    let nothing = policy("");
    let by_session = grant(&format!(r#"{{"AWS":"{SESSION}"}}"#));
    let by_role = grant(&format!(r#"{{"AWS":"{ROLE}"}}"#));
    let by_user = grant(&format!(r#"{{"AWS":"{USER}"}}"#));
    let by_account = grant(r#"{"AWS":"111122223333"}"#);
    let everybody = grant(r#""*""#);
    let federated = || {
        Principal::new(PrincipalKind::FederatedUser {
            arn: "arn:aws:sts::111122223333:federated-user/bob".to_owned(),
            user_arn: USER.to_owned(),
        })
    };
    let by_federated = grant(r#"{"AWS":"arn:aws:sts::111122223333:federated-user/bob"}"#);
    for (principal, resource, has_limits, wanted) in [
        (session(), &by_session, true, Effectiveness::Succeeds),
        (session(), &by_role, true, Effectiveness::Fails),
        (session(), &by_role, false, Effectiveness::Succeeds),
        (session(), &by_account, false, Effectiveness::Fails),
        (session(), &everybody, true, Effectiveness::Succeeds),
        (user(), &by_user, true, Effectiveness::Succeeds),
        (federated(), &by_user, true, Effectiveness::Fails),
        (federated(), &by_federated, true, Effectiveness::Succeeds),
        (federated(), &by_user, false, Effectiveness::Fails),
        (root("111122223333"), &by_account, true, Effectiveness::Succeeds),
    ] {
        let policies = PolicySet {
            resource: one(resource),
            boundary: if has_limits { one(&nothing) } else { Stated::Known(None) },
            session: Stated::Known(has_limits.then(|| vec![NamedPolicy::new("s", &nothing)])),
            ..PolicySet::none()
        };
        let request = request(principal, "s3:GetObject", OBJECT);
        let decision = evaluate(&request, &policies);
        assert_eq!(decision.effectiveness(), wanted, "{request:?} {has_limits} {decision}");
    }
}

#[test]
fn keys_and_roles_need_their_own_policy() {
    let all = allow("");
    let by_account = grant(r#"{"AWS":"arn:aws:iam::111122223333:root"}"#);
    let by_user = grant(&format!(r#"{{"AWS":"{USER}"}}"#));
    let trust = policy(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"}}"#);
    let with = |identity: Option<&Document>, resource: &Document| {
        let policies = PolicySet {
            identity: identity.map_or(Stated::Known(Vec::new()), |_| many(&all)),
            resource: one(resource),
            ..PolicySet::none()
        };
        evaluate(&request(user(), "kms:Decrypt", KEY), &policies).effectiveness()
    };
    assert_eq!(with(Some(&all), &policy("")), Effectiveness::Fails);
    assert_eq!(with(Some(&all), &by_account), Effectiveness::Succeeds);
    assert_eq!(with(None, &by_account), Effectiveness::Fails);
    assert_eq!(with(None, &by_user), Effectiveness::Succeeds);
    let role = "arn:aws:iam::111122223333:role/deploy";
    let assume = request(user(), "sts:AssumeRole", role);
    let untrusted = PolicySet {
        identity: many(&all),
        ..PolicySet::none()
    };
    assert_eq!(text(&assume, &untrusted), "not allowed by resource policy");
    let trusted = PolicySet {
        resource: one(&trust),
        ..untrusted.clone()
    };
    assert_eq!(text(&assume, &trusted), "allowed by identity policies: `p` statement 1");
    // What is done to a role is no matter of its trust policy, and listing keys none of a key's.
    let about_role = request(user(), "iam:GetRole", role);
    assert_eq!(
        evaluate(&about_role, &untrusted).effectiveness(),
        Effectiveness::Succeeds
    );
    let listing = Request {
        resource: Resource::nothing(),
        ..request(user(), "kms:ListKeys", KEY)
    };
    assert_eq!(evaluate(&listing, &untrusted).effectiveness(), Effectiveness::Succeeds);
}

#[test]
fn tokens_of_identity_providers_are_judged_by_the_trust_policy_alone() {
    let trust = policy(
        r#"{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"idp.example"},
            "Condition":{"StringLike":{"idp.example:sub":"repo:us/*"}}}"#,
    );
    let policies = PolicySet {
        resource: one(&trust),
        ..PolicySet::none()
    };
    let principal = Principal::new(PrincipalKind::Federated {
        provider: "idp.example".to_owned(),
    });
    let mut asked = request(
        principal,
        "sts:AssumeRoleWithWebIdentity",
        "arn:aws:iam::111122223333:role/deploy",
    );
    assert_eq!(evaluate(&asked, &policies).effectiveness(), Effectiveness::Fails);
    asked.context.set_value("idp.example:sub", "repo:us/app");
    assert_eq!(evaluate(&asked, &policies).effectiveness(), Effectiveness::Succeeds);
}

#[test]
fn another_account_needs_both_sides() {
    let (all, resource) = (allow(""), grant(&format!(r#"{{"AWS":"{SESSION}"}}"#)));
    let mut asked = request(session(), "s3:GetObject", OBJECT);
    asked.resource.account_id = Some("444455556666".to_owned());
    let identity = PolicySet {
        identity: many(&all),
        ..PolicySet::none()
    };
    assert_eq!(text(&asked, &identity), "not allowed by resource policy");
    let both = PolicySet {
        resource: one(&resource),
        ..identity.clone()
    };
    assert_eq!(evaluate(&asked, &both).effectiveness(), Effectiveness::Succeeds);
    let alone = PolicySet {
        resource: one(&resource),
        ..PolicySet::none()
    };
    assert_eq!(text(&asked, &alone), "not allowed by identity policies");
    // Whose the resource is matters only where it makes a difference.
    asked.resource.account_id = None;
    assert_eq!(text(&asked, &identity), "not known: account of the resource");
    assert_eq!(evaluate(&asked, &both).effectiveness(), Effectiveness::Succeeds);
}

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

#[test]
fn not_principal_denies_whoever_has_a_boundary() {
    let all = allow("");
    let denied = deny(&format!(r#","NotPrincipal":{{"AWS":["{USER}","111122223333"]}}"#));
    let free = PolicySet {
        identity: many(&all),
        resource: one(&denied),
        ..PolicySet::none()
    };
    let bounded = PolicySet {
        boundary: one(&all),
        ..free.clone()
    };
    let asked = request(user(), "s3:GetObject", OBJECT);
    assert!(text(&asked, &free).starts_with("allowed"));
    assert!(text(&asked, &bounded).starts_with("denied by resource policy"));
    let perhaps = PolicySet {
        boundary: Stated::Unknown,
        ..free
    };
    assert!(text(&asked, &perhaps).starts_with("not known"));
}

#[test]
fn the_root_user_can_always_mend_the_policy_of_its_bucket() {
    let denied = deny(r#","Principal":"*""#);
    let policies = PolicySet {
        resource: one(&denied),
        ..PolicySet::none()
    };
    let asked = |account: &str, action: &str| text(&request(root(account), action, "arn:aws:s3:::data"), &policies);
    assert_eq!(
        asked("111122223333", "s3:DeleteBucketPolicy"),
        "allowed to the root user"
    );
    assert!(asked("111122223333", "s3:DeleteBucket").starts_with("denied"));
    assert!(asked("444455556666", "s3:DeleteBucketPolicy").starts_with("denied"));
}

#[test]
fn what_is_not_known_is_named_and_only_where_it_matters() {
    let in_network = allow(r#","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#);
    let outside = policy(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},
           {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}"#,
    );
    let mut asked = request(session(), "s3:GetObject", OBJECT);
    asked.context = ContextKeys::partial();
    let known = |policies: &PolicySet<'_>| text(&asked, policies);
    let only = PolicySet {
        identity: many(&in_network),
        ..PolicySet::none()
    };
    assert_eq!(known(&only), "not known: value of the condition key `aws:SourceIp`");
    let unless = PolicySet {
        identity: many(&outside),
        ..PolicySet::none()
    };
    assert_eq!(
        known(&unless),
        "not known: value of the condition key `aws:RequestedRegion`"
    );
    // A denial that is not certain does not matter where nothing allows.
    let nothing = policy("");
    let moot = PolicySet {
        identity: many(&nothing),
        boundary: one(&outside),
        ..PolicySet::none()
    };
    assert_eq!(known(&moot), "not allowed by identity policies");
    let broken = Document::parse(r#"{"Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}"#).unwrap();
    let unreadable = PolicySet {
        identity: many(&broken),
        ..PolicySet::none()
    };
    assert_eq!(
        known(&unreadable),
        "not known: identity policies: `p` statement 1 cannot be read"
    );
    assert!(known(&PolicySet::unknown()).starts_with("not known: identity policies; permissions boundary;"));
}

#[test]
fn conditions_whose_result_is_not_documented_are_unknown() {
    let asked = |condition: &str| {
        let document = allow(&format!(r#","Condition":{{{condition}}}"#));
        let policies = PolicySet {
            identity: many(&document),
            ..PolicySet::none()
        };
        let mut asked = request(session(), "s3:GetObject", OBJECT);
        asked
            .context
            .set("aws:TagKeys", KeyState::Present(vec!["a".to_owned(), "b".to_owned()]));
        asked.context.set("aws:SourceVpc", KeyState::ValueUnknown);
        evaluate(&asked, &policies).effectiveness()
    };
    assert_eq!(asked(r#""StringEquals":{"aws:TagKeys":"a"}"#), Effectiveness::Unknown);
    assert_eq!(asked(r#""StringEqual":{"aws:TagKeys":"a"}"#), Effectiveness::Unknown);
    assert_eq!(
        asked(r#""ForAnyValue:NumericEquals":{"aws:TagKeys":"1"}"#),
        Effectiveness::Unknown
    );
    assert_eq!(asked(r#""Null":{"aws:SourceVpc":"true"}"#), Effectiveness::Fails);
    assert_eq!(asked(r#""Null":{"aws:SourceVpc":"false"}"#), Effectiveness::Succeeds);
    assert_eq!(
        asked(r#""StringEquals":{"aws:SourceVpc":"vpc-1"}"#),
        Effectiveness::Unknown
    );
    // One condition that fails for certain is enough.
    assert_eq!(
        asked(r#""StringEqual":{"a":"b"},"Bool":{"aws:SecureTransport":true}"#),
        Effectiveness::Fails
    );
}

#[test]
fn resources_that_are_not_known_fit_only_the_star() {
    let asked = |document: &Document| {
        let policies = PolicySet {
            identity: many(document),
            ..PolicySet::none()
        };
        let mut asked = request(session(), "s3:GetObject", OBJECT);
        asked.resource.name = ResourceName::Unknown;
        text(&asked, &policies)
    };
    assert!(asked(&allow("")).starts_with("allowed"));
    let some = policy(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::data/*"}"#);
    assert_eq!(asked(&some), "not known: name of the resource");
    let nothing = policy(r#"{"Effect":"Allow","Action":"*","NotResource":"*"}"#);
    assert_eq!(asked(&nothing), "not allowed by identity policies");
    let misplaced = policy(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs:*:${aws:PrincipalAccount}:x"}"#);
    let policies = PolicySet {
        identity: many(&misplaced),
        ..PolicySet::none()
    };
    let queue = request(session(), "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:x");
    let wanted = "not known: identity policies: `p` statement 1: what AWS makes of it is not documented";
    assert_eq!(text(&queue, &policies), wanted);
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
