//! On what verdicts rest: the window, the evidence, the snapshots and the principals that the user asks for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::args::BasisArgs;
use super::args::LogArgs;
use super::engine::Engine;
use super::error::CliError;
use super::exit::ExitStatus;
use super::output::Output;
use super::settings::Settings;
use super::size::counted;
use super::time::parse_time_option;
use super::trails;
use crate::analysis;
use crate::iam::resource_matches;
use crate::policy::Absence;
use crate::policy::Estate;
use crate::policy::Subject;
use crate::policy::TakenSnapshot;
use crate::policy::Thresholds;
use crate::policy::Usage;
use crate::policy::Window;

pub(super) use crate::analysis::moment as time;

/// Accounts that are named one by one.
const TOLD_ACCOUNTS: usize = 10;

/// Statements that are named one by one.
const TOLD_CONDITIONS: usize = 10;

/// What the store says about use and grants.
#[derive(Debug)]
pub(super) struct Basis {
    /// What the logs show in the window.
    pub(super) usage: Usage,
    /// The newest IAM snapshots.
    pub(super) snapshots: Vec<TakenSnapshot>,
}

impl Basis {
    /// Reads it from the store that the engine has open.
    pub(super) async fn gather(args: &LogArgs, engine: &Engine, settings: &Settings) -> Result<Self, CliError> {
        let trails = trails::read(&args.event_selectors)?;
        let (window, logs) = window_in_logs(args, engine, settings).await?;
        let usage = analysis::usage(engine.session(), window).await?;
        Ok(Self {
            usage: Usage {
                trails,
                logs_until: logs.until,
                ..usage
            },
            snapshots: analysis::snapshots(engine.session()).await?,
        })
    }
}

/// The window that the user wants of the store that the engine has open.
pub(super) async fn window_of(args: &LogArgs, engine: &Engine, settings: &Settings) -> Result<Window, CliError> {
    Ok(window_in_logs(args, engine, settings).await?.0)
}

/// The window that the user wants, and what the logs cover.
async fn window_in_logs(args: &LogArgs, engine: &Engine, settings: &Settings) -> Result<(Window, Window), CliError> {
    engine.need_store()?;
    window(args, settings, analysis::extent(engine.session()).await?)
}

/// What it takes to say "unused".
pub(super) fn thresholds(args: &LogArgs) -> Thresholds {
    Thresholds {
        min_coverage: args.min_coverage,
        min_window_days: args.min_window,
    }
}

