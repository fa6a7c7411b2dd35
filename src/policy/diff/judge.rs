//! The verdict on one permission of one principal.

use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Row;
use super::Thresholds;
use super::Verdict;
use super::reason::NotGranted;
use super::reason::Reason;
use super::subject::Absence;
use super::subject::Subject;
use super::summary::Activity;
use super::visibility::Place;
use super::visibility::Trace;
use crate::event::global_home;
use crate::iam::ActionId;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::account_log::AccountLog;
use crate::policy::account_log::Coverage;
use crate::policy::grant::Grant;
use crate::policy::grant::Permissions;
use crate::policy::grant::Standing;
use crate::policy::resource::covers;
use crate::policy::snapshot::Principal;
use crate::policy::trails::Trails;
use crate::policy::usage::ActionUse;
use crate::policy::window::Window;

/// What the verdicts on one principal rest on.
#[derive(Debug)]
pub(super) struct Judge<'s> {
    pub(super) subject: &'s Subject<'s>,
    /// Its account; empty if it has none.
    pub(super) account_id: &'s str,
    pub(super) log: Option<&'s AccountLog>,
    pub(super) coverage: Option<Coverage>,
    pub(super) trails: &'s Trails,
    pub(super) window: Window,
    pub(super) thresholds: Thresholds,
    /// Why the snapshot does not show all of its permissions.
    pub(super) gap: Option<String>,
    /// Calls that map to no action, by the services that they may belong to.
    pub(super) unmapped: Vec<(Vec<&'static str>, String)>,
    /// Regions in which IAM saw principals of the account in the window, and of which the logs hold nothing.
    pub(super) unseen_regions: Vec<String>,
    pub(super) doubts: Doubts,
}

/// Why silence may prove nothing, for reasons that do not depend on the permission: each is looked for once.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    time: OnceCell<Option<Reason>>,
    region: OnceCell<Option<Reason>>,
    global: OnceCell<Option<Reason>>,
    cut_off: OnceCell<Option<Reason>>,
    /// By the time since when a grant counts.
    grant: RefCell<BTreeMap<i64, Option<Reason>>>,
}

/// A statement, and since when it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'g, 's> {
    pub(super) grant: &'g Grant<'s>,
    /// When it came into force, if that was inside or after the window.
    pub(super) since: Option<i64>,
    /// Whether its policy was changed after the snapshot was taken.
    pub(super) is_outdated: bool,
}

