//! What people did: root, sign-ins, keys, edits in the console, and text meant to harm.

use std::collections::BTreeMap;

use serde_json::Value;

use super::sample;
use crate::support::json::number;
use crate::support::json::text;
use crate::support::json::texts;
use crate::support::process;

#[test]
fn root_use_is_the_sign_in_and_what_followed() {
    let sample = sample();
    let mut ids = texts(&Value::from(sample.store.ask("root-use", &[])), "event_id");
    ids.sort();
    assert_eq!(ids, sample.planted("root_use"));
    for row in sample.store.ask("root-use", &[]) {
        assert_eq!(row["mfa_authenticated"], true, "{row}");
        assert_eq!(row["recipient_account_id"], "123456789012", "{row}");
    }
}

#[test]
fn a_service_in_the_name_of_root_is_root_only_in_the_record() {
    let sample = sample();
    let through_a_service = sample.events_where("user_identity_type = 'Root' and via_service is not null");
    assert_eq!(
        through_a_service,
        sample.planted("root_through_a_service_is_no_root_use")
    );
}

#[test]
fn sign_ins_that_failed_or_lacked_mfa_are_told_apart() {
    let sample = sample();
    let rows = sample.store.ask("console-logins", &[]);
    let ids_where = |condition: &dyn Fn(&Value) -> bool| {
        let mut ids: Vec<String> = rows
            .iter()
            .filter(|row| condition(row))
            .map(|row| text(row, "event_id"))
            .collect();
        ids.sort();
        ids
    };
    let failed = ids_where(&|row| row["outcome"] == "Failure");
    assert_eq!(failed, sample.planted("failed_console_login"));
    let without_mfa =
        ids_where(&|row| row["outcome"] == "Success" && row["mfa_expected"] == true && row["mfa_used"] == false);
    assert_eq!(without_mfa, sample.planted("console_login_without_mfa"));
    let all = sample.events_where("event_name = 'ConsoleLogin'");
    assert_eq!(rows.len(), all.len());
}

#[test]
fn break_glass_use_is_a_sign_in_and_the_calls_of_its_role() {
    let sample = sample();
    let use_of_it = sample.events_where(
        "principal_arn = 'arn:aws:iam::111122223333:role/break-glass/break-glass-admin' \
         or (principal_arn = 'arn:aws:iam::123456789012:user/break-glass-1' and event_name = 'ConsoleLogin')",
    );
    let paired = sample.events_where(
        "principal_arn = 'arn:aws:iam::111122223333:role/break-glass/break-glass-admin' and via_service is not null",
    );
    let direct: Vec<String> = use_of_it.into_iter().filter(|id| !paired.contains(id)).collect();
    assert_eq!(direct, sample.planted("break_glass"));
}

#[test]
fn keys_are_those_that_called_and_the_old_ones_are_among_them() {
    let sample = sample();
    let rows = sample.store.ask("key-age", &[]);
    let keys: BTreeMap<String, &Value> = rows.iter().map(|row| (text(row, "access_key_id"), row)).collect();
    for key in sample.expected["iam"]["keys_older_than_90_days"].as_array().unwrap() {
        let row = keys.get(&text(key, "access_key_id"));
        assert_eq!(row.is_some(), key["active"] == true, "{key}");
        if let Some(row) = row {
            assert_eq!(text(row, "principal_arn"), text(key, "user"));
            // Its creation lies before the logs, so that the age is a lower bound.
            assert_eq!((&row["created_at"], number(row, "age_days")), (&Value::Null, 13));
            assert_eq!(row["creation"], "unknown");
        }
    }
    let jenkins = keys["AKIAEXAMPLEJENKINS01"];
    assert_eq!((number(jenkins, "denied"), number(jenkins, "addresses")), (2, 2));
}

