//! `coverage` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

use super::DocumentFormat;
use super::EngineArgs;
use super::ResultArgs;
use super::RowsOr;

/// Arguments of `coverage`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct CoverageArgs {
    /// First moment of the window: `2026-09-01`, an RFC 3339 time, or back from now like `T-90d` [default: the first event of the store]
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// End of the window, exclusive [default: behind the last event of the store]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only this account; may be repeated
    #[arg(long = "account", value_name = "ID")]
    pub accounts: Vec<String>,
    /// Only this region; may be repeated
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// What one row is about
    #[arg(long, value_enum, value_name = "STEP", default_value = "day")]
    pub by: CoverageStep,
    /// Show instead which kinds of events each account's logs hold: what its trails record, as far as one can tell
    #[arg(long, conflicts_with_all = ["by", "keys", "svg", "regions"])]
    pub settings: bool,
    /// Check the signatures of the digests too, with the public keys that `aws cloudtrail list-public-keys` printed, as `FILE` or `REGION=FILE`; may be repeated
    #[arg(long, value_name = "FILE")]
    pub keys: Vec<String>,
    /// Write the calendar as a picture to this file too
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// How the store is read.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: ResultArgs<RowsOr<CoverageDocument>>,
}

/// What one row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CoverageStep {
    /// An account in a region on a day.
    Day,
    /// An account in a region in an hour.
    Hour,
}

/// What a result may be besides rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CoverageDocument {
    /// One character per day
    Calendar,
}

impl DocumentFormat for CoverageDocument {}

impl CoverageArgs {
    /// Whether the calendar is wanted: when nobody says otherwise.
    pub fn wants_calendar(&self) -> bool {
        let is_plain = self.output.file.is_none() && self.by == CoverageStep::Day && !self.settings;
        match self.output.output {
            Some(format) => format == RowsOr::Document(CoverageDocument::Calendar),
            None => is_plain,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  trimtrail coverage
  trimtrail coverage --since 2026-07-01 --until 2026-10-01 --keys keys.json --svg coverage.svg
  trimtrail coverage --account 111122223333 --by hour -o coverage.csv
  trimtrail coverage --settings";
