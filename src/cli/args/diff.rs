//! `diff` as typed.

use clap::Args;
use clap::ValueEnum;

use super::BasisArgs;
use super::EngineArgs;
use super::OutputArgs;

/// Arguments of `diff`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    /// Who and when.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// One row per permission instead of one per principal
    #[arg(long)]
    pub detail: bool,
    /// Only permissions with this verdict; may be repeated
    #[arg(long = "verdict", value_enum, value_name = "VERDICT", requires = "detail")]
    pub verdicts: Vec<VerdictName>,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What the logs prove of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerdictName {
    /// Granted and used.
    Used,
    /// Granted, and a use would have been seen.
    Unused,
    /// Granted, and nothing can be said.
    Unknown,
    /// Used, and not granted by the snapshot.
    UsedNotGranted,
    /// Tried and denied, and never used.
    DeniedAttempt,
}

impl VerdictName {
    /// As in the rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Unknown => "unknown",
            Self::UsedNotGranted => "used-not-granted",
            Self::DeniedAttempt => "denied-attempt",
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  trimtrail diff
  trimtrail diff --principal 'arn:aws:iam::111122223333:role/ci/*' --since T-90d
  trimtrail diff --principal github-deploy --detail --verdict unused -o unused.csv
  trimtrail diff --account 111122223333 --min-window 14d --min-coverage 0.9 --output markdown";
