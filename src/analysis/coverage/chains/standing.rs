//! Which digests count for what: those that CloudTrail signed, and what digests state of those before them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::file_name;
use crate::integrity::DigestOutline;
use crate::integrity::GroupReport;
use crate::integrity::Recorded;

/// What is said of all digests of an account and region.
#[derive(Debug)]
pub(super) struct Standings<'a> {
    verdicts: Option<&'a GroupReport>,
    /// URIs of digests of which the next one states another hash: one of the two is not as it was made.
    contradicted: BTreeSet<String>,
    /// Hashes that valid digests state of the ones before them, directly or by others between them.
    vouched: BTreeSet<String>,
}

/// What one digest counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Why it proves nothing of its hour, if something says so.
    pub(super) fault: Option<&'static str>,
    /// Whether it can be believed where its trail was before, and that a chain begins with it.
    pub(super) is_believed: bool,
}

impl Standing {
    /// What the copy of a digest counts for that lies under the name of another one.
    pub(super) fn of_a_copy() -> Self {
        Self {
            fault: Some("has the name of another one"),
            is_believed: false,
        }
    }
}

impl<'a> Standings<'a> {
    /// Reads what the digests among the objects state; `verdicts` says which are valid.
    pub(super) fn new(objects: &[Recorded], verdicts: Option<&'a GroupReport>) -> Self {
        let digests = || objects.iter().filter(|object| object.is_digest);
        // By the hash of each digest: file name and hash of the one before.
        let mut stated: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
        for digest in digests() {
            let own = digest.sha256.as_deref().unwrap_or_default();
            let previous = DigestOutline::of(digest).and_then(|outline| outline.previous);
            stated.entry(own).or_default().extend(previous);
        }
        let contradicted = match verdicts {
            Some(_) => BTreeSet::new(),
            None => contradicted(digests(), stated.values().flatten()),
        };
        Self {
            verdicts,
            contradicted,
            vouched: verdicts.map_or_else(BTreeSet::new, |report| vouched(&report.valid_digests, &stated)),
        }
    }

    /// What a digest counts for.
    ///
    /// With keys, the digests of the window were looked at and few others, so that most of the earlier ones are not known to be
    /// valid. Where a trail was before is said by one that may be long ago. It is believed if it is valid, or if a valid digest
    /// leads back to it: each one holds the hash of the one before
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>),
    /// and nobody can make another one of that hash. Not to be refuted is not enough: whoever can write into the bucket could put
    /// one there, of a time that is not looked at, that joins two trails of one name; the digests of one would then hide that
    /// those of the other are missing.
    pub(super) fn of(&self, digest: &Recorded) -> Standing {
        // A copy with other content has another hash, wherever it lies.
        let is_among = |hashes: &BTreeSet<String>| digest.sha256.as_ref().is_some_and(|hash| hashes.contains(hash));
        let fault = match self.verdicts {
            Some(report) => (!is_among(&report.valid_digests)).then_some("is not valid"),
            None => self
                .contradicted
                .contains(&digest.uri)
                .then_some("has another hash than the next one states"),
        };
        Standing {
            fault,
            is_believed: fault.is_none() || is_among(&self.vouched),
        }
    }
}

fn contradicted<'a>(
    digests: impl Iterator<Item = &'a Recorded>,
    stated: impl Iterator<Item = &'a (String, String)>,
) -> BTreeSet<String> {
    let mut hashes_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, hash) in stated {
        hashes_of.entry(name).or_default().insert(hash);
    }
    let is_other = |digest: &&Recorded| {
        let hashes = hashes_of.get(file_name(&digest.uri));
        let own = digest.sha256.as_deref();
        hashes.zip(own).is_some_and(|(hashes, own)| !hashes.contains(own))
    };
    digests.filter(is_other).map(|digest| digest.uri.clone()).collect()
}

fn vouched(valid: &BTreeSet<String>, stated: &BTreeMap<&str, Vec<(String, String)>>) -> BTreeSet<String> {
    let mut vouched: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<&str> = valid.iter().map(String::as_str).collect();
    while let Some(hash) = open.pop() {
        for (_, before) in stated.get(hash).into_iter().flatten() {
            if vouched.insert(before.clone()) {
                open.push(before);
            }
        }
    }
    vouched
}
