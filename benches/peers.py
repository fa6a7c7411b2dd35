#!/usr/bin/env python3
"""What a user would pick instead, and the floor below every ingest: one peer per call, one process per run.

usage: peers.py floor|chdb|duckdb|python SOURCE OUT

Every peer turns a folder of CloudTrail objects into Parquet with the flat columns that questions need, zstd-compressed,
with two threads. `floor` only inflates the same objects with libdeflate. `python` is what a script of an hour looks like:
gzip, json, one dictionary per record, and no output.
"""

import gzip
import json
import os
import shutil
import sys

SOURCE, OUT = sys.argv[2], sys.argv[3]

IDENTITY = (
    "STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, accessKeyId VARCHAR, userName VARCHAR,"
    " invokedBy VARCHAR, identityProvider VARCHAR, sessionContext STRUCT(attributes STRUCT(creationDate VARCHAR,"
    " mfaAuthenticated VARCHAR), sessionIssuer STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR,"
    " userName VARCHAR), webIdFederationData JSON, sourceIdentity VARCHAR))"
)
RECORD = (
    f"STRUCT(eventVersion VARCHAR, userIdentity {IDENTITY}, eventTime TIMESTAMP, eventSource VARCHAR, eventName VARCHAR,"
    " awsRegion VARCHAR, sourceIPAddress VARCHAR, userAgent VARCHAR, errorCode VARCHAR, errorMessage VARCHAR,"
    " requestParameters JSON, responseElements JSON, additionalEventData JSON, requestID VARCHAR, eventID VARCHAR,"
    " readOnly BOOLEAN, resources JSON, eventType VARCHAR, managementEvent BOOLEAN, recipientAccountId VARCHAR,"
    " eventCategory VARCHAR, tlsDetails JSON, sharedEventID VARCHAR, vpcEndpointId VARCHAR, serviceEventDetails JSON)"
)


def objects():
    for folder, _, names in os.walk(SOURCE):
        for name in names:
            if name.endswith(".json.gz") and "/CloudTrail/" in folder + "/":
                yield os.path.join(folder, name)


def floor():
    import deflate

    inflated = 0
    for path in objects():
        with open(path, "rb") as file:
            data = file.read()
        try:
            inflated += len(deflate.gzip_decompress(data))
        except Exception:
            continue  # the planted corrupt object
    print(inflated)


def chdb():
    import chdb

    if os.path.exists(OUT):
        os.remove(OUT)
    text = lambda *path: "JSONExtractString(r," + ",".join(f"'{part}'" for part in path) + ")"
    raw = lambda name: f"JSONExtractRaw(r,'{name}')"
    columns = ", ".join(
        f"{expression} c{index}"
        for index, expression in enumerate(
            [text("eventVersion"), text("userIdentity", "type"), text("userIdentity", "arn")]
            + [text("userIdentity", "principalId"), text("userIdentity", "accountId"), text("userIdentity", "accessKeyId")]
            + [text("userIdentity", "sessionContext", "sessionIssuer", "arn")]
            + ["parseDateTimeBestEffortOrNull(JSONExtractString(r,'eventTime'))"]
            + [text(name) for name in ("eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent")]
            + [text(name) for name in ("errorCode", "errorMessage", "requestID", "eventID", "recipientAccountId")]
            + [raw(name) for name in ("requestParameters", "responseElements", "additionalEventData", "resources", "tlsDetails")]
        )
    )
    chdb.query(
        f"INSERT INTO FUNCTION file('{OUT}', Parquet) SELECT {columns} FROM (SELECT arrayJoin(JSONExtractArrayRaw(json,"
        f"'Records')) r FROM file('{SOURCE}/**/CloudTrail/**/*.json.gz', RawBLOB, 'json String')) SETTINGS max_threads=2,"
        " output_format_parquet_compression_method='zstd'"
    )


def duckdb():
    import duckdb

    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in objects())
    connection = duckdb.connect()
    connection.execute("set threads=2; set preserve_insertion_order=false")
    connection.execute(
        "COPY (SELECT r.*, r.eventTime::DATE AS event_date FROM (SELECT unnest(Records) r FROM"
        f" read_json([{files}], columns={{Records: '{RECORD}[]'}},"
        " maximum_object_size=268435456, format='unstructured')))"
        f" TO '{OUT}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (event_date))"
    )


def python():
    records = 0
    for path in objects():
        try:
            with gzip.open(path) as file:
                records += len(json.load(file)["Records"])
        except (EOFError, ValueError):
            continue
    print(records)


{"floor": floor, "chdb": chdb, "duckdb": duckdb, "python": python}[sys.argv[1]]()
