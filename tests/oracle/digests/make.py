#!/usr/bin/env python3
"""Asks `aws cloudtrail validate-logs` about made-up trees of digests and logs, and writes its answers to `trees.jsonl`.

    python3 -m venv /tmp/aws && /tmp/aws/bin/pip install awscli
    /tmp/aws/bin/python make.py            # writes keys.json (if missing) and trees.jsonl

aws-cli's own class is run; only its clients are replaced, so that it reads a dictionary. A tree is described, not stored:
`src/integrity/testing.rs` builds the same one from the same description, and the sum in each line proves it.
"""

import argparse
import base64
import datetime
import hashlib
import io
import json
import pathlib
import random
import sys
import types
import zlib

import rsa
from awscli.customizations.cloudtrail.validation import CloudTrailValidateLogs
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).parent
START = datetime.datetime(2026, 9, 1, tzinfo=datetime.timezone.utc)
LAYOUTS = [
    {"prefix": "", "organization": "", "account": "111122223333", "region": "eu-west-1", "home": "eu-west-1", "trail": "main"},
    {"prefix": "", "organization": "", "account": "111122223333", "region": "us-west-2", "home": "us-east-1", "trail": "all_regions"},
    {"prefix": "audit", "organization": "", "account": "444455556666", "region": "eu-west-1", "home": "us-east-1", "trail": "my-trail.2"},
    {"prefix": "a/b c", "organization": "", "account": "444455556666", "region": "us-east-1", "home": "us-east-1", "trail": "main"},
    {"prefix": "", "organization": "o-abc123def4", "account": "777788889999", "region": "ap-south-1", "home": "us-east-1", "trail": "org"},
    {"prefix": "central", "organization": "o-abc123def4", "account": "777788889999", "region": "eu-west-1", "home": "eu-west-1", "trail": "org"},
]
BUCKETS = ["central-logs", "older-logs"]
VALID_FROM = "2026-08-20T00:00:00Z"
VALID_TO = "2026-09-20T00:00:00Z"


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stored_gzip(content, mtime=0):
    """gzip without compression, so that every program makes the same bytes of it."""
    out = b"\x1f\x8b\x08\x00" + mtime.to_bytes(4, "little") + b"\x00\xff"
    blocks = [content[i : i + 65535] for i in range(0, len(content), 65535)] or [b""]
    for number, block in enumerate(blocks):
        out += bytes([number + 1 == len(blocks)])
        out += len(block).to_bytes(2, "little") + (len(block) ^ 0xFFFF).to_bytes(2, "little") + block
    return out + zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")


