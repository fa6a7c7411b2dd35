#!/usr/bin/env python3
"""Ingest from a bucket with latency, beside the loop that a user would write with boto3, gzip and json.

usage: python3 benches/bucket.py [--latency 20] [--runs 3] [--tiny-events 500000] [--large-events 2600000] [--skip large]

Builds the release binary and the server (`benches/bucket_server.rs`, one thread, on the loopback interface), unless
`--binary` and `--server` name programs that are built (the server is the benchmark's own), generates the
corpora by seed as `run.py` does, and prints for every program objects and MB a second, CPU seconds, peak memory, and the CPU
seconds of the server apart. The peers are given a part of the tiny objects only, as they would take an hour; rates compare.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import run

HERE = Path(__file__).resolve().parent
KEYS = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
# Objects of a corpus that a peer is given, and its threads. It holds an object whole, as text and as values: few threads take
# large ones.
PEERS = {
    "tiny": {"boto3 + gzip + json": (1_000, 1), "the same with 32 threads": (10_000, 32)},
    "large": {"boto3 + gzip + json": (None, 1), "the same with 4 threads": (None, 4)},
}

# Share of the bytes below `AWSLogs` that belongs to CloudTrail, at least; the rest is beside the logs on purpose.
LEAST_READ = 0.99


def main():
    if sys.argv[1:2] == ["peer"]:
        return peer(*sys.argv[2:])
    options = parse_options()
    binary = options.binary or run.build()
    server, python = options.server or build_server(), peer_python()
    for name, events, days, size in (("tiny", options.tiny_events, 14, "2k"), ("large", options.large_events, 3, "50m")):
        if name not in options.skip:
            corpus = run.generate(binary, SimpleNamespace(events=events, days=days, object_size=size, plain=False))
            measure_corpus(options, name, (binary, server, python), corpus)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=int, default=20, help="milliseconds before every answer")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--binary", type=Path, help="the program, built")
    parser.add_argument("--server", type=Path, help="the benchmark, built, as the server")
    parser.add_argument("--tiny-events", type=int, default=500_000)
    parser.add_argument("--large-events", type=int, default=2_600_000)
    parser.add_argument("--skip", type=lambda text: text.split(","), default=[])
    return parser.parse_args()


def build_server():
    command = ["cargo", "bench", "--bench", "main", "--locked", "--no-run", "--message-format", "json"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(run.TARGET)}
    output = subprocess.run(command, cwd=HERE.parent, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    artifacts = [json.loads(line) for line in output.splitlines()]
    found = [it["executable"] for it in artifacts if it.get("target", {}).get("kind") == ["bench"] and it.get("executable")]
    return found[-1]


def peer_python():
    python = run.CACHE / "bucket-venv" / "bin" / "python"
    if not python.exists():
        run.CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", run.CACHE / "bucket-venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "boto3>=1.40"], check=True)
    return str(python)


def measure_corpus(options, name, programs, corpus):
    binary, server, python = programs
    sizes = [path.stat().st_size for path in (corpus / "AWSLogs").rglob("*") if path.is_file()]
    store, report = run.CACHE / "bucket-store", run.CACHE / "bucket-report.json"
    commands = {"trimtrail": lambda url: [
        binary, "ingest", "s3://bench/AWSLogs", "--store", store, "--report", report, "--quiet", "--endpoint-url", url, "--path-style"
    ]}
    for peer_name, (objects, threads) in PEERS[name].items():
        commands[peer_name] = lambda url, objects=objects or len(sizes), threads=threads: [
            python, __file__, "peer", url, objects, threads, report
        ]
    measured = {program: [] for program in commands}
    for _ in range(options.runs):
        for program, command in commands.items():
            shutil.rmtree(store, ignore_errors=True)
            wanted_bytes = sum(sizes) * LEAST_READ if program == "trimtrail" else 1
            measured[program].append(measure(server, corpus, options.latency, command, report, wanted_bytes))
    tell(options, name, sizes, measured)


def measure(server, corpus, latency, command, report, wanted_bytes):
    """One program against a server of its own; the account of both, by the operating system. Whoever reads less is no measure."""
    report.unlink(missing_ok=True)
    process = subprocess.Popen([server, "serve", str(corpus), str(latency)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    _, _, before = cpu_of(process.pid)
    started = time.monotonic()
    client = subprocess.Popen([str(part) for part in command(url)], env=KEYS, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = client.stderr.read()
    _, status, usage = os.wait4(client.pid, 0)
    wall = time.monotonic() - started
    _, _, after = cpu_of(process.pid)
    process.stdin.close()
    process.wait()
    if os.waitstatus_to_exitcode(status) not in (0, 4):
        sys.exit(f"{command(url)} failed:\n{errors.decode(errors='replace')[-2000:]}")
    account = json.loads(report.read_text(encoding="utf-8"))
    if account["bytes"]["read"] < wanted_bytes:
        sys.exit(f"{command(url)} read {account['bytes']['read']} of {wanted_bytes} bytes: {errors.decode(errors='replace')[-2000:]}")
    return {
        "objects": account["objects"]["listed"] / wall,
        "megabytes": account["bytes"]["read"] / 1e6 / wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / 1024,
        "server": after - before,
        "wall": wall,
    }


def cpu_of(pid):
    """User, system and all CPU seconds of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    user, system = (int(fields[position]) / os.sysconf("SC_CLK_TCK") for position in (11, 12))
    return user, system, user + system


def tell(options, name, sizes, measured):
    print(f"\n{name}: {len(sizes)} objects, {sum(sizes) / 1e6:.0f} MB, median {statistics.median(sizes) / 1e3:.1f} kB; "
          f"{options.latency} ms latency; {options.runs} runs each, alternating; "
          f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
    print("| what | objects/s (min / median / max) | MB/s | wall s | CPU s | peak MiB | CPU s of the server |")
    print("|---|---|---|---|---|---|---|")
    for program, runs in measured.items():
        median = lambda key: statistics.median(account[key] for account in runs)
        spread = " / ".join(f"{pick(account['objects'] for account in runs):.0f}" for pick in (min, statistics.median, max))
        print(f"| {program} | {spread} | {median('megabytes'):.1f} | {median('wall'):.1f} | {median('cpu'):.1f} "
              f"| {median('memory'):.0f} | {median('server'):.1f} |")


def peer(url, objects, threads, report):
    """What a user would write: list, get, gunzip, parse, take some fields; and no store."""
    import gzip
    from concurrent.futures import ThreadPoolExecutor

    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=int(threads), s3={"addressing_style": "path"})
    client = boto3.client("s3", endpoint_url=url, config=config)

    def keys():
        for page in client.get_paginator("list_objects_v2").paginate(Bucket="bench", Prefix="AWSLogs/"):
            yield from (item["Key"] for item in page.get("Contents", []) if "/CloudTrail/" in item["Key"])

    def read(key):
        body = client.get_object(Bucket="bench", Key=key)["Body"].read()
        try:
            records = json.loads(gzip.decompress(body)).get("Records", [])
        except (EOFError, ValueError):
            records = []
        return len(body), [(record.get("eventTime"), record.get("eventName")) for record in records]

    wanted = [key for _, key in zip(range(int(objects)), keys())]
    if int(threads) == 1:
        rows = [read(key) for key in wanted]
    else:
        with ThreadPoolExecutor(int(threads)) as pool:
            rows = list(pool.map(read, wanted))
    account = {"objects": {"listed": len(rows)}, "bytes": {"read": sum(size for size, _ in rows)}}
    Path(report).write_text(json.dumps(account), encoding="utf-8")


if __name__ == "__main__":
    main()
