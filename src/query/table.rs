//! A table of the store as the engine scans it: the active files of one snapshot, as a plain Parquet scan.
//!
//! The plan holds only `DataSourceExec` nodes, so it carries statistics and partition values and can be serialised.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::FieldRef;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::common::Statistics;
use datafusion::common::project_schema;
use datafusion::common::stats::Precision;
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::TableProviderFilterPushDown;
use datafusion::logical_expr::TableType;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::pruning::event_date;
use super::pruning::file_statistics;
use super::pruning::files_of_days;
use super::pruning::surviving_files;
use crate::schema::Table;
use crate::store::DataFile;
use crate::store::TableSnapshot;

/// Columns by which the rows of a `sorted` file of `events` stand, ascending, nulls first.
const SORT_COLUMNS: [&str; 3] = ["recipient_account_id", "principal_arn", "event_time"];

/// A file from this size on is read page by page, as far as the predicates need it.
const LARGE_FILE_BYTES: u64 = 32 << 20;

/// One snapshot of one table of the store.
#[derive(Debug)]
pub(super) struct StoreTable {
    snapshot: TableSnapshot,
    root: ListingTableUrl,
    /// What SQL sees: the order of `schema::Table::schema`.
    schema: SchemaRef,
    /// What a scan yields: file columns, then partition columns.
    scan_schema: TableSchema,
}

impl StoreTable {
    /// Wraps a snapshot; opens no file.
    pub(super) fn try_new(snapshot: TableSnapshot) -> Result<Self> {
        let schema = with_views(&snapshot.table.schema());
        let partition_columns = snapshot.table.partition_columns();
        let is_partition = |field: &&FieldRef| partition_columns.contains(&field.name().as_str());
        let partition_fields: Vec<FieldRef> = schema.fields().iter().filter(is_partition).cloned().collect();
        let file_fields: Vec<FieldRef> = schema
            .fields()
            .iter()
            .filter(|field| !is_partition(field))
            .cloned()
            .collect();
        let scan_schema = TableSchema::builder(Arc::new(Schema::new(file_fields)))
            .with_table_partition_cols(partition_fields)
            .build();
        let mut root_url = snapshot.root.clone();
        if !root_url.path().ends_with('/') {
            root_url.set_path(&format!("{}/", root_url.path()));
        }
        let root = ListingTableUrl::try_new(root_url, None)?;
        Ok(Self {
            snapshot,
            root,
            schema,
            scan_schema,
        })
    }

