//! Gathers when it is first read, then gives the rows batch by batch.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::common::project_schema;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::PartitionStream;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::Sender;

use super::GatheredRows;
use super::RowSource;
use super::WindowArguments;
use crate::query::QuerySession;

/// Batches that wait for the reader; more only cost memory.
const WAITING_BATCHES: usize = 2;

/// What the rows are made of, once a reader has asked for it.
#[derive(Default)]
pub(super) struct Gathering {
    cell: OnceCell<Gathered>,
}

struct Gathered {
    rows: Arc<dyn GatheredRows>,
    /// Gives the memory back to the session with the last reader.
    _reservation: MemoryReservation,
}

/// A call that is to be run.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) source: Arc<dyn RowSource>,
    pub(super) session: Arc<QuerySession>,
    pub(super) arguments: WindowArguments,
    pub(super) gathering: Arc<Gathering>,
}

/// The rows of one call.
pub(super) struct DerivedStream {
    call: Call,
    projection: Option<Vec<usize>>,
    schema: SchemaRef,
}

impl fmt::Debug for DerivedStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DerivedStream")
            .field("source", &self.call.source)
            .field("arguments", &self.call.arguments)
            .finish_non_exhaustive()
    }
}

impl DerivedStream {
    pub(super) fn try_new(call: Call, projection: Option<Vec<usize>>, schema: &SchemaRef) -> Result<Self> {
        Ok(Self {
            call,
            schema: project_schema(schema, projection.as_ref())?,
            projection,
        })
    }

    pub(super) fn projected_schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl PartitionStream for DerivedStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), WAITING_BATCHES);
        let mut worker = Worker {
            schema: Arc::clone(&self.schema),
            projection: self.projection.clone(),
            batch_rows: context.session_config().batch_size(),
            sender: builder.tx(),
            waiting: Vec::new(),
            waiting_rows: 0,
        };
        let call = self.call.clone();
        builder.spawn(async move {
            let gathered = call.gathering.cell.get_or_try_init(|| call.gather(&context)).await?;
            let rows = Arc::clone(&gathered.rows);
            let given = SpawnedTask::spawn_blocking(move || worker.run(rows.as_ref()));
            let joined = given.join().await;
            joined.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
        });
        builder.build()
    }
}

impl Call {
    async fn gather(&self, context: &TaskContext) -> Result<Gathered> {
        let gathered = self.source.gather(&self.session, self.arguments).await;
        let rows = gathered.map_err(DataFusionError::External)?;
        let reservation = MemoryConsumer::new(self.source.name()).register(context.memory_pool());
        reservation.try_grow(rows.approximate_bytes())?;
        Ok(Gathered {
            rows,
            _reservation: reservation,
        })
    }
}

/// Puts small batches together and sends them.
struct Worker {
    schema: SchemaRef,
    projection: Option<Vec<usize>>,
    batch_rows: usize,
    sender: Sender<Result<RecordBatch>>,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
}

impl Worker {
    fn run(&mut self, rows: &dyn GatheredRows) -> Result<()> {
        let mut failed = None;
        let given = rows.give(&mut |batch| match self.take(batch) {
            Ok(flow) => flow,
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        });
        given.map_err(DataFusionError::External)?;
        match failed {
            Some(error) => Err(error),
            None => self.send().map(|_| ()),
        }
    }

    fn take(&mut self, batch: RecordBatch) -> Result<ControlFlow<()>> {
        let batch = match &self.projection {
            Some(columns) => batch.project(columns)?,
            None => batch,
        };
        self.waiting_rows += batch.num_rows();
        self.waiting.push(batch);
        match self.waiting_rows >= self.batch_rows {
            true => self.send(),
            false => Ok(ControlFlow::Continue(())),
        }
    }

    /// Sends what is waiting; stops when the reader is gone.
    fn send(&mut self) -> Result<ControlFlow<()>> {
        if self.waiting_rows == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        let batch = concat_batches(&self.schema, &self.waiting)?;
        self.waiting.clear();
        self.waiting_rows = 0;
        Ok(match self.sender.blocking_send(Ok(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    }
}
