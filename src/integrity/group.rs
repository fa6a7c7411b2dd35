//! All digests and logs of one account and region.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

use super::ChainName;
use super::ChainReport;
use super::CheckedDigest;
use super::FileKind;
use super::FileReport;
use super::Finding;
use super::LogContent;
use super::Place;
use super::PresentLog;
use super::PublicKeys;
use super::Rule;
use super::Verdict;
use super::Window;
use super::chain;
use super::chain::Linked;
use super::chain::Links;
use super::coverage::Coverage;
use super::digest::NamedLog;
use super::logs;
use super::others::Others;
use super::signature::from_hex;

const HOUR: i64 = 3_600_000_000;

/// The digests of one account and region, of all trails.
#[derive(Debug, Default)]
pub struct Group {
    digests: Vec<CheckedDigest>,
    others: Others,
    window: Window,
}

/// A digest whose signature is only known from later ones.
#[derive(Debug)]
pub struct Settlement<'g> {
    digest: &'g mut CheckedDigest,
    signatures: Vec<Vec<u8>>,
}

/// What is said of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupReport {
    /// Its chains, in order.
    pub chains: Vec<ChainReport>,
    /// Its files: digests by time, then logs by place.
    pub files: Vec<FileReport>,
    /// What was found of the group as a whole.
    pub findings: Vec<Finding>,
    /// How many digests each key verified, by fingerprint.
    pub keys: BTreeMap<String, u64>,
    /// SHA-256 of the valid digests, also of those behind the window that were looked at: a copy with other content is not
    /// among them.
    pub valid_digests: BTreeSet<String>,
}

impl GroupReport {
    /// What is said of so many logs that lie where no digest can name them; `None` of none.
    pub fn unplaced(logs: u64) -> Option<Self> {
        let text =
            format!("{logs} logs lie outside of the folders that CloudTrail makes, so that no digest can name them");
        (logs > 0).then(|| Self {
            findings: vec![Finding::new(Rule::Unplaced, text)],
            ..Self::default()
        })
    }
}

impl Settlement<'_> {
    /// Decides.
    pub fn settle(self, keys: &PublicKeys) {
        self.digest.settle(&self.signatures, keys);
    }
}

impl Group {
    /// An empty group.
    pub fn new(window: Window) -> Self {
        Self {
            digests: Vec::new(),
            others: Others::default(),
            window,
        }
    }

    /// Takes note of a digest that is there and that is not looked at, with its hash if it is known.
    pub fn note(&mut self, uri: &str, sha256: Option<&str>) {
        self.others.note(uri, sha256);
    }

    /// Adds a digest.
    pub fn add(&mut self, digest: CheckedDigest) {
        self.digests.push(digest);
    }

