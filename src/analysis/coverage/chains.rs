//! Which digests are there, which are to be expected, and which logs they name.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::changes::Absence;
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
}

/// The digests of an account and region.
#[derive(Debug, Default)]
pub(super) struct Chains {
    chains: BTreeMap<String, Chain>,
    /// By number of the hour of delivery.
    named: BTreeMap<i64, BTreeMap<String, Option<String>>>,
    has_verdicts: bool,
}

impl Chains {
    /// Reads the digests among the objects; `verdicts` says which are valid.
    pub(super) fn new(objects: &[Recorded], verdicts: Option<&GroupReport>) -> Self {
        let valid = verdicts.map(valid_digests);
        let mut chains = Self {
            has_verdicts: valid.is_some(),
            ..Self::default()
        };
        for digest in objects.iter().filter(|object| object.is_digest) {
            let Some(key) = DigestKey::parse(&digest.uri) else {
                continue;
            };
            let chain = chains.chains.entry(key.trail.to_owned()).or_default();
            let Some(outline) = DigestOutline::of(digest) else {
                chain.unreadable.insert(key.ends_at);
                continue;
            };
            let is_valid = valid
                .as_ref()
                .is_some_and(|names| names.contains(file_name(&digest.uri)));
            let link = Link {
                // A digest is about an hour; what claims more would hide that others are missing.
                end: outline.end.min(outline.start.saturating_add(HOUR)),
                is_starting: outline.is_starting,
                is_valid,
            };
            match chain.digests.get(&outline.start) {
                Some(known) if known.is_valid || !is_valid => {}
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

    /// By number of the hour: what is there, and what is to be expected between the first hour of the window and the last
    /// whole one that digests can be there for.
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
                if self.has_verdicts && !link.is_valid {
                    let detail = format!("the digest of `{trail}` that begins at {} is not valid", moment(*start));
                    hour.gaps.push(Gap {
                        kind: GapKind::DigestInvalid,
                        detail,
                    });
                }
            }
            let invalid = chain.digests.iter();
            let invalid = invalid.filter(|(_, link)| self.has_verdicts && !link.is_valid);
            let invalid: BTreeSet<i64> = invalid.map(|(start, _)| start.div_euclid(HOUR)).collect();
            for (start, end, next_is_starting) in chain.holes(from, until, self.has_verdicts) {
                let hole = Hole {
                    trail,
                    unreadable: &chain.unreadable,
                    invalid: &invalid,
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

/// A time of a chain without digests.
struct Hole<'a> {
    trail: &'a str,
    unreadable: &'a BTreeSet<i64>,
    /// Numbers of the hours whose digest is there and not valid, which is told already.
    invalid: &'a BTreeSet<i64>,
    start: i64,
    end: i64,
    /// Whether the digest behind it begins a new chain, so that none is missing.
    next_is_starting: bool,
}

impl Hole<'_> {
    fn fill(&self, absences: &[Absence], hours: &mut BTreeMap<i64, DigestHour>) {
        let mut start = self.start;
        // Digests are an hour long but for seconds; a rest of less than half an hour is none.
        while start.saturating_add(HOUR / 2) <= self.end {
            let end = start.saturating_add(HOUR).min(self.end);
            if self.invalid.contains(&start.div_euclid(HOUR)) {
                start = start.saturating_add(HOUR);
                continue;
            }
            let hour = hours.entry(start.div_euclid(HOUR)).or_default();
            let mut explaining = absences.iter().filter(|it| it.explains(Some(self.trail), start, end));
            if let Some(absence) = explaining.next() {
                hour.gaps.push(absence.gap.clone());
            } else if self.next_is_starting {
                let detail = format!("a chain of digests of `{}` begins at {}", self.trail, moment(self.end));
                hour.gaps.push(Gap {
                    kind: GapKind::StartingDigest,
                    detail,
                });
            } else {
                hour.expected += 1;
                let is_there = self.unreadable.range(start + 1..=end).next().is_some();
                let what = if is_there { "cannot be read" } else { "is missing" };
                let detail = format!("the digest of `{}` that begins at {} {what}", self.trail, moment(start));
                hour.gaps.push(Gap {
                    kind: GapKind::DigestMissing,
                    detail,
                });
            }
            start = start.saturating_add(HOUR);
        }
    }
}

impl Chain {
    /// Times without a digest: start, end, and whether a new chain begins behind. Where it is known which digests are valid, the
    /// others cover nothing and begin nothing.
    fn holes(&self, from: i64, until: i64, has_verdicts: bool) -> Vec<(i64, i64, bool)> {
        let mut holes = Vec::new();
        let mut covered = from;
        for (start, link) in self.digests.iter().filter(|(_, link)| link.is_valid || !has_verdicts) {
            if *start > covered {
                holes.push((covered, (*start).min(until), link.is_starting));
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
            (0, 1, 1, vec![]),
            (1, 1, 1, vec![]),
            (2, 1, 0, vec![GapKind::DigestMissing]),
            (3, 1, 1, vec![]),
        ];
        assert_eq!(told(&digests, 16_000), wanted);
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
