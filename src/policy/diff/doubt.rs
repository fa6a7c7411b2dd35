//! Why silence may prove nothing, for reasons that do not depend on the permission.

use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Thresholds;
use super::judge::Judge;
use super::reason::Reason;
use super::regions::RegionLimits;
use super::regions::is_unlimited;
use super::silence::statement_on_everything;
use super::visibility::Place;
use super::visibility::Trace;
use crate::event::only_home;
use crate::event::second_home;
use crate::iam::document::Statement;
use crate::policy::account_log::AccountLog;
use crate::policy::dates::usable_window;
use crate::policy::estate::Estate;
use crate::policy::estate::Member;
use crate::policy::estate::SeenByIam;
use crate::policy::trails::Trails;
use crate::policy::usage::Usage;
use crate::policy::window::Window;

/// Days that a snapshot may be younger than the logs, or older than the window: nobody gathers both at the same moment.
pub(super) const UNLOGGED_DAYS: i64 = 7;

/// What was found for one principal: each is looked for once.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    time: OnceCell<Option<Reason>>,
    region: OnceCell<Option<Reason>>,
    /// By region that records all calls of some service.
    home: RefCell<BTreeMap<&'static str, Option<Reason>>>,
    /// By region, for how many days it is cut off.
    cut_off: RefCell<BTreeMap<String, Option<usize>>>,
    /// By the time since when a grant counts.
    grant: RefCell<BTreeMap<i64, Option<Reason>>>,
    grants_seen: OnceCell<Result<Option<i64>, Reason>>,
}

/// Why regions of accounts may be lacking in their logs, so that nothing of an account is proven unused.
#[derive(Debug)]
pub struct RegionDoubts<'a> {
    usage: &'a Usage,
    seen_by_iam: SeenByIam<'a>,
    thresholds: Thresholds,
}

impl<'a> RegionDoubts<'a> {
    /// Looks at what the logs and the snapshots say.
    pub fn new(estate: &Estate<'a>, usage: &'a Usage, thresholds: Thresholds) -> Self {
        Self {
            usage,
            seen_by_iam: estate.seen_in(usage.window),
            thresholds,
        }
    }

    /// Why regions of an account with logs may be lacking; `None` if nothing says so.
    pub fn of(&self, account: &str) -> Option<Reason> {
        let log = self.usage.accounts.get(account)?;
        let unseen_regions = self.seen_by_iam.unseen_regions(Some(account), log);
        let known = (&self.usage.trails, unseen_regions.as_slice());
        region_doubt((account, log), known, (self.usage.window, self.thresholds))
    }
}

/// A snapshot shows what was granted when it was taken, and logs that end long before show nothing of that time.
pub(super) fn unlogged_days(member: &Member<'_>, usage: &Usage) -> Option<i64> {
    let log = usage.accounts.get(member.principal.account_id.as_deref()?)?;
    let after = Window {
        since: log.end((usage.window, usage.logs_until)),
        until: member.taken_at,
    };
    let days = after.whole_days();
    (days > UNLOGGED_DAYS).then_some(days)
}

/// Whether a credential report tells of the use of a user's keys and password up to about the end of a window.
pub(super) fn is_reported(member: &Member<'_>, window: Window) -> bool {
    let unreported = |reported_at| Window {
        since: reported_at,
        until: window.until,
    };
    member
        .reported_at
        .is_some_and(|reported_at| unreported(reported_at).whole_days() <= UNLOGGED_DAYS)
}

/// Why regions of an account may be lacking, from its logs, trails and the regions that IAM names and the logs do not have.
fn region_doubt(
    (account, log): (&str, &AccountLog),
    (trails, unseen_regions): (&Trails, &[String]),
    (window, thresholds): (Window, Thresholds),
) -> Option<Reason> {
    if !unseen_regions.is_empty() {
        return Some(Reason::RegionsNotIngested(unseen_regions.to_vec()));
    }
    let is_partial = log.coverage_of_all_regions(window).share() < thresholds.min_coverage;
    if is_partial && !log.partial_days.is_empty() {
        return Some(Reason::RegionsNotIngested(Vec::new()));
    }
    let mut regions = log.recorded_in.iter();
    let (only, None) = (regions.next()?, regions.next()) else {
        return None;
    };
    (!trails.records_all_regions(account)).then(|| Reason::OneRegion(only.clone()))
}

