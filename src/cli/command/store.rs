//! `store`: what a store holds and how it came to be; removing what is left over is left to `vacuum`.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Int32Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::array::TimestampMillisecondArray;
use arrow::array::UInt32Array;
use arrow::array::UInt64Array;
use arrow::error::ArrowError;

use super::compact::compact;
use super::expire::expire;
use super::ingest::default_memory;
use super::vacuum::vacuum;
use crate::cli::args::OutputArgs;
use crate::cli::args::RebuiltTable;
use crate::cli::args::StoreArgs;
use crate::cli::args::StoreCommand;
use crate::cli::args::StoreHistoryArgs;
use crate::cli::args::StoreInfoArgs;
use crate::cli::args::StoreRebuildArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::format_count;
use crate::cli::usage::note_expired;
use crate::ingest::Rebuild;
use crate::report::Arrangement;
use crate::report::ReportError;
use crate::schema::Table;
use crate::store::Commit;
use crate::store::Location;
use crate::store::Store;
use crate::store::StoreInfo;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// How much there is, and until when, before what programs ask about.
const TABLES: Arrangement = Arrangement {
    order: &[
        "table",
        "rows",
        "last_event_time",
        "bytes",
        "files",
        "version",
        "first_event_time",
        "events_version",
        "schema_version",
        "reader_version",
        "writer_version",
    ],
    wrapped: &[],
    heading: None,
};
const HISTORY: Arrangement = Arrangement {
    order: &[
        "version",
        "committed_at",
        "operation",
        "events",
        "objects",
        "rejects",
        "files",
        "run_id",
    ],
    wrapped: &[],
    heading: None,
};

/// Shows the tables of a store, or its versions, removes what is left over, or makes a table anew.
///
/// # Errors
/// When there is no store or it cannot be read, or the rows cannot be written.
pub fn store(args: &StoreArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    match &args.command {
        StoreCommand::Info(args) => info(args, settings, output),
        StoreCommand::History(args) => history(args, settings, output),
        StoreCommand::Compact(args) => compact(args, settings, output),
        StoreCommand::Expire(args) => expire(args, settings, output),
        StoreCommand::Vacuum(args) => vacuum(args, settings, output),
        StoreCommand::Rebuild(args) => rebuild(args, settings, output),
    }
}

fn info(args: &StoreInfoArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let (info, expired_before) = Runtime::start(settings.threads)?.run(async {
        let store = Store::open(&args.location.location()?).await?;
        let events = store.snapshot(Table::Events).await?;
        Ok((store.info().await?, events.expired_before()))
    })?;
    output.detail(&format!("store at `{}`", info.location));
    let status = show(info_rows(&info), TABLES, &args.output, settings, output)?;
    note_expired(expired_before.map(|day| i64::from(day) * MICROSECONDS_PER_DAY), output);
    Ok(status)
}

fn history(args: &StoreHistoryArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let limit = args
        .output
        .limit
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let commits = Runtime::start(settings.threads)?.run(async {
        let store = Store::open(&args.location.location()?).await?;
        Ok(store.history(args.table, limit).await?)
    })?;
    show(history_rows(&commits), HISTORY, &args.output, settings, output)
}

fn rebuild(args: &StoreRebuildArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let RebuiltTable::Usage = args.table;
    let location = args.location.location()?;
    let now = settings.now.as_microsecond();
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal()?;
    let Some(store) = open_or_stop(&location, Some(now), (&runtime, &stop))? else {
        return Ok(stop.stopped());
    };
    let rebuild = Rebuild {
        store: &store,
        runtime: runtime.handle(),
        threads: settings.threads.get(),
        memory_bytes: default_memory(),
        now,
        stop: Some(stop.raised()),
    };
    let made = match rebuild.run() {
        Err(_) if store.has_given_up() => None,
        made => made?,
    };
    let Some(made) = made else {
        return Ok(stop.stopped());
    };
    let expired = match made.expired_rows {
        0 => String::new(),
        rows => format!(", beside {} rows of expired days", format_count(rows)),
    };
    output.print(&format!(
        "usage    {} events = {} rows{expired}, up to version {} of the store\n",
        format_count(made.events),
        format_count(made.rows),
        made.version
    ))?;
    Ok(stop.status().unwrap_or(ExitStatus::Done))
}

