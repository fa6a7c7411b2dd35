//! What is said of one account in one region, hour by hour.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::chains::Chains;
use super::chains::DigestHour;
use super::chains::file_name;
use super::changes::Absence;
use super::changes::absences;
use super::cover::Cover;
use super::cover::HourCover;
use super::model::CoverageCounts;
use super::model::CoverageRow;
use super::model::CoverageState;
use super::model::Gap;
use super::model::GapKind;
use super::model::HOUR;
use super::model::RegionCoverage;
use super::model::Step;
use super::model::hours_of;
use super::model::moment;
use super::named::NamedLog;
use super::present::PresentHour;
use super::read::CoverageBasis;
use super::read::EventHour;
use super::unproven::lost;
use super::unproven::lost_log;
use super::unproven::unproven;
use crate::integrity::GroupReport;
use crate::integrity::Recorded;

/// Digests are delivered some time after their hour: what a run could not yet see is not missing.
const DIGEST_DELAY: i64 = 2 * HOUR;

/// How long behind the hour of a call a digest that is lost may have named its log, as `verify` reads them.
const NAMING_HOURS: i64 = 2;

/// All that is known of one account in one region.
struct Pair<'a> {
    basis: &'a CoverageBasis,
    account_id: &'a str,
    region: &'a str,
    chains: Chains,
    /// Which times of the window digests are about.
    cover: Cover,
    /// By number of the hour: objects with events that no digest proves.
    unproven: BTreeMap<i64, Vec<Gap>>,
    /// By number of the hour: logs with events of it that are not there as digests name them.
    lost: BTreeMap<i64, Vec<Gap>>,
    /// Numbers of hours of which a digest was made that is not there as it was.
    lost_digests: BTreeSet<i64>,
    absences: Vec<Absence>,
    /// Hashes of every log that is there, by file name: of each copy and version of it.
    hashes: BTreeMap<&'a str, Vec<Option<&'a str>>>,
    present: BTreeMap<i64, PresentHour>,
    events: BTreeMap<i64, EventHour>,
}

impl CoverageBasis {
    /// What is said of an account in a region, from its objects; `verdicts` says which digests are valid.
    pub fn judge(
        &self,
        (account_id, region): (&str, &str),
        objects: &[Recorded],
        verdicts: Option<&GroupReport>,
        step: Step,
    ) -> RegionCoverage {
        let chains = Chains::new(objects, verdicts);
        let key = (account_id.to_owned(), region.to_owned());
        let mut hashes: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
        for log in objects.iter().filter(|object| !object.is_digest) {
            let copies = hashes.entry(file_name(&log.uri)).or_default();
            copies.push(log.sha256.as_deref());
        }
        let mut pair = Pair {
            basis: self,
            account_id,
            region,
            absences: absences(
                &self.changes,
                (account_id, self.last_event_of(account_id)),
                &chains.trails(),
            ),
            cover: chains.cover(self.window),
            unproven: unproven(objects, &chains, self.window),
            lost: lost(&chains, &hashes, self.window),
            lost_digests: BTreeSet::new(),
            chains,
            hashes,
            present: self.ledger.hours.get(&key).cloned().unwrap_or_default(),
            events: self.events.get(&key).cloned().unwrap_or_default(),
        };
        RegionCoverage {
            rows: pair.rows(step),
            account_id: account_id.to_owned(),
            region: region.to_owned(),
        }
    }
}

