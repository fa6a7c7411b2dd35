//! One part of the objects, decoded one after another on a blocking thread and sent as batches.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::Date32Array;
use arrow::array::RecordBatch;
use arrow::array::RecordBatchOptions;
use arrow::compute;
use arrow::datatypes::SchemaRef;
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::PartitionStream;
use tokio::sync::mpsc::Sender;

use crate::decode::Decoder;
use crate::decode::EventKeys;
use crate::decode::Limits;
use crate::decode::ObjectKind;
use crate::decode::Outcome;
use crate::decode::RowBuffer;
use crate::schema::EVENT_DATE;
use crate::source;
use crate::source::ObjectRef;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Batches that wait for the reader; more only cost memory.
const WAITING_BATCHES: usize = 2;

/// Decodes `objects` in order and yields the columns of `schema`.
#[derive(Debug)]
pub(super) struct ObjectStream {
    objects: Arc<Vec<ObjectRef>>,
    schema: SchemaRef,
}

impl ObjectStream {
    /// `schema` holds columns of `events` in any order.
    pub(super) fn new(objects: Vec<ObjectRef>, schema: SchemaRef) -> Self {
        Self {
            objects: Arc::new(objects),
            schema,
        }
    }
}

impl PartitionStream for ObjectStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), WAITING_BATCHES);
        let worker = Worker {
            schema: Arc::clone(&self.schema),
            batch_rows: context.session_config().batch_size(),
            sender: builder.tx(),
            reader_is_gone: false,
        };
        let objects = Arc::clone(&self.objects);
        builder.spawn_blocking(move || worker.run(&objects));
        builder.build()
    }
}

struct Worker {
    schema: SchemaRef,
    batch_rows: usize,
    sender: Sender<Result<RecordBatch>>,
    reader_is_gone: bool,
}

impl Worker {
    fn run(mut self, objects: &[ObjectRef]) -> Result<()> {
        let mut decoder = Decoder::new(Limits::default());
        let mut rows = RowBuffer::new(EventKeys::default());
        for object in objects {
            if self.reader_is_gone {
                return Ok(());
            }
            let bytes = source::read(object)
                .map_err(|error| DataFusionError::Execution(format!("cannot read `{}`: {error}", object.uri)))?;
            let outcome = decoder.decode(&object.uri, &bytes, &mut rows, |rows| self.send(rows))?;
            check(object, &outcome)?;
            if rows.rows() >= self.batch_rows {
                self.send(&mut rows)?;
            }
        }
        self.send(&mut rows)
    }

    /// Empties the buffer into one batch for the reader.
    fn send(&mut self, rows: &mut RowBuffer) -> Result<()> {
        if rows.rows() == 0 {
            return Ok(());
        }
        let full = std::mem::replace(rows, RowBuffer::new(EventKeys::default()));
        let batch = self.projected(&full.into_batch()?)?;
        self.reader_is_gone = self.sender.blocking_send(Ok(batch)).is_err();
        Ok(())
    }

    fn projected(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.schema.fields().iter().map(|field| {
            if field.name() == EVENT_DATE {
                return event_dates(batch);
            }
            let column = batch.column(batch.schema_ref().index_of(field.name())?);
            Ok(compute::cast(column, field.data_type())?)
        });
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}

fn event_dates(batch: &RecordBatch) -> Result<ArrayRef> {
    let times = batch.column(batch.schema_ref().index_of("event_time")?);
    let days: Date32Array = times
        .as_primitive::<TimestampMicrosecondType>()
        .iter()
        .map(|micros| i32::try_from(micros?.div_euclid(MICROS_PER_DAY)).ok())
        .collect();
    Ok(Arc::new(days))
}

/// A file of a folder that is no log by name and content is passed over; everything else that is wrong ends the query.
fn check(object: &ObjectRef, outcome: &Outcome) -> Result<()> {
    let is_no_log = outcome.kind == ObjectKind::Unknown && outcome.rows == 0;
    let is_expected = object.is_named || object.key.is_some();
    let advice = "ingest it to keep what is good and to see the rest in `objects` and `rejects`";
    if is_no_log && !is_expected {
        return Ok(());
    }
    if let Some(fault) = &outcome.fault {
        return Err(DataFusionError::Execution(format!(
            "cannot read `{}`: {fault}; {advice}",
            object.uri
        )));
    }
    if let Some(reject) = outcome.rejects.first() {
        let message = format!(
            "cannot read record {} of `{}`: {}; {advice}",
            reject.record_index, object.uri, reject.reason
        );
        return Err(DataFusionError::Execution(message));
    }
    Ok(())
}