    /// Digests of a copy without metadata, with the signatures that later ones state of them. Those without any are the
    /// last of their chains and stay unsigned.
    ///
    /// To be settled when all digests are added, before anything is asked.
    pub fn settlements(&mut self) -> Vec<Settlement<'_>> {
        let mut stated: HashMap<Place, Vec<Vec<u8>>> = HashMap::new();
        let undecided: HashSet<Place> = self
            .digests
            .iter()
            .filter(|digest| digest.is_undecided)
            .map(|digest| digest.place.clone())
            .collect();
        for digest in self.digests.iter().filter_map(|digest| digest.digest.as_ref()) {
            if let (Some(previous), Some(signature)) = (&digest.previous, &digest.previous_signature)
                && undecided.contains(&previous.place)
            {
                let signatures = stated.entry(previous.place.clone()).or_default();
                signatures.extend(from_hex(signature));
            }
        }
        let undecided = self.digests.iter_mut().filter(|digest| digest.is_undecided);
        undecided
            .filter_map(|digest| {
                let signatures = stated.get(&digest.place).cloned()?;
                Some(Settlement { digest, signatures })
            })
            .collect()
    }

    /// The logs that valid digests name.
    pub fn named_logs(&self) -> HashSet<&Place> {
        let valid = self.digests.iter().filter(|digest| digest.is_valid());
        let logs = valid.flat_map(|digest| self.logs_of(digest));
        logs.map(|log| &log.place).collect()
    }

    /// The logs that a digest names; of one outside of the window, only those of the window: delivered in it, or with events
    /// of it. CloudTrail delivers logs some minutes after the calls
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html>), so that those of the last
    /// minutes are named behind the end.
    fn logs_of<'d>(&self, digest: &'d CheckedDigest) -> impl Iterator<Item = &'d NamedLog> + use<'d> {
        let window = self.window;
        let is_own = window.includes_digest(digest.ends_at);
        let logs = digest.digest.iter().flat_map(|digest| digest.logs.iter().flatten());
        logs.filter(move |log| {
            is_own || window.includes(logs::delivered_at(&log.place)) || window.includes_events(log.event_times)
        })
    }

    /// Says what is to be said, from the logs that are there and the content of those that valid digests name.
    pub fn report(mut self, present: &[PresentLog], contents: &HashMap<Place, LogContent>) -> GroupReport {
        let valid = self.digests.iter().filter(|digest| digest.is_valid());
        let mut report = GroupReport {
            valid_digests: valid.map(|digest| digest.sha256.clone()).collect(),
            ..GroupReport::default()
        };
        self.drop_copies();
        let window = self.window;
        // What lies outside of the window speaks of its logs, and is not reported itself.
        let outside = self
            .digests
            .extract_if(.., |digest| !window.includes_digest(digest.ends_at));
        let outside: Vec<CheckedDigest> = outside.collect();
        let is_about_it = |digest: &CheckedDigest| window.wants_digest(digest.ends_at);
        let has_none = self.digests.is_empty() && !outside.iter().any(is_about_it);
        let names: BTreeSet<ChainName> = self.digests.iter().map(|digest| digest.chain.clone()).collect();
        for name in &names {
            self.report_chain(name, &mut report);
        }
        if names.is_empty() {
            report.chains.extend(self.others.absent(&outside, window));
        }
        self.digests
            .sort_by(|left, right| (left.ends_at, &left.place).cmp(&(right.ends_at, &right.place)));
        for digest in &self.digests {
            if let Some(fingerprint) = &digest.is_verified_with {
                *report.keys.entry(fingerprint.clone()).or_default() += 1;
            }
        }
        let files = self.digests.iter().map(file_report);
        report.files.extend(files);
        self.digests.extend(outside);
        report.findings.extend(self.others.lost_behind(&self.digests, window));
        self.report_logs(present, contents, &mut report);
        if has_none && !present.is_empty() {
            let text = format!("{}: {} logs and no digest", account_and_region(present), present.len());
            report.findings.push(Finding::new(Rule::NoDigests, text));
        }
        report
    }

    /// Keeps one of several copies of the same object: a valid one if there is one.
    fn drop_copies(&mut self) {
        self.digests.sort_by(|left, right| {
            (&left.place, !left.is_valid(), &left.sha256).cmp(&(&right.place, !right.is_valid(), &right.sha256))
        });
        self.digests.dedup_by(|copy, kept| {
            let is_copy = copy.place == kept.place;
            if is_copy && copy.sha256 != kept.sha256 {
                let text = "there is another copy with other content";
                kept.findings.push(Finding::new(Rule::DifferentCopies, text));
            }
            is_copy
        });
    }

    fn report_chain(&mut self, name: &ChainName, report: &mut GroupReport) {
        let window = self.window;
        let follow = |digests: &mut Vec<CheckedDigest>, is_backfill| -> Linked {
            let own = digests.iter_mut();
            let own = own.filter(|digest| digest.chain == *name && digest.is_backfill == is_backfill);
            Links::new(own.collect()).follow(window)
        };
        let mut linked = follow(&mut self.digests, false);
        let backfill = follow(&mut self.digests, true);
        linked.gaps.extend(&backfill.gaps);
        let own = || self.digests.iter().filter(|digest| digest.chain == *name);
        let coverage = coverage_of(own());
        let count = |is_backfill: bool, is_valid: bool| -> u64 {
            let digests = own().filter(|digest| digest.is_backfill == is_backfill);
            let digests = digests.filter(|digest| !is_valid || digest.is_valid());
            u64::try_from(digests.count()).unwrap_or(u64::MAX)
        };
        let missing = |linked: &Linked| u64::try_from(linked.missing.len()).unwrap_or(u64::MAX);
        let mut findings = chain::uncovered(&coverage, &linked.gaps, self.window);
        findings.append(&mut linked.findings);
        findings.extend(backfill.findings.iter().cloned());
        let chain = ChainReport {
            covered: coverage.extent(),
            digests: count(false, false) + missing(&linked),
            valid_digests: count(false, true),
            backfill_digests: count(true, false) + missing(&backfill),
            valid_backfill_digests: count(true, true),
            findings,
            name: name.clone(),
        };
        report.chains.push(chain);
        for (places, kind) in [
            (linked.missing, FileKind::Digest),
            (backfill.missing, FileKind::BackfillDigest),
        ] {
            let files = places.into_iter().map(|place| FileReport {
                kind,
                place,
                verdict: Verdict::NotFound,
                findings: Vec::new(),
            });
            report.files.extend(files);
        }
    }

    fn report_logs(&self, present: &[PresentLog], contents: &HashMap<Place, LogContent>, report: &mut GroupReport) {
        let mut reports: BTreeMap<&Place, FileReport> = BTreeMap::new();
        let mut doubtful: HashSet<&Place> = HashSet::new();
        for digest in &self.digests {
            for log in self.logs_of(digest) {
                if !digest.is_valid() {
                    doubtful.insert(&log.place);
                    continue;
                }
                let judged = logs::judge(
                    &log.place,
                    log.hash.as_deref(),
                    contents.get(&log.place).map_or(&[][..], Vec::as_slice),
                );
                let is_worse = reports
                    .get(&log.place)
                    .is_none_or(|known| known.level() < judged.level());
                if is_worse {
                    reports.insert(&log.place, judged);
                }
            }
        }
        let coverage = self.coverage_by_root();
        for log in present {
            if !reports.contains_key(&log.place) {
                let verdict = match doubtful.contains(&log.place) {
                    true => Verdict::NamedByInvalid,
                    false => judge_unnamed(log, coverage.get(&root_of(&log.place))),
                };
                let report = FileReport {
                    kind: FileKind::Log,
                    place: log.place.clone(),
                    verdict,
                    findings: Vec::new(),
                };
                reports.insert(&log.place, report);
            }
        }
        report.files.extend(reports.into_values());
    }

    /// A trail delivers digests and logs below the same folder; what lies below another is of another trail.
    fn coverage_by_root(&self) -> HashMap<(&str, &str), Coverage> {
        let mut roots: HashMap<(&str, &str), Vec<&CheckedDigest>> = HashMap::new();
        for digest in &self.digests {
            roots.entry(root_of(&digest.place)).or_default().push(digest);
        }
        let roots = roots.into_iter();
        roots
            .map(|(root, digests)| (root, coverage_of(digests.into_iter())))
            .collect()
    }
}

