use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::*;

use crate::iam::Facts;
use crate::policy::AccountLog;
use crate::policy::ActionUse;
use crate::policy::DecisionKind;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::GrantChanges;
use crate::policy::PrincipalUse;
use crate::policy::Recorded;
use crate::policy::TakenSnapshot;
use crate::policy::Thresholds;
use crate::policy::Trails;
use crate::policy::Usage;
use crate::policy::snapshot;
use crate::policy::subjects;
use crate::policy::window::days;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/ci/r";
const ID: &str = "AROAEXAMPLER";
/// 2026-09-01, a Tuesday.
const FIRST_DAY: i64 = 20_697;
const DAYS: i64 = 40;
const REPORT: &str = "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\n\
     u,arn:aws:iam::111122223333:user/u,2025-01-01T00:00:00Z,true,2025-01-01T00:00:00Z,2026-08-01T00:00:00Z\n";

/// A role that may create and delete queues and change policies of roles, in an account whose logs show everything.
struct Case {
    role: Value,
    deeds: PrincipalUse,
    log: ReviewLog,
    keeps: KeepList,
    min_window_days: i64,
    /// Day of the window on which the credential report was made.
    reported_on: Option<i64>,
}

impl Case {
    fn new() -> Self {
        let statement = json!({"Effect": "Allow", "Resource": "*", "Action":
            ["sqs:CreateQueue", "sqs:DeleteQueue", "iam:AttachRolePolicy", "s3:GetObject"]});
        Self {
            role: json!({
                "RoleName": "r", "RoleId": ID, "Arn": ROLE, "Path": "/ci/", "CreateDate": "2025-01-01T00:00:00Z",
                "AttachedManagedPolicies": [], "Tags": [{"Key": "team", "Value": " "}, {"Key": "Team", "Value": "shop"}],
                "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}],
            }),
            deeds: PrincipalUse::default(),
            log: ReviewLog::default(),
            keeps: KeepList::default(),
            min_window_days: 30,
            reported_on: None,
        }
    }

    fn with(mut self, action: &str, used: u64, denied: u64) -> Self {
        let day = (FIRST_DAY + 3) * MICROS_PER_DAY;
        self.deeds.first_seen = Some(day);
        self.deeds.last_seen = Some(day);
        let evidence = ActionUse {
            used,
            denied,
            last_used: (used > 0).then_some(day),
            ..ActionUse::default()
        };
        self.deeds.actions.insert(action.to_owned(), evidence);
        self
    }

    fn entry(&self) -> ReviewEntry {
        self.judged(|diff, frame| ReviewEntry::of(diff, None, &self.log, frame))
    }

    fn judged<T>(&self, judge: impl FnOnce(&PrincipalDiff<'_>, ReviewFrame<'_>) -> T) -> T {
        let recorded = Recorded {
            reads: true,
            writes: true,
        };
        let account = AccountLog {
            days: (FIRST_DAY..FIRST_DAY + DAYS).collect(),
            management: recorded,
            regions: BTreeSet::from(["eu-west-1".to_owned(), "us-east-1".to_owned()]),
            ..AccountLog::default()
        };
        let deeds = (self.deeds.first_seen.is_some()).then(|| (key(Some(ID)), self.deeds.clone()));
        let usage = Usage {
            window: days(FIRST_DAY, FIRST_DAY + DAYS),
            logs_until: (FIRST_DAY + DAYS) * MICROS_PER_DAY,
            principals: deeds.into_iter().collect(),
            accounts: BTreeMap::from([(ACCOUNT.to_owned(), account)]),
            trails: Trails::default(),
            changes: GrantChanges::default(),
        };
        let (users, roles) = match self.role.get("UserName") {
            Some(_) => (json!([self.role]), json!([])),
            None => (json!([]), json!([self.role])),
        };
        let details = json!({"UserDetailList": users, "GroupDetailList": [], "Policies": [], "RoleDetailList": roles});
        let taken_on = |day: i64, text: &str| TakenSnapshot {
            taken_at: (FIRST_DAY + day) * MICROS_PER_DAY,
            source_id: "s".to_owned(),
            snapshot: snapshot::read(text.as_bytes()).unwrap(),
        };
        let report = self.reported_on.map(|day| taken_on(day, REPORT));
        let taken: Vec<TakenSnapshot> = [taken_on(DAYS, &details.to_string())]
            .into_iter()
            .chain(report)
            .collect();
        let estate = Estate::newest(&taken);
        let subjects = subjects(&usage, &estate);
        let thresholds = Thresholds {
            min_window_days: self.min_window_days,
            ..Thresholds::DEFAULT
        };
        let now = (FIRST_DAY + DAYS) * MICROS_PER_DAY;
        let mut differ = Differ::new(Facts::embedded(), &usage, &estate, thresholds).keeping(&self.keeps, now);
        let owner_tags = OWNER_TAGS.map(str::to_owned);
        let frame = ReviewFrame {
            window: usage.window,
            owner_tags: &owner_tags,
            keeps: &self.keeps,
            now,
        };
        let [subject] = subjects.as_slice() else {
            panic!("{subjects:?}")
        };
        judge(&differ.diff(subject), frame)
    }
}