impl Judge<'_> {
    /// Why it proves nothing that nobody of the account was seen in a region.
    pub(super) fn doubt_of_regions(&self) -> Option<Reason> {
        self.log_doubt()
            .or_else(|| self.time_doubt())
            .or_else(|| self.region_doubt())
    }

    pub(super) fn log_doubt(&self) -> Option<Reason> {
        let has_events = self.log.is_some_and(|log| !log.days.is_empty());
        let reason = match self.log {
            Some(log) if log.has_excerpts => Reason::OnlyExcerpts,
            _ => Reason::AccountNotCovered,
        };
        (!has_events).then_some(reason)
    }

    /// Logs of which regions were left out show nothing of these. A trail of one region never sees the others, and logs of one
    /// region do not tell whether theirs is such a trail.
    pub(super) fn region_doubt(&self) -> Option<Reason> {
        self.doubts.region.get_or_init(|| self.find_region_doubt()).clone()
    }

    fn find_region_doubt(&self) -> Option<Reason> {
        let account = self.subject.key.account_id()?;
        let known = (&self.usage.trails, self.unseen_regions.as_slice());
        region_doubt((account, self.log?), known, (self.window, self.thresholds))
    }

    /// Logs that lack the region which records the calls, or the days of one of those which do, show no use.
    pub(super) fn place_doubt(&self, trace: &Trace, place: &Place<'_>) -> Option<Reason> {
        let partition = self.subject.key.arn.split(':').nth(1)?;
        if let Some(home) = only_home(trace.service, partition) {
            let mut known = self.doubts.home.borrow_mut();
            return known.entry(home).or_insert_with(|| self.find_home_doubt(home)).clone();
        }
        second_home(trace.action, partition)
            .and_then(|home| self.missing_home(home))
            .or_else(|| self.missing_regions(place))
            .or_else(|| self.cut_off_doubt(place))
    }

    /// Logs that hold nothing from a region show no use of the resources there.
    fn missing_regions(&self, place: &Place<'_>) -> Option<Reason> {
        if is_unlimited(place.statement) {
            return None;
        }
        let recorded = &place.log.recorded_in;
        let limits = RegionLimits::of(place.statement);
        if place.regions.is_empty() && !place.log.regions.is_empty() {
            return Some(Reason::NamedRegions(limits.told()));
        }
        if recorded.is_empty() || self.usage.trails.records_all_regions(place.account_id) {
            return None;
        }
        let missing = limits.named().into_iter().filter(|region| !recorded.contains(*region));
        let missing: Vec<String> = missing.map(str::to_owned).collect();
        (!missing.is_empty()).then_some(Reason::NamedRegions(missing))
    }

    fn find_home_doubt(&self, home: &'static str) -> Option<Reason> {
        if self.usage.trails.records_all_regions(self.subject.key.account_id()?) {
            return None;
        }
        if let Some(reason) = self.missing_home(home) {
            return Some(reason);
        }
        let coverage = self.log?.coverage_of_region(home, self.window)?;
        (coverage.share() < self.thresholds.min_coverage).then(|| Reason::RegionCoverage {
            region: home.to_owned(),
            days: coverage.lost_hours / 24,
        })
    }

    fn missing_home(&self, home: &'static str) -> Option<Reason> {
        let regions = &self.log?.recorded_in;
        let is_told = self.usage.trails.records_all_regions(self.subject.key.account_id()?);
        let is_missing = !is_told && !regions.is_empty() && !regions.contains(home);
        is_missing.then_some(Reason::GlobalServicesNotRecorded(home))
    }

    /// A region that was busy and falls silent while others go on may be one whose logs are lacking.
    pub(super) fn cut_off_doubt(&self, place: &Place<'_>) -> Option<Reason> {
        if self.usage.trails.records_all_regions(place.account_id) {
            return None;
        }
        let cut_off = |region: &String| Some((region.clone(), self.cut_off_days(place.log, region)?));
        let (region, days) = place.regions.iter().find_map(cut_off)?;
        Some(Reason::RegionCoverage {
            region,
            days: i64::try_from(days).unwrap_or(i64::MAX),
        })
    }

    fn cut_off_days(&self, log: &AccountLog, region: &str) -> Option<usize> {
        let mut known = self.doubts.cut_off.borrow_mut();
        if let Some(days) = known.get(region) {
            return *days;
        }
        let days = log.cut_off_days(region);
        known.insert(region.to_owned(), days);
        days
    }

    pub(super) fn time_doubt(&self) -> Option<Reason> {
        self.doubts.time.get_or_init(|| self.find_time_doubt()).clone()
    }

    fn find_time_doubt(&self) -> Option<Reason> {
        let (days, needed) = (self.window.days(), self.thresholds.min_window_days);
        if days < needed {
            return Some(Reason::WindowTooShort { days, needed });
        }
        let has_expired = |log: &&AccountLog| log.has_expired(self.window);
        if let Some(before) = self.log.filter(has_expired).and_then(|log| log.expired_before) {
            return Some(Reason::EventsExpired(before));
        }
        self.member_doubt().or_else(|| {
            let coverage = self.coverage?;
            (coverage.share() < self.thresholds.min_coverage).then_some(Reason::CoverageTooLow {
                lost_hours: coverage.lost_hours,
                hours: coverage.hours,
            })
        })
    }

    /// What the snapshot says of the principal against its silence.
    fn member_doubt(&self) -> Option<Reason> {
        let principal = self.subject.member.as_ref().map(|member| member.principal)?;
        if self.subject.is_replaced {
            return Some(Reason::ReplacedAfterSnapshot);
        }
        match principal.created_at {
            None => Some(Reason::AgeUnknown),
            Some(created_at) if created_at > self.window.since => Some(Reason::YoungerThanWindow),
            Some(_) if self.is_seen_by_iam && self.subject.deeds.first_seen.is_none() => {
                Some(Reason::UsedBeyondTheLogs)
            }
            Some(_) => self.subject.unlogged_days(self.usage).map(Reason::SnapshotAfterLogs),
        }
    }

    /// What conditions on the date allowed too briefly had no window of its own, nor had it where the logs lack that time.
    pub(super) fn date_doubt(&self, statement: &Statement) -> Option<Reason> {
        let needed = self.thresholds.min_window_days;
        let usable = usable_window(statement);
        let inside = Window {
            since: usable.since.max(self.window.since),
            until: usable.until.min(self.window.until),
        };
        let (days, is_narrowed) = (inside.whole_days().max(0), inside != self.window);
        match is_narrowed {
            true if days < needed => Some(Reason::DateCondition { days, needed }),
            true => self.coverage_doubt(inside),
            false => None,
        }
    }

    /// The logs must cover the part of the window in which a use could be seen.
    fn coverage_doubt(&self, part: Window) -> Option<Reason> {
        let coverage = self.log?.coverage(part);
        (coverage.share() < self.thresholds.min_coverage).then_some(Reason::CoverageTooLow {
            lost_hours: coverage.lost_hours,
            hours: coverage.hours,
        })
    }

    /// What was granted late must have had a window of its own.
    pub(super) fn grant_doubt(&self, since: i64) -> Option<Reason> {
        let mut known = self.doubts.grant.borrow_mut();
        known
            .entry(since)
            .or_insert_with(|| self.find_grant_doubt(since))
            .clone()
    }

    /// Since when it would have been seen that the principal was granted something, if not since the begin of the window, or
    /// why it would not. What nobody was seen to grant may have been granted yesterday where such calls are not recorded.
    pub(super) fn grants_seen_since(&self) -> Result<Option<i64>, Reason> {
        let seen = self.doubts.grants_seen.get_or_init(|| self.find_grants_seen_since());
        seen.clone().map_err(|reason| Reason::GrantsUnseen(Box::new(reason)))
    }

    fn find_grants_seen_since(&self) -> Result<Option<i64>, Reason> {
        let (Some(log), true) = (self.log, self.subject.member.is_some()) else {
            return Ok(None);
        };
        let trace = Trace::of_grants();
        let partition = self.subject.key.arn.split(':').nth(1).unwrap_or_default();
        let home = only_home(trace.service, partition);
        let regions = home.map(|home| BTreeSet::from([home.to_owned()]));
        let place = Place {
            account_id: self.account_id,
            log,
            regions: regions.as_ref().unwrap_or(&log.regions),
            trails: &self.usage.trails,
            statement: &statement_on_everything(),
        };
        // Nobody may have called the home for days: that it was recorded, and did not fall silent, is what can be asked for.
        let missing = home.and_then(|home| self.missing_home(home));
        let missing = missing.or_else(|| self.cut_off_doubt(&place));
        match missing.or_else(|| trace.hidden(&place)) {
            Some(reason) => Err(reason),
            None => trace.seen_since(&place, (self.window, self.thresholds.min_window_days)),
        }
    }

    fn find_grant_doubt(&self, since: i64) -> Option<Reason> {
        let needed = self.thresholds.min_window_days;
        let own = Window { since, ..self.window };
        let (days, is_short) = (own.whole_days(), own.whole_days() < needed);
        if is_short {
            return Some(Reason::GrantedRecently { days, needed });
        }
        self.coverage_doubt(own)
    }
}
