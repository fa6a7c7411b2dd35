-- rows: 25
SELECT useridentity.arn, eventname, sourceipaddress, eventtime
FROM cloudtrail_logs
LIMIT 100;
