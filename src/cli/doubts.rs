//! Of whom nothing can be proven, whatever the logs hold: said beside the verdicts, and to the gate.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::args::LogArgs;
use super::basis::tell_accounts;
use super::basis::thresholds;
use super::exit::ExitStatus;
use super::output::Output;
use super::size::counted;
use crate::policy::Estate;
use crate::policy::Reason;
use crate::policy::RegionDoubts;
use crate::policy::Subject;
use crate::policy::Usage;

/// Principals that are named one by one.
const TOLD_PRINCIPALS: usize = 10;

/// Whether nothing could be proven of someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubts {
    /// A snapshot does not fit the logs.
    is_outdated: bool,
    /// The logs prove nothing about a whole account.
    is_blind: bool,
}

impl Doubts {
    /// With accounts of whose principals, or some of them, nothing can be proven, and why.
    pub(super) fn with_lacks(mut self, lacks: &BTreeMap<String, Reason>, output: &mut Output) -> Self {
        let told = lacks.iter().map(|(account, reason)| format!("{account} ({reason})"));
        tell_accounts(
            "the logs cannot prove anything unused of principals of",
            "nothing that these may do is called unused",
            &told.collect(),
            output,
        );
        self.is_blind |= !lacks.is_empty();
        self
    }

    /// How a run ends that would have ended so. A gate must not pass what it could not see.
    pub(super) fn status(self, otherwise: ExitStatus, is_gate: bool) -> ExitStatus {
        let is_incomplete = self.is_outdated || (self.is_blind && is_gate);
        match otherwise {
            ExitStatus::Done if is_incomplete => ExitStatus::Incomplete,
            status => status,
        }
    }
}

/// Says of whom nothing is called unused, and why.
pub(super) fn tell_doubts(
    args: &LogArgs,
    (subjects, estate): (&[Subject<'_>], &Estate<'_>),
    usage: &Usage,
    output: &mut Output,
) -> Doubts {
    let is_outdated = tell_outdated(subjects, usage, output);
    // That the window is too short is told with it, and the rest would be told again with a longer one.
    if usage.window.days() < args.min_window {
        return Doubts {
            is_outdated,
            is_blind: !subjects.is_empty(),
        };
    }
    let members = subjects.iter().filter(|subject| subject.member.is_some());
    let accounts: BTreeSet<&str> = members.filter_map(|subject| subject.key.account_id()).collect();
    let thin = thin_accounts(args, &accounts, usage);
    let percentage = args.min_coverage * 100.0;
    tell_accounts(
        &format!("the logs lack more than they may of the window, as {percentage} % of the hours are needed, of"),
        "nothing there is called unused; `trimtrail coverage` says what is missing",
        &thin.values().cloned().collect(),
        output,
    );
    let doubts = RegionDoubts::new(estate, usage, thresholds(args));
    let others = accounts.iter().filter(|account| !thin.contains_key(**account));
    let regions: BTreeSet<String> = others
        .filter(|account| doubts.of(account).is_some())
        .map(|account| (*account).to_owned())
        .collect();
    tell_accounts(
        "the logs may lack regions of",
        "nothing there is called unused, and the reasons say which",
        &regions,
        output,
    );
    Doubts {
        is_outdated,
        is_blind: !thin.is_empty() || !regions.is_empty(),
    }
}

/// Accounts whose logs cover too little of the window, each with the share that they cover.
fn thin_accounts<'a>(args: &LogArgs, accounts: &BTreeSet<&'a str>, usage: &Usage) -> BTreeMap<&'a str, String> {
    let covered = accounts.iter().filter_map(|account| {
        let share = usage.accounts.get(*account)?.coverage(usage.window).share();
        (share < args.min_coverage).then(|| (*account, format!("{account} ({:.1} %)", share * 100.0)))
    });
    covered.collect()
}

/// Says which principals and accounts the snapshots show at another time than the logs; true if there are such.
fn tell_outdated(subjects: &[Subject<'_>], usage: &Usage, output: &mut Output) -> bool {
    let replaced: Vec<&Subject<'_>> = subjects.iter().filter(|subject| subject.is_replaced).collect();
    for subject in replaced.iter().take(TOLD_PRINCIPALS) {
        output.warning(&format!(
            "`{}` was made again after the IAM snapshot: nothing of it is called unused; import a new one with \
             `trimtrail iam import`",
            subject.key.arn
        ));
    }
    let more = replaced.len().saturating_sub(TOLD_PRINCIPALS);
    if more > 0 {
        let more = counted(more, "more principal");
        output.warning(&format!("made again after the IAM snapshot, too: {more}"));
    }
    let unlogged = subjects.iter().filter_map(|subject| {
        let days = counted(subject.unlogged_days(usage)?, "day");
        Some(format!("{} ({days})", subject.key.account_id()?))
    });
    let unlogged: BTreeSet<String> = unlogged.collect();
    tell_accounts(
        "the IAM snapshot is much younger than the logs of",
        "nothing there is called unused; read the logs of these days, or say with `iam import --taken-at` when it was taken",
        &unlogged,
        output,
    );
    !replaced.is_empty() || !unlogged.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_does_not_pass_what_the_logs_cannot_show_and_nothing_passes_an_outdated_snapshot() {
        let status = |is_outdated, is_blind, otherwise, is_gate| {
            let doubts = Doubts { is_outdated, is_blind };
            doubts.status(otherwise, is_gate)
        };
        assert_eq!(status(false, true, ExitStatus::Done, true), ExitStatus::Incomplete);
        assert_eq!(status(false, true, ExitStatus::Done, false), ExitStatus::Done);
        assert_eq!(status(true, false, ExitStatus::Done, false), ExitStatus::Incomplete);
        assert_eq!(status(false, false, ExitStatus::Done, true), ExitStatus::Done);
        assert_eq!(status(true, true, ExitStatus::Gate, true), ExitStatus::Gate);
    }
}
