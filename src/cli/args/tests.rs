//! Command lines that are accepted, refused, and what the help says.

use super::*;

use clap::FromArgMatches;
use clap::error::ErrorKind;

use crate::policy::Thresholds;
use crate::report::Format;
use crate::schema::Table;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    let arguments = ["trimtrail"].into_iter().chain(line.split_whitespace());
    command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches))
}

/// Compares with the text under `tests/snapshots/`.
macro_rules! assert_help {
    ($name:literal, $text:expr) => {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!($name, $text) })
    };
}

fn help(line: &str) -> String {
    // The width of a terminal would change the text.
    let error = command()
        .term_width(100)
        .try_get_matches_from(["trimtrail"].into_iter().chain(line.split_whitespace()))
        .unwrap_err();
    error.to_string()
}

#[test]
fn command_line_is_well_formed() {
    command().debug_assert();
}

#[test]
fn every_command_stands_in_one_group() {
    let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
    let command = command();
    let defined: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    assert_eq!(grouped, defined);
}

#[test]
fn accepted_command_lines() {
    let lines = [
        "demo",
        "demo --store d -q",
        "ingest a b --store s --from T-90d --to 2026-09-01 --dry-run",
        "ingest a --account 111122223333 --account 444455556666 --region eu-west-1",
        "ingest a --max-inflated-bytes 1GiB --max-record-bytes 64k --threads 4",
        "ingest a --memory 128MiB --progress never -v --color always",
        "sql",
        "sql statement",
        "sql -f q.sql -p a=1 --param b=x=y --at-version 3",
        "sql statement --output parquet -o x.parquet --limit 5",
        "sql statement --all --csv-raw --memory 1GiB --temp-dir /tmp",
        "query --list",
        "query secret-reads --param since=T-30d --queries mine --output jsonl",
        "query secret-reads --show",
        "query secret-reads --show -o secret-reads.sql",
        "doctor s3://b --print-iam -o policy.json",
        "replay --plan --min-window 14d --min-coverage 0.9 --event-selectors d",
        "replay --plan --allow keep.toml",
        "replay --scp p.json --since T-30d",
        "evidence verify b --store s3://c/d --store-region eu-west-1 --facts f",
        "ingest a --report run.json --log json --log-level debug",
        "doctor",
        "doctor s3://b ./logs --memory 1GiB --role-arn r --external-id x --output json",
        "doctor s3://b --print-iam --kms-key k --kms-key l",
        "doctor --print-iam --store s3://b/c --store-kms-key k",
        "store info --output json",
        "store history --table rejects --limit 3",
        "store rebuild usage",
        "sample d --events 5 --seed 2 --first-day 2026-01-01 --days 3",
        "sample d --object-size 50m",
        "completions zsh",
        "man",
        "man d",
    ];
    for line in lines {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn refused_command_lines() {
    let lines = [
        ("", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("sample d --first-day yesterday", ErrorKind::ValueValidation),
        ("sample d --object-size vast", ErrorKind::ValueValidation),
        ("sample d --days 0", ErrorKind::ValueValidation),
        ("ingest", ErrorKind::MissingRequiredArgument),
        ("ingest a --memory lots", ErrorKind::ValueValidation),
        ("ingest a --threads 0", ErrorKind::ValueValidation),
        ("doctor --store-kms-key k", ErrorKind::MissingRequiredArgument),
        ("doctor s3://b --kms-key k", ErrorKind::MissingRequiredArgument),
        ("doctor --log yaml", ErrorKind::InvalidValue),
        ("query -q -v x", ErrorKind::ArgumentConflict),
        ("frobnicate", ErrorKind::InvalidSubcommand),
        ("sql statement -f q.sql", ErrorKind::ArgumentConflict),
        ("sql statement --all --limit 3", ErrorKind::ArgumentConflict),
        ("sql statement --output xml", ErrorKind::InvalidValue),
        ("sql statement --param novalue", ErrorKind::ValueValidation),
        ("sql statement --param =x", ErrorKind::ValueValidation),
        ("sql statement extra", ErrorKind::UnknownArgument),
        ("query", ErrorKind::MissingRequiredArgument),
        ("query --list secret-reads", ErrorKind::ArgumentConflict),
        ("query --list --show", ErrorKind::ArgumentConflict),
        ("query secret-reads --show --output json", ErrorKind::ArgumentConflict),
        (
            "query secret-reads --show --param since=T-1d",
            ErrorKind::ArgumentConflict,
        ),
        ("doctor s3://b --print-iam --output json", ErrorKind::ArgumentConflict),
        ("doctor s3://b --print-iam --limit 3", ErrorKind::ArgumentConflict),
        ("replay --scp p.json --min-window 14d", ErrorKind::ArgumentConflict),
        (
            "replay --boundary p.json --event-selectors d",
            ErrorKind::ArgumentConflict,
        ),
        ("replay --rcp p.json --min-coverage 0.5", ErrorKind::ArgumentConflict),
        ("replay --scp p.json --allow keep.toml", ErrorKind::ArgumentConflict),
        ("replay --allow keep.toml", ErrorKind::MissingRequiredArgument),
        ("store", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
    ];
    for (line, kind) in lines {
        assert_eq!(parse(line).unwrap_err().kind(), kind, "{line}");
    }
}

#[test]
fn parameter_keeps_what_follows_the_first_equals_sign() {
    let Command::Sql(args) = parse("sql statement -p $a=x=y -p b=").unwrap().command else {
        panic!()
    };
    assert_eq!(
        args.params,
        [("a".to_owned(), "x=y".to_owned()), ("b".to_owned(), String::new())]
    );
}

#[test]
fn typed_values_are_read() {
    let Command::Store(args) = parse("store history --table objects").unwrap().command else {
        panic!()
    };
    let StoreCommand::History(args) = args.command else {
        panic!()
    };
    assert_eq!(args.table, Table::Objects);
    let Command::Sql(args) = parse("sql --output md --memory 2MiB").unwrap().command else {
        panic!()
    };
    assert_eq!(
        (args.output.output, args.engine.room.memory),
        (Some(Format::Markdown), 2 << 20)
    );
}

#[test]
fn evidence_that_unused_needs_is_that_of_the_sql_functions() {
    let Command::Diff(args) = parse("diff").unwrap().command else {
        panic!()
    };
    let evidence = args.basis.evidence;
    let typed = Thresholds {
        min_coverage: evidence.min_coverage,
        min_window_days: evidence.min_window,
    };
    assert_eq!(typed, Thresholds::DEFAULT);
}

#[test]
fn version_is_printed_on_its_own() {
    let version = parse("--version").unwrap_err();
    assert_eq!(version.kind(), ErrorKind::DisplayVersion);
    assert_eq!(
        version.to_string(),
        concat!("trimtrail ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn short_help() {
    assert_help!("help_short", help("-h"));
}

#[test]
fn long_help() {
    assert_help!("help_long", help("--help"));
}

#[test]
fn help_of_every_command() {
    let lines = command_lines(&command(), "");
    assert!(lines.len() > 30, "{lines:?}");
    let pages: Vec<String> = lines.iter().map(|line| help(&format!("{line} --help"))).collect();
    assert_help!("help_commands", pages.join("\n========\n"));
}

/// The lines of all commands and their subcommands, in order.
fn command_lines(command: &clap::Command, before: &str) -> Vec<String> {
    let lines = command.get_subcommands().flat_map(|command| {
        let line = format!("{before}{}", command.get_name());
        let below = command_lines(command, &format!("{line} "));
        [vec![line], below].concat()
    });
    lines.collect()
}
