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
use super::named::NamedLog;
use crate::integrity::DigestKey;
use crate::integrity::DigestOutline;
use crate::integrity::GroupReport;
use crate::integrity::Recorded;
use crate::policy::Window;

/// What the digests of an account and region say of one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DigestHour {
    pub(super) expected: u64,
    pub(super) found: u64,
    pub(super) valid: u64,
    /// Logs that they name, by file name.
    pub(super) named: BTreeMap<String, NamedLog>,
    pub(super) gaps: Vec<Gap>,
}

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

    /// File names of the logs that digests name which nothing speaks against.
    pub(super) fn proven_names(&self) -> BTreeSet<&str> {
        let named = self.named.values().flatten().filter(|(_, log)| log.is_proven);
        named.map(|(name, _)| name.as_str()).collect()
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
                        detail: format!(
                            "the digest of `{}` that begins at {} {fault}",
                            trail.name,
                            moment(*start)
                        ),
                    };
                    tell(&gap, (*start, link.end), &mut hours);
                }
            }
            for (start, end, next_is_starting) in chain.holes(from, until) {
                let hole = Hole {
                    trail: &trail.name,
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
mod tests {
    use super::*;
    use crate::analysis::coverage::cover::HourCover;

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
            sha256: Some(format!("{start}-{end}-{is_starting}")),
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
    fn trails_of_one_name_have_chains_of_their_own_and_one_that_was_moved_has_one() {
        let own = |hour: i64| digest(hour * 3_600, hour * 3_600 + 3_600, hour == 0);
        let at_home = |mut digest: Recorded| {
            digest.uri = digest.uri.replace("us-east-1", "eu-west-1");
            digest
        };
        let both = [own(0), own(1), own(2), at_home(own(0)), at_home(own(2))];
        let wanted = [
            (0, 2, 2, vec![]),
            (1, 2, 1, vec![GapKind::DigestMissing]),
            (2, 2, 2, vec![]),
        ];
        assert_eq!(told(&both, 10_800), wanted);
        // From the second hour on in another bucket, with the link of the chain.
        let moved = |mut digest: Recorded| {
            let text = digest
                .digest_text
                .unwrap()
                .replace(r#""digestS3Bucket":"b""#, r#""digestS3Bucket":"c""#);
            digest.digest_text = Some(text);
            digest
        };
        let linked = |mut digest: Recorded, bucket: &str| {
            let text = digest.digest_text.unwrap();
            let wanted = format!(r#""previousDigestS3Bucket":"{bucket}""#);
            digest.digest_text = Some(text.replace(r#""previousDigestS3Bucket":"x""#, &wanted));
            digest
        };
        let digests = [own(0), moved(linked(own(1), "b")), moved(linked(own(2), "c"))];
        let wanted: Vec<_> = (0..3).map(|hour| (hour, 1, 1, vec![])).collect();
        assert_eq!(told(&digests, 10_800), wanted);
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
        let told = |digests: &[Recorded], valid: &[&Recorded]| {
            let report = GroupReport {
                valid_digests: valid.iter().filter_map(|digest| digest.sha256.clone()).collect(),
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
