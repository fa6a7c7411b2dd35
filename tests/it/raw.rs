//! `read_cloudtrail`: raw log files as a table, without a store.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use trimtrail::decode::gzip;
use trimtrail::query::QuerySession;
use trimtrail::query::SessionOptions;

use crate::support::process;
use crate::support::text::rows;

fn session() -> QuerySession {
    QuerySession::new(None, &SessionOptions::new(2, 0), None).unwrap()
}

fn record(time: &str, id: &str) -> String {
    format!(
        "{{\"eventVersion\":\"1.08\",\"userIdentity\":{{\"type\":\"Root\",\"accountId\":\"111111111111\"}},\
         \"eventTime\":\"{time}\",\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"ListBuckets\",\
         \"awsRegion\":\"eu-west-1\",\"requestParameters\":{{\"maxBuckets\":1.0}},\"responseElements\":null,\
         \"eventID\":\"{id}\",\"readOnly\":true,\"recipientAccountId\":\"111111111111\"}}"
    )
}

fn deliver(folder: &Path, day: &str, name: &str, content: &[u8]) {
    let place = folder.join("AWSLogs/111111111111/CloudTrail/eu-west-1").join(day);
    fs::create_dir_all(&place).unwrap();
    let stamp = day.replace('/', "");
    let file = format!("111111111111_CloudTrail_eu-west-1_{stamp}T0000Z_{name}.json.gz");
    fs::write(place.join(file), content).unwrap();
}

/// Two good objects of two days, and a file that is no log.
fn logs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let object = |records: &str| gzip::compress(format!("{{\"Records\":[{records}]}}").as_bytes());
    let first = [
        record("2026-10-01T08:00:00Z", "e1"),
        record("2026-10-01T09:00:00Z", "e2"),
    ]
    .join(",");
    deliver(folder.path(), "2026/10/01", "aaaaaaaaaaaaaaaa", &object(&first));
    deliver(
        folder.path(),
        "2026/10/03",
        "bbbbbbbbbbbbbbbb",
        &object(&record("2026-10-03T08:00:00Z", "e3")),
    );
    fs::write(folder.path().join("README.md"), "where these logs come from").unwrap();
    folder
}

fn from(folder: &TempDir, select: &str) -> String {
    format!("{select} from read_cloudtrail('{}')", folder.path().display())
}

#[tokio::test]
async fn events_of_all_objects_are_read_with_the_columns_of_the_store() {
    let folder = logs();
    let sql = from(
        &folder,
        "select event_date, event_id, request_parameters, principal_type, record_index",
    );
    assert_eq!(
        rows(&session(), &format!("{sql} order by event_id"), &[])
            .await
            .unwrap(),
        [
            "2026-10-01|e1|{\"maxBuckets\":1.0}|root|0",
            "2026-10-01|e2|{\"maxBuckets\":1.0}|root|1",
            "2026-10-03|e3|{\"maxBuckets\":1.0}|root|0",
        ]
    );
}

#[tokio::test]
async fn rows_are_counted_without_reading_a_column() {
    let folder = logs();
    assert_eq!(
        rows(&session(), &from(&folder, "select count(*)"), &[]).await.unwrap(),
        ["3"]
    );
}