/// The principals that the user wants.
pub(super) fn wanted<'a>(args: &BasisArgs, mut subjects: Vec<Subject<'a>>) -> Result<Vec<Subject<'a>>, CliError> {
    for pattern in &args.principals {
        if !subjects.iter().any(|subject| is_named(subject, pattern)) {
            return Err(CliError::Usage {
                message: format!("no user or role of the snapshots and logs matches `{pattern}`"),
                hint: Some("`trimtrail diff` without `--principal` lists all".to_owned()),
            });
        }
    }
    for account in &args.accounts {
        if !subjects
            .iter()
            .any(|subject| subject.key.account_id() == Some(account.as_str()))
        {
            return Err(unknown_account(account));
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

/// What is said about an account of which there is nobody.
pub(super) fn unknown_account(account: &str) -> CliError {
    CliError::Usage {
        message: format!("no user or role of the snapshots and logs is of account `{account}`"),
        hint: Some("`trimtrail diff` without `--account` lists all".to_owned()),
    }
}

fn is_named(subject: &Subject<'_>, pattern: &str) -> bool {
    is_arn_named(&subject.key.arn, pattern)
}

/// Whether a pattern over ARNs and names means a user or role.
pub(super) fn is_arn_named(arn: &str, pattern: &str) -> bool {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    resource_matches(pattern, arn) || resource_matches(pattern, name)
}

/// Says on what the verdicts rest and what is missing; the status tells whether something is.
pub(super) fn tell_basis(
    args: &LogArgs,
    facts_date: &str,
    (subjects, estate): (&[Subject<'_>], &Estate<'_>),
    usage: &Usage,
    output: &mut Output,
) -> ExitStatus {
    let window = usage.window;
    let days = window.days();
    output.note(&format!(
        "window {} to {} ({}), facts of {}, \"unused\" needs {} and {} % of the hours",
        time(window.since),
        time(window.until),
        counted(days, "day"),
        facts_date,
        counted(args.min_window, "day"),
        args.min_coverage * 100.0,
    ));
    if days < args.min_window {
        output.warning(&format!(
            "nothing is called unused: the window has {} and {} are needed; `--min-window` asks for fewer",
            counted(days, "day"),
            args.min_window
        ));
    }
    if subjects.is_empty() {
        output.warning(
            "there is nothing to compare: the store has no IAM snapshot, and its logs no user or role; import one with \
             `trimtrail iam import`",
        );
        return ExitStatus::Incomplete;
    }
    tell_conditions(subjects, output);
    tell_controls((subjects, estate), output);
    let (is_with_accounts, with_gaps, outdated) = (
        tell_missing((subjects, estate), usage, output),
        tell_gaps(subjects, output),
        tell_outdated(subjects, window, output),
    );
    match is_with_accounts && with_gaps + outdated == 0 {
        true => ExitStatus::Done,
        false => ExitStatus::Incomplete,
    }
}

/// Says of which accounts there are no snapshots, no logs, or not all pages; true if there are none such.
fn tell_missing((subjects, estate): (&[Subject<'_>], &Estate<'_>), usage: &Usage, output: &mut Output) -> bool {
    let accounts = |is_meant: &dyn Fn(&Subject<'_>, &str) -> bool| -> BTreeSet<String> {
        let owned = subjects.iter().filter_map(|it| Some((it, it.key.account_id()?)));
        let meant = owned.filter(|(subject, account)| is_meant(subject, account));
        meant.map(|(_, account)| account.to_owned()).collect()
    };
    let told = [
        (
            "there is no IAM snapshot of",
            "import one with `trimtrail iam import`",
            accounts(&|subject, _| subject.absence == Some(Absence::NoSnapshot)),
        ),
        (
            "pages are missing from the IAM snapshot of",
            "import the files of all its pages together, from one folder",
            accounts(&|_, account| estate.partial_accounts().contains(account)),
        ),
        (
            "the logs hold nothing in the window of",
            "what is granted there is unknown, not unused",
            accounts(&|_, account| !usage.accounts.contains_key(account)),
        ),
    ];
    for (what, remedy, accounts) in &told {
        tell_accounts(what, remedy, accounts, output);
    }
    told.iter().all(|(.., accounts)| accounts.is_empty())
}

/// Says of which accounts the snapshots are much older than the window.
fn tell_outdated(subjects: &[Subject<'_>], window: Window, output: &mut Output) -> usize {
    let outdated = subjects.iter().filter_map(|subject| {
        let taken_at = subject.outdated_snapshot(window)?;
        Some(format!("{} (taken at {})", subject.key.account_id()?, time(taken_at)))
    });
    let outdated: BTreeSet<String> = outdated.collect();
    tell_accounts(
        &format!(
            "long before the window begins, at {}, was the IAM snapshot taken of",
            time(window.since)
        ),
        "what changed between stands nowhere; import a new one with `trimtrail iam import`",
        &outdated,
        output,
    );
    outdated.len()
}

/// Says of how many principals the snapshots do not show everything.
fn tell_gaps(subjects: &[Subject<'_>], output: &mut Output) -> usize {
    let has_gaps = |subject: &&Subject<'_>| subject.member.is_some_and(|member| !member.gaps().is_empty());
    let with_gaps = subjects.iter().filter(has_gaps).count();
    if with_gaps > 0 {
        let count = counted(with_gaps, "principal");
        output.warning(&format!("the IAM snapshots do not show all permissions of {count}"));
    }
    with_gaps
}

/// Names the statements with conditions that cannot be read.
fn tell_conditions(subjects: &[Subject<'_>], output: &mut Output) {
    let members = subjects.iter().filter_map(|subject| subject.member);
    let lines: Vec<String> = members.flat_map(|member| member.unknown_conditions()).collect();
    for line in lines.iter().take(TOLD_CONDITIONS) {
        output.warning(line);
    }
    let more = lines.len().saturating_sub(TOLD_CONDITIONS);
    if more > 0 {
        let more = counted(more, "more statement");
        output.warning(&format!("{more} with condition operators that are unknown"));
    }
}

/// Says of which accounts the control policies are not all known, so that none of them counts.
fn tell_controls((subjects, estate): (&[Subject<'_>], &Estate<'_>), output: &mut Output) {
    let members = subjects.iter().filter_map(|subject| subject.member);
    let unclear: BTreeSet<(&str, &str)> = members
        .filter_map(|member| estate.unclear_controls(member.principal))
        .collect();
    let accounts: BTreeSet<String> = unclear.iter().map(|(account, _)| (*account).to_owned()).collect();
    let nodes: BTreeSet<&str> = unclear.iter().map(|(_, node)| *node).collect();
    let told: Vec<&str> = nodes.into_iter().take(TOLD_ACCOUNTS).collect();
    tell_accounts(
        &format!(
            "the dump of the organization lacks control policies of {}, such as `FullAWSAccess`, without which nothing would be \
             allowed there; so none is set against",
            told.join(", ")
        ),
        "dump all policies with all their targets, and import that",
        &accounts,
        output,
    );
}

pub(super) fn tell_accounts(what: &str, remedy: &str, accounts: &BTreeSet<String>, output: &mut Output) {
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

/// The window that the user wants, or what the logs cover; and what they cover.
fn window(args: &LogArgs, settings: &Settings, extent: Option<Window>) -> Result<(Window, Window), CliError> {
    let given = |option: &str, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| parse_time_option(option, text, settings.now))
            .transpose()
    };
    let (since, until) = (given("--since", &args.since)?, given("--until", &args.until)?);
    let extent = extent.ok_or(CliError::NoEvents)?;
    let micros = |time: Option<Timestamp>| time.map(Timestamp::as_microsecond);
    let window = Window::within(extent, micros(since), micros(until));
    if window.is_empty() {
        return Err(CliError::Usage {
            message: format!(
                "the window is empty: it begins at {} and ends at {}",
                time(window.since),
                time(window.until)
            ),
            hint: Some(format!(
                "the logs reach from {} to {}",
                time(extent.since),
                time(extent.until)
            )),
        });
    }
    Ok((window, extent))
}
