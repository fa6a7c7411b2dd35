//! Tests of the whole evaluation.

mod guardrails;
mod naive;
mod oracle;
mod shapes;
mod unknown;
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
