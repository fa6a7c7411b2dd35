//! Logs that were delivered and are not in the store: `diff` and `coverage` say so alike.

use std::io::Write;

use super::*;

/// `text` as an object of the bucket.
fn zipped(text: &Value) -> Vec<u8> {
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zipped.write_all(text.to_string().as_bytes()).unwrap();
    zipped.finish().unwrap()
}

fn date(day: i64) -> jiff::civil::Date {
    jiff::civil::date(2026, 8, 1)
        .checked_add(jiff::Span::new().days(day))
        .unwrap()
}

/// Path of the log of a region and day.
fn log(region: &str, day: i64) -> String {
    let (folder, stamp) = (date(day).strftime("%Y/%m/%d"), date(day).strftime("%Y%m%d"));
    format!(
        "AWSLogs/{ACCOUNT}/CloudTrail/{region}/{folder}/{ACCOUNT}_CloudTrail_{region}_{stamp}T0305Z_abcdefghijklmnop.json.gz"
    )
}

fn put(place: &Place, path: &str, bytes: &[u8]) {
    let folder = place.logs().join(path);
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    place.write(path, bytes);
}

/// Calls of `base` on a day in a region.
fn records(region: &str, day: i64) -> Value {
    let index = i64::from(region == "us-east-1");
    let events = [(0, "DescribeVpcs"), (1, "CreateTags")].map(|(call, name)| {
        let id = day * 4 + index * 2 + call;
        event(id, day, region, ("base", "ec2.amazonaws.com", name), &json!({}))
    });
    json!({"Records": events})
}

/// The digest of the hour in which the log of a day was delivered.
fn put_digest(place: &Place, region: &str, day: i64) {
    let (folder, stamp) = (date(day).strftime("%Y/%m/%d"), date(day).strftime("%Y%m%d"));
    let path = format!(
        "AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/{folder}/{ACCOUNT}_CloudTrail-Digest_{region}_t_us-east-1_{stamp}T040000Z.json.gz"
    );
    let digest = json!({
        "awsAccountId": ACCOUNT, "digestStartTime": format!("{}T03:00:00Z", date(day)),
        "digestEndTime": format!("{}T04:00:00Z", date(day)), "digestS3Bucket": "b", "digestS3Object": path,
        "digestPublicKeyFingerprint": "f", "digestSignatureAlgorithm": "SHA256withRSA", "previousDigestSignature": null,
        "previousDigestS3Bucket": null, "previousDigestS3Object": null, "newestEventTime": null, "oldestEventTime": null,
        "logFiles": [{"s3Bucket": "b", "s3Object": log(region, day), "hashValue": "aa", "hashAlgorithm": "SHA-256",
            "newestEventTime": null, "oldestEventTime": null}],
    });
    put(place, &path, &zipped(&digest));
}

/// A store with the logs of two regions, of which those of one were copied for so many days; its digests for all.
fn copied(days: i64) -> Estate {
    let place = Place::new();
    for day in 0..DAYS {
        put(&place, &log("us-east-1", day), &zipped(&records("us-east-1", day)));
        if day < days {
            put(&place, &log("eu-west-1", day), &zipped(&records("eu-west-1", day)));
        }
        put_digest(&place, "eu-west-1", day);
    }
    let ended = place.ingest(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    std::fs::create_dir(place.folder().join("iam")).unwrap();
    let estate = Estate { place };
    estate.file("a.json", &page(&[role("r", &vpcs()), role("base", &vpcs())], None));
    estate.import_all();
    estate
}

#[test]
fn logs_that_digests_name_and_that_were_never_copied_are_lost_for_diff_as_for_coverage() {
    let missing_days = |estate: &Estate| {
        let ended = estate.run(&["coverage", "--region", "eu-west-1", "--output", "json"]);
        let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        let is_missing = |row: &&Value| row["reason"].as_str().unwrap_or_default().contains("log-missing");
        rows.iter().filter(is_missing).count()
    };
    let whole = copied(DAYS);
    assert_eq!(missing_days(&whole), 0);
    let row = |verdict: &str| ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|action| format!("r {action} {verdict}"));
    assert_eq!(whole.verdicts().0, row("unused"));
    let cut_off = copied(20);
    assert_eq!(missing_days(&cut_off), 20);
    let (verdicts, _) = cut_off.verdicts();
    assert!(verdicts.iter().all(|row| row.contains(" unknown ")), "{verdicts:?}");
    let lost = |estate: &Estate| estate.place.sql("select lost_hours from log_coverage()");
    assert_eq!(lost(&whole), [json!({"lost_hours": 0})]);
    assert_eq!(lost(&cut_off), [json!({"lost_hours": 20})]);
}

