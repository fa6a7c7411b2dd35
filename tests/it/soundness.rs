//! What must never let a permission pass for unused: cut-off snapshots, regions that were left out, late grants, conditions
//! that cannot be read.

mod lost_logs;
mod names;
mod organization;
mod other_ways;
mod permission_sets;
mod snapshots;

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::support::process::Ended;
use crate::support::process::Place;
use crate::support::process::run;

const ACCOUNT: &str = "111122223333";
const DAYS: i64 = 40;

/// A call of a role on the n-th day after 2026-08-01, recorded in a region.
fn event(id: i64, day: i64, region: &str, (role, source, name): (&str, &str, &str), parameters: &Value) -> Value {
    let date = jiff::civil::date(2026, 8, 1)
        .checked_add(jiff::Span::new().days(day))
        .unwrap();
    let issuer = json!({"type": "Role", "principalId": format!("AROA{role}"), "accountId": ACCOUNT, "userName": role,
        "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}")});
    json!({
        "eventVersion": "1.09", "eventTime": format!("{date}T03:00:00Z"), "eventSource": source, "eventName": name,
        "awsRegion": region, "eventID": format!("00000000-0000-0000-0000-{id:012}"), "eventType": "AwsApiCall",
        "readOnly": name.starts_with("Describe"), "managementEvent": true, "eventCategory": "Management",
        "recipientAccountId": ACCOUNT, "requestParameters": parameters, "sourceIPAddress": "203.0.113.5",
        "userIdentity": {"type": "AssumedRole", "principalId": format!("AROA{role}:s"), "accountId": ACCOUNT,
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/s"), "sessionContext": {"sessionIssuer": issuer}},
    })
}

/// Calls of a role `base` on every day in two regions.
fn everyday() -> Vec<Value> {
    let mut events = Vec::new();
    for day in 0..DAYS {
        for (index, region) in [(0, "eu-west-1"), (1, "us-east-1")] {
            for (call, name) in [(0, "DescribeVpcs"), (1, "CreateTags")] {
                let call_of_base = ("base", "ec2.amazonaws.com", name);
                events.push(event(day * 4 + index * 2 + call, day, region, call_of_base, &json!({})));
            }
        }
    }
    events
}

/// A role that principals of its account may take.
fn role(name: &str, statements: &Value) -> Value {
    let own = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        "Path": "/", "CreateDate": "2024-01-01T00:00:00Z", "AssumeRolePolicyDocument": trust(&own),
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}], "AttachedManagedPolicies": []})
}

fn trust(principal: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})
}

fn allow(actions: &Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn page(roles: &[Value], marker: Option<&str>) -> Value {
    json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": [],
        "IsTruncated": marker.is_some(), "Marker": marker})
}

struct Estate {
    place: Place,
}

impl Estate {
    fn new(events: &[Value]) -> Self {
        let place = Place::new();
        place.write("a.json", json!({"Records": events}).to_string().as_bytes());
        assert_eq!(place.ingest(&[]).code, 0);
        std::fs::create_dir(place.folder().join("iam")).unwrap();
        Self { place }
    }

    fn file(&self, name: &str, content: &Value) -> PathBuf {
        let path = self.place.folder().join("iam").join(name);
        std::fs::write(&path, content.to_string()).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        run(&self.place.store(), arguments)
    }

    fn import(&self, source: &Path, taken_at: &str) -> Ended {
        self.run(&["iam", "import", source.to_str().unwrap(), "--taken-at", taken_at])
    }

    fn import_all(&self) -> Ended {
        self.import(&self.place.folder().join("iam"), "2026-09-15")
    }

    fn region_policy(&self, more: &[&str]) -> Ended {
        self.run(&[&["guardrail", "region-scp"], more].concat())
    }

    /// `role action verdict reason` of the permissions of all roles but `base`, and how the diff ended.
    fn verdicts(&self) -> (Vec<String>, Ended) {
        let ended = self.run(&["diff", "--detail", "--output", "json"]);
        let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let shown = rows.iter().map(|row| {
            let arn = text(row, "principal_arn");
            let name = arn.rsplit('/').next().unwrap_or_default();
            let verdict = (text(row, "action"), text(row, "verdict"), text(row, "reason"));
            format!("{name} {} {} {}", verdict.0, verdict.1, verdict.2)
                .trim_end()
                .to_owned()
        });
        (shown.filter(|row| !row.starts_with("base ")).collect(), ended)
    }
}

