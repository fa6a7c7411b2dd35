use proptest::prelude::*;

use super::*;
use crate::iam::Facts;
use crate::iam::action_matches;

fn set(names: &[&str]) -> ActionSet {
    let facts = Facts::embedded();
    let mut set = facts.no_actions();
    names.iter().for_each(|name| set.extend(&facts.expand(name)));
    set
}

/// The printed statements after taking these actions out of every one of them.
fn trimmed(statements: &str, removable: &ActionSet, wording: Wording) -> String {
    let document = Document::parse(&format!(r#"{{"Statement":{statements}}}"#)).unwrap();
    let removable = (1..=document.statements.as_slice().len()).map(|number| (number, removable.clone()));
    let removable = removable.collect();
    let mut expander = Expander::new(Facts::embedded());
    let once = trim(&document, &removable, wording, &mut expander);
    let twice = trim(&once.document, &removable, wording, &mut expander);
    let is_renumbered = once.changes.iter().any(|change| change.is_gone);
    assert!(is_renumbered || twice.document == once.document && twice.changes.is_empty());
    once.document.to_value()["Statement"].to_string()
}

#[test]
fn wildcard_is_expanded_only_where_something_of_it_goes() {
    let statements = r#"[{"Sid":"A","Effect":"Allow","Action":["sqs:Send*","sts:Get*"],"Resource":"arn:aws:sqs:*:*:a","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]"#;
    let removable = set(&[
        "sts:GetFederationToken",
        "sts:GetWebIdentityToken",
        "sts:GetDelegatedAccessToken",
    ]);
    let wanted = statements.replace(
        r#""sts:Get*""#,
        r#""sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetServiceBearerToken","sts:GetSessionToken""#,
    );
    assert_eq!(trimmed(statements, &removable, Wording::Names), wanted);
}

#[test]
fn document_of_which_nothing_goes_is_the_same() {
    let statements = r#"{"Effect":"Allow","NotAction":["iam:*"],"NotResource":"arn:aws:s3:::a"}"#;
    assert_eq!(trimmed(statements, &set(&["iam:*"]), Wording::Names), statements);
    assert_eq!(trimmed(statements, &set(&[]), Wording::Names), statements);
}

#[test]
fn statements_that_deny_and_those_that_cannot_be_read_stay() {
    let statements = r#"[{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Odd":1},{"Effect":"Allow","Action":"s3:*","Resource":"*"}]"#;
    let wanted = r#"[{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Odd":1}]"#;
    assert_eq!(trimmed(statements, &set(&["*"]), Wording::Names), wanted);
}

#[test]
fn names_and_patterns_that_no_fact_knows_stay() {
    let statements = r#"[{"Effect":"Allow","Action":["moon:Launch","s3:Frob*","s3:GetObject"],"Resource":"*"}]"#;
    let wanted = r#"[{"Effect":"Allow","Action":["moon:Launch","s3:Frob*"],"Resource":"*"}]"#;
    assert_eq!(trimmed(statements, &set(&["*"]), Wording::Names), wanted);
}

#[test]
fn not_action_gets_longer_or_becomes_an_action() {
    let statements = r#"[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]"#;
    let wanted = r#"[{"Effect":"Allow","NotAction":["iam:*","sqs:SendMessage"],"Resource":"*"}]"#;
    assert_eq!(trimmed(statements, &set(&["sqs:SendMessage"]), Wording::Names), wanted);
    let mut most = set(&["s3:GetObject", "sqs:SendMessage"]).complement();
    most.subtract(&set(&["iam:*"]));
    let wanted = r#"[{"Effect":"Allow","Action":["s3:GetObject","sqs:SendMessage"],"Resource":"*"}]"#;
    assert_eq!(trimmed(statements, &most, Wording::Names), wanted);
}

#[test]
fn document_that_would_be_too_long_gets_patterns_that_mean_the_same() {
    let statements = r#"[{"Effect":"Allow","Action":"*","Resource":"*"}]"#;
    let removable = set(&["iam:Create*", "ec2:RunInstances"]);
    let text = trimmed(statements, &removable, Wording::Words);
    assert!(
        text.contains(r#""s3:*""#) && text.contains(r#""iam:Delete*""#) && !text.contains(r#""ec2:*""#),
        "{text}"
    );
    let document = Document::parse(&format!(r#"{{"Statement":{text}}}"#)).unwrap();
    let (_, statement) = document.readable().next().unwrap();
    let mut wanted = set(&["*"]);
    wanted.subtract(&removable);
    assert_eq!(Expander::new(Facts::embedded()).scope(&statement.actions), wanted);
}

#[test]
fn patterns_that_end_inside_of_words_mean_the_same_and_are_shorter() {
    let statements = r#"[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]"#;
    let removable = set(&["sqs:SendMessage", "sqs:ListQueues", "sqs:GetQueueUrl"]);
    let text = trimmed(statements, &removable, Wording::Letters);
    let document = Document::parse(&format!(r#"{{"Statement":{text}}}"#)).unwrap();
    let (_, statement) = document.readable().next().unwrap();
    let mut wanted = set(&["sqs:*"]);
    wanted.subtract(&removable);
    assert_eq!(Expander::new(Facts::embedded()).scope(&statement.actions), wanted);
    assert!(
        text.contains(r#""sqs:GetQueueA*""#) && !text.contains(r#""sqs:Se*""#),
        "{text}"
    );
    assert!(text.len() < trimmed(statements, &removable, Wording::Words).len());
}

#[test]
fn names_are_never_widened_to_a_pattern() {
    let statements =
        r#"[{"Effect":"Allow","Action":["sqs:SendMessage","sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"*"}]"#;
    let wanted = r#"[{"Effect":"Allow","Action":["sqs:SendMessage","sqs:ReceiveMessage"],"Resource":"*"}]"#;
    assert_eq!(
        trimmed(statements, &set(&["sqs:DeleteMessage"]), Wording::Letters),
        wanted
    );
}

/// IAM refuses such a pattern; what it would match must be the same for known actions and for any text.
#[test]
fn pattern_without_service_takes_nothing_in() {
    let statements = r#"[{"Effect":"Allow","NotAction":["s*"],"Resource":"*"}]"#;
    let mut removable = set(&["*"]);
    removable.remove(Facts::embedded().find("s3:GetObject").unwrap());
    let mut expander = Expander::new(Facts::embedded());
    let document = Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#)).unwrap();
    let result = trim(&document, &[(1, removable)].into(), Wording::Names, &mut expander);
    assert_eq!(result.document.statements.as_slice(), []);
}

fn pattern() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "*",
        "s3:*",
        "s3:Get*",
        "S3:getobject",
        "s3:*Object",
        "sqs:?endMessage",
        "sqs:*",
        "iam:Create*",
        "moon:*",
        "ec2:RunInstances",
        "kms:*",
        "s*",
    ])
    .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "s3:GetObject",
        "s3:GetNewThing",
        "s3:PutObject",
        "sqs:SendMessage",
        "iam:CreateUser",
        "iam:Create",
        "kms:Decrypt",
        "moon:Launch",
        "ec2:RunInstances",
        "s3:NewObject",
        "zzz:New",
        "sns:Publish",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn exactly_what_was_to_go_goes_and_nothing_comes(
        patterns in prop::collection::vec(pattern(), 1..4),
        removed in prop::collection::vec(pattern(), 0..4),
        kept in prop::collection::vec(name(), 0..6),
        probes in prop::collection::vec(name(), 1..6),
        is_negated: bool,
        wording in prop::sample::select(vec![Wording::Names, Wording::Words, Wording::Letters]),
    ) {
        let facts = Facts::embedded();
        let named = OneOrMany::Many(patterns);
        let actions = if is_negated { Scope::AllBut(named) } else { Scope::Only(named) };
        let statement = Statement::new(Effect::Allow, actions);
        let mut removable = set(&removed.iter().map(String::as_str).collect::<Vec<_>>());
        kept.iter().filter_map(|name| facts.find(name)).for_each(|action| removable.remove(action));
        let document = Document::of(vec![statement.clone()]);
        let mut expander = Expander::new(facts);
        let result = trim(&document, &[(1, removable.clone())].into(), wording, &mut expander);
        let mut wanted = expander.scope(&statement.actions);
        wanted.subtract(&removable);
        let left = result.document.readable().next().map(|(_, statement)| statement.clone());
        let granted = left.as_ref().map_or_else(|| facts.no_actions(), |left| expander.scope(&left.actions));
        prop_assert_eq!(granted, wanted);
        // Also of actions that no fact knows.
        let matches = |statement: &Statement, action: &str| {
            let is_named = statement.actions.named().texts().any(|pattern| action_matches(pattern, action));
            is_named != statement.actions.is_negated()
        };
        for probe in probes {
            let is_granted = left.as_ref().is_some_and(|left| matches(left, &probe));
            prop_assert!(!is_granted || matches(&statement, &probe), "{}", probe);
        }
        if let Some(left) = left {
            let again = trim(&Document::of(vec![left]), &[(1, removable)].into(), wording, &mut expander);
            prop_assert!(again.changes.is_empty());
            prop_assert_eq!(again.document.to_value(), result.document.to_value());
        }
    }
}
