//! Running a replay, and saying what came out of it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::basis::time;
use super::engine::Engine;
use super::error::CliError;
use super::exit::ExitStatus;
use super::output::Output;
use super::size::counted;
use super::size::format_count;
use crate::analysis;
use crate::policy::CallTotals;
use crate::policy::Consequence;
use crate::policy::PrincipalKey;
use crate::policy::Replay;
use crate::policy::ReplayFinding;
use crate::policy::Window;

/// Findings that are named one by one.
const TOLD: usize = 20;

/// Things missing that are named one by one.
const TOLD_MISSING: usize = 3;

/// What came out of a replay.
#[derive(Debug)]
pub(super) struct Proof {
    /// By consequence, principal, action, resource and region.
    pub(super) findings: Vec<ReplayFinding>,
    /// Sums over all calls.
    pub(super) totals: CallTotals,
}

/// What the proof says, unless that is fine and what it rests on is not.
pub(super) fn worse(proven: ExitStatus, basis: ExitStatus) -> ExitStatus {
    match proven {
        ExitStatus::Done => basis,
        unproven => unproven,
    }
}

impl Proof {
    /// Replays the calls of the principals of a replay; `callers` are all of the logs.
    pub(super) async fn of(
        engine: &Engine,
        window: Window,
        mut replay: Replay<'_>,
        callers: &BTreeSet<PrincipalKey>,
    ) -> Result<Self, CliError> {
        let principals = replay.principals();
        if !principals.is_empty() {
            let is_everyone = callers.iter().all(|caller| replay.has(&caller.arn));
            let principals = Some(principals).filter(|_| !is_everyone);
            analysis::replay(engine.session(), window, principals.as_ref(), &mut replay).await?;
        }
        Ok(Self::finished(replay))
    }

    /// Replays the calls of everybody.
    pub(super) async fn of_everybody(
        engine: &Engine,
        window: Window,
        mut replay: Replay<'_>,
    ) -> Result<Self, CliError> {
        analysis::replay(engine.session(), window, None, &mut replay).await?;
        Ok(Self::finished(replay))
    }

    fn finished(replay: Replay<'_>) -> Self {
        let (findings, totals) = replay.finish();
        Self { findings, totals }
    }

    /// Says what came out. A call that would have been denied closes the gate; one that cannot be evaluated leaves the
    /// proof incomplete.
    pub(super) fn tell(&self, output: &mut Output) -> ExitStatus {
        let totals = &self.totals;
        let mut sentence = format!(
            "{} of {} in the window would have been denied",
            format_count(totals.denied),
            counted(totals.evaluated, "call")
        );
        if totals.unknown > 0 {
            let (count, missing) = (format_count(totals.unknown), self.missing());
            sentence.push_str(&format!("; {count} could not be evaluated: {missing}"));
        }
        match totals.denied > 0 || totals.unknown > 0 {
            true => output.warning(&sentence),
            false => output.note(&sentence),
        }
        if totals.unexplained > 0 {
            let count = counted(totals.unexplained, "call");
            output.note(&format!(
                "{count} succeeded though the present identity policies do not grant them: a policy of the resource did, or \
                 the grants have changed"
            ));
        }
        if totals.unbound > 0 {
            let count = counted(totals.unbound, "call");
            output.note(&format!(
                "{count} left out: of principals that the policies do not bind"
            ));
        }
        match (totals.denied, totals.unknown) {
            (0, 0) => ExitStatus::Done,
            (0, _) => ExitStatus::Incomplete,
            _ => ExitStatus::Gate,
        }
    }

    /// Says what came out of policies that the user chose. That nothing would have been denied is no proof where nothing was
    /// tried.
    pub(super) fn tell_of_trial(&self, output: &mut Output) -> ExitStatus {
        let status = self.tell(output);
        if self.totals.evaluated > 0 {
            return status;
        }
        output.warning(
            "nothing was tried: the logs show no successful call in the window that the policies would bind and that needs a \
             permission",
        );
        ExitStatus::Incomplete
    }

    /// Those of whom calls would have been denied, by the ARN in the logs.
    pub(super) fn denied_principals(&self) -> BTreeSet<&str> {
        self.denied().map(|finding| finding.principal_arn.as_str()).collect()
    }

    /// Names the calls that would have been denied.
    pub(super) fn tell_denied(&self, output: &mut Output) {
        for finding in self.denied().take(TOLD) {
            output.warning(&format!(
                "would have been denied: {} of {}, {} in {}, the last at {}, event {}",
                counted(finding.calls, "call"),
                finding.principal_arn,
                finding.action,
                finding.region.as_deref().unwrap_or("no region"),
                time(finding.last_seen),
                finding.event_ids().next().unwrap_or_default()
            ));
        }
        let more = self.denied().count().saturating_sub(TOLD);
        if more > 0 {
            output.warning(&format!("and {more} more kinds of calls"));
        }
    }

    fn denied(&self) -> impl Iterator<Item = &ReplayFinding> {
        let findings = self.findings.iter();
        findings.filter(|finding| matches!(finding.consequence, Consequence::Denied(_)))
    }

    /// What is missing for most calls.
    fn missing(&self) -> String {
        let mut calls: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in &self.findings {
            if let Consequence::Unknown(missing) = &finding.consequence {
                for what in missing {
                    *calls.entry(what).or_default() += finding.calls;
                }
            }
        }
        let mut order: Vec<(&str, u64)> = calls.into_iter().collect();
        order.sort_by_key(|(what, count)| (std::cmp::Reverse(*count), *what));
        let told: Vec<&str> = order.iter().map(|(what, _)| *what).take(TOLD_MISSING).collect();
        let more = if order.len() > TOLD_MISSING { ", …" } else { "" };
        format!("{}{more}", told.join(", "))
    }
}
