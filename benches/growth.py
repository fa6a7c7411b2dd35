#!/usr/bin/env python3
"""How ingest and evidence grow: CPU time an event from one million events on, a new day into a year of days, and a bundle.

usage: python3 benches/growth.py [--sizes 1000000:14,10000000:90] [--runs 3] [--binary PATH] [--skip year,rollup,bundle]

A size is a number of events and of days. Builds the release binary and generates the corpora by seed as `run.py` does. The year has
1 000 events a day on 365 days, and a last day; both are ingested on their own, into the store of the year and into an empty one,
alternating. `used-actions` is asked over all days of the largest size, with the rollup and without it. The bundle is that of all days of the largest size, from its store, with what IAM grants and the key of its digests.
"""

import argparse
import datetime
import shutil
import statistics
import subprocess
from pathlib import Path
from types import SimpleNamespace

import run

FIRST_DAY = datetime.date(2026, 9, 1)
YEAR = 365
EVENTS_A_DAY = 1_000


def main():
    options = parse_options()
    binary = options.binary or run.build()
    stores = {}
    print("| events | days | CPU s (min / median / max) | µs an event | wall s | peak MiB | store ÷ input |")
    print("|---|---|---|---|---|---|---|")
    for events, days in options.sizes:
        corpus = generate(binary, events, days)
        store = run.CACHE / f"growth-store-{events}"
        stores[events] = (corpus, store, days)
        runs = [run.measure(ingest(binary, [corpus / "AWSLogs"], store), store) for _ in range(options.runs)]
        cpu = statistics.median(one["cpu"] for one in runs)
        compressed = run.size(corpus / "AWSLogs") / 1e6
        print(f"| {events} | {days} | {spread(runs, 'cpu')} | {cpu / events * 1e6:.2f} | {median(runs, 'wall'):.1f} "
              f"| {median(runs, 'memory'):.0f} | {median(runs, 'output') / compressed:.2f} |", flush=True)
    if "year" not in options.skip:
        measure_year(options, binary)
    if "rollup" not in options.skip:
        measure_rollup(options, binary, stores[max(stores)])
    if "bundle" not in options.skip:
        measure_bundle(options, binary, stores[max(stores)])


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=sizes, default=sizes("1000000:14,10000000:90"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--binary", type=Path, help="a release binary that is built already")
    parser.add_argument("--skip", type=lambda text: text.split(","), default=[])
    return parser.parse_args()


def sizes(text):
    return [tuple(int(number) for number in size.split(":")) for size in text.split(",")]


def generate(binary, events, days):
    return run.generate(binary, SimpleNamespace(events=events, days=days, object_size="real-life", plain=False))


def ingest(binary, sources, store):
    return [str(part) for part in [binary, "ingest", *sources, "--store", store, "--quiet"]]


def median(runs, key):
    return statistics.median(one[key] for one in runs)


def spread(runs, key):
    return " / ".join(f"{pick(one[key] for one in runs):.2f}" for pick in (min, statistics.median, max))


def measure_year(options, binary):
    corpus = generate(binary, (YEAR + 1) * EVENTS_A_DAY, YEAR + 1)
    last = FIRST_DAY + datetime.timedelta(days=YEAR)
    of_last = sorted(corpus.glob(f"AWSLogs/*/*/CloudTrail/*/{last:%Y/%m/%d}"))
    year, full, empty = (run.CACHE / name for name in ("growth-year", "growth-full", "growth-empty"))
    if not year.exists():
        window = ["--to", last.isoformat()]
        subprocess.run(ingest(binary, [corpus / "AWSLogs"], year) + window, check=False)
    runs = {"an empty store": [], "a year of days": []}
    for _ in range(options.runs):
        runs["an empty store"].append(run.measure(ingest(binary, of_last, empty), empty))
        shutil.rmtree(full, ignore_errors=True)
        shutil.copytree(year, full)
        runs["a year of days"].append(run.measure(ingest(binary, of_last, full), None))
    print(f"\n| a day of {EVENTS_A_DAY} events into | CPU s (min / median / max) | wall s | peak MiB |")
    print("|---|---|---|---|")
    for name, measured in runs.items():
        print(f"| {name} | {spread(measured, 'cpu')} | {median(measured, 'wall'):.2f} | {median(measured, 'memory'):.0f} |")


def measure_rollup(options, binary, largest):
    _, store, days = largest
    answer, rollup, aside = run.CACHE / "growth-answer.csv", store / "usage", store.with_suffix(".usage")
    command = [binary, "query", "used-actions", "--param", f"since={FIRST_DAY}", "--store", store, "--output", "csv", "-o", answer, "--quiet"]
    command = [str(part) for part in command]
    by_rollup = [run.measure(command, answer) for _ in range(options.runs)]
    told = answer.read_bytes()
    rollup.rename(aside)
    try:
        by_events = [run.measure(command, answer) for _ in range(options.runs)]
    finally:
        aside.rename(rollup)
    if told != answer.read_bytes():
        raise SystemExit("the rollup answers otherwise than the events")
    print(f"\n| `used-actions` over {days} days | CPU s (min / median / max) | wall s |")
    print("|---|---|---|")
    for name, runs in (("from `usage`", by_rollup), ("from `events`", by_events)):
        print(f"| {name} | {spread(runs, 'cpu')} | {median(runs, 'wall'):.2f} |")
    print(f"\nratio of medians: {median(by_events, 'wall') / median(by_rollup, 'wall'):.0f} by the clock, "
          f"{median(by_events, 'cpu') / median(by_rollup, 'cpu'):.0f} of CPU time", flush=True)


def measure_bundle(options, binary, largest):
    corpus, store, days = largest
    subprocess.run([binary, "iam", "import", corpus / "iam", "--store", store, "--quiet"], check=False)
    period = f"{FIRST_DAY}..{FIRST_DAY + datetime.timedelta(days=days)}"
    out = run.CACHE / "growth-bundle"
    command = [binary, "evidence", "export", "--period", period, "--framework", "soc2,iso27001", "--store", store,
               "--keys", corpus / "public-keys.json", "--out", out, "--quiet"]
    runs = [run.measure([str(part) for part in command], out) for _ in range(options.runs)]
    print(f"\n| bundle of {days} days | CPU s (min / median / max) | wall s | peak MiB | output MB |")
    print("|---|---|---|---|---|")
    print(f"| `evidence export` | {spread(runs, 'cpu')} | {median(runs, 'wall'):.1f} | {median(runs, 'memory'):.0f} | {median(runs, 'output'):.0f} |")


if __name__ == "__main__":
    main()
