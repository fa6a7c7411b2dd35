//! Objects whose content is bad.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use super::GOOD_RECORDS;
use super::assert_printable;
use super::assert_run;
use super::balance_line;
use super::document;
use super::place_with_a_good_object;
use super::with_field;
use super::zipped;
use crate::ingest::record;
use crate::support::json::number;
use crate::support::json::text;
use crate::support::process;
use crate::support::process::Place;

const MEBIBYTE: u64 = 1 << 20;

/// Ingests one bad object between three good records of its own and three of another object; the bad record in the
/// middle must be the only loss. Returns its entry in `rejects`.
fn assert_costs_one_record(bad_record: &[u8], reason: &str) -> Value {
    let place = place_with_a_good_object();
    let mut content = format!("{{\"Records\":[{},{},", record(10), record(11)).into_bytes();
    content.extend_from_slice(bad_record);
    content.extend_from_slice(format!(",{}]}}", record(12)).as_bytes());
    place.write("bad.json.gz", &zipped(&content));
    let ended = place.ingest(&[]);
    assert_run(
        &place,
        &ended,
        4,
        &["bad.json.gz` is partial: ", "record 2: ", reason, "from rejects"],
        GOOD_RECORDS + 3,
    );
    let rejects = place.sql(
        "select object_key, record_index, byte_offset, byte_length, reason, encode(raw, 'hex') as raw from rejects",
    );
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    let start = usize::try_from(number(&rejects[0], "byte_offset")).unwrap();
    assert!(content[start..].starts_with(bad_record), "offset {start}");
    assert_eq!(
        number(&rejects[0], "byte_length"),
        i64::try_from(bad_record.len()).unwrap()
    );
    assert!(text(&rejects[0], "reason").contains(reason), "{}", rejects[0]);
    rejects[0].clone()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Ingests one good record that is odd, and gives it back as it was rendered.
fn assert_is_kept_as_it_is(odd: &str) -> Value {
    let place = place_with_a_good_object();
    place.write("odd.json.gz", &zipped(document(&[odd.to_owned()])));
    let ended = place.ingest(&[]);
    assert_run(&place, &ended, 0, &[], GOOD_RECORDS + 1);
    let rows = place.sql(
        "select e.event_name, r.record from events e inner join event_records r on e.event_id = r.event_id \
         where e.object_key like '%odd.json.gz'",
    );
    assert_eq!(text(&rows[0], "record"), odd);
    rows[0].clone()
}

/// Like [`assert_is_kept_as_it_is`], for records whose members come back in another order.
fn assert_is_kept_as_it_is_up_to_order(odd: &str) {
    let place = place_with_a_good_object();
    place.write("odd.json.gz", &zipped(document(&[odd.to_owned()])));
    let ended = place.ingest(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let rows = place.sql("select record from event_records where object_key like '%odd.json.gz'");
    let rendered: Value = serde_json::from_str(&text(&rows[0], "record")).unwrap();
    assert_eq!(rendered, serde_json::from_str::<Value>(odd).unwrap());
}

#[test]
fn invalid_utf8_costs_one_record() {
    let mut bad = record(20).into_bytes();
    let position = bad.windows(7).position(|window| window == b"aws-cli").unwrap();
    bad[position..position + 2].copy_from_slice(b"\xff\xfe");
    let reject = assert_costs_one_record(&bad, "invalid UTF-8");
    assert_eq!(text(&reject, "raw"), hex(&bad));
}

#[test]
fn lone_surrogate_costs_one_record() {
    let bad = with_field(&record(20), r#""note":"\ud800""#);
    let reject = assert_costs_one_record(bad.as_bytes(), "lone surrogate");
    assert_eq!(text(&reject, "raw"), hex(bad.as_bytes()));
}

#[test]
fn control_character_costs_one_record() {
    let bad = record(20).replace("aws-cli", "aws\u{1b}[2Jcli");
    let reject = assert_costs_one_record(bad.as_bytes(), "control character");
    assert_eq!(text(&reject, "raw"), hex(bad.as_bytes()));
}

#[test]
fn depth_beyond_1024_costs_one_record() {
    let nested = |depth: usize| format!("\"note\":{}1{}", "[".repeat(depth), "]".repeat(depth));
    let bad = with_field(&record(20), &nested(100_000));
    assert_costs_one_record(bad.as_bytes(), "nesting deeper than 1024");
    assert_is_kept_as_it_is(&with_field(&record(20), &nested(1_000)));
}

#[test]
fn record_over_the_limit_costs_one_record_and_a_higher_limit_takes_it() {
    let large = record(20).replace("aws-cli", &"a".repeat(1_200_000));
    let reject = assert_costs_one_record(large.as_bytes(), "larger than 1048576 bytes");
    assert!(
        text(&reject, "reason").contains("--max-record-bytes"),
        "{}",
        text(&reject, "reason")
    );
    let place = Place::new();
    place.write("large.json.gz", &zipped(document(&[record(21), large])));
    let ended = place.ingest(&[]);
    let message = ["is partial: run again with `--max-record-bytes` above 1048576 if it is genuine; record 1: "];
    assert_run(&place, &ended, 4, &message, 1);
    let ended = place.ingest(&["--max-record-bytes", "2MiB"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(balance_line(&ended, "records"), [2, 1, 1, 0]);
    let ended = place.ingest(&["--max-record-bytes", "3MiB"]);
    assert_eq!(balance_line(&ended, "objects")[..3], [1, 0, 1], "{ended:?}");
}

#[test]
fn events_behind_a_limit_are_read_by_a_run_that_allows_more_and_none_twice() {
    const RECORDS: usize = 4_000;
    let place = place_with_a_good_object();
    let records: Vec<String> = (100..100 + RECORDS).map(record).collect();
    place.write("much.json.gz", &zipped(document(&records)));
    let stored = |place: &Place| number(&place.sql("select count(*) as number from events")[0], "number");
    let whole = i64::try_from(GOOD_RECORDS + RECORDS).unwrap();
    let cut = place.ingest(&["--max-inflated-bytes", "1MiB"]);
    assert_eq!(cut.code, 4, "{cut:?}");
    let remedy =
        "inflates to more than 1048576 bytes; run again with `--max-inflated-bytes` above 1048576 if it is genuine";
    assert!(cut.stderr.contains(remedy), "{cut:?}");
    let first = stored(&place);
    assert!(first < whole, "{first}");
    let same = place.ingest(&["--max-inflated-bytes", "1MiB"]);
    assert!(
        same.code == 0 && same.stdout.contains("0 ingested + 2 known"),
        "{same:?}"
    );
    let more = place.ingest(&["--max-inflated-bytes", "2MiB"]);
    assert_eq!(more.code, 4, "{more:?}");
    assert!((first..whole).contains(&stored(&place)), "{more:?}");
    assert_run_after_repair(&place, &place.ingest(&[]), GOOD_RECORDS + RECORDS);
    let again = place.ingest(&["--max-inflated-bytes", "4GiB"]);
    assert!(
        again.code == 0 && again.stdout.contains("0 ingested + 2 known"),
        "{again:?}"
    );
    let total = place.rows(&["query", "ingest-balance"]).pop().unwrap();
    assert_eq!(number(&total, "unaccounted"), 0, "{total}");
    assert_eq!(number(&total, "stored"), number(&total, "event_rows"), "{total}");
}

#[test]
fn record_of_many_megabytes_is_taken_up_to_the_limit_and_refused_beyond_it() {
    let huge = record(20).replace("aws-cli", &"a".repeat(9_000_000));
    let text = document(&[record(10), huge, record(11)]);
    // One that ends, and one that does not, so that it is not read as a whole.
    let cut = text.replace("]}", "");
    for (options, stored, rejected) in [
        (["--max-record-bytes", "16MiB"], 3, 0),
        (["--max-record-bytes", "9MB"], 2, 1),
    ] {
        for content in [&text, &cut] {
            let place = Place::new();
            place.write(
                "111122223333_CloudTrail_eu-west-1_20260901T1000Z_huge.json",
                content.as_bytes(),
            );
            let ended = place.ingest(&options);
            let is_whole = rejected == 0 && content == &text;
            assert_run(&place, &ended, if is_whole { 0 } else { 4 }, &[], stored);
            assert_eq!(balance_line(&ended, "records")[3], rejected, "{}", ended.stdout);
        }
    }
}

#[test]
fn integers_beyond_64_bits_and_infinite_floats_keep_their_text() {
    let odd = with_field(
        &record(20),
        r#""count":123456789012345678901234567890,"least":-9223372036854775809,"share":1e999,"rate":1.688560107857E9"#,
    );
    assert_is_kept_as_it_is(&odd);
    let in_parameters = record(20).replace(r#""bucketName""#, r#""size":18446744073709551616,"bucketName""#);
    assert_is_kept_as_it_is(&in_parameters);
}

#[test]
fn duplicate_keys_are_kept_both() {
    let row = assert_is_kept_as_it_is(&with_field(&record(20), r#""eventName":"DeleteObject""#));
    assert!(
        ["GetObject", "DeleteObject"].contains(&text(&row, "event_name").as_str()),
        "{row}"
    );
    assert_is_kept_as_it_is(&record(20).replace(r#""bucketName""#, r#""key":"first","bucketName""#));
}

#[test]
fn truncated_gzip_is_named_and_gives_the_whole_records_before_the_cut() {
    let place = place_with_a_good_object();
    // Records that do not compress away, so that the cut lies behind some of them.
    let records: Vec<String> = (100..160).map(record).collect();
    let whole = zipped(document(&records));
    place.write("cut.json.gz", &whole[..whole.len() * 2 / 3]);
    let ended = place.ingest(&[]);
    let stored = place.sql("select stored from objects where object_key like '%cut.json.gz'");
    let stored = usize::try_from(number(&stored[0], "stored")).unwrap();
    assert!((1..60).contains(&stored), "{stored}");
    let message = [
        "cut.json.gz` is partial: gzip stream ends in the middle of member 1",
        "copy it again",
    ];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS + stored);
    // The whole object, once it is there, adds what was missing.
    place.write("cut.json.gz", &whole);
    let ended = place.ingest(&[]);
    assert_run_after_repair(&place, &ended, GOOD_RECORDS + 60);
}

fn assert_run_after_repair(place: &Place, ended: &process::Ended, stored: usize) {
    assert_eq!(ended.code, 0, "{ended:?}");
    let rows = place.sql("select count(*) as number, count(distinct event_id) as ids from events");
    let stored = i64::try_from(stored).unwrap();
    assert_eq!((number(&rows[0], "number"), number(&rows[0], "ids")), (stored, stored));
}

#[test]
fn object_cut_before_its_first_record_is_corrupt() {
    let place = place_with_a_good_object();
    let whole = zipped(document(&[record(100)]));
    place.write("cut.json.gz", &whole[..whole.len() / 4]);
    let ended = place.ingest(&[]);
    let message = [
        "cut.json.gz` is corrupt: gzip stream ends in the middle of member 1",
        "copy it again",
    ];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS);
}

#[test]
fn damaged_gzip_is_named() {
    let place = place_with_a_good_object();
    let mut damaged = zipped(document(&[record(100)]));
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 0xff;
    place.write("damaged.json.gz", &damaged);
    place.write(
        "trailing.json.gz",
        &[zipped(document(&[record(101)])), b"trailing".to_vec()].concat(),
    );
    let ended = place.ingest(&[]);
    let message = [
        "damaged.json.gz` is partial: gzip member 1 is damaged",
        "trailing.json.gz` is partial: 8 bytes after gzip member 1 are not gzip",
    ];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS + 2);
}

#[test]
fn cut_in_the_second_member_leaves_the_first_whole() {
    let place = place_with_a_good_object();
    let records: Vec<String> = (100..130).map(record).collect();
    let members = [document(&records), document(&[record(200)])].map(zipped);
    let [first, second] = &members;
    place.write("two.json.gz", &[first, &second[..second.len() / 4]].concat());
    let ended = place.ingest(&[]);
    let message = [
        "two.json.gz` is partial: gzip stream ends in the middle of member 2",
        "copy it again",
    ];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS + 30);
}

#[test]
fn text_that_breaks_off_gives_the_whole_records_before_the_cut() {
    let place = place_with_a_good_object();
    let text = document(&[record(100), record(101)]);
    place.write("cut.json", &text.as_bytes()[..text.len() - 100]);
    let ended = place.ingest(&[]);
    let message = [
        "cut.json` is partial: text ends before its records are closed by `]`; copy it again",
        "record 1: object ends inside the record",
        "from rejects",
    ];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS + 1);
}

#[test]
fn byte_order_mark_before_the_text_is_passed_over() {
    let place = place_with_a_good_object();
    for (name, text) in [("object.json", document(&[record(100)])), ("lines.json", record(101))] {
        place.write(name, &[b"\xef\xbb\xbf", text.as_bytes()].concat());
    }
    let ended = place.ingest(&[]);
    assert_run(&place, &ended, 0, &[], GOOD_RECORDS + 2);
}

#[test]
fn time_that_no_calendar_of_other_programs_has_is_kept_as_text() {
    let time = |text: &str| record(20).replace("2026-09-03T10:00:20Z", text);
    for text in [
        "0000-06-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59Z",
    ] {
        assert!(time(text).contains(text));
        assert_is_kept_as_it_is_up_to_order(&time(text));
    }
}

#[test]
fn records_of_one_id_and_two_times_are_two_events_however_they_come() {
    let first = record(100);
    let second = first.replace("T10:01:40Z", "T11:01:40Z");
    assert_ne!(first, second);
    let together = place_with_a_good_object();
    together.write("a.json", document(&[first.clone(), second.clone()]).as_bytes());
    assert_run(&together, &together.ingest(&[]), 0, &[], GOOD_RECORDS + 2);
    let apart = place_with_a_good_object();
    apart.write("a.json", first.as_bytes());
    assert_run(&apart, &apart.ingest(&[]), 0, &[], GOOD_RECORDS + 1);
    apart.write("b.json", document(&[second, first]).as_bytes());
    let ended = apart.ingest(&[]);
    assert_eq!(balance_line(&ended, "records"), [2, 1, 1, 0]);
}

#[test]
fn every_member_of_a_gzip_is_read() {
    let place = place_with_a_good_object();
    let members = [document(&[record(100)]), document(&[record(101), record(102)])].map(zipped);
    place.write("two.json.gz", &members.concat());
    let ended = place.ingest(&[]);
    assert_run(&place, &ended, 0, &[], GOOD_RECORDS + 3);
}

#[test]
fn what_is_not_cloudtrail_is_counted_in_a_folder_and_refused_by_name() {
    let place = place_with_a_good_object();
    place.write("README.md", b"# Logs\n");
    place.write("other.json", br#"{"Records":"none","level":"info"}"#);
    place.write("empty.json.gz", b"");
    // Brackets and quotes make a text look like JSON for a while.
    place.write(
        "notes.md",
        b"[exit code](docs/codes.md) \"done\" { [1, {\"a\": ]} [{\"b\": 1}",
    );
    place.write("program", b"\x7fELF\0\0[\0{\"\xff\0,[[{}]");
    let ended = place.ingest(&[]);
    assert_run(
        &place,
        &ended,
        0,
        &["5 objects beside the logs hold no CloudTrail records"],
        GOOD_RECORDS,
    );
    let named = place.logs().join("README.md");
    let ended = process::run(&place.folder().join("other"), &["ingest", named.to_str().unwrap()]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("README.md` is unknown: holds no CloudTrail records"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stdout.contains("1 listed = 0 ingested + 0 known + 1 rejected"),
        "{}",
        ended.stdout
    );
}

#[test]
fn file_with_the_name_of_a_log_that_is_none_is_told_apart_from_files_beside_the_logs() {
    let place = place_with_a_good_object();
    for index in 0..12 {
        place.write(&format!("{index}.txt"), b"notes");
    }
    let name = "111122223333_CloudTrail_eu-west-1_20260901T1000Z_0123456789abcdef.json.gz";
    place.write(name, b"<html>Access denied</html>");
    let ended = place.ingest(&[]);
    let message = [
        &format!("{name}` is unknown: holds no CloudTrail records; leave it out"),
        "12 objects beside the logs hold no CloudTrail records",
    ];
    assert_run(&place, &ended, 4, &message, GOOD_RECORDS);
    assert_eq!(ended.stderr.matches("warning: ").count(), 1, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("+ 13 rejected (12 not CloudTrail's)"),
        "{}",
        ended.stdout
    );
}

#[test]
fn escape_sequences_in_recorded_names_are_stored_and_shown_harmless() {
    let place = place_with_a_good_object();
    let odd = record(20)
        .replace("\"GetObject\"", r#""\u001b]0;title\u0007Get\u001b[2JObject\r""#)
        .replace("role/role-0", r"role/\u001b[31mred\u009b1m\u202e")
        .replace("\"aws-cli\"", r#""=HYPERLINK(\"http://example.com\")\n|x|""#);
    place.write("odd.json", document(std::slice::from_ref(&odd)).as_bytes());
    assert_run(&place, &place.ingest(&[]), 0, &[], GOOD_RECORDS + 1);
    let select = "select event_name, principal_arn, user_agent from events order by event_name";
    for format in ["table", "json", "ndjson", "csv", "markdown"] {
        for arguments in [&["sql", select][..], &["query", "used-actions"]] {
            let printed = process::run(&place.store(), &[arguments, &["--output", format]].concat());
            assert_eq!(printed.code, 0, "{printed:?}");
            assert_printable(&printed);
            assert!(
                !printed.stdout.contains(['\u{9b}', '\u{202e}']),
                "{format}: {printed:?}"
            );
        }
    }
    let kept = place.sql("select record from event_records where event_id like '%020'");
    let value = |json: &str| -> Value { serde_json::from_str(json).unwrap() };
    assert_eq!(value(&text(&kept[0], "record")), value(&odd));
}

#[test]
#[cfg(target_os = "linux")]
fn bomb_stops_at_the_cap_in_bounded_memory() {
    let bombs: [(&str, &[u8], u8); 3] = [
        ("zeros", b"", 0),
        ("one endless string", br#"{"Records":[{"eventVersion":""#, b'a'),
        ("endless blanks between records", br#"{"Records":["#, b' '),
    ];
    for (name, start, filler) in bombs {
        let place = place_with_a_good_object();
        let bomb = gzip_of(start, filler, 256 * MEBIBYTE);
        assert!(bomb.len() < 300_000, "{name}: {}", bomb.len());
        place.write("bomb.json.gz", &bomb);
        let logs = place.logs();
        let arguments = ["ingest", logs.to_str().unwrap(), "--max-inflated-bytes", "64MiB"];
        let (ended, peak_bytes) = run_measured(&place, &arguments);
        let message = [
            "bomb.json.gz` is limited: object inflates to more than 67108864 bytes",
            "--max-inflated-bytes",
        ];
        assert_run(&place, &ended, 4, &message, GOOD_RECORDS);
        assert!(peak_bytes < 164 * MEBIBYTE, "{name}: {} MiB", peak_bytes / MEBIBYTE);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn bomb_of_records_that_cannot_be_stored_is_told_in_bounded_memory() {
    const ELEMENTS: usize = 8 << 20;
    let start = format!("{{\"Records\":[{},", record(10));
    for (name, text, reason) in [
        (
            "that ends",
            format!("{start}{}1]}}", "1,".repeat(ELEMENTS - 1)),
            "is partial: record 1 and 8388607 more: not a CloudTrail record",
        ),
        (
            "beyond the cap",
            format!("{start}{}", "1,".repeat(2 * ELEMENTS)),
            "is partial: object inflates to more than 20971520 bytes",
        ),
    ] {
        let place = place_with_a_good_object();
        place.write("bomb.json.gz", &zipped(text));
        let logs = place.logs();
        let arguments = ["ingest", logs.to_str().unwrap(), "--max-inflated-bytes", "20MiB"];
        let (ended, peak_bytes) = run_measured(&place, &arguments);
        assert_run(&place, &ended, 4, &["bomb.json.gz` ", reason], GOOD_RECORDS + 1);
        assert!(peak_bytes < 164 * MEBIBYTE, "{name}: {} MiB", peak_bytes / MEBIBYTE);
        let rejects = place.sql("select reason, record_index from rejects order by record_index desc");
        assert_eq!(rejects.len(), 10_001, "{name}");
        let told = number_of_others(&rejects[0]);
        let balance = balance_line(&ended, "records");
        assert_eq!(balance[3], 10_000 + told, "{name}: {}", ended.stdout);
    }
}

/// How many records the reject stands for that comes behind the others.
fn number_of_others(reject: &Value) -> u64 {
    let reason = text(reject, "reason");
    let (number, rest) = reason.split_once(' ').unwrap();
    assert_eq!(
        rest,
        "records from here on cannot be stored, the first: not a CloudTrail record"
    );
    number.parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn large_object_is_never_held_whole() {
    const RECORDS: usize = 2_000;
    let filler = "x".repeat(100_000);
    let records = (GOOD_RECORDS..GOOD_RECORDS + RECORDS).map(|id| {
        with_field(
            &record(id),
            &format!(r#""serviceEventDetails":{{"filler":"{filler}"}}"#),
        )
    });
    let object = document(&records.collect::<Vec<String>>());
    let place = place_with_a_good_object();
    place.write("large.json", object.as_bytes());
    drop(object);
    let logs = place.logs();
    let arguments = ["ingest", logs.to_str().unwrap(), "--memory", "48MiB", "--threads", "1"];
    let (ended, peak_bytes) = run_measured(&place, &arguments);
    assert_run(&place, &ended, 0, &[], GOOD_RECORDS + RECORDS);
    assert!(peak_bytes < 164 * MEBIBYTE, "{} MiB", peak_bytes / MEBIBYTE);
}

/// Compresses `start` and then `count` times one byte, without holding them.
fn gzip_of(start: &[u8], filler: u8, count: u64) -> Vec<u8> {
    let content = start.chain(std::io::repeat(filler).take(count));
    let mut bomb = Vec::new();
    flate2::bufread::GzEncoder::new(std::io::BufReader::new(content), flate2::Compression::best())
        .read_to_end(&mut bomb)
        .unwrap();
    bomb
}

/// Runs the program and watches its largest resident size until it ends.
#[cfg(target_os = "linux")]
fn run_measured(place: &Place, arguments: &[&str]) -> (process::Ended, u64) {
    let mut child = process::trimtrail(&place.store(), arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kibibytes = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak_kibibytes = peak_kibibytes.max(peak.unwrap_or_default());
        std::thread::yield_now();
    }
    assert!(peak_kibibytes > 0, "the process was never seen");
    (process::ended(child.wait_with_output().unwrap()), peak_kibibytes * 1024)
}

#[test]
fn empty_file_with_the_name_of_a_log_is_taken_for_a_cut_copy() {
    let place = place_with_a_good_object();
    let name = "111122223333_CloudTrail_eu-west-1_20260901T1000Z_0123456789abcdef.json.gz";
    for content in [Vec::new(), zipped("")] {
        place.write(name, &content);
        let ended = place.ingest(&[]);
        let message = format!("{name}` is unknown: is empty; if it is a log, copy it again");
        assert_run(&place, &ended, 4, &[&message], GOOD_RECORDS);
        std::fs::remove_dir_all(place.store()).unwrap();
    }
}
