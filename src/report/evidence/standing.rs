//! What the exhibits of a control say of it: findings, nothing, or that nothing can be said.
//!
//! A control is more than what logs show, so nothing here says that one is met. Nothing found counts only where the logs are
//! complete.

use serde::Deserialize;
use serde::Serialize;

use super::CoverageRecord;
use crate::integrity::ChainReport;
use crate::query::Severity;
use crate::report::Check;
use crate::report::counted::format_count;

/// What a table says, or all tables of a control together; what matters most comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its rows are facts: none of them is for or against anything.
    Described,
    /// Nothing was found, in complete logs.
    Clear,
    /// Nothing was found, and something is not known.
    Unknown,
    /// Rows that people compare with what was approved.
    Review,
    /// Findings.
    Findings,
}

/// A standing and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// What is said.
    pub standing: Standing,
    /// Why, in words.
    pub reason: String,
}

impl Standing {
    /// Its name in the record of a bundle.
    pub fn name(self) -> &'static str {
        match self {
            Self::Described => "described",
            Self::Clear => "clear",
            Self::Unknown => "unknown",
            Self::Review => "review",
            Self::Findings => "findings",
        }
    }
}

impl Judgement {
    /// Of a table whose rows are facts.
    pub fn described() -> Self {
        Self::new(Standing::Described, "its rows are facts")
    }

    /// Of the answer of a question whose rows are findings. `is_blind` says that it asks of grants, and none are known.
    pub fn of_check(check: &Check<'_>, is_blind: bool, coverage: &CoverageRecord) -> Self {
        let open = u64::try_from(check.open_findings().count()).unwrap_or(u64::MAX);
        let severity = check.severity;
        if open > 0 {
            let standing = match severity > Severity::Low {
                true => Standing::Findings,
                false => Standing::Review,
            };
            return Self::new(standing, format!("{} of severity {severity}", counted(open, "finding")));
        }
        if is_blind {
            return Self::new(Standing::Unknown, "no IAM snapshot was imported");
        }
        if check.unknown_rows > 0 {
            let rows = counted(check.unknown_rows, "row");
            return Self::new(Standing::Unknown, format!("nothing can be said of {rows}"));
        }
        match proven(coverage) {
            None => Self::new(Standing::Clear, "no findings in complete logs"),
            Some(doubt) => Self::new(Standing::Unknown, format!("no findings, but {doubt}")),
        }
    }

    /// Of the coverage.
    pub fn of_coverage(coverage: &CoverageRecord) -> Self {
        if coverage.hours_incomplete > 0 {
            let hours = counted(coverage.hours_incomplete, "hour");
            return Self::new(Standing::Findings, format!("something is missing in {hours}"));
        }
        match proven(coverage) {
            None => Self::new(Standing::Clear, "the logs are complete"),
            Some(doubt) => Self::new(Standing::Unknown, doubt),
        }
    }

    /// Of the chains of digests.
    pub fn of_integrity(chains: &[ChainReport], has_keys: bool) -> Self {
        if !has_keys {
            return Self::new(Standing::Unknown, "the digests were not verified");
        }
        if chains.is_empty() {
            return Self::new(Standing::Unknown, "there are no digests");
        }
        let is_doubtful = |chain: &&ChainReport| {
            let all = chain.digests + chain.backfill_digests;
            all != chain.valid_digests + chain.valid_backfill_digests || !chain.findings.is_empty()
        };
        let doubtful = chains.iter().filter(is_doubtful).count();
        match u64::try_from(doubtful).unwrap_or(u64::MAX) {
            0 => Self::new(Standing::Clear, "all digests are valid"),
            doubtful => {
                let chains = counted(doubtful, "chain");
                Self::new(Standing::Findings, format!("{chains} of digests not valid throughout"))
            }
        }
    }

    /// Of a control, by the exhibits that serve it.
    pub fn of_control<'a>(exhibits: impl Iterator<Item = (&'a str, &'a Self)> + Clone) -> Self {
        let standing = exhibits.clone().map(|(_, judgement)| judgement.standing).max();
        let standing = standing.unwrap_or(Standing::Described);
        let deciding = exhibits.filter(|(_, judgement)| judgement.standing == standing);
        let reasons: Vec<String> = deciding
            .map(|(exhibit, judgement)| format!("`{exhibit}`: {}", judgement.reason))
            .collect();
        match standing {
            Standing::Described => Self::described(),
            _ => Self::new(standing, reasons.join("; ")),
        }
    }

    fn new(standing: Standing, reason: impl Into<String>) -> Self {
        Self {
            standing,
            reason: reason.into(),
        }
    }
}

/// Why the logs are not proven complete; `None` if they are.
fn proven(coverage: &CoverageRecord) -> Option<String> {
    let unproven = coverage.hours.saturating_sub(coverage.hours_complete);
    if coverage.hours == 0 {
        return Some("there are no logs".to_owned());
    }
    (unproven > 0).then(|| {
        let all = format_count(coverage.hours);
        format!(
            "the logs of {} of {all} hours are not proven complete",
            format_count(unproven)
        )
    })
}

fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", format_count(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::CheckFinding;
    use crate::query::Library;

    const COMPLETE: CoverageRecord = CoverageRecord {
        accounts: 1,
        regions: 1,
        hours: 24,
        hours_complete: 24,
        hours_incomplete: 0,
        hours_silent: 0,
        events: 3,
    };

    fn judged(severity: Severity, findings: usize, unknown_rows: u64, coverage: &CoverageRecord) -> Judgement {
        let finding = CheckFinding {
            identity: Vec::new(),
            rows: 1,
            last_seen: None,
        };
        let library = Library::embedded().unwrap();
        let check = Check {
            question: library.get("root-use").unwrap(),
            severity,
            findings: vec![(finding, None); findings],
            unknown_rows,
        };
        Judgement::of_check(&check, false, coverage)
    }

    #[test]
    fn nothing_found_is_clear_in_complete_logs_only() {
        let unproven = CoverageRecord {
            hours_complete: 20,
            ..COMPLETE
        };
        for (judgement, standing) in [
            (judged(Severity::High, 0, 0, &COMPLETE), Standing::Clear),
            (judged(Severity::High, 0, 0, &unproven), Standing::Unknown),
            (
                judged(Severity::High, 0, 0, &CoverageRecord::default()),
                Standing::Unknown,
            ),
            (judged(Severity::High, 0, 2, &COMPLETE), Standing::Unknown),
            (judged(Severity::Medium, 1, 2, &COMPLETE), Standing::Findings),
            (judged(Severity::Low, 1, 0, &COMPLETE), Standing::Review),
            (Judgement::of_coverage(&unproven), Standing::Unknown),
            (Judgement::of_integrity(&[], true), Standing::Unknown),
            (Judgement::of_integrity(&[], false), Standing::Unknown),
        ] {
            assert_eq!(judgement.standing, standing, "{judgement:?}");
        }
    }

    #[test]
    fn control_stands_as_its_worst_exhibit_and_names_it() {
        let clear = Judgement::of_coverage(&COMPLETE);
        let findings = judged(Severity::High, 2, 0, &COMPLETE);
        let control = Judgement::of_control([("coverage", &clear), ("root-use", &findings)].into_iter());
        assert_eq!(control.standing, Standing::Findings);
        assert_eq!(control.reason, "`root-use`: 2 findings of severity high");
        let described = Judgement::of_control(std::iter::empty());
        assert_eq!(described.standing, Standing::Described);
    }
}