fn vpcs() -> Value {
    json!([allow(&json!(["ec2:DescribeVpcs", "ec2:DescribeSubnets"]))])
}

#[test]
fn pages_in_several_files_are_one_snapshot() {
    let estate = Estate::new(&everyday());
    estate.file("page-2.json", &page(&[role("a", &vpcs())], Some("x")));
    estate.file("page-9.json", &page(&[role("b", &vpcs())], Some("y")));
    estate.file("page-10.json", &page(&[role("base", &vpcs())], None));
    let imported = estate.import_all();
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    assert!(imported.stdout.contains("1 listed = 1 imported"), "{}", imported.stdout);
    let (verdicts, ended) = estate.verdicts();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let unused =
        ["a", "b"].map(|role| ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|it| format!("{role} {it} unused")));
    assert_eq!(verdicts, unused.concat());
    let again = estate.import_all();
    assert!(
        again.stdout.contains("1 listed = 0 imported + 1 known"),
        "{}",
        again.stdout
    );
}

#[test]
fn page_without_its_next_one_leaves_the_account_unknown_whatever_came_later() {
    for last in [None, Some("2026-09-14"), Some("2026-09-15"), Some("2026-09-16")] {
        let estate = Estate::new(&everyday());
        let first = estate.file("first.json", &page(&[role("a", &vpcs())], Some("x")));
        let imported = estate.import(&first, "2026-09-15");
        assert_eq!(imported.code, 4, "{}", imported.stderr);
        if let Some(taken_at) = last {
            let rest = estate.file("rest.json", &page(&[role("b", &vpcs()), role("base", &vpcs())], None));
            estate.import(&rest, taken_at);
        }
        let (verdicts, ended) = estate.verdicts();
        assert_eq!(ended.code, 4, "{}", ended.stderr);
        let warning = format!("pages are missing from the IAM snapshot of {ACCOUNT}");
        assert!(ended.stderr.contains(&warning), "{last:?}: {}", ended.stderr);
        assert!(
            !verdicts.is_empty() && verdicts.iter().all(|row| row.contains(" unknown ")),
            "{verdicts:?}"
        );
        let whole = [role("a", &vpcs()), role("b", &vpcs()), role("base", &vpcs())];
        let whole = estate.file("whole.json", &page(&whole, None));
        estate.import(&whole, "2026-09-16");
        let (verdicts, ended) = estate.verdicts();
        assert_eq!(ended.code, 0, "{last:?}: {}", ended.stderr);
        assert!(verdicts.iter().all(|row| row.ends_with(" unused")), "{verdicts:?}");
    }
}

#[test]
fn pages_of_two_answers_are_not_mixed() {
    let estate = Estate::new(&everyday());
    estate.file("1.json", &page(&[role("a", &vpcs())], Some("x")));
    estate.file("2.json", &page(&[role("a", &vpcs())], Some("x")));
    estate.file("3.json", &page(&[role("b", &vpcs()), role("base", &vpcs())], None));
    let imported = estate.import_all();
    assert_eq!(imported.code, 4, "{}", imported.stderr);
    assert!(imported.stdout.contains("2 listed = 2 imported"), "{}", imported.stdout);
    // The second answer is whole and lists everyone of the first page again.
    assert_eq!(estate.verdicts().1.code, 0);
}

#[test]
fn grants_that_the_log_dates_inside_the_window_are_unknown_or_have_a_window_of_their_own() {
    let put = |id, day, role: &str| {
        let parameters = json!({"roleName": role, "policyName": "p"});
        let call = ("base", "iam.amazonaws.com", "PutRolePolicy");
        event(id, day, "us-east-1", call, &parameters)
    };
    let mut events = everyday();
    events.extend([put(900, 35, "late"), put(901, 5, "early")]);
    let mut failed = put(902, 35, "failed");
    failed["errorCode"] = json!("AccessDenied");
    events.push(failed);
    let estate = Estate::new(&events);
    let roles = ["base", "early", "failed", "late"].map(|name| role(name, &vpcs()));
    estate.file("a.json", &page(&roles, None));
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, _) = estate.verdicts();
    let late = "unknown granted 4 days before the end of the window, 30 are needed";
    let expected = [("early", "unused"), ("failed", "unused"), ("late", late)];
    let expected = expected.map(|(role, verdict)| {
        ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|action| format!("{role} {action} {verdict}"))
    });
    assert_eq!(verdicts, expected.concat());
    let since = "select distinct since from granted_and_used() where principal_arn like '%/early'";
    assert_eq!(estate.place.sql(since)[0]["since"], "2026-08-06T03:00:00Z");
}

