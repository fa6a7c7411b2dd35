//! One Parquet file with the exact types of the columns.

use std::io::Write;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::basic::ZstdLevel;
use ::parquet::file::properties::WriterProperties;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::ReportError;
use super::result::FormatWriter;
use super::result::Shortened;

/// Rows of a row group: bounds what is held in memory.
const ROWS_PER_GROUP: usize = 128 * 1024;

/// Writes Parquet.
pub(super) struct ParquetWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetWriter<W> {
    pub(super) fn new(schema: &SchemaRef, out: W) -> Result<Self, ReportError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("trimtrail ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .build();
        Ok(Self {
            writer: ArrowWriter::try_new(out, SchemaRef::clone(schema), Some(properties))?,
        })
    }
}

impl<W: Write + Send> FormatWriter for ParquetWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(&mut self) -> Result<Shortened, ReportError> {
        self.writer.finish()?;
        self.writer.inner_mut().flush()?;
        Ok(Shortened::default())
    }
}

#[cfg(test)]
mod tests {
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use bytes::Bytes;

    use crate::report::Format;
    use crate::report::result::tests::batch;
    use crate::report::result::tests::options;
    use crate::report::result::tests::render_bytes;

    #[test]
    fn rows_read_back_as_they_were() {
        let rows = batch(&[("name", &["=a", "\u{1b}"]), ("other", &["", "é"])]);
        let (bytes, summary) = render_bytes(std::slice::from_ref(&rows), &options(Format::Parquet));
        let mut reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(reader.next().unwrap().unwrap(), rows);
        assert_eq!(summary.rows, 2);
    }

    #[test]
    fn same_rows_give_the_same_bytes() {
        let rows = batch(&[("name", &["a", "b"])]);
        let file = || render_bytes(std::slice::from_ref(&rows), &options(Format::Parquet)).0;
        assert_eq!(file(), file());
    }
}
