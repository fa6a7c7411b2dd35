//! How rows are laid out in the Parquet files of a table.

use std::cmp::Ordering;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::DynComparator;
use arrow::array::RecordBatch;
use arrow::array::make_comparator;
use arrow::compute::SortOptions;
use arrow::datatypes::Int32Type;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowColumnWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::basic::Compression;
use parquet::basic::Encoding;
use parquet::basic::ZstdLevel;
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::EnabledStatistics;
use parquet::file::properties::WriterProperties;
use parquet::file::properties::WriterPropertiesBuilder;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::StoreError;
use super::dictionary_column::DictionaryEncoder;
use super::error::Access;
use crate::schema;
use crate::schema::Storage;
use crate::schema::Table;

/// Order of the rows of an `events` file: ascending, nulls first.
pub(super) const SORT_COLUMNS: [&str; 3] = ["recipient_account_id", "principal_arn", "event_time"];

/// Columns that are searched for single values all over the store.
const BLOOM_FILTER_COLUMNS: [&str; 4] = [
    "event_id",
    "request_id",
    "shared_event_id",
    "user_identity_access_key_id",
];

const BLOOM_FILTER_FALSE_POSITIVES: f64 = 0.01;
const ROW_GROUP_ROWS: usize = 256 * 1024;
const PAGE_ROWS: usize = 8 * 1024;
/// ARNs and user agents overflow the default of 1 MiB and would lose their dictionary.
const DICTIONARY_BYTES: usize = 4 * 1024 * 1024;
const ZSTD_LEVEL: i32 = 1;

/// Number of rows by the file's own footer, for files whose writer left the count out of the log.
pub(super) fn count_rows(path: &Path) -> Result<u64, StoreError> {
    let file = File::open(path).map_err(|source| StoreError::from_io(path, Access::Read, source))?;
    let reader =
        SerializedFileReader::new(file).map_err(|source| StoreError::from_parquet(path, Access::Read, source))?;
    let rows = reader.metadata().file_metadata().num_rows();
    Ok(u64::try_from(rows).unwrap_or_default())
}

/// Decodes all rows of a file and keeps none.
pub(super) fn decode(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::from_parquet(path, Access::Read, source);
    let file = File::open(path).map_err(|source| StoreError::from_io(path, Access::Read, source))?;
    let rows = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    for batch in rows.map_err(failed)? {
        batch.map_err(|error| failed(error.into()))?;
    }
    Ok(())
}

pub(super) fn rows_error(path: &Path, source: ArrowError) -> StoreError {
    StoreError::Rows {
        path: path.display().to_string(),
        source,
    }
}

/// Writes rows as a Parquet file.
pub(super) fn encode(
    file: impl Write + Send,
    table: Table,
    sorted: bool,
    batch: &RecordBatch,
) -> Result<(), ParquetError> {
    // Without the Arrow schema in the footer, readers see dictionary columns as the plain text they are.
    let options = ArrowWriterOptions::new()
        .with_properties(writer_properties(table, sorted, batch)?)
        .with_skip_arrow_metadata(true);
    let (mut writer, factory) =
        ArrowWriter::try_new_with_options(file, batch.schema(), options)?.into_serialized_writer()?;
    for (number, start) in (0..batch.num_rows()).step_by(ROW_GROUP_ROWS).enumerate() {
        let rows = batch.slice(start, ROW_GROUP_ROWS.min(batch.num_rows() - start));
        let columns = factory.create_column_writers(number)?;
        encode_group(&mut writer, columns, &rows)?;
    }
    writer.close()?;
    Ok(())
}

/// Encodes column after column, so that the pages of only one are in memory; `columns` has a writer for every leaf.
fn encode_group(
    writer: &mut SerializedFileWriter<impl Write + Send>,
    columns: Vec<ArrowColumnWriter>,
    rows: &RecordBatch,
) -> Result<(), ParquetError> {
    let properties = Arc::clone(writer.properties());
    let mut encoder = DictionaryEncoder::new(&properties, ZSTD_LEVEL)?;
    let descriptors = writer.schema_descr().columns().to_vec();
    let mut leaves = descriptors.iter().zip(columns).peekable();
    let mut group = writer.next_row_group()?;
    for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        let chunk = match leaves.peek() {
            Some((descriptor, _)) => encoder.encode(descriptor, array)?,
            None => None,
        };
        if let Some(chunk) = chunk {
            group.append_column(&chunk.bytes, chunk.close)?;
            leaves.next();
            continue;
        }
        for (leaf, (_, mut column)) in compute_leaves(field, array)?.iter().zip(leaves.by_ref()) {
            column.write(leaf)?;
            column.close()?.append_to_row_group(&mut group)?;
        }
    }
    group.close()?;
    Ok(())
}

