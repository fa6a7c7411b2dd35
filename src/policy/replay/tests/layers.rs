//! Whom control policies and boundaries bind, and whose resources are whose.

use super::*;

#[test]
fn control_policies_bind_all_but_roles_of_services() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let proposed = [
        document(
            r#"{"Effect":"Deny","NotAction":"iam:*","Resource":"*",
                "Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-central-1"}}}"#,
        ),
        full_access(),
    ];
    let trial = || trial(Layer::ServiceControl(1), &proposed, &[]);
    let (totals, said) = fate(trial(), None, &call(&needs));
    assert_eq!((totals.evaluated, totals.denied, names(&said)), (1, 1, vec!["denied"]));
    let mut at_home = call(&needs);
    at_home.fields.aws_region = Some("eu-central-1");
    assert_eq!(fate(trial(), None, &at_home).0.denied, 0);
    let of_service = ReplayedCall {
        principal_arn: "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/x",
        ..call(&needs)
    };
    assert!(!trial().binds(&of_service));
}

/// What a resource control policy of one statement, which guards the resources of an account, makes of a call.
fn guarded_by(statement: &str, ownership: Ownership, call: &ReplayedCall<'_>) -> Vec<ReplayFinding> {
    let policies = [document(statement), full_access_to_resources()];
    let everybody = Actor {
        trial: trial(Layer::ResourceControl(1), &policies, &[]),
        grants: None,
        unique_id: None,
    };
    let nobody = BTreeMap::new();
    let replay = Replay::new(Facts::embedded(), &nobody);
    let mut replay = replay.and_everybody(everybody).knowing(ownership);
    assert_eq!(replay.parts().names(), ["resources", "strangers"]);
    replay.add(call);
    replay.finish().0
}

fn guarding(account: &str) -> Ownership {
    Ownership {
        guarded: BTreeSet::from([account.to_owned()]),
        ..Ownership::default()
    }
}

/// Names of outcomes, and the reasons.
fn outcomes(findings: &[ReplayFinding]) -> Vec<(String, String)> {
    let said = findings
        .iter()
        .map(|it| (it.consequence.name().to_owned(), it.consequence.reason()));
    said.collect()
}

/// What a resource control policy that denies everything to others than an organization makes of a call.
fn of_resources(call: &ReplayedCall<'_>, guarded: &str) -> Vec<(String, String)> {
    let statement = r#"{"Effect":"Deny","Principal":"*","Action":["s3:*","glue:*","kms:*"],"Resource":"*",
        "Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-own"}}}"#;
    let ownership = Ownership {
        organizations: BTreeMap::from([("444455556666".to_owned(), "o-own".to_owned())]),
        ..guarding(guarded)
    };
    outcomes(&guarded_by(statement, ownership, call))
}

#[test]
fn resource_control_policy_guards_the_resources_of_its_accounts_only() {
    let (own, other) = ("777788889999", "210987654321");
    let needs_of = |action: &'static str, arn: &'static str| needs(NeedKind::Certain, action, &[(arn, true)]);
    let read = needs_of("s3:GetObject", OBJECT);
    let with_owner = |account: &'static str| ReplayedCall {
        owners: vec![("arn:aws:s3:::ledger", account)],
        ..call(&read)
    };
    let missing = "value of the condition key `aws:PrincipalOrgID`";
    // The organization of the caller's account is not known.
    assert_eq!(
        of_resources(&with_owner(own), own),
        [("unknown".to_owned(), missing.to_owned())]
    );
    assert_eq!(of_resources(&with_owner(other), own), []);
    // The caller is known to be of the organization, so nothing is denied whoever owns the bucket.
    let colleague = ReplayedCall {
        principal_arn: "arn:aws:iam::444455556666:role/x",
        ..call(&read)
    };
    assert_eq!(of_resources(&colleague, own), []);
}

#[test]
fn resource_control_policy_on_what_it_may_not_bind_is_unknown() {
    let statement = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
    let said = |call: &ReplayedCall<'_>| outcomes(&guarded_by(statement, guarding("777788889999"), call));
    let outcome = |name: &str, reason: &str| vec![(name.to_owned(), reason.to_owned())];
    let read = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    assert_eq!(said(&call(&read)), outcome("unknown", "account of the resource"));
    let table = "arn:aws:glue:eu-west-1:777788889999:table/d/t";
    let table = needs(NeedKind::Certain, "glue:GetTable", &[(table, true)]);
    let support = "whether resource control policies bind the service";
    assert_eq!(said(&call(&table)), outcome("unknown", support));
    let key = "arn:aws:kms:eu-west-1:777788889999:key/k";
    let key = needs(NeedKind::Certain, "kms:Decrypt", &[(key, true)]);
    assert_eq!(names(&said(&call(&key))), ["denied"]);
    let list = needs(NeedKind::Certain, "s3:ListAllMyBuckets", &[]);
    assert_eq!(said(&call(&list)), []);
}

