"""Compares what trimtrail, delta-rs and DuckDB read from one store, row by row and column by column.

Usage: check.py PROGRAM LOGS. Ends with status 1 when any value differs.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from datetime import timezone
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pyarrow
import pyarrow.parquet
from deltalake import DeltaTable

# The tables with the columns that tell their rows apart; `None` stands for all.
TABLES = {
    "events": ["recipient_account_id", "aws_region", "event_id", "object_key", "record_index"],
    "objects": ["object_key", "etag", "size"],
    "rejects": ["object_key", "record_index"],
    "usage": None,
    "iam_principals": None,
    "iam_policies": None,
    "iam_statements": None,
    "iam_attachments": None,
    "iam_credentials": None,
    "iam_organization": None,
    "iam_sources": None,
}
# No time, so it lies in the partition without a day; its names need escaping.
UNTIMED = {
    "Records": [
        {
            "eventVersion": "1.11",
            "eventSource": "s3.amazonaws.com",
            "eventName": "GetObject",
            "awsRegion": "eu-west-1",
            "eventID": "7c9a1c4e-0000-4000-8000-000000000001",
            "userAgent": "50% \"quoted\", \u00e4\u2028\U0001f511",
            "recipientAccountId": "111122223333",
        }
    ]
}


def main(program, logs):
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store of #1")
        make_store(program, logs, Path(folder), store)
        differences = sum(compare(program, store, table, keys) for table, keys in TABLES.items())
    if differences:
        print(f"{differences} differences")
    return 1 if differences else 0


def make_store(program, logs, folder, store):
    """Several runs, so that the tables have several versions and files per day."""
    untimed = folder / "untimed.json"
    untimed.write_text(json.dumps(UNTIMED), encoding="utf-8")
    for sources in ([str(untimed)], [logs, "--account", "444455556666"], [logs]):
        # Status 4: the sample logs hold one bad record and one cut object.
        run(program, "ingest", *sources, "--store", str(store), "--quiet", accepted=(0, 4))
    run(program, "iam", "import", str(Path(logs).parent / "iam"), "--taken-at", "2026-09-15", "--store", str(store), "--quiet")


def run(program, *arguments, accepted=(0,)):
    environment = {"PATH": os.environ.get("PATH", "")}
    ended = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    if ended.returncode not in accepted:
        sys.exit(f"{program} {' '.join(arguments)}: status {ended.returncode}: {ended.stderr}")
    return ended.stdout


def compare(program, store, table, keys):
    """Number of columns in which one of the engines reads other values than trimtrail."""
    own = read_with_trimtrail(program, store, table)
    delta_table = DeltaTable(store / table)
    others = {
        "delta-rs": delta_table.to_pyarrow_table(),
        "DuckDB": read_with_duckdb(delta_table.file_uris()),
    }
    if own.num_rows == 0:
        sys.exit(f"{table}: no rows, so this proves nothing")
    differences = 0
    wanted = columns_in_order(own, keys)
    for engine, rows in others.items():
        found = columns_in_order(rows, keys)
        different = [name for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name)]
        for name in different:
            print(f"{table}.{name}: {engine} differs: {example(wanted.get(name), found.get(name))}")
        differences += len(different)
        print(f"{table}: {engine}: {rows.num_rows} rows, {len(found)} columns, {digest(found)}")
    print(f"{table}: trimtrail: {own.num_rows} rows, {len(wanted)} columns, {digest(wanted)}")
    text_differences = compare_csv(program, store, table, wanted)
    return differences + text_differences


def read_with_trimtrail(program, store, table):
    file = store.parent / f"{table}.parquet"
    run(program, "sql", f"select * from {table}", "--store", str(store), "--output", "parquet", "-o", str(file))
    return pyarrow.parquet.read_table(file)


def read_with_duckdb(uris):
    """DuckDB reads the files that the Delta log lists; the partition column comes from their folders."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    files = [duckdb_path(uri) for uri in uris]
    relation = "read_parquet($files, hive_partitioning = true, hive_types = {'event_date': date})"
    if not any("event_date=" in file for file in files):
        relation = "read_parquet($files)"
    return connection.sql(f"select * from {relation}", params={"files": files}).to_arrow_table()


def duckdb_path(uri):
    return unquote(uri.removeprefix("file://"))


def columns_in_order(rows, keys):
    """Values of every column as Python values, rows sorted by their keys."""
    rows = rows.combine_chunks()
    columns = {name: [plain(value) for value in rows.column(name).to_pylist()] for name in rows.column_names}
    order = sorted(range(rows.num_rows), key=lambda row: [repr(columns[key][row]) for key in keys or sorted(columns)])
    return {name: [values[row] for row in order] for name, values in columns.items()}


def plain(value):
    """Times in UTC: the engines agree on the moment, not on the name of its zone."""
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else value


def compare_csv(program, store, table, wanted):
    """The rows that trimtrail prints are as many, and their sums and null counts are those of the stored columns."""
    sums = [
        f"count({name}) as n_{name}, coalesce(sum(octet_length({name})), 0) as s_{name}"
        for name, values in wanted.items()
        if any(isinstance(value, str) for value in values)
    ]
    line = run(program, "sql", f"select count(*) as n, {', '.join(sums)} from {table}", "--store", str(store),
               "--output", "csv", "--quiet").splitlines()
    printed = dict(zip(line[0].split(","), map(int, line[1].split(","))))
    expected = {"n": len(next(iter(wanted.values())))}
    for name, values in wanted.items():
        if f"n_{name}" in printed:
            texts = [value for value in values if value is not None]
            expected[f"n_{name}"] = len(texts)
            expected[f"s_{name}"] = sum(len(text.encode()) for text in texts)
    different = [name for name in expected if printed[name] != expected[name]]
    for name in different:
        print(f"{table}: trimtrail prints {printed[name]} for {name}, stored is {expected[name]}")
    return len(different)


def example(wanted, found):
    if wanted is None or found is None:
        return "the column is missing"
    pairs = [(own, other) for own, other in zip(wanted, found) if own != other]
    if not pairs:
        return f"{len(wanted)} values against {len(found)}"
    return f"{len(pairs)} values, first {pairs[0][0]!r:.120} against {pairs[0][1]!r:.120}"


def digest(columns):
    text = json.dumps(columns, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
