use serde_json::Value;
use serde_json::json;

use super::*;
use crate::iam::Call;
use crate::iam::Class;
use crate::iam::Level;
use crate::iam::Observability;

fn file(reference: &Value) -> ImportedFile {
    ImportedFile {
        name: "file.json".to_owned(),
        bytes: reference.to_string().into_bytes(),
    }
}

fn imported(references: &[Value]) -> (ImportedFacts, Facts) {
    let files: Vec<ImportedFile> = references.iter().map(file).collect();
    let imported = import(Facts::embedded_pack(), &files, "2027-01-31").unwrap();
    let facts = Facts::from_pack(&imported.pack).unwrap();
    (imported, facts)
}

fn new_service() -> Value {
    json!({
        "Name": "moon",
        "Version": "v1.4",
        "Actions": [
            {
                "Name": "LaunchRocket",
                "ActionConditionKeys": ["moon:Fuel"],
                "Annotations": {"Properties": {"IsList": false, "IsPermissionManagement": false, "IsTaggingOnly": false, "IsWrite": true}},
                "Resources": [{"Name": "rocket"}],
                "SupportedBy": {"IAM Access Analyzer Policy Generation": true, "IAM Action Last Accessed": false}
            },
            {"Name": "TagRocket", "Annotations": {"Properties": {"IsTaggingOnly": true, "IsWrite": true}}, "Resources": []}
        ],
        "ConditionKeys": [{"Name": "moon:Fuel", "Types": ["Numeric"]}],
        "Operations": [{
            "Name": "LaunchRocket",
            "AuthorizedActions": [
                {"Name": "LaunchRocket", "Service": "moon"},
                {"Name": "TagRocket", "Service": "moon"},
                {"Name": "PassRole", "Service": "iam"}
            ]
        }],
        "Resources": [{"Name": "rocket", "ARNFormats": ["arn:${Partition}:moon:${Region}:${Account}:rocket/${RocketId}"]}]
    })
}

#[test]
fn new_service_is_known_after_the_import() {
    let (imported, facts) = imported(&[new_service()]);
    assert_eq!(imported.services[0].added, ["moon:LaunchRocket", "moon:TagRocket"]);
    let id = facts.find("moon:LaunchRocket").unwrap();
    let action = facts.action(id).unwrap();
    assert_eq!(
        (action.level, action.observability),
        (Level::Write, Observability::Unsure)
    );
    assert!(action.is_current && action.support.unwrap().policy_generation);
    assert_eq!(facts.resource_uses(id)[0].resource_type, "rocket");
    assert_eq!(facts.condition_keys(id)[0].value_type, "Numeric");
    let tag = facts.action(facts.find("moon:TagRocket").unwrap()).unwrap();
    assert_eq!(
        (tag.level, tag.observability),
        (Level::Tagging, Observability::Conditional)
    );
    assert!(facts.about().contains(&("imported", "2027-01-31")));
    assert!(facts.about().contains(&("imported moon", "AWS Service Reference v1.4")));
}

