//! Where rows go and what they look like, as typed.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::report::Format;

/// Where rows go and what they look like.
pub type OutputArgs = ResultArgs<Format>;

/// Where a result goes and what it looks like.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct ResultArgs<F: ValueEnum + Send + Sync + 'static> {
    /// Format of the result [default: by the file name of `-o`, else table]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub output: Option<F>,
    /// Write to this file, which appears only when it is complete
    #[arg(id = "out", short = 'o', long = "out", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Show every row of a table [default: the first 100]
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// Stop after this many rows, in any format of rows
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Write CSV cells exactly as they are, even those that a spreadsheet would run as formulas
    #[arg(long)]
    pub csv_raw: bool,
}

impl<F: ValueEnum + Send + Sync + 'static> ResultArgs<F> {
    /// The same with another format.
    pub(super) fn with_format(&self, format: Option<Format>) -> OutputArgs {
        OutputArgs {
            output: format,
            file: self.file.clone(),
            all: self.all,
            limit: self.limit,
            csv_raw: self.csv_raw,
        }
    }
}

impl<F: ValueEnum + Send + Sync + 'static> Default for ResultArgs<F> {
    fn default() -> Self {
        Self {
            output: None,
            file: None,
            all: false,
            limit: None,
            csv_raw: false,
        }
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Table,
            Self::Json,
            Self::Ndjson,
            Self::Csv,
            Self::Markdown,
            Self::Parquet,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Table => PossibleValue::new("table"),
            Self::Json => PossibleValue::new("json"),
            Self::Ndjson => PossibleValue::new("ndjson").alias("jsonl"),
            Self::Csv => PossibleValue::new("csv"),
            Self::Markdown => PossibleValue::new("markdown").alias("md"),
            Self::Parquet => PossibleValue::new("parquet"),
        })
    }
}
