//! `iam` as typed.

use clap::Args;
use clap::Subcommand;

use super::ConnectionArgs;
use super::StoreLocationArgs;

/// Arguments of `iam`.
#[derive(Debug, Clone, Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub struct IamArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: IamCommand,
}

/// What `iam` does.
#[derive(Debug, Clone, Subcommand)]
pub enum IamCommand {
    /// Read IAM snapshots into a store
    ///
    /// Takes what `aws iam get-account-authorization-details` and `aws iam get-credential-report` print, of any number of
    /// accounts and times, the policies of an organization with their targets, and folders that iam-collect wrote. What a
    /// file is, its content tells. A file that the store has already is skipped, and the counts at the end balance.
    Import(IamImportArgs),
}

/// Arguments of `iam import`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct IamImportArgs {
    /// Files, folders or `s3://bucket/prefix` with IAM snapshots, searched through to the bottom
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// When the snapshots were taken: `2026-09-01`, an RFC 3339 time, or back from now like `T-2d` [default: what the file says, or when it was last changed]
    #[arg(long, value_name = "TIME")]
    pub taken_at: Option<String>,
    /// How the buckets are reached.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
}

const EXAMPLES: &str = "\
Examples:
  aws iam get-account-authorization-details > iam/111122223333.json
  trimtrail iam import ./iam
  trimtrail iam import s3://security-audit/iam --role-arn arn:aws:iam::111122223333:role/audit
  trimtrail iam import ./iam/2026-09-01 --taken-at 2026-09-01 --store /srv/trail
  trimtrail sql \"select principal_arn, gaps from iam_principals where cardinality(gaps) > 0 order by 1\"";
