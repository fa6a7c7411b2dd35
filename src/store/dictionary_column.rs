//! Parquet column chunks of texts that are numbered already.
//!
//! The `parquet` crate takes such a column, too, but looks up the text of every row again to number it anew, which is a large
//! part of the time that a file takes. Here the numbers are only mapped to those of the file.
//!
//! Format: <https://parquet.apache.org/docs/file-format/data-pages/>.

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::Int32Array;
use arrow::array::StringArray;
use arrow::datatypes::Int32Type;
use bytes::Bytes;
use parquet::basic::BoundaryOrder;
use parquet::basic::Compression;
use parquet::basic::Encoding;
use parquet::basic::EncodingMask;
use parquet::basic::PageType;
use parquet::basic::Type;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::CompressedPage;
use parquet::column::page::Page;
use parquet::column::page::PageWriter;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::metadata::ColumnIndexBuilder;
use parquet::file::metadata::OffsetIndexBuilder;
use parquet::file::metadata::PageEncodingStats;
use parquet::file::properties::EnabledStatistics;
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::Statistics;
use parquet::file::statistics::ValueStatistics;
use parquet::file::writer::SerializedPageWriter;
use parquet::file::writer::TrackedWrite;
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::run_length;
use super::statistics::lower_text;
use super::statistics::upper_text;

/// Number of a value that no row has used yet.
const UNUSED: u32 = u32::MAX;

/// Encodes one column after another, reusing its memory.
pub(super) struct DictionaryEncoder<'p> {
    properties: &'p WriterProperties,
    compressor: Compressor<'static>,
    indexes: Vec<u32>,
    levels: Vec<u32>,
    page: Vec<u8>,
}

/// A column chunk to append to a file.
pub(super) struct DictionaryChunk {
    pub(super) bytes: Bytes,
    pub(super) close: ColumnCloseResult,
}

impl<'p> DictionaryEncoder<'p> {
    /// Makes an encoder that compresses by this level of zstd, whatever the properties say.
    pub(super) fn new(properties: &'p WriterProperties, zstd_level: i32) -> Result<Self, ParquetError> {
        Ok(Self {
            properties,
            compressor: Compressor::new(zstd_level)?,
            indexes: Vec::new(),
            levels: Vec::new(),
            page: Vec::new(),
        })
    }

