//! What binds the files of a bundle together: `SHA256SUMS`, and an in-toto statement with the same hashes.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

use super::BundleRecord;

/// The bundle's record of itself.
pub const RECORD_FILE: &str = "bundle.json";
/// The in-toto statement.
pub const STATEMENT_FILE: &str = "statement.intoto.json";
/// Hashes of all other files, as `sha256sum` writes them.
pub const SUMS_FILE: &str = "SHA256SUMS";
/// A signature over [`SUMS_FILE`], if somebody signed it.
pub const SIGNATURE_FILE: &str = "SHA256SUMS.sig";

/// What a statement about a bundle is.
pub(super) const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://github.com/trimtrail/trimtrail/evidence-bundle/v1";
const MOST_NAME_BYTES: usize = 99;

/// Whether a text can be the name of a file of a bundle: one or two plain parts.
pub fn is_file_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain)
    };
    name.len() <= MOST_NAME_BYTES && name.split('/').count() <= 2 && name.split('/').all(is_part)
}

/// The statement over these files, by name and SHA-256.
pub fn statement(record: &BundleRecord, files: &BTreeMap<String, String>) -> String {
    let subjects = files
        .iter()
        .map(|(name, sha256)| json!({"name": name, "digest": {"sha256": sha256}}));
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects.collect::<Vec<_>>(),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "format": record.format,
            "trimtrail_version": record.trimtrail_version,
            "period": record.period,
            "store": record.store,
            "frameworks": record.frameworks.iter().map(|framework| &framework.id).collect::<Vec<_>>(),
            "redaction": record.redaction,
            "prepared_by": record.prepared_by,
            "prepared_at": record.prepared_at,
            "integrity": record.integrity,
            "coverage": record.coverage,
        },
    });
    let text = serde_json::to_string_pretty(&statement).unwrap_or_default();
    format!("{}\n", crate::report::escape::json(&text))
}

/// Hashes and names as `sha256sum` writes them.
pub fn sums(files: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, sha256) in files {
        let written = writeln!(text, "{sha256}  {name}");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_cannot_leave_the_bundle() {
        for name in ["index.html", "tables/root-use.csv", "SHA256SUMS"] {
            assert!(is_file_name(name), "{name}");
        }
        for name in [
            "",
            "../x",
            "/x",
            "a/b/c",
            "a//b",
            ".x",
            "a/.b",
            "a\\b",
            "a\nb",
            "é",
            &"x".repeat(100),
        ] {
            assert!(!is_file_name(name), "{name}");
        }
    }
}
