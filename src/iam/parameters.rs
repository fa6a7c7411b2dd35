//! Looking into the JSON of a request.

use serde_json::Value;

/// Parsed request parameters; null for what is absent or no JSON.
pub(super) fn parse(text: Option<&str>) -> Value {
    let parsed = text.and_then(|text| serde_json::from_str(text).ok());
    parsed.unwrap_or(Value::Null)
}

/// Every text or number at a path of members, `[]` after a name for every element; case does not matter.
pub(super) fn strings_at<'a>(parameters: &'a Value, path: &str) -> Vec<String> {
    let mut level: Vec<&'a Value> = vec![parameters];
    for step in path.split('.') {
        let (member, is_list) = match step.strip_suffix("[]") {
            Some(member) => (member, true),
            None => (step, false),
        };
        let found = level.iter().filter_map(|value| member_of(value, member));
        level = match is_list {
            true => found.flat_map(elements).collect(),
            false => found.collect(),
        };
    }
    level.into_iter().filter_map(text_of).collect()
}

/// Every member of a request, however deep, so that many names can be looked up after one pass.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    members: Vec<(&'a str, &'a Value)>,
}

impl<'a> Members<'a> {
    pub(super) fn of(parameters: &'a Value) -> Self {
        let mut all = Self::default();
        all.visit(parameters);
        all
    }

    /// Texts of every member of a name; case does not matter.
    pub(super) fn strings_named(&self, name: &str) -> Vec<String> {
        let named = self
            .members
            .iter()
            .filter(|(member, _)| member.eq_ignore_ascii_case(name));
        named
            .flat_map(|(_, value)| elements(value))
            .filter_map(text_of)
            .collect()
    }

    /// Whether a member of the name says something: neither null, false nor empty.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut members = self.members.iter();
        members.any(|(member, value)| member.eq_ignore_ascii_case(name) && is_said(value))
    }

    /// Whether a member is this text, or lists it.
    pub(super) fn holds(&self, text: &str) -> bool {
        let mut members = self.members.iter();
        members.any(|(_, value)| elements(value).any(|element| element.as_str() == Some(text)))
    }

    fn visit(&mut self, value: &'a Value) {
        // INVARIANT: the parser bounds the depth.
        match value {
            Value::Object(members) => {
                for (member, value) in members {
                    self.members.push((member, value));
                    self.visit(value);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.visit(element)),
            _ => {}
        }
    }
}

/// Whether the request itself has a member of this name.
pub(super) fn has_top_member(parameters: &Value, name: &str) -> bool {
    member_of(parameters, name).is_some()
}

/// ARNs that stand as parameters of the request itself, or in a list that does.
pub(super) fn arns(parameters: &Value) -> Vec<&str> {
    let members = parameters.as_object().into_iter().flatten();
    let texts = members.flat_map(|(_, value)| elements(value)).filter_map(Value::as_str);
    texts.filter(|text| text.starts_with("arn:")).collect()
}

fn member_of<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let members = value.as_object()?;
    let caseless = || {
        members
            .iter()
            .find(|(member, _)| member.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    members.get(name).or_else(caseless)
}

/// The elements of a list, also of EC2's `{"items": […]}`; anything else is its own only element.
fn elements(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    let list = value.get("items").unwrap_or(value);
    match list {
        Value::Array(elements) => Box::new(elements.iter()),
        other => Box::new(std::iter::once(other)),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_said(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}
