//! What others have stored since a batch was made, taken out of it: the batch is rebased instead of made again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::BooleanArray;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::compute::concat_batches;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;

use crate::decode::EventKeyMap;
use crate::decode::EventKeys;
use crate::decode::Reject;
use crate::store::CommitBatch;
use crate::store::DataFile;
use crate::store::EventKey;
use crate::store::KnownObjects;
use crate::store::StagedFile;
use crate::store::Store;
use crate::store::TableSnapshot;

use super::balance::ObjectState;
use super::error::IngestError;
use super::expired::ExpiredRecords;
use super::ledger;
use super::ledger::Entry;
use super::rollup;

/// What a batch loses to others.
#[derive(Debug, Default)]
pub(super) struct Overlap {
    /// Objects that are dealt with already.
    pub(super) known: BTreeSet<String>,
    /// Rows whose event is stored already, by object; without those of known objects.
    pub(super) duplicates: BTreeMap<String, u64>,
    /// Rows of days that have expired meanwhile, by object; without these and those.
    pub(super) expired: BTreeMap<String, ExpiredRecords>,
    /// The first day, since 1970-01-01, that has not expired.
    expired_before: Option<i32>,
    /// Staged files whose place others have taken, for the caller to discard when they are not needed any more.
    pub(super) replaced: Vec<StagedFile>,
}

impl Overlap {
    /// Books what was taken out with the entries of the batch.
    pub(super) fn add_to(&self, entries: &mut [Entry<'_>]) {
        for entry in entries {
            let duplicates = self.duplicates.get(&*entry.object.uri);
            entry.duplicates += duplicates.copied().unwrap_or_default();
            if let (Some(before), Some(records)) = (self.expired_before, self.expired.get(&*entry.object.uri)) {
                entry.reject_expired(before, *records);
            }
        }
    }

    /// Number of records of days that have expired meanwhile.
    pub(super) fn expired_records(&self) -> u64 {
        self.expired.values().map(|records| records.count).sum()
    }
}

/// Staged rows that are to be compared with the store's.
struct Staged<'a> {
    store: &'a Store,
    keys: EventKeys,
    /// File and row of every event.
    places: EventKeyMap<(usize, usize)>,
    /// By file: whether a row is to stay.
    keep: Vec<Vec<bool>>,
    /// By partition day: first and last moment.
    days: BTreeMap<Option<i32>, (i64, i64)>,
}

/// Takes out of a batch what the store has: objects that are known, and rows whose event is in `basis`, or may have been
/// there until its day expired.
///
/// Files of `since` are passed over: the batch was compared with them before. On an error the batch is as it was.
pub(super) fn take_out(
    batch: &mut CommitBatch,
    store: &Store,
    basis: &TableSnapshot,
    since: Option<&TableSnapshot>,
    known: &KnownObjects,
) -> Result<Overlap, IngestError> {
    let known = known_of(&batch.objects, known)?;
    let mut staged = Staged::read(store, &batch.events)?;
    let compared: BTreeSet<&str> = since
        .iter()
        .flat_map(|since| &since.files)
        .map(|file| file.path.as_str())
        .collect();
    for file in basis.files.iter().filter(|file| !compared.contains(file.path.as_str())) {
        staged.compare(file)?;
    }
    let mut overlap = Overlap {
        known,
        expired_before: basis.expired_before(),
        ..Overlap::default()
    };
    let mut changed: Vec<(usize, Option<StagedFile>)> = Vec::new();
    for (position, (file, keep)) in batch.events.iter().zip(staged.keep).enumerate() {
        match rewritten(store, file, keep, &mut overlap) {
            Ok(None) => {}
            Ok(Some(rewritten)) => changed.push((position, rewritten)),
            Err(error) => {
                store.discard(changed.into_iter().filter_map(|(_, file)| file).collect());
                return Err(error);
            }
        }
    }
    batch.objects = ledger_rows(&batch.objects, &overlap)?;
    batch.rejects = reject_rows(&batch.rejects, &overlap, &batch.run_id)?;
    let is_changed = !changed.is_empty();
    replace(&mut batch.events, changed, &mut overlap.replaced);
    if is_changed && batch.usage.is_some() {
        batch.usage = rollup::of_staged(store, &batch.events)?;
    }
    Ok(overlap)
}