#[tokio::test]
async fn a_single_file_can_be_named() {
    let folder = logs();
    let day = folder
        .path()
        .join("AWSLogs/111111111111/CloudTrail/eu-west-1/2026/10/03");
    let file = fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    let sql = format!("select event_id from read_cloudtrail('{}')", file.display());
    assert_eq!(rows(&session(), &sql, &[]).await.unwrap(), ["e3"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_left_out_and_named() {
    let folder = logs();
    let object = |records: &str| gzip::compress(format!("{{\"Records\":[{records}]}}").as_bytes());
    let whole = object(&record("2026-11-20T08:00:00Z", "e4"));
    deliver(
        folder.path(),
        "2026/11/20",
        "cccccccccccccccc",
        &whole[..whole.len() / 2],
    );
    let bad_record = [record("2026-11-21T08:00:00Z", "e5"), "{\"eventVersion\":1e}".to_owned()].join(",");
    deliver(folder.path(), "2026/11/21", "dddddddddddddddd", &object(&bad_record));
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link.json")).unwrap();
    let session = session();
    let sql = format!("{} order by event_id", from(&folder, "select event_id"));
    assert_eq!(rows(&session, &sql, &[]).await.unwrap(), ["e1", "e2", "e3", "e5"]);
    let skipped = session.take_skipped();
    let named: Vec<String> = skipped
        .named
        .iter()
        .map(|(place, reason)| format!("{} {reason}", place.rsplit('_').next().unwrap()))
        .collect();
    assert_eq!(named.len(), 3, "{named:?}");
    assert!(
        named[0].contains("link.json cannot be listed: symbolic links"),
        "{named:?}"
    );
    assert!(
        named[1].contains("cccccccccccccccc.json.gz is left out: gzip stream ends"),
        "{named:?}"
    );
    assert!(
        named[2].contains("dddddddddddddddd.json.gz is read in part: record 1"),
        "{named:?}"
    );
    let sql = format!("{} where event_time < '2026-10-03'", from(&folder, "select event_id"));
    rows(&session, &sql, &[]).await.unwrap();
    assert_eq!(
        session.take_skipped().named.len(),
        1,
        "only the link concerns the second query"
    );
}

#[test]
fn query_over_a_folder_with_a_corrupt_object_answers_warns_and_is_incomplete() {
    let folder = logs();
    deliver(folder.path(), "2026/11/20", "cccccccccccccccc", b"\x1f\x8bbroken");
    let run = process::run(
        Path::new("no-store"),
        &["sql", &from(&folder, "select count(*) as n"), "--output", "csv"],
    );
    assert_eq!((run.code, run.stdout.as_str()), (4, "n\n3\n"), "{}", run.stderr);
    assert!(
        run.stderr.contains("warning: `file://") && run.stderr.contains("cccccccccccccccc.json.gz"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn objects_delivered_before_the_window_or_long_after_it_are_not_opened() {
    let folder = logs();
    // Opening either of these would be noted.
    deliver(folder.path(), "2026/09/28", "dddddddddddddddd", b"broken");
    deliver(folder.path(), "2026/11/20", "eeeeeeeeeeeeeeee", b"broken");
    let session = session();
    for filter in [
        "event_time >= '2026-10-01T00:00:00Z' and event_time < '2026-10-03T00:00:00Z'",
        "event_date between date '2026-10-01' and date '2026-10-02'",
    ] {
        let sql = format!("{} where {filter} order by event_id", from(&folder, "select event_id"));
        assert_eq!(rows(&session, &sql, &[]).await.unwrap(), ["e1", "e2"], "{filter}");
        assert!(session.take_skipped().is_empty());
    }
    rows(&session, &from(&folder, "select event_id"), &[]).await.unwrap();
    assert_eq!(session.take_skipped().named.len(), 2);
}

#[tokio::test]
async fn an_event_that_was_delivered_late_is_found() {
    let folder = logs();
    let late = gzip::compress(format!("{{\"Records\":[{}]}}", record("2026-10-02T08:00:00Z", "e4")).as_bytes());
    deliver(folder.path(), "2026/10/25", "ffffffffffffffff", &late);
    let sql = format!(
        "{} where event_date = date '2026-10-02'",
        from(&folder, "select event_id")
    );
    assert_eq!(rows(&session(), &sql, &[]).await.unwrap(), ["e4"]);
}

#[tokio::test]
async fn a_limit_stops_the_reading() {
    let folder = logs();
    assert_eq!(
        rows(&session(), &format!("{} limit 1", from(&folder, "select 1")), &[])
            .await
            .unwrap(),
        ["1"]
    );
}

#[tokio::test]
async fn paths_that_cannot_be_read_are_named() {
    for (argument, message) in [
        ("'/no/such/folder'", "/no/such/folder"),
        ("'s3://bucket/AWSLogs'", "s3://bucket/AWSLogs"),
        ("1", "write `read_cloudtrail('folder, file or s3://bucket/prefix')`"),
        ("", "write `read_cloudtrail('folder, file or s3://bucket/prefix')`"),
    ] {
        let sql = format!("select event_id from read_cloudtrail({argument})");
        let error = rows(&session(), &sql, &[]).await.unwrap_err().to_string();
        assert!(error.contains(message), "{argument}: {error}");
    }
}
