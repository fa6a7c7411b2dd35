//! Whether the findings let a pipeline go on.

use crate::cli::args::FailOn;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::size::counted;
use crate::policy::Totals;

/// Says what closes the gate, if something does. A closed gate outweighs an incomplete run: what was found is enough.
pub(super) fn pass(fail_on: &[FailOn], totals: &Totals, otherwise: ExitStatus, output: &mut Output) -> ExitStatus {
    let mut status = otherwise;
    for wanted in fail_on {
        let (count, (what, which)) = match wanted {
            FailOn::UnusedHighRisk => (totals.high_risk_removable, ("unused permission", " that can do harm")),
            FailOn::Unused => (totals.removable, ("unused permission", "")),
            FailOn::NeverUsedRole => (totals.removable_roles, ("role", " that nobody used")),
        };
        if count > 0 {
            output.warning(&format!("the gate is closed: {}{which}", counted(count, what)));
            status = ExitStatus::Gate;
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;

    #[test]
    fn gate_closes_for_what_is_wanted_and_for_nothing_else() {
        let totals = Totals {
            removable: 1_200,
            ..Totals::default()
        };
        let status = |fail_on: &[FailOn], otherwise| {
            let (mut output, _, messages) = captured(Verbosity::Quiet);
            (pass(fail_on, &totals, otherwise, &mut output), messages.text())
        };
        let others = [FailOn::UnusedHighRisk, FailOn::NeverUsedRole];
        assert_eq!(
            status(&others, ExitStatus::Incomplete),
            (ExitStatus::Incomplete, String::new())
        );
        let closed = "warning: the gate is closed: 1,200 unused permissions\n".to_owned();
        assert_eq!(
            status(&[FailOn::Unused, FailOn::NeverUsedRole], ExitStatus::Incomplete),
            (ExitStatus::Gate, closed)
        );
        assert_eq!(status(&[], ExitStatus::Done).0, ExitStatus::Done);
    }
}
