//! IAM snapshots that fit the logs: authorization details and credential reports, taken when the window ends.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::estate::AccessKey;
use super::estate::Account;
use super::estate::ManagedPolicy;
use super::estate::Role;
use super::estate::User;
use super::estate::unique_id;
use super::moment::DAY;
use super::moment::Moment;
use super::tally::Tally;
use super::workload::compute;
use super::workload::containers;
use super::workload::delivery;
use super::workload::legacy;
use super::workload::other_accounts;
use super::workload::outsiders;
use super::workload::people;
use super::workload::services;

/// The documents of the AWS managed policies that the snapshots contain. Two attached ones are left out on purpose, as
/// in a snapshot that was filtered to local policies.
const AWS_MANAGED_POLICIES: &str = include_str!("aws_managed_policies.json");

/// The group of the old automation users.
const GROUP: &str = "legacy-automation";
const GROUP_POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}]}"#;
/// When the objects were made that nobody asks the age of.
const OLD: &str = "2025-02-11T09:14:25+00:00";
/// Days after which a key is old.
const KEY_AGE_DAYS: i64 = 90;

/// Every role of the estate.
pub(super) fn roles() -> Vec<&'static Role> {
    let groups: [&[&'static Role]; 8] = [
        &compute::ROLES,
        &containers::ROLES,
        &delivery::ROLES,
        &legacy::ROLES,
        &other_accounts::ROLES,
        &outsiders::ROLES,
        &people::ROLES,
        &services::ROLES,
    ];
    groups.concat()
}

/// `aws iam get-account-authorization-details` of one account.
pub(super) fn authorization_details(account: &Account, tally: &Tally) -> Value {
    let roles: Vec<&Role> = roles().into_iter().filter(|role| role.account == account).collect();
    let users: Vec<&User> = legacy::USERS
        .iter()
        .copied()
        .filter(|user| user.account == account)
        .collect();
    let uses_group = users.iter().any(|user| user.groups.contains(&GROUP));
    let groups: Vec<Value> = uses_group.then(|| group(account)).into_iter().collect();
    json!({
        "UserDetailList": users.iter().map(|user| user_details(user)).collect::<Vec<_>>(),
        "GroupDetailList": groups,
        "RoleDetailList": roles.iter().map(|role| role_details(role, tally)).collect::<Vec<_>>(),
        "Policies": policies(account, &roles, &users),
    })
}

/// `aws iam get-credential-report` of one account; `None` when it has no IAM users.
pub(super) fn credential_report(account: &Account, tally: &Tally) -> Option<String> {
    let users: Vec<&User> = legacy::USERS
        .iter()
        .copied()
        .filter(|user| user.account == account)
        .collect();
    if users.is_empty() {
        return None;
    }
    // Records of other accounts also name this root ARN, for callers whose own ARN they hide.
    let root_use = tally
        .planted("root_use")
        .iter()
        .rfind(|event| event.get("account_id").and_then(Value::as_str) == Some(account.id));
    let root_use = root_use
        .and_then(|event| event.get("event_time").and_then(Value::as_str))
        .map(|time| time.replace('Z', "+00:00"));
    let root_use = root_use.unwrap_or_else(|| "no_information".to_owned());
    let mut report = format!(
        "{REPORT_HEADER}\n<root_account>,arn:aws:iam::{}:root,2019-01-15T08:00:00+00:00,not_supported,{root_use},\
         not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n",
        account.id
    );
    for user in users {
        report.push_str(&report_line(user, tally));
    }
    Some(report)
}

/// What the snapshots and the logs say together: unused roles, young roles, old keys.
pub(super) fn expected(tally: &Tally) -> Value {
    let end = window_end(tally);
    let unused = |role: &&&Role| tally.last_use(&role.arn()).is_none();
    let roles = roles();
    let never: Vec<String> = roles
        .iter()
        .filter(unused)
        .filter(|role| role.used_before.is_none())
        .map(|role| role.arn())
        .collect();
    let not_lately: Vec<String> = roles
        .iter()
        .filter(unused)
        .filter(|role| role.used_before.is_some())
        .map(|role| role.arn())
        .collect();
    let young: Vec<String> = roles
        .iter()
        .filter(|role| role.created_on_day.is_some())
        .map(|role| role.arn())
        .collect();
    let old_keys: Vec<Value> = legacy::USERS
        .iter()
        .flat_map(|user| user.keys.iter().map(move |key| (user, key)))
        .filter(|(_, key)| key_age_days(key, end) > KEY_AGE_DAYS)
        .map(|(user, key)| {
            json!({ "user": user.arn(), "access_key_id": key.id, "active": key.active, "rotated": key.rotated })
        })
        .collect();
    json!({
        "snapshot_time": end.iso(),
        "roles": roles.len(),
        "roles_never_used": never,
        "roles_used_before_the_window_only": not_lately,
        "roles_created_in_the_window": young,
        "keys_older_than_90_days": old_keys,
        "aws_managed_policies_without_document": missing_documents(),
    })
}

