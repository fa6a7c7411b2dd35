//! Tests of the condition keys of records.

use std::collections::BTreeSet;

use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/team/reader";

fn record<'a>() -> RecordFields<'a> {
    RecordFields {
        event_time: 1_583_020_800_000_000,
        event_source: "s3.amazonaws.com",
        event_name: "ListObjects",
        aws_region: Some("eu-west-1"),
        identity: UserIdentity {
            kind: Some("AssumedRole"),
            principal_id: Some("AROAEXAMPLE:ann"),
            arn: Some("arn:aws:sts::111122223333:assumed-role/reader/ann"),
            account_id: Some("111122223333"),
            access_key_id: Some("ASIAEXAMPLE"),
            session_issuer_arn: Some(ROLE),
            ..UserIdentity::default()
        },
        user_name: None,
        credential_kind: CredentialKind::Temporary,
        session_created_at: Some(1_583_020_000_000_000),
        mfa_authenticated: Some(false),
        source_identity: None,
        source_ip_address: Some("203.0.113.7"),
        user_agent: Some("aws-cli/2.15"),
        vpc_endpoint_id: None,
        tls_version: Some("TLSv1.3"),
        request_parameters: None,
        resource_arn: None,
    }
}

fn value(keys: &ContextKeys, key: &str) -> String {
    match keys.state(key) {
        KeyState::Absent => "absent".to_owned(),
        KeyState::Present(values) => values.join("|"),
        KeyState::ValueUnknown => "?".to_owned(),
        KeyState::Unknown => "unknown".to_owned(),
    }
}

fn assert_keys(record: &RecordFields<'_>, wanted: &[(&str, &str)]) {
    let keys = context_of(record);
    for (key, wanted) in wanted {
        assert_eq!(value(&keys, key), *wanted, "{key}");
        let asked: Rc<[String]> = Rc::new([key.to_ascii_lowercase()]);
        let own = RequestedAction {
            name: "",
            takes_tags: Some(true),
        };
        let only = context_of_asked(record, own, &asked);
        assert_eq!(value(&only, key), *wanted, "{key}");
        assert!(only.iter().count() <= 1, "{only:?}");
    }
}

#[test]
fn a_session_shows_its_role_its_time_and_its_network() {
    let wanted = [
        ("aws:CurrentTime", "2020-03-01T00:00:00Z"),
        ("aws:EpochTime", "1583020800"),
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:userid", "AROAEXAMPLE:ann"),
        ("aws:username", "absent"),
        ("aws:TokenIssueTime", "2020-02-29T23:46:40Z"),
        ("aws:MultiFactorAuthPresent", "false"),
        ("aws:MultiFactorAuthAge", "absent"),
        ("aws:SourceIdentity", "unknown"),
        ("aws:ViaAWSService", "false"),
        ("aws:CalledVia", "absent"),
        ("aws:SourceIp", "203.0.113.7"),
        ("aws:SourceVpce", "absent"),
        ("aws:SecureTransport", "true"),
        ("aws:UserAgent", "aws-cli/2.15"),
        ("aws:PrincipalTag/team", "unknown"),
        ("aws:PrincipalOrgID", "unknown"),
        ("aws:ResourceTag/team", "unknown"),
        ("s3:prefix", "unknown"),
    ];
    assert_keys(&record(), &wanted);
    let mut without_issuer = record();
    without_issuer.identity.session_issuer_arn = None;
    assert_keys(&without_issuer, &[("aws:PrincipalArn", "?")]);
}

#[test]
fn a_user_with_a_key_has_no_session() {
    let mut record = record();
    record.identity.kind = Some("IAMUser");
    record.identity.arn = Some("arn:aws:iam::111122223333:user/ann");
    record.identity.session_issuer_arn = None;
    record.user_name = Some("ann");
    record.credential_kind = CredentialKind::LongTerm;
    let wanted = [
        ("aws:username", "ann"),
        ("aws:PrincipalType", "User"),
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:user/ann"),
        ("aws:TokenIssueTime", "absent"),
        ("aws:MultiFactorAuthPresent", "absent"),
        ("aws:SourceIdentity", "absent"),
    ];
    assert_keys(&record, &wanted);
    record.credential_kind = CredentialKind::None;
    assert_keys(&record, &[("aws:MultiFactorAuthPresent", "unknown")]);
}

#[test]
fn the_network_of_a_service_is_not_that_of_its_user() {
    let mut record = record();
    record.identity.invoked_by = Some("cloudformation.amazonaws.com");
    record.source_ip_address = Some("cloudformation.amazonaws.com");
    let wanted = [
        ("aws:ViaAWSService", "?"),
        ("aws:CalledVia", "unknown"),
        ("aws:SourceIp", "unknown"),
        ("aws:SourceVpce", "unknown"),
        ("aws:SecureTransport", "unknown"),
        ("aws:UserAgent", "unknown"),
        ("aws:PrincipalArn", ROLE),
    ];
    assert_keys(&record, &wanted);
    record.identity.invoked_by = Some("AWS Internal");
    assert_keys(&record, &[("aws:ViaAWSService", "unknown")]);
    record.identity.kind = Some("AWSService");
    assert_keys(
        &record,
        &[("aws:PrincipalIsAWSService", "true"), ("aws:PrincipalArn", "unknown")],
    );
}

