//! Which digests are there, of which trails they are, and which logs they name.

mod hours;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::cover::Cover;
use super::model::HOUR;
use super::named::NamedLog;
use crate::integrity::DigestKey;
use crate::integrity::DigestOutline;
use crate::integrity::GroupReport;
use crate::integrity::Recorded;
use crate::policy::Window;
pub(super) use hours::DigestHour;

/// Which trail digests are of. Its name alone does not tell: the organization, each account and each region may have a trail of the
/// same name, and digests say which home region and which folder of which bucket are theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct TrailKey {
    name: String,
    home_region: String,
    /// Where its digests say that they were delivered.
    root: String,
}

/// The digests of one trail.
#[derive(Debug, Default)]
struct Chain {
    /// By the start of their hours; one that was delivered afterwards takes the place of the one that is missing.
    digests: BTreeMap<i64, Link>,
    /// Digests that cannot be read, by the end of their hours.
    unreadable: BTreeSet<i64>,
}

#[derive(Debug)]
struct Link {
    end: i64,
    is_starting: bool,
    is_valid: bool,
    /// Why it proves nothing, if something says so.
    fault: Option<&'static str>,
}

/// The digests of an account and region.
#[derive(Debug, Default)]
pub(super) struct Chains {
    chains: BTreeMap<TrailKey, Chain>,
    /// By number of the hour of delivery.
    named: BTreeMap<i64, BTreeMap<String, NamedLog>>,
    /// Folders in which digests lie that nothing speaks against.
    folders: BTreeSet<String>,
}

impl Chains {
    /// Reads the digests among the objects; `verdicts` says which are valid.
    pub(super) fn new(objects: &[Recorded], verdicts: Option<&GroupReport>) -> Self {
        let mut chains = Self::default();
        let contradicted = contradicted(objects);
        let (mut unreadable, mut moves) = (Vec::new(), Vec::new());
        for digest in objects.iter().filter(|object| object.is_digest) {
            let Some(key) = DigestKey::parse(&digest.uri) else {
                continue;
            };
            let Some(outline) = DigestOutline::of(digest) else {
                unreadable.push(key);
                continue;
            };
            let fault = match verdicts {
                // A copy with other content has another hash, wherever it lies.
                Some(report) if is_valid(report, digest) => None,
                Some(_) => Some("is not valid"),
                None => contradicted
                    .contains(&digest.uri)
                    .then_some("has another hash than the next one states"),
            };
            let trail = TrailKey {
                name: key.trail.to_owned(),
                home_region: key.home_region.to_owned(),
                root: outline.root.clone(),
            };
            if fault.is_none() {
                chains.folders.insert(folder_of(&digest.uri).to_owned());
                moves.extend(outline.previous_root.clone().map(|root| (root, trail.clone())));
            }
            chains.add(trail, outline, (verdicts.is_some(), fault));
        }
        chains.join(moves);
        unreadable.into_iter().for_each(|key| chains.note_unreadable(&key));
        chains
    }

