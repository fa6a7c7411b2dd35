//! S3 Inventory: lists that S3 itself writes, daily or weekly, with every object of a bucket.

use std::collections::VecDeque;
use std::fmt;
use std::io::Cursor;
use std::io::Read;
use std::io::Take;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::primitives::DateTimeFormat;
use bytes::Bytes;
use csv::StringRecord;
use csv::StringRecordsIntoIter;
use flate2::bufread::MultiGzDecoder;
use md5::Digest;
use md5::Md5;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::Field;
use parquet::record::reader::RowIter;
use serde_json::Value;

use super::bucket::Bucket;
use super::decode_keys::decode_key;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::source::SourceError;

/// Largest inflated list: about ten million keys.
const MAX_INFLATED: u64 = 2 << 30;
/// Rows that are taken together.
const ROWS_AT_A_TIME: usize = 100_000;
/// Columns as Parquet names them, and as a manifest does.
const NEEDED_COLUMNS: [(&str, &str); 3] = [("key", "Key"), ("size", "Size"), ("e_tag", "ETag")];

/// An inventory, read list by list.
#[derive(Debug)]
pub(in crate::source) struct Inventory {
    name: String,
    place: ManifestPlace,
    /// Bucket whose objects are listed.
    source: Arc<Bucket>,
    format: Format,
    files: VecDeque<ListFile>,
    /// Whether nothing was listed because no list is named, which is still to be told.
    has_no_lists: bool,
    /// The list that is being read.
    open: Option<List>,
}

/// What a manifest says of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ListFile {
    key: String,
    /// MD5 of its bytes as they are stored, hex.
    md5: Option<String>,
}

/// A list, read row by row.
#[derive(Debug)]
struct List {
    file: String,
    rows: Rows,
    /// Rows that were taken.
    taken: usize,
}

/// A list in CSV, inflated up to the cap.
type Inflated = Take<MultiGzDecoder<Cursor<Vec<u8>>>>;

/// Rows that are still to come.
enum Rows {
    Csv {
        records: Box<StringRecordsIntoIter<Inflated>>,
        columns: Vec<String>,
        max_bytes: u64,
    },
    Parquet(RowIter<'static>),
}

/// Where manifest and lists lie.
#[derive(Debug)]
pub(in crate::source) enum ManifestPlace {
    Folder(PathBuf),
    Bucket(Arc<Bucket>),
}

/// What a manifest says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) struct Manifest {
    pub(in crate::source) source_bucket: String,
    format: Format,
    files: VecDeque<ListFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    /// With the names of the columns.
    Csv(Vec<String>),
    Parquet,
}

/// One row of a list.
#[derive(Debug, Default, PartialEq)]
struct Row {
    key: Option<String>,
    size: Option<u64>,
    etag: Option<String>,
    last_modified: Option<DateTime>,
    /// Whether the row is an older version, or says that the object was deleted.
    is_dead: bool,
}

impl Manifest {
    /// Reads `manifest.json`.
    pub(in crate::source) fn parse(text: &[u8]) -> Result<Self, String> {
        let manifest: Value = serde_json::from_slice(text)
            .map_err(|error| format!("it is no `manifest.json` of an inventory ({error})"))?;
        let member = |name: &str| {
            let value = manifest.get(name).and_then(Value::as_str);
            value.ok_or_else(|| format!("it has no `{name}`; name the `manifest.json` of an inventory"))
        };
        let columns: Vec<String> = member("fileSchema")?.split(',').map(column_name).collect();
        let format = match member("fileFormat")? {
            "CSV" => {
                has_needed(|needed| columns.iter().any(|column| column == needed))?;
                Format::Csv(columns)
            }
            "Parquet" => Format::Parquet,
            other => return Err(format!("its lists are {other}; CSV and Parquet can be read")),
        };
        let files = manifest.get("files").and_then(Value::as_array);
        let files = files.ok_or("it has no `files`; name the `manifest.json` of an inventory")?;
        let files = files.iter().map(|file| {
            let member = |name: &str| file.get(name).and_then(Value::as_str).map(str::to_owned);
            Ok(ListFile {
                key: member("key").ok_or("one of its `files` has no `key`")?,
                md5: member("MD5checksum"),
            })
        });
        Ok(Self {
            source_bucket: member("sourceBucket")?.to_owned(),
            format,
            files: files.collect::<Result<_, String>>()?,
        })
    }
}

