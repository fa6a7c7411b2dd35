//! `guardrail` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use super::BasisArgs;
use super::EngineArgs;
use super::LogArgs;
use super::choice::parse_region;

/// Arguments of `guardrail`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct GuardrailArgs {
    /// What is made.
    #[command(subcommand)]
    pub command: GuardrailCommand,
}

/// What `guardrail` makes.
#[derive(Debug, Clone, Subcommand)]
pub enum GuardrailCommand {
    /// A service control policy that denies what is asked of regions not in use
    ///
    /// Global services are left alone, as in the example of the AWS documentation. Regions that only one odd caller uses are
    /// named on standard error; leave them out with `--without-region` and see what would have been denied.
    RegionScp(RegionScpArgs),
    /// A permissions boundary around what users and roles use, and what they may use for all that is known
    Boundary(BoundaryArgs),
    /// Service control policies that deny the services which nobody uses
    ///
    /// A service is denied only where the logs would have shown its use in every account that is looked at.
    ServiceDeny(ServiceDenyArgs),
}

const EXAMPLES: &str = "\
Examples:
  trimtrail guardrail region-scp --ou ou-exam-workloads -o regions.json
  trimtrail guardrail boundary --principal 'arn:aws:iam::*:role/ci/*' --since T-90d
  trimtrail guardrail service-deny --ou ou-exam-workloads --since T-90d";

/// Which accounts a control policy is for.
#[derive(Debug, Clone, Args)]
pub struct ControlArgs {
    /// Only these accounts; may be repeated
    #[arg(long = "account", value_name = "ID")]
    pub accounts: Vec<String>,
    /// Only accounts below this root or organizational unit
    #[arg(long, value_name = "ID")]
    pub ou: Option<String>,
    /// The window and what it takes.
    #[command(flatten)]
    pub evidence: LogArgs,
    /// Write to this file, which appears only when it is complete
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `guardrail region-scp`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail guardrail region-scp --ou ou-exam-workloads\n  \
                        trimtrail guardrail region-scp --without-region ap-southeast-1 -o regions.json\n  \
                        trimtrail guardrail region-scp --region eu-west-1 --exempt-role 'arn:aws:iam::*:role/break-glass/*'"
)]
pub struct RegionScpArgs {
    /// These regions, whatever is in use; may be repeated, or several with commas
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = parse_region, conflicts_with = "without_regions")]
    pub regions: Vec<String>,
    /// Not this region, though it is in use; may be repeated, or several with commas
    #[arg(long = "without-region", value_name = "REGION", value_delimiter = ',', value_parser = parse_region)]
    pub without_regions: Vec<String>,
    /// Roles that are left alone: pattern over ARNs; may be repeated
    #[arg(long = "exempt-role", value_name = "ARN")]
    pub exempt_roles: Vec<String>,
    /// For whom, and when.
    #[command(flatten)]
    pub control: ControlArgs,
}

/// Arguments of `guardrail boundary`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail guardrail boundary --principal 'arn:aws:iam::*:role/ci/*' --since T-90d"
)]
pub struct BoundaryArgs {
    /// For whom, and when.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// Write to this file, which appears only when it is complete
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `guardrail service-deny`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  trimtrail guardrail service-deny --ou ou-exam-workloads --since T-90d")]
pub struct ServiceDenyArgs {
    /// For whom, and when.
    #[command(flatten)]
    pub control: ControlArgs,
}
