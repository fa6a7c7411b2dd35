//! One query session: limits, functions, tables, and the way from a text with parameters to a stream of rows.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::common::ParamValues;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::Dialect;
use datafusion::config::SpillCompression;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::disk_manager::DiskManagerMode;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::Optimizer;
use datafusion::optimizer::OptimizerRule;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::prelude::SQLOptions;
use datafusion::prelude::SessionConfig;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::QueryError;
use super::catalog;
use super::functions;
use super::header::Question;
use super::params;
use super::params::ParamText;
use super::raw::ReadCloudtrail;
use super::statement::parse_reading;
use super::suggest::closest;
use crate::store::Store;

/// Largest `in (…)` list that still rules out files and row groups: the roles of a large account.
const MAX_IN_LIST_SIZE: usize = 256;
/// Consumers that an out-of-memory message names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);
/// Memory for Parquet footers and page indexes, kept between the queries of a session.
const FOOTER_CACHE_BYTES: usize = 256 << 20;

/// Limits of a session.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Memory for the operators of all running queries together, in bytes.
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
        }
    }
}

/// The rows of one query, as they come.
pub struct ResultStream {
    /// Columns of every batch.
    pub schema: SchemaRef,
    /// Batches in the order of the query; ends after the first error.
    pub stream: BoxStream<'static, Result<RecordBatch, QueryError>>,
}

impl fmt::Debug for ResultStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResultStream")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// A table or view and its columns, for completion and help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// Name in SQL.
    pub name: String,
    /// Column names in order.
    pub columns: Vec<String>,
}

/// Runs statements that only read, over the tables of one store or over none.
pub struct QuerySession {
    context: SessionContext,
    now_micros: i64,
}

impl fmt::Debug for QuerySession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("QuerySession")
            .field("now_micros", &self.now_micros)
            .finish_non_exhaustive()
    }
}

impl QuerySession {
    /// Opens a session; reads nothing from the store until a query names a table.
    ///
    /// All tables show one version of the store: `version`, or the newest when a query first names a table.
    /// Without a store, only expressions and `read_cloudtrail` work.
    pub fn new(store: Option<&Store>, options: &SessionOptions, version: Option<u64>) -> Result<Self, QueryError> {
        let engine = |error: DataFusionError| QueryError::Engine {
            message: error.strip_backtrace(),
        };
        let runtime = runtime(options).map_err(engine)?;
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_config(config(options))
            .with_optimizer_rules(optimizer_rules())
            .with_runtime_env(Arc::new(runtime))
            .build();
        let mut context = SessionContext::new_with_state(state);
        functions::register(&mut context).map_err(engine)?;
        context.register_udtf("read_cloudtrail", Arc::new(ReadCloudtrail));
        context.register_catalog(catalog::CATALOG, catalog::catalog(store, version, context.state()));
        Ok(Self {
            context,
            now_micros: options.now_micros,
        })
    }

    /// Runs one statement with parameters; text is read as a value of the type that the statement asks for.
    ///
    /// Fails before anything is read when the statement does more than read, names something unknown, or a parameter is
    /// missing, unknown or not a value of its type.
    pub async fn sql(&self, text: &str, values: &[(String, ParamText)]) -> Result<ResultStream, QueryError> {
        self.run(text, values, &BTreeMap::new()).await
    }

    /// Runs a question of the library; optional parameters without a value are null.
    pub async fn ask(&self, question: &Question, values: &[(String, ParamText)]) -> Result<ResultStream, QueryError> {
        let is_given = |name: &str| values.iter().any(|(given, _)| given == name);
        let left_out = question
            .params
            .iter()
            .filter(|param| param.optional && !is_given(&param.name));
        let nulls = left_out.map(|param| (param.name.clone(), ParamText::Null));
        let all_values: Vec<(String, ParamText)> = values.iter().cloned().chain(nulls).collect();
        let declared = question
            .params
            .iter()
            .map(|param| (param.name.clone(), param.value_type.data_type()))
            .collect();
        self.run(&question.sql, &all_values, &declared).await
    }

    /// As [`Self::sql`], with types for parameters that the statement itself does not give a type.
    async fn run(
        &self,
        text: &str,
        values: &[(String, ParamText)],
        declared: &BTreeMap<String, DataType>,
    ) -> Result<ResultStream, QueryError> {
        let plan = self.bound_plan(text, values, declared).await?;
        let frame = DataFrame::new(self.context.state(), plan);
        let stream = match frame.execute_stream().await {
            Ok(stream) => stream,
            Err(error) => return Err(self.planning_error(error)),
        };
        let schema = stream.schema();
        let batches = stream.map(|batch| batch.map_err(QueryError::from_running));
        Ok(ResultStream {
            schema,
            stream: batches.boxed(),
        })
    }

    /// Plans a statement without running it and returns the types of its parameters, by name without `$`.
    ///
    /// `None` where the statement does not tell.
    pub async fn parameters(&self, text: &str) -> Result<BTreeMap<String, Option<DataType>>, QueryError> {
        let plan = self.plan(text).await?;
        placeholders(&plan).map_err(|error| self.planning_error(error))
    }

