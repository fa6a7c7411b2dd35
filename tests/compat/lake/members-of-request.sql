-- rows: 2
SELECT Element_at(requestParameters, 'roleArn'
    ) as role, json_extract_scalar(element_at(requestParameters, 'encryptionContext'), '$.SecretARN') secret, COUNT (*) as requestCount
FROM
    cloudtrail_logs
WHERE
    eventSource = 'sts.amazonaws.com'
    AND element_at(requestParameters, 'roleSessionName') NOT IN ('ann-2'
    )
GROUP
    BY requestParameters ORDER BY requestCount DESC LIMIT 20;
