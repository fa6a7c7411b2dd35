//! What the ledger says about where to go on.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::date;

use super::error::IngestError;
use crate::source::History;
use crate::source::LedgerObject;
use crate::store::LedgerRow;
use crate::store::RunLimits;
use crate::store::Store;
use crate::store::TableSnapshot;
use crate::store::VANISHED_STATE;

const EPOCH: Date = date(1970, 1, 1);

/// Reads from a snapshot of `objects` what need not be listed again, and what a run with these limits must try again; blocks
/// on file reads.
///
/// # Errors
///
/// A ledger file cannot be read.
pub fn history(store: &Store, objects: &TableSnapshot, limits: &RunLimits) -> Result<History, IngestError> {
    let mut history = History::default();
    store.visit_ledger(objects, |row| history.add(&object(&row, limits)))?;
    if history.has_pending() {
        store.visit_ledger(objects, |row| history.settle(&object(&row, limits)))?;
    }
    Ok(history)
}

fn object<'a>(row: &LedgerRow<'a>, limits: &RunLimits) -> LedgerObject<'a> {
    LedgerObject {
        uri: row.object_key,
        etag: row.etag,
        size: row.size,
        last_modified: row.last_modified,
        ingested_at: row.ingested_at,
        is_retried: row.is_retried(limits),
        is_vanished: row.state == VANISHED_STATE,
        endpoint: row.endpoint,
        listed_from: row.listed_from.and_then(|days| EPOCH.checked_add(days.days()).ok()),
    }
}
