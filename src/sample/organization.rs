//! Service control policies and the tree they hang in.

use serde_json::Value;
use serde_json::json;

use super::estate::MANAGEMENT;
use super::estate::ORGANIZATION;
use super::estate::ORGANIZATION_TREE;
use super::estate::ServiceControlPolicy;

const POLICIES: [ServiceControlPolicy; 3] = [
    ServiceControlPolicy {
        id: "p-FullAWSAccess",
        name: "FullAWSAccess",
        description: "Allows access to every operation",
        aws_managed: true,
        content: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        targets: &[
            "r-exam",
            "ou-exam-security",
            "ou-exam-workloads",
            "123456789012",
            "210987654321",
            "444455556666",
            "111122223333",
            "777788889999",
        ],
    },
    ServiceControlPolicy {
        id: "p-keeplogs1",
        name: "keep-logs",
        description: "Nobody stops the trail or the configuration recorder",
        aws_managed: false,
        content: r#"{"Version":"2012-10-17","Statement":[{"Sid":"KeepLogs","Effect":"Deny","Action":["cloudtrail:StopLogging","cloudtrail:DeleteTrail","cloudtrail:PutEventSelectors","config:StopConfigurationRecorder","config:DeleteConfigurationRecorder"],"Resource":"*"}]}"#,
        targets: &["r-exam"],
    },
    ServiceControlPolicy {
        id: "p-regions01",
        name: "approved-regions",
        description: "Nothing is built outside the regions of the organization",
        aws_managed: false,
        content: r#"{"Version":"2012-10-17","Statement":[{"Sid":"ApprovedRegions","Effect":"Deny","Action":["ec2:RunInstances","ecs:CreateCluster","eks:CreateCluster","lambda:CreateFunction","rds:CreateDBInstance","s3:CreateBucket"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-central-1","eu-west-1","us-west-2"]}}}]}"#,
        targets: &["ou-exam-workloads"],
    },
];

/// The policies as `aws organizations describe-policy` and `list-targets-for-policy` give them, with the tree.
pub(super) fn service_control_policies() -> Value {
    let policies: Vec<Value> = POLICIES.iter().map(policy).collect();
    let nodes: Vec<Value> = ORGANIZATION_TREE
        .iter()
        .map(|(id, name, kind, parent)| {
            let parent = Some(*parent).filter(|parent| !parent.is_empty());
            json!({ "Id": id, "Name": name, "Type": kind, "ParentId": parent })
        })
        .collect();
    json!({
        "Organization": { "Id": ORGANIZATION, "MasterAccountId": MANAGEMENT.id },
        "Nodes": nodes,
        "Policies": policies,
    })
}

fn policy(policy: &ServiceControlPolicy) -> Value {
    let owner = if policy.aws_managed { "aws" } else { MANAGEMENT.id };
    let folder = if policy.aws_managed {
        String::new()
    } else {
        format!("{ORGANIZATION}/")
    };
    let arn = format!(
        "arn:aws:organizations::{owner}:policy/{folder}service_control_policy/{}",
        policy.id
    );
    let targets: Vec<Value> = policy
        .targets
        .iter()
        .filter_map(|target| ORGANIZATION_TREE.iter().find(|(id, ..)| id == target))
        .map(|(id, name, kind, _)| json!({ "TargetId": id, "Name": name, "Type": kind }))
        .collect();
    json!({
        "PolicySummary": {
            "Id": policy.id,
            "Arn": arn,
            "Name": policy.name,
            "Description": policy.description,
            "Type": "SERVICE_CONTROL_POLICY",
            "AwsManaged": policy.aws_managed,
        },
        "Content": policy.content,
        "Targets": targets,
    })
}
