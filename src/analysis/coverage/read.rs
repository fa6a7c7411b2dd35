//! What the coverage is made of, from the store.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use arrow::array::RecordBatch;

use super::changes::Change;
use super::present::Ledger;
use super::present::LedgerObject;
use crate::analysis::AnalysisError;
use crate::analysis::columns::Columns;
use crate::analysis::columns::Unreadable;
use crate::analysis::evidence::each_batch;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::QuerySession;

/// Most accounts times regions of which all are shown, also those without logs: who writes forged records can name many.
const MOST_PAIRS: usize = 20_000;

/// Digits of the id of an account.
const ACCOUNT_DIGITS: usize = 12;

/// Longest window, in days: one row per account, region and day, and forged records may be of any year.
pub const MOST_COVERAGE_DAYS: i64 = 4_000;

/// Events of one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EventHour {
    pub(super) events: u64,
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    /// An object with some of them that lies in the folder of another account.
    pub(super) stray: Option<String>,
}

/// What the coverage of a window is made of, but for the digests, which are read one account and region at a time.
#[derive(Debug)]
pub struct CoverageBasis {
    pub(super) window: Window,
    pub(super) changes: Vec<Change>,
    pub(super) ledger: Ledger,
    /// Events from before this moment have expired.
    pub(super) expired_before: Option<i64>,
    pub(super) events: BTreeMap<(String, String), BTreeMap<i64, EventHour>>,
    /// Accounts that the store knows, with or without logs.
    accounts: BTreeSet<String>,
    /// First and last event of each account in the window.
    extents: BTreeMap<String, (i64, i64)>,
}

/// Reads what the coverage of a window is made of.
pub async fn coverage_basis(session: &QuerySession, window: Window) -> Result<CoverageBasis, AnalysisError> {
    let mut basis = CoverageBasis {
        window,
        changes: Vec::new(),
        ledger: Ledger::default(),
        expired_before: None,
        events: BTreeMap::new(),
        accounts: BTreeSet::new(),
        extents: BTreeMap::new(),
    };
    let bounds = [("since", window.since), ("until", window.until)];
    each_batch(session, EvidenceQuery::CoverageEvents, &bounds, |batch| {
        Ok(read_events(batch, &mut basis)?)
    })
    .await?;
    each_batch(session, EvidenceQuery::CoverageObjects, &[], |batch| {
        Ok(read_objects(batch, &mut basis.ledger)?)
    })
    .await?;
    each_batch(session, EvidenceQuery::CoverageAccounts, &[], |batch| {
        Ok(read_accounts(batch, &mut basis.accounts)?)
    })
    .await?;
    let until = [("until", window.until)];
    each_batch(session, EvidenceQuery::CoverageChanges, &until, |batch| {
        Ok(read_changes(batch, &mut basis.changes)?)
    })
    .await?;
    basis.expired_before = session.expired_before();
    Ok(basis)
}

impl CoverageBasis {
    /// Every account with every region of the store, in order; of very many, those with logs, and accounts without any in one
    /// region.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let seen: BTreeSet<&(String, String)> = self.ledger.hours.keys().chain(self.events.keys()).collect();
        let with_logs: BTreeSet<&String> = seen.iter().map(|(account, _)| account).collect();
        let accounts: BTreeSet<&String> = with_logs.iter().copied().chain(&self.accounts).collect();
        let regions: BTreeSet<&String> = seen.iter().map(|(_, region)| region).collect();
        if accounts.len().saturating_mul(regions.len()) > MOST_PAIRS {
            let without = accounts.difference(&with_logs).zip(regions.first().into_iter().cycle());
            let without = without.map(|(account, region)| ((*account).clone(), (*region).clone()));
            return without
                .chain(seen.into_iter().cloned())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
        }
        let pairs = accounts.into_iter().flat_map(|account| {
            let regions = regions.iter();
            regions.map(move |region| (account.clone(), (*region).clone()))
        });
        pairs.collect()
    }

    /// Whether the ledger has objects of an account in a region.
    pub fn has_objects(&self, account_id: &str, region: &str) -> bool {
        self.ledger
            .hours
            .contains_key(&(account_id.to_owned(), region.to_owned()))
    }

    /// The last event of an account in the window.
    pub(super) fn last_event_of(&self, account_id: &str) -> Option<i64> {
        self.extent_of(account_id).map(|(_, last)| last)
    }

    /// First and last event of an account in the window.
    pub(super) fn extent_of(&self, account_id: &str) -> Option<(i64, i64)> {
        self.extents.get(account_id).copied()
    }
}

