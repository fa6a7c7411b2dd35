//! The store: whether it is there, whole and writable.

use super::bucket;
use super::check::Check;
use super::machine::space_check;
use crate::cli::error::CliError;
use crate::cli::size::counted;
use crate::cli::size::format_size;
use crate::schema;
use crate::source::S3Options;
use crate::store::Location;
use crate::store::Store;
use crate::store::StoreError;

/// Space that a run should find on the disk of the store.
const WANTED_BYTES: u64 = 1 << 30;
const SEE_DOCS: &str = "see docs/store.md and docs/s3.md";

/// Looks at a store, and changes nothing.
pub(super) async fn checks(location: &Location, options: &S3Options) -> Result<Vec<Check>, CliError> {
    let place = location.display().to_string();
    let mut checks = Vec::new();
    if location.folder().is_none() {
        let (found, is_reached) = bucket::store_checks(&place, options).await?;
        checks = found;
        if !is_reached {
            return Ok(checks);
        }
    }
    match Store::open(location).await {
        Ok(store) => {
            let version = store.version().await?;
            let found = format!("version {version}, schema version {}", schema::SCHEMA_VERSION);
            checks.push(Check::ok("store", &place, found));
            checks.push(files_check(&place, &store).await);
        }
        Err(StoreError::NotAStore { .. }) => checks.push(match Store::check_vacant(location).await {
            Ok(()) => Check::ok("store", &place, "none yet; the first `ingest` makes it"),
            Err(error) => error_check("store", &place, &error),
        }),
        Err(error @ StoreError::PathIsFile { .. }) => {
            checks.push(error_check("store", &place, &error));
            return Ok(checks);
        }
        Err(error) => checks.push(error_check("store", &place, &error)),
    }
    checks.push(match Store::probe_writable(location).await {
        Ok(None) => Check::ok("store writable", &place, "yes"),
        Ok(Some(fault)) => {
            let (found, remedy) = fault.found_and_remedy();
            let found = format!("yes, but what is written to try it stays: {found}");
            Check::warning("store writable", &place, found, remedy.unwrap_or(SEE_DOCS))
        }
        Err(error) => error_check("store writable", &place, &error),
    });
    if let Some(folder) = location.folder() {
        checks.extend(space_check("store space", folder, WANTED_BYTES));
    }
    Ok(checks)
}

async fn files_check(place: &str, store: &Store) -> Check {
    match damage(store).await {
        Ok(None) => unnamed_check(place, store).await,
        Ok(Some(error)) | Err(error) => error_check("store files", place, &error),
    }
}

/// The first data file of the newest version that is missing or damaged.
async fn damage(store: &Store) -> Result<Option<StoreError>, StoreError> {
    for table in store.tables().await? {
        let snapshot = store.snapshot(table).await?;
        if let Some(error) = store.damaged_file(&snapshot) {
            return Ok(Some(error));
        }
    }
    Ok(None)
}

async fn unnamed_check(place: &str, store: &Store) -> Check {
    match store.unnamed_files().await {
        Ok(unnamed) if unnamed.files == 0 => Check::ok("store files", place, "every data file belongs to a table"),
        Ok(unnamed) => Check::warning(
            "store files",
            place,
            format!(
                "{} of no table, {}",
                counted(unnamed.files, "data file"),
                format_size(unnamed.bytes)
            ),
            "nothing, if a run is writing now or `trimtrail commit` is still to come; else a run was cut off, no query sees \
             what it left, and `trimtrail store vacuum` removes it after a week",
        ),
        Err(error) => error_check("store files", place, &error),
    }
}

fn error_check(name: &'static str, place: &str, error: &StoreError) -> Check {
    let text = error.to_string();
    let (found, remedy) = text.split_once("; ").unwrap_or((&text, SEE_DOCS));
    Check::failure(name, place, found, remedy)
}
