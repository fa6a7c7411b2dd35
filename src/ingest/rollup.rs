//! The rollup of events: the rows that a batch adds to the table `usage`.
//!
//! Events are summed where their columns are at hand. Sums of parts, joined in any order, are the sum of the whole; so every
//! commit brings its own, and whoever reads them adds them up.

mod columns;
mod day;
mod events;
mod rebuild;
mod smallest;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanArray;
use arrow::array::Date32Array;
use arrow::array::Int32Array;
use arrow::array::Int64Array;
use arrow::array::ListArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::buffer::NullBuffer;
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::error::ArrowError;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

pub use rebuild::Rebuild;
pub use rebuild::RebuildBalance;
pub(super) use rebuild::of_staged;

use crate::decode::Interner;
use crate::iam::Facts;
use crate::schema;
use columns::ABSENT;
use events::GROUP_TEXTS;
use smallest::Smallest;

/// Memory of a row with lists of few texts, roughly: key and sums, the lists' own blocks, and free places of the table.
const ROW_BYTES: usize = 2 * (size_of::<Key>() + size_of::<Tally>());

/// Sums of events. Texts are kept once and meant by their numbers: an estate has many rows of few texts.
#[derive(Debug, Default)]
pub(super) struct Rollup {
    texts: Interner,
    needs: Needs,
    rows: HashMap<Key, Tally>,
    /// Length of the texts of all lists together.
    list_bytes: usize,
}

/// What the events of a row have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    event_date: Option<i32>,
    /// The texts of the group, in the order of the columns of `usage`.
    group: [i32; GROUP_TEXTS],
    need: usize,
}

/// Distinct needs, numbered from 0.
#[derive(Debug, Default)]
struct Needs {
    numbers: HashMap<Need, usize>,
    needs: Vec<Need>,
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
#[derive(Debug, Clone, Default)]
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
        day::sum(Facts::embedded(), event_date, batch, self)
    }

    /// Adds the sums of other events.
    pub(super) fn merge(&mut self, mut other: Self) {
        if other.rows.len() > self.rows.len() {
            std::mem::swap(self, &mut other);
        }
        let Self { texts, needs, rows, .. } = other;
        let needs: Vec<usize> = needs.needs.into_iter().map(|need| self.needs.number(need)).collect();
        // The numbers here of the other's texts, as far as they were asked for.
        let mut numbers = vec![ABSENT; texts.len()];
        let mut renumber = |own: &mut Interner, number: i32| {
            let slot = usize::try_from(number).ok().and_then(|number| numbers.get_mut(number));
            let Some(slot) = slot else { return ABSENT };
            if *slot == ABSENT {
                (*slot, _) = own.intern(texts.get(number));
            }
            *slot
        };
        rows.into_iter().for_each(|(key, tally)| {
            let key = Key {
                event_date: key.event_date,
                group: key.group.map(|number| renumber(&mut self.texts, number)),
                need: needs.get(key.need).copied().unwrap_or_default(),
            };
            let mut list = |list: Smallest| list.renumbered(|number| renumber(&mut self.texts, number));
            let tally = Tally {
                resources: list(tally.resources),
                session_names: list(tally.session_names),
                addresses: list(tally.addresses),
                ..tally
            };
            self.add_row(key, tally);
        });
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Memory that it takes, roughly, and its columns after it.
    pub(super) fn bytes(&self) -> usize {
        self.texts.bytes() + self.rows.len() * ROW_BYTES + self.list_bytes
    }

    /// The rows, with the columns of [`schema::usage`], by day and then in the order of the texts.
    pub(super) fn batch(&self) -> Result<RecordBatch, ArrowError> {
        let rows = self.sorted_rows();
        let values = self.texts.values()?;
        let keys = || rows.iter().map(|(key, _)| *key);
        let tallies = || rows.iter().map(|(_, tally)| *tally);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(keys().map(|key| key.event_date).collect::<Date32Array>())];
        for position in 0..GROUP_TEXTS {
            let numbers = keys().map(|key| key.group.get(position).copied().filter(|number| *number != ABSENT));
            columns.push(take(&values, &numbers.collect::<Int32Array>(), None)?);
        }
        columns.extend(self.need_columns(&rows));
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
            columns.push(texts_of(&values, tallies().map(list))?);
            let has_more = tallies().map(|tally| Some(list(tally).has_more));
            columns.push(Arc::new(has_more.collect::<BooleanArray>()));
        }
        let version = Facts::embedded().version();
        columns.push(texts(keys().map(|_| Some(version.as_str()))));
        RecordBatch::try_new(schema::usage(), columns)
    }

    fn add_row(&mut self, key: Key, tally: Tally) {
        match self.rows.entry(key) {
            Entry::Occupied(known) => {
                let known = known.into_mut();
                self.list_bytes = self.list_bytes.saturating_sub(known.list_bytes());
                known.merge(tally, &self.texts);
                self.list_bytes += known.list_bytes();
            }
            Entry::Vacant(place) => self.list_bytes += place.insert(tally).list_bytes(),
        }
    }

    fn sorted_rows(&self) -> Vec<(&Key, &Tally)> {
        let (texts, needs) = (self.texts.ranks(), self.needs.ranks());
        let rank = |number: i32| usize::try_from(number).ok().and_then(|number| texts.get(number));
        let mut rows: Vec<(&Key, &Tally)> = self.rows.iter().collect();
        rows.sort_by_cached_key(|(key, _)| {
            let group = key.group.map(|number| rank(number).copied().unwrap_or_default());
            (key.event_date, group, needs.get(key.need).copied())
        });
        rows
    }

    fn need_columns(&self, rows: &[(&Key, &Tally)]) -> [ArrayRef; 10] {
        let needs = || rows.iter().map(|(key, _)| self.needs.get(key.need));
        [
            texts(needs().map(|need| Some(need?.outcome))),
            texts(needs().map(|need| need?.action.as_deref())),
            texts(needs().map(|need| need?.class)),
            Arc::new(needs().map(|need| need?.is_proven).collect::<BooleanArray>()),
            texts(needs().map(|need| need?.proof.as_deref())),
            texts(needs().map(|need| need?.access_level)),
            texts(needs().map(|need| Some(need?.verdict))),
            texts(needs().map(|need| need?.reason)),
            texts(needs().map(|need| Some(need?.confidence))),
            texts(needs().map(|need| Some(need?.provenance))),
        ]
    }
}

