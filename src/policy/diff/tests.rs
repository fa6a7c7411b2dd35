mod grants;
mod hidden;
mod principals;
mod recording;
mod replaced;
mod rollups;
mod selectors;
mod unmapped;
mod unproven;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::super::account_log::AccountLog;
use super::super::account_log::Recorded;
use super::super::estate::TakenSnapshot;
use super::super::snapshot;
use super::super::trails::Trails;
use super::super::usage::PrincipalKey;
use super::super::usage::PrincipalUse;
use super::super::window::Window;
use super::*;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/r";
const ID: &str = "AROAEXAMPLER";
const DAY: i64 = 86_400_000_000;
/// 2026-09-01
const FIRST_DAY: i64 = 20_697;
const DAYS: i64 = 40;

/// A case that a test bends: one role, an account whose logs show everything, and what the role did.
struct Case {
    snapshots: Vec<Value>,
    usage: Usage,
    thresholds: Thresholds,
    keeps: KeepList,
    /// When the first of the snapshots was taken.
    taken_at: i64,
}

fn both() -> Recorded {
    Recorded {
        reads: true,
        writes: true,
    }
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn allow(actions: &Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn role(statements: &[Value]) -> Value {
    json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{
        "RoleName": "r", "RoleId": ID, "Arn": ROLE, "Path": "/", "CreateDate": "2025-01-01T00:00:00Z",
        "AttachedManagedPolicies": [], "AssumeRolePolicyDocument": trust(&json!({"AWS": "arn:aws:iam::111122223333:root"})),
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}],
    }]})
}

fn trust(principal: &Value) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})
}

fn used(calls: u64) -> ActionUse {
    ActionUse {
        used: calls,
        unnamed: calls,
        last_used: Some((FIRST_DAY + 3) * DAY),
        ..ActionUse::default()
    }
}

fn used_on(resources: &[&str]) -> ActionUse {
    ActionUse {
        unnamed: 0,
        resource_count: u64::try_from(resources.len()).unwrap(),
        resources: resources.iter().map(|arn| text(arn)).collect(),
        ..used(1)
    }
}

fn denied(calls: u64) -> ActionUse {
    ActionUse {
        denied: calls,
        ..ActionUse::default()
    }
}

impl Case {
    fn new(statements: &[Value]) -> Self {
        let types = ["AWS::S3::Object", "AWS::Lambda::Function"];
        let log = AccountLog {
            days: (FIRST_DAY..FIRST_DAY + DAYS).collect(),
            management: both(),
            sources: BTreeSet::from([text("kms.amazonaws.com"), text("rdsdata.amazonaws.com")]),
            data: types.map(|name| ((text("eu-west-1"), text(name)), both())).into(),
            regions: BTreeSet::from([text("eu-west-1")]),
            ..AccountLog::default()
        };
        let window = Window {
            since: FIRST_DAY * DAY,
            until: (FIRST_DAY + DAYS) * DAY,
        };
        Self {
            snapshots: vec![role(statements)],
            usage: Usage::without_uses(window, BTreeMap::from([(text(ACCOUNT), log)])),
            thresholds: Thresholds {
                min_coverage: 0.95,
                min_window_days: 30,
            },
            keeps: KeepList::default(),
            taken_at: (FIRST_DAY + DAYS + 2) * DAY,
        }
    }

    fn by(mut self, id: Option<&str>, action: &str, action_use: ActionUse) -> Self {
        let key = PrincipalKey {
            arn: text(ROLE),
            unique_id: id.map(text),
        };
        let deeds = self.usage.principals.entry(key).or_default();
        deeds.first_seen = Some(FIRST_DAY * DAY);
        deeds.last_seen = Some((FIRST_DAY + 3) * DAY);
        deeds.last_call = deeds.last_seen;
        deeds.regions.insert(text("eu-west-1"));
        deeds.actions.insert(text(action), action_use);
        self
    }

    fn with(self, action: &str, action_use: ActionUse) -> Self {
        self.by(Some(ID), action, action_use)
    }

