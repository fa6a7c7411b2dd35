//! The engine against the answers of another simulator. `tests/oracle/README.md` says how they came about.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;

use super::super::ContextKeys;
use super::super::Decision;
use super::super::KeyState;
use super::super::Level;
use super::super::NamedPolicy;
use super::super::PolicySet;
use super::super::Principal;
use super::super::PrincipalKind;
use super::super::Request;
use super::super::Resource;
use super::super::Stated;
use super::super::evaluate;
use crate::iam::document::Document;
use crate::iam::json::Json;

/// One line of a file.
struct Case {
    json: Value,
    documents: BTreeMap<String, Vec<Document>>,
}

impl Case {
    fn parse(line: &str) -> Self {
        let json: Value = serde_json::from_str(line).unwrap();
        let read = |value: &Value| Document::from_json(&Json::parse(&value.to_string()).unwrap()).unwrap();
        let list = |value: &Value| value.as_array().unwrap().iter().map(read).collect();
        let mut documents: BTreeMap<String, Vec<Document>> = BTreeMap::new();
        for (name, value) in json.as_object().unwrap() {
            match name.as_str() {
                "boundary" | "session" | "resourcePolicy" | "endpoint" => {
                    documents.insert(name.clone(), vec![read(value)]);
                }
                "identity" => {
                    documents.insert(name.clone(), list(value));
                }
                "scps" | "rcps" => {
                    for (level, value) in value.as_array().unwrap().iter().enumerate() {
                        documents.insert(format!("{name}{level}"), list(value));
                    }
                }
                _ => {}
            }
        }
        assert!(documents.values().flatten().all(Document::is_complete), "{line}");
        Self { json, documents }
    }

    fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap()
    }

    fn principal(&self) -> Principal {
        let arn = self.text("principal").to_owned();
        let parts: Vec<&str> = arn.split([':', '/']).collect();
        Principal::new(match parts.as_slice() {
            [_] => PrincipalKind::Service { names: vec![arn] },
            [.., account, "root"] => PrincipalKind::Root {
                account_id: (*account).to_owned(),
            },
            [.., account, "assumed-role", role, _] => PrincipalKind::RoleSession {
                role_arn: format!("arn:aws:iam::{account}:role/{role}"),
                session_arn: arn,
            },
            [.., account, "federated-user", name] => PrincipalKind::FederatedUser {
                user_arn: format!("arn:aws:iam::{account}:user/{name}"),
                arn,
            },
            _ => PrincipalKind::User { arn },
        })
    }

    fn request(&self) -> Request {
        let mut context = ContextKeys::complete();
        for (key, value) in self.json["context"].as_object().unwrap() {
            let values = match value {
                Value::Array(values) => values.iter().map(|value| value.as_str().unwrap().to_owned()).collect(),
                value => vec![value.as_str().unwrap().to_owned()],
            };
            context.set(key, KeyState::Present(values));
        }
        Request {
            principal: self.principal(),
            action: self.text("action").to_owned(),
            resource: Resource::owned(self.text("resource"), self.text("owner")),
            context,
        }
    }

    fn named(&self, name: &str) -> Vec<NamedPolicy<'_>> {
        let documents = self.documents.get(name).into_iter().flatten();
        documents.map(|document| NamedPolicy::new("policy", document)).collect()
    }

    fn levels(&self, name: &str) -> Vec<Level<'_>> {
        let count = self.json[name].as_array().unwrap().len();
        let levels = (0..count).map(|level| Level {
            node: "node",
            policies: self.named(&format!("{name}{level}")),
        });
        levels.collect()
    }

    fn answer(&self) -> &'static str {
        let first = |name: &str| Stated::Known(self.named(name).first().copied());
        let has_session = self.documents.contains_key("session");
        let policies = PolicySet {
            identity: Stated::Known(self.named("identity")),
            boundary: first("boundary"),
            session: Stated::Known(has_session.then(|| self.named("session"))),
            service_control: Stated::Known(self.levels("scps")),
            resource_control: Stated::Known(self.levels("rcps")),
            resource: first("resourcePolicy"),
            endpoint: first("endpoint"),
            management_account_id: None,
        };
        match evaluate(&self.request(), &policies) {
            Decision::Allowed { .. } => "Allowed",
            Decision::ExplicitlyDenied { .. } => "ExplicitlyDenied",
            Decision::ImplicitlyDenied { .. } => "ImplicitlyDenied",
            Decision::Unknown { .. } => "Unknown",
        }
    }
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "oracle", name].iter().collect()
}

#[test]
fn every_answer_of_the_simulator_is_ours() {
    let compressed = std::fs::read(file("cases.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::bufread::GzDecoder::new(compressed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (position, line) in text.lines().enumerate() {
        let case = Case::parse(line);
        let answer = case.text("answer").to_owned();
        assert_eq!(case.answer(), answer, "line {}: {line}", position + 1);
        *counts.entry(answer).or_default() += 1;
    }
    assert!(counts.values().sum::<usize>() >= 20_000, "{counts:?}");
    // Neither side gets away with one answer to everything.
    assert!(
        counts.len() == 3 && counts.values().all(|count| *count >= 4_000),
        "{counts:?}"
    );
}

#[test]
fn where_the_simulator_differs_we_are_with_the_documentation() {
    let text = std::fs::read_to_string(file("disputed.jsonl")).unwrap();
    let readme = std::fs::read_to_string(file("README.md")).unwrap();
    for line in text.lines() {
        let case = Case::parse(line);
        assert_eq!(case.answer(), case.text("right"), "{line}");
        assert_ne!(case.text("answer"), case.text("right"), "{line}");
        let row = format!("| `{}` |", case.text("name"));
        assert!(readme.contains(&row), "{row}");
        assert!(readme.contains(case.text("sentence")), "{row}");
    }
    assert_eq!(text.lines().count(), readme.matches("\n| `").count());
}
