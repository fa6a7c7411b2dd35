use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::super::ObjectSize;
use super::super::config::EstateConfig;
use super::super::error::SampleError;
use super::super::tally::Tally;
use super::write_estate;

/// Every file below a folder, by its path relative to it.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(relative, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn estate(config: &EstateConfig) -> (BTreeMap<String, Vec<u8>>, Tally) {
    let folder = TempDir::new().unwrap();
    let tally = write_estate(config, folder.path()).unwrap();
    (files(folder.path()), tally)
}

fn small() -> EstateConfig {
    EstateConfig {
        events: 1500,
        ..EstateConfig::default()
    }
}

fn gunzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    decoder.write_all(bytes).ok()?;
    decoder.finish().ok()
}

/// The texts of readable event objects.
fn event_objects(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let objects = files.iter().filter(|(path, _)| path.contains("/CloudTrail/"));
    objects
        .filter_map(|(_, bytes)| gunzip(bytes))
        .map(|text| String::from_utf8(text).unwrap())
        .collect()
}

/// All records that are valid JSON, and how many are not.
fn records(files: &BTreeMap<String, Vec<u8>>) -> (Vec<Value>, usize) {
    let mut records = Vec::new();
    let mut bad = 0;
    for text in event_objects(files) {
        bad += text.matches('\u{1}').count();
        let object: Value = serde_json::from_str(&text.replace('\u{1}', "BAD")).unwrap();
        let list = object["Records"].as_array().unwrap().clone();
        records.extend(
            list.into_iter()
                .filter(|record| !record["userAgent"].as_str().unwrap().contains("BAD")),
        );
    }
    (records, bad)
}

#[test]
fn same_settings_give_the_same_bytes_and_another_seed_other_ones() {
    let (first, _) = estate(&small());
    let (second, _) = estate(&small());
    assert!(first == second);
    let (other, _) = estate(&EstateConfig { seed: 2, ..small() });
    assert!(first != other);
}

#[test]
fn records_on_disk_balance_with_the_tally() {
    let (files, tally) = estate(&small());
    let (records, bad) = records(&files);
    let ids: BTreeSet<&str> = records
        .iter()
        .map(|record| record["eventID"].as_str().unwrap())
        .collect();
    let counts = [ids.len(), records.len() - ids.len(), bad].map(|count| u64::try_from(count).unwrap());
    assert_eq!(counts, [tally.events, tally.duplicates, tally.rejected_records]);
    assert_eq!(
        tally.records(),
        tally.events + tally.duplicates + tally.rejected_records
    );
    assert!(tally.events >= 1500 && tally.duplicates > 0 && bad == 1);
    let is_object = |path: &&String| path.starts_with("AWSLogs/") && !path.ends_with(".meta.json");
    let objects = files.keys().filter(is_object).count();
    assert_eq!(tally.all_objects(), u64::try_from(objects).unwrap());
}

#[test]
fn the_corrupt_object_ends_inside_its_first_record() {
    let (files, tally) = estate(&small());
    let unreadable: Vec<&Vec<u8>> = files
        .iter()
        .filter(|(path, bytes)| path.ends_with(".gz") && gunzip(bytes).is_none())
        .map(|(_, bytes)| bytes)
        .collect();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(tally.objects["corrupt"], 1);
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    decoder.write_all(unreadable[0]).unwrap();
    decoder.flush().unwrap();
    let readable = String::from_utf8_lossy(decoder.get_ref());
    assert!(readable.starts_with("{\"Records\":[{"), "{readable}");
    assert!(!readable.contains("eventCategory"), "{readable}");
}

#[test]
fn no_placeholder_is_left_in_a_record() {
    let (files, _) = estate(&small());
    let hostile = "<script>alert(1)</script>";
    assert!(
        event_objects(&files)
            .iter()
            .all(|text| !text.replace(hostile, "").contains('<'))
    );
}

#[test]
fn records_carry_the_fields_that_cloudtrail_always_writes() {
    let (files, _) = estate(&small());
    let always = [
        "eventVersion",
        "userIdentity",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "eventID",
    ];
    for record in records(&files).0 {
        for field in always
            .iter()
            .chain(&["requestParameters", "responseElements", "recipientAccountId"])
        {
            assert!(record.get(field).is_some(), "{field} in {record}");
        }
    }
}

#[test]
fn objects_of_a_fixed_size_come_near_it() {
    let config = EstateConfig {
        days: 1,
        object_size: ObjectSize::Fixed { gzip_bytes: 2_000 },
        ..small()
    };
    let (_, tally) = estate(&config);
    let mean = tally.gzip_bytes / tally.objects["events"];
    assert!((1_300..3_000).contains(&mean), "{mean}");
}

#[test]
fn a_short_window_leaves_out_later_scenes() {
    let (_, tally) = estate(&EstateConfig { days: 2, ..small() });
    assert_eq!(tally.duplicates, 0);
    assert_eq!(tally.planted("pass_role").len(), 1);
    assert_eq!(tally.planted("break_glass").len(), 0);
}

#[test]
fn policy_documents_of_the_snapshots_are_json() {
    let (files, _) = estate(&EstateConfig {
        days: 1,
        events: 10,
        ..small()
    });
    let snapshots: Vec<&Vec<u8>> = files
        .iter()
        .filter(|(path, _)| path.ends_with("authorization-details.json"))
        .map(|(_, bytes)| bytes)
        .collect();
    assert_eq!(snapshots.len(), 5);
    for bytes in snapshots {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(!text.contains("Document\": null") && !text.contains('<'), "{text}");
    }
}

#[test]
fn a_folder_with_files_is_refused() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let refused = write_estate(&small(), folder.path());
    assert!(matches!(refused, Err(SampleError::NotEmpty { .. })));
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn committed_sample_logs_are_what_the_generator_writes() {
    let (written, _) = estate(&EstateConfig::default());
    let committed = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs"));
    assert!(
        written.keys().eq(committed.keys()),
        "other files: run `trimtrail sample`"
    );
    for (path, bytes) in &written {
        // Another compressor may write other bytes for the same text; the object that is cut has no text.
        let (left, right) = if path.ends_with(".gz") {
            (gunzip(bytes), gunzip(&committed[path]))
        } else {
            (Some(bytes.clone()), Some(committed[path].clone()))
        };
        assert!(left == right, "`{path}` differs: run `trimtrail sample`");
    }
}
