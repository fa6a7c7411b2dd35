//! Making a store: its folder, its tables and their settings.

use std::fs;
use std::io;
use std::io::ErrorKind;
use std::path::Path;

use arrow::datatypes::DataType;
use deltalake::kernel::Action;
use deltalake::kernel::StructType;
use deltalake::kernel::Transaction;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;

use super::Location;
use super::Store;
use super::StoreError;
use super::durable;
use super::error::Access;
use super::log;
use super::tables::SCHEMA_VERSION_PROPERTY;
use crate::schema;
use crate::schema::Table;

/// Settings of every table besides the columns that have statistics.
///
/// Checkpoints every ten commits keep opening cheap. Log entries and removed files stay for 400 days, so that a
/// version named in a yearly audit can still be read.
pub(super) const TABLE_PROPERTIES: [(&str, &str); 3] = [
    ("delta.checkpointInterval", "10"),
    ("delta.logRetentionDuration", "interval 400 days"),
    ("delta.deletedFileRetentionDuration", "interval 400 days"),
];

/// A folder is a store as soon as it has `events`, so that table comes last: readers never see half of the tables.
const IN_ORDER_OF_CREATION: [Table; Table::CORE.len()] = [Table::Objects, Table::Rejects, Table::Events];

impl Store {
    /// Opens a store for writing: makes missing tables and brings the derived ones up to date.
    ///
    /// `clock` is the time, in microseconds since 1970-01-01T00:00:00Z, that the log entries of new tables state.
    ///
    /// # Errors
    ///
    /// The folder is a file, holds something else, cannot be written, or is a store of a newer version.
    pub async fn create_or_open(location: &Location, clock: i64) -> Result<Self, StoreError> {
        prepare_folder(location)?;
        let store = Self::new(location)?;
        for table in IN_ORDER_OF_CREATION {
            store.create_if_missing(table, clock, 0).await?;
        }
        store.repair(clock).await?;
        Ok(store)
    }

    /// Makes the tables of IAM snapshots that are missing; they follow `events` from its present version on.
    pub(super) async fn create_snapshot_tables(&self, clock: i64) -> Result<(), StoreError> {
        let reached = self.newest(Table::Events).await?.version();
        for table in Table::SNAPSHOTS {
            self.create_if_missing(table, clock, reached).await?;
        }
        Ok(())
    }

    /// `reached` is the version of `events` up to which there is nothing for the table.
    async fn create_if_missing(&self, table: Table, clock: i64, reached: u64) -> Result<(), StoreError> {
        if self.load_newest(table).await?.is_some() {
            return Ok(());
        }
        let folder = self.table_folder(table);
        durable::create_folders(&folder).map_err(|error| StoreError::from_io(&folder, Access::Write, error))?;
        let columns: StructType = table
            .schema()
            .as_ref()
            .try_into_kernel()
            .map_err(|source| StoreError::Rows {
                path: folder.display().to_string(),
                source,
            })?;
        let columns: Vec<_> = columns.fields().cloned().collect();
        let created = CreateBuilder::new()
            .with_log_store(self.log_store(table))
            .with_table_name(table.name())
            .with_columns(columns)
            .with_partition_columns(table.partition_columns().iter().copied())
            .with_configuration(table_properties(table))
            .with_raise_if_key_not_exists(false)
            .with_save_mode(SaveMode::Ignore)
            .with_commit_properties(CommitProperties::default().with_max_retries(0))
            .with_actions(first_actions(clock, reached))
            .await;
        match created {
            Ok(_) => Ok(()),
            // Another process was faster; if not, the table is still missing.
            Err(source) => match self.load_newest(table).await? {
                Some(_) => Ok(()),
                None => Err(StoreError::from_log(&folder, Access::Write, source)),
            },
        }
    }
}

fn first_actions(clock: i64, reached: u64) -> Vec<Action> {
    let mut actions = vec![log::commit_info("CREATE TABLE", clock, None, None)];
    if reached > 0 {
        let version = i64::try_from(reached).unwrap_or(i64::MAX);
        actions.push(Action::Txn(Transaction::new(log::FOLLOW_APP_ID, version)));
    }
    actions
}

fn table_properties(table: Table) -> Vec<(String, Option<String>)> {
    let own = [
        (SCHEMA_VERSION_PROPERTY.to_owned(), schema::SCHEMA_VERSION.to_string()),
        (
            "delta.dataSkippingStatsColumns".to_owned(),
            skipping_columns(table).join(","),
        ),
    ];
    let shared = TABLE_PROPERTIES
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    own.into_iter()
        .chain(shared)
        .map(|(name, value)| (name, Some(value)))
        .collect()
}

/// Booleans have no bounds, and some engines refuse a table that lists them here.
fn skipping_columns(table: Table) -> Vec<&'static str> {
    let schema = table.schema();
    let is_boolean = |name: &str| {
        schema
            .field_with_name(name)
            .is_ok_and(|field| field.data_type() == &DataType::Boolean)
    };
    table
        .statistics_columns()
        .iter()
        .copied()
        .filter(|name| !is_boolean(name))
        .collect()
}

/// Makes the store's folder, or proves that it is one and can be written.
fn prepare_folder(location: &Location) -> Result<(), StoreError> {
    let folder = location.folder();
    let path = || location.display().to_string();
    let write_error = |error| StoreError::from_io(folder, Access::Write, error);
    match fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => return Err(StoreError::PathIsFile { path: path() }),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => durable::create_folders(folder).map_err(write_error)?,
        Err(error) => return Err(StoreError::from_io(folder, Access::Read, error)),
    }
    if let Some(entry) = foreign_entry(folder).map_err(|error| StoreError::from_io(folder, Access::Read, error))? {
        return Err(StoreError::NotEmpty { path: path(), entry });
    }
    durable::probe_writable(folder).map_err(write_error)
}

/// First entry, by name, that shows that the folder is used for something else; a store may hold extra files.
fn foreign_entry(folder: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_table = Table::ALL.iter().any(|table| table.name() == name);
        // What a crash leaves of a store that was being made.
        let is_left_over = name.contains('#') || is_table && holds_no_rows(&entry.path());
        if !is_left_over {
            names.push(name);
        }
    }
    // Asked last, because another process may be making the same store.
    let is_store = folder.join(Table::Events.name()).join("_delta_log").is_dir();
    Ok(names.into_iter().min().filter(|_| !is_store))
}

/// Whether a folder is empty or the folder of a table without data files.
fn holds_no_rows(path: &Path) -> bool {
    fs::read_dir(path)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "_delta_log")))
}
