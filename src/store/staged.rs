//! Reading files that are staged and not committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::new_null_array;
use arrow::compute::cast;
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use arrow::datatypes::FieldRef;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::EventKey;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::parquet_file::SORT_COLUMNS;
use super::parquet_file::is_sorted;
use super::parquet_file::rows_error;
use super::statistics::FileStatistics;
use super::statistics::StatisticsColumns;
use crate::schema;
use crate::schema::Table;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

impl StagedFile {
    /// Bounds of `event_time`, microseconds since 1970-01-01T00:00:00Z; `None` when the file has no readable time.
    pub fn event_times(&self) -> Option<(i64, i64)> {
        self.statistics.event_times()
    }

    /// Whether a row with this time belongs into this file.
    fn can_hold(&self, time: Option<i64>) -> bool {
        let day = time.map(|time| time.div_euclid(MICROSECONDS_PER_DAY));
        let is_within = match (time, self.event_times()) {
            (Some(time), Some((first, last))) => first <= time && time <= last,
            (time, _) => time.is_none(),
        };
        is_within && day == self.event_date.map(i64::from)
    }
}

impl Store {
    /// Calls `visit` with the key of every row of a staged file of `events`, in file order; blocks on file reads.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or its rows are not those that were told of it.
    pub fn staged_keys(&self, file: &StagedFile, mut visit: impl FnMut(EventKey<'_>)) -> Result<(), StoreError> {
        let (mut rows, mut strangers) = (0_u64, 0_u64);
        self.event_keys(&file.data_file(0), |key| {
            rows += 1;
            strangers += u64::from(!file.can_hold(key.time));
            visit(key);
        })?;
        if rows == file.rows && strangers == 0 {
            return Ok(());
        }
        Err(self.altered(file))
    }

    /// The rows of a staged file, laid out as for staging them again; blocks on file reads.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not one of its table.
    pub fn staged_rows(&self, file: &StagedFile) -> Result<RecordBatch, StoreError> {
        self.staged_columns(file, &layout_of(file.table))
    }

    /// Compares the bounds and the order that are told of a staged file with its rows: readers pass over files, and leave
    /// out sorting, because of them. Blocks on file reads.
    pub(super) fn check_told(&self, file: &StagedFile) -> Result<(), StoreError> {
        let layout = layout_of(file.table);
        let is_told = |name: &String| {
            let is_one_of = |names: &[&str]| names.contains(&name.as_str());
            is_one_of(file.table.statistics_columns()) || is_one_of(&SORT_COLUMNS)
        };
        let fields = layout.fields().iter().filter(|field| is_told(field.name()));
        let fields: Vec<FieldRef> = fields.cloned().collect();
        let rows = self.staged_columns(file, &Arc::new(Schema::new(fields)))?;
        let statistics = FileStatistics::of_batch(file.table, &rows).to_json();
        let statistics = StatisticsColumns::of(file.table).parse(&statistics);
        let path = self.table_folder(file.table).join(&file.path);
        let is_in_order = is_sorted(&rows).map_err(|source| rows_error(&path, source))?;
        match statistics == file.statistics && is_in_order == file.sorted {
            true => Ok(()),
            false => Err(self.altered(file)),
        }
    }

    fn staged_columns(&self, file: &StagedFile, layout: &SchemaRef) -> Result<RecordBatch, StoreError> {
        let names: Vec<&str> = layout.fields().iter().map(|field| field.name().as_str()).collect();
        let (path, reader) = self.read_columns(file.table, &file.data_file(0), &names)?;
        let mut batches = Vec::new();
        for batch in reader {
            let batch = batch.map_err(|source| rows_error(&path, source))?;
            let is_whole = layout
                .fields()
                .iter()
                .all(|field| batch.column_by_name(field.name()).is_some());
            let rows = laid_out(&batch, layout).ok().filter(|_| is_whole);
            batches.push(rows.ok_or_else(|| self.altered(file))?);
        }
        let rows = concat_batches(layout, &batches).map_err(|source| rows_error(&path, source))?;
        if u64::try_from(rows.num_rows()).is_ok_and(|count| count == file.rows) {
            return Ok(rows);
        }
        Err(self.altered(file))
    }

    /// Rows of a staged file of `events`, by the object that they came from; blocks on file reads.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not one of its table.
    pub fn staged_objects(&self, file: &StagedFile) -> Result<BTreeMap<String, u64>, StoreError> {
        let (path, reader) = self.read_columns(file.table, &file.data_file(0), &["object_key"])?;
        let mut objects: BTreeMap<String, u64> = BTreeMap::new();
        for batch in reader {
            let batch = batch.map_err(|source| rows_error(&path, source))?;
            let keys = batch.column_by_name("object_key");
            let keys = keys.and_then(|keys| cast(keys, &DataType::Utf8).ok());
            let keys = keys.as_ref().and_then(|keys| keys.as_string_opt::<i32>());
            for key in keys.ok_or_else(|| self.altered(file))?.iter().flatten() {
                match objects.get_mut(key) {
                    Some(rows) => *rows += 1,
                    None => drop(objects.insert(key.to_owned(), 1)),
                }
            }
        }
        Ok(objects)
    }

    fn altered(&self, file: &StagedFile) -> StoreError {
        StoreError::DamagedFile {
            path: self.table_folder(file.table).join(&file.path).display().to_string(),
            reason: "does not hold the rows that are told of it".to_owned(),
        }
    }
}

/// How the rows of a table are laid out for staging.
pub(super) fn layout_of(table: Table) -> SchemaRef {
    match table {
        Table::Events => schema::events_file(),
        other => other.schema(),
    }
}

/// The columns of a layout; null where a file of an earlier version of this program lacks one.
pub(super) fn laid_out(batch: &RecordBatch, layout: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = layout.fields().iter().map(|field| {
        let found = batch.column_by_name(field.name());
        let missing = || {
            field
                .is_nullable()
                .then(|| new_null_array(field.data_type(), batch.num_rows()))
        };
        match found
            .map(|column| cast(column, field.data_type()))
            .or_else(|| missing().map(Ok))
        {
            Some(column) => column,
            None => Err(ArrowError::SchemaError(format!(
                "the column `{}` is missing",
                field.name()
            ))),
        }
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(Arc::clone(layout), columns)
}