fn missing_documents() -> Vec<&'static str> {
    let mut missing: Vec<&str> = roles()
        .iter()
        .flat_map(|role| role.managed)
        .copied()
        .filter(|arn| arn.starts_with("arn:aws:iam::aws:") && !AWS_MANAGED_POLICIES.contains(&format!("\"{arn}\"")))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

const REPORT_HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
     password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
     access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
     access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
     cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

fn report_line(user: &User, tally: &Tally) -> String {
    let last = tally.last_use(&user.arn());
    let password = match (user.password_set, &last) {
        (Some(set), Some(last)) => format!("true,{},{set},N/A", last.time.iso_offset()),
        (Some(set), None) => format!("true,no_information,{set},N/A"),
        (None, _) => "false,N/A,N/A,N/A".to_owned(),
    };
    let mut line = format!("{},{},{},{password},{}", user.name, user.arn(), user.created, user.mfa);
    for position in 0..2 {
        let text = match user.keys.get(position) {
            Some(key) => match last.as_ref().filter(|_| key.active) {
                Some(last) => {
                    format!(
                        "{},{},{},{},{}",
                        key.active,
                        key.rotated,
                        last.time.iso_offset(),
                        last.region,
                        last.service
                    )
                }
                None => format!("{},{},N/A,N/A,N/A", key.active, key.rotated),
            },
            None => "false,N/A,N/A,N/A,N/A".to_owned(),
        };
        line.push(',');
        line.push_str(&text);
    }
    line.push_str(",false,N/A,false,N/A\n");
    line
}

fn key_age_days(key: &AccessKey, end: Moment) -> i64 {
    let rotated: Timestamp = key.rotated.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    end.since(Moment::at(rotated)) / DAY
}

fn window_end(tally: &Tally) -> Moment {
    Moment::start_of(tally.config().first_day).plus(i64::from(tally.config().days) * DAY)
}

fn role_details(role: &Role, tally: &Tally) -> Value {
    let created = role.created_on_day.map_or_else(
        || role.created.to_owned(),
        |day| Moment::start_of(tally.config().first_day).plus(day * DAY).iso_offset(),
    );
    let last_used = match (tally.last_use(&role.arn()), role.used_before) {
        (Some(last), _) => json!({ "LastUsedDate": last.time.iso_offset(), "Region": last.region }),
        (None, Some((time, region))) => json!({ "LastUsedDate": time, "Region": region }),
        (None, None) => json!({}),
    };
    let mut details = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id(),
        "Arn": role.arn(),
        "CreateDate": created,
        "AssumeRolePolicyDocument": document(&role.trust.replace("<account>", role.account.id)),
        "InstanceProfileList": instance_profiles(role),
        "RolePolicyList": inline(role.inline),
        "AttachedManagedPolicies": attached(role.managed),
        "Tags": [],
        "RoleLastUsed": last_used,
    });
    if let (Value::Object(members), Some(arn)) = (&mut details, role.boundary) {
        let boundary = json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn });
        members.insert("PermissionsBoundary".to_owned(), boundary);
    }
    details
}

fn instance_profiles(role: &Role) -> Vec<Value> {
    let profile = json!({
        "Path": "/",
        "InstanceProfileName": role.name,
        "InstanceProfileId": unique_id("AIPA", &role.arn()),
        "Arn": format!("arn:aws:iam::{}:instance-profile/{}", role.account.id, role.name),
        "CreateDate": role.created,
        "Roles": [{
            "Path": role.path,
            "RoleName": role.name,
            "RoleId": role.id(),
            "Arn": role.arn(),
            "CreateDate": role.created,
            "AssumeRolePolicyDocument": document(role.trust),
        }],
    });
    role.instance_profile.then_some(profile).into_iter().collect()
}

