//! `check`: the questions of the library whose answers are findings.

use std::collections::BTreeMap;

use super::query::find_question;
use super::query::load_library;
use crate::analysis;
use crate::cli::allow_list::read_list;
use crate::cli::args::CheckArgs;
use crate::cli::args::CheckDocument;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::target::write_text;
use crate::cli::time::parse_time_option;
use crate::cli::usage::note_basis;
use crate::policy::Baseline;
use crate::policy::Window;
use crate::query::Library;
use crate::query::ParamText;
use crate::query::Question;
use crate::query::Severity;
use crate::report::Arrangement;
use crate::report::Check;
use crate::report::CheckFrame;
use crate::report::IamSight;
use crate::report::asff;
use crate::report::check_rows;
use crate::report::check_sarif;
use crate::report::junit;
use crate::report::ocsf;

/// Columns that a terminal has, from the most important on.
const ARRANGEMENT: Arrangement = Arrangement {
    order: &["severity", "check", "finding", "rows", "last_seen", "accepted"],
    wrapped: &[("finding", 30), ("accepted", 16)],
    heading: None,
};

/// Asks the checks that are wanted.
///
/// # Errors
/// When no check is meant, a file or the store cannot be read, a question cannot be answered, or the result cannot be written.
pub fn check(args: &CheckArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let library = load_library(args.queries.as_deref())?;
    let questions = chosen(&library, args)?;
    let values = values(&questions, args)?;
    let baseline = read_list(args.baseline.as_deref(), Baseline::read)?;
    Runtime::start(settings.threads)?.run(async {
        tokio::select! {
            status = stop_signal() => status,
            status = run(&questions, &values, &baseline, (args, settings), output) => status,
        }
    })
}

/// The checks that are wanted, the most severe first.
fn chosen<'l>(library: &'l Library, args: &CheckArgs) -> Result<Vec<(&'l Question, Severity)>, CliError> {
    let least = Severity::from(args.min_severity);
    let is_of_pack = |question: &Question| {
        args.pack.as_ref().is_none_or(|pack| {
            let mut controls = question.controls.iter();
            controls.any(|control| control.split_once(':').is_some_and(|(framework, _)| framework == pack))
        })
    };
    let mut questions = Vec::new();
    for id in &args.ids {
        let question = find_question(library, id)?;
        let severity = question.check_severity().ok_or_else(|| CliError::Usage {
            message: format!("`{id}` is no check: its rows are facts, not findings"),
            hint: Some(format!("`trimtrail query {id}` answers it")),
        })?;
        questions.push((question, severity));
    }
    if args.ids.is_empty() {
        let all = library.questions().filter(|question| is_of_pack(question));
        questions.extend(all.filter_map(|question| Some((question, question.check_severity()?))));
    }
    questions.retain(|(_, severity)| *severity >= least);
    if questions.is_empty() {
        return Err(CliError::Usage {
            message: "there is no such check".to_owned(),
            hint: Some(
                "`trimtrail query --list` lists all questions, those with a severity above info are checks".to_owned(),
            ),
        });
    }
    questions.sort_by(|left, right| (right.1, &left.0.id).cmp(&(left.1, &right.0.id)));
    questions.dedup();
    Ok(questions)
}

/// The values of parameters, each for the checks that have it.
fn values(questions: &[(&Question, Severity)], args: &CheckArgs) -> Result<BTreeMap<String, String>, CliError> {
    let has = |question: &Question, name: &str| question.params.iter().any(|param| param.name == name);
    let window = [("since", &args.since), ("until", &args.until)];
    let window = window
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let mut values = BTreeMap::new();
    for (name, value) in window.chain(args.params.iter().cloned()) {
        if !questions.iter().any(|(question, _)| has(question, &name)) {
            return Err(CliError::usage(format!(
                "none of these checks has a parameter `{name}`"
            )));
        }
        if values.insert(name.clone(), value).is_some() {
            return Err(CliError::usage(format!("parameter `{name}` is given twice")));
        }
    }
    Ok(values)
}

