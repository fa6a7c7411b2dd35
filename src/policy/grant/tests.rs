use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::super::estate::TakenSnapshot;
use super::super::snapshot;
use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/r";
const BOUNDARY: &str = "arn:aws:iam::111122223333:policy/edge";

fn allow(actions: impl Serialize) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn deny(actions: impl Serialize) -> Value {
    json!({"Effect": "Deny", "Action": actions, "Resource": "*"})
}

/// An account with one role that has these statements.
fn account(statements: &[Value]) -> Value {
    json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{
        "RoleName": "r", "Arn": ROLE, "Path": "/", "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}],
    }]})
}

fn with_boundary(mut account: Value, statements: &[Value]) -> Value {
    account["RoleDetailList"][0]["PermissionsBoundary"] = json!({"PermissionsBoundaryArn": BOUNDARY});
    account["Policies"] = json!([{"PolicyName": "edge", "Arn": BOUNDARY, "DefaultVersionId": "v1",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": statements}}]}]);
    account
}

/// A root, a unit and the account, each with a control policy; `unit` is that of the unit.
fn organization(unit: &[Value]) -> Value {
    let all = [allow("*")];
    let policy = |id: &str, target: &str, statements: &[Value]| {
        json!({
            "PolicySummary": {"Arn": format!("arn:aws:organizations::1:policy/o-1/service_control_policy/{id}"),
                "Name": id, "Type": "SERVICE_CONTROL_POLICY"},
            "Content": json!({"Statement": statements}).to_string(),
            "Targets": [{"TargetId": target}],
        })
    };
    json!({"Organization": {"Id": "o-1", "MasterAccountId": "999988887777"},
        "Nodes": [{"Id": "r-1", "Type": "ROOT"}, {"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT", "ParentId": "r-1"},
            {"Id": "111122223333", "Type": "ACCOUNT", "ParentId": "ou-1"}],
        "Policies": [policy("p-root", "r-1", &all), policy("p-unit", "ou-1", unit), policy("p-own", "111122223333", &all)]})
}

fn taken(values: &[Value]) -> Vec<TakenSnapshot> {
    let snapshots = (1..).zip(values).map(|(taken_at, value)| TakenSnapshot {
        taken_at,
        source_id: format!("source {taken_at}"),
        snapshot: snapshot::read(value.to_string().as_bytes()).unwrap(),
    });
    snapshots.collect()
}

/// Runs a check on the permissions of the only caller.
fn check(values: &[Value], check: impl Fn(&Permissions<'_>)) {
    let snapshots = taken(values);
    let estate = Estate::newest(&snapshots);
    let callers: Vec<Member<'_>> = estate.callers().collect();
    assert_eq!(callers.len(), 1);
    check(&Expander::new(Facts::embedded()).permissions(&estate, &callers[0]));
}

fn standing(permissions: &Permissions<'_>, action: &str) -> &'static str {
    let action = Facts::embedded().find(action).unwrap_or_else(|| panic!("{action}"));
    let standing = permissions.standing(action);
    let is_effective = permissions.effective.contains(action);
    let should_be = matches!(standing, Standing::Allowed | Standing::Restricted(_));
    assert_eq!(is_effective, should_be, "{standing:?}");
    match standing {
        Standing::Allowed => "allowed",
        Standing::Restricted(_) => "restricted",
        Standing::Denied(_) => "denied",
        Standing::OutsideBoundary => "outside-boundary",
        Standing::OutsideOrganization => "outside-organization",
        Standing::NotGranted => "not-granted",
    }
}

#[test]
fn wildcards_are_expanded_whatever_their_case() {
    check(
        &[account(&[allow(["S3:getobject*", "sqs:?endMessage"])])],
        |permissions| {
            assert_eq!(standing(permissions, "s3:GetObject"), "allowed");
            assert_eq!(standing(permissions, "s3:GetObjectVersion"), "allowed");
            assert_eq!(standing(permissions, "sqs:SendMessage"), "allowed");
            assert_eq!(standing(permissions, "s3:PutObject"), "not-granted");
            assert!(permissions.is_known());
            assert_eq!(permissions.grants[0].statement_number, 1);
        },
    );
}

#[test]
fn not_action_grants_everything_else() {
    let statement = json!({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"});
    check(&[account(&[statement])], |permissions| {
        assert_eq!(standing(permissions, "iam:CreateUser"), "not-granted");
        assert_eq!(standing(permissions, "ec2:RunInstances"), "allowed");
    });
}

#[test]
fn deny_takes_an_action_away_only_where_every_call_of_it_fails() {
    let on_one_bucket = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::vault/*"});
    let under_condition = json!({"Effect": "Deny", "Action": "sqs:*", "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    let on_others = json!({"Effect": "Deny", "Action": "sns:*", "NotResource": "arn:aws:sns:*:*:open"});
    let all_but = json!({"Effect": "Deny", "NotAction": ["s3:*", "sqs:*", "sns:*", "ec2:*"], "Resource": ["*"]});
    let statements = [
        allow("*"),
        on_one_bucket,
        under_condition,
        on_others,
        all_but,
        deny("ec2:Run*"),
    ];
    check(&[account(&statements)], |permissions| {
        assert_eq!(standing(permissions, "s3:GetObject"), "restricted");
        assert_eq!(standing(permissions, "sqs:SendMessage"), "restricted");
        assert_eq!(standing(permissions, "sns:Publish"), "restricted");
        assert_eq!(standing(permissions, "ec2:RunInstances"), "denied");
        assert_eq!(standing(permissions, "ec2:StopInstances"), "allowed");
        assert_eq!(standing(permissions, "iam:CreateUser"), "denied");
    });
}

#[test]
fn boundary_is_a_cap_and_grants_nothing() {
    let edge = [allow(["s3:*", "ec2:*"]), deny("s3:DeleteBucket")];
    let account = with_boundary(account(&[allow(["s3:*", "sqs:*"])]), &edge);
    check(&[account], |permissions| {
        assert_eq!(standing(permissions, "s3:GetObject"), "allowed");
        assert_eq!(standing(permissions, "s3:DeleteBucket"), "denied");
        assert_eq!(standing(permissions, "sqs:SendMessage"), "outside-boundary");
        assert_eq!(standing(permissions, "ec2:RunInstances"), "not-granted");
    });
}

#[test]
fn control_policies_must_allow_on_every_level_and_are_never_a_grant() {
    let account = account(&[allow("*")]);
    let unit = [
        json!({"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}),
        deny("cloudtrail:StopLogging"),
    ];
    check(&[account.clone(), organization(&unit)], |permissions| {
        assert_eq!(standing(permissions, "s3:GetObject"), "allowed");
        assert_eq!(standing(permissions, "sqs:SendMessage"), "outside-organization");
        assert_eq!(standing(permissions, "cloudtrail:StopLogging"), "denied");
    });
    let mut unbound = organization(&unit);
    unbound["Organization"]["MasterAccountId"] = json!("111122223333");
    check(&[account.clone(), unbound], |permissions| {
        assert_eq!(standing(permissions, "cloudtrail:StopLogging"), "allowed");
    });
    let mut service_linked = account;
    let role = &mut service_linked["RoleDetailList"][0];
    role["Path"] = json!("/aws-service-role/config.amazonaws.com/");
    let arn = role["Arn"].as_str().unwrap();
    role["Arn"] = json!(arn.replace(":role/", ":role/aws-service-role/config.amazonaws.com/"));
    check(&[service_linked, organization(&unit)], |permissions| {
        assert_eq!(standing(permissions, "sqs:SendMessage"), "allowed");
    });
}

#[test]
fn control_policies_that_are_not_all_known_bind_nobody() {
    let account = account(&[allow("*")]);
    let mut incomplete = organization(&[deny("sqs:*"), allow("s3:*")]);
    // A second policy of the unit, whose document is not there, may allow anything.
    let missing = json!({"PolicySummary": {"Arn": "arn:aws:organizations::1:policy/o-1/service_control_policy/p-gone",
        "Name": "gone", "Type": "SERVICE_CONTROL_POLICY"}, "Targets": [{"TargetId": "ou-1"}]});
    incomplete["Policies"].as_array_mut().unwrap().push(missing);
    check(&[account.clone(), incomplete], |permissions| {
        assert_eq!(standing(permissions, "ec2:RunInstances"), "allowed");
    });
    let mut without_root = organization(&[allow("s3:*")]);
    without_root["Nodes"].as_array_mut().unwrap().remove(0);
    check(&[account, without_root], |permissions| {
        assert_eq!(standing(permissions, "ec2:RunInstances"), "allowed");
    });
}

#[test]
fn sample_organization_is_bound_by_its_control_policies() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/iam");
    let files = [
        "111122223333/authorization-details.json",
        "123456789012/authorization-details.json",
        "organization/service-control-policies.json",
    ];
    let snapshots = (1..).zip(files).map(|(taken_at, file)| TakenSnapshot {
        taken_at,
        source_id: file.to_owned(),
        snapshot: snapshot::read(&std::fs::read(folder.join(file)).unwrap()).unwrap(),
    });
    let snapshots: Vec<TakenSnapshot> = snapshots.collect();
    let estate = Estate::newest(&snapshots);
    let mut expander = Expander::new(Facts::embedded());
    let mut standings = BTreeMap::new();
    for member in estate.callers() {
        let permissions = expander.permissions(&estate, &member);
        assert!(permissions.is_known(), "{:?}", permissions.gaps);
        let stands = ["cloudtrail:StopLogging", "s3:CreateBucket", "s3:GetObject"].map(|it| standing(&permissions, it));
        standings.insert(member.principal.arn.clone(), stands);
    }
    let jenkins = &standings["arn:aws:iam::111122223333:user/svc-jenkins"];
    assert_eq!(jenkins, &["not-granted", "restricted", "allowed"]);
    let is_bound = standings
        .iter()
        .filter(|(arn, _)| arn.contains("111122223333"))
        .all(|(_, stands)| stands[0] != "allowed");
    assert!(is_bound, "{standings:?}");
}

#[test]
fn user_has_what_its_groups_have() {
    let account = json!({"UserDetailList": [{"UserName": "u", "Arn": "arn:aws:iam::111122223333:user/u", "GroupList": ["g"],
        "AttachedManagedPolicies": []}], "GroupDetailList": [{"GroupName": "g", "AttachedManagedPolicies": [], "Arn": "arn:aws:iam::111122223333:group/team/g", "GroupPolicyList":
            [{"PolicyName": "p", "PolicyDocument": {"Statement": [allow("s3:GetObject"), {"Effect": "Odd"}]}}]}]});
    check(&[account], |permissions| {
        assert_eq!(standing(permissions, "s3:GetObject"), "allowed");
        assert_eq!(
            permissions.grants[0].group,
            Some("arn:aws:iam::111122223333:group/team/g")
        );
        assert_eq!(permissions.gaps.len(), 1, "{:?}", permissions.gaps);
        assert!(permissions.gaps[0].starts_with("group `arn:aws:iam::111122223333:group/team/g`: policy"));
    });
}

#[test]
fn unknown_actions_are_kept_and_told() {
    check(
        &[account(&[allow(["s3:GetObjct", "moon:*", "s3:GetObject", "s3"])])],
        |permissions| {
            assert_eq!(permissions.grants[0].unknown_patterns, ["s3:GetObjct", "moon:*", "s3"]);
            assert_eq!(permissions.grants[0].actions.len(), 1);
        },
    );
}

#[test]
fn what_cannot_be_read_makes_permissions_unknown() {
    check(
        &[account(&[allow("s3:*"), json!({"Effect": "Allow", "Action": 7})])],
        |permissions| {
            assert!(!permissions.is_known());
            assert_eq!(standing(permissions, "s3:GetObject"), "allowed");
        },
    );
    let without_resource = json!({"Effect": "Allow", "Action": "s3:*"});
    check(&[account(&[without_resource])], |permissions| {
        assert!(!permissions.is_known())
    });
    let odd_edge = with_boundary(account(&[allow("s3:*")]), &[json!({"Effect": "Allow", "Action": 7})]);
    check(&[odd_edge], |permissions| {
        assert!(!permissions.is_known());
        assert_eq!(standing(permissions, "s3:GetObject"), "allowed");
    });
}

#[test]
fn newest_snapshot_of_an_account_counts() {
    let (old, new) = (account(&[allow("s3:*")]), account(&[allow("sqs:*")]));
    check(&[old.clone(), new.clone()], |permissions| {
        assert_eq!(standing(permissions, "s3:GetObject"), "not-granted");
        assert_eq!(permissions.taken_at, 2);
    });
    let other = json!({"RoleDetailList": [{"RoleName": "x", "Arn": "arn:aws:iam::444455556666:role/x"}]});
    let snapshots = taken(&[old, other, new]);
    let callers: Vec<i64> = Estate::newest(&snapshots)
        .callers()
        .map(|member| member.taken_at)
        .collect();
    assert_eq!(callers, [3, 2]);
}

#[test]
fn great_policies_of_aws_are_expanded_rightly() {
    let mut account = account(&[]);
    let attached = |name: &str| json!([{"PolicyName": name, "PolicyArn": format!("arn:aws:iam::aws:policy/{name}")}]);
    let standings = |name: &str, account: &mut Value| -> Vec<&'static str> {
        account["RoleDetailList"][0]["AttachedManagedPolicies"] = attached(name);
        let snapshots = taken(std::slice::from_ref(account));
        let estate = Estate::newest(&snapshots);
        let member = estate.callers().next().unwrap();
        let permissions = Expander::new(Facts::embedded()).permissions(&estate, &member);
        assert!(permissions.is_known());
        let actions = [
            "ec2:RunInstances",
            "iam:CreateUser",
            "iam:ListRoles",
            "s3:ListAllMyBuckets",
        ];
        actions.map(|action| standing(&permissions, action)).to_vec()
    };
    let (yes, no) = ("allowed", "not-granted");
    assert_eq!(standings("AdministratorAccess", &mut account), [yes, yes, yes, yes]);
    assert_eq!(standings("PowerUserAccess", &mut account), [yes, no, yes, yes]);
    assert_eq!(standings("ReadOnlyAccess", &mut account), [no, no, yes, yes]);
}

#[test]
fn actions_that_begin_with_a_text_are_those_that_its_pattern_matches() {
    let facts = Facts::embedded();
    let expander = Expander::new(facts);
    for prefix in [
        "s3:",
        "S3:getobject",
        "iam:",
        "iam:Get",
        "sqs:S",
        "ec2:Describe",
        "a4b:",
        "zocalo:",
        "xray:",
        "no-such:",
        "s3:Zz",
    ] {
        let found: Vec<ActionId> = expander.beginning_with(prefix).to_vec();
        let wanted: Vec<ActionId> = facts.expand(&format!("{prefix}*")).iter().collect();
        assert_eq!(found, wanted, "{prefix}");
    }
    for action in facts.no_actions().complement().iter() {
        let name = facts.name(action);
        assert!(expander.beginning_with(name).contains(&action), "{name}");
    }
}
