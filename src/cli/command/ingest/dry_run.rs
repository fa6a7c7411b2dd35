//! `ingest --dry-run`: what a run would do.

use crate::cli::command::balance::objects;
use crate::cli::command::balance::warn_of_gaps;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::size::format_count;
use crate::cli::size::format_size;
use crate::ingest::Balance;
use crate::ingest::Ingest;
use crate::ingest::Options;
use crate::ingest::delivery_days;
use crate::schema::Table;
use crate::source::Lister;
use crate::store::KnownObjects;
use crate::store::Location;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TableSnapshot;

/// What a run would do.
#[derive(Debug, Default)]
pub(super) struct DryRun {
    new: u64,
    bytes: u64,
    known: u64,
    outside_selection: u64,
    gaps: Balance,
}

/// Counts what a run would read, and touches neither objects nor store.
pub(super) async fn dry_run(location: &Location, lister: &mut Lister, options: &Options) -> Result<DryRun, CliError> {
    let ledger = ledger(location).await?;
    let mut count = DryRun::default();
    while let Some(part) = lister.next().await? {
        let (selected, balance) = Ingest::select(part, &options.selection);
        let known = match &ledger {
            Some((store, objects)) => store.known_objects(objects, delivery_days(&selected), &options.run_limits())?,
            None => KnownObjects::default(),
        };
        let selected = selected.iter().filter(|object| options.shard.includes(&object.uri));
        count.outside_selection += balance.outside_selection;
        count.gaps.unlisted.extend(balance.unlisted);
        count.gaps.passed_over.extend(balance.passed_over);
        for object in selected {
            if known.contains(&object.uri, &object.etag, object.size) {
                count.known += 1;
            } else {
                count.new += 1;
                count.bytes += object.size;
            }
        }
    }
    Ok(count)
}

impl DryRun {
    /// As the account of a run that left everything over.
    pub(super) fn balance(&self) -> Balance {
        Balance {
            listed: self.new + self.known,
            known: self.known,
            outside_selection: self.outside_selection,
            left_over: self.new,
            unlisted: self.gaps.unlisted.clone(),
            passed_over: self.gaps.passed_over.clone(),
            ..Balance::default()
        }
    }
}

/// Says what a run would read.
pub(super) fn tell_dry_run(count: &DryRun, output: &mut Output) -> Result<ExitStatus, CliError> {
    output.print(&format!(
        "{} would be read, {}; {} more are known and {} lie outside of the selection\n",
        objects(count.new),
        format_size(count.bytes),
        format_count(count.known),
        format_count(count.outside_selection),
    ))?;
    warn_of_gaps(&count.gaps, output);
    Ok(if count.gaps.is_complete() {
        ExitStatus::Done
    } else {
        ExitStatus::Incomplete
    })
}

/// The ledger of what the store has dealt with; `None` without a store.
async fn ledger(location: &Location) -> Result<Option<(Store, TableSnapshot)>, CliError> {
    match Store::open(location).await {
        Ok(store) => {
            let objects = store.snapshot(Table::Objects).await?;
            Ok(Some((store, objects)))
        }
        Err(StoreError::NotAStore { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
