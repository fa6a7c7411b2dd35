//! Calls that may leave data events although the facts do not list them, and calls that leave no events.
//!
//! A trail records data events only if it is told to, so the lack of events says nothing about an action that may be
//! shown by them alone. Which resource types have data events stands in the user guide of CloudTrail; which calls leave them
//! stands, if at all, in the guide of the service.

mod calls;

use super::catalogue::Action;
use super::catalogue::Level;
use super::catalogue::ResourceUse;
use super::wildcard::action_matches;
use calls::CALLS;

/// Services whose data events are listed call by call, or are left by calls of other services, but for those of [`CALLS`]
/// and of resource types of which no call is listed.
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

/// Services whose developer guides list the calls that leave data events and say that all control plane operations leave
/// management events, with patterns of those calls. Calls newer than the guides that read or write data are among them.
const DOCUMENTED: [(&str, &[&str]); 5] = [
    // https://docs.aws.amazon.com/deadline-cloud/latest/userguide/logging-using-cloudtrail.html
    (
        "deadline",
        &[
            "BatchGetJobEntity",
            "CopyJobTemplate",
            "CreateJob",
            "GetJob",
            "GetSession",
            "GetSessionAction",
            "GetStep",
            "GetTask",
            "GetWorker",
            "ListJobParameterDefinitions",
            "ListJobs",
            "ListSession*",
            "ListStep*",
            "ListTasks",
            "ListWorkers",
            "Search*",
            "UpdateJob",
            "UpdateSession",
            "UpdateStep",
            "UpdateTask",
            "UpdateWorkerSchedule",
        ],
    ),
    // https://docs.aws.amazon.com/greengrass/v2/developerguide/logging-using-cloudtrail.html
    (
        "greengrass",
        &["GetComponentVersionArtifact", "ResolveComponentCandidates"],
    ),
    // https://docs.aws.amazon.com/iot-sitewise/latest/userguide/logging-using-cloudtrail.html
    (
        "iotsitewise",
        &[
            "*AssetPropertyAggregates",
            "*AssetPropertyValue*",
            "*Quer*",
            "*Search*",
            "Execute*",
            "GetCaptureData",
            "Invoke*",
        ],
    ),
    // https://docs.aws.amazon.com/sagemaker/latest/dg/logging-using-cloudtrail.html and
    // https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-logging-using-cloudtrail.html
    (
        "sagemaker",
        &[
            "*Metrics",
            "*Operation*",
            "*Record",
            "*Records",
            "*Reward",
            "*Rollout",
            "*Sampl*",
            "*TrainingSession*",
            "GetDeployments",
            "GetDeviceRegistration",
            "Invoke*",
            "SendHeartbeat",
        ],
    ),
    // https://docs.aws.amazon.com/sms-voice/latest/userguide/logging-using-cloudtrail.html
    ("sms-voice", &["CarrierLookup", "PutMessageFeedback", "Send*"]),
];

/// Services whose resource types bear other names than their actions, or several.
const OTHER_NAMES: [(&str, &[&str]); 9] = [
    ("airflow", &["MWAA"]),
    ("cloudfront-keyvaluestore", &["CloudFront"]),
    ("cognito-identity", &["Cognito"]),
    ("firehose", &["KinesisFirehose"]),
    ("greengrass", &["GreengrassV2", "IoT"]),
    ("iotsitewise", &["IoTSiteWise", "SitewiseAssistant"]),
    ("mobiletargeting", &["Pinpoint"]),
    ("redshift-data", &["Redshift"]),
    ("states", &["StepFunctions"]),
];

/// Calls of AWS IoT to things and messages, and from devices.
const OF_DEVICES: [&str; 7] = [
    "*CommandExecution",
    "*JobExecution",
    "*RetainedMessage*",
    "*Shadow*",
    "DeleteConnection",
    "ListSubscriptions",
    "SendDirectMessage",
];

const IOT: &str = "iot";

/// The same calls of devices that ask for their jobs by requests that IAM decides on, under a prefix of their own:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiotjobsdataplane.html>.
const IOT_JOBS: &str = "iotjobsdata";

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

/// The resource types that a trail may be told to record data events of.
#[derive(Debug, Default)]
pub(super) struct DataTypes {
    pub(super) all: Vec<&'static str>,
    /// Those of which the facts list no call.
    pub(super) unlisted: Vec<&'static str>,
}

