//! What people decided on users and roles when they reviewed their access.
//!
//! A decision names who made it and when, and counts until a day: then the access is to be reviewed again. One to keep a
//! principal keeps all that it may do, as an entry of the allow-list does.

mod sheet;

use std::fmt::Write;

use serde::Deserialize;

use super::keep::Keep;
use super::keep::KeepList;
use super::pardon::DayOrText;
use super::pardon::ListError;
use super::pardon::MICROS_PER_DAY;
use super::pardon::Pardon;
use super::pardon::first_moment_of_day;
use super::usage::PrincipalKey;
use crate::event::format_canonical;

pub use sheet::DecisionSheet;
pub use sheet::SheetError;

/// A line of a file, below which only decisions stand that were read from sheets.
const MARK: &str = "# Decisions of access reviews. `trimtrail review import` writes all that is below this line anew.";

/// A decision on one user or role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// ARN of the user or role.
    pub principal_arn: String,
    /// Its unique id, where it is known: a role that is made again under the same name is another one.
    pub unique_id: Option<String>,
    /// What was decided.
    pub kind: DecisionKind,
    /// Who decided.
    pub reviewer: String,
    /// On which day, `YYYY-MM-DD`.
    pub date: String,
    /// Why; empty where nothing was said.
    pub reason: String,
    /// Last day on which it counts, `YYYY-MM-DD` in UTC.
    pub expires: String,
    /// First moment at which it no longer counts.
    expires_at: i64,
}

/// What an import would double or drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misplaced {
    /// A decision among what people wrote, where it would stay beside a newer one.
    DecisionAbove,
    /// An entry among the decisions, which are all written anew.
    EntryBelow,
}

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecisionKind {
    /// It stays as it is.
    Keep,
    /// What is not used goes.
    Trim,
    /// All of it goes.
    Remove,
}

impl DecisionKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Trim, Self::Remove];

    /// As it is written in sheets and lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Trim => "trim",
            Self::Remove => "remove",
        }
    }

    /// The kind of this name, in any case of letters.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(text))
    }
}

impl Decision {
    /// Whether it no longer counts.
    pub fn is_expired(&self, now: i64) -> bool {
        now >= self.expires_at
    }

    /// Whether it is about a principal, and not about another one of the same name.
    pub fn concerns(&self, key: &PrincipalKey) -> bool {
        let is_other = |(own, theirs): (&String, &String)| own != theirs;
        let ids = self.unique_id.as_ref().zip(key.unique_id.as_ref());
        self.principal_arn == key.arn && !ids.is_some_and(is_other)
    }

    /// Whom it is about.
    pub fn key(&self) -> PrincipalKey {
        PrincipalKey {
            arn: self.principal_arn.clone(),
            unique_id: self.unique_id.clone(),
        }
    }

    /// What was decided, by whom, when and why, in one line.
    pub fn note(&self) -> String {
        let reason = match self.reason.is_empty() {
            true => String::new(),
            false => format!(": {}", self.reason),
        };
        format!("{} by {} on {}{reason}", self.kind.name(), self.reviewer, self.date)
    }

    /// The note of an entry that keeps the principal because of it.
    pub(super) fn pardon(&self) -> Pardon {
        Pardon {
            reason: format!("access review of {}: {}", self.date, self.reason),
            expires: self.expires.clone(),
            owner: Some(self.reviewer.clone()),
            expires_at: self.expires_at,
        }
    }

    /// The entry of a list.
    fn entry(&self) -> String {
        let mut entry = "\n[[review]]\n".to_owned();
        let mut line = |name: &str, value: &str| {
            let written = writeln!(entry, "{name} = {value}");
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        };
        line("principal", &quoted(&self.principal_arn));
        if let Some(id) = &self.unique_id {
            line("id", &quoted(id));
        }
        line("decision", &quoted(self.kind.name()));
        line("reviewer", &quoted(&self.reviewer));
        line("date", &self.date);
        if !self.reason.is_empty() {
            line("reason", &quoted(&self.reason));
        }
        line("expires", &self.expires);
        entry
    }
}

/// An entry as it is written in a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionEntry {
    principal: String,
    id: Option<String>,
    decision: String,
    reviewer: String,
    date: DayOrText,
    #[serde(default)]
    reason: String,
    expires: DayOrText,
}

