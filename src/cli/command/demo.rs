//! `demo`: what the program can do, on made-up logs.

mod grants;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::FieldRef;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use futures::StreamExt;
use tempfile::TempDir;

use super::balance::render;
use super::find_question;
use super::ingest::default_bar;
use super::ingest::default_options;
use super::ingest::load;
use super::query::load_library;
use crate::cli::args::ConnectionArgs;
use crate::cli::args::DemoArgs;
use crate::cli::args::EngineArgs;
use crate::cli::args::FactsFolderArgs;
use crate::cli::args::RoomArgs;
use crate::cli::args::StoreLocationArgs;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::query::Question;
use crate::report::Arrangement;
use crate::report::Format;
use crate::report::Limit;
use crate::report::ReportError;
use crate::report::ResultOptions;
use crate::report::TableShape;
use crate::report::wrapped;
use crate::sample::EstateConfig;
use crate::sample::write_estate;
use crate::schema::Table;
use crate::source;
use crate::store::Location;
use crate::store::Store;
use crate::store::StoreError;

/// A question that the demo answers.
struct Headline {
    id: &'static str,
    params: &'static [(&'static str, &'static str)],
    /// The columns that fit a terminal.
    columns: &'static [&'static str],
}

const HEADLINES: &[Headline] = &[
    Headline {
        id: "ingest-balance",
        params: &[],
        columns: &[
            "kind",
            "state",
            "objects",
            "stored",
            "duplicates",
            "rejected",
            "unaccounted",
        ],
    },
    Headline {
        id: "used-actions",
        params: &[("principal", "arn:aws:iam::111122223333:role/ci/github-deploy")],
        columns: &["action", "event_name", "succeeded", "denied"],
    },
    Headline {
        id: "unexpected-regions",
        params: &[("allowed", "eu-central-1,eu-west-1,us-west-2")],
        columns: &["serving_region", "event_source", "calls", "denied", "principal_arn"],
    },
    Headline {
        id: "secret-reads",
        params: &[("since", "2026-09-14")],
        columns: &["event_time", "principal_arn", "secret", "outcome"],
    },
    Headline {
        id: "root-use",
        params: &[],
        columns: &["event_time", "recipient_account_id", "event_name"],
    },
];

/// Column of ARNs that are shown by their last part.
const PRINCIPAL: &str = "principal_arn";

/// Names go on below where a terminal has no room for them.
const ARRANGEMENT: Arrangement = Arrangement {
    order: &["principal", "action", "secret"],
    wrapped: &[
        ("principal", 20),
        ("action", 20),
        ("secret", 20),
        ("event_source", 16),
        ("event_name", 16),
    ],
    heading: None,
};

/// Folder of the made-up logs, in the repository and in a store.
const LOGS: &str = "sample-logs";

/// Rows that are shown of an answer.
const SHOWN_ROWS: u64 = 12;

/// Loads the made-up logs and answers the main questions.
///
/// # Errors
/// When the store cannot be made, or stdout takes no more bytes.
pub fn demo(args: &DemoArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let temporary = temporary_folder(&std::env::temp_dir(), "trimtrail-demo-")?;
    let store = args
        .store
        .clone()
        .unwrap_or_else(|| temporary.path().join("store").display().to_string());
    let location = Location::parse(&store)?;
    let folder = location.folder().ok_or_else(|| CliError::Usage {
        message: format!("the demo keeps its logs beside its store, which cannot be in a bucket like `{store}`"),
        hint: Some("name a local folder".to_owned()),
    })?;
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal()?;
    refuse_other_logs(&location, &runtime)?;
    let now = settings.now.as_microsecond();
    runtime.run(async { Ok(Store::create_or_open(&location, now).await?) })?;
    let logs = sample_logs(folder, output)?;
    let listing = source::list(&[logs.join("AWSLogs").display().to_string()])?;
    let options = default_options(settings);
    let balance = load(&location, listing, &options, &default_bar(settings), (&stop, &runtime))?;
    if let Some(status) = stop.status() {
        return Ok(status);
    }
    output.print(&render(&balance))?;
    grants::import((&location, &logs.join("iam")), &runtime, settings, output)?;
    runtime.run(answer(&store, settings, output))?;
    if args.store.is_some() {
        output.note(&format!("the logs are in `{}`", logs.display()));
    }
    output.print(&next_steps(args.store.as_deref()))?;
    Ok(ExitStatus::Done)
}

fn temporary_folder(parent: &Path, prefix: &str) -> Result<TempDir, CliError> {
    TempDir::with_prefix_in(prefix, parent).map_err(|cause| CliError::Write {
        path: parent.to_owned(),
        cause,
    })
}