class Tree:
    """Objects by bucket and key, and short names for them."""

    def __init__(self, spec, private_keys):
        self.spec = spec
        self.layout = LAYOUTS[spec["layout"]]
        self.private_keys = private_keys
        self.objects = {}
        self.names = {}
        # What the objects hold, whatever becomes of their bytes.
        self.contents = {}
        chains = {False: None, True: None}
        before = {False: None, True: None}
        for index, digest in enumerate(spec["digests"]):
            self.add_digest(index, digest, chains, before)

    def folder(self, kind, moment):
        layout = self.layout
        parts = [layout["prefix"], "AWSLogs", layout["organization"], layout["account"], kind, layout["region"]]
        return "/".join([part for part in parts if part] + [moment.strftime("%Y/%m/%d")])

    def digest_key(self, moment, backfill, trail=None):
        layout = self.layout
        name = "_".join([layout["account"], "CloudTrail-Digest", layout["region"], trail or layout["trail"], layout["home"], moment.strftime("%Y%m%dT%H%M%SZ")])
        return self.folder("CloudTrail-Digest", moment) + "/" + name + ("_backfill" if backfill else "") + ".json.gz"

    def log_key(self, moment, unique):
        layout = self.layout
        name = "_".join([layout["account"], "CloudTrail", layout["region"], moment.strftime("%Y%m%dT%H%MZ"), unique])
        return self.folder("CloudTrail", moment) + "/" + name + ".json.gz"

    def put(self, name, bucket, key, content, metadata=None, stored=None):
        self.objects[(bucket, key)] = (stored_gzip(content) if stored is None else stored, metadata or {})
        self.contents[(bucket, key)] = content
        self.names.setdefault((bucket, key), name)

    def add_digest(self, index, digest, chains, before):
        backfill = bool(digest.get("b"))
        bucket = BUCKETS[digest.get("u", 0)]
        odd = digest.get("w", "")
        start = START + datetime.timedelta(hours=digest["h"])
        end = start + datetime.timedelta(hours=1)
        logs = []
        for number in range(digest["n"]):
            moment = start + datetime.timedelta(minutes=5 + 10 * number)
            unique = f"{'B' if backfill else 'A'}{digest['h']:07d}{number:08d}"
            content = json.dumps({"Records": [{"eventID": unique, "eventTime": iso(moment)}]}, separators=(",", ":")).encode()
            key = self.log_key(moment, unique)
            self.put(f"l{index}.{number}", bucket, key, content)
            hash_value = hashlib.sha256(content).hexdigest()
            entry = {"s3Bucket": bucket, "s3Object": key, "hashValue": hash_value, "hashAlgorithm": "SHA-256"}
            if number == 0 and odd == "upper":
                entry["hashValue"] = hash_value.upper()
            if number == 0 and odd == "nohash":
                del entry["hashValue"]
            if number == 0 and odd == "md5":
                entry["hashAlgorithm"] = "MD5"
            logs.append(entry)
        if odd == "late":
            start += datetime.timedelta(minutes=30)
        if odd == "early":
            start -= datetime.timedelta(minutes=30)
        key = self.digest_key(end, backfill)
        previous = None if digest.get("s") else (before[backfill] if odd == "skip" and before[backfill] else chains[backfill])
        if previous is None and not digest.get("s"):
            # The chain goes on before the tree.
            old = self.digest_key(start, backfill)
            self.names.setdefault((bucket, old), f"p{index}")
            previous = {"bucket": bucket, "key": old, "hash": "0" * 64, "signature": "0" * 512}
        content = {
            "awsAccountId": self.layout["account"],
            "digestStartTime": iso(start),
            "digestEndTime": iso(end),
            "digestS3Bucket": bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": self.private_keys[digest.get("k", 0)]["fingerprint"],
            "digestSignatureAlgorithm": "none" if odd == "algorithm" else "SHA256withRSA",
            "newestEventTime": None,
            "oldestEventTime": None,
            "previousDigestS3Bucket": previous and previous["bucket"],
            "previousDigestS3Object": previous and previous["key"],
            "previousDigestHashValue": previous and ("f" * 64 if odd == "prevhash" else previous["hash"]),
            "previousDigestHashAlgorithm": previous and "SHA-256",
            "previousDigestSignature": previous and ("ab" * 256 if odd == "prevsig" else previous["signature"]),
            "logFiles": logs,
        }
        text = json.dumps(content, separators=(",", ":")).encode()
        signature = self.sign(content, text, digest.get("k", 0), "SHA-512" if odd == "sha512" else "SHA-256")
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if backfill:
            metadata["backfill-generation-timestamp"] = iso(end + datetime.timedelta(hours=5))
        self.put(f"d{index}", bucket, key, text, metadata)
        before[backfill] = chains[backfill]
        chains[backfill] = {"bucket": bucket, "key": key, "hash": hashlib.sha256(text).hexdigest(), "signature": signature}

    def sign(self, content, text, key, method):
        previous = content["previousDigestSignature"] or "null"
        message = "\n".join(
            [
                content["digestEndTime"],
                content["digestS3Bucket"] + "/" + content["digestS3Object"],
                hashlib.sha256(text).hexdigest(),
                previous,
            ]
        )
        signatures = self.private_keys[key]["signatures"]
        if (message, method) not in signatures:
            signatures[(message, method)] = rsa.sign(message.encode(), self.private_keys[key]["private"], method).hex()
        return signatures[(message, method)]

    # What happens to the tree afterwards.

    def rewrite(self, place, content, metadata):
        self.objects[place] = (stored_gzip(content), metadata)
        self.contents[place] = content

    def find(self, name):
        for place, known in self.names.items():
            if known == name and place in self.objects:
                return place
        return None

    def apply(self, operation):
        kind, name = operation[0], operation[1]
        argument = operation[2] if len(operation) > 2 else 0
        place = self.find(name)
        if place is None:
            return
        stored, metadata = self.objects[place]
        metadata = dict(metadata)
        content = self.contents[place]
        bucket, key = place
        if kind == "delete":
            del self.objects[place]
        elif kind == "delete_all":
            index = name[1:]
            for other in [p for p, n in self.names.items() if n == name or n.startswith(f"l{index}.")]:
                self.objects.pop(other, None)
        elif kind == "flip":
            position = min(len(stored) - 1, len(stored) * argument // 1000)
            self.objects[place] = (stored[:position] + bytes([stored[position] ^ 1]) + stored[position + 1 :], metadata)
        elif kind == "truncate":
            self.objects[place] = (stored[: len(stored) * argument // 1000], metadata)
        elif kind == "cut":
            self.objects[place] = (stored[:-argument], metadata)
        elif kind == "append":
            self.objects[place] = (stored + b"x" * argument, metadata)
        elif kind == "pad":
            self.objects[place] = (stored + b"\0" * argument, metadata)
        elif kind == "member":
            self.objects[place] = (stored + stored_gzip(b'{"Records":[]}'), metadata)
        elif kind == "plain":
            self.objects[place] = (content, metadata)
        elif kind == "recompress":
            self.objects[place] = (stored_gzip(content, 77), metadata)
        elif kind == "edit":
            position = len(content) * argument // 1000
            self.rewrite(place, content[:position] + b"7" + content[position + 1 :], metadata)
        elif kind == "shorten":
            self.rewrite(place, content[: len(content) * argument // 1000], metadata)
        elif kind == "replace":
            before, after = operation[2], operation[3]
            self.rewrite(place, content.replace(before.encode(), after.encode(), 1), metadata)
        elif kind == "move":
            target = (bucket, key.replace("_2026", "_2027", 1)) if argument else (BUCKETS[1], key)
            del self.objects[place]
            self.put("x" + name, *target, content, metadata, stored)
        elif kind == "copy":
            target = self.find(operation[2])
            if target:
                self.put("", *target, content, metadata, stored)
        elif kind == "extra":
            moment = START + datetime.timedelta(minutes=argument)
            unique = f"X{argument:015d}"
            self.put("e" + str(argument), bucket, self.log_key(moment, unique), b'{"Records":[]}')
        elif kind == "other_trail":
            other = key.replace(f"_{self.layout['trail']}_", "_other-trail_")
            self.put("o" + name, bucket, other, content, metadata, stored)
        elif kind == "meta_drop":
            metadata.pop(operation[2], None)
            self.objects[place] = (stored, metadata)
        elif kind == "meta_set":
            metadata[operation[2]] = operation[3]
            self.objects[place] = (stored, metadata)
        elif kind == "meta_upper":
            if "signature" in metadata:
                metadata["signature"] = metadata["signature"].upper()
            self.objects[place] = (stored, metadata)
        else:
            raise ValueError(kind)

    def sum(self):
        digest = hashlib.sha256()
        for (bucket, key), (stored, metadata) in sorted(self.objects.items()):
            for part in [bucket.encode(), key.encode(), stored, *[f"{k}={v}".encode() for k, v in sorted(metadata.items())]]:
                digest.update(len(part).to_bytes(4, "little") + part)
        return digest.hexdigest()[:12]


def public_keys(spec, private_keys):
    """What `list-public-keys` gives, as the tree wants it."""
    listed = []
    states = spec.get("keys", ["ok", "ok"])
    for index, state in enumerate(states):
        key = private_keys[index]
        value = key["pkcs1"]
        start, end = VALID_FROM, VALID_TO
        if state == "missing":
            continue
        if state == "swapped":
            value = private_keys[1 - index]["pkcs1"]
        if state == "garbage":
            value = base64.b64encode(b"no key at all").decode()
        if state == "spki":
            value = key["spki"]
        if state == "expired":
            start, end = "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"
        listed.append({"Value": value, "ValidityStartTime": start, "ValidityEndTime": end, "Fingerprint": key["fingerprint"]})
    return {"PublicKeyList": listed}


class Clients:
    """Stands in for S3, CloudTrail and Organizations."""

    def __init__(self, tree, keys):
        self.tree = tree
        self.keys = keys

    def get_client(self, _bucket):
        return self

    def get_object(self, Bucket, Key):
        found = self.tree.objects.get((Bucket, Key))
        if found is None:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        return {"Body": io.BytesIO(found[0]), "Metadata": found[1]}

    def get_paginator(self, _name):
        return self

    def paginate(self, Bucket, Marker, Prefix):
        keys = sorted(k for b, k in self.tree.objects if b == Bucket and k > Marker and k.startswith(Prefix))
        return types.SimpleNamespace(search=lambda _expression: iter(keys))

    def list_public_keys(self, StartTime, EndTime):
        return self.keys

    def describe_trails(self, **_kwargs):
        layout = self.tree.layout
        arn = trail_arn(layout)
        bucket = BUCKETS[self.tree.spec.get("bucket", 0)]
        return {"trailList": [{"TrailARN": arn, "S3BucketName": bucket, "S3KeyPrefix": layout["prefix"], "IsOrganizationTrail": bool(layout["organization"])}]}

    def describe_organization(self):
        return {"Organization": {"Id": self.tree.layout["organization"]}}


def trail_arn(layout):
    return f"arn:aws:cloudtrail:{layout['home']}:{layout['account']}:trail/{layout['trail']}"


class Validator(CloudTrailValidateLogs):
    def run_over(self, tree, keys):
        layout = tree.layout
        self.trail_arn, self.is_verbose = trail_arn(layout), True
        self.start_time = START - datetime.timedelta(days=2)
        self.end_time = START + datetime.timedelta(days=600)
        self.account_id = layout["account"]
        self._source_region = layout["region"]
        clients = Clients(tree, keys)
        self.s3_client_provider = self.organization_client = self.cloudtrail_client = clients
        self.lines = []
        self._call()
        return self.lines

    def _write_status(self, message, is_error=False):
        self.lines.append(message)

    def _write_startup_text(self):
        pass

    def _write_summary_text(self):
        pass


CODES = {
    "valid": "v",
    "INVALID: not found": "n",
    "INVALID: invalid format": "f",
    "INVALID: signature verification failed": "s",
    "INVALID: has been moved from its original location": "m",
    "INVALID: hash value doesn't match": "h",
    "INVALID: unexpected data after end of compressed stream": "t",
}


def answers(tree, lines):
    """`name=code`, in order of names; a file that is reported twice has both codes."""
    found = {}
    for line in lines:
        line = line.removeprefix("(backfill) ")
        if line.startswith("No log files were delivered"):
            first, last = line.split(" between ")[1].split(" and ")
            found.setdefault("gap", set()).add(first + "/" + last)
            continue
        _, uri, verdict = line.split("\t", 2)
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        code = CODES.get(verdict)
        if code is None and "public key not found" in verdict:
            code = "k"
        if code is None and "Unable to load PKCS #1 key" in verdict:
            code = "u"
        if code is None:
            code = "?" + verdict.removeprefix("INVALID: ")
        found.setdefault(tree.names.get((bucket, key), uri), set()).add(code)
    return {name: "|".join(sorted(codes)) for name, codes in sorted(found.items())}


def load_keys():
    path = HERE / "keys.json"
    if not path.exists():
        keys = []
        for _ in range(2):
            public, private = rsa.newkeys(2048)
            spki = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f00") + public.save_pkcs1("DER")
            keys.append({"private": base64.b64encode(private.save_pkcs1("DER")).decode(), "pkcs1": base64.b64encode(public.save_pkcs1("DER")).decode(), "spki": base64.b64encode(spki).decode()})
        path.write_text(json.dumps({"remark": "made for tests, protects nothing", "keys": keys}, indent=1) + "\n")
    keys = json.loads(path.read_text())["keys"]
    for key in keys:
        key["fingerprint"] = hashlib.md5(base64.b64decode(key["pkcs1"])).hexdigest()
        key["private"] = rsa.PrivateKey.load_pkcs1(base64.b64decode(key["private"]), "DER")
        key["signatures"] = {}
    return keys


DIGEST_OPERATIONS = [
    lambda r: ["delete"], lambda r: ["delete_all"], lambda r: ["flip", r.randrange(1000)], lambda r: ["truncate", r.randrange(1000)],
    lambda r: ["cut", r.randrange(1, 12)], lambda r: ["append", r.choice([1, 9])], lambda r: ["pad", 512], lambda r: ["member"], lambda r: ["plain"], lambda r: ["recompress"],
    lambda r: ["edit", r.randrange(1000)], lambda r: ["shorten", r.randrange(1000)],
    lambda r: ["replace", '"hashValue":"', '"hashValue":"0'], lambda r: ["replace", "digestPublicKeyFingerprint", "x"],
    lambda r: ["replace", "previousDigestSignature", "x"], lambda r: ["replace", "digestEndTime", "x"], lambda r: ["replace", "digestStartTime", "x"],
    lambda r: ["replace", "digestS3Bucket", "x"], lambda r: ["replace", '"digestPublicKeyFingerprint":"', '"digestPublicKeyFingerprint":"00'],
    lambda r: ["move", r.randrange(2)], lambda r: ["other_trail"],
    lambda r: ["meta_drop", "signature"], lambda r: ["meta_drop", "signature-algorithm"], lambda r: ["meta_set", "signature-algorithm", "none"],
    lambda r: ["meta_set", "signature", "00" * 256], lambda r: ["meta_set", "signature", "00"], lambda r: ["meta_set", "signature", "zz"], lambda r: ["meta_upper"],
    lambda r: ["meta_drop", "backfill-generation-timestamp"], lambda r: ["meta_set", "backfill-generation-timestamp", "2027-01-01T00:00:00Z"],
]
LOG_OPERATIONS = [
    lambda r: ["delete"], lambda r: ["flip", r.randrange(1000)], lambda r: ["truncate", r.randrange(1000)], lambda r: ["cut", r.randrange(1, 12)],
    lambda r: ["append", r.choice([1, 9])], lambda r: ["pad", 512], lambda r: ["member"], lambda r: ["plain"], lambda r: ["recompress"], lambda r: ["edit", r.randrange(1000)],
    lambda r: ["shorten", r.randrange(1000)], lambda r: ["extra", r.randrange(0, 400)],
]
ODDITIES = ["skip", "prevhash", "prevsig", "late", "early", "sha512", "upper", "nohash", "md5", "algorithm"]
KEY_STATES = ["missing", "swapped", "garbage", "spki", "expired"]


def random_spec(seed):
    r = random.Random(seed)
    digests = []
    rotated = r.random() < 0.3
    count = r.randint(1, 6)
    hour = 0
    moved_at = r.randrange(count) if r.random() < 0.2 else 0
    for index in range(count):
        starting = index == 0 and r.random() < 0.8
        if index and r.random() < 0.12:
            hour += r.randint(1, 3)
            starting = True
        digest = {"h": hour, "n": (hour * 7 + 2) % 4}
        if starting:
            digest["s"] = 1
        if rotated and index * 2 >= count:
            digest["k"] = 1
        if index < moved_at:
            digest["u"] = 1
        if r.random() < 0.05:
            digest["w"] = r.choice(ODDITIES)
        digests.append(digest)
        hour += 1
    if r.random() < 0.35:
        for index in range(r.randint(1, 3)):
            digest = {"h": index, "n": (index + 1) % 3, "b": 1}
            if index == 0 and r.random() < 0.8:
                digest["s"] = 1
            digests.append(digest)
    spec = {"seed": seed, "layout": r.randrange(len(LAYOUTS)), "digests": digests, "ops": []}
    for _ in range(r.choice([0, 1, 1, 1, 2, 2, 3])):
        index = r.randrange(len(digests))
        if digests[index]["n"] and r.random() < 0.4:
            operation = r.choice(LOG_OPERATIONS)(r)
            operation.insert(1, f"l{index}.{r.randrange(digests[index]['n'])}")
        elif r.random() < 0.08:
            operation = ["copy", f"d{index}", f"d{r.randrange(len(digests))}"]
        else:
            operation = r.choice(DIGEST_OPERATIONS)(r)
            operation.insert(1, f"d{index}")
        spec["ops"].append(operation)
    if r.random() < 0.08:
        spec["keys"] = [r.choice(KEY_STATES + ["ok"]), r.choice(KEY_STATES + ["ok"])]
        if spec["keys"] == ["missing", "missing"]:
            spec["keys"] = ["missing", "ok"]
    return spec


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=2400)
    arguments = parser.parse_args()
    private_keys = load_keys()
    written = crashed = 0
    with open(HERE / "trees.jsonl", "w", encoding="utf-8") as out:
        header = {"start": iso(START), "buckets": BUCKETS, "layouts": LAYOUTS, "validity": [VALID_FROM, VALID_TO]}
        out.write(json.dumps(header, separators=(",", ":")) + "\n")
        seed = 0
        while written < arguments.trees:
            seed += 1
            spec = random_spec(seed)
            tree = Tree(spec, private_keys)
            for operation in spec["ops"]:
                tree.apply(operation)
            validator = Validator(types.SimpleNamespace())
            try:
                lines = validator.run_over(tree, public_keys(spec, private_keys))
            except Exception as error:  # aws-cli ends with an error and says nothing of the rest
                print(f"seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
                crashed += 1
                continue
            spec["sum"] = tree.sum()
            spec["aws"] = answers(tree, lines)
            out.write(json.dumps(spec, separators=(",", ":")) + "\n")
            written += 1
    print(f"{written} trees, {crashed} that aws-cli could not finish", file=sys.stderr)


if __name__ == "__main__":
    main()
