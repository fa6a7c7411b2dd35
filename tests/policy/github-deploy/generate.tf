# arn:aws:iam::111122223333:role/ci/github-deploy: generate from 2026-09-01T00:01:49Z to 2026-09-14T23:59:53.000001Z (14 days), facts of 2026-10-27
# The logs of its account cover 99.7 % of the window; "unused" needs 95.0 % and 14 days.
# IAM snapshot of 2026-09-15T00:00:00Z.

# create `github-deploy-generated`
# in place of `arn:aws:iam::111122223333:policy/deploy-pipeline`
resource "aws_iam_policy" "github_deploy_generated" {
  name = "github-deploy-generated"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # from statement 1 (`Images`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # its resources are those of the present statement: the records do not name all that were touched, or the action takes none
      # used: ecr:GetAuthorizationToken 13 times on 0 resources, last 2026-09-11T16:44:51Z by ecr.amazonaws.com:GetAuthorizationToken as arn:aws:iam::111122223333:role/ci/github-deploy; events c0ab53da-0f0a-4980-9346-5822e4b36614, a0da2213-50cf-441d-837d-b50da1e64ce1, 338efcda-1708-4db4-be40-e804b823fcc0
      {
        Sid      = "Used1"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      # from statement 1 (`Images`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: ecr:DescribeRepositories 1 time on 1 resource, last 2026-09-06T10:15:20Z by ecr.amazonaws.com:DescribeRepositories as arn:aws:iam::111122223333:role/ci/github-deploy; events 23a5f4ed-ca59-46a8-b920-bc76c4d6e23f
      {
        Sid      = "Used2"
        Effect   = "Allow"
        Action   = ["ecr:DescribeRepositories"]
        Resource = ["arn:aws:ecr:ap-southeast-1:111122223333:repository/payments"]
      },
      # from statement 1 (`Images`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: ecr:PutImage 8 times on 1 resource, last 2026-09-14T12:12:00Z by ecr.amazonaws.com:PutImage as arn:aws:iam::111122223333:role/ci/github-deploy; events a4645fd3-3b11-4741-a7b0-d364c2ee26b9, b6cf1b53-ba28-45a3-8154-5d5f2b04843c, 5d769761-1e0b-4016-9110-738678bb38e1
      # used: ecr:UploadLayerPart 27 times on 1 resource, last 2026-09-14T14:34:59Z by ecr.amazonaws.com:UploadLayerPart as arn:aws:iam::111122223333:role/ci/github-deploy; events 306def11-2899-46b5-b33d-db125406f54c, 4b074ec3-4821-4a26-b035-a04181621f0e, ed4dffbb-9b96-4469-9bfd-a09c01f89e52
      {
        Sid    = "Used3"
        Effect = "Allow"
        Action = [
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = ["arn:aws:ecr:us-west-2:111122223333:repository/payments"]
      },
      # from statement 2 (`Services`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # its resources are those of the present statement: the records do not name all that were touched, or the action takes none
      # used: ecs:RegisterTaskDefinition 15 times on 0 resources, last 2026-09-11T10:45:14Z by ecs.amazonaws.com:RegisterTaskDefinition as arn:aws:iam::111122223333:role/ci/github-deploy; events 6889aac3-fda0-4c35-88ef-13e1297de5f8, 46af49e1-4f33-4788-bf92-4849d7528ce2, c69ab5a9-8d98-4286-840c-4f60682edb02
      {
        Sid      = "Used4"
        Effect   = "Allow"
        Action   = ["ecs:RegisterTaskDefinition"]
        Resource = "*"
      },
      # from statement 2 (`Services`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: ecs:DescribeServices 41 times on 1 resource, last 2026-09-14T15:18:54Z by ecs.amazonaws.com:DescribeServices as arn:aws:iam::111122223333:role/ci/github-deploy; events 6a84011b-2108-4ff0-a5e7-c925f11d8716, 0b483476-1835-4437-ab17-150566e85c1d, 0faf827c-317c-4f1e-a361-4729231597ac
      # used: ecs:UpdateService 11 times on 1 resource, last 2026-09-11T14:40:56Z by ecs.amazonaws.com:UpdateService as arn:aws:iam::111122223333:role/ci/github-deploy; events 363c29e8-c020-4ccb-92e9-077109eb091b, 05635c0d-4718-4d25-8bc3-b55103987aa4, aaec64a6-bcb3-4a36-9d14-38387952af1e
      {
        Sid    = "Used5"
        Effect = "Allow"
        Action = [
          "ecs:DescribeServices",
          "ecs:UpdateService",
        ]
        Resource = [
          "arn:aws:ecs:us-west-2:111122223333:service/payments",
          "arn:aws:ecs:us-west-2:111122223333:service/prod/payments",
        ]
      },
      # from statement 2 (`Services`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: lambda:CreateFunction 1 time on 1 resource, last 2026-09-03T13:20:30Z by lambda.amazonaws.com:CreateFunction20150331 as arn:aws:iam::111122223333:role/ci/github-deploy; events b159005f-72aa-4fd6-913a-aad2f55af81f
      {
        Sid    = "Used6"
        Effect = "Allow"
        Action = ["lambda:CreateFunction"]
        Resource = [
          "arn:aws:lambda:eu-west-1:111122223333:function:order-events",
          "arn:aws:lambda:eu-west-1:111122223333:function:order-events:*",
        ]
      },
      # from statement 2 (`Services`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: lambda:UpdateFunctionCode 9 times on 1 resource, last 2026-09-14T11:16:21Z by lambda.amazonaws.com:UpdateFunctionCode20150331v2 as arn:aws:iam::111122223333:role/ci/github-deploy; events 6d0464af-284e-4e95-9ccb-418b94e1a371, ddc838d6-3802-46d0-9bfe-19da3c531da1, a502f802-4220-40d5-ac97-7ea724baae21
      {
        Sid    = "Used7"
        Effect = "Allow"
        Action = ["lambda:UpdateFunctionCode"]
        Resource = [
          "arn:aws:lambda:us-west-2:111122223333:function:order-processor",
          "arn:aws:lambda:us-west-2:111122223333:function:order-processor:*",
        ]
      },
      # from statement 4 (`Pass`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: iam:PassRole 16 times on 3 resources, last 2026-09-11T10:45:14Z by ecs.amazonaws.com:RegisterTaskDefinition, lambda.amazonaws.com:CreateFunction20150331 as arn:aws:iam::111122223333:role/ci/github-deploy; events 6889aac3-fda0-4c35-88ef-13e1297de5f8, 46af49e1-4f33-4788-bf92-4849d7528ce2, c69ab5a9-8d98-4286-840c-4f60682edb02
      {
        Sid    = "Used8"
        Effect = "Allow"
        Action = ["iam:PassRole"]
        Resource = [
          "arn:aws:iam::111122223333:role/ecs/payments-execution",
          "arn:aws:iam::111122223333:role/ecs/payments-task",
        ]
        Condition = {
          StringEquals = {
            "iam:PassedToService" = ["ecs-tasks.amazonaws.com"]
          }
        }
      },
      # from statement 4 (`Pass`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: iam:PassRole 16 times on 3 resources, last 2026-09-11T10:45:14Z by ecs.amazonaws.com:RegisterTaskDefinition, lambda.amazonaws.com:CreateFunction20150331 as arn:aws:iam::111122223333:role/ci/github-deploy; events 6889aac3-fda0-4c35-88ef-13e1297de5f8, 46af49e1-4f33-4788-bf92-4849d7528ce2, c69ab5a9-8d98-4286-840c-4f60682edb02
      {
        Sid      = "Used9"
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = ["arn:aws:iam::111122223333:role/service-role/order-processor-role-x1y2z3"]
        Condition = {
          StringEquals = {
            "iam:PassedToService" = ["lambda.amazonaws.com"]
          }
        }
      },
      # from statement 5 (`Edge`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # used: cloudfront:CreateInvalidation 5 times on 1 resource, last 2026-09-11T15:14:39Z by cloudfront.amazonaws.com:CreateInvalidation2020_05_31 as arn:aws:iam::111122223333:role/ci/github-deploy; events d6fdb55b-c719-4cf1-ae24-93f6936f2e0e, 799d9b52-d5bd-4f56-a6d0-e7bfbb2a2052, f9710ef6-948b-4325-a087-f73bc7068279
      {
        Sid      = "Used10"
        Effect   = "Allow"
        Action   = ["cloudfront:CreateInvalidation"]
        Resource = ["arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE2ABCD"]
      },
      # from statement 2 (`Services`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # inferred: no call certainly used it, but calls that succeeded may have needed it
      # kept (uncertain-use): successful calls that may have needed it: 1 (lambda.amazonaws.com:CreateFunction20150331): lambda:GetLayerVersion, lambda:PassCapacityProvider, lambda:TagResource
      # kept (uncertain-use): successful calls that may have needed it: 15 (ecs.amazonaws.com:RegisterTaskDefinition): ecs:TagResource
      {
        Sid    = "Inferred11"
        Effect = "Allow"
        Action = [
          "ecs:TagResource",
          "lambda:GetLayerVersion",
          "lambda:PassCapacityProvider",
          "lambda:TagResource",
        ]
        Resource = "*"
      },
      # from statement 1 (`Images`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # kept (conditional-only): only some calls of other operations need it, and none proves it: ecr:BatchImportUpstreamImage
      # kept (no-operation): no public API operation needs it: ecr:GetImageCopyStatus, ecr:ReplicateImage
      {
        Sid    = "Unknown12"
        Effect = "Allow"
        Action = [
          "ecr:BatchImportUpstreamImage",
          "ecr:GetImageCopyStatus",
          "ecr:ReplicateImage",
        ]
        Resource = "*"
      },
      # from statement 2 (`Services`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # kept (conditional-only): only some calls of other operations need it, and none proves it: cloudformation:ListAllHookResults, cloudformation:TagResource, cloudformation:UntagResource
      # kept (data-events-not-recorded): no write data events of AWS::Lambda::Function are recorded in the account: lambda:InvokeFunction, lambda:InvokeFunctionUrl
      # kept (dependent-only): it is only needed beside other actions and leaves no event: lambda:PassNetworkConnector
      # kept (may-be-data-event): a use may leave a data event of AWS::Lambda::Function alone, and these are not recorded: lambda:CheckpointDurableExecution, lambda:GetDurableExecution, lambda:GetDurableExecutionHistory, lambda:GetDurableExecutionState, lambda:InvokeAsync, lambda:ListDurableExecutionsByFunction, lambda:SendDurableExecutionCallbackFailure, lambda:SendDurableExecutionCallbackHeartbeat and 2 more
      # kept (no-operation): no public API operation needs it: cloudformation:CreateUploadBucket, ecs:AllowVendedLogDeliveryForResource, ecs:Poll, ecs:PutSystemLogEvents, ecs:StartTelemetrySession, lambda:ConnectMicrovm, lambda:DisableReplication, lambda:EnableReplication and 2 more
      {
        Sid    = "Unknown13"
        Effect = "Allow"
        Action = [
          "ecs:AllowVendedLogDeliveryForResource",
          "ecs:Poll",
          "ecs:PutSystemLogEvents",
          "ecs:StartTelemetrySession",
          "lambda:CheckpointDurableExecution",
          "lambda:ConnectMicrovm",
          "lambda:DisableReplication",
          "lambda:EnableReplication",
          "lambda:GetDurableExecution",
          "lambda:GetDurableExecutionHistory",
          "lambda:GetDurableExecutionState",
          "lambda:InvokeAsync",
          "lambda:InvokeFunction",
          "lambda:InvokeFunctionUrl",
          "lambda:InvokeWebFunctionEndpoint",
          "lambda:ListDurableExecutionsByFunction",
          "lambda:PassNetworkConnector",
          "lambda:SendDurableExecutionCallbackFailure",
          "lambda:SendDurableExecutionCallbackHeartbeat",
          "lambda:SendDurableExecutionCallbackSuccess",
          "lambda:StopDurableExecution",
          "lambda:UpdateFunctionCodeSigningConfig",
          "cloudformation:CreateUploadBucket",
          "cloudformation:ListAllHookResults",
          "cloudformation:TagResource",
          "cloudformation:UntagResource",
        ]
        Resource = "*"
      },
      # from statement 3 (`TooWide`) of `arn:aws:iam::111122223333:policy/deploy-pipeline`
      # kept (conditional-only): only some calls of other operations need it, and none proves it: elasticloadbalancing:SetWebAcl
      # kept (dependent-only): it is only needed beside other actions and leaves no event: elasticloadbalancing:CreateWebACLAssociation, elasticloadbalancing:DeleteWebACLAssociation, elasticloadbalancing:DescribeWebACLAssociation, elasticloadbalancing:GetLoadBalancerWebACL
      # kept (no-operation): no public API operation needs it: ec2:AssociateVerifiedAccessInstanceWebAcl, ec2:AttachApplianceToNatGateway, ec2:AttachResourcesToPlacementGroup, ec2:CreateCoipPoolPermission, ec2:CreateLocalGatewayRouteTablePermission, ec2:CreateOdbNetworkPeering, ec2:DeleteCoipPoolPermission, ec2:DeleteLocalGatewayRouteTablePermission and 17 more
      {
        Sid    = "Unknown14"
        Effect = "Allow"
        Action = [
          "ec2:AssociateVerifiedAccessInstanceWebAcl",
          "ec2:AttachApplianceToNatGateway",
          "ec2:AttachResourcesToPlacementGroup",
          "ec2:CreateCoipPoolPermission",
          "ec2:CreateLocalGatewayRouteTablePermission",
          "ec2:CreateOdbNetworkPeering",
          "ec2:DeleteCoipPoolPermission",
          "ec2:DeleteLocalGatewayRouteTablePermission",
          "ec2:DeleteOdbNetworkPeering",
          "ec2:DeleteResourcePolicy",
          "ec2:DescribeLocalGatewayRouteTablePermissions",
          "ec2:DescribeVerifiedAccessInstanceWebAclAssociations",
          "ec2:DetachApplianceFromNatGateway",
          "ec2:DetachResourcesFromPlacementGroup",
          "ec2:DisassociateVerifiedAccessInstanceWebAcl",
          "ec2:GetResourcePolicy",
          "ec2:GetVerifiedAccessInstanceWebAcl",
          "ec2:ImportByoipCidrToIpam",
          "ec2:InjectApiError",
          "ec2:InjectVolumeIOLatency",
          "ec2:ModifyOdbNetworkPeering",
          "ec2:PauseVolumeIO",
          "ec2:PutResourcePolicy",
          "ec2:SendSpotInstanceInterruptions",
          "elasticloadbalancing:AllowVendedLogDeliveryForResource",
          "elasticloadbalancing:CreateWebACLAssociation",
          "elasticloadbalancing:DeleteWebACLAssociation",
          "elasticloadbalancing:DescribeWebACLAssociation",
          "elasticloadbalancing:GetLoadBalancerWebACL",
          "elasticloadbalancing:SetWebAcl",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "github_deploy_github_deploy_generated" {
  role       = "github-deploy"
  policy_arn = aws_iam_policy.github_deploy_generated.arn
}