#[test]
fn policies_are_tried_on_what_came_behind_the_window_too() {
    let late = |day| {
        event(
            900 + day,
            day,
            "eu-west-1",
            ("r", "ec2.amazonaws.com", "DescribeSubnets"),
            &json!({}),
        )
    };
    let estate = Estate::new(&everyday().into_iter().chain((35..39).map(late)).collect::<Vec<_>>());
    estate.file("a.json", &page(&[role("r", &vpcs()), role("base", &vpcs())], None));
    assert_eq!(estate.import_all().code, 0);
    let ended = estate.run(&["policy", "--principal", "r", "--until", "2026-09-04"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("up to the end of the logs"), "{ended:?}");
    assert!(ended.stderr.contains("ec2:DescribeSubnets in eu-west-1"), "{ended:?}");
}

#[test]
fn service_of_which_a_part_was_granted_late_is_told_for_the_time_from_then_on() {
    let call = ("base", "iam.amazonaws.com", "PutRolePolicy");
    let mut events = everyday();
    let parameters = json!({"roleName": "r", "policyName": "p"});
    events.push(event(901, 5, "us-east-1", call, &parameters));
    let estate = Estate::new(&events);
    let mut mixed = role("r", &json!([allow(&json!("ec2:DescribeVpcs"))]));
    let statements = json!([allow(&json!("ec2:DescribeSubnets"))]);
    let policies = mixed["RolePolicyList"].as_array_mut().unwrap();
    policies.push(json!({"PolicyName": "q", "PolicyDocument": {"Statement": statements}}));
    estate.file("a.json", &page(&[role("base", &vpcs()), mixed], None));
    assert_eq!(estate.import_all().code, 0);
    let rows = estate.place.rows(&["query", "service-last-used"]);
    let row = rows
        .iter()
        .find(|row| row["principal_arn"].as_str().unwrap().ends_with("/r"))
        .unwrap();
    assert_eq!((&row["verdict"], &row["unused"]), (&json!("unused"), &json!(2)));
    assert_eq!(row["since"], "2026-08-06T03:00:00Z");
}

#[test]
fn way_to_act_that_came_late_leaves_those_whom_nobody_saw_unknown() {
    let key = |id, user: &str, status: &str| {
        let parameters = json!({"userName": user, "accessKeyId": "AKIAEXAMPLE", "status": status});
        let call = ("base", "iam.amazonaws.com", "UpdateAccessKey");
        event(id, 35, "us-east-1", call, &parameters)
    };
    let pods = json!({"clusterName": "c", "namespace": "n", "serviceAccount": "s",
        "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/team/pods")});
    let call = ("base", "eks.amazonaws.com", "CreatePodIdentityAssociation");
    let mut events = everyday();
    events.extend([
        key(900, "back", "Active"),
        key(901, "off", "Inactive"),
        event(902, 35, "eu-west-1", call, &pods),
    ]);
    let estate = Estate::new(&events);
    let user = |name: &str| {
        json!({"UserName": name, "UserId": format!("AIDA{name}"), "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
            "Path": "/", "CreateDate": "2024-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": vpcs()}}]})
    };
    let mut snapshot = page(&["base", "pods"].map(|name| role(name, &vpcs())), None);
    snapshot["UserDetailList"] = json!(["back", "off"].map(user));
    estate.file("a.json", &snapshot);
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, _) = estate.verdicts();
    let late = "unknown granted 4 days before the end of the window, 30 are needed";
    let expected = [("pods", late), ("back", late), ("off", "unused")];
    let expected = expected.map(|(name, verdict)| {
        ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|action| format!("{name} {action} {verdict}"))
    });
    assert_eq!(verdicts, expected.concat());
}

