-- rows: 4
SELECT DISTINCT eventname FROM cloudtrail_logs WHERE regexp_like(eventname, '^(Create|Run|Get)[A-Z]') AND errorcode IS NULL AND eventsource <> 's3.amazonaws.com' AND eventsource <> 'ssm.amazonaws.com' AND eventname <> 'RunInstances'
UNION ALL SELECT 'one'
