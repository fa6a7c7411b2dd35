use std::collections::BTreeSet;

use super::*;
use crate::iam::Facts;

fn sum<'c>(event_source: &'c str, action: Option<&'c str>, region: &'c str) -> CallSum<'c> {
    CallSum {
        principal_arn: "arn:aws:iam::111122223333:role/r",
        event_source,
        action,
        region: Some(region),
        is_success: true,
        is_taking: false,
        is_routed: false,
        calls: 2,
        last_seen: 5,
    }
}

fn regions(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn calls_of_global_services_say_nothing_about_regions() {
    let mut uses = RegionUses::new(Facts::embedded());
    uses.add(&sum("ec2.amazonaws.com", Some("ec2:RunInstances"), "eu-west-1"));
    uses.add(&sum("iam.amazonaws.com", Some("iam:ListRoles"), "us-east-1"));
    uses.add(&sum("ec2.amazonaws.com", Some("ec2:DescribeRegions"), "us-east-1"));
    uses.add(&sum("sts.amazonaws.com", Some("sts:AssumeRole"), "ap-south-1"));
    let mut linked = sum("config.amazonaws.com", Some("ec2:DescribeVpcs"), "us-west-1");
    linked.principal_arn = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/x";
    uses.add(&linked);
    let mut linked = sum("sts.amazonaws.com", None, "us-west-2");
    linked.principal_arn = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/x";
    linked.is_taking = true;
    uses.add(&linked);
    assert_eq!(uses.regions.keys().collect::<Vec<_>>(), ["eu-west-1"]);
    let region = &uses.regions["eu-west-1"];
    assert_eq!(
        (region.uses, region.last_seen, region.principals.len()),
        (2, Some(5), 1)
    );
}

#[test]
fn region_of_calls_that_may_have_been_authorised_and_of_roles_that_services_took_is_in_use() {
    let mut uses = RegionUses::new(Facts::embedded());
    let mut failed = sum("ec2.amazonaws.com", Some("ec2:CreateVpc"), "af-south-1");
    failed.is_success = false;
    uses.add(&failed);
    let mut taken = sum("sts.amazonaws.com", None, "eu-west-3");
    (taken.is_success, taken.is_taking) = (false, true);
    uses.add(&taken);
    uses.add_seen("arn:aws:iam::111122223333:user/kim", "ap-south-1", 7);
    assert_eq!(
        uses.regions.keys().collect::<Vec<_>>(),
        ["af-south-1", "ap-south-1", "eu-west-3"]
    );
    assert!(uses.regions.values().all(|region| region.uses == 0));
}

#[test]
fn region_policy_leaves_global_services_and_named_roles_alone() {
    let uses = RegionUses::new(Facts::embedded());
    let roles = ["arn:aws:iam::*:role/break-glass/*".to_owned()];
    let policy = region_policy(&uses, &regions(&["eu-west-1"]), &roles)
        .unwrap()
        .to_value();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Effect"], "Deny");
    let exempt = statement["NotAction"].as_array().unwrap();
    assert!(exempt.iter().any(|pattern| pattern == "iam:*"));
    assert!(exempt.iter().any(|pattern| pattern == "s3:ListAllMyBuckets"));
    assert!(!exempt.iter().any(|pattern| pattern == "ec2:*"));
    assert_eq!(
        statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"][0],
        "eu-west-1"
    );
    assert_eq!(statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"][0], roles[0]);
    let many: Vec<String> = (0..400).map(|number| format!("arn:aws:iam::*:role/{number}")).collect();
    assert_eq!(region_policy(&uses, &regions(&["eu-west-1"]), &many), None);
}

#[test]
fn models_behind_inference_profiles_are_left_alone_and_others_are_not() {
    let mut uses = RegionUses::new(Facts::embedded());
    uses.add(&sum("bedrock.amazonaws.com", Some("bedrock:InvokeModel"), "eu-west-1"));
    let statements = |uses: &RegionUses<'_>| {
        let policy = region_policy(uses, &regions(&["eu-west-1"]), &["arn:aws:iam::*:role/x".to_owned()]);
        policy.unwrap().to_value()["Statement"].clone()
    };
    let direct = statements(&uses);
    assert_eq!(direct.as_array().unwrap().len(), 1);
    uses.add(&CallSum {
        is_routed: true,
        ..sum("bedrock.amazonaws.com", None, "eu-west-1")
    });
    assert_eq!(uses.regions["eu-west-1"].uses, 2);
    let routed = statements(&uses);
    let exempt = routed[0]["NotAction"].as_array().unwrap();
    assert!(exempt.iter().any(|pattern| pattern == "bedrock:InvokeModel*"));
    assert_eq!(routed[1]["Action"], "bedrock:InvokeModel*");
    let but_for = &routed[1]["Condition"]["ArnNotLike"];
    assert_eq!(but_for["bedrock:InferenceProfileArn"].as_array().unwrap().len(), 2);
    assert_eq!(but_for["aws:PrincipalArn"][0], "arn:aws:iam::*:role/x");
}

#[test]
fn denied_services_stand_in_as_many_policies_as_they_need() {
    let services = Facts::embedded().services();
    let services: BTreeSet<&str> = services.into_iter().collect();
    let policies = service_policies(&services).unwrap();
    assert!(policies.len() > 1, "{}", policies.len());
    assert!(policies.iter().all(|policy| fits(policy, CONTROL_POLICY_CHARACTERS)));
    let named: Vec<String> = policies
        .iter()
        .flat_map(|policy| {
            policy
                .readable()
                .map(|(_, statement)| statement.actions.named().clone())
        })
        .flat_map(|actions| actions.texts().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let wanted: Vec<String> = services.iter().map(|service| format!("{service}:*")).collect();
    assert_eq!(named, wanted);
    assert_eq!(service_policies(&BTreeSet::new()), Some(Vec::new()));
    let names: Vec<String> = (0..4_000).map(|number| format!("service-{number}")).collect();
    assert_eq!(service_policies(&names.iter().map(String::as_str).collect()), None);
}
