//! The gate for pipelines: exit codes, findings in other programs' formats, permissions that are kept on purpose.

use std::path::Path;

use serde_json::Value;

use super::Sample;
use super::sample;
use crate::support::process::Ended;

fn run(sample: &Sample, arguments: &[&str]) -> Ended {
    sample.run_for_two_weeks("diff", arguments)
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn gate_closes_for_unused_permissions_and_roles_and_lets_used_ones_pass() {
    let sample = sample();
    let code = |principal: &str, fail_on: &str| {
        let ended = run(
            &sample,
            &["--principal", principal, "--fail-on", fail_on, "--limit", "0"],
        );
        (ended.code, ended.stderr.contains("the gate is closed"))
    };
    assert_eq!(code("*/legacy/report-export", "never-used-role"), (3, true));
    assert_eq!(code("payments-task", "never-used-role"), (0, false));
    assert_eq!(code("payments-task", "unused"), (3, true));
    // Nobody can edit the roles of services.
    assert_eq!(code("AWSServiceRoleForSSO", "unused"), (0, false));
}

#[test]
fn gate_counts_all_principals_whatever_the_rows_show() {
    let sample = sample();
    let ended = run(
        &sample,
        &["--limit", "1", "--fail-on", "never-used-role", "--output", "csv"],
    );
    assert_eq!((ended.code, ended.stdout.lines().count()), (3, 2), "{}", ended.stderr);
    // Short windows prove nothing: nothing closes the gate, and it does not let pass what it could not see.
    let short = sample.run(&["diff", "--fail-on", "unused", "--output", "csv"]);
    assert_eq!(short.code, 4, "{}", short.stderr);
}

#[test]
fn allow_list_keeps_and_says_what_no_longer_counts() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let entry = |principal: &str, expires: &str| {
        format!("[[keep]]\nprincipal = '{principal}'\naction = '*'\nreason = 'yearly report'\nexpires = {expires}\n")
    };
    let keep = written(folder.path(), "keep.toml", &entry("report-export", "9999-12-30"));
    let gate = [
        "--principal",
        "report-export",
        "--fail-on",
        "unused",
        "--fail-on",
        "never-used-role",
    ];
    let kept = run(
        &sample,
        &[
            &gate[..],
            &["--allow", &keep, "--detail", "--verdict", "unused", "--output", "json"],
        ]
        .concat(),
    );
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    let rows: Vec<Value> = serde_json::from_str(&kept.stdout).unwrap();
    assert!(!rows.is_empty());
    for row in &rows {
        assert_eq!(row["kept_because"], "yearly report (until 9999-12-30)");
    }
    let expired = written(folder.path(), "expired.toml", &entry("report-export", "2020-01-31"));
    let closed = run(&sample, &[&gate[..], &["--allow", &expired]].concat());
    assert_eq!(closed.code, 3);
    assert!(closed.stderr.contains("expired on 2020-01-31"), "{}", closed.stderr);
    let idle = written(folder.path(), "idle.toml", &entry("nobody", "9999-12-30"));
    let told = run(&sample, &["--allow", &idle, "--limit", "0"]);
    assert!(
        told.stderr.contains("entry 1 of the allow-list matches no permission"),
        "{}",
        told.stderr
    );
    let wrong = written(folder.path(), "wrong.toml", "[[keep]]\nprincipal = 'x'\n");
    let refused = run(&sample, &["--allow", &wrong]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("missing field"), "{}", refused.stderr);
}