fn key(id: Option<&str>) -> PrincipalKey {
    PrincipalKey {
        arn: ROLE.to_owned(),
        unique_id: id.map(str::to_owned),
    }
}

#[test]
fn role_that_nobody_used_is_proposed_to_go_with_all_that_it_may_do() {
    let entry = Case::new().entry();
    assert_eq!((entry.change, entry.permissions), (ProposedChange::Remove, 4));
    assert!(
        entry.reasons[0].starts_with("Nobody took the role"),
        "{:?}",
        entry.reasons
    );
    assert!(
        entry.reasons[1].contains("does not know of any use"),
        "{:?}",
        entry.reasons
    );
}

#[test]
fn user_is_proposed_to_go_only_where_a_credential_report_tells_of_its_keys() {
    let mut case = Case::new();
    let statement = json!({"Effect": "Allow", "Resource": "*", "Action": ["sqs:CreateQueue", "s3:PutObject"]});
    case.role = json!({"UserName": "u", "UserId": "AIDAU", "Arn": "arn:aws:iam::111122223333:user/u", "Path": "/",
        "CreateDate": "2025-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}]});
    // Data events are not recorded, so that a key may have been used for them.
    let entry = case.entry();
    assert_eq!(entry.change, ProposedChange::Trim);
    assert!(matches!(entry.activity, Activity::Unknown(_)), "{:?}", entry.activity);
    case.reported_on = Some(DAYS - 3);
    let entry = case.entry();
    assert_eq!(entry.change, ProposedChange::Remove);
    assert_eq!(
        entry.reasons[0],
        "It made no call in the window, and the credential report shows no use of its keys and password."
    );
    case.reported_on = Some(DAYS - 10);
    assert_eq!(case.entry().change, ProposedChange::Trim);
    // Where every use would be seen, it is unused, and still nobody knows of what it may do beyond.
    case.reported_on = None;
    case.role["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] = json!("sqs:CreateQueue");
    let entry = case.entry();
    assert_eq!(
        (entry.change, &entry.activity),
        (ProposedChange::Trim, &Activity::NeverUsed)
    );
    assert!(
        entry
            .reasons
            .iter()
            .any(|reason| reason.contains("Import a credential report")),
        "{:?}",
        entry.reasons
    );
}

#[test]
fn what_is_unknown_is_never_proposed_to_go() {
    let mut case = Case::new();
    case.min_window_days = 60;
    let entry = case.entry();
    assert_eq!((entry.change, entry.permissions), (ProposedChange::Keep, 0));
    assert_eq!((entry.counts.unknown, entry.counts.removable), (4, 0));
    assert!(
        entry.reasons[1].contains("4 permissions stay, as nobody knows"),
        "{:?}",
        entry.reasons
    );
    let used = Case::new().with("sqs:CreateQueue", 2, 0).entry();
    let s3 = used.services.iter().find(|it| it.service == "s3").unwrap();
    assert_eq!((s3.unknown, s3.removable), (1, 0));
    assert_eq!((used.change, used.permissions), (ProposedChange::Trim, 2));
}

#[test]
fn reasons_of_a_trimmed_role_name_what_can_do_harm_and_what_stays() {
    let entry = Case::new()
        .with("sqs:CreateQueue", 2, 0)
        .with("sqs:DeleteQueue", 0, 3)
        .entry();
    assert_eq!(
        entry.reasons,
        [
            "1 of 4 permissions were not used, and the logs would show a use.",
            "1 of these can do harm: iam:AttachRolePolicy.",
            "1 permission stays, as nobody knows whether it is used: no read data events of AWS::S3::Object are recorded in \
             the account (1).",
            "1 permission was tried and denied, and stays: someone wants to do it.",
        ]
    );
    let deeds: Vec<(&str, u64, u64)> = entry
        .deeds
        .iter()
        .map(|it| (it.action.as_str(), it.uses, it.denied))
        .collect();
    assert_eq!(deeds, [("sqs:CreateQueue", 2, 0), ("sqs:DeleteQueue", 0, 3)]);
    let risks: Vec<(&str, &str)> = entry
        .high_risk
        .iter()
        .map(|it| (it.action.as_str(), it.verdict))
        .collect();
    assert!(risks.contains(&("iam:AttachRolePolicy", "unused")), "{risks:?}");
    let services: Vec<&str> = entry.services.iter().map(|it| it.service.as_str()).collect();
    assert_eq!(services[0], "sqs", "services in use come first");
}

#[test]
fn first_of_the_wanted_tags_with_a_value_names_the_owner() {
    let entry = Case::new().entry();
    assert_eq!(entry.owner, Some(("shop".to_owned(), "Team".to_owned())));
    let tags = [("Owner".to_owned(), "ann".to_owned())];
    assert_eq!(owner(&tags, &["CostCenter".to_owned()]), None);
}

#[test]
fn weeks_begin_on_mondays_and_cover_the_window_also_where_nothing_happened() {
    let mut case = Case::new().with("sqs:CreateQueue", 2, 0);
    let logged = |days: &[(i64, u64)]| days.iter().copied().collect::<BTreeMap<i64, u64>>();
    case.log.days.insert(
        key(Some(ID)),
        logged(&[(FIRST_DAY, 3), (FIRST_DAY + 5, 4), (FIRST_DAY + 6, 5)]),
    );
    case.log.days.insert(key(None), logged(&[(FIRST_DAY + 39, 1)]));
    case.log
        .days
        .insert(key(Some("AROAOTHER")), logged(&[(FIRST_DAY, 100)]));
    let weeks = case.entry().weeks;
    assert_eq!(
        weeks,
        [
            (20_696, 7),
            (20_703, 5),
            (20_710, 0),
            (20_717, 0),
            (20_724, 0),
            (20_731, 1)
        ]
    );
}

#[test]
fn decision_to_keep_is_followed_and_one_to_trim_is_open_until_it_is_done() {
    let mut case = Case::new();
    let decide = |decision: &str, expires: &str| {
        let text = format!(
            "[[review]]\nprincipal = '{ROLE}'\nid = '{ID}'\ndecision = '{decision}'\nreviewer = 'ann'\ndate = 2026-09-20\n\
             reason = 'yearly'\nexpires = {expires}\n"
        );
        KeepList::read(&text).unwrap()
    };
    case.keeps = decide("keep", "2026-12-31");
    let kept = case.entry();
    assert_eq!(
        (kept.change, kept.counts.kept, kept.is_open()),
        (ProposedChange::Keep, 3, false)
    );
    assert!(
        kept.reasons[0].contains("access review of 2026-09-20: yearly"),
        "{:?}",
        kept.reasons
    );
    // A part of its trust policy that nobody used changes nothing of that.
    let change = |case: &Case| case.judged(|diff, _| propose(diff, &["444455556666"]).change);
    assert_eq!(change(&case), ProposedChange::Keep);
    let used = Case::new().with("sqs:CreateQueue", 1, 0).with("sqs:DeleteQueue", 1, 0);
    assert_eq!(change(&used), ProposedChange::Trim);
    case.keeps = decide("keep", "2026-09-30");
    let expired = case.entry();
    assert_eq!(
        (expired.change, expired.is_decision_expired),
        (ProposedChange::Remove, true)
    );
    case.keeps = decide("remove", "2026-12-31");
    let decided = case.entry();
    assert_eq!(decided.decision.as_ref().map(|it| it.kind), Some(DecisionKind::Remove));
    assert!(decided.is_open() && decided.change == ProposedChange::Remove);
}
