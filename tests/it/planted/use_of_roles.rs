//! What roles did: used actions, regions, secrets, passed roles, sessions.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use super::API_CALLS;
use super::sample;
use crate::support::json::number;
use crate::support::json::text;
use crate::support::json::texts;

/// Principal, event source, event name.
type Operation = (String, String, String);

/// Calls that succeeded, were denied and failed otherwise; first and last time.
type Outcomes = ([i64; 3], String, String);

fn outcomes(row: &Value, first: &str, last: &str) -> Outcomes {
    let counts = ["succeeded", "denied", "failed"].map(|name| number(row, name));
    (counts, text(row, first), text(row, last))
}

/// Regions by operation, as the records name them.
fn expected_operations(expected: &Value) -> BTreeMap<Operation, (Outcomes, Vec<String>)> {
    let mut operations = BTreeMap::new();
    for (principal, rows) in expected["principals"].as_object().unwrap() {
        for row in rows.as_array().unwrap() {
            let key = (principal.clone(), text(row, "event_source"), text(row, "event_name"));
            let regions = row["regions"].as_array().unwrap();
            let regions = regions
                .iter()
                .map(|region| region.as_str().unwrap().to_owned())
                .collect();
            operations.insert(key, (outcomes(row, "first", "last"), regions));
        }
    }
    operations
}

#[test]
fn principal_that_made_no_call_is_told_with_those_like_it() {
    let sample = sample();
    let asked = |principal: &str| {
        sample
            .run(&["query", "used-actions", "--param", &format!("principal={principal}")])
            .stderr
    };
    let told = asked("payments-task");
    assert!(
        told.contains("hint: no call is by `payments-task`; ")
            && told.contains("like it: `arn:aws:iam::111122223333:role/ecs/payments-task`"),
        "{told}"
    );
    let told = asked("arn:aws:iam::111122223333:role/ecs/payments-task");
    assert!(!told.contains("hint: "), "{told}");
}

#[test]
fn used_actions_are_those_of_every_principal_that_calls_apis() {
    let sample = sample();
    let mut answered: BTreeMap<Operation, Outcomes> = BTreeMap::new();
    for row in sample.store.ask("used-actions", &[]) {
        let key = (
            text(&row, "principal_arn"),
            text(&row, "event_source"),
            text(&row, "event_name"),
        );
        // A call that needed several actions is counted for each.
        let (counts, first, last) = outcomes(&row, "first_seen", "last_seen");
        let known = answered.entry(key).or_insert(([0; 3], first.clone(), last.clone()));
        known.0 = std::array::from_fn(|index| known.0[index].max(counts[index]));
        known.1 = first.min(known.1.clone());
        known.2 = last.max(known.2.clone());
    }
    let callers: BTreeMap<Operation, Outcomes> = expected_operations(&sample.expected)
        .into_iter()
        .filter(|((principal, _, _), _)| principal.starts_with("arn:"))
        .map(|(key, (outcomes, _))| (key, outcomes))
        .collect();
    assert!(callers.len() > 150, "{}", callers.len());
    for (operation, outcomes) in &callers {
        assert_eq!(answered.get(operation), Some(outcomes), "{operation:?}");
    }
    assert_eq!(answered.len(), callers.len());
}

#[test]
fn services_and_identity_center_users_are_stored_under_their_names() {
    let sample = sample();
    let statement = format!(
        "select coalesce(principal_arn, '') as principal, event_source, event_name, count(*) as calls, \
         string_agg(distinct aws_region, ',' order by aws_region) as regions \
         from events where {API_CALLS} group by 1, 2, 3"
    );
    let stored: BTreeMap<Operation, (i64, String)> = sample
        .store
        .sql(&statement)
        .iter()
        .map(|row| {
            let key = (
                text(row, "principal"),
                text(row, "event_source"),
                text(row, "event_name"),
            );
            (key, (number(row, "calls"), text(row, "regions")))
        })
        .collect();
    let expected: BTreeMap<Operation, (i64, String)> = expected_operations(&sample.expected)
        .into_iter()
        .map(|(key, ((counts, _, _), regions))| (key, (counts.iter().sum(), regions.join(","))))
        .collect();
    assert_eq!(stored, expected);
}

#[test]
fn roles_that_nobody_used_have_no_calls() {
    let sample = sample();
    let iam = &sample.expected["iam"];
    let unused = ["roles_never_used", "roles_used_before_the_window_only"].map(|name| iam[name].as_array().unwrap());
    for role in unused.into_iter().flatten() {
        let role = role.as_str().unwrap();
        assert!(
            sample.store.ask("used-actions", &[("principal", role)]).is_empty(),
            "{role}"
        );
        assert!(
            sample.store.ask("role-sessions", &[("role", role)]).is_empty(),
            "{role}"
        );
    }
    let young = iam["roles_created_in_the_window"][0].as_str().unwrap();
    let calls = sample.events_where(&format!("principal_arn = '{young}'"));
    assert_eq!(calls, sample.planted("use_of_young_role"));
}