impl Inventory {
    pub(in crate::source) fn new(name: &str, manifest: Manifest, place: ManifestPlace, source: Arc<Bucket>) -> Self {
        Self {
            name: name.to_owned(),
            place,
            source,
            format: manifest.format,
            has_no_lists: manifest.files.is_empty(),
            files: manifest.files,
            open: None,
        }
    }

    /// The next objects of a list; `None` at the end.
    pub(in crate::source) async fn next(&mut self) -> Result<Option<Listing>, SourceError> {
        if std::mem::take(&mut self.has_no_lists) {
            let reason = "the inventory names no lists; name one that is complete, or the bucket itself";
            return Ok(Some(Listing {
                unlisted: vec![(self.name.clone(), reason.to_owned())],
                ..Listing::default()
            }));
        }
        let mut list = match self.open.take() {
            Some(list) => list,
            None => match self.files.pop_front() {
                Some(file) => self.open(file).await?,
                None => return Ok(None),
            },
        };
        let before = list.taken;
        let part = list.next_rows(ROWS_AT_A_TIME);
        let part = part.and_then(|(rows, is_last)| Ok((self.objects(rows, before)?, is_last)));
        let (objects, is_last) = part.map_err(|reason| self.failed(&list.file, &reason))?;
        if !is_last {
            self.open = Some(list);
        }
        let mut listing = Listing::default();
        listing.extend(objects);
        listing.put_in_order();
        Ok(Some(listing))
    }

    async fn open(&self, ListFile { key: file, md5 }: ListFile) -> Result<List, SourceError> {
        let bytes = match &self.place {
            ManifestPlace::Folder(folder) => read_beside(folder, &file).map_err(|error| error.to_string()),
            ManifestPlace::Bucket(bucket) => match bucket.head(&file).await {
                Ok(object) => bucket.read(&object).await.map_err(|fault| fault.to_string()),
                Err(fault) => Err(fault.to_string()),
            },
        };
        let rows = bytes.and_then(|bytes| {
            check_md5(&bytes, md5.as_deref())?;
            match &self.format {
                Format::Csv(columns) => Ok(Rows::csv(bytes, columns, MAX_INFLATED)),
                Format::Parquet => Rows::parquet(bytes),
            }
        });
        let rows = rows.map_err(|reason| self.failed(&file, &reason))?;
        Ok(List { file, rows, taken: 0 })
    }

    fn failed(&self, file: &str, reason: &str) -> SourceError {
        SourceError::Keys {
            name: self.name.clone(),
            reason: format!("its list `{file}` cannot be read: {reason}"),
        }
    }

    /// The objects of rows behind so many others; a row that does not say what is needed of a live one spoils the list.
    fn objects(&self, rows: Vec<Row>, before: usize) -> Result<Vec<ObjectRef>, String> {
        let mut objects = Vec::with_capacity(rows.len());
        for (number, row) in (before + 1..).zip(rows).filter(|(_, row)| !row.is_dead) {
            let missing = |column: &str| format!("row {number} has no `{column}`");
            let key = row.key.ok_or_else(|| missing("Key"))?;
            if key.ends_with('/') {
                continue;
            }
            let size = row.size.ok_or_else(|| missing("Size"))?;
            let etag = row.etag.ok_or_else(|| missing("ETag"))?;
            let modified = row.last_modified.as_ref();
            objects.push(self.source.object(&key, &etag, size, modified));
        }
        Ok(objects)
    }
}

impl List {
    /// The next rows, and whether they are the last.
    fn next_rows(&mut self, most: usize) -> Result<(Vec<Row>, bool), String> {
        let mut rows = Vec::new();
        while rows.len() < most {
            let Some(row) = self.rows.next_row()? else {
                return Ok((rows, true));
            };
            self.taken += 1;
            rows.push(row);
        }
        Ok((rows, false))
    }
}

/// Refuses lists without a column that tells objects and their versions apart.
fn has_needed(has: impl Fn(&str) -> bool) -> Result<(), String> {
    match NEEDED_COLUMNS.iter().find(|(column, _)| !has(column)) {
        None => Ok(()),
        Some((_, name)) => Err(format!(
            "its lists have no column `{name}`; let the inventory have at least Size and ETag"
        )),
    }
}

/// Compares a list with what its manifest says of it
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html>).
fn check_md5(bytes: &[u8], wanted: Option<&str>) -> Result<(), String> {
    let Some(wanted) = wanted else { return Ok(()) };
    let found: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    match found.eq_ignore_ascii_case(wanted) {
        true => Ok(()),
        false => Err(format!(
            "its MD5 is {found}, and not {wanted} as the manifest says; copy the whole inventory again"
        )),
    }
}

