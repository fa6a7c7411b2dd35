//! `sql` and `query` as typed.

use std::path::PathBuf;

use clap::Args;

use super::ConnectionArgs;
use super::FactsFolderArgs;
use super::OutputArgs;
use super::StoreLocationArgs;
use crate::cli::size::parse_size;

/// Arguments of `sql`.
#[derive(Debug, Clone, Args)]
#[command(after_help = SQL_EXAMPLES)]
pub struct SqlArgs {
    /// One SQL statement
    #[arg(value_name = "STATEMENT", conflicts_with = "file")]
    pub statement: Option<String>,
    /// Read the statement from this file, `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Value of a `$name` in the statement; may be repeated
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    pub params: Vec<(String, String)>,
    /// How the statement runs.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `query`.
#[derive(Debug, Clone, Args)]
#[command(after_help = QUERY_EXAMPLES)]
pub struct QueryArgs {
    /// The question; `trimtrail query --list` lists them
    #[arg(value_name = "ID", required_unless_present = "list", conflicts_with = "list")]
    pub id: Option<String>,
    /// List the questions
    #[arg(short, long)]
    pub list: bool,
    /// Print the SQL of the question instead of its answer
    #[arg(long, conflicts_with_all = ["list", "params", "output", "all", "limit", "csv_raw"])]
    pub show: bool,
    /// Value of a parameter of the question; may be repeated
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    pub params: Vec<(String, String)>,
    /// Folder with questions of your own, `<id>.sql` each
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// How the question runs.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How a statement runs.
#[derive(Debug, Clone, Args)]
pub struct EngineArgs {
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// The facts.
    #[command(flatten)]
    pub facts: FactsFolderArgs,
    /// Read the store as it was at this version; `trimtrail store history` lists them
    #[arg(long, value_name = "N")]
    pub at_version: Option<u64>,
    /// What it may take.
    #[command(flatten)]
    pub room: RoomArgs,
    /// How `read_cloudtrail` reaches buckets.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What a statement may take of the machine.
#[derive(Debug, Clone, Args)]
pub struct RoomArgs {
    /// Memory that the query may take before it uses the disk
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = parse_size)]
    pub memory: u64,
    /// Folder for what does not fit the memory [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    pub temp_dir: Option<PathBuf>,
}

impl Default for RoomArgs {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            temp_dir: None,
        }
    }
}

const SQL_EXAMPLES: &str = "\
Examples:
  trimtrail sql
  trimtrail sql \"select event_source, count(*) as calls from events group by 1 order by 2 desc, 1\"
  trimtrail sql 'select * from events where event_time >= $since' --param since=T-7d --output ndjson
  trimtrail sql -f report.sql -o report.csv
  trimtrail sql \"select event_name from read_cloudtrail('./AWSLogs') limit 5\"
  trimtrail sql \"select count(*) from read_cloudtrail('s3://logs') where event_date = '2026-09-01'\"";

const QUERY_EXAMPLES: &str = "\
Examples:
  trimtrail query --list
  trimtrail query used-actions
  trimtrail query secret-reads --param since=2026-09-01 --param until=2026-10-01 -o secret-reads.csv
  trimtrail query secret-reads --show";

/// Reads `name=value`; the name may carry the `$` that it has in SQL.
pub(super) fn parse_param(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("a parameter is written NAME=VALUE".to_owned());
    };
    let name = name.trim();
    let name = name.strip_prefix('$').unwrap_or(name);
    if name.is_empty() {
        return Err("a parameter is written NAME=VALUE, and the name is missing".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}
