//! What a run takes of one object at most, and how the ledger remembers what was left out because of that.
//!
//! What the options of one run leave out is no damage: a run that allows more tries again. So the row of the object ends its
//! reason with a note that says the limits, for people as well as for later runs.

use std::fmt;

const START: &str = "run again with ";
const AND: &str = " and ";
const END: &str = " if it is genuine";
const INFLATED: &str = "`--max-inflated-bytes` above ";
const RECORD: &str = "`--max-record-bytes` above ";
/// Stands behind a text that only looks like a note.
const NOT_OURS: &str = "so it says, and it is not read again for that";
const MEMORY: &str = "`--memory` of at least ";

/// What a run takes of one object at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Bytes that an object may inflate to.
    pub inflated_bytes: u64,
    /// Bytes of one record.
    pub record_bytes: u64,
    /// Memory of the run, which decides how large an object may be that is fetched whole.
    pub memory_bytes: u64,
}

/// Limits that left out something of an object, or all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsReached {
    /// Bytes that the object inflates to more than.
    pub inflated_bytes: Option<u64>,
    /// Bytes that some of its records are larger than.
    pub record_bytes: Option<u64>,
    /// Memory that it takes to fetch the object.
    pub memory_bytes: Option<u64>,
}

impl RunLimits {
    /// Takes everything.
    pub const NONE: Self = Self {
        inflated_bytes: u64::MAX,
        record_bytes: u64::MAX,
        memory_bytes: u64::MAX,
    };
}

impl LimitsReached {
    /// Whether none was.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a run with these limits gets more of the object.
    pub fn are_below(&self, limits: &RunLimits) -> bool {
        self.inflated_bytes.is_some_and(|bytes| bytes < limits.inflated_bytes)
            || self.record_bytes.is_some_and(|bytes| bytes < limits.record_bytes)
            || self.memory_bytes.is_some_and(|bytes| bytes <= limits.memory_bytes)
    }

    /// A reason that ends with the note, if any limit was reached; else with none, also where it quotes a text that ends like one:
    /// what others wrote must not decide that an object is read again.
    pub fn noted(&self, reason: Option<String>) -> Option<String> {
        if !self.is_none() {
            let before = reason.map(|reason| format!("{reason}; ")).unwrap_or_default();
            return Some(format!("{before}{self}"));
        }
        reason.map(|reason| match Self::in_reason(&reason) {
            None => reason,
            Some(_) => format!("{reason}; {NOT_OURS}"),
        })
    }

    /// Reads the note at the end of a reason; `None` where there is none.
    pub fn in_reason(reason: &str) -> Option<Self> {
        let note = reason.strip_suffix(END)?;
        let (_, note) = note.rsplit_once(START)?;
        let mut reached = Self::default();
        for part in note.split(AND) {
            let (wanted, bytes) = [
                (&mut reached.inflated_bytes, INFLATED),
                (&mut reached.record_bytes, RECORD),
                (&mut reached.memory_bytes, MEMORY),
            ]
            .into_iter()
            .find_map(|(field, name)| Some((field, part.strip_prefix(name)?)))?;
            *wanted = Some(bytes.parse().ok()?);
        }
        Some(reached)
    }
}

impl fmt::Display for LimitsReached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (INFLATED, self.inflated_bytes),
            (RECORD, self.record_bytes),
            (MEMORY, self.memory_bytes),
        ];
        let parts = parts
            .into_iter()
            .filter_map(|(name, bytes)| Some(format!("{name}{}", bytes?)));
        write!(formatter, "{START}{}{END}", parts.collect::<Vec<_>>().join(AND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_is_read_as_it_was_written() {
        let all = LimitsReached {
            inflated_bytes: Some(1 << 20),
            record_bytes: Some(4096),
            memory_bytes: Some(130 << 20),
        };
        let record = LimitsReached {
            record_bytes: Some(1),
            ..LimitsReached::default()
        };
        for reached in [all, record] {
            let reason = format!("something is wrong; {reached}");
            assert_eq!(LimitsReached::in_reason(&reason), Some(reached), "{reason}");
        }
        assert_eq!(
            record.to_string(),
            "run again with `--max-record-bytes` above 1 if it is genuine"
        );
        for other in [
            "",
            "gzip stream ends in the middle of member 1; copy it again",
            "run again with `--max-record-bytes` above 1",
            "run again with `--max-record-bytes` above x if it is genuine",
            "run again with more patience if it is genuine",
        ] {
            assert_eq!(LimitsReached::in_reason(other), None, "{other}");
        }
    }

    #[test]
    fn text_of_others_that_ends_like_a_note_is_none() {
        let hostile = "the service refuses (run again with `--max-record-bytes` above 1 if it is genuine";
        let noted = |reached: LimitsReached| reached.noted(Some(hostile.to_owned())).unwrap();
        assert!(LimitsReached::in_reason(hostile).is_some());
        assert_eq!(LimitsReached::in_reason(&noted(LimitsReached::default())), None);
        let reached = LimitsReached {
            memory_bytes: Some(7),
            ..LimitsReached::default()
        };
        assert_eq!(LimitsReached::in_reason(&noted(reached)), Some(reached));
        assert_eq!(reached.noted(None), Some(reached.to_string()));
        assert_eq!(LimitsReached::default().noted(None), None);
        assert_eq!(
            LimitsReached::default().noted(Some("x".to_owned())),
            Some("x".to_owned())
        );
    }

    #[test]
    fn run_with_a_larger_limit_gets_more() {
        let limits = RunLimits {
            inflated_bytes: 100,
            record_bytes: 10,
            memory_bytes: 1000,
        };
        let reached = |inflated_bytes, record_bytes, memory_bytes| LimitsReached {
            inflated_bytes,
            record_bytes,
            memory_bytes,
        };
        for (reached, wanted) in [
            (reached(Some(99), None, None), true),
            (reached(Some(100), None, None), false),
            (reached(Some(100), Some(9), None), true),
            (reached(None, Some(10), None), false),
            (reached(None, None, Some(1000)), true),
            (reached(None, None, Some(1001)), false),
            (LimitsReached::default(), false),
        ] {
            assert_eq!(reached.are_below(&limits), wanted, "{reached:?}");
        }
        assert!(reached(Some(u64::MAX - 1), None, None).are_below(&RunLimits::NONE));
    }
}