impl<'a> Staged<'a> {
    fn read(store: &'a Store, files: &[StagedFile]) -> Result<Self, IngestError> {
        let mut staged = Self {
            store,
            keys: EventKeys::default(),
            places: EventKeyMap::default(),
            keep: Vec::new(),
            days: BTreeMap::new(),
        };
        for (position, file) in files.iter().enumerate() {
            let mut keep = Vec::new();
            let (keys, places) = (&staged.keys, &mut staged.places);
            store.staged_keys(file, |key| {
                // Within one batch no event is twice, unless somebody put the batch together.
                let is_first = number(keys, &key).is_none_or(|number| {
                    let place = (position, keep.len());
                    *places.entry(number).or_insert(place) == place
                });
                keep.push(is_first);
            })?;
            staged.keep.push(keep);
            let (first, last) = file.event_times().unwrap_or_default();
            let bounds = staged.days.entry(file.event_date()).or_insert((first, last));
            *bounds = (bounds.0.min(first), bounds.1.max(last));
        }
        Ok(staged)
    }

    /// Marks rows whose event a stored file has.
    fn compare(&mut self, file: &DataFile) -> Result<(), IngestError> {
        // The same event has the same time, so a file of other times cannot hold it.
        let can_overlap = match (self.days.get(&file.event_date), file.stats.event_times()) {
            (None, _) => false,
            (Some((first, last)), Some((file_first, file_last))) => *first <= file_last && *last >= file_first,
            (Some(_), None) => true,
        };
        if !can_overlap {
            return Ok(());
        }
        let (keys, places, keep) = (&self.keys, &self.places, &mut self.keep);
        self.store.event_keys(file, |key| {
            let place = number(keys, &key).and_then(|number| places.get(&number));
            let slot = place.and_then(|(file, row)| keep.get_mut(*file)?.get_mut(*row));
            if let Some(keep) = slot {
                *keep = false;
            }
        })?;
        Ok(())
    }
}

/// `None` for an event without an id, which is never taken for a copy.
fn number(keys: &EventKeys, key: &EventKey<'_>) -> Option<u128> {
    let event_id = key.event_id.filter(|event_id| !event_id.is_empty())?;
    let (account, region) = (key.account.unwrap_or_default(), key.region.unwrap_or_default());
    let category = key.category.unwrap_or_default();
    Some(keys.key((account, region), event_id, key.time, category))
}

/// The file without what is taken out: `None` when that is nothing, `Some(None)` when nothing remains.
#[expect(clippy::option_option, reason = "unchanged, changed and gone are three answers")]
fn rewritten(
    store: &Store,
    file: &StagedFile,
    mut keep: Vec<bool>,
    overlap: &mut Overlap,
) -> Result<Option<Option<StagedFile>>, IngestError> {
    let before = overlap.expired_before;
    let is_expired = file
        .event_date()
        .is_some_and(|day| before.is_some_and(|before| day < before));
    if overlap.known.is_empty() && !is_expired && !keep.contains(&false) {
        return Ok(None);
    }
    let rows = store.staged_rows(file)?;
    let places = object_keys(&rows)?
        .into_iter()
        .zip(integers(&rows, "record_index")?.values());
    for (keep, (object, record_index)) in keep.iter_mut().zip(places) {
        if overlap.known.contains(&object) {
            *keep = false;
        } else if !*keep {
            *overlap.duplicates.entry(object).or_default() += 1;
        } else if is_expired {
            *keep = false;
            let record = ExpiredRecords::one(*record_index);
            let known = overlap.expired.entry(object).and_modify(|known| known.add(record));
            known.or_insert(record);
        }
    }
    if !keep.contains(&false) {
        return Ok(None);
    }
    if !keep.contains(&true) {
        return Ok(Some(None));
    }
    let rest = filter_record_batch(&rows, &BooleanArray::from(keep))?;
    Ok(Some(Some(store.stage_events(file.event_date(), &rest)?)))
}

/// Puts changed files in the places of the old ones.
fn replace(files: &mut Vec<StagedFile>, changed: Vec<(usize, Option<StagedFile>)>, replaced: &mut Vec<StagedFile>) {
    let mut changed = changed.into_iter().peekable();
    let old = std::mem::take(files);
    for (position, file) in old.into_iter().enumerate() {
        match changed.next_if(|(changed, _)| *changed == position) {
            None => files.push(file),
            Some((_, new)) => {
                replaced.push(file);
                files.extend(new);
            }
        }
    }
}

