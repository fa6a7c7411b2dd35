//! Whether the files of a bundle are those that were bound together.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::manifest::STATEMENT_FILE;
use super::manifest::STATEMENT_TYPE;
use super::manifest::SUMS_FILE;
use super::manifest::is_file_name;
use super::manifest::sums;

/// Something that is not as it was bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A file has other content.
    Differs(String),
    /// A file is not there.
    Missing(String),
    /// A file is there that was not bound.
    Extra(String),
    /// A file that binds others cannot be read.
    Unreadable(String),
    /// A signature is not one of the sums, or not by the key that the bundle names.
    NotSigned(String),
    /// A signature is by nobody who may sign.
    Stranger(String),
    /// A question reads more than the store.
    ReachesOut(String),
}

impl Problem {
    /// The file that it is about. May be any text.
    pub fn file(&self) -> &str {
        match self {
            Self::Differs(file)
            | Self::Missing(file)
            | Self::Extra(file)
            | Self::Unreadable(file)
            | Self::NotSigned(file)
            | Self::Stranger(file)
            | Self::ReachesOut(file) => file,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, file) = match self {
            Self::Differs(file) => ("differs", file),
            Self::Missing(file) => ("is missing", file),
            Self::Extra(file) => ("is no part of the bundle", file),
            Self::Unreadable(file) => ("cannot be read as what it should be", file),
            Self::NotSigned(file) => ("is no signature of this bundle", file),
            Self::Stranger(file) => ("is by nobody who is allowed to sign", file),
            Self::ReachesOut(file) => ("reads files outside of the store", file),
        };
        write!(formatter, "`{file}` {what}")
    }
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

/// Compares the files that are there, by name and SHA-256, with what sums and statement say.
pub fn check_bundle(found: &BTreeMap<String, String>, sums_text: &str, statement_text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let stated = read_statement(statement_text);
    let summed = read_sums(sums_text).filter(|sums| !sums.is_empty());
    if stated.is_none() && found.contains_key(STATEMENT_FILE) {
        problems.push(Problem::Unreadable(STATEMENT_FILE.to_owned()));
    }
    if summed.is_none() && found.contains_key(SUMS_FILE) {
        problems.push(Problem::Unreadable(SUMS_FILE.to_owned()));
    }
    let has_sums = summed.is_some();
    let (stated, summed) = (stated.unwrap_or_default(), summed.unwrap_or_default());
    for name in [SUMS_FILE, STATEMENT_FILE] {
        if !found.contains_key(name) {
            problems.push(Problem::Missing(name.to_owned()));
        }
    }
    if found.get(SUMS_FILE).is_some_and(String::is_empty) {
        problems.push(Problem::Extra(SUMS_FILE.to_owned()));
    }
    for name in summed.keys().chain(stated.keys()) {
        if !found.contains_key(name) {
            problems.push(Problem::Missing(name.clone()));
        }
    }
    for (name, hash) in found.iter().filter(|(name, _)| *name != SUMS_FILE) {
        let by_sums = summed.get(name);
        let by_statement = stated.get(name).filter(|_| name != STATEMENT_FILE);
        match (by_sums, by_statement) {
            // What has no hash is no plain file with a name that a bundle has, whatever names it.
            _ if hash.is_empty() => problems.push(Problem::Extra(name.clone())),
            // Nothing else binds the statement.
            (None, None) if name == STATEMENT_FILE && !has_sums => {}
            (None, None) => problems.push(Problem::Extra(name.clone())),
            // Each of the two binds it alone; where they disagree, the one that does not fit is the one that was changed.
            (Some(sum), Some(other)) if sum != other => {
                let file = if hash == other { SUMS_FILE } else { name };
                let file = if hash == sum { STATEMENT_FILE } else { file };
                problems.push(Problem::Differs(file.to_owned()));
            }
            (sum, other) if sum.or(other) != Some(hash) => problems.push(Problem::Differs(name.clone())),
            _ => {}
        }
    }
    let mut others = found.clone();
    others.remove(SUMS_FILE);
    if problems.is_empty() && sums_text != sums(&others) {
        problems.push(Problem::Differs(SUMS_FILE.to_owned()));
    }
    problems.sort();
    problems.dedup();
    problems
}

fn read_statement(text: &str) -> Option<BTreeMap<String, String>> {
    let statement: Statement = serde_json::from_str(text).ok()?;
    (statement.statement_type == STATEMENT_TYPE).then_some(())?;
    let mut files = BTreeMap::new();
    for mut subject in statement.subject {
        let hash = subject.digest.remove("sha256")?;
        (is_sha256(&hash) && is_file_name(&subject.name)).then_some(())?;
        files.insert(subject.name, hash).is_none().then_some(())?;
    }
    Some(files)
}

fn read_sums(text: &str) -> Option<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for line in text.lines() {
        let (hash, name) = line.split_once("  ")?;
        (is_sha256(hash) && is_file_name(name)).then_some(())?;
        files.insert(name.to_owned(), hash.to_owned()).is_none().then_some(())?;
    }
    Some(files)
}

