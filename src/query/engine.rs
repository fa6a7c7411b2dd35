//! What every session runs with: limits, settings of the engine and its optimizer.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::config::Dialect;
use datafusion::config::SpillCompression;
use datafusion::execution::SessionState;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::disk_manager::DiskManagerMode;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::optimizer::Optimizer;
use datafusion::optimizer::OptimizerRule;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::prelude::SessionConfig;

use super::catalog;
use super::comparisons::analyzer_rules;
use super::cooperation::CooperativeJoins;
use super::derived::RowSource;
use crate::iam::Facts;
use crate::source::S3Options;
use crate::store::Store;

/// Largest `in (…)` list that still rules out files and row groups: the roles of a large account.
const MAX_IN_LIST_SIZE: usize = 256;
/// Consumers that an out-of-memory message names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);
/// Memory of one thread per row of a batch, so that a batch of rows of 2 KB takes a thirty-second of it. A merge sets aside
/// four batches for each spilled run.
const BYTES_PER_BATCH_ROW: usize = 64 << 10;
/// Spilled runs that are merged at once. A merge takes as many as there is memory for, and the threads' merges together
/// would leave none for what comes after them.
const MERGED_RUNS: usize = 4;
/// Fewer rows per batch only cost time.
const SMALLEST_BATCH_ROWS: usize = 64;
/// Memory that a sort keeps back for merging what it spilled.
const LARGEST_MERGE_BYTES: usize = 10 << 20;
/// Memory for Parquet footers and page indexes, kept between the queries of a session.
const FOOTER_CACHE_BYTES: usize = 256 << 20;

/// Limits of a session.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Memory for the operators of all running queries together, in bytes; what row sources ask has as much again.
    pub memory_limit_bytes: usize,
    /// Folder for spilled rows; the temporary folder of the system when absent.
    pub spill_dir: Option<PathBuf>,
    /// Largest total size of spilled rows, in bytes.
    pub spill_limit_bytes: u64,
    /// Threads that a query uses.
    pub target_partitions: usize,
    /// Rows per batch.
    pub batch_size: usize,
    /// The moment that relative times such as `T-90d` count from, in microseconds since 1970.
    pub now_micros: i64,
    /// Facts for `iam_actions`; the embedded ones when absent, read when a statement first needs them.
    pub facts: Option<&'static Facts>,
    /// How `read_cloudtrail` reaches buckets.
    pub s3: S3Options,
    /// Table functions whose rows are made above `query`.
    pub row_sources: Vec<Arc<dyn RowSource>>,
}

impl SessionOptions {
    /// 1 GiB of memory, 100 GB of spilled rows, batches of 8192 rows.
    pub fn new(target_partitions: usize, now_micros: i64) -> Self {
        Self {
            memory_limit_bytes: 1 << 30,
            spill_dir: None,
            spill_limit_bytes: 100_000_000_000,
            target_partitions,
            batch_size: 8192,
            now_micros,
            facts: None,
            s3: S3Options::default(),
            row_sources: Vec::new(),
        }
    }
}

/// A state with the engine's own functions, and no tables.
pub(super) fn state(options: &SessionOptions) -> Result<SessionState, DataFusionError> {
    let state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config(options))
        .with_analyzer_rules(analyzer_rules())
        .with_optimizer_rules(optimizer_rules())
        .with_physical_optimizer_rule(Arc::new(CooperativeJoins))
        .with_runtime_env(Arc::new(runtime(options)?))
        .build();
    Ok(state)
}

fn config(options: &SessionOptions) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(catalog::CATALOG, catalog::SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(options.target_partitions.max(1))
        .with_batch_size(batch_rows(options))
        .with_sort_spill_reservation_bytes((thread_bytes(options) / 8).min(LARGEST_MERGE_BYTES))
        .with_spill_compression(SpillCompression::Zstd);
    let settings = config.options_mut();
    settings.sql_parser.dialect = Dialect::PostgreSQL;
    settings.execution.parquet.max_in_list_size = MAX_IN_LIST_SIZE;
    // Most questions keep few rows: the columns that are only shown, JSON above all, are decoded for those rows alone.
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    // The rule fails with "duplicate qualified field name" on a view that gives one column two names, as the compatibility
    // views do; their nested names are folded to flat columns without it.
    settings.optimizer.enable_leaf_expression_pushdown = false;
    config
}

/// Memory for each thread of a query.
fn thread_bytes(options: &SessionOptions) -> usize {
    options.memory_limit_bytes / options.target_partitions.max(1)
}

/// Rows per batch, fewer where there is little memory: a sort that spills needs room for some whole batches.
fn batch_rows(options: &SessionOptions) -> usize {
    let fitting = (thread_bytes(options) / BYTES_PER_BATCH_ROW).max(SMALLEST_BATCH_ROWS);
    options.batch_size.clamp(1, fitting)
}

/// The engine's rules, with one more round of simplification where filters have just reached the tables below the views.
///
/// Without it, a comparison of `eventtime` with two texts is taken for a common sub-expression before it is turned into one
/// of `event_time`, and is then computed as text.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Vec::new();
    for rule in Optimizer::new().rules {
        let moves_filters = rule.name() == "push_down_filter";
        rules.push(rule);
        if moves_filters {
            rules.push(Arc::new(SimplifyExpressions::new()));
        }
    }
    rules
}

/// Memory, spill folder and caches.
fn runtime(options: &SessionOptions) -> Result<RuntimeEnv, DataFusionError> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(options.memory_limit_bytes), NAMED_CONSUMERS);
    let mode = match &options.spill_dir {
        Some(spill_dir) => DiskManagerMode::Directories(vec![spill_dir.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let disk_manager = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(options.spill_limit_bytes)
        .with_max_spill_merge_fan_in(MERGED_RUNS);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(disk_manager)
        .with_metadata_cache_limit(FOOTER_CACHE_BYTES)
        .build()
}

/// Makes the bucket of a store known to the scans of its files, and no other bucket.
pub(super) fn register_bucket(runtime: &RuntimeEnv, store: Option<&Store>) {
    if let Some((url, files)) = store.and_then(Store::bucket) {
        drop(runtime.register_object_store(url, files));
    }
}
