//! From the bytes of a file to a snapshot. The content decides what a file is, not its name.

use std::collections::BTreeSet;

use super::account;
use super::credentials;
use super::link;
use super::model::Format;
use super::model::Severity;
use super::model::Snapshot;
use super::organization;
use crate::iam::json::Json;

/// Why a file is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The bytes are no text.
    #[error("is no UTF-8 text")]
    NotText,
    /// The text is neither JSON nor a credential report.
    #[error("is neither JSON nor a credential report: {reason}")]
    NotJson {
        /// What the parser says.
        reason: String,
    },
    /// JSON of something else.
    #[error("holds neither authorization details, nor a credential report, nor policies of an organization")]
    Unknown,
}

impl Snapshot {
    /// Whether it and another of the same moment are parts of one answer, as `--filter` makes them: of one account, whole by
    /// themselves, and without a principal that both list.
    pub fn completes(&self, other: &Self) -> bool {
        let is_part = |snapshot: &Self| snapshot.format == Format::AuthorizationDetails && !snapshot.lacks_pages;
        let is_account = |account: &&str| account.bytes().all(|byte| byte.is_ascii_digit());
        let accounts = |snapshot| {
            Self::accounts(snapshot)
                .into_iter()
                .filter(is_account)
                .collect::<BTreeSet<_>>()
        };
        let arns = |snapshot: &Self| -> BTreeSet<String> {
            let principals = snapshot.principals.iter();
            principals.map(|principal| principal.arn.clone()).collect()
        };
        is_part(self)
            && is_part(other)
            && !accounts(self).is_disjoint(&accounts(other))
            && arns(self).is_disjoint(&arns(other))
    }
}

/// Reads a file: authorization details with any number of pages, a credential report, or policies of an organization.
pub fn read(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    let text = text_of(bytes).ok_or(SnapshotError::NotText)?;
    let mut snapshot = if credentials::is_report(&text) {
        let mut snapshot = Snapshot::new(Format::CredentialReport);
        credentials::read_report(&text, &mut snapshot);
        snapshot
    } else {
        let values = Json::parse_all(&text).map_err(|error| SnapshotError::NotJson {
            reason: error.to_string(),
        })?;
        read_values(&pages(values))?
    };
    link::finish(&mut snapshot);
    Ok(snapshot)
}

/// The pages of one answer, which are texts, one after the other; `None` if one is no text.
pub fn joined_pages(pages: &[&[u8]]) -> Option<Vec<u8>> {
    let texts: Option<Vec<String>> = pages.iter().map(|page| text_of(page)).collect();
    Some(texts?.join("\n").into_bytes())
}

/// PowerShell redirects output as UTF-16, and some editors write a byte order mark.
fn text_of(bytes: &[u8]) -> Option<String> {
    let utf_16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks(2).map(|pair| pair.try_into().map(unit).ok());
        String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        plain => std::str::from_utf8(plain).ok().map(str::to_owned),
    }
}

/// Pages follow one another, or stand in a list.
fn pages(values: Vec<Json>) -> Vec<Json> {
    let pages = values.into_iter().flat_map(|value| match value {
        Json::List(pages) => pages,
        page => vec![page],
    });
    pages.collect()
}

fn read_values(values: &[Json]) -> Result<Snapshot, SnapshotError> {
    let first = values.first().ok_or(SnapshotError::Unknown)?;
    let (format, is_alike): (Format, fn(&Json) -> bool) = if account::is_page(first) {
        (Format::AuthorizationDetails, account::is_page)
    } else if credentials::is_answer(first) {
        (Format::CredentialReport, credentials::is_answer)
    } else if organization::is_dump(first) {
        (Format::OrganizationPolicies, organization::is_dump)
    } else {
        return Err(SnapshotError::Unknown);
    };
    let mut snapshot = Snapshot::new(format);
    for (position, value) in values.iter().enumerate() {
        if !is_alike(value) {
            let place = format!("value {}", position + 1);
            snapshot.problem(Severity::Gap, place, format!("is not of the kind `{}`", format.name()));
            continue;
        }
        match format {
            Format::AuthorizationDetails => account::read_page(value, &mut snapshot),
            Format::CredentialReport => credentials::read_answer(value, &mut snapshot),
            Format::OrganizationPolicies | Format::Collected => organization::read_dump(value, &mut snapshot),
        }
    }
    if values.last().is_some_and(account::is_truncated) {
        snapshot.lacks_pages = true;
        let message = "says that more pages follow; import the files of all pages together, from one folder";
        snapshot.problem(Severity::Gap, "last page", message);
        mark_all(&mut snapshot, "the snapshot lacks pages");
    }
    Ok(snapshot)
}

/// A page that is missing may hold policies of anyone.
fn mark_all(snapshot: &mut Snapshot, gap: &str) {
    for principal in &mut snapshot.principals {
        principal.gaps.push(gap.to_owned());
    }
}

#[cfg(test)]
mod tests;
