//! `store` as typed.

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::OutputArgs;
use super::StoreLocationArgs;
use crate::schema::Table;

/// Arguments of `store`.
#[derive(Debug, Clone, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  trimtrail store info\n  trimtrail store history --store /srv/trail --limit 5\n  trimtrail store vacuum --dry-run\n  trimtrail store rebuild usage"
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
