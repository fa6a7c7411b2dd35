//! The rows of several data files, sorted into one.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::DictionaryArray;
use arrow::array::Int32Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::compute::SortColumn;
use arrow::compute::SortOptions;
use arrow::compute::concat;
use arrow::compute::lexsort_to_indices;
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::CompactionGroup;
use super::DataFile;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::parquet_file::rows_error;
use super::stage;
use super::staged::laid_out;
use super::staged::layout_of;
use super::usage_sums;
use crate::failpoint;
use crate::failpoint::Point;
use crate::schema::Table;

/// Columns of a file hold less than 2 GiB of text.
const MOST_BYTES: usize = 1 << 30;

/// Rows of files, column by column in the parts in which they were read.
struct Parts {
    columns: Vec<Vec<ArrayRef>>,
    bytes: usize,
}

impl Store {
    /// Writes the rows of a group as one sorted file that no table contains yet; blocks.
    ///
    /// Rows of the rollup that are alike become one. Memory is bounded: files that do not fit any more are taken out of the
    /// group, which gives them back. `None` when that leaves less than two.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written, or what was written is not what was read.
    pub fn rewrite(&self, group: &mut CompactionGroup, memory_bytes: usize) -> Result<Option<StagedFile>, StoreError> {
        let layout = layout_of(group.table);
        let share = match group.table {
            // It is sorted by most of its columns, and its sums are in memory beside them.
            Table::Usage => 4,
            _ => 2,
        };
        let most = (memory_bytes / share).min(MOST_BYTES);
        let mut parts = Parts {
            columns: vec![Vec::new(); layout.fields().len()],
            bytes: 0,
        };
        let mut fitting = 0;
        for file in &group.files {
            if !self.gather(group.table, file, &layout, (&mut parts, most))? {
                break;
            }
            fitting += 1;
        }
        // One that leaves no room for another stays as it is.
        group.limit(fitting.max(1));
        if fitting < 2 {
            return Ok(None);
        }
        let folder = self.table_folder(group.table);
        let failed = |source| rows_error(&folder, source);
        let mut rows = sorted(group.table, &layout, parts).map_err(failed)?;
        let mut totals = None;
        if group.table == Table::Usage {
            totals = Some(usage_sums::totals(&rows).map_err(failed)?);
            rows = usage_sums::summed(&rows).map_err(failed)?;
        }
        let staged = stage::stage(self.storage(), group.table, group.event_date, &rows)?;
        drop(rows);
        match self.check_rewritten(group, &staged, totals) {
            Ok(()) => Ok(Some(staged)),
            Err(error) => {
                self.discard(vec![staged]);
                Err(error)
            }
        }
    }

    /// Reads a file; false, and nothing of it, when there is no room for it.
    fn gather(
        &self,
        table: Table,
        file: &DataFile,
        layout: &SchemaRef,
        (parts, most): (&mut Parts, usize),
    ) -> Result<bool, StoreError> {
        let names: Vec<&str> = layout.fields().iter().map(|field| field.name().as_str()).collect();
        let (path, batches) = self.read_columns(table, file, &names)?;
        let (mut own, mut rows, mut bytes) = (Vec::new(), 0, parts.bytes);
        for batch in batches {
            let laid_out = batch.and_then(|batch| laid_out(&batch, layout));
            let laid_out = laid_out.map_err(|source| rows_error(&path, source))?;
            let columns = laid_out.columns().to_vec();
            bytes += columns
                .iter()
                .map(|column| column.get_array_memory_size())
                .sum::<usize>();
            if bytes > most {
                return Ok(false);
            }
            rows += columns.first().map_or(0, |column| column.len() as u64);
            own.push(columns);
        }
        if rows != file.rows {
            return Err(StoreError::DamagedFile {
                path: path.display().to_string(),
                reason: format!("has {rows} rows instead of {}", file.rows),
            });
        }
        for columns in own {
            for (column, parts) in columns.into_iter().zip(&mut parts.columns) {
                parts.push(column);
            }
        }
        parts.bytes = bytes;
        Ok(true)
    }

    /// Compares what was written with what it is made of; `totals` are those of the rollup.
    fn check_rewritten(
        &self,
        group: &CompactionGroup,
        staged: &StagedFile,
        totals: Option<[i64; 3]>,
    ) -> Result<(), StoreError> {
        let at_point = failpoint::pass(Point::Rewritten);
        at_point.map_err(|error| self.unwritable(error))?;
        let mut is_same = match totals {
            Some(totals) => self.usage_totals(&staged.data_file(0))? == (staged.rows, totals),
            None => staged.rows == group.rows(),
        };
        if group.table == Table::Events {
            let hasher = RandomState::new();
            let mut before = (0, 0);
            for file in &group.files {
                let (rows, sum) = self.key_sum(file, &hasher)?;
                before = (before.0 + rows, sum.wrapping_add(before.1));
            }
            is_same &= self.key_sum(&staged.data_file(0), &hasher)? == before;
        }
        match is_same {
            true => Ok(()),
            false => Err(StoreError::DamagedFile {
                path: self.table_folder(group.table).join(&staged.path).display().to_string(),
                reason: "does not hold the rows that were to be written; the files before it stay".to_owned(),
            }),
        }
    }

