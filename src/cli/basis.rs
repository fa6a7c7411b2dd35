//! On what verdicts rest: the window, the evidence, the snapshots and the principals that the user asks for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::args::BasisArgs;
use super::engine::Engine;
use super::error::CliError;
use super::exit::ExitStatus;
use super::output::Output;
use super::settings::Settings;
use super::size::format_count;
use super::time::parse_time_option;
use super::trails;
use crate::analysis;
use crate::iam::resource_matches;
use crate::policy::Absence;
use crate::policy::Subject;
use crate::policy::TakenSnapshot;
use crate::policy::Thresholds;
use crate::policy::Usage;
use crate::policy::Window;
use crate::store::StoreError;

/// Accounts that are named one by one.
const TOLD_ACCOUNTS: usize = 10;

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
    pub(super) async fn gather(args: &BasisArgs, engine: &Engine, settings: &Settings) -> Result<Self, CliError> {
        if let Some(StoreError::NotAStore { path }) = engine.missing_store() {
            return Err(StoreError::NotAStore { path: path.clone() }.into());
        }
        let trails = trails::read(&args.event_selectors)?;
        let window = window(args, settings, analysis::extent(engine.session()).await?)?;
        let usage = analysis::usage(engine.session(), window).await?;
        Ok(Self {
            usage: Usage { trails, ..usage },
            snapshots: analysis::snapshots(engine.session()).await?,
        })
    }
}

/// What it takes to say "unused".
pub(super) fn thresholds(args: &BasisArgs) -> Thresholds {
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
            return Err(CliError::Usage {
                message: format!("no user or role of the snapshots and logs is of account `{account}`"),
                hint: Some("`trimtrail diff` without `--account` lists all".to_owned()),
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

/// Says on what the verdicts rest and what is missing; the status tells whether something is.
pub(super) fn tell_basis(
    args: &BasisArgs,
    facts_date: &str,
    subjects: &[Subject<'_>],
    usage: &Usage,
    output: &mut Output,
) -> ExitStatus {
    let window = usage.window;
    let days = window.days();
    output.note(&format!(
        "window {} to {} ({days} days), facts of {}, \"unused\" needs {} days and {} % of the hours",
        time(window.since),
        time(window.until),
        facts_date,
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

/// A moment as text.
pub(super) fn time(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}

/// The window that the user wants, or what the logs cover.
fn window(args: &BasisArgs, settings: &Settings, extent: Option<Window>) -> Result<Window, CliError> {
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
    Ok(window)
}
