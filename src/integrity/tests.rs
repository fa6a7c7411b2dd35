//! Our verdicts beside those of `aws cloudtrail validate-logs`, over the trees of `tests/oracle/digests`.

mod rules;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Value;

use super::CheckedDigest;
use super::DigestKey;
use super::FoundDigest;
use super::Group;
use super::GroupReport;
use super::HashedLog;
use super::Metadata;
use super::Place;
use super::PresentLog;
use super::PublicKeys;
use super::Rule;
use super::Stored;
use super::Verdict;
use super::Window;
use super::testing::DATA;
use super::testing::Header;
use super::testing::TestKeys;
use super::testing::Tree;

/// What makes us stricter, or gentler, than `validate-logs`: the code that it gives, ours, and what has to have happened.
const KNOWN_DIFFERENCES: &[(&str, &str, &[&str])] = &[
    // Signed with another hash function than the one that the specification names.
    ("v", "s", &["sha512"]),
    ("v", "(invalid)", &["sha512"]),
    ("h", "(invalid)", &["sha512"]),
    ("n", "nothing", &["sha512"]),
    // CloudTrail's own examples hold such keys.
    ("u", "v", &["spki"]),
    ("u", "s", &["spki"]),
];

/// What has to have happened for us to find more than `validate-logs`.
const STRICTER: &[(Rule, &[&str])] = &[
    (Rule::PreviousHash, &["prevhash", "copy"]),
    (Rule::PreviousSignature, &["prevsig"]),
    (Rule::ForkedChain, &["skip"]),
    (Rule::NotLinked, &["skip"]),
    (Rule::WrongAlgorithm, &["signature-algorithm", "algorithm", "md5"]),
    (Rule::ExpiredKey, &["expired", "backfill-generation-timestamp"]),
    (Rule::KeyFingerprint, &["swapped", "garbage", "spki"]),
    (Rule::TrailingDigestData, &["append", "pad", "member"]),
    (Rule::CutStream, &["cut", "truncate"]),
    (Rule::Overlap, &["early", "other hours"]),
];

/// What is said of one tree.
fn report(tree: &Tree<'_>, keys: &PublicKeys, knows_metadata: bool) -> GroupReport {
    let mut group = Group::new(Window::default());
    let mut present = Vec::new();
    let mut contents = HashMap::new();
    for ((bucket, key), (stored, metadata)) in &tree.objects {
        let place = Place::new(bucket, key);
        if DigestKey::parse(key).is_none() {
            present.push(PresentLog::new(place.clone()));
            contents.insert(place, vec![HashedLog::read(stored.as_slice(), 1 << 20)]);
            continue;
        }
        let metadata = match knows_metadata {
            true => Metadata::Known(metadata.clone()),
            false => Metadata::Unknown,
        };
        let found = FoundDigest {
            place,
            stored: Stored::Gzip(stored),
            metadata: &metadata,
        };
        group.add(CheckedDigest::new(found, keys));
    }
    for settlement in group.settlements() {
        settlement.settle(keys);
    }
    group.report(&present, &contents)
}

fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "v",
        Verdict::NotFound => "n",
        Verdict::InvalidFormat => "f",
        Verdict::SignatureFailed => "s",
        Verdict::Moved => "m",
        Verdict::KeyNotFound { .. } => "k",
        Verdict::KeyUnreadable { .. } => "u",
        Verdict::HashMismatch => "h",
        Verdict::TrailingData => "t",
        Verdict::Unread(_) | Verdict::UnsignedTail => "!",
        Verdict::NamedByInvalid => "(invalid)",
        Verdict::NotNamed => "(unnamed)",
        Verdict::NotCovered => "(uncovered)",
    }
}

/// Everything in a description that can matter: operations with their arguments, oddities, states of keys.
fn happenings(spec: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |value: &Value| found.extend(value.as_str().map(str::to_owned));
    for operation in spec["ops"].as_array().unwrap() {
        operation.as_array().unwrap().iter().for_each(&mut add);
    }
    spec["keys"].as_array().into_iter().flatten().for_each(&mut add);
    for digest in spec["digests"].as_array().unwrap() {
        add(&digest["w"]);
    }
    found
}