    /// Encodes a column; `None` when it has no numbered texts, or too much of them for a dictionary.
    pub(super) fn encode(
        &mut self,
        descriptor: &ColumnDescPtr,
        array: &ArrayRef,
    ) -> Result<Option<DictionaryChunk>, ParquetError> {
        let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
            return Ok(None);
        };
        let Some(values) = dictionary.values().as_string_opt::<i32>() else {
            return Ok(None);
        };
        let is_flat = descriptor.max_def_level() == 1 && descriptor.max_rep_level() == 0;
        if !is_flat || values.null_count() > 0 {
            return Ok(None);
        }
        let keys = dictionary.keys();
        let path = descriptor.path();
        let mut used = UsedValues::new(values);
        let mut bounds = (self.properties.statistics_enabled(path) == EnabledStatistics::Page).then(Bounds::new);
        let mut pages = Vec::new();
        let page_rows = self.properties.data_page_row_count_limit().max(1);
        for start in (0..keys.len()).step_by(page_rows) {
            let keys = keys.slice(start, page_rows.min(keys.len() - start));
            pages.push((keys.len(), self.page(&keys, &mut used)?));
            if used.plain.len() > self.properties.column_dictionary_page_size_limit(path) {
                return Ok(None);
            }
            if let Some(bounds) = &mut bounds {
                bounds.add_page(&used, &self.indexes, keys.null_count());
            }
        }
        let bloom_filter = match self.properties.bloom_filter_properties(path) {
            Some(filter) => {
                let mut bloom_filter = Sbbf::new_with_ndv_fpp(filter.ndv(), filter.fpp())?;
                used.values().for_each(|value| bloom_filter.insert(value));
                bloom_filter.fold_to_target_fpp(filter.fpp());
                Some(bloom_filter)
            }
            None => None,
        };
        let dictionary = self.dictionary_page(&used)?;
        let mut chunk = assemble(descriptor, self.properties.compression(path), dictionary, pages)?;
        chunk.close.bloom_filter = bloom_filter;
        if let Some(bounds) = bounds {
            bounds.finish(keys.null_count(), &mut chunk.close)?;
        }
        Ok(Some(chunk))
    }

    /// One data page; leaves the numbers of its values in `indexes`.
    fn page(&mut self, keys: &Int32Array, used: &mut UsedValues<'_>) -> Result<CompressedPage, ParquetError> {
        // Levels have their length in front, indexes their width.
        self.page.clear();
        self.page.extend_from_slice(&[0; size_of::<u32>()]);
        self.indexes.clear();
        match keys.nulls().filter(|nulls| nulls.null_count() > 0) {
            Some(nulls) if nulls.null_count() == keys.len() => run_length::repeat(0, keys.len(), 1, &mut self.page),
            Some(nulls) => {
                self.levels.clear();
                for (start, end) in nulls.valid_slices() {
                    self.levels.resize(start, 0);
                    self.levels.resize(end, 1);
                    let keys = keys.values().get(start..end).unwrap_or_default();
                    used.extend_indexes(keys, &mut self.indexes)?;
                }
                self.levels.resize(keys.len(), 0);
                run_length::encode(&self.levels, 1, &mut self.page);
            }
            None => {
                run_length::repeat(1, keys.len(), 1, &mut self.page);
                used.extend_indexes(keys.values(), &mut self.indexes)?;
            }
        }
        let length = u32_of(self.page.len() - size_of::<u32>())?;
        if let Some(prefix) = self.page.first_chunk_mut() {
            *prefix = length.to_le_bytes();
        }
        let width = run_length::bit_width(used.keys.len());
        self.page.push(width);
        run_length::encode(&self.indexes, width, &mut self.page);
        let page = Page::DataPage {
            buf: self.compressor.compress(&self.page)?.into(),
            num_values: u32_of(keys.len())?,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        Ok(CompressedPage::new(page, self.page.len()))
    }

    fn dictionary_page(&mut self, used: &UsedValues<'_>) -> Result<CompressedPage, ParquetError> {
        let page = Page::DictionaryPage {
            buf: self.compressor.compress(&used.plain)?.into(),
            num_values: u32_of(used.keys.len())?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        Ok(CompressedPage::new(page, used.plain.len()))
    }
}

/// The values of a dictionary that rows use, numbered in the order of their first row.
struct UsedValues<'v> {
    values: &'v StringArray,
    /// Index of every value in the file, or [`UNUSED`].
    indexes: Vec<u32>,
    /// Key of every index.
    keys: Vec<i32>,
    /// The used values as a dictionary page has them.
    plain: Vec<u8>,
}

impl<'v> UsedValues<'v> {
    fn new(values: &'v StringArray) -> Self {
        Self {
            values,
            indexes: vec![UNUSED; values.len()],
            keys: Vec::new(),
            plain: Vec::new(),
        }
    }

    /// Appends the index of every key.
    fn extend_indexes(&mut self, keys: &[i32], indexes: &mut Vec<u32>) -> Result<(), ParquetError> {
        for block in keys.chunks(run_length::BLOCK) {
            // Rows are sorted, so that most columns have long runs.
            match block.first() {
                Some(&key) if run_length::are_all(block, key) => {
                    let index = self.index(key)?;
                    indexes.resize(indexes.len() + block.len(), index);
                }
                _ => {
                    for &key in block {
                        indexes.push(self.index(key)?);
                    }
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn index(&mut self, key: i32) -> Result<u32, ParquetError> {
        let slot = usize::try_from(key).ok().and_then(|key| self.indexes.get_mut(key));
        match slot {
            Some(&mut index) if index != UNUSED => Ok(index),
            Some(slot) => {
                let index = u32_of(self.keys.len())?;
                *slot = index;
                self.keys.push(key);
                let value = value(self.values, key);
                self.plain.extend_from_slice(&u32_of(value.len())?.to_le_bytes());
                self.plain.extend_from_slice(value.as_bytes());
                Ok(index)
            }
            None => Err(ParquetError::General(format!(
                "key {key} in a dictionary of {}",
                self.values.len()
            ))),
        }
    }

    fn value(&self, index: u32) -> &'v str {
        let key = usize::try_from(index).ok().and_then(|index| self.keys.get(index));
        key.map_or("", |&key| value(self.values, key))
    }

    fn values(&self) -> impl Iterator<Item = &'v str> {
        self.keys.iter().map(|&key| value(self.values, key))
    }
}

fn value(values: &StringArray, key: i32) -> &str {
    let key = usize::try_from(key).ok().filter(|&key| key < values.len());
    key.map_or("", |key| values.value(key))
}

/// Least and greatest value of every page and of all of them.
struct Bounds<'v> {
    index: ColumnIndexBuilder,
    /// Page in which every value was seen last.
    seen: Vec<usize>,
    pages: usize,
    is_ascending: bool,
    last: Option<(&'v str, &'v str)>,
    all: Option<(&'v str, &'v str)>,
}

impl<'v> Bounds<'v> {
    fn new() -> Self {
        Self {
            index: ColumnIndexBuilder::new(Type::BYTE_ARRAY),
            seen: Vec::new(),
            pages: 0,
            is_ascending: true,
            last: None,
            all: None,
        }
    }