/// Of which account and region logs are, by the name of the first.
fn account_and_region(logs: &[PresentLog]) -> String {
    let name = logs.first().and_then(|log| log.place.key.rsplit('/').next());
    let mut parts = name.unwrap_or_default().split('_');
    let (account, region) = (parts.next(), parts.nth(1));
    format!("{} {}", account.unwrap_or_default(), region.unwrap_or_default())
}

/// The bucket, and the folder of the account in it.
pub(super) fn root_of(place: &Place) -> (&str, &str) {
    let folders = ["/CloudTrail/", "/CloudTrail-Digest/"];
    let ends = folders.into_iter().filter_map(|folder| place.key.rfind(folder));
    let root = ends.max().and_then(|end| place.key.get(..end));
    (&place.bucket, root.unwrap_or_default())
}

/// A log may be delivered some minutes after the time in its name, and be named by the next digest: only where that one
/// is there too is it certain that none names it.
fn judge_unnamed(log: &PresentLog, coverage: Option<&Coverage>) -> Verdict {
    let covered =
        |coverage: &Coverage, moment: i64| coverage.covers(moment) && coverage.covers(moment.saturating_add(HOUR));
    match log.delivered_at.zip(coverage) {
        Some((moment, coverage)) if covered(coverage, moment) => Verdict::NotNamed,
        _ => Verdict::NotCovered,
    }
}

fn coverage_of<'d>(digests: impl Iterator<Item = &'d CheckedDigest>) -> Coverage {
    let valid = digests.filter(|digest| digest.is_valid());
    Coverage::new(valid.filter_map(|digest| digest.digest.as_ref()?.times).collect())
}

fn file_report(digest: &CheckedDigest) -> FileReport {
    FileReport {
        kind: match digest.is_backfill {
            true => FileKind::BackfillDigest,
            false => FileKind::Digest,
        },
        place: digest.place.clone(),
        verdict: digest.verdict.clone(),
        findings: digest.findings.clone(),
    }
}
