use super::super::collected::CollectedFile;
use super::super::collected::collected_place;
use super::super::collected::read_collected;
use super::super::collected::read_collected_content;
use super::super::model::AttachmentKind;
use super::super::model::CredentialKind;
use super::super::model::NodeKind;
use super::super::model::Origin;
use super::super::model::PolicyKind;
use super::super::model::Principal;
use super::super::model::PrincipalKind;
use super::*;

const ROLE: &str = r#"{"Path":"/app/","RoleName":"api","RoleId":"AROA1","Arn":"arn:aws:iam::111122223333:role/app/api",
    "CreateDate":"2023-03-09 10:41:45+00:00","AssumeRolePolicyDocument":"%7B%22Statement%22%3A%5B%5D%7D",
    "InstanceProfileList":[{"Arn":"arn:aws:iam::111122223333:instance-profile/api"}],
    "RolePolicyList":[{"PolicyName":"own","PolicyDocument":{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}],
    "AttachedManagedPolicies":[{"PolicyName":"ReadOnlyAccess","PolicyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}],
    "PermissionsBoundary":{"PermissionsBoundaryType":"Policy","PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/edge"},
    "RoleLastUsed":{"LastUsedDate":1678358505,"Region":"eu-west-1"},"Tags":[{"Key":"team","Value":"shop"}]}"#;

const EDGE: &str = r#"{"PolicyName":"edge","Arn":"arn:aws:iam::111122223333:policy/edge","DefaultVersionId":"v2","PolicyVersionList":[
    {"VersionId":"v2","IsDefaultVersion":true,"Document":{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}},
    {"VersionId":"v1","IsDefaultVersion":false,"Document":{"Statement":[]}}]}"#;

