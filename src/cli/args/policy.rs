//! `policy` as typed.

use std::path::PathBuf;

use clap::ArgAction;
use clap::Args;
use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::BasisArgs;
use super::EngineArgs;
use crate::report::PolicyFormat;

/// Arguments of `policy`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct PolicyArgs {
    /// Whose policies, and when.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// How policies are made
    #[arg(long, value_enum, value_name = "MODE", default_value = "trim")]
    pub mode: PolicyMode,
    /// What is written
    #[arg(long, alias = "output", value_enum, value_name = "FORMAT", default_value = "json")]
    pub format: PolicyFormat,
    /// Write files into this folder instead of printing: one per principal, for JSON one per policy and one with its reasons
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// TOML file of permissions that are kept on purpose, each with a reason and a last day; they are not taken out
    #[arg(long, value_name = "FILE")]
    pub allow: Option<PathBuf>,
    /// `generate`: keep what is granted and of which the logs cannot show a use
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub keep_unknown: bool,
    /// `generate`: conditions to add where they held for every use of an action
    #[arg(long, value_enum, value_name = "CONDITION", value_delimiter = ',')]
    pub conditions: Vec<ConditionName>,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// How policies are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyMode {
    /// The present policies without what is certainly unused
    Trim,
    /// New policies from what was used, within the present grants
    Generate,
}

/// A condition that the evidence may support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConditionName {
    /// The regions that served the calls
    Region,
    /// The VPC endpoints that the calls came through
    Vpce,
    /// The services that made the calls on the principal's behalf
    ViaService,
}

impl PolicyMode {
    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Generate => "generate",
        }
    }
}

impl ValueEnum for PolicyFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Json, Self::Terraform, Self::CloudFormation, Self::Cdk, Self::Diff]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Json => PossibleValue::new("json"),
            Self::Terraform => PossibleValue::new("terraform").alias("tf"),
            Self::CloudFormation => PossibleValue::new("cloudformation").alias("cfn"),
            Self::Cdk => PossibleValue::new("cdk"),
            Self::Diff => PossibleValue::new("diff"),
        })
    }
}

const EXAMPLES: &str = "\
Examples:
  trimtrail policy --principal github-deploy --format diff
  trimtrail policy --principal 'arn:aws:iam::111122223333:role/ci/*' --format terraform --out ./policies
  trimtrail policy --principal payments-task --mode generate --conditions region,vpce
  trimtrail policy --principal '*' --account 111122223333 --out ./policies";
