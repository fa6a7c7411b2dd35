//! Where the parameters of a request hold the parts of the ARNs that it touches, if the names do not tell.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::catalogue::ActionId;
use super::catalogue::Catalogue;
use super::facts::FactsError;
use super::facts::Sections;
use super::function_name::FunctionName;
use super::parameters::Parameters;
use super::parameters::part_of;

/// Templates of every operation and action.
#[derive(Debug, Default)]
pub(super) struct Templates {
    rows: BTreeMap<(&'static str, &'static str), Vec<(ActionId, &'static str)>>,
}

/// What a template gives a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A variable of the ARN formats.
    Variable(&'static str),
    /// The whole ARN of a resource type.
    ResourceType(&'static str),
    /// The whole ARN, whatever its type.
    Arn,
}

/// Values that do not come from the parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

/// Lists in a request may be long; a policy never names so many resources.
pub(super) const MAX_VALUES: usize = 256;

impl Templates {
    pub(super) fn read(sections: &Sections, catalogue: &Catalogue) -> Result<Self, FactsError> {
        let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mut row in sections.rows("templates")? {
            let key = (row.cell(), row.cell());
            let (action, text) = (row.cell(), row.cell());
            if let Some(action) = catalogue.find(action) {
                rows.entry(key).or_default().push((action, text));
            }
        }
        Ok(Self { rows })
    }

    /// Targets and texts of the templates of an action of an operation.
    pub(super) fn of(
        &self,
        prefix: &'static str,
        operation: &'static str,
        action: ActionId,
    ) -> impl Iterator<Item = (Target, &'static str)> {
        let rows = self
            .rows
            .get(&(prefix, operation))
            .map(Vec::as_slice)
            .unwrap_or_default();
        let texts = rows.iter().filter(move |(of, _)| *of == action);
        texts.flat_map(|(_, text)| text.split(';')).filter_map(parse_target)
    }
}

/// The values that a template gives, none if a parameter that it needs is missing.
pub(super) fn values<'a>(
    template: &str,
    parameters: &Parameters<'a>,
    surroundings: Surroundings<'_>,
) -> Vec<Cow<'a, str>> {
    let mut alternatives = template.split("||").map(|text| fill(text, parameters, surroundings));
    alternatives.find(|values| !values.is_empty()).unwrap_or_default()
}

fn parse_target(row: &'static str) -> Option<(Target, &'static str)> {
    if let Some(text) = row.strip_prefix("==") {
        return Some((Target::Arn, text));
    }
    let (target, text) = row.split_once('=')?;
    if let Some(variable) = target.strip_prefix('$') {
        return Some((Target::Variable(variable), text));
    }
    target.strip_prefix('@').map(|name| (Target::ResourceType(name), text))
}

fn fill<'a>(text: &str, parameters: &Parameters<'a>, surroundings: Surroundings<'_>) -> Vec<Cow<'a, str>> {
    let mut filled = vec![Cow::Borrowed("")];
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let Some((placeholder, behind)) = after.split_once('}') else {
            return Vec::new();
        };
        append(&mut filled, literal);
        let found = placeholder_values(placeholder, parameters, surroundings);
        if found.is_empty() || found.len().saturating_mul(filled.len()) > MAX_VALUES {
            return Vec::new();
        }
        filled = filled
            .iter()
            .flat_map(|head| found.iter().map(move |value| joined(head, value)))
            .collect();
        rest = behind;
    }
    append(&mut filled, rest);
    filled.retain(|value| !value.is_empty());
    filled
}

fn append(values: &mut [Cow<'_, str>], text: &str) {
    if !text.is_empty() {
        values.iter_mut().for_each(|value| value.to_mut().push_str(text));
    }
}

fn joined<'a>(head: &str, tail: &Cow<'a, str>) -> Cow<'a, str> {
    match head.is_empty() {
        true => tail.clone(),
        false => Cow::Owned([head, tail].concat()),
    }
}

