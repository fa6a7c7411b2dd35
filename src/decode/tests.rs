//! What goes in comes out: whole objects through the decoder and back.

#![allow(clippy::string_slice, clippy::unwrap_in_result, reason = "tests")]

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::datatypes::Int32Type;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::schema::EVENT_COLUMNS;

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
fn json_lines_give_one_row_a_line() {
    let (outcome, _) = decode(format!("{RECORD}\n{RECORD}\r\n\n{RECORD}").as_bytes());
    assert_eq!((outcome.rows, outcome.rejects.len()), (3, 0));
}

/// `count` records in lines, each with an id of its own.
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
fn a_broken_line_costs_that_line() {
    let lines = numbered_lines(40);
    let [short, long] = [60, RECORD.len() - 40].map(|end| RECORD.get(..end).unwrap().to_owned());
    let after_comma = RECORD.get(..=RECORD.find(',').unwrap()).unwrap().to_owned();
    let stray_bracket = RECORD.replacen("\"eventTime\"", "}\"eventTime\"", 1);
    let broken_lines = [
        short,
        long,
        after_comma.clone(),
        format!("[{after_comma}"),
        RECORD.replacen('{', "[", 1),
        RECORD.replacen('{', "", 1),
        RECORD.replacen('"', "", 1),
        stray_bracket,
        "{".to_owned(),
        "\"".to_owned(),
        "no record".to_owned(),
        "}]".to_owned(),
    ];
    for broken in &broken_lines {
        for place in [0, 1, 20, 39] {
            let mut damaged = lines.clone();
            damaged[place].clone_from(broken);
            let (outcome, batch) = decode(damaged.join("\n").as_bytes());
            let (rows, rejected) = (outcome.rows, outcome.rejected);
            assert_eq!((rows, rejected), (39, 1), "line {place}: {broken}");
            assert!(!request_ids(&batch).contains(&format!("R{place}")));
        }
    }
}

#[test]
fn a_record_behind_stray_text_is_stored() {
    let mut lines = numbered_lines(20);
    lines[3] = format!("garbage \"{}", lines[3]);
    let (outcome, _) = decode(lines.join("\n").as_bytes());
    assert_eq!((outcome.rows, outcome.rejected), (20, 1));
}

#[test]
fn a_broken_document_over_many_lines_costs_that_document() {
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(RECORD).unwrap()).unwrap();
    let cut = pretty.get(..pretty.len() / 2).unwrap().to_owned();
    let open = pretty.replacen("\"eventTime\"", "\"eventTime", 1);
    for broken in [cut, open, pretty.replacen("},", "}},", 1)] {
        for place in [0, 1, 3] {
            let mut documents = vec![pretty.clone(); 4];
            documents[place].clone_from(&broken);
            let (outcome, _) = decode(documents.join("\n").as_bytes());
            assert_eq!(
                (outcome.rows, outcome.rejected > 0),
                (3, true),
                "document {place}: {broken}"
            );
        }
    }
}

#[test]
fn a_broken_line_longer_than_a_window_costs_that_line() {
    let mut lines = numbered_lines(3);
    lines[1] = format!("{{\"open\":\"{}", "x".repeat(20 << 20));
    let (outcome, batch) = decode(lines.join("\n").as_bytes());
    assert_eq!((outcome.rows, outcome.rejected), (2, 1));
    assert_eq!(request_ids(&batch), ["R0", "R2"]);
}

#[test]
fn lines_that_are_all_broken_end_soon() {
    let after_comma = RECORD.get(..=RECORD.find(',').unwrap()).unwrap();
    for line in [after_comma, "{", "[", "{\"a\":", "x{\"eventVersion\"", "  {", "[x]"] {
        for between in ["\n", ""] {
            let text = [line, between].concat().repeat((256 << 10) / line.len());
            let (outcome, _) = decode(text.as_bytes());
            assert_eq!(outcome.rows, 0, "{line}");
        }
    }
}

/// Bytes that are looked through to decode a text.
fn effort_of(text: &str) -> u64 {
    effort::take_sum();
    decode(text.as_bytes());
    effort::take_sum()
}

/// What may be looked through for a text: in vain before every look has a bound, where some looks are four in one, and then.
fn most_effort(text: &str) -> u64 {
    4 * (8 * text.len() as u64).max(4 << 20) + 100 * text.len() as u64
}