fn writer_properties(table: Table, sorted: bool, batch: &RecordBatch) -> Result<WriterProperties, ParquetError> {
    let builder = WriterProperties::builder()
        .set_created_by(concat!("trimtrail version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES);
    let builder = match table {
        Table::Events => events_properties(builder, batch.num_rows()),
        _ => builder,
    };
    // INVARIANT: `sorting_columns` is set only when the whole file is sorted; readers skip their own sort because of it.
    let sorting_columns = if sorted {
        Some(sorting_columns(&batch.schema())?)
    } else {
        None
    };
    Ok(builder.set_sorting_columns(sorting_columns).build())
}

fn events_properties(builder: WriterPropertiesBuilder, rows: usize) -> WriterPropertiesBuilder {
    // Bounds cost two comparisons a row, and prune only in columns that queries filter by.
    let mut builder = builder.set_statistics_enabled(EnabledStatistics::None);
    for name in Table::Events.statistics_columns() {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(*name), EnabledStatistics::Page);
    }
    for column in schema::EVENT_COLUMNS {
        let path = ColumnPath::from(column.name);
        builder = match column.storage {
            // Ids of one length next to each other, without their lengths between them, are read and packed best.
            Storage::Text => builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY),
            Storage::Json => builder.set_column_dictionary_enabled(path, false),
            // Numbers of many values, which a dictionary would only list.
            _ if matches!(column.name, "event_time" | "record_index") => builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
            _ => builder,
        };
    }
    let distinct_values = u64::try_from(rows.clamp(1, ROW_GROUP_ROWS)).unwrap_or(u64::MAX);
    for name in BLOOM_FILTER_COLUMNS {
        let path = ColumnPath::from(name);
        builder = builder
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), BLOOM_FILTER_FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(path, distinct_values);
    }
    builder
}

/// Parquet counts leaves; every column before and at the sort columns is a single leaf.
fn sorting_columns(schema: &SchemaRef) -> Result<Vec<SortingColumn>, ParquetError> {
    SORT_COLUMNS
        .iter()
        .map(|name| {
            let index = schema.index_of(name)?;
            let column_idx = i32::try_from(index).map_err(|error| ParquetError::External(Box::new(error)))?;
            Ok(SortingColumn {
                column_idx,
                descending: false,
                nulls_first: true,
            })
        })
        .collect()
}

/// Whether the rows really are in file order.
pub(super) fn is_sorted(batch: &RecordBatch) -> Result<bool, ArrowError> {
    let options = SortOptions {
        descending: false,
        nulls_first: true,
    };
    let comparators = SORT_COLUMNS
        .iter()
        .map(|name| {
            let column = batch.column(batch.schema_ref().index_of(name)?);
            let compare = make_comparator(column, column, options)?;
            // Neighbours tend to have one value, which their numbers show sooner than their texts.
            let Some(numbered) = column.as_dictionary_opt::<Int32Type>() else {
                return Ok(compare);
            };
            let keys = numbered.keys().clone();
            let is_same =
                move |left, right| keys.is_valid(left) && keys.is_valid(right) && keys.value(left) == keys.value(right);
            let compare = move |left, right| {
                if is_same(left, right) {
                    Ordering::Equal
                } else {
                    compare(left, right)
                }
            };
            Ok(Box::new(compare) as DynComparator)
        })
        .collect::<Result<Vec<DynComparator>, ArrowError>>()?;
    let in_order = |row: usize| {
        let ordering = comparators
            .iter()
            .map(|compare| compare(row - 1, row))
            .find(|ordering| ordering.is_ne());
        ordering.is_none_or(|ordering| ordering.is_lt())
    };
    Ok((1..batch.num_rows()).all(in_order))
}

