//! Calls that may leave data events of services of which the others are listed.

/// Resource types of listed services, with patterns of the calls that may leave their data events beside those that the facts
/// list. A type without patterns has no others: its events are left by calls that are listed with another type, or by calls
/// of a service that is not listed.
///
/// What a type is for stands in the table of <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>;
/// calls of a runtime API are doubted unless the guide of the service names them among its management events.
pub(super) const CALLS: [(&str, &[&str]); 42] = [
    ("AWS::Backup::SearchJob", &["backup-search:*Search*"]),
    // https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html: all operations of the control
    // plane leave management events, and so do `InvokeModel`, `Converse` and `ListAsyncInvokes`.
    (
        "AWS::Bedrock::AdvancedOptimizePromptJob",
        &["bedrock:*AdvancedPromptOptimizationJob*"],
    ),
    ("AWS::Bedrock::AgentAlias", &["bedrock:*AgentMemory"]),
    ("AWS::Bedrock::AsyncInvoke", &[]),
    (
        "AWS::Bedrock::AutomatedReasoningPolicy",
        &["bedrock:*AutomatedReasoningPolic*"],
    ),
    (
        "AWS::Bedrock::AutomatedReasoningPolicyVersion",
        &["bedrock:*AutomatedReasoningPolicyVersion"],
    ),
    (
        "AWS::Bedrock::Blueprint",
        &["bedrock:CopyBlueprintStage", "bedrock:*BlueprintOptimization*"],
    ),
    (
        "AWS::Bedrock::DataAutomationInvocation",
        &["bedrock:GetDataAutomationStatus", "bedrock:InvokeDataAutomation*"],
    ),
    (
        "AWS::Bedrock::DataAutomationProfile",
        &["bedrock:InvokeDataAutomation*"],
    ),
    (
        "AWS::Bedrock::DataAutomationProject",
        &["bedrock:InvokeDataAutomation*"],
    ),
    (
        "AWS::Bedrock::FlowExecution",
        &["bedrock:*FlowExecution*", "bedrock:GetExecutionFlowSnapshot"],
    ),
    ("AWS::Bedrock::Guardrail", &["bedrock:InvokeGuardrailChecks"]),
    (
        "AWS::Bedrock::KnowledgeBase",
        &[
            "bedrock:*IngestedDocumentAcl",
            "bedrock:AgenticRetrieveStream",
            "bedrock:GenerateQuery",
            "bedrock:GetDocumentContent",
        ],
    ),
    ("AWS::Bedrock::Model", &["bedrock:CountTokens", "bedrock:Rerank"]),
    ("AWS::Bedrock::PromptVersion", &["bedrock:OptimizePrompt"]),
    (
        "AWS::Bedrock::Session",
        &[
            "bedrock:*InvocationStep*",
            "bedrock:*Session",
            "bedrock:CreateInvocation",
            "bedrock:ListInvocations",
            "bedrock:ListSessions",
        ],
    ),
    ("AWS::Bedrock::Tool", &[]),
    ("AWS::CloudFront::KeyValueStore", &[]),
    ("AWS::DynamoDB::Table", &["dynamodb:SearchVectors"]),
    (
        "AWS::EC2::InstanceConnectEndpoint",
        &["ec2-instance-connect:OpenTunnel"],
    ),
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/logging-using-cloudtrail.html
    (
        "AWS::ECS::ContainerInstance",
        &["ecs:Poll", "ecs:PutSystemLogEvents", "ecs:StartTelemetrySession"],
    ),
    ("AWS::EKS::Dashboard", &["eks:ListDashboard*"]),
    // Requests to S3 through access points of the volume.
    ("AWS::FSx::Volume", &[]),
    // Requests to tables that Lake Formation made.
    ("AWS::Glue::Table", &["lakeformation:*TableObjects"]),
    ("AWS::GuardDuty::Detector", &["guardduty:SendSecurityTelemetry"]),
    ("AWS::GuardDuty::MalwareScan", &["guardduty:*MalwareScan"]),
    ("AWS::Kinesis::StreamConsumer", &[]),
    // https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/monitoring.html
    (
        "AWS::KinesisVideo::SignalingChannel",
        &[
            "kinesisvideo:ConnectAs*",
            "kinesisvideo:GetIceServerConfig",
            "kinesisvideo:JoinStorageSession*",
            "kinesisvideo:SendAlexaOfferToMaster",
        ],
    ),
    (
        "AWS::KinesisVideo::Stream",
        &[
            "kinesisvideo:*FragmentList",
            "kinesisvideo:*StreamingSessionURL",
            "kinesisvideo:GetClip",
            "kinesisvideo:GetImages",
            "kinesisvideo:ListFragments",
        ],
    ),
    // https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
    (
        "AWS::Lambda::Function",
        &["lambda:*DurableExecution*", "lambda:InvokeAsync"],
    ),
    ("AWS::QuickSight::Flow", &["quicksight:*Flow*"]),
    ("AWS::QuickSight::FlowSession", &["quicksight:*Flow*"]),
    ("AWS::Quicksight::ActionConnector", &["quicksight:*ActionConnector*"]),
    // The calls of the Data API.
    ("AWS::Redshift::Cluster", &[]),
    ("AWS::S3::AccessPoint", &[]),
    ("AWS::S3::Object", &["s3:*ObjectAnnotation*"]),
    // https://docs.aws.amazon.com/ses/latest/dg/logging-using-cloudtrail.html
    ("AWS::SES::ConfigurationSet", &["ses:SendBounce", "ses:SendCustom*"]),
    ("AWS::SES::Template", &["ses:SendCustom*", "ses:TestRender*"]),
    ("AWS::SSM::ExecutionPreview", &["ssm:*ExecutionPreview"]),
    ("AWS::ServiceDiscovery::Namespace", &[]),
    // https://docs.aws.amazon.com/signer/latest/developerguide/logging-using-cloudtrail.html
    (
        "AWS::Signer::SigningJob",
        &[
            "signer:*SigningJob*",
            "signer:GetRevocationStatus",
            "signer:RevokeSignature",
        ],
    ),
    (
        "AWS::Signer::SigningProfile",
        &["signer:SignPayload", "signer:StartSigningJob"],
    ),
];