/// Resource types of the data events that an action may leave, if it is not known which calls leave them, or if this is one.
pub(super) fn perhaps_types(action: &Action, uses: &[ResourceUse], types: &DataTypes) -> Vec<&'static str> {
    if matches!(action.level, Level::Tagging | Level::PermissionsManagement) {
        return Vec::new();
    }
    let leaves = |calls: &[&str]| calls.iter().any(|call| action_matches(call, action.name));
    let named = CALLS.iter().filter(|(_, calls)| leaves(calls));
    let named: Vec<&'static str> = named.map(|(resource_type, _)| *resource_type).collect();
    if !named.is_empty() {
        return named;
    }
    let perhaps = types_of_service(action.name, types);
    match !perhaps.is_empty() && is_configuration(action, uses, &perhaps) {
        true => Vec::new(),
        false => perhaps,
    }
}

/// Resource types of an action's service whose data events it may leave, for all that is known of the service.
fn types_of_service(action: &str, types: &DataTypes) -> Vec<&'static str> {
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    let documented = DOCUMENTED.iter().find(|(listed, _)| *listed == service);
    let is_left_out = documented.is_some_and(|(_, calls)| !calls.iter().any(|call| action_matches(call, name)));
    if is_left_out || service == IOT {
        return Vec::new();
    }
    let own = service.replace('-', "");
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == service);
    let families = other.map_or_else(|| vec![own.as_str()], |(_, families)| families.to_vec());
    let is_own = |name: &&&'static str| {
        let own = name.split("::").nth(1);
        own.is_some_and(|own| families.iter().any(|family| own.eq_ignore_ascii_case(family)))
    };
    let is_told = |name: &&&'static str| CALLS.iter().any(|(told, _)| *told == **name);
    match LISTED.contains(&service) {
        true => types
            .unlisted
            .iter()
            .filter(|name| is_own(name) && !is_told(name))
            .copied()
            .collect(),
        false => types.all.iter().filter(is_own).copied().collect(),
    }
}

/// Why CloudTrail records no call of an action, although the service has an API for it.
///
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-using-cloudtrail.html>
pub(super) fn unrecorded_reason(action: &Action) -> Option<&'static str> {
    let (service, name) = action.name.split_once(':')?;
    if ![IOT, IOT_JOBS].contains(&service) {
        return None;
    }
    let is_of_devices = service == IOT_JOBS || OF_DEVICES.iter().any(|call| action_matches(call, name));
    match action.level {
        _ if is_of_devices => Some("of the data plane of AWS IoT nothing is recorded"),
        Level::Read | Level::List => Some("of the control plane of AWS IoT only calls that make changes are recorded"),
        _ => None,
    }
}