#[cfg(test)]
mod tests {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::ParquetMetaData;

    use super::super::files::Files;
    use super::super::stage::StagedFile;
    use super::super::stage::stage;
    use super::super::testing::CLOCK;
    use super::super::testing::DAY;
    use super::super::testing::events;
    use super::super::testing::events_with;
    use super::*;

    fn staged(batch: &RecordBatch) -> (tempfile::TempDir, StagedFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = stage(
            &Files::Folder(folder.path().to_owned()),
            Table::Events,
            Some(DAY),
            batch,
        )
        .unwrap();
        (folder, file)
    }

    fn footer(file: &StagedFile) -> ParquetMetaData {
        let reader = SerializedFileReader::new(File::open(&file.absolute).unwrap()).unwrap();
        reader.metadata().clone()
    }

    #[test]
    fn dictionary_columns_come_back_as_plain_text() {
        let (_folder, file) = staged(&events(&["a", "b"]));
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.absolute).unwrap()).unwrap();
        let names = |schema: &SchemaRef| {
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(builder.schema()), names(&schema::events_file()));
        for field in builder.schema().fields() {
            let logical = schema::events()
                .field_with_name(field.name())
                .unwrap()
                .data_type()
                .clone();
            assert_eq!(field.data_type(), &logical, "{}", field.name());
        }
        let batch = builder.build().unwrap().next().unwrap().unwrap();
        let principals = batch.column_by_name("principal_arn").unwrap().as_string::<i32>();
        assert_eq!(principals.value(1), "arn:aws:iam::111122223333:role/ops");
        assert_eq!(
            batch
                .column_by_name("request_parameters")
                .unwrap()
                .as_string::<i32>()
                .value(0),
            r#"{"a": 1.0}"#
        );
        assert!(batch.column_by_name("resources").unwrap().is_null(0));
    }

    #[test]
    fn sorted_file_says_so_with_the_right_leaves() {
        let (_folder, file) = staged(&events(&["a", "b"]));
        assert!(file.sorted);
        let footer = footer(&file);
        let group = footer.row_group(0);
        let names: Vec<_> = group
            .sorting_columns()
            .unwrap()
            .iter()
            .map(|column| {
                group
                    .column(usize::try_from(column.column_idx).unwrap())
                    .column_path()
                    .string()
            })
            .collect();
        assert_eq!(names, SORT_COLUMNS);
    }

    #[test]
    fn unsorted_rows_are_stored_without_the_claim() {
        let (ops, web) = (
            Some("arn:aws:iam::111122223333:role/ops"),
            Some("arn:aws:iam::111122223333:role/web"),
        );
        for (principals, times) in [
            ([web, ops], [CLOCK, CLOCK]),
            ([ops, ops], [CLOCK, CLOCK - 1]),
            ([ops, None], [CLOCK, CLOCK]),
        ] {
            let (_folder, file) = staged(&events_with(&["a", "b"], &principals, &times));
            assert!(!file.sorted);
            assert!(footer(&file).row_group(0).sorting_columns().is_none());
        }
        let (_folder, file) = staged(&events_with(&["a", "b"], &[None, ops], &[CLOCK, CLOCK - 1]));
        assert!(file.sorted, "nulls come first");
    }

    #[test]
    fn searched_columns_have_bloom_filters_and_only_filter_columns_have_statistics() {
        let (_folder, file) = staged(&events(&["a"]));
        let footer = footer(&file);
        assert!(footer.file_metadata().created_by().unwrap().starts_with("trimtrail"));
        for column in footer.row_group(0).columns() {
            let name = column.column_path().string();
            let is_searched = BLOOM_FILTER_COLUMNS.contains(&name.as_str());
            assert_eq!(column.bloom_filter_offset().is_some(), is_searched, "{name}");
            assert!(matches!(column.compression(), Compression::ZSTD(_)), "{name}");
            let is_filtered = Table::Events.statistics_columns().contains(&name.as_str());
            assert_eq!(column.statistics().is_some(), is_filtered, "{name}");
        }
    }

    #[test]
    fn rows_are_counted_from_the_footer() {
        let (_folder, file) = staged(&events(&["a", "b", "c"]));
        assert_eq!(count_rows(&file.absolute).unwrap(), 3);
    }
}
