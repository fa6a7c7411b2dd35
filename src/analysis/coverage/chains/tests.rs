use super::*;
use crate::analysis::coverage::changes::Absence;
use crate::analysis::coverage::changes::Change;
use crate::analysis::coverage::changes::DigestTrail;
use crate::analysis::coverage::changes::absences;
use crate::analysis::coverage::cover::HourCover;
use crate::analysis::coverage::model::GapKind;
use crate::analysis::coverage::model::moment;

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

/// A digest of one hour of the chain of `own`, delivered to a bucket; with one before it, this is where and how that one lies.
fn linked(hour: i64, bucket: &str, before: Option<(&str, &Recorded)>) -> Recorded {
    let mut made = digest(hour * 3_600, hour * 3_600 + 3_600, before.is_none());
    let mut text = made.digest_text.take().unwrap();
    text = text.replace(r#""digestS3Bucket":"b""#, &format!(r#""digestS3Bucket":"{bucket}""#));
    if let Some((bucket, before)) = before {
        let (name, hash) = (file_name(&before.uri), before.sha256.as_deref().unwrap());
        text = text.replace(
            r#""previousDigestS3Bucket":"x""#,
            &format!(r#""previousDigestS3Bucket":"{bucket}""#),
        );
        text = text.replace(
            r#""previousDigestS3Object":"x""#,
            &format!(r#""previousDigestS3Object":"{name}","previousDigestHashValue":"{hash}""#),
        );
    }
    made.sha256 = Some(format!("{bucket}-{hour}"));
    made.digest_text = Some(text);
    made
}

/// Hour and reasons of one hour on, with keys that prove these digests.
fn told_with_keys(
    digests: &[Recorded],
    valid: &[&Recorded],
    (from, until): (i64, i64),
    absences: &[Absence],
) -> Vec<(i64, u64, Vec<GapKind>)> {
    let report = GroupReport {
        valid_digests: valid.iter().filter_map(|digest| digest.sha256.clone()).collect(),
        ..GroupReport::default()
    };
    let window = (from * 3_600 * SECOND, until * 3_600 * SECOND);
    let hours = Chains::new(digests, Some(&report)).hours(window, absences);
    let told = hours.into_iter().filter(|(hour, _)| (from..until).contains(hour));
    told.map(|(hour, it)| (hour, it.expected, it.gaps.iter().map(|gap| gap.kind).collect()))
        .collect()
}

#[test]
fn trail_that_was_moved_before_the_window_is_joined_by_digests_that_valid_ones_lead_back_to() {
    let first = linked(0, "b", None);
    let moved = linked(1, "c", Some(("b", &first)));
    let second = linked(2, "c", Some(("c", &moved)));
    let last = linked(3, "c", Some(("c", &second)));
    let digests = [first.clone(), moved.clone(), second, last.clone()];
    // The two before were not looked at, as they are not of the window.
    let told = told_with_keys(&digests, &[&last], (3, 4), &[]);
    assert_eq!(told, [(3, 1, vec![])]);
    // Where one between is missing, the one that moves must be valid itself.
    let digests = [first, moved.clone(), last.clone()];
    let missing = told_with_keys(&digests, &[&last], (3, 4), &[]);
    assert_eq!(missing, [(3, 2, vec![GapKind::DigestMissing])]);
    let told = told_with_keys(&digests, &[&moved, &last], (3, 4), &[]);
    assert_eq!(told, [(3, 1, vec![])]);
}

#[test]
fn digest_that_nothing_proves_joins_no_trails() {
    let (first, other) = (linked(0, "b", None), linked(0, "c", None));
    let last = linked(3, "c", Some(("c", &other)));
    // It says that the trail in `b` went on in `c`, where another one of its name is.
    let mut forged = linked(1, "c", Some(("b", &first)));
    forged.sha256 = Some("forged".to_owned());
    let told = told_with_keys(&[first, other, last.clone(), forged], &[&last], (3, 4), &[]);
    assert_eq!(told, [(3, 2, vec![GapKind::DigestMissing])]);
}

/// `DeleteTrail` of the trail at the begin of an hour, and `CreateTrail` later.
fn made_again(deleted: i64, created: i64) -> Vec<Absence> {
    let change = |hour: i64, call: &str| Change {
        at: hour * 3_600 * SECOND,
        call: call.to_owned(),
        account_id: "111122223333".to_owned(),
        trail: Some("org".to_owned()),
        ..Change::default()
    };
    let changes = [change(deleted, "DeleteTrail"), change(created, "CreateTrail")];
    let trail = DigestTrail {
        name: "org",
        home_region: "us-east-1",
        is_of_organization: false,
    };
    absences(&changes, ("111122223333", None), &[trail])
}

#[test]
fn nothing_is_expected_of_a_trail_that_was_deleted_and_made_again_elsewhere() {
    let before = [linked(0, "b", None)];
    let after = [linked(4, "c", None)];
    let digests = [before, after].concat();
    let absences = made_again(2, 4);
    let told = |digests: &[Recorded], absences: &[Absence]| {
        let hours = Chains::new(digests, None).hours((0, 6 * 3_600 * SECOND), absences);
        let told = hours.into_iter().map(|(hour, it)| {
            let kinds: Vec<GapKind> = it.gaps.iter().map(|gap| gap.kind).collect();
            (hour, it.expected, kinds)
        });
        told.collect::<Vec<_>>()
    };
    let (missing, deleted) = (GapKind::DigestMissing, GapKind::TrailDeleted);
    let wanted = [
        (0, 1, vec![GapKind::StartingDigest]),
        // Of the time before it was deleted it is.
        (1, 1, vec![missing, GapKind::StartingDigest]),
        (2, 0, vec![deleted]),
        (3, 0, vec![deleted]),
        (4, 1, vec![]),
        (5, 1, vec![missing]),
    ];
    assert_eq!(told(&digests, &absences), wanted);
    // A later digest shows that the deleted one was another trail of that name.
    let again = [digests.clone(), vec![linked(3, "b", Some(("b", &digests[0])))]].concat();
    assert_eq!(told(&again, &absences)[5], (5, 2, vec![missing]));
    // The other one was there before.
    let other = [linked(0, "b", None), linked(0, "c", None)];
    assert_eq!(told(&other, &absences)[5], (5, 2, vec![missing]));
}

#[test]
fn trail_of_an_account_takes_the_place_of_none_of_an_organization() {
    let in_folder = |mut digest: Recorded, folder: &str| {
        let place = format!(r#""digestS3Object":"AWSLogs/{folder}111122223333/CloudTrail-Digest/k""#);
        let text = digest.digest_text.unwrap();
        digest.digest_text = Some(text.replace(r#""digestS3Object":"k""#, &place));
        digest
    };
    let told = |old: &str, new: &str| {
        let digests = [
            in_folder(linked(0, "b", None), old),
            in_folder(linked(4, "c", None), new),
        ];
        let hours = Chains::new(&digests, None).hours((0, 6 * 3_600 * SECOND), &made_again(2, 4));
        hours[&5].expected
    };
    assert_eq!([told("", ""), told("", "o-a/"), told("o-a/", "o-a/")], [1; 3]);
    assert_eq!([told("o-a/", ""), told("o-a/", "o-b/")], [2; 2]);
}

#[test]
fn digest_of_before_the_window_is_told_in_no_hour_of_it() {
    let digests = [digest(0, 1_800, true), digest(1_800, 5_400, false)];
    let report = GroupReport {
        valid_digests: digests[1].sha256.iter().cloned().collect(),
        ..GroupReport::default()
    };
    let window = (1_800 * SECOND, 5_400 * SECOND);
    let hours = Chains::new(&digests, Some(&report)).hours(window, &[]);
    assert_eq!(hours[&0].gaps, []);
}

#[test]
fn copy_of_a_valid_digest_under_the_name_of_another_stands_for_none() {
    let named = |mut digest: Recorded, trail: &str| {
        let own = digest.uri.replace("_org_", &format!("_{trail}_"));
        let place = format!(r#""digestS3Object":"{}""#, file_name(&own));
        let text = digest.digest_text.unwrap();
        digest.digest_text = Some(text.replace(r#""digestS3Object":"k""#, &place));
        Recorded { uri: own, ..digest }
    };
    let (first, last) = (named(linked(0, "b", None), "org"), named(linked(2, "b", None), "org"));
    let mut copy = named(linked(1, "b", None), "own");
    let valid = [first.clone(), copy.clone(), last.clone()];
    copy.uri = copy.uri.replace("_own_", "_org_");
    let told = told_with_keys(&[first, copy, last], &valid.each_ref(), (0, 3), &[]);
    assert_eq!(told[1], (1, 1, vec![GapKind::DigestInvalid]));
}

#[test]
fn digest_that_the_next_one_names_is_missing_whatever_was_called() {
    let deleted = made_again(1, 9);
    let told = |digests: &[Recorded]| {
        let hours = Chains::new(digests, None).hours((0, 4 * 3_600 * SECOND), &deleted);
        let told = hours.into_iter().flat_map(|(hour, it)| {
            let is_lost = it.is_lost;
            it.gaps.into_iter().map(move |gap| (hour, gap.kind, is_lost))
        });
        told.collect::<Vec<_>>()
    };
    let (first, third) = (digest(0, 3_600, true), digest(7_200, 10_800, false));
    let (missing, deleted) = (GapKind::DigestMissing, GapKind::TrailDeleted);
    let wanted = [(1, missing, true), (3, deleted, false)];
    assert_eq!(told(&[first.clone(), third]), wanted);
    let again = digest(7_200, 10_800, true);
    let wanted = [(1, deleted, false), (3, deleted, false)];
    assert_eq!(told(&[first, again]), wanted);
}

#[test]
fn object_with_the_name_of_a_digest_of_an_unknown_trail_is_told_in_its_own_hour() {
    let mut planted = digest(3_600, 7_200, false);
    planted.uri = planted.uri.replace("_org_", "_none_");
    planted.digest_text = Some("{}".to_owned());
    let digests = [digest(0, 3_600, true), digest(3_600, 7_200, false), planted];
    let wanted = [(0, 1, 1, vec![]), (1, 2, 1, vec![GapKind::DigestMissing])];
    assert_eq!(told(&digests, 7_200), wanted);
}

#[test]
fn begin_of_a_chain_is_told_with_its_own_time_where_the_window_ends_before() {
    let hours = Chains::new(&[digest(36_000, 39_600, true)], None).hours((0, 3_600 * SECOND), &[]);
    assert!(
        hours[&0].gaps[0].detail.ends_with("begins at 1970-01-01T10:00:00Z"),
        "{hours:?}"
    );
}
