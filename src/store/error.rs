//! What can go wrong with a store, by what the user can do about it.

use std::io;
use std::io::ErrorKind;
use std::path::Path;

use arrow::error::ArrowError;
use deltalake::DeltaTableError;
use parquet::errors::ParquetError;

use super::causes::fault;
use super::causes::remedy_of_write;
use super::causes::system_error;
use super::causes::torn_entry;
use super::whole_entry::TornEntry;
use crate::source::Fault;

/// What is wrong with a service that does not sort, and what to do: the newest entries of a log are found by asking for the keys
/// behind one.
pub(super) const UNORDERED: &str = "the service does not list keys in order, as directory buckets do not, so that the newest entries \
    of the log cannot be found; keep the store in a general purpose bucket of Amazon S3, with another service, or in a local folder";

/// Why a store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The path names a file.
    #[error("cannot use `{path}` as a store: it is a file; name a folder")]
    PathIsFile {
        /// The store's path.
        path: String,
    },
    /// The folder holds something else.
    #[error("cannot make a store in `{path}`: the folder already holds `{entry}`; name a new or empty folder")]
    NotEmpty {
        /// The store's path.
        path: String,
        /// First entry that is no part of a store.
        entry: String,
    },
    /// There is no store at the path.
    #[error("no store at `{path}`; correct the path, or make a store there with `trimtrail ingest`")]
    NotAStore {
        /// The store's path.
        path: String,
    },
    /// The store was made by a newer version of this program.
    #[error(
        "store `{path}` has schema version {found}, but this program knows only versions up to {supported}; \
         use a newer trimtrail"
    )]
    NewerVersion {
        /// The store's path.
        path: String,
        /// Version that the store states.
        found: u32,
        /// Newest version that this program reads.
        supported: u32,
    },
    /// Another tool raised the Delta protocol of a table.
    #[error(
        "table `{path}` needs Delta reader version {reader} and writer version {writer}, but this program supports \
         reader 1 and writer 2; another tool upgraded the table: restore it from a copy, or ingest into a new store"
    )]
    NewerProtocol {
        /// The table's path.
        path: String,
        /// Reader version that the table asks for.
        reader: i32,
        /// Writer version that the table asks for.
        writer: i32,
    },
    /// The operating system refuses to write.
    #[error(
        "cannot write `{path}`: {source}; {}, or choose another folder with `--store`",
        remedy_of_write(source)
    )]
    Unwritable {
        /// File or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// File or folder.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The disk or the quota is full.
    #[error(
        "no space left to write `{path}`; free some space and run the same command again, nothing is counted twice"
    )]
    NoSpace {
        /// File or folder.
        path: String,
    },
    /// A file grew to the limit of the process or of the file system.
    #[error(
        "cannot write `{path}`: the largest file size is reached; raise the limit (`ulimit -f`) and run the same command \
         again, nothing is counted twice"
    )]
    FileSizeLimit {
        /// The file.
        path: String,
    },
    /// The folder of one table is gone from a store.
    #[error(
        "the folder `{path}` is missing from its store; restore it from a copy of the store, or ingest the logs into a \
         new store"
    )]
    MissingTable {
        /// The folder.
        path: String,
    },
    /// Entries of the log of `events` are lost.
    #[error(
        "`{path}` has version {version}, but `{table}` belongs to version {reached}: the store was copied while a run wrote, \
         or log entries were removed; copy it again while nothing writes to it, or ingest the logs into a new store"
    )]
    EventsBehind {
        /// The folder of `events`.
        path: String,
        /// A table that follows it.
        table: &'static str,
        /// Version of `events` that the table has taken over.
        reached: u64,
        /// Newest version of `events`.
        version: u64,
    },
    /// A data file is not what it was when it was made.
    #[error(
        "data file `{path}` {reason}; restore it from a copy of the store, read a version from before it was made \
         (`trimtrail store history`, then `--at-version`), or ingest the logs into a new store"
    )]
    DamagedFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Events cannot expire as long as the rollup does not have them all.
    #[error(
        "cannot let events of store `{path}` expire: the rollup does not have them all; make it anew with `trimtrail \
         store rebuild usage`"
    )]
    RollupBehind {
        /// The store's path.
        path: String,
    },
    /// Other writers committed first every time.
    #[error("other writers committed to store `{path}` first, {attempts} times in a row; running again is safe")]
    Busy {
        /// The store's path.
        path: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A batch that another process prepared cannot be committed.
    #[error(
        "cannot commit batch `{batch}`: {reason}; nothing of it is stored, and the next `trimtrail ingest` reads its objects"
    )]
    Prepared {
        /// Name of the batch.
        batch: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The place where prepared batches wait cannot be used.
    #[error("cannot use `{path}`: {reason}")]
    Waiting {
        /// File or folder.
        path: String,
        /// The reason.
        reason: String,
    },
    /// A log entry is cut off, empty or lacks lines.
    #[error(
        "log entry `{path}` is damaged ({reason}): move this file away if it is the newest of its folder, as its writer was cut \
         off, or else restore it from a copy of the store; then run the same command again"
    )]
    TornCommit {
        /// The log entry.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A log entry between two others is gone.
    #[error("log entry `{path}` is missing; restore it from a copy of the store")]
    MissingCommit {
        /// The log entry.
        path: String,
    },
    /// The requested version does not exist, or not any more.
    #[error(
        "store `{path}` has no version {requested}: the newest is {newest}, and versions older than the log retention \
         are gone; list them with `trimtrail store history`"
    )]
    NoSuchVersion {
        /// The store's path.
        path: String,
        /// Version that was asked for.
        requested: u64,
        /// Newest version.
        newest: u64,
    },
    /// A kind of location that this build cannot use.
    #[error(
        "cannot use `{location}` as a store: `{scheme}://` is not supported by this build; name a local folder or \
         `s3://bucket/prefix`"
    )]
    UnsupportedLocation {
        /// What the user wrote.
        location: String,
        /// Its URL scheme.
        scheme: String,
    },
    /// Text that names no folder.
    #[error("cannot use `{location}` as a store: {reason}")]
    BadLocation {
        /// What the user wrote.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A batch does not have the columns of its table.
    #[error("cannot store rows in `{table}`: {reason}")]
    WrongColumns {
        /// The table.
        table: &'static str,
        /// First difference.
        reason: String,
    },
    /// A commit that builds on a snapshot of another table.
    #[error("cannot commit on a snapshot of `{table}`: batches build on snapshots of `events`")]
    WrongBasis {
        /// The snapshot's table.
        table: &'static str,
    },
    /// A day that has no name in the calendar of the store.
    #[error("cannot store rows of day {days} after 1970-01-01: the year is not between 1 and 9999")]
    DayOutOfRange {
        /// Days since the epoch.
        days: i32,
    },
    /// A Parquet file cannot be written.
    #[error("cannot write Parquet file `{path}`: {source}")]
    Parquet {
        /// The file.
        path: String,
        /// The writer's reason.
        source: ParquetError,
    },
    /// Rows cannot be compared or read.
    #[error("cannot use the rows of `{path}`: {source}")]
    Rows {
        /// File or table.
        path: String,
        /// The reason.
        source: ArrowError,
    },
    /// The Delta log cannot be read or written.
    #[error("cannot use the log of table `{path}`: {source}")]
    Log {
        /// The table.
        path: String,
        /// The reason.
        source: Box<DeltaTableError>,
    },
    /// The bucket of the store does not do what is asked.
    #[error("cannot {verb} `{path}`: {fault}")]
    Bucket {
        /// `read` or `write`.
        verb: &'static str,
        /// What was to be read or written.
        path: String,
        /// What is wrong, and what to do.
        fault: Fault,
    },
    /// The bucket of the store writes over what is there although it is asked not to.
    #[error(
        "cannot keep a store at `{path}`: the service ignores `If-None-Match: *` and writes over an object that is there, \
         so that writers at the same time would lose each other's rows; use Amazon S3 or another service with conditional \
         writes, or a local folder"
    )]
    UnconditionalWrites {
        /// The store.
        path: String,
    },
    /// The bucket of the store lists keys in no order.
    #[error("cannot keep a store at `{path}`: {UNORDERED}")]
    UnorderedListing {
        /// The store.
        path: String,
    },
    /// Blocking work did not finish because the program is shutting down.
    #[error("work on `{path}` was cancelled")]
    Cancelled {
        /// File or table.
        path: String,
    },
}

