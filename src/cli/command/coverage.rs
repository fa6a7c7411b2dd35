//! `coverage`: how far the logs reach.

use crate::analysis;
use crate::analysis::RegionCoverage;
use crate::analysis::Step;
use crate::cli::args::CoverageArgs;
use crate::cli::args::CoverageStep;
use crate::cli::basis::time;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::interrupt::stop_signal;
use crate::cli::log_coverage;
use crate::cli::log_coverage::Question;
use crate::cli::output::Output;
use crate::cli::public_keys;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::target::write_text;
use crate::policy::Window;
use crate::report::Arrangement;
use crate::report::calendar;
use crate::report::coverage_rows;
use crate::report::picture;
use crate::report::setting_rows;

/// An account stands above its regions and days.
const DAYS: Arrangement = Arrangement {
    order: &[
        "region",
        "day",
        "hour",
        "state",
        "reason",
        "events",
        "detail",
        "hours_incomplete",
        "hours_silent",
        "hours_complete",
        "logs_missing",
        "logs_changed",
        "logs_rejected",
        "records_rejected",
        "logs_present",
        "logs_ingested",
        "logs_named",
        "digests_expected",
        "digests_found",
        "digests_valid",
        "first_event",
        "last_event",
    ],
    wrapped: &[("reason", 14), ("detail", 40)],
    heading: Some("account_id"),
};
const SETTINGS: Arrangement = Arrangement {
    order: &[
        "category",
        "resource_type",
        "region",
        "reads",
        "writes",
        "last_event",
        "first_event",
    ],
    wrapped: &[("resource_type", 15)],
    heading: Some("account_id"),
};

/// Shows the coverage of the logs, or what trails record.
///
/// # Errors
/// When the store cannot be read, the window is empty, or the result cannot be written.
pub fn coverage(args: &CoverageArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    check(args)?;
    let runtime = Runtime::start(settings.threads)?;
    let opened = runtime.run(async {
        let engine = Engine::open(&args.engine, settings).await?;
        let window = log_coverage::window((args.since.as_deref(), args.until.as_deref()), &engine, settings).await?;
        Ok((engine, window))
    });
    let (engine, window) = opened?;
    if args.settings {
        return runtime.run(async {
            tokio::select! {
                status = stop_signal() => status,
                status = show_settings(args, (&engine, window), settings, output) => status,
            }
        });
    }
    let keys = match args.keys.as_slice() {
        [] => None,
        files => Some(public_keys::read(files)?),
    };
    let step = match args.by {
        CoverageStep::Day => Step::Day,
        CoverageStep::Hour => Step::Hour,
    };
    let stop = StopFlag::on_signal()?;
    let question = Question {
        window,
        step,
        keys: keys.as_ref(),
        accounts: &args.accounts,
        regions: &args.regions,
    };
    let regions = question.answer(&engine, (&runtime, &stop), settings)?;
    if let Some(status) = stop.status() {
        return Ok(status);
    }
    show(args, (&regions, step), settings, output)?;
    if let Some(file) = &args.svg {
        write_text(&picture(&regions)?, Some(file), output)?;
        output.note(&format!("picture written to `{}`", file.display()));
    }
    let of_window = log_coverage::integrity_window(window);
    let unplaced = runtime.run(async { Ok(analysis::recorded_unplaced(engine.session(), of_window).await?) })?;
    let status = conclude(&regions, window, keys.is_some(), output);
    Ok(match tell_unplaced(unplaced, &regions, output) {
        true => ExitStatus::Incomplete,
        false => status,
    })
}

/// The calendar and the picture have one mark per day.
fn check(args: &CoverageArgs) -> Result<(), CliError> {
    let wants_days = args.wants_calendar() || args.svg.is_some();
    if wants_days && args.by == CoverageStep::Hour {
        return Err(CliError::usage(
            "`--by hour` is for rows: the calendar and `--svg` have one mark per day",
        ));
    }
    if args.wants_calendar() && args.settings {
        return Err(CliError::usage("`--settings` gives rows, not a calendar"));
    }
    Ok(())
}

fn show(
    args: &CoverageArgs,
    (regions, step): (&[RegionCoverage], Step),
    settings: &Settings,
    output: &mut Output,
) -> Result<(), CliError> {
    if args.wants_calendar() {
        return write_text(&calendar(regions), args.output.file.as_deref(), output);
    }
    let batch = coverage_rows(regions, step, !args.keys.is_empty())?;
    rows::show(&batch, DAYS, &args.output.rows(), settings, output)?;
    Ok(())
}

async fn show_settings(
    args: &CoverageArgs,
    (engine, window): (&Engine, Window),
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let mut logs = analysis::account_logs(engine.session(), window).await?;
    logs.retain(|account, _| args.accounts.is_empty() || args.accounts.contains(account));
    let batch = setting_rows(&analysis::trail_settings(&logs))?;
    rows::show(&batch, SETTINGS, &args.output.rows(), settings, output)?;
    output.note(
        "inferred from the events that are there: where none is, the trail may not record them, or nobody made such calls",
    );
    Ok(ExitStatus::Done)
}

/// Says that objects lie where no digest can name them, and whether that leaves hours in doubt that digests prove.
fn tell_unplaced(unplaced: u64, regions: &[RegionCoverage], output: &mut Output) -> bool {
    let has_complete = regions
        .iter()
        .flat_map(|region| &region.rows)
        .any(|row| row.hours_complete > 0);
    let is_told = unplaced > 0 && has_complete;
    if is_told {
        output.warning(&format!(
            "{} with events of the window outside of the folders that CloudTrail makes: no digest can name them, and they may \
             keep out other events with the same id",
            counted(unplaced, "object")
        ));
    }
    is_told
}

/// Says what the window comes to.
fn conclude(regions: &[RegionCoverage], window: Window, has_keys: bool, output: &mut Output) -> ExitStatus {
    let rows = || regions.iter().flat_map(|region| &region.rows);
    let sum = |hours: fn(&analysis::CoverageRow) -> u64| rows().map(hours).sum::<u64>();
    output.note(&format!(
        "{} to {}: of the hours of accounts in regions, {} complete and {} incomplete",
        time(window.since),
        time(window.until),
        format_count(sum(|row| row.hours_complete)),
        format_count(sum(|row| row.hours_incomplete)),
    ));
    if !has_keys && rows().any(|row| row.counts.digests_found > 0) {
        output.note("the signatures of the digests were not checked: `--keys` does");
    }
    match rows().any(analysis::CoverageRow::has_loss) {
        true => ExitStatus::Incomplete,
        false => ExitStatus::Done,
    }
}
