mod grants;
mod hidden;
mod recording;
mod replaced;
mod rollups;
mod selectors;

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
        "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}],
    }]})
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
        let differ = Differ::new(Facts::embedded(), &self.usage, &estate, self.thresholds);
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
fn logs_that_hold_nothing_of_the_account_prove_nothing() {
    let mut case = Case::new(&[allow(&json!(["sqs:CreateQueue", "s3:GetObject"]))]);
    case.usage.accounts.clear();
    assert_eq!(
        case.verdicts(),
        [
            "s3:GetObject unknown account-not-covered",
            "sqs:CreateQueue unknown account-not-covered"
        ]
    );
    case.check(|diffs| {
        let summary = &diffs[0].summary;
        assert_eq!(
            (summary.unknown, summary.removable, summary.reduction()),
            (2, 0, Some(0.0))
        );
        assert_eq!(summary.activity, Activity::Unknown(Reason::AccountNotCovered));
        assert_eq!(diffs[0].coverage, None);
    });
}

#[test]
fn data_events_that_nobody_recorded_prove_nothing() {
    let statements = [allow(&json!(["s3:GetObject", "s3:PutObject", "s3:PutBucketPolicy"]))];
    let mut case = Case::new(&statements).with("s3:PutObject", used(1));
    assert_eq!(
        case.verdicts(),
        ["s3:GetObject unused", "s3:PutBucketPolicy unused", "s3:PutObject used"]
    );
    let key = (text("eu-west-1"), text("AWS::S3::Object"));
    case.log().data.insert(
        key.clone(),
        Recorded {
            reads: false,
            writes: true,
        },
    );
    let unknown = "s3:GetObject unknown data-events-not-recorded";
    assert_eq!(case.verdicts()[0], unknown);
    case.log().data.insert(key.clone(), both());
    let key_of_role = case.usage.principals.keys().next().unwrap().clone();
    case.usage
        .principals
        .get_mut(&key_of_role)
        .unwrap()
        .regions
        .insert(text("us-west-2"));
    assert_eq!(case.verdicts()[0], unknown);
    case.log().data.clear();
    assert_eq!(
        case.verdicts(),
        [unknown, "s3:PutBucketPolicy unused", "s3:PutObject used"]
    );
}

#[test]
fn actions_without_events_are_unknown() {
    let actions = json!([
        "iam:PassRole",
        "logs:PutLogEvents",
        "storagegateway:BypassGovernanceRetention",
        "sts:GetCallerIdentity",
        "sts:TagSession"
    ]);
    let case = Case::new(&[allow(&actions)]);
    assert_eq!(
        case.verdicts(),
        [
            "iam:PassRole unknown dependent-only",
            "logs:PutLogEvents unknown never-logged",
            "storagegateway:BypassGovernanceRetention unknown conditional-only",
            "sts:GetCallerIdentity unknown permissionless",
            "sts:TagSession unknown dependent-only",
        ]
    );
    let with_role = Case::new(&[allow(&json!("iam:PassRole"))]).with("iam:PassRole", used(1));
    assert_eq!(with_role.verdicts(), ["iam:PassRole used"]);
}

#[test]
fn names_that_the_facts_do_not_know_are_kept_as_unknown() {
    let case = Case::new(&[allow(&json!(["s3:GetObjct", "moon:*"]))]);
    assert_eq!(
        case.verdicts(),
        ["s3:GetObjct unknown unknown-action", "moon:* unknown unknown-action"]
    );
}

#[test]
fn excluded_sources_and_missing_kinds_of_events_prove_nothing() {
    let mut case = Case::new(&[allow(&json!(["kms:Decrypt", "sns:CreateTopic", "sns:ListTopics"]))]);
    case.log().sources.clear();
    assert_eq!(case.verdicts()[0], "kms:Decrypt unknown source-not-recorded");
    case.log().management = Recorded {
        reads: false,
        writes: true,
    };
    assert_eq!(
        case.verdicts()[2],
        "sns:ListTopics unknown management-events-not-recorded"
    );
    case.log().management = Recorded {
        reads: true,
        writes: false,
    };
    assert_eq!(
        case.verdicts()[1..],
        [
            "sns:CreateTopic unknown management-events-not-recorded",
            "sns:ListTopics unknown management-events-not-recorded"
        ]
    );
}