/// What was being done when an error of the operating system came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl StoreError {
    /// Whether it is about one data file, so that others can be read all the same.
    pub fn is_of_data_file(&self) -> bool {
        matches!(
            self,
            Self::DamagedFile { .. } | Self::Unreadable { .. } | Self::Rows { .. }
        )
    }

    pub(super) fn of_bucket(path: &Path, access: Access, fault: Fault) -> Self {
        Self::Bucket {
            verb: match access {
                Access::Read => "read",
                Access::Write => "write",
            },
            path: path.display().to_string(),
            fault,
        }
    }

    pub(super) fn from_io(path: &Path, access: Access, source: io::Error) -> Self {
        let path = path.display().to_string();
        match (source.kind(), access) {
            (ErrorKind::StorageFull | ErrorKind::QuotaExceeded, _) => Self::NoSpace { path },
            (ErrorKind::FileTooLarge, _) => Self::FileSizeLimit { path },
            (_, Access::Write) => Self::Unwritable { path, source },
            (_, Access::Read) => Self::Unreadable { path, source },
        }
    }

    pub(super) fn from_parquet(path: &Path, access: Access, source: ParquetError) -> Self {
        if let Some(fault) = fault(&source) {
            return Self::of_bucket(path, access, fault);
        }
        match system_error(&source) {
            Some(cause) => Self::from_io(path, access, cause),
            None if access == Access::Read => Self::DamagedFile {
                path: path.display().to_string(),
                reason: format!("is damaged ({source})"),
            },
            None => Self::Parquet {
                path: path.display().to_string(),
                source,
            },
        }
    }

    /// Names what the bucket says.
    pub(super) fn from_object(path: &Path, access: Access, source: object_store::Error) -> Self {
        Self::from_log(path, access, DeltaTableError::ObjectStore { source })
    }

    /// Names the cause in the operating system, or what the bucket says, when the log library hides one.
    pub(super) fn from_log(path: &Path, access: Access, source: DeltaTableError) -> Self {
        if let Some(fault) = fault(&source) {
            return Self::of_bucket(path, access, fault);
        }
        if let Some(TornEntry { path, reason }) = torn_entry(&source) {
            return Self::TornCommit { path, reason };
        }
        match system_error(&source) {
            Some(cause) if cause.kind() != ErrorKind::NotFound => Self::from_io(path, access, cause),
            _ => Self::Log {
                path: path.display().to_string(),
                source: Box::new(source),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_disk() -> io::Error {
        io::Error::from_raw_os_error(28)
    }

    #[test]
    fn full_disk_below_the_log_library_names_path_and_remedy() {
        let buried = object_store::Error::Generic {
            store: "test",
            source: Box::new(io::Error::other(full_disk())),
        };
        let error = StoreError::from_log(
            Path::new("/srv/store/events"),
            Access::Write,
            DeltaTableError::ObjectStore { source: buried },
        );
        let text = error.to_string();
        assert!(text.contains("`/srv/store/events`"), "{text}");
        assert!(text.contains("free some space"), "{text}");
    }

    #[test]
    fn full_disk_below_the_parquet_writer_is_no_space() {
        let error = StoreError::from_parquet(
            Path::new("/srv/part.parquet"),
            Access::Write,
            ParquetError::External(Box::new(full_disk())),
        );
        assert!(matches!(error, StoreError::NoSpace { .. }), "{error:?}");
    }

    #[test]
    fn words_of_a_bucket_are_found_in_what_the_log_library_makes_one_text_of() {
        let denied = object_store::Error::PermissionDenied {
            path: "a/events/_delta_log/".to_owned(),
            source: Box::new(Fault::told(
                "access denied (403 AccessDenied); allow `s3:ListBucket` on the bucket",
            )),
        };
        let generic = object_store::Error::Generic {
            store: "bucket",
            source: Box::new(Fault::told(
                "there is no such bucket (404 NoSuchBucket); check its name",
            )),
        };
        for (error, said) in [
            (denied, "access denied (403"),
            (generic, "there is no such bucket (404"),
        ] {
            let flat = format!("Kernel error: Error interacting with object store: {error}\n   0: a frame");
            let error = StoreError::from_log(
                Path::new("s3://b/a/events"),
                Access::Read,
                DeltaTableError::Generic(flat),
            );
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("cannot read `s3://b/a/events`: {said}")),
                "{text}"
            );
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn remedy_fits_what_keeps_a_file_from_being_written() {
        for (code, remedy) in [
            (5, "check the disk"),
            (13, "make the folder writable"),
            (24, "correct this"),
        ] {
            let error = io::Error::from_raw_os_error(code);
            let text = StoreError::from_io(Path::new("/srv/store"), Access::Write, error).to_string();
            assert!(text.contains(remedy), "{text}");
        }
    }

    #[test]
    fn error_without_system_cause_stays_a_log_error() {
        let error = StoreError::from_log(
            Path::new("/srv/store/events"),
            Access::Read,
            DeltaTableError::NotATable("x".into()),
        );
        assert!(matches!(error, StoreError::Log { .. }), "{error:?}");
    }
}
