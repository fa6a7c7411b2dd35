//! What every entry of a list of exceptions says: why, and until when.
//!
//! What is let pass for ever without a second look is what nobody finds any more.

use serde::Deserialize;
use toml::value::Datetime;

use crate::event::parse_event_time;

/// Microseconds of a day.
pub(super) const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Why something is let pass, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pardon {
    /// Why.
    pub reason: String,
    /// Last day on which it counts, `YYYY-MM-DD` in UTC.
    pub expires: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// First moment at which it no longer counts.
    pub(super) expires_at: i64,
}

/// Why a list of exceptions cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ListError {
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
    #[error("entry {number}: `{member}` is `{text}`, not a day like 2027-03-31")]
    NoDay {
        /// Position of the entry.
        number: usize,
        /// The member.
        member: &'static str,
        /// What stands there.
        text: String,
    },
    /// A review decides what nobody can do.
    #[error("review {number}: `decision` is `{text}`, not `keep`, `trim` or `remove`")]
    NoDecision {
        /// Position of the entry.
        number: usize,
        /// What stands there.
        text: String,
    },
    /// A review of more than one principal.
    #[error("review {number}: `{text}` is no ARN of one user or role")]
    NoPrincipal {
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

impl Pardon {
    /// Checks what an entry says.
    pub(super) fn new(
        number: usize,
        reason: &str,
        expires: DayOrText,
        owner: Option<String>,
    ) -> Result<Self, ListError> {
        if reason.trim().is_empty() {
            return Err(ListError::Empty {
                number,
                member: "reason",
            });
        }
        let expires = expires.text();
        let Some(first_moment) = first_moment_of_day(&expires) else {
            let (member, text) = ("expires", expires);
            return Err(ListError::NoDay { number, member, text });
        };
        Ok(Self {
            reason: reason.trim().to_owned(),
            expires,
            owner: owner.filter(|owner| !owner.trim().is_empty()),
            expires_at: first_moment.saturating_add(MICROS_PER_DAY),
        })
    }

    /// Whether it no longer counts.
    pub fn is_expired(&self, now: i64) -> bool {
        now >= self.expires_at
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

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a day like 2027-03-31")]
pub(super) enum DayOrText {
    Day(Datetime),
    Text(String),
}

impl DayOrText {
    pub(super) fn text(self) -> String {
        match self {
            Self::Day(day) => day.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl OneOrMany {
    pub(super) fn texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// The first moment of a day like 2027-03-31, in UTC.
pub(super) fn first_moment_of_day(day: &str) -> Option<i64> {
    let time = (day.len() == "2027-03-31".len())
        .then(|| parse_event_time(&format!("{day}T00:00:00Z")))
        .flatten();
    time.map(|time| time.microseconds)
}

/// What is wrong, and on which line.
pub(super) fn located(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}: {}", error.message())
}
