#!/usr/bin/env python3
"""Granted against used of a whole estate: `trimtrail diff` and `trimtrail replay` over all principals, measured.

usage: python3 benches/estate.py [--accounts 50] [--roles 200] [--events 1000000] [--days 30] [--runs 3] [--binary PATH]

Builds the release binary, makes an estate by seed (log files and one IAM snapshot per account), reads both into a store,
and measures `trimtrail diff`, `trimtrail diff --detail`, replays of a service control policy and of all that `policy` proposes,
and `trimtrail policy` for everybody. Needs Python 3.11 and what run.py needs to build.
"""

import argparse
import gzip
import json
import random
import shutil
import statistics
import subprocess
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import run

START = datetime(2026, 9, 1, tzinfo=timezone.utc)
REGIONS = ["eu-west-1", "eu-central-1", "us-east-1"]
# Operations with the action that they need and whether they only read; `{n}` is a number, so that resources differ.
OPERATIONS = {
    "ec2": [("DescribeInstances", True, {}), ("DescribeVolumes", True, {}), ("StartInstances", False, {"instancesSet": {"items": [{"instanceId": "i-{n:017x}"}]}}), ("DescribeSecurityGroups", True, {}), ("CreateTags", False, {"resourcesSet": {"items": [{"resourceId": "i-{n:017x}"}]}})],
    "s3": [("ListBuckets", True, {}), ("GetBucketLocation", True, {"bucketName": "bucket-{n}"}), ("GetBucketPolicy", True, {"bucketName": "bucket-{n}"}), ("PutBucketTagging", False, {"bucketName": "bucket-{n}"})],
    "sqs": [("GetQueueAttributes", True, {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/{account}/queue-{n}"}), ("CreateQueue", False, {"queueName": "queue-{n}"})],
    "lambda": [("GetFunction20150331v2", True, {"functionName": "function-{n}"}), ("UpdateFunctionCode20150331v2", False, {"functionName": "function-{n}"}), ("ListFunctions20150331", True, {})],
    "dynamodb": [("DescribeTable", True, {"tableName": "table-{n}"}), ("ListTables", True, {}), ("UpdateTable", False, {"tableName": "table-{n}"})],
    "kms": [("Decrypt", True, {"keyId": "arn:aws:kms:eu-west-1:{account}:key/key-{n}"}), ("GenerateDataKey", True, {"keyId": "arn:aws:kms:eu-west-1:{account}:key/key-{n}"})],
    "secretsmanager": [("GetSecretValue", True, {"secretId": "arn:aws:secretsmanager:eu-west-1:{account}:secret:secret-{n}"}), ("DescribeSecret", True, {"secretId": "secret-{n}"})],
    "ssm": [("GetParameter", True, {"name": "/parameter/{n}"}), ("PutParameter", False, {"name": "/parameter/{n}"}), ("DescribeParameters", True, {})],
    "logs": [("DescribeLogGroups", True, {}), ("CreateLogStream", False, {"logGroupName": "group-{n}", "logStreamName": "stream"})],
    "iam": [("ListRoles", True, {}), ("GetRole", True, {"roleName": "role-{n}"}), ("GetPolicy", True, {"policyArn": "arn:aws:iam::{account}:policy/policy-{n}"})],
    "ecr": [("GetAuthorizationToken", True, {}), ("DescribeRepositories", True, {}), ("BatchGetImage", True, {"repositoryName": "repository-{n}"})],
    "cloudformation": [("DescribeStacks", True, {"stackName": "stack-{n}"}), ("CreateChangeSet", False, {"stackName": "stack-{n}"})],
    "sts": [("GetCallerIdentity", True, {})],
    "rds": [("DescribeDBInstances", True, {}), ("ModifyDBInstance", False, {"dBInstanceIdentifier": "db-{n}"})],
}
# A policy that hits every 30th call or so.
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["ec2:*", "kms:*"], "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}]}
AWS_POLICIES = {"AdministratorAccess": 0.01, "PowerUserAccess": 0.02, "ReadOnlyAccess": 0.05, "AmazonS3FullAccess": 0.05, "CloudWatchLogsFullAccess": 0.05}


def main():
    options = parse_options()
    binary = options.binary or run.build()
    estate = make(options)
    store = run.CACHE / f"{estate.name}-store"
    if not store.exists():
        # When the logs end.
        taken_at = f"{START + timedelta(days=options.days):%Y-%m-%d}"
        for command in (["ingest", estate / "AWSLogs"], ["iam", "import", estate / "iam", "--taken-at", taken_at]):
            started = time.monotonic()
            subprocess.run([binary, *command, "--store", store, "--quiet"], check=True)
            print(f"{command[0]}: {time.monotonic() - started:.1f} s", flush=True)
    policy = run.CACHE / "estate-policy.json"
    policy.write_text(json.dumps(POLICY))
    measured = {}
    commands = {
        "diff": ["diff"],
        "diff --detail": ["diff", "--detail"],
        "replay --scp": ["replay", "--scp", policy],
        "replay --plan": ["replay", "--plan"],
        "policy": ["policy", "--principal", "*"],
    }
    for name, arguments in commands.items():
        output = run.CACHE / "estate.csv"
        # `policy` prints its JSON, which nobody keeps here.
        written = [] if arguments[0] == "policy" else ["--output", "csv", "--out", output]
        command = [binary, *arguments, "--store", store, *written]
        # Exit code 3: the policy denies calls, as it is meant to.
        accepted = (0, 3, 4)
        measured[name] = [run.measure([str(part) for part in command], output if written else None, accepted) for _ in range(options.runs)]
    report(options, estate, measured)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--roles", type=int, default=200, help="roles of each account")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--binary", type=Path, help="a release binary that is built already")
    return parser.parse_args()


def make(options):
    estate = run.CACHE / f"estate-{options.accounts}-{options.roles}-{options.events}-{options.days}-{options.seed}"
    if not estate.exists():
        partial = estate.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        chance = random.Random(options.seed)
        for number in range(options.accounts):
            account = f"{100000000000 + number * 1111:012d}"
            roles = [Role(chance, account, index) for index in range(options.roles)]
            write_snapshot(partial / "iam" / f"{account}.json", account, roles)
            write_logs(partial / "AWSLogs" / account / "CloudTrail", chance, account, roles, options, number)
        partial.rename(estate)
    return estate


class Role:
    """A role, what it may do, and what it does."""

    def __init__(self, chance, account, index):
        self.name = f"workload-{index:03d}"
        self.path = chance.choice(["/", "/service-role/", "/team-a/", "/team-b/"])
        self.arn = f"arn:aws:iam::{account}:role{self.path}{self.name}"
        self.id = "AROA" + "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17))
        self.services = chance.sample(sorted(OPERATIONS), chance.randint(1, 5))
        self.weight = 0 if chance.random() < 0.2 else chance.paretovariate(1.2)
        self.regions = chance.sample(REGIONS, chance.randint(1, 2))
        self.managed = [name for name, share in AWS_POLICIES.items() if chance.random() < share]
        self.customer = chance.randrange(20)
        self.statements = [self.statement(chance, account, service) for service in self.services]

    @staticmethod
    def statement(chance, account, service):
        named = [f"{service}:{name.split('2015')[0]}" for name, _, _ in OPERATIONS[service]]
        actions = chance.choice([[f"{service}:*"], [f"{service}:Get*", f"{service}:List*", f"{service}:Describe*"], named, named])
        resource = chance.choice(["*", f"arn:aws:{service}:*:{account}:*", [f"arn:aws:{service}:*:{account}:part-{chance.randrange(9)}/*", f"arn:aws:{service}:*:{account}:other/*"]])
        return {"Effect": "Allow", "Action": actions, "Resource": resource}


def write_snapshot(path, account, roles):
    policies = [f"arn:aws:iam::{account}:policy/shared-{number}" for number in range(20)]
    document = lambda statements: {"Version": "2012-10-17", "Statement": statements}
    chance = random.Random(account)
    details = {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [{
            "Path": role.path,
            "RoleName": role.name,
            "RoleId": role.id,
            "Arn": role.arn,
            "CreateDate": "2024-01-01T00:00:00+00:00",
            "AssumeRolePolicyDocument": document([{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]),
            "InstanceProfileList": [],
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": document(role.statements)}],
            "AttachedManagedPolicies": [
                *({"PolicyName": name, "PolicyArn": f"arn:aws:iam::aws:policy/{name}"} for name in role.managed),
                {"PolicyName": f"shared-{role.customer}", "PolicyArn": policies[role.customer]},
            ],
            "Tags": [],
            "RoleLastUsed": {},
        } for role in roles],
        "Policies": [{
            "PolicyName": arn.rsplit("/", 1)[1],
            "PolicyId": "ANPA" + "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17)),
            "Arn": arn,
            "Path": "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 10,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": "2024-01-01T00:00:00+00:00",
            "UpdateDate": "2024-01-01T00:00:00+00:00",
            "PolicyVersionList": [{
                "Document": document([Role.statement(chance, account, service) for service in chance.sample(sorted(OPERATIONS), 2)]),
                "VersionId": "v1",
                "IsDefaultVersion": True,
                "CreateDate": "2024-01-01T00:00:00+00:00",
            }],
        } for arn in policies],
        "IsTruncated": False,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(details))


def write_logs(folder, chance, account, roles, options, number):
    count = options.events // options.accounts
    weights = [role.weight for role in roles]
    per_day = [count // options.days + (day < count % options.days) for day in range(options.days)]
    for day, events in enumerate(per_day):
        date = START + timedelta(days=day)
        records = {region: [] for region in REGIONS}
        for role in chance.choices(roles, weights, k=events):
            record = call(chance, account, role, date)
            records[record["awsRegion"]].append(record)
        for region, found in records.items():
            if found:
                name = f"{account}_CloudTrail_{region}_{date:%Y%m%d}T2355Z_{chance.randrange(16**16):016x}.json.gz"
                path = folder / region / f"{date:%Y/%m/%d}" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                found.sort(key=lambda record: record["eventTime"])
                path.write_bytes(gzip.compress(json.dumps({"Records": found}).encode(), 1, mtime=0))


def call(chance, account, role, date):
    service = chance.choice(role.services)
    name, is_read, parameters = chance.choice(OPERATIONS[service])
    number = min(int(chance.paretovariate(0.8)), 2000)
    time_of_call = date + timedelta(seconds=chance.randrange(86400))
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"{role.id}:i-{number % 7:017x}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role.name}/i-{number % 7:017x}",
            "accountId": account,
            "accessKeyId": f"ASIA{chance.randrange(36**16):016X}"[:20],
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": role.id, "arn": role.arn, "accountId": account, "userName": role.name},
                "attributes": {"creationDate": f"{date:%Y-%m-%dT00:00:00Z}", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": f"{time_of_call:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": chance.choice(role.regions),
        "sourceIPAddress": f"10.{number % 250}.1.7",
        "userAgent": "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5",
        "requestParameters": filled(parameters, number, account) or None,
        "responseElements": None,
        "requestID": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "eventID": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "readOnly": is_read,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if chance.random() < 0.01:
        record["errorCode"] = "AccessDenied"
        record["errorMessage"] = f"User: {role.arn} is not authorized to perform: {service}:{name}"
    return record


def filled(value, number, account):
    if isinstance(value, dict):
        return {key: filled(inner, number, account) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, number, account) for inner in value]
    return value.format(n=number, account=account)


def report(options, estate, measured):
    print(f"\n{options.accounts} accounts × {options.roles} roles, {options.events} events of {options.days} days; {options.runs} runs each, 2 threads, {time.strftime('%Y-%m-%d')}\n")
    print("| command | CPU s (min / median / max) | wall s | peak MiB | output MB |")
    print("|---|---|---|---|---|")
    for name, runs in measured.items():
        spread = lambda key, digits: " / ".join(f"{pick(entry[key] for entry in runs):.{digits}f}" for pick in (min, statistics.median, max))
        print(f"| `{name}` | {spread('cpu', 2)} | {spread('wall', 2)} | {spread('memory', 0)} | {runs[0]['output']:.1f} |")


if __name__ == "__main__":
    main()
