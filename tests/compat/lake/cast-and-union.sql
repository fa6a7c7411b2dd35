-- rows: 1
-- Old TLS versions, and root.
SELECT eventName, userIdentity.arn AS user, eventTime
FROM cloudtrail_logs
WHERE tlsDetails.tlsVersion LIKE 'TLSv%' AND CAST(REPLACE(tlsDetails.tlsVersion, 'TLSv', '') AS DOUBLE) <= 1.1
UNION ALL
SELECT eventName, userIdentity.arn AS user, eventTime
FROM cloudtrail_logs
WHERE userIdentity.type = 'Root' AND userIdentity.invokedBy IS NULL AND eventName != 'ConsoleLogin'
ORDER
    BY eventTime DESC
