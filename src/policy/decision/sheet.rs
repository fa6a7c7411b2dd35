//! Decisions that people filled into the sheet of a review.
//!
//! Whoever signs for access must be read right or not at all: everything that is not as it should be is an error that names
//! the line.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use csv::ReaderBuilder;
use csv::StringRecord;

use super::Decision;
use super::DecisionKind;
use super::day_after;
use super::is_pattern;
use crate::policy::pardon::MICROS_PER_DAY;
use crate::policy::pardon::first_moment_of_day;
use crate::policy::usage::PrincipalKey;

/// Columns that every sheet has.
const NEEDED: [&str; 5] = ["principal_arn", "decision", "reviewer", "date", "reason"];
/// Columns that a sheet may have.
const PRINCIPAL_ID: &str = "principal_id";
const EXPIRES: &str = "expires";

/// What spreadsheets write before UTF-8.
const MARK_OF_BYTE_ORDER: char = '\u{feff}';

/// What a sheet is checked against.
#[derive(Debug, Clone, Copy)]
pub struct DecisionSheet<'a> {
    /// Users and roles of the snapshots and logs.
    pub known: &'a BTreeSet<PrincipalKey>,
    /// Unique ids of those of the newest snapshots, by ARN.
    pub present: &'a BTreeMap<String, String>,
    /// The moment of the import.
    pub now: i64,
    /// Days that a decision counts if its row does not say.
    pub valid_days: i64,
}

/// Why a sheet is not taken over.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SheetError {
    /// It is no CSV, or not in UTF-8.
    #[error("line {line}: {cause}")]
    Unreadable {
        /// Where.
        line: u64,
        /// What is wrong.
        cause: String,
    },
    /// A column is missing or is there twice.
    #[error("line 1: there must be one column `{column}`, and there are {count}")]
    Column {
        /// Its name.
        column: &'static str,
        /// How often it is there.
        count: usize,
    },
    /// A row of another length than the header.
    #[error("line {line}: there are {found} cells and {expected} columns")]
    Length {
        /// Where.
        line: u64,
        /// Cells of the row.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A row says something that it must not, or nothing where it must.
    #[error("line {line}: {cause}")]
    Row {
        /// Where.
        line: u64,
        /// What is wrong.
        cause: String,
    },
}

/// The cells of a row that matter.
struct Cells<'r> {
    line: u64,
    texts: BTreeMap<&'static str, &'r str>,
}

