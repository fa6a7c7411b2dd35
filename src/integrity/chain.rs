//! The digests of one chain together: each names the one before.

use std::collections::BTreeMap;
use std::collections::HashMap;

use super::CheckedDigest;
use super::Finding;
use super::Place;
use super::Rule;
use super::Window;
use super::coverage::Coverage;
use super::digest::Previous;
use super::signature::from_hex;
use crate::event::format_canonical;

/// Digests of one chain, all ordinary or all backfill, in the order of time.
pub(super) struct Links<'d> {
    digests: Vec<&'d mut CheckedDigest>,
    index: HashMap<Place, usize>,
}

/// What the links of a chain show besides findings on its digests.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// Digests that a valid one names and that are not there.
    pub(super) missing: Vec<Place>,
    /// Times between a starting digest and the one before it.
    pub(super) gaps: Vec<(i64, i64)>,
    pub(super) findings: Vec<Finding>,
}

impl<'d> Links<'d> {
    pub(super) fn new(mut digests: Vec<&'d mut CheckedDigest>) -> Self {
        digests.sort_by(|left, right| (left.ends_at, &left.place).cmp(&(right.ends_at, &right.place)));
        let index = digests.iter().enumerate();
        let index = index
            .map(|(position, digest)| (digest.place.clone(), position))
            .collect();
        Self { digests, index }
    }

    /// Follows every link of a valid digest.
    pub(super) fn follow(mut self, window: Window) -> Linked {
        let mut linked = Linked::default();
        let mut named_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for position in (0..self.digests.len()).rev() {
            let Some(digest) = self.digests.get(position).filter(|digest| digest.is_valid()) else {
                continue;
            };
            let Some((content, (start, _))) = digest
                .digest
                .as_ref()
                .and_then(|content| Some((content, content.times?)))
            else {
                continue;
            };
            match &content.previous {
                None => linked.gaps.extend(self.gap_before(position, start)),
                Some(previous) => match self.index.get(&previous.place) {
                    Some(&target) => {
                        let signature = content.previous_signature.clone();
                        let previous = previous.clone();
                        self.compare(target, &previous, signature.as_deref());
                        named_by.entry(target).or_default().push(position);
                    }
                    None if window.from.is_none_or(|from| start > from) => linked.missing.push(previous.place.clone()),
                    None => {}
                },
            }
        }
        linked.missing.sort_unstable();
        linked.missing.dedup();
        self.look_for_forks(&named_by);
        linked.findings = self.overlaps();
        linked
    }

    /// A digest that begins a chain, and one before it: nothing was validated in between.
    fn gap_before(&self, position: usize, start: i64) -> Option<(i64, i64)> {
        let own = self.digests.get(position)?.ends_at;
        let mut earlier = self.digests.get(..position)?.iter().rev();
        let before = earlier.find(|digest| digest.ends_at < own)?;
        Some((before.ends_at?, start))
    }

    /// What a digest says of the one before, and what that one is.
    fn compare(&mut self, target: usize, previous: &Previous, signature: Option<&str>) {
        let Some(target) = self.digests.get_mut(target).filter(|target| target.is_valid()) else {
            return;
        };
        if previous.hash.as_ref().is_some_and(|hash| *hash != target.sha256) {
            let text = "the next digest states another hash of it";
            target.findings.push(Finding::new(Rule::PreviousHash, text));
        }
        let bytes = |text: Option<&str>| text.and_then(from_hex);
        let own = bytes(target.signature.as_deref());
        if own.is_some() && own != bytes(signature) {
            let text = "the next digest states another signature of it";
            target.findings.push(Finding::new(Rule::PreviousSignature, text));
        }
    }

    fn look_for_forks(&mut self, named_by: &BTreeMap<usize, Vec<usize>>) {
        for namers in named_by.values().filter(|namers| namers.len() > 1) {
            for &namer in namers {
                if let Some(digest) = self.digests.get_mut(namer) {
                    let text = "another digest names the same one as its previous";
                    digest.findings.push(Finding::new(Rule::ForkedChain, text));
                }
            }
        }
        let passed_over: Vec<usize> = (0..self.digests.len())
            .filter(|position| !named_by.contains_key(position) && self.is_passed_over(*position))
            .collect();
        for position in passed_over {
            if let Some(digest) = self.digests.get_mut(position) {
                let text = "the next digest is linked to an earlier one";
                digest.findings.push(Finding::new(Rule::NotLinked, text));
            }
        }
    }

    /// Whether a valid digest is followed by a valid one that has a link, which leads to an earlier one.
    fn is_passed_over(&self, position: usize) -> bool {
        let own = self.digests.get(position).filter(|digest| digest.is_valid());
        let next = self.digests.get(position + 1).filter(|digest| digest.is_valid());
        let previous = next.and_then(|next| next.digest.as_ref()?.previous.as_ref());
        let target = previous.and_then(|previous| self.index.get(&previous.place));
        own.is_some() && target.is_some_and(|target| *target < position)
    }

    fn overlaps(&self) -> Vec<Finding> {
        let times = |digest: &&&mut CheckedDigest| digest.digest.as_ref()?.times.filter(|_| digest.is_valid());
        let spans: Vec<(i64, i64)> = self.digests.iter().filter_map(|digest| times(&digest)).collect();
        let mut findings = Vec::new();
        for pair in spans.windows(2) {
            if let [(_, end), (start, _)] = pair
                && start < end
            {
                let text = format!("two digests cover the time {}", span(*start, *end));
                findings.push(Finding::new(Rule::Overlap, text));
            }
        }
        findings
    }
}

/// Hours that a chain should cover and does not; those of a known gap are told as such.
pub(super) fn uncovered(coverage: &Coverage, gaps: &[(i64, i64)], window: Window) -> Vec<Finding> {
    let mut findings: Vec<Finding> = gaps
        .iter()
        .map(|(from, to)| {
            let text = format!("No log files were delivered by CloudTrail between {}", span(*from, *to));
            Finding::new(Rule::Gap, text)
        })
        .collect();
    for (from, to) in coverage.gaps(window.from, window.to) {
        if !gaps.iter().any(|(_, end)| *end == to) {
            let text = format!("no valid digest covers the time between {}", span(from, to));
            findings.push(Finding::new(Rule::Uncovered, text));
        }
    }
    findings
}

fn span(from: i64, to: i64) -> String {
    let time = |moment| format_canonical(moment).unwrap_or_default();
    format!("{} and {}", time(from), time(to))
}