    fn add_page(&mut self, used: &UsedValues<'v>, indexes: &[u32], nulls: usize) {
        self.pages += 1;
        self.seen.resize(used.keys.len(), 0);
        let mut bounds = None;
        for &index in indexes {
            let seen = usize::try_from(index).ok().and_then(|index| self.seen.get_mut(index));
            if let Some(seen) = seen.filter(|seen| **seen != self.pages) {
                *seen = self.pages;
                let value = used.value(index);
                bounds = Some(widened(bounds, (value, value)));
            }
        }
        let nulls = i64::try_from(nulls).unwrap_or(i64::MAX);
        let Some((min, max)) = bounds else {
            self.index.append(true, Vec::new(), Vec::new(), nulls);
            return;
        };
        let (min_bound, max_bound) = (lower_text(min).into(), upper_text(max).unwrap_or(max.to_owned()));
        self.index.append(false, min_bound, max_bound.into_bytes(), nulls);
        self.is_ascending &= self.last.is_none_or(|last| last.0 <= min && last.1 <= max);
        self.last = bounds;
        self.all = Some(self.all.map_or((min, max), |all| widened(Some(all), (min, max))));
    }

    fn finish(mut self, nulls: usize, close: &mut ColumnCloseResult) -> Result<(), ParquetError> {
        self.index.set_boundary_order(if self.is_ascending {
            BoundaryOrder::ASCENDING
        } else {
            BoundaryOrder::UNORDERED
        });
        close.column_index = Some(self.index.build()?);
        let (min, max) = self.all.unzip();
        let lower = min.map(lower_text);
        let upper = max.map(|max| upper_text(max).unwrap_or(max.to_owned()));
        let statistics = ValueStatistics::new(
            lower.map(Into::into),
            upper.as_deref().map(Into::into),
            None,
            u64::try_from(nulls).ok(),
            false,
        )
        .with_min_is_exact(lower == min)
        .with_max_is_exact(upper.as_deref() == max);
        let metadata = close.metadata.clone().into_builder();
        close.metadata = metadata.set_statistics(Statistics::ByteArray(statistics)).build()?;
        Ok(())
    }
}

fn widened<'v>(bounds: Option<(&'v str, &'v str)>, (min, max): (&'v str, &'v str)) -> (&'v str, &'v str) {
    bounds.map_or((min, max), |(least, greatest)| (least.min(min), greatest.max(max)))
}

