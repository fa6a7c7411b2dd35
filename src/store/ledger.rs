//! Reading the ledger: which objects need not be read again, and which events a data file holds.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::PoisonError;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::datatypes::Date32Type;
use arrow::datatypes::Int64Type;
use arrow::datatypes::TimestampMicrosecondType;
use hashbrown::HashSet;

use super::DataFile;
use super::DeliveryDays;
use super::LimitsReached;
use super::RunLimits;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::parquet_file::rows_error;
use crate::schema::Table;

/// State of an object that could not be read: every run tries again.
pub const RETRIED_STATE: &str = "unreadable";
/// State of an object that was listed and was gone when it was to be read. It is read if it is ever listed again.
pub const VANISHED_STATE: &str = "vanished";

/// Known objects that are kept between two looks at the ledger of a store in a bucket: 64 MiB of them.
const KEPT_OBJECTS: usize = 4 << 20;

const OBJECT_COLUMNS: [&str; 5] = ["object_key", "etag", "size", "state", "error"];
const LEDGER_COLUMNS: [&str; 9] = [
    "object_key",
    "etag",
    "size",
    "last_modified",
    "state",
    "ingested_at",
    "error",
    "listed_from",
    "endpoint",
];
/// In file order.
const EVENT_KEY_COLUMNS: [&str; 5] = [
    "event_time",
    "recipient_account_id",
    "aws_region",
    "event_category",
    "event_id",
];

/// The objects that need not be read again.
///
/// Holds 16 bytes per object: two hashes with keys drawn at random, so that nobody can prepare an object key that passes
/// for another.
#[derive(Debug, Default, Clone)]
pub struct KnownObjects {
    hashers: (RandomState, RandomState),
    identities: HashSet<(u64, u64)>,
    /// Objects that are tried again by every run until they can be read.
    retried: HashSet<(u64, u64)>,
    /// Objects that limits of a run left something out of, until it is known which limits the next run has.
    limited: Vec<((u64, u64), LimitsReached)>,
}

/// What files of the ledger said that were fetched from a bucket: a run looks at the ledger again and again.
#[derive(Debug, Default)]
pub(super) struct FetchedLedger {
    files: HashSet<String>,
    known: KnownObjects,
}

/// One row of the ledger, as far as it tells what to list and what to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerRow<'a> {
    /// `object_key`.
    pub object_key: &'a str,
    /// `etag`.
    pub etag: &'a str,
    /// `size`.
    pub size: u64,
    /// `state`.
    pub state: &'a str,
    /// `last_modified`, microseconds since 1970-01-01T00:00:00Z.
    pub last_modified: Option<i64>,
    /// `ingested_at`, microseconds since 1970-01-01T00:00:00Z.
    pub ingested_at: i64,
    /// `listed_from`, days since 1970-01-01.
    pub listed_from: Option<i32>,
    /// `endpoint`.
    pub endpoint: Option<&'a str>,
    /// `error`.
    pub error: Option<&'a str>,
}

impl LedgerRow<'_> {
    /// Whether a run with these limits tries the object again.
    pub fn is_retried(&self, limits: &RunLimits) -> bool {
        match self.state {
            VANISHED_STATE => false,
            RETRIED_STATE => true,
            _ => limits_in(self.error).is_some_and(|reached| reached.are_below(limits)),
        }
    }
}

/// What tells events apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKey<'a> {
    /// `recipient_account_id`.
    pub account: Option<&'a str>,
    /// `aws_region`.
    pub region: Option<&'a str>,
    /// `event_id`.
    pub event_id: Option<&'a str>,
    /// `event_time`, microseconds since 1970-01-01T00:00:00Z.
    pub time: Option<i64>,
    /// `event_category`.
    pub category: Option<&'a str>,
}

impl KnownObjects {
    /// Whether an object with this URI, etag and size has reached a final state.
    pub fn contains(&self, object_key: &str, etag: &str, size: u64) -> bool {
        i64::try_from(size).is_ok_and(|size| self.identities.contains(&self.identity(object_key, etag, size)))
    }

