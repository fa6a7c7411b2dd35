//! An open store, and the newest state of its tables that this process has seen.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use arrow::array::RecordBatch;
use deltalake::DeltaTableBuilder;
use deltalake::logstore::LogStoreRef;
use deltalake::table::state::DeltaTableState;

use super::Location;
use super::StagedFile;
use super::StoreError;
use super::error::Access;
use super::files::Files;
use super::files::log_url;
use super::ledger::FetchedLedger;
use super::prepare;
use super::snapshot::KnownFile;
use super::stage;
use crate::schema::Table;

/// An open store; clones share it.
///
/// A store in a bucket is opened on a runtime with several threads, and only used while that runs: calls that block wait
/// for requests that are made there.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    location: Location,
    files: Files,
    logs: Logs,
    loaded: Mutex<HashMap<Table, Loaded>>,
    /// Files that the last look at a table saw, by their path.
    seen_files: Mutex<HashMap<Table, HashMap<String, KnownFile>>>,
    fetched_ledger: Mutex<FetchedLedger>,
}

struct Logs {
    events: LogStoreRef,
    objects: LogStoreRef,
    rejects: LogStoreRef,
    usage: LogStoreRef,
    iam_principals: LogStoreRef,
    iam_policies: LogStoreRef,
    iam_statements: LogStoreRef,
    iam_attachments: LogStoreRef,
    iam_credentials: LogStoreRef,
    iam_organization: LogStoreRef,
    iam_sources: LogStoreRef,
}

