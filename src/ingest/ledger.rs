//! Rows of `objects` and `rejects`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::BinaryArray;
use arrow::array::Date32Array;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use jiff::civil::Date;
use jiff::civil::date;

use crate::decode::ObjectKind;
use crate::decode::Outcome;
use crate::decode::Reject;
use crate::schema;
use crate::source::Fault;
use crate::source::FaultKind;
use crate::source::ObjectRef;
use crate::store::DeliveryDays;
use crate::store::LimitsReached;

use super::balance::Balance;
use super::balance::ObjectState;
use super::balance::Problem;
use super::expired;
use super::expired::ExpiredRecords;
use super::options::Options;
use super::options::memory_to_fetch;

const EPOCH: Date = date(1970, 1, 1);
/// Most bytes of rejected records in one batch: a column of them holds less than 2 GiB.
const MOST_RAW_BYTES: usize = 1 << 30;

/// Why an object is not tried again though limits left something of it out.
const CANNOT_BE_TOLD: &str = "events without `eventID` could not be told from their copies, so that it is not read again: ingest \
    it into a new store with larger limits";

/// What became of one object in a batch.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// The object as it was read, which may be a newer version than the one listed.
    pub(super) object: Cow<'a, ObjectRef>,
    pub(super) outcome: Outcome,
    pub(super) state: ObjectState,
    /// What is wrong with the object as a whole, and which limits a run must have that gets more of it.
    error: Option<String>,
    /// Bytes that were had of it, as stored.
    read_bytes: u64,
    /// Rows of the outcome that the store, or this run, had already.
    pub(super) duplicates: u64,
    /// User metadata, as far as it is kept.
    pub(super) metadata: Option<String>,
    /// First day of delivery from which on every object of the same account, kind and region is dealt with.
    pub(super) listed_from: Option<Date>,
}

impl<'a> Entry<'a> {
    /// Whether another version was read than the one listed.
    pub(super) fn is_of_other_version(&self) -> bool {
        matches!(self.object, Cow::Owned(_))
    }

    /// Books a decoded object.
    pub(super) fn decoded(object: Cow<'a, ObjectRef>, outcome: Outcome) -> Self {
        if outcome.is_unread && outcome.rows == 0 {
            return Self::unreadable(object, &Fault::of_file(&outcome.fault.unwrap_or_default()));
        }
        let reached = LimitsReached {
            inflated_bytes: outcome.inflates_beyond,
            record_bytes: outcome.records_beyond,
            memory_bytes: None,
        };
        let state = match outcome.kind {
            // The next run gives the rest, and finds what is stored already; but of rows without an id it could not.
            _ if outcome.is_unread && outcome.without_id == 0 => ObjectState::Unreadable,
            ObjectKind::Digest | ObjectKind::Aggregated if outcome.fault.is_none() => ObjectState::NotEvents,
            _ if outcome.rows > 0 && (outcome.fault.is_some() || !outcome.rejects.is_empty()) => ObjectState::Partial,
            ObjectKind::Unknown if outcome.rejects.is_empty() && outcome.sha256.is_some() => ObjectState::Unknown,
            _ if outcome.rows == 0 && !reached.is_none() => ObjectState::Limited,
            _ if outcome.rows == 0 && (outcome.fault.is_some() || !outcome.rejects.is_empty()) => ObjectState::Corrupt,
            _ => ObjectState::Ingested,
        };
        let error = match outcome.without_id {
            1.. if !reached.is_none() => joined(outcome.fault.clone(), Some(CANNOT_BE_TOLD.to_owned())),
            _ => reached.noted(outcome.fault.clone()),
        };
        Self {
            listed_from: object.listed_from,
            read_bytes: object.size,
            object,
            error,
            outcome,
            state,
            duplicates: 0,
            metadata: None,
        }
    }

    /// Books an object whose bytes could not be had.
    pub(super) fn unreadable(object: Cow<'a, ObjectRef>, fault: &Fault) -> Self {
        let (state, memory_bytes) = match fault.kind {
            FaultKind::Vanished => (ObjectState::Vanished, None),
            FaultKind::TooLarge => (ObjectState::Limited, memory_to_fetch(object.size)),
            _ => (ObjectState::Unreadable, None),
        };
        let reached = LimitsReached {
            memory_bytes,
            ..LimitsReached::default()
        };
        Self {
            listed_from: object.listed_from,
            read_bytes: 0,
            object,
            outcome: Outcome::default(),
            state,
            error: reached.noted(Some(fault.to_string())),
            duplicates: 0,
            metadata: None,
        }
    }

