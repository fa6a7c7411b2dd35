//! The function: checks its arguments, gathers nothing yet.

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::TableFunctionArgs;
use datafusion::catalog::TableFunctionImpl;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;

use super::RowSource;
use super::arguments;
use super::table::DerivedTable;
use crate::query::QuerySession;
use crate::query::catalog::StoreTables;

/// A table function; without arguments its name alone stands for a call.
#[derive(Clone)]
pub(in crate::query) struct DerivedFunction {
    source: Arc<dyn RowSource>,
    session: Arc<QuerySession>,
    tables: Arc<StoreTables>,
}

impl fmt::Debug for DerivedFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DerivedFunction")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl DerivedFunction {
    /// Rows of `source`, which asks through `session`.
    pub(in crate::query) fn new(
        source: Arc<dyn RowSource>,
        session: Arc<QuerySession>,
        tables: Arc<StoreTables>,
    ) -> Self {
        Self {
            source,
            session,
            tables,
        }
    }

    /// Name in SQL.
    pub(in crate::query) fn name(&self) -> &'static str {
        self.source.name()
    }

    /// The rows of one call.
    pub(in crate::query) fn table(&self, given: Vec<Expr>) -> Result<DerivedTable> {
        if !self.tables.has_store() {
            // As when a table of the store is named.
            return Err(DataFusionError::Plan(format!("table '{}' not found", self.name())));
        }
        let now_micros = self.session.now_micros();
        arguments::check(self.name(), &given, self.source.argument_count(), now_micros)?;
        DerivedTable::new(Arc::clone(&self.source), Arc::clone(&self.session), given)
    }
}

impl TableFunctionImpl for DerivedFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        Ok(Arc::new(self.table(args.exprs().to_vec())?))
    }
}
