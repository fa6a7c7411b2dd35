-- fails: there is no function `max_by`
-- listed: max_by(a, b)
SELECT useridentity.arn, max_by(eventname, eventtime) FROM cloudtrail_logs GROUP BY useridentity.arn;