/// Opens a store that is there, for writing at a moment or for reading only: one is made by `ingest` only.
///
/// `None` when the run is asked to stop meanwhile; later, requests that get no answer end soon after that.
pub(super) fn open_or_stop(
    location: &Location,
    writing_at: Option<i64>,
    (runtime, stop): (&Runtime, &StopFlag),
) -> Result<Option<Store>, CliError> {
    let opening = async {
        let store = Store::open(location).await?;
        match writing_at {
            None => Ok::<_, CliError>(store),
            Some(now) => {
                drop(store);
                Ok(Store::create_or_open(location, now).await?)
            }
        }
    };
    let opened = runtime.run(async { Ok(stop.or_stop(Box::pin(opening)).await) })?;
    let opened = opened.transpose()?;
    if let Some(store) = &opened {
        store.end_requests_after(stop.shared());
    }
    Ok(opened)
}

/// Writes rows to where the user wants them.
pub(super) fn show(
    rows: Result<RecordBatch, ArrowError>,
    arrangement: Arrangement,
    args: &OutputArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let rows = rows.map_err(ReportError::from)?;
    rows::show(&rows, arrangement, args, settings, output)?;
    Ok(ExitStatus::Done)
}

fn info_rows(info: &StoreInfo) -> Result<RecordBatch, ArrowError> {
    let tables = || info.tables.iter();
    let times =
        |times: Vec<Option<i64>>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")) };
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(tables().map(|table| table.table.name())));
    let versions: ArrayRef = Arc::new(UInt64Array::from_iter_values(tables().map(|table| table.version)));
    let events_versions: ArrayRef = Arc::new(tables().map(|table| table.events_version).collect::<UInt64Array>());
    let files: ArrayRef = Arc::new(UInt64Array::from_iter_values(tables().map(|table| table.files)));
    let counts: ArrayRef = Arc::new(UInt64Array::from_iter_values(tables().map(|table| table.rows)));
    let bytes: ArrayRef = Arc::new(UInt64Array::from_iter_values(tables().map(|table| table.bytes)));
    let first = times(tables().map(|table| table.first_event_time).collect());
    let last = times(tables().map(|table| table.last_event_time).collect());
    let schema_versions: ArrayRef = Arc::new(tables().map(|table| table.schema_version).collect::<UInt32Array>());
    let readers: ArrayRef = Arc::new(Int32Array::from_iter_values(tables().map(|table| table.reader_version)));
    let writers: ArrayRef = Arc::new(Int32Array::from_iter_values(tables().map(|table| table.writer_version)));
    RecordBatch::try_from_iter_with_nullable([
        ("table", names, false),
        ("version", versions, false),
        ("events_version", events_versions, true),
        ("files", files, false),
        ("rows", counts, false),
        ("bytes", bytes, false),
        ("first_event_time", first, true),
        ("last_event_time", last, true),
        ("schema_version", schema_versions, true),
        ("reader_version", readers, false),
        ("writer_version", writers, false),
    ])
}

