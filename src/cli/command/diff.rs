//! `diff`: granted against used.

use futures::stream;

use crate::cli::args::DiffArgs;
use crate::cli::basis::Basis;
use crate::cli::basis::tell_basis;
use crate::cli::basis::thresholds;
use crate::cli::basis::wanted;
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
use crate::iam::Facts;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::PrincipalDiff;
use crate::policy::Subject;
use crate::policy::subjects;
use crate::report::DiffFrame;
use crate::report::ResultOptions;
use crate::report::permission_rows;
use crate::report::principal_row;

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
    let Basis { usage, snapshots } = Basis::gather(&args.basis, &engine, settings).await?;
    let estate = Estate::newest(&snapshots);
    let subjects = wanted(&args.basis, subjects(&usage, &estate))?;
    let shape = Shape {
        args,
        options: rows::result_options(&args.output, settings)?,
        frame: DiffFrame {
            window: usage.window,
            facts_date: facts.catalogue_date(),
        },
    };
    let differ = Differ::new(facts, &usage, &estate, thresholds(&args.basis));
    write(&shape, &subjects, differ, output).await?;
    let facts_date = facts.catalogue_date();
    Ok(tell_basis(&args.basis, facts_date, &subjects, &usage, output))
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
