//! What the exhibits of a control say of it: findings, nothing, or that nothing can be said.
//!
//! A control is more than what logs show, so nothing here says that one is met. Nothing found counts only where there is no doubt
//! that it would have been.

use serde::Deserialize;
use serde::Serialize;

use super::Grounds;
use crate::query::Severity;
use crate::report::Check;
use crate::report::IntegrityResult;
use crate::report::counted::counted;

/// What a table says, or all tables of a control together; what matters most comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its rows are facts: none of them is for or against anything.
    Described,
    /// Nothing was found, and there is no doubt that it would have been.
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

    /// Of the answer of a question whose rows are findings.
    pub fn of_check(check: &Check<'_>, grounds: &Grounds) -> Self {
        let open = check.open_findings().count();
        let severity = check.severity;
        if open > 0 {
            let standing = match severity > Severity::Low {
                true => Standing::Findings,
                false => Standing::Review,
            };
            return Self::new(standing, format!("{} of severity {severity}", counted(open, "finding")));
        }
        let blind = grounds.sight.doubt_of(&check.question.sql);
        let unknown = (check.unknown_rows > 0).then(|| {
            let rows = counted(check.unknown_rows, "row");
            format!("nothing can be said of {rows}")
        });
        let doubts = blind.into_iter().chain(unknown).chain(grounds.doubts());
        Self::without_findings("no findings", doubts)
    }

    /// Of the coverage.
    pub fn of_coverage(grounds: &Grounds) -> Self {
        let incomplete = grounds.coverage.hours_incomplete;
        match incomplete > 0 {
            true => {
                let hours = counted(incomplete, "hour");
                Self::new(Standing::Findings, format!("something is missing in {hours}"))
            }
            false => Self::without_findings("nothing is known to be missing", grounds.doubts().into_iter()),
        }
    }

    /// Of what the digests prove.
    pub fn of_integrity(grounds: &Grounds) -> Self {
        match grounds.integrity {
            Some(IntegrityResult::Invalid) => Self::new(Standing::Findings, "digests or logs are not valid"),
            _ => Self::without_findings("nothing is proven to be changed", grounds.doubts().into_iter()),
        }
    }

    /// Clear, as long as there is no doubt.
    fn without_findings(nothing: &str, doubts: impl Iterator<Item = String>) -> Self {
        let doubts: Vec<String> = doubts.collect();
        match doubts.is_empty() {
            true => Self::new(
                Standing::Clear,
                format!("{nothing}, in complete logs that digests prove"),
            ),
            false => Self::new(Standing::Unknown, format!("{nothing}, but {}", doubts.join("; "))),
        }
    }

    /// Of a control, by the exhibits that serve it.
    pub fn of_control<'a>(exhibits: impl Iterator<Item = (&'a str, &'a Self)> + Clone) -> Self {
        let standing = exhibits.clone().map(|(_, judgement)| judgement.standing).max();
        let standing = standing.unwrap_or(Standing::Described);
        let deciding = exhibits.filter(|(_, judgement)| judgement.standing == standing);
        // Most exhibits share their doubts.
        let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
        for (exhibit, judgement) in deciding {
            let name = format!("`{exhibit}`");
            match by_reason.iter_mut().find(|(reason, _)| *reason == judgement.reason) {
                Some((_, names)) => names.push(name),
                None => by_reason.push((&judgement.reason, vec![name])),
            }
        }
        let reasons: Vec<String> = by_reason
            .iter()
            .map(|(reason, names)| format!("{}: {reason}", names.join(", ")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::CheckFinding;
    use crate::query::Library;
    use crate::report::evidence::CoverageRecord;

    fn sound() -> Grounds {
        Grounds {
            coverage: CoverageRecord {
                hours: 24,
                hours_complete: 24,
                ..CoverageRecord::default()
            },
            integrity: Some(IntegrityResult::Valid),
            ..Grounds::default()
        }
    }

    fn with(change: impl Fn(&mut Grounds)) -> Grounds {
        let mut grounds = sound();
        change(&mut grounds);
        grounds
    }

    fn judged(id: &str, (severity, findings): (Severity, usize), unknown_rows: u64, grounds: &Grounds) -> Judgement {
        let finding = CheckFinding {
            identity: Vec::new(),
            rows: 1,
            last_seen: None,
        };
        let library = Library::embedded().unwrap();
        let check = Check {
            question: library.get(id).unwrap(),
            severity,
            findings: vec![(finding, None); findings],
            unknown_rows,
        };
        Judgement::of_check(&check, grounds)
    }

    #[test]
    fn findings_stand_by_their_severity_and_without_any_doubt_a_table_is_clear() {
        let none = (Severity::High, 0);
        for (judgement, standing) in [
            (judged("root-use", none, 0, &sound()), Standing::Clear),
            (judged("root-use", none, 2, &sound()), Standing::Unknown),
            (
                judged("root-use", (Severity::Medium, 1), 2, &sound()),
                Standing::Findings,
            ),
            (judged("root-use", (Severity::Low, 1), 0, &sound()), Standing::Review),
            // Nothing is known of grants or credentials.
            (judged("unused-roles", none, 0, &sound()), Standing::Unknown),
            (judged("unused-keys", none, 0, &sound()), Standing::Unknown),
            (Judgement::of_coverage(&sound()), Standing::Clear),
            (Judgement::of_integrity(&sound()), Standing::Clear),
        ] {
            assert_eq!(judgement.standing, standing, "{judgement:?}");
        }
    }

    #[test]
    fn nothing_is_clear_as_long_as_anything_is_in_doubt() {
        for grounds in [
            with(|it| it.coverage = CoverageRecord::default()),
            with(|it| it.coverage.hours_complete = 20),
            with(|it| it.coverage.expired_before = Some("2026-07-01T00:00:00Z".to_owned())),
            with(|it| it.region_doubts.push(("a".to_owned(), "r".to_owned()))),
            with(|it| it.recording_doubts.push(("a".to_owned(), "r".to_owned()))),
            with(|it| it.integrity = None),
            with(|it| it.integrity = Some(IntegrityResult::NothingVerified)),
            with(|it| it.integrity = Some(IntegrityResult::Incomplete)),
            with(|it| it.integrity = Some(IntegrityResult::Invalid)),
        ] {
            let check = judged("root-use", (Severity::High, 0), 0, &grounds);
            assert_eq!(check.standing, Standing::Unknown, "{check:?}");
            let coverage = Judgement::of_coverage(&grounds);
            assert_eq!(coverage.standing, Standing::Unknown, "{coverage:?}");
            let integrity = Judgement::of_integrity(&grounds);
            let wanted = match grounds.integrity {
                Some(IntegrityResult::Invalid) => Standing::Findings,
                _ => Standing::Unknown,
            };
            assert_eq!(integrity.standing, wanted, "{integrity:?}");
        }
        let missing = Judgement::of_coverage(&with(|it| it.coverage.hours_incomplete = 1));
        assert_eq!(missing.standing, Standing::Findings);
    }

    #[test]
    fn control_stands_as_its_worst_exhibit_and_names_it() {
        let clear = Judgement::of_coverage(&sound());
        let findings = judged("root-use", (Severity::High, 2), 0, &sound());
        let control = Judgement::of_control([("coverage", &clear), ("root-use", &findings)].into_iter());
        assert_eq!(control.standing, Standing::Findings);
        assert_eq!(control.reason, "`root-use`: 2 findings of severity high");
        let both =
            Judgement::of_control([("coverage", &clear), ("root-use", &findings), ("other", &findings)].into_iter());
        assert_eq!(both.reason, "`root-use`, `other`: 2 findings of severity high");
        let described = Judgement::of_control(std::iter::empty());
        assert_eq!(described.standing, Standing::Described);
    }
}