#[test]
fn service_forwards_the_sessions_of_people_and_calls_with_roles_of_its_own() {
    let mut record = record();
    record.identity.invoked_by = Some("codepipeline.amazonaws.com");
    for (kind, issuer, mfa, via) in [
        ("AssumedRole", Some(ROLE), Some(false), "?"),
        (
            "AssumedRole",
            Some("arn:aws:iam::111122223333:role/service-role/pipe"),
            None,
            "?",
        ),
        ("AssumedRole", None, None, "?"),
        ("AssumedRole", Some(ROLE), Some(true), "true"),
        (
            "AssumedRole",
            Some("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_a_1"),
            Some(false),
            "true",
        ),
        (
            "AssumedRole",
            Some("arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/x"),
            Some(false),
            "false",
        ),
        ("IAMUser", None, None, "true"),
        ("FederatedUser", None, None, "true"),
        ("Root", None, None, "true"),
    ] {
        record.identity.kind = Some(kind);
        record.identity.session_issuer_arn = issuer;
        record.mfa_authenticated = mfa;
        assert_keys(&record, &[("aws:ViaAWSService", via)]);
    }
}

#[test]
fn an_endpoint_takes_the_place_of_the_public_address() {
    let mut record = record();
    record.vpc_endpoint_id = Some("vpce-1");
    record.source_ip_address = Some("10.1.2.3");
    let wanted = [
        ("aws:SourceVpce", "vpce-1"),
        ("aws:SourceVpc", "?"),
        ("aws:SourceIp", "absent"),
        ("aws:VpcSourceIp", "10.1.2.3"),
    ];
    assert_keys(&record, &wanted);
    record.vpc_endpoint_id = None;
    assert_keys(&record, &[("aws:SourceIp", "unknown"), ("aws:SourceVpce", "unknown")]);
    record.source_ip_address = Some("AWS Internal");
    assert_keys(&record, &[("aws:SourceIp", "unknown")]);
}

#[test]
fn what_may_be_cut_or_wrapped_is_not_taken() {
    let long = "x".repeat(1_000);
    let mut record = record();
    for agent in [long.as_str(), "[aws-cli/2.15]", "s3.amazonaws.com"] {
        record.user_agent = Some(agent);
        assert_keys(&record, &[("aws:UserAgent", "unknown")]);
    }
    record.event_source = "sts.amazonaws.com";
    assert_keys(&record, &[("aws:RequestedRegion", "unknown")]);
}