#[test]
fn operation_of_a_new_service_maps_to_its_three_classes() {
    let (_, facts) = imported(&[new_service()]);
    let outcome = facts.actions_of(&Call {
        event_source: "moon.amazonaws.com",
        event_name: "LaunchRocket",
        request_parameters: Some(r#"{"rocketId":"r-1"}"#),
        account_id: Some("111122223333"),
        region: Some("eu-west-1"),
        ..Call::default()
    });
    let classes: Vec<(&str, Class)> = outcome
        .actions
        .iter()
        .map(|action| (&*action.name, action.class))
        .collect();
    assert_eq!(
        classes,
        [
            ("moon:LaunchRocket", Class::Primary),
            ("moon:TagRocket", Class::Conditional),
            ("iam:PassRole", Class::Dependent)
        ]
    );
    assert_eq!(
        outcome.actions[0].resources[0].arn,
        "arn:aws:moon:eu-west-1:111122223333:rocket/r-1"
    );
}

#[test]
fn import_changes_nothing_of_other_services() {
    let (_, facts) = imported(&[new_service()]);
    let old = Facts::embedded();
    for (id, action) in old.actions() {
        let new = facts.find(action.name).unwrap();
        let now = facts.action(new).unwrap();
        assert_eq!(
            (action.level, action.observability, action.support),
            (now.level, now.observability, now.support)
        );
        assert_eq!(
            (action.is_current, old.resource_uses(id)),
            (now.is_current, facts.resource_uses(new)),
            "{}",
            action.name
        );
        assert_eq!(old.condition_keys(id), facts.condition_keys(new), "{}", action.name);
        assert_eq!(old.data_event_types(id), facts.data_event_types(new));
    }
    for (source, name) in [
        ("s3.amazonaws.com", "CopyObject"),
        ("ecs.amazonaws.com", "RegisterTaskDefinition"),
    ] {
        let names = |facts: &Facts| {
            let call = Call {
                event_source: source,
                event_name: name,
                ..Call::default()
            };
            let actions = facts.actions_of(&call).actions.into_iter();
            actions.map(|action| (action.name, action.class)).collect::<Vec<_>>()
        };
        assert_eq!(names(old), names(&facts));
    }
}

#[test]
fn action_that_left_the_reference_is_retired_and_a_curated_mapping_stays() {
    let reference = json!({
        "Name": "s3",
        "Actions": [
            {"Name": "GetObject", "Resources": [{"Name": "object"}]},
            {"Name": "CreateBucket", "Resources": [{"Name": "bucket"}]}
        ],
        "Operations": [{"Name": "CopyObject", "AuthorizedActions": [{"Name": "GetObject", "Service": "s3"}]}],
        "Resources": []
    });
    let (imported, facts) = imported(&[reference]);
    assert!(imported.services[0].retired.contains(&"s3:PutObject".to_owned()));
    assert!(!facts.action(facts.find("s3:PutObject").unwrap()).unwrap().is_current);
    let get_object = facts.find("s3:GetObject").unwrap();
    assert_eq!(facts.action(get_object).unwrap().level, Level::Read);
    assert!(facts.resource_uses(facts.find("s3:CreateBucket").unwrap())[0].is_required);
    let outcome = facts.actions_of(&Call {
        event_source: "s3.amazonaws.com",
        event_name: "CopyObject",
        ..Call::default()
    });
    assert_eq!(outcome.actions[1].name, "s3:PutObject");
}

/// A reference of one operation, and of the actions that it may need.
fn operation(service: &str, name: &str, actions: &[&str]) -> Value {
    let split = |action: &&str| {
        action
            .split_once(':')
            .map(|(service, name)| (service.to_owned(), name.to_owned()))
    };
    let split: Vec<(String, String)> = actions.iter().filter_map(split).collect();
    let own = split.iter().filter(|(of, _)| of == service);
    let authorized = split
        .iter()
        .map(|(service, name)| json!({"Name": name, "Service": service}));
    json!({
        "Name": service,
        "Actions": own.map(|(_, name)| json!({"Name": name})).collect::<Vec<_>>(),
        "Operations": [{"Name": name, "AuthorizedActions": authorized.collect::<Vec<_>>()}],
    })
}

fn seen(facts: &Facts, action: &str) -> Observability {
    facts.action(facts.find(action).unwrap()).unwrap().observability
}

#[test]
fn nobody_knows_how_a_use_shows_that_an_operation_newer_than_the_program_may_be() {
    for (service, name, actions, unsure) in [
        (
            "sqs",
            "PeekMessage",
            ["sqs:PeekMessage", "sqs:GetQueueAttributes"],
            "sqs:PeekMessage",
        ),
        // One action that was certain stands behind a new operation, whatever its service.
        (
            "sqs",
            "BatchDeleteQueue",
            ["sqs:DeleteQueue", "kms:Decrypt"],
            "sqs:DeleteQueue",
        ),
        ("sqs", "Peek", ["sqs:DeleteQueue", "sqs:CreateQueue"], "sqs:CreateQueue"),
        (
            "moon",
            "Land",
            ["sqs:CreateQueue", "sqs:DeleteQueue"],
            "sqs:CreateQueue",
        ),
    ] {
        let (_, facts) = imported(&[operation(service, name, &actions)]);
        assert_eq!(seen(&facts, unsure), Observability::Unsure, "{name}");
    }
    // Twice on top of each other, and with the file of the other service behind it.
    let (once, _) = imported(&[operation("moon", "Land", &["sqs:CreateQueue"])]);
    let queue = [file(&operation("sqs", "CreateQueue", &["sqs:CreateQueue"]))];
    let twice = import(&once.pack, &queue, "2027-02-01").unwrap();
    let facts = Facts::from_pack(&twice.pack).unwrap();
    assert_eq!(seen(&facts, "sqs:CreateQueue"), Observability::Unsure);
}

#[test]
fn import_leaves_certain_what_the_program_knows_of_an_operation() {
    for (service, name, actions, action, wanted) in [
        (
            "sqs",
            "CreateQueue",
            ["sqs:CreateQueue", "sqs:TagQueue"],
            "sqs:CreateQueue",
            Observability::Management,
        ),
        // Tags and keys are asked for besides.
        (
            "sqs",
            "PeekMessage",
            ["sqs:PeekMessage", "sqs:TagQueue"],
            "sqs:TagQueue",
            Observability::Management,
        ),
        (
            "sqs",
            "PeekMessage",
            ["sqs:PeekMessage", "kms:DescribeKey"],
            "kms:DescribeKey",
            Observability::Management,
        ),
        (
            "sqs",
            "PeekMessage",
            ["sqs:PeekMessage", "sqs:SendMessage"],
            "sqs:SendMessage",
            Observability::Data,
        ),
        (
            "sagemaker",
            "InvokeEndpointWithResponseStream",
            ["sagemaker:InvokeEndpointWithResponseStream", "kms:Decrypt"],
            "sagemaker:InvokeEndpointWithResponseStream",
            Observability::Data,
        ),
    ] {
        let (_, facts) = imported(&[operation(service, name, &actions)]);
        assert_eq!(seen(&facts, action), wanted, "{name} {action}");
    }
}

#[test]
fn what_a_curated_operation_newly_lists_may_be_needed_besides() {
    for (service, source, name, own, new) in [
        (
            "s3",
            "s3.amazonaws.com",
            "CopyObject",
            "s3:PutObject",
            "s3:GetBucketVersioning",
        ),
        (
            "lambda",
            "lambda.amazonaws.com",
            "CreateFunction",
            "lambda:CreateFunction",
            "sqs:ListQueues",
        ),
        (
            "apigateway",
            "apigateway.amazonaws.com",
            "CreateStage",
            "apigateway:POST",
            "apigateway:DELETE",
        ),
    ] {
        let (_, facts) = imported(&[operation(service, name, &[own, new])]);
        let call = Call {
            event_source: source,
            event_name: name,
            ..Call::default()
        };
        let classes = |facts: &Facts| {
            let actions = facts.actions_of(&call).actions.into_iter();
            actions
                .map(|action| (action.name.to_string(), action.class))
                .collect::<Vec<_>>()
        };
        let (mut now, before) = (classes(&facts), classes(Facts::embedded()));
        assert!(now.contains(&(new.to_owned(), Class::Dependent)), "{name}: {now:?}");
        assert!(!before.iter().any(|(action, _)| action == new), "{name}: {before:?}");
        now.retain(|(action, _)| action != new);
        assert_eq!(now, before, "{name}");
    }
}

#[test]
fn facts_of_another_version_of_the_program_are_told_apart() {
    let (imported, facts) = imported(&[new_service()]);
    assert!(!facts.is_outdated() && !Facts::embedded().is_outdated());
    assert_eq!(Vec::from_iter(facts.imported_services()), ["moon"]);
    let mut text = String::new();
    let mut inflated = flate2::bufread::GzDecoder::new(imported.pack.as_slice());
    std::io::Read::read_to_string(&mut inflated, &mut text).unwrap();
    let (name, value) = Facts::built_in();
    let other = text.replace(&format!("{name}\t{value}"), &format!("{name}\t0123456789abcdef"));
    assert_ne!(text, other);
    assert!(Facts::from_pack(&pack::deflate(&other)).unwrap().is_outdated());
    let none = text.replace(&format!("{name}\t{value}\n"), "");
    assert!(Facts::from_pack(&pack::deflate(&none)).unwrap().is_outdated());
}

#[test]
fn order_of_the_files_does_not_matter_and_other_files_are_named() {
    let other = json!({"Name": "mars", "Actions": [], "Resources": []});
    let one = imported(&[new_service(), other.clone()]).0;
    let two = imported(&[other, new_service()]).0;
    assert_eq!(one, two);
    let files = [
        file(&new_service()),
        file(&json!({"Version": "2012-10-17", "Statement": []})),
        file(&json!({"Name": "x", "Actions": [{"Name": "A\tB"}]})),
        file(&json!({"Name": "sqs", "Actions": [{"Name": "../../etc"}]})),
        file(&json!({"Name": "bad prefix!", "Actions": [{"Name": "A"}]})),
    ];
    let imported = import(Facts::embedded_pack(), &files, "2027-01-31").unwrap();
    assert_eq!((imported.services.len(), imported.ignored.len()), (1, 4));
    let damaged = imported.ignored.iter().filter(|file| file.is_damaged);
    assert_eq!(damaged.count(), 3);
    assert_eq!(
        import(Facts::embedded_pack(), &files[1..], "2027-01-31"),
        Err(FactsError::NothingToImport)
    );
}
