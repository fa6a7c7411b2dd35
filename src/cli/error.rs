//! Errors as the user meets them: message, hint and exit status.

use std::io;
use std::path::PathBuf;

use super::exit::ExitStatus;
use crate::analysis::AnalysisError;
use crate::iam::FactsError;
use crate::ingest::IngestError;
use crate::integrity::KeysError;
use crate::policy::ListError;
use crate::policy::TrailsError;
use crate::query::LibraryError;
use crate::query::QueryError;
use crate::report::ReportError;
use crate::report::evidence::ControlsError;
use crate::sample::SampleError;
use crate::source::SourceError;
use crate::store::StoreError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something that cannot be.
    #[error("{message}")]
    Usage {
        /// What is wrong with it.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// There are no logs to look at.
    #[error("the store holds no events")]
    NoEvents,
    /// A file that the user named cannot be read.
    #[error("cannot read `{path}`: {cause}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// A file that the user named cannot be written.
    #[error("cannot write `{path}`: {cause}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Standard output takes no more bytes.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Stdin(io::Error),
    /// Threads or the terminal are not to be had.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// The result cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The statement cannot be run.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The questions cannot be loaded.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The logs cannot be listed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The logs cannot be ingested.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Facts cannot be read or imported.
    #[error("cannot use `{path}`: {cause}", path = path.display())]
    Facts {
        /// The pack, or the files to import.
        path: PathBuf,
        /// What is wrong.
        cause: FactsError,
    },
    /// An allow-list cannot be used.
    #[error("cannot use `{path}`: {cause}", path = path.display())]
    Keep {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: ListError,
    },
    /// Event selectors cannot be used.
    #[error("cannot use `{path}`: {cause}", path = path.display())]
    Trails {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: TrailsError,
    },
    /// A file of controls cannot be used.
    #[error("cannot use `{path}`: {cause}", path = path.display())]
    Controls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: ControlsError,
    },
    /// A bundle of evidence is none.
    #[error("`{path}` is no bundle of evidence: {cause}", path = path.display())]
    Bundle {
        /// The folder or archive.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// A policy that the user named cannot be used.
    #[error("cannot use `{path}`: {cause}", path = path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The evidence cannot be gathered.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The public keys cannot be used.
    #[error(transparent)]
    PublicKeys(#[from] KeysError),
    /// The made-up logs cannot be written.
    #[error(transparent)]
    Sample(#[from] SampleError),
}

impl CliError {
    /// Wrong usage without a hint.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    /// What to do about it, where the message does not say so itself.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => hint.clone(),
            Self::NoEvents => {
                Some("read logs into it with `trimtrail ingest`, or name another with `--store`".to_owned())
            }
            Self::Query(QueryError::EmptyWindow { logs, .. })
            | Self::Analysis(AnalysisError::Query(QueryError::EmptyWindow { logs, .. })) => {
                Some(format!("the logs reach {logs}"))
            }
            Self::Query(QueryError::MissingParameter { name }) => Some(format!("add `--param {name}=…`")),
            Self::Write { cause, .. }
            | Self::Stdout(cause)
            | Self::Sample(SampleError::Write { source: cause, .. }) => hint_of(cause.kind()),
            _ => None,
        }
    }

    /// The status that the program ends with.
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Usage { .. }
            | Self::Keep { .. }
            | Self::Trails { .. }
            | Self::Controls { .. }
            | Self::Policy { .. }
            | Self::Source(SourceError::BesideList { .. })
            | Self::Analysis(AnalysisError::Query(QueryError::EmptyWindow { .. }))
            | Self::Query(
                QueryError::MissingParameter { .. }
                | QueryError::UnknownParameter { .. }
                | QueryError::RepeatedParameter { .. }
                | QueryError::BadParameter { .. }
                | QueryError::EmptyWindow { .. },
            ) => ExitStatus::Usage,
            Self::Ingest(IngestError::Contention { .. }) | Self::Store(StoreError::Busy { .. }) => ExitStatus::Conflict,
            Self::Stdout(cause) if cause.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Done,
            Self::Report(cause) if cause.is_broken_pipe() => ExitStatus::Done,
            _ => ExitStatus::Failed,
        }
    }

    /// True when there is nobody to tell: the reader of stdout went away, as `head` does.
    pub fn is_silent(&self) -> bool {
        self.exit_status() == ExitStatus::Done
    }
}

/// What to do when the system refuses to write.
fn hint_of(kind: io::ErrorKind) -> Option<String> {
    let hint = match kind {
        io::ErrorKind::NotFound => "its folder does not exist; create it first",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space, or write to another disk",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "make it writable for this user, or choose another place"
        }
        io::ErrorKind::AlreadyExists => "name a new file, or a folder",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_that_went_away_is_no_failure() {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        for error in [CliError::Stdout(gone()), CliError::Report(ReportError::Write(gone()))] {
            assert!(error.is_silent(), "{error}");
        }
        assert!(!CliError::Stdout(io::Error::from(io::ErrorKind::StorageFull)).is_silent());
    }

    #[test]
    fn wrong_usage_has_its_own_status() {
        assert_eq!(CliError::usage("x").exit_status(), ExitStatus::Usage);
        assert_eq!(CliError::NoEvents.exit_status(), ExitStatus::Failed);
        assert_eq!(CliError::Start(io::Error::other("x")).exit_status(), ExitStatus::Failed);
    }
}
