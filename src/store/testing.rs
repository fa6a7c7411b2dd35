//! Stores and batches for the tests of this module, made through the real write path.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::DictionaryArray;
use arrow::array::Int64Array;
use arrow::array::ListBuilder;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::StringBuilder;
use arrow::array::new_null_array;
use arrow::array::types::Int32Type;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::datatypes::SchemaRef;
use tempfile::TempDir;

use super::CommitBatch;
use super::CommitOutcome;
use super::Location;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use crate::schema;
use crate::schema::Table;

/// 2026-09-01T00:00:00Z in microseconds.
pub(super) const CLOCK: i64 = 1_788_220_800_000_000;
/// The same day in days.
pub(super) const DAY: i32 = 20_697;

pub(super) struct TestStore {
    pub(super) store: Store,
    _folder: TempDir,
}

/// The store in a folder, which is made if need be.
pub(super) async fn create(folder: &Path) -> Result<Store, StoreError> {
    Store::create_or_open(&Location::parse(folder.to_str().unwrap()).unwrap(), CLOCK).await
}

/// The store in a folder, as a reader opens it.
pub(super) async fn open(folder: &Path) -> Result<Store, StoreError> {
    Store::open(&Location::parse(folder.to_str().unwrap()).unwrap()).await
}

impl TestStore {
    pub(super) async fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().join("store").to_str().unwrap()).unwrap();
        Self {
            store: Store::create_or_open(&location, CLOCK).await.unwrap(),
            _folder: folder,
        }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.store.location().folder().unwrap().to_owned()
    }

    /// The same folder as another process sees it.
    pub(super) async fn reopen(&self) -> Store {
        Store::open(self.store.location()).await.unwrap()
    }

    pub(super) fn stage(&self, ids: &[&str]) -> StagedFile {
        self.store.stage_events(Some(DAY), &events(ids)).unwrap()
    }

    /// Commits events with these ids on the newest snapshot, and one ledger row with the key `object`.
    pub(super) async fn commit(&self, object: &str, ids: &[&str]) -> TableSnapshot {
        let basis = self.store.snapshot(Table::Events).await.unwrap();
        let batch = batch(vec![self.stage(ids)], &[(object, "ingested")], 0);
        committed(self.store.commit(&basis, batch).await.unwrap())
    }
}

pub(super) fn committed(outcome: CommitOutcome) -> TableSnapshot {
    match outcome {
        CommitOutcome::Committed(snapshot) => snapshot,
        CommitOutcome::Conflict(_) => panic!("unexpected conflict"),
    }
}

pub(super) fn batch(events: Vec<StagedFile>, ledger: &[(&str, &str)], reject_count: usize) -> CommitBatch {
    CommitBatch {
        run_id: "run-1".to_owned(),
        events,
        objects: objects(ledger),
        rejects: rejects(reject_count),
        usage: None,
        committed_at: CLOCK,
    }
}

/// Events of one account and principal, a second apart, in order.
pub(super) fn events(ids: &[&str]) -> RecordBatch {
    let times: Vec<i64> = (0..)
        .take(ids.len())
        .map(|second: i64| CLOCK + second * 1_000_000)
        .collect();
    events_with(
        ids,
        &vec![Some("arn:aws:iam::111122223333:role/ops"); ids.len()],
        &times,
    )
}

pub(super) fn events_with(ids: &[&str], principals: &[Option<&str>], times: &[i64]) -> RecordBatch {
    let dictionary = |values: Vec<Option<&str>>| Arc::new(values.into_iter().collect::<DictionaryArray<Int32Type>>());
    let schema = schema::events_file();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "event_time" => cast(&Int64Array::from(times.to_vec()), field.data_type()).unwrap(),
            "recipient_account_id" => dictionary(vec![Some("111122223333"); ids.len()]),
            "aws_region" => dictionary(vec![Some("eu-west-1"); ids.len()]),
            "principal_arn" => dictionary(principals.to_vec()),
            "event_id" => Arc::new(StringArray::from(ids.to_vec())),
            "request_parameters" => Arc::new(StringArray::from(vec![r#"{"a": 1.0}"#; ids.len()])),
            _ => new_null_array(field.data_type(), ids.len()),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

pub(super) fn objects(rows: &[(&str, &str)]) -> RecordBatch {
    let keys: Vec<&str> = rows.iter().map(|(key, _)| *key).collect();
    let states: Vec<&str> = rows.iter().map(|(_, state)| *state).collect();
    filled(
        &schema::objects(),
        rows.len(),
        &[("object_key", &keys), ("state", &states)],
    )
}

/// Rows of `iam_sources` with these ids.
pub(super) fn sources(ids: &[&str]) -> RecordBatch {
    filled(&Table::IamSources.schema(), ids.len(), &[("source_id", ids)])
}

pub(super) fn rejects(count: usize) -> RecordBatch {
    filled(
        &schema::rejects(),
        count,
        &[("object_key", &vec!["s3://logs/a"; count])],
    )
}

/// Rows with the given texts; every other required column holds the text or number 7.
fn filled(schema: &SchemaRef, rows: usize, texts: &[(&str, &[&str])]) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        if let Some((_, values)) = texts.iter().find(|(name, _)| name == field.name()) {
            return Arc::new(StringArray::from(values.to_vec()));
        }
        if field.is_nullable() {
            return new_null_array(field.data_type(), rows);
        }
        let sevens: ArrayRef = Arc::new(StringArray::from(vec!["7"; rows]));
        match field.data_type() {
            DataType::Boolean => cast(&Int64Array::from(vec![7; rows]), &DataType::Boolean).unwrap(),
            list @ DataType::List(_) => new_empty_lists(list, rows),
            DataType::Timestamp(..) => cast(&cast(&sevens, &DataType::Int64).unwrap(), field.data_type()).unwrap(),
            other => cast(&sevens, other).unwrap(),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

fn new_empty_lists(list: &DataType, rows: usize) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    (0..rows).for_each(|_| lists.append(true));
    cast(&lists.finish(), list).unwrap()
}

/// Event ids of a snapshot in file order.
pub(super) fn ids(store: &Store, snapshot: &TableSnapshot) -> Vec<String> {
    let mut ids = Vec::new();
    for file in &snapshot.files {
        store
            .event_keys(file, |key| ids.push(key.event_id.unwrap().to_owned()))
            .unwrap();
    }
    ids.sort_unstable();
    ids
}