/// URIs of the objects of a batch that the ledger has.
fn known_of(objects: &RecordBatch, known: &KnownObjects) -> Result<BTreeSet<String>, ArrowError> {
    let (keys, etags) = (texts(objects, "object_key")?, texts(objects, "etag")?);
    let sizes = integers(objects, "size")?;
    let rows = keys.into_iter().zip(etags).zip(sizes.values());
    let known =
        rows.filter(|((key, etag), size)| u64::try_from(**size).is_ok_and(|size| known.contains(key, etag, size)));
    Ok(known.map(|((key, _), _)| key).collect())
}

/// The ledger's rows without known objects, and with the duplicates and expired records that were found.
fn ledger_rows(objects: &RecordBatch, overlap: &Overlap) -> Result<RecordBatch, ArrowError> {
    let mut columns = objects.columns().to_vec();
    let keys = texts(objects, "object_key")?;
    let of_object = |key: &String| {
        let duplicates = overlap.duplicates.get(key).copied().unwrap_or_default();
        let expired = overlap.expired.get(key).map_or(0, |records| records.count);
        [duplicates, expired].map(|count| i64::try_from(count).unwrap_or(i64::MAX))
    };
    for (name, [of_duplicates, of_expired]) in [("stored", [-1, -1]), ("duplicates", [1, 0]), ("rejected", [0, 1])] {
        let counts = integers(objects, name)?.values().iter().zip(&keys).map(|(count, key)| {
            let [duplicates, expired] = of_object(key);
            count + of_duplicates * duplicates + of_expired * expired
        });
        let counts: ArrayRef = Arc::new(counts.collect::<Int64Array>());
        if let Some(column) = columns.get_mut(objects.schema_ref().index_of(name)?) {
            *column = counts;
        }
    }
    let states = texts(objects, "state")?.into_iter().zip(&keys);
    let states = states.map(|(state, key)| match overlap.expired.contains_key(key) {
        true if state == ObjectState::Ingested.as_str() => ObjectState::Partial.as_str().to_owned(),
        _ => state,
    });
    let states: ArrayRef = Arc::new(StringArray::from_iter_values(states));
    if let Some(column) = columns.get_mut(objects.schema_ref().index_of("state")?) {
        *column = states;
    }
    without_known(&RecordBatch::try_new(objects.schema(), columns)?, &overlap.known)
}

/// The rejects without those of known objects, and with the expired records that were found.
fn reject_rows(rejects: &RecordBatch, overlap: &Overlap, run_id: &str) -> Result<RecordBatch, ArrowError> {
    let rejects = without_known(rejects, &overlap.known)?;
    let Some(before) = overlap.expired_before.filter(|_| !overlap.expired.is_empty()) else {
        return Ok(rejects);
    };
    let expired = overlap.expired.iter();
    let expired: Vec<(&str, Reject)> = expired
        .map(|(uri, records)| (uri.as_str(), records.reject(before)))
        .collect();
    let expired: Vec<(&str, &Reject)> = expired.iter().map(|(uri, reject)| (*uri, reject)).collect();
    concat_batches(&rejects.schema(), [&rejects, &ledger::reject_rows(&expired, run_id)?])
}

fn without_known(rows: &RecordBatch, known: &BTreeSet<String>) -> Result<RecordBatch, ArrowError> {
    if known.is_empty() {
        return Ok(rows.clone());
    }
    let keep: Vec<bool> = texts(rows, "object_key")?
        .iter()
        .map(|key| !known.contains(key))
        .collect();
    filter_record_batch(rows, &BooleanArray::from(keep))
}

fn object_keys(rows: &RecordBatch) -> Result<Vec<String>, ArrowError> {
    texts(rows, "object_key")
}

/// Values of a column of texts, whatever its encoding; nulls are empty.
pub(super) fn texts(rows: &RecordBatch, name: &str) -> Result<Vec<String>, ArrowError> {
    let column = rows.column(rows.schema_ref().index_of(name)?);
    let plain = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8)?;
    let texts = plain.as_string::<i32>().iter();
    Ok(texts.map(|text| text.unwrap_or_default().to_owned()).collect())
}

/// Values of a column of integers.
pub(super) fn integers<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a Int64Array, ArrowError> {
    let column = rows.column(rows.schema_ref().index_of(name)?);
    let wrong = || ArrowError::SchemaError(format!("`{name}` is no column of integers"));
    column.as_primitive_opt::<Int64Type>().ok_or_else(wrong)
}