#[test]
fn denied_attempts_are_denied_and_never_succeeded() {
    let sample = sample();
    for fact in ["denied_attempt", "logging_tampering_denied", "hostile_text"] {
        let ids = sample.planted(fact);
        let list = ids.join("', '");
        let denied = sample.events_where(&format!("error_code like '%AccessDenied%' and event_id in ('{list}')"));
        assert_eq!(denied, ids, "{fact}");
    }
    let tampering = "event_name in ('StopLogging', 'StopConfigurationRecorder')";
    assert_eq!(
        sample.events_where(tampering),
        sample.planted("logging_tampering_denied")
    );
    let far_away = sample
        .events_where("aws_region = 'ap-southeast-1' and principal_arn = 'arn:aws:iam::111122223333:user/svc-jenkins'");
    assert_eq!(far_away, sample.planted("key_used_far_away"));
}

#[test]
fn unexpected_regions_are_exactly_the_planted_calls() {
    let sample = sample();
    let unexpected = &sample.expected["unexpected_region"];
    let regions: Vec<&str> = unexpected["expected_regions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|region| region.as_str().unwrap())
        .collect();
    let calls = unexpected["calls"].as_array().unwrap();
    let condition = format!("serving_region not in ('aws-global', '{}')", regions.join("', '"));
    let mut ids = texts(&unexpected["calls"], "event_id");
    ids.sort();
    assert_eq!(sample.events_where(&condition), ids);
    // One line of the answer: calls, denied ones, first and last.
    let mut wanted: BTreeMap<Vec<String>, (i64, i64, String, String)> = BTreeMap::new();
    for call in calls {
        let key = ["account_id", "served_in", "principal", "event_source"]
            .map(|name| text(call, name))
            .to_vec();
        let time = text(call, "event_time");
        let line = wanted.entry(key).or_insert((0, 0, time.clone(), time.clone()));
        line.0 += 1;
        line.1 += i64::from(text(call, "outcome") == "denied");
        line.3 = line.3.clone().max(time);
    }
    let answered: BTreeMap<Vec<String>, (i64, i64, String, String)> = sample
        .store
        .ask("unexpected-regions", &[("allowed", &regions.join(","))])
        .iter()
        .map(|row| {
            let key = [
                "recipient_account_id",
                "serving_region",
                "principal_arn",
                "event_source",
            ];
            let line = (
                number(row, "calls"),
                number(row, "denied"),
                text(row, "first_seen"),
                text(row, "last_seen"),
            );
            (key.map(|name| text(row, name)).to_vec(), line)
        })
        .collect();
    assert_eq!(answered, wanted);
}

#[test]
fn calls_recorded_in_us_east_1_for_the_whole_partition_are_no_findings() {
    let sample = sample();
    let in_us_east_1 = sample.events_where("aws_region = 'us-east-1'");
    let served_there = sample.events_where("aws_region = 'us-east-1' and serving_region = 'us-east-1'");
    let global = sample.expected["global_calls_in_us_east_1"].as_i64().unwrap();
    assert_eq!((in_us_east_1.len() - served_there.len()) as i64, global);
    let far_away = "aws_region = 'us-east-1' and event_source = 'sts.amazonaws.com' \
                    and serving_region = 'ap-southeast-1'";
    assert_eq!(
        sample.events_where(far_away),
        sample.planted("global_endpoint_served_far_away")
    );
}

#[test]
fn secret_reads_name_every_secret_reader_and_outcome() {
    let sample = sample();
    let mut answered: BTreeMap<Vec<String>, Outcomes> = BTreeMap::new();
    for row in sample.store.ask("secret-reads", &[]) {
        let operation = format!("{}:{}", text(&row, "event_source"), text(&row, "event_name"));
        let secret = text(&row, "secret");
        let secrets = serde_json::from_str::<Vec<String>>(&secret).unwrap_or_else(|_| vec![secret]);
        for secret in secrets {
            let time = text(&row, "event_time");
            let key = vec![text(&row, "principal_arn"), operation.clone(), secret];
            let line = answered.entry(key).or_insert(([0; 3], time.clone(), time.clone()));
            let outcome = ["read", "denied", "failed"]
                .iter()
                .position(|name| row["outcome"] == *name)
                .unwrap();
            line.0[outcome] += 1;
            line.1 = line.1.clone().min(time.clone());
            line.2 = line.2.clone().max(time);
        }
    }
    let expected: BTreeMap<Vec<String>, Outcomes> = sample.expected["secret_reads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let key = ["principal", "operation", "secret"]
                .map(|name| text(row, name))
                .to_vec();
            (key, outcomes(row, "first", "last"))
        })
        .collect();
    assert_eq!(answered, expected);
}

