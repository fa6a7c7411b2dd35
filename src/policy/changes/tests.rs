use std::slice::from_ref;

use serde_json::Value;
use serde_json::json;

use super::super::estate::Estate;
use super::super::estate::TakenSnapshot;
use super::super::grant::Expander;
use super::super::snapshot;
use super::*;
use crate::iam::Facts;

const ACCOUNT: &str = "111122223333";
const EDGE: &str = "arn:aws:iam::111122223333:policy/edge";
const MANAGED: &str = "arn:aws:iam::111122223333:policy/team/Shared";

fn inline(name: &str, effect: &str) -> Value {
    json!({"PolicyName": name, "PolicyDocument": {"Statement": [{"Effect": effect, "Action": "sqs:*", "Resource": "*"}]}})
}

fn managed(arn: &str, made: Option<&str>) -> Value {
    json!({"PolicyName": arn.rsplit('/').next(), "Arn": arn, "DefaultVersionId": "v2", "PolicyVersionList": [
        {"VersionId": "v1", "IsDefaultVersion": false, "CreateDate": "1970-01-01T00:00:09Z", "Document": {"Statement": []}},
        {"VersionId": "v2", "IsDefaultVersion": true, "CreateDate": made,
            "Document": {"Statement": [{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}]}}]})
}

/// A role with an inline and a managed policy and a boundary, and a user in a group.
fn account() -> Value {
    json!({
        "RoleDetailList": [{"RoleName": "Deployer", "Arn": "arn:aws:iam::111122223333:role/ci/Deployer", "Path": "/ci/",
            "RolePolicyList": [inline("own", "Allow"), inline("guard", "Allow")],
            "AttachedManagedPolicies": [{"PolicyName": "Shared", "PolicyArn": MANAGED}],
            "PermissionsBoundary": {"PermissionsBoundaryArn": EDGE}}],
        "UserDetailList": [{"UserName": "ada", "Arn": "arn:aws:iam::111122223333:user/ada", "GroupList": ["ops"]}],
        "GroupDetailList": [{"GroupName": "ops", "Arn": "arn:aws:iam::111122223333:group/ops",
            "GroupPolicyList": [inline("all", "Allow")]}],
        "Policies": [managed(EDGE, Some("1970-01-01T00:00:00Z")), managed(MANAGED, Some("1970-01-01T00:00:00Z"))],
    })
}

fn change(call: &str, at: i64, fields: &[(&str, &str)]) -> GrantChange {
    let field = |name: &str| {
        fields
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| (*value).to_owned())
    };
    GrantChange {
        account_id: ACCOUNT.to_owned(),
        call: call.to_owned(),
        role: field("role"),
        user: field("user"),
        group: field("group"),
        policy_name: field("name"),
        policy_arn: field("arn"),
        at,
        first_at: at,
    }
}

/// When the principals' whole permissions and each of their policies changed: `role`, `role/policy`, `user`, `user/policy`.
fn times(account: &Value, changes: &[GrantChange]) -> Vec<(String, i64)> {
    let taken = [TakenSnapshot {
        taken_at: 1,
        source_id: "source".to_owned(),
        snapshot: snapshot::read(account.to_string().as_bytes()).unwrap(),
    }];
    let estate = Estate::newest(&taken);
    let mut noted = GrantChanges::default();
    changes.iter().for_each(|change| noted.note(change));
    let (mut expander, mut times) = (Expander::new(Facts::embedded()), Vec::new());
    for member in estate.callers() {
        let name = member.principal.name.clone();
        times.extend(noted.of_principal(&member, None).map(|at| (name.clone(), at)));
        for grant in expander.permissions(&estate, &member).grants {
            let at = noted.of_grant(&member, &grant);
            times.extend(at.map(|at| (format!("{name}/{}", grant.policy.name), at)));
        }
    }
    times.retain(|(_, at)| *at > 0);
    times
}

fn told(changes: &[GrantChange]) -> Vec<(String, i64)> {
    times(&account(), changes)
}

fn at(place: &str, at: i64) -> (String, i64) {
    (place.to_owned(), at)
}