async fn run(
    questions: &[(&Question, Severity)],
    values: &BTreeMap<String, String>,
    baseline: &Baseline,
    (args, settings): (&CheckArgs, &Settings),
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let engine = Engine::open(&args.engine, settings).await?;
    engine.need_store()?;
    let Some(extent) = analysis::extent(engine.session()).await? else {
        output.warning("the store holds no events: nothing was checked");
        return Ok(ExitStatus::Incomplete);
    };
    let now = settings.now.as_microsecond();
    let mut checks = Vec::new();
    for (question, severity) in questions {
        checks.push(ask(&engine, (question, *severity), values, (baseline, now)).await?);
    }
    let frame = CheckFrame {
        since: extent.since,
        until: extent.until,
    };
    write(&checks, frame, (args, settings), output)?;
    let window = window(args, extent, settings)?;
    note_basis(engine.session(), window, output);
    tell(&checks, output);
    tell_baseline(&checks, baseline, now, output);
    let has_expired = engine
        .session()
        .expired_before()
        .is_some_and(|before| window.since < before);
    let is_blind = tell_blind(&engine, questions, window, output).await?;
    Ok(gate(&checks, args, !has_expired && !is_blind, output))
}

async fn ask<'q>(
    engine: &Engine,
    (question, severity): (&'q Question, Severity),
    values: &BTreeMap<String, String>,
    (baseline, now): (&Baseline, i64),
) -> Result<Check<'q>, CliError> {
    let given = question.params.iter().filter_map(|param| {
        let value = values.get(&param.name)?;
        Some((param.name.clone(), ParamText::from(value.as_str())))
    });
    let given: Vec<(String, ParamText)> = given.collect();
    let checked = analysis::check(engine.session(), question, &given).await?;
    let counting = || baseline.entries().iter().filter(|entry| !entry.pardon.is_expired(now));
    let findings = checked.findings.into_iter().map(|finding| {
        let accepted = counting().find(|entry| entry.accepts(&question.id, &finding.identity));
        let note = accepted.map(|entry| entry.pardon.note());
        (finding, note)
    });
    Ok(Check {
        question,
        severity,
        findings: findings.collect(),
        unknown_rows: checked.unknown_rows,
    })
}

