//! The verdict on one permission of one principal.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Row;
use super::Thresholds;
use super::Verdict;
use super::doubt::Doubts;
use super::doubt::is_reported;
use super::not_granted::NotGranted;
use super::reason::Reason;
use super::regions::RegionLimits;
use super::regions::is_unlimited;
use super::subject::Absence;
use super::subject::Subject;
use super::summary::Activity;
use super::unmapped::Unmapped;
use super::visibility::Place;
use super::visibility::Trace;
use crate::iam::ActionId;
use crate::iam::document::Statement;
use crate::policy::account_log::AccountLog;
use crate::policy::account_log::Coverage;
use crate::policy::compared::compared;
use crate::policy::compared::covers_all;
use crate::policy::compared::covers_some;
use crate::policy::evaluation::ResourceName;
use crate::policy::grant::Grant;
use crate::policy::grant::Permissions;
use crate::policy::grant::Standing;
use crate::policy::usage::ActionUse;
use crate::policy::usage::Usage;
use crate::policy::window::Window;

/// What the verdicts on one principal rest on.
#[derive(Debug)]
pub(super) struct Judge<'s> {
    pub(super) subject: &'s Subject<'s>,
    /// Its account; empty if it has none.
    pub(super) account_id: &'s str,
    pub(super) log: Option<&'s AccountLog>,
    pub(super) coverage: Option<Coverage>,
    pub(super) usage: &'s Usage,
    pub(super) window: Window,
    pub(super) thresholds: Thresholds,
    /// Why the snapshot does not show all of its permissions.
    pub(super) gap: Option<String>,
    /// Its calls that map to no action.
    pub(super) unmapped: Unmapped,
    /// Regions in which IAM saw principals of the account in the window, and of which the logs hold nothing.
    pub(super) unseen_regions: Vec<String>,
    /// Whether IAM saw it use permissions in the window.
    pub(super) is_seen_by_iam: bool,
    pub(super) doubts: Doubts,
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
        if let Some(verdict) = seen(evidence, (id, action), held.grant, permissions) {
            return (verdict, None);
        }
        match self.seen_with_others(trace, held, permissions) {
            Ok(since) => (Verdict::Unused, since),
            Err(reason) => (Verdict::Unknown(reason), None),
        }
    }

    /// Since when a use would have been seen, also one by a call of another action that the principal may make.
    fn seen_with_others(
        &self,
        trace: &Trace,
        held: Held<'_, '_>,
        permissions: &Permissions<'_>,
    ) -> Result<Option<i64>, Reason> {
        let mut since = self.seen_since(trace, held)?;
        let allowed = trace.needed_by.iter();
        for (_, other) in allowed.filter(|(id, _)| permissions.effective.contains(*id)) {
            since = since.max(self.seen_since(other, held)?);
        }
        Ok(since)
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
            (Some(Absence::EarlierPrincipal), _) => return Some(Verdict::Unknown(Reason::ReplacedAfterSnapshot)),
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

    /// Whether the principal did anything in the window. Where a use of nothing that it may do would be seen, silence says
    /// nothing; nor does that of a role if nobody would have been seen to take it. Nobody takes a user, so that every use of
    /// all that it may do must be seen, or a report must tell of its keys and password.
    pub(super) fn activity(&self, rows: &[Row<'_>], taking_doubt: impl FnOnce() -> Option<Reason>) -> Activity {
        if self.subject.deeds.first_seen.is_some() {
            return Activity::Active;
        }
        let is_role = self.subject.key.arn.contains(":role/");
        let is_reported = self.subject.member.is_some_and(|it| is_reported(&it, self.window));
        let of_row = |row: &Row<'_>| match &row.verdict {
            Verdict::Unknown(reason) => Some(reason.clone()),
            _ => None,
        };
        let rows_doubt = || match rows.first() {
            None => Some(Reason::NothingGranted),
            Some(first) if rows.iter().all(|row| of_row(row).is_some()) => of_row(first),
            Some(_) if !is_role && !is_reported => rows.iter().find_map(of_row),
            Some(_) => None,
        };
        let gap_doubt = || self.gap.clone().map(Reason::SnapshotGaps);
        let doubt = self
            .log_doubt()
            .or_else(|| self.time_doubt())
            .or_else(|| self.region_doubt())
            .or_else(gap_doubt)
            .or_else(rows_doubt)
            .or_else(taking_doubt);
        doubt.map_or(Activity::NeverUsed, Activity::Unknown)
    }

    /// Since when a use would have been seen, if not since the begin of the window, or why the lack of evidence proves nothing.
    pub(super) fn seen_since(&self, trace: &Trace, held: Held<'_, '_>) -> Result<Option<i64>, Reason> {
        let statement = held.grant.statement;
        let log = match (self.log, &self.gap, self.log_doubt()) {
            (_, Some(gap), _) => return Err(Reason::SnapshotGaps(gap.clone())),
            (Some(log), None, None) => log,
            (_, _, reason) => return Err(reason.unwrap_or(Reason::AccountNotCovered)),
        };
        let regions = self.regions((log, statement));
        let place = self.place((log, &regions), statement);
        let never = self.service_doubt(trace).or_else(|| trace.never.clone());
        let never = never.or_else(|| trace.partly_unlogged(statement));
        let outdated = held.is_outdated.then_some(Reason::ChangedAfterSnapshot);
        let doubt = never
            .or(outdated)
            .or_else(|| self.time_doubt())
            .or_else(|| self.date_doubt(statement))
            .or_else(|| self.grant_doubt(held.since?))
            .or_else(|| self.region_doubt())
            .or_else(|| self.place_doubt(trace, &place))
            .or_else(|| trace.hidden(&place))
            .or_else(|| self.unmapped.doubt(trace, statement));
        match doubt {
            Some(reason) => Err(reason),
            None => {
                let since = trace.seen_since(&place, (self.window, self.thresholds.min_window_days))?;
                Ok(since.max(self.grants_seen_since()?))
            }
        }
    }

    /// Why the logs do not record uses that leave events, whatever else may be in doubt.
    pub(super) fn unrecorded(&self, trace: &Trace, statement: &Statement) -> Option<Reason> {
        let log = self.log?;
        let regions = self.regions((log, statement));
        trace.hidden(&self.place((log, &regions), statement))
    }

    fn place<'p>(
        &'p self,
        (log, regions): (&'p AccountLog, &'p BTreeSet<String>),
        statement: &'p Statement,
    ) -> Place<'p> {
        Place {
            account_id: self.account_id,
            log,
            regions,
            trails: &self.usage.trails,
            statement,
        }
    }

    /// The regions in which a use would have to be seen.
    fn regions<'r>(&self, (log, statement): (&'r AccountLog, &Statement)) -> Cow<'r, BTreeSet<String>>
    where
        's: 'r,
    {
        let active = &self.subject.deeds.regions;
        match is_unlimited(statement) {
            true if active.is_empty() => Cow::Borrowed(&log.regions),
            true => Cow::Borrowed(active),
            false => RegionLimits::of(statement).observed(active, &log.regions),
        }
    }
}