    /// The files that may hold rows for which all `filters` are true.
    fn files_for(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&Arc<DataFile>>> {
        let mut files: Vec<&Arc<DataFile>> = self.snapshot.files.iter().collect();
        let df_schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let partition_columns = self.snapshot.table.partition_columns();
        let (on_partition, on_rows): (Vec<&Expr>, Vec<&Expr>) = filters.iter().partition(|filter| {
            let columns = filter.column_refs();
            !columns.is_empty() && columns.iter().all(|column| partition_columns.contains(&column.name()))
        });
        if let Some(filter) = conjunction(on_partition.into_iter().cloned()) {
            let predicate = state.create_physical_expr(filter, &df_schema)?;
            files = files_of_days(files, &self.schema, &predicate)?;
        }
        if let Some(filter) = conjunction(on_rows.into_iter().cloned()) {
            let predicate = state.create_physical_expr(filter, &df_schema)?;
            let max_in_list_size = state.config_options().execution.parquet.max_in_list_size;
            files = surviving_files(files, &self.schema, &predicate, max_in_list_size)?;
        }
        Ok(files)
    }

    fn partitioned_file(&self, file: &DataFile) -> PartitionedFile {
        let mut partitioned_file = PartitionedFile::new(String::new(), file.size);
        partitioned_file.object_meta.location = file
            .path
            .split('/')
            .fold(self.root.prefix().clone(), |folder, name| folder.join(name));
        partitioned_file.object_meta.last_modified =
            chrono::DateTime::from_timestamp_millis(file.modified_at_ms).unwrap_or_default();
        let partition_values: Vec<ScalarValue> = self
            .scan_schema
            .table_partition_cols()
            .iter()
            .map(|_| event_date(file))
            .collect();
        let statistics = file_statistics(file, self.scan_schema.file_schema());
        let mut partitioned_file = partitioned_file
            .with_partition_values(partition_values)
            .with_statistics(Arc::new(statistics));
        // The engine takes it that partition values are never null.
        let is_null = file.event_date.is_none() && !partitioned_file.partition_values.is_empty();
        if let Some(statistics) = partitioned_file.statistics.as_mut().filter(|_| is_null) {
            let statistics = Arc::make_mut(statistics);
            let rows = statistics.num_rows;
            if let Some(of_day) = statistics.column_statistics.last_mut() {
                of_day.null_count = rows;
                of_day.distinct_count = Precision::Absent;
            }
        }
        partitioned_file
    }

    /// Groups with the statistics of their files, and those of all. `are_spent`: the files were chosen by their own already, so that
    /// they keep none: the engine would make a predicate over them once more for every file that it opens.
    fn with_group_statistics(
        &self,
        file_groups: Vec<FileGroup>,
        are_spent: bool,
    ) -> Result<(Vec<FileGroup>, Statistics)> {
        let schema = self.scan_schema.table_schema();
        let mut groups = Vec::with_capacity(file_groups.len());
        let mut totals = Vec::with_capacity(file_groups.len());
        for group in file_groups {
            let of_files = group.iter().filter_map(|file| file.statistics.as_deref());
            let total = Statistics::try_merge_iter(of_files, schema)?;
            let files = group.into_inner().into_iter().map(|file| PartitionedFile {
                statistics: file.statistics.filter(|_| !are_spent),
                ..file
            });
            groups.push(FileGroup::new(files.collect()).with_statistics(Arc::new(total.clone())));
            totals.push(total);
        }
        let statistics = Statistics::try_merge_iter(&totals, schema)?;
        Ok((groups, statistics))
    }

    /// Positions in the scan schema of the projected columns of the SQL schema.
    fn scan_indices(&self, projection: Option<&Vec<usize>>) -> Result<Vec<usize>> {
        let projected = project_schema(&self.schema, projection)?;
        let scan_schema = self.scan_schema.table_schema();
        projected
            .fields()
            .iter()
            .map(|field| Ok(scan_schema.index_of(field.name())?))
            .collect()
    }

    /// Whether every look at a file is a request over the network.
    fn is_far_away(&self) -> bool {
        self.snapshot.root.scheme() != "file"
    }

    /// Keeps footers for the next query of the session.
    fn caching_reader(&self, state: &dyn Session) -> Result<Arc<CachedParquetFileReaderFactory>> {
        let runtime = state.runtime_env();
        let files = runtime.object_store(self.root.object_store())?;
        let footers = runtime.cache_manager.get_file_metadata_cache();
        Ok(Arc::new(CachedParquetFileReaderFactory::new(files, footers)))
    }

    fn sort_order(&self) -> Option<LexOrdering> {
        if self.snapshot.table != Table::Events {
            return None;
        }
        let options = SortOptions {
            descending: false,
            nulls_first: true,
        };
        let sort_exprs = SORT_COLUMNS.iter().filter_map(|name| {
            let index = self.scan_schema.table_schema().index_of(name).ok()?;
            Some(PhysicalSortExpr::new(Arc::new(Column::new(name, index)), options))
        });
        LexOrdering::new(sort_exprs)
    }
}

#[async_trait]
impl TableProvider for StoreTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(as_hints(filters))
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.files_for(state, filters)?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)));
        }
        let target_partitions = state.config_options().execution.target_partitions.max(1);
        let one_file_per_group = files.len() <= target_partitions;
        let all_sorted = files.iter().all(|file| file.sorted);
        let partitioned_files: Vec<PartitionedFile> =
            files.into_iter().map(|file| self.partitioned_file(file)).collect();
        let file_groups: Vec<FileGroup> = if one_file_per_group {
            partitioned_files
                .into_iter()
                .map(|file| FileGroup::new(vec![file]))
                .collect()
        } else {
            FileGroup::new(partitioned_files).split_files(target_partitions)
        };
        // INVARIANT: an ordering is declared only where one group is one sorted file. Bounds of neighbouring files cannot
        // prove an order across them, because nulls come first in each.
        let output_ordering = self.sort_order().filter(|_| one_file_per_group && all_sorted);
        let mut options = state.config_options().execution.parquet.clone();
        options.enable_page_index &= self.is_far_away() || file_groups.iter().any(has_large_file);
        let table_options = TableParquetOptions {
            global: options,
            ..Default::default()
        };
        let source = ParquetSource::new(self.scan_schema.clone()).with_table_parquet_options(table_options);
        let source = source.with_parquet_file_reader_factory(self.caching_reader(state)?);
        // Filters that come up while the query runs, as those of `order by … limit`, need them if there is no other.
        let (file_groups, statistics) = self.with_group_statistics(file_groups, !filters.is_empty())?;
        let config = FileScanConfigBuilder::new(self.root.object_store(), Arc::new(source))
            .with_file_groups(file_groups)
            .with_statistics(statistics)
            .with_output_ordering(output_ordering.into_iter().collect())
            .with_projection_indices(Some(self.scan_indices(projection)?))?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Whether an index of pages spares more than it takes to read it and to make predicates over it.
fn has_large_file(group: &FileGroup) -> bool {
    group.iter().any(|file| file.object_meta.size >= LARGE_FILE_BYTES)
}

/// What a table says that only leaves files out by its filters: each is evaluated on the rows as well.
pub(super) fn as_hints(filters: &[&Expr]) -> Vec<TableProviderFilterPushDown> {
    vec![TableProviderFilterPushDown::Inexact; filters.len()]
}

/// The same columns with text and bytes as views, which the Parquet reader fills without copying.
pub(super) fn with_views(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => Field::clone(field).with_data_type(DataType::Utf8View),
        DataType::Binary => Field::clone(field).with_data_type(DataType::BinaryView),
        _ => Field::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
