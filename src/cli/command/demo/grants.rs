//! The part of the demo about what was granted: the made-up IAM snapshots, and what can be taken away.

use std::path::Path;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::analysis;
use crate::cli::args::LogArgs;
use crate::cli::basis::Basis;
use crate::cli::basis::thresholds;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::iam::Facts;
use crate::ingest::Import;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::Evidence;
use crate::policy::Holders;
use crate::policy::Mode;
use crate::policy::Proposer;
use crate::policy::Subject;
use crate::policy::Summary;
use crate::policy::Thresholds;
use crate::policy::Totals;
use crate::policy::Traces;
use crate::policy::subjects;
use crate::report::Format;
use crate::report::Limit;
use crate::report::PolicyFormat;
use crate::report::PolicyFrame;
use crate::report::ReportError;
use crate::report::ResultOptions;
use crate::report::TableShape;
use crate::report::policy_text;
use crate::report::short_name;
use crate::sample::EstateConfig;
use crate::source;
use crate::store::Location;
use crate::store::Store;

/// Days of the made-up logs; the default of `diff` needs more.
const MIN_WINDOW_DAYS: i64 = 14;

/// Rows that show what roles do not use.
const SHOWN_ROLES: usize = 8;

/// Brings the made-up IAM snapshots into the store; twice changes nothing.
pub(super) fn import(
    (location, folder): (&Location, &Path),
    runtime: &Runtime,
    settings: &Settings,
    output: &mut Output,
) -> Result<(), CliError> {
    let now = settings.now.as_microsecond();
    let listing = source::list(&[folder.display().to_string()])?;
    let store = runtime.run(async { Ok(Store::create_or_open(location, now).await?) })?;
    let import = Import {
        store: &store,
        runtime: runtime.handle(),
        run_id: Uuid::new_v4().to_string(),
        now,
        taken_at: Some(taken_at()),
    };
    import.run(listing)?;
    output.note("reading the organization's IAM snapshots, taken when the logs end");
    Ok(())
}

/// The end of the made-up logs.
fn taken_at() -> i64 {
    let config = EstateConfig::default();
    let end: Option<Date> = config.first_day.checked_add(jiff::Span::new().days(config.days)).ok();
    let end = end.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    end.map_or(0, |end| end.timestamp().as_microsecond())
}

/// Role whose policy is shown.
const SHOWN_POLICY: &str = "arn:aws:iam::111122223333:role/ecs/payments-execution";

/// Shows the roles that use least of what they are granted, and the policy that takes it away from one.
pub(super) async fn show(engine: &Engine, settings: &Settings, output: &mut Output) -> Result<(), CliError> {
    output.print(&format!(
        "\nWhat can be taken away?\n$ trimtrail diff --min-window {MIN_WINDOW_DAYS}d\n\n"
    ))?;
    let args = LogArgs {
        since: None,
        until: None,
        min_coverage: Thresholds::DEFAULT.min_coverage,
        min_window: MIN_WINDOW_DAYS,
        event_selectors: Vec::new(),
    };
    let Basis { usage, snapshots } = Basis::gather(&args, engine, settings).await?;
    let facts = Facts::embedded();
    let estate = Estate::newest(&snapshots);
    let subjects = subjects(&usage, &estate);
    let mut differ = Differ::new(facts, &usage, &estate, thresholds(&args));
    let (mut totals, mut ranked) = (Totals::default(), Vec::new());
    for subject in &subjects {
        let diff = differ.diff(subject);
        totals.add(&diff);
        if diff.summary.removable > 0 {
            ranked.push((subject.key.arn.as_str(), diff.summary));
        }
    }
    ranked.sort_by_key(|(arn, summary)| (usize::MAX - summary.removable, *arn));
    ranked.truncate(SHOWN_ROLES);
    rows::write_batch(&batch(&ranked)?, None, &options(settings), output)?;
    output.print(&format!(
        "… and {} more. Unused says what the logs prove: a window of {} days here, where\n30 are the rule. Unknown counts as kept: {} of {} permissions.\n",
        totals.principals.saturating_sub(ranked.len()),
        MIN_WINDOW_DAYS,
        totals.unknown,
        totals.granted,
    ))?;
    let evidence = Evidence {
        usage: &usage,
        estate: &estate,
        subjects: &subjects,
        traces: &Traces::default(),
        thresholds: thresholds(&args),
    };
    show_policy(engine, evidence, output).await
}

/// Shows the policy of one role without what it does not use.
async fn show_policy(engine: &Engine, evidence: Evidence<'_>, output: &mut Output) -> Result<(), CliError> {
    let Some(subject) = evidence.subjects.iter().find(|subject| subject.key.arn == SHOWN_POLICY) else {
        return Ok(());
    };
    output.print(&format!(
        "\nWhich policy would take it away from one of them?\n\
         $ trimtrail policy --min-window {MIN_WINDOW_DAYS}d --principal payments-execution --format diff\n\n"
    ))?;
    let chosen: [&Subject<'_>; 1] = [subject];
    let concerned = Holders::of(evidence.subjects).concerned(&chosen);
    let traces = analysis::traces(engine.session(), evidence.usage.window, &concerned).await?;
    let facts = Facts::embedded();
    let evidence = Evidence {
        traces: &traces,
        ..evidence
    };
    let proposal = Proposer::new(facts, evidence, Mode::Trim).propose(subject);
    let frame = PolicyFrame {
        mode: "trim",
        window: evidence.usage.window,
        thresholds: evidence.thresholds,
        facts_date: facts.catalogue_date(),
    };
    output.print(&policy_text(&[proposal], frame, PolicyFormat::Diff).content)
}

/// The columns that fit a terminal; account and name say enough here.
fn batch(ranked: &[(&str, Summary<'_>)]) -> Result<RecordBatch, CliError> {
    let counts = |number: fn(&Summary<'_>) -> usize| -> ArrayRef {
        let numbers = ranked
            .iter()
            .map(|(_, summary)| i64::try_from(number(summary)).unwrap_or(i64::MAX));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let names = ranked.iter().map(|(arn, _)| Some(short_name(arn)));
    let columns: [(&str, ArrayRef); 6] = [
        ("granted", counts(|summary| summary.granted)),
        ("used", counts(|summary| summary.used)),
        ("unknown", counts(|summary| summary.unknown)),
        ("removable", counts(|summary| summary.removable)),
        ("harmful", counts(|summary| summary.high_risk_removable)),
        ("principal", Arc::new(names.collect::<StringArray>())),
    ];
    Ok(RecordBatch::try_from_iter(columns).map_err(ReportError::from)?)
}

fn options(settings: &Settings) -> ResultOptions {
    ResultOptions {
        format: Format::Table,
        limit: Limit::All,
        width: settings.terminal_width,
        shape: TableShape::Lines,
        color: settings.color,
        csv_raw: false,
        arrangement: super::ARRANGEMENT,
    }
}
