//! One result on its way into one format: the limit, and the choice of the format.

use std::fmt;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::ReportError;
use super::arrangement::Arrangement;
use super::cells;
use super::csv::CsvWriter;
use super::json::JsonWriter;
use super::json::Lines;
use super::json::Rows;
use super::markdown::MarkdownWriter;
use super::parquet::ParquetWriter;
use super::table::TableShape;
use super::table::TableWriter;

/// Rows that are counted beyond a [`Limit::Preview`] before the answer is "more than".
const COUNTED_BEYOND: u64 = 10_000;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns, for people.
    Table,
    /// One document: an array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a header line.
    Csv,
    /// A Markdown table.
    Markdown,
    /// One Apache Parquet file.
    Parquet,
}

/// How many rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// All.
    All,
    /// At most this many, silently.
    First(u64),
    /// At most this many, and the summary says how many there are beyond.
    Preview(u64),
}

/// How a result is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultOptions {
    /// The format.
    pub format: Format,
    /// How many rows.
    pub limit: Limit,
    /// Columns of the terminal that a table must fit into; `None` cuts nothing.
    pub width: Option<usize>,
    /// How a table lays out its rows.
    pub shape: TableShape,
    /// Bold table headers by escape sequences.
    pub color: bool,
    /// CSV exactly as the values are, without protection against formulas.
    pub csv_raw: bool,
    /// Which columns of a table matter where not all fit.
    pub arrangement: Arrangement,
}

/// Whether the writer wants the rest of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Further batches matter.
    More,
    /// No further batch changes the output: stop the query.
    Enough,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows in the output.
    pub rows: u64,
    /// Rows known to exist beyond the limit.
    pub rows_beyond: u64,
    /// There are still more rows than `rows_beyond`.
    pub more_beyond: bool,
    /// Reading ended at the limit, so that nobody knows whether there are more.
    pub may_go_on: bool,
    /// Cells were cut to fit the width of the terminal.
    pub cut_cells: bool,
    /// Columns were left out for it.
    pub left_out_columns: bool,
}

/// Takes the batches of one result, in order, and writes them.
pub struct ResultWriter<'a> {
    schema: SchemaRef,
    format: Box<dyn FormatWriter + 'a>,
    limit: Limit,
    summary: Summary,
}

/// One format. `finish` is called once, after the last batch.
pub(super) trait FormatWriter: Send {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError>;
    /// Ends the output.
    fn finish(&mut self) -> Result<Shortened, ReportError>;
}

/// What of a table did not fit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shortened {
    pub(super) cells: bool,
    pub(super) columns: bool,
}

impl<'a> ResultWriter<'a> {
    /// Starts a result with these columns.
    ///
    /// # Errors
    /// When the format cannot hold a column, or `out` takes no bytes.
    pub fn new(
        schema: &SchemaRef,
        options: &ResultOptions,
        out: Box<dyn Write + Send + 'a>,
    ) -> Result<Self, ReportError> {
        let schema = cells::renderable_schema(schema);
        let format: Box<dyn FormatWriter + 'a> = match options.format {
            Format::Table => Box::new(TableWriter::new(&schema, options, out)),
            Format::Json => Box::new(JsonWriter::<_, Rows>::new(out)),
            Format::Ndjson => Box::new(JsonWriter::<_, Lines>::new(out)),
            Format::Csv => Box::new(CsvWriter::new(&schema, options.csv_raw, out)?),
            Format::Markdown => Box::new(MarkdownWriter::new(&schema, out)?),
            Format::Parquet => Box::new(ParquetWriter::new(&schema, out)?),
        };
        Ok(Self {
            schema,
            format,
            limit: options.limit,
            summary: Summary::default(),
        })
    }

    /// Writes one batch, or as much of it as the limit allows.
    ///
    /// # Errors
    /// When a value cannot be rendered, or the target takes no more bytes.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<Demand, ReportError> {
        let offered = count(batch.num_rows());
        let room = match self.limit {
            Limit::All => offered,
            Limit::First(limit) | Limit::Preview(limit) => offered.min(limit.saturating_sub(self.summary.rows)),
        };
        if room > 0 {
            let taken = batch.slice(0, usize::try_from(room).unwrap_or(batch.num_rows()));
            self.format.write(&cells::renderable(&self.schema, &taken)?)?;
        }
        self.summary.rows += room;
        self.summary.rows_beyond += offered - room;
        Ok(self.demand())
    }

    /// Ends the output.
    ///
    /// # Errors
    /// When the target takes no more bytes.
    pub fn finish(mut self) -> Result<Summary, ReportError> {
        let shortened = self.format.finish()?;
        self.summary.cut_cells = shortened.cells;
        self.summary.left_out_columns = shortened.columns;
        Ok(self.summary)
    }

    fn demand(&mut self) -> Demand {
        let is_enough = match self.limit {
            Limit::All => false,
            Limit::First(limit) => self.summary.rows >= limit,
            Limit::Preview(_) => {
                self.summary.more_beyond = self.summary.rows_beyond > COUNTED_BEYOND;
                self.summary.more_beyond
            }
        };
        if self.summary.more_beyond {
            self.summary.rows_beyond = COUNTED_BEYOND;
        }
        if is_enough { Demand::Enough } else { Demand::More }
    }
}