/// The newest state of a table that this process has seen.
#[derive(Clone)]
struct Loaded {
    state: DeltaTableState,
    /// Nobody has used the state since the store was opened, so it is not listed a second time.
    unused: bool,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Store")
            .field("location", &self.inner.location)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a store for reading.
    ///
    /// # Errors
    ///
    /// There is no store, it cannot be read, or it is one of a newer version.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let path = || location.display().to_string();
        match location.folder().map(|folder| (folder, fs::metadata(folder))) {
            None => {}
            Some((_, Ok(metadata))) if metadata.is_file() => return Err(StoreError::PathIsFile { path: path() }),
            Some((_, Ok(_))) => {}
            Some((_, Err(error))) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::NotAStore { path: path() });
            }
            Some((folder, Err(error))) => return Err(StoreError::from_io(folder, Access::Read, error)),
        }
        let store = Self::new(location).await?;
        match store.load_newest(Table::Events).await? {
            None => Err(match store.occupied().await? {
                Some(lost @ StoreError::MissingTable { .. }) => lost,
                _ => StoreError::NotAStore { path: path() },
            }),
            Some(state) => {
                store.remember(Table::Events, state, true);
                Ok(store)
            }
        }
    }

    /// Says why a place without a store cannot become one, as far as that shows without writing.
    ///
    /// # Errors
    ///
    /// It holds something else, or what is left of a store, or cannot be read.
    pub async fn check_vacant(location: &Location) -> Result<(), StoreError> {
        if location.folder().is_some_and(|folder| !folder.exists()) {
            return Ok(());
        }
        match Self::new(location).await?.occupied().await? {
            Some(occupied) => Err(occupied),
            None => Ok(()),
        }
    }

    async fn occupied(&self) -> Result<Option<StoreError>, StoreError> {
        match (self.location().folder(), self.storage().remote()) {
            (Some(folder), _) => prepare::occupied_folder(self.location(), folder),
            (None, Some(remote)) => prepare::occupied_prefix(remote, self.location()).await,
            (None, None) => Ok(None),
        }
    }

    /// Where the store lies.
    pub fn location(&self) -> &Location {
        &self.inner.location
    }

    /// Writes rows of one day as one synced Parquet file that no table contains yet.
    ///
    /// The batch has the columns of [`schema::events_file`](crate::schema::events_file). Rows that are sorted by account, principal and time,
    /// nulls first, make a file that readers know to be sorted. May be called from several threads at once; memory is
    /// bounded by the encoded batch.
    ///
    /// # Errors
    ///
    /// Wrong columns, a day outside the years 1 to 9999, no space, or a folder that cannot be written.
    pub fn stage_events(&self, event_date: Option<i32>, batch: &RecordBatch) -> Result<StagedFile, StoreError> {
        stage::stage(self.storage(), Table::Events, event_date, batch)
    }

    /// Removes staged files that will not be committed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a discarded file must not be committed later"
    )]
    pub fn discard(&self, staged: Vec<StagedFile>) {
        stage::discard(self.storage(), &staged);
    }

    pub(super) fn fetched_ledger(&self) -> &Mutex<FetchedLedger> {
        &self.inner.fetched_ledger
    }

    /// The files that the last look at a table saw; somebody else who looks meanwhile sees them as new.
    pub(super) fn take_seen_files(&self, table: Table) -> HashMap<String, KnownFile> {
        let mut seen = self.inner.seen_files.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&table).unwrap_or_default()
    }

    pub(super) fn keep_seen_files(&self, table: Table, files: &[KnownFile]) {
        let files = files.iter().map(|known| (known.0.path.clone(), known.clone()));
        let mut seen = self.inner.seen_files.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(table, files.collect());
    }

    pub(super) fn storage(&self) -> &Files {
        &self.inner.files
    }

    pub(super) fn table_folder(&self, table: Table) -> PathBuf {
        self.inner.location.table_folder(table)
    }

    pub(super) fn log_store(&self, table: Table) -> LogStoreRef {
        let logs = &self.inner.logs;
        Arc::clone(match table {
            Table::Events => &logs.events,
            Table::Objects => &logs.objects,
            Table::Rejects => &logs.rejects,
            Table::Usage => &logs.usage,
            Table::IamPrincipals => &logs.iam_principals,
            Table::IamPolicies => &logs.iam_policies,
            Table::IamStatements => &logs.iam_statements,
            Table::IamAttachments => &logs.iam_attachments,
            Table::IamCredentials => &logs.iam_credentials,
            Table::IamOrganization => &logs.iam_organization,
            Table::IamSources => &logs.iam_sources,
        })
    }

    /// Newest state of a table that must exist.
    pub(super) async fn newest(&self, table: Table) -> Result<DeltaTableState, StoreError> {
        let cached = {
            let mut loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded
                .get_mut(&table)
                .map(|loaded| (loaded.state.clone(), std::mem::take(&mut loaded.unused)))
        };
        let state = match cached {
            Some((state, true)) => return Ok(state),
            Some((state, false)) => self.update(table, state).await?,
            None => self.load_newest(table).await?.ok_or_else(|| self.missing(table))?,
        };
        self.remember(table, state.clone(), false);
        Ok(state)
    }

    /// The tables that the store has: the rollup once it was made, and those of IAM snapshots after the first import.
    ///
    /// # Errors
    ///
    /// The log of a table cannot be read.
    pub async fn tables(&self) -> Result<Vec<Table>, StoreError> {
        let mut tables = Table::CORE.to_vec();
        if self.is_made(Table::Usage).await? {
            tables.push(Table::Usage);
        }
        if self.is_made(Table::IamSources).await? {
            tables.extend(Table::SNAPSHOTS);
        }
        Ok(tables)
    }

    /// Whether a table is made; of those of IAM snapshots the last stands for all.
    pub(super) async fn is_made(&self, table: Table) -> Result<bool, StoreError> {
        let table = match table {
            Table::Events | Table::Objects | Table::Rejects => return Ok(true),
            Table::Usage => table,
            _ => Table::IamSources,
        };
        let is_loaded = {
            let loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.contains_key(&table)
        };
        if is_loaded {
            return Ok(true);
        }
        let found = self.load_newest(table).await?;
        Ok(found.map(|state| self.remember(table, state, true)).is_some())
    }

    /// Keeps a state so that the next load reads only newer log entries.
    pub(super) fn remember(&self, table: Table, state: DeltaTableState, unused: bool) {
        let mut loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newer = loaded
            .get(&table)
            .is_none_or(|known| known.state.version() <= state.version());
        if is_newer {
            loaded.insert(table, Loaded { state, unused });
        }
    }

    pub(super) fn missing(&self, table: Table) -> StoreError {
        let path = self.table_folder(table).display().to_string();
        match table {
            Table::Events => StoreError::NotAStore { path },
            _ => StoreError::MissingTable { path },
        }
    }

    pub(super) async fn new(location: &Location) -> Result<Self, StoreError> {
        let root = location.root();
        let read_error = |source| StoreError::from_log(&root, Access::Read, source);
        let files = Files::at(location).await?;
        let objects = files.object_store().map_err(|error| read_error(error.into()))?;
        let log_store = |table| {
            let url = log_url(table)?;
            DeltaTableBuilder::from_url(url.clone())?
                .with_storage_backend(Arc::clone(&objects), url)
                .build_storage()
        };
        let log_store = |table| log_store(table).map_err(read_error);
        let logs = Logs {
            events: log_store(Table::Events)?,
            objects: log_store(Table::Objects)?,
            rejects: log_store(Table::Rejects)?,
            usage: log_store(Table::Usage)?,
            iam_principals: log_store(Table::IamPrincipals)?,
            iam_policies: log_store(Table::IamPolicies)?,
            iam_statements: log_store(Table::IamStatements)?,
            iam_attachments: log_store(Table::IamAttachments)?,
            iam_credentials: log_store(Table::IamCredentials)?,
            iam_organization: log_store(Table::IamOrganization)?,
            iam_sources: log_store(Table::IamSources)?,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                location: location.clone(),
                files,
                logs,
                loaded: Mutex::default(),
                seen_files: Mutex::default(),
                fetched_ledger: Mutex::default(),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::create::TABLE_PROPERTIES;
    use super::super::load::schema_version;
    use super::super::testing::TestStore;
    use super::super::testing::create;
    use super::super::testing::open;
    use super::*;
    use crate::schema;

    #[tokio::test]
    async fn new_store_has_its_tables_at_the_portable_protocol_with_their_properties() {
        let test = TestStore::create().await;
        for table in Table::CORE {
            let state = test.store.newest(table).await.unwrap();
            assert_eq!(
                (
                    state.protocol().min_reader_version(),
                    state.protocol().min_writer_version()
                ),
                (1, 2)
            );
            assert_eq!(schema_version(&state), Some(schema::SCHEMA_VERSION));
            for (name, value) in TABLE_PROPERTIES {
                assert_eq!(
                    state.metadata().configuration().get(name).map(String::as_str),
                    Some(value)
                );
            }
        }
    }

    #[tokio::test]
    async fn store_with_spaces_percent_and_umlauts_in_its_path_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my störe %41");
        create(&path).await.unwrap();
        assert!(path.join("events/_delta_log/00000000000000000000.json").is_file());
        open(&path).await.unwrap();
    }

    #[tokio::test]
    async fn two_processes_may_create_the_same_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let (one, two) = tokio::join!(create(&path), create(&path));
        let (one, two) = (one.unwrap(), two.unwrap());
        for table in Table::CORE {
            let (one, two) = (one.newest(table).await.unwrap(), two.newest(table).await.unwrap());
            assert_eq!((one.version(), two.version()), (0, 0));
            assert_eq!(one.metadata().id(), two.metadata().id());
        }
    }

    #[tokio::test]
    async fn half_created_store_is_completed() {
        let test = TestStore::create().await;
        fs::remove_dir_all(test.folder().join("rejects")).unwrap();
        fs::remove_file(test.folder().join("objects/_delta_log/00000000000000000000.json")).unwrap();
        let store = create(&test.folder()).await.unwrap();
        assert_eq!(store.newest(Table::Rejects).await.unwrap().version(), 0);
        assert_eq!(store.newest(Table::Objects).await.unwrap().version(), 0);
    }

    #[tokio::test]
    async fn store_that_was_cut_off_while_being_made_is_no_store_until_a_writer_completes_it() {
        let test = TestStore::create().await;
        let made = |table: Table| {
            let entry = test
                .folder()
                .join(table.name())
                .join("_delta_log/00000000000000000000.json");
            fs::metadata(entry).unwrap().modified().unwrap()
        };
        assert!(made(Table::Events) >= made(Table::Objects) && made(Table::Events) >= made(Table::Rejects));
        fs::remove_dir_all(test.folder().join("events")).unwrap();
        let error = open(&test.folder()).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::NotAStore { path } if *path == test.folder().display().to_string()),
            "{error:?}"
        );
        create(&test.folder()).await.unwrap();
        open(&test.folder()).await.unwrap();
    }

    #[tokio::test]
    async fn file_in_place_of_the_store_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        fs::write(&path, "x").unwrap();
        for error in [create(&path).await.unwrap_err(), open(&path).await.unwrap_err()] {
            assert!(matches!(error, StoreError::PathIsFile { .. }), "{error:?}");
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }

    #[tokio::test]
    async fn store_without_its_events_is_told_from_no_store() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a"]).await;
        fs::remove_dir_all(test.folder().join("events")).unwrap();
        let location = Location::parse(&test.folder().display().to_string()).unwrap();
        for error in [
            open(&test.folder()).await.unwrap_err(),
            create(&test.folder()).await.unwrap_err(),
            Store::check_vacant(&location).await.unwrap_err(),
        ] {
            assert!(
                matches!(&error, StoreError::MissingTable { path } if path.ends_with("events")),
                "{error:?}"
            );
        }
    }

    #[tokio::test]
    async fn folder_with_other_files_is_not_made_a_store() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "x").unwrap();
        let error = create(folder.path()).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::NotEmpty { entry, .. } if entry == "thesis.tex"),
            "{error:?}"
        );
        assert!(matches!(open(folder.path()).await, Err(StoreError::NotAStore { .. })));
    }

    #[tokio::test]
    async fn project_with_a_folder_called_events_is_not_made_a_store() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("events")).unwrap();
        fs::write(folder.path().join("events/party.txt"), "x").unwrap();
        let error = create(folder.path()).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::NotEmpty { entry, .. } if entry == "events"),
            "{error:?}"
        );
        fs::remove_file(folder.path().join("events/party.txt")).unwrap();
        create(folder.path()).await.unwrap();
    }

    #[tokio::test]
    async fn store_with_a_note_beside_its_tables_still_opens_for_writing() {
        let test = TestStore::create().await;
        fs::write(test.folder().join("README"), "ours").unwrap();
        create(&test.folder()).await.unwrap();
    }

    #[tokio::test]
    async fn missing_folder_is_no_store_and_is_not_made_by_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nothing");
        let error = open(&path).await.unwrap_err();
        assert!(error.to_string().contains("trimtrail ingest"), "{error}");
        assert!(!path.exists());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn folder_that_cannot_be_made_is_unwritable() {
        let error = create(Path::new("/proc/trimtrail-store")).await.unwrap_err();
        assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
        assert!(error.to_string().contains("`/proc/trimtrail-store`"), "{error}");
    }
}
