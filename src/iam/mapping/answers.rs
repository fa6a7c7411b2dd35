//! Actions of a few operations that neither the facts nor the parameters alone tell: what an answer of S3 says of the rights of the
//! caller, and messages that SES authorises as another operation.

use std::borrow::Cow;

use super::Mapping;
use crate::iam::outcome::Class;
use crate::iam::outcome::Proof;
use crate::iam::outcome::ResourceOrigin;
use crate::iam::outcome::UsedAction;
use crate::iam::outcome::UsedResource;
use crate::iam::plan::ActionPlan;
use crate::iam::plan::CandidatePlan;
use crate::iam::rule::Candidate;

/// Members of requests for functions.
const IMAGE: &str = "imageUri";
const PACKAGE: &str = "packageType";
const NETWORK: &str = "vpcConfig";
const FILE_SYSTEMS: &str = "fileSystemConfigs";

/// Prefix and operations that deliver logs only if a request has a member that asks for it (API references of the services).
/// Deletions may end deliveries without naming them.
const LOGGING_MEMBERS: &[(&str, &[&str], &str)] = &[
    ("apigateway", &["CreateStage", "UpdateStage"], "accessLogSettings"),
    ("ec2", &["CreateVpnConnection", "ModifyVpnTunnelOptions"], "logOptions"),
    (
        "elasticache",
        &[
            "CreateCacheCluster",
            "CreateReplicationGroup",
            "ModifyCacheCluster",
            "ModifyReplicationGroup",
        ],
        "logDeliveryConfigurations",
    ),
    (
        "fis",
        &["CreateExperimentTemplate", "UpdateExperimentTemplate"],
        "logConfiguration",
    ),
    ("kafka", &["CreateCluster", "CreateClusterV2"], "loggingInfo"),
    ("osis", &["CreatePipeline", "UpdatePipeline"], "logPublishingOptions"),
    ("pipes", &["CreatePipe", "UpdatePipe"], "logConfiguration"),
    (
        "states",
        &["CreateStateMachine", "UpdateStateMachine"],
        "loggingConfiguration",
    ),
    (
        "transfer",
        &["CreateServer", "UpdateServer"],
        "structuredLogDestinations",
    ),
];

/// Members of the patches of API Gateway, and where they have to do with logs.
const PATCHED_PATHS: &str = "patchOperations[].path";
const PATCHED_LOGGING: &str = "/accessLogSettings";

/// Member of `content` in `SendEmail` of the second version of SES.
const RAW_MESSAGE: &str = "raw";

impl<'a> Mapping<'_, 'a> {
    /// S3 says that an object is not there only to callers who may list the bucket; to others it denies access.
    pub(super) fn add_listing(&self, actions: &mut Vec<UsedAction<'a>>, plan: &CandidatePlan) {
        let code = self.call.error_code.unwrap_or_default();
        // The answer to a head has no body that could name the error, and SDKs ask with heads before they read or copy.
        let is_of_head = matches!(code, "NotFound" | "404")
            && matches!(self.call.event_name, "GetObject" | "HeadObject" | "CopyObject");
        let is_told = plan.candidate.prefix == "s3" && (code == "NoSuchKey" || is_of_head);
        let listing = is_told.then(|| self.facts.find("s3:ListBucket"));
        let Some(id) = listing.flatten() else {
            return;
        };
        let mut arns = self.call.resource_arns.iter();
        let bucket = arns.find_map(|arn| arn.starts_with("arn:").then(|| arn.split('/').next())?);
        actions.push(UsedAction {
            resources: bucket
                .map(|arn| UsedResource {
                    arn: Cow::Borrowed(arn),
                    resource_type: "bucket",
                    origin: ResourceOrigin::Record,
                })
                .into_iter()
                .collect(),
            ..self.unused(id, Class::Dependent, Proof::Answer)
        });
    }

    /// The refusals of SES name `ses:SendRawEmail` for raw messages of either version of its API; nothing says that it asks for
    /// `ses:SendEmail` besides.
    pub(super) fn proof_of_primary(&self, action: &ActionPlan) -> Proof {
        match action.name == "ses:SendEmail" && self.request.parameters().has(RAW_MESSAGE) {
            true => Proof::Possible,
            false => Proof::Call,
        }
    }

    /// Whether a call may have needed an action beside its own, as far as the request says: functions of Lambda have images or not,
    /// a network of the account or not, and file systems or not (API reference, `CreateFunction`, `UpdateFunctionCode`), and most
    /// requests do not ask for logs. Of requests that are left out everything may be.
    pub(super) fn may_need_besides(&self, candidate: &Candidate, action: &str) -> bool {
        let request = self.request.parameters();
        if request.is_null() {
            return true;
        }
        let service = action.split_once(':').map_or("", |(service, _)| service);
        if matches!(service, "logs" | "s3" | "firehose") {
            return self.may_deliver_logs(candidate);
        }
        if candidate.prefix != "lambda" {
            return true;
        }
        match service {
            "ecr" => request.has(IMAGE) || request.strings_at(PACKAGE).iter().any(|kind| kind == "Image"),
            "ec2" => request.has(NETWORK),
            "elasticfilesystem" => request.has(FILE_SYSTEMS),
            _ => true,
        }
    }

    /// Whether a call may have begun, changed or ended a delivery of logs. Most operations that do are about nothing else.
    fn may_deliver_logs(&self, candidate: &Candidate) -> bool {
        let request = self.request.parameters();
        let is_meant = |(prefix, operations, _): &&(&str, &[&str], &str)| {
            *prefix == candidate.prefix && operations.contains(&candidate.operation)
        };
        LOGGING_MEMBERS.iter().find(is_meant).is_none_or(|(.., member)| {
            let paths = request.strings_at(PATCHED_PATHS);
            request.has(member) || paths.iter().any(|path| path.starts_with(PATCHED_LOGGING))
        })
    }
}