    /// Whether a run has dealt with an object for good, or the ledger sees to it that it is tried again.
    pub fn is_dealt_with(&self, object_key: &str, etag: &str, size: u64) -> bool {
        i64::try_from(size).is_ok_and(|size| {
            let identity = self.identity(object_key, etag, size);
            self.identities.contains(&identity) || self.retried.contains(&identity)
        })
    }

    /// Adds an object, for runs that commit more than once.
    pub fn insert(&mut self, object_key: &str, etag: &str, size: u64) {
        if let Ok(size) = i64::try_from(size) {
            self.identities.insert(self.identity(object_key, etag, size));
        }
    }

    /// Number of objects.
    pub fn len(&self) -> usize {
        self.identities.len()
    }

    /// Whether no object is known.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Tells the objects apart that a run with these limits tries again.
    fn for_run(mut self, limits: &RunLimits) -> Self {
        for (identity, reached) in std::mem::take(&mut self.limited) {
            match reached.are_below(limits) {
                true => self.retried.insert(identity),
                false => self.identities.insert(identity),
            };
        }
        self
    }

    fn identity(&self, object_key: &str, etag: &str, size: i64) -> (u64, u64) {
        let identity = (object_key, etag, size);
        (self.hashers.0.hash_one(identity), self.hashers.1.hash_one(identity))
    }
}

impl Store {
    /// Reads the entries of the ledger that are final for a run with these limits, at least those of some days; blocks on
    /// file reads.
    ///
    /// # Errors
    ///
    /// A ledger file cannot be read.
    pub fn known_objects(
        &self,
        objects: &TableSnapshot,
        days: DeliveryDays,
        limits: &RunLimits,
    ) -> Result<KnownObjects, StoreError> {
        let of_days = |files: &[Arc<DataFile>]| -> Vec<Arc<DataFile>> {
            files.iter().filter(|file| days.may_be_in(file)).cloned().collect()
        };
        if self.storage().remote().is_none() {
            let mut known = KnownObjects::default();
            self.add_known(&of_days(&objects.files), &mut known)?;
            return Ok(known.for_run(limits));
        }
        let mut fetched = self.fetched_ledger().lock().unwrap_or_else(PoisonError::into_inner);
        let (old, new): (Vec<_>, Vec<_>) = objects
            .files
            .iter()
            .cloned()
            .partition(|file| fetched.files.contains(&file.path));
        // What was fetched must be part of this version; an older one has less.
        let mut ledger = match old.len() == fetched.files.len() {
            true => std::mem::take(&mut *fetched),
            false => FetchedLedger::default(),
        };
        let missing = of_days(if ledger.files.is_empty() { &objects.files } else { &new });
        self.add_known(&missing, &mut ledger.known)?;
        if ledger.known.len() > KEPT_OBJECTS {
            return Ok(ledger.known.for_run(limits));
        }
        ledger.files.extend(missing.iter().map(|file| file.path.clone()));
        let known = ledger.known.clone();
        *fetched = ledger;
        Ok(known.for_run(limits))
    }

    fn add_known(&self, files: &[Arc<DataFile>], known: &mut KnownObjects) -> Result<(), StoreError> {
        self.visit_columns(Table::Objects, files, &OBJECT_COLUMNS, |batch| {
            let (keys, etags, states) = (text(batch, 0), text(batch, 1), text(batch, 3));
            let sizes = batch.column(2).as_primitive_opt::<Int64Type>();
            let errors = text(batch, 4);
            let (Some(keys), Some(etags), Some(sizes), Some(states), Some(errors)) =
                (keys, etags, sizes, states, errors)
            else {
                return Err(wrong_columns(Table::Objects));
            };
            for ((((key, etag), size), state), error) in keys.iter().zip(etags).zip(sizes).zip(states).zip(errors) {
                let (Some(key), Some(etag), Some(size)) = (key, etag, size) else {
                    continue;
                };
                let identity = known.identity(key, etag, size);
                match (state, limits_in(error)) {
                    (Some(VANISHED_STATE), _) => {}
                    (Some(RETRIED_STATE), _) => drop(known.retried.insert(identity)),
                    (_, Some(reached)) => known.limited.push((identity, reached)),
                    (_, None) => drop(known.identities.insert(identity)),
                }
            }
            Ok(())
        })
    }

