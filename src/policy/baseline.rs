//! Findings of checks that are known and accepted: the baseline.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::pardon::DayOrText;
use super::pardon::ListError;
use super::pardon::Pardon;
use super::pardon::located;
use crate::iam::resource_matches;

/// Entries in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: Vec<Accepted>,
}

/// One entry: which findings are accepted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Position in the file, from 1.
    pub number: usize,
    /// Id of the check, or a pattern.
    pub check: String,
    /// Patterns for the columns that tell findings apart; one that is not named may hold anything.
    pub wanted: BTreeMap<String, String>,
    /// Why, and until when.
    pub pardon: Pardon,
}

impl Baseline {
    /// Reads TOML with a table `[[accept]]` per entry.
    ///
    /// # Errors
    /// When an entry has no check, reason or day, or a member that is not known.
    pub fn read(text: &str) -> Result<Self, ListError> {
        let file: BaselineFile = toml::from_str(text).map_err(|error| ListError::Unreadable(located(text, &error)))?;
        let entries = (1..).zip(file.accept).map(|(number, entry)| entry.check(number));
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
        })
    }

    /// All entries, expired ones included.
    pub fn entries(&self) -> &[Accepted] {
        &self.entries
    }
}

impl Accepted {
    /// Whether it is about a finding of a check, told apart by these columns.
    pub fn accepts(&self, check: &str, identity: &[(String, Option<String>)]) -> bool {
        let value = |column: &str| {
            let found = identity.iter().find(|(name, _)| name == column);
            found.map(|(_, value)| value.as_deref().unwrap_or_default())
        };
        let mut wanted = self.wanted.iter();
        resource_matches(&self.check, check)
            && wanted.all(|(column, pattern)| value(column).is_some_and(|value| resource_matches(pattern, value)))
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    #[serde(default)]
    accept: Vec<BaselineEntry>,
}

/// An entry as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineEntry {
    check: String,
    #[serde(default, rename = "where")]
    wanted: BTreeMap<String, String>,
    reason: String,
    expires: DayOrText,
    owner: Option<String>,
}

impl BaselineEntry {
    fn check(self, number: usize) -> Result<Accepted, ListError> {
        if self.check.trim().is_empty() {
            return Err(ListError::Empty {
                number,
                member: "check",
            });
        }
        Ok(Accepted {
            number,
            check: self.check,
            wanted: self.wanted,
            pardon: Pardon::new(number, &self.reason, self.expires, self.owner)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "[[accept]]\ncheck = 'root-use'\nwhere = { recipient_account_id = '1111*', event_name = 'ConsoleLogin' }\n\
                         reason = 'quarterly test'\nexpires = 2027-03-31\n";

    fn identity(account: &str, name: Option<&str>) -> Vec<(String, Option<String>)> {
        vec![
            ("recipient_account_id".to_owned(), Some(account.to_owned())),
            ("event_name".to_owned(), name.map(str::to_owned)),
        ]
    }

    #[test]
    fn entry_accepts_findings_that_match_all_its_patterns() {
        let baseline = Baseline::read(ENTRY).unwrap();
        let [entry] = baseline.entries() else {
            panic!("{baseline:?}")
        };
        let login = Some("ConsoleLogin");
        assert!(entry.accepts("root-use", &identity("111122223333", login)));
        assert!(!entry.accepts("root-use", &identity("999922223333", login)));
        assert!(!entry.accepts("root-use", &identity("111122223333", None)));
        assert!(!entry.accepts("key-age", &identity("111122223333", login)));
        assert!(!entry.accepts("root-use", &[]));
        assert_eq!(entry.pardon.note(), "quarterly test (until 2027-03-31)");
    }

    #[test]
    fn entry_without_reason_day_or_check_is_refused() {
        for (present, other, message) in [
            ("reason = 'quarterly test'\n", "", "missing field `reason`"),
            ("'quarterly test'", "''", "entry 1: `reason` is empty"),
            ("2027-03-31", "'never'", "entry 1: `expires` is `never`"),
            ("'root-use'", "' '", "entry 1: `check` is empty"),
            ("[[accept]]", "[[keep]]", "unknown field `keep`"),
        ] {
            let error = Baseline::read(&ENTRY.replace(present, other)).unwrap_err().to_string();
            assert!(error.contains(message), "{error}, not {message}");
        }
    }
}
