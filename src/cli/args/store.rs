//! `store` as typed.

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::OutputArgs;
use super::StoreLocationArgs;
use crate::cli::size::parse_size;
use crate::schema::Table;

/// Arguments of `store`.
#[derive(Debug, Clone, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  trimtrail store info\n  trimtrail store history --store /srv/trail --limit 5\n  trimtrail store compact\n  trimtrail store expire --events-older-than 400d\n  trimtrail store vacuum --dry-run\n  trimtrail store rebuild usage"
)]
pub struct StoreArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What `store` does.
#[derive(Debug, Clone, Subcommand)]
pub enum StoreCommand {
    /// Show tables, rows, sizes and the time span
    Info(StoreInfoArgs),
    /// List the versions: when each was made, by what, and what it added
    History(StoreHistoryArgs),
    /// Rewrite small data files into few
    ///
    /// Same rows, merged and sorted anew; in `usage`, rows that are alike are summed. Only questions are answered faster. Each
    /// new file is a commit of its own, and runs and queries need not stop. The old files stay for earlier versions, until `store vacuum` may remove them.
    /// `ingest` does it by itself where more than three small files of a day have gathered.
    Compact(StoreCompactArgs),
    /// Take the events of old days out of the store, and list these days
    ///
    /// The rollup `usage` keeps their sums, and the ledger their objects, so that they do not come back. Nothing is called
    /// unused by a window that begins earlier. Earlier versions show the events, and the files stay on disk, for 400 days;
    /// then `store vacuum` removes them.
    Expire(StoreExpireArgs),
    /// Remove files that killed runs left, and list them
    ///
    /// Only files that belong to no version of the store and that no prepared batch in it waits for, and only old ones: a run
    /// may be about to commit the others. No version is lost, and runs and queries need not stop.
    Vacuum(StoreVacuumArgs),
    /// Make a derived table anew from the events
    Rebuild(StoreRebuildArgs),
}

/// Arguments of `store info`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  trimtrail store info\n  trimtrail store info --store /srv/trail --output json")]
pub struct StoreInfoArgs {
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `store history`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail store history\n  trimtrail sql --at-version 12 \"select count(*) from events\""
)]
pub struct StoreHistoryArgs {
    /// The table, such as events or objects; `trimtrail store info` lists them
    #[arg(
        long,
        value_enum,
        value_name = "TABLE",
        default_value = "events",
        hide_possible_values = true
    )]
    pub table: Table,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `store compact`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail store compact --dry-run\n  trimtrail store compact --store s3://security-data/trail --memory 2GiB"
)]
pub struct StoreCompactArgs {
    /// List what would be rewritten, and rewrite nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Memory that rows may take; new files have about a 32nd of it, up to 64 MiB
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = parse_size)]
    pub memory: u64,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `store expire`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail store expire --events-older-than 400d --dry-run\n  trimtrail store expire --store /srv/trail --events-older-than 2025-01-01"
)]
pub struct StoreExpireArgs {
    /// Take out whole days before this time: back from now like `400d`, or a day
    #[arg(long, value_name = "TIME")]
    pub events_older_than: String,
    /// List what would be taken out, and take out nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `store vacuum`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trimtrail store vacuum --dry-run\n  trimtrail store vacuum --store s3://security-data/trail --older-than 30d"
)]
pub struct StoreVacuumArgs {
    /// Leave files that are younger than this, such as `36h`, at least a day; longer than prepared batches wait outside of the store
    #[arg(long, value_name = "AGE", default_value = "7d")]
    pub older_than: String,
    /// List what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `store rebuild`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Needed after an upgrade of trimtrail, whose facts may tell other actions; all else mends itself.\n\n\
                  Examples:\n  trimtrail store rebuild usage"
)]
pub struct StoreRebuildArgs {
    /// The table
    #[arg(value_enum)]
    pub table: RebuiltTable,
    /// The store.
    #[command(flatten)]
    pub location: StoreLocationArgs,
}

/// A table that can be made anew from the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RebuiltTable {
    /// The rollup of the events
    Usage,
}

impl ValueEnum for Table {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
