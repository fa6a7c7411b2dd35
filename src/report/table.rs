//! Tables for people: aligned columns, or one block of lines per row when the columns do not fit the terminal.
//!
//! Widths are settled on the first rows, which are held back for it; what follows is written as it comes, so a table of
//! any length takes bounded memory.

mod lines;

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use lines::Lines;
use lines::whole_line;

use super::ReportError;
use super::arrangement::Arrangement;
use super::arrangement::Fitted;
use super::cells::CellOptions;
use super::cells::Cells;
use super::cells::is_number;
use super::escape;
use super::layout::GAP;
use super::layout::cut;
use super::layout::display_width;
use super::layout::share_line;
use super::result::FormatWriter;
use super::result::ResultOptions;
use super::result::Shortened;

/// Rows and bytes of text that are held back before the widths are settled.
const HELD_ROWS: usize = 1_000;
const HELD_BYTES: usize = 4 << 20;

/// Columns are not padded beyond this where nothing is cut, or one long cell would multiply with the rows.
const WIDEST_PADDING: usize = 200;
/// Widest cell of a block that nobody asked for.
const WIDEST_BLOCK_CELL: usize = 2_000;

/// How a table lays out its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableShape {
    /// A line per row when that fits the width, else a block per row.
    Auto,
    /// A line per row.
    Lines,
    /// A block per row: one line per column.
    Blocks,
    /// The cells one below the other, with their line feeds: for the plans of `explain`.
    Text,
}

/// Writes a table.
pub(super) struct TableWriter<W: Write> {
    schema: SchemaRef,
    headers: Vec<String>,
    right_aligned: Vec<bool>,
    /// Columns whose cells are of no use when they are cut.
    whole: Vec<bool>,
    width: Option<usize>,
    shape: TableShape,
    color: bool,
    arrangement: Arrangement,
    /// Value of the heading that stands above the last row.
    heading: Option<String>,
    out: W,
    held: Vec<Vec<String>>,
    held_bytes: usize,
    layout: Option<Layout>,
    rows: u64,
    shortened: Shortened,
}

enum Layout {
    Lines(Lines),
    Blocks { name_width: usize, cell_width: usize },
    Text,
}

impl<W: Write> TableWriter<W> {
    pub(super) fn new(schema: &SchemaRef, options: &ResultOptions, out: W) -> Self {
        Self {
            headers: schema
                .fields()
                .iter()
                .map(|field| escape::visible(field.name()).into_owned())
                .collect(),
            right_aligned: schema
                .fields()
                .iter()
                .map(|field| is_number(field.data_type()))
                .collect(),
            whole: schema
                .fields()
                .iter()
                .map(|field| is_number(field.data_type()) || field.data_type().is_temporal())
                .collect(),
            schema: SchemaRef::clone(schema),
            width: options.width,
            shape: options.shape,
            color: options.color,
            arrangement: options.arrangement,
            heading: None,
            out,
            held: Vec::new(),
            held_bytes: 0,
            layout: None,
            rows: 0,
            shortened: Shortened::default(),
        }
    }

    fn take(&mut self, row: Vec<String>) -> Result<(), ReportError> {
        if self.layout.is_some() {
            return self.write_row(&row);
        }
        self.held_bytes += row.iter().map(String::len).sum::<usize>();
        self.held.push(row);
        if self.held.len() >= HELD_ROWS || self.held_bytes >= HELD_BYTES {
            self.start()?;
        }
        Ok(())
    }

    /// Settles the layout and writes what was held back.
    fn start(&mut self) -> Result<(), ReportError> {
        let layout = self.settle();
        if let Layout::Lines(lines) = &layout {
            self.shortened.columns = lines.leaves_out(self.headers.len());
            let rule = lines
                .widths
                .iter()
                .map(|width| "─".repeat(*width))
                .collect::<Vec<_>>()
                .join(&" ".repeat(GAP));
            let head = whole_line(&lines.cut(&self.headers).0, &lines.widths, &lines.right_aligned);
            writeln!(self.out, "{}\n{rule}", self.bold(&head))?;
        }
        self.layout = Some(layout);
        for row in std::mem::take(&mut self.held) {
            self.write_row(&row)?;
        }
        Ok(())
    }

