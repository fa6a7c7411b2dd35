//! `ingest`: logs into a store.

mod choice;
mod dry_run;
mod request;

use std::num::NonZeroUsize;
use std::path::Path;

use uuid::Uuid;

use choice::check_choice;
use dry_run::dry_run;
use dry_run::tell_dry_run;
use request::open_lister;
use request::selection;

pub(super) use request::days;
pub(super) use request::read_keys;

use super::balance::render;
use super::balance::render_requests;
use super::balance::render_store_requests;
use super::balance::warn_of_gaps;
use super::run_report::RunAccount;
use crate::cli::args::IngestArgs;
use crate::cli::args::When;
use crate::cli::deposit::FileDeposit;
use crate::cli::deposit::StoreDeposit;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::progress::Bar;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::target::Target;
use crate::cli::target::keep_out_of_stores;
use crate::cli::target::no_path;
use crate::decode::Limits;
use crate::ingest::Balance;
use crate::ingest::Deposit;
use crate::ingest::Ingest;
use crate::ingest::Options;
use crate::ingest::Shard;
use crate::source::Listing;
use crate::source::Selection;
use crate::store::Location;
use crate::store::Store;
use crate::store::StoreError;

/// Memory that a run takes unless the user says otherwise.
pub(super) const DEFAULT_MEMORY_BYTES: u64 = 512 << 20;

/// Reads the logs, or says what there is to read.
///
/// # Errors
/// When a source or the store cannot be used. An object that cannot be read is no error: the counts name it, and the
/// status is [`ExitStatus::Incomplete`].
pub fn ingest(args: &IngestArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    if let Some(message) = args.adds_out.as_deref().and_then(no_path) {
        let hint =
            "leave `--adds-out` out, so that the batches wait in the store, or name a file or folder on this machine";
        return Err(CliError::Usage {
            message,
            hint: Some(hint.to_owned()),
        });
    }
    let Some(path) = &args.report else {
        return run(args, &mut RunAccount::new(args, settings), settings, output);
    };
    if path == Path::new("-") {
        return Err(CliError::Usage {
            message: "`--report` needs a file: the summary goes to standard output".to_owned(),
            hint: Some("name one, such as `--report run.json`".to_owned()),
        });
    }
    keep_out_of(path, &args.location.location()?)?;
    // Opened first, so that a place that cannot be written is found before the work is done.
    let target = Target::open(Some(path))?;
    let mut account = RunAccount::new(args, settings);
    let ended = run(args, &mut account, settings, output);
    let written = account.write(&ended, (target, path), output);
    match (ended, written) {
        (Ok(_), Err(error)) => Err(error),
        (ended, _) => ended,
    }
}

fn run(
    args: &IngestArgs,
    account: &mut RunAccount<'_>,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let location = args.location.location()?;
    let options = options(args, account.run_id.clone(), settings)?;
    account.plan(&location, &options);
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal()?;
    let opened = runtime.run(async { Ok(stop.or_stop(Box::pin(open_lister(args, &options, &location))).await) })?;
    let Some(mut lister) = opened.transpose()? else {
        return Ok(stop.status().unwrap_or(ExitStatus::Terminated));
    };
    if let Some(listing) = lister.listed() {
        check_choice(listing, &options.selection, output)?;
    }
    if args.dry_run {
        let counted =
            runtime.run(async { Ok(stop.or_stop(Box::pin(dry_run(&location, &mut lister, &options))).await) })?;
        return match (counted.transpose()?, stop.status()) {
            (Some(count), None) => {
                account.requests = lister.requests();
                account.balance = count.balance();
                tell_dry_run(&count, output)
            }
            (_, status) => Ok(status.unwrap_or(ExitStatus::Terminated)),
        };
    }
    let bar = Bar::new(args.progress, settings);
    let opened = runtime.run(async { Ok(stop.or_stop(Box::pin(open_store(args, &location, options.now))).await) })?;
    let Some(store) = opened.transpose()? else {
        return Ok(stop.status().unwrap_or(ExitStatus::Terminated));
    };
    store.end_requests_after(stop.shared());
    account.version_before = Some(runtime.run(async { Ok(store.version().await?) })?);
    let deposit = deposit(args, &store, &runtime)?;
    let ended = Ingest {
        store: &store,
        runtime: runtime.handle(),
        options: &options,
        stop: stop.raised(),
        deposit: deposit.as_deref(),
    }
    .run_all(&mut lister, &mut account.balance, &bar);
    bar.clear();
    account.requests = lister.requests();
    account.version_after = runtime.run(async { Ok(store.version().await?) }).ok();
    account.store_requests = store.requests();
    match ended {
        Err(_) if store.has_given_up() => account.balance.give_up(),
        ended => ended?,
    }
    tell(account, &options.selection, deposit.is_some(), output)?;
    if args.s3.keys_from.is_some() && is_of_nothing(&account.balance) {
        output.note("`--keys-from` names no object; check what made the list, if it should name some");
    }
    output.note(&format!("store: {}", location.display()));
    Ok(ended_as(&account.balance, &stop, output))
}

