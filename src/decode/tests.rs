//! What goes in comes out: whole objects through the decoder and back.

#![allow(clippy::string_slice, clippy::unwrap_in_result, reason = "tests")]

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::datatypes::Int32Type;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::schema::EVENT_COLUMNS;

mod damage;
mod properties;

const RECORD: &str = r#"{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:i-0abc","arn":"arn:aws:sts::111122223333:assumed-role/web/i-0abc","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/app/web","accountId":"111122223333","userName":"web"},"webIdFederationData":{},"attributes":{"creationDate":"2026-09-01T00:00:00Z","mfaAuthenticated":"false"},"ec2RoleDelivery":"2.0"}},"eventTime":"2026-09-01T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","userAgent":"[aws-cli]","requestParameters":{"bucketName":"b","key":"k \"q\""},"responseElements":null,"additionalEventData":{"bytesTransferredIn":0.0,"x":1.688560107857E9},"requestID":"R","eventID":"11111111-1111-1111-1111-111111111111","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256"}}"#;

fn decode_with(limits: Limits, object: &[u8]) -> (Outcome, RecordBatch) {
    let mut rows = RowBuffer::new(EventKeys::default());
    let never = |_: &mut RowBuffer| Ok::<(), std::convert::Infallible>(());
    let outcome = Decoder::new(limits)
        .decode("file:///object", object, &mut rows, never)
        .unwrap();
    assert_eq!(outcome.records, outcome.rows + outcome.rejected, "balance");
    assert_eq!(outcome.rejects.len() as u64, kept_rejects(outcome.rejected), "rejects");
    assert_eq!(outcome.rows, rows.rows() as u64);
    (outcome, rows.to_batch().unwrap())
}

fn decode(object: &[u8]) -> (Outcome, RecordBatch) {
    decode_with(Limits::default(), object)
}

fn rendered(batch: &RecordBatch) -> Vec<String> {
    let records = render::records(batch.columns()).unwrap();
    records.iter().map(|record| record.unwrap().to_owned()).collect()
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let array = arrow::compute::cast(batch.column_by_name(column).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
    let array = array.as_string::<i32>();
    array.is_valid(row).then(|| array.value(row).to_owned())
}

/// JSON text with sorted members; numbers keep their text.
fn canonical(text: &str) -> String {
    let mut out = String::new();
    write_canonical(text, &mut out);
    out
}

fn write_canonical(text: &str, out: &mut String) {
    let trimmed = text.trim();
    match trimmed.as_bytes()[0] {
        b'{' => {
            let mut members = Vec::new();
            scan::Scanner::new(trimmed)
                .members(|key, _, raw| members.push((key.into_owned(), canonical(raw))))
                .unwrap();
            members.sort();
            out.push_str(&format!("{members:?}"));
        }
        b'[' => {
            let mut elements = Vec::new();
            scan::Scanner::new(trimmed)
                .elements(|_, raw| elements.push(canonical(raw)))
                .unwrap();
            out.push_str(&format!("{elements:?}"));
        }
        b'"' => out.push_str(&format!("{:?}", scan::string_content(trimmed).unwrap())),
        _ => out.push_str(trimmed),
    }
}

fn assert_round_trip(record: &str) {
    let (outcome, batch) = decode(format!("{{\"Records\":[{record}]}}").as_bytes());
    assert_eq!(outcome.rejects, [], "{record}");
    let [back] = rendered(&batch).try_into().unwrap();
    assert_eq!(canonical(&back), canonical(record), "\n{back}\n{record}");
}

fn numbered_lines(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| RECORD.replace("\"requestID\":\"R\"", &format!("\"requestID\":\"R{number}\"")))
        .collect()
}

fn request_ids(batch: &RecordBatch) -> Vec<String> {
    let column = batch.column_by_name("request_id").unwrap();
    let column = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).unwrap();
    let mut ids: Vec<String> = column.as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    ids.sort();
    ids
}

