//! Making files that are complete and durable, and wait for their commit.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use uuid::Uuid;

use super::StoreError;
use super::durable;
use super::error::Access;
use super::files::Files;
use super::parquet_file::encode;
use super::parquet_file::is_sorted;
use super::parquet_file::rows_error;
use super::statistics::FileStatistics;
use super::statistics::day_text;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema;
use crate::schema::Table;

/// A Parquet file that is complete and durable, but in no table until it is committed.
#[derive(Debug)]
pub struct StagedFile {
    pub(super) table: Table,
    /// Path below the table's folder, `/` between its parts.
    pub(super) path: String,
    /// The file itself, or for messages its URI.
    pub(super) absolute: PathBuf,
    pub(super) size: u64,
    pub(super) rows: u64,
    pub(super) event_date: Option<i32>,
    pub(super) statistics: FileStatistics,
    pub(super) sorted: bool,
}

impl StagedFile {
    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.size
    }

    /// Partition of an `events` file: days since 1970-01-01.
    pub fn event_date(&self) -> Option<i32> {
        self.event_date
    }
}

/// Removes staged files; one that cannot be removed belongs to no table and is only wasted space.
pub(super) fn discard(files: &Files, staged: &[StagedFile]) {
    match files {
        Files::Folder(_) => staged
            .iter()
            .for_each(|file| drop(durable::remove_file(&file.absolute))),
        Files::Bucket(remote) => remote.remove(staged.iter().map(|file| (file.table, file.path.as_str()))),
    }
}

/// Writes a batch as one durable file of a table.
pub(super) fn stage(
    files: &Files,
    table: Table,
    event_date: Option<i32>,
    batch: &RecordBatch,
) -> Result<StagedFile, StoreError> {
    check_columns(table, batch)?;
    let table_folder = match files {
        Files::Folder(folder) => folder.join(table.name()),
        Files::Bucket(remote) => remote.uri(table, ""),
    };
    let sorted = table == Table::Events && is_sorted(batch).map_err(|source| rows_error(&table_folder, source))?;
    let name = format!("part-{}.zstd.parquet", Uuid::new_v4());
    let path = match partition_folder(table, event_date)? {
        Some(folder) => format!("{folder}/{name}"),
        None => name,
    };
    let absolute = table_folder.join(&path);
    let io_error = |source| StoreError::from_io(&absolute, Access::Write, source);
    failpoint::pass(Point::FilePut).map_err(io_error)?;
    let size = match files {
        Files::Folder(_) => match write(&absolute, table, sorted, batch) {
            Ok(size) => size,
            Err(error) => {
                // The error is what counts; a partial file belongs to no table.
                drop(durable::remove_file(&absolute));
                return Err(error);
            }
        },
        Files::Bucket(remote) => {
            let mut bytes = Vec::new();
            let encoded = encode(&mut bytes, table, sorted, batch);
            encoded.map_err(|source| StoreError::from_parquet(&absolute, Access::Write, source))?;
            let size = bytes.len() as u64;
            failpoint::pass(Point::FileWritten).map_err(io_error)?;
            let written = remote.write(table, &path, bytes);
            let written = written.and_then(|()| failpoint::pass(Point::FileDurable).map_err(io_error));
            if let Err(error) = written {
                // It may be there in spite of the error, and no log will name it.
                remote.remove([(table, path.as_str())].into_iter());
                return Err(error);
            }
            size
        }
    };
    let statistics = FileStatistics::of_batch(table, batch);
    let rows = statistics.rows.unwrap_or_default();
    Ok(StagedFile {
        table,
        path,
        absolute,
        size,
        rows,
        event_date,
        statistics,
        sorted,
    })
}

fn write(path: &Path, table: Table, sorted: bool, batch: &RecordBatch) -> Result<u64, StoreError> {
    let io_error = |source| StoreError::from_io(path, Access::Write, source);
    let folder = path.parent().unwrap_or(path);
    durable::create_folders(folder).map_err(io_error)?;
    let file = durable::create_file(path).map_err(io_error)?;
    encode(&file, table, sorted, batch).map_err(|source| StoreError::from_parquet(path, Access::Write, source))?;
    failpoint::pass(Point::FileWritten).map_err(io_error)?;
    durable::sync_file(path, &file).map_err(io_error)?;
    failpoint::pass(Point::FileSynced).map_err(io_error)?;
    durable::sync_folder(folder).map_err(io_error)?;
    failpoint::pass(Point::FileDurable).map_err(io_error)?;
    Ok(file.metadata().map_err(io_error)?.len())
}

fn check_columns(table: Table, batch: &RecordBatch) -> Result<(), StoreError> {
    let expected = match table {
        Table::Events => schema::events_file(),
        other => other.schema(),
    };
    let found = batch.schema();
    if Arc::ptr_eq(&expected, &found) || expected.fields() == found.fields() {
        return Ok(());
    }
    let pairs = expected.fields().iter().zip(found.fields());
    let reason = pairs
        .filter(|(expected, found)| expected != found)
        .map(|(expected, found)| format!("expected column `{expected}`, found `{found}`"));
    let reason = reason.into_iter().next().unwrap_or_else(|| {
        format!(
            "expected {} columns, found {}",
            expected.fields().len(),
            found.fields().len()
        )
    });
    Err(StoreError::WrongColumns {
        table: table.name(),
        reason,
    })
}

fn partition_folder(table: Table, event_date: Option<i32>) -> Result<Option<String>, StoreError> {
    if table != Table::Events {
        return Ok(None);
    }
    let value = match event_date {
        None => "__HIVE_DEFAULT_PARTITION__".to_owned(),
        Some(days) => day_text(days).ok_or(StoreError::DayOutOfRange { days })?,
    };
    Ok(Some(format!("{}={value}", schema::EVENT_DATE)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::events;
    use super::super::testing::objects;
    use super::*;

    #[test]
    fn batch_with_the_columns_of_another_table_is_refused_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = stage(
            &Files::Folder(folder.path().to_owned()),
            Table::Events,
            None,
            &objects(&[("a", "b")]),
        )
        .unwrap_err();
        assert!(
            matches!(error, StoreError::WrongColumns { table: "events", .. }),
            "{error:?}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn day_beyond_the_calendar_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::Folder(folder.path().to_owned());
        let error = stage(&files, Table::Events, Some(i32::MAX), &events(&["a"])).unwrap_err();
        assert!(matches!(error, StoreError::DayOutOfRange { .. }), "{error:?}");
    }
}