/// Finds a list by its last name only: beside its manifest, or where a copy of the whole inventory has it.
fn read_beside(folder: &Path, key: &str) -> std::io::Result<Vec<u8>> {
    let name = key.rsplit('/').next().unwrap_or_default();
    if Path::new(name).file_name().is_none_or(|file_name| file_name != name) {
        return Err(std::io::Error::other("its name is no file name"));
    }
    let places = [
        folder.join(name),
        folder.join("data").join(name),
        folder.join("../data").join(name),
    ];
    let found = places.iter().find(|path| path.is_file());
    std::fs::read(found.unwrap_or(&places[0]))
}

/// Names as Parquet has them: `ETag` is `e_tag`, `LastModifiedDate` is `last_modified_date`.
fn column_name(name: &str) -> String {
    let mut column = String::new();
    for letter in name.trim().chars() {
        if letter.is_ascii_uppercase() && !column.is_empty() {
            column.push('_');
        }
        column.push(letter.to_ascii_lowercase());
    }
    column
}

impl Rows {
    fn csv(bytes: Vec<u8>, columns: &[String], max_bytes: u64) -> Self {
        let inflated = MultiGzDecoder::new(Cursor::new(bytes)).take(max_bytes.saturating_add(1));
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(inflated);
        Self::Csv {
            records: Box::new(reader.into_records()),
            columns: columns.to_vec(),
            max_bytes,
        }
    }

    fn parquet(bytes: Vec<u8>) -> Result<Self, String> {
        let reader = SerializedFileReader::new(Bytes::from(bytes)).map_err(|error| error.to_string())?;
        let columns = reader.metadata().file_metadata().schema_descr().columns();
        has_needed(|needed| columns.iter().any(|column| column.name() == needed))?;
        Ok(Self::Parquet(RowIter::from_file_into(Box::new(reader))))
    }

    fn next_row(&mut self) -> Result<Option<Row>, String> {
        match self {
            Self::Csv {
                records,
                columns,
                max_bytes,
            } => {
                let record = records.next().transpose().map_err(|error| error.to_string())?;
                // What follows the cap is cut off, so that the last record may be half of one.
                if records.reader().get_ref().limit() == 0 {
                    return Err(format!("it inflates to more than {max_bytes} bytes"));
                }
                Ok(record.map(|record| csv_row(columns, &record)))
            }
            Self::Parquet(rows) => {
                let record = rows.next().transpose().map_err(|error| error.to_string())?;
                Ok(record.map(|record| parquet_row(&record)))
            }
        }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Csv { .. } => "Csv",
            Self::Parquet(_) => "Parquet",
        })
    }
}

fn csv_row(columns: &[String], record: &StringRecord) -> Row {
    let mut row = Row::default();
    for (column, value) in columns.iter().zip(record) {
        row.set(column, value);
    }
    row.key = row.key.map(|key| decode_key(&key));
    row
}

fn parquet_row(record: &parquet::record::Row) -> Row {
    let mut row = Row::default();
    for (column, value) in record.get_column_iter() {
        match value {
            Field::Null => {}
            Field::Str(text) => row.set(column, text),
            Field::Bool(value) => row.set(column, if *value { "true" } else { "false" }),
            Field::Long(number) => row.set(column, &number.to_string()),
            Field::Int(number) => row.set(column, &number.to_string()),
            Field::TimestampMillis(millis) if column == "last_modified_date" => {
                row.last_modified = Some(DateTime::from_millis(*millis));
            }
            Field::TimestampMicros(micros) if column == "last_modified_date" => {
                row.last_modified = Some(DateTime::from_millis(micros / 1_000));
            }
            _ => {}
        }
    }
    row
}

