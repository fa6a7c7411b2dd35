//! One query session: limits, functions, tables, and the way from a text with parameters to a stream of rows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SQLOptions;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::QueryError;
use super::binding;
use super::catalog;
use super::catalog::StoreTables;
use super::catalog::UsageSource;
use super::cooperation::on_a_task;
use super::derived;
use super::derived::DerivedFunction;
use super::engine;
use super::engine::SessionOptions;
use super::functions;
use super::params;
use super::params::ParamText;
use super::question::Question;
use super::raw::RAW_FUNCTION;
use super::raw::ReadCloudtrail;
use super::raw::RefusedRawFiles;
use super::raw::Skipped;
use super::raw::SkippedNotes;
use super::statement::parse_reading;
use crate::store::Store;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

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
    /// Its columns in order.
    pub schema: SchemaRef,
}

/// Runs statements that only read, over the tables of one store or over none.
pub struct QuerySession {
    context: SessionContext,
    now_micros: i64,
    skipped: SkippedNotes,
    tables: Arc<StoreTables>,
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
        let tables = catalog::tables(store, version, options.facts);
        let skipped = SkippedNotes::default();
        let context = context(store, options, &skipped)?;
        let catalog = catalog::catalog(&tables, context.state(), Vec::new());
        context.register_catalog(catalog::CATALOG, catalog);
        let plain = Self {
            context,
            now_micros: options.now_micros,
            skipped,
            tables,
        };
        match options.row_sources.as_slice() {
            [] => Ok(plain),
            _ => plain.with_derived(store, options),
        }
    }

    /// Lets statements from now on read the tables of the store alone.
    pub fn refuse_raw_files(&self) {
        self.context.register_udtf(RAW_FUNCTION, Arc::new(RefusedRawFiles));
    }

    /// What `read_cloudtrail` left out since the last call: to be asked when the rows of a statement have come.
    pub fn take_skipped(&self) -> Skipped {
        self.skipped.take()
    }

    /// The first moment, microseconds since 1970-01-01T00:00:00Z, whose events have not expired; `None` when none have, or
    /// no statement has named `events`.
    pub fn expired_before(&self) -> Option<i64> {
        self.tables
            .expired_before()
            .map(|day| i64::from(day) * MICROSECONDS_PER_DAY)
    }

    /// Where the session reads `usage`; `None` until a statement has named it.
    pub fn usage_source(&self) -> Option<UsageSource> {
        self.tables.usage_source()
    }

    /// A session that also knows these table functions; they read through the session without them, so that none can ask
    /// for itself, at the same version of the store. It has a limit of memory of its own: that of the other is shared by
    /// equal parts between operators, and those that wait for the rows of a function would leave it none.
    fn with_derived(self, store: Option<&Store>, options: &SessionOptions) -> Result<Self, QueryError> {
        let now_micros = self.now_micros;
        let skipped = self.skipped.clone();
        let tables = Arc::clone(&self.tables);
        let plain = Arc::new(self);
        let context = context(store, options, &skipped)?;
        let derived = options
            .row_sources
            .iter()
            .map(|source| DerivedFunction::new(Arc::clone(source), Arc::clone(&plain), Arc::clone(&tables)));
        let derived: Vec<DerivedFunction> = derived.collect();
        for function in &derived {
            context.register_udtf(function.name(), Arc::new(function.clone()));
        }
        let state = context.state();
        context.register_catalog(catalog::CATALOG, catalog::catalog(&tables, state, derived));
        Ok(Self {
            context,
            now_micros,
            skipped,
            tables,
        })
    }

    /// The moment that relative times count from.
    pub(super) fn now_micros(&self) -> i64 {
        self.now_micros
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
        check_window(question, values, self.now_micros)?;
        check_days(question, values)?;
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
        let batches = on_a_task(stream).map(|batch| batch.map_err(QueryError::from_running));
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
        binding::placeholders(&plan).map_err(|error| self.planning_error(error))
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
            let schema = provider.schema();
            tables.push(TableColumns { name, schema });
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
        let wanted = binding::placeholders(&plan).map_err(|error| self.planning_error(error))?;
        let has_parameters = !wanted.is_empty();
        let bound = binding::bind(wanted, values, declared, self.now_micros)?;
        let plan = derived::bind(plan, &bound).map_err(|error| self.planning_error(error))?;
        if !has_parameters {
            return Ok(plan);
        }
        plan.with_param_values(bound)
            .map_err(|error| self.planning_error(error))
    }

    fn planning_error(&self, error: DataFusionError) -> QueryError {
        QueryError::from_planning(error, &self.table_names(), &self.function_names())
    }
}

