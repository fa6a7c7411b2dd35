//! What stands behind the uses of chosen principals.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use arrow::array::RecordBatch;

use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use super::evidence::each_batch_with;
use super::evidence::listed;
use super::structures::TextLists;
use crate::policy::PrincipalKey;
use crate::policy::TraceLog;
use crate::policy::TracedUse;
use crate::policy::Traces;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::QuerySession;

/// What the logs show behind the uses of these principals in a window.
pub async fn traces(
    session: &QuerySession,
    window: Window,
    principals: &BTreeSet<PrincipalKey>,
) -> Result<Traces, AnalysisError> {
    let bounds = [("since", window.since), ("until", window.until)];
    let wanted = Wanted::new(principals);
    let mut log = TraceLog::default();
    each_batch_with(
        session,
        EvidenceQuery::Traces,
        &bounds,
        listed(Some(principals)),
        |batch| Ok(read(batch, &wanted, &mut log)?),
    )
    .await?;
    Ok(log.finish())
}

/// Principals by what records name of them.
struct Wanted<'k> {
    arns: BTreeSet<&'k str>,
    /// ARNs by unique id.
    by_id: BTreeMap<&'k str, &'k str>,
}

impl<'k> Wanted<'k> {
    fn new(principals: &'k BTreeSet<PrincipalKey>) -> Self {
        let by_id = principals
            .iter()
            .filter_map(|key| Some((key.unique_id.as_deref()?, key.arn.as_str())));
        Self {
            arns: principals.iter().map(|key| key.arn.as_str()).collect(),
            by_id: by_id.collect(),
        }
    }

    /// The ARN of the principal, which may have been renamed, or be named by its id alone.
    fn arn(&self, arn: Option<&'k str>, unique_id: Option<&str>) -> Option<&'k str> {
        let named = arn.filter(|arn| self.arns.contains(arn));
        named.or_else(|| self.by_id.get(unique_id?).copied())
    }
}

fn read(batch: &RecordBatch, wanted: &Wanted<'_>, log: &mut TraceLog) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (arns, ids) = (columns.texts("principal_arn")?, columns.texts("principal_id")?);
    let (actions, is_used) = (columns.texts("action")?, columns.booleans("is_used")?);
    let (is_failed, is_passed_role) = (columns.booleans("is_failed")?, columns.booleans("is_passed_role")?);
    let (sources, names) = (columns.texts("event_source")?, columns.texts("event_name")?);
    let (event_ids, times) = (columns.texts("event_id")?, columns.times("event_time")?);
    let (regions, endpoints) = (columns.texts("serving_region")?, columns.texts("vpc_endpoint_id")?);
    let services = columns.texts("via_service")?;
    let (resources, origins) = (
        TextLists::new(batch, "resources")?,
        TextLists::new(batch, "resource_origins")?,
    );
    for row in 0..batch.num_rows() {
        let Some(arn) = wanted.arn(arns.text(row), ids.text(row)) else {
            continue;
        };
        let key = PrincipalKey {
            arn: arn.to_owned(),
            unique_id: ids.text(row).filter(|id| !id.is_empty()).map(str::to_owned),
        };
        let is_proof = |origin: &str| !matches!(origin, "template" | "names");
        let origins = origins.of(row).map(is_proof);
        let traced = TracedUse {
            action: actions.text(row).unwrap_or_default(),
            is_used: is_used.boolean(row) == Some(true),
            is_failed: is_failed.boolean(row) == Some(true),
            is_passed_role: is_passed_role.boolean(row) == Some(true),
            event_source: sources.text(row).unwrap_or_default(),
            event_name: names.text(row).unwrap_or_default(),
            event_id: event_ids.text(row).unwrap_or_default(),
            event_time: times.time(row).unwrap_or_default(),
            serving_region: regions.text(row),
            vpc_endpoint_id: endpoints.text(row),
            via_service: services.text(row),
            resources: resources.of(row).zip(origins).collect(),
        };
        log.add(&key, &traced);
    }
    Ok(())
}
