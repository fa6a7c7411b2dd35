//! `diff`: granted against used.

use std::collections::BTreeSet;

use futures::stream;
use jiff::SignedDuration;
use jiff::Timestamp;

use crate::analysis;
use crate::cli::args::DiffArgs;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::rows::Switches;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::format_count;
use crate::cli::time::parse_time_option;
use crate::iam::Facts;
use crate::iam::resource_matches;
use crate::policy::Absence;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::PrincipalDiff;
use crate::policy::Subject;
use crate::policy::Thresholds;
use crate::policy::Usage;
use crate::policy::Window;
use crate::policy::subjects;
use crate::report::DiffFrame;
use crate::report::ResultOptions;
use crate::report::permission_rows;
use crate::report::principal_row;
use crate::store::StoreError;

/// Days of the default window: what AWS's own tools look back, and what most reviews ask for.
const DEFAULT_DAYS: i64 = 90;

/// Accounts that are named one by one.
const TOLD_ACCOUNTS: usize = 10;

/// Compares what principals may do with what they did.
///
/// # Errors
/// When the store cannot be read, the window is empty, no principal matches, or the rows cannot be written.
pub fn diff(args: &DiffArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    Runtime::start(settings.threads)?.run(async {
        tokio::select! {
            status = stop_signal() => status,
            status = compare(args, settings, output) => status,
        }
    })
}

async fn compare(args: &DiffArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let facts = facts::named(&args.engine.facts)?.unwrap_or_else(Facts::embedded);
    let engine = Engine::open(&args.engine, settings).await?;
    if let Some(StoreError::NotAStore { path }) = engine.missing_store() {
        return Err(StoreError::NotAStore { path: path.clone() }.into());
    }
    let window = window(args, settings, analysis::extent(engine.session()).await?)?;
    let usage = analysis::usage(engine.session(), window).await?;
    let snapshots = analysis::snapshots(engine.session()).await?;
    let estate = Estate::newest(&snapshots);
    let subjects = wanted(args, subjects(&usage, &estate))?;
    let thresholds = Thresholds {
        min_coverage: args.min_coverage,
        min_window_days: args.min_window,
    };
    let shape = Shape {
        args,
        options: rows::result_options(&args.output, settings)?,
        frame: DiffFrame {
            window,
            facts_date: facts.catalogue_date(),
        },
    };
    let differ = Differ::new(facts, &usage, &estate, thresholds);
    write(&shape, &subjects, differ, output).await?;
    Ok(tell_basis(&shape, &subjects, &usage, output))
}

/// The window that the user wants, or what the logs cover.
fn window(args: &DiffArgs, settings: &Settings, extent: Option<Window>) -> Result<Window, CliError> {
    let given = |option: &str, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| parse_time_option(option, text, settings.now))
            .transpose()
    };
    let (since, until) = (given("--since", &args.since)?, given("--until", &args.until)?);
    let nothing = || CliError::Usage {
        message: "the store holds no events".to_owned(),
        hint: Some("read logs into it with `trimtrail ingest`, or name another with `--store`".to_owned()),
    };
    let extent = extent.ok_or_else(nothing)?;
    let until = until.map_or(extent.until, |until| until.as_microsecond());
    let days_back = SignedDuration::from_hours(24 * DEFAULT_DAYS).as_micros();
    let earliest = until - i64::try_from(days_back).unwrap_or_default();
    let since = since.map_or(extent.since.max(earliest), |since| since.as_microsecond());
    if since >= until {
        return Err(CliError::Usage {
            message: format!(
                "the window is empty: it begins at {} and ends at {}",
                time(since),
                time(until)
            ),
            hint: Some(format!(
                "the logs reach from {} to {}",
                time(extent.since),
                time(extent.until)
            )),
        });
    }
    Ok(Window { since, until })
}

/// The principals that the user wants.
fn wanted<'a>(args: &DiffArgs, mut subjects: Vec<Subject<'a>>) -> Result<Vec<Subject<'a>>, CliError> {
    for pattern in &args.principals {
        if !subjects.iter().any(|subject| is_named(subject, pattern)) {
            return Err(CliError::Usage {
                message: format!("no user or role of the snapshots and logs matches `{pattern}`"),
                hint: Some("`trimtrail diff` without `--principal` lists all".to_owned()),
            });
        }
    }
    let (principals, accounts) = (&args.principals, &args.accounts);
    subjects.retain(|subject| {
        let account = subject.key.account_id().unwrap_or_default();
        (principals.is_empty() || principals.iter().any(|pattern| is_named(subject, pattern)))
            && (accounts.is_empty() || accounts.iter().any(|wanted| wanted == account))
    });
    Ok(subjects)
}

