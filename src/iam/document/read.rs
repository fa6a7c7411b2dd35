//! From JSON to a document: every element known, of the right type, and there once.

use super::ConditionBlock;
use super::ConditionValue;
use super::Document;
use super::DocumentError;
use super::Effect;
use super::ElementError;
use super::Entry;
use super::Fault;
use super::OneOrMany;
use super::PrincipalSet;
use super::PrincipalType;
use super::Scope;
use super::Statement;
use super::StatementError;
use super::Version;
use super::print::DOCUMENT_ELEMENTS;
use super::print::STATEMENT_ELEMENTS;
use crate::iam::json::Json;
use crate::iam::percent;

pub(super) fn text(text: &str) -> Result<Document, DocumentError> {
    let not_json = |reason: String| DocumentError::NotJson { reason };
    let decoded = match text.trim_start().starts_with('%') {
        true => Some(percent::decode(text).ok_or_else(|| not_json("percent encoding is broken".to_owned()))?),
        false => None,
    };
    let parsed = Json::parse(decoded.as_deref().unwrap_or(text));
    document(&parsed.map_err(|error| not_json(error.to_string()))?)
}

pub(super) fn document(json: &Json) -> Result<Document, DocumentError> {
    let Json::Object(members) = json else {
        return Err(DocumentError::NotAnObject { found: json.kind() });
    };
    let elements = Elements::new(members, DOCUMENT_ELEMENTS).map_err(DocumentError::Element)?;
    let version = elements.optional("Version", version).map_err(DocumentError::Element)?;
    let id = elements.optional("Id", text_of).map_err(DocumentError::Element)?;
    let statements = match elements.required("Statement").map_err(DocumentError::Element)? {
        Json::List(entries) => {
            let numbered = (1..).zip(entries);
            OneOrMany::Many(numbered.map(|(number, json)| entry(number, json)).collect())
        }
        one @ Json::Object(_) => OneOrMany::One(entry(1, one)),
        other => {
            let fault = wrong_type(other, "a statement or a list of statements");
            return Err(DocumentError::Element(error("Statement", fault)));
        }
    };
    Ok(Document {
        version,
        id,
        statements,
        order: elements.order(),
    })
}

fn entry(number: usize, json: &Json) -> Entry {
    match statement(json) {
        Ok(statement) => Entry::Readable(statement),
        Err(cause) => Entry::Unreadable {
            json: json.clone(),
            error: StatementError {
                number,
                sid: json.member("Sid").and_then(Json::text).map(str::to_owned),
                cause,
            },
        },
    }
}

fn statement(json: &Json) -> Result<Statement, ElementError> {
    let Json::Object(members) = json else {
        return Err(error("Statement", wrong_type(json, "an object")));
    };
    let elements = Elements::new(members, STATEMENT_ELEMENTS)?;
    let effect = effect(elements.required("Effect")?).map_err(|fault| error("Effect", fault))?;
    let actions = elements.scope("Action", "NotAction", texts)?;
    Ok(Statement {
        sid: elements.optional("Sid", text_of)?,
        effect,
        actions: actions.ok_or_else(|| error("Action", Fault::Missing))?,
        resources: elements.scope("Resource", "NotResource", texts)?,
        principals: elements.scope("Principal", "NotPrincipal", principals)?,
        conditions: match elements.get("Condition") {
            Some(json) => conditions(json)?,
            None => Vec::new(),
        },
        order: elements.order(),
    })
}

/// The members of a document or statement, each known and there once.
struct Elements<'a> {
    members: Vec<(&'static str, &'a Json)>,
}

impl<'a> Elements<'a> {
    fn new(members: &'a [(String, Json)], known: &[&'static str]) -> Result<Self, ElementError> {
        let mut elements = Self { members: Vec::new() };
        for (name, value) in members {
            let found = known.iter().find(|known| **known == name.as_str());
            let name = found.ok_or_else(|| error(name, Fault::Unknown))?;
            if elements.get(name).is_some() {
                return Err(error(name, Fault::Repeated));
            }
            elements.members.push((name, value));
        }
        Ok(elements)
    }

    fn get(&self, name: &str) -> Option<&'a Json> {
        let found = self.members.iter().find(|(member, _)| *member == name);
        found.map(|(_, value)| *value)
    }

    fn required(&self, name: &str) -> Result<&'a Json, ElementError> {
        self.get(name).ok_or_else(|| error(name, Fault::Missing))
    }

    fn optional<T>(&self, name: &str, read: impl Fn(&Json) -> Result<T, Fault>) -> Result<Option<T>, ElementError> {
        let value = self.get(name).map(read).transpose();
        value.map_err(|fault| error(name, fault))
    }

    /// An element that exists in a plain and in a `Not` form.
    fn scope<T>(
        &self,
        plain: &'static str,
        negated: &'static str,
        read: impl Fn(&str, &Json) -> Result<T, ElementError>,
    ) -> Result<Option<Scope<T>>, ElementError> {
        match (self.get(plain), self.get(negated)) {
            (Some(_), Some(_)) => Err(error(negated, Fault::Excluded { other: plain })),
            (Some(json), None) => read(plain, json).map(|named| Some(Scope::Only(named))),
            (None, Some(json)) => read(negated, json).map(|named| Some(Scope::AllBut(named))),
            (None, None) => Ok(None),
        }
    }

    fn order(&self) -> Vec<&'static str> {
        self.members.iter().map(|(name, _)| *name).collect()
    }
}