#[test]
fn digests_that_cannot_be_read_are_no_lost_logs() {
    let estate = copied(DAYS);
    for day in 0..DAYS {
        let (folder, stamp) = (date(day).strftime("%Y/%m/%d"), date(day).strftime("%Y%m%d"));
        for hour in [10, 11] {
            let path = format!(
                "AWSLogs/{ACCOUNT}/CloudTrail-Digest/us-east-1/{folder}/{ACCOUNT}_CloudTrail-Digest_us-east-1_t_us-east-1_{stamp}T{hour}0000Z.json.gz"
            );
            put(&estate.place, &path, b"no gzip");
        }
    }
    let ended = estate.place.ingest(&[]);
    assert_eq!(ended.code, 4, "{ended:?}");
    let (verdicts, _) = estate.verdicts();
    assert_eq!(
        verdicts,
        ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|action| format!("r {action} unused"))
    );
}

#[test]
fn object_that_was_read_in_the_end_is_not_lost_and_one_without_account_is_lost_for_all() {
    let place = Place::new();
    for day in 0..DAYS {
        let content = zipped(&records("us-east-1", day));
        put(&place, &log("us-east-1", day), &content);
    }
    let (path, good) = (log("eu-west-1", 5), zipped(&records("eu-west-1", 5)));
    let lost = |code: i32| {
        assert_eq!(place.ingest(&[]).code, code);
        place.sql("select lost_hours from log_coverage()")
    };
    put(&place, &path, good.get(..good.len() / 2).unwrap());
    put(&place, "cut.json.gz", good.get(..good.len() / 3).unwrap());
    assert_eq!(lost(4), [json!({"lost_hours": 2})]);
    put(&place, &path, good.get(..good.len() / 2 + 1).unwrap());
    assert_eq!(lost(4), [json!({"lost_hours": 2})]);
    put(&place, &path, &good);
    assert_eq!(lost(0), [json!({"lost_hours": 1})]);
}

#[test]
fn keys_are_judged_up_to_their_report_by_diff_and_by_the_question_alike() {
    let user = format!("arn:aws:iam::{ACCOUNT}:user/u");
    let report = format!(
        "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,access_key_1_active,\
         access_key_1_last_rotated,access_key_1_last_used_date\nu,{user},2025-01-01T00:00:00+00:00,false,N/A,N/A,false,true,\
         2025-01-01T00:00:00+00:00,2026-07-01T00:00:00+00:00\n"
    );
    let unused = |events: &[Value], taken_at: &str| {
        let estate = Estate::new(events);
        let path = estate.place.folder().join("report.csv");
        std::fs::write(&path, &report).unwrap();
        assert_eq!(estate.import(&path, taken_at).code, 0);
        let sarif: Value = serde_json::from_str(&estate.run(&["diff", "--output", "sarif"]).stdout).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
        let found = results.filter(|result| result["ruleId"] == "unused-access-key").count();
        let asked = estate.place.rows(&["query", "unused-keys"]);
        let told = asked.iter().filter(|row| row["verdict"] == "unused").count();
        assert_eq!(found, told, "{asked:?}");
        found
    };
    assert_eq!(unused(&everyday(), "2026-07-31"), 0);
    assert_eq!(unused(&everyday(), "2026-08-25"), 0);
    assert_eq!(unused(&everyday(), "2026-09-05"), 1);
    assert_eq!(unused(&everyday(), "2026-09-15"), 1);
    let one_region: Vec<Value> = everyday()
        .into_iter()
        .filter(|event| event["awsRegion"] == "us-east-1")
        .collect();
    assert_eq!(unused(&one_region, "2026-09-15"), 0);
}

#[test]
fn gate_does_not_pass_an_account_whose_logs_can_prove_nothing_unused() {
    let gate = |events: Vec<Value>, statements: &Value| {
        let estate = Estate::new(&events);
        let roles = [role("r", statements), role("base", &json!([]))];
        estate.file("a.json", &page(&roles, None));
        assert_eq!(estate.import_all().code, 0);
        let ended = estate.run(&["diff", "--fail-on", "unused", "--fail-on", "never-used-role"]);
        (ended.code, ended.stderr.replace("\n  ", " "))
    };
    assert_eq!(gate(everyday(), &vpcs()).0, 3);
    let without = |is_left_out: &dyn Fn(&Value) -> bool| {
        let mut events = everyday();
        events.retain(|event| !is_left_out(event));
        gate(events, &vpcs())
    };
    let at = |event: &Value| event["eventTime"].as_str().unwrap_or_default().to_owned();
    let is_writing = |event: &Value| event["readOnly"] == false;
    let is_home = |event: &Value| event["awsRegion"] == "us-east-1";
    for (is_left_out, reason) in [
        (
            &is_writing as &dyn Fn(&Value) -> bool,
            "no write management events are recorded",
        ),
        (
            &|event: &Value| is_writing(event) && at(event).as_str() > "2026-08-20",
            "the last of the write management events",
        ),
        (
            &|event: &Value| is_home(event) && at(event).as_str() > "2026-08-25",
            "the logs of us-east-1 hold nothing of",
        ),
    ] {
        let (code, told) = without(is_left_out);
        assert_eq!(code, 4, "{told}");
        assert!(
            told.contains("cannot prove anything unused") && told.contains(ACCOUNT) && told.contains(reason),
            "{told}"
        );
    }
    // Whoever has nothing but uses needs no proof.
    let nothing = json!([]);
    assert_eq!(gate(everyday(), &nothing).0, 0);
}
