//! What the digests of a trail say of each hour: which are there, which are to be expected, and why one is missing.

use std::collections::BTreeMap;

use super::Chain;
use super::Chains;
use super::TrailKey;
use crate::analysis::coverage::changes::Absence;
use crate::analysis::coverage::cover::TOLERANCE;
use crate::analysis::coverage::cover::touched;
use crate::analysis::coverage::model::Gap;
use crate::analysis::coverage::model::GapKind;
use crate::analysis::coverage::model::HOUR;
use crate::analysis::coverage::model::moment;
use crate::analysis::coverage::named::NamedLog;

/// What the digests of an account and region say of one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::analysis::coverage) struct DigestHour {
    pub(in crate::analysis::coverage) expected: u64,
    pub(in crate::analysis::coverage) found: u64,
    pub(in crate::analysis::coverage) valid: u64,
    /// Logs that they name, by file name.
    pub(in crate::analysis::coverage) named: BTreeMap<String, NamedLog>,
    pub(in crate::analysis::coverage) gaps: Vec<Gap>,
    /// Whether a digest was made that is not there as it was.
    pub(in crate::analysis::coverage) is_lost: bool,
}

impl Chains {
    /// By number of the hour: what is there, and what is to be expected between the first hour of the window and the last
    /// whole one that digests can be there for. A digest counts where its time begins; what is wrong with it, or that it is
    /// missing, is told in every hour of its time.
    pub(in crate::analysis::coverage) fn hours(
        &self,
        (from, until): (i64, i64),
        absences: &[Absence],
    ) -> BTreeMap<i64, DigestHour> {
        let mut hours: BTreeMap<i64, DigestHour> = BTreeMap::new();
        for (hour, named) in &self.named {
            hours.entry(*hour).or_default().named.clone_from(named);
        }
        for (trail, chain) in &self.chains {
            for (start, link) in &chain.digests {
                let hour = hours.entry(start.div_euclid(HOUR)).or_default();
                hour.expected += 1;
                hour.found += 1;
                hour.valid += u64::from(link.is_valid);
                if let Some(fault) = link.fault
                    && link.end > from
                {
                    let gap = Gap {
                        kind: GapKind::DigestInvalid,
                        detail: format!(
                            "the digest of `{}` that begins at {} {fault}",
                            trail.name,
                            moment(*start)
                        ),
                    };
                    tell((&gap, true), (*start, link.end), &mut hours);
                }
            }
            let replaced_at = self.replaced_at(trail, chain, absences);
            let last = replaced_at.map_or(until, |replaced_at| replaced_at.min(until));
            for (start, end, behind) in chain.holes(from, last) {
                let hole = Hole {
                    trail: &trail.name,
                    chain,
                    start,
                    end,
                    behind,
                };
                hole.fill(absences, &mut hours);
            }
        }
        hours
    }

    /// When a trail was deleted in whose place there is another one: of the same name and home region, in another folder or bucket,
    /// with a chain that begins afterwards. What is missing between the two is told of that one. No digest is to be expected any
    /// more of the deleted one, which has none of later times.
    ///
    /// In place of an organization's trail only another of the same organization counts: any account could make one of the
    /// same name.
    fn replaced_at(&self, trail: &TrailKey, chain: &Chain, absences: &[Absence]) -> Option<i64> {
        let is_other = |other: &TrailKey| {
            let is_namesake = other.name == trail.name && other.home_region == trail.home_region;
            let organization = trail.organization();
            is_namesake && other.root != trail.root && (organization.is_none() || other.organization() == organization)
        };
        let others = self.chains.iter().filter(|(other, _)| is_other(other));
        // A first digest may be about the whole hour in which its trail was made.
        let begins = others
            .flat_map(|(_, other)| other.beginnings())
            .map(|begin| begin.saturating_add(HOUR))
            .max()?;
        let last = chain.digests.keys().next_back().copied().unwrap_or(i64::MIN);
        let deletions = absences.iter().filter_map(|absence| absence.deletion_of(&trail.name));
        deletions.filter(|deleted| last < *deleted && *deleted <= begins).min()
    }
}

