-- rows: 18
SELECT eventid, eventtime, eventname
FROM cloudtrail_logs
WHERE eventtime >= '2026-10-02T00:00:00Z' AND eventtime < '2026-10-03T00:00:00Z'
ORDER BY eventtime;
