//! Where results go and what they look like, as typed.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use clap::builder::ValueParser;

use crate::report::Format;

/// Where rows go and what they look like.
pub type OutputArgs = ResultArgs<Format>;

/// Where a result goes and what it looks like.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct ResultArgs<F: ResultFormat> {
    /// Format of the result [default: by the file name of `-o`, else table]
    #[arg(long, value_parser = F::parser(), value_name = "FORMAT")]
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

/// What `--output` of a command may name.
pub trait ResultFormat: Clone + Send + Sync + 'static {
    /// Reads one of them.
    fn parser() -> ValueParser;
}

/// Rows, or what one command can make besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsOr<D> {
    /// Rows.
    Rows(Format),
    /// Something else.
    Document(D),
}

/// What a command can make besides rows.
pub trait DocumentFormat: ValueEnum + Copy + Send + Sync + 'static {
    /// The one that the ending of a file's name stands for.
    fn of_ending(_ending: &str) -> Option<Self> {
        None
    }
}

impl<D: DocumentFormat> ResultArgs<RowsOr<D>> {
    /// The document that is wanted; `None` for rows.
    pub fn document(&self) -> Option<D> {
        match self.output {
            Some(RowsOr::Rows(_)) => None,
            Some(RowsOr::Document(document)) => Some(document),
            None => D::of_ending(self.file.as_deref().and_then(Path::extension)?.to_str()?),
        }
    }

    /// How rows are written.
    pub fn rows(&self) -> OutputArgs {
        OutputArgs {
            output: match self.output {
                Some(RowsOr::Rows(format)) => Some(format),
                _ => None,
            },
            file: self.file.clone(),
            all: self.all,
            limit: self.limit,
            csv_raw: self.csv_raw,
        }
    }
}

impl<F: ResultFormat> Default for ResultArgs<F> {
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

impl ResultFormat for Format {
    fn parser() -> ValueParser {
        clap::builder::EnumValueParser::<Self>::new().into()
    }
}

impl<D: DocumentFormat> ResultFormat for RowsOr<D> {
    fn parser() -> ValueParser {
        let rows = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let documents = D::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names = PossibleValuesParser::new(rows.chain(documents));
        let read = |name: String| match Format::from_str(&name, false) {
            Ok(format) => Ok(Self::Rows(format)),
            Err(_) => D::from_str(&name, false).map(Self::Document),
        };
        names.try_map(read).into()
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