    fn bold(&self, text: &str) -> String {
        match self.color {
            true => format!("\u{1b}[1m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn settle(&self) -> Layout {
        let name_width = self
            .headers
            .iter()
            .map(|header| display_width(header))
            .max()
            .unwrap_or(0);
        match self.shape {
            TableShape::Blocks => {
                return Layout::Blocks {
                    name_width,
                    cell_width: usize::MAX,
                };
            }
            TableShape::Text => return Layout::Text,
            TableShape::Auto | TableShape::Lines => {}
        }
        let mut widths: Vec<usize> = self.headers.iter().map(|header| display_width(header)).collect();
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(cell));
            }
        }
        let Some(line) = self.width else {
            widths
                .iter_mut()
                .for_each(|width| *width = (*width).min(WIDEST_PADDING));
            return self.lines(widths);
        };
        if let Some(Fitted { columns, widths }) = self.arrangement.fit(&self.headers, &widths, line) {
            let flags = |all: &dyn Fn(usize) -> bool| columns.iter().map(|column| all(*column)).collect();
            return Layout::Lines(Lines {
                right_aligned: flags(&|column| self.right_aligned.get(column) == Some(&true)),
                wrapped: flags(&|column| {
                    let header = self.headers.get(column);
                    header.is_some_and(|header| self.arrangement.is_wrapped(header))
                }),
                heading: self.arrangement.heading_position(&self.headers),
                columns,
                widths,
            });
        }
        match share_line(&widths, &self.whole, line) {
            Some(widths) => self.lines(widths),
            None if self.shape == TableShape::Lines => self.lines(widths),
            None => Layout::Blocks {
                name_width,
                cell_width: WIDEST_BLOCK_CELL,
            },
        }
    }

    /// All columns, none of which goes on below.
    fn lines(&self, widths: Vec<usize>) -> Layout {
        Layout::Lines(Lines {
            columns: (0..self.headers.len()).collect(),
            widths,
            right_aligned: self.right_aligned.clone(),
            wrapped: vec![false; self.headers.len()],
            heading: None,
        })
    }

    fn write_row(&mut self, row: &[String]) -> Result<(), ReportError> {
        self.rows += 1;
        match &self.layout {
            Some(Layout::Lines(lines)) => {
                let heading = lines.heading.and_then(|column| row.get(column));
                if heading != self.heading.as_ref() {
                    let shown = self.bold(heading.map_or("", String::as_str));
                    let gap = if self.rows > 1 { "\n" } else { "" };
                    writeln!(self.out, "{gap}{shown}")?;
                    self.heading = heading.cloned();
                }
                let (texts, is_cut) = match self.width {
                    Some(_) => lines.of(row),
                    None => (vec![whole_line(row, &lines.widths, &lines.right_aligned)], false),
                };
                self.shortened.cells |= is_cut;
                for text in texts {
                    writeln!(self.out, "{text}")?;
                }
            }
            Some(Layout::Blocks { name_width, cell_width }) => {
                writeln!(self.out, "─── row {} ───", self.rows)?;
                for (header, cell) in self.headers.iter().zip(row) {
                    let padding = " ".repeat(name_width.saturating_sub(display_width(header)) + GAP);
                    let shown = cut(cell, *cell_width);
                    self.shortened.cells |= shown.len() != cell.len();
                    writeln!(
                        self.out,
                        "{}",
                        format!("{header}{padding}{shown}").trim_end_matches(' ')
                    )?;
                }
            }
            Some(Layout::Text) => writeln!(self.out, "{}", row.join("\n"))?,
            None => {}
        }
        Ok(())
    }
}

