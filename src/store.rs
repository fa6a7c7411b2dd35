//! Stand-in for the store module: types only.
use arrow::array::Array;
use url::Url;

use crate::schema::Table;

/// Error.
#[derive(Debug, thiserror::Error)]
#[error("store: {0}")]
pub struct StoreError(pub String);

/// Store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Snapshots.
    pub snapshots: Vec<TableSnapshot>,
}

impl Store {
    /// Newest.
    pub async fn snapshot(&self, table: Table) -> Result<TableSnapshot, StoreError> {
        self.snapshots
            .iter()
            .find(|snapshot| snapshot.table == table)
            .cloned()
            .ok_or_else(|| StoreError(table.name().to_owned()))
    }

    /// At.
    pub async fn snapshot_at(&self, table: Table, _version: u64) -> Result<TableSnapshot, StoreError> {
        self.snapshot(table).await
    }
}

/// Snapshot.
#[derive(Debug, Clone)]
pub struct TableSnapshot {
    /// Version.
    pub version: u64,
    /// Table.
    pub table: Table,
    /// Root.
    pub root: Url,
    /// Files.
    pub files: Vec<DataFile>,
}

/// File.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Relative path.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// Modified.
    pub modified_at_ms: i64,
    /// Partition.
    pub event_date: Option<i32>,
    /// Statistics.
    pub stats: FileStatistics,
    /// Sorted.
    pub sorted: bool,
}

/// Statistics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileStatistics {
    /// Rows.
    pub rows: Option<u64>,
    /// Columns.
    pub columns: Vec<ColumnStatistics>,
}

impl FileStatistics {
    /// Statistics of one column, if known.
    pub fn column(&self, name: &str) -> Option<&ColumnStatistics> {
        self.columns.iter().find(|column| column.column == name)
    }
}

/// Column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnStatistics {
    /// Name.
    pub column: &'static str,
    /// Min.
    pub min: Option<StatisticValue>,
    /// Max.
    pub max: Option<StatisticValue>,
    /// Nulls.
    pub null_count: Option<u64>,
}

/// Value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatisticValue {
    /// Text.
    Text(String),
    /// Int.
    Integer(i64),
    /// Micros.
    Timestamp(i64),
    /// Days.
    Date(i32),
}

impl Store {
    /// Test store: one file per batch.
    pub fn for_tests(folder: &std::path::Path, days: &[(Option<i32>, arrow::array::RecordBatch)]) -> Store {
        use arrow::array::AsArray;
        use arrow::datatypes::TimestampMicrosecondType;
        let mut files = Vec::new();
        for (index, (day, batch)) in days.iter().enumerate() {
            let path = format!("part-{index}.parquet");
            let full = folder.join(&path);
            let file = std::fs::File::create(&full).unwrap();
            let options = parquet::arrow::arrow_writer::ArrowWriterOptions::new().with_skip_arrow_metadata(true);
            let mut writer = parquet::arrow::ArrowWriter::try_new_with_options(file, batch.schema(), options).unwrap();
            writer.write(batch).unwrap();
            writer.close().unwrap();
            let times = batch
                .column_by_name("event_time")
                .unwrap()
                .as_primitive::<TimestampMicrosecondType>();
            let columns = vec![ColumnStatistics {
                column: "event_time",
                min: arrow::compute::min(times).map(StatisticValue::Timestamp),
                max: arrow::compute::max(times).map(StatisticValue::Timestamp),
                null_count: Some(times.null_count() as u64),
            }];
            files.push(DataFile {
                path,
                size: std::fs::metadata(&full).unwrap().len(),
                rows: batch.num_rows() as u64,
                modified_at_ms: 0,
                event_date: *day,
                stats: FileStatistics {
                    rows: Some(batch.num_rows() as u64),
                    columns,
                },
                sorted: true,
            });
        }
        let root = Url::from_directory_path(folder).unwrap();
        let empty = |table| TableSnapshot {
            version: 0,
            table,
            root: root.clone(),
            files: vec![],
        };
        Store {
            snapshots: vec![
                TableSnapshot {
                    version: 1,
                    table: Table::Events,
                    root: root.clone(),
                    files,
                },
                empty(Table::Objects),
                empty(Table::Rejects),
            ],
        }
    }
}
