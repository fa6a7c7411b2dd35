use serde_json::Value;
use serde_json::json;

use super::*;
use crate::iam::managed_policies;

/// What is wrong with the only statement of a document.
fn fault_of(statement: &str) -> String {
    let document = Document::parse(&format!(r#"{{"Statement":{statement}}}"#)).unwrap();
    let errors: Vec<String> = document.unreadable().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1, "{statement}");
    errors.into_iter().next().unwrap()
}

#[test]
fn every_policy_of_aws_is_read_and_printed_back() {
    let mut statements = 0;
    for policy in managed_policies() {
        let document = Document::parse(policy.document).unwrap_or_else(|error| panic!("{}: {error}", policy.arn));
        assert!(document.is_complete(), "{}", policy.arn);
        let value: Value = serde_json::from_str(policy.document).unwrap();
        assert_eq!(document.to_value(), value, "{}", policy.arn);
        // The order of elements too, which the comparison of values does not see.
        assert_eq!(document.to_value().to_string(), value.to_string(), "{}", policy.arn);
        statements += document.readable().count();
    }
    assert_eq!((managed_policies().len(), statements), (1594, 8853));
}

#[test]
fn every_element_keeps_its_form_and_its_place() {
    let text = concat!(
        r#"{"Statement":[{"Action":["s3:*"],"Effect":"Deny","Sid":"","NotPrincipal":{"Service":"ec2.amazonaws.com","AWS":[]},"#,
        r#""NotResource":[],"Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"s3:max-keys":[10,1.5]},"Null":{}}},"#,
        r#"{"Effect":"Allow","NotAction":"iam:*","Principal":"*","Resource":"*","Condition":{}}],"Id":"x","Version":"2008-10-17"}"#,
    );
    let document = Document::parse(text).unwrap();
    assert!(document.is_complete());
    assert_eq!(document.to_value().to_string(), text);
    let (_, first) = document.readable().next().unwrap();
    assert!(first.principals.as_ref().unwrap().is_negated() && !first.actions.is_negated());
    assert_eq!(first.actions.named().texts().collect::<Vec<_>>(), ["s3:*"]);
}

#[test]
fn document_may_be_percent_encoded_or_text_in_json() {
    let plain = Document::parse(r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}"#).unwrap();
    let encoded = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a%3Ab%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
    assert_eq!(Document::parse(encoded).unwrap(), plain);
    assert_eq!(Document::from_json(&Json::Text(encoded.to_owned())).unwrap(), plain);
    assert!(matches!(plain.statements, OneOrMany::One(_)));
}

#[test]
fn unreadable_statement_is_named_and_kept_beside_the_others() {
    let text = r#"{"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"Odd","Effect":"Allow","Actions":"a:c"},{"Effect":"Deny","Action":"a:d","Resource":"*"}]}"#;
    let document = Document::parse(text).unwrap();
    let readable: Vec<usize> = document.readable().map(|(position, _)| position).collect();
    assert_eq!(readable, [0, 2]);
    let errors: Vec<String> = document.unreadable().map(ToString::to_string).collect();
    assert_eq!(errors, ["statement 2 (`Odd`): element `Actions` is unknown"]);
    assert_eq!(document.to_value().to_string(), text);
}

#[test]
fn every_fault_of_a_statement_is_named_with_its_element() {
    for (statement, wanted) in [
        (r#"[7]"#, "element `Statement` is a number, not an object"),
        (r#"{"Action":"a:b"}"#, "element `Effect` is missing"),
        (
            r#"{"Effect":"allow","Action":"a:b"}"#,
            "element `Effect` has the unknown value `allow`",
        ),
        (r#"{"Effect":"Allow"}"#, "element `Action` is missing"),
        (
            r#"{"Effect":"Allow","Action":"a:b","Action":"a:c"}"#,
            "element `Action` stands twice",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","NotAction":"a:c"}"#,
            "element `NotAction` stands beside `Action`",
        ),
        (
            r#"{"Effect":"Allow","Action":["a:b",1]}"#,
            "element `Action` is a number, not a text",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","resource":"*"}"#,
            "element `resource` is unknown",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Resource":null}"#,
            "element `Resource` is null, not a text",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Principal":"root"}"#,
            "element `Principal` has the unknown value `root`",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Principal":{"Role":"x"}}"#,
            "element `Principal.Role` is unknown",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Principal":{"AWS":"x","AWS":"y"}}"#,
            "element `Principal.AWS` stands twice",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Condition":[]}"#,
            "element `Condition` is a list, not an object",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Condition":{"Bool":true}}"#,
            "element `Condition.Bool` is a boolean, not an object",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"k":{}}}}"#,
            "element `Condition.Bool.k` is an object, not a text, a number or a boolean",
        ),
        (
            r#"{"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"k":"a","k":"b"}}}"#,
            "element `Condition.Bool.k` stands twice",
        ),
    ] {
        assert_eq!(fault_of(statement), format!("statement 1: {wanted}"), "{statement}");
    }
}

#[test]
fn document_that_is_none_is_refused_with_the_reason() {
    for (text, wanted) in [
        ("", "the policy document is no JSON: EOF"),
        ("%7", "the policy document is no JSON: percent encoding is broken"),
        ("[]", "the policy document is a list, not an object"),
        ("{}", "the policy document's element `Statement` is missing"),
        (
            r#"{"Statement":"x"}"#,
            "the policy document's element `Statement` is a text, not a statement",
        ),
        (
            r#"{"Statement":[],"Statement":[]}"#,
            "the policy document's element `Statement` stands twice",
        ),
        (
            r#"{"Statement":[],"Version":"2012-10-18"}"#,
            "the policy document's element `Version` has the unknown value `2012-10-18`",
        ),
        (
            r#"{"Statement":[],"Comment":"x"}"#,
            "the policy document's element `Comment` is unknown",
        ),
    ] {
        let error = Document::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{text}: {error}");
    }
}

#[test]
fn new_document_prints_in_the_usual_order() {
    let mut statement = Statement::new(
        Effect::Allow,
        Scope::Only(OneOrMany::Many(vec!["s3:GetObject".to_owned()])),
    );
    statement.resources = Some(Scope::Only(OneOrMany::One("*".to_owned())));
    statement.sid = Some("Read".to_owned());
    let wanted = json!({
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}],
    });
    assert_eq!(Document::of(vec![statement]).to_value().to_string(), wanted.to_string());
}
