//! Documents as JSON, and their reasons as JSON beside them.

use serde_json::Value;
use serde_json::json;

use super::files::PolicyFrame;
use super::rationale;
use crate::policy::Place;
use crate::policy::Proposal;
use crate::policy::ProposedPolicy;
use crate::report::escape;

/// A value over several lines; what a person would not see stands as an escape.
pub(in crate::report) fn pretty(value: &Value) -> String {
    format!("{}\n", escape::json(&format!("{value:#}")))
}

/// The same as an element of an array that stands over several lines, without a line feed at its end.
pub(super) fn element(value: &Value) -> String {
    let text = format!("{value:#}");
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    escape::json(&lines.join("\n")).into_owned()
}

/// All that is proposed for a principal, with the reasons.
pub(super) fn proposal(proposal: &Proposal<'_>, frame: PolicyFrame<'_>) -> Value {
    let mut value = rationale::basis_json(proposal, frame);
    let policies: Vec<Value> = proposal.policies.iter().map(policy).collect();
    if let Value::Object(members) = &mut value {
        members.insert("policies".to_owned(), Value::Array(policies));
    }
    value
}

fn policy(policy: &ProposedPolicy<'_>) -> Value {
    let (place, targets) = match &policy.place {
        Place::Inline(target) => ("inline", vec![target]),
        Place::Managed(arn) => ("managed", vec![arn]),
        Place::NewManaged(targets) => ("new-managed", targets.iter().collect()),
    };
    json!({
        "name": policy.name,
        "change": policy.change.name(),
        "place": place,
        "targets": targets,
        "document": policy.document.to_value(),
        "rationale": rationale::policy_json(policy),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_make_the_text_of_the_array() {
        let values = [
            json!({"a": ["line\nfeed\r\u{2028}", {}], "b": []}),
            json!({}),
            json!("x"),
        ];
        let elements: Vec<String> = values.iter().map(element).collect();
        let text = format!("[\n{}\n]\n", elements.join(",\n"));
        assert_eq!(text, pretty(&Value::Array(values.to_vec())));
    }
}
