-- rows: 18
SELECT eventname, "timestamp", account, region
FROM cloudtrail_logs
WHERE year = '2026' AND month = '10' AND day = '02';
