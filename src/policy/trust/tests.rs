use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::event::CredentialKind;
use crate::event::UserIdentity;
use crate::iam::Facts;
use crate::policy::AccountLog;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::GrantChange;
use crate::policy::PrincipalKey;
use crate::policy::PrincipalUse;
use crate::policy::Recorded;
use crate::policy::TakenSnapshot;
use crate::policy::Thresholds;
use crate::policy::Usage;
use crate::policy::Window;
use crate::policy::evaluation::RecordFields;
use crate::policy::snapshot;

mod calls;

const ACCOUNT: &str = "111122223333";
const VENDOR: &str = "888877776666";
const ROLE: &str = "arn:aws:iam::111122223333:role/r";
const ANN: &str = "arn:aws:iam::111122223333:user/ann";
const BOB: &str = "arn:aws:iam::111122223333:user/bob";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const GITHUB: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const DAY: i64 = 86_400_000_000;
const FIRST_DAY: i64 = 20_697;
const DAYS: i64 = 40;

/// A role with a trust policy, logs that show everything, and who came.
struct Case {
    snapshots: Vec<TakenSnapshot>,
    usage: Usage,
    calls: Vec<AssumeCall<'static>>,
}

/// What came out.
struct Outcome {
    /// Text, verdict and kinds of remarks of each part.
    parts: Vec<(String, String, Vec<&'static str>)>,
    callers: Vec<(CallerKind, String)>,
    trimmed: Option<Value>,
    chains: Vec<(Option<String>, Vec<String>)>,
    totals: TrustTotals,
}

fn details(trust: &Value) -> Value {
    let role = |name: &str, id: &str, arn: &str, trust: &Value| {
        json!({"RoleName": name, "RoleId": id, "Arn": arn, "Path": "/", "CreateDate": "2025-01-01T00:00:00Z",
            "AttachedManagedPolicies": [], "RolePolicyList": [],
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust}})
    };
    let nobody = json!([{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]);
    json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [
        role("r", "AROAEXAMPLER", ROLE, trust),
        role("deploy", "AROAEXAMPLEDEPLOY", DEPLOY, &nobody),
    ]})
}

fn allow(principal: &Value, action: &str, condition: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition})
}

fn plain(principal: &Value) -> Value {
    allow(principal, "sts:AssumeRole", &json!({}))
}

impl Case {
    fn new(statements: &Value) -> Self {
        let text = details(statements).to_string();
        let log = AccountLog {
            days: (FIRST_DAY..FIRST_DAY + DAYS).collect(),
            management: Recorded {
                reads: true,
                writes: true,
            },
            regions: BTreeSet::from(["eu-west-1".to_owned()]),
            ..AccountLog::default()
        };
        Self {
            snapshots: vec![TakenSnapshot {
                taken_at: (FIRST_DAY + DAYS) * DAY,
                source_id: "s".to_owned(),
                snapshot: snapshot::read(text.as_bytes()).unwrap(),
            }],
            usage: Usage::without_uses(
                Window {
                    since: FIRST_DAY * DAY,
                    until: (FIRST_DAY + DAYS) * DAY,
                },
                BTreeMap::from([(ACCOUNT.to_owned(), log)]),
            ),
            calls: Vec::new(),
        }
    }

    fn with(mut self, call: AssumeCall<'static>) -> Self {
        self.calls.push(call);
        self
    }

