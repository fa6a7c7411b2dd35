//! Loading the newest state of a table, and refusing what this program would misread.

use deltalake::DeltaTableError;
use deltalake::table::state::DeltaTableState;
use futures::StreamExt;
use object_store::ObjectMeta;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;

use super::Store;
use super::StoreError;
use super::causes::torn_entry;
use super::error::Access;
use super::log;
use super::whole_entry::TornEntry;
use crate::schema;
use crate::schema::Table;

/// Delta versions that every common reader supports.
const READER_VERSION: i32 = 1;
const WRITER_VERSION: i32 = 2;

/// How often a log that seems to have a gap is looked at.
const MOST_LOOKS: u32 = 5;

pub(super) const SCHEMA_VERSION_PROPERTY: &str = "trimtrail.schemaVersion";

impl Store {
    /// Loads and checks the newest state; `None` when there is no table.
    pub(super) async fn load_newest(&self, table: Table) -> Result<Option<DeltaTableState>, StoreError> {
        let log_store = self.log_store(table);
        let mut loaded = DeltaTableState::try_new(log_store.as_ref(), None).await;
        if matches!(loaded, Err(DeltaTableError::NotATable(_))) {
            let exists = log_store.is_delta_table_location().await;
            if !exists.map_err(|error| StoreError::from_log(&self.table_folder(table), Access::Read, error))? {
                return Ok(None);
            }
            // Another process made the table between the two looks.
            loaded = DeltaTableState::try_new(log_store.as_ref(), None).await;
        }
        match loaded {
            Ok(state) => self.check(table, state).await.map(Some),
            Err(error) => Err(self.diagnose(table, error).await),
        }
    }

    /// State of a table at one version that is known to be no newer than the newest.
    pub(super) async fn load_version(&self, table: Table, version: u64) -> Result<DeltaTableState, DeltaTableError> {
        DeltaTableState::try_new(self.log_store(table).as_ref(), Some(version)).await
    }

    /// The state with the entries that came since.
    pub(super) async fn update(&self, table: Table, state: DeltaTableState) -> Result<DeltaTableState, StoreError> {
        let mut looks = 1;
        loop {
            let mut newer = state.clone();
            match newer.update(self.log_store(table).as_ref(), None).await {
                Ok(()) if newer.version() == state.version() => return Ok(newer),
                Ok(()) => return self.check(table, newer).await,
                // While others write, a listing may miss an entry and yet have the one behind it.
                Err(_) if looks < MOST_LOOKS => looks += 1,
                Err(error) => return Err(self.diagnose(table, error).await),
            }
        }
    }

    /// Refuses tables that this program would misread.
    async fn check(&self, table: Table, state: DeltaTableState) -> Result<DeltaTableState, StoreError> {
        let path = || self.table_folder(table).display().to_string();
        let (reader, writer) = (
            state.protocol().min_reader_version(),
            state.protocol().min_writer_version(),
        );
        if reader > READER_VERSION || writer > WRITER_VERSION {
            return Err(StoreError::NewerProtocol {
                path: path(),
                reader,
                writer,
            });
        }
        match schema_version(&state) {
            None => return Err(StoreError::NotAStore { path: path() }),
            Some(found) if found > schema::SCHEMA_VERSION => {
                let path = self.location().display().to_string();
                return Err(StoreError::NewerVersion {
                    path,
                    found,
                    supported: schema::SCHEMA_VERSION,
                });
            }
            Some(_) => {}
        }
        let version = state.version();
        let newest = ObjectPath::from(format!("_delta_log/{version:020}.json"));
        let entry = self.log_store(table).object_store(None).head(&newest).await;
        if entry.is_ok_and(|entry| entry.size == 0) {
            let path = self.entry_path(table, version);
            return Err(StoreError::TornCommit {
                path,
                reason: "the file is empty".to_owned(),
            });
        }
        Ok(state)
    }

