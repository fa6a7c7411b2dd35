//! Where a window ends, and where objects are not as CloudTrail writes them: one verdict, whatever is looked at.

use std::io::Read;

use super::*;

#[test]
fn logs_at_the_end_of_a_window_are_judged_by_the_digest_behind_it() {
    let copied = Copied::new();
    let log = copied.named_log();
    let name = log.file_name().unwrap().to_string_lossy().into_owned();
    let parts: Vec<&str> = name.split('_').collect();
    let added = [
        parts[0],
        parts[1],
        parts[2],
        "20260914T1158Z",
        "EEEEEEEEEEEEEEEE.json.gz",
    ]
    .join("_");
    std::fs::copy(&log, log.with_file_name(added)).unwrap();
    let mut window = WATCHED;
    window[7] = "2026-09-14T12:00:00Z";
    let (code, report) = copied.json(&window);
    // The digest of the next hour is there, and does not name it either.
    let unnamed = vec!["INVALID: no digest of its hour names it".to_owned()];
    assert_eq!((code, faults(&report)), (3, unnamed), "{report:#}");
    assert_eq!(report["summary"]["digests"]["valid"], 12, "{report:#}");
}

#[test]
fn objects_that_are_not_compressed_or_no_digests_are_judged_alike_in_store_and_files() {
    let copied = Copied::new();
    let plain = |path: &Path| {
        let mut text = Vec::new();
        let stored = std::fs::read(path).unwrap();
        flate2::bufread::GzDecoder::new(stored.as_slice())
            .read_to_end(&mut text)
            .unwrap();
        std::fs::write(path, text).unwrap();
    };
    let digests = copied.digests(".json.gz");
    let log = copied.named_log();
    plain(&log);
    plain(&digests[12]);
    let store = copied.folder.path().join("store");
    std::fs::write(&digests[23], "garbage").unwrap();
    let ingested = process::run(&store, &["ingest", &copied.logs()]);
    assert!([0, 4].contains(&ingested.code), "{}", ingested.stderr);
    let keys = copied.keys();
    let stored = process::run(
        &store,
        &[&["verify", "--keys", &keys, "--output", "json"], &WATCHED[..]].concat(),
    );
    let (code, report) = copied.json(&WATCHED);
    let from_store: Value = serde_json::from_str(&stored.stdout).unwrap();
    assert_eq!((stored.code, faults(&from_store)), (code, faults(&report)));
    let invalid = faults(&report);
    let invalid = invalid.iter().filter(|fault| *fault == "INVALID: invalid format");
    assert_eq!((code, invalid.count()), (3, 3), "{report:#}");
}