    fn add(&mut self, trail: TrailKey, outline: DigestOutline, (has_keys, fault): (bool, Option<&'static str>)) {
        for log in outline.logs {
            let hour = log.delivered_at.unwrap_or(outline.start).div_euclid(HOUR);
            let named = self.named.entry(hour).or_default();
            named.entry(log.name.clone()).or_default().note(log, fault.is_none());
        }
        let link = Link {
            // A digest is about an hour; what claims more would hide that others are missing.
            end: outline.end.min(outline.start.saturating_add(HOUR)),
            is_starting: outline.is_starting,
            is_valid: has_keys && fault.is_none(),
            fault,
        };
        self.chains.entry(trail).or_default().add(outline.start, link);
    }

    /// A trail whose bucket or prefix was changed goes on with its chain: the digests of the new place name those of the old one.
    fn join(&mut self, moves: Vec<(String, TrailKey)>) {
        let mut joined: BTreeMap<TrailKey, TrailKey> = BTreeMap::new();
        let newest = |joined: &BTreeMap<TrailKey, TrailKey>, mut trail: TrailKey| {
            while let Some(next) = joined.get(&trail) {
                trail.clone_from(next);
            }
            trail
        };
        for (root, trail) in moves {
            let older = TrailKey { root, ..trail.clone() };
            let (older, trail) = (newest(&joined, older), newest(&joined, trail));
            if older == trail {
                continue;
            }
            if let Some(chain) = self.chains.remove(&older) {
                self.chains.entry(trail.clone()).or_default().absorb(chain);
                joined.insert(older, trail);
            }
        }
    }

    /// One that does not say where it was delivered may be of any trail of its name.
    fn note_unreadable(&mut self, key: &DigestKey<'_>) {
        let is_own = |trail: &TrailKey| trail.name == key.trail && trail.home_region == key.home_region;
        if !self.chains.keys().any(is_own) {
            let trail = TrailKey {
                name: key.trail.to_owned(),
                home_region: key.home_region.to_owned(),
                root: String::new(),
            };
            self.chains.insert(trail, Chain::default());
        }
        let own = self.chains.iter_mut().filter(|(trail, _)| is_own(trail));
        for (_, chain) in own {
            chain.unreadable.insert(key.ends_at);
        }
    }

    /// Names of the trails.
    pub(super) fn trails(&self) -> Vec<&str> {
        self.chains.keys().map(|trail| trail.name.as_str()).collect()
    }

    /// Whether there is any digest.
    pub(super) fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// Which times of a window digests are about that nothing speaks against.
    pub(super) fn cover(&self, window: Window) -> Cover {
        let links = self.chains.values().flat_map(Chain::sound);
        Cover::new(links.map(|(start, link)| (start, link.end)).collect(), window)
    }

    /// What digests that nothing speaks against state of logs, by file name.
    pub(super) fn proven_logs(&self) -> BTreeMap<&str, Vec<&NamedLog>> {
        let mut logs: BTreeMap<&str, Vec<&NamedLog>> = BTreeMap::new();
        for (name, log) in self.named.values().flatten().filter(|(_, log)| log.is_proven) {
            logs.entry(name).or_default().push(log);
        }
        logs
    }

    /// Whether an object lies beside digests that are about its time of delivery and the hour behind.
    pub(super) fn has_digests_beside(&self, uri: &str, delivered: i64) -> bool {
        if !self.folders.contains(folder_of(uri)) {
            return false;
        }
        let window = Window {
            since: delivered,
            until: delivered.saturating_add(2 * HOUR),
        };
        let near = window.since.saturating_sub(HOUR)..window.until;
        let links = self.chains.values().flat_map(|chain| chain.digests.range(near.clone()));
        let sound = links.filter(|(_, link)| link.fault.is_none());
        let cover = Cover::new(sound.map(|(start, link)| (*start, link.end)).collect(), window);
        cover.covers(delivered) && cover.covers(delivered.saturating_add(HOUR))
    }

    /// Logs that were delivered behind the last hour of a window and have events of before its end.
    pub(super) fn late(&self, until: i64) -> BTreeMap<String, NamedLog> {
        let behind = until.saturating_add(HOUR - 1).div_euclid(HOUR);
        let logs = self.named.range(behind..).flat_map(|(_, named)| named);
        let late = logs.filter(|(_, log)| log.begins_before(until));
        late.map(|(name, log)| (name.clone(), log.clone())).collect()
    }
}

impl Chain {
    /// Takes a digest in; of copies of the same time one that nothing speaks against.
    fn add(&mut self, start: i64, link: Link) {
        match self.digests.get(&start) {
            Some(known) if known.fault.is_none() || link.fault.is_some() => {}
            _ => {
                self.digests.insert(start, link);
            }
        }
    }

    fn absorb(&mut self, other: Self) {
        for (start, link) in other.digests {
            self.add(start, link);
        }
        self.unreadable.extend(other.unreadable);
    }

    /// Digests that nothing speaks against, by the start of their times.
    fn sound(&self) -> impl Iterator<Item = (i64, &Link)> {
        let sound = self.digests.iter().filter(|(_, link)| link.fault.is_none());
        sound.map(|(start, link)| (*start, link))
    }
}

/// URIs of digests of which the next one states another hash: one of the two is not as it was made.
fn contradicted(objects: &[Recorded]) -> BTreeSet<String> {
    let digests = || objects.iter().filter(|object| object.is_digest);
    let outlines = digests().filter_map(DigestOutline::of);
    let mut stated: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, hash) in outlines.filter_map(|outline| outline.previous) {
        stated.entry(name).or_default().insert(hash);
    }
    let is_other = |digest: &&Recorded| {
        let hashes = stated.get(file_name(&digest.uri));
        let own = digest.sha256.as_ref();
        hashes.zip(own).is_some_and(|(hashes, own)| !hashes.contains(own))
    };
    digests().filter(is_other).map(|digest| digest.uri.clone()).collect()
}

fn is_valid(report: &GroupReport, digest: &Recorded) -> bool {
    let hash = digest.sha256.as_ref();
    hash.is_some_and(|hash| report.valid_digests.contains(hash))
}

/// The folder of the account in which a digest or log lies.
fn folder_of(uri: &str) -> &str {
    let folders = ["/CloudTrail/", "/CloudTrail-Digest/"];
    let end = folders.into_iter().filter_map(|folder| uri.rfind(folder)).max();
    end.and_then(|end| uri.get(..end)).unwrap_or_default()
}

/// The last part of a key or URI.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests;
