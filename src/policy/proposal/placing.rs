//! Through which present statements resources were touched.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::draft;
use super::resources::Generalised;
use super::resources::within;
use crate::iam::document::Scope;
use crate::policy::compared::compared;
use crate::policy::evaluation::ResourceName;
use crate::policy::grant::Grant;
use crate::policy::resource::covers;
use crate::policy::trace::ActionTrace;

/// The statements through which resources were touched, each with the resources it is to have; `None` if they do not cover
/// all of them.
pub(super) fn placed(
    candidates: &[(usize, &Grant<'_>)],
    touched: &[Generalised],
) -> Option<BTreeMap<usize, Option<BTreeSet<String>>>> {
    let mut placed: BTreeMap<usize, Option<BTreeSet<String>>> = BTreeMap::new();
    let mut add = |(position, resources): (usize, Option<BTreeSet<String>>)| {
        let entry = placed.entry(position).or_insert_with(|| Some(BTreeSet::new()));
        match (entry.as_mut(), resources) {
            (Some(all), Some(resources)) => all.extend(resources),
            _ => *entry = None,
        }
    };
    for touched in touched {
        let covering = covering(candidates, touched);
        if !covering.is_empty() {
            covering.into_iter().for_each(&mut add);
            continue;
        }
        if !touched.is_exact {
            return None;
        }
        for arn in &touched.arns {
            let alone = Generalised::of_one(arn);
            let covering = self::covering(candidates, &alone);
            if covering.is_empty() {
                return None;
            }
            covering.into_iter().for_each(&mut add);
        }
    }
    Some(placed)
}

/// Whether IAM compares another name than a record has for a resource of an action.
pub(super) fn have_other_names(action: &str, trace: Option<&ActionTrace>) -> bool {
    let mut resources = trace.into_iter().flat_map(|trace| &trace.resources);
    resources.any(|arn| compared(action, arn) != ResourceName::Arn(arn.clone()))
}

/// The statements that cover resources: one without conditions, or all with some.
fn covering(candidates: &[(usize, &Grant<'_>)], touched: &Generalised) -> Vec<(usize, Option<BTreeSet<String>>)> {
    let mut covering = Vec::new();
    for (position, grant) in candidates {
        let found = match &grant.statement.resources {
            Some(Scope::Only(_)) => within(grant.statement, touched, draft::is_2012(grant.policy)).map(Some),
            // The resources of the statement stay, so that it is enough if it is about what was touched.
            _ => touched
                .arns
                .iter()
                .all(|arn| touched.is_exact && covers(grant.statement, arn))
                .then_some(None),
        };
        let Some(resources) = found else { continue };
        if grant.statement.conditions.is_empty() {
            return vec![(*position, resources)];
        }
        covering.push((*position, resources));
    }
    covering
}