/// Whether a call manages a resource of a type that has no data events.
fn is_configuration(action: &Action, uses: &[ResourceUse], data_types: &[&str]) -> bool {
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
    use super::*;
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
            "s3vectors:QueryVectors",
            "sagemaker:BatchPutMetrics",
            "cloudfront-keyvaluestore:GetKey",
            "payment-cryptography:EncryptData",
            "mobiletargeting:PutEvents",
            "medical-imaging:GetImageFrame",
            "deadline:CreateJob",
            "deadline:GetStep",
            "greengrass:ResolveComponentCandidates",
            "iotsitewise:BatchPutAssetPropertyValue",
            "iotsitewise:StartQuery",
            "sagemaker:PutRecord",
            "sagemaker:SampleWithResponseStream",
            "sms-voice:SendTextMessage",
        ] {
            assert!(perhaps(action), "{action}");
        }
    }

    #[test]
    fn call_that_the_list_of_its_service_lacks_may_leave_a_data_event() {
        for action in [
            "backup-search:StartSearchJob",
            "bedrock:CreateSession",
            "bedrock:GetDataAutomationStatus",
            "bedrock:GetInvocationStep",
            "bedrock:InvokeDataAutomation",
            "bedrock:InvokeDataAutomationAsync",
            "bedrock:PutInvocationStep",
            "bedrock:StartFlowExecution",
            "dynamodb:SearchVectors",
            "guardduty:SendObjectMalwareScan",
            "kinesisvideo:JoinStorageSession",
            "kinesisvideo:SendAlexaOfferToMaster",
            "lambda:CheckpointDurableExecution",
            "lambda:GetDurableExecution",
            "lambda:InvokeAsync",
            "s3:GetObjectAnnotation",
            "ses:TestRenderTemplate",
            "signer:GetRevocationStatus",
            "signer:SignPayload",
            "signer:StartSigningJob",
            "ssm:StartExecutionPreview",
        ] {
            assert!(perhaps(action), "{action}");
        }
    }

    #[test]
    fn resource_types_of_listed_services_have_calls_or_are_told_to_have_no_others() {
        let facts = Facts::embedded();
        let unlisted = &facts.data_types.unlisted;
        assert!(unlisted.contains(&"AWS::Signer::SigningJob"));
        let told = CALLS.map(|(resource_type, _)| resource_type);
        assert!(told.is_sorted());
        for name in told {
            assert!(facts.data_types.all.contains(&name), "{name}");
        }
        for service in LISTED {
            let types = types_of_service(&format!("{service}:Any"), &facts.data_types);
            assert!(types.is_empty(), "{service}: {types:?}");
        }
    }

    #[test]
    fn new_resource_type_of_a_listed_service_casts_doubt_on_its_calls() {
        let name = "AWS::EC2::Console";
        let types = DataTypes {
            all: vec![name],
            unlisted: vec![name],
        };
        let facts = Facts::embedded();
        let perhaps = |action: &str| {
            let id = facts.find(action).unwrap();
            perhaps_types(facts.action(id).unwrap(), &facts.resource_uses(id), &types)
        };
        assert_eq!(perhaps("ec2:GetConsoleOutput"), [name]);
        assert!(perhaps("ec2:CreateSubnet").is_empty());
        assert!(perhaps("rds:StartDBInstance").is_empty());
    }

    #[test]
    fn of_aws_iot_only_calls_that_change_its_control_plane_are_recorded() {
        let facts = Facts::embedded();
        let reason = |action: &str| facts.never_logged_reason(facts.find(action).unwrap());
        for action in [
            "iot:ListThings",
            "iot:DescribeEndpoint",
            "iot:UpdateThingShadow",
            "iot:Publish",
            "iotjobsdata:DescribeJobExecution",
            "iotjobsdata:StartNextPendingJobExecution",
        ] {
            assert!(reason(action).is_some(), "{action}");
        }
        for action in ["iot:CreateThing", "iot:UpdateCertificate", "iotsitewise:ListAssets"] {
            assert!(reason(action).is_none(), "{action}");
        }
    }

    #[test]
    fn every_pattern_of_a_documented_service_matches_a_call_of_it() {
        let facts = Facts::embedded();
        let documented = DOCUMENTED
            .iter()
            .flat_map(|(service, calls)| calls.iter().map(move |call| format!("{service}:{call}")));
        let of_devices = OF_DEVICES.iter().map(|call| format!("iot:{call}"));
        let calls = CALLS.iter().flat_map(|(_, calls)| calls.iter().copied());
        let calls = calls.map(str::to_owned);
        for pattern in documented.chain(of_devices).chain(calls) {
            assert!(!facts.expand(&pattern).is_empty(), "{pattern}");
        }
    }

    #[test]
    fn call_that_manages_something_else_or_whose_service_has_a_list_is_none() {
        for action in [
            "iot:CreatePolicy",
            "iot:TagResource",
            "deadline:UpdateWorker",
            "deadline:CreateQueueFleetAssociation",
            "greengrass:CreateDeployment",
            "iotsitewise:UpdateAsset",
            "sagemaker:CreateTrainingJob",
            "sagemaker:DescribeEndpoint",
            "sms-voice:RequestPhoneNumber",
            "s3:PutBucketPolicy",
            "sqs:CreateQueue",
            "dynamodb:CreateTable",
            "lambda:CreateFunction",
            "ec2:RunInstances",
            "iam:CreateRole",
            "backup:StartBackupJob",
            "bedrock:CreateAgent",
            "bedrock:InvokeModelWithResponseStream",
            "glue:GetTable",
            "guardduty:CreateDetector",
            "redshift:CreateCluster",
            "servicediscovery:CreateHttpNamespace",
            "ses:CreateTemplate",
            "signer:PutSigningProfile",
            "ssm:GetParameter",
        ] {
            assert!(!perhaps(action), "{action}");
        }
    }
}
