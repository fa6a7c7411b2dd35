//! Batches that one process writes and another commits.
//!
//! The files of such a batch lie in the store and belong to no table. A line of JSON names them; it is all that the
//! committer needs. It may come from anywhere, so nothing in it is believed: names follow one grammar that cannot lead out
//! of a table's folder, and sizes, counts, days, bounds and the order of rows are compared with the files.

mod opening;

use std::collections::HashSet;

use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

use super::CommitBatch;
use super::CommitOutcome;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::commit::StagedBatch;
use super::commit::derived_rows;
use super::error::Access;
use super::statistics::StatisticsColumns;
use super::statistics::day_text;
use super::statistics::parse_day;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema;
use crate::schema::Table;

/// Name and version of the lines.
const FORMAT: &str = "trimtrail-adds/1";
const WITHOUT_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// One batch that waits for its commit, as the line says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreparedBatch {
    format: String,
    schema_version: u32,
    /// Id of the table `events` that it was made for.
    store: String,
    /// Name of the batch in the log, by which a second commit of it is noticed.
    batch: String,
    run_id: String,
    /// Version of the store that its events were compared with.
    basis: u64,
    events: Vec<PreparedFile>,
    objects: Option<PreparedFile>,
    rejects: Option<PreparedFile>,
    /// Number of the line that it was read from, from 1.
    #[serde(skip)]
    line: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PreparedFile {
    /// Below the folder of its table.
    path: String,
    size: u64,
    rows: u64,
    sorted: bool,
    /// As the log of Delta has them.
    stats: String,
}

impl PreparedBatch {
    /// Reads the lines of a file.
    ///
    /// # Errors
    ///
    /// What is wrong with which line, for people.
    pub fn parse(text: &str) -> Result<Vec<Self>, String> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let batches: Vec<Self> = lines
            .map(|(position, text)| {
                let line = position + 1;
                let parsed = Self::parse_line(text).map_err(|reason| format!("line {line}: {reason}"))?;
                Ok(Self { line, ..parsed })
            })
            .collect::<Result<_, String>>()?;
        if batches.is_empty() {
            return Err("it holds no batch".to_owned());
        }
        Ok(batches)
    }

    fn parse_line(line: &str) -> Result<Self, String> {
        let batch: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if batch.format != FORMAT {
            return Err(format!("the format is `{}`, not `{FORMAT}`", batch.format));
        }
        if batch.schema_version != schema::SCHEMA_VERSION {
            return Err(format!(
                "its rows have schema version {}, but this program writes version {}; ingest the logs again",
                batch.schema_version,
                schema::SCHEMA_VERSION
            ));
        }
        if Uuid::parse_str(&batch.batch).is_err() {
            return Err("its name is no UUID".to_owned());
        }
        Ok(batch)
    }

    /// The line, without its end.
    pub fn to_line(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|error| self.wrong(error.to_string()))
    }

    /// Name of the batch.
    pub fn id(&self) -> &str {
        &self.batch
    }

    /// Number of the line that it was read from, from 1; 0 for one that was not read.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Version of the store that it was made upon.
    pub fn basis(&self) -> u64 {
        self.basis
    }

    fn wrong(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Prepared {
            batch: self.batch.clone(),
            reason: reason.into(),
        }
    }

    /// Every file of the batch, with its table.
    fn files(&self) -> impl Iterator<Item = (Table, &PreparedFile)> {
        let derived = [(Table::Objects, &self.objects), (Table::Rejects, &self.rejects)];
        let derived = derived
            .into_iter()
            .filter_map(|(table, file)| Some((table, file.as_ref()?)));
        self.events.iter().map(|file| (Table::Events, file)).chain(derived)
    }
}

impl PreparedFile {
    fn of(file: &StagedFile) -> Self {
        Self {
            path: file.path.clone(),
            size: file.size,
            rows: file.rows,
            sorted: file.sorted,
            stats: file.statistics.to_json(),
        }
    }

    /// The file as its writer knew it, when its name is one that this program gives.
    fn staged(&self, store: &Store, table: Table) -> Option<StagedFile> {
        let event_date = day_of_file(table, &self.path)?;
        Some(StagedFile {
            table,
            path: self.path.clone(),
            absolute: store.table_folder(table).join(&self.path),
            size: self.size,
            rows: self.rows,
            event_date,
            statistics: StatisticsColumns::of(table).parse(&self.stats),
            sorted: self.sorted,
        })
    }
}

/// The day of a data file, by its path below the folder of its table; `None` for a name that this program does not give.
pub(super) fn day_of_file(table: Table, path: &str) -> Option<Option<i32>> {
    let (folder, name) = match path.split_once('/') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, path),
    };
    let id = name.strip_prefix("part-")?.strip_suffix(".zstd.parquet")?;
    let is_ours = Uuid::parse_str(id).is_ok_and(|parsed| parsed.hyphenated().to_string() == id);
    let event_date = match (table, folder) {
        (Table::Events, Some(folder)) => day_of(folder)?,
        (Table::Events, None) | (_, Some(_)) => return None,
        (_, None) => None,
    };
    is_ours.then_some(event_date)
}

/// The day that a partition's folder is named after; `None` for any other name.
fn day_of(folder: &str) -> Option<Option<i32>> {
    let value = folder.strip_prefix(schema::EVENT_DATE)?.strip_prefix('=')?;
    if value == WITHOUT_DAY {
        return Some(None);
    }
    let day = parse_day(value)?;
    (day_text(day).as_deref() == Some(value)).then_some(Some(day))
}

