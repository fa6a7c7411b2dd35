-- rows: 2
-- Sessions of the roles that somebody assumed.
SELECT userIdentity.arn, eventName, element_at(requestParameters, 'names') as names
FROM cloudtrail_logs
WHERE eventName LIKE 'GetParameter%'
  AND userIdentity.arn IN (
    SELECT element_at(requestParameters, 'roleArn') AS role
    FROM cloudtrail_logs
    WHERE eventName LIKE 'AssumeRole%' AND element_at(requestParameters, 'externalId') IS NOT NULL
      AND userIdentity.arn IN (SELECT userIdentity.arn FROM cloudtrail_logs WHERE eventID = 'e07')
  )
