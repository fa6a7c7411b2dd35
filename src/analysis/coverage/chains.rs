//! Which digests are there, which are to be expected, and which logs they name.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::changes::Absence;
use super::cover::Cover;
use super::cover::TOLERANCE;
use super::cover::touched;
use super::model::Gap;
use super::model::GapKind;
use super::model::HOUR;
use super::model::moment;
use crate::integrity::DigestKey;
use crate::integrity::DigestOutline;
use crate::integrity::FileKind;
use crate::integrity::GroupReport;
use crate::integrity::Recorded;
use crate::integrity::Verdict;
use crate::policy::Window;

/// What the digests of an account and region say of one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DigestHour {
    pub(super) expected: u64,
    pub(super) found: u64,
    pub(super) valid: u64,
    /// Logs that they name, by file name, with the stated hash.
    pub(super) named: BTreeMap<String, Option<String>>,
    pub(super) gaps: Vec<Gap>,
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
    chains: BTreeMap<String, Chain>,
    /// By number of the hour of delivery.
    named: BTreeMap<i64, BTreeMap<String, Option<String>>>,
}

impl Chains {
    /// Reads the digests among the objects; `verdicts` says which are valid.
    pub(super) fn new(objects: &[Recorded], verdicts: Option<&GroupReport>) -> Self {
        let valid = verdicts.map(valid_digests);
        let mut chains = Self::default();
        let contradicted = contradicted(objects);
        for digest in objects.iter().filter(|object| object.is_digest) {
            let Some(key) = DigestKey::parse(&digest.uri) else {
                continue;
            };
            let chain = chains.chains.entry(key.trail.to_owned()).or_default();
            let Some(outline) = DigestOutline::of(digest) else {
                chain.unreadable.insert(key.ends_at);
                continue;
            };
            let name = file_name(&digest.uri);
            let is_valid = valid.as_ref().is_some_and(|names| names.contains(name));
            let fault = match valid.is_some() {
                true if is_valid => None,
                true => Some("is not valid"),
                false => contradicted
                    .contains(&digest.uri)
                    .then_some("has another hash than the next one states"),
            };
            let link = Link {
                // A digest is about an hour; what claims more would hide that others are missing.
                end: outline.end.min(outline.start.saturating_add(HOUR)),
                is_starting: outline.is_starting,
                is_valid,
                fault,
            };
            match chain.digests.get(&outline.start) {
                Some(known) if known.fault.is_none() || link.fault.is_some() => {}
                _ => {
                    chain.digests.insert(outline.start, link);
                }
            }
            for log in outline.logs {
                let hour = log.delivered_at.unwrap_or(outline.start).div_euclid(HOUR);
                chains.named.entry(hour).or_default().insert(log.name, log.sha256);
            }
        }
        chains
    }

    /// Names of the trails.
    pub(super) fn trails(&self) -> Vec<&str> {
        self.chains.keys().map(String::as_str).collect()
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

    /// By number of the hour: what is there, and what is to be expected between the first hour of the window and the last
    /// whole one that digests can be there for. A digest counts where its time begins; what is wrong with it, or that it is
    /// missing, is told in every hour of its time.
    pub(super) fn hours(&self, (from, until): (i64, i64), absences: &[Absence]) -> BTreeMap<i64, DigestHour> {
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
                if let Some(fault) = link.fault {
                    let gap = Gap {
                        kind: GapKind::DigestInvalid,
                        detail: format!("the digest of `{trail}` that begins at {} {fault}", moment(*start)),
                    };
                    tell(&gap, (*start, link.end), &mut hours);
                }
            }
            for (start, end, next_is_starting) in chain.holes(from, until) {
                let hole = Hole {
                    trail,
                    chain,
                    start,
                    end,
                    next_is_starting,
                };
                hole.fill(absences, &mut hours);
            }
        }
        hours
    }
}

