//! What the user may type, as typed: shapes are checked here, nothing is opened or probed.

mod basis;
mod check;
mod choice;
mod commit;
mod coverage;
mod diff;
mod doctor;
mod evidence;
mod facts;
mod global;
mod guardrail;
mod iam;
mod ingest;
mod output;
mod policy;
mod query;
mod replay;
mod review;
mod s3;
mod sample;
mod shard;
mod store;
mod store_location;
mod trust;
mod verify;

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use clap::CommandFactory;
use clap::Parser;
use clap::Subcommand;

use super::exit::ExitStatus;

pub use basis::BasisArgs;
pub use basis::LogArgs;
pub use check::CheckArgs;
pub use check::CheckDocument;
pub use check::SeverityName;
pub use commit::CommitArgs;
pub use coverage::CoverageArgs;
pub use coverage::CoverageDocument;
pub use coverage::CoverageStep;
pub use diff::DiffArgs;
pub use diff::DiffDocument;
pub use diff::FailOn;
pub use diff::GroupBy;
pub use diff::VerdictName;
pub use doctor::DoctorArgs;
pub use evidence::EvidenceArgs;
pub use evidence::EvidenceCommand;
pub use evidence::EvidenceExportArgs;
pub use evidence::EvidenceVerifyArgs;
pub use facts::FactsArgs;
pub use facts::FactsCommand;
pub use facts::FactsFolderArgs;
pub use facts::FactsImportArgs;
pub use facts::FactsInfoArgs;
pub use global::GlobalArgs;
pub use global::LogChoice;
pub use global::LogFormat;
pub use global::LogLevel;
pub use global::When;
pub use guardrail::BoundaryArgs;
pub use guardrail::ControlArgs;
pub use guardrail::GuardrailArgs;
pub use guardrail::GuardrailCommand;
pub use guardrail::RegionScpArgs;
pub use guardrail::ServiceDenyArgs;
pub use iam::IamArgs;
pub use iam::IamCommand;
pub use iam::IamImportArgs;
pub use ingest::IngestArgs;
pub use output::DocumentFormat;
pub use output::OutputArgs;
pub use output::ResultArgs;
pub use output::ResultFormat;
pub use output::RowsOr;
pub use policy::ConditionName;
pub use policy::PolicyArgs;
pub use policy::PolicyMode;
pub use query::EngineArgs;
pub use query::QueryArgs;
pub use query::RoomArgs;
pub use query::SqlArgs;
pub use replay::ReplayArgs;
pub use review::ReviewArgs;
pub use review::ReviewCommand;
pub use review::ReviewFormat;
pub use review::ReviewImportArgs;
pub use review::ReviewReportArgs;
pub use s3::ConnectionArgs;
pub use s3::S3Args;
pub use sample::SampleArgs;
pub use shard::ShardArg;
pub use store::RebuiltTable;
pub use store::StoreArgs;
pub use store::StoreCommand;
pub use store::StoreCompactArgs;
pub use store::StoreExpireArgs;
pub use store::StoreHistoryArgs;
pub use store::StoreInfoArgs;
pub use store::StoreRebuildArgs;
pub use store::StoreVacuumArgs;
pub use store_location::StoreBucketArgs;
pub use store_location::StoreLocationArgs;
pub(super) use store_location::ignored_bucket_option;
pub use trust::TrustArgs;
pub use verify::VerifyArgs;
pub use verify::VerifyFormat;