/// Roles and a user of whom IAM was told something after the snapshot, by what was called.
fn changed_later() -> Vec<Value> {
    let managed = |name: &str| format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
    let calls = [
        ("PutRolePolicy", json!({"roleName": "put", "policyName": "p"})),
        ("DeleteRolePolicy", json!({"roleName": "deleted", "policyName": "p"})),
        (
            "AttachRolePolicy",
            json!({"roleName": "other", "policyArn": managed("attached")}),
        ),
        (
            "CreatePolicyVersion",
            json!({"policyArn": managed("versioned"), "setAsDefault": true}),
        ),
        ("PutGroupPolicy", json!({"groupName": "g", "policyName": "p"})),
        ("UpdateUser", json!({"userName": "same", "newPath": "/"})),
        ("UpdateRole", json!({"roleName": "described"})),
    ];
    let mut events: Vec<Value> = (900..)
        .zip(calls)
        .map(|(id, (name, parameters))| event(id, 36, "us-east-1", ("base", "iam.amazonaws.com", name), &parameters))
        .collect();
    let parameters = json!({"roleName": "denied", "policyName": "p"});
    let call = ("base", "iam.amazonaws.com", "PutRolePolicy");
    let mut denied = event(990, 36, "us-east-1", call, &parameters);
    denied["errorCode"] = json!("AccessDenied");
    let before = json!({"roleName": "before", "policyName": "p"});
    events.extend([denied, event(991, 2, "us-east-1", call, &before)]);
    events
}

/// The snapshot before that: roles with policies of their own and managed ones, and users, one of them in a group.
fn holders() -> Value {
    let with_managed = |name: &str| {
        let mut role = role(name, &vpcs());
        role["RolePolicyList"] = json!([]);
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        role["AttachedManagedPolicies"] = json!([{"PolicyName": name, "PolicyArn": arn}]);
        let version = json!({"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2024-01-01T00:00:00Z",
            "Document": {"Statement": vpcs()}});
        let policy = json!({"PolicyName": name, "Arn": arn, "Path": "/", "DefaultVersionId": "v1",
            "CreateDate": "2024-01-01T00:00:00Z", "PolicyVersionList": [version]});
        (role, policy)
    };
    let mut roles = ["base", "before", "deleted", "denied", "described", "put"]
        .map(|name| role(name, &vpcs()))
        .to_vec();
    let (managed_roles, policies): (Vec<Value>, Vec<Value>) =
        ["attached", "versioned"].map(with_managed).into_iter().unzip();
    roles.extend(managed_roles);
    let mut answer = page(&roles, None);
    answer["Policies"] = json!(policies);
    answer["GroupDetailList"] = json!([{"GroupName": "g", "GroupId": "AGPAG", "Path": "/",
        "Arn": format!("arn:aws:iam::{ACCOUNT}:group/g"), "CreateDate": "2024-01-01T00:00:00Z",
        "AttachedManagedPolicies": [],
        "GroupPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": vpcs()}}]}]);
    let user = |name: &str, groups: Value| {
        json!({"UserName": name, "UserId": format!("AIDA{name}"), "Path": "/", "GroupList": groups,
            "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "CreateDate": "2024-01-01T00:00:00Z",
            "AttachedManagedPolicies": [], "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": vpcs()}}]})
    };
    answer["UserDetailList"] = json!([user("member", json!(["g"])), user("same", json!([]))]);
    answer
}

#[test]
fn documents_that_changed_after_the_snapshot_are_unknown_and_not_edited() {
    let mut events = everyday();
    events.extend(changed_later());
    let estate = Estate::new(&events);
    let file = estate.file("a.json", &holders());
    assert_eq!(estate.import(&file, "2026-09-05").code, 0);

    let rows = estate.place.sql(
        "select split_part(principal_arn, '/', 2) as name, verdict, reason, count(*) as actions from granted_and_used()
         where principal_arn not like '%/base' group by 1, 2, 3 order by 1, 2, 3",
    );
    let shown = rows.iter().map(|row| {
        let text = |column: &str| row[column].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("name"), text("verdict"), text("reason"))
    });
    let changed = "its policy was changed after the IAM snapshot was taken: import a new one";
    let wanted = [
        ("attached", "unknown"),
        ("before", "unused"),
        ("deleted", "unknown"),
        ("denied", "unused"),
        ("described", "unused"),
        ("member", "unknown"),
        ("member", "unused"),
        ("put", "unknown"),
        ("same", "unused"),
        ("versioned", "unknown"),
    ];
    let wanted = wanted.map(|(name, verdict)| {
        let reason = if verdict == "unknown" { changed } else { "" };
        format!("{name} {verdict} {reason}")
    });
    assert_eq!(shown.collect::<Vec<_>>(), wanted);

    let ended = estate.run(&["policy", "--principal", "*", "--format", "diff"]);
    let messages = ended.stderr.replace("\n  ", " ");
    assert_eq!(ended.code, 4, "{messages}");
    let refused: Vec<&str> = messages
        .lines()
        .filter(|line| line.contains("changed at 2026-09-06T03:00:00Z, after the IAM snapshot was taken"))
        .filter_map(|line| line.split('`').nth(1)?.rsplit('/').next())
        .collect();
    assert_eq!(
        refused,
        ["attached", "deleted", "put", "versioned", "member"],
        "{messages}"
    );
    for name in ["attached", "deleted", "put", "versioned"] {
        let line = format!("role/{name}: 0 to edit, 0 to create, 0 to remove, 0 to keep");
        assert!(messages.contains(&line), "{messages}");
    }
    assert!(
        messages.contains("role/denied: 0 to edit, 0 to create, 1 to remove"),
        "{messages}"
    );
}

