//! One exhibit in three formats at once and as a sheet, with what the page shows of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::io::Write;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use arrow::array::ArrayRef;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use sha2::Digest;
use sha2::Sha256;

use super::Redaction;
use super::record::ColumnRecord;
use crate::integrity::ChainReport;
use crate::report::Arrangement;
use crate::report::Format;
use crate::report::Limit;
use crate::report::ReportError;
use crate::report::ResultOptions;
use crate::report::ResultWriter;
use crate::report::Sheet;
use crate::report::SheetRoom;
use crate::report::TableShape;
use crate::report::cells::CellOptions;
use crate::report::cells::Cells;

/// Rows that the page shows.
const SHOWN_ROWS: usize = 100;
/// Bars of a chart.
const BARS: usize = 10;
/// Values that a chart counts apart: who writes the log can make up any number.
const MOST_VALUES: usize = 20_000;
/// Rows that are written at a time, whatever the batches that come: so that the bytes do not depend on threads.
const ROWS_AT_A_TIME: usize = 8_192;

/// Writes one exhibit as CSV, JSON and Parquet, and makes its sheet.
pub struct ExhibitWriter<'a> {
    redaction: Redaction,
    schema: SchemaRef,
    regular: BatchCoalescer,
    writers: [ResultWriter<'a>; 3],
    sheet: Sheet,
    chart: Option<usize>,
    finished: Finished,
    counts: BTreeMap<String, u64>,
}

/// What the page shows of an exhibit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Rows in the files.
    pub rows: u64,
    /// Columns in order.
    pub columns: Vec<ColumnRecord>,
    /// The first rows; `None` is null.
    pub shown: Vec<Vec<Option<String>>>,
    /// The most frequent values of the column of the chart.
    pub bars: Vec<(String, u64)>,
}

