use super::*;
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