/// Lower-case hexadecimal, as bundles have it.
fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> (BTreeMap<String, String>, String, String) {
        let files = [("a", "1"), ("b", "2")].map(|(name, digit)| (name.to_owned(), digit.repeat(64)));
        let mut files = BTreeMap::from(files);
        let subjects = files
            .iter()
            .map(|(name, hash)| serde_json::json!({"name": name, "digest": {"sha256": hash}}));
        let statement = serde_json::json!({"_type": STATEMENT_TYPE, "subject": subjects.collect::<Vec<_>>()});
        files.insert(STATEMENT_FILE.to_owned(), "3".repeat(64));
        let text = sums(&files);
        files.insert(SUMS_FILE.to_owned(), "4".repeat(64));
        (files, text, statement.to_string())
    }

    fn with(change: impl FnOnce(&mut BTreeMap<String, String>, &mut String, &mut String)) -> Vec<String> {
        let (mut files, mut sums, mut statement) = bound();
        change(&mut files, &mut sums, &mut statement);
        let problems = check_bundle(&files, &sums, &statement);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whole_bundle_has_no_problems() {
        assert_eq!(with(|_, _, _| {}), [""; 0]);
    }

    #[test]
    fn every_change_names_its_file() {
        let set = |name: &'static str, hash: &'static str| {
            move |files: &mut BTreeMap<String, String>, _: &mut String, _: &mut String| {
                files.insert(name.to_owned(), hash.repeat(64));
            }
        };
        assert_eq!(with(set("a", "9")), ["`a` differs"]);
        assert_eq!(with(set("x", "9")), ["`x` is no part of the bundle"]);
        assert_eq!(with(set(STATEMENT_FILE, "9")), ["`statement.intoto.json` differs"]);
        assert_eq!(with(|files, _, _| drop(files.remove("b"))), ["`b` is missing"]);
        assert_eq!(
            with(|files, _, _| drop(files.remove(SUMS_FILE))),
            ["`SHA256SUMS` is missing"]
        );
        assert_eq!(
            with(|_, sums, _| *sums = sums.replacen('1', "7", 1)),
            ["`SHA256SUMS` differs"]
        );
        assert_eq!(
            with(|_, sums, _| sums.push('\n')),
            ["`SHA256SUMS` cannot be read as what it should be"]
        );
        assert_eq!(
            with(|_, sums, _| sums.truncate(sums.len() - 1)),
            ["`SHA256SUMS` differs"]
        );
        assert_eq!(
            with(|files, _, statement| {
                *statement = statement.replacen('1', "7", 1);
                files.insert(STATEMENT_FILE.to_owned(), "9".repeat(64));
            }),
            [
                "`statement.intoto.json` differs",
                "`statement.intoto.json` cannot be read as what it should be"
            ]
        );
    }

    #[test]
    fn file_without_a_hash_is_no_part_of_the_bundle_whatever_the_sums_say() {
        for name in ["a", STATEMENT_FILE] {
            let problems = with(|files, sums, _| {
                *sums = sums.replace(&files[name], "");
                files.insert(name.to_owned(), String::new());
            });
            let wanted = format!("`{name}` is no part of the bundle");
            assert!(problems.contains(&wanted), "{problems:?}");
        }
        let linked = with(|files, _, _| drop(files.insert(SUMS_FILE.to_owned(), String::new())));
        assert_eq!(linked, ["`SHA256SUMS` is no part of the bundle"]);
    }

    #[test]
    fn sums_that_were_emptied_are_named_and_not_the_files() {
        let statement = format!(r#"{{"_type": "{STATEMENT_TYPE}", "subject": []}}"#);
        let found = [SUMS_FILE, STATEMENT_FILE].map(|name| (name.to_owned(), "1".repeat(64)));
        let problems = check_bundle(&BTreeMap::from(found), "", &statement);
        assert_eq!(problems, [Problem::Unreadable(SUMS_FILE.to_owned())]);
    }

    #[test]
    fn sums_in_another_form_are_not_read() {
        let sum = "1".repeat(64);
        for line in [
            "  a".to_owned(),
            format!("{}  a", "1".repeat(63)),
            format!("{}  a", "A".repeat(64)),
            format!("{sum} *a"),
            format!("{sum}  ../a"),
            format!("\\{sum}  a"),
        ] {
            assert_eq!(read_sums(&line), None, "{line}");
        }
        assert!(read_sums(&format!("{sum}  tables/a.csv\n")).is_some());
    }
}
