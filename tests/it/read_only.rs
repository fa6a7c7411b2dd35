//! `sql` only reads: whatever the statement, no byte of the store or beside it changes.

use std::fs;
use std::path::Path;

use crate::ingest::write_object;
use crate::support::process;
use crate::support::process::Place;

/// Statements that would write, run code or reach beyond the tables. `{folder}` is a folder that can be written.
const ATTEMPTS: &[&str] = &[
    "create table t (a int)",
    "create table t as select * from events",
    "create or replace table events as select 1 as event_id",
    "create temporary table t as select * from events",
    "create table if not exists events (a int)",
    "create view v as select * from events",
    "create or replace view event_records as select 1 as record",
    "create schema s",
    "create database d",
    "create index i on events (event_id)",
    "create function f(a int) returns int return a + 1",
    "create external table t stored as parquet location '{folder}/store/events'",
    "create external table t (a int) stored as csv location '{folder}/new.csv'",
    "create unbounded external table t stored as json location '{folder}/x.json'",
    "drop table events",
    "drop table if exists events",
    "drop view event_records",
    "drop schema public cascade",
    "drop function lower",
    "alter table events rename to gone",
    "alter table events add column a int",
    "truncate table events",
    "insert into events select * from events",
    "insert into events (event_id) values ('x')",
    "insert into objects select * from objects",
    "insert overwrite events select * from events",
    "replace into events (event_id) values ('x')",
    "update events set event_name = 'x'",
    "delete from events",
    "delete from rejects where 1 = 1",
    "merge into events using objects on true when matched then delete",
    "copy events to '{folder}/out.parquet'",
    "copy (select * from events) to '{folder}/out.csv' stored as csv",
    "copy (select 1) to '{folder}/store/events/x.parquet' stored as parquet",
    "copy events from '{folder}/in.csv'",
    "set datafusion.execution.batch_size = 1",
    "set time zone 'Asia/Tokyo'",
    "reset datafusion.execution.batch_size",
    "set transaction read write",
    "begin",
    "start transaction",
    "commit",
    "rollback",
    "prepare p as select 1",
    "execute p",
    "deallocate p",
    "prepare p as insert into events (event_id) values ('x')",
    "explain insert into events (event_id) values ('x')",
    "explain analyze insert into events (event_id) values ('x')",
    "explain analyze copy events to '{folder}/out.parquet'",
    "explain analyze create table t as select 1",
    "explain verbose delete from events",
    "with moved as (delete from events returning event_id) select * from moved",
    "with made as (insert into events (event_id) values ('x') returning event_id) select * from made",
    "with changed as (update events set event_name = 'x' returning event_id) select count(*) from changed",
    "with rows as (select 1 as event_id) insert into events (event_id) select event_id from rows",
    "select * from (delete from events returning event_id) as moved",
    "select * from (insert into events (event_id) values ('x') returning event_id) as made",
    "select event_id into copied from events",
    "select * from events for update",
    "select 1; drop table events",
    "select 1; insert into events (event_id) values ('x')",
    "; delete from events; --",
    "select * from '{folder}/store/events/_delta_log/00000000000000000000.json'",
    "select * from \"{folder}/secret.csv\"",
    "select * from 'file://{folder}/secret.csv'",
    "select * from read_csv('{folder}/secret.csv')",
    "select * from read_parquet('{folder}/store/events/*.parquet')",
    "select * from pg_read_file('{folder}/secret.csv')",
    "select pg_sleep(1)",
    "call sweep()",
    "do $$ begin delete from events; end $$",
    "load '{folder}/evil.so'",
    "attach '{folder}/other.db' as other",
    "install httpfs",
    "use other",
    "vacuum events",
    "optimize table events",
    "analyze table events compute statistics",
    "grant select on events to public",
    "revoke select on events from public",
    "lock table events",
    "refresh materialized view v",
    "create role r",
    "declare c cursor for select * from events",
    "kill 1",
    "msck repair table events",
    "unload (select * from events) to '{folder}/out' with (format = 'parquet')",
    "export data options (uri = '{folder}/out') as select 1",
    "pragma writable_schema = 1",
    "cache table events",
    "comment on table events is 'x'",
    "discard all",
    "listen channel",
];

fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap);
    entries
        .map(|entry| {
            let bytes = if entry.file_type().is_file() {
                fs::read(entry.path()).unwrap()
            } else {
                Vec::new()
            };
            (entry.path().display().to_string(), bytes)
        })
        .collect()
}

fn place_with_a_store() -> Place {
    let place = Place::new();
    write_object(&place.logs(), "a.json.gz", 0..20);
    assert_eq!(place.ingest(&[]).code, 0);
    fs::write(place.folder().join("secret.csv"), "secret\nhunter2\n").unwrap();
    fs::write(place.folder().join("in.csv"), "event_id\nx\n").unwrap();
    place
}

#[test]
fn attempts_to_write_are_refused_and_change_no_byte() {
    let place = place_with_a_store();
    let before = tree(place.folder());
    let folder = place.folder().display().to_string();
    for attempt in ATTEMPTS {
        let statement = attempt.replace("{folder}", &folder);
        let ended = process::run(&place.store(), &["sql", &statement]);
        assert!([1, 2].contains(&ended.code), "{statement}: {ended:?}");
        assert_eq!(ended.stdout, "", "{statement}");
        assert!(ended.stderr.starts_with("error: "), "{statement}: {}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{statement}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{statement}: {}", ended.stderr);
    }
    assert!(tree(place.folder()) == before, "a statement changed a file");
    let count = place.sql("select count(*) as number from events");
    assert_eq!(count[0]["number"], 20);
}

#[test]
fn reading_changes_no_byte_either() {
    let place = place_with_a_store();
    let before = tree(place.folder());
    for arguments in [
        &["sql", "select * from events"][..],
        &["sql", "explain analyze select count(*) from event_records"],
        &["query", "used-actions"],
        &["query", "--list"],
        &["store", "info"],
        &["store", "history"],
        &["ingest", "--dry-run", place.logs().to_str().unwrap()],
    ] {
        assert_eq!(process::run(&place.store(), arguments).code, 0, "{arguments:?}");
    }
    assert!(tree(place.folder()) == before, "reading changed a file");
}

#[test]
fn statements_from_a_file_and_from_standard_input_only_read_as_well() {
    let place = place_with_a_store();
    let script = place.folder().join("script.sql");
    fs::write(&script, "select 1;\ndelete from events;\n").unwrap();
    let before = tree(place.folder());
    let from_file = process::run(&place.store(), &["sql", "-f", script.to_str().unwrap()]);
    assert_eq!((from_file.code, from_file.stdout.as_str()), (1, ""), "{from_file:?}");
    let mut command = process::trimtrail(&place.store(), &["sql"]);
    let from_input = process::ended(command.stdin(fs::File::open(&script).unwrap()).output().unwrap());
    assert_eq!((from_input.code, from_input.stdout.as_str()), (1, ""), "{from_input:?}");
    assert!(tree(place.folder()) == before, "a statement changed a file");
}
