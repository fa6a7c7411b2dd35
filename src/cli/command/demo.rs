//! `demo`: what the program can do, on made-up logs.

use std::path::Path;

use futures::StreamExt;
use tempfile::TempDir;

use super::find_question;
use super::ingest::balance;
use super::ingest::load;
use super::query::load_library;
use crate::cli::args::DemoArgs;
use crate::cli::args::EngineArgs;
use crate::cli::args::StoreLocationArgs;
use crate::cli::args::When;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::ingest::IngestOptions;
use crate::query::Question;
use crate::report::Format;
use crate::report::Limit;
use crate::report::ReportError;
use crate::report::ResultOptions;
use crate::report::TableShape;
use crate::sample::EstateConfig;
use crate::sample::write_estate;
use crate::store::Location;

/// Questions that the demo answers, and the columns of each that fit a terminal.
const HEADLINES: &[(&str, &[&str])] = &[
    (
        "ingest-balance",
        &[
            "kind",
            "state",
            "objects",
            "records",
            "stored",
            "duplicates",
            "rejected",
            "unaccounted",
        ],
    ),
    (
        "used-actions",
        &["principal_arn", "event_source", "event_name", "succeeded", "denied"],
    ),
    (
        "unexpected-regions",
        &["serving_region", "principal_arn", "event_source", "calls", "reason"],
    ),
    (
        "secret-reads",
        &["outcome", "event_time", "principal_arn", "session_name", "secret"],
    ),
    (
        "root-use",
        &[
            "event_time",
            "recipient_account_id",
            "event_name",
            "mfa_authenticated",
            "source_ip_address",
        ],
    ),
];

/// Rows that are shown of each answer; the first, which is the balance, is shown whole.
const SHOWN_ROWS: u64 = 6;

/// Line width where the terminal does not say.
const DEFAULT_WIDTH: usize = 120;

/// Loads the made-up logs and answers the main questions.
///
/// # Errors
/// When the store cannot be made, or stdout takes no more bytes.
pub fn demo(args: &DemoArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let temporary = TempDir::with_prefix("trimtrail-demo-").map_err(|cause| CliError::Write {
        path: std::env::temp_dir(),
        cause,
    })?;
    let logs = temporary.path().join("logs");
    let store = args
        .store
        .clone()
        .unwrap_or_else(|| temporary.path().join("store").display().to_string());
    output.note("writing the made-up logs of an organization: five accounts, four regions, 14 days");
    write_estate(&EstateConfig::default(), &logs)?;
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal(&runtime);
    let location = Location::parse(&store)?;
    let summary = load(
        &location,
        &ingest_options(&logs, settings),
        When::Auto,
        &stop,
        &runtime,
        settings,
    )?;
    if let Some(status) = stop.status() {
        return Ok(status);
    }
    output.print(&balance(&summary))?;
    runtime.run(answer(&store, settings, output))?;
    output.print(&next_steps(args.store.as_deref()))?;
    Ok(ExitStatus::Done)
}

fn ingest_options(logs: &Path, settings: &Settings) -> IngestOptions {
    IngestOptions {
        sources: vec![logs.display().to_string()],
        accounts: Vec::new(),
        regions: Vec::new(),
        from_micros: None,
        to_micros: None,
        max_inflated_bytes: 2 << 30,
        max_record_bytes: 1 << 20,
        memory_bytes: 256 << 20,
        threads: settings.threads,
        now_micros: settings.now.as_microsecond(),
    }
}

async fn answer(store: &str, settings: &Settings, output: &mut Output) -> Result<(), CliError> {
    let location = StoreLocationArgs {
        store: store.to_owned(),
    };
    let args = EngineArgs {
        location,
        at_version: None,
        memory: 512 << 20,
        temp_dir: None,
    };
    let engine = Engine::open(&args, settings).await?;
    let library = load_library(None)?;
    for (index, (id, columns)) in HEADLINES.iter().enumerate() {
        let limit = if index == 0 {
            Limit::All
        } else {
            Limit::First(SHOWN_ROWS)
        };
        show(&engine, find_question(&library, id)?, columns, limit, settings, output).await?;
    }
    Ok(())
}

async fn show(
    engine: &Engine,
    question: &Question,
    columns: &[&str],
    limit: Limit,
    settings: &Settings,
    output: &mut Output,
) -> Result<(), CliError> {
    output.print(&format!("\n{}\n`trimtrail query {}`\n", question.question, question.id))?;
    let answer = engine.ask(question, &[]).await?;
    let indices = columns
        .iter()
        .filter_map(|name| answer.schema.index_of(name).ok())
        .collect::<Vec<_>>();
    let schema = answer.schema.project(&indices).map_err(ReportError::from)?;
    let batches = answer.stream.map(|batch| {
        let batch = batch.map_err(CliError::from)?;
        batch
            .project(&indices)
            .map_err(|cause| CliError::from(ReportError::from(cause)))
    });
    let options = ResultOptions {
        format: Format::Table,
        limit,
        width: Some(settings.terminal_width.unwrap_or(DEFAULT_WIDTH)),
        shape: TableShape::Lines,
        color: settings.color,
        csv_raw: false,
    };
    rows::write_stream(&schema.into(), batches, None, &options, output).await?;
    Ok(())
}

fn next_steps(store: Option<&str>) -> String {
    match store {
        Some(store) => format!(
            "\nTry next:\n  trimtrail sql --store {store}\n  trimtrail query used-actions --store {store}\n  \
             trimtrail query secret-reads --store {store} -o secret-reads.csv\n"
        ),
        None => "\nTry next:\n  trimtrail demo --store ./demo-store\n  trimtrail sql --store ./demo-store\n  \
                 trimtrail ingest YOUR-LOGS\n"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_are_questions_with_these_columns() {
        let library = load_library(None).unwrap();
        for (id, columns) in HEADLINES {
            let question = find_question(&library, id).unwrap();
            for column in *columns {
                assert!(
                    question.columns.iter().any(|known| known.name == *column),
                    "{id}: {column}"
                );
            }
        }
    }
}