#[test]
fn sarif_has_each_finding_once_and_the_same_bytes_again() {
    let sample = sample();
    let arguments = ["--account", "111122223333", "--output", "sarif"];
    let first = run(&sample, &arguments);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(first.stdout, run(&sample, &arguments).stdout);
    let document: Value = serde_json::from_str(&first.stdout).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    let prints: std::collections::BTreeSet<&str> = results
        .iter()
        .map(|result| result["partialFingerprints"]["trimtrailFinding/v1"].as_str().unwrap())
        .collect();
    assert_eq!(prints.len(), results.len());
    let never: Vec<&str> = results
        .iter()
        .filter(|result| result["ruleId"] == "never-used-role")
        .map(|result| {
            result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert!(
        never.contains(&"arn:aws:iam::111122223333:role/legacy/report-export"),
        "{never:?}"
    );
}

#[test]
fn annotations_are_one_command_per_finding() {
    let sample = sample();
    let ended = run(&sample, &["--principal", "payments-task", "--output", "github"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.lines().count() > 1);
    for line in ended.stdout.lines() {
        let known = ["::error title=", "::warning title=", "::notice title="];
        assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
    }
    let shaped = run(&sample, &["--output", "github", "--detail"]);
    assert_eq!((shaped.code, shaped.stdout.as_str()), (2, ""), "{}", shaped.stderr);
}

#[test]
fn findings_are_rows_too() {
    let sample = sample();
    let ended = run(
        &sample,
        &["--principal", "report-export", "--findings", "--output", "json"],
    );
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["finding"], "never-used-role");
    assert!(!rows[0]["since"].is_null() && !rows[0]["facts_date"].is_null());
    assert_eq!(rows[0]["source"], "usage");
}

#[test]
fn permission_sets_and_service_accounts_are_found_across_accounts() {
    let sample = sample();
    let rows = |arguments: &[&str]| -> Vec<Value> {
        let ended = run(&sample, &[arguments, &["--output", "json"]].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let sets = rows(&["--group-by", "permission-set"]);
    let names: Vec<&str> = sets.iter().map(|row| row["group"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "AdministratorAccess",
            "BillingAccess",
            "DeveloperAccess",
            "ReadOnlyAccess"
        ]
    );
    assert_eq!(
        (&sets[0]["account_count"], &sets[1]["activity"]),
        (&2.into(), &"never-used".into())
    );
    let used = rows(&["--group-by", "permission-set", "--detail", "--verdict", "used"]);
    assert!(
        used.iter()
            .all(|row| row["verdict"] == "used" && row["used_by"].as_i64().unwrap() > 0)
    );
    let accounts = rows(&["--group-by", "service-account"]);
    let names: Vec<&str> = accounts.iter().map(|row| row["group"].as_str().unwrap()).collect();
    assert_eq!(names, ["shop:inventory"]);
    assert_eq!(rows(&["--group-by", "account"]).len(), 5);
    let refused = run(&sample, &["--group-by", "account", "--detail"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
}

#[test]
fn page_holds_every_principal_and_nothing_that_runs() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let ended = run(&sample, &["-o", path.to_str().unwrap()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    let page = std::fs::read_to_string(&path).unwrap();
    for arn in sample.expected["principals"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|arn| arn.contains(":role/"))
    {
        let shown = arn.replace('/', "&#x2f;");
        assert!(page.contains(&shown) || page.contains(arn.as_str()), "{arn}");
    }
    assert!(!page.contains("<script"));
    assert_eq!(page.matches("<details id=").count(), page.matches("</details>").count());
}

#[test]
fn told_selectors_reach_the_verdicts() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let arn = "arn:aws:cloudtrail:us-east-1:123456789012:trail/example-org-trail";
    let selectors = format!(
        r#"{{"TrailARN":"{arn}","EventSelectors":[{{"ReadWriteType":"All","IncludeManagementEvents":true,
        "DataResources":[{{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::elsewhere/"]}}]}}]}}"#
    );
    let described =
        format!(r#"{{"trailList":[{{"TrailARN":"{arn}","IsMultiRegionTrail":true,"IsOrganizationTrail":true}}]}}"#);
    written(folder.path(), "selectors.json", &selectors);
    written(folder.path(), "trails.json", &described);
    let detail = ["--principal", "payments-task", "--detail", "--output", "json"];
    let verdict = |arguments: &[&str]| {
        let ended = run(&sample, &[&detail[..], arguments].concat());
        let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        let row = rows.iter().find(|row| row["action"] == "s3:DeleteObject").unwrap();
        row["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&[]), "unused");
    assert_eq!(
        verdict(&["--event-selectors", folder.path().to_str().unwrap()]),
        "unknown"
    );
}