    /// All tables and views with their columns, by name.
    ///
    /// Opens every table, so an interactive session asks once.
    pub async fn tables(&self) -> Result<Vec<TableColumns>, QueryError> {
        let mut tables = Vec::new();
        for name in self.table_names() {
            let provider = self
                .context
                .table_provider(&name)
                .await
                .map_err(|error| self.planning_error(error))?;
            let columns = provider
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect();
            tables.push(TableColumns { name, columns });
        }
        Ok(tables)
    }

    /// Names of all functions, sorted, for completion.
    pub fn function_names(&self) -> Vec<String> {
        let state = self.context.state();
        let mut names: Vec<String> = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys())
            .chain(state.table_functions().keys())
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn table_names(&self) -> Vec<String> {
        let catalog = self.context.catalog(catalog::CATALOG);
        catalog
            .and_then(|catalog| catalog.schema(catalog::SCHEMA))
            .map_or_else(Vec::new, |schema| schema.table_names())
    }

    async fn plan(&self, text: &str) -> Result<LogicalPlan, QueryError> {
        let state = self.context.state();
        let statement = parse_reading(text, state.config_options().sql_parser.recursion_limit.into())?;
        let planned = state.statement_to_plan(statement).await;
        let plan = planned.map_err(|error| self.planning_error(error))?;
        let only_reading = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        only_reading
            .verify_plan(&plan)
            .map_err(|error| self.planning_error(error))?;
        Ok(plan)
    }

    async fn bound_plan(
        &self,
        text: &str,
        values: &[(String, ParamText)],
        declared: &BTreeMap<String, DataType>,
    ) -> Result<LogicalPlan, QueryError> {
        let plan = self.plan(text).await?;
        let wanted = placeholders(&plan).map_err(|error| self.planning_error(error))?;
        let given = given_by_name(values, &wanted)?;
        if wanted.is_empty() {
            return Ok(plan);
        }
        let mut scalars = HashMap::new();
        for (name, inferred) in wanted {
            let text = given
                .get(name.as_str())
                .ok_or_else(|| QueryError::MissingParameter { name: name.clone() })?;
            let data_type = inferred
                .or_else(|| declared.get(&name).cloned())
                .unwrap_or(DataType::Utf8);
            let scalar = params::value(&name, text, &data_type, self.now_micros)?;
            scalars.insert(name, scalar);
        }
        plan.with_param_values(ParamValues::from(scalars))
            .map_err(|error| self.planning_error(error))
    }

    fn planning_error(&self, error: DataFusionError) -> QueryError {
        QueryError::from_planning(error, &self.table_names(), &self.function_names())
    }
}

fn config(options: &SessionOptions) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(catalog::CATALOG, catalog::SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(options.target_partitions.max(1))
        .with_batch_size(options.batch_size.max(1))
        .with_spill_compression(SpillCompression::Zstd);
    let settings = config.options_mut();
    settings.sql_parser.dialect = Dialect::PostgreSQL;
    settings.execution.parquet.max_in_list_size = MAX_IN_LIST_SIZE;
    // The rule fails with "duplicate qualified field name" on a view that gives one column two names, as the compatibility
    // views do; their nested names are folded to flat columns without it.
    settings.optimizer.enable_leaf_expression_pushdown = false;
    config
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

fn runtime(options: &SessionOptions) -> Result<RuntimeEnv, DataFusionError> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(options.memory_limit_bytes), NAMED_CONSUMERS);
    let mode = match &options.spill_dir {
        Some(spill_dir) => DiskManagerMode::Directories(vec![spill_dir.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let disk_manager = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(options.spill_limit_bytes);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(disk_manager)
        .with_metadata_cache_limit(FOOTER_CACHE_BYTES)
        .build()
}

/// Every `$name` of a plan, with its type where one of its uses tells it.
///
/// `LogicalPlan::get_parameter_types` forgets a type when a later use has none, as in `x >= $since or $since is null`.
fn placeholders(plan: &LogicalPlan) -> Result<BTreeMap<String, Option<DataType>>, DataFusionError> {
    let mut found: BTreeMap<String, Option<DataType>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Placeholder(placeholder) = expr {
                    let name = placeholder.id.trim_start_matches('$').to_owned();
                    let data_type = placeholder.field.as_ref().map(|field| field.data_type().clone());
                    let known = found.entry(name).or_default();
                    *known = known.take().or(data_type);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

fn given_by_name<'a>(
    values: &'a [(String, ParamText)],
    wanted: &BTreeMap<String, Option<DataType>>,
) -> Result<BTreeMap<&'a str, &'a ParamText>, QueryError> {
    let mut given = BTreeMap::new();
    for (name, text) in values {
        if !wanted.contains_key(name) {
            return Err(QueryError::UnknownParameter {
                name: name.clone(),
                hint: parameter_hint(name, wanted),
            });
        }
        if given.insert(name.as_str(), text).is_some() {
            return Err(QueryError::RepeatedParameter { name: name.clone() });
        }
    }
    Ok(given)
}

fn parameter_hint(name: &str, wanted: &BTreeMap<String, Option<DataType>>) -> String {
    let names: Vec<String> = wanted.keys().cloned().collect();
    match closest(name, &names) {
        Some(near) => format!("did you mean `${near}`?"),
        None if names.is_empty() => "it has none".to_owned(),
        None => format!(
            "it has {}",
            names
                .iter()
                .map(|name| format!("`${name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
