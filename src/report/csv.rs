//! Comma-separated values, safe to open in a spreadsheet.
//!
//! A cell that begins like a formula would run in Excel or LibreOffice. Unless raw output is asked for, such a text cell
//! gets a leading apostrophe, as OWASP advises and Prowler does, and control and invisible characters become visible
//! escapes, so that one line is one row. In many countries a
//! semicolon separates cells, so that the apostrophe also stands behind one within a cell. Columns of numbers, times and booleans
//! are never changed. Null is the empty cell.

use std::io;
use std::io::Write;

use ::csv::Writer;
use ::csv::WriterBuilder;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::ReportError;
use super::cells::CellOptions;
use super::cells::Cells;
use super::cells::holds_text;
use super::escape;
use super::result::FormatWriter;
use super::result::Shortened;

/// Writes CSV.
pub(super) struct CsvWriter<W: Write> {
    schema: SchemaRef,
    /// Per column: whether cells are protected.
    protected: Vec<bool>,
    options: CellOptions,
    writer: Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(schema: &SchemaRef, raw: bool, out: W) -> Result<Self, ReportError> {
        let protected = schema
            .fields()
            .iter()
            .map(|field| !raw && holds_text(field.data_type()))
            .collect();
        let mut writer = WriterBuilder::new().flexible(true).from_writer(out);
        for field in schema.fields() {
            let name = if raw {
                field.name().clone()
            } else {
                protect(field.name())
            };
            writer.write_field(name).map_err(write_error)?;
        }
        writer.write_record(None::<&[u8]>).map_err(write_error)?;
        Ok(Self {
            schema: SchemaRef::clone(schema),
            protected,
            options: CellOptions::new(),
            writer,
        })
    }
}

impl<W: Write + Send> FormatWriter for CsvWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let mut cells = Cells::new(self.schema.fields(), batch, &self.options)?;
        let writer = &mut self.writer;
        for row in 0..batch.num_rows() {
            cells.row(row, |column, text| {
                let text = text.unwrap_or_default();
                let is_protected = self.protected.get(column).copied().unwrap_or(true);
                let written = if is_protected {
                    writer.write_field(protect(text))
                } else {
                    writer.write_field(text)
                };
                written.map_err(write_error)
            })?;
            writer.write_record(None::<&[u8]>).map_err(write_error)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Shortened, ReportError> {
        self.writer.flush()?;
        Ok(Shortened::default())
    }
}

/// What a formula begins with; the full-width forms count because some spreadsheets fold them into the plain ones.
const FORMULA_SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The text on one line, with an apostrophe wherever a spreadsheet would take what follows for a formula: at the begin, and where a
/// cell would begin for a reader with another separator.
fn protect(text: &str) -> String {
    let visible = escape::visible(text);
    let mut protected = String::with_capacity(visible.len() + 1);
    if text.starts_with(FORMULA_SIGNS) {
        protected.push('\'');
    }
    let mut begins = false;
    for character in visible.chars() {
        if begins && FORMULA_SIGNS.contains(&character) {
            protected.push('\'');
        }
        protected.push(character);
        begins = character == ';' || begins && character == '"';
    }
    protected
}

fn write_error(cause: ::csv::Error) -> ReportError {
    let text = cause.to_string();
    match cause.into_kind() {
        ::csv::ErrorKind::Io(cause) => ReportError::Write(cause),
        _ => ReportError::Write(io::Error::other(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Arc;

    use arrow::array::Int64Array;
    use proptest::prelude::*;

    use crate::report::Format;
    use crate::report::ResultOptions;
    use crate::report::result::tests::batch;
    use crate::report::result::tests::options;
    use crate::report::result::tests::render;
    use crate::report::result::tests::render_column;
    use crate::report::result::tests::render_with;

    /// The rule that Prowler applies to its CSV reports.
    fn prowler(text: &str) -> String {
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            format!("'{text}")
        } else {
            text.to_owned()
        }
    }

    #[test]
    fn formula_gets_an_apostrophe_in_header_and_cells() {
        let text = render(&[batch(&[("=cmd", &["=1+1", "+1", "-1", "@x", "plain"])])], Format::Csv);
        assert_eq!(text, "'=cmd\n'=1+1\n'+1\n'-1\n'@x\nplain\n");
    }

    #[test]
    fn formula_behind_a_semicolon_gets_an_apostrophe_too() {
        let values = ["x;=cmd|' /C calc'!A0", "a;b", "x;\"@y", "1;-2;\t=3"];
        let text = render(&[batch(&[("name", &values)])], Format::Csv);
        assert_eq!(
            text,
            "name\nx;'=cmd|' /C calc'!A0\na;b\n\"x;\"\"'@y\"\n1;'-2;\\u{9}=3\n"
        );
    }

    #[test]
    fn negative_numbers_are_untouched() {
        assert_eq!(
            render_column(Arc::new(Int64Array::from(vec![-5])), Format::Csv),
            "value\n-5\n"
        );
    }

    #[test]
    fn control_characters_are_visible_and_a_row_is_one_line() {
        let text = render(&[batch(&[("name", &["a\nb", "\tc", "\u{1b}[2J"])])], Format::Csv);
        assert_eq!(text, "name\na\\u{a}b\n'\\u{9}c\n\\u{1b}[2J\n");
    }

    #[test]
    fn raw_output_is_exact() {
        let raw = ResultOptions {
            csv_raw: true,
            ..options(Format::Csv)
        };
        let text = render_with(&[batch(&[("name", &["=1+1", "a\nb", "c,\"d"])])], &raw).0;
        assert_eq!(text, "name\n=1+1\n\"a\nb\"\n\"c,\"\"d\"\n");
    }

    #[test]
    fn single_empty_cell_is_still_a_row() {
        assert_eq!(render(&[batch(&[("name", &[""])])], Format::Csv), "name\n\"\"\n");
    }

    proptest! {
        #[test]
        fn printable_text_without_semicolons_is_what_prowler_makes_of_it(text in "[ -:<-~]{0,20}") {
            prop_assert_eq!(protect(&text), prowler(&text));
        }

        #[test]
        fn no_cell_begins_a_formula_where_semicolons_separate_cells(
            values in proptest::collection::vec("[=+@\t\"',;a-]{0,8}", 1..5),
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let text = render(&[batch(&[("first", &values), ("second", &values)])], Format::Csv);
            let mut reader = ::csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(text.as_bytes());
            for record in reader.records() {
                let record = record.unwrap();
                prop_assert!(!record.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t'])), "{record:?}");
            }
        }

        #[test]
        fn no_cell_begins_a_formula(values in proptest::collection::vec("[=+@\t\r\n\"',a-]{0,6}", 1..5)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let text = render(&[batch(&[("name", &values)])], Format::Csv);
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            let cells: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
            prop_assert_eq!(cells.len(), values.len());
            prop_assert!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])));
        }

        #[test]
        fn raw_cells_read_back(values in proptest::collection::vec(any::<String>(), 1..5)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let raw = ResultOptions { csv_raw: true, ..options(Format::Csv) };
            let text = render_with(&[batch(&[("name", &values)])], &raw).0;
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            let cells: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
            prop_assert_eq!(cells, values);
        }
    }
}
