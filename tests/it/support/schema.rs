//! The part of JSON Schema that our own schema uses; any other keyword is refused.

use serde_json::Value;

/// Where and why a value does not follow a schema.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "$", &mut found);
    found
}

fn check(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let is_met = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => match rule.as_array() {
                Some(types) => types.iter().any(|name| is_of_type(name, value)),
                None => is_of_type(rule, value),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "required" => value.as_object().is_none_or(|members| {
                let mut names = rule.as_array().unwrap().iter();
                names.all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "properties" | "additionalProperties" => {
                check_members(schema, value, place, found);
                true
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items.for_each(|(number, item)| check(rule, item, &format!("{place}[{number}]"), found));
                true
            }
            other => panic!("{other} is no keyword that this check knows"),
        };
        if !is_met {
            found.push(format!("{place}: {keyword} {rule}: {value}"));
        }
    }
}

fn check_members(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(rule), _) => check(rule, member, &place, found),
            (None, Value::Bool(false)) => found.push(format!("{place} is not described")),
            (None, Value::Object(_)) => check(&schema["additionalProperties"], member, &place, found),
            (None, _) => {}
        }
    }
}

fn is_of_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("{other} is no type"),
    }
}
