//! Statements, parameters, times and sizes that make no sense.

use super::GOOD_RECORDS;
use super::assert_printable;
use super::assert_run;
use super::place_with_a_good_object;
use crate::support::process;

/// Command line, exit code, and what the message says.
type Case = (&'static [&'static str], i32, &'static [&'static str]);

const STATEMENTS: &[Case] = &[
    (
        &["sql", "selec 1"],
        1,
        &["cannot parse the query: Expected: an SQL statement, found: selec"],
    ),
    (
        &["sql", "select 'open"],
        1,
        &["cannot parse the query: Unterminated string literal"],
    ),
    (&["sql", ""], 1, &["the query is empty; write one `select` statement"]),
    (
        &["sql", "select nope from events"],
        1,
        &["no column `nope`", "describe"],
    ),
    (
        &["sql", "select 1 from event"],
        1,
        &["no table or view `event`", "`events`"],
    ),
    (&["sql", "select nope(1)"], 1, &["no function `nope`"]),
    (&["sql", "select 1; select 2"], 1, &["one statement at a time"]),
    (
        &["sql", "select \"\u{1b}[2J\u{7}\" from events"],
        1,
        &[r"\u{1b}[2J\u{7}"],
    ),
    (
        &["sql", "select count(*) from events", "--at-version", "99"],
        1,
        &["no version 99: the newest is 1"],
    ),
    (
        &["query", "no-such-question"],
        2,
        &["no question `no-such-question`", "`root-use`"],
    ),
];

const PARAMETERS: &[Case] = &[
    (
        &["sql", "select $day"],
        2,
        &["parameter `$day` has no value\nhint: add `--param day=…`"],
    ),
    (&["sql", "select 1", "--param", "day=1"], 2, &["no parameter `$day`"]),
    (
        &["sql", "select $a", "--param", "a=1", "--param", "a=2"],
        2,
        &["`$a` is given twice"],
    ),
    (&["sql", "select $a", "--param", "a"], 2, &["NAME=VALUE"]),
    (
        &[
            "query",
            "root-use",
            "--param",
            "since=2026-10-01",
            "--param",
            "until=2026-09-01",
        ],
        2,
        &["`$since` cannot be `2026-10-01`", "`2026-09-01`", "exchange them"],
    ),
    (
        &["query", "key-age", "--param", "min_age_days=old"],
        2,
        &["`$min_age_days` cannot be `old`"],
    ),
    (
        &["query", "root-use", "--param", "nope=1"],
        2,
        &["no parameter `$nope`", "`$since`"],
    ),
    (&["sql", "select 1", "--memory", "much"], 2, &["'much'", "512MiB"]),
];

const TIMES: &[Case] = &[
    (
        &["query", "root-use", "--param", "since=yesterday"],
        2,
        &["`$since` cannot be `yesterday`", "2026-10-01"],
    ),
    (
        &["query", "root-use", "--param", "since=2026-13-45"],
        2,
        &["`$since` cannot be `2026-13-45`", "2026-10-01"],
    ),
    (
        &["query", "root-use", "--param", "until=T-99999999999d"],
        2,
        &["`$until` cannot be `T-99999999999d`"],
    ),
    (
        &[
            "sql",
            "select 1 from events where event_time >= $since",
            "--param",
            "since=\u{1b}[2J",
        ],
        2,
        &[r"`$since` cannot be `\u{1b}[2J`"],
    ),
];

#[test]
fn bad_statements_parameters_and_times_are_answered_with_what_is_right() {
    let place = place_with_a_good_object();
    assert_run(&place, &place.ingest(&[]), 0, &[], GOOD_RECORDS);
    for (arguments, code, message) in STATEMENTS.iter().chain(PARAMETERS).chain(TIMES) {
        let ended = process::run(&place.store(), arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (*code, ""),
            "{arguments:?}: {ended:?}"
        );
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {}", ended.stderr);
        for part in *message {
            assert!(
                ended.stderr.contains(part),
                "{arguments:?}: `{part}` is not in {}",
                ended.stderr
            );
        }
        assert_printable(&ended);
        for type_name in ["ParserError", "SchemaError", "DataFusion", "Some(", "{ "] {
            assert!(!ended.stderr.contains(type_name), "{arguments:?}: {}", ended.stderr);
        }
    }
}

#[test]
fn bad_options_of_ingest_are_refused_before_anything_is_read() {
    let place = place_with_a_good_object();
    let cases: [(&[&str], &[&str]); 5] = [
        (&["--from", "gestern"], &["`--from` cannot be `gestern`", "2026-10-01"]),
        (
            &["--to", "2026-02-30"],
            &["`--to` cannot be `2026-02-30`", "2026-10-01"],
        ),
        (&["--max-inflated-bytes", "lots"], &["'lots'", "512MiB"]),
        (&["--threads", "0"], &["--threads"]),
        (&["--progress", "maybe"], &["--progress"]),
    ];
    for (options, message) in cases {
        let ended = place.ingest(options);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{options:?}: {ended:?}");
        for part in message {
            assert!(
                ended.stderr.contains(part),
                "{options:?}: `{part}` is not in {}",
                ended.stderr
            );
        }
        assert!(!place.store().exists(), "{options:?}");
    }
}