/// Says in every hour of a time, once a reason, why it is not proven, and whether a digest is lost; of a time that is hardly any,
/// in the one that it begins in.
fn tell((gap, is_lost): (&Gap, bool), (start, end): (i64, i64), hours: &mut BTreeMap<i64, DigestHour>) {
    let mut numbers: Vec<i64> = touched(start, end).collect();
    if numbers.is_empty() {
        numbers.push(start.div_euclid(HOUR));
    }
    for number in numbers {
        let hour = hours.entry(number).or_default();
        hour.is_lost |= is_lost;
        if !hour.gaps.iter().any(|known| known.kind == gap.kind) {
            hour.gaps.push(gap.clone());
        }
    }
}

/// A time of a chain without digests.
struct Hole<'a> {
    trail: &'a str,
    chain: &'a Chain,
    start: i64,
    end: i64,
    behind: Behind,
}

/// What is there behind a time of a chain without digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// No digest.
    Nothing,
    /// One that begins a new chain at this moment, so that none is missing.
    Start(i64),
    /// One that names the one before, which CloudTrail has made then, whatever anybody called; or it is there and cannot be read.
    Link,
}

impl Hole<'_> {
    fn fill(&self, absences: &[Absence], hours: &mut BTreeMap<i64, DigestHour>) {
        let mut start = self.start;
        while start.saturating_add(TOLERANCE) < self.end {
            let end = start.saturating_add(HOUR).min(self.end);
            if !self.chain.has_unsound(start, end) {
                let gap = self.gap((start, end), absences);
                // Digests are an hour long but for seconds; for a rest of less than half an hour none was to be made.
                if gap.kind == GapKind::DigestMissing && start.saturating_add(HOUR / 2) <= end {
                    hours.entry(start.div_euclid(HOUR)).or_default().expected += 1;
                }
                tell((&gap, self.behind == Behind::Link), (start, end), hours);
            }
            start = end;
        }
    }

    /// Why there is no digest.
    fn gap(&self, (start, end): (i64, i64), absences: &[Absence]) -> Gap {
        let mut explaining = absences.iter().filter(|it| it.explains(Some(self.trail), start, end));
        if let Some(absence) = explaining.next().filter(|_| self.behind != Behind::Link) {
            return absence.gap.clone();
        }
        if let Behind::Start(begin) = self.behind {
            let detail = format!("a chain of digests of `{}` begins at {}", self.trail, moment(begin));
            return Gap {
                kind: GapKind::StartingDigest,
                detail,
            };
        }
        let is_there = self.chain.unreadable.range(start + 1..=end).next().is_some();
        let what = if is_there { "cannot be read" } else { "is missing" };
        let detail = format!("the digest of `{}` that begins at {} {what}", self.trail, moment(start));
        Gap {
            kind: GapKind::DigestMissing,
            detail,
        }
    }
}

impl Chain {
    /// Whether most of a time is that of a digest that is there and proves nothing, which is told already.
    fn has_unsound(&self, start: i64, end: i64) -> bool {
        let before = start.saturating_sub(HOUR)..end;
        let mut unsound = self.digests.range(before).filter(|(_, link)| link.fault.is_some());
        unsound.any(|(begin, link)| {
            let shared = link.end.min(end).saturating_sub(start.max(*begin));
            shared.saturating_mul(2) > end.saturating_sub(start)
        })
    }

    /// Times without a digest: start, end, and what is behind. Those that something speaks against cover nothing and begin
    /// nothing. Of a trail of which nothing can be read, what anybody may have named so, nothing more is expected.
    fn holes(&self, from: i64, until: i64) -> Vec<(i64, i64, Behind)> {
        let mut holes = Vec::new();
        if self.digests.is_empty() {
            let own = self
                .unreadable
                .iter()
                .map(|end| (end.saturating_sub(HOUR), *end, Behind::Link));
            return own.filter(|(start, end, _)| *start < until && *end > from).collect();
        }
        let mut covered = from;
        for (start, link) in self.sound() {
            if start > covered {
                let behind = match link.is_starting {
                    true => Behind::Start(start),
                    false => Behind::Link,
                };
                holes.push((covered, start.min(until), behind));
            }
            covered = covered.max(link.end);
        }
        // What is not a whole hour has no digest yet.
        let whole = until.saturating_sub(covered).div_euclid(HOUR).max(0);
        holes.push((
            covered,
            covered.saturating_add(whole.saturating_mul(HOUR)),
            Behind::Nothing,
        ));
        holes.retain(|(start, end, _)| start < end);
        holes
    }
}
