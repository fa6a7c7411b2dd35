//! Pages of one answer that lie in several files.
//!
//! A page says that another one follows, not which. So pages are joined in the order of their names, which must be in one
//! folder and of one account. What does not join up stays as it is, with its gap.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use sha2::Digest;
use sha2::Sha256;

use super::ReadSource;
use crate::policy::snapshot;
use crate::policy::snapshot::Format;
use crate::policy::snapshot::Snapshot;

/// The pages of one answer are read in minutes; what lies further apart is another answer.
const LARGEST_GAP_MICROS: i64 = 3_600_000_000;

/// Folder and accounts of a page.
type Place = (String, BTreeSet<String>);

/// Sources that say that another page follows, and wait for it.
#[derive(Debug, Default)]
pub(super) struct Pages {
    waiting: BTreeMap<Place, ReadSource>,
}

impl Pages {
    /// Takes the next source and returns those that are complete, or will not become so.
    pub(super) fn take(&mut self, source: ReadSource) -> Vec<ReadSource> {
        if source.snapshot.format != Format::AuthorizationDetails {
            return vec![source];
        }
        let (place, mut done) = (place(&source), Vec::new());
        let mut whole = source;
        if let Some(earlier) = self.earlier(&place) {
            match join(&earlier, &whole) {
                Some(joined) => whole = joined,
                None => done.push(earlier),
            }
        }
        match whole.snapshot.lacks_pages {
            true => drop(self.waiting.insert(place, whole)),
            false => done.push(whole),
        }
        done
    }

    /// The sources whose next page never came.
    pub(super) fn rest(self) -> impl Iterator<Item = ReadSource> {
        self.waiting.into_values()
    }

    /// What waits for a page of this place; a page of nothing but AWS's policies names no account.
    fn earlier(&mut self, place: &Place) -> Option<ReadSource> {
        let (folder, accounts) = place;
        if !accounts.is_empty() {
            return self.waiting.remove(place);
        }
        let mut beside = self.waiting.keys().filter(|(waiting, _)| waiting == folder);
        let (only, None) = (beside.next()?.clone(), beside.next()) else {
            return None;
        };
        self.waiting.remove(&only)
    }
}

fn place(source: &ReadSource) -> Place {
    let folder = source.uri.rsplit_once('/').map_or("", |(folder, _)| folder);
    let accounts = source.snapshot.accounts();
    (folder.to_owned(), accounts.into_iter().map(str::to_owned).collect())
}

/// Two pages as one source; `None` if they are of two answers.
fn join(earlier: &ReadSource, later: &ReadSource) -> Option<ReadSource> {
    let are_near = later.taken_at.abs_diff(earlier.taken_at) <= LARGEST_GAP_MICROS.unsigned_abs();
    if !are_near || !names(&earlier.snapshot).is_disjoint(&names(&later.snapshot)) {
        return None;
    }
    let content = snapshot::joined_pages(&[&earlier.content, &later.content])?;
    Some(ReadSource {
        uri: earlier.uri.clone(),
        id: format!("{:x}", Sha256::digest(&content)),
        snapshot: snapshot::read(&content).ok()?,
        content,
        taken_at: earlier.taken_at.max(later.taken_at),
        files: earlier.files + later.files,
    })
}

/// An answer lists nobody twice.
fn names(snapshot: &Snapshot) -> BTreeSet<&str> {
    snapshot
        .principals
        .iter()
        .map(|principal| principal.arn.as_str())
        .collect()
}

/// A key that sorts names as people number them: `page-9` before `page-10`.
pub(super) fn numbered(uri: &str) -> String {
    let (mut key, mut digits) = (String::new(), String::new());
    for character in uri.chars().chain(std::iter::once('\0')) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if !digits.is_empty() {
            key.push_str(&format!("{digits:0>20}"));
            digits.clear();
        }
        key.push(character);
    }
    key
}