/// Puts the pages one behind the other; the number of rows stands with every page of data.
fn assemble(
    descriptor: &ColumnDescPtr,
    compression: Compression,
    dictionary: CompressedPage,
    pages: Vec<(usize, CompressedPage)>,
) -> Result<DictionaryChunk, ParquetError> {
    let mut sink = TrackedWrite::new(Vec::new());
    let mut writer = SerializedPageWriter::new(&mut sink);
    let mut offsets = OffsetIndexBuilder::new();
    let mut rows = 0;
    let mut data_pages = 0;
    let head = writer.write_page(dictionary)?;
    let (mut compressed, mut uncompressed) = (head.compressed_size, head.uncompressed_size);
    for (page_rows, page) in pages {
        let written = writer.write_page(page)?;
        offsets.append_row_count(i64_of(page_rows)?);
        let size = i32::try_from(written.compressed_size).map_err(|error| ParquetError::External(error.into()))?;
        offsets.append_offset_and_size(i64_of(written.offset)?, size);
        compressed += written.compressed_size;
        uncompressed += written.uncompressed_size;
        rows += page_rows;
        data_pages += 1;
    }
    let page_encodings = [
        (PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
        (PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, data_pages),
    ]
    .map(|(page_type, encoding, count)| PageEncodingStats {
        page_type,
        encoding,
        count,
    });
    let encodings = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY];
    let metadata = ColumnChunkMetaData::builder(ColumnDescPtr::clone(descriptor))
        .set_compression(compression)
        .set_encodings_mask(EncodingMask::new_from_encodings(encodings.iter()))
        .set_page_encoding_stats(page_encodings.to_vec())
        .set_total_compressed_size(i64_of(compressed)?)
        .set_total_uncompressed_size(i64_of(uncompressed)?)
        .set_num_values(i64_of(rows)?)
        .set_dictionary_page_offset(Some(i64_of(head.offset)?))
        .set_data_page_offset(i64_of(head.compressed_size)?)
        .build()?;
    let bytes = sink.into_inner()?;
    let close = ColumnCloseResult {
        bytes_written: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        rows_written: u64::try_from(rows).unwrap_or(u64::MAX),
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: Some(offsets.build()),
    };
    Ok(DictionaryChunk {
        bytes: bytes.into(),
        close,
    })
}

fn u32_of(number: usize) -> Result<u32, ParquetError> {
    u32::try_from(number).map_err(|error| ParquetError::External(error.into()))
}

