//! What the store knows about uses, logs and grants.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use futures::StreamExt;
use jiff::Timestamp;

use super::columns::Columns;
use super::columns::Unreadable;
use super::logs::account_logs;
use super::snapshots::note_earlier_snapshots;
use crate::policy::AccountLog;
use crate::policy::ActionUse;
use crate::policy::GrantChange;
use crate::policy::GrantChanges;
use crate::policy::PrincipalKey;
use crate::policy::PrincipalUse;
use crate::policy::Trails;
use crate::policy::Usage;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::ParamText;
use crate::query::QueryError;
use crate::query::QuerySession;

/// `serving_region` of services that have none.
pub(super) const GLOBAL_REGION: &str = "aws-global";

/// Why the evidence cannot be gathered.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The store cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The answer is not as it should be.
    #[error("cannot read the evidence: {0}")]
    Unreadable(#[from] Unreadable),
    /// The window lies outside of the calendar.
    #[error("the window lies outside of the calendar")]
    OutsideOfCalendar,
    /// A stored snapshot is none.
    #[error("cannot read the stored IAM snapshot `{source_id}`: {cause}")]
    Snapshot {
        /// Its id in `iam_sources`.
        source_id: String,
        /// What is wrong.
        cause: String,
    },
}

/// By ARN of a role, when workloads first took it, and the days on which they did.
type Takings = BTreeMap<String, (i64, BTreeSet<i64>)>;

/// Principals that the store is asked for by name. Of more, their rows are picked out of all.
const LISTED: usize = 100;

/// From the first to the last event of the store; `None` if it has none.
pub async fn extent(session: &QuerySession) -> Result<Option<Window>, AnalysisError> {
    let mut extent = None;
    each_batch(session, EvidenceQuery::Extent, &[], |batch| {
        let columns = Columns::new(batch);
        let (first, last) = (columns.times("first_event")?, columns.times("last_event")?);
        for row in 0..batch.num_rows() {
            let bounds = first.time(row).zip(last.time(row));
            extent = bounds.map(|(since, last)| Window { since, until: last + 1 });
        }
        Ok(())
    })
    .await?;
    Ok(extent)
}

/// What the logs show in a window.
pub async fn usage(session: &QuerySession, window: Window) -> Result<Usage, AnalysisError> {
    let accounts = account_logs(session, window).await?;
    usage_beside(session, window, accounts).await
}

/// As [`usage`], beside what is known already of the logs of accounts in that window.
pub(super) async fn usage_beside(
    session: &QuerySession,
    window: Window,
    mut accounts: BTreeMap<String, AccountLog>,
) -> Result<Usage, AnalysisError> {
    let mut principals = BTreeMap::new();
    let bounds = [("since", window.since), ("until", window.until)];
    each_batch(session, EvidenceQuery::Uses, &bounds, |batch| {
        Ok(read_uses(batch, &mut principals)?)
    })
    .await?;
    let mut takings = Takings::new();
    each_batch(session, EvidenceQuery::Assumptions, &bounds, |batch| {
        Ok(read_assumptions(batch, (&mut principals, &mut accounts), &mut takings)?)
    })
    .await?;
    let mut changes = grant_changes(session, window).await?;
    note_earlier_snapshots(session, window, &mut changes).await?;
    for (role, (first, days)) in &takings {
        changes.note_takings(role, (*first, days), window);
    }
    Ok(Usage {
        logs_until: window.until,
        window,
        principals,
        accounts,
        trails: Trails::default(),
        changes,
    })
}

/// What changed since a window began in what principals may do; also after its end, as snapshots may be later.
async fn grant_changes(session: &QuerySession, window: Window) -> Result<GrantChanges, AnalysisError> {
    let mut changes = GrantChanges::default();
    each_batch(session, EvidenceQuery::Changes, &[("since", window.since)], |batch| {
        Ok(read_changes(batch, &mut changes)?)
    })
    .await?;
    Ok(changes)
}

/// The values of `$principals` and `$ids`: ARNs and unique ids line by line, or null for all, which it is for too many, too.
pub(super) fn listed(principals: Option<&BTreeSet<PrincipalKey>>) -> Vec<(String, ParamText)> {
    let lines = |texts: Vec<&str>| ParamText::Text(texts.join("\n"));
    let (arns, ids) = match principals.filter(|principals| principals.len() <= LISTED) {
        None => (ParamText::Null, ParamText::Null),
        Some(principals) => (
            lines(principals.iter().map(|key| key.arn.as_str()).collect()),
            lines(principals.iter().filter_map(|key| key.unique_id.as_deref()).collect()),
        ),
    };
    vec![("principals".to_owned(), arns), ("ids".to_owned(), ids)]
}

