# arn:aws:iam::111122223333:user/svc-legacy-backup: trim from 2026-09-01T00:01:49Z to 2026-09-14T23:59:53.000001Z (14 days), facts of 2026-10-27
# The logs of its account cover 99.7 % of the window; "unused" needs 95.0 % and 14 days.
# IAM snapshot of 2026-09-15T00:00:00Z.

# create `AmazonS3FullAccess-trimmed-svc-legacy-backup`
# in place of `arn:aws:iam::aws:policy/AmazonS3FullAccess`
# a policy of AWS cannot be edited: attach this copy in its place
resource "aws_iam_policy" "amazons3fullaccess_trimmed_svc_legacy_backup" {
  name = "AmazonS3FullAccess-trimmed-svc-legacy-backup"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # from statement 1
      # used: s3:GetObject 123 times on more than 50 resources, last 2026-09-14T02:59:00Z by s3.amazonaws.com:GetObject as arn:aws:iam::111122223333:user/svc-legacy-backup; events beaab7b1-cbb4-480e-80b2-1e48034b8b06, 6290ae75-f4ce-4399-9fdf-b5a0795b6920, 501937a1-92a7-4609-abdf-7da34af3c960
      # used: s3:ListBucket 73 times on 1 resource, last 2026-09-14T02:53:59Z by s3.amazonaws.com:ListObjects as arn:aws:iam::111122223333:user/svc-legacy-backup; events feca9b96-78e7-40fe-b875-0346d5abc27b, b14b2ba6-9edd-48b4-adc6-3057fbf4547b, 75f30481-fada-4b15-9043-1fb5835a45f1
      # kept (conditional-only): only some calls of other operations need it, and none proves it: s3-object-lambda:DeleteObject, s3-object-lambda:PutObject, s3:DeleteObjectVersionTagging, s3:GetObjectVersionAcl, s3:GetObjectVersionAttributes, s3:GetObjectVersionTagging, s3:PutObjectVersionAcl, s3:PutObjectVersionTagging
      # kept (data-events-not-recorded): no write data events of AWS::S3::Object or AWS::S3ObjectLambda::AccessPoint are recorded in the account: s3-object-lambda:WriteGetObjectResponse
      # kept (dependent-only): it is only needed beside other actions and leaves no event: s3-object-lambda:AbortMultipartUpload, s3-object-lambda:DeleteObjectTagging, s3-object-lambda:GetObjectAcl, s3-object-lambda:GetObjectLegalHold, s3-object-lambda:GetObjectRetention, s3-object-lambda:GetObjectTagging, s3-object-lambda:ListBucketMultipartUploads, s3-object-lambda:ListMultipartUploadParts and 5 more
      # kept (dependent-only): it is only needed beside other actions and leaves no event: header on DeleteObject/PutObjectRetention: s3:BypassGovernanceRetention
      # kept (dependent-only): it is only needed beside other actions and leaves no event: shows as DeleteObject with versionId: s3:DeleteObjectVersion
      # kept (dependent-only): it is only needed beside other actions and leaves no event: shows as GetObject/HeadObject with versionId: s3:GetObjectVersion
      # kept (no-operation): no public API operation needs it: s3-object-lambda:DeleteObjectVersion, s3-object-lambda:DeleteObjectVersionTagging, s3-object-lambda:GetObjectVersion, s3-object-lambda:GetObjectVersionAcl, s3-object-lambda:GetObjectVersionTagging, s3-object-lambda:ListBucketVersions, s3-object-lambda:PutObjectVersionAcl, s3-object-lambda:PutObjectVersionTagging and 16 more
      # kept (uncertain-use): successful calls that may have needed it: 123: s3-object-lambda:GetObject, s3:GetObjectLegalHold, s3:GetObjectRetention, s3:GetObjectTagging
      # kept (uncertain-use): successful calls that may have needed it: 73: s3-object-lambda:ListBucket, s3:GetObjectAcl
      # removed as unused: s3:AbortMultipartUpload, s3:AssociateAccessGrantsIdentityCenter, s3:CreateAccessGrant, s3:CreateAccessGrantsInstance, s3:CreateAccessGrantsLocation, s3:CreateAccessPoint, s3:CreateAccessPointForObjectLambda, s3:CreateBucket and 141 more
      {
        Effect = "Allow"
        Action = [
          "s3:AllowVendedLogDeliveryForResource",
          "s3:BypassGovernanceRetention",
          "s3:DeleteObjectVersion",
          "s3:DeleteObjectVersionAnnotation",
          "s3:DeleteObjectVersionTagging",
          "s3:GetObject",
          "s3:GetObjectAcl",
          "s3:GetObjectLegalHold",
          "s3:GetObjectRetention",
          "s3:GetObjectTagging",
          "s3:GetObjectVersion",
          "s3:GetObjectVersionAcl",
          "s3:GetObjectVersionAnnotation",
          "s3:GetObjectVersionAnnotationForReplication",
          "s3:GetObjectVersionAttributes",
          "s3:GetObjectVersionForReplication",
          "s3:GetObjectVersionTagging",
          "s3:GetObjectVersionTorrent",
          "s3:InitiateReplication",
          "s3:ListBucket",
          "s3:ListObjectVersionAnnotations",
          "s3:ObjectOwnerOverrideToBucketOwner",
          "s3:PauseReplication",
          "s3:PutAccessPointPublicAccessBlock",
          "s3:PutObjectVersionAcl",
          "s3:PutObjectVersionAnnotation",
          "s3:PutObjectVersionTagging",
          "s3:ReplicateDelete",
          "s3:ReplicateObject",
          "s3:ReplicateObjectAnnotation",
          "s3:ReplicateTags",
          "s3-object-lambda:*",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_iam_user_policy_attachment" "svc_legacy_backup_amazons3fullaccess_trimmed_svc_legacy_backup" {
  user       = "svc-legacy-backup"
  policy_arn = aws_iam_policy.amazons3fullaccess_trimmed_svc_legacy_backup.arn
}

# edit `read-buckets`
# shared by arn:aws:iam::111122223333:user/svc-jenkins, arn:aws:iam::111122223333:user/svc-legacy-backup
# it counts through the group `arn:aws:iam::111122223333:group/legacy-automation`
# terraform import aws_iam_group_policy.legacy_automation_read_buckets legacy-automation:read-buckets
resource "aws_iam_group_policy" "legacy_automation_read_buckets" {
  name  = "read-buckets"
  group = "legacy-automation"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # from statement 1
      # used: s3:GetObject 123 times on more than 50 resources, last 2026-09-14T02:59:00Z by s3.amazonaws.com:GetObject as arn:aws:iam::111122223333:user/svc-legacy-backup; events beaab7b1-cbb4-480e-80b2-1e48034b8b06, 6290ae75-f4ce-4399-9fdf-b5a0795b6920, 501937a1-92a7-4609-abdf-7da34af3c960
      # used: s3:ListBucket 73 times on 1 resource, last 2026-09-14T02:53:59Z by s3.amazonaws.com:ListObjects as arn:aws:iam::111122223333:user/svc-legacy-backup; events feca9b96-78e7-40fe-b875-0346d5abc27b, b14b2ba6-9edd-48b4-adc6-3057fbf4547b, 75f30481-fada-4b15-9043-1fb5835a45f1
      # kept (conditional-only): only some calls of other operations need it, and none proves it: s3:GetObjectVersionAcl, s3:GetObjectVersionAttributes, s3:GetObjectVersionTagging
      # kept (data-events-not-recorded): no read data events of AWS::S3::Object are recorded in ap-southeast-1: s3:GetObject, s3:GetObjectAcl, s3:GetObjectAttributes, s3:GetObjectLegalHold, s3:GetObjectRetention, s3:GetObjectTagging, s3:GetObjectTorrent, s3:ListBucket and 2 more
      # kept (dependent-only): it is only needed beside other actions and leaves no event: shows as GetObject/HeadObject with versionId: s3:GetObjectVersion
      # kept (may-be-data-event): a use may leave a data event of AWS::S3::Object alone, and these are not recorded: s3:GetObjectAnnotation, s3:ListObjectAnnotations
      # kept (no-operation): no public API operation needs it: s3:GetObjectVersionAnnotation, s3:GetObjectVersionAnnotationForReplication, s3:GetObjectVersionForReplication, s3:GetObjectVersionTorrent, s3:ListObjectVersionAnnotations
      # kept (uncertain-use): successful calls that may have needed it: 123: s3:GetObjectLegalHold, s3:GetObjectRetention, s3:GetObjectTagging
      # kept (uncertain-use): successful calls that may have needed it: 73: s3:GetObjectAcl
      # removed as unused: s3:GetAccelerateConfiguration, s3:GetAccessGrant, s3:GetAccessGrantsInstance, s3:GetAccessGrantsInstanceForPrefix, s3:GetAccessGrantsInstanceResourcePolicy, s3:GetAccessGrantsLocation, s3:GetAccessPoint, s3:GetAccessPointConfigurationForObjectLambda and 52 more
      {
        Effect = "Allow"
        Action = [
          "s3:GetObject",
          "s3:GetObjectAcl",
          "s3:GetObjectAnnotation",
          "s3:GetObjectAttributes",
          "s3:GetObjectLegalHold",
          "s3:GetObjectRetention",
          "s3:GetObjectTagging",
          "s3:GetObjectTorrent",
          "s3:GetObjectVersion",
          "s3:GetObjectVersionAcl",
          "s3:GetObjectVersionAnnotation",
          "s3:GetObjectVersionAnnotationForReplication",
          "s3:GetObjectVersionAttributes",
          "s3:GetObjectVersionForReplication",
          "s3:GetObjectVersionTagging",
          "s3:GetObjectVersionTorrent",
          "s3:ListBucket",
          "s3:ListBucketVersions",
          "s3:ListMultipartUploadParts",
          "s3:ListObjectAnnotations",
          "s3:ListObjectVersionAnnotations",
        ]
        Resource = "*"
      },
    ]
  })
}
