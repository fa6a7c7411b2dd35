//! Log objects on disk: keys, the gzip writer, and streams that cut records into objects.
//!
//! A stream is everything that one trail delivers for one account and region. It has one object open at a time, written
//! straight to disk, so that memory does not grow with the number of events or the size of objects.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use flate2::Compression;
use flate2::GzBuilder;
use flate2::write::GzEncoder;
use sha2::Digest;
use sha2::Sha256;

use super::ObjectSize;
use super::SampleError;
use super::estate::ORGANIZATION;
use super::moment::Moment;
use super::random::Random;

/// Compressed sizes of real log objects in KB: twenty quantiles with median 22 and mean 59.
const REAL_SIZES_KB: [u64; 20] = [
    2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23, 27, 32, 40, 50, 65, 85, 120, 200, 420,
];

/// Where a stream's objects lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamKey {
    pub(super) account: String,
    pub(super) region: String,
    /// Whether the organization trail writes it, which adds the organization id to the key.
    pub(super) organization_trail: bool,
}

impl StreamKey {
    /// A stream of the organization trail.
    pub(super) fn organization(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            organization_trail: true,
        }
    }

    /// The key of an object without its unique part and suffix: `AWSLogs/…/111122223333_CloudTrail_eu-west-1_…Z`.
    pub(super) fn object_key(&self, kind: &str, delivered: Moment) -> String {
        let Self { account, region, .. } = self;
        let organization = if self.organization_trail {
            format!("{ORGANIZATION}/")
        } else {
            String::new()
        };
        let (day, stamp) = (delivered.day_folders(), delivered.minute_stamp());
        format!("AWSLogs/{organization}{account}/{kind}/{region}/{day}/{account}_{kind}_{region}_{stamp}")
    }
}

/// A finished object of a stream.
#[derive(Debug, Clone)]
pub(super) struct FinishedObject {
    pub(super) stream: StreamKey,
    pub(super) key: String,
    pub(super) delivered: Moment,
    pub(super) oldest: Moment,
    pub(super) newest: Moment,
    /// SHA-256 of the uncompressed bytes.
    pub(super) sha256: String,
    pub(super) gzip_bytes: u64,
    /// Positions of records that are not valid JSON.
    pub(super) bad_records: Vec<u64>,
}

/// The folder that is written, and its open streams.
#[derive(Debug)]
pub(super) struct Objects {
    root: PathBuf,
    size: ObjectSize,
    random: Random,
    streams: BTreeMap<StreamKey, Stream>,
    finished: Vec<FinishedObject>,
}

/// A stream with what its past objects teach about compression.
#[derive(Debug)]
struct Stream {
    open: Option<OpenObject>,
    /// Uncompressed bytes per 1000 compressed ones.
    ratio_per_mille: u64,
}

#[derive(Debug)]
struct OpenObject {
    writer: HashingGzip,
    path: PathBuf,
    records: u64,
    bad_records: Vec<u64>,
    /// Uncompressed bytes at which the object is closed.
    limit_bytes: u64,
    oldest: Moment,
    newest: Moment,
}

impl Objects {
    /// An empty folder at `root`.
    pub(super) fn create(root: &Path, size: ObjectSize, seed: u64) -> Result<Self, SampleError> {
        create_folder(root)?;
        Ok(Self {
            root: root.to_owned(),
            size,
            random: Random::named(seed, "objects"),
            streams: BTreeMap::new(),
            finished: Vec::new(),
        })
    }

