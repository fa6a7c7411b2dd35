//! Permissions that are kept on purpose, although nobody uses them: the allow-list.
//!
//! An entry gives a reason and a day, after which it no longer counts: what is kept for ever without a second look is what
//! least privilege wants to find.

use serde::Deserialize;
use toml::value::Datetime;

use crate::event::parse_event_time;
use crate::iam::action_matches;
use crate::iam::resource_matches;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Entries in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeepList {
    entries: Vec<Keep>,
}

/// One entry: whose permissions are kept, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Position in the file, from 1.
    pub number: usize,
    /// ARN or name of principals, or patterns over either.
    pub principals: Vec<String>,
    /// Full names of actions, or patterns.
    pub actions: Vec<String>,
    /// Why.
    pub reason: String,
    /// Last day on which the entry counts, `YYYY-MM-DD` in UTC.
    pub expires: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// First moment at which it no longer counts.
    expires_at: i64,
}

/// Why an allow-list cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeepError {
    /// It is no TOML, or has other members.
    #[error("{0}")]
    Unreadable(String),
    /// An entry says nothing where it must.
    #[error("entry {number}: `{member}` is empty")]
    Empty {
        /// Position of the entry.
        number: usize,
        /// The member.
        member: &'static str,
    },
    /// An entry does not say for how long.
    #[error("entry {number}: `expires` is `{text}`, not a day like 2027-03-31")]
    NoDay {
        /// Position of the entry.
        number: usize,
        /// What stands there.
        text: String,
    },
    /// A pattern that no action can match.
    #[error("entry {number}: `{pattern}` is no action like `s3:GetObject`, and no pattern like `s3:Get*` or `*`")]
    NoAction {
        /// Position of the entry.
        number: usize,
        /// What stands there.
        pattern: String,
    },
}

impl KeepList {
    /// Reads TOML with a table `[[keep]]` per entry.
    ///
    /// # Errors
    /// When an entry has no principal, action, reason or day, or a member that is not known.
    pub fn read(text: &str) -> Result<Self, KeepError> {
        let file: KeepFile = toml::from_str(text).map_err(|error| KeepError::Unreadable(located(text, &error)))?;
        let entries = (1..).zip(file.keep).map(|(number, entry)| entry.check(number));
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
        })
    }

    /// All entries, expired ones included.
    pub fn entries(&self) -> &[Keep] {
        &self.entries
    }
}

impl Keep {
    /// Whether it no longer counts.
    pub fn is_expired(&self, now: i64) -> bool {
        now >= self.expires_at
    }

    /// Whether it is about a principal.
    pub fn concerns(&self, arn: &str) -> bool {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        let mut patterns = self.principals.iter();
        patterns.any(|pattern| resource_matches(pattern, arn) || resource_matches(pattern, name))
    }

