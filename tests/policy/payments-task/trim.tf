# arn:aws:iam::111122223333:role/ecs/payments-task: trim from 2026-09-01T00:01:49Z to 2026-09-14T23:59:53.000001Z (14 days), facts of 2026-10-27
# The logs of its account cover 99.7 % of the window; "unused" needs 95.0 % and 14 days.
# IAM snapshot of 2026-09-15T00:00:00Z.

# edit `payments-task`
# terraform import aws_iam_role_policy.payments_task_payments_task payments-task:payments-task
resource "aws_iam_role_policy" "payments_task_payments_task" {
  name = "payments-task"
  role = "payments-task"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # from statement 1 (`Secrets`)
      # used: secretsmanager:GetSecretValue 114 times on 1 resource, last 2026-09-14T21:23:51Z by secretsmanager.amazonaws.com:GetSecretValue as arn:aws:iam::111122223333:role/ecs/payments-task; events 4fe04f37-641a-4c0a-9380-f2397510bc80, c25e645f-295a-4086-89a9-dd59bec92f25, 88ffec5f-0b8a-432e-81a2-3ec4b14b0b4d
      # removed as unused: secretsmanager:BatchGetSecretValue, secretsmanager:CancelRotateSecret, secretsmanager:CreateSecret, secretsmanager:DeleteResourcePolicy, secretsmanager:DeleteSecret, secretsmanager:DescribeSecret, secretsmanager:GetRandomPassword, secretsmanager:GetResourcePolicy and 14 more
      {
        Sid      = "Secrets"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = "arn:aws:secretsmanager:*:111122223333:secret:prod/payments/*"
      },
      # from statement 2 (`Keys`)
      # used: kms:Decrypt 114 times on 1 resource, last 2026-09-14T21:23:51Z by kms.amazonaws.com:Decrypt as arn:aws:iam::111122223333:role/ecs/payments-task; events d652de6a-d29d-43ed-9323-cba860bcb485, d0e4c857-e8b9-439b-b3ac-66a32b0c289f, aef3d5a6-58d6-4225-a4de-ae28a9d15a33
      # removed as unused: kms:GenerateDataKey
      {
        Sid      = "Keys"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = "arn:aws:kms:*:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
      },
      # from statement 3 (`Ledger`)
      # used: s3:GetObject 247 times on more than 50 resources, last 2026-09-14T22:54:04Z by s3.amazonaws.com:GetObject as arn:aws:iam::111122223333:role/ecs/payments-task; events 0ed8ccb0-3dbc-4afb-a902-0f9eaa33fc98, 190d3c28-5167-4732-aafc-5011925c1c5b, a346c724-adb2-4ffa-a30f-05798c41f1c8
      # used: s3:PutObject 419 times on more than 50 resources, last 2026-09-14T23:54:56Z by s3.amazonaws.com:PutObject as arn:aws:iam::111122223333:role/ecs/payments-task; events 1dc35663-2efc-4d91-a566-804fe3fff8c6, 58861a6f-1130-42d1-bc63-13ea469e8977, 230d0e91-df4a-448e-a787-695325dea9a4
      # removed as unused: s3:DeleteObject, s3:ListBucket
      {
        Sid    = "Ledger"
        Effect = "Allow"
        Action = [
          "s3:GetObject",
          "s3:PutObject",
        ]
        Resource = [
          "arn:aws:s3:::prod-payments-ledger",
          "arn:aws:s3:::prod-payments-ledger/*",
        ]
      },
      # from statement 4 (`Database`)
      # kept (never-logged): CloudTrail never records it: database logs only: rds-db:connect
      {
        Sid      = "Database"
        Effect   = "Allow"
        Action   = "rds-db:connect"
        Resource = "arn:aws:rds-db:*:111122223333:dbuser:*/payments"
      },
      # from statement 5 (`Queues`)
      # kept (data-events-not-recorded): no read data events of AWS::SQS::Queue are recorded in the account: sqs:ReceiveMessage
      # kept (data-events-not-recorded): no write data events of AWS::SQS::Queue are recorded in the account: sqs:DeleteMessage, sqs:SendMessage
      # removed as unused: sqs:CreateQueue
      {
        Sid    = "Queues"
        Effect = "Allow"
        Action = [
          "sqs:SendMessage",
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
        ]
        Resource = "*"
      },
    ]
  })
}