    /// Keeps the user metadata of a digest: its signature.
    pub(super) fn with_metadata(mut self, metadata: &BTreeMap<String, String>) -> Self {
        if self.outcome.kind == ObjectKind::Digest && !metadata.is_empty() {
            self.metadata = serde_json::to_string(metadata).ok();
        }
        self
    }

    /// Books records whose day has expired, days since 1970-01-01 before another one: their events may have been in the store.
    pub(super) fn reject_expired(&mut self, before: i32, records: ExpiredRecords) {
        let outcome = &mut self.outcome;
        outcome.rows = outcome.rows.saturating_sub(records.count);
        outcome.rejected += records.count;
        outcome.rejects.push(records.reject(before));
        if !self.state.is_rejected() {
            self.state = ObjectState::Partial;
        }
    }

    fn stored(&self) -> u64 {
        self.outcome.rows.saturating_sub(self.duplicates)
    }

    /// Adds the object to the account of the run.
    pub(super) fn book(&self, balance: &mut Balance) {
        let outcome = &self.outcome;
        balance.bytes += self.read_bytes;
        balance.inflated_bytes += outcome.inflated_bytes;
        balance.records += outcome.records;
        balance.stored += self.stored();
        balance.duplicates += self.duplicates;
        balance.rejected_records += outcome.rejected;
        balance.without_time += outcome.without_time;
        let state = ObjectState::ALL.iter().position(|state| *state == self.state);
        if let Some(count) = balance.by_state.get_mut(state.unwrap_or_default()) {
            *count += 1;
        }
        if self.state.is_rejected() {
            balance.rejected += 1;
            balance.foreign += u64::from(self.is_foreign());
        } else {
            balance.partial += u64::from(self.state == ObjectState::Partial);
            let booked = match outcome.kind {
                ObjectKind::Excerpt => ObjectKind::Events,
                kind => kind,
            };
            let kind = Balance::KINDS
                .iter()
                .position(|kind| *kind == booked)
                .unwrap_or_default();
            if let Some(count) = balance.ingested_by_kind.get_mut(kind) {
                *count += 1;
            }
        }
        if let Some(reason) = self.reason().filter(|_| !self.is_foreign()) {
            let (uri, state) = (&*self.object.uri, self.state.as_str());
            tracing::warn!(uri, state, reason, "object is not read whole");
            balance.add_problem(Problem {
                object_key: self.object.uri.to_string(),
                state: self.state,
                reason,
            });
        }
    }

    /// Whether the object merely lies beside the logs.
    fn is_foreign(&self) -> bool {
        self.state == ObjectState::Unknown && self.object.key.is_none() && !self.object.is_named
    }

