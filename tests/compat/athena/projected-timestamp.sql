-- rows: 23
SELECT eventid
FROM cloudtrail_logs
WHERE "timestamp" BETWEEN '2026/10/01' AND '2026/10/02'
