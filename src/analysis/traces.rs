//! What stands behind the uses of chosen principals.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;

use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use super::evidence::each_batch_with;
use super::evidence::listed;
use crate::policy::ActionTrace;
use crate::policy::PrincipalKey;
use crate::policy::Traces;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::QuerySession;

/// What the logs show behind the uses of these principals, by ARN, in a window.
pub async fn traces(
    session: &QuerySession,
    window: Window,
    principals: &BTreeSet<String>,
) -> Result<Traces, AnalysisError> {
    let bounds = [("since", window.since), ("until", window.until)];
    let listed = vec![("principals".to_owned(), listed(Some(principals)))];
    let mut traces = Traces::default();
    each_batch_with(session, EvidenceQuery::Traces, &bounds, listed, |batch| {
        Ok(read(batch, principals, &mut traces)?)
    })
    .await?;
    Ok(traces)
}

fn read(batch: &RecordBatch, principals: &BTreeSet<String>, traces: &mut Traces) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (arns, ids) = (columns.texts("principal_arn")?, columns.texts("principal_id")?);
    let (actions, is_used) = (columns.texts("action")?, columns.booleans("is_used")?);
    let calls = columns.text_lists("calls")?;
    let found = action_traces(batch)?;
    for (row, trace) in found.into_iter().enumerate() {
        let key = PrincipalKey {
            arn: arns.text(row).unwrap_or_default().to_owned(),
            unique_id: ids.text(row).filter(|id| !id.is_empty()).map(str::to_owned),
        };
        if !principals.contains(&key.arn) {
            continue;
        }
        let of_principal = traces.principals.entry(key).or_default();
        let known = of_principal
            .entry(actions.text(row).unwrap_or_default().to_owned())
            .or_default();
        match is_used.boolean(row) {
            Some(true) => known.add(&trace),
            _ => known.uncertain_calls.extend(calls.texts_at(row)),
        }
    }
    Ok(())
}

fn action_traces(batch: &RecordBatch) -> Result<Vec<ActionTrace>, Unreadable> {
    let columns = Columns::new(batch);
    let (event_ids, calls) = (columns.text_lists("event_ids")?, columns.text_lists("calls")?);
    let (unnamed, resource_counts) = (columns.integers("unnamed")?, columns.integers("resource_count")?);
    let (resources, hints) = (columns.text_lists("resources")?, columns.text_lists("hints")?);
    let passed_roles = columns.text_lists("passed_roles")?;
    let (regions, endpoints) = (columns.text_lists("regions")?, columns.text_lists("endpoints")?);
    let without_endpoint = columns.integers("without_endpoint")?;
    let (services, without_service) = (columns.text_lists("services")?, columns.integers("without_service")?);
    let traces = (0..batch.num_rows()).map(|row| {
        let passed = passed_roles.texts_at(row);
        let passed = passed.iter().filter_map(|text| text.split_once(' '));
        ActionTrace {
            event_ids: event_ids.texts_at(row),
            calls: calls.texts_at(row).into_iter().collect(),
            unnamed: unnamed.count(row),
            resource_count: resource_counts.count(row),
            resources: resources.texts_at(row).into_iter().collect(),
            hints: hints.texts_at(row).into_iter().collect(),
            regions: regions.texts_at(row).into_iter().collect(),
            endpoints: endpoints.texts_at(row).into_iter().collect(),
            without_endpoint: without_endpoint.count(row),
            services: services.texts_at(row).into_iter().collect(),
            without_service: without_service.count(row),
            passed_roles: passed
                .map(|(source, role)| (source.to_owned(), role.to_owned()))
                .collect(),
            uncertain_calls: BTreeSet::new(),
        }
    });
    Ok(traces.collect())
}
