//! Calls of a window, summed up.

use super::columns::Columns;
use super::evidence::AnalysisError;
use super::evidence::each_batch;
use crate::policy::CallSum;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::QuerySession;

/// Gives the calls of a window that were not denied, by principal, action and region, in no order.
pub async fn each_call_sum(
    session: &QuerySession,
    window: Window,
    mut add: impl FnMut(&CallSum<'_>),
) -> Result<(), AnalysisError> {
    let bounds = [("since", window.since), ("until", window.until)];
    each_batch(session, EvidenceQuery::CallSums, &bounds, |batch| {
        let columns = Columns::new(batch);
        let (principals, sources) = (columns.texts("principal_arn")?, columns.texts("event_source")?);
        let (actions, regions) = (columns.texts("action")?, columns.texts("aws_region")?);
        let (successes, takings) = (columns.booleans("is_success")?, columns.booleans("is_taking")?);
        let (routed, calls) = (columns.booleans("is_routed")?, columns.integers("calls")?);
        let last_seen = columns.times("last_seen")?;
        for row in 0..batch.num_rows() {
            add(&CallSum {
                principal_arn: principals.text(row).unwrap_or_default(),
                event_source: sources.text(row).unwrap_or_default(),
                action: actions.text(row),
                region: regions.text(row),
                is_success: successes.boolean(row) == Some(true),
                is_taking: takings.boolean(row) == Some(true),
                is_routed: routed.boolean(row) == Some(true),
                calls: calls.count(row),
                last_seen: last_seen.time(row).unwrap_or_default(),
            });
        }
        Ok(())
    })
    .await
}