fn write(
    checks: &[Check<'_>],
    frame: CheckFrame,
    (args, settings): (&CheckArgs, &Settings),
    output: &mut Output,
) -> Result<(), CliError> {
    let file = args.output.file.as_deref();
    let text = match args.output.document() {
        Some(CheckDocument::Sarif) => check_sarif(checks, frame),
        Some(CheckDocument::Junit) => junit(checks)?,
        Some(CheckDocument::Ocsf) => ocsf(checks, frame),
        Some(CheckDocument::Asff) => {
            let (text, left_out) = asff(checks, frame, &args.hub_region);
            if left_out > 0 {
                output.warning(&format!(
                    "left out: {} of no account, which the format needs",
                    counted(left_out, "finding")
                ));
            }
            text
        }
        None => {
            rows::show(&check_rows(checks)?, ARRANGEMENT, &args.output.rows(), settings, output)?;
            return Ok(());
        }
    };
    write_text(&text, file, output)
}

/// Says what all checks together come to.
fn tell(checks: &[Check<'_>], output: &mut Output) {
    let count = |number: usize| format_count(u64::try_from(number).unwrap_or(u64::MAX));
    let with_findings = checks
        .iter()
        .filter(|check| check.open_findings().next().is_some())
        .count();
    let accepted: usize = checks
        .iter()
        .map(|check| check.findings.len() - check.open_findings().count())
        .sum();
    let by_severity = Severity::ALL.into_iter().rev().filter_map(|severity| {
        let of_severity = checks.iter().filter(|check| check.severity == severity);
        let open: usize = of_severity.map(|check| check.open_findings().count()).sum();
        (open > 0).then(|| format!("{} {severity}", count(open)))
    });
    let by_severity: Vec<String> = by_severity.collect();
    let findings = match by_severity.is_empty() {
        true => "no findings".to_owned(),
        false => format!("findings: {}", by_severity.join(", ")),
    };
    output.note(&format!(
        "{}, {} with findings; {findings}; accepted: {}",
        counted(checks.len(), "check"),
        count(with_findings),
        count(accepted),
    ));
    for check in checks.iter().filter(|check| check.unknown_rows > 0) {
        output.note(&format!(
            "`{}`: nothing can be said of {}; `trimtrail query {}` shows why",
            check.question.id,
            counted(check.unknown_rows, "row"),
            check.question.id,
        ));
    }
}

/// Says which entries of the baseline do not count.
fn tell_baseline(checks: &[Check<'_>], baseline: &Baseline, now: i64, output: &mut Output) {
    for entry in baseline.entries() {
        let (number, expires) = (entry.number, &entry.pardon.expires);
        if entry.pardon.is_expired(now) {
            output.warning(&format!(
                "entry {number} of the baseline expired on {expires} and no longer counts: {}",
                entry.pardon.reason
            ));
            continue;
        }
        let mut findings = checks.iter().flat_map(|check| {
            let identities = check.findings.iter().map(|(finding, _)| &finding.identity);
            identities.map(|identity| (check.question.id.as_str(), identity))
        });
        if !findings.any(|(check, identity)| entry.accepts(check, identity)) {
            output.note(&format!("entry {number} of the baseline matches no finding"));
        }
    }
}

/// The window of checks that have one.
fn window(args: &CheckArgs, extent: Window, settings: &Settings) -> Result<Window, CliError> {
    let given = |option: &str, text: Option<&str>| -> Result<Option<i64>, CliError> {
        let time = text.map(|text| parse_time_option(option, text, settings.now));
        Ok(time.transpose()?.map(|time| time.as_microsecond()))
    };
    let since = given("--since", args.since.as_deref())?;
    Ok(Window::within(extent, since, given("--until", args.until.as_deref())?))
}

/// Without snapshots nothing is known of permissions, which is not the same as nothing to find. True if that is so of an account.
async fn tell_blind(
    engine: &Engine,
    questions: &[(&Question, Severity)],
    window: Window,
    output: &mut Output,
) -> Result<bool, CliError> {
    let reads_iam = |sql: &str| IamSight::default().doubt_of(sql).is_some();
    if !questions.iter().any(|(question, _)| reads_iam(&question.sql)) {
        return Ok(false);
    }
    let snapshots = analysis::snapshots(engine.session()).await?;
    let logs = analysis::account_logs(engine.session(), window).await?;
    let sight = IamSight::of(&snapshots, &logs.into_keys().collect());
    let mut blind: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (question, _) in questions {
        if let Some(doubt) = sight.doubt_of(&question.sql) {
            blind.entry(doubt).or_default().push(format!("`{}`", question.id));
        }
    }
    for (doubt, ids) in &blind {
        output.warning(&format!(
            "{doubt} (`trimtrail iam import`), so that {} cannot find everything",
            ids.join(", ")
        ));
    }
    Ok(!blind.is_empty())
}

/// What was found closes the gate; what could not be checked leaves the result incomplete.
fn gate(checks: &[Check<'_>], args: &CheckArgs, is_complete: bool, output: &mut Output) -> ExitStatus {
    if let Some(least) = args.fail_on {
        let failing = checks.iter().filter(|check| check.severity >= Severity::from(least));
        let failing: usize = failing.map(|check| check.open_findings().count()).sum();
        if failing > 0 {
            let findings = counted(failing, "finding");
            output.warning(&format!(
                "the gate is closed: {findings} of severity {} or more",
                Severity::from(least)
            ));
            return ExitStatus::Gate;
        }
    }
    match is_complete {
        true => ExitStatus::Done,
        false => ExitStatus::Incomplete,
    }
}
