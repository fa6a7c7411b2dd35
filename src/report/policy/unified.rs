//! Unified differences between the present documents and the proposed ones.

use similar::TextDiff;

use super::files::PolicyFrame;
use super::json::pretty;
use super::rationale;
use crate::policy::Change;
use crate::policy::Place;
use crate::policy::Proposal;
use crate::policy::ProposedPolicy;
use crate::report::escape;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The differences of all policies of a principal.
pub(super) fn file(proposal: &Proposal<'_>, frame: PolicyFrame<'_>) -> String {
    let mut text: String = rationale::basis_lines(proposal, frame)
        .iter()
        .map(|line| format!("# {line}\n"))
        .collect();
    for policy in &proposal.policies {
        if policy.change == Change::Keep {
            continue;
        }
        for line in rationale::policy_lines(policy) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&difference(policy));
    }
    text
}

fn difference(policy: &ProposedPolicy<'_>) -> String {
    let present = policy.present_document.as_ref();
    let old = present.map_or_else(String::new, |document| pretty(&document.to_value()));
    let new = match policy.change {
        Change::Remove => String::new(),
        Change::Keep | Change::Edit | Change::Create => pretty(&policy.document.to_value()),
    };
    let present: Vec<&str> = policy.present.iter().map(|present| present.id.as_str()).collect();
    let present = if present.is_empty() {
        "none".to_owned()
    } else {
        present.join(" ")
    };
    let place = match &policy.place {
        Place::Inline(target) => format!("{target}#{}", policy.name),
        Place::Managed(arn) => arn.clone(),
        Place::NewManaged(_) => policy.name.clone(),
    };
    let difference = TextDiff::from_lines(&old, &new);
    let (from, to) = (
        escape::visible(&present).into_owned(),
        escape::visible(&place).into_owned(),
    );
    let mut unified = difference.unified_diff();
    unified.context_radius(CONTEXT).header(&from, &to).to_string()
}
