//! `review` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use super::BasisArgs;
use super::EngineArgs;
use super::basis::parse_days;

/// Arguments of `review`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct ReviewArgs {
    /// What to do other than to write a review.
    #[command(subcommand)]
    pub command: Option<ReviewCommand>,
    /// The review.
    #[command(flatten)]
    pub report: ReviewReportArgs,
}

/// What `review` does beside.
#[derive(Debug, Clone, Subcommand)]
pub enum ReviewCommand {
    /// Read decisions that were filled into the CSV of a review
    ///
    /// Every row with a decision needs `decision` (keep, trim or remove), `reviewer` and `date`, and `keep` a `reason`. The
    /// decisions go into an allow-list that `review`, `diff` and `policy` read with `--allow`: what is kept counts as kept on
    /// purpose until it expires. A row that is wrong is named with its line, and then nothing is written.
    Import(Box<ReviewImportArgs>),
}

/// Arguments of `review` without a subcommand.
#[derive(Debug, Clone, Args)]
pub struct ReviewReportArgs {
    /// What is written [default: by the file name of `--out`]
    #[arg(long, alias = "output", value_enum, value_name = "FORMAT")]
    pub format: Option<ReviewFormat>,
    /// Write to this file, which appears only when it is complete
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Tag of users and roles that names their owner; may be repeated, and the first that is there counts [default: Owner, owner, Team, team, Contact, contact]
    #[arg(long = "owner-tag", value_name = "KEY")]
    pub owner_tags: Vec<String>,
    /// TOML file of what is kept on purpose, and of earlier decisions as `review import` wrote them
    #[arg(long, value_name = "FILE")]
    pub allow: Option<PathBuf>,
    /// Whose access, and when.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `review import`.
#[derive(Debug, Clone, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ReviewImportArgs {
    /// The filled-in CSV, `-` for standard input
    #[arg(value_name = "FILE")]
    pub sheet: PathBuf,
    /// Allow-list to write the decisions into; what people wrote in it stays
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: PathBuf,
    /// Days that a decision counts if its row has no `expires`
    #[arg(long, value_name = "DAYS", default_value = "92d", value_parser = parse_days)]
    pub valid_for: i64,
    /// The store whose users and roles the rows name.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReviewFormat {
    /// A page to read, print and sign
    Html,
    /// A sheet to fill in
    Csv,
    /// A workbook with the sheet and its details
    Xlsx,
}

impl ReviewReportArgs {
    /// The format that is wanted, if that is known.
    pub fn wanted_format(&self) -> Option<ReviewFormat> {
        let by_name = || match self.out.as_ref()?.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some(ReviewFormat::Html),
            "csv" => Some(ReviewFormat::Csv),
            "xlsx" => Some(ReviewFormat::Xlsx),
            _ => None,
        };
        self.format.or_else(by_name)
    }
}

const EXAMPLES: &str = "\
Examples:
  trimtrail review --since T-90d --out review.html
  trimtrail review --account 111122223333 --owner-tag CostCenter --out review.xlsx
  trimtrail review --principal 'arn:aws:iam::111122223333:role/ci/*' --format csv --out ci.csv
  trimtrail review import ci.csv --out allow.toml
  trimtrail review --allow allow.toml --out review.html";

const IMPORT_EXAMPLES: &str = "\
Examples:
  trimtrail review import review.csv --out allow.toml
  trimtrail review import review.csv --out allow.toml --valid-for 180d
  trimtrail diff --allow allow.toml --fail-on unused-high-risk";
