//! `diff` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

use super::BasisArgs;
use super::DocumentFormat;
use super::EngineArgs;
use super::ResultArgs;
use super::RowsOr;

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
    /// One row per finding: what can be taken away, by role, service and policy
    #[arg(long, conflicts_with = "detail")]
    pub findings: bool,
    /// One row per group of principals: what is used by one of a permission set or service account is used by all
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "findings")]
    pub group_by: Option<GroupBy>,
    /// Only permissions with this verdict; may be repeated
    #[arg(long = "verdict", value_enum, value_name = "VERDICT", requires = "detail")]
    pub verdicts: Vec<VerdictName>,
    /// TOML file of permissions that are kept on purpose, each with a reason and a last day
    #[arg(long, value_name = "FILE")]
    pub allow: Option<PathBuf>,
    /// End with exit code 3 if there is one of these that can be taken away; may be repeated
    #[arg(long, value_enum, value_name = "WHAT")]
    pub fail_on: Vec<FailOn>,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: ResultArgs<RowsOr<DiffDocument>>,
}

/// By what principals are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    /// Account: sums over its principals.
    Account,
    /// Permission set of Identity Center, across accounts.
    PermissionSet,
    /// Kubernetes service account that a trust policy names.
    ServiceAccount,
}

/// What closes the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Unused permissions that can do harm.
    UnusedHighRisk,
    /// Unused permissions.
    Unused,
    /// Roles that nobody used.
    NeverUsedRole,
}

/// What a result may be besides rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffDocument {
    /// One page for people
    Html,
    /// Findings for code scanning
    Sarif,
    /// Findings as annotations of a GitHub workflow
    Github,
}

impl DocumentFormat for DiffDocument {
    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "html" | "htm" => Some(Self::Html),
            "sarif" => Some(Self::Sarif),
            _ => None,
        }
    }
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
  trimtrail diff --group-by permission-set --detail --verdict unused
  trimtrail diff --fail-on unused-high-risk --allow keep.toml --output sarif -o findings.sarif
  trimtrail diff --account 111122223333 --min-window 14d --min-coverage 0.9 --output markdown";
