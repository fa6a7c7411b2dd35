//! Questions as checks: which of their rows are findings.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use futures::StreamExt;

use super::columns::Column;
use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use crate::query::ParamText;
use crate::query::QuerySession;
use crate::query::Question;
use crate::query::RowChoice;
use crate::query::ValueType;

/// Columns that say when something was last so, the best first.
const LAST_SEEN: [&str; 5] = ["event_time", "last_seen", "last_attempt", "last_used", "last_used_at"];

/// What the answer to a question comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// In the order of what tells them apart.
    pub findings: Vec<CheckFinding>,
    /// Rows of which it is not known whether they are findings.
    pub unknown_rows: u64,
}

/// Rows that are alike in what tells findings apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    /// Name and value of the columns that tell findings apart.
    pub identity: Vec<(String, Option<String>)>,
    /// How many there are.
    pub rows: u64,
    /// When it was last so: microseconds since 1970-01-01T00:00:00Z.
    pub last_seen: Option<i64>,
}

/// Takes the rows of an answer for findings, batch by batch.
#[derive(Debug)]
pub struct Checker<'q> {
    question: &'q Question,
    identity: Vec<&'q str>,
    /// Rows, and when they were last seen, by what tells findings apart.
    found: BTreeMap<Vec<Option<String>>, (u64, Option<i64>)>,
    unknown_rows: u64,
}

/// Asks a question and takes its rows for findings.
///
/// # Errors
/// When the question cannot be answered, or its answer lacks a column that its header declares.
pub async fn check(
    session: &QuerySession,
    question: &Question,
    values: &[(String, ParamText)],
) -> Result<Checked, AnalysisError> {
    let mut checker = Checker::new(question);
    let mut answer = session.ask(question, values).await?;
    while let Some(batch) = answer.stream.next().await {
        checker.look_at(&batch?)?;
    }
    Ok(checker.finish())
}

impl<'q> Checker<'q> {
    /// Nothing was looked at yet.
    pub fn new(question: &'q Question) -> Self {
        Self {
            question,
            identity: question.identity_columns(),
            found: BTreeMap::new(),
            unknown_rows: 0,
        }
    }

    /// Looks at rows of the answer.
    ///
    /// # Errors
    /// When they lack a column that the header of the question declares.
    pub fn look_at(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let rows = Rows::new(batch, self.question, &self.identity)?;
        for row in 0..batch.num_rows() {
            if rows.is_unknown(self.question, row) {
                self.unknown_rows += 1;
            } else if rows.is_finding(self.question, row) {
                let (count, last_seen) = self.found.entry(rows.identity(row)).or_default();
                *count += 1;
                *last_seen = (*last_seen).max(rows.last_seen(row));
            }
        }
        Ok(())
    }

    /// What all rows come to.
    pub fn finish(self) -> Checked {
        let identity = self.identity;
        let findings = self.found.into_iter().map(|(values, (rows, last_seen))| CheckFinding {
            identity: identity.iter().map(|name| (*name).to_owned()).zip(values).collect(),
            rows,
            last_seen,
        });
        Checked {
            findings: findings.collect(),
            unknown_rows: self.unknown_rows,
        }
    }
}

/// The columns of a batch that matter.
struct Rows {
    identity: Vec<Column>,
    findings: Option<Column>,
    unknowns: Option<Column>,
    last_seen: Option<Column>,
}

impl Rows {
    fn new(batch: &RecordBatch, question: &Question, identity: &[&str]) -> Result<Self, Unreadable> {
        let columns = Columns::new(batch);
        let chosen =
            |choice: &Option<RowChoice>| choice.as_ref().map(|choice| columns.texts(&choice.column)).transpose();
        let is_time = |name: &&str| {
            let declared = question.columns.iter().find(|column| column.name == **name);
            declared.is_some_and(|column| column.value_type == ValueType::Timestamp)
        };
        let last_seen = LAST_SEEN.into_iter().find(is_time);
        Ok(Self {
            identity: identity
                .iter()
                .map(|name| columns.texts(name))
                .collect::<Result<_, _>>()?,
            findings: chosen(&question.findings)?,
            unknowns: chosen(&question.unknowns)?,
            last_seen: last_seen.map(|name| columns.times(name)).transpose()?,
        })
    }

    fn is_unknown(&self, question: &Question, row: usize) -> bool {
        let choice = question.unknowns.as_ref().zip(self.unknowns.as_ref());
        choice.is_some_and(|(choice, column)| choice.has(column.text(row)))
    }

    fn is_finding(&self, question: &Question, row: usize) -> bool {
        let choice = question.findings.as_ref().zip(self.findings.as_ref());
        choice.is_none_or(|(choice, column)| choice.has(column.text(row)))
    }

    fn identity(&self, row: usize) -> Vec<Option<String>> {
        let values = self.identity.iter().map(|column| column.text(row).map(str::to_owned));
        values.collect()
    }

    fn last_seen(&self, row: usize) -> Option<i64> {
        self.last_seen.as_ref()?.time(row)
    }
}
