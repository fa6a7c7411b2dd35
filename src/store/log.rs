//! What a log entry of `events` says about its batch, and reading single log entries.

use std::collections::BTreeMap;

use deltalake::kernel::Action;
use deltalake::kernel::Add;
use deltalake::kernel::CommitInfo;
use deltalake::logstore::LogStore;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::Store;
use super::StoreError;
use super::error::Access;
use crate::schema::Table;

/// Transaction id of every batch: one for all writers, so that two of them always meet.
pub(super) const BATCH_APP_ID: &str = "trimtrail-ingest";

/// Transaction id of the derived tables; its version is the version of `events` that they follow.
pub(super) const FOLLOW_APP_ID: &str = "trimtrail-events";

/// Transaction id of `usage`; its version is the version of `events` up to which the rollup was made of all events at once.
pub(super) const USAGE_APP_ID: &str = "trimtrail-usage";

/// Transaction id of derived tables; its version is the last version of `events` of those whose rows lie in one file.
pub(super) const COMPACT_APP_ID: &str = "trimtrail-compacted";

/// Tag of a data file whose rows are in file order.
pub(super) const SORTED_TAG: &str = "trimtrail.sorted";

/// Tag of a derived table's data file: the version of `events` that its rows belong to.
pub(super) const EVENTS_VERSION_TAG: &str = "trimtrail.eventsVersion";

/// Key of [`BatchRecord`] in the commit information of Delta.
const BATCH_KEY: &str = "trimtrail";

/// Rows and files of one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommitCounts {
    /// Data files of `events`.
    pub files: u64,
    /// Rows of `events`.
    pub events: u64,
    /// Rows of `objects`.
    pub objects: u64,
    /// Rows of `rejects`.
    pub rejects: u64,
}

/// What one commit of `events` says about its batch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchRecord {
    pub(super) run_id: String,
    pub(super) batch: String,
    pub(super) objects: Option<Add>,
    pub(super) rejects: Option<Add>,
    /// The rollup of the events; none in commits of programs that knew no rollup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Add>,
    /// Files of the tables of IAM snapshots, by the name of the table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) snapshots: BTreeMap<String, Add>,
    pub(super) counts: CommitCounts,
}

/// The commit information of one log entry.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct CommitHead {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(super) timestamp: Option<i64>,
    pub(super) operation: Option<String>,
    #[serde(rename = "trimtrail")]
    pub(super) batch: Option<BatchRecord>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "commitInfo")]
    commit_info: Option<CommitHead>,
}

impl BatchRecord {
    /// The file that a derived table adds for this batch.
    pub(super) fn file_of(&self, table: Table) -> Option<&Add> {
        match table {
            Table::Objects => self.objects.as_ref(),
            Table::Rejects => self.rejects.as_ref(),
            Table::Usage => self.usage.as_ref(),
            Table::Events => None,
            snapshot => self.snapshots.get(snapshot.name()),
        }
    }

    /// Whether a table lacks what the commit should have brought: a rollup of its events.
    pub(super) fn leaves_out(&self, table: Table) -> bool {
        table == Table::Usage && self.usage.is_none() && self.counts.events > 0
    }

    /// Whether an entry is of one and the same commit. Processes that commit the same prepared batch at the same time have
    /// files of their own.
    pub(super) fn is_same_commit(&self, other: &Self) -> bool {
        let ledger = |record: &Self| record.objects.as_ref().map(|add| add.path.clone());
        self.batch == other.batch && ledger(self) == ledger(other)
    }

    pub(super) fn to_value(&self) -> Result<(String, Value), serde_json::Error> {
        Ok((BATCH_KEY.to_owned(), serde_json::to_value(self)?))
    }
}

impl Store {
    /// Reads the head of one log entry; `None` when there is no such version.
    pub(super) async fn commit_head(&self, table: Table, version: u64) -> Result<Option<CommitHead>, StoreError> {
        let entry = self
            .log_store(table)
            .read_commit_entry(version)
            .await
            .map_err(|source| StoreError::from_log(&self.table_folder(table), Access::Read, source))?;
        match entry {
            None => Ok(None),
            Some(bytes) => match parse_head(&bytes) {
                Ok(head) => Ok(Some(head)),
                Err(reason) => Err(StoreError::TornCommit {
                    path: self.entry_path(table, version),
                    reason,
                }),
            },
        }
    }

    /// Path of one log entry, for messages.
    pub(super) fn entry_path(&self, table: Table, version: u64) -> String {
        self.table_folder(table)
            .join("_delta_log")
            .join(format!("{version:020}.json"))
            .display()
            .to_string()
    }
}

/// The action that says when, by whom and for what a log entry was written.
pub(super) fn commit_info(
    operation: &str,
    committed_at: i64,
    read_version: Option<u64>,
    metadata: Option<(String, Value)>,
) -> Action {
    Action::CommitInfo(CommitInfo {
        timestamp: Some(committed_at.div_euclid(1000)),
        operation: Some(operation.to_owned()),
        read_version,
        is_blind_append: Some(false),
        engine_info: Some(concat!("trimtrail/", env!("CARGO_PKG_VERSION")).to_owned()),
        info: metadata.into_iter().collect(),
        ..CommitInfo::default()
    })
}

/// Finds the commit information; an entry of another writer may have none.
pub(super) fn parse_head(bytes: &[u8]) -> Result<CommitHead, String> {
    let mut head = None;
    let mut lines = 0;
    for line in bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
    {
        let parsed: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        head = head.or(parsed.commit_info);
        lines += 1;
    }
    if lines == 0 {
        return Err("the file is empty".to_owned());
    }
    Ok(head.unwrap_or_default())
}

/// Reader and writer version that a log entry states, if any.
pub(super) fn protocol_versions(bytes: &[u8]) -> Option<(i32, i32)> {
    let version = |protocol: &Value, name: &str| {
        protocol
            .get(name)
            .and_then(Value::as_i64)
            .and_then(|version| i32::try_from(version).ok())
    };
    bytes.split(|byte| *byte == b'\n').find_map(|line| {
        let line: Value = serde_json::from_slice(line).ok()?;
        let protocol = line.get("protocol")?;
        Some((
            version(protocol, "minReaderVersion")?,
            version(protocol, "minWriterVersion")?,
        ))
    })
}
