//! Oddities that real CloudTrail records have: stored, understood where that is possible, and given back as they were.
//!
//! `tests/data/oddities/records.jsonl` holds one record per oddity; its `eventID` says which.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use serde_json::value::RawValue;

use crate::ingest::record;
use crate::support::ingest::IngestStore;
use crate::support::json::text;

/// Records without a readable time.
const WITHOUT_TIME: u64 = 4;

/// What each oddity must give: event id, expression over its row, value as text (`-` for null).
const UNDERSTOOD: &[(&str, &str, &str)] = &[
    (
        "identity-without-type",
        "principal_type || ' ' || principal_arn",
        "service secretsmanager.amazonaws.com",
    ),
    ("identity-null", "principal_arn", "-"),
    ("identity-missing", "principal_arn", "-"),
    (
        "keys-that-differ-in-case",
        "request_parameters->'CreateFlowLogsRequest'->'TagSpecification'->>'tag'",
        "1",
    ),
    (
        "keys-that-differ-in-case",
        "request_parameters->'Tagging'->>'TagSet'",
        "",
    ),
    (
        "numbers",
        "request_parameters",
        r#"{"at":1.688560107857E9,"id":12345678901234567890123,"small":-0.0,"exp":1e-7}"#,
    ),
    (
        "numbers",
        "additional_event_data",
        r#"{"bytesTransferredIn":0.0,"bytesTransferredOut":0}"#,
    ),
    ("name-with-version", "event_name", "ListFunctions20150331"),
    ("name-with-dated-version", "serving_region", "aws-global"),
    ("name-that-is-a-url", "event_name", "https://sso.example.com/start"),
    ("time-with-space", "event_time", "2026-09-01T10:00:00Z"),
    ("time-with-millis", "event_time", "2026-09-01T10:00:00Z"),
    ("time-with-nanos", "event_time", "2026-09-01T10:00:00Z"),
    ("time-with-small-z", "event_time", "2026-09-01T10:00:00Z"),
    ("time-with-stray-blanks", "event_time", "2026-09-01T10:00:00Z"),
    ("time-of-another-zone", "event_time", "2026-09-01T10:00:00Z"),
    ("time-that-is-none", "event_time", "-"),
    ("time-null", "event_time", "-"),
    ("time-missing", "event_date", "-"),
    (
        "booleans-as-text",
        "concat(read_only, ' ', management_event)",
        "false true",
    ),
    ("booleans-as-text", "session_credential_from_console", "true"),
    (
        "booleans-as-capital-text",
        "concat(read_only, ' ', management_event)",
        "true false",
    ),
    ("console-as-boolean", "session_credential_from_console", "true"),
    ("parameters-as-text", "request_parameters->>'bucketName'", "b"),
    ("parameters-as-empty-text", "request_parameters", "-"),
    (
        "hidden-value",
        "request_parameters->>'value'",
        "HIDDEN_DUE_TO_SECURITY_REASONS",
    ),
    (
        "expiration-with-narrow-space",
        "response_elements->'credentials'->>'expiration'",
        "Feb 22, 2026, 4:11:47\u{202f}PM",
    ),
    (
        "root-session-without-issuer",
        "principal_type || ' ' || credential_kind",
        "root temporary",
    ),
    ("agent-in-brackets", "user_agent", "[S3Console/0.4, aws-internal/3]"),
    ("addresses-in-a-list", "source_ip_address", "81.2.69.142, 192.168.10.10"),
    ("address-empty", "source_ip_address", ""),
    ("text-escaped", "user_agent", "aws-cli/2"),
    ("text-escaped", "request_parameters->>'key'", "ä/\u{1f511}\u{0}\u{1b}"),
    (
        "gov-partition",
        "principal_arn || ' ' || serving_region",
        "arn:aws-us-gov:iam::111122223333:user/ann us-gov-east-1",
    ),
    ("error-code-200", "error_code", "200"),
    (
        "short-account-id",
        "recipient_account_id || ' ' || user_identity_account_id",
        "12345 my-account",
    ),
    (
        "insight",
        "event_category || ' ' || (insight_details->>'insightType')",
        "Insight ApiCallRateInsight",
    ),
    ("insight", "concat(event_name, event_source)", ""),
    (
        "fields-of-the-future",
        "principal_arn",
        "arn:aws:iam::111122223333:role/team/r",
    ),
    ("fields-of-the-future", "extra->>'annotation'", r#"{"a":[1,2.5]}"#),
    (
        "fields-of-the-future",
        "in_scope_of->>'issuerType'",
        "AWS::Lambda::Function",
    ),
    (
        "resources-of-all-forms",
        "resources[1]['arn'] || ' ' || resources[1]['account_id']",
        "arn:aws:s3:::b/k 111122223333",
    ),
    (
        "resources-of-all-forms",
        "resources[3]['arn_prefix']",
        "arn:aws:s3:::b/",
    ),
    ("resources-empty", "array_length(resources)", "0"),
    (
        "tls-with-host-only",
        "concat(tls_version, tls_client_provided_host_header)",
        "s3.amazonaws.com",
    ),
    (
        "tls-odd",
        "tls_version || ' ' || tls_key_exchange",
        "1.3 X25519MLKEM768",
    ),
];

fn oddities() -> (PathBuf, Vec<String>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/oddities/records.jsonl");
    let lines = std::fs::read_to_string(&path).unwrap();
    (path, lines.lines().map(str::to_owned).collect())
}

/// JSON in one spelling: members sorted, text unescaped, numbers as they are written.
fn spelled(json: &str) -> String {
    let json = json.trim();
    let raw = |value: &RawValue| spelled(value.get());
    match json.as_bytes()[0] {
        b'{' => {
            let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).unwrap();
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name:?}:{}", raw(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        b'[' => {
            let elements: Vec<Box<RawValue>> = serde_json::from_str(json).unwrap();
            let elements: Vec<String> = elements.iter().map(|value| raw(value)).collect();
            format!("[{}]", elements.join(","))
        }
        b'"' => format!("{:?}", serde_json::from_str::<String>(json).unwrap()),
        _ => json.to_owned(),
    }
}