impl<W: Write + Send> FormatWriter for TableWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let schema = SchemaRef::clone(&self.schema);
        let options = CellOptions::new();
        let make_visible = if self.shape == TableShape::Text {
            escape::visible_lines
        } else {
            escape::visible
        };
        let mut cells = Cells::new(schema.fields(), batch, &options)?;
        for row in 0..batch.num_rows() {
            let mut texts = Vec::with_capacity(batch.num_columns());
            cells.row(row, |_, text| {
                texts.push(make_visible(text.unwrap_or_default()).into_owned());
                Ok(())
            })?;
            self.take(texts)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Shortened, ReportError> {
        if self.layout.is_none() {
            self.start()?;
        }
        self.out.flush()?;
        Ok(self.shortened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use arrow::array::Int64Array;
    use arrow::array::StringArray;
    use arrow::array::StructArray;
    use arrow::array::TimestampMicrosecondArray;
    use arrow::datatypes::DataType;
    use arrow::datatypes::Field;
    use proptest::prelude::*;

    use crate::report::Format;
    use crate::report::escape::is_hidden;
    use crate::report::result::tests::batch;
    use crate::report::result::tests::options;
    use crate::report::result::tests::render;
    use crate::report::result::tests::render_column;
    use crate::report::result::tests::render_with;

    fn calls() -> RecordBatch {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("GetObject"), None, Some("ListBuckets")]));
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![12_000, 7, 3]));
        RecordBatch::try_from_iter_with_nullable([("event_name", names, true), ("calls", counts, true)]).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_numbers_stand_right() {
        let text = render(&[calls()], Format::Table);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "event_name   calls",
                "───────────  ─────",
                "GetObject    12000",
                "                 7",
                "ListBuckets      3"
            ]
        );
    }

    #[test]
    fn empty_result_still_names_its_columns() {
        assert_eq!(
            render(&[calls().slice(0, 0)], Format::Table),
            "event_name  calls\n──────────  ─────\n"
        );
    }

    #[test]
    fn wide_cells_are_cut_to_the_terminal_and_the_summary_says_so() {
        let narrow = ResultOptions {
            width: Some(30),
            ..options(Format::Table)
        };
        let rows = batch(&[("name", &["0123456789012345678901234567890123456789"]), ("b", &["x"])]);
        let (text, summary) = render_with(&[rows], &narrow);
        assert!(text.lines().all(|line| display_width(line) <= 30), "{text}");
        assert!(text.ends_with("…  x\n") && summary.cut_cells, "{text}");
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let long = "x".repeat(5_000);
        let (text, summary) = render_with(&[batch(&[("name", &[&long])])], &options(Format::Table));
        assert!(text.contains(&long) && !summary.cut_cells);
    }

    #[test]
    fn one_huge_cell_neither_pads_its_neighbours_nor_floods_the_terminal() {
        let long = "x".repeat(1_000_000);
        let rows = batch(&[
            ("first", &["a", &long]),
            ("second", &["b", "c"]),
            ("third", &["d", "e"]),
        ]);
        let (text, _) = render_with(std::slice::from_ref(&rows), &options(Format::Table));
        assert!(text.contains(&long) && text.len() < 1_003_000, "{}", text.len());
        let narrow = ResultOptions {
            width: Some(12),
            ..options(Format::Table)
        };
        let (text, summary) = render_with(&[rows], &narrow);
        assert!(text.len() < 20_000 && summary.cut_cells, "{}", text.len());
    }

    #[test]
    fn row_that_does_not_fit_becomes_a_block() {
        let narrow = ResultOptions {
            width: Some(20),
            ..options(Format::Table)
        };
        let rows = batch(&[
            ("first", &["aaaaaaaaaaaaaaa"]),
            ("second", &["bbbbbbbbbbbbbbb"]),
            ("c", &["ccccccccccc"]),
        ]);
        let (text, _) = render_with(&[rows], &narrow);
        assert_eq!(
            text,
            "─── row 1 ───\nfirst   aaaaaaaaaaaaaaa\nsecond  bbbbbbbbbbbbbbb\nc       ccccccccccc\n"
        );
    }

    #[test]
    fn arranged_table_leaves_out_what_matters_least_and_cuts_no_names() {
        const ARRANGEMENT: Arrangement = Arrangement {
            order: &["name", "count", "why"],
            wrapped: &[("name", 12), ("why", 8)],
            heading: Some("owner"),
        };
        let rows = batch(&[
            ("owner", &["arn:a", "arn:a", "arn:b"]),
            ("name", &["short", "role/with-a-long-name", "x"]),
            ("why", &["", "two words", "y"]),
            ("rest", &["0123456789", "", ""]),
        ]);
        let of = |width| {
            let narrow = ResultOptions {
                width: Some(width),
                arrangement: ARRANGEMENT,
                ..options(Format::Table)
            };
            render_with(std::slice::from_ref(&rows), &narrow)
        };
        let (text, summary) = of(24);
        let wanted = [
            "name           why",
            "─────────────  ─────────",
            "arn:a",
            "short",
            "role/with-a-   two words",
            "  long-name",
            "",
            "arn:b",
            "x              y",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), wanted);
        assert!(summary.left_out_columns && !summary.cut_cells);
        let (text, summary) = of(80);
        assert!(
            text.contains("role/with-a-long-name  two words") && !summary.left_out_columns,
            "{text}"
        );
    }

    #[test]
    fn plan_keeps_its_lines() {
        let text = ResultOptions {
            shape: TableShape::Text,
            ..options(Format::Table)
        };
        let rows = batch(&[
            ("plan_type", &["logical_plan"]),
            ("plan", &["Projection\n  Scan\u{1b}"]),
        ]);
        assert_eq!(
            render_with(&[rows], &text).0,
            "logical_plan\nProjection\n  Scan\\u{1b}\n"
        );
    }

    #[test]
    fn late_wide_cell_is_written_whole_without_a_terminal() {
        let early = vec!["a"; HELD_ROWS];
        let text = render(
            &[batch(&[("name", &early)]), batch(&[("name", &["late and wide"])])],
            Format::Table,
        );
        assert_eq!(text.lines().count(), HELD_ROWS + 3);
        assert!(text.ends_with("\nlate and wide\n"));
    }

    #[test]
    fn nested_values_are_json() {
        let arn: ArrayRef = Arc::new(StringArray::from(vec!["arn:aws:s3:::logs"]));
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC"));
        let time_field = Field::new("time", time.data_type().clone(), true);
        let fields = vec![Field::new("arn", DataType::Utf8, true), time_field];
        let text = render_column(
            Arc::new(StructArray::new(fields.into(), vec![arn, time], None)),
            Format::Table,
        );
        assert!(
            text.ends_with("\n{\"arn\":\"arn:aws:s3:::logs\",\"time\":\"1970-01-01T00:00:00Z\"}\n"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn only_line_feeds_are_left_of_control_characters(
            name in any::<String>(),
            values in proptest::collection::vec(any::<String>(), 0..5),
            width in proptest::option::of(1_usize..100),
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            for format in [Format::Table, Format::Markdown, Format::Csv, Format::Json, Format::Ndjson] {
                let options = ResultOptions { width, ..options(format) };
                let (text, _) = render_with(&[batch(&[(&name, &values)])], &options);
                prop_assert!(!text.contains(|character| character != '\n' && is_hidden(character)), "{text:?}");
            }
        }
    }
}
