use super::*;

use crate::event::CredentialKind;
use crate::event::UserIdentity;
use crate::iam::document::Document;
use crate::policy::evaluation::Layer;
use crate::policy::usage::PrincipalKey;

mod layers;
mod names;

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";
const OBJECT: &str = "arn:aws:s3:::ledger/2026/09/a.csv";

fn document(statements: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
}

fn allow(action: &str, resource: &str) -> Document {
    document(&format!(
        r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#
    ))
}

fn needs(kind: NeedKind, action: &'static str, resources: &[(&'static str, bool)]) -> Vec<CallNeed<'static>> {
    vec![CallNeed {
        kind,
        action,
        resources: resources.to_vec(),
    }]
}

fn call<'c>(needs: &'c [CallNeed<'c>]) -> ReplayedCall<'c> {
    ReplayedCall {
        fields: RecordFields {
            event_time: 1_000_000,
            event_source: "s3.amazonaws.com",
            event_name: "GetObject",
            aws_region: Some("eu-west-1"),
            identity: UserIdentity {
                kind: Some("AssumedRole"),
                session_issuer_arn: Some(ROLE),
                ..UserIdentity::default()
            },
            user_name: None,
            credential_kind: CredentialKind::Temporary,
            session_created_at: None,
            mfa_authenticated: None,
            source_identity: None,
            source_ip_address: None,
            user_agent: None,
            vpc_endpoint_id: None,
            tls_version: None,
            request_parameters: None,
            resource_arn: None,
        },
        parameters: None,
        principal_arn: ROLE,
        principal_id: None,
        serving_region: Some("eu-west-1"),
        model_id: None,
        inference_region: None,
        event_id: "e1",
        needs,
        owners: Vec::new(),
    }
}

fn trial<'a>(layer: Layer, proposed: &'a [Document], present: &'a [Document]) -> Trial<'a> {
    let named = |documents: &'a [Document]| documents.iter().map(|it| NamedPolicy::new("p", it)).collect();
    Trial {
        layer,
        proposed: named(proposed),
        present: named(present),
    }
}

/// What becomes of the call, by name and reason.
fn fate(trial: Trial<'_>, grants: Option<&[Document]>, call: &ReplayedCall<'_>) -> (CallTotals, Vec<(String, String)>) {
    let actor = Actor {
        trial,
        grants: grants.map(|documents| documents.iter().map(|it| NamedPolicy::new("p", it)).collect()),
        unique_id: Some("AROADEPLOY".to_owned()),
    };
    let actors = BTreeMap::from([(ROLE.to_owned(), actor)]);
    let mut replay = Replay::new(Facts::embedded(), &actors);
    replay.add(call);
    let (findings, totals) = replay.finish();
    let said = findings
        .iter()
        .map(|it| (it.consequence.name().to_owned(), it.consequence.reason()));
    (totals, said.collect())
}

fn of_identity(proposed: &Document, present: &Document, call: &ReplayedCall<'_>) -> Vec<(String, String)> {
    let (proposed, present) = ([proposed.clone()], [present.clone()]);
    fate(trial(Layer::Identity, &proposed, &present), Some(&present), call).1
}

fn names(said: &[(String, String)]) -> Vec<&str> {
    said.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn role_that_is_passed_with_a_tagged_call_has_no_tags_of_the_request() {
    let call_of = |action: &'static str| {
        let needs = needs(NeedKind::Certain, action, &[]);
        let mut made = call(&needs);
        (made.fields.event_source, made.fields.event_name) = ("lambda.amazonaws.com", "CreateFunction20150331");
        made.parameters = Some(r#"{"functionName":"f","tags":{"team":"red"}}"#);
        let tagged = r#"{"Effect":"Allow","Action":["lambda:*","iam:PassRole"],"Resource":"*",
            "Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}}"#;
        of_identity(&document(tagged), &allow("*", "*"), &made)
    };
    assert_eq!(call_of("lambda:CreateFunction"), []);
    assert_eq!(call_of("lambda:TagResource"), []);
    assert_eq!(names(&call_of("iam:PassRole")), ["denied"]);
}

/// A record of `RunInstances` names the image, and the tags are those of the instance.
#[test]
fn tags_of_what_a_call_makes_are_those_of_a_request_of_its_own() {
    let image = "arn:aws:ec2:eu-west-1::image/ami-1";
    let run = |policy: &str, kind: &str| {
        let needs = needs(NeedKind::Certain, "ec2:RunInstances", &[(image, false)]);
        let parameters = format!(
            r#"{{"tagSpecificationSet":{{"items":[{{"resourceType":"{kind}","tags":[{{"key":"Secret","value":"x"}}]}}]}}}}"#
        );
        let mut made = call(&needs);
        (made.fields.event_source, made.fields.event_name) = ("ec2.amazonaws.com", "RunInstances");
        made.parameters = Some(&parameters);
        let everything = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let document = document(&format!("{policy},{everything}"));
        let said = of_identity(&document, &allow("*", "*"), &made);
        said.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let deny = |condition: &str| {
        format!(r#"{{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"*","Condition":{condition}}}"#)
    };
    let of_secret = deny(r#"{"StringEquals":{"aws:RequestTag/Secret":"x"}}"#);
    for condition in [
        r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["team","env"]}}"#,
        r#"{"StringEquals":{"aws:RequestTag/Secret":"x"}}"#,
        r#"{"Null":{"aws:RequestTag/Secret":"false"}}"#,
    ] {
        assert_eq!(run(&deny(condition), "instance"), ["denied"], "{condition}");
    }
    let of_other = deny(r#"{"StringEquals":{"aws:RequestTag/Secret":"y"}}"#);
    assert_eq!(run(&of_other, "instance"), Vec::<String>::new());
    // Of kinds that the reference does not list for the action it is not known whether it is about them.
    assert_eq!(run(&of_secret, "moon"), ["unknown"]);
    let elsewhere = of_secret.replace(r#""Resource":"*""#, r#""Resource":"arn:aws:ec2:*:*:volume/*""#);
    assert_eq!(run(&elsewhere, "instance"), ["unknown"]);
}

/// "arn:aws:s3:::*" is what AWS's own policies grant `s3:ListAllMyBuckets` on, `CloudFrontFullAccess` among them.
#[test]
fn call_without_a_resource_may_be_granted_by_a_pattern_for_all_resources_of_a_kind() {
    let needs = needs(NeedKind::Certain, "s3:ListAllMyBuckets", &[]);
    let call = call(&needs);
    let (all, one) = (allow("s3:*", "arn:aws:s3:::*"), allow("s3:*", "arn:aws:s3:::ledger/*"));
    assert_eq!(names(&of_identity(&allow("ec2:*", "*"), &all, &call)), ["denied"]);
    assert_eq!(names(&of_identity(&allow("ec2:*", "*"), &one, &call)), ["unexplained"]);
    assert_eq!(names(&of_identity(&all, &allow("*", "*"), &call)), ["unknown"]);
    assert_eq!(names(&of_identity(&one, &allow("*", "*"), &call)), ["denied"]);
    assert_eq!(of_identity(&all, &all, &call), []);
}

#[test]
fn what_is_granted_no_more_would_have_been_denied() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let present = allow("s3:*", "*");
    assert!(of_identity(&allow("s3:Get*", "*"), &present, &call(&needs)).is_empty());
    assert_eq!(
        names(&of_identity(&allow("s3:Put*", "*"), &present, &call(&needs))),
        ["denied"]
    );
    let elsewhere = allow("s3:GetObject", "arn:aws:s3:::other/*");
    assert_eq!(names(&of_identity(&elsewhere, &present, &call(&needs))), ["denied"]);
}

#[test]
fn what_something_else_granted_stays_and_is_told() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let present = allow("sqs:*", "*");
    assert_eq!(
        names(&of_identity(&allow("sqs:SendMessage", "*"), &present, &call(&needs))),
        ["unexplained"]
    );
    // A new denial hits it, whatever granted it.
    let denying = document(r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#);
    assert_eq!(names(&of_identity(&denying, &present, &call(&needs))), ["denied"]);
    // Without a snapshot nothing is known of what else granted it.
    let proposed = [allow("sqs:*", "*")];
    let (_, said) = fate(trial(Layer::Identity, &proposed, &[]), None, &call(&needs));
    assert_eq!(names(&said), ["denied"]);
}

#[test]
fn condition_that_cannot_be_known_is_no_question_where_it_stays() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let tagged = |actions: &str, team: &str| {
        document(&format!(
            r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"*",
                "Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"{team}"}}}}}}"#
        ))
    };
    let present = tagged(r#""s3:GetObject","s3:PutObject""#, "red");
    assert!(of_identity(&tagged(r#""s3:Get*""#, "red"), &present, &call(&needs)).is_empty());
    let other = of_identity(&tagged(r#""s3:GetObject""#, "blue"), &present, &call(&needs));
    let missing = "value of the condition key `aws:PrincipalTag/team`";
    assert_eq!(other, [("unknown".to_owned(), missing.to_owned())]);
    assert_eq!(
        names(&of_identity(
            &tagged(r#""s3:PutObject""#, "red"),
            &present,
            &call(&needs)
        )),
        ["denied"]
    );
}

#[test]
fn statement_may_not_stand_in_for_one_that_is_gone() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let one =
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"1"}}}"#;
    let other =
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/b":"1"}}}"#;
    let present = document(&format!("{one},{other}"));
    assert_eq!(
        names(&of_identity(&document(one), &present, &call(&needs))),
        ["unknown"]
    );
    assert!(of_identity(&present, &present, &call(&needs)).is_empty());
}

#[test]
fn denial_that_stands_already_did_not_hit_the_call() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let deny =
        r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
    let allow = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let with = document(&format!("{allow},{deny}"));
    assert!(of_identity(&with, &with, &call(&needs)).is_empty());
    let narrower = document(&format!(
        r#"{deny},{{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#
    ));
    assert!(of_identity(&narrower, &with, &call(&needs)).is_empty());
    assert_eq!(names(&of_identity(&with, &document(allow), &call(&needs))), ["unknown"]);
}

#[test]
fn doubtful_needs_and_names_are_never_denied_for_certain() {
    let present = allow("*", "*");
    let narrow = allow("s3:GetObject", "arn:aws:s3:::ledger/*");
    let possible = needs(NeedKind::Possible, "kms:Decrypt", &[]);
    let said = of_identity(&narrow, &present, &call(&possible));
    assert_eq!(
        said,
        [("unknown".to_owned(), "whether the call needs `kms:Decrypt`".to_owned())]
    );
    let hint = needs(NeedKind::Certain, "s3:GetObject", &[("arn:aws:s3:::other/x", false)]);
    let said = of_identity(&narrow, &present, &call(&hint));
    assert_eq!(said, [("unknown".to_owned(), "name of the resource".to_owned())]);
    let unmapped = needs(NeedKind::Unmapped, "", &[]);
    assert_eq!(names(&of_identity(&narrow, &present, &call(&unmapped))), ["unknown"]);
}

#[test]
fn calls_of_a_namesake_are_left_out() {
    let needs = needs(NeedKind::Certain, "s3:GetObject", &[(OBJECT, true)]);
    let proposed = [allow("sqs:*", "*")];
    let other = ReplayedCall {
        principal_id: Some("AROAOTHER"),
        ..call(&needs)
    };
    let (totals, said) = fate(trial(Layer::Identity, &proposed, &[]), None, &other);
    assert_eq!((totals.evaluated, totals.unbound, said.len()), (0, 1, 0));
}

#[test]
fn call_is_counted_once_however_much_of_it_is_denied() {
    let mut needs = needs(
        NeedKind::Certain,
        "s3:GetObject",
        &[(OBJECT, true), ("arn:aws:s3:::other/x", true)],
    );
    needs.push(CallNeed {
        kind: NeedKind::Certain,
        action: "kms:Decrypt",
        resources: Vec::new(),
    });
    let proposed = [allow("sqs:*", "*")];
    let actor = Actor::unknown(trial(Layer::Identity, &proposed, &[]));
    let actors = BTreeMap::from([(ROLE.to_owned(), actor)]);
    let mut replay = Replay::new(Facts::embedded(), &actors);
    for (time, id) in [(3, "c"), (1, "a"), (5, "e"), (3, "b"), (4, "d")] {
        let mut call = call(&needs);
        (call.fields.event_time, call.event_id) = (time, id);
        replay.add(&call);
    }
    let (findings, totals) = replay.finish();
    assert_eq!((totals.evaluated, totals.denied), (5, 5));
    let shown: Vec<(&str, Option<&str>, u64)> = findings
        .iter()
        .map(|it| (it.action.as_str(), it.resource.as_deref(), it.calls))
        .collect();
    assert_eq!(
        shown,
        [
            ("kms:Decrypt", None, 5),
            ("s3:GetObject", Some("arn:aws:s3:::ledger/2026/*"), 5),
            ("s3:GetObject", Some("arn:aws:s3:::other/x"), 5),
        ]
    );
    assert_eq!(findings[0].event_ids().collect::<Vec<_>>(), ["e", "d", "b"]);
    assert_eq!((findings[0].first_seen, findings[0].last_seen), (1, 5));
}

#[test]
fn only_what_policies_ask_for_tells_calls_apart() {
    let asked = |document: &Document| {
        let documents = [document.clone()];
        let actor = Actor::unknown(trial(Layer::Identity, &documents, &[]));
        Asked::by([actor].iter()).parts.names()
    };
    let condition = |key: &str, value: &str| {
        document(&format!(
            r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringLike":{{"{key}":"{value}"}}}}}}"#
        ))
    };
    assert!(asked(&condition("aws:RequestedRegion", "x")).is_empty());
    assert_eq!(asked(&condition("AWS:SourceIp", "x")), ["network"]);
    assert_eq!(asked(&condition("s3:prefix", "x")), ["parameters"]);
    assert_eq!(
        asked(&condition("aws:PrincipalArn", "*${aws:userid, 'x'}")),
        ["session"]
    );
    assert_eq!(asked(&allow("s3:*", "arn:aws:s3:::b/${aws:SourceVpce}/*")), ["network"]);
}

#[test]
fn principals_of_the_logs_are_those_of_the_snapshots_by_arn_or_id() {
    let actor = |id: &str| {
        let trial = Trial {
            layer: Layer::Identity,
            proposed: Vec::new(),
            present: Vec::new(),
        };
        Actor {
            unique_id: Some(id.to_owned()),
            ..Actor::unknown(trial)
        }
    };
    let actors = BTreeMap::from([
        ("arn:a".to_owned(), actor("AROAa")),
        ("arn:b".to_owned(), actor("AROAb")),
    ]);
    let caller = |arn: &str, id: Option<&str>| PrincipalKey {
        arn: arn.to_owned(),
        unique_id: id.map(str::to_owned),
    };
    let callers = BTreeSet::from([
        caller("arn:a", None),
        caller("arn:before-b", Some("AROAb")),
        caller("arn:c", Some("AROAc")),
    ]);
    let logged = by_logged_arn(&actors, &callers);
    assert_eq!(logged.keys().collect::<Vec<_>>(), ["arn:a", "arn:b", "arn:before-b"]);
    let owners = |logged: &[&str]| owners_of(&logged.iter().copied().collect(), &actors, &callers);
    assert_eq!(owners(&["arn:before-b", "arn:c"]), BTreeSet::from(["arn:b".to_owned()]));
    assert_eq!(owners(&["arn:c"]), BTreeSet::new());
    assert_eq!(owners(&["arn:a"]), BTreeSet::from(["arn:a".to_owned()]));
}
