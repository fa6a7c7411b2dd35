//! `sample` as typed.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

use crate::sample::ObjectSize;

/// Arguments of `sample`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  trimtrail sample ./sample-logs\n  \
                        trimtrail sample ./big --events 1000000 --days 90 --seed 7")]
pub struct SampleArgs {
    /// Folder to write to; it must be new or empty
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Everyday events besides the planted ones
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub events: u64,
    /// Start of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// First day of the logs
    #[arg(long, value_name = "DATE", default_value = "2026-09-01")]
    pub first_day: Date,
    /// Number of days
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// Size of the compressed log files: `real-life`, as CloudTrail delivers them, or all about as large as `2k` or `50m`
    #[arg(long, value_name = "SIZE", default_value = "real-life")]
    pub object_size: ObjectSize,
    /// Write session tokens as long as real ones (700 to 1,420 characters), which makes logs compress as real ones do
    #[arg(long)]
    pub full_tokens: bool,
}
