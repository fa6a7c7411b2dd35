-- rows: 1
SELECT eventID, element_at(resources,1
    ).arn as first_resource, element_at(resources, 1).accountId as owner
FROM cloudtrail_logs
WHERE element_at(resources, 1
    ).arn = 'arn:aws:s3:::b/x'
  AND userIdentity.sessioncontext.sessionissuer.arn = userIdentity.arn
