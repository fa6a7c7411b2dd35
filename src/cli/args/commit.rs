//! `commit` as typed.

use std::path::PathBuf;

use clap::Args;

use super::StoreLocationArgs;

/// Arguments of `commit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct CommitArgs {
    /// Files that `ingest --adds-out` wrote, or folders of them [default: what waits in the store]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub adds_from: Vec<PathBuf>,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
}

const EXAMPLES: &str = "\
Examples:
  trimtrail ingest s3://central-logs --store /srv/trail --shard 0/2 --no-commit
  trimtrail ingest s3://central-logs --store /srv/trail --shard 1/2 --no-commit
  trimtrail commit --store /srv/trail
  trimtrail commit --store /srv/trail --adds-from /srv/adds";