/// Whether the codes of `validate-logs` are explained by ours.
fn agrees(theirs: &str, ours: &str, happened: &BTreeSet<String>) -> bool {
    let is_known = |theirs: &str| {
        // Other texts are those of exceptions in Python.
        let same = theirs == ours || theirs.starts_with('?') && matches!(ours, "f" | "s");
        same || KNOWN_DIFFERENCES
            .iter()
            .any(|(a, b, why)| *a == theirs && *b == ours && why.iter().any(|why| happened.contains(*why)))
    };
    // A log that two digests name is judged twice there; we say the worst.
    theirs.split('|').any(is_known)
}

fn differences(spec: &Value, tree: &Tree<'_>, report: &GroupReport) -> Vec<String> {
    let happened = happenings(spec);
    let mut wrong = Vec::new();
    let mut ours: BTreeMap<String, &str> = BTreeMap::new();
    for file in &report.files {
        let name = tree.name_of(&file.place.bucket, &file.place.key);
        let name = name.map_or_else(|| file.place.to_string(), str::to_owned);
        ours.insert(name.clone(), code(&file.verdict));
        for finding in &file.findings {
            let causes = STRICTER.iter().find(|(rule, _)| *rule == finding.rule);
            if !causes.is_some_and(|(_, causes)| causes.iter().any(|cause| happened.contains(*cause))) {
                wrong.push(format!("{name}: {}", finding.rule.name()));
            }
        }
    }
    let theirs = spec["aws"].as_object().unwrap();
    for (name, codes) in theirs.iter().filter(|(name, _)| *name != "gap") {
        let own = ours.get(name.as_str()).copied().unwrap_or("nothing");
        if !agrees(codes.as_str().unwrap(), own, &happened) {
            wrong.push(format!("{name}: aws says {codes}, we say {own}"));
        }
    }
    for (name, own) in ours.iter().filter(|(name, _)| !theirs.contains_key(name.as_str())) {
        if !matches!(*own, "v" | "(invalid)" | "(unnamed)" | "(uncovered)") && !is_passed_by(name, spec, &happened) {
            wrong.push(format!("{name}: only we say {own}"));
        }
    }
    wrong
}

/// Whether `validate-logs` does not look at a file that we look at.
fn is_passed_by(name: &str, spec: &Value, happened: &BTreeSet<String>) -> bool {
    // It lies in another bucket now, at another time, or in the chain of another trail.
    let is_elsewhere = name.starts_with(['x', 'o']);
    // No link leads to the older bucket, which is not listed.
    let is_older = |name: &str| {
        let digest = name.get(1..).unwrap_or_default().split('.').next().unwrap_or_default();
        let digest = digest
            .parse()
            .ok()
            .and_then(|digest: usize| spec["digests"].get(digest));
        digest.is_some_and(|digest| digest["u"] == 1)
    };
    let sees_older_bucket = spec["aws"].as_object().unwrap().keys().any(|name| is_older(name));
    // It holds the digest for invalid, and so does not look at its logs.
    let is_of_other_key = happened.contains("spki");
    // The digest behind it is linked to the one before it.
    let is_skipped = happened.contains("skip");
    is_elsewhere || is_of_other_key || is_skipped || is_older(name) && !sees_older_bucket
}

fn trees() -> (Header, Vec<Value>) {
    let lines = std::fs::read_to_string(format!("{DATA}/trees.jsonl")).unwrap();
    let (header, trees) = lines.split_once('\n').unwrap();
    let trees = trees.lines().map(|line| serde_json::from_str(line).unwrap());
    (Header::read(header), trees.collect())
}

fn keys_of(spec: &Value, header: &Header, test_keys: &TestKeys) -> PublicKeys {
    let mut keys = PublicKeys::default();
    let listed = test_keys.listed(spec, header);
    keys.add(listed.as_bytes(), "keys.json", None).unwrap();
    keys
}

#[test]
fn verdicts_are_those_of_validate_logs_on_every_file_of_every_tree() {
    let (header, trees) = trees();
    let test_keys = TestKeys::load();
    let mut wrong = Vec::new();
    for spec in &trees {
        let tree = Tree::build(spec, &header, &test_keys);
        assert_eq!(tree.sum(), spec["sum"].as_str().unwrap(), "{spec}");
        let report = report(&tree, &keys_of(spec, &header, &test_keys), true);
        for difference in differences(spec, &tree, &report) {
            wrong.push(format!("{difference}\n    {spec}"));
        }
    }
    assert!(trees.len() >= 2_000, "{}", trees.len());
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}
