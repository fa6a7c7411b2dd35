//! What can go wrong while rows are rendered.

use std::io;

use ::parquet::errors::ParquetError;
use arrow::error::ArrowError;

/// A result could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The target takes no more bytes.
    #[error("cannot write the result: {0}")]
    Write(#[from] io::Error),
    /// A column has a type that the format cannot hold.
    #[error("cannot render column `{column}`: {cause}")]
    Column {
        /// Name of the column.
        column: String,
        /// What stands against it.
        cause: ArrowError,
    },
    /// A batch could not be rendered.
    #[error("cannot render the result: {0}")]
    Rows(ArrowError),
    /// A policy has a text that the format would replace by something else.
    #[error(
        "the policies of `{principal}` are left out: `{policy}` holds `{text}`, which {format} would replace; write them as \
         JSON or Terraform (`--format json`, `--format terraform`)"
    )]
    DynamicText {
        /// ARN of the principal.
        principal: String,
        /// Name of the policy.
        policy: String,
        /// The format.
        format: &'static str,
        /// What would be replaced.
        text: &'static str,
    },
    /// The Parquet file could not be made.
    #[error("cannot write the result as Parquet: {0}")]
    Parquet(ParquetError),
    /// The workbook could not be made.
    #[error("cannot make the workbook: {0}")]
    Workbook(rust_xlsxwriter::XlsxError),
    /// The page could not be made.
    #[error("cannot render the page: {0}")]
    Page(minijinja::Error),
}

impl ReportError {
    /// True when the reader of the output went away, as `head` does: nothing is left to tell it.
    pub fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Write(cause) | Self::Rows(ArrowError::IoError(_, cause)) => cause.kind() == io::ErrorKind::BrokenPipe,
            Self::Column { .. }
            | Self::Rows(_)
            | Self::DynamicText { .. }
            | Self::Parquet(_)
            | Self::Workbook(_)
            | Self::Page(_) => false,
        }
    }
}

impl From<ArrowError> for ReportError {
    fn from(cause: ArrowError) -> Self {
        match cause {
            ArrowError::IoError(_, cause) => Self::Write(cause),
            other => Self::Rows(other),
        }
    }
}

impl From<ParquetError> for ReportError {
    fn from(cause: ParquetError) -> Self {
        match cause {
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(cause) => Self::Write(*cause),
                Err(cause) => Self::Parquet(ParquetError::External(cause)),
            },
            other => Self::Parquet(other),
        }
    }
}