    /// Number of rows of a file of the rollup, and their sums.
    fn usage_totals(&self, file: &DataFile) -> Result<(u64, [i64; 3]), StoreError> {
        let (path, batches) = self.read_columns(Table::Usage, file, &usage_sums::COUNTS)?;
        let (mut rows, mut sums) = (0, [0; 3]);
        for batch in batches {
            let totals = batch.and_then(|batch| Ok((batch.num_rows() as u64, usage_sums::totals(&batch)?)));
            let (own_rows, own_sums) = totals.map_err(|source| rows_error(&path, source))?;
            rows += own_rows;
            sums.iter_mut().zip(own_sums).for_each(|(sum, own)| *sum += own);
        }
        Ok((rows, sums))
    }

    /// Number of events of a file and the sum of the hashes of their keys, in whatever order they are.
    fn key_sum(&self, file: &DataFile, hasher: &RandomState) -> Result<(u64, u64), StoreError> {
        let (mut rows, mut sum) = (0, 0_u64);
        self.event_keys(file, |key| {
            rows += 1;
            let hash = hasher.hash_one((key.account, key.region, key.event_id, key.time));
            sum = sum.wrapping_add(hash);
        })?;
        Ok((rows, sum))
    }
}

/// All rows in the order of the table, one column after the other so that little is in memory twice.
fn sorted(table: Table, layout: &SchemaRef, mut parts: Parts) -> Result<RecordBatch, ArrowError> {
    let options = Some(SortOptions {
        descending: false,
        nulls_first: true,
    });
    let mut order = Vec::new();
    for name in columns_in_order(table, layout) {
        let own = parts.columns.get(layout.index_of(name)?);
        order.push(SortColumn {
            values: together(own.map(Vec::as_slice).unwrap_or_default())?,
            options,
        });
    }
    let order = lexsort_to_indices(&order, None)?;
    let columns = layout
        .fields()
        .iter()
        .zip(parts.columns.iter_mut())
        .map(|(field, parts)| {
            let column = take(&together(&std::mem::take(parts))?, &order, None)?;
            match column.as_dictionary_opt::<Int32Type>() {
                Some(numbered) if field.data_type() == numbered.data_type() => renumbered(numbered),
                _ => Ok(column),
            }
        });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(Arc::clone(layout), columns)
}

/// The same texts with each numbered once, in the order of their first row: the parts number them each for itself.
fn renumbered(column: &DictionaryArray<Int32Type>) -> Result<ArrayRef, ArrowError> {
    let Some(texts) = column.values().as_string_opt::<i32>() else {
        return Ok(Arc::new(column.clone()));
    };
    let mut numbers: HashMap<&str, i32> = HashMap::new();
    let mut values: Vec<&str> = Vec::new();
    let mut number_of = |text| {
        *numbers.entry(text).or_insert_with(|| {
            values.push(text);
            i32::try_from(values.len() - 1).unwrap_or(i32::MAX)
        })
    };
    let of_keys: Vec<Option<&str>> = texts.iter().collect();
    let keys = column.keys().iter().map(|key| {
        let text = key.and_then(|key| of_keys.get(usize::try_from(key).ok()?).copied().flatten());
        text.map(&mut number_of)
    });
    let keys: Int32Array = keys.collect();
    let values = StringArray::from_iter_values(values);
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(values))?))
}

fn together(parts: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let parts: Vec<_> = parts.iter().map(|part| &**part).collect();
    concat(&parts)
}

/// What rows are sorted by: a total order, so that the same rows give the same file.
fn columns_in_order(table: Table, layout: &Schema) -> Vec<&str> {
    let names: &[&str] = match table {
        Table::Events => &[
            "recipient_account_id",
            "principal_arn",
            "event_time",
            "event_id",
            "object_key",
            "record_index",
        ],
        Table::Objects => &["delivery_date", "object_key", "ingested_at", "etag", "size", "run_id"],
        Table::Rejects => &["object_key", "record_index", "run_id", "reason"],
        // Rows that are alike in these become one.
        Table::Usage => return usage_sums::key_columns(layout),
        Table::IamPrincipals => &["source_id", "principal_arn", "kind"],
        Table::IamPolicies => &["source_id", "policy_id", "version_id", "kind", "origin"],
        Table::IamStatements => &["source_id", "policy_id", "version_id", "statement_number"],
        Table::IamAttachments => &["source_id", "target", "kind", "attached"],
        Table::IamCredentials => &["source_id", "principal_arn", "kind", "user_name"],
        Table::IamOrganization => &["source_id", "node_id"],
        Table::IamSources => &["source_id"],
    };
    names.to_vec()
}