#[test]
fn entries_of_the_allow_list_that_keep_nothing_are_named_by_policy_too() {
    let estate = Estate::new(&everyday());
    estate.file("a.json", &page(&[role("r", &vpcs()), role("base", &vpcs())], None));
    estate.import_all();
    let keep = estate.place.folder().join("keep.toml");
    let entry = |principal: &str, action: &str| {
        format!("[[keep]]\nprincipal = '{principal}'\naction = '{action}'\nreason = 'x'\nexpires = 9999-12-30\n")
    };
    let entries = [
        entry("r", "ec2:DescribeVpcs"),
        entry("nobody", "*"),
        entry("r", "s3:GetObject"),
    ];
    std::fs::write(&keep, entries.concat()).unwrap();
    let policy = |principal: &str| {
        let keep = keep.to_str().unwrap();
        let ended = estate.run(&["policy", "--principal", principal, "--allow", keep, "--format", "json"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended
    };
    let all = policy("*");
    let named = |number: usize| {
        all.stderr
            .contains(&format!("entry {number} of the allow-list matches no permission"))
    };
    assert_eq!([1, 2, 3].map(named), [false, true, true], "{}", all.stderr);
    // Of one principal alone nobody can tell what the entries are about.
    let one = policy("r");
    assert!(!one.stderr.contains("matches no permission"), "{}", one.stderr);
    assert!(one.stdout.contains("ec2:DescribeVpcs"), "{}", one.stdout);
}

#[test]
fn condition_that_cannot_be_read_is_named_and_its_permissions_are_unknown() {
    let mut odd = allow(&json!("ec2:DescribeVpcs"));
    odd["Sid"] = json!("Odd");
    odd["Condition"] = json!({"StringMatches": {"aws:RequestedRegion": "eu-*"}});
    let mut known = allow(&json!("ec2:DescribeSubnets"));
    known["Condition"] = json!({"foranyvalue:stringlikeifexists": {"aws:RequestedRegion": "eu-*"}});
    let estate = Estate::new(&everyday());
    estate.file(
        "a.json",
        &page(&[role("r", &json!([odd, known])), role("base", &vpcs())], None),
    );
    estate.import_all();
    let (verdicts, ended) = estate.verdicts();
    assert_eq!(
        verdicts,
        [
            "r ec2:DescribeVpcs unknown condition operator `StringMatches` is unknown: it may hold always or never",
            "r ec2:DescribeSubnets unused",
        ]
    );
    let warning =
        format!("`arn:aws:iam::{ACCOUNT}:role/r`: policy `p`, statement 1 `Odd`: condition operator `StringMatches`");
    let line = ended.stderr.replace("\n  ", " ");
    assert!(line.contains(&warning), "{line}");
}

#[test]
fn regions_that_ingest_left_out_limit_what_is_unused() {
    let place = Place::new();
    for day in 0..DAYS {
        for (index, region) in [(0, "eu-west-1"), (1, "us-east-1"), (2, "ap-south-1")] {
            let events = [(0, "DescribeVpcs"), (1, "CreateTags")].map(|(call, name)| {
                let id = day * 6 + index * 2 + call;
                event(id, day, region, ("base", "ec2.amazonaws.com", name), &json!({}))
            });
            let date = jiff::civil::date(2026, 8, 1)
                .checked_add(jiff::Span::new().days(day))
                .unwrap();
            let folder = format!("AWSLogs/{ACCOUNT}/CloudTrail/{region}/{}", date.strftime("%Y/%m/%d"));
            std::fs::create_dir_all(place.logs().join(&folder)).unwrap();
            let name = format!(
                "{ACCOUNT}_CloudTrail_{region}_{}T0305Z_abcdefghijklmnop.json",
                date.strftime("%Y%m%d")
            );
            place.write(
                &format!("{folder}/{name}"),
                json!({"Records": events}).to_string().as_bytes(),
            );
        }
    }
    assert_eq!(
        place.ingest(&["--region", "us-east-1", "--region", "eu-west-1"]).code,
        0
    );
    std::fs::create_dir(place.folder().join("iam")).unwrap();
    let estate = Estate { place };
    estate.file("a.json", &page(&[role("r", &vpcs()), role("base", &vpcs())], None));
    estate.import_all();
    let (verdicts, _) = estate.verdicts();
    let unknown = "unknown regions were left out when the account's logs were read (`ingest --region`)";
    let row = |verdict: &str| ["ec2:DescribeSubnets", "ec2:DescribeVpcs"].map(|action| format!("r {action} {verdict}"));
    assert_eq!(verdicts, row(unknown));
    let selected = estate.place.sql("select distinct selected_regions from objects");
    assert_eq!(selected, [json!({"selected_regions": "eu-west-1,us-east-1"})]);
    // Nor is a region forbidden then of which nothing was read, unless its user says so.
    let ended = estate.region_policy(&[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("(regions-not-ingested)"), "{}", ended.stderr);
    let ended = estate.region_policy(&["--region", "eu-west-1", "--region", "us-east-1"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stdout.contains("aws:RequestedRegion"), "{}", ended.stderr);
    assert_eq!(estate.place.ingest(&[]).code, 0);
    assert_eq!(estate.verdicts().0, row("unused"));
    // All is there but data events.
    let ended = estate.region_policy(&[]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(!ended.stderr.contains("(regions-not-ingested)"), "{}", ended.stderr);
    assert!(ended.stdout.contains("ap-south-1"), "{}", ended.stdout);
}

#[test]
fn regions_are_forbidden_only_where_a_use_of_them_would_have_been_seen() {
    let mut events = everyday();
    let estate = Estate::new(&events);
    let ended = estate.region_policy(&["--min-window", "60d"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("(window-too-short)"), "{}", ended.stderr);
    events.retain(|event| event["awsRegion"] == "eu-west-1");
    let estate = Estate::new(&events);
    let ended = estate.region_policy(&[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("(one-region)"), "{}", ended.stderr);
    // Ten of forty days lack.
    let mut events = everyday();
    events.retain(|event| !event["eventTime"].as_str().unwrap().starts_with("2026-08-1"));
    let estate = Estate::new(&events);
    let ended = estate.region_policy(&[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("(coverage-too-low)"), "{}", ended.stderr);
    let ended = estate.run(&["guardrail", "service-deny"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""), "{}", ended.stderr);
    let ended = estate.region_policy(&["--min-coverage", "0.5"]);
    assert!(ended.stdout.contains("us-east-1"), "{}", ended.stderr);
}

/// Everyday calls, those of `a` in the logs of another account, nameless ones of `b`, and those of a stranger.
fn calls_by_id_alone() -> Vec<Value> {
    let mut events = everyday();
    let taken = json!({"roleArn": "arn:aws:iam::444455556666:role/x", "roleSessionName": "s"});
    for day in 0..DAYS {
        // The role's own account does not record the call; the other one knows no more of the caller than this.
        let mut foreign = event(
            1_000 + day,
            day,
            "eu-west-1",
            ("a", "sts.amazonaws.com", "AssumeRole"),
            &taken,
        );
        foreign["recipientAccountId"] = json!("444455556666");
        foreign["userIdentity"] = json!({"type": "AWSAccount", "principalId": "AROAa:s", "accountId": ACCOUNT});
        let mut nameless = event(
            2_000 + day,
            day,
            "eu-west-1",
            ("b", "ec2.amazonaws.com", "DescribeVpcs"),
            &json!({}),
        );
        nameless["userIdentity"] = json!({"type": "AssumedRole", "principalId": "AROAb:s", "accountId": ACCOUNT});
        let mut stranger = foreign.clone();
        stranger["eventID"] = json!(format!("00000000-0000-0000-0000-{:012}", 3_000 + day));
        stranger["userIdentity"]["principalId"] = json!("AROAstranger:s");
        events.extend([foreign, nameless, stranger]);
    }
    events
}

#[test]
fn calls_that_name_the_caller_by_its_id_alone_are_its_uses() {
    let estate = Estate::new(&calls_by_id_alone());
    let statements = json!([allow(&json!(["ec2:DescribeVpcs", "sts:AssumeRole"]))]);
    let roles = ["a", "b", "base"].map(|name| role(name, &statements));
    estate.file("page.json", &page(&roles, None));
    assert_eq!(estate.import_all().code, 0);
    let (verdicts, ended) = estate.verdicts();
    let warning = "there is no IAM snapshot of 444455556666";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    let expected = [
        "a ec2:DescribeVpcs unused",
        "a sts:AssumeRole used",
        "b ec2:DescribeVpcs used",
        "b sts:AssumeRole unused",
    ];
    assert_eq!(verdicts, expected);

    let generated = estate.run(&["policy", "--principal", "a", "--mode", "generate"]);
    assert!(
        generated.stdout.contains("arn:aws:iam::444455556666:role/x"),
        "{}",
        generated.stdout
    );
    let other = json!({"Statement": [allow(&json!("ec2:DescribeVpcs"))]});
    let policy = estate.file("other.policy", &other);
    for (role, denied) in [("a", "sts:AssumeRole"), ("b", "")] {
        let arguments = [
            "replay",
            "--policy",
            policy.to_str().unwrap(),
            "--principal",
            role,
            "--output",
            "json",
        ];
        let replayed = estate.run(&arguments);
        let rows: Vec<Value> = serde_json::from_str(&replayed.stdout).unwrap_or_else(|_| panic!("{}", replayed.stderr));
        let lost = rows.iter().filter(|row| row["outcome"] == "denied");
        let lost: Vec<&str> = lost.map(|row| row["action"].as_str().unwrap()).collect();
        assert_eq!(lost.join(" "), denied, "{}", replayed.stderr);
        assert!(
            replayed.stderr.contains(&format!("of {DAYS} calls")),
            "{}",
            replayed.stderr
        );
    }
}

#[test]
fn limit_of_the_diff_says_that_it_leaves_out_more() {
    let estate = Estate::new(&everyday());
    let roles = ["a", "b", "base"].map(|name| role(name, &vpcs()));
    estate.file("page.json", &page(&roles, None));
    assert_eq!(estate.import_all().code, 0);
    let note = |limit: &str| estate.run(&["diff", "--limit", limit]).stderr;
    assert!(note("2").contains("2 rows; --limit leaves out more\n"), "{}", note("2"));
    assert!(
        note("3").contains("\n3 rows\n") || note("3").starts_with("3 rows\n"),
        "{}",
        note("3")
    );
}

#[test]
fn diff_of_nothing_is_incomplete_and_says_why() {
    let mut event = event(
        1,
        1,
        "eu-west-1",
        ("base", "ec2.amazonaws.com", "DescribeVpcs"),
        &json!({}),
    );
    event["userIdentity"] = json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"});
    let estate = Estate::new(&[event]);
    let ended = estate.run(&["diff"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(!ended.stdout.contains("arn:"), "{}", ended.stdout);
    assert!(ended.stderr.contains("there is nothing to compare"), "{}", ended.stderr);
    // What is read by programs is well-formed, and yesterday's rows do not stay.
    let ended = estate.run(&["diff", "--output", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, rows.len()), (4, 0), "{}", ended.stderr);
    let file = estate.place.folder().join("rows.csv");
    std::fs::write(&file, "yesterday\n").unwrap();
    let ended = estate.run(&["diff", "--detail", "-o", file.to_str().unwrap()]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let rows = std::fs::read_to_string(&file).unwrap();
    assert!(
        rows.starts_with("principal_arn,") && rows.lines().count() == 1,
        "{rows}"
    );
}

#[test]
fn arguments_that_mean_nothing_are_refused() {
    let estate = Estate::new(&everyday());
    for (call, message) in [
        (
            "granted_and_used(null, null, -5)",
            "`min_window_days` is a number of days, 0 or more, not -5",
        ),
        ("principal_summary(1)", "a moment is a time or a text"),
    ] {
        let ended = estate.run(&["sql", &format!("select count(*) from {call}")]);
        assert_ne!(ended.code, 0, "{call}");
        let line = ended.stderr.replace("\n  ", " ");
        assert!(line.contains(message), "{line}");
    }
}
