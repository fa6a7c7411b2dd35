//! What makes the rows.

use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::future::BoxFuture;

use super::WindowArguments;
use crate::query::QuerySession;

/// Why rows cannot be made.
pub type RowError = Box<dyn Error + Send + Sync>;

/// Makes the rows of a table function that takes a window and thresholds.
pub trait RowSource: fmt::Debug + Send + Sync {
    /// Name in SQL.
    fn name(&self) -> &'static str;

    /// How many of the arguments it takes.
    fn argument_count(&self) -> usize;

    /// Columns of every batch.
    fn schema(&self) -> Result<SchemaRef, RowError>;

    /// Asks for all that the rows are made of, through a session that does not know the function itself.
    fn gather<'s>(
        &'s self,
        session: &'s QuerySession,
        arguments: WindowArguments,
    ) -> BoxFuture<'s, Result<Arc<dyn GatheredRows>, RowError>>;
}

/// All that the rows of one call are made of.
pub trait GatheredRows: Send + Sync {
    /// Memory that it takes, about.
    fn approximate_bytes(&self) -> usize;

    /// Gives the rows in their order, until `take` wants no more. Runs on a thread that may be kept waiting.
    fn give(&self, take: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>) -> Result<(), RowError>;
}
