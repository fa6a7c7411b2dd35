//! `ingest`: logs into a store.

use std::num::NonZeroUsize;

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
use crate::ingest;
use crate::ingest::IngestOptions;
use crate::ingest::IngestSummary;
use crate::store::Location;

/// Reads the logs, or says what there is to read.
///
/// # Errors
/// When a source or the store cannot be used. An object that cannot be read is no error: the counts name it, and the
/// status is [`ExitStatus::Incomplete`].
pub fn ingest(args: &IngestArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let location = Location::parse(&args.location.store)?;
    let options = options(args, settings)?;
    let runtime = Runtime::start(settings.threads)?;
    if args.dry_run {
        let plan = runtime.run(async { Ok(ingest::plan(&location, &options).await?) })?;
        let new = plan.objects.saturating_sub(plan.known);
        output.print(&format!(
            "{} to read, {}; {} of them are known\n",
            objects(plan.objects),
            format_size(plan.bytes),
            format_count(plan.known)
        ))?;
        output.note(&format!(
            "{} would be ingested into `{}`",
            objects(new),
            location.display()
        ));
        return Ok(ExitStatus::Done);
    }
    let stop = StopFlag::on_signal(&runtime);
    let summary = load(&location, &options, args.progress, &stop, &runtime, settings)?;
    output.print(&balance(&summary))?;
    warn_of_gaps(&summary, output);
    output.note(&format!("store: {}", location.display()));
    Ok(match stop.status() {
        Some(status) if summary.stopped => status,
        _ if is_incomplete(&summary) => ExitStatus::Incomplete,
        _ => ExitStatus::Done,
    })
}

/// Ingests with a progress bar.
pub(super) fn load(
    location: &Location,
    options: &IngestOptions,
    progress: When,
    stop: &StopFlag,
    runtime: &Runtime,
    settings: &Settings,
) -> Result<IngestSummary, CliError> {
    let bar = Bar::start(progress, settings);
    let show = |progress| bar.show(progress);
    let summary = runtime.run(async { Ok(ingest::ingest(location, options, &show, stop.raised()).await?) });
    bar.clear();
    summary
}

/// The counts of a run; every line balances.
pub(super) fn balance(summary: &IngestSummary) -> String {
    let objects = [
        (summary.ingested, "ingested"),
        (summary.known, "known"),
        (summary.not_events, "without events"),
        (summary.partial, "partial"),
        (summary.corrupt, "corrupt"),
        (summary.unknown, "not CloudTrail"),
        (summary.unreadable, "unreadable"),
    ];
    let records = [
        (summary.stored, "stored"),
        (summary.duplicates, "duplicates"),
        (summary.rejected, "rejected"),
    ];
    let listed = format!(
        "{} listed, {}",
        format_count(summary.listed),
        format_size(summary.listed_bytes)
    );
    let read = format!("{} read", format_count(summary.records));
    format!(
        "objects  {listed} = {}\nrecords  {read} = {}\n",
        sum(&objects, 2),
        sum(&records, 3)
    )
}

fn options(args: &IngestArgs, settings: &Settings) -> Result<IngestOptions, CliError> {
    let time = |option: &str, text: &Option<String>| {
        let time = text
            .as_deref()
            .map(|text| parse_time_option(option, text, settings.now));
        time.transpose().map(|time| time.map(|time| time.as_microsecond()))
    };
    let threads = args.threads.and_then(|threads| NonZeroUsize::new(usize::from(threads)));
    Ok(IngestOptions {
        sources: args.sources.clone(),
        accounts: args.account.clone(),
        regions: args.region.clone(),
        from_micros: time("--from", &args.from)?,
        to_micros: time("--to", &args.to)?,
        max_inflated_bytes: args.max_inflated_bytes,
        max_record_bytes: args.max_record_bytes,
        memory_bytes: args.memory,
        threads: threads.unwrap_or(settings.threads),
        now_micros: settings.now.as_microsecond(),
    })
}

/// Says what is missing and where to look.
fn warn_of_gaps(summary: &IngestSummary, output: &mut Output) {
    let unread = summary.partial + summary.corrupt + summary.unreadable;
    if unread > 0 {
        output.warning(&format!(
            "{} could not be read completely; `trimtrail sql \"select object_key, state, error from objects where state in \
             ('partial', 'corrupt', 'unreadable') order by object_key\"` names them",
            objects(unread)
        ));
    }
    if summary.rejected > 0 {
        output.warning(&format!(
            "{} records were rejected; `trimtrail sql \"select object_key, record_index, reason from rejects order by \
             object_key, record_index\"` names them",
            format_count(summary.rejected)
        ));
    }
}

fn is_incomplete(summary: &IngestSummary) -> bool {
    summary.partial + summary.corrupt + summary.unreadable + summary.rejected > 0
}

/// The terms of a sum; those after the first `always` are left out when they are zero.
fn sum(terms: &[(u64, &str)], always: usize) -> String {
    let shown = terms
        .iter()
        .enumerate()
        .filter(|(index, (count, _))| *index < always || *count > 0);
    shown
        .map(|(_, (count, what))| format!("{} {what}", format_count(*count)))
        .collect::<Vec<_>>()
        .join(" + ")
}

fn objects(count: u64) -> String {
    if count == 1 {
        "1 object".to_owned()
    } else {
        format!("{} objects", format_count(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;

    fn summary() -> IngestSummary {
        IngestSummary {
            listed: 1_412,
            listed_bytes: 3 << 20,
            known: 10,
            ingested: 1_400,
            not_events: 1,
            corrupt: 1,
            records: 2_000,
            stored: 1_990,
            duplicates: 6,
            rejected: 4,
            ..IngestSummary::default()
        }
    }

    #[test]
    fn balance_names_every_fate_that_occurred() {
        assert_eq!(
            balance(&summary()),
            "objects  1,412 listed, 3.0 MiB = 1,400 ingested + 10 known + 1 without events + 1 corrupt\n\
             records  2,000 read = 1,990 stored + 6 duplicates + 4 rejected\n"
        );
        assert_eq!(
            balance(&IngestSummary::default()),
            "objects  0 listed, 0 B = 0 ingested + 0 known\nrecords  0 read = 0 stored + 0 duplicates + 0 rejected\n"
        );
    }

    #[test]
    fn gaps_are_warned_of_and_make_the_run_incomplete() {
        let (mut output, _, messages) = captured(Verbosity::Quiet);
        warn_of_gaps(&summary(), &mut output);
        assert_eq!(messages.text().matches("warning: ").count(), 2, "{}", messages.text());
        assert!(
            is_incomplete(&summary())
                && !is_incomplete(&IngestSummary {
                    stored: 3,
                    ..IngestSummary::default()
                })
        );
    }
}