    fn reason(&self) -> Option<String> {
        let rejects = &self.outcome.rejects;
        let first = rejects.first().map(|reject| {
            let told = expired::count_of(&reject.reason);
            let others = match self.outcome.rejected.saturating_sub(told.unwrap_or(1)) {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            match told {
                Some(_) => format!("{}{others}", reject.reason),
                None => format!("record {}{others}: {}", reject.record_index, reject.reason),
            }
        });
        joined(self.error.clone(), first)
    }
}

/// Rows of `objects` of one run, in the order of the entries.
pub(super) fn objects(entries: &[Entry<'_>], options: &Options) -> Result<RecordBatch, ArrowError> {
    let (run_id, ingested_at) = (options.run_id.as_str(), options.now);
    let selected_regions = selected_regions(&options.selection.regions);
    let count = |value: &dyn Fn(&Entry<'_>) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            entries
                .iter()
                .map(|entry| i64::try_from(value(entry)).unwrap_or(i64::MAX)),
        ))
    };
    let moment = |value: &dyn Fn(&Entry<'_>) -> Option<i64>| -> ArrayRef {
        Arc::new(
            entries
                .iter()
                .map(value)
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        )
    };
    let delivery_dates: Date32Array = entries.iter().map(|entry| delivery_day(&entry.object)).collect();
    let listed_from: Date32Array = entries.iter().map(|entry| entry.listed_from.and_then(days)).collect();
    let columns = vec![
        text(entries, |entry| Some(&entry.object.uri)),
        text(entries, |entry| Some(&entry.object.etag)),
        count(&|entry| entry.object.size),
        moment(&|entry| entry.object.last_modified),
        text(entries, |entry| Some(entry.outcome.kind.as_str())),
        text(entries, |entry| Some(entry.state.as_str())),
        Arc::new(delivery_dates),
        moment(&|_| Some(ingested_at)),
        text(entries, |entry| entry.object.key.as_ref().map(|key| &*key.account_id)),
        text(entries, |entry| entry.object.key.as_ref().map(|key| &*key.region)),
        count(&|entry| entry.outcome.records),
        count(&|entry| entry.stored()),
        count(&|entry| entry.duplicates),
        count(&|entry| entry.outcome.rejected),
        count(&|entry| entry.outcome.inflated_bytes),
        text(entries, |entry| entry.outcome.sha256.as_deref()),
        moment(&|entry| entry.outcome.event_times.map(|(first, _)| first)),
        moment(&|entry| entry.outcome.event_times.map(|(_, last)| last)),
        text(entries, |entry| entry.error.as_deref()),
        Arc::new(StringArray::from_iter_values(entries.iter().map(|_| run_id))),
        text(entries, |entry| entry.metadata.as_deref()),
        Arc::new(listed_from),
        text(entries, |_| selected_regions.as_deref()),
        text(entries, |entry| entry.outcome.digest_text.as_deref()),
        text(entries, |entry| entry.object.endpoint()),
    ];
    RecordBatch::try_new(schema::objects(), columns)
}

/// Both of two reasons, or the one that there is.
fn joined(reason: Option<String>, other: Option<String>) -> Option<String> {
    match (reason, other) {
        (Some(reason), Some(other)) => Some(format!("{reason}; {other}")),
        (reason, other) => reason.or(other),
    }
}

/// The regions that a run was told to read, each once and in order.
fn selected_regions(regions: &[String]) -> Option<String> {
    let regions: BTreeSet<&str> = regions.iter().map(String::as_str).collect();
    (!regions.is_empty()).then(|| regions.into_iter().collect::<Vec<_>>().join(","))
}

/// Rows of `rejects`, in the order of the entries and of the records in them.
pub(super) fn rejects(entries: &[Entry<'_>], run_id: &str) -> Result<RecordBatch, ArrowError> {
    let rejects = entries.iter().flat_map(|entry| {
        let uri = &*entry.object.uri;
        entry.outcome.rejects.iter().map(move |reject| (uri, reject))
    });
    reject_rows(&rejects.collect::<Vec<_>>(), run_id)
}

/// Rows of `rejects`, by the URI of their object.
pub(super) fn reject_rows(rejects: &[(&str, &Reject)], run_id: &str) -> Result<RecordBatch, ArrowError> {
    let integer = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let integers = |value: &dyn Fn(&Reject) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            rejects.iter().map(|(_, reject)| value(reject)),
        ))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rejects.iter().map(|(uri, _)| uri))),
        integers(&|reject| reject.record_index),
        integers(&|reject| integer(reject.byte_offset)),
        integers(&|reject| integer(reject.byte_length)),
        Arc::new(StringArray::from_iter_values(
            rejects.iter().map(|(_, reject)| &reject.reason),
        )),
        Arc::new(BinaryArray::from_iter_values(within(
            MOST_RAW_BYTES,
            rejects.iter().map(|(_, reject)| reject.raw.as_slice()),
        ))),
        Arc::new(StringArray::from_iter_values(rejects.iter().map(|_| run_id))),
    ];
    RecordBatch::try_new(schema::rejects(), columns)
}

/// Bytes of records, as long as there is room for them; none of those behind.
fn within<'r>(mut room: usize, raws: impl Iterator<Item = &'r [u8]>) -> impl Iterator<Item = &'r [u8]> {
    raws.map(move |raw| match room.checked_sub(raw.len()) {
        Some(rest) => {
            room = rest;
            raw
        }
        None => {
            room = 0;
            &[]
        }
    })
}