#[test]
fn every_oddity_is_stored_counted_and_given_back() {
    let (path, lines) = oddities();
    let store = IngestStore::new();
    let balance = store.ingest(&[&path]);
    let count = u64::try_from(lines.len()).unwrap();
    assert_eq!(
        (balance.records, balance.stored, balance.rejected_records),
        (count, count, 0)
    );
    assert_eq!(balance.without_time, WITHOUT_TIME);
    assert!(balance.is_complete(), "{balance:?}");
    let rendered = store.sql("select record from event_records order by record_index");
    for (row, line) in rendered.iter().zip(&lines) {
        assert_eq!(spelled(&text(row, "record")), spelled(line));
    }
    assert_eq!(rendered.len(), lines.len());
}

#[test]
fn every_oddity_is_understood() {
    let (path, _) = oddities();
    let store = IngestStore::new();
    store.ingest(&[&path]);
    for (event_id, expression, wanted) in UNDERSTOOD {
        let statement = format!("select {expression} as found from events where event_id = '{event_id}'");
        let rows = store.sql(&statement);
        assert_eq!(rows.len(), 1, "{event_id}");
        let found = match &rows[0]["found"] {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(found, *wanted, "{event_id}: {expression}");
    }
}

#[test]
fn questions_see_through_the_oddities() {
    let (path, _) = oddities();
    let store = IngestStore::new();
    store.ingest(&[&path]);
    let ids = |question: &str| -> Vec<String> {
        let mut ids: Vec<String> = store
            .ask(question, &[])
            .iter()
            .map(|row| text(row, "event_id"))
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(
        ids("root-use"),
        ["root-session-without-issuer", "root-sign-in-without-mfa"]
    );
    assert_eq!(
        ids("secret-reads"),
        [
            "parameter-decrypted",
            "secret-batch-by-filters",
            "secret-by-name",
            "secret-denied-without-parameters"
        ]
    );
    let reads = store.ask("secret-reads", &[]);
    let denied = reads.iter().find(|row| row["outcome"] == "denied").unwrap();
    assert_eq!(text(denied, "secret"), "prod/hidden");
    let actions = store.ask("used-actions", &[("principal", "arn:aws:iam::111122223333:user/ann")]);
    let log_reads = actions.iter().find(|row| row["event_name"] == "Decrypt").unwrap();
    assert_eq!(log_reads["succeeded"], 2);
}

#[test]
fn the_same_records_from_two_trails_are_stored_once_and_keep_their_own_place() {
    let folder = tempfile::tempdir().unwrap();
    // The folders name another account, another region and the day after the events'.
    let records = format!("{{\"Records\":[{},{}]}}", record(1), record(2));
    for (trail, token) in [("one", "aaaaaaaaaaaaaaaa"), ("two", "bbbbbbbbbbbbbbbb")] {
        let day = folder
            .path()
            .join(trail)
            .join("AWSLogs/999988887777/CloudTrail/us-west-1/2026/09/05");
        std::fs::create_dir_all(&day).unwrap();
        let name = format!("999988887777_CloudTrail_us-west-1_20260905T0005Z_{token}.json");
        std::fs::write(day.join(name), &records).unwrap();
    }
    let store = IngestStore::new();
    let balance = store.ingest(&[folder.path()]);
    assert_eq!((balance.records, balance.stored, balance.duplicates), (4, 2, 2));
    let places = store.sql("select distinct recipient_account_id || ' ' || aws_region as place from events");
    assert_eq!(text(&places[0], "place"), "111122223333 eu-west-1");
    assert_eq!(places.len(), 1);
    let days = store.sql("select cast(event_date as varchar) as day from events order by 1");
    let days: Vec<String> = days.iter().map(|row| text(row, "day")).collect();
    assert_eq!(days, ["2026-09-02", "2026-09-03"]);
}

#[test]
fn records_in_every_envelope_are_found() {
    let event = record(7);
    let quoted = serde_json::to_string(&event).unwrap();
    let pretty: serde_json::Value = serde_json::from_str(&format!("{{\"Records\":[{event}]}}")).unwrap();
    let envelopes = [
        ("trail", format!("{{\"Records\":[{event}]}}")),
        ("pretty", serde_json::to_string_pretty(&pretty).unwrap()),
        ("array", format!("[{event}]")),
        ("lines", format!("{event}\n{}\n", record(8))),
        (
            "eventbridge",
            format!("{{\"version\":\"0\",\"detail-type\":\"AWS API Call via CloudTrail\",\"detail\":{event}}}"),
        ),
        (
            "lookup",
            format!("{{\"Events\":[{{\"EventId\":\"x\",\"CloudTrailEvent\":{quoted}}}]}}"),
        ),
    ];
    for (name, content) in envelopes {
        let folder = tempfile::tempdir().unwrap();
        let path: &Path = &folder.path().join(format!("{name}.json"));
        std::fs::write(path, content).unwrap();
        let store = IngestStore::new();
        let balance = store.ingest(&[path]);
        assert_eq!((balance.rejected_records, balance.rejected), (0, 0), "{name}");
        let rows = store.sql("select record from event_records where event_id like '%000000000007'");
        assert_eq!(rows.len(), 1, "{name}");
        assert_eq!(spelled(&text(&rows[0], "record")), spelled(&event), "{name}");
    }
}