/// How a run ends, which says so if it was asked to.
fn ended_as(balance: &Balance, stop: &StopFlag, output: &mut Output) -> ExitStatus {
    match stop.status() {
        Some(status) => {
            output.note("stopped by a signal: what is not listed or not read yet is left for the next run");
            status
        }
        None if balance.is_complete() => ExitStatus::Done,
        None => ExitStatus::Incomplete,
    }
}

/// Prints the account of a run, and what to look at.
fn tell(
    account: &RunAccount<'_>,
    selection: &Selection,
    is_deposited: bool,
    output: &mut Output,
) -> Result<(), CliError> {
    let balance = &account.balance;
    output.print(&render(balance))?;
    output.print(&render_requests(account.requests))?;
    output.print(&render_store_requests(account.store_requests))?;
    warn_of_gaps(balance, output);
    if let Some(day) = selection.last_delivery_day() {
        output.note(&format!(
            "read is what was delivered up to {day}; CloudTrail may deliver 30 days late, and only a later `--to` reads that"
        ));
    }
    if is_deposited {
        output.note("nothing is committed yet; `trimtrail commit` does it");
    }
    Ok(())
}

/// Whether there was nothing to look at.
fn is_of_nothing(balance: &Balance) -> bool {
    balance.listed + balance.outside_selection + balance.other_shards == 0 && balance.unlisted.is_empty()
}

/// How the run is done.
fn options(args: &IngestArgs, run_id: String, settings: &Settings) -> Result<Options, CliError> {
    let threads = args.threads.and_then(|threads| NonZeroUsize::new(usize::from(threads)));
    let limits = Limits {
        max_inflated_bytes: args.max_inflated_bytes,
        max_record_bytes: usize::try_from(args.max_record_bytes).unwrap_or(usize::MAX),
    };
    Ok(Options {
        limits,
        threads: threads.unwrap_or(settings.threads).get(),
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        selection: selection(args, settings)?,
        run_id,
        shard: shard(args, settings)?,
        // Of many workers each would do the same.
        compacts: !args.no_compact && args.shard.is_none(),
        ..default_options(settings)
    })
}

/// Ingests a listing, with a bar that is gone at the end.
pub(super) fn load(
    location: &Location,
    listing: Listing,
    options: &Options,
    bar: &Bar,
    (stop, runtime): (&StopFlag, &Runtime),
) -> Result<Balance, CliError> {
    let store = runtime.run(async { Ok(Store::create_or_open(location, options.now).await?) })?;
    let ingest = Ingest {
        store: &store,
        runtime: runtime.handle(),
        options,
        stop: stop.raised(),
        deposit: None,
    };
    let balance = ingest.run(listing, bar);
    bar.clear();
    Ok(balance?)
}

/// A run of everything, with the usual limits.
pub(super) fn default_options(settings: &Settings) -> Options {
    Options {
        limits: Limits::default(),
        threads: settings.threads.get(),
        memory_bytes: default_memory(),
        run_id: Uuid::new_v4().to_string(),
        now: settings.now.as_microsecond(),
        selection: Selection::default(),
        shard: Shard::default(),
        compacts: false,
    }
}