/// Reads an answer batch by batch: that of a large estate would not fit into memory beside what is made of it.
pub(super) async fn each_batch(
    session: &QuerySession,
    query: EvidenceQuery,
    bounds: &[(&str, i64)],
    read: impl FnMut(&RecordBatch) -> Result<(), AnalysisError>,
) -> Result<(), AnalysisError> {
    each_batch_with(session, query, bounds, Vec::new(), read).await
}

/// As [`each_batch`], with further parameters.
pub(super) async fn each_batch_with(
    session: &QuerySession,
    query: EvidenceQuery,
    bounds: &[(&str, i64)],
    mut values: Vec<(String, ParamText)>,
    mut read: impl FnMut(&RecordBatch) -> Result<(), AnalysisError>,
) -> Result<(), AnalysisError> {
    for (name, micros) in bounds {
        let time = Timestamp::from_microsecond(*micros).map_err(|_| AnalysisError::OutsideOfCalendar)?;
        values.push(((*name).to_owned(), ParamText::Text(time.to_string())));
    }
    let mut answer = session.sql(query.sql(), &values).await?;
    while let Some(batch) = answer.stream.next().await {
        read(&batch?)?;
    }
    Ok(())
}

fn read_uses(batch: &RecordBatch, principals: &mut BTreeMap<PrincipalKey, PrincipalUse>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (arns, ids) = (columns.texts("principal_arn")?, columns.texts("principal_id")?);
    let (actions, sources) = (columns.texts("action")?, columns.texts("unmapped_source")?);
    let unmapped_names = columns.texts("unmapped_name")?;
    let (first_seen, last_seen) = (columns.times("first_seen")?, columns.times("last_seen")?);
    let regions = columns.text_lists("regions")?;
    let uses = action_uses(batch)?;
    for (row, action_use) in uses.into_iter().enumerate() {
        let key = PrincipalKey {
            arn: arns.text(row).unwrap_or_default().to_owned(),
            unique_id: ids.text(row).filter(|id| !id.is_empty()).map(str::to_owned),
        };
        let mut seen = PrincipalUse {
            first_seen: first_seen.time(row),
            last_seen: last_seen.time(row),
            last_call: last_seen.time(row),
            regions: regions.texts_at(row).into_iter().collect(),
            ..PrincipalUse::default()
        };
        seen.regions.remove(GLOBAL_REGION);
        if let Some(action) = actions.text(row) {
            seen.actions.insert(action.to_owned(), action_use);
        }
        if let Some(source) = sources.text(row) {
            let name = unmapped_names.text(row).unwrap_or_default();
            seen.unmapped.add(source, name);
        }
        principals.entry(key).or_default().add(&seen);
    }
    Ok(())
}

/// The log does not say which of several roles of one name was taken.
/// Whoever takes a role uses it, also for calls that leave no event. The record does not say the role's unique id.
fn read_assumptions(
    batch: &RecordBatch,
    (principals, accounts): (
        &mut BTreeMap<PrincipalKey, PrincipalUse>,
        &mut BTreeMap<String, AccountLog>,
    ),
    takings: &mut Takings,
) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let by_others = columns.booleans("is_by_others")?;
    let (firsts, days) = (
        columns.times("first_by_workload")?,
        columns.integer_lists("workload_days")?,
    );
    let (roles, subjects) = (columns.texts("role_arn")?, columns.texts("subject")?);
    let (first, last) = (columns.times("first_taken")?, columns.times("last_taken")?);
    for row in 0..batch.num_rows() {
        let Some(role) = roles.text(row) else { continue };
        let key = PrincipalKey {
            arn: role.to_owned(),
            unique_id: None,
        };
        if let Some(log) = key.account_id().and_then(|account| accounts.get_mut(account))
            && by_others.boolean(row) == Some(true)
        {
            log.note_taken_otherwise(role);
        }
        if let Some(first) = firsts.time(row) {
            let known = takings.entry(role.to_owned()).or_insert((first, BTreeSet::new()));
            known.0 = known.0.min(first);
            known.1.extend(days.integers_at(row));
        }
        let taken = PrincipalUse {
            first_seen: first.time(row),
            last_seen: last.time(row),
            service_accounts: subjects.text(row).map(str::to_owned).into_iter().collect(),
            ..PrincipalUse::default()
        };
        let mut is_known = false;
        let namesakes = principals
            .range_mut(key.clone()..)
            .take_while(|(other, _)| other.arn == key.arn);
        for (_, deeds) in namesakes {
            deeds.add(&taken);
            is_known = true;
        }
        if !is_known {
            principals.insert(key, taken);
        }
    }
    Ok(())
}

