//! Reads of an index of a DynamoDB table, which are about the index and not about the table.
//!
//! DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control": the policy that "allows queries on
//! a secondary index" names `table/GameScores/index/TopScoreDateTimeIndex` alone, and not the table.

use std::borrow::Cow;

use super::outcome::ResourceOrigin;
use super::outcome::UsedResource;
use super::parameters::Parameters;

/// Resource types of the service reference.
const TABLE: &str = "table";
const INDEX: &str = "index";

/// Whether an action reads a table or one of its indexes, as the request says.
pub(super) fn may_read_index(action: &str) -> bool {
    matches!(action, "dynamodb:Query" | "dynamodb:Scan")
}

/// Puts the index that a request names into the place of its table; `false` if it names one that has no ARN, as the table
/// has none.
pub(super) fn put_for_table(resources: &mut Vec<UsedResource<'_>>, parameters: &Parameters<'_>) -> bool {
    let Some(index) = parameters.strings_at("indexName").into_iter().next() else {
        return true;
    };
    let is_stated = |used: &UsedResource<'_>| used.resource_type == INDEX && used.origin.is_proof();
    if resources.iter().any(is_stated) {
        resources.retain(is_stated);
        return true;
    }
    resources.retain(|used| used.resource_type == TABLE);
    for used in resources.iter_mut() {
        used.arn = Cow::Owned(format!("{}/{INDEX}/{index}", used.arn));
        used.resource_type = INDEX;
        // The ARN does not stand in the record as a whole.
        if used.origin.is_proof() {
            used.origin = ResourceOrigin::Template;
        }
    }
    !resources.is_empty()
}