fn text<'e, 't>(entries: &'e [Entry<'_>], value: impl Fn(&'e Entry<'_>) -> Option<&'t str>) -> ArrayRef
where
    'e: 't,
{
    Arc::new(entries.iter().map(value).collect::<StringArray>())
}

/// Days on which objects were delivered, as the ledger has them.
pub fn delivery_days(objects: &[ObjectRef]) -> DeliveryDays {
    objects.iter().map(delivery_day).collect()
}

/// The same of rows of the ledger.
pub(super) fn days_of_rows(objects: &RecordBatch) -> DeliveryDays {
    let column = objects.column_by_name("delivery_date");
    match column.and_then(|column| column.as_primitive_opt::<Date32Type>()) {
        Some(days) => days.iter().collect(),
        None => DeliveryDays::ALL,
    }
}

fn delivery_day(object: &ObjectRef) -> Option<i32> {
    object.key.as_ref().and_then(|key| days(key.day))
}

fn days(day: Date) -> Option<i32> {
    day.since(EPOCH).ok().map(|span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn object() -> ObjectRef {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "x").unwrap();
        let listing = source::list(&[folder.path().display().to_string()]).unwrap();
        listing.objects.into_iter().next().unwrap()
    }

    #[test]
    fn object_whose_bytes_stop_coming_is_read_again_unless_its_rows_cannot_be_told_from_copies() {
        let state = |rows: u64, without_id: u64| {
            let outcome = Outcome {
                records: rows,
                rows,
                without_id,
                is_unread: true,
                fault: Some("cannot be read to its end: input/output error".to_owned()),
                ..Outcome::default()
            };
            let entry = Entry::decoded(Cow::Owned(object()), outcome);
            (entry.state, entry.stored())
        };
        assert_eq!(state(0, 0), (ObjectState::Unreadable, 0));
        assert_eq!(state(3, 0), (ObjectState::Unreadable, 3));
        assert_eq!(state(3, 1), (ObjectState::Partial, 3));
    }

    #[test]
    fn object_that_limits_left_something_out_of_says_which_unless_its_rows_cannot_be_told_from_copies() {
        let entry = |rows: u64, without_id: u64| {
            let outcome = Outcome {
                rows,
                without_id,
                inflates_beyond: Some(100),
                fault: Some("object inflates to more than 100 bytes".to_owned()),
                ..Outcome::default()
            };
            let entry = Entry::decoded(Cow::Owned(object()), outcome);
            let reached = LimitsReached::in_reason(entry.error.as_deref().unwrap());
            (entry.state, reached.and_then(|reached| reached.inflated_bytes))
        };
        assert_eq!(entry(0, 0), (ObjectState::Limited, Some(100)));
        assert_eq!(entry(3, 0), (ObjectState::Partial, Some(100)));
        assert_eq!(entry(3, 1), (ObjectState::Partial, None));
    }

    #[test]
    fn reason_that_ends_as_others_wrote_it_has_no_limits() {
        let outcome = Outcome {
            rows: 3,
            without_id: 3,
            is_unread: true,
            fault: Some("run again with `--max-record-bytes` above 1 if it is genuine".to_owned()),
            ..Outcome::default()
        };
        let entry = Entry::decoded(Cow::Owned(object()), outcome);
        let reached = LimitsReached::in_reason(entry.error.as_deref().unwrap());
        assert_eq!((entry.state, reached), (ObjectState::Partial, None));
    }

    #[test]
    fn no_bytes_are_counted_of_an_object_that_is_not_fetched() {
        let fault = Fault::of_file(&"permission denied");
        let mut balance = Balance::default();
        Entry::unreadable(Cow::Owned(object()), &fault).book(&mut balance);
        assert_eq!((balance.bytes, balance.rejected), (0, 1));
        Entry::decoded(Cow::Owned(object()), Outcome::default()).book(&mut balance);
        assert_eq!(balance.bytes, 1);
    }

    #[test]
    fn bytes_of_rejects_end_where_a_column_is_full() {
        let raws: [&[u8]; 4] = [b"aaa", b"bb", b"cccc", b"d"];
        let kept: Vec<&[u8]> = within(5, raws.into_iter()).collect();
        assert_eq!(kept, [&b"aaa"[..], b"bb", b"", b""]);
    }
}