/// Says in every hour of a time, once a reason, why it is not proven; of a time that is hardly any, in the one that it begins in.
fn tell(gap: &Gap, (start, end): (i64, i64), hours: &mut BTreeMap<i64, DigestHour>) {
    let mut numbers: Vec<i64> = touched(start, end).collect();
    if numbers.is_empty() {
        numbers.push(start.div_euclid(HOUR));
    }
    for number in numbers {
        let gaps = &mut hours.entry(number).or_default().gaps;
        if !gaps.iter().any(|known| known.kind == gap.kind) {
            gaps.push(gap.clone());
        }
    }
}

/// A time of a chain without digests.
struct Hole<'a> {
    trail: &'a str,
    chain: &'a Chain,
    start: i64,
    end: i64,
    /// Whether the digest behind it begins a new chain, so that none is missing.
    next_is_starting: bool,
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
                tell(&gap, (start, end), hours);
            }
            start = end;
        }
    }

    /// Why there is no digest.
    fn gap(&self, (start, end): (i64, i64), absences: &[Absence]) -> Gap {
        let mut explaining = absences.iter().filter(|it| it.explains(Some(self.trail), start, end));
        if let Some(absence) = explaining.next() {
            return absence.gap.clone();
        }
        if self.next_is_starting {
            let detail = format!("a chain of digests of `{}` begins at {}", self.trail, moment(self.end));
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
    /// Digests that nothing speaks against, by the start of their times.
    fn sound(&self) -> impl Iterator<Item = (i64, &Link)> {
        let sound = self.digests.iter().filter(|(_, link)| link.fault.is_none());
        sound.map(|(start, link)| (*start, link))
    }

    /// Whether most of a time is that of a digest that is there and proves nothing, which is told already.
    fn has_unsound(&self, start: i64, end: i64) -> bool {
        let before = start.saturating_sub(HOUR)..end;
        let mut unsound = self.digests.range(before).filter(|(_, link)| link.fault.is_some());
        unsound.any(|(begin, link)| {
            let shared = link.end.min(end).saturating_sub(start.max(*begin));
            shared.saturating_mul(2) > end.saturating_sub(start)
        })
    }

    /// Times without a digest: start, end, and whether a new chain begins behind. Those that something speaks against cover
    /// nothing and begin nothing.
    fn holes(&self, from: i64, until: i64) -> Vec<(i64, i64, bool)> {
        let mut holes = Vec::new();
        let mut covered = from;
        for (start, link) in self.sound() {
            if start > covered {
                holes.push((covered, start.min(until), link.is_starting));
            }
            covered = covered.max(link.end);
        }
        // What is not a whole hour has no digest yet.
        let whole = until.saturating_sub(covered).div_euclid(HOUR).max(0);
        holes.push((covered, covered.saturating_add(whole.saturating_mul(HOUR)), false));
        holes.retain(|(start, end, _)| start < end);
        holes
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

fn valid_digests(report: &GroupReport) -> BTreeSet<&str> {
    let digests = report.files.iter().filter(|file| file.kind != FileKind::Log);
    let valid = digests.filter(|file| file.verdict == Verdict::Valid);
    valid.map(|file| file_name(&file.place.key)).collect()
}

/// The last part of a key or URI.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::coverage::cover::HourCover;
    use crate::integrity::FileReport;
    use crate::integrity::Place;

    const SECOND: i64 = 1_000_000;

    /// A digest of these seconds, with logs.
    fn digest(start: i64, end: i64, is_starting: bool) -> Recorded {
        let time = |seconds: i64| moment(seconds * SECOND);
        let stamp: String = time(end)
            .chars()
            .filter(|character| !matches!(character, '-' | ':'))
            .collect();
        let previous = if is_starting { "null" } else { "\"x\"" };
        let text = format!(
            r#"{{"digestStartTime":"{}","digestEndTime":"{}","digestS3Bucket":"b","digestS3Object":"k",
            "digestPublicKeyFingerprint":"f","previousDigestSignature":null,"previousDigestS3Bucket":{previous},
            "previousDigestS3Object":{previous},"logFiles":[]}}"#,
            time(start),
            time(end),
        );
        Recorded {
            uri: format!("s3://b/111122223333_CloudTrail-Digest_eu-west-1_org_us-east-1_{stamp}.json.gz"),
            is_digest: true,
            digest_text: Some(text),
            ..Recorded::default()
        }
    }

    /// Hour, expected, found and reasons.
    fn told(digests: &[Recorded], until: i64) -> Vec<(i64, u64, u64, Vec<GapKind>)> {
        let hours = Chains::new(digests, None).hours((0, until * SECOND), &[]);
        let told = hours.into_iter().map(|(hour, it)| {
            let kinds = it.gaps.iter().map(|gap| gap.kind).collect();
            (hour, it.expected, it.found, kinds)
        });
        told.collect()
    }

    #[test]
    fn hours_that_do_not_begin_on_the_hour_are_counted_where_they_begin() {
        let digests = [
            digest(187, 3_782, true),
            digest(3_782, 7_383, false),
            digest(10_985, 14_590, false),
        ];
        let wanted = [
            (0, 1, 1, vec![GapKind::StartingDigest]),
            (1, 1, 1, vec![]),
            (2, 1, 0, vec![GapKind::DigestMissing]),
            // Three minutes of the missing one are of this hour.
            (3, 1, 1, vec![GapKind::DigestMissing]),
        ];
        assert_eq!(told(&digests, 16_000), wanted);
    }

    #[test]
    fn missing_digest_is_told_in_both_hours_of_its_time_and_a_short_rest_too() {
        let half = |hour: i64| digest(hour * 3_600 + 1_800, hour * 3_600 + 5_400, hour == 0);
        let told_of = |digests: &[Recorded]| told(digests, 19_800);
        let wanted = [
            (0, 1, 1, vec![GapKind::StartingDigest]),
            (1, 1, 1, vec![]),
            (2, 1, 0, vec![GapKind::DigestMissing]),
            (3, 1, 1, vec![GapKind::DigestMissing]),
            (4, 1, 1, vec![]),
        ];
        assert_eq!(told_of(&[half(0), half(1), half(3), half(4)]), wanted);
        // Twenty-five minutes between two chains, and between two digests of one.
        for (is_starting, kind) in [(true, GapKind::StartingDigest), (false, GapKind::DigestMissing)] {
            let told = told(&[digest(0, 3_600, true), digest(5_100, 8_700, is_starting)], 8_700);
            assert_eq!(told, [(0, 1, 1, vec![]), (1, 1, 1, vec![kind])]);
        }
    }

    #[test]
    fn digest_whose_hash_the_next_one_contradicts_proves_nothing() {
        let mut digests = vec![
            digest(0, 3_600, true),
            digest(3_600, 7_200, false),
            digest(7_200, 10_800, false),
        ];
        let told_of = |digests: &[Recorded]| {
            let told = told(digests, 10_800).into_iter();
            told.flat_map(|(hour, _, _, kinds)| kinds.into_iter().map(move |kind| (hour, kind)))
                .collect::<Vec<_>>()
        };
        let name = file_name(&digests[1].uri).to_owned();
        let text = digests[2].digest_text.take().unwrap();
        let text = text.replace(
            r#""previousDigestS3Object":"x""#,
            &format!(r#""previousDigestS3Object":"AWSLogs/{name}","previousDigestHashValue":"aa""#),
        );
        digests[2].digest_text = Some(text);
        digests[1].sha256 = Some("aa".to_owned());
        assert_eq!(told_of(&digests), []);
        digests[1].sha256 = Some("bb".to_owned());
        assert_eq!(told_of(&digests), [(1, GapKind::DigestInvalid)]);
        let window = Window {
            since: 0,
            until: 10_800 * SECOND,
        };
        let cover = Chains::new(&digests, None).cover(window);
        let covered = [0, 1, 2].map(|hour| cover.hour(hour));
        assert_eq!(covered, [HourCover::Whole, HourCover::Nothing, HourCover::Whole]);
    }

    #[test]
    fn what_lies_before_a_new_chain_is_not_expected() {
        let digests = [digest(7_200, 10_800, true), digest(18_000, 21_600, true)];
        let starting = |hour| (hour, 0, 0, vec![GapKind::StartingDigest]);
        let wanted = [
            starting(0),
            starting(1),
            (2, 1, 1, vec![]),
            starting(3),
            starting(4),
            (5, 1, 1, vec![]),
        ];
        assert_eq!(told(&digests, 21_600), wanted);
    }

    #[test]
    fn digest_that_names_one_before_makes_all_earlier_hours_expected_and_the_end_too() {
        let missing = |hour| (hour, 1, 0, vec![GapKind::DigestMissing]);
        assert_eq!(
            told(&[digest(3_600, 7_200, false)], 14_400 + 1_800),
            [missing(0), (1, 1, 1, vec![]), missing(2), missing(3)]
        );
    }

    #[test]
    fn digest_that_cannot_be_read_is_told_as_such() {
        let mut damaged = digest(3_600, 7_200, false);
        damaged.digest_text = Some("{}".to_owned());
        let chains = Chains::new(&[digest(0, 3_600, true), damaged], None);
        let hours = chains.hours((0, 7_200 * SECOND), &[]);
        assert!(hours[&1].gaps[0].detail.ends_with("cannot be read"), "{hours:?}");
    }

    #[test]
    fn digest_of_any_year_covers_an_hour_and_makes_no_more_than_the_window_has() {
        let digests = [digest(-62_000_000_000, 250_000_000_000, false)];
        let told = told(&digests, 36_000);
        let (own, missing) = told.split_first().unwrap();
        assert_eq!((own.1, own.2), (1, 1));
        let wanted: Vec<_> = (0..10).map(|hour| (hour, 1, 0, vec![GapKind::DigestMissing])).collect();
        assert_eq!(missing, wanted);
    }

    #[test]
    fn digest_that_is_not_valid_hides_no_other_that_is_missing() {
        let name = |digest: &Recorded| file_name(&digest.uri).to_owned();
        let told = |digests: &[Recorded], valid: &[&Recorded]| {
            let files = valid.iter().map(|digest| FileReport {
                kind: FileKind::Digest,
                place: Place::new("b", &name(digest)),
                verdict: Verdict::Valid,
                findings: Vec::new(),
            });
            let report = GroupReport {
                files: files.collect(),
                ..GroupReport::default()
            };
            let hours = Chains::new(digests, Some(&report)).hours((0, 14_400 * SECOND), &[]);
            let told = hours.into_iter().map(|(hour, it)| {
                let kinds: Vec<GapKind> = it.gaps.iter().map(|gap| gap.kind).collect();
                (hour, it.expected, kinds)
            });
            told.collect::<Vec<_>>()
        };
        let (first, last) = (digest(0, 3_600, true), digest(10_800, 14_400, false));
        let missing = |hour| (hour, 1, vec![GapKind::DigestMissing]);
        // One that claims a day, and one that claims to begin a chain.
        for forged in [digest(3_540, 86_400, false), digest(10_740, 10_800, true)] {
            let told = told(&[first.clone(), forged.clone(), last.clone()], &[&first, &last]);
            let invalid = told.iter().filter(|it| it.2.contains(&GapKind::DigestInvalid)).count();
            assert_eq!(invalid, 1, "{told:?}");
            let hour = if forged == digest(3_540, 86_400, false) { 2 } else { 1 };
            assert!(told.contains(&missing(hour)), "{told:?}");
        }
        // In its own hour it is told as what it is.
        let told = told(
            &[first.clone(), digest(3_600, 7_200, true), last.clone()],
            &[&first, &last],
        );
        assert_eq!(told[1], (1, 1, vec![GapKind::DigestInvalid]));
        assert_eq!(told[2], missing(2));
    }
}