/// The verdict that calls of the principal give, if they give one.
fn seen(
    evidence: &ActionUse,
    action: (ActionId, &str),
    grant: &Grant<'_>,
    permissions: &Permissions<'_>,
) -> Option<Verdict> {
    let odd = odd_operator(grant.statement);
    if evidence.used > 0 {
        return Some(match (is_behind_use(evidence, action, grant, permissions), odd) {
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
fn is_behind_use(
    evidence: &ActionUse,
    (id, action): (ActionId, &str),
    grant: &Grant<'_>,
    permissions: &Permissions<'_>,
) -> Behind {
    let granting: Vec<&Statement> = permissions
        .grants
        .iter()
        .filter(|other| other.actions.contains(id))
        .map(|other| other.statement)
        .collect();
    if granting.len() == 1 {
        return Behind::Alone;
    }
    let is_behind = |name: &ResourceName| {
        let is_only_one = || granting.iter().filter(|other| covers_some(other, name)).count() == 1;
        covers_all(grant.statement, name) || covers_some(grant.statement, name) && is_only_one()
    };
    match evidence.resources.iter().any(|arn| is_behind(&compared(action, arn))) {
        true => Behind::Perhaps,
        false => Behind::Unclear,
    }
}

/// A condition that cannot be read may hold always or never, so the statement may grant all or nothing.
fn odd_operator(statement: &Statement) -> Option<Reason> {
    let operator = statement.unknown_operators().next()?;
    Some(Reason::ConditionOperator(operator.to_owned()))
}
