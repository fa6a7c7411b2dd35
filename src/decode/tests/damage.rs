//! Broken objects cost what is broken, and little work.

#![allow(clippy::string_slice, clippy::unwrap_in_result, reason = "tests")]

use super::*;

#[test]
fn json_lines_give_one_row_a_line() {
    let (outcome, _) = decode(format!("{RECORD}\n{RECORD}\r\n\n{RECORD}").as_bytes());
    assert_eq!((outcome.rows, outcome.rejects.len()), (3, 0));
}

/// `count` records in lines, each with an id of its own.
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
    assert_eq!(outcome.records_beyond, Some(4096));
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
fn bomb_is_stopped_at_the_cap() {
    let limits = Limits {
        max_inflated_bytes: 1 << 20,
        ..Limits::default()
    };
    let (outcome, _) = decode_with(limits, &gzip::compress(&vec![b' '; 64 << 20]));
    assert_eq!(outcome.inflates_beyond, Some(1 << 20));
    assert_eq!(outcome.fault.unwrap(), "object inflates to more than 1048576 bytes");
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