fn action_uses(batch: &RecordBatch) -> Result<Vec<ActionUse>, Unreadable> {
    let columns = Columns::new(batch);
    let (used, unnamed) = (columns.integers("used")?, columns.integers("unnamed")?);
    let (uncertain, denied) = (columns.integers("uncertain")?, columns.integers("denied")?);
    let (failed, resource_counts) = (columns.integers("failed")?, columns.integers("resource_count")?);
    let (first_used, last_used) = (columns.times("first_used")?, columns.times("last_used")?);
    let last_denied = columns.times("last_denied")?;
    let (regions, resources) = (columns.text_lists("regions")?, columns.text_lists("resources")?);
    let uses = (0..batch.num_rows()).map(|row| ActionUse {
        used: used.count(row),
        unnamed: unnamed.count(row),
        uncertain: uncertain.count(row),
        denied: denied.count(row),
        failed: failed.count(row),
        first_used: first_used.time(row),
        last_used: last_used.time(row),
        last_denied: last_denied.time(row),
        regions: regions.texts_at(row).into_iter().collect(),
        resource_count: resource_counts.count(row),
        resources: resources.texts_at(row).into_iter().collect(),
    });
    Ok(uses.collect())
}

fn read_changes(batch: &RecordBatch, changes: &mut GrantChanges) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (account_ids, calls) = (columns.texts("account_id")?, columns.texts("call")?);
    let (roles, users, groups) = (
        columns.texts("role")?,
        columns.texts("user_name")?,
        columns.texts("group_name")?,
    );
    let (policy_names, policy_arns) = (columns.texts("policy_name")?, columns.texts("policy_arn")?);
    let (firsts, lasts) = (columns.times("first_changed")?, columns.times("last_changed")?);
    for row in 0..batch.num_rows() {
        let Some(at) = lasts.time(row) else { continue };
        changes.note(&GrantChange {
            account_id: account_ids.text(row).unwrap_or_default().to_owned(),
            call: calls.text(row).unwrap_or_default().to_owned(),
            role: roles.text(row).map(str::to_owned),
            user: users.text(row).map(str::to_owned),
            group: groups.text(row).map(str::to_owned),
            policy_name: policy_names.text(row).map(str::to_owned),
            policy_arn: policy_arns.text(row).map(str::to_owned),
            at,
            first_at: firsts.time(row).unwrap_or(at),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::BooleanArray;
    use arrow::array::ListArray;
    use arrow::array::StringArray;
    use arrow::array::TimestampMicrosecondArray;
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn role_that_was_taken_is_seen_whether_it_made_calls_or_not() {
        let times = |micros: i64| Arc::new(TimestampMicrosecondArray::from(vec![micros, micros]).with_timezone("UTC"));
        let days = vec![Some(vec![Some(3), Some(4)]), Some(vec![Some(4)])];
        let days = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(days));
        let batch = RecordBatch::try_from_iter([
            (
                "role_arn",
                Arc::new(StringArray::from(vec![
                    "arn:aws:iam::111122223333:role/ci/A",
                    "arn:aws:iam::111122223333:role/z",
                ])) as _,
            ),
            (
                "subject",
                Arc::new(StringArray::from(vec![None, Some("system:serviceaccount:n:s")])) as _,
            ),
            ("first_taken", times(5) as _),
            ("last_taken", times(9) as _),
            ("first_by_workload", times(7) as _),
            ("workload_days", days as _),
            (
                "is_by_others",
                Arc::new(BooleanArray::from(vec![Some(true), None])) as _,
            ),
        ])
        .unwrap();
        let key = |arn: &str, unique_id: Option<&str>| PrincipalKey {
            arn: arn.to_owned(),
            unique_id: unique_id.map(str::to_owned),
        };
        let called = PrincipalUse {
            first_seen: Some(7),
            last_seen: Some(20),
            ..PrincipalUse::default()
        };
        let mut principals = BTreeMap::from([(key("arn:aws:iam::111122223333:role/z", Some("AROA")), called)]);
        let mut takings = Takings::new();
        let mut accounts = BTreeMap::from([("111122223333".to_owned(), AccountLog::default())]);
        read_assumptions(&batch, (&mut principals, &mut accounts), &mut takings).unwrap();
        let log = &accounts["111122223333"];
        assert!(log.is_taken_otherwise("arn:aws:iam::111122223333:role/a"));
        assert!(!log.is_taken_otherwise("arn:aws:iam::111122223333:role/z"));
        assert_eq!(takings["arn:aws:iam::111122223333:role/ci/A"], (7, [3, 4].into()));
        let seen = |key: &PrincipalKey| principals.get(key).map(|deeds| (deeds.first_seen, deeds.last_seen));
        assert_eq!(principals.len(), 2);
        assert_eq!(
            seen(&key("arn:aws:iam::111122223333:role/ci/A", None)),
            Some((Some(5), Some(9)))
        );
        assert_eq!(
            seen(&key("arn:aws:iam::111122223333:role/z", Some("AROA"))),
            Some((Some(5), Some(20)))
        );
        assert_eq!(principals.values().last().unwrap().service_accounts.len(), 1);
    }
}
