//! What the calls that assumed a role show.

use super::*;

#[test]
fn refused_calls_are_counted_and_use_nothing() {
    let mut refused = user(BOB);
    refused.is_granted = false;
    let outcome = Case::new(&json!([plain(&json!({"AWS": [ANN, BOB]}))]))
        .with(refused)
        .run();
    assert_eq!(outcome.verdicts(), ["unused", "unused"]);
    assert_eq!(outcome.callers, [(CallerKind::User, BOB.to_owned())]);
}

#[test]
fn hops_are_linked_by_the_keys_that_they_gave() {
    let mut first = call("AWSService", "ec2.amazonaws.com");
    first.fields.identity.invoked_by = Some("ec2.amazonaws.com");
    first.role_arn = DEPLOY;
    first.issued_key = Some("ASIAEXAMPLE1");
    let mut second = session_of(DEPLOY);
    second.caller_key = Some("ASIAEXAMPLE1");
    let mut loose = session_of(DEPLOY);
    loose.caller_key = Some("ASIAEXAMPLE2");
    // A key that gives itself is no way without end.
    let mut circle = session_of(DEPLOY);
    circle.caller_key = Some("ASIAEXAMPLE3");
    circle.issued_key = Some("ASIAEXAMPLE3");
    let trust = json!([plain(&json!({"AWS": DEPLOY}))]);
    let outcome = Case::new(&trust).with(first).with(second).with(loose).run();
    let service = Some("ec2.amazonaws.com".to_owned());
    assert_eq!(
        outcome.chains,
        [(None, vec![DEPLOY.to_owned()]), (service, vec![DEPLOY.to_owned()])]
    );
    assert_eq!(Case::new(&trust).with(circle).run().chains[0].1.len(), 8);
}

#[test]
fn pods_and_service_accounts_are_named() {
    let mut pod = call("AWSService", "pods.eks.amazonaws.com");
    pod.fields.identity.invoked_by = Some("pods.eks.amazonaws.com");
    pod.parameters = Some(AssumeParameters {
        tags: Some(
            r#"[{"key":"eks-cluster-name","value":"prod"},{"key":"kubernetes-namespace","value":"shop"},{"key":"kubernetes-service-account","value":"cart"}]"#,
        ),
        ..AssumeParameters::default()
    });
    let trust = json!([{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]);
    let outcome = Case::new(&trust).with(pod).run();
    assert_eq!(outcome.verdicts(), ["used"]);
    assert_eq!(
        outcome.callers,
        [(CallerKind::PodIdentity, "prod/shop/cart".to_owned())]
    );
}

#[test]
fn device_that_was_shown_fulfils_the_condition_on_it() {
    let condition = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let trust = json!([allow(&json!({"AWS": [ANN, BOB]}), "sts:AssumeRole", &condition)]);
    let mut with_device = user(ANN);
    with_device.parameters = Some(AssumeParameters {
        serial_number: Some("arn:aws:iam::111122223333:mfa/ann"),
        ..AssumeParameters::default()
    });
    let outcome = Case::new(&trust).with(with_device).run();
    assert_eq!(outcome.verdicts(), ["used", "unused"]);
    assert_eq!(outcome.parts[0].2, [""; 0]);
    // Without a device the policy lets nobody in: it was another one.
    let without = Case::new(&trust).with(user(ANN)).run();
    assert!(without.verdicts()[2].starts_with("unexplained"), "{:?}", without.parts);
    assert_eq!(without.trimmed, None);
}

#[test]
fn role_that_was_also_taken_by_other_means_shows_nobody_who_never_came() {
    let trust = json!([plain(&json!({"AWS": [ANN, BOB]}))]);
    let mut case = Case::new(&trust).with(user(ANN));
    assert_eq!(case.run().verdicts(), ["used", "unused"]);
    case.usage
        .accounts
        .get_mut(ACCOUNT)
        .unwrap()
        .note_taken_otherwise("arn:aws:iam::111122223333:role/R");
    let outcome = case.run();
    assert_eq!(
        outcome.verdicts(),
        [
            "used",
            "unknown: the role was also taken by other means than STS, whose records do not say through which part"
        ]
    );
    assert_eq!(outcome.trimmed, None);
}

#[test]
fn role_is_the_one_of_its_name_in_any_case_of_letters() {
    let trust = json!([plain(&json!({"AWS": [ANN, BOB]}))]);
    let call = AssumeCall {
        role_arn: "arn:aws:iam::111122223333:role/R",
        ..user(ANN)
    };
    let outcome = Case::new(&trust).with(call).run();
    assert_eq!(outcome.verdicts(), ["used", "unused"]);
    assert_eq!((outcome.totals.evaluated, outcome.totals.denied), (1, 0));
}