fn history_rows(commits: &[Commit]) -> Result<RecordBatch, ArrowError> {
    let count = |count: fn(&crate::store::CommitCounts) -> u64| -> ArrayRef {
        Arc::new(
            commits
                .iter()
                .map(|commit| commit.counts.as_ref().map(count))
                .collect::<UInt64Array>(),
        )
    };
    let versions: ArrayRef = Arc::new(UInt64Array::from_iter_values(
        commits.iter().map(|commit| commit.version),
    ));
    let times = commits
        .iter()
        .map(|commit| commit.committed_at_ms)
        .collect::<TimestampMillisecondArray>();
    let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
    let operations: ArrayRef = Arc::new(
        commits
            .iter()
            .map(|commit| commit.operation.as_deref())
            .collect::<StringArray>(),
    );
    let runs: ArrayRef = Arc::new(
        commits
            .iter()
            .map(|commit| commit.run_id.as_deref())
            .collect::<StringArray>(),
    );
    RecordBatch::try_from_iter_with_nullable([
        ("version", versions, false),
        ("committed_at", times, true),
        ("operation", operations, true),
        ("events", count(|counts| counts.events), true),
        ("objects", count(|counts| counts.objects), true),
        ("rejects", count(|counts| counts.rejects), true),
        ("files", count(|counts| counts.files), true),
        ("run_id", runs, true),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::args::StoreLocationArgs;
    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;
    use crate::report::Format;
    use crate::schema::Table;

    fn created() -> (tempfile::TempDir, StoreLocationArgs) {
        let folder = tempfile::tempdir().unwrap();
        let location = StoreLocationArgs::named(folder.path().join("store").to_str().unwrap());
        let runtime = Runtime::start(headless().threads).unwrap();
        runtime
            .run(async { Ok(Store::create_or_open(&location.location()?, 1_788_220_800_000_000).await?) })
            .unwrap();
        (folder, location)
    }

    fn as_json() -> OutputArgs {
        OutputArgs {
            output: Some(Format::Json),
            ..OutputArgs::default()
        }
    }

    #[test]
    fn info_of_a_new_store_lists_its_tables() {
        let (_folder, location) = created();
        let (mut output, data, _) = captured(Verbosity::Normal);
        let args = StoreArgs {
            command: StoreCommand::Info(StoreInfoArgs {
                location,
                output: as_json(),
            }),
        };
        assert_eq!(store(&args, &headless(), &mut output).unwrap(), ExitStatus::Done);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&data.text()).unwrap();
        let tables: Vec<&str> = rows.iter().map(|row| row["table"].as_str().unwrap()).collect();
        assert_eq!(tables, ["events", "objects", "rejects", "usage"]);
        assert_eq!(rows[3]["events_version"], 0);
        assert_eq!(
            (&rows[0]["rows"], &rows[0]["first_event_time"]),
            (&0.into(), &serde_json::Value::Null)
        );
    }

    #[test]
    fn history_of_a_new_store_begins_with_its_creation() {
        let (_folder, location) = created();
        let (mut output, data, _) = captured(Verbosity::Normal);
        let args = StoreHistoryArgs {
            table: Table::Events,
            location,
            output: as_json(),
        };
        let args = StoreArgs {
            command: StoreCommand::History(args),
        };
        assert_eq!(store(&args, &headless(), &mut output).unwrap(), ExitStatus::Done);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&data.text()).unwrap();
        assert_eq!((rows.len(), &rows[0]["version"]), (1, &0.into()));
        assert_eq!(rows[0]["committed_at"], "2026-09-01T00:00:00Z");
    }

    #[test]
    fn history_keeps_its_times_on_a_narrow_terminal() {
        let (_folder, location) = created();
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let args = StoreArgs {
            command: StoreCommand::History(StoreHistoryArgs {
                table: Table::Events,
                location,
                output: OutputArgs::default(),
            }),
        };
        let narrow = Settings {
            stdout_is_terminal: true,
            terminal_width: Some(80),
            ..headless()
        };
        store(&args, &narrow, &mut output).unwrap();
        assert!(data.text().contains("2026-09-01T00:00:00Z"), "{}", data.text());
        assert!(data.text().starts_with("version  committed_at"), "{}", data.text());
        assert!(
            messages.text().contains("further columns are left out"),
            "{}",
            messages.text()
        );
    }

    #[test]
    fn missing_store_is_an_error_that_names_it() {
        let (mut output, _, _) = captured(Verbosity::Normal);
        let location = StoreLocationArgs::named("/nonexistent/store");
        let args = StoreArgs {
            command: StoreCommand::Info(StoreInfoArgs {
                location,
                output: as_json(),
            }),
        };
        let error = store(&args, &headless(), &mut output).unwrap_err();
        assert!(error.to_string().contains("`/nonexistent/store`"), "{error}");
        assert_eq!(error.exit_status(), ExitStatus::Failed);
    }
}
