-- rows: 2
SELECT eventTime, eventName FROM cloudtrail_logs
WHERE eventTime > '2026-10-03 00:00:00' AND eventTime <= '2026-10-31 23:59:59'
ORDER BY eventTime DESC