/// What does each AWS role really use, and what can be taken away?
///
/// trimtrail reads CloudTrail log files, turns them into a columnar store on your disk, and answers questions on it:
/// used actions per role, calls from unexpected regions, secret reads, and any SQL you can think of. It works offline
/// and sends nothing anywhere.
#[derive(Debug, Parser)]
#[command(
    name = "trimtrail",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, in the order of the help.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show on built-in sample logs what trimtrail can do
    ///
    /// Loads the made-up logs of an organization with five accounts into a store, shows that the counts balance, and
    /// answers the main questions. Needs no AWS account and no files.
    Demo(DemoArgs),
    /// Read CloudTrail log files into a store
    ///
    /// Objects that the store already holds are skipped, and events that it already holds are counted as duplicates: run
    /// it as often as you like, over any overlap of inputs. The counts at the end balance.
    Ingest(IngestArgs),
    /// Commit what `ingest --no-commit` prepared
    ///
    /// For many workers and one store: each worker reads its share and writes its rows, and one process makes them part of
    /// the store. What the store has meanwhile is left out, so that batches may overlap, and may be given again.
    Commit(CommitArgs),
    /// Read what was granted: IAM snapshots
    Iam(IamArgs),
    /// Compare what users and roles may do with what they did
    ///
    /// For each principal, policy, statement and action: used, unused, denied attempt, used but not granted, or unknown and
    /// why. "Unused" is only said where the logs would show a use: the window is long enough, the logs cover it, and the
    /// trail records such calls. Needs logs (`ingest`) and IAM snapshots (`iam import`).
    Diff(DiffArgs),
    /// Make policies without what is not used, for review
    ///
    /// `trim` edits the present policies and takes out only what is certainly unused; `generate` starts from what was used
    /// and stays within the present grants. Every statement has its reasons beside it. Nothing is changed in AWS. Needs
    /// logs (`ingest`) and IAM snapshots (`iam import`).
    Policy(PolicyArgs),
    /// Try policies on past calls: which would have failed
    ///
    /// Policies of users and roles, a permissions boundary, a control policy, or all that `policy` proposes: every
    /// call that succeeded in the window is decided again. Exit code 3: something would have been denied; 4: something could
    /// not be evaluated. Nothing is changed in AWS. Needs logs (`ingest`) and, better, IAM snapshots (`iam import`).
    Replay(ReplayArgs),
    /// Make guardrails out of what is in use: control policies and boundaries
    ///
    /// Each is tried on all past calls before it is printed, and is not printed if it would have denied one: exit code 3.
    /// Nothing is changed in AWS. Needs logs (`ingest`) and, better, IAM snapshots (`iam import`).
    Guardrail(GuardrailArgs),
    /// Compare who may take roles with who did
    ///
    /// For each principal that a trust policy names: who came by it, or that nobody did. "Unused" is only said where the logs
    /// would show a use. Says where third parties come without external id, where whole accounts or all subjects of a
    /// provider are trusted, and over which roles others are reached; and makes trust policies without what nobody used,
    /// tried on all past calls. Needs logs (`ingest`) and IAM snapshots (`iam import`).
    Trust(TrustArgs),
    /// Write an access review to be decided on, or read the decisions back
    ///
    /// For each user and role: its owner, what it may do, what it did, who came, what is proposed and why, and room for a
    /// decision. As a page to print and sign, as CSV to fill in, or as a workbook. `review import` reads decisions back, which
    /// later reviews, `diff` and `policy` know. What is unknown is never proposed to go. Needs logs (`ingest`) and IAM
    /// snapshots (`iam import`).
    Review(Box<ReviewArgs>),
    /// Answer a question of the library
    ///
    /// A question is one SQL statement with named parameters. Read it with `--show`, and put your own beside the built-in
    /// ones with `--queries`.
    Query(QueryArgs),
    /// Ask all questions whose answers are findings, as a gate and for dashboards
    ///
    /// Every question of the library with a severity is a check: root use, weakened logging, unexpected regions, unused access
    /// and more. Rows that are alike in what tells them apart are one finding. Known ones can be accepted with a reason and a
    /// last day. Exit code 3: `--fail-on` found something; 4: something could not be checked.
    Check(CheckArgs),
    /// Run SQL, or open an interactive session
    ///
    /// Reads only: no statement can change a store or a file. Without a statement it opens an interactive session on a
    /// terminal, and otherwise reads the statement from standard input.
    Sql(SqlArgs),
    /// Check logs against the digests that CloudTrail signed
    ///
    /// Says of every digest and log whether it is what CloudTrail delivered, in the words of `aws cloudtrail validate-logs`,
    /// for all accounts, regions and trails at once and offline; and which hours no digest proves. Works on a copy of the
    /// bucket, on the bucket, or on what the store noted when it read them.
    Verify(VerifyArgs),
    /// Show how far the logs reach: account by region by day
    ///
    /// Which digests are to be expected and there, which logs they name and the store has, what could not be read, and why
    /// something is missing: a trail that was stopped or deleted, an account that joined, or nobody knows. Exit code 4: something
    /// is known to be missing.
    Coverage(CoverageArgs),
    /// Make a bundle of evidence for an auditor, or check one
    Evidence(EvidenceArgs),
    /// Check that a run would work: credentials, bucket, store, machine
    ///
    /// Asks few requests and changes nothing. Every check says what was found and, if something is wrong, what to do. Exit code 0:
    /// nothing to remark; 4: warnings; 1: something that would make a run fail.
    Doctor(DoctorArgs),
    /// Show what a store holds and how it came to be, or tidy it up
    Store(StoreArgs),
    /// Show what is known about AWS, or bring it up to date
    ///
    /// Which IAM actions there are, which calls need them, and which leave no event: facts of the day that `facts info`
    /// prints, built into the program.
    Facts(FactsArgs),
    /// Write made-up logs of an organization, to try things on
    ///
    /// Five accounts, four regions, and planted facts to find; README.md and expected.json beside the logs list them.
    /// Nothing in the logs is real. The same options give the same bytes.
    Sample(SampleArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them to a folder
    Man(ManArgs),
}

