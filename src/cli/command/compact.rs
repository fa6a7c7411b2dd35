//! `store compact`: few well-sized files in place of many small ones.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Date32Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::UInt64Array;
use arrow::error::ArrowError;
use uuid::Uuid;

use super::store::open_or_stop;
use crate::cli::args::StoreCompactArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::rows::Place;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::ingest::Compacted;
use crate::ingest::Compaction;
use crate::ingest::Compactions;
use crate::report::Arrangement;
use crate::report::ReportError;

const GROUPS: Arrangement = Arrangement {
    order: &["table", "event_date", "files", "rows", "bytes", "new_bytes"],
    wrapped: &[],
    heading: None,
};

/// Lists the small files that belong together, and rewrites them unless that is only tried.
///
/// # Errors
/// When there is no store, it cannot be read or written, or the rows cannot be written. What was rewritten before is listed.
pub(super) fn compact(
    args: &StoreCompactArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let place = Place::open(GROUPS, &args.output, settings)?;
    let location = args.location.location()?;
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal()?;
    let now = settings.now.as_microsecond();
    let writing_at = (!args.dry_run).then_some(now);
    let Some(store) = open_or_stop(&location, writing_at, (&runtime, &stop))? else {
        return Ok(stop.stopped());
    };
    let compaction = Compaction {
        store: &store,
        runtime: runtime.handle(),
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        run_id: &Uuid::new_v4().to_string(),
        now,
        stop: stop.raised(),
    };
    let done = match args.dry_run {
        true => compaction.plan().map(|groups| Compactions {
            groups,
            errors: Vec::new(),
        }),
        false => compaction.run(),
    };
    let Compactions { groups, mut errors } = match done {
        Err(_) if store.has_given_up() => return Ok(stop.stopped()),
        done => done?,
    };
    let rows = rows(&groups).map_err(ReportError::from)?;
    place.show(&rows, output)?;
    tell(args, &groups, output);
    let last = errors.pop();
    for error in errors {
        output.warning(&error.to_string());
    }
    match last {
        // The service does not answer, and the run was asked to stop: what is left is for the next one.
        Some(_) if store.has_given_up() => Ok(stop.stopped()),
        Some(error) => Err(error.into()),
        None => Ok(stop.status().unwrap_or(ExitStatus::Done)),
    }
}

fn tell(args: &StoreCompactArgs, groups: &[Compacted], output: &mut Output) {
    let is_meant = |group: &&Compacted| args.dry_run || group.written_bytes.is_some();
    let files: u64 = groups.iter().filter(is_meant).map(|group| group.files).sum();
    let made: u64 = groups.iter().filter(is_meant).map(|_| 1).sum();
    let verb = if args.dry_run {
        "would be rewritten"
    } else {
        "rewritten"
    };
    output.note(&format!("{verb}: {} into {made}", counted(files, "file")));
    let left: u64 = groups.iter().filter(|group| !is_meant(group)).map(|_| 1).sum();
    if left > 0 {
        output.note(&format!(
            "{} left as they are: another process changed them, they need more `--memory`, or a file cannot be read",
            counted(left, "group")
        ));
    }
}

fn rows(groups: &[Compacted]) -> Result<RecordBatch, ArrowError> {
    let all = || groups.iter();
    let tables: ArrayRef = Arc::new(StringArray::from_iter_values(all().map(|group| group.table.name())));
    let days: ArrayRef = Arc::new(all().map(|group| group.event_date).collect::<Date32Array>());
    let files: ArrayRef = Arc::new(UInt64Array::from_iter_values(all().map(|group| group.files)));
    let counts: ArrayRef = Arc::new(UInt64Array::from_iter_values(all().map(|group| group.rows)));
    let bytes: ArrayRef = Arc::new(UInt64Array::from_iter_values(all().map(|group| group.bytes)));
    let written: ArrayRef = Arc::new(all().map(|group| group.written_bytes).collect::<UInt64Array>());
    RecordBatch::try_from_iter_with_nullable([
        ("table", tables, false),
        ("event_date", days, true),
        ("files", files, false),
        ("rows", counts, false),
        ("bytes", bytes, false),
        ("new_bytes", written, true),
    ])
}
