//! `verify`: digests and logs against CloudTrail's signatures.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ingest::days;
use crate::analysis;
use crate::cli::args::VerifyArgs;
use crate::cli::args::VerifyFormat;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::output::Verbosity;
use crate::cli::public_keys;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::time::parse_time_option;
use crate::event::format_canonical;
use crate::ingest::Unverified;
use crate::ingest::Verify;
use crate::integrity::GroupReport;
use crate::integrity::Level;
use crate::integrity::Window;
use crate::query::QuerySession;
use crate::query::SessionOptions;
use crate::report::IntegrityReport;
use crate::source::History;
use crate::source::Lister;
use crate::source::OwnKeys;
use crate::source::Request;
use crate::source::Selection;
use crate::source::Share;
use crate::store::Store;

/// Digests are delivered within two hours after the start of their hour: microseconds.
const DIGEST_DELAY: i64 = 2 * 3_600_000_000;
/// Places that could not be listed, and files that could not be read, that are named one by one.
const TOLD_PLACES: usize = 10;

/// Verifies, and says what is proven.
///
/// # Errors
/// When keys, sources or store cannot be used. What is not valid is no error: the status is [`ExitStatus::Gate`], or
/// [`ExitStatus::Incomplete`] where something could not be proven.
pub fn verify(args: &VerifyArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let keys = public_keys::read(&args.keys)?;
    let (window, selection) = wanted(args, settings)?;
    let listed = with_days_behind(&selection, window);
    let threads = args.threads.and_then(|threads| NonZeroUsize::new(usize::from(threads)));
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal()?;
    let verify = Verify {
        runtime: runtime.handle(),
        keys: &keys,
        window,
        selection: &listed,
        threads: threads.unwrap_or(settings.threads).get(),
        stop: stop.raised(),
    };
    let shows_all = args.all || settings.verbosity == Verbosity::Verbose;
    let mut report = IntegrityReport::new(shows_all);
    let has_lists = args.s3.keys_from.is_some() || args.s3.inventory.is_some();
    let unverified = if args.sources.is_empty() && !has_lists {
        over_store(args, (&verify, &runtime, settings), &mut report)?;
        Unverified::default()
    } else {
        let opened = runtime.run(async { Ok(stop.or_stop(Box::pin(open_lister(args, &listed))).await) })?;
        let Some(mut lister) = opened.transpose()? else {
            return Ok(stop.status().unwrap_or(ExitStatus::Terminated));
        };
        verify.run(&mut lister, |group| report.add(group))?
    };
    if let Some(status) = stop.status() {
        return Ok(status);
    }
    let text = match args.output {
        VerifyFormat::Table => report.text(&keys),
        VerifyFormat::Json => report.json(&keys),
    };
    output.print(&text)?;
    let status = conclude(&report, &unverified, output);
    let is_of_bucket = args.sources.iter().any(|source| source.starts_with("s3://"));
    if is_of_bucket && window.to.is_none() {
        let delivered = settings.now.as_microsecond().saturating_sub(DIGEST_DELAY);
        return Ok(heed_end(&report, delivered, status, output));
    }
    Ok(status)
}

/// Says what is missing, and gives the status.
fn conclude(report: &IntegrityReport, unverified: &Unverified, output: &mut Output) -> ExitStatus {
    for (place, reason) in unverified.unlisted.iter().take(TOLD_PLACES) {
        output.warning(&format!("`{place}`: {reason}"));
    }
    if unverified.unlisted.len() > TOLD_PLACES {
        let more = unverified.unlisted.len() - TOLD_PLACES;
        output.warning(&format!("{more} more could not be looked at"));
    }
    if unverified.foreign > 0 {
        let count = unverified.foreign;
        output.note(&format!("{count} files have no name of CloudTrail and hold no events"));
    }
    if report.valid_digests() == 0 {
        output.warning("nothing was verified: no digest is valid");
    }
    match report.level() {
        Some(Level::Invalid) => ExitStatus::Gate,
        Some(Level::Unproven) => ExitStatus::Incomplete,
        _ if report.valid_digests() == 0 || !unverified.unlisted.is_empty() => ExitStatus::Incomplete,
        _ => ExitStatus::Done,
    }
}