/// Headings of the command list.
const GROUPS: &[(&str, &[&str])] = &[
    ("Start here", &["demo"]),
    ("Load logs and grants", &["ingest", "commit", "iam"]),
    (
        "Ask questions",
        &[
            "diff",
            "policy",
            "replay",
            "guardrail",
            "trust",
            "review",
            "query",
            "check",
            "sql",
        ],
    ),
    ("Prove it", &["verify", "coverage", "evidence"]),
    ("Look after a store", &["doctor", "store"]),
    ("Set up", &["facts", "sample", "completions", "man"]),
];

const EXAMPLES: &str = "\
Examples:
  trimtrail demo
  trimtrail ingest ./AWSLogs
  trimtrail query secret-reads --param since=T-30d
  trimtrail sql \"select event_name, count(*) as calls from events group by 1 order by 2 desc, 1\"

`trimtrail <COMMAND> --help` shows the options of a command and examples for it.";

/// Arguments of `demo`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  trimtrail demo\n  trimtrail demo --store ./demo-store")]
pub struct DemoArgs {
    /// Keep the store, and the logs in it, in this folder [default: a temporary folder, removed at the end]
    #[arg(long, value_name = "PATH")]
    pub store: Option<String>,
}

/// Arguments of `completions`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail completions bash > ~/.local/share/bash-completion/completions/trimtrail\n  \
                        trimtrail completions zsh > ~/.zfunc/_trimtrail\n  \
                        trimtrail completions fish > ~/.config/fish/completions/trimtrail.fish"
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  trimtrail man | man -l -\n  trimtrail man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Write one page per command into this folder
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// The whole command line, with the commands listed in groups.
pub fn command() -> clap::Command {
    let command = Cli::command()
        .after_help(EXAMPLES)
        .after_long_help(format!("{EXAMPLES}\n\n{}", exit_codes()));
    let mut template = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in GROUPS {
        template.push_str(&format!("\n{heading}:\n"));
        for name in *names {
            let about = command
                .find_subcommand(name)
                .and_then(clap::Command::get_about)
                .cloned()
                .unwrap_or_default();
            template.push_str(&format!("  {name:<12} {about}\n"));
        }
    }
    template.push_str("\nOptions:\n{options}{after-help}");
    command.help_template(template)
}

/// The exit codes, as the long help and the manual page list them.
fn exit_codes() -> String {
    let mut text = "Exit codes:".to_owned();
    for (status, meaning) in ExitStatus::ALL {
        let written = write!(text, "\n  {:>3}  {meaning}", status.code());
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests;