fn user_details(user: &User) -> Value {
    json!({
        "Path": "/",
        "UserName": user.name,
        "UserId": user.id(),
        "Arn": user.arn(),
        "CreateDate": user.created,
        "UserPolicyList": inline(user.inline),
        "GroupList": user.groups,
        "AttachedManagedPolicies": attached(user.managed),
        "Tags": [],
    })
}

fn group(account: &Account) -> Value {
    let arn = format!("arn:aws:iam::{}:group/{GROUP}", account.id);
    json!({
        "Path": "/",
        "GroupName": GROUP,
        "GroupId": unique_id("AGPA", &arn),
        "Arn": arn,
        "CreateDate": OLD,
        "GroupPolicyList": inline(&[("read-buckets", GROUP_POLICY)]),
        "AttachedManagedPolicies": [],
    })
}

fn policies(account: &Account, roles: &[&Role], users: &[&User]) -> Vec<Value> {
    let count = |arn: &str| {
        let by_roles = roles.iter().filter(|role| role.managed.contains(&arn)).count();
        by_roles + users.iter().filter(|user| user.managed.contains(&arn)).count()
    };
    let boundaries = |arn: &str| roles.iter().filter(|role| role.boundary == Some(arn)).count();
    let local = compute::POLICIES
        .iter()
        .chain(&delivery::POLICIES)
        .filter(|policy| policy.account == account);
    let mut list: Vec<Value> = local
        .map(|policy| local_policy(policy, count(&policy.arn()), boundaries(&policy.arn())))
        .collect();
    let Value::Array(managed) = document(AWS_MANAGED_POLICIES) else {
        return list;
    };
    for policy in managed {
        let attachments = policy.get("Arn").and_then(Value::as_str).map_or(0, count);
        if attachments > 0 {
            list.push(aws_policy(&policy, attachments));
        }
    }
    list
}

fn local_policy(policy: &ManagedPolicy, attachments: usize, boundaries: usize) -> Value {
    let latest = policy.versions.len();
    let numbered: Vec<(usize, &&str)> = (1..).zip(policy.versions).collect();
    let versions: Vec<Value> = numbered
        .into_iter()
        .rev()
        .map(|(number, text)| {
            json!({
                "Document": document(text),
                "VersionId": format!("v{number}"),
                "IsDefaultVersion": number == latest,
                "CreateDate": OLD,
            })
        })
        .collect();
    json!({
        "PolicyName": policy.name,
        "PolicyId": unique_id("ANPA", &policy.arn()),
        "Arn": policy.arn(),
        "Path": "/",
        "DefaultVersionId": format!("v{latest}"),
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": true,
        "CreateDate": OLD,
        "UpdateDate": OLD,
        "PolicyVersionList": versions,
    })
}

fn aws_policy(policy: &Value, attachments: usize) -> Value {
    let text = |key: &str| policy.get(key).and_then(Value::as_str).unwrap_or_default();
    let arn = text("Arn");
    let (path, name) = arn
        .trim_start_matches("arn:aws:iam::aws:policy")
        .rsplit_once('/')
        .unwrap_or(("", arn));
    let created = format!("{}T00:00:00+00:00", text("CreateDate"));
    json!({
        "PolicyName": name,
        "PolicyId": unique_id("ANPA", arn),
        "Arn": arn,
        "Path": format!("{path}/"),
        "DefaultVersionId": text("DefaultVersionId"),
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": true,
        "CreateDate": created,
        "UpdateDate": created,
        "PolicyVersionList": [{
            "Document": policy.get("Document"),
            "VersionId": text("DefaultVersionId"),
            "IsDefaultVersion": true,
            "CreateDate": created,
        }],
    })
}

fn inline(policies: &[(&str, &str)]) -> Vec<Value> {
    let entry = |(name, text): &(&str, &str)| json!({ "PolicyName": name, "PolicyDocument": document(text) });
    policies.iter().map(entry).collect()
}

fn attached(arns: &[&str]) -> Vec<Value> {
    let entry = |arn: &&str| json!({ "PolicyName": arn.rsplit('/').next().unwrap_or(arn), "PolicyArn": arn });
    arns.iter().map(entry).collect()
}

/// A policy document. The texts are constants of this module's folder, and a test parses all of them.
fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}
