//! What the program tells its caller when it ends.

use std::process::ExitCode;
use std::process::Termination;

/// How a command ended. The numbers are part of the interface: scripts and batch systems act on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: done.
    Done,
    /// 1: failed; the message on stderr says why.
    Failed,
    /// 2: the command line is wrong; nothing was done.
    Usage,
    /// 3: done, and the gate is closed: something was found that must not be.
    Gate,
    /// 4: done but incomplete: something was rejected, missing or unverifiable, and the output says what.
    Incomplete,
    /// 5: another writer changed the store meanwhile; a retry is safe and nothing of this run is stored twice.
    Conflict,
    /// 130: stopped by Ctrl-C (SIGINT).
    Interrupted,
    /// 143: stopped by SIGTERM.
    Terminated,
}

impl ExitStatus {
    /// All of them, with the sentence that the help shows.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::Usage, "wrong usage"),
        (
            Self::Gate,
            "gate: what `--fail-on` names, a log or bundle that is not as it was, or a call that would have been denied",
        ),
        (
            Self::Incomplete,
            "done but incomplete: something was rejected or missing",
        ),
        (Self::Conflict, "store conflict: retry is safe"),
        (Self::Interrupted, "stopped by Ctrl-C"),
        (Self::Terminated, "stopped by SIGTERM"),
    ];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Gate => 3,
            Self::Incomplete => 4,
            Self::Conflict => 5,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl Termination for ExitStatus {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        let codes: Vec<u8> = ExitStatus::ALL.iter().map(|(status, _)| status.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 130, 143]);
    }
}
