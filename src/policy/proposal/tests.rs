mod generated;
mod managed_access;
mod refused;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::policy::AccountLog;
use crate::policy::ActionTrace;
use crate::policy::ActionUse;
use crate::policy::KeepList;
use crate::policy::PrincipalKey;
use crate::policy::PrincipalUse;
use crate::policy::Recorded;
use crate::policy::TakenSnapshot;
use crate::policy::Window;
use crate::policy::policy_characters;
use crate::policy::snapshot;
use crate::policy::subjects;

const ACCOUNT: &str = "111122223333";
const DAY: i64 = 86_400_000_000;
/// 2026-09-01
const FIRST_DAY: i64 = 20_697;
const DAYS: i64 = 40;
const THRESHOLDS: Thresholds = Thresholds {
    min_coverage: 0.95,
    min_window_days: 30,
};

/// Roles with statements in one inline policy each, and what they used on which resources.
struct Case {
    snapshot: Value,
    usage: Usage,
    traces: Traces,
    keeps: KeepList,
}

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn role(name: &str, statements: &Value) -> Value {
    let own = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"});
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": arn(name), "Path": "/",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [own]},
        "CreateDate": "2025-01-01T00:00:00Z", "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]})
}

impl Case {
    fn new(roles: &[Value]) -> Self {
        let both = Recorded {
            reads: true,
            writes: true,
        };
        let region = "eu-west-1".to_owned();
        let log = AccountLog {
            days: (FIRST_DAY..FIRST_DAY + DAYS).collect(),
            management: both,
            sources: BTreeSet::from(["kms.amazonaws.com".to_owned()]),
            data: [((region.clone(), "AWS::S3::Object".to_owned()), both)].into(),
            regions: BTreeSet::from([region]),
            ..AccountLog::default()
        };
        Self {
            snapshot: json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": roles}),
            usage: Usage::without_uses(
                Window {
                    since: FIRST_DAY * DAY,
                    until: (FIRST_DAY + DAYS) * DAY,
                },
                BTreeMap::from([(ACCOUNT.to_owned(), log)]),
            ),
            traces: Traces::default(),
            keeps: KeepList::default(),
        }
    }

    fn one(statements: &Value) -> Self {
        Self::new(&[role("r", statements)])
    }

    fn used(mut self, name: &str, action: &str, resources: &[&str]) -> Self {
        let key = PrincipalKey {
            arn: arn(name),
            unique_id: Some(format!("AROA{name}")),
        };
        let resources: BTreeSet<String> = resources.iter().map(|text| (*text).to_owned()).collect();
        let (count, unnamed) = (u64::try_from(resources.len()).unwrap(), u64::from(resources.is_empty()));
        let action_use = ActionUse {
            used: 1,
            unnamed,
            resource_count: count,
            resources: resources.clone(),
            last_used: Some((FIRST_DAY + 1) * DAY),
            ..ActionUse::default()
        };
        let trace = ActionTrace {
            event_ids: vec!["e-1".to_owned()],
            unnamed,
            resource_count: count,
            resources,
            ..ActionTrace::default()
        };
        let deeds: &mut PrincipalUse = self.usage.principals.entry(key.clone()).or_default();
        deeds.first_seen = Some(FIRST_DAY * DAY);
        deeds.actions.insert(action.to_owned(), action_use);
        let traces = self.traces.principals.entry(key).or_default();
        traces.insert(action.to_owned(), trace);
        self
    }

    fn trace(&mut self, action: &str) -> &mut ActionTrace {
        let traces = self.traces.principals.values_mut().next().unwrap();
        traces.get_mut(action).unwrap()
    }

    /// The resources of an action, of which the records hold only the names.
    fn hinted(mut self, action: &str) -> Self {
        let trace = self.trace(action);
        trace.hints = trace.resources.clone();
        self
    }

