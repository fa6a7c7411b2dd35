//! Permissions that AWS services use with roles that they take, and of which no event of the role needs to tell.

use super::wildcard::action_matches;

const NETWORK: &str =
    "Lambda makes and removes the network interfaces of functions with their role, and may leave no event of the role";
const REPLICATION: &str = "S3 replicates objects with the role, and may leave no event of this name";
const DELIVERY: &str =
    "Step Functions delivers the logs of state machines with their role, and may leave no event of it";
const WAITING: &str = "Step Functions waits for jobs with a rule that it makes once, checks the role for it, and may leave no event of it";

/// Services by the first label of their principals, patterns of actions, and why their use may not be seen.
const OF_SERVICES: [(&str, &[&str], &str); 5] = [
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html
    (
        "batchoperations",
        &[
            "s3:GetReplicationConfiguration",
            "s3:InitiateReplication",
            "s3:PutInventoryConfiguration",
        ],
        REPLICATION,
    ),
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: the permissions are needed to make interfaces, which
    // functions share, and not to invoke a function; https://docs.aws.amazon.com/lambda/latest/dg/with-msk-permissions.html
    (
        "lambda",
        &[
            "ec2:*ssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        NETWORK,
    ),
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
    (
        "s3",
        &[
            "s3:GetObjectLegalHold",
            "s3:GetObjectRetention",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionTagging",
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
            "s3:ObjectOwnerOverrideToBucketOwner",
            "s3:Replicate*",
        ],
        REPLICATION,
    ),
    // https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    (
        "states",
        &[
            "logs:*LogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
        ],
        DELIVERY,
    ),
    // https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
    (
        "states",
        &["events:DescribeRule", "events:PutRule", "events:PutTargets"],
        WAITING,
    ),
];

/// A service that uses an action with roles that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceUse {
    /// First label of its principal, as `lambda` of `lambda.amazonaws.com`.
    pub service: &'static str,
    /// Why its use of the action may not be seen.
    pub why: &'static str,
}

/// Services that use an action with roles that they take, by the action's full name.
pub(super) fn uses(action: &str) -> Vec<ServiceUse> {
    let is_meant = |patterns: &[&str]| patterns.iter().any(|pattern| action_matches(pattern, action));
    let meant = OF_SERVICES.iter().filter(|(_, patterns, _)| is_meant(patterns));
    meant.map(|(service, _, why)| ServiceUse { service, why }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Facts;

    #[test]
    fn services_use_what_their_guides_say_and_nothing_else() {
        let services = |action: &str| uses(action).iter().map(|it| it.service).collect::<Vec<_>>();
        for (action, wanted) in [
            ("ec2:AssignPrivateIpAddresses", vec!["lambda"]),
            ("ec2:UnassignPrivateIpAddresses", vec!["lambda"]),
            ("s3:GetReplicationConfiguration", vec!["batchoperations", "s3"]),
            ("s3:ReplicateDelete", vec!["s3"]),
            ("logs:PutResourcePolicy", vec!["states"]),
            ("events:PutRule", vec!["states"]),
            ("ec2:RunInstances", vec![]),
            ("s3:GetObject", vec![]),
            ("s3:PutReplicationConfiguration", vec![]),
        ] {
            assert_eq!(services(action), wanted, "{action}");
        }
    }

    #[test]
    fn every_pattern_matches_an_action() {
        for pattern in OF_SERVICES.iter().flat_map(|(_, patterns, _)| patterns.iter()) {
            assert!(!Facts::embedded().expand(pattern).is_empty(), "{pattern}");
        }
    }
}