    /// Whether it is about an action, or about a pattern that the facts do not know.
    pub fn keeps(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| action_matches(pattern, action))
    }

    /// Whether it keeps a principal as a whole.
    pub fn keeps_everything(&self) -> bool {
        self.actions.iter().any(|pattern| pattern == "*")
    }

    /// Reason, day and owner in one line.
    pub fn note(&self) -> String {
        let owner = self
            .owner
            .as_deref()
            .map_or(String::new(), |owner| format!(", {owner}"));
        format!("{} (until {}{owner})", self.reason, self.expires)
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepFile {
    #[serde(default)]
    keep: Vec<KeepEntry>,
}

/// An entry as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepEntry {
    principal: OneOrMany,
    action: OneOrMany,
    reason: String,
    expires: DayOrText,
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a day like 2027-03-31")]
enum DayOrText {
    Day(Datetime),
    Text(String),
}

impl KeepEntry {
    fn check(self, number: usize) -> Result<Keep, KeepError> {
        let empty = |member| KeepError::Empty { number, member };
        let (principals, actions) = (self.principal.texts(), self.action.texts());
        if principals.is_empty() || principals.iter().any(|pattern| pattern.trim().is_empty()) {
            return Err(empty("principal"));
        }
        if actions.is_empty() {
            return Err(empty("action"));
        }
        if let Some(pattern) = actions.iter().find(|pattern| *pattern != "*" && !pattern.contains(':')) {
            let pattern = pattern.clone();
            return Err(KeepError::NoAction { number, pattern });
        }
        if self.reason.trim().is_empty() {
            return Err(empty("reason"));
        }
        let expires = match self.expires {
            DayOrText::Day(day) => day.to_string(),
            DayOrText::Text(text) => text,
        };
        let first_moment = (expires.len() == "2027-03-31".len())
            .then(|| parse_event_time(&format!("{expires}T00:00:00Z")))
            .flatten();
        let Some(first_moment) = first_moment else {
            return Err(KeepError::NoDay { number, text: expires });
        };
        Ok(Keep {
            number,
            principals,
            actions,
            reason: self.reason.trim().to_owned(),
            expires,
            owner: self.owner.filter(|owner| !owner.trim().is_empty()),
            expires_at: first_moment.microseconds.saturating_add(MICROS_PER_DAY),
        })
    }
}

impl OneOrMany {
    fn texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// What is wrong, and on which line.
fn located(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}: {}", error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "[[keep]]\nprincipal = 'arn:aws:iam::*:role/break-glass/*'\naction = '*'\n\
                         reason = 'break-glass'\nexpires = 2027-03-31\n";

    fn moment(text: &str) -> i64 {
        parse_event_time(text).unwrap().microseconds
    }

    #[test]
    fn entry_counts_to_the_end_of_its_last_day() {
        let list = KeepList::read(ENTRY).unwrap();
        let [entry] = list.entries() else { panic!("{list:?}") };
        assert!(!entry.is_expired(moment("2027-03-31T23:59:59Z")));
        assert!(entry.is_expired(moment("2027-04-01T00:00:00Z")));
        assert_eq!(entry.note(), "break-glass (until 2027-03-31)");
    }

    #[test]
    fn lists_texts_for_days_and_owners_are_read() {
        let text = "[[keep]]\nprincipal = ['etl', 'arn:aws:iam::111122223333:role/x']\naction = ['s3:Get*', 'sqs:SendMessage']\n\
                    reason = 'runs each January'\nexpires = '2027-01-31'\nowner = 'data'\n";
        let list = KeepList::read(text).unwrap();
        let entry = &list.entries()[0];
        assert!(entry.concerns("arn:aws:iam::444455556666:role/batch/etl"));
        assert!(
            entry.concerns("arn:aws:iam::111122223333:role/x") && !entry.concerns("arn:aws:iam::444455556666:role/y")
        );
        assert!(entry.keeps("s3:GetObject") && entry.keeps("SQS:sendmessage") && !entry.keeps("s3:PutObject"));
        assert!(!entry.keeps_everything());
        assert_eq!(entry.note(), "runs each January (until 2027-01-31, data)");
    }

    #[test]
    fn empty_file_keeps_nothing() {
        assert!(KeepList::read("# nothing yet\n").unwrap().entries().is_empty());
    }

    #[test]
    fn entry_without_what_it_needs_is_refused_with_its_place() {
        for (present, other, message) in [
            ("reason = 'break-glass'\n", "", "line 1: missing field `reason`"),
            ("expires = 2027-03-31\n", "", "line 1: missing field `expires`"),
            ("reason = 'break-glass'", "reason = ' '", "entry 1: `reason` is empty"),
            ("2027-03-31", "'soon'", "entry 1: `expires` is `soon`"),
            ("2027-03-31", "2027-02-30", "line 5: "),
            ("2027-03-31", "2027-03-31T00:00:00Z", "not a day like"),
            ("action = '*'", "action = 'Get*'", "entry 1: `Get*` is no action"),
            ("action = '*'", "action = []", "entry 1: `action` is empty"),
            ("'arn:aws:iam::*:role/break-glass/*'", "''", "`principal` is empty"),
            ("reason", "raison", "line 4: unknown field `raison`"),
            ("[[keep]]", "[[allow]]", "unknown field `allow`"),
        ] {
            let text = ENTRY.replace(present, other);
            let error = KeepList::read(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}, not {message}");
        }
    }
}