#[test]
fn short_window_young_principal_and_low_coverage_prove_nothing() {
    let case = || Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    assert_eq!(case().verdicts(), ["sqs:CreateQueue unused"]);
    let mut short = case();
    short.thresholds.min_window_days = DAYS + 1;
    assert_eq!(short.verdicts(), ["sqs:CreateQueue unknown window-too-short"]);
    let mut young = case();
    young.role()["CreateDate"] = json!("2026-09-02T00:00:00Z");
    assert_eq!(young.verdicts(), ["sqs:CreateQueue unknown younger-than-window"]);
    let mut ageless = case();
    ageless.role().as_object_mut().unwrap().remove("CreateDate");
    assert_eq!(ageless.verdicts(), ["sqs:CreateQueue unknown age-unknown"]);
    let mut sparse = case();
    sparse.log().days.retain(|day| *day >= FIRST_DAY + 3);
    assert_eq!(sparse.verdicts(), ["sqs:CreateQueue unknown coverage-too-low"]);
    sparse.thresholds.min_coverage = 0.9;
    assert_eq!(sparse.verdicts(), ["sqs:CreateQueue unused"]);
}

#[test]
fn logs_of_one_region_prove_nothing_unless_a_trail_of_all_regions_is_told() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]);
    case.log().recorded_in = BTreeSet::from([text("eu-west-1")]);
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown one-region"]);
    case.check(|diffs| assert_eq!(diffs[0].summary.activity.name(), "unknown"));
    case.log().recorded_in.insert(text("us-east-1"));
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
    case.log().recorded_in.remove("us-east-1");
    let mut trail = json!({
        "TrailARN": format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/all"),
        "HomeRegion": "eu-west-1",
        "IsMultiRegionTrail": true,
        "IsOrganizationTrail": false,
    });
    let selectors = json!({
        "TrailARN": trail["TrailARN"],
        "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}],
    });
    let told = |trail: &Value| {
        let texts = [json!({"trailList": [trail]}), selectors.clone()].map(|text| text.to_string());
        Trails::read(texts.iter().map(String::as_str)).unwrap()
    };
    case.usage.trails = told(&trail);
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
    trail["IsMultiRegionTrail"] = json!(false);
    case.usage.trails = told(&trail);
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown one-region"]);
}

#[test]
fn logs_without_the_home_of_global_services_prove_nothing_about_them_and_about_grants() {
    let mut case = Case::new(&[allow(&json!(["iam:CreateUser", "sqs:CreateQueue"]))]);
    case.log().recorded_in = BTreeSet::from([text("eu-west-1"), text("eu-central-1")]);
    let verdicts = [
        "iam:CreateUser unknown global-services-not-recorded",
        "sqs:CreateQueue unknown global-services-not-recorded",
    ];
    assert_eq!(case.verdicts(), verdicts);
    case.log().recorded_in.insert(text("us-east-1"));
    assert_eq!(case.verdicts(), ["iam:CreateUser unused", "sqs:CreateQueue unused"]);
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
    deeds.unmapped.insert(text("sns.amazonaws.com"), text("NewCall"));
    assert_eq!(case.verdicts()[0], "sns:CreateTopic unknown unmapped-call");
}

#[test]
fn gap_in_the_snapshot_makes_everything_unknown_that_is_not_used() {
    let statements = [
        allow(&json!(["sqs:CreateQueue", "sqs:DeleteQueue"])),
        json!({"Effect": "Allow", "Action": 7}),
    ];
    let case = Case::new(&statements)
        .with("sqs:CreateQueue", used(1))
        .with("ec2:RunInstances", used(1));
    assert_eq!(
        case.verdicts(),
        [
            "sqs:CreateQueue used",
            "sqs:DeleteQueue unknown snapshot-gaps",
            "ec2:RunInstances unknown snapshot-gaps"
        ]
    );
}

