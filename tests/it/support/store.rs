//! Stores in temporary folders.

use tempfile::TempDir;
use trimtrail::store::Store;

use super::events;

/// A store that is deleted with this value.
pub(crate) struct TestStore {
    /// The opened store.
    pub(crate) store: Store,
    _folder: TempDir,
}

/// A store whose `events` are the given rows, one data file per day.
pub(crate) async fn with_events(json_lines: &str) -> TestStore {
    let folder = tempfile::Builder::new().prefix("store of #1 & 50% ").tempdir().unwrap();
    let store = Store::for_tests(folder.path(), &events::by_day(json_lines));
    TestStore { store, _folder: folder }
}