    fn run(&self) -> Outcome {
        let estate = Estate::newest(&self.snapshots);
        let neighbours = Neighbourhood::new(&estate, self.usage.accounts.keys().map(String::as_str));
        let mut log = TrustLog::new(&neighbours, estate.callers());
        let asked = log.asked();
        self.calls.iter().for_each(|call| log.add(call));
        let thresholds = Thresholds {
            min_coverage: 0.95,
            min_window_days: 30,
        };
        let mut differ = Differ::new(Facts::embedded(), &self.usage, &estate, thresholds);
        let report = TrustReport::of(log, (&self.usage, &mut differ), |arn| arn == ROLE);
        let mut proof = TrustProof::new(&neighbours, asked, &report.roles);
        self.calls.iter().for_each(|call| proof.add(call));
        let (totals, denying) = proof.finish();
        assert_eq!(denying, BTreeSet::new());
        let role = &report.roles[0];
        let part = |part: &PartReport<'_>| {
            let verdict = match part.verdict.reason() {
                Some(reason) => format!("{}: {reason}", part.verdict.name()),
                None => part.verdict.name().to_owned(),
            };
            let remarks = part.remarks.iter().map(|remark| remark.kind.name()).collect();
            (part.text.clone().unwrap_or_default(), verdict, remarks)
        };
        Outcome {
            parts: role.parts.iter().map(part).collect(),
            callers: role
                .callers
                .keys()
                .map(|caller| (caller.kind, caller.name.clone()))
                .collect(),
            trimmed: role.trimmed.as_ref().map(|trimmed| trimmed.document.to_value()),
            chains: report
                .chains
                .keys()
                .map(|chain| {
                    let origin = chain.origin.as_ref().map(|origin| origin.name.clone());
                    (origin, chain.through.clone())
                })
                .collect(),
            totals,
        }
    }
}

impl Outcome {
    fn verdicts(&self) -> Vec<&str> {
        self.parts.iter().map(|(_, verdict, _)| verdict.as_str()).collect()
    }
}

fn call(kind: &'static str, arn: &'static str) -> AssumeCall<'static> {
    AssumeCall {
        fields: RecordFields {
            event_time: (FIRST_DAY + 5) * DAY,
            event_source: "sts.amazonaws.com",
            event_name: "AssumeRole",
            aws_region: Some("eu-west-1"),
            identity: UserIdentity {
                kind: Some(kind),
                arn: Some(arn),
                account_id: arn.split(':').nth(4),
                ..UserIdentity::default()
            },
            user_name: None,
            credential_kind: CredentialKind::LongTerm,
            session_created_at: None,
            mfa_authenticated: None,
            source_identity: None,
            source_ip_address: None,
            user_agent: None,
            vpc_endpoint_id: None,
            tls_version: None,
            request_parameters: None,
            resource_arn: None,
        },
        parameters: Some(AssumeParameters::default()),
        role_arn: ROLE,
        caller_arn: Some(arn),
        provider: None,
        audience: None,
        issuer: None,
        is_granted: true,
        event_id: "e1",
        caller_key: None,
        issued_key: None,
    }
}

