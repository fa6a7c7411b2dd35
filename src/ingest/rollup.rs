//! The rollup of events: the rows that a batch adds to the table `usage`.
//!
//! Events are summed where their columns are at hand. Sums of parts, joined in any order, are the sum of the whole; so every
//! commit brings its own, and whoever reads them adds them up.

mod columns;
mod day;
mod events;
mod rebuild;
mod smallest;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanArray;
use arrow::array::Date32Array;
use arrow::array::Int64Array;
use arrow::array::ListBuilder;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::StringBuilder;
use arrow::array::TimestampMicrosecondArray;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::error::ArrowError;

pub use rebuild::Rebuild;
pub use rebuild::RebuildBalance;
pub(super) use rebuild::of_staged;

use crate::iam::Facts;
use crate::schema;
use smallest::Smallest;

/// Sums of events.
#[derive(Debug, Default)]
pub(super) struct Rollup {
    rows: BTreeMap<Key, Tally>,
}

/// What the events of a row have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    event_date: Option<i32>,
    /// The texts of the group, in the order of the columns of `usage`.
    texts: Arc<[Option<String>]>,
    need: Need,
}

/// An action that calls needed, or none, and how the calls ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Need {
    outcome: &'static str,
    action: Option<String>,
    class: Option<&'static str>,
    is_proven: Option<bool>,
    proof: Option<String>,
    access_level: Option<&'static str>,
    verdict: &'static str,
    reason: Option<&'static str>,
    confidence: &'static str,
    provenance: &'static str,
}

/// What is summed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tally {
    calls: i64,
    events: i64,
    unnamed: i64,
    /// First and last.
    times: Option<(i64, i64)>,
    resources: Smallest,
    session_names: Smallest,
    addresses: Smallest,
}

impl Rollup {
    /// Adds events of one day, which have the columns of [`schema::events_file`] or of `events`.
    pub(super) fn add(&mut self, event_date: Option<i32>, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.merge(Self {
            rows: day::sum(Facts::embedded(), event_date, batch)?,
        });
        Ok(())
    }

    /// Adds the sums of other events.
    pub(super) fn merge(&mut self, mut other: Self) {
        if other.rows.len() > self.rows.len() {
            std::mem::swap(self, &mut other);
        }
        for (key, tally) in other.rows {
            add(&mut self.rows, key, tally);
        }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows, with the columns of [`schema::usage`].
    pub(super) fn batch(&self) -> Result<RecordBatch, ArrowError> {
        let keys = || self.rows.keys();
        let tallies = || self.rows.values();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(keys().map(|key| key.event_date).collect::<Date32Array>())];
        for position in 0..events::GROUP_TEXTS {
            let texts = keys().map(|key| key.texts.get(position).and_then(Option::as_deref));
            columns.push(Arc::new(texts.collect::<StringArray>()));
        }
        columns.extend(self.need_columns());
        columns.extend([
            numbers(tallies().map(|tally| tally.calls)),
            numbers(tallies().map(|tally| tally.events)),
            numbers(tallies().map(|tally| tally.unnamed)),
            times(tallies().map(|tally| tally.times.map(|(first, _)| first))),
            times(tallies().map(|tally| tally.times.map(|(_, last)| last))),
        ]);
        let lists: [fn(&Tally) -> &Smallest; 3] = [
            |tally| &tally.resources,
            |tally| &tally.session_names,
            |tally| &tally.addresses,
        ];
        for list in lists {
            columns.push(texts_of(tallies().map(list)));
            let has_more = tallies().map(|tally| Some(list(tally).has_more));
            columns.push(Arc::new(has_more.collect::<BooleanArray>()));
        }
        let version = Facts::embedded().version();
        columns.push(texts(keys().map(|_| Some(version.as_str()))));
        RecordBatch::try_new(schema::usage(), columns)
    }

    fn need_columns(&self) -> [ArrayRef; 10] {
        let needs = || self.rows.keys().map(|key| &key.need);
        [
            texts(needs().map(|need| Some(need.outcome))),
            texts(needs().map(|need| need.action.as_deref())),
            texts(needs().map(|need| need.class)),
            Arc::new(needs().map(|need| need.is_proven).collect::<BooleanArray>()),
            texts(needs().map(|need| need.proof.as_deref())),
            texts(needs().map(|need| need.access_level)),
            texts(needs().map(|need| Some(need.verdict))),
            texts(needs().map(|need| need.reason)),
            texts(needs().map(|need| Some(need.confidence))),
            texts(needs().map(|need| Some(need.provenance))),
        ]
    }
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        self.events += other.events;
        self.unnamed += other.unnamed;
        self.times = match (self.times, other.times) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (own, others) => own.or(others),
        };
        self.resources.merge(other.resources);
        self.session_names.merge(other.session_names);
        self.addresses.merge(other.addresses);
    }
}

/// Adds sums to those of the same key.
fn add(rows: &mut BTreeMap<Key, Tally>, key: Key, tally: Tally) {
    match rows.entry(key) {
        Entry::Occupied(known) => known.into_mut().merge(tally),
        Entry::Vacant(place) => {
            place.insert(tally);
        }
    }
}

fn texts<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(texts.collect::<StringArray>())
}

fn numbers(numbers: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(numbers))
}

fn times(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Null where there is none.
fn texts_of<'a>(sets: impl Iterator<Item = &'a Smallest>) -> ArrayRef {
    let element = Arc::new(Field::new("element", DataType::Utf8, true));
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(element);
    for set in sets {
        set.texts().for_each(|text| builder.values().append_value(text));
        builder.append(!set.is_empty());
    }
    Arc::new(builder.finish())
}