impl Pair<'_> {
    fn rows(&mut self, step: Step) -> Vec<CoverageRow> {
        let window = self.basis.window;
        let newest = self.basis.ledger.newest_run.unwrap_or(window.until);
        // Digests behind the window name the last of its logs.
        let behind = window.until.saturating_add(NAMING_HOURS * HOUR);
        let until = behind.min(newest.saturating_sub(DIGEST_DELAY));
        let mut digests = self.chains.hours((window.since, until), &self.absences);
        let lost = digests.iter().filter(|(_, digests)| digests.is_lost);
        self.lost_digests = lost.map(|(hour, _)| *hour).collect();
        let mut rows: Vec<CoverageRow> = Vec::new();
        for hour in hours_of(window) {
            let row = self.hour(hour, digests.remove(&hour).unwrap_or_default());
            match rows.last_mut() {
                Some(last) if step.joins(last.start.div_euclid(HOUR), hour) => last.absorb(row),
                _ => rows.push(row),
            }
        }
        rows
    }

    fn hour(&self, hour: i64, digests: DigestHour) -> CoverageRow {
        let present = self.present.get(&hour).cloned().unwrap_or_default();
        let events = self.events.get(&hour).cloned().unwrap_or_default();
        let named = u64::try_from(digests.named.len()).unwrap_or(u64::MAX);
        let (missing, changed, mut gaps) = self.compare(hour, &digests.named);
        gaps.extend(digests.gaps);
        gaps.extend(rejected(&present));
        let cover = self.cover.hour(hour);
        self.add_unproven(hour, cover, &mut gaps);
        if cover == HourCover::Whole {
            gaps.extend(self.open_delivery(hour));
            gaps.extend(stray(&events).filter(|_| !gaps.iter().any(|gap| gap.kind == GapKind::LogNotNamed)));
        }
        let is_broken = gaps
            .iter()
            .any(|gap| gap.kind.is_loss() && !matches!(gap.kind, GapKind::LoggingStopped | GapKind::TrailDeleted));
        let is_open = gaps
            .iter()
            .any(|gap| matches!(gap.kind, GapKind::LogNotCovered | GapKind::DeliveryOpen));
        let state = match cover {
            _ if is_broken => CoverageState::Incomplete,
            HourCover::Whole if !is_open => CoverageState::Complete,
            HourCover::Whole => CoverageState::Recorded,
            _ if events.events > 0 || present.present > 0 => CoverageState::Recorded,
            _ => CoverageState::Silent,
        };
        match (state, cover) {
            // What a digest proves needs no explanation.
            (CoverageState::Complete, _) => gaps.clear(),
            (_, HourCover::Part(start, end)) if gaps.is_empty() => gaps.push(Gap {
                kind: GapKind::Unknown,
                detail: format!("no digest is about the time from {} to {}", moment(start), moment(end)),
            }),
            (CoverageState::Silent, _) if gaps.is_empty() => gaps.push(self.silence(hour)),
            _ => {}
        }
        gaps.extend(self.expiry(hour));
        gaps.sort_by_key(|gap| gap.kind);
        let mut row = CoverageRow::of_hour(hour, state, gaps);
        row.counts = CoverageCounts {
            digests_expected: digests.expected,
            digests_found: digests.found,
            digests_valid: digests.valid,
            logs_named: named,
            logs_missing: missing,
            logs_changed: changed,
            logs_present: present.present,
            logs_ingested: present.ingested,
            logs_rejected: present.rejected,
            records_rejected: present.records_rejected,
            events: events.events,
        };
        (row.first_event, row.last_event) = (events.first, events.last);
        row
    }

    /// Logs that the digests name that are of an hour, counted: those that are not there, and not as they were. And what is said
    /// of these, and of other logs with events of the hour.
    fn compare(&self, hour: i64, named: &BTreeMap<String, NamedLog>) -> (u64, u64, Vec<Gap>) {
        let (mut missing, mut changed) = (0, 0);
        let mut gaps: Vec<Gap> = Vec::new();
        let mut tell = |gap: Gap| {
            if !gaps.iter().any(|known| known.kind == gap.kind) {
                gaps.push(gap);
            }
        };
        for gap in named
            .iter()
            .filter_map(|(name, stated)| lost_log(name, stated, &self.hashes))
        {
            match gap.kind {
                GapKind::LogMissing => missing += 1,
                _ => changed += 1,
            }
            tell(gap);
        }
        self.lost.get(&hour).into_iter().flatten().cloned().for_each(tell);
        (missing, changed, gaps)
    }

    /// What is said of objects with events of an hour that no digest proves; that one was changed also where digests are not about
    /// the hour.
    fn add_unproven(&self, hour: i64, cover: HourCover, gaps: &mut Vec<Gap>) {
        for gap in self.unproven.get(&hour).into_iter().flatten() {
            let is_told = gaps.iter().any(|known| known.kind == gap.kind);
            if !is_told && (cover == HourCover::Whole || gap.kind == GapKind::LogChanged) {
                gaps.push(gap.clone());
            }
        }
    }

    /// Whether logs of an hour may be missing though digests are about all of it: they are delivered some minutes after the calls,
    /// or later (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html>), and only digests of the
    /// hours behind name them.
    fn open_delivery(&self, hour: i64) -> Option<Gap> {
        let end = hour.saturating_add(1).saturating_mul(HOUR).min(self.basis.window.until);
        let is_lost = self.lost_digests.range(hour + 1..=hour + NAMING_HOURS).next().is_some();
        let detail = match self.cover.between(end, end.saturating_add(HOUR)) {
            HourCover::Whole if is_lost => "a digest is lost of the two hours behind",
            HourCover::Whole => return None,
            _ => "no digest is about the hour behind",
        };
        Some(Gap {
            kind: GapKind::DeliveryOpen,
            detail: format!("{detail} {}, in which the last logs are delivered", moment(end)),
        })
    }

    /// Whether the events of an hour are gone.
    fn expiry(&self, hour: i64) -> Option<Gap> {
        let before = self.basis.expired_before?;
        let is_expired = hour.saturating_mul(HOUR) < before;
        is_expired.then(|| Gap {
            kind: GapKind::EventsExpired,
            detail: format!("events from before {} have expired", moment(before)),
        })
    }

    /// Why nothing is there, as far as something says so.
    fn silence(&self, hour: i64) -> Gap {
        let (start, end) = (hour.saturating_mul(HOUR), hour.saturating_add(1).saturating_mul(HOUR));
        if let Some(absence) = self.absences.iter().find(|it| it.explains(None, start, end)) {
            return absence.gap.clone();
        }
        let gap = |kind, detail: String| Gap { kind, detail };
        if self.basis.ledger.is_left_out(self.account_id, self.region, hour) {
            let detail = "only runs that were told to read other regions read this day";
            return gap(GapKind::RegionLeftOut, detail.to_owned());
        }
        if self.present.is_empty() && self.events.is_empty() && self.chains.is_empty() {
            let detail = "the store has neither logs nor digests of this account in this region";
            return gap(GapKind::RegionNeverActive, detail.to_owned());
        }
        match self.basis.extent_of(self.account_id) {
            Some((first, _)) if end <= first => gap(
                GapKind::BeforeFirstLog,
                format!("the logs of the account begin at {}", moment(first)),
            ),
            Some((_, last)) if start > last => gap(
                GapKind::AfterLastLog,
                format!("the logs of the account end at {}", moment(last)),
            ),
            _ => gap(
                GapKind::Unknown,
                "nothing is there, and no digest says whether there was something".to_owned(),
            ),
        }
    }
}

/// CloudTrail delivers the events of an account to its own folder alone
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>): what lies in that of
/// another one adds events, or takes the place of others with the same id.
fn stray(events: &EventHour) -> Option<Gap> {
    events.stray.as_deref().map(|uri| Gap {
        kind: GapKind::LogNotNamed,
        detail: format!(
            "`{}` holds events of the account, and lies in the folder of another",
            file_name(uri)
        ),
    })
}

fn rejected(present: &PresentHour) -> Vec<Gap> {
    let object = present.first_rejected.as_ref().map(|uri| Gap {
        kind: GapKind::ObjectRejected,
        detail: format!("`{uri}` could not be read"),
    });
    let record = present.first_partial.as_ref().map(|uri| Gap {
        kind: GapKind::RecordRejected,
        detail: format!("`{uri}` has records that could not be stored"),
    });
    object.into_iter().chain(record).collect()
}
