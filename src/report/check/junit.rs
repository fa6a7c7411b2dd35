//! Checks as a JUnit document: a suite per check, and a failure per finding.

use serde::Serialize;

use super::Check;
use super::message;
use super::what;
use crate::report::ReportError;
use crate::report::escape;
use crate::report::template::rendered;

/// The name decides that values are escaped.
const NAME: &str = "check.xml";
const TEMPLATE: &str = include_str!("junit.xml");

#[derive(Serialize)]
struct Document {
    suites: Vec<Suite>,
}

#[derive(Serialize)]
struct Suite {
    id: String,
    tests: usize,
    failures: usize,
    skipped: usize,
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Case {
    name: String,
    failure: Option<String>,
    severity: String,
    skipped: Option<String>,
}

/// A suite with a passed test for each check without findings, a failed one for each finding, and a skipped one for each
/// that is accepted and for what is not known.
///
/// # Errors
/// When the template cannot be filled in.
pub fn junit(checks: &[Check<'_>]) -> Result<String, ReportError> {
    let suites: Vec<Suite> = checks.iter().map(suite).collect();
    rendered(NAME, TEMPLATE, &Document { suites })
}

fn suite(check: &Check<'_>) -> Suite {
    let severity = check.severity.to_string();
    let case = |name: String, failure, skipped| Case {
        name,
        failure,
        severity: severity.clone(),
        skipped,
    };
    let mut cases: Vec<Case> = check
        .findings
        .iter()
        .map(|(finding, accepted)| match accepted {
            None => case(what(finding), Some(message(check, finding)), None),
            Some(reason) => {
                let reason = format!("accepted: {}", escape::visible(reason));
                case(what(finding), None, Some(reason))
            }
        })
        .collect();
    if check.unknown_rows > 0 {
        let unknown = format!("{} of which nothing can be said", check.unknown_rows);
        cases.push(case("unknown".to_owned(), None, Some(unknown)));
    }
    if cases.is_empty() {
        cases.push(case(check.question.title.clone(), None, None));
    }
    Suite {
        id: check.question.id.clone(),
        tests: cases.len(),
        failures: cases.iter().filter(|case| case.failure.is_some()).count(),
        skipped: cases.iter().filter(|case| case.skipped.is_some()).count(),
        cases,
    }
}
