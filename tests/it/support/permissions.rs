//! What a printed policy allows, read as strictly as needed: allow statements, wildcards, and prefixes of lists.

use serde_json::Value;

#[derive(Clone)]
pub(crate) struct Permissions {
    statements: Vec<Value>,
}

impl Permissions {
    pub(crate) fn parse(policy: &Value) -> Self {
        assert_eq!(policy["Version"], "2012-10-17");
        let statements = policy["Statement"].as_array().unwrap().clone();
        for statement in &statements {
            let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
            assert!(
                statement
                    .as_object()
                    .unwrap()
                    .keys()
                    .all(|key| known.contains(&key.as_str()))
            );
            assert_eq!(statement["Effect"], "Allow");
        }
        Self { statements }
    }

    /// Whether an action on a resource is allowed; a list comes with its prefix.
    pub(crate) fn allow(&self, action: &str, resource: &str, prefix: Option<&str>) -> bool {
        self.statements.iter().any(|statement| {
            let has = |member: &str, value: &str| many(&statement[member]).iter().any(|it| matches(it, value));
            has("Action", action) && has("Resource", resource) && meets(&statement["Condition"], prefix)
        })
    }
}

/// One value or several.
pub(crate) fn many(value: &Value) -> Vec<String> {
    let own = |value: &Value| value.as_str().unwrap().to_owned();
    value
        .as_array()
        .map_or_else(|| vec![own(value)], |values| values.iter().map(own).collect())
}

fn meets(condition: &Value, prefix: Option<&str>) -> bool {
    let Some(operators) = condition.as_object() else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        assert_eq!(operator, "StringLike");
        keys.as_object().unwrap().iter().all(|(key, patterns)| {
            assert_eq!(key, "s3:prefix");
            prefix.is_some_and(|prefix| many(patterns).iter().any(|pattern| matches(pattern, prefix)))
        })
    })
}

/// `*` and `?` are wildcards, `${*}`, `${?}` and `${$}` those characters.
fn matches(pattern: &str, text: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("${") {
        let (literal, rest) = rest.split_once('}').unwrap();
        return text.strip_prefix(literal).is_some_and(|text| matches(rest, text));
    }
    let mut characters = pattern.chars();
    match characters.next() {
        None => text.is_empty(),
        Some('*') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter()
                .any(|at| text.get(at..).is_some_and(|rest| matches(characters.as_str(), rest)))
        }
        Some(first) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|letter| first == '?' || first == letter)
                && matches(characters.as_str(), letters.as_str())
        }
    }
}