    /// Calls `visit` with every row of the ledger, in no particular order; blocks on file reads.
    ///
    /// # Errors
    ///
    /// A ledger file cannot be read.
    pub fn visit_ledger(
        &self,
        objects: &TableSnapshot,
        mut visit: impl FnMut(LedgerRow<'_>),
    ) -> Result<(), StoreError> {
        self.visit_columns(Table::Objects, &objects.files, &LEDGER_COLUMNS, |batch| {
            visit_rows(batch, &mut visit).ok_or_else(|| wrong_columns(Table::Objects))
        })
    }

    /// Reads which sources of IAM snapshots are imported; blocks on file reads.
    ///
    /// # Errors
    ///
    /// A file of `iam_sources` cannot be read.
    pub fn known_sources(&self, sources: &TableSnapshot) -> Result<BTreeSet<String>, StoreError> {
        let mut known = BTreeSet::new();
        self.visit_columns(Table::IamSources, &sources.files, &["source_id"], |batch| {
            let ids = text(batch, 0).ok_or_else(|| wrong_columns(Table::IamSources))?;
            known.extend(ids.iter().flatten().map(str::to_owned));
            Ok(())
        })?;
        Ok(known)
    }

    /// Calls `visit` with the key of every row of one `events` file, in file order; reads only these columns and blocks on
    /// file reads.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn event_keys(&self, file: &DataFile, mut visit: impl FnMut(EventKey<'_>)) -> Result<(), StoreError> {
        let (path, reader) = self.read_columns(Table::Events, file, &EVENT_KEY_COLUMNS)?;
        for batch in reader {
            let batch = batch.map_err(|source| rows_error(&path, source))?;
            let times = batch
                .columns()
                .first()
                .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
            let (Some(times), Some(accounts), Some(regions), Some(categories), Some(ids)) = (
                times,
                text(&batch, 1),
                text(&batch, 2),
                text(&batch, 3),
                text(&batch, 4),
            ) else {
                return Err(wrong_columns(Table::Events));
            };
            let rows = accounts.iter().zip(regions).zip(ids).zip(times).zip(categories);
            for ((((account, region), event_id), time), category) in rows {
                visit(EventKey {
                    account,
                    region,
                    event_id,
                    time,
                    category,
                });
            }
        }
        Ok(())
    }
}

/// The limits that the reason of an object ends with.
fn limits_in(error: Option<&str>) -> Option<LimitsReached> {
    error.and_then(LimitsReached::in_reason)
}