fn placeholder_values<'a>(
    placeholder: &str,
    parameters: &Parameters<'a>,
    surroundings: Surroundings<'_>,
) -> Vec<Cow<'a, str>> {
    let surrounding = match placeholder {
        "$Partition" => Some(surroundings.partition),
        "$Region" => Some(surroundings.region),
        "$Account" => Some(surroundings.account),
        _ => None,
    };
    if let Some(text) = surrounding {
        return vec![Cow::Owned(text.to_owned())];
    }
    let (path, operation) = placeholder.split_once(':').unwrap_or((placeholder, ""));
    let found = parameters.strings_at(path.trim_end_matches('?')).into_iter();
    let values: Vec<_> = found
        .filter_map(|text| part_of(&text, |text| apply(operation, text)))
        .collect();
    match values.is_empty() && path.ends_with('?') {
        true => vec![Cow::Borrowed("")],
        false => values,
    }
}

/// Takes a part out of a parameter's text.
fn apply<'t>(operation: &str, text: &'t str) -> Option<&'t str> {
    let behind = |mark: char| text.rsplit_once(mark).map_or(text, |(_, tail)| tail);
    let all = |text: &str, is_fit: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| is_fit(&byte));
    match operation.split_once('=').unwrap_or((operation, "")) {
        ("", _) => Some(text),
        ("segment", _) => Some(behind('/')),
        ("key", _) => Some(behind('/')).filter(|key| all(key, |byte| byte.is_ascii_hexdigit() || *byte == b'-')),
        ("tail", _) if text.starts_with("arn:") => Some(behind(':')),
        ("tail", _) => Some(text),
        ("head", _) => Some(text.split_once(':')?.0),
        ("path", _) => Some(text.trim_start_matches('/')),
        ("function", _) => Some(FunctionName::parse(text).name),
        ("family", _) => behind('/').split(':').next(),
        ("revision", _) => Some(text.rsplit_once(':')?.1),
        ("digits", _) => Some(text).filter(|text| all(text, u8::is_ascii_digit)),
        ("name", _) => Some(text).filter(|text| !all(text, u8::is_ascii_digit)),
        ("after", prefix) => Some(text.strip_prefix(prefix).unwrap_or(text)),
        ("only", prefix) => Some(text).filter(|text| text.starts_with(prefix)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn filled(template: &str, parameters: &Value) -> Vec<String> {
        let surroundings = Surroundings {
            partition: "aws",
            region: "eu-west-1",
            account: "111122223333",
        };
        let parameters = parameters.to_string();
        let values = values(template, &Parameters::parse(Some(&parameters)), surroundings);
        values.into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn function_is_named_by_name_arn_or_partial_arn() {
        for name in [
            "pay",
            "pay:live",
            "111122223333:function:pay",
            "111122223333:pay:live",
            "arn:aws:lambda:eu-west-1:111122223333:function:pay:3",
        ] {
            let parameters = json!({"functionName": name});
            assert_eq!(filled("{functionName:function}", &parameters), ["pay"], "{name}");
        }
    }

    #[test]
    fn first_alternative_with_all_parameters_wins() {
        let template = "rule/{eventBusName}/{name}||rule/{name}";
        assert_eq!(filled(template, &json!({"name": "nightly"})), ["rule/nightly"]);
        assert_eq!(
            filled(template, &json!({"name": "n", "eventBusName": "b"})),
            ["rule/b/n"]
        );
        assert!(filled(template, &json!({"eventBusName": "b"})).is_empty());
    }

    #[test]
    fn missing_optional_path_is_empty_and_lists_give_every_element() {
        let template = "{path?:path}{roleName}";
        assert_eq!(filled(template, &json!({"roleName": "deploy"})), ["deploy"]);
        assert_eq!(
            filled(template, &json!({"path": "/ci/", "roleName": "deploy"})),
            ["ci/deploy"]
        );
        assert_eq!(
            filled("{ids[].id}", &json!({"ids": [{"id": "a"}, {"id": "b"}]})),
            ["a", "b"]
        );
    }

    #[test]
    fn kms_alias_is_no_key_id() {
        assert!(filled("{keyId:key}", &json!({"keyId": "alias/payments"})).is_empty());
        let arn = "arn:aws:kms:eu-west-1:1:key/1234abcd-12ab";
        assert_eq!(filled("{keyId:key}", &json!({"keyId": arn})), ["1234abcd-12ab"]);
    }
}