    /// Appends one record to a stream. If that fills the object, it is delivered at `delivered`.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn append(
        &mut self,
        key: &StreamKey,
        record: &[u8],
        event_time: Moment,
        delivered: Moment,
    ) -> Result<(), SampleError> {
        if !self.streams.contains_key(key) {
            self.streams.insert(
                key.clone(),
                Stream {
                    open: None,
                    ratio_per_mille: 6000,
                },
            );
        }
        if self.open_object(key).is_none() {
            self.open(key, event_time)?;
        }
        let is_full = match self.open_object(key) {
            Some(open) => open.append(record, event_time)?,
            None => false,
        };
        if is_full { self.close(key, delivered) } else { Ok(()) }
    }

    /// Marks the next record of a stream as one that is not valid JSON.
    pub(super) fn mark_next_bad(&mut self, key: &StreamKey) {
        if let Some(open) = self.open_object(key) {
            open.bad_records.push(open.records);
        }
    }

    /// Closes the open object of every stream, delivered at `delivered`.
    ///
    /// # Errors
    /// Fails when an object cannot be written.
    pub(super) fn close_all(&mut self, delivered: Moment) -> Result<(), SampleError> {
        let keys: Vec<StreamKey> = self.streams.keys().cloned().collect();
        keys.iter().try_for_each(|key| self.close(key, delivered))
    }

    /// The objects finished since the last call.
    pub(super) fn take_finished(&mut self) -> Vec<FinishedObject> {
        std::mem::take(&mut self.finished)
    }

    /// Sixteen characters that make a key unique.
    pub(super) fn unique_part(&mut self) -> String {
        self.random.alphanumeric(16)
    }

    /// Writes a whole object and returns its size. Only the first `keep_percent` of the compressed bytes reach the disk.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn write_whole(&self, key: &str, text: &str, keep_percent: usize) -> Result<u64, SampleError> {
        let bytes = gzip(text.as_bytes());
        let kept = bytes.len() * keep_percent / 100;
        self.write_file(key, bytes.get(..kept).unwrap_or(&bytes))?;
        Ok(u64::try_from(kept).unwrap_or(u64::MAX))
    }

    /// Writes a file that is no log object.
    ///
    /// # Errors
    /// Fails when the file cannot be written.
    pub(super) fn write_file(&self, relative: &str, bytes: &[u8]) -> Result<(), SampleError> {
        let path = self.root.join(relative);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        fs::write(&path, bytes).map_err(|source| SampleError::write(&path, source))
    }

    fn open_object(&mut self, key: &StreamKey) -> Option<&mut OpenObject> {
        self.streams.get_mut(key)?.open.as_mut()
    }

    fn open(&mut self, key: &StreamKey, event_time: Moment) -> Result<(), SampleError> {
        let gzip_bytes = match self.size {
            ObjectSize::Fixed { gzip_bytes } => gzip_bytes,
            ObjectSize::RealLife => self
                .random
                .pick(&REAL_SIZES_KB)
                .map_or(20_000, |kilobytes| kilobytes * 1000),
        };
        let trail = if key.organization_trail {
            "organization"
        } else {
            "account"
        };
        let path = self.root.join(format!("{}-{}-{trail}.open", key.account, key.region));
        let file = File::create(&path).map_err(|source| SampleError::write(&path, source))?;
        if let Some(stream) = self.streams.get_mut(key) {
            stream.open = Some(OpenObject {
                writer: HashingGzip::new(file),
                path,
                records: 0,
                bad_records: Vec::new(),
                limit_bytes: gzip_bytes.saturating_mul(stream.ratio_per_mille) / 1000,
                oldest: event_time,
                newest: event_time,
            });
        }
        Ok(())
    }

    fn close(&mut self, key: &StreamKey, delivered: Moment) -> Result<(), SampleError> {
        let Some(open) = self.streams.get_mut(key).and_then(|stream| stream.open.take()) else {
            return Ok(());
        };
        let delivered = delivered.next_delivery();
        let object_key = format!(
            "{}_{}.json.gz",
            key.object_key("CloudTrail", delivered),
            self.unique_part()
        );
        let path = self.root.join(&object_key);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let (partial, oldest, newest, bad_records) =
            (open.path.clone(), open.oldest, open.newest, open.bad_records.clone());
        let text_bytes = open.writer.text_bytes;
        let sha256 = open.finish()?;
        fs::rename(&partial, &path).map_err(|source| SampleError::write(&path, source))?;
        let gzip_bytes = fs::metadata(&path)
            .map_err(|source| SampleError::write(&path, source))?
            .len();
        if let Some(stream) = self.streams.get_mut(key) {
            let ratio = text_bytes.saturating_mul(1000) / gzip_bytes.max(1);
            stream.ratio_per_mille = u64::midpoint(stream.ratio_per_mille, ratio);
        }
        self.finished.push(FinishedObject {
            stream: key.clone(),
            key: object_key,
            delivered,
            oldest,
            newest,
            sha256,
            gzip_bytes,
            bad_records,
        });
        Ok(())
    }
}

impl OpenObject {
    /// Appends a record and tells whether the object is full.
    fn append(&mut self, record: &[u8], event_time: Moment) -> Result<bool, SampleError> {
        let separator: &[u8] = if self.records == 0 { b"{\"Records\":[" } else { b"," };
        let written = self
            .writer
            .write_all(separator)
            .and_then(|()| self.writer.write_all(record));
        written.map_err(|source| SampleError::write(&self.path, source))?;
        self.records += 1;
        self.oldest = self.oldest.min(event_time);
        self.newest = self.newest.max(event_time);
        Ok(self.writer.text_bytes >= self.limit_bytes)
    }

    /// Ends the object and returns the SHA-256 of its uncompressed bytes.
    fn finish(mut self) -> Result<String, SampleError> {
        let path = self.path.clone();
        let finished = self.writer.write_all(b"]}").and_then(|()| self.writer.finish());
        finished.map_err(|source| SampleError::write(&path, source))
    }
}

/// A gzip file that also hashes and counts the bytes before compression.
#[derive(Debug)]
struct HashingGzip {
    encoder: GzEncoder<BufWriter<File>>,
    hasher: Sha256,
    text_bytes: u64,
}

impl HashingGzip {
    fn new(file: File) -> Self {
        Self {
            encoder: encoder(BufWriter::new(file)),
            hasher: Sha256::new(),
            text_bytes: 0,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.text_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.encoder.write_all(bytes)
    }

    fn finish(self) -> io::Result<String> {
        self.encoder.finish()?.flush()?;
        Ok(hex(&self.hasher.finalize()))
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `bytes` as one gzip member without a time stamp, so that the same text gives the same bytes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = encoder(Vec::new());
    // Writing to a vector cannot fail; if it did, the object would be empty and the balance would show it.
    writer
        .write_all(bytes)
        .and_then(|()| writer.finish())
        .unwrap_or_default()
}

fn encoder<W: Write>(writer: W) -> GzEncoder<W> {
    GzBuilder::new().mtime(0).write(writer, Compression::new(6))
}

fn create_folder(folder: &Path) -> Result<(), SampleError> {
    fs::create_dir_all(folder).map_err(|source| SampleError::write(folder, source))
}