impl<'s> Judge<'s> {
    /// What the logs show of an action.
    pub(super) fn evidence(&self, action: &str) -> Option<&'s ActionUse> {
        self.subject.deeds.actions.get(action)
    }

    /// The verdict on an action of a statement, and since when a use would have been seen, if that was inside the window.
    pub(super) fn granted(
        &self,
        trace: &Trace,
        (id, action): (ActionId, &str),
        held: Held<'_, '_>,
        permissions: &Permissions<'_>,
    ) -> (Verdict, Option<i64>) {
        let nothing = ActionUse::default();
        let evidence = self.evidence(action).unwrap_or(&nothing);
        if let Some(verdict) = seen(evidence, id, held.grant, permissions) {
            return (verdict, None);
        }
        match self.seen_since(trace, held) {
            Ok(since) => (Verdict::Unused, since),
            Err(reason) => (Verdict::Unknown(reason), None),
        }
    }

    /// The verdict on what was done without a grant; `None` if nothing certain was done.
    pub(super) fn not_granted(&self, evidence: &ActionUse, standing: &Standing<'_, '_>) -> Option<Verdict> {
        if evidence.used == 0 {
            return (evidence.denied > 0).then_some(Verdict::DeniedAttempt);
        }
        let reason = match (self.subject.absence, standing) {
            (Some(Absence::NoSnapshot), _) => return Some(Verdict::Unknown(Reason::NoSnapshot)),
            (Some(Absence::LacksPages), _) => {
                let gap = "it lacks pages, and may have the principal on one of these".to_owned();
                return Some(Verdict::Unknown(Reason::SnapshotGaps(gap)));
            }
            (Some(Absence::NotInSnapshot), _) => NotGranted::NotInSnapshot,
            (Some(Absence::OtherPrincipal), _) => NotGranted::OtherPrincipal,
            (None, Standing::Denied(_)) => NotGranted::Denied,
            (None, Standing::OutsideBoundary) => NotGranted::OutsideBoundary,
            (None, Standing::OutsideOrganization) => NotGranted::OutsideOrganization,
            (None, _) => NotGranted::NoStatement,
        };
        Some(match &self.gap {
            Some(gap) if reason == NotGranted::NoStatement => Verdict::Unknown(Reason::SnapshotGaps(gap.clone())),
            _ => Verdict::UsedNotGranted(reason),
        })
    }

    /// Whether the principal did anything in the window. Where a use of nothing that it may do would be seen, silence says nothing.
    pub(super) fn activity(&self, rows: &[Row<'_>]) -> Activity {
        let of_row = |row: &Row<'_>| match &row.verdict {
            Verdict::Unknown(reason) => Some(reason.clone()),
            _ => None,
        };
        let doubt = || {
            self.log_doubt()
                .or_else(|| self.time_doubt())
                .or_else(|| self.region_doubt())
                .or_else(|| {
                    rows.iter()
                        .all(|row| of_row(row).is_some())
                        .then(|| rows.first().and_then(of_row))?
                })
        };
        match (self.subject.deeds.first_seen, doubt()) {
            (Some(_), _) => Activity::Active,
            (None, None) => Activity::NeverUsed,
            (None, Some(reason)) => Activity::Unknown(reason),
        }
    }

    /// Since when a use would have been seen, if not since the begin of the window, or why the lack of evidence proves nothing.
    pub(super) fn seen_since(&self, trace: &Trace, held: Held<'_, '_>) -> Result<Option<i64>, Reason> {
        let statement = held.grant.statement;
        let log = match (self.log, &self.gap, self.log_doubt()) {
            (_, Some(gap), _) => return Err(Reason::SnapshotGaps(gap.clone())),
            (Some(log), None, None) => log,
            (_, _, reason) => return Err(reason.unwrap_or(Reason::AccountNotCovered)),
        };
        // A role that was called in some regions may be relied upon in these; for one that was not, all of the account count.
        let regions = match self.subject.deeds.regions.is_empty() {
            true => &log.regions,
            false => &self.subject.deeds.regions,
        };
        let place = Place {
            account_id: self.account_id,
            log,
            regions,
            trails: self.trails,
            statement,
        };
        let never = trace.never.clone();
        let outdated = held.is_outdated.then_some(Reason::ChangedAfterSnapshot);
        let doubt = never
            .or(outdated)
            .or_else(|| self.time_doubt())
            .or_else(|| self.grant_doubt(held.since?))
            .or_else(|| self.region_doubt())
            .or_else(|| match trace.is_global {
                true => self.global_doubt(),
                false => self.cut_off_doubt(&place),
            })
            .or_else(|| trace.hidden(&place))
            .or_else(|| self.unmapped_call(trace.service, statement));
        match doubt {
            Some(reason) => Err(reason),
            None => trace.seen_since(&place, (self.window, self.thresholds.min_window_days)),
        }
    }

    /// Why it proves nothing that nobody of the account was seen in a region.
    pub(super) fn doubt_of_regions(&self) -> Option<Reason> {
        self.log_doubt()
            .or_else(|| self.time_doubt())
            .or_else(|| self.region_doubt())
    }

    fn log_doubt(&self) -> Option<Reason> {
        let has_events = self.log.is_some_and(|log| !log.days.is_empty());
        (!has_events).then_some(Reason::AccountNotCovered)
    }

    /// Logs of which regions were left out show nothing of these. A trail of one region never sees the others, and logs of one
    /// region do not tell whether theirs is such a trail.
    fn region_doubt(&self) -> Option<Reason> {
        self.doubts.region.get_or_init(|| self.find_region_doubt()).clone()
    }

    fn find_region_doubt(&self) -> Option<Reason> {
        if !self.unseen_regions.is_empty() {
            return Some(Reason::RegionsNotIngested(self.unseen_regions.clone()));
        }
        let log = self.log?;
        let is_partial = log.coverage_of_all_regions(self.window).share() < self.thresholds.min_coverage;
        if is_partial && !log.partial_days.is_empty() {
            return Some(Reason::RegionsNotIngested(Vec::new()));
        }
        let account = self.subject.key.account_id()?;
        let mut regions = log.recorded_in.iter();
        let (only, None) = (regions.next()?, regions.next()) else {
            return None;
        };
        let is_told = self.trails.records_all_regions(account);
        (!is_told).then(|| Reason::OneRegion(only.clone()))
    }

    /// Logs without the region that records global services show no use of them.
    fn global_doubt(&self) -> Option<Reason> {
        self.doubts.global.get_or_init(|| self.find_global_doubt()).clone()
    }

    fn find_global_doubt(&self) -> Option<Reason> {
        let (arn, log) = (&self.subject.key.arn, self.log?);
        let home = global_home(arn.split(':').nth(1)?)?;
        if self.trails.records_all_regions(self.subject.key.account_id()?) {
            return None;
        }
        let is_missing = !log.recorded_in.is_empty() && !log.recorded_in.contains(home);
        if is_missing {
            return Some(Reason::GlobalServicesNotRecorded(home));
        }
        let coverage = log.coverage_of_region(home, self.window)?;
        (coverage.share() < self.thresholds.min_coverage).then(|| Reason::RegionCoverage {
            region: home.to_owned(),
            days: coverage.lost_hours / 24,
        })
    }

    /// A region that was busy and falls silent while others go on may be one whose logs are lacking.
    fn cut_off_doubt(&self, place: &Place<'_>) -> Option<Reason> {
        self.doubts
            .cut_off
            .get_or_init(|| self.find_cut_off_doubt(place))
            .clone()
    }

    fn find_cut_off_doubt(&self, place: &Place<'_>) -> Option<Reason> {
        if self.trails.records_all_regions(place.account_id) {
            return None;
        }
        let cut_off = |region: &String| Some((region.clone(), place.log.cut_off_days(region)?));
        let (region, days) = place.regions.iter().find_map(cut_off)?;
        Some(Reason::RegionCoverage {
            region,
            days: i64::try_from(days).unwrap_or(i64::MAX),
        })
    }

    fn time_doubt(&self) -> Option<Reason> {
        self.doubts.time.get_or_init(|| self.find_time_doubt()).clone()
    }

    fn find_time_doubt(&self) -> Option<Reason> {
        let (days, needed) = (self.window.days(), self.thresholds.min_window_days);
        if days < needed {
            return Some(Reason::WindowTooShort { days, needed });
        }
        let principal = self.subject.member.as_ref().map(|member| member.principal);
        if let Some(reason) = principal.and_then(|principal| self.doubt_of_age(principal)) {
            return Some(reason);
        }
        let coverage = self.coverage?;
        (coverage.share() < self.thresholds.min_coverage).then_some(Reason::CoverageTooLow {
            lost_hours: coverage.lost_hours,
            hours: coverage.hours,
        })
    }

    fn doubt_of_age(&self, principal: &Principal) -> Option<Reason> {
        match principal.created_at {
            None => return Some(Reason::AgeUnknown),
            Some(created_at) if created_at > self.window.since => return Some(Reason::YoungerThanWindow),
            Some(_) => {}
        }
        let last_used = principal.last_used_at.unwrap_or(i64::MIN);
        let is_in_window = last_used >= self.window.since && last_used < self.window.until;
        (is_in_window && self.subject.deeds.first_seen.is_none()).then_some(Reason::UsedBeyondTheLogs)
    }

    /// What was granted late must have had a window of its own.
    fn grant_doubt(&self, since: i64) -> Option<Reason> {
        let mut known = self.doubts.grant.borrow_mut();
        known
            .entry(since)
            .or_insert_with(|| self.find_grant_doubt(since))
            .clone()
    }

    fn find_grant_doubt(&self, since: i64) -> Option<Reason> {
        let needed = self.thresholds.min_window_days;
        let own = Window { since, ..self.window };
        let (days, is_short) = (own.whole_days(), own.whole_days() < needed);
        if is_short {
            return Some(Reason::GrantedRecently { days, needed });
        }
        let coverage = self.log?.coverage(own);
        (coverage.share() < self.thresholds.min_coverage).then_some(Reason::CoverageTooLow {
            lost_hours: coverage.lost_hours,
            hours: coverage.hours,
        })
    }

    /// A call of a service that the facts do not know may have gone through any statement that names no service.
    fn unmapped_call(&self, service: &str, statement: &Statement) -> Option<Reason> {
        let mut unmapped = self.unmapped.iter();
        let (_, call) = unmapped
            .find(|(services, _)| services.contains(&service) || services.is_empty() && names_no_service(statement))?;
        Some(Reason::UnmappedCall(call.clone()))
    }
}

