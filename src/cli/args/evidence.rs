//! `evidence` as typed.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use super::EngineArgs;
use super::FactsFolderArgs;
use super::RoomArgs;
use super::StoreBucketArgs;
use super::query::parse_param;

/// Arguments of `evidence`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvidenceArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: EvidenceCommand,
}

/// Subcommands of `evidence`.
#[derive(Debug, Clone, Subcommand)]
pub enum EvidenceCommand {
    /// Make a bundle of evidence for a period
    ///
    /// Control by control what the logs show, as one page, a workbook and tables (CSV, JSON, Parquet), for machines as OSCAL
    /// assessment results and OCSF findings, with the text of every question, the coverage and integrity that it rests on, and
    /// the hash of every file. The same version of the store and the same arguments give the same bytes. Secrets are taken out.
    Export(Box<EvidenceExportArgs>),
    /// Check that a bundle is as it was made
    ///
    /// Hashes every file, and names what differs, is missing or was added, and checks the signature if there is one. With `--store` every question is asked again at the
    /// version of the store that the bundle was made from. Exit code 3: something is not as it was.
    Verify(Box<EvidenceVerifyArgs>),
}

/// Arguments of `evidence export`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub struct EvidenceExportArgs {
    /// What the bundle is about: `2026Q3`, `2026-07`, `2026`, or `FROM..TO` with `TO` exclusive
    #[arg(long, value_name = "PERIOD")]
    pub period: String,
    /// Frameworks: soc2, iso27001, nist-800-53, fedramp-moderate, fedramp-high, pci-dss-4, hipaa, cis-aws, and those of
    /// `--controls`
    #[arg(
        long = "framework",
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "soc2,iso27001"
    )]
    pub frameworks: Vec<String>,
    /// Folder to make, or a file that ends in `.tar`
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Public keys that `aws cloudtrail list-public-keys` printed, as `FILE` or `REGION=FILE`, to verify the digests with; may be repeated
    #[arg(long, value_name = "FILE")]
    pub keys: Vec<String>,
    /// TOML file with further frameworks, controls and exhibits
    #[arg(long, value_name = "FILE")]
    pub controls: Option<PathBuf>,
    /// Folder with questions of your own, `<id>.sql` each
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// Value of a parameter, for every question that has it, such as `allowed=eu-west-1,eu-central-1`; may be repeated
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
    pub params: Vec<(String, String)>,
    /// Leave secrets in
    #[arg(long)]
    pub no_redaction: bool,
    /// Who makes the bundle, to stand in it
    #[arg(long, value_name = "TEXT")]
    pub prepared_by: Option<String>,
    /// When it is made, in seconds since 1970, to stand in it
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH", hide_env_values = true)]
    pub prepared_at: Option<i64>,
    /// Sign the bundle with this OpenSSH ed25519 key without a passphrase, as `ssh-keygen -Y sign -n file` would
    #[arg(long, value_name = "FILE")]
    pub sign_key: Option<PathBuf>,
    /// Threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// How the store is read.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Arguments of `evidence verify`.
#[derive(Debug, Clone, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct EvidenceVerifyArgs {
    /// The bundle: its folder or `.tar` file
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Ask every question again of this store, a folder or `s3://bucket/prefix`
    #[arg(long, value_name = "PATH")]
    pub store: Option<String>,
    /// File of people and keys that may sign, in the form of `ssh-keygen -Y verify -f`; the bundle must be signed by one of them
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
    /// Who must have signed, by their name in that file
    #[arg(long, value_name = "NAME", requires = "allowed_signers")]
    pub signer: Option<String>,
    /// How its bucket is reached.
    #[command(flatten)]
    pub bucket: StoreBucketArgs,
    /// The facts that the bundle was made with.
    #[command(flatten)]
    pub facts: FactsFolderArgs,
    /// What asking again may take.
    #[command(flatten)]
    pub room: RoomArgs,
}

const EXAMPLES: &str = "\
Examples:
  trimtrail evidence export --period 2026Q3 --keys keys.json --out evidence-2026Q3
  trimtrail evidence verify evidence-2026Q3 --store ./trimtrail-store";

const EXPORT_EXAMPLES: &str = "\
Examples:
  trimtrail evidence export --period 2026Q3 --framework soc2,iso27001 --keys keys.json --out evidence-2026Q3
  trimtrail evidence export --period 2026-07-01..2026-10-01 --param allowed=eu-west-1,eu-central-1 --out q3.tar
  trimtrail evidence export --period 2026Q3 --sign-key ~/.ssh/id_ed25519 --out evidence-2026Q3
  trimtrail evidence export --period 2026Q3 --controls own.toml --queries ./questions --out evidence";

const VERIFY_EXAMPLES: &str = "\
Examples:
  trimtrail evidence verify evidence-2026Q3
  trimtrail evidence verify q3.tar --store ./trimtrail-store --memory 2GiB
  trimtrail evidence verify q3.tar --allowed-signers signers --signer compliance@example.com";
