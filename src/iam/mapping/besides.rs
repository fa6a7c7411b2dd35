//! Whether a call may have needed what its operation may need beside its own action, as far as the request says.

use std::borrow::Cow;

use super::Mapping;
use crate::iam::rule::Candidate;

/// Members of requests for functions.
const IMAGE: &str = "imageUri";
const PACKAGE: &str = "packageType";
const NETWORK: &str = "vpcConfig";
const FILE_SYSTEMS: &str = "fileSystemConfigs";

/// Prefix and operations that begin, change or end a delivery of logs only if a request has a member for it, be it empty (API
/// references of the services). Deletions may end deliveries without naming them.
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

/// Member of the patches of API Gateway, which stand in `patchOperations` of the request or of its `updateStageInput`, and where they
/// have to do with logs.
const PATCHED: &str = "path";
const PATCHED_LOGGING: &str = "/accessLogSettings";

impl Mapping<'_, '_> {
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
            let is_patch = |path: &Cow<'_, str>| path.starts_with(PATCHED_LOGGING);
            request.mentions(member) || request.strings_named(PATCHED).iter().any(is_patch)
        })
    }
}