/// The engine with its functions, and no tables.
///
/// Made anew for each session: a state that is built from another one registers its functions again in the order of their
/// hashes, so that those of the engine may take names back from ours.
fn context(
    store: Option<&Store>,
    options: &SessionOptions,
    skipped: &SkippedNotes,
) -> Result<SessionContext, QueryError> {
    let failed = |error: DataFusionError| QueryError::Engine {
        message: error.strip_backtrace(),
    };
    let mut context = SessionContext::new_with_state(engine::state(options).map_err(failed)?);
    engine::register_bucket(&context.runtime_env(), store);
    functions::register(&mut context, options.facts).map_err(failed)?;
    let read_cloudtrail = ReadCloudtrail::new(skipped.clone(), options.s3.clone());
    context.register_udtf(RAW_FUNCTION, Arc::new(read_cloudtrail));
    Ok(context)
}

/// Refuses numbers of days below zero.
fn check_days(question: &Question, values: &[(String, ParamText)]) -> Result<(), QueryError> {
    let is_days = |name: &str| name.ends_with("_days") && question.params.iter().any(|param| param.name == name);
    for (name, text) in values.iter().filter(|(name, _)| is_days(name)) {
        if let ParamText::Text(text) = text
            && text.trim().parse::<i64>().is_ok_and(|days| days < 0)
        {
            return Err(QueryError::BadParameter {
                name: name.clone(),
                text: text.clone(),
                expected: "a number of days is 0 or more".to_owned(),
            });
        }
    }
    Ok(())
}

/// Refuses a window that ends before it begins: its empty answer would read as "nothing happened".
fn check_window(question: &Question, values: &[(String, ParamText)], now_micros: i64) -> Result<(), QueryError> {
    let moment = |name: &str| {
        let is_declared = question.params.iter().any(|param| param.name == name);
        let text = values.iter().find_map(|(given, text)| match text {
            ParamText::Text(text) if given == name && is_declared => Some(text),
            _ => None,
        })?;
        Some((text, params::parse_time(text, now_micros).ok()?))
    };
    match (moment("since"), moment("until")) {
        (Some((since, first)), Some((until, last))) if first >= last => Err(QueryError::BadParameter {
            name: "since".to_owned(),
            text: since.clone(),
            expected: format!("it does not lie before `$until`, which is `{until}` and exclusive; exchange them"),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use arrow::datatypes::Field;
    use arrow::datatypes::Schema;
    use futures::future::BoxFuture;

    use super::derived::GatheredRows;
    use super::derived::RowError;
    use super::derived::RowSource;
    use super::derived::WindowArguments;
    use super::functions::tests::assert_own_functions_win;
    use super::*;

    #[derive(Debug)]
    struct NoRows;

    impl RowSource for NoRows {
        fn name(&self) -> &'static str {
            "no_rows"
        }

        fn argument_count(&self) -> usize {
            0
        }

        fn schema(&self) -> Result<SchemaRef, RowError> {
            Ok(Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)])))
        }

        fn gather<'s>(
            &'s self,
            _session: &'s QuerySession,
            _arguments: WindowArguments,
        ) -> BoxFuture<'s, Result<Arc<dyn GatheredRows>, RowError>> {
            let rows: Arc<dyn GatheredRows> = Arc::new(Self);
            Box::pin(async { Ok(rows) })
        }
    }

    impl GatheredRows for NoRows {
        fn approximate_bytes(&self) -> usize {
            0
        }

        fn give(&self, _take: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>) -> Result<(), RowError> {
            Ok(())
        }
    }

    #[test]
    fn functions_of_ours_win_over_the_engines_in_every_session() {
        let mut options = SessionOptions::new(1, 0);
        for _ in 0..8 {
            let plain = QuerySession::new(None, &options, None).unwrap();
            assert_own_functions_win(&plain.context.state());
        }
        options.row_sources = vec![Arc::new(NoRows)];
        for _ in 0..8 {
            let derived = QuerySession::new(None, &options, None).unwrap();
            assert_own_functions_win(&derived.context.state());
        }
    }
}
