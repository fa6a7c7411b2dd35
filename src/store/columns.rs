//! Some columns of data files, in file order: from a folder as they are needed, from a bucket many files at a time.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use bytes::Bytes;
use futures::FutureExt;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::reader::ChunkReader;

use super::DataFile;
use super::StagedFile;
use super::Store;
use super::StoreError;
use super::bucket::BucketFiles;
use super::error::Access;
use super::files::RemoteFiles;
use super::parquet_file;
use super::parquet_file::rows_error;
use crate::schema::Table;

/// Files of a bucket up to this size are fetched with one request.
const WHOLE_BYTES: u64 = 4 << 20;
/// Files of a bucket that are fetched at a time.
const FILES_AT_A_TIME: usize = 16;
/// Enough for most footers, so that they take one request.
const FOOTER_BYTES: usize = 64 << 10;

/// Rows that are handed out together, if a file has as many, and their memory, roughly.
const ROWS_TOGETHER: usize = 1 << 17;
const BYTES_TOGETHER: usize = 64 << 20;

/// The rows of one file.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

impl Store {
    /// Calls `visit` with some columns of the rows of a data file of `events`, many rows at a time; blocks on file reads.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or `visit` fails.
    pub fn visit_events(
        &self,
        file: &DataFile,
        columns: &[&str],
        mut visit: impl FnMut(&RecordBatch) -> Result<(), ArrowError>,
    ) -> Result<(), StoreError> {
        let (path, batches) = self.read_columns(Table::Events, file, columns)?;
        let failed = |source| rows_error(&path, source);
        let (mut waiting, mut rows, mut bytes) = (Vec::new(), 0, 0);
        let mut hand_out = |waiting: &mut Vec<RecordBatch>| {
            let Some(first) = waiting.first() else {
                return Ok(());
            };
            let together = concat_batches(&first.schema(), waiting.iter());
            waiting.clear();
            together.and_then(|together| visit(&together)).map_err(failed)
        };
        for batch in batches {
            let batch = batch.map_err(failed)?;
            rows += batch.num_rows();
            bytes += batch.get_array_memory_size();
            waiting.push(batch);
            if rows >= ROWS_TOGETHER || bytes >= BYTES_TOGETHER {
                hand_out(&mut waiting)?;
                (rows, bytes) = (0, 0);
            }
        }
        hand_out(&mut waiting)
    }

    /// As [`Store::visit_events`], for a file that is staged.
    ///
    /// # Errors
    ///
    /// As for [`Store::visit_events`].
    pub fn visit_staged(
        &self,
        file: &StagedFile,
        columns: &[&str],
        visit: impl FnMut(&RecordBatch) -> Result<(), ArrowError>,
    ) -> Result<(), StoreError> {
        self.visit_events(&file.data_file(0), columns, visit)
    }

    /// Calls `visit` with some columns of every row of the files; blocks.
    pub(super) fn visit_columns(
        &self,
        table: Table,
        files: &[Arc<DataFile>],
        columns: &[&str],
        mut visit: impl FnMut(&RecordBatch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut visit_file = |path: &Path, batches: Batches| -> Result<(), StoreError> {
            for batch in batches {
                visit(&batch.map_err(|source| rows_error(path, source))?)?;
            }
            Ok(())
        };
        let Some(remote) = self.storage().remote() else {
            for file in files {
                let (path, batches) = self.read_columns(table, file, columns)?;
                visit_file(&path, batches)?;
            }
            return Ok(());
        };
        let mut fetched = stream::iter(files)
            .map(|file| async move { (file, fetch_small(remote, table, file).await) })
            .buffered(FILES_AT_A_TIME);
        while let Some((file, bytes)) = remote.wait(fetched.next()) {
            let (path, batches) = read_remote(remote, (table, file), bytes?, columns)?;
            visit_file(&path, batches)?;
        }
        Ok(())
    }

    /// Opens one file for some columns, which come in file order; blocks.
    pub(super) fn read_columns(
        &self,
        table: Table,
        file: &DataFile,
        columns: &[&str],
    ) -> Result<(PathBuf, Batches), StoreError> {
        if let Some(remote) = self.storage().remote() {
            let bytes = remote.wait(fetch_small(remote, table, file))?;
            return read_remote(remote, (table, file), bytes, columns);
        }
        let path = self.table_folder(table).join(&file.path);
        let opened = File::open(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => missing(&path),
            _ => StoreError::from_io(&path, Access::Read, source),
        })?;
        match projected(opened, columns) {
            Ok(reader) => Ok((path, Box::new(reader))),
            Err(source) => Err(StoreError::from_parquet(&path, Access::Read, source)),
        }
    }