#[test]
fn parameters_show_keys_of_their_services() {
    let mut record = record();
    let listing = Json::parse(r#"{"bucketName":"data","prefix":"home/","max-keys":["10"]}"#).unwrap();
    record.request_parameters = Some(&listing);
    let wanted = [
        ("s3:prefix", "home/"),
        ("s3:max-keys", "10"),
        ("s3:delimiter", "absent"),
        ("sts:ExternalId", "unknown"),
        ("aws:RequestTag/x", "unknown"),
    ];
    assert_keys(&record, &wanted);
    let decrypting =
        Json::parse(r#"{"encryptionContext":{"SecretARN":"a","x":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"#).unwrap();
    record.request_parameters = Some(&decrypting);
    (record.event_source, record.event_name) = ("kms.amazonaws.com", "Decrypt");
    let wanted = [
        ("kms:EncryptionContext:SecretARN", "a"),
        ("kms:EncryptionContext:x", "?"),
        ("kms:EncryptionContext:y", "absent"),
        ("kms:EncryptionContextKeys", "SecretARN|x"),
        ("kms:ViaService", "absent"),
    ];
    assert_keys(&record, &wanted);
    let assuming =
        Json::parse(r#"{"roleArn":"r","roleSessionName":"ann","tags":[{"key":"team","value":"red"}]}"#).unwrap();
    record.request_parameters = Some(&assuming);
    (record.event_source, record.event_name) = ("sts.amazonaws.com", "AssumeRole");
    let wanted = [
        ("sts:RoleSessionName", "ann"),
        ("sts:ExternalId", "absent"),
        ("aws:RequestTag/team", "red"),
        ("aws:RequestTag/other", "absent"),
        ("aws:TagKeys", "team"),
    ];
    assert_keys(&record, &wanted);
}

/// The value of a key in a request for one action of a call.
fn value_for(record: &RecordFields<'_>, name: &str, takes_tags: Option<bool>, key: &str) -> String {
    let asked: Rc<[String]> = Rc::new([key.to_ascii_lowercase()]);
    value(
        &context_of_asked(record, RequestedAction { name, takes_tags }, &asked),
        key,
    )
}

#[test]
fn tags_of_a_call_are_not_those_of_requests_for_its_other_actions() {
    let mut record = record();
    let creating = Json::parse(r#"{"functionName":"f","tags":{"team":"red"}}"#).unwrap();
    record.request_parameters = Some(&creating);
    (record.event_source, record.event_name) = ("lambda.amazonaws.com", "CreateFunction20150331");
    for (takes_tags, team, names) in [
        (Some(true), "red", "team"),
        (Some(false), "absent", "absent"),
        (None, "unknown", "unknown"),
    ] {
        assert_eq!(value_for(&record, "a:B", takes_tags, "aws:RequestTag/team"), team);
        assert_eq!(value_for(&record, "a:B", takes_tags, "aws:TagKeys"), names);
    }
}

#[test]
fn either_end_of_a_new_encryption_has_its_own_context() {
    let mut record = record();
    let both = r#"{"sourceEncryptionContext":{"app":"old"},"destinationEncryptionContext":{"app":"new"}}"#;
    let both = Json::parse(both).unwrap();
    record.request_parameters = Some(&both);
    (record.event_source, record.event_name) = ("kms.amazonaws.com", "ReEncrypt");
    let app =
        |record: &RecordFields<'_>, action: &str| value_for(record, action, Some(false), "kms:EncryptionContext:app");
    assert_eq!(app(&record, "kms:ReEncryptFrom"), "old");
    assert_eq!(app(&record, "kms:ReEncryptTo"), "new");
    let neither = Json::parse(r#"{"sourceKeyId":"k"}"#).unwrap();
    record.request_parameters = Some(&neither);
    assert_eq!(app(&record, "kms:ReEncryptFrom"), "unknown");
}

#[test]
fn versions_in_the_body_of_a_call_are_not_known() {
    let mut record = record();
    let parameters = Json::parse(r#"{"bucketName":"data","delete":""}"#).unwrap();
    record.request_parameters = Some(&parameters);
    record.event_name = "DeleteObjects";
    assert_keys(&record, &[("s3:VersionId", "unknown")]);
    record.event_name = "DeleteObject";
    assert_keys(&record, &[("s3:VersionId", "absent")]);
}

#[test]
fn tags_on_creation_are_those_of_the_kind_of_thing() {
    let running = Json::parse(
        r#"{"tagSpecificationSet":{"items":[
            {"resourceType":"instance","tags":[{"key":"owner","value":"ann"}]},
            {"resourceType":"volume","tags":[{"key":"disk","value":"1"}]}]}}"#,
    );
    let running = running.unwrap();
    let mut record = record();
    record.request_parameters = Some(&running);
    (record.event_source, record.event_name) = ("ec2.amazonaws.com", "RunInstances");
    assert_keys(&record, &[("aws:RequestTag/owner", "unknown")]);
    for (arn, owner, names) in [
        ("arn:aws:ec2:eu-west-1:111122223333:instance/*", "ann", "owner"),
        ("arn:aws:ec2:eu-west-1:111122223333:volume/*", "absent", "disk"),
        ("arn:aws:ec2:eu-west-1:111122223333:subnet/s-1", "absent", ""),
    ] {
        record.resource_arn = Some(arn);
        assert_keys(&record, &[("aws:RequestTag/owner", owner), ("aws:TagKeys", names)]);
    }
}

#[test]
fn every_key_that_is_set_stands_in_the_documentation() {
    let page = include_str!("../../../../docs/condition-keys.md");
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(key, _)| key.to_lowercase())
        .collect();
    let mut records = vec![record(); 2];
    records[1].vpc_endpoint_id = Some("vpce-1");
    let parameters = Json::parse(r#"{"encryptionContext":{"a":"b"},"tags":{"k":"v"}}"#).unwrap();
    let operations = [
        ("s3.amazonaws.com", "ListObjects"),
        ("s3.amazonaws.com", "GetObject"),
        ("kms.amazonaws.com", "Decrypt"),
        ("sts.amazonaws.com", "AssumeRole"),
        ("secretsmanager.amazonaws.com", "GetSecretValue"),
    ];
    for (source, name) in operations {
        let mut of_operation = record();
        (of_operation.event_source, of_operation.event_name) = (source, name);
        of_operation.request_parameters = Some(&parameters);
        of_operation.source_identity = Some("ann");
        records.push(of_operation);
    }
    let mut found = BTreeSet::new();
    for record in &records {
        let keys = context_of(record);
        found.extend(keys.iter().map(|(key, _)| match key {
            "aws:requesttag/k" => "aws:requesttag/key".to_owned(),
            "kms:encryptioncontext:a" => "kms:encryptioncontext:key".to_owned(),
            key => key.to_owned(),
        }));
    }
    assert_eq!(documented, found);
}