#[test]
fn role_made_again_under_its_name_is_another_principal() {
    let mut case =
        Case::new(&[allow(&json!("sqs:CreateQueue"))]).by(Some("AROAEXAMPLEOLD"), "sqs:CreateQueue", used(5));
    case.role()["CreateDate"] = json!("2026-09-04T00:00:00Z");
    case.check(|diffs| {
        let shown: Vec<(Option<&str>, Vec<String>)> = diffs
            .iter()
            .map(|diff| {
                (
                    diff.subject.key.unique_id.as_deref(),
                    diff.rows.iter().map(shown).collect(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    Some("AROAEXAMPLEOLD"),
                    vec![text("sqs:CreateQueue used-not-granted OtherPrincipal")]
                ),
                (Some(ID), vec![text("sqs:CreateQueue unknown younger-than-window")]),
            ]
        );
    });
    let without_id = Case::new(&[allow(&json!("sqs:CreateQueue"))]).by(None, "sqs:CreateQueue", used(5));
    assert_eq!(without_id.verdicts(), ["sqs:CreateQueue used"]);
}

#[test]
fn logs_without_a_snapshot_are_reported_as_such_and_other_peoples_accounts_left_out() {
    let mut case = Case::new(&[]).with("sqs:CreateQueue", used(1));
    case.snapshots.clear();
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unknown no-snapshot"]);
    case.usage.accounts.clear();
    case.check(|diffs| assert!(diffs.is_empty()));
}

#[test]
fn principal_that_the_snapshot_does_not_know_is_told() {
    let mut case = Case::new(&[]).with("sqs:CreateQueue", used(1));
    let other = "arn:aws:iam::111122223333:role/other";
    case.role()["Arn"] = json!(other);
    case.role()["RoleId"] = json!("AROAOTHER");
    case.check(|diffs| {
        assert_eq!(diffs[1].subject.absence, Some(Absence::NotInSnapshot));
        assert_eq!(
            shown(&diffs[1].rows[0]),
            "sqs:CreateQueue used-not-granted NotInSnapshot"
        );
    });
}

#[test]
fn principal_that_was_renamed_is_known_by_its_id() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]).with("sqs:CreateQueue", used(1));
    case.role()["Arn"] = json!("arn:aws:iam::111122223333:role/team/r");
    assert_eq!(case.verdicts(), ["sqs:CreateQueue used"]);
}

#[test]
fn calls_that_both_accounts_recorded_count_once() {
    let mut case = Case::new(&[allow(&json!("s3:GetObject"))]).with("s3:GetObject", used(5));
    for (id, calls) in [(ID, 8), ("AROASTRANGER", 9)] {
        let key = PrincipalKey {
            arn: String::new(),
            unique_id: Some(text(id)),
        };
        let deeds = case.usage.principals.entry(key).or_default();
        deeds.actions.insert(text("s3:GetObject"), used(calls));
    }
    case.check(|diffs| {
        let [only] = diffs else {
            panic!("{} principals", diffs.len())
        };
        let uses: Vec<u64> = only.rows.iter().filter_map(|row| Some(row.evidence?.used)).collect();
        assert_eq!(uses, [8]);
    });
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
fn unmapped_call_of_an_unknown_service_keeps_statements_that_name_none() {
    let not_iam = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue")), not_iam]).with("sns:ListTopics", used(1));
    let deeds: &mut PrincipalUse = case.usage.principals.values_mut().next().unwrap();
    deeds
        .unmapped
        .insert(text("quantumfoo.amazonaws.com"), text("CreateThing"));
    let verdicts = case.verdicts();
    assert_eq!(verdicts[0], "sqs:CreateQueue unused");
    assert!(verdicts.contains(&text("sqs:CreateQueue unknown unmapped-call")));
    assert!(!verdicts[1..].contains(&text("sqs:CreateQueue unused")));
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
            "Arn": "arn:aws:iam::111122223333:user/u", "GroupList": ["g"]}],
        "GroupDetailList": [{"GroupName": "g", "Arn": "arn:aws:iam::111122223333:group/g", "GroupPolicyList":
            [{"PolicyName": "p", "PolicyDocument": {"Statement": [allow(&json!("sqs:CreateQueue"))]}}]}]}),
    ];
    assert_eq!(case.verdicts(), ["sqs:CreateQueue unused"]);
    case.check(|diffs| assert_eq!(diffs[0].rows[0].group, Some("arn:aws:iam::111122223333:group/g")));
}