/// [`DEFAULT_MEMORY_BYTES`], for commands without an option for it.
pub(super) fn default_memory() -> usize {
    usize::try_from(DEFAULT_MEMORY_BYTES).unwrap_or(usize::MAX)
}

/// A bar for commands without an option for it.
pub(super) fn default_bar(settings: &Settings) -> Bar {
    Bar::new(When::Auto, settings)
}

/// The store; one that is there is left as it is when nothing is to be committed.
async fn open_store(args: &IngestArgs, location: &Location, now: i64) -> Result<Store, CliError> {
    if args.no_commit {
        match Store::open(location).await {
            Err(StoreError::NotAStore { .. }) => {}
            opened => return Ok(opened?),
        }
    }
    Ok(Store::create_or_open(location, now).await?)
}

/// Where batches go that are not to be committed.
fn deposit<'a>(
    args: &IngestArgs,
    store: &'a Store,
    runtime: &'a Runtime,
) -> Result<Option<Box<dyn Deposit + 'a>>, CliError> {
    Ok(match &args.adds_out {
        None if !args.no_commit => None,
        None => Some(Box::new(StoreDeposit {
            store,
            runtime: runtime.handle(),
        })),
        Some(path) => {
            keep_out_of(path, store.location())?;
            let deposit = FileDeposit::new(path).map_err(|cause| CliError::Write {
                path: path.clone(),
                cause,
            })?;
            Some(Box::new(deposit))
        }
    })
}

/// Refuses a place inside of the store, even of one that is yet to be made.
fn keep_out_of(path: &Path, store: &Location) -> Result<(), CliError> {
    keep_out_of_stores(path)?;
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match store.folder() {
        Some(folder) if absolute(path).starts_with(absolute(folder)) => Err(CliError::Usage {
            message: format!(
                "`{}` lies in the folder of the store `{}`",
                path.display(),
                folder.display()
            ),
            hint: Some("name a place outside of the store".to_owned()),
        }),
        _ => Ok(()),
    }
}

