-- rows: 4
SELECT element_at(requestParameters, 'roleArn') AS roleArn, element_at(requestParameters, 'roleSessionName') AS sessionName
FROM cloudtrail_logs
WHERE eventName LIKE 'AssumeRole%' OR element_at(requestParameters, 'secretId') = 'db-prod'
