-- fails: there is no function `arbitrary`
-- listed: arbitrary(a)
SELECT eventname, arbitrary(useragent) FROM cloudtrail_logs GROUP BY eventname;
