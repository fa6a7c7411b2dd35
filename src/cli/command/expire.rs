//! `store expire`: events of old days go, their sums and the ledger stay.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Date32Array;
use arrow::array::RecordBatch;
use arrow::array::UInt64Array;
use arrow::error::ArrowError;
use uuid::Uuid;

use super::ingest::default_memory;
use super::store::open_or_stop;
use crate::analysis::moment;
use crate::cli::args::StoreExpireArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::rows::Place;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::time::parse_time_option;
use crate::iam::Facts;
use crate::ingest::Rebuild;
use crate::report::Arrangement;
use crate::report::ReportError;
use crate::schema::Table;
use crate::store::ExpiredDay;
use crate::store::Expiry;
use crate::store::Store;
use crate::store::UsageRollup;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

const DAYS: Arrangement = Arrangement {
    order: &["event_date", "events", "files", "bytes"],
    wrapped: &[],
    heading: None,
};

/// Lists the days of which events expire, and takes them out unless that is only tried.
///
/// # Errors
/// When the moment lies in the future, there is no store, it cannot be read or written, or the rows cannot be written.
pub(super) fn expire(args: &StoreExpireArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let now = settings.now.as_microsecond();
    let moment_before = parse_time_option("--events-older-than", &args.events_older_than, settings.now)?;
    let before = moment_before.as_microsecond().div_euclid(MICROSECONDS_PER_DAY);
    if before >= now.div_euclid(MICROSECONDS_PER_DAY) {
        return Err(CliError::Usage {
            message: format!("`--events-older-than {}` leaves no events", args.events_older_than),
            hint: Some("name an age such as `400d`, or a day that is past".to_owned()),
        });
    }
    let before = i32::try_from(before).unwrap_or(i32::MIN);
    let place = Place::open(DAYS, &args.output, settings)?;
    let location = args.location.location()?;
    let runtime = Runtime::start(settings.threads)?;
    let stop = StopFlag::on_signal()?;
    let writing_at = (!args.dry_run).then_some(now);
    let Some(store) = open_or_stop(&location, writing_at, (&runtime, &stop))? else {
        return Ok(stop.stopped());
    };
    let taken = match args.dry_run {
        true => runtime.run(async {
            Ok(Some(Expiry {
                days: store.days_before(before).await?,
                last_version: 0,
                kept_days: 0,
            }))
        }),
        false => take_out(&store, before, (&runtime, &stop), settings),
    };
    let taken = match taken {
        Err(_) if store.has_given_up() => None,
        taken => taken?,
    };
    let Some(expiry) = taken else {
        return Ok(stop.stopped());
    };
    let rows = rows(&expiry.days).map_err(ReportError::from)?;
    place.show(&rows, output)?;
    tell(args, &expiry, (before, now), output);
    Ok(stop.status().unwrap_or(ExitStatus::Done))
}

/// Says how much expired, and until when it can be looked at.
fn tell(args: &StoreExpireArgs, expiry: &Expiry, (before, now): (i32, i64), output: &mut Output) {
    let expired = &expiry.days;
    let events: u64 = expired.iter().map(|day| day.rows).sum();
    let verb = if args.dry_run { "would expire" } else { "expired" };
    let before = moment(i64::from(before) * MICROSECONDS_PER_DAY);
    output.note(&match expired.is_empty() {
        true => format!("{verb}: nothing, as the store has no events from before {before}"),
        false => format!(
            "{verb}: {} of {}, all from before {before}",
            counted(events, "event"),
            counted(expired.len(), "day"),
        ),
    });
    if !args.dry_run && !expired.is_empty() {
        let kept = i64::try_from(expiry.kept_days).unwrap_or_default() * MICROSECONDS_PER_DAY;
        output.note(&format!(
            "still on disk, and readable with `--at-version` up to {}, until {}",
            expiry.last_version,
            moment(now.saturating_add(kept))
        ));
    }
}

/// Takes the events of the days out of the store, all at once; `None` when the run is asked to stop before that.
fn take_out(
    store: &Store,
    before: i32,
    (runtime, stop): (&Runtime, &StopFlag),
    settings: &Settings,
) -> Result<Option<Expiry>, CliError> {
    sum_up(store, (runtime, stop), settings)?;
    if stop.status().is_some() {
        return Ok(None);
    }
    let (run_id, facts) = (Uuid::new_v4().to_string(), Facts::embedded().version());
    let now = settings.now.as_microsecond();
    runtime.run(async { Ok(Some(store.expire(before, &facts, (&run_id, now)).await?)) })
}

/// Makes the rollup anew if it does not have all events as the embedded facts tell them: what expires cannot be summed later.
///
/// A rollup with a file that is missing or damaged is an error while its rows can still be made from the events.
fn sum_up(store: &Store, (runtime, stop): (&Runtime, &StopFlag), settings: &Settings) -> Result<(), CliError> {
    let rollup = runtime.run(async {
        let version = store.snapshot(Table::Events).await?.version;
        if let Some(damage) = store.damaged_file(&store.snapshot(Table::Usage).await?) {
            return Err(damage.into());
        }
        Ok(store.usage_rollup(version, &Facts::embedded().version()).await?)
    })?;
    if matches!(rollup, UsageRollup::Behind(_)) {
        let rebuild = Rebuild {
            store,
            runtime: runtime.handle(),
            threads: settings.threads.get(),
            memory_bytes: default_memory(),
            now: settings.now.as_microsecond(),
            stop: Some(stop.raised()),
        };
        rebuild.run()?;
    }
    Ok(())
}

fn rows(days: &[ExpiredDay]) -> Result<RecordBatch, ArrowError> {
    let all = || days.iter();
    let dates: ArrayRef = Arc::new(Date32Array::from_iter_values(all().map(|day| day.event_date)));
    let events: ArrayRef = Arc::new(UInt64Array::from_iter_values(all().map(|day| day.rows)));
    let files: ArrayRef = Arc::new(UInt64Array::from_iter_values(all().map(|day| day.files)));
    let bytes: ArrayRef = Arc::new(UInt64Array::from_iter_values(all().map(|day| day.bytes)));
    RecordBatch::try_from_iter_with_nullable([
        ("event_date", dates, false),
        ("events", events, false),
        ("files", files, false),
        ("bytes", bytes, false),
    ])
}