fn is_named(subject: &Subject<'_>, pattern: &str) -> bool {
    let arn = subject.key.arn.as_str();
    let name = arn.rsplit('/').next().unwrap_or(arn);
    resource_matches(pattern, arn) || resource_matches(pattern, name)
}

/// What the rows are to look like.
struct Shape<'a> {
    args: &'a DiffArgs,
    options: ResultOptions,
    frame: DiffFrame<'a>,
}

/// Writes the rows principal by principal, so that the permissions of one at a time are in memory.
async fn write(
    shape: &Shape<'_>,
    subjects: &[Subject<'_>],
    mut differ: Differ<'_>,
    output: &mut Output,
) -> Result<(), CliError> {
    let args = shape.args;
    let rows_of = |diff: &PrincipalDiff<'_>| match args.detail {
        true => permission_rows(diff, shape.frame, |row| {
            let verdict = row.verdict.name();
            args.verdicts.is_empty() || args.verdicts.iter().any(|wanted| wanted.name() == verdict)
        }),
        false => principal_row(diff, shape.frame),
    };
    let mut batches = subjects.iter().map(|subject| rows_of(&differ.diff(subject))).peekable();
    let schema = match batches.peek() {
        Some(Ok(batch)) => batch.schema(),
        _ => return batches.next().map_or(Ok(()), |batch| Ok(batch.map(|_| ())?)),
    };
    let file = args.output.file.as_deref();
    let summary = rows::write_stream(&schema, stream::iter(batches), file, &shape.options, output).await?;
    rows::note_summary(&summary, file, &shape.options, Switches::OPTIONS, output);
    Ok(())
}

/// Says on what the verdicts rest and what is missing; the status tells whether something is.
fn tell_basis(shape: &Shape<'_>, subjects: &[Subject<'_>], usage: &Usage, output: &mut Output) -> ExitStatus {
    let (args, frame) = (shape.args, shape.frame);
    let days = frame.window.days();
    output.note(&format!(
        "window {} to {} ({days} days), facts of {}, \"unused\" needs {} days and {} % of the hours",
        time(frame.window.since),
        time(frame.window.until),
        frame.facts_date,
        args.min_window,
        args.min_coverage * 100.0,
    ));
    if days < args.min_window {
        output.warning(&format!(
            "nothing is called unused: the window has {days} days and {} are needed; `--min-window` asks for fewer",
            args.min_window
        ));
    }
    let accounts = |is_meant: &dyn Fn(&Subject<'_>) -> bool| -> BTreeSet<String> {
        let meant = subjects.iter().filter(|subject| is_meant(subject));
        meant
            .filter_map(|subject| subject.key.account_id().map(str::to_owned))
            .collect()
    };
    let without_snapshot = accounts(&|subject| subject.absence == Some(Absence::NoSnapshot));
    let without_logs = accounts(&|subject| {
        let account = subject.key.account_id().unwrap_or_default();
        !usage.accounts.contains_key(account)
    });
    let has_gaps = |subject: &&Subject<'_>| subject.member.is_some_and(|member| !member.gaps().is_empty());
    let with_gaps = subjects.iter().filter(has_gaps).count();
    tell_accounts(
        "there is no IAM snapshot of",
        "import one with `trimtrail iam import`",
        &without_snapshot,
        output,
    );
    tell_accounts(
        "the logs hold nothing in the window of",
        "its permissions are unknown, not unused",
        &without_logs,
        output,
    );
    if with_gaps > 0 {
        let count = format_count(u64::try_from(with_gaps).unwrap_or(u64::MAX));
        output.warning(&format!(
            "the IAM snapshots do not show all permissions of {count} principals"
        ));
    }
    match without_snapshot.is_empty() && without_logs.is_empty() && with_gaps == 0 {
        true => ExitStatus::Done,
        false => ExitStatus::Incomplete,
    }
}

fn tell_accounts(what: &str, remedy: &str, accounts: &BTreeSet<String>, output: &mut Output) {
    if accounts.is_empty() {
        return;
    }
    let told: Vec<&str> = accounts.iter().map(String::as_str).take(TOLD_ACCOUNTS).collect();
    let more = match accounts.len().saturating_sub(TOLD_ACCOUNTS) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    output.warning(&format!("{what} {}{more}: {remedy}", told.join(", ")));
}

fn time(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}
