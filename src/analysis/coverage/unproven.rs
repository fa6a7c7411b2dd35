//! Objects with events that no digest proves, by name and hash: they add events, or take the place of others with the same id. And
//! logs that are not there as digests name them.

use std::collections::BTreeMap;

use super::chains::Chains;
use super::chains::file_name;
use super::chains::folder_of;
use super::model::Gap;
use super::model::GapKind;
use super::model::HOUR;
use super::model::moment;
use super::named::NamedLog;
use super::told::HourGaps;
use crate::integrity::Place;
use crate::integrity::PresentLog;
use crate::integrity::Recorded;
use crate::policy::Window;

/// For how long a trail without digests may have gone on behind the last log that is there of it.
const SILENCE: i64 = 24 * HOUR;

/// By number of the hour: the first object of each kind with events of around that hour, whatever the time in its name. Nothing is
/// said where there are no digests at all.
pub(super) fn unproven(objects: &[Recorded], chains: &Chains, window: Window) -> BTreeMap<i64, Vec<Gap>> {
    let mut gaps = HourGaps::new(window);
    if chains.is_empty() {
        return gaps.told();
    }
    let mut trails: BTreeMap<&str, UnprovenTrail<'_>> = BTreeMap::new();
    let proven = chains.proven_logs();
    for object in objects.iter().filter(|object| !object.is_digest && object.holds_events) {
        let Some((first, last)) = object.event_times else {
            continue;
        };
        let name = file_name(&object.uri);
        let gap = match (proven.get(name), &object.sha256) {
            (Some(stated), Some(sha256)) if stated.iter().all(|log| log.has_hash(sha256)) => continue,
            (Some(_), Some(_)) => changed_log(name),
            (Some(_), None) => Gap {
                kind: GapKind::ObjectRejected,
                detail: format!("`{name}` could not be read to its end, so that no digest proves its events"),
            },
            (None, _) => gap(object, last, chains),
        };
        gaps.tell(&gap, (first, last));
        if !chains.has_digests_in_folder_of(&object.uri) {
            let trail = trails.entry(folder_of(&object.uri));
            trail.or_insert_with(|| UnprovenTrail::new(name)).note(first, last);
        }
    }
    for trail in trails.values().filter(|trail| trail.objects > 1) {
        gaps.tell(&trail.gap(), (trail.first, trail.last.saturating_add(SILENCE)));
    }
    gaps.told()
}

/// Objects of one folder without digests: those of a trail without log file validation, of which digests of another trail do not
/// say whether any is missing.
struct UnprovenTrail<'a> {
    name: &'a str,
    objects: u64,
    first: i64,
    last: i64,
}

impl<'a> UnprovenTrail<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            name,
            objects: 0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }

    fn note(&mut self, first: i64, last: i64) {
        self.objects += 1;
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }

    fn gap(&self) -> Gap {
        Gap {
            kind: GapKind::LogNotCovered,
            detail: format!("no digest is about the logs in the folder of `{}`", self.name),
        }
    }
}

/// By number of the hour: logs with events of it that are not there, or not as digests name them, whenever they were delivered.
pub(super) fn lost(
    chains: &Chains,
    hashes: &BTreeMap<&str, Vec<Option<&str>>>,
    window: Window,
) -> BTreeMap<i64, Vec<Gap>> {
    let mut gaps = HourGaps::new(window);
    for (name, stated) in chains.named_logs() {
        let gap = stated.event_times.and_then(|_| lost_log(name, stated, hashes));
        if let Some((gap, times)) = gap.zip(stated.event_times) {
            gaps.tell(&gap, times);
        }
    }
    gaps.told()
}

/// What is said of a log that digests name, if it is not there as it was. What could not be read to its end is counted as rejected.
pub(super) fn lost_log(name: &str, stated: &NamedLog, hashes: &BTreeMap<&str, Vec<Option<&str>>>) -> Option<Gap> {
    match hashes.get(name) {
        None => Some(Gap {
            kind: GapKind::LogMissing,
            detail: format!("`{name}` is named by a digest and not in the store"),
        }),
        Some(copies) => {
            let is_other = |hash: &&str| !stated.has_hash(hash);
            copies.iter().flatten().any(is_other).then(|| changed_log(name))
        }
    }
}

