//! `verify` as typed.

use clap::Args;
use clap::ValueEnum;

use super::StoreLocationArgs;
use super::choice::parse_account;
use super::choice::parse_region;
use super::s3::S3Args;

/// Arguments of `verify`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// Folders or `s3://bucket/prefix` with digests and logs, in the folders that CloudTrail made [default: what the store noted when it read them]
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Public keys: what `aws cloudtrail list-public-keys --output json` printed, as `FILE` or `REGION=FILE`; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    pub keys: Vec<String>,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Only from this time on; hours without a digest are told from here
    #[arg(long, value_name = "TIME", help_heading = "Which digests")]
    pub from: Option<String>,
    /// Only before this time; hours without a digest are told up to here
    #[arg(long, value_name = "TIME", help_heading = "Which digests")]
    pub to: Option<String>,
    /// Only digests and logs of this account; may be repeated, or several with commas
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = parse_account, help_heading = "Which digests")]
    pub account: Vec<String>,
    /// Only digests and logs of this region; may be repeated, or several with commas
    #[arg(long, value_name = "REGION", value_delimiter = ',', value_parser = parse_region, help_heading = "Which digests")]
    pub region: Vec<String>,
    /// Form of the result
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub output: VerifyFormat,
    /// Name valid files too
    #[arg(long)]
    pub all: bool,
    /// Buckets.
    #[command(flatten)]
    pub s3: S3Args,
    /// Threads that read and verify [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Form of the result of `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people.
    Table,
    /// One JSON document.
    Json,
}

const EXAMPLES: &str = "\
Examples:
  aws cloudtrail list-public-keys --region us-east-1 --start-time 2026-07-01 --end-time 2026-10-01 --output json > keys.json
  trimtrail verify ./copy-of-the-bucket --keys us-east-1=keys.json
  trimtrail verify s3://central-logs --keys keys.json --from 2026-07-01 --to 2026-10-01
  trimtrail verify --store ./trimtrail-store --keys keys.json --output json";