    fn managed(mut self, name: &str, statements: &Value, roles: &[usize]) -> Self {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        let policies = self.snapshot["Policies"].as_array_mut().unwrap();
        policies.push(json!({"PolicyName": name, "Arn": arn, "Path": "/", "DefaultVersionId": "v1", "PolicyVersionList":
            [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17", "Statement": statements}}]}));
        for role in roles {
            let attached = &mut self.snapshot["RoleDetailList"][*role]["AttachedManagedPolicies"];
            let attached = attached.as_array_mut().unwrap();
            attached.push(json!({"PolicyName": name, "PolicyArn": arn}));
        }
        self
    }

    /// Runs a check on the proposals for all roles.
    fn check(&self, mode: Mode, check: impl Fn(&[Proposal<'_>])) {
        let text = self.snapshot.to_string();
        let snapshots = [TakenSnapshot {
            taken_at: (FIRST_DAY + DAYS) * DAY,
            source_id: "s".to_owned(),
            snapshot: snapshot::read(text.as_bytes()).unwrap(),
        }];
        let estate = Estate::newest(&snapshots);
        let all = subjects(&self.usage, &estate);
        let evidence = Evidence {
            usage: &self.usage,
            estate: &estate,
            subjects: &all,
            traces: &self.traces,
            thresholds: THRESHOLDS,
        };
        let now = (FIRST_DAY + DAYS) * DAY;
        let mut proposer = Proposer::new(Facts::embedded(), evidence, mode).keeping(&self.keeps, now);
        let proposals: Vec<Proposal<'_>> = all.iter().map(|subject| proposer.propose(subject)).collect();
        check(&proposals);
    }

    /// The statements that are proposed for the first role, by their texts.
    fn statements(&self, mode: Mode) -> Vec<String> {
        let statements = std::cell::RefCell::new(Vec::new());
        self.check(mode, |proposals| {
            for policy in &proposals[0].policies {
                let value = policy.document.to_value();
                let texts = value["Statement"].as_array().unwrap().iter().map(Value::to_string);
                statements.borrow_mut().extend(texts);
            }
        });
        statements.into_inner()
    }
}

fn allow(actions: &Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

fn generate() -> Mode {
    Mode::Generate(GenerateOptions {
        keep_unknown: false,
        conditions: EvidenceConditions::default(),
    })
}

#[test]
fn shared_policy_loses_only_what_nobody_uses() {
    let none = json!([]);
    let shared = json!([allow(
        &json!(["sqs:CreateQueue", "sqs:DeleteQueue", "sns:CreateTopic"]),
        "*"
    )]);
    let case = Case::new(&[role("a", &none), role("b", &none)])
        .managed("shared", &shared, &[0, 1])
        .used("a", "sqs:CreateQueue", &[])
        .used("b", "sqs:DeleteQueue", &[]);
    case.check(Mode::Trim, |proposals| {
        let policy = &proposals[0].policies[0];
        assert_eq!(policy.change, Change::Edit);
        assert_eq!(policy.reasons[0].removed, ["sns:CreateTopic"]);
        assert_eq!(policy.holders, [arn("a"), arn("b")]);
        let users: Vec<&str> = policy.reasons[0]
            .used
            .iter()
            .map(|used| used.principal.as_str())
            .collect();
        assert_eq!(users, [arn("a"), arn("b")]);
        assert!(proposals[1].policies.iter().all(|policy| policy.change == Change::Keep));
        assert!(proposals[1].notes[0].contains("shared"), "{:?}", proposals[1].notes);
    });
}

#[test]
fn what_the_allow_list_keeps_stays_with_its_reason() {
    let granted = json!([allow(
        &json!(["sqs:CreateQueue", "sqs:DeleteQueue", "sns:CreateTopic"]),
        "*"
    )]);
    let mut case = Case::one(&granted).used("r", "sqs:CreateQueue", &[]);
    let keep = |action: &str, expires: &str| {
        format!("[[keep]]\nprincipal = 'r'\naction = '{action}'\nreason = 'each January'\nexpires = {expires}\n")
    };
    case.keeps = KeepList::read(&(keep("sns:*", "2027-01-31") + &keep("sqs:*", "2026-09-30"))).unwrap();
    case.check(Mode::Trim, |proposals| {
        let reasons = &proposals[0].policies[0].reasons[0];
        assert_eq!(reasons.removed, ["sqs:DeleteQueue"]);
        let kept: Vec<(&str, &str)> = reasons
            .kept
            .iter()
            .map(|it| (it.reason.as_str(), it.text.as_str()))
            .collect();
        assert_eq!(kept, [("kept-on-purpose", "each January (until 2027-01-31)")]);
        assert_eq!(reasons.kept[0].actions, ["sns:CreateTopic"]);
    });
    case.check(generate(), |proposals| {
        let policy = &proposals[0].policies[0];
        let texts: Vec<String> = policy.document.to_value()["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .map(|statement| format!("{} {}", statement["Sid"], statement["Action"]))
            .collect();
        assert_eq!(
            texts,
            [r#""Used1" ["sqs:CreateQueue"]"#, r#""Kept2" ["sns:CreateTopic"]"#]
        );
        assert_eq!(policy.reasons[1].kept[0].text, "each January (until 2027-01-31)");
    });
}

#[test]
fn policy_that_bounds_someone_stays() {
    let shared = json!([allow(&json!("sns:CreateTopic"), "*")]);
    let mut case = Case::new(&[role("a", &json!([])), role("b", &json!([]))]).managed("shared", &shared, &[0]);
    case.snapshot["RoleDetailList"][1]["PermissionsBoundary"] = json!({"PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": format!("arn:aws:iam::{ACCOUNT}:policy/shared")});
    case.check(Mode::Trim, |proposals| {
        assert!(proposals[0].policies.iter().all(|policy| policy.name != "shared"));
        assert!(proposals[0].notes[0].contains("boundary"), "{:?}", proposals[0].notes);
    });
}

#[test]
fn policy_of_aws_gets_a_copy() {
    let mut case = Case::new(&[role("a", &json!([]))]).used("a", "s3:ListAllMyBuckets", &[]);
    case.snapshot["RoleDetailList"][0]["AttachedManagedPolicies"] =
        json!([{"PolicyName": "AmazonS3FullAccess", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}]);
    case.check(Mode::Trim, |proposals| {
        let policy = &proposals[0].policies[0];
        assert_eq!(policy.place, Place::NewManaged(vec![arn("a")]));
        assert_eq!(
            (policy.name.as_str(), policy.change),
            ("AmazonS3FullAccess-trimmed-a", Change::Create)
        );
        assert!(policy_characters(&policy.document) <= 6144);
    });
}

#[test]
fn policy_of_aws_that_may_be_older_than_the_one_in_force_gets_no_copy() {
    let arn_of_policy = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    let mut case = Case::new(&[role("a", &json!([]))])
        .used("a", "s3:ListAllMyBuckets", &[])
        .used("a", "sqs:CreateQueue", &[]);
    case.snapshot["RoleDetailList"][0]["AttachedManagedPolicies"] =
        json!([{"PolicyName": "AmazonS3FullAccess", "PolicyArn": arn_of_policy}]);
    let is_copied = |proposals: &[Proposal<'_>]| proposals[0].policies.iter().any(|it| it.change == Change::Create);
    case.check(Mode::Trim, |proposals| {
        let Refusal::PerhapsOlder { action, holder, .. } = &proposals[0].refusals[0] else {
            panic!("{:?}", proposals[0].refusals);
        };
        assert_eq!((action.as_str(), holder), ("sqs:CreateQueue", &arn("a")));
        assert!(!is_copied(proposals));
    });
    // A document of the snapshot is the one in force.
    let statements = json!([allow(&json!("s3:*"), "*")]);
    case.snapshot["Policies"] = json!([{"PolicyName": "AmazonS3FullAccess", "Arn": arn_of_policy, "Path": "/",
        "DefaultVersionId": "v9", "PolicyVersionList": [{"VersionId": "v9", "IsDefaultVersion": true,
            "Document": {"Version": "2012-10-17", "Statement": statements}}]}]);
    case.check(Mode::Trim, |proposals| assert!(is_copied(proposals)));
}

#[test]
fn role_of_a_service_and_one_without_snapshot_get_nothing() {
    let mut case = Case::one(&json!([allow(&json!("sqs:CreateQueue"), "*")]));
    let linked = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/sqs.amazonaws.com/r");
    case.snapshot["RoleDetailList"][0]["Arn"] = json!(linked);
    case.snapshot["RoleDetailList"][0]["Path"] = json!("/aws-service-role/sqs.amazonaws.com/");
    for mode in [Mode::Trim, generate()] {
        case.check(mode, |proposals| {
            assert!(proposals[0].policies.is_empty() && proposals[0].notes.len() == 1);
        });
    }
    let stranger = Case::new(&[]).used("gone", "sqs:CreateQueue", &[]);
    stranger.check(generate(), |proposals| {
        assert!(matches!(proposals[0].refusals[0], Refusal::NoGrants { .. }));
    });
}

#[test]
fn inline_policies_that_become_managed_ones_count_together() {
    let long = |name: &str| {
        let queues: Vec<String> = (0..120)
            .map(|number| format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:{name}-{number:06}"))
            .collect();
        json!([{"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": queues}])
    };
    let mut three = role("r", &long("a"));
    for name in ["b", "c"] {
        let inline = json!({"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": long(name)}});
        three["RolePolicyList"].as_array_mut().unwrap().push(inline);
    }
    let counts = |attached: usize| {
        let managed = (0..attached).fold(Case::new(std::slice::from_ref(&three)), |case, number| {
            let statement = json!([allow(&json!("sns:CreateTopic"), "*")]);
            case.managed(&format!("m{number}"), &statement, &[0])
        });
        let case = managed
            .used("r", "sqs:CreateQueue", &[])
            .used("r", "sns:CreateTopic", &[]);
        let counts = std::cell::RefCell::new(Vec::new());
        case.check(Mode::Trim, |proposals| {
            counts
                .borrow_mut()
                .extend(proposals[0].refusals.iter().map(|refusal| match refusal {
                    Refusal::TooMany { count, .. } => *count,
                    other => panic!("{other}"),
                }));
        });
        counts.into_inner()
    };
    // Two of the three move out.
    assert_eq!(counts(8), [0; 0]);
    assert_eq!(counts(9), [11]);
}

#[test]
fn unknown_permissions_are_kept_unless_they_are_not_wanted() {
    let case = Case::one(&json!([allow(
        &json!(["sqs:CreateQueue", "sqs:SendMessage", "sns:CreateTopic"]),
        "*"
    )]));
    let case = case.used("r", "sqs:CreateQueue", &[]);
    let keeping = Mode::Generate(GenerateOptions {
        keep_unknown: true,
        conditions: EvidenceConditions::default(),
    });
    let statements = case.statements(keeping);
    assert_eq!(statements.len(), 2);
    assert!(statements[1].contains(r#""Sid":"Unknown2""#) && statements[1].contains(r#""Action":["sqs:SendMessage"]"#));
    assert_eq!(case.statements(generate()).len(), 1);
    case.check(generate(), |proposals| {
        assert!(
            proposals[0].notes[0].starts_with("1 granted actions are left out"),
            "{:?}",
            proposals[0].notes
        );
    });
}
