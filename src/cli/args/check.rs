//! `check` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::EngineArgs;
use super::OutputArgs;
use super::ResultArgs;
use super::query::parse_param;
use crate::query::Severity;
use crate::report::Format;

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
    pub output: CheckOutputArgs,
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

/// Where the result goes and what it looks like.
pub(super) type CheckOutputArgs = ResultArgs<CheckFormat>;

/// What a result looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckFormat {
    /// Rows.
    Rows(Format),
    /// For code scanning.
    Sarif,
    /// For build servers.
    Junit,
    /// Detection Findings of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// AWS Security Finding Format.
    Asff,
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

impl CheckOutputArgs {
    /// The format that is wanted; `None` for rows of which another argument decides.
    pub fn document(&self) -> Option<CheckFormat> {
        let by_name = || match self.file.as_ref()?.extension()?.to_str()? {
            "sarif" => Some(CheckFormat::Sarif),
            "xml" => Some(CheckFormat::Junit),
            _ => None,
        };
        let format = self.output.or_else(by_name)?;
        (!matches!(format, CheckFormat::Rows(_))).then_some(format)
    }

    /// The same for rows.
    pub fn rows(&self) -> OutputArgs {
        let format = self.output.and_then(|format| match format {
            CheckFormat::Rows(format) => Some(format),
            _ => None,
        });
        self.with_format(format)
    }
}

impl ValueEnum for CheckFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Rows(Format::Table),
            Self::Rows(Format::Json),
            Self::Rows(Format::Ndjson),
            Self::Rows(Format::Csv),
            Self::Rows(Format::Markdown),
            Self::Rows(Format::Parquet),
            Self::Sarif,
            Self::Junit,
            Self::Ocsf,
            Self::Asff,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Rows(format) => format.to_possible_value(),
            Self::Sarif => Some(PossibleValue::new("sarif")),
            Self::Junit => Some(PossibleValue::new("junit")),
            Self::Ocsf => Some(PossibleValue::new("ocsf")),
            Self::Asff => Some(PossibleValue::new("asff")),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  trimtrail check
  trimtrail check --since T-7d --fail-on high --baseline accepted.toml
  trimtrail check root-use logging-changes --output ocsf -o findings.ndjson
  trimtrail check --pack soc2 -o check.sarif";
