-- rows: 1
SELECT DISTINCT
    element_at(requestParameters, 'secretId') AS Secret,
    awsRegion AS Region,
    recipientAccountId AS AccountID
FROM
    cloudtrail_logs
WHERE
	element_at(requestParameters, 'secretId') LIKE '%db%'
ORDER BY
	recipientAccountId,
    awsRegion