impl DecisionSheet<'_> {
    /// Reads the decisions of a sheet, in the order of its rows; rows without a decision are counted.
    ///
    /// # Errors
    /// When a column is missing, or a row has a decision that is none, no reviewer or day, no reason where it keeps
    /// something, or names nobody that is known, or someone that another row names.
    pub fn read(&self, text: &str) -> Result<(Vec<Decision>, usize), SheetError> {
        let text = text.strip_prefix(MARK_OF_BYTE_ORDER).unwrap_or(text);
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(text))
            .from_reader(text.as_bytes());
        let mut rows = reader.records();
        let header = match rows.next() {
            None => StringRecord::new(),
            Some(header) => header.map_err(|error| unreadable(&error))?,
        };
        let columns = columns(&header)?;
        let (mut decisions, mut undecided) = (Vec::new(), 0);
        let mut lines: BTreeMap<PrincipalKey, u64> = BTreeMap::new();
        for row in rows {
            let row = row.map_err(|error| unreadable(&error))?;
            let line = row.position().map_or(0, csv::Position::line);
            if row.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if row.len() != header.len() {
                let (found, expected) = (row.len(), header.len());
                return Err(SheetError::Length { line, found, expected });
            }
            let texts = columns
                .iter()
                .map(|(name, at)| (*name, row.get(*at).unwrap_or_default().trim()));
            let cells = Cells {
                line,
                texts: texts.collect(),
            };
            match self.decision(&cells)? {
                None => undecided += 1,
                Some((key, decision)) => {
                    if let Some(other) = lines.insert(key, line) {
                        return Err(cells.wrong(format!("`{}` stands on line {other}, too", decision.principal_arn)));
                    }
                    decisions.push(decision);
                }
            }
        }
        Ok((decisions, undecided))
    }

    fn decision(&self, cells: &Cells<'_>) -> Result<Option<(PrincipalKey, Decision)>, SheetError> {
        let word = cells.text("decision");
        if word.is_empty() {
            let rest = ["reviewer", "date", "reason", EXPIRES];
            return match rest.iter().find(|name| !cells.text(name).is_empty()) {
                None => Ok(None),
                Some(name) => Err(cells.wrong(format!("there is a `{name}` and no decision"))),
            };
        }
        let kind = DecisionKind::named(word)
            .ok_or_else(|| cells.wrong(format!("`{word}` is no decision: write `keep`, `trim` or `remove`")))?;
        let key = self.principal(cells)?;
        let reviewer = cells.needed("reviewer", kind)?;
        if kind == DecisionKind::Keep {
            cells.needed("reason", kind)?;
        }
        let (date, decided_at) = cells.day("date", kind)?;
        if decided_at > self.now {
            return Err(cells.wrong(format!("`{date}` has not come yet")));
        }
        let (expires, last_day) = match cells.text(EXPIRES) {
            "" => {
                let expires = day_after(decided_at, self.valid_days).unwrap_or_else(|| date.clone());
                let last_day = first_moment_of_day(&expires).unwrap_or(decided_at);
                (expires, last_day)
            }
            _ => cells.day(EXPIRES, kind)?,
        };
        if last_day < decided_at {
            return Err(cells.wrong(format!("it expires on {expires}, before it was made on {date}")));
        }
        let decision = Decision {
            principal_arn: key.arn.clone(),
            unique_id: key.unique_id.clone(),
            kind,
            reviewer: reviewer.to_owned(),
            date,
            reason: cells.text("reason").to_owned(),
            expires,
            expires_at: last_day.saturating_add(MICROS_PER_DAY),
        };
        Ok(Some((key, decision)))
    }

    /// The user or role that a row is about.
    fn principal(&self, cells: &Cells<'_>) -> Result<PrincipalKey, SheetError> {
        let (arn, id) = (cells.text("principal_arn"), cells.text(PRINCIPAL_ID));
        let asked = PrincipalKey {
            arn: arn.to_owned(),
            unique_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        };
        let mut namesakes = self.known.iter().filter(|known| known.arn == arn).peekable();
        if arn.is_empty() || is_pattern(arn) || namesakes.peek().is_none() {
            return Err(cells.wrong(format!("`{arn}` is no user or role of the snapshots and logs")));
        }
        if let (Some(asked), Some(present)) = (&asked.unique_id, self.present.get(arn))
            && asked != present
        {
            return Err(cells.wrong(format!(
                "`{arn}` does not have the id `{id}` in the newest IAM snapshot, but `{present}`: it was made again, so \
                 review it anew"
            )));
        }
        let meant: Vec<&PrincipalKey> = namesakes.filter(|known| known.may_be(&asked)).collect();
        let ids: BTreeSet<&str> = meant.iter().filter_map(|key| key.unique_id.as_deref()).collect();
        if meant.is_empty() {
            return Err(cells.wrong(format!(
                "`{arn}` does not have the id `{id}`: it was made again, so review it anew"
            )));
        }
        if asked.unique_id.is_none() && ids.len() > 1 {
            return Err(cells.wrong(format!("there were several `{arn}`: say which by `{PRINCIPAL_ID}`")));
        }
        Ok(PrincipalKey {
            unique_id: asked.unique_id.or_else(|| ids.first().map(|id| (*id).to_owned())),
            arn: asked.arn,
        })
    }
}

impl Cells<'_> {
    fn text(&self, column: &str) -> &str {
        self.texts.get(column).copied().unwrap_or_default()
    }

    fn wrong(&self, cause: String) -> SheetError {
        SheetError::Row { line: self.line, cause }
    }

    fn needed(&self, column: &str, kind: DecisionKind) -> Result<&str, SheetError> {
        match self.text(column) {
            "" => Err(self.wrong(format!("the decision `{}` has no `{column}`", kind.name()))),
            text => Ok(text),
        }
    }

    fn day(&self, column: &str, kind: DecisionKind) -> Result<(String, i64), SheetError> {
        let text = self.needed(column, kind)?;
        let moment = first_moment_of_day(text);
        let moment = moment.ok_or_else(|| self.wrong(format!("`{text}` is no day: write it like 2027-03-31")))?;
        Ok((text.to_owned(), moment))
    }
}

/// Where the columns are that matter; others are there to be read by people.
fn columns(header: &StringRecord) -> Result<Vec<(&'static str, usize)>, SheetError> {
    let mut columns = Vec::new();
    for column in NEEDED.into_iter().chain([PRINCIPAL_ID, EXPIRES]) {
        let named = header.iter().enumerate().filter(|(_, name)| name.trim() == column);
        let found: Vec<usize> = named.map(|(position, _)| position).collect();
        match (found.as_slice(), NEEDED.contains(&column)) {
            ([position], _) => columns.push((column, *position)),
            ([], false) => {}
            (_, _) => {
                let count = found.len();
                return Err(SheetError::Column { column, count });
            }
        }
    }
    Ok(columns)
}

/// Spreadsheets in some languages write semicolons or tabs, also where the file is called CSV.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let counts = [b',', b';', b'\t'].map(|mark| (header.bytes().filter(|byte| *byte == mark).count(), mark));
    let most = counts.into_iter().max_by_key(|(count, mark)| (*count, *mark == b','));
    most.map_or(b',', |(_, mark)| mark)
}

fn unreadable(error: &csv::Error) -> SheetError {
    SheetError::Unreadable {
        line: error.position().map_or(1, csv::Position::line),
        cause: error.to_string(),
    }
}