impl Needs {
    fn number(&mut self, need: Need) -> usize {
        match self.numbers.entry(need) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                self.needs.push(place.key().clone());
                *place.insert(self.needs.len() - 1)
            }
        }
    }

    fn get(&self, number: usize) -> Option<&Need> {
        self.needs.get(number)
    }

    /// Position of every need in their order.
    fn ranks(&self) -> Vec<usize> {
        let mut sorted: Vec<(&Need, usize)> = self.needs.iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut ranks: Vec<(usize, usize)> = sorted.into_iter().map(|(_, number)| number).zip(0..).collect();
        ranks.sort_unstable();
        ranks.into_iter().map(|(_, rank)| rank).collect()
    }
}

impl Tally {
    fn merge(&mut self, other: Self, texts: &Interner) {
        self.calls += other.calls;
        self.events += other.events;
        self.unnamed += other.unnamed;
        self.times = match (self.times, other.times) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (own, others) => own.or(others),
        };
        self.resources.merge(other.resources, texts);
        self.session_names.merge(other.session_names, texts);
        self.addresses.merge(other.addresses, texts);
    }

    fn list_bytes(&self) -> usize {
        self.resources.bytes() + self.session_names.bytes() + self.addresses.bytes()
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
fn texts_of<'a>(values: &StringArray, sets: impl Iterator<Item = &'a Smallest>) -> Result<ArrayRef, ArrowError> {
    let sets: Vec<&[i32]> = sets.map(Smallest::numbers).collect();
    let numbers: Int32Array = sets.iter().flat_map(|set| set.iter().copied()).collect();
    let element = Arc::new(Field::new("element", DataType::Utf8, true));
    let ends = OffsetBuffer::from_lengths(sets.iter().map(|set| set.len()));
    let has_some: NullBuffer = sets.iter().map(|set| !set.is_empty()).collect();
    let texts = take(values, &numbers, None)?;
    Ok(Arc::new(ListArray::try_new(element, ends, texts, Some(has_some))?))
}