/// Digests of a bucket go on up to now: those that are missing at the end are told, as no other names them.
fn heed_end(report: &IntegrityReport, delivered: i64, status: ExitStatus, output: &mut Output) -> ExitStatus {
    let Some(covered) = report.covered_to().filter(|covered| covered.all < delivered) else {
        return status;
    };
    let end = format_canonical(covered.all).unwrap_or_default();
    output.warning(&format!(
        "digests end at {end}, and those of the hours since should be there; `--to` says where a chain was to end"
    ));
    match status {
        ExitStatus::Done => ExitStatus::Incomplete,
        other => other,
    }
}

fn wanted(args: &VerifyArgs, settings: &Settings) -> Result<(Window, Selection), CliError> {
    let time = |option: &str, text: &Option<String>| -> Result<Option<Timestamp>, CliError> {
        let text = text.as_deref();
        text.map(|text| parse_time_option(option, text, settings.now))
            .transpose()
    };
    let (from, to) = (time("--from", &args.from)?, time("--to", &args.to)?);
    let (first_day, last_day) = days(from, to)?;
    let window = Window {
        from: from.map(Timestamp::as_microsecond),
        to: to.map(Timestamp::as_microsecond),
    };
    let selection = Selection {
        first_day,
        last_day,
        accounts: args.account.clone(),
        regions: args.region.clone(),
    };
    Ok((window, selection))
}

/// The same with the day of the digests that name the last logs of a window.
fn with_days_behind(selection: &Selection, window: Window) -> Selection {
    let last_moment = window
        .last_digest()
        .and_then(|end| Timestamp::from_microsecond(end).ok());
    let last_day = last_moment.map(|end| end.to_zoned(TimeZone::UTC).date());
    Selection {
        last_day: selection.last_day.max(last_day),
        ..selection.clone()
    }
}

async fn open_lister(args: &VerifyArgs, selection: &Selection) -> Result<Lister, CliError> {
    let request = Request {
        sources: args.sources.clone(),
        keys: match args.s3.keys_from.as_deref() {
            Some(name) => Some(super::ingest::read_keys(name).await?),
            None => None,
        },
        inventory: args.s3.inventory.clone(),
        takes_any_key: false,
        selection: selection.clone(),
        tells_unmet: false,
        share: Share::default(),
        own_keys: OwnKeys::default(),
        s3: args.s3.connection.options(),
        look_back_days: args.s3.look_back,
    };
    // All of it is listed, whatever a store knows.
    Ok(Lister::open(&request, &History::default()).await?)
}

fn over_store(
    args: &VerifyArgs,
    (verify, runtime, settings): (&Verify<'_>, &Runtime, &Settings),
    report: &mut IntegrityReport,
) -> Result<(), CliError> {
    let location = args.location.location()?;
    let session = runtime.run(async {
        let store = Store::open(&location).await?;
        let options = SessionOptions::new(settings.threads.get(), settings.now.as_microsecond());
        Ok(QuerySession::new(Some(&store), &options, None)?)
    })?;
    let groups = runtime.run(async { Ok(analysis::recorded_groups(&session).await?) })?;
    let samples = runtime.run(async { Ok(analysis::recorded_samples(&session).await?) })?;
    let origins = Verify::recorded_origins(&samples);
    let wanted = |names: &[String], name: &String| names.is_empty() || names.contains(name);
    if args.account.is_empty() && args.region.is_empty() {
        let unplaced = runtime.run(async { Ok(analysis::recorded_unplaced(&session, verify.window).await?) })?;
        GroupReport::unplaced(unplaced)
            .into_iter()
            .for_each(|group| report.add(group));
    }
    for (account, region) in groups {
        if wanted(&args.account, &account) && wanted(&args.region, &region) {
            let objects = analysis::recorded_objects(&session, &account, &region);
            let objects = runtime.run(async { Ok(objects.await?) })?;
            report.add(verify.run_recorded(&objects, &origins)?);
        }
    }
    Ok(())
}