impl Store {
    /// Writes the files of a batch that was deduplicated against `basis`, and commits nothing.
    ///
    /// A rollup of its events is left out: whoever commits them sums them up, and need not believe another's sums.
    ///
    /// # Errors
    ///
    /// As for [`Store::commit`]; the staged files are removed.
    pub async fn prepare(&self, basis: &TableSnapshot, batch: CommitBatch) -> Result<PreparedBatch, StoreError> {
        let rows = derived_rows(batch.objects, batch.rejects, None);
        let derived = match self.stage_derived(rows).await {
            Ok(derived) => derived,
            Err(error) => {
                self.discard(batch.events);
                return Err(error);
            }
        };
        let of = |table| derived.iter().find(|file| file.table == table).map(PreparedFile::of);
        Ok(PreparedBatch {
            format: FORMAT.to_owned(),
            schema_version: schema::SCHEMA_VERSION,
            store: basis.state.metadata().id().to_owned(),
            batch: Uuid::new_v4().to_string(),
            run_id: batch.run_id,
            basis: basis.version,
            events: batch.events.iter().map(PreparedFile::of).collect(),
            objects: of(Table::Objects),
            rejects: of(Table::Rejects),
            line: 0,
        })
    }

    /// Commits a prepared batch under its own name, as it is or after what others have stored was taken out of it.
    ///
    /// The batch's own files of `events` stay where they are whatever happens, so that the commit can be tried again.
    ///
    /// # Errors
    ///
    /// Nothing is stored, unless the log itself cannot be read. In a bucket the files stay, as for [`Store::commit`].
    pub async fn commit_prepared(
        &self,
        basis: &TableSnapshot,
        prepared: &PreparedBatch,
        batch: CommitBatch,
    ) -> Result<CommitOutcome, StoreError> {
        let rows = derived_rows(batch.objects, batch.rejects, batch.usage);
        let derived = match self.stage_derived(rows).await {
            Ok(derived) => derived,
            Err(error) => {
                self.discard_made(prepared, batch.events);
                return Err(error);
            }
        };
        let staged = StagedBatch {
            id: prepared.batch.clone(),
            events: batch.events,
            derived,
        };
        if let Err(error) = failpoint::pass(Point::AddsCommitPut) {
            self.discard(staged.derived);
            self.discard_made(prepared, staged.events);
            return Err(StoreError::from_io(
                &self.table_folder(Table::Events),
                Access::Write,
                error,
            ));
        }
        let unused = |events| self.discard_made(prepared, events);
        self.land(basis, ("WRITE", &batch.run_id), staged, batch.committed_at, unused)
            .await
    }

    /// Removes the files that were made in place of a batch's own; its own remain for another attempt.
    pub fn discard_made(&self, batch: &PreparedBatch, files: Vec<StagedFile>) {
        let is_own = |file: &StagedFile| batch.events.iter().any(|own| own.path == file.path);
        self.discard(files.into_iter().filter(|file| !is_own(file)).collect());
    }

    /// Removes all files of a batch that could not be kept for its commit.
    ///
    /// In a bucket they stay: a request that got no answer may have kept it.
    pub fn abandon(&self, batch: &PreparedBatch) {
        if self.storage().remote().is_none() {
            self.discard(
                batch
                    .files()
                    .filter_map(|(table, file)| file.staged(self, table))
                    .collect(),
            );
        }
    }

    /// Removes the files of a batch that its commit did not take over: its ledger rows, which it wrote anew, and files of
    /// `events` that it changed.
    pub fn discard_rest(&self, batch: &PreparedBatch, committed: &TableSnapshot) {
        let kept: HashSet<&str> = committed.files.iter().map(|file| file.path.as_str()).collect();
        let rest = batch
            .files()
            .filter(|(table, file)| *table != Table::Events || !kept.contains(file.path.as_str()));
        self.discard(rest.filter_map(|(table, file)| file.staged(self, table)).collect());
    }

    /// Names of the batches that were committed after one version and up to another.
    ///
    /// # Errors
    ///
    /// A log entry cannot be read.
    pub async fn committed_batches(&self, after: u64, last: u64) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for version in after.saturating_add(1)..=last {
            let head = self.commit_head(Table::Events, version).await?;
            names.extend(head.and_then(|head| head.batch).map(|record| record.batch));
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_days_as_they_are_written_name_a_day() {
        assert_eq!(day_of("event_date=1970-01-02"), Some(Some(1)));
        assert_eq!(day_of("event_date=__HIVE_DEFAULT_PARTITION__"), Some(None));
        for other in [
            "1970-01-02",
            "event_date=",
            "event_date=1970-1-2",
            "event_date=..",
            "event_date=1970-02-30",
            "..",
        ] {
            assert_eq!(day_of(other), None, "{other}");
        }
    }

    #[test]
    fn line_of_another_format_or_version_is_refused_with_the_reason() {
        let line = |format: &str, version: u32| {
            format!(
                r#"{{"format":"{format}","schemaVersion":{version},"store":"s","batch":"00000000-0000-4000-8000-000000000000","runId":"r","basis":0,"events":[],"objects":null,"rejects":null}}"#
            )
        };
        let sound = line(FORMAT, schema::SCHEMA_VERSION);
        assert_eq!(
            PreparedBatch::parse(&format!("{sound}\n\n{sound}\n")).map(|batches| batches.len()),
            Ok(2)
        );
        for (text, reason) in [
            (
                line("other/1", schema::SCHEMA_VERSION),
                "line 1: the format is `other/1`",
            ),
            (
                line(FORMAT, schema::SCHEMA_VERSION + 1),
                "line 1: its rows have schema version",
            ),
            (format!("{sound}\n{{"), "line 2: "),
            (String::new(), "it holds no batch"),
        ] {
            let refusal = PreparedBatch::parse(&text).unwrap_err();
            assert!(refusal.starts_with(reason), "{refusal}");
        }
    }
}