impl Row {
    fn set(&mut self, column: &str, value: &str) {
        match column {
            "key" => self.key = Some(value.to_owned()),
            "size" => self.size = value.parse().ok(),
            "e_tag" => self.etag = Some(value.to_owned()),
            "last_modified_date" => self.last_modified = DateTime::from_str(value, DateTimeFormat::DateTime).ok(),
            "is_latest" => self.is_dead |= value == "false",
            "is_delete_marker" => self.is_dead |= value == "true",
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write;

    fn list(rows: Rows) -> List {
        List {
            file: "data/1.csv.gz".to_owned(),
            rows,
            taken: 0,
        }
    }

    #[test]
    fn manifest_names_bucket_columns_and_lists() {
        let text = br#"{"sourceBucket":"logs","destinationBucket":"arn:aws:s3:::lists","fileFormat":"CSV","fileSchema":"Bucket, Key, Size, LastModifiedDate, ETag","files":[{"key":"p/data/1.csv.gz"}]}"#;
        let manifest = Manifest::parse(text).unwrap();
        let columns = ["bucket", "key", "size", "last_modified_date", "e_tag"].map(str::to_owned);
        assert_eq!(manifest.format, Format::Csv(columns.to_vec()));
        assert_eq!((manifest.source_bucket.as_str(), manifest.files.len()), ("logs", 1));
        assert!(Manifest::parse(b"{}").unwrap_err().contains("manifest.json"));
    }

    #[test]
    fn list_is_compared_with_the_checksum_of_the_manifest() {
        let text = br#"{"sourceBucket":"logs","fileFormat":"CSV","fileSchema":"Bucket, Key, Size, ETag","files":[{"key":"1","MD5checksum":"900150983CD24FB0D6963F7D28E17F72"}]}"#;
        let files = Manifest::parse(text).unwrap().files;
        let wanted = files[0].md5.as_deref();
        assert_eq!(check_md5(b"abc", wanted), Ok(()));
        assert!(check_md5(b"abd", wanted).unwrap_err().contains("MD5"));
        assert_eq!(check_md5(b"abd", None), Ok(()));
    }

    #[test]
    fn manifest_that_cannot_tell_versions_or_names_no_lists_is_refused_with_the_reason() {
        let manifest = |schema: &str, files: &str| {
            let text = format!(r#"{{"sourceBucket":"logs","fileFormat":"CSV","fileSchema":"{schema}"{files}}}"#);
            Manifest::parse(text.as_bytes()).map(|manifest| manifest.files.len())
        };
        let whole = "Bucket, Key, Size, ETag";
        assert_eq!(manifest(whole, r#","files":[]"#), Ok(0));
        for (schema, files, reason) in [
            ("Bucket, Key, ETag", r#","files":[{"key":"1"}]"#, "no column `Size`"),
            ("Bucket, Key, Size", r#","files":[{"key":"1"}]"#, "no column `ETag`"),
            (whole, "", "no `files`"),
            (whole, r#","files":[{}]"#, "no `key`"),
        ] {
            let refusal = manifest(schema, files).unwrap_err();
            assert!(refusal.contains(reason), "{refusal}");
        }
    }

    #[test]
    fn list_that_inflates_beyond_the_cap_is_refused_and_not_cut() {
        let columns = ["key", "size", "e_tag"].map(str::to_owned);
        let text = b"\"a\",\"7\",\"e\"\n\"b\",\"7\",\"e\"\n";
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zipped.write_all(text).unwrap();
        let zipped = zipped.finish().unwrap();
        let rows = |max_bytes| {
            let rows = Rows::csv(zipped.clone(), &columns, max_bytes);
            let mut list = list(rows);
            list.next_rows(usize::MAX).map(|(rows, is_last)| (rows.len(), is_last))
        };
        assert_eq!(rows(text.len() as u64), Ok((2, true)));
        assert_eq!(rows(14), Err("it inflates to more than 14 bytes".to_owned()));
    }

    #[test]
    fn rows_of_csv_are_decoded_and_dead_versions_marked() {
        let columns = ["bucket", "key", "is_latest", "is_delete_marker", "size", "e_tag"].map(str::to_owned);
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zipped
            .write_all(
                b"\"b\",\"a%2Fb+c\",\"true\",\"false\",\"7\",\"e\"\n\"b\",\"old\",\"false\",\"false\",\"7\",\"e\"\n",
            )
            .unwrap();
        let mut list = list(Rows::csv(zipped.finish().unwrap(), &columns, MAX_INFLATED));
        let (mut rows, is_last) = list.next_rows(1).unwrap();
        assert_eq!((list.taken, is_last), (1, false));
        rows.extend(list.next_rows(usize::MAX).unwrap().0);
        assert_eq!(
            (rows[0].key.as_deref(), rows[0].size, rows[0].is_dead),
            (Some("a/b c"), Some(7), false)
        );
        assert!(rows[1].is_dead);
    }

    #[test]
    fn list_is_never_looked_for_outside_of_the_inventory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1.csv.gz"), "x").unwrap();
        assert_eq!(read_beside(folder.path(), "../../1.csv.gz").unwrap(), b"x");
        assert!(read_beside(folder.path(), "p/..").is_err());
    }
}