fn user(arn: &'static str) -> AssumeCall<'static> {
    call("IAMUser", arn)
}

fn session_of(role_arn: &'static str) -> AssumeCall<'static> {
    let mut call = call("AssumedRole", role_arn);
    call.fields.credential_kind = CredentialKind::Temporary;
    call.fields.identity.session_issuer_arn = Some(role_arn);
    call.fields.identity.arn = None;
    call
}

fn stranger(external_id: Option<&'static str>) -> AssumeCall<'static> {
    let mut call = call("AWSAccount", "arn:aws:iam::888877776666:root");
    call.fields.credential_kind = CredentialKind::None;
    call.fields.identity.principal_id = Some("AROAEXAMPLEVENDOR:job");
    call.parameters = Some(AssumeParameters {
        external_id,
        ..AssumeParameters::default()
    });
    call
}

fn workflow(subject: &'static str) -> AssumeCall<'static> {
    let mut call = call("WebIdentityUser", "x");
    call.fields.event_name = "AssumeRoleWithWebIdentity";
    call.fields.user_name = Some(subject);
    call.fields.identity.arn = None;
    call.fields.identity.account_id = None;
    call.provider = Some(GITHUB);
    call.audience = Some("sts.amazonaws.com");
    call
}

fn from_github(condition: &Value) -> Value {
    let principal = json!({"Federated": GITHUB});
    json!([allow(&principal, "sts:AssumeRoleWithWebIdentity", condition)])
}

#[test]
fn principal_that_never_came_goes_and_the_proof_holds() {
    let trust = json!([plain(&json!({"AWS": [ANN, BOB, DEPLOY]}))]);
    let case = Case::new(&trust).with(user(ANN)).with(session_of(DEPLOY));
    let outcome = case.run();
    assert_eq!(outcome.verdicts(), ["used", "unused", "used"]);
    let trimmed = outcome.trimmed.unwrap();
    assert_eq!(trimmed["Statement"][0]["Principal"], json!({"AWS": [ANN, DEPLOY]}));
    let all_stay = TrustTotals {
        evaluated: 2,
        ..TrustTotals::default()
    };
    assert_eq!(outcome.totals, all_stay);
}

#[test]
fn what_the_logs_would_not_show_is_unknown() {
    let trust = json!([plain(&json!({"AWS": [ANN, BOB]}))]);
    let reason = |case: &Case| {
        let outcome = case.run();
        assert_eq!(outcome.trimmed, None);
        outcome.parts[1].1.clone()
    };
    let mut short = Case::new(&trust).with(user(ANN));
    short.usage.window.since += 20 * DAY;
    assert!(reason(&short).contains("the window has 20 days"), "{}", reason(&short));
    let mut reads_off = Case::new(&trust).with(user(ANN));
    reads_off.usage.accounts.get_mut(ACCOUNT).unwrap().management.reads = false;
    assert!(
        reason(&reads_off).contains("no read management events"),
        "{}",
        reason(&reads_off)
    );
    let changed_at = |day: i64| {
        let mut changed = Case::new(&trust).with(user(ANN));
        changed.usage.changes.note(&GrantChange {
            account_id: ACCOUNT.to_owned(),
            call: "UpdateAssumeRolePolicy".to_owned(),
            role: Some("r".to_owned()),
            at: (FIRST_DAY + day) * DAY,
            ..GrantChange::default()
        });
        reason(&changed)
    };
    assert!(changed_at(30).contains("10 days"), "{}", changed_at(30));
    assert!(
        changed_at(DAYS + 1).contains("changed after"),
        "{}",
        changed_at(DAYS + 1)
    );
    let mut unseen = Case::new(&trust);
    let key = PrincipalKey {
        arn: ROLE.to_owned(),
        unique_id: None,
    };
    let deeds = PrincipalUse {
        last_seen: Some((FIRST_DAY + 5) * DAY),
        ..PrincipalUse::default()
    };
    unseen.usage.principals.insert(key, deeds);
    assert!(reason(&unseen).contains("who had taken it"), "{}", reason(&unseen));
}

#[test]
fn statement_of_which_nobody_is_left_goes_but_not_the_last() {
    let one = plain(&json!({"AWS": ANN}));
    let other = plain(&json!({"Service": "ec2.amazonaws.com"}));
    let outcome = Case::new(&json!([one, other])).with(user(ANN)).run();
    assert_eq!(outcome.verdicts(), ["used", "unused"]);
    assert_eq!(outcome.trimmed.unwrap()["Statement"], json!([one]));
    assert_eq!(Case::new(&json!([one, other])).run().trimmed, None);
}

#[test]
fn third_party_needs_an_external_id() {
    let account = json!({"AWS": format!("arn:aws:iam::{VENDOR}:root")});
    let with_id = json!([allow(
        &account,
        "sts:AssumeRole",
        &json!({"StringEquals": {"sts:ExternalId": "x1"}})
    )]);
    let outcome = Case::new(&with_id).with(stranger(Some("x1"))).run();
    assert_eq!(outcome.parts[0].2, ["whole-account"]);
    assert_eq!(
        outcome.callers,
        [(CallerKind::Account, format!("{VENDOR}/AROAEXAMPLEVENDOR"))]
    );
    let without = Case::new(&json!([plain(&account)])).with(stranger(None)).run();
    assert_eq!(without.verdicts(), ["used"]);
    assert_eq!(without.parts[0].2, ["whole-account", "no-external-id"]);
    // One's own accounts need none.
    let own = json!([plain(&json!({"AWS": ACCOUNT}))]);
    assert_eq!(
        Case::new(&own).with(user(ANN)).run().parts[0].2,
        ["whole-account", "user-without-mfa"]
    );
}

#[test]
fn principal_of_another_account_may_be_any_that_is_named_there() {
    let trust = json!([plain(&json!({"AWS": [
        format!("arn:aws:iam::{VENDOR}:role/job"),
        format!("arn:aws:iam::{VENDOR}:user/job"),
        "arn:aws:iam::555566667777:role/job",
    ]}))]);
    let outcome = Case::new(&trust).with(stranger(None)).run();
    // Its id is that of a role.
    assert_eq!(
        outcome.verdicts(),
        ["unknown: someone came who may have needed it", "unused", "unused"]
    );
    assert_eq!(
        outcome.trimmed.unwrap()["Statement"][0]["Principal"]["AWS"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        (outcome.totals.evaluated, outcome.totals.denied, outcome.totals.unknown),
        (1, 0, 0)
    );
}

#[test]
fn tokens_are_matched_with_their_subject_and_audience() {
    let key = |claim: &str| format!("token.actions.githubusercontent.com:{claim}");
    let condition = json!({
        "StringEquals": {key("aud"): "sts.amazonaws.com"},
        "StringLike": {key("sub"): ["repo:org/shop:*", "repo:org/old:*"]},
    });
    let outcome = Case::new(&from_github(&condition))
        .with(workflow("repo:org/shop:ref:refs/heads/main"))
        .run();
    assert_eq!(outcome.verdicts(), ["used", "used", "unused"]);
    assert_eq!(outcome.parts[0].2, ["broad-subject"]);
    let left = outcome.trimmed.unwrap();
    let subjects = &left["Statement"][0]["Condition"]["StringLike"][key("sub")];
    assert_eq!(*subjects, json!(["repo:org/shop:*"]));
    assert_eq!(outcome.callers[0].0, CallerKind::GithubActions);
    let open = Case::new(&from_github(&json!({})))
        .with(workflow("repo:evil/x:pull_request"))
        .run();
    assert_eq!(open.parts[0].2, ["no-audience-condition", "no-subject-condition"]);
    // An operator that lets a missing key through asks for nothing, and a star for anything.
    let soft = json!({"StringLikeIfExists": {key("aud"): "sts.amazonaws.com"}, "StringLike": {key("sub"): "*"}});
    let soft = Case::new(&from_github(&soft))
        .with(workflow("repo:evil/x:pull_request"))
        .run();
    assert_eq!(soft.parts[0].2, ["no-audience-condition", "no-subject-condition"]);
}

#[test]
fn everybody_and_what_is_left_of_the_deleted_are_told() {
    let trust = json!([plain(&json!("*")), plain(&json!({"AWS": "AROAEXAMPLEGONE"}))]);
    let outcome = Case::new(&trust).with(user(ANN)).run();
    assert_eq!(outcome.parts[0].2, ["everyone", "user-without-mfa"]);
    assert_eq!(
        (outcome.verdicts()[1], &outcome.parts[1].2),
        ("unused", &vec!["deleted-principal"])
    );
}

#[test]
fn roles_that_aws_keeps_are_left_as_they_are() {
    let trust = json!([plain(&json!({"AWS": [ANN, BOB]}))]).to_string();
    let own = details(&serde_json::from_str(&trust).unwrap()).to_string();
    let reserved = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/r";
    let mut case = Case::new(&json!([])).with(AssumeCall {
        role_arn: reserved,
        ..user(ANN)
    });
    let text = own.replace(ROLE, reserved);
    case.snapshots[0].snapshot = snapshot::read(text.as_bytes()).unwrap();
    let estate = Estate::newest(&case.snapshots);
    let neighbours = Neighbourhood::new(&estate, std::iter::empty());
    let mut log = TrustLog::new(&neighbours, estate.callers());
    case.calls.iter().for_each(|call| log.add(call));
    let thresholds = Thresholds {
        min_coverage: 0.95,
        min_window_days: 30,
    };
    let mut differ = Differ::new(Facts::embedded(), &case.usage, &estate, thresholds);
    let report = TrustReport::of(log, (&case.usage, &mut differ), |arn| arn == reserved);
    let verdicts: Vec<&str> = report.roles[0].parts.iter().map(|part| part.verdict.name()).collect();
    assert_eq!(
        (verdicts, report.roles[0].trimmed.is_none()),
        (vec!["used", "unused"], true)
    );
}
