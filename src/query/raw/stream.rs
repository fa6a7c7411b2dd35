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
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

use super::fetch::Contents;
use super::skipped::SkippedNotes;
use crate::decode::Decoder;
use crate::decode::EventKeys;
use crate::decode::Limits;
use crate::decode::ObjectKind;
use crate::decode::Outcome;
use crate::decode::RowBuffer;
use crate::schema::EVENT_DATE;
use crate::source::Content;
use crate::source::ObjectRef;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Batches that wait for the reader; more only cost memory.
const WAITING_BATCHES: usize = 2;

/// Decodes `objects` in order and yields the columns of `schema`.
#[derive(Debug)]
pub(super) struct ObjectStream {
    objects: Arc<Vec<ObjectRef>>,
    schema: SchemaRef,
    skipped: SkippedNotes,
}

impl ObjectStream {
    /// `schema` holds columns of `events` in any order; `skipped` is told what cannot be read.
    pub(super) fn new(objects: Vec<ObjectRef>, schema: SchemaRef, skipped: SkippedNotes) -> Self {
        Self {
            objects: Arc::new(objects),
            schema,
            skipped,
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
            skipped: self.skipped.clone(),
            reader_is_gone: false,
        };
        let objects = Arc::clone(&self.objects);
        let runtime = Handle::current();
        builder.spawn_blocking(move || worker.run(&objects, &runtime));
        builder.build()
    }
}

struct Worker {
    schema: SchemaRef,
    batch_rows: usize,
    sender: Sender<Result<RecordBatch>>,
    skipped: SkippedNotes,
    reader_is_gone: bool,
}

impl Worker {
    fn run(mut self, objects: &Arc<Vec<ObjectRef>>, runtime: &Handle) -> Result<()> {
        let mut decoder = Decoder::new(Limits::default());
        let mut rows = RowBuffer::new(EventKeys::default());
        let mut contents = Contents::new(Arc::clone(objects), runtime);
        while let Some(item) = contents.next() {
            let Some(object) = objects.get(item.position).filter(|_| !self.reader_is_gone) else {
                return Ok(());
            };
            let mut spill = |rows: &mut RowBuffer| self.send(rows);
            let outcome = match item.content {
                Ok(Content::Whole(bytes)) => decoder.decode(&object.uri, &bytes, &mut rows, &mut spill)?,
                Ok(Content::Stream(stream)) => decoder.decode_stream(&object.uri, stream, &mut rows, &mut spill)?,
                Err(fault) if object.is_remote() && fault.stops_the_run() => {
                    let message = format!("cannot read `{}`: {fault}", object.uri);
                    return Err(DataFusionError::Execution(message));
                }
                Err(fault) => {
                    self.skipped.add(&object.uri, format!("cannot be read: {fault}"));
                    continue;
                }
            };
            if let Some(problem) = problem(object, &outcome) {
                self.skipped.add(&object.uri, problem);
            }
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
        let batch = self.projected(&rows.to_batch()?)?;
        rows.clear();
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

/// What the query does not see of an object. A file of a folder that is no log by name and content is no loss.
fn problem(object: &ObjectRef, outcome: &Outcome) -> Option<String> {
    let is_no_log = outcome.kind == ObjectKind::Unknown && outcome.rows == 0;
    let is_expected = object.is_named || object.key.is_some();
    if is_no_log && !is_expected {
        return None;
    }
    let read = if outcome.rows > 0 {
        "is read in part"
    } else {
        "is left out"
    };
    match (&outcome.fault, outcome.rejects.as_slice()) {
        (Some(fault), _) => Some(format!("{read}: {fault}")),
        (None, []) => None,
        (None, [reject]) => Some(format!("{read}: record {}: {}", reject.record_index, reject.reason)),
        (None, [first, others @ ..]) => Some(format!(
            "{read}: record {} and {} more: {}",
            first.record_index,
            others.len(),
            first.reason
        )),
    }
}
