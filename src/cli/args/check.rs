//! `check` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

use super::DocumentFormat;
use super::EngineArgs;
use super::ResultArgs;
use super::RowsOr;
use super::query::parse_param;
use crate::query::Severity;

/// Arguments of `check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Only these checks; `trimtrail query --list` lists all with their severity
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Only checks that are evidence for controls of this framework, such as `soc2`
    #[arg(long, value_name = "FRAMEWORK", conflicts_with = "ids")]
    pub pack: Option<String>,
    /// Only checks that are at least as severe
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "low")]
    pub min_severity: SeverityName,
    /// End with exit code 3 if there is a finding at least as severe that is not accepted
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<SeverityName>,
    /// First moment of the window: a day, an RFC 3339 time, or a span back from now such as T-90d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// End of the window
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Value of a further parameter, for all checks that have it; may be repeated
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    pub params: Vec<(String, String)>,
    /// TOML file of findings that are accepted, each with a reason and a last day
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Folder with questions of your own, `<id>.sql` each; those with a severity are checks
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// Region of Security Hub for findings that are of no region, for `--output asff`
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub hub_region: String,
    /// How the checks run.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: ResultArgs<RowsOr<CheckDocument>>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeverityName {
    /// Worth a look when there is time.
    Low,
    /// To be explained.
    Medium,
    /// To be explained soon.
    High,
    /// To be acted upon.
    Critical,
}

/// What a result may be besides rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckDocument {
    /// For code scanning
    Sarif,
    /// For build servers
    Junit,
    /// Detection Findings of the Open Cybersecurity Schema Framework
    Ocsf,
    /// AWS Security Finding Format
    Asff,
}

impl DocumentFormat for CheckDocument {
    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "sarif" => Some(Self::Sarif),
            "xml" => Some(Self::Junit),
            _ => None,
        }
    }
}

impl From<SeverityName> for Severity {
    fn from(name: SeverityName) -> Self {
        match name {
            SeverityName::Low => Self::Low,
            SeverityName::Medium => Self::Medium,
            SeverityName::High => Self::High,
            SeverityName::Critical => Self::Critical,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  trimtrail check
  trimtrail check --since T-7d --fail-on high --baseline accepted.toml
  trimtrail check root-use logging-changes --output ocsf -o findings.ndjson
  trimtrail check --pack soc2 -o check.sarif";