    /// Number of rows by the file's own footer, for files whose writer left the count out of the log.
    pub(super) fn count_rows(&self, table: Table, (path, size): (&str, u64)) -> Result<u64, StoreError> {
        let Some(remote) = self.storage().remote() else {
            return parquet_file::count_rows(&self.table_folder(table).join(path));
        };
        let mut file = RemoteFile {
            files: remote.files.clone(),
            path: remote.object_path(table, path)?,
            size,
        };
        let metadata = remote.wait(file.get_metadata(None));
        let metadata =
            metadata.map_err(|source| StoreError::from_parquet(&remote.uri(table, path), Access::Read, source))?;
        Ok(u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default())
    }
}

/// All bytes of a small file; `None` for a large one, of which only columns are worth fetching.
async fn fetch_small(remote: &RemoteFiles, table: Table, file: &DataFile) -> Result<Option<Bytes>, StoreError> {
    if file.size > WHOLE_BYTES {
        return Ok(None);
    }
    let path = remote.object_path(table, &file.path)?;
    let read = async { remote.files.get(&path).await?.bytes().await };
    let bytes = match read.await {
        Ok(bytes) => bytes,
        Err(object_store::Error::NotFound { .. }) => return Err(missing(&remote.uri(table, &file.path))),
        Err(error) => {
            return Err(StoreError::from_object(
                &remote.uri(table, &file.path),
                Access::Read,
                error,
            ));
        }
    };
    if bytes.len() as u64 == file.size {
        return Ok(Some(bytes));
    }
    Err(StoreError::DamagedFile {
        path: remote.uri(table, &file.path).display().to_string(),
        reason: format!("has {} bytes instead of {}", bytes.len(), file.size),
    })
}

fn read_remote(
    remote: &RemoteFiles,
    (table, file): (Table, &DataFile),
    bytes: Option<Bytes>,
    columns: &[&str],
) -> Result<(PathBuf, Batches), StoreError> {
    let path = remote.uri(table, &file.path);
    let failed = |source| StoreError::from_parquet(&path, Access::Read, source);
    if let Some(bytes) = bytes {
        let reader = projected(bytes, columns).map_err(failed)?;
        return Ok((path, Box::new(reader)));
    }
    let reader = RemoteFile {
        files: remote.files.clone(),
        path: remote.object_path(table, &file.path)?,
        size: file.size,
    };
    let builder = remote
        .wait(ParquetRecordBatchStreamBuilder::new(reader))
        .map_err(failed)?;
    let projection = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let mut rows = builder.with_projection(projection).build().map_err(failed)?;
    let remote = remote.clone();
    let batches = std::iter::from_fn(move || {
        let batch = remote.wait(rows.next())?;
        Some(batch.map_err(ArrowError::from))
    });
    Ok((path, Box::new(batches)))
}

fn projected(file: impl ChunkReader + 'static, columns: &[&str]) -> Result<ParquetRecordBatchReader, ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let projection = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    builder.with_projection(projection).build()
}

fn missing(path: &Path) -> StoreError {
    StoreError::DamagedFile {
        path: path.display().to_string(),
        reason: "is missing".to_owned(),
    }
}

/// A large file of a bucket, of which only the wanted parts are fetched.
struct RemoteFile {
    files: BucketFiles,
    path: ObjectPath,
    size: u64,
}

impl AsyncFileReader for RemoteFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        let bytes = self.files.get_range(&self.path, range);
        bytes.map(|bytes| bytes.map_err(external)).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move { self.files.get_ranges(&self.path, &ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