fn shard(args: &IngestArgs, settings: &Settings) -> Result<Shard, CliError> {
    let resolved = args.shard.map(|shard| shard.resolve(settings.array_index.as_deref()));
    let refused = |reason| CliError::usage(format!("`--shard`: {reason}"));
    Ok(resolved.transpose().map_err(refused)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::FromArgMatches;

    use crate::cli::args;
    use crate::cli::args::Cli;
    use crate::cli::args::Command;
    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;

    const RECORD: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"},"eventTime":"2026-09-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7","userAgent":"x","requestParameters":null,"responseElements":null,"eventID":"7c9a1c4e-0000-4000-8000-000000000001","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#;

    pub(super) fn args(line: &str) -> IngestArgs {
        let words = ["trimtrail", "ingest"].into_iter().chain(line.split_whitespace());
        let cli = Cli::from_arg_matches(&args::command().try_get_matches_from(words).unwrap()).unwrap();
        let Command::Ingest(args) = cli.command else { panic!() };
        args
    }

    /// Status, stdout and stderr.
    fn run(line: &str) -> (ExitStatus, String, String) {
        let (mut output, data, messages) = captured(Verbosity::Quiet);
        let status = ingest(&args(line), &headless(), &mut output).unwrap();
        (status, data.text(), messages.text())
    }

    fn write_log(folder: &Path, name: &str, text: &str) {
        std::fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn second_run_over_the_same_logs_stores_nothing_again() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        write_log(&logs, "a.json", &format!(r#"{{"Records":[{RECORD}]}}"#));
        let line = format!("{} --store {}", logs.display(), folder.path().join("store").display());
        let (status, first, messages) = run(&line);
        assert_eq!((status, messages.as_str()), (ExitStatus::Done, ""));
        assert!(
            first.contains("1 listed = 1 ingested + 0 known + 0 rejected"),
            "{first}"
        );
        assert!(
            first.contains("1 read = 1 stored + 0 duplicates + 0 rejected"),
            "{first}"
        );
        let (status, second, _) = run(&line);
        assert_eq!(status, ExitStatus::Done);
        assert!(
            second.contains("1 listed = 0 ingested + 1 known + 0 rejected"),
            "{second}"
        );
        let (_, dry, _) = run(&format!("{line} --dry-run"));
        assert_eq!(
            dry,
            "0 objects would be read, 0 B; 1 more are known and 0 lie outside of the selection\n"
        );
    }

    #[test]
    fn log_that_breaks_off_is_named_and_the_run_is_incomplete() {
        let folder = tempfile::tempdir().unwrap();
        write_log(
            folder.path(),
            "cut.json",
            &format!(r#"{{"Records":[{RECORD},{{"eventVersion":"#),
        );
        let store = folder.path().join("store");
        let cut = folder.path().join("cut.json");
        let (status, data, messages) = run(&format!("{} --store {}", cut.display(), store.display()));
        assert_eq!(status, ExitStatus::Incomplete, "{data}");
        assert!(
            messages.starts_with("warning: ") && messages.contains("cut.json"),
            "{messages}"
        );
    }

    #[test]
    fn account_and_region_that_choose_nothing_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let name = "111122223333_CloudTrail_eu-west-1_20260901T1000Z_0123456789abcdef.json";
        write_log(folder.path(), name, &format!(r#"{{"Records":[{RECORD}]}}"#));
        let store = folder.path().join("store");
        let filters = "--account 111122223333 --account 111122223334 --region eu-wset-1 --dry-run";
        let line = format!("{} --store {} {filters}", folder.path().display(), store.display());
        for line in [line.as_str(), line.trim_end_matches("--dry-run")] {
            let (status, _, messages) = run(line);
            assert_eq!(status, ExitStatus::Incomplete);
            assert_eq!(
                messages,
                "warning: `--account 111122223334`: matches no object; check it, or leave it out\n\
                 warning: `--region eu-wset-1`: matches no object; check it, or leave it out\n"
            );
        }
    }

    #[test]
    fn objects_whose_names_say_no_region_are_left_out_by_region_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        write_log(folder.path(), "flat.json", &format!(r#"{{"Records":[{RECORD}]}}"#));
        let store = folder.path().join("store");
        let line = format!(
            "{} --store {} --region eu-west-1",
            folder.path().display(),
            store.display()
        );
        let (mut output, ..) = captured(Verbosity::Quiet);
        let refused = ingest(&args(&line), &headless(), &mut output).unwrap_err();
        assert!(
            matches!(refused, CliError::Usage { .. }) && refused.to_string().contains("flat.json"),
            "{refused}"
        );
        assert!(!store.exists());
        let name = "111122223333_CloudTrail_eu-west-1_20260901T1000Z_0123456789abcdef.json";
        write_log(folder.path(), name, &format!(r#"{{"Records":[{RECORD}]}}"#));
        let (status, data, messages) = run(&format!("{line} --dry-run"));
        assert_eq!(status, ExitStatus::Done);
        assert!(
            data.contains("1 object would be read") && data.contains("1 lie outside"),
            "{data}"
        );
        assert!(messages.starts_with("warning: 1 object left out"), "{messages}");
    }

    #[test]
    fn dry_run_makes_no_store() {
        let folder = tempfile::tempdir().unwrap();
        write_log(folder.path(), "a.json", &format!(r#"{{"Records":[{RECORD}]}}"#));
        let store = folder.path().join("store");
        let line = format!(
            "{} --store {} --dry-run",
            folder.path().join("a.json").display(),
            store.display()
        );
        let (status, data, _) = run(&line);
        assert_eq!(status, ExitStatus::Done);
        assert!(data.starts_with("1 object would be read, "), "{data}");
        assert!(!store.exists());
    }

    #[test]
    fn missing_source_and_wrong_time_are_explained_and_make_no_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let (mut output, _, _) = captured(Verbosity::Quiet);
        let mut fail = |line: &str| {
            let line = format!("{line} --store {}", store.display());
            ingest(&args(&line), &headless(), &mut output).unwrap_err()
        };
        let missing = fail("/nonexistent/logs");
        assert_eq!(missing.exit_status(), ExitStatus::Failed);
        assert!(missing.to_string().contains("`/nonexistent/logs`"), "{missing}");
        assert_eq!(fail("logs --from yesterday").exit_status(), ExitStatus::Usage);
        assert!(!store.exists());
    }
}