fn page(roles: &str, policies: &str) -> String {
    format!(r#"{{"UserDetailList":[],"GroupDetailList":[],"RoleDetailList":[{roles}],"Policies":[{policies}]}}"#)
}

fn read_text(text: &str) -> Snapshot {
    read(text.as_bytes()).unwrap()
}

fn messages(snapshot: &Snapshot) -> Vec<String> {
    let problems = snapshot.problems.iter();
    problems
        .map(|problem| format!("{}: {}", problem.place, problem.message))
        .collect()
}

fn only(snapshot: &Snapshot) -> &Principal {
    assert_eq!(snapshot.principals.len(), 1, "{:?}", snapshot.principals);
    &snapshot.principals[0]
}

#[test]
fn role_has_everything_that_the_page_says() {
    let snapshot = read_text(&page(ROLE, EDGE));
    let role = only(&snapshot);
    assert_eq!(
        (role.kind, role.name.as_str(), role.path.as_str()),
        (PrincipalKind::Role, "api", "/app/")
    );
    assert_eq!(role.account_id.as_deref(), Some("111122223333"));
    assert_eq!(
        (role.created_at, role.last_used_at),
        (Some(1_678_358_505_000_000), Some(1_678_358_505_000_000))
    );
    assert_eq!(role.tags, [("team".to_owned(), "shop".to_owned())]);
    assert_eq!(role.gaps, Vec::<String>::new());
    let kinds: Vec<(PolicyKind, Option<&str>, bool, Origin)> = snapshot
        .policies
        .iter()
        .map(|policy| {
            (
                policy.kind,
                policy.version_id.as_deref(),
                policy.is_default,
                policy.origin,
            )
        })
        .collect();
    let read_only = kinds.iter().find(|(kind, ..)| *kind == PolicyKind::AwsManaged).unwrap();
    assert_eq!((read_only.2, read_only.3), (true, Origin::Facts));
    assert_eq!(kinds.len(), 5);
    assert!(kinds.contains(&(PolicyKind::Managed, Some("v1"), false, Origin::Snapshot)));
    assert!(kinds.contains(&(PolicyKind::Managed, Some("v2"), true, Origin::Snapshot)));
    let attached: Vec<(AttachmentKind, &str)> = snapshot
        .attachments
        .iter()
        .map(|attachment| (attachment.kind, attachment.attached.as_str()))
        .collect();
    assert_eq!(
        attached,
        [
            (AttachmentKind::Inline, "arn:aws:iam::111122223333:role/app/api#own"),
            (AttachmentKind::Managed, "arn:aws:iam::aws:policy/ReadOnlyAccess"),
            (AttachmentKind::Boundary, "arn:aws:iam::111122223333:policy/edge"),
            (AttachmentKind::Trust, "arn:aws:iam::111122223333:role/app/api#trust"),
        ]
    );
    assert!(!snapshot.has_gaps(), "{:?}", messages(&snapshot));
    assert_eq!(snapshot.accounts().into_iter().collect::<Vec<_>>(), ["111122223333"]);
}

#[test]
fn pages_in_any_form_and_order_give_the_same_snapshot() {
    let wanted = read_text(&page(ROLE, EDGE));
    let (roles, policies) = (page(ROLE, ""), page("", EDGE));
    for text in [
        format!("{roles}\n{policies}"),
        format!("[{policies},{roles}]"),
        format!("{roles}{roles}{policies}"),
        format!("\u{feff}{policies}{roles}"),
    ] {
        assert_eq!(read_text(&text), wanted, "{text}");
    }
    let units: Vec<u16> = page(ROLE, EDGE).encode_utf16().collect();
    let little: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(units.iter().flat_map(|unit| unit.to_le_bytes()))
        .collect();
    assert_eq!(read(&little).unwrap(), wanted);
}

#[test]
fn missing_pages_make_every_principal_unknown() {
    let truncated = page(ROLE, EDGE).replacen('{', r#"{"IsTruncated":true,"Marker":"x","#, 1);
    let snapshot = read_text(&truncated);
    assert!(snapshot.has_gaps());
    assert_eq!(only(&snapshot).gaps, ["the snapshot lacks pages"]);
    let completed = format!("{truncated}{}", page("", ""));
    assert!(!read_text(&completed).has_gaps());
}

#[test]
fn unreadable_statement_makes_its_principal_unknown() {
    let odd = ROLE.replace(r#""Action":"s3:*""#, r#""Actions":"s3:*""#);
    let snapshot = read_text(&page(&odd, EDGE));
    let gap = "policy `arn:aws:iam::111122223333:role/app/api#own`: statement 1: element `Actions` is unknown";
    assert_eq!(only(&snapshot).gaps, [gap]);
    let odd = EDGE.replacen("NotAction", "notaction", 1);
    let snapshot = read_text(&page(ROLE, &odd));
    assert_eq!(only(&snapshot).gaps.len(), 1, "{:?}", messages(&snapshot));
}

#[test]
fn old_version_and_trust_policy_that_cannot_be_read_are_told_but_take_nothing_from_the_role() {
    let odd_role = ROLE.replace("%7B%22Statement%22%3A%5B%5D%7D", "%7B");
    let odd_policy = EDGE.replace(r#"{"Statement":[]}"#, "7");
    let snapshot = read_text(&page(&odd_role, &odd_policy));
    assert_eq!(only(&snapshot).gaps, Vec::<String>::new());
    let told = messages(&snapshot);
    assert!(
        told.iter()
            .any(|message| message.contains("role/app/api#trust`: the policy document is no JSON")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|message| message.contains("edge` v1: the policy document is a number")),
        "{told:?}"
    );
}

#[test]
fn policy_that_the_snapshot_lacks_makes_its_principal_unknown() {
    let snapshot = read_text(&page(ROLE, ""));
    assert_eq!(
        only(&snapshot).gaps,
        ["policy `arn:aws:iam::111122223333:policy/edge` is not in the snapshot"]
    );
    let unknown = ROLE.replace("ReadOnlyAccess", "NoSuchPolicyOfAws");
    let snapshot = read_text(&page(&unknown, EDGE));
    assert_eq!(
        only(&snapshot).gaps,
        ["policy `arn:aws:iam::aws:policy/NoSuchPolicyOfAws` is not in the snapshot"]
    );
}

#[test]
fn policy_with_two_documents_in_force_makes_its_principal_unknown() {
    let other = EDGE.replace("iam:*", "sts:*");
    let snapshot = read_text(&page(ROLE, &format!("{EDGE},{other}")));
    let gap = "policy `arn:aws:iam::111122223333:policy/edge`: two different documents are in force";
    assert_eq!(only(&snapshot).gaps, [gap]);
    let twice = read_text(&page(ROLE, &format!("{EDGE},{}", EDGE.replace("\"edge\"", "\"Edge\""))));
    assert_eq!(only(&twice).gaps, Vec::<String>::new());
}

#[test]
fn user_is_in_the_group_with_the_path_that_the_group_has() {
    let text = r#"{"UserDetailList":[{"UserName":"u","UserId":"AIDA1","Arn":"arn:aws:iam::111122223333:user/u","GroupList":["ops","gone"],
        "AttachedManagedPolicies":[]}],
        "GroupDetailList":[{"Path":"/teams/","GroupName":"ops","GroupId":"AGPA1","Arn":"arn:aws:iam::111122223333:group/teams/ops"}]}"#;
    let snapshot = read_text(text);
    let groups: Vec<&str> = snapshot
        .attachments
        .iter()
        .map(|attachment| attachment.attached.as_str())
        .collect();
    assert_eq!(groups, ["arn:aws:iam::111122223333:group/teams/ops", "gone"]);
    let user = snapshot
        .principals
        .iter()
        .find(|principal| principal.kind == PrincipalKind::User)
        .unwrap();
    assert_eq!(user.gaps, ["group `gone` is not in the snapshot"]);
}

#[test]
fn unknown_members_are_notes_and_wrong_ones_gaps_of_their_principal() {
    let new = ROLE.replace(r#""Path""#, r#""Colour":"red","Path""#);
    let snapshot = read_text(&page(&new, EDGE));
    assert!(!snapshot.has_gaps());
    let wanted =
        "RoleDetailList[0] `arn:aws:iam::111122223333:role/app/api`: member `Colour` is not known and was not used";
    assert!(
        messages(&snapshot).contains(&wanted.to_owned()),
        "{:?}",
        messages(&snapshot)
    );
    let wrong = ROLE.replace(r#""RolePolicyList":["#, r#""RolePolicyList":[7,"#);
    let snapshot = read_text(&page(&wrong, EDGE));
    assert!(
        only(&snapshot).gaps.contains(&"is a number, not an object".to_owned()),
        "{:?}",
        only(&snapshot).gaps
    );
}

#[test]
fn list_that_aws_always_writes_is_a_gap_when_it_is_missing() {
    for name in ["RolePolicyList", "AttachedManagedPolicies"] {
        for other in [format!(r#""{name}s""#), format!(r#""{name}":null,"Colour""#)] {
            let without = ROLE.replace(&format!(r#""{name}""#), &other);
            let snapshot = read_text(&page(&without, EDGE));
            assert_eq!(only(&snapshot).gaps, [format!("member `{name}` is missing")], "{other}");
        }
    }
    // AWS leaves `UserPolicyList` out of users without inline policies.
    let user = r#"{"UserName":"u","UserId":"AIDA","Arn":"arn:aws:iam::111122223333:user/u","GroupList":[],"AttachedManagedPolicies":[]}"#;
    for (user, wanted) in [(user.to_owned(), 0), (user.replace("GroupList", "Groups"), 1)] {
        let snapshot = read_text(&format!(r#"{{"UserDetailList":[{user}]}}"#));
        assert_eq!(only(&snapshot).gaps.len(), wanted, "{user}");
    }
}

#[test]
fn versions_that_contradict_the_default_are_named() {
    assert!(!read_text(&page(ROLE, EDGE)).has_gaps());
    let other = EDGE.replace(r#""DefaultVersionId":"v2""#, r#""DefaultVersionId":"v1""#);
    let snapshot = read_text(&page(ROLE, &other));
    assert!(snapshot.has_gaps());
    let said = messages(&snapshot);
    assert!(said.iter().any(|message| message.contains("contradict")), "{said:?}");
}

const REPORT: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n\
<root_account>,arn:aws:iam::111122223333:root,2019-01-15T08:00:00+00:00,not_supported,no_information,not_supported,\
not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n\
\"a,b\",\"arn:aws:iam::111122223333:user/a,b\",2021-03-04T10:20:11+00:00,false,N/A,N/A,N/A,false,true,\
2021-03-04T10:20:31+00:00,2026-09-14T02:59:00+00:00,eu-west-1,s3,false,2024-05-28T13:41:00+00:00,N/A,N/A,N/A,false,N/A,false,N/A\n";

#[test]
fn credential_report_has_one_row_for_each_credential_that_exists() {
    let snapshot = read_text(REPORT);
    assert_eq!(messages(&snapshot), Vec::<String>::new());
    let rows: Vec<(&str, CredentialKind, Option<bool>)> = snapshot
        .credentials
        .iter()
        .map(|credential| (credential.user_name.as_str(), credential.kind, credential.is_active))
        .collect();
    assert_eq!(
        rows,
        [
            ("<root_account>", CredentialKind::Password, None),
            ("a,b", CredentialKind::Password, Some(false)),
            ("a,b", CredentialKind::AccessKey1, Some(true)),
            ("a,b", CredentialKind::AccessKey2, Some(false)),
        ]
    );
    let key = &snapshot.credentials[2];
    assert_eq!(
        (key.last_used_service.as_deref(), key.mfa_active),
        (Some("s3"), Some(false))
    );
}

#[test]
fn answer_of_the_api_holds_the_report_encoded_or_plain() {
    let wanted = read_text(REPORT).credentials;
    let plain = serde_json::json!({"Content": REPORT, "GeneratedTime": "2019-05-07T15:40:22+00:00", "ReportFormat": "text/csv"});
    let snapshot = read_text(&plain.to_string());
    assert_eq!(
        (&snapshot.credentials, snapshot.generated_at),
        (&wanted, Some(1_557_243_622_000_000))
    );
    // "user,arn,user_creation_time\n"
    let encoded = r#"{"Content":"dXNlcixhcm4sdXNlcl9jcmVhdGlvbl90aW1lCg==","ReportFormat":"text/csv"}"#;
    assert!(!read_text(encoded).has_gaps());
    let broken = r#"{"Content":"dXNl","ReportFormat":"text/csv"}"#;
    assert!(read_text(broken).has_gaps());
}

#[test]
fn line_with_too_few_cells_or_odd_values_is_a_gap() {
    let cut: String = REPORT.lines().take(1).chain(["a,arn:x"]).collect::<Vec<_>>().join("\n");
    assert_eq!(messages(&read_text(&cut)), ["line 2: has 2 cells, not 22"]);
    let odd = REPORT.replace(",true,2021-03-04T10:20:31+00:00", ",yes,lately");
    let told = messages(&read_text(&odd));
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn policies_of_an_organization_have_their_targets() {
    let text = r#"{"Organization":{"Id":"o-1","MasterAccountId":"111122223333"},
        "Nodes":[{"Id":"r-1","Name":"Root","Type":"ROOT","ParentId":null},{"Id":"111122223333","Name":"m","Type":"ACCOUNT","ParentId":"r-1"}],
        "Policies":[{"PolicySummary":{"Id":"p-1","Arn":"arn:aws:organizations::111122223333:policy/o-1/service_control_policy/p-1",
          "Name":"keep","Type":"SERVICE_CONTROL_POLICY","AwsManaged":false},
          "Content":"{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}","Targets":[{"TargetId":"r-1","Type":"ROOT"}]}]}"#;
    let snapshot = read_text(text);
    assert_eq!(messages(&snapshot), Vec::<String>::new());
    assert_eq!(snapshot.policies[0].kind, PolicyKind::ServiceControl);
    assert!(snapshot.policies[0].document.as_ref().unwrap().is_complete());
    assert_eq!(snapshot.attachments[0].target, "r-1");
    let nodes: Vec<(&str, NodeKind, bool)> = snapshot
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node.kind, node.is_management))
        .collect();
    assert_eq!(
        nodes,
        [
            ("111122223333", NodeKind::Account, true),
            ("r-1", NodeKind::Root, false)
        ]
    );
    let without_targets = text.replace(r#","Targets":[{"TargetId":"r-1","Type":"ROOT"}]"#, "");
    assert!(read_text(&without_targets).has_gaps());
}

#[test]
fn other_files_are_refused_with_the_reason() {
    assert_eq!(read(b"\xff\xfe\x00"), Err(SnapshotError::NotText));
    assert_eq!(read(br#"{"Records":[]}"#), Err(SnapshotError::Unknown));
    assert_eq!(read(b""), Err(SnapshotError::Unknown));
    assert!(matches!(read(b"a,b\n1,2"), Err(SnapshotError::NotJson { .. })));
}

const COLLECTED: [(&str, &str); 14] = [
    (
        "accounts/111122223333/iam/role/app%2fapi/metadata.json",
        r#"{"arn":"arn:aws:iam::111122223333:role/app/api","name":"api","id":"AROA1","path":"/app/","created":"2023-03-09T10:41:45.000Z","permissionBoundary":"arn:aws:iam::111122223333:policy/edge"}"#,
    ),
    (
        "accounts/111122223333/iam/role/app%2fapi/trust-policy.json",
        r#"{"Statement":[]}"#,
    ),
    (
        "accounts/111122223333/iam/role/app%2fapi/instance-profiles.json",
        r#"["arn:aws:iam::111122223333:instance-profile/api"]"#,
    ),
    (
        "accounts/111122223333/iam/role/app%2fapi/inline-policies.json",
        r#"[{"PolicyName":"own","PolicyDocument":{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}]"#,
    ),
    (
        "accounts/111122223333/iam/role/app%2fapi/managed-policies.json",
        r#"["arn:aws:iam::aws:policy/ReadOnlyAccess"]"#,
    ),
    (
        "accounts/111122223333/iam/role/app%2fapi/tags.json",
        r#"{"team":"shop"}"#,
    ),
    (
        "accounts/111122223333/iam/policy/edge/metadata.json",
        r#"{"arn":"arn:aws:iam::111122223333:policy/edge","name":"edge","defaultVersionId":"v2"}"#,
    ),
    (
        "accounts/111122223333/iam/policy/edge/current-policy.json",
        r#"{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}"#,
    ),
    ("accounts/111122223333/s3/bucket/policy.json", "no JSON, and not read"),
    (
        "organizations/o-1/metadata.json",
        r#"{"id":"o-1","rootOu":"r-1","rootAccountId":"111122223333"}"#,
    ),
    (
        "organizations/o-1/ous.json",
        r#"{"r-1":{"scps":["arn:aws:organizations::1:policy/o-1/service_control_policy/p-1"],"rcps":[],"s3Policies":[]}}"#,
    ),
    (
        "organizations/o-1/accounts.json",
        r#"{"111122223333":{"ou":"r-1","scps":[],"rcps":[],"s3Policies":[],"tags":{}}}"#,
    ),
    (
        "organizations/o-1/scps/p-1/metadata.json",
        r#"{"arn":"arn:aws:organizations::1:policy/o-1/service_control_policy/p-1","name":"keep","awsManaged":false}"#,
    ),
    ("organizations/o-1/scps/p-1/policy.json", r#"{"Statement":[]}"#),
];

#[test]
fn collected_folder_gives_what_authorization_details_give() {
    let files = COLLECTED.map(|(path, text)| CollectedFile {
        path,
        bytes: text.as_bytes(),
    });
    let snapshot = read_collected(&files);
    assert!(!snapshot.has_gaps(), "{:?}", messages(&snapshot));
    let kept = serde_json::json!(COLLECTED.into_iter().collect::<std::collections::BTreeMap<_, _>>());
    assert_eq!(
        read_collected_content(kept.to_string().as_bytes()).unwrap().policies,
        snapshot.policies
    );
    let mut wanted = only(&read_text(&page(ROLE, EDGE))).clone();
    (wanted.last_used_at, wanted.last_used_region) = (None, None);
    assert_eq!(only(&snapshot), &wanted);
    assert_eq!(
        (
            snapshot.nodes.len(),
            snapshot.policies.len(),
            snapshot.attachments.len()
        ),
        (2, 5, 5)
    );
    let broken = files.map(|file| match file.path.ends_with("inline-policies.json") {
        true => CollectedFile { bytes: b"[", ..file },
        false => file,
    });
    assert_eq!(
        only(&read_collected(&broken)).gaps,
        ["`inline-policies.json` is no JSON"]
    );
}

#[test]
fn collected_paths_are_told_from_others() {
    for (path, wanted) in [
        (
            "/srv/aws/aws/accounts/1/iam/role/x/metadata.json",
            Some(("/srv/aws/aws", "accounts/1/iam/role/x/metadata.json")),
        ),
        (
            "aws/aws-cn/organizations/o-1/ous.json",
            Some(("aws/aws-cn", "organizations/o-1/ous.json")),
        ),
        ("/aws/dumps/accounts/1/x.json", None),
        ("/laws/aws/accounts.json", None),
        ("details.json", None),
    ] {
        assert_eq!(collected_place(path), wanted, "{path}");
    }
}

#[test]
fn principal_whose_arn_names_no_account_is_kept_and_noted() {
    let role = r#"{"RoleName":"x","Arn":"arn:aws:iam::aws:role/x","RolePolicyList":[],"AttachedManagedPolicies":[]}"#;
    let snapshot = read_text(&page(role, ""));
    assert_eq!(only(&snapshot).account_id, None);
    assert_eq!(
        messages(&snapshot),
        ["RoleDetailList[0] `arn:aws:iam::aws:role/x`: its ARN names no account"]
    );
}

#[test]
fn parts_that_a_filter_made_complete_each_other() {
    let part = |list: &str, name: &str| {
        let arn = format!("arn:aws:iam::111122223333:{name}");
        read(serde_json::json!({list: [{"Arn": arn}]}).to_string().as_bytes()).unwrap()
    };
    let (users, roles) = (
        part("UserDetailList", "user/ada"),
        part("RoleDetailList", "role/deploy"),
    );
    assert!(users.completes(&roles) && roles.completes(&users));
    assert!(!users.completes(&users));
    let cut_off = Snapshot {
        lacks_pages: true,
        ..roles.clone()
    };
    assert!(!users.completes(&cut_off) && !cut_off.completes(&users));
}
