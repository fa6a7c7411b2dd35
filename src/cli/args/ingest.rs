//! `ingest` as typed.

use std::path::PathBuf;

use clap::Args;

use super::ShardArg;
use super::StoreLocationArgs;
use super::When;
use super::choice::parse_account;
use super::choice::parse_region;
use super::s3::S3Args;
use super::shard::parse_shard;
use crate::cli::size::parse_size;

/// Arguments of `ingest`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct IngestArgs {
    /// Files, folders or `s3://bucket/prefix` with CloudTrail logs (`.json.gz` or `.json`), searched through to the bottom
    #[arg(required_unless_present_any = ["keys_from", "inventory"], value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Only logs from this day on: `2026-09-01`, an RFC 3339 time, or back from now like `90d`; one day more is read on either side, as delivery may be late; of a bucket, days that earlier runs have listed are not listed again, but for `--look-back`
    #[arg(long, value_name = "TIME", help_heading = "Which logs")]
    pub from: Option<String>,
    /// Only logs from before this time
    #[arg(long, value_name = "TIME", help_heading = "Which logs")]
    pub to: Option<String>,
    /// Only logs of this account; may be repeated, or several with commas
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = parse_account, help_heading = "Which logs")]
    pub account: Vec<String>,
    /// Only logs of this region; may be repeated, or several with commas
    #[arg(long, value_name = "REGION", value_delimiter = ',', value_parser = parse_region, help_heading = "Which logs")]
    pub region: Vec<String>,
    /// List and count what would be read, and read nothing
    #[arg(long, help_heading = "Which logs")]
    pub dry_run: bool,
    /// Write an account of the run to this file as JSON, also when it fails or is stopped
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Buckets.
    #[command(flatten)]
    pub s3: S3Args,
    /// Only this share of the objects, by a hash of their keys: `0/8` to `7/8`, or `auto/8` for the index that AWS Batch or Kubernetes gives to the worker
    #[arg(long, value_name = "I/N", value_parser = parse_shard, help_heading = WORKERS)]
    pub shard: Option<ShardArg>,
    /// Write rows into the store, but leave it to `trimtrail commit` to make them part of it
    #[arg(long, help_heading = WORKERS, conflicts_with = "dry_run")]
    pub no_commit: bool,
    /// Leave what `commit` needs in this new file, or in a folder if the path is one or ends in `/` [default: in the store]
    #[arg(long, value_name = "PATH", help_heading = WORKERS, requires = "no_commit")]
    pub adds_out: Option<PathBuf>,
    /// Leave small data files as they are; otherwise, those of days with more than three of them, and of other tables with more than sixteen, are rewritten at the end, without `--shard`
    #[arg(long)]
    pub no_compact: bool,
    /// Largest size of one object once it is inflated; of a larger one the rest is left to a run that allows more
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = parse_size, help_heading = "Limits")]
    pub max_inflated_bytes: u64,
    /// Largest size of one record; a larger one is kept in `rejects`, and left to a run that allows more
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = parse_size, help_heading = "Limits")]
    pub max_record_bytes: u64,
    /// Threads that decode [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Limits")]
    pub threads: Option<u16>,
    /// Memory that rows and objects in flight may take
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = parse_size, help_heading = "Limits")]
    pub memory: u64,
    /// When to show a progress bar: auto, always or never
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub progress: When,
}

const WORKERS: &str = "Many workers";

const EXAMPLES: &str = "\
Examples:
  trimtrail ingest ./AWSLogs
  trimtrail ingest s3://central-logs --from T-90d
  trimtrail ingest ./AWSLogs --store /srv/trail --from T-90d --account 111122223333
  trimtrail ingest s3://central-logs --log json --report run.json
  trimtrail ingest s3://central-logs --store /srv/trail --shard auto/8
  trimtrail ingest s3://central-logs --store /srv/trail --shard 0/8 --no-commit
  trimtrail ingest ./AWSLogs --dry-run";
