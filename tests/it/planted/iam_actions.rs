//! Which IAM actions the calls of the sample organization needed.

use std::collections::BTreeSet;

use super::sample;
use crate::support::json::text;

#[test]
fn every_event_maps_to_actions_or_has_a_reason_for_none() {
    let sample = sample();
    let verdicts =
        sample.counts("select verdict as name, count(distinct event_id) as number from used_actions group by 1");
    let names: Vec<&str> = verdicts.keys().map(String::as_str).collect();
    assert_eq!(names, ["actions", "not-iam", "permissionless", "unauthenticated"]);
    let counted = "select 'all' as name, count(distinct event_id) as number from";
    assert_eq!(
        sample.counts(&format!("{counted} used_actions")),
        sample.counts(&format!("{counted} events"))
    );
    let uncertain = "select event_id from used_actions where confidence in ('ambiguous', 'conflict', 'unresolved') \
                     or (action is null and reason is null)";
    assert!(sample.store.sql(uncertain).is_empty());
}

#[test]
fn planted_roles_that_are_passed_prove_pass_role_of_exactly_them() {
    let sample = sample();
    let found: BTreeSet<(String, String)> = sample
        .store
        .sql(
            "select distinct principal_arn, resource from \
             (select principal_arn, unnest(resources) as resource from used_actions \
              where action = 'iam:PassRole' and is_used)",
        )
        .iter()
        .map(|row| (text(row, "principal_arn"), text(row, "resource")))
        .collect();
    let rows = sample.expected["passed_roles"].as_array().unwrap();
    let succeeded = rows.iter().filter(|row| row["succeeded"] != 0);
    let planted: BTreeSet<(String, String)> = succeeded
        .map(|row| {
            let role = text(row, "passed_role");
            // The request names the instance profile, which holds the role of the same name.
            let profile = role.replace(":role/workloads/", ":instance-profile/");
            let is_profile = row["operation"] == "ec2.amazonaws.com:RunInstances";
            (text(row, "principal"), if is_profile { profile } else { role })
        })
        .collect();
    assert_eq!(found, planted);
}

#[test]
fn planted_denied_attempts_are_no_use() {
    let sample = sample();
    let ids = sample.planted("denied_attempt").join("', '");
    let statement = format!("select event_id, is_used, outcome from used_actions where event_id in ('{ids}')");
    let rows = sample.store.sql(&statement);
    let seen: BTreeSet<String> = rows.iter().map(|row| text(row, "event_id")).collect();
    assert_eq!(seen.len(), sample.planted("denied_attempt").len());
    for row in &rows {
        assert_eq!(
            (&row["is_used"], text(row, "outcome").as_str()),
            (&false.into(), "denied"),
            "{row}"
        );
    }
}

#[test]
fn calls_of_a_service_for_a_principal_are_uses_of_the_principal() {
    let sample = sample();
    let statement = "select distinct principal_arn from used_actions where action = 'kms:Decrypt' and is_used \
                     and via_service is not null and principal_type = 'role'";
    assert!(!sample.store.sql(statement).is_empty());
}