#[test]
fn edits_by_hand_and_by_terraform_are_told_apart_by_session_and_user_agent() {
    let sample = sample();
    let ids = |fact: &str| sample.planted(fact).join("', '");
    let by_hand = ids("console_edit_of_managed_resource");
    let console = sample.events_where(&format!(
        "event_id in ('{by_hand}') and session_credential_from_console and not read_only \
         and session_name like '%@example.com'"
    ));
    assert_eq!(console, sample.planted("console_edit_of_managed_resource"));
    let by_terraform = ids("terraform_edit");
    let terraform = sample.events_where(&format!(
        "event_id in ('{by_terraform}') and user_agent like '%Terraform%' and not read_only \
         and principal_arn = 'arn:aws:iam::111122223333:role/ci/terraform-apply' \
         and session_credential_from_console is null"
    ));
    assert_eq!(terraform, sample.planted("terraform_edit"));
    let both = format!(
        "select coalesce(request_parameters->>'groupId', request_parameters->>'roleName') as edited from events \
         where event_id in ('{by_hand}', '{by_terraform}') \
         and event_name in ('AuthorizeSecurityGroupIngress', 'PutRolePolicy') group by 1 having count(*) = 2"
    );
    assert_eq!(sample.store.sql(&both).len(), 2, "both edited the same two resources");
}

#[test]
fn changes_of_permissions_are_found_by_their_calls() {
    let sample = sample();
    let changes = sample.events_where(
        "event_source = 'iam.amazonaws.com' and session_credential_from_console \
         and event_name in ('AttachRolePolicy', 'DetachRolePolicy', 'UpdateAccessKey')",
    );
    assert_eq!(changes, sample.planted("permission_change"));
    let service_linked = sample.events_where("event_name = 'DeleteServiceLinkedRole'");
    assert_eq!(service_linked, sample.planted("service_linked_role_edit"));
}

#[test]
fn parameters_that_cloudtrail_left_out_are_marked() {
    let sample = sample();
    let omitted = sample.events_where("request_parameters->>'omitted' = 'true'");
    assert_eq!(omitted, sample.planted("omitted_parameters"));
}

#[test]
fn events_of_services_without_an_identity_type_belong_to_the_service() {
    let sample = sample();
    let untyped = sample.events_where("user_identity_type is null and principal_type = 'service'");
    assert_eq!(untyped, sample.planted("service_event_without_identity_type"));
}

#[test]
fn hostile_text_is_stored_as_it_is_and_printed_harmless() {
    let sample = sample();
    let hostile = sample.events_where("user_agent like '%<script>%' and request_parameters->>'key' like '=cmd|%'");
    assert_eq!(hostile, sample.planted("hostile_text"));
    let rows = sample
        .store
        .sql("select distinct user_agent from events where user_agent like '%<script>%'");
    let user_agent = "<script>alert(1)</script>\u{1b}[31m=HYPERLINK(\"http://example.com\")";
    assert_eq!(rows, [serde_json::json!({ "user_agent": user_agent })]);
    let statement = "select user_agent, request_parameters->>'key' as \"key\", '=' || user_agent as formula \
                     from events where user_agent like '%<script>%' limit 1";
    let print = |format: &str| {
        let store = sample.store.folder.path().join("store");
        let ended = process::run(&store, &["sql", statement, "--quiet", "--output", format]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        let controls = ended
            .stdout
            .chars()
            .filter(|character| character.is_control() && *character != '\n');
        assert_eq!(controls.count(), 0, "{format}: {:?}", ended.stdout);
        ended.stdout
    };
    let table = print("table");
    assert!(
        table.contains(r"<script>alert(1)</script>\u{1b}[31m=HYPERLINK("),
        "{table}"
    );
    let csv = print("csv");
    assert!(csv.contains(",'=cmd|' /C calc'!A0/../../etc/passwd,"), "{csv}");
    assert!(csv.contains(",\"'=<script>"), "{csv}");
    let markdown = print("markdown");
    assert!(
        !markdown.contains("<script>") && markdown.contains("&lt;script&gt;"),
        "{markdown}"
    );
    for format in ["json", "ndjson"] {
        let json = print(format);
        let row: Value = serde_json::from_str(json.trim_matches(['[', ']', '\n'])).unwrap();
        assert_eq!(row["user_agent"], user_agent, "{format}");
    }
}