/// What is said of a log that is not as its digest states.
pub(super) fn changed_log(name: &str) -> Gap {
    Gap {
        kind: GapKind::LogChanged,
        detail: format!("`{name}` has another hash than its digest states"),
    }
}

/// What is said of an object that no digest names, and whose last event is of this moment. That none does is certain only where
/// digests are about the time of its delivery and the hour behind, as the next one may name it; or where it holds events of later.
fn gap(object: &Recorded, last: i64, chains: &Chains) -> Gap {
    let name = file_name(&object.uri);
    let delivered = PresentLog::new(Place::new("", name)).delivered_at;
    let is_early = delivered.is_some_and(|delivered| last > delivered.saturating_add(HOUR));
    let is_passed_over = delivered.is_some_and(|delivered| chains.has_digests_beside(&object.uri, delivered));
    match is_early {
        true => Gap {
            kind: GapKind::LogNotNamed,
            detail: format!("no digest names `{name}`, which has events of {}", moment(last)),
        },
        false if is_passed_over => Gap {
            kind: GapKind::LogNotNamed,
            detail: format!("no digest names `{name}`"),
        },
        false => Gap {
            kind: GapKind::LogNotCovered,
            detail: format!("no digest is about the time in which `{name}` was delivered"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "111122223333_CloudTrail_eu-west-1_";

    fn digest(hour: i64) -> Recorded {
        let (start, end) = (moment(hour * HOUR), moment((hour + 1) * HOUR));
        let root = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1";
        let name = format!(
            "111122223333_CloudTrail-Digest_eu-west-1_org_us-east-1_{}",
            stamp(hour + 1, "0000")
        );
        let previous = if hour == 0 { "null" } else { "\"x\"" };
        Recorded {
            uri: format!("s3://b/{root}/{name}.json.gz"),
            is_digest: true,
            digest_text: Some(format!(
                r#"{{"digestStartTime":"{start}","digestEndTime":"{end}","digestS3Bucket":"b","digestS3Object":"{root}/{name}",
                "digestPublicKeyFingerprint":"f","previousDigestSignature":null,"previousDigestS3Bucket":{previous},
                "previousDigestS3Object":{previous},"logFiles":[]}}"#
            )),
            ..Recorded::default()
        }
    }

    fn stamp(hour: i64, rest: &str) -> String {
        format!("19700101T{hour:02}{rest}Z")
    }

    fn log(folder: &str, stamp: &str, hours: (i64, i64)) -> Recorded {
        Recorded {
            uri: format!("s3://b/{folder}AWSLogs/111122223333/CloudTrail/eu-west-1/1970/01/01/{NAME}{stamp}_x.json.gz"),
            holds_events: true,
            event_times: Some((hours.0 * HOUR, hours.1 * HOUR)),
            ..Recorded::default()
        }
    }

    const WINDOW: Window = Window {
        since: 0,
        until: 6 * HOUR,
    };

    /// The same digest with a log that it names.
    fn naming(digest: Recorded, log: &str) -> Recorded {
        let text = digest.digest_text.as_deref().unwrap();
        Recorded {
            digest_text: Some(text.replace(r#""logFiles":[]"#, &format!(r#""logFiles":[{log}]"#))),
            ..digest
        }
    }

    /// What is told first in each hour.
    fn kinds(gaps: BTreeMap<i64, Vec<Gap>>) -> Vec<(i64, GapKind)> {
        let told = gaps.into_iter().map(|(hour, gaps)| (hour, gaps[0].kind));
        told.collect()
    }

    #[test]
    fn object_that_no_digest_names_is_told_in_the_hours_of_its_events_whatever_the_time_in_its_name() {
        let told = |log: Recorded| {
            let objects: Vec<Recorded> = (0..6).map(digest).chain([log]).collect();
            kinds(unproven(&objects, &Chains::new(&objects, None), WINDOW))
        };
        let wanted = [(2, GapKind::LogNotNamed), (3, GapKind::LogNotNamed)];
        assert_eq!(told(log("", &stamp(3, "05"), (2, 3))), wanted);
        // Of a year ago, and so not of its events.
        assert_eq!(told(log("", "19690101T0000Z", (2, 3))), wanted);
        // In another trail's folder, behind the digests, and without a time.
        let wanted = [(2, GapKind::LogNotCovered), (3, GapKind::LogNotCovered)];
        for (folder, stamp) in [("z/", stamp(3, "05")), ("", stamp(9, "05")), ("", "x".to_owned())] {
            assert_eq!(told(log(folder, &stamp, (2, 3))), wanted);
        }
        assert_eq!(told(log("", &stamp(3, "05"), (7, 8))), []);
        // A trail without digests may have lost logs between and behind those that are there.
        let trail = [log("z/", &stamp(1, "05"), (1, 1)), log("z/", &stamp(4, "05"), (4, 4))];
        let objects: Vec<Recorded> = (0..6).map(digest).chain(trail).collect();
        let told = unproven(&objects, &Chains::new(&objects, None), WINDOW);
        assert_eq!(told.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let alone = [log("", &stamp(3, "05"), (2, 3))];
        assert!(unproven(&alone, &Chains::new(&alone, None), WINDOW).is_empty());
    }

    #[test]
    fn missing_log_is_told_in_the_hours_of_its_events_whenever_it_was_delivered() {
        let name = format!("{NAME}{}_x.json.gz", stamp(4, "05"));
        let (oldest, newest) = (moment(HOUR + 1_000_000), moment(2 * HOUR));
        let log = format!(
            r#"{{"s3Bucket":"b","s3Object":"AWSLogs/{name}","hashValue":"aa","oldestEventTime":"{oldest}","newestEventTime":"{newest}"}}"#
        );
        let chains = Chains::new(&[naming(digest(4), &log)], None);
        let told =
            |hashes: &[(&str, Vec<Option<&str>>)]| kinds(lost(&chains, &hashes.iter().cloned().collect(), WINDOW));
        assert_eq!(told(&[]), [(1, GapKind::LogMissing), (2, GapKind::LogMissing)]);
        assert_eq!(told(&[(&name, vec![Some("aa"), None])]), []);
        let changed = told(&[(&name, vec![Some("bb")])]);
        assert_eq!(changed, [(1, GapKind::LogChanged), (2, GapKind::LogChanged)]);
    }

    #[test]
    fn log_that_is_not_as_its_digest_states_is_told_in_the_hours_of_its_events_wherever_it_lies() {
        let name = format!("{NAME}{}_x.json.gz", stamp(4, "05"));
        let stated = format!(r#"{{"s3Bucket":"b","s3Object":"AWSLogs/{name}","hashValue":"aa"}}"#);
        let told = |folder: &str, sha256: Option<&str>| {
            let log = Recorded {
                sha256: sha256.map(str::to_owned),
                ..log(folder, &stamp(4, "05"), (1, 2))
            };
            let digests = (0..6).map(|hour| match hour {
                4 => naming(digest(hour), &stated),
                _ => digest(hour),
            });
            let objects: Vec<Recorded> = digests.chain([log]).collect();
            kinds(unproven(&objects, &Chains::new(&objects, None), WINDOW))
        };
        assert_eq!(told("", Some("aa")), []);
        for folder in ["", "z/"] {
            let wanted = [(1, GapKind::LogChanged), (2, GapKind::LogChanged)];
            assert_eq!(told(folder, Some("bb")), wanted);
        }
        // Nobody knows what it would have been.
        assert_eq!(
            told("", None),
            [(1, GapKind::ObjectRejected), (2, GapKind::ObjectRejected)]
        );
    }
}