#[test]
fn calls_concern_the_statement_whose_document_or_attachment_they_change() {
    let role = ("role", "deployer");
    let changes = [
        change("PutRolePolicy", 5, &[role, ("name", "own")]),
        change("PutRolePolicy", 7, &[role, ("name", "own")]),
        change("PutRolePolicy", 6, &[role, ("name", "own")]),
        change("AttachRolePolicy", 4, &[role, ("arn", MANAGED)]),
        change("PutRolePolicy", 8, &[("role", "other"), ("name", "own")]),
        change("UpdateRole", 9, &[role]),
    ];
    assert_eq!(told(&changes), [at("Deployer/own", 7), at("Deployer/Shared", 4)]);
    for call in ["CreatePolicyVersion", "SetDefaultPolicyVersion", "CreatePolicy"] {
        assert_eq!(
            told(&[change(call, 3, &[("arn", MANAGED)])]),
            [at("Deployer/Shared", 3)]
        );
    }
}

#[test]
fn who_can_act_as_a_principal_bears_on_all_that_it_may_do() {
    let role = ("role", "deployer");
    assert_eq!(
        told(&[change("UpdateAssumeRolePolicy", 9, &[role])]),
        [at("Deployer", 9)]
    );
    assert_eq!(
        told(&[change("AddRoleToInstanceProfile", 9, &[role])]),
        [at("Deployer", 9)]
    );
    for call in [
        "CreateAccessKey",
        "UpdateAccessKey",
        "CreateLoginProfile",
        "UpdateLoginProfile",
        "CreateServiceSpecificCredential",
        "UploadSigningCertificate",
        "UploadSSHPublicKey",
        "UpdateSSHPublicKey",
    ] {
        assert_eq!(told(&[change(call, 9, &[("user", "ada")])]), [at("ada", 9)]);
    }
    assert_eq!(told(&[change("UpdateGroup", 9, &[("group", "ops")])]), [at("ada", 9)]);
}

