#!/usr/bin/env python3
"""The questions of the library, answered by trimtrail and by DuckDB over the same Parquet files.

usage: python3 benches/queries.py [--events 1000000] [--runs 7] [--binary PATH] [--store PATH]

Builds the release binary, makes the corpus and a store of it as run.py does, and asks every question of `queries/` in one
warm session of each program, in turn, with all cores. Both write their answers to Parquet files, which are compared. DuckDB
gets the text of the question as it stands, and sits out the questions about IAM actions, which need trimtrail's facts, and those that read the rollup `usage`. Prints milliseconds as min/median/max and the ratio of medians. Needs what run.py
needs, and a Unix terminal.
"""

import argparse
import json
import os
import platform
import pty
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import run

QUERIES = run.HERE.parent / "queries"
# Facts, or the rollup, whose lists DuckDB makes with other functions.
NEEDS_TRIMTRAIL = re.compile(r"\bused_actions\b|\bfrom usage\b|\b(iam_actions|granted_and_used|granted_actions|principal_summary|log_coverage)\(")
PARAMS = {"unexpected-regions": {"allowed": "eu-central-1,eu-west-1,us-west-2"}}
PLACEHOLDER = re.compile(r"\$([a-z_]+)")
SPENT = re.compile(r"(\d+(?:\.\d+)?) ms\r?\n")


def main():
    options = parse_options()
    binary = options.binary or run.build()
    store = options.store or ingest(binary, options)
    python = run.peers()
    if Path(sys.prefix) != python.parent.parent:
        os.execv(python, [python, __file__, "--binary", binary, "--store", store, "--runs", str(options.runs)])
    with tempfile.TemporaryDirectory() as folder:
        session = Session(binary, store)
        peer = Peer(store)
        answers = {"trimtrail": Path(folder) / "trimtrail.parquet", "DuckDB": Path(folder) / "duckdb.parquet"}
        rows = []
        for path in sorted(QUERIES.glob("*.sql")):
            rows.append(measure(path, session, peer, answers, options.runs))
    report(store, rows, options.runs)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--object-size", default="real-life")
    parser.add_argument("--plain", action="store_true", help="of uncompressed objects")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--binary", type=Path, help="a release binary that is built already")
    parser.add_argument("--store", type=Path, help="a store that is there already")
    return parser.parse_args()


def ingest(binary, options):
    store = run.CACHE / "query-store"
    corpus = run.generate(binary, options)
    if not store.exists():
        subprocess.run([binary, "ingest", corpus / "AWSLogs", "--store", store, "--quiet"], check=True)
    return store


class Session:
    """An interactive session of trimtrail on a terminal of its own."""

    def __init__(self, binary, store):
        # No window size and no colours: the session then edits no line and writes plain text.
        environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1"}
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execve(binary, [str(binary), "sql", "--store", str(store)], environment)
        self.text = ""
        self.send("\\timing")
        self.wait_for(re.compile("timing.*on"))

    def send(self, line):
        os.write(self.terminal, line.encode() + b"\n")

    def wait_for(self, pattern):
        while not (found := pattern.search(self.text)):
            try:
                block = os.read(self.terminal, 1 << 16)
            except OSError:
                sys.exit(f"trimtrail ended:\n{self.text}")
            self.text += block.decode(errors="replace")
            if "error:" in self.text:
                sys.exit(f"trimtrail failed:\n{self.text}")
        self.text = self.text[found.end():]
        return found

    def ask(self, path, params, answer):
        """Milliseconds that the session says it took."""
        self.send(f"\\o {answer}")
        self.send(" ".join(["\\run", path.stem, *(f"{name}={value}" for name, value in params.items())]))
        return float(self.wait_for(SPENT).group(1))


class Peer:
    """DuckDB over the active files of the store's tables."""

    def __init__(self, store):
        import duckdb

        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'")
        for table in ("events", "objects"):
            files = ", ".join(f"'{file}'" for file in active_files(store / table))
            self.connection.execute(f"create view {table} as select * from read_parquet([{files}], hive_partitioning = true)")

    def ask(self, path, params, answer):
        sql = path.read_text()
        body = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
        values = {name: params.get(name) for name in PLACEHOLDER.findall(body)}
        started = time.perf_counter()
        self.connection.execute(f"copy ({body}) to '{answer}' (format parquet)", values)
        return (time.perf_counter() - started) * 1000


def active_files(table):
    """The data files that the Delta log names, in its order."""
    files = {}
    for entry in sorted((table / "_delta_log").glob("*.json")):
        for line in entry.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                files[action["add"]["path"]] = True
            if "remove" in action:
                files.pop(action["remove"]["path"], None)
    return [str(table / urllib.parse.unquote(path)) for path in files]


def measure(path, session, peer, answers, runs):
    import pyarrow.parquet

    params = PARAMS.get(path.stem, {})
    programs = {"trimtrail": session}
    if not NEEDS_TRIMTRAIL.search(path.read_text()):
        programs["DuckDB"] = peer
    spent = {name: [] for name in programs}
    # The first run of each warms the caches and does not count.
    for number in range(runs + 1):
        for name, program in programs.items():
            answers[name].unlink(missing_ok=True)
            milliseconds = program.ask(path, params, answers[name])
            if number > 0:
                spent[name].append(milliseconds)
    tables = {name: pyarrow.parquet.read_table(answer) for name, answer in answers.items() if name in programs}
    counts = {name: table.num_rows for name, table in tables.items()}
    if len(set(counts.values())) != 1:
        sys.exit(f"{path.stem}: the answers differ: {counts}")
    return path.stem, counts["trimtrail"], spent


def report(store, rows, runs):
    events = len(active_files(store / "events"))
    print(f"\n{events} files of events, {runs} runs each after one that does not count, alternating; "
          f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
    print("| question | rows | trimtrail ms (min / median / max) | DuckDB ms | ratio of medians |")
    print("|---|---|---|---|---|")
    for name, count, spent in rows:
        spread = lambda runs: " / ".join(f"{pick(runs):.0f}" for pick in (min, statistics.median, max))
        theirs, ratio = "–", "–"
        if "DuckDB" in spent:
            theirs = spread(spent["DuckDB"])
            ratio = f"{statistics.median(spent['trimtrail']) / statistics.median(spent['DuckDB']):.2f}"
        print(f"| `{name}` | {count} | {spread(spent['trimtrail'])} | {theirs} | {ratio} |")


if __name__ == "__main__":
    main()