#[test]
fn real_shape_fills_the_columns_and_round_trips() {
    assert_round_trip(RECORD);
    let (_, batch) = decode(RECORD.as_bytes());
    for (column, wanted) in [
        ("principal_arn", "arn:aws:iam::111122223333:role/app/web"),
        ("principal_type", "role"),
        ("session_name", "i-0abc"),
        ("credential_kind", "temporary"),
        ("serving_region", "eu-west-1"),
        ("request_parameters", r#"{"bucketName":"b","key":"k \"q\""}"#),
        ("session_ec2_role_delivery", "2.0"),
        ("tls_version", "TLSv1.3"),
        ("object_key", "file:///object"),
    ] {
        assert_eq!(text(&batch, column, 0).as_deref(), Some(wanted), "{column}");
    }
    assert_eq!(text(&batch, "raw_record", 0), None);
    assert_eq!(text(&batch, "extra", 0), None);
}

#[test]
fn every_envelope_and_layout_gives_the_same_record() {
    // `serde_json`, which lays the envelopes out here, rewrites exponents.
    let plain = RECORD.replacen("1.688560107857E9", "1688560107.5", 1);
    let record: Value = serde_json::from_str(&plain).unwrap();
    let lookup =
        json!({"Events": [{"EventId": "x", "EventName": "GetObject", "CloudTrailEvent": plain}], "NextToken": "n"});
    let bridge =
        json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": record});
    let envelopes = [lookup.to_string(), bridge.to_string()].map(|text| decode(text.as_bytes()).0.kind);
    assert_eq!(envelopes, [ObjectKind::Excerpt; 2]);
    let layouts = [
        plain.clone(),
        format!("[{plain}]"),
        format!("{{\"Records\":[{plain}]}}"),
        format!("\u{20}{{ \"Owner\" : {{}} , \"Records\" : [ {plain} ] }}\n"),
        serde_json::to_string_pretty(&json!({"Records": [record]})).unwrap(),
        lookup.to_string(),
        serde_json::to_string_pretty(&lookup).unwrap(),
        bridge.to_string(),
        format!("{bridge}\n"),
    ];
    for layout in layouts {
        for object in [layout.clone().into_bytes(), gzip::compress(layout.as_bytes())] {
            let (outcome, batch) = decode(&object);
            assert_eq!((outcome.rows, outcome.rejects.len()), (1, 0), "{layout}");
            assert_eq!(canonical(&rendered(&batch)[0]), canonical(&plain), "{layout}");
            assert!(outcome.sha256.is_some());
        }
    }
}

#[test]
fn oddities_round_trip() {
    let with = |name: &str, raw: &str| {
        let mut record = RECORD.to_owned();
        record.truncate(record.len() - 1);
        format!("{record},{}:{raw}}}", extra::quote(name))
    };
    for (name, raw) in [
        ("newField", r#"{"a":[1.50,{"b":1e999}]}"#),
        ("annotation", "null"),
        ("errorCode", "200"),
        ("eventName", "\"again\""),
        ("sessionCredentialFromConsole", "\"true\""),
        ("sessionCredentialFromConsole", "true"),
        ("addendum", r#"{"reason":"DELIVERY_DELAY"}"#),
        ("vpcEndpointId", "null"),
        ("insightDetails", "[]"),
        ("apiVersion", "\"\\u202f\\ud83d\\ude00\""),
    ] {
        assert_round_trip(&with(name, raw));
    }
    for (from, to) in [
        ("\"2026-09-01T10:00:00Z\"", "\"2026-09-01 10:00:00\""),
        ("\"2026-09-01T10:00:00Z\"", "null"),
        ("\"2026-09-01T10:00:00Z\"", "1688560107"),
        ("\"readOnly\":true", "\"readOnly\":\"false\""),
        ("\"mfaAuthenticated\":\"false\"", "\"mfaAuthenticated\":false"),
        (
            "\"creationDate\":\"2026-09-01T00:00:00Z\"",
            "\"creationDate\":\"Sep 1, 2026\"",
        ),
        (
            "\"webIdFederationData\":{}",
            "\"webIdFederationData\":{\"federatedProvider\":\"p\",\"attributes\":{}}",
        ),
        ("\"type\":\"AssumedRole\",", ""),
        (
            "\"type\":\"AssumedRole\",",
            "\"type\":7,\"inScopeOf\":{},\"onBehalfOf\":{\"userId\":\"u\",\"x\":{}},",
        ),
        (
            "\"requestParameters\":{",
            "\"requestParameters\":\"{\\\"a\\\":1}\",\"x\":{",
        ),
        ("\"requestParameters\":{", "\"requestParameters\":\"null\",\"x\":{"),
        ("{\"type\":\"AWS::S3::Object\"", "\"odd\",{\"type\":\"AWS::S3::Object\""),
        ("\"tlsDetails\":{", "\"tlsDetails\":{\"fips\":true,"),
        ("\"tlsDetails\":{", "\"tlsDetails\":\"-\",\"y\":{"),
        (
            "\"accountId\":\"111122223333\",\"accessKeyId\"",
            "\"accountId\":\"1\",\"accountId\":\"2\",\"accessKeyId\"",
        ),
        ("\"userIdentity\":{", "\"userIdentity\":null,\"z\":{"),
        ("\"userIdentity\":{", "\"userIdentity\":\"root\",\"z\":{"),
        ("\"key\":\"k", "\"bucketname\":\"case\",\"key\":\"k"),
    ] {
        assert!(RECORD.contains(from), "{from}");
        assert_round_trip(&RECORD.replacen(from, to, 1));
    }
}

#[test]
fn members_that_are_named_twice_round_trip_whatever_their_values() {
    for (from, to) in [
        ("\"arn\":\"arn:aws:sts", "\"arn\":null,\"arn\":\"arn:aws:sts"),
        (
            "\"webIdFederationData\":{}",
            "\"webIdFederationData\":null,\"webIdFederationData\":{}",
        ),
        (
            "\"webIdFederationData\":{}",
            "\"attributes\":7,\"webIdFederationData\":{}",
        ),
        (
            "\"type\":\"AssumedRole\",",
            "\"inScopeOf\":null,\"type\":\"AssumedRole\",\"inScopeOf\":{},",
        ),
        ("\"tlsDetails\":{", "\"tlsDetails\":{\"tlsVersion\":null,"),
    ] {
        assert!(RECORD.contains(from), "{from}");
        assert_round_trip(&RECORD.replacen(from, to, 1));
    }
}

#[test]
fn numbers_that_no_machine_type_holds_are_stored() {
    for number in ["1e999", "123456789012345678901234567890", "-0", "18446744073709551616"] {
        assert_round_trip(&RECORD.replacen("1.688560107857E9", number, 1));
    }
}

#[test]
fn object_larger_than_the_window_is_decoded_whole_and_spilled() {
    let record = |index: usize| RECORD.replacen("\"R\"", &format!("\"request-{index}\""), 1);
    let records: Vec<String> = (0..16_000).map(record).collect();
    let object = gzip::compress(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes());
    let mut rows = RowBuffer::new(EventKeys::default());
    let mut spilled = 0;
    let spill = |rows: &mut RowBuffer| {
        spilled += rows.rows();
        rows.clear();
        Ok::<(), std::convert::Infallible>(())
    };
    let outcome = Decoder::new(Limits::default())
        .decode("k", &object, &mut rows, spill)
        .unwrap();
    assert_eq!((outcome.rows, outcome.rejects.len(), outcome.fault), (16_000, 0, None));
    assert!(spilled > 0 && spilled + rows.rows() == 16_000);
    let batch = rows.to_batch().unwrap();
    assert_eq!(
        text(&batch, "request_id", batch.num_rows() - 1).as_deref(),
        Some("request-15999")
    );
    assert_eq!(text(&batch, "object_key", 0).as_deref(), Some("k"));
}

#[test]
fn cleared_buffer_gives_the_rows_of_a_new_one() {
    let never = |_: &mut RowBuffer| Ok::<(), std::convert::Infallible>(());
    let mut decoder = Decoder::new(Limits::default());
    let mut rows = RowBuffer::new(EventKeys::default());
    let other = RECORD
        .replace("\"type\":\"AssumedRole\"", "\"new\":{},\"type\":\"IAMUser\"")
        .replace("TLSv1.3", "TLSv1.2")
        .replace(
            "\"responseElements\":null",
            "\"responseElements\":{\"a\":1},\"other\":2,\"other\":3",
        )
        .replace("eu-west-1", "us-east-1")
        .replacen("s3.amazonaws.com", "lambda.amazonaws.com", 1)
        .replacen("GetObject", "CreateFunction20150331", 1)
        .replacen(
            "\"bucketName\":\"b\"",
            "\"role\":\"arn:aws:iam::111122223333:role/x\"",
            1,
        );
    let sparse = r#"{"eventVersion":"1.08","eventName":"A","eventSource":"b","eventTime":"2026-09-02T10:00:00Z"}"#;
    for record in [RECORD, &other, sparse, "{}", RECORD, &other] {
        let object = format!("{{\"Records\":[{record},{record}]}}");
        decoder
            .decode("file:///object", object.as_bytes(), &mut rows, never)
            .unwrap();
        assert_eq!(rows.to_batch().unwrap(), decode(object.as_bytes()).1, "{record}");
        rows.clear();
        assert_eq!((rows.rows(), rows.bytes()), (0, 0));
    }
}

#[test]
fn object_that_comes_as_a_stream_gives_the_same_rows_and_outcome() {
    let record = |index: usize| RECORD.replacen("\"R\"", &format!("\"request-{index}\""), 1);
    let records: Vec<String> = (0..7000).map(record).collect();
    let text = format!("{{\"Records\": [{}]}}", records.join(", "));
    let cut = &text[..text.len() / 2];
    for object in [
        gzip::compress(text.as_bytes()),
        text.clone().into_bytes(),
        gzip::compress(cut.as_bytes()),
    ] {
        let (outcome, batch) = decode(&object);
        let mut rows = RowBuffer::new(EventKeys::default());
        let never = |_: &mut RowBuffer| Ok::<(), std::convert::Infallible>(());
        let streamed = Decoder::new(Limits::default())
            .decode_stream("file:///object", object.as_slice(), &mut rows, never)
            .unwrap();
        assert!(streamed.rows > 3000);
        assert_eq!(streamed, outcome);
        assert_eq!(rows.to_batch().unwrap(), batch);
    }
}

#[test]
fn kinds_are_told_from_content() {
    let record = |category: &str| RECORD.replacen("\"Data\"", &format!("\"{category}\""), 1);
    let digest = r#"{"awsAccountId":"1","digestStartTime":"a","digestEndTime":"b","digestS3Object":"c","logFiles":[]}"#;
    let aggregate = r#"[{"eventVersion":"1.0","eventCategory":"Aggregated","timeWindow":{},"summary":{},"eventSource":"s3.amazonaws.com","eventType":"AwsAggregatedEvent"}]"#;
    for (text, kind, rows) in [
        (
            format!("{{\"Records\":[{}]}}", record("Insight")),
            ObjectKind::Insight,
            1,
        ),
        (
            format!("{{\"Records\":[{}]}}", record("NetworkActivity")),
            ObjectKind::NetworkActivity,
            1,
        ),
        (digest.to_owned(), ObjectKind::Digest, 0),
        (aggregate.to_owned(), ObjectKind::Aggregated, 0),
        ("{\"Records\":[]}".to_owned(), ObjectKind::Events, 0),
    ] {
        let (outcome, _) = decode(text.as_bytes());
        assert_eq!(
            (outcome.kind, outcome.rows, outcome.fault),
            (kind, rows, None),
            "{text}"
        );
        let kept = (kind == ObjectKind::Digest).then_some(text);
        assert_eq!(outcome.digest_text, kept);
    }
    for text in [
        "",
        "hello",
        "{}",
        "{\"Records\":[{\"s3\":{}}]}",
        "\u{1f}\u{8b}",
        "[1,2]",
        "2 111122223333 eni-1 ACCEPT",
    ] {
        let (outcome, _) = decode(text.as_bytes());
        assert_eq!((outcome.kind, outcome.rows), (ObjectKind::Unknown, 0), "{text}");
    }
}

#[test]
fn rows_are_sorted_by_account_principal_and_time_within_days() {
    let record = |account: &str, time: &str| {
        RECORD
            .replacen(
                "\"recipientAccountId\":\"111122223333\"",
                &format!("\"recipientAccountId\":\"{account}\""),
                1,
            )
            .replacen("2026-09-01T10:00:00Z", time, 1)
    };
    let records = [
        record("2", "2026-09-02T00:00:00Z"),
        record("2", "2026-09-01T02:00:00Z"),
        record("1", "2026-09-01T03:00:00Z"),
        record("2", "2026-09-01T01:00:00Z"),
        record("1", "bad time"),
    ];
    let mut rows = RowBuffer::new(EventKeys::default());
    let never = |_: &mut RowBuffer| Ok::<(), std::convert::Infallible>(());
    let object = format!("[{}]", records.join(","));
    let outcome = Decoder::new(Limits::default())
        .decode("k", object.as_bytes(), &mut rows, never)
        .unwrap();
    assert_eq!(outcome.without_time, 1);
    let mut days = Vec::new();
    rows.for_each_day(&[true; 5], |day| {
        days.push(day);
        Ok::<(), arrow::error::ArrowError>(())
    })
    .unwrap();
    let dates: Vec<Option<i32>> = days.iter().map(|day| day.event_date).collect();
    assert_eq!(dates, [None, Some(20_697), Some(20_698)]);
    let indexes: Vec<i64> = days[1].batch["record_index"]
        .as_primitive::<arrow::datatypes::Int64Type>()
        .values()
        .to_vec();
    assert_eq!(indexes, [2, 3, 1]);
    let accounts = days[1].batch["recipient_account_id"].as_dictionary::<Int32Type>();
    assert_eq!(
        accounts
            .downcast_dict::<StringArray>()
            .unwrap()
            .into_iter()
            .flatten()
            .collect::<Vec<_>>(),
        ["1", "2", "2"]
    );
}

#[test]
fn columns_come_in_the_order_and_types_of_the_schema() {
    let (_, batch) = decode(RECORD.as_bytes());
    assert_eq!(batch.num_columns(), EVENT_COLUMNS.len());
    assert_eq!(batch.schema(), crate::schema::events_file());
}

#[test]
fn records_with_known_identities_keep_their_text_and_place() {
    let identity =
        r#""userIdentity":{"type":"AWSService","invokedBy":"config.amazonaws.com"},"eventTime":"2026-01-02T03:04:05Z""#;
    let record = |rest: &str| format!(r#"{{"eventVersion":"1.11",{identity},"eventName":"A"{rest}}}"#);
    let records = [
        record(r#","requestParameters":{"a":1.0},"new":[1, 2]"#),
        record(&format!(
            r#","requestParameters":{{"copy":{{{identity}}}}},"responseElements":{{"b":"\u00fc"}}"#
        )),
        record(r#","eventName":"B""#),
        "7".to_owned(),
        record(r#","responseElements":{"c":null}"#),
    ];
    let object = format!("{{\"Records\":[{}]}}", records.join(","));
    let mut decoder = Decoder::new(Limits::default());
    let mut rows = RowBuffer::new(EventKeys::default());
    let never = |_: &mut RowBuffer| Ok::<(), std::convert::Infallible>(());
    let outcomes = [(); 2].map(|()| decoder.decode("k", object.as_bytes(), &mut rows, never).unwrap());
    for outcome in outcomes {
        let [reject] = outcome.rejects.as_slice() else {
            panic!("{outcome:?}")
        };
        let place = usize::try_from(reject.byte_offset).unwrap();
        assert_eq!(&object[place - 2..place + 2], "},7,");
    }
    let batch = rows.to_batch().unwrap();
    let (first, second) = (batch.slice(0, 4), batch.slice(4, 4));
    assert_eq!(rendered(&first), rendered(&second));
    let wanted = records
        .iter()
        .filter(|record| *record != "7")
        .map(|record| canonical(record));
    let found: Vec<String> = rendered(&second).iter().map(|record| canonical(record)).collect();
    assert_eq!(found, wanted.collect::<Vec<_>>());
    let raw = |row| text(&batch, "raw_record", row);
    assert_eq!([raw(2), raw(6)], [Some(records[2].clone()), Some(records[2].clone())]);
}

#[test]
fn texts_left_to_the_caller_are_those_that_the_hash_is_of() {
    let log = format!("{{\"Records\":[{RECORD}]}}");
    let marked = format!("\u{feff}{log}");
    let damaged = format!("{{\"Records\":[{RECORD},{{\"eventVersion\":}}]}}");
    let mut cut = gzip::compress(log.as_bytes());
    cut.truncate(cut.len() - 20);
    let objects = [
        (gzip::compress(log.as_bytes()), true),
        (cut, false),
        (gzip::compress(marked.as_bytes()), false),
        (gzip::compress(damaged.as_bytes()), false),
        (log.into_bytes(), false),
        (Vec::new(), false),
        (gzip::compress(b"{}"), true),
    ];
    let mut decoder = Decoder::new(Limits::default());
    let mut rows = RowBuffer::new(EventKeys::default());
    for (object, is_left) in objects.iter().chain(&objects) {
        let never = |_: &mut RowBuffer| Ok::<(), std::convert::Infallible>(());
        let alone = decode(object).0.sha256;
        let decoded = decoder.decode_unhashed("k", object, &mut rows, never).unwrap();
        assert_eq!(decoded.unhashed.is_some(), *is_left);
        let hash = match decoded.unhashed {
            Some(text) => {
                assert_eq!(decoded.outcome.sha256, None);
                let mut hashes = PairedHashes::default();
                assert!(hashes.push(0, text).is_none());
                let hashed = hashes.finish().unwrap();
                decoder.reuse(hashed.text);
                Some(hashed.sha256)
            }
            None => decoded.outcome.sha256,
        };
        assert_eq!(hash, alone);
    }
}