#[test]
fn caller_of_another_account_is_known_by_the_id_that_a_snapshot_has() {
    let owner = "777788889999";
    let statement = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*",
        "Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/app"}}}"#;
    let said = |id: &'static str| {
        let app = ("AROAAPP".to_owned(), "arn:aws:iam::444455556666:role/app".to_owned());
        let ownership = Ownership {
            names: BTreeMap::from([app]),
            ..guarding(owner)
        };
        let read = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
        let mut made = ReplayedCall {
            principal_arn: "arn:aws:iam::444455556666:root",
            principal_id: Some(id),
            owners: vec![("arn:aws:s3:::ledger", owner)],
            ..call(&read)
        };
        made.fields.identity = UserIdentity {
            kind: Some("AWSAccount"),
            account_id: Some("444455556666"),
            ..UserIdentity::default()
        };
        let findings = guarded_by(statement, ownership, &made);
        let [finding] = findings.as_slice() else {
            panic!("{findings:?}")
        };
        (finding.consequence.name(), finding.principal_arn.clone())
    };
    let app = "arn:aws:iam::444455556666:role/app".to_owned();
    assert_eq!(said("AROAAPP"), ("denied", app));
    // No root user: someone of that account.
    assert_eq!(said("AROAOTHER"), ("unknown", "444455556666/AROAOTHER".to_owned()));
}

#[test]
fn control_policy_knows_the_organizations_of_both_sides() {
    let statement = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*",
        "Condition":{"StringNotEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}"}}}"#;
    let policies = [document(statement), full_access()];
    let actors = BTreeMap::from([(
        ROLE.to_owned(),
        Actor::unknown(trial(Layer::ServiceControl(1), &policies, &[])),
    )]);
    let read = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let said = |owner: &'static str| {
        let of_own = |account: &str| (account.to_owned(), "o-own".to_owned());
        let ownership = Ownership {
            organizations: BTreeMap::from([of_own("111122223333"), of_own("444455556666")]),
            ..Ownership::default()
        };
        let mut replay = Replay::new(Facts::embedded(), &actors).knowing(ownership);
        replay.add(&ReplayedCall {
            owners: vec![("arn:aws:s3:::ledger", owner)],
            ..call(&read)
        });
        let (findings, _) = replay.finish();
        findings.iter().map(|it| it.consequence.name()).collect::<Vec<_>>()
    };
    assert!(said("444455556666").is_empty());
    assert_eq!(said("999999999999"), ["unknown"]);
}

#[test]
fn boundary_binds_no_role_that_is_linked_to_a_service() {
    let needs = needs(NeedKind::Certain, "ec2:TerminateInstances", &[]);
    let linked =
        "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
    let proposed = [allow("s3:*", "*")];
    for (layer, arn, is_bound) in [
        (Layer::Boundary, linked, false),
        (Layer::ServiceControl(1), linked, false),
        (Layer::Boundary, ROLE, true),
    ] {
        let made = ReplayedCall {
            principal_arn: arn,
            ..call(&needs)
        };
        assert_eq!(trial(layer, &proposed, &[]).binds(&made), is_bound, "{layer:?} {arn}");
    }
}

/// "Resource-based policies that grant permissions to an IAM role ARN are limited by an implicit deny in a permissions
/// boundary" (IAM user guide, "Permissions boundaries for IAM entities").
#[test]
fn boundary_may_stop_what_the_policy_of_a_resource_granted() {
    let (granted, bounded) = ([allow("ec2:*", "*")], allow("ec2:*", "*"));
    let said = |kind: NeedKind, action: &'static str, boundary: &Document| {
        let needs = needs(kind, action, &[]);
        let proposed = [boundary.clone()];
        fate(trial(Layer::Boundary, &proposed, &[]), Some(&granted), &call(&needs)).1
    };
    let beside = said(NeedKind::Certain, "sqs:SetQueueAttributes", &bounded);
    assert_eq!(names(&beside), ["unknown"]);
    assert!(beside[0].1.contains("a policy of a resource grants"), "{beside:?}");
    let wide = allow("*", "*");
    let through = said(NeedKind::Certain, "sqs:SetQueueAttributes", &wide);
    assert_eq!(names(&through), ["unexplained"]);
    let denying =
        document(r#"{"Effect":"Deny","Action":"sqs:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let hit = said(NeedKind::Certain, "sqs:SetQueueAttributes", &denying);
    assert_eq!(names(&hit), ["denied"]);
    // Keys have policies; what else may have been needed and is not granted was not needed.
    assert_eq!(names(&said(NeedKind::Possible, "kms:Decrypt", &bounded)), ["unknown"]);
    assert_eq!(said(NeedKind::Possible, "iam:PassRole", &bounded), []);
}

#[test]
fn who_granted_a_call_is_no_question_to_control_policies() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let (granted, proposed) = ([allow("ec2:*", "*")], [full_access()]);
    let (totals, said) = fate(
        trial(Layer::ServiceControl(1), &proposed, &[]),
        Some(&granted),
        &call(&needs),
    );
    assert_eq!((totals.evaluated, totals.unexplained, said), (1, 0, Vec::new()));
}

/// The network perimeter of AWS's examples lets calls through that services forward, not those of roles of services.
#[test]
fn perimeter_may_stop_what_a_service_does_with_a_role() {
    let perimeter = r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{
        "NotIpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"},"BoolIfExists":{"aws:ViaAWSService":"false"}}}"#;
    let proposed = [document(perimeter), full_access()];
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let mut made = call(&needs);
    made.fields.identity.invoked_by = Some("codepipeline.amazonaws.com");
    made.fields.source_ip_address = Some("codepipeline.amazonaws.com");
    let said = |made: &ReplayedCall<'_>| fate(trial(Layer::ServiceControl(1), &proposed, &[]), None, made).1;
    assert_eq!(names(&said(&made)), ["unknown"]);
    made.fields.mfa_authenticated = Some(true);
    assert_eq!(said(&made), []);
}