fn read_events(batch: &RecordBatch, basis: &mut CoverageBasis) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (accounts, regions) = (columns.texts("account_id")?, columns.texts("region")?);
    let (hours, counts) = (columns.integers("hour")?, columns.integers("events")?);
    let (firsts, lasts) = (columns.times("first_event")?, columns.times("last_event")?);
    let strays = columns.texts("stray_object")?;
    for row in 0..batch.num_rows() {
        let Some(((account, region), hour)) = accounts.text(row).zip(regions.text(row)).zip(hours.integer(row)) else {
            continue;
        };
        let (first, last) = (firsts.time(row), lasts.time(row));
        let counted = EventHour {
            events: counts.count(row),
            first,
            last,
            stray: strays.text(row).map(str::to_owned),
        };
        let pair = (account.to_owned(), region.to_owned());
        basis.events.entry(pair).or_default().insert(hour, counted);
        if let Some((first, last)) = first.zip(last) {
            let extent = basis.extents.entry(account.to_owned()).or_insert((first, last));
            *extent = (extent.0.min(first), extent.1.max(last));
        }
    }
    Ok(())
}

fn read_objects(batch: &RecordBatch, ledger: &mut Ledger) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (uris, accounts) = (columns.texts("object_key")?, columns.texts("account_id")?);
    let (regions, days) = (columns.texts("region")?, columns.integers("day")?);
    let kinds = columns.texts("kind")?;
    let (states, rejected) = (columns.texts("state")?, columns.integers("rejected")?);
    let (times, selected) = (columns.times("ingested_at")?, columns.texts("selected_regions")?);
    for row in 0..batch.num_rows() {
        ledger.note(&LedgerObject {
            uri: uris.text(row).unwrap_or_default(),
            account_id: accounts.text(row).unwrap_or_default(),
            region: regions.text(row).unwrap_or_default(),
            day: days.integer(row),
            kind: kinds.text(row).unwrap_or_default(),
            state: states.text(row).unwrap_or_default(),
            rejected: rejected.count(row),
            ingested_at: times.time(row).unwrap_or_default(),
            selected_regions: selected.text(row),
        });
    }
    Ok(())
}

fn read_accounts(batch: &RecordBatch, accounts: &mut BTreeSet<String>) -> Result<(), Unreadable> {
    let ids = Columns::new(batch).texts("account_id")?;
    let ids = (0..batch.num_rows()).filter_map(|row| ids.text(row));
    let is_account = |id: &&str| id.len() == ACCOUNT_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit());
    accounts.extend(ids.filter(is_account).map(str::to_owned));
    Ok(())
}

fn read_changes(batch: &RecordBatch, changes: &mut Vec<Change>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (times, calls) = (columns.times("event_time")?, columns.texts("call")?);
    let (accounts, trails) = (columns.texts("account_id")?, columns.texts("trail")?);
    let (validations, subjects) = (columns.texts("validation")?, columns.texts("subject")?);
    let (regions, handshakes) = (columns.texts("region")?, columns.texts("handshake")?);
    let of_organization = columns.texts("of_organization")?;
    for row in 0..batch.num_rows() {
        let text = |text: Option<&str>| text.map(str::to_owned);
        changes.push(Change {
            at: times.time(row).unwrap_or_default(),
            call: calls.text(row).unwrap_or_default().to_owned(),
            account_id: accounts.text(row).unwrap_or_default().to_owned(),
            trail: text(trails.text(row)),
            validation: text(validations.text(row)),
            subject: text(subjects.text(row)),
            region: text(regions.text(row)),
            is_of_organization: of_organization.text(row) == Some("true"),
            handshake: text(handshakes.text(row)),
        });
    }
    Ok(())
}