fn i64_of<N: TryInto<i64, Error: std::error::Error + Send + Sync + 'static>>(number: N) -> Result<i64, ParquetError> {
    number.try_into().map_err(|error| ParquetError::External(error.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::DictionaryArray;
    use arrow::array::RecordBatch;
    use arrow::compute::concat_batches;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::PageIndexPolicy;
    use parquet::file::metadata::ParquetMetaData;
    use parquet::file::metadata::ParquetMetaDataReader;
    use parquet::file::page_index::column_index::ColumnIndexMetaData;
    use proptest::prelude::*;

    use super::*;

    const PAGE_ROWS: usize = 16;

    fn properties(is_filtered: bool) -> WriterProperties {
        WriterProperties::builder()
            .set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()))
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_write_batch_size(PAGE_ROWS)
            .set_dictionary_page_size_limit(4096)
            .set_bloom_filter_enabled(is_filtered)
            .set_statistics_enabled(if is_filtered {
                EnabledStatistics::Page
            } else {
                EnabledStatistics::None
            })
            .build()
    }

    fn batch(texts: &[Option<&str>]) -> RecordBatch {
        let array: DictionaryArray<Int32Type> = texts.iter().copied().collect();
        // Values that no row uses, as where rows of other files share them.
        let unused = StringArray::from_iter_values(["", "unused"]);
        let values = array.values();
        let shared = arrow::compute::concat(&[&unused, values]).unwrap();
        let keys = array.keys().unary(|key| key + 2);
        let array = DictionaryArray::<Int32Type>::new(keys, shared);
        RecordBatch::try_from_iter_with_nullable([("column", Arc::new(array) as ArrayRef, true)]).unwrap()
    }

    /// The file as the `parquet` crate writes it.
    fn usual_file(batch: &RecordBatch, properties: &WriterProperties) -> Bytes {
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.clone())).unwrap();
        writer.write(batch).unwrap();
        writer.into_inner().unwrap().into()
    }

    fn our_file(batch: &RecordBatch, properties: &WriterProperties) -> Option<Bytes> {
        let writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.clone())).unwrap();
        let (mut writer, _) = writer.into_serialized_writer().unwrap();
        let descriptor = writer.schema_descr().column(0);
        let mut encoder = DictionaryEncoder::new(properties, 1).unwrap();
        let chunk = encoder.encode(&descriptor, batch.column(0)).unwrap()?;
        let mut group = writer.next_row_group().unwrap();
        group.append_column(&chunk.bytes, chunk.close).unwrap();
        group.close().unwrap();
        Some(writer.into_inner().unwrap().into())
    }

    fn read(file: &Bytes) -> Vec<Option<String>> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone()).unwrap();
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let batch = concat_batches(&schema, &batches).unwrap();
        let texts = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).unwrap();
        texts
            .as_string::<i32>()
            .iter()
            .map(|text| text.map(str::to_owned))
            .collect()
    }

    fn footer(file: &Bytes) -> ParquetMetaData {
        let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
        reader.parse_and_finish(file).unwrap()
    }

    fn check(texts: &[Option<&str>]) {
        let batch = batch(texts);
        for is_filtered in [false, true] {
            let properties = properties(is_filtered);
            let (ours, usual) = (our_file(&batch, &properties).unwrap(), usual_file(&batch, &properties));
            assert_eq!(read(&ours), read(&usual));
            let (ours, usual) = (footer(&ours), footer(&usual));
            let column = |footer: &ParquetMetaData| footer.row_group(0).column(0).clone();
            assert_eq!(column(&ours).statistics(), column(&usual).statistics());
            assert_eq!(column(&ours).num_values(), column(&usual).num_values());
            assert_eq!(
                column(&ours).page_encoding_stats_mask(),
                column(&usual).page_encoding_stats_mask()
            );
            let pages = |footer: &ParquetMetaData| {
                let ColumnIndexMetaData::BYTE_ARRAY(index) = footer.column_index()?.first()?.first()?.clone() else {
                    return None;
                };
                let bounds = (0..usize::try_from(index.num_pages()).ok()?).map(|page| {
                    let (min, max) = (index.min_value(page), index.max_value(page));
                    let bounds = (min.map(<[u8]>::to_vec), max.map(<[u8]>::to_vec));
                    (bounds, index.null_count(page), index.is_null_page(page))
                });
                Some(bounds.collect::<Vec<_>>())
            };
            assert_eq!(pages(&ours), pages(&usual));
            let rows = |footer: &ParquetMetaData| -> Vec<i64> {
                let offsets = footer.offset_index().unwrap()[0][0].page_locations();
                offsets.iter().map(|page| page.first_row_index).collect()
            };
            assert_eq!(rows(&ours), rows(&usual));
        }
    }

    #[test]
    fn pages_of_nulls_and_columns_of_nulls_come_back() {
        check(&[None]);
        check(&[None; 40]);
        check(&[Some("")]);
        let some = [Some("b"); PAGE_ROWS];
        let none = [None; PAGE_ROWS];
        check(&[some, none].concat());
        check(&[none.as_slice(), &some, &none, &[Some("a"), None]].concat());
    }

    #[test]
    fn bloom_filter_knows_the_values_of_the_rows_only() {
        let batch = batch(&[Some("a"), None, Some("b")]);
        let properties = properties(true);
        let mut encoder = DictionaryEncoder::new(&properties, 1).unwrap();
        let writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        let (writer, _) = writer.into_serialized_writer().unwrap();
        let chunk = encoder.encode(&writer.schema_descr().column(0), batch.column(0));
        let filter = chunk.unwrap().unwrap().close.bloom_filter.unwrap();
        let has = |text: &str| filter.check(text);
        assert!(has("a") && has("b") && !has("unused"));
    }

    #[test]
    fn long_bounds_are_cut_and_not_called_exact() {
        let long = "k".repeat(1000);
        let file = our_file(&batch(&[Some(&long)]), &properties(true)).unwrap();
        let footer = footer(&file);
        let statistics = footer.row_group(0).column(0).statistics().unwrap();
        assert!(!statistics.min_is_exact() && !statistics.max_is_exact());
        let (min, max) = (statistics.min_bytes_opt().unwrap(), statistics.max_bytes_opt().unwrap());
        assert!(min < long.as_bytes() && max > long.as_bytes() && max.len() < 300);
        assert_eq!(read(&file), [Some(long)]);
    }

    #[test]
    fn large_dictionary_and_plain_texts_are_left_to_the_usual_writer() {
        let texts: Vec<String> = (0..100).map(|number| format!("{number:0100}")).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
        assert!(our_file(&batch(&texts), &properties(false)).is_none());
        let plain: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        let plain = RecordBatch::try_from_iter_with_nullable([("column", plain, true)]).unwrap();
        assert!(our_file(&plain, &properties(false)).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_column_is_as_the_usual_writer_has_it(
            runs in proptest::collection::vec((proptest::option::of("[a-d]{0,3}"), 1..20_usize), 1..20),
        ) {
            let texts: Vec<Option<&str>> = runs
                .iter()
                .flat_map(|(text, count)| std::iter::repeat_n(text.as_deref(), *count))
                .collect();
            check(&texts);
        }
    }
}
