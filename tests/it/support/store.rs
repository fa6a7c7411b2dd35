//! Stores in temporary folders.

use arrow::array::RecordBatch;
use tempfile::TempDir;
use trimtrail::schema::Table;
use trimtrail::store::CommitBatch;
use trimtrail::store::CommitOutcome;
use trimtrail::store::Location;
use trimtrail::store::Store;

use super::events;

/// 2026-10-30T00:00:00Z
const WRITTEN_AT: i64 = 1_793_318_400_000_000;

/// A store that is deleted with this value.
pub(crate) struct TestStore {
    /// The opened store.
    pub(crate) store: Store,
    _folder: TempDir,
}

/// A store whose `events` are the given rows, one data file per day. The name of its folder needs escaping in URLs.
pub(crate) async fn with_events(json_lines: &str) -> TestStore {
    let folder = tempfile::Builder::new().prefix("store of #1 & 50% ").tempdir().unwrap();
    let location = Location::parse(folder.path().join("store").to_str().unwrap()).unwrap();
    let store = Store::create_or_open(&location, WRITTEN_AT).await.unwrap();
    append(&store, json_lines).await;
    TestStore { store, _folder: folder }
}

/// Commits the given rows as one batch without ledger entries.
pub(crate) async fn append(store: &Store, json_lines: &str) {
    let basis = store.snapshot(Table::Events).await.unwrap();
    let staged = events::by_day(json_lines)
        .iter()
        .map(|(day, batch)| store.stage_events(*day, batch).unwrap())
        .collect();
    let batch = CommitBatch {
        run_id: "test".to_owned(),
        events: staged,
        objects: RecordBatch::new_empty(Table::Objects.schema()),
        rejects: RecordBatch::new_empty(Table::Rejects.schema()),
        usage: None,
        committed_at: WRITTEN_AT,
    };
    let outcome = store.commit(&basis, batch).await.unwrap();
    assert!(
        matches!(outcome, CommitOutcome::Committed(_)),
        "another writer was faster"
    );
}
