//! What digests outside of a window say of it: those before, that there was a chain; those behind, that one is lost that may name logs
//! of the window.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::ChainName;
use super::ChainReport;
use super::CheckedDigest;
use super::DigestKey;
use super::Finding;
use super::Rule;
use super::Window;
use crate::event::format_canonical;

/// Digests that are there and that are not looked at, by their names.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// When the first digest of each chain ends.
    ends: BTreeMap<ChainName, i64>,
    /// Names, with all hashes that are known.
    names: BTreeMap<String, BTreeSet<String>>,
}

impl Others {
    pub(super) fn note(&mut self, uri: &str, sha256: Option<&str>) {
        let hashes = self.names.entry(file_name(uri).to_owned()).or_default();
        hashes.extend(sha256.map(str::to_owned));
        if let Some(key) = DigestKey::parse(uri) {
            self.note_end(ChainName::of(&key), key.ends_at);
        }
    }

    fn note_end(&mut self, chain: ChainName, ends_at: i64) {
        let end = self.ends.entry(chain).or_insert(ends_at);
        *end = ends_at.min(*end);
    }

    /// Chains that began before a window of which there is no digest of the account and region: nothing proves what was done in
    /// it. Where there is one, another trail may have taken the place of one that ended.
    pub(super) fn absent(&mut self, outside: &[CheckedDigest], window: Window) -> Vec<ChainReport> {
        for digest in outside {
            if let Some(ends_at) = digest.ends_at {
                self.note_end(digest.chain.clone(), ends_at);
            }
        }
        let Some(from) = window.from else {
            return Vec::new();
        };
        let time = |moment: i64| format_canonical(moment).unwrap_or_default();
        let absent = self.ends.iter().filter(|(_, end)| **end <= from);
        let reports = absent.map(|(name, _)| {
            let of = match window.to {
                Some(to) => format!("the time between {} and {}", time(from), time(to)),
                None => format!("the time from {} on", time(from)),
            };
            let text = format!("no valid digest covers {of}");
            ChainReport {
                name: name.clone(),
                covered: None,
                digests: 0,
                valid_digests: 0,
                backfill_digests: 0,
                valid_backfill_digests: 0,
                findings: vec![Finding::new(Rule::Uncovered, text)],
            }
        });
        reports.collect()
    }

    /// Digests behind a window of which the next one says that they were made, and that are not there as they were: they may name
    /// logs with events of the window, which are delivered late.
    pub(super) fn lost_behind(&self, digests: &[CheckedDigest], window: Window) -> Vec<Finding> {
        let mut there: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for digest in digests {
            let hashes = there.entry(file_name(&digest.place.key)).or_default();
            hashes.insert(&digest.sha256);
        }
        let is_there = |name: &str, hash: Option<&str>| {
            let looked_at = there
                .get(name)
                .is_some_and(|known| hash.is_none_or(|hash| known.contains(hash)));
            let other = self.names.get(name);
            looked_at || other.is_some_and(|known| known.is_empty() || hash.is_none_or(|hash| known.contains(hash)))
        };
        let mut findings: Vec<Finding> = Vec::new();
        for checked in digests.iter().filter(|digest| digest.is_valid()) {
            let times = checked.digest.as_ref().and_then(|digest| digest.times);
            let previous = checked.digest.as_ref().and_then(|digest| digest.previous.as_ref());
            let Some(((start, _), previous)) = times.zip(previous) else {
                continue;
            };
            let name = file_name(&previous.place.key);
            if window.is_proven_by(start) && !is_there(name, previous.hash.as_deref()) {
                let text = format!(
                    "`{name}` is not there as the next digest states, and may name logs of before {}",
                    format_canonical(window.to.unwrap_or(start)).unwrap_or_default()
                );
                findings.push(Finding::new(Rule::Uncovered, text));
            }
        }
        findings.sort();
        findings.dedup();
        findings
    }
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
