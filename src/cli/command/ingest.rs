//! `ingest`: logs into a store.

use std::num::NonZeroUsize;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::balance::objects;
use super::balance::render;
use super::balance::warn_of_gaps;
use crate::cli::args::IngestArgs;
use crate::cli::args::When;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::progress::Bar;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::format_count;
use crate::cli::size::format_size;
use crate::cli::time::parse_time_option;
use crate::decode::Limits;
use crate::ingest::Balance;
use crate::ingest::Ingest;
use crate::ingest::Options;
use crate::schema::Table;
use crate::source;
use crate::source::Listing;
use crate::source::ObjectRef;
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
    let location = Location::parse(&args.location.store)?;
    let threads = args.threads.and_then(|threads| NonZeroUsize::new(usize::from(threads)));
    let limits = Limits {
        max_inflated_bytes: args.max_inflated_bytes,
        max_record_bytes: usize::try_from(args.max_record_bytes).unwrap_or(usize::MAX),
    };
    let options = Options {
        limits,
        threads: threads.unwrap_or(settings.threads).get(),
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        selection: selection(args, settings)?,
        ..default_options(settings)
    };
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal(&runtime);
    let listing = source::list(&args.sources)?;
    warn_of_misses(&listing, &options.selection, output);
    if args.dry_run {
        return match stop.status() {
            Some(status) => Ok(status),
            None => dry_run(&location, listing, &options, &runtime, output),
        };
    }
    let bar = Bar::new(args.progress, settings);
    let balance = load(&location, listing, &options, &bar, (&stop, &runtime))?;
    output.print(&render(&balance))?;
    warn_of_gaps(&balance, output);
    output.note(&format!("store: {}", location.display()));
    Ok(match stop.status() {
        Some(status) => status,
        None if balance.is_complete() => ExitStatus::Done,
        None => ExitStatus::Incomplete,
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
        memory_bytes: usize::try_from(DEFAULT_MEMORY_BYTES).unwrap_or(usize::MAX),
        run_id: Uuid::new_v4().to_string(),
        now: settings.now.as_microsecond(),
        selection: Selection::default(),
    }
}

/// A bar for commands without an option for it.
pub(super) fn default_bar(settings: &Settings) -> Bar {
    Bar::new(When::Auto, settings)
}

fn selection(args: &IngestArgs, settings: &Settings) -> Result<Selection, CliError> {
    let time = |option: &str, text: &Option<String>| {
        text.as_deref()
            .map(|text| parse_time_option(option, text, settings.now))
            .transpose()
    };
    let day = |time: jiff::Timestamp| -> Date { time.to_zoned(TimeZone::UTC).date() };
    // The end is exclusive, so midnight belongs to the day before it.
    let last_moment = |time: jiff::Timestamp| time.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(time);
    let (from, to) = (time("--from", &args.from)?, time("--to", &args.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(CliError::Usage {
            message: format!("`--from` {from} does not lie before `--to` {to}"),
            hint: Some("exchange them; `--to` is exclusive".to_owned()),
        });
    }
    Ok(Selection {
        first_day: from.map(day),
        last_day: to.map(last_moment).map(day),
        accounts: args.account.clone(),
        regions: args.region.clone(),
    })
}

/// Names the accounts and regions that choose nothing: more likely a slip than a wish.
fn warn_of_misses(listing: &Listing, selection: &Selection, output: &mut Output) {
    let keys = || listing.objects.iter().filter_map(|object| object.key.as_ref());
    for account in &selection.accounts {
        if !keys().any(|key| *key.account_id == **account) {
            output.warning(&format!("`--account {account}` matches no object"));
        }
    }
    for region in &selection.regions {
        if !keys().any(|key| *key.region == **region) {
            output.warning(&format!("`--region {region}` matches no object"));
        }
    }
}

/// Says what a run would read, and touches neither objects nor store.
fn dry_run(
    location: &Location,
    listing: Listing,
    options: &Options,
    runtime: &Runtime,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let (selected, balance) = Ingest::select(listing, &options.selection);
    let known = runtime.run(known(location, &selected))?;
    let new: Vec<&ObjectRef> = selected
        .iter()
        .zip(&known)
        .filter(|(_, known)| !**known)
        .map(|(new, _)| new)
        .collect();
    let bytes = new.iter().map(|object| object.size).sum();
    let new = balance.listed - known.iter().filter(|known| **known).map(|_| 1).sum::<u64>();
    output.print(&format!(
        "{} would be read, {}; {} more are known and {} lie outside of the selection\n",
        objects(new),
        format_size(bytes),
        format_count(balance.listed - new),
        format_count(balance.outside_selection),
    ))?;
    warn_of_gaps(&balance, output);
    Ok(if balance.is_complete() {
        ExitStatus::Done
    } else {
        ExitStatus::Incomplete
    })
}

/// For each object, whether the store has dealt with it; without a store none is known.
async fn known(location: &Location, objects: &[ObjectRef]) -> Result<Vec<bool>, CliError> {
    let store = match Store::open(location).await {
        Ok(store) => store,
        Err(StoreError::NotAStore { .. }) => return Ok(vec![false; objects.len()]),
        Err(error) => return Err(error.into()),
    };
    let known = store.known_objects(&store.snapshot(Table::Objects).await?)?;
    Ok(objects
        .iter()
        .map(|object| known.contains(&object.uri, &object.etag, object.size))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::Path;

    use clap::FromArgMatches;

    use crate::cli::args;
    use crate::cli::args::Cli;
    use crate::cli::args::Command;
    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;

    const RECORD: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"},"eventTime":"2026-09-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7","userAgent":"x","requestParameters":null,"responseElements":null,"eventID":"7c9a1c4e-0000-4000-8000-000000000001","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#;

    fn args(line: &str) -> IngestArgs {
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
        let (_, _, messages) = run(&format!(
            "{} --store {} {filters}",
            folder.path().display(),
            store.display()
        ));
        assert_eq!(
            messages,
            "warning: `--account 111122223334` matches no object\nwarning: `--region eu-wset-1` matches no object\n"
        );
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
    fn window_covers_whole_days_and_its_end_is_exclusive() {
        let selection = |line: &str| selection(&args(line), &headless()).unwrap();
        let days = selection("logs --from 2026-09-01T13:00:00Z --to 2026-09-03");
        assert_eq!(days.first_day, Some(jiff::civil::date(2026, 9, 1)));
        assert_eq!(days.last_day, Some(jiff::civil::date(2026, 9, 2)));
        assert_eq!(
            selection("logs --from 14d").first_day,
            Some(jiff::civil::date(2026, 9, 1))
        );
        let narrowed = selection("logs --account 111122223333 --region eu-west-1 --region eu-central-1");
        assert_eq!((narrowed.accounts.len(), narrowed.regions.len()), (1, 2));
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
