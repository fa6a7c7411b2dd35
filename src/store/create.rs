//! Making a store: its tables and their settings.

use arrow::datatypes::DataType;
use deltalake::DeltaTableError;
use deltalake::kernel::Action;
use deltalake::kernel::Metadata;
use deltalake::kernel::MetadataExt;
use deltalake::kernel::StructType;
use deltalake::kernel::Transaction;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::SaveMode;
use deltalake::table::state::DeltaTableState;

use super::Location;
use super::Store;
use super::StoreError;
use super::durable;
use super::error::Access;
use super::load::SCHEMA_VERSION_PROPERTY;
use super::load::schema_version;
use super::log;
use super::prepare;
use crate::failpoint;
use crate::failpoint::Point;
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

/// Looks at a table that others keep writing to while it is to be upgraded.
const UPGRADE_ATTEMPTS: u32 = 15;

/// The tables that every store has. A folder is a store as soon as it has `events`, so that table comes last: readers never see half of the tables.
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
        prepare::prepare_folder(location)?;
        let store = Self::new(location).await?;
        let mut may_remove = true;
        if let Some(remote) = store.storage().remote() {
            may_remove = prepare::prepare_prefix(remote, location).await?.is_none();
        }
        if store.load_newest(Table::Events).await?.is_none() {
            if let Some(remote) = store.storage().remote().filter(|_| may_remove) {
                prepare::prove_order(remote, location).await?;
            }
            store.create_if_missing(Table::Usage, clock, 0).await?;
        }
        for table in IN_ORDER_OF_CREATION {
            store.create_if_missing(table, clock, 0).await?;
        }
        for table in store.tables().await? {
            store.upgrade(table, clock).await?;
        }
        store.repair(clock).await?;
        store.forget_old_entries(clock).await?;
        Ok(store)
    }

    /// Gives a table of an earlier version the columns that have been added since.
    async fn upgrade(&self, table: Table, clock: i64) -> Result<(), StoreError> {
        let folder = self.table_folder(table);
        let failed = |error| StoreError::from_log(&folder, Access::Write, error);
        let mut attempt = 1;
        loop {
            let state = self.newest(table).await?;
            if schema_version(&state).is_none_or(|version| version >= schema::SCHEMA_VERSION) {
                return Ok(());
            }
            let app_id = match table {
                Table::Events => log::BATCH_APP_ID,
                _ => log::FOLLOW_APP_ID,
            };
            let reached = state.transaction_version(self.log_store(table).as_ref(), app_id).await;
            let reached = reached.map_err(failed)?.and_then(|reached| u64::try_from(reached).ok());
            let actions = vec![
                log::commit_info("UPGRADE", clock, Some(state.version()), None),
                Action::Metadata(upgraded(table, &state).map_err(failed)?),
            ];
            // The transaction stays where it is: an upgrade brings no rows.
            let transaction = (app_id, reached.unwrap_or_default());
            match self.append(table, &state, actions, transaction).await {
                Ok(_) => return Ok(()),
                // Another process upgrades, or writes: its entry shows in the next look.
                Err(_) if attempt < UPGRADE_ATTEMPTS => attempt += 1,
                Err(error) => return Err(failed(error)),
            }
        }
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
    pub(super) async fn create_if_missing(&self, table: Table, clock: i64, reached: u64) -> Result<(), StoreError> {
        if self.load_newest(table).await?.is_some() {
            return self.settle(&[table]);
        }
        let folder = self.table_folder(table);
        if self.storage().remote().is_none() {
            // Both, because a process that was killed may have made them and not synced them.
            for made in [folder.clone(), folder.join("_delta_log")] {
                durable::create_folders(&made).map_err(|error| StoreError::from_io(&made, Access::Write, error))?;
            }
        }
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
            .with_actions(first_actions(table, clock, reached))
            .await;
        match created {
            Ok(_) => {
                failpoint::pass(Point::TableMade).map_err(|error| StoreError::from_io(&folder, Access::Write, error))
            }
            // Another process was faster; if not, the table is still missing.
            Err(source) => match self.load_newest(table).await? {
                Some(_) => Ok(()),
                None => Err(StoreError::from_log(&folder, Access::Write, source)),
            },
        }
    }
}

/// The table's description with the columns and the version of this program.
fn upgraded(table: Table, state: &DeltaTableState) -> Result<Metadata, DeltaTableError> {
    let columns: StructType = table
        .schema()
        .as_ref()
        .try_into_kernel()
        .map_err(|source| DeltaTableError::Arrow { source })?;
    let metadata = state.metadata().clone().with_schema(&columns)?;
    Ok(metadata.add_config_key(SCHEMA_VERSION_PROPERTY.to_owned(), schema::SCHEMA_VERSION.to_string())?)
}

fn first_actions(table: Table, clock: i64, reached: u64) -> Vec<Action> {
    let mut actions = vec![log::commit_info("CREATE TABLE", clock, None, None)];
    if table == Table::Usage && reached == 0 {
        // A rollup of no events at all.
        actions.push(Action::Txn(Transaction::new(log::USAGE_APP_ID, 0)));
    }
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::super::testing::CLOCK;
    use super::super::testing::TestStore;
    use super::super::testing::batch;
    use super::super::testing::committed;
    use super::*;

    /// Makes the first log entry of a table what version 1 wrote.
    fn make_old(folder: &Path, table: Table) {
        let entry = folder.join(table.name()).join("_delta_log/00000000000000000000.json");
        let text = fs::read_to_string(&entry).unwrap();
        let lines = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            if let Some(metadata) = line.get_mut("metaData") {
                metadata["configuration"][SCHEMA_VERSION_PROPERTY] = "1".into();
                let mut columns: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
                let fields = columns["fields"].as_array_mut().unwrap();
                let added = ["metadata", "listed_from", "selected_regions", "digest_text", "endpoint"];
                fields.retain(|field| !added.iter().any(|name| field["name"] == *name));
                metadata["schemaString"] = columns.to_string().into();
            }
            line.to_string()
        });
        fs::write(&entry, lines.collect::<Vec<_>>().join("\n")).unwrap();
    }

    #[tokio::test]
    async fn store_of_an_earlier_version_gets_the_new_columns_and_keeps_its_rows() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a"]).await;
        for table in Table::CORE {
            make_old(&test.folder(), table);
        }
        let location = Location::parse(test.folder().to_str().unwrap()).unwrap();
        for _ in 0..2 {
            let store = Store::create_or_open(&location, CLOCK).await.unwrap();
            for table in Table::CORE {
                let state = store.newest(table).await.unwrap();
                assert_eq!(schema_version(&state), Some(schema::SCHEMA_VERSION));
                let columns = state.metadata().parse_schema().unwrap();
                assert_eq!(
                    columns.fields().count(),
                    table.schema().fields().len(),
                    "{}",
                    table.name()
                );
            }
        }
        let store = Store::create_or_open(&location, CLOCK).await.unwrap();
        let basis = store.snapshot(Table::Events).await.unwrap();
        let next = batch(vec![test.stage(&["b"])], &[("s3://logs/2", "ingested")], 0);
        committed(store.commit(&basis, next).await.unwrap());
        let rows = (
            store.snapshot(Table::Events).await.unwrap().rows(),
            store.snapshot(Table::Objects).await.unwrap().rows(),
        );
        assert_eq!(rows, (2, 2));
    }
}
