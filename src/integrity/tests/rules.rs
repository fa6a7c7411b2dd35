//! One tree for each thing that we find and `validate-logs` does not.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::json;

use super::super::*;
use super::TestKeys;
use super::Tree;
use super::keys_of;
use super::report;
use super::trees;

/// A tree and what is said of it: verdicts by name, findings by name and rule, findings of its chains.
struct Judged {
    verdicts: BTreeMap<String, Verdict>,
    findings: BTreeSet<(String, &'static str)>,
    chains: Vec<(Rule, String)>,
}

fn judged_with(spec: &Value, knows_metadata: bool) -> Judged {
    let (header, _) = trees();
    let test_keys = TestKeys::load();
    let tree = Tree::build(spec, &header, &test_keys);
    let report = report(&tree, &keys_of(spec, &header, &test_keys), knows_metadata);
    let name = |place: &Place| tree.name_of(&place.bucket, &place.key).unwrap().to_owned();
    let files = report.files.iter();
    let findings = files.clone().flat_map(|file| {
        let own = file.findings.iter();
        own.map(|finding| (name(&file.place), finding.rule.name()))
    });
    let chains = report.chains.iter().flat_map(|chain| &chain.findings);
    Judged {
        verdicts: files.map(|file| (name(&file.place), file.verdict.clone())).collect(),
        findings: findings.collect(),
        chains: chains
            .chain(&report.findings)
            .map(|finding| (finding.rule, finding.text.clone()))
            .collect(),
    }
}

/// Three digests in a row, of which one may be odd, and what happens to them.
fn spec(odd: &str, operations: &Value) -> Value {
    json!({"layout": 0, "ops": operations, "digests": [
        {"h": 0, "n": 2, "s": 1}, {"h": 1, "n": 1, "w": odd}, {"h": 2, "n": 1}]})
}

fn judged(odd: &str, operations: &Value) -> Judged {
    judged_with(&spec(odd, operations), true)
}

#[test]
fn chain_as_delivered_is_valid_and_nothing_is_found() {
    let judged = judged("", &json!([]));
    assert!(judged.verdicts.values().all(|verdict| *verdict == Verdict::Valid));
    assert_eq!(
        (judged.verdicts.len(), judged.findings.len(), judged.chains.len()),
        (7, 0, 0)
    );
}

#[test]
fn every_stricter_rule_about_a_file_finds_its_file_and_no_other() {
    let cases = [
        ("previous-hash", "d0", "prevhash", json!([])),
        ("previous-signature", "d0", "prevsig", json!([])),
        ("wrong-algorithm", "d1", "algorithm", json!([])),
        ("wrong-algorithm", "d1", "md5", json!([])),
        (
            "wrong-algorithm",
            "d2",
            "",
            json!([["meta_set", "d2", "signature-algorithm", "none"]]),
        ),
        ("trailing-digest-data", "d1", "", json!([["append", "d1", 1]])),
        ("trailing-digest-data", "d1", "", json!([["member", "d1"]])),
        ("trailing-digest-data", "d1", "", json!([["pad", "d1", 512]])),
        ("cut-stream", "l0.1", "", json!([["cut", "l0.1", 4]])),
    ];
    for (rule, name, odd, operations) in cases {
        let judged = judged(odd, &operations);
        assert_eq!(
            judged.findings,
            BTreeSet::from([(name.to_owned(), rule)]),
            "{rule} {odd}"
        );
        assert!(
            judged.verdicts.values().all(|verdict| *verdict == Verdict::Valid),
            "{rule}"
        );
    }
}

#[test]
fn digest_that_a_link_passes_over_is_found_and_so_are_two_with_the_same_previous() {
    let skipped = json!({"layout": 0, "ops": [], "digests": [
        {"h": 0, "n": 0, "s": 1}, {"h": 1, "n": 0}, {"h": 2, "n": 0, "w": "skip"}]});
    let wanted = [("d1", "forked-chain"), ("d1", "not-linked"), ("d2", "forked-chain")];
    let wanted = wanted.map(|(name, rule)| (name.to_owned(), rule));
    assert_eq!(judged_with(&skipped, true).findings, BTreeSet::from(wanted));
}

#[test]
fn expired_and_swapped_keys_are_found() {
    let mut expired = spec("", &json!([]));
    expired["keys"] = json!(["expired", "ok"]);
    let judged = judged_with(&expired, true);
    assert_eq!(judged.findings.len(), 3);
    assert!(judged.findings.contains(&("d0".to_owned(), "expired-key")));
    let mut swapped = spec("", &json!([]));
    swapped["keys"] = json!(["swapped", "ok"]);
    let judged = judged_with(&swapped, true);
    assert!(judged.findings.contains(&("d0".to_owned(), "key-fingerprint")));
    assert_eq!(judged.verdicts["d0"], Verdict::SignatureFailed);
}

#[test]
fn key_as_subject_public_key_info_verifies() {
    let mut spki = spec("", &json!([]));
    spki["keys"] = json!(["spki", "ok"]);
    assert_eq!(judged_with(&spki, true).verdicts["d2"], Verdict::Valid);
}

#[test]
fn signature_with_another_hash_function_is_none() {
    assert_eq!(judged("sha512", &json!([])).verdicts["d1"], Verdict::SignatureFailed);
}

#[test]
fn times_between_and_over_digests_are_told() {
    let rules = |judged: &Judged| -> Vec<Rule> { judged.chains.iter().map(|(rule, _)| *rule).collect() };
    assert_eq!(rules(&judged("late", &json!([]))), [Rule::Uncovered]);
    assert_eq!(rules(&judged("early", &json!([]))), [Rule::Overlap]);
    let deleted = judged("", &json!([["delete", "d1"]]));
    let text = "no valid digest covers the time between 2026-09-01T01:00:00Z and 2026-09-01T02:00:00Z";
    assert_eq!(deleted.chains, [(Rule::Uncovered, text.to_owned())]);
    let gap = json!({"layout": 0, "ops": [], "digests": [{"h": 0, "n": 0, "s": 1}, {"h": 4, "n": 0, "s": 1}]});
    let text = "No log files were delivered by CloudTrail between 2026-09-01T01:00:00Z and 2026-09-01T04:00:00Z";
    assert_eq!(judged_with(&gap, true).chains, [(Rule::Gap, text.to_owned())]);
}

#[test]
fn logs_that_no_digest_names_are_told_apart_by_what_covers_them() {
    // The log of an hour after which another digest follows is named by none; that of the last hour may yet be.
    let judged = judged(
        "",
        &json!([["extra", "l0.0", 70], ["extra", "l0.0", 170], ["extra", "l0.0", 900]]),
    );
    let wanted = [Verdict::NotNamed, Verdict::NotCovered, Verdict::NotCovered];
    let found = ["e70", "e170", "e900"].map(|name| judged.verdicts[name].clone());
    assert_eq!(found, wanted);
}

#[test]
fn newest_digest_deleted_with_its_logs_there_leaves_them_uncovered() {
    let judged = judged("", &json!([["delete", "d2"]]));
    assert_eq!(judged.verdicts["l2.0"], Verdict::NotCovered);
}

#[test]
fn logs_of_a_digest_that_is_not_valid_are_not_proven() {
    let judged = judged("", &json!([["meta_drop", "d1", "signature"]]));
    assert_eq!(judged.verdicts["l1.0"], Verdict::NamedByInvalid);
}

#[test]
fn region_without_any_digest_is_told() {
    let all = json!([["delete", "d0"], ["delete", "d1"], ["delete", "d2"]]);
    let judged = judged("", &all);
    assert_eq!(
        judged.chains,
        [(
            Rule::NoDigests,
            "111122223333 eu-west-1: 4 logs and no digest".to_owned()
        )]
    );
}

#[test]
fn copy_without_metadata_is_proven_by_the_next_digests_up_to_an_unsigned_tail() {
    let judged = judged_with(&spec("", &json!([])), false);
    let found = ["d0", "d1", "d2", "l1.0", "l2.0"].map(|name| judged.verdicts[name].clone());
    let (valid, tail) = (Verdict::Valid, Verdict::UnsignedTail);
    assert_eq!(
        found,
        [valid.clone(), valid.clone(), tail, valid, Verdict::NamedByInvalid]
    );
    let changed = spec("", &json!([["replace", "d1", "\"hashValue\":\"", "\"hashValue\":\"0"]]));
    let judged = judged_with(&changed, false);
    assert_eq!(judged.verdicts["d1"], Verdict::SignatureFailed);
    // A changed digest names the one before, whose own signature tells that it is the true one.
    assert_eq!(judged.verdicts["d0"], Verdict::Valid);
}

#[test]
fn copies_with_other_content_are_found_and_the_valid_one_counts() {
    let (header, _) = trees();
    let test_keys = TestKeys::load();
    let clean = spec("", &json!([]));
    let changed = spec("", &json!([["edit", "d1", 500]]));
    let keys = keys_of(&clean, &header, &test_keys);
    let mut group = Group::new(Window::default());
    for tree in [changed, clean].map(|spec| Tree::build(&spec, &header, &test_keys)) {
        for ((bucket, key), (stored, metadata)) in &tree.objects {
            let metadata = Metadata::Known(metadata.clone());
            let found = FoundDigest {
                place: Place::new(bucket, key),
                stored: Stored::Gzip(stored),
                metadata: &metadata,
            };
            if DigestKey::parse(key).is_some() {
                group.add(CheckedDigest::new(found, &keys));
            }
        }
    }
    let report = group.report(&[], &HashMap::new());
    let digests: Vec<&FileReport> = report
        .files
        .iter()
        .filter(|file| file.kind == FileKind::Digest)
        .collect();
    assert_eq!(digests.len(), 3);
    assert!(digests.iter().all(|digest| digest.verdict == Verdict::Valid));
    let found: Vec<Rule> = digests
        .iter()
        .flat_map(|digest| &digest.findings)
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(found, [Rule::DifferentCopies]);
}

#[test]
fn window_asks_for_no_digest_before_it_and_for_all_of_its_hours() {
    let (header, _) = trees();
    let test_keys = TestKeys::load();
    let spec = json!({"layout": 0, "ops": [], "digests": [{"h": 0, "n": 0}]});
    let tree = Tree::build(&spec, &header, &test_keys);
    let keys = keys_of(&spec, &header, &test_keys);
    let report = |window| {
        let mut group = Group::new(window);
        let ((bucket, key), (stored, metadata)) = tree.objects.iter().next().unwrap();
        let metadata = Metadata::Known(metadata.clone());
        let found = FoundDigest {
            place: Place::new(bucket, key),
            stored: Stored::Gzip(stored),
            metadata: &metadata,
        };
        group.add(CheckedDigest::new(found, &keys));
        let report = group.report(&[], &HashMap::new());
        let rules: Vec<Rule> = report.chains[0].findings.iter().map(|finding| finding.rule).collect();
        (report.files.len(), rules)
    };
    let start = 1_788_220_800_000_000;
    let hour = 3_600_000_000;
    let window = |from, to| Window {
        from: Some(from),
        to: Some(to),
    };
    assert_eq!(report(Window::default()), (2, Vec::new()));
    assert_eq!(report(window(start, start + hour)), (1, Vec::new()));
    let both = vec![Rule::Uncovered, Rule::Uncovered];
    assert_eq!(report(window(start - hour, start + 2 * hour)), (2, both));
}