impl fmt::Debug for ResultWriter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResultWriter")
            .field("limit", &self.limit)
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use arrow::array::StringArray;
    use arrow::array::UnionArray;
    use arrow::buffer::ScalarBuffer;
    use arrow::datatypes::DataType;
    use arrow::datatypes::Field;
    use arrow::datatypes::UnionFields;

    /// A batch of text columns.
    pub(in crate::report) fn batch(columns: &[(&str, &[&str])]) -> RecordBatch {
        let arrays = columns.iter().map(|(name, values)| {
            let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
            (*name, array, true)
        });
        RecordBatch::try_from_iter_with_nullable(arrays).unwrap()
    }

    pub(in crate::report) fn options(format: Format) -> ResultOptions {
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

    pub(in crate::report) fn render_bytes(batches: &[RecordBatch], options: &ResultOptions) -> (Vec<u8>, Summary) {
        let mut bytes = Vec::new();
        let mut writer = ResultWriter::new(&batches[0].schema(), options, Box::new(&mut bytes)).unwrap();
        for batch in batches {
            if writer.write(batch).unwrap() == Demand::Enough {
                break;
            }
        }
        let summary = writer.finish().unwrap();
        (bytes, summary)
    }

    pub(in crate::report) fn render_with(batches: &[RecordBatch], options: &ResultOptions) -> (String, Summary) {
        let (bytes, summary) = render_bytes(batches, options);
        (String::from_utf8(bytes).unwrap(), summary)
    }

    pub(in crate::report) fn render(batches: &[RecordBatch], format: Format) -> String {
        render_with(batches, &options(format)).0
    }

    /// Renders one column named `value`.
    pub(in crate::report) fn render_column(array: ArrayRef, format: Format) -> String {
        render(
            &[RecordBatch::try_from_iter_with_nullable([("value", array, true)]).unwrap()],
            format,
        )
    }

    fn limited(limit: Limit, batches: &[RecordBatch]) -> (String, Summary) {
        render_with(
            batches,
            &ResultOptions {
                limit,
                ..options(Format::Ndjson)
            },
        )
    }

    #[test]
    fn preview_counts_the_rows_it_leaves_out() {
        let rows = batch(&[("name", &["a", "b", "c"])]);
        let (text, summary) = limited(Limit::Preview(4), &[rows.clone(), rows.clone(), rows]);
        assert_eq!(text.lines().count(), 4);
        assert_eq!(
            summary,
            Summary {
                rows: 4,
                rows_beyond: 5,
                more_beyond: false,
                may_go_on: false,
                cut_cells: false,
                left_out_columns: false,
            }
        );
    }

    #[test]
    fn preview_stops_counting_at_a_bound() {
        let values = vec!["x"; 9_000];
        let rows = batch(&[("name", &values)]);
        let mut sink = Vec::new();
        let options = ResultOptions {
            limit: Limit::Preview(1),
            ..options(Format::Ndjson)
        };
        let mut writer = ResultWriter::new(&rows.schema(), &options, Box::new(&mut sink)).unwrap();
        assert_eq!(writer.write(&rows).unwrap(), Demand::More);
        assert_eq!(writer.write(&rows).unwrap(), Demand::Enough);
        let summary = writer.finish().unwrap();
        assert_eq!(
            (summary.rows, summary.rows_beyond, summary.more_beyond),
            (1, COUNTED_BEYOND, true)
        );
    }

    #[test]
    fn first_rows_are_enough_as_soon_as_they_are_there() {
        let rows = batch(&[("name", &["a", "b", "c"])]);
        let (text, summary) = limited(Limit::First(3), &[rows.clone(), rows]);
        assert_eq!((text.lines().count(), summary.rows, summary.rows_beyond), (3, 3, 0));
    }

    #[test]
    fn limit_of_no_rows_writes_none() {
        let (text, summary) = limited(Limit::First(0), &[batch(&[("name", &["a"])])]);
        assert_eq!((text.as_str(), summary.rows), ("", 0));
    }

    /// A reader that goes away after some bytes, as `head` does.
    struct Closing {
        left: usize,
    }

    impl Write for Closing {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.left == 0 {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
            let taken = bytes.len().min(self.left);
            self.left -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn reader_that_goes_away_is_told_apart_in_every_format() {
        let values = vec!["some text"; 5_000];
        let rows = batch(&[("name", &values)]);
        for format in [
            Format::Table,
            Format::Json,
            Format::Ndjson,
            Format::Csv,
            Format::Markdown,
            Format::Parquet,
        ] {
            for left in [0, 3, 150] {
                let write = || -> Result<Summary, ReportError> {
                    let out = Box::new(Closing { left });
                    let mut writer = ResultWriter::new(&rows.schema(), &options(format), out)?;
                    writer.write(&rows)?;
                    writer.finish()
                };
                let error = write().unwrap_err();
                assert!(error.is_broken_pipe(), "{format:?} after {left} bytes: {error:?}");
            }
        }
    }

    #[test]
    fn union_of_a_json_operator_is_text_in_every_format() {
        let fields = UnionFields::from_fields(vec![
            Field::new("null", DataType::Null, true),
            Field::new("str", DataType::Utf8, true),
        ]);
        let children: Vec<ArrayRef> = vec![
            Arc::new(arrow::array::NullArray::new(2)),
            Arc::new(StringArray::from(vec![Some("bucket"), None])),
        ];
        let union = UnionArray::try_new(fields, ScalarBuffer::from(vec![1_i8, 0]), None, children).unwrap();
        let rows = RecordBatch::try_from_iter_with_nullable([("value", Arc::new(union) as ArrayRef, true)]).unwrap();
        assert_eq!(
            render(std::slice::from_ref(&rows), Format::Ndjson),
            "{\"value\":\"bucket\"}\n{\"value\":null}\n"
        );
        assert_eq!(
            render(std::slice::from_ref(&rows), Format::Csv),
            "value\nbucket\n\"\"\n"
        );
        assert!(!render_bytes(&[rows], &options(Format::Parquet)).0.is_empty());
    }
}
