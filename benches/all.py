#!/usr/bin/env python3
"""All benchmarks, one after the other: every row of `benches/README.md` anew.

usage: python3 benches/all.py [--skip growth,bucket]

Takes about an hour on two cores, most of it for the peers. Nothing else should run on the machine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import run

HERE = Path(__file__).resolve().parent
STARTS = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skip", type=lambda text: text.split(","), default=[])
    skipped = parser.parse_args().skip
    binary = run.build()
    parts = {
        "run": ["run.py"],
        "tiny": ["run.py", "--object-size", "2k", "--events", "930000", "--skip", "chdb,duckdb,python"],
        "huge": ["run.py", "--object-size", "50m", "--events", "2600000", "--days", "3", "--skip", "chdb,duckdb,python"],
        "bucket": ["bucket.py"],
        "queries": ["queries.py"],
        "estate": ["estate.py"],
        "growth": ["growth.py"],
    }
    for name, (script, *arguments) in parts.items():
        if name not in skipped:
            print(f"\n## {name}: {script} {' '.join(arguments)}", flush=True)
            subprocess.run([sys.executable, HERE / script, *arguments], check=True)
    if "start" not in skipped:
        measure_start(binary)
    if "digests" not in skipped:
        print("\n## digests", flush=True)
        subprocess.run(["cargo", "bench", "--locked", "--", "digests"], cwd=HERE.parent, check=True,
                       env={**os.environ, "CARGO_TARGET_DIR": str(run.TARGET)})


def measure_start(binary):
    """The whole process, from its start to its end."""
    print("\n## start-up\n\n| command | CPU ms | wall ms | peak MiB |\n|---|---|---|---|")
    for arguments in (["--version"], ["sql", "select 1"]):
        runs = [run.measure([str(binary), *arguments], None) for _ in range(STARTS)]
        median = lambda key, factor: statistics.median(one[key] for one in runs) * factor
        print(f"| `trimtrail {' '.join(arguments)}` | {median('cpu', 1e3):.0f} | {median('wall', 1e3):.0f} | {median('memory', 1):.0f} |")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"\n{(time.monotonic() - started) / 60:.0f} minutes")
