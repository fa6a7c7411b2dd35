//! Rows of a batch on their way into files: without those that the batch or the store has already.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use crate::decode::EventKeyMap;
use crate::decode::RowBuffer;
use crate::ingest::error::IngestError;
use crate::ingest::expired::ExpiredRecords;
use crate::ingest::rollup::Rollup;
use crate::store::DataFile;

use super::Work;
use super::lock;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// What rows were not written, by the position of their object in the plan.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    /// How many the batch or the store has already.
    pub(super) duplicates: Vec<(usize, u64)>,
    /// Those whose day has expired.
    pub(super) expired: BTreeMap<usize, ExpiredRecords>,
}

impl Dropped {
    pub(super) fn extend(&mut self, other: Self) {
        self.duplicates.extend(other.duplicates);
        for (position, records) in other.expired {
            add_expired(&mut self.expired, position, records);
        }
    }
}

/// Drops duplicates, and rows of days that have expired, and writes the rest.
pub(super) fn flush(work: &Work<'_, '_>, rows: &RowBuffer, plan: &[usize]) -> Result<Dropped, IngestError> {
    let mut keep = vec![true; rows.rows()];
    let expired = drop_expired(work, rows, plan, &mut keep);
    let not_expired = keep.clone();
    unseen(work, rows, &mut keep);
    drop_stored(work, rows, &mut keep)?;
    let mut duplicates = vec![0_u64; plan.len()];
    let is_duplicate = keep.iter().zip(&not_expired).map(|(keep, fresh)| *fresh && !keep);
    for (object, _) in rows.object_rows().iter().zip(is_duplicate).filter(|(_, is)| *is) {
        let slot = usize::try_from(*object)
            .ok()
            .and_then(|object| duplicates.get_mut(object));
        if let Some(count) = slot {
            *count += 1;
        }
    }
    if keep.contains(&true) {
        let _span = tracing::debug_span!("stage", rows = keep.len()).entered();
        let mut usage = Rollup::default();
        rows.for_each_day(&keep, |day| -> Result<(), IngestError> {
            let staged = work.store.stage_events(day.event_date, &day.batch)?;
            lock(&work.staged).push(staged);
            match work.is_summed_up.load(Ordering::Relaxed) {
                true => Ok(usage.add(day.event_date, &day.batch)?),
                false => Ok(()),
            }
        })?;
        work.add_usage(usage);
    }
    let duplicates = plan.iter().copied().zip(duplicates);
    Ok(Dropped {
        duplicates: duplicates.filter(|(_, count)| *count > 0).collect(),
        expired,
    })
}

/// Drops rows of expired days: nobody can tell them from those that were there.
fn drop_expired(
    work: &Work<'_, '_>,
    rows: &RowBuffer,
    plan: &[usize],
    keep: &mut [bool],
) -> BTreeMap<usize, ExpiredRecords> {
    let mut expired = BTreeMap::new();
    let Some(before) = work.basis.expired_before() else {
        return expired;
    };
    let first = i64::from(before) * MICROSECONDS_PER_DAY;
    let places = rows.object_rows().iter().zip(rows.record_indexes());
    for ((time, keep), (object, index)) in rows.times().iter().zip(keep).zip(places) {
        let position = usize::try_from(*object).ok().and_then(|object| plan.get(object));
        if let Some(position) = position.filter(|_| time.is_some_and(|time| time < first)) {
            *keep = false;
            add_expired(&mut expired, *position, ExpiredRecords::one(*index));
        }
    }
    expired
}

fn add_expired(all: &mut BTreeMap<usize, ExpiredRecords>, position: usize, records: ExpiredRecords) {
    match all.get_mut(&position) {
        Some(known) => known.add(records),
        None => drop(all.insert(position, records)),
    }
}

/// Drops rows that another row of this batch has come before.
fn unseen(work: &Work<'_, '_>, rows: &RowBuffer, keep: &mut [bool]) {
    let mut seen = lock(&work.seen);
    for (key, keep) in rows.event_keys().iter().zip(keep).filter(|(_, keep)| **keep) {
        *keep = key.is_none_or(|key| seen.insert(key));
    }
}

/// Drops rows whose event the store has. Only files that can hold one of them are looked at.
fn drop_stored(work: &Work<'_, '_>, rows: &RowBuffer, keep: &mut [bool]) -> Result<(), IngestError> {
    if work.basis.files.is_empty() {
        return Ok(());
    }
    let wanted: EventKeyMap<usize> = rows
        .event_keys()
        .iter()
        .zip(keep.iter())
        .enumerate()
        .filter(|(_, (_, keep))| **keep)
        .filter_map(|(row, (key, _))| key.map(|key| (key, row)))
        .collect();
    let days = Days::of(rows, keep);
    for file in work.basis.files.iter().filter(|file| days.can_overlap(file)) {
        work.store.event_keys(file, |key| {
            let Some(event_id) = key.event_id.filter(|event_id| !event_id.is_empty()) else {
                return;
            };
            let (account, region) = (key.account.unwrap_or_default(), key.region.unwrap_or_default());
            let category = key.category.unwrap_or_default();
            let key = work.keys.key((account, region), event_id, key.time, category);
            if let Some(keep) = wanted.get(&key).and_then(|&row| keep.get_mut(row)) {
                *keep = false;
            }
        })?;
    }
    Ok(())
}

/// First and last moment of the rows, by partition day.
struct Days {
    days: BTreeMap<Option<i32>, (i64, i64)>,
}

impl Days {
    fn of(rows: &RowBuffer, keep: &[bool]) -> Self {
        let mut days = BTreeMap::new();
        for (time, _) in rows.times().iter().zip(keep).filter(|(_, keep)| **keep) {
            let day = time.and_then(|time| i32::try_from(time.div_euclid(MICROSECONDS_PER_DAY)).ok());
            let time = time.unwrap_or_default();
            let (first, last) = days.entry(day).or_insert((time, time));
            *first = time.min(*first);
            *last = time.max(*last);
        }
        Self { days }
    }

    /// The same event has the same time, so a file of other times cannot hold it.
    fn can_overlap(&self, file: &DataFile) -> bool {
        let Some((first, last)) = self.days.get(&file.event_date) else {
            return false;
        };
        match file.stats.event_times() {
            Some((file_first, file_last)) => *first <= file_last && *last >= file_first,
            None => true,
        }
    }
}