/// `None` when a column is missing; files of schema version 1 lack `listed_from`, those before version 5 `endpoint`.
fn visit_rows(batch: &RecordBatch, visit: &mut impl FnMut(LedgerRow<'_>)) -> Option<()> {
    let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
    let times = |name: &str| {
        batch
            .column_by_name(name)?
            .as_primitive_opt::<TimestampMicrosecondType>()
    };
    let (keys, etags, states) = (text("object_key")?, text("etag")?, text("state")?);
    let errors = text("error")?;
    let (modified, ingested) = (times("last_modified")?, times("ingested_at")?);
    let sizes = batch.column_by_name("size")?.as_primitive_opt::<Int64Type>()?;
    let listed = batch
        .column_by_name("listed_from")
        .and_then(|column| column.as_primitive_opt::<Date32Type>());
    let endpoints = text("endpoint");
    for row in 0..batch.num_rows() {
        visit(LedgerRow {
            object_key: keys.value(row),
            etag: etags.value(row),
            size: u64::try_from(sizes.value(row)).unwrap_or_default(),
            state: states.value(row),
            last_modified: modified.is_valid(row).then(|| modified.value(row)),
            ingested_at: ingested.value(row),
            listed_from: listed.filter(|days| days.is_valid(row)).map(|days| days.value(row)),
            endpoint: endpoints
                .filter(|texts| texts.is_valid(row))
                .map(|texts| texts.value(row)),
            error: errors.is_valid(row).then(|| errors.value(row)),
        });
    }
    Some(())
}

fn text(batch: &RecordBatch, column: usize) -> Option<&StringArray> {
    batch
        .columns()
        .get(column)
        .and_then(|column| column.as_string_opt::<i32>())
}

fn wrong_columns(table: Table) -> StoreError {
    StoreError::WrongColumns {
        table: table.name(),
        reason: "a data file has columns of other types".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::ArrayRef;
    use arrow::array::Date32Array;

    use super::super::testing::TestStore;
    use super::super::testing::batch;
    use super::super::testing::committed;
    use super::super::testing::events_with;
    use super::*;

    #[tokio::test]
    async fn object_is_known_by_key_etag_and_size_once_its_state_is_final() {
        let test = TestStore::create().await;
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let ledger = [
            ("s3://logs/1", "ingested"),
            ("s3://logs/2", RETRIED_STATE),
            ("s3://logs/3", "corrupt"),
        ];
        test.store.commit(&basis, batch(vec![], &ledger, 0)).await.unwrap();
        let mut known = test
            .store
            .known_objects(
                &test.store.snapshot(Table::Objects).await.unwrap(),
                DeliveryDays::ALL,
                &RunLimits::NONE,
            )
            .unwrap();
        assert_eq!(known.len(), 2);
        assert!(known.contains("s3://logs/1", "7", 7));
        assert!(known.contains("s3://logs/3", "7", 7));
        assert!(!known.contains("s3://logs/2", "7", 7));
        assert!(known.is_dealt_with("s3://logs/2", "7", 7) && known.is_dealt_with("s3://logs/1", "7", 7));
        assert!(!known.is_dealt_with("s3://logs/4", "7", 7));
        assert!(!known.contains("s3://logs/1", "8", 7));
        assert!(!known.contains("s3://logs/1", "7", 8));
        known.insert("s3://logs/2", "7", 7);
        assert!(known.contains("s3://logs/2", "7", 7));
    }

    /// The same rows, delivered on a day.
    fn on_day(objects: &RecordBatch, day: i32) -> RecordBatch {
        let schema = objects.schema();
        let fields = schema.fields().iter().zip(objects.columns());
        let columns = fields.map(|(field, column)| -> ArrayRef {
            match field.name().as_str() {
                "delivery_date" => Arc::new(Date32Array::from(vec![day; objects.num_rows()])),
                _ => ArrayRef::clone(column),
            }
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
    }

    #[tokio::test]
    async fn files_of_other_days_are_not_read() {
        let test = TestStore::create().await;
        let keys = ["2026/09/01/a", "2026/09/02/b"].map(|name| format!("s3://logs/{name}"));
        for (day, key) in (20_697..).zip(&keys) {
            let mut ledger = batch(vec![], &[(key.as_str(), "ingested")], 0);
            ledger.objects = on_day(&ledger.objects, day);
            let basis = test.store.snapshot(Table::Events).await.unwrap();
            committed(test.store.commit(&basis, ledger).await.unwrap());
        }
        let ledger = test.store.snapshot(Table::Objects).await.unwrap();
        let known_on = |days: &[Option<i32>]| {
            let known = test
                .store
                .known_objects(&ledger, days.iter().copied().collect(), &RunLimits::NONE)
                .unwrap();
            keys.each_ref().map(|key| known.contains(key, "7", 7))
        };
        assert_eq!(known_on(&[Some(20_697)]), [true, false]);
        assert_eq!(known_on(&[Some(20_698), None]), [false, true]);
        assert_eq!(known_on(&[Some(20_690), Some(20_700)]), [true, true]);
        assert_eq!(known_on(&[None]), [false, false]);
    }

    #[tokio::test]
    async fn retried_object_becomes_known_with_its_second_row() {
        let test = TestStore::create().await;
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        test.store
            .commit(&basis, batch(vec![], &[("s3://logs/1", RETRIED_STATE)], 0))
            .await
            .unwrap();
        test.commit("s3://logs/1", &["a"]).await;
        let known = test
            .store
            .known_objects(
                &test.store.snapshot(Table::Objects).await.unwrap(),
                DeliveryDays::ALL,
                &RunLimits::NONE,
            )
            .unwrap();
        assert!(known.contains("s3://logs/1", "7", 7));
    }

    #[tokio::test]
    async fn object_that_a_limit_left_something_out_of_is_known_to_runs_with_the_same_limit_only() {
        let test = TestStore::create().await;
        let reached = LimitsReached {
            inflated_bytes: Some(100),
            ..LimitsReached::default()
        };
        let mut ledger = batch(vec![], &[("s3://logs/1", "partial")], 0);
        ledger.objects = with_error(&ledger.objects, &format!("object is large; {reached}"));
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        test.store.commit(&basis, ledger).await.unwrap();
        let objects = test.store.snapshot(Table::Objects).await.unwrap();
        let limits = |inflated_bytes| RunLimits {
            inflated_bytes,
            ..RunLimits::NONE
        };
        for (limits, is_known) in [(limits(100), true), (limits(99), true), (limits(101), false)] {
            let known = test.store.known_objects(&objects, DeliveryDays::ALL, &limits).unwrap();
            assert_eq!(known.contains("s3://logs/1", "7", 7), is_known, "{limits:?}");
            assert!(known.is_dealt_with("s3://logs/1", "7", 7));
            test.store
                .visit_ledger(&objects, |row| assert_eq!(row.is_retried(&limits), !is_known))
                .unwrap();
        }
    }

    fn with_error(objects: &RecordBatch, error: &str) -> RecordBatch {
        let mut columns = objects.columns().to_vec();
        columns[objects.schema_ref().index_of("error").unwrap()] =
            Arc::new(StringArray::from(vec![error; objects.num_rows()]));
        RecordBatch::try_new(objects.schema(), columns).unwrap()
    }

    #[test]
    fn part_of_one_field_does_not_pass_for_another() {
        let mut known = KnownObjects::default();
        known.insert("ab", "c", 1);
        assert!(!known.contains("a", "bc", 1));
        assert!(!known.contains("ab", "c", u64::MAX));
        assert!(!known.is_empty());
    }

    #[tokio::test]
    async fn event_keys_come_row_by_row() {
        let test = TestStore::create().await;
        let staged = test
            .store
            .stage_events(None, &events_with(&["x", "y"], &[None, None], &[1, 2]))
            .unwrap();
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        test.store.commit(&basis, batch(vec![staged], &[], 0)).await.unwrap();
        let snapshot = test.store.snapshot(Table::Events).await.unwrap();
        let mut keys = Vec::new();
        let visit = |key: EventKey<'_>| {
            let texts = [key.account, key.region, key.event_id].map(Option::unwrap);
            keys.push(format!("{}/{}", texts.join("/"), key.time.unwrap()));
        };
        test.store.event_keys(&snapshot.files[0], visit).unwrap();
        assert_eq!(keys, ["111122223333/eu-west-1/x/1", "111122223333/eu-west-1/y/2"]);
    }

    #[tokio::test]
    async fn missing_data_file_is_named() {
        let test = TestStore::create().await;
        let snapshot = test.commit("s3://logs/1", &["a"]).await;
        let path = test.folder().join("events").join(&snapshot.files[0].path);
        std::fs::remove_file(&path).unwrap();
        let error = test.store.event_keys(&snapshot.files[0], |_| {}).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
