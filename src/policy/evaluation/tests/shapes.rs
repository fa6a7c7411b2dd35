//! The shapes of control policies that organizations use, each with requests that it must deny or leave alone, or that
//! cannot be decided on. The texts are our own; the shapes are those of AWS's examples.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::iam::json::Json;

/// One shape a line: whether it is a control policy of services or of resources, a statement that denies, and requests with
/// what must come out. `?` stands for a value that is not known, `|` between several.
const SHAPES: &str = include_str!("../../../../tests/data/iam/control_policy_shapes.jsonl");

fn document(statement: &Value) -> Document {
    let value = json!({"Version": "2012-10-17", "Statement": [statement]});
    Document::from_json(&Json::parse(&value.to_string()).unwrap()).unwrap()
}

fn text_of<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn asked(ask: &Value) -> Request {
    let mut asked = request(session(), text_of(ask, "action"), text_of(ask, "resource"));
    for (key, value) in ask["keys"].as_object().unwrap() {
        let state = match value.as_str().unwrap() {
            "?" => KeyState::Unknown,
            values => KeyState::Present(values.split('|').map(str::to_owned).collect()),
        };
        asked.context.set(key, state);
    }
    asked
}

fn level(policies: Vec<NamedPolicy<'_>>) -> Stated<Vec<Level<'_>>> {
    Stated::Known(vec![Level { node: "ou", policies }])
}

/// What comes out for a request that everything else allows.
fn verdict(shape: &Value, own: &Document, ask: &Value) -> &'static str {
    let (full, everybody) = (allow(""), grant(r#""*""#));
    let own = NamedPolicy::new("shape", own);
    let mut policies = PolicySet {
        identity: many(&full),
        resource: one(&everybody),
        ..PolicySet::none()
    };
    match text_of(shape, "kind") {
        "service" => policies.service_control = level(vec![NamedPolicy::new("FullAWSAccess", &full), own]),
        _ => policies.resource_control = level(vec![own]),
    }
    match evaluate(&asked(ask), &policies) {
        Decision::Allowed { .. } => "allowed",
        Decision::ExplicitlyDenied { .. } => "denied",
        Decision::Unknown { .. } => "unknown",
        Decision::ImplicitlyDenied { .. } => "not allowed",
    }
}

#[test]
fn control_policies_of_every_shape_come_to_what_they_are_for() {
    let mut denied = 0;
    for line in SHAPES.lines() {
        let shape: Value = serde_json::from_str(line).unwrap();
        let own = document(&shape["statement"]);
        assert!(own.is_complete(), "{line}");
        for ask in shape["asks"].as_array().unwrap() {
            let verdict = verdict(&shape, &own, ask);
            assert_eq!(verdict, text_of(ask, "verdict"), "{}: {ask}", shape["name"]);
            denied += usize::from(verdict == "denied");
        }
    }
    assert!(SHAPES.lines().count() >= 45 && denied >= 45, "{denied}");
}
