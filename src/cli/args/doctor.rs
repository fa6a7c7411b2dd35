//! `doctor` as typed.

use clap::Args;

use super::ConnectionArgs;
use super::OutputArgs;
use super::StoreLocationArgs;
use crate::cli::size::parse_size;

/// Arguments of `doctor`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// Files, folders or `s3://bucket/prefix` that `ingest` would read
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Memory that the run would be given
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = parse_size)]
    pub memory: u64,
    /// Look at nothing; print the least IAM policy that `ingest` and `commit` need for these sources and the store
    #[arg(long, help_heading = "Permissions", conflicts_with_all = ["output", "all", "limit", "csv_raw"])]
    pub print_iam: bool,
    /// ARN of a KMS key that encrypts the logs, for the printed policy; may be repeated
    #[arg(long, value_name = "ARN", help_heading = "Permissions", requires = "print_iam")]
    pub kms_key: Vec<String>,
    /// ARN of a KMS key that encrypts the store, for the printed policy; may be repeated
    #[arg(long, value_name = "ARN", help_heading = "Permissions", requires = "print_iam")]
    pub store_kms_key: Vec<String>,
    /// How buckets are reached.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  trimtrail doctor s3://central-logs --store /srv/trail
  trimtrail doctor ./AWSLogs --output json
  trimtrail doctor s3://central-logs --print-iam --kms-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd
  trimtrail doctor s3://central-logs --store s3://trail-store/trimtrail --print-iam";