fn names_no_service(statement: &Statement) -> bool {
    match &statement.actions {
        Scope::AllBut(_) => true,
        Scope::Only(patterns) => patterns.texts().any(|pattern| {
            let service = pattern.split(':').next().unwrap_or_default();
            service.contains(['*', '?'])
        }),
    }
}

/// The verdict that calls of the principal give, if they give one.
fn seen(evidence: &ActionUse, id: ActionId, grant: &Grant<'_>, permissions: &Permissions<'_>) -> Option<Verdict> {
    let odd = odd_operator(grant.statement);
    if evidence.used > 0 {
        return Some(match (is_behind_use(evidence, id, grant, permissions), odd) {
            (Behind::Alone, _) | (Behind::Perhaps, None) => Verdict::Used,
            (Behind::Perhaps, Some(reason)) => Verdict::Unknown(reason),
            (Behind::Unclear, _) => Verdict::Unknown(Reason::ResourcesUnclear),
        });
    }
    let reason = match (odd, evidence.uncertain, evidence.failed) {
        (Some(reason), ..) => reason,
        (None, 1.., _) => Reason::UncertainUse(evidence.uncertain),
        (None, 0, 1..) => Reason::FailedCalls(evidence.failed),
        (None, 0, 0) => return (evidence.denied > 0).then_some(Verdict::DeniedAttempt),
    };
    Some(Verdict::Unknown(reason))
}

/// How certain it is that uses of an action went through a statement.
enum Behind {
    /// No other grants it.
    Alone,
    /// It names a resource that was touched, and others grant it too.
    Perhaps,
    /// It names no such resource.
    Unclear,
}

/// Whether uses of an action went through a statement, for all that can be told.
///
/// That they went through others proves nothing against it: a call may touch more resources than its record names, and
/// names in parameters do not always make the ARN that the service checked.
fn is_behind_use(evidence: &ActionUse, id: ActionId, grant: &Grant<'_>, permissions: &Permissions<'_>) -> Behind {
    let granting = permissions.grants.iter().filter(|other| other.actions.contains(id));
    if granting.count() == 1 {
        return Behind::Alone;
    }
    match evidence.resources.iter().any(|arn| covers(grant.statement, arn)) {
        true => Behind::Perhaps,
        false => Behind::Unclear,
    }
}

/// A condition that cannot be read may hold always or never, so the statement may grant all or nothing.
fn odd_operator(statement: &Statement) -> Option<Reason> {
    let operator = statement.unknown_operators().next()?;
    Some(Reason::ConditionOperator(operator.to_owned()))
}
