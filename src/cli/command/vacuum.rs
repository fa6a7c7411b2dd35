//! `store vacuum`: files that killed runs left.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::array::UInt64Array;
use arrow::error::ArrowError;

use super::store::open_or_stop;
use crate::cli::args::StoreVacuumArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::rows::Place;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_size;
use crate::cli::time::parse_time_option;
use crate::report::Arrangement;
use crate::report::ReportError;
use crate::store::LEAST_AGE;
use crate::store::Leftover;

const FILES: Arrangement = Arrangement {
    order: &["path", "bytes", "last_modified"],
    wrapped: &[("path", 40)],
    heading: None,
};

/// Lists what is left over, and removes it unless that is only tried.
///
/// # Errors
/// When the age is too small, there is no store, it cannot be read or a file cannot be removed, or the rows cannot be
/// written.
pub(super) fn vacuum(args: &StoreVacuumArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let before = parse_time_option("--older-than", &args.older_than, settings.now)?.as_microsecond();
    if settings.now.as_microsecond().saturating_sub(before) < LEAST_AGE {
        return Err(CliError::Usage {
            message: format!("`--older-than {}` is less than a day", args.older_than),
            hint: Some("a run may still be about to commit younger files; `7d` is the default".to_owned()),
        });
    }
    let place = Place::open(FILES, &args.output, settings)?;
    let location = args.location.location()?;
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal()?;
    let Some(store) = open_or_stop(&location, None, (&runtime, &stop))? else {
        return Ok(stop.stopped());
    };
    let removing = async {
        let leftovers = store.leftovers(before).await?;
        if !args.dry_run {
            store.remove_leftovers(&leftovers).await?;
        }
        Ok::<_, CliError>(leftovers)
    };
    // Whatever moment it is cut off at, nothing is gone that anybody needs.
    let removed = runtime.run(async { Ok(stop.or_stop(Box::pin(removing)).await) })?;
    let leftovers = match removed {
        None => return Ok(stop.stopped()),
        Some(Err(_)) if store.has_given_up() => return Ok(stop.stopped()),
        Some(leftovers) => leftovers?,
    };
    let rows = rows(&leftovers).map_err(ReportError::from)?;
    place.show(&rows, output)?;
    let files = u64::try_from(leftovers.len()).unwrap_or(u64::MAX);
    let bytes = leftovers.iter().map(|leftover| leftover.bytes).sum();
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    output.note(&format!("{verb}: {}, {}", counted(files, "file"), format_size(bytes)));
    Ok(ExitStatus::Done)
}

fn rows(leftovers: &[Leftover]) -> Result<RecordBatch, ArrowError> {
    let all = || leftovers.iter();
    let paths: ArrayRef = Arc::new(StringArray::from_iter_values(all().map(|leftover| &leftover.path)));
    let bytes: ArrayRef = Arc::new(UInt64Array::from_iter_values(all().map(|leftover| leftover.bytes)));
    let times = TimestampMicrosecondArray::from_iter_values(all().map(|leftover| leftover.modified_at));
    let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
    RecordBatch::try_from_iter_with_nullable([
        ("path", paths, false),
        ("bytes", bytes, false),
        ("last_modified", times, false),
    ])
}