    /// Finds out why a log cannot be loaded: a cut off entry, or a protocol that is too new.
    async fn diagnose(&self, table: Table, error: DeltaTableError) -> StoreError {
        let error = match StoreError::from_log(&self.table_folder(table), Access::Read, error) {
            StoreError::Log { source, .. } => *source,
            told => return told,
        };
        let log_folder = ObjectPath::from("_delta_log");
        let entries = self.log_store(table).object_store(None).list(Some(&log_folder));
        let entries: Vec<ObjectMeta> = entries
            .filter_map(|entry| std::future::ready(entry.ok()))
            .collect()
            .await;
        let mut versions: Vec<u64> = entries
            .iter()
            .filter_map(|entry| entry.location.filename()?.strip_suffix(".json")?.parse().ok())
            .collect();
        versions.sort_unstable();
        for version in versions.into_iter().rev() {
            let bytes = match self.log_store(table).read_commit_entry(version).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                Err(error) => match torn_entry(&error) {
                    Some(TornEntry { path, reason }) => return StoreError::TornCommit { path, reason },
                    None => continue,
                },
            };
            if let Some((reader, writer)) = log::protocol_versions(&bytes)
                && (reader > READER_VERSION || writer > WRITER_VERSION)
            {
                let path = self.table_folder(table).display().to_string();
                return StoreError::NewerProtocol { path, reader, writer };
            }
        }
        StoreError::from_log(&self.table_folder(table), Access::Read, error)
    }
}

pub(super) fn schema_version(state: &DeltaTableState) -> Option<u32> {
    state
        .metadata()
        .configuration()
        .get(SCHEMA_VERSION_PROPERTY)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::testing::TestStore;
    use super::super::testing::create;
    use super::super::testing::open;
    use super::*;

    fn edit_first_entry(folder: &Path, from: &str, to: &str) {
        let entry = folder.join("events/_delta_log/00000000000000000000.json");
        let text = fs::read_to_string(&entry).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&entry, text.replace(from, to)).unwrap();
    }

    #[tokio::test]
    async fn store_of_a_newer_version_is_refused_with_both_versions() {
        let test = TestStore::create().await;
        edit_first_entry(
            &test.folder(),
            &format!("\"trimtrail.schemaVersion\":\"{}\"", schema::SCHEMA_VERSION),
            "\"trimtrail.schemaVersion\":\"99\"",
        );
        for error in [
            open(&test.folder()).await.unwrap_err(),
            create(&test.folder()).await.unwrap_err(),
        ] {
            assert!(
                matches!(
                    error,
                    StoreError::NewerVersion {
                        found: 99,
                        supported: schema::SCHEMA_VERSION,
                        ..
                    }
                ),
                "{error:?}"
            );
        }
    }

    #[tokio::test]
    async fn delta_table_of_someone_else_is_no_store() {
        let test = TestStore::create().await;
        edit_first_entry(&test.folder(), "trimtrail.schemaVersion", "other.property");
        assert!(matches!(open(&test.folder()).await, Err(StoreError::NotAStore { .. })));
    }

    #[tokio::test]
    async fn table_of_a_newer_protocol_is_refused() {
        for reader in [2, 99] {
            let test = TestStore::create().await;
            edit_first_entry(
                &test.folder(),
                "\"minReaderVersion\":1",
                &format!("\"minReaderVersion\":{reader}"),
            );
            let error = open(&test.folder()).await.unwrap_err();
            assert!(matches!(error, StoreError::NewerProtocol { .. }), "{reader}: {error:?}");
        }
    }

    #[tokio::test]
    async fn damaged_newest_entry_is_named() {
        for bytes in ["", "{\"commitInfo\":{\"timest"] {
            let test = TestStore::create().await;
            let entry = test.folder().join("events/_delta_log/00000000000000000001.json");
            fs::write(&entry, bytes).unwrap();
            for error in [
                open(&test.folder()).await.unwrap_err(),
                create(&test.folder()).await.unwrap_err(),
            ] {
                assert!(matches!(error, StoreError::TornCommit { .. }), "{bytes:?}: {error:?}");
                assert!(error.to_string().contains(entry.to_str().unwrap()), "{error}");
            }
        }
    }
}