    fn log(&mut self) -> &mut AccountLog {
        self.usage.accounts.get_mut(ACCOUNT).unwrap()
    }

    fn role(&mut self) -> &mut Value {
        &mut self.snapshots[0]["RoleDetailList"][0]
    }

    /// Runs a check on the diff of every principal, in order.
    fn check(&self, check: impl Fn(&[PrincipalDiff<'_>])) {
        self.check_with(Facts::embedded(), check);
    }

    /// The same with other facts.
    fn check_with(&self, facts: &Facts, check: impl Fn(&[PrincipalDiff<'_>])) {
        let taken = (self.taken_at..)
            .zip(&self.snapshots)
            .map(|(taken_at, value)| TakenSnapshot {
                taken_at,
                source_id: format!("source {taken_at}"),
                snapshot: snapshot::read(value.to_string().as_bytes()).unwrap(),
            });
        let taken: Vec<TakenSnapshot> = taken.collect();
        let estate = Estate::newest(&taken);
        let subjects = subjects(&self.usage, &estate);
        let differ = Differ::new(facts, &self.usage, &estate, self.thresholds);
        let mut differ = differ.keeping(&self.keeps, (FIRST_DAY + DAYS) * DAY);
        let diffs: Vec<PrincipalDiff<'_>> = subjects.iter().map(|subject| differ.diff(subject)).collect();
        check(&diffs);
    }

    /// Verdicts of the only principal as `action verdict reason`, in order.
    fn verdicts(&self) -> Vec<String> {
        let verdicts = std::cell::RefCell::new(Vec::new());
        self.check(|diffs| {
            assert_eq!(diffs.len(), 1);
            verdicts.borrow_mut().extend(diffs[0].rows.iter().map(shown));
        });
        verdicts.into_inner()
    }
}

fn shown(row: &Row<'_>) -> String {
    match &row.verdict {
        Verdict::Unknown(reason) => format!("{} unknown {}", row.action, reason.name()),
        Verdict::UsedNotGranted(reason) => format!("{} used-not-granted {reason:?}", row.action),
        verdict => format!("{} {}", row.action, verdict.name()),
    }
}

#[test]
fn used_and_unused_actions_are_told_apart() {
    let case = Case::new(&[allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"]))]).with("sqs:CreateQueue", used(3));
    assert_eq!(case.verdicts(), ["sqs:CreateQueue used", "sqs:DeleteQueue unused"]);
    case.check(|diffs| {
        let evidence = diffs[0].rows[0].evidence.unwrap();
        assert_eq!((evidence.used, evidence.last_used), (3, Some((FIRST_DAY + 3) * DAY)));
    });
}

#[test]
fn denied_attempts_are_neither_use_nor_grant() {
    let case = Case::new(&[allow(&json!("sqs:CreateQueue"))])
        .with("sqs:CreateQueue", denied(2))
        .with("iam:CreateUser", denied(1));
    assert_eq!(
        case.verdicts(),
        ["sqs:CreateQueue denied-attempt", "iam:CreateUser denied-attempt"]
    );
    case.check(|diffs| {
        let summary = &diffs[0].summary;
        assert_eq!((summary.granted, summary.used, summary.removable), (1, 0, 0));
        assert_eq!(
            (summary.denied, summary.denied_not_granted, summary.used_not_granted),
            (1, 1, 0)
        );
    });
}

#[test]
fn not_action_grants_what_it_does_not_name() {
    let statement = json!({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"});
    let case = Case::new(&[statement]).with("ec2:RunInstances", used(1));
    let verdicts = case.verdicts();
    assert!(verdicts.contains(&text("ec2:RunInstances used")));
    assert!(verdicts.contains(&text("ec2:TerminateInstances unused")));
    assert!(!verdicts.iter().any(|verdict| verdict.starts_with("iam:")));
}

#[test]
fn deny_on_one_resource_leaves_the_action_granted() {
    let deny = json!({"Effect": "Deny", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:vault"});
    let case =
        Case::new(&[allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"])), deny]).with("sqs:CreateQueue", used(1));
    assert_eq!(case.verdicts(), ["sqs:CreateQueue used", "sqs:DeleteQueue unused"]);
}

#[test]
fn total_deny_and_boundary_take_the_grant_away_but_not_the_use() {
    let deny = json!({"Effect": "Deny", "Action": "sqs:CreateQueue", "Resource": "*"});
    let mut case = Case::new(&[
        allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue", "sns:CreateTopic"])),
        deny,
    ])
    .with("sqs:CreateQueue", used(1))
    .with("sns:CreateTopic", used(1))
    .with("ec2:RunInstances", used(1));
    let edge = "arn:aws:iam::111122223333:policy/edge";
    case.role()["PermissionsBoundary"] = json!({"PermissionsBoundaryArn": edge});
    case.snapshots[0]["Policies"] = json!([{"PolicyName": "edge", "Arn": edge, "DefaultVersionId": "v1",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": [allow(&json!("sqs:*"))]}}]}]);
    assert_eq!(
        case.verdicts(),
        [
            "sqs:DeleteQueue unused",
            "ec2:RunInstances used-not-granted NoStatement",
            "sns:CreateTopic used-not-granted OutsideBoundary",
            "sqs:CreateQueue used-not-granted Denied",
        ]
    );
    case.check(|diffs| assert_eq!(diffs[0].summary.blocked, 2));
}

#[test]
fn calls_that_may_have_needed_an_action_keep_it() {
    let uncertain = ActionUse {
        uncertain: 2,
        ..ActionUse::default()
    };
    let failed = ActionUse {
        failed: 1,
        ..ActionUse::default()
    };
    let mut case = Case::new(&[allow(&json!(["sns:CreateTopic", "sqs:CreateQueue", "sqs:DeleteQueue"]))])
        .with("sqs:CreateQueue", uncertain)
        .with("sqs:DeleteQueue", failed);
    assert_eq!(
        case.verdicts(),
        [
            "sns:CreateTopic unused",
            "sqs:CreateQueue unknown uncertain-use",
            "sqs:DeleteQueue unknown failed-calls"
        ]
    );
    let deeds: &mut PrincipalUse = case.usage.principals.values_mut().next().unwrap();
    deeds.unmapped.add("sns.amazonaws.com", "NewCall");
    assert_eq!(case.verdicts()[0], "sns:CreateTopic unknown unmapped-call");
}

#[test]
fn use_through_one_statement_proves_nothing_against_the_others() {
    let on = |bucket: &str| json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*")});
    let case = |action_use| Case::new(&[on("a"), on("b")]).with("s3:GetObject", action_use);
    let unclear = "s3:GetObject unknown resources-unclear";
    assert_eq!(
        case(used_on(&["arn:aws:s3:::a/x"])).verdicts(),
        ["s3:GetObject used", unclear]
    );
    assert_eq!(case(used(1)).verdicts(), [unclear, unclear]);
    let both = case(used_on(&["arn:aws:s3:::a/x", "arn:aws:s3:::b/x"])).verdicts();
    assert_eq!(both, ["s3:GetObject used", "s3:GetObject used"]);
    let alone = Case::new(&[on("a")]).with("s3:GetObject", used_on(&["arn:aws:s3:::c/x"]));
    assert_eq!(alone.verdicts(), ["s3:GetObject used"]);
}

#[test]
fn use_is_of_the_statement_that_has_the_name_which_iam_compares() {
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db";
    let group = "arn:aws:logs:eu-west-1:111122223333:log-group:/g";
    let verdicts = |action: &str, recorded: &str, names: [&str; 2]| {
        let on = |name: &str| json!({"Effect": "Allow", "Action": action, "Resource": name});
        let case = Case::new(&names.map(on)).with(action, used_on(&[recorded]));
        let verdicts = case.verdicts().into_iter();
        let plain = verdicts.map(|verdict| verdict.split_once(' ').unwrap().1.to_owned());
        plain.collect::<Vec<String>>()
    };
    let unclear = "unknown resources-unclear";
    let (read, filter) = ("secretsmanager:GetSecretValue", "logs:FilterLogEvents");
    for (action, recorded, right) in [
        (read, secret, format!("{secret}-??????")),
        (read, secret, format!("{secret}-*")),
        // Of these two it can have been the first alone.
        (read, secret, format!("{secret}-AbCdEf")),
        (filter, group, format!("{group}:*")),
        (filter, group, format!("{group}:log-stream:*")),
    ] {
        assert_eq!(
            verdicts(action, recorded, [&right, recorded]),
            ["used", unclear],
            "{right}"
        );
    }
    let secrets = [format!("{secret}-AbCdEf"), format!("{secret}-GhIjKl")];
    assert_eq!(verdicts(read, secret, [&secrets[0], &secrets[1]]), [unclear, unclear]);
    assert_eq!(verdicts(read, secret, [&secrets[0], "*"]), [unclear, "used"]);
}

#[test]
fn summary_counts_each_action_once_and_keeps_what_is_unknown() {
    let on_a = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"});
    let statements = [
        on_a,
        allow(&json!([
            "s3:GetObject",
            "iam:PassRole",
            "iam:AttachRolePolicy",
            "sqs:CreateQueue"
        ])),
    ];
    let mut case = Case::new(&statements).with("s3:GetObject", used_on(&["arn:aws:s3:::b/x"]));
    case.role()["RolePolicyList"]
        .as_array_mut()
        .unwrap()
        .push(json!({"PolicyName": "q", "PolicyDocument": {"Statement": [allow(&json!("sqs:CreateQueue"))]}}));
    case.check(|diffs| {
        let summary = &diffs[0].summary;
        assert_eq!(
            (summary.granted, summary.used, summary.unknown, summary.unused),
            (4, 1, 1, 2)
        );
        assert_eq!((summary.removable, summary.reduction()), (2, Some(0.5)));
        assert_eq!(
            (summary.high_risk_removable, summary.removable_harms["PrivEsc"]),
            (2, 1)
        );
        assert_eq!(summary.unused_policies, ["arn:aws:iam::111122223333:role/r#q"]);
        assert_eq!(summary.unknown_reasons, BTreeMap::from([("dependent-only", 1)]));
    });
}

#[test]
fn role_without_calls_was_never_used_unless_iam_says_otherwise() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    case.check(|diffs| assert_eq!(diffs[0].summary.activity, Activity::NeverUsed));
    case.role()["RoleLastUsed"] = json!({"LastUsedDate": "2026-09-05T00:00:00Z", "Region": "eu-west-1"});
    case.check(|diffs| {
        assert_eq!(diffs[0].summary.activity, Activity::Unknown(Reason::UsedBeyondTheLogs));
        assert_eq!(shown(&diffs[0].rows[0]), "sqs:CreateQueue unknown used-beyond-the-logs");
    });
}

#[test]
fn nothing_can_be_taken_from_a_role_that_belongs_to_a_service() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    case.role()["Arn"] = json!("arn:aws:iam::111122223333:role/aws-service-role/sqs.amazonaws.com/r");
    case.role()["Path"] = json!("/aws-service-role/sqs.amazonaws.com/");
    case.check(|diffs| {
        let summary = &diffs[0].summary;
        assert_eq!((summary.unused, summary.removable), (1, 0));
    });
}

#[test]
fn policies_of_groups_count_for_their_users() {
    let mut case = Case::new(&[]);
    case.snapshots = vec![
        json!({"UserDetailList": [{"UserName": "u", "UserId": "AIDAU", "CreateDate": "2025-01-01T00:00:00Z",
            "Arn": "arn:aws:iam::111122223333:user/u", "GroupList": ["g"],
            "AttachedManagedPolicies": []}],
        "GroupDetailList": [{"GroupName": "g", "Arn": "arn:aws:iam::111122223333:group/g", "AttachedManagedPolicies": [], "GroupPolicyList":
            [{"PolicyName": "p", "PolicyDocument": {"Statement": [allow(&json!("sqs:CreateQueue"))]}}]}]}),
    ];
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
    case.check(|diffs| assert_eq!(diffs[0].rows[0].group, Some("arn:aws:iam::111122223333:group/g")));
}
