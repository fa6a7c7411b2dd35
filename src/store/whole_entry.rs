//! Whether the bytes of a log entry are all of it.
//!
//! An entry is believed for good: the next checkpoint is made of it. So one of which lines are missing must not be read,
//! whether its writer was cut off, its disk lost the end, or a service gave less than there is.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::log::BATCH_APP_ID;
use super::log::FOLLOW_APP_ID;

/// A log entry in a folder that is not whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("torn log entry `{path}`: {reason}")]
pub(super) struct TornEntry {
    pub(super) path: String,
    pub(super) reason: String,
}

/// As far as it tells how much there must be.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "commitInfo")]
    commit_info: Option<CommitInfo>,
    add: Option<IgnoredAny>,
    txn: Option<Txn>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitInfo {
    engine_info: Option<String>,
    read_version: Option<i64>,
    trimtrail: Option<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    counts: Option<Counts>,
}

#[derive(Deserialize)]
struct Counts {
    files: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Txn {
    app_id: String,
}

/// Refuses an entry of which something is missing, as far as it can be told: every line is whole, there are as many data files as the
/// batch has, and an entry of this program ends with its transaction.
///
/// Lines are JSON, one action each, and need no line end behind the last
/// (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#delta-log-entries>).
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let (mut info, mut files, mut last) = (CommitInfo::default(), 0, None);
    let lines = bytes.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        let mut line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if let Some(found) = line.commit_info.take() {
            info = found;
        }
        files += u64::from(line.add.is_some());
        last = Some(line);
    }
    let Some(last) = last else {
        return Err("the file is empty".to_owned());
    };
    let counts = info.trimtrail.and_then(|batch| batch.counts);
    if let Some(counts) = counts.filter(|counts| counts.files != files) {
        return Err(format!("it adds {files} data files instead of {}", counts.files));
    }
    // One that makes a table has read no version, and may be without.
    let is_own = info.engine_info.is_some_and(|engine| engine.starts_with("trimtrail/"));
    let ends = |txn: &Txn| [BATCH_APP_ID, FOLLOW_APP_ID].contains(&&*txn.app_id);
    if is_own && info.read_version.is_some() && !last.txn.as_ref().is_some_and(ends) {
        return Err("its last lines are missing".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = r#"{"commitInfo":{"operation":"WRITE","readVersion":3,"engineInfo":"trimtrail/0.1.0","trimtrail":{"counts":{"files":2,"events":5}}}}"#;
    const ADD: &str = r#"{"add":{"path":"a.parquet","stats":"{\"numRecords\":1}"}}"#;
    const TXN: &str = r#"{"txn":{"appId":"trimtrail-ingest","version":4}}"#;

    #[test]
    fn entry_that_is_cut_anywhere_is_not_whole() {
        let text = [INFO, ADD, ADD, TXN].join("\n");
        assert_eq!(check(text.as_bytes()), Ok(()));
        assert_eq!(check(format!("{text}\n").as_bytes()), Ok(()));
        for end in 0..text.len() {
            assert!(check(&text.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn entry_without_a_batch_that_lacks_its_end_is_not_whole() {
        let info = r#"{"commitInfo":{"operation":"COMPACT","readVersion":3,"engineInfo":"trimtrail/0.1.0"}}"#;
        let noted = r#"{"txn":{"appId":"trimtrail-compacted","version":4}}"#;
        let follows = r#"{"txn":{"appId":"trimtrail-events","version":4}}"#;
        let text = |lines: &[&str]| lines.join("\n");
        assert_eq!(check(text(&[info, ADD, noted, follows]).as_bytes()), Ok(()));
        for lines in [&[info, ADD, noted][..], &[info, ADD], &[info]] {
            assert_eq!(check(text(lines).as_bytes()).unwrap_err(), "its last lines are missing");
        }
    }

    #[test]
    fn entries_of_other_writers_and_of_new_tables_need_whole_lines_alone() {
        for text in [
            r#"{"commitInfo":{"operation":"WRITE","engineInfo":"Apache-Spark/4.0.0","readVersion":3}}"#,
            r#"{"add":{"path":"a.parquet"}}"#,
            r#"{"commitInfo":{"operation":"CREATE TABLE","engineInfo":"trimtrail/0.1.0"}}"#,
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
            assert!(check(&text.as_bytes()[..text.len() - 1]).is_err(), "{text}");
        }
        assert_eq!(check(b" \n").unwrap_err(), "the file is empty");
    }
}
