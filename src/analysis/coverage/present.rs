//! Logs that the ledger knows, by account, region and hour of delivery.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::chains::file_name;
use super::model::HOUR;
use crate::integrity::Place;
use crate::integrity::PresentLog;

const HOURS_PER_DAY: i64 = 24;

/// Logs of one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PresentHour {
    pub(super) present: u64,
    pub(super) ingested: u64,
    pub(super) rejected: u64,
    pub(super) records_rejected: u64,
    /// The first object that could not be read.
    pub(super) first_rejected: Option<String>,
    /// The first object with a record that could not be stored.
    pub(super) first_partial: Option<String>,
}

/// One object as the ledger has it.
#[derive(Debug, Clone, Default)]
pub(super) struct LedgerObject<'a> {
    pub(super) uri: &'a str,
    pub(super) account_id: &'a str,
    pub(super) region: &'a str,
    pub(super) day: Option<i64>,
    pub(super) kind: &'a str,
    pub(super) state: &'a str,
    pub(super) rejected: u64,
    pub(super) ingested_at: i64,
    pub(super) selected_regions: Option<&'a str>,
}

/// The ledger, counted.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By account and region, then by number of the hour.
    pub(super) hours: BTreeMap<(String, String), BTreeMap<i64, PresentHour>>,
    /// By account and day: the only regions that were read; absent where a run read all.
    selected: BTreeMap<(String, i64), Option<BTreeSet<String>>>,
    /// When the newest object was read.
    pub(super) newest_run: Option<i64>,
}

impl Ledger {
    pub(super) fn note(&mut self, object: &LedgerObject<'_>) {
        self.newest_run = self.newest_run.max(Some(object.ingested_at));
        if let Some(day) = object.day {
            self.note_selection(object, day);
        }
        let name = file_name(object.uri);
        let pair = (object.account_id.to_owned(), object.region.to_owned());
        let hours = self.hours.entry(pair).or_default();
        // Events are stored whatever the name of their object says.
        let holds_events = matches!(object.kind, "events" | "excerpt");
        if !holds_events && name.split('_').nth(1) != Some("CloudTrail") {
            return;
        }
        let delivered = PresentLog::new(Place::new("", name)).delivered_at;
        let start_of_day = object.day.map(|day| day.saturating_mul(HOURS_PER_DAY));
        let Some(hour) = delivered.map(|moment| moment.div_euclid(HOUR)).or(start_of_day) else {
            return;
        };
        let counted = hours.entry(hour).or_default();
        counted.records_rejected += object.rejected;
        let first = |known: &mut Option<String>| {
            if known.as_deref().is_none_or(|known| object.uri < known) {
                *known = Some(object.uri.to_owned());
            }
        };
        if object.rejected > 0 && object.state == "partial" {
            first(&mut counted.first_partial);
        }
        if object.state != "vanished" {
            counted.present += 1;
        }
        match object.state {
            "ingested" | "partial" | "not-events" => counted.ingested += 1,
            _ => {
                counted.rejected += 1;
                first(&mut counted.first_rejected);
            }
        }
    }

    fn note_selection(&mut self, object: &LedgerObject<'_>, day: i64) {
        let key = (object.account_id.to_owned(), day);
        let selected = self.selected.entry(key).or_insert_with(|| Some(BTreeSet::new()));
        match (object.selected_regions, selected.as_mut()) {
            (None, _) => *selected = None,
            (Some(regions), Some(known)) => {
                known.extend(regions.split(',').map(|region| region.trim().to_owned()));
            }
            (Some(_), None) => {}
        }
    }

    /// Whether only runs that were told to read other regions read this hour's day of the account.
    pub(super) fn is_left_out(&self, account_id: &str, region: &str, hour: i64) -> bool {
        let key = (account_id.to_owned(), hour.div_euclid(HOURS_PER_DAY));
        let selected = self.selected.get(&key).and_then(Option::as_ref);
        selected.is_some_and(|regions| !regions.contains(region))
    }
}
