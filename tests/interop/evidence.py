"""Checks the documents of an evidence bundle by schemas and programs of others.

Usage: evidence.py BUNDLE OSCAL_SCHEMA. Ends with an error at the first document that is not valid.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import openpyxl
import regex
from ocsf_json_schema import OcsfJsonSchemaEmbedded
from ocsf_json_schema import get_ocsf_schema

CLASSES = {
    2003: "compliance_finding",
    2004: "detection_finding",
    2008: "iam_analysis_finding",
}

# Rows of a sheet; all stand in the other files.
MOST_ROWS = 50_000


def main(bundle, schema):
    check_oscal(json.loads((bundle / "oscal-assessment-results.json").read_text("utf-8")), json.loads(schema.read_text("utf-8")))
    check_ocsf([json.loads(line) for line in (bundle / "findings.ocsf.ndjson").read_text("utf-8").splitlines()])
    check_workbook(openpyxl.load_workbook(bundle / "workbook.xlsx"), json.loads((bundle / "bundle.json").read_text("utf-8")))


def check_oscal(document, schema):
    validator = with_unicode_patterns(schema)
    validator.validate(document)
    results = document["assessment-results"]["results"][0]
    # The schema is one that refuses.
    spoilt = json.loads(json.dumps(document))
    spoilt["assessment-results"]["results"][0]["findings"][0]["target"]["status"]["state"] = "good"
    assert not validator.is_valid(spoilt)
    spoilt = json.loads(json.dumps(document))
    spoilt["assessment-results"]["uuid"] = "1"
    assert not validator.is_valid(spoilt)
    states = Counter(finding["target"]["status"]["state"] for finding in results["findings"])
    print(f"valid OSCAL: {len(results['observations'])} observations, findings {dict(states)}")


def with_unicode_patterns(schema):
    """The validator with `regex`, as Python's own `re` does not know the classes of letters that the patterns have."""

    def pattern(validator, wanted, instance, _):
        if validator.is_type(instance, "string") and not regex.search(wanted, instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match {wanted!r}")

    return jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": pattern})(schema)


def check_ocsf(events):
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))
    counts = Counter(event["class_uid"] for event in events)
    assert set(counts) == set(CLASSES), counts
    for number, name in CLASSES.items():
        validator = jsonschema.Draft202012Validator(schemas.get_class_schema(name, profiles=["cloud"]))
        of_class = [event for event in events if event["class_uid"] == number]
        for event in of_class:
            validator.validate(event)
        # The schema is one that refuses.
        assert not validator.is_valid({**of_class[0], "severity_id": 7})
        assert not validator.is_valid({**of_class[0], "unheard_of": 1})
    print(f"valid OCSF: {dict(sorted(counts.items()))}")


def check_workbook(workbook, record):
    for exhibit in record["exhibits"]:
        sheet = workbook[exhibit["id"][:31]]
        header, *rows = sheet.iter_rows()
        assert [cell.value for cell in header] == [column["name"] for column in exhibit["columns"]], exhibit["id"]
        assert len(rows) == min(exhibit["rows"], MOST_ROWS), exhibit["id"]
        assert all(cell.data_type != "f" for row in rows for cell in row), exhibit["id"]
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref.startswith("A1:"), exhibit["id"]
    assert workbook.sheetnames[:5] == ["About", "Controls", "Tables", "coverage", "integrity"], workbook.sheetnames
    print(f"workbook: {len(workbook.sheetnames)} sheets")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
