//! `review`: what users and roles may do, did, and should keep, for people to decide.

mod import;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::analysis;
use crate::cli::allow_list;
use crate::cli::args::OutputArgs;
use crate::cli::args::ReviewArgs;
use crate::cli::args::ReviewCommand;
use crate::cli::args::ReviewFormat;
use crate::cli::args::ReviewReportArgs;
use crate::cli::basis::Basis;
use crate::cli::basis::tell_basis;
use crate::cli::basis::thresholds;
use crate::cli::basis::wanted;
use crate::cli::command::load_library;
use crate::cli::doubts::tell_doubts;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::proven_trust::ProvenTrust;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::target::Target;
use crate::cli::target::write_text;
use crate::cli::usage::note_basis;
use crate::iam::Facts;
use crate::policy::Decision;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::Neighbourhood;
use crate::policy::OWNER_TAGS;
use crate::policy::ProposedChange;
use crate::policy::ReviewEntry;
use crate::policy::ReviewFrame;
use crate::policy::RoleTrust;
use crate::policy::subjects;
use crate::report::DiffFrame;
use crate::report::Format;
use crate::report::ReviewReport;
use crate::report::review_page;
use crate::report::review_rows;
use crate::report::review_workbook;

/// The question whose answer says who read which secret.
const SECRET_READS: &str = "secret-reads";

/// Writes a review, or reads decisions back.
///
/// # Errors
/// When the store cannot be read, the window is empty, no principal matches, a decision is wrong, or the result cannot be
/// written.
pub fn review(args: &ReviewArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    Runtime::start(settings.threads)?.run(async {
        tokio::select! {
            status = stop_signal() => status,
            status = async {
                match &args.command {
                    Some(ReviewCommand::Import(args)) => import::import(args, settings, output).await,
                    None => write_review(&args.report, settings, output).await,
                }
            } => status,
        }
    })
}

async fn write_review(
    args: &ReviewReportArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let format = format_of(args, settings)?;
    let keeps = allow_list::read(args.allow.as_deref())?;
    let (facts, basis) = (
        facts::named(&args.engine.facts)?.unwrap_or_else(Facts::embedded),
        &args.basis.evidence,
    );
    let engine = Engine::open(&args.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(basis, &engine, settings).await?;
    note_basis(engine.session(), usage.window, output);
    let estate = Estate::newest(&snapshots);
    let subjects = wanted(&args.basis, subjects(&usage, &estate))?;
    let neighbours = Neighbourhood::new(&estate, usage.accounts.keys().map(String::as_str));
    let now = settings.now.as_microsecond();
    let mut differ = Differ::new(facts, &usage, &estate, thresholds(basis)).keeping(&keeps, now);
    let arns: BTreeSet<&str> = subjects.iter().map(|subject| subject.key.arn.as_str()).collect();
    let is_wanted = |arn: &str| arns.contains(arn);
    let trust = ProvenTrust::of(&engine, (&usage, &estate), &neighbours, &mut differ, is_wanted).await?;
    let roles: BTreeMap<&str, &RoleTrust<'_>> = trust
        .report
        .roles
        .iter()
        .map(|role| (role.role_arn.as_str(), role))
        .collect();
    let library = load_library(None)?;
    let log = analysis::review_log(engine.session(), usage.window, library.get(SECRET_READS)).await?;
    let owner_tags = owner_tags(args);
    let frame = ReviewFrame {
        window: usage.window,
        owner_tags: &owner_tags,
        keeps: &keeps,
        now,
    };
    let mut entries = Vec::with_capacity(subjects.len());
    for subject in &subjects {
        let role = roles.get(subject.key.arn.as_str()).copied();
        entries.push(ReviewEntry::of(&differ.diff(subject), role, &log, frame));
        tokio::task::yield_now().await;
    }
    let report = ReviewReport {
        entries: &entries,
        frame: DiffFrame {
            window: usage.window,
            facts_date: facts.catalogue_date(),
            source: engine.session().usage_source(),
        },
        thresholds: thresholds(basis),
        owner_tags: &owner_tags,
        expired_before: engine
            .session()
            .expired_before()
            .filter(|before| usage.window.since < *before),
    };
    write(report, format, args, settings, output)?;
    tell(&entries, output);
    allow_list::tell_expired(&keeps, now, output);
    let status = tell_basis(basis, facts.catalogue_date(), (&subjects, &estate), &usage, output);
    Ok(tell_doubts(basis, (&subjects, &estate), &usage, output).status(status, false))
}

/// A page or workbook says nothing to a terminal.
fn format_of(args: &ReviewReportArgs, settings: &Settings) -> Result<ReviewFormat, CliError> {
    let usage = |message: &str| CliError::Usage {
        message: message.to_owned(),
        hint: Some("name a file, such as `--out review.html`, `review.csv` or `review.xlsx`".to_owned()),
    };
    match args.wanted_format() {
        None => Err(match &args.out {
            None => usage("neither `--format` nor the name of a file says what to write"),
            Some(out) => usage(&format!(
                "the name of `{}` does not say which format it is to have, and there is no `--format`",
                out.display()
            )),
        }),
        Some(ReviewFormat::Xlsx) if args.out.is_none() && settings.stdout_is_terminal => {
            Err(usage("a workbook is not for the terminal"))
        }
        Some(format) => Ok(format),
    }
}

fn owner_tags(args: &ReviewReportArgs) -> Vec<String> {
    match args.owner_tags.is_empty() {
        true => OWNER_TAGS.map(str::to_owned).into(),
        false => args.owner_tags.clone(),
    }
}

fn write(
    report: ReviewReport<'_>,
    format: ReviewFormat,
    args: &ReviewReportArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<(), CliError> {
    match format {
        ReviewFormat::Html => write_text(&review_page(report)?, args.out.as_deref(), output),
        ReviewFormat::Xlsx => {
            let mut target = Target::open(args.out.as_deref())?;
            review_workbook(report)?.write(target.writer(output))?;
            target.complete(output)
        }
        ReviewFormat::Csv => {
            let rows_args = OutputArgs {
                output: Some(Format::Csv),
                file: args.out.clone(),
                ..OutputArgs::default()
            };
            let options = rows::result_options(&rows_args, settings)?;
            rows::write_and_note(&review_rows(report)?, args.out.as_deref(), &options, output)?;
            Ok(())
        }
    }
}

/// Says what is proposed, and what was decided and is still to be done.
fn tell(entries: &[ReviewEntry], output: &mut Output) {
    let of = |change: ProposedChange| entries.iter().filter(move |entry| entry.change == change);
    let permissions = |change| of(change).map(|entry| entry.permissions).sum::<usize>();
    output.note(&format!(
        "{}: {} to remove with {}, {} to trim by {}, {} to keep",
        counted(entries.len(), "principal"),
        format_count(of(ProposedChange::Remove).count()),
        counted(permissions(ProposedChange::Remove), "permission"),
        format_count(of(ProposedChange::Trim).count()),
        counted(permissions(ProposedChange::Trim), "permission"),
        format_count(of(ProposedChange::Keep).count()),
    ));
    let owned = entries.iter().filter(|entry| entry.owner.is_some()).count();
    output.note(&format!("{} of them with an owner", format_count(owned)));
    let open = entries.iter().filter(|entry| entry.is_open());
    let open: Vec<&Decision> = open.filter_map(|entry| entry.decision.as_ref()).collect();
    allow_list::tell_open(&open, output);
}