/// Refuses a store with logs of somebody: nothing takes events out of a store again.
fn refuse_other_logs(location: &Location, runtime: &Runtime) -> Result<(), CliError> {
    let opened = runtime.run(async { Ok(Store::open(location).await) })?;
    let store = match opened {
        Ok(store) => store,
        Err(StoreError::NotAStore { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let objects = runtime.run(async { Ok(store.snapshot(Table::Objects).await?) })?;
    let folder = format!("/{LOGS}/");
    let mut other = None;
    store.visit_ledger(&objects, |row| {
        if other.is_none() && !row.object_key.contains(&folder) {
            other = Some(row.object_key.to_owned());
        }
    })?;
    match other {
        None => Ok(()),
        Some(object) => Err(CliError::Usage {
            message: format!("the store holds other logs than the made-up ones of the demo, such as `{object}`"),
            hint: Some("name a folder of its own for the demo, such as `--store ./demo-store`".to_owned()),
        }),
    }
}

/// The committed sample logs when the program is run in its repository, else the same bytes, written anew. They are kept
/// as long as the store, because its rows name the files that they come from.
fn sample_logs(store: &Path, output: &mut Output) -> Result<PathBuf, CliError> {
    let are_there = |logs: &Path| {
        logs.join("expected.json").is_file() && ["AWSLogs", "iam"].iter().all(|folder| logs.join(folder).is_dir())
    };
    let committed = Path::new(LOGS);
    if are_there(committed) {
        output.note("reading `sample-logs`: the made-up logs of an organization, five accounts, four regions, 14 days");
        return Ok(committed.to_owned());
    }
    let logs = store.join(LOGS);
    if are_there(&logs) {
        return Ok(logs);
    }
    output.note("writing the made-up logs of an organization: five accounts, four regions, 14 days");
    // A store takes names with `#` for what a run that was cut off has left.
    let unfinished = temporary_folder(store, "#sample-logs-")?;
    write_estate(&EstateConfig::default(), &unfinished.path().join(LOGS))?;
    fs::rename(unfinished.path().join(LOGS), &logs).map_err(|cause| CliError::Write {
        path: logs.clone(),
        cause,
    })?;
    Ok(logs)
}

async fn answer(store: &str, settings: &Settings, output: &mut Output) -> Result<(), CliError> {
    let location = StoreLocationArgs::named(store);
    let args = EngineArgs {
        location,
        facts: FactsFolderArgs::default(),
        at_version: None,
        room: RoomArgs::default(),
        connection: ConnectionArgs::default(),
    };
    let engine = Engine::open(&args, settings).await?;
    let library = load_library(None)?;
    for headline in HEADLINES {
        let question = find_question(&library, headline.id)?;
        let asked = match settings.terminal_width {
            Some(width) => wrapped(&question.question, width),
            None => question.question.clone(),
        };
        output.print(&format!("\n{asked}\n$ {}\n\n", headline.command()))?;
        show(&engine, question, headline, settings, output).await?;
    }
    grants::show(&engine, settings, output).await
}

async fn show(
    engine: &Engine,
    question: &Question,
    headline: &Headline,
    settings: &Settings,
    output: &mut Output,
) -> Result<(), CliError> {
    let params = headline
        .params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let answer = engine.ask(question, &params.collect::<Vec<_>>()).await?;
    let indices = headline
        .columns
        .iter()
        .filter_map(|name| answer.schema.index_of(name).ok())
        .collect::<Vec<_>>();
    let schema = answer.schema.project(&indices).map_err(ReportError::from)?;
    let schema = Arc::new(named(&schema));
    let batches = answer.stream.map(|batch| {
        let batch = batch.map_err(CliError::from)?;
        let shown = batch.project(&indices).and_then(|batch| with_names(&batch, &schema));
        shown.map_err(|cause| CliError::from(ReportError::from(cause)))
    });
    let options = ResultOptions {
        format: Format::Table,
        limit: Limit::Preview(SHOWN_ROWS),
        width: settings.terminal_width,
        shape: TableShape::Lines,
        color: settings.color,
        csv_raw: false,
        arrangement: ARRANGEMENT,
    };
    let summary = rows::write_stream(&schema, batches, None, &options, output).await?;
    if summary.rows_beyond > 0 {
        output.print(&format!("… and {} more\n", summary.rows_beyond))?;
    }
    Ok(())
}

/// The columns, with that of principals by the name that [`with_names`] gives it.
fn named(schema: &Schema) -> Schema {
    let field = |field: &FieldRef| match field.name() == PRINCIPAL {
        true => Arc::new(Field::new("principal", DataType::Utf8, true)),
        false => Arc::clone(field),
    };
    Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>())
}

/// The rows, with the last part of the principals' ARNs in place of the ARNs: it says enough here, and fits a terminal.
fn with_names(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, column)| -> Result<ArrayRef, ArrowError> {
        if field.name() != PRINCIPAL {
            return Ok(Arc::clone(column));
        }
        let arns = cast(column, &DataType::Utf8)?;
        let arns = arns.as_string::<i32>().iter();
        let names = arns.map(|arn| arn.and_then(|arn| arn.rsplit('/').next()));
        Ok(Arc::new(names.collect::<StringArray>()))
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}

impl Headline {
    /// What the user would type.
    fn command(&self) -> String {
        let params = self
            .params
            .iter()
            .map(|(name, value)| format!(" --param {name}={value}"));
        format!("trimtrail query {}{}", self.id, params.collect::<String>())
    }
}

fn next_steps(store: Option<&str>) -> String {
    match store {
        Some(store) => format!(
            "\nTry next:\n  trimtrail diff --store {store} --min-window 14d -o report.html\n  \
             trimtrail policy --store {store} --min-window 14d --principal payments-task\n  \
             trimtrail sql --store {store}\n"
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
    fn headlines_are_questions_with_these_parameters_and_columns() {
        let library = load_library(None).unwrap();
        for headline in HEADLINES {
            let question = find_question(&library, headline.id).unwrap();
            for column in headline.columns {
                assert!(
                    question.columns.iter().any(|known| known.name == *column),
                    "{}: {column}",
                    headline.id
                );
            }
            for (name, _) in headline.params {
                assert!(
                    question.params.iter().any(|known| known.name == *name),
                    "{}: {name}",
                    headline.id
                );
            }
        }
    }
}