#[test]
fn unmapped_call_of_a_renamed_service_keeps_its_actions_unknown() {
    let mut case =
        Case::new(&[allow(&json!(["cloudwatch:PutMetricAlarm", "sns:CreateTopic"]))]).with("sns:ListTopics", used(1));
    let deeds: &mut PrincipalUse = case.usage.principals.values_mut().next().unwrap();
    deeds.unmapped.insert(text("monitoring.amazonaws.com"), text("NewCall"));
    assert_eq!(
        case.verdicts()[..2],
        [
            "cloudwatch:PutMetricAlarm unknown unmapped-call",
            "sns:CreateTopic unused"
        ]
    );
}

#[test]
fn page_whose_earlier_page_was_imported_apart_makes_everything_unknown() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]).by(None, "sqs:CreateQueue", used(1));
    let mut first = case.snapshots[0].clone();
    first["IsTruncated"] = json!(true);
    first["RoleDetailList"][0]["Arn"] = json!("arn:aws:iam::111122223333:role/a");
    first["RoleDetailList"][0]["RoleName"] = json!("a");
    first["RoleDetailList"][0]["RoleId"] = json!("AROAOTHER");
    let key = PrincipalKey {
        arn: text("arn:aws:iam::111122223333:role/a"),
        unique_id: None,
    };
    let deeds = case.usage.principals.values().next().unwrap().clone();
    case.usage.principals.insert(key, deeds);
    case.snapshots.insert(0, first.clone());
    case.check(|diffs| {
        let shown: Vec<String> = diffs.iter().flat_map(|diff| diff.rows.iter().map(shown)).collect();
        assert_eq!(shown, ["sqs:CreateQueue unknown snapshot-gaps", "sqs:CreateQueue used"]);
        let gaps = diffs[1].subject.member.unwrap().gaps();
        assert_eq!(gaps, [super::super::estate::PART_OF_A_SNAPSHOT]);
    });
    // Whoever lists the principals of that page again is a snapshot of its own.
    let role = case.snapshots[1]["RoleDetailList"][0].clone();
    case.snapshots[1]["RoleDetailList"] = json!([role, first["RoleDetailList"][0]]);
    case.check(|diffs| assert!(diffs.iter().all(|diff| diff.subject.member.unwrap().gaps().is_empty())));
}

#[test]
fn principal_that_the_snapshot_has_keeps_its_uses_though_another_has_its_id() {
    let mut case = Case::new(&[allow(&json!("sqs:CreateQueue"))]).with("sqs:CreateQueue", used(1));
    let mut namesake = case.role().clone();
    namesake["Arn"] = json!("arn:aws:iam::111122223333:role/s");
    namesake["RoleName"] = json!("s");
    let first = case.role().clone();
    case.snapshots[0]["RoleDetailList"] = json!([first, namesake]);
    case.check(|diffs| {
        let verdicts: Vec<String> = diffs.iter().flat_map(|diff| diff.rows.iter().map(shown)).collect();
        assert_eq!(verdicts, ["sqs:CreateQueue used", "sqs:CreateQueue unused"]);
    });
}
