//! Services that have data events and no list of the calls that leave them.
//!
//! A trail records data events only if it is told to, so the lack of events says nothing about an action that may be
//! shown by them alone.

use super::catalogue::Action;
use super::catalogue::Level;
use super::catalogue::ResourceUse;

/// Services whose data events are listed call by call, or are left by calls of other services.
const LISTED: [&str; 37] = [
    "aiops",
    "appconfig",
    "appsync",
    "b2bi",
    "backup",
    "bedrock",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "cognito-identity",
    "dynamodb",
    "ebs",
    "ec2",
    "ecs",
    "eks",
    "firehose",
    "fsx",
    "glue",
    "guardduty",
    "kinesis",
    "kinesisvideo",
    "lambda",
    "quicksight",
    "rds",
    "redshift",
    "rum",
    "s3",
    "s3express",
    "s3-outposts",
    "servicediscovery",
    "ses",
    "signer",
    "sns",
    "sqs",
    "ssm",
    "states",
    "xray",
];

/// Services whose resource types bear another name than their actions.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("airflow", "MWAA"),
    ("cloudfront-keyvaluestore", "CloudFront"),
    ("greengrass", "GreengrassV2"),
    ("mobiletargeting", "Pinpoint"),
    ("redshift-data", "Redshift"),
];

/// Verbs of calls that manage what they name.
const VERBS: [&str; 8] = [
    "Create",
    "Delete",
    "Deregister",
    "Describe",
    "Get",
    "List",
    "Register",
    "Update",
];

/// Resource types of the data events of an action's service, if it is not known which calls leave them.
pub(super) fn perhaps_types(action: &str, all: &[&'static str]) -> Vec<&'static str> {
    let service = action.split(':').next().unwrap_or_default();
    if LISTED.contains(&service) {
        return Vec::new();
    }
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == service);
    let family = other.map_or_else(|| service.replace('-', ""), |(_, family)| (*family).to_owned());
    let is_own = |name: &&&'static str| {
        let own = name.split("::").nth(1);
        own.is_some_and(|own| own.eq_ignore_ascii_case(&family))
    };
    all.iter().filter(is_own).copied().collect()
}

/// Whether a call manages a resource of a type that has no data events, or tags, or permissions.
pub(super) fn is_configuration(action: &Action, uses: &[ResourceUse], data_types: &[&str]) -> bool {
    if matches!(action.level, Level::Tagging | Level::PermissionsManagement) {
        return true;
    }
    let name = action.name.split_once(':').map_or("", |(_, name)| name);
    if name == "ListTagsForResource" {
        return true;
    }
    let Some(noun) = VERBS.iter().find_map(|verb| name.strip_prefix(verb)) else {
        return false;
    };
    let noun = letters(noun);
    let of_data = |name: &&str| {
        name.split("::")
            .nth(2)
            .is_some_and(|kind| noun.contains(&letters(kind)))
    };
    let is_named = |used: &ResourceUse| {
        let kind = letters(used.resource_type);
        [format!("{kind}s"), kind].contains(&noun)
    };
    !data_types.iter().any(of_data) && uses.iter().any(is_named)
}

/// A name without the marks and cases in which spellings differ.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use crate::iam::Facts;

    fn perhaps(action: &str) -> bool {
        let facts = Facts::embedded();
        let id = facts.find(action).unwrap();
        !facts.perhaps_data_event_types(id).is_empty()
    }

    #[test]
    fn call_of_a_service_whose_data_events_nobody_lists_may_be_one() {
        for action in [
            "swf:PollForDecisionTask",
            "timestream:WriteRecords",
            "iot:GetThingShadow",
            "s3vectors:QueryVectors",
            "sagemaker:BatchPutMetrics",
            "cloudfront-keyvaluestore:GetKey",
            "payment-cryptography:EncryptData",
            "mobiletargeting:PutEvents",
            "medical-imaging:GetImageFrame",
            "deadline:UpdateWorker",
        ] {
            assert!(perhaps(action), "{action}");
        }
    }

    #[test]
    fn call_that_manages_something_else_or_whose_service_has_a_list_is_none() {
        for action in [
            "iot:CreatePolicy",
            "iot:TagResource",
            "sagemaker:CreateTrainingJob",
            "s3:PutBucketPolicy",
            "sqs:CreateQueue",
            "dynamodb:CreateTable",
            "lambda:CreateFunction",
            "ec2:RunInstances",
            "iam:CreateRole",
        ] {
            assert!(!perhaps(action), "{action}");
        }
    }
}