impl DecisionEntry {
    pub(super) fn check(self, number: usize) -> Result<Decision, ListError> {
        let empty = |member| ListError::Empty { number, member };
        let Some(kind) = DecisionKind::named(&self.decision) else {
            let text = self.decision;
            return Err(ListError::NoDecision { number, text });
        };
        for (member, text) in [("principal", &self.principal), ("reviewer", &self.reviewer)] {
            if text.trim().is_empty() {
                return Err(empty(member));
            }
        }
        if is_pattern(&self.principal) {
            let text = self.principal;
            return Err(ListError::NoPrincipal { number, text });
        }
        if kind == DecisionKind::Keep && self.reason.trim().is_empty() {
            return Err(empty("reason"));
        }
        let day = |member, day: DayOrText| {
            let text = day.text();
            match first_moment_of_day(&text) {
                Some(moment) => Ok((text, moment)),
                None => Err(ListError::NoDay { number, member, text }),
            }
        };
        let ((date, _), (expires, last_day)) = (day("date", self.date)?, day("expires", self.expires)?);
        Ok(Decision {
            principal_arn: self.principal,
            unique_id: self.id,
            kind,
            reviewer: self.reviewer.trim().to_owned(),
            date,
            reason: self.reason.trim().to_owned(),
            expires,
            expires_at: last_day.saturating_add(MICROS_PER_DAY),
        })
    }
}

/// A list with these decisions in the place of those that it had on the same principals. What stands above the decisions
/// stays as it is.
pub fn with_decisions(text: &str, present: &[Decision], new: &[Decision]) -> String {
    let (own, _) = parts(text);
    let is_decided = |old: &&Decision| !new.iter().any(|decision| decision.is_about_the_same(old));
    let mut all: Vec<&Decision> = present.iter().filter(is_decided).chain(new).collect();
    all.sort_by_key(|decision| (&decision.principal_arn, &decision.unique_id));
    let mut list = own.trim_end().to_owned();
    if !list.is_empty() {
        list.push_str("\n\n");
    }
    list.push_str(MARK);
    list.push('\n');
    all.iter().for_each(|decision| list.push_str(&decision.entry()));
    list
}

/// What stands on the wrong side of the line below which the decisions stand that were read from sheets; `None` if nothing
/// does.
///
/// # Errors
/// When one of both sides is no list of its own.
pub fn misplaced(text: &str) -> Result<Option<Misplaced>, ListError> {
    let (own, written) = parts(text);
    let (own, written) = (KeepList::read(own)?, KeepList::read(written)?);
    let is_by_hand = |entry: &Keep| entry.decision.is_none();
    Ok(match own.decisions().is_empty() {
        false => Some(Misplaced::DecisionAbove),
        true => written
            .entries()
            .iter()
            .any(is_by_hand)
            .then_some(Misplaced::EntryBelow),
    })
}

/// What people wrote, and what was read from sheets.
fn parts(text: &str) -> (&str, &str) {
    let next = || text.match_indices('\n').map(|(position, _)| position + 1);
    let mut starts = std::iter::once(0).chain(next());
    let start = starts.find(|start| text.get(*start..).is_some_and(|rest| rest.starts_with(MARK)));
    start
        .and_then(|start| text.split_at_checked(start))
        .unwrap_or((text, ""))
}

impl Decision {
    fn is_about_the_same(&self, other: &Self) -> bool {
        self.concerns(&other.key())
    }
}

/// A day some days after another one.
pub(super) fn day_after(first_moment: i64, days: i64) -> Option<String> {
    let moment = first_moment.checked_add(days.checked_mul(MICROS_PER_DAY)?)?;
    let text = format_canonical(moment)?;
    text.split('T').next().map(str::to_owned)
}

/// Whether a text would mean more than one principal.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// A text of TOML on one line.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // What an editor would not show, such as marks that turn the direction of writing.
            _ if !character.is_ascii_graphic() && !character.is_alphanumeric() && character != ' ' => {
                let written = write!(quoted, "\\U{:08X}", u32::from(character));
                debug_assert!(written.is_ok(), "writing to a string cannot fail");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
