#!/usr/bin/env python3
"""Ingest, measured beside its peers in one call.

usage: python3 benches/run.py [--events 1000000] [--days 14] [--object-size real-life] [--plain] [--runs 3] [--skip python,duckdb]

`--object-size 2k` gives many tiny objects, `50m` few huge ones; `--plain` leaves them uncompressed, for trimtrail alone.

Builds the release binary, generates the corpus by seed, installs the peers from PyPI into a virtual environment outside
the checkout, runs all of them in turn, and prints CPU, wall, peak memory and output size as min/median/max, with the ratio
of medians to the gunzip-only floor. Needs Python 3.11, a Rust toolchain, gcc and PyPI.
"""

import argparse
import gzip
import hashlib
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("TRIMTRAIL_BENCH_DIR", Path.home() / ".cache" / "trimtrail" / "bench"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache" / "trimtrail" / "target"))
CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
PEERS = ["chdb==4.4.*", "duckdb>=1.4", "deflate>=0.7"]


def main():
    options = parse_options()
    binary = build()
    python = peers()
    corpus = generate(binary, options)
    store = CACHE / "store"
    commands = {
        "floor (libdeflate)": ([python, HERE / "peers.py", "floor", corpus, "-"], None),
        "trimtrail": ([binary, "ingest", corpus / "AWSLogs", "--store", store, "--quiet"], store),
        "ClickHouse-local (chDB)": ([python, HERE / "peers.py", "chdb", corpus, CACHE / "chdb.parquet"], CACHE / "chdb.parquet"),
        "DuckDB": ([python, HERE / "peers.py", "duckdb", corpus, CACHE / "duckdb"], CACHE / "duckdb"),
        "Python gzip + json": ([python, HERE / "peers.py", "python", corpus, "-"], None),
    }
    commands = {name: command for name, command in commands.items() if not any(skip and skip in name.lower() for skip in options.skip)}
    runs = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, (command, output) in commands.items():
            runs[name].append(measure([str(part) for part in command], output))
    report(options, corpus, runs)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--object-size", default="real-life")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--skip", type=lambda text: text.split(","), default=[])
    options = parser.parse_args()
    if options.plain:
        # The others are told to read gzip.
        options.skip += ["floor", "chdb", "duckdb", "python"]
    return options


def build():
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=HERE.parent, env=environment, check=True)
    return TARGET / "release" / "trimtrail"


def peers():
    python = CACHE / "venv" / "bin" / "python"
    if not python.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", CACHE / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def generate(binary, options):
    corpus = CACHE / f"corpus-{options.events}-{options.days}-{options.object_size}{'-plain' if options.plain else ''}-{generator_digest()}"
    if not corpus.exists():
        partial = corpus.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        command = [binary, "sample", partial, "--events", options.events, "--days", options.days, "--object-size", options.object_size, "--full-tokens"]
        subprocess.run([str(part) for part in command], check=True)
        for path in partial.rglob("*.json.gz"):
            if is_damaged(path):
                path.unlink()
            elif options.plain:
                inflate(path)
        partial.rename(corpus)
    return corpus


def inflate(path):
    with gzip.open(path) as source, open(path.with_suffix(""), "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    path.unlink()


def generator_digest():
    """Changes when the generator does, so that no corpus of an older one is measured."""
    digest = hashlib.sha256()
    for path in sorted((HERE.parent / "src" / "sample").rglob("*.rs")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def is_damaged(path):
    """Whether an object is damaged on purpose: cut, or with a raw control character. Either ends the other engines' queries."""
    try:
        with gzip.open(path) as file:
            while block := file.read(1 << 20):
                if CONTROL_CHARACTER.search(block):
                    return True
        return False
    except EOFError:
        return True


def measure(command, output, accepted=(0, 4)):
    if output is not None:
        shutil.rmtree(output, ignore_errors=True) if output.is_dir() else output.unlink(missing_ok=True)
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    code = os.waitstatus_to_exitcode(status)
    if code not in accepted:
        sys.exit(f"{command} failed with {code}:\n{errors.decode(errors='replace')[-2000:]}")
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": wall,
        "memory": usage.ru_maxrss / 1024,
        "output": size(output) / 1e6 if output else 0,
    }


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size


def report(options, corpus, runs):
    logs = corpus / "AWSLogs"
    compressed = size(logs) / 1e6
    count = sum(1 for _ in logs.rglob("*.json*"))
    form = "JSON" if options.plain else "gzip"
    print(f"\n{options.events} events, {count} objects of size {options.object_size}, {compressed:.0f} MB {form}; "
          f"{options.runs} runs each, alternating; {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
    # Without the floor among the programs there is no ratio to it.
    floor = statistics.median(run["cpu"] for run in runs.get("floor (libdeflate)", [{"cpu": math.nan}]))
    print("| what | CPU s (min / median / max) | CPU ÷ floor | wall s | peak MiB | output MB | output ÷ input |")
    print("|---|---|---|---|---|---|---|")
    for name, measured in runs.items():
        spread = lambda key, digits: " / ".join(f"{pick(run[key] for run in measured):.{digits}f}" for pick in (min, statistics.median, max))
        median = lambda key: statistics.median(run[key] for run in measured)
        output = f"{median('output'):.1f} | {median('output') / compressed:.2f}" if median("output") else "– | –"
        print(f"| {name} | {spread('cpu', 2)} | {median('cpu') / floor:.2f} | {median('wall'):.2f} | {median('memory'):.0f} | {output} |")


if __name__ == "__main__":
    main()