#[test]
fn broken_text_takes_work_in_proportion_to_its_length() {
    let in_array = "{\"Records\":[";
    let strings = ["\"{\",".repeat(10_000), "tru,".to_owned()].concat();
    for (opening, repeated) in [
        (in_array, r#"{"eventVersion":"1","#),
        (in_array, r#"{"eventVersion" 1}:,"#),
        (in_array, r#"{"eventVersion":"1"}],"a":["#),
        (in_array, r#"],"a":[{"eventVersion":"1"},"#),
        (in_array, r#"{"a" 1},"#),
        (in_array, &strings),
        ("", r#"{"eventVersion":"1","#),
        ("", r#"{"a" 1}"#),
        ("", "[{x}],"),
        ("", "{\"a\":\n"),
        ("[", "{\"eventVersion\":[\n,"),
    ] {
        let text = [opening, &repeated.repeat((512 << 10) / repeated.len())].concat();
        let (effort, most) = (effort_of(&text), most_effort(&text));
        assert!(
            effort <= most,
            "{effort} of {most}: {opening}{}",
            &repeated[..repeated.len().min(40)]
        );
    }
}

#[test]
fn records_that_swallow_all_behind_them_end_soon() {
    let open = r#"{"eventVersion":{"#.repeat(100_000);
    for text in [
        format!("{{\"Records\":[{open}"),
        format!("{{\"Records\":[{open}{}", "}".repeat(200_000)),
    ] {
        let effort = effort_of(&text);
        assert!(effort <= most_effort(&text), "{effort}");
    }
}

#[test]
fn strings_with_braces_behind_a_broken_element_are_taken_one_by_one() {
    let object = format!("{{\"Records\":[{RECORD},{}tru,{RECORD}]}}", "\"{\",".repeat(100));
    let (outcome, _) = decode(object.as_bytes());
    assert_eq!((outcome.rows, outcome.rejected), (2, 101));
}

#[test]
fn concatenated_members_give_all_their_records() {
    let member = gzip::compress(format!("{{\"Records\":[{RECORD}]}}").as_bytes());
    let (outcome, _) = decode(&[member.clone(), member].concat());
    assert_eq!((outcome.rows, outcome.fault), (2, None));
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
fn one_bad_record_costs_one_record() {
    let good = RECORD.to_owned();
    let bad = [
        ("control character", good.replacen("aws-cli", "aws\u{1}cli", 1)),
        (
            "invalid escape or lone surrogate",
            good.replacen("aws-cli", "\\ud800", 1),
        ),
        ("expected a value", good.replacen("true", "tru", 1)),
        ("expected", good.replacen("\"eventSource\":", "\"eventSource\"", 1)),
        (
            "nesting deeper",
            good.replacen("\"R\"", &format!("{}1{}", "[".repeat(1100), "]".repeat(1100)), 1),
        ),
        ("expected", good.replacen("\"readOnly\":true", "\"readOnly\":true,", 1)),
        ("not a CloudTrail record", "{\"eventVersion\":\"x\"}".to_owned()),
        ("not a CloudTrail record", "17".to_owned()),
        // The structure is broken: a quote, then a brace is missing.
        ("", good.replacen("\"GetObject\"", "\"GetObject", 1)),
        ("expected", good[..good.len() - 40].to_owned()),
    ];
    for (reason, bad) in bad {
        let object = format!("{{\"Records\":[{good},{good},{bad},{good},{good}]}}");
        let (outcome, _) = decode(object.as_bytes());
        assert_eq!(
            (outcome.rows, outcome.rejects.len()),
            (4, 1),
            "{reason}: {:?}",
            outcome.rejects
        );
        let reject = &outcome.rejects[0];
        assert!(reject.reason.contains(reason), "{} / {reason}", reject.reason);
        assert_eq!(reject.record_index, 2);
        let start = usize::try_from(reject.byte_offset).unwrap();
        assert_eq!(&object.as_bytes()[start..start + reject.raw.len()], reject.raw);
    }
}

#[test]
fn elements_behind_a_bad_record_are_counted_one_by_one() {
    let bad = RECORD.replacen("aws-cli", "\\ud800", 1);
    for (tail, others) in [("\"x\"", 1), ("5,null", 2), ("5,\"x\",{RECORD}", 2)] {
        let tail = tail.replace("{RECORD}", RECORD);
        let (outcome, _) = decode(format!("{{\"Records\":[{RECORD},{bad},{tail}]}}").as_bytes());
        assert_eq!(outcome.fault, None, "{tail}");
        assert_eq!(outcome.rejects.len(), 1 + others, "{tail}: {:?}", outcome.rejects);
        assert!(outcome.rejects[0].reason.contains("lone surrogate"), "{tail}");
        assert_eq!(outcome.rejects[0].raw, bad.as_bytes(), "{tail}");
    }
}

#[test]
fn invalid_utf8_costs_one_record() {
    let object = format!(
        "{{\"Records\":[{RECORD},{},{RECORD}]}}",
        RECORD.replacen("aws-cli", "~~", 1)
    );
    let bytes: Vec<u8> = object
        .bytes()
        .map(|byte| if byte == b'~' { 0xff } else { byte })
        .collect();
    let (outcome, _) = decode(&bytes);
    assert_eq!(
        (outcome.rows, outcome.rejects.len()),
        (2, 1),
        "{:?}",
        outcome.rejects.iter().map(|r| &r.reason).collect::<Vec<_>>()
    );
    assert!(outcome.rejects[0].reason.contains("invalid UTF-8"));
}

#[test]
fn numbers_that_no_machine_type_holds_are_stored() {
    for number in ["1e999", "123456789012345678901234567890", "-0", "18446744073709551616"] {
        assert_round_trip(&RECORD.replacen("1.688560107857E9", number, 1));
    }
}

#[test]
fn oversized_record_is_rejected_with_the_bytes_that_fit() {
    let limits = Limits {
        max_record_bytes: 4096,
        ..Limits::default()
    };
    let large = RECORD.replacen("\"R\"", &format!("\"{}\"", "x".repeat(5000)), 1);
    let (outcome, _) = decode_with(
        limits,
        format!("{{\"Records\":[{RECORD},{large},{RECORD}]}}").as_bytes(),
    );
    assert_eq!((outcome.rows, outcome.rejects.len()), (2, 1));
    assert_eq!(
        (outcome.rejects[0].byte_length, outcome.rejects[0].raw.len()),
        (large.len() as u64, 4096)
    );
}

#[test]
fn truncated_gzip_keeps_its_whole_records() {
    let records: Vec<String> = (0..200)
        .map(|index| RECORD.replacen("\"R\"", &format!("\"{index}\""), 1))
        .collect();
    let object = gzip::compress(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes());
    let (outcome, _) = decode(&object[..object.len() - 200]);
    assert!(outcome.rows > 0 && outcome.rows < 200, "{}", outcome.rows);
    assert_eq!(outcome.rejects.len(), 1);
    assert!(outcome.fault.unwrap().contains("gzip stream ends"));
    assert_eq!(outcome.sha256, None);
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
fn bomb_is_stopped_at_the_cap() {
    let limits = Limits {
        max_inflated_bytes: 1 << 20,
        ..Limits::default()
    };
    let (outcome, _) = decode_with(limits, &gzip::compress(&vec![b' '; 64 << 20]));
    assert!(outcome.fault.unwrap().contains("--max-inflated-bytes"));
}

#[test]
fn rejects_without_end_are_told_together_behind_the_first_ones() {
    const ELEMENTS: usize = 12_000;
    let elements = vec!["7"; ELEMENTS].join(",");
    let (outcome, batch) = decode(format!("{{\"Records\":[{RECORD},{elements},{RECORD}]}}").as_bytes());
    let (records, rejected) = (ELEMENTS as u64 + 2, ELEMENTS as u64);
    assert_eq!(
        (outcome.records, outcome.rows, outcome.rejected),
        (records, 2, rejected)
    );
    assert_eq!(batch.num_rows(), 2);
    assert_eq!(outcome.rejects.len() as u64, kept_rejects(rejected));
    let rest = outcome.rejects.last().unwrap();
    assert_eq!(
        rest.reason,
        "2000 records from here on cannot be stored, the first: not a CloudTrail record"
    );
    assert_eq!((rest.record_index, rest.byte_length), (10_001, 3_999));
    assert!(rest.raw.is_empty());
    let (outcome, _) = decode(format!("{{\"Records\":[{elements}]}}").as_bytes());
    assert_eq!((outcome.records, outcome.rejected, outcome.rejects.len()), (0, 0, 0));
    assert_eq!(
        outcome.fault.as_deref(),
        Some("holds no CloudTrail records; leave it out")
    );
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

fn json_text(depth: u32) -> impl Strategy<Value = String> {
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,4})?",
        Just("1e999".to_owned()),
        Just("0.0".to_owned())
    ];
    let string = any::<String>().prop_map(|text| extra::quote(&text));
    let leaf = prop_oneof![
        number,
        string,
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned())
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec(("[a-zA-Z\\u{e9}\"]{0,6}", inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, raw)| format!("{}: {raw}", extra::quote(key)))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Objects in objects whose members have these names, some more than once.
fn object_of(names: Vec<&'static str>) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null"),
        Just("\"x\""),
        Just("1.0"),
        Just("true"),
        Just("\"true\""),
        Just("{}")
    ];
    leaf.prop_map(str::to_owned).prop_recursive(3, 24, 6, move |inner| {
        let member = (prop::sample::select(names.clone()), inner);
        prop::collection::vec(member, 0..6).prop_map(|members| {
            let members: Vec<String> = members.iter().map(|(name, raw)| format!("\"{name}\":{raw}")).collect();
            format!("{{{}}}", members.join(","))
        })
    })
}

fn record_text() -> impl Strategy<Value = String> {
    let known = fields::FIELDS.map(|spec| spec.json_name.to_owned()).to_vec();
    let key = prop_oneof![8 => prop::sample::select(known), 1 => "[a-zA-Z]{1,8}"];
    let time = Just("\"2026-09-01T10:00:00Z\"".to_owned());
    let identity = Just(
        RECORD
            .split_once("\"userIdentity\":")
            .unwrap()
            .1
            .split_once(",\"eventTime\"")
            .unwrap()
            .0
            .to_owned(),
    );
    let value = prop_oneof![6 => json_text(3), 1 => time, 1 => identity];
    let names = leaves::LEAVES.iter().map(|leaf| leaf.json_name);
    let names = names.chain(leaves::NESTED_CONTAINERS.iter().map(|(_, name, _)| *name));
    let identity = object_of(names.chain(["inScopeOf"]).collect());
    let tls = object_of(tls::TLS_MEMBERS.iter().map(|(name, _)| *name).collect());
    let member = prop_oneof![
        14 => (key, value),
        1 => (Just("userIdentity".to_owned()), identity),
        1 => (Just("tlsDetails".to_owned()), tls),
    ];
    prop::collection::vec(member, 0..16).prop_map(|members| {
        let mut text = "{\"eventName\":\"Planted\",\"eventType\":\"AwsApiCall\"".to_owned();
        for (key, raw) in members {
            text.push_str(&format!(",{}:{raw}", extra::quote(&key)));
        }
        text + "}"
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_record_round_trips(record in record_text()) {
        let (outcome, batch) = decode(format!("{{\"Records\":[{RECORD},{record}]}}").as_bytes());
        if outcome.rejects.is_empty() {
            let back = rendered(&batch);
            prop_assert_eq!(canonical(&back[1]), canonical(&record), "\n{}\n{}", back[1], record);
        } else {
            // The last `eventName` counts; a record that has lost its name, or is an aggregate, is no record.
            prop_assert_eq!(outcome.rejects[0].reason.as_str(), "not a CloudTrail record");
        }
    }

    #[test]
    fn any_bytes_balance(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..RECORD.len()) {
        let mut object = format!("{{\"Records\":[{RECORD},{}", &RECORD[..cut]).into_bytes();
        object.extend(&bytes);
        let (outcome, _) = decode(&object);
        prop_assert!(outcome.rows >= 1);
    }

    #[test]
    fn any_damage_to_a_line_costs_that_line_alone(
        place in 0_usize..3,
        from in 0..RECORD.len(),
        length in 0_usize..400,
        inserted in "[ -~]{0,6}",
    ) {
        let mut lines = numbered_lines(3);
        let line = &mut lines[place];
        let end = line.len().min(from + length);
        line.replace_range(from..end, &inserted);
        let (_, batch) = decode(lines.join("\n").as_bytes());
        let found = request_ids(&batch);
        for other in (0..3).filter(|other| *other != place) {
            let id = format!("R{other}");
            prop_assert_eq!(found.iter().filter(|found| **found == id).count(), 1, "{}", lines[place]);
        }
    }

    #[test]
    fn fast_and_strict_readers_agree(record in record_text()) {
        let fast = decode(format!("[{record}]").as_bytes());
        // A malformed neighbour sends the same record through the strict reader.
        let strict = decode(format!("[{record},{{\"eventVersion\":tru}}]").as_bytes());
        prop_assert_eq!(fast.0.rows, strict.0.rows);
        prop_assert_eq!(fast.1, strict.1);
    }
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
