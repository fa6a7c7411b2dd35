//! `trust` as typed.

use std::path::PathBuf;

use clap::Args;

use super::EngineArgs;
use super::LogArgs;
use super::OutputArgs;

/// Arguments of `trust`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct TrustArgs {
    /// Only these roles: ARN, name, or a pattern with `*` over either; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// Only roles of these accounts; may be repeated
    #[arg(long = "account", value_name = "ID")]
    pub accounts: Vec<String>,
    /// One row per role and caller: who came, how often, and with which safeguards
    #[arg(long, group = "view")]
    pub callers: bool,
    /// One row per way over other roles: who reached the role through which hops
    #[arg(long, group = "view")]
    pub chains: bool,
    /// The trust policies without what nobody used, as JSON
    #[arg(long, group = "view", conflicts_with_all = ["output", "out", "all", "limit"])]
    pub policies: bool,
    /// `--policies`: write each as a file into this folder instead, as `aws iam update-assume-role-policy` takes it
    #[arg(long, value_name = "DIR", requires = "policies")]
    pub write: Option<PathBuf>,
    /// The window and what it takes.
    #[command(flatten)]
    pub evidence: LogArgs,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  trimtrail trust --since T-90d
  trimtrail trust --role github-deploy --output json
  trimtrail trust --account 111122223333 --callers --output csv -o callers.csv
  trimtrail trust --chains
  trimtrail trust --policies --write trust-policies";
