//! `facts` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use super::OutputArgs;

/// Arguments of `facts`.
#[derive(Debug, Clone, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  trimtrail facts info\n  trimtrail facts import ./service-reference --facts ./facts"
)]
pub struct FactsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: FactsCommand,
}

/// What `facts` does.
#[derive(Debug, Clone, Subcommand)]
pub enum FactsCommand {
    /// Show what the facts are made of, and how much they know
    Info(FactsInfoArgs),
    /// Bring the facts up to date with AWS Service Reference files
    ///
    /// Reads every `.json` file of a folder; those that are no service reference are left out. The new facts go into the
    /// folder of `--facts`, from which the same option of other commands reads them. Services without a file stay as they
    /// are. Nothing is fetched: the files are those that AWS publishes, one per service.
    Import(FactsImportArgs),
}

/// Which facts.
#[derive(Debug, Clone, Default, Args)]
pub struct FactsFolderArgs {
    /// Folder with facts made by `trimtrail facts import` [default: the built-in facts]
    #[arg(long, value_name = "DIR", env = "TRIMTRAIL_FACTS")]
    pub facts: Option<PathBuf>,
}

/// Arguments of `facts info`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  trimtrail facts info\n  trimtrail facts info --facts ./facts --output json")]
pub struct FactsInfoArgs {
    /// The facts.
    #[command(flatten)]
    pub folder: FactsFolderArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `facts import`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail facts import ./service-reference --facts ./facts\n  \
                        trimtrail query used-actions --facts ./facts"
)]
pub struct FactsImportArgs {
    /// Folder with AWS Service Reference files, or one such file
    #[arg(value_name = "DIR")]
    pub source: PathBuf,
    /// Folder that takes the new facts; facts that it holds are replaced
    #[arg(long, value_name = "DIR", env = "TRIMTRAIL_FACTS")]
    pub facts: PathBuf,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}
