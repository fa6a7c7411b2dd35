//! Finding the files of a batch that another process prepared, and comparing them with its line.
//!
//! Nothing in a line is believed, as its commit removes files that it names. And a commit names only young files, because
//! `store vacuum` removes files that are old and in no table, maybe at the same moment: old ones are written anew.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use object_store::ObjectMeta;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;

use super::PreparedBatch;
use crate::schema::Table;
use crate::store::CommitBatch;
use crate::store::StagedFile;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TableSnapshot;
use crate::store::vacuum::LEAST_AGE;

/// Files from this age on, in microseconds, are written anew: long before a vacuum may take them.
const OLD: i64 = LEAST_AGE / 2;

impl Store {
    /// Finds the files of a batch and compares them with what its line says; blocks on file reads. The rollup of its events
    /// is the caller's to make.
    ///
    /// Files of `events` that are old are replaced by new ones, which are the caller's to discard.
    ///
    /// # Errors
    ///
    /// [`StoreError::Prepared`] when the batch is for another store, or its files are not what it says.
    pub async fn open_prepared(
        &self,
        basis: &TableSnapshot,
        batch: &PreparedBatch,
        committed_at: i64,
    ) -> Result<CommitBatch, StoreError> {
        if batch.store != basis.state.metadata().id() || batch.basis > basis.version {
            return Err(batch.wrong("it was made for another store"));
        }
        let mut opened = CommitBatch {
            run_id: batch.run_id.clone(),
            events: Vec::new(),
            objects: RecordBatch::new_empty(Table::Objects.schema()),
            rejects: RecordBatch::new_empty(Table::Rejects.schema()),
            usage: None,
            committed_at,
        };
        let mut taken = self.stored_files().await?;
        let mut old = Vec::new();
        for (table, file) in batch.files() {
            let name = format!("{}/{}", table.name(), file.path);
            let staged = file
                .staged(self, table)
                .ok_or_else(|| batch.wrong(format!("`{name}` is no name of a data file")))?;
            if staged.statistics.rows != Some(file.rows) {
                return Err(batch.wrong(format!("the statistics of `{name}` do not fit its number of rows")));
            }
            if !taken.insert((table, file.path.clone())) {
                return Err(batch.wrong(format!("`{name}` is part of the store already, or named twice")));
            }
            let found = self.find(&staged).await;
            let found = found.map_err(|reason| batch.wrong(format!("`{name}` {reason}")))?;
            match table {
                Table::Objects => opened.objects = self.staged_rows(&staged)?,
                Table::Rejects => opened.rejects = self.staged_rows(&staged)?,
                _ => {
                    self.check_told(&staged)?;
                    let age = committed_at.saturating_sub(found.last_modified.timestamp_micros());
                    old.push(age >= OLD);
                    opened.events.push(staged);
                }
            }
        }
        opened.events = self.renewed(opened.events, &old)?;
        Ok(opened)
    }

    /// Paths of the files that any version has of the tables whose files a line names: no batch may name them.
    async fn stored_files(&self) -> Result<HashSet<(Table, String)>, StoreError> {
        let mut stored = HashSet::new();
        for table in [Table::Events, Table::Objects, Table::Rejects] {
            let named = self.named_files(table).await?;
            stored.extend(named.into_iter().map(|path| (table, path)));
        }
        Ok(stored)
    }

    async fn find(&self, file: &StagedFile) -> Result<ObjectMeta, String> {
        let path = ObjectPath::parse(&file.path).map_err(|error| error.to_string())?;
        let files = self.log_store(file.table).object_store(None);
        match files.head(&path).await {
            Ok(found) if found.size == file.size => Ok(found),
            Ok(found) => Err(format!("has {} bytes, not {}", found.size, file.size)),
            Err(object_store::Error::NotFound { .. }) => Err("is missing".to_owned()),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }

    /// The files, with new ones in place of those that are marked as old.
    fn renewed(&self, files: Vec<StagedFile>, old: &[bool]) -> Result<Vec<StagedFile>, StoreError> {
        let mut renewed = Vec::with_capacity(files.len());
        for (file, is_old) in files.into_iter().zip(old) {
            if !*is_old {
                renewed.push((file, false));
                continue;
            }
            let written = self
                .staged_rows(&file)
                .and_then(|rows| self.stage_events(file.event_date(), &rows));
            match written {
                Ok(new) => renewed.push((new, true)),
                Err(error) => {
                    let made = renewed.into_iter().filter(|(_, is_new)| *is_new);
                    self.discard(made.map(|(file, _)| file).collect());
                    return Err(error);
                }
            }
        }
        Ok(renewed.into_iter().map(|(file, _)| file).collect())
    }
}
