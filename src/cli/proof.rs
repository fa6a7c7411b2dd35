//! Running a replay, and saying what came out of it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::engine::Engine;
use super::error::CliError;
use super::exit::ExitStatus;
use super::output::Output;
use super::size::counted;
use super::size::format_count;
use crate::analysis;
use crate::iam::Facts;
use crate::policy::Actor;
use crate::policy::CallTotals;
use crate::policy::Consequence;
use crate::policy::PrincipalKey;
use crate::policy::Replay;
use crate::policy::ReplayFinding;
use crate::policy::Window;

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

impl Proof {
    /// Replays the calls of these principals, by the ARN in the logs.
    pub(super) async fn of(
        facts: &Facts,
        engine: &Engine,
        window: Window,
        actors: &BTreeMap<String, Actor<'_>>,
        callers: &BTreeSet<PrincipalKey>,
    ) -> Result<Self, CliError> {
        let mut replay = Replay::new(facts, actors);
        if !actors.is_empty() {
            let arns: BTreeSet<String> = actors.keys().cloned().collect();
            let is_everyone = callers.iter().all(|caller| arns.contains(&caller.arn));
            let principals = Some(&arns).filter(|_| !is_everyone);
            analysis::replay(engine.session(), window, principals, &mut replay).await?;
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
