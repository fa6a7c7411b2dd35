//! The rows of one call as a table, and what a plan has to know of its calls.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::common::ParamValues;
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::provider_as_source;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::TableScan;
use datafusion::logical_expr::TableType;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::StreamingTableExec;

use super::RowSource;
use super::WindowArguments;
use super::arguments;
use super::stream::Call;
use super::stream::DerivedStream;
use super::stream::Gathering;
use crate::query::QuerySession;

/// The rows of one call, or of several calls that are alike.
pub(in crate::query) struct DerivedTable {
    source: Arc<dyn RowSource>,
    session: Arc<QuerySession>,
    schema: SchemaRef,
    arguments: Vec<Expr>,
    gathering: Arc<Gathering>,
}

impl fmt::Debug for DerivedTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DerivedTable")
            .field("source", &self.source)
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

impl DerivedTable {
    pub(super) fn new(source: Arc<dyn RowSource>, session: Arc<QuerySession>, arguments: Vec<Expr>) -> Result<Self> {
        Ok(Self {
            schema: source.schema().map_err(DataFusionError::External)?,
            source,
            session,
            arguments,
            gathering: Arc::default(),
        })
    }

    fn with_values(&self, values: &ParamValues) -> Result<Self> {
        Ok(Self {
            source: Arc::clone(&self.source),
            session: Arc::clone(&self.session),
            schema: Arc::clone(&self.schema),
            arguments: arguments::with_values(&self.arguments, values)?,
            gathering: Arc::default(),
        })
    }

    fn is_alike(&self, other: &Self) -> bool {
        self.source.name() == other.source.name() && self.arguments == other.arguments
    }
}

#[async_trait]
impl TableProvider for DerivedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let now_micros = self.session.now_micros();
        let call = Call {
            source: Arc::clone(&self.source),
            session: Arc::clone(&self.session),
            arguments: WindowArguments::read(self.source.name(), &self.arguments, now_micros)?,
            gathering: Arc::clone(&self.gathering),
        };
        let stream = DerivedStream::try_new(call, projection.cloned(), &self.schema)?;
        let schema = stream.projected_schema();
        let plan = StreamingTableExec::try_new(schema, vec![Arc::new(stream)], None, None, false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// Name and type of the parameters of a call, if the node of a plan is one.
pub(in crate::query) fn placeholders(node: &LogicalPlan) -> Vec<(String, DataType)> {
    let LogicalPlan::TableScan(scan) = node else {
        return Vec::new();
    };
    let provider = source_as_provider(&scan.source).ok();
    let table = provider.as_ref().and_then(|it| it.downcast_ref::<DerivedTable>());
    table.map_or_else(Vec::new, |table| arguments::placeholders(&table.arguments))
}

/// Gives the calls of a plan the values of their parameters, and those that are then alike the same rows.
pub(in crate::query) fn bind(plan: LogicalPlan, values: &ParamValues) -> Result<LogicalPlan> {
    let mut bound: Vec<Arc<DerivedTable>> = Vec::new();
    let transformed = plan.transform_down_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = &node else {
            return Ok(Transformed::no(node));
        };
        let provider = source_as_provider(&scan.source).ok();
        let Some(table) = provider.as_ref().and_then(|it| it.downcast_ref::<DerivedTable>()) else {
            return Ok(Transformed::no(node));
        };
        let table = Arc::new(table.with_values(values)?);
        let shared = match bound.iter().find(|other| other.is_alike(&table)) {
            Some(other) => Arc::clone(other),
            None => {
                bound.push(Arc::clone(&table));
                table
            }
        };
        Ok(Transformed::yes(LogicalPlan::TableScan(TableScan {
            source: provider_as_source(shared),
            ..scan.clone()
        })))
    });
    Ok(transformed?.data)
}
