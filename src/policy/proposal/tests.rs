mod managed_access;

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
    json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": arn(name), "Path": "/",
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
fn what_was_used_is_generated_within_the_present_statements() {
    let object = "arn:aws:s3:::logs/2026/a";
    let condition = json!({"Effect": "Allow", "Action": "s3:*Object", "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}}});
    let narrowed =
        r#"{"Sid":"Used1","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::logs/2026/*"]"#;
    let got = Case::one(&json!([condition])).used("r", "s3:GetObject", &[object]);
    let wanted = format!(r#"{narrowed},"Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}}}"#);
    assert_eq!(got.statements(generate()), [wanted]);
    // One without a condition explains the use alone.
    let got = Case::one(&json!([condition, allow(&json!("s3:Get*"), "arn:aws:s3:::logs/*")]));
    let got = got.used("r", "s3:GetObject", &[object]);
    assert_eq!(got.statements(generate()), [format!("{narrowed}}}")]);
    // The rule may not reach beyond the statement.
    let got =
        Case::one(&json!([allow(&json!("s3:Get*"), "arn:aws:s3:::logs/*/a")])).used("r", "s3:GetObject", &[object]);
    assert!(got.statements(generate())[0].contains(r#""Resource":["arn:aws:s3:::logs/*/a"]"#));
    // Nothing names the resources.
    let got = Case::one(&json!([allow(&json!("s3:Get*"), "arn:aws:s3:::logs/*")])).used("r", "s3:GetObject", &[]);
    assert!(got.statements(generate())[0].contains(r#""Resource":"arn:aws:s3:::logs/*""#));
}

#[test]
fn resource_of_which_only_the_name_is_known_is_covered_or_the_present_resources_stay() {
    let generated = |present: &str, action: &str, arn: &str| {
        let case = Case::one(&json!([allow(&json!(action), present)])).used("r", action, &[arn]);
        let mut statements = case.hinted(action).statements(generate());
        statements.remove(0)
    };
    let role = "arn:aws:iam::111122223333:role/deploy";
    let narrowed = generated("arn:aws:iam::111122223333:role/*", "iam:GetRole", role);
    let wanted = r#""Resource":["arn:aws:iam::111122223333:role/*/deploy","arn:aws:iam::111122223333:role/deploy"]"#;
    assert!(narrowed.contains(wanted), "{narrowed}");
    // The path of the role is not known, so that it may be any of the statement.
    let bound = "arn:aws:iam::111122223333:role/ci/*";
    let kept = generated(bound, "iam:GetRole", role);
    assert!(kept.contains(&format!(r#""Resource":"{bound}""#)), "{kept}");
    let database = "arn:aws:rds:eu-west-1:111122223333:db:Orders";
    let kept = generated("arn:aws:rds:*:*:db:*", "rds:DeleteDBInstance", database);
    assert!(kept.contains(r#""Resource":"arn:aws:rds:*:*:db:*""#), "{kept}");
    let case =
        Case::one(&json!([allow(&json!("rds:DeleteDBInstance"), "*")])).used("r", "rds:DeleteDBInstance", &[database]);
    case.hinted("rds:DeleteDBInstance").check(generate(), |proposals| {
        let remarks = &proposals[0].policies[0].reasons[0].remarks;
        assert!(remarks[0].contains("only a name"), "{remarks:?}");
    });
}

#[test]
fn instances_that_a_request_names_in_ways_that_are_not_read_stay_granted() {
    let document = "arn:aws:ssm:eu-west-1:111122223333:document/run";
    for action in ["ssm:StartSession", "ssm:SendCommand"] {
        let case = Case::one(&json!([allow(&json!(action), "*")])).used("r", action, &[document]);
        let statements = case.statements(generate());
        assert!(statements[0].contains(r#""Resource":"*""#), "{statements:?}");
    }
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
fn passed_role_without_its_path_is_the_one_of_the_snapshot() {
    let mut build = role("build", &json!([]));
    let full = format!("arn:aws:iam::{ACCOUNT}:role/yard/build");
    build["Arn"] = json!(full);
    build["Path"] = json!("/yard/");
    build["AssumeRolePolicyDocument"] = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "codebuild.amazonaws.com"}}});
    let passer = role("r", &json!([allow(&json!("iam:PassRole"), "*")]));
    let case = Case::new(&[passer.clone(), build]).used("r", "iam:PassRole", &[&arn("build")]);
    let statements = case.hinted("iam:PassRole").statements(generate());
    assert!(
        statements[0].contains(&format!(r#""Resource":["{full}"]"#)),
        "{statements:?}"
    );
    let case = Case::new(&[passer]).used("r", "iam:PassRole", &[&arn("build")]);
    let statements = case.hinted("iam:PassRole").statements(generate());
    assert!(statements[0].contains(r#""Resource":"*""#), "{statements:?}");
}

#[test]
fn not_resource_and_denying_statements_are_kept_as_they_are() {
    let but = json!({"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::secret/*"});
    let deny = json!({"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/private/*"});
    let case = Case::one(&json!([but, deny])).used("r", "s3:GetObject", &["arn:aws:s3:::logs/2026/a"]);
    assert_eq!(
        case.statements(generate()),
        [
            r#"{"Sid":"Used1","Effect":"Allow","Action":["s3:GetObject"],"NotResource":"arn:aws:s3:::secret/*"}"#,
            r#"{"Sid":"Deny1","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::logs/private/*"}"#,
        ]
    );
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

#[test]
fn passed_roles_are_named_with_the_service_that_they_trust() {
    let mut task = role("task", &json!([]));
    task["AssumeRolePolicyDocument"] = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]}}});
    let passer = role("r", &json!([allow(&json!("iam:PassRole"), "*")]));
    let mut case = Case::new(&[passer, task]).used("r", "iam:PassRole", &[&arn("task")]);
    let passed = ("ecs.amazonaws.com".to_owned(), arn("task"));
    case.trace("iam:PassRole").passed_roles.insert(passed);
    let wanted = format!(
        r#"{{"Sid":"Used1","Effect":"Allow","Action":["iam:PassRole"],"Resource":["{}"],"Condition":{{"StringEquals":{{"iam:PassedToService":["ecs-tasks.amazonaws.com"]}}}}}}"#,
        arn("task")
    );
    assert_eq!(case.statements(generate()), [wanted]);
    let elsewhere = "arn:aws:iam::444455556666:role/x";
    let statements = Case::one(&json!([allow(&json!("iam:PassRole"), "*")]))
        .used("r", "iam:PassRole", &[elsewhere])
        .statements(generate());
    assert!(
        statements[0].ends_with(&format!(r#""Resource":["{elsewhere}"]}}"#)),
        "{statements:?}"
    );
}

#[test]
fn conditions_are_added_where_every_use_agrees() {
    let mut case = Case::one(&json!([allow(&json!("sqs:*"), "*")])).used("r", "sqs:CreateQueue", &[]);
    case.trace("sqs:CreateQueue").regions.insert("eu-west-1".to_owned());
    let mode = Mode::Generate(GenerateOptions {
        keep_unknown: false,
        conditions: EvidenceConditions {
            region: true,
            ..EvidenceConditions::default()
        },
    });
    let statements = case.statements(mode);
    let wanted = r#""Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1"]}}"#;
    assert!(statements[0].contains(wanted), "{statements:?}");
}

#[test]
fn variables_of_a_document_of_2008_do_not_come_alive() {
    let mut case = Case::one(&json!([allow(
        &json!("s3:GetObject"),
        "arn:aws:s3:::a/${aws:username}/*"
    )]));
    let document = &mut case.snapshot["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"];
    document["Version"] = json!("2008-10-17");
    let statements = case.used("r", "s3:GetObject", &[]).statements(generate());
    assert!(statements[0].contains("a/${$}{aws:username}/*"), "{statements:?}");
}

#[test]
fn nothing_is_generated_from_grants_that_are_not_wholly_known() {
    let case = Case::one(&json!([allow(&json!("s3:*"), "*"), {"Effect": "Allow", "Odd": 1}]));
    case.used("r", "s3:GetObject", &[]).check(generate(), |proposals| {
        assert!(matches!(proposals[0].refusals[0], Refusal::Gaps { .. }));
    });
}

#[test]
fn what_fits_nowhere_is_refused_and_the_present_policy_stays() {
    let case = Case::one(&json!([])).managed("admin", &json!([allow(&json!("*"), "*")]), &[0]);
    case.used("r", "sqs:CreateQueue", &[]).check(Mode::Trim, |proposals| {
        let proposal = &proposals[0];
        match &proposal.refusals[..] {
            [] => {
                for policy in &proposal.policies {
                    assert!(policy_characters(&policy.document) <= 6144);
                }
                assert!(proposal.policies.len() <= 11);
            }
            [refusal] => {
                assert!(refusal.to_string().contains("IAM attaches 10"), "{refusal}");
                assert!(proposal.policies.iter().all(|policy| policy.name != "admin"));
            }
            more => panic!("{more:?}"),
        }
    });
}

fn changed(call: &str, at: i64) -> crate::policy::GrantChange {
    crate::policy::GrantChange {
        account_id: ACCOUNT.to_owned(),
        call: call.to_owned(),
        role: Some("r".to_owned()),
        policy_name: Some("p".to_owned()),
        at,
        ..crate::policy::GrantChange::default()
    }
}

#[test]
fn document_that_was_replaced_after_the_snapshot_is_refused() {
    let generate = Mode::Generate(GenerateOptions {
        keep_unknown: true,
        conditions: EvidenceConditions::default(),
    });
    let statements = json!([{"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": "*"}]);
    let taken_at = (FIRST_DAY + DAYS) * DAY;
    for (at, is_refused) in [(taken_at, false), (taken_at + 1, true)] {
        let mut case = Case::new(&[role("r", &statements)]);
        case.usage.changes.note(&changed("PutRolePolicy", at));
        for mode in [Mode::Trim, generate] {
            case.check(mode, |proposals| {
                let refusals: Vec<String> = proposals[0].refusals.iter().map(ToString::to_string).collect();
                assert_eq!(
                    refusals
                        .iter()
                        .any(|it| it.contains("after the IAM snapshot was taken")),
                    is_refused
                );
                assert!(!is_refused || proposals[0].policies.is_empty());
            });
        }
    }
}

#[test]
fn policy_of_a_role_that_was_made_again_after_the_snapshot_is_refused_to_all_who_hold_it() {
    let generate = Mode::Generate(GenerateOptions {
        keep_unknown: true,
        conditions: EvidenceConditions::default(),
    });
    let statements = json!([{"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": "*"}]);
    let mut roles = [role("r", &json!([])), role("again", &json!([]))];
    roles.iter_mut().for_each(|role| role["RolePolicyList"] = json!([]));
    let mut case = Case::new(&roles).managed("shared", &statements, &[0, 1]);
    let later = PrincipalKey {
        arn: arn("again"),
        unique_id: Some("AROAlater".to_owned()),
    };
    case.usage.principals.entry(later).or_default().last_call = Some((FIRST_DAY + 1) * DAY);
    for mode in [Mode::Trim, generate] {
        case.check(mode, |proposals| {
            for proposal in proposals.iter().filter(|it| it.subject.member.is_some()) {
                let refused = proposal
                    .refusals
                    .iter()
                    .any(|it| matches!(it, Refusal::Replaced { .. }));
                let is_own = proposal.subject.key.arn == arn("again");
                assert_eq!(refused, is_own || mode == Mode::Trim, "{proposal:?}");
                assert!(!refused || proposal.policies.is_empty());
            }
        });
    }
}

#[test]
fn policy_that_has_or_bounds_principals_whom_the_snapshot_does_not_have_is_refused() {
    let shared = "arn:aws:iam::111122223333:policy/shared";
    for (count, bounded, is_refused) in [(1, 0, false), (2, 0, true), (1, 1, true)] {
        let mut holder = role("r", &json!([]));
        holder["RolePolicyList"] = json!([]);
        holder["AttachedManagedPolicies"] = json!([{"PolicyName": "shared", "PolicyArn": shared}]);
        let mut case = Case::new(&[holder]);
        case.snapshot["Policies"] = json!([{"PolicyName": "shared", "Arn": shared, "DefaultVersionId": "v1",
            "AttachmentCount": count, "PermissionsBoundaryUsageCount": bounded, "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true,
            "CreateDate": "2025-01-01T00:00:00Z", "Document": {"Statement": [
                {"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": "*"}]}}]}]);
        case.check(Mode::Trim, |proposals| {
            assert_eq!(proposals[0].policies.is_empty(), is_refused);
            assert_eq!(!proposals[0].refusals.is_empty(), is_refused);
        });
    }
}
