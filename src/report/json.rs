//! JSON with the exact types of the columns: one document, or one object per line.
//!
//! Numbers of 64 bits stand as numbers, times are RFC 3339 strings, nulls are explicit so that every object has every
//! key. Characters that would act on a terminal are `\u` escapes, which leaves the values as they are.

use std::io;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::JsonFormat;
use arrow::json::writer::Writer;

use super::ReportError;
use super::cells::TIMESTAMP_FORMAT;
use super::escape;
use super::result::FormatWriter;
use super::result::Shortened;

/// An array of objects, one object per line.
#[derive(Debug, Default)]
pub(super) struct Rows;

/// One object per line, nothing around them.
#[derive(Debug, Default)]
pub(super) struct Lines;

/// Writes JSON; `F` is [`Rows`] or [`Lines`].
pub(super) struct JsonWriter<W: Write, F: JsonFormat> {
    encoder: Writer<Vec<u8>, F>,
    out: W,
}

impl<W: Write, F: JsonFormat> JsonWriter<W, F> {
    pub(super) fn new(out: W) -> Self {
        let encoder = WriterBuilder::new()
            .with_explicit_nulls(true)
            .with_timestamp_format(TIMESTAMP_FORMAT.to_owned())
            .build(Vec::new());
        Self { encoder, out }
    }

    fn pass_on(&mut self) -> Result<(), ReportError> {
        let text = std::str::from_utf8(self.encoder.get_ref())
            .map_err(|cause| ReportError::Write(io::Error::new(io::ErrorKind::InvalidData, cause)))?;
        self.out.write_all(escape::json(text).as_bytes())?;
        self.encoder.get_mut().clear();
        Ok(())
    }
}

impl<W: Write + Send, F: JsonFormat + Send> FormatWriter for JsonWriter<W, F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.encoder.write(batch)?;
        self.pass_on()
    }

    fn finish(&mut self) -> Result<Shortened, ReportError> {
        self.encoder.finish()?;
        self.pass_on()?;
        self.out.flush()?;
        Ok(Shortened::default())
    }
}

impl JsonFormat for Rows {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        Ok(writer.write_all(if is_first_row { b"\n" } else { b",\n" })?)
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n]\n")?)
    }
}

impl JsonFormat for Lines {
    fn end_row<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n")?)
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Format;
    use crate::report::result::tests::batch;
    use crate::report::result::tests::render;
    use crate::report::result::tests::render_column;

    use std::sync::Arc;

    use arrow::array::Decimal128Array;
    use arrow::array::Float64Array;
    use arrow::array::Int64Array;
    use arrow::array::StringArray;
    use arrow::array::TimestampMicrosecondArray;
    use proptest::prelude::*;

    #[test]
    fn document_is_an_array_with_one_object_per_line() {
        let text = render(&[batch(&[("name", &["a", "b"])])], Format::Json);
        assert_eq!(text, "[\n{\"name\":\"a\"},\n{\"name\":\"b\"}\n]\n");
    }

    #[test]
    fn empty_result_is_an_empty_array() {
        let text = render(&[batch(&[("name", &[])])], Format::Json);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            serde_json::json!([])
        );
    }

    #[test]
    fn several_batches_are_one_document() {
        let rows = batch(&[("name", &["a"])]);
        let text = render(&[rows.clone(), rows.slice(0, 0), rows], Format::Json);
        assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap().len(), 2);
    }

    #[test]
    fn largest_integers_stay_numbers() {
        let text = render_column(Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX])), Format::Ndjson);
        assert_eq!(
            text,
            "{\"value\":-9223372036854775808}\n{\"value\":9223372036854775807}\n"
        );
    }

    #[test]
    fn decimals_stay_exact_numbers() {
        let array = Decimal128Array::from(vec![123_456_789_012_345_678_901])
            .with_precision_and_scale(30, 2)
            .unwrap();
        assert_eq!(
            render_column(Arc::new(array), Format::Ndjson),
            "{\"value\":1234567890123456789.01}\n"
        );
    }

    #[test]
    fn number_that_is_none_is_null() {
        let array = Float64Array::from(vec![f64::NAN, f64::INFINITY, 1.5]);
        let text = render_column(Arc::new(array), Format::Ndjson);
        assert_eq!(text, "{\"value\":null}\n{\"value\":null}\n{\"value\":1.5}\n");
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        let times = TimestampMicrosecondArray::from(vec![1_788_220_800_000_000, 1_788_220_800_123_456]);
        let expected = "{\"value\":\"2026-09-01T00:00:00Z\"}\n{\"value\":\"2026-09-01T00:00:00.123456Z\"}\n";
        assert_eq!(render_column(Arc::new(times.clone()), Format::Ndjson), expected);
        assert_eq!(
            render_column(Arc::new(times.with_timezone("UTC")), Format::Ndjson),
            expected
        );
    }

    #[test]
    fn null_is_explicit() {
        let text = render_column(Arc::new(StringArray::from(vec![None::<&str>])), Format::Ndjson);
        assert_eq!(text, "{\"value\":null}\n");
    }

    proptest! {
        #[test]
        fn any_text_reads_back(name in any::<String>(), values in proptest::collection::vec(any::<String>(), 0..5)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let text = render(&[batch(&[(&name, &values)])], Format::Json);
            let rows: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
            let read: Vec<&str> = rows.iter().map(|row| row[&name].as_str().unwrap()).collect();
            prop_assert_eq!(read, values);
        }
    }
}
