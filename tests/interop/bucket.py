"""Ingests from moto, a server for S3 that others wrote, into folders and into a store that moto keeps, and compares with the same
logs in a folder.

Usage: bucket.py PROGRAM LOGS. Ends with status 1 when anything differs. The server listens on the loopback interface and
ends with this script.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import jsonschema
from moto.server import ThreadedMotoServer

BUCKET = "central-logs"
STORE_BUCKET = "trail-store"
STORE = f"s3://{STORE_BUCKET}/our trail"
SCHEMA = json.loads(Path("docs/run-report.schema.json").read_text(encoding="utf-8"))
RECORDS = (
    "select count(*) as number, encode(sha256(string_agg(record, '\n' order by record)), 'hex') as digest "
    "from event_records"
)
STATES = "select state, count(*) as number from objects group by 1 order by 1"


def main(program, logs):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with tempfile.TemporaryDirectory() as folder:
            return Check(program, Path(logs), f"http://{host}:{port}", Path(folder)).run()
    finally:
        server.stop()


class Check:
    """One comparison; every step says what it found."""

    def __init__(self, program, logs, endpoint, folder):
        self.program, self.logs, self.endpoint, self.folder = program, logs, endpoint, folder
        self.differences = 0

    def run(self):
        self.upload()
        from_folder, from_bucket = self.folder / "from-folder", self.folder / "from-bucket"
        self.trimtrail("ingest", str(self.logs), store=from_folder)
        first = self.ingest(from_bucket)
        for name, statement in (("records", RECORDS), ("states", STATES)):
            rows = [self.sql(statement, store) for store in (from_folder, from_bucket)]
            self.expect(name, rows[1], rows[0])
        second = self.ingest(from_bucket)
        self.expect("records of the second run", second["records"]["read"], 0)
        self.expect("objects of the second run", second["objects"]["known"], second["objects"]["listed"])
        self.expect("requests for objects of the second run", second["requests"]["get"], 0)
        self.expect("version after the second run", second["store"]["version_after"], first["store"]["version_after"])
        self.doctor(from_bucket)
        self.store_in_bucket(from_folder)
        return 1 if self.differences else 0

    def upload(self):
        client = boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1",
                              aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket=BUCKET)
        client.create_bucket(Bucket=STORE_BUCKET)
        sidecars = {path for path in self.logs.rglob("*.meta.json")}
        files = [path for path in self.logs.rglob("*") if path.is_file() and path not in sidecars]
        for path in files:
            # What a folder can only hold in a file beside the digest is metadata of the object in a bucket.
            sidecar = path.with_name(f"{path.name}.meta.json")
            metadata = json.loads(sidecar.read_text(encoding="utf-8"))["Metadata"] if sidecar in sidecars else {}
            key = f"AWSLogs/{path.relative_to(self.logs)}"
            client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes(), Metadata=metadata)
        print(f"moto: {len(files)} objects")

    def ingest(self, store):
        """Runs `ingest` over the bucket; its report, which follows the schema."""
        report = self.folder / "run.json"
        self.trimtrail("ingest", f"s3://{BUCKET}", "--report", str(report), store=store)
        document = json.loads(report.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
        return document

    def store_in_bucket(self, from_folder):
        """Two writers of one store at once, then a run that finds nothing new, and what `doctor` says of it."""
        begun = [self.begin("ingest", f"s3://{BUCKET}", store=STORE) for _ in range(2)]
        for writer in begun:
            self.end(writer)
        for name, statement in (("records", RECORDS), ("states", STATES)):
            rows = [self.sql(statement, store) for store in (from_folder, STORE)]
            self.expect(f"{name} of the store in a bucket", rows[1], rows[0])
        again = self.ingest(STORE)
        self.expect("records of a later run into the bucket", again["records"]["read"], 0)
        self.expect("its requests to the store were counted", again["store_requests"]["list"] > 0, True)
        prepared = f"s3://{STORE_BUCKET}/prepared"
        workers = [self.begin("ingest", f"s3://{BUCKET}", "--no-commit", "--shard", f"{shard}/2", store=prepared)
                   for shard in range(2)]
        for worker in workers:
            self.end(worker)
        for _ in range(2):
            self.trimtrail("commit", store=prepared)
        self.expect("records of prepared shares", self.sql(RECORDS, prepared), self.sql(RECORDS, from_folder))
        checks = self.checks(STORE)
        for name in ("credentials", "bucket", "clock", "writable", "files"):
            self.expect(f"doctor: store {name}", checks[f"store {name}"]["status"], "ok")

    def checks(self, store):
        text = self.trimtrail("doctor", f"s3://{BUCKET}", "--output", "json", store=store)
        return {check["check"]: check for check in json.loads(text)}

    def doctor(self, store):
        # Status 4: the machine that this runs on may be small.
        checks = self.checks(store)
        for name in ("credentials", "identity", "clock", "bucket", "layout", "read", "store", "store files"):
            self.expect(f"doctor: {name}", checks[name]["status"], "ok")
        self.expect("doctor: caller", checks["identity"]["found"].split(":")[:3], ["arn", "aws", "sts"])

    def sql(self, statement, store):
        return json.loads(self.trimtrail("sql", statement, "--output", "json", store=store))

    def trimtrail(self, *arguments, store):
        return self.end(self.begin(*arguments, store=store))

    def begin(self, *arguments, store):
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }
        command = [self.program, *arguments, "--store", str(store), "--quiet"]
        if any(argument.startswith("s3://") for argument in arguments):
            command += ["--endpoint-url", self.endpoint, "--path-style"]
        if str(store).startswith("s3://"):
            command += ["--store-endpoint-url", self.endpoint, "--store-path-style"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, process):
        stdout, stderr = process.communicate()
        # Status 4: the sample logs hold one bad record and one cut object.
        if process.returncode not in (0, 4):
            sys.exit(f"{' '.join(process.args)}: status {process.returncode}: {stderr}")
        return stdout

    def expect(self, name, found, wanted):
        is_same = found == wanted
        self.differences += not is_same
        print(f"{name}: {found}" if is_same else f"{name}: {found!r}, but wanted is {wanted!r}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
