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