#[test]
fn secret_reads_of_people_carry_their_session_and_the_decrypted_secret() {
    let sample = sample();
    let rows = sample.store.ask("secret-reads", &[]);
    let by_id: BTreeMap<String, &Value> = rows.iter().map(|row| (text(row, "event_id"), row)).collect();
    for id in sample.planted("secret_read_by_person") {
        let row = by_id[&id];
        assert!(text(row, "session_name").ends_with("@example.com"), "{row}");
        assert!(text(row, "source_ip_address").starts_with("203.0.113."), "{row}");
    }
    // By name and by ARN, it is one secret.
    let administrator = rows.iter().filter(|row| {
        text(row, "principal_arn").contains("AdministratorAccess") && row["event_name"] == "GetSecretValue"
    });
    let stripe_key = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/payments/stripe-key-Ef3Gh4";
    let decrypted: Vec<String> = administrator.map(|row| text(row, "decrypted")).collect();
    assert_eq!(decrypted, [stripe_key, stripe_key]);
}

#[test]
fn passed_roles_stand_in_the_request_that_hands_them_over() {
    let sample = sample();
    let statement = format!(
        "select principal_arn as principal, event_source || ':' || event_name as operation, \
         unnest(passed_role_arns) as passed_role, error_code, event_time from events where {API_CALLS}"
    );
    let mut stored: BTreeMap<Vec<String>, Outcomes> = BTreeMap::new();
    for row in sample.store.sql(&statement) {
        let key = ["principal", "operation", "passed_role"]
            .map(|name| text(&row, name))
            .to_vec();
        let time = text(&row, "event_time");
        let line = stored.entry(key).or_insert(([0; 3], time.clone(), time.clone()));
        line.0[usize::from(!row["error_code"].is_null())] += 1;
        line.1 = line.1.clone().min(time.clone());
        line.2 = line.2.clone().max(time);
    }
    let mut expected: BTreeMap<Vec<String>, Outcomes> = BTreeMap::new();
    for row in sample.expected["passed_roles"].as_array().unwrap() {
        let mut key = ["principal", "operation", "passed_role"]
            .map(|name| text(row, name))
            .to_vec();
        if key[1] == "ec2.amazonaws.com:RunInstances" {
            // The request names the instance profile, which holds the role of the same name.
            key[2] = key[2].replace(":role/workloads/", ":instance-profile/");
        }
        expected.insert(key, outcomes(row, "first", "last"));
    }
    assert_eq!(stored, expected);
    let ids = sample.planted("pass_role").join("', '");
    let with_role = sample.events_where(&format!("passed_role_arns is not null and event_id in ('{ids}')"));
    assert_eq!(with_role, sample.planted("pass_role"));
}

#[test]
fn role_sessions_count_grants_refusals_and_external_ids() {
    let sample = sample();
    let rows = sample.store.ask("role-sessions", &[]);
    let mut granted: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in &rows {
        let line = granted.entry(text(row, "caller")).or_default();
        line.0 += number(row, "sessions");
        line.1 += number(row, "refused");
    }
    let mut expected: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for ((principal, source, name), ((counts, _, _), _)) in expected_operations(&sample.expected) {
        if source == "sts.amazonaws.com" && name.starts_with("AssumeRole") {
            let line = expected.entry(principal).or_default();
            line.0 += counts[0];
            line.1 += counts[1] + counts[2];
        }
    }
    assert_eq!(granted, expected);
    let from_outside = |row: &&Value| {
        row["caller_type"] == "account"
            && !text(row, "caller").contains("::123456789012:")
            && !text(row, "caller").contains("::444455556666:")
    };
    let without_external_id: BTreeSet<String> = rows
        .iter()
        .filter(from_outside)
        .filter(|row| row["with_external_id"] != row["sessions"])
        .map(|row| text(row, "role_arn"))
        .collect();
    assert_eq!(
        without_external_id,
        BTreeSet::from(["arn:aws:iam::111122223333:role/vendor/partner-export".to_owned()])
    );
    let stranger = "event_name = 'AssumeRole' and principal_arn = 'arn:aws:iam::555566667777:root'";
    assert_eq!(
        sample.events_where(stranger),
        sample.planted("assumed_from_outside_without_external_id")
    );
}

#[test]
fn refused_session_names_the_role_that_was_asked_for() {
    let sample = sample();
    let break_glass = "arn:aws:iam::111122223333:role/break-glass/break-glass-admin";
    let rows = sample.store.ask("role-sessions", &[("role", break_glass)]);
    let refused: Vec<&Value> = rows.iter().filter(|row| number(row, "refused") > 0).collect();
    assert_eq!(refused.len(), 1, "{rows:?}");
    assert!(text(refused[0], "caller").contains("AWSReservedSSO_DeveloperAccess_4123456789abcdef"));
}