#[test]
fn mfa_device_concerns_the_policies_that_ask_for_one() {
    let enabled = [change("EnableMFADevice", 9, &[("user", "Ada")])];
    assert_eq!(told(&enabled), []);
    let mut asking = account();
    let document = &mut asking["GroupDetailList"][0]["GroupPolicyList"][0]["PolicyDocument"];
    document["Statement"][0]["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    assert_eq!(times(&asking, &enabled), [at("ada/all", 9)]);
    let document = &mut asking["GroupDetailList"][0]["GroupPolicyList"][0]["PolicyDocument"];
    document["Statement"][0]["Effect"] = json!("Deny");
    assert_eq!(times(&asking, &enabled), [at("ada", 9)]);
}

#[test]
fn provider_that_was_set_up_late_is_a_new_way_to_the_roles_that_trust_it() {
    let mut trusting = account();
    trusting["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!({"Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/Token.example"}}]});
    let made = |provider| [change("CreateOpenIDConnectProvider", 9, &[("arn", provider)])];
    assert_eq!(
        times(&trusting, &made("oidc-provider/token.example")),
        [at("Deployer", 9)]
    );
    assert_eq!(times(&trusting, &made("oidc-provider/token")), []);
    assert_eq!(told(&made("oidc-provider/token.example")), []);
    let metadata = [change("CreateSAMLProvider", 9, &[("arn", "saml-provider/idp")])];
    assert_eq!(times(&trusting, &metadata), []);
}

#[test]
fn further_key_of_who_was_seen_before_it_changes_nothing() {
    let snapshot = snapshot::read(account().to_string().as_bytes()).unwrap();
    let taken = [TakenSnapshot {
        taken_at: 20,
        source_id: "source".to_owned(),
        snapshot,
    }];
    let estate = Estate::newest(&taken);
    let ada = estate.callers().find(|member| member.principal.name == "ada").unwrap();
    let mut noted = GrantChanges::default();
    noted.note(&change("CreateAccessKey", 9, &[("user", "ada")]));
    assert_eq!(noted.of_principal(&ada, Some(8)), None);
    assert_eq!(noted.of_principal(&ada, Some(10)), Some(9));
    assert_eq!(noted.of_principal(&ada, None), Some(9));
    // The first password is of 9, was used at 10, and was set anew at 12.
    noted.note(&change("UpdateLoginProfile", 12, &[("user", "ada")]));
    assert_eq!(noted.of_principal(&ada, Some(8)), None);
    assert_eq!(noted.of_principal(&ada, Some(10)), Some(9));
    assert_eq!(noted.of_principal(&ada, Some(13)), Some(12));
    assert_eq!(noted.of_principal(&ada, None), Some(12));
}

#[test]
fn version_in_force_dates_the_statements_of_a_managed_policy() {
    let mut dated = account();
    dated["Policies"][1] = managed(MANAGED, Some("1970-01-01T00:00:02Z"));
    let unnamed = [change("CreatePolicyVersion", 5, &[])];
    assert_eq!(times(&dated, &unnamed), [at("Deployer/Shared", 2_000_000)]);
    dated["Policies"][1] = managed(MANAGED, None);
    assert_eq!(times(&dated, &unnamed), [at("Deployer/Shared", 5)]);
}

#[test]
fn groups_bring_their_statements_to_who_joins_them() {
    let joined = change("AddUserToGroup", 5, &[("user", "ada"), ("group", "ops")]);
    assert_eq!(told(&[joined]), [at("ada/all", 5)]);
    let put = change("PutGroupPolicy", 6, &[("group", "ops"), ("name", "all")]);
    assert_eq!(told(&[put]), [at("ada/all", 6)]);
    let left = change("RemoveUserFromGroup", 7, &[("user", "ada"), ("group", "denied")]);
    assert_eq!(told(&[left]), [at("ada", 7)]);
    assert_eq!(told(&[change("CreateGroup", 8, &[("group", "ops")])]), []);
    let mut young = account();
    young["GroupDetailList"][0]["CreateDate"] = json!("1970-01-01T00:00:03Z");
    assert_eq!(times(&young, &[]), [at("ada/all", 3_000_000)]);
}

#[test]
fn boundaries_and_lifted_denials_concern_everything() {
    let role = ("role", "deployer");
    for call in [
        "PutRolePermissionsBoundary",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "CreateRole",
    ] {
        assert_eq!(
            told(&[change(call, 5, &[role, ("name", "gone")])]),
            [at("Deployer", 5)],
            "{call}"
        );
    }
    assert_eq!(
        told(&[change("SetDefaultPolicyVersion", 5, &[("arn", EDGE)])]),
        [at("Deployer", 5)]
    );
    let detached = |arn| change("DetachRolePolicy", 5, &[role, ("arn", arn)]);
    let gone = "arn:aws:iam::111122223333:policy/gone";
    for (arn, is_lifting) in [
        (gone, true),
        ("arn:aws:iam::aws:policy/AWSDenyAll", true),
        ("arn:aws:iam::aws:policy/AmazonS3FullAccess", false),
        (MANAGED, false),
    ] {
        assert_eq!(!told(&[detached(arn)]).is_empty(), is_lifting, "{arn}");
    }
    let mut denying = account();
    denying["RoleDetailList"][0]["RolePolicyList"][1] = inline("guard", "Deny");
    let put = [change("PutRolePolicy", 5, &[role, ("name", "guard")])];
    assert_eq!(times(&denying, &put), [at("Deployer", 5)]);
    assert_eq!(told(&put), [at("Deployer/guard", 5)]);
}

/// When each statement of the role's trust policy came, where an earlier snapshot had other ones.
fn trusted_since(earlier: &[Value], now: &[Value], changes: &[GrantChange]) -> Vec<Option<i64>> {
    let taken = |taken_at: i64, statements: &[Value]| {
        let mut account = account();
        account["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!({"Statement": statements});
        [TakenSnapshot {
            taken_at,
            source_id: format!("source {taken_at}"),
            snapshot: snapshot::read(account.to_string().as_bytes()).unwrap(),
        }]
    };
    let newest = taken(50, now);
    let estate = Estate::newest(&newest);
    let mut noted = GrantChanges::default();
    changes.iter().for_each(|change| noted.note(change));
    noted.note_snapshots(&taken(3, earlier));
    let role = estate
        .callers()
        .find(|member| member.principal.name == "Deployer")
        .unwrap();
    let trust = role.trust().unwrap();
    let document = trust.document.as_ref().unwrap();
    let statements = document.readable();
    statements
        .map(|(_, statement)| noted.of_trust(&role, statement))
        .collect()
}

#[test]
fn statement_of_a_trust_policy_counts_from_when_it_came_and_from_when_a_denial_went() {
    let allow = |account: &str| json!({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"});
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}});
    let (one, two) = (allow("222222222222"), allow("333333333333"));
    let both = [one.clone(), two];
    assert_eq!(trusted_since(&both, &both, &[]), [None, None]);
    assert_eq!(trusted_since(from_ref(&one), &both, &[]), [None, Some(50)]);
    let denied = [one.clone(), deny.clone()];
    assert_eq!(trusted_since(&denied, from_ref(&one), &[]), [Some(50)]);
    assert_eq!(trusted_since(from_ref(&one), &denied, &[]), [None, Some(50)]);
    let role = ("role", "deployer");
    let put = change("UpdateAssumeRolePolicy", 9, &[role]);
    assert_eq!(trusted_since(&denied, from_ref(&one), &[put]), [Some(9)]);
    // What was done to its other policies did not lift the denial.
    let other = change("DeleteRolePolicy", 9, &[role, ("name", "x")]);
    assert_eq!(trusted_since(&denied, &[one], &[other]), [Some(50)]);
}

#[test]
fn record_that_does_not_say_whom_it_concerns_concerns_everyone_in_the_account() {
    let unnamed = change("PutUserPolicy", 5, &[]);
    assert_eq!(told(from_ref(&unnamed)), [at("Deployer", 5), at("ada", 5)]);
    let elsewhere = GrantChange {
        account_id: "444455556666".to_owned(),
        ..unnamed
    };
    assert_eq!(told(&[elsewhere]), []);
}

#[test]
fn role_that_was_handed_over_late_could_not_act_before_unless_it_was_seen() {
    let mut with_profile = account();
    with_profile["RoleDetailList"][0]["InstanceProfileList"] =
        json!([{"InstanceProfileName": "Web", "Arn": "arn:aws:iam::111122223333:instance-profile/a/Web"}]);
    let passed = [change("PassRole", 9, &[("role", "Deployer")])];
    assert_eq!(told(&passed), [at("Deployer", 9)]);
    let profile = [change("PassInstanceProfile", 7, &[("role", "web")])];
    assert_eq!(told(&profile), []);
    assert_eq!(times(&with_profile, &profile), [at("Deployer", 7)]);
    let of_role = |noted: &GrantChanges, first_seen| {
        let snapshot = snapshot::read(account().to_string().as_bytes()).unwrap();
        let taken = [TakenSnapshot {
            taken_at: 20,
            source_id: "source".to_owned(),
            snapshot,
        }];
        let estate = Estate::newest(&taken);
        let mut members = estate.callers();
        let role = members.find(|member| member.principal.name == "Deployer").unwrap();
        noted.of_principal(&role, first_seen).filter(|at| *at > 0)
    };
    let mut noted = GrantChanges::default();
    noted.note(&passed[0]);
    assert_eq!(of_role(&noted, Some(8)), None);
    // What takes a role first after a long silence was set up then.
    let mut noted = GrantChanges::default();
    let window = super::super::window::days(0, 40);
    let role = "arn:aws:iam::111122223333:role/Deployer";
    noted.note_takings(role, (9, &[2, 30].into()), window);
    assert_eq!(of_role(&noted, Some(9)), None);
    noted.note_takings(role, (9, &[30, 33, 36].into()), window);
    assert_eq!(of_role(&noted, Some(9)), Some(9));
    assert_eq!(of_role(&noted, Some(8)), None);
}

#[test]
fn tags_concern_the_policies_that_ask_for_them() {
    let tagged = ["TagRole", "UntagRole"].map(|call| change(call, 9, &[("role", "deployer")]));
    assert_eq!(told(&tagged), []);
    let mut asking = account();
    let condition = json!({"StringEquals": {"aws:PrincipalTag/team": "blue"}});
    asking["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"]["Statement"][0]["Condition"] = condition.clone();
    assert_eq!(times(&asking, &tagged), [at("Deployer/own", 9)]);
    asking["RoleDetailList"][0]["RolePolicyList"][0] = inline("own", "Deny");
    asking["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"]["Statement"][0]["Condition"] = condition;
    assert_eq!(times(&asking, &tagged), [at("Deployer", 9)]);
}
