//! `replay` as typed.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;

use super::BasisArgs;
use super::EngineArgs;
use super::OutputArgs;

/// What is tried of which the user says what it is; that rests on no verdict of the logs.
const TRIED: [&str; 4] = ["policies", "boundary", "control_policies", "resource_policies"];

/// Arguments of `replay`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("min_coverage", |arg| arg.conflicts_with_all(TRIED)))]
#[command(mut_arg("min_window", |arg| arg.conflicts_with_all(TRIED)))]
#[command(mut_arg("event_selectors", |arg| arg.conflicts_with_all(TRIED)))]
#[command(group = ArgGroup::new("trial").required(true).args(["policies", "boundary", "control_policies", "resource_policies", "plan"]))]
pub struct ReplayArgs {
    /// Whose calls, and when.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// Identity policy in the place of all present ones of the principals, their groups' included; may be repeated
    #[arg(long = "policy", value_name = "FILE", requires = "principals")]
    pub policies: Vec<PathBuf>,
    /// Permissions boundary in the place of the present one
    #[arg(long, value_name = "FILE")]
    pub boundary: Option<PathBuf>,
    /// Service control policy beside the present ones; several are those of one level
    #[arg(long = "scp", value_name = "FILE")]
    pub control_policies: Vec<PathBuf>,
    /// Resource control policy beside the present ones, tried on all calls to resources of the accounts; may be repeated
    #[arg(long = "rcp", value_name = "FILE", conflicts_with = "principals")]
    pub resource_policies: Vec<PathBuf>,
    /// The policies that `policy --mode trim` proposes, together
    #[arg(long)]
    pub plan: bool,
    /// `--scp`, `--rcp`: only accounts below this root or organizational unit
    #[arg(long, value_name = "ID", conflicts_with_all = ["policies", "boundary", "plan"])]
    pub ou: Option<String>,
    /// `--plan`: TOML file of permissions that are kept on purpose, each with a reason and a last day
    #[arg(long, value_name = "FILE", conflicts_with_all = TRIED)]
    pub allow: Option<PathBuf>,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the result goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  trimtrail replay --policy deploy.json --principal github-deploy
  trimtrail replay --boundary boundary.json --principal 'arn:aws:iam::*:role/ci/*' --since T-30d
  trimtrail replay --scp regions.json --ou ou-exam-workloads --output csv -o denied.csv
  trimtrail replay --rcp perimeter.json --account 111122223333
  trimtrail replay --plan --since T-90d";
