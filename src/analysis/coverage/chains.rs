//! Which digests are there, of which trails they are, and which logs they name.

mod hours;
mod standing;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::changes::DigestTrail;
use super::cover::Cover;
use super::model::HOUR;
use super::named::NamedLog;
use crate::integrity::DigestKey;
use crate::integrity::DigestOutline;
use crate::integrity::GroupReport;
use crate::integrity::Recorded;
use crate::policy::Window;
pub(super) use hours::DigestHour;
use standing::Standing;
use standing::Standings;

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
    /// Whether it can be believed that a chain begins with it.
    is_believed: bool,
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
        let standings = Standings::new(objects, verdicts);
        let (mut unreadable, mut moves) = (Vec::new(), Vec::new());
        for digest in objects.iter().filter(|object| object.is_digest) {
            let Some(key) = DigestKey::parse(&digest.uri) else {
                continue;
            };
            let Some(outline) = DigestOutline::of(digest) else {
                unreadable.push(key);
                continue;
            };
            // A copy under another name has the hash of a valid one, and would stand for one that is missing.
            let is_of_another_name = DigestKey::parse(&outline.name).is_some_and(|claimed| claimed != key);
            let standing = match is_of_another_name {
                true => Standing::of_a_copy(),
                false => standings.of(digest),
            };
            let trail = TrailKey {
                name: key.trail.to_owned(),
                home_region: key.home_region.to_owned(),
                root: outline.root.clone(),
            };
            if standing.fault.is_none() {
                chains.folders.insert(folder_of(&digest.uri).to_owned());
            }
            if standing.is_believed {
                moves.extend(outline.previous_root.clone().map(|root| (root, trail.clone())));
            }
            chains.add(trail, outline, (verdicts.is_some(), standing));
        }
        chains.join(moves);
        unreadable.into_iter().for_each(|key| chains.note_unreadable(&key));
        chains
    }

    fn add(&mut self, trail: TrailKey, outline: DigestOutline, (has_keys, standing): (bool, Standing)) {
        let is_sound = standing.fault.is_none();
        for log in outline.logs {
            let hour = log.delivered_at.unwrap_or(outline.start).div_euclid(HOUR);
            let named = self.named.entry(hour).or_default();
            named.entry(log.name.clone()).or_default().note(log, is_sound);
        }
        let link = Link {
            // A digest is about an hour; what claims more would hide that others are missing.
            end: outline.end.min(outline.start.saturating_add(HOUR)),
            is_starting: outline.is_starting,
            is_valid: has_keys && is_sound,
            fault: standing.fault,
            is_believed: standing.is_believed,
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

    /// The trails.
    pub(super) fn trails(&self) -> Vec<DigestTrail<'_>> {
        let trails = self.chains.keys().map(|trail| DigestTrail {
            name: &trail.name,
            home_region: &trail.home_region,
            is_of_organization: trail.organization().is_some(),
        });
        trails.collect()
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
        if !self.has_digests_in_folder_of(uri) {
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

    /// Whether digests lie in the same folder of an account that nothing speaks against.
    pub(super) fn has_digests_in_folder_of(&self, uri: &str) -> bool {
        self.folders.contains(folder_of(uri))
    }

    /// All logs that digests name, by file name.
    pub(super) fn named_logs(&self) -> impl Iterator<Item = (&str, &NamedLog)> {
        let logs = self.named.values().flatten();
        logs.map(|(name, log)| (name.as_str(), log))
    }
}

impl Chain {
    /// Takes a digest in; of copies of the same time one that nothing speaks against.
    fn add(&mut self, start: i64, link: Link) {
        let worth = |link: &Link| (link.fault.is_none(), link.is_believed);
        match self.digests.get(&start) {
            Some(known) if worth(known) >= worth(&link) => {}
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

    /// When chains begin with it that can be believed.
    fn beginnings(&self) -> impl Iterator<Item = i64> {
        let starting = |(_, link): &(&i64, &Link)| link.is_starting && link.is_believed;
        self.digests.iter().filter(starting).map(|(start, _)| *start)
    }
}

impl TrailKey {
    /// The id of the organization in the folder, where the trail is one of an organization.
    fn organization(&self) -> Option<&str> {
        self.root.rsplit('/').nth(1).filter(|folder| folder.starts_with("o-"))
    }
}

/// The folder of the account in which a digest or log lies.
pub(super) fn folder_of(uri: &str) -> &str {
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