impl<'a> ExhibitWriter<'a> {
    /// The formats in which an exhibit is written, by the endings of their files.
    pub const FORMATS: [(&'static str, Format); 3] = [
        ("csv", Format::Csv),
        ("json", Format::Json),
        ("parquet", Format::Parquet),
    ];

    /// Starts an exhibit, whose sheet gets this name and room; the targets take the formats in their order.
    ///
    /// # Errors
    /// When a format cannot hold a column, or a target takes no bytes.
    pub fn new(
        (schema, sheet, room): (&SchemaRef, &str, SheetRoom),
        chart: Option<&str>,
        redaction: Redaction,
        targets: [Box<dyn Write + Send + 'a>; 3],
    ) -> Result<Self, ReportError> {
        let schema = Redaction::schema(schema);
        let sheet = Sheet::of_schema(sheet, &schema)?.with_room(room);
        let [csv, json, parquet] = targets;
        let writer = |format: Format, target| ResultWriter::new(&schema, &options(format), target);
        let writers = [
            writer(Format::Csv, csv)?,
            writer(Format::Json, json)?,
            writer(Format::Parquet, parquet)?,
        ];
        let columns = schema.fields().iter().map(|field| ColumnRecord {
            name: field.name().clone(),
            data_type: field.data_type().to_string(),
        });
        Ok(Self {
            redaction,
            regular: BatchCoalescer::new(Arc::clone(&schema), ROWS_AT_A_TIME),
            writers,
            sheet,
            chart: chart.and_then(|name| schema.index_of(name).ok()),
            finished: Finished {
                columns: columns.collect(),
                ..Finished::default()
            },
            schema,
            counts: BTreeMap::new(),
        })
    }

    /// Writes rows, and gives them back as they were written.
    ///
    /// # Errors
    /// When a value cannot be rendered, or a target takes no more bytes.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ReportError> {
        let batch = self.redaction.batch(batch)?;
        self.look_at(&batch)?;
        self.sheet.write(&batch)?;
        self.regular.push_batch(batch.clone())?;
        self.pass_on()?;
        Ok(batch)
    }

    /// Ends the files.
    ///
    /// # Errors
    /// When a target takes no more bytes.
    pub fn finish(mut self) -> Result<(Finished, Sheet), ReportError> {
        self.regular.finish_buffered_batch()?;
        self.pass_on()?;
        for writer in self.writers {
            writer.finish()?;
        }
        let mut bars: Vec<(String, u64)> = self.counts.into_iter().collect();
        bars.sort_by(|(left, more), (right, less)| (less, left).cmp(&(more, right)));
        bars.truncate(BARS);
        self.finished.bars = bars;
        Ok((self.finished, self.sheet))
    }

    fn pass_on(&mut self) -> Result<(), ReportError> {
        while let Some(batch) = self.regular.next_completed_batch() {
            // Each on a thread of its own: a large exhibit takes longer to write than to ask for.
            let written = thread::scope(|scope| {
                let writing = self
                    .writers
                    .each_mut()
                    .map(|writer| scope.spawn(|| writer.write(&batch)));
                writing.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            });
            written.into_iter().try_for_each(|written| written.map(drop))?;
        }
        Ok(())
    }

    fn look_at(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.finished.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let options = CellOptions::new();
        let mut cells = Cells::new(self.schema.fields(), batch, &options)?;
        for row in 0..batch.num_rows() {
            let is_shown = self.finished.shown.len() < SHOWN_ROWS;
            if !is_shown && self.chart.is_none() {
                break;
            }
            let mut shown = Vec::new();
            cells.row(row, |column, text| {
                if is_shown {
                    shown.push(text.map(str::to_owned));
                }
                if self.chart == Some(column) {
                    let value = text.unwrap_or("(none)");
                    let has_room = self.counts.len() < MOST_VALUES;
                    match self.counts.get_mut(value) {
                        Some(count) => *count += 1,
                        None if has_room => {
                            self.counts.insert(value.to_owned(), 1);
                        }
                        None => {}
                    }
                }
                Ok(())
            })?;
            if is_shown {
                self.finished.shown.push(shown);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ExhibitWriter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ExhibitWriter")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// The chains of digests, one row each.
pub fn integrity_rows(chains: &[ChainReport]) -> Result<RecordBatch, ReportError> {
    let text = |text: &dyn Fn(&ChainReport) -> Option<String>| -> ArrayRef {
        Arc::new(chains.iter().map(text).collect::<StringArray>())
    };
    let count = |count: fn(&ChainReport) -> u64| -> ArrayRef {
        let counts = chains.iter().map(|chain| i64::try_from(count(chain)).ok());
        Arc::new(counts.collect::<Int64Array>())
    };
    let time = |time: fn(&ChainReport) -> Option<i64>| -> ArrayRef {
        let times = chains.iter().map(time).collect::<TimestampMicrosecondArray>();
        Arc::new(times.with_timezone("UTC"))
    };
    let findings = |chain: &ChainReport| {
        let texts = chain.findings.iter().map(|finding| finding.text.as_str());
        let texts: Vec<&str> = texts.collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    };
    let columns: [(&str, ArrayRef); 11] = [
        ("account_id", text(&|chain| Some(chain.name.account_id.clone()))),
        ("region", text(&|chain| Some(chain.name.region.clone()))),
        ("trail", text(&|chain| Some(chain.name.trail.clone()))),
        ("home_region", text(&|chain| Some(chain.name.home_region.clone()))),
        ("digests", count(|chain| chain.digests)),
        ("valid_digests", count(|chain| chain.valid_digests)),
        ("backfill_digests", count(|chain| chain.backfill_digests)),
        ("valid_backfill_digests", count(|chain| chain.valid_backfill_digests)),
        ("covered_from", time(|chain| chain.covered.map(|(from, _)| from))),
        ("covered_until", time(|chain| chain.covered.map(|(_, until)| until))),
        ("findings", text(&findings)),
    ];
    let nullable = columns.into_iter().map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}

/// A target that knows the hash of what it took.
#[derive(Debug)]
pub struct Hashed<W: Write> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Hashed<W> {
    /// A target that took nothing yet.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
        }
    }

    /// Lower-case hexadecimal SHA-256 of all bytes, and the target.
    pub fn finish(self) -> (String, W) {
        (hex(&self.hash.finalize()), self.inner)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn options(format: Format) -> ResultOptions {
    ResultOptions {
        format,
        limit: Limit::All,
        width: None,
        shape: TableShape::Auto,
        color: false,
        csv_raw: false,
        arrangement: Arrangement::default(),
    }
}
