//! What the log says of a data file that comes or goes, and entries that bring no batch.

use std::collections::HashMap;

use deltalake::DeltaTableError;
use deltalake::kernel::Action;
use deltalake::kernel::Add;
use deltalake::kernel::Remove;
use deltalake::table::state::DeltaTableState;

use super::DataFile;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::commit::Landing;
use super::log;
use super::log::BatchRecord;
use super::statistics::day_text;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema;
use crate::schema::Table;

/// How often an entry is tried: each failed attempt means that another writer made progress.
pub(super) const ATTEMPTS: u32 = 20;

impl Store {
    /// Adds an entry that is no batch of events directly above `state`, and finds out whether it is there.
    pub(super) async fn append_entry(
        &self,
        state: &DeltaTableState,
        record: &BatchRecord,
        actions: Vec<Action>,
        [put, landed, unseen]: [Point; 3],
    ) -> Result<Landing, StoreError> {
        let version = state.version() + 1;
        let landing = async {
            failpoint::pass(put)?;
            let transaction = (log::BATCH_APP_ID, version);
            let state = self.append(Table::Events, state, actions, transaction).await?;
            failpoint::pass(landed)?;
            failpoint::pass(unseen)?;
            Ok::<_, DeltaTableError>(state)
        };
        match landing.await {
            Ok(state) => Ok(Landing::Stored(state)),
            Err(error) => {
                failpoint::pass(unseen).map_err(|error| self.unwritable(error))?;
                self.landing(version, record, error).await
            }
        }
    }
}

/// What takes a file out of a table.
pub(super) fn removal(table: Table, file: &DataFile, committed_at: i64) -> Remove {
    Remove {
        path: file.path.clone(),
        data_change: true,
        deletion_timestamp: Some(committed_at.div_euclid(1000)),
        extended_file_metadata: Some(true),
        partition_values: Some(partition_values(table, file.event_date)),
        size: i64::try_from(file.size).ok(),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
    }
}

fn partition_values(table: Table, event_date: Option<i32>) -> HashMap<String, Option<String>> {
    match table {
        Table::Events => [(schema::EVENT_DATE.to_owned(), event_date.and_then(day_text))].into(),
        _ => [].into(),
    }
}

impl StagedFile {
    /// The log's description of the file.
    pub(super) fn add(&self, committed_at: i64, events_version: Option<u64>) -> Add {
        let sorted = self
            .sorted
            .then(|| (log::SORTED_TAG.to_owned(), Some("true".to_owned())));
        let version = events_version.map(|version| (log::EVENTS_VERSION_TAG.to_owned(), Some(version.to_string())));
        Add {
            path: self.path.clone(),
            partition_values: partition_values(self.table, self.event_date),
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            modification_time: committed_at.div_euclid(1000),
            data_change: true,
            stats: Some(self.statistics.to_json()),
            tags: Some(sorted.into_iter().chain(version).collect()),
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        }
    }
}
