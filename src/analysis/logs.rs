//! What the logs of accounts hold.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use super::evidence::GLOBAL_REGION;
use super::evidence::each_batch;
use super::evidence::each_batch_with;
use super::named::note_named_logs;
use crate::policy::AccountLog;
use crate::policy::Extent;
use crate::policy::Stream;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::ParamText;
use crate::query::QuerySession;

/// What the logs of every account hold in a window.
pub async fn account_logs(
    session: &QuerySession,
    window: Window,
) -> Result<BTreeMap<String, AccountLog>, AnalysisError> {
    let mut logs: BTreeMap<String, AccountLog> = BTreeMap::new();
    let bounds = [("since", window.since), ("until", window.until)];
    let has_excerpts = has_excerpts(session).await?;
    let told = vec![("has_excerpts".to_owned(), ParamText::Text(has_excerpts.to_string()))];
    each_batch_with(session, EvidenceQuery::Coverage, &bounds, told, |batch| {
        Ok(read_logs(batch, &mut logs)?)
    })
    .await?;
    if has_excerpts {
        each_batch(session, EvidenceQuery::Excerpts, &bounds, |batch| {
            Ok(read_excerpts(batch, &mut logs)?)
        })
        .await?;
    }
    each_batch(session, EvidenceQuery::RecordedRegions, &bounds, |batch| {
        Ok(read_recorded_regions(batch, &mut logs)?)
    })
    .await?;
    each_batch(session, EvidenceQuery::PartialDays, &bounds, |batch| {
        Ok(read_partial_days(batch, &mut logs)?)
    })
    .await?;
    each_batch(session, EvidenceQuery::LostObjects, &[], |batch| {
        Ok(read_lost_objects(batch, &mut logs)?)
    })
    .await?;
    note_named_logs(session, window, &mut logs).await?;
    let expired_before = session.expired_before();
    for log in logs.values_mut() {
        log.expired_before = expired_before;
        log.trust_objects();
    }
    Ok(logs)
}

/// Few stores have any, and telling their events apart takes time.
async fn has_excerpts(session: &QuerySession) -> Result<bool, AnalysisError> {
    let mut objects = 0;
    each_batch(session, EvidenceQuery::ExcerptObjects, &[], |batch| {
        let columns = Columns::new(batch);
        let counts = columns.integers("objects")?;
        objects += (0..batch.num_rows()).map(|row| counts.count(row)).sum::<u64>();
        Ok(())
    })
    .await?;
    Ok(objects > 0)
}

fn read_excerpts(batch: &RecordBatch, accounts: &mut BTreeMap<String, AccountLog>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let account_ids = columns.texts("account_id")?;
    for account in (0..batch.num_rows()).filter_map(|row| account_ids.text(row)) {
        accounts.entry(account.to_owned()).or_default().has_excerpts = true;
    }
    Ok(())
}

fn read_recorded_regions(batch: &RecordBatch, accounts: &mut BTreeMap<String, AccountLog>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (account_ids, regions) = (columns.texts("account_id")?, columns.texts("region")?);
    let days = columns.integer_lists("days")?;
    for row in 0..batch.num_rows() {
        let log = account_ids.text(row).and_then(|account| accounts.get_mut(account));
        if let (Some(log), Some(region)) = (log, regions.text(row)) {
            log.recorded_in.insert(region.to_owned());
            let recorded = log.recorded_days.entry(region.to_owned()).or_default();
            recorded.extend(days.integers_at(row));
        }
    }
    Ok(())
}

fn read_partial_days(batch: &RecordBatch, accounts: &mut BTreeMap<String, AccountLog>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (account_ids, days) = (columns.texts("account_id")?, columns.integers("day")?);
    for row in 0..batch.num_rows() {
        let log = account_ids.text(row).and_then(|account| accounts.get_mut(account));
        if let (Some(log), Some(day)) = (log, days.integer(row)) {
            log.partial_days.insert(day);
        }
    }
    Ok(())
}

fn read_lost_objects(batch: &RecordBatch, accounts: &mut BTreeMap<String, AccountLog>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let account_ids = columns.texts("account_id")?;
    let (days, objects) = (columns.integers("day")?, columns.integers("objects")?);
    for row in 0..batch.num_rows() {
        let lost = objects.integer(row).unwrap_or_default();
        let note = |log: &mut AccountLog| match days.integer(row) {
            Some(day) => *log.lost_objects.entry(day).or_default() += lost,
            None => log.undated_lost_objects += lost,
        };
        match account_ids.text(row) {
            Some(account) => accounts.get_mut(account).into_iter().for_each(note),
            // Logs of any account may have been in it.
            None => accounts.values_mut().for_each(note),
        }
    }
    Ok(())
}

fn read_logs(batch: &RecordBatch, accounts: &mut BTreeMap<String, AccountLog>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (account_ids, regions) = (columns.texts("account_id")?, columns.texts("region")?);
    let (sources, categories) = (columns.texts("event_source")?, columns.texts("category")?);
    let read_only = columns.booleans("read_only")?;
    let types = [
        columns.texts("first_type")?,
        columns.texts("second_type")?,
        columns.texts("third_type")?,
    ];
    let (first, last) = (columns.times("first_event")?, columns.times("last_event")?);
    let (days, recorded_in) = (columns.integer_lists("days")?, columns.texts("recorded_in")?);
    for row in 0..batch.num_rows() {
        let log = accounts
            .entry(account_ids.text(row).unwrap_or_default().to_owned())
            .or_default();
        log.days.extend(days.integers_at(row));
        if let Some(region) = recorded_in.text(row) {
            log.recorded_in.insert(region.to_owned());
            let recorded = log.recorded_days.entry(region.to_owned()).or_default();
            recorded.extend(days.integers_at(row));
        }
        log.first_event = [log.first_event, first.time(row)].into_iter().flatten().min();
        log.last_event = log.last_event.max(last.time(row));
        let region = regions.text(row).unwrap_or_default();
        if region != GLOBAL_REGION && !region.is_empty() {
            log.regions.insert(region.to_owned());
        }
        let is_read = read_only.boolean(row);
        let extent = first.time(row).zip(last.time(row));
        let extent = extent.map(|(first, last)| Extent { first, last });
        if categories.text(row) == Some("Data") {
            for resource_type in types.iter().filter_map(|types| types.text(row)) {
                let recorded = log
                    .data
                    .entry((region.to_owned(), resource_type.to_owned()))
                    .or_default();
                is_read.into_iter().for_each(|is_read| recorded.note(is_read));
                for (is_read, extent) in is_read.into_iter().zip(extent) {
                    let stream = Stream::Data {
                        region: region.to_owned(),
                        resource_type: resource_type.to_owned(),
                        is_read,
                    };
                    log.note(stream, extent);
                }
            }
            continue;
        }
        log.sources.extend(sources.text(row).map(str::to_owned));
        is_read.into_iter().for_each(|is_read| log.management.note(is_read));
        if let Some(extent) = extent {
            let kind = is_read.map(|is_read| Stream::Management { is_read });
            let source = sources.text(row).map(|source| Stream::Source(source.to_owned()));
            kind.into_iter()
                .chain(source)
                .for_each(|stream| log.note(stream, extent));
        }
    }
    Ok(())
}