fn version(json: &Json) -> Result<Version, Fault> {
    let text = text_of(json)?;
    let known = [Version::Of2008, Version::Of2012];
    let found = known.into_iter().find(|version| version.name() == text);
    found.ok_or(Fault::UnknownValue { value: text })
}

fn effect(json: &Json) -> Result<Effect, Fault> {
    let text = text_of(json)?;
    let known = [Effect::Allow, Effect::Deny];
    let found = known.into_iter().find(|effect| effect.name() == text);
    found.ok_or(Fault::UnknownValue { value: text })
}

fn principals(element: &str, json: &Json) -> Result<PrincipalSet, ElementError> {
    let members = match json {
        Json::Text(text) if text == "*" => return Ok(PrincipalSet::Everyone),
        Json::Text(text) => return Err(error(element, Fault::UnknownValue { value: text.clone() })),
        Json::Object(members) => members,
        other => return Err(error(element, wrong_type(other, "`*` or an object"))),
    };
    let mut named: Vec<(PrincipalType, OneOrMany<String>)> = Vec::new();
    for (name, value) in members {
        let place = format!("{element}.{name}");
        let kind = PrincipalType::ALL.into_iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| error(&place, Fault::Unknown))?;
        if named.iter().any(|(other, _)| *other == kind) {
            return Err(error(&place, Fault::Repeated));
        }
        named.push((kind, texts(&place, value)?));
    }
    Ok(PrincipalSet::Named(named))
}

fn conditions(json: &Json) -> Result<Vec<ConditionBlock>, ElementError> {
    let Json::Object(operators) = json else {
        return Err(error("Condition", wrong_type(json, "an object")));
    };
    let mut blocks: Vec<ConditionBlock> = Vec::new();
    for (operator, keys) in operators {
        let place = format!("Condition.{operator}");
        if blocks.iter().any(|block| block.operator == *operator) {
            return Err(error(&place, Fault::Repeated));
        }
        let Json::Object(keys) = keys else {
            return Err(error(&place, wrong_type(keys, "an object")));
        };
        let mut block = ConditionBlock {
            operator: operator.clone(),
            keys: Vec::new(),
        };
        for (key, values) in keys {
            let place = format!("{place}.{key}");
            if block.keys.iter().any(|(other, _)| other == key) {
                return Err(error(&place, Fault::Repeated));
            }
            block
                .keys
                .push((key.clone(), one_or_many(&place, values, condition_value)?));
        }
        blocks.push(block);
    }
    Ok(blocks)
}

fn condition_value(json: &Json) -> Result<ConditionValue, Fault> {
    match json {
        Json::Text(text) => Ok(ConditionValue::Text(text.clone())),
        Json::Number(number) => Ok(ConditionValue::Number(number.clone())),
        Json::Bool(truth) => Ok(ConditionValue::Bool(*truth)),
        other => Err(wrong_type(other, "a text, a number or a boolean")),
    }
}

fn texts(element: &str, json: &Json) -> Result<OneOrMany<String>, ElementError> {
    one_or_many(element, json, text_of)
}

fn one_or_many<T>(
    element: &str,
    json: &Json,
    read: impl Fn(&Json) -> Result<T, Fault>,
) -> Result<OneOrMany<T>, ElementError> {
    let values = match json {
        Json::List(values) => values.iter().map(read).collect::<Result<_, _>>().map(OneOrMany::Many),
        one => read(one).map(OneOrMany::One),
    };
    values.map_err(|fault| error(element, fault))
}

fn text_of(json: &Json) -> Result<String, Fault> {
    let text = json.text().map(str::to_owned);
    text.ok_or_else(|| wrong_type(json, "a text"))
}

fn wrong_type(json: &Json, wanted: &'static str) -> Fault {
    Fault::WrongType {
        found: json.kind(),
        wanted,
    }
}

fn error(element: &str, fault: Fault) -> ElementError {
    ElementError {
        element: element.to_owned(),
        fault,
    }
}
